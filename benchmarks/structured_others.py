"""Segments, ratings, numbers, several choices, rankings and comparisons: merged, plain, and the best single annotator.

    python benchmarks/structured_others.py [--cache FOLDER]

The best single annotator is chosen on half of the items with gold and judged on the other half, many times, beside the
merged values of those very items: choosing and judging on the same items would find the luckiest. crowd-kit runs in a
virtual environment of its own, single-threaded. Ratings and the times of segments are real, read from ../shared/data
where present; people who mark segments, and all else, are made up at the rates stated.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import comparisons

FEWEST = 15
"""Answers with gold that an annotator needs, twice, to be chosen."""

SPLITS = 50
"""Of the items into halves."""

SEEDS = range(3)


class Row(NamedTuple):
    """Mean losses of one set: the lower, the better."""

    name: str
    merged: float
    by_distance: float
    plain: float
    single: float
    merged_there: float
    cpu_seconds: float


def main(arguments: list[str] | None = None) -> str:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "labelmill-peers")
    options = parser.parse_args(arguments)
    text = "\n\n".join([losses(), segments(), comparisons.report(options.cache)])
    print(text)
    return text


def report() -> str:
    """The tables, as Markdown."""
    return main([])


# Ratings, numbers, several choices, rankings: a loss for each item


def losses() -> str:
    """Every merge against the plain one and the best single annotator."""
    rows = [row for make in (ratings, numbers, choices, rankings) for row in make()]
    lines = [
        "Mean loss, the lower the better. Ratings: share wrong, and steps off; plain is the majority (ties to the "
        "lower level) and the median. Numbers: mean absolute error; plain is the median. Several choices and "
        "rankings: mean distance to the truth; plain is the kind's merge with equal weights. The last columns: the "
        "best single annotator on items it was not chosen by, and the model on those items.",
        "",
        "| set | model | by distance | plain | best single | model there | CPU s |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        cells = [f"{loss:.4f}" for loss in row[1:6]]
        lines.append(f"| {row.name} | {' | '.join(cells)} | {row.cpu_seconds:.2f} |")
    return "\n".join(lines)


def ratings() -> list[Row]:
    """Real: content for adults (G, P, R, X), and relevance of search results in five grades."""
    from labelmill.labels.rating import Rating

    rows = []
    for name in ("adult", "web"):
        read = real_votes(name)
        if read is None:
            continue
        votes, gold = read
        classes = tuple(sorted({*votes.values(), *gold.values()}, key=int))
        level = {label: k for k, label in enumerate(classes)}
        answers = table(Rating(classes=classes), votes, classes)
        truth = [gold.get(item) for item in answers.items]
        majority = [plurality(answers, positions, level) for positions in answers.by_item]
        rows.append(measured(f"ratings {name}, wrong", answers, truth, lambda a, b: float(a != b), majority))
        rows.append(measured(f"ratings {name}, steps", answers, truth, lambda a, b, at=level: abs(at[a] - at[b])))
    return rows


def numbers() -> list[Row]:
    """Made up: 300 numbers around 50, 5 of 12 people each with bias (sd 1) and noise (log-normal), 3 % blunders."""
    from labelmill.labels.number import Number

    rows = []
    for seed in SEEDS:
        draw = np.random.default_rng(seed)
        truth, (item, who) = draw.normal(50, 20, 300), shared_out(draw, 300, 12, 5)
        bias, noise = draw.normal(0, 1, 12), np.exp(draw.normal(0.5, 0.8, 12))
        said = truth[item] + bias[who] - bias.mean() + noise[who] * draw.normal(size=len(item))
        said = np.where(draw.random(len(item)) < 0.03, draw.uniform(0, 100, len(item)), said)
        answers = coded(Number(), item, who, said.tolist())
        rows.append(measured("numbers", answers, truth.tolist(), lambda a, b: abs(a - b)))
    return [mean(rows)]


def choices() -> list[Row]:
    """Made up: 15 classes, 4 of 20 people on each of 300 items, their rates mostly shared between classes."""
    from labelmill.labels.multi_choice import MultiChoice

    rows, classes = [], tuple(f"class {k:02}" for k in range(15))
    for seed in SEEDS:
        draw = np.random.default_rng(seed)
        applies = draw.random((300, 15)) < draw.beta(1, 6, 15)
        item, who = shared_out(draw, 300, 20, 4)
        own = [
            comparisons.logistic(
                middle + draw.normal(0, 1.2, (20, 1)) + draw.normal(0, 0.6, (1, 15)) + draw.normal(0, 0.6, (20, 15))
            )
            for middle in (1.2, 2.8)
        ]
        named = draw.random((len(item), 15)) < np.where(applies[item], own[0][who], 1 - own[1][who])
        kind = MultiChoice(classes=classes)
        truth, said = ([[classes[k] for k in np.flatnonzero(row)] for row in rows_] for rows_ in (applies, named))
        rows.append(measured("several choices", coded(kind, item, who, said, classes), truth, kind.distance))
    return [mean(rows)]


def rankings() -> list[Row]:
    """Made up: utilities of 6 classes (sd 1.5) seen with log-normal noise by 5 of 12 people, two of whom guess."""
    from labelmill.labels.ranking import Ranking

    rows, classes = [], tuple(f"class {k}" for k in range(6))
    for seed in SEEDS:
        draw = np.random.default_rng(seed)
        utility, (item, who) = draw.normal(0, 1.5, (200, 6)), shared_out(draw, 200, 12, 5)
        noise = np.exp(draw.normal(0, 0.6, 12))
        noise[:2] = 1e3
        seen = utility[item] + noise[who, None] * draw.normal(size=(len(item), 6))
        truth, said = ([[classes[k] for k in order] for order in np.argsort(-of, axis=1)] for of in (utility, seen))
        kind = Ranking(classes=classes)
        rows.append(measured("rankings", coded(kind, item, who, said, classes), truth, kind.distance))
    return [mean(rows)]


def measured(
    name: str, answers: Any, truth: Sequence[Any], loss: Callable[[Any, Any], float], plain: Sequence[Any] | None = None
) -> Row:
    """The kind's own model, the fallback, the plain merge and the best single annotator, on items with gold."""
    from labelmill import registry

    found, seconds = {}, 0.0
    for model in (answers.kind.name, "by_distance"):
        started = time.process_time()
        fitted = registry.find("structured_model", model)().fit(answers)
        found[model] = [value for value, *_ in fitted.predict(answers)]
        seconds = seconds or time.process_time() - started
    if plain is None:
        plain = [merged(answers, positions) for positions in answers.by_item]
    judged = [i for i, true in enumerate(truth) if true is not None]
    means = [float(np.mean([loss(values[i], truth[i]) for i in judged])) for values in (*found.values(), plain)]
    single, there = best_single(answers, truth, found[answers.kind.name], loss)
    return Row(name, *means, single, there, seconds)


