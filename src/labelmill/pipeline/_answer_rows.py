"""Rows of a file of structured answers: whole answers as JSON, or one element (a span, a box) a row."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from labelmill.domain.ports import Chunk
from labelmill.domain.strict_json import dumps, loads
from labelmill.domain.vote import ANNOTATOR_KINDS
from labelmill.domain.vote_columns import VOTE_COLUMNS
from labelmill.errors import BadInputError, BadRow, SchemaError, nearest
from labelmill.pipeline._columns import column_of, text_of
from labelmill.pipeline._data_files import NOTHING, format_of

__all__ = [
    "RawAnswer",
    "RawAnswers",
    "canonical",
    "element_columns",
    "element_rows",
    "raw_answers",
    "read_raw_answers",
]


NAMED: Final = ("item", "annotator")
"""What every answer names."""

ELEMENT_COLUMNS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "span": (("start", "end"),),
    "segment": (("start", "end"),),
    "box": (("x", "y", "width", "height"), ("x1", "y1", "x2", "y2")),
    "point": (("x", "y"),),
    "polygon": (("points",),),
}
"""Kind of label -> the columns that, beside `label`, hold one element a row, in each of the ways they are written."""

EXTRA_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "span": ("attributes",),
    "segment": ("text", "attributes"),
    "box": ("rotation", "score", "attributes"),
    "point": ("score", "attributes"),
    "polygon": ("score", "attributes"),
}
"""What else an element of a kind may have."""

JSON_CELLS: Final[Mapping[str, str]] = {"points": "a JSON list of [x, y]", "attributes": "a JSON object"}
"""Columns whose cells are JSON -> what each must be."""


@dataclass
class RawAnswer:
    """One annotator's answer on one item as the file has it, with the lines it came from."""

    item: str
    annotator: str
    value: Any
    lines: list[int | None]
    confidence: float = math.nan


@dataclass
class RawAnswers:
    """The answers of a file before they are checked against their kind.

    Parameters
    ----------
    answers : list of RawAnswer
        In the order of the file; the later of two whole answers of an annotator on an item.
    by_element : tuple of str
        Columns of an element where the file has one a row; empty for whole answers.
    kinds : mapping of str to str
        Annotator -> kind, where the file says.
    n_superseded : int
        Whole answers that an annotator gave again further down.
    """

    answers: list[RawAnswer] = field(default_factory=list)
    by_element: tuple[str, ...] = ()
    kinds: dict[str, str] = field(default_factory=dict)
    n_superseded: int = 0


def read_raw_answers(path: Path, kind: str, encoding: str | None) -> tuple[RawAnswers, list[BadRow]]:
    """The answers of a file, and its bad rows.

    Raises
    ------
    BadInputError
        If a column is missing.
    """
    reader = format_of(path)
    return raw_answers(reader.read(path, encoding=encoding), str(path), kind)


def raw_answers(
    chunks: Iterable[Chunk], source: str, kind: str, *, annotator: str | None = None
) -> tuple[RawAnswers, list[BadRow]]:
    """The same of chunks of a file; all by one annotator, if one is named."""
    found: dict[tuple[str, str], RawAnswer] = {}
    raw, bad = RawAnswers(), list[BadRow]()
    for chunk in chunks:
        columns = chunk.frame.columns
        if not columns and chunk.bad_rows:
            raise BadInputError(chunk.bad_rows, f"{NOTHING} No row could be read: its ending says its format.")
        bad += chunk.bad_rows
        raw.by_element = element_columns(kind, columns)
        for row in _rows(source, chunk, raw.by_element, annotator):
            reason = _take(raw, found, row, kind)
            if reason:
                bad.append(BadRow(source, row["line"], *reason))
    raw.answers = list(found.values())
    return raw, bad


def canonical(
    raw: RawAnswer, source: str, check: Callable[[Any], Any], *, by_element: bool
) -> tuple[Any, BadRow | None]:
    """The answer in the kind's form, or the row at fault; of elements the first that is none.

    Parameters
    ----------
    check : callable
        Takes a value, gives its canonical form, raises SchemaError.
    """
    if raw.value is None:
        return None, None
    if by_element:
        for line, element in zip(raw.lines, raw.value, strict=True):
            try:
                check([element])
            except SchemaError as error:
                return None, BadRow(source, line, "label", str(error))
    try:
        return check(raw.value), None
    except SchemaError as error:
        return None, BadRow(source, raw.lines[-1] if raw.lines else None, "label", str(error))


