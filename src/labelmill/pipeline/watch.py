"""Watch: what arrives is imported, voted on by rules and models, and enters the consensus, batch after batch.

Exactly once, whatever happens in between. Rows are known by their ids, so a batch that was cut off is brought in again
and only what is missing is added; votes are made for the partitions that have none, by the same commit as in bulk; and
before it waits for the first arrival, `watch` finishes what an earlier one left.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from labelmill import registry
from labelmill.domain.ports import Chunk
from labelmill.errors import BadInputError, BadRow, StorageError, UsageError
from labelmill.formats._endings import format_name
from labelmill.formats._objects import object_chunks
from labelmill.pipeline._arrivals import STDIN, Lines, WatchedFolder, values_of
from labelmill.pipeline._media_items import media_items
from labelmill.pipeline.aggregate import aggregate
from labelmill.pipeline.annotate import annotate
from labelmill.pipeline.ingest import Ingested, ingest_items
from labelmill.pipeline.predict import predict
from labelmill.pipeline.ready_models import served_models
from labelmill.pipeline.workspace import Workspace

__all__ = ["Arrival", "Watch", "watch_folder", "watch_lines"]

LOCKED_SECONDS: Final = 0.5
"""How long another command that writes is waited for before looking again."""

POLL_SECONDS: Final = 0.5
"""How often a folder is looked at."""

MOST_ROWS: Final = 50_000
"""Rows of a frame."""


@dataclass(frozen=True)
class Arrival:
    """What one turn brought, and where the project stands after it.

    Parameters
    ----------
    sources : list of str
        Files, or the stream.
    n_new, n_existing : int
        Items that are in the lake now, and rows whose item was there before.
    bad_rows : list of BadRow
        Left out.
    refused : mapping of str to str
        File -> why nothing of it was taken. It is looked at again when it changes.
    n_lines : int or None
        Lines of the stream that are done with since it began: who sends may forget them.
    n_items, n_voted : int
        Items of the project, and those with a consensus that somebody or something voted for.
    version : int or None
        Of the consensus.
    """

    sources: list[str] = field(default_factory=list)
    n_new: int = 0
    n_existing: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)
    refused: Mapping[str, str] = field(default_factory=dict)
    n_lines: int | None = None
    n_items: int = 0
    n_voted: int = 0
    version: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        told = {
            "sources": self.sources,
            "new": self.n_new,
            "existing": self.n_existing,
            "bad_rows": [str(row) for row in self.bad_rows],
            "refused": dict(self.refused),
            "items": self.n_items,
            "voted": self.n_voted,
            "version": self.version,
        }
        return told if self.n_lines is None else {**told, "lines": self.n_lines}


class _Source(Protocol):
    """Where items come from."""

    def wait(self, stop: threading.Event) -> bool:
        """Wait until something is there; False if nothing more will come."""

    def bring(self) -> list[Ingested]:
        """What is there, into the lake; the caller holds it for writing."""

    refused: dict[str, str]
    n_lines: int | None


class Watch:
    """Takes turns until it is stopped: each brings in what has arrived, and labels it.

    Parameters
    ----------
    workspace : Workspace
    source : source
        Of `watch_folder` or `watch_lines`.
    engine : str
        Where the rules and models run: batches are small, so this process does it unless told otherwise.
    stop : threading.Event, optional
        Set by whoever wants it to end after the turn under way.
    """

    def __init__(
        self,
        workspace: Workspace,
        source: _Source,
        *,
        engine: str = "serial",
        stop: threading.Event | None = None,
    ) -> None:
        self._workspace, self._source, self._engine = workspace, source, engine
        self.stop = stop or threading.Event()
        self._is_first = True

    def turn(self) -> Arrival | None:
        """The next batch, labelled; None when it is stopped or nothing more will come.

        The first turn comes at once and finishes what an earlier watch left undone.

        Raises
        ------
        AnnotationError
            If rules or models could not finish; what they did is kept, and the next start goes on.
        """
        if self._is_first:
            self._is_first = False
        elif not self._source.wait(self.stop):
            return None
        with self._held() as is_held:
            if not is_held:
                return None
            brought = self._source.bring()
            return self._labelled(brought)

    def _labelled(self, brought: list[Ingested]) -> Arrival:
        workspace = self._workspace
        n_items = workspace.lake.n_items
        n_voted, version = 0, None
        if n_items:
            if workspace.project.code is not None:
                annotate(workspace, engine=self._engine)
            if not workspace.schema.is_structured and served_models(workspace):
                predict(workspace, engine=self._engine)
            result = aggregate(workspace)
            n_voted, version = result.summary.n_voted, result.version
        return Arrival(
            [one.source for one in brought],
            sum(one.n_items for one in brought),
            sum(one.n_existing for one in brought),
            [row for one in brought for row in one.bad_rows],
            self._source.refused,
            self._source.n_lines,
            n_items,
            n_voted,
            version,
        )

    @contextlib.contextmanager
    def _held(self) -> Iterator[bool]:
        """The lake, held for writing; another command that writes is waited for. False if stopped meanwhile."""
        lake = self._workspace.lake
        with contextlib.ExitStack() as stack:
            while True:
                try:
                    stack.enter_context(lake.writing())
                except StorageError:
                    if not lake.is_being_written():
                        raise
                    if self.stop.wait(LOCKED_SECONDS):
                        yield False
                        return
                else:
                    yield True
                    return


def watch_folder(
    workspace: Workspace,
    folder: Path,
    *,
    settle: float = 1.0,
    once: bool = False,
    engine: str = "serial",
    stop: threading.Event | None = None,
) -> Watch:
    """Label the files that arrive in a folder: rows of items, or pictures and recordings as items.

    Parameters
    ----------
    folder : Path
    settle : float
        Seconds that a file must not have changed before it is read.
    once : bool
        End when everything that is there has been read.
    engine, stop : str, threading.Event
        See `Watch`.

    Raises
    ------
    StorageError
        If there is no such folder.
    """
    if not folder.is_dir():
        raise StorageError(f"{folder}: no such folder; make it, or name another")
    return Watch(workspace, _FolderSource(workspace, folder, settle=settle, once=once), engine=engine, stop=stop)


def watch_lines(
    workspace: Workspace,
    stream: BinaryIO,
    *,
    most: int = 1_000,
    every: float = 1.0,
    engine: str = "serial",
    stop: threading.Event | None = None,
) -> Watch:
    """Label the JSON lines that arrive on a stream.

    Parameters
    ----------
    stream : binary file
    most : int
        Lines of one batch.
    every : float
        Seconds that a batch is gathered, from its first line.
    engine, stop : str, threading.Event
        See `Watch`.

    Raises
    ------
    UsageError
        If items are numbered: after a restart a number would stand for another line.
    """
    if workspace.project["source.id"] == "auto":
        raise UsageError(
            "lines of a stream need ids of their own, so that none is taken twice: in labelmill.toml, set "
            '[source] id = "NAME", the key that holds it'
        )
    return Watch(workspace, _LineSource(workspace, stream, most=most, every=every), engine=engine, stop=stop)


class _FolderSource:
    def __init__(self, workspace: Workspace, folder: Path, *, settle: float, once: bool) -> None:
        self._workspace, self._once = workspace, once
        self._watched = WatchedFolder(folder, workspace.lake, settle=settle)
        self._bring = self._of_rows if workspace.schema.modality == "text" else self._of_media
        self.refused: dict[str, str] = {}
        self.n_lines: int | None = None
        self._wait_at_most = min(POLL_SECONDS, max(settle / 2, 0.01))

    def wait(self, stop: threading.Event) -> bool:
        """Look again and again until a file is new and still."""
        while not stop.is_set():
            if self._watched.arrived():
                return True
            if self._once and not self._watched.n_unsettled:
                return False
            stop.wait(self._wait_at_most)
        return False

    def bring(self) -> list[Ingested]:
        """Every file that is still; what was read is remembered after it is in the lake, never before."""
        self.refused = {}
        arrived = self._watched.arrived()
        if not arrived:
            return []
        brought = self._bring(list(arrived))
        self._watched.take(arrived)
        return brought

    def _of_rows(self, names: list[str]) -> list[Ingested]:
        brought = []
        for name in names:
            path = self._watched.folder / name
            if not os.access(path, os.R_OK):
                self.refused[str(path)] = "it may not be read: give this user the right to"
                continue
            try:
                brought.append(ingest_items(self._workspace, _rows_of(self._workspace, path), str(path)))
            except (BadInputError, UsageError) as error:
                self.refused[str(path)] = str(error)
        return brought

    def _of_media(self, names: list[str]) -> list[Ingested]:
        folder = self._watched.folder
        chunks = media_items(self._workspace, folder, with_labels=False, names=names)
        return [ingest_items(self._workspace, chunks, str(folder))]


def _rows_of(workspace: Workspace, path: Path) -> Iterator[Chunk]:
    reader = registry.find("format", format_name(path))()
    chunks: Iterator[Chunk] = reader.read(path, encoding=workspace.project["source.encoding"] or None)
    return chunks


class _LineSource:
    def __init__(self, workspace: Workspace, stream: BinaryIO, *, most: int, every: float) -> None:
        self._workspace, self._most, self._every = workspace, most, every
        self._lines = Lines(stream)
        self._arrived: list[tuple[int, bytes | None]] = []
        self.refused: dict[str, str] = {}
        self.n_lines: int | None = 0

    def wait(self, stop: threading.Event) -> bool:
        """Gather a batch of lines."""
        gathered = self._lines.gather(self._most, self._every, stop)
        self._arrived = gathered.lines
        return bool(self._arrived)

    def bring(self) -> list[Ingested]:
        """The batch, whole."""
        if not self._arrived:
            return []
        chunks = object_chunks(values_of(self._arrived), STDIN, MOST_ROWS)
        try:
            brought = [ingest_items(self._workspace, chunks, STDIN)]
        except BadInputError as error:
            brought = [Ingested(STDIN, bad_rows=error.bad_rows)]
        self.n_lines, self._arrived = self._arrived[-1][0], []
        return brought
