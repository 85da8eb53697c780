"""What a check finds, and what it must not find."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.quality.crowds import Crowd, honest

from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError
from labelmill.pipeline.check import check_votes
from labelmill.quality.check import Check, check

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "crowd"


def _kinds(found: Check, person: int) -> set[str]:
    return {finding.kind for finding in found.findings if f"person {person}" in finding.annotators}


def _at_random(crowd: Crowd, person: int) -> None:
    own = crowd.own(person)
    crowd.label[own] = np.random.default_rng(0).integers(crowd.n_classes, size=len(own))


def _one_class(crowd: Crowd, person: int) -> None:
    crowd.label[crowd.own(person)] = 0


def _in_turns(crowd: Crowd, person: int) -> None:
    own = crowd.own(person)
    crowd.label[own] = np.arange(len(own)) % crowd.n_classes


def _contrary(crowd: Crowd, person: int) -> None:
    own = crowd.own(person)
    crowd.label[own] = (crowd.truth[crowd.item[own]] + 1) % crowd.n_classes


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"n_classes": 2, "votes_each": 3},
        {"n_classes": 2, "balance": [0.9, 0.1]},
        {"n_classes": 6, "votes_each": 10, "n_items": 150},
        {"n_classes": 4, "hard": 0.25},
        {"n_items": 40, "votes_each": 4, "n_people": 6},
    ],
    ids=str,
)
def test_honest_crowds_give_no_alarm(options: dict[str, object]) -> None:
    """Of 12 tables of people who look, at most 2 have any finding: 5 % are allowed, 2 or fewer come 98 times in 100."""
    alarms = sum(bool(honest(seed, **options).checked(with_times=True).findings) for seed in range(12))  # type: ignore[arg-type]  # options by name

    assert alarms <= 2


@pytest.mark.parametrize(
    ("spoil", "manner"),
    [(_at_random, "random"), (_one_class, "one_class"), (_in_turns, "pattern"), (_contrary, "contrary")],
)
def test_answers_without_looking(spoil: Callable[[Crowd, int], None], manner: str) -> None:
    """Somebody who answers some 400 items without looking is found, with the manner of it, and nobody else."""
    crowd = honest(3, n_items=1000)
    spoil(crowd, crowd.busiest(2))

    found = crowd.checked()

    assert [("spammer", (f"person {crowd.busiest(2)}",))] == [(f.kind, f.annotators) for f in found.findings]
    assert manner == found.findings[0].numbers["manner"]
    assert found.annotators[crowd.busiest(2)].skill == pytest.approx(0.0, abs=0.1)


def test_a_frequent_class_is_no_spam() -> None:
    """Somebody who says the frequent class on all of their few items need not be a spammer."""
    crowd = honest(5, n_classes=2, balance=[0.95, 0.05], n_items=200)
    person = crowd.busiest(12)
    crowd.label[crowd.own(person)] = 0

    assert not _kinds(crowd.checked(), person)


@pytest.mark.parametrize("share", [1.0, 0.8])
def test_copied_answers(share: float) -> None:
    """Two who share some 200 items, one with the other's answers, are found; a pair of equally good ones is not."""
    crowd = honest(1, n_items=1000)
    source, copier = crowd.busiest(1), crowd.busiest(2)
    said = dict(zip(crowd.item[crowd.own(source)].tolist(), crowd.label[crowd.own(source)].tolist(), strict=True))
    rng = np.random.default_rng(0)
    for vote in crowd.own(copier):
        if crowd.item[vote] in said and rng.random() < share:
            crowd.label[vote] = said[crowd.item[vote]]

    found = [f for f in crowd.checked().findings if f.kind == "copies"]

    assert [{f"person {source}", f"person {copier}"}] == [set(f.annotators) for f in found]
    assert found[0].numbers["copied_share"] >= 0.5  # type: ignore[operator]  # a number


def test_copies_are_told_by_group() -> None:
    """Three with the same answers are one finding, not three."""
    crowd = honest(2, n_items=800, votes_each=8, n_people=15)
    source = crowd.busiest(1)
    said = dict(zip(crowd.item[crowd.own(source)].tolist(), crowd.label[crowd.own(source)].tolist(), strict=True))
    group = [source, crowd.busiest(2), crowd.busiest(3)]
    for person in group[1:]:
        own = crowd.own(person)
        crowd.label[own] = [said.get(i, old) for i, old in zip(crowd.item[own], crowd.label[own], strict=True)]

    found = [f for f in crowd.checked().findings if f.kind == "copies"]

    assert [{f"person {person}" for person in group}] == [set(f.annotators) for f in found]


