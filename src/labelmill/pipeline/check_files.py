"""Check a file of votes, without a project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from labelmill import registry
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote import AnnotatorKind
from labelmill.errors import BadRow, UsageError, nearest
from labelmill.pipeline._columns import column_of, text_of
from labelmill.pipeline._data_files import format_of, refuse_bad_rows
from labelmill.pipeline.aggregate_files import kinds_of, read_vote_file
from labelmill.pipeline.check import Checked, check_votes
from labelmill.pipeline.ingest import OnBadRows

__all__ = ["CheckedFile", "check_files"]

NOTHING = "Nothing was checked."


@dataclass(frozen=True)
class CheckedFile(Checked):
    """A check of a file, and the rows that were left out (`on_bad_rows="skip"`)."""

    bad_rows: list[BadRow] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**super().to_dict(), "bad_rows": [str(row) for row in self.bad_rows]}


def check_files(
    votes: Path,
    *,
    truth: Path | None = None,
    annotators: Path | None = None,
    against: Path | None = None,
    kind: AnnotatorKind | None = None,
    model: str = "auto",
    classes: Sequence[str] | None = None,
    false_alarm: float = 0.05,
    seed: int = 0,
    encoding: str | None = None,
    on_bad_rows: OnBadRows = "error",
) -> CheckedFile:
    """Who answers without looking, copies, drifts or hurries, by a file of votes; see `check_votes`.

    Parameters
    ----------
    votes : Path
        Columns `item`, `annotator`, `label` (`task` and `worker` are aliases); optional `kind`, `at`, `seconds`.
    truth : Path, optional
        Columns `item`, `label`.
    annotators : Path, optional
        Columns `annotator`, `kind`.
    against : Path, optional
        Older votes, to tell what changed since.
    kind : {"person", "rule", "model"}, optional
        What all annotators are.
    on_bad_rows : {"error", "skip"}
        Refuse the files at a bad row, or leave bad rows out and list them.

    Raises
    ------
    UsageError
        If a name is unknown, or nothing can be compared.
    BadInputError
        If a column is missing or a row cannot be taken, with its line.
    """
    if classes is not None:
        LabelSchema("label", tuple(classes))
    registry.find("label_model", model)
    read = {"classes": classes, "encoding": encoding, "on_bad_rows": on_bad_rows}
    frame, bad = read_vote_file(votes, **read, with_times=True)  # type: ignore[arg-type]  # options by name
    older = None
    if against is not None:
        if against.resolve() == votes.resolve():
            raise UsageError(f"--against and --votes are the same file, {votes}: name the older votes")
        older, more = read_vote_file(against, **read)  # type: ignore[arg-type]  # as above
        bad += more
    answers = None
    if truth is not None:
        answers, more = _truth(truth, classes)
        refuse_bad_rows(more, on_bad_rows, so_far=NOTHING)
        bad += more
    kinds: dict[str, AnnotatorKind] = {}
    if kind is not None:
        kinds = dict.fromkeys(frame["annotator"].unique().to_list(), kind)
    if annotators is not None:
        kinds |= kinds_of(annotators)
    found = check_votes(
        frame,
        truth=answers,
        against=older,
        model=model,
        classes=classes,
        kinds=kinds,
        false_alarm=false_alarm,
        seed=seed,
    )
    return CheckedFile(
        found.check, found.votes, found.result, found.drift, found.n_truth, found.n_superseded, bad_rows=bad
    )


def _truth(path: Path, classes: Sequence[str] | None) -> tuple[pl.DataFrame, list[BadRow]]:
    """The file's items and labels, and the rows that name a class which is none."""
    frames, bad = [pl.DataFrame(schema={"item": pl.String, "label": pl.String})], []
    for chunk in format_of(path).read(path):
        bad += chunk.bad_rows
        columns = chunk.frame.columns
        item, label = (
            text_of(str(path), chunk, column_of(str(path), columns, names, NOTHING), NOTHING).alias(names[0])
            for names in (("item", "task", "id"), ("label",))
        )
        frames.append(pl.DataFrame([item, label]))
        if classes is not None:
            named = enumerate(label.fill_null("").to_list())
            bad += [
                BadRow(str(path), chunk.lines[i], "label", f"unknown class {name!r}: {nearest(name, classes)}")
                for i, name in named
                if name not in {"", "ABSTAIN", *classes}
            ]
    rows = pl.concat(frames)
    return rows if classes is None else rows.filter(pl.col("label").is_in(list(classes))), bad
