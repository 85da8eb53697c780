"""Select: the items that are worth a human, as tasks or as a file to fill in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from labelmill import registry
from labelmill.domain.partition import Partition, Resources
from labelmill.domain.task import Task
from labelmill.errors import LabelmillError, StorageError, UsageError
from labelmill.pipeline._asked import remember_asked, remember_drawn
from labelmill.pipeline._balance import check_balance
from labelmill.pipeline._choosing import Wish, choose
from labelmill.pipeline._data_files import format_of
from labelmill.pipeline._features import Features
from labelmill.pipeline.aggregate import current_consensus, engine_for
from labelmill.pipeline.embed import first_encoder, ready_features
from labelmill.pipeline.route import Routes, routes_of
from labelmill.pipeline.stopping import stopping
from labelmill.pipeline.workspace import Workspace
from labelmill.pipeline.worth import Worth, moments, remember_moment, the_moment, worth_of

__all__ = ["Selected", "ask_file", "keep_answers", "select"]


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
    answers : mapping of str to (str or None, float)
        Item -> the consensus on it and how sure that is.
    note : str
        What the strategy could not do in this project, and what to set; mostly empty.
    worth : Worth or None
        What the next answers are expected to bring; None where nothing is left to ask.
    stopped : str
        Why nothing is asked any more, in a sentence; empty while the stopping rule lets it go on.
    routes : Routes or None
        Who should answer what, if that was asked for.
    """

    tasks: list[Task]
    strategy: str
    out: Path | None = None
    answers: Mapping[str, tuple[str | None, float]] = field(default_factory=dict)
    note: str = ""
    worth: Worth | None = None
    stopped: str = ""
    routes: Routes | None = None


def select(
    workspace: Workspace,
    *,
    count: int | None = None,
    strategy: str | None = None,
    out: Path | str | None = None,
    seed: int | None = None,
    engine: str | None = None,
    workers: int | None = None,
    random_share: float | None = None,
    balance_classes: bool | None = None,
    routes: bool = False,
) -> Selected:
    """The items that matter most among those nobody has been asked about; none once `[select] stop` says so.

    Parameters
    ----------
    count : int, optional
        How many; the project's setting without it.
    strategy : str, optional
        Name of a query strategy; the project's without it.
    out : Path or str, optional
        Write them there, with an empty column `label` to fill in.
    seed : int, optional
        For strategies that draw, and for the order of equals.
    engine : str, optional
        Where the work runs. Without it and without `workers`: in this process up to a million items, beyond that on
        the project's engine.
    workers : int, optional
        How many workers at most.
    random_share : float, optional
        Share of them that is drawn at random, 0 to 1; the project's without it, else the strategy's own.
    balance_classes : bool, optional
        Choose as many of each class as can be had, going by the consensus; the project's setting without it.
    routes : bool
        Find out who should answer each, by `[select] wrong_price` and the costs of people and models.

    Raises
    ------
    UsageError
        If routes are asked for and a wrong label has no price.
    """
    n = workspace.project["select.count"] if count is None else count
    if n < 1:
        raise UsageError(f"--count must be at least 1, found {n}")
    draw = workspace.project["project.seed"] if seed is None else seed
    wish = _wish(
        workspace, Wish(strategy or workspace.project["select.strategy"], n, draw), random_share, balance_classes
    )
    if routes and not workspace.project["select.wrong_price"]:
        raise UsageError("routes need the price of a wrong label: set [select] wrong_price, e.g. to 20 answers' cost")
    stored = current_consensus(workspace)
    now = the_moment(workspace, stored, certifies=workspace.project["select.stop"] == "certificate")
    rule = stopping(workspace.project, moments(workspace), now)
    if rule.reason:
        return Selected([], wish.strategy, stopped=rule.reason)
    if rule.n_left is not None and rule.n_left < n:
        n = rule.n_left
        wish = replace(wish, n=n)
    path = None if out is None else Path(out)
    if path is not None:
        keep_answers(workspace, path)
    need = Resources(workers=workspace.most_workers(workers))
    where = engine_for(workspace, engine, workers)
    told = {"count": n, "strategy": wish.strategy, "seed": wish.seed, "out": None if path is None else str(path)}
    with ExitStack() as stack:
        stack.enter_context(workspace.lake.writing())
        features, note = _features(workspace, wish.strategy)
        run = stack.enter_context(workspace.running("select", engine=where, parameters=told))
        picked = choose(workspace, stored, wish, where, need, features)
        tasks = [
            Task(item, "label", score, why=why, at_random=at_random)
            for item, score, why, at_random in picked.select("item", "score", "why", "at_random").iter_rows()
        ]
        if path is not None:
            _write_questions(workspace, path, _items_at(workspace, stored.partitions, picked), picked)
        # Once the file is there: what nobody was given has not been asked.
        remember_asked(workspace, [task.item for task in tasks], [task.item for task in tasks if task.at_random])
        is_all = wish.strategy == "random" and not wish.balance
        drawn = picked if is_all else picked.filter(pl.col("at_random"))
        remember_drawn(workspace, dict(drawn.select("item", "label").iter_rows()))
        worth = worth_of(workspace, stored, picked, now)
        remember_moment(workspace, now)
        workspace.end(run, counts={"items": len(tasks), "at_random": sum(task.at_random for task in tasks)})
    rows = picked.select("item", "label", "confidence").iter_rows()
    answers = {item: (label, confidence) for item, label, confidence in rows}
    found = routes_of(workspace, stored, picked) if routes else None
    return Selected(tasks, wish.strategy, path, answers, note, worth, routes=found)


