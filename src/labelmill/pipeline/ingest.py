"""Ingest: files of items, and of votes, into the lake. All of a file or nothing of it."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl

from labelmill import registry
from labelmill.domain.ports import Chunk
from labelmill.domain.vote import AnnotatorKind, Purpose
from labelmill.errors import BadInputError, BadRow, StorageError
from labelmill.formats._endings import format_name
from labelmill.pipeline._vote_rows import VoteRows
from labelmill.pipeline.workspace import Workspace

__all__ = ["Ingested", "ingest", "ingest_sources"]

MOST_BAD_ROWS = 1000
"""Bad rows gathered before reading stops: enough to mend a file by."""

SOURCES = "sources"
"""Document that remembers which files of the project file are in the lake, by content."""

OnBadRows = Literal["error", "skip"]


@dataclass(frozen=True, slots=True)
class Ingested:
    """What came of one file.

    Parameters
    ----------
    source : str
    n_items, n_votes : int
        New items and new votes in the lake.
    n_existing : int
        Items left out because the lake has them already.
    bad_rows : list of BadRow
        Rows left out (`on_bad_rows="skip"`).
    """

    source: str
    n_items: int = 0
    n_votes: int = 0
    n_existing: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)


def ingest(
    workspace: Workspace,
    source: str | Path,
    *,
    format: str | None = None,
    encoding: str | None = None,
    on_bad_rows: OnBadRows = "error",
    existing: OnBadRows = "error",
    id_column: str | None = None,
    data_column: str | None = None,
    votes_by: str | None = None,
    labels_by: str | None = None,
    purpose: Purpose = "label",
    kind: AnnotatorKind = "person",
) -> Ingested:
    """One file (or folder) into the lake.

    A file with the item's data is a file of items; one with `item` and `label` is a file of votes.

    Parameters
    ----------
    source : path
    format : str, optional
        Name of a format; known by the file's ending without it.
    encoding : str, optional
        Of text files; UTF-8 or a byte-order mark without it.
    on_bad_rows : {"error", "skip"}
        Refuse the whole file at a bad row, or leave bad rows out and list them.
    existing : {"error", "skip"}
        The same for items that are in the lake already.
    id_column, data_column : str, optional
        Columns of an items file; the project's setting without them. `id_column="auto"` numbers the rows.
    votes_by : str, optional
        The file holds answers of this annotator: columns `item` and `label`. A row without a label is not yet
        answered; `ABSTAIN` is an abstention.
    labels_by : str, optional
        The items file has a column `label` that counts as votes by this annotator.
    purpose : {"label", "review", "gold", "audit"}
        What the votes are for.
    kind : {"person", "rule", "model"}
        What the annotator of the votes is, where the file does not say.

    Raises
    ------
    BadInputError
        If the file has bad rows; the lake is as it was.
    """
    path = Path(source)
    if not path.exists():
        raise StorageError(f"{path}: no such file or folder")
    name = format or format_name(path)
    reader = registry.find("format", name)()
    chunks = reader.read(path, encoding=encoding or workspace.project["source.encoding"] or None)
    first, chunks = _peek(chunks)
    columns = first.frame.columns if first else []
    if first is not None and not columns and first.bad_rows:
        raise BadInputError(first.bad_rows, "Nothing was imported.")
    with workspace.lake.writing():
        if votes_by is not None or _holds_votes(workspace, columns, data_column):
            rows = VoteRows(workspace, str(source), votes_by=votes_by, purpose=purpose, kind=kind)
            return _ingest_votes(workspace, chunks, str(source), rows, on_bad_rows)
        items = _ItemRows(workspace, str(source), columns, id_column, data_column, existing)
        if name == "folders":
            labels_by = labels_by or "folders"
        votes = VoteRows(workspace, str(source), votes_by=labels_by, purpose=purpose, kind=kind) if labels_by else None
        return _ingest_items(workspace, chunks, str(source), items, votes, on_bad_rows)


def ingest_sources(workspace: Workspace) -> list[Ingested]:
    """Import the files named in the project file that are new or have changed since they were imported.

    A changed file of items brings its new rows; a changed file of votes supersedes the old answers.
    """
    known = dict(workspace.lake.read_document(SOURCES) or {})
    results = []
    for key in ("items", "votes"):
        for name in workspace.project[f"source.{key}"]:
            path = workspace.project.folder / name
            digest = _digest(path)
            if known.get(name) == digest:
                continue
            results.append(ingest(workspace, path, existing="skip"))
            known[name] = digest
            workspace.lake.write_document(SOURCES, known)
    return results


class _ItemRows:
    """Turns the rows of a file into an item frame, and says which cannot be taken."""

    def __init__(
        self,
        workspace: Workspace,
        source: str,
        columns: Sequence[str],
        id_column: str | None,
        data_column: str | None,
        existing: OnBadRows,
    ) -> None:
        self.source = source
        self.existing = existing
        self.id = id_column or workspace.project["source.id"]
        self.data = data_column or workspace.project["source.data"] or workspace.schema.modality
        for role, name, flag in (("id", self.id, "--id"), ("data", self.data, "--data")):
            if name not in columns and not (role == "id" and name == "auto"):
                automatic = ", or --id auto to number the rows" if role == "id" else ""
                raise BadInputError(
                    [BadRow(source, 1, name, f"no such column; the file has: {', '.join(columns) or 'none'}")],
                    f"Name the column with the {role} with {flag} COLUMN{automatic}.",
                )

    def frame(self, chunk: Chunk) -> tuple[pl.DataFrame, list[BadRow]]:
        """The good rows as `id`, `data`, `meta.*`, with their lines in `_line`; and the bad rows."""
        frame = chunk.frame.with_columns(pl.Series("_line", list(chunk.lines), dtype=pl.Int64))
        if self.id == "auto":
            stem = Path(self.source).name
            frame = frame.with_columns(pl.format("{}:{}", pl.lit(stem), "_line").alias("auto"))
        wrong = {
            self.id: _fault_of(pl.col(self.id).cast(pl.String), empty_is_wrong=True),
            self.data: _fault_of(pl.col(self.data).cast(pl.String), empty_is_wrong=False),
        }
        faults = frame.select("_line", *(fault.alias(name) for name, fault in wrong.items()))
        bad = list(chunk.bad_rows)
        for name in wrong:
            found = faults.filter(pl.col(name) != "").select("_line", name)
            bad += [BadRow(self.source, line, name, reason) for line, reason in found.iter_rows()]
        good = faults.select(pl.all_horizontal(pl.col(name) == "" for name in wrong)).to_series()
        rest = [c for c in chunk.frame.columns if c not in {self.id, self.data}]
        return (
            frame.filter(good).select(
                pl.col(self.id).cast(pl.String).alias("id"),
                pl.col(self.data).cast(pl.String).alias("data"),
                *(pl.col(c).alias(f"meta.{c}") for c in rest),
                "_line",
            ),
            bad,
        )


def _fault_of(value: pl.Expr, *, empty_is_wrong: bool) -> pl.Expr:
    missing = value.is_null() | (value == "") if empty_is_wrong else value.is_null()
    return (
        pl.when(missing)
        .then(pl.lit("is missing"))
        .when(value.str.contains("\0", literal=True))
        .then(pl.lit("holds a NUL character"))
        .otherwise(pl.lit(""))
    )


def _ingest_items(
    workspace: Workspace,
    chunks: Iterator[Chunk],
    source: str,
    rows: _ItemRows,
    votes: VoteRows | None,
    on_bad_rows: OnBadRows,
) -> Ingested:
    bad: list[BadRow] = []
    carried: list[pl.DataFrame] = []
    n_existing = 0
    seen = workspace.watch("import")
    with workspace.lake.append_items(source=source) as appender:
        for chunk in chunks:
            frame, wrong = rows.frame(chunk)
            again = appender.duplicates(frame["id"])
            if rows.existing == "skip":
                n_existing += len(again)
            else:
                repeated = frame[again].select("_line", "id")
                wrong += [
                    BadRow(source, line, rows.id, f"{name!r} is there already") for line, name in repeated.iter_rows()
                ]
            kept = frame.with_row_index().filter(~pl.col("index").is_in(again)).drop("index") if again else frame
            if votes is not None:
                carried.append(kept.select(item="id", label="meta.label", _line="_line"))
                kept = kept.drop("meta.label")
            appender.write(kept.drop("_line"))
            bad += wrong
            _refuse(bad, on_bad_rows, at_least=MOST_BAD_ROWS)
            seen(appender.n_rows, 0)
        _refuse(bad, on_bad_rows)
        n_items = appender.n_rows
    n_votes = 0
    if votes is not None and carried:
        labels = pl.concat(carried)
        chunk = Chunk(labels.drop("_line"), labels["_line"].to_list())
        n_votes = _ingest_votes(workspace, iter([chunk]), source, votes, on_bad_rows).n_votes
    return Ingested(source, n_items, n_votes, n_existing, bad)


def _ingest_votes(
    workspace: Workspace, chunks: Iterator[Chunk], source: str, rows: VoteRows, on_bad_rows: OnBadRows
) -> Ingested:
    bad: list[BadRow] = []
    good: list[pl.DataFrame] = []
    for chunk in chunks:
        frame, wrong = rows.frame(chunk)
        good.append(frame)
        bad += [*chunk.bad_rows, *wrong]
        _refuse(bad, on_bad_rows, at_least=MOST_BAD_ROWS)
    _refuse(bad, on_bad_rows)
    votes = pl.concat(good) if good else None
    if votes is not None and votes.height:
        workspace.lake.append_votes(votes, source=source)
    return Ingested(source, 0, 0 if votes is None else votes.height, 0, bad)


def _refuse(bad: list[BadRow], on_bad_rows: OnBadRows, *, at_least: int = 1) -> None:
    if on_bad_rows == "error" and len(bad) >= at_least:
        raise BadInputError(bad, "Nothing was imported. Mend these rows, or leave them out with --on-bad-rows skip.")


def _holds_votes(workspace: Workspace, columns: Sequence[str], data_column: str | None) -> bool:
    data = data_column or workspace.project["source.data"] or workspace.schema.modality
    return "label" in columns and bool({"item", "task"} & set(columns)) and data not in columns


def _peek(chunks: Iterator[Chunk]) -> tuple[Chunk | None, Iterator[Chunk]]:
    first = next(chunks, None)
    return first, iter(()) if first is None else itertools.chain([first], chunks)


def _digest(path: Path) -> str:
    if not path.exists():
        raise StorageError(f"{path}: no such file or folder; it is named in [source] of the project file")
    if path.is_dir():
        listing = sorted(f"{p.relative_to(path)} {p.stat().st_size} {p.stat().st_mtime_ns}" for p in path.rglob("*"))
        return hashlib.sha256("\n".join(listing).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