def element_rows(item: str, value: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """A row for each element of a merged value, in the columns of the file that was read; a blank one for none."""
    if not value:
        yield {"item": item, "label": None, **dict.fromkeys(columns)}
    for element in value:
        cells = dict(element)
        if "x1" in columns:
            x, y = cells.pop("x"), cells.pop("y")
            cells |= {"x1": x, "y1": y, "x2": x + cells.pop("width"), "y2": y + cells.pop("height")}
        if "points" in columns:
            cells["points"] = dumps([list(point) for point in cells["points"]])
        if "attributes" in cells:
            cells["attributes"] = dumps(cells["attributes"])
        yield {"item": item, "label": cells.get("label"), **{name: cells.get(name) for name in columns}}


def element_columns(kind: str, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns of an element, where a file with these columns has one a row; else none."""
    for names in ELEMENT_COLUMNS.get(kind, ()):
        if set(names) <= set(columns):
            return (*names, *(name for name in EXTRA_COLUMNS.get(kind, ()) if name in columns))
    return ()


def _rows(source: str, chunk: Chunk, by_element: Sequence[str], annotator: str | None) -> Iterator[dict[str, Any]]:
    columns = chunk.frame.columns
    cells: dict[str, Sequence[Any]] = {
        role: text_of(source, chunk, column_of(source, columns, VOTE_COLUMNS[role], NOTHING), NOTHING).to_list()
        for role in NAMED
        if role == "item" or annotator is None
    }
    if annotator is not None:
        cells["annotator"] = [annotator] * chunk.frame.height
    cells["label"] = chunk.frame[column_of(source, columns, ("label",), NOTHING)].to_list()
    for name in (*by_element, "confidence", "kind"):
        if name in columns:
            cells[name] = chunk.frame[name].to_list()
    for line, *row in zip(chunk.lines, *cells.values(), strict=True):
        yield {"line": line, **dict(zip(cells, row, strict=True))}


def _take(
    raw: RawAnswers, found: dict[tuple[str, str], RawAnswer], row: Mapping[str, Any], kind: str
) -> tuple[str, str] | None:
    """Put the row where it belongs; field and reason if it cannot be taken."""
    for role in NAMED:
        if not row[role]:
            return role, "is missing"
    name = row["annotator"]
    if row.get("kind"):
        if row["kind"] not in ANNOTATOR_KINDS:
            return "kind", f"unknown kind {row['kind']!r}: {nearest(str(row['kind']), ANNOTATOR_KINDS)}"
        if raw.kinds.setdefault(name, row["kind"]) != row["kind"]:
            return "kind", f"annotator {name!r} is called a {raw.kinds[name]} further up: one kind each"
    confidence = _confidence(row.get("confidence"))
    if confidence is None:
        return "confidence", f"expected a number between 0 and 1, found {row['confidence']!r}"
    key = (row["item"], name)
    if raw.by_element:
        return _take_element(found, key, row, raw.by_element, confidence)
    value, reason = _whole(row["label"], kind)
    if reason:
        return "label", reason
    raw.n_superseded += key in found
    found.pop(key, None)
    found[key] = RawAnswer(*key, value, [row["line"]], confidence)
    return None


def _take_element(
    found: dict[tuple[str, str], RawAnswer],
    key: tuple[str, str],
    row: Mapping[str, Any],
    columns: Sequence[str],
    confidence: float,
) -> tuple[str, str] | None:
    answer = found.setdefault(key, RawAnswer(*key, [], [], confidence))
    if _is_blank(row["label"]) and all(_is_blank(row[name]) for name in columns):
        return None
    element: dict[str, Any] = {"label": row["label"]}
    for name in columns:
        cell = row[name]
        if _is_blank(cell):
            continue
        found_value = _parsed(cell) if name in JSON_CELLS else cell if name == "text" else _number(cell)
        if found_value is None:
            return name, f"expected {JSON_CELLS.get(name, 'a number')}, found {cell!r}"
        element[name] = found_value
    if "x1" in columns:
        missing = [name for name in ("x1", "y1", "x2", "y2") if name not in element]
        if missing:
            return missing[0], "is missing"
        left, top, right, bottom = (element.pop(name) for name in ("x1", "y1", "x2", "y2"))
        element |= {"x": left, "y": top, "width": right - left, "height": bottom - top}
    answer.value.append(element)
    answer.lines.append(row["line"])
    return None


def _whole(cell: Any, kind: str) -> tuple[Any, str]:
    if _is_blank(cell) or cell == "ABSTAIN":
        return None, ""
    if isinstance(cell, pl.Series):
        cell = cell.to_list()
    if isinstance(cell, str) and kind != "text" and cell.lstrip()[:1] in {"[", "{"}:
        try:
            return loads(cell), ""
        except BadInputError as error:
            return None, f"no JSON: {error.bad_rows[0].reason}"
    return _without_nulls(cell), ""


def _without_nulls(value: Any) -> Any:
    """Elements without the keys they do not have: columns of objects fill them with null."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(part) for key, part in value.items() if part is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(part) for part in value]
    return value


def _is_blank(cell: Any) -> bool:
    return cell is None or cell == ""


def _number(cell: Any) -> float | int | None:
    try:
        number = float(cell)
    except (TypeError, ValueError):
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and "." not in str(cell) else number


def _parsed(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    try:
        return loads(cell)
    except BadInputError:
        return None


def _confidence(cell: Any) -> float | None:
    if _is_blank(cell):
        return math.nan
    number = _number(cell)
    return None if number is None or not 0 <= number <= 1 else float(number)
