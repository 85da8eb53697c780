"""What every format promises, on rows that any of them can hold: `id`, `text`, `label`, all text.

The factory takes no argument and gives the format::

    from labelmill.testing import format
    for promise in format.PROMISES:
        promise(MyFormat)
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import polars as pl

from labelmill.errors import LabelmillError, StorageError

__all__ = ["PROMISES"]

Factory = Callable[[], Any]

TEXTS = (
    "plain",
    "",
    " spaces around ",
    'quotes "inside", and, commas',
    "'=1+1",
    "=1+1",
    "two\nlines",
    "\r",
    "\r\n",
    "ends with a line\n",
    "tab\tinside",
    "NA",
    "null",
    "007",
    "1e400",
    "-0",
    '"',
    '""',
    "\\",
    "\\n",
    "[]",
    '{"a": 1}',
    "\ufeffmark",
    "line\u2028separator, next\x85line, form\x0cfeed, file\x1cseparator",
    "\u0301combining first, e\u0301 and é",
    "astral 💩 \U0010ffff",
    "right \u202e to left",
    "noncharacter \ufffe \uffff",
    "x" * 200_000,
)


def promise_round_trip_is_exact(factory: Factory) -> None:
    """What is written comes back: every code point, in order, with nothing stripped or guessed."""
    frame = _frame([*TEXTS, *_random_texts(300)])
    with _target(factory) as target:
        _write(factory(), target, frame)
        assert frame.rows() == _read(factory(), target).rows()


def promise_columns_keep_their_order(factory: Factory) -> None:
    """The columns come back by name and order."""
    with _target(factory) as target:
        _write(factory(), target, _frame(["a"]))
        assert _read(factory(), target).columns == ["id", "text", "label"]


def promise_reading_comes_in_chunks(factory: Factory) -> None:
    """No chunk has more rows than asked for, and together they are the file."""
    frame = _frame([f"text {i}" for i in range(10)])
    with _target(factory) as target:
        _write(factory(), target, frame)
        chunks = list(factory().read(target, chunk_rows=3))
    assert all(chunk.frame.height + len(chunk.bad_rows) <= 3 for chunk in chunks)
    assert frame.rows() == [row for chunk in chunks for row in chunk.frame.rows()]


def promise_rows_carry_their_line(factory: Factory) -> None:
    """Each row has one line or record number, from 1, rising through the whole file."""
    with _target(factory) as target:
        _write(factory(), target, _frame([f"text {i}\nof two lines" for i in range(10)]))
        chunks = list(factory().read(target, chunk_rows=4))
    lines = [line for chunk in chunks for line in chunk.lines]
    assert len(lines) == 10
    assert lines[0] >= 1
    assert lines == sorted(set(lines))


def promise_same_rows_give_same_bytes(factory: Factory) -> None:
    """Writing the same rows again gives the same file."""
    frame = _frame(TEXTS)
    contents = []
    for _ in range(2):
        with _target(factory) as target:
            _write(factory(), target, frame)
            contents.append(_content(target))
    assert contents[0] == contents[1]


def promise_parts_give_the_whole(factory: Factory) -> None:
    """Rows written in several frames, an empty one among them, are read as if written at once."""
    frame = _frame([f"text {i}" for i in range(9)])
    with _target(factory) as target:
        with factory().writer(target) as writer:
            for part in (frame[:4], frame[:0], frame[4:]):
                writer.write(part)
        assert frame.rows() == _read(factory(), target).rows()


def promise_reading_twice_gives_the_same(factory: Factory) -> None:
    """A file says the same every time it is read."""
    with _target(factory) as target:
        _write(factory(), target, _frame(TEXTS))
        assert _read(factory(), target).equals(_read(factory(), target))


def promise_a_failure_leaves_nothing(factory: Factory) -> None:
    """An exception while writing leaves neither the target nor anything else behind."""
    with _target(factory) as target:
        with suppress(RuntimeError), factory().writer(target) as writer:
            writer.write(_frame(["a"]))
            raise RuntimeError("the power went out")
        assert list(target.parent.iterdir()) == []


def promise_only_the_target_is_left(factory: Factory) -> None:
    """After writing there is the target and nothing beside it."""
    with _target(factory) as target:
        _write(factory(), target, _frame(TEXTS))
        assert list(target.parent.iterdir()) == [target]


def promise_a_missing_folder_is_named(factory: Factory) -> None:
    """Writing into a folder that does not exist raises StorageError with its path."""
    with _target(factory) as target:
        nowhere = target.parent / "nowhere" / target.name
        message = _storage_message(lambda: _write(factory(), nowhere, _frame(["a"])))
        assert str(nowhere.parent) in message


def promise_a_missing_file_is_named(factory: Factory) -> None:
    """Reading what does not exist raises StorageError with its path."""
    with _target(factory) as target:
        message = _storage_message(lambda: _read(factory(), target))
        assert str(target) in message


def promise_damage_is_reported(factory: Factory) -> None:
    """A cut or changed file gives bad rows or an error of ours, never another exception."""
    rng = random.Random(7)
    with _target(factory) as target:
        _write(factory(), target, _frame([f'text {i}, "quoted"\nand more' for i in range(40)]))
        if target.is_dir():
            return
        content = target.read_bytes()
        for _ in range(60):
            target.write_bytes(_damaged(content, rng))
            message = _message_of_reading(factory(), target)
            assert not message or str(target) in message, message


def promise_packed_files_come_back(factory: Factory) -> None:
    """A format that says `compressible` reads and writes `.gz` and `.zst`, the same bytes every time."""
    if not getattr(factory(), "compressible", False):
        return
    frame = _frame([*TEXTS[:10], *_random_texts(50)])
    for ending in (".gz", ".zst"):
        with _target(factory, ending) as target:
            _write(factory(), target, frame)
            content = target.read_bytes()
            assert frame.rows() == _read(factory(), target).rows()
            _write(factory(), target, frame)
            assert content == target.read_bytes()


def _frame(texts: Any) -> pl.DataFrame:
    """Rows that any format can hold: the id is also a path below a folder named as the label, in order."""
    texts = list(texts)
    half = (len(texts) + 1) // 2
    labels = ["ham" if i < half else "spam" for i in range(len(texts))]
    ids = [f"{label}/{i:06}.txt" for i, label in enumerate(labels)]
    return pl.DataFrame(
        {"id": ids, "text": texts, "label": labels}, schema=dict.fromkeys(("id", "text", "label"), pl.String)
    )


def _random_texts(n: int) -> Iterator[str]:
    rng = random.Random(1)
    special = "\",\r\n\t\\'=;|\ufeff\u2028\x85\x0b{}[]:"
    for _ in range(n):
        yield "".join(
            rng.choice(special)
            if rng.random() < 0.5
            else chr(rng.choice((rng.randint(1, 0xD7FF), rng.randint(0xE000, 0x10FFFF))))
            for _ in range(rng.randint(0, 12))
        )


def _damaged(content: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(content))
    if rng.random() < 0.5:
        return content[:place]
    return content[:place] + rng.randbytes(rng.randint(1, 4)) + content[place + rng.randint(0, 4) :]


@contextmanager
def _target(factory: Factory, packed: str = "") -> Iterator[Path]:
    suffixes = factory().suffixes
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / f"rows{suffixes[0] if suffixes else ''}{packed}"


def _write(plugin: Any, target: Path, frame: pl.DataFrame) -> None:
    with plugin.writer(target) as writer:
        writer.write(frame)


def _read(plugin: Any, source: Path) -> pl.DataFrame:
    chunks = list(plugin.read(source))
    bad = [row for chunk in chunks for row in chunk.bad_rows]
    assert not bad, bad
    frame: pl.DataFrame = pl.concat([chunk.frame for chunk in chunks])
    return frame


def _message_of_reading(plugin: Any, source: Path) -> str:
    """The first bad row or the error as a message; "" if the file can be read whole."""
    try:
        for chunk in plugin.read(source):
            assert chunk.frame.height == len(chunk.lines)
            if chunk.bad_rows:
                return str(chunk.bad_rows[0])
    except LabelmillError as error:
        return str(error)
    return ""


def _content(path: Path) -> dict[str, bytes]:
    if path.is_file():
        return {"": path.read_bytes()}
    return {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}


def _storage_message(act: Callable[[], object]) -> str:
    try:
        act()
    except StorageError as error:
        return str(error)
    raise AssertionError("no StorageError was raised")


PROMISES = [
    promise_round_trip_is_exact,
    promise_columns_keep_their_order,
    promise_reading_comes_in_chunks,
    promise_rows_carry_their_line,
    promise_same_rows_give_same_bytes,
    promise_parts_give_the_whole,
    promise_reading_twice_gives_the_same,
    promise_a_failure_leaves_nothing,
    promise_only_the_target_is_left,
    promise_a_missing_folder_is_named,
    promise_a_missing_file_is_named,
    promise_damage_is_reported,
    promise_packed_files_come_back,
]
