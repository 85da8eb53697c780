"""Demo: the main job on real data that ships with labelmill, with a simulated person who answers from gold."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from labelmill.domain.ports import Progress
from labelmill.pipeline.aggregate import read_consensus
from labelmill.pipeline.annotate import annotate
from labelmill.pipeline.certify import certify, plan_certificate
from labelmill.pipeline.examples import copy_example, gold_of, opened_example
from labelmill.pipeline.export import Exported, export, release_frame
from labelmill.pipeline.ingest import ingest_sources
from labelmill.pipeline.project import Project
from labelmill.pipeline.report import Measured, report, story
from labelmill.pipeline.rounds import Snapshot, learn, rounds
from labelmill.pipeline.score import Score
from labelmill.pipeline.select import select
from labelmill.pipeline.simulated_person import SimulatedPerson
from labelmill.pipeline.submit import submit
from labelmill.pipeline.workspace import Workspace, unwatched
from labelmill.quality.certificate import Certificate
from labelmill.report.story import CurvePoint, Story

__all__ = ["PERSON", "Demonstration", "demo", "demo_project", "made_project"]

PERSON = "simulated_person"


@dataclass(frozen=True)
class Demonstration:
    """What the demo made.

    Parameters
    ----------
    story : Story
        Everything the terminal and the report show.
    report : Path
        One HTML file.
    release : Exported
    """

    story: Story
    report: Path
    release: Exported


@dataclass(frozen=True)
class Asking:
    """How the simulated person is asked, and where the true answers are."""

    gold: Path
    n_answers: int
    per_round: int
    person_error: float
    seed: int

    def person(self, classes: Sequence[str]) -> SimulatedPerson:
        """Somebody who answers from the example's gold."""
        return SimulatedPerson(self.gold, classes, error_rate=self.person_error, seed=self.seed)


