"""Loading a file of rules: names, order, siblings, and errors that say where."""

from __future__ import annotations

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from labelmill.annotators._rules_file import load_rules
from labelmill.domain.item import ItemBatch
from labelmill.domain.schema import LabelSchema
from labelmill.errors import RulesError

SCHEMA = LabelSchema("spam", ("ham", "spam"))
HEAD = "from labelmill import labeling_function, keyword, dictionary\n"


def _write(folder: Path, text: str, name: str = "rules.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_names_and_order(tmp_path: Path) -> None:
    """Annotators come in the order of definition, named by function, option or variable."""
    path = _write(
        tmp_path,
        HEAD
        + 'zebra = keyword("spam", ["free"])\n'
        + "@labeling_function\ndef second(x): return None\n"
        + 'ignored = keyword("spam", ["win"], name="third")\n'
        + "fourth = labeling_function(lambda x: 'ham')\n"
        + "again = zebra\nnumber = 5\n",
    )

    assert ["zebra", "second", "third", "fourth"] == [rule.name for rule in load_rules(path)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def broken(:\n    pass\n", r"rules.py, line 1: .*\nmend this line"),
        ("x = 1\ny = x / 0\n", r"rules.py, line 2: ZeroDivisionError: division by zero\nmend"),
        ("import sys\nsys.exit(3)\n", r"rules.py, line 2: called sys.exit\(3\)"),
        ("import no_such_module_here\n", r"line 1: ModuleNotFoundError.*\nput no_such_module_here.py beside rules.py"),
        ("import beside\n", r"beside.py, line 3: ValueError: no"),
        ("import crooked\n", r"crooked.py, line 2: "),
        ("x = 1\n", r"holds no annotator: decorate a function"),
        ("", r"holds no annotator"),
        (
            HEAD + 'a = keyword("s", ["x"], name="n")\nb = keyword("s", ["y"], name="n")\n',
            r"'a' and 'b' are both named 'n'",
        ),
        (HEAD + '\nmoney = keyword("spam", "free")\n', r"rules.py, line 3: words must be a list of texts"),
        (HEAD + 'd = dictionary({"spam": "gone.txt"})\n', r"rules.py, line 2: the terms of 'spam': no file gone.txt"),
        ("input('who? ')\n", r"line 1: called input\(\)"),
        ("x = '\\ud800'.encode()\n", r"line 1: UnicodeEncodeError"),
    ],
)
def test_errors_say_where(tmp_path: Path, text: str, message: str) -> None:
    """Whatever is wrong, the message names file and line and what to do."""
    _write(tmp_path, "\n\nraise ValueError('no')\n", "beside.py")
    _write(tmp_path, "\ndef (:\n", "crooked.py")

    with pytest.raises(RulesError, match=message) as caught:
        load_rules(_write(tmp_path, text))

    assert "Traceback" not in str(caught.value)


def test_missing_and_foreign_files(tmp_path: Path) -> None:
    """No file, a folder, and bytes that are no text are errors with a name."""
    (tmp_path / "latin.py").write_bytes(b"x = '\xe9'\n")

    for name, message in (("gone.py", "no file"), ("", "cannot be read"), ("latin.py", "latin.py")):
        with pytest.raises(RulesError, match=message):
            load_rules(tmp_path / name)


def test_siblings_are_read_anew(tmp_path: Path) -> None:
    """Modules and packages beside the file are importable, and an edit of one is seen at the next load."""
    _write(tmp_path, "LABEL = 'spam'\n", "labels_here.py")
    (tmp_path / "package_here").mkdir()
    _write(tmp_path / "package_here", "from package_here.inner import WORD\n", "__init__.py")
    _write(tmp_path / "package_here", "WORD = 'free'\n", "inner.py")
    path = _write(
        tmp_path,
        HEAD + "from labels_here import LABEL\nfrom package_here import WORD\nrule = keyword(LABEL, [WORD])\n",
    )
    batch = ItemBatch.from_texts(["free", "cash"])

    first = load_rules(path)[0].annotate(batch, SCHEMA).labels
    _write(tmp_path, "LABEL = 'ham'\n", "labels_here.py")
    _write(tmp_path / "package_here", "WORD = 'cash'\n", "inner.py")
    second = load_rules(path)[0].annotate(batch, SCHEMA).labels

    assert [1, -1] == list(first)
    assert [-1, 0] == list(second)
    assert str(tmp_path) not in sys.path
    assert [] == list(tmp_path.rglob("__pycache__"))


def test_projects_do_not_mix(tmp_path: Path) -> None:
    """Two projects with modules of the same name each get their own."""
    paths = []
    for name in ("ham", "spam"):
        folder = tmp_path / name
        folder.mkdir()
        _write(folder, f"LABEL = {name!r}\n", "common_name.py")
        late = "@labeling_function\ndef late(x):\n    import common_name\n    return common_name.LABEL\n"
        paths.append(_write(folder, HEAD + f"from common_name import LABEL\nrule = keyword(LABEL, ['x'])\n{late}"))

    rules = [load_rules(path) for path in paths]

    batch = ItemBatch.from_texts(["x"])
    assert [[0], [1]] == [list(pair[0].annotate(batch, SCHEMA).labels) for pair in rules]
    assert [1] == list(rules[1][1].annotate(batch, SCHEMA).labels)


def test_imports_inside_functions_work(tmp_path: Path) -> None:
    """A sibling imported when the function runs is found."""
    _write(tmp_path, "LABEL = 'spam'\n", "imported_late.py")
    path = _write(
        tmp_path,
        HEAD + "@labeling_function\ndef rule(x):\n    from imported_late import LABEL\n    return LABEL\n",
    )

    assert [1] == list(load_rules(path)[0].annotate(ItemBatch.from_texts(["x"]), SCHEMA).labels)


def test_word_lists_start_at_the_file(tmp_path: Path) -> None:
    """A relative path to a word list starts at the folder of the rules."""
    (tmp_path / "words").mkdir()
    _write(tmp_path / "words", "free\n", "spam.txt")
    path = _write(tmp_path, HEAD + 'vocabulary = dictionary({"spam": "words/spam.txt"})\n')

    rule = load_rules(path)[0]

    assert [1] == list(rule.annotate(ItemBatch.from_texts(["free"]), SCHEMA).labels)
    _write(tmp_path / "words", "cash\n", "spam.txt")
    assert rule.fingerprint != load_rules(path)[0].fingerprint


def test_modules_with_dataclasses_and_enums_load(tmp_path: Path) -> None:
    """Classes that look up their module find it."""
    path = _write(
        tmp_path,
        "from __future__ import annotations\nimport enum\nfrom dataclasses import dataclass\n" + HEAD + "\n"
        "class C(enum.IntEnum):\n    HAM = 0\n    SPAM = 1\n\n@dataclass\nclass D:\n    n: int = 1\n\n"
        "@labeling_function\ndef rule(x):\n    return C(D().n)\n",
    )

    rule = load_rules(path)[0]

    assert [1] == list(rule.annotate(ItemBatch.from_texts(["x"]), SCHEMA).labels)
    assert rule.fingerprint == load_rules(path)[0].fingerprint


def test_prints_at_import_are_swallowed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What a rules file prints while it is loaded does not mix with our output."""
    load_rules(_write(tmp_path, HEAD + 'print("loading")\nrule = keyword("spam", ["x"])\n'))

    assert ("", "") == capfd.readouterr()


def _in_worker(path: Path) -> tuple[list[str], list[str], list[int]]:
    rules = load_rules(path)
    labels = rules[0].annotate(ItemBatch.from_texts(["free", "x"]), SCHEMA).labels
    return [rule.name for rule in rules], [rule.fingerprint for rule in rules], [int(label) for label in list(labels)]


def test_spawned_workers_load_the_same(tmp_path: Path) -> None:
    """A worker process that loads the file has the same rules under the same fingerprints."""
    path = _write(
        tmp_path,
        HEAD
        + "W = {'free', 'cash', 'win'}\n@labeling_function\ndef rule(x):\n    return 'spam' if x.text in W else None\n",
    )

    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        there = pool.submit(_in_worker, path).result(timeout=60)

    assert _in_worker(path) == there
