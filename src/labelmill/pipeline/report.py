"""Report: everything a person should see, as a story; and the story as one HTML file."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from os import cpu_count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

import labelmill
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.strict_json import loads
from labelmill.domain.vote import Fault
from labelmill.pipeline._asked import asked_items
from labelmill.pipeline._doubts import doubtful_items
from labelmill.pipeline._pages import publish
from labelmill.pipeline._suggestion_story import suggestion_story
from labelmill.pipeline._vote_counts import CountedVotes, count_votes
from labelmill.pipeline.aggregate import Aggregated, read_consensus
from labelmill.pipeline.analyze import Analyzed, analyze
from labelmill.pipeline.certify import Certified, read_plan
from labelmill.pipeline.export import Exported, release_frame
from labelmill.pipeline.faults import current_faults
from labelmill.pipeline.repair import repairs
from labelmill.pipeline.votes import ballots, current_machines, people_votes
from labelmill.pipeline.workspace import Workspace
from labelmill.quality.calibration import calibration
from labelmill.report import story as told
from labelmill.report.html import render

__all__ = ["Measured", "report", "story"]


@dataclass(frozen=True)
class Measured:
    """What gold says of it all, where there is gold.

    Parameters
    ----------
    truth : ndarray of int16, shape (n_items,)
        True class index of each item in lake order, ABSTAIN where unknown.
    real_error : float
        Share of the release's labels that are wrong.
    random_error : float
        The same had as many answers been spent on random items.
    n_without_learner : int or None
        Answers that the same certificate takes where nothing is trained.
    active, random : list of CurvePoint
        What had been reached after so many answers, round by round.
    """

    truth: npt.NDArray[np.int16]
    real_error: float
    random_error: float
    n_without_learner: int | None = None
    active: list[told.CurvePoint] = field(default_factory=list)
    random: list[told.CurvePoint] = field(default_factory=list)


def report(
    workspace: Workspace,
    out: Path | None = None,
    *,
    content: told.Story | None = None,
    engine: str | None = None,
    workers: int | None = None,
) -> Path:
    """The story as one HTML file.

    Parameters
    ----------
    out : Path, optional
        `report.html` in the project without it.
    content : Story, optional
        What to show; the project's own story without it.
    engine : str, optional
        Where the votes are counted. Without it and without `workers`: in this process up to a million items, beyond
        that on the project's engine.
    workers : int, optional
        How many workers at most.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    path = out or workspace.project.folder / "report.html"
    page = render(content or story(workspace, engine=engine, workers=workers))
    publish(path, page)
    return path


def story(
    workspace: Workspace,
    *,
    measured: Measured | None = None,
    release: Exported | None = None,
    engine: str | None = None,
    workers: int | None = None,
) -> told.Story:
    """Everything the report and the terminal show, as plain data."""
    workspace.require_classes("report", "`labelmill aggregate` shows the annotators, `labelmill export` the labels")
    result = read_consensus(workspace)
    if measured is None:
        cast = count_votes(workspace, engine=engine, workers=workers)
    else:  # its truth is known item by item
        cast = CountedVotes.of_ballots(ballots(workspace), measured.truth)
    analysis = analyze(workspace, result=result, counted=cast)
    truth = None if measured is None else measured.truth
    released = _released(workspace, result)
    certified = released.certified
    answers = _answers(workspace, certified)
    faults = current_faults(workspace)
    return told.Story(
        title=workspace.project.name,
        headline=_headline(workspace, cast, answers, certified, measured, release),
        made_at=workspace.now()[:19].replace("T", " ") + " UTC",
        labelmill_version=labelmill.__version__,
        schema_name=workspace.schema.name,
        classes=list(workspace.schema.classes),
        engine=workspace.project["annotate.engine"],
        machine=f"{platform.system()} {platform.machine()}, {cpu_count()} cores",
        funnel=_funnel(cast, answers, released),
        annotators=analysis.rows,
        conflicts=analysis.conflicts,
        curves=_curves(workspace, measured),
        certificate=_card(certified),
        balance=_balance(workspace, cast, result, released, measured),
        calibration=_calibration(workspace, result, measured),
        doubtful=doubtful_items(workspace, truth, engine=engine, workers=workers),
        suggestions=suggestion_story(workspace),
        label_model=_label_model(result),
        notes=analysis.notes,
        runs=_runs(workspace),
        fingerprints=[told.Fact(m.name, m.fingerprint) for m in current_machines(workspace)],
        versions=[told.Fact(name, version(name)) for name in ("numpy", "polars", "scikit-learn")]
        + [told.Fact("Python", platform.python_version())],
        faults=_faults(faults, analysis),
        repairs=[told.RepairRow(**made._asdict()) for made in repairs(workspace)],
        n_items_with_faults=len({fault.item for fault in faults}),
    )


