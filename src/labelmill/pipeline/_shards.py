"""Ballots that a process keeps while it works for one aggregate, because it will need them again."""

from __future__ import annotations

from typing import Final

from labelmill.domain.partition import Partition
from labelmill.pipeline._ballot_source import BallotSource
from labelmill.pipeline._ballots import Ballots
from labelmill.stores.lake import Lake

__all__ = ["forget_shards", "kept_shard"]

MOST_CELLS: Final = 20_000_000
"""Cells of vote tables that a process keeps: some 200 MB with what label models find out about them."""


def kept_shard(source: BallotSource, owner: str, lake: Lake, partition: Partition, *, keep: bool) -> Ballots:
    """The votes on a partition, from memory if this process has kept them.

    Parameters
    ----------
    owner : str
        Digest of the aggregate; what was kept for another is forgotten.
    keep : bool
        They will be needed again: keep them if there is room.
    """
    if _KEPT.owner != owner:
        forget_shards()
        _KEPT.owner = owner
    shard = _KEPT.shards.get(partition.id)
    if shard is None:
        shard = source.cast(lake, partition)
        n_cells = partition.n_rows * len(source.plan.columns) * len(source.plan.keys)
        if keep and _KEPT.n_cells + n_cells <= MOST_CELLS:
            _KEPT.shards[partition.id] = shard
            _KEPT.n_cells += n_cells
    return shard


def forget_shards() -> None:
    """Keep nothing any more."""
    _KEPT.owner, _KEPT.n_cells = "", 0
    _KEPT.shards.clear()


class _Kept:
    """The first shards that were met.

    What does not fit is read each time: to throw out the oldest would throw out each just before it is needed.
    """

    def __init__(self) -> None:
        self.owner = ""
        self.n_cells = 0
        self.shards: dict[str, Ballots] = {}


_KEPT: Final = _Kept()
