from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from tests.aggregation.structured.made_up import plain, shared_out, table

from labelmill.aggregation.structured.number import NumberModel
from labelmill.domain.answers import AnswerTable
from labelmill.errors import NotFittedError, UsageError
from labelmill.labels.number import Number

Floats = npt.NDArray[np.float64]


def _measured(seed: int, *, blunders: float = 0.03, bias: float = 1.0) -> tuple[AnswerTable, Floats, Floats, Floats]:
    """Numbers around 50 by 5 of 12 people each; truth, biases and scales."""
    draw = np.random.default_rng(seed)
    truth, (item, person) = draw.normal(50, 20, 200), shared_out(draw, 200, 12, 5)
    late, scale = draw.normal(0, bias, 12), np.exp(draw.normal(0.5, 0.8, 12))
    late -= late.mean()
    said = truth[item] + late[person] + scale[person] * draw.normal(size=len(item))
    said = np.where(draw.random(len(item)) < blunders, draw.uniform(0, 100, len(item)), said)
    return table(Number(), item, person, said.tolist()), truth, late, scale


def _root_mean_square(x: Floats) -> float:
    return float(np.sqrt((x**2).mean()))


@pytest.mark.parametrize("seed", range(2))
def test_merge_beats_the_median_and_everybody(seed: int) -> None:
    """With blunders, biases and unequal noise: less than three quarters of the median's error, and below each one's."""
    answers, truth, *_ = _measured(seed)
    said = np.array(answers.values)

    found = np.array([value for value, *_ in NumberModel().fit(answers).predict(answers)])

    assert _root_mean_square(found - truth) < 0.75 * _root_mean_square(np.array(plain(answers)) - truth)
    for j in range(answers.n_annotators):
        his = answers.annotator_index == j
        on = answers.item_index[his]
        assert _root_mean_square((found - truth)[on]) < _root_mean_square(said[his] - truth[on])


def test_biases_and_scales_are_found() -> None:
    """Biases and scales go with the true ones."""
    answers, _, bias, scale = _measured(3, blunders=0.0)

    model = NumberModel().fit(answers)

    assert np.corrcoef(bias, model.bias_)[0, 1] > 0.8
    assert np.corrcoef(np.log(scale), np.log(model.scale_))[0, 1] > 0.9
    assert np.abs(model.bias_).max() < np.abs(bias).max() + 0.5


def test_one_who_is_far_off_moves_nobody() -> None:
    """A constant error of 1000 is that annotator's, not the truth's."""
    answers, truth, *_ = _measured(1, blunders=0.0, bias=0.1)
    said = np.array(answers.values) + np.where(answers.annotator_index == 4, 1000.0, 0.0)
    shifted = table(Number(), answers.item_index, answers.annotator_index, said.tolist())

    model = NumberModel().fit(shifted)
    found = np.array([value for value, *_ in model.predict(shifted)])

    assert model.bias_[4] == pytest.approx(1000.0, abs=3.0)
    assert abs(np.median(found - truth)) < 0.5


@pytest.mark.parametrize("factor", [1e-200, 1e150])
def test_the_unit_does_not_matter(factor: float) -> None:
    """Numbers a power of ten larger merge to numbers larger by the same, without overflow or vanishing."""
    answers, *_ = _measured(2)
    other = table(Number(), answers.item_index, answers.annotator_index, [factor * x for x in answers.values])

    found, scaled = (
        np.array([value for value, *_ in NumberModel().fit(given).predict(given)]) for given in (answers, other)
    )

    np.testing.assert_allclose(scaled / factor, found, rtol=1e-6)


def test_confidence_grows_with_the_answers() -> None:
    """Confidence is honest: as many truths lie within a typical scale of the merge as it says."""
    answers, truth, *_ = _measured(5, blunders=0.0)

    model = NumberModel().fit(answers)
    merged = model.predict(answers)
    within = [
        abs(value - true) <= model.details_["typical_scale"]
        for (value, *_), true in zip(merged, truth.tolist(), strict=True)
    ]

    assert np.mean([confidence for _, confidence, _ in merged]) == pytest.approx(np.mean(within), abs=0.07)


def test_bad_calls_are_refused() -> None:
    """Predicting unfitted, and degrees of freedom of 0."""
    answers, *_ = _measured(0)

    with pytest.raises(NotFittedError, match="fit"):
        NumberModel().predict(answers)
    with pytest.raises(UsageError, match="degrees"):
        NumberModel(degrees=0).fit(answers)


def test_extremes_give_no_nan() -> None:
    """The largest and smallest floats, and equal ones, merge to finite numbers of finite confidence."""
    item, person = np.repeat(np.arange(4), 3), np.tile(np.arange(3), 4)
    said = [1e308, -1e308, 0.0, 5e-324, 0.0, 0.0, 1.0, 1.0, 1.0, 1e308, 1e308, 1.0]
    answers = table(Number(), item, person, said)

    merged = NumberModel().fit(answers).predict(answers)

    assert np.isfinite([[value, confidence] for value, confidence, _ in merged]).all()
    assert merged[2].value == 1.0
