"""Check: what of the annotators' work needs a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.domain.columns import frame_of
from labelmill.domain.consensus import Consensus
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_columns import vote_texts
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import FailedError, UsageError
from labelmill.pipeline._vote_times import seconds_at, seconds_taken
from labelmill.pipeline.aggregate import Aggregated, aggregate, aggregate_votes, gold_answers
from labelmill.pipeline.votes import ballots, people_votes
from labelmill.pipeline.workspace import Workspace
from labelmill.quality.balance import class_weights
from labelmill.quality.check import Check
from labelmill.quality.check import check as check_of_table
from labelmill.quality.drift import Drift, drift

__all__ = ["Checked", "check", "check_votes"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Checked:
    """A check, and what it rests on.

    Parameters
    ----------
    check : Check
        Findings, annotators, class balance.
    votes : VoteTable
    result : Aggregated
        The consensus that annotators are compared with.
    drift : Drift or None
        What changed since older votes, if there were any to compare with.
    n_truth : int
        Items with votes whose truth is known.
    n_superseded : int
        Votes that do not count, because the same annotator voted on the item again.
    """

    check: Check
    votes: VoteTable = field(repr=False)
    result: Aggregated = field(repr=False)
    drift: Drift | None = None
    n_truth: int = 0
    n_superseded: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        counts = self.check.balance.counts
        return {
            **self.check.to_dict(),
            "weights": class_weights(counts),
            "drift": None if self.drift is None else self.drift.to_dict(),
            "model": self.result.summary.model,
            "n_truth": self.n_truth,
            "superseded": self.n_superseded,
        }


def check_votes(
    votes: Any,
    *,
    truth: Any = None,
    against: Any = None,
    model: str = "auto",
    classes: Sequence[str] | None = None,
    kinds: Mapping[str, AnnotatorKind] | None = None,
    false_alarm: float = 0.05,
    seed: int = 0,
) -> Checked:
    """Who answers without looking, copies, drifts or hurries, by a table of votes; see `labelmill.quality.check`.

    Parameters
    ----------
    votes : table
        Columns `item`, `annotator`, `label` (`task` and `worker` are aliases); optional `kind`, `at` (ISO 8601, or
        seconds) and `seconds` or `duration` (of the answer). The later of two votes of an annotator on an item counts.
    truth : table or mapping of str to str, optional
        Columns `item`, `label`; or item -> label. It stands in for the consensus where it is known.
    against : table, optional
        Older votes, to tell what changed since.
    model : str
        Label model of the consensus.
    classes : sequence of str, optional
        Class order; without it the labels seen, sorted by code point.
    kinds : mapping of str to str, optional
        Annotator -> person, rule or model.
    false_alarm : float
        Chance of any finding if all is in order.
    seed : int
        Of label models that draw.

    Raises
    ------
    UsageError
        If a column is missing, or no item with votes has a truth.
    SchemaError
        If a label is not among the classes.

    Examples
    --------
    >>> items = [f"t{i}" for i in range(200)] * 3
    >>> names = ["ann"] * 200 + ["bob"] * 200 + ["eve"] * 200
    >>> labels = ["cat", "dog"] * 200 + ["cat"] * 200
    >>> found = check_votes({"item": items, "annotator": names, "label": labels})
    >>> [(finding.kind, finding.annotators) for finding in found.check.findings]
    [('spammer', ('eve',))]
    """
    frame = frame_of(votes)
    answers = _answers(truth)
    old = None if against is None else frame_of(against)
    order = _classes(classes, frame, old, answers)
    table, rows = _table(frame, order, kinds or {})
    result = aggregate_votes(table, model=model, seed=seed)
    known = _known(table, answers)
    changed = None
    if old is not None:
        older, _ = _table(old, order, kinds or {})
        before = aggregate_votes(older, model=model, seed=seed)
        changed = drift(older, table, old_labels=before.consensus.label_index, new_labels=result.consensus.label_index)
    checked = check_of_table(
        table,
        result.consensus.probabilities,
        truth=known,
        at=_times(rows, "at"),
        seconds=_times(rows, "seconds"),
        kinds=_kinds(table, result),
        against=changed,
        false_alarm=false_alarm,
        seed=seed,
    )
    n_truth = 0 if known is None else int((known[table.has_votes] != ABSTAIN).sum())
    return Checked(checked, table, result, changed, n_truth, frame.height - rows.height)


def check(
    workspace: Workspace, *, false_alarm: float = 0.05, engine: str | None = None, workers: int | None = None
) -> Checked:
    """Who answers without looking, copies, drifts or hurries in a project; gold answers count as the truth.

    The votes of all items are held in memory.

    Parameters
    ----------
    false_alarm : float
        Chance of any finding if all is in order.
    engine : str, optional
        Where the consensus is made; see `labelmill.pipeline.aggregate.aggregate`.
    workers : int, optional
        How many workers at most.

    Raises
    ------
    FailedError
        If there are no items or no votes yet, or an item may have several classes.
    """
    if workspace.schema.kind != "choice":
        raise FailedError(
            f"check is for questions with one class an item, this one is {workspace.schema.kind}: look at "
            "`labelmill analyze`"
        )
    result = aggregate(workspace, engine=engine, workers=workers)
    table = ballots(workspace).first
    if not table.n_votes:
        raise FailedError("there are no votes yet: run `labelmill annotate`, or import some with `labelmill import`")
    gold = dict(gold_answers(workspace).select("item", "value").iter_rows())
    known = _coded(table, gold) if gold else None
    checked = check_of_table(
        table,
        _aligned(result.consensus, table),
        truth=known,
        at=_people_at(table, people_votes(workspace).filter(pl.col("reason").is_null())),
        kinds=_kinds(table, result),
        false_alarm=false_alarm,
        seed=int(workspace.project["project.seed"]),
    )
    n_truth = 0 if known is None else int((known[table.has_votes] != ABSTAIN).sum())
    return Checked(checked, table, result, None, n_truth)


def _answers(truth: Any) -> dict[str, str]:
    """Item -> true label, of those that have one."""
    if truth is None:
        return {}
    if isinstance(truth, Mapping) and not {"item", "label"} <= set(truth):
        return {str(item): str(label) for item, label in truth.items()}
    frame = frame_of(truth)
    missing = [name for name in ("item", "label") if name not in frame.columns]
    if missing:
        raise UsageError(f"the truth needs the column {missing[0]!r}; found: {', '.join(frame.columns) or 'none'}")
    texts = frame.select(pl.col("item").cast(pl.String), pl.col("label").cast(pl.String)).drop_nulls()
    return {item: label for item, label in texts.iter_rows() if label not in {"", "ABSTAIN"}}


def _classes(
    classes: Sequence[str] | None, frame: pl.DataFrame, old: pl.DataFrame | None, answers: Mapping[str, str]
) -> list[str]:
    if classes is not None:
        return list(classes)
    seen = set(answers.values())
    for table in (frame, *([] if old is None else [old])):
        seen |= set(vote_texts(table)["label"].drop_nulls().unique())
    return sorted(seen - {"", "ABSTAIN"})


def _table(
    frame: pl.DataFrame, classes: Sequence[str], kinds: Mapping[str, AnnotatorKind]
) -> tuple[VoteTable, pl.DataFrame]:
    """The table, and the rows that became its votes, in their order."""
    more = [frame[name] for name in ("kind", "at", "seconds", "duration") if name in frame.columns]
    rows = vote_texts(frame).with_columns(*more)
    rows = rows.unique(["item", "annotator"], keep="last", maintain_order=True)
    if "duration" in rows.columns and "seconds" not in rows.columns:
        rows = rows.rename({"duration": "seconds"})
    return VoteTable.of(rows, classes=classes, kinds=kinds), rows


def _times(rows: pl.DataFrame, name: str) -> Floats | None:
    if name not in rows.columns:
        return None
    read = seconds_at if name == "at" else seconds_taken
    column = rows[name]
    if column.dtype.is_temporal():
        column = column.cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%S%.f")
    return np.asarray(read(column).cast(pl.Float64).fill_null(np.nan).to_numpy())


def _known(table: VoteTable, answers: Mapping[str, str]) -> npt.NDArray[np.int16] | None:
    if not answers:
        return None
    known = _coded(table, answers)
    if (known == ABSTAIN).all() and table.n_items:
        raise UsageError(
            f"none of the {len(answers):,} items of the truth has votes: do both name items alike? The votes have "
            f"{table.items[0]!r}, the truth {next(iter(answers))!r}"
        )
    return known


def _coded(table: VoteTable, answers: Mapping[str, str]) -> npt.NDArray[np.int16]:
    """Shape (n_items,): class index of the true label, ABSTAIN where it is not known."""
    place = {name: k for k, name in enumerate(table.classes)}
    labels = (answers.get(item) for item in table.items)
    return np.array([ABSTAIN if label is None else place[label] for label in labels], dtype=np.int16)


def _kinds(table: VoteTable, result: Aggregated) -> tuple[AnnotatorKind | None, ...]:
    """Kinds as the table has them, else as the label model inferred them.

    A rule among people is inferred from its naming one class only, which is what a person who does not look does: only
    where most are rules is that believed.
    """
    inferred = result.summary.details.get("kinds", {}).get("inferred", {})
    if 2 * sum(kind == "rule" for kind in inferred.values()) <= len(inferred):
        inferred = {name: kind for name, kind in inferred.items() if kind != "rule"}
    return tuple(kind or inferred.get(name) for name, kind in zip(table.annotators, table.kinds, strict=True))


def _aligned(consensus: Consensus, table: VoteTable) -> Floats:
    """The consensus in the order of the table's items."""
    if list(consensus.items) == list(table.items):
        return consensus.probabilities
    place = {item: i for i, item in enumerate(consensus.items)}
    return np.asarray(consensus.probabilities[[place[item] for item in table.items]])


def _people_at(table: VoteTable, votes: pl.DataFrame) -> Floats | None:
    """When each row of the table was given, of people whose votes came with a time."""
    if not votes.height:
        return None
    given = votes.select("item", "annotator").with_columns(at=seconds_at(votes["at"]))
    names, items = pl.Series(table.annotators, dtype=pl.String), pl.Series(list(table.items), dtype=pl.String)
    rows = pl.DataFrame({"item": items[table.item_index], "annotator": names[table.annotator_index]})
    joined = rows.join(given, on=["item", "annotator"], how="left", maintain_order="left")
    return np.asarray(joined["at"].cast(pl.Float64).fill_null(np.nan).to_numpy())
