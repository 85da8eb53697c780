"""Ten rules on every engine, and by engines that move rows: CPU seconds of everything that a command starts.

    python benchmarks/engines.py [--rows 2000000] [--snorkel-rows 50000] [--repeats 3] [--only processes,ray]

Every contestant reads the same Parquet files and writes the same votes, which is checked on every item. Each runs
twice: on a few items, which is what it takes to start, and on all; the difference is the price of a row once started.
Snorkel, in an environment of its own under the cache folder, gets fewer rows; its price a row does not depend on it.
Ray and Spark start for each run on this machine, with as many workers as labelmill's own processes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import NamedTuple

import polars as pl

import measuring
import over_rows
import scale
from metering import Metered, metered

PEER = [
    "snorkel==0.10.0",
    "pandas<2.3",
    "numpy<2",
    "dask[dataframe,distributed]==2023.12.1",
    "pyspark==3.5.*",
    "pyarrow<20",
    "setuptools",
]
FEW = 2_000
"""Rows of the run that shows the start alone, in eight partitions, so that every worker starts."""

OURS = {"processes": "processes", "ray": "ray", "spark": "local[{cores}]"}
"""Engine of labelmill -> what `--engine` takes."""

THEIRS = {
    "ray_data": "Ray Data `map_batches`, labelmill's rules",
    "spark_arrow": "Spark `mapInArrow`, labelmill's rules",
    "snorkel_parallel": "Snorkel `PandasParallelLFApplier`",
    "snorkel_spark": "Snorkel `SparkLFApplier`",
}


COLUMNS = (
    "| | rows | CPU s | of which start | CPU µs a row once started | to `processes` | wall s | worker, MB | all, MB |",
    "|---|---|---|---|---|---|---|---|---|",
)


class Row(NamedTuple):
    """One contestant: what it took on a few rows and on all of its rows."""

    name: str
    rows: int
    few: Metered
    all: Metered

    @property
    def price(self) -> float:
        """Microseconds of CPU for one more row, once started."""
        return (self.all.cpu - self.few.cpu) / (self.rows - FEW) * 1e6


LONG = ["--rows", "20000000", "--repeats", "1", "--only", "processes,ray,spark,ray_data,spark_arrow"]
"""The second table: ten times the rows, once."""


def report(*arguments: str) -> str:
    """The table that is asked for, as Markdown; the usual two without arguments."""
    tables = [list(arguments)] if arguments else [[], LONG]
    return "\n\n".join(table(options(asked)) for asked in tables)


def table(asked: argparse.Namespace) -> str:
    """One table with its verdict."""
    with tempfile.TemporaryDirectory(prefix="labelmill-engines-") as scratch:
        rows = Arena(Path(scratch) / "arena", asked).rows(asked.only or [*OURS, *THEIRS])
    return "\n".join([*heading(asked), *(line(row, rows) for row in rows), *verdict(rows)])


class Arena:
    """Two projects, of a few and of all items, and the votes that everybody must give."""

    def __init__(self, root: Path, asked: argparse.Namespace) -> None:
        self.root, self.asked = root, asked
        root.mkdir()
        self.projects = {
            n: measuring.project(root, n, FEW // 8 if n == FEW else measuring.USUAL)
            for n in {FEW, asked.snorkel_rows, asked.rows}
        }
        self.expected: dict[int, tuple[int, ...]] = {}

    def rows(self, names: list[str]) -> list[Row]:
        """Medians; all run in turn, so that what else the machine does hits all alike."""
        few: dict[str, list[Metered]] = {name: [] for name in names}
        all_: dict[str, list[Metered]] = {name: [] for name in names}
        for _ in range(self.asked.repeats):
            for name in names:
                few[name].append(self._run(name, FEW))
                all_[name].append(self._run(name, self._n_rows(name)))
                print(name, few[name][-1], all_[name][-1], flush=True)
        return [Row(name, self._n_rows(name), _median(few[name]), _median(all_[name])) for name in names]

    def _n_rows(self, name: str) -> int:
        n_rows: int = self.asked.snorkel_rows if name.startswith("snorkel") else self.asked.rows
        return n_rows

    def _run(self, name: str, n_rows: int) -> Metered:
        log = self.root / f"{name}-{n_rows}.log"
        if name in OURS:
            return self._run_ours(name, n_rows, log)
        out = self.root / f"out-{name}-{n_rows}"
        python = peer(self.asked.cache) if name.startswith("snorkel") else Path(sys.executable)
        items = self.projects[n_rows] / ".labelmill" / "items"
        words = [over_rows.__file__, name, str(items), str(out), str(self.asked.cores), str(n_rows)]
        taken = metered([str(python), *words], env=_env(python), log=log)
        self._check(name, n_rows, pl.read_parquet(out / "*.parquet"))
        shutil.rmtree(out)
        return taken

    def _run_ours(self, name: str, n_rows: int, log: Path) -> Metered:
        engine = OURS[name].format(cores=self.asked.cores)
        with scale.copied(self.projects[n_rows]) as folder:
            words = ["annotate", "--engine", engine, "--workers", str(self.asked.cores), "--project", str(folder)]
            taken = metered(
                [sys.executable, "-m", "labelmill.cli.main", *words], env=_env(Path(sys.executable)), log=log
            )
            self._check(name, n_rows, votes(folder))
        return taken

    def _check(self, name: str, n_rows: int, found: pl.DataFrame) -> None:
        """The same votes as everybody, once for each item."""
        rows = found.select("id", *(pl.col(rule).cast(pl.Int8) for rule in over_rows.NAMES))
        counts = [int((rows[rule] >= 0).sum()) for rule in over_rows.NAMES]
        digest = (rows.height, rows["id"].n_unique(), int(rows.hash_rows(seed=0).bitwise_xor() or 0), *counts)
        if digest != self.expected.setdefault(n_rows, digest):
            sys.exit(f"{name}: other votes than the contestant before: {digest} and {self.expected[n_rows]}")
        if rows.height != n_rows:
            sys.exit(f"{name}: {rows.height} rows of {n_rows}")


def votes(folder: Path) -> pl.DataFrame:
    """The votes of a project, with ids."""
    lake = folder / ".labelmill"
    parts = []
    for path in sorted((lake / "votes").glob("*/*.parquet")):
        ids = pl.read_parquet(lake / "items" / f"{path.stem.rpartition('_')[0]}.parquet", columns=["id"])
        parts.append(ids.hstack(pl.read_parquet(path).select(pl.all().cast(pl.Int8)).get_columns()))
    return pl.concat(parts)


def peer(cache: Path) -> Path:
    """The Python of Snorkel's environment with Dask and Spark, made at the first call."""
    folder = cache / "snorkel-0.10.0-parallel"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEER], check=True)
        (folder / "ready").touch()
    return python


