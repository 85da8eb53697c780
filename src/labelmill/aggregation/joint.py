"""Joint: people, rules and models in one posterior, each by the likelihood that fits its kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._alignment import aligned, fitted_names
from labelmill.aggregation._anchored import anchored_evidence, anchored_precision
from labelmill.aggregation._by_rounds import ByRounds
from labelmill.aggregation._confusion import Confusion
from labelmill.aggregation._credit import credit
from labelmill.aggregation._kinds import Kinds, Turnout
from labelmill.aggregation._mixture import LeftOut, Mixture
from labelmill.aggregation._options import at_least_one, open_share
from labelmill.aggregation._posterior import class_balance, keep_unanimous, posterior, reliability
from labelmill.aggregation._tally import Floats
from labelmill.aggregation._temperature import newton
from labelmill.aggregation._tone import LOUDEST, Lean, Tone
from labelmill.aggregation._weighing import Seen, Weighing
from labelmill.aggregation._weighing_asks import (
    ByClass,
    ByMachines,
    ByPeople,
    ByWitnesses,
    MeanOfMachines,
    Opening,
    Predicted,
    Start,
    Sweep,
    Swept,
)
from labelmill.domain.sums import Rounds
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable

__all__ = ["Joint"]

LEARN_STRENGTHS_FROM = 3
ENOUGH_PEOPLE = 30
"""Items answered by people from which rules and models are weighed by those answers alone."""

ENOUGH_A_CLASS = 10
"""As many, a class in the mean, from which models are heard class by class."""
MOST_CLASSES = 100
"""Classes up to which they are: the tables of what people take for what grow with the square."""

TURNS = 5
"""Weight and temperatures are learned by turns, so often in each sweep."""


class Joint(ByRounds):
    r"""One answer from people, rules and models, by one expectation maximisation over all their votes.

    .. math:: \log q_{ik} = a_i \sum_{people} E[\log \theta_{jkl}] + \mathrm{cap}\Big(w \log \pi_k
              + w \sum_{rules} (\log P(k \mid \lambda_{ij}) - \log \pi_k)
              + \sum_{models} (T_j (1 + u_{jk}) \log p_{ijk} + b_{jk})\Big) + const

    People's votes count by confusion rows (see `ShrinkageDawidSkene`; also models that give labels only), rules' by
    anchored precision (see `AnchoredNaiveBayes`), models' probabilities by a temperature learned in each round. A
    classifier beside the crowd follows CROWDLAB (Goh, Tkachenko and Mueller 2022, https://doi.org/10.48550/arXiv.2210.06812);
    we differ in learning everything in one posterior.

    Machines must not drown people. People are judged by people alone: they are asked just where machines fail, so
    that disagreement with machines says nothing of them, and a person nobody checks is taken at their word (see
    `credit`). Where a person answered an item, class balance, rules and models together are capped at the
    log-odds of one person of accuracy `trusted`: somebody more accurate than that is not overruled by machines alone.

    A model that learned from the rules repeats them, and counting both counts the rules twice. Once people have
    answered 30 items that models gave probabilities for, the weight w of the rules (0 to 1) and the temperatures
    (0 to 5) are those that make people's answers likeliest, summed over the classes an item may have. People's errors
    are not independent, and an answer that all fall for would teach the temperature that the model is wrong; so
    people's word together has a weight a (0 to 1) too, under which machines make people's answers likeliest against
    answers to any item: an estimate of the information that both share (compare Kong and Schoenebeck 2018,
    https://doi.org/10.1145/3219166.3219194). Where people do not contradict each other they never count for less than
    the most accurate of them alone, so that the cap keeps its promise.

    A model may be too sure of one class and too shy of another. From ten items a class on (up to 100 classes), each
    class so gets a temperature of its own, T (1 + u), and a lead b, both shrunk to none (see `Tone`): the more, the
    less its votes and the model's doubts of it say. Where people are at one and the model is not, either may err;
    classes that people, all together, mix up are learned beside it and kept out of it (see `SharedErrors`). On a crowd
    whose errors are shared from item to item this costs what it gains elsewhere, which no votes alone show.

    Before 30 items, w and a are 1 and a temperature
    is learned against what the *others* make of the items, so that a model cannot vouch for itself. EM starts from
    people's votes where there are any. The kinds come from `votes.kinds`; where unknown they are read off the votes,
    and `details_` says so.

    Parameters
    ----------
    trusted : float
        A person whose accuracy is at least this outweighs all machines together on an item.
    anchor_precision, anchor_weight : float
        As in `AnchoredNaiveBayes`.
    by_class : bool
        False gives each model one temperature and no more.
    max_iterations : int
        At most so many sweeps over the votes.
    tolerance : float
        Stop when the probabilities change by less than this in the mean.
    seed : int
        Not used; nothing is drawn.

    Attributes
    ----------
    class_balance_ : ndarray of float64, shape (n_classes,)
        Share of each class, one item of each added.
    confusion_ : ndarray of float64, shape (n_annotators, n_classes, n_classes)
        `[j, k, l]`: probability that annotator j answers l on class k, given that it answers; NaN for rules.
    rule_weight_ : float
        The weight w of rules and class balance beside models.
    people_weight_ : float
        The weight a of people's word beside models.
    temperatures_ : ndarray of float64, shape (n_annotators,)
        Exponent of a model's probabilities: below 1 it is overconfident; NaN for annotators without probabilities.
    class_temperatures_ : ndarray of float64, shape (n_annotators, n_classes)
        The same for each class, T (1 + u); their mean over classes is near `temperatures_`.
    class_leads_ : ndarray of float64, shape (n_annotators, n_classes)
        Nats that a model's word for each class is raised by, b; 0 in the mean.
    reliability_ : ndarray of float64, shape (n_annotators,)
        Probability that a vote names the true class; NaN without votes.
    details_ : dict
        `model`, `iterations`, `max_iterations`, `converged`, `rule_weight`, `people_weight`, `kinds` (how many of
        each, and those inferred).

    Examples
    --------
    >>> votes = {"item": list("aaabbb"), "annotator": ["ann", "r1", "r2"] * 2, "label": list("yyyyyn")}
    >>> kinds = {"ann": "person", "r1": "rule", "r2": "rule"}
    >>> from labelmill.domain.vote_table import VoteTable
    >>> table = VoteTable.of(votes, kinds=kinds)
    >>> [table.classes[k] for k in Joint().fit(table).predict_proba(table).argmax(axis=1)]
    ['y', 'y']
    """

    confusion_: Floats
    rule_weight_: float
    people_weight_: float
    temperatures_: Floats
    class_temperatures_: Floats
    class_leads_: Floats

    def __init__(
        self,
        *,
        trusted: float = 0.9,
        anchor_precision: float = 0.7,
        anchor_weight: float = 2.0,
        by_class: bool = True,
        max_iterations: int = 100,
        tolerance: float = 1e-4,
        seed: int = 0,
    ) -> None:
        self.trusted = trusted
        self.anchor_precision = anchor_precision
        self.anchor_weight = anchor_weight
        self.by_class = by_class
        self.max_iterations = max_iterations
        self.tolerance = tolerance
        self.seed = seed

    def learning(
        self, annotators: Sequence[str], classes: Sequence[str], kinds: Sequence[AnnotatorKind | None]
    ) -> Rounds[None]:
        """Learn from sums over shards; see `LearnsByRounds`.

        With models that give probabilities each sweep takes 15 to 25 rounds for every one of them, else one.
        """
        at_least_one(max_iterations=self.max_iterations)
        open_share(anchor_precision=self.anchor_precision, trusted=self.trusted)
        turnout = Turnout.of((yield Turnout.ask))
        known = Kinds.by(turnout, kinds)
        learned = yield from self._learn(known, np.flatnonzero(turnout.soft).tolist())
        weighing = self._weighing = learned.weighing
        self._prior = learned.confusion.prior
        (counts,) = (yield Predicted(weighing)).arrays
        self.annotators_, self.classes_ = tuple(annotators), tuple(classes)
        self.class_balance_ = np.exp(weighing.words.log_balance)
        self.confusion_ = np.where(known.mask("rule")[:, None, None], np.nan, learned.confusion.rows)
        self.temperatures_, self.class_temperatures_, self.class_leads_ = _readings(weighing)
        self.rule_weight_, self.people_weight_ = weighing.rule_weight, weighing.people_weight
        self.reliability_ = reliability(counts)
        self.details_ = {
            "model": "joint",
            "iterations": learned.iterations,
            "max_iterations": self.max_iterations,
            "converged": learned.converged,
            "rule_weight": round(weighing.rule_weight, 4),
            "people_weight": round(weighing.people_weight, 4),
            "kinds": known.describe(self.annotators_),
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
        seen = Seen.of(table, self._weighing.is_person)
        probabilities = keep_unanimous(self._weighing.believe(seen), seen.all.unanimous)
        seen.kept.clear()
        return seen.all.expand(probabilities)

    def left_out(self, votes: VoteTable) -> LeftOut:
        """Beliefs about each item with and without each of its votes."""
        fitted_names(self)
        weighing, is_person = self._weighing, self._weighing.is_person
        seen = Seen.by_item(votes, is_person)
        people, machines = weighing.people(seen), weighing.machines(seen)
        n_people, share = seen.people_votes, weighing.share_of_people(seen)

        def without(positions: npt.NDArray[np.intp]) -> Floats:
            items, annotators = votes.item_index[positions], votes.annotator_index[positions]
            own = weighing.words.per_vote[annotators, votes.label[positions]]
            personal = is_person[annotators]
            own *= np.where(personal, share[items], weighing.rule_weight)[:, None]
            for j, logs in seen.log_soft.items():
                rows = (annotators == j) & seen.soft_given[j][items]
                own[rows] = weighing.tones[j].say(logs[items[rows]], np.ones(rows.sum(), dtype=np.bool_))
            others = machines[items] - np.where(personal[:, None], 0.0, own)
            still_answered = n_people[items] - personal > 0
            scores = people[items] - np.where(personal[:, None], own, 0.0) + weighing.capped(others, still_answered)
            return posterior(scores)[0]

        left_out = LeftOut(weighing.believe(seen), without, self._prior)
        seen.kept.clear()
        return left_out

    def _learn(self, kinds: Kinds, models: list[int]) -> Rounds[_Learned]:
        is_person, is_rule = kinds.mask("person"), kinds.mask("rule")
        sums = yield Start(is_person)
        swept, opening = Swept.of(sums), Opening.of(sums)
        confusion = Confusion.of(_answers(swept, opening, is_person, is_rule))
        temperatures = dict.fromkeys(models, Tone())
        weighing = Weighing(self._words(swept, confusion, is_rule), 1.0, temperatures, self.trusted, is_person)
        before = None
        for iteration in range(1, self.max_iterations + 1):
            if models:
                weighing = yield from _scaled(
                    weighing, opening.n_judged, by_class=self.by_class and iteration >= LEARN_STRENGTHS_FROM
                )
            swept = Swept.of((yield Sweep(weighing, before)))
            if float(swept.change[0]) <= self.tolerance * opening.n_voted:
                return _Learned(weighing, confusion, iteration, converged=True)
            if iteration < self.max_iterations:
                answers = _answers(swept, opening, is_person, is_rule)
                confusion = confusion.refit(answers, learn_strengths=iteration + 1 >= LEARN_STRENGTHS_FROM)
                before, weighing = weighing, replace(weighing, words=self._words(swept, confusion, is_rule))
        return _Learned(weighing, confusion, self.max_iterations, converged=False)

    def _words(self, swept: Swept, confusion: Confusion, is_rule: npt.NDArray[np.bool_]) -> Mixture:
        balance = class_balance(swept.items)
        log_balance, per_vote = np.log(balance), confusion.per_vote
        if is_rule.any():
            precision = anchored_precision(
                swept.votes[is_rule],
                balance,
                anchor_precision=self.anchor_precision,
                anchor_weight=self.anchor_weight,
            )
            per_vote[is_rule] = anchored_evidence(precision, log_balance, swept.votes.sum(axis=(0, 2)) > 0)
        return Mixture(log_balance, per_vote, np.arange(len(log_balance)))


class _Learned(NamedTuple):
    weighing: Weighing
    confusion: Confusion
    iterations: int
    converged: bool


def _answers(
    swept: Swept, opening: Opening, is_person: npt.NDArray[np.bool_], is_rule: npt.NDArray[np.bool_]
) -> Floats:
    """Expected answers `[j, l, k]`: of people by what people agree on, of models that only name classes by everything.

    None of rules: they choose their items and would bend the crowd's prior.
    """
    of_people = swept.checked + credit(opening.lone)
    answers = np.where(is_person[:, None, None], of_people, swept.votes)
    return np.asarray(answers * ~is_rule[:, None, None])


def _scaled(weighing: Weighing, n_judged: float, *, by_class: bool) -> Rounds[Weighing]:
    """How loud rules and models speak: judged by people's answers, or by each other while these are few."""
    if n_judged >= ENOUGH_PEOPLE:
        n_classes = len(weighing.words.log_balance)
        is_enough = 2 <= n_classes <= min(n_judged / ENOUGH_A_CLASS, MOST_CLASSES)
        return (yield from _foretelling_people(weighing, by_class=by_class and is_enough))
    tones = {}
    for j, tone in weighing.tones.items():
        temperature = yield from newton(tone.temperature, partial(ByWitnesses, weighing, j))
        tones[j] = replace(tone, temperature=temperature)
    return replace(weighing, rule_weight=1.0, people_weight=1.0, tones=tones)


def _foretelling_people(weighing: Weighing, *, by_class: bool) -> Rounds[Weighing]:
    """The weights and the temperatures under which people and machines tell most of each other, by turns."""
    for _ in range(TURNS):
        sums, n_items = (yield MeanOfMachines(weighing)).arrays
        on_average = tuple(np.log(np.maximum(sums / float(n_items[0]), 1e-12)).tolist())
        asking = partial(_with_people, weighing, on_average)
        share = yield from newton(weighing.people_weight, asking, highest=1.0)
        weighing = replace(weighing, people_weight=share)
        weight = yield from newton(weighing.rule_weight, partial(_at, weighing, None), highest=1.0)
        weighing = _with_scale(weighing, None, weight)
        for j, tone in weighing.tones.items():
            found = yield from newton(tone.temperature, partial(_at, weighing, j), highest=LOUDEST)
            weighing = _with_scale(weighing, j, found)
            if by_class:
                weighing = _heard_by_class(weighing, j, Lean.of((yield ByClass(weighing, j))))
    return weighing


def _readings(weighing: Weighing) -> tuple[Floats, Floats, Floats]:
    """Temperatures (n_annotators,), those by class and leads (n_annotators, n_classes); NaN without probabilities."""
    shape = (len(weighing.is_person), len(weighing.words.log_balance))
    temperatures, by_class, leads = np.full(shape[0], np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    for j, tone in weighing.tones.items():
        temperatures[j] = tone.temperature
        by_class[j] = tone.tilted(np.full(shape[1], tone.temperature))
        leads[j] = tone.leads or 0.0
    return temperatures, by_class, leads


def _heard_by_class(weighing: Weighing, j: int, found: Lean) -> Weighing:
    """What people take for what, and the tone of model `j`, after one step more."""
    shared, tone = weighing.shared_errors.learned(found.taken), weighing.tones[j].moved(found)
    return replace(weighing, shared_errors=shared, tones={**weighing.tones, j: tone})


def _with_people(weighing: Weighing, on_average: tuple[float, ...], share: float) -> ByMachines:
    return ByMachines(replace(weighing, people_weight=share), on_average)


def _at(weighing: Weighing, j: int | None, scale: float) -> ByPeople:
    return ByPeople(_with_scale(weighing, j, scale), j)


def _with_scale(weighing: Weighing, j: int | None, scale: float) -> Weighing:
    if j is None:
        return replace(weighing, rule_weight=scale)
    return replace(weighing, tones={**weighing.tones, j: replace(weighing.tones[j], temperature=scale)})
