"""A server that speaks the API's contract without a database: for tests of the browser app, with faults at will."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
    "connect-src 'self'; font-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'"
)
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html; charset=utf-8"}
PASSWORD = "correct horse battery"


def choice_schema(*names: str, **changes: Any) -> dict[str, Any]:
    """A schema of single choice with such classes."""
    schema = {
        "name": "topic",
        "kind": "choice",
        "classes": [{"name": name, "key": None} for name in names or ("billing", "bug", "praise")],
        "modality": "text",
        "guidelines": "# What to choose\n\nChoose **one** topic:\n\n- *billing*: money\n- *bug*: it is broken\n",
        "version": 1,
    }
    return schema | changes


def suggestion(value: Any, *, score: float = 0.83, source: str = "model v7", kind: str = "model") -> dict[str, Any]:
    """A suggestion of this value."""
    return {"id": f"s-{source}-{score}", "source": source, "kind": kind, "score": score, "value": value}


def task(number: int, **changes: Any) -> dict[str, Any]:
    """A task about a text that says its number."""
    made = {
        "assignment": f"a{number}",
        "item": f"i{number}",
        "purpose": "label",
        "data": {"text": f"Message number {number}: the invoice is wrong."},
        "meta": {},
        "why": "annotators disagree",
        "suggestions": [],
        "blind": False,
        "lease_until": "2030-01-01T00:00:00Z",
        "draft": None,
    }
    return made | changes


@dataclass
class FakeServer:
    """What the server knows, what it was told, and how it misbehaves.

    Parameters
    ----------
    static : Path
        The built app.
    tasks : list of dict
        In the order they are handed out; everybody is the same person.
    """

    static: Path
    person: str = "ana"
    schema: dict[str, Any] = field(default_factory=choice_schema)
    tasks: list[dict[str, Any]] = field(default_factory=lambda: [task(number) for number in range(1, 31)])
    settings: dict[str, Any] = field(
        default_factory=lambda: {"overlap": 1, "gold_share": 0, "blind_share": 0, "threshold": 0.5}
    )
    media: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    language: str = "en"
    keys: dict[str, str] = field(default_factory=dict)
    role: str = "annotator"
    is_signed_in: bool = True
    latency: float = 0.0
    n_failures: int = 0
    refused_items: set[str] = field(default_factory=set)
    votes: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    drafts: dict[str, Any] = field(default_factory=dict)
    given_back: list[str] = field(default_factory=list)
    forgets_answers: int = 0
    lost: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"fake": self})
        self.http = _QuietServer(("127.0.0.1", 0), handler)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.http.server_port}"

    @property
    def label_page(self) -> str:
        """The address of the labelling page."""
        return f"{self.url}/p/tickets/label"

    def become(self, **contents: Any) -> None:
        """Forget everything, and know this from now on."""
        known = {"static": self.static} | contents
        with self.lock:
            for one in fields(self):
                default = one.default if one.default_factory is MISSING else one.default_factory()
                setattr(self, one.name, known.get(one.name, default))

    def stop(self) -> None:
        """Ends it."""
        self.http.shutdown()
        self.http.server_close()
        self.thread.join(5)

    def stored(self, kind: str = "label") -> list[dict[str, Any]]:
        """Votes of a kind in the order of their arrival."""
        with self.lock:
            return [vote for vote in self.votes.values() if vote["kind"] == kind]

    def answers(self) -> dict[str, Any]:
        """The value that holds for each item: the last label that was not retracted."""
        held: dict[str, Any] = {}
        with self.lock:
            for vote in self.votes.values():
                if vote["kind"] == "label":
                    held[vote["item"]] = vote["value"]
                elif vote["kind"] == "retract":
                    held.pop(vote["item"], None)
        return held

    # What the routes do; called under the lock.

    def more(
        self, method: str, path: str, query: Mapping[str, str], body: dict[str, Any]
    ) -> tuple[int, dict[str, Any] | None] | None:
        """What servers of other pages answer besides; None where there is no such route."""

    def project(self) -> dict[str, Any]:
        """The project as its page sees it."""
        return {
            "project": "tickets",
            "name": "Tickets",
            "schema": self.schema,
            "settings": self.settings,
            "progress": {"done": 412, "total": 100_000, "left_for_me": len(self.tasks)},
        }

    def line(self) -> dict[str, Any]:
        """The project in the list."""
        named = {"project": "tickets", "name": "Tickets", "kind": self.schema["kind"], "role": self.role}
        return named | {"modality": self.schema["modality"], "n_items": 100_000, "n_done": 412}

    def next(self, body: dict[str, Any]) -> dict[str, Any]:
        """Tasks in order, less what is done and what the page has."""
        closed: set[str] = set()
        for vote in self.votes.values():
            if vote["kind"] in {"label", "skip"}:
                closed.add(vote["assignment"])
            elif vote["kind"] == "retract":
                closed.discard(vote["assignment"])
        left = [one for one in self.tasks if one["assignment"] not in closed | set(body["have"]) | self.lost]
        n = body["n"]
        return {"tasks": left[:n], "left": len(left[n:]), "stale": []}

    def store(self, body: dict[str, Any]) -> dict[str, Any]:
        """Votes by their key."""
        return {"results": [self._stored(vote) for vote in body["votes"]]}

    def done(self) -> dict[str, Any]:
        """What was answered, newest first."""
        data = {one["item"]: one["data"] for one in self.tasks}
        rows = [
            {name: vote[name] for name in ("assignment", "item", "kind", "value", "reason", "at")}
            | {"data": data[vote["item"]]}
            for vote in self.votes.values()
        ]
        return {"answers": rows[::-1], "before": None}

    def _stored(self, vote: dict[str, Any]) -> dict[str, Any]:
        key = vote["key"]
        if vote["item"] in self.refused_items:
            return {"key": key, "status": "refused", "detail": "this item was withdrawn"}
        if key in self.votes:
            return {"key": key, "status": "repeated" if self.votes[key] == vote else "conflict", "detail": ""}
        self.votes[key] = vote
        return {"key": key, "status": "stored", "detail": ""}


class _QuietServer(ThreadingHTTPServer):
    """Pages that close in the middle of an answer are what many tests are about: no word about them."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""


