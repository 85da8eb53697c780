"""The evidence in the report: annotators, conflicts, curves, the certificate and single items, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = [
    "AnnotatorRow",
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
    "ErrorMatrix",
    "Evaluation",
    "Fact",
    "Interval",
    "ItemVote",
    "Kind",
    "LabelModelChoice",
]

Kind = Literal["rule", "model", "person"]
"""Who voted; each has one colour and one mark throughout the report."""

Evaluation = Literal["compiled", "python", ""]
"""How an annotator was evaluated: as whole columns, row by row, or not by us."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval for a share, both ends from 0 to 1."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and a value, as shown: `Fact("Python", "3.12.1")`."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class AnnotatorRow:
    """One annotator in the table.

    Parameters
    ----------
    name : str
    kind : {"rule", "model", "person"}
    classes : list of str
        Classes it has voted for (its polarity).
    n_votes : int
        Votes, abstentions not counted.
    coverage, overlaps, conflicts : float
        Share of all items on which it votes; on which somebody else votes too; on which somebody else disagrees.
        Each contains the next.
    learned_accuracy : float or None
        Probability that its vote is right, as the label model learned it from the votes alone.
    true_accuracy : float or None
        Share of its votes that equal gold; None without gold.
    true_interval : Interval or None
        Confidence interval of `true_accuracy`.
    n_faults : int
        Items on which it failed.
    evaluation : {"compiled", "python", ""}
    evaluation_reason : str
        Why it was not compiled.
    seconds : float or None
        Time it took, s.
    """

    name: str
    kind: Kind
    classes: list[str] = field(default_factory=list)
    n_votes: int = 0
    coverage: float = 0.0
    overlaps: float = 0.0
    conflicts: float = 0.0
    learned_accuracy: float | None = None
    true_accuracy: float | None = None
    true_interval: Interval | None = None
    n_faults: int = 0
    evaluation: Evaluation = ""
    evaluation_reason: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ConflictMatrix:
    """How often each pair of annotators disagrees.

    Parameters
    ----------
    annotators : list of str
    kinds : list of {"rule", "model", "person"}
        Same order.
    conflicts : list of list of int, shape (n_annotators, n_annotators)
        Items that the two label differently; symmetric, the diagonal is not read.
    shared : list of list of int, shape (n_annotators, n_annotators)
        Items on which both vote.
    """

    annotators: list[str]
    kinds: list[Kind]
    conflicts: list[list[int]]
    shared: list[list[int]]


