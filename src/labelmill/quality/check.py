"""Everything that is known of the annotators behind a consensus, and what of it needs a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError
from labelmill.quality import _told
from labelmill.quality._peers import Peers, peers_of
from labelmill.quality.annotator_quality import AnnotatorQuality, annotator_quality, credible_interval
from labelmill.quality.balance import Balance, class_balance
from labelmill.quality.copied_rules import copied_rules
from labelmill.quality.copies import Copies, copies
from labelmill.quality.drift import Drift
from labelmill.quality.findings import Finding, by_importance
from labelmill.quality.spammers import Spammers, spammers
from labelmill.quality.speed import Speeds, seconds_between, speeds
from labelmill.quality.trend import Trends, trends

__all__ = ["Check", "Evidence", "check"]

Floats = npt.NDArray[np.float64]

MOST_PAIRS: Final = 50
"""Pairs that `to_dict` lists, the surest first."""


@dataclass(frozen=True)
class Evidence:
    """The tests behind the findings; None where there was nothing to test."""

    peers: Peers
    spammers: Spammers
    copies: Copies | None
    copied_rules: Copies | None
    trends: Trends | None
    speeds: Speeds | None


@dataclass(frozen=True)
class Check:
    """The annotators, and what needs a person.

    Parameters
    ----------
    findings : tuple of Finding
        Those that spoil the most votes first.
    annotators : tuple of AnnotatorQuality
        In the table's order.
    balance : Balance
        Of the consensus.
    n_items, n_votes : int
        Items with a vote; votes that name a class.
    false_alarm : float
        Chance of any finding if all is in order.
    tests : tuple of str
        What was tested; each has an equal part of `false_alarm`.
    classes : tuple of str
    evidence : Evidence
    """

    findings: tuple[Finding, ...]
    annotators: tuple[AnnotatorQuality, ...]
    balance: Balance
    n_items: int
    n_votes: int
    false_alarm: float
    tests: tuple[str, ...]
    classes: tuple[str, ...]
    evidence: Evidence = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "n_items": self.n_items,
            "n_votes": self.n_votes,
            "false_alarm": self.false_alarm,
            "tests": list(self.tests),
            "findings": [found.to_dict() for found in self.findings],
            "annotators": [row.to_dict() for row in self.annotators],
            "balance": self.balance.to_dict(),
            "pairs": list(self._pairs()),
            "confusion": self.evidence.peers.habits.pooled().round(6).tolist(),
        }

    def _pairs(self) -> Iterator[dict[str, Any]]:
        for found in (self.evidence.copies, self.evidence.copied_rules):
            if found is None:
                continue
            for i in range(min(len(found.p), MOST_PAIRS)):
                yield {
                    "annotators": [self.annotators[int(j[i])].annotator for j in (found.one, found.other)],
                    "shared": int(found.n_shared[i]),
                    "equal": int(found.n_equal[i]),
                    "expected": float(found.n_expected[i]),
                    "same_errors": float(found.n_same_errors[i]),
                    "copied_share": float(found.share[i]),
                    "p": float(found.p[i]),
                    "level": float(found.level[i]),
                }


def check(
    votes: VoteTable,
    probabilities: Floats,
    *,
    truth: npt.NDArray[np.integer] | None = None,
    at: Floats | None = None,
    seconds: Floats | None = None,
    kinds: tuple[AnnotatorKind | None, ...] | None = None,
    against: Drift | None = None,
    false_alarm: float = 0.05,
    seed: int = 0,
) -> Check:
    """Test every annotator for answers without looking, copied answers, drift and haste.

    Each kind of test has an equal part of `false_alarm`, and within it the tests of all annotators or pairs are
    corrected after Benjamini and Hochberg: the chance of any finding is at most `false_alarm` where nobody deserves
    one.

    Parameters
    ----------
    votes : VoteTable
        At most one vote of an annotator on an item.
    probabilities : ndarray of float64, shape (n_items, n_classes)
        The consensus.
    truth : ndarray of int, shape (n_items,), optional
        Class index where it is known, else ABSTAIN (-1). It replaces the consensus there.
    at : ndarray of float64, shape (n_rows,), optional
        When each row of `votes.label` was given, seconds from any moment; NaN where unknown.
    seconds : ndarray of float64, shape (n_rows,), optional
        What each answer took; without it the time since the annotator's vote before.
    kinds : tuple of {"person", "rule", "model", None}, optional
        What each annotator is, where the table does not say.
    against : Drift, optional
        What changed since older votes.
    false_alarm : float
        Between 0 and 1.
    seed : int
        Of draws on very large tables.

    Raises
    ------
    UsageError
        If the arrays do not fit the votes.
    """
    _check_shapes(votes, probabilities, truth, at, seconds, false_alarm)
    told = votes.kinds if kinds is None else kinds
    is_rule = np.array([kind == "rule" for kind in told], dtype=np.bool_)
    peers = peers_of(votes, probabilities, truth=truth, is_rule=is_rule)
    evidence = _evidence(peers, *(None if times is None else times[peers.row] for times in (at, seconds)), seed=seed)
    # What is learned stands beside what is measured: it must not know the truth.
    unaided = peers if truth is None else peers_of(votes, probabilities, is_rule=is_rule)
    rows = annotator_quality(
        votes,
        peers,
        credible_interval(unaided, np.asarray(probabilities, dtype=np.float64)),
        skill=evidence.spammers.skill,
        seconds=None if evidence.speeds is None else evidence.speeds.seconds,
        truth=truth,
    )
    tests = (*_tests(evidence), *(() if against is None else ("shift of labels", "shift of annotators")))
    level = false_alarm / max(len(tests), 1)
    findings = list(_findings(evidence, votes, level))
    if against is not None:
        findings += _told.told_shifts(against, level)
    covered = np.unique(peers.item)
    return Check(
        by_importance(findings),
        rows,
        class_balance(peers.posterior[covered], votes.classes),
        len(covered),
        len(peers.item),
        false_alarm,
        tests,
        tuple(votes.classes),
        evidence,
    )


def _check_shapes(
    votes: VoteTable,
    probabilities: Floats,
    truth: npt.NDArray[np.integer] | None,
    at: Floats | None,
    seconds: Floats | None,
    false_alarm: float,
) -> None:
    shape = (votes.n_items, votes.n_classes)
    if probabilities.shape != shape:
        raise UsageError(f"probabilities have shape {probabilities.shape}, the votes are on {shape} items and classes")
    if truth is not None and truth.shape != shape[:1]:
        raise UsageError(f"truth has shape {truth.shape} for {votes.n_items} items: one class index each, -1 unknown")
    if truth is not None and truth.size and not ABSTAIN <= truth.min() <= truth.max() < votes.n_classes:
        raise UsageError(f"truth must lie in -1..{votes.n_classes - 1}, found {truth.min()}..{truth.max()}")
    for name, times in (("at", at), ("seconds", seconds)):
        if times is not None and times.shape != votes.label.shape:
            raise UsageError(f"{name} has shape {times.shape} for {len(votes.label)} rows of votes: one number each")
    if not 0 < false_alarm < 1:
        raise UsageError(f"false_alarm must lie between 0 and 1 (both excluded), found {false_alarm!r}")


def _evidence(peers: Peers, at: Floats | None, seconds: Floats | None, *, seed: int) -> Evidence:
    has_rules = bool(peers.habits.is_rule.any())
    took = seconds
    if took is None and at is not None:
        took = seconds_between(peers.annotator, at)
    timed = np.isfinite(at) if at is not None else np.zeros(0, dtype=np.bool_)
    order = None if at is None else np.argsort(at, kind="stable")
    return Evidence(
        peers,
        spammers(peers, order=order),
        None if peers.habits.is_rule.all() else copies(peers, seed=seed),
        copied_rules(peers) if has_rules else None,
        trends(peers, at) if at is not None and timed.any() else None,
        speeds(peers, took) if took is not None and np.isfinite(took).any() else None,
    )


def _tests(evidence: Evidence) -> tuple[str, ...]:
    """What there was enough of to be tested."""
    found = [("spammers", bool(np.isfinite(evidence.spammers.skill).any()))]
    found += [("copies", evidence.copies is not None and len(evidence.copies.p) > 0)]
    found += [("copied rules", evidence.copied_rules is not None and len(evidence.copied_rules.p) > 0)]
    found += [("drift", evidence.trends is not None and bool((evidence.trends.p < 1).any()))]
    speed = evidence.speeds
    found += [("fast answers", speed is not None and bool((speed.n_fast > 0).any()))]
    found += [("fast annotators", speed is not None and bool(np.isfinite(speed.z).any()))]
    return tuple(name for name, is_there in found if is_there)


def _findings(evidence: Evidence, votes: VoteTable, level: float) -> Iterator[Finding]:
    peers, names = evidence.peers, votes.annotators
    yield from _told.told_spammers(evidence.spammers, peers, names, votes.classes, level)
    if evidence.copies is not None:
        yield from _told.told_copies(evidence.copies, names, level, are_rules=False)
    if evidence.copied_rules is not None:
        yield from _told.told_copies(evidence.copied_rules, names, level, are_rules=True)
    if evidence.trends is not None:
        yield from _told.told_trends(evidence.trends, peers, names, level)
    if evidence.speeds is not None:
        yield from _told.told_careless(evidence.speeds, names, level)
        yield from _told.told_hasty(evidence.speeds, peers, names, level)
