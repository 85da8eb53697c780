from __future__ import annotations

import itertools
import json
import re
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from fastapi.routing import APIRoute
from tests.server.office import Office

from labelmill.client import Client
from labelmill.server.app import create_app, routes_of
from labelmill.server.auth import GuardedRoute, access, rule_of
from labelmill.server.security import HEADERS
from labelmill.stores.database.connect import open_database
from labelmill.stores.database.projects import Project

ROLES = ("nobody", "outsider", "annotator", "machine", "lead", "admin")

LEVELS = {
    "public": set(ROLES),
    "signed_in": set(ROLES) - {"nobody"},
    "annotator": {"annotator", "machine", "lead", "admin"},
    "machine": {"machine", "lead", "admin"},
    "lead": {"lead", "admin"},
    "admin": {"admin"},
    "server_admin": set[str](),
}
"""Who passes the door of each level; a server admin of no project is tested apart."""


class Door(NamedTuple):
    """One route and method."""

    method: str
    path: str
    level: str
    scope: str


def _doors() -> list[Door]:
    with open_database(_scratch()) as database:
        app = create_app(database)
        found = [
            Door(method, route.path, rule_of(route.endpoint).level, rule_of(route.endpoint).scope)
            for route in routes_of(app)
            if isinstance(route, APIRoute)
            for method in sorted(route.methods or ())
        ]
    return sorted(found)


def _scratch() -> str:
    import tempfile

    return f"{tempfile.mkdtemp()}/people.db"


DOORS = _doors()


def _address(path: str, project: str) -> str:
    return re.sub(r"\{[a-z_:]+\}", "x", path.replace("{project}", project))


def _knock(client: Any, door: Door, project: str) -> Any:
    headers = {"Content-Type": "application/json", "X-Labelmill": "1"}
    body = None if door.method in {"GET", "HEAD"} else b"{"
    return client.request(door.method, _address(door.path, project), content=body, headers=headers)


def _has_policy(answer: Any) -> bool:
    return bool(answer.headers["content-security-policy"].startswith("default-src 'none'"))


@pytest.fixture(scope="module")
def building(office: Office) -> tuple[Office, Project, dict[str, Any]]:
    """A project, and somebody of each role with a client."""
    project, elsewhere = office.project("here", ["a"]), office.project("elsewhere")
    clients: dict[str, Any] = {role: office.newcomer(project, role, role)._http for role in ROLES[2:]}
    clients["outsider"] = office.newcomer(elsewhere, "admin", "outsider")._http
    clients["nobody"] = office.bare()
    return office, project, clients


def test_every_route_is_known() -> None:
    """The table of doors holds the API: if this shrinks, the tests below test nothing."""
    assert len(DOORS) > 30
    assert ("POST", "/api/projects/{project}/votes", "annotator", "annotate") in DOORS


@pytest.mark.parametrize("role", ROLES)
def test_every_route_lets_in_whom_it_names(building: tuple[Office, Project, dict[str, Any]], role: str) -> None:
    """For each route: who may enter gets past the door, nobody else does, and a broken body is not looked at before.

    Every answer has the security policy and its companions.
    """
    _, project, clients = building
    wrong = []
    for door in DOORS:
        answer = _knock(clients[role], door, project.public_id)
        lacks = [name for name in HEADERS if name not in answer.headers]
        if lacks or "server" in answer.headers or not _has_policy(answer):
            wrong.append((door, answer.status_code, f"lacks {lacks}"))
        is_let_in = answer.status_code not in {401, 403} and not (
            role == "outsider" and "{project}" in door.path and answer.status_code == 404
        )
        if door.path == "/metrics":
            continue
        expected = role in LEVELS[door.level]
        if is_let_in != expected or answer.status_code >= 500:
            wrong.append((door, answer.status_code, answer.text[:80]))

    assert wrong == []


