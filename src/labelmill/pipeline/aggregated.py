"""What aggregating gives: the consensus in short, and in full for who asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.domain.consensus import Consensus
from labelmill.domain.sums import Sums
from labelmill.errors import UsageError

__all__ = ["ANNOTATOR_COLUMNS", "Aggregated", "Summary", "consensus_sums", "summary_of"]

ANNOTATOR_COLUMNS: Final = {
    "annotator": pl.String,
    "kind": pl.String,
    "votes": pl.Int64,
    "reliability": pl.Float64,
}
"""What is learned of each annotator, of none too."""

N_BINS: Final = 20
"""Bars of the histogram of confidence, from 0 to 1."""


@dataclass(frozen=True)
class Summary:
    """A consensus in a few numbers.

    Parameters
    ----------
    n_items, n_voted, n_tied : int
        Items; those with votes; those among them whose two likeliest classes are equally likely.
    labels : mapping of str to int
        Class -> items with that label (`multi_choice`: with the class among their labels).
    balance : mapping of str to float
        Class -> mean probability over all items.
    mean_confidence : float or None
        Over items with votes; None without.
    confidence : list of int
        Items with votes by the probability of their label, in bins of one width from 0 to 1.
    model : str
        Name of the label model.
    details : mapping
        What it says about itself.
    """

    n_items: int
    n_voted: int
    n_tied: int
    labels: Mapping[str, int]
    balance: Mapping[str, float]
    mean_confidence: float | None
    confidence: list[int]
    model: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Aggregated:
    """A consensus and what was learned of each annotator.

    Parameters
    ----------
    annotators : polars.DataFrame
        Columns `annotator`, `kind`, `votes`, `reliability` (probability that its vote names the true class).
    summary : Summary
        The consensus in short.
    load : callable
        Reads or makes the consensus in full.
    version : int
        Number of the consensus in the lake; 0 if it is not there.
    remember : callable or None
        Makes the plain data of what is known of the annotators now; None where that cannot be told.
    """

    annotators: pl.DataFrame
    summary: Summary
    load: Callable[[], Consensus] = field(repr=False)
    version: int = 0
    remember: Callable[[], dict[str, Any]] | None = field(default=None, repr=False)

    @property
    def history(self) -> dict[str, Any]:
        """What is known of the annotators now, for `aggregate_votes(history=...)` next time.

        Raises
        ------
        UsageError
            If the label model cannot tell.
        """
        if self.remember is None:
            raise UsageError(f"{self.summary.model} keeps no history of annotators: take another model, such as auto")
        return self.remember()

    @cached_property
    def consensus(self) -> Consensus:
        """Every item's answer, in memory; read when it is first asked for."""
        return self.load()


def consensus_sums(consensus: Consensus) -> Sums:
    """The numbers of a summary, of a part of the items; see `summary_of`."""
    voted = consensus.has_votes
    sure = consensus.confidence[voted]
    bins = np.minimum((sure * N_BINS).astype(np.int64), N_BINS - 1)
    return Sums(
        (
            np.array([len(consensus.items), voted.sum(), consensus.tied.sum()], dtype=np.float64),
            _n_labels(consensus),
            np.einsum("ij->j", consensus.probabilities),
            np.array([sure.sum()]),
            np.bincount(bins, minlength=N_BINS).astype(np.float64),
        )
    )


def summary_of(sums: Sums, classes: tuple[str, ...], model: str, details: Mapping[str, Any]) -> Summary:
    """The summary of all items whose sums these are."""
    (n_items, n_voted, n_tied), labels, mass, sure, bins = sums.arrays
    return Summary(
        int(n_items),
        int(n_voted),
        int(n_tied),
        {name: int(n) for name, n in zip(classes, labels, strict=True)},
        {name: float(p / n_items) if n_items else 0.0 for name, p in zip(classes, mass, strict=True)},
        float(sure[0] / n_voted) if n_voted else None,
        [int(n) for n in bins],
        model,
        details,
    )


def _n_labels(consensus: Consensus) -> npt.NDArray[np.float64]:
    if consensus.kind == "multi_choice":
        named = (consensus.probabilities > 0.5) & consensus.has_votes[:, None]
        return np.asarray(named.sum(axis=0), dtype=np.float64)
    labels = consensus.label_index
    return np.bincount(labels[labels >= 0], minlength=len(consensus.classes)).astype(np.float64)
