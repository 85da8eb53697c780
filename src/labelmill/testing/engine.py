"""What every engine promises, shown with stages that leave a file for each time they are called.

The factory takes no argument and gives the engine::

    from labelmill.testing import engine
    for promise in engine.PROMISES:
        promise(MyEngine)

An engine whose stages run in the caller's process says `isolates: ClassVar[bool] = False`; promises about deadly
stages are not asked of it.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from labelmill.domain.partition import Partition, Receipt, Resources
from labelmill.errors import FailedError

__all__ = ["PROMISES", "Calls", "Deadly", "ManyRows", "Promise", "Raising", "Returning", "Waiting", "partitions_of"]

Factory = Callable[[], Any]
Promise = Callable[[Factory], None]

PATIENCE = 5.0
"""Seconds within which cancelled work must have stopped."""


RELEASE = "released"
"""Name of the file that lets a waiting stage go on."""


def partitions_of(n: int) -> list[Partition]:
    """`n` partitions of different sizes."""
    return [Partition(f"p{i:03d}", "items/none.parquet", 0, i + 1) for i in range(n)]


@dataclass(frozen=True)
class Calls:
    """A stage that leaves a file in `folder` for each call, then takes `seconds`."""

    folder: Path
    seconds: float = 0.0

    def __call__(self, partition: Partition) -> Receipt:
        """Put the call on record."""
        record(self.folder, partition)
        time.sleep(self.seconds)
        return Receipt(partition.id, partition.n_rows, f"votes/{partition.id}", faults=partition.n_rows % 3)


@dataclass(frozen=True)
class Raising:
    """A stage that raises on every other partition: plain errors, ours, errors that do not pickle, and exits."""

    def __call__(self, partition: Partition) -> Receipt:
        """Raise, or not."""
        number = int(partition.id[1:])
        if number % 2:
            return Receipt(partition.id, partition.n_rows)
        error = _ERRORS[number // 2 % len(_ERRORS)]()
        raise error


class UnpicklableError(Exception):
    """Holds what pickle refuses and asks for what pickle does not give."""

    def __init__(self, first: str = "no", *, second: Any = None) -> None:
        super().__init__(first)
        self.second = second or (lambda: first)

    def __reduce__(self) -> NoReturn:
        raise TypeError("cannot be pickled")


class SilentError(Exception):
    """Cannot even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


_ERRORS: list[Callable[[], BaseException]] = [
    lambda: ValueError("plain"),
    lambda: FailedError("ours"),
    UnpicklableError,
    SilentError,
    lambda: SystemExit(3),
    lambda: ValueError("long " * 10_000),
]


@dataclass(frozen=True)
class Returning:
    """A stage that returns what it must not: no receipt, or one that does not pickle."""

    def __call__(self, partition: Partition) -> Any:
        """Return it."""
        if partition.id == "p000":
            return 7
        return Receipt(partition.id, uri=lambda: "")  # type: ignore[arg-type]  # the wrong type is the point


@dataclass(frozen=True)
class Deadly:
    """A stage that kills its process the first `n_deaths` times it meets the partition `victim`."""

    folder: Path
    victim: str
    n_deaths: int

    def __call__(self, partition: Partition) -> Receipt:
        """Die, or not."""
        record(self.folder, partition)
        if partition.id == self.victim and calls(self.folder)[self.victim] <= self.n_deaths:
            os.kill(os.getpid(), signal.SIGKILL)
        return Receipt(partition.id, partition.n_rows)


@dataclass(frozen=True)
class Waiting:
    """A stage that does its last partition only when somebody has released it."""

    folder: Path
    last: str

    def __call__(self, partition: Partition) -> Receipt:
        """Wait, if it is the last."""
        deadline = time.monotonic() + 12 * PATIENCE
        while partition.id == self.last and not (self.folder / RELEASE).exists():
            if time.monotonic() > deadline:
                return Receipt(partition.id, error="nobody has seen a receipt")
            time.sleep(0.02)
        return Receipt(partition.id, partition.n_rows)


