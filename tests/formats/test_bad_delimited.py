"""Files with real faults on disk: one clear message each, with the file, the line and the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from labelmill.errors import BadInputError, BadRow, StorageError, UsageError
from labelmill.formats._records import Records
from labelmill.formats.csv import Csv
from labelmill.formats.tsv import Tsv

Read = tuple[list[tuple[str, ...]], list[BadRow]]


def read(path: Path, content: bytes, plugin: Csv | Tsv | None = None, chunk_rows: int = 50_000) -> Read:
    path.write_bytes(content)
    chunks = list((plugin or Csv()).read(path, chunk_rows=chunk_rows))
    return [row for c in chunks for row in c.frame.rows()], [row for c in chunks for row in c.bad_rows]


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"", 1, "the file is empty"),
        (b"\n\r\n\n", 1, "the file is empty"),
        (b"\xef\xbb\xbf", 1, "the file is empty"),
        (b"id,text,id\n1,a,2\n", 1, "field 'id': column 3 has the name of an earlier one"),
        (b"id,te\0xt\n1,a\n", 1, "a NUL character (U+0000)"),
        (b'id,"text\n1,a\n', 1, "the quote opened here is not closed by the end of the file"),
        (b'id,"te"xt\n1,a\n', 1, "text follows a closing quote"),
    ],
)
def test_a_broken_header_refuses_the_file(tmp_path: Path, content: bytes, line: int, reason: str) -> None:
    """Without a header that names every column once, no row means anything."""
    path = tmp_path / "bad.csv"

    with pytest.raises(BadInputError) as raised:
        read(path, content)

    assert line == raised.value.bad_rows[0].line
    assert f"{path}, line {line}" in str(raised.value)
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    ("row", "line", "reason"),
    [
        (b"1\n", 2, "found 1 field, the header names 2; the last is '1'"),
        (b"1,a,\n", 2, "found 3 fields, the header names 2; the last is ''"),
        (b"1,a,b,c\n", 2, "found 4 fields, the header names 2; the last is 'c'"),
        (b" \n", 2, "found 1 field, the header names 2"),
        (b'1,"a"b\n', 2, "text follows a closing quote"),
        (b'1,"a" \n', 2, "text follows a closing quote"),
        (b"1,a\0b\n", 2, "a NUL character (U+0000) is not allowed in a text"),
        (b'1,"a\nb', 2, "the quote opened here is not closed"),
        (b'1,"two\nlines",more\n', 2, "found 3 fields"),
    ],
)
def test_a_bad_row_is_reported_and_the_next_is_read(tmp_path: Path, row: bytes, line: int, reason: str) -> None:
    """A fault costs its own row and no other."""
    path = tmp_path / "bad.csv"

    rows, bad = read(path, b"id,text\n" + row + b'\n8,good "one"\n9,"good"\n')

    assert rows[-2:] == [("8", 'good "one"'), ("9", "good")]
    assert line == bad[0].line
    assert str(path) == bad[0].source
    assert reason in bad[0].reason


def test_nul_names_its_column(tmp_path: Path) -> None:
    """The field with the NUL is named."""
    _, bad = read(tmp_path / "a.csv", b"id,text\n1,a\0b\n")

    assert [row.field for row in bad] == ["text"]


def test_an_unclosed_quote_does_not_swallow_the_file(tmp_path: Path) -> None:
    """The message names the line where the quote opens; every row behind it is read."""
    content = b'id,text\n1,one\n2,"open\n' + b"".join(b"%d,plain\n" % i for i in range(3, 200))

    rows, bad = read(tmp_path / "a.csv", content)

    assert [row.line for row in bad] == [3]
    assert "the quote opened here is not closed by the end of the file" in bad[0].reason
    assert ["1", *map(str, range(3, 200))] == [row[0] for row in rows]


def test_an_unclosed_quote_before_a_quoted_row(tmp_path: Path) -> None:
    """A quote that the next quoted field seems to close is found out by the text behind it."""
    rows, bad = read(tmp_path / "a.csv", b'id,text\n1,"open\n2,"fine"\n3,"fine too"\n')

    assert rows == [("2", "fine"), ("3", "fine too")]
    assert [row.line for row in bad] == [2]
    assert "not closed before line 3" in bad[0].reason


def test_the_line_is_that_of_the_open_quote(tmp_path: Path) -> None:
    """A record may begin lines before the quote that breaks it."""
    rows, bad = read(tmp_path / "a.csv", b'id,text\n"a\nb","open\n5,fine\n')

    assert rows == [("5", "fine")]
    assert [row.line for row in bad] == [3]


def test_a_broken_record_says_where_it_begins(tmp_path: Path) -> None:
    """All lines of a record that breaks late are accounted for in its message."""
    rows, bad = read(tmp_path / "a.csv", b'id,text\n1,"a\n2,","b\n3,c\n')

    assert rows == [("3", "c")]
    assert [row.line for row in bad] == [3]
    assert "(the record begins on line 2)" in bad[0].reason


@pytest.mark.parametrize("row", [b'a",",\n', b'1,"open\n', b'"\n', b'"",""\n', b'"""\n', b'","\n', b'a"",""x\n'])
def test_no_line_is_read_three_times(row: bytes) -> None:
    """However the quotes are set against it, reading takes time in proportion to the file."""
    lines = [row.decode()] * 50
    records = Records((lines for _ in range(400)), source="a.csv", delimiter=",", limit=5000)

    n_characters = sum(records.size for _ in records)

    assert n_characters <= 2 * 400 * 50 * len(row)


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_lines_are_counted_for_every_line_end(tmp_path: Path, ending: bytes) -> None:
    """The number is the line on which the record begins, also behind line ends inside quotes and empty lines."""
    lines = [b"id,text", b'1,"a', b'b"', b"", b"2,c", b"bad", b"3,d", b""]
    path = tmp_path / "a.csv"
    path.write_bytes(ending.join(lines))

    chunk = next(iter(Csv().read(path)))

    assert list(chunk.lines) == [2, 5, 7]
    assert [row.line for row in chunk.bad_rows] == [6]
    assert f"a{ending.decode()}b" == chunk.frame["text"][0]


