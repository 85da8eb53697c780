"""CPU seconds and memory of a command with everything it starts, daemons included.

Where this user may make a control group, the kernel counts; otherwise the process tree is asked every 50 ms, which
misses what a process used after it was last seen, and daemons that left the tree.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

PERIOD = 0.05
"""Seconds between two looks at the memory."""

_numbers = itertools.count()


class Metered(NamedTuple):
    """What a command took: seconds of CPU and of the clock; MB of proportional set size at their peaks."""

    cpu: float
    wall: float
    peak: float
    worker: float
    n_processes: int


def metered(command: Sequence[str], *, env: Mapping[str, str] | None = None, log: Path | None = None) -> Metered:
    """Run a command to its end, and end what it leaves behind.

    `worker` is the peak of one worker: the process that runs labelmill's stages with the engine's own process that
    holds it, where there is one; NaN where there is none.
    """
    with _group() as group, (log or Path(os.devnull)).open("ab") as out:
        started = time.monotonic()
        process = subprocess.Popen(
            [*group.prefix, *command], stdout=out, stderr=out, env={**os.environ, **(env or {})}, start_new_session=True
        )
        peak, worker, most = 0.0, float("nan"), 0
        while process.poll() is None:
            pids = group.pids(process.pid)
            sizes = {pid: _pss(pid) for pid in pids}
            peak, most = max(peak, sum(sizes.values())), max(most, len(pids))
            worker = max([worker, *_workers(process.pid, sizes)], key=lambda size: (size == size, size))
            time.sleep(PERIOD)
        wall = time.monotonic() - started
        group.empty(process.pid)
        cpu = group.cpu()
    if process.returncode != 0:
        told = log.read_text(errors="replace")[-3000:] if log else ""
        sys.exit(f"failed with {process.returncode}: {' '.join(map(str, command))}\n{told}")
    return Metered(cpu, wall, peak, worker, most)


class _Group(NamedTuple):
    """How to count: a command's prefix that puts it in, who is in, how much CPU they took."""

    prefix: list[str]
    pids: Callable[[int], list[int]]
    cpu: Callable[[], float]

    def empty(self, root: int) -> None:
        """End whoever is left."""
        deadline = time.monotonic() + 10
        while (left := [pid for pid in self.pids(root) if pid != root]) and time.monotonic() < deadline:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(PERIOD)


@contextlib.contextmanager
def _group() -> Iterator[_Group]:
    for root, read in ((Path("/sys/fs/cgroup/cpuacct"), _usage_1), (Path("/sys/fs/cgroup"), _usage_2)):
        folder = root / f"labelmill-{os.getpid()}-{next(_numbers)}"
        try:
            folder.mkdir()
            read(folder)
        except OSError:
            with contextlib.suppress(OSError):
                folder.rmdir()
            continue
        try:
            yield _by_kernel(folder, read)
        finally:
            with contextlib.suppress(OSError):
                folder.rmdir()
        return
    yield _by_asking()


def _by_kernel(folder: Path, read: Callable[[Path], float]) -> _Group:
    procs = folder / "cgroup.procs"
    prefix = ["sh", "-c", f'echo $$ > {procs}; exec "$@"', "sh"]
    return _Group(prefix, lambda _: [int(pid) for pid in procs.read_text().split()], lambda: read(folder))


def _by_asking() -> _Group:
    times: dict[tuple[int, float], float] = {}

    def pids(root: int) -> list[int]:
        try:
            there = [psutil.Process(root), *psutil.Process(root).children(recursive=True)]
        except psutil.Error:
            return []
        for process in there:
            with contextlib.suppress(psutil.Error):
                times[process.pid, process.create_time()] = sum(process.cpu_times()[:2])
        return [process.pid for process in there]

    return _Group([], pids, lambda: sum(times.values()))


def _usage_1(folder: Path) -> float:
    return int((folder / "cpuacct.usage").read_text()) / 1e9


def _usage_2(folder: Path) -> float:
    words = (folder / "cpu.stat").read_text().split()
    return int(words[words.index("usage_usec") + 1]) / 1e6


def _workers(driver: int, sizes: Mapping[int, float]) -> Iterator[float]:
    for pid, size in sizes.items():
        with contextlib.suppress(OSError):
            if b"labelmill.engines._worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
                yield size + (sizes.get(parent, 0.0) if parent != driver else 0.0)


def _pss(pid: int) -> float:
    """In MB."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0
