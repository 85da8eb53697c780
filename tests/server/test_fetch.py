from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest
from tests.server.office import Office

from labelmill.errors import AccessError, FailedError
from labelmill.fetch import Fetched, fetch
from labelmill.server.webhooks import send_due, signature_of
from labelmill.stores.database.outbox import add_webhook

PRIVATE = [
    "http://127.0.0.1/",
    "http://localhost/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://0.0.0.0/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
    "http://224.0.0.1/",
]


@pytest.mark.parametrize("url", PRIVATE)
def test_private_addresses_are_not_asked(url: str) -> None:
    """Our machine, its network and the cloud's metadata are refused in every spelling."""
    with pytest.raises(AccessError, match="not public"):
        fetch(url, seconds=2)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://example.org/", "ftp://example.org/", "http:///x", ""])
def test_other_schemes_are_not_asked(url: str) -> None:
    """Only http and https."""
    with pytest.raises(AccessError, match="http"):
        fetch(url)


def test_no_password_in_an_address() -> None:
    """Somebody who writes a name before @ may hide where it leads."""
    with pytest.raises(AccessError, match="password"):
        fetch("http://example.org:80@127.0.0.1/")


class _Handler(http.server.BaseHTTPRequestHandler):
    seen: list[dict[str, str]]

    def do_GET(self) -> None:
        """Answer by the path."""
        self.seen.append({name.lower(): value for name, value in self.headers.items()})
        assert isinstance(self.server, http.server.HTTPServer)
        port = self.server.server_port
        onward = {"/loop": "/loop", "/away": f"http://localhost:{port}/", "/file": "file:///etc/passwd"}.get(self.path)
        self.send_response(302 if onward else 200)
        if onward:
            self.send_header("Location", onward)
        self.end_headers()
        self.wfile.write(b"x" * (100_000 if self.path == "/long" else 5))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[str, list[dict[str, str]]]]:
    seen: list[dict[str, str]] = []
    handler = type("Handler", (_Handler,), {"seen": seen})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
        server.shutdown()
        thread.join()


def test_allowed_address_answers(site: tuple[str, list[dict[str, str]]]) -> None:
    """What the operator wrote down is asked, and answers."""
    assert fetch(f"{site[0]}/", allow_private=True).body == b"xxxxx"


@pytest.mark.parametrize(("path", "what"), [("/loop", "redirects"), ("/long", "longer")])
def test_endless_answers_end(site: tuple[str, list[dict[str, str]]], path: str, what: str) -> None:
    """Redirects and bytes are counted."""
    with pytest.raises(FailedError, match=what):
        fetch(f"{site[0]}{path}", allow_private=True, most_bytes=50_000)


def test_redirect_to_a_file_is_refused(site: tuple[str, list[dict[str, str]]]) -> None:
    """Each hop is checked like the first."""
    with pytest.raises(AccessError, match="http"):
        fetch(f"{site[0]}/file", allow_private=True)


def test_credentials_stay_with_their_host(site: tuple[str, list[dict[str, str]]]) -> None:
    """A redirect elsewhere does not take the token or the signature along."""
    url, seen = site
    seen.clear()

    fetch(f"{url}/away", headers={"Authorization": "Bearer x", "X-Labelmill-Signature": "y"}, allow_private=True)

    assert "authorization" in seen[0]
    assert {"authorization", "x-labelmill-signature"} & set(seen[1]) == set()


def test_webhook_is_told_of_a_vote_until_it_takes_it(office: Office) -> None:
    """A vote reaches the address that asked for it, signed; one that fails is sent again under the same id."""
    project = office.project("hooked", ["a"])
    hook = add_webhook(office.database, project, "https://example.org/hook", ["vote.*"])
    client = office.newcomer(project, name="hooked")
    client.answer(project.public_id, client.next(project.public_id)["tasks"][0], "spam")
    sent: list[tuple[dict[str, str], bytes]] = []

    def ask(url: str, *, headers: dict[str, str], body: bytes, **_: object) -> Fetched:
        sent.append((headers, body))
        return Fetched(500 if len(sent) == 1 else 204, {}, b"")

    clock = office.database.clock
    send_due(office.database, ask=ask)
    office.database.clock = lambda: clock() + 3_600_000
    send_due(office.database, ask=ask)
    office.database.clock = clock

    assert len(sent) == 2
    assert sent[0][0]["X-Labelmill-Event"] == sent[1][0]["X-Labelmill-Event"]
    headers, body = sent[1]
    assert headers["X-Labelmill-Signature"] == signature_of(hook.secret, int(headers["X-Labelmill-Time"]), body)
    assert b"spam" not in body
