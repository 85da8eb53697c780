"""Which elements of many answers are meant to be the same: clusters with at most one element of each answer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

__all__ = ["one_of_each"]

Ints = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]


def one_of_each(similarity: Floats, owner: Ints, *, least: float) -> Ints:
    """Clusters of similar elements, no two of them by the same owner.

    Average linkage (Sokal and Michener 1958) under a constraint: the two clusters that are most alike in the mean of
    their pairs are joined first, unless an owner has an element in both, until none are alike by `least`.

    Parameters
    ----------
    similarity : array of float, shape (n_elements, n_elements)
        Symmetric, 0 to 1.
    owner : array of int, shape (n_elements,)
        Whose answer each element is from.
    least : float
        Mean similarity below which clusters stay apart; above 0.

    Returns
    -------
    ndarray of int, shape (n_elements,)
        The number of each element's cluster, from 0, in the order of the clusters' first elements.

    Examples
    --------
    >>> alike = np.array([[1, 0.9, 0.8], [0.9, 1, 0.7], [0.8, 0.7, 1]])
    >>> one_of_each(alike, np.array([0, 1, 1]), least=0.5).tolist()
    [0, 0, 1]
    """
    alike = np.where(owner[:, None] == owner[None, :], 0.0, similarity)
    first = np.arange(len(owner))
    for members in _connected(alike >= least):
        for cluster in _clusters(alike[np.ix_(members, members)], owner[members], least):
            first[members[cluster]] = members[cluster].min()
    return np.unique(first, return_inverse=True)[1]


def _connected(linked: npt.NDArray[np.bool_]) -> Iterator[Ints]:
    """Elements that are linked with each other, directly or not; only groups of more than one."""
    if not linked.any():
        return
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    _, group = connected_components(csr_array(linked), directed=False)
    order = np.argsort(group, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        if len(members) > 1:
            yield members


def _clusters(alike: Floats, owner: Ints, least: float) -> list[Ints]:
    n = len(owner)
    if len(np.unique(owner)) == n and (alike >= least)[~np.eye(n, dtype=np.bool_)].all():
        return [np.arange(n)]  # whatever is joined first, in the end all are
    return _joined(alike.copy(), owner, least)


def _joined(total: Floats, owner: Ints, least: float) -> list[Ints]:
    """Average linkage; row i of `total` holds sums over the pairs of cluster i and each other cluster."""
    n = len(owner)
    size = np.ones(n)
    barred = owner[:, None] == owner[None, :]
    members = [[i] for i in range(n)]
    while True:
        mean = np.where(barred, -1.0, total / (size[:, None] * size[None, :]))
        i, j = sorted(divmod(int(mean.argmax()), n))
        if mean[i, j] < least:
            return [np.array(cluster, dtype=np.intp) for cluster in members if cluster]
        total[i] += total[j]
        total[:, i] = total[i]
        barred[i] |= barred[j]
        barred[:, i] = barred[i]
        barred[j], barred[:, j] = True, True
        size[i] += size[j]
        members[i], members[j] = members[i] + members[j], []
