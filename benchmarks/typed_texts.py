"""Texts typed by simulated people: words exchanged, left out and put in at rates of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from labelmill import registry
from labelmill.domain.answers import AnswerTable
from labelmill.domain.words import apart
from labelmill.labels.text import Text
from span_peers import ask

HERE = Path(__file__).resolve().parents[2] / "shared" / "data" / "text"

CROWDS = {
    "eight people of all sorts": (0.05, 0.08, 0.12, 0.18, 0.25, 0.35, 0.45, 0.6),
    "two careful, six careless": (0.05, 0.08, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5),
}
"""Share of words that each gets wrong."""

SOURCES = ("ag_news", "trec_questions")


def report(cache: Path, n_texts: int = 300, seed: int = 0) -> str:
    """Word error rates, as Markdown."""
    if not HERE.is_dir():
        return f"*No texts at {HERE}: left out.*"
    lines = [
        f"**Texts typed by simulated people** ({n_texts} texts of each of {', '.join(SOURCES)}, five of eight people "
        "each; half of the errors are words exchanged, the rest left out or put in). Word error rate, %, mean over "
        "both; no set of real transcriptions with gold was at hand, and constants were set on simulations of this "
        "kind.",
        "",
        "| | " + " | ".join(CROWDS) + " | CPU s |",
        "|---|" + "--:|" * (len(CROWDS) + 1),
    ]
    found: dict[str, list[list[float]]] = {}
    seconds: dict[str, float] = {}
    for rates in CROWDS.values():
        for source in SOURCES:
            table, truth = typed(source, rates, n_texts, seed)
            for name, solve in _contestants(cache).items():
                texts, cpu = solve(table)
                seconds[name] = seconds.get(name, 0.0) + cpu
                found.setdefault(name, []).append([100 * _errors(texts, truth)])
            found.setdefault("best single person, on his own texts", []).append([100 * _best(table, truth)])
    for name, errors in found.items():
        halves = np.array(errors).reshape(len(CROWDS), len(SOURCES)).mean(axis=1)
        cpu_cell = f"{seconds[name]:.1f}" if name in seconds else ""
        lines.append(f"| {name} | " + " | ".join(f"{value:.2f}" for value in halves) + f" | {cpu_cell} |")
    return "\n".join(lines)


def typed(
    source: str, rates: tuple[float, ...], n_texts: int, seed: int, each: int = 5
) -> tuple[AnswerTable, list[str]]:
    """What people typed, and what they should have."""
    draw = np.random.default_rng(seed)
    texts = [" ".join(text.split()) for text in pl.read_csv(HERE / source / "items.csv", infer_schema=False)["text"]]
    texts = [text for text in texts if 5 <= len(text.split()) <= 40]
    chosen = [texts[i] for i in draw.permutation(len(texts))[:n_texts]]
    words = sorted({word for text in chosen for word in text.split()})
    who = [draw.choice(len(rates), each, replace=False).tolist() for _ in chosen]
    cells = [(i, j, _noisy(text, rates[j], words, draw)) for i, text in enumerate(chosen) for j in who[i]]
    columns = [[cell[n] for cell in cells] for n in range(3)]
    names = [f"person {j}" for j in range(len(rates))]
    return AnswerTable(Text(), [str(i) for i in range(len(chosen))], names, *columns), chosen


def _noisy(text: str, rate: float, words: list[str], draw: np.random.Generator) -> str:
    typed_words = []
    for word in text.split():
        chance = draw.random()
        if chance < rate / 2:
            other = words[draw.integers(len(words))]
            typed_words.append(other if draw.random() < 0.5 else f"{word[:-1]}{'aeiou'[draw.integers(5)]}")
        elif chance >= 0.75 * rate:
            typed_words.append(word)
        if draw.random() < rate / 4:
            typed_words.append(words[draw.integers(len(words))])
    return " ".join(typed_words)


def _contestants(cache: Path) -> dict[str, Callable[[AnswerTable], tuple[list[str], float]]]:
    def clocked(solve: Callable[[AnswerTable], list[str]]) -> Callable[[AnswerTable], tuple[list[str], float]]:
        def call(table: AnswerTable) -> tuple[list[str], float]:
            started = time.process_time()
            return solve(table), time.process_time() - started

        return call

    def by_model(name: str) -> Callable[[AnswerTable], list[str]]:
        model = registry.find("structured_model", name)
        return lambda table: [merged.value for merged in model().fit(table).predict(table)]

    return {
        "nearest to all (medoid)": clocked(_medoid),
        "unweighted vote on words": clocked(_plain),
        "crowd-kit ROVER": lambda table: _crowd_kit(table, cache),
        "labelmill by_distance": clocked(by_model("by_distance")),
        "**labelmill text**": clocked(by_model("text")),
    }


def _plain(table: AnswerTable) -> list[str]:
    return [table.kind.merge([table.values[p] for p in rows], [1.0] * len(rows)) for rows in table.by_item]


def _medoid(table: AnswerTable) -> list[str]:
    found = []
    for rows in table.by_item:
        texts = [table.values[p] for p in rows]
        found.append(min(texts, key=lambda text: sum(table.kind.distance(text, other) for other in texts)))
    return found


def _crowd_kit(table: AnswerTable, cache: Path) -> tuple[list[str], float]:
    arrays = {"task": table.item_index, "worker": table.annotator_index, "text": np.array(table.values)}
    answer = ask("crowd-kit", cache, {**arrays, "n": table.n_items})
    return answer["texts"], answer["seconds"]


def _errors(found: list[str], truth: list[str]) -> float:
    """Word edits over words."""
    edits = sum(apart(a.split(), b.split()) for a, b in zip(found, truth, strict=True))
    return edits / sum(len(text.split()) for text in truth)


def _best(table: AnswerTable, truth: list[str]) -> float:
    shares = []
    for j in range(table.n_annotators):
        rows = np.flatnonzero(table.annotator_index == j)
        shares.append(_errors([table.values[p] for p in rows], [truth[table.item_index[p]] for p in rows]))
    return min(shares)
