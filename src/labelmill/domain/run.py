"""Provenance: what ran, on what, with which result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

__all__ = ["Run", "RunState"]

RunState = Literal["planned", "running", "finished", "failed", "cancelled"]
"""`planned` waits for `labelmill work`; a record that says `running` may be of a driver that was killed."""


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of one verb.

    Parameters
    ----------
    id : str
        Sorts by time.
    verb : str
        `annotate`, `aggregate`, ...
    state : {"planned", "running", "finished", "failed", "cancelled"}
    started, finished : str
        ISO 8601, UTC; `finished` is empty while it runs.
    engine : str
        Name of the engine, empty if the verb needs none.
    annotators : mapping of str to str
        Name -> fingerprint of what ran.
    parameters : mapping
        Options of the call, as far as they were given; `labelmill runs resume` gives them again.
    counts : mapping of str to int
        What it did: items, votes, faults, partitions.
    faults : mapping of str to int
        Annotator -> number of faults.
    error : str
        Why it failed, if it did.
    timings : mapping of str to float
        Annotator -> seconds that it took, all workers together.
    hosts : mapping of str to int
        Machine -> partitions that it did.
    code : str
        Digest of the archive of the user's code in the lake; empty if none was made.
    """

    id: str
    verb: str
    state: RunState = "running"
    started: str = ""
    finished: str = ""
    engine: str = ""
    annotators: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    faults: Mapping[str, int] = field(default_factory=dict)
    error: str = ""
    timings: Mapping[str, float] = field(default_factory=dict)
    hosts: Mapping[str, int] = field(default_factory=dict)
    code: str = ""

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it runs."""
        if not (self.started and self.finished):
            return None
        return (datetime.fromisoformat(self.finished) - datetime.fromisoformat(self.started)).total_seconds()

    def ended(self, state: RunState, at: str, **changes: Any) -> Run:
        """The same run, ended."""
        return replace(self, state=state, finished=at, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Run:
        """The run that `to_dict` wrote."""
        return cls(**data)
