"""Scores of many objects from who preferred which of two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log_expit

from labelmill.aggregation._fitted import require_fitted
from labelmill.aggregation._options import at_least_one
from labelmill.errors import UsageError

__all__ = ["BradleyTerry"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

COLUMNS = ("left", "right", "winner")
SPREADS = 3
"""Times that the spread of the scores is learned from them."""

SPREAD_RANGE = (0.1, 100.0)
SHARE_SPREAD = 1.0
"""Spread, in log odds, of annotators' attention around the crowd's, and of their leanings around none."""


class BradleyTerry:
    r"""Each object has a score; of two shown, an attentive annotator prefers the higher, others take a side.

    .. math:: P(l \succ r) = \rho_j \frac{1}{1 + e^{-(s_l - s_r)}} + (1 - \rho_j) q_j

    with the score s of each object, the attention :math:`\rho_j` of annotator j (1: always looks), and the
    probability :math:`q_j` that it takes the left one when it does not. Bradley and Terry (1952,
    https://doi.org/10.2307/2334029), with the noise of Bugakova, Fedorova, Gusev and Drutsa (2019, "Aggregation of
    pairwise comparisons with reduction of biases", arXiv 1906.03711). We differ in fitting everything in one climb
    (L-BFGS on the posterior), with priors whose spread is learned, so that an object that wins its only comparison is
    not the best of all, and an annotator with three comparisons is like the others. Without annotators, or with
    `annotators=False`, it is plain Bradley-Terry with that prior.

    Memory and time are proportional to the comparisons, not to the pairs of objects.

    Parameters
    ----------
    annotators : bool
        Whether to learn attention and leaning of each annotator.
    max_iterations : int
        At most so many steps of the climb, for each of a few spreads.
    seed : int
        Not used; nothing is drawn.

    Attributes
    ----------
    objects_ : list of str
        Sorted.
    scores_ : ndarray of float64, shape (n_objects,)
        Mean 0; a difference of 1 means preferred in 73 % of attentive comparisons.
    annotators_ : list of str
        Sorted; empty where not told or not asked for.
    reliability_ : ndarray of float64, shape (n_annotators,)
        Attention, 0 to 1.
    leaning_ : ndarray of float64, shape (n_annotators,)
        Probability of taking the left one unseen.
    details_ : dict
        `model`, `iterations`, `converged`, `spread` of the scores, `n_comparisons`, `n_parts` (more than 1: groups of
        objects never compared with each other, whose scores only the prior relates).

    Examples
    --------
    >>> said = {"left": list("aab"), "right": list("bcc"), "winner": list("aab")}
    >>> BradleyTerry().fit(said).ranking()
    ['a', 'b', 'c']
    """

    objects_: list[str]
    scores_: Floats
    annotators_: list[str]
    reliability_: Floats
    leaning_: Floats
    details_: dict[str, Any]

    def __init__(self, *, annotators: bool = True, max_iterations: int = 200, seed: int = 0) -> None:
        self.annotators = annotators
        self.max_iterations = max_iterations
        self.seed = seed

    def fit(self, comparisons: Mapping[str, Sequence[Any]] | Any) -> Self:
        """Learn the scores.

        Parameters
        ----------
        comparisons : table or mapping of columns
            `left`, `right`, `winner` (equal to one of them; None or "" for a tie, which counts half for each) and
            optionally `annotator`.

        Raises
        ------
        UsageError
            If a column is missing or shorter than others, a winner is none of the two, or a thing is compared with
            itself; says in which row.
        """
        at_least_one(max_iterations=self.max_iterations)
        table = _Comparisons.of(comparisons, with_annotators=self.annotators)
        posterior = _Posterior(table)
        state, iterations, converged = posterior.start(), 0, True
        for _ in range(SPREADS):
            state, steps, converged = posterior.climbed(state, self.max_iterations)
            iterations += steps
            posterior.learn_spread(state)
        scores, attention, leaning, _ = posterior.parts(state)
        self.objects_, self.annotators_ = table.objects, table.annotators
        self.scores_ = scores - scores.mean() if len(scores) else scores
        self.reliability_, self.leaning_ = expit(attention), expit(leaning)
        self.details_ = {
            "model": "bradley_terry",
            "iterations": iterations,
            "converged": converged,
            "spread": posterior.spread,
            "n_comparisons": table.n_comparisons,
            "n_parts": table.n_parts,
        }
        return self

    def ranking(self) -> list[str]:
        """The objects, best first; equal ones by name.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        self._check_fitted()
        return [self.objects_[k] for k in np.argsort(-self.scores_, kind="stable").tolist()]

    def predict_proba(self, left: Sequence[str], right: Sequence[str]) -> Floats:
        """Probability that each left one is preferred to the right one by somebody who looks.

        Raises
        ------
        NotFittedError
            Before `fit`.
        UsageError
            If an object was not among those fitted.
        """
        self._check_fitted()
        place = {name: k for k, name in enumerate(self.objects_)}
        unknown = next((name for name in [*left, *right] if name not in place), None)
        if unknown is not None:
            raise UsageError(f"{unknown!r} was in no comparison fitted: fit again with some that have it")
        here, there = ([place[name] for name in names] for names in (left, right))
        return np.asarray(expit(self.scores_[here] - self.scores_[there]))

    def _check_fitted(self) -> None:
        require_fitted(self, "scores_", votes="comparisons")


@dataclass(frozen=True, slots=True)
class _Comparisons:
    """Coded comparisons in an order that depends on names alone; ties stand twice, with half the weight."""

    objects: list[str]
    annotators: list[str]
    winner: Ints
    loser: Ints
    annotator: Ints
    is_left: npt.NDArray[np.bool_]
    weight: Floats
    n_comparisons: int

    @classmethod
    def of(cls, table: Any, *, with_annotators: bool) -> _Comparisons:
        left, right, winner = (_column(table, name) for name in COLUMNS)
        has_annotators = with_annotators and "annotator" in _names(table)
        annotator = _column(table, "annotator") if has_annotators else np.full(len(left), "", dtype=object)
        for name, column in (("right", right), ("winner", winner), ("annotator", annotator)):
            if len(column) != len(left):
                raise UsageError(f"column {name!r} has {len(column)} rows, 'left' has {len(left)}")
        is_tie = np.array([value is None or value in {"", "None"} for value in winner.tolist()], dtype=np.bool_)
        _check(left, right, winner, is_tie)
        objects, code = np.unique(np.concatenate([left, right]).astype(str), return_inverse=True)
        names, who = np.unique(annotator.astype(str), return_inverse=True)
        left_code, right_code = code[: len(left)], code[len(left) :]
        left_won = (winner == left) & ~is_tie
        at = np.concatenate([np.arange(len(left)), np.flatnonzero(is_tie)])
        is_left = np.concatenate([left_won | is_tie, np.zeros(is_tie.sum(), dtype=np.bool_)])
        weight = np.where(is_tie, 0.5, 1.0)[at]
        won, lost = np.where(is_left, left_code[at], right_code[at]), np.where(is_left, right_code[at], left_code[at])
        order = np.lexsort((is_left, lost, won, who[at]))
        return cls(
            objects.tolist(),
            names.tolist() if has_annotators else [],
            won[order].astype(np.intp),
            lost[order].astype(np.intp),
            who[at][order].astype(np.intp),
            is_left[order],
            weight[order],
            len(left),
        )

    @property
    def n_parts(self) -> int:
        """Groups of objects that comparisons connect."""
        from scipy import sparse

        n = len(self.objects)
        graph = sparse.coo_array((np.ones(len(self.winner)), (self.winner, self.loser)), shape=(n, n))
        return int(sparse.csgraph.connected_components(graph, directed=False)[0]) if n else 0


class _Posterior:
    """Log posterior of scores, attention and leaning, all in one vector."""

    def __init__(self, table: _Comparisons) -> None:
        self.table = table
        self.spread = 1.0
        self.n, self.m = len(table.objects), len(table.annotators)

    def start(self) -> Floats:
        """All objects alike; annotators look nine times in ten."""
        state = np.zeros(self.n + 2 * self.m + 1)
        state[-1] = np.log(9.0)
        state[self.n : self.n + self.m] = state[-1]
        return state

    def parts(self, state: Floats) -> tuple[Floats, Floats, Floats, float]:
        """Scores, log odds of attention, of taking the left one, and of the crowd's attention."""
        return state[: self.n], state[self.n : self.n + self.m], state[self.n + self.m : -1], float(state[-1])

    def climbed(self, state: Floats, max_iterations: int) -> tuple[Floats, int, bool]:
        """The likeliest state, steps taken, and whether it is one."""
        from scipy.optimize import minimize

        if not self.n:
            return state, 0, True
        found = minimize(
            self._loss,
            state,
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": max_iterations, "ftol": 1e-10, "gtol": 1e-6 * max(len(self.table.winner), 1) ** 0.5},
        )
        return found.x, int(found.nit), bool(found.success)

    def learn_spread(self, state: Floats) -> None:
        """The spread that the scores and their uncertainty suggest."""
        if not self.n:
            return
        scores = self.parts(state)[0]
        right = expit(scores[self.table.winner] - scores[self.table.loser])
        held = self._per_object(self.table.weight * right * (1.0 - right), sign=1.0) + 1.0 / self.spread**2
        self.spread = float(np.clip(np.sqrt((scores**2 + 1.0 / held).mean()), *SPREAD_RANGE))

    def _loss(self, state: Floats) -> tuple[float, Floats]:
        scores, attention, leaning, crowd = self.parts(state)
        table = self.table
        gap = scores[table.winner] - scores[table.loser]
        slope = np.zeros_like(state)
        if self.m:
            loss, pull = self._noisy(gap, attention, leaning, slope)
            away = attention - crowd
            loss += float((away**2).sum() + (leaning**2).sum()) / (2 * SHARE_SPREAD**2) + (crowd - np.log(9.0)) ** 2 / 8
            slope[self.n : self.n + self.m] += away / SHARE_SPREAD**2
            slope[self.n + self.m : -1] += leaning / SHARE_SPREAD**2
            slope[-1] = -away.sum() / SHARE_SPREAD**2 + (crowd - np.log(9.0)) / 4
        else:
            loss, pull = -float((table.weight * log_expit(gap)).sum()), table.weight * expit(-gap)
        slope[: self.n] = scores / self.spread**2 - self._per_object(pull, sign=-1.0)
        return loss + float((scores**2).sum()) / (2 * self.spread**2), slope

    def _noisy(self, gap: Floats, attention: Floats, leaning: Floats, slope: Floats) -> tuple[float, Floats]:
        """The loss of the comparisons and the pull of each on its winner; slopes of annotators are filled in."""
        table, looks, left = self.table, expit(attention), expit(leaning)
        rho, side = looks[table.annotator], left[table.annotator]
        unseen = np.where(table.is_left, side, 1.0 - side)
        seen = expit(gap)
        p = rho * seen + (1.0 - rho) * unseen
        share = table.weight / p
        by_attention = np.bincount(table.annotator, weights=share * (seen - unseen), minlength=self.m)
        signed = np.where(table.is_left, share, -share) * (1.0 - rho)
        by_leaning = np.bincount(table.annotator, weights=signed, minlength=self.m)
        slope[self.n : self.n + self.m] = -by_attention * looks * (1.0 - looks)
        slope[self.n + self.m : -1] = -by_leaning * left * (1.0 - left)
        return -float((table.weight * np.log(p)).sum()), share * rho * seen * (1.0 - seen)

    def _per_object(self, weights: Floats, *, sign: float) -> Floats:
        won = np.bincount(self.table.winner, weights=weights, minlength=self.n)
        lost = np.bincount(self.table.loser, weights=weights, minlength=self.n)
        return np.asarray(won + sign * lost, dtype=np.float64)


def _names(table: Any) -> Sequence[str]:
    return list(table) if isinstance(table, Mapping) else list(table.columns)


def _column(table: Any, name: str) -> npt.NDArray[np.object_]:
    if name not in _names(table):
        raise UsageError(f"comparisons have no column {name!r}: expected {', '.join(COLUMNS)} and maybe annotator")
    values = table[name]
    return np.array(
        [_text(value) for value in getattr(values, "tolist", getattr(values, "to_list", lambda: values))()],
        dtype=object,
    )


def _text(value: Any) -> str | None:
    return None if value is None or value != value else str(value)  # only NaN differs from itself


def _check(left: Any, right: Any, winner: Any, is_tie: npt.NDArray[np.bool_]) -> None:
    if any(value is None for value in [*left.tolist(), *right.tolist()]):
        raise UsageError("a comparison lacks its left or right object: give both in every row")
    itself = np.flatnonzero(left == right)
    if len(itself):
        raise UsageError(f"row {itself[0]} compares {left[itself[0]]!r} with itself: leave it out")
    stray = np.flatnonzero(~is_tie & (winner != left) & (winner != right))
    if len(stray):
        k = stray[0]
        raise UsageError(
            f"row {k}: the winner {winner[k]!r} is neither {left[k]!r} nor {right[k]!r}; leave it empty for a tie"
        )
