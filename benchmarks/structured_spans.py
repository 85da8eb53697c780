"""Spans that a crowd marked, and texts that a simulated crowd typed: merged, scored on gold, beside peers.

    python benchmarks/structured_spans.py [--cache FOLDER]

Spans are read from ../shared/data where present; peers run in virtual environments of their own under the cache
folder, made on first use.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import rankdata

import typed_texts
from labelmill import registry
from labelmill.domain.vote_table import VoteTable
from labelmill.quality.span_errors import vote_doubts
from labelmill.quality.span_scores import span_agreement, span_scores
from span_peers import ask
from span_tokens import TokenVotes, spans_of, token_votes

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests import conll_spans

CHOSEN_ON, REPORTED_ON = "val", "test"


class Row(NamedTuple):
    """One contestant's spans."""

    name: str
    cpu_seconds: float
    spans: list[Any]


def main(arguments: list[str] | None = None) -> str:
    """Measure, print Markdown, and return it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "labelmill-peers")
    text = tables(parser.parse_args(arguments).cache)
    print(text)
    return text


def report() -> str:
    """The tables, as Markdown."""
    return main([])


def tables(cache: Path) -> str:
    """Markdown: spans, best single annotators, wrong votes, texts."""
    parts = []
    if conll_spans.HERE.is_dir():
        marked = conll_spans.read()
        merged, seconds = _ours(marked)
        rows = [*_tokenwise(marked), *_spanwise(marked), Row("**labelmill span**", seconds, [m.value for m in merged])]
        parts += [_table(marked, rows), _singles(marked, rows[-1]), _doubts(marked, merged, cache)]
    else:
        parts.append(f"*No spans at {conll_spans.HERE}: left out.*")
    return "\n\n".join([*parts, typed_texts.report(cache)])


def _ours(marked: conll_spans.Marked) -> tuple[list[Any], float]:
    started = time.process_time()
    merged = registry.find("structured_model", "span")().fit(marked.answers).predict(marked.answers)
    return merged, time.process_time() - started


def _tokenwise(marked: conll_spans.Marked) -> list[Row]:
    """Each token an item of its own; runs of tags are read as spans."""
    rows = []
    for name, model in (("token majority vote", "majority_vote"), ("token Dawid-Skene", "shrinkage_dawid_skene")):
        started = time.process_time()
        votes = token_votes(marked.answers)
        table = VoteTable(
            range(votes.n_tokens), marked.answers.annotators, votes.tags, votes.token, votes.annotator, votes.tag,
            kinds=["person"] * marked.answers.n_annotators,
        )  # fmt: skip
        chosen = registry.find("label_model", model)().fit(table).predict_proba(table).argmax(axis=1)
        rows.append(Row(name, time.process_time() - started, spans_of(chosen, votes, marked.answers)))
    return rows


def _spanwise(marked: conll_spans.Marked) -> list[Row]:
    """Boundaries alone: whole spans are counted, and their ends are medians."""
    kind, rows = marked.answers.kind, []
    started = time.process_time()
    plain = [
        kind.merge([marked.answers.values[p] for p in positions], [1.0] * len(positions)) if len(positions) else None
        for positions in marked.answers.by_item
    ]
    rows.append(Row("spans by majority, median ends", time.process_time() - started, plain))
    started = time.process_time()
    merged = registry.find("structured_model", "by_distance")().fit(marked.answers).predict(marked.answers)
    return [*rows, Row("labelmill by_distance", time.process_time() - started, [m.value for m in merged])]


def _table(marked: conll_spans.Marked, rows: Sequence[Row]) -> str:
    agreed = span_agreement(marked.answers)
    lines = [
        f"**CoNLL spans, {marked.answers.n_items} documents, {marked.answers.n_annotators} people** (people agree with "
        f"each other by strict F1 {agreed.strict.f1:.3f}, partial {agreed.partial.f1:.3f}). Options were chosen on "
        f"the half `{CHOSEN_ON}` alone; the half `{REPORTED_ON}` is for reporting.",
        "",
        "| | CPU s | strict F1, all | precision | recall | F1, `val` | F1, `test` | partial F1 |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        every = span_scores(marked.gold, row.spans)
        halves = [_half(marked, row.spans, half).strict.f1 for half in (CHOSEN_ON, REPORTED_ON)]
        strict = every.strict
        cells = [strict.f1, strict.precision, strict.recall, *halves, every.partial.f1]
        lines.append(f"| {row.name} | {row.cpu_seconds:.1f} | " + " | ".join(f"{cell:.3f}" for cell in cells) + " |")
    by_class = ", ".join(f"{name} {s.f1:.3f}" for name, s in span_scores(marked.gold, rows[-1].spans).by_class.items())
    return "\n".join([*lines, "", f"By class, strict F1 of labelmill: {by_class}."])


def _half(marked: conll_spans.Marked, spans: Sequence[Any], half: str) -> Any:
    mine = [i for i, name in enumerate(marked.half) if name == half]
    return span_scores([marked.gold[i] for i in mine], [spans[i] for i in mine])


def _singles(marked: conll_spans.Marked, ours: Row) -> str:
    """Every annotator on the documents he marked, beside the merge on the same documents."""
    answers, rows = marked.answers, []
    for j, _ in enumerate(answers.annotators):
        own = {int(answers.item_index[p]): answers.values[p] for p in np.flatnonzero(answers.annotator_index == j)}
        gold = [marked.gold[i] for i in own]
        pair = (
            span_scores(gold, list(own.values())).strict.f1,
            span_scores(gold, [ours.spans[i] for i in own]).strict.f1,
        )
        rows.append((*pair, len(own)))
    alone, merged, n = max(rows)
    ahead = sum(one < other for one, other, _ in rows)
    few = [row for row in rows if row[0] >= row[1]]
    told = "; ".join(f"{one:.3f} against {other:.3f} on {k} documents" for one, other, k in sorted(few, reverse=True))
    return (
        f"Single people, each on the documents he marked: the merge is ahead of {ahead} of {len(rows)}. The best "
        f"single one has {alone:.3f} on {n} documents, where the merge has {merged:.3f}."
        + (f" Not behind the merge: {told}." if told else "")
    )


def _doubts(marked: conll_spans.Marked, merged: Sequence[Any], cache: Path) -> str:
    """How well wrong spans are told from right ones, in what people marked and in what was merged."""
    doubts = vote_doubts(marked.answers, merged)
    gold = _keys(marked.answers.items, marked.gold)
    said = list(doubts.select("item", "start", "end", "label").iter_rows())
    wrong = np.array([key not in gold for key in said])
    votes = token_votes(marked.answers)
    peer = ask("cleanlab", cache, votes.to_dict())
    theirs = np.array([1 - s for s in _span_minimum(peer["votes"], votes, marked.answers)])
    kept = [(i, span, p) for i, m in enumerate(merged) for span, p in zip(m.value or [], m.parts, strict=True)]
    false = np.array([(marked.answers.items[i], *span.values()) not in gold for i, span, _ in kept])
    token = np.array(peer["consensus"])
    first = [votes.tokens_of(i, span) for i, span, _ in kept]
    lines = [
        "**Wrong spans told from right ones, AUROC**",
        "",
        f"| | in the {len(said):,} that people marked | in the {len(kept):,} that were merged |",
        "|---|--:|--:|",
        f"| labelmill | {auroc(doubts['score'].to_numpy(), wrong):.3f} | "
        f"{auroc(np.array([1 - p for *_, p in kept]), false):.3f} |",
        f"| cleanlab, token scores | {auroc(theirs, wrong):.3f} | "
        f"{auroc(np.array([1 - token[a:b].min() for a, b in first]), false):.3f} |",
        "",
        "cleanlab's token classification scores take the vote shares of the others (of all, for what was merged) as "
        "probabilities of the tags; a span has its worst token's score. Wrong: not a gold span.",
    ]
    return "\n".join(lines)


def _span_minimum(scores: Sequence[float], votes: TokenVotes, answers: Any) -> list[float]:
    """Of each marked span, in the order of `vote_doubts`: items, annotators, spans."""
    table = np.array(scores)
    place = {(int(a), int(t)): row for row, (a, t) in enumerate(zip(votes.annotator, votes.token, strict=True))}
    found = []
    for i, positions in enumerate(answers.by_item):
        for p in positions:
            for span in answers.values[p]:
                start, end = votes.tokens_of(i, span)
                row = place[int(answers.annotator_index[p]), start]
                found.append(float(table[row : row + end - start].min()))
    return found


def _keys(items: Sequence[str], spans: Sequence[Any]) -> set[Any]:
    return {(item, *span.values()) for item, found in zip(items, spans, strict=True) for span in found}


def auroc(score: Any, positive: Any) -> float:
    """Chance that a positive scores above a negative, ties half."""
    ranks, n = rankdata(score), positive.sum()
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * (len(positive) - n)))


if __name__ == "__main__":
    main()
