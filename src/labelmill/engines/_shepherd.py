"""One worker of a cluster's engine: it keeps a child process that does the work, and outlives its deaths."""

from __future__ import annotations

import socket

from labelmill.domain.partition import Partition, Receipt
from labelmill.engines._child import MOST_DEATHS, Child, costly, stillborn

__all__ = ["Shepherd"]


class Shepherd:
    """Runs a stage in a child process; an item that kills its process kills the child and nothing else.

    Actors of Ray and Python workers of Spark hold one each. So the cluster's own retries are left to lost actors and
    nodes, and a partition may cost the same number of processes on every engine. The child is started with the first
    partition, has the stage open for all that follow, and ends by itself when its shepherd's process ends, however
    that ends. Not for several threads at once.

    Parameters
    ----------
    pickled_stage : bytes
        What the child does with a partition.
    n_threads : int
        Threads that a library may use in the child.
    """

    def __init__(self, pickled_stage: bytes, n_threads: int) -> None:
        self._pickled_stage = pickled_stage
        self._n_threads = n_threads
        self._child: Child | None = None

    def __call__(self, partition: Partition) -> Receipt:
        """The partition's receipt, with this host's name and the number of children it cost.

        Raises
        ------
        AnnotationError
            If children die before they are ready to work, which no other partition will change.
        """
        try:
            receipt = self._tended(partition)
        except BaseException:
            self.close()
            raise
        return receipt._replace(host=receipt.host or socket.gethostname())

    def close(self) -> None:
        """End the child; a stage at work is interrupted and has a moment to tidy up."""
        child, self._child = self._child, None
        if child is not None:
            child.bury()

    def _tended(self, partition: Partition) -> Receipt:
        n_deaths = n_stillborn = 0
        while True:
            child = self._child = self._child or Child(self._pickled_stage, self._n_threads)
            try:
                return _answer(child, partition)._replace(retries=n_deaths)
            except EOFError:
                self._child = None
                ending = child.bury()
            if child.is_ready:
                n_deaths += 1
            else:
                n_stillborn += 1
            if n_deaths == MOST_DEATHS:
                return costly(partition, ending)
            if n_stillborn == MOST_DEATHS:
                raise stillborn(ending)


def _answer(child: Child, partition: Partition) -> Receipt:
    child.give(partition)
    while (receipt := child.answer()) is None:
        pass  # it has said that it is ready; the receipt follows
    return receipt
