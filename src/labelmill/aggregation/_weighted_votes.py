"""Votes that weigh as much as their annotator."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._tally import Floats, Tally
from labelmill.domain.vote_table import VoteTable

__all__ = ["totals", "without_own"]


def totals(tally: Tally, weights: Floats) -> Floats:
    """Weight of the votes for each class on each row, (n_rows, n_classes); `weights` (n_annotators,)."""
    return tally.evidence(weights[:, None, None] * np.eye(tally.n_classes))


def without_own(
    votes: VoteTable, sums: Floats, weights: Floats, positions: npt.NDArray[np.intp], *, least: Floats | float
) -> Floats:
    """The sums of the items of some votes without these votes, (n_positions, n_classes).

    What is left of a class that nobody else named is the rounding of sum less vote: never less than `least`.
    """
    others = sums[votes.item_index[positions]]
    others[np.arange(len(positions)), votes.label[positions]] -= weights[votes.annotator_index[positions]]
    return np.maximum(others, least)
