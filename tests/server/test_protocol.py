from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest
from tests.server.office import Office


@pytest.mark.parametrize("endless", [b"GET /" + b"x" * 200_000, b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000])
def test_an_endless_header_is_cut_off(office: Office, endless: bytes) -> None:
    """Whoever sends an address or a header without end is not listened to for ever."""
    address = urlsplit(office.url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as line:
        try:
            for _ in range(20):
                line.sendall(endless[:60_000] if _ == 0 else b"x" * 60_000)
            answer = line.recv(100)
        except (ConnectionResetError, BrokenPipeError):
            answer = b""

    assert answer == b"" or b" 400 " in answer.split(b"\r\n")[0]