def test_refusals_say_which(building: tuple[Office, Project, dict[str, Any]]) -> None:
    """Nobody gets 401, a stranger 404 as for a project that is not there, a member without the role 403."""
    _, project, clients = building
    path = f"/api/projects/{project.public_id}/people"

    assert clients["nobody"].get(path).status_code == 401
    assert clients["annotator"].get(path).status_code == 403
    foreign, absent = clients["outsider"].get(path), clients["outsider"].get("/api/projects/nowhere/people")
    assert (foreign.status_code, foreign.text) == (404, absent.text)


@pytest.mark.parametrize("path", ["/nope", "/api/nope", "/static/../../etc/passwd", "/p/x", "/api/projects/"])
def test_headers_are_on_what_is_not_there(office: Office, path: str) -> None:
    """Answers to unknown addresses have the headers too."""
    answer = office.bare().get(path)

    assert answer.status_code == 404
    assert [name for name in HEADERS if name not in answer.headers] == []


def test_a_route_without_a_rule_cannot_be_built() -> None:
    """Whoever forgets to say who may call a route finds out when the server is built."""
    from fastapi import APIRouter

    router = APIRouter(route_class=GuardedRoute)

    with pytest.raises(TypeError, match="does not say who may call it"):
        router.get("/open")(lambda: None)


def test_every_route_is_guarded() -> None:
    """No router was made without the guard."""
    with open_database(_scratch()) as database:
        assert {type(route) for route in routes_of(create_app(database))} == {GuardedRoute}


@pytest.mark.parametrize("scope", ["read", "annotate", "work", "admin"])
def test_tokens_open_what_their_scope_names(office: Office, scope: str) -> None:
    """With one scope, a project admin's token passes the doors of that scope, and no others."""
    project = office.project("scoped", ["a"])
    client = office.client(office.member(project, "admin", f"admin {scope}"), [scope])._http
    wrong = []
    for door in DOORS:
        if door.level in {"public", "server_admin"}:
            continue
        status = _knock(client, door, project.public_id).status_code
        if (status != 403) != (door.scope == scope) and not (door.path == "/api/tokens" and door.method == "POST"):
            wrong.append((door, status))

    assert wrong == []


def test_project_bound_token_opens_that_project_alone(office: Office) -> None:
    """A token for one project does not show that its owner has others."""
    from tests.server.office import set_role

    here, there = office.project("here", ["a"]), office.project("there", ["b"])
    user = office.member(here, "annotator", "bound")
    set_role(office.database, there, user, "annotator")
    client = office.client(user, project=here)

    assert [one["project"] for one in client.projects()] == [here.public_id]
    assert list(client.me()["role_by_project"]) == [here.public_id]
    assert client._http.get(f"/api/projects/{there.public_id}").status_code == 404


def test_a_token_makes_no_tokens(office: Office) -> None:
    """Only somebody who knows the password makes tokens."""
    client = office.newcomer(office.project("t"), "admin", "token maker")

    answer = client._http.post("/api/tokens", json={"name": "more", "scopes": ["admin"]})

    assert answer.status_code == 403


CROSS = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Content-Type": "text/plain"},
    {"Content-Type": "application/x-www-form-urlencoded"},
    {"Content-Type": ""},
    {"X-Labelmill": ""},
]


@pytest.mark.parametrize("headers", CROSS, ids=str)
def test_other_sites_change_nothing(office: Office, headers: dict[str, str]) -> None:
    """With somebody's cookie or token, a request that another site could have made is refused before any route."""
    project = office.project("csrf", ["a"])
    client = office.newcomer(project, name=f"victim {uuid.uuid4()}")
    sent = {"Content-Type": "application/json", "X-Labelmill": "1", **headers}

    answer = client._http.post(f"/api/projects/{project.public_id}/next", content=b'{"n":1}', headers=sent)

    assert answer.status_code in {403, 415}
    assert len(client.next(project.public_id)["tasks"]) == 1


