"""A model server of a few lines: it can be slow, dead, busy, or lie."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Asked", "serving"]


@dataclass
class Asked:
    """What a server was asked, and where it is."""

    url: str = ""
    paths: list[str] = field(default_factory=list)
    questions: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


Reply = tuple[int, Any] | tuple[int, Any, dict[str, str]]


@contextmanager
def serving(answer: Callable[[str, Any], Reply | None]) -> Iterator[Asked]:
    """A server on this machine whose answers come from a function of path and question; None: too slow for anybody."""
    asked = Asked()
    over = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            question = json.loads(body) if body else None
            asked.paths.append(self.path)
            asked.questions.append(question)
            asked.headers.append({name.lower(): value for name, value in self.headers.items()})
            reply = answer(self.path, question)
            if reply is None:
                over.wait(5)
                return
            status, told, *more = reply
            content = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(status)
            for name, value in (more[0] if more else {}).items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST  # noqa: N815 - the base class's name

        def log_message(self, *_: Any) -> None:
            """Nothing is written."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    asked.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield asked
    finally:
        over.set()
        server.shutdown()
        server.server_close()
