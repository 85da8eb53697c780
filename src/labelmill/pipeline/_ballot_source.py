"""Where a worker finds the votes on a partition: machines' in their sets, people's in a table of the reduce."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import polars as pl

from labelmill.domain.partition import Partition
from labelmill.pipeline._ballots import ANSWERS, BallotPlan, Ballots, cast
from labelmill.pipeline._reduce import Reduce
from labelmill.stores.lake import Lake

__all__ = ["CODED_GOLD", "BallotSource", "gold_rows", "kept_table"]

CODED_GOLD: Final[dict[str, Any]] = {"item": pl.String, "value": pl.List(pl.Int16)}
"""Gold answers, coded as people's."""


@dataclass(frozen=True)
class BallotSource:
    """Everything that makes ballots of a partition; travels to workers.

    People's votes and gold lie in the lake, not in here: a worker reads them once. Every worker holds all of them, a
    hundred bytes or so a vote.

    Parameters
    ----------
    plan : BallotPlan
    folder : str
        Folder of the reduce.
    answers, gold : str or None
        Names of the tables with people's votes and gold answers; None where there are none.
    """

    plan: BallotPlan
    folder: str
    answers: str | None
    gold: str | None

    @classmethod
    def published(
        cls, reduce: Reduce, plan: BallotPlan, answers: pl.DataFrame, gold: pl.DataFrame | None = None
    ) -> BallotSource:
        """The source whose tables the reduce publishes now."""
        given = {"answers": answers, "gold": gold}
        names = {
            name: reduce.publish(name, table) for name, table in given.items() if table is not None and table.height
        }
        return cls(plan, reduce.folder, names.get("answers"), names.get("gold"))

    def cast(self, lake: Lake, partition: Partition, *, with_items: bool = True) -> Ballots:
        """The votes on a partition's items; see `_ballots.cast`."""
        answers = pl.DataFrame(schema=ANSWERS)
        if self.answers is not None:
            answers = kept_table(lake.uri, self.folder, self.answers)
        return cast(self.plan, lake, partition, answers, with_items=with_items)

    def answered(self, lake: Lake) -> set[str]:
        """Items that people voted on."""
        return set() if self.answers is None else set(kept_table(lake.uri, self.folder, self.answers)["item"].to_list())

    def gold_on(self, lake: Lake, ids: pl.Series) -> pl.DataFrame:
        """Gold answers on some items: columns `row` (position among the ids), `value`."""
        gold = pl.DataFrame(schema=CODED_GOLD) if self.gold is None else kept_table(lake.uri, self.folder, self.gold)
        return gold_rows(gold, ids)


def gold_rows(gold: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    """Gold answers on some items: columns `row` (position among the ids), `value`."""
    rows = pl.DataFrame([ids.alias("item")]).with_row_index("row")
    return gold.join(rows, on="item", how="inner", maintain_order="left").select("row", "value")


@lru_cache(maxsize=4)
def kept_table(lake: str, folder: str, name: str) -> pl.DataFrame:
    """A table of the reduce, which its name stands for whatever happens: it holds the digest."""
    return Lake(lake).read_table(folder, name)