def _wish(workspace: Workspace, wish: Wish, random_share: float | None, balance: bool | None) -> Wish:  # noqa: FBT001 -- an option as it was given
    """With what is asked for besides, else what the project says, else what the strategy does by itself."""
    share = workspace.project["select.random_share"] if random_share is None else random_share
    if share == "":
        share = getattr(registry.find("query_strategy", wish.strategy)(), "random_share", 0.0)
    if not 0 <= share <= 1:
        raise UsageError(f"--random-share must lie between 0 and 1, found {share}")
    balance = workspace.project["select.balance_classes"] if balance is None else balance
    if balance:
        check_balance(workspace)
    return replace(wish, random_share=float(share), balance=bool(balance))


def _features(workspace: Workspace, strategy: str) -> tuple[Features | None, str]:
    """The features that a strategy reads; a note, where it could read some and the project has none."""
    plugin = registry.find("query_strategy", strategy)
    if getattr(plugin, "needs_features", False):
        return ready_features(workspace, f"the strategy {strategy!r}"), ""
    if not getattr(plugin, "reads_features", False):
        return None, ""
    if workspace.project["features.encoder"]:
        return ready_features(workspace, f"the strategy {strategy!r}"), ""
    return None, (
        f"{strategy} cannot tell which items are alike, for this project has no encoder: it goes by the probabilities "
        f"alone. In labelmill.toml, set {first_encoder(workspace)}"
    )


def ask_file(workspace: Workspace, tasks: list[Task], out: Path) -> None:
    """Write tasks as a file that people fill in: the item's fields and an empty `label`, without a suggestion.

    An audit shows no suggestion: it must not lead the person whose answer measures it.

    Raises
    ------
    StorageError
        If the file is there and holds answers that were not imported.
    """
    keep_answers(workspace, out)
    _write_questions(workspace, out, workspace.lake.items([task.item for task in tasks]).frame, None)


def _write_questions(workspace: Workspace, out: Path, items: pl.DataFrame, picked: pl.DataFrame | None) -> None:
    frame = items.rename({"id": "item", "data": workspace.schema.modality})
    frame = frame.rename({c: c.partition(".")[2] for c in frame.columns if c.startswith(("meta.", "facts."))})
    frame = frame.rename({c: f"{c}_given" for c in ("label", "suggestion", "confidence", "why") if c in frame.columns})
    if picked is not None:
        best = picked.select("item", "why", suggestion="label", confidence=pl.col("confidence").round(4))
        frame = frame.join(best, on="item", how="left", maintain_order="left")
    frame = frame.with_columns(label=pl.lit("")).select("item", "label", pl.exclude("item", "label"))
    with format_of(out).writer(out) as writer:
        writer.write(frame)


def _items_at(workspace: Workspace, partitions: Sequence[Partition], picked: pl.DataFrame) -> pl.DataFrame:
    """The chosen items, in their order; only the rows between the first and last chosen of a partition are read."""
    lake = workspace.lake
    by_id = {partition.id: partition for partition in partitions}
    found = []
    for (name,), chosen in picked.group_by("partition", maintain_order=True):
        home, rows = by_id[str(name)], chosen["row"]
        first, last = int(rows.min()), int(rows.max())  # type: ignore[arg-type]  # a column of integers that is not empty
        span = Partition(home.id, home.uri, home.start + first, home.start + last + 1)
        found.append(lake.read_items(span).frame[(rows - first).to_list()])
    if not found:
        return lake.items([]).frame
    items = pl.concat(found, how="diagonal_relaxed")
    return picked.select(id="item").join(items, on="id", how="left", maintain_order="left")


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
        chunks = list(format_of(out).read(out))
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
