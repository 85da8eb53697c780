from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from labelmill.domain.partition import Partition, Receipt, Resources
from labelmill.engines.processes import Processes
from labelmill.errors import AnnotationError, UsageError
from labelmill.testing.engine import Calls, Deadly, calls, partitions_of

# A user's script as a newcomer writes it: no `if __name__ == "__main__"`.
SCRIPT = """
import sys
from pathlib import Path
from labelmill.domain.partition import Resources
from labelmill.engines.processes import Processes
from labelmill.testing.engine import Calls, partitions_of

print("begun")
stage = Calls(Path(sys.argv[1]), float(sys.argv[2]))
for receipt in Processes().map(stage, partitions_of(int(sys.argv[3])), Resources(workers=2)):
    print(receipt.partition, receipt.error, flush=True)
print("ended")
"""

# The same with a stage that holds the interpreter's lock, so that no other thread of its worker has a turn.
RUNAWAY = SCRIPT.replace("stage = Calls", "from pickled import Runaway as Calls\nstage = Calls")
PICKLED = """
import re
from labelmill.testing.engine import record

class Runaway:
    def __init__(self, folder, seconds):
        self.folder = folder
    def __call__(self, partition):
        record(self.folder, partition)
        re.match(r"(a+)+$", "a" * 60 + "b")
"""


def test_a_script_needs_no_main_guard(tmp_path: Path) -> None:
    """A script that maps at its top level runs once, and its work is done."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)

    shown = subprocess.run(
        [sys.executable, script, _folder(tmp_path), "0", "3"], capture_output=True, text=True, check=True, timeout=60
    )

    assert sorted(shown.stdout.splitlines()) == ["begun", "ended", "p000 None", "p001 None", "p002 None"]
    assert shown.stderr == ""


def test_a_script_may_come_from_standard_input(tmp_path: Path) -> None:
    """A program without a file, as in a notebook, works as well."""
    shown = subprocess.run(
        [sys.executable, "-", _folder(tmp_path), "0", "3"],
        input=SCRIPT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert sorted(shown.stdout.splitlines()) == ["begun", "ended", "p000 None", "p001 None", "p002 None"]


def test_a_module_beside_the_caller_shadows_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the user's called like one of Python's own does not reach the workers."""
    (tmp_path / "socket.py").write_text("raise RuntimeError('not this one')")
    monkeypatch.chdir(tmp_path)

    receipts = list(Processes().map(Calls(Path(_folder(tmp_path))), partitions_of(1), Resources()))

    assert [receipt.error for receipt in receipts] == [None]


@pytest.mark.parametrize("script", [SCRIPT, RUNAWAY], ids=["sleeping", "runaway"])
def test_ctrl_c_stops_everything_soon(tmp_path: Path, script: str) -> None:
    """Ctrl-C ends the driver by KeyboardInterrupt within three seconds, and its workers with it."""
    driver, folder = _started(tmp_path, script)

    began = time.monotonic()
    os.killpg(driver.pid, signal.SIGINT)
    _, error = driver.communicate(timeout=20)

    assert time.monotonic() - began < 3
    assert driver.returncode == -signal.SIGINT
    assert error.count("KeyboardInterrupt") == 1
    assert _survivors(folder) == set()


@pytest.mark.parametrize("script", [SCRIPT, RUNAWAY], ids=["sleeping", "runaway"])
def test_a_killed_driver_leaves_no_workers(tmp_path: Path, script: str) -> None:
    """When the driver is killed outright its workers end by themselves within three seconds."""
    driver, folder = _started(tmp_path, script)

    driver.kill()
    driver.communicate()

    assert _survivors(folder) == set()


def test_closing_interrupts_stages_at_work(tmp_path: Path) -> None:
    """A stage in the middle of its work is interrupted in a way that lets it tidy up."""
    folder = tmp_path / "calls"
    folder.mkdir()
    engine = Processes()

    with closing(engine.map(Tidy(folder), partitions_of(2), Resources(workers=2))) as receipts:
        assert next(receipts).partition == "p000"
        _until((folder / "p001 begun").exists)
        began = time.monotonic()

    assert time.monotonic() - began < 2.5
    assert (folder / "p001 tidied").exists()


def test_there_are_no_more_workers_than_partitions(tmp_path: Path) -> None:
    """One partition starts one worker, however many there may be."""
    folder = Path(_folder(tmp_path))

    list(Processes(workers=8).map(Calls(folder), partitions_of(1), Resources()))

    assert calls(folder).total() == 1


def test_a_worker_uses_one_thread_a_core() -> None:
    """Libraries in a worker are told how many threads they may use before they are imported."""
    partitions = partitions_of(1)

    single = list(Processes().map(CountThreads(), partitions, Resources()))
    double = list(Processes().map(CountThreads(), partitions, Resources(cpus=2)))

    assert [single[0].rows, double[0].rows] == [1, 2]


