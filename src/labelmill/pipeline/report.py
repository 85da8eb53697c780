"""Report: everything a person should see, as a story; and the story as one HTML file."""

from __future__ import annotations

import contextlib
import platform
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from os import cpu_count
from pathlib import Path

import numpy as np
import numpy.typing as npt

import labelmill
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote import Fault
from labelmill.errors import StorageError
from labelmill.pipeline._doubts import doubtful_items
from labelmill.pipeline.aggregate import Aggregated, read_consensus
from labelmill.pipeline.analyze import Analyzed, analyze
from labelmill.pipeline.certify import Certified
from labelmill.pipeline.export import Exported, release_frame
from labelmill.pipeline.faults import current_faults
from labelmill.pipeline.select import asked_items
from labelmill.pipeline.votes import Ballots, ballots, current_machines, people_votes
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
    active, random : list of CurvePoint
        What had been reached after so many answers, round by round.
    """

    truth: npt.NDArray[np.int16]
    real_error: float
    random_error: float
    active: list[told.CurvePoint] = field(default_factory=list)
    random: list[told.CurvePoint] = field(default_factory=list)


def report(workspace: Workspace, out: Path | None = None, *, content: told.Story | None = None) -> Path:
    """The story as one HTML file.

    Parameters
    ----------
    out : Path, optional
        `report.html` in the project without it.
    content : Story, optional
        What to show; the project's own story without it.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    path = out or workspace.project.folder / "report.html"
    page = render(content or story(workspace))
    private = path.with_name(f".labelmill-{secrets.token_hex(8)}.tmp")
    try:
        private.write_text(page, encoding="utf-8")
        private.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):  # the error that brought us here is the one to tell
            private.unlink(missing_ok=True)
        raise StorageError(f"{path}: cannot write the report there: {error.strerror}") from error
    return path


def story(workspace: Workspace, *, measured: Measured | None = None, release: Exported | None = None) -> told.Story:
    """Everything the report and the terminal show, as plain data."""
    result, cast = read_consensus(workspace), ballots(workspace)
    analysis = analyze(workspace, truth=None if measured is None else measured.truth, result=result, cast=cast)
    frame, certified = release_frame(workspace)
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
        funnel=_funnel(cast, answers, frame["decided_by"].to_list(), frame["label"].null_count()),
        annotators=analysis.rows,
        conflicts=analysis.conflicts,
        curves=_curves(workspace, measured),
        certificate=_card(certified),
        balance=_balance(workspace, cast, result, frame["label"].to_list(), measured),
        calibration=_calibration(workspace, result, measured),
        doubtful=doubtful_items(workspace, result, cast, None if measured is None else measured.truth),
        label_model=_label_model(result),
        notes=analysis.notes,
        runs=_runs(workspace),
        fingerprints=[told.Fact(m.name, m.fingerprint) for m in current_machines(workspace)],
        versions=[told.Fact(name, version(name)) for name in ("numpy", "polars", "scikit-learn")]
        + [told.Fact("Python", platform.python_version())],
        faults=_faults(faults, analysis),
        n_items_with_faults=len({fault.item for fault in faults}),
    )


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
    cast: Ballots,
    answers: told.Answers,
    certified: Certified | None,
    measured: Measured | None,
    release: Exported | None,
) -> told.Headline:
    votes = sum(
        int((table.label[np.isin(table.annotator_index, _machines(cast))] != ABSTAIN).sum())
        for table in cast.tables.values()
    )
    return told.Headline(
        n_items=len(cast.items),
        noun={"text": "text", "image": "image", "audio": "recording"}[workspace.schema.modality],
        nouns={"text": "texts", "image": "images", "audio": "recordings"}[workspace.schema.modality],
        n_machine_votes=votes,
        answers=answers,
        certified_bound=None if certified is None else certified.certificate.certified_error,
        confidence=None if certified is None else certified.certificate.confidence,
        real_error=None if measured is None else measured.real_error,
        n_gold=None if measured is None else int((measured.truth != ABSTAIN).sum()),
        random_error=None if measured is None else measured.random_error,
        release_path=None if release is None else release.place,
    )


def _machines(cast: Ballots) -> list[int]:
    return [j for j, kind in enumerate(cast.first.kinds) if kind != "person"]


def _funnel(cast: Ballots, answers: told.Answers, decided_by: Sequence[str], n_open: int) -> list[told.FunnelStep]:
    table = cast.first
    rules = [j for j, kind in enumerate(table.kinds) if kind == "rule"]
    covered: set[int] = set()
    for each in cast.tables.values():
        voted = np.isin(each.annotator_index, rules) & (each.label != ABSTAIN)
        covered |= set(np.unique(each.item_index[voted]).tolist())
    voted_on = np.any([each.has_votes for each in cast.tables.values()], axis=0)
    n_people = sum(who != "machine" for who in decided_by)
    n_items = len(cast.items)
    steps = [told.FunnelStep("imported", n_items, "items in the lake", "items")]
    if rules:
        steps.append(told.FunnelStep("voted on by a rule", len(covered), f"{len(rules)} rules", "rule"))
    if any(kind == "model" for kind in table.kinds):
        steps.append(told.FunnelStep("voted on by anybody", int(voted_on.sum()), "rules, model and people", "model"))
    if answers.total:
        steps.append(told.FunnelStep("decided by people", n_people, f"{answers.total:,} answers", "person"))
    steps.append(
        told.FunnelStep("labelled", n_items - n_open, f"{n_items - n_open - n_people:,} by machine", "release")
    )
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
    cast: Ballots,
    result: Aggregated,
    labels: Sequence[str | None],
    measured: Measured | None,
) -> told.Balance:
    classes = workspace.schema.classes
    if cast.is_multi:
        n_yes = np.array([int(table.counts[:, 1].sum()) for table in cast.tables.values()])
        released = np.array([sum(name in (label or "") for label in labels) for name in classes])
    else:
        n_yes = cast.first.counts.sum(axis=0)
        released = np.array([sum(name == label for label in labels) for name in classes])
    series = [
        told.BalanceSeries("votes", _shares(n_yes)),
        told.BalanceSeries("consensus", _shares(result.consensus.probabilities.sum(axis=0))),
        told.BalanceSeries("release", _shares(released)),
    ]
    if measured is not None and not cast.is_multi:
        gold = np.bincount(measured.truth[measured.truth != ABSTAIN], minlength=len(classes))
        series.append(told.BalanceSeries("gold", _shares(gold), is_reference=True))
    return told.Balance(list(classes), series)


def _shares(counts: npt.NDArray[np.floating | np.integer]) -> list[float | None]:
    total = float(counts.sum())
    return [float(n) / total if total else None for n in counts]


def _calibration(workspace: Workspace, result: Aggregated, measured: Measured | None) -> told.Calibration | None:
    if measured is None or workspace.schema.kind == "multi_choice":
        return None
    known = measured.truth != ABSTAIN
    measure = calibration(result.consensus.probabilities[known], measured.truth[known])
    bins = [
        told.CalibrationBin(
            b.low, b.high, b.n_items, b.confidence, b.accuracy, told.Interval(b.accuracy_low, b.accuracy_high)
        )
        for b in measure.bins
    ]
    return told.Calibration(bins, measure.expected_error, f"{int(known.sum()):,} gold labels")


def _label_model(result: Aggregated) -> told.LabelModelChoice:
    details = result.consensus.details
    if "chosen" not in details:
        return told.LabelModelChoice(result.consensus.model, "named in the project")
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
