"""An S3 server of our own, and a proxy before it that does harm where it is told to."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self

import pytest

# In a process of its own: requests are answered one after another, so that a condition and its write are one step.
_SERVER = """
import logging, sys, threading
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

logging.getLogger("werkzeug").setLevel(logging.ERROR)
application, one_at_a_time = DomainDispatcherApplication(create_backend_app), threading.Lock()

def answer(environ, start_response):
    with one_at_a_time:
        return list(application(environ, start_response))

server = make_server("127.0.0.1", 0, answer, threaded=True)
threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
print(server.server_port, flush=True)
server.serve_forever()
"""

Harm = Literal["hang", "truncate", "empty", "lose_answer"] | int
"""What the proxy does: never answer, send half of the body or none, pass on and answer 500; or the status to answer."""


@dataclass
class S3:
    """A running server.

    Parameters
    ----------
    port : int
    """

    port: int
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to reach it: also those of Ray and Spark."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    @contextlib.contextmanager
    def reachable(self) -> Iterator[None]:
        """Processes that start inside the block reach it."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            yield

    def new_bucket(self) -> str:
        """URI of a bucket that is empty."""
        name = f"bucket-{next(self._numbers)}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("PUT", f"/{name}")
        assert connection.getresponse().status == 200
        connection.close()
        return f"s3://{name}"


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    """One S3 server for all tests."""
    with subprocess.Popen([sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield S3(int(process.stdout.readline()))
        finally:
            process.stdin.close()  # it ends by itself, also when the tests are killed


@pytest.fixture
def bucket(s3_server: S3) -> Iterator[str]:
    """URI of an empty bucket, which this process can reach."""
    with s3_server.reachable():
        yield s3_server.new_bucket()


@dataclass(frozen=True)
class Request:
    """What came to the proxy: the n-th request of its method to its path."""

    method: str
    path: str
    n: int


class Proxy:
    """Passes requests on to the server, except those that `harm` names.

    Attributes
    ----------
    harm : callable
        Request -> what to do to it; None to pass it on.
    dropped : set of str
        Headers that do not reach the server.
    requests : list of Request
    n_bytes : int
        Of the bodies sent to clients.
    """

    def __init__(self, s3: S3) -> None:
        self.harm: Callable[[Request], Harm | None] = lambda request: None
        self.dropped: set[str] = set()
        self.requests: list[Request] = []
        self.n_bytes = 0
        self.released = threading.Event()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, s3.port))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def record(self, method: str, path: str) -> Request:
        """Put a request on record."""
        with self._lock:
            n = sum((method, path) == (known.method, known.path) for known in self.requests)
            request = Request(method, path, n)
            self.requests.append(request)
        return request

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def count(self, method: str, part: str = "") -> int:
        """How many requests of a method had this in their path."""
        return sum(known.method == method and part in known.path for known in self.requests)

    def __exit__(self, *exception: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def proxy(s3_server: S3, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy, through which this process reaches the bucket."""
    with Proxy(s3_server) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        yield proxy


def _handler(proxy: Proxy, port: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            request = proxy.record(self.command, self.path)
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            harm = proxy.harm(request)
            if harm == "hang":
                proxy.released.wait(60)
            elif isinstance(harm, int):
                self._send(harm, {}, b"<Error><Code>%s</Code></Error>" % _CODES.get(harm, b"Failed"))
            else:
                status, headers, content = self._pass_on(body)
                if harm == "lose_answer":
                    self._send(500, {}, b"")
                else:
                    n_sent = {"truncate": len(content) // 2, "empty": 0}.get(harm or "", len(content))
                    self._send(status, headers, content[:n_sent], length=len(content))

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_one  # noqa: N815 -- http.server looks for these names

        def _pass_on(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in proxy.dropped}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content

        def _send(self, status: int, headers: dict[str, str], content: bytes, length: int | None = None) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name in {"etag", "last-modified", "content-type", "content-range"}:
                    self.send_header(name, value)
            told = headers.get("content-length", "0") if self.command == "HEAD" else length or len(content)
            self.send_header("content-length", str(told))
            self.end_headers()
            if self.command != "HEAD":
                with contextlib.suppress(OSError):  # the client may have given up
                    self.wfile.write(content)
                proxy.n_bytes += len(content)

        def log_message(self, *arguments: Any) -> None:
            """Nothing: what matters is in `requests`."""

    return Handler


_CODES = {403: b"AccessDenied", 500: b"InternalError", 503: b"SlowDown", 501: b"NotImplemented"}


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for what another thread or process brings about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)
