"""The right to write to an object store: an object that says who holds it and until when."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import socket
import threading
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import ClassVar, Final, Self

from labelmill.errors import StorageError
from labelmill.stores._files import Hold
from labelmill.stores._object_store import Changed, ObjectStore

__all__ = ["Lease"]

logger = logging.getLogger(__name__)

_TRIES: Final = 4


@dataclass(frozen=True, slots=True)
class _Record:
    """What the object says; times are seconds since 1970."""

    id: str
    host: str
    pid: int
    acquired: float
    expires: float


class Lease(Hold):
    """Held from `take` to `release`; a thread renews it in between.

    It is created on condition that there is none. One that has run out is taken over on condition that it has not
    changed, so that of several takers one succeeds. The clocks of the machines must agree to within `TTL`; should one
    be far off, the holder that was robbed finds out at its next renewal and must stop.

    Parameters
    ----------
    store : ObjectStore
    key : str
        Of the object.
    """

    TTL: ClassVar[float] = 60.0
    """Seconds that a lease lasts without being renewed; it is renewed three times as often."""

    def __init__(self, store: ObjectStore, key: str) -> None:
        self._store = store
        self._key = key
        self._id = secrets.token_hex(8)
        self._acquired = time.time()
        self._valid_until = 0.0
        self._lost = ""
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="labelmill-lease", daemon=True)

    @classmethod
    def take(cls, store: ObjectStore, key: str) -> Self:
        """Take the lease.

        Raises
        ------
        StorageError
            If somebody holds it: says who, since when and until when. Also if the store does not keep the condition
            of a conditional write, because then nothing is safe there.
        """
        lease = cls(store, key)
        lease._acquire()
        lease._keeper.start()
        return lease

    @classmethod
    def is_held(cls, store: ObjectStore, key: str) -> bool:
        """Whether somebody holds it at the moment; changes nothing."""
        found = cls(store, key)._look()
        return found is not None and found[0].expires > time.time()

    def check(self) -> None:
        """Raise StorageError if the lease has been lost. Asks nobody."""
        if not self._lost and time.monotonic() >= self._valid_until:
            self._lost = f"it could not be renewed for {self.TTL:g} seconds"
        if self._lost:
            raise StorageError(
                f"{self._store.place(self._key)}: the right to write here was lost ({self._lost}): what this run "
                "published so far is kept and what it would write now might clash: run the same command again"
            )

    def release(self) -> None:
        """Let others write.

        Raises
        ------
        StorageError
            If it was lost before.
        """
        self._ended.set()
        self._keeper.join()
        self.check()
        found = self._look()
        if found is None or found[0].id != self._id:
            self._lost = _taken(found)
            self.check()
        self._store.delete(self._key)

    def _acquire(self) -> None:
        for _ in range(_TRIES):
            asked = time.monotonic()
            is_new = self._store.create(self._key, self._text())
            if is_new:
                self._check_conditions()
            found = self._look()
            if found is None:
                continue  # let go of just now
            record, stamp = found
            if record.id == self._id:
                self._valid_until = asked + self.TTL
                return
            if record.expires > time.time():
                raise StorageError(self._refusal(record))
            logger.warning("lease_taken_over place=%s host=%s pid=%s", self._store.uri, record.host, record.pid)
            if self._store.swap(self._key, self._text(), stamp) and not self._store.swaps_safely:
                # Another taker may put its own over ours: whose is there then, holds it.
                time.sleep(self.TTL / 30)
        raise StorageError(
            f"{self._store.uri}: others try to write there at the same moment: run the same command again in a minute"
        )

    def _check_conditions(self) -> None:
        """See that the store refuses to create what is there: some that speak S3 ignore the condition."""
        if self._store.create(self._key, self._text()):
            self._store.delete(self._key)
            raise StorageError(
                f"{self._store.uri}: this store ignores conditional writes (If-None-Match), so that two runs could "
                "overwrite each other: use a newer version of it, or another store"
            )

    def _keep(self) -> None:
        while not self._ended.wait(self.TTL / 3):
            try:
                self._renew()
            except StorageError as error:
                logger.warning("lease_not_renewed place=%s error=%s", self._store.uri, error)
            if self._lost:
                return

    def _renew(self) -> None:
        asked = time.monotonic()
        found = self._look()
        if found is not None and found[0].id == self._id and not self._store.swap(self._key, self._text(), found[1]):
            found = self._look()  # the answer to our own renewal may have been lost
        if found is None or found[0].id != self._id:
            self._lost = _taken(found)
        else:
            self._valid_until = asked + self.TTL

    def _look(self) -> tuple[_Record, str] | None:
        """What the object says now, and its stamp; None if there is none."""
        while True:
            status = self._store.stat(self._key)
            if status is None:
                return None
            with contextlib.suppress(Changed):
                content = self._store.read(self._key, stamp=status.stamp)
                if content is not None:
                    return self._parsed(content), status.stamp

    def _parsed(self, content: bytes) -> _Record:
        try:
            return _Record(**json.loads(content))
        except (ValueError, TypeError) as error:
            raise StorageError(
                f"{self._store.place(self._key)}: is no record of who writes: if nobody does, remove this object"
            ) from error

    def _text(self) -> bytes:
        record = _Record(self._id, socket.gethostname(), os.getpid(), self._acquired, time.time() + self.TTL)
        return (json.dumps(asdict(record)) + "\n").encode()

    def _refusal(self, record: _Record) -> str:
        until = _clock(record.expires)
        return (
            f"another labelmill is writing to {self._store.uri} (pid {record.pid} on {record.host}, since "
            f"{_clock(record.acquired)}, at least until {until}): wait for it to finish, or stop it; if it is dead "
            f"already, run the same command again after {until}"
        )


def _taken(found: tuple[_Record, str] | None) -> str:
    if found is None:
        return "its record was removed"
    return f"pid {found[0].pid} on {found[0].host} took over"


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S UTC")
