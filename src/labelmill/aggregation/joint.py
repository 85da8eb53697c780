"""Joint: people, rules and models in one posterior, each by the likelihood that fits its kind."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._alignment import aligned, fitted_names
from labelmill.aggregation._anchored import anchored_evidence, anchored_precision
from labelmill.aggregation._confusion import Confusion
from labelmill.aggregation._credit import lone_answers
from labelmill.aggregation._kinds import Kinds
from labelmill.aggregation._mixture import LeftOut
from labelmill.aggregation._options import at_least_one, open_share
from labelmill.aggregation._posterior import class_balance, keep_unanimous, posterior, reliability
from labelmill.aggregation._tally import Floats, Tally
from labelmill.aggregation._temperature import learned_temperature, log_of_soft
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable

__all__ = ["Joint"]

LEARN_STRENGTHS_FROM = 3
ENOUGH_PEOPLE = 30
"""Items answered by people from which rules and models are weighed by those answers alone."""

DECIMALS = 12

LOUDEST = 5.0
"""A model that learned from soft labels is too modest; people's answers may raise its temperature up to this."""

TURNS = 5
"""Weight and temperatures are learned by turns, so often in each sweep."""

PERSON_START = 3.0
"""Votes that a person's counts for at the start; 1 to 5 end alike."""


