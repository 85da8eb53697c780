"""Spans, boxes and numbers: from file to file, and in a project."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from tests.journeys.conftest import Shell
from tests.journeys.refusals import refused

SPANS = """item,annotator,start,end,label
t1,ann,0,4,person
t1,ann,14,20,place
t1,bob,0,4,person
t1,bob,14,20,person
t1,cat,0,4,person
t1,cat,14,20,place
t2,ann,0,3,person
t2,bob,,,
t2,cat,,,
"""
TEXTS = "item,text\nt1,Anna lives in London.\nt2,May was mild.\nt3,Nobody looked.\n"
GOOD, BAD = {"start": 0, "end": 4, "label": "person"}, {"start": 15, "end": 99, "label": "person"}


@pytest.fixture
def spans(shell: Shell, tmp_path: Path) -> None:
    """Files of texts and of spans by three annotators."""
    (tmp_path / "spans.csv").write_text(SPANS)
    (tmp_path / "texts.csv").write_text(TEXTS)


@pytest.mark.usefixtures("spans")
def test_spans_from_file_to_file(shell: Shell) -> None:
    """Elements in, elements out: what most say, with the empty answer kept and the unanswered left out."""
    words = ("aggregate", "--votes", "spans.csv", "--label-kind", "span", "--items", "texts.csv", "--out", "merged.csv")

    answer = shell(*words, "--reliabilities", "people.csv", "--json")

    assert answer.status == 0, answer.err
    merged = pl.read_csv("merged.csv")
    assert merged.select("item", "start", "end", "label").rows() == [
        ("t1", 0, 4, "person"),
        ("t1", 14, 20, "place"),
        ("t2", None, None, None),
    ]
    assert merged["confidence"].is_between(0, 1).all()
    told = json.loads(answer.out)
    assert (told["n_items"], told["n_answered"], told["n_answers"], told["model"]) == (3, 2, 6, "span")
    assert pl.read_csv("people.csv")["annotator"].to_list() == ["ann", "bob", "cat"]


@pytest.mark.usefixtures("spans")
def test_who_looked_and_found_nothing(shell: Shell) -> None:
    """With a file of views a missing answer is an empty one; without it nobody was asked."""
    Path("votes.csv").write_text("item,annotator,start,end,label\nt2,ann,0,3,person\n")
    Path("views.csv").write_text("item,annotator\nt2,ann\nt2,bob\nt2,cat\n")
    words = ("aggregate", "--votes", "votes.csv", "--label-kind", "span", "--out", "merged.jsonl")

    assert shell(*words).status == 0
    alone = pl.read_ndjson("merged.jsonl")
    assert shell(*words, "--views", "views.csv").status == 0
    seen = pl.read_ndjson("merged.jsonl")

    assert alone["start"].to_list() == [0]
    assert seen["label"].to_list() == [None]


def test_whole_answers_come_out_whole(shell: Shell) -> None:
    """JSON in, JSON out, with a confidence for each element."""
    rows = [{"item": "a", "annotator": name, "label": [GOOD]} for name in ("ann", "bob")]
    Path("votes.jsonl").write_text("\n".join(map(json.dumps, rows)))

    answer = shell("aggregate", "--votes", "votes.jsonl", "--label-kind", "span", "--out", "merged.csv")

    assert answer.status == 0, answer.err
    row = pl.read_csv("merged.csv").row(0, named=True)
    assert json.loads(row["label"]) == [GOOD]
    assert len(json.loads(row["parts"])) == 1


@pytest.mark.usefixtures("spans")
@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("t1,dan,0,99,person", ("votes.csv, line 2", "'label'", "99")),
        ("t1,dan,3,1,person", ("votes.csv, line 2", "'label'")),
        ("t9,dan,0,1,person", ("votes.csv, line 2", "'item'", "unknown item 't9'")),
        ("t1,dan,0,1,perzon", ("votes.csv, line 2", "unknown class 'perzon': did you mean 'person'?")),
    ],
)
def test_a_wrong_span(shell: Shell, row: str, words: tuple[str, ...]) -> None:
    """A span outside its text, one that ends before it starts, an unknown item or class: told with file and line."""
    Path("votes.csv").write_text(f"item,annotator,start,end,label\n{row}\n")
    command = [
        "aggregate",
        "--votes",
        "votes.csv",
        "--label-kind",
        "span",
        "--items",
        "texts.csv",
        "--out",
        "merged.csv",
    ]

    refused(shell, [*command, "--classes", "person,place"], 1, *words, "Nothing was written")
    assert not Path("merged.csv").exists()


@pytest.mark.usefixtures("spans")
def test_agreement_on_spans(shell: Shell) -> None:
    """Krippendorff's alpha by the kind's distance, over all and by class."""
    answer = shell("agree", "--votes", "spans.csv", "--label-kind", "span", "--by", "class", "--json")

    assert answer.status == 0, answer.err
    told = json.loads(answer.out)
    assert 0 < told["value"] < 1
    assert [part["class"] for part in told["parts"]] == ["person", "place"]
    refused(shell, ["agree", "--votes", "spans.csv", "--label-kind", "span", "--metric", "fleiss"], 2, "--metric")


@pytest.mark.usefixtures("spans")
def test_a_project_of_spans(shell: Shell) -> None:
    """Import, aggregate, select, export; gold stands above all; nothing is made anew where nothing has changed."""
    assert shell("init", "p", "--kind", "span", "--classes", "person,place").status == 0
    assert not Path("p/rules.py").exists()
    assert shell("import", "texts.csv", "--id", "item", "-p", "p").status == 0
    assert "6 new votes" in shell("import", "spans.csv", "-p", "p").out
    first = json.loads(shell("aggregate", "-p", "p", "--json").out)
    again = json.loads(shell("aggregate", "-p", "p", "--json").out)
    assert first == again
    assert (first["items"], first["with_votes"]) == (3, 2)

    Path("gold.csv").write_text('item,label\nt2,"[{""start"":4,""end"":7,""label"":""place""}]"\n')
    gold = shell("import", "gold.csv", "--votes-by", "lead", "--purpose", "gold", "-p", "p")
    assert gold.status == 0, gold.err
    assert shell("aggregate", "-p", "p").status == 0
    assert shell("export", "out", "-p", "p").status == 0

    labels = dict(pl.read_csv("out/labels.csv").select("item", "label").iter_rows())
    assert [e["label"] for e in json.loads(labels["t1"])] == ["person", "place"]
    assert json.loads(labels["t2"]) == [{"start": 4, "end": 7, "label": "place"}]
    assert labels["t3"] is None
    selected = shell("select", "--count", "5", "--out", "ask.csv", "-p", "p")
    assert selected.status == 0, selected.err
    assert pl.read_csv("ask.csv")["item"].to_list() == ["t3"]


@pytest.mark.usefixtures("spans")
def test_what_spans_cannot_do_yet(shell: Shell) -> None:
    """Verbs about classes say so in one line, with what to do instead."""
    assert shell("init", "p", "--kind", "span", "--classes", "person,place").status == 0
    assert shell("import", "texts.csv", "--id", "item", "-p", "p").status == 0
    for verb in ("analyze", "train", "report"):
        refused(shell, [verb, "-p", "p"], 1, f"`labelmill {verb}` works on choice and multi_choice so far, not on span")


@pytest.mark.usefixtures("spans")
def test_a_wrong_span_in_a_project(shell: Shell) -> None:
    """A span outside the text of its item is refused at import, whole or by element; nothing is imported."""
    assert shell("init", "p", "--kind", "span", "--classes", "person,place").status == 0
    assert shell("import", "texts.csv", "--id", "item", "-p", "p").status == 0
    Path("bad.jsonl").write_text(json.dumps({"item": "t1", "annotator": "dan", "label": [BAD]}))

    refused(shell, ["import", "bad.jsonl", "-p", "p"], 1, "bad.jsonl, line 1", "'label'", "99", "Nothing was imported")


def test_numbers_without_classes(shell: Shell) -> None:
    """A kind without classes needs none, in a file and in a project."""
    Path("votes.csv").write_text("item,annotator,label\na,x,1.5\na,y,2.5\na,z,2\nb,x,10\n")
    Path("items.csv").write_text("id,text\na,one\nb,two\n")

    assert shell("aggregate", "--votes", "votes.csv", "--label-kind", "number", "--out", "merged.csv").status == 0
    assert shell("init", "p", "--kind", "number").status == 0
    assert shell("import", "items.csv", "-p", "p").status == 0
    assert shell("import", "votes.csv", "-p", "p").status == 0
    assert shell("aggregate", "-p", "p").status == 0
    assert shell("export", "out", "-p", "p").status == 0

    merged = dict(pl.read_csv("merged.csv").select("item", "label").iter_rows())
    assert 1.5 <= merged["a"] <= 2.5
    assert merged["b"] == 10
    assert pl.read_csv("out/labels.csv")["label"].to_list() == [merged["a"], merged["b"]]


def test_words_stand_in_for_a_text(shell: Shell) -> None:
    """Items may come as lists of words; offsets then count words, and nothing is checked against a text."""
    Path("items.jsonl").write_text(json.dumps({"item": "t", "tokens": ["Anna", "of", "York", "sang"]}))
    Path("votes.csv").write_text("item,annotator,start,end,label\nt,a,0,1,person\nt,b,0,1,person\nt,c,2,3,place\n")

    answer = shell(
        "aggregate", "--votes", "votes.csv", "--label-kind", "span", "--items", "items.jsonl", "--out", "merged.csv"
    )

    assert answer.status == 0, answer.err
    assert ("t", 0, 1, "person") in pl.read_csv("merged.csv").select("item", "start", "end", "label").rows()
