"""The text of a file, block by block and line by line; what cannot be decoded exactly is refused."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from labelmill.errors import BadInputError, BadRow, UsageError
from labelmill.formats._bytes import byte_blocks

__all__ = ["RECORD_LIMIT", "count_line_ends", "line_lists", "shown", "text_blocks"]

RECORD_LIMIT: Final = 64 * 2**20
"""Characters in one record: a longer one is refused, so that no file fills the memory."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_OTHERS = (
    (b"\x1f\x8b", "gzip", "Give the file its ending .gz."),
    (b"\x28\xb5\x2f\xfd", "Zstandard", "Give the file its ending .zst."),
    (b"PK\x03\x04", "ZIP", "Unpack it first; of a spreadsheet, save a sheet as CSV."),
    (b"PAR1", "Parquet", "Give the file its ending .parquet."),
)
_WITHOUT_SURROGATES = {"utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "cp1252", "iso8859-1"}
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)")
_SHOWN = 40


def text_blocks(source: Path, encoding: str | None = None) -> Iterator[str]:
    """The characters of a text file, exactly as they stand in it, without the byte-order mark.

    Parameters
    ----------
    source : Path
        Plain, `.gz` or `.zst`.
    encoding : str, optional
        Name of a codec. Without it the byte-order mark decides, else strict UTF-8.

    Raises
    ------
    UsageError
        If no codec has the name.
    BadInputError
        If a byte cannot be decoded; names the line and the offset.
    StorageError
        If the file cannot be read.
    """
    if encoding is not None:
        _check_codec(encoding)
    decoder = None
    for block in byte_blocks(source):
        if decoder is None:
            codec, mark = _codec_of(str(source), block, encoding)
            decoder = _Decoder(str(source), codec, offset=mark)
            block = block[mark:]
        yield decoder.decode(block)
    if decoder is not None:
        yield decoder.decode(b"", final=True)


def line_lists(blocks: Iterable[str], limit: int = RECORD_LIMIT) -> Iterator[list[str]]:
    r"""Lines with their ends (`\n`, `\r\n`, `\r` and nothing else), many at a time.

    For a line longer than `limit` characters comes another of `limit + 1`: whoever takes it sees that it is too
    long, and nobody has to hold it.
    """
    held: list[str] = []
    size = 0
    is_too_long = False
    for block in blocks:
        end = _LINE_END.search(block)
        if end is None and not (held and held[-1].endswith("\r")):
            held.append(block)
            size += len(block)
        else:
            text = block[end.start() :] if end and is_too_long and not held else "".join([*held, block])
            cut = _end_of_last_line(text)
            lines = _split(text[:cut])
            if lines and is_too_long:
                lines[0], is_too_long = "x" * (limit + 1), False
            yield lines
            held, size = [text[cut:]], len(text) - cut
        if is_too_long or size > limit + 1:
            is_too_long = True
            held, size = (["\r"] if held[-1:] and held[-1].endswith("\r") else []), 0
    rest = "x" * (limit + 1) if is_too_long else "".join(held)
    if rest:
        yield [rest]


def count_line_ends(text: str) -> int:
    r"""How many lines end in the text: `\r\n` counts once."""
    n_returns = text.count("\r")
    return text.count("\n") + (n_returns - text.count("\r\n") if n_returns else 0)


def shown(text: str) -> str:
    """The beginning of a text as a message may show it: no control characters, not long."""
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}..."


_LINE_END = re.compile(r"[\r\n]")


def _end_of_last_line(text: str) -> int:
    # A return at the very end may be half of \r\n: its line waits for the next block.
    before = len(text) - 1 if text.endswith("\r") else len(text)
    return max(text.rfind("\n", 0, before), text.rfind("\r", 0, before)) + 1


def _split(text: str) -> list[str]:
    if "\r" in text:
        return _LINE.findall(text)
    lines = [line + "\n" for line in text.split("\n")]
    lines.pop()
    return lines


