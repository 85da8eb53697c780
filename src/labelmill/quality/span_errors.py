"""Spans that are probably wrong: overlooked, badly located, of the wrong class, or where nothing is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import polars as pl

from labelmill.domain.answers import AnswerTable, Merged
from labelmill.domain.matching import one_to_one
from labelmill.errors import UsageError

__all__ = ["SpanError", "span_errors", "vote_doubts"]

SpanError = Literal["overlooked", "badly_located", "swapped", "spurious"]

Span = Mapping[str, Any]

SCHEMA = {
    "item": pl.String,
    "annotator": pl.String,
    "error": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,
    "label": pl.String,
    "should_start": pl.Int64,
    "should_end": pl.Int64,
    "should_label": pl.String,
    "score": pl.Float64,
}


class _Doubt(NamedTuple):
    """One span of one answer, or of the merge where the answer has none; `error` is None where both have it."""

    error: SpanError | None
    said: Span | None
    should: Span | None
    score: float


def span_errors(answers: AnswerTable, merged: Sequence[Merged], *, at_least: float = 0.5) -> pl.DataFrame:
    """Where answers differ from what was merged of them, the surest errors first.

    Parameters
    ----------
    answers : AnswerTable
        Of kind `span`.
    merged : sequence of Merged
        One an item, in order, with a probability for each span.
    at_least : float
        Scores below are left out.

    Returns
    -------
    polars.DataFrame
        One row an error: `item`, `annotator`, `error` (`overlooked`: the answer has nothing there; `badly_located`:
        same class, other ends; `swapped`: other class; `spurious`: nothing is there), `start, end, label` as answered
        (null where overlooked), `should_start, should_end, should_label` as merged (null where spurious), `score`
        (0 to 1, probability that the answer is wrong here).

    Raises
    ------
    UsageError
        If there is not one merged value for each item.
    """
    rows = [row for row in _rows(answers, merged) if row["error"] is not None and row["score"] >= at_least]
    return pl.DataFrame(rows, schema=SCHEMA).sort("score", "item", "annotator", descending=[True, False, False])


def vote_doubts(answers: AnswerTable, merged: Sequence[Merged]) -> pl.DataFrame:
    """The same columns for every span that anybody marked, right or wrong, in the order of items and annotators.

    The score of a span that was merged as it is is one minus its probability.
    """
    return pl.DataFrame([row for row in _rows(answers, merged) if row["start"] is not None], schema=SCHEMA)


def _rows(answers: AnswerTable, merged: Sequence[Merged]) -> Iterator[dict[str, Any]]:
    if len(merged) != answers.n_items:
        raise UsageError(f"{len(merged)} merged values for {answers.n_items} items: give one for each, in order")
    for item, positions, (value, _, parts) in zip(answers.items, answers.by_item, merged, strict=True):
        said = [answers.values[position] for position in positions]
        for n, position in enumerate(positions.tolist()):
            who = answers.annotators[answers.annotator_index[position]]
            for doubt in _doubts(said[n], value or [], parts, [*said[:n], *said[n + 1 :]]):
                yield _row(item, who, doubt)


def _doubts(
    said: Sequence[Span], merged: Sequence[Span], parts: Sequence[float], others: Sequence[Any]
) -> list[_Doubt]:
    """Every span of the answer, and every merged span it lacks."""
    chance = dict(enumerate(parts)) if parts else dict.fromkeys(range(len(merged)), 1.0)
    table = [[_nearness(span, should) for should in merged] for span in said]
    partner = dict(one_to_one(table)) if said and merged else {}
    found = []
    for i, span in enumerate(said):
        if i not in partner:
            found.append(_Doubt("spurious", span, None, _alone(span, others)))
            continue
        should, probability = merged[partner[i]], chance[partner[i]]
        if dict(span) == dict(should):
            found.append(_Doubt(None, span, should, 1.0 - probability))
        else:
            error: SpanError = "badly_located" if span["label"] == should["label"] else "swapped"
            found.append(_Doubt(error, span, should, max(probability, _alone(span, others))))
    missed = set(range(len(merged))) - set(partner.values())
    return found + [_Doubt("overlooked", None, merged[k], chance[k]) for k in sorted(missed)]


def _nearness(a: Span, b: Span) -> float:
    """Overlap; equal spans before any others, those of one class before those of two."""
    common = min(a["end"], b["end"]) - max(a["start"], b["start"])
    if common <= 0:
        return 0.0
    share = common / (a["end"] - a["start"] + b["end"] - b["start"] - common)
    return float((share + 1.0 if share == 1.0 else share) * (1.0 if a["label"] == b["label"] else 0.5))


def _alone(span: Span, others: Sequence[Any]) -> float:
    """Share of the other answers that do not have this span, with one that has and two that have not beside them."""
    without = sum(span not in other for other in others)
    return (without + 2.0) / (len(others) + 3.0)


def _row(item: str, who: str, doubt: _Doubt) -> dict[str, Any]:
    said, should = doubt.said or {}, doubt.should or {}
    return {
        "item": item,
        "annotator": who,
        "error": doubt.error,
        "score": doubt.score,
        **{key: said.get(key) for key in ("start", "end", "label")},
        **{f"should_{key}": should.get(key) for key in ("start", "end", "label")},
    }
