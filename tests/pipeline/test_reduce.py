"""The tree reduce: its shape follows from the partitions alone, and finished tables are not made again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.pipeline.lakes import project

from labelmill.domain.partition import Partition, Resources
from labelmill.domain.sums import Sums
from labelmill.engines.serial import Serial
from labelmill.errors import AnnotationError
from labelmill.pipeline import _reduce
from labelmill.pipeline._reduce import Reduce, merged_sums, sums_frame, sums_of
from labelmill.stores import item_set
from labelmill.stores.lake import Lake

MADE: list[str] = []
"""Partitions whose table was made, in order."""


@dataclass(frozen=True)
class Names:
    """The partitions' numbers in brackets, so that the result shows the shape of the tree."""

    bad: str = ""
    enough: int = 1_000

    def table(self, lake: Lake, partition: Partition) -> pl.DataFrame:
        """The number of tables made so far."""
        if partition.id == self.bad:
            raise ValueError("cannot")
        MADE.append(partition.id)
        return pl.DataFrame({"shape": [str(len(MADE))], "n": [1]})

    def merge(self, one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
        """Both in brackets."""
        return pl.DataFrame({"shape": [f"({one['shape'][0]} {other['shape'][0]})"], "n": [one["n"][0] + other["n"][0]]})

    def is_settled(self, table: pl.DataFrame) -> bool:
        """Where there are enough."""
        return bool(table["n"][0] >= self.enough)


@pytest.fixture
def reduce(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reduce:
    """A reduce over fourteen partitions, in groups of two, three to a merge."""
    monkeypatch.setattr(item_set, "FILE_ROWS", 10)
    monkeypatch.setattr(_reduce, "LEAF_PARTITIONS", 2)
    monkeypatch.setattr(_reduce, "FAN_IN", 3)
    MADE.clear()
    return Reduce(project(tmp_path / "p", 140), Serial(), Resources(), "test", "d")


def run(reduce: Reduce, step: Names) -> pl.DataFrame:
    return reduce.run("names", step, reduce.workspace.lake.item_partitions(), lambda *_: None)


def test_the_tree(reduce: Reduce) -> None:
    """Groups first, then merges of neighbours, in the order of the lake."""
    table = run(reduce, Names())

    first, second, third = "(((1 2) (3 4)) (5 6))", "(((7 8) (9 10)) (11 12))", "(13 14)"
    assert table["shape"][0] == f"(({first} {second}) {third})"


def test_groups_by_rows(reduce: Reduce, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group is full by its rows too, so that large partitions stay alone."""
    monkeypatch.setattr(_reduce, "LEAF_ROWS", 15)
    monkeypatch.setattr(_reduce, "FAN_IN", 100)

    run(reduce, Names())

    assert len([name for name in reduce.workspace.lake.table_names("test") if "-0-" in name]) == 14


def test_what_is_there_is_not_made_again(reduce: Reduce) -> None:
    """After a failure only the missing group is made; after success nothing is."""
    bad = reduce.workspace.lake.item_partitions()[5].id
    with pytest.raises(AnnotationError, match="The others are kept"):
        run(reduce, Names(bad=bad))
    MADE.clear()

    table = run(reduce, Names())
    made = len(MADE)
    again = run(reduce, Names())

    assert (made, len(MADE)) == (2, 2)
    assert (table["n"][0], again["n"][0]) == (14, 14)


def test_what_is_settled_is_cheap(reduce: Reduce) -> None:
    """Once nothing can change the result, no more tables are made."""
    table = run(reduce, Names(enough=1))

    assert table["n"][0] == 1
    assert len(MADE) == 7


def test_another_reduce_clears_the_folder(reduce: Reduce) -> None:
    """What a reduce with another digest left behind goes when the next begins; one's own stays."""
    lake = reduce.workspace.lake
    run(reduce, Names())

    reduce.begin()
    n_own = len(lake.table_names("test"))
    Reduce(reduce.workspace, Serial(), Resources(), "test", "e").begin()

    assert n_own > 0
    assert lake.table_names("test") == set()


def test_sums_survive_as_tables() -> None:
    """Shapes and bits of sums, infinities and what is unknown too."""
    sums = Sums((np.array([[0.1, np.nan], [np.inf, -0.0]]), np.zeros((0, 3)), np.array(2.5)), 0.3)

    back = sums_of(sums_frame(sums))

    assert [a.tobytes() for a in back.arrays] == [np.ascontiguousarray(a).tobytes() for a in sums.arrays]
    assert [a.shape for a in back.arrays] == [(2, 2), (0, 3), ()]
    assert back.most == 0.3


def test_sums_merge_as_tables() -> None:
    """Arrays add up, the largest change stays."""
    one, other = (sums_frame(Sums((np.array([x]),), x)) for x in (1.0, 2.0))

    merged = sums_of(merged_sums(one, other))

    assert (merged.arrays[0].tolist(), merged.most) == ([3.0], 2.0)
