"""How a label model meets the votes of a lake: as counted patterns, all at once, by rounds, or on a sample."""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.domain.partition import Partition
from labelmill.domain.ports import LabelModel, Progress
from labelmill.domain.vote_table import VoteTable
from labelmill.pipeline._ballot_source import BallotSource
from labelmill.pipeline._ballots import Ballots, joined, some_rows
from labelmill.pipeline._gold import calibrated
from labelmill.pipeline._patterns import PatternStep, pattern_tables, refusal
from labelmill.pipeline._reduce import Reduce
from labelmill.pipeline._rounds import learn_by_rounds
from labelmill.pipeline._shards import kept_shard
from labelmill.quality.calibration import tempered
from labelmill.stores.lake import Lake

__all__ = ["GATHERED", "MOST_PATTERNS", "SAMPLE", "Fitted", "fit"]

MOST_PATTERNS: Final = 1_000_000
"""Patterns of votes that a label model is fitted on."""

GATHERED: Final = 1_000_000
"""Items whose votes are gathered in one table where patterns do not serve."""

SAMPLE: Final = 1_000_000
"""Items that a label model is fitted on that cannot learn by rounds, besides those that people answered."""


@dataclass(frozen=True)
class Fitted:
    """Label models that have learned.

    Parameters
    ----------
    models : mapping of str to LabelModel
        One for each table of the ballots.
    notes : mapping of str to Any
        What the details should say about how they learned.
    """

    models: Mapping[str, LabelModel]
    notes: Mapping[str, Any] = field(default_factory=dict)


def fit(
    make: Callable[[], Any],
    source: BallotSource,
    reduce: Reduce,
    partitions: Sequence[Partition],
    watch: Callable[[str], Progress],
) -> Fitted:
    """A label model for each table, fitted on the votes of all partitions.

    Gold answers of a choice teach and calibrate while the votes of all items can be gathered, see `calibrated`; beyond
    that they stand in the consensus, and that is all.

    Patterns come first: rules leave few, and a table of patterns teaches the same as the votes. Where there are
    probabilities or too many patterns, the votes of up to `GATHERED` items are gathered; beyond that the model learns
    by rounds, and one that cannot is fitted on a sample.

    Parameters
    ----------
    make : callable
        Makes an unfitted label model.
    """
    n_items = sum(partition.n_rows for partition in partitions)
    if source.gold is not None and n_items <= GATHERED and not source.plan.is_multi and _takes_gold(make()):
        return _with_gold(make, source, reduce, partitions)
    models = {key: make() for key in source.plan.keys}
    counts = reduce.run("patterns", PatternStep(source, MOST_PATTERNS), partitions, watch("count"))
    if refusal(counts) is None:
        return _fitted(models, pattern_tables(source.plan, counts))
    lake = reduce.workspace.lake
    if n_items <= GATHERED:
        parts = [kept_shard(source, reduce.digest, lake, partition, keep=True) for partition in partitions]
        return _fitted(models, joined(source.plan, parts).tables)
    if all(hasattr(model, "learning") for model in models.values()):
        n_rounds = learn_by_rounds(models, source, reduce, partitions, watch)
        return Fitted(models, {"rounds": n_rounds})
    sample = _sample(lake, source, partitions, SAMPLE / n_items)
    told = f"{len(sample.items):,} of {n_items:,} items"
    return Fitted(_fitted(models, sample.tables).models, {"fitted_on": told})


class Tempered:
    """A fitted label model whose probabilities are calibrated.

    Parameters
    ----------
    model : LabelModel
    temperature : float
        Power that they are raised to on items with votes.
    """

    def __init__(self, model: LabelModel, temperature: float) -> None:
        self.model, self.temperature = model, temperature
        self.reliability_, self.details_ = model.reliability_, model.details_

    def fit(self, votes: Any) -> Self:
        """The model fitted on other votes, at the same temperature."""
        return type(self)(self.model.fit(votes), self.temperature)

    def predict_proba(self, votes: Any) -> npt.NDArray[np.float64]:
        """Class probabilities, shape (n_items, n_classes)."""
        probabilities, voted = self.model.predict_proba(votes), VoteTable.of(votes).has_votes
        return np.where(voted[:, None], tempered(probabilities, self.temperature), probabilities)


def _takes_gold(model: Any) -> bool:
    return "gold" in inspect.signature(model.fit).parameters


def _with_gold(
    make: Callable[[], Any], source: BallotSource, reduce: Reduce, partitions: Sequence[Partition]
) -> Fitted:
    lake = reduce.workspace.lake
    parts = [kept_shard(source, reduce.digest, lake, partition, keep=True) for partition in partitions]
    votes = joined(source.plan, parts).tables[""]
    answers = source.gold_on(lake, pl.Series(list(votes.items), dtype=pl.String))
    classes = source.plan.schema.classes
    gold = {votes.items[row]: classes[value[0]] for row, value in answers.iter_rows()}
    model = make().fit(votes, gold=gold)
    found = calibrated(lambda some: make().fit(votes, gold=some), votes, gold)
    if found is None:
        return Fitted({"": model})
    return Fitted({"": Tempered(model, found.temperature)}, {"calibration": found.details})


def _fitted(models: Mapping[str, LabelModel], tables: Mapping[str, VoteTable]) -> Fitted:
    return Fitted({key: model.fit(tables[key]) for key, model in models.items()})


def _sample(lake: Lake, source: BallotSource, partitions: Sequence[Partition], share: float) -> Ballots:
    """Every item that people answered, and a share of all others drawn by their ids."""
    answered = source.answered(lake)
    parts = []
    for partition in partitions:
        part = source.cast(lake, partition)
        drawn = [i for i, item in enumerate(part.items) if item in answered or _place(item) < share]
        rows: npt.NDArray[np.intp] = np.array(drawn, dtype=np.intp)
        parts.append(some_rows(source.plan, part, rows))
    return joined(source.plan, parts)


def _place(item: str) -> float:
    """Where an item stands between 0 and 1: the same in every version of everything."""
    return zlib.crc32(item.encode()) / 2**32
