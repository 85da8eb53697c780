"""Analyze: how far each annotator reaches, where they disagree, how far each can be trusted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from labelmill.pipeline._vote_counts import CountedVotes, count_votes
from labelmill.pipeline.aggregate import Aggregated, aggregate
from labelmill.pipeline.faults import current_faults
from labelmill.pipeline.votes import current_machines
from labelmill.pipeline.workspace import Workspace
from labelmill.quality.analysis import Analysis, Summary, Voters, analysis_of
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
    result: Aggregated | None = None,
    counted: CountedVotes | None = None,
    engine: str | None = None,
    workers: int | None = None,
) -> Analyzed:
    """Reach, conflicts and accuracy of every annotator; with gold in the project, true accuracy too.

    Votes are summed by partition, so that memory does not grow with the items.

    Parameters
    ----------
    result : Aggregated, optional
        The consensus that learned the reliabilities; made anew without it.
    counted : CountedVotes, optional
        All votes, where they have been counted already.
    engine : str, optional
        Where the work runs. Without it and without `workers`: in this process up to a million items, beyond that on
        the project's engine.
    workers : int, optional
        How many workers at most.
    """
    workspace.require_classes("analyze", "`labelmill aggregate` shows how reliable each annotator is")
    learned = result or aggregate(workspace, engine=engine, workers=workers)
    counted = counted or count_votes(workspace, engine=engine, workers=workers)
    reliability = dict(learned.annotators.select("annotator", "reliability").iter_rows())
    analysis = analysis_of(
        counted.sums,
        counted.voters,
        reliability=np.array([reliability.get(name) for name in counted.voters.names], dtype=np.float64),
        is_measured=counted.is_measured,
    )
    return Analyzed(
        _rows(workspace, analysis),
        _conflicts(counted.voters, analysis),
        analysis.summary,
        [note.text for note in analysis.notes],
    )


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


def _conflicts(voters: Voters, analysis: Analysis) -> ConflictMatrix | None:
    if analysis.pair_conflicts is None or analysis.pair_counts is None or not 1 < len(voters.names) <= MOST_IN_MATRIX:
        return None
    conflicts = np.rint(np.nan_to_num(analysis.pair_conflicts) * analysis.pair_counts).astype(np.int64)
    kinds = [kind or "rule" for kind in voters.kinds]
    return ConflictMatrix(list(voters.names), kinds, conflicts.tolist(), analysis.pair_counts.tolist())
