"""The unit of work, retry, resume and commit, and what travels to and from workers."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Partition", "Receipt", "Resources"]


class Partition(NamedTuple):
    """A run of rows of one file of items.

    `id` is a function of the file and the rows, so two plans of the same lake are the same plan.
    """

    id: str
    uri: str
    start: int
    stop: int

    @property
    def n_rows(self) -> int:
        """Number of items."""
        return self.stop - self.start


class Resources(NamedTuple):
    """What one worker needs: cores, accelerators, bytes of memory; and how many workers at most."""

    cpus: float = 1
    gpus: float = 0
    memory: int | None = None
    workers: int | None = None


class Receipt(NamedTuple):
    """What comes back for a partition: small whatever its size.

    `error` is None when the output is published under `uri`; otherwise the partition is not done. `died` says that
    its worker died under it (rather than that the stage raised), `printed` holds the start of what the user's code
    printed. `timings` are pairs (annotator, seconds), `host` is
    the machine that did it, `retries` how many workers it cost before.
    """

    partition: str
    rows: int = 0
    uri: str = ""
    seconds: float = 0.0
    faults: int = 0
    error: str | None = None
    died: bool = False
    printed: str = ""
    timings: tuple[tuple[str, float], ...] = ()
    host: str = ""
    retries: int = 0