class Joint:
    r"""One answer from people, rules and models, by one expectation maximisation over all their votes.

    .. math:: \log q_{ik} = \sum_{people} E[\log \theta_{jkl}] + \mathrm{cap}\Big(w \log \pi_k
              + w \sum_{rules} (\log P(k \mid \lambda_{ij}) - \log \pi_k)
              + \sum_{models} T_j \log p_{ijk}\Big) + const

    People's votes count by confusion rows (see `DawidSkene`; also models that give labels only), rules' by anchored
    precision (see `AnchoredNaiveBayes`), models' probabilities by a temperature learned in each round. A classifier
    beside the crowd follows CROWDLAB (Goh, Tkachenko and Mueller 2022, https://doi.org/10.48550/arXiv.2210.06812);
    we differ in learning everything in one posterior.

    Machines must not drown people. People are judged by people alone: they are asked just where machines fail, so
    that disagreement with machines says nothing of them, and a person nobody checks is taken at their word (see
    `lone_answers`). Where a person answered an item, class balance, rules and models together are capped at the
    log-odds of one person of accuracy `trusted`: somebody more accurate than that is not overruled by machines alone.

    A model that learned from the rules repeats them, and counting both counts the rules twice. Once people have
    answered 30 items that models gave probabilities for, the weight w of the rules (0 to 1) and the temperatures
    (0 to 5) are those that foretell people's answers best; before, w is 1 and a temperature is learned against what
    the *others* make of the items, so that a model cannot vouch for itself. EM starts from people's votes where there
    are any. The kinds come from `votes.kinds`; where unknown they are read off the votes, and `details_` says so.

    Parameters
    ----------
    trusted : float
        A person whose accuracy is at least this outweighs all machines together on an item.
    anchor_precision, anchor_weight : float
        As in `AnchoredNaiveBayes`.
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
    temperatures_ : ndarray of float64, shape (n_annotators,)
        Exponent of a model's probabilities: below 1 it is overconfident; NaN for annotators without probabilities.
    reliability_ : ndarray of float64, shape (n_annotators,)
        Probability that a vote names the true class; NaN without votes.
    details_ : dict
        `model`, `iterations`, `converged`, `kinds` (how many of each, and those inferred).

    Examples
    --------
    >>> votes = {"item": list("aaabbb"), "annotator": ["ann", "r1", "r2"] * 2, "label": list("yyyyyn")}
    >>> kinds = {"ann": "person", "r1": "rule", "r2": "rule"}
    >>> from labelmill.domain.vote_table import VoteTable
    >>> table = VoteTable.of(votes, kinds=kinds)
    >>> [table.classes[k] for k in Joint().fit(table).predict_proba(table).argmax(axis=1)]
    ['y', 'y']
    """

    reliability_: Floats
    details_: dict[str, Any]
    class_balance_: Floats
    confusion_: Floats
    rule_weight_: float
    temperatures_: Floats

    def __init__(
        self,
        *,
        trusted: float = 0.9,
        anchor_precision: float = 0.7,
        anchor_weight: float = 2.0,
        max_iterations: int = 100,
        tolerance: float = 1e-4,
        seed: int = 0,
    ) -> None:
        self.trusted = trusted
        self.anchor_precision = anchor_precision
        self.anchor_weight = anchor_weight
        self.max_iterations = max_iterations
        self.tolerance = tolerance
        self.seed = seed

    def fit(self, votes: Any) -> Self:
        """Learn confusions, precisions, temperatures and class balance together; see `LabelModel.fit`."""
        at_least_one(max_iterations=self.max_iterations)
        open_share(anchor_precision=self.anchor_precision, trusted=self.trusted)
        table = VoteTable.of(votes)
        kinds = Kinds.of(table)
        seen = _Seen.of(table, kinds.mask("person"))
        learned, iterations, converged = self._learn(seen, kinds, lone_answers(table, kinds.mask("person")))
        self._learned, self._is_person = learned, kinds.mask("person")
        self._prior = learned.confusion.prior
        probabilities = keep_unanimous(self._believe(seen, learned), seen.all.unanimous)
        self.annotators_, self.classes_ = table.annotators, table.classes
        self.class_balance_ = np.exp(learned.log_balance)
        self.confusion_ = np.where(kinds.mask("rule")[:, None, None], np.nan, learned.confusion.rows)
        self.temperatures_ = np.array([learned.temperatures.get(j, np.nan) for j in range(table.n_annotators)])
        self.rule_weight_ = learned.rule_weight
        self.reliability_ = reliability(seen.all.counts(probabilities))
        self.details_ = {
            "model": "joint",
            "iterations": iterations,
            "converged": converged,
            "rule_weight": round(learned.rule_weight, 4),
            "kinds": kinds.describe(table.annotators),
        }
        return self

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
        seen = _Seen.of(table, self._is_person)
        return seen.all.expand(keep_unanimous(self._believe(seen, self._learned), seen.all.unanimous))

    def left_out(self, votes: VoteTable) -> LeftOut:
        """Beliefs about each item with and without each of its votes."""
        fitted_names(self)
        learned, is_person = self._learned, self._is_person
        seen = _Seen.of(votes, is_person, compress=False)
        people, machines = self._evidence(seen, learned)
        n_people = seen.people_votes

        def without(positions: npt.NDArray[np.intp]) -> Floats:
            items, annotators = votes.item_index[positions], votes.annotator_index[positions]
            own = learned.per_vote[annotators, votes.label[positions]]
            personal = is_person[annotators]
            own[~personal] *= learned.rule_weight
            for j, logs in seen.log_soft.items():
                rows = (annotators == j) & seen.soft_given[j][items]
                own[rows] = learned.temperatures[j] * logs[items[rows]]
            others = machines[items] - np.where(personal[:, None], 0.0, own)
            still_answered = n_people[items] - personal > 0
            scores = people[items] - np.where(personal[:, None], own, 0.0) + self._capped(others, still_answered)
            return posterior(scores)[0]

        return LeftOut(self._believe(seen, learned), without, self._prior)

    def _learn(self, seen: _Seen, kinds: Kinds, lone: Floats) -> tuple[_Learned, int, bool]:
        believed = agreed = seen.start
        is_rule = kinds.mask("rule")
        confusion = Confusion.of(_answers(seen, believed, agreed, lone, is_rule))
        scales = _Scales(1.0, dict.fromkeys(seen.log_soft, 1.0))
        for iteration in range(1, self.max_iterations + 1):
            learned = self._parameters(seen, believed, confusion, is_rule, scales)
            if seen.log_soft:
                scales = self._scales(seen, learned)
                learned = learned._replace(rule_weight=scales.rule_weight, temperatures=scales.temperatures)
            # Rounded, so that the order of sums cannot tip a fixed point that is unstable by symmetry.
            before, believed = believed, np.round(self._believe(seen, learned), DECIMALS)
            agreed = np.round(posterior(self._said(seen, learned)[0] + learned.log_balance)[0], DECIMALS)
            change = seen.all.total(np.abs(believed - before).max(axis=1, initial=0.0))
            if change <= self.tolerance * seen.all.weights.sum():
                return learned, iteration, True
            confusion = confusion.refit(
                _answers(seen, believed, agreed, lone, is_rule), learn_strengths=iteration + 1 >= LEARN_STRENGTHS_FROM
            )
        return learned, self.max_iterations, False

    def _parameters(
        self,
        seen: _Seen,
        believed: Floats,
        confusion: Confusion,
        is_rule: npt.NDArray[np.bool_],
        scales: _Scales,
    ) -> _Learned:
        log_balance = np.log(class_balance(seen.all.state_counts(believed)))
        per_vote = confusion.per_vote
        if is_rule.any():
            precision = anchored_precision(
                seen.all.counts(believed)[is_rule],
                anchor_precision=self.anchor_precision,
                anchor_weight=self.anchor_weight,
            )
            per_vote[is_rule] = anchored_evidence(precision, log_balance)
        return _Learned(log_balance, per_vote, confusion, scales.rule_weight, scales.temperatures)

    def _scales(self, seen: _Seen, learned: _Learned) -> _Scales:
        """How loud rules and models speak: judged by people's answers, or by each other while these are few."""
        answered = seen.people_votes > 0
        given = np.logical_or.reduce(list(seen.soft_given.values()))
        if seen.all.total((answered & given).astype(np.float64)) < ENOUGH_PEOPLE:
            return _Scales(1.0, self._temperatures_by_witnesses(seen, learned))
        people, rules = (scores[answered & given] for scores in self._said(seen, learned))
        soft = {j: logs[answered & given] for j, logs in seen.log_soft.items()}
        return _foretelling(posterior(people)[0], rules, soft, _Scales(learned.rule_weight, learned.temperatures))

    def _temperatures_by_witnesses(self, seen: _Seen, learned: _Learned) -> dict[int, float]:
        """Each model's temperature, judged by what the others make of the items it gave probabilities for."""
        people, machines = self._evidence(seen, learned)
        answered = seen.people_votes > 0
        temperatures = {}
        for j, logs in seen.log_soft.items():
            rows = seen.soft_given[j] & (seen.sources - 1 > 0)
            others = machines[rows] - learned.temperatures[j] * logs[rows]
            targets, _ = posterior(people[rows] + self._capped(others, answered[rows]))
            temperatures[j] = learned_temperature(logs[rows], targets, learned.temperatures[j])
        return temperatures

    def _believe(self, seen: _Seen, learned: _Learned) -> Floats:
        people, machines = self._evidence(seen, learned)
        return posterior(people + self._capped(machines, seen.people_votes > 0))[0]

    def _evidence(self, seen: _Seen, learned: _Learned) -> tuple[Floats, Floats]:
        """What people and what machines (with the class balance) make of each row, each (n_rows, n_classes)."""
        people, rules = self._said(seen, learned)
        machines = learned.rule_weight * rules
        for j, logs in seen.log_soft.items():
            machines += learned.temperatures[j] * logs
        return people, machines

    def _said(self, seen: _Seen, learned: _Learned) -> tuple[Floats, Floats]:
        """What people and what rules (with the class balance) say of each row, each (n_rows, n_classes)."""
        personal = seen.is_person[:, None, None]
        people = seen.hard.evidence(np.where(personal, learned.per_vote, 0.0))
        rules = seen.hard.evidence(np.where(personal, 0.0, learned.per_vote)) + learned.log_balance
        return people, rules

    def _capped(self, machines: Floats, answered: npt.NDArray[np.bool_]) -> Floats:
        n_classes = machines.shape[1]
        if n_classes < 2 or not answered.any():
            return machines
        limit = np.log(self.trusted * (n_classes - 1) / (1.0 - self.trusted))
        spread = np.ptp(machines[answered], axis=1)
        capped = machines.copy()
        capped[answered] *= np.minimum(1.0, limit / np.maximum(spread, 1e-300))[:, None]
        return capped


