"""Run: one whole turn of the mill."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from labelmill.pipeline.aggregate import Aggregated, aggregate
from labelmill.pipeline.annotate import Annotated, annotate
from labelmill.pipeline.ingest import Ingested, ingest_sources
from labelmill.pipeline.report import report, story
from labelmill.pipeline.select import Selected, select
from labelmill.pipeline.train import Trained, train
from labelmill.pipeline.workspace import Workspace
from labelmill.report.story import Story

__all__ = ["Turned", "run"]


@dataclass(frozen=True)
class Turned:
    """What one turn of the mill did."""

    ingested: list[Ingested]
    annotated: Annotated | None
    trained: Trained | None
    aggregated: Aggregated
    selected: Selected
    story: Story
    report: Path


def run(
    workspace: Workspace,
    *,
    ask: Path | None = None,
    engine: str | None = None,
    workers: int | None = None,
    count: int | None = None,
) -> Turned:
    """Import what is new, annotate, train, aggregate, pick what to ask people next, and report.

    Parameters
    ----------
    ask : Path, optional
        File of the items to ask people about; `ask.csv` in the project without it.
    engine : str, optional
    workers : int, optional
    count : int, optional
        How many items to ask about.
    """
    workspace.require_classes("run", "take import, aggregate, select and export one by one")
    ingested = ingest_sources(workspace)
    annotated = None
    if workspace.project.code is not None:
        annotated = annotate(workspace, engine=engine, workers=workers)
    aggregated, trained = aggregate(workspace), None
    if workspace.project["train.learner"] and aggregated.summary.n_voted:
        trained = train(workspace)
        aggregated = aggregate(workspace)
    selected = select(workspace, count=count, out=ask or workspace.project.folder / "ask.csv")
    content = story(workspace)
    return Turned(ingested, annotated, trained, aggregated, selected, content, report(workspace, content=content))
