"""Annotate from file to file, without a project."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from labelmill.annotators._guard import guard
from labelmill.annotators._lfs import LFs
from labelmill.annotators._rules_file import load_rules
from labelmill.domain.ports import Chunk, Progress
from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.domain.vote import Fault
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import BadInputError, BadRow, UsageError
from labelmill.pipeline._columns import column_of, text_of
from labelmill.pipeline._data_files import NOTHING, format_of, refuse_bad_rows
from labelmill.pipeline.annotate import check_classes
from labelmill.pipeline.ingest import OnBadRows
from labelmill.pipeline.workspace import unwatched
from labelmill.stores.id_index import IdIndex

__all__ = ["AnnotatedFile", "annotate_files"]


@dataclass(frozen=True, slots=True)
class AnnotatedFile:
    """What was written, and what failed.

    Parameters
    ----------
    n_items, n_votes : int
    annotators : list of str
    faults : list of Fault
    bad_rows : list of BadRow
        Rows left out (`on_bad_rows="skip"`).
    printed : str
        Start of what the user's code printed.
    """

    n_items: int
    n_votes: int
    annotators: list[str]
    faults: list[Fault]
    bad_rows: list[BadRow] = field(default_factory=list)
    printed: str = ""


def annotate_files(
    items: Path,
    code: Path,
    out: Path,
    *,
    classes: Sequence[str] | None = None,
    timeout: float = 10.0,
    encoding: str | None = None,
    on_bad_rows: OnBadRows = "error",
    watch: Callable[[str], Progress] = unwatched,
) -> AnnotatedFile:
    """Votes of the rules in `code` on a file of items (`id`, `text`), as rows `item`, `annotator`, `label`, `kind`.

    An abstention has no row. The items are read in bites, so a large file needs little memory.

    Parameters
    ----------
    items, code, out : Path
    classes : sequence of str, optional
        The classes; those the rules name without it.
    timeout : float
        Seconds a labeling function may take on one item.
    encoding : str, optional
        Of a text file of items; UTF-8 or a byte-order mark without it.
    on_bad_rows : {"error", "skip"}
        Refuse the file at a bad row, or leave bad rows out and list them.
    watch : callable
        Progress.

    Raises
    ------
    BadInputError
        If the file has bad rows; nothing is written.
    UsageError
        If a name is unknown, or two of the files are the same.
    """
    if out.resolve() in {items.resolve(), code.resolve()}:
        raise UsageError(f"--out {out} is one of the files that are read: give --out a name of its own")
    annotators = load_rules(code)
    if classes is not None:
        check_classes(annotators, LabelSchema("label", tuple(classes)), code)
    reader = format_of(items)
    writer = format_of(out).writer(out)
    progress = watch("annotate")
    rows = _ItemRows(str(items))
    n_items = n_votes = 0
    faults: list[Fault] = []
    with writer, guard(timeout) as guarded:
        for chunk in reader.read(items, encoding=encoding):
            frame = rows.good(chunk)
            refuse_bad_rows(rows.bad, on_bad_rows)
            lfs = LFs(annotators)
            table = lfs.apply(frame, classes=classes)
            faults += lfs.faults_
            votes = _votes(table)
            writer.write(votes)
            n_items += table.n_items
            n_votes += votes.height
            progress(n_items, 0)
    names = [annotator.name for annotator in annotators]
    return AnnotatedFile(n_items, n_votes, names, faults, rows.bad, guarded.printed)


class _ItemRows:
    """Takes the rows of a file that can be annotated, and keeps account of the others."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.bad: list[BadRow] = []
        self._seen = IdIndex()

    def good(self, chunk: Chunk) -> pl.DataFrame:
        """The good rows of a chunk, with `id` and `text` as texts."""
        columns = chunk.frame.columns
        if not columns and chunk.bad_rows:
            raise BadInputError(chunk.bad_rows, f"{NOTHING} No row could be read: mend it; its ending says its format.")
        texts = {
            name: text_of(self.source, chunk, column_of(self.source, columns, [name], NOTHING), NOTHING)
            for name in ("id", "text")
        }
        frame = chunk.frame.with_columns(texts[name].alias(name) for name in texts)
        twice = set(self._seen.seen(texts["id"].fill_null("")))
        is_good = []
        self.bad += chunk.bad_rows
        for i, (line, name, text) in enumerate(zip(chunk.lines, texts["id"], texts["text"], strict=True)):
            field, reason = "id", ""
            if not name:
                reason = "is missing"
            elif i in twice:
                reason = f"{name!r} stands further up in this file already: each item once"
            elif text is None:
                field, reason = "text", "is missing"
            if reason:
                self.bad.append(BadRow(self.source, line, field, reason))
            is_good.append(not reason)
        good = frame.filter(pl.Series(is_good, dtype=pl.Boolean))
        self._seen.add(good["id"])
        return good


def _votes(table: VoteTable) -> pl.DataFrame:
    cast = table.label != ABSTAIN
    return pl.DataFrame(
        {
            "item": pl.Series(table.items, dtype=pl.String).gather(table.item_index[cast]),
            "annotator": pl.Series(table.annotators, dtype=pl.String).gather(table.annotator_index[cast]),
            "label": pl.Series(table.classes, dtype=pl.String).gather(table.label[cast]),
            "kind": pl.Series(table.kinds, dtype=pl.String).gather(table.annotator_index[cast]),
        }
    )
