"""Fingerprints follow what a labeling function does, and nothing else."""

from __future__ import annotations

import datetime as dt
import functools
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelmill.annotators._fingerprint import fingerprint_of
from labelmill.annotators._rules_file import load_rules
from labelmill.annotators.labeling_function import LabelingFunction

RULES = '''
"""Rules."""
import re

import words
from words import deep, Shape
from labelmill import labeling_function, preprocessor
from labelmill.annotators.keyword import Keyword

LIMIT = 3  # at most
UNRELATED = 1
SEEN = {"cash", "free", "prize"}
PATTERN = re.compile("ca+sh")


def unrelated(x):
    return UNRELATED


def helper(text):
    """Says whether."""
    return len(text) > LIMIT and deep(text)


@preprocessor(memoize=True)
def lowered(x):
    return {"low": x.text.lower()}


@labeling_function(pre=[lowered], resources={"extra": {"b", "a"}})
def rule(x, extra):
    """A rule."""
    inner = lambda text: text in SEEN  # noqa
    if helper(x.low) or inner(x.text) or PATTERN.search(x.text):
        return "spam"
    return words.other(x) if Shape(2).round() else None


@labeling_function()
def lone(x):
    return "ham" if len(x.text) < 5 else None


money = Keyword("spam", ["cash"])
'''

