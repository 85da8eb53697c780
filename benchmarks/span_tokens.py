"""Spans as tags of single tokens, for those who know only classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class TokenVotes:
    """One row for each token and annotator.

    Parameters
    ----------
    token, annotator, tag : ndarray of int, shape (n_votes,)
        By item, annotator and token.
    offset : ndarray of int, shape (n_items + 1,)
        Where the tokens of each item begin.
    tags : list of str
        O, and B and I of each class.
    place : list of (dict, dict)
        For each item, token that starts, and that ends, at a character.
    """

    token: Any
    annotator: Any
    tag: Any
    offset: Any
    tags: list[str]
    place: list[Any]

    @property
    def n_tokens(self) -> int:
        """Of all items."""
        return int(self.offset[-1])

    def tokens_of(self, item: int, span: dict[str, Any]) -> tuple[int, int]:
        """First token of a span, and the one after its last."""
        starts, ends = self.place[item]
        return int(self.offset[item] + starts[span["start"]]), int(self.offset[item] + ends[span["end"]] + 1)

    def to_dict(self) -> dict[str, Any]:
        """Arrays for a peer's process."""
        return {
            "token": self.token,
            "annotator": self.annotator,
            "tag": self.tag,
            "shape": [self.n_tokens, len(self.tags)],
        }


def token_votes(answers: Any) -> TokenVotes:
    """Of a table of spans whose items have tokens; spans do not overlap."""
    lengths = [len(facts["tokens"]) for facts in answers.facts]
    offset = np.concatenate([[0], np.cumsum(lengths)])
    tags = ["O", *(f"{head}-{name}" for name in answers.classes for head in "BI")]
    place = [
        ({start: t for t, (start, _) in enumerate(f["tokens"])}, {end: t for t, (_, end) in enumerate(f["tokens"])})
        for f in answers.facts
    ]
    token, annotator, tag = [], [], []
    for i, positions in enumerate(answers.by_item):
        for p in positions:
            row = np.zeros(lengths[i], dtype=np.int64)
            for span in answers.values[p]:
                a, b, c = place[i][0][span["start"]], place[i][1][span["end"]], answers.classes.index(span["label"])
                row[a : b + 1], row[a] = 2 + 2 * c, 1 + 2 * c
            token.append(np.arange(offset[i], offset[i + 1]))
            annotator.append(np.full(lengths[i], answers.annotator_index[p]))
            tag.append(row)
    return TokenVotes(*map(np.concatenate, (token, annotator, tag)), offset, tags, place)


def spans_of(chosen: Any, votes: TokenVotes, answers: Any) -> list[Any]:
    """A run of one class is a span, B begins a new one, an I after something else counts as B; None: not answered."""
    found = []
    for i, positions in enumerate(answers.by_item):
        spans: list[dict[str, Any]] = []
        before = 0
        for (start, end), tag in zip(
            answers.facts[i]["tokens"], chosen[votes.offset[i] : votes.offset[i + 1]].tolist(), strict=True
        ):
            label = answers.classes[(tag - 1) // 2] if tag else ""
            if tag and tag % 2 == 0 and before and (before - 1) // 2 == (tag - 1) // 2:
                spans[-1]["end"] = end
            elif tag:
                spans.append({"start": start, "end": end, "label": label})
            before = tag
        found.append(spans if len(positions) else None)
    return found
