"""Repair: votes that are likely wrong are asked about again, or give way to the consensus; each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, TypedDict

import polars as pl

from labelmill.domain.task import Task
from labelmill.errors import FailedError, UsageError
from labelmill.pipeline.aggregate import aggregate
from labelmill.pipeline.select import ask_file
from labelmill.pipeline.votes import ballots, people_votes, said_by_people
from labelmill.pipeline.workspace import Workspace
from labelmill.quality.vote_quality import vote_quality

__all__ = ["Repair", "Repaired", "repair", "repairs"]

QUEUED: Final = "repairs"
"""Document that remembers which votes people were asked about again."""

REASON: Final = "repair: "
"""What the reason of every repair begins with."""


class Repair(NamedTuple):
    """One vote that was superseded."""

    item: str
    annotator: str
    old: str
    new: str
    reason: str


@dataclass(frozen=True)
class Repaired:
    """What a round of repairs did.

    Parameters
    ----------
    settled, taken : list of Repair
        By the answers of people who were asked again; by the consensus, whose posterior cleared the bar.
    confirmed : int
        Votes that people were asked about again and gave again.
    suspects : polars.DataFrame
        What is left, the worst first: `item`, `annotator`, `label`, `consensus`, `quality`, `posterior`.
    tasks : list of Task
        What people are asked now, or still.
    out : Path or None
        The file to fill in.
    """

    settled: list[Repair] = field(default_factory=list)
    taken: list[Repair] = field(default_factory=list)
    confirmed: int = 0
    suspects: pl.DataFrame = field(default_factory=pl.DataFrame)
    tasks: list[Task] = field(default_factory=list)
    out: Path | None = None


def repair(
    workspace: Workspace, *, out: Path | str | None = None, count: int = 50, bar: float | None = None
) -> Repaired:
    """Supersede votes of people that are likely wrong, and ask people about the others.

    A suspect is a person's vote that the consensus contradicts, the worst quality first (see
    `labelmill.quality.vote_quality`). Answers of others to what was asked before come first: where they differ from
    the suspect vote they supersede it. A superseding vote stands in the name of the annotator whose vote it replaces,
    with its reason; the old one stays in the lake.

    Parameters
    ----------
    out : Path or str, optional
        Write the worst suspects there, to be labelled anew: blind, the old labels are not shown.
    count : int
        How many at most.
    bar : float, optional
        Where the posterior of the consensus is at least this, it supersedes the suspect vote, and nobody is asked.

    Raises
    ------
    FailedError
        If an item may have several classes, or there are no votes yet.
    UsageError
        If the bar is no probability above one half.
    """
    if workspace.schema.kind != "choice":
        raise FailedError(f"repairs are for questions with one class an item, this one is {workspace.schema.kind}")
    if bar is not None and not 0.5 < bar <= 1:
        raise UsageError(f"--bar is a probability above 0.5 and at most 1, found {bar:g}")
    if count < 1:
        raise UsageError(f"--count must be at least 1, found {count}")
    with workspace.lake.writing(), workspace.running("check", parameters={"bar": bar, "count": count}) as run:
        settled, confirmed = _settle(workspace)
        suspects = _suspects(workspace)
        taken: list[Repair] = []
        if bar is not None:
            sure = suspects.filter(pl.col("posterior") >= bar)
            taken = _supersede(workspace, [_by_consensus(row) for row in sure.iter_rows(named=True)])
            suspects = suspects.filter(pl.col("posterior") < bar)
        tasks = [] if out is None else _queue(workspace, suspects, count, Path(out))
        workspace.end(run, counts={"repairs": len(settled) + len(taken), "items": len(tasks)})
    return Repaired(settled, taken, confirmed, suspects, tasks, None if out is None else Path(out))


def repairs(workspace: Workspace) -> list[Repair]:
    """All repairs that still hold, in the order they were made."""
    before = pl.col("value").forward_fill().shift(1).over("item", "annotator")
    votes = said_by_people(workspace).with_columns(old=before.fill_null(""))
    held = votes.unique(["item", "annotator"], keep="last", maintain_order=True)
    made = held.filter(pl.col("reason").fill_null("").str.starts_with(REASON))
    made = made.with_columns(pl.col("reason").str.strip_prefix(REASON))
    return [Repair(*row) for row in made.select("item", "annotator", "old", "value", "reason").iter_rows()]


def _settle(workspace: Workspace) -> tuple[list[Repair], int]:
    """Repairs by answers that have come in since the questions were asked, and how many answers confirmed a vote."""
    asked = _asked(workspace)
    if not asked:
        return [], 0
    found, confirmed = [], 0
    votes = people_votes(workspace).filter(pl.col("item").is_in(list(asked))).drop_nulls("value")
    answers = {row["item"]: row for row in votes.iter_rows(named=True) if _answers(row, asked[row["item"]])}
    for item, answer in answers.items():
        reason = f"{answer['annotator']} was asked again"
        for annotator, old in asked.pop(item)["votes"].items():
            confirmed += old == answer["value"]
            if old != answer["value"]:
                found.append(Repair(item, annotator, old, answer["value"], reason))
    workspace.lake.write_document(QUEUED, {"open": asked})
    return _supersede(workspace, found), confirmed


def _asked(workspace: Workspace) -> dict[str, _Question]:
    """Item -> what was asked about it again and is not answered."""
    return dict((workspace.lake.read_document(QUEUED) or {}).get("open", {}))


class _Question(TypedDict):
    at: str
    votes: dict[str, str]
    """Annotator -> the vote that is in doubt."""


def _answers(vote: Mapping[str, Any], question: _Question) -> bool:
    return vote["annotator"] not in question["votes"] and (vote["at"] or "") >= question["at"]


def _suspects(workspace: Workspace) -> pl.DataFrame:
    """People's votes that the consensus contradicts, the worst first."""
    result = aggregate(workspace)
    table = ballots(workspace).first
    if not table.n_votes:
        raise FailedError("there are no votes yet: run `labelmill annotate`, or import some with `labelmill import`")
    people = people_votes(workspace)["annotator"].unique().to_list()
    row = {item: i for i, item in enumerate(result.consensus.items)}
    probabilities = result.consensus.probabilities[[row[item] for item in table.items]]
    known = dict(result.annotators.select("annotator", "reliability").iter_rows())
    reliability = pl.Series([known.get(name) for name in table.annotators], dtype=pl.Float64).fill_null(float("nan"))
    judged = vote_quality(table, probabilities, reliability.to_numpy())
    best = pl.DataFrame(
        {"item": list(table.items), "posterior": probabilities.max(axis=1, initial=0.0)}, schema=_POSTERIOR
    )
    suspects = judged.votes().filter(pl.col("annotator").is_in(people) & (pl.col("label") != pl.col("consensus")))
    return suspects.join(best, on="item", how="left", maintain_order="left")


