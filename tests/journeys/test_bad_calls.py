"""Calls that are wrong: names, flags, places for results, and the order of the verbs."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest
from tests.journeys.conftest import Shell, texts
from tests.journeys.refusals import refused

TRUTH = {name: label for name, _, label in texts(120)}


@pytest.fixture
def voted(shell: Shell, project: Path) -> Path:
    """A project with items, rules' votes and a consensus."""
    for step in (["import", project / "items.csv"], ["annotate"], ["aggregate"]):
        assert shell(*step, "-p", project).status == 0
    return project


def fill_in(path: Path, labels: dict[str, str]) -> None:
    """Answer some rows of a file of questions."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows({**row, "label": labels.get(row["item"], "")} for row in rows)


def items_in(path: Path) -> list[str]:
    """The items of a file of questions."""
    with path.open(newline="") as file:
        return [row["item"] for row in csv.DictReader(file)]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["annotate", "--engine", "seral"], ("no engine is called 'seral'", "did you mean 'serial'?")),
        (["predict", "--engine", "proceses"], ("no engine is called 'proceses'", "did you mean 'processes'?")),
        (["run", "--engine", "ray:/head"], ("no engine is called 'ray:/head'", "Or an address: ray://HOST:PORT")),
        (["work", "2026"], ("no run is called '2026'", "labelmill runs list")),
        (["aggregate", "--model", "dawidskene"], ("no label model is called", "did you mean 'dawid_skene'?")),
        (["train", "--learner", "tfidf-linear"], ("no learner is called", "did you mean 'tfidf_linear'?")),
        (["select", "--strategy", "entrpy"], ("no query strategy is called", "did you mean 'entropy'?")),
        (["import", "x.csv", "--format", "cvs"], ("no format is called 'cvs'", "did you mean 'csv'?")),
        (["export", "--format", "csv,cvs"], ("'cvs'", "did you mean 'csv'?")),
        (["export", "--name", "../up"], ("'../up' is no name for a release",)),
        (["runs", "show", "2026"], ("no run is called '2026'", "labelmill runs list")),
        (["demo", "spma"], ("no example is called 'spma'", "did you mean 'spam'?")),
        (["agregate"], ("no command is called 'agregate'", "did you mean 'aggregate'?")),
        (["runs", "lst"], ("no command is called 'lst'", "did you mean 'list'?")),
        (["aggregate", "--modle", "auto"], ("--modle",)),
        (["import"], ("Missing argument",)),
        (["annotate", "rules.py"], ("unexpected extra argument",)),
        (["select", "--count", "0"], ("--count", "x>=1")),
        (["select", "--seed", "-1"], ("--seed", "x>=0")),
        (["aggregate", "--seed", "-1"], ("--seed", "x>=0")),
        (["annotate", "--workers", "0"], ("--workers", "x>=1")),
        (["certify", "--plan", "--error", "0"], ("--error", "0<x<1")),
        (["certify", "--plan", "--error", "nan"], ("--error", "0<x<1")),
        (["certify", "--plan", "--confidence", "1"], ("--confidence", "0<x<1")),
        (["certify", "--plan", "--sample-size", "121"], ("sample_size", "0..120", "found 121")),
        (["certify", "--plan", "--people-checked", "3"], ("--people-checked and --people-wrong",)),
        (["certify", "--plan", "--people-checked", "3", "--people-wrong", "4"], ("found 4 of 3",)),
        (["import", "x.csv", "--purpose", "adit"], ("--purpose", "'audit'")),
        (["import", "x.csv", "--on-bad-rows", "skp"], ("--on-bad-rows", "'skip'")),
    ],
)
def test_a_name_or_a_number_that_is_wrong(
    shell: Shell, voted: Path, words: list[str | Path], told: tuple[str, ...]
) -> None:
    """Wrong use: exit status 2, the value found, the values allowed and the nearest; nothing is done."""
    known = words[0] in {"demo", "agregate"}

    refused(shell, words if known else [*words, "-p", voted], 2, *told)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["aggregate", "--classes", "a,b"], "--classes goes with --votes and --out"),
        (["aggregate", "--reliabilities", "r.csv"], "--reliabilities goes with --votes and --out"),
        (["aggregate", "--seed", "3"], "--seed goes with --votes and --out"),
        (["aggregate", "--votes", "v.csv"], "--out is missing"),
        (["aggregate", "--out", "l.csv"], "--votes is missing"),
        (["annotate", "--classes", "a,b"], "--classes goes with --items, --code and --out"),
        (["annotate", "--items", "i.csv", "--code", "r.py"], "--out is missing"),
        (["annotate", "--code", "r.py", "--out", "v.csv"], "--items is missing"),
        (["annotate", "--items", "i.csv", "--out", "v.csv", "--workers", "2"], "--workers works in a project only"),
        (["certify", "--error", "0.1"], "--error goes with --plan"),
        (["certify", "--new-release"], "--new-release goes with --plan"),
    ],
)
def test_flags_that_do_not_go_together(shell: Shell, voted: Path, words: list[str | Path], told: str) -> None:
    """A flag that would be passed over in silence is refused."""
    refused(shell, [*words, "-p", voted], 2, told)


OUTPUTS = {
    "aggregate": ["aggregate", "--votes", "votes.csv", "--out"],
    "reliabilities": ["aggregate", "--votes", "votes.csv", "--out", "labels.csv", "--reliabilities"],
    "annotate": ["annotate", "--items", "mails/items.csv", "--code", "mails/rules.py", "--out"],
    "select": ["select", "-p", "mails", "--out"],
    "certify": ["certify", "--plan", "-p", "mails", "--out"],
    "run": ["run", "-p", "mails", "--ask"],
    "report": ["report", "-p", "mails", "--out"],
}


@pytest.fixture(params=OUTPUTS)
def writing(request: pytest.FixtureRequest, voted: Path) -> list[str | Path]:
    """A command that writes a file, up to the file's name."""
    Path("votes.csv").write_text("item,annotator,label\na,u,x\nb,u,y\n")
    return list(OUTPUTS[request.param])


