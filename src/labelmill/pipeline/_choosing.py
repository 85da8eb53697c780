"""Choosing a batch on an engine: a slice at random, then what the strategy finds best."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from labelmill import registry
from labelmill.domain.partition import Resources
from labelmill.domain.ports import Respondent
from labelmill.pipeline._balance import REACH, balanced
from labelmill.pipeline._ballot_source import BallotSource
from labelmill.pipeline._ballots import ANSWERS, BallotPlan, fingerprint
from labelmill.pipeline._digests import digest_of
from labelmill.pipeline._engines import open_engine
from labelmill.pipeline._features import Features
from labelmill.pipeline._known_vectors import KnownVectors
from labelmill.pipeline._pick_step import PickStep
from labelmill.pipeline._pools import PICKED
from labelmill.pipeline._random_slice import RandomSlice, interleaved, slice_size
from labelmill.pipeline._reduce import Reduce
from labelmill.pipeline._select_step import ASKED_ITEMS, SelectStep
from labelmill.pipeline._whys import why_of
from labelmill.pipeline.votes import ballot_plan, people_votes
from labelmill.pipeline.workspace import Workspace, unwatched
from labelmill.stores.consensus_versions import ConsensusVersion

__all__ = ["Wish", "answered_items", "choose"]


@dataclass(frozen=True)
class Wish:
    """What shall be chosen.

    Parameters
    ----------
    strategy : str
        Name of a query strategy.
    n : int
        How many items.
    seed : int
        Of what is drawn.
    random_share : float
        Share that is drawn at random from all that nobody has answered.
    balance : bool
        As many of each class as can be had.
    """

    strategy: str
    n: int
    seed: int
    random_share: float = 0.0
    balance: bool = False


def choose(
    workspace: Workspace,
    stored: ConsensusVersion,
    wish: Wish,
    engine_name: str,
    need: Resources,
    features: Features | None,
) -> pl.DataFrame:
    """The items, in the order they shall be asked; see `PICKED`."""
    if not stored.partitions:
        return pl.DataFrame(schema=PICKED)
    plan, answers = _no_ballots(workspace) if workspace.schema.is_structured else ballot_plan(workspace)
    answered = answered_items(workspace)
    told: list[Any] = [stored.digest, wish.strategy, wish.n, wish.seed, wish.random_share, wish.balance]
    told += [answered["item"].to_list(), fingerprint(plan, answers)]
    if features is not None:
        told.append(features.encoder.fingerprint)
    with closing(open_engine(engine_name)) as engine:
        reduce = Reduce(workspace, engine, need, "select", digest_of(told))
        reduce.begin()
        work = _Choosing(reduce, stored, wish, plan, answers, answered, features)
        rows = work.rows()
    reduce.end()
    whys = [
        why_of(reason, None if label is None else confidence, margin=margin, score=score)
        for reason, label, confidence, margin, score in rows.select(
            "why", "label", "confidence", "margin", "score"
        ).iter_rows()
    ]
    return rows.with_columns(why=pl.Series(whys, dtype=pl.String))


@dataclass(frozen=True)
class _Choosing:
    """A reduce that chooses a batch, and everything it looks at."""

    reduce: Reduce
    stored: ConsensusVersion
    wish: Wish
    plan: BallotPlan
    answers: pl.DataFrame
    answered: pl.DataFrame
    features: Features | None

    def rows(self) -> pl.DataFrame:
        """The batch; see `PICKED`."""
        drawn = self._drawn()
        left = replace(self.wish, n=self.wish.n - drawn.height)
        if not left.n:
            return drawn
        known = self.answered.select("item")
        asked = self._published("asked", pl.concat([known, drawn.select("item")]))
        is_batch = hasattr(registry.find("query_strategy", left.strategy), "pick")
        best = self._picked(left, asked) if is_batch else self._scored(left, asked)
        if left.balance:
            best = balanced(best, left.n, self._answers_of_each_class())
        return interleaved(best, drawn)

    def _drawn(self) -> pl.DataFrame:
        """The random slice."""
        chance = np.random.default_rng([self.wish.seed, self.answered.height])
        n = slice_size(self.wish.n, self.wish.random_share, chance)
        if not n:
            return pl.DataFrame(schema=PICKED)
        answered = self._published("answered", self.answered.select("item"))
        step = RandomSlice(self.plan.schema, self.stored.digest, n, self.wish.seed, self.reduce.folder, answered)
        return self._run("slice", step)

    def _scored(self, wish: Wish, asked: str | None) -> pl.DataFrame:
        source = BallotSource.published(self.reduce, self.plan, self.answers)
        step = SelectStep(
            source,
            self.stored.digest,
            wish.strategy,
            wish.n,
            wish.seed,
            wish.seed + self.answered.height,
            asked,
            self.features,
            wish.balance,
            self._respondents(),
        )
        return self._run("best", step, is_watched=True)

    def _picked(self, wish: Wish, asked: str | None) -> pl.DataFrame:
        n = wish.n * REACH if wish.balance else wish.n
        step = PickStep(
            self.plan.schema,
            self.stored.digest,
            wish.strategy,
            n,
            wish.seed,
            self.reduce.folder,
            asked,
            self._known(asked),
            self.features,
        )
        return step.pick(self.reduce.workspace.lake, self._run("offered", step, is_watched=True))

    def _known(self, asked: str | None) -> str | None:
        """The table with vectors of what people answered, and of what is drawn to be asked with the batch."""
        if asked is None or self.features is None:
            return None
        step = KnownVectors(self.features, self.stored.digest, self.reduce.folder, asked, self.wish.seed)
        found = self._run("known", step)
        return self._published("vectors", found)

    def _run(self, name: str, step: Any, *, is_watched: bool = False) -> pl.DataFrame:
        watch = self.reduce.workspace.watch("select") if is_watched else unwatched("select")
        return self.reduce.run(name, step, self.stored.partitions, watch)

    def _published(self, name: str, table: pl.DataFrame) -> str | None:
        if not table.height:
            return None
        typed = table.cast(ASKED_ITEMS) if table.columns == ["item"] else table  # type: ignore[arg-type]  # a mapping of names to types is what cast documents
        return self.reduce.publish(name, typed)

    def _respondents(self) -> tuple[Respondent, ...]:
        """People, as right as the label model found those who voted; whoever, if it found nobody."""
        known = [
            (row["reliability"], row["votes"])
            for row in self.stored.meta["annotators"]
            if row["kind"] == "person" and row["votes"] and row["reliability"] is not None
        ]
        sure = [(value, votes) for value, votes in known if np.isfinite(value)]
        if not sure:
            return ()
        values, votes = zip(*sure, strict=True)
        return (Respondent("people", float(np.clip(np.average(values, weights=votes), 0.0, 1.0))),)

    def _answers_of_each_class(self) -> dict[str, int]:
        counts = self.answered["value"].drop_nulls().value_counts()
        return dict(counts.iter_rows())


def answered_items(workspace: Workspace) -> pl.DataFrame:
    """Items whose answer is known, or that some person gave one of, with the last one; machines' files do not count.

    Columns `item`, sorted, and `value`.
    """
    votes = people_votes(workspace, ("label", "review", "gold"))
    is_answer = (pl.col("purpose") == "gold") | (pl.col("kind").fill_null("person") == "person")
    return votes.filter(is_answer).select("item", "value").unique("item", keep="last", maintain_order=True).sort("item")


def _no_ballots(workspace: Workspace) -> tuple[BallotPlan, pl.DataFrame]:
    """Structured answers are no ballots: the confidence of what was made of them is all that strategies need."""
    return BallotPlan(workspace.schema, (), (), {}), pl.DataFrame(schema=ANSWERS)
