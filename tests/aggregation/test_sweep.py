"""The sweep that all EM here is made of, and the strengths learned between sweeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import digamma, logsumexp

from labelmill.aggregation import _tally
from labelmill.aggregation._mixture import Mixture
from labelmill.aggregation._posterior import posterior
from labelmill.aggregation._strength import likelier_strength
from labelmill.aggregation._tally import Tally
from labelmill.domain.vote_table import VoteTable


def _mixture(n_annotators: int, n_classes: int, n_states: int) -> Mixture:
    rng = np.random.default_rng(1)
    per_vote = np.log(rng.dirichlet(np.ones(n_classes), size=(n_annotators, n_states)).transpose(0, 2, 1))
    return Mixture(np.log(rng.dirichlet(np.ones(n_states))), per_vote, np.arange(n_states))


@pytest.mark.parametrize("n_states", [1, 3, 11])
@pytest.mark.parametrize("silent", [0, 7])
def test_a_sweep_is_the_sums_over_the_posterior(n_states: int, silent: int, crowd: Callable[..., Any]) -> None:
    """Counts, sizes and log likelihood of the blocks together are those of the whole posterior, done at once."""
    table, _, _ = crowd(n_items=200, accuracies=[0.9, 0.7, 0.6, 0.8], votes_each=2)
    table = VoteTable(
        [*table.items, *(f"silent {i}" for i in range(silent))],
        table.annotators,
        table.classes,
        table.item_index,
        table.annotator_index,
        table.label,
    )
    mixture, tally = _mixture(4, 3, n_states), Tally(table, compress=False)
    states, log_normaliser = mixture.states(tally)

    counts, items, log_likelihood = mixture.expected(tally)

    np.testing.assert_allclose(tally.counts(states), counts, atol=1e-10)
    np.testing.assert_allclose(tally.state_counts(states), items, atol=1e-10)
    np.testing.assert_allclose(tally.total(log_normaliser), log_likelihood, atol=1e-10)
    np.testing.assert_allclose(200, items.sum())


def test_blocks_are_the_whole(crowd: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """However small the blocks, they hold every row once, and a sweep over them adds up to the same."""
    table, _, _ = crowd(n_items=500, accuracies=[0.9, 0.7, 0.6], votes_each=2)
    mixture, whole = _mixture(3, 3, 3), Tally(table, compress=False)
    assert len(whole.blocks(3)) == 1
    expected: tuple[Any, ...] = mixture.expected(whole)
    monkeypatch.setattr(_tally, "CELLS_IN_CACHE", 30)
    cut = Tally(table, compress=False)

    found: tuple[Any, ...] = mixture.expected(cut)

    assert len(cut.blocks(3)) == 50
    assert list(range(500)) == [i for block in cut.blocks(3) for i in range(block.rows.start, block.rows.stop)]
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_two_sweeps_have_the_same_bits(crowd: Callable[..., Any]) -> None:
    """The order of the sums is fixed by the rows, so that a repeated sweep repeats every bit."""
    table, _, _ = crowd(n_items=300, accuracies=[0.9, 0.7, 0.6], votes_each=3)
    mixture = _mixture(3, 3, 3)

    first, second = (mixture.expected(Tally(table, compress=False)) for _ in range(2))

    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("n_states", [1, 2, 9, 40])
def test_a_rows_posterior_is_its_own(n_states: int) -> None:
    """Each row's probabilities have the same bits alone, among others and in any block, at the edge of range too."""
    scores = np.random.default_rng(2).normal(0.0, 400.0, size=(5000, n_states))

    together, log_normaliser = posterior(scores.copy())
    alone = np.concatenate([posterior(row[None].copy())[0] for row in scores[::250]])

    np.testing.assert_array_equal(together[::250], alone)
    np.testing.assert_allclose(logsumexp(scores, axis=1), log_normaliser, rtol=1e-12)
    np.testing.assert_allclose(np.ones(5000), together.sum(axis=1))


def _fixed_point(strength: float, counts: Any, mean: Any, totals: Any) -> float:
    gain = (mean * (digamma(counts + strength * mean) - digamma(strength * mean))).sum()
    return float(strength * gain / (digamma(totals + strength) - digamma(strength)).sum())


@pytest.mark.parametrize("true_strength", [2.0, 15.0, 60.0])
def test_strength_ends_where_minkas_fixed_point_does(true_strength: float) -> None:
    """Ten steps find the strength that two thousand of the fixed point creep to."""
    rng = np.random.default_rng(3)
    mean = np.array([0.7, 0.2, 0.1])
    counts = np.array([rng.multinomial(60, p) for p in rng.dirichlet(true_strength * mean, size=400)], dtype=float)
    totals, strength, crept = counts.sum(axis=1), 4.0, 4.0

    for _ in range(10):
        strength = likelier_strength(strength, counts, mean, totals, between=(1.0, 200.0))
    for _ in range(2000):
        crept = _fixed_point(crept, counts, mean, totals)

    np.testing.assert_allclose(crept, strength, rtol=1e-3)
    np.testing.assert_allclose(true_strength, strength, rtol=0.25)


def test_strength_of_people_who_are_all_alike_is_the_greatest() -> None:
    """Where everybody has the same counts the likeliest strength is beyond all bounds: it stops at the largest."""
    counts, mean, strength = np.tile([70.0, 30.0], (50, 1)), np.array([0.7, 0.3]), 4.0

    for _ in range(20):
        strength = likelier_strength(strength, counts, mean, counts.sum(axis=1), between=(1.0, 200.0))

    assert strength == 200.0


def test_strength_stays_without_votes() -> None:
    """Nobody's votes say nothing about a strength."""
    none = np.zeros((5, 2))

    strength = likelier_strength(4.0, none, np.array([0.7, 0.3]), none.sum(axis=1), between=(1.0, 200.0))

    assert strength == 4.0
