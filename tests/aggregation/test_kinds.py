from __future__ import annotations

import numpy as np

from labelmill.aggregation._kinds import Kinds, Turnout
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable


def test_the_table_has_the_last_word() -> None:
    """A kind that is told is not guessed."""
    table = VoteTable.from_matrix(np.zeros((50, 2)), classes=("a", "b"), kinds=["person", "rule"])

    assert Kinds.of(table) == Kinds(("person", "rule"), (False, False))


def test_declining_often_makes_a_rule() -> None:
    """Who abstains on half of what it is asked chooses its items."""
    labels = np.tile([0, 1], 20)
    chooser = np.where(np.arange(40) < 20, labels, ABSTAIN)
    item = np.tile(np.arange(40), 2)
    table = VoteTable(
        [str(i) for i in range(40)], ["x", "y"], ("a", "b"), item, np.repeat([0, 1], 40), [*labels, *chooser]
    )

    assert Kinds.of(table).names == ("person", "rule")


def test_many_who_name_one_class_are_rules() -> None:
    """Without rows for abstentions, annotators that only ever name one class are rules."""
    item = np.arange(60)
    table = VoteTable([str(i) for i in range(60)], ["x", "y", "z"], ("a", "b", "c"), item, item % 3, item % 3)

    assert Kinds.of(table).names == ("rule", "rule", "rule")


def test_one_who_always_answers_the_same_in_a_crowd_is_a_person() -> None:
    """A lone constant answerer among people stays a person."""
    rng = np.random.default_rng(0)
    matrix = rng.integers(2, size=(60, 9))
    matrix[:, 4] = 1
    table = VoteTable.from_matrix(matrix, classes=("a", "b"))

    assert set(Kinds.of(table).names) == {"person"}


def test_a_lone_one_in_a_tiny_crowd_is_a_person_too() -> None:
    """One of three who always answers the same is no rule, although a third of all is many."""
    matrix = np.random.default_rng(0).integers(2, size=(60, 3))
    matrix[:, 0] = 1

    kinds = Kinds.of(VoteTable.from_matrix(matrix, classes="ab"))

    assert kinds.names == ("person", "person", "person")


def test_probabilities_make_a_model() -> None:
    """An annotator with soft votes is a model."""
    soft = {0: np.array([[0.9, 0.1]])}
    table = VoteTable(["i"], ["net"], ("a", "b"), [0], [0], [0], soft=soft)

    assert Kinds.of(table).names == ("model",)


def test_description_names_the_inferred() -> None:
    """`details_` tells counts and which kinds were read off the votes."""
    table = VoteTable.from_matrix([[0, 1], [1, 0]], classes=("a", "b"), kinds=["person", None])

    described = Kinds.of(table).describe(table.annotators)

    assert described == {
        "counts": {"person": 2, "rule": 0, "model": 0},
        "inferred": {"annotator_1": "person"},
    }


def test_a_row_counts_as_often_as_it_says() -> None:
    """One row that stands for ten items tells as much as ten rows."""
    matrix = np.array([[0, 0], [1, ABSTAIN], [0, 0]])
    item, annotator = np.indices(matrix.shape)
    columns = (("x", "y"), ("a", "b"), item.ravel(), annotator.ravel(), matrix.ravel())

    short = VoteTable(["i", "j", "k"], *columns, multiplicity=[1, 10, 20])

    assert Kinds.of(short).names == ("person", "rule")
    assert Kinds.of(VoteTable(["i", "j", "k"], *columns)).names == ("person", "person")


def test_shards_tell_what_the_whole_does() -> None:
    """The turnout of two shards together is that of both in one table."""
    first = VoteTable.from_matrix([[0, 1], [0, ABSTAIN]], classes=("a", "b"))
    second = VoteTable.from_matrix([[1, 1]], classes=("a", "b"), multiplicity=[3])
    both = VoteTable.from_matrix([[0, 1], [0, ABSTAIN], [1, 1]], classes=("a", "b"), multiplicity=[1, 1, 3])

    merged = Turnout.of(Turnout.ask(first).merged(Turnout.ask(second)))

    for expected, found in zip(Turnout.of(Turnout.ask(both)), merged, strict=True):
        assert expected.tolist() == found.tolist()
