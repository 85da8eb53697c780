"""What the cost model needs to know, measured on this machine with the real parts of labelmill."""

from __future__ import annotations

import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import over_rows
import scale
from cost_model import Driver, Work
from labelmill import LFs
from labelmill.domain.partition import Partition, Receipt, Resources
from labelmill.pipeline._engines import open_engine
from labelmill.stores import item_set
from labelmill.stores.lake import Lake

FEW = 2_000
"""Items of a project that takes no time once the engine is up."""

USUAL = 68_000
"""Rows at which a lake cuts the texts of these benchmarks: eight million bytes."""

NAMED = 1_000
"""Partitions of one row, to see what a partition costs the driver."""

IMPORT = (
    "from labelmill.stores import item_set\nitem_set.FILE_ROWS = {rows}\nfrom labelmill.cli.main import main\nmain()"
)


class Nothing:
    """A stage without work: what is left is the engine's."""

    def __call__(self, partition: Partition) -> Receipt:
        """A receipt at once."""
        return Receipt(partition.id, partition.n_rows, seconds=0.0)


def project(root: Path, n_items: int, rows: int, lake: str = "", env: Mapping[str, str] | None = None) -> Path:
    """A project whose items are cut into partitions of so many rows at most."""
    folder = root / f"project-{n_items}-{rows}" / "project"
    folder.mkdir(parents=True)
    (folder / "labelmill.toml").write_text(f'{scale.PROJECT}[storage]\nlake = "{lake}"\n')
    (folder / "rules.py").write_text(scale.RULES)
    source = folder.parent / "items.parquet"
    scale.make_items(source, n_items)
    command = [sys.executable, "-c", IMPORT.format(rows=rows), "import", str(source), "--project", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **(env or {})})
    source.unlink()
    return folder


def wall(folder: Path, engine: str, workers: int) -> tuple[float, list[float]]:
    """Seconds of `annotate` by the clock, and between one published partition and the next."""
    with scale.copied(folder) as copy:
        words = ["annotate", "--engine", engine, "--workers", str(workers), "--project", str(copy)]
        started = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "labelmill.cli.main", *words],
            check=True,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYSPARK_PYTHON": sys.executable, "RAY_ADDRESS": "local"},
        )
        seconds = time.monotonic() - started
        written = sorted(path.stat().st_mtime for path in copy.glob(".labelmill/votes/*/*.parquet"))
    return seconds, list(np.diff(written))


def work(folder: Path, repeats: int) -> Work:
    """Of one worker that has a core of its own."""
    gaps = [gap for _ in range(repeats) for gap in wall(folder, "processes", 1)[1]]
    lake = Lake(folder / ".labelmill")
    partitions = lake.item_partitions()[:-1]  # the last is smaller
    rows = statistics.mean(partition.n_rows for partition in partitions)
    read, annotate, write = _parts(lake, partitions[:10])
    sizes = [path.stat().st_size for path in (folder / ".labelmill" / "items").glob("*.parquet")]
    typical = statistics.median(gaps)
    return Work(
        rows=rows,
        row_bytes=sum(sizes) / lake.n_items,
        read=read / rows,
        annotate=annotate / rows,
        write=write / rows,
        partition=max(0.0, typical - read - annotate - write),
        spread=float(np.std(np.log(gaps))),
    )


def _parts(lake: Lake, partitions: Sequence[Partition]) -> tuple[float, float, float]:
    """Seconds to read, annotate and write a partition, medians, in a process with one thread."""
    with multiprocessing.get_context("spawn").Pool(1, _one_thread) as pool:
        times = pool.map(_part, [(lake.uri, partition) for partition in partitions])
    read, annotate, write = (statistics.median(column) for column in zip(*times, strict=True))
    return read, annotate, write


def _one_thread() -> None:
    os.environ["POLARS_MAX_THREADS"] = "1"


def _part(given: tuple[str, Partition]) -> tuple[float, float, float]:
    uri, partition = given
    lfs = _rules()
    started = time.perf_counter()
    frame = Lake(uri).read_items(partition).frame
    was_read = time.perf_counter()
    matrix = lfs.apply(frame.rename({"data": "text"}), classes=over_rows.CLASSES).matrix
    annotated = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        votes = pl.DataFrame({name: matrix[:, j].astype("int16") for j, name in enumerate(over_rows.NAMES)})
        started_writing = time.perf_counter()
        Lake(folder).publish_votes("d", partition.id, votes, [])
        written = time.perf_counter()
    return was_read - started, annotated - was_read, written - started_writing


def _rules() -> LFs:
    space: dict[str, Any] = {}
    exec(scale.RULES, space)  # noqa: S102 -- our own text
    for name in over_rows.NAMES:
        space[name].name = name
    return LFs([space[name] for name in over_rows.NAMES])


