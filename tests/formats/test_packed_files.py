"""Compressed files: damaged, cut off, or made to unfold without end."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import polars as pl
import pytest
import zstandard

from labelmill.errors import BadInputError
from labelmill.formats.csv import Csv
from labelmill.formats.jsonl import Jsonl

CONTENT = b"id,text\n" + b"".join(b"%d,some text %d\n" % (i, i * 7919) for i in range(20_000))


def packed(ending: str, content: bytes) -> bytes:
    return gzip.compress(content, mtime=0) if ending == ".gz" else zstandard.compress(content)


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_cut_file_is_refused(tmp_path: Path, ending: str) -> None:
    """A download that broke off is not taken for the whole."""
    path = tmp_path / f"a.csv{ending}"
    content = packed(ending, CONTENT)
    path.write_bytes(content[: len(content) // 2])

    with pytest.raises(BadInputError, match=rf"a\.csv\{ending}: compressed data is damaged or cut off"):
        list(Csv().read(path))


@pytest.mark.parametrize("ending", [".gz", ".zst"])
@pytest.mark.parametrize("content", [b"id,text\n1,a\n", b"\x00" * 100])
def test_what_is_not_packed_is_refused(tmp_path: Path, ending: str, content: bytes) -> None:
    """A plain file under a packed ending is an error, not an empty file."""
    path = tmp_path / f"a.csv{ending}"
    path.write_bytes(content)

    with pytest.raises(BadInputError, match="compressed data is damaged"):
        list(Csv().read(path))


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_several_packed_pieces_are_one_file(tmp_path: Path, ending: str) -> None:
    """Pieces packed one by one and put together are read as one."""
    path = tmp_path / f"a.csv{ending}"
    path.write_bytes(packed(ending, b"id,text\n1,a\n2") + packed(ending, b",b\n"))

    assert next(iter(Csv().read(path))).frame.rows() == [("1", "a"), ("2", "b")]


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_bomb_is_read_in_bounded_memory(tmp_path: Path, ending: str) -> None:
    """A small file that unfolds to one line of 300 MB is one bad row, not 300 MB of memory."""
    path = tmp_path / f"a.jsonl{ending}"
    with path.open("wb") as file:
        stream = (
            gzip.GzipFile(fileobj=file, mode="wb")
            if ending == ".gz"
            else zstandard.ZstdCompressor().stream_writer(file)
        )
        with stream:
            stream.write(b'{"id": "1"}\n"')
            for _ in range(30):
                stream.write(b" " * 10_000_000)

    tracemalloc.start()
    [chunk] = Jsonl(record_limit=1_000_000).read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert path.stat().st_size < 1_000_000
    assert [row.line for row in chunk.bad_rows] == [2]
    assert peak < 100_000_000


def test_packed_bytes_do_not_depend_on_time(tmp_path: Path) -> None:
    """The gzip header holds neither the hour nor the private name of the file."""
    target = tmp_path / "a.csv.gz"

    with Csv().writer(target) as writer:
        writer.write(pl.DataFrame({"a": ["1"]}))

    assert target.read_bytes()[:8] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00"
