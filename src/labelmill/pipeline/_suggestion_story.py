"""What the report tells of suggestions: from figures of the server's answers to the report's records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelmill.pipeline._database_votes import PEOPLE
from labelmill.pipeline.workspace import Workspace
from labelmill.report.evidence import CalibrationBin, Interval
from labelmill.report.suggestion_story import SuggestionPeriod, SuggestionStory, SuggestionVersion
from labelmill.report.wording import percent

__all__ = ["anchoring_words", "suggestion_story", "told_story"]


def suggestion_story(workspace: Workspace) -> SuggestionStory | None:
    """What became of suggestions on the server; None where none was ever shown or withheld."""
    known = workspace.lake.read_document(PEOPLE)
    if known is None:
        return None
    from labelmill.pipeline.feedback import feedback
    from labelmill.stores.database.connect import open_database
    from labelmill.stores.database.projects import find_project

    with open_database(known.get("database") or workspace.project.database) as database:
        found = feedback(database, find_project(database, known["project"]), workspace.schema)
    return told_story(found) if found["versions"] else None


def told_story(found: Mapping[str, Any]) -> SuggestionStory:
    """The report's records of what `labelmill.pipeline.feedback` found."""
    return SuggestionStory(
        versions=[_version(row) for row in found["versions"]],
        periods=[
            SuggestionPeriod(row["at"][:10], row["source"], row["version"], row["of"], row["share"], _interval(row))
            for row in found["periods"]
        ],
        span=found["span"],
        bins=[
            CalibrationBin(
                b["low"], b["high"], b["n"], b["confidence"], b["agreed"], Interval(b["agreed_low"], b["agreed_high"])
            )
            for b in found["calibration"]["bins"]
        ],
        anchoring=anchoring_words(found["anchoring"]),
    )


def anchoring_words(found: Mapping[str, Any]) -> str:
    """What seeing suggestions does to people; nothing is claimed where the interval holds 0."""
    shown, blind = found["shown"], found["blind"]
    if found["difference"] is None:
        return (
            "Whether people follow what they see cannot be told yet: that takes answers with and without suggestions "
            "([people] blind_share)."
        )
    both = (
        f"People say what was suggested in {percent(shown['share'])} of {shown['of']:,} answers where they see it, "
        f"and in {percent(blind['share'])} of {blind['of']:,} where it is withheld"
    )
    if not found["is_found"]:
        return f"{both}: no more apart than chance makes it."
    points, low, high = (100 * found[name] for name in ("difference", "low", "high"))
    if points > 0:
        return f"{both}: seeing it leads them, by {points:.0f} points ({low:.0f} to {high:.0f})."
    return f"{both}: seeing it puts them off, by {-points:.0f} points ({-high:.0f} to {-low:.0f})."


def _version(row: Mapping[str, Any]) -> SuggestionVersion:
    return SuggestionVersion(
        source=row["source"],
        version=row["version"],
        first=row["first_at"][:10],
        last=row["last_at"][:10],
        **{name: row[name] for name in ("accepted", "edited", "rejected", "ignored")},
        acceptance=row["acceptance"]["share"],
        interval=_interval(row["acceptance"]),
        distance=row["distance"],
        n_blind=row["blind"]["of"],
        blind=row["blind"]["share"],
        n_gold=row["gold"]["of"],
        right=row["gold"]["share"],
    )


def _interval(share: Mapping[str, Any]) -> Interval | None:
    return None if share["low"] is None else Interval(share["low"], share["high"])
