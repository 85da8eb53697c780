"""Labeling functions: what they may return, and what happens when they fail."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Any

import numpy as np
import pytest

from labelmill.annotators.labeling_function import LabelingFunction, labeling_function, preprocessor
from labelmill.domain.item import Item, ItemBatch
from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.domain.vote import VoteBatch
from labelmill.errors import RulesError

SCHEMA = LabelSchema("spam", ("ham", "spam"))
MANY = LabelSchema("topic", ("art", "money", "sport"), kind="multi_choice")


class Label(IntEnum):
    HAM = 0
    SPAM = 1


def _answers(schema: LabelSchema, *answers: Any) -> VoteBatch:
    """Votes of a function that returns the answers in turn."""
    given = dict(zip(map(str, range(len(answers))), answers, strict=True))
    function = LabelingFunction(lambda x: given[x.id], name="function")
    return function.annotate(ItemBatch.from_texts(["x"] * len(answers)), schema)


def test_every_form_of_answer() -> None:
    """A class name, an index, ABSTAIN or None; enums and numpy integers are indices."""
    votes = _answers(SCHEMA, "spam", "ham", 1, 0, ABSTAIN, None, "ABSTAIN", Label.SPAM, np.int64(0))

    assert [1, 0, 1, 0, -1, -1, -1, 1, 0] == list(votes.labels)
    assert [] == votes.faults


@pytest.mark.parametrize("rubbish", [True, False, 1.0, 2, -2, "Spam", "", ["spam"], {}, object(), np.nan, b"spam"])
def test_rubbish_is_a_fault(rubbish: object) -> None:
    """What is no answer abstains, and says what it was; the others count."""
    votes = _answers(SCHEMA, "spam", rubbish, 0)

    assert [1, -1, 0] == list(votes.labels)
    assert ["1"] == [fault.item for fault in votes.faults]
    assert "function" == votes.faults[0].annotator
    assert "" == votes.faults[0].traceback


def test_several_answers() -> None:
    """For multi_choice: lists and sets of classes, [] for none, None to abstain, a bare class for one."""
    votes = _answers(MANY, ["sport", "art"], {"money"}, [], None, "art", (2, 0, 2), ABSTAIN)

    assert [(0, 2), (1,), (), None, (0,), (0, 2), None] == votes.labels
    assert [] == votes.faults


@pytest.mark.parametrize("rubbish", [["arts"], [None], [-1, 0], [["art"]], {"art": 1}, 3, True, [True]])
def test_rubbish_among_several(rubbish: object) -> None:
    """A set with something else in it is a fault."""
    votes = _answers(MANY, rubbish, ["art"])

    assert [None, (0,)] == votes.labels
    assert ["0"] == [fault.item for fault in votes.faults]


def test_raising_is_a_fault_with_its_place() -> None:
    """A failure keeps its item and the lines of the user's code, and stops nothing."""

    def inner(text: str) -> int:
        return 1 // len(text)

    @labeling_function
    def fragile(x: Item) -> int:
        return inner(x.text)

    votes = fragile.annotate(ItemBatch.from_texts(["a", "", "b", ""]), SCHEMA)

    assert [1, -1, 1, -1] == list(votes.labels)
    assert ["1", "3"] == [fault.item for fault in votes.faults]
    assert "ZeroDivisionError: integer division or modulo by zero" == votes.faults[0].error
    assert "return 1 // len(text)" in votes.faults[0].traceback
    assert "labelmill/annotators" not in votes.faults[0].traceback


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (StopIteration(), "StopIteration"),
        (SystemExit(3), "sys.exit(3)"),
        (RecursionError("deep"), "deep"),
        (BaseException("rare"), "rare"),
        (KeyError("x"), "KeyError: 'x'"),
        (MemoryError(), "MemoryError"),
        (GeneratorExit(), "GeneratorExit"),
    ],
)
def test_no_exception_stops_the_loop(failure: BaseException, words: str) -> None:
    """Even exceptions that end loops or programs are faults of one item."""

    def function(x: Item) -> str:
        if x.text == "bad":
            raise failure
        return "spam"

    votes = LabelingFunction(function).annotate(ItemBatch.from_texts(["a", "bad", "b", "bad"]), SCHEMA)

    assert [1, -1, 1, -1] == list(votes.labels)
    assert 2 == len(votes.faults)
    assert words in votes.faults[0].error


def test_interrupt_passes() -> None:
    """A person's Ctrl-C is no fault."""

    @labeling_function
    def interrupted(x: Item) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted.annotate(ItemBatch.from_texts(["a"]), SCHEMA)


def test_unknown_field_names_the_nearest() -> None:
    """A misspelled column is a fault that says which ones there are."""

    @labeling_function
    def misspelled(x: Item) -> str:
        return str(x.subjekt)

    votes = misspelled.annotate(ItemBatch.from_items([Item("a", "", meta={"subject": "x"})]), SCHEMA)

    assert "did you mean 'subject'" in votes.faults[0].error


