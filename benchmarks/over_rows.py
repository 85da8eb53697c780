"""The same ten rules by engines that move rows: one peer a process, in whichever environment has it.

    python over_rows.py ray_data|spark_arrow|snorkel_parallel|snorkel_spark ITEMS OUT CORES ROWS

ITEMS is a folder of Parquet files with columns `id` and `data`; OUT gets Parquet files with `id` and a column a rule:
the class, or -1. Ray Data and Spark run labelmill's own compiled rules on their Arrow batches, so that what differs is
the way of the rows; Snorkel runs the same rules as Python functions, as its users write them.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

NAMES = ["free", "prize", "money", "percent", "click", "greeting", "meeting", "reply", "question", "short"]
CLASSES = ["other", "offer"]


def ray_data(items: Path, out: Path, cores: int, *_: int) -> None:
    """`map_batches` over Arrow, its own writer."""
    import ray

    ray.init(num_cpus=cores, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    ray.data.DataContext.get_current().enable_progress_bars = False
    # Tasks, not actors: a pool of actors that takes all cores leaves none to the tasks that read, and never begins.
    here = str(Path(__file__).parent)

    def votes(batch: Any) -> Any:
        sys.path.insert(0, here)
        import over_rows

        return over_rows._compiled()(batch)

    dataset = ray.data.read_parquet(_files(items), columns=["id", "data"])
    dataset.map_batches(votes, batch_format="pyarrow", batch_size=50_000).write_parquet(str(out))


def spark_arrow(items: Path, out: Path, cores: int, *_: int) -> None:
    """`mapInArrow`, its own writer."""
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master(f"local[{cores}]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "50000")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    here = str(Path(__file__).parent)

    def votes(batches: Iterator[Any]) -> Iterator[Any]:
        sys.path.insert(0, here)
        import pyarrow as pa

        import over_rows

        apply = over_rows._compiled()
        for batch in batches:
            yield from apply(pa.Table.from_batches([batch])).to_batches()

    schema = ", ".join(["id string", *(f"{name} tinyint" for name in NAMES)])
    session.read.parquet(*_files(items)).select("id", "data").mapInArrow(votes, schema).write.parquet(str(out))
    session.stop()


def _files(items: Path) -> list[str]:
    return sorted(str(path) for path in items.glob("*.parquet"))


@functools.cache
def _compiled() -> Callable[[Any], Any]:
    """From an Arrow table of items to one of votes, by labelmill's rules."""
    import polars as pl

    import scale
    from labelmill import LFs

    space: dict[str, Any] = {}
    exec(scale.RULES, space)  # noqa: S102 -- our own text
    for name in NAMES:
        space[name].name = name
    lfs = LFs([space[name] for name in NAMES])

    def apply(table: Any) -> Any:
        frame = pl.DataFrame(pl.from_arrow(table))
        matrix = lfs.apply(frame.rename({"data": "text"}), classes=CLASSES).matrix.astype("int8")
        votes = pl.DataFrame({name: matrix[:, j] for j, name in enumerate(NAMES)})
        return frame.select("id").with_columns(votes).to_arrow(compat_level=pl.CompatLevel.oldest())

    return apply


def snorkel_parallel(items: Path, out: Path, cores: int, rows: int) -> None:
    """Snorkel over a pandas frame, by Dask's processes."""
    import dask
    from snorkel.labeling.apply.dask import PandasParallelLFApplier

    dask.config.set({"dataframe.convert-string": False})  # else it tries the functions on a missing text, and they fail
    frame = _frame(items, rows)
    matrix = PandasParallelLFApplier(_functions()).apply(frame, n_parallel=cores)
    _write(frame["id"], matrix, out)


def snorkel_spark(items: Path, out: Path, cores: int, rows: int) -> None:
    """Snorkel over an RDD of rows."""
    from pyspark.sql import SparkSession
    from snorkel.labeling.apply.spark import SparkLFApplier

    session = SparkSession.builder.master(f"local[{cores}]").config("spark.ui.enabled", "false").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    frame = _frame(items, rows)
    source = out.with_suffix(".rows.parquet")
    frame.to_parquet(source)
    table = session.read.parquet(str(source)).repartition(cores).cache()
    ids = [row.id for row in table.select("id").collect()]
    matrix = SparkLFApplier(_functions()).apply(table.rdd)
    _write(ids, matrix, out)
    session.stop()


def _frame(items: Path, rows: int) -> Any:
    """The first rows, as pandas."""
    import pyarrow.dataset as ds

    table = ds.dataset(_files(items)).head(rows, columns=["id", "data"])
    return table.to_pandas().rename(columns={"data": "text"})


def _functions() -> list[Any]:
    from snorkel.labeling import LabelingFunction

    words = {
        "free": ["free", "gratis", "winner"],
        "prize": ["prize", "bonus", "jackpot"],
        "meeting": ["meeting", "agenda", "minutes"],
    }
    patterns = {
        "money": r"\$\s?\d+",
        "percent": r"\b\d{1,3}\s?% off\b",
        "click": r"(?i)click (here|now)",
        "greeting": r"(?i)^(dear|hello|hi)\b",
        "reply": r"(?i)\bwrote:",
        "question": r"\?$",
    }
    patterns |= {name: rf"(?i)\b(?:{'|'.join(listed)})\b" for name, listed in words.items()}
    voted = {name: int(name not in {"greeting", "meeting", "reply", "question", "short"}) for name in NAMES}
    made: dict[str, Callable[[Any], int]] = {name: _finds(patterns[name], voted[name]) for name in patterns}
    made["short"] = lambda x: 0 if len(x.text) < 60 else -1
    return [LabelingFunction(name=name, f=made[name]) for name in NAMES]


def _finds(pattern: str, label: int) -> Callable[[Any], int]:
    def function(x: Any) -> int:
        return label if re.search(pattern, x.text) else -1

    return function


def _write(ids: Any, matrix: Any, out: Path) -> None:
    import pandas as pd

    out.mkdir(parents=True)
    frame = pd.DataFrame(matrix.astype("int8"), columns=NAMES)
    frame.insert(0, "id", list(ids))
    frame.to_parquet(out / "votes.parquet")


if __name__ == "__main__":
    peer, items, out, cores, rows = sys.argv[1:]
    {function.__name__: function for function in (ray_data, spark_arrow, snorkel_parallel, snorkel_spark)}[peer](
        Path(items), Path(out), int(cores), int(rows)
    )
