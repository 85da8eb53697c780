"""How bytes become requests: by a parser in C where it is installed, which halves what a small request costs."""

from __future__ import annotations

import importlib.util
from typing import Any, Final

__all__ = ["MOST_AHEAD", "http_protocol"]

MOST_AHEAD: Final = 65_536
"""Bytes of an address with its headers; a connection that sends more before a body is closed."""


def http_protocol() -> Any:
    """What uvicorn takes as `http`: llhttp through httptools, or else h11, which has the same limit of its own."""
    if importlib.util.find_spec("httptools") is None:
        return "h11"
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    class BoundedHttp(HttpToolsProtocol):
        """uvicorn's own, which would gather headers as long as they come."""

        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self._is_ahead, self._n_ahead = False, 0

        def on_message_begin(self) -> None:
            """An address begins."""
            self._is_ahead, self._n_ahead = True, 0
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            """From here on the body's own limit counts."""
            self._is_ahead = False
            super().on_headers_complete()

        def data_received(self, data: bytes) -> None:
            """Read on, unless there is no end to it."""
            super().data_received(data)
            self._n_ahead += len(data)
            if self._is_ahead and self._n_ahead > MOST_AHEAD:
                self.transport.close()

    return BoundedHttp
