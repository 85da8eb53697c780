from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from labelmill import registry
from labelmill.errors import BadInputError, UsageError
from labelmill.formats.csv import Csv

TEXT = "naïve 💩 ÿ"


def texts(path: Path, encoding: str | None = None) -> list[str]:
    frame = next(iter(Csv().read(path, encoding=encoding))).frame
    assert frame.columns == ["id", "text"]
    return list(frame["text"])


@pytest.mark.parametrize(
    ("mark", "codec"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
@pytest.mark.parametrize("declare", [False, True])
def test_a_byte_order_mark_is_honoured(tmp_path: Path, mark: bytes, codec: str, declare: bool) -> None:
    """The mark says the encoding, and is no part of the first column's name."""
    path = tmp_path / "a.csv"
    path.write_bytes(mark + f"id,text\n1,{TEXT}\n".encode(codec))

    assert texts(path, codec if declare else None) == [TEXT]


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32"])
def test_codecs_with_a_mark_can_be_declared(tmp_path: Path, codec: str) -> None:
    """Python's names for encodings with a mark are taken."""
    path = tmp_path / "a.csv"
    path.write_bytes(f"id,text\n1,{TEXT}\n".encode(codec))

    assert texts(path, codec) == [TEXT]


@pytest.mark.parametrize("codec", ["cp1252", "latin-1", "utf-16-le", "utf-16-be", "shift_jis", "gb18030", "koi8-r"])
def test_a_declared_encoding_is_used(tmp_path: Path, codec: str) -> None:
    """Files in other encodings are read once they are declared."""
    text = {"shift_jis": "日本", "gb18030": "中文", "koi8-r": "привет"}.get(codec, "naïve ÿ")
    path = tmp_path / "a.csv"
    path.write_bytes(f"id,text\n1,{text}\n".encode(codec))

    assert [text] == texts(path, codec)


@pytest.mark.parametrize("name", ["csv", "tsv", "json", "jsonl"])
def test_a_wrong_byte_is_placed(tmp_path: Path, name: str) -> None:
    """The message has file, line, offset, and says how to declare the encoding."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"id,text\n1,ok\n2,na\xefve\n")

    with pytest.raises(BadInputError) as raised:
        list(registry.find("format", name)().read(path))

    assert f"{path}, line 3: byte 0xef at offset 17 is not valid UTF-8" in str(raised.value)
    assert "--encoding cp1252" in str(raised.value)


@pytest.mark.parametrize("before", [0, 1, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20 - 2])
def test_a_wrong_byte_is_placed_in_any_block(tmp_path: Path, before: int) -> None:
    """Offset and line are right wherever the file is cut into blocks, and behind a mark."""
    head = codecs.BOM_UTF8 + b"id,text\r\n"
    path = tmp_path / "a.csv"
    path.write_bytes(head + b"\xc3\xa9" * (before // 2) + b"x" * (before % 2) + b"\n\xe2\x82")

    with pytest.raises(BadInputError) as raised:
        list(Csv().read(path))

    assert f"line 3: byte 0xe2 at offset {len(head) + before + 1} " in str(raised.value)


def test_utf_16_without_a_mark_is_recognised(tmp_path: Path) -> None:
    """The message says what the file looks like and how to declare it."""
    path = tmp_path / "a.csv"
    path.write_bytes("id,text\n1,abc\n".encode("utf-16-le"))

    with pytest.raises(BadInputError, match="--encoding utf-16-le"):
        list(Csv().read(path))


def test_utf_16_needs_its_byte_order(tmp_path: Path) -> None:
    """Declaring `utf-16` for a file without a mark says nothing about the order of its bytes."""
    path = tmp_path / "a.csv"
    path.write_bytes("id,text\n1,abc\n".encode("utf-16-le"))

    with pytest.raises(BadInputError, match="Declare utf-16-le or utf-16-be"):
        list(Csv().read(path, encoding="utf-16"))


def test_a_mark_that_contradicts_is_refused(tmp_path: Path) -> None:
    """A UTF-8 mark read as cp1252 would put three wrong letters into the first column's name."""
    path = tmp_path / "a.csv"
    path.write_bytes(codecs.BOM_UTF8 + b"id,text\n1,a\n")

    with pytest.raises(BadInputError, match="begins with the mark of UTF-8, but 'cp1252' was declared"):
        list(Csv().read(path, encoding="cp1252"))


@pytest.mark.parametrize("encoding", ["utf-9", "", "hex", "rot13", "zlib", "a\0b", "undefined"])
def test_an_unknown_encoding_is_a_wrong_call(tmp_path: Path, encoding: str) -> None:
    """The message names the encoding and some that exist."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,text\n1,a\n")

    with pytest.raises(UsageError, match=r"unknown encoding .* cp1252"):
        list(Csv().read(path, encoding=encoding))


def test_surrogates_out_of_a_codec_are_refused(tmp_path: Path) -> None:
    """A codec that makes half characters cannot smuggle them in."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,text\n1,\\ud800\xe9\n")

    with pytest.raises(BadInputError, match=r"a\.csv, line"):
        list(Csv().read(path, encoding="raw_unicode_escape"))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"\x1f\x8b\x08rest", "gzip"),
        (b"\x28\xb5\x2f\xfdrest", "Zstandard"),
        (b"PK\x03\x04rest", "ZIP"),
        (b"PAR1", "Parquet"),
    ],
)
def test_other_content_is_named(tmp_path: Path, content: bytes, found: str) -> None:
    """A packed file without its ending is recognised."""
    path = tmp_path / "a.csv"
    path.write_bytes(content)

    with pytest.raises(BadInputError, match=f"is {found} data, not text"):
        list(Csv().read(path))