def _answers(seen: _Seen, believed: Floats, agreed: Floats, lone: Floats, is_rule: npt.NDArray[np.bool_]) -> Floats:
    """Expected answers `[j, l, k]`: of people by what people agree on, of models that only name classes by everything.

    None of rules: they choose their items and would bend the crowd's prior.
    """
    checked = np.where((seen.people_votes > 1)[:, None], agreed, 0.0)
    of_people = seen.all.counts(checked) + lone
    answers = np.where(seen.is_person[:, None, None], of_people, seen.all.counts(believed))
    return np.asarray(answers * ~is_rule[:, None, None])


def _foretelling(targets: Floats, rules: Floats, soft: dict[int, Floats], scales: _Scales) -> _Scales:
    """The weight and the temperatures that foretell people's answers best, by turns."""
    weight, temperatures = scales.rule_weight, dict(scales.temperatures)
    for _ in range(TURNS):
        models = sum((temperatures[j] * logs for j, logs in soft.items()), start=np.zeros_like(rules))
        weight = learned_temperature(rules, targets, weight, offset=models, highest=1.0)
        for j, logs in soft.items():
            beside = weight * rules + models - temperatures[j] * logs
            temperatures[j] = learned_temperature(logs, targets, temperatures[j], offset=beside, highest=LOUDEST)
            models = beside - weight * rules + temperatures[j] * logs
    return _Scales(weight, temperatures)


