from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.aggregation.conftest import Gold
from tests.aggregation.structured.made_up import plain, shared_out, table

from labelmill.aggregation.structured.rating import RatingModel
from labelmill.domain.answers import AnswerTable
from labelmill.errors import NotFittedError, UsageError
from labelmill.labels.rating import Rating

LEVELS = ("1", "2", "3", "4", "5")


def _rated(seed: int, bias: list[float], spread: list[float], each: int = 4) -> tuple[AnswerTable, list[str]]:
    """Levels seen with a bias and a spread by each person."""
    draw = np.random.default_rng(seed)
    truth, (item, person) = draw.integers(5, size=300), shared_out(draw, 300, len(bias), each)
    seen = truth[item] + np.array(bias)[person] + np.array(spread)[person] * draw.normal(size=len(item))
    said = [LEVELS[k] for k in np.clip(np.round(seen), 0, 4).astype(int)]
    return table(Rating(classes=LEVELS), item, person, said, LEVELS), [LEVELS[k] for k in truth]


def _steps(found: list[str], truth: list[str]) -> float:
    return float(np.mean([abs(int(a) - int(b)) for a, b in zip(found, truth, strict=True)]))


@pytest.mark.parametrize("seed", range(2))
def test_biases_are_set_right(seed: int) -> None:
    """Strict, generous and vague people: a third fewer steps off than the median, and biases of the right sign."""
    bias = [1.2, 1.0, -1.0, 0.0, 0.1, 0.0]
    answers, truth = _rated(seed, bias, [0.4, 0.4, 0.4, 0.4, 0.5, 2.5])

    model = RatingModel().fit(answers)
    found = [value for value, *_ in model.predict(answers)]

    assert _steps(found, truth) < 0.67 * _steps(plain(answers), truth)
    assert model.details_["bias"]["0000"] > 0.3 > -0.3 > model.details_["bias"]["0002"]
    assert model.reliability_.argmin() == 5


def test_the_median_is_fewer_steps_off() -> None:
    """Where people are vague, choosing the median costs no steps against choosing the likeliest."""
    answers, truth = _rated(0, [0.0] * 6, [1.5] * 6, each=3)

    likeliest, median = (
        _steps([value for value, *_ in RatingModel(choose=choose).fit(answers).predict(answers)], truth)
        for choose in ("likeliest", "median")
    )

    assert median <= likeliest


def test_probabilities_are_those_of_the_levels() -> None:
    """Rows sum to 1 and the merged value is the likeliest; its confidence is the probability."""
    answers, _ = _rated(1, [0.0] * 5, [0.8] * 5)

    model = RatingModel().fit(answers)
    probabilities = model.predict_proba(answers)

    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    for (value, confidence, _), row in zip(model.predict(answers), probabilities, strict=True):
        assert confidence == pytest.approx(row[LEVELS.index(value)])


@pytest.mark.parametrize("name", ["adult", "web"])
def test_real_ratings_beat_the_median(name: str, real_sets: Callable[..., dict[str, Gold]]) -> None:
    """On real ratings: more often right than the median, and fewer steps off."""
    votes, items, gold = real_sets("crowd", "person")[name]
    keep = np.unique(votes.item_index.astype(np.int64) * votes.n_annotators + votes.annotator_index, return_index=True)[
        1
    ]
    answers = AnswerTable(
        Rating(classes=votes.classes),
        votes.items,
        votes.annotators,
        votes.item_index[keep],
        votes.annotator_index[keep],
        [votes.classes[k] for k in votes.label[keep].tolist()],
        classes=votes.classes,
    )

    found = [value for value, *_ in RatingModel().fit(answers).predict(answers)]
    level = {label: k for k, label in enumerate(votes.classes)}
    off, median_off = (
        np.array([level[values[i]] - k for i, k in zip(items.tolist(), gold.tolist(), strict=True)])
        for values in (found, plain(answers))
    )

    assert (off == 0).mean() > (median_off == 0).mean() + 0.02
    assert np.abs(off).mean() < 0.9 * np.abs(median_off).mean()


def test_bad_calls_are_refused() -> None:
    """Predicting unfitted, and choosing by a word that means nothing."""
    answers, _ = _rated(0, [0.0] * 4, [0.5] * 4)

    with pytest.raises(NotFittedError, match="fit"):
        RatingModel().predict(answers)
    with pytest.raises(UsageError, match="'likeliest' or 'median'"):
        RatingModel(choose="mean").fit(answers)
