"""What each annotator does: how often it votes, whom it contradicts, how right it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError
from labelmill.quality.annotator_row import AnnotatorRow
from labelmill.quality.bounds import wilson_interval
from labelmill.quality.notes import Note, notes_on
from labelmill.quality.vote_sums import MOST_PAIRED, VoteSums, vote_sums

__all__ = ["Analysis", "AnnotatorRow", "Summary", "Voters", "analysis_of", "analyze"]


class Voters(NamedTuple):
    """Who votes, and for what: names, kinds, and the classes in order."""

    names: tuple[str, ...]
    kinds: tuple[AnnotatorKind | None, ...]
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """All annotators together.

    Parameters
    ----------
    n_items, n_annotators, n_votes : int
    coverage, overlaps, conflicts : float
        Share of items with a vote; with two or more; with two different ones.
    mean_votes : float
        Votes per item.
    balance : mapping of str to float
        Class -> its share of the votes, in class order.
    """

    n_items: int
    n_annotators: int
    n_votes: int
    coverage: float
    overlaps: float
    conflicts: float
    mean_votes: float
    balance: Mapping[str, float]


@dataclass(frozen=True)
class Analysis:
    """The annotators, the whole, the pairs, and what a person should act on.

    Parameters
    ----------
    annotators : tuple of AnnotatorRow
        In the table's order.
    summary : Summary
    pair_counts : ndarray of int64, shape (n_annotators, n_annotators), or None
        Items both voted on (on the diagonal: items it voted on); None above 200 annotators.
    pair_conflicts : ndarray of float64, shape (n_annotators, n_annotators), or None
        Share of those on which they disagree; NaN where they share none.
    notes : tuple of Note
    """

    annotators: tuple[AnnotatorRow, ...]
    summary: Summary
    pair_counts: npt.NDArray[np.int64] | None
    pair_conflicts: npt.NDArray[np.float64] | None
    notes: tuple[Note, ...]

    def to_frame(self) -> pl.DataFrame:
        """One row an annotator, the columns of `AnnotatorRow`."""
        columns = {name: [getattr(row, name) for row in self.annotators] for name in _COLUMNS}
        columns["polarity"] = [list(row.polarity) for row in self.annotators]
        return pl.DataFrame(columns, schema=_COLUMNS)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; a pair without shared items is None."""
        conflicts = None
        if self.pair_conflicts is not None:
            conflicts = [[None if np.isnan(x) else x for x in row] for row in self.pair_conflicts.tolist()]
        return {
            "annotators": [asdict(row) | {"polarity": list(row.polarity)} for row in self.annotators],
            "summary": asdict(self.summary),
            "pair_counts": None if self.pair_counts is None else self.pair_counts.tolist(),
            "pair_conflicts": conflicts,
            "notes": [asdict(note) | {"annotators": list(note.annotators)} for note in self.notes],
        }


def analyze(
    votes: VoteTable,
    *,
    reliability: npt.NDArray[np.float64] | None = None,
    truth: npt.NDArray[np.int16] | None = None,
) -> Analysis:
    """Count what every annotator does, and compare it with the label model's opinion and with the truth.

    Coverage, overlaps and conflicts are those of Snorkel's LFAnalysis (Ratner et al. 2017,
    doi:10.14778/3157794.3157797). Rules are counted by vote pattern, crowds by vote: no items × annotators table is
    made for them. A table that holds several votes of one annotator on an item counts each; a row with a multiplicity
    counts as often as it says.

    Parameters
    ----------
    votes : VoteTable
    reliability : ndarray of float64, shape (n_annotators,), optional
        A label model's `reliability_`; NaN where it has no opinion.
    truth : ndarray of int, shape (n_items,), optional
        Class index of each item, ABSTAIN (-1) where it is not known.

    Raises
    ------
    UsageError
        If `reliability` or `truth` does not fit the votes.

    Examples
    --------
    >>> votes = VoteTable.from_matrix([[0, 0], [1, 0], [-1, 1], [-1, -1]], classes=["ham", "spam"])
    >>> analysis = analyze(votes)
    >>> [(row.coverage, row.overlaps, row.conflicts) for row in analysis.annotators]
    [(0.5, 0.5, 0.25), (0.75, 0.5, 0.25)]
    >>> analysis.pair_conflicts.tolist()
    [[0.0, 0.5], [0.5, 0.0]]
    """
    _check_shapes(votes, reliability, truth)
    voters = Voters(tuple(votes.annotators), tuple(votes.kinds), tuple(votes.classes))
    sums = VoteSums(*vote_sums(votes, truth).arrays)
    return analysis_of(sums, voters, reliability=reliability, is_measured=truth is not None)