def test_own_page_may_ask(office: Office) -> None:
    """A request of the app's own page passes."""
    project = office.project("own", ["a"])
    client = office.newcomer(project, name="own page")
    headers = {"Origin": office.url, "Sec-Fetch-Site": "same-origin"}

    answer = client._http.post(f"/api/projects/{project.public_id}/next", json={"n": 1}, headers=headers)

    assert answer.status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "", "[::1"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS", "HEAD"])
def test_other_names_are_not_answered(office: Office, host: str, method: str) -> None:
    """A name elsewhere that leads to this machine gets nothing, whatever the method."""
    assert office.bare().request(method, "/healthz", headers={"Host": host}).status_code in {400, 421}


def test_large_bodies_are_refused(office: Office) -> None:
    """A body over the limit is refused by what it says it is, and by what comes."""
    headers = {"Content-Type": "application/json", "X-Labelmill": "1"}
    told = office.bare().post("/api/sign-in", content=b"x" * 8_000_001, headers=headers)

    def pieces() -> Iterator[bytes]:
        yield from itertools.repeat(b"x" * 100_000, 90)

    untold = office.bare().post("/api/sign-in", content=pieces(), headers=headers)

    assert (told.status_code, untold.status_code) == (413, 413)


def test_many_headers_are_refused(office: Office) -> None:
    """Nobody needs a hundred headers."""
    headers = {f"X-{i}": "1" for i in range(120)}

    assert office.bare().get("/healthz", headers=headers).status_code == 431


def test_guessing_passwords_is_slowed(new_office: Office) -> None:
    """After some wrong passwords for an account its sign-in waits; unknown names are treated alike."""
    new_office.admin("root")
    client = new_office.bare(**{"X-Labelmill": "1"})
    tries = [client.post("/api/sign-in", json={"name": "root", "password": "guess"}) for _ in range(12)]
    unknown = client.post("/api/sign-in", json={"name": "nobody", "password": "guess"})

    assert [answer.status_code for answer in tries[:10]] == [401] * 10
    assert tries[-1].status_code == 429
    assert int(tries[-1].headers["retry-after"]) > 0
    assert (unknown.status_code, unknown.json()["detail"]) == (401, tries[0].json()["detail"])


def test_cookie_is_kept_from_scripts_and_other_sites(new_office: Office) -> None:
    """The session's cookie is HttpOnly and SameSite=Strict, and new at each sign-in."""
    new_office.admin("root")
    client = new_office.bare(**{"X-Labelmill": "1"})
    form = {"name": "root", "password": "long enough"}
    first, second = (client.post("/api/sign-in", json=form).headers["set-cookie"] for _ in range(2))

    assert "HttpOnly" in first
    assert "samesite=strict" in first.lower()
    assert first.partition(";")[0] != second.partition(";")[0]


def test_metrics_hold_numbers_only(office: Office) -> None:
    """Routes are counted by their pattern; no id and no text is in the numbers."""
    project = office.project("counted", ["secret item"])
    client = office.newcomer(project, name="counted")
    client.next(project.public_id)

    text = office.bare().get("/metrics").text

    assert 'route="/api/projects/{project}/next",status="200"' in text
    assert project.public_id not in text
    assert "secret" not in text


def test_contract_is_told_with_examples(office: Office) -> None:
    """OpenAPI describes the votes with examples, closed."""
    described = office.newcomer(office.project("told"), name="reader")._http.get("/api/openapi.json").json()

    form = described["components"]["schemas"]["VoteForm"]
    assert form["additionalProperties"] is False
    assert "examples" in json.dumps(form)
    assert isinstance(Client, type)


def test_access_marks_a_function() -> None:
    """The rule of a route is what its mark says."""

    @access("lead", scope="annotate")
    def endpoint() -> None:
        """Do nothing."""

    assert rule_of(endpoint) == rule_of(endpoint)
    assert (rule_of(endpoint).level, rule_of(endpoint).scope) == ("lead", "annotate")
