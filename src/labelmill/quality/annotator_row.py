"""One annotator's line in an analysis."""

from __future__ import annotations

from dataclasses import dataclass

from labelmill.domain.vote import AnnotatorKind

__all__ = ["AnnotatorRow"]


@dataclass(frozen=True, slots=True)
class AnnotatorRow:
    """One annotator; shares are of all items, as in Snorkel's LFAnalysis.

    Parameters
    ----------
    annotator : str
    kind : {"person", "rule", "model"} or None
    polarity : tuple of str
        Classes it ever names, in class order.
    n_votes : int
        Items it names a class for.
    coverage, overlaps, conflicts : float
        Share of items where it votes; votes and another does; votes and another names another class.
    learned_accuracy : float or None
        What the label model makes of it.
    n_correct, n_incorrect : int or None
        Against the truth, where it is known and the annotator voted; None without any truth.
    accuracy, accuracy_low, accuracy_high : float or None
        n_correct / (n_correct + n_incorrect) with its 95 % Wilson interval; None where nothing could be compared.
    """

    annotator: str
    kind: AnnotatorKind | None
    polarity: tuple[str, ...]
    n_votes: int
    coverage: float
    overlaps: float
    conflicts: float
    learned_accuracy: float | None
    n_correct: int | None
    n_incorrect: int | None
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None
