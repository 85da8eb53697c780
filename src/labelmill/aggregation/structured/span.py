"""Spans: a hidden chain of tags behind what annotators mark."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._fitted import require_fitted
from labelmill.aggregation._options import at_least_one
from labelmill.aggregation.structured._chains import Found, Posterior, legal_steps, posterior
from labelmill.aggregation.structured._span_attributes import with_attributes
from labelmill.aggregation.structured._span_choice import best_threshold, without_overlap
from labelmill.aggregation.structured._span_table import Chain, Chains, chains_of
from labelmill.aggregation.structured._span_tokens import Key, key_of, tags
from labelmill.aggregation.structured._tag_votes import Habits, TagVotes, habits_of
from labelmill.domain.answers import AnswerTable, Merged
from labelmill.errors import UsageError

__all__ = ["TagChain"]

Floats = npt.NDArray[np.float64]

SETTLED = 2e-4
"""Mean change of a token's probabilities below which the rounds stop."""

PRIOR_SPANS = 2.0
"""Tokens at the crowd's F1 that every annotator's reliability starts with."""


class TagChain:
    r"""Words wear hidden tags (outside, begins, goes on); each annotator tags with habits of its own.

    .. math:: P(z) = \pi_{z_1} \prod_t A_{z_{t-1} z_t}, \qquad
              P(x_{jt} = l \mid z_t = k, x_{j,t-1} = m) \propto C_{kml} \, o_{jkl} / c_{kl}

    A span begins with B and goes on with I of its own class, so that nothing goes on after "outside". A vote depends on
    the annotator's own tag before, as in BSC-seq (Simpson and Gurevych 2019, doi:10.18653/v1/D19-1101): who missed the
    beginning of a name says nothing new by missing its end. Here that part, C, is the crowd's, and each annotator bends
    it by its own confusion o, shrunk to the crowd's c with its own share of misses; beginnings are missed alike in all
    classes. Transitions are learned as in HMM-crowd (Nguyen et al. 2017,
    doi:10.18653/v1/P17-1028). Rounds of forward-backward and counting, from vote shares; where an annotator's errors
    are counted, half of the power of its own vote is taken out of the posterior, so that nobody is right because he
    said so. Few rounds, because later ones fit a rare class to whatever is marked now and then.

    Spans are not read off the most likely tags: each gets its exact probability, and those that promise the best F1
    stay. Where spans overlap in one answer they are told in several layers, each a chain of its own. Attributes of a
    span are voted on by those who marked it, each by its reliability.

    Tokens are the item's `facts["tokens"]`, else the words of `facts["text"]`, else what lies between ends of spans.

    Parameters
    ----------
    max_rounds : int
        At most so many rounds.
    seed : int
        Not used; nothing is drawn.

    Attributes
    ----------
    reliability_ : ndarray of float64, shape (n_annotators,)
        Expected F1 of the annotator's tags inside of spans, shrunk to the crowd's; NaN without answers.
    details_ : dict
        `model`, `rounds`, `converged`, `threshold` (probability above which a span is kept), `layers` (greatest number
        of layers on an item).
    threshold_ : float
        See `details_`.
    """

    reliability_: Floats
    details_: dict[str, Any]
    threshold_: float
    _habits: Habits

    def __init__(self, *, max_rounds: int = 8, seed: int = 0) -> None:
        self.max_rounds = max_rounds
        self.seed = seed

    def fit(self, answers: AnswerTable) -> Self:
        """Learn how annotators tag, and how long and frequent spans are."""
        at_least_one(max_rounds=self.max_rounds)
        self._names = _class_names(answers)
        self._classes = {name: c for c, name in enumerate(self._names)}
        answered = sorted({answers.annotators[answers.annotator_index[p]] for rows in answers.by_item for p in rows})
        self._places = {name: place for place, name in enumerate(answered)}
        table = chains_of(answers, self._places, self._classes)
        rounds, change, found = self._learn(table.votes)
        spans = [] if found is None else [s for _, part in _likely(table, found) for s in part]
        self.threshold_ = best_threshold(np.array([p for p, *_ in spans]))
        self.reliability_ = self._reliability(answers, table.votes, found)
        known = {
            name: float(one)
            for name, one in zip(answers.annotators, self.reliability_, strict=True)
            if np.isfinite(one)
        }
        self._trusted = dict(sorted(known.items()))
        self._typical = math.fsum(known.values()) / len(known) if known else 1.0
        self.details_ = self._told(table, rounds, converged=change < SETTLED)
        return self

    def predict(self, answers: AnswerTable) -> list[Merged]:
        """One list of spans an item, each with its probability.

        Raises
        ------
        NotFittedError
            Before `fit`.
        UsageError
            If a span has a class that the table fitted did not.
        """
        require_fitted(self, "threshold_")
        self._check_classes(answers)
        table = chains_of(answers, self._places, self._classes)
        likely: list[list[tuple[Chain, int, list[Found]]]] = [[] for _ in range(answers.n_items)]
        found = self._posterior(table.votes)
        for (chain, spans), start in zip(_likely(table, found), table.votes.shape.offset.tolist(), strict=False):
            likely[chain.item].append((chain, start, spans))
        return [self._merged(answers, row, likely[row], found) for row in range(answers.n_items)]

    def _learn(self, votes: TagVotes) -> tuple[int, float, Posterior | None]:
        legal = legal_steps(len(self._classes))
        tag, found, rounds, change = votes.shares(), None, 0, np.inf
        habits: Habits | None = None
        starts = votes.shape.offset[:-1]
        follows = _neighbours(tag, votes)
        while rounds < self.max_rounds and change >= SETTLED:
            habits = self._habits = habits_of(votes, legal, tag, habits)
            self._step = _normal((follows + 1.0) * legal)
            self._first = _normal((tag[starts].sum(axis=0) + 1.0) * legal[0])
            found = self._posterior(votes)
            change = float(np.abs(found.tag - tag).sum(axis=1).mean()) if len(tag) else 0.0
            tag, follows, rounds = found.tag, found.follows, rounds + 1
        return rounds, change, found

    def _posterior(self, votes: TagVotes) -> Posterior:
        return posterior(votes.shape, self._habits.log_evidence(votes), self._step, self._first)

    def _merged(
        self, answers: AnswerTable, row: int, likely: list[tuple[Chain, int, list[Found]]], found: Posterior
    ) -> Merged:
        n_answers = len(answers.by_item[row])
        if not n_answers:
            return Merged(None, 0.0)
        said = [{key_of(span) for span in answers.values[position]} for position in answers.by_item[row]]
        of_one_mind = all(spans == said[0] for spans in said)  # or alone: nothing stands against it
        parts: dict[Key, float] = {}
        whole = 1.0 if likely else n_answers / (n_answers + 1)
        for chain, start, spans in likely:
            probability = {self._key(chain, span): span[0] for span in spans}
            chosen = [self._key(chain, span) for span in without_overlap(spans, self.threshold_)]
            if of_one_mind:
                chosen = chain.answers[0][1]
            whole *= found.path(start, tags(chosen, chain.tokens, self._classes))
            for key in chosen:
                parts[key] = max(parts.get(key, 0.0), probability.get(key, 0.0))
        kept = sorted(parts, key=lambda key: (key.start, key.end, self._classes[key.label]))
        given = [(answers.values[p], self._trust(answers, p)) for p in answers.by_item[row].tolist()]
        value = with_attributes(kept, given, answers.attributes)
        return Merged(value, round(whole, 12), tuple(round(parts[key], 12) for key in kept))

    def _trust(self, answers: AnswerTable, position: int) -> float:
        """Weight of an answer; a stranger's is the mean."""
        name = answers.annotators[int(answers.annotator_index[position])]
        return self._trusted.get(name, self._typical)

    def _key(self, chain: Chain, span: Found) -> Key:
        _, first, after, c = span
        return Key(chain.tokens[first][0], chain.tokens[after - 1][1], self._names[c])

    def _reliability(self, answers: AnswerTable, votes: TagVotes, found: Posterior | None) -> Floats:
        n = len(self._places)
        hits, size = np.zeros(n), np.zeros(n)
        if found is not None and len(votes.token):
            marked = votes.tag > 0
            right = np.where(marked, found.tag[votes.token, votes.tag], 0.0)
            there = 1.0 - found.tag[votes.token, 0]
            hits += np.bincount(votes.annotator, weights=2 * right, minlength=n)
            size += np.bincount(votes.annotator, weights=marked + there, minlength=n)
        crowd = hits.sum() / size.sum() if size.sum() > 0 else 1.0
        share = np.clip((hits + PRIOR_SPANS * crowd) / (size + PRIOR_SPANS), 0.0, 1.0)
        return np.array([share[self._places[name]] if name in self._places else np.nan for name in answers.annotators])

    def _check_classes(self, answers: AnswerTable) -> None:
        for name in sorted({span["label"] for value in answers.values if value for span in value}):
            if name not in self._classes:
                raise UsageError(
                    f"class {name!r} was not among those fitted ({', '.join(self._classes) or 'none'}): "
                    "give all classes to the AnswerTable that is fitted"
                )

    def _told(self, table: Chains, rounds: int, *, converged: bool) -> dict[str, Any]:
        per_item: dict[int, int] = {}
        for chain in table.chains:
            per_item[chain.item] = per_item.get(chain.item, 0) + 1
        return {
            "model": "span",
            "rounds": rounds,
            "converged": converged,
            "threshold": self.threshold_,
            "layers": max(per_item.values(), default=0),
        }


def _class_names(answers: AnswerTable) -> list[str]:
    """The schema's, and any the values name beside them."""
    named = {span["label"] for value in answers.values if value for span in value}
    return [*answers.classes, *sorted(named - set(answers.classes))]


def _likely(table: Chains, found: Posterior) -> list[tuple[Chain, list[Found]]]:
    starts = table.votes.shape.offset.tolist()
    return [
        (chain, found.spans(start, len(chain.tokens))) for chain, start in zip(table.chains, starts[:-1], strict=True)
    ]


def _neighbours(tag: Floats, votes: TagVotes) -> Floats:
    """Expected number of times a tag follows another if tokens were independent."""
    later = np.concatenate([np.empty(0, dtype=np.intp), *votes.shape.steps[1:]])
    return np.asarray(tag[later - 1].T @ tag[later])


def _normal(counts: Floats) -> Floats:
    return np.asarray(counts / counts.sum(axis=-1, keepdims=True))
