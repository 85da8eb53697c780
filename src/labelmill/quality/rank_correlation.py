"""How far two orders agree: Spearman's and Kendall's coefficients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from labelmill.errors import UsageError

__all__ = ["kendall", "places", "spearman"]

Floats = npt.NDArray[np.float64]


def spearman(a: npt.ArrayLike, b: npt.ArrayLike) -> float | None:
    """Spearman's rho: the correlation of the ranks, equal numbers sharing their mean rank.

    Spearman (1904, https://doi.org/10.2307/1412159).

    Parameters
    ----------
    a, b : array of float, shape (n,)
        Scores of the same objects, in any unit.

    Returns
    -------
    float or None
        -1 (reversed) to 1 (the same order); None where it says nothing: fewer than two objects, or all equal.

    Raises
    ------
    UsageError
        If they differ in length or are not finite.

    Examples
    --------
    >>> spearman([1, 2, 3, 4], [10, 20, 40, 30])
    0.8
    """
    ranks = [_ranks(x) for x in _checked(a, b)]
    away = [rank - rank.mean() for rank in ranks] if len(ranks[0]) else ranks
    size = float(np.sqrt((away[0] ** 2).sum() * (away[1] ** 2).sum()))
    return round(float((away[0] * away[1]).sum()) / size, 15) if size else None


def kendall(a: npt.ArrayLike, b: npt.ArrayLike) -> float | None:
    """Kendall's tau-b: pairs in the same order minus pairs the other way round, as a share; ties are allowed for.

    Kendall (1945, https://doi.org/10.1093/biomet/33.3.239), by the sorting of Knight (1966,
    https://doi.org/10.1080/01621459.1966.10480879), as `scipy.stats.kendalltau` has it.

    Parameters
    ----------
    a, b : array of float, shape (n,)
        Scores of the same objects, in any unit.

    Returns
    -------
    float or None
        -1 to 1; None where it says nothing: fewer than two objects, or all equal.

    Raises
    ------
    UsageError
        If they differ in length or are not finite.

    Examples
    --------
    >>> round(kendall([1, 2, 3, 4], [10, 20, 40, 30]), 4)
    0.6667
    """
    x, y = _checked(a, b)
    if len(x) < 2 or x.min() == x.max() or y.min() == y.max():
        return None
    from scipy.stats import kendalltau

    return round(float(kendalltau(x, y, method="asymptotic").statistic), 15)


def places(ranking: Sequence[str], names: Sequence[str]) -> Floats:
    """The place of each name in a ranking, best 0; names left out share the place behind.

    With it two rankings can be compared: `kendall(places(a, names), places(b, names))`.

    Examples
    --------
    >>> places(["tea", "milk"], ["beer", "milk", "tea"]).tolist()
    [2.0, 1.0, 0.0]
    """
    at = {name: place for place, name in enumerate(ranking)}
    return np.array([at.get(name, len(at)) for name in names], dtype=np.float64)


def _checked(a: npt.ArrayLike, b: npt.ArrayLike) -> tuple[Floats, Floats]:
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise UsageError(f"give two numbers for each object, found arrays of shape {x.shape} and {y.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise UsageError("a score is NaN or infinite: leave its object out")
    return x, y


def _ranks(x: Floats) -> Floats:
    _, group, counts = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[group], dtype=np.float64)
