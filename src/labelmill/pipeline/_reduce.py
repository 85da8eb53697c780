"""A tree reduce inside an engine: small tables of partitions, merged in a fixed order."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import polars as pl

from labelmill.domain.partition import Partition, Receipt, Resources
from labelmill.domain.ports import Engine, Progress, Stage
from labelmill.domain.sums import Sums
from labelmill.pipeline._lake_here import lake_here
from labelmill.pipeline._stage_run import run_stage
from labelmill.pipeline.workspace import Workspace, unwatched
from labelmill.stores.lake import Lake

__all__ = ["Reduce", "Step", "merged_sums", "reduced_here", "sums_frame", "sums_of"]

LEAF_ROWS: Final = 400_000
"""Items at which a group of partitions is full."""

LEAF_PARTITIONS: Final = 16
"""Partitions at which a group is full."""

FAN_IN: Final = 32
"""Tables that one merge takes."""


class Step(Protocol):
    """What is counted in each partition, and how counts become one; travels to workers by pickle."""

    def table(self, lake: Lake, partition: Partition) -> pl.DataFrame:
        """The partition's table: small, whatever the partition's size."""

    def merge(self, one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
        """One table of two neighbours; associative but for the last bits of sums of floats."""

    def is_settled(self, table: pl.DataFrame) -> bool:
        """True where nothing that is merged into the table will change it."""


@dataclass(frozen=True)
class Reduce:
    """A reduce over partitions.

    Partitions are taken in groups and the groups' tables merged as a tree whose shape follows from the partitions
    alone, so that sums have the same bits on every engine with any number of workers. The driver holds two tables at
    a time, whatever the size of the lake. Tables that are there already, of a driver that died, are not made again.

    Parameters
    ----------
    workspace : Workspace
    engine : Engine
    need : Resources
    folder : str
        Where the tables lie in the lake; one reduce at a time.
    digest : str
        Hash of everything the tables follow from; part of their names.
    """

    workspace: Workspace
    engine: Engine
    need: Resources
    folder: str
    digest: str

    def begin(self) -> None:
        """Remove what an older reduce, with another digest, has left in the folder."""
        lake = self.workspace.lake
        if any(not name.startswith(f"{self.digest}-") for name in lake.table_names(self.folder)):
            lake.delete_tables(self.folder)

    def end(self) -> None:
        """Remove all tables."""
        self.workspace.lake.delete_tables(self.folder)

    def publish(self, name: str, frame: pl.DataFrame) -> str:
        """Put a table there that steps read on the workers; its name."""
        full = f"{self.digest}-{name}"
        self.workspace.lake.publish_table(self.folder, full, frame)
        return full

    def run(self, name: str, step: Step, partitions: Sequence[Partition], progress: Progress) -> pl.DataFrame:
        """The table of all partitions, of which there is at least one.

        Raises
        ------
        AnnotationError
            If a group could not be finished; the tables of the others are kept.
        """
        lake = self.workspace.lake
        there = lake.table_names(self.folder)
        root = f"{self.digest}-{name}-root"
        if root in there:
            return lake.read_table(self.folder, root)
        groups = {f"{self.digest}-{name}-0-{i:06d}": group for i, group in enumerate(_groups(partitions))}
        if len(groups) == 1 and not getattr(self.engine, "isolates", True):
            return reduced_here(step, lake, partitions, progress)
        nodes = _nodes({node: sum(p.n_rows for p in group) for node, group in groups.items()})
        self._map(LeafStage(lake.uri, self.folder, step, groups), nodes, there, progress)
        level, names = 0, list(groups)
        while len(names) > FAN_IN:
            level += 1
            starts = range(0, len(names), FAN_IN)
            children = {
                f"{self.digest}-{name}-{level}-{i:06d}": tuple(names[start : start + FAN_IN])
                for i, start in enumerate(starts)
            }
            nodes = _nodes({node: len(below) for node, below in children.items()})
            self._map(MergeStage(lake.uri, self.folder, step, children), nodes, there, unwatched(name))
            names = list(children)
        table = _merged(step, (lake.read_table(self.folder, node) for node in names))
        if len(names) > 1:
            lake.publish_table(self.folder, root, table)
        return table

    def _map(self, stage: Stage, nodes: Sequence[Partition], there: set[str], progress: Progress) -> None:
        todo = [node for node in nodes if node.id not in there]
        total = sum(node.n_rows for node in nodes)
        before = total - sum(node.n_rows for node in todo)
        progress(before, total)
        run_stage(
            self.workspace,
            stage,
            todo,
            self.engine,
            self.need,
            digest=self.digest,
            progress=lambda done, _, detail=None: progress(before + done, total, detail),
        )


@dataclass(frozen=True)
class LeafStage:
    """Makes the table of a group of partitions.

    Parameters
    ----------
    lake : str
        URI of the lake.
    folder : str
        Of the reduce.
    step : Step
    groups : mapping of str to tuple of Partition
        Node -> its partitions.
    """

    lake: str
    folder: str
    step: Step
    groups: Mapping[str, tuple[Partition, ...]]

    def __call__(self, partition: Partition) -> Receipt:
        """The table of the group that the node stands for, published under the node's name."""
        started = time.monotonic()
        lake = lake_here(self.lake)
        tables = (self.step.table(lake, each) for each in self.groups[partition.id])
        return _published(lake, self.folder, partition, _merged(self.step, tables), started)