class _Handler(BaseHTTPRequestHandler):
    """The routes of the contract."""

    fake: ClassVar[FakeServer]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Pages, files and what is asked."""
        self._serve("GET")

    def do_POST(self) -> None:
        """Acts."""
        self._serve("POST")

    def do_PUT(self) -> None:
        """Drafts and keys."""
        self._serve("PUT")

    def do_DELETE(self) -> None:
        """Ends."""
        self._serve("DELETE")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _serve(self, method: str) -> None:
        path = unquote(urlsplit(self.path).path)
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if size else {}
        if not path.startswith("/api/"):
            return self._file(path)
        time.sleep(self.fake.latency)
        with self.fake.lock:
            status, answer = self._answer(method, path, body)
        forgotten = path.endswith("/votes") and self.fake.forgets_answers > 0
        if forgotten:
            # The vote is stored, and its answer gets lost on the way.
            self.fake.forgets_answers -= 1
            self.close_connection = True
            return None
        payload = b"" if answer is None else json.dumps(answer).encode()
        kind = "application/json" if status < 400 else "application/problem+json"
        return self._send(status, payload, kind)

    def _answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        fake = self.fake
        fake.requests.append((method, path))
        if method != "GET" and (self.headers.get("X-Labelmill") != "1" or not self._is_json()):
            return 403, _problem(403, "the header X-Labelmill is missing")
        if path in {"/api/sign-in", "/api/set-up", "/api/invitations/accept"}:
            return self._sign_in(path, body)
        if not fake.is_signed_in:
            return 401, _problem(401, "sign in first")
        if fake.n_failures > 0 and path != "/api/me":
            fake.n_failures -= 1
            return 503, _problem(503, "the server rests")
        return self._route(method, path, body)

    def _is_json(self) -> bool:
        return self.headers.get("Content-Type", "").startswith("application/json")

    def _sign_in(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if path == "/api/sign-in" and body["password"] != PASSWORD:
            return 401, _problem(401, "wrong name or password")
        self.fake.is_signed_in = True
        return 204, None

    def _route(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        fake = self.fake
        project = "/api/projects/tickets"
        if draft := re.fullmatch(rf"{project}/drafts/(\w+)", path):
            fake.drafts[draft[1]] = body["value"]
            return 204, None
        match method, path.removeprefix(project) if path.startswith(project) else path:
            case "GET", "/api/me":
                return 200, self._me()
            case "PUT", "/api/me/keys":
                fake.keys = body["keys"]
                return 204, None
            case "POST", "/api/sign-out":
                fake.is_signed_in = False
                return 204, None
            case "GET", "/api/projects":
                return 200, {"projects": [fake.line()]}
            case "GET", "":
                return 200, fake.project()
            case "GET", "/done":
                return 200, fake.done()
            case "POST", "/next":
                return 200, fake.next(body)
            case "POST", "/votes":
                return 200, fake.store(body)
            case "POST", "/give-back":
                fake.given_back += body["assignments"]
                return 204, None
            case "POST", "/renew":
                return 200, {"assignments": [one for one in body["assignments"] if one not in fake.lost]}
        found = fake.more(method, path.removeprefix(project), dict(parse_qsl(urlsplit(self.path).query)), body)
        if found is not None:
            return found
        return 404, _problem(404, f"there is no {path}")

    def _me(self) -> dict[str, Any]:
        roles = {"tickets": self.fake.role}
        return {
            "name": self.fake.person,
            "role_by_project": roles,
            "is_admin": False,
            "language": self.fake.language,
            "keys": self.fake.keys,
        }

    def _file(self, path: str) -> None:
        if path in self.fake.media:
            kind, content = self.fake.media[path]
            return self._send(200, content, kind)
        found = self.fake.static / path.removeprefix("/static/") if path.startswith("/static/") else self._page(path)
        if found is None or not found.is_file():
            return self._send(404, b"nothing here", "text/plain")
        return self._send(200, found.read_bytes(), TYPES[found.suffix])

    def _page(self, path: str) -> Path | None:
        pages = json.loads((self.fake.static / "pages.json").read_text(encoding="utf-8"))["pages"]
        for route, page in pages.items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route), path):
                return self.fake.static / "pages" / f"{page}.html"
        return None

    def _send(self, status: int, payload: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(payload)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store" if "json" in kind else "max-age=60")
        self.end_headers()
        self.wfile.write(payload)


def _problem(status: int, detail: str) -> dict[str, Any]:
    return {"type": "about:blank", "title": str(status), "status": status, "detail": detail}
