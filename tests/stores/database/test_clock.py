from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from labelmill.stores.database.clock import SteadyClock, random_id

jumps = st.lists(st.tuples(st.floats(0, 1000), st.floats(-1e9, 1e9)), max_size=20)


@given(jumps)
def test_jumps_do_not_show(steps: list[tuple[float, float]]) -> None:
    """Whatever is done to the time of day, the clock goes on, and is never off by more than a tenth of what passed."""
    wall, monotonic = [1.7e9], [50.0]
    clock = SteadyClock(lambda: wall[0], lambda: monotonic[0])
    before = clock()
    for seconds, jump in steps:
        monotonic[0] += seconds
        wall[0] += seconds + jump

        now = clock()

        assert 0.9 * seconds * 1000 - 2 <= now - before <= 1.1 * seconds * 1000 + 2
        before = now


def test_comes_back_to_the_time_of_day() -> None:
    """After a jump of a minute, the time of day is reached again ten minutes later."""
    wall, monotonic = [0.0], [0.0]
    clock = SteadyClock(lambda: wall[0], lambda: monotonic[0])
    wall[0] += 60.0
    for _ in range(700):
        wall[0] += 1.0
        monotonic[0] += 1.0
        clock()

    assert abs(clock() - wall[0] * 1000) <= 1


def test_ids_are_random() -> None:
    """Ids fit into addresses and do not repeat."""
    made = {random_id() for _ in range(1000)}

    assert 1000 == len(made)
    assert {16} == {len(name) for name in made}