def best_single(
    answers: Any, truth: Sequence[Any], values: Sequence[Any], loss: Callable[[Any, Any], float]
) -> tuple[float, float]:
    """Mean loss of the annotator that is best on the other half of the items, and of the merged values there."""
    losses: dict[int, list[tuple[int, float, float]]] = {}
    for position, (i, j) in enumerate(zip(answers.item_index.tolist(), answers.annotator_index.tolist(), strict=True)):
        if truth[i] is not None:
            own, model = loss(answers.values[position], truth[i]), loss(values[i], truth[i])
            losses.setdefault(j, []).append((i, own, model))
    able = [np.array(listed) for listed in losses.values() if len(listed) >= 2 * FEWEST]
    pooled, draw = [], np.random.default_rng(0)
    for _ in range(SPLITS):
        is_first = draw.random(answers.n_items) < 0.5
        for half in (is_first, ~is_first):
            chosen = min(able, key=lambda listed, at=half: float(listed[at[listed[:, 0].astype(int)], 1].mean()))
            pooled.append(chosen[~half[chosen[:, 0].astype(int)], 1:])
    single, there = np.concatenate(pooled).mean(axis=0).tolist()
    return single, there


def mean(rows: Sequence[Row]) -> Row:
    """Of several seeds."""
    return Row(f"{rows[0].name}, made up", *np.mean([row[1:] for row in rows], axis=0).tolist())


def merged(answers: Any, positions: Any) -> Any:
    """The kind's own merge, everybody weighing the same; None where nobody answered."""
    values = [answers.values[position] for position in positions]
    return answers.kind.merge(values, [1.0] * len(values)) if values else None


def plurality(answers: Any, positions: Any, level: dict[str, int]) -> str | None:
    """The level that most name, the lowest of several."""
    said = [answers.values[position] for position in positions]
    return max(sorted(set(said), key=level.__getitem__), key=said.count) if said else None


# Segments


