"""What the report tells of suggestions, as plain data: what became of them, and what seeing them does to people."""

from __future__ import annotations

from dataclasses import dataclass, field

from labelmill.report.evidence import CalibrationBin, Interval

__all__ = ["SuggestionPeriod", "SuggestionStory", "SuggestionVersion"]


@dataclass(frozen=True, slots=True)
class SuggestionVersion:
    """What became of the suggestions of one version of one source.

    Parameters
    ----------
    source, version : str
        Version "" where none was kept.
    first, last : str
        Days of the first and last answer.
    accepted, edited, rejected, ignored : int
        Answers by what they made of the suggestion that was seen.
    acceptance : float or None
        Share accepted of those seen, with its interval.
    distance : float or None
        Mean distance between suggestion and answer where it was edited, 0 to 1.
    n_blind, blind : int, float or None
        Answers given without seeing it, and the share of them that say the same.
    n_gold, right : int, float or None
        Items with a known answer, and the share on which the suggestion was right.
    """

    source: str
    version: str = ""
    first: str = ""
    last: str = ""
    accepted: int = 0
    edited: int = 0
    rejected: int = 0
    ignored: int = 0
    acceptance: float | None = None
    interval: Interval | None = None
    distance: float | None = None
    n_blind: int = 0
    blind: float | None = None
    n_gold: int = 0
    right: float | None = None

    @property
    def n_shown(self) -> int:
        """Answers given with the suggestion in sight."""
        return self.accepted + self.edited + self.rejected + self.ignored


@dataclass(frozen=True, slots=True)
class SuggestionPeriod:
    """Share of a version's suggestions accepted on one day or in one week, which begins on `day`."""

    day: str
    source: str
    version: str
    n: int
    accepted: float
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class SuggestionStory:
    """Everything the report tells of suggestions.

    Parameters
    ----------
    versions : list of SuggestionVersion
        Oldest first.
    periods : list of SuggestionPeriod
        In order of time.
    span : str
        "day" or "week".
    bins : list of CalibrationBin
        Confidence of suggestions against answers given without seeing them.
    anchoring : str
        What seeing suggestions does to people, in a sentence.
    """

    versions: list[SuggestionVersion]
    periods: list[SuggestionPeriod] = field(default_factory=list)
    span: str = "day"
    bins: list[CalibrationBin] = field(default_factory=list)
    anchoring: str = ""
