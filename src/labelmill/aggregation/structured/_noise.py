"""How far off each annotator draws, relative to the size of what is drawn."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Spread", "errors_of_pairs", "errors_within", "robust_means", "spread_of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

START = 0.1
LEAST_ERROR = 1e-3
PRIOR_PAIRS = 8.0
"""Pairs, or drawings, at the crowd's error that everybody starts with."""

TAIL = 4.0
"""Degrees of freedom of Student's t: a drawing far off says less the farther off it is."""

PRIOR_DRAWINGS = 2.0
"""Others at its annotator's error that every drawing starts with."""

ROUNDS = 20
STEPS = 6
"""Times that a robust mean is taken again with the weights that follow from it."""


class Spread(NamedTuple):
    """Drawings as numbers: rows `cluster`, `annotator`; `numbers` (n, n_numbers) and `size` (n,) in pixels."""

    cluster: Ints
    annotator: Ints
    numbers: Floats
    size: Floats
    n_clusters: int


def errors_of_pairs(one: Ints, other: Ints, apart: Floats, weight: Floats, n_annotators: int) -> Floats:
    """Each annotator's mean distance from the truth, the distance of two being the sum of theirs.

    As in `ByDistance`, over pairs of drawings of the same object, each weighted by how likely the object exists.

    Parameters
    ----------
    one, other : array of int, shape (n_pairs,)
        Annotators of each pair.
    apart, weight : array of float, shape (n_pairs,)

    Returns
    -------
    ndarray, shape (n_annotators + 1,)
        The last one for strangers.
    """
    who, whom = np.concatenate([one, other]), np.concatenate([other, one])
    far, heavy = np.concatenate([apart, apart]), np.concatenate([weight, weight])
    error, crowd = np.full(n_annotators, START), START
    for _ in range(ROUNDS):
        trust = heavy / error[whom]
        sums = np.bincount(who, weights=trust * (far - error[whom]), minlength=n_annotators)
        total = np.bincount(who, weights=trust, minlength=n_annotators)
        seen = np.bincount(who, weights=heavy, minlength=n_annotators)
        mean = np.divide(sums, total, out=np.full(n_annotators, crowd), where=total > 0)
        crowd = max(float((mean * seen).sum() / max(seen.sum(), LEAST_ERROR)), LEAST_ERROR) if seen.sum() else START
        after = np.clip((mean * seen + PRIOR_PAIRS * crowd) / (seen + PRIOR_PAIRS), LEAST_ERROR, 1.0)
        error = (error + after) / 2
    return np.append(error, crowd)


def errors_within(apart: Floats, error: Floats) -> Floats:
    """Distance from the truth of each drawing of one object, shrunk to its annotator's mean.

    Parameters
    ----------
    apart : array of float, shape (n_drawings, n_drawings)
    error : array of float, shape (n_drawings,)
        Of their annotators.
    """
    n, found = len(error), error
    if n < 3:
        return error
    for _ in range(ROUNDS):
        trust = 1.0 / found
        beyond = (apart - found) * trust
        np.fill_diagonal(beyond, 0.0)
        mean = beyond.sum(axis=1) / (trust.sum() - trust)
        after = (mean * (n - 1) + PRIOR_DRAWINGS * error) / (n - 1 + PRIOR_DRAWINGS)
        found = (found + np.clip(after, LEAST_ERROR * 5, 1.0)) / 2
    return found


def spread_of(spread: Spread, exists: Floats, error: Floats) -> Floats:
    """Variance of each annotator's numbers over the squared size of the object, by EM; the last one for strangers.

    The place of each object is Gaussian given its drawings, with the variance 1 / sum of their precisions, which is
    part of what is expected of a drawing's squared distance from it.

    Parameters
    ----------
    exists : array of float, shape (n_clusters,)
        How much each cluster counts.
    error : array of float, shape (n_annotators + 1,)
        To start with.
    """
    variance = np.maximum(error, LEAST_ERROR) ** 2
    many = np.bincount(spread.cluster, minlength=spread.n_clusters)[spread.cluster] > 1
    counts = exists[spread.cluster] * many
    n = len(error) - 1
    seen = np.bincount(spread.annotator, weights=counts, minlength=n)[:n]
    for _ in range(ROUNDS):
        means, weights = robust_means(spread, variance)
        total = np.stack(
            [np.bincount(spread.cluster, weights=w, minlength=spread.n_clusters) for w in weights.T], axis=1
        )
        off = (spread.numbers - means[spread.cluster]) ** 2
        trusted = weights * variance[spread.annotator][:, None] * spread.size[:, None] ** 2
        expected = (trusted * off + 1.0 / total[spread.cluster]).mean(axis=1) / spread.size**2
        sums = np.bincount(spread.annotator, weights=counts * expected, minlength=n)[:n]
        crowd = max(float(sums.sum() / max(seen.sum(), LEAST_ERROR)), LEAST_ERROR**2)
        after = np.maximum((sums + PRIOR_PAIRS * crowd) / (seen + PRIOR_PAIRS), LEAST_ERROR**2)
        variance = np.append(after, crowd)
    return variance


def robust_means(spread: Spread, variance: Floats) -> tuple[Floats, Floats]:
    """Where each object lies by its drawings, and the weight of each number of each drawing.

    Maximum likelihood for errors that follow Student's t: means weighted by (t + 1) / (t + r^2) / variance, r being the
    residual in standard deviations (Lange, Little and Taylor 1989, https://doi.org/10.1080/01621459.1989.10478852).

    Returns
    -------
    means : ndarray, shape (n_clusters, n_numbers)
    weights : ndarray, shape (n_drawings, n_numbers)
        In 1 / pixels^2.
    """
    precision = 1.0 / (variance[spread.annotator][:, None] * spread.size[:, None] ** 2)
    weights = np.repeat(precision, spread.numbers.shape[1], axis=1)
    means = _medians(spread, weights)
    for _ in range(STEPS):
        residual = (spread.numbers - means[spread.cluster]) ** 2 * precision
        weights = precision * (TAIL + 1.0) / (TAIL + residual)
        means = _means(spread, weights)
    return means, weights


def _means(spread: Spread, weights: Floats) -> Floats:
    columns = []
    for number, weight in zip(spread.numbers.T, weights.T, strict=True):
        total = np.bincount(spread.cluster, weights=weight, minlength=spread.n_clusters)
        summed = np.bincount(spread.cluster, weights=weight * number, minlength=spread.n_clusters)
        columns.append(summed / np.maximum(total, np.finfo(np.float64).tiny))
    return np.stack(columns, axis=1)


def _medians(spread: Spread, weights: Floats) -> Floats:
    """The weighted median of each cluster's numbers."""
    columns = []
    for number, weight in zip(spread.numbers.T, weights.T, strict=True):
        order = np.lexsort((number, spread.cluster))
        cluster = spread.cluster[order]
        total = np.bincount(cluster, weights=weight[order], minlength=spread.n_clusters)
        first = np.searchsorted(cluster, np.arange(spread.n_clusters))
        share = weight[order] / total[cluster]
        reached = np.cumsum(share)
        before = np.append(0.0, reached)[first]
        half = np.flatnonzero(reached - before[cluster] >= 0.5 - 1e-9)
        place = half[np.minimum(np.searchsorted(half, first), max(len(half) - 1, 0))]
        columns.append(number[order][place])
    return np.stack(columns, axis=1)
