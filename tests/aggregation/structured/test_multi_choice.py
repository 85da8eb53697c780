from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit
from tests.aggregation.structured.made_up import plain, shared_out, table

from labelmill.aggregation.shrinkage_dawid_skene import ShrinkageDawidSkene
from labelmill.aggregation.structured.multi_choice import MultiChoiceModel
from labelmill.domain.answers import AnswerTable
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import NotFittedError
from labelmill.labels.multi_choice import MultiChoice

Flags = npt.NDArray[np.bool_]

N_CLASSES = 12
CLASSES = tuple(f"class {k:02}" for k in range(N_CLASSES))


def _named(seed: int) -> tuple[AnswerTable, Flags, Flags]:
    """4 of 20 people on 200 items, at rates of their own that classes mostly share; truth and what they named."""
    draw = np.random.default_rng(seed)
    applies = draw.random((200, N_CLASSES)) < draw.beta(1, 6, N_CLASSES)
    item, person = shared_out(draw, 200, 20, 4)
    finds, leaves = (
        expit(middle + draw.normal(0, 1.2, (20, 1)) + draw.normal(0, 0.5, (20, N_CLASSES))) for middle in (1.2, 2.8)
    )
    named = draw.random((len(item), N_CLASSES)) < np.where(applies[item], finds[person], 1 - leaves[person])
    return table(MultiChoice(classes=CLASSES), item, person, [_names(row) for row in named], CLASSES), applies, named


def _names(row: Flags) -> list[str]:
    return [CLASSES[k] for k in np.flatnonzero(row)]


def _flags(values: list[list[str]]) -> Flags:
    return np.array([[name in value for name in CLASSES] for value in values])


def _f1(true: Flags, found: Flags) -> float:
    return float(2 * (true & found).sum() / (true.sum() + found.sum()))


@pytest.mark.parametrize("seed", range(2))
def test_sharing_beats_a_table_for_each_class(seed: int) -> None:
    """Better than the majority, than Dawid-Skene class by class, and than everybody on their own items."""
    answers, applies, named = _named(seed)

    found = _flags([value for value, *_ in MultiChoiceModel().fit(answers).predict(answers)])
    by_class = np.stack([_by_itself(answers, named[:, k]) for k in range(N_CLASSES)], axis=1)

    assert _f1(applies, found) > _f1(applies, by_class)
    assert _f1(applies, found) > _f1(applies, _flags(plain(answers))) + 0.03
    for j in range(answers.n_annotators):
        his = answers.annotator_index == j
        on = answers.item_index[his]
        assert _f1(applies[on], found[on]) > _f1(applies[on], named[his])


def _by_itself(answers: AnswerTable, named: Flags) -> Flags:
    votes = VoteTable(
        answers.items,
        answers.annotators,
        ("no", "yes"),
        answers.item_index,
        answers.annotator_index,
        named.astype(int),
        kinds=["person"] * answers.n_annotators,
    )
    return np.asarray(ShrinkageDawidSkene().fit(votes).predict_proba(votes)[:, 1] > 0.5)


def test_parts_are_the_probabilities_of_the_classes_named() -> None:
    """A part for each class named; the confidence is that of all classes together."""
    answers, *_ = _named(2)

    model = MultiChoiceModel().fit(answers)
    merged, probabilities = model.predict(answers)[0], model.predict_proba(answers)[0]

    named = np.array([name in merged.value for name in CLASSES])
    np.testing.assert_allclose(merged.parts, probabilities[named])
    assert merged.confidence == pytest.approx(np.prod(np.where(named, probabilities, 1 - probabilities)))


def test_predicting_unfitted_is_refused() -> None:
    """There is nothing to predict with before a fit."""
    with pytest.raises(NotFittedError, match="fit"):
        MultiChoiceModel().predict(_named(0)[0])
