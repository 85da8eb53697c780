from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labelmill.errors import BadInputError, UsageError
from labelmill.formats.csv import Csv
from labelmill.formats.tsv import Tsv

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
NASTY = st.text(st.sampled_from('",\r\n\t\ufeff= a'), max_size=8)
ON_ONE_FOLDER = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("plugin", [Csv(), Tsv()], ids=["csv", "tsv"])
@given(rows=st.lists(st.tuples(TEXTS | NASTY, NASTY), max_size=8), names=st.tuples(NASTY, TEXTS))
@ON_ONE_FOLDER
def test_what_is_written_comes_back(
    tmp_path: Path, plugin: Csv | Tsv, rows: list[tuple[str, str]], names: tuple[str, str]
) -> None:
    """Any text, in any cell and any column name, survives."""
    columns = [names[0], names[1] + "'"] if names[0] != names[1] + "'" else ["a", "b"]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    target = tmp_path / "rows"

    with plugin.writer(target) as writer:
        writer.write(frame)
    chunks = list(plugin.read(target, chunk_rows=3))

    assert [row for chunk in chunks for row in chunk.bad_rows] == []
    assert frame.equals(pl.concat([chunk.frame for chunk in chunks]))


@given(texts=st.lists(NASTY, max_size=6))
@ON_ONE_FOLDER
def test_a_single_column_comes_back(tmp_path: Path, texts: list[str]) -> None:
    """A row of one empty field is not taken for an empty line."""
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    target = tmp_path / "rows.csv"

    with Csv().writer(target) as writer:
        writer.write(frame)

    assert texts == pl.concat([chunk.frame for chunk in Csv().read(target)])["text"].to_list()


@given(rows=st.lists(st.tuples(NASTY, NASTY), min_size=1, max_size=6))
@ON_ONE_FOLDER
def test_other_csv_readers_agree(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    """Python's csv reads what we write, to the character."""
    target = tmp_path / "rows.csv"

    with Csv().writer(target) as writer:
        writer.write(pl.DataFrame(rows, schema={"a": pl.String, "b": pl.String}, orient="row"))
    found = list(csv.reader(io.StringIO(target.read_bytes().decode(), newline=""), strict=True))

    assert [("a", "b"), *rows] == [tuple(row) for row in found]


def test_values_stay_text(tmp_path: Path) -> None:
    """Nothing is guessed: numbers, dates, missing-value words and spaces stay as they stand."""
    values = ["007", "NA", "null", "1e5", " a ", "2024-01-01", "true", "-0", "", "N/A"]
    path = tmp_path / "a.csv"
    path.write_text("id,v\n" + "".join(f"{i},{value}\n" for i, value in enumerate(values)))

    frame = next(iter(Csv().read(path))).frame

    assert values == frame["v"].to_list()
    assert {"id": pl.String, "v": pl.String} == dict(frame.schema)


def test_a_quote_inside_an_unquoted_field_is_text(tmp_path: Path) -> None:
    """Only a quote at the beginning of a field quotes it."""
    path = tmp_path / "a.csv"
    path.write_bytes(b'id,text\n1,5" disk\n')

    assert next(iter(Csv().read(path))).frame["text"].to_list() == ['5" disk']


def test_a_header_alone_is_a_file_without_rows(tmp_path: Path) -> None:
    """One chunk tells the columns."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,text")

    chunks = list(Csv().read(path))

    assert [chunk.frame.columns for chunk in chunks] == [["id", "text"]]
    assert [chunk.frame.height for chunk in chunks] == [0]


def test_typed_columns_are_spelled_exactly(tmp_path: Path) -> None:
    """Numbers in full, truth values as words, lists as JSON, nulls as empty fields."""
    frame = pl.DataFrame(
        {"i": [1, None], "x": [0.1 + 0.2, 1e300], "b": [True, False], "l": [["a", 'b"'], []], "n": [None, None]}
    )
    target = tmp_path / "a.csv"

    with Csv().writer(target) as writer:
        writer.write(frame)

    expected = [("1", "0.30000000000000004", "true", '["a","b\\""]', ""), ("", "1e+300", "false", "[]", "")]
    assert expected == next(iter(Csv().read(target))).frame.rows()


def test_formulas_can_be_made_harmless(tmp_path: Path) -> None:
    """On request, texts that a spreadsheet would run get an apostrophe."""
    frame = pl.DataFrame({"text": ["=cmd()", "+1", "-1", "@x", "\tx", "plain", "a=b"]})
    target = tmp_path / "a.csv"

    with Csv(spreadsheet_safe=True).writer(target) as writer:
        writer.write(frame)

    expected = ["'=cmd()", "'+1", "'-1", "'@x", "'\tx", "plain", "a=b"]
    assert expected == next(iter(Csv().read(target))).frame["text"].to_list()


def test_nul_is_not_written(tmp_path: Path) -> None:
    """A text with NUL is refused with its row and column, and no file appears."""
    target = tmp_path / "a.csv"

    with pytest.raises(BadInputError, match=r"a\.csv, line 2, field 'text': a NUL"), Csv().writer(target) as writer:
        writer.write(pl.DataFrame({"id": ["1", "2"], "text": ["a", "b\0"]}))

    assert list(tmp_path.iterdir()) == []


def test_raw_bytes_are_not_written(tmp_path: Path) -> None:
    """A column without a text form is refused."""
    with (
        pytest.raises(BadInputError, match="column of type Binary cannot be written as text"),
        Csv().writer(tmp_path / "a.csv") as writer,
    ):
        writer.write(pl.DataFrame({"b": [b"x"]}))


def test_columns_stay_the_same_while_writing(tmp_path: Path) -> None:
    """A second frame with other columns is a wrong call."""
    with Csv().writer(tmp_path / "a.csv") as writer:
        writer.write(pl.DataFrame({"a": ["1"]}))
        with pytest.raises(UsageError, match="expected the columns"):
            writer.write(pl.DataFrame({"b": ["1"]}))
