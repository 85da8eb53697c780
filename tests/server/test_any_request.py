from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.server.office import running_office
from tests.server.requests_at_random import Operation, anything, operations, request_to

from labelmill.server.app import create_app
from labelmill.stores.database.connect import open_database


def _operations() -> list[Operation]:
    with tempfile.TemporaryDirectory() as folder, open_database(f"{folder}/people.db") as database:
        return operations(create_app(database))


OPERATIONS = _operations()
SLOW = {"/api/sign-in", "/api/set-up", "/api/invitations/accept"}
"""A password costs a tenth of a second each time."""


@pytest.fixture(scope="module", params=[pytest.param("sqlite", marks=pytest.mark.slow), "postgresql"])
def known(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """An admin's client, and what there is to be named in addresses; PostgreSQL refuses more than SQLite."""
    if request.param == "sqlite":
        address = str(
            shutil.copy(request.getfixturevalue("migrated_file"), tmp_path_factory.mktemp("random") / "people.db")
        )
    else:
        address = request.getfixturevalue("postgres").new_database("template_labelmill")
    with running_office(address) as office:
        project = office.project("at random", [f"i{i}" for i in range(200)])
        client = office.newcomer(project, "admin", "random")
        held = [task["assignment"] for task in client.next(project.public_id, 5)["tasks"]]
        named = {"project": [project.public_id], "assignment": held, "item": ["i1", "i2"]}
        yield {"client": client._http, "named": named}


def send(client: Any, operation: Operation, request: dict[str, Any]) -> Any:
    """The answer to a request."""
    path = operation.path
    for name, value in request["path"].items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    body = None if operation.method in {"GET", "HEAD"} else json.dumps(request["body"]).encode()
    headers = {"Content-Type": "application/json", "X-Labelmill": "1"}
    return client.request(operation.method, path, params=request["query"], content=body, headers=headers)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_no_request_breaks_the_server(
    operation: Operation, known: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    """Whatever is asked, as described or not, the server knows what to say: no 500, and problems are problem+json."""
    n = 500 if request.config.getoption("--slow") else (2 if operation.path in SLOW else 10)
    seen: Counter[int] = Counter()

    @settings(max_examples=n, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        made = data.draw(request_to(operation, known["named"]))
        answer = send(known["client"], operation, made)
        seen[answer.status_code] += 1
        assert answer.status_code < 500, (made, answer.text[:500])
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"

    ask()
    assert sum(seen.values()) > 0


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_no_body_breaks_the_server(known: dict[str, Any], method: str) -> None:
    """Bytes that are no JSON, JSON that is too deep, and JSON of any shape are refused, not fallen over."""
    path = f"/api/projects/{known['named']['project'][0]}/votes"
    headers = {"Content-Type": "application/json", "X-Labelmill": "1"}

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.binary(max_size=40) | anything().map(lambda value: json.dumps(value).encode()) | st.just(b"[" * 100_000))
    def ask(body: bytes) -> None:
        answer = known["client"].request(method, path, content=body, headers=headers)
        assert 400 <= answer.status_code < 500

    ask()


def test_the_description_is_whole() -> None:
    """The tests above walk what the API says of itself: if that shrinks, they test nothing."""
    assert len(OPERATIONS) > 30
    assert sum(operation.body is not None for operation in OPERATIONS) > 15
