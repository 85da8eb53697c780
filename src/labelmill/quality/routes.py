"""What asking a source is expected to be worth, and the cheapest source that pays for itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from labelmill.errors import UsageError

__all__ = ["Source", "cheapest_sources", "expected_error", "expected_gain"]

Floats = npt.NDArray[np.float64]

MOST_CLASSES: Final = 6
"""Told apart where several people are asked; the least likely beyond them count as one."""

ROUNDING: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Source:
    """Somebody who can be asked, or several at once.

    Parameters
    ----------
    name : str
    cost : float
        Of an answer, all that are asked together; in the unit of the price of a wrong label.
    accuracy : float
        Probability that one of them names the true class.
    n_answers : int
        How many answer, each by themselves.
    """

    name: str
    cost: float
    accuracy: float
    n_answers: int = 1

    def __post_init__(self) -> None:
        if not (math.isfinite(self.cost) and self.cost >= 0):
            raise UsageError(f"the cost of {self.name} must be a number from 0 on, found {self.cost}")
        if not 0 <= self.accuracy <= 1:
            raise UsageError(f"the accuracy of {self.name} must lie between 0 and 1, found {self.accuracy}")
        if self.n_answers < 1:
            raise UsageError(f"{self.name} must be one answer at least, found {self.n_answers}")


def expected_error(probabilities: npt.NDArray[np.floating[Any]], accuracy: float, n_answers: int = 1) -> Floats:
    r"""Chance that the label is wrong after so many more answers, by what is believed now.

    Whoever answers names the true class with probability :math:`a` and each other one with
    :math:`(1-a)/(K-1)`, by themselves. The label afterwards is the likeliest class, so that over all answers v

    .. math:: E = 1 - \sum_v \max_y p_y \prod_j P(v_j | y)

    It never exceeds the chance now, :math:`1 - \max_y p_y`: an answer can be worth nothing, not less. Expected error
    reduction (Roy and McCallum, ICML 2001) on the posterior of the votes; that the learner learns from the answer, too,
    is not in it. With several answers and more than `MOST_CLASSES` classes, the least likely ones count as one class.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_items, n_classes)
        Rows sum to 1.
    accuracy : float
        Between 0 and 1.
    n_answers : int
        1 or more.

    Returns
    -------
    ndarray of float64, shape (n_items,)

    Examples
    --------
    >>> p = np.array([[0.6, 0.4], [0.99, 0.01]])
    >>> expected_error(p, 0.9).round(4).tolist()  # the first answer decides, the second changes nothing
    [0.1, 0.01]
    """
    p = np.asarray(probabilities, dtype=np.float64)
    n_classes = p.shape[1]
    if n_classes < 2:
        return np.zeros(len(p))
    if n_answers > 1 and n_classes > MOST_CLASSES:
        p = np.sort(p, axis=1)[:, ::-1]
        p = np.concatenate([p[:, : MOST_CLASSES - 1], p[:, MOST_CLASSES - 1 :].sum(axis=1, keepdims=True)], axis=1)
    told = _told(accuracy, p.shape[1], n_classes)
    right = np.zeros(len(p))
    for counts in _outcomes(p.shape[1], n_answers):
        ways = math.factorial(n_answers) / math.prod(math.factorial(n) for n in counts)
        likelihood = ways * np.prod(told ** np.array(counts), axis=1)
        right += (p * likelihood).max(axis=1)
    return np.clip(1.0 - right, 0.0, 1.0 - p.max(axis=1))


def _told(accuracy: float, n_kept: int, n_classes: int) -> Floats:
    """P(answer | class), shape (n_kept, n_kept); the last class stands for all that are not kept."""
    other = (1 - accuracy) / (n_classes - 1)
    n_merged = n_classes - n_kept + 1
    told = np.full((n_kept, n_kept), other)
    np.fill_diagonal(told, accuracy)
    told[:-1, -1] = other * n_merged
    told[-1, -1] = accuracy + other * (n_merged - 1)
    return told


def _outcomes(n_classes: int, n_answers: int) -> Iterator[tuple[int, ...]]:
    """How often each class may be named, in all."""
    if n_classes == 1:
        yield (n_answers,)
        return
    for first in range(n_answers + 1):
        for rest in _outcomes(n_classes - 1, n_answers - first):
            yield (first, *rest)


def expected_gain(probabilities: npt.NDArray[np.floating[Any]], source: Source) -> Floats:
    """Wrong labels that asking this source about each item is expected to avoid, shape (n_items,), 0 to 1."""
    now = 1.0 - np.asarray(probabilities, dtype=np.float64).max(axis=1)
    gain = now - expected_error(probabilities, source.accuracy, source.n_answers)
    return np.where(gain < ROUNDING, 0.0, gain)


def cheapest_sources(gains: Floats, costs: Sequence[float], price: float) -> npt.NDArray[np.int64]:
    """For each item the cheapest source whose gain pays, that no dearer one outdoes by more than it costs more.

    That is the source with the greatest gain x price - cost, the cheaper of equals, and none where that is not
    above 0.

    Parameters
    ----------
    gains : ndarray of float64, shape (n_items, n_sources)
        Wrong labels avoided.
    costs : sequence of float, shape (n_sources,)
    price : float
        What a wrong label costs.

    Returns
    -------
    ndarray of int64, shape (n_items,)
        Place of the source; -1 where none pays.

    Raises
    ------
    UsageError
        If the price is no number from 0 on, or the shapes do not fit.

    Examples
    --------
    >>> cheapest_sources(np.array([[0.3, 0.35], [0.05, 0.06], [0.3, 0.5]]), [1.0, 3.0], price=20).tolist()
    [0, -1, 1]
    """
    if not (math.isfinite(price) and price >= 0):
        raise UsageError(f"the price of a wrong label must be a number from 0 on, found {price}")
    if gains.ndim != 2 or gains.shape[1] != len(costs):
        raise UsageError(f"gains of shape {gains.shape} and {len(costs)} costs: expected (n_items, n_sources)")
    if not len(costs):
        return np.full(len(gains), -1)
    order = np.argsort(np.asarray(costs), kind="stable")
    net = gains[:, order] * price - np.asarray(costs)[order]
    best = net.argmax(axis=1)
    pays = np.take_along_axis(net, best[:, None], axis=1)[:, 0] > ROUNDING
    return np.where(pays, order[best], -1)