def test_somebody_who_got_worse() -> None:
    """Half of the later answers at random: found, with the moment within a tenth of the votes."""
    crowd = honest(4, n_items=1000)
    person = crowd.busiest(2)
    own = crowd.own(person)
    rng = np.random.default_rng(0)
    later = own[len(own) // 2 :]
    crowd.label[later] = np.where(rng.random(len(later)) < 0.7, rng.integers(3, size=len(later)), crowd.label[later])

    found = crowd.checked(with_times=True)

    assert "drift" in _kinds(found, person)
    numbers = next(f.numbers for f in found.findings if f.kind == "drift")
    assert numbers["n_before"] == pytest.approx(len(own) / 2, abs=len(own) / 10)
    assert numbers["right_after"] < numbers["right_before"]  # type: ignore[operator]  # numbers


def test_harder_items_are_no_drift() -> None:
    """Where everybody gets worse together, nobody is told to have changed."""
    crowd = honest(6, n_items=600, votes_each=8)
    order = np.argsort(np.where(np.arange(600) < 300, 0, 1)[crowd.item], kind="stable")
    crowd.at[order] = np.sort(crowd.at)
    rng = np.random.default_rng(0)
    hard = (crowd.item >= 300) & (rng.random(len(crowd.item)) < 0.35)
    crowd.label[hard] = (crowd.truth[crowd.item[hard]] + 1) % 3

    assert not [f for f in crowd.checked(with_times=True).findings if f.kind == "drift"]


def test_hurried_answers() -> None:
    """Some answers in a twentieth of the time and at random: found, and counted."""
    crowd = honest(8, n_items=1000)
    person = crowd.busiest(2)
    own = crowd.own(person)[::8]
    crowd.seconds[own] *= 0.05
    crowd.label[own] = np.random.default_rng(0).integers(3, size=len(own))

    found = [f for f in crowd.checked(with_times=True).findings if f.kind == "careless"]

    assert [(f"person {person}",)] == [f.annotators for f in found]
    assert len(own) <= found[0].numbers["n_fast"] <= len(own) * 1.5  # type: ignore[operator]  # a number


def test_somebody_far_faster_than_all() -> None:
    """A quarter of the usual time is a finding when the answers are worse, and none when they are as good."""
    crowd = honest(9, n_items=1000)
    person = crowd.busiest(2)
    crowd.seconds[crowd.own(person)] *= 0.1

    assert "hasty" not in _kinds(crowd.checked(with_times=True), person)

    own = crowd.own(person)[::2]
    crowd.label[own] = np.random.default_rng(0).integers(3, size=len(own))

    assert "hasty" in _kinds(crowd.checked(with_times=True), person)


def test_copied_rules_are_found() -> None:
    """Of rules that fire independently given the class, one and its copy are a finding; no other pair is."""
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=2000)
    fires = rng.random((2000, 6)) < np.where(truth[:, None] == np.arange(6) % 2, 0.3, 0.06)
    matrix = np.where(fires, np.arange(6) % 2, -1)
    matrix = np.column_stack([matrix, np.where(rng.random(2000) < 0.95, matrix[:, 0], -1)])
    table = VoteTable.from_matrix(matrix, classes=["ham", "spam"], kinds=["rule"] * 7)
    half = np.full((2000, 2), 0.5)
    half[np.arange(2000), truth] += 0.4
    half[np.arange(2000), 1 - truth] -= 0.4

    found = check(table, half)

    assert [("copies", ("annotator_0", "annotator_6"))] == [(f.kind, f.annotators) for f in found.findings]


def test_rules_are_no_spammers_for_knowing_one_class() -> None:
    """A rule names one class all the time: with known answers it is judged by how often that is right."""
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=1500)
    good = np.where(rng.random(1500) < np.where(truth == 1, 0.4, 0.05), 1, -1)
    blind = np.where(rng.random(1500) < 0.4, 0, -1)
    table = VoteTable.from_matrix(
        np.column_stack([good, blind]), classes=["ham", "spam"], annotators=["good", "blind"], kinds=["rule"] * 2
    )

    found = check(table, np.full((1500, 2), 0.5), truth=truth)

    assert [("spammer", ("blind",))] == [(f.kind, f.annotators) for f in found.findings]
    assert found.annotators[0].skill == pytest.approx(0.75, abs=0.15)


def test_one_of_three_who_says_one_class_is_no_rule() -> None:
    """Nobody said what the three are: the one who always says the same is taken for a person, and found."""
    items = [str(i) for i in range(200)]
    votes = {
        "item": items * 3,
        "annotator": ["ann"] * 200 + ["bob"] * 200 + ["eve"] * 200,
        "label": ["cat", "dog"] * 200 + ["cat"] * 200,
    }

    assert [("spammer", ("eve",))] == [(f.kind, f.annotators) for f in check_votes(votes).check.findings]


