from __future__ import annotations

import numpy as np
import pytest

from labelmill.domain.answers import AnswerTable
from labelmill.errors import UsageError
from labelmill.labels.multi_choice import MultiChoice


def _table(item: list[int], annotator: list[int], values: list[list[str] | None]) -> AnswerTable:
    return AnswerTable(MultiChoice(), ["i", "k"], ["zoe", "abe"], item, annotator, values)


def test_answers_of_an_item_come_by_name() -> None:
    """Positions follow the annotators' names, and abstentions are left out."""
    table = _table([0, 0, 1, 1], [0, 1, 1, 0], [["a"], ["b"], None, []])

    assert [[1, 0], [3]] == [positions.tolist() for positions in table.by_item]


def test_select_keeps_answers_with_their_items() -> None:
    """Items in another order keep their answers, facts and confidences."""
    table = AnswerTable(
        MultiChoice(),
        ["i", "k"],
        ["abe"],
        [0, 1],
        [0, 0],
        [["a"], ["b"]],
        confidence=[0.1, 0.2],
        facts=[{"w": 1}, {"w": 2}],
    )

    other = table.select([1, 0])

    assert ["k", "i"] == other.items
    assert [["a"], ["b"]] == [other.values[int(p[0])] for p in reversed(other.by_item)]
    assert {"w": 2} == other.facts[0]
    np.testing.assert_array_equal([0.2], other.confidence[other.by_item[0]])


@pytest.mark.parametrize(
    ("item", "annotator", "values", "said"),
    [
        ([0, 2], [0, 0], [[], []], "item_index must lie between 0 and 1, found 0 to 2"),
        ([0, 1], [0, -1], [[], []], "annotator_index must lie between 0 and 1, found -1 to 0"),
        ([0], [0, 1], [[], []], "item_index must have one entry for each of 2 answers"),
        ([0, 0], [1, 1], [[], ["a"]], "'abe' answers item 'i' more than once"),
    ],
)
def test_what_does_not_fit_is_refused(
    item: list[int], annotator: list[int], values: list[list[str] | None], said: str
) -> None:
    """Indices outside the table, columns of different lengths, and two answers of one annotator on an item."""
    with pytest.raises(UsageError, match=said):
        _table(item, annotator, values)