@dataclass(frozen=True)
class _Released:
    """The labels as they would be released now, in numbers."""

    labels: Mapping[str, int]
    n_labelled: int
    n_by_people: int
    certified: Certified | None = None


def _released(workspace: Workspace, result: Aggregated) -> _Released:
    """A certificate decides labels one by one; without one, the consensus in short says it all."""
    if read_plan(workspace) is None:
        asked = asked_items(workspace)
        n_by_people = sum(item in asked for item in people_votes(workspace)["item"].unique())
        return _Released(result.summary.labels, result.summary.n_voted, n_by_people)
    frame, certified = release_frame(workspace)
    counts = dict.fromkeys(workspace.schema.classes, 0)
    for label, n in frame["label"].drop_nulls().value_counts(name="n").iter_rows():
        for name in loads(label) if workspace.schema.kind == "multi_choice" else [label]:
            if name in counts:  # an older plan may speak of classes that are gone
                counts[name] += n
    n_by_people = frame.filter(pl.col("decided_by").ne_missing("machine")).height
    return _Released(counts, frame.height - frame["label"].null_count(), n_by_people, certified)


def _answers(workspace: Workspace, certified: Certified | None) -> told.Answers:
    """Human answers by the reason they were asked for; an answer is counted once."""
    labels = people_votes(workspace, ("label", "review", "gold"))
    people = labels.filter(labels["kind"] == "person")
    deferred = set() if certified is None else set(certified.certificate.deferred)
    asked = asked_items(workspace)
    items = people["item"].to_list()
    n_deferred = sum(item in deferred and item not in asked for item in items)
    n_selected = sum(item in asked for item in items)
    return told.Answers(
        selected=n_selected,
        audit=people_votes(workspace, ("audit",)).height,
        deferred=n_deferred,
        imported=len(items) - n_selected - n_deferred,
    )


def _headline(
    workspace: Workspace,
    cast: CountedVotes,
    answers: told.Answers,
    certified: Certified | None,
    measured: Measured | None,
    release: Exported | None,
) -> told.Headline:
    return told.Headline(
        n_items=cast.n_items,
        noun={"text": "text", "image": "image", "audio": "recording"}[workspace.schema.modality],
        nouns={"text": "texts", "image": "images", "audio": "recordings"}[workspace.schema.modality],
        n_machine_votes=cast.n_machine_votes,
        answers=answers,
        certified_bound=None if certified is None else certified.certificate.certified_error,
        confidence=None if certified is None else certified.certificate.confidence,
        real_error=None if measured is None else measured.real_error,
        n_gold=None if measured is None else int((measured.truth != ABSTAIN).sum()),
        random_error=None if measured is None else measured.random_error,
        answers_without_learner=None if measured is None else measured.n_without_learner,
        release_path=None if release is None else release.place,
    )


def _funnel(cast: CountedVotes, answers: told.Answers, released: _Released) -> list[told.FunnelStep]:
    kinds = cast.voters.kinds
    n_rules, n_people = kinds.count("rule"), released.n_by_people
    steps = [told.FunnelStep("imported", cast.n_items, "items in the lake", "items")]
    if n_rules:
        steps.append(told.FunnelStep("voted on by a rule", cast.n_by_rules, f"{n_rules} rules", "rule"))
    if "model" in kinds:
        steps.append(told.FunnelStep("voted on by anybody", cast.n_voted, "rules, model and people", "model"))
    if answers.total:
        steps.append(told.FunnelStep("decided by people", n_people, f"{answers.total:,} answers", "person"))
    by_machine = f"{released.n_labelled - n_people:,} by machine"
    steps.append(told.FunnelStep("labelled", released.n_labelled, by_machine, "release"))
    return steps


def _curves(workspace: Workspace, measured: Measured | None) -> list[told.Curve]:
    if measured is None:
        return []
    return [
        told.Curve(workspace.project["select.strategy"], measured.active),
        told.Curve("random", measured.random, is_baseline=True),
    ]


