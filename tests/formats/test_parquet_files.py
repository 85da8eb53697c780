from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest

from labelmill.errors import BadInputError, BadRow, UsageError
from labelmill.formats._panics import without_panic_traces
from labelmill.formats.parquet import Parquet


def read(path: Path) -> pl.DataFrame:
    return pl.concat([chunk.frame for chunk in Parquet().read(path)])


@pytest.mark.parametrize("content", [b"", b"PAR1", b"id,text\n1,a\n", b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_what_is_no_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    """Any other content is one error with the file's name."""
    path = tmp_path / "a.parquet"
    path.write_bytes(content)

    with pytest.raises(BadInputError, match=r"a\.parquet: is no Parquet file, or damaged"):
        list(Parquet().read(path))


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    """A download that broke off is one error with the file's name."""
    path = tmp_path / "a.parquet"
    pl.DataFrame({"id": [str(i) for i in range(1000)]}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(BadInputError, match=r"a\.parquet: is no Parquet file, or damaged"):
        list(Parquet().read(path))


def test_damage_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Bytes changed anywhere give our error at most, and no stack trace of another language."""
    path = tmp_path / "a.parquet"
    pl.DataFrame({"id": [f"row {i % 7}" for i in range(300)]}).write_parquet(path)
    content = path.read_bytes()

    for place in range(0, len(content), 5):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        with suppress(BadInputError):
            list(Parquet().read(path))

    assert capfd.readouterr() == ("", "")


def test_what_others_print_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    """Only the words of a block that fails are dropped."""
    with without_panic_traces():
        os.write(2, b"kept")
    with suppress(RuntimeError), without_panic_traces():
        os.write(2, b"dropped")
        raise RuntimeError("failed")

    assert capfd.readouterr().err == "kept"


def test_types_survive(tmp_path: Path) -> None:
    """Numbers, lists, structs and nulls come back as they were."""
    frame = pl.DataFrame({"i": [1, None], "x": [0.5, float("nan")], "l": [["a"], []], "s": [{"a": 1}, {"a": None}]})
    target = tmp_path / "a.parquet"

    with Parquet().writer(target) as writer:
        writer.write(frame)

    assert frame.equals(read(target))
    assert frame.schema == read(target).schema


def test_categories_are_read_as_text(tmp_path: Path) -> None:
    """Categories of pandas and polars are texts to everybody else."""
    path = tmp_path / "a.parquet"
    pl.DataFrame({"c": ["a", "b"]}, schema={"c": pl.Categorical}).write_parquet(path)

    assert pl.String == read(path)["c"].dtype


def test_pandas_and_pyarrow_files_are_read(tmp_path: Path) -> None:
    """Files of the two other libraries give the same rows."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"id": ["1", "2"], "text": ["a", None], "label": pandas.Categorical(["x", "y"])})
    frame.to_parquet(tmp_path / "a.parquet", index=False)

    assert read(tmp_path / "a.parquet").rows() == [("1", "a", "x"), ("2", None, "y")]


def test_nul_is_a_bad_row(tmp_path: Path) -> None:
    """A text with NUL is reported by its row; the others are read."""
    path = tmp_path / "a.parquet"
    pl.DataFrame({"id": ["1", "2", "3"], "text": ["a", "b\0", None]}).write_parquet(path)

    chunks = list(Parquet().read(path, chunk_rows=2))

    assert [v for chunk in chunks for v in chunk.frame["id"]] == ["1", "3"]
    assert [line for chunk in chunks for line in chunk.lines] == [1, 3]
    reason = "a NUL character (U+0000) is not allowed in a text"
    assert [BadRow(str(path), 2, "text", reason)] == chunks[0].bad_rows


def test_a_file_without_rows_tells_its_columns(tmp_path: Path) -> None:
    """One chunk with no rows."""
    target = tmp_path / "a.parquet"
    with Parquet().writer(target) as writer:
        writer.write(pl.DataFrame({"a": []}, schema={"a": pl.Int8}))

    [chunk] = Parquet().read(target)

    assert {"a": pl.Int8} == dict(chunk.frame.schema)


def test_a_column_that_is_null_at_first_gets_its_type(tmp_path: Path) -> None:
    """Frames written one after the other may differ where nulls have no type yet."""
    target = tmp_path / "a.parquet"
    with Parquet().writer(target) as writer:
        writer.write(pl.DataFrame({"a": [None]}))
        writer.write(pl.DataFrame({"a": ["x"]}))
        writer.write(pl.DataFrame({"a": [None]}))

    assert read(target)["a"].to_list() == [None, "x", None]


def test_a_column_keeps_its_type(tmp_path: Path) -> None:
    """A text after numbers is a wrong call, not a number made text."""
    with Parquet().writer(tmp_path / "a.parquet") as writer:
        writer.write(pl.DataFrame({"a": [1]}))
        with pytest.raises(UsageError, match="column 'a' was Int64 before, found String"):
            writer.write(pl.DataFrame({"a": ["x"]}))


def test_odd_names_are_no_patterns(tmp_path: Path) -> None:
    """Brackets and stars in a file's name mean themselves."""
    for name, value in (("a[1].parquet", "odd"), ("a1.parquet", "plain")):
        pl.DataFrame({"a": [value]}).write_parquet(tmp_path / name)

    assert read(tmp_path / "a[1].parquet")["a"].to_list() == ["odd"]
