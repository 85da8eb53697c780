"""`labelmill aggregate` with gold answers and with what is known of annotators from before."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.journeys.conftest import Shell
from tests.journeys.refusals import refused

ACCURACIES = [0.9, 0.75, 0.7, 0.65, 0.6]


@pytest.fixture
def votes(shell: Shell) -> Path:
    """Five people on 200 items of two classes, and `gold.csv` with the truth of the first 80."""
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=200)
    right = rng.random((200, 5)) < ACCURACIES
    labels = np.where(right, truth[:, None], 1 - truth[:, None])
    rows = [f"i{i},p{j},{'ny'[labels[i, j]]}" for i in range(200) for j in range(5)]
    Path("votes.csv").write_text("\n".join(["item,annotator,label", *rows, ""]))
    Path("gold.csv").write_text("\n".join(["item,label", *(f"i{i},{'ny'[truth[i]]}" for i in range(80)), ""]))
    return Path("votes.csv")


def test_gold_stands_and_calibrates(shell: Shell, votes: Path) -> None:
    """Gold answers are in the output as they are; the temperature and its source are told; no other label changes."""
    told = shell("aggregate", "--votes", votes, "--out", "labels.csv", "--gold", "gold.csv", "--model", "dawid_skene")
    details = shell("aggregate", "--votes", votes, "--out", "x.csv", "--gold", "gold.csv", "--json").json["details"]

    assert told.status == 0, told.err
    assert "calibrated on 80 gold answers" in told.out
    labels, gold = pl.read_csv("labels.csv"), pl.read_csv("gold.csv")
    assert gold["label"].to_list() == labels["label"][:80].to_list()
    assert labels["confidence"][:80].to_list() == [1.0] * 80
    assert max(labels["confidence"][80:]) < 1.0
    found = details["calibration"]
    assert (found["source"], found["n_gold"]) == ("gold", 80)
    assert 0.02 <= found["temperature"] <= 5.0
    assert found["log_loss"]["after"] < 0.6


def test_little_gold_teaches_but_does_not_calibrate(shell: Shell, votes: Path) -> None:
    """Below fifty gold answers there is no temperature."""
    Path("few.csv").write_text("\n".join(Path("gold.csv").read_text().splitlines()[:31]) + "\n")

    details = shell("aggregate", "--votes", votes, "--out", "l.csv", "--gold", "few.csv", "--json").json["details"]

    assert details["gold_items"] == 30
    assert "calibration" not in details


def test_history_goes_from_file_to_file(shell: Shell, votes: Path) -> None:
    """What one call saves the next takes; the history then holds the votes of both."""
    first = shell("aggregate", "--votes", votes, "--out", "l.csv", "--save-history", "one.json")
    second = shell(
        "aggregate", "--votes", votes, "--out", "l.csv", "--history", "one.json", "--save-history", "two.json"
    )

    assert (first.status, second.status) == (0, 0), first.err + second.err
    one, two = (json.loads(Path(name).read_text())["annotators"] for name in ("one.json", "two.json"))
    assert {f"p{j}" for j in range(5)} == set(two)
    assert [np.sum(one["p0"]), np.sum(two["p0"])] == pytest.approx([200, 400], abs=1e-3)


@pytest.mark.parametrize(
    ("name", "content", "status", "word"),
    [
        ("--gold", "item,label\ni0,maybe\n", 1, "maybe"),
        ("--gold", "item,label\ni0,y\ni0,n\n", 1, "further up"),
        ("--history", "{}", 2, "save-history"),
        ("--history", "no json", 2, "cannot read"),
    ],
)
def test_what_cannot_be_taken_is_refused(
    shell: Shell, votes: Path, name: str, content: str, status: int, word: str
) -> None:
    """A gold answer that is no class, two answers for an item, a file that is no history: one message, no output."""
    bad = Path("bad.csv" if name == "--gold" else "bad.json")
    bad.write_text(content)

    refused(shell, ["aggregate", "--votes", votes, "--out", "labels.csv", name, bad], status, word)