def test_resources_come_by_name() -> None:
    """Resources are keyword arguments of every call, in the loop and outside it."""

    @labeling_function(name="listed", resources={"words": {"cash"}, "least": 1})
    def function(x: Item, words: set[str], least: int) -> str | None:
        return "spam" if len(words & set(x.text.split())) >= least else None

    assert "listed" == function.name
    assert "spam" == function(Item("a", "cash now"))
    assert [1, -1] == list(function.annotate(ItemBatch.from_texts(["cash", "no"]), SCHEMA).labels)


def test_preprocessor_runs_once_for_each_item() -> None:
    """Ten functions share the work of one memoised preprocessor; without memoize each does its own."""
    calls: list[str] = []

    @preprocessor(memoize=True)
    def once(x: Item) -> dict[str, int]:
        calls.append(f"once {x.id}")
        return {"n": len(x.text)}

    @preprocessor
    def always(x: Item) -> dict[str, int]:
        calls.append(f"always {x.id}")
        return {"m": x.n}

    functions = [LabelingFunction(lambda x: "spam" if x.m > 1 else None, pre=[once, always]) for _ in range(10)]
    batch = ItemBatch.from_texts(["a", "bb", "bb"])

    votes = [function.annotate(batch, SCHEMA) for function in functions]

    assert [[-1, 1, 1]] * 10 == [list(vote.labels) for vote in votes]
    assert 3 == sum(call.startswith("once") for call in calls)
    assert 30 == sum(call.startswith("always") for call in calls)


def test_preprocessors_change_copies_only() -> None:
    """Assigning, replacing and returning fields all work, and the next function sees the item as it was."""

    @preprocessor
    def assigns(x: Any) -> Any:
        x.text = x.text.upper()
        x.n = len(x.text)
        return x

    @preprocessor(memoize=True, pre=[assigns])
    def returns(x: Item) -> dict[str, str]:
        return {"text": f"{x.text}!", "extra": "yes"}

    item = Item("a", "free", meta={"subject": "s"})
    made = returns(item)

    assert ("FREE!", 4, "yes", "s") == (made.text, made.n, made.extra, made.subject)
    assert ("free", {"subject": "s"}) == (item.text, dict(item.meta))
    assert "spam" == LabelingFunction(lambda x: "spam" if x.text == "FREE!" else None, pre=[returns])(item)


def test_failing_preprocessor_is_a_fault_of_each_function() -> None:
    """An item that cannot be prepared abstains in every function that needs it; others keep their votes."""

    @preprocessor(memoize=True)
    def number(x: Item) -> dict[str, int]:
        return {"number": int(x.text)}

    @preprocessor(pre=[number])
    def rubbish(x: Item) -> Any:
        return 5 if x.number == 3 else x

    functions = [
        LabelingFunction(lambda x: "spam" if x.number > 1 else "ham", pre=[link], name="f")
        for link in (number, rubbish)
    ]
    batch = ItemBatch.from_texts(["1", "two", "3"])

    first, second = (function.annotate(batch, SCHEMA) for function in functions)

    assert [0, -1, 1] == list(first.labels)
    assert ["1"] == [fault.item for fault in first.faults]
    assert [0, -1, -1] == list(second.labels)
    assert ["1", "2"] == [fault.item for fault in second.faults]
    assert "returned int" in second.faults[1].error


def test_plain_function_is_no_preprocessor() -> None:
    """`pre` takes decorated functions."""
    with pytest.raises(RulesError, match="@preprocessor"):
        labeling_function(pre=[len])(str)  # type: ignore[list-item]  # what users write by mistake


def test_decorators_keep_the_function() -> None:
    """Name, docstring and module survive; a lambda has no name of its own."""

    @labeling_function()
    def documented(x: Item) -> None:
        """Says nothing."""

    assert ("documented", "Says nothing.") == (documented.name, documented.__doc__)
    assert "" == labeling_function(lambda x: None).name
    with pytest.raises(RulesError, match="decorates a function"):
        LabelingFunction("free")  # type: ignore[arg-type]  # what users write by mistake


def test_patterns_of_failure_cost_one_traceback() -> None:
    """A function that fails on every item at the same line formats its traceback once."""

    @labeling_function
    def broken(x: Item) -> str:
        raise ValueError(x.id)

    votes = broken.annotate(ItemBatch.from_texts(["x"] * 2000), SCHEMA)

    assert 2000 == len(votes.faults)
    assert "ValueError: 1999" == votes.faults[-1].error
    assert re.search(r"raise ValueError\(x\.id\)\nValueError: 1999$", votes.faults[-1].traceback)