def heading(asked: argparse.Namespace) -> list[str]:
    """The head of the table."""
    return [
        f"{asked.rows:,} texts of about 120 characters by ten rules, {asked.cores} workers; medians of "
        f"{asked.repeats}. Start: the same command on {FEW:,} texts. A worker is the process that runs the rules, with "
        "the engine's own process that holds it.",
        "",
        *COLUMNS,
    ]


def line(row: Row, rows: list[Row]) -> str:
    """One row of the table."""
    base = next((other.price for other in rows if other.name == "processes"), float("nan"))
    name = THEIRS.get(row.name, f"labelmill on {row.name}")
    worker = "" if row.all.worker != row.all.worker else f"{row.all.worker:.0f}"
    return (
        f"| {name} | {row.rows:,} | {row.all.cpu:.1f} | {row.few.cpu:.1f} | {row.price:.2f} | {row.price / base:.2f} "
        f"| {row.all.wall:.1f} | {worker} | {row.all.peak:.0f} |"
    )


def verdict(rows: list[Row]) -> list[str]:
    """What was aimed at, and what came out."""
    by_name = {row.name: row for row in rows}
    lines = [""]
    for name in ("ray", "spark"):
        if {name, "processes"} <= by_name.keys():
            ratio = by_name[name].price / by_name["processes"].price
            lines.append(f"- {name}: {ratio:.2f} times the CPU a row of `processes` (aim: at most 1.15).")
    for ours, theirs in (("ray", "ray_data"), ("spark", "spark_arrow")):
        if {ours, theirs} <= by_name.keys():
            ratio = by_name[theirs].price / by_name[ours].price
            lines.append(f"- rows through {theirs}: {ratio:.1f} times labelmill on {ours} (aim: at least 3).")
    heaviest = max((row.all.worker for row in rows if row.all.worker == row.all.worker), default=float("nan"))
    return [*lines, f"- a worker takes {heaviest:.0f} MB at most (aim: under 400)."]


def options(arguments: list[str]) -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--snorkel-rows", type=int, default=50_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--only", type=lambda text: text.split(","), help="some contestants, with commas")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "labelmill-peers")
    return parser.parse_args(arguments)


def _env(python: Path) -> dict[str, str]:
    """Ray starts its own; Spark's workers run the same Python."""
    return {"PYSPARK_PYTHON": str(python), "RAY_USAGE_STATS_ENABLED": "0", "RAY_ADDRESS": "local"}


def _median(runs: list[Metered]) -> Metered:
    return Metered(*(statistics.median(values) for values in zip(*runs, strict=True)))  # type: ignore[arg-type]


if __name__ == "__main__":
    print(report(*sys.argv[1:]))
