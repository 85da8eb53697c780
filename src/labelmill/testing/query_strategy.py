"""What every query strategy promises, as checks to run on your own.

A strategy scores items, or picks batches, or both; what it does not do, it need not promise.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import BatchStrategy, Pool, QueryStrategy
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable

__all__ = ["PROMISES", "Factory"]

Factory = Callable[[], QueryStrategy | BatchStrategy]
"""Makes a fresh query strategy; a class whose options all have defaults is one."""


def promise_it_scores_or_picks(factory: Factory) -> None:
    """There is a method `score`, or `pick`, or both; what it says of its needs is true or false."""
    strategy = factory()

    assert isinstance(strategy, QueryStrategy | BatchStrategy)
    assert getattr(strategy, "needs_features", False) in {True, False}


def promise_one_finite_number_an_item(factory: Factory) -> None:
    """Scores are finite float64, one for each item."""
    for pool in (_pool(2), _pool(5), _pool(1), _certain_and_tied()):
        for scores in _scored(factory, pool):
            assert (pool.votes.n_items,) == scores.shape
            assert np.float64 == scores.dtype
            assert np.isfinite(scores).all()


def promise_empty_pool_works(factory: Factory) -> None:
    """No items, no scores, nothing picked."""
    votes = VoteTable([], ["x"], ("a", "b", "c"), [], [], [])
    empty = Pool(np.zeros((0, 3)), votes, features=np.zeros((0, 4), dtype=np.float32))

    for found in (*_scored(factory, empty), *_picked(factory, empty, 3)):
        assert len(found) == 0


def promise_same_pool_same_answer(factory: Factory) -> None:
    """Scores and picks depend on the pool and its seed alone."""
    for one, other in zip(_scored(factory, _pool(3)), _scored(factory, _pool(3)), strict=True):
        np.testing.assert_array_equal(one, other)
    for first, second in zip(_picked(factory, _pool(3), 7), _picked(factory, _pool(3), 7), strict=True):
        np.testing.assert_array_equal(first, second)


def promise_class_order_is_irrelevant(factory: Factory) -> None:
    """Permuting the classes changes no score and no pick, ties among classes included."""
    pool = _pool(4)
    order = np.array([2, 0, 3, 1])
    place = np.argsort(order)
    votes = pool.votes
    label = np.where(votes.label == ABSTAIN, ABSTAIN, place[votes.label])
    permuted = VoteTable(
        votes.items,
        votes.annotators,
        [votes.classes[k] for k in order],
        votes.item_index,
        votes.annotator_index,
        label,
        kinds=votes.kinds,
    )
    other = replace(pool, probabilities=pool.probabilities[:, order], votes=permuted)

    for scores, expected in zip(_scored(factory, other), _scored(factory, pool), strict=True):
        np.testing.assert_allclose(scores, expected, atol=1e-12)
    for picked, same in zip(_picked(factory, other, 12), _picked(factory, pool, 12), strict=True):
        np.testing.assert_array_equal(picked, same)


def promise_tie_is_not_below_certainty(factory: Factory) -> None:
    """A tied item scores at least as high as a certain one.

    A strategy that looks at neither probabilities nor votes, as random does, is exempt.
    """
    pool = _certain_and_tied()
    flipped = replace(pool, probabilities=pool.probabilities[::-1].copy(), votes=_votes([[0, 1], [0, 0]]))
    for found, other in zip(_scored(factory, pool), _scored(factory, flipped), strict=True):
        certain, tied = found

        assert tied >= certain or np.array_equal(other, [certain, tied])


def promise_picks_are_different_and_unknown(factory: Factory) -> None:
    """As many items as asked for, none twice, none whose answer is known."""
    for n_classes, count in ((2, 1), (3, 9), (1, 5), (5, 20)):
        pool = _pool(n_classes)
        for picked in _picked(factory, pool, count):
            assert np.intp == picked.dtype
            assert (count,) == picked.shape
            assert len(set(picked.tolist())) == count
            assert picked.min() >= 0
            assert pool.known is not None
            assert not pool.known[picked].any()


def promise_a_pool_smaller_than_the_batch_is_picked_whole(factory: Factory) -> None:
    """Asked for more than there is, it gives all that is unknown; where all is known, nothing."""
    pool = _pool(3)
    assert pool.known is not None
    for picked in _picked(factory, pool, 1_000):
        assert np.flatnonzero(~pool.known).tolist() == sorted(picked.tolist())
    for picked in _picked(factory, replace(pool, known=np.ones(len(pool.known), dtype=bool)), 3):
        assert len(picked) == 0
    for picked in _picked(factory, pool, 0):
        assert len(picked) == 0


def promise_unreadable_items_are_asked_last(factory: Factory) -> None:
    """Items without features come after all others; where there are no others, they are asked."""
    pool = _pool(3)
    assert pool.features is not None
    assert pool.known is not None
    if not getattr(factory(), "needs_features", False):
        return
    features = pool.features.copy()
    features[5::2] = np.nan
    unread = np.isnan(features[:, 0]) & ~pool.known
    n_read = int((~unread & ~pool.known).sum())
    for picked in _picked(factory, replace(pool, features=features), 1_000):
        assert unread[picked[n_read:]].all()
        assert not unread[picked[:n_read]].any()
    nothing = replace(pool, features=np.full_like(features, np.nan))
    for picked in _picked(factory, nothing, 4):
        assert 4 == len(set(picked.tolist()))
    for scores in _scored(factory, nothing):
        assert np.isfinite(scores).all()


def promise_items_that_are_all_alike_work(factory: Factory) -> None:
    """One vector and one probability for all: any items will do, but different ones."""
    pool = _pool(3)
    alike = replace(
        pool,
        probabilities=np.full((40, 3), 1 / 3),
        features=np.ones((40, 4), dtype=np.float32),
        known=np.arange(40) < 2,
    )

    for picked in _picked(factory, alike, 12):
        assert 12 == len(set(picked.tolist()) - {0, 1})
    for scores in _scored(factory, alike):
        assert np.isfinite(scores).all()


def promise_a_shortlist_holds_a_batch(factory: Factory) -> None:
    """What a part of a large pool offers are different unknown items, enough for the whole batch."""
    pool = _pool(3)
    shortlist = getattr(factory(), "shortlist", None)
    if shortlist is None:
        return
    offered = shortlist(pool, 6)

    assert pool.known is not None
    assert len(set(offered.tolist())) == len(offered) >= 6
    assert not pool.known[offered].any()


def promise_memory_follows_the_pool(factory: Factory) -> None:
    """Picking from 4,000 items takes a small part of what a table of all pairs of them would."""
    rng = np.random.default_rng(1)
    n = 4_000
    votes = VoteTable([str(i) for i in range(n)], [], ("a", "b"), [], [], [])
    share = rng.random(n)
    features = rng.normal(size=(n, 4)).astype(np.float32)
    pool = Pool(np.stack([share, 1 - share], axis=1), votes, 1, features, np.arange(n) < 20)
    tracemalloc.start()
    try:
        _picked(factory, pool, 5)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 4 * n * n / 1.2  # float32


def promise_input_is_not_changed(factory: Factory) -> None:
    """The pool is left as it was."""
    pool, same = _pool(3), _pool(3)
    _scored(factory, pool)
    _picked(factory, pool, 5)

    for old, new in (
        (same.probabilities, pool.probabilities),
        (same.votes.label, pool.votes.label),
        (same.votes.item_index, pool.votes.item_index),
        (same.features, pool.features),
        (same.known, pool.known),
    ):
        np.testing.assert_array_equal(np.asarray(old), np.asarray(new))


PROMISES: list[Callable[[Factory], None]] = [
    promise_it_scores_or_picks,
    promise_one_finite_number_an_item,
    promise_empty_pool_works,
    promise_same_pool_same_answer,
    promise_class_order_is_irrelevant,
    promise_tie_is_not_below_certainty,
    promise_picks_are_different_and_unknown,
    promise_a_pool_smaller_than_the_batch_is_picked_whole,
    promise_unreadable_items_are_asked_last,
    promise_items_that_are_all_alike_work,
    promise_a_shortlist_holds_a_batch,
    promise_memory_follows_the_pool,
    promise_input_is_not_changed,
]


def _scored(factory: Factory, pool: Pool) -> list[npt.NDArray[np.float64]]:
    """The scores, if it gives scores."""
    strategy = factory()
    return [strategy.score(pool)] if isinstance(strategy, QueryStrategy) else []


def _picked(factory: Factory, pool: Pool, count: int) -> list[npt.NDArray[np.intp]]:
    """The pick, if it picks."""
    strategy = factory()
    return [strategy.pick(pool, count)] if isinstance(strategy, BatchStrategy) else []


def _pool(n_classes: int) -> Pool:
    """Forty items, some certain, some tied, some without votes, some known."""
    rng = np.random.default_rng(n_classes)
    probabilities = rng.dirichlet(np.full(n_classes, 0.5), size=40)
    probabilities[:3] = np.eye(n_classes)[0]
    probabilities[3:9] = 1.0 / n_classes
    matrix = rng.integers(ABSTAIN, n_classes, size=(40, 5))
    matrix[::10] = ABSTAIN
    votes = VoteTable.from_matrix(matrix, classes=[f"class {k}" for k in range(n_classes)])
    features = rng.normal(size=(40, 4)).astype(np.float32)
    return Pool(probabilities, votes, 3, features, np.arange(40) % 8 == 1)


def _certain_and_tied() -> Pool:
    alike = np.ones((2, 4), dtype=np.float32)
    return Pool(np.array([[1.0, 0.0], [0.5, 0.5]]), _votes([[0, 0], [0, 1]]), 5, alike)


def _votes(matrix: list[list[int]]) -> VoteTable:
    return VoteTable.from_matrix(matrix, classes=("no", "yes"))
