"""Ranking: one order from many, by annotators who tell classes apart more or less well."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log_expit, ndtr

from labelmill.aggregation._fitted import require_fitted
from labelmill.aggregation._options import at_least_one
from labelmill.aggregation.structured._rows import Rows, all_equal
from labelmill.domain.answers import AnswerTable, Merged

__all__ = ["RankingModel"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

NEWTON_STEPS = 20
LARGEST_STEP = 3.0

SHARPNESS = np.geomspace(0.02, 20.0, 31)
"""What is tried; found between them."""

PRIOR_SPREAD = 1.0
"""Of the logarithm of an annotator's sharpness around its mean."""

CLOSE_ENOUGH = 1e-4
"""Change of a sharpness at which the fit ends."""


class RankingModel:
    r"""Classes have a score on each item, and an annotator puts the higher one first, more surely the sharper it is.

    .. math:: P(a \succ b \text{ by } j \text{ on } i) = \frac{1}{1 + \exp(-\alpha_j (s_{ia} - s_{ib}))}, \qquad
              s_{ik} \sim N(0, 1)

    Bradley and Terry's model (1952, https://doi.org/10.2307/2334029) of all pairs that the rankings put in order,
    with a sharpness for each annotator as Crowd-BT has a reliability (Chen et al. 2013,
    https://doi.org/10.1145/2433396.2433420): 0 is somebody who guesses. Unlike there, an annotator's sharpness is
    judged by scores from the others alone (its own pairs taken back by one step of Newton) and by how unsure these are,
    since with few rankings an item a score mostly repeats whoever is trusted. Classes left out stand behind those
    named; classes nobody names on an item are left out of its order too, whose length is the median of the answers'.

    Parameters
    ----------
    max_iterations : int
        At most so many rounds of scores and sharpness.
    seed : int
        Not used; nothing is drawn.

    Attributes
    ----------
    sharpness_ : ndarray of float64, shape (n_annotators,)
        0 for an annotator who guesses; NaN without answers.
    reliability_ : ndarray of float64, shape (n_annotators,)
        Probability that it puts two classes in the right order whose scores are 1 apart, as much as scores spread; NaN
        without answers.
    details_ : dict
        `model`, `iterations`, `converged`, `typical_sharpness` (geometric mean), `sharpness` by annotator.

    Examples
    --------
    >>> from labelmill.labels.ranking import Ranking
    >>> kind = Ranking(classes=("tea", "milk", "beer"))
    >>> said = [["tea", "milk", "beer"], ["tea", "milk", "beer"], ["tea", "beer", "milk"]]
    >>> table = AnswerTable(kind, ["x"], list("abc"), [0, 0, 0], [0, 1, 2], said, classes=kind.classes)
    >>> RankingModel().fit(table).predict(table)[0].value
    ['tea', 'milk', 'beer']
    """

    sharpness_: Floats
    reliability_: Floats
    details_: dict[str, Any]

    def __init__(self, *, max_iterations: int = 50, seed: int = 0) -> None:
        self.max_iterations = max_iterations
        self.seed = seed

    def fit(self, answers: AnswerTable) -> Self:
        """Learn how sharply each annotator tells classes apart."""
        at_least_one(max_iterations=self.max_iterations)
        rows = Rows.of(answers)
        pairs = _Pairs.of(rows, answers.classes)
        answered = rows.per_annotator(np.ones(len(rows.values))) > 0
        sharpness = np.ones(rows.n_annotators)
        iterations, converged = 0, not len(pairs.item)
        while not converged and iterations < self.max_iterations:
            scores, precision = pairs.scores(sharpness[rows.annotator])
            after = _sharpness(pairs, rows, scores, precision, sharpness, np.log(sharpness[answered]).mean())
            converged = bool(np.abs(np.log(after / sharpness))[answered].max() < CLOSE_ENOUGH)
            sharpness, iterations = np.sqrt(sharpness * after), iterations + 1
        self._typical = float(np.exp(np.log(sharpness[answered]).mean())) if answered.any() else 1.0
        self._learned = {name: float(sharpness[j]) for j, name in enumerate(rows.names) if answered[j]}
        self.sharpness_ = np.where(answered, sharpness, np.nan)[rows.annotator_place]
        self.reliability_ = rows.in_table(expit(sharpness))
        self.details_ = {
            "model": "ranking",
            "iterations": iterations,
            "converged": converged,
            "typical_sharpness": self._typical,
            "sharpness": self._learned,
        }
        return self

    def predict(self, answers: AnswerTable) -> list[Merged]:
        """The order behind the rankings of each item.

        The confidence is the probability that every two neighbours stand in the right order; `parts` has, for each
        class, that of standing right between its neighbours. Both take scores for independent.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        require_fitted(self, "_learned")
        rows = Rows.of(answers)
        pairs = _Pairs.of(rows, answers.classes)
        sharpness = np.array(rows.known(self._learned, self._typical), dtype=np.float64)
        scores, precision = pairs.scores(sharpness[rows.annotator])
        covariance = np.linalg.inv(precision)
        merged = [
            _merged(values, names, scores[i], covariance[i], answers.classes) if values else Merged(None, 0.0)
            for i, (values, names) in enumerate(zip(rows.by_item(), pairs.names, strict=True))
        ]
        return [merged[place] for place in rows.item_place.tolist()]


class _Pairs(NamedTuple):
    """Every pair of classes that an answer puts in order; classes by their place among those named on the item.

    `item`, `row` (of the answer), `first` and `second` have one entry a pair; `in_play` is (n_items, most classes).
    """

    item: Ints
    row: Ints
    first: Ints
    second: Ints
    names: list[list[str]]
    in_play: npt.NDArray[np.bool_]
    weight: Floats
    """Shape (n_answers,): the n (n - 1) / 2 pairs of a ranking count as much as n - 1 comparisons."""

    @classmethod
    def of(cls, rows: Rows, classes: tuple[str, ...]) -> _Pairs:
        known = {name: place for place, name in enumerate(classes)}
        names = [
            sorted({name for value in values for name in value}, key=lambda n: (known.get(n, len(known)), n))
            for values in rows.by_item()
        ]
        item, row, first, second = [], [], [], []
        for r, (i, value) in enumerate(zip(rows.item.tolist(), rows.values, strict=True)):
            place = np.full(len(names[i]), len(value))
            for p, name in enumerate(value):
                place[names[i].index(name)] = p
            ahead, behind = np.nonzero(place[:, None] < place[None, :])
            item.append(np.full(len(ahead), i))
            row.append(np.full(len(ahead), r))
            first.append(ahead)
            second.append(behind)
        columns = [
            np.concatenate([*part, np.zeros(0, dtype=np.intp)]).astype(np.intp) for part in (item, row, first, second)
        ]
        most = max([1, *map(len, names)])
        in_play = np.arange(most) < np.array([len(n) for n in names], dtype=np.intp).reshape(-1, 1)
        return cls(
            columns[0],
            columns[1],
            columns[2],
            columns[3],
            names,
            in_play,
            2.0 / np.maximum(in_play.sum(axis=1), 2)[rows.item],
        )

    def scores(self, sharpness: Floats) -> tuple[Floats, Floats]:
        """Likeliest scores (n_items, most classes) and their precision matrices, from the sharpness of each answer."""
        scores = np.zeros(self.in_play.shape)
        for _ in range(NEWTON_STEPS):
            slope, precision = self._curve(scores, sharpness)
            step = np.linalg.solve(precision, slope[..., None])[..., 0]
            scores = scores + np.clip(step, -LARGEST_STEP, LARGEST_STEP)
        return scores, self._curve(scores, sharpness)[1]

    def _curve(self, scores: Floats, sharpness: Floats) -> tuple[Floats, Floats]:
        slopes, weights = self.pulls(scores, sharpness)
        slope = self._spread(self.item, slopes, len(scores)) - scores
        precision = self._joined(self.item, weights, len(scores))
        return slope, precision + np.eye(scores.shape[1])

    def pulls(self, scores: Floats, sharpness: Floats) -> tuple[Floats, Floats]:
        """Of each pair: how hard it pulls its two scores apart, and how that lessens as they move."""
        alpha = sharpness[self.row]
        right = expit(alpha * (scores[self.item, self.first] - scores[self.item, self.second]))
        weight = self.weight[self.row]
        return weight * alpha * (1.0 - right), weight * alpha**2 * right * (1.0 - right)

    def of_answers(self, slopes: Floats, weights: Floats, n_answers: int) -> tuple[Floats, Floats]:
        """The pulls of each answer: vectors (n_answers, most classes) and matrices."""
        return self._spread(self.row, slopes, n_answers), self._joined(self.row, weights, n_answers)

    def _spread(self, place: Ints, slopes: Floats, n: int) -> Floats:
        most = self.in_play.shape[1]
        up = np.bincount(place * most + self.first, weights=slopes, minlength=n * most)
        down = np.bincount(place * most + self.second, weights=slopes, minlength=n * most)
        return np.asarray((up - down).reshape(n, most), dtype=np.float64)

    def _joined(self, place: Ints, weights: Floats, n: int) -> Floats:
        most = self.in_play.shape[1]
        cell = (place * most + self.first) * most + self.second
        across = np.bincount(cell, weights=weights, minlength=n * most * most).astype(np.float64)
        across = across.reshape(n, most, most)
        across = across + across.transpose(0, 2, 1)
        return np.asarray(across.sum(axis=2)[:, :, None] * np.eye(most) - across)


def _sharpness(
    pairs: _Pairs, rows: Rows, scores: Floats, precision: Floats, sharpness: Floats, typical: float
) -> Floats:
    """The likeliest sharpness of each annotator, its pairs taken for drawn from the others' scores."""
    of_row = sharpness[rows.annotator]
    slopes, matrices = pairs.of_answers(*pairs.pulls(scores, of_row), len(rows.values))
    without = precision[rows.item] - matrices
    others = scores[rows.item] - np.linalg.solve(without, slopes[..., None])[..., 0]
    unsure = np.linalg.inv(without)
    a, b, row = pairs.first, pairs.second, pairs.row
    gap = others[row, a] - others[row, b]
    variance = unsure[row, a, a] + unsure[row, b, b] - 2.0 * unsure[row, a, b]
    j = rows.annotator[row]
    told = [
        np.bincount(
            j,
            weights=pairs.weight[row] * log_expit(alpha * gap / np.sqrt(1.0 + np.pi / 8.0 * alpha**2 * variance)),
            minlength=len(sharpness),
        )
        - ((np.log(alpha) - typical) / PRIOR_SPREAD) ** 2 / 2
        for alpha in SHARPNESS
    ]
    return _peaks(np.array(told))