def test_a_place_that_is_not_there(writing: list[str | Path], shell: Shell) -> None:
    """A missing folder is told before any work is done."""
    refused(shell, [*writing, "nowhere/out.csv"], 1, "nowhere: no such folder", "create it first")


def test_a_folder_where_a_file_goes(writing: list[str | Path], shell: Shell) -> None:
    """A folder is not replaced by a file."""
    Path("folder").mkdir()

    refused(shell, [*writing, "folder"], 1, "folder: is a folder", "Choose another name")


def test_a_file_where_a_folder_is_needed(writing: list[str | Path], shell: Shell) -> None:
    """A file is not taken for a folder."""
    Path("file").write_text("mine")

    refused(shell, [*writing, "file/out.csv"], 1, "file/out.csv", "is a file where a folder is needed")


@pytest.mark.skipif(not Path("/sys/kernel").is_dir() or os.name != "posix", reason="needs Linux's read-only /sys")
def test_a_folder_that_cannot_be_written(writing: list[str | Path], shell: Shell) -> None:
    """Without permission nothing is done."""
    refused(shell, [*writing, "/sys/kernel/out.csv"], 1, "/sys/kernel/out.csv")


def test_an_ending_that_says_no_format(writing: list[str | Path], shell: Shell) -> None:
    """A table is written in the format of its ending; a report in any file."""
    if writing[0] == "report":
        assert shell(*writing, "out.doc").status == 0
    else:
        refused(shell, [*writing, "out.doc"], 2, "out.doc", "no format is known by this ending", ".csv")


def test_a_result_in_the_place_of_its_source(shell: Shell, project: Path) -> None:
    """No file that is read is written."""
    votes = "item,annotator,label\na,u,x\n"
    Path("votes.csv").write_text(votes)
    items, code = project / "items.csv", project / "rules.py"

    refused(shell, ["aggregate", "--votes", "votes.csv", "--out", "./votes.csv"], 2, "are the same file")
    both: list[str | Path] = ["aggregate", "--votes", "votes.csv", "--out", "l.csv", "--reliabilities", "l.csv"]
    refused(shell, both, 2, "--reliabilities and --out are the same file")
    refused(shell, ["annotate", "--items", items, "--code", code, "--out", items], 2, "one of the files that are read")


def test_a_release_where_something_is(shell: Shell, voted: Path) -> None:
    """A release goes into an empty folder; what is there stays."""
    Path("full").mkdir()
    Path("full/mine.txt").write_text("mine")

    refused(shell, ["export", "full", "-p", voted], 1, "full: is there already", "Choose another folder")
    refused(shell, ["export", "full/mine.txt", "-p", voted], 1, "full/mine.txt: is there already")
    refused(shell, ["export", "full/mine.txt/out", "-p", voted], 1, "is a file where a folder is needed")


def test_a_release_never_changes(shell: Shell, voted: Path) -> None:
    """A name is given once."""
    assert shell("export", "--name", "one", "-p", voted).status == 0

    refused(shell, ["export", "--name", "one", "-p", voted], 2, "release 'one' already", "choose another name")


