from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from labelmill.domain.matching import one_to_one, unmatched_share

similarities = arrays.arrays(
    np.float64, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=st.integers(0, 10).map(lambda n: n / 10)
)


@given(similarities)
def test_no_other_matching_is_better(table: np.ndarray) -> None:
    """The total similarity is the greatest of all matchings, tried one by one."""
    found = sum(table[i, j] for i, j in one_to_one(table))
    wide = table if table.shape[0] <= table.shape[1] else table.T
    best = max(
        sum(wide[i, j] for i, j in enumerate(columns))
        for columns in itertools.permutations(range(wide.shape[1]), wide.shape[0])
    )

    np.testing.assert_allclose(best, found)


@given(similarities)
def test_each_is_matched_once_and_above_the_least(table: np.ndarray) -> None:
    """No row or column appears twice; what is not similar enough is not paired."""
    pairs = one_to_one(table, least=0.5)

    assert all(table[i, j] > 0.5 for i, j in pairs)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)


def test_share_counts_what_has_no_partner() -> None:
    """Nothing against something is as far as it gets; equal lists are at 0 in any order."""
    same = lambda x, y: float(x == y)  # noqa: E731 -- as users write it

    assert unmatched_share([], [1, 2], same) == 1.0
    assert unmatched_share([2, 1], [1, 2], same) == 0.0
    assert unmatched_share([1], [1, 2], same) == unmatched_share([1, 2], [1], same) == 0.333333333333
