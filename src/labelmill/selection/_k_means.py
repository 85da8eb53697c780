"""Small k-means: as many clusters as a batch has items."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from labelmill.selection._distances import lower_to, nearest

__all__ = ["k_means"]

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]


def k_means(rows: Floats, n_clusters: int, rng: np.random.Generator, *, most_rounds: int = 20) -> tuple[Places, Floats]:
    """The cluster of each row, shape (n_rows,), and its squared distance to the cluster's mean.

    Centres start by k-means++ (Arthur and Vassilvitskii 2007, https://dl.acm.org/doi/10.5555/1283383.1283494) and
    move to the means of their rows (Lloyd 1982, https://doi.org/10.1109/TIT.1982.1056489) until no row changes.
    A cluster that loses all its rows keeps its centre.

    Parameters
    ----------
    rows : ndarray of float32, shape (n_rows, n_dimensions)
    n_clusters : int
        At most; rows that are all alike make fewer.
    """
    centres = _spread_centres(rows, n_clusters, rng)
    cluster, distance = nearest(rows, centres)
    for _ in range(most_rounds):
        centres = _means(rows, cluster, centres)
        before = cluster
        cluster, distance = nearest(rows, centres)
        if (before == cluster).all():
            break
    return cluster, distance


def _spread_centres(rows: Floats, n_centres: int, rng: np.random.Generator) -> Floats:
    """Rows drawn one after the other, each as likely as its squared distance to those before it."""
    chosen = [int(rng.integers(len(rows)))]
    least = np.full(len(rows), np.inf, dtype=np.float32)
    while len(chosen) < min(n_centres, len(rows)):
        lower_to(least, rows, rows[chosen[-1]][None])
        least[chosen[-1]] = 0.0
        mass = np.cumsum(least, dtype=np.float64)
        if mass[-1] <= 0:
            break
        chosen.append(int(np.searchsorted(mass, rng.random() * mass[-1], side="right").clip(max=len(rows) - 1)))
    return rows[chosen]


def _means(rows: Floats, cluster: Places, centres: Floats) -> Floats:
    order = np.argsort(cluster, kind="stable")
    which, starts, sizes = np.unique(cluster[order], return_index=True, return_counts=True)
    means = centres.copy()
    means[which] = np.add.reduceat(rows[order], starts, axis=0) / sizes[:, None].astype(np.float32)
    return means
