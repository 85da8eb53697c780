"""Objects on images, whatever their shape: which exist, of which class, and where they lie."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._fitted import require_fitted
from labelmill.aggregation._options import at_least_one
from labelmill.aggregation.structured._drawings import Drawings, Grouped, Shape, Similarity, drawings_of, grouped
from labelmill.aggregation.structured._existence import (
    Believed,
    Candidates,
    Habits,
    believe,
    candidates_of,
    learned_habits,
    start_of,
)
from labelmill.aggregation.structured._noise import errors_of_pairs
from labelmill.domain.answers import AnswerTable, Merged
from labelmill.domain.attribute_merging import merged_attributes
from labelmill.errors import UsageError

__all__ = ["Objects", "Places"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

CLOSE_ENOUGH = 1e-5
NO_PLACE = frozenset({"label", "score", "attributes"})
"""What a shape tells besides where it lies."""

PRIOR_OBJECTS = 4.0
"""Objects at the crowd's F1 that every annotator starts with, in `reliability_`."""


class Places(Protocol):
    """What a kind of shape adds: how alike two are, and where one lies that stands for many."""

    def learn_scale(self, drawings: Drawings) -> None:
        """See what is needed to compare shapes at all."""

    @property
    def similarity(self) -> Similarity:
        """How alike the shapes on one item are."""

    def learn_noise(self, drawings: Drawings, groups: Grouped, exists: Floats, error: Floats) -> None:
        """Learn how far off everybody draws; `error` is 1 - similarity to the truth, by annotator and for strangers."""

    def placed(self, drawings: Drawings, groups: Grouped, clusters: Ints) -> list[dict[str, Any]]:
        """The shape, without a class, of each of these clusters."""


