from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from labelmill.errors import BadInputError, StorageError, UsageError
from labelmill.formats.folders import Folders


def make(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def write(target: Path, **columns: list[str | None]) -> None:
    with Folders().writer(target) as writer:
        writer.write(pl.DataFrame(columns))


def test_files_become_rows_in_order(tmp_path: Path) -> None:
    """The id is the path, the label the folder; the order is that of the names."""
    root = make(tmp_path / "data", {"spam/b.txt": b"B\r\n", "spam/a.txt": b"", "ham/10.txt": b" A ", "ham/9.txt": b"9"})

    [chunk] = Folders().read(root)

    expected = [
        ("ham/10.txt", " A ", "ham"),
        ("ham/9.txt", "9", "ham"),
        ("spam/a.txt", "", "spam"),
        ("spam/b.txt", "B\r\n", "spam"),
    ]
    assert expected == chunk.frame.rows()
    assert list(chunk.lines) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("spam/x.txt", b"na\xefve", "byte 0xef at offset 2 is not valid UTF-8"),
        ("spam/x.txt", b"a\0b", "a NUL character (U+0000)"),
        ("spam/x.pdf", b"%PDF", "expected a text file (.txt"),
        ("x.txt", b"a", "lies outside the class folders"),
        ("spam/x/y.txt", b"a", "is a folder inside a class folder"),
        ("spam/x.txt.gz", b"no gzip", "compressed data is damaged"),
        ("spam/x.txt", b"x" * 2000, "the file is longer than 1000 characters"),
    ],
)
def test_a_bad_file_is_reported_and_the_others_are_read(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    """A fault costs its own file and no other."""
    root = make(tmp_path / "data", {"ham/1.txt": b"one", "spam/z.txt": b"two", name: content})

    [chunk] = Folders(record_limit=1000).read(root)

    assert chunk.frame["text"].to_list() == ["one", "two"]
    [bad] = chunk.bad_rows
    assert str(root / name).startswith(bad.source)
    assert reason in bad.reason


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A link could lead out of the root: files and folders behind one are bad rows."""
    make(tmp_path / "secret", {"key.txt": b"secret"})
    root = make(tmp_path / "data", {"ham/1.txt": b"one"})
    (root / "ham" / "link.txt").symlink_to(tmp_path / "secret" / "key.txt")
    (root / "spam").symlink_to(tmp_path / "secret")

    [chunk] = Folders().read(root)

    assert chunk.frame["text"].to_list() == ["one"]
    assert [row.reason for row in chunk.bad_rows] == ["is a link: only files below the root are read"] * 2


def test_pipes_are_not_opened(tmp_path: Path) -> None:
    """A pipe would never end."""
    root = make(tmp_path / "data", {"ham/1.txt": b"one"})
    os.mkfifo(root / "ham" / "pipe.txt")

    [chunk] = Folders().read(root)

    assert [row.reason for row in chunk.bad_rows] == ["is no ordinary file"]


def test_hidden_files_are_passed_over(tmp_path: Path) -> None:
    """What begins with a dot belongs to the system, not to the data."""
    root = make(tmp_path / "data", {"ham/1.txt": b"one", ".git/x": b"", "ham/.DS_Store": b"\0", ".DS_Store": b"\0"})

    [chunk] = Folders().read(root)

    assert chunk.frame["text"].to_list() == ["one"]
    assert chunk.bad_rows == []


def test_names_that_are_no_text_are_bad_rows(tmp_path: Path) -> None:
    """A name in another encoding cannot be an id."""
    root = make(tmp_path / "data", {"ham/1.txt": b"one"})
    Path(os.fsdecode(os.fsencode(root / "ham") + b"/na\xefve.txt")).write_bytes(b"two")

    [chunk] = Folders().read(root)

    assert [row.reason for row in chunk.bad_rows] == ["the name is not valid UTF-8"]
    assert "\\udcef" in chunk.bad_rows[0].source


def test_an_empty_root_is_refused(tmp_path: Path) -> None:
    """The message says what was expected."""
    with pytest.raises(BadInputError, match="expected one folder for each class"):
        list(Folders().read(tmp_path))


def test_packed_and_declared_texts_are_read(tmp_path: Path) -> None:
    """An encoding is for all files."""
    root = make(tmp_path / "data", {"ham/1.txt": b"na\xefve"})

    [chunk] = Folders().read(root, encoding="cp1252")

    assert chunk.frame["text"].to_list() == ["naïve"]
    with pytest.raises(UsageError, match="unknown encoding"):
        list(Folders().read(root, encoding="utf-9"))


def test_ids_become_safe_names(tmp_path: Path) -> None:
    """No id leads out of its class folder, and different ids stay different."""
    ids: list[str | None] = [
        "1",
        "a/b",
        "../../x",
        ".hidden",
        "100%",
        "a%2Fb",
        "ham/own.txt",
        "spam/other.txt",
        "line\nend",
    ]
    write(tmp_path / "out", id=ids, text=ids, label=["ham"] * len(ids))

    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())

    expected = {"1", "a%2Fb", "%2E.%2F..%2Fx", "%2Ehidden", "100%25", "a%252Fb", "own", "spam%2Fother", "line%0Aend"}
    assert sorted(f"out/ham/{name}.txt" for name in expected) == names


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("1", "a", ".."), "line 2, field 'label': the class '..' cannot be the name of a folder"),
        (("1", "a", "a/b"), "the class 'a/b' cannot be the name of a folder"),
        (("1", "a", ""), "the class '' cannot be the name of a folder"),
        (("1", "a", None), "line 2, field 'label': expected a text"),
        (("1", "a\0", "ham"), "line 2, field 'text': expected a text without NUL"),
        (("0", "a", "ham"), "line 2, field 'id': '0' is there already in class 'ham'"),
    ],
)
def test_rows_that_cannot_be_files_are_refused(tmp_path: Path, row: tuple[str | None, ...], reason: str) -> None:
    """Nothing is renamed in silence, nothing appears."""
    with pytest.raises(BadInputError, match=reason):
        write(tmp_path / "out", id=["0", row[0]], text=["x", row[1]], label=["ham", row[2]])

    assert list(tmp_path.iterdir()) == []


def test_columns_are_needed(tmp_path: Path) -> None:
    """The message names the missing columns."""
    with pytest.raises(BadInputError, match="field 'label': no such column"):
        write(tmp_path / "out", id=["0"], text=["x"])


def test_a_folder_is_never_replaced(tmp_path: Path) -> None:
    """A folder that is there may hold other people's files."""
    make(tmp_path / "out", {"ham/1.txt": b"one"})

    with pytest.raises(StorageError, match="Choose another name, or remove it first"):
        write(tmp_path / "out", id=["0"], text=["x"], label=["ham"])
