"""Many tests at once: which of them to believe."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from labelmill.errors import UsageError

__all__ = ["adjusted", "believed"]


def adjusted(p: npt.ArrayLike) -> npt.NDArray[np.float64]:
    r"""The smallest level at which each test is believed beside the others.

    With :math:`p_{(1)} \le \dots \le p_{(m)}`, the i-th smallest becomes :math:`\min_{j \ge i} p_{(j)} m / j`
    (Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x). Where nobody deserves a finding, the chance
    of any is at most the level; else it bounds the expected share of false ones among those believed.

    Parameters
    ----------
    p : array of float, shape (n_tests,)
        In [0, 1]. An inverted e-value 1 / E may stand for a p-value: then the tests may depend on each other in any
        way (Wang and Ramdas 2022, doi:10.1111/rssb.12489).

    Returns
    -------
    ndarray of float64, shape (n_tests,)

    Raises
    ------
    UsageError
        If a value is no probability.

    Examples
    --------
    >>> adjusted([0.01, 0.04, 0.03, 0.5]).round(3).tolist()
    [0.04, 0.053, 0.053, 0.5]
    """
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise UsageError("p must be a list of probabilities between 0 and 1")
    n = len(values)
    order = np.argsort(-values, kind="stable")
    found = np.empty(n)
    found[order] = np.minimum.accumulate(np.minimum(values[order] * n / np.arange(n, 0, -1), 1.0))
    return found


def believed(p: npt.ArrayLike, level: float) -> npt.NDArray[np.bool_]:
    """Shape (n_tests,): whether each test is believed beside the others; see `adjusted`."""
    return np.asarray(adjusted(p) <= level)
