from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from ray.exceptions import ActorUnschedulableError
from tests.engines.waiting import pids, until
from tests.local_ray import N_CORES

from labelmill.domain.partition import Partition, Receipt, Resources
from labelmill.engines import _pieces, _ray_crew
from labelmill.engines import ray as ray_engine
from labelmill.engines._versions import versions
from labelmill.engines.ray import Ray
from labelmill.errors import AnnotationError, UsageError
from labelmill.testing.engine import Calls, Deadly, calls, partitions_of


@pytest.mark.usefixtures("local_ray")
@pytest.mark.parametrize(
    "victims",
    [
        pytest.param(["child"], id="child", marks=pytest.mark.slow),
        pytest.param(["actor"], id="actor"),
        pytest.param(["actor", "child"], id="actor+child", marks=pytest.mark.slow),
        pytest.param(["conductor"], id="conductor"),
    ],
)
def test_a_killed_process_loses_nothing(tmp_path: Path, victims: list[str]) -> None:
    """Whatever is killed in the middle, each partition comes back once and done."""
    partitions = partitions_of(8)
    receipts = []

    for receipt in Ray().map(Calls(tmp_path, seconds=0.3), partitions, Resources()):
        receipts.append(receipt)
        if len(receipts) <= len(victims):
            _kill(victims[len(receipts) - 1], tmp_path)

    assert [(p.id, None) for p in partitions] == sorted((r.partition, r.error) for r in receipts)
    assert set(calls(tmp_path)) == {p.id for p in partitions}


@pytest.mark.usefixtures("local_ray")
def test_a_conductor_serves_one_map_after_the_other(tmp_path: Path) -> None:
    """It stays between two maps, and one that is lost in between is replaced; with the engine it goes."""
    seen = []

    with closing(Ray()) as engine:
        for _ in range(3):
            receipts = list(engine.map(Calls(tmp_path), partitions_of(3), Resources()))
            assert [None] * 3 == [receipt.error for receipt in receipts]
            seen.append({process.pid for process in _conductors()})
            if len(seen) == 2:
                os.kill(min(seen[1]), signal.SIGKILL)

    assert seen[0] == seen[1] != seen[2]
    assert {1} == {len(found) for found in seen}
    until(lambda: not _conductors())


def test_an_actor_of_ray_data_that_lost_its_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ended, and what is left is handed out again; what it cannot do without it says after three tries."""
    n_ended = []
    monkeypatch.setattr(_ray_crew, "_forget_the_coordinator", lambda: n_ended.append(1))
    handed_out: list[list[str]] = []

    def conduct(n_failures: int) -> None:
        conductor: Any = object.__new__(_ray_crew.Conductor)
        conductor._receipts, conductor._is_over = [], False

        def pool(partitions: list[Partition]) -> Iterator[None]:
            handed_out.append([partition.id for partition in partitions])
            for partition in partitions:
                conductor._receipts.append((partition.id, Receipt(partition.id)))
                yield
                if len(handed_out) <= n_failures:
                    raise ActorUnschedulableError("its machine is gone")

        conductor._pool = pool
        conductor._conduct(partitions_of(3))

    conduct(1)
    assert (handed_out, len(n_ended)) == ([["p000", "p001", "p002"], ["p001", "p002"]], 1)

    handed_out.clear()
    with pytest.raises(ActorUnschedulableError):
        conduct(3)
    assert [len(each) for each in handed_out] == [3, 2, 1]


@pytest.mark.usefixtures("local_ray")
def test_a_worker_keeps_its_child(tmp_path: Path) -> None:
    """The stage is opened once in each worker, however many partitions there are; receipts name the machine."""
    receipts = list(Ray().map(Calls(tmp_path), partitions_of(12), Resources()))

    assert {socket.gethostname()} == {receipt.host for receipt in receipts}
    assert len(pids(tmp_path)) <= N_CORES


@pytest.mark.usefixtures("local_ray")
def test_many_partitions_are_handed_out_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Partitions that share a way to their worker are as separate as others, also when one of them is deadly."""
    monkeypatch.setattr(_pieces, "PIECES_PER_WORKER", 2)
    partitions = partitions_of(30)

    receipts = list(Ray().map(Deadly(tmp_path, "p007", n_deaths=9), partitions, Resources()))

    assert [p.id for p in partitions] == sorted(receipt.partition for receipt in receipts)
    assert [("p007", True)] == [(r.partition, r.died) for r in receipts if r.error is not None]
    assert dict.fromkeys([p.id for p in partitions], 1) | {"p007": 3} == calls(tmp_path)


@pytest.mark.usefixtures("local_ray")
def test_workers_with_and_without_accelerator_run_side_by_side(tmp_path: Path) -> None:
    """Two maps with other needs work at the same time, and only those that asked see the accelerator."""
    cpu, gpu = Meeting(tmp_path, "cpu", "gpu"), Meeting(tmp_path, "gpu", "cpu")

    def mapped(stage: Meeting, need: Resources) -> list[Receipt]:
        return list(engine.map(stage, partitions_of(4), need))

    with closing(Ray()) as engine, ThreadPoolExecutor(2) as threads:
        without, with_one = threads.map(mapped, (cpu, gpu), (Resources(), Resources(gpus=1)))

    assert [None] * 8 == [receipt.error for receipt in [*without, *with_one]]
    assert {"0"} == {receipt.uri for receipt in with_one}
    assert "0" not in {receipt.uri for receipt in without}


@pytest.mark.slow
@pytest.mark.usefixtures("local_ray")
def test_workers_may_share_an_accelerator(tmp_path: Path) -> None:
    """Two workers that need half of it see the same one."""
    receipts = list(Ray().map(Meeting(tmp_path, "a", "a"), partitions_of(4), Resources(cpus=0.5, gpus=0.5)))

    assert {("0", None)} == {(receipt.uri, receipt.error) for receipt in receipts}


