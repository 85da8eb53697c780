from __future__ import annotations

import socket
import sys
import urllib.request
from urllib.error import URLError

import pytest

from labelmill.cli._metrics import served
from labelmill.errors import MissingDependencyError, UsageError

DETAIL = {
    "partitions": {"done": 1, "total": 4, "failed": 0, "retried": 2},
    "faults": 3,
    "hosts": {"a": 1, "b": 2},
    "shares": {"quick": 0.25, 'sl"ow\n': 0.75},
}


def test_figures_are_served_while_the_work_lasts() -> None:
    """Everything that progress tells can be fetched, in Prometheus' format; afterwards nobody answers."""
    port = free_port()

    with served(str(port)) as watch:
        watch("annotate")(50, 200, DETAIL)
        watch("aggregate")(5, 0)
        lines = fetched(port)

    assert {
        'labelmill_done{step="annotate"} 50.0',
        'labelmill_total{step="annotate"} 200.0',
        'labelmill_partitions{state="retried",step="annotate"} 2.0',
        'labelmill_faults{step="annotate"} 3.0',
        'labelmill_host_partitions{host="b",step="annotate"} 2.0',
        'labelmill_annotator_time_share{annotator="sl\\"ow\\n",step="annotate"} 0.75',
        'labelmill_done{step="aggregate"} 5.0',
    } <= set(lines)
    assert not any(line.startswith('labelmill_total{step="aggregate"') for line in lines)
    with pytest.raises(URLError, match="refused"):
        fetched(port)


@pytest.mark.parametrize("address", ["", "here", "host:", "1.5", "host:123456"])
def test_no_address(address: str) -> None:
    """What is no port says what would be one."""
    with pytest.raises(UsageError, match="takes PORT or HOST:PORT"), served(address):
        pass


@pytest.mark.parametrize("port", ["taken", "70000"])
def test_a_port_that_cannot_be_had(port: str) -> None:
    """One that is taken, or beyond the last, is a clear error."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1] if port == 'taken' else port}"
        with pytest.raises(UsageError, match=rf"--metrics {address}: nothing can be served there"), served(address):
            pass


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    monkeypatch.setitem(sys.modules, "prometheus_client", None)

    with pytest.raises(MissingDependencyError, match=r"pip install 'labelmill\[metrics\]'"), served("9464"):
        pass


def fetched(port: int) -> list[str]:
    """What the server says, by lines."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text: str = answer.read().decode()
    return text.splitlines()


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port
