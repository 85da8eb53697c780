"""Which elements of many answers are meant to be the same: groups with at most one element of each answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

__all__ = ["grouped"]


def grouped(owner: Sequence[int], similarity: Mapping[tuple[int, int], float], *, least: float) -> list[list[int]]:
    """Elements put together by similarity, most similar first, never two of one owner.

    Average linkage (Sokal and Michener 1958) with constraints: two groups become one if they share no owner and the
    mean similarity of the pairs across is at least `least`. Pairs are tried once, most similar first, so that the work
    grows with the pairs given: an hour of speech has ten thousands of segments, each like a few others, and those that
    overlap in a chain would make one table of all. `labelmill.domain.clusters` joins by the means as they become, for
    the few shapes of an image.

    Parameters
    ----------
    owner : sequence of int, length n_elements
        The answer each element is part of.
    similarity : mapping of (int, int) to float
        Of pairs of elements of different owners, the lower position first; pairs that are left out count 0.
    least : float
        Above 0.

    Returns
    -------
    list of list of int
        The groups in order of their first elements, elements ascending; those like no other stand alone.

    Examples
    --------
    >>> grouped([0, 0, 1, 2], {(0, 2): 0.9, (1, 3): 0.6, (2, 3): 0.5}, least=0.4)
    [[0, 2], [1, 3]]
    """
    group = list(range(len(owner)))
    members = {element: [element] for element in group}
    for i, j in sorted(similarity, key=lambda pair: (-similarity[pair], pair)):
        if similarity[i, j] < least:
            break
        a, b = sorted((group[i], group[j]))
        if a != b and _may_join(members[a], members[b], owner, similarity, least):
            members[a] = sorted(members[a] + members.pop(b))
            for element in members[a]:
                group[element] = a
    return sorted(members.values())


def _may_join(
    a: list[int], b: list[int], owner: Sequence[int], similarity: Mapping[tuple[int, int], float], least: float
) -> bool:
    if {owner[i] for i in a} & {owner[j] for j in b}:
        return False
    across = [similarity.get((min(i, j), max(i, j)), 0.0) for i in a for j in b]
    return math.fsum(across) >= least * len(across)
