"""A server from Python: `Client("http://localhost:8321", token="lm_...")`.

The same API as the browser app uses. Each method is one request; what it returns is the JSON of the answer.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx  # noqa: TID253 -- this file is about it, and nobody imports it for anything else

from labelmill.errors import AccessError, ConflictError, FailedError, StorageError, UsageError

__all__ = ["Client"]


class Client:
    """A connection to a server.

    Parameters
    ----------
    url : str
        Where it is, e.g. "http://localhost:8321".
    token : str, optional
        A token that somebody made; or else `sign_in`.
    timeout : float
        Seconds for one answer.

    Raises
    ------
    AccessError
        By any method: nobody is signed in, or the role or token does not allow it.
    UsageError
        The request is wrong; names the field.
    ConflictError
        Somebody else was there first.
    StorageError
        The server cannot be reached, or cannot write: try again later.
    """

    def __init__(self, url: str, *, token: str | None = None, timeout: float = 30.0) -> None:
        headers = {"X-Labelmill": "1"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout)

    def sign_in(self, name: str, password: str) -> None:
        """Begin a session."""
        self._ask("POST", "/api/sign-in", {"name": name, "password": password})

    def sign_out(self) -> None:
        """End the session."""
        self._ask("POST", "/api/sign-out", {})

    def set_up(self, token: str, name: str, password: str) -> None:
        """Make the first account, by what the set-up link ends with; signed in afterwards."""
        self._ask("POST", "/api/set-up", {"token": token, "name": name, "password": password})

    def accept_invitation(self, token: str, name: str, password: str) -> None:
        """Make an account, by what an invitation's link ends with; signed in afterwards."""
        self._ask("POST", "/api/invitations/accept", {"token": token, "name": name, "password": password})

    def me(self) -> dict[str, Any]:
        """Who is signed in, and their role in each project."""
        return self._asked("GET", "/api/me")

    def projects(self) -> list[dict[str, Any]]:
        """My projects."""
        return list(self._asked("GET", "/api/projects")["projects"])

    def project(self, project: str) -> dict[str, Any]:
        """A project's question, settings and progress."""
        return self._asked("GET", _path(project))

    def next(self, project: str, n: int = 1, *, have: Sequence[str] = (), purpose: str = "label") -> dict[str, Any]:
        """Lease the next tasks: `tasks`, how many are `left`, and which of those held are `stale`."""
        form: dict[str, Any] = {"n": n, "have": list(have)}
        if purpose != "label":
            form["purpose"] = purpose
        return self._asked("POST", _path(project, "next"), form)

    def submit(self, project: str, votes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Send votes; one result for each. Sending the same again changes nothing."""
        return list(self._asked("POST", _path(project, "votes"), {"votes": [dict(v) for v in votes]})["results"])

    def answer(self, project: str, task: Mapping[str, Any], value: Any, **rest: Any) -> dict[str, Any]:
        """Answer one task of `next`; `rest` are further fields of a vote, such as `reason`."""
        vote = {
            "key": str(uuid.uuid4()),
            "assignment": task["assignment"],
            "item": task["item"],
            "value": value,
            "verdict": "blind" if task["blind"] else "ignored",
            **rest,
        }
        return self.submit(project, [vote])[0]

    def renew(self, project: str, assignments: Sequence[str]) -> list[str]:
        """Keep tasks for longer; those that still are mine."""
        return list(self._asked("POST", _path(project, "renew"), {"assignments": list(assignments)})["assignments"])

    def give_back(self, project: str, assignments: Sequence[str]) -> list[str]:
        """Leave tasks to others; those that went back."""
        return list(self._asked("POST", _path(project, "give-back"), {"assignments": list(assignments)})["assignments"])

    def keep_draft(self, project: str, assignment: str, value: Any) -> None:
        """Keep what is not finished; it comes back with the task."""
        self._ask("PUT", _path(project, "drafts", assignment), {"value": value})

    def items(self, project: str, *, state: str = "", limit: int = 200) -> Iterator[dict[str, Any]]:
        """All items that were put before people, page by page."""
        after: str | None = ""
        while after is not None:
            page = self._asked("GET", _path(project, "items"), params={"after": after, "limit": limit, "state": state})
            yield from page["items"]
            after = page["after"]

    def item(self, project: str, item: str) -> dict[str, Any]:
        """One item with all that was said about it; for leads."""
        return self._asked("GET", _path(project, "items", item))

    def done(self, project: str, *, limit: int = 20) -> list[dict[str, Any]]:
        """My last answers, newest first."""
        return list(self._asked("GET", _path(project, "done"), params={"limit": limit})["answers"])

    def invite(self, project: str, role: str) -> str:
        """A link by which somebody comes into a project; it works once."""
        return str(self._asked("POST", _path(project, "invitations"), {"role": role})["link"])

    def people(self, project: str) -> list[dict[str, Any]]:
        """Who belongs to a project; for leads."""
        return list(self._asked("GET", _path(project, "people"))["people"])

    def qualification(self, project: str) -> dict[str, Any]:
        """What is asked of annotators before real work and in it, and how each stands; for leads."""
        return self._asked("GET", _path(project, "qualification"))

    def qualify(self, project: str, annotator: str, state: str) -> None:
        """Let an annotator in ("qualified"), send them to training ("training") or hold them back ("paused")."""
        self._ask("POST", _path(project, "people", annotator, "qualification"), {"state": state})

    def dashboard(self, project: str) -> dict[str, Any]:
        """Progress, annotators, agreement; for leads."""
        return self._asked("GET", _path(project, "dashboard"))

    def settings(self, project: str) -> dict[str, Any]:
        """A project's settings with their `version`, which `change_settings` asks for; for leads."""
        return self._asked("GET", _path(project, "settings"))

    def change_settings(self, project: str, *, version: str, **settings: Any) -> dict[str, Any]:
        """Change some settings; ConflictError if they were changed since this version. For admins."""
        return self._asked("PUT", _path(project, "settings"), {"version": version, "settings": settings})

    def give_back_of(self, project: str, annotator: str) -> int:
        """Return what somebody holds unanswered to the queue; how many tasks. For leads."""
        return int(self._asked("POST", _path(project, "people", annotator, "give-back"), {})["n"])

    def create_token(self, name: str, scopes: Sequence[str], *, project: str | None = None, days: int = 90) -> str:
        """A token for a program; shown now and never again."""
        form = {"name": name, "scopes": list(scopes), "project": project, "days": days}
        return str(self._asked("POST", "/api/tokens", form)["token"])

    def fetch_media(self, address: str) -> bytes:
        """A picture or recording by the address that a task names."""
        return self._ask("GET", address).content

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _asked(self, method: str, path: str, form: Any = None, *, params: Any = None) -> dict[str, Any]:
        answer: dict[str, Any] = self._ask(method, path, form, params=params).json()
        return answer

    def _ask(self, method: str, path: str, form: Any = None, *, params: Any = None) -> httpx.Response:
        try:
            response = self._http.request(method, path, json=form, params=params)
        except httpx.HTTPError as error:
            raise StorageError(
                f"the server at {self._http.base_url} does not answer ({error}): is it running?"
            ) from error
        if response.is_success:
            return response
        raise _error_of(response)


def _path(project: str, *rest: str) -> str:
    return "/".join(["/api/projects", *(quote(part, safe="") for part in (project, *rest))])


def _error_of(response: httpx.Response) -> FailedError | UsageError:
    try:
        detail = str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        detail = response.text[:500]
    kinds: dict[int, type[FailedError | UsageError]] = {
        401: AccessError,
        403: AccessError,
        404: AccessError,
        409: ConflictError,
        503: StorageError,
        507: StorageError,
    }
    kind = kinds.get(response.status_code, UsageError if response.status_code < 500 else FailedError)
    return kind(f"{detail} (HTTP {response.status_code})")