class _Scales(NamedTuple):
    rule_weight: float
    temperatures: dict[int, float]


class _Learned(NamedTuple):
    log_balance: Floats
    per_vote: Floats
    confusion: Confusion
    rule_weight: float
    temperatures: dict[int, float]


class _Seen(NamedTuple):
    """The votes of a table, sorted by how they count.

    `all` tallies every label; `hard` leaves out labels that only repeat a model's probabilities. `log_soft` and
    `soft_given` hold those by annotator; `sources` (n_rows,) is the number of annotators heard, `people_votes` that
    of people, `start` (n_rows, n_classes) the vote shares, people's where there are any.
    """

    all: Tally
    hard: Tally
    log_soft: dict[int, Floats]
    soft_given: dict[int, npt.NDArray[np.bool_]]
    is_person: npt.NDArray[np.bool_]
    people_votes: Floats
    sources: Floats
    start: Floats

    @classmethod
    def of(cls, votes: VoteTable, is_person: npt.NDArray[np.bool_], *, compress: bool = True) -> Self:
        """Sort the votes of a table with annotators numbered as in `is_person`."""
        every = Tally(votes, compress=compress and not votes.soft)
        soft_given = {j: np.isfinite(p).all(axis=1) for j, p in sorted(votes.soft.items())}
        hard = Tally(_without_echoes(votes, soft_given), compress=False) if soft_given else every
        identity = np.broadcast_to(np.eye(votes.n_classes), (votes.n_annotators,) + (votes.n_classes,) * 2)
        people = every.evidence(np.where(is_person[:, None, None], identity, 0.0))
        people_votes = np.einsum("ij->i", people)
        sources = np.einsum("ij->i", hard.evidence(identity)) + sum(soft_given.values(), start=np.zeros(every.n_rows))
        if soft_given:  # an item heard only through probabilities counts as voted on
            every.include(sources > 0)
        weighted = every.evidence(identity) + (PERSON_START - 1.0) * people
        total = np.einsum("ij->i", weighted)[:, None]
        start = np.where(total > 0, weighted / np.maximum(total, 1.0), every.shares)
        log_soft = {j: log_of_soft(np.asarray(votes.soft[j], dtype=np.float64)) for j in soft_given}
        return cls(every, hard, log_soft, soft_given, is_person, people_votes, sources, start)


def _without_echoes(votes: VoteTable, soft_given: dict[int, npt.NDArray[np.bool_]]) -> VoteTable:
    kept = np.ones(len(votes.label), dtype=np.bool_)
    for j, given in soft_given.items():
        kept &= ~((votes.annotator_index == j) & given[votes.item_index] & (votes.label != ABSTAIN))
    return VoteTable(
        votes.items,
        votes.annotators,
        votes.classes,
        votes.item_index[kept],
        votes.annotator_index[kept],
        votes.label[kept],
    )
