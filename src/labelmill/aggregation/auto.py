"""Auto: the label model that foretells the votes best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from labelmill.aggregation._alignment import aligned
from labelmill.aggregation._by_rounds import ByRounds
from labelmill.aggregation._kinds import Kinds, Turnout
from labelmill.aggregation._leave_one_out import CanLeaveOut, foretelling
from labelmill.aggregation._tally import Floats, shortest
from labelmill.aggregation.anchored_naive_bayes import AnchoredNaiveBayes
from labelmill.aggregation.dawid_skene import DawidSkene
from labelmill.aggregation.ebcc import EBCC
from labelmill.aggregation.joint import Joint
from labelmill.aggregation.majority_vote import MajorityVote
from labelmill.domain.ports import LearnsByRounds
from labelmill.domain.sums import Rounds, Sums
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable

__all__ = ["Auto"]


class Auto(ByRounds):
    r"""Fits the label models that suit the annotators and keeps the one that foretells left-out votes best.

    .. math:: \frac{1}{n} \sum_{votes\ v} \log \sum_k P(k \mid \text{the other votes on the item}) \,
              P(v \mid k, \text{the annotator's other votes})

    Leave-one-out predictive likelihood (Geisser and Eddy 1979, https://doi.org/10.1080/01621459.1979.10481632; for
    latent-class models compare Gelman, Hwang and Vehtari 2014, https://doi.org/10.1007/s11222-013-9416-2) needs no
    gold and one more pass over the votes. Candidates, the expected one first:

    - people: `DawidSkene`, `MajorityVote`, `EBCC`;
    - rules: `AnchoredNaiveBayes`, `MajorityVote`;
    - models, and machines mixed: `Joint`, `MajorityVote`;
    - people beside machines: `Joint`. `MajorityVote` is scored beside it but not taken: it counts every machine as a
      person, and people are asked just where machines fail.

    The first is kept unless another gains `margin` nats per vote over it. Kinds come from `votes.kinds`, or are read
    off the votes where unknown. Majority vote is always fitted beside the chosen model, and `details_` says on how
    many items the two agree, so that nobody is overruled in silence.

    Parameters
    ----------
    margin : float
        Gain, in nats per vote, that makes up for leaving the expected model.
    largest : int
        `EBCC` is not tried on tables with more votes times classes than this: it costs many times what the others do.
    seed : int
        Handed to the candidates.

    Attributes
    ----------
    model_ : label model
        The chosen one, fitted.
    reliability_ : ndarray of float64, shape (n_annotators,)
        The chosen model's.
    class_balance_ : ndarray of float64, shape (n_classes,)
        The chosen model's.
    details_ : dict
        `model` ("auto"), `chosen`, `reason`, `scores` (of each candidate), `kinds`, `majority_vote_agreement` (share
        of the items with votes; None without), `chosen_details`, `iterations`, `converged`.

    Examples
    --------
    >>> votes = {"item": list("aabbcc"), "annotator": list("xyxyxy"), "label": list("001101")}
    >>> Auto().fit(votes).details_["chosen"]
    'dawid_skene'
    """

    def __init__(self, *, margin: float = 0.01, largest: int = 20_000_000, seed: int = 0) -> None:
        self.margin = margin
        self.largest = largest
        self.seed = seed

    def learning(
        self, annotators: Sequence[str], classes: Sequence[str], kinds: Sequence[AnnotatorKind | None]
    ) -> Rounds[None]:
        """Learn from sums over shards, each candidate in turn; see `LearnsByRounds`."""
        turnout = Turnout.of((yield Turnout.ask))
        known = Kinds.by(turnout, kinds)
        fitted = self._candidates(turnout, known)
        scores = {}
        for name, model in fitted.items():
            yield from model.learning(annotators, classes, kinds)
            scores[name] = yield from foretelling(model, known.mask("rule"))
        chosen, reason = self._choice(scores, known)
        self.model_ = fitted[chosen]
        (agreeing,) = (yield _Agreement(self.model_, fitted["majority_vote"])).arrays
        self.annotators_, self.classes_ = tuple(annotators), tuple(classes)
        self.reliability_, self.class_balance_ = self.model_.reliability_, self.model_.class_balance_
        self.details_ = {
            "model": "auto",
            "chosen": chosen,
            "reason": reason,
            "scores": scores,
            "kinds": known.describe(self.annotators_),
            "majority_vote_agreement": float(agreeing[0] / agreeing[1]) if agreeing[1] else None,
            "chosen_details": self.model_.details_,
            "iterations": self.model_.details_["iterations"],
            "converged": self.model_.details_["converged"],
        }

    def predict_proba(self, votes: Any) -> Floats:
        """Class probabilities by the chosen model, shape (n_items, n_classes).

        Raises
        ------
        NotFittedError
            Before `fit`.
        UsageError
            If an annotator was not among those fitted.
        """
        table = aligned(votes, self)
        return self.model_.predict_proba(table)

    def _candidates(self, turnout: Turnout, kinds: Kinds) -> dict[str, _Candidate]:
        """Models by name, the expected one first."""
        majority = MajorityVote(seed=self.seed)
        present = set(kinds.names)
        if present == {"rule"}:
            return {"anchored_naive_bayes": AnchoredNaiveBayes(seed=self.seed), "majority_vote": majority}
        if present - {"person"}:
            return {"joint": Joint(seed=self.seed), "majority_vote": majority}
        people: dict[str, _Candidate] = {"dawid_skene": DawidSkene(seed=self.seed), "majority_vote": majority}
        if turnout.named.sum() * turnout.named.shape[1] <= self.largest:
            people["ebcc"] = EBCC(seed=self.seed)
        return people

    def _choice(self, scores: dict[str, float], kinds: Kinds) -> tuple[str, str]:
        expected = next(iter(scores))
        best = max(scores, key=scores.__getitem__)
        gain = scores[best] - scores[expected]
        if "person" in kinds.names and expected == "joint":
            return expected, "people and machines are weighed together; a majority would count a machine as a person"
        if best == expected:
            return expected, f"{expected} suits these annotators and foretells left-out votes best"
        if gain < self.margin:
            return expected, f"{expected} suits these annotators; {best} gains only {gain:.4f} nats per vote over it"
        return best, f"{best} foretells left-out votes better than {expected} by {gain:.4f} nats per vote"


class _Candidate(CanLeaveOut, LearnsByRounds, Protocol):
    reliability_: Floats
    class_balance_: Floats
    details_: dict[str, Any]

    def predict_proba(self, votes: Any) -> Floats: ...


@dataclass(frozen=True, slots=True)
class _Agreement:
    """Asks on how many items with votes the chosen answer is (one of) the majority's, and how many those items are."""

    chosen: _Candidate
    majority: _Candidate

    def __call__(self, votes: VoteTable, /) -> Sums:
        """Both numbers for the shard."""
        table = shortest(votes)
        voted = np.flatnonzero(table.counts.any(axis=1))
        if not len(voted):  # there may be no class to name either
            return Sums((np.zeros(2),))
        shares = self.majority.predict_proba(table)[voted]
        answer = self.chosen.predict_proba(table)[voted].argmax(axis=1)
        agrees = shares[np.arange(len(voted)), answer] >= shares.max(axis=1, initial=0.0) - 1e-9
        items = np.ones(len(voted)) if table.multiplicity is None else table.multiplicity[voted].astype(np.float64)
        return Sums((np.array([np.einsum("i,i->", items, agrees), items.sum()]),))
