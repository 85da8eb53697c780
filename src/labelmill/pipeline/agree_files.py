"""Agreement of a file of votes, without a project."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from labelmill.domain.schema import LabelSchema
from labelmill.errors import BadRow, UsageError
from labelmill.pipeline._answers_of_file import read_answers
from labelmill.pipeline._data_files import format_of
from labelmill.pipeline.aggregate_files import read_vote_file
from labelmill.pipeline.ingest import OnBadRows
from labelmill.quality.agreement import Agreement, By, agreement
from labelmill.quality.coefficients import Metric
from labelmill.quality.distances import Level
from labelmill.quality.structured_agreement import structured_agreement

__all__ = ["AgreedFile", "agree_answers_file", "agree_files"]

LEAST: dict[str, float] = {"interval": -math.inf, "ratio": 0.0}
"""Levels whose labels are numbers, and from where on."""


@dataclass(frozen=True)
class AgreedFile:
    """How far the annotators of a file agree.

    Parameters
    ----------
    agreement : Agreement
    n_superseded : int
        Votes that do not count, because the same annotator voted on the item again further down.
    bad_rows : list of BadRow
        Rows that were left out (`on_bad_rows="skip"`).
    """

    agreement: Agreement
    n_superseded: int
    bad_rows: list[BadRow] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            **self.agreement.to_dict(),
            "superseded": self.n_superseded,
            "bad_rows": [str(row) for row in self.bad_rows],
        }

    def to_frame(self) -> pl.DataFrame:
        """The parts that were asked for, or the whole as one row."""
        if self.agreement.parts is not None:
            return self.agreement.parts
        floats = dict.fromkeys(("value", "low", "high", "percent", "percent_low", "percent_high"), pl.Float64)
        return pl.DataFrame([self.agreement.to_dict()], schema_overrides=floats)


def agree_answers_file(
    votes: Path,
    out: Path | None = None,
    *,
    label_kind: str,
    views: Path | None = None,
    by: By | None = None,
    classes: Sequence[str] | None = None,
    n_resamples: int = 200,
    confidence: float = 0.95,
    seed: int = 0,
    encoding: str | None = None,
    on_bad_rows: OnBadRows = "error",
) -> AgreedFile:
    """How far annotators agree on spans, boxes, segments, numbers or texts of a file, by the kind's own distance.

    Parameters
    ----------
    votes, views : Path
        Structured answers, see `labelmill.pipeline.merge_files.merge_files`.
    out : Path, optional
        Gets a row for each class, pair or item as `by` says, or one row; format by its ending.
    label_kind : str
        Name of a kind of label.

    Raises
    ------
    UsageError
        If an option is impossible, or `out` is the file of votes.
    BadInputError
        If a column is missing or a row cannot be taken, with its line. Then no output is written.
    """
    _check_out(votes, out)
    with ExitStack() as outputs:
        writer = None if out is None else outputs.enter_context(format_of(out).writer(out))
        read = read_answers(votes, label_kind, classes=classes, views=views, encoding=encoding, on_bad_rows=on_bad_rows)
        found = structured_agreement(read.table, by=by, n_resamples=n_resamples, confidence=confidence, seed=seed)
        result = AgreedFile(found, read.n_superseded, read.bad_rows)
        if writer is not None:
            writer.write(result.to_frame())
    return result


def agree_files(
    votes: Path,
    out: Path | None = None,
    *,
    metric: Metric = "krippendorff",
    level: Level = "nominal",
    by: By | None = None,
    classes: Sequence[str] | None = None,
    n_resamples: int = 200,
    confidence: float = 0.95,
    seed: int = 0,
    encoding: str | None = None,
    on_bad_rows: OnBadRows = "error",
) -> AgreedFile:
    """How far the annotators of a file of votes agree; see `labelmill.quality.agreement.agreement`.

    Parameters
    ----------
    votes : Path
        Columns `item`, `annotator`, `label` (`task` and `worker` are aliases).
    out : Path, optional
        Gets a row for each class, pair or item as `by` says, or one row; format by its ending.
    classes : sequence of str, optional
        Class order, from low to high where the level has one.
    on_bad_rows : {"error", "skip"}
        Refuse the file at a bad row, or leave bad rows out and list them.

    Raises
    ------
    UsageError
        If an option is impossible, or `out` is the file of votes.
    BadInputError
        If a column is missing or a row cannot be taken, with its line. Then no output is written.
    """
    if classes is not None:
        LabelSchema("label", tuple(classes))
    _check_out(votes, out)
    with ExitStack() as outputs:
        # Opened before the work, so that a folder that cannot be written is told at once.
        writer = None if out is None else outputs.enter_context(format_of(out).writer(out))
        frame, bad = read_vote_file(
            votes, classes=classes, encoding=encoding, on_bad_rows=on_bad_rows, least=LEAST.get(level)
        )
        found = agreement(
            frame,
            metric=metric,
            level=level,
            by=by,
            classes=classes,
            n_resamples=n_resamples,
            confidence=confidence,
            seed=seed,
        )
        result = AgreedFile(found, frame.height - frame.select("item", "annotator").n_unique(), bad)
        if writer is not None:
            writer.write(result.to_frame())
    return result


def _check_out(votes: Path, out: Path | None) -> None:
    if out is not None and out.resolve() == votes.resolve():
        raise UsageError(f"--out and --votes are the same file, {out}: give --out a name of its own")
