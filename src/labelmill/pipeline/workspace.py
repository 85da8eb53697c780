"""What every verb works on: a project, its lake, a clock and somebody who watches."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from labelmill.domain.ports import Progress
from labelmill.domain.run import Run
from labelmill.domain.schema import LabelSchema
from labelmill.errors import CancelledError, FailedError
from labelmill.pipeline._cancelling import Orders, obeying, withdraw
from labelmill.pipeline.project import Project
from labelmill.stores.lake import Lake

__all__ = ["Workspace", "unwatched"]


def unwatched(what: str) -> Progress:  # noqa: ARG001 -- the watcher's signature
    """Watches nothing."""
    return _unseen


def _unseen(done: int, total: int, detail: Mapping[str, Any] | None = None, /) -> None:
    pass


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Workspace:
    """A project opened for work.

    Parameters
    ----------
    project : Project
        What `labelmill.toml` says.
    watch : callable
        Called with what is being done; returns the `Progress` for it.
    now : callable
        The clock: ISO 8601, UTC.
    """

    def __init__(
        self, project: Project, *, watch: Callable[[str], Progress] = unwatched, now: Callable[[], str] = _now
    ) -> None:
        self.project = project
        self.watch = watch
        self.now = now
        self.lake = Lake(project.lake)
        self._orders: Orders | None = None

    @classmethod
    def open(cls, folder: str | Path = ".", *, watch: Callable[[str], Progress] = unwatched) -> Self:
        """The project in `folder`."""
        return cls(Project.open(Path(folder)), watch=watch)

    @property
    def schema(self) -> LabelSchema:
        """The question."""
        return self.project.schema

    @contextlib.contextmanager
    def running(self, verb: str, **details: Any) -> Iterator[Run]:
        """A run on record for the length of the block, which ends it with `end`; `labelmill runs cancel` can stop it.

        Raises
        ------
        CancelledError
            If somebody asked for its end. Like any other error it is put on record.
        """
        run = self.begin(verb, **details)
        try:
            with self.obeying(run.id):
                yield run
        except BaseException as error:
            self.fail(run, error)
            raise

    @contextlib.contextmanager
    def obeying(self, run_id: str) -> Iterator[None]:
        """While inside, a request to end the run ends the block with CancelledError."""
        with obeying(self.lake, run_id) as orders:
            self._orders = orders
            try:
                yield
            finally:
                self._orders = None

    def obey(self) -> None:
        """Raise if the run that is under way must end: somebody asked for it, or took over the lake. Asks nobody.

        Raises
        ------
        CancelledError
        StorageError
        """
        self.lake.check_lease()
        if self._orders is not None:
            self._orders.check()

    def require_classes(self, verb: str, instead: str) -> None:
        """Refuse what works on classes only.

        Raises
        ------
        FailedError
            If the labels of the project are spans, boxes, numbers or texts.
        """
        if self.schema.is_structured:
            kind = self.schema.kind
            raise FailedError(f"`labelmill {verb}` works on choice and multi_choice so far, not on {kind}: {instead}")

    def most_workers(self, asked: int | None) -> int | None:
        """How many workers there may be: the number asked for, else the project's; None for as many as fit."""
        return asked or self.project["annotate.workers"] or None

    def begin(self, verb: str, **details: Any) -> Run:
        """A new run, on record from its start."""
        at = self.now()
        run = Run(id=f"{at[:19].replace(':', '')}-{verb}-{secrets.token_hex(2)}", verb=verb, started=at, **details)
        self.lake.save_run(run)
        return run

    def end(self, run: Run, **details: Any) -> Run:
        """The run, finished and on record."""
        ended = run.ended("finished", self.now(), **details)
        self.lake.save_run(ended)
        return ended

    def fail(self, run: Run, error: BaseException) -> None:
        """Put on record why the run did not finish."""
        cancelled = isinstance(error, (KeyboardInterrupt, CancelledError))
        self.lake.save_run(run.ended("cancelled" if cancelled else "failed", self.now(), error=str(error)[:2000]))
        if isinstance(error, CancelledError):
            withdraw(self.lake, run.id)
