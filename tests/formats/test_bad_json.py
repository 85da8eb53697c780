"""JSON files with real faults on disk: one clear message each, with the file, the line, the key and the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from labelmill.errors import BadInputError, BadRow
from labelmill.formats.json import Json
from labelmill.formats.jsonl import Jsonl

ROWS = [
    (b'{"id": "2", "text": NaN}', "text", "NaN is not JSON"),
    (b'{"id": "2", "text": "a", "id": "3"}', "id", "the key appears twice"),
    (b'{"id": "2", "text": "\\ud83d"}', "text", "lone surrogate U+D83D"),
    (b'{"id": "2", "text": "\\u0000"}', "text", "NUL character"),
    (b'{"id": "2", "n": 1e400}', "n", "1e400 is beyond a 64-bit float"),
    (b'{"id": "2", "n": 12345678901234567890}', "n", "beyond 64 bits"),
    (b'{"id": 2, "text": "a"}', "id", "found a number, but the key holds text in an earlier row"),
    (b'{"id": "2", "text": ["a"]}', "text", "found a list or object, but the key holds text"),
    (b'{"id": "2", "text": true}', "text", "found true or false, but the key holds text"),
    (b'["2", "a"]', None, "expected an object with the row's columns, found a list"),
    (b'"text"', None, "found text"),
    (b"null", None, "found null"),
    (b"7", None, "found a number"),
    (b"true", None, "found true or false"),
    (b"{}", None, "the object is empty"),
    (b'{"a":' * 150 + b"[" * 100 + b"]" * 100 + b"}" * 150, None, "nested deeper than 200 levels"),
]


@pytest.mark.parametrize(("row", "field", "reason"), ROWS)
@pytest.mark.parametrize("is_array", [False, True])
def test_a_bad_row_is_reported_and_the_next_is_read(
    tmp_path: Path, is_array: bool, row: bytes, field: str | None, reason: str
) -> None:
    """A fault costs its own row and no other, in lines and in arrays."""
    path = tmp_path / "a.json"
    first, last = b'{"id": "1", "text": "a"}', b'{"id": "3", "text": "c"}'
    separator = b",\n" if is_array else b"\n"
    path.write_bytes((b"[" if is_array else b"") + separator.join([first, row, last]) + (b"]" if is_array else b"\n"))

    [chunk] = (Json() if is_array else Jsonl()).read(path)

    assert chunk.frame["id"].to_list() == ["1", "3"]
    assert list(chunk.lines) == [1, 3]
    [bad] = chunk.bad_rows
    assert (str(path), 2, field) == (bad.source, bad.line, bad.field)
    assert reason in bad.reason


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b'{"id": "2"', "not valid JSON at column"),
        (b'{"id": "2"} {"id": "3"}', "expected the end of the JSON value at column 13"),
        (b"{'id': '2'}", "not valid JSON at column 2"),
        (b"not json", "not valid JSON at column 1"),
        (b'{"id": "a\tb"}', "not valid JSON"),
        (b"[" * 200_000, "nested deeper than 200 levels"),
        (b'{"id": "' + b"x" * 2000 + b'"}', "the line is longer than 1500 characters"),
    ],
)
def test_a_bad_line_is_reported_and_the_next_is_read(tmp_path: Path, row: bytes, reason: str) -> None:
    """In JSON lines, broken syntax costs one line."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"id": "1"}\n' + row + b'\n{"id": "3"}')
    limit = 1500 if b"xxx" in row else 1_000_000

    [chunk] = Jsonl(record_limit=limit).read(path)

    assert chunk.frame["id"].to_list() == ["1", "3"]
    [bad] = chunk.bad_rows
    assert bad.line == 2
    assert reason in bad.reason
    assert len(str(bad)) < 300 + len(str(path))


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"", 1, "the file is empty: expected an array of objects"),
        (b" \n ", 1, "the file is empty"),
        (b'{"id": "1"}', 1, "expected '[' and an array of objects, found '{'"),
        (b'"text"', 1, "found '\"'"),
        (b'[{"id": "1"}', 1, "the file ends inside the array: it is cut off"),
        (b'[\n{"id": "1"},\n{"id": "2"', 3, "the file ends inside the array"),
        (b'[\n{"id": "1"},\n{"id": "2', 3, "the file ends inside the array"),
        (b'[\n{"id": "1"},\n', 2, "the file ends inside the array"),
        (b'[\n{"id": "1"}\n{"id": "2"}]', 3, "expected ',' or ']' behind the element, found '{'"),
        (b'[\n{"id": "1"},\n]', 3, "expected another element behind ',', found ']'"),
        (b'[\n{"id": "1"}]\nx', 3, "expected the end of the file behind the array, found 'x'"),
        (b'[\n{"id": "1"},\n{"id" "2"}, {"id": "333333333333333333333333"}]', 3, "not valid JSON"),
        (b"[" * 200_000, 1, "nested deeper than 200 levels"),
        (b'[{"id": "' + b"x" * 3_000_000 + b'"}]', 1, "the element is longer than 1000000 characters"),
    ],
)
def test_a_broken_array_ends_the_reading(tmp_path: Path, content: bytes, line: int, reason: str) -> None:
    """Where nobody can tell the next element, the file is refused with the place."""
    path = tmp_path / "a.json"
    path.write_bytes(content)

    with pytest.raises(BadInputError) as raised:
        list(Json(record_limit=1_000_000).read(path))

    assert f"{path}, line {line}: " in str(raised.value)
    assert reason in str(raised.value)


def test_an_object_is_pointed_to_jsonl(tmp_path: Path) -> None:
    """JSON lines under the wrong ending are recognised."""
    path = tmp_path / "a.json"
    path.write_bytes(b'{"id": "1"}\n{"id": "2"}\n')

    with pytest.raises(BadInputError, match=r"give the file the ending \.jsonl"):
        list(Json().read(path))


@pytest.mark.parametrize("content", [b"", b"\n \n\r\n", b"\xef\xbb\xbf\n"])
def test_empty_jsonl_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file without a single object is no data."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)

    with pytest.raises(BadInputError, match=r"a\.jsonl, line 1: the file is empty"):
        list(Jsonl().read(path))


def test_a_line_of_100_mb_gives_one_error(tmp_path: Path) -> None:
    """A line beyond the limit is one bad row; the rows around it are read."""
    path = tmp_path / "long.jsonl"
    with path.open("wb") as file:
        file.write(b'{"id": "1"}\n{"id": "')
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n{"id": "3"}\n')

    [chunk] = Jsonl().read(path)

    assert chunk.frame["id"].to_list() == ["1", "3"]
    assert [BadRow(str(path), 2, None, "the line is longer than 67108864 characters")] == chunk.bad_rows


def test_rows_of_nothing_but_faults(tmp_path: Path) -> None:
    """A file of bad rows gives them all and no frame of its own making."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"x\n" * 5)

    chunks = list(Jsonl().read(path, chunk_rows=2))

    assert [len(chunk.bad_rows) for chunk in chunks] == [2, 2, 1]
    assert [chunk.frame.shape for chunk in chunks] == [(0, 0)] * 3
