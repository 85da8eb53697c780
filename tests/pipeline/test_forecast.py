from __future__ import annotations

from labelmill.pipeline.forecast import DAY_MS, forecast

NOON = 100 * DAY_MS + DAY_MS // 2


def _days(*counts: int) -> dict[int, int]:
    """Answers of the days before, the last one yesterday."""
    return {(100 - len(counts) + i) * DAY_MS: n for i, n in enumerate(counts)}


def test_steady_work_ends_when_the_rate_says() -> None:
    """Ten answers on each of four days: thirty more take three days, and there is nothing to be unsure of."""
    found = forecast(_days(10, 10, 10, 10), 30, NOON)

    assert found is not None
    assert found.per_day == 10
    assert found.done_at == found.soonest == found.latest == NOON + 3 * DAY_MS


def test_uneven_work_has_a_band() -> None:
    """Days of rest count, and the end may come sooner or later."""
    found = forecast(_days(30, 0, 0, 10), 100, NOON)

    assert found is not None
    assert (found.per_day, found.n_days) == (10, 4)
    assert found.done_at is not None
    assert found.soonest is not None
    assert found.latest is not None
    assert NOON <= found.soonest < found.done_at < found.latest


def test_today_does_not_count() -> None:
    """A day that is not over would look like a bad one."""
    with_today = forecast({**_days(10, 10, 10), 100 * DAY_MS: 1}, 30, NOON)

    assert with_today == forecast(_days(10, 10, 10), 30, NOON)


def test_too_little_is_no_forecast() -> None:
    """Two days show no rate, and where nothing is missing there is nothing to foretell."""
    assert forecast(_days(10, 10), 30, NOON) is None
    assert forecast(_days(10, 10, 10), 0, NOON) is None
    assert forecast({}, 30, NOON) is None


def test_a_standstill_has_no_end() -> None:
    """After a fortnight without answers no day can be named."""
    found = forecast({10 * DAY_MS: 50}, 30, NOON)

    assert found == (0.0, 14, None, None, None)
