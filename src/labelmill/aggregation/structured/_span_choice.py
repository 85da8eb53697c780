"""Which of the likely spans to keep: the threshold that promises the best F1, and no two that overlap in a layer."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from labelmill.aggregation.structured._chains import Found

__all__ = ["best_threshold", "without_overlap"]

LOWEST, HIGHEST = 0.2, 0.5


def best_threshold(probabilities: npt.NDArray[np.float64]) -> float:
    """Half of the greatest expected F1: above it a span adds more to the hits than to what is marked in vain.

    Ye, Chai, Lee and Chieu (2012), Optimizing F-measures: a tale of two approaches, arXiv 1206.4625.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n_spans,)
        Of every span that may be there.
    """
    p = np.sort(probabilities)[::-1]
    if not p.size:
        return HIGHEST
    expected = 2 * np.cumsum(p) / (np.arange(1, len(p) + 1) + p.sum())
    return float(np.clip(expected.max() / 2, LOWEST, HIGHEST))


def without_overlap(found: Sequence[Found], threshold: float) -> list[Found]:
    """The spans above the threshold that do not overlap and exceed it most in sum (weighted interval scheduling)."""
    spans = sorted(
        ((round(p, 12), i, j, c) for p, i, j, c in found if p > threshold), key=lambda s: (s[2], s[1], -s[0], s[3])
    )
    ends = [span[2] for span in spans]
    total, taken = [0.0], []
    for n, (p, start, _, _) in enumerate(spans):
        before = bisect_right(ends, start, 0, n)
        gain = total[before] + p - threshold
        taken.append(gain > total[-1])
        total.append(max(gain, total[-1]))
    chosen: list[Found] = []
    n = len(spans)
    while n:
        if taken[n - 1]:
            chosen.append(spans[n - 1])
            n = bisect_right(ends, spans[n - 1][1], 0, n - 1)
        else:
            n -= 1
    return chosen[::-1]
