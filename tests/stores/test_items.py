from __future__ import annotations

import pickle
from pathlib import Path

import polars as pl
import pytest

from labelmill.domain.partition import Partition
from labelmill.errors import StorageError, UsageError
from labelmill.stores import item_set
from labelmill.stores.lake import Lake


@pytest.fixture(params=["folder", "s3"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """An empty lake in a folder, or under a prefix, whose name means something to patterns and to Hive."""
    if request.param == "s3":
        return Lake(f"{request.getfixturevalue('bucket')}/a=1[x]*/project")
    (tmp_path / "a=1[x]*").mkdir()
    return Lake(tmp_path / "a=1[x]*" / ".labelmill")


def test_an_empty_lake_is_empty(lake: Lake) -> None:
    """A lake that was never written to has nothing, and reading makes no folder."""
    assert lake.n_items == 0
    assert lake.item_partitions() == []
    assert lake.item_ids().to_list() == []
    assert len(lake.items()) == 0
    assert lake.vote_sets() == []
    assert lake.imported_votes().height == 0
    assert lake.consensus() is None
    assert lake.runs() == []
    assert lake._files.names("items") == lake._files.names("votes") == []
    assert lake.uri.startswith("s3://") or not lake.root.exists()


def test_items_come_back_in_order(lake: Lake) -> None:
    """What two imports brought is read back in the order it came, each column null where its file has none."""
    _append(lake, pl.DataFrame({"id": ["b", "a"], "data": ["x", "y"], "meta.n": [1, 2]}))
    _append(lake, pl.DataFrame({"id": ["c"], "data": ["z"], "facts.language": ["de"]}))

    assert lake.n_items == 3
    assert lake.item_ids().to_list() == ["b", "a", "c"]
    assert lake.items().frame.to_dict(as_series=False) == {
        "id": ["b", "a", "c"],
        "data": ["x", "y", "z"],
        "meta.n": [1, 2, None],
        "facts.language": [None, None, "de"],
    }


def test_partitions_cover_the_items(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are cut at their size; the partitions' items, one after another, are the lake's."""
    monkeypatch.setattr(item_set, "FILE_ROWS", 10)
    frame = _frame(25)
    with lake.append_items(source="test") as appender:
        for start, n in ((0, 3), (3, 0), (3, 14), (17, 8)):
            appender.write(frame.slice(start, n))

    whole, split = lake.item_partitions(), lake.item_partitions(max_rows=4)

    assert [p.n_rows for p in whole] == [10, 10, 5]
    assert [p.n_rows for p in split] == [4, 4, 2, 4, 4, 2, 4, 1]
    assert len({p.id for p in split}) == 8
    for plan in (whole, split):
        assert frame.equals(pl.concat([lake.read_items(partition).frame for partition in plan]))


def test_files_are_cut_at_their_bytes(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file ends with the text that makes it full, however long that text is."""
    monkeypatch.setattr(item_set, "FILE_BYTES", 10)
    _append(lake, pl.DataFrame({"id": list("abcde"), "data": ["4444", "4444", "333", "x" * 99, "1"]}))

    assert [partition.n_rows for partition in lake.item_partitions()] == [3, 1, 1]


def test_the_plan_depends_on_the_items_only(tmp_path: Path) -> None:
    """The same items in another lake have partitions of the same ids, other items have others."""
    lakes = [Lake(tmp_path / name) for name in "abc"]
    for lake, n in zip(lakes, (20, 20, 21), strict=True):
        _append(lake, _frame(n))

    plans = [lake.item_partitions() for lake in lakes]

    assert plans[0] == plans[1]
    assert plans[0][0].id != plans[2][0].id


def test_columns_can_be_chosen(lake: Lake) -> None:
    """Only the columns asked for are read; an unknown one is refused by name."""
    _append(lake, _frame(3))
    partition = lake.item_partitions()[0]

    assert lake.read_items(partition, ["data", "id"]).frame.columns == ["data", "id"]
    with pytest.raises(UsageError, match=r"no column 'meta\.m': did you mean 'meta\.n'"):
        lake.read_items(partition, ["meta.m"])


def test_items_can_be_asked_for_by_id(lake: Lake) -> None:
    """Items come in the order asked for, from several files; an unknown id is named."""
    _append(lake, _frame(10))
    _append(lake, _frame(20).tail(10))

    assert lake.items(["15", "2", "15", "9"]).ids == ["15", "2", "15", "9"]
    assert lake.items(["15", "2"]).frame["data"].to_list() == ["text 15", "text 2"]
    assert len(lake.items([])) == 0
    with pytest.raises(UsageError, match="2 of the 3 ids asked for are not in the lake, first 'x'"):
        lake.items(["1", "x", "y"])


def test_duplicates_are_found(lake: Lake) -> None:
    """An id is a duplicate if the lake has it, if it was written in this append, or if it is asked about twice."""
    _append(lake, _frame(3))
    with lake.append_items(source="test") as appender:
        appender.write(pl.DataFrame({"id": ["n"], "data": [""]}))

        assert appender.duplicates(pl.Series(["new", "1", "n", "new", "o"])) == [1, 2, 3]


def test_an_id_is_not_written_twice(lake: Lake) -> None:
    """Writing an id that is there is refused, and nothing of the append stays."""
    _append(lake, _frame(3))

    with pytest.raises(UsageError, match="1 ids are there already, first '2'"):
        _append(lake, pl.DataFrame({"id": ["9", "2"], "data": ["", ""]}))

    assert lake.n_items == 3


def test_a_failed_append_leaves_the_lake_as_it_was(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception in the block removes the files that were written, and the lock is free again."""
    monkeypatch.setattr(item_set, "FILE_ROWS", 5)
    _append(lake, _frame(3))
    before = _names(lake)

    with pytest.raises(UsageError, match="items need a text column"), lake.append_items(source="test") as appender:  # noqa: PT012 -- the second write fails after the first
        appender.write(_frame(30).tail(20))
        appender.write(pl.DataFrame({"id": [1]}))

    assert _names(lake) == before
    assert lake.n_items == 3
    _append(lake, _frame(5).tail(2))
    assert lake.n_items == 5


def test_what_a_killed_append_left_is_removed(lake: Lake) -> None:
    """Files that no manifest names go when the next append begins."""
    _append(lake, _frame(3))
    lake._files.replace("items/000001-0123456789ab.parquet", b"orphan")

    _append(lake, _frame(4).tail(1))

    assert [p.uri for p in lake.item_partitions()] == [f"items/{n}" for n in _names(lake) if n.endswith(".parquet")]


def test_appending_nothing_changes_nothing(lake: Lake) -> None:
    """An append of no rows leaves no file."""
    _append(lake, _frame(0))

    assert lake.n_items == 0
    assert _names(lake) == []


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": ["a"]}, "items need a text column 'data'"),
        ({"id": [1], "data": ["x"]}, "items need a text column 'id'"),
        ({"id": [None, "a"], "data": ["x", "y"]}, "1 items have no id"),
        ({"id": ["a"], "data": ["x"], "extra": [1]}, "unknown column 'extra'"),
    ],
)
def test_wrong_columns_are_refused(lake: Lake, columns: dict[str, list[object]], message: str) -> None:
    """A frame that is no frame of items is refused with what is wrong."""
    with pytest.raises(UsageError, match=message):
        _append(lake, pl.DataFrame(columns))


def test_texts_come_back_exactly(lake: Lake) -> None:
    """Empty texts, line ends, emoji and long texts are stored as they are."""
    texts = ["", "\r\n", "é\u0301💩\U0010ffff", "x" * 100_000, "null"]
    _append(lake, pl.DataFrame({"id": list("abcde"), "data": texts}))

    assert lake.items().frame["data"].to_list() == texts


def test_columns_of_chunks_are_brought_together(lake: Lake) -> None:
    """A column that is empty in one chunk and full in the next is one column."""
    with lake.append_items(source="test") as appender:
        appender.write(pl.DataFrame({"id": ["a"], "data": [""], "meta.n": [None]}))
        appender.write(pl.DataFrame({"id": ["b"], "data": [""], "meta.n": [1]}))
        appender.write(pl.DataFrame({"id": ["c"], "data": [""]}))

    assert lake.items().frame["meta.n"].to_list() == [None, 1, None]


def test_a_lake_travels(lake: Lake) -> None:
    """A lake that is being written to can be pickled; the copy reads the same."""
    _append(lake, _frame(3))

    with lake.writing():
        copy = pickle.loads(pickle.dumps(lake))  # noqa: S301 -- our own bytes

    assert copy.item_ids().to_list() == ["0", "1", "2"]


@pytest.mark.parametrize("content", [b"", b"PAR1xxxxxxxxxxxxPAR1", None])
def test_a_damaged_file_is_named(lake: Lake, content: bytes | None) -> None:
    """A file that was cut short, overwritten or lost is told by its path."""
    _append(lake, _frame(3))
    partition = lake.item_partitions()[0]
    if content is None:
        lake._files.delete(partition.uri)
    else:
        lake._files.replace(partition.uri, content)

    with pytest.raises(StorageError, match=rf"{partition.uri}: cannot read: (the file is damaged|no such file)"):
        lake.read_items(partition)


def test_flipped_bytes_never_crash(lake: Lake) -> None:
    """A file in which bytes were flipped is read, or refused by its path."""
    _append(lake, _frame(50))
    partition = lake.item_partitions()[0]
    whole = lake._files.read(partition.uri) or b""
    for at in range(0, len(whole), 7):
        lake._files.replace(partition.uri, whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            lake.read_items(partition)
        except StorageError as error:
            assert partition.uri in str(error)  # noqa: PT017 -- most flips do no harm that Parquet can see


def test_a_partition_of_a_file_that_is_gone_is_refused(lake: Lake) -> None:
    """A plan made before the items were replaced is told to be made again."""
    _append(lake, _frame(3))

    with pytest.raises(StorageError, match="plan the work again"):
        lake.read_items(Partition("x", "items/000009-abc.parquet", 0, 1))


def _append(lake: Lake, frame: pl.DataFrame) -> None:
    with lake.append_items(source="test") as appender:
        appender.write(frame)


def _frame(n: int) -> pl.DataFrame:
    return pl.DataFrame(
        {"id": [str(i) for i in range(n)], "data": [f"text {i}" for i in range(n)], "meta.n": list(range(n))},
        schema={"id": pl.String, "data": pl.String, "meta.n": pl.Int64},
    )


def _names(lake: Lake) -> list[str]:
    return lake._files.names("items")
