from __future__ import annotations

import numpy as np
import pytest

from labelmill.aggregation.metal import Metal
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError


def _votes(n_items: int = 4000, copies: int = 0) -> VoteTable:
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=n_items)
    right = rng.random((n_items, 5)) < [0.85, 0.8, 0.75, 0.7, 0.65]
    matrix = np.where(right, truth[:, None], 1 - truth[:, None])
    matrix[rng.random(matrix.shape) < 0.3] = ABSTAIN
    return VoteTable.from_matrix(np.hstack([matrix] + [matrix[:, 4:]] * copies), classes=("a", "b"))


def test_misfit_shows_copies() -> None:
    """Five independent rules are explained within the noise of counts; a rule three times over is not."""
    independent, copied = (Metal().fit(_votes(copies=copies)).details_["misfit"] for copies in (0, 2))

    assert independent < 1.0
    assert copied > 3.0


def test_a_label_never_seen_with_others_keeps_the_anchor() -> None:
    """One pair of annotators who never meet leaves nothing to learn but the anchor's precision."""
    matrix = np.tile([[0, ABSTAIN], [1, ABSTAIN], [ABSTAIN, 0], [ABSTAIN, 1]], (3, 1))

    reliability = Metal(anchor_votes=1000.0).fit(VoteTable.from_matrix(matrix, classes=("a", "b"))).reliability_

    np.testing.assert_allclose([0.7, 0.7], reliability, atol=0.01)


def test_a_rare_label_counts() -> None:
    """A rule that fires on one item in fifty is known as well as the frequent ones, for counts are weighed by noise."""
    rng = np.random.default_rng(1)
    truth = rng.integers(2, size=20_000)
    right = rng.random((20_000, 4)) < [0.85, 0.8, 0.75, 0.95]
    matrix = np.where(right, truth[:, None], 1 - truth[:, None])
    matrix[rng.random(20_000) > 0.02, 3] = ABSTAIN

    reliability = Metal().fit(VoteTable.from_matrix(matrix, classes=("a", "b"))).reliability_

    np.testing.assert_allclose([0.85, 0.8, 0.75, 0.95], reliability, atol=0.04)


def test_no_steps_are_refused() -> None:
    """A descent of no steps would return the anchor as if it were learned."""
    with pytest.raises(UsageError, match="max_steps must be at least 1, found 0"):
        Metal(max_steps=0).fit(VoteTable.from_matrix([[0, 1]], classes=("a", "b")))
