"""Facts about `labelmill.quality.vote_quality`, on its own and behind a label model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from labelmill import score_votes
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError
from labelmill.quality._two_witnesses import believed
from labelmill.quality.vote_quality import vote_quality

Floats = npt.NDArray[np.float64]

CROWD = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "crowd"


def _crowd(
    n_items: int = 1500, n_people: int = 20, votes_each: int = 4, n_classes: int = 3, *, copies: int = 1, seed: int = 0
) -> tuple[VoteTable, npt.NDArray[np.int64]]:
    """Votes of people from good to guessing, each cast by so many copies of them, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_classes, size=n_items)
    accuracy = np.linspace(0.4, 0.9, n_people)
    item = np.repeat(np.arange(n_items), votes_each)
    person = np.argsort(rng.random((n_items, n_people)), axis=1)[:, :votes_each].ravel()
    wrong = (truth[item] + rng.integers(1, n_classes, size=len(item))) % n_classes
    label = np.where(rng.random(len(item)) < accuracy[person], truth[item], wrong)
    people = np.concatenate([person + c * n_people for c in range(copies)])
    kinds: list[AnnotatorKind | None] = ["person"] * (n_people * copies)
    table = VoteTable(
        [str(i) for i in range(n_items)],
        [f"p{j}" for j in range(n_people * copies)],
        [f"c{k}" for k in range(n_classes)],
        np.tile(item, copies),
        people,
        np.tile(label, copies),
        kinds=kinds,
    )
    return table, truth