@dataclass(frozen=True, slots=True)
class ErrorMatrix:
    """How many labels of each class truly are of each class, as estimated.

    Parameters
    ----------
    classes : list of str
    counts : list of list of int, shape (n_classes, n_classes)
        `[k][j]`: labels k that truly are j.
    """

    classes: list[str]
    counts: list[list[int]]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Where a curve stands after so many human answers.

    Parameters
    ----------
    n_answers : int
        Human answers spent so far.
    error : float or None
        Share of labels that differ from gold (1 - accuracy).
    bound : float or None
        Certified upper bound on the error, if computed at this point.
    low, high : float or None
        Range of the error over repetitions.
    """

    n_answers: int
    error: float | None = None
    bound: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """One way of choosing what to ask, and what it bought.

    Parameters
    ----------
    name : str
        "margin", "random".
    points : list of CurvePoint
        In the order of `n_answers`.
    is_baseline : bool
        True for what the other curves are compared with; drawn grey and dashed.
    """

    name: str
    points: list[CurvePoint] = field(default_factory=list)
    is_baseline: bool = False


@dataclass(frozen=True, slots=True)
class CertificateCard:
    """What is promised about the release, and on what ground.

    Parameters
    ----------
    issued : bool
        False when the promise could not be given; `reason` says why and what to do.
    epsilon : float
        The promise: at most this share of labels is wrong.
    confidence : float
        Probability with which the promise holds (1 - alpha).
    n_items : int
        Labels it speaks about.
    bound : float or None
        The upper bound reached, at most `epsilon` when issued.
    n_sample, n_sample_wrong : int
        Size of the audit sample, and labels found wrong in it.
    n_by_machine, n_by_people : int or None
        Who decided the labels of the release.
    method, paper : str
        Name of the bound; where it is published.
    drawn : str
        How and when the sample was drawn and frozen.
    truth : str
        What counts as right: whose answer.
    limits : list of str
        What the promise does not say.
    issued_at, fingerprint : str
    reason : str
        Why it was not issued and the next step.
    """

    issued: bool
    epsilon: float
    confidence: float
    n_items: int
    bound: float | None = None
    n_sample: int = 0
    n_sample_wrong: int = 0
    n_by_machine: int | None = None
    n_by_people: int | None = None
    method: str = ""
    paper: str = ""
    drawn: str = ""
    truth: str = ""
    limits: list[str] = field(default_factory=list)
    issued_at: str = ""
    fingerprint: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BalanceSeries:
    """Share of each class in one set of labels.

    Parameters
    ----------
    name : str
        "votes", "consensus", "release", "gold".
    shares : list of (float or None), shape (n_classes,)
        In the order of the classes of `Balance`.
    is_reference : bool
        True for gold: drawn as a line that the bars should reach.
    """

    name: str
    shares: list[float | None]
    is_reference: bool = False


@dataclass(frozen=True, slots=True)
class Balance:
    """Class balance on its way from votes to release."""

    classes: list[str]
    series: list[BalanceSeries]


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Items whose label has a probability within [low, high).

    Parameters
    ----------
    low, high : float
    n : int
        Checked items in the bin.
    mean_probability : float
        Mean of the probability the consensus gave to its label.
    accuracy : float or None
        Share of these labels that are right; None for an empty bin.
    interval : Interval or None
        Confidence interval of `accuracy`.
    """

    low: float
    high: float
    n: int
    mean_probability: float
    accuracy: float | None = None
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Calibration:
    """How often labels of a given probability are right: at 0.9, nine times in ten if it is honest.

    Parameters
    ----------
    bins : list of CalibrationBin
    error : float or None
        Expected calibration error: mean gap between probability and accuracy, weighted by items.
    source : str
        Where the truth comes from: "6,046 gold labels", "300 audit answers".
    """

    bins: list[CalibrationBin]
    error: float | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class ItemVote:
    """One vote on a doubtful item.

    Parameters
    ----------
    annotator : str
    kind : {"rule", "model", "person"}
    label : str or None
        The class, None for an abstention.
    is_correct : bool or None
        Whether it equals gold; None without gold.
    """

    annotator: str
    kind: Kind
    label: str | None
    is_correct: bool | None = None


@dataclass(frozen=True, slots=True)
class DoubtfulItem:
    """An item whose label is in doubt, and who voted what.

    Parameters
    ----------
    id : str
    text : str
        An excerpt; for images and audio the URI.
    label : str or None
        The label it got.
    probabilities : list of float, shape (n_classes,)
        In the order of `Story.classes`.
    votes : list of ItemVote
    gold : str or None
    """

    id: str
    text: str
    label: str | None
    probabilities: list[float] = field(default_factory=list)
    votes: list[ItemVote] = field(default_factory=list)
    gold: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A label model that was considered, and its score; None if it could not be fitted."""

    name: str
    score: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class LabelModelChoice:
    """The label model behind the consensus and why it was taken.

    Parameters
    ----------
    chosen : str
    reason : str
        One sentence.
    candidates : list of Candidate
    score_name : str
        What the scores are: "held-out log likelihood per vote".
    higher_is_better : bool
    facts : list of Fact
        What the fit says about itself: iterations, convergence.
    """

    chosen: str
    reason: str = ""
    candidates: list[Candidate] = field(default_factory=list)
    score_name: str = "score"
    higher_is_better: bool = True
    facts: list[Fact] = field(default_factory=list)
