"""What a person should look into: who, what, how sure, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

__all__ = ["FINDING_KINDS", "Finding", "FindingKind", "by_importance"]

FindingKind = Literal["spammer", "copies", "drift", "careless", "hasty", "shift"]
FINDING_KINDS: tuple[FindingKind, ...] = get_args(FindingKind)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that chance does not explain.

    Parameters
    ----------
    kind : {"spammer", "copies", "drift", "careless", "hasty", "shift"}
        Answers without looking; answers taken from another; got better or worse; worse where fast; faster than all
        others and worse; other answers than in the table before.
    annotators : tuple of str
        Whom it is about.
    text : str
        What was seen.
    advice : str
        What to do.
    level : float
        The chance of it if all were in order, all tests of its kind considered.
    n_votes : float
        Votes that it spoils, expected number.
    numbers : mapping of str to number
        What the text says, for machines.
    """

    kind: FindingKind
    annotators: tuple[str, ...]
    text: str
    advice: str
    level: float
    n_votes: float
    numbers: Mapping[str, float | str | None] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "kind": self.kind,
            "annotators": list(self.annotators),
            "text": self.text,
            "advice": self.advice,
            "level": self.level,
            "n_votes": self.n_votes,
            "numbers": dict(self.numbers),
        }


def by_importance(findings: list[Finding]) -> tuple[Finding, ...]:
    """Those that spoil the most votes first; of equal ones the surer, then by name."""
    return tuple(sorted(findings, key=lambda found: (-found.n_votes, found.level, found.kind, found.annotators)))
