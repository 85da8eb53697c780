"""Learning by rounds: each round asks every shard of the votes and merges the answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from labelmill.domain.partition import Partition
from labelmill.domain.ports import LearnsByRounds, Progress
from labelmill.domain.sums import Ask
from labelmill.pipeline._ballot_source import BallotSource
from labelmill.pipeline._reduce import Reduce, merged_sums, sums_frame, sums_of
from labelmill.pipeline._shards import kept_shard
from labelmill.stores.lake import Lake

__all__ = ["learn_by_rounds"]


def learn_by_rounds(
    models: Mapping[str, LearnsByRounds],
    source: BallotSource,
    reduce: Reduce,
    partitions: Sequence[Partition],
    watch: Callable[[str], Progress],
) -> int:
    """Fit the models of all tables side by side; how many rounds it took."""
    names, kinds = zip(*source.plan.columns, strict=True) if source.plan.columns else ((), ())
    learning = {key: model.learning(names, source.plan.classes, kinds) for key, model in models.items()}
    asks = {key: next(rounds) for key, rounds in learning.items()}
    n_rounds = 0
    while asks:
        n_rounds += 1
        step = RoundStep(source, reduce.digest, asks)
        answers = reduce.run(f"round-{n_rounds:05d}", step, partitions, watch(f"learn {n_rounds}"))
        asks = {}
        for (key,), answer in answers.group_by("key", maintain_order=True):
            try:
                asks[str(key)] = learning[str(key)].send(sums_of(answer.drop("key")))
            except StopIteration:
                continue
    return n_rounds


@dataclass(frozen=True)
class RoundStep:
    """Asks each table of a partition its question.

    Parameters
    ----------
    source : BallotSource
    shards : str
        Name by which a worker keeps the tables from round to round.
    asks : mapping of str to Ask
        Table -> what is asked of it; tables whose model is fitted are not asked any more.
    """

    source: BallotSource
    shards: str
    asks: Mapping[str, Ask]

    def table(self, lake: Lake, partition: Partition) -> pl.DataFrame:
        """The partition's share of the sums, for each table."""
        shard = kept_shard(self.source, self.shards, lake, partition, keep=True)
        return pl.concat([_keyed(key, sums_frame(ask(shard.tables[key]))) for key, ask in self.asks.items()])

    def merge(self, one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
        """The sums of both, for each table."""
        return pl.concat([_keyed(key, merged_sums(_of(one, key), _of(other, key))) for key in self.asks])

    def is_settled(self, table: pl.DataFrame) -> bool:  # noqa: ARG002 -- the role's signature
        """Never: every shard counts."""
        return False


def _keyed(key: str, sums: pl.DataFrame) -> pl.DataFrame:
    return sums.with_columns(key=pl.lit(key, dtype=pl.String))


def _of(sums: pl.DataFrame, key: str) -> pl.DataFrame:
    return sums.filter(pl.col("key") == key).drop("key")
