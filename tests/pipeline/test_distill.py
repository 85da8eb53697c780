"""Fine-tune, predict, distill: through the lake and an engine, with a tiny model."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from tests.learners.torch_models import tiny_text_model

from labelmill.cli.main import cli
from labelmill.errors import FailedError, UsageError
from labelmill.pipeline._learner_options import checkpoints_of
from labelmill.pipeline.distill import distill, mixed
from labelmill.pipeline.ingest import ingest
from labelmill.pipeline.mill import Mill
from labelmill.pipeline.predict import predict
from labelmill.pipeline.train import train
from labelmill.pipeline.votes import model_probabilities

PROJECT = """\
[schema]
classes = ["sport", "money"]
[annotate]
engine = "serial"
[train]
learner = "fine_tuned"
[train.options]
model = "{model}"
method = "full"
n_epochs = 5
learning_rate = 1e-2
head_rate = 5e-2
precision = "float32"
"""
SMALL = {"n_terms": 256, "n_epochs": 15, "dropout": 0.0}
TOPICS = (("goal", "match", "team"), ("bank", "profit", "market"))


@pytest.fixture
def mill(tmp_path: Path) -> Mill:
    """A project with forty texts, of which people answered thirty."""
    rng = np.random.default_rng(0)
    texts = [" ".join(["the", *rng.choice(TOPICS[i % 2], 2), "again"]) for i in range(40)]
    (tmp_path / "labelmill.toml").write_text(PROJECT.format(model=tiny_text_model()))
    pl.DataFrame({"id": [f"i{i}" for i in range(40)], "text": texts}).write_csv(tmp_path / "items.csv")
    votes = {"item": [f"i{i}" for i in range(30)], "label": [("sport", "money")[i % 2] for i in range(30)]}
    pl.DataFrame(votes).write_csv(tmp_path / "votes.csv")
    mill = Mill.open(tmp_path)
    mill.ingest(tmp_path / "items.csv")
    mill.ingest(tmp_path / "votes.csv", votes_by="ann")
    return mill


def test_a_tuned_model_votes_and_its_student_does_the_same_faster(mill: Mill, tmp_path: Path) -> None:
    """The teacher votes on what was there and, by an engine, on what came later; the student learns from all of it."""
    trained = train(mill)
    pl.DataFrame({"id": ["n0", "n1"], "text": ["team match", "bank market"]}).write_csv(tmp_path / "more.csv")
    ingest(mill, tmp_path / "more.csv")
    assert 2 == predict(mill).n_items

    done = distill(mill, teacher="fine_tuned", student="distilled", options=SMALL, temperature=1.5)

    thought, learned = model_probabilities(mill, "fine_tuned"), model_probabilities(mill, "distilled")
    assert 30 == trained.n_targets
    assert (42, 30, 30) == (done.n_taught, done.n_targets, done.n_judged)
    assert done.teacher.accuracy is not None
    assert done.teacher.accuracy >= 0.9
    assert done.student.accuracy is not None
    assert done.student.accuracy >= 0.9
    assert done.speed_up is not None
    assert done.speed_up > 1
    assert (thought.argmax(axis=1) == learned.argmax(axis=1)).mean() >= 0.9
    assert {"distilled", "fine_tuned"} <= set(mill.aggregate().annotators["annotator"])
    assert not checkpoints_of(mill, "fine_tuned").exists()


def test_a_student_that_takes_no_teacher_learns_from_the_mixture() -> None:
    """At temperature 1 that is the same loss: cross-entropy is linear in its target."""
    targets, weights = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]), np.array([1.0, 3.0, 0.0])
    thought = np.array([[0.2, 0.8], [np.nan, np.nan], [0.9, 0.1]])

    both, total = mixed(targets, weights, thought, 0.6)

    np.testing.assert_allclose([0.4 * 0.5 + 0.6, 0.4 * 1.5, 0.6], total)
    np.testing.assert_allclose([(0.2 + 0.6 * 0.2) / 0.8, 0.0, 0.9], both[:, 0])


def test_the_command_shows_both_side_by_side(mill: Mill) -> None:
    """Teacher and student, right answers and rate; here the teacher is what people's own words would teach."""
    train(mill, learner="tfidf_linear")
    words = ["distill", "--teacher", "tfidf_linear", "--project", str(mill.project.folder)]
    words += [word for name, value in SMALL.items() for word in ("--option", f"{name}={value}")]

    shown = CliRunner().invoke(cli, words)

    assert shown.exception is None
    assert re.search(r"teacher +tfidf_linear +\d+\.\d% +[\d,]+ *\n", shown.output)
    assert re.search(r"student +distilled +\d+\.\d% +[\d,]+ \([\d.]+x\)", shown.output)
    assert "right of 30 answers" in shown.output


def test_who_cannot_teach_is_refused(mill: Mill) -> None:
    """Nobody of that name, or the student itself."""
    with pytest.raises(FailedError, match="no rule or model called 'fine_tuned' votes here"):
        distill(mill, teacher="fine_tuned", student="distilled")
    with pytest.raises(UsageError, match="cannot be its own teacher"):
        distill(mill, teacher="distilled", student="distilled")
    with pytest.raises(UsageError, match="has no option 'n_term'"):
        distill(mill, teacher="fine_tuned", student="distilled", options={"n_term": 3})
