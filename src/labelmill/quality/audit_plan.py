"""The audit's plan: everything a certificate rests on, frozen before the first answer."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from labelmill.errors import CertificateError, SchemaError, UsageError, nearest
from labelmill.quality.acceptance import accepted_wrongs
from labelmill.quality.audit_size import cheapest_audit

__all__ = ["METHOD", "AuditPlan", "content_digest", "plan_audit", "refuse_unknown_classes"]

METHOD: Final = "exact acceptance sampling without replacement, cut after the first audited wrong label too many"
"""Named in plans and certificates; a plan made by another method is refused."""


@dataclass(frozen=True)
class AuditPlan:
    """What is certified, how, and which items people are asked; a change anywhere changes the digest.

    Parameters
    ----------
    items : tuple of str
        Every item of the release, in the caller's order.
    labels : tuple of (str or None)
        The machine's label of each item; None where it has none.
    answered : mapping of str to str
        Items people had answered before: they keep that answer and are not audited.
    order : tuple of int
        Indices into `items` of those a machine labels, least uncertain first, ties broken at random.
    uncertainty : tuple of float
        Of each item in `order`, ascending.
    sample : tuple of str
        Ids of the items to audit, in the random order in which they were drawn.
    n_accepted : int
        How many of them may be wrong without a cut; -1 when the sample proves nothing.
    error, confidence : float
        The promise: with probability `confidence` the share of wrong labels is at most `error`.
    attempt : int
        1 for the first plan of a release, one more after each that was given up.
    last : bool
        No further attempt will follow, so that this one spends all the risk that is left.
    people_error : tuple of (int, int) or None
        (checked, wrong): people's answers checked by experts.
    classes : tuple of str or None
        The labels there are; None leaves answers unchecked.
    seed : int
        Of the draw.
    method : str
    digest : str
        SHA-256 of all of the above.
    """

    items: tuple[str, ...]
    labels: tuple[str | None, ...]
    answered: Mapping[str, str]
    order: tuple[int, ...]
    uncertainty: tuple[float, ...]
    sample: tuple[str, ...]
    n_accepted: int
    error: float
    confidence: float
    attempt: int
    last: bool
    people_error: tuple[int, int] | None
    classes: tuple[str, ...] | None
    seed: int
    method: str = METHOD
    digest: str = field(default="")

    @property
    def n_items(self) -> int:
        """Number of items in the release."""
        return len(self.items)

    @property
    def n_allowed(self) -> int:
        """How many labels of the release may be wrong."""
        return allowed_wrongs(self.n_items, self.error)

    @property
    def risk(self) -> float:
        """Probability this attempt may spend."""
        return attempt_risk(self.confidence, attempt=self.attempt, last=self.last)

    @property
    def audit_risk(self) -> float:
        """What the audit may spend of it: all, or half when people's own errors are to be bounded too."""
        return self.risk if self.people_error is None else self.risk / 2

    @property
    def is_census(self) -> bool:
        """True when no audit pays for itself: people answer every item but `n_allowed`."""
        return not self.sample and len(self.order) > self.n_allowed

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, digest included."""
        return _plain(self) | {"digest": self.digest}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> AuditPlan:
        """The plan that `to_dict` wrote.

        Raises
        ------
        CertificateError
            If a field is missing or foreign, or the content is no longer what was frozen.
        """
        odd = sorted(set(data) ^ {f.name for f in fields(cls)})
        if odd:
            raise CertificateError(f"this is no audit plan (missing or foreign: {', '.join(odd)}): {_REPLAN}")
        content = {name: value for name, value in data.items() if name != "digest"}
        if content_digest(content) != data["digest"]:
            raise CertificateError(_changed(str(data["digest"])))
        lists = ("items", "labels", "order", "uncertainty", "sample", "people_error", "classes")
        tuples = {name: None if content[name] is None else tuple(content[name]) for name in lists}
        plan = cls(**(content | tuples), digest=data["digest"])
        plan.require_intact()
        return plan

    def require_intact(self) -> None:
        """Refuse a plan whose content is not what its digest froze.

        Raises
        ------
        CertificateError
            If a field was changed, or another version's method made the plan.
        """
        if content_digest(_plain(self)) != self.digest:
            raise CertificateError(_changed(self.digest))
        if self.method != METHOD:
            raise CertificateError(f"the audit plan was made by another method ({self.method!r}): {_REPLAN}")


def plan_audit(
    items: Sequence[str],
    uncertainty: npt.ArrayLike,
    labels: Sequence[str | None],
    *,
    error: float = 0.05,
    confidence: float = 0.95,
    seed: int = 0,
    sample_size: int | None = None,
    attempt: int = 1,
    last: bool = False,
    people_error: tuple[int, int] | None = None,
    answered: Mapping[str, str] | None = None,
    classes: Sequence[str] | None = None,
) -> AuditPlan:
    """Draw and freeze the audit whose answers `certify` needs.

    Attempt k spends (1 - confidence) / 2^k of risk, so that the promise holds over however many attempts there are;
    the one declared `last` spends all that is left. A new attempt is a new plan with a new sample, whose labels may
    have learned from the answers of the former ones (pass them as `answered`).

    Parameters
    ----------
    items : sequence of str
        Ids of all items of the release, each once.
    uncertainty : array of float, shape (n_items,)
        How unsure the machine is of each label; any scale. The promise holds whatever it is; a probability of being
        wrong saves most answers. Not read where there is no label or people have answered.
    labels : sequence of (str or None)
        The machine's label of each item; equal strings are equal labels. None: it has none, people will answer.
    error : float
        Largest share of wrong labels promised, in (0, 1).
    confidence : float
        Probability that the promise holds, in (0, 1).
    seed : int
        Of the draw; must not have been chosen by looking at labels.
    sample_size : int, optional
        Number of items to audit; by default the one with the fewest expected answers.
    attempt : int
        1, or one more than the attempts given up before.
    last : bool
        Promise to make no further attempt.
    people_error : tuple of (int, int), optional
        (checked, wrong) of people's answers on items drawn uniformly from these: their errors are then covered too.
    answered : mapping of str to str, optional
        People's answers that exist already, however their items were chosen.
    classes : sequence of str, optional
        The labels there are: others are refused, here and among the answers.

    Raises
    ------
    UsageError
        If an argument is out of range, the columns differ in length or an id occurs twice.
    SchemaError
        If a label is not among `classes`.

    Examples
    --------
    >>> plan = plan_audit([str(i) for i in range(2000)], [0.01] * 2000, ["spam"] * 2000, last=True)
    >>> plan.n_allowed, len(plan.sample), plan.n_accepted
    (100, 144, 3)
    """
    known = dict(answered or {})
    _check_options(error, confidence, seed, attempt, people_error)
    unsure = np.asarray(uncertainty, dtype=np.float64)
    _check_columns(items, unsure, labels, known)
    if classes is not None:
        refuse_unknown_classes([*labels, *known.values()], classes)
    labelled = np.array([a is not None and i not in known for i, a in zip(items, labels, strict=True)], dtype=np.bool_)
    if not np.isfinite(unsure[labelled]).all():
        where = int(np.nonzero(labelled & ~np.isfinite(unsure))[0][0])
        raise UsageError(f"the uncertainty of item {items[where]!r} is {unsure[where]}: every labelled item needs one")

    ties, draw = (np.random.default_rng(s) for s in np.random.SeedSequence([seed, attempt]).spawn(2))
    order = np.lexsort((ties.permutation(len(items)), unsure))
    order = order[labelled[order]]
    n_allowed = allowed_wrongs(len(items), error)
    risk = attempt_risk(confidence, attempt=attempt, last=last) / (1 if people_error is None else 2)
    n_audit, n_accepted = _audit_size(sample_size, unsure[order], n_allowed=n_allowed, target=error, risk=risk)
    drawn = order[draw.permutation(len(order))[:n_audit]]
    plan = AuditPlan(
        items=tuple(items),
        labels=tuple(labels),
        answered=known,
        order=tuple(order.tolist()),
        uncertainty=tuple(unsure[order].tolist()),
        sample=tuple(items[i] for i in drawn.tolist()),
        n_accepted=n_accepted,
        error=error,
        confidence=confidence,
        attempt=attempt,
        last=last,
        people_error=people_error,
        classes=None if classes is None else tuple(classes),
        seed=seed,
    )
    return replace(plan, digest=content_digest(_plain(plan)))


def allowed_wrongs(n_items: int, error: float) -> int:
    """How many wrong labels among n items are a share of at most `error` (0.29 of 100 is 29 despite rounding)."""
    return math.floor(n_items * error + 1e-9)


def attempt_risk(confidence: float, *, attempt: int, last: bool) -> float:
    """Risk an attempt may spend: a half, a quarter, ... of the whole, or all that is left when it is the last."""
    return round(1 - confidence, 12) * 0.5 ** (attempt - 1 if last else attempt)


def content_digest(content: Mapping[str, Any]) -> str:
    """SHA-256 of plain data, the same whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def refuse_unknown_classes(labels: Sequence[str | None], classes: Sequence[str]) -> None:
    """Raise SchemaError at the first label that is not a class."""
    strange = set(labels) - set(classes) - {None}
    if strange:
        name = min(str(label) for label in strange)
        raise SchemaError(f"unknown label {name!r}: {nearest(name, classes)}")


