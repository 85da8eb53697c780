"""What `labelmill check` finds: in honest crowds, in spoiled ones, and in real ones with gold.

    python benchmarks/run.py checks

False alarms and power are of simulated crowds (tests/quality/crowds.py). On the real sets the check sees votes only;
gold then says how far those it finds are from guessing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "crowd"
sys.path.insert(0, str(ROOT))  # the crowds are those of the tests

HONEST = {
    "30 people, 5 votes on each of 300 items, 3 classes": {},
    "1,000 items": {"n_items": 1000},
    "2 classes, 3 votes an item": {"n_classes": 2, "votes_each": 3},
    "2 classes, 9 to 1": {"n_classes": 2, "balance": [0.9, 0.1]},
    "6 classes, 10 votes an item, 150 items": {"n_classes": 6, "votes_each": 10, "n_items": 150},
    "4 classes, a quarter of the items are traps": {"n_classes": 4, "hard": 0.25},
    "2 classes, 7 votes an item, 40 % traps": {"n_classes": 2, "hard": 0.4, "votes_each": 7},
    "12 people, 2 votes an item": {"votes_each": 2, "n_people": 12},
    "6 people, 4 votes on each of 40 items": {"n_items": 40, "votes_each": 4, "n_people": 6},
}
TABLES, SPOILED = 150, 30
FEW = 100


def report() -> str:
    """Markdown: false alarms, power, and the real sets."""
    return "\n\n".join([false_alarms(), power(), real_sets() if DATA.is_dir() else "The real sets are not here."])


def false_alarms() -> str:
    """Share of honest tables with any finding, at the default level of 5 %."""
    from tests.quality.crowds import honest

    rows = []
    for name, options in HONEST.items():
        alarms = [bool(honest(1000 + s, **options).checked(with_times=True).findings) for s in range(TABLES)]
        rows.append(f"| {name} | {np.mean(alarms):.1%} |")
    head = f"**False alarms**, {TABLES} honest crowds each\n\n| crowd | with any finding (5 % allowed) |\n|---|--:|\n"
    return head + "\n".join(rows)


def power() -> str:
    """Share of crowds in which one spoiled annotator is found."""
    rows = []
    for name, (kind, spoil) in SPOILED_HOW.items():
        cells = [_found(kind, spoil, n_items) for n_items in (300, 1000)]
        rows.append(f"| {name} | {cells[0]} | {cells[1]} |")
    head = (
        f"**Power**, the third busiest of 30 people spoiled, {SPOILED} crowds each\n\n"
        "| planted | 300 items (some 130 votes) | 1,000 items (some 390 votes) |\n|---|--:|--:|\n"
    )
    return head + "\n".join(rows)


def _found(kind: str, spoil: Callable[[Any, int, np.random.Generator], None], n_items: int) -> str:
    from tests.quality.crowds import honest

    hits = 0
    for seed in range(SPOILED):
        crowd = honest(seed, n_items=n_items)
        person = crowd.busiest(2)
        spoil(crowd, person, np.random.default_rng(seed))
        findings = crowd.checked(with_times=True).findings
        hits += any(found.kind == kind and f"person {person}" in found.annotators for found in findings)
    return f"{hits / SPOILED:.0%}"


def _at_random(crowd: Any, person: int, rng: np.random.Generator) -> None:
    own = crowd.own(person)
    crowd.label[own] = rng.integers(crowd.n_classes, size=len(own))


def _one_class(crowd: Any, person: int, rng: np.random.Generator) -> None:  # noqa: ARG001 -- as all of them
    crowd.label[crowd.own(person)] = 0


def _in_turns(crowd: Any, person: int, rng: np.random.Generator) -> None:  # noqa: ARG001 -- as all of them
    own = crowd.own(person)
    crowd.label[own] = np.arange(len(own)) % crowd.n_classes


def _copied(share: float) -> Callable[[Any, int, np.random.Generator], None]:
    def spoil(crowd: Any, person: int, rng: np.random.Generator) -> None:
        source = crowd.own(crowd.busiest(1))
        said = dict(zip(crowd.item[source].tolist(), crowd.label[source].tolist(), strict=True))
        for vote in crowd.own(person):
            if crowd.item[vote] in said and rng.random() < share:
                crowd.label[vote] = said[crowd.item[vote]]

    return spoil


def _tired(share: float) -> Callable[[Any, int, np.random.Generator], None]:
    def spoil(crowd: Any, person: int, rng: np.random.Generator) -> None:
        own = crowd.own(person)
        later = own[len(own) // 2 :]
        guessed = later[rng.random(len(later)) < share]
        crowd.label[guessed] = rng.integers(crowd.n_classes, size=len(guessed))

    return spoil


def _hurried(crowd: Any, person: int, rng: np.random.Generator) -> None:
    own = crowd.own(person)[::8]
    crowd.seconds[own] *= 0.05
    crowd.label[own] = rng.integers(crowd.n_classes, size=len(own))


SPOILED_HOW = {
    "always one class": ("spammer", _one_class),
    "by chance": ("spammer", _at_random),
    "the classes in turns": ("spammer", _in_turns),
    "all shared answers copied": ("copies", _copied(1.0)),
    "70 % of the shared answers copied": ("copies", _copied(0.7)),
    "half of the shared answers copied": ("copies", _copied(0.5)),
    "70 % of the later half by chance": ("drift", _tired(0.7)),
    "40 % of the later half by chance": ("drift", _tired(0.4)),
    "every eighth in a twentieth of the time, by chance": ("careless", _hurried),
}


def real_sets() -> str:
    """What is found on each set, and what gold says of it."""
    rows, held, sure = [], 0, 0
    gained, n_gained = 0.0, 0
    for folder in sorted(path for path in DATA.iterdir() if path.is_dir()):
        found = _Real(folder)
        spammers = [gain for who in found.of_kind("spammer") for gain in [found.gain(who[0])]]
        gained += sum(gain * n for gain, n in spammers)
        n = sum(n for _, n in spammers)
        n_gained += n
        mean = f"{100 * sum(gain * n for gain, n in spammers) / n:+.1f}" if n else "–"
        hidden = [name for name in found.right if found.right[name][1] >= FEW and found.gain(name)[0] < 0.02]
        flagged = {who[0] for who in found.of_kind("spammer")}
        pairs = "; ".join(found.errors(who) for who in found.of_kind("copies")) or "–"
        rows.append(
            f"| {folder.name} | {found.n_votes:,} | {len(found.right)} | {len(spammers)} | {mean} "
            f"| {sum(name in flagged for name in hidden)} of {len(hidden)} | {pairs} | {found.seconds:.2f} |"
        )
        inside = found.inside()
        held, sure = held + sum(inside), sure + len(inside)
    head = (
        "**16 real crowds**; gold was not shown to the check\n\n"
        "| set | votes | annotators | spammers found | points they are above luck, by gold "
        f"| near luck by gold ({FEW} votes or more), found "
        "| copies found: errors of two on shared items, the same ones | CPU s |\n|---|--:|--:|--:|--:|--:|---|--:|\n"
    )
    end = (
        f"\n\nAll spammers found are {100 * gained / max(n_gained, 1):+.1f} points above luck. Of {sure} annotators "
        "with gold on nearly all of 30 items or more, the credible interval of 95 % holds the gold share of "
        f"{held / sure:.0%}."
    )
    return head + "\n".join(rows) + end


class _Real:
    """A check of one set, and its gold."""

    def __init__(self, folder: Path) -> None:
        from labelmill.pipeline.check import check_votes

        votes, truth = (pl.read_csv(folder / f"{part}.csv", infer_schema=False) for part in ("votes", "truth"))
        before = time.process_time()
        self.check = check_votes(votes, kinds=dict.fromkeys(votes["worker"].unique().to_list(), "person")).check
        self.seconds = time.process_time() - before
        last = votes.unique(["item", "worker"], keep="last", maintain_order=True)
        self.n_votes = last.height
        self.gold = last.join(truth.rename({"label": "gold"}), on="item").select("item", "worker", "label", "gold")
        counts = self.gold.group_by("worker").agg((pl.col("label") == pl.col("gold")).sum().alias("right"), pl.len())
        known = {name: (right, n) for name, right, n in counts.iter_rows()}
        self.right = {row.annotator: known.get(row.annotator, (0, 0)) for row in self.check.annotators}

    def of_kind(self, kind: str) -> list[tuple[str, ...]]:
        """Whom each finding of a kind is about."""
        return [found.annotators for found in self.check.findings if found.kind == kind]

    def gain(self, name: str) -> tuple[float, int]:
        """How much more often right than guesses at its own rates would be, and on how many items with gold."""
        own = self.gold.filter(pl.col("worker") == name)
        right, n = self.right[name]
        if not n:
            return 0.0, 0
        said, true = (dict(own[column].value_counts().iter_rows()) for column in ("label", "gold"))
        luck = sum(count * true.get(label, 0) for label, count in said.items()) / n**2
        return right / n - luck, n

    def errors(self, who: tuple[str, ...]) -> str:
        """By gold: wrong answers of the first two on items both answered, and how many are the same."""
        one, other = (self.gold.filter(pl.col("worker") == name) for name in who[:2])
        both = one.join(other, on="item", suffix="_2")
        wrong = [both.filter(pl.col(column) != pl.col("gold")).height for column in ("label", "label_2")]
        same = both.filter((pl.col("label") != pl.col("gold")) & (pl.col("label") == pl.col("label_2"))).height
        return f"{wrong[0]} and {wrong[1]} of {both.height}, {same} the same"

    def inside(self) -> list[bool]:
        """Whether the credible interval of each annotator with gold on nearly all of its items holds its gold share."""
        rows = [(row, *self.right[row.annotator]) for row in self.check.annotators]
        return [
            row.learned_low <= right / n <= row.learned_high
            for row, right, n in rows
            if n >= 30 and n >= 0.9 * row.n_votes and row.learned_low is not None and row.learned_high is not None
        ]