def test_only_line_ends_end_a_line(tmp_path: Path) -> None:
    """U+2028, U+0085, vertical tab, form feed and the separators belong to the text."""
    text = "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\x1dh\x1ei"

    rows, bad = read(tmp_path / "a.csv", f"id,text\n1,{text}\n".encode())

    assert [("1", text)] == rows
    assert bad == []


def test_long_fields_are_read_up_to_the_limit(tmp_path: Path) -> None:
    """A field above the 131,072 characters of Python's csv is taken."""
    text = "x" * 500_000

    rows, bad = read(tmp_path / "a.csv", f'id,text\n1,"{text}"\n'.encode())

    assert text == rows[0][1]
    assert bad == []


def test_a_line_of_100_mb_gives_one_error(tmp_path: Path) -> None:
    """A line beyond the limit is one bad row; the rows around it are read."""
    path = tmp_path / "long.csv"
    with path.open("wb") as file:
        file.write(b"id,text\n1,a\n2,")
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b"\n3,c\n")

    chunks = list(Csv().read(path))

    assert chunks[0].frame["id"].to_list() == ["1", "3"]
    assert [BadRow(str(path), 3, None, "the record is longer than 67108864 characters")] == chunks[0].bad_rows


def test_a_quoted_record_beyond_the_limit_is_an_open_quote(tmp_path: Path) -> None:
    """A quote that runs past the limit is reported where it opens, and the lines behind it are read."""
    content = b'id,text\n1,"open\n' + b"".join(b"%d,plain\n" % i for i in range(2, 400))

    rows, bad = read(tmp_path / "a.csv", content, Csv(record_limit=2000))

    assert [row.line for row in bad] == [2]
    assert "not closed within 2000 characters" in bad[0].reason
    assert len(rows) == 398


def test_bad_rows_count_towards_a_chunk(tmp_path: Path) -> None:
    """A file of nothing but faults is reported piece by piece."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,text\n" + b"1\n" * 10)

    chunks = list(Csv().read(path, chunk_rows=4))

    assert [len(chunk.bad_rows) for chunk in chunks] == [4, 4, 2]
    assert chunks[0].frame.columns == ["id", "text"]


def test_messages_show_no_control_characters(tmp_path: Path) -> None:
    """What a file holds is shown escaped and short."""
    _, bad = read(tmp_path / "a.csv", b"id,text\n1,b,\x1b[31m" + b"x" * 500 + b"\n")

    assert "\x1b" not in str(bad[0])
    assert len(str(bad[0])) < 300 + len(str(tmp_path))


def test_tabs_delimit_tsv(tmp_path: Path) -> None:
    """Commas are text in TSV, and quotes work as in CSV."""
    rows, bad = read(tmp_path / "a.tsv", b'id\ttext\n1\ta,b\n2\t"c\td"\n3\n', Tsv())

    assert rows == [("1", "a,b"), ("2", "c\td")]
    assert [row.line for row in bad] == [4]


def test_a_folder_is_no_csv(tmp_path: Path) -> None:
    """Reading a folder as a file raises StorageError."""
    with pytest.raises(StorageError, match="is a folder"):
        list(Csv().read(tmp_path))


def test_chunks_have_rows(tmp_path: Path) -> None:
    """A chunk of no rows is a wrong call."""
    with pytest.raises(UsageError, match="chunk_rows must be at least 1"):
        list(Csv().read(tmp_path / "a.csv", chunk_rows=0))
