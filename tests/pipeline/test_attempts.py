"""The attempt ledger, with workers whose deaths are played: what is proved, by how many deaths and notes."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelmill.domain.item import ItemBatch
from labelmill.domain.partition import Resources
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote import AnnotatorKind, Fault, VoteBatch
from labelmill.pipeline._attempts import HOPELESS, Attempt, deaths
from labelmill.pipeline._deaths import Death, Place, convicted, key_of, pieces
from labelmill.stores.lake import Lake

SCHEMA = LabelSchema("spam", ("ham", "spam"))
BATCH = 500
N_ITEMS = 1200
BATCH_STARTS = range(0, N_ITEMS, BATCH)


class WorkerDies(BaseException):
    """Nothing behind it runs any more."""


class Rule:
    """Votes 1 on each item, and kills at some of them."""

    kind: AnnotatorKind = "rule"
    resources = Resources()
    fingerprint = "0"

    def __init__(self, name: str, sick: set[int], on_items: Callable[[list[str]], None] = lambda ids: None) -> None:
        self.name = name
        self.sick = {str(i) for i in sick}
        self.on_items = on_items

    def annotate(self, batch: ItemBatch, schema: LabelSchema) -> VoteBatch:
        """One vote for each item."""
        self.on_items(batch.ids)
        if self.sick & set(batch.ids):
            raise WorkerDies
        return VoteBatch(np.ones(len(batch), dtype=np.int16))


class Costly:
    """A lake whose notes are requests, which are counted."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self.n_notes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.lake, name)

    def begin_attempt(self, digest: str, partition_id: str, note: bytes) -> Any:
        """A token that is not cheap."""
        token = self.lake.begin_attempt(digest, partition_id, note)
        write = token.note

        def counted(content: bytes) -> None:
            self.n_notes += 1
            write(content)

        token.is_cheap = False
        token.note = counted  # type: ignore[method-assign]
        return token


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake that notes of attempts lie in."""
    return Lake(tmp_path)


def worked(lake: Any, rules: list[Rule]) -> tuple[dict[str, list[int]], list[Fault]]:
    """One attempt at the partition: votes by rule, and faults; a death leaves the attempt over."""
    attempt = Attempt(lake, "d", "p").__enter__()
    votes: dict[str, list[int]] = {rule.name: [] for rule in rules}
    faults = []
    try:
        for start in BATCH_STARTS:
            batch = ItemBatch.from_texts(["x"] * min(BATCH, N_ITEMS - start)).frame
            ids = [str(start + i) for i in range(batch.height)]
            for rule in rules:
                part = attempt.annotate(start, rule, ItemBatch(batch.with_columns(id=pl.Series(ids))), SCHEMA)
                votes[rule.name] += np.asarray(part.labels).tolist()
                faults += part.faults
    except WorkerDies:
        attempt.token.close()
        raise
    attempt.__exit__(None, None, None)
    return votes, faults


def finished(lake: Any, rules: list[Rule]) -> tuple[dict[str, list[int]], list[Fault], int]:
    """Attempts until one lives: its votes and faults, and how many died."""
    for n_deaths in range(200):
        try:
            return (*worked(lake, rules), n_deaths)
        except WorkerDies:
            pass
    raise AssertionError("it never ends")


def judged(rules: list[Rule], votes: dict[str, list[int]], faults: list[Fault]) -> None:
    """Exactly the deadly items are left out, each for its rule."""
    assert sorted((f.annotator, f.item) for f in faults) == sorted((r.name, i) for r in rules for i in r.sick)
    for rule in rules:
        assert votes[rule.name] == [-1 if str(i) in rule.sick else 1 for i in range(N_ITEMS)]


SICK = {
    "first": ({0}, set()),
    "middle": ({700}, set()),
    "last": ({N_ITEMS - 1}, set()),
    "two in a batch": ({510, 533}, set()),
    "two next to each other": ({510, 511}, set()),
    "two rules": ({3}, {999}),
    "two rules, one item": ({64}, {64}),
}


@pytest.mark.parametrize("costly", [False, True])
@pytest.mark.parametrize("sick", SICK.values(), ids=list(SICK))
def test_exactly_the_deadly_items(lake: Lake, sick: tuple[set[int], set[int]], costly: bool) -> None:
    """Wherever they are, and whatever a note costs, deadly items are left out and all others are voted on."""
    rules = [Rule("a", sick[0]), Rule("b", sick[1])]

    votes, faults, _ = finished(Costly(lake) if costly else lake, rules)

    judged(rules, votes, faults)
    assert lake.left_over_attempts("d", "p") == []


def test_exactly_the_deadly_items_on_an_object_store(bucket: str) -> None:
    """It holds with the notes of a real one."""
    lake = Lake(f"{bucket}/project")
    rules = [Rule("a", {510, 533}), Rule("b", {N_ITEMS - 1})]

    votes, faults, _ = finished(lake, rules)

    judged(rules, votes, faults)
    assert lake.left_over_attempts("d", "p") == []


@settings(max_examples=25)
@given(
    sick=st.tuples(*[st.sets(st.integers(0, N_ITEMS - 1), max_size=HOPELESS - 1)] * 2),
    costly=st.booleans(),
)
def test_any_deadly_items(tmp_path_factory: pytest.TempPathFactory, sick: Any, costly: bool) -> None:
    """It holds for any few items."""
    lake = Lake(tmp_path_factory.mktemp("lake"))
    rules = [Rule("a", sick[0]), Rule("b", sick[1])]

    votes, faults, _ = finished(Costly(lake) if costly else lake, rules)

    judged(rules, votes, faults)


def test_what_a_deadly_item_costs(lake: Lake) -> None:
    """Where notes are cheap, four deaths; where they are requests, six deaths and some requests."""
    assert finished(lake, [Rule("a", {700})])[2] == 4
    costly = Costly(lake)

    n_deaths = finished(costly, [Rule("a", {700})])[2]

    assert n_deaths == 6
    assert costly.n_notes < 150


def test_no_notes_while_nobody_dies(lake: Lake) -> None:
    """On an object store a partition that goes well is noted when it begins, and never again."""
    costly = Costly(lake)

    worked(costly, [Rule("a", set()), Rule("b", set())])

    assert costly.n_notes == 0


def test_an_annotator_that_always_kills(lake: Lake) -> None:
    """After some items it is left out, and says so."""
    _, faults, n_deaths = finished(lake, [Rule("a", set(range(100, N_ITEMS)))])

    assert len(faults) == N_ITEMS - 100
    assert n_deaths == 4 * HOPELESS
    assert sum("5 items or more before this one" in fault.error for fault in faults) == N_ITEMS - 100 - HOPELESS


def killed(ledger: Any, rng: random.Random, slow: int) -> None:
    """A worker that is lost at a random moment; item `slow` takes as long as 300 others."""
    left = rng.randrange(2 * N_ITEMS + 600)

    def step(ids: list[str]) -> None:
        nonlocal left
        left -= len(ids) + 300 * (str(slow) in ids)
        if left < 0:
            raise WorkerDies

    with pytest.raises(WorkerDies):
        worked(ledger, [Rule("a", set(), step), Rule("b", set(), step)])


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("costly", [False, True])
def test_kills_from_outside_convict_nobody(lake: Lake, costly: bool, seed: int) -> None:
    """Twenty workers lost at random moments, often at the same slow item, and every item is voted on."""
    ledger = Costly(lake) if costly else lake
    rng = random.Random(seed)
    for _ in range(20):
        killed(ledger, rng, slow=800)
    rules = [Rule("a", set()), Rule("b", set())]

    votes, faults = worked(ledger, rules)

    judged(rules, votes, faults)


def test_kills_from_outside_save_nobody(lake: Lake) -> None:
    """A deadly item is found among workers that are lost for other reasons."""
    rng = random.Random(0)

    def step(ids: list[str]) -> None:
        if rng.random() < 0.01:
            raise WorkerDies

    rules = [Rule("a", {77}, step), Rule("b", {800}, step)]

    votes, faults, _ = finished(lake, rules)

    judged(rules, votes, faults)


@pytest.mark.parametrize("costly", [False, True])
def test_a_driver_killed_again_and_again(lake: Lake, costly: bool) -> None:
    """Attempts cut off before they were at an item hold nothing against any."""
    ledger: Any = Costly(lake) if costly else lake
    for _ in range(6):
        Attempt(ledger, "d", "p").__enter__().token.close()
    rules = [Rule("a", set()), Rule("b", set())]

    votes, faults = worked(ledger, rules)

    judged(rules, votes, faults)


@pytest.mark.parametrize("costly", [False, True])
@pytest.mark.parametrize("n_rows", [1, 1 + BATCH])
def test_a_death_while_publishing_is_nobodys(lake: Lake, costly: bool, n_rows: int) -> None:
    """Workers that die after the last item was voted on do not convict it, even when it is a batch of its own."""
    ledger: Any = Costly(lake) if costly else lake
    rule = Rule("a", set())
    for _ in range(8):
        attempt = Attempt(ledger, "d", "p").__enter__()
        for start in range(0, n_rows, BATCH):
            batch = ItemBatch.from_texts(["x"] * min(BATCH, n_rows - start))
            assert attempt.annotate(start, rule, batch, SCHEMA).faults == []
        attempt.token.close()


def test_every_round_of_three_deaths_teaches_something(lake: Lake) -> None:
    """Three more deaths name a new place until the last deadly item is convicted: the run goes on that long."""
    rules = [Rule("a", {5, 6, 700, 1100}), Rule("b", {0, 700})]
    known, n_attempts = 0, 0
    while True:
        try:
            worked(lake, rules)
            break
        except WorkerDies:
            n_attempts += 1
        if n_attempts % 3 == 0:
            assert len(deaths(lake, "d", "p")) > known
            known = len(deaths(lake, "d", "p"))

    assert n_attempts == 4 * 6


def at(number: int, start: int, stop: int, words: str = "") -> Death:
    return Death(number, Place(1, start, stop), "00" * 8, words)


@pytest.mark.parametrize(
    ("record", "rows"),
    [
        ([at(0, 0, 9), at(1, 4, 5), at(2, 4, 5), at(3, 4, 5)], {4}),
        ([at(3, 4, 5), at(0, 0, 9), at(2, 4, 5), at(1, 4, 5)], {4}),
        ([at(1, 4, 5), at(2, 4, 5)], set()),
        ([at(1, 4, 5), at(2, 4, 5), at(3, 6, 7), at(4, 4, 5)], set()),
        ([at(1, 4, 5, "Timeout"), at(2, 4, 5, "Timeout")], {4}),
        ([at(1, 4, 5), at(2, 4, 5, "Timeout")], set()),
        ([at(1, 4, 6), at(2, 4, 6), at(3, 4, 6)], set()),
        ([at(0, 6, 9), at(1, 4, 5), at(2, 4, 5), at(3, 4, 5), at(4, 4, 5)], set()),
        ([at(0, 6, 9), *(at(n, 4, 5) for n in range(1, 6))], {4}),
    ],
    ids=[
        "alone",
        "in any order",
        "twice",
        "not in a row",
        "twice, witnessed",
        "one witness",
        "in company",
        "others died",
        "others died, but five in a row",
    ],
)
def test_what_convicts(record: list[Death], rows: set[int]) -> None:
    """Three deaths in a row at one item alone, or two that left a traceback; two more for a death elsewhere."""
    assert {row for _, row in convicted(record)} == rows


def test_steps_cover_the_rows() -> None:
    """Whatever is on record, each row is in one step, in order."""
    rng = random.Random(1)
    for _ in range(300):
        places = []
        for _ in range(rng.randrange(6)):
            first = rng.randrange(-20, 300)
            places.append(Place(1, first, first + rng.choice([1, 1, 7, 64, 150])))

        steps = pieces(40, 240, places, block=rng.choice([1, 64]))

        assert [row for first, last in steps for row in range(first, last)] == list(range(40, 240))


def test_notes_of_another_version_are_passed_over() -> None:
    """A note that is not of this form says nothing."""
    death = at(1, 2, 3)

    assert Death.unpacked(death.packed()) == death
    assert Death.unpacked(b"0" * 24) is None


def test_an_annotator_is_known_by_its_name() -> None:
    """Its place in the list of rules may change between an attempt and the next."""
    assert key_of("a") != key_of("b")
    assert key_of("a") == key_of("a") != 0
