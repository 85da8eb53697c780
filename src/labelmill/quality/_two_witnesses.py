"""People and a classifier as two witnesses: how far each is to be believed, learned from how they agree."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Belief", "believed"]

Floats = npt.NDArray[np.float64]

PEOPLE: Final = tuple(float(t) for t in np.geomspace(0.05, 1.0, 12))
"""Exponents tried for what people say; a posterior that takes votes for independent is never too modest."""
MODEL: Final = tuple(float(t) for t in np.geomspace(0.05, 10.0, 32))
"""Exponents tried for what the classifier says."""

ENOUGH: Final = 30
"""Fewer items with votes tell nothing of exponents."""
MOST: Final = 20_000
"""Items that the exponents are learned from, evenly spaced among all."""

SMALLEST: Final = 1e-6
"""A probability is believed to be no smaller: one zero of a classifier must not decide an item alone."""


class Belief(NamedTuple):
    """What both say together.

    `probabilities` is (n_items, n_classes), rows sum to 1; `people` and `model` are the exponents: below 1 somebody is
    surer than right, above 1 more modest than need be.
    """

    probabilities: Floats
    people: float
    model: float


def believed(people: Floats, model: Floats, has_votes: npt.NDArray[np.bool_]) -> Belief:
    r"""Class probabilities by people and classifier, each raised to the exponent that fits.

    .. math:: P(k \mid i) \propto \frac{\mathrm{norm}(q_i^a)_k \, \mathrm{norm}(p_i^T)_k}{\pi_k}, \qquad
              (a, T) = \arg\max \sum_i \log \sum_k \frac{\mathrm{norm}(q_i^a)_k \, \mathrm{norm}(p_i^T)_k}{\pi_k}

    with :math:`\pi` the mean of the people's. If the two are independent given the class, the sum estimates their
    mutual information and is largest where both are true posteriors (Kong and Schoenebeck 2018,
    https://doi.org/10.1145/3219166.3219194): so neither can talk itself up, and no gold is needed. A classifier that
    learned from the same votes on the same items is not independent: its probabilities must be out of sample.

    Parameters
    ----------
    people : ndarray of float64, shape (n_items, n_classes)
        Posterior of a label model for people's votes alone.
    model : ndarray of float64, shape (n_items, n_classes)
        The classifier's probabilities.
    has_votes : ndarray of bool, shape (n_items,)
        Items somebody voted on; the others follow the classifier.
    """
    said = np.log(np.maximum(people, SMALLEST**2))
    seen = np.log(np.maximum(model, SMALLEST))
    asked = np.flatnonzero(has_votes)
    a, t = 0.5, 1.0
    if len(asked) >= ENOUGH and people.shape[1] > 1:
        sample = asked[:: -(-len(asked) // MOST)]
        a, t = _exponents(said[sample], seen[sample])
    ratio = _ratio(said, a, asked)
    ratio[~has_votes] = 1.0
    both = ratio * _tempered(seen, t)
    return Belief(both / both.sum(axis=1, keepdims=True), a, t)


def _exponents(said: Floats, seen: Floats) -> tuple[float, float]:
    everything = np.arange(len(said))
    ratios = {a: _ratio(said, a, everything) for a in PEOPLE}
    best, found = -np.inf, (1.0, 1.0)
    for t in MODEL:
        given = _tempered(seen, t)
        for a, ratio in ratios.items():
            shared = float(np.log(np.einsum("ij,ij->i", given, ratio)).sum())
            if shared > best:
                best, found = shared, (a, t)
    return found


def _ratio(said: Floats, exponent: float, asked: npt.NDArray[np.intp]) -> Floats:
    """How much likelier the votes make each class than it is on the whole."""
    told = _tempered(said, exponent)
    return np.asarray(told / told[asked].mean(axis=0)) if len(asked) else np.ones_like(told)


def _tempered(logs: Floats, exponent: float) -> Floats:
    scaled = exponent * logs
    scaled -= scaled.max(axis=1, keepdims=True, initial=-np.inf)
    np.exp(scaled, out=scaled)
    return np.asarray(scaled / scaled.sum(axis=1, keepdims=True))
