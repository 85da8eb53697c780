from __future__ import annotations

import ast
import shutil
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self

import polars as pl
import pytest

import labelmill
from labelmill.pipeline import demo as demo_verb
from labelmill.pipeline import examples, score, simulated_person
from labelmill.pipeline.demo import demo

SOURCE = Path(labelmill.__file__).parent
MAILS = 400


class Beside:
    """Does at once, in this process, what the demo gives to another one."""

    def __init__(self, *_options: Any, **_more: Any) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """What the function returns, as a future."""
        future: Future[Any] = Future()
        future.set_result(function(*arguments))
        return future


@pytest.fixture
def gold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A small spam example without any file of gold; only the simulated person and the score know it."""
    source = examples.example_folder("spam")
    small = tmp_path / "examples" / "spam"
    shutil.copytree(source, small, ignore=shutil.ignore_patterns("*.parquet", "__pycache__"))
    mails = pl.read_parquet(source / "mails.parquet").head(MAILS)
    mails.write_parquet(small / "mails.parquet")
    truth = dict(pl.read_parquet(source / examples.GOLD).select("id", "label").iter_rows())
    known = {name: truth[name] for name in mails["id"]}
    monkeypatch.setattr(examples, "_root", lambda: tmp_path / "examples")
    monkeypatch.setattr(demo_verb, "ProcessPoolExecutor", Beside)
    for module in (simulated_person, score):
        monkeypatch.setattr(module, "read_gold", lambda _path: known)
    return known


def test_nothing_but_person_and_score_needs_gold(tmp_path: Path, gold: dict[str, str]) -> None:
    """The demo runs where the file of gold does not exist, so nobody else can have opened it."""
    made = demo(tmp_path / "demo", n_answers=40, per_round=20, workers=1)

    assert not list(tmp_path.rglob(examples.GOLD))
    assert made.report.exists()


def test_what_the_demo_says_is_true(tmp_path: Path, gold: dict[str, str]) -> None:
    """Human answers, real error and certificate in the headline are those of the released files."""
    made = demo(tmp_path / "demo", n_answers=40, per_round=20, workers=1)

    release = pl.read_parquet(Path(made.release.place) / "labels.parquet")
    wrong = sum(gold[item] != label for item, label in release.select("item", "label").iter_rows())
    by_people = release.filter(pl.col("decided_by") != "machine").height
    headline = made.story.headline
    assert headline.real_error == wrong / MAILS
    assert headline.answers.total == by_people
    assert headline.answers.selected == 40
    assert headline.answers_without_learner is not None
    assert headline.answers_without_learner > headline.answers.total
    assert made.release.certified
    assert set(release["label"]) <= {"ham", "spam"}


@pytest.mark.slow
def test_a_person_who_errs_spoils_the_labels(tmp_path: Path, gold: dict[str, str]) -> None:
    """The simulated person's error rate is felt in the release."""
    made = demo(tmp_path / "demo", n_answers=40, per_round=40, person_error=1.0, workers=1)

    person = next(row for row in made.story.annotators if row.kind == "person")
    assert person.true_accuracy == 0.0


def test_only_person_and_score_read_gold() -> None:
    """No other module calls the function that opens gold, or names its file."""
    readers, namers = set(), set()
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text())
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        if "read_gold" in names:
            readers.add(path.name)
        if "GOLD" in names or examples.GOLD in texts:
            namers.add(path.name)

    assert readers == {"simulated_person.py", "score.py"}
    assert namers == {"examples.py"}