def test_a_demo_does_not_replace_your_work(shell: Shell, project: Path) -> None:
    """The demo makes a folder of its own."""
    refused(shell, ["demo", "--out", project, "--no-open"], 1, "not empty and not a demo", "--out DIR")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["annotate"], "there are no items yet: bring some with `labelmill import FILE`"),
        (["aggregate"], "there are no items yet"),
        (["analyze"], "there are no items yet"),
        (["train"], "there are no items yet"),
        (["run"], "there are no items yet"),
        (["predict"], "no learner is trained yet: train one with `labelmill train`"),
        (["select"], "there is no consensus yet: make one with `labelmill aggregate`"),
        (["select", "--out", "ask.csv"], "there is no consensus yet"),
        (["certify", "--plan"], "there is no consensus yet"),
        (["certify"], "no audit is planned yet: labelmill certify --plan --out audit.csv"),
        (["export", "out"], "there is no consensus yet"),
        (["report"], "there is no consensus yet"),
    ],
)
def test_a_verb_before_its_turn(shell: Shell, project: Path, words: list[str | Path], told: str) -> None:
    """Each says what to run first."""
    refused(shell, [*words, "-p", project], 1, told)


def test_an_audit_from_plan_to_certificate(shell: Shell, voted: Path) -> None:
    """Every wrong turn on the way is refused with the next step, and the way is still open."""
    audit = Path("audit.csv")
    plan: list[str | Path] = ["certify", "--plan", "--error", "0.1", "--out", audit, "-p", voted]
    answers: list[str | Path] = ["import", audit, "--votes-by", "ann", "--purpose", "audit", "-p", voted]
    assert shell(*plan).status == 0
    items = items_in(audit)

    refused(shell, ["certify", "-p", voted], 1, f"{len(items)} of {len(items)} audited items", "import")
    fill_in(audit, dict.fromkeys(items, "hamm"))
    refused(shell, answers, 1, "audit.csv, line 2, field 'label'", "unknown class 'hamm': did you mean 'ham'?")
    refused(shell, plan, 1, "answers that are not imported yet")
    audit.unlink()
    assert shell(*plan).status == 0  # nothing is answered: it may be planned again
    assert items == items_in(audit)
    fill_in(audit, {item: TRUTH[item] for item in items[:3]})
    assert shell(*answers).status == 0
    refused(shell, ["certify", "-p", voted], 1, f"{len(items) - 3} of {len(items)} audited items", "--purpose audit")
    refused(shell, plan, 1, "has answers already", "--new-release")
    fill_in(audit, TRUTH)
    assert shell(*answers).status == 0
    certified = shell("certify", "-p", voted)

    assert certified.status == 0, certified.err
    refused(shell, plan, 1, "--new-release")


def test_nothing_to_audit(shell: Shell, project: Path) -> None:
    """Where machines decided nothing the plan says who does."""
    (project / "rules.py").write_text('from labelmill import keyword\n\nnever = keyword("spam", ["zzz"])\n')
    for step in (["import", project / "items.csv"], ["annotate"], ["aggregate"]):
        shell(*step, "-p", project)

    planned = shell("certify", "--plan", "-p", project)

    assert planned.status == 0, planned.err
    assert "0 of 120 items" in planned.out
    assert "people answer what is left" in planned.out


def test_json_is_json_after_every_success(shell: Shell, project: Path) -> None:
    """With `--json` standard output is one object, whatever the rules print, and standard error is empty."""
    with (project / "rules.py").open("a") as file:
        file.write("\n\nprint('loaded')\n\n\n@labeling_function()\ndef noisy(x):\n    print(x.text)\n")
    (project / "answers.csv").write_text("item,label\nm1,ham\nm0,\n")
    Path("votes.csv").write_text("item,annotator,label\na,u,x\n")
    items, code = project / "items.csv", project / "rules.py"
    steps: list[list[str | Path]] = [
        ["import", items, "-p", project],
        ["annotate", "-p", project],
        ["import", project / "answers.csv", "--votes-by", "ann", "-p", project],
        ["aggregate", "-p", project],
        ["analyze", "-p", project],
        ["train", "-p", project],
        ["predict", "-p", project],
        ["select", "-p", project],
        ["select", "--out", "ask.csv", "-p", project],
        ["certify", "--plan", "-p", project],
        ["export", "-p", project],
        ["report", "-p", project],
        ["run", "-p", project],
        ["runs", "list", "-p", project],
        ["init", "new", "--classes", "a,b"],
        ["annotate", "--items", items, "--code", code, "--out", "out.csv"],
        ["aggregate", "--votes", "votes.csv", "--out", "out.csv"],
    ]
    for step in steps:
        answer = shell(*step, "--json")

        assert answer.status == 0, (step, answer.err)
        assert answer.err == "", step
        assert isinstance(json.loads(answer.out), dict), step
        assert answer.out.count("\n") == 1, step


def test_debug_shows_the_traceback(shell: Shell) -> None:
    """`--debug` counts wherever it stands."""
    from labelmill.errors import ProjectError

    for words in (["--debug", "annotate"], ["annotate", "--debug"]):
        with pytest.raises(ProjectError, match=r"no labelmill\.toml"):
            shell(*words)