_REPLAN = "give the one that was planned, or plan anew with `attempt` one higher"


def _changed(digest: str) -> str:
    return f"the audit plan was changed after it was frozen (digest {digest[:12]!r} no longer fits): {_REPLAN}"


def _plain(plan: AuditPlan) -> dict[str, Any]:
    data = {f.name: getattr(plan, f.name) for f in fields(plan) if f.name != "digest"}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in data.items()}


def _audit_size(
    asked: int | None, uncertainty: npt.NDArray[np.float64], *, n_allowed: int, target: float, risk: float
) -> tuple[int, int]:
    n = len(uncertainty)
    if asked is None:
        size = cheapest_audit(uncertainty, n_allowed=n_allowed, target=target, risk=risk)
        return size.n_audit, size.n_accepted
    if not 0 <= asked <= n:
        raise UsageError(f"sample_size must lie in 0..{n} (the items a machine labels), found {asked}")
    return asked, accepted_wrongs(n, n_allowed, asked, risk=risk)


def _check_options(
    error: float, confidence: float, seed: int, attempt: int, people_error: tuple[int, int] | None
) -> None:
    for name, value in (("error", error), ("confidence", confidence)):
        if not 0 < value < 1:
            raise UsageError(f"{name} must lie between 0 and 1 (both excluded), found {value!r}, e.g. {name}=0.95")
    if seed < 0:
        raise UsageError(f"seed must be 0 or more, found {seed}")
    if attempt < 1:
        raise UsageError(f"attempt counts from 1, found {attempt}")
    if people_error is not None and not 0 <= people_error[1] <= people_error[0]:
        raise UsageError(f"people_error is (checked, wrong) with 0 <= wrong <= checked, found {people_error!r}")


def _check_columns(
    items: Sequence[str],
    uncertainty: npt.NDArray[np.float64],
    labels: Sequence[str | None],
    answered: Mapping[str, str],
) -> None:
    if not items:
        raise UsageError("there are no items to certify: import and label some first")
    if not (uncertainty.shape == (len(items),) and len(labels) == len(items)):
        raise UsageError(
            f"{len(items)} items need one uncertainty and one label each, found shape {uncertainty.shape} and "
            f"{len(labels)} labels"
        )
    known = set(items)
    if len(known) < len(items):
        twice = Counter(items).most_common(1)[0][0]
        raise UsageError(f"item {twice!r} is given twice: each item once")
    strangers = sorted(set(answered) - known)
    if strangers:
        raise UsageError(f"{len(strangers)} answered items are not among the items, first {strangers[0]!r}")
