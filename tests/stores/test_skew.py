"""Items of very different sizes, cut into partitions of about the same work."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from labelmill.domain.item import ItemBatch, Modality
from labelmill.domain.partition import Partition
from labelmill.stores.item_set import FILE_BYTES, FILE_ROWS, MEDIA_ROWS
from labelmill.stores.lake import Lake

GIANT = 5_000_000


def filled(folder: Path, sizes: np.ndarray[tuple[int], np.dtype[np.int64]], *, chunk_rows: int = 5_000) -> Lake:
    """A lake of texts of these many bytes, brought in chunks."""
    lake = Lake(folder)
    text = "a" * int(sizes.max())
    with lake.append_items(source="test") as appender:
        for start in range(0, len(sizes), chunk_rows):
            part = sizes[start : start + chunk_rows].tolist()
            ids = [str(start + i) for i in range(len(part))]
            appender.write(pl.DataFrame({"id": ids, "data": [text[:n] for n in part]}))
    return lake


def lengths(lake: Lake, partition: Partition) -> list[int]:
    """Bytes of each text of a partition."""
    return lake.read_items(partition).column("text").str.len_bytes().to_list()


@pytest.mark.parametrize("seed", range(3))
def test_sizes_of_partitions(tmp_path: Path, seed: int) -> None:
    """Texts from 1 byte to 5 MB: no partition is larger than the cut and one item, and only the last is small."""
    rng = np.random.default_rng(seed)
    sizes = np.maximum(rng.lognormal(4, 2.5, 20_000), 1).astype(np.int64).clip(max=GIANT)
    sizes[rng.integers(0, len(sizes), 6)] = GIANT

    lake = filled(tmp_path, sizes)

    cut = [lengths(lake, partition) for partition in lake.item_partitions()]
    assert sizes.tolist() == list(itertools.chain(*cut))
    for part in cut[:-1]:
        assert FILE_BYTES <= sum(part) <= FILE_BYTES + max(part)
        assert sum(part[:-1]) < FILE_BYTES


def test_an_item_larger_than_a_file_ends_it(tmp_path: Path) -> None:
    """One giant among small ones is the last item of its partition; giants one after another are alone."""
    sizes = np.full(50, 1, dtype=np.int64)
    sizes[[20, 30, 31]] = FILE_BYTES + 1

    lake = filled(tmp_path, sizes, chunk_rows=7)

    assert [(p.n_rows, lengths(lake, p)[-1] > 1) for p in lake.item_partitions()] == [
        (21, True),
        (10, True),
        (1, True),
        (18, False),
    ]


def test_columns_of_the_users_own_count(tmp_path: Path) -> None:
    """Long texts beside short data are work as well."""
    lake = Lake(tmp_path)
    frame = pl.DataFrame({"id": ["a", "b", "c"], "data": ["x"] * 3, "meta.body": ["y" * FILE_BYTES, None, "z"]})

    with lake.append_items(source="test") as appender:
        appender.write(frame)

    assert [partition.n_rows for partition in lake.item_partitions()] == [1, 2]


@pytest.mark.parametrize(("modality", "n_rows"), [("text", FILE_ROWS), ("image", MEDIA_ROWS), ("audio", MEDIA_ROWS)])
def test_rows_of_short_data(tmp_path: Path, modality: Modality, n_rows: int) -> None:
    """The length of an address says nothing about the picture: files of media have few rows."""
    lake = Lake(tmp_path)
    ids = pl.Series(range(n_rows + 5)).cast(pl.String)

    with lake.append_items(source="test", modality=modality) as appender:
        appender.write(pl.DataFrame({"id": ids, "data": ids + ".png"}))

    assert [partition.n_rows for partition in lake.item_partitions()] == [n_rows, 5]
    assert isinstance(lake.read_items(lake.item_partitions()[1]), ItemBatch)
