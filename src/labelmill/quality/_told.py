"""The findings of each test, put into words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.quality._peers import Peers
from labelmill.quality.copies import Copies
from labelmill.quality.drift import Drift, Shift
from labelmill.quality.findings import Finding
from labelmill.quality.spammers import Spammers
from labelmill.quality.speed import Speeds
from labelmill.quality.trend import Trends

__all__ = [
    "CHANGE",
    "SMALL",
    "told_careless",
    "told_copies",
    "told_hasty",
    "told_shifts",
    "told_spammers",
    "told_trends",
]

SMALL: Final = 0.1
"""Cohen's w from which a shift is worth a word."""

CHANGE: Final = 0.05
"""Somebody who changed by less is not worth a word, however sure it is."""


def told_spammers(
    found: Spammers, peers: Peers, names: Sequence[str], classes: Sequence[str], level: float
) -> Iterator[Finding]:
    """Annotators whose answers have nothing to do with the items."""
    n_votes = peers.per_annotator()
    for j in np.flatnonzero(found.level <= level).tolist():
        own = peers.annotator == j
        labels, n = peers.label[own], int(n_votes[j])
        named = np.bincount(labels, minlength=len(classes))
        agrees = float(peers.right[own].mean())
        by_chance = float((named / n) @ peers.opinion[own].mean(axis=0))
        is_rule = bool(peers.habits.is_rule[j])
        seen = {
            "one_class": f"{names[j]} says {classes[int(named.argmax())]!r} on {named.max() / n:.0%} of {n:,} items, "
            "whatever the others say",
            "pattern": f"{names[j]} repeats one pattern of answers over {n:,} items",
            "contrary": f"{names[j]} contradicts the others more than chance would, on {n:,} items",
            "random": f"{names[j]} answers {n:,} items as if by chance",
        }["random" if is_rule and found.manner[j] == "one_class" else found.manner[j]]
        yield Finding(
            "spammer",
            (names[j],),
            f"{seen}: right {agrees:.0%} of the time where {by_chance:.0%} would be luck.",
            _advice(found.manner[j], is_rule=is_rule),
            float(found.level[j]),
            n * (1 - float(found.skill[j])),
            {
                "manner": found.manner[j],
                "skill": float(found.skill[j]),
                "least_skill": float(found.least[j]),
                "right": agrees,
                "right_by_chance": by_chance,
            },
        )


def _advice(manner: str, *, is_rule: bool) -> str:
    if is_rule:
        return "Look at items where it fires; mend its condition, or remove it."
    if manner == "contrary":
        return "Ask whether the classes were swapped or the guidelines misread, before the votes are thrown away."
    return "Read some of its votes; leave it out, and ask others about items that had few votes besides."


def told_copies(found: Copies, names: Sequence[str], level: float, *, are_rules: bool) -> Iterator[Finding]:
    """Groups of annotators with the same answers, each told once by its surest pair."""
    pairs = np.flatnonzero(found.level <= level)
    for members, own in _groups(found, pairs):
        i = own[0]
        who = tuple(names[j] for j in members)
        one, other = names[int(found.one[i])], names[int(found.other[i])]
        shared, equal, expected = int(found.n_shared[i]), int(found.n_equal[i]), float(found.n_expected[i])
        if are_rules:
            text = f"{one} and {other} vote alike on {equal:,} of the {shared:,} items on which either votes"
        else:
            text = f"{one} and {other} give the same answer on {equal:,} of {shared:,} items"
        text += f", where {expected:,.0f} would be expected"
        if found.n_same_errors[i] >= 1:
            text += f"; about {found.n_same_errors[i]:,.0f} of the equal answers are wrong"
        more = len(members) - 2
        text += f". {_counted(more, 'other belongs', 'others belong')} to the same group." if more else "."
        yield Finding(
            "copies",
            who,
            text,
            "Keep one of them: a label model counts each as a witness of its own."
            if are_rules
            else "Ask whether they worked together, share an account, or know what the others do not; until then "
            "count them as one voice.",
            float(found.level[i]),
            float((found.n_equal[own] * found.share[own]).sum()),
            {
                "shared": shared,
                "equal": equal,
                "expected": expected,
                "same_errors": float(found.n_same_errors[i]),
                "copied_share": float(found.share[i]),
                "pairs": len(own),
            },
        )


def _groups(found: Copies, pairs: npt.NDArray[np.intp]) -> Iterator[tuple[list[int], list[int]]]:
    """Annotators that hang together by pairs, and these pairs, the surest first."""
    home: dict[int, int] = {}
    for i in pairs.tolist():
        one, other = int(found.one[i]), int(found.other[i])
        old, new = home.setdefault(other, other), home.setdefault(one, one)
        home = {j: new if root == old else root for j, root in home.items()}
    for root in dict.fromkeys(home.values()):
        members = sorted(j for j, at in home.items() if at == root)
        yield members, [i for i in pairs.tolist() if home[int(found.one[i])] == root]


