from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from labelmill.aggregation._temperature import bend, log_of_soft, newton
from labelmill.aggregation._weighing import Seen
from labelmill.aggregation.joint import Joint
from labelmill.aggregation.majority_vote import MajorityVote
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.sums import drive
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable

NO_VOTES = VoteTable([], [], ("a", "b"), [], [], [])
Floats = npt.NDArray[np.float64]
N_ITEMS, N_CLASSES = 1500, 3


def _mixed(
    *, person_accuracy: float = 0.93, answered: float = 0.4, people_each: int = 1, sharpness: float | None = 1.0
) -> tuple[VoteTable, npt.NDArray[np.intp]]:
    """Ten people, nine rules that name one class each, and a model unless `sharpness` is None."""
    rng = np.random.default_rng(0)
    truth = rng.integers(N_CLASSES, size=N_ITEMS)
    matrix = np.full((N_ITEMS, 20), ABSTAIN)
    for i in np.flatnonzero(rng.random(N_ITEMS) < answered):
        for j in rng.permutation(10)[:people_each]:
            right = rng.random() < person_accuracy
            matrix[i, j] = truth[i] if right else (truth[i] + rng.integers(1, N_CLASSES)) % N_CLASSES
    for j in range(10, 19):
        named = j % N_CLASSES
        matrix[rng.random(N_ITEMS) < np.where(truth == named, 0.3, 0.06), j] = named
    soft = {}
    if sharpness is not None:
        scores = rng.normal(size=(N_ITEMS, N_CLASSES))
        scores[np.arange(N_ITEMS), truth] += 2.0
        odds = np.exp(2.0 * sharpness * scores)
        soft[19] = odds / odds.sum(axis=1, keepdims=True)
        matrix[:, 19] = soft[19].argmax(axis=1)
    item, annotator = np.nonzero(matrix != ABSTAIN)
    kinds: list[AnnotatorKind | None] = [*["person"] * 10, *["rule"] * 9, "model"]  # type: ignore[list-item]
    table = VoteTable(
        [str(i) for i in range(N_ITEMS)],
        [f"annotator {j}" for j in range(20)],
        ("a", "b", "c"),
        item,
        annotator,
        matrix[item, annotator],
        kinds=kinds,
        soft=soft,
    )
    return table, truth


def _sole_answers(table: VoteTable) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Items that one person answered, and the answers."""
    by_person = table.annotator_index < 10
    item, label = table.item_index[by_person], table.label[by_person]
    return item.astype(np.intp), label.astype(np.intp)


@pytest.mark.parametrize("sharpness", [None, 0.3, 1.0, 4.0])
def test_a_sole_person_normally_wins_over_machines(sharpness: float | None) -> None:
    """Rules and a model together seldom overrule a single good person, however loud the model."""
    table, _ = _mixed(sharpness=sharpness)
    items, answers = _sole_answers(table)

    kept = Joint().fit(table).predict_proba(table)[items].argmax(axis=1) == answers

    assert kept.mean() > 0.95


def test_people_and_machines_are_better_together() -> None:
    """Over all items the joint answer is better than the majority of everybody's votes."""
    table, truth = _mixed(people_each=3)
    voted = table.has_votes

    joint, majority = (
        (model.fit(table).predict_proba(table).argmax(axis=1) == truth)[voted].mean()
        for model in (Joint(), MajorityVote())
    )

    assert joint > majority + 0.01


def test_temperature_undoes_overconfidence() -> None:
    """A model four times too sure gets about a quarter of the temperature of the same model as it is."""
    calm, loud = (Joint().fit(_mixed(people_each=3, sharpness=s)[0]).temperatures_[19] for s in (1.0, 4.0))

    assert 0.15 < loud / calm < 0.4


def test_temperature_is_capped() -> None:
    """A shy model is not raised beyond 5 times its word, and annotators without probabilities have none."""
    table, _ = _mixed(sharpness=0.05, people_each=3)

    temperatures = Joint().fit(table).temperatures_

    assert temperatures[19] == 5.0
    assert np.isnan(temperatures[:19]).all()


def test_an_uninformative_model_is_turned_down() -> None:
    """A model whose probabilities have nothing to do with the answers ends near temperature 0."""
    table, _ = _mixed(people_each=3)
    noise = np.random.default_rng(1).dirichlet(np.full(3, 0.3), size=N_ITEMS)
    deaf = VoteTable(
        table.items,
        table.annotators,
        table.classes,
        table.item_index,
        table.annotator_index,
        np.where(table.annotator_index == 19, noise.argmax(axis=1)[table.item_index], table.label),
        kinds=table.kinds,
        soft={19: noise},
    )

    assert Joint().fit(deaf).temperatures_[19] < 0.1