def _card(certified: Certified | None) -> told.CertificateCard | None:
    if certified is None:
        return None
    proof = certified.certificate
    checked = proof.people_bound is not None
    return told.CertificateCard(
        issued=True,
        epsilon=proof.certified_error,
        confidence=proof.confidence,
        n_items=proof.n_items,
        bound=proof.bound + (proof.people_bound or 0.0),
        n_sample=proof.n_audit,
        n_sample_wrong=proof.n_wrong,
        n_by_machine=proof.n_machine,
        n_by_people=proof.n_items - proof.n_machine,
        method=proof.method,
        paper="after Candès, Ilyas and Zrnic 2025, arXiv:2506.10908",
        drawn="Drawn uniformly at random without replacement; labels, sample and rule frozen before the first answer",
        truth=(
            "different from the truth: people's own errors were checked and are covered"
            if checked
            else "different from what people answer; their own errors are not covered"
        ),
        limits=[
            "It speaks of this release as a whole, not of any single label or part of it.",
            "It does not speak of items that come later.",
        ],
        issued_at=certified.issued_at[:19].replace("T", " ") + " UTC",
        fingerprint=proof.plan[:16],
    )


def _balance(
    workspace: Workspace,
    cast: CountedVotes,
    result: Aggregated,
    released: _Released,
    measured: Measured | None,
) -> told.Balance:
    classes = workspace.schema.classes
    series = [
        told.BalanceSeries("votes", _shares(cast.per_class)),
        told.BalanceSeries("consensus", _shares(np.array([result.summary.balance[name] for name in classes]))),
        told.BalanceSeries("release", _shares(np.array([released.labels[name] for name in classes]))),
    ]
    if measured is not None and not cast.is_multi:
        gold = np.bincount(measured.truth[measured.truth != ABSTAIN], minlength=len(classes))
        series.append(told.BalanceSeries("gold", _shares(gold), is_reference=True))
    return told.Balance(list(classes), series)


def _shares(counts: npt.NDArray[np.floating | np.integer]) -> list[float | None]:
    total = float(counts.sum())
    return [float(n) / total if total else None for n in counts]


def _calibration(workspace: Workspace, result: Aggregated, measured: Measured | None) -> told.Calibration | None:
    if workspace.schema.kind == "multi_choice":
        return None
    if measured is None:
        return _calibration_on_gold(result.summary.details.get("calibration"))
    known = measured.truth != ABSTAIN
    measure = calibration(result.consensus.probabilities[known], measured.truth[known])
    bins = [
        told.CalibrationBin(
            b.low, b.high, b.n_items, b.confidence, b.accuracy, told.Interval(b.accuracy_low, b.accuracy_high)
        )
        for b in measure.bins
    ]
    return told.Calibration(bins, measure.expected_error, f"{int(known.sum()):,} gold labels")


def _calibration_on_gold(found: Mapping[str, Any] | None) -> told.Calibration | None:
    """As the last aggregate measured it on the project's gold answers, each under a fit that had not seen it."""
    if found is None:
        return None
    bins = [
        told.CalibrationBin(
            b["low"],
            b["high"],
            b["n_items"],
            b["confidence"],
            b["accuracy"],
            told.Interval(b["accuracy_low"], b["accuracy_high"]),
        )
        for b in found["bins"]
    ]
    source = f"{found['n_gold']:,} gold answers, cross-validated, at temperature {found['temperature']:.2f}"
    return told.Calibration(bins, found["expected_error"]["after"], source)


def _label_model(result: Aggregated) -> told.LabelModelChoice:
    details = result.summary.details
    if "chosen" not in details:
        return told.LabelModelChoice(result.summary.model, "named in the project")
    scores = details.get("scores", {})
    return told.LabelModelChoice(
        chosen=details["chosen"],
        reason=details.get("reason", ""),
        candidates=[told.Candidate(name, score) for name, score in scores.items()],
        score_name="held-out log likelihood per vote",
    )


def _runs(workspace: Workspace) -> list[told.RunRow]:
    rows = []
    for run in sorted(workspace.lake.runs(), key=lambda r: r.id):
        did = ", ".join(f"{n:,} {what.replace('_', ' ')}" for what, n in run.counts.items())
        rows.append(
            told.RunRow(run.id, run.verb, run.state, run.started[:19], run.seconds, run.engine, did or run.error)
        )
    return rows


def _faults(faults: Sequence[Fault], analysis: Analyzed) -> list[told.FaultRow]:
    kinds = {row.name: row.kind for row in analysis.rows}
    rows = []
    for name in dict.fromkeys(fault.annotator for fault in faults):
        own = [fault for fault in faults if fault.annotator == name]
        rows.append(told.FaultRow(name, kinds.get(name, "rule"), len(own), own[0].error, own[0].item))
    return rows