def told_trends(found: Trends, peers: Peers, names: Sequence[str], level: float) -> Iterator[Finding]:
    """Annotators who changed."""
    n_votes = peers.per_annotator()
    for j in np.flatnonzero(found.level <= level).tolist():
        change = float((found.after[j] - found.before[j]) - (found.others_after[j] - found.others_before[j]))
        if abs(change) < CHANGE:
            continue
        n_after = n_votes[j] - found.n_before[j]
        yield Finding(
            "drift",
            (names[j],),
            f"{names[j]} got {'worse' if change < 0 else 'better'} after {found.n_before[j]:,} of {n_votes[j]:,.0f} "
            f"votes: right {found.before[j]:.0%} of the time before, {found.after[j]:.0%} after (others on the same "
            f"items {found.others_before[j]:.0%} and {found.others_after[j]:.0%}).",
            "Look at votes from then on: new guidelines, another person, or a tired one? Ask anew where it counts."
            if change < 0
            else "Look at votes from before then: they may be worth asking anew.",
            float(found.level[j]),
            abs(change) * float(n_after if change < 0 else found.n_before[j]),
            {
                "n_before": int(found.n_before[j]),
                "n_after": int(n_after),
                "right_before": float(found.before[j]),
                "right_after": float(found.after[j]),
                "others_before": float(found.others_before[j]),
                "others_after": float(found.others_after[j]),
            },
        )


def told_careless(found: Speeds, names: Sequence[str], level: float) -> Iterator[Finding]:
    """Annotators whose fast answers are worse than their others."""
    for j in np.flatnonzero(found.careless <= level).tolist():
        gap = float(found.right_others[j] - found.right_fast[j])
        if gap < CHANGE:
            continue
        yield Finding(
            "careless",
            (names[j],),
            f"{names[j]} hurries: {_counted(int(found.n_fast[j]), 'answer', 'answers')} far faster than its usual "
            f"{found.seconds[j]:.1f} s, right {found.right_fast[j]:.0%} of the time where its others are "
            f"{found.right_others[j]:.0%}.",
            "Ask anew where a fast answer decided.",
            float(found.careless[j]),
            gap * float(found.n_fast[j]),
            {
                "n_fast": int(found.n_fast[j]),
                "seconds": float(found.seconds[j]),
                "right_fast": float(found.right_fast[j]),
                "right_others": float(found.right_others[j]),
            },
        )


def told_hasty(found: Speeds, peers: Peers, names: Sequence[str], level: float) -> Iterator[Finding]:
    """Annotators who are faster than all others, and less often right than most."""
    n_votes = peers.per_annotator()
    right = peers.per_annotator(peers.right) / np.maximum(n_votes, 1)
    usual = float(np.median(right[n_votes > 0])) if (n_votes > 0).any() else 0.0
    compared = found.seconds[np.isfinite(found.z)]
    seconds = float(np.median(compared)) if len(compared) else 0.0
    for j in np.flatnonzero(found.level <= level).tolist():
        gap = usual - float(right[j])
        if gap < CHANGE:
            continue
        yield Finding(
            "hasty",
            (names[j],),
            f"{names[j]} takes {found.seconds[j]:.1f} s an answer where {seconds:.1f} s are usual, and is right "
            f"{right[j]:.0%} of the time where {usual:.0%} is.",
            "Talk about pace; ask anew where it decided.",
            float(found.level[j]),
            gap * float(n_votes[j]),
            {
                "seconds": float(found.seconds[j]),
                "usual_seconds": seconds,
                "z": float(found.z[j]),
                "right": float(right[j]),
            },
        )


def told_shifts(found: Drift, level: float) -> Iterator[Finding]:
    """Labels, and annotators, whose shares of the classes are others than in the older votes."""
    labels = found.labels
    if labels.p <= level and labels.effect >= SMALL:
        yield _shifted("The consensus", (), labels.largest, labels, level=labels.p)
    for row in found.annotators.filter((pl.col("level") <= level) & (pl.col("effect") >= SMALL)).iter_rows(named=True):
        own = Shift(largest=row["class"], **{name: row[name] for name in _SHIFT if name != "largest"})
        yield _shifted(row["annotator"], (row["annotator"],), row["class"], own, level=row["level"])


def _shifted(who: str, annotators: tuple[str, ...], label: str, found: Shift, *, level: float) -> Finding:
    return Finding(
        "shift",
        annotators,
        f"{who} says {label!r} on {found.new_share:.1%} of {found.n_new:,} items, {found.old_share:.1%} of "
        f"{found.n_old:,} before (PSI {found.psi:.2f}).",
        "Look whether other items came in, or the question is read differently now.",
        level,
        abs(found.new_share - found.old_share) * found.n_new,
        {name: getattr(found, name) for name in _SHIFT},
    )


_SHIFT = tuple(Shift.__dataclass_fields__)


def _counted(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"
