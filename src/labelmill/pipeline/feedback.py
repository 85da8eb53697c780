"""Feedback: what becomes of suggestions, by source and version and over time, and whether seeing them leads people."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from labelmill.domain.known_answers import is_right
from labelmill.domain.ports import LabelKind
from labelmill.domain.schema import OF_CLASSES, LabelSchema
from labelmill.pipeline._kinds import kind_of
from labelmill.pipeline.forecast import DAY_MS
from labelmill.quality.bounds import wilson_interval
from labelmill.quality.suggestions import anchoring, suggestion_calibration
from labelmill.stores.database.connect import Database
from labelmill.stores.database.feedback import MOST_JUDGED, Judged, judged_suggestions
from labelmill.stores.database.projects import Project
from labelmill.stores.database.votes import iso_time

__all__ = ["feedback", "told_feedback"]

WEEK_MS: Final = 7 * DAY_MS
MONDAY: Final = 4 * DAY_MS
"""5 January 1970 was a Monday: weeks begin there."""

MOST_DAYS: Final = 21
"""Longer histories are told by weeks."""

MOST_VERSIONS: Final = 12
"""The newest ones; the others are told together as "earlier"."""

MOST_COMPARED: Final = 5_000
"""Answers compared where comparing two shapes or spans takes its time."""

SEEN: Final = ("accepted", "edited", "rejected", "ignored")


@dataclass(slots=True)
class _Tally:
    """What became of the suggestions of one version."""

    first_at: int = 0
    last_at: int = 0
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SEEN, 0))
    n_shown_agreed: int = 0
    n_blind: int = 0
    n_blind_agreed: int = 0
    n_gold: int = 0
    n_gold_right: int = 0
    distances: list[float] = field(default_factory=list)

    @property
    def n_shown(self) -> int:
        return sum(self.outcomes.values())


@dataclass(frozen=True, slots=True)
class _Compared:
    """An answer beside its suggestion, and how the two compare."""

    judged: Judged
    agrees: bool
    is_right: bool | None
    distance: float | None


def feedback(database: Database, project: Project, schema: LabelSchema) -> dict[str, Any]:
    """Everything that the dashboard and the report tell of suggestions, as plain data; see `told_feedback`."""
    is_quick = schema.kind in OF_CLASSES or schema.kind in {"choice", "rating", "number"}
    limit = MOST_JUDGED if is_quick else MOST_COMPARED
    return told_feedback(judged_suggestions(database, project, limit=limit), kind_of(schema))


def told_feedback(judged: Iterable[Judged], kind: LabelKind) -> dict[str, Any]:
    """Acceptance by version and over time, calibration by blind answers and gold, and anchoring.

    Gold items count for nothing but whether suggestions were right: their scores are borrowed, and people who are
    checked are not asked at random.

    Returns
    -------
    dict
        `versions`: for each source and version, oldest first, what became of the suggestions shown (`accepted`,
        `edited`, `rejected`, `ignored`), the mean `distance` of edits (0 to 1), agreement of blind answers, and how
        many were right on gold. `periods`: share accepted by day or week (`span`). `calibration`: bins of confidence
        against blind answers. `anchoring`: agreement when shown minus when blind, with its interval.
    """
    compared = [_compare(one, kind) for one in judged]
    named = _newest_versions(compared)
    tallies: dict[tuple[str, str], _Tally] = defaultdict(_Tally)
    for one in compared:
        _count(tallies[named[one.judged.source, one.judged.version]], one)
    counted = sorted(tallies.items(), key=lambda entry: (entry[1].first_at, entry[0]))
    span, periods = _periods(compared, named)
    return {
        "versions": [_version(*name, tally) for name, tally in counted],
        "span": span,
        "periods": periods,
        "calibration": _calibration(compared),
        "anchoring": _anchoring(tallies.values()),
    }


def _compare(one: Judged, kind: LabelKind) -> _Compared:
    same = one.said == one.suggested
    is_edit = one.outcome == "edited" and one.said is not None
    distance = kind.distance(one.suggested, one.said) if is_edit else None
    right = None if one.known is None else is_right(kind, one.suggested, one.known)
    return _Compared(one, same or is_right(kind, one.said, one.suggested), right, distance)


def _newest_versions(compared: Sequence[_Compared]) -> dict[tuple[str, str], tuple[str, str]]:
    """Each source and version -> how it is told: itself, or "earlier" beyond the newest `MOST_VERSIONS`."""
    last: dict[tuple[str, str], int] = {}
    for one in compared:
        name = (one.judged.source, one.judged.version)
        last[name] = max(last.get(name, 0), one.judged.at)
    newest = sorted(last, key=lambda name: (-last[name], name))[:MOST_VERSIONS]
    return {name: name if name in newest else (name[0], "earlier") for name in last}


def _count(tally: _Tally, one: _Compared) -> None:
    judged = one.judged
    tally.first_at = min(tally.first_at or judged.at, judged.at)
    tally.last_at = max(tally.last_at, judged.at)
    if one.is_right is not None:
        tally.n_gold += 1
        tally.n_gold_right += one.is_right
    elif judged.outcome == "blind":
        tally.n_blind += 1
        tally.n_blind_agreed += one.agrees
    else:
        tally.outcomes[judged.outcome] += 1
        tally.n_shown_agreed += one.agrees
        if one.distance is not None:
            tally.distances.append(one.distance)


def _version(source: str, version: str, tally: _Tally) -> dict[str, Any]:
    distances = tally.distances
    return {
        "source": source,
        "version": version,
        "first_at": iso_time(tally.first_at),
        "last_at": iso_time(tally.last_at),
        **tally.outcomes,
        "acceptance": _share(tally.outcomes["accepted"], tally.n_shown),
        "distance": math.fsum(distances) / len(distances) if distances else None,
        "blind": _share(tally.n_blind_agreed, tally.n_blind),
        "gold": _share(tally.n_gold_right, tally.n_gold),
    }


def _share(n: int, total: int) -> dict[str, Any]:
    """So many of so many, with Wilson's interval of 95 %."""
    low, high = wilson_interval(n, total) if total else (None, None)
    ends = {"low": None if low is None else float(low), "high": None if high is None else float(high)}
    return {"n": n, "of": total, "share": n / total if total else None, **ends}


