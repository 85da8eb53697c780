"""Certify: an audit planned beforehand, people's answers to it, and the promise they support."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from labelmill.domain.task import Task
from labelmill.errors import CertificateError
from labelmill.pipeline._decided import decided_items, latest_answers
from labelmill.pipeline.aggregate import read_consensus
from labelmill.pipeline.select import ask_file, keep_answers
from labelmill.pipeline.votes import people_votes
from labelmill.pipeline.workspace import Workspace
from labelmill.quality.audit_plan import AuditPlan, plan_audit
from labelmill.quality.certificate import Certificate, FinalLabels, final_labels
from labelmill.quality.certificate import certify as prove

__all__ = ["Certified", "certify", "final_answers", "plan_certificate", "read_certificate", "read_plan"]

PLAN = "audit-plan"
CERTIFICATE = "certificate"


@dataclass(frozen=True)
class Certified:
    """A certificate and what is still missing for it to hold.

    Parameters
    ----------
    certificate : Certificate
    final : FinalLabels or None
        The certified labels; None while deferred items have no answer.
    missing : list of str
        Deferred items without an answer.
    issued_at : str
        When it was proved.
    out : Path or None
        File with the missing items, to fill in.
    """

    certificate: Certificate
    final: FinalLabels | None
    missing: list[str]
    issued_at: str
    out: Path | None = None


def plan_certificate(
    workspace: Workspace,
    *,
    error: float | None = None,
    confidence: float | None = None,
    out: Path | None = None,
    sample_size: int | None = None,
    seed: int | None = None,
    people_error: tuple[int, int] | None = None,
    new_release: bool = False,
) -> AuditPlan:
    """Draw the audit's sample at random and freeze everything the certificate rests on.

    Parameters
    ----------
    error, confidence : float, optional
        The promise; the project's without them.
    out : Path, optional
        File of the sampled items, to fill in. It shows no suggestion, which could lead the person.
    sample_size : int, optional
        Items to audit; the cheapest number without it.
    seed : int, optional
        Of the draw.
    people_error : (int, int), optional
        (checked, wrong) of people's answers, so that their own errors are covered too.
    new_release : bool
        Start a new promise although audit answers of an earlier plan have been read.

    Raises
    ------
    CertificateError
        If an earlier plan has answers already: drawing anew until a sample pleases would prove nothing.
    """
    workspace.require_classes("certify", "check a random sample of the export by hand")
    if out is not None:
        keep_answers(workspace, out)
    earlier = read_plan(workspace)
    if earlier is not None and not new_release and _audit_answers(workspace, earlier):
        raise CertificateError(
            "an audit is planned and has answers already; drawing another sample now would bias the proof. Finish it "
            "with `labelmill certify`, or begin a new promise that does not build on this one: --new-release"
        )
    consensus = read_consensus(workspace).consensus
    plan = plan_audit(
        list(consensus.items),
        1 - consensus.confidence,
        consensus.labels,
        error=error or workspace.project["certify.error"],
        confidence=confidence or workspace.project["certify.confidence"],
        seed=workspace.project["project.seed"] if seed is None else seed,
        sample_size=sample_size,
        last=True,
        people_error=people_error,
        answered=decided_items(workspace),
        classes=None if workspace.schema.kind == "multi_choice" else workspace.schema.classes,
    )
    with workspace.lake.writing():
        run = workspace.begin(
            "certify", parameters={"error": plan.error, "confidence": plan.confidence, "plan": plan.digest}
        )
        workspace.lake.delete_document(CERTIFICATE)
        workspace.lake.write_document(PLAN, plan.to_dict())
        workspace.end(run, counts={"items": plan.n_items, "sample": len(plan.sample)})
    if out is not None:
        ask_file(workspace, [Task(item, "audit") for item in plan.sample], out)
    return plan


def certify(workspace: Workspace, *, out: Path | None = None) -> Certified:
    """The certificate that the audit's answers support; deferred items still go to people before it holds.

    Parameters
    ----------
    out : Path, optional
        File of the deferred items without an answer, to fill in.

    Raises
    ------
    CertificateError
        If no audit is planned, or its answers are incomplete.
    """
    plan = read_plan(workspace)
    if plan is None:
        raise CertificateError(
            "no audit is planned yet: labelmill certify --plan --out audit.csv, have people fill it in, then "
            "labelmill import audit.csv --votes-by NAME --purpose audit"
        )
    if plan.classes is not None and tuple(plan.classes) != workspace.schema.classes:
        raise CertificateError(
            "the classes in labelmill.toml have changed since the audit was planned: plan a new one with "
            "labelmill certify --plan --new-release --out audit.csv"
        )
    earlier = read_certificate(workspace)
    certificate = prove(plan, _audit_answers(workspace, plan), earlier=earlier)
    issued_at = workspace.now()
    if earlier is None:
        run = workspace.begin("certify", parameters={"plan": plan.digest})
        workspace.lake.write_document(CERTIFICATE, {"issued_at": issued_at, **certificate.to_dict()})
        workspace.end(run, counts={"audited": certificate.n_audit, "deferred": certificate.n_deferred})
    else:
        issued_at = (workspace.lake.read_document(CERTIFICATE) or {})["issued_at"]
    answers = _all_answers(workspace)
    missing = [item for item in certificate.deferred if item not in answers]
    if missing and out is not None:
        ask_file(workspace, [Task(item, "label") for item in missing], out)
    final = None if missing else final_answers(workspace, plan, certificate)
    return Certified(certificate, final, missing, issued_at, out if missing else None)


def final_answers(workspace: Workspace, plan: AuditPlan, certificate: Certificate) -> FinalLabels:
    """The labels the certificate speaks of."""
    answers = _all_answers(workspace)
    return final_labels(plan, certificate, {**answers, **_audit_answers(workspace, plan)})


def read_plan(workspace: Workspace) -> AuditPlan | None:
    """The frozen plan, if there is one."""
    data = workspace.lake.read_document(PLAN)
    return None if data is None else AuditPlan.from_dict(data)


def read_certificate(workspace: Workspace) -> Certificate | None:
    """The certificate in the lake, if one was proved on the present plan."""
    data = workspace.lake.read_document(CERTIFICATE)
    if data is None:
        return None
    return Certificate.from_dict({name: value for name, value in data.items() if name != "issued_at"})


def _audit_answers(workspace: Workspace, plan: AuditPlan) -> dict[str, str | None]:
    return latest_answers(people_votes(workspace, ("audit",)).filter(pl.col("item").is_in(plan.sample)))


def _all_answers(workspace: Workspace) -> dict[str, str | None]:
    """The latest answer of any person to each item, gold and reviews above ordinary answers."""
    everybody = people_votes(workspace, ("label", "audit")).filter(pl.col("kind") == "person")
    return {**latest_answers(everybody), **latest_answers(people_votes(workspace, ("review", "gold")))}


def certificate_record(certified: Certified) -> Mapping[str, Any]:
    """The certificate as it travels with a release."""
    return {"issued_at": certified.issued_at, **certified.certificate.to_dict()}
