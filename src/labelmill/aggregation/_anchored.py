"""What a rule's vote says: its precision, anchored so that learning cannot turn the rule around."""

from __future__ import annotations

import numpy as np

from labelmill.aggregation._tally import Floats

__all__ = ["anchored_evidence", "anchored_precision"]


def anchored_precision(counts: Floats, *, anchor_precision: float, anchor_weight: Floats | float) -> Floats:
    """P(class k | annotator j votes l), `[j, l, k]`, drawn to an anchor in proportion to the rule's own votes.

    (c_jlk + w n_jl P0_lk) / (n_jl (1 + w)) with c the expected votes, n_jl their sum over classes, w the anchor's
    weight (one number, or one for each annotator), and P0 the anchor's precision on the class named, the rest shared
    evenly. The anchor itself where a rule never voted l.
    """
    n_classes = counts.shape[1]
    anchor = np.full((n_classes, n_classes), (1.0 - anchor_precision) / max(n_classes - 1, 1))
    np.fill_diagonal(anchor, anchor_precision if n_classes > 1 else 1.0)
    total = counts.sum(axis=2, keepdims=True)
    seen = np.divide(counts, total, out=np.broadcast_to(anchor, counts.shape).copy(), where=total > 0)
    weight = np.reshape(anchor_weight, (-1, 1, 1))
    return np.asarray((seen + weight * anchor) / (1.0 + weight))


def anchored_evidence(precision: Floats, log_balance: Floats) -> Floats:
    """Evidence log P(k | vote) - log P(k), `[j, l, k]`, never less for the class named than for another.

    Without that floor a class balance beyond a rule's anchored precision would turn votes for the common class into
    evidence against it, and from there the balance itself around.
    """
    evidence = np.log(precision) - log_balance
    diagonal = np.arange(precision.shape[1])
    evidence[:, diagonal, diagonal] = evidence.max(axis=2, initial=-np.inf)
    return evidence
