"""Aggregate from file to file, without a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from labelmill import registry
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote import ANNOTATOR_KINDS, AnnotatorKind
from labelmill.errors import BadInputError, BadRow, nearest
from labelmill.formats._endings import format_name
from labelmill.pipeline.aggregate import Aggregated, aggregate_votes
from labelmill.pipeline.ingest import OnBadRows

__all__ = ["aggregate_files", "read_vote_file"]

ALIASES = {"item": ("item", "task"), "annotator": ("annotator", "worker"), "label": ("label",)}


def aggregate_files(
    votes: Path,
    out: Path,
    *,
    model: str = "auto",
    seed: int = 0,
    classes: Sequence[str] | None = None,
    kind: AnnotatorKind | None = None,
    annotators: Path | None = None,
    reliabilities: Path | None = None,
    encoding: str | None = None,
    on_bad_rows: OnBadRows = "error",
) -> Aggregated:
    """The consensus of a file of votes, written to a file of labels.

    Parameters
    ----------
    votes : Path
        Columns `item`, `annotator`, `label` (`task` and `worker` are aliases); optional `kind`.
    out : Path
        Gets `item`, `label`, `confidence`, `tied` and one `p_<class>` per class; format by its ending.
    classes : sequence of str, optional
        Class order; without it the labels seen, sorted by code point.
    kind : {"person", "rule", "model"}, optional
        What all annotators are.
    annotators : Path, optional
        A file with columns `annotator`, `kind`.
    reliabilities : Path, optional
        Gets what was learned of each annotator.
    on_bad_rows : {"error", "skip"}
        Refuse the file at a bad row, or leave bad rows out.
    """
    if classes is not None:
        LabelSchema("label", tuple(classes))
    registry.find("label_model", model)
    writers = [registry.find("format", format_name(path))() for path in (out, reliabilities) if path is not None]
    frame = read_vote_file(votes, classes=classes, encoding=encoding, on_bad_rows=on_bad_rows)
    kinds: dict[str, AnnotatorKind] = {}
    if kind is not None:
        kinds = dict.fromkeys(frame["annotator"].unique().to_list(), kind)
    if annotators is not None:
        kinds |= _kinds(annotators)
    result = aggregate_votes(frame, model=model, classes=classes, kinds=kinds, seed=seed)
    with writers[0].writer(out) as writer:
        writer.write(result.consensus.to_frame())
    if reliabilities is not None:
        with writers[1].writer(reliabilities) as writer:
            writer.write(result.annotators)
    return result


def read_vote_file(
    path: Path,
    *,
    classes: Sequence[str] | None = None,
    encoding: str | None = None,
    on_bad_rows: OnBadRows = "error",
) -> pl.DataFrame:
    """The votes of a file as `item`, `annotator`, `label` and, if the file has it, `kind`.

    Raises
    ------
    BadInputError
        If a column is missing or a row cannot be taken; names file, line and field.
    """
    reader = registry.find("format", format_name(path))()
    frames: list[pl.DataFrame] = []
    bad: list[BadRow] = []
    for chunk in reader.read(path, encoding=encoding):
        columns = {role: _column(path, chunk.frame.columns, names) for role, names in ALIASES.items()}
        rows = chunk.frame.select(
            *(pl.col(name).cast(pl.String).alias(role) for role, name in columns.items()),
            *(pl.col(c).cast(pl.String) for c in ("kind",) if c in chunk.frame.columns),
            pl.Series("_line", list(chunk.lines), dtype=pl.Int64),
        )
        wrong = _wrong(str(path), rows, classes)
        bad += [*chunk.bad_rows, *wrong]
        lines = [row.line for row in wrong]
        frames.append((rows.filter(~pl.col("_line").is_in(lines)) if lines else rows).drop("_line"))
    if bad and on_bad_rows == "error":
        raise BadInputError(bad, "Nothing was written. Mend these rows, or leave them out with --on-bad-rows skip.")
    empty = {"item": pl.String, "annotator": pl.String, "label": pl.String}
    return pl.concat(frames, how="diagonal") if frames else pl.DataFrame(schema=empty)


def _column(path: Path, columns: Sequence[str], names: Sequence[str]) -> str:
    for name in names:
        if name in columns:
            return name
    found = ", ".join(columns) or "none"
    raise BadInputError([BadRow(str(path), 1, names[0], f"no such column; the file has: {found}")])


def _wrong(source: str, rows: pl.DataFrame, classes: Sequence[str] | None) -> list[BadRow]:
    bad = []
    for role in ("item", "annotator"):
        missing = rows.filter(pl.col(role).is_null() | (pl.col(role) == ""))
        bad += [BadRow(source, line, role, "is missing") for line in missing["_line"]]
    if classes is not None:
        named = pl.col("label").is_not_null() & ~pl.col("label").is_in(["", "ABSTAIN", *classes])
        unknown = rows.filter(named).select("_line", "label")
        bad += [
            BadRow(source, line, "label", f"unknown class {label!r}: {nearest(label, classes)}")
            for line, label in unknown.iter_rows()
        ]
    if "kind" in rows.columns:
        odd = rows.filter(pl.col("kind").is_not_null() & ~pl.col("kind").is_in(["", *ANNOTATOR_KINDS]))
        bad += [
            BadRow(source, line, "kind", f"unknown kind {kind!r}: {nearest(kind, ANNOTATOR_KINDS)}")
            for line, kind in odd.select("_line", "kind").iter_rows()
        ]
    return sorted(bad, key=lambda row: row.line or 0)


def _kinds(path: Path) -> Mapping[str, AnnotatorKind]:
    reader = registry.find("format", format_name(path))()
    kinds: dict[str, AnnotatorKind] = {}
    for chunk in reader.read(path):
        for column in ("annotator", "kind"):
            _column(path, chunk.frame.columns, (column,))
        for line, (name, kind) in zip(chunk.lines, chunk.frame.select("annotator", "kind").iter_rows(), strict=True):
            if kind not in ANNOTATOR_KINDS:
                reason = f"unknown kind {kind!r}: {nearest(str(kind), ANNOTATOR_KINDS)}"
                raise BadInputError([BadRow(str(path), line, "kind", reason)])
            kinds[name] = kind
    return kinds