def _periods(
    compared: Sequence[_Compared], named: Mapping[tuple[str, str], tuple[str, str]]
) -> tuple[str, list[dict[str, Any]]]:
    """Days, or weeks of a long history: share accepted of each version."""
    shown = [one.judged for one in compared if one.judged.outcome != "blind" and one.is_right is None]
    times = [one.at for one in shown]
    is_short = not times or max(times) - min(times) <= MOST_DAYS * DAY_MS
    step, origin = (DAY_MS, 0) if is_short else (WEEK_MS, MONDAY)
    counts: dict[tuple[int, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for one in shown:
        found = counts[one.at - (one.at - origin) % step, *named[one.source, one.version]]
        found[0] += one.outcome == "accepted"
        found[1] += 1
    told = [
        {"at": iso_time(at), "source": source, "version": version, **_share(*counts[at, source, version])}
        for at, source, version in sorted(counts)
    ]
    return "day" if is_short else "week", told


def _calibration(compared: Sequence[_Compared]) -> dict[str, Any]:
    """Scores against what people said who did not see the suggestion; the mean gap, weighted by answers."""
    blind = [
        (float(one.judged.score), one.agrees)
        for one in compared
        if one.judged.outcome == "blind" and one.is_right is None and one.judged.score is not None
    ]
    bins = suggestion_calibration([score for score, _ in blind], [agrees for _, agrees in blind])
    gap = math.fsum(b.n_items * abs(b.confidence - b.accuracy) for b in bins) / len(blind) if blind else None
    told = [
        {
            "low": b.low,
            "high": b.high,
            "n": b.n_items,
            "confidence": b.confidence,
            "agreed": b.accuracy,
            "agreed_low": b.accuracy_low,
            "agreed_high": b.accuracy_high,
        }
        for b in bins
    ]
    return {"n": len(blind), "gap": gap, "bins": told}


def _anchoring(tallies: Iterable[_Tally]) -> dict[str, Any]:
    known = list(tallies)
    found = anchoring(
        sum(tally.n_shown_agreed for tally in known),
        sum(tally.n_shown for tally in known),
        sum(tally.n_blind_agreed for tally in known),
        sum(tally.n_blind for tally in known),
    )
    is_known = math.isfinite(found.difference)
    return {
        "shown": _share(found.n_shown_agreed, found.n_shown),
        "blind": _share(found.n_blind_agreed, found.n_blind),
        "difference": found.difference if is_known else None,
        "low": found.low if is_known else None,
        "high": found.high if is_known else None,
        "is_found": is_known and found.is_found,
    }
