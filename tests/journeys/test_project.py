from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest
from tests.journeys.conftest import Shell, texts

TRUTH = {name: label for name, _, label in texts(120)}
"""Of the mails in `project`."""


def fill_in(path: Path, truth: Mapping[str, str] = TRUTH) -> None:
    """Answer a file of questions truthfully, as a person would in a spreadsheet."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["label"] = truth[row["item"]]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def test_from_texts_to_a_certified_release(shell: Shell, project: Path) -> None:
    """Import, annotate, aggregate, train, select, answer, certify, export, report: the whole line by hand."""
    steps: list[list[str | Path]] = [
        ["import", project / "items.csv"],
        ["annotate"],
        ["analyze"],
        ["aggregate"],
        ["train"],
        ["aggregate"],
        ["select", "--count", "10", "--out", project / "ask.csv"],
    ]
    for step in steps:
        answer = shell(*step, "-p", project)
        assert answer.status == 0, answer.err
    fill_in(project / "ask.csv")
    assert shell("import", project / "ask.csv", "--votes-by", "ann", "-p", project).status == 0
    assert shell("aggregate", "-p", project).status == 0
    plan = shell("certify", "--plan", "--error", "0.1", "--out", project / "audit.csv", "-p", project, "--json")
    assert plan.status == 0, plan.err
    fill_in(project / "audit.csv")
    assert shell("import", project / "audit.csv", "--votes-by", "ann", "--purpose", "audit", "-p", project).status == 0

    certificate = shell("certify", "-p", project, "--json").json
    exported = shell("export", project / "out", "-p", project, "--json")
    reported = shell("report", "-p", project)

    assert certificate["n_wrong"] == 0
    assert certificate["missing"] == []
    assert exported.json["certified"] is True
    assert reported.status == 0
    labels = pl.read_parquet(project / "out" / "labels.parquet")
    assert dict(labels.select("item", "label").iter_rows()) == TRUTH
    assert json.loads((project / "out" / "certificate.json").read_text())["error"] == 0.1
    assert "<html" in (project / "report.html").read_text()


def test_run_turns_the_whole_mill(shell: Shell, project: Path) -> None:
    """`labelmill run` does it in one command, and says what to do next."""
    with (project / "labelmill.toml").open("a") as file:
        file.write('[source]\nitems = ["items.csv"]\n')

    first = shell("run", "-p", project, "--count", "5")
    again = shell("run", "-p", project, "--count", "5", "--json")

    assert first.status == 0, first.err
    assert "--votes-by" in first.out
    assert (project / "ask.csv").exists()
    assert again.json["imported"] == []


def test_answers_not_brought_back_are_kept(shell: Shell, project: Path) -> None:
    """A file of questions that somebody has filled in is not written over before it is imported."""
    for step in (["import", project / "items.csv"], ["annotate"], ["aggregate"]):
        assert shell(*step, "-p", project).status == 0
    ask = project / "ask.csv"
    shell("select", "--count", "5", "--out", ask, "-p", project)
    fill_in(ask)
    filled = ask.read_bytes()

    refused = shell("select", "--count", "5", "--out", ask, "-p", project)
    kept = ask.read_bytes()
    shell("import", ask, "--votes-by", "ann", "-p", project)
    after = shell("select", "--count", "5", "--out", ask, "-p", project)

    assert (refused.status, kept) == (1, filled)
    assert "5 answers that are not imported yet" in refused.err
    assert after.status == 0, after.err


def test_init_makes_a_project_that_runs(shell: Shell, project: Path) -> None:
    """What `init` writes is a working project."""
    made = shell("init", "fresh", "--classes", "ham,spam")
    imported = shell("import", project / "items.csv", "-p", "fresh")
    ran = shell("run", "-p", "fresh")

    assert (made.status, imported.status, ran.status) == (0, 0, 0), made.err + imported.err + ran.err


@pytest.mark.parametrize("project", ["folder", "s3"], indirect=True)
def test_only_an_edited_rule_runs_again(shell: Shell, project: Path) -> None:
    """Edit one rule, and only that rule runs."""
    shell("import", project / "items.csv", "-p", project)
    first = shell("annotate", "-p", project, "--json").json
    rules = (project / "rules.py").read_text()
    (project / "rules.py").write_text(rules.replace('"lunch"]', '"lunch", "noon"]'))

    second = shell("annotate", "-p", project, "--json").json
    third = shell("annotate", "-p", project, "--json").json

    assert first["ran"] == ["money", "shouting", "thanks", "short"]
    assert second["ran"] == ["thanks"]
    assert third["ran"] == []


@pytest.mark.parametrize("project", ["folder", "s3"], indirect=True)
def test_appended_items_are_the_only_ones_annotated(shell: Shell, project: Path) -> None:
    """Ten per cent more items cost ten per cent more work."""
    shell("import", project / "items.csv", "-p", project)
    shell("annotate", "-p", project)
    (project / "more.csv").write_text("id,text\nnew1,a free prize for you and all your friends\n")

    shell("import", project / "more.csv", "-p", project)
    run = shell("annotate", "-p", project, "--json").json

    assert run["partitions"] == 1
    assert shell("aggregate", "-p", project, "--json").json["items"] == 121


def test_faults_are_counted_and_listed(shell: Shell, project: Path) -> None:
    """A rule that raises on one item loses that item and nothing else; `runs show` has the traceback."""
    (project / "rules.py").write_text(
        "from labelmill import labeling_function\n\n\n"
        "@labeling_function()\ndef picky(x):\n"
        "    if x.id == 'm7':\n        raise ValueError('seven')\n    return 'ham'\n"
    )
    shell("import", project / "items.csv", "-p", project)

    run = shell("annotate", "-p", project, "--json").json
    shown = shell("runs", "show", run["run"], "-p", project)
    listed = shell("runs", "list", "-p", project)

    assert run["faults"] == {"picky": 1}
    assert "m7" in shown.out
    assert "raise ValueError('seven')" in shown.out
    assert "annotate" in listed.out


def test_learner_votes_on_later_items(shell: Shell, project: Path) -> None:
    """`predict` lets the trained learner vote on items that came after it, and on nothing twice."""
    for step in (["import", project / "items.csv"], ["annotate"], ["train"]):
        assert shell(*step, "-p", project).status == 0
    (project / "more.csv").write_text("id,text\nnew1,you are the winner of a free prize\n")
    shell("import", project / "more.csv", "-p", project)

    first = shell("predict", "--engine", "serial", "-p", project, "--json").json
    second = shell("predict", "--engine", "serial", "-p", project, "--json").json

    assert (first["items"], second["items"]) == (1, 0)


def test_several_classes_at_once(shell: Shell, tmp_path: Path) -> None:
    """A multi-choice project goes from rules and a person to a release with lists of classes."""
    folder = tmp_path / "topics"
    shell("init", folder, "--classes", "sport,money,art", "--kind", "multi_choice")
    (folder / "rules.py").write_text(
        "from labelmill import keyword, labeling_function\n\n"
        'ball = keyword("sport", ["ball", "goal"])\n'
        'bank = keyword("money", ["bank", "price"])\n\n\n'
        "@labeling_function()\ndef painted(x):\n"
        '    return ["art", "money"] if "auction" in x.text else ["art"] if "paint" in x.text else None\n'
    )
    rows = ["the ball and the bank", "a goal", "paint on canvas", "an auction of paint", "the price of a ball"] * 8
    (folder / "items.csv").write_text("id,text\n" + "".join(f"t{i},{text}\n" for i, text in enumerate(rows)))
    (folder / "answers.csv").write_text('item,label\nt0,"[""sport"",""money""]"\nt2,"[""art""]"\n')
    for step in (
        ["import", folder / "items.csv"],
        ["annotate", "--engine", "serial"],
        ["import", folder / "answers.csv", "--votes-by", "ann"],
        ["train"],
        ["aggregate"],
        ["analyze"],
        ["select", "--out", folder / "ask.csv"],
        ["export", folder / "out"],
        ["report"],
    ):
        answer = shell(*step, "-p", folder)
        assert answer.status == 0, (step, answer.err)

    labels = dict(pl.read_csv(folder / "out" / "labels.csv").select("item", "label").iter_rows())

    assert json.loads(labels["t0"]) == ["sport", "money"]
    assert json.loads(labels["t3"]) == ["money", "art"]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "json", "tsv", "csv.gz"])
def test_votes_to_labels_between_files(shell: Shell, tmp_path: Path, ending: str) -> None:
    """`aggregate --votes --out` needs no project and speaks every format."""
    votes = tmp_path / "votes.csv"
    votes.write_text("task,worker,label\na,u,x\na,v,x\nb,u,y\nb,v,x\nb,w,y\nc,u,\n")

    answer = shell(
        "aggregate", "--votes", votes, "--out", f"labels.{ending}", "--reliabilities", "people.csv", "--json"
    )

    assert answer.status == 0, answer.err
    assert answer.json["items"] == 3
    assert Path(f"labels.{ending}").exists()
    assert pl.read_csv("people.csv").columns == ["annotator", "kind", "votes", "reliability"]


def test_items_to_votes_between_files(shell: Shell, project: Path) -> None:
    """`annotate --items --code --out` needs no project."""
    answer = shell(
        "annotate", "--items", project / "items.csv", "--code", project / "rules.py", "--out", "votes.csv", "--json"
    )

    assert answer.status == 0, answer.err
    assert answer.json["items"] == 120
    assert {"item", "annotator", "label"} <= set(pl.read_csv("votes.csv").columns)
