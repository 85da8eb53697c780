"""Rules that cannot be loaded, and rules that misbehave at work."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.journeys.conftest import Shell
from tests.journeys.refusals import refused

HEAD = "import os, sys, time\nfrom labelmill import keyword, labeling_function, regex\n"


def one_function(body: str) -> str:
    """A rules file of one function `f`, and one rule `money` that is well."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f'{HEAD}\nmoney = keyword("spam", ["prize"])\n\n\n@labeling_function()\ndef f(x):\n{lines}'


@pytest.fixture(params=["in a project", "between files"])
def annotate(request: pytest.FixtureRequest, shell: Shell, project: Path) -> list[str | Path]:
    """The command that runs the rules, over 120 mails, here and there."""
    if request.param == "in a project":
        assert shell("import", project / "items.csv", "-p", project).status == 0
        return ["annotate", "-p", project]
    files: list[str | Path] = ["--items", project / "items.csv", "--code", project / "rules.py"]
    return ["annotate", *files, "--out", "votes.csv", "--classes", "ham,spam"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("x = 1\ndef f(:\n", ("rules.py, line 2", "invalid syntax", "mend this line")),
        ("import nosuchmodule\n", ("rules.py, line 1", "No module named 'nosuchmodule'", "install the package")),
        ("x = 1\ny = x / 0\n", ("rules.py, line 2", "ZeroDivisionError")),
        ("import sys\nsys.exit(0)\n", ("rules.py, line 2", "sys.exit(0)")),
        ("import os\nos._exit(0)\n", ("rules.py, line 2", "_exit()")),
        ("x = 1\n", ("rules.py holds no annotator", "@labeling_function")),
        ("", ("rules.py holds no annotator",)),
        (f"{HEAD}a = keyword('ham', ['x'], name='q')\nb = keyword('ham', ['y'], name='q')\n", ("'a' and 'b'", "'q'")),
        (f"{HEAD}a = keyword('hamm', ['x'])\n", ("'a' votes for the unknown class 'hamm'", "did you mean 'ham'?")),
        (f"{HEAD}a = regex('ham', '(')\n", ("rules.py, line 3", "'('", "no regular expression")),
        (f"{HEAD}a = keyword('ham', [])\n", ("rules.py, line 3", "found none")),
        (f"{HEAD}tfidf_linear = keyword('ham', ['x'])\n", None),
    ],
)
def test_rules_that_cannot_be_used(
    annotate: list[str | Path], shell: Shell, project: Path, code: str, words: tuple[str, ...] | None
) -> None:
    """The message names the file and, where there is one, the line; nothing is run."""
    (project / "rules.py").write_text(code)

    if words is not None:
        refused(shell, annotate, 2, *words)
    elif "-p" in annotate:
        refused(shell, annotate, 2, "'tfidf_linear'", "named like a learner")


def test_rules_in_another_encoding(annotate: list[str | Path], shell: Shell, project: Path) -> None:
    """A rules file that is not UTF-8 is refused."""
    (project / "rules.py").write_bytes("x = 'caf\xe9'\n".encode("cp1252"))

    refused(shell, annotate, 2, "rules.py")


def test_rules_that_are_not_there(annotate: list[str | Path], shell: Shell, project: Path) -> None:
    """A missing rules file is wrong use; the message says where it is named."""
    (project / "rules.py").unlink()

    refused(shell, annotate, 2, "rules.py", "labeling functions there", "[annotators]")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise ValueError('seven of ' + x.id)", "ValueError: seven of m7"),
        ("return 'hamm'", "unknown class 'hamm': did you mean 'ham'?"),
        ("return 0.5", "0.5 is no answer"),
        ("return object()", "is no answer"),
        ("return 7", "7 is no answer"),
        ("return True", "True is no answer"),
        ("return ['ham']", "is no single class"),
        ("return b'ham'", "is no answer"),
        ("sys.exit(3)", "called sys.exit(3)"),
        ("os._exit(3)", "called _exit()"),
        ("os.abort()", "called abort()"),
        ("os.fork()", "called fork()"),
        ("input()", "called input()"),
        ("raise MemoryError", "MemoryError"),
        ("raise StopIteration", "StopIteration"),
        ("raise BaseException('odd')", "odd"),
        ("return f(x)", "RecursionError"),
        ("return x.nothing", "nothing"),
        ("del x.id", "cannot delete"),
    ],
)
def test_a_rule_that_fails_on_one_item(
    annotate: list[str | Path], shell: Shell, project: Path, body: str, words: str
) -> None:
    """The item is a fault of that rule, everything else is as if nothing had been; the run succeeds."""
    (project / "rules.py").write_text(one_function(f"if x.id != 'm7':\n    return 'ham'\n{body}"))

    told = shell(*annotate, "--json")

    assert told.status == 0, told.err
    assert told.json["faults"] == {"f": 1}
    if "-p" in annotate:
        shown = shell("runs", "show", told.json["run"], "-p", project).out
        assert "f on item m7" in shown
        assert words in shown
    else:
        assert [("m7", "f")] == [(fault["item"], fault["annotator"]) for fault in told.json["fault_list"]]
        assert words in told.json["fault_list"][0]["error"]
        assert told.json["votes"] == 119 + 40


def test_a_rule_that_hangs(annotate: list[str | Path], shell: Shell, project: Path) -> None:
    """`--timeout` stops it on that item; the run finishes."""
    (project / "rules.py").write_text(one_function("if x.id == 'm7':\n    time.sleep(60)\nreturn 'ham'"))
    began = time.monotonic()

    told = shell(*annotate, "--timeout", "0.2", "--json")

    assert told.json["faults"] == {"f": 1}
    assert time.monotonic() - began < 10


def test_a_rule_that_prints(annotate: list[str | Path], shell: Shell, project: Path) -> None:
    """What rules print is shown once and never mixes with JSON, not even what goes past Python."""
    printing = "print('hello')\nsys.stderr.write('hey')\nos.write(1, b'raw')\nreturn 'ham'"
    (project / "rules.py").write_text(one_function(printing))

    as_json = shell(*annotate, "--json")
    (project / "rules.py").write_text(one_function(f"{printing} if x.id else None"))
    as_text = shell(*annotate)

    assert as_json.json["printed"].startswith("hello\nheyhello\nhey")
    assert "raw" not in as_json.out
    assert as_text.out.count("hello") == 1
    assert "Your rules printed: hello ..." in as_text.out
    assert "raw" not in as_text.out


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "100000", "soon"])
def test_a_time_limit_that_is_none(annotate: list[str | Path], shell: Shell, seconds: str) -> None:
    """A limit is a number of seconds above 0."""
    refused(shell, [*annotate, "--timeout", seconds], 2, "--timeout", seconds)


def test_names_that_look_like_markup(shell: Shell, project: Path) -> None:
    """Foreign names are printed as they are: no markup, no control characters."""
    (project / "rules.py").write_text(one_function("raise ValueError('[/bold]\\x1b[31m')"))
    Path("items.csv").write_text("id,text\n[/red],hello\n[bold]x,prize\n")

    command: list[str | Path] = ["annotate", "--items", "items.csv", "--code", project / "rules.py"]
    told = shell(*command, "--out", "votes.csv")

    assert told.status == 0, told.err
    assert "f on item [/red]: ValueError: [/bold]\\x1b[31m" in told.out
