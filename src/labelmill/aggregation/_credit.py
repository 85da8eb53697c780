"""What people are credited with where nobody checks them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._tally import Floats
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable

__all__ = ["credit", "lone_answers"]

CREDIT = 30.0
"""Right answers that a person nobody checks is credited with, at most: accuracy about 0.95."""


def lone_answers(votes: VoteTable, is_person: npt.NDArray[np.bool_]) -> Floats:
    """Answers on items that no other person answered.

    Returns
    -------
    ndarray of float64, shape (n_annotators, n_classes)
        `[j, l]`: answers l of annotator j; zeros for machines.
    """
    by_person = is_person[votes.annotator_index] & (votes.label != ABSTAIN)
    n_people = np.bincount(votes.item_index[by_person], minlength=votes.n_items)
    alone = by_person & (n_people[votes.item_index] == 1)
    counts = np.zeros((votes.n_annotators, votes.n_classes))
    items = 1.0 if votes.multiplicity is None else votes.multiplicity[votes.item_index[alone]]
    np.add.at(counts, (votes.annotator_index[alone], votes.label[alone]), items)
    return counts


def credit(lone: Floats) -> Floats:
    """Lone answers, all counted as right, at most 30 for each person.

    Machines are no witnesses against a person: people are asked just where machines fail, so disagreement with them
    says nothing of the person. Who is checked by other people is judged by those items; the credit fades beside them.

    Returns
    -------
    ndarray of float64, shape (n_annotators, n_classes, n_classes)
        `[j, l, k]`: answers l of annotator j on items of class k; zeros for machines.
    """
    total = lone.sum(axis=1, keepdims=True)
    credited = lone * np.minimum(1.0, CREDIT / np.maximum(total, 1.0))
    return np.asarray(credited[:, :, None] * np.eye(lone.shape[1]))
