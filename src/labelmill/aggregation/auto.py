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
from labelmill.aggregation._sample import Sample, within_sample
from labelmill.aggregation._side_by_side import side_by_side
from labelmill.aggregation._tally import Floats, shortest
from labelmill.aggregation._temperature import tempered
from labelmill.aggregation.anchored_naive_bayes import AnchoredNaiveBayes
from labelmill.aggregation.bwa import BWA
from labelmill.aggregation.ebcc import EBCC
from labelmill.aggregation.ibcc import IBCC
from labelmill.aggregation.joint import Joint
from labelmill.aggregation.mace import MACE
from labelmill.aggregation.majority_vote import MajorityVote
from labelmill.aggregation.metal import Metal
from labelmill.aggregation.one_coin import OneCoin
from labelmill.aggregation.shrinkage_dawid_skene import ShrinkageDawidSkene
from labelmill.aggregation.wawa import Wawa
from labelmill.domain.sums import Rounds, Sums
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable

__all__ = ["Auto"]

ALIKE = 0.8
"""A rule that counts for less than this is (nearly) a copy: copies foretell each other, whatever the truth."""
PAIRED_FROM = 300
"""`Metal` compares counts of pairs: of fewer votes than this they tell nothing."""
PULL = 20.0
"""Of two models for rules the one that gains so many nats per vote over the other, inverted, counts e times as much."""
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

    - people: `ShrinkageDawidSkene`, `IBCC`, `MACE`, `OneCoin`, `BWA`, `Wawa`, `MajorityVote`, `EBCC`;
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

    For rules the two models are averaged with weights in proportion to exp(20 times the score): where rules depend on
    each other, the one that makes more of their agreement foretells better and need not be right, so that a small
    lead decides little. `MajorityVote` is taken instead if it gains more than `margin` nats per vote over both; its
    shares then get one vote for each class added, since three rules that agree are not sure. `AnchoredNaiveBayes` is
    taken alone wherever it finds rules that are alike: copies foretell each other well and tell nothing. Of mixtures
    that which foretells best is kept. `Triplet` is no candidate: it is right only where many rules overlap. Rules are
    compared on a sample of the items where there are very many distinct rows of votes.

    Kinds come from `votes.kinds`, or are read off the votes where unknown. Majority vote is always fitted too, and
    `details_` says on how many items the answer is the majority's, so that nobody is overruled in silence.

    People's errors are not independent, which no criterion on votes alone shows in full: what all fall for, all
    foretell. So the averaged probabilities are raised to the power `temperature` and scaled to sum to 1, which changes
    no answer; where gold is at hand, its own temperature is found instead (see `labelmill aggregate --gold`).

    Parameters
    ----------
    margin : float
        Gain, in nats per vote, above which majority vote is believed instead of a model for rules.
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
    rule_temperature : float
        The same of the answers for rules, which learn how precise each is, but not that all depend on each other. 0.8
        was best by the log loss on four real sets and 131 simulated ones together, whichever of three real ones was
        left out (without the fourth: 1).
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
        `max_iterations`, `converged`, `one_item_in` (1 where all items were learned from).

    Examples
    --------
    >>> votes = {"item": list("aabbcc"), "annotator": list("xyxyxy"), "label": list("001101")}
    >>> sorted(Auto().fit(votes).details_["scores"])[:3]
    ['bwa', 'ebcc', 'ibcc']
    """

    def __init__(
        self,
        *,
        margin: float = 0.0,
        largest: int = 20_000_000,
        largest_halved: int = 2_000_000,
        fewest_halved: int = 20,
        temperature: float = 0.5,
        rule_temperature: float = 0.8,
        seed: int = 0,
    ) -> None:
        self.margin = margin
        self.largest = largest
        self.largest_halved = largest_halved
        self.fewest_halved = fewest_halved
        self.temperature = temperature
        self.rule_temperature = rule_temperature
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
        above_zero(temperature=self.temperature, rule_temperature=self.rule_temperature)
        turnout = Turnout.of((yield Turnout.ask))
        told, cells = Kinds.by(turnout, kinds), float(turnout.named.sum()) * len(classes)
        fits = len(annotators) * len(classes) <= MOST_COLUMNS and turnout.named.sum() >= PAIRED_FROM
        every = partial(self._candidates, told, with_costly=cells <= self.largest, with_pairs=fits)
        asked = (annotators, classes, kinds, known)
        present = set(told.names)
        sample = (yield from Sample.learning()) if present == {"rule"} else None
        learning = self._learning(told, every, asked, halved=cells <= self.largest_halved)
        choice, agreeing = yield from within_sample(learning, sample)
        self._power = self.temperature if present <= {"person"} else 1.0
        if present == {"rule"}:
            self._power = self.rule_temperature
        self.details_ = {
            "model": "auto",
            "chosen": choice.chosen,
            "reason": choice.reason,
            "scores": choice.scores,
            "weights": choice.weights,
            "kinds": told.describe(self.annotators_),
            "temperature": self._power,
            "majority_vote_agreement": agreeing,
            "chosen_details": self.model_.details_,
            **{name: self.model_.details_.get(name) for name in ("iterations", "max_iterations", "converged")},
            "one_item_in": 1 if sample is None else sample.one_in,
        }

    def _learning(
        self, kinds: Kinds, every: Callable[[], dict[str, _Candidate]], asked: _Asked, *, halved: bool
    ) -> Rounds[tuple[_Choice, float | None]]:
        """Fit the candidates and choose; also the share of the answers that are the majority's."""
        fitted = every()
        yield from side_by_side({name: model.informed_learning(*asked) for name, model in fitted.items()})
        if set(kinds.names) <= {"person"}:
            choice = yield from self._stacked(fitted, every, asked, halved=halved)
        else:
            choice = yield from self._kept(fitted, kinds)
        self.models_, self.weights_, self.model_ = fitted, choice.weights, fitted[choice.chosen]
        self.annotators_, self.classes_ = tuple(asked[0]), tuple(asked[1])
        self._smoothed = choice.chosen == "majority_vote" and set(kinds.names) == {"rule"}
        self.reliability_ = self._mean(lambda model: model.reliability_)
        self.class_balance_ = self._mean(lambda model: model.class_balance_)
        (agreeing,) = (yield _Agreement(_Averaged(self), fitted["majority_vote"])).arrays
        return choice, float(agreeing[0] / agreeing[1]) if agreeing[1] else None

    def _stacked(
        self, fitted: dict[str, _Candidate], every: Callable[[], dict[str, _Candidate]], asked: _Asked, *, halved: bool
    ) -> Rounds[_Choice]:
        judged, halves = {name: [model] for name, model in fitted.items()}, None
        halved = halved and len(asked[0]) >= self.fewest_halved
        if halved:
            halves = yield from Halves.learning()
            judged = yield from _of_halves(halves, every, asked)
        return _averaged((yield from pooled(judged, halves)), halved=halved)

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
        return tempered(self._answers(table), self._power, table.has_votes)

    def _answers(self, table: VoteTable) -> Floats:
        mean = self._mean(lambda model: model.predict_proba(table))
        if not self._smoothed:
            return mean
        counts = table.counts.sum(axis=1, keepdims=True)
        return np.where(counts > 0, (mean * counts + 1.0) / (counts + table.n_classes), mean)

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
            "shrinkage_dawid_skene": ShrinkageDawidSkene(seed=seed),
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
        gain = round(scores["majority_vote"] - scores[expected], 6)
        alike = fitted[expected].details_.get("alike") or fitted[next(iter(fitted))].details_.get("alike", {})
        alone = dict.fromkeys(scores, 0.0)
        if expected == "joint" and "person" in kinds.names:
            reason = "people and machines are weighed together; a majority would count a machine as a person"
            return _Choice(expected, reason, scores, alone | {expected: 1.0})
        if any(weight < ALIKE for weight in alike.values()):
            chosen = "anchored_naive_bayes"
            reason = f"{', '.join(list(alike)[:SOME])} are alike, and only {chosen} lets copies count once"
            return _Choice(chosen, reason, scores, alone | {chosen: 1.0})
        if gain > self.margin:
            reason = f"majority_vote foretells left-out votes better than {expected} by {gain:.4f} nats per vote"
            return _Choice("majority_vote", reason, scores, alone | {"majority_vote": 1.0})
        weights = alone | _leaning({name: score for name, score in scores.items() if name != "majority_vote"})
        heard = ", ".join(f"{weight:.0%} {name}" for name, weight in weights.items() if weight >= SHOWN)
        reason = f"averaged by how well each foretells left-out votes: {heard}"
        if sum(weight > 0 for weight in weights.values()) == 1:
            reason = f"{expected} suits these annotators and foretells left-out votes best"
        if gain > 0:
            reason += f"; majority_vote gains only {gain:.4f} nats per vote"
        return _Choice(expected, reason, scores, weights)


class _Choice(NamedTuple):
    """What is believed how much and why; `scores` and `weights` by name."""

    chosen: str
    reason: str
    scores: dict[str, float]
    weights: dict[str, float]


_Asked = tuple[Sequence[str], Sequence[str], Sequence[AnnotatorKind | None], Known | None]


def _leaning(scores: Mapping[str, float]) -> dict[str, float]:
    """Weights in proportion to exp(20 x score)."""
    best = max(scores.values())
    powers = {name: float(np.exp(PULL * (score - best))) for name, score in scores.items()}
    return {name: power / sum(powers.values()) for name, power in powers.items()}


def _of_halves(
    halves: Halves,
    every: Callable[[], dict[str, _Candidate]],
    asked: _Asked,
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
class _Averaged:
    """The answers before they are tempered, which changes none."""

    auto: Auto

    def predict_proba(self, votes: VoteTable) -> Floats:
        return self.auto._answers(votes)


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
