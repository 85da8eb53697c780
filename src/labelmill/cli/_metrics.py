"""How work is followed by a monitoring system: Prometheus' text format over HTTP, as long as a command works."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from labelmill.errors import MissingDependencyError, UsageError

if TYPE_CHECKING:
    from labelmill.domain.ports import Progress

__all__ = ["served"]

HERE: Final = "127.0.0.1"
"""Nobody else is to look, unless asked for."""


@contextmanager
def served(address: str) -> Iterator[Callable[[str], Progress]]:
    """Show progress at `http://HOST:PORT/metrics`.

    Parameters
    ----------
    address : str
        `9464`, or `0.0.0.0:9464` for other machines to look.

    Raises
    ------
    UsageError
        If it is no address, or taken.
    MissingDependencyError
        If prometheus-client is not installed.
    """
    try:
        from prometheus_client import CollectorRegistry, start_http_server
    except ImportError:
        raise MissingDependencyError(
            "--metrics needs prometheus-client, which is not installed: pip install 'labelmill[metrics]'"
        ) from None
    host, port = _parsed(address)
    registry = CollectorRegistry()
    figures = _Figures(registry)
    try:
        server, _ = start_http_server(port, host, registry)
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"--metrics {address}: nothing can be served there ({error}): choose another port, or another host of "
            "this machine"
        ) from error
    try:
        yield figures.watch
    finally:
        server.shutdown()
        server.server_close()


def _parsed(address: str) -> tuple[str, int]:
    found = re.fullmatch(r"(?:(.*):)?(\d{1,5})", address)
    if found is None:
        raise UsageError(f"--metrics takes PORT or HOST:PORT, e.g. 9464 or 0.0.0.0:9464; found {address!r}")
    return (found[1] or HERE).strip("[]"), int(found[2])


class _Figures:
    """What is known of each step, as gauges: a step that is tried again may go back."""

    def __init__(self, registry: Any) -> None:
        from prometheus_client import Gauge

        def gauge(name: str, help_: str, *labels: str) -> Gauge:
            return Gauge(f"labelmill_{name}", help_, ["step", *labels], registry=registry)

        self._done = gauge("done", "Items (or what the step counts) that are done")
        self._total = gauge("total", "Items (or what the step counts) in all; absent while unknown")
        self._partitions = gauge("partitions", "Partitions by state: done, total, failed, retried", "state")
        self._faults = gauge("faults", "Items on which an annotator failed")
        self._hosts = gauge("host_partitions", "Partitions done by each machine", "host")
        self._shares = gauge("annotator_time_share", "Share of the annotators' time that each took", "annotator")

    def watch(self, step: str) -> Progress:
        def advance(done: int, total: int, detail: Mapping[str, Any] | None = None, /) -> None:
            self._done.labels(step).set(done)
            if total:
                self._total.labels(step).set(total)
            self._add(step, detail or {})

        return advance

    def _add(self, step: str, detail: Mapping[str, Any]) -> None:
        if "faults" in detail:
            self._faults.labels(step).set(detail["faults"])
        for gauge, key in ((self._partitions, "partitions"), (self._hosts, "hosts"), (self._shares, "shares")):
            for name, value in detail.get(key, {}).items():
                gauge.labels(step, name).set(value)
