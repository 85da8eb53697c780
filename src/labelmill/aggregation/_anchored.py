"""What a rule's vote says: its precision, anchored so that learning cannot turn the rule around."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._tally import Floats

__all__ = ["anchored_evidence", "anchored_precision"]


def anchored_precision(
    counts: Floats, balance: Floats, *, anchor_precision: float, anchor_weight: Floats | float
) -> Floats:
    """P(class k | annotator j votes l), `[j, l, k]`, drawn to an anchor in proportion to the rule's own votes.

    (c_jlk + w n_jl P0_lk) / (n_jl (1 + w)) with c the expected votes, n_jl their sum over classes, w the anchor's
    weight (one number, or one for each annotator), and P0 the anchor's precision on the class named, the rest shared
    evenly. The anchor itself where a rule never voted l.

    Parameters
    ----------
    counts : ndarray of float64, shape (n_annotators, n_classes, n_classes)
        Expected votes `[j, l, k]`.
    balance : ndarray of float64, shape (n_classes,)
        Share of each class: a rule for a class that is common anyway is right more often than `anchor_precision`.
    """
    anchor = _anchor(balance, anchor_precision)
    total = counts.sum(axis=2, keepdims=True)
    seen = np.divide(counts, total, out=np.broadcast_to(anchor, counts.shape).copy(), where=total > 0)
    weight = np.reshape(anchor_weight, (-1, 1, 1))
    return np.asarray((seen + weight * anchor) / (1.0 + weight))


def anchored_evidence(precision: Floats, log_balance: Floats, named: npt.NDArray[np.bool_]) -> Floats:
    """Evidence log P(k | vote) - log P(k), `[j, l, k]`, never less for the class named than for another.

    Without that floor a class balance beyond a rule's anchored precision would turn votes for the common class into
    evidence against it, and from there the balance itself around. Nor is a vote evidence for a class that nobody ever
    names: next to no share of the items is its own, so that the least precision would be worth any number of votes.

    Parameters
    ----------
    named : ndarray of bool, shape (n_classes,)
        Whether any vote of anybody names the class.
    """
    evidence = np.log(precision) - log_balance
    diagonal = np.arange(precision.shape[1])
    evidence[:, diagonal, diagonal] = evidence.max(axis=2, initial=-np.inf)
    if named.any() and not named.all():
        evidence[:, :, ~named] = evidence[:, :, named].min(axis=2, keepdims=True)
    return evidence


def _anchor(balance: Floats, anchor_precision: float) -> Floats:
    """The precision a rule is taken to have on each class, `[l, k]`: the odds of the anchor where classes are even.

    A class that is commoner lifts its odds as much. One that is rarer does not lower them: people write rules for a
    rare class that are precise.
    """
    n_classes = len(balance)
    if n_classes < 2:
        return np.ones((n_classes, n_classes))
    odds = anchor_precision * (n_classes - 1) / (1.0 - anchor_precision)
    right = np.maximum(anchor_precision, balance * odds / (balance * odds + 1.0 - balance))
    anchor = np.repeat((1.0 - right)[:, None] / (n_classes - 1), n_classes, axis=1)
    np.fill_diagonal(anchor, right)
    return anchor
