"""Data with published agreement, and every coefficient written out pair by pair."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.vote_table import VoteTable

CLASSES = ["1", "2", "3", "4", "5"]

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", https://repository.upenn.edu/asc_papers/43:
# the rows are observers, a dot is a missing vote.
BINARY = ["1211111121", "2221121111"]
NOMINAL = ["112243335441", "212223335444"]
MISSING = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]

DIAGNOSES = """
00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006
"""
"""Fleiss 1971, table 1: six psychiatrists diagnose 30 patients; how many name each of five diagnoses."""


def table(rows: Sequence[str]) -> VoteTable:
    """The votes of observers written one a row, a dot where one is missing."""
    matrix = np.array([[-1 if c == "." else int(c) - 1 for c in row] for row in rows]).T
    return VoteTable.from_matrix(matrix, classes=CLASSES)


def as_rows(votes: VoteTable) -> VoteTable:
    """The same votes without their matrix."""
    return VoteTable(votes.items, votes.annotators, votes.classes, votes.item_index, votes.annotator_index, votes.label)


def diagnoses() -> VoteTable:
    """Fleiss' patients; who of the six said what is not known, and does not matter."""
    rows = [[c for c, n in enumerate(row) for _ in range(int(n))] for row in DIAGNOSES.split()]
    return VoteTable.from_matrix(rows, classes=CLASSES)


def of_cells(cells: Sequence[Sequence[int]], classes: Sequence[str]) -> VoteTable:
    """Two annotators from how often one says the row and the other the column."""
    pairs = [(a, b) for a, row in enumerate(cells) for b, n in enumerate(row) for _ in range(n)]
    return VoteTable.from_matrix(pairs, classes=classes)


Delta = Callable[[int, int], float]


def by_hand(metric: str, matrix: npt.NDArray[Any], delta: Delta, k: int) -> float:
    """The coefficient of a matrix (items, annotators) of class indices, -1 for none, summed over pairs of votes."""
    rows = [[int(c) for c in row if c >= 0] for row in matrix]
    largest = max(delta(a, b) for a in range(k) for b in range(k))
    if metric in ("cohen", "scott"):
        return _mean_of_pairs(metric, matrix, delta)
    paired = [row for row in rows if len(row) > 1]
    apart = [sum(delta(a, b) for a, b in permutations(row, 2)) for row in paired]
    if not paired:
        return float("nan")
    if metric == "percent":
        return 1 - sum(apart) / sum(len(row) * (len(row) - 1) for row in paired) / largest
    if metric == "krippendorff":
        votes = [c for row in paired for c in row]
        observed = sum(d / (len(row) - 1) for d, row in zip(apart, paired, strict=True)) / len(votes)
        expected = sum(delta(a, b) for a, b in permutations(votes, 2)) / (len(votes) * (len(votes) - 1))
        return 1 - observed / expected if expected > 0 else float("nan")
    observed = sum(d / (len(row) * (len(row) - 1)) for d, row in zip(apart, paired, strict=True)) / len(paired)
    shares = np.mean([[row.count(c) / len(row) for c in range(k)] for row in rows if row], axis=0)
    if metric == "fleiss":
        expected = sum(shares[a] * shares[b] * delta(a, b) for a in range(k) for b in range(k))
        return 1 - observed / expected if np.count_nonzero(shares) > 1 else float("nan")
    weights = sum(1 - delta(a, b) / largest for a in range(k) for b in range(k))
    by_chance = weights / (k * (k - 1)) * sum(p * (1 - p) for p in shares)
    return float((1 - observed / largest - by_chance) / (1 - by_chance))


def _mean_of_pairs(metric: str, matrix: npt.NDArray[Any], delta: Delta) -> float:
    values, weights = [], []
    for a in range(matrix.shape[1]):
        for b in range(a):
            both = [(int(x), int(y)) for x, y in matrix[:, [a, b]] if x >= 0 and y >= 0]
            mine, yours = [x for x, _ in both], [y for _, y in both]
            sides = (mine, yours) if metric == "cohen" else (mine + yours, mine + yours)
            expected = np.mean([delta(x, y) for x in sides[0] for y in sides[1]]) if both else 0.0
            if expected > 0:
                values.append(1 - np.mean([delta(x, y) for x, y in both]) / expected)
                weights.append(len(both))
    return float(np.average(values, weights=weights)) if values else float("nan")