def demo(
    folder: Path,
    *,
    example: str = "spam",
    n_answers: int = 300,
    per_round: int = 50,
    person_error: float = 0.0,
    error: float | None = None,
    confidence: float | None = None,
    seed: int = 0,
    workers: int | None = None,
    watch: Callable[[str], Progress] = unwatched,
) -> Demonstration:
    """Import, annotate, aggregate, train, ask, certify, export, report; then measure all of it against gold.

    Beside the chosen questions, a second copy of the project asks random ones, as many in the end, and a third one goes
    the same way to its certificate without the learner, so that the report can say what each was worth.

    Parameters
    ----------
    folder : Path
        Where the project is made.
    example : str
        Name of an example.
    n_answers, per_round : int
        Answers the simulated person gives to chosen questions, to half of the items at most, and how many before the
        mill learns from them.
    person_error : float
        Share of answers the person gets wrong.
    error, confidence : float, optional
        The certificate's promise; the example's without them.
    seed : int
    workers : int, optional
    watch : callable
        Progress.
    """
    with opened_example(example) as source, tempfile.TemporaryDirectory(prefix="labelmill-") as scratch:
        workspace = made_project(source, folder, workers=workers, watch=watch)
        n_answers = min(n_answers, workspace.lake.n_items // 2)
        asking = Asking(gold_of(source), n_answers, per_round, person_error, seed)
        shadow, unlearned = Path(scratch) / "random", Path(scratch) / "unlearned"
        shutil.copytree(folder, shadow)
        shutil.copytree(folder, unlearned)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as beside:
            baseline: Future[list[Snapshot]] = beside.submit(random_rounds, shadow, asking)
            person = asking.person(workspace.schema.classes)
            active = _ask(workspace, person, asking)
            _certify(workspace, person, error, confidence)
            release = export(workspace)
            last = beside.submit(more_random_answers, shadow, asking, person.n_answers - n_answers)
            without = beside.submit(answers_without_learner, unlearned, asking, error, confidence)
            random = [*baseline.result(), last.result()]
            learned = workspace.project["train.learner"]
            measured = _measure(workspace, asking, active, random, without.result() if learned else None)
    content = story(workspace, measured=measured, release=release)
    return Demonstration(content, report(workspace, content=content), release)


def demo_project(
    folder: Path,
    *,
    example: str = "spam",
    workers: int | None = None,
    watch: Callable[[str], Progress] = unwatched,
) -> Workspace:
    """An example as a project whose rules have voted: ready for people."""
    with opened_example(example) as source:
        return made_project(source, folder, workers=workers, watch=watch)


def made_project(source: Path, folder: Path, *, workers: int | None, watch: Callable[[str], Progress]) -> Workspace:
    """A project made of an opened example's folder, whose rules have voted."""
    workspace = Workspace.open(copy_example(source, folder), watch=watch)
    ingest_sources(workspace)
    if workspace.project.has_annotators:
        annotate(workspace, workers=workers)
    return workspace


def random_rounds(folder: Path, asking: Asking) -> list[Snapshot]:
    """The same rounds with random questions; runs in a process of its own."""
    workspace = Workspace.open(folder)
    person = asking.person(workspace.schema.classes)
    return list(
        rounds(
            workspace,
            person.answer,
            by=PERSON,
            strategy="random",
            n_answers=asking.n_answers,
            per_round=asking.per_round,
            seed=asking.seed,
        )
    )


def more_random_answers(folder: Path, asking: Asking, n_more: int) -> Snapshot:
    """What the random project makes of as many answers as the certificate cost."""
    workspace = Workspace.open(folder)
    person = asking.person(workspace.schema.classes)
    chosen = select(workspace, count=max(n_more, 1), strategy="random", seed=asking.seed + 1)
    submit(workspace, person.answer([task.item for task in chosen.tasks][: max(n_more, 0)]), by=PERSON)
    return learn(workspace, asking.n_answers + n_more)


def answers_without_learner(folder: Path, asking: Asking, error: float | None, confidence: float | None) -> int:
    """Answers until the same certificate where nothing is learned from texts; runs in a process of its own."""
    project = Project.open(folder)
    workspace = Workspace(replace(project, settings={**project.settings, "train.learner": ""}))
    person = asking.person(workspace.schema.classes)
    _ask(workspace, person, asking)
    _certify(workspace, person, error, confidence)
    return person.n_answers


def _ask(workspace: Workspace, person: SimulatedPerson, asking: Asking) -> list[Snapshot]:
    progress = workspace.watch("ask")
    snapshots = []
    for snapshot in rounds(
        workspace,
        person.answer,
        by=PERSON,
        strategy=workspace.project["select.strategy"],
        n_answers=asking.n_answers,
        per_round=asking.per_round,
        seed=asking.seed,
    ):
        snapshots.append(snapshot)
        progress(snapshot.n_answers, asking.n_answers)
    return snapshots


def _certify(workspace: Workspace, person: SimulatedPerson, error: float | None, confidence: float | None) -> None:
    plan = plan_certificate(workspace, error=error, confidence=confidence)
    submit(workspace, person.answer(plan.sample), by=PERSON, purpose="audit")
    certified = certify(workspace)
    if certified.missing:
        submit(workspace, person.answer(certified.missing), by=PERSON)
        certify(workspace)


def _measure(
    workspace: Workspace,
    asking: Asking,
    active: Sequence[Snapshot],
    random: Sequence[Snapshot],
    n_without_learner: int | None,
) -> Measured:
    """The final score: the only other place that opens gold."""
    score = Score(asking.gold)
    frame, certified = release_frame(workspace)
    real_error = score.error(dict(frame.select("item", "label").iter_rows()))
    consensus = read_consensus(workspace).consensus
    audit = None if certified is None else certified.certificate
    curves = [[_point(score, asking, snapshot, audit) for snapshot in snapshots] for snapshots in (active, random)]
    reached = CurvePoint(random[-1].n_answers, real_error, None if audit is None else audit.bound)
    return Measured(
        truth=score.truth(consensus.items, consensus.classes),
        real_error=real_error,
        random_error=score.error(random[-1].by_item),
        n_without_learner=n_without_learner,
        active=[*curves[0], reached],
        random=curves[1],
    )


def _point(score: Score, asking: Asking, snapshot: Snapshot, audit: Certificate | None) -> CurvePoint:
    """Error after so many answers, and what an audit of the size that was used would have proved."""
    bound = None
    if audit is not None and audit.n_audit:
        risk = 1 - audit.confidence
        bound = score.bound(snapshot.by_item, n_audit=audit.n_audit, risk=risk, seed=asking.seed)
    return CurvePoint(snapshot.n_answers, score.error(snapshot.by_item), bound)