def _check_codec(encoding: str) -> None:
    try:
        codecs.getincrementaldecoder(encoding)
        b"a".decode(encoding)  # raises LookupError for codecs that give no text, such as hex
    except UnicodeDecodeError:
        return
    except (LookupError, ValueError) as error:
        raise UsageError(
            f"unknown encoding {encoding!r}: name a codec such as utf-8, utf-16, cp1252, latin-1, gb18030, shift_jis"
        ) from error


def _codec_of(source: str, head: bytes, encoding: str | None) -> tuple[str, int]:
    """Codec and length of the byte-order mark."""
    marked, length = next(((name, len(mark)) for mark, name in _MARKS if head.startswith(mark)), (None, 0))
    if encoding is None:
        if marked is None:
            _refuse_other_content(source, head)
        return marked or "utf-8", length
    declared = codecs.lookup(encoding).name
    if marked == "utf-8" and declared not in {"utf-8", "utf-8-sig"}:
        reason = f"begins with the mark of UTF-8, but {encoding!r} was declared"
        raise BadInputError([BadRow(source, 1, None, reason)], "Leave the encoding out, or declare utf-8.")
    if marked is not None and marked in {declared, f"{declared}-le", f"{declared}-be", declared.removesuffix("-sig")}:
        return marked, length
    if declared in {"utf-16", "utf-32"}:
        reason = f"has no byte-order mark, so {encoding!r} does not say which byte comes first"
        raise BadInputError([BadRow(source, 1, None, reason)], f"Declare {declared}-le or {declared}-be.")
    return declared, 0


def _refuse_other_content(source: str, head: bytes) -> None:
    for magic, name, hint in _OTHERS:
        if head.startswith(magic):
            raise BadInputError([BadRow(source, None, None, f"is {name} data, not text")], hint)
    sample = head[:4096]
    if len(sample) >= 4 and sample.count(0) * 4 > len(sample):
        codec = "utf-16-le" if sample[1] == 0 else "utf-16-be"
        reason = f"one byte in {len(sample) // sample.count(0)} is NUL: this is no UTF-8 text"
        raise BadInputError([BadRow(source, 1, None, reason)], f"If it is UTF-16, declare it: --encoding {codec}.")


class _Decoder:
    """Decodes block after block and knows where it is when it fails."""

    def __init__(self, source: str, codec: str, *, offset: int) -> None:
        self.source = source
        self.codec = codec
        self.offset = offset
        self.n_lines = 0
        self._decoder = codecs.getincrementaldecoder(codec)("strict")
        self._may_give_surrogates = codec not in _WITHOUT_SURROGATES
        self._ends_in_return = False

    def decode(self, block: bytes, *, final: bool = False) -> str:
        kept = len(self._decoder.getstate()[0])
        try:
            text = self._decoder.decode(block, final)
            if self._may_give_surrogates and not text.isascii():
                text.encode("utf-8")
        except UnicodeDecodeError as error:
            self._refuse(error, self.offset - kept + error.start)
        except UnicodeError as error:
            self._refuse(error, self.offset - kept)
        self.offset += len(block)
        self.n_lines += count_line_ends(text) - (self._ends_in_return and text.startswith("\n"))
        self._ends_in_return = text.endswith("\r") if text else self._ends_in_return
        return text

    def _refuse(self, error: UnicodeError, offset: int) -> None:
        line, found = self.n_lines + 1, "the block"
        if isinstance(error, UnicodeDecodeError):
            line += count_line_ends(error.object[: error.start].decode(self.codec, "ignore"))
            found = f"byte {error.object[error.start]:#04x}"
        reason = f"{found} at offset {offset} is not valid {self.codec.upper()}"
        hint = "Name the encoding of the file, for example --encoding cp1252, or save it as UTF-8."
        raise BadInputError([BadRow(self.source, line, None, reason)], hint) from error
