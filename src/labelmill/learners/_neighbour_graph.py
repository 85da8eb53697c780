"""The graph of nearest neighbours in a space of features, and labels that spread over it."""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

__all__ = ["neighbour_graph", "spread_labels"]

Floats = npt.NDArray[np.float64]

_BLOCK: Final = 1_024
"""Rows whose distances to all others are held at a time."""

_STEPS: Final = 100
"""Steps of spreading at most; at a reach of 0.9 the fiftieth changes half a percent."""

_STILL: Final = 1e-6
"""Spreading ends when no share changes by more."""

_latest: dict[bytes, sparse.csr_array] = {}
"""The graph of the last features: targets change from fold to fold and round to round, the features do not."""


def neighbour_graph(features: npt.NDArray[np.float32], n_neighbours: int) -> sparse.csr_array:
    r"""Symmetric affinities between each item and its nearest neighbours, normalised by their degrees.

    Two items are joined where one is among the nearest of the other, with affinity
    :math:`\exp(-d_{ij}^2 / (\sigma_i \sigma_j))`, where :math:`\sigma_i` is the distance of i to its farthest neighbour
    (Zelnik-Manor & Perona 2004): crowds and outskirts are measured by their own scale. Returns
    :math:`D^{-1/2} A D^{-1/2}`. Exact, in blocks: memory is proportional to the items.

    Parameters
    ----------
    features : ndarray of float32, shape (n_items, n_dimensions)
    n_neighbours : int

    Returns
    -------
    csr_array of float64, shape (n_items, n_items)
    """
    key = hashlib.sha256(f"{features.shape} {n_neighbours}".encode() + features.tobytes()).digest()
    if key not in _latest:
        _latest.clear()
        _latest[key] = _normalised(_affinities(features, min(n_neighbours, len(features) - 1)))
    return _latest[key]


def spread_labels(graph: sparse.csr_array, given: Floats, *, reach: float) -> Floats:
    r"""Label spreading: the solution of :math:`F = \alpha S F + (1 - \alpha) Y` (Zhou et al. 2004).

    Parameters
    ----------
    graph : csr_array, shape (n_items, n_items)
        From `neighbour_graph`.
    given : ndarray, shape (n_items, n_classes)
        Targets times weights; zeros where nothing is known.
    reach : float
        :math:`\alpha`, at least 0 and below 1: how far labels go.

    Returns
    -------
    ndarray, shape (n_items, n_classes)
        Not normalised: zeros where no label arrives.
    """
    spread = (1 - reach) * given
    held = spread
    for _ in range(_STEPS):
        before, spread = spread, reach * (graph @ spread) + held
        if np.abs(spread - before).max(initial=0.0) < _STILL * max(1.0, float(given.max(initial=0.0))):
            break
    return np.asarray(spread)


def _affinities(features: npt.NDArray[np.float32], k: int) -> sparse.csr_array:
    n_items = len(features)
    if k < 1:
        return sparse.csr_array((n_items, n_items))
    nearest, squares = _nearest(features, k)
    # Items that all lie in one place have no scale of their own: any does.
    radius = np.sqrt(np.maximum(squares.max(axis=1), 1e-12))
    values = np.exp(-squares / (radius[:, None] * radius[nearest]))
    rows = np.repeat(np.arange(n_items), k)
    graph = sparse.csr_array((values.ravel(), (rows, nearest.ravel())), shape=(n_items, n_items))
    return sparse.csr_array(graph.maximum(graph.T))


def _nearest(features: npt.NDArray[np.float32], k: int) -> tuple[npt.NDArray[np.intp], Floats]:
    """The k nearest others of each item, and their squared distances; shape (n_items, k) both."""
    n_items = len(features)
    lengths = np.einsum("ij,ij->i", features, features)
    nearest = np.empty((n_items, k), dtype=np.intp)
    squares = np.empty((n_items, k))
    for start in range(0, n_items, _BLOCK):
        block = slice(start, start + _BLOCK)
        distances = lengths - 2 * (features[block] @ features.T)
        rows = np.arange(len(distances))
        distances[rows, start + rows] = np.inf
        chosen = np.argpartition(distances, k - 1, axis=1)[:, :k]
        nearest[block] = chosen
        squares[block] = np.maximum(distances[rows[:, None], chosen] + lengths[block, None], 0.0)
    return nearest, squares


def _normalised(affinities: sparse.csr_array) -> sparse.csr_array:
    degrees = np.asarray(affinities.sum(axis=1)).ravel()
    inverse = np.divide(1.0, np.sqrt(degrees), out=np.zeros_like(degrees), where=degrees > 0)
    scaled = sparse.diags_array(inverse) @ affinities @ sparse.diags_array(inverse)
    return sparse.csr_array(scaled)
