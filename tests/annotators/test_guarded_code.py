"""The guard keeps user code from hanging, printing and ending its worker."""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import sys
import threading
import time
from typing import Any

import pytest

from labelmill.annotators._guard import guard
from labelmill.annotators.labeling_function import LabelingFunction, preprocessor
from labelmill.domain.item import Item, ItemBatch
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote import VoteBatch

SCHEMA = LabelSchema("spam", ("ham", "spam"))
TEXTS = ["a", "bad", "b"]


def _run(on_bad: Any, timeout: float | None = None, **options: Any) -> tuple[VoteBatch, str]:
    def function(x: Item) -> str:
        if x.text == "bad":
            on_bad()
        return "spam"

    with guard(timeout) as guarded:
        votes = LabelingFunction(function, name="f", **options).annotate(ItemBatch.from_texts(TEXTS), SCHEMA)
    return votes, guarded.printed


def _endless() -> None:
    while True:
        with contextlib.suppress(Exception):  # user code that hides every error
            time.sleep(0.001)


def _catastrophic() -> None:
    re.search(r"(a|a)*b", "a" * 40)


@pytest.mark.parametrize("hang", [_endless, _catastrophic])
def test_hanging_item_is_a_fault(hang: Any) -> None:
    """An item over its time is stopped and said; the others count."""
    started = time.monotonic()

    votes, _ = _run(hang, timeout=0.2)

    assert [1, -1, 1] == list(votes.labels)
    assert [("1", "took longer than 0.2 s on this item and was stopped")] == [(f.item, f.error) for f in votes.faults]
    assert "test_guarded_code" in votes.faults[0].traceback
    assert time.monotonic() - started < 10


def test_slow_batch_is_no_hang() -> None:
    """Many items within the limit may together take longer than it."""
    function = LabelingFunction(lambda x: time.sleep(0.05), name="f")

    with guard(0.2):
        votes = function.annotate(ItemBatch.from_texts(["x"] * 10), SCHEMA)

    assert [] == votes.faults


def test_hanging_preprocessor_is_a_fault() -> None:
    """The time of preprocessors counts."""

    @preprocessor
    def slow(x: Item) -> Item:
        if x.text == "bad":
            _endless()
        return x

    votes, _ = _run(lambda: None, timeout=0.2, pre=[slow])

    assert ["1"] == [fault.item for fault in votes.faults]


def test_clock_is_handed_back() -> None:
    """Somebody else's alarm is running on afterwards, handler and all."""
    rang: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda *_: rang.append(1))
    left, interval = signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with guard(0.05):
            time.sleep(0.1)
        assert [] == rang
        remaining = signal.getitimer(signal.ITIMER_REAL)[0]
        assert 0 < remaining < 0.25
        deadline = time.monotonic() + 5
        while not rang and time.monotonic() < deadline:
            time.sleep(0.02)
        assert [1] == rang
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, left, interval)


def test_no_clock_outside_the_main_thread() -> None:
    """In another thread there is no limit, and no error."""
    results: list[VoteBatch] = []

    thread = threading.Thread(target=lambda: results.append(_run(lambda: time.sleep(0.2), timeout=0.05)[0]))
    thread.start()
    thread.join()

    assert [1, 1, 1] == list(results[0].labels)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sys.exit(2), "called sys.exit(2)"),
        (lambda: os._exit(2), "called _exit()"),
        (lambda *_: os.abort(), "called abort()"),
        (lambda *_: os.fork(), "called fork()"),
        (lambda: input("name? "), "called input()"),
        (lambda *_: sys.stdin.readline(), "read standard input"),
        (lambda *_: sys.stdin.read(), "read standard input"),
        (lambda: list(sys.stdin), "read standard input"),
    ],
)
def test_forbidden_calls_are_faults(call: Any, words: str) -> None:
    """What would end, double or block the worker is a fault with a sentence."""
    votes, _ = _run(call)

    assert [1, -1, 1] == list(votes.labels)
    assert words in votes.faults[0].error


def test_everything_is_put_back() -> None:
    """Outside the guard, the functions and streams are what they were."""
    before = (os._exit, os.abort, os.fork, input, sys.stdin, sys.stdout, sys.stderr)

    _run(lambda: None, timeout=1)

    assert before == (os._exit, os.abort, os.fork, input, sys.stdin, sys.stdout, sys.stderr)


def test_prints_are_kept_apart(capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever way it is printed, it goes into `printed`, cut at 2000 characters."""

    def noisy() -> None:
        print("näher", file=sys.stdout)  # noqa: T201 - user code prints
        sys.stderr.write("to stderr\n")
        assert isinstance(sys.stdout, io.TextIOWrapper)
        sys.stdout.buffer.write(b"bytes \xff\n")
        print("é" * 5000)  # noqa: T201 - user code prints

    _, printed = _run(noisy)

    assert printed.startswith("näher\nto stderr\nbytes \n")
    assert 2000 == len(printed)
    assert ("", "") == capfd.readouterr()


def test_interrupt_passes_the_guard() -> None:
    """Ctrl-C ends the work, not the item."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _run(interrupt, timeout=1)
