from __future__ import annotations

from functools import reduce

import numpy as np
import numpy.typing as npt
import pytest

from labelmill.aggregation import _mixture, _sample
from labelmill.aggregation._lookup import Lookup
from labelmill.aggregation._sample import OfSample, Sample
from labelmill.aggregation._vote_keys import vote_keys
from labelmill.aggregation.anchored_naive_bayes import AnchoredNaiveBayes
from labelmill.aggregation.auto import Auto
from labelmill.domain.sums import Ask, Sums, drive
from labelmill.domain.vote_table import VoteTable

N_ITEMS, N_RULES = 6000, 16
Matrix = npt.NDArray[np.int16]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six thousand items are large here."""
    monkeypatch.setattr(_sample, "ENOUGH", 1500)
    monkeypatch.setattr(_sample, "LARGE", 3000)
    monkeypatch.setattr(_sample, "N_BUCKETS", 2**14)


def _votes(n_silent: int = 1000) -> tuple[Matrix, npt.NDArray[np.intp]]:
    """Sixteen rules for both classes, and items on which nobody votes."""
    rng = np.random.default_rng(0)
    truth = (rng.random(N_ITEMS) < 0.3).astype(np.intp)
    right = rng.random((N_ITEMS, N_RULES)) < np.linspace(0.6, 0.9, N_RULES)
    matrix = np.where(right, truth[:, None], 1 - truth[:, None])
    matrix[rng.random(matrix.shape) < 0.5] = -1
    matrix[:n_silent] = -1
    return matrix.astype(np.int16), truth


def _table(matrix: Matrix) -> VoteTable:
    return VoteTable.from_matrix(matrix, classes=("a", "b"), kinds=["rule"] * matrix.shape[1])


def _learned(shards: list[VoteTable]) -> tuple[AnchoredNaiveBayes, int]:
    """The model learned from the shards, and how many rows it worked on."""
    n_rows = 0

    def answer(ask: Ask) -> Sums:
        nonlocal n_rows
        if isinstance(ask, OfSample):
            n_rows = sum(ask.sample.of(shard).n_items for shard in shards)
        return reduce(Sums.merged, (ask(shard) for shard in shards))

    model = AnchoredNaiveBayes()
    drive(model.learning(shards[0].annotators, ("a", "b"), shards[0].kinds), answer)
    return model, n_rows


def test_a_sample_teaches_nearly_what_all_items_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than half of the rows give the same answers as all, but for a few items near the border."""
    matrix, truth = _votes()
    model, n_rows = _learned([_table(matrix)])

    sampled = model.predict_proba(_table(matrix)).argmax(axis=1)
    monkeypatch.setattr(_sample, "LARGE", N_ITEMS)
    full = AnchoredNaiveBayes().fit(_table(matrix))

    assert n_rows < 3000
    assert model.details_["one_item_in"] > 1
    assert full.details_["one_item_in"] == 1
    assert (sampled == full.predict_proba(_table(matrix)).argmax(axis=1))[1000:].mean() > 0.98
    assert (sampled == truth)[1000:].mean() > 0.9


def test_a_sample_is_the_same_however_votes_are_sharded_and_ordered() -> None:
    """Three shards, rows and annotators in another order: the same items, and nearly the same bits."""
    matrix, _ = _votes()
    order, turned = np.random.default_rng(1).permutation(N_ITEMS), np.arange(N_RULES)[::-1]
    names = [f"rule {j}" for j in range(N_RULES)]
    kinds = ["rule"] * N_RULES

    def table(rows: Matrix, annotators: list[str]) -> VoteTable:
        return VoteTable.from_matrix(rows, classes=("a", "b"), annotators=annotators, kinds=kinds)  # type: ignore[arg-type]

    whole, n_rows = _learned([table(matrix, names)])
    shards, n_in_shards = _learned([table(part, names) for part in np.array_split(matrix, 3)])
    other, n_other = _learned([table(matrix[order][:, turned], [names[j] for j in turned])])

    assert n_rows == n_other <= n_in_shards
    np.testing.assert_allclose(whole.precision_, shards.precision_, atol=1e-9)
    np.testing.assert_allclose(whole.precision_, other.precision_[turned], atol=1e-9)


def test_votes_that_many_items_got_all_count() -> None:
    """Silence on a thousand items is in the sample once, and stands for a thousand."""
    table = _table(_votes()[0])
    sample = drive(Sample.learning(), lambda ask: ask(table))
    assert sample is not None

    drawn = sample.of(table)

    assert drawn.multiplicity is not None
    assert drawn.multiplicity[~drawn.has_votes].tolist() == [1000]
    assert drawn.total_items == pytest.approx(N_ITEMS, rel=0.1)


def test_patterns_with_their_counts_are_sampled_as_the_items_are() -> None:
    """Rows that stand for several items give the sample, and so the bits, of the items themselves."""
    table = _table(_votes()[0])
    patterns = table.by_pattern()

    learned, from_patterns = _learned([table])[0], _learned([patterns])[0]

    assert learned.details_["one_item_in"] == from_patterns.details_["one_item_in"] > 1
    np.testing.assert_array_equal(learned.precision_, from_patterns.precision_)


def test_rules_with_few_patterns_are_not_sampled() -> None:
    """Six thousand items with a few dozen distinct rows of votes are all worked on, as patterns."""
    table = _table(_votes()[0][:, :4])

    details = AnchoredNaiveBayes().fit(table).details_

    assert details["one_item_in"] == 1
    assert details["patterns"] <= 3**4


def test_auto_compares_rules_on_the_sample() -> None:
    """All its candidates learn from the same part of the items, and the result says so."""
    matrix, truth = _votes()

    auto = Auto().fit(_table(matrix))

    assert auto.details_["one_item_in"] > 1
    assert (auto.predict_proba(_table(matrix)).argmax(axis=1) == truth)[1000:].mean() > 0.9


def test_looked_up_answers_are_the_tallied_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven rules at a time or one vote at a time, unanimous items and silent ones among them."""
    matrix, _ = _votes()
    matrix[1000:1500, 2:] = -1
    model = AnchoredNaiveBayes().fit(_table(matrix))

    tallied = model.predict_proba(_table(matrix))
    monkeypatch.setattr(_mixture, "MANY", 1)
    looked_up = model.predict_proba(_table(matrix))

    np.testing.assert_allclose(tallied, looked_up, atol=1e-12)


def test_dense_and_sparse_tables_have_the_same_keys() -> None:
    """What is looked up for several columns at once is the sum over votes."""
    dense = _table(_votes()[0])
    columns = (dense.item_index, dense.annotator_index, dense.label)
    sparse = VoteTable(dense.items, dense.annotators, dense.classes, *columns)

    assert vote_keys(_table(dense.matrix)).tolist() == vote_keys(sparse).tolist()


def test_a_lookup_has_an_entry_for_every_row_of_votes() -> None:
    """Two columns of three labels: 1, 2, 3 and 10, 20, 30 combine to nine sums, looked up by number."""
    lookup = Lookup(2, 2)
    (table,) = lookup.tables(np.array([[1, 2, 3], [10, 20, 30]]), np.add)
    matrix = np.array([[-1, -1], [1, 0], [0, 1]], dtype=np.int16)

    ((_, (numbers,)),) = lookup.blocks(matrix)

    assert table[numbers].tolist() == [11, 23, 32]