class Objects(ABC):
    """Label model for lists of shapes; see `BoxModel`, `PolygonModel` and `PointModel` for what is learned."""

    reliability_: Floats
    details_: dict[str, Any]
    _name: str

    def __init__(self, *, max_iterations: int = 50, least: float = 0.5, seed: int = 0) -> None:
        self.max_iterations = max_iterations
        self.least = least
        self.seed = seed

    @abstractmethod
    def _new_places(self) -> Places:
        """What is particular to the kind of shape."""

    def fit(self, answers: AnswerTable) -> Self:
        """Learn everybody's misses, false alarms, mix-ups and noise.

        Raises
        ------
        UsageError
            If `max_iterations` is less than 1, or `least` not between 0 and 1.
        """
        at_least_one(max_iterations=self.max_iterations)
        if not 0.0 <= self.least < 1.0:
            raise UsageError(f"least must be from 0 to below 1, found {self.least}")
        # Sums over items must not depend on the order of items.
        order = sorted(range(answers.n_items), key=lambda row: answers.items[row])
        self._annotators = {name: j for j, name in enumerate(sorted(answers.annotators))}
        self._labels = {name: k for k, name in enumerate(_labels(answers))}
        drawings = drawings_of(answers, order, self._annotators, self._labels)
        self._places = self._new_places()
        self._places.learn_scale(drawings)
        groups = grouped(drawings, drawings.annotator, self._places.similarity)
        candidates = candidates_of(drawings, groups, len(self._labels))
        believed, iterations, converged = self._learn(drawings, groups, candidates, _machines(answers))
        error = errors_of_pairs(
            drawings.annotator[groups.one],
            drawings.annotator[groups.other],
            1.0 - groups.alike,
            believed.exists[groups.cluster[groups.one]],
            len(self._annotators),
        )
        self._places.learn_noise(drawings, groups, believed.exists, error)
        reliability = _f1(drawings, candidates, believed, error)
        self._trust = _trust_of(reliability)
        self.reliability_ = reliability[[self._annotators[name] for name in answers.annotators]]
        self.details_ = self._details(drawings, believed, error, iterations, converged=converged)
        return self

    def predict(self, answers: AnswerTable) -> list[Merged]:
        """The objects of each item that are likelier than `least`, with the chance of each to be there and so named.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        require_fitted(self, "_habits")
        drawings = drawings_of(answers, range(answers.n_items), self._annotators, self._labels)
        groups = grouped(drawings, _owners(answers), self._places.similarity)
        candidates = candidates_of(drawings, groups, len(self._labels))
        believed = believe(drawings, groups, candidates, self._habits)
        named = _best_options(candidates, believed, len(groups.item))
        wanted = np.flatnonzero(believed.exists > self.least)
        shapes = dict(zip(wanted.tolist(), self._located(drawings, groups, wanted), strict=True))
        return self._told(answers, drawings, groups, candidates, believed, named, shapes)

    def _learn(
        self, drawings: Drawings, groups: Grouped, candidates: Candidates, machines: npt.NDArray[np.bool_]
    ) -> tuple[Believed, int, bool]:
        believed = start_of(drawings, groups, candidates)
        n_labels = len(self._labels)
        habits: Habits | None = None
        converged, iterations = False, 0
        while not converged and iterations < self.max_iterations:
            habits = learned_habits(drawings, groups, candidates, believed, machines, n_labels, habits)
            after = believe(drawings, groups, candidates, habits)
            converged = bool(np.abs(after.exists - believed.exists).max(initial=0.0) < CLOSE_ENOUGH)
            believed, iterations = after, iterations + 1
        assert habits is not None  # noqa: S101 - there is at least one iteration
        self._habits = habits
        return believed, iterations, converged

    def _located(self, drawings: Drawings, groups: Grouped, clusters: Ints) -> list[dict[str, Any]]:
        """Where the clusters lie; where all drew the same, exactly there."""
        members = _rows_of(groups, clusters)
        places = [{k: v for k, v in shape.items() if k not in NO_PLACE} for shape in drawings.shapes]
        shared = {
            number: places[rows[0]]
            for number, rows in members.items()
            if all(places[row] == places[rows[0]] for row in rows)
        }
        rest = np.array([number for number in members if number not in shared], dtype=np.intp)
        shared.update(zip(rest.tolist(), self._places.placed(drawings, groups, rest), strict=True))
        return [shared[number] for number in clusters.tolist()]

    def _told(
        self,
        answers: AnswerTable,
        drawings: Drawings,
        groups: Grouped,
        candidates: Candidates,
        believed: Believed,
        named: Ints,
        shapes: Mapping[int, dict[str, Any]],
    ) -> list[Merged]:
        names = _names(drawings)
        cluster_bounds = np.searchsorted(groups.item, np.arange(answers.n_items + 1)).tolist()
        drawing_bounds = np.searchsorted(drawings.item, np.arange(answers.n_items + 1)).tolist()
        members = _rows_of(groups, np.array(list(shapes), dtype=np.intp)) if _have_attributes(drawings) else {}
        merged = []
        for i, positions in enumerate(answers.by_item):
            if not len(positions):
                merged.append(Merged(None, 0.0))
                continue
            clusters = range(cluster_bounds[i], cluster_bounds[i + 1])
            value = answers.values[int(positions[0])]
            if all(answers.values[position] == value for position in positions.tolist()):
                first = range(drawing_bounds[i], drawing_bounds[i] + len(value))
                rows = [_option(candidates, groups, drawings, row) for row in first]
                parts = [float(believed.options[row]) for row in rows]
            else:
                found = []
                for c in (c for c in clusters if c in shapes):
                    label = names[int(candidates.label[named[c]]), i]
                    told = self._attributes(answers, drawings, members.get(c, []), label)
                    found.append(({"label": label, **shapes[c], **told}, float(believed.options[named[c]])))
                found.sort(key=lambda pair: _place(pair[0]))
                value, parts = [shape for shape, _ in found], [part for _, part in found]
            out = [1.0 - float(believed.exists[c]) for c in clusters if believed.exists[c] <= self.least]
            merged.append(Merged(value, min(math.prod([*parts, *out]), 1.0), tuple(min(p, 1.0) for p in parts)))
        return merged

    def _attributes(
        self, answers: AnswerTable, drawings: Drawings, rows: list[int], label: str
    ) -> dict[str, dict[str, Any]]:
        """What those who drew an object say of it, each by its reliability."""
        weights = self._trust[drawings.annotator[rows]].tolist()
        return merged_attributes([drawings.shapes[row] for row in rows], weights, label, answers.attributes)

    def _details(
        self, drawings: Drawings, believed: Believed, error: Floats, iterations: int, *, converged: bool
    ) -> dict[str, Any]:
        habits = self._habits
        drew = np.bincount(drawings.asked_annotator, minlength=len(self._annotators))
        typical = habits.classes / habits.classes.sum()
        return {
            "model": self._name,
            "iterations": iterations,
            "converged": converged,
            "objects_per_item": habits.objects,
            "candidates": len(believed.exists),
            "annotators": {
                name: {
                    "found": float(habits.found[j] @ typical),
                    "false_alarms_per_item": float(habits.alarms[j]),
                    "right_class": float(habits.right[j]),
                    "location_error": float(error[j]),
                }
                for name, j in self._annotators.items()
                if drew[j]
            },
        }


def _trust_of(reliability: Floats) -> Floats:
    """Shape (n_annotators + 1,): everybody's weight in votes; of strangers, who are last, and the silent the mean."""
    known = reliability[np.isfinite(reliability)]
    mean = float(known.mean()) if len(known) else 1.0
    return np.append(np.where(np.isfinite(reliability), reliability, mean), mean)


