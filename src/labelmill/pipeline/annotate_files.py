"""Annotate from file to file, without a project."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from labelmill import registry
from labelmill.annotators._guard import guard
from labelmill.annotators._lfs import LFs
from labelmill.annotators._rules_file import load_rules
from labelmill.domain.ports import Progress
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote import Fault
from labelmill.errors import BadInputError, BadRow
from labelmill.formats._endings import format_name
from labelmill.pipeline.workspace import unwatched

__all__ = ["AnnotatedFile", "annotate_files"]


@dataclass(frozen=True, slots=True)
class AnnotatedFile:
    """What was written, and what failed."""

    n_items: int
    n_votes: int
    annotators: list[str]
    faults: list[Fault]


def annotate_files(
    items: Path,
    code: Path,
    out: Path,
    *,
    classes: Sequence[str] | None = None,
    timeout: float = 10.0,
    watch: Callable[[str], Progress] = unwatched,
) -> AnnotatedFile:
    """Votes of the rules in `code` on a file of items (`id`, `text`), as rows `item`, `annotator`, `label`, `kind`.

    An abstention has no row. The items are read in bites, so a large file needs little memory.

    Raises
    ------
    BadInputError
        If the file has bad rows; nothing is written.
    """
    annotators = load_rules(code)
    reader = registry.find("format", format_name(items))()
    writer = registry.find("format", format_name(out))().writer(out)
    progress = watch("annotate")
    n_items = n_votes = 0
    faults: list[Fault] = []
    seen: set[str] = set()
    with writer, guard(timeout):
        for chunk in reader.read(items):
            _check(str(items), chunk.frame, chunk.lines, chunk.bad_rows, seen)
            lfs = LFs(annotators)
            table = lfs.apply(chunk.frame, classes=classes)
            faults += lfs.faults_
            cast = table.label != ABSTAIN
            writer.write(
                pl.DataFrame(
                    {
                        "item": pl.Series(table.items, dtype=pl.String).gather(table.item_index[cast]),
                        "annotator": pl.Series(table.annotators, dtype=pl.String).gather(table.annotator_index[cast]),
                        "label": pl.Series(table.classes, dtype=pl.String).gather(table.label[cast]),
                        "kind": pl.Series(table.kinds, dtype=pl.String).gather(table.annotator_index[cast]),
                    }
                )
            )
            n_items += table.n_items
            n_votes += int(cast.sum())
            progress(n_items, 0)
    return AnnotatedFile(n_items, n_votes, [annotator.name for annotator in annotators], faults)


def _check(source: str, frame: pl.DataFrame, lines: Sequence[int], bad_rows: Sequence[BadRow], seen: set[str]) -> None:
    for column in ("id", "text"):
        if column not in frame.columns:
            found = ", ".join(frame.columns) or "none"
            raise BadInputError([BadRow(source, 1, column, f"no such column; the file has: {found}")])
    bad = list(bad_rows)
    for line, name in zip(lines, frame["id"].cast(pl.String), strict=True):
        if not name or name in seen:
            bad.append(BadRow(source, line, "id", f"{name!r} is there already" if name else "is missing"))
        seen.add(name)
    if bad:
        raise BadInputError(bad, "Nothing was written.")
