"""How suggestions fare with people: taken over, right, and followed because they were seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labelmill.errors import UsageError
from labelmill.quality.bounds import wilson_interval
from labelmill.quality.calibration import CalibrationBin, confidence_bins

__all__ = ["Anchoring", "anchoring", "suggestion_calibration"]


@dataclass(frozen=True, slots=True)
class Anchoring:
    """How much more often people agree with a suggestion because they see it.

    Parameters
    ----------
    n_shown, n_shown_agreed : int
        Answers given with the suggestion in sight, and those among them that say the same.
    n_blind, n_blind_agreed : int
        The same where it was withheld.
    difference : float
        Share of agreement when shown minus when withheld; NaN where either has no answer.
    low, high : float
        95 % interval of the difference.
    """

    n_shown: int
    n_shown_agreed: int
    n_blind: int
    n_blind_agreed: int
    difference: float
    low: float
    high: float

    @property
    def is_found(self) -> bool:
        """Whether the interval leaves 0 out: only then is anything claimed."""
        return self.low > 0 or self.high < 0


def anchoring(n_shown_agreed: int, n_shown: int, n_blind_agreed: int, n_blind: int) -> Anchoring:
    r"""Agreement with suggestions that are seen against those that are withheld from the same people at random.

    Items are withheld by a draw of person and item, so the difference is what showing does. Its interval is
    Newcombe's: with Wilson's intervals :math:`(l_1, u_1)` and :math:`(l_2, u_2)` of the two shares,

    .. math:: \left(d - \sqrt{(p_1 - l_1)^2 + (u_2 - p_2)^2},\; d + \sqrt{(u_1 - p_1)^2 + (p_2 - l_2)^2}\right)

    (Newcombe 1998, method 10, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I). It takes answers
    as independent: two people on one item make it a little too narrow.

    Raises
    ------
    UsageError
        If more agree than there are.

    Examples
    --------
    >>> found = anchoring(56, 70, 48, 80)
    >>> round(found.difference, 4), round(found.low, 4), round(found.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    for agreed, n in ((n_shown_agreed, n_shown), (n_blind_agreed, n_blind)):
        if not 0 <= agreed <= n:
            raise UsageError(f"{agreed} of {n} answers agree: expected 0 <= agreed <= answers")
    nan = math.nan
    if not n_shown or not n_blind:
        return Anchoring(n_shown, n_shown_agreed, n_blind, n_blind_agreed, nan, nan, nan)
    shown, blind = n_shown_agreed / n_shown, n_blind_agreed / n_blind
    low, high = wilson_interval([n_shown_agreed, n_blind_agreed], [n_shown, n_blind])
    down = math.hypot(shown - float(low[0]), float(high[1]) - blind)
    up = math.hypot(float(high[0]) - shown, blind - float(low[1]))
    apart = shown - blind
    return Anchoring(n_shown, n_shown_agreed, n_blind, n_blind_agreed, apart, apart - down, apart + up)


def suggestion_calibration(
    scores: Sequence[float] | npt.NDArray[np.float64], is_right: Sequence[bool] | npt.NDArray[np.bool_]
) -> tuple[CalibrationBin, ...]:
    """How often suggestions of each confidence were what people said without seeing them.

    Parameters
    ----------
    scores : sequence of float, shape (n_answers,)
        Confidence of the suggestion, 0 to 1.
    is_right : sequence of bool, shape (n_answers,)

    Raises
    ------
    UsageError
        If the lengths differ, or a score is no probability.
    """
    confidence, right = np.asarray(scores, dtype=np.float64), np.asarray(is_right, dtype=np.bool_)
    if confidence.shape != right.shape:
        raise UsageError(f"{len(confidence)} scores and {len(right)} verdicts: give one verdict for each score")
    if len(confidence) and not (np.isfinite(confidence).all() and 0 <= confidence.min() <= confidence.max() <= 1):
        raise UsageError("a score must lie between 0 and 1: leave out suggestions without one")
    return confidence_bins(confidence, right)
