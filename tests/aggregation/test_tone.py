from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from labelmill.aggregation._tone import LOUDEST, Lean, SharedErrors, Tone, lean
from labelmill.aggregation.joint import Joint
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable

Floats = npt.NDArray[np.float64]
N_ITEMS, N_CLASSES, N_PEOPLE = 900, 3, 6
KINDS: list[AnnotatorKind | None] = [*["person"] * N_PEOPLE, "model"]  # type: ignore[list-item]
SCALE, LEAD = np.array([0.6, 1.4, 1.0]), np.array([1.5, 0.0, -1.5])
"""What the skewed model makes of its log probabilities, class by class."""


def _beside_people(
    *, is_skewed: bool, accuracy: float = 0.75, shared: float = 0.0, n_items: int = N_ITEMS
) -> tuple[VoteTable, npt.NDArray[np.intp]]:
    """Three of six people on each item, and a model; on items of class 2 people say 0 together at the rate `shared`."""
    rng = np.random.default_rng(3)
    truth = rng.integers(N_CLASSES, size=n_items)
    scores = rng.normal(size=(n_items, N_CLASSES))
    scores[np.arange(n_items), truth] += 2.0
    logs = 2.0 * scores
    logs -= np.log(np.exp(logs).sum(axis=1, keepdims=True))
    soft = np.exp(SCALE * logs + LEAD if is_skewed else logs)
    soft /= soft.sum(axis=1, keepdims=True)
    taken = np.where((truth == 2) & (rng.random(n_items) < shared), 0, truth)
    item, person = (
        np.repeat(np.arange(n_items), 3),
        np.concatenate([rng.permutation(N_PEOPLE)[:3] for _ in range(n_items)]),
    )
    right = rng.random(len(item)) < accuracy
    label = np.where(right, taken[item], (taken[item] + rng.integers(1, N_CLASSES, len(item))) % N_CLASSES)
    table = VoteTable(
        [str(i) for i in range(n_items)],
        [*(f"person {j}" for j in range(N_PEOPLE)), "net"],
        ("a", "b", "c"),
        np.append(item, np.arange(n_items)),
        np.append(person, np.full(n_items, N_PEOPLE)),
        np.append(label, soft.argmax(axis=1)),
        kinds=KINDS,
        soft={N_PEOPLE: soft},
    )
    return table, truth


def _loss(model: Joint, table: VoteTable, truth: npt.NDArray[np.intp]) -> float:
    p = model.fit(table).predict_proba(table)
    return float(-np.log(p[np.arange(len(truth)), truth]).mean())


def test_a_model_skewed_by_class_is_set_right() -> None:
    """Leads are taken back, and the answers are better than with one temperature for all classes."""
    table, truth = _beside_people(is_skewed=True)

    one, each = Joint(by_class=False), Joint()
    loss_of_one, loss_of_each = _loss(one, table, truth), _loss(each, table, truth)

    assert each.class_leads_[N_PEOPLE, 0] < -0.4
    assert each.class_leads_[N_PEOPLE, 2] > 0.4
    assert np.isnan(each.class_leads_[:N_PEOPLE]).all()
    assert loss_of_each < 0.9 * loss_of_one


def test_a_calibrated_model_stays_as_it_is() -> None:
    """Where one temperature is enough, leads stay small and the answers as good."""
    table, truth = _beside_people(is_skewed=False)

    one, each = Joint(by_class=False), Joint()
    loss_of_one, loss_of_each = _loss(one, table, truth), _loss(each, table, truth)

    assert np.abs(each.class_leads_[N_PEOPLE]).max() < 0.25
    assert loss_of_each < 1.02 * loss_of_one


def test_errors_that_people_share_are_not_held_against_the_model() -> None:
    """Where all take class 2 for class 0 at times, a calibrated model is left nearly as it is: its certainty tells."""
    table, _ = _beside_people(is_skewed=False, shared=0.4)

    assert np.abs(Joint().fit(table).class_leads_[N_PEOPLE]).max() < 0.2


def test_too_few_answers_teach_nothing_by_class() -> None:
    """Below ten answered items a class there is one temperature."""
    table, _ = _beside_people(is_skewed=True, n_items=29)

    model = Joint().fit(table)

    assert model.class_leads_[N_PEOPLE].tolist() == [0.0, 0.0, 0.0]
    assert np.ptp(model.class_temperatures_[N_PEOPLE]) == 0.0


def test_class_order_changes_nothing() -> None:
    """Turned classes turn leads and temperatures by class with them."""
    table, _ = _beside_people(is_skewed=True, n_items=200)
    order = np.array([2, 0, 1])
    place = np.argsort(order)
    turned = VoteTable(
        table.items,
        table.annotators,
        [table.classes[k] for k in order],
        table.item_index,
        table.annotator_index,
        place[table.label],
        kinds=table.kinds,
        soft={j: p[:, order] for j, p in table.soft.items()},
    )

    plain, other = Joint().fit(table), Joint().fit(turned)

    np.testing.assert_allclose(plain.class_leads_[N_PEOPLE, order], other.class_leads_[N_PEOPLE], atol=1e-6)
    np.testing.assert_allclose(
        plain.class_temperatures_[N_PEOPLE, order], other.class_temperatures_[N_PEOPLE], atol=1e-6
    )


def test_slopes_are_those_of_the_likelihood() -> None:
    """First derivatives agree with finite differences of the likelihood of people's answers."""
    rng = np.random.default_rng(0)
    logs, beside, people = (rng.normal(size=(20, 3)) for _ in range(3))
    weights, shares = rng.random(20) + 0.5, SharedErrors().shares(3)
    tone = Tone(0.7, (0.1, -0.05, -0.05), (0.2, -0.3, 0.1))

    def likelihood(other: Tone) -> float:
        scores = beside + other.say(logs, np.ones(20, dtype=np.bool_))
        expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        return float(weights @ np.log((expected * (np.exp(people) @ shares.T)).sum(axis=1)))

    slope = Lean.of(lean(tone, logs, beside, people, weights, shares)).slope
    step = 1e-6
    for k in range(3):
        nudge = np.eye(3)[k] * step
        tilted = Tone(0.7, tuple(np.array(tone.tilts) + nudge), tone.leads)
        led = Tone(0.7, tone.tilts, tuple(np.array(tone.leads) + nudge))
        assert slope[0, k] == pytest.approx((likelihood(tilted) - likelihood(tone)) / step, abs=1e-4)
        assert slope[1, k] == pytest.approx((likelihood(led) - likelihood(tone)) / step, abs=1e-4)


def test_a_step_without_evidence_leads_home() -> None:
    """Where no item speaks, tilts and leads go back to none and the temperature to the mean."""
    tone = Tone(1.0, (0.1, -0.1), (0.5, -0.5)).moved(Lean.none(2))

    assert tone.temperature == pytest.approx(1.0)
    np.testing.assert_allclose([tone.tilts, tone.leads], 0.0, atol=1e-12)


def test_no_step_goes_beyond_the_loudest() -> None:
    """What all classes gain is the temperature's, which stays at its limit."""
    found = Lean(np.array([[50.0, 50.0], [0.0, 0.0]]), np.ones((3, 2)) * [[1.0], [0.0], [1.0]], np.zeros((2, 2)))

    assert Tone(LOUDEST).moved(found).temperature == LOUDEST
