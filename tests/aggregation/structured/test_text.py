from __future__ import annotations

import numpy as np
import pytest

from labelmill.aggregation.structured.text import Rover
from labelmill.domain.answers import AnswerTable
from labelmill.domain.words import apart
from labelmill.errors import NotFittedError
from labelmill.labels.text import Text

WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "lnrst"]


def _table(rows: list[list[str]]) -> AnswerTable:
    """Row i: what annotators 0, 1, ... answer on item i."""
    cells = [(i, j, value) for i, row in enumerate(rows) for j, value in enumerate(row)]
    columns = [[cell[n] for cell in cells] for n in range(3)]
    names = [f"ann {j}" for j in range(max(len(row) for row in rows))]
    return AnswerTable(Text(), [str(i) for i in range(len(rows))], names, *columns)


def _typed(rates: list[float], n_items: int = 60, seed: int = 0) -> tuple[AnswerTable, list[str]]:
    """Texts of ten words; annotator j exchanges a word or leaves it out with probability `rates[j]`."""
    draw = np.random.default_rng(seed)
    truth = [[WORDS[k] for k in draw.integers(len(WORDS), size=10)] for _ in range(n_items)]

    def typed(words: list[str], rate: float) -> str:
        said = [word if draw.random() > rate else WORDS[draw.integers(len(WORDS))] for word in words]
        return " ".join(word for word in said if draw.random() > rate / 3)

    return _table([[typed(words, rate) for rate in rates] for words in truth]), [" ".join(words) for words in truth]


def _errors(found: list[str], truth: list[str]) -> float:
    return float(np.mean([apart(a.split(), b.split()) / 10 for a, b in zip(found, truth, strict=True)]))


@pytest.mark.parametrize("seed", range(2))
def test_careful_ones_are_followed(seed: int) -> None:
    """Two careful and three careless: nearer to the truth than the unweighted vote and than the most careful one."""
    table, truth = _typed([0.08, 0.08, 0.4, 0.45, 0.5], seed=seed)

    found = [merged.value for merged in Rover().fit(table).predict(table)]
    plain = [table.kind.merge([table.values[p] for p in rows], [1.0] * 5) for rows in table.by_item]
    best = [table.values[rows[0]] for rows in table.by_item]

    assert _errors(found, truth) < _errors(plain, truth)
    assert _errors(found, truth) < _errors(best, truth)


def test_reliabilities_are_in_the_true_order() -> None:
    """Who has more words wrong is trusted less, by about as much."""
    rates = [0.05, 0.2, 0.4]
    table, _ = _typed([0.05, *rates], n_items=80, seed=1)

    reliability = Rover().fit(table).reliability_[1:]

    assert (np.diff(reliability) < -0.1).all()


def test_agreement_raises_confidence() -> None:
    """Three who agree are surer than two, and two than two who differ in a word."""
    table = _table([["so it is"] * 3, ["so it is"] * 2, ["so it is", "so it was"]])

    three, two, odd = (confidence for _, confidence, _ in Rover().fit(table).predict(table))

    assert three > two > odd


def test_the_merge_may_be_what_nobody_typed() -> None:
    """Each word has its own majority."""
    table = _table([["the cat sat", "the bat sat down", "a cat sat down"]])

    assert Rover().fit(table).predict(table)[0].value == "the cat sat down"


def test_predicting_unfitted_is_refused() -> None:
    """There is nothing to predict with before a fit."""
    with pytest.raises(NotFittedError, match="fit"):
        Rover().predict(_table([["a"]]))
