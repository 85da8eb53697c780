"""Analyze: how far each annotator reaches, where they disagree, how far each can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable
from labelmill.pipeline.aggregate import Aggregated, aggregate, gold_answers
from labelmill.pipeline.faults import current_faults
from labelmill.pipeline.votes import Ballots, ballots, current_machines
from labelmill.pipeline.workspace import Workspace
from labelmill.quality.analysis import Analysis, Summary
from labelmill.quality.analysis import analyze as analyze_votes
from labelmill.report.story import AnnotatorRow, ConflictMatrix, Interval

__all__ = ["Analyzed", "analyze"]

MOST_IN_MATRIX = 40
"""Annotators in the conflict matrix: more are no picture any more."""


@dataclass(frozen=True)
class Analyzed:
    """What is known of the annotators.

    Parameters
    ----------
    rows : list of AnnotatorRow
        One for each annotator: reach, conflicts, learned and, with gold, true accuracy.
    conflicts : ConflictMatrix or None
        How often each pair disagrees.
    summary : Summary
        The same of all votes together.
    notes : list of str
        What a person should act on.
    """

    rows: list[AnnotatorRow]
    conflicts: ConflictMatrix | None
    summary: Summary
    notes: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "annotators": [asdict(row) for row in self.rows],
            "conflicts": None if self.conflicts is None else asdict(self.conflicts),
            "summary": {**asdict(self.summary), "balance": dict(self.summary.balance)},
            "notes": self.notes,
        }


def analyze(
    workspace: Workspace,
    *,
    truth: npt.NDArray[np.int16] | None = None,
    result: Aggregated | None = None,
    cast: Ballots | None = None,
) -> Analyzed:
    """Reach, conflicts and accuracy of every annotator.

    Parameters
    ----------
    truth : ndarray of int16, shape (n_items,), optional
        True class index of each item in lake order, ABSTAIN where unknown. Without it, gold answers in the project.
    result : Aggregated, optional
        The consensus that learned the reliabilities; made anew without it.
    cast : Ballots, optional
        All votes, where they have been read already.
    """
    cast = cast or ballots(workspace)
    learned = result or aggregate(workspace)
    reliability = dict(learned.annotators.select("annotator", "reliability").iter_rows())
    table = _pairs(cast.tables) if cast.is_multi else cast.first
    known = truth if truth is not None else _gold(workspace, cast.items)
    analysis = analyze_votes(
        table,
        reliability=np.array([reliability.get(name) for name in table.annotators], dtype=np.float64),
        truth=None if known is None or cast.is_multi else known,
    )
    return Analyzed(
        _rows(workspace, analysis),
        _conflicts(table, analysis),
        analysis.summary,
        [note.text for note in analysis.notes],
    )


def _pairs(tables: Mapping[str, VoteTable]) -> VoteTable:
    """All classes' tables as one, over pairs of item and class."""
    first = next(iter(tables.values()))
    offsets = np.arange(len(tables)) * first.n_items
    return VoteTable(
        [f"{item} {name}" for name in tables for item in first.items],
        first.annotators,
        first.classes,
        np.concatenate([t.item_index + at for t, at in zip(tables.values(), offsets, strict=True)]),
        np.concatenate([t.annotator_index for t in tables.values()]),
        np.concatenate([t.label for t in tables.values()]),
        kinds=first.kinds,
    )


def _gold(workspace: Workspace, items: Sequence[str]) -> npt.NDArray[np.int16] | None:
    gold = dict(gold_answers(workspace).select("item", "value").iter_rows())
    if not gold or workspace.schema.kind == "multi_choice":
        return None
    classes = workspace.schema.classes
    return np.array([classes.index(gold[i]) if i in gold else ABSTAIN for i in items], dtype=np.int16)


def _rows(workspace: Workspace, analysis: Analysis) -> list[AnnotatorRow]:
    machines = {machine.name: machine for machine in current_machines(workspace)}
    faults: dict[str, int] = {}
    for fault in current_faults(workspace):
        faults[fault.annotator] = faults.get(fault.annotator, 0) + 1
    rows = []
    for row in analysis.annotators:
        machine = machines.get(row.annotator)
        interval = None
        if row.accuracy_low is not None and row.accuracy_high is not None:
            interval = Interval(row.accuracy_low, row.accuracy_high)
        rows.append(
            AnnotatorRow(
                row.annotator,
                row.kind or "rule",
                list(row.polarity),
                row.n_votes,
                row.coverage,
                row.overlaps,
                row.conflicts,
                row.learned_accuracy,
                row.accuracy,
                interval,
                faults.get(row.annotator, 0),
                machine.evaluation if machine and machine.evaluation in {"compiled", "python"} else "",  # type: ignore[arg-type]  # one of the literals
                machine.reason if machine else "",
            )
        )
    return rows


def _conflicts(table: VoteTable, analysis: Analysis) -> ConflictMatrix | None:
    if analysis.pair_conflicts is None or analysis.pair_counts is None or not 1 < table.n_annotators <= MOST_IN_MATRIX:
        return None
    conflicts = np.rint(np.nan_to_num(analysis.pair_conflicts) * analysis.pair_counts).astype(np.int64)
    kinds = [kind or "rule" for kind in table.kinds]
    return ConflictMatrix(list(table.annotators), kinds, conflicts.tolist(), analysis.pair_counts.tolist())
