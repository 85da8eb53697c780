"""Spans as tags of tokens: where texts are cut, and in which layer each span lies where spans overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.domain.words import word_offsets

__all__ = ["Key", "Piece", "key_of", "layers", "pieces", "tags"]

Piece = tuple[int, int]
"""Start and end of a token."""


class Key(NamedTuple):
    """A span as something that can be looked up."""

    start: int
    end: int
    label: str


def key_of(span: Mapping[str, Any]) -> Key:
    """Of a span as the label kind has it."""
    return Key(int(span["start"]), int(span["end"]), str(span["label"]))


def pieces(facts: Mapping[str, Any], spans: Sequence[Key]) -> list[Piece]:
    """The tokens of an item, cut further wherever a span starts or ends.

    Tokens are `facts["tokens"]`; else the words of `facts["text"]`; else whatever lies between two ends of spans.
    What lies between tokens is left out, unless a span starts or ends with it.
    """
    cuts = {place for span in spans for place in (span.start, span.end)}
    if facts.get("tokens") is None and facts.get("text") is None:
        return list(pairwise(sorted(cuts)))
    given = facts.get("tokens")
    words = (
        word_offsets(str(facts["text"])) if given is None else sorted((int(start), int(end)) for start, end in given)
    )
    starts, ends = {span.start for span in spans}, {span.end for span in spans}
    all_cuts = sorted(cuts | {place for word in words for place in word})
    kept: list[Piece] = []
    at = 0
    for start, end in pairwise(all_cuts):
        while at < len(words) and words[at][1] <= start:
            at += 1
        in_word = at < len(words) and words[at][0] <= start
        if in_word or start in starts or end in ends:
            kept.append((start, end))
    return kept


def tags(spans: Sequence[Key], tokens: Sequence[Piece], classes: Mapping[str, int]) -> npt.NDArray[np.intp]:
    """0 outside, 1 + 2c at the first token of a span of class c, 2 + 2c at its others; spans must not overlap."""
    first = {start: i for i, (start, _) in enumerate(tokens)}
    last = {end: i for i, (_, end) in enumerate(tokens)}
    tag = np.zeros(len(tokens), dtype=np.intp)
    for span in spans:
        i, j, c = first[span.start], last[span.end], classes[span.label]
        tag[i : j + 1] = 2 + 2 * c
        tag[i] = 1 + 2 * c
    return tag


def layers(answers: Sequence[Sequence[Key]]) -> dict[Key, int]:
    """The layer of each span: two that overlap in one answer lie in two layers.

    Spans that overlap but never in one answer are rivals: they go to the same layer, where only one can win. The span
    with most annotators behind it chooses first.
    """
    support: dict[Key, int] = {}
    for answer in answers:
        for span in answer:
            support[span] = support.get(span, 0) + 1
    apart = {pair for answer in answers for pair in _overlapping(answer)}
    if not apart:
        return dict.fromkeys(support, 0)
    found: list[list[Key]] = []
    place: dict[Key, int] = {}
    for span in sorted(support, key=lambda span: (-support[span], span.start, -span.end, span.label)):
        open_to = [
            n for n, layer in enumerate(found) if not any((span, o) in apart or (o, span) in apart for o in layer)
        ]
        n = max(open_to, key=lambda n: (_rivalry(span, found[n], support), -n), default=len(found))
        if n == len(found):
            found.append([])
        found[n].append(span)
        place[span] = n
    return place


def _overlapping(answer: Sequence[Key]) -> list[tuple[Key, Key]]:
    spans = sorted(answer)
    pairs = []
    for i, span in enumerate(spans):
        for other in spans[i + 1 :]:
            if other.start >= span.end:
                break
            pairs.append((span, other))
    return pairs


def _rivalry(span: Key, layer: Sequence[Key], support: Mapping[Key, int]) -> float:
    """How far a span competes with those in a layer: overlap, by annotators behind them; one class counts double."""
    total = 0.0
    for other in layer:
        common = min(span.end, other.end) - max(span.start, other.start)
        if common > 0:
            joint = max(span.end, other.end) - min(span.start, other.start)
            total += support[other] * common / joint * (2.0 if span.label == other.label else 1.0)
    return total