def test_measured_beside_learned() -> None:
    """Accuracy with its exact interval where the truth is known; what is learned does not know the truth."""
    crowd = honest(11)
    blind, told = crowd.checked(), crowd.checked(with_truth=True)
    right = crowd.label == crowd.truth[crowd.item]

    for person in range(crowd.n_people):
        own, row = crowd.own(person), told.annotators[person]
        if not len(own):
            continue
        assert row.accuracy == pytest.approx(right[own].mean())
        assert row.n_checked == len(own)
        assert row.accuracy_low <= row.accuracy <= row.accuracy_high  # type: ignore[operator]  # known
        assert row.learned == blind.annotators[person].learned


def test_the_credible_interval_holds_the_accuracy() -> None:
    """In simulation the interval of 95 % holds the share of right votes of at least 90 % of the annotators."""
    inside = []
    for seed in range(6):
        crowd = honest(seed)
        right = crowd.label == crowd.truth[crowd.item]
        for person, row in enumerate(crowd.checked().annotators):
            if row.n_votes >= 20:
                inside.append(row.learned_low <= right[crowd.own(person)].mean() <= row.learned_high)

    assert np.mean(inside) >= 0.9


def test_nothing_in_is_nothing_out() -> None:
    """No votes, one vote, one annotator, one class: no finding, no NaN, no error."""
    for rows in ([], [("1", "a", "x")], [("1", "a", "x"), ("2", "a", "y")], [("1", "a", "x"), ("1", "b", "x")]):
        frame = pl.DataFrame(rows, schema=["item", "annotator", "label"], orient="row").cast(pl.String)

        found = check_votes(frame).to_dict()

        assert [] == found["findings"]
        assert "nan" not in str(found).lower()


def test_the_order_of_votes_changes_nothing() -> None:
    """Nor does the name of an annotator."""
    crowd = honest(3, n_items=400)
    _one_class(crowd, crowd.busiest(2))
    table = crowd.table()
    frame = pl.DataFrame(
        {
            "item": np.array(table.items)[crowd.item],
            "annotator": np.array(table.annotators)[crowd.who],
            "label": np.array(table.classes)[crowd.label],
        }
    )

    once, again = check_votes(frame), check_votes(frame.reverse())

    assert [f.annotators for f in once.check.findings] == [f.annotators for f in again.check.findings]
    one = {row.annotator: row.skill for row in once.check.annotators}
    assert one == pytest.approx({row.annotator: row.skill for row in again.check.annotators}, abs=1e-6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"probabilities": np.ones((3, 2))}, "probabilities have shape"),
        ({"truth": np.zeros(3, dtype=np.int64)}, "truth has shape"),
        ({"truth": np.array([0, 5])}, "truth must lie in"),
        ({"at": np.zeros(3)}, "at has shape"),
        ({"false_alarm": 1.0}, "false_alarm must lie between"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, object], said: str) -> None:
    """With what was found and what is wanted."""
    table = VoteTable(["1", "2"], ["a"], ["x", "y"], [0, 1], [0, 0], [0, 1])

    with pytest.raises(UsageError, match=said):
        check(table, **({"probabilities": np.full((2, 2), 0.5)} | options))  # type: ignore[arg-type]  # that is the point


NEAR_CHANCE = {"music_genre": 3, "rte": 3, "sp": 4, "temp": 5, "trec": 17, "web": 4}


@pytest.mark.parametrize("name", NEAR_CHANCE)
def test_spammers_of_real_crowds_are_near_chance(name: str) -> None:
    """By gold, which the check did not see, those it finds are right about as often as guesses at their own rates."""
    if not DATA.is_dir():
        pytest.skip(f"no real votes at {DATA}")
    votes, truth = (pl.read_csv(DATA / name / f"{part}.csv", infer_schema=False) for part in ("votes", "truth"))
    gold = dict(truth.iter_rows())
    found = check_votes(votes, kinds=dict.fromkeys(votes["worker"].unique().to_list(), "person"))
    flagged = [f.annotators[0] for f in found.check.findings if f.kind == "spammer"]

    gains, n = 0.0, 0
    for who in flagged:
        own = votes.filter(pl.col("worker") == who).unique("item", keep="last")
        pairs = [(said, gold[item]) for item, said in own.select("item", "label").iter_rows() if item in gold]
        said_shares = {label: sum(s == label for s, _ in pairs) / len(pairs) for label in {s for s, _ in pairs}}
        luck = sum(said_shares.get(true, 0.0) for _, true in pairs)
        gains += sum(said == true for said, true in pairs) - luck
        n += len(pairs)

    assert abs(len(flagged) - NEAR_CHANCE[name]) <= 2
    assert gains / n < 0.05
