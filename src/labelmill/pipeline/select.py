"""Select: the items that are worth a human, as tasks or as a file to fill in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill import registry
from labelmill.domain.ports import Pool, QueryStrategy
from labelmill.domain.task import Task
from labelmill.errors import LabelmillError, StorageError, UsageError
from labelmill.formats._endings import format_name
from labelmill.pipeline.aggregate import Aggregated, read_consensus
from labelmill.pipeline.votes import Ballots, ballots, people_votes
from labelmill.pipeline.workspace import Workspace

__all__ = ["Selected", "ask_file", "asked_items", "keep_answers", "select"]

ASKED = "asked"
"""Document that remembers what people were asked: an answer to it is a decision, not one voice of a crowd."""


@dataclass(frozen=True, slots=True)
class Selected:
    """What people should be asked next.

    Parameters
    ----------
    tasks : list of Task
        Most wanted first.
    strategy : str
    out : Path or None
        The file to fill in, if one was asked for.
    """

    tasks: list[Task]
    strategy: str
    out: Path | None = None


def select(
    workspace: Workspace,
    *,
    count: int | None = None,
    strategy: str | None = None,
    out: Path | None = None,
    seed: int | None = None,
) -> Selected:
    """The items that matter most among those nobody has been asked about.

    Parameters
    ----------
    count : int, optional
        How many; the project's setting without it.
    strategy : str, optional
        Name of a query strategy; the project's without it.
    out : Path, optional
        Write them there, with an empty column `label` to fill in.
    seed : int, optional
        For strategies that draw, and for the order of equals.
    """
    n = workspace.project["select.count"] if count is None else count
    if n < 1:
        raise UsageError(f"--count must be at least 1, found {n}")
    name = strategy or workspace.project["select.strategy"]
    chooser: QueryStrategy = registry.find("query_strategy", name)()
    result, cast = read_consensus(workspace), ballots(workspace)
    draw = workspace.project["project.seed"] if seed is None else seed
    score = _score(chooser, result, cast, draw)
    asked = set(people_votes(workspace, ("label", "review", "gold"))["item"].to_list())
    is_open = np.array([item not in asked for item in cast.items], dtype=np.bool_)
    picked = _pick(score, is_open, n, draw + len(asked))
    tasks = [Task(cast.items[i], "label", float(score[i])) for i in picked.tolist()]
    if out is not None:
        ask_file(workspace, tasks, out, result)
    _remember(workspace, tasks)  # once the file is there: what nobody was given has not been asked
    return Selected(tasks, name, out)


def asked_items(workspace: Workspace) -> set[str]:
    """Items that people were asked about, answered or not."""
    return set((workspace.lake.read_document(ASKED) or {}).get("items", []))


def ask_file(workspace: Workspace, tasks: list[Task], out: Path, suggestions: Aggregated | None) -> None:
    """Write tasks as a file that people fill in: the item's fields, a suggestion, and an empty `label`.

    An audit shows no suggestion: it must not lead the person whose answer measures it.

    Raises
    ------
    StorageError
        If the file is there and holds answers that were not imported.
    """
    keep_answers(workspace, out)
    ids = [task.item for task in tasks]
    items = workspace.lake.items(ids).frame
    frame = items.rename({"id": "item", "data": workspace.schema.modality})
    frame = frame.rename({c: c.partition(".")[2] for c in frame.columns if c.startswith(("meta.", "facts."))})
    frame = frame.rename({c: f"{c}_given" for c in ("label", "suggestion", "confidence") if c in frame.columns})
    if suggestions is not None:
        best = suggestions.consensus.to_frame().select(
            "item", suggestion="label", confidence=pl.col("confidence").round(4)
        )
        frame = frame.join(best, on="item", how="left", maintain_order="left")
    frame = frame.with_columns(label=pl.lit("")).select("item", "label", pl.exclude("item", "label"))
    with registry.find("format", format_name(out))().writer(out) as writer:
        writer.write(frame)


def keep_answers(workspace: Workspace, out: Path) -> None:
    """Refuse to write over what somebody has filled in and not brought back.

    Raises
    ------
    StorageError
        If the file holds such answers.
    """
    if not out.is_file():
        return
    try:
        chunks = list(registry.find("format", format_name(out))().read(out))
    except LabelmillError:
        return
    imported = set(workspace.lake.imported_votes()["item"].to_list())
    n_new = 0
    for chunk in chunks:
        if {"item", "label"} <= set(chunk.frame.columns):
            filled = chunk.frame.filter(pl.col("label").cast(pl.String).fill_null("") != "")
            n_new += sum(item not in imported for item in filled["item"].cast(pl.String))
    if n_new:
        raise StorageError(
            f"{out} holds {n_new} answers that are not imported yet: labelmill import {out} --votes-by NAME, "
            "or name another file with --out"
        )


def _remember(workspace: Workspace, tasks: list[Task]) -> None:
    asked = asked_items(workspace) | {task.item for task in tasks}
    workspace.lake.write_document(ASKED, {"items": sorted(asked)})


def _score(chooser: QueryStrategy, result: Aggregated, cast: Ballots, seed: int) -> npt.NDArray[np.float64]:
    probabilities = result.consensus.probabilities
    if not cast.is_multi:
        return chooser.score(Pool(probabilities, cast.first, seed))
    each = [
        chooser.score(Pool(np.stack([1 - probabilities[:, k], probabilities[:, k]], axis=1), table, seed))
        for k, table in enumerate(cast.tables.values())
    ]
    return np.asarray(np.sum(each, axis=0))


def _pick(score: npt.NDArray[np.float64], is_open: npt.NDArray[np.bool_], n: int, seed: int) -> npt.NDArray[np.intp]:
    """The n best open items, best first; equals in random order, so that a tie does not follow the file."""
    order = np.lexsort((np.random.default_rng(seed).random(len(score)), -score))
    return order[is_open[order]][:n]