@dataclass(frozen=True)
class ManyRows:
    """A stage as large as it is told, to see that its size does not matter."""

    data: bytes

    def __call__(self, partition: Partition) -> Receipt:
        """Count its own bytes."""
        return Receipt(partition.id, len(self.data))


def record(folder: Path, partition: Partition) -> None:
    """Leave a file that names the partition and this process."""
    (folder / f"{partition.id}~{os.getpid()}~{random.SystemRandom().getrandbits(64):x}").touch()


def calls(folder: Path) -> Counter[str]:
    """Partition -> how many calls are on record."""
    return Counter(path.name.partition("~")[0] for path in folder.iterdir())


def promise_every_partition_comes_back_once(factory: Factory) -> None:
    """Each partition is worked on once, and one receipt comes back for it, unchanged."""
    partitions = partitions_of(20)
    with _scene(factory) as (engine, folder):
        receipts = list(engine.map(Calls(folder), partitions, Resources()))
        assert dict.fromkeys([p.id for p in partitions], 1) == calls(folder)
    expected = [Receipt(p.id, p.n_rows, f"votes/{p.id}", faults=p.n_rows % 3) for p in partitions]
    assert expected == sorted(receipt._replace(host="") for receipt in receipts)


def promise_receipts_come_as_partitions_finish(factory: Factory) -> None:
    """A receipt does not wait for the other partitions: the last of them waits for the first receipt."""
    partitions = partitions_of(4)
    with _scene(factory) as (engine, folder):
        receipts = []
        for receipt in engine.map(Waiting(folder, "p003"), partitions, Resources()):
            (folder / RELEASE).touch()
            receipts.append(receipt)
    assert [(p.id, None) for p in partitions] == sorted((r.partition, r.error) for r in receipts)


def promise_partitions_may_come_one_by_one(factory: Factory) -> None:
    """Partitions may come from a generator, in any order."""
    partitions = partitions_of(9)
    random.Random(3).shuffle(partitions)
    with _scene(factory) as (engine, folder):
        receipts = list(engine.map(Calls(folder), iter(partitions), Resources()))
    assert sorted(p.id for p in partitions) == sorted(r.partition for r in receipts)


def promise_nothing_to_do_is_done(factory: Factory) -> None:
    """Without partitions there are no receipts."""
    with _scene(factory) as (engine, folder):
        assert list(engine.map(Calls(folder), [], Resources())) == []


def promise_an_engine_can_be_used_again(factory: Factory) -> None:
    """A second `map` does as well as the first, with another stage."""
    with _scene(factory) as (engine, folder):
        list(engine.map(Calls(folder), partitions_of(2), Resources()))
        receipts = list(engine.map(Raising(), partitions_of(2), Resources()))
    assert [r.error is None for r in sorted(receipts, key=lambda r: r.partition)] == [False, True]


def promise_errors_come_back_as_data(factory: Factory) -> None:
    """A stage that raises, whatever it raises, costs its own partition and no other."""
    partitions = partitions_of(2 * len(_ERRORS))
    with _scene(factory) as (engine, _):
        receipts = {r.partition: r for r in engine.map(Raising(), partitions, Resources())}
    assert len(partitions) == len(receipts)
    assert {p.id for p in partitions[1::2]} == {name for name, r in receipts.items() if r.error is None}
    assert not any(r.died for r in receipts.values())
    assert "ValueError: plain" in str(receipts["p000"].error)
    assert "ours" in str(receipts["p002"].error)
    assert "UnpicklableError: no" in str(receipts["p004"].error)
    assert max(len(r.error or "") for r in receipts.values()) < 10_000


def promise_what_cannot_travel_comes_back_as_an_error(factory: Factory) -> None:
    """A stage that returns no receipt is told so; one that does not pickle does no harm."""
    with _scene(factory) as (engine, _):
        receipts = sorted(engine.map(Returning(), partitions_of(2), Resources()), key=lambda r: r.partition)
    assert [r.partition for r in receipts] == ["p000", "p001"]
    assert "expected a Receipt" in str(receipts[0].error)


