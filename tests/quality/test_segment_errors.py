from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from labelmill.domain.answers import AnswerTable, Merged
from labelmill.errors import UsageError
from labelmill.labels.segment import Segment
from labelmill.quality.segment_errors import find_segment_errors

TRUE: list[dict[str, Any]] = [{"label": "dog", "start": 1.0, "end": 2.0}, {"label": "cat", "start": 4.0, "end": 5.0}]


def _answers(wrong: list[dict[str, Any]]) -> tuple[AnswerTable, list[Merged]]:
    """Ten items, three annotators who are 10 ms off; the third answers the first item as told."""
    draw = np.random.default_rng(0)
    values = [[{**mark, "start": mark["start"] + float(draw.normal(0, 0.01))} for mark in TRUE] for _ in range(30)]
    values[2] = wrong
    table = AnswerTable(
        Segment(),
        [str(i) for i in range(10)],
        list("abc"),
        np.repeat(np.arange(10), 3),
        np.tile(np.arange(3), 10),
        values,
        classes=("dog", "cat"),
    )
    return table, [Merged(TRUE, 0.9, (0.95, 0.9))] * 10


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (TRUE[:1], "overlooked"),
        ([*TRUE, {"label": "dog", "start": 8.0, "end": 9.0}], "spurious"),
        ([TRUE[0], {**TRUE[1], "label": "dog"}], "swapped"),
        ([TRUE[0], {**TRUE[1], "end": 5.4}], "badly located"),
    ],
)
def test_each_error_is_named(wrong: list[dict[str, Any]], kind: str) -> None:
    """The surest suspicion is the one that was put in; noise of 10 ms raises none."""
    found = find_segment_errors(*_answers(wrong))

    assert [(kind, "0", "c")] == [(error.kind, error.item, error.annotator) for error in found]
    assert 0.5 <= found[0].score <= 1.0


def test_agreement_raises_no_suspicion() -> None:
    """Nothing is found where all agree to the last digit, nor where nobody answered."""
    table = AnswerTable(Segment(), ["x", "y"], list("ab"), [0, 0], [0, 1], [TRUE, TRUE], classes=("dog", "cat"))

    assert find_segment_errors(table, [Merged(TRUE, 1.0, (1.0, 1.0)), Merged(None, 0.0)]) == []


def test_a_merged_value_is_needed_for_each_item() -> None:
    """The message says what to give."""
    table, merged = _answers(TRUE)
    with pytest.raises(UsageError, match=r"what predict\(answers\) gives"):
        find_segment_errors(table, merged[:3])
