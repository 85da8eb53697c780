"""The most doubtful items, and who voted what on them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from labelmill.domain.schema import ABSTAIN
from labelmill.pipeline.aggregate import Aggregated
from labelmill.pipeline.votes import Ballots
from labelmill.pipeline.workspace import Workspace
from labelmill.report.story import DoubtfulItem, ItemVote

__all__ = ["doubtful_items"]

SHOWN = 20
EXCERPT = 400
"""Characters of a text in the report."""


def doubtful_items(
    workspace: Workspace, result: Aggregated, cast: Ballots, truth: npt.NDArray[np.int16] | None
) -> list[DoubtfulItem]:
    """The items whose label has the lowest probability among those with votes, most doubtful first.

    Parameters
    ----------
    truth : ndarray of int16, shape (n_items,), optional
        True class index, ABSTAIN where unknown.
    """
    consensus = result.consensus
    doubt = np.where(consensus.has_votes, 1 - consensus.confidence, -1.0)
    worst = [i for i in np.argsort(-doubt, kind="stable")[:SHOWN].tolist() if doubt[i] > 0]
    batch = workspace.lake.items([cast.items[i] for i in worst])
    labels = consensus.labels
    items = []
    for i, item in zip(worst, batch.items, strict=True):
        gold = None if truth is None or truth[i] == ABSTAIN else int(truth[i])
        items.append(
            DoubtfulItem(
                item.id,
                item.data[:EXCERPT],
                labels[i],
                consensus.probabilities[i].tolist(),
                _votes_on(i, cast, gold),
                None if gold is None else consensus.classes[gold],
            )
        )
    return items


def _votes_on(i: int, cast: Ballots, gold: int | None) -> list[ItemVote]:
    votes = []
    for name, table in cast.tables.items():
        for at in np.flatnonzero(table.item_index == i).tolist():
            j, k = int(table.annotator_index[at]), int(table.label[at])
            spoken = None if k == ABSTAIN else name if name and k == 1 else f"not {name}" if name else table.classes[k]
            right = None if gold is None or k == ABSTAIN or name else k == gold
            votes.append(ItemVote(table.annotators[j], table.kinds[j] or "rule", spoken, right))
    return votes
