"""How far an observed share may be from the true one: Wilson, Clopper-Pearson and the hypergeometric tail."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import special

from labelmill.errors import UsageError

__all__ = ["clopper_pearson_interval", "clopper_pearson_upper", "hypergeometric_tail", "wilson_interval"]


def wilson_interval(
    successes: npt.ArrayLike, trials: npt.ArrayLike, *, confidence: float = 0.95
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    r"""Two-sided interval for a share, good at small counts and near 0 and 1.

    With :math:`p = s / n` and :math:`z` the normal quantile of the confidence, the interval is
    :math:`(p + z^2/2n \pm z \sqrt{p(1-p)/n + z^2/4n^2}) / (1 + z^2/n)` (Wilson 1927,
    doi:10.1080/01621459.1927.10502953).

    Parameters
    ----------
    successes, trials : array of number, same shape
        0 <= successes <= trials; 0 trials give NaN.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    low, high : ndarray of float64
        In [0, 1], same shape.

    Examples
    --------
    >>> low, high = wilson_interval(8, 10)
    >>> round(float(low), 3), round(float(high), 3)
    (0.49, 0.943)
    """
    _check_share("confidence", confidence)
    s, n = np.broadcast_arrays(np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64))
    z = float(special.ndtri(0.5 + confidence / 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        p = s / n
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    asked = n > 0
    low = np.where(asked, np.where(s == 0, 0.0, np.clip(middle - half, 0, 1)), np.nan)
    high = np.where(asked, np.where(s == n, 1.0, np.clip(middle + half, 0, 1)), np.nan)
    return low, high


def clopper_pearson_upper(wrong: int, checked: int, *, risk: float) -> float:
    """Upper bound on a share, too low with probability at most `risk`, whatever the share is.

    The largest p for which seeing at most `wrong` of `checked` still has probability `risk`: a beta quantile
    (Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404). Exact for independent draws, and conservative for
    draws without replacement.

    Parameters
    ----------
    wrong, checked : int
        0 <= wrong <= checked.
    risk : float
        Between 0 and 1.

    Examples
    --------
    >>> round(clopper_pearson_upper(0, 59, risk=0.05), 4)
    0.0495
    """
    _check_share("risk", risk)
    if not 0 <= wrong <= checked:
        raise UsageError(f"{wrong} wrong of {checked} checked: expected 0 <= wrong <= checked")
    return 1.0 if wrong == checked else float(special.betaincinv(wrong + 1, checked - wrong, 1 - risk))


def clopper_pearson_interval(
    successes: npt.ArrayLike, trials: npt.ArrayLike, *, confidence: float = 0.95
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Two-sided interval for a share that misses it with at most the stated chance, whatever the share is.

    Beta quantiles that leave half of the risk on each side (Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404).

    Parameters
    ----------
    successes, trials : array of number, same shape
        0 <= successes <= trials; 0 trials give NaN.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    low, high : ndarray of float64
        In [0, 1], same shape.

    Examples
    --------
    >>> low, high = clopper_pearson_interval(8, 10)
    >>> round(float(low), 3), round(float(high), 3)
    (0.444, 0.975)
    """
    _check_share("confidence", confidence)
    s, n = np.broadcast_arrays(np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64))
    risk = (1 - confidence) / 2
    low = np.where(s > 0, special.betaincinv(np.maximum(s, 1e-9), n - s + 1, risk), 0.0)
    high = np.where(s < n, special.betaincinv(s + 1, np.maximum(n - s, 1e-9), 1 - risk), 1.0)
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)


def hypergeometric_tail(k: int, n_items: int, n_marked: int, n_drawn: int) -> float:
    """Probability that `n_drawn` items, drawn without replacement, hold at most `k` of the marked ones.

    The likeliest term of the tail comes from log-gammas, the others from their ratios to it, so that neither
    overflows; the relative error stays under 1e-5 up to 1e9 items.

    Parameters
    ----------
    k, n_items, n_marked, n_drawn : int
        `n_marked` and `n_drawn` in 0..n_items.

    Examples
    --------
    >>> round(hypergeometric_tail(0, 10, 3, 2), 4)  # 7/10 * 6/9
    0.4667
    """
    lowest, highest = max(0, n_drawn + n_marked - n_items), min(n_marked, n_drawn)
    if k < lowest:
        return 0.0
    if k >= highest:
        return 1.0
    j = np.arange(k, lowest, -1, dtype=np.float64)  # from term j to term j - 1
    rest = n_items - n_marked - n_drawn
    ratios = np.log(j) + np.log(rest + j) - np.log(n_marked - j + 1) - np.log(n_drawn - j + 1)
    at_k = _log_choose(n_marked, k) + _log_choose(n_items - n_marked, n_drawn - k) - _log_choose(n_items, n_drawn)
    terms = at_k + np.concatenate([[0.0], np.cumsum(ratios)])
    top = float(terms.max())
    return min(1.0, math.exp(top + math.log(np.exp(terms - top).sum())))


def _log_choose(n: int, k: int) -> float:
    return -math.log1p(n) - float(special.betaln(n - k + 1, k + 1))


def _check_share(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise UsageError(f"{name} must lie between 0 and 1 (both excluded), found {value!r}")
