"""What every query strategy promises, as checks to run on your own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from labelmill.domain.ports import Pool, QueryStrategy
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable

__all__ = ["PROMISES", "Factory"]

Factory = Callable[[], QueryStrategy]
"""Makes a fresh query strategy; a class whose options all have defaults is one."""


def promise_one_finite_number_an_item(factory: Factory) -> None:
    """Scores are finite float64, one for each item."""
    for pool in (_pool(2), _pool(5), _pool(1), _certain_and_tied()):
        scores = factory().score(pool)

        assert (pool.votes.n_items,) == scores.shape
        assert np.float64 == scores.dtype
        assert np.isfinite(scores).all()


def promise_empty_pool_works(factory: Factory) -> None:
    """No items, no scores."""
    empty = Pool(np.zeros((0, 3)), VoteTable([], ["x"], ("a", "b", "c"), [], [], []))

    assert len(factory().score(empty)) == 0


def promise_same_pool_same_scores(factory: Factory) -> None:
    """Scores depend on the pool and its seed alone."""
    np.testing.assert_array_equal(factory().score(_pool(3)), factory().score(_pool(3)))


def promise_class_order_is_irrelevant(factory: Factory) -> None:
    """Permuting the classes changes no score."""
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

    scores = factory().score(Pool(pool.probabilities[:, order], permuted, pool.seed))

    np.testing.assert_allclose(scores, factory().score(pool), atol=1e-12)


def promise_tie_is_not_below_certainty(factory: Factory) -> None:
    """A tied item scores at least as high as a certain one.

    A strategy that looks at neither probabilities nor votes, as random does, is exempt.
    """
    pool = _certain_and_tied()
    certain, tied = factory().score(pool)
    flipped = Pool(pool.probabilities[::-1].copy(), _votes([[0, 1], [0, 0]]), pool.seed)
    looks = not np.array_equal(factory().score(flipped), [certain, tied])

    assert tied >= certain or not looks


def promise_input_is_not_changed(factory: Factory) -> None:
    """The pool is left as it was."""
    pool = _pool(3)
    before = (pool.probabilities.copy(), pool.votes.label.copy(), pool.votes.item_index.copy())
    factory().score(pool)

    for old, new in zip(before, (pool.probabilities, pool.votes.label, pool.votes.item_index), strict=True):
        np.testing.assert_array_equal(old, new)


PROMISES: list[Callable[[Factory], None]] = [
    promise_one_finite_number_an_item,
    promise_empty_pool_works,
    promise_same_pool_same_scores,
    promise_class_order_is_irrelevant,
    promise_tie_is_not_below_certainty,
    promise_input_is_not_changed,
]


def _pool(n_classes: int) -> Pool:
    """Forty items, some certain, some without votes."""
    rng = np.random.default_rng(n_classes)
    probabilities = rng.dirichlet(np.full(n_classes, 0.5), size=40)
    probabilities[:3] = np.eye(n_classes)[0]
    matrix = rng.integers(ABSTAIN, n_classes, size=(40, 5))
    matrix[::10] = ABSTAIN
    return Pool(probabilities, VoteTable.from_matrix(matrix, classes=[f"class {k}" for k in range(n_classes)]), seed=3)


def _certain_and_tied() -> Pool:
    return Pool(np.array([[1.0, 0.0], [0.5, 0.5]]), _votes([[0, 0], [0, 1]]), seed=5)


def _votes(matrix: list[list[int]]) -> VoteTable:
    return VoteTable.from_matrix(matrix, classes=("no", "yes"))
