"""How gold items look among the others: a sure one among doubtful ones, or one with a suggestion, could be told."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from labelmill.pipeline._gold_unseen import Opinion
from labelmill.pipeline._merging import label_text

__all__ = ["Look", "Looks", "why_of"]


class Look(NamedTuple):
    """What is shown beside an item: suggestions, and why it was chosen."""

    suggestions: Sequence[Mapping[str, Any]]
    why: str


class Looks:
    """The looks of the items in the queue, for gold items to take.

    Each gold item takes after one of the others, drawn by its id: where that one has no suggestion, it has none; else
    it suggests what its own annotators say, as sure as the others that suggest the same. What annotators are shown of
    a gold item thus is true but for how sure the annotators are.

    Parameters
    ----------
    strategy : str
        By which the others were chosen.
    source, version : str
        What their suggestions come from.
    answers : mapping of str to (str or None, float)
        Item of the queue -> its suggestion, and how sure that is.
    """

    def __init__(
        self, strategy: str, source: str, version: str, answers: Mapping[str, tuple[str | None, float]]
    ) -> None:
        self._strategy, self._source, self._version = strategy, source, version
        self._others = sorted(answers.values(), key=lambda one: (one[0] is not None, one[1]))
        self._by_label: dict[str, list[float]] = defaultdict(list)
        for label, confidence in self._others:
            if label is not None:
                self._by_label[label].append(confidence)

    def of(self, item: str, opinion: Opinion | None) -> Look:
        """What is shown beside this gold item, on which most say this."""
        drawn = _drawn(item, "look", self._others) if self._others else (None, 0.0)
        if drawn[0] is None or opinion is None:
            return Look((), why_of(self._strategy, None))
        alike = self._by_label.get(label_text(opinion.value) or "") or [drawn[1]]
        score = _drawn(item, "score", alike)
        told = {"id": "consensus", "source": self._source, "kind": "consensus", "version": self._version}
        told |= {"score": score, "value": opinion.value}
        return Look([told], why_of(self._strategy, score))


def why_of(strategy: str, confidence: float | None) -> str:
    """Why an item was chosen, in words for people."""
    if confidence is None:
        return "nobody has said anything about it yet"
    if strategy == "random":
        return "drawn at random"
    if strategy == "disagreement":
        return "annotators disagree"
    return f"the annotators so far are {confidence:.0%} sure"


def _drawn(item: str, what: str, some: Sequence[Any]) -> Any:
    digest = hashlib.sha256(f"{what} {item}".encode()).digest()
    return some[int.from_bytes(digest[:6]) % len(some)]
