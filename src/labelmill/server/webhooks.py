"""Sends what waits in the outbox: at least once, signed, each event under the same id at every attempt."""

from __future__ import annotations

import hashlib
import hmac
import logging
import threading
from collections.abc import Callable
from typing import Any

from labelmill.domain.strict_json import dumps
from labelmill.errors import LabelmillError
from labelmill.fetch import fetch
from labelmill.stores.database.connect import Database
from labelmill.stores.database.outbox import Event, due, mark_delivered, mark_failed

__all__ = ["Sender", "send_due", "signature_of"]

logger = logging.getLogger(__name__)

SECONDS = 10.0


def signature_of(secret: str, at: int, body: bytes) -> str:
    """HMAC-SHA256 over the time and the body; receivers refuse what is older than five minutes."""
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def send_due(database: Database, *, ask: Callable[..., Any] = fetch) -> int:
    """Send what is due; how many were taken."""
    taken = 0
    for event in due(database):
        try:
            status = _send(event, database.clock() // 1000, ask)
        except LabelmillError as error:
            mark_failed(database, event.id, str(error))
            continue
        if 200 <= status < 300:
            mark_delivered(database, event.id)
            taken += 1
        else:
            mark_failed(database, event.id, f"HTTP {status}")
    return taken


def _send(event: Event, at: int, ask: Callable[..., Any]) -> int:
    body = dumps({"id": event.id, "event": event.event, "data": dict(event.body)}).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Labelmill-Event": event.id,
        "X-Labelmill-Time": str(at),
        "X-Labelmill-Signature": signature_of(event.secret, at, body),
    }
    return int(ask(event.url, method="POST", headers=headers, body=body, seconds=SECONDS, most_bytes=100_000).status)


class Sender:
    """Looks into the outbox again and again, in a thread, while the block runs."""

    def __init__(self, database: Database, *, every: float = 2.0) -> None:
        self._database, self._every = database, every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="labelmill-webhooks", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            try:
                send_due(self._database)
            except LabelmillError as error:
                logger.warning("webhooks.failed", extra={"facts": {"error": str(error)[:500]}})