def _peaks(told: Floats) -> Floats:
    """The sharpness at the top of each column, between the points of the grid by a parabola."""
    best = np.clip(told.argmax(axis=0), 1, len(SHARPNESS) - 2)
    columns = np.arange(told.shape[1])
    below, at, above = (told[best + k, columns] for k in (-1, 0, 1))
    bend = below - 2.0 * at + above
    shift = np.clip(np.divide(below - above, 2.0 * bend, out=np.zeros_like(bend), where=bend < 0), -1.0, 1.0)
    step = np.log(SHARPNESS[1] / SHARPNESS[0])
    return np.asarray(SHARPNESS[best] * np.exp(shift * step))


def _merged(
    values: list[Any], names: list[str], scores: Floats, covariance: Floats, classes: tuple[str, ...]
) -> Merged:
    order = np.argsort(-scores[: len(names)].round(9), kind="stable").tolist()
    length = sorted(len(value) for value in values)[(len(values) - 1) // 2]
    if all_equal(values):
        order = [names.index(name) for name in values[0]]
    elif len(names) == len(classes) and length == len(classes) - 1:
        length += 1
    gaps = [_sure(scores, covariance, a, b) for a, b in pairwise(order)]
    around = [1.0, *gaps, 1.0]
    parts = [around[place] * around[place + 1] for place in range(len(order))][:length]
    value = [names[k] for k in order][:length]
    missing = [name for name in classes if name not in value]
    if len(missing) == 1:  # the canonical form of a ranking that leaves out a single class
        value, parts = [*value, *missing], [*parts, parts[-1]]
    return Merged(value, float(np.prod(gaps[: max(length, 0)])), tuple(parts))


def _sure(scores: Floats, covariance: Floats, a: int, b: int) -> float:
    """Probability that class a belongs before class b."""
    variance = covariance[a, a] + covariance[b, b] - 2.0 * covariance[a, b]
    return float(ndtr((scores[a] - scores[b]) / np.sqrt(variance)))
