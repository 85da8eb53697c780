"""A server that runs until it is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from labelmill.errors import StorageError
from labelmill.server.protocol import MOST_AHEAD, http_protocol

__all__ = ["STOP_SECONDS", "listen", "run_until_stopped"]

STOP_SECONDS = 10
"""Requests under way may end; what is acknowledged is on the disk anyhow."""


def listen(host: str, port: int) -> socket.socket:
    """The address, taken: a server that cannot have it says so before any work is done.

    Raises
    ------
    StorageError
        If another program has it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError as error:
        taken.close()
        raise StorageError(f"cannot listen on {host}:{port}: {error.strerror}; name another port: --port N") from error
    return taken


def run_until_stopped(app: FastAPI, address: socket.socket, *, started: Callable[[], None]) -> None:
    """Serve; SIGTERM or Ctrl-C ends it within `STOP_SECONDS`.

    Parameters
    ----------
    started : callable
        Called once the server answers.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        http=http_protocol(),
        ws="none",
        timeout_keep_alive=30,
        timeout_graceful_shutdown=STOP_SECONDS,
        limit_concurrency=1_000,
        h11_max_incomplete_event_size=MOST_AHEAD,
    )
    _Server(config, started).run(sockets=[address])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        if self.started:
            self._tell()
