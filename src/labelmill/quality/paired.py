"""Whether one of two who answered the same items is better, or was lucky."""

from __future__ import annotations

import math

from labelmill.errors import UsageError

__all__ = ["exact_paired_test"]


def exact_paired_test(gained: int, lost: int) -> float:
    r"""Chance of so uneven a split, if both were equally good; items on which both are right or both wrong say nothing.

    McNemar's test (1947, doi:10.1007/BF02295996) without its approximation: with :math:`n = g + l`, twice the binomial
    tail :math:`2^{-n} \sum_{k \le \min(g, l)} \binom{n}{k}`, at most 1.

    Parameters
    ----------
    gained, lost : int
        Items on which only the one, and only the other, is right.

    Raises
    ------
    UsageError
        If a count is below 0.

    Examples
    --------
    >>> exact_paired_test(5, 0), exact_paired_test(3, 3)
    (0.0625, 1.0)
    """
    if gained < 0 or lost < 0:
        raise UsageError(f"counts of items must be 0 or more, found {gained} and {lost}")
    n, k = gained + lost, min(gained, lost)
    # In logarithms: 2^n overflows a float from a thousand items on.
    terms = [math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) for i in range(k + 1)]
    return min(1.0, 2 * math.fsum(math.exp(term - n * math.log(2)) for term in terms))