WORDS = '''
BOUND = 7
NEVER = 1


def deep(text):
    return deeper(text)


def deeper(text):
    return len(text) > BOUND


def other(x):
    return None


def unused(x):
    return NEVER


class Shape:
    """A shape."""

    side: int = 4

    def __init__(self, n):
        self.n = n

    def round(self):
        return self.n > 3
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.py").write_text(RULES)
    (tmp_path / "words.py").write_text(WORDS)
    return tmp_path


def _prints(folder: Path) -> dict[str, str]:
    return {rule.name: rule.fingerprint for rule in load_rules(folder / "rules.py")}


def _edit(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("rules.py", "  # at most", "  # or less"),
        ("rules.py", '    """A rule."""\n', ""),
        ("rules.py", '"""Says whether."""', '"""Whether."""'),
        ("rules.py", "def unrelated", "\n\n\ndef unrelated"),
        ("rules.py", "UNRELATED = 1", "UNRELATED = 2"),
        ("rules.py", "    return UNRELATED", "    return UNRELATED + 1"),
        (
            "rules.py",
            "len(text) > LIMIT and deep(text)",
            "(\n        len(text)>LIMIT   # long\n        and deep(text)\n    )",
        ),
        ("rules.py", '{"cash", "free", "prize"}', '{"prize", "free", "cash"}'),
        ("rules.py", '{"b", "a"}', '{"a", "b"}'),
        ("words.py", "NEVER = 1", "NEVER = 2"),
        ("words.py", "    return NEVER", "    return 5"),
        ("words.py", '    """A shape."""\n', ""),
        ("words.py", "BOUND = 7", "BOUND = 6 + 1"),
    ],
)
def test_what_does_not_matter(folder: Path, file: str, old: str, new: str) -> None:
    """Comments, docstrings, format, line numbers and unrelated code change nothing."""
    before = _prints(folder)

    _edit(folder, file, old, new)

    assert before == _prints(folder)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("rules.py", "LIMIT = 3", "LIMIT = 4"),
        ("rules.py", "LIMIT = 3", "LIMIT = 3.0"),
        ("rules.py", '"cash", "free"', '"cash"'),
        ("rules.py", '"ca+sh"', '"ca+sh", re.I'),
        ("rules.py", "len(text) > LIMIT", "len(text) >= LIMIT"),
        ("rules.py", "x.text.lower()}", "x.text.casefold()}"),
        ("rules.py", '{"b", "a"}', '{"b", "c"}'),
        ("rules.py", "text in SEEN", "text not in SEEN"),
        ("rules.py", "def helper(text):", "def helper(text, more=1):"),
        ("words.py", "BOUND = 7", "BOUND = 8"),
        ("words.py", "len(text) > BOUND", "len(text) < BOUND"),
        ("words.py", "def other(x):\n    return None", "def other(x):\n    return 1"),
        ("words.py", "self.n > 3", "self.n > 4"),
        ("words.py", "side: int = 4", "side: int = 5"),
    ],
)
def test_what_matters(folder: Path, file: str, old: str, new: str) -> None:
    """A change anywhere below the rule changes its fingerprint, and no other rule's."""
    before = _prints(folder)

    _edit(folder, file, old, new)

    after = _prints(folder)
    assert {"rule"} == {name for name in before if before[name] != after[name]}


def test_same_in_every_process_and_place(folder: Path, tmp_path: Path) -> None:
    """Neither the seed of string hashes, nor the process, nor the folder's place changes a fingerprint."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("rules.py", "words.py"):
        (elsewhere / name).write_text((folder / name).read_text())
    script = (
        "import sys; from pathlib import Path\n"
        "from labelmill.annotators._rules_file import load_rules\n"
        "print({r.name: r.fingerprint for r in load_rules(Path(sys.argv[1]))})"
    )

    printed = {
        subprocess.run(
            [sys.executable, "-c", script, str(place / "rules.py")],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed, place in (("1", folder), ("2", elsewhere))
    }

    assert {str(_prints(folder))} == printed


def test_code_without_a_file(tmp_path: Path) -> None:
    """Functions typed into a session count by their instructions."""

    def made(source: str) -> str:
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(compile(source, "<stdin>", "exec"), names)  # noqa: S102 - as an interpreter does
        return fingerprint_of(names["f"])

    first = made("def f(x):\n    'Says.'\n    return x.text in {'a', 'b', 'c'}")

    assert first == made("\n\ndef f(x):  # same\n    return x.text in {'c', 'a', 'b'}")
    assert first != made("def f(x):\n    return x.text in {'a', 'b', 'd'}")
    assert made("k = 1\ndef f(x): return k") != made("k = 2\ndef f(x): return k")
    assert made("f = lambda x: x.text") == made("f = (lambda x:\n    x.text)")
    assert made("f = lambda x: x.text") != made("f = lambda x: x.data")


def test_two_lambdas_on_a_line_differ() -> None:
    """Lambdas are told apart by what they do, not by where they stand."""
    first, second = (LabelingFunction(function) for function in (lambda x: 0, lambda x: 1))

    assert first.fingerprint != second.fingerprint


def test_closures_and_defaults_count() -> None:
    """Two functions of one factory differ by what they close over."""

    def made(n: int) -> Callable[[Any], bool]:
        return lambda x: bool(x.n > n)

    def defaulted(n: int) -> Callable[..., bool]:
        def function(x: Any, m: int = n) -> bool:
            return bool(x.n > m)

        return function

    assert fingerprint_of(made(1)) == fingerprint_of(made(1))
    assert fingerprint_of(made(1)) != fingerprint_of(made(2))
    assert fingerprint_of(defaulted(1)) != fingerprint_of(defaulted(2))
    assert fingerprint_of(functools.partial(defaulted(1), m=1)) != fingerprint_of(functools.partial(defaulted(1), m=2))
    assert fingerprint_of(functools.cache(made(1))) != fingerprint_of(functools.cache(made(2)))


def test_functions_that_call_each_other() -> None:
    """Mutual recursion ends."""

    def even(n: int) -> bool:
        return n == 0 or odd(n - 1)

    def odd(n: int) -> bool:
        return n != 0 and even(n - 1)

    loop: list[Any] = []
    loop.append(loop)

    assert fingerprint_of(even) == fingerprint_of(even)
    assert fingerprint_of(even) != fingerprint_of(odd)
    assert fingerprint_of(loop) == fingerprint_of(loop)


class Resource:
    """Plain state."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.lock = threading.Lock()


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, 1.0),
        (1, True),
        (1, "1"),
        ("a", b"a"),
        ((1, 2), [1, 2]),
        ((1, 2), (12,)),
        ({"a": 1}, {"a": 2}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({1, 2}, frozenset({1, 2})),
        (re.compile("a"), re.compile("a", re.IGNORECASE)),
        (np.zeros(3), np.zeros((3, 1))),
        (np.zeros(3), np.zeros(3, dtype=np.float32)),
        (np.float64(1), 1.0),
        (Resource(1), Resource(2)),
        (dt.date(2020, 1, 1), dt.date(2020, 1, 2)),
        (range(3), range(4)),
        (len, max),
        (int, float),
        (np.array(["a", None], dtype=object), np.array(["a", 1], dtype=object)),
        ("abc".startswith, "abd".startswith),
    ],
)
def test_values_are_told_apart(a: Any, b: Any) -> None:
    """Values that differ have other fingerprints; the same value has the same."""
    assert fingerprint_of(a) != fingerprint_of(b)
    assert fingerprint_of(a) == fingerprint_of(a)


def test_equal_objects_are_equal() -> None:
    """Two objects in the same state are one, locks and all."""
    assert fingerprint_of(Resource(1)) == fingerprint_of(Resource(1))


def test_paths_count_by_content(tmp_path: Path) -> None:
    """A resource that is a file changes with the file."""
    path = tmp_path / "words.txt"
    path.write_text("a")

    before = fingerprint_of({"words": path})

    path.write_text("b")
    assert before != fingerprint_of({"words": path})
    path.write_text("a")
    assert before == fingerprint_of({"words": path})


def test_edited_source_is_not_trusted(folder: Path) -> None:
    """A function loaded before an edit is not taken for the new one."""
    loaded = {rule.name: rule for rule in load_rules(folder / "rules.py")}["lone"]
    before = loaded.fingerprint

    _edit(folder, "rules.py", "< 5", "< 6")

    after = _prints(folder)["lone"]
    assert loaded.fingerprint != after
    assert before != after


def test_imports_inside_functions_count(folder: Path) -> None:
    """A module beside the rules that a function imports when it runs is part of it."""
    (folder / "late.py").write_text("N = 1\n")
    (folder / "rules.py").write_text(
        "from labelmill import labeling_function\n\n\n"
        "@labeling_function\ndef rule(x):\n    import late\n\n    return late.N\n"
    )
    before = _prints(folder)

    (folder / "late.py").write_text("N = 1  # one\n")
    assert before == _prints(folder)
    (folder / "late.py").write_text("N = 0\n")
    assert before != _prints(folder)
