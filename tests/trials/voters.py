"""Annotators who ask a server over HTTP, go on when it comes back, and remember what it has acknowledged."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from labelmill.client import Client
from labelmill.errors import StorageError

__all__ = ["Voter"]

SAFE = {"stored", "repeated", "late"}


@dataclass
class Voter:
    """One annotator, in a thread.

    Parameters
    ----------
    sent : dict
        Key -> value of all that was ever sent.
    acknowledged : dict
        Key -> what the server said about it.
    """

    url: str
    token: str
    project: str
    is_over: threading.Event
    sent: dict[str, str] = field(default_factory=dict)
    acknowledged: dict[str, str] = field(default_factory=dict)
    errors: list[BaseException] = field(default_factory=list)
    pending: dict[str, Any] | None = None

    def start(self) -> threading.Thread:
        """Label in a thread until it is over."""
        thread = threading.Thread(target=self._run)
        thread.start()
        return thread

    def _run(self) -> None:
        try:
            with Client(self.url, token=self.token, timeout=20) as client:
                while not self.is_over.is_set():
                    self._label(client)
                if self.pending:
                    self._send(client, self.pending)
        except BaseException as error:  # noqa: BLE001 -- the test raises it
            self.errors.append(error)

    def _label(self, client: Client) -> None:
        try:
            if self.pending:
                self._send(client, self.pending)
            for task in client.next(self.project, 2)["tasks"]:
                value = uuid.uuid4().hex
                vote = {"key": str(uuid.uuid4()), "assignment": task["assignment"], "item": task["item"]}
                self._send(client, vote | {"value": value})
        except StorageError:  # it was killed: what was sent without an answer is sent again
            self.is_over.wait(0.05)

    def _send(self, client: Client, vote: dict[str, Any]) -> None:
        self.pending = vote
        self.sent[vote["key"]] = vote["value"]
        (result,) = client.submit(self.project, [vote])
        assert result["status"] in SAFE, result
        self.acknowledged[vote["key"]] = result["status"]
        self.pending = None