@pytest.mark.usefixtures("local_ray")
@pytest.mark.parametrize(
    ("need", "message"),
    [
        (Resources(gpus=2), "a worker needs 1 cores, 2 GPUs on one machine; .* at most 1 GPUs"),
        (Resources(cpus=64), f"a worker needs 64 cores on one machine; .* at most {N_CORES} cores"),
        (Resources(memory=10**15), "a worker needs 1 cores, 1e.15 bytes of memory on one machine"),
    ],
)
def test_a_need_that_no_machine_meets_is_an_error(tmp_path: Path, need: Resources, message: str) -> None:
    """Ray would wait for ever for such a machine; we say what is there."""
    with pytest.raises(AnnotationError, match=message):
        list(Ray().map(Calls(tmp_path), partitions_of(2), need))


@pytest.mark.usefixtures("local_ray")
def test_other_versions_on_a_worker_stop_the_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One error names the host, the library and both versions; nothing has run."""
    monkeypatch.setattr(ray_engine, "versions", lambda *more: versions(*more) | {"polars": "0.1"})
    polars = versions()["polars"]
    expected = f"the worker on {socket.gethostname()} has polars {polars} and the driver has polars 0.1: install"

    with pytest.raises(AnnotationError, match=re.escape(expected)):
        list(Ray().map(Calls(tmp_path), partitions_of(9), Resources()))

    assert calls(tmp_path).total() == 0


@pytest.mark.usefixtures("local_ray")
def test_workers_that_cannot_start_end_the_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If children die before they can work the map ends with an error and does not try for ever."""
    (tmp_path / "dead_on_arrival.py").write_text(
        f"import os\nif os.getpid() != {os.getpid()}: os._exit(7)\nclass Stage: pass"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    stage = __import__("dead_on_arrival").Stage()

    with pytest.raises(AnnotationError, match="3 worker processes died before they could work \\(exit status 7\\)"):
        list(Ray().map(stage, partitions_of(9), Resources()))


@pytest.mark.usefixtures("local_ray")
def test_closing_the_engine_ends_a_map_of_another_thread(tmp_path: Path) -> None:
    """The iterator ends, and so does the stage at work; the cluster it was lent goes on."""
    import ray

    engine = Ray()
    with ThreadPoolExecutor(1) as threads:
        mapping = threads.submit(lambda: list(engine.map(Calls(tmp_path, seconds=60), partitions_of(2), Resources())))
        until(lambda: any(tmp_path.iterdir()))
        engine.close()

        assert mapping.result(timeout=10) == []

    until(lambda: not any(map(psutil.pid_exists, pids(tmp_path))), seconds=5)
    assert ray.is_initialized()


@pytest.mark.usefixtures("local_ray")
def test_a_second_cluster_is_refused(tmp_path: Path) -> None:
    """A process is connected to one cluster; which one is said."""
    with pytest.raises(UsageError, match=r"is connected to the Ray cluster at .* and cannot join ray://nowhere:10001"):
        list(Ray("ray://nowhere:10001").map(Calls(tmp_path), partitions_of(1), Resources()))


def test_zero_workers_are_refused(tmp_path: Path) -> None:
    """There is at least one worker."""
    with pytest.raises(UsageError, match="must be 1 or more, found 0"):
        list(Ray(workers=0).map(Calls(tmp_path), partitions_of(1), Resources()))


def test_without_ray_the_message_says_what_to_install() -> None:
    """Whoever asks for the engine without the library gets the line to type."""
    program = "import sys; sys.modules['ray'] = None\nfrom labelmill import registry\nregistry.find('engine', 'ray')"

    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)

    assert "MissingDependencyError: the engine 'ray' needs 'ray', which is not installed" in shown.stderr
    assert shown.stderr.rstrip().endswith("pip install 'labelmill[ray]'")


@dataclass(frozen=True)
class Meeting:
    """A stage that goes on when its counterpart is at work too; its receipt says which accelerators it sees."""

    folder: Path
    me: str
    other: str

    def __call__(self, partition: Partition) -> Receipt:
        """Meet."""
        (self.folder / f"{self.me} {os.getpid()}").touch()
        deadline = time.monotonic() + 60
        while not self._others():
            if time.monotonic() > deadline:
                return Receipt(partition.id, error=f"{self.other} did not come")
            time.sleep(0.05)
        return Receipt(partition.id, uri=os.environ.get("CUDA_VISIBLE_DEVICES", ""))  # noqa: TID251 -- what Ray sets

    def _others(self) -> set[str]:
        names = {path.name for path in self.folder.glob(f"{self.other} *")}
        return names - {f"{self.me} {os.getpid()}"}


def _kill(victim: str, folder: Path) -> None:
    """Kill a process that is at work: a child, the actor that keeps one, or the conductor."""
    if victim == "conductor":
        chosen = _conductors()
        assert chosen
    else:
        children = [psutil.Process(pid) for pid in pids(folder) if psutil.pid_exists(pid)]
        chosen = children[:1] if victim == "child" else [p for p in [children[0].parent()] if p is not None]
    for process in chosen:
        os.kill(process.pid, signal.SIGKILL)


def _conductors() -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if _is_conductor(p) and os.getpid() in _ancestors(p)]


def _is_conductor(process: psutil.Process) -> bool:
    return "".join(process.info["cmdline"] or []).startswith("ray::Conductor")


def _ancestors(process: psutil.Process) -> Iterable[int]:
    return {parent.pid for parent in process.parents()}
