from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from labelmill.domain.partition import Partition, Receipt, Resources
from labelmill.domain.ports import Stage
from labelmill.errors import AnnotationError
from labelmill.pipeline._stage_run import Tally, receipts_of, run_stage, side_by_side
from labelmill.pipeline.mill import Mill

PARTITIONS = [Partition(f"p{i}", "items/none.parquet", 0, 10) for i in range(8)]


@pytest.fixture
def mill(tmp_path: Path) -> Mill:
    """An empty project."""
    (tmp_path / "labelmill.toml").write_text('[schema]\nclasses = ["ham", "spam"]\n')
    return Mill.open(tmp_path)


class Scripted:
    """An engine that answers from a script: partition -> error."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        self.asked: list[str] = []

    def map(self, stage: Stage, partitions: Iterable[Partition], need: Resources) -> Iterator[Receipt]:
        """What the script says."""
        for partition in partitions:
            self.asked.append(partition.id)
            error = self.errors.get(partition.id)
            yield Receipt(partition.id, 0 if error else 10, error=error, retries=1, timings=(("a", 0.5),), host="h")

    def close(self) -> None:
        """Nothing to let go of."""


def stage(partition: Partition) -> Receipt:
    return Receipt(partition.id)


def test_partitions_that_all_fail_alike(mill: Mill) -> None:
    """After three, the run ends with the one reason; the rest is not tried."""
    engine = Scripted({partition.id: "the lake is not here" for partition in PARTITIONS})

    with pytest.raises(AnnotationError, match=r"the first 3 of 8 .* the lake is not here"):
        list(receipts_of(mill, stage, PARTITIONS, engine, Resources(), digest="d"))

    assert engine.asked == ["p0", "p1", "p2"]


def test_partitions_that_fail_among_others(mill: Mill) -> None:
    """The others are finished, and the number of the failed ones is told."""
    engine = Scripted({"p0": "no", "p1": "no", "p3": "no"})

    with pytest.raises(AnnotationError, match="3 of 8 partitions could not be finished: no"):
        list(receipts_of(mill, stage, PARTITIONS, engine, Resources(), digest="d"))

    assert len(engine.asked) == 8


def test_progress_has_the_detail(mill: Mill) -> None:
    """Who watches is told of partitions, hosts and the annotators' shares of the time."""
    told: list[tuple[int, int, object]] = []

    def progress(done: int, total: int, detail: object = None, /) -> None:
        told.append((done, total, detail))

    run_stage(mill, stage, PARTITIONS[:2], Scripted({}), Resources(), digest="d", progress=progress)

    assert told[-1] == (
        20,
        20,
        {
            "partitions": {"done": 2, "total": 2, "failed": 0, "retried": 2},
            "faults": 0,
            "hosts": {"h": 2},
            "shares": {"a": 1.0},
        },
    )


def test_a_partition_that_fails_and_then_does_not() -> None:
    """Only what is wrong at the end counts as failed."""
    tally = Tally(10, 1)

    tally.add(Receipt("p", error="it died", died=True))
    failed_then = tally.detail()["partitions"]["failed"]
    tally.add(Receipt("p", 10))

    assert (failed_then, tally.detail()["partitions"]["failed"], tally.n_rows) == (1, 0, 10)


def test_lanes_run_side_by_side() -> None:
    """Two lanes that wait for each other both come to their end."""
    meeting = threading.Barrier(2, timeout=10)

    def lane(name: str) -> Iterator[str]:
        meeting.wait()
        yield name

    assert {"a", "b"} == set(side_by_side([lane("a"), lane("b")], lambda: None))


def test_an_error_in_one_lane_lets_the_other_finish() -> None:
    """It is raised when all is done that could be."""

    def good() -> Iterator[int]:
        yield from range(100)

    def bad() -> Iterator[int]:
        yield -1
        raise AnnotationError("bad lane")

    lanes = side_by_side([good(), bad()], lambda: None)
    seen = [next(lanes) for _ in range(101)]

    with pytest.raises(AnnotationError, match="bad lane"):
        next(lanes)
    assert sorted(seen) == [-1, *range(100)]


def test_leaving_early_stops_the_lanes() -> None:
    """Who stops looking lets go of what the lanes wait for."""
    stopped = threading.Event()

    def waiting() -> Iterator[int]:
        yield 1
        stopped.wait(10)

    lanes = side_by_side([waiting(), waiting()], stopped.set)
    assert next(lanes) == 1
    lanes.close()  # type: ignore[attr-defined]  # a generator

    assert stopped.is_set()
