"""The final score: how wrong labels are, against gold. Nothing that is scored may have seen it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.pipeline._kinds import kind_of
from labelmill.pipeline.simulated_person import read_gold
from labelmill.quality.bounds import clopper_pearson_upper
from labelmill.quality.detection import detection_scores, precision_recall
from labelmill.quality.segments import boundary_scores, event_scores

__all__ = ["AnswerScore", "Score"]

NEAR = 0.02
"""Seconds within which the border of a phone is right."""


class Score:
    """Gold, opened to measure.

    Parameters
    ----------
    gold : Path
        Parquet file with the columns `id` and `label`.
    """

    def __init__(self, gold: Path) -> None:
        self._gold = read_gold(gold)

    def error(self, labels: Mapping[str, str | None]) -> float:
        """Share of items whose label is wrong or missing."""
        wrong = sum(self._gold[item] != label for item, label in labels.items())
        return wrong / len(labels) if labels else 0.0

    def bound(self, labels: Mapping[str, str | None], *, n_audit: int, risk: float, seed: int) -> float:
        """What an audit of so many random items would prove of these labels: at most this share is wrong.

        A Clopper-Pearson bound that fails with probability `risk`; for the curve of what answers buy, where nothing
        is deferred to people and every point has a sample of its own.
        """
        drawn = np.random.default_rng([seed, len(labels)]).choice(
            sorted(labels), min(n_audit, len(labels)), replace=False
        )
        wrong = sum(self._gold[item] != labels[item] for item in drawn.tolist())
        return clopper_pearson_upper(wrong, len(drawn), risk=risk)

    def truth(self, items: Sequence[str], classes: Sequence[str]) -> npt.NDArray[np.int16]:
        """Shape (n_items,): true class index of each item, ABSTAIN where gold does not say."""
        index = {name: k for k, name in enumerate(classes)}
        return np.array([index.get(self._gold.get(item, ""), ABSTAIN) for item in items], dtype=np.int16)


class AnswerScore:
    """Gold of answers that are more than classes, opened to measure.

    Parameters
    ----------
    gold : Path
        Parquet file with the columns `id` and `label`: values as JSON.
    schema : LabelSchema
    """

    def __init__(self, gold: Path, schema: LabelSchema) -> None:
        self.schema = schema
        self.kind = kind_of(schema)
        self._gold = {item: self.kind.validate(text, schema) for item, text in read_gold(gold).items()}

    def figures(
        self,
        answers: Mapping[str, str | None],
        *,
        items: Sequence[str] | None = None,
        parts: Mapping[str, Sequence[float]] | None = None,
    ) -> dict[str, float]:
        """How good the answers are, 0 to 1, higher is better; an item without one counts as an empty answer.

        Boxes: `f1` at IoU 0.5, and `map50`. Segments: `boundary_f1` to 20 ms, and `event_f1`, where a segment is right
        if its class is, it begins to 20 ms, and ends to 20 ms or a fifth of its length. Others: `likeness`, one minus
        the mean distance of the kind.

        Parameters
        ----------
        answers : mapping of str to (str or None)
            Item -> value as it stands in files.
        items : sequence of str, optional
            Those to measure on; all of gold without it.
        parts : mapping of str to sequence of float, optional
            Item -> how likely each element is right, for the order that average precision needs.
        """
        chosen = list(self._gold) if items is None else list(items)
        given = {item: text for item in chosen if (text := answers.get(item)) is not None}
        found = {item: self.kind.validate(text, self.schema) for item, text in given.items()}
        gold = [self._gold[item] for item in chosen]
        if self.schema.kind == "box":
            boxes = [found.get(item, []) for item in chosen]
            scores = None if parts is None else [list(parts[item]) if item in found else [] for item in chosen]
            precision = detection_scores(gold, boxes, scores=scores).by_iou[0.5]
            return {"f1": precision_recall(gold, boxes).f1, "map50": precision}
        if self.schema.kind == "segment":
            segments = [found.get(item, []) for item in chosen]
            borders, events = boundary_scores(gold, segments, collar=NEAR), event_scores(gold, segments, collar=NEAR)
            return {"boundary_f1": borders.f1, "event_f1": events.f1}
        return {"likeness": self._likeness(gold, [found.get(item) for item in chosen])}

    def _likeness(self, gold: Sequence[Any], found: Sequence[Any]) -> float:
        apart = [1.0 if one is None else self.kind.distance(true, one) for true, one in zip(gold, found, strict=True)]
        return 1.0 - sum(apart) / len(apart) if apart else 0.0