_POSTERIOR = {"item": pl.String, "posterior": pl.Float64}


def _by_consensus(row: dict[str, Any]) -> Repair:
    reason = f"the consensus says {row['consensus']} with probability {row['posterior']:.3f}"
    return Repair(row["item"], row["annotator"], row["label"], row["consensus"], reason)


def _supersede(workspace: Workspace, found: list[Repair]) -> list[Repair]:
    """New votes in the place of old ones; purpose and kind stay."""
    if not found:
        return []
    frame = pl.DataFrame(found, schema=list(Repair._fields), orient="row").cast(pl.String)
    old = people_votes(workspace).select("item", "annotator", "purpose", "kind")
    votes = frame.join(old, on=["item", "annotator"], how="left", maintain_order="left").select(
        "item",
        "annotator",
        pl.col("new").alias("value"),
        pl.lit(None, dtype=pl.Float64).alias("confidence"),
        pl.lit(workspace.now()).alias("at"),
        "purpose",
        "kind",
        (pl.lit(REASON) + pl.col("reason")).alias("reason"),
    )
    workspace.lake.append_votes(votes, source="check")
    return found


def _queue(workspace: Workspace, suspects: pl.DataFrame, count: int, out: Path) -> list[Task]:
    """The items of the worst suspects as a file to fill in; what was asked before and not answered comes first."""
    asked = _asked(workspace)
    worst = list(dict.fromkeys([*asked, *suspects["item"].to_list()]))[: max(count, len(asked))]
    tasks = [Task(item, "review") for item in worst]
    ask_file(workspace, tasks, out)
    now = workspace.now()
    for item, annotator, label in suspects.select("item", "annotator", "label").iter_rows():
        if item in worst:
            asked.setdefault(item, {"at": now, "votes": {}})["votes"][annotator] = label
    workspace.lake.write_document(QUEUED, {"open": asked})
    return tasks
