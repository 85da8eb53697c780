from __future__ import annotations

from typing import Any

import pytest

from labelmill.domain.answers import AnswerTable, Merged
from labelmill.errors import UsageError
from labelmill.labels.span import Span
from labelmill.quality.span_errors import span_errors, vote_doubts
from labelmill.quality.span_scores import span_agreement, span_scores


def _spans(*rows: tuple[int, int, str]) -> list[dict[str, Any]]:
    return [{"start": start, "end": end, "label": label} for start, end, label in rows]


def _table(*rows: Any) -> AnswerTable:
    """Row i: what annotators a, b, ... answer on item i."""
    cells = [(i, j, value) for i, row in enumerate(rows) for j, value in enumerate(row)]
    columns = [[cell[n] for cell in cells] for n in range(3)]
    return AnswerTable(Span(), [str(i) for i in range(len(rows))], list("abc"), *columns)


def test_strict_partial_and_by_class() -> None:
    """One hit, one half right, one of the wrong class: counted by hand."""
    gold = [_spans((0, 4, "PER"), (10, 14, "LOC")), _spans((0, 3, "PER"))]
    found = [_spans((0, 4, "PER"), (10, 12, "LOC")), _spans((0, 3, "LOC"))]

    scores = span_scores(gold, found)

    assert (scores.strict.hits, scores.strict.n_gold, scores.strict.n_predicted) == (1, 3, 3)
    assert scores.strict.f1 == pytest.approx(1 / 3)
    assert scores.partial.f1 == pytest.approx(1.5 / 3)
    assert (scores.by_class["PER"].precision, scores.by_class["PER"].recall) == (1.0, 0.5)
    assert (scores.by_class["LOC"].f1, scores.n_items) == (0.0, 2)


def test_items_without_an_answer_are_left_out() -> None:
    """None is not `[]`."""
    gold = [_spans((0, 4, "PER")), _spans((0, 4, "PER"))]

    assert span_scores(gold, [None, gold[1]]).strict.f1 == 1.0
    assert span_scores(gold, [[], gold[1]]).strict.recall == 0.5
    with pytest.raises(UsageError, match="one entry an item"):
        span_scores(gold, [[]])


def test_nothing_there_and_nothing_found_is_right() -> None:
    """No span at all is full agreement, and JSON says so."""
    scores = span_scores([[]], [[]])

    assert (scores.strict.f1, scores.strict.precision, scores.strict.recall) == (1.0, 1.0, 1.0)
    assert scores.to_dict()["strict"]["f1"] == 1.0


def test_agreement_counts_every_pair_of_answers() -> None:
    """Of three who answer, one pair agrees: 2 hits of 6 spans."""
    table = _table([_spans((0, 4, "PER")), _spans((0, 4, "PER")), _spans((0, 2, "PER"))])

    agreed = span_agreement(table)

    assert agreed.strict.f1 == pytest.approx(1 / 3)
    assert agreed.partial.f1 == pytest.approx((1 + 0.5 + 0.5) / 3)


def test_errors_are_told_apart() -> None:
    """Overlooked, badly located, swapped and spurious, each with what should be there."""
    merged = [Merged(_spans((0, 4, "PER"), (10, 14, "LOC"), (20, 24, "PER")), 0.5, (0.9, 0.8, 0.7))]
    answer = _spans((0, 3, "PER"), (10, 14, "PER"), (30, 33, "LOC"))
    table = _table([answer, merged[0].value, merged[0].value])

    found = span_errors(table, merged)

    scores = dict(found.select("error", "score").rows())
    assert {"badly_located": 0.9, "swapped": 0.8, "overlooked": 0.7}.items() <= scores.items()
    assert set(found["annotator"]) == {"a"}
    assert found.filter(error="badly_located")["should_end"].to_list() == [4]
    assert found.filter(error="swapped")["should_label"].to_list() == ["LOC"]
    assert found.filter(error="overlooked")["start"].to_list() == [None]
    assert found.filter(error="spurious").select("start", "should_start").rows() == [(30, None)]
    assert found["score"].to_list() == sorted(found["score"], reverse=True)


def test_doubts_name_every_span_that_was_marked() -> None:
    """A span merged as it is is doubted by what its probability leaves."""
    table = _table([_spans((0, 4, "PER")), []])

    doubts = vote_doubts(table, [Merged(_spans((0, 4, "PER")), 0.5, (0.75,))])

    assert doubts.select("annotator", "error", "score").rows() == [("a", None, 0.25)]
    with pytest.raises(UsageError, match="one for each"):
        span_errors(table, [])
