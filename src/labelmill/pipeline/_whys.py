"""Why an item was chosen, in words for people."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import Pool

__all__ = ["NOBODY", "filled", "reasons_of", "why_of"]

NOBODY = "nobody has said anything about it yet"

SURE = "the annotators so far are {confidence:.0%} sure"


def why_of(reason: str | None, confidence: float | None, *, margin: float = 0.0, score: float = 0.0) -> str:
    """The reason of a strategy, filled in for an item.

    Parameters
    ----------
    reason : str or None
        With {margin}, {confidence} and {score}, or none; None where the strategy gives no reason.
    confidence : float or None
        How sure the consensus is; None where nobody has said anything.
    """
    if reason is None or "{" in reason:
        if confidence is None:
            return NOBODY
        return filled(SURE if reason is None else reason, margin, score, confidence)
    return reason


def filled(reason: str, margin: float, score: float, confidence: float) -> str:
    """The reason with the item's numbers; of a strategy that asks for numbers we do not know, as it is."""
    try:
        return reason.format(margin=abs(margin), score=score, confidence=confidence)
    except (KeyError, IndexError, ValueError):
        return reason


def reasons_of(chooser: Any, pool: Pool, places: npt.NDArray[np.intp]) -> list[str | None]:
    """The reason for each item of a batch."""
    told = getattr(chooser, "reasons", None)
    if told is None:
        return [getattr(chooser, "reason", None)] * len(places)
    found: list[str | None] = list(told(pool, places))
    return found
