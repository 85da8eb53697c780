"""Auto: the label models that foretell the votes best."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np

from labelmill.aggregation._alignment import aligned
from labelmill.aggregation._by_rounds import ByRounds
from labelmill.aggregation._halves import Halves, OfHalf
from labelmill.aggregation._kinds import Kinds, Turnout
from labelmill.aggregation._known import Known
from labelmill.aggregation._leave_one_out import CanLeaveOut, foretelling
from labelmill.aggregation._options import above_zero
from labelmill.aggregation._overlaps import MOST_COLUMNS
from labelmill.aggregation._pool import Pooled, pooled
from labelmill.aggregation._side_by_side import side_by_side
from labelmill.aggregation._tally import Floats, shortest
from labelmill.aggregation._temperature import tempered
from labelmill.aggregation.anchored_naive_bayes import AnchoredNaiveBayes
from labelmill.aggregation.bwa import BWA
from labelmill.aggregation.dawid_skene import DawidSkene
from labelmill.aggregation.ebcc import EBCC
from labelmill.aggregation.ibcc import IBCC
from labelmill.aggregation.joint import Joint
from labelmill.aggregation.mace import MACE
from labelmill.aggregation.majority_vote import MajorityVote
from labelmill.aggregation.metal import Metal
from labelmill.aggregation.one_coin import OneCoin
from labelmill.aggregation.wawa import Wawa
from labelmill.domain.sums import Rounds, Sums
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable

__all__ = ["Auto"]

ALIKE = 0.8
"""A rule that counts for less than this is (nearly) a copy: copies foretell each other, whatever the truth."""
PAIRED_FROM = 300
"""`Metal` compares counts of pairs: of fewer votes than this they tell nothing."""
SOME = 5
SHOWN = 0.005
"""Weights below this are left out of the reason."""


class Auto(ByRounds):
    r"""Fits the label models that suit the annotators and believes those that foretell left-out votes best.

    .. math:: \frac{1}{n} \sum_{votes\ v} \log \sum_k P(k \mid \text{the other votes on the item}) \,
              P(v \mid k, \text{the annotator's other votes})

    Leave-one-out predictive likelihood (Geisser and Eddy 1979, https://doi.org/10.1080/01621459.1979.10481632; for
    latent-class models compare Gelman, Hwang and Vehtari 2014, https://doi.org/10.1007/s11222-013-9416-2) needs no
    gold. Candidates, the expected one first:

    - people: `DawidSkene`, `IBCC`, `MACE`, `OneCoin`, `BWA`, `Wawa`, `MajorityVote`, `EBCC`;
    - rules: `AnchoredNaiveBayes`, `Metal` (from 300 votes, up to 5,000 rules times classes), `MajorityVote`;
    - models, and machines mixed: `Joint`, `MajorityVote`;
    - people beside machines: `Joint`. `MajorityVote` is scored beside it but not taken: it counts every machine as a
      person, and people are asked just where machines fail.

    For people the answers of all candidates are averaged, with the weights by which they foretell votes best together
    (stacking, Yao et al. 2018, https://doi.org/10.1214/17-BA1091): the average is never far worse than the best of
    them, and less sure of itself than any. A model with many parameters foretells the votes that it learned from too
    well; so each half of the items is foretold by what was learned from the other half, where there are at least
    `fewest_halved` annotators (fewer have few parameters) and no more than `largest_halved` votes times classes.
    `GLAD` is no candidate: its difficulty foretells how divided an item's votes are, which is not the answer.

    For rules and mixtures one is kept: that which foretells best, but `MajorityVote` only if it gains `margin` nats per
    vote over the others, and `AnchoredNaiveBayes` wherever it finds rules that are alike, since copies foretell each
    other well and tell nothing. `Triplet` is no candidate: it is right only where many rules overlap.
    Kinds come from `votes.kinds`, or are read off the votes where unknown. Majority vote is always fitted too, and
    `details_` says on how many items the answer is the majority's, so that nobody is overruled in silence.

    People's errors are not independent, which no criterion on votes alone shows in full: what all fall for, all
    foretell. So the averaged probabilities are raised to the power `temperature` and scaled to sum to 1, which changes
    no answer; where gold is at hand, its own temperature is found instead (see `labelmill aggregate --gold`).

    Parameters
    ----------
    margin : float
        Gain, in nats per vote, from which majority vote is believed instead of a model for rules.
    largest : int
        `EBCC` is not tried on tables with more votes times classes than this: it costs many times what the others do.
    largest_halved : int
        Beyond so many votes times classes candidates are judged by the votes they learned from, which takes a third
        of the time; in-sample optimism is small there.
    fewest_halved : int
        As with fewer annotators than this.
    temperature : float
        Of the average of people's candidates. 0.5 was best of 0.4, 0.5, ..., 1 by the log loss on fifteen real
        crowds, whichever of sixteen was left out.
    seed : int
        Handed to the candidates.

    Attributes
    ----------
    model_ : label model
        The one with the largest weight, fitted.
    models_ : dict of str to label model
        All candidates, fitted.
    weights_ : dict of str to float
        Share of each candidate in the answer; sums to 1.
    reliability_ : ndarray of float64, shape (n_annotators,)
        The candidates' mean by their weights.
    class_balance_ : ndarray of float64, shape (n_classes,)
        The same.
    details_ : dict
        `model` ("auto"), `chosen`, `reason`, `scores` and `weights` (of each candidate), `kinds`, `temperature`,
        `majority_vote_agreement` (share of the items with votes; None without), `chosen_details`, `iterations`,
        `converged`.

    Examples
    --------
    >>> votes = {"item": list("aabbcc"), "annotator": list("xyxyxy"), "label": list("001101")}
    >>> sorted(Auto().fit(votes).details_["scores"])[:3]
    ['bwa', 'dawid_skene', 'ebcc']
    """

    def __init__(
        self,
        *,
        margin: float = 0.01,
        largest: int = 20_000_000,
        largest_halved: int = 2_000_000,
        fewest_halved: int = 20,
        temperature: float = 0.5,
        seed: int = 0,
    ) -> None:
        self.margin = margin
        self.largest = largest
        self.largest_halved = largest_halved
        self.fewest_halved = fewest_halved
        self.temperature = temperature
        self.seed = seed

    def learning(
        self, annotators: Sequence[str], classes: Sequence[str], kinds: Sequence[AnnotatorKind | None]
    ) -> Rounds[None]:
        """Learn from sums over shards, all candidates side by side; see `LearnsByRounds`."""
        return self.informed_learning(annotators, classes, kinds, None)

    def informed_learning(
        self,
        annotators: Sequence[str],
        classes: Sequence[str],
        kinds: Sequence[AnnotatorKind | None],
        known: Known | None,
    ) -> Rounds[None]:
        """The same, and from what is known of other items."""
        above_zero(temperature=self.temperature)
        turnout = Turnout.of((yield Turnout.ask))
        told, cells = Kinds.by(turnout, kinds), float(turnout.named.sum()) * len(classes)
        is_crowd = set(told.names) <= {"person"}
        fits = len(annotators) * len(classes) <= MOST_COLUMNS and turnout.named.sum() >= PAIRED_FROM
        every = partial(self._candidates, told, with_costly=cells <= self.largest, with_pairs=fits)
        fitted = every()
        asked = (annotators, classes, kinds, known)
        yield from side_by_side({name: model.informed_learning(*asked) for name, model in fitted.items()})
        if is_crowd:
            halved = cells <= self.largest_halved and len(annotators) >= self.fewest_halved
            judged, halves = {name: [model] for name, model in fitted.items()}, None
            if halved:
                halves = yield from Halves.learning()
                judged = yield from _of_halves(halves, every, asked)
            choice = _averaged((yield from pooled(judged, halves)), halved=halved)
        else:
            choice = yield from self._kept(fitted, told)
        self.models_, self.weights_, self.model_ = fitted, choice.weights, fitted[choice.chosen]
        self._power = self.temperature if is_crowd else 1.0
        self.annotators_, self.classes_ = tuple(annotators), tuple(classes)
        self.reliability_ = self._mean(lambda model: model.reliability_)
        self.class_balance_ = self._mean(lambda model: model.class_balance_)
        (agreeing,) = (yield _Agreement(self, fitted["majority_vote"])).arrays
        self.details_ = {
            "model": "auto",
            "chosen": choice.chosen,
            "reason": choice.reason,
            "scores": choice.scores,
            "weights": choice.weights,
            "kinds": told.describe(self.annotators_),
            "temperature": self._power,
            "majority_vote_agreement": float(agreeing[0] / agreeing[1]) if agreeing[1] else None,
            "chosen_details": self.model_.details_,
            "iterations": self.model_.details_["iterations"],
            "converged": self.model_.details_["converged"],
        }

    def predict_proba(self, votes: Any) -> Floats:
        """Class probabilities, shape (n_items, n_classes).

        Raises
        ------
        NotFittedError
            Before `fit`.
        UsageError
            If an annotator was not among those fitted.
        """
        table = aligned(votes, self)
        mean = self._mean(lambda model: model.predict_proba(table))
        return tempered(mean, self._power, table.has_votes)

    def _mean(self, of: Callable[[_Candidate], Floats]) -> Floats:
        counted = {name: weight for name, weight in self.weights_.items() if weight > 0}
        if len(counted) == 1:
            return of(self.model_)
        return np.asarray(sum(weight * of(self.models_[name]) for name, weight in counted.items()))

    def _candidates(self, kinds: Kinds, *, with_costly: bool, with_pairs: bool) -> dict[str, _Candidate]:
        """Models by name, the expected one first."""
        present, seed = set(kinds.names), self.seed
        majority = MajorityVote(seed=seed)
        if present == {"rule"}:
            rules: dict[str, _Candidate] = {"anchored_naive_bayes": AnchoredNaiveBayes(seed=seed)}
            return rules | ({"metal": Metal(seed=seed)} if with_pairs else {}) | {"majority_vote": majority}
        if present - {"person"}:
            return {"joint": Joint(seed=seed), "majority_vote": majority}
        people: dict[str, _Candidate] = {
            "dawid_skene": DawidSkene(seed=seed),
            "majority_vote": majority,
            "wawa": Wawa(seed=seed),
            "bwa": BWA(seed=seed),
            "one_coin": OneCoin(seed=seed),
            "mace": MACE(seed=seed),
            "ibcc": IBCC(seed=seed),
        }
        return people | {"ebcc": EBCC(seed=seed)} if with_costly else people

    def _kept(self, fitted: Mapping[str, _Candidate], kinds: Kinds) -> Rounds[_Choice]:
        is_rule = kinds.mask("rule")
        scores = yield from side_by_side({name: foretelling(model, is_rule) for name, model in fitted.items()})
        expected = max((name for name in scores if name != "majority_vote"), key=lambda name: round(scores[name], 6))
        gain = scores["majority_vote"] - scores[expected]
        alike = fitted[expected].details_.get("alike") or fitted[next(iter(fitted))].details_.get("alike", {})
        chosen = expected
        if expected == "joint" and "person" in kinds.names:
            reason = "people and machines are weighed together; a majority would count a machine as a person"
        elif any(weight < ALIKE for weight in alike.values()):
            chosen = "anchored_naive_bayes"
            reason = f"{', '.join(list(alike)[:SOME])} are alike, and only {chosen} lets copies count once"
        elif gain >= self.margin:
            chosen = "majority_vote"
            reason = f"majority_vote foretells left-out votes better than {expected} by {gain:.4f} nats per vote"
        elif gain > 0:
            reason = f"{expected} suits these annotators; majority_vote gains only {gain:.4f} nats per vote over it"
        else:
            reason = f"{expected} suits these annotators and foretells left-out votes best"
        return _Choice(chosen, reason, scores, {name: float(name == chosen) for name in scores})


class _Choice(NamedTuple):
    """What is believed how much and why; `scores` and `weights` by name."""

    chosen: str
    reason: str
    scores: dict[str, float]
    weights: dict[str, float]


def _of_halves(
    halves: Halves,
    every: Callable[[], dict[str, _Candidate]],
    asked: tuple[Sequence[str], Sequence[str], Sequence[AnnotatorKind | None], Known | None],
) -> Rounds[dict[str, list[_Candidate]]]:
    """Each candidate twice: learned from half 1, and from half 0."""
    learned = (every(), every())
    yield from side_by_side(
        {
            f"{which}:{name}": _within(model.informed_learning(*asked), halves, 1 - which)
            for which, models in enumerate(learned)
            for name, model in models.items()
        }
    )
    return {name: [models[name] for models in learned] for name in learned[0]}


def _within(learning: Rounds[None], halves: Halves, which: int) -> Rounds[None]:
    """The same learning, asking one half of the items."""
    ask = next(learning, None)
    while ask is not None:
        sums = yield OfHalf(ask, halves, which)
        try:
            ask = learning.send(sums)
        except StopIteration:
            return


def _averaged(found: Pooled, *, halved: bool) -> _Choice:
    chosen = max(found.weights, key=lambda name: round(found.weights[name], 6))
    largest = sorted(found.weights, key=lambda name: -round(found.weights[name], 6))
    heard = ", ".join(f"{found.weights[name]:.0%} {name}" for name in largest if found.weights[name] >= SHOWN)
    unseen = "votes on the half of the items they had not seen" if halved else "left-out votes"
    reason = f"the candidates are averaged by how well they foretell {unseen} together: {heard}"
    return _Choice(chosen, reason, found.scores, found.weights)


class _Predicts(Protocol):
    def predict_proba(self, votes: Any) -> Floats: ...


class _Candidate(_Predicts, CanLeaveOut, Protocol):
    reliability_: Floats
    class_balance_: Floats
    details_: dict[str, Any]

    def informed_learning(
        self,
        annotators: Sequence[str],
        classes: Sequence[str],
        kinds: Sequence[AnnotatorKind | None],
        known: Known | None,
    ) -> Rounds[None]: ...


@dataclass(frozen=True, slots=True)
class _Agreement:
    """Asks on how many items with votes the chosen answer is (one of) the majority's, and how many those items are."""

    chosen: _Predicts
    majority: _Predicts

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
