"""Aggregate structured answers (spans, boxes, segments, numbers, texts) from file to file, without a project."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from labelmill import registry
from labelmill.domain.answers import AnswerTable, Merged
from labelmill.domain.ports import StructuredModel
from labelmill.domain.strict_json import dumps
from labelmill.domain.vote import AnnotatorKind
from labelmill.errors import BadRow
from labelmill.pipeline._answer_rows import element_rows
from labelmill.pipeline._answers_of_file import read_answers
from labelmill.pipeline._data_files import format_of
from labelmill.pipeline._merging import label_text, model_for, structured_annotators
from labelmill.pipeline.aggregate_files import check_different, kinds_of, published_together
from labelmill.pipeline.ingest import OnBadRows

__all__ = ["MergeSummary", "MergedFile", "merge_files"]


@dataclass(frozen=True)
class MergeSummary:
    """Merged answers in a few numbers.

    Parameters
    ----------
    n_items, n_answered : int
        Items; those with an answer.
    n_answers, n_superseded : int
        Answers, and those that do not count because the annotator answered the item again further down.
    n_elements : int or None
        Elements (spans, boxes) of all merged values; None where a value is no list.
    mean_confidence : float or None
        Over items with answers; None without.
    model : str
    details : mapping
        What the model says about itself.
    """

    n_items: int
    n_answered: int
    n_answers: int
    n_superseded: int
    n_elements: int | None
    mean_confidence: float | None
    model: str
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls, table: AnswerTable, merged: Sequence[Merged], model: StructuredModel, n_superseded: int = 0
    ) -> MergeSummary:
        """The summary of what a model made of a table."""
        given = [one for one in merged if one.value is not None]
        lists = [len(one.value) for one in given if isinstance(one.value, list)]
        sure = math.fsum(one.confidence for one in given)
        return cls(
            table.n_items,
            len(given),
            sum(value is not None for value in table.values),
            n_superseded,
            sum(lists) if lists else None,
            sure / len(given) if given else None,
            model.details_["model"],
            model.details_,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class MergedFile:
    """What was made of a file of structured answers.

    Parameters
    ----------
    annotators : polars.DataFrame
        Columns `annotator`, `kind`, `votes`, `reliability`.
    summary : MergeSummary
    merged : list of Merged
        One an item, in the order of `items`.
    items : list of str
    bad_rows : list of BadRow
        Left out (`on_bad_rows="skip"`).
    """

    annotators: pl.DataFrame
    summary: MergeSummary
    merged: list[Merged] = field(repr=False)
    items: Sequence[str] = field(repr=False)
    bad_rows: list[BadRow] = field(default_factory=list)


def merge_files(
    votes: Path,
    out: Path,
    label_kind: str,
    *,
    model: str | None = None,
    seed: int = 0,
    classes: Sequence[str] | None = None,
    kind: AnnotatorKind | None = None,
    annotators: Path | None = None,
    items: Path | None = None,
    views: Path | None = None,
    reliabilities: Path | None = None,
    encoding: str | None = None,
    on_bad_rows: OnBadRows = "error",
) -> MergedFile:
    """One value of many answers on each item of a file, written to a file.

    Parameters
    ----------
    votes : Path
        Structured answers, see `labelmill.pipeline._answers_of_file.read_answers`.
    out : Path
        Gets a row an item: `item`, `label` (JSON where it is a list), `confidence`, `parts` (that of each element).
        Or, where `votes` has one element a row, a row an element with its `confidence`; format by its ending.
    label_kind : str
        Name of a kind of label.
    model : str, optional
        Name of a structured model; that of the kind without it, or `by_distance`.
    kind, annotators, reliabilities, on_bad_rows
        As in `labelmill.pipeline.aggregate_files.aggregate_files`.
    items, views : Path, optional
        What is known of the items, and who looked at what.

    Raises
    ------
    UsageError
        If a name is unknown, or two of the files are the same.
    BadInputError
        If a column is missing or a row cannot be taken. Then, and whenever it fails, no output is written.
    """
    plugin = registry.find("structured_model", model_for(label_kind, model))
    check_different(
        {
            "--votes": votes,
            "--annotators": annotators,
            "--items": items,
            "--views": views,
            "--out": out,
            "--reliabilities": reliabilities,
        }
    )
    with published_together(out), ExitStack() as outputs:
        learned, labels = (
            None if path is None else outputs.enter_context(format_of(path).writer(path))
            for path in (reliabilities, out)
        )
        read = read_answers(
            votes,
            label_kind,
            classes=classes,
            items=items,
            views=views,
            kinds=kinds_of(annotators) if annotators is not None else None,
            kind=kind,
            encoding=encoding,
            on_bad_rows=on_bad_rows,
        )
        fitted = plugin(seed=seed).fit(read.table)
        merged = fitted.predict(read.table)
        rows = _element_frame if read.by_element else _answer_frame
        if labels is not None:
            labels.write(rows(read.table, merged, read.by_element))
        known = structured_annotators(read.table, fitted)
        if learned is not None:
            learned.write(known)
    summary = MergeSummary.of(read.table, merged, fitted, read.n_superseded)
    return MergedFile(known, summary, merged, read.table.items, read.bad_rows)


def _answer_frame(table: AnswerTable, merged: Sequence[Merged], _: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "item": list(table.items),
            "label": [label_text(one.value) for one in merged],
            "confidence": [one.confidence if one.value is not None else None for one in merged],
            "parts": [dumps(list(one.parts)) if one.parts else None for one in merged],
        },
        schema={"item": pl.String, "label": pl.String, "confidence": pl.Float64, "parts": pl.String},
    )


def _element_frame(table: AnswerTable, merged: Sequence[Merged], columns: Sequence[str]) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for item, one in zip(table.items, merged, strict=True):
        if one.value is None:
            continue
        parts = one.parts or (one.confidence,) * max(len(one.value), 1)
        elements = list(element_rows(item, one.value, columns))
        rows += [{**row, "confidence": part} for row, part in zip(elements, parts, strict=True)]
    types: dict[str, Any] = {name: pl.Float64 for name in columns if name not in {"points", "text", "attributes"}}
    if rows and all(isinstance(row[name], int | None) for row in rows for name in types):
        types = dict.fromkeys(types, pl.Int64)
    texts = dict.fromkeys(("item", "label", *(c for c in columns if c not in types)), pl.String)
    order = ["item", "label", *columns, "confidence"]
    schema = {**texts, **types, "confidence": pl.Float64}
    return pl.DataFrame(rows, schema={name: schema[name] for name in order})
