"""A table of spans as chains of tags, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labelmill.aggregation.structured._chains import Shape
from labelmill.aggregation.structured._span_tokens import Key, Piece, key_of, layers, pieces, tags
from labelmill.aggregation.structured._tag_votes import TagVotes
from labelmill.domain.answers import AnswerTable

__all__ = ["Chain", "Chains", "chains_of"]

Ints = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Chain:
    """One layer of one item.

    Parameters
    ----------
    item : int
        Row of the table.
    tokens : list of Piece
        At least one.
    answers : list of (int, list of Key)
        Place of the annotator, and its spans in this layer.
    """

    item: int
    tokens: list[Piece]
    answers: list[tuple[int, list[Key]]]


@dataclass(frozen=True)
class Chains:
    """All chains of a table, longest first, and what was said of each token."""

    chains: list[Chain]
    votes: TagVotes


def chains_of(answers: AnswerTable, places: Mapping[str, int], classes: Mapping[str, int]) -> Chains:
    """Cut every answered item into tokens, and its spans into layers.

    Parameters
    ----------
    places : mapping
        Annotator name -> place; who is not in it gets the place after the last.
    classes : mapping
        Class name -> index.
    """
    found: list[Chain] = []
    for row, positions in enumerate(answers.by_item):
        who = [places.get(answers.annotators[j], len(places)) for j in answers.annotator_index[positions].tolist()]
        said = [[key_of(span) for span in answers.values[position]] for position in positions]
        found += _of_item(row, answers, who, said)
    # By id after length: sums over chains must not depend on the order of items.
    found.sort(key=lambda chain: (-len(chain.tokens), answers.items[chain.item]))
    return Chains(found, _votes(found, len(places), classes))


def _of_item(row: int, answers: AnswerTable, who: Sequence[int], said: Sequence[Sequence[Key]]) -> list[Chain]:
    if not said:
        return []
    layer = layers(said)
    tokens = pieces(answers.facts[row], list(layer))
    found = []
    for n in range(max(layer.values(), default=0) + 1):
        mine = [[span for span in spans if layer[span] == n] for spans in said]
        part = tokens if n == 0 else _hull(tokens, mine)
        if part:
            found.append(Chain(row, part, list(zip(who, mine, strict=True))))
    return found


def _hull(tokens: list[Piece], said: Sequence[Sequence[Key]]) -> list[Piece]:
    """The tokens from the first to the last that anybody marked."""
    start = min(span.start for spans in said for span in spans)
    end = max(span.end for spans in said for span in spans)
    return [token for token in tokens if start <= token[0] and token[1] <= end]


def _votes(chains: Sequence[Chain], n_annotators: int, classes: Mapping[str, int]) -> TagVotes:
    shape = Shape(np.array([len(chain.tokens) for chain in chains], dtype=np.intp))
    parts: list[list[Ints]] = [[np.empty(0, dtype=np.intp)] for _ in range(4)]
    for chain, start in zip(chains, shape.offset[:-1].tolist(), strict=True):
        for who, spans in chain.answers:
            here = tags(spans, chain.tokens, classes)
            at = np.arange(start, start + len(here), dtype=np.intp)
            rows = (at, np.full(len(here), who, dtype=np.intp), here, np.roll(here, 1))
            rows[3][0] = 0
            for column, row in zip(parts, rows, strict=True):
                column.append(row)
    token, annotator, tag, before = (np.concatenate(column) for column in parts)
    return TagVotes(shape, token, annotator, tag, before, n_annotators, 1 + 2 * len(classes))
