"""The CoNLL spans that 47 people marked, as a table of answers with gold."""

from __future__ import annotations

import json
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from labelmill.domain.answers import AnswerTable
from labelmill.labels.span import Span

HERE = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "spans" / "conll_ner_crowd"


class Marked(NamedTuple):
    """Answers, the true spans of each item, and which half of the set each item is in."""

    answers: AnswerTable
    gold: list[list[dict[str, Any]]]
    half: list[str]


def read(folder: Path = HERE) -> Marked:
    """Tokens are joined by single spaces, and spans counted in characters."""
    items = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    texts = {item["item"]: " ".join(item["tokens"]) for item in items}
    tokens = {item["item"]: _offsets(item["tokens"]) for item in items}
    gold = _spans(pl.read_csv(folder / "truth_spans.csv"), tokens, ["item"])
    said = _spans(pl.read_csv(folder / "votes_spans.csv"), tokens, ["item", "worker"])
    views = pl.read_csv(folder / "views.csv")
    row = {item: i for i, item in enumerate(texts)}
    people = sorted(set(views["worker"]))
    answers = AnswerTable(
        Span(classes=("PER", "LOC", "ORG", "MISC")),
        list(texts),
        people,
        [row[item] for item in views["item"]],
        [people.index(worker) for worker in views["worker"]],
        [said.get(view, []) for view in views.iter_rows()],
        classes=("PER", "LOC", "ORG", "MISC"),
        facts=[{"text": text, "tokens": tokens[item]} for item, text in texts.items()],
    )
    return Marked(answers, [gold.get((item,), []) for item in texts], [item["split"] for item in items])


def _offsets(tokens: list[str]) -> list[tuple[int, int]]:
    ends = accumulate(len(token) + 1 for token in tokens)
    return [(end - 1 - len(token), end - 1) for token, end in zip(tokens, ends, strict=True)]


def _spans(frame: pl.DataFrame, tokens: dict[str, Any], by: list[str]) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for span in frame.sort("start", "end").iter_rows(named=True):
        offsets = tokens[span["item"]]
        found.setdefault(tuple(span[name] for name in by), []).append(
            {"start": offsets[span["start"]][0], "end": offsets[span["end"] - 1][1], "label": span["label"]}
        )
    return found
