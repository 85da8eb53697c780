"""Texts: a vote on each word of aligned versions, weighed by how often each annotator is right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._fitted import require_fitted
from labelmill.aggregation._options import at_least_one
from labelmill.domain.answers import AnswerTable, Merged
from labelmill.domain.lattice import Slot, best
from labelmill.domain.rover import Aligned, medoid_order

__all__ = ["Rover"]

Floats = npt.NDArray[np.float64]

START = 0.2
"""Share of wrong words that everybody starts with."""

PRIOR_WORDS = 5.0
"""Words at the crowd's error that everybody starts with."""

LEAST, MOST = 0.005, 0.9
"""Bounds of an error, so that nobody's word is law and nobody's is worth less than nothing."""

CLOSE_ENOUGH = 1e-3

WORDS = 5.0
"""Wrong words that an annotator chooses among: two seldom share one by chance."""

LEFT_OUT = 0.3
"""Share of wrong words that are words left out: two often share that."""


class _Version(NamedTuple):
    """One item's answers laid side by side."""

    people: list[int]
    aligned: Aligned


class Rover:
    r"""Texts are aligned word by word (ROVER); on each word the annotators vote, weighed by their word errors.

    .. math:: P(x_j \mid c) = \begin{cases} 1 - e_j & x_j = c \\ e_j d & x_j \text{ nothing} \\
              e_j (1 - d) / V & x_j \text{ another word} \end{cases}

    On each slot of the alignment (ROVER, Fiscus 1997, doi:10.1109/ASRU.1997.659110) the word or nothing, c, that
    makes what was said most likely wins: Dawid-Skene with one parameter an annotator, in which two who share a wrong
    word are rare and two who leave a word out are not. An annotator's error e is the expected share of slots where
    it differs from what the others make likely, so that no one agrees with himself, shrunk to the crowd's.
    Where the texts of an item are too far apart to be
    versions of one, the text nearest to all others by weight stands for them, as in RASA (Li and Lee 2020,
    doi:10.1145/3397271.3401239).

    Parameters
    ----------
    max_rounds : int
        At most so many rounds of votes and weights.
    seed : int
        Not used; nothing is drawn.

    Attributes
    ----------
    reliability_ : ndarray of float64, shape (n_annotators,)
        1 - e, the share of words that are right; NaN without answers.
    details_ : dict
        `model`, `rounds`, `converged`, `mean_error`.
    """

    reliability_: Floats
    details_: dict[str, Any]

    def __init__(self, *, max_rounds: int = 10, seed: int = 0) -> None:
        self.max_rounds = max_rounds
        self.seed = seed

    def fit(self, answers: AnswerTable) -> Self:
        """Learn each annotator's share of wrong words."""
        at_least_one(max_rounds=self.max_rounds)
        versions = [found for i in range(answers.n_items) if (found := _versions(answers, i)) is not None]
        several = [found for found in versions if len(found.people) > 1 and found.aligned.slots]
        error, rounds, converged = np.full(answers.n_annotators, START), 0, not several
        crowd = START
        while not converged and rounds < self.max_rounds:
            after, crowd = _errors(several, error)
            converged = bool(np.abs(after - error).max() < CLOSE_ENOUGH)
            error, rounds = after, rounds + 1
        answered = np.zeros(answers.n_annotators, dtype=np.bool_)
        answered[[j for found in versions for j in found.people]] = True
        self._error = {answers.annotators[j]: float(error[j]) for j in np.flatnonzero(answered).tolist()}
        self._crowd = crowd
        self.reliability_ = np.where(answered, 1.0 - error, np.nan)
        self.details_ = {"model": "text", "rounds": rounds, "converged": converged, "mean_error": crowd}
        return self

    def predict(self, answers: AnswerTable) -> list[Merged]:
        """One text an item; its confidence is the product of the shares of the words that won.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        require_fitted(self, "_error")
        error = np.array([self._error.get(name, self._crowd) for name in answers.annotators])
        return [self._merged(_versions(answers, i), error) for i in range(answers.n_items)]

    def _merged(self, found: _Version | None, error: Floats) -> Merged:
        if found is None:
            return Merged(None, 0.0)
        people, aligned = found
        errors = [float(error[j]) for j in people]
        weights = [1.0 - e for e in errors]
        if not aligned.is_one:
            return self._nearest(aligned.texts, [1.0 / e for e in errors])
        shares = [_shares(slot, errors) for slot in aligned.slots]
        chosen = [best(share) for share in shares]
        of_one_mind = len(set(aligned.texts)) == 1
        text = aligned.texts[0] if of_one_mind else aligned.text(chosen, weights)
        silent = 1.0 - math.prod(errors)
        return Merged(text, math.prod(share[word] for share, word in zip(shares, chosen, strict=True)) * silent)

    def _nearest(self, texts: Sequence[str], weights: Sequence[float]) -> Merged:
        text = texts[medoid_order(texts, weights)[0]]
        alike = [w for w, other in zip(weights, texts, strict=True) if other == text]
        return Merged(text, math.fsum(alike) / math.fsum(weights) * (1.0 - self._crowd))


def _versions(answers: AnswerTable, item: int) -> _Version | None:
    """The item's texts, nearest to all others first."""
    positions = answers.by_item[item].tolist()
    if not positions:
        return None
    people = [int(answers.annotator_index[position]) for position in positions]
    texts = [answers.values[position] for position in positions]
    order = medoid_order(texts, [1.0] * len(texts))
    return _Version([people[i] for i in order], Aligned([texts[i] for i in order]))


def _errors(versions: list[_Version], error: Floats) -> tuple[Floats, float]:
    """Expected share of words that each has wrong by what the others say, shrunk to the crowd's; and that."""
    wrong: list[list[float]] = [[] for _ in error]
    for people, aligned in versions:
        errors = [float(error[j]) for j in people]
        for slot in aligned.slots:
            if len(set(slot)) == 1:
                for j in people:
                    wrong[j].append(0.0)
                continue
            for v, j in enumerate(people):
                others = _shares([*slot[:v], *slot[v + 1 :]], [*errors[:v], *errors[v + 1 :]])
                if slot[v] is not None or best(others) is not None:
                    wrong[j].append(1.0 - others.get(slot[v], 0.0))
    sums, seen = np.array([math.fsum(parts) for parts in wrong]), np.array([len(parts) for parts in wrong])
    crowd = min(max(math.fsum(sums) / max(int(seen.sum()), 1), LEAST), MOST)
    return np.clip((sums + PRIOR_WORDS * crowd) / (seen + PRIOR_WORDS), LEAST, MOST), crowd


def _shares(slot: Slot, errors: Sequence[float]) -> dict[str | None, float]:
    """Probability of each word that somebody has, and of nothing."""
    logs: dict[str | None, float] = {}
    for truth in dict.fromkeys([*slot, None]):
        parts = []
        for word, e in zip(slot, errors, strict=True):
            if word == truth:
                parts.append(math.log(1.0 - e))
            elif word is None:
                parts.append(math.log(e * LEFT_OUT))
            else:
                parts.append(math.log(e * (1.0 - LEFT_OUT) / WORDS))
        logs[truth] = math.fsum(parts)
    most = max(logs.values())
    total = math.fsum(math.exp(log - most) for log in logs.values())
    return {word: math.exp(log - most) / total for word, log in logs.items()}
