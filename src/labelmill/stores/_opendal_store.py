"""Buckets of S3, Google Cloud Storage and Azure, and all that speak like them, through opendal."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from opendal import Operator  # noqa: TID253 -- this file is about it, and is imported for object stores only
from opendal import exceptions as failures  # noqa: TID253 -- likewise
from opendal.layers import RetryLayer, TimeoutLayer  # noqa: TID253 -- likewise

from labelmill.errors import StorageError
from labelmill.stores._environment import credentials_in_use, options
from labelmill.stores._object_store import Changed, ObjectStore, Status

__all__ = ["OpendalStore", "connect_objects"]

ATTEMPTS: Final = 5
"""How often a request that failed for the moment is sent in all."""

PATIENCE: Final = 5.0
"""Seconds until a small request (status, listing, removal, a document) counts as failed."""

TRANSFER_PATIENCE: Final = 45.0
"""Seconds until reading or writing an object (some megabytes) counts as failed."""

FIRST_DELAY: Final = 0.2
"""Seconds before a request is sent again; twice as many each time, with jitter."""

_SMALL: Final = 64 << 10
_CHUNK: Final = 64 << 20
_SERVICES: Final = {"s3": "s3", "gs": "gcs", "az": "azblob"}
_FAILURES: Final = (
    failures.AlreadyExists,
    failures.ConditionNotMatch,
    failures.ConfigInvalid,
    failures.Conflict,
    failures.Error,
    failures.IsADirectory,
    failures.NotADirectory,
    failures.NotFound,
    failures.PermissionDenied,
    failures.RangeNotSatisfied,
    failures.RateLimited,
    failures.Unexpected,
    failures.Unsupported,
)
_NOBODY_THERE: Final = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS to the path of a key file, or give the machine a service account",
    "az": "set AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN, or give the machine an identity",
}


def connect_objects(scheme: str, bucket: str, prefix: str) -> OpendalStore:
    """The objects under a prefix; connections are kept for the life of the process."""
    chosen = tuple(sorted(options(scheme, bucket).items()))
    return _connect(scheme, bucket, prefix, chosen, credentials_in_use(scheme))


@lru_cache(maxsize=16)
def _connect(
    scheme: str,
    bucket: str,
    prefix: str,
    chosen: tuple[tuple[str, str], ...],
    credentials: tuple[str | None, ...],  # noqa: ARG001 -- another key, another connection
) -> OpendalStore:
    uri = f"{scheme}://{bucket}/{prefix}".rstrip("/")
    with _failures(scheme, uri, "open"):
        return OpendalStore(scheme, uri, Operator(_SERVICES[scheme], root=f"/{prefix}", **dict(chosen)))


class OpendalStore(ObjectStore):
    """Objects under one prefix of a bucket.

    Parameters
    ----------
    scheme : {"s3", "gs", "az"}
    uri : str
    operator : opendal.Operator
        Its root is the prefix.
    """

    def __init__(self, scheme: str, uri: str, operator: Operator) -> None:
        self._scheme = scheme
        self._uri = uri
        self.swaps_safely = operator.capability().write_with_if_match
        # Time limits lie inside the retries: a request that hangs fails, and is sent again.
        retry = RetryLayer(max_times=ATTEMPTS - 1, min_delay=FIRST_DELAY, max_delay=5.0, jitter=True)
        self._small = operator.layer(TimeoutLayer(timeout=PATIENCE, io_timeout=PATIENCE)).layer(retry)
        self._large = operator.layer(TimeoutLayer(timeout=PATIENCE, io_timeout=TRANSFER_PATIENCE)).layer(retry)
        self._listing = self._small.to_async_operator()
        self._is_reached = False
        self._reaching = threading.Lock()

    @property
    def uri(self) -> str:
        """Where the prefix lies."""
        return self._uri

    def place(self, key: str) -> str:
        """Where an object lies, for messages."""
        return f"{self._uri}/{key}" if key else self._uri

    def read(self, key: str, *, start: int = 0, size: int | None = None, stamp: str | None = None) -> bytes | None:
        """An object or a part of it; None if there is none."""
        with self._doing("read", key):
            try:
                return bytes(self._large.read(key, offset=start or None, size=size, if_match=stamp))
            except failures.NotFound:
                return None
            except failures.ConditionNotMatch as error:
                raise Changed(key) from error

    def stat(self, key: str) -> Status | None:
        """Size and stamp of an object; None if there is none."""
        with self._doing("read", key):
            try:
                found = self._small.stat(key)
            except failures.NotFound:
                return None
        return Status(found.content_length, found.etag or f"{found.last_modified}")

    def put(self, key: str, data: bytes) -> None:
        """Put an object there, in place of one that is there; whole or not at all."""
        with self._doing("write", key):
            self._sized(data).write(key, data)

    def upload(self, key: str, source: Path) -> None:
        """Put a file there like `put`, without holding all of it in memory."""
        if source.stat().st_size <= _CHUNK:
            self.put(key, source.read_bytes())
            return
        with self._doing("write", key), source.open("rb") as file, self._large.open(key, "wb", chunk=_CHUNK) as target:
            shutil.copyfileobj(file, target, _CHUNK)

    def create(self, key: str, data: bytes) -> bool:
        """Put an object there if there is none."""
        with self._doing("write", key):
            return self._written(key, data, if_not_exists=True)

    def swap(self, key: str, data: bytes, stamp: str) -> bool:
        """Put an object in place of the one with the stamp; False if that is not there any more."""
        if self.swaps_safely and self._swapped(key, data, stamp):
            return True
        now = self.stat(key)
        if now is None or now.stamp != stamp:
            return False
        self.swaps_safely = False  # it refused a condition that holds: older Ceph gateways do
        self.put(key, data)
        return True

    def _swapped(self, key: str, data: bytes, stamp: str) -> bool:
        with self._doing("write", key):
            try:
                return self._written(key, data, if_match=stamp)
            except failures.NotFound:
                return False

    def names(self, folder: str) -> Iterator[str]:
        """Names directly under a key, by one listing."""
        root = f"{folder}/"
        with self._doing("list", folder):
            paths = _awaited(self._paths(root))
        return (path.removeprefix(root).rstrip("/") for path in paths if path != root)  # some name the folder itself

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens if there is none."""
        with self._doing("delete", key):
            self._small.delete(key)

    def delete_folder(self, key: str) -> None:
        """Remove all objects under a key."""
        with self._doing("delete", key):
            self._large.delete(f"{key}/", recursive=True)

    def sweep(self, older_than: float) -> int:  # noqa: ARG002 -- the protocol's
        """Nothing: an object is there whole or not at all."""
        return 0

    def _sized(self, data: bytes) -> Operator:
        """What writes it: of a lease or a document one must soon know that it failed."""
        return self._small if len(data) <= _SMALL else self._large

    def _written(
        self, key: str, data: bytes, *, if_not_exists: bool | None = None, if_match: str | None = None
    ) -> bool:
        for attempt in range(ATTEMPTS):
            try:
                self._sized(data).write(key, data, if_not_exists=if_not_exists, if_match=if_match)
            except (failures.ConditionNotMatch, failures.AlreadyExists):
                return False
            except (failures.Conflict, failures.Unexpected) as error:
                # Two conditional writes at once: S3 refuses one without looking at its condition, to be sent again.
                if "ConditionalRequestConflict" not in str(error) or attempt == ATTEMPTS - 1:
                    raise
                time.sleep(0.1 * 2**attempt)
            else:
                return True
        return False

    @contextlib.contextmanager
    def _doing(self, what: str, key: str) -> Iterator[None]:
        self._reach()
        with _failures(self._scheme, self.place(key), what):
            yield

    def _reach(self) -> None:
        """Before anything else, ask for one name: a status cannot tell a missing object from a missing bucket."""
        if self._is_reached:
            return
        with self._reaching, _failures(self._scheme, self._uri, "open"):
            if not self._is_reached:
                _awaited(self._paths("", most=1))
                self._is_reached = True

    async def _paths(self, root: str, most: int | None = None) -> list[str]:
        # The plain form of this one call holds the interpreter's lock while it waits for the store.
        paths: list[str] = []
        async for entry in await self._listing.list(root, limit=most):
            paths.append(entry.path)
            if most is not None and len(paths) >= most:
                break
        return paths


