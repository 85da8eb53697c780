"""Structured answers of a file, checked: the table that models take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from labelmill.domain.answers import AnswerTable
from labelmill.domain.attributes import seen_attributes
from labelmill.domain.item import Item
from labelmill.domain.schema import WITHOUT_CLASSES, WITHOUT_REGIONS, LabelSchema
from labelmill.domain.vote import AnnotatorKind
from labelmill.errors import BadInputError, BadRow, UsageError
from labelmill.pipeline._answer_rows import RawAnswer, RawAnswers, canonical, read_raw_answers
from labelmill.pipeline._columns import column_of, text_of
from labelmill.pipeline._data_files import NOTHING, format_of, refuse_bad_rows
from labelmill.pipeline._kinds import kind_of
from labelmill.pipeline._merging import as_spelled
from labelmill.pipeline.ingest import OnBadRows

__all__ = ["AnswersOfFile", "read_answers"]

ORDERED: Final = frozenset({"rating", "ranking"})
"""Kinds of label whose classes must be named: their order, or their number, is part of the question."""

SIZES: Final = frozenset({"width", "height", "duration", "length"})
"""What tells how large an item is."""

DATA: Final = ("text", "image", "audio", "data")


@dataclass(frozen=True)
class AnswersOfFile:
    """The table, and what was said of the file on the way.

    Parameters
    ----------
    table : AnswerTable
    by_element : tuple of str
        Columns of an element where the file has one a row.
    n_superseded : int
        Answers that were given again further down.
    bad_rows : list of BadRow
        Left out (`on_bad_rows="skip"`).
    """

    table: AnswerTable
    by_element: tuple[str, ...]
    n_superseded: int
    bad_rows: list[BadRow]


def read_answers(
    votes: Path,
    label_kind: str,
    *,
    classes: Sequence[str] | None = None,
    items: Path | None = None,
    views: Path | None = None,
    kinds: Mapping[str, AnnotatorKind] | None = None,
    kind: AnnotatorKind | None = None,
    encoding: str | None = None,
    on_bad_rows: OnBadRows = "error",
) -> AnswersOfFile:
    """The answers of a file of votes of a structured kind.

    Parameters
    ----------
    votes : Path
        Columns `item`, `annotator` (`task`, `worker`) and `label`: the whole answer, as JSON where it is a list. Or
        one element a row: `label` is its class, and columns hold the rest (`start`, `end` of spans and segments; `x`,
        `y`, `width`, `height` or `x1`, `y1`, `x2`, `y2` of boxes; `x`, `y` of points; `points` of polygons; their
        `attributes`, a JSON object); a row with nothing in these columns says that the annotator found nothing.
    label_kind : str
        Name of a kind of label.
    classes : sequence of str, optional
        Class order; without it the classes seen, by code point.
    items : Path, optional
        Column `item` or `id`, and what is known of the items: `text`, `width`, `height`, `duration`, `tokens`.
        Answers are checked against it, and items without answers are kept.
    views : Path, optional
        Columns `item`, `annotator`: who looked at what. Who has no row among the votes found nothing.

    Raises
    ------
    BadInputError
        If a column is missing or a row cannot be taken, with its line.
    UsageError
        If classes are needed and not given.
    """
    raw, bad = read_raw_answers(votes, label_kind, encoding)
    if views is not None:
        bad += _add_views(raw, views)
    known = {} if items is None else _items(items)
    schema = _schema(label_kind, classes, raw)
    plugin = kind_of(schema)
    answers, values = [], []
    for answer in raw.answers:
        if items is not None and answer.item not in known:
            line = answer.lines[0] if answer.lines else None
            bad.append(BadRow(str(votes), line, "item", f"unknown item {answer.item!r}: it is not in {items}"))
            continue
        check = partial(plugin.validate, schema=schema, item=_checkable(known.get(answer.item)))
        value, fault = canonical(answer, str(votes), check, by_element=bool(raw.by_element))
        if fault is None:
            answers.append(answer)
            values.append(value)
        else:
            bad.append(fault)
    bad.sort(key=lambda row: (row.source, row.line or 0))
    refuse_bad_rows(bad, on_bad_rows)
    names = _in_order((*known, *(answer.item for answer in answers)))
    people = sorted({answer.annotator for answer in answers})
    said: dict[str, AnnotatorKind] = {**raw.kinds, **(dict.fromkeys(people, kind) if kind else {}), **(kinds or {})}  # type: ignore[dict-item]  # checked as it was read
    place, seat = ({name: i for i, name in enumerate(each)} for each in (names, people))
    table = AnswerTable(
        plugin,
        names,
        people,
        [place[answer.item] for answer in answers],
        [seat[answer.annotator] for answer in answers],
        values,
        classes=schema.classes,
        confidence=[answer.confidence for answer in answers],
        facts=[_facts(known.get(name)) for name in names],
        kinds=[said.get(name) for name in people],
    )
    return AnswersOfFile(table, raw.by_element, raw.n_superseded, bad)


def _schema(label_kind: str, classes: Sequence[str] | None, raw: RawAnswers) -> LabelSchema:
    attributes = () if label_kind in WITHOUT_REGIONS else seen_attributes(_told(raw))
    if classes is not None:
        return LabelSchema("label", tuple(classes), kind=label_kind, attributes=attributes)
    if label_kind in ORDERED:
        raise UsageError(f"a {label_kind} needs its classes in order: --classes poor,fair,good")
    seen = sorted({name for answer in raw.answers for name in _named(answer.value)})
    if not seen and label_kind not in WITHOUT_CLASSES:
        seen = ["label"]  # nothing was ever named: any class will do
    known = tuple(seen) if label_kind not in WITHOUT_CLASSES else ()
    return LabelSchema("label", known, kind=label_kind, attributes=attributes)


def _told(raw: RawAnswers) -> Iterable[Any]:
    """What shapes of answers that are not checked yet say besides their class."""
    for answer in raw.answers:
        if isinstance(answer.value, list):
            yield from (part.get("attributes") for part in answer.value if isinstance(part, Mapping))


def _named(value: Any) -> Iterable[str]:
    """Class names in an answer that is not checked yet."""
    parts = value if isinstance(value, list) else [value]
    named = (part.get("label") if isinstance(part, Mapping) else part for part in parts)
    return (name for name in named if isinstance(name, str) and name.strip() and name != "ABSTAIN")


def _add_views(raw: RawAnswers, path: Path) -> list[BadRow]:
    answered = {(answer.item, answer.annotator) for answer in raw.answers}
    bad = []
    reader = format_of(path)
    for chunk in reader.read(path):
        bad += chunk.bad_rows
        columns = chunk.frame.columns
        cells = (
            text_of(str(path), chunk, column_of(str(path), columns, names, NOTHING), NOTHING).to_list()
            for names in (("item", "task"), ("annotator", "worker"))
        )
        for line, item, annotator in zip(chunk.lines, *cells, strict=True):
            if not item or not annotator:
                bad.append(BadRow(str(path), line, "annotator" if item else "item", "is missing"))
            elif (item, annotator) not in answered:
                answered.add((item, annotator))
                raw.answers.append(RawAnswer(item, annotator, [], []))
    return bad


def _items(path: Path) -> dict[str, Item]:
    """What a file says of the items."""
    reader = format_of(path)
    items: dict[str, Item] = {}
    bad: list[BadRow] = []
    for chunk in reader.read(path):
        bad += chunk.bad_rows
        name = column_of(str(path), chunk.frame.columns, ("item", "id"), NOTHING)
        ids = text_of(str(path), chunk, name, NOTHING).to_list()
        for line, id_, row in zip(chunk.lines, ids, chunk.frame.iter_rows(named=True), strict=True):
            if not id_ or id_ in items:
                bad.append(BadRow(str(path), line, name, f"{id_!r} stands twice" if id_ else "is missing"))
                continue
            data = next((row[column] for column in DATA if row.get(column)), "")
            facts = {
                key: as_spelled(cell) for key, cell in row.items() if key not in {name, *DATA} and cell is not None
            }
            items[id_] = Item(id_, str(data), facts)
    if bad:
        raise BadInputError(bad, f"{NOTHING} Mend these rows.")
    return items


def _checkable(item: Item | None) -> Item | None:
    """The item, if enough is known of it: a span cannot be checked against a text that nobody gave."""
    return item if item is not None and (item.data or SIZES & set(item.facts)) else None


def _facts(item: Item | None) -> dict[str, Any]:
    if item is None:
        return {}
    facts = {"text": item.data, **item.facts} if item.data else dict(item.facts)
    words = facts.get("tokens")
    if not item.data and isinstance(words, list) and words and isinstance(words[0], str):
        facts["tokens"] = [[i, i + 1] for i in range(len(words))]  # without a text, offsets can only count the words
    return facts


def _in_order(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
