"""The one way out: a request to an address that somebody typed in, which must not reach this machine's own network.

The name is looked up once, every address it has must be public, and the connection goes to one of those: a second
look-up could answer otherwise. Nothing follows redirects but this function, which checks each anew.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urljoin, urlsplit

import httpcore

from labelmill.errors import AccessError, FailedError

__all__ = ["Fetched", "fetch"]

MOST_REDIRECTS: Final = 5
TELLING: Final = frozenset({"authorization", "cookie"})
"""Headers that go to the host they were meant for alone; so do those that begin with `x-labelmill-`."""


class Fetched(NamedTuple):
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes


def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    seconds: float = 20.0,
    most_bytes: int = 10_000_000,
    allow_private: bool = False,
) -> Fetched:
    """Ask an address.

    Parameters
    ----------
    seconds : float
        For all of it.
    most_bytes : int
        Of the answer.
    allow_private : bool
        Reach this machine and its network too; for addresses that the operator wrote down.

    Raises
    ------
    AccessError
        If the address is none of http(s), or leads, by itself or a redirect, to a network that is not public.
    FailedError
        If there is no answer in time, or it is too long. The message never quotes it.
    """
    until = time.monotonic() + seconds
    kept = {name.lower(): value for name, value in (headers or {}).items()}
    with httpcore.ConnectionPool(network_backend=_Guarded(allow_private=allow_private), retries=0) as pool:
        for _ in range(MOST_REDIRECTS + 1):
            parts = _checked(url)
            answer = _ask(pool, method, url, {**kept, "host": parts.netloc}, body, until, most_bytes)
            onward = answer.headers.get("location")
            if answer.status not in {301, 302, 303, 307, 308} or not onward:
                return answer
            url = urljoin(url, onward)
            if urlsplit(url).netloc != parts.netloc or urlsplit(url).scheme != parts.scheme:
                kept = {k: v for k, v in kept.items() if k not in TELLING and not k.startswith("x-labelmill-")}
            if answer.status in {301, 302, 303} and method != "HEAD":
                method, body = "GET", b""
    raise FailedError(f"more than {MOST_REDIRECTS} redirects: name the address they lead to")


def _checked(url: str) -> Any:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise AccessError("only addresses that begin with http:// or https:// are asked")
    if parts.username or parts.password:
        raise AccessError("an address holds no name and no password")
    return parts


def _ask(
    pool: httpcore.ConnectionPool,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    until: float,
    most_bytes: int,
) -> Fetched:
    left = max(0.1, until - time.monotonic())
    timeout = {"connect": left, "read": left, "write": left, "pool": left}
    try:
        with pool.stream(
            method, url, headers=list(headers.items()), content=body, extensions={"timeout": timeout}
        ) as answer:
            told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
            return Fetched(answer.status, told, _read(answer.iter_stream(), until, most_bytes))
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, ValueError) as error:
        raise FailedError(f"no answer ({type(error).__name__})") from error


def _read(stream: Iterable[bytes], until: float, most_bytes: int) -> bytes:
    found = bytearray()
    for piece in stream:
        found += piece
        if len(found) > most_bytes:
            raise FailedError(f"the answer is longer than {most_bytes:,} bytes")
        if time.monotonic() > until:
            raise FailedError("the answer takes too long")
    return bytes(found)


class _Guarded(httpcore.SyncBackend):
    """Connects to public addresses only, each looked up once."""

    def __init__(self, *, allow_private: bool) -> None:
        super().__init__()
        self._allow_private = allow_private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to one of the addresses that a name has."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"no address for {host!r}") from error
        addresses = [str(entry[4][0]) for entry in found]
        if not self._allow_private and not all(map(_is_public, addresses)):
            raise AccessError(f"{host!r} leads to a network that is not public: it is not asked")
        return super().connect_tcp(addresses[0], port, timeout, local_address, socket_options)


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
        if found in _NAT64:
            return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF).is_global
    return found.is_global and not found.is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")
