"""A running server with people, for the tests of what they ask of it."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import uvicorn
from fastapi import FastAPI
from tests.stores.database.people import add_person

from labelmill.client import Client
from labelmill.server.app import create_app
from labelmill.server.protocol import http_protocol
from labelmill.server.running import listen
from labelmill.server.settings import ServerSettings
from labelmill.stores.database.accounts import User, accept_link, create_link, list_members, set_role
from labelmill.stores.database.connect import Database, open_database
from labelmill.stores.database.projects import Project, create_project
from labelmill.stores.database.sessions import create_token
from labelmill.stores.database.tasks import NewTask, put_tasks

CHOICE = {
    "name": "spam",
    "classes": ["ham", "spam"],
    "kind": "choice",
    "modality": "text",
    "guidelines": "",
    "version": 1,
}

C = TypeVar("C", Client, httpx.Client)


@dataclass
class Office:
    """A server that runs, and a database that is open beside it."""

    database: Database
    url: str
    settings: ServerSettings
    clients: list[Client | httpx.Client] = field(default_factory=list)

    def project(self, name: str, items: Sequence[str] = (), *, schema: Any = None, **settings: Any) -> Project:
        """A project with items that wait."""
        made = create_project(
            self.database, f"{name} {uuid.uuid4()}", {"schema": {**CHOICE, **(schema or {})}, **settings}
        )
        self.put(made, items)
        return made

    def put(self, project: Project, items: Sequence[str], **options: Any) -> None:
        """Queue texts."""
        new = [
            NewTask(item, {"data": f"text of {item}", "facts": {}, "meta": {}}, priority=-float(i), **options)
            for i, item in enumerate(items)
        ]
        put_tasks(self.database, project, new)

    def member(self, project: Project, role: str, name: str) -> User:
        """Somebody with a role; they sign in by a token, as a password takes its time."""
        number = add_person(self.database, project, role, name)
        return next(one.user for one in list_members(self.database, project) if one.user.id == number)

    def client(self, user: User, scopes: Sequence[str] = ("read", "annotate", "work", "admin"), **rest: Any) -> Client:
        """That person's client."""
        token = create_token(self.database, user, "test", scopes, **rest)  # type: ignore[arg-type]  # checked there
        return self._kept(Client(self.url, token=token.secret))

    def newcomer(self, project: Project, role: str = "annotator", name: str = "ana") -> Client:
        """A new member's client."""
        return self.client(self.member(project, role, name))

    def bare(self, **headers: str) -> httpx.Client:
        """Somebody without anything."""
        return self._kept(httpx.Client(base_url=self.url, headers=headers))

    def stranger(self) -> Client:
        """A client of nobody."""
        return self._kept(Client(self.url))

    def _kept(self, client: C) -> C:
        self.clients.append(client)
        return client

    def admin(self, name: str = "root") -> User:
        """The first account."""
        return accept_link(self.database, create_link(self.database, "setup"), password="long enough", name=name)


@contextmanager
def running_office(address: str | Path, settings: ServerSettings | None = None) -> Iterator[Office]:
    """A server in a thread of this process, on a free port."""
    used = settings or ServerSettings(requests_per_second=10_000, burst=10_000)
    with open_database(address, allow_unsafe=True) as database, running_app(create_app(database, used)) as url:
        office = Office(database, url, used)
        try:
            yield office
        finally:
            for client in office.clients:
                client.close()


@contextmanager
def running_app(app: FastAPI) -> Iterator[str]:
    """The address of an app that runs in a thread of this process, on a free port."""
    with listen("127.0.0.1", 0) as taken:
        config = uvicorn.Config(
            app,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            ws="none",
            http=http_protocol(),
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
        thread.start()
        until = time.monotonic() + 20
        while not server.started and time.monotonic() < until:
            time.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{taken.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)


def spoken(client: Client, project: Project, value: Any = "spam", n: int = 1) -> list[dict[str, Any]]:
    """Answer the next tasks; the tasks."""
    given = list(client.next(project.public_id, n)["tasks"])
    for task in given:
        client.answer(project.public_id, task, value)
    return given


__all__ = ["CHOICE", "Office", "running_app", "running_office", "set_role", "spoken"]
