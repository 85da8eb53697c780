from __future__ import annotations

import numpy as np
import pytest
from tests.aggregation.structured.made_up import plain, shared_out, table

from labelmill.aggregation.structured.ranking import RankingModel
from labelmill.domain.answers import AnswerTable
from labelmill.errors import NotFittedError
from labelmill.labels.ranking import Ranking

CLASSES = tuple("abcdef")
KIND = Ranking(classes=CLASSES)


def _ranked(seed: int, *, top: int = 6) -> tuple[AnswerTable, list[list[str]]]:
    """Utilities seen with noise by 5 of 8 people, of whom the first is sharp and the last two guess."""
    draw = np.random.default_rng(seed)
    utility, (item, person) = draw.normal(0, 1.5, (120, 6)), shared_out(draw, 120, 8, 5)
    noise = np.array([0.4, 0.8, 0.8, 1.0, 1.5, 2.0, 1e3, 1e3])
    seen = utility[item] + noise[person, None] * draw.normal(size=(len(item), 6))
    said, truth = ([[CLASSES[k] for k in order[:top]] for order in np.argsort(-of, axis=1)] for of in (seen, utility))
    return table(KIND, item, person, said, CLASSES), truth


@pytest.mark.parametrize("top", [6, 3])
def test_guessers_do_not_count(top: int) -> None:
    """Full and partial rankings: nearer to the truth than Kemeny's order of all, and than the sharpest annotator."""
    answers, truth = _ranked(0, top=top)

    model = RankingModel().fit(answers)
    found = [value for value, *_ in model.predict(answers)]
    apart = np.array([KIND.distance(a, b) for a, b in zip(found, truth, strict=True)])

    assert apart.mean() < 0.85 * np.mean([KIND.distance(a, b) for a, b in zip(plain(answers), truth, strict=True)])
    his = np.flatnonzero(answers.annotator_index == 0)
    own = [KIND.distance(answers.values[p], truth[answers.item_index[p]]) for p in his.tolist()]
    assert apart[answers.item_index[his]].mean() < np.mean(own)
    assert set(model.reliability_.argsort()[:2]) == {6, 7}
    assert model.reliability_.argmax() == 0


def test_neighbours_that_are_close_are_less_sure() -> None:
    """Where people disagree on two classes only, those two have the least confidence."""
    item, person = np.zeros(4, dtype=np.intp), np.arange(4)
    said = [list("abcdef"), list("abcdef"), list("abdcef"), list("abdcef")]

    _, _, parts = (
        RankingModel()
        .fit(table(KIND, item, person, said, CLASSES))
        .predict(table(KIND, item, person, said, CLASSES))[0]
    )

    assert set(np.argsort(parts)[:2]) == {2, 3}


def test_predicting_unfitted_is_refused() -> None:
    """There is nothing to predict with before a fit."""
    with pytest.raises(NotFittedError, match="fit"):
        RankingModel().predict(_ranked(0)[0])