def _awaited(work: Coroutine[Any, Any, list[str]]) -> list[str]:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as aside:  # a notebook's thread has a loop of its own
        return aside.submit(asyncio.run, work).result()


@contextlib.contextmanager
def _failures(scheme: str, place: str, doing: str) -> Iterator[None]:
    try:
        yield
    except _FAILURES as error:
        raise StorageError(f"{place}: cannot {doing}: {_advice(scheme, error)}") from error


def _advice(scheme: str, error: Exception) -> str:
    """Cause and cure. opendal's texts hold addresses and answers at length: only what helps is passed on."""
    text = str(error).partition("Backtrace:")[0]
    code = next(iter(re.findall(r'code: "(\w+)"|<Code>(\w+)</Code>', text)), ("", ""))
    said = code[0] or code[1] or type(error).__name__
    status = next(iter(re.findall(r"status: (\d+)", text)), "")
    if "signing" in text or "credential" in text.lower():
        return f"no credentials were found: {_NOBODY_THERE[scheme]}"
    if "timeout" in text.splitlines()[0]:
        return f"no answer, {ATTEMPTS} times: are the network and the endpoint{_endpoint(text)} right? Try again later"
    if "send http request" in text.splitlines()[0]:
        where = _endpoint(text).strip() or "the store"
        return f"{where} cannot be reached ({_root_cause(text)}): check the network and the endpoint"
    if isinstance(error, (failures.NotFound, failures.ConfigInvalid)):
        return f"there is no such bucket ({said}){_endpoint(text)}: create it, or mend the URI"
    if said in {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"}:
        return f"the store does not take these credentials ({said}): {_NOBODY_THERE[scheme]}"
    if isinstance(error, failures.PermissionDenied):
        return f"no permission ({said}): the credentials need the right to list, read, write and delete below this URI"
    if isinstance(error, failures.Unsupported) or status == "501":
        return f"this store cannot do what is needed ({said}): it must know conditional writes (If-None-Match)"
    if isinstance(error, failures.RateLimited) or status in {"429", "503"}:
        return f"the store is too busy ({said}), {ATTEMPTS} times: run the same command again later, with fewer workers"
    if status.startswith("5"):
        return f"the store failed (status {status}), {ATTEMPTS} times: run the same command again later"
    return f"{_root_cause(text)}, {ATTEMPTS} times: run the same command again"


def _endpoint(text: str) -> str:
    """The host that was asked, without path and query, which may hold secrets."""
    found = re.search(r"ur[il]: (https?://[^/?\s]+)", text)
    return f" {found[1]}" if found else ""


def _root_cause(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    source = lines[lines.index("Source:") + 1] if "Source:" in lines[:-1] else lines[0]
    return re.sub(r"https?://\S+", "", source.rpartition("error: ")[2]).strip()
