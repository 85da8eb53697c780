"""`labelmill errors`: from files of labels and probabilities to the labels that are probably wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import click
import numpy as np
import polars as pl
import pytest
from tests.journeys.conftest import Shell
from tests.journeys.refusals import refused

from labelmill.cli.errors import command
from labelmill.quality.label_errors import FilterBy, RankBy, find_label_errors

N = 60


@pytest.fixture
def files(shell: Shell) -> tuple[Path, Path]:
    """Labels of 60 items in three classes, every tenth wrong, and good probabilities; as CSV."""
    labels, rows = ["item,label"], ["item,cat,dog,owl"]
    for i in range(N):
        truth = i % 3
        p = [0.1, 0.1, 0.1]
        p[truth] = 0.8 + 0.001 * i - 0.05
        p[(truth + 1) % 3] = 0.9 - p[truth]
        labels.append(f"t{i},{('cat', 'dog', 'owl')[(truth + (i % 10 == 7)) % 3]}")
        rows.append(f"t{i},{p[0]:.4f},{p[1]:.4f},{p[2]:.4f}")
    Path("labels.csv").write_text("\n".join([*labels, ""]))
    Path("probs.csv").write_text("\n".join([*rows, ""]))
    return Path("labels.csv"), Path("probs.csv")


def _ask(files: tuple[Path, Path], *words: str | Path) -> list[str | Path]:
    return ["errors", "--labels", files[0], "--probs", files[1], *words]


WRONG = {f"t{i}" for i in range(7, N, 10)}


def test_the_answer_reads_well(shell: Shell, files: tuple[Path, Path]) -> None:
    """How many, what share is estimated wrong, which mix-ups, and the worst of them."""
    answer = shell(*_ask(files))

    assert answer.status == 0, answer.err
    first, second, third, *_ = answer.out.splitlines()
    assert first == "6 of 60 labels are probably wrong (10.0%)."
    assert second == "Estimated share of wrong labels: 10.0%."
    assert third.startswith("Most of them, given for true: ")
    assert all(item in answer.out for item in WRONG)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_issues_go_to_a_file(shell: Shell, files: tuple[Path, Path], ending: str) -> None:
    """A row each, the worst first, in the format of the ending."""
    answer = shell(*_ask(files, "--out", f"issues.{ending}"))

    read: dict[str, Any] = {"csv": pl.read_csv, "jsonl": pl.read_ndjson, "parquet": pl.read_parquet}
    issues = read[ending](f"issues.{ending}")
    assert issues.columns == ["item", "given", "suggested", "score", "self_confidence"]
    assert WRONG == set(issues["item"])
    assert issues["score"].is_sorted()
    assert f"Written: issues.{ending}" in answer.out


def test_one_object_for_machines(shell: Shell, files: tuple[Path, Path]) -> None:
    """`--json` holds the joint, the thresholds and every flagged label."""
    found = shell(*_ask(files, "--filter-by", "both", "--rank-by", "normalized_margin", "--json")).json

    assert (found["n_items"], found["n_errors"], found["classes"]) == (60, 6, ["cat", "dog", "owl"])
    assert np.array(found["joint"]).sum() == 60
    assert WRONG == {row["item"] for row in found["errors"]}


def test_a_page_for_people(shell: Shell, files: tuple[Path, Path]) -> None:
    """`--report` has the matrix and the flagged labels, escaped, with no script and nothing from a network."""
    for file in files:
        file.write_text(file.read_text().replace("t7,", "<b>t7</b>,"))

    answer = shell(*_ask(files, "--report", "errors.html"))

    page = Path("errors.html").read_text()
    assert "Written: errors.html" in answer.out
    assert "6 of 60 labels" in page
    assert 'class="figure error-matrix"' in page
    assert "&lt;b&gt;t7&lt;/b&gt;" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_rows_are_matched_by_item(shell: Shell, files: tuple[Path, Path]) -> None:
    """The order of the rows changes nothing, and columns may be those of a consensus."""
    labels, probs = pl.read_csv(files[0]), pl.read_csv(files[1])
    as_they_are = shell(*_ask(files, "--json")).json
    labels.reverse().write_csv(files[0])
    probs.rename({name: f"p_{name}" for name in ("cat", "dog", "owl")}).with_columns(tied=False).write_csv(files[1])

    assert as_they_are["errors"] == shell(*_ask(files, "--json")).json["errors"]


@pytest.mark.parametrize("kind", ["named", "ordered", "npy"])
def test_probabilities_may_be_arrays(shell: Shell, files: tuple[Path, Path], kind: str) -> None:
    """With items and classes inside, or in the order of the labels with --classes."""
    frame = pl.read_csv(files[1])
    p = frame.drop("item").to_numpy()
    words = ["--classes", "cat,dog,owl"]
    if kind == "named":
        order = np.argsort(frame["item"].to_numpy().astype(str))
        classes, words = np.array(["owl", "cat", "dog"]), []
        np.savez(
            "p.npz",
            pred_probs=p[order][:, [2, 0, 1]],
            items=frame["item"].to_numpy().astype(str)[order],
            classes=classes,
        )
    elif kind == "ordered":
        np.savez("p.npz", probs=p.astype(np.float16))
    else:
        np.save("p.npy", p)

    found = shell(*_ask((files[0], Path("p.npy" if kind == "npy" else "p.npz")), *words, "--json")).json

    assert WRONG == {row["item"] for row in found["errors"]}
    assert {row["suggested"] for row in found["errors"]} <= {"cat", "dog", "owl"}


def test_numbered_classes_need_no_names(shell: Shell) -> None:
    """Labels 0, 1, ... are the columns of an array."""
    given, p = [0, 0, 0, 1, 1, 1], np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7]])
    Path("labels.csv").write_text("item,label\n" + "".join(f"t{i},{k}\n" for i, k in enumerate(given)))
    np.save("p.npy", p)

    found = shell("errors", "--labels", "labels.csv", "--probs", "p.npy", "--json").json

    assert [f"t{i}" for i in find_label_errors(given, p).index] == [row["item"] for row in found["errors"]]


def test_rounded_probabilities_are_rescaled(shell: Shell, files: tuple[Path, Path]) -> None:
    """Sums within the tolerance are made 1, and it is said."""
    text = files[1].read_text().replace("t3,0.7530", "t3,0.7500")
    files[1].write_text(text)

    answer = shell(*_ask(files))

    assert "1 row of probabilities did not sum to 1: divided by their sum." in answer.out


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (1, "t3,0.7530", "t3,0.9530", ("probs.csv, line 5", "sum to 1.2", "--tolerance")),
        (1, "t3,0.7530", "t3,x", ("probs.csv, line 5, field 'cat'", "expected a probability, found 'x'")),
        (1, "t3,0.7530", "t3,nan", ("probs.csv, line 5, field 'cat'", "expected a probability")),
        (1, "t3,0.7530", "t3,1.7530", ("probs.csv, line 5", "is no probability")),
        (1, "t3,", ",", ("probs.csv, line 5, field 'item': is missing",)),
        (1, "t3,", "t4,", ("probs.csv, line 6", "'t4' stands further up already")),
        (1, "t3,", "u3,", ("labels.csv, line 5", "'t3' has no probabilities in probs.csv")),
        (1, "item,cat,dog,owl", "it,cat,dog,owl", ("probs.csv, line 1, field 'item'", "no such column")),
        (0, "t3,cat", "t3,cot", ("labels.csv, line 5, field 'label'", "unknown class 'cot': did you mean 'cat'")),
        (0, "t3,cat", "t3,", ("labels.csv, line 5, field 'label': is missing",)),
        (0, "t3,cat", "t4,dog", ("labels.csv, line 6", "'t4' stands further up already")),
        (0, "t3,cat\n", "", ("probs.csv, line 5", "'t3' has no label in labels.csv")),
        (0, "item,label", "item,lable", ("labels.csv, line 1, field 'label'", "did you mean 'lable'")),
    ],
)
def test_a_row_that_cannot_be_taken(
    shell: Shell, files: tuple[Path, Path], file: int, old: str, new: str, said: tuple[str, ...]
) -> None:
    """File, line and field are named, and nothing is written."""
    text = files[file].read_text()
    assert old in text
    files[file].write_text(text.replace(old, new, 1))

    refused(shell, _ask(files, "--out", "issues.csv"), 1, *said)


def test_bad_rows_can_be_left_out(shell: Shell, files: tuple[Path, Path]) -> None:
    """They are counted and listed; the rest is judged."""
    files[0].write_text(files[0].read_text().replace("t3,cat", "t3,cot"))
    files[1].write_text(files[1].read_text().replace("t4,", "u4,"))

    answer = shell(*_ask(files, "--on-bad-rows", "skip"))

    assert "6 of 58 labels are probably wrong" in answer.out
    assert "3 bad rows left out" in answer.out


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--out", "labels.csv"), 2, "--out and --labels are the same file"),
        (("--out", "same.csv", "--report", "same.csv"), 2, "--report and --out are the same file"),
        (("--report", "labels.csv"), 2, "--report and --labels are the same file"),
        (("--out", "probs.csv"), 2, "--out and --probs are the same file"),
        (("--classes", "cat,cat"), 2, "twice"),
        (("--classes", "cat,cow"), 1, "field 'cow': no such column"),
        (("--frac-noise", "1.5"), 2, "--frac-noise"),
        (("--filter-by", "none"), 2, "--filter-by"),
    ],
)
def test_what_does_not_go_together(
    shell: Shell, files: tuple[Path, Path], words: tuple[str, ...], status: int, said: str
) -> None:
    """Refused before anything is written."""
    refused(shell, _ask(files, *words), status, said)


@pytest.mark.parametrize(
    ("arrays", "words", "status", "said"),
    [
        ({"p": np.eye(2)}, (), 1, "no array 'probabilities'; the file has: p"),
        ({"probs": np.eye(2)[0]}, (), 1, "expected numbers of shape (items, classes)"),
        ({"probs": np.eye(3)}, (), 2, "the label 'cat' is no number from 0 to 2"),
        ({"probs": np.eye(3)}, ("--classes", "cat,dog,owl"), 1, "3 rows without items for 60 labels"),
        ({"probs": np.eye(3), "items": np.array(["a"])}, (), 1, "1 items for probs of shape (3, 3)"),
        ({"probs": np.eye(3), "classes": np.array(["cat", "dog", "ant"])}, ("--classes", "cat,dog,owl"), 2, "same"),
        ({"probs": np.eye(3), "items": np.array([{}, {}, {}], dtype=object)}, (), 1, "holds Python objects"),
    ],
)
def test_arrays_that_do_not_fit(
    shell: Shell,
    files: tuple[Path, Path],
    arrays: dict[str, Any],
    words: tuple[str, ...],
    status: int,
    said: str,
) -> None:
    """The message says what the file has and what is needed."""
    np.savez("p.npz", **arrays)

    refused(shell, _ask((files[0], Path("p.npz")), *words), status, said)


def test_a_file_that_is_no_archive(shell: Shell, files: tuple[Path, Path]) -> None:
    """Damaged arrays are told as such."""
    Path("p.npz").write_text(json.dumps({}))

    refused(shell, _ask((files[0], Path("p.npz"))), 1, "is no NumPy file, is damaged")
    refused(shell, _ask((files[0], Path("gone.npz"))), 1, "gone.npz")


def test_the_options_name_what_there_is() -> None:
    """The choices of the command are the filters and scores of the room."""
    choices = {
        option.name: list(option.type.choices) for option in command.params if isinstance(option.type, click.Choice)
    }

    assert choices["filter_by"] == list(get_args(FilterBy))
    assert choices["rank_by"] == list(get_args(RankBy))
