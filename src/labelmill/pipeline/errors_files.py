"""Label errors of a file of labels, given a file of probabilities, without a project."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

import labelmill
from labelmill.domain.schema import LabelSchema
from labelmill.errors import BadInputError, BadRow, UsageError, nearest
from labelmill.pipeline._columns import column_of, text_of
from labelmill.pipeline._data_files import NOTHING, format_of, refuse_bad_rows
from labelmill.pipeline._pages import publish
from labelmill.pipeline._probability_files import ITEM, Probabilities, read_probabilities
from labelmill.pipeline.ingest import OnBadRows
from labelmill.quality.label_errors import FilterBy, LabelErrors, RankBy, find_label_errors
from labelmill.report.errors_page import ErrorStory, FlaggedLabel, render_errors
from labelmill.report.evidence import ErrorMatrix

__all__ = ["TOLERANCE", "FoundErrors", "errors_files"]

TOLERANCE = 0.01
"""A row of probabilities may sum to 1 give or take this much; it is then divided by its sum."""

EXACT = 1e-6
"""Nearer to 1 a sum is 1: what is left is rounding of the last digits."""

LABEL = ("label", "given")
"""Names of the column with the given label."""


@dataclass(frozen=True)
class FoundErrors:
    """The labels of a file that are probably wrong.

    Parameters
    ----------
    errors : LabelErrors
    items : list of str
        Ids of the items judged.
    classes : list of str
        Names of the classes.
    filter_by, rank_by : str
        As asked.
    n_rescaled : int
        Rows of probabilities that did not sum to 1 exactly and were divided by their sum.
    bad_rows : list of BadRow
        Rows that were left out (`on_bad_rows="skip"`).
    """

    errors: LabelErrors
    items: list[str]
    classes: list[str]
    filter_by: FilterBy
    rank_by: RankBy
    n_rescaled: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)

    def to_frame(self) -> pl.DataFrame:
        """A row for each flagged label, the worst first."""
        return self.errors.to_frame(items=self.items, classes=self.classes)

    def confusions(self) -> list[tuple[str, str, int]]:
        """Given class, true class and the estimated number of such errors, the most frequent first; none of 0."""
        wrong = self.errors.joint.copy()
        np.fill_diagonal(wrong, 0)
        order = np.argsort(-wrong, axis=None, kind="stable")[: np.count_nonzero(wrong)]
        pairs = zip(*np.unravel_index(order, wrong.shape), strict=True)
        return [(self.classes[k], self.classes[j], int(wrong[k, j])) for k, j in pairs]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found = self.errors
        return {
            "n_items": found.n_items,
            "n_errors": len(found.index),
            "filter_by": self.filter_by,
            "rank_by": self.rank_by,
            "noise": found.noise,
            "classes": self.classes,
            "noise_by_class": found.noise_by_class.tolist(),
            "thresholds": found.thresholds.tolist(),
            "joint": found.joint.tolist(),
            "rescaled": self.n_rescaled,
            "errors": self.to_frame().to_dicts(),
            "bad_rows": [str(row) for row in self.bad_rows],
        }


def errors_files(
    labels: Path,
    probs: Path,
    out: Path | None = None,
    *,
    filter_by: FilterBy = "prune_by_noise_rate",
    rank_by: RankBy = "self_confidence",
    min_examples_per_class: int = 1,
    frac_noise: float = 1.0,
    classes: Sequence[str] | None = None,
    tolerance: float = TOLERANCE,
    encoding: str | None = None,
    on_bad_rows: OnBadRows = "error",
    report: Path | None = None,
) -> FoundErrors:
    """The labels of a file that are probably wrong; see `labelmill.quality.label_errors.find_label_errors`.

    Parameters
    ----------
    labels : Path
        Columns `item`, `label` (`given` is an alias).
    probs : Path
        A table with `item` and a column for each class, named by it or `p_<class>`; or an .npz file with
        `probabilities` and, if its rows are not in the order of `labels`, `items`, and `classes`; or an .npy file.
    out : Path, optional
        Gets a row for each flagged label, the worst first; format by its ending.
    classes : sequence of str, optional
        Class order; without it the columns' order. Arrays without names need it, unless labels are 0, 1, ....
    tolerance : float
        How far a row's sum may be from 1; it is then divided by its sum.
    on_bad_rows : {"error", "skip"}
        Refuse the files at a row that cannot be taken, or leave such rows out and list them.
    report : Path, optional
        Gets a page for people: the matrix of given and true classes, and the labels to look at first.

    Raises
    ------
    UsageError
        If an option is impossible, or `out` is one of the files read.
    BadInputError
        If a column is missing or a row cannot be taken, with its line. Then no output is written.
    """
    if classes is not None:
        LabelSchema("label", tuple(classes))
    if not tolerance >= 0:
        raise UsageError(f"tolerance is how far a sum may be from 1: from 0 up, found {tolerance}")
    _check_different(labels=labels, probs=probs, out=out, report=report)
    with ExitStack() as outputs:
        # Opened before the work, so that a folder that cannot be written is told at once.
        writer = None if out is None else outputs.enter_context(format_of(out).writer(out))
        given = _read_labels(labels, encoding)
        model = read_probabilities(probs, classes=classes, encoding=encoding)
        judged = _joined(given, model, tolerance)
        refuse_bad_rows(judged.bad_rows, on_bad_rows)
        found = find_label_errors(
            judged.labels,
            judged.probabilities,
            filter_by=filter_by,
            rank_by=rank_by,
            min_examples_per_class=min_examples_per_class,
            frac_noise=frac_noise,
            tolerance=None,
        )
        result = FoundErrors(
            found, judged.items, judged.classes, filter_by, rank_by, judged.n_rescaled, judged.bad_rows
        )
        if writer is not None:
            writer.write(result.to_frame())
    if report is not None:
        publish(report, render_errors(_story(labels.name, result)))
    return result


def _story(title: str, result: FoundErrors) -> ErrorStory:
    rows = result.to_frame().select("item", "given", "suggested", "score").iter_rows()
    return ErrorStory(
        title=title,
        labelmill_version=labelmill.__version__,
        n_items=result.errors.n_items,
        noise=result.errors.noise,
        matrix=ErrorMatrix(result.classes, result.errors.joint.tolist()),
        flagged=[FlaggedLabel(*row) for row in rows],
        filter_by=result.filter_by,
        rank_by=result.rank_by,
    )


def _check_different(**paths: Path | None) -> None:
    """What is written is not what is read, and not two things at once."""
    seen: dict[Path, str] = {}
    for name, path in paths.items():
        if path is None:
            continue
        other = seen.setdefault(path.resolve(), name)
        if other != name and {name, other} != {"labels", "probs"}:
            raise UsageError(f"--{name} and --{other} are the same file, {path}: give --{name} a name of its own")


class _Labels(NamedTuple):
    """What a file of labels holds."""

    source: str
    items: list[str]
    labels: list[str]
    lines: list[int]
    bad_rows: list[BadRow]
    column: str


class _Judged(NamedTuple):
    """Labels and probabilities of the same items."""

    items: list[str]
    classes: list[str]
    labels: npt.NDArray[np.intp]
    probabilities: npt.NDArray[Any]
    n_rescaled: int
    bad_rows: list[BadRow]


def _read_labels(path: Path, encoding: str | None) -> _Labels:
    source = str(path)
    read = _Labels(source, [], [], [], [], "label")
    for chunk in format_of(path).read(path, encoding=encoding):
        columns = chunk.frame.columns
        if not columns and chunk.bad_rows:
            raise BadInputError(chunk.bad_rows, NOTHING)
        item, label = column_of(source, columns, ITEM, NOTHING), column_of(source, columns, LABEL, NOTHING)
        read = read._replace(column=label)
        read.bad_rows.extend(chunk.bad_rows)
        ids, names = text_of(source, chunk, item, NOTHING), text_of(source, chunk, label, NOTHING)
        for line, one, name in zip(chunk.lines, ids.to_list(), names.to_list(), strict=True):
            if not one or not name:
                read.bad_rows.append(BadRow(source, line, label if one else item, "is missing"))
                continue
            read.items.append(one)
            read.labels.append(name)
            read.lines.append(line)
    return read


def _joined(given: _Labels, model: Probabilities, tolerance: float) -> _Judged:
    """Each label with its row of probabilities; what has no counterpart is a bad row."""
    bad = [*given.bad_rows, *model.bad_rows]
    classes = model.classes or _counted_classes(given, model)
    column_of_class = {name: k for k, name in enumerate(classes)}
    rows = _rows_by_item(given, model, bad)
    wrong = _wrong_rows(model, tolerance)
    positions, labels, rows_taken, seen = [], [], [], set()
    for i, (item, label, line) in enumerate(zip(given.items, given.labels, given.lines, strict=True)):
        row = rows.get(item) if model.items is not None else i
        if item in seen:
            bad.append(BadRow(given.source, line, "item", f"{item!r} stands further up already: one label each"))
        elif label not in column_of_class:
            reason = f"unknown class {label!r}: {nearest(label, classes)}"
            bad.append(BadRow(given.source, line, given.column, reason))
        elif row is None:
            bad.append(BadRow(given.source, line, "item", f"{item!r} has no probabilities in {model.source}"))
        elif row not in wrong:
            positions.append(i)
            labels.append(column_of_class[label])
            rows_taken.append(row)
        seen.add(item)
    if model.items is not None:
        bad += [
            BadRow(model.source, model.lines[row], "item", f"{item!r} has no label in {given.source}")
            for item, row in rows.items()
            if item not in seen
        ]
    bad += wrong.values()
    taken = np.array(rows_taken, dtype=np.intp)
    values = model.values if _is_all(taken, len(model.values)) else model.values[taken]
    probabilities, n_rescaled = _rescaled(values)
    return _Judged(
        [given.items[i] for i in positions],
        list(classes),
        np.array(labels, dtype=np.intp),
        probabilities,
        n_rescaled,
        bad,
    )


def _counted_classes(given: _Labels, model: Probabilities) -> list[str]:
    """Names 0, 1, ... of the columns of an array whose classes are not named."""
    n = model.values.shape[1]
    names = [str(k) for k in range(n)]
    if set(given.labels) <= set(names):
        return names
    odd = next(label for label in given.labels if label not in names)
    raise UsageError(
        f"{model.source} does not say what its {n} columns are, and the label {odd!r} is no number from 0 to {n - 1}: "
        "name the classes in the columns' order, --classes a,b,..., or save them as an array `classes`"
    )


def _rows_by_item(given: _Labels, model: Probabilities, bad: list[BadRow]) -> dict[str, int]:
    """Item -> row of its probabilities; rows without names follow the labels."""
    if model.items is None:
        n = len(given.items) + len(given.bad_rows)
        if n != len(model.values) or given.bad_rows:
            what = f"{len(model.values)} rows without items for {n} labels"
            reason = f"{what}: save the ids as an array `items`, or bring both into the same order without gaps"
            raise BadInputError([*given.bad_rows, BadRow(model.source, None, None, reason)], NOTHING)
        return {}
    rows: dict[str, int] = {}
    for row, item in enumerate(model.items):
        if rows.setdefault(item, row) != row:
            reason = f"{item!r} stands further up already: one row each"
            bad.append(BadRow(model.source, model.lines[row], "item", reason))
    return rows


def _wrong_rows(model: Probabilities, tolerance: float) -> dict[int, BadRow]:
    """By position, the rows that are no probabilities."""
    values = model.values
    if not values.size:
        return {}
    total = values.sum(axis=1, dtype=np.float64)
    inside = np.all((values >= 0) & (values <= 1), axis=1)
    wrong = {}
    for row in np.flatnonzero(~(inside & (np.abs(total - 1.0) <= tolerance))).tolist():
        reason = f"the probabilities sum to {total[row]:.6g}, not to 1 give or take {tolerance:g} (--tolerance)"
        if not inside[row]:
            value = values[row][~((values[row] >= 0) & (values[row] <= 1))][0]
            reason = f"{value:g} is no probability: all lie from 0 to 1"
        wrong[row] = BadRow(model.source, model.lines[row], None, reason)
    return wrong


def _rescaled(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], int]:
    """The probabilities with rows that sum to 1, and how many did not; as they are where all do."""
    total = values.sum(axis=1, dtype=np.float64)
    off = np.abs(total - 1.0) > EXACT
    n_off = int(np.count_nonzero(off))
    if not n_off:
        return values, 0
    return values.astype(np.float64) / np.where(off, total, 1.0)[:, None], n_off


def _is_all(rows: npt.NDArray[np.intp], n: int) -> bool:
    return len(rows) == n and bool((rows == np.arange(n)).all())