def analysis_of(
    sums: VoteSums,
    voters: Voters,
    *,
    reliability: npt.NDArray[np.float64] | None = None,
    is_measured: bool = False,
) -> Analysis:
    """The same as `analyze` of all votes, from their sums.

    Parameters
    ----------
    sums : VoteSums
    voters : Voters
    reliability : ndarray of float64, shape (n_annotators,), optional
        A label model's `reliability_`; NaN where it has no opinion.
    is_measured : bool
        Whether there was a truth to compare with.
    """
    rows = _rows(sums, voters, reliability, is_measured=is_measured)
    counts = conflicts = None
    if len(voters.names) <= MOST_PAIRED:
        counts, agreed = sums.pairs.astype(np.int64)
        with np.errstate(invalid="ignore"):
            conflicts = np.where(counts > 0, 1 - agreed / counts, np.nan)
    notes = notes_on(rows, counts, conflicts, n_classes=len(voters.classes))
    return Analysis(rows, _summary(sums, voters), counts, conflicts, notes)


def _check_shapes(
    votes: VoteTable, reliability: npt.NDArray[np.float64] | None, truth: npt.NDArray[np.int16] | None
) -> None:
    if reliability is not None and reliability.shape != (votes.n_annotators,):
        raise UsageError(f"reliability has shape {reliability.shape} for {votes.n_annotators} annotators: one each")
    if truth is None:
        return
    if truth.shape != (votes.n_items,):
        raise UsageError(f"truth has shape {truth.shape} for {votes.n_items} items: one class index each, -1 unknown")
    if truth.size and not ABSTAIN <= int(truth.min()) <= int(truth.max()) < votes.n_classes:
        raise UsageError(f"truth must lie in -1..{votes.n_classes - 1}, found {truth.min()}..{truth.max()}")


def _rows(
    sums: VoteSums, voters: Voters, reliability: npt.NDArray[np.float64] | None, *, is_measured: bool
) -> tuple[AnnotatorRow, ...]:
    n_items = max(sums.n_items, 1)
    n_votes, overlaps, conflicts, correct, compared = sums.annotators
    low, high = wilson_interval(correct, compared) if is_measured else (correct, correct)
    rows = []
    for j, name in enumerate(voters.names):
        right = int(correct[j]) if is_measured else None
        both = int(compared[j]) if is_measured else 0
        learned = None if reliability is None or np.isnan(reliability[j]) else float(reliability[j])
        rows.append(
            AnnotatorRow(
                annotator=name,
                kind=voters.kinds[j],
                polarity=tuple(c for c, n in zip(voters.classes, sums.named[j], strict=True) if n),
                n_votes=int(n_votes[j]),
                coverage=float(n_votes[j] / n_items),
                overlaps=float(overlaps[j] / n_items),
                conflicts=float(conflicts[j] / n_items),
                learned_accuracy=learned,
                n_correct=right,
                n_incorrect=None if right is None else both - right,
                accuracy=right / both if right is not None and both else None,
                accuracy_low=float(low[j]) if both else None,
                accuracy_high=float(high[j]) if both else None,
            )
        )
    return tuple(rows)


def _summary(sums: VoteSums, voters: Voters) -> Summary:
    n_items = max(sums.n_items, 1)
    n_votes = int(sums.per_class.sum())
    _, n_voted, n_several, n_mixed = sums.items.astype(np.int64).tolist()
    return Summary(
        n_items=sums.n_items,
        n_annotators=len(voters.names),
        n_votes=n_votes,
        coverage=n_voted / n_items,
        overlaps=n_several / n_items,
        conflicts=n_mixed / n_items,
        mean_votes=n_votes / n_items,
        balance={c: float(n / max(n_votes, 1)) for c, n in zip(voters.classes, sums.per_class, strict=True)},
    )


_COLUMNS: dict[str, Any] = {
    "annotator": pl.String,
    "kind": pl.String,
    "polarity": pl.List(pl.String),
    "n_votes": pl.Int64,
    "coverage": pl.Float64,
    "overlaps": pl.Float64,
    "conflicts": pl.Float64,
    "learned_accuracy": pl.Float64,
    "n_correct": pl.Int64,
    "n_incorrect": pl.Int64,
    "accuracy": pl.Float64,
    "accuracy_low": pl.Float64,
    "accuracy_high": pl.Float64,
}
