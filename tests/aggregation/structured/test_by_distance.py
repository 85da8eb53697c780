from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from labelmill.aggregation.structured.by_distance import ByDistance
from labelmill.domain.answers import AnswerTable
from labelmill.errors import NotFittedError
from labelmill.labels.multi_choice import MultiChoice

CLASSES = tuple("abcdef")


def _noisy(rates: list[float], n_items: int, seed: int) -> tuple[AnswerTable, list[list[str]]]:
    """Sets of classes, each class flipped by annotator j with probability `rates[j]`."""
    draw = np.random.default_rng(seed)
    truth = draw.random((n_items, len(CLASSES))) < 0.4
    said = truth[:, None, :] ^ (draw.random((n_items, len(rates), len(CLASSES))) < np.array(rates)[None, :, None])
    table = AnswerTable(
        MultiChoice(classes=CLASSES),
        [str(i) for i in range(n_items)],
        [f"ann {j}" for j in range(len(rates))],
        np.repeat(np.arange(n_items), len(rates)),
        np.tile(np.arange(len(rates)), n_items),
        [_names(row) for rows in said for row in rows],
        classes=CLASSES,
    )
    return table, [_names(row) for row in truth]


def _names(row: npt.NDArray[np.bool_]) -> list[str]:
    return [name for name, is_on in zip(CLASSES, row.tolist(), strict=True) if is_on]


@pytest.mark.parametrize("seed", range(3))
def test_two_good_outweigh_three_bad(seed: int) -> None:
    """The merge is nearer to the truth than the unweighted merge, and than the best single annotator."""
    rates = [0.06, 0.06, 0.4, 0.45, 0.45]
    table, truth = _noisy(rates, n_items=150, seed=seed)
    kind = table.kind

    merged = [value for value, *_ in ByDistance().fit(table).predict(table)]
    plain = [kind.merge([table.values[p] for p in positions], [1.0] * 5) for positions in table.by_item]
    best = [table.values[int(positions[0])] for positions in table.by_item]

    merged_error, plain_error, best_error = (
        np.mean([kind.distance(a, b) for a, b in zip(found, truth, strict=True)]) for found in (merged, plain, best)
    )

    assert merged_error < plain_error
    assert merged_error < best_error + 0.01


def test_reliabilities_are_in_the_true_order() -> None:
    """Who errs more is trusted less."""
    table, _ = _noisy([0.05, 0.15, 0.3, 0.45], n_items=200, seed=1)

    reliability = ByDistance().fit(table).reliability_

    assert (np.diff(reliability) < 0).all()


def test_agreement_raises_confidence() -> None:
    """Four who agree are surer than two, and two who agree than two who do not."""
    kind = MultiChoice(classes=CLASSES)
    rows = [[["a"]] * 4, [["a"]] * 2, [["a"], ["b"]]]
    cells = [(i, j, value) for i, row in enumerate(rows) for j, value in enumerate(row)]
    table = AnswerTable(
        kind, list("xyz"), list("ABCD"), [i for i, *_ in cells], [j for _, j, _ in cells], [v for *_, v in cells]
    )

    four, two, odd = (confidence for _, confidence, _ in ByDistance().fit(table).predict(table))

    assert four > two > odd


def test_predicting_unfitted_is_refused() -> None:
    """There is nothing to predict with before a fit."""
    table, _ = _noisy([0.1], n_items=1, seed=0)
    with pytest.raises(NotFittedError, match="fit"):
        ByDistance().predict(table)
