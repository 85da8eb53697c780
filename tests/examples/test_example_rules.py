"""The examples' project files and rules: they load, run without a fault, and say something about most items."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from labelmill.annotators._rules_file import load_rules
from labelmill.domain.item import ItemBatch
from labelmill.domain.schema import ABSTAIN
from labelmill.pipeline.project import Project

EXAMPLES = Path(__file__).parents[2] / "examples"

RULES = {
    "spam": {
        "advance_fee",
        "conversation",
        "discussion_list",
        "loud_subject",
        "many_links",
        "news_feed",
        "reply_or_list",
        "sells_by_page",
        "shouting",
        "unsubscribe",
        "vocabulary",
    },
    "sentiment": {
        "after_but",
        "announcement",
        "annoyed",
        "excited",
        "happy_face",
        "lexicon",
        "matter_of_fact",
        "negated",
        "sad_face",
        "thanks",
    },
}


def items_of(name: str) -> ItemBatch:
    """Items of an example as the lake holds them."""
    project = Project.open(EXAMPLES / name)
    frame = pl.read_parquet(EXAMPLES / name / project["source.items"][0])
    return ItemBatch(frame.rename({c: "data" if c == "text" else f"meta.{c}" for c in frame.columns if c != "id"}))


@pytest.mark.parametrize("name", ["sentiment", "spam"])
def test_project_file_is_valid_and_names_files_that_are_there(name: str) -> None:
    """Every source and the rules lie in the example's folder."""
    project = Project.open(EXAMPLES / name)

    named = [*project["source.items"], *project["source.votes"], project["annotators.code"]]
    assert all((EXAMPLES / name / path).is_file() for path in named)


@pytest.mark.parametrize("name", ["sentiment", "spam"])
def test_rules_load_under_their_names(name: str) -> None:
    """A rule is called as its variable or function."""
    found = {annotator.name for annotator in load_rules(EXAMPLES / name / "rules.py")}

    assert RULES[name] == found


@pytest.mark.parametrize(("name", "least_coverage", "least_right"), [("spam", 0.9, 0.9), ("sentiment", 0.9, 0.75)])
def test_rules_speak_about_most_items_and_are_mostly_right(
    name: str, least_coverage: float, least_right: float
) -> None:
    """No rule fails on an item; every rule votes somewhere; the majority of votes beats the commonest class."""
    batch = items_of(name)
    schema = Project.open(EXAMPLES / name).schema
    gold = pl.read_parquet(EXAMPLES / name / "gold.parquet")["label"].to_list()
    truth = np.array([schema.index(label) for label in gold])

    counts = np.zeros((len(batch), schema.n_classes))
    for annotator in load_rules(EXAMPLES / name / "rules.py"):
        votes = annotator.annotate(batch, schema)
        labels = np.asarray(votes.labels)
        voted = np.flatnonzero(labels != ABSTAIN)
        counts[voted, labels[voted]] += 1

        assert not votes.faults, annotator.name
        assert voted.size > 0, annotator.name

    covered = counts.sum(axis=1) > 0
    assert covered.mean() > least_coverage
    assert (counts.argmax(axis=1) == truth)[covered].mean() > least_right
