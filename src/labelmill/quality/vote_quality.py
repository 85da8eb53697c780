"""How good each consensus label, each vote and each annotator is, from votes and what a label model made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError
from labelmill.quality._two_witnesses import believed

if TYPE_CHECKING:
    import polars as pl

__all__ = ["VoteQuality", "vote_quality"]

Floats = npt.NDArray[np.float64]

RELIABLE = (0.01, 0.99)
"""Reliabilities beyond these weigh no more: they rest on too few votes to be that sure."""

LEAST_WEIGHT = 1e-6
"""Of an annotator who is right no more often than by chance."""


@dataclass(frozen=True)
class VoteQuality:
    """How far each label can be trusted, between 0 and 1.

    Parameters
    ----------
    table : VoteTable
        The votes judged.
    support : ndarray of float64, shape (n_items, n_classes)
        What speaks for each class of each item; rows sum to 1.
    probabilities : ndarray of float64, shape (n_items, n_classes)
        The label model's; with a classifier, what both say.
    reliability : ndarray of float64, shape (n_annotators,)
        Probability that a vote names the true class; NaN without votes.
    people_exponent, model_exponent : float or None
        How far people and the classifier were believed, see `believed`; None without a classifier.
    """

    table: VoteTable
    support: Floats
    probabilities: Floats
    reliability: Floats
    people_exponent: float | None = None
    model_exponent: float | None = None

    @cached_property
    def consensus(self) -> npt.NDArray[np.int16]:
        """Shape (n_items,): the likeliest class, ABSTAIN where nobody voted."""
        if not self.probabilities.size:
            return np.full(self.table.n_items, ABSTAIN, dtype=np.int16)
        return np.where(self.table.has_votes, self.probabilities.argmax(axis=1), ABSTAIN).astype(np.int16)

    @cached_property
    def of_consensus(self) -> Floats:
        """Shape (n_items,): quality of the consensus label; 0 where nobody voted."""
        return self.of_labels(self.consensus)

    @cached_property
    def of_votes(self) -> Floats:
        """Shape (n_votes,): quality of each vote, in the order of the table; NaN for an abstention."""
        votes = self.table
        if not self.support.size:
            return np.full(votes.n_votes, np.nan)
        return np.where(votes.label == ABSTAIN, np.nan, self.support[votes.item_index, votes.label])

    def of_labels(self, labels: npt.ArrayLike) -> Floats:
        """Quality of any label of each item, e.g. one that came with the data; 0 for ABSTAIN.

        Parameters
        ----------
        labels : array of int, shape (n_items,)
            Class indices.
        """
        chosen = np.asarray(labels)
        if chosen.shape != (self.table.n_items,):
            raise UsageError(f"labels have shape {chosen.shape} for {self.table.n_items} items: one label each")
        quality = np.zeros(len(chosen))
        has = np.flatnonzero(chosen != ABSTAIN)
        quality[has] = self.support[has, chosen[has]]
        return quality

    def items(self) -> pl.DataFrame:
        """The items, the worst consensus first: `item`, `label`, `quality`, `probability`, `agreement`, `n_votes`.

        `agreement` is the share of the votes that name the label; it and `probability` are null where nobody voted.
        """
        import polars as pl

        votes, rows = self.table, np.arange(self.table.n_items)
        counts = votes.counts
        total, at = counts.sum(axis=1), np.maximum(self.consensus, 0)
        agreeing = counts[rows, at] if counts.size else total
        frame = pl.DataFrame(
            {
                "item": list(votes.items),
                "label": _named(votes, self.consensus),
                "quality": self.of_consensus,
                "probability": np.where(votes.has_votes, self.probabilities.max(axis=1, initial=0.0), np.nan),
                "agreement": np.divide(agreeing, total, out=np.full(len(total), np.nan), where=total > 0),
                "n_votes": total,
            },
            schema_overrides={"item": pl.String, "label": pl.String},
        )
        return frame.with_columns(pl.col("probability", "agreement").fill_nan(None)).sort(
            "quality", maintain_order=True
        )

    def votes(self) -> pl.DataFrame:
        """The votes, the worst first: `item`, `annotator`, `label`, `consensus`, `quality`; no abstentions."""
        import polars as pl

        votes = self.table
        cast = np.flatnonzero(votes.label != ABSTAIN)
        items, people = votes.item_index[cast], votes.annotator_index[cast]
        frame = pl.DataFrame(
            {
                "item": [votes.items[i] for i in items.tolist()],
                "annotator": [votes.annotators[j] for j in people.tolist()],
                "label": _named(votes, votes.label[cast]),
                "consensus": _named(votes, self.consensus[items]),
                "quality": self.of_votes[cast],
            },
            schema_overrides=dict.fromkeys(("item", "annotator", "label", "consensus"), pl.String),
        )
        return frame.sort("quality", maintain_order=True)

    def annotators(self) -> pl.DataFrame:
        """The annotators, the worst first.

        Columns `annotator`, `n_votes`, `quality`, `reliability`, `agreement`, `worst_class`: `quality` is the mean
        over their votes, `agreement` the share that name the consensus, `worst_class` the class they name that has the
        lowest mean quality. Those who named no class are left out.
        """
        import polars as pl

        votes = self.table
        cast = np.flatnonzero(votes.label != ABSTAIN)
        people, labels = votes.annotator_index[cast], votes.label[cast]
        quality, agrees = self.of_votes[cast], labels == self.consensus[votes.item_index[cast]]
        n = np.bincount(people, minlength=votes.n_annotators)
        named = np.flatnonzero(n)
        frame = pl.DataFrame(
            {
                "annotator": [votes.annotators[j] for j in named.tolist()],
                "n_votes": n[named],
                "quality": np.bincount(people, weights=quality, minlength=votes.n_annotators)[named] / n[named],
                "reliability": self.reliability[named],
                "agreement": np.bincount(people, weights=agrees, minlength=votes.n_annotators)[named] / n[named],
                "worst_class": _named(votes, _worst_classes(votes, people, labels, quality)[named]),
            },
            schema_overrides={"annotator": pl.String, "worst_class": pl.String},
        )
        return frame.sort("quality", maintain_order=True)


def vote_quality(
    votes: VoteTable, probabilities: Floats, reliability: Floats, *, model: Floats | None = None
) -> VoteQuality:
    r"""How far each label can be trusted, from votes and a label model's probabilities and reliabilities.

    .. math:: s_{ik} = \tfrac12 \frac{\sqrt{q_{ik}}}{\sum_l \sqrt{q_{il}}}
              + \tfrac12 \frac{\sum_{j : vote_{ij} = k} w_j}{\sum_j w_j}, \qquad
              w_j = \log \frac{r_j (K - 1)}{1 - r_j}

    The posterior q takes votes for independent and is too sure where they are not; the share of votes, weighed by the
    log odds of the annotators' reliability r (Nitzan and Paroush 1982, https://doi.org/10.2307/2526438), takes
    nothing for granted but sees no confusions. Their errors differ, and together they rank wrong labels better than
    either. The square root and the even parts were chosen by leaving out one of 16 real sets of votes at a time, and
    matter little between 0.25 and 0.7, and 1/2 and 2/3.

    With a classifier the support is what both witnesses say, see `believed`: it shows how sure the votes may be taken.
    This does the work of CROWDLAB (Goh, Tkachenko and Mueller 2022, https://doi.org/10.48550/arXiv.2210.06812), which
    scores by a weighted mean of votes and classifier.

    Parameters
    ----------
    votes : VoteTable
        Who said what.
    probabilities : ndarray of float64, shape (n_items, n_classes)
        A label model's posterior for these votes.
    reliability : ndarray of float64, shape (n_annotators,)
        Probability that a vote of each annotator names the true class; NaN where it is not known.
    model : ndarray of float64, shape (n_items, n_classes), optional
        Probabilities of a classifier that is not among the annotators, out of sample.

    Raises
    ------
    UsageError
        If the shapes do not fit.
    """
    shape = (votes.n_items, votes.n_classes)
    if probabilities.shape != shape or reliability.shape != (votes.n_annotators,):
        raise UsageError(
            f"probabilities {probabilities.shape} and reliability {reliability.shape} do not fit votes on "
            f"{votes.n_items} items by {votes.n_annotators} annotators in {votes.n_classes} classes"
        )
    if model is None:
        return VoteQuality(votes, _support(votes, probabilities, reliability), probabilities, reliability)
    if model.shape != shape:
        raise UsageError(f"the model's probabilities have shape {model.shape}, the votes {shape}: (items, classes)")
    both, people_exponent, model_exponent = believed(probabilities, model, votes.has_votes)
    return VoteQuality(votes, both, both, _accuracy(votes, both), people_exponent, model_exponent)


def _support(votes: VoteTable, probabilities: Floats, reliability: Floats) -> Floats:
    tempered = np.sqrt(np.maximum(probabilities, 0.0))
    tempered /= np.maximum(tempered.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    cast = votes.label != ABSTAIN
    cell = votes.item_index[cast].astype(np.int64) * votes.n_classes + votes.label[cast]
    weights = _weights(reliability, votes.n_classes)[votes.annotator_index[cast]]
    said = np.bincount(cell, weights=weights, minlength=votes.n_items * votes.n_classes)
    said = said.reshape(votes.n_items, votes.n_classes)
    total = said.sum(axis=1, keepdims=True)
    return np.asarray((tempered + np.divide(said, total, out=tempered.copy(), where=total > 0)) / 2)


def _accuracy(votes: VoteTable, probabilities: Floats) -> Floats:
    """Shape (n_annotators,): mean probability of the classes each named; NaN without votes."""
    cast = votes.label != ABSTAIN
    people = votes.annotator_index[cast]
    right = np.bincount(
        people, weights=probabilities[votes.item_index[cast], votes.label[cast]], minlength=votes.n_annotators
    )
    n = np.bincount(people, minlength=votes.n_annotators)
    return np.asarray(np.divide(right, n, out=np.full(len(n), np.nan), where=n > 0))


def _weights(reliability: Floats, n_classes: int) -> Floats:
    right = np.clip(np.nan_to_num(reliability, nan=0.5), *RELIABLE)
    return np.asarray(np.maximum(np.log(right * max(n_classes - 1, 1) / (1 - right)), LEAST_WEIGHT))


def _worst_classes(
    votes: VoteTable, people: npt.NDArray[np.int32], labels: npt.NDArray[np.int16], quality: Floats
) -> npt.NDArray[np.intp]:
    """Shape (n_annotators,): the class each names with the lowest mean quality; the first of equal ones."""
    shape = (votes.n_annotators, votes.n_classes)
    cell = people.astype(np.int64) * votes.n_classes + labels
    n = np.bincount(cell, minlength=shape[0] * shape[1])
    total = np.bincount(cell, weights=quality, minlength=shape[0] * shape[1])
    mean = np.divide(total, n, out=np.full(len(n), np.inf), where=n > 0).reshape(shape)
    return np.asarray(mean.argmin(axis=1) if mean.size else np.zeros(shape[0], dtype=np.intp))


def _named(votes: VoteTable, index: npt.NDArray[Any]) -> Sequence[str | None]:
    return [None if k == ABSTAIN else votes.classes[k] for k in index.tolist()]