def _rows_of(groups: Grouped, clusters: Ints) -> dict[int, list[int]]:
    """The drawings in each of these clusters."""
    members: dict[int, list[int]] = {number: [] for number in clusters.tolist()}
    for row, number in enumerate(groups.cluster.tolist()):
        if number in members:
            members[number].append(row)
    return members


def _have_attributes(drawings: Drawings) -> bool:
    return any("attributes" in shape for shape in drawings.shapes)


def _labels(answers: AnswerTable) -> list[str]:
    seen = {shape["label"] for value in answers.values if value is not None for shape in value}
    return sorted(seen | set(answers.classes))


def _machines(answers: AnswerTable) -> npt.NDArray[np.bool_]:
    """Which annotators, sorted by name, are rules or models; where the kind is unknown, those that give scores."""
    scored = {
        answers.annotators[int(answers.annotator_index[position])]
        for positions in answers.by_item
        for position in positions.tolist()
        if any(shape.get("score") is not None for shape in answers.values[position])
    }
    kinds = dict(zip(answers.annotators, answers.kinds, strict=True))
    return np.array(
        [kinds[name] in {"rule", "model"} or (kinds[name] is None and name in scored) for name in sorted(kinds)],
        dtype=np.bool_,
    )


def _owners(answers: AnswerTable) -> Ints:
    """For each drawing, in the order of `drawings_of`, its answer: strangers share a number, but not an answer."""
    positions = [position for rows in answers.by_item for position in rows.tolist()]
    return np.repeat(np.array(positions, dtype=np.intp), [len(answers.values[position]) for position in positions])


def _names(drawings: Drawings) -> dict[tuple[int, int], str]:
    """Name of each label code on each item; several unknown labels on an item go by the first of them."""
    names: dict[tuple[int, int], str] = {}
    for code, item, shape in zip(drawings.label.tolist(), drawings.item.tolist(), drawings.shapes, strict=True):
        names.setdefault((code, item), shape["label"])
    return names


def _best_options(candidates: Candidates, believed: Believed, n_clusters: int) -> Ints:
    """The likeliest class of each cluster; ties go to the first by code point."""
    order = np.lexsort((candidates.label, -np.round(believed.options, 12), candidates.cluster))
    return np.asarray(order[np.searchsorted(candidates.cluster[order], np.arange(n_clusters))])


def _option(candidates: Candidates, groups: Grouped, drawings: Drawings, row: int) -> int:
    """The option of a drawing's cluster that is of the drawing's own class."""
    option = int(np.searchsorted(candidates.cluster, groups.cluster[row]))
    while candidates.label[option] != drawings.label[row]:
        option += 1
    return option


def _f1(drawings: Drawings, candidates: Candidates, believed: Believed, error: Floats) -> Floats:
    """Expected soft F1 of each annotator's drawings against the truth, shrunk to the crowd's; NaN without answers."""
    n = len(error) - 1
    j = drawings.annotator[candidates.drawing]
    same = drawings.label[candidates.drawing] == candidates.label[candidates.option]
    hits = np.bincount(j, weights=believed.options[candidates.option] * same, minlength=n) * (1.0 - error[:n])
    drawn = np.bincount(drawings.annotator, minlength=n)
    who = drawings.asked_annotator[candidates.answer]
    there = np.bincount(who, weights=believed.exists[candidates.cluster_asked], minlength=n)
    total = float((drawn + there).sum())
    crowd = 2.0 * float(hits.sum()) / total if total > 0 else 1.0
    f1 = (2.0 * hits + 2.0 * PRIOR_OBJECTS * crowd) / (drawn + there + 2.0 * PRIOR_OBJECTS)
    answered = np.bincount(drawings.asked_annotator, minlength=n) > 0
    return np.where(answered, np.clip(f1, 0.0, 1.0), np.nan)


def _place(shape: Shape) -> tuple[Any, ...]:
    """The order of shapes in the values of their kinds."""
    if "points" in shape:
        return shape["points"], shape["label"]
    size = (shape["width"], shape["height"], shape.get("rotation", 0.0)) if "width" in shape else ()
    return shape["x"], shape["y"], *size, shape["label"]
