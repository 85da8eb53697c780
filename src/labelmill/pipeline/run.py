"""Run: one whole turn of the mill."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from labelmill.pipeline._value_training import label_kinds_of
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
    """What one turn of the mill did; the story and its report are about classes, and None for other kinds of label."""

    ingested: list[Ingested]
    annotated: Annotated | None
    trained: Trained | None
    aggregated: Aggregated
    selected: Selected
    story: Story | None
    report: Path | None


def run(
    workspace: Workspace,
    *,
    ask: Path | None = None,
    engine: str | None = None,
    workers: int | None = None,
    count: int | None = None,
) -> Turned:
    """Import what is new, annotate, train, aggregate, pick what to ask people next, and report.

    Where answers are more than classes, nothing is trained and there is no report yet.

    Parameters
    ----------
    ask : Path, optional
        File of the items to ask people about; `ask.csv` in the project without it.
    engine : str, optional
    workers : int, optional
    count : int, optional
        How many items to ask about.
    """
    ingested = ingest_sources(workspace)
    annotated = None
    if workspace.project.has_annotators:
        annotated = annotate(workspace, engine=engine, workers=workers)
    aggregated, trained = aggregate(workspace), None
    of_classes = not workspace.schema.is_structured
    if _learns(workspace) and aggregated.summary.n_voted:
        trained = train(workspace)
        aggregated = aggregate(workspace)
    selected = select(workspace, count=count, out=ask or workspace.project.folder / "ask.csv")
    content = story(workspace) if of_classes else None
    place = None if content is None else report(workspace, content=content)
    return Turned(ingested, annotated, trained, aggregated, selected, content, place)


def _learns(workspace: Workspace) -> bool:
    """Whether the project has a learner for its kind of label."""
    name = workspace.project["train.learner"]
    return bool(name) and (not workspace.schema.is_structured or workspace.schema.kind in label_kinds_of(name))
