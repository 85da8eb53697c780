"""Everything in this process, one partition after another: for debuggers, tests and small work."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import ClassVar

from labelmill.domain.partition import Partition, Receipt, Resources
from labelmill.domain.ports import Stage
from labelmill.engines._attempt import attempt

__all__ = ["Serial"]


class Serial:
    """Runs the stage where it is called, so that breakpoints and prints work.

    A stage that kills its process kills the caller's.

    Examples
    --------
    >>> from labelmill.domain.partition import Partition, Receipt, Resources
    >>> stage = lambda partition: Receipt(partition.id, partition.n_rows)
    >>> [receipt.rows for receipt in Serial().map(stage, [Partition("p", "items/p.parquet", 0, 7)], Resources())]
    [7]
    """

    isolates: ClassVar[bool] = False
    """Whether a stage that dies leaves the caller alive."""

    def map(self, stage: Stage, partitions: Iterable[Partition], need: Resources) -> Generator[Receipt, None, None]:  # noqa: ARG002 -- the role's signature; here is one worker
        """A receipt for each partition, in order; the next one is begun when it is asked for."""
        for partition in partitions:
            yield attempt(stage, partition)

    def close(self) -> None:
        """Nothing to let go of."""
