"""Votes whose truth is known because they are made up: a crowd, and six families of rules."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Votes(NamedTuple):
    """Integer-coded votes with gold for some items; `gold` is -1 elsewhere."""

    name: str
    by: str
    item: Any
    annotator: Any
    label: Any
    gold: Any
    n_annotators: int
    n_classes: int


def synthetic_crowd(n_items: int, votes_each: int = 5, n_people: int = 1000) -> Votes:
    """Four unbalanced classes; a tenth of the people answer at random, activity is Pareto distributed."""
    rng = np.random.default_rng(0)
    truth = rng.choice(4, n_items, p=[0.4, 0.3, 0.2, 0.1])
    activity = rng.pareto(1.5, n_people) + 0.2
    # The largest of exponential keys over activity: a weighted draw without repeats.
    people = np.concatenate(
        [
            np.argpartition(rng.exponential(size=(len(part), n_people)) / activity, votes_each, axis=1)[:, :votes_each]
            for part in np.array_split(np.arange(n_items), max(n_items // 1000, 1))
        ]
    ).ravel()
    confusion = np.empty((n_people, 4, 4))
    for j, right in enumerate(rng.beta(8, 3, n_people)):
        for k in range(4):
            errors = (1 - right) * rng.dirichlet(np.ones(3))
            confusion[j, k] = rng.dirichlet(np.ones(4)) if j % 10 == 0 else np.insert(errors, k, right)
    item = np.repeat(np.arange(n_items), votes_each)
    label = (rng.random(len(item))[:, None] > confusion[people, truth[item]].cumsum(axis=1)).sum(axis=1).clip(0, 3)
    order = rng.permutation(len(item))
    return Votes(f"made up, {n_items:,} items", "people", item[order], people[order], label[order], truth, n_people, 4)


def families(n_items: int = 20_000) -> list[Votes]:
    """Rules of our own, six families: what each rule names, how often it fires, how right it is, who copies whom."""
    two = {"names": None, "balance": [0.7, 0.3]}
    made = [
        ("made up, 20 rules, 3 of them copies", {**two, "n_rules": 20, "copies": 3}),
        ("made up, 12 two-sided rules", {**two, "n_rules": 12}),
        ("made up, 5 two-sided rules", {**two, "n_rules": 5}),
        ("made up, 10 one-sided rules", {"names": 1, "balance": [0.6, 0.4], "n_rules": 10}),
        ("made up, 12 one-sided rules, a rare class", {"names": 1, "balance": [0.9, 0.1], "n_rules": 12}),
        ("made up, 25 rules, 5 classes", {"names": 1, "balance": [0.3, 0.25, 0.2, 0.15, 0.1], "n_rules": 25}),
    ]
    return [rules(name, n_items=n_items, seed=seed, **given) for seed, (name, given) in enumerate(made)]


def rules(
    name: str,
    *,
    n_items: int,
    n_rules: int,
    balance: list[float],
    names: int | None,
    seed: int,
    copies: int = 1,
    coverage: float = 0.3,
) -> Votes:
    """Rules of accuracy 0.55 to 0.9; with `names` each names one class only, and fires there more often."""
    rng = np.random.default_rng(seed)
    n_classes = len(balance)
    truth = rng.choice(n_classes, n_items, p=balance)
    matrix = np.full((n_items, n_rules), -1)
    for j, right in enumerate(rng.permutation(np.linspace(0.55, 0.9, n_rules))):
        if names is None:
            correct = rng.random(n_items) < right
            other = (truth + rng.integers(1, n_classes, n_items)) % n_classes
            fires = rng.random(n_items) < coverage
            matrix[fires, j] = np.where(correct, truth, other)[fires]
        else:
            named = j % n_classes
            share = balance[named]
            # Precision halfway between the class's share and 1, as far as its accuracy says.
            precision = share + (1 - share) * (right - 0.4)
            rate = np.where(truth == named, precision / share, (1 - precision) / (1 - share))
            matrix[rng.random(n_items) < np.minimum(coverage * share * rate, 1.0), j] = named
    for j in range(n_rules - copies + 1, n_rules):
        slips = (rng.random(n_items) < 0.05) & (matrix[:, n_rules - copies] >= 0)
        matrix[:, j] = np.where(slips, (matrix[:, n_rules - copies] + 1) % n_classes, matrix[:, n_rules - copies])
    voted = (matrix >= 0).any(axis=1)
    item, annotator = np.nonzero(matrix >= 0)
    gold = np.where(voted, truth, -1)
    return Votes(name, "rules", item, annotator, matrix[item, annotator], gold, n_rules, n_classes)
