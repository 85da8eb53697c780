"""Events for webhooks: written with what they tell of, kept until somebody took them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from labelmill.domain.strict_json import dumps, loads
from labelmill.errors import UsageError
from labelmill.stores.database import audit_log
from labelmill.stores.database._checks import checked_text
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tables import outbox, projects, webhooks

__all__ = [
    "Event",
    "Webhook",
    "add_webhook",
    "dead_letters",
    "due",
    "enqueue",
    "list_webhooks",
    "mark_delivered",
    "mark_failed",
    "remove_webhook",
]

FIRST_WAIT_MS, LONGEST_WAIT_MS = 1_000, 3_600_000
ATTEMPTS = 20
"""After this many failures, over most of a day, an event is a dead letter."""

CLAIM_MS = 60_000
"""An event being sent is not given to another sender for so long."""


class Webhook(NamedTuple):
    """Where events go; `secret` signs them and is shown once, when the webhook is made."""

    id: str
    url: str
    events: tuple[str, ...]
    secret: str = ""


class Event(NamedTuple):
    """One event to be sent; `id` is the same at each attempt, so that receivers can tell repeats."""

    id: str
    event: str
    body: Mapping[str, Any]
    url: str
    secret: str
    attempts: int
    error: str | None


def add_webhook(
    database: Database, project: Project, url: str, events: Sequence[str] = ("*",), *, actor: str = ""
) -> Webhook:
    """Send events to an address from now on; `"vote.*"` means all that begin so."""
    checked_text("url", url, longest=2_000)
    if not url.startswith(("https://", "http://")):
        raise UsageError(f"a webhook's address begins with https:// or http://, found {url!r}")
    made, now = Webhook(database.ids(), url, tuple(events), secrets.token_urlsafe(32)), database.clock()
    row = {
        "public_id": made.id,
        "project_id": project.id,
        "url": url,
        "secret": made.secret,
        "events": dumps(list(events)),
        "created_at": now,
    }

    def work(connection: sa.Connection) -> Webhook:
        connection.execute(sa.insert(webhooks), row)
        _count(connection, project, 1)
        audit_log.append(connection, now, actor, "webhook.add", {"url": url}, project=project.id)
        return made

    return database.write(work)


def remove_webhook(database: Database, project: Project, webhook: str, *, actor: str = "") -> None:
    """Send nothing more there; what waits for it is dropped."""

    def work(connection: sa.Connection) -> None:
        gone = sa.delete(webhooks).where(webhooks.c.project_id == project.id, webhooks.c.public_id == webhook)
        if not connection.execute(gone).rowcount:
            raise UsageError(f"the project has no webhook {webhook!r}")
        _count(connection, project, -1)
        audit_log.append(
            connection, database.clock(), actor, "webhook.remove", {"webhook": webhook}, project=project.id
        )

    database.write(work)


def list_webhooks(database: Database, project: Project) -> list[Webhook]:
    """The project's webhooks, without their secrets."""
    query = sa.select(webhooks).where(webhooks.c.project_id == project.id).order_by(webhooks.c.id)
    with database.read() as connection:
        return [Webhook(row.public_id, row.url, tuple(loads(row.events))) for row in connection.execute(query)]


def enqueue(connection: sa.Connection, database: Database, project: int, event: str, body: Mapping[str, Any]) -> None:
    """Write an event for each webhook that wants it, in the transaction that makes it true."""
    now, text = database.clock(), dumps(dict(body))
    wanted = connection.execute(sa.select(webhooks.c.id, webhooks.c.events).where(webhooks.c.project_id == project))
    rows = [
        {
            "public_id": database.ids(),
            "project_id": project,
            "webhook_id": row.id,
            "event": event,
            "body": text,
            "at": now,
            "due_at": now,
        }
        for row in wanted
        if any(_matches(pattern, event) for pattern in loads(row.events))
    ]
    if rows:
        connection.execute(sa.insert(outbox), rows)


def due(database: Database, *, limit: int = 100) -> list[Event]:
    """Events to be sent now, in order; for a minute no other sender gets them."""
    now = database.clock()

    def work(connection: sa.Connection) -> list[Event]:
        query = (
            sa.select(outbox, webhooks.c.url, webhooks.c.secret)
            .join(webhooks, webhooks.c.id == outbox.c.webhook_id)
            .where(outbox.c.due_at <= now, sa.text("outbox.state = 'waiting'"))
            .order_by(outbox.c.id)
            .limit(limit)
            .with_for_update(of=outbox, skip_locked=True)
        )
        rows = connection.execute(query).all()
        claimed = sa.update(outbox).where(outbox.c.id.in_([row.id for row in rows]))
        connection.execute(claimed.values(due_at=now + CLAIM_MS))
        return [_event(row) for row in rows]

    return database.write(work)


def mark_delivered(database: Database, event: str) -> None:
    """Somebody took it."""
    change = sa.update(outbox).where(outbox.c.public_id == event).values(state="delivered", error=None)
    database.write(lambda connection: connection.execute(change).rowcount)


def mark_failed(database: Database, event: str, error: str) -> None:
    """Try again later, each time after twice as long; a dead letter in the end."""
    now = database.clock()

    def work(connection: sa.Connection) -> None:
        row = connection.execute(
            sa.select(outbox.c.id, outbox.c.attempts).where(outbox.c.public_id == event).with_for_update()
        ).first()
        if row is None:
            return
        attempts = row.attempts + 1
        wait = min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** min(attempts, 20))
        state = "dead" if attempts >= ATTEMPTS else "waiting"
        change = sa.update(outbox).where(outbox.c.id == row.id)
        connection.execute(change.values(attempts=attempts, state=state, error=error[:500], due_at=now + wait))

    database.write(work)


def dead_letters(database: Database, project: Project, *, limit: int = 100) -> list[Event]:
    """Events that nobody would take, newest first."""
    query = (
        sa.select(outbox, webhooks.c.url, webhooks.c.secret)
        .join(webhooks, webhooks.c.id == outbox.c.webhook_id)
        .where(outbox.c.project_id == project.id, outbox.c.state == "dead")
        .order_by(outbox.c.id.desc())
        .limit(limit)
    )
    with database.read() as connection:
        return [_event(row)._replace(secret="") for row in connection.execute(query)]


def _event(row: sa.Row[Any]) -> Event:
    return Event(row.public_id, row.event, loads(row.body), row.url, row.secret, row.attempts, row.error)


def _matches(pattern: str, event: str) -> bool:
    return event.startswith(pattern[:-1]) if pattern.endswith("*") else event == pattern


def _count(connection: sa.Connection, project: Project, n: int) -> None:
    change = sa.update(projects).where(projects.c.id == project.id)
    connection.execute(change.values(n_webhooks=projects.c.n_webhooks + n))