def segments() -> str:
    """F1 of events whose edges are at most 20 ms off, of the right class; times are real, people made up."""
    events = real_events()
    if events is None:
        return ""
    lines = [
        "Segments of speech: the phones and words are real, the people made up: edges off by 20 ms with a reaction "
        "time of 15 ms either way, 12 % missed, 10 % invented and 10 % mistaken, each person's rates log-normal around "
        "these (sd 0.7). "
        "F1 of events: class right, both edges within 20 ms. Means of three draws.",
        "",
        "| set | people | model | by distance | plain | best single | mean single | CPU s |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for tier in ("phone", "word"):
        for n_people in (3, 6, 10):
            rows = [scored(*people(*events[tier], n_people, seed)) for seed in SEEDS]
            cells = np.mean(rows, axis=0).tolist()
            lines.append(
                f"| {tier}s | {n_people} | {' | '.join(f'{cell:.3f}' for cell in cells[:5])} | {cells[5]:.2f} |"
            )
    return "\n".join(lines)


def scored(answers: Any, truth: Sequence[Any]) -> list[float]:
    """F1 of the model, the fallback, the plain merge, the best and the mean annotator; CPU seconds of the model."""
    from labelmill import registry
    from labelmill.quality.segments import event_scores

    def f1(values: Sequence[Any]) -> float:
        return event_scores(truth, values, collar=0.02, share=0.0).f1

    started = time.process_time()
    model = registry.find("structured_model", "segment")().fit(answers).predict(answers)
    seconds = time.process_time() - started
    fallback = registry.find("structured_model", "by_distance")().fit(answers).predict(answers)
    plain = [merged(answers, positions) for positions in answers.by_item]
    single = [f1(answers.values[j :: answers.n_annotators]) for j in range(answers.n_annotators)]
    scores = [f1([value for value, *_ in values]) for values in (model, fallback)]
    return [*scores, f1(plain), max(single), float(np.mean(single)), seconds]


def people(events: dict[str, list[Any]], seconds: dict[str, float], n_people: int, seed: int) -> tuple[Any, list[Any]]:
    """Answers of everybody on every recording, and the truth."""
    from labelmill.labels.segment import Segment

    draw = np.random.default_rng(seed)
    labels = sorted({event["label"] for each in events.values() for event in each})
    loose, missed, invented, mistaken = (
        np.minimum(rate * np.exp(draw.normal(0, 0.7, n_people)), 0.6) for rate in (0.02, 0.12, 0.1, 0.1)
    )
    late = draw.normal(0, 0.015, (n_people, 2))
    said = []
    for item, true in events.items():
        for j in range(n_people):
            answer = []
            for event in true:
                edges = [
                    event[edge] + late[j, k] + loose[j] * draw.standard_t(5) for k, edge in enumerate(("start", "end"))
                ]
                start, end = max(edges[0], 0.0), min(edges[1], seconds[item])
                label = labels[draw.integers(len(labels))] if draw.random() < mistaken[j] else event["label"]
                if draw.random() >= missed[j] and end - start > 0.005:
                    answer.append({"label": label, "start": start, "end": end})
            for _ in range(draw.poisson(invented[j] * len(true))):
                start = draw.uniform(0, seconds[item] - 0.06)
                label = labels[draw.integers(len(labels))]
                answer.append({"label": label, "start": start, "end": start + draw.uniform(0.03, 0.06)})
            said.append(sorted(answer, key=lambda event: (event["start"], event["end"], event["label"])))
    item, who = np.repeat(np.arange(len(events)), n_people), np.tile(np.arange(n_people), len(events))
    return coded(Segment(classes=labels), item, who, said, tuple(labels)), list(events.values())


# What all of them need


def coded(kind: Any, item: Any, who: Any, values: Sequence[Any], classes: Sequence[str] = ()) -> Any:
    """A table of answers of numbered people on numbered items."""
    from labelmill.domain.answers import AnswerTable

    items, names = ([f"{k:05}" for k in range(int(column.max()) + 1)] for column in (item, who))
    return AnswerTable(kind, items, names, item, who, values, classes=classes)


def table(kind: Any, votes: dict[tuple[str, str], str], classes: Sequence[str]) -> Any:
    """A table of the last answer of everybody on every item."""
    from labelmill.domain.answers import AnswerTable

    items, names = (sorted({pair[k] for pair in votes}) for k in (0, 1))
    place, who = ({name: k for k, name in enumerate(listed)} for listed in (items, names))
    rows = [place[item] for item, _ in votes], [who[name] for _, name in votes]
    return AnswerTable(kind, items, names, *rows, list(votes.values()), classes=classes)


def real_votes(name: str) -> tuple[dict[tuple[str, str], str], dict[str, str]] | None:
    """Votes and gold of a set; None where it is absent."""
    import polars as pl

    from aggregation import DATA

    folder = DATA / "crowd" / name
    if not folder.is_dir():
        print(f"no votes at {folder}: left out", file=sys.stderr)
        return None
    votes, truth = (pl.read_csv(folder / f"{part}.csv", infer_schema=False) for part in ("votes", "truth"))
    return {(item, who): label for item, who, label in votes.iter_rows()}, dict(truth.iter_rows())


def real_events() -> dict[str, tuple[dict[str, list[Any]], dict[str, float]]] | None:
    """For each tier the events of each recording, and the seconds it lasts; None where they are absent."""
    import polars as pl

    from aggregation import DATA

    folder = DATA / "audio" / "phones_words"
    if not folder.is_dir():
        print(f"no recordings at {folder}: left out", file=sys.stderr)
        return None
    seconds = dict(pl.read_csv(folder / "items.csv").select("item", "seconds").iter_rows())
    tiers: dict[str, tuple[dict[str, list[Any]], dict[str, float]]] = {}
    for item, start, end, label, tier in pl.read_csv(folder / "events.csv").iter_rows():
        events, _ = tiers.setdefault(tier, ({}, seconds))
        events.setdefault(item, []).append({"label": label, "start": start, "end": end})
    return tiers


def shared_out(draw: np.random.Generator, n_items: int, n_people: int, each: int) -> tuple[Any, Any]:
    """Item and person of each answer: so many different people on every item."""
    who = np.concatenate([draw.permutation(n_people)[:each] for _ in range(n_items)])
    return np.repeat(np.arange(n_items), each), who


if __name__ == "__main__":
    main()
