"""The certificate: how wrong a release can be, proved by an audit that was planned beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np

from labelmill.errors import CertificateError
from labelmill.quality.acceptance import bound_on_wrongs, kept_prefix
from labelmill.quality.audit_plan import AuditPlan, content_digest, refuse_unknown_classes
from labelmill.quality.bounds import clopper_pearson_upper

__all__ = ["Certificate", "FinalLabels", "Source", "certify", "final_labels"]

Source = Literal["machine", "people (audit)", "people (deferred)", "people (before)"]
"""Who gave an item its label in the release."""


@dataclass(frozen=True)
class Certificate:
    """What the audit proves about a release, and whom it still needs.

    Parameters
    ----------
    statement : str
        The promise in plain words.
    error, confidence : float
        The promise as asked: with this confidence at most this share of the labels differs from people's answers.
    certified_error : float
        The share promised in truth: `error`, plus `people_bound` where people's own errors were checked.
    bound : float
        What the audit in fact proves of machine labels, at most `error`, at the same confidence.
    people_bound : float or None
        Upper bound on the share of people's answers that are wrong; None when they are the truth by definition.
    n_items, n_before, n_audit, n_machine, n_deferred : int
        All items; those people had answered before; were audited; keep the machine's label; go to people now.
    n_wrong, n_accepted : int
        Audited labels found wrong, and how many of them need no cut (-1: the audit can prove nothing).
    threshold : float or None
        Uncertainty of the first item that is not left to the machine (of equal ones, the frozen order decides);
        None when there is none.
    deferred : tuple of str
        Items people must answer before the promise holds.
    risk : float
        Probability spent by this attempt.
    attempt : int
    method, plan, answers : str
        The method's name; digests of the plan and of the audit's answers.
    """

    statement: str
    error: float
    confidence: float
    certified_error: float
    bound: float
    people_bound: float | None
    n_items: int
    n_before: int
    n_audit: int
    n_machine: int
    n_deferred: int
    n_wrong: int
    n_accepted: int
    threshold: float | None
    deferred: tuple[str, ...]
    risk: float
    attempt: int
    method: str
    plan: str
    answers: str

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self) | {"deferred": list(self.deferred)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Certificate:
        """The certificate that `to_dict` wrote.

        Raises
        ------
        CertificateError
            If a field is missing or foreign.
        """
        odd = sorted(set(data) ^ {f.name for f in fields(cls)})
        if odd:
            raise CertificateError(f"this is no certificate (missing or foreign: {', '.join(odd)}): certify again")
        return cls(**{**data, "deferred": tuple(data["deferred"])})


@dataclass(frozen=True)
class FinalLabels:
    """The labels of a certified release.

    Parameters
    ----------
    items : tuple of str
        In the plan's order.
    labels : tuple of (str or None)
        None only where a person declined to answer.
    sources : tuple of Source
        Who gave each label.
    """

    items: tuple[str, ...]
    labels: tuple[str | None, ...]
    sources: tuple[Source, ...]


def certify(
    plan: AuditPlan,
    answers: Mapping[str, str | None],
    *,
    labels: Mapping[str, str | None] | None = None,
    earlier: Certificate | None = None,
) -> Certificate:
    """Issue the certificate of a planned audit whose every item has been answered.

    The mathematics and its proof are in `labelmill.quality.acceptance`. With `people_error` in the plan, the share
    of labels that differ from the truth is at most that of labels that differ from people's answers plus that of
    people's answers that differ from the truth; each is bounded at half the risk.

    Parameters
    ----------
    plan : AuditPlan
    answers : mapping of str to (str or None)
        People's answer to each sampled item and to no other; None for one they declined, which counts as a wrong
        label.
    labels : mapping of str to (str or None), optional
        The machine's labels as they are now, to make sure that they are those of the plan.
    earlier : Certificate, optional
        One issued before: on the same plan only the same answers are taken again.

    Raises
    ------
    CertificateError
        If the plan was changed, the audit is incomplete, an answer is foreign, labels have moved since, or a plan
        already certified comes with other answers.
    SchemaError
        If an answer is no class of the plan.

    Examples
    --------
    >>> from labelmill.quality.audit_plan import plan_audit
    >>> plan = plan_audit([str(i) for i in range(2000)], [0.01] * 2000, ["spam"] * 2000, last=True)
    >>> certificate = certify(plan, dict.fromkeys(plan.sample, "spam"))
    >>> certificate.n_machine, certificate.n_deferred, certificate.bound
    (1856, 0, 0.0195)
    """
    plan.require_intact()
    _check_answers(plan, answers)
    if labels is not None:
        _check_labels(plan, labels)
    digest = content_digest(dict(answers))
    if earlier is not None and earlier.plan == plan.digest and earlier.answers != digest:
        raise CertificateError(
            "this plan was certified before with other answers: an audit is read once. Keep that certificate, or plan "
            f"a new audit with attempt={plan.attempt + 1}"
        )
    wrong, cut = _cut(plan, answers)
    in_audit = set(plan.sample)
    left = [plan.items[i] for i in plan.order[cut:] if plan.items[i] not in in_audit]
    unlabelled = [x for x, a in zip(plan.items, plan.labels, strict=True) if a is None and x not in plan.answered]
    n_machine = len(plan.order) - len(plan.sample) - len(left)
    h = None if plan.people_error is None else _people_bound(plan)
    facts: dict[str, Any] = {
        "error": plan.error,
        "confidence": plan.confidence,
        "certified_error": min(1.0, plan.error + (h or 0.0)),
        "bound": _bound(plan, n_wrong=wrong, n_machine=n_machine),
        "people_bound": h,
        "n_items": plan.n_items,
        "n_before": len(plan.answered),
        "n_audit": len(plan.sample),
        "n_machine": n_machine,
        "n_deferred": len(left) + len(unlabelled),
        "n_wrong": wrong,
        "n_accepted": plan.n_accepted,
        "threshold": plan.uncertainty[cut] if cut < len(plan.order) else None,
        "deferred": (*left, *unlabelled),
        "risk": plan.risk,
        "attempt": plan.attempt,
        "method": plan.method,
        "plan": plan.digest,
        "answers": digest,
    }
    return Certificate(statement=_statement(plan, facts), **facts)


def final_labels(plan: AuditPlan, certificate: Certificate, answers: Mapping[str, str | None]) -> FinalLabels:
    """The labels the certificate speaks of: people's where they answered as planned, else the machine's.

    Parameters
    ----------
    plan : AuditPlan
    certificate : Certificate
        Issued on that plan.
    answers : mapping of str to (str or None)
        People's answers to the audited and to the deferred items; others are left aside.

    Raises
    ------
    CertificateError
        If the certificate is another plan's, audit answers differ from those certified, or a deferred item has no
        answer.
    SchemaError
        If an answer is no class of the plan.
    """
    plan.require_intact()
    if certificate.plan != plan.digest:
        raise CertificateError(
            f"the certificate belongs to plan {certificate.plan[:12]!r}, not to {plan.digest[:12]!r}: take its own plan"
        )
    audited, deferred = set(plan.sample), set(certificate.deferred)
    if content_digest({x: answers[x] for x in audited if x in answers}) != certificate.answers:
        raise CertificateError("the audit's answers are not those that were certified: give them unchanged")
    missing = [x for x in certificate.deferred if x not in answers]
    if missing:
        raise CertificateError(
            f"{len(missing)} of {len(deferred)} deferred items have no answer yet, first {missing[0]!r}: the promise "
            "holds once people have answered them"
        )
    if plan.classes is not None:
        refuse_unknown_classes([answers[x] for x in certificate.deferred], plan.classes)
    rows: list[tuple[str | None, Source]] = []
    for item, label in zip(plan.items, plan.labels, strict=True):
        if item in plan.answered:
            rows.append((plan.answered[item], "people (before)"))
        elif item in audited:
            rows.append((answers[item], "people (audit)"))
        elif item in deferred:
            rows.append((answers[item], "people (deferred)"))
        else:
            rows.append((label, "machine"))
    return FinalLabels(plan.items, tuple(a for a, _ in rows), tuple(s for _, s in rows))


def _check_answers(plan: AuditPlan, answers: Mapping[str, str | None]) -> None:
    sample = set(plan.sample)
    missing = [x for x in plan.sample if x not in answers]
    if missing:
        raise CertificateError(
            f"{len(missing)} of {len(sample)} audited items have no answer yet, first {missing[0]!r}: a certificate is "
            "issued once all are answered. Fill in the rest of the audit's file and import it again: "
            "labelmill import FILE --votes-by NAME --purpose audit"
        )
    strangers = [x for x in answers if x not in sample]
    if strangers:
        raise CertificateError(
            f"{len(strangers)} answers are to items outside the audit's sample, first {strangers[0]!r}: only a random "
            "sample proves anything, leave them out"
        )
    if plan.classes is not None:
        refuse_unknown_classes(list(answers.values()), plan.classes)


def _check_labels(plan: AuditPlan, labels: Mapping[str, str | None]) -> None:
    frozen = dict(zip(plan.items, plan.labels, strict=True))
    moved = [x for x, label in frozen.items() if x not in labels or labels[x] != label]
    strangers = [x for x in labels if x not in frozen]
    if moved or strangers:
        raise CertificateError(
            f"{len(moved)} labels changed since the audit was planned and {len(strangers)} items are new, "
            f"first {(moved + strangers)[0]!r}: release the planned labels, or plan a new audit with "
            f"attempt={plan.attempt + 1}"
        )


def _cut(plan: AuditPlan, answers: Mapping[str, str | None]) -> tuple[int, int]:
    """How many audited labels are wrong, and how many of `plan.order` are left to the machine."""
    place = {plan.items[i]: at for at, i in enumerate(plan.order)}
    positions = np.sort(np.array([place[x] for x in plan.sample], dtype=np.int64))
    index = [plan.order[at] for at in positions.tolist()]
    wrong = np.array([answers[plan.items[i]] != plan.labels[i] for i in index], dtype=np.bool_)
    cut = kept_prefix(positions, wrong, n_items=len(plan.order), n_allowed=plan.n_allowed, n_accepted=plan.n_accepted)
    return int(wrong.sum()), int(cut)


def _bound(plan: AuditPlan, *, n_wrong: int, n_machine: int) -> float:
    n_standing = bound_on_wrongs(
        len(plan.order),
        plan.n_allowed,
        len(plan.sample),
        n_found=n_wrong,
        n_accepted=plan.n_accepted,
        n_kept=n_machine,
        risk=plan.audit_risk,
    )
    return n_standing / plan.n_items


def _people_bound(plan: AuditPlan) -> float:
    checked, wrong = plan.people_error or (0, 0)
    return clopper_pearson_upper(wrong, checked, risk=plan.risk - plan.audit_risk)


def _statement(plan: AuditPlan, facts: Mapping[str, Any]) -> str:
    n_deferred = facts["n_deferred"]
    when = f" once people have answered the {n_deferred:,} deferred items" if n_deferred else ""
    promise = (
        f"With at least {_percent(plan.confidence)} confidence at most {_percent(facts['certified_error'])} of the "
        f"{plan.n_items:,} labels are wrong{when}."
    )
    return " ".join([promise, _finding(plan, facts), _truth(plan, facts), *_attempts(plan)])


def _finding(plan: AuditPlan, facts: Mapping[str, Any]) -> str:
    n_audit, n_wrong, kept = facts["n_audit"], facts["n_wrong"], facts["n_machine"]
    if not n_audit:
        if plan.is_census:
            return f"No audit could save answers here: people answer all but {kept:,} items."
        return f"No audit was needed: only {kept:,} labels are a machine's, and as many might be wrong."
    seen = f"Of {n_audit:,} machine labels drawn at random people found {n_wrong:,} wrong"
    if facts["threshold"] is None:
        return f"{seen}; the other {kept:,} stand."
    if kept <= plan.n_allowed:
        return f"{seen}: no more than the {kept:,} that might all be wrong can stand, people answer the rest."
    return f"{seen}: {kept:,} stand, those with an uncertainty of {facts['threshold']:.4g} and more go to people."


def _truth(plan: AuditPlan, facts: Mapping[str, Any]) -> str:
    if plan.people_error is None:
        return "Wrong means different from what people answer."
    checked, wrong = plan.people_error
    return (
        f"This is {_percent(plan.error)} against people's answers and {_percent(facts['people_bound'])} for people's "
        f"own errors, of which a check of {checked:,} answers found {wrong:,}."
    )


def _attempts(plan: AuditPlan) -> list[str]:
    if plan.attempt == 1:
        return []
    return [f"It is attempt {plan.attempt}; the confidence covers the former ones."]


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"
