"""Options of a learner in the project file and on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from click.testing import CliRunner

from labelmill.cli.main import cli
from labelmill.errors import ProjectError, UsageError
from labelmill.learners.tfidf_linear import TfidfLinear
from labelmill.pipeline._learner_options import checked_options, learner_factory
from labelmill.pipeline.workspace import Workspace

PROJECT = '[schema]\nclasses = ["ham", "spam"]\n[train.options]\n'


class Made:
    """A constructor with options of every type."""

    def __init__(
        self,
        *,
        size: int = 1,
        rate: float = 0.1,
        quick: bool = False,
        names: Sequence[str] = (),
        method: Literal["lora", "full"] = "lora",
        limit: float | None = None,
        model: Path | str = "",
        seed: int = 0,
    ) -> None:
        pass


def opened(folder: Path, options: str) -> Workspace:
    """A project with these lines under [train.options]."""
    (folder / "labelmill.toml").write_text(PROJECT + options)
    return Workspace.open(folder)


def test_options_of_the_file_reach_the_learner(tmp_path: Path) -> None:
    """The learner is made with them, and with the project's seed."""
    made = learner_factory(opened(tmp_path, 'ngrams = 3\nfields = ["text", "title"]\n'), "tfidf_linear")()

    assert isinstance(made, TfidfLinear)
    assert (3, ["text", "title"], 0) == (made.ngrams, made.fields, made.seed)


def test_options_of_the_call_come_first(tmp_path: Path) -> None:
    """What a command says holds against the file."""
    made: Any = learner_factory(opened(tmp_path, "ngrams = 3\nmax_terms = 9\n"), "tfidf_linear", {"ngrams": 1})()

    assert (1, 9) == (made.ngrams, made.max_terms)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ngram = 3", "did you mean 'ngrams'?"),
        ("ngrams = 'three'", "ngrams of the learner 'tfidf_linear' must be a whole number, found 'three'"),
        ("seed = 3", r"set it in \[project\] seed"),
        ("ngrams = 1979-05-27", ".ngrams must be a text, a number"),
    ],
)
def test_a_wrong_option_is_named_with_its_file(tmp_path: Path, line: str, said: str) -> None:
    """The message names labelmill.toml and the key."""
    with pytest.raises(ProjectError, match=rf"labelmill\.toml: train\.options.*{said}"):
        learner_factory(opened(tmp_path, line), "tfidf_linear")


@pytest.mark.parametrize(
    ("key", "value", "is_fit"),
    [
        ("size", 3, True),
        ("size", 3.0, False),
        ("size", True, False),
        ("rate", 1, True),
        ("rate", "1", False),
        ("quick", True, True),
        ("quick", 1, False),
        ("names", ["a"], True),
        ("names", "a", False),
        ("names", [1], False),
        ("method", "full", True),
        ("method", "half", False),
        ("limit", 2, True),
        ("limit", "x", False),
        ("model", "folder", True),
        ("model", 3, False),
    ],
)
def test_a_value_must_be_of_the_type_of_the_parameter(key: str, value: Any, *, is_fit: bool) -> None:
    """As the constructor's annotations say."""
    if is_fit:
        assert {key: value} == checked_options(Made, "made", {key: value})
    else:
        with pytest.raises(UsageError, match=f"{key} of the learner 'made' must be"):
            checked_options(Made, "made", {key: value})


def test_the_command_reads_values_as_the_file_does(tmp_path: Path) -> None:
    """A number is a number; an unknown name is refused before anything is read."""
    opened(tmp_path, "")

    answer = CliRunner().invoke(cli, ["train", "--project", str(tmp_path), "--option", "ngrms=3"])

    assert isinstance(answer.exception, UsageError)
    assert "did you mean 'ngrams'?" in str(answer.exception)
