"""The public interface as users write it: mypy must accept every line strictly, and agree with each `assert_type`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self, assert_type

import numpy as np
import numpy.typing as npt
import polars as pl

import labelmill
from labelmill import (
    ABSTAIN,
    Aggregated,
    Consensus,
    Item,
    ItemBatch,
    LabelSchema,
    LFs,
    Mill,
    VoteTable,
    dictionary,
    keyword,
    labeling_function,
    preprocessor,
    regex,
    threshold,
)
from labelmill.domain.ports import Annotator, LabelModel, Pool, QueryStrategy

offer = keyword("spam", ["free", "prize"], name="offer")
loud = regex("spam", r"!!", field="subject", name="loud")
mood = dictionary({"ham": ["lunch"], "spam": ["cash"]}, name="mood")
long = threshold("spam", field="length", above=300, name="long")


@preprocessor(memoize=True)
def split(x: Item) -> dict[str, list[str]]:
    return {"words": x.text.split()}


@labeling_function()
def shouting(x: Item) -> str | None:
    return "spam" if x.text.isupper() else None


@labeling_function(name="few_words", pre=[split])
def short(x: Item) -> str | int:
    return "ham" if len(x.words) < 4 else ABSTAIN


def a_rule_is_an_annotator() -> list[Annotator]:
    return [offer, loud, mood, long, shouting, short]


def texts_to_labels(texts: list[str]) -> list[str | None]:
    votes = LFs([offer, shouting]).apply(texts)
    assert_type(votes, VoteTable)
    result = labelmill.aggregate(votes)
    assert_type(result.consensus, Consensus)
    assert_type(result.consensus.probabilities, npt.NDArray[np.float64])
    return result.consensus.labels


def any_table_holds_votes(frame: pl.DataFrame) -> Aggregated:
    return labelmill.aggregate(frame, model="dawid_skene", classes=["ham", "spam"], kinds={"ann": "person"}, seed=1)


def wrong_labels(given: list[int], probabilities: npt.NDArray[np.float32]) -> list[int]:
    found = labelmill.find_label_errors(given, probabilities, filter_by="both", rank_by="normalized_margin")
    assert_type(found, labelmill.LabelErrors)
    assert_type(found.to_frame(), pl.DataFrame)
    return [int(i) for i in found.index]


def doubtful_votes(votes: pl.DataFrame) -> pl.DataFrame:
    quality = labelmill.score_votes(votes, model="dawid_skene", kinds={"ann": "person"})
    assert_type(quality, labelmill.VoteQuality)
    return quality.votes()


def a_question_and_its_items() -> int:
    schema = LabelSchema("spam", ("ham", "spam"), modality="text")
    batch = ItemBatch.from_items([Item("1", "Win!", meta={"subject": "FREE"})])
    return schema.index("spam") + len(batch)


def a_project(folder: Path) -> str:
    mill = Mill.open(folder)
    imported = mill.ingest(folder / "mails.csv", on_bad_rows="skip")
    assert_type(imported.n_items, int)
    mill.annotate(engine="serial")
    mill.train()
    mill.aggregate(model="auto")
    mill.select(count=50, out=folder / "ask.csv")
    mill.ingest(folder / "ask.csv", votes_by="ann")
    mill.plan_certificate(error=0.05, confidence=0.95, out=folder / "audit.csv")
    mill.ingest(folder / "audit.csv", votes_by="ann", purpose="audit")
    certified = mill.certify()
    mill.export(folder / "release", formats=["csv"])
    return certified.certificate.statement


class FirstVote:
    """A label model of one's own."""

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, votes: Any) -> Self:
        """Learn nothing."""
        table = VoteTable.of(votes)
        self.reliability_ = np.full(table.n_annotators, np.nan)
        self.details_: dict[str, Any] = {"model": "first_vote"}
        return self

    def predict_proba(self, votes: Any) -> npt.NDArray[np.float64]:
        """What the first annotator said."""
        table = VoteTable.of(votes)
        return np.eye(table.n_classes)[table.matrix[:, 0]]


class Shortest:
    """A query strategy of one's own."""

    def score(self, pool: Pool) -> npt.NDArray[np.float64]:
        """The shorter the name, the sooner."""
        return -np.asarray([len(name) for name in pool.votes.items], dtype=np.float64)


def plugins_need_no_base_class() -> tuple[LabelModel, QueryStrategy]:
    return FirstVote(), Shortest()
