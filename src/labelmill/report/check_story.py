"""What the report of a check tells, as plain data: the pipeline fills it, the page only draws it.

None means *not known*. Shares, accuracies and chances run from 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from labelmill.report.evidence import Balance, Interval, Kind

__all__ = [
    "AgreementBars",
    "CheckStory",
    "CheckedRow",
    "ConfusionMap",
    "FindingRow",
    "PairDot",
    "TrendLine",
    "TrendPoint",
]


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One finding: its kind in a word, what was seen, what to do, and its chance if all were in order."""

    kind: str
    text: str
    advice: str
    level: float


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """One annotator.

    Parameters
    ----------
    name : str
    kind : {"rule", "model", "person"}
    n_votes : int
    learned : float or None
        Share of right votes by the consensus, in `learned_interval`.
    true_accuracy : float or None
        Share of right votes where the truth is known, in `true_interval`.
    skill : float or None
        Share of answers that come from looking.
    bias, confused : str
        The class named too often and the commonest mix-up, in a few words.
    seconds : float or None
        Median time of an answer.
    findings : list of str
        Kinds of findings about it.
    """

    name: str
    kind: Kind
    n_votes: int
    learned: float | None = None
    learned_interval: Interval | None = None
    true_accuracy: float | None = None
    true_interval: Interval | None = None
    skill: float | None = None
    bias: str = ""
    confused: str = ""
    seconds: float | None = None
    findings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ConfusionMap:
    """How often items of each class get each label: `shares` is (n_classes, n_classes), rows sum to 1 or are None."""

    name: str
    classes: list[str]
    shares: list[list[float] | None]


@dataclass(frozen=True, slots=True)
class AgreementBars:
    """Items with two votes or more by the share of their pairs of votes that are equal, in bins of one width."""

    counts: list[int]
    mean: float


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """Some votes in a row: the number of the last, the share of right ones with its interval."""

    n_votes: int
    right: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class TrendLine:
    """One annotator over time; `n_before` votes lie before its likeliest change."""

    name: str
    points: list[TrendPoint]
    n_before: int
    before: float
    after: float
    is_found: bool


@dataclass(frozen=True, slots=True)
class PairDot:
    """Two annotators: shared items, equal answers, how many of them chance explains, and whether that is a finding."""

    one: str
    other: str
    n_shared: int
    n_equal: int
    n_expected: float
    n_same_errors: float
    level: float
    is_found: bool


@dataclass(frozen=True, slots=True)
class CheckStory:
    """Everything the report of a check shows.

    Parameters
    ----------
    title, made_at, labelmill_version : str
    model : str
        The label model whose consensus annotators are compared with.
    n_items, n_votes, n_truth : int
        Items and votes; items whose truth is known.
    false_alarm : float
        Chance of any finding if all were in order.
    tests : list of str
    findings : list of FindingRow
        The weightiest first.
    annotators : list of CheckedRow
        Those with findings first, then the busiest.
    n_annotators : int
        Some may not be listed.
    confusion : list of ConfusionMap
        Of all together, then of single ones.
    agreement : AgreementBars or None
    trends : list of TrendLine
    pairs : list of PairDot
    balance : Balance or None
    balance_note : str
    """

    title: str
    made_at: str = ""
    labelmill_version: str = ""
    model: str = ""
    n_items: int = 0
    n_votes: int = 0
    n_truth: int = 0
    false_alarm: float = 0.05
    tests: list[str] = field(default_factory=list)
    findings: list[FindingRow] = field(default_factory=list)
    annotators: list[CheckedRow] = field(default_factory=list)
    n_annotators: int = 0
    confusion: list[ConfusionMap] = field(default_factory=list)
    agreement: AgreementBars | None = None
    trends: list[TrendLine] = field(default_factory=list)
    pairs: list[PairDot] = field(default_factory=list)
    balance: Balance | None = None
    balance_note: str = ""
