"""What changed from one table of votes to the next."""

from __future__ import annotations

import numpy as np
import pytest
from tests.quality.crowds import honest

from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError
from labelmill.pipeline.check import check_votes
from labelmill.quality.drift import drift, shift


def test_known_distances() -> None:
    """PSI, Jensen-Shannon and Cohen's w of 90/10 against 50/50 are their textbook values; scipy agrees on p."""
    from scipy import stats

    found = shift([90_000, 10_000], [50_000, 50_000], ["ham", "spam"])

    assert found.psi == pytest.approx((0.5 - 0.9) * np.log(0.5 / 0.9) + (0.5 - 0.1) * np.log(5), abs=1e-3)
    assert found.jensen_shannon == pytest.approx(0.1468, abs=1e-3)
    assert found.effect == pytest.approx(np.sqrt(0.16 / 0.9 + 0.16 / 0.1), abs=1e-2)
    assert (found.largest, found.old_share, found.new_share) == ("ham", 0.9, 0.5)
    small = shift([30, 20, 50], [20, 40, 40], ["a", "b", "c"])
    expected = stats.chi2_contingency([[30, 20, 50], [20, 40, 40]], correction=False).pvalue
    assert small.p == pytest.approx(expected)


def test_the_same_shares_are_no_shift() -> None:
    """Of 400 pairs of draws from one distribution, at most 1 in 20 has p below 0.05, give or take chance."""
    rng = np.random.default_rng(0)
    draws = rng.multinomial(200, [0.6, 0.3, 0.08, 0.02], size=(400, 2))

    below = np.mean([shift(old, new, "abcd").p < 0.05 for old, new in draws])

    assert below <= 0.08


@pytest.mark.parametrize("counts", [([0, 0], [5, 5]), ([0, 0], [0, 0]), ([3, 0], [4, 0]), ([], [])])
def test_nothing_to_compare(counts: tuple[list[int], list[int]]) -> None:
    """Without items, or with one class only, there is no shift and no NaN."""
    found = shift(*counts, [f"class {k}" for k in range(len(counts[0]))])

    assert found.p == 1.0
    assert np.isfinite([found.psi, found.jensen_shannon, found.effect]).all()


def test_who_changed_who_came_who_left() -> None:
    """The one who answers otherwise stands first; newcomers and leavers are named."""
    old, new = honest(0, n_items=400).table(), honest(0, n_items=400)
    person = new.busiest(1)
    new.label[new.own(person)] = 0
    changed = new.table()
    changed.annotators = ("newcomer", *changed.annotators[1:])

    found = drift(old, changed)

    assert found.annotators["annotator"][0] == f"person {person}"
    assert found.annotators["level"][0] < 1e-6
    assert (found.annotators["level"][1:] > 0.05).all()
    assert (found.arrived, found.left) == (("newcomer",), ("person 0",))


def test_items_count_once() -> None:
    """With a consensus its labels are compared, not the votes, of which those on one item depend on each other."""
    table = honest(0, n_items=100, votes_each=5).table()

    found = drift(table, table, old_labels=np.zeros(100, dtype=np.int16), new_labels=np.ones(100, dtype=np.int16))

    assert (found.labels.n_old, found.labels.n_new) == (100, 100)
    assert found.labels.p < 1e-10
    assert drift(table, table).labels.n_old == 500


def test_a_shift_is_a_finding_of_a_check() -> None:
    """Votes whose classes come in other shares than before say so; the same again says nothing."""
    before = _frame(honest(0, balance=[0.6, 0.3, 0.1], n_items=500).table())
    after = _frame(honest(1, balance=[0.3, 0.3, 0.4], n_items=500).table())
    again = _frame(honest(2, balance=[0.6, 0.3, 0.1], n_items=500).table())

    changed = check_votes(after, against=before)

    assert changed.check.findings[0].kind == "shift"
    assert "The consensus says" in changed.check.findings[0].text
    assert changed.drift is not None
    assert not [f for f in check_votes(again, against=before).check.findings if f.kind == "shift"]


def test_tables_that_cannot_be_compared() -> None:
    """Other classes, or one consensus of two, are refused."""
    one = VoteTable(["1"], ["a"], ["x", "y"], [0], [0], [0])
    other = VoteTable(["1"], ["a"], ["x", "z"], [0], [0], [0])

    with pytest.raises(UsageError, match="different classes"):
        drift(one, other)
    with pytest.raises(UsageError, match="of both tables, or of none"):
        drift(one, one, old_labels=np.array([0]))


def _frame(table: VoteTable) -> dict[str, object]:
    return {
        "item": np.array(table.items)[table.item_index],
        "annotator": np.array(table.annotators)[table.annotator_index],
        "label": np.array(table.classes)[table.label],
    }
