"""How gold items look among the others: a sure one among doubtful ones, or one with a suggestion, could be told."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from labelmill.pipeline._gold_unseen import Opinion
from labelmill.pipeline._merging import label_text
from labelmill.pipeline._whys import NOBODY

__all__ = ["Look", "Looks"]


class Look(NamedTuple):
    """What is shown beside an item: suggestions, and why it was chosen."""

    suggestions: Sequence[Mapping[str, Any]]
    why: str


class _Other(NamedTuple):
    """An item of the queue: its suggestion, how sure that is, and why the item was chosen."""

    label: str | None
    sure: float
    why: str


class Looks:
    """The looks of the items in the queue, for gold items to take.

    Each gold item takes after one of the others, drawn by its id: where that one has no suggestion, it has none; else
    it suggests what its own annotators say, as sure as the others that suggest the same. What annotators are shown of
    a gold item thus is true but for how sure the annotators are.

    Parameters
    ----------
    source, version : str
        What the suggestions of the others come from.
    answers : mapping of str to (str or None, float)
        Item of the queue -> its suggestion, and how sure that is.
    whys : mapping of str to str
        Item of the queue -> why it was chosen.
    """

    def __init__(
        self, source: str, version: str, answers: Mapping[str, tuple[str | None, float]], whys: Mapping[str, str]
    ) -> None:
        self._source, self._version = source, version
        others = [_Other(label, sure, whys.get(item, NOBODY)) for item, (label, sure) in answers.items()]
        self._others = sorted(others, key=lambda one: (one.label is not None, one.sure, one.why))
        self._by_label: dict[str, list[_Other]] = defaultdict(list)
        for other in self._others:
            if other.label is not None:
                self._by_label[other.label].append(other)

    def of(self, item: str, opinion: Opinion | None) -> Look:
        """What is shown beside this gold item, on which most say this."""
        drawn = _drawn(item, "look", self._others) if self._others else _Other(None, 0.0, NOBODY)
        if drawn.label is None or opinion is None:
            return Look((), drawn.why if drawn.label is None else NOBODY)
        # How sure and why belong together: one may be told from the other.
        alike = _drawn(item, "score", self._by_label.get(label_text(opinion.value) or "") or [drawn])
        told = {"id": "consensus", "source": self._source, "kind": "consensus", "version": self._version}
        told |= {"score": alike.sure, "value": opinion.value}
        return Look([told], alike.why)


def _drawn(item: str, what: str, some: Sequence[Any]) -> Any:
    digest = hashlib.sha256(f"{what} {item}".encode()).digest()
    return some[int.from_bytes(digest[:6]) % len(some)]
