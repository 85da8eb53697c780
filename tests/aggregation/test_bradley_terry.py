from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from labelmill.aggregation._bradley_terry import BradleyTerry
from labelmill.errors import NotFittedError, UsageError
from labelmill.quality.rank_correlation import spearman

Floats = npt.NDArray[np.float64]


def _compared(seed: int = 0, n_objects: int = 60, n: int = 3000) -> tuple[dict[str, list[str]], Floats]:
    """By 20 people of whom five take the left one without looking; and the true scores."""
    draw = np.random.default_rng(seed)
    score = draw.normal(0, 1.5, n_objects)
    left = draw.integers(n_objects, size=n)
    right = (left + draw.integers(1, n_objects, size=n)) % n_objects
    who = draw.integers(20, size=n)
    looks = draw.random(n) < np.where(who < 5, 0.1, 0.9)
    won = np.where(looks, draw.random(n) < 1 / (1 + np.exp(score[right] - score[left])), draw.random(n) < 0.9)
    names = np.array([f"o{k:02}" for k in range(n_objects)])
    return {
        "left": names[left].tolist(),
        "right": names[right].tolist(),
        "annotator": [f"p{j:02}" for j in who.tolist()],
        "winner": names[np.where(won, left, right)].tolist(),
    }, score


def test_scores_are_those_of_the_textbook() -> None:
    """Two objects, one preferred in three of four comparisons: with a flat prior the difference is log 3."""
    said = {"left": list("aaaa"), "right": list("bbbb"), "winner": list("aaab")}
    many = {name: column * 500 for name, column in said.items()}

    model = BradleyTerry().fit(many)

    assert model.scores_[0] - model.scores_[1] == pytest.approx(np.log(3), abs=0.01)
    assert model.predict_proba(["a"], ["b"])[0] == pytest.approx(0.75, abs=0.002)


def test_those_who_do_not_look_are_found() -> None:
    """Nearer to the true order than without annotators; the five have the least attention and lean to the left."""
    said, score = _compared()

    with_people, plain = BradleyTerry().fit(said), BradleyTerry(annotators=False).fit(said)

    assert (spearman(score, with_people.scores_) or 0) > (spearman(score, plain.scores_) or 1)
    assert set(with_people.reliability_.argsort()[:5].tolist()) == set(range(5))
    assert (with_people.leaning_[:5] > 0.7).all()
    assert plain.annotators_ == []


def test_one_win_is_not_the_best_of_all() -> None:
    """An object that won its only comparison does not stand above one that won fifty of fifty-one."""
    said = {
        "left": ["often"] * 51 + ["once"],
        "right": [f"x{k}" for k in range(50)] + ["other", "x0"],
        "winner": ["often"] * 50 + ["other", "once"],
    }

    assert BradleyTerry().fit(said).ranking()[0] == "often"


def test_the_order_of_rows_changes_nothing() -> None:
    """Rows in another order give the same bits, and frames the same as mappings."""
    said, _ = _compared(n=500)
    order = np.random.default_rng(1).permutation(500)
    other = pl.DataFrame(said)[order.tolist()]

    first, second = BradleyTerry().fit(said), BradleyTerry().fit(other)

    np.testing.assert_array_equal(first.scores_, second.scores_)
    np.testing.assert_array_equal(first.reliability_, second.reliability_)


def test_ties_count_half_for_each() -> None:
    """Only ties: nobody is better; without a winner means None or an empty text."""
    said = {"left": ["a", "b", "a"], "right": ["b", "c", "c"], "winner": [None, "", "a"]}

    model = BradleyTerry().fit(said)

    assert model.scores_[0] > model.scores_[1] > model.scores_[2]
    np.testing.assert_allclose(BradleyTerry().fit({**said, "winner": [None] * 3}).scores_, 0.0, atol=1e-9)


def test_groups_never_compared_are_told() -> None:
    """Two islands: their scores are related by nothing but the prior, and `n_parts` says so."""
    said = {"left": ["a", "c"], "right": ["b", "d"], "winner": ["a", "c"]}

    assert BradleyTerry().fit(said).details_["n_parts"] == 2
    assert BradleyTerry().fit({"left": [], "right": [], "winner": []}).ranking() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"winner": ["c"]}, "row 0: the winner 'c' is neither 'a' nor 'b'"),
        ({"right": ["a"]}, "row 0 compares 'a' with itself"),
        ({"left": [None]}, "lacks its left or right"),
        ({"winner": []}, "'winner' has 0 rows, 'left' has 1"),
    ],
)
def test_what_cannot_be_is_refused(change: dict[str, Any], said: str) -> None:
    """The message names the row."""
    with pytest.raises(UsageError, match=said):
        BradleyTerry().fit({"left": ["a"], "right": ["b"], "winner": ["a"], **change})


def test_bad_calls_are_refused() -> None:
    """A missing column, ranking before a fit, and objects that were in no comparison."""
    with pytest.raises(UsageError, match="no column 'winner'"):
        BradleyTerry().fit({"left": ["a"], "right": ["b"]})
    with pytest.raises(NotFittedError, match="fit"):
        BradleyTerry().ranking()
    with pytest.raises(UsageError, match="'z' was in no comparison"):
        BradleyTerry().fit({"left": ["a"], "right": ["b"], "winner": ["a"]}).predict_proba(["a"], ["z"])