@dataclass(frozen=True)
class MergeStage:
    """Makes one table of the tables of neighbours."""

    lake: str
    folder: str
    step: Step
    children: Mapping[str, tuple[str, ...]]

    def __call__(self, partition: Partition) -> Receipt:
        """The merged table, published under the node's name."""
        started = time.monotonic()
        lake = lake_here(self.lake)
        tables = (lake.read_table(self.folder, name) for name in self.children[partition.id])
        return _published(lake, self.folder, partition, _merged(self.step, tables), started)


def _published(lake: Lake, folder: str, node: Partition, table: pl.DataFrame, started: float) -> Receipt:
    uri = lake.publish_table(folder, node.id, table)
    return Receipt(node.id, node.n_rows, uri, time.monotonic() - started, host=socket.gethostname())


def reduced_here(step: Step, lake: Lake, partitions: Sequence[Partition], progress: Progress) -> pl.DataFrame:
    """The table of all partitions, of which there is at least one, made in this process; nothing is written."""
    n_rows = sum(partition.n_rows for partition in partitions)

    def tables() -> Iterator[pl.DataFrame]:
        done = 0
        for partition in partitions:
            progress(done, n_rows)
            yield step.table(lake, partition)
            done += partition.n_rows

    table = _merged(step, tables())
    progress(n_rows, n_rows)
    return table


def sums_frame(sums: Sums) -> pl.DataFrame:
    """Sums as a table: one row an array."""
    rows = [(list(a.shape), np.asarray(a, dtype=np.float64).ravel().tolist(), sums.most) for a in sums.arrays]
    rows = rows or [([0], [], sums.most)]
    return pl.DataFrame(rows, schema=_SUMS, orient="row")


def sums_of(frame: pl.DataFrame) -> Sums:
    """The sums that `sums_frame` made a table of."""
    arrays = [np.array(values, dtype=np.float64).reshape(shape) for shape, values, _ in frame.iter_rows()]
    return Sums(tuple(arrays), float(frame["most"][0]))


def merged_sums(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """The table of the sums of two shards together."""
    return sums_frame(sums_of(one).merged(sums_of(other)))


_SUMS: Final[dict[str, Any]] = {"shape": pl.List(pl.Int64), "values": pl.List(pl.Float64), "most": pl.Float64}


def _groups(partitions: Iterable[Partition]) -> Iterator[tuple[Partition, ...]]:
    group: list[Partition] = []
    for partition in partitions:
        is_full = len(group) >= LEAF_PARTITIONS or sum(p.n_rows for p in group) + partition.n_rows > LEAF_ROWS
        if group and is_full:
            yield tuple(group)
            group = []
        group.append(partition)
    if group:
        yield tuple(group)


def _nodes(sizes: Mapping[str, int]) -> list[Partition]:
    """Nodes as engines take them: a name, and a size for the progress."""
    return [Partition(name, "", 0, size) for name, size in sizes.items()]


def _merged(step: Step, tables: Iterator[pl.DataFrame]) -> pl.DataFrame:
    """All tables merged in their order, two in memory at a time; the rest is not made once the result is settled."""
    table = next(tables)
    while not step.is_settled(table):
        other = next(tables, None)
        if other is None:
            break
        table = step.merge(table, other)
    return table
