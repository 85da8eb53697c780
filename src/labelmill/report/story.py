"""What the report tells, as plain data: the pipeline fills it, the page and the terminal only draw it.

Every field is text, a number, a list or another of these records; None means *not known*, and the part of the page
that needs it disappears or says how to get it. Shares, errors, accuracies and confidences run from 0 to 1.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any, Literal, Self, Union, get_args, get_origin, get_type_hints

from labelmill.errors import UsageError, nearest
from labelmill.report.evidence import (
    AnnotatorRow,
    Balance,
    BalanceSeries,
    Calibration,
    CalibrationBin,
    Candidate,
    CertificateCard,
    ConflictMatrix,
    Curve,
    CurvePoint,
    DoubtfulItem,
    Evaluation,
    Fact,
    Interval,
    ItemVote,
    Kind,
    LabelModelChoice,
)
from labelmill.report.suggestion_story import SuggestionPeriod, SuggestionStory, SuggestionVersion

__all__ = [
    "AnnotatorRow",
    "Answers",
    "Balance",
    "BalanceSeries",
    "Calibration",
    "CalibrationBin",
    "Candidate",
    "CertificateCard",
    "ConflictMatrix",
    "Curve",
    "CurvePoint",
    "DoubtfulItem",
    "Evaluation",
    "Fact",
    "FaultRow",
    "FunnelStep",
    "Headline",
    "Interval",
    "ItemVote",
    "Kind",
    "LabelModelChoice",
    "RepairRow",
    "RunRow",
    "Step",
    "Story",
    "SuggestionPeriod",
    "SuggestionStory",
    "SuggestionVersion",
]

Step = Literal["items", "rule", "model", "person", "release"]
"""Who made a step of the funnel; gives the bar its colour."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Human answers by the reason they were asked for; an answer is counted once.

    Parameters
    ----------
    selected : int
        Asked because the query strategy found them worth it.
    audit : int
        The random sample behind the certificate.
    deferred : int
        Items the certificate left to people.
    imported : int
        Came with the data.
    """

    selected: int = 0
    audit: int = 0
    deferred: int = 0
    imported: int = 0

    @property
    def total(self) -> int:
        """All human answers."""
        return self.selected + self.audit + self.deferred + self.imported


@dataclass(frozen=True, slots=True)
class Headline:
    """The numbers of the first sentence.

    Parameters
    ----------
    n_items : int
        Items that got a label.
    noun, nouns : str
        What one item, and many, are called: "mail", "mails".
    n_machine_votes : int
        Votes of rules and models, abstentions not counted.
    answers : Answers
    certified_bound : float or None
        At most this share of labels is wrong; None while no certificate is issued.
    confidence : float or None
        Probability with which the bound holds.
    real_error : float or None
        Share of labels that differ from gold; None without gold.
    n_gold : int or None
        Gold labels behind `real_error`.
    random_error : float or None
        Error that as many answers on randomly chosen items would have given; None if not measured.
    answers_without_learner : int or None
        Answers that the same certificate takes where no learner votes; None if not measured.
    release_path : str or None
        Where the labelled dataset lies.
    """

    n_items: int
    noun: str = "item"
    nouns: str = "items"
    n_machine_votes: int = 0
    answers: Answers = field(default_factory=Answers)
    certified_bound: float | None = None
    confidence: float | None = None
    real_error: float | None = None
    n_gold: int | None = None
    random_error: float | None = None
    answers_without_learner: int | None = None
    release_path: str | None = None


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """How many items reached a step. All steps count items, so that their bars can be compared.

    Parameters
    ----------
    name : str
        "at least one vote", "asked of people", ...
    n_items : int
    detail : str
        Half a sentence beside the bar.
    step : {"items", "rule", "model", "person", "release"}
    """

    name: str
    n_items: int
    detail: str = ""
    step: Step = "items"


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run in the table of provenance; `did` is what it did in a few words, `seconds` how long it took."""

    id: str
    verb: str
    state: str = "finished"
    started: str = ""
    seconds: float | None = None
    engine: str = ""
    did: str = ""


@dataclass(frozen=True, slots=True)
class FaultRow:
    """The failures of one annotator: how many, and the commonest error with one item it happened on."""

    annotator: str
    kind: Kind
    n_faults: int
    error: str = ""
    item: str = ""


@dataclass(frozen=True, slots=True)
class RepairRow:
    """A vote that was superseded because it was likely wrong, with what says so."""

    item: str
    annotator: str
    old: str
    new: str
    reason: str


@dataclass(frozen=True, slots=True)
class Story:
    """Everything the report shows.

    Parameters
    ----------
    title : str
    headline : Headline
    made_at : str
        Date and time as shown.
    labelmill_version, schema_name : str
    classes : list of str
        In schema order.
    engine, machine : str
        Where it ran: "processes, 8 workers"; "Linux x86_64, 8 cores".
    funnel, annotators, curves, doubtful, notes, runs, fingerprints, versions, faults, repairs : list
        Empty when there is nothing to tell. `doubtful` has the most doubtful first; `fingerprints` are
        (annotator, fingerprint) and `versions` (library, version).
    n_items_with_faults : int
        Items on which at least one annotator failed.
    """

    title: str
    headline: Headline
    made_at: str = ""
    labelmill_version: str = ""
    schema_name: str = ""
    classes: list[str] = field(default_factory=list)
    engine: str = ""
    machine: str = ""
    funnel: list[FunnelStep] = field(default_factory=list)
    annotators: list[AnnotatorRow] = field(default_factory=list)
    conflicts: ConflictMatrix | None = None
    curves: list[Curve] = field(default_factory=list)
    certificate: CertificateCard | None = None
    balance: Balance | None = None
    calibration: Calibration | None = None
    doubtful: list[DoubtfulItem] = field(default_factory=list)
    suggestions: SuggestionStory | None = None
    label_model: LabelModelChoice | None = None
    notes: list[str] = field(default_factory=list)
    runs: list[RunRow] = field(default_factory=list)
    fingerprints: list[Fact] = field(default_factory=list)
    versions: list[Fact] = field(default_factory=list)
    faults: list[FaultRow] = field(default_factory=list)
    repairs: list[RepairRow] = field(default_factory=list)
    n_items_with_faults: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The story that `to_dict` wrote.

        Raises
        ------
        UsageError
            If a key is not known; names it and the nearest known one.
        """
        story: Self = _read(data, cls)
        return story


def _read(data: Any, wanted: Any) -> Any:
    if isinstance(wanted, type) and is_dataclass(wanted):
        known = [entry.name for entry in fields(wanted)]
        for name in data:
            if name not in known:
                raise UsageError(f"{wanted.__name__} has no field {name!r}: {nearest(name, known)}")
        hints = get_type_hints(wanted)
        return wanted(**{name: _read(value, hints[name]) for name, value in data.items()})
    if get_origin(wanted) is list:
        return [_read(value, get_args(wanted)[0]) for value in data]
    if get_origin(wanted) in {Union, types.UnionType} and data is not None:
        return _read(data, next(option for option in get_args(wanted) if option is not types.NoneType))
    return data