def _classifier(truth: npt.NDArray[np.int64], n_classes: int = 3, *, sharpness: float, seed: int = 1) -> Floats:
    """Probabilities raised to a power: at 1 they are calibrated."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(len(truth), n_classes))
    scores[np.arange(len(truth)), truth] += 2.0
    p = np.exp(2.0 * sharpness * scores)
    return np.asarray(p / p.sum(axis=1, keepdims=True))


def _auroc(is_wrong: npt.NDArray[np.bool_], quality: Floats) -> float:
    """Chance that a wrong one has less quality than a right one."""
    from scipy.stats import rankdata

    ranks, n = rankdata(-quality), int(is_wrong.sum())
    return float((ranks[is_wrong].sum() - n * (n + 1) / 2) / (n * (len(is_wrong) - n)))


def test_support_by_hand() -> None:
    """Half the square root of the posterior, half the share of votes weighed by log odds."""
    table = VoteTable(["i"], ["a", "b"], ["x", "y"], [0, 0], [0, 1], [0, 1])

    found = vote_quality(table, np.array([[0.8, 0.2]]), np.array([0.9, 0.6]))

    root = np.sqrt([0.8, 0.2]) / np.sqrt([0.8, 0.2]).sum()
    share = np.log([9.0, 1.5]) / np.log([9.0, 1.5]).sum()
    np.testing.assert_allclose(found.support, [(root + share) / 2])
    assert found.of_votes.tolist() == pytest.approx(((root + share) / 2).tolist())


def test_the_odd_vote_out_is_the_worst() -> None:
    """Of three votes on each item, the one that contradicts comes first, and who cast it."""
    votes = {"item": list("aaabbbccc"), "annotator": list("xyz" * 3), "label": list("110000111")}

    found = score_votes(votes)

    assert found.votes().row(0)[:3] == ("a", "z", "0")
    assert found.annotators()["annotator"][0] == "z"
    assert found.items()["item"][0] == "a"
    assert found.items()["agreement"][0] == pytest.approx(2 / 3)


def test_wrong_labels_rank_below_right_ones() -> None:
    """Votes and consensus labels that are wrong score lower, better than the share of votes tells."""
    table, truth = _crowd()
    counts = table.counts

    found = score_votes(table)

    vote_is_wrong = table.label != truth[table.item_index]
    label_is_wrong = found.consensus != truth
    share = counts[np.arange(len(truth)), found.consensus] / counts.sum(axis=1)
    assert _auroc(vote_is_wrong, found.of_votes) > 0.9
    assert _auroc(label_is_wrong, found.of_consensus) > _auroc(label_is_wrong, share)


def test_annotators_are_ranked_by_their_skill() -> None:
    """Mean quality of the votes follows the accuracy they were drawn with."""
    table, _ = _crowd()

    names = score_votes(table).annotators()["annotator"].to_list()

    places = [int(name[1:]) for name in names]
    assert np.corrcoef(places, np.arange(len(places)))[0, 1] > 0.95


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 3.0])
def test_a_classifier_is_taken_for_what_it_is(sharpness: float) -> None:
    """However it exaggerates, its exponent undoes that; people whose errors are their own keep theirs near 1."""
    table, truth = _crowd()
    p = _classifier(truth, sharpness=sharpness)
    alone = score_votes(table)

    found = score_votes(table, probabilities=p)

    assert found.model_exponent == pytest.approx(1 / sharpness, rel=0.35)
    assert found.people_exponent is not None
    assert found.people_exponent > 0.6
    right = [(labels == truth).mean() for labels in (alone.consensus, p.argmax(axis=1), found.consensus)]
    assert right[2] > max(right[:2]) + 0.02


def test_people_who_copy_are_not_taken_for_many() -> None:
    """Three identical votes of each are believed about as one: the classifier shows it."""
    table, truth = _crowd(copies=3)

    found = score_votes(table, probabilities=_classifier(truth, sharpness=1.0), model="one_coin")

    assert found.people_exponent is not None
    assert found.people_exponent < 0.55


def test_few_items_teach_no_exponents() -> None:
    """With under thirty items fixed ones are taken, and the answer is defined."""
    votes = {"item": list("aabb"), "annotator": list("xyxy"), "label": list("0110")}

    found = score_votes(votes, probabilities=[[0.9, 0.1], [0.2, 0.8]])

    assert (found.people_exponent, found.model_exponent) == (0.5, 1.0)
    assert found.consensus.tolist() == [0, 1]


def test_probabilities_follow_their_items() -> None:
    """Rows are matched by name; more rows than items with votes are no trouble."""
    votes = {"item": list("aabb"), "annotator": list("xyxy"), "label": list("0110")}

    found = score_votes(votes, probabilities=[[0.5, 0.5], [0.2, 0.8], [0.9, 0.1]], items=["c", "b", "a"])

    assert dict(found.items()["item", "label"].iter_rows()) == {"a": "0", "b": "1"}


def test_abstentions_and_items_without_votes() -> None:
    """They have no quality, no label, and make nothing undefined."""
    table = VoteTable(["i", "j"], ["a", "b"], ["x", "y"], [0, 0, 1], [0, 1, 0], [0, -1, -1])

    found = score_votes(table)

    assert np.isnan(found.of_votes).tolist() == [False, True, True]
    assert found.items().filter(pl.col("item") == "j").rows() == [("j", None, 0.0, None, None, 0)]
    assert found.of_labels([0, -1]).tolist() == [found.of_consensus[0], 0.0]
    assert found.votes().height == 1
    assert found.annotators()["annotator"].to_list() == ["a"]


@pytest.mark.parametrize("label", ["", "x"])
def test_no_class_or_one(label: str) -> None:
    """Nobody names a class, or all name the same one: an answer, and no NaN."""
    found = score_votes({"item": ["i", "j"], "annotator": ["a", "b"], "label": [label, label]})

    assert np.isfinite(found.support).all()
    assert np.isfinite(found.of_consensus).all()
    assert found.items().height == 2
    assert found.votes().height == (2 if label else 0)


def test_the_order_of_votes_changes_nothing() -> None:
    """Shuffled votes give the same quality to each, with and without a classifier."""
    table, truth = _crowd(200)
    order = np.random.default_rng(0).permutation(table.n_votes)
    columns = [column[order] for column in (table.item_index, table.annotator_index, table.label)]
    shuffled = VoteTable(table.items, table.annotators, table.classes, *columns, kinds=table.kinds)
    for p in (None, _classifier(truth, sharpness=1.0)):
        one, other = score_votes(table, probabilities=p), score_votes(shuffled, probabilities=p)

        np.testing.assert_allclose(one.of_votes[order], other.of_votes, rtol=1e-9)
        assert one.of_votes.tobytes() == score_votes(table, probabilities=p).of_votes.tobytes()


def test_zeros_rule_nothing_out() -> None:
    """A probability of 0 is taken as tiny, whoever gives it: no class is impossible, nothing is undefined."""
    people = np.tile([[0.0, 1.0], [1.0, 0.0]], (20, 1))
    model = np.tile([[0.0, 1.0], [0.9, 0.1]], (20, 1))
    model[0] = [1.0, 0.0]

    belief = believed(people, model, np.ones(40, dtype=np.bool_))

    assert (belief.probabilities > 0).all()
    assert belief.probabilities.sum(axis=1).tolist() == pytest.approx([1.0] * 40)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"probabilities": [[1.0, 0.0]]}, "one row an item"),
        ({"probabilities": [[1.0, 0.0]] * 2, "items": ["a", "c"]}, "item 'b' has votes but no probabilities"),
        ({"model": "dawid_sken"}, "did you mean 'dawid_skene'"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], message: str) -> None:
    """The message names the item or shape."""
    with pytest.raises(UsageError, match=message):
        score_votes({"item": list("aabb"), "annotator": list("xyxy"), "label": list("0110")}, **options)


def test_shapes_are_checked() -> None:
    """Arrays of other votes, and labels that are too few."""
    table, _ = _crowd(10)
    found = score_votes(table)

    with pytest.raises(UsageError, match="do not fit votes on 10 items"):
        vote_quality(table, np.zeros((9, 3)), np.zeros(20))
    with pytest.raises(UsageError, match="the model's probabilities have shape"):
        vote_quality(table, found.probabilities, found.reliability, model=np.zeros((9, 3)))
    with pytest.raises(UsageError, match="one label each"):
        found.of_labels([0])


def test_votes_of_real_people_are_ranked() -> None:
    """On six real sets wrong votes and majority labels are told better than by the posterior alone, in the mean."""
    if not CROWD.is_dir():
        pytest.skip(f"no real votes at {CROWD}")
    of_votes, of_majority = [], []
    for name in ("dog", "labelme", "music_genre", "product", "temp", "web"):
        votes, truth = (pl.read_csv(CROWD / name / f"{file}.csv", infer_schema=False) for file in ("votes", "truth"))
        table = VoteTable.of(votes, classes=sorted({*votes["label"], *truth["label"]}))
        known = {item: table.classes.index(label) for item, label in truth.iter_rows()}
        gold = np.array([known.get(item, -1) for item in table.items])
        has, vote_has, majority = gold >= 0, gold[table.item_index] >= 0, table.counts.argmax(axis=1)
        found = score_votes(table)
        vote_is_wrong = (table.label != gold[table.item_index])[vote_has]
        by_posterior = found.probabilities[table.item_index, table.label][vote_has]
        of_votes.append([_auroc(vote_is_wrong, found.of_votes[vote_has]), _auroc(vote_is_wrong, by_posterior)])
        is_wrong, rows = (majority != gold)[has], np.arange(len(gold))
        by_posterior = found.probabilities[rows, majority][has]
        of_majority.append([_auroc(is_wrong, found.of_labels(majority)[has]), _auroc(is_wrong, by_posterior)])

    for pairs, least in ((of_votes, 0.9), (of_majority, 0.8)):
        ours, posterior = np.mean(pairs, axis=0)
        assert ours > least
        assert ours > posterior
