"""How near spans come to the gold ones: strict, partial and by class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from labelmill.domain.answers import AnswerTable
from labelmill.domain.matching import one_to_one
from labelmill.errors import UsageError

__all__ = ["Score", "SpanScores", "span_agreement", "span_scores"]

Spans = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Score:
    """Precision, recall and F1; 0 where nothing was hit, 1 where there was nothing to hit and nothing is marked.

    Parameters
    ----------
    hits : float
        Spans that are right; parts of spans where a part counts.
    n_gold, n_predicted : int
        How many spans there are, and how many were found.
    """

    hits: float
    n_gold: int
    n_predicted: int

    @property
    def precision(self) -> float:
        """Share of the spans found that are right."""
        return self.hits / self.n_predicted if self.n_predicted else float(not self.n_gold)

    @property
    def recall(self) -> float:
        """Share of the gold spans that were found."""
        return self.hits / self.n_gold if self.n_gold else float(not self.n_predicted)

    @property
    def f1(self) -> float:
        """2 hits / (gold + found)."""
        total = self.n_gold + self.n_predicted
        return 2.0 * self.hits / total if total else 1.0

    def to_dict(self) -> dict[str, float]:
        """Plain data for JSON."""
        counts = {"n_gold": self.n_gold, "n_predicted": self.n_predicted, "hits": self.hits}
        return {"precision": self.precision, "recall": self.recall, "f1": self.f1} | counts


@dataclass(frozen=True, slots=True)
class SpanScores:
    """Scores over all items together (micro averages).

    Parameters
    ----------
    strict : Score
        A span is right if start, end and class are.
    partial : Score
        A pair of spans of one class counts by its overlap (intersection over union); pairs are one to one.
    by_class : dict of str to Score
        Strict, of each class, by name.
    n_items : int
        Items that were compared.
    """

    strict: Score
    partial: Score
    by_class: dict[str, Score]
    n_items: int

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        by_class = {name: score.to_dict() for name, score in self.by_class.items()}
        return {
            "strict": self.strict.to_dict(),
            "partial": self.partial.to_dict(),
            "by_class": by_class,
            "n_items": self.n_items,
        }


def span_scores(gold: Sequence[Spans | None], predicted: Sequence[Spans | None]) -> SpanScores:
    """Compare the spans found on each item with the gold ones.

    Parameters
    ----------
    gold, predicted : sequence of (list of spans or None)
        One entry an item, in the same order, each span with `start`, `end` and `label`; an item that is None on either
        side is left out, `[]` says that there is no span.

    Raises
    ------
    UsageError
        If the two differ in length.

    Examples
    --------
    >>> found = [{"start": 0, "end": 4, "label": "LOC"}, {"start": 9, "end": 12, "label": "PER"}]
    >>> scores = span_scores([[{"start": 0, "end": 8, "label": "LOC"}, found[1]]], [found])
    >>> scores.strict.f1, scores.partial.f1
    (0.5, 0.75)
    """
    if len(gold) != len(predicted):
        raise UsageError(f"{len(gold)} items with gold, but {len(predicted)} with predictions: give one entry an item")
    pairs = [(g, p) for g, p in zip(gold, predicted, strict=True) if g is not None and p is not None]
    names = sorted({span["label"] for pair in pairs for side in pair for span in side})
    by_class = {}
    parts = []
    for name in names:
        mine = [tuple([span for span in side if span["label"] == name] for side in pair) for pair in pairs]
        n_gold, n_predicted = sum(len(g) for g, _ in mine), sum(len(p) for _, p in mine)
        by_class[name] = Score(sum(len(_keys(g) & _keys(p)) for g, p in mine), n_gold, n_predicted)
        parts += [_overlap(g, p) for g, p in mine if g and p]
    n_gold = sum(score.n_gold for score in by_class.values())
    n_predicted = sum(score.n_predicted for score in by_class.values())
    strict = Score(sum(score.hits for score in by_class.values()), n_gold, n_predicted)
    return SpanScores(strict, Score(math.fsum(parts), n_gold, n_predicted), by_class, len(pairs))


def span_agreement(answers: AnswerTable) -> SpanScores:
    """How far annotators agree on spans: the scores of each answer against each other one on the same item.

    F1 needs no count of what nobody marked, which kappa asks for and spans do not have (Hripcsak and Rothschild 2005,
    doi:10.1197/jamia.M1733). Every pair of answers counts once; precision and recall depend on which of the two is
    taken for the gold one and mean nothing here.
    """
    pairs = [
        (answers.values[p], answers.values[q]) for positions in answers.by_item for p, q in combinations(positions, 2)
    ]
    return span_scores([one for one, _ in pairs], [other for _, other in pairs])


def _keys(spans: Spans) -> set[tuple[int, int]]:
    return {(span["start"], span["end"]) for span in spans}


def _overlap(gold: Spans, predicted: Spans) -> float:
    """Sum of the overlaps of spans of one class, paired for the greatest sum."""
    ends = [np.array([[span["start"], span["end"]] for span in side], dtype=np.float64) for side in (gold, predicted)]
    (start, end), (other_start, other_end) = ends[0].T[:, :, None], ends[1].T[:, None, :]
    common = np.maximum(np.minimum(end, other_end) - np.maximum(start, other_start), 0.0)
    share = common / (end - start + other_end - other_start - common)
    return math.fsum(float(share[i, j]) for i, j in one_to_one(share))
