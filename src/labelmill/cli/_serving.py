"""A project's server, from its queue to its last request; `serve` and `demo --serve` share it."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import sys
import threading
import webbrowser
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

import click

from labelmill.errors import LabelmillError, UsageError

if TYPE_CHECKING:
    from labelmill.pipeline.workspace import Workspace
    from labelmill.stores.database.connect import Database
    from labelmill.stores.database.projects import Project

__all__ = ["Serving", "is_local", "log_requests", "serve_project"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Serving:
    """How a project is served.

    Parameters
    ----------
    host, port : str, int
    database : str, optional
        Another than the project's.
    allow_hosts : sequence of str
        More names that the server answers to.
    count : int, optional
        Items in the queue at most.
    refill_minutes : float
        How often the queue is ordered anew by what people have said; 0 for never.
    opens_browser : bool
    logs : bool
        Whether each request is logged.
    """

    host: str = "127.0.0.1"
    port: int = 8321
    database: str | None = None
    allow_hosts: Sequence[str] = ()
    count: int | None = None
    refill_minutes: float = 10.0
    opens_browser: bool = True
    logs: bool = False


def serve_project(workspace: Workspace, serving: Serving) -> None:
    """Fill the queue and answer until stopped."""
    from labelmill.pipeline.people import database_of, fill_queue, open_project, settings_to_take_over
    from labelmill.server.running import listen
    from labelmill.server.webhooks import Sender
    from labelmill.stores.database.connect import open_database

    address = database_of(workspace, serving.database)
    with listen(serving.host, serving.port) as taken, open_database(address) as database:
        _refuse_open_door(database, serving.host)
        taken_over = settings_to_take_over(workspace, database)
        if taken_over:
            click.echo(f"labelmill.toml has changed since it was last served: {', '.join(taken_over)}.", err=True)
        project = open_project(workspace, database, address)
        click.echo("Choosing what to ask ...", err=True)
        queued = fill_queue(workspace, database, project, count=serving.count)
        n_waiting = queued.label.added + queued.label.updated
        click.echo(queued.stopped or f"{n_waiting:,} items wait for people.", err=True)
        with _Refilling(workspace, str(address), serving), Sender(database):
            _run(workspace, database, project, serving, taken)


def _run(workspace: Workspace, database: Database, project: Project, serving: Serving, taken: object) -> None:
    import socket
    from dataclasses import replace

    from labelmill.server.app import create_app
    from labelmill.server.running import run_until_stopped
    from labelmill.server.settings import settings_from

    assert isinstance(taken, socket.socket)  # noqa: S101 -- `listen` made it
    settings = settings_from(
        os.environ,
        host=serving.host,
        folders={project.public_id: workspace.project.folder.resolve()},
        cache=workspace.project.folder / ".labelmill" / "media",
    )
    settings = replace(settings, hosts=settings.hosts | {name.lower() for name in serving.allow_hosts})
    log_requests(logs=serving.logs)
    port = taken.getsockname()[1]
    shown = f"[{serving.host}]" if ":" in serving.host else serving.host
    link = _first_link(database, f"http://{shown}:{port}")
    with contextlib.suppress(KeyboardInterrupt):  # the server has stopped by then; uvicorn passes the signal on
        run_until_stopped(create_app(database, settings), taken, started=lambda: _tell(link, serving))
    click.echo("Stopped; all answers are kept. See them in the result: labelmill aggregate", err=True)


def _refuse_open_door(database: Database, host: str) -> None:
    """Whoever comes first at a public address must not become its admin."""
    from labelmill.stores.database.accounts import has_admin

    if not is_local(host) and not has_admin(database):
        raise UsageError(
            f"there is no admin yet, and others can reach {host}: start it once on this machine alone (without "
            "--host), set up the first account, then again with --host"
        )


def is_local(host: str) -> bool:
    """Whether nobody but this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _first_link(database: Database, root: str) -> str:
    """Where to go: the set-up page, as long as there is no admin."""
    from labelmill.stores.database.accounts import create_link, has_admin

    return f"{root}/" if has_admin(database) else f"{root}/set-up/{create_link(database, 'setup', valid_days=1)}"


def _tell(link: str, serving: Serving) -> None:
    what = "Set up the first account (once, within a day)" if "/set-up/" in link else "Open"
    click.echo(f"{what}: {link}\nStop with Ctrl-C.", err=True)
    if serving.opens_browser and _has_screen():
        webbrowser.open(link)


def _has_screen() -> bool:
    has_display = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return (sys.platform in {"darwin", "win32"} or has_display) and sys.stderr.isatty()


def log_requests(*, logs: bool) -> None:
    """What the server says of itself, on standard error; each request only if asked for."""
    from labelmill.server.logs import JsonLines

    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    ours = logging.getLogger("labelmill")
    ours.handlers = [handler]
    ours.setLevel(logging.INFO if logs else logging.WARNING)


class _Refilling:
    """Orders the queue anew while people work, in a process of its own."""

    def __init__(self, workspace: Workspace, address: str, serving: Serving) -> None:
        self._folder, self._address, self._serving = workspace.project.folder, address, serving
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="labelmill-refill", daemon=True)

    def __enter__(self) -> None:
        if self._serving.refill_minutes > 0:
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        from labelmill.pipeline.people import refill

        while not self._stop.wait(self._serving.refill_minutes * 60):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as beside:
                try:
                    beside.submit(refill, self._folder, self._address, self._serving.count).result()
                except (LabelmillError, OSError) as error:
                    logger.warning("refill.failed", extra={"facts": {"error": str(error)[:500]}})