def slowdown(folder: Path, cores: int, rounds: int = 5) -> float:
    """How much longer the rules take when every core runs them; the least disturbed of some rounds."""
    lake = Lake(folder / ".labelmill")
    given = [(lake.uri, partition) for partition in lake.item_partitions()[:20]]
    with multiprocessing.get_context("spawn").Pool(cores, _one_thread) as pool:
        pool.map(_part, given[:1] * cores, chunksize=1)  # every process has imported what it needs
        alone, together = [], []
        for _ in range(rounds):
            alone.append(_clocked(lambda: pool.map(_part, given, chunksize=len(given))))
            together.append(_clocked(lambda: pool.map(_part, given * cores, chunksize=len(given))))
    return max(1.0, min(together) / min(alone))


def _clocked(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def driver(few: Path, engine: str, n: int = 1_000) -> Driver:
    """Of an engine on this machine."""
    start = statistics.median(wall(few, engine, 1)[0] for _ in range(3))
    first, receipt = _receipts(engine, n)
    return Driver(start=max(0.0, start - first), worker_start=first, receipt=receipt, **_entries())


def _receipts(engine: str, n: int) -> tuple[float, float]:
    """Seconds until the first receipt, and of the driver's own CPU for each one after."""
    command = [sys.executable, str(Path(__file__)), engine, str(n)]
    env = {**os.environ, "PYSPARK_PYTHON": sys.executable, "RAY_ADDRESS": "local"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=env)
    first, receipt = json.loads(done.stdout.splitlines()[-1])
    return first, receipt


def _entries() -> dict[str, float]:
    """What one more partition costs the driver's plan, manifest and memory."""
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(folder)
        kept, item_set.FILE_ROWS = item_set.FILE_ROWS, 1  # type: ignore[misc]
        try:
            with lake.append_items(source="s") as appender:
                appender.write(pl.DataFrame({"id": [f"t{i}" for i in range(NAMED)], "data": ["text"] * NAMED}))
        finally:
            item_set.FILE_ROWS = kept  # type: ignore[misc]
        tracemalloc.start()
        partitions = lake.item_partitions()
        receipts = [Receipt(p.id, 1, f"votes/d/{p.id}.parquet", 1.0, host="host") for p in partitions]
        memory = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        one = pl.DataFrame({name: pl.Series([-1], dtype=pl.Int16) for name in over_rows.NAMES})
        for receipt in receipts:
            lake.publish_votes("d", receipt.partition, one, [])
        annotators = {name: {"fingerprint": "f" * 81, "kind": "rule"} for name in over_rows.NAMES}
        plan = _seconds(lambda: (Lake(folder).item_partitions(), Lake(folder).done_partitions("d")))
        seal = _seconds(lambda: lake.seal_votes("d", annotators, partitions))
        manifests = [*Path(folder).glob("items/manifest.json"), *Path(folder).glob("votes/d/manifest.json")]
        size = sum(path.stat().st_size for path in manifests)
    return {
        "plan": plan / NAMED,
        "seal": seal / NAMED,
        "manifest_bytes": size / NAMED,
        "memory_bytes": memory / NAMED,
    }


def requests(root: Path) -> float:
    """How often one more partition asks an object store."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tests.trials.object_store import object_store

    counts = {}
    with object_store(root, "127.0.0.1") as store:
        for n in (2, 6):
            folder = project(root, n * USUAL, USUAL, store.shelf().uri, store.env)
            before = _lines(root / "moto.log")
            _annotate(folder, store.env)
            counts[n] = _lines(root / "moto.log") - before
    return (counts[6] - counts[2]) / 4


def _lines(log: Path) -> int:
    """One for each request."""
    return log.read_bytes().count(b"\n")


def _annotate(folder: Path, env: Mapping[str, str]) -> None:
    command = [
        sys.executable,
        "-m",
        "labelmill.cli.main",
        "annotate",
        "--engine",
        "processes",
        "--project",
        str(folder),
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **env})


def _seconds(call: Callable[[], object]) -> float:
    return statistics.median(_clocked(call) for _ in range(3))


def main(engine: str, n: int) -> None:
    """Print the seconds until the first receipt and the driver's CPU for a receipt, as JSON."""
    from measuring import Nothing as Stage  # by its module's name, which workers can import

    partitions = [Partition(f"p{i}", "items", i, i + 1) for i in range(n)]
    opened = open_engine(engine, workers=2)
    started, first, cpu = time.perf_counter(), 0.0, 0.0
    with closing(opened):
        for i, _ in enumerate(opened.map(Stage(), partitions, Resources())):
            if i == 0:
                first, cpu = time.perf_counter() - started, time.process_time()
        cpu = time.process_time() - cpu
    print(json.dumps([first, cpu / (n - 1)]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