def test_without_witnesses_the_model_is_taken_at_its_word() -> None:
    """Nobody to judge it by: temperature 1, and the model's labels."""
    soft = np.random.default_rng(0).dirichlet(np.ones(3), size=30)
    table = VoteTable(
        [str(i) for i in range(30)],
        ["net"],
        ("a", "b", "c"),
        np.arange(30),
        np.zeros(30),
        soft.argmax(axis=1),
        kinds=["model"],
        soft={0: soft},
    )

    model = Joint().fit(table)

    assert model.temperatures_.tolist() == [1.0]
    assert model.predict_proba(table).argmax(axis=1).tolist() == soft.argmax(axis=1).tolist()


def test_inferred_kinds_are_told() -> None:
    """Without kinds in the table, `details_` says who was taken for what."""
    told, _ = _mixed()
    untold = VoteTable(
        told.items,
        told.annotators,
        told.classes,
        told.item_index,
        told.annotator_index,
        told.label,
        soft=told.soft,
    )

    kinds = Joint().fit(untold).details_["kinds"]

    assert kinds["counts"] == {"person": 10, "rule": 9, "model": 1}
    assert kinds["inferred"]["annotator 12"] == "rule"


def test_newton_finds_the_temperature() -> None:
    """Targets made at temperature 0.5 give 0.5 back."""
    rng = np.random.default_rng(0)
    logs = log_of_soft(rng.dirichlet(np.ones(4), size=2000))
    odds = np.exp(0.5 * logs)

    targets, weights = odds / odds.sum(axis=1, keepdims=True), np.ones(len(odds))

    steps = newton(1.0, lambda at: lambda _: bend(logs, targets, weights, at, np.zeros_like(logs)).sums)
    found = drive(steps, lambda ask: ask(NO_VOTES))

    assert found == pytest.approx(0.5, abs=0.01)


def test_missing_probabilities_say_nothing() -> None:
    """A row of NaN has log evidence 0 for every class; a zero is floored."""
    logs = log_of_soft(np.array([[np.nan, np.nan], [1.0, 0.0]]))

    np.testing.assert_allclose([[0.0, 0.0], [0.0, np.log(1e-6)]], logs)


def _fooled(*, power: float) -> tuple[VoteTable, npt.NDArray[np.intp]]:
    """Nine people who fall for the same items, and a classifier that does not: what it says is raised to a power."""
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=2000)
    trap = rng.random(2000) < 0.25
    scores = rng.normal(size=(2000, 2))
    scores[np.arange(2000), truth] += 2.0
    odds = np.exp(2.0 * power * scores)
    soft = odds / odds.sum(axis=1, keepdims=True)
    matrix = np.full((2000, 13), ABSTAIN)
    for i in range(2000):
        people = rng.permutation(12)[:9]
        right = rng.random(9) < (0.4 if trap[i] else 0.85)
        matrix[i, people] = np.where(right, truth[i], 1 - truth[i])
    matrix[:, 12] = soft.argmax(axis=1)
    item, annotator = np.nonzero(matrix != ABSTAIN)
    kinds: list[AnnotatorKind | None] = [*["person"] * 12, "model"]  # type: ignore[list-item]
    names = ([str(i) for i in range(2000)], [f"annotator {j}" for j in range(13)], ("a", "b"))
    return VoteTable(*names, item, annotator, matrix[item, annotator], kinds=kinds, soft={12: soft}), truth


@pytest.mark.parametrize("power", [0.5, 1.0, 3.0])
def test_a_good_classifier_is_believed_where_people_err_together(power: float) -> None:
    """Its temperature is what calibrates it, not what people's common errors make of it; both beat the people."""
    table, truth = _fooled(power=power)

    model = Joint().fit(table)
    alone = Joint().fit(table.select_annotators(range(12)))

    joint, people = (
        (each.predict_proba(of).argmax(axis=1) == truth).mean()
        for each, of in ((model, table), (alone, table.select_annotators(range(12))))
    )
    assert model.temperatures_[12] * power == pytest.approx(1.0, abs=0.25)
    assert model.people_weight_ < 0.7
    assert joint > people + 0.04


def test_uncontested_people_outweigh_machines_whatever_their_weight() -> None:
    """Where trusted people agree, the weight of their word together never lets machines overrule them."""
    table, _ = _mixed(people_each=2, sharpness=3.0, person_accuracy=0.97)
    by_person = table.annotator_index < 10
    counts = np.zeros((N_ITEMS, N_CLASSES))
    np.add.at(counts, (table.item_index[by_person], table.label[by_person]), 1)
    agreed = (counts.max(axis=1) == 2) & (counts.sum(axis=1) == 2)
    model = Joint().fit(table)

    weighing = replace(model._weighing, people_weight=0.01)
    found = weighing.believe(Seen.of(table, weighing.is_person)).argmax(axis=1)

    assert (found == counts.argmax(axis=1))[agreed].all()


def test_without_models_people_count_in_full() -> None:
    """There is nothing to learn a weight of people's word from."""
    assert Joint().fit(_mixed(sharpness=None, people_each=3)[0]).people_weight_ == 1.0