def promise_a_large_stage_travels(factory: Factory) -> None:
    """A stage of a few megabytes works like a small one."""
    with _scene(factory) as (engine, _):
        receipts = list(engine.map(ManyRows(bytes(3_000_000)), partitions_of(3), Resources()))
    assert [r.rows for r in receipts] == [3_000_000] * 3


def promise_closing_the_iterator_cancels(factory: Factory) -> None:
    """After the first receipt the iterator is closed: the rest is not begun, and no process stays."""
    with _scene(factory) as (engine, folder):
        with closing(engine.map(Calls(folder, seconds=0.05), partitions_of(100), Resources())) as receipts:
            next(receipts)
            started = time.monotonic()
        engine.close()
        assert time.monotonic() - started < PATIENCE
        n_calls = calls(folder).total()
        time.sleep(0.2)
        assert n_calls == calls(folder).total() < 100
        assert set() == _alive(folder)


def promise_nothing_stays_after_the_end(factory: Factory) -> None:
    """When all is done and the engine is closed, none of its processes lives."""
    with _scene(factory) as (engine, folder):
        list(engine.map(Calls(folder), partitions_of(4), Resources()))
        engine.close()
        assert set() == _alive(folder)


def promise_the_number_of_workers_is_limited(factory: Factory) -> None:
    """`need.workers` says how many processes work at most."""
    with _scene(factory) as (engine, folder):
        list(engine.map(Calls(folder, seconds=0.01), partitions_of(8), Resources(workers=1)))
        assert len(_processes(folder)) == 1


def promise_a_killed_worker_is_replaced(factory: Factory) -> None:
    """A partition that kills its worker twice and then behaves is done, and so are all others."""
    if not _isolates(factory):
        return
    with _scene(factory) as (engine, folder):
        receipts = list(engine.map(Deadly(folder, "p001", n_deaths=2), partitions_of(6), Resources()))
        assert calls(folder)["p001"] == 3
    assert [p.id for p in partitions_of(6)] == sorted(r.partition for r in receipts)
    assert [r.error for r in receipts] == [None] * 6
    assert {r.partition: r.retries for r in receipts if r.retries} == {"p001": 2}


def promise_a_deadly_partition_is_given_up(factory: Factory) -> None:
    """After three deaths a partition comes back with `died`, and all others are done."""
    if not _isolates(factory):
        return
    with _scene(factory) as (engine, folder):
        receipts = list(engine.map(Deadly(folder, "p001", n_deaths=99), partitions_of(6), Resources()))
        assert calls(folder)["p001"] == 3
    assert [p.id for p in partitions_of(6)] == sorted(r.partition for r in receipts)
    assert [(r.partition, r.died) for r in receipts if r.error is not None] == [("p001", True)]


@contextmanager
def _scene(factory: Factory) -> Iterator[tuple[Any, Path]]:
    engine = factory()
    with tempfile.TemporaryDirectory() as folder, closing(engine):
        yield engine, Path(folder)


def _isolates(factory: Factory) -> bool:
    return bool(getattr(factory(), "isolates", True))


def _processes(folder: Path) -> set[int]:
    return {int(path.name.split("~")[1]) for path in folder.iterdir()}


def _alive(folder: Path) -> set[int]:
    """Processes of the calls on record that live, without this one; asked until patience ends."""
    deadline = time.monotonic() + PATIENCE
    while alive := {pid for pid in _processes(folder) - {os.getpid()} if _is_alive(pid)}:
        if time.monotonic() > deadline:
            return alive
        time.sleep(0.05)
    return set()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


PROMISES: list[Promise] = [
    promise_every_partition_comes_back_once,
    promise_receipts_come_as_partitions_finish,
    promise_partitions_may_come_one_by_one,
    promise_nothing_to_do_is_done,
    promise_an_engine_can_be_used_again,
    promise_errors_come_back_as_data,
    promise_what_cannot_travel_comes_back_as_an_error,
    promise_a_large_stage_travels,
    promise_closing_the_iterator_cancels,
    promise_nothing_stays_after_the_end,
    promise_the_number_of_workers_is_limited,
    promise_a_killed_worker_is_replaced,
    promise_a_deadly_partition_is_given_up,
]
