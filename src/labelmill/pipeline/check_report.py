"""The report of a check: what was found as a story, and the story as one HTML file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

import labelmill
from labelmill.pipeline._pages import publish
from labelmill.pipeline.check import Checked
from labelmill.quality.annotator_quality import AnnotatorQuality
from labelmill.quality.bounds import wilson_interval
from labelmill.quality.check import Check
from labelmill.quality.copies import Copies
from labelmill.report import check_story as told
from labelmill.report.check_page import render_check
from labelmill.report.evidence import Balance, BalanceSeries, Interval

__all__ = ["check_story", "write_check_report"]

MOST_ANNOTATORS: Final = 60
MOST_MAPS: Final = 4
MOST_TRENDS: Final = 6
MOST_PAIRS: Final = 1500
POINTS: Final = 16
"""Parts that an annotator's votes are cut into, in the order of time."""
BINS: Final = 10
WORTH_A_WORD: Final = 0.05


def write_check_report(checked: Checked, out: Path, *, title: str, made_at: str = "") -> Path:
    """The check as one HTML file.

    Parameters
    ----------
    out : Path
        Where it goes.
    title : str
        What was checked.
    made_at : str
        Date and time as shown.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    publish(out, render_check(check_story(checked, title=title, made_at=made_at)))
    return out


def check_story(checked: Checked, *, title: str, made_at: str = "") -> told.CheckStory:
    """Everything the report shows, as plain data; see `write_check_report`."""
    check = checked.check
    flags: dict[str, list[str]] = {}
    for found in check.findings:
        for name in found.annotators:
            kinds = flags.setdefault(name, [])
            kinds += [] if found.kind in kinds else [found.kind]
    order = sorted(check.annotators, key=lambda row: (row.annotator not in flags, -row.n_votes))
    return told.CheckStory(
        title=title,
        made_at=made_at,
        labelmill_version=labelmill.__version__,
        model=checked.result.summary.model,
        n_items=check.n_items,
        n_votes=check.n_votes,
        n_truth=checked.n_truth,
        false_alarm=check.false_alarm,
        tests=list(check.tests),
        findings=[told.FindingRow(found.kind, found.text, found.advice, found.level) for found in check.findings],
        annotators=[_row(row, flags.get(row.annotator, [])) for row in order[:MOST_ANNOTATORS]],
        n_annotators=len(check.annotators),
        confusion=list(_maps(check, flags)),
        agreement=_agreement(check),
        trends=list(_trends(check, flags)),
        pairs=list(_pairs(check)),
        balance=_balance(check),
        balance_note=_balance_note(check),
    )


def _row(row: AnnotatorQuality, findings: list[str]) -> told.CheckedRow:
    bias = f"{row.bias_class} +{row.bias:.0%}" if row.bias is not None and row.bias >= WORTH_A_WORD else ""
    mixed = row.confused
    confused = (
        f"{mixed.true} → {mixed.said} {mixed.share:.0%}" if mixed is not None and mixed.share >= WORTH_A_WORD else ""
    )
    return told.CheckedRow(
        row.annotator,
        row.kind or "person",
        row.n_votes,
        row.learned,
        _interval(row.learned_low, row.learned_high),
        row.accuracy,
        _interval(row.accuracy_low, row.accuracy_high),
        row.skill,
        bias,
        confused,
        row.seconds,
        findings,
    )


def _interval(low: float | None, high: float | None) -> Interval | None:
    return None if low is None or high is None else Interval(low, high)


def _maps(check: Check, flags: dict[str, list[str]]) -> Iterator[told.ConfusionMap]:
    """Of all annotators, then of those who answer without looking, the busiest first."""
    habits = check.evidence.peers.habits
    yield told.ConfusionMap("all annotators", list(check.classes), _shares(habits.pooled()))
    suspects = [j for j, row in enumerate(check.annotators) if "spammer" in flags.get(row.annotator, [])]
    for j in sorted(suspects, key=lambda j: -check.annotators[j].n_votes)[:MOST_MAPS]:
        yield told.ConfusionMap(check.annotators[j].annotator, list(check.classes), _shares(habits.confusion(j)))


def _shares(counts: npt.NDArray[np.float64]) -> list[list[float] | None]:
    return [(row / row.sum()).tolist() if row.sum() >= 0.5 else None for row in counts]


def _agreement(check: Check) -> told.AgreementBars | None:
    peers = check.evidence.peers
    n = np.bincount(peers.item, minlength=peers.n_items)
    _, place, each = np.unique(
        peers.item * max(peers.n_classes, 1) + peers.label, return_index=True, return_counts=True
    )
    alike = np.bincount(peers.item[place], each * (each - 1), minlength=peers.n_items)
    several = n > 1
    if not several.any():
        return None
    share = alike[several] / (n[several] * (n[several] - 1))
    bins = np.minimum((share * BINS).astype(np.int64), BINS - 1)
    return told.AgreementBars(np.bincount(bins, minlength=BINS).tolist(), float(share.mean()))


def _trends(check: Check, flags: dict[str, list[str]]) -> Iterator[told.TrendLine]:
    """Those who changed, or else those who come nearest to it."""
    found = check.evidence.trends
    if found is None:
        return
    peers, names = check.evidence.peers, [row.annotator for row in check.annotators]
    order = np.lexsort((np.arange(len(found.p)), found.p))
    shown = [j for j in order.tolist() if found.p[j] < 1]
    changed = [j for j in shown if "drift" in flags.get(names[j], [])]
    owner = peers.annotator[found.order]
    for j in (changed or shown)[:MOST_TRENDS]:
        right = peers.right[found.order[owner == j]]
        yield told.TrendLine(
            names[j],
            _points(right),
            int(found.n_before[j]),
            float(found.before[j]),
            float(found.after[j]),
            j in changed,
        )


def _points(right: npt.NDArray[np.float64]) -> list[told.TrendPoint]:
    points, n = [], 0
    for part in np.array_split(right, min(POINTS, max(len(right) // 5, 1))):
        low, high = wilson_interval(float(part.sum()), len(part))
        points.append(told.TrendPoint(n + len(part) // 2, float(part.mean()), float(low), float(high)))
        n += len(part)
    return points


def _pairs(check: Check) -> Iterator[told.PairDot]:
    level = check.false_alarm / max(len(check.tests), 1)
    evidence = check.evidence
    names = [row.annotator for row in check.annotators]
    for found in (evidence.copies, evidence.copied_rules):
        if found is not None:
            yield from _dots(found, names, level)


def _dots(found: Copies, names: Sequence[str], level: float) -> Iterator[told.PairDot]:
    for i in range(min(len(found.p), MOST_PAIRS)):
        yield told.PairDot(
            names[int(found.one[i])],
            names[int(found.other[i])],
            int(found.n_shared[i]),
            int(found.n_equal[i]),
            float(found.n_expected[i]),
            float(found.n_same_errors[i]),
            float(found.level[i]),
            bool(found.level[i] <= level),
        )


def _balance(check: Check) -> Balance | None:
    peers = check.evidence.peers
    if len(check.classes) < 2 or not len(peers.label):
        return None
    votes = np.bincount(peers.label, minlength=len(check.classes)) / len(peers.label)
    series = [
        BalanceSeries("votes", votes.tolist()),
        BalanceSeries("consensus", [float(share) for share in check.balance.shares.values()]),
    ]
    return Balance(list(check.classes), series)


def _balance_note(check: Check) -> str:
    balance = check.balance
    note = f"As even as {balance.effective_classes:.1f} equally frequent classes would be"
    if balance.ratio is not None:
        note += f"; the most frequent class has {balance.ratio:.1f} times the items of the rarest"
    return (
        note + ". A bar of the consensus that differs from that of the votes is a class named too often, or too rarely."
    )