def test_only_the_dead_workers_partition_is_done_again(tmp_path: Path) -> None:
    """A death costs nobody else's work."""
    folder = Path(_folder(tmp_path))

    list(Processes(workers=2).map(Deadly(folder, "p002", n_deaths=1), partitions_of(6), Resources()))

    assert dict(calls(folder)) == {p.id: 2 if p.id == "p002" else 1 for p in partitions_of(6)}


def test_a_deadly_partition_is_explained(tmp_path: Path) -> None:
    """The receipt says how the workers died."""
    folder = Path(_folder(tmp_path))

    receipts = list(Processes().map(Deadly(folder, "p000", n_deaths=9), partitions_of(1), Resources()))

    assert receipts == [
        Receipt(
            "p000",
            error="it cost 3 worker processes, the last one killed by SIGKILL, perhaps for want of memory",
            died=True,
            retries=3,
        )
    ]


def test_a_stage_that_cannot_travel_is_refused() -> None:
    """A stage defined inside a function is refused before a worker starts, with a way out."""
    with pytest.raises(UsageError, match=r"define it at the top of a module .* or use the engine 'serial'"):
        list(Processes().map(lambda partition: Receipt(partition.id), partitions_of(1), Resources()))


def test_a_stage_of_the_main_script_is_explained(tmp_path: Path) -> None:
    """A stage defined in the script itself cannot be opened elsewhere; the receipt says what to do."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("print(", "Here = type('Here', (Calls,), {})\nCalls = Here\nprint(", 1))

    shown = subprocess.run(
        [sys.executable, script, _folder(tmp_path), "0", "1"], capture_output=True, text=True, check=True, timeout=60
    )

    assert re.search("p000 the work cannot be opened in a worker process: .*__main__.*'serial'", shown.stdout)


def test_workers_that_cannot_start_end_the_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If workers die before they can work, the map ends with an error and does not try for ever."""
    module = tmp_path / "deadly_module.py"
    module.write_text("import os\nif os.getpid() != int(os.environ['DRIVER']): os._exit(7)\nclass Stage: pass")
    monkeypatch.setenv("DRIVER", str(os.getpid()))
    monkeypatch.syspath_prepend(str(tmp_path))
    stage = __import__("deadly_module").Stage()

    with pytest.raises(AnnotationError, match="3 worker processes died before they could work \\(exit status 7\\)"):
        list(Processes(workers=2).map(stage, partitions_of(9), Resources()))


def test_zero_workers_are_refused() -> None:
    """There is at least one worker."""
    with pytest.raises(UsageError, match="must be 1 or more, found 0"):
        list(Processes().map(CountThreads(), partitions_of(1), Resources(workers=0)))


def test_what_a_stage_prints_is_not_lost(tmp_path: Path) -> None:
    """Prints in a worker reach the driver's standard output, also when it is no terminal."""
    (tmp_path / "prints.py").write_text("class Calls:\n    def __init__(self, *a): pass\n    __call__ = print")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("print(", "from prints import Calls\nprint(", 1))

    shown = subprocess.run(
        [sys.executable, script, _folder(tmp_path), "0", "1"], capture_output=True, text=True, check=True, timeout=60
    )

    assert "Partition(id='p000'" in shown.stdout


@dataclass(frozen=True)
class Tidy:
    """Finishes the first partition; on any other it waits to be interrupted, and then tidies up."""

    folder: Path

    def __call__(self, partition: Partition) -> Receipt:
        """Finish, or wait."""
        if partition.id == "p000":
            return Receipt(partition.id)
        (self.folder / f"{partition.id} begun").touch()
        try:
            time.sleep(60)
        finally:
            (self.folder / f"{partition.id} tidied").touch()
        return Receipt(partition.id)


@dataclass(frozen=True)
class CountThreads:
    """Says how many threads polars uses."""

    def __call__(self, partition: Partition) -> Receipt:
        """Count."""
        import polars as pl

        return Receipt(partition.id, pl.thread_pool_size())


def _folder(tmp_path: Path) -> str:
    (tmp_path / "calls").mkdir(exist_ok=True)
    return str(tmp_path / "calls")


def _started(tmp_path: Path, script: str) -> tuple[subprocess.Popen[str], Path]:
    """A driver in a process group of its own, as a shell starts it, whose two workers are at work."""
    (tmp_path / "script.py").write_text(script)
    (tmp_path / "pickled.py").write_text(PICKLED)
    folder = Path(_folder(tmp_path))
    driver = subprocess.Popen(
        [sys.executable, tmp_path / "script.py", folder, "60", "4"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    _until(lambda: len(list(folder.iterdir())) == 2)
    return driver, folder


def _survivors(folder: Path) -> set[int]:
    """Workers that live three seconds later."""
    pids = {int(path.name.split("~")[1]) for path in folder.iterdir()}
    deadline = time.monotonic() + 3
    while alive := {pid for pid in pids if _is_running(pid)}:
        if time.monotonic() > deadline:
            for pid in alive:
                os.kill(pid, signal.SIGKILL)
            return alive
        time.sleep(0.02)
    return set()


def _is_running(pid: int) -> bool:
    """False for a process that has ended, whether or not somebody has asked for its exit status."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
