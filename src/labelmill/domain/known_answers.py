"""Answers held against known ones: which are right, how many, and when that is surely too few."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from labelmill.domain.ports import LabelKind

__all__ = ["LIKENESS", "RISK", "is_right", "is_surely_below", "likeness_of", "share_interval"]

LIKENESS: Final = 0.75
"""How alike an answer and the known one must be, 0 to 1, for kinds of label that do not say (`right_from`)."""

RISK: Final = 0.05
"""Probability with which somebody who is good enough is ever called surely too bad."""

Z: Final = 1.959963984540054
"""Normal quantile of an interval of 95 %."""

ROUNDING: Final = 1e-9


def likeness_of(kind: LabelKind) -> float:
    """From which likeness (1 - distance) on an answer of this kind is right."""
    return float(getattr(kind, "right_from", LIKENESS))


def is_right(kind: LabelKind, value: Any, known: Any) -> bool:
    """Whether an answer is the known one, or as good as it.

    Parameters
    ----------
    kind : LabelKind
        Says how far two values are apart, and from which likeness on that is near enough.
    value, known
        In canonical form; None (looked and declined) is never right.

    Examples
    --------
    >>> from labelmill.labels.choice.kind import Choice
    >>> is_right(Choice(classes=("ham", "spam")), "spam", "ham")
    False
    """
    return value is not None and 1.0 - kind.distance(value, known) >= likeness_of(kind) - ROUNDING


def share_interval(right: int, n: int) -> tuple[float, float] | None:
    r"""Wilson's interval of 95 % for the share of right answers; None without any.

    With :math:`p = s / n` it is :math:`(p + z^2/2n \pm z \sqrt{p(1-p)/n + z^2/4n^2}) / (1 + z^2/n)` (Wilson 1927,
    doi:10.1080/01621459.1927.10502953).

    Examples
    --------
    >>> [round(end, 3) for end in share_interval(8, 10)]
    [0.49, 0.943]
    """
    if n == 0:
        return None
    p, scale = right / n, 1 + Z * Z / n
    middle = (p + Z * Z / (2 * n)) / scale
    half = Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / scale
    low = 0.0 if right == 0 else max(0.0, middle - half)
    return low, 1.0 if right == n else min(1.0, middle + half)


def is_surely_below(right: int, n: int, floor: float, *, risk: float = RISK) -> bool:
    r"""Whether answers show that somebody's share of right ones lies below a floor, however often one looks.

    An interval for a fixed number of answers, looked at after each of them, sooner or later excludes anybody. This one
    may be looked at always: under every share of at least the floor :math:`c`

    .. math:: E_n = \frac{\frac{1}{c} \int_0^c q^s (1-q)^{n-s} dq}{c^s (1-c)^{n-s}}

    is a nonnegative supermartingale that starts at 1, so that it ever reaches :math:`1/\alpha` with probability
    :math:`\alpha` at most (Ville 1939; Robbins 1970, doi:10.1214/aoms/1177696786): the upper bound of that confidence
    sequence lies below the floor. The integral is a binomial tail.

    Parameters
    ----------
    right, n : int
        0 <= right <= n.
    floor : float
        0 < floor < 1.
    risk : float
        Probability of ever saying so of somebody who is at the floor or above it.

    Examples
    --------
    >>> is_surely_below(7, 20, 0.7), is_surely_below(12, 20, 0.7)
    (True, False)
    """
    wrong = n - right
    log_c, log_rest = math.log(floor), math.log1p(-floor)
    # ∫₀ᶜ qˢ(1-q)ⁿ⁻ˢ dq = B(s+1, n-s+1) P(X > s) with X binomial of n + 1 draws
    tail = _log_sum(lambda k: _log_choose(n + 1, k) + k * log_c + (n + 1 - k) * log_rest, right + 1, n + 1)
    log_beta = math.lgamma(right + 1) + math.lgamma(wrong + 1) - math.lgamma(n + 2)
    log_evidence = log_beta + tail - log_c - right * log_c - wrong * log_rest
    return log_evidence >= -math.log(risk)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _log_sum(term: Callable[[int], float], first: int, last: int) -> float:
    """Logarithm of the sum of what these are the logarithms of."""
    terms = [term(k) for k in range(first, last + 1)]
    greatest = max(terms)
    return greatest + math.log(math.fsum(math.exp(one - greatest) for one in terms))
