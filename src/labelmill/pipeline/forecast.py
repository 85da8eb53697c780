"""When the work will be done, from how it went in the last days."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

__all__ = ["DAY_MS", "Forecast", "forecast"]

DAY_MS: Final = 86_400_000

WINDOW: Final = 14
"""Days that count: what people did a month ago says little of next week."""

FEWEST: Final = 3
"""Whole days; fewer show no rate of a day."""

Z: Final = 1.2816
"""Normal quantile: the band holds 80 % of what may come."""

FARTHEST: Final = 20 * 365
"""Days; beyond that, "not at this rate" is the answer."""


class Forecast(NamedTuple):
    """How many answers a day, and when none will be missing.

    Parameters
    ----------
    per_day : float
        Answers, mean of the days that count, days of rest among them.
    n_days : int
        Days that count.
    done_at, soonest, latest : int or None
        Milliseconds since 1970; None where at that rate it would take more than `FARTHEST` days.
    """

    per_day: float
    n_days: int
    done_at: int | None
    soonest: int | None
    latest: int | None


def forecast(by_day: Mapping[int, int], missing: int, now: int) -> Forecast | None:
    r"""A forecast with its band, if enough days have passed; nothing if nothing is missing.

    With rate :math:`\mu` and spread :math:`\sigma` of the answers of a day over :math:`n` days, the number of days for
    :math:`R` answers has about the mean :math:`R/\mu` and the variance
    :math:`R \sigma^2/\mu^3 + R^2 \sigma^2 / (n \mu^4)`: the days to come vary, and the rate itself is not known well.

    Parameters
    ----------
    by_day : mapping of int to int
        Start of a day (milliseconds since 1970, UTC) -> answers on it; days of rest may be left out.
    missing : int
        Answers that are still asked for.
    now : int
        Milliseconds since 1970; today is not over and does not count.
    """
    today = now - now % DAY_MS
    past = [day for day in by_day if day < today]
    if missing <= 0 or not past:
        return None
    n_days = min(WINDOW, (today - min(past)) // DAY_MS)
    if n_days < FEWEST:
        return None
    counts = [by_day.get(today - (back + 1) * DAY_MS, 0) for back in range(n_days)]
    rate = math.fsum(counts) / n_days
    if rate == 0:
        return Forecast(0.0, n_days, None, None, None)
    spread = math.fsum((count - rate) ** 2 for count in counts) / (n_days - 1)
    days = missing / rate
    reach = Z * math.sqrt(days * spread / rate**2 + days**2 * spread / (n_days * rate**2))
    moments = [_moment(now, max(days + shift, 0.0)) for shift in (0.0, -reach, reach)]
    return Forecast(rate, n_days, *moments)


def _moment(now: int, days: float) -> int | None:
    return None if days > FARTHEST else now + int(days * DAY_MS)
