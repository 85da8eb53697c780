"""Rules that are copies of each other: they fire on the same items."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from labelmill.quality._peers import Peers
from labelmill.quality.copies import Copies
from labelmill.quality.multiplicity import adjusted

__all__ = ["copied_rules"]

Floats = npt.NDArray[np.float64]

ALLOWED: Final = 0.5
"""Rules look at the same words, so that many fire together: from this share on beyond chance, they are copies."""

FEW: Final = 5
"""Items with equal votes below which a pair is not tested."""

AT_ONCE: Final = 50_000


def copied_rules(peers: Peers) -> Copies:
    r"""Tests every pair of rules that ever vote alike for being one rule twice.

    Of the n items on which either votes, x get the same vote from both. If both fired independently within each class,
    a share :math:`r` would, of the rates at which each names each label on items of each class; the pair is found where
    the share is above :math:`r_0 = r + (1 - r) / 2`. The p-value is Chernoff's bound
    :math:`\exp(-n\, KL(x/n \,\|\, r_0))` (1952, doi:10.1214/aoms/1177729330).

    Parameters
    ----------
    peers : Peers
    """
    from scipy import sparse

    k, votes = peers.n_classes, np.flatnonzero(peers.habits.is_rule[peers.annotator])
    item, rule, label = peers.item[votes], peers.annotator[votes], peers.label[votes]
    fired = np.bincount(rule, minlength=peers.n_annotators)
    alike: Any = sparse.csr_array((peers.n_annotators, peers.n_annotators))
    for named in range(k):
        at = label == named
        ones = np.ones(int(at.sum()))
        one_class = sparse.csr_array((ones, (item[at], rule[at])), shape=(peers.n_items, peers.n_annotators))
        alike = alike + one_class.T @ one_class
    upper = sparse.triu(alike, 1).tocoo()
    tested = upper.data >= FEW
    one, other = upper.coords[0][tested].astype(np.int64), upper.coords[1][tested].astype(np.int64)
    n_equal = upper.data[tested]
    expected = _expected(peers, one, other)
    either = fired[one] + fired[other] - n_equal
    usual = np.clip(expected / np.maximum(fired[one] + fired[other] - expected, 1e-9), 0.0, 1.0)
    share = n_equal / either
    p = np.exp(-either * _divergence(share, usual + ALLOWED * (1 - usual)))
    order = np.lexsort((other, one, -share * either, p))
    copied = np.clip((share - usual) / np.maximum(1 - usual, 1e-9), 0.0, 1.0)
    return Copies(
        one[order],
        other[order],
        either[order].astype(np.int64),
        n_equal[order].astype(np.int64),
        (usual * either)[order],
        np.zeros(len(order)),
        copied[order],
        p[order],
        adjusted(p)[order],
    )


def _expected(peers: Peers, one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> Floats:
    """Shape (n_pairs,): items on which both would vote alike, did they fire independently within each class."""
    n_items = np.maximum(peers.posterior.sum(axis=0), 1e-9)
    labels = np.arange(peers.n_classes)
    found = np.zeros(len(one))
    for at in range(0, len(one), AT_ONCE):
        part = slice(at, at + AT_ONCE)
        for label in labels.tolist():
            said = np.full(len(one[part]), label)
            cells = [peers.habits.counts(rule[part], said) for rule in (one, other)]
            found[part] += (cells[0] * cells[1] / n_items).sum(axis=1)
    return found


def _divergence(share: Floats, bound: Floats) -> Floats:
    """Shape (n_pairs,): Kullback-Leibler divergence of a coin from the bound, 0 up to it; nats."""
    x, r = np.clip(share, 1e-12, 1 - 1e-12), np.clip(bound, 1e-12, 1 - 1e-12)
    found = x * np.log(x / r) + (1 - x) * np.log((1 - x) / (1 - r))
    return np.where(share > bound, found, 0.0)
