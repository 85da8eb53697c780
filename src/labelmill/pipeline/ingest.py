"""Ingest: files of items, and of votes, into the lake. All of a file or nothing of it."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl

from labelmill import registry
from labelmill.domain.ports import Chunk
from labelmill.domain.vote import AnnotatorKind, Purpose
from labelmill.errors import BadInputError, BadRow, StorageError, UsageError
from labelmill.formats._endings import format_name
from labelmill.pipeline._columns import column_of, text_of
from labelmill.pipeline._data_files import MEND_OR_SKIP
from labelmill.pipeline._media_items import media_items
from labelmill.pipeline._reasons import Reasons
from labelmill.pipeline._vote_rows import NOTHING, VoteRows
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.id_index import IdIndex
from labelmill.stores.item_set import ItemsAppender

__all__ = ["Ingested", "ingest", "ingest_items", "ingest_sources"]

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
    n_unanswered : int
        Rows of a file of answers without a label yet.
    """

    source: str
    n_items: int = 0
    n_votes: int = 0
    n_existing: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)
    n_unanswered: int = 0


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

    A file with the item's data is a file of items; one with `item` and `label` is a file of votes. Where items are
    pictures or recordings, a folder of them is an item for each file.

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
        The same for items that are in the lake already; an id that stands twice in the file is a bad row.
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
    UsageError
        If an annotator is named by an empty text, or the file's format is not known.
    """
    path = Path(source)
    for flag, annotator in (("--votes-by", votes_by), ("--labels-by", labels_by)):
        if annotator is not None and not annotator.strip():
            raise UsageError(f"{flag} needs a name, e.g. {flag} reviewer-1; found {annotator!r}")
    if votes_by is not None and labels_by is not None:
        raise UsageError("--votes-by says that the file holds answers, --labels-by that it holds items: give one")
    if not path.exists():
        raise StorageError(f"{path}: no such file or folder; check the path")
    name = format or _format_of(path)
    is_media = name == "folders" and workspace.schema.modality != "text"
    if is_media:
        chunks = media_items(workspace, path, with_labels=labels_by is not None)
    else:
        reader = registry.find("format", name)()
        chunks = reader.read(path, encoding=encoding or workspace.project["source.encoding"] or None)
    first, chunks = _peek(chunks)
    columns = first.frame.columns if first else []
    if first is not None and not columns and first.bad_rows:
        raise BadInputError(first.bad_rows, f"{NOTHING} No row could be read: mend it, or name its format: --format.")
    with workspace.lake.writing():
        if votes_by is not None or _holds_votes(workspace, columns, data_column):
            rows = VoteRows(workspace, str(source), votes_by=votes_by, purpose=purpose, kind=kind)
            return _ingest_votes(workspace, chunks, str(source), rows, on_bad_rows)
        items = _ItemRows(workspace, str(source), columns, id_column, data_column)
        if name == "folders" and not is_media:
            labels_by = labels_by or "folders"
        votes = None
        if labels_by is not None:
            column_of(str(source), columns, ["label"], f"{NOTHING} --labels-by counts this column as votes.")
            if "label" in {items.id, items.data}:
                raise UsageError("--labels-by counts the column 'label' as votes: it cannot be the id or the data too")
            votes = VoteRows(workspace, str(source), votes_by=labels_by, purpose=purpose, kind=kind, of_new_items=True)
        taken = _TakenIds(str(source), items.id, existing)
        return _ingest_items(workspace, chunks, items, votes, taken, on_bad_rows)


def ingest_items(workspace: Workspace, chunks: Iterator[Chunk], source: str) -> Ingested:
    """Rows of items into the lake, wherever they come from; what is there already and what is bad is left out.

    Coming twice changes nothing, so whoever brings rows and does not know whether they arrived brings them again.

    Parameters
    ----------
    chunks : iterator of Chunk
    source : str
        Where they come from: for messages and the record, and part of ids that are numbered.

    Raises
    ------
    BadInputError
        If no row can be read, or the columns are not those of items.
    """
    first, chunks = _peek(chunks)
    columns = first.frame.columns if first else []
    if first is not None and not columns and first.bad_rows:
        return Ingested(source, bad_rows=[*first.bad_rows, *(row for chunk in chunks for row in chunk.bad_rows)])
    if _holds_votes(workspace, columns, None):
        reason = f"holds votes, and items are expected: bring it in with `labelmill import {source}`"
        raise BadInputError([BadRow(source, None, None, reason)])
    rows = _ItemRows(workspace, source, columns, None, None)
    return _ingest_items(workspace, chunks, rows, None, _TakenIds(source, rows.id, "skip"), "skip")


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
    ) -> None:
        self.source = source
        self.id = id_column or workspace.project["source.id"]
        self.data = data_column or workspace.project["source.data"] or workspace.schema.modality
        if self.id != "auto":
            hint = "Name the column with the id with --id COLUMN, or --id auto to number the rows."
            column_of(source, columns, [self.id], f"{NOTHING} {hint}")
        column_of(source, columns, [self.data], f"{NOTHING} Name the column with the data with --data COLUMN.")

    def frame(self, chunk: Chunk) -> tuple[pl.DataFrame, list[BadRow]]:
        """The good rows as `id`, `data`, `meta.*`, with their lines in `_line`; and the bad rows."""
        lines = pl.Series("_line", list(chunk.lines), dtype=pl.Int64)
        if self.id == "auto":
            ids = pl.select(pl.format("{}:{}", pl.lit(Path(self.source).name), lines)).to_series()
        else:
            ids = text_of(self.source, chunk, self.id, NOTHING)
        rest = [c for c in chunk.frame.columns if c not in {self.id, self.data}]
        frame = chunk.frame.select(
            ids.alias("id"),
            text_of(self.source, chunk, self.data, NOTHING).alias("data"),
            *(pl.col(c).alias(f"meta.{c}") for c in rest),
            lines,
        )
        wrong = {"id": _fault_of("id", empty_is_wrong=True), "data": _fault_of("data", empty_is_wrong=False)}
        faults = frame.select("_line", *(fault.alias(name) for name, fault in wrong.items()))
        bad = list(chunk.bad_rows)
        for name, column in (("id", self.id), ("data", self.data)):
            found = faults.filter(pl.col(name) != "").select("_line", name)
            bad += [BadRow(self.source, line, column, reason) for line, reason in found.iter_rows()]
        good = faults.select(pl.all_horizontal(pl.col(name) == "" for name in wrong)).to_series()
        return frame.filter(good), bad


class _TakenIds:
    """Tells which ids cannot be taken: in the lake already, or further up in the same file."""

    def __init__(self, source: str, column: str, existing: OnBadRows) -> None:
        self.n_existing = 0
        self.n_refused = 0
        self._source = source
        self._column = column
        self._existing = existing
        self._of_file = IdIndex()

    def leave_out(self, frame: pl.DataFrame, appender: ItemsAppender) -> tuple[pl.DataFrame, list[BadRow]]:
        """The rows with new ids, and a bad row for each that is refused."""
        twice = set(self._of_file.seen(frame["id"]))
        existing = set(appender.duplicates(frame["id"])) - twice
        if not twice and not existing:
            self._of_file.add(frame["id"])
            return frame, []
        self._of_file.add(frame["id"].filter(_without(twice, frame.height)))
        bad = [self._bad(frame, i, "stands further up in this file already: each item once") for i in sorted(twice)]
        if self._existing == "skip":
            self.n_existing += len(existing)
        else:
            self.n_refused += len(existing)
            bad += [self._bad(frame, i, "is in the project already") for i in sorted(existing)]
        return frame.filter(_without(twice | existing, frame.height)), bad

    def _bad(self, frame: pl.DataFrame, position: int, reason: str) -> BadRow:
        return BadRow(self._source, frame["_line"][position], self._column, f"{frame['id'][position]!r} {reason}")


def _without(positions: AbstractSet[int], n_rows: int) -> pl.Series:
    return pl.Series([i not in positions for i in range(n_rows)], dtype=pl.Boolean)


def _fault_of(name: str, *, empty_is_wrong: bool) -> pl.Expr:
    value = pl.col(name)
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
    rows: _ItemRows,
    votes: VoteRows | None,
    taken: _TakenIds,
    on_bad_rows: OnBadRows,
) -> Ingested:
    bad: list[BadRow] = []
    carried: list[pl.DataFrame] = []
    seen = workspace.watch("import")
    with workspace.lake.append_items(source=rows.source, modality=workspace.schema.modality) as appender:
        for chunk in chunks:
            frame, wrong = rows.frame(chunk)
            kept, refused = taken.leave_out(frame, appender)
            bad += [*wrong, *refused]
            if votes is not None:
                kept, cast, wrong = _with_votes(kept, votes)
                carried.append(cast)
                bad += wrong
            appender.write(kept.drop("_line"))
            _refuse(bad, on_bad_rows, at_least=MOST_BAD_ROWS, n_existing=taken.n_refused)
            seen(appender.n_rows, 0)
        _refuse(bad, on_bad_rows, n_existing=taken.n_refused)
        # Votes first: items count only when this block has ended well, and votes on items that do not count say
        # nothing. Killed in between, the same command starts from the beginning.
        n_votes = _append_votes(workspace, carried, rows.source)
    return Ingested(rows.source, appender.n_rows, n_votes, taken.n_existing, bad)


def _with_votes(items: pl.DataFrame, votes: VoteRows) -> tuple[pl.DataFrame, pl.DataFrame, list[BadRow]]:
    """Items without their column `label`, what it says as votes, and the rows whose label is none."""
    labels = items.select(item="id", label="meta.label")
    cast, wrong = votes.frame(Chunk(labels, items["_line"].to_list()))
    lines = [row.line for row in wrong]
    return items.filter(~pl.col("_line").is_in(lines)).drop("meta.label"), cast, wrong


def _ingest_votes(
    workspace: Workspace, chunks: Iterator[Chunk], source: str, rows: VoteRows, on_bad_rows: OnBadRows
) -> Ingested:
    bad: list[BadRow] = []
    good: list[pl.DataFrame] = []
    reasons = Reasons()
    for chunk in rows.whole_answers(reasons.gathered(chunks)):
        frame, wrong = rows.frame(chunk)
        good.append(frame)
        bad += [*chunk.bad_rows, *wrong]
        _refuse(bad, on_bad_rows, at_least=MOST_BAD_ROWS)
    _refuse(bad, on_bad_rows)
    n_votes = _append_votes(workspace, good, source)
    if rows.purpose == "gold":
        reasons.keep(workspace, {item for frame in good for item in frame["item"]})
    return Ingested(source, 0, n_votes, 0, bad, rows.n_unanswered)


def _append_votes(workspace: Workspace, frames: Sequence[pl.DataFrame], source: str) -> int:
    n_votes = sum(frame.height for frame in frames)
    if n_votes:
        workspace.lake.append_votes(pl.concat(frames), source=source)
    return n_votes


def _refuse(bad: list[BadRow], on_bad_rows: OnBadRows, *, at_least: int = 1, n_existing: int = 0) -> None:
    if on_bad_rows == "skip" or len(bad) < at_least:
        return
    advice = ["Leave out what is in the project already with --existing skip."] if n_existing else []
    if len(bad) > n_existing:
        advice.append(MEND_OR_SKIP.replace("these", "the other") if n_existing else MEND_OR_SKIP)
    raise BadInputError(sorted(bad, key=lambda row: row.line or 0), " ".join([NOTHING, *advice]))


def _format_of(path: Path) -> str:
    try:
        return format_name(path)
    except UsageError as error:
        raise UsageError(f"{error} Or name the format: --format NAME") from error


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
