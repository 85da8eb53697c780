"""Drivers of their own, and clusters that others started."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from tests.engines.waiting import pids, until

SCRIPT = """
import sys
from pathlib import Path
from labelmill.domain.partition import Resources
from labelmill.engines.ray import Ray
from labelmill.errors import LabelmillError
from labelmill.testing.engine import Deadly, partitions_of

engine = Ray(*sys.argv[2:])
stage = Deadly(Path(sys.argv[1]), 'p001', n_deaths=1)
try:
    print(*sorted(receipt.partition for receipt in engine.map(stage, partitions_of(3), Resources())))
except LabelmillError as error:
    print(f"{type(error).__name__}: {error}")
engine.close()
"""


@pytest.mark.slow
def test_closing_ends_a_cluster_of_ones_own_under_a_map(tmp_path: Path) -> None:
    """So it is with a cluster started here, which ends under the map."""
    script = "import threading\n" + SCRIPT.replace(
        "Deadly(Path(sys.argv[1]), 'p001', n_deaths=1)", "Calls(Path(sys.argv[1]), 60)"
    ).replace("import Deadly", "import Calls").replace("try:", "threading.Timer(20, engine.close).start()\ntry:")
    command = [sys.executable, "-c", script, str(tmp_path), "local"]

    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)

    assert (shown.stdout, shown.stderr) == ("\n", "")


def test_a_cluster_is_started_and_ended_without_a_word(tmp_path: Path) -> None:
    """Without a cluster one is started; the script prints its own lines, though a worker died, and leaves nothing."""
    shown = _script(tmp_path, "local")

    assert (shown.stdout, shown.stderr) == ("p000 p001 p002\n", "")
    until(lambda: not any(map(psutil.pid_exists, pids(tmp_path))), seconds=5)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "AnnotationError: nothing answers at 127.0.0.1:1: check that the cluster runs (`ray status`"),
        ("ray://127.0.0.1:1", "AnnotationError: nothing answers at ray://127.0.0.1:1: check that the cluster runs"),
        ("ray://cluster", "UsageError: 'ray://cluster' is no address of a Ray cluster: expected ray://host:port or"),
    ],
)
def test_a_cluster_out_of_reach_is_an_error_soon(tmp_path: Path, address: str, message: str) -> None:
    """The message comes within seconds, not Ray's minutes, and says what to look at."""
    began = time.monotonic()

    shown = _script(tmp_path, address)

    assert message in shown.stdout
    assert shown.stderr == ""
    assert time.monotonic() - began < 20


@pytest.mark.slow
def test_a_cluster_with_a_token_is_joined_from_inside_and_outside(cluster: Cluster, tmp_path: Path) -> None:
    """Directly, by RAY_ADDRESS and through Ray Client the same work is done, and the cluster goes on after it."""
    named = {**cluster.env, "RAY_ADDRESS": cluster.direct}
    ways = [([cluster.direct], cluster.env), ([cluster.client], cluster.env), ([], named)]

    for address, env in [*ways, ([f"ray://{cluster.direct}"], named)]:
        shown = _script(tmp_path, *address, env=env)

        assert (shown.stdout, shown.stderr) == ("p000 p001 p002\n", ""), address


@pytest.mark.slow
def test_a_driver_without_the_token_is_told(cluster: Cluster, tmp_path: Path) -> None:
    """The message says which settings bring the token, within half a minute, from inside and outside."""
    for address in (cluster.direct, cluster.client):
        began = time.monotonic()

        shown = _script(tmp_path, address, env={"RAY_AUTH_MODE": "disabled"})

        assert f"AnnotationError: the Ray cluster at {address} cannot be joined" in shown.stdout
        assert "RAY_AUTH_MODE=token" in shown.stdout
        assert time.monotonic() - began < 40


@pytest.mark.slow
def test_a_driver_with_another_ray_is_told(cluster: Cluster, tmp_path: Path) -> None:
    """Ray's own refusal comes as one line that names the versions."""
    older = "import ray; ray.__version__ = '2.1.0'\n"

    shown = _script(tmp_path, cluster.direct, env=cluster.env, before=older)

    assert re.search(r"AnnotationError: .* has other versions than this process.*2\.60.*2\.1\.0", shown.stdout)


@pytest.mark.slow
def test_a_machine_that_joins_is_used(cluster: Cluster, tmp_path: Path) -> None:
    """The pool grows while it works, as the cluster does."""
    script = SCRIPT.replace("Deadly(Path(sys.argv[1]), 'p001', n_deaths=1)", "Calls(Path(sys.argv[1]), 0.5)")
    script = script.replace("partitions_of(3)", "partitions_of(120)").replace("import Deadly", "import Calls")
    command = [sys.executable, "-c", script, str(tmp_path), cluster.direct]
    env = {**os.environ, **cluster.env}  # noqa: TID251 -- Ray is told by it

    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as driver:
        until(lambda: len(pids(tmp_path)) == 2)
        with _ray_start("--address", cluster.direct, "--num-cpus", "2", env=cluster.env):
            shown, _ = driver.communicate(timeout=200)

    assert len(shown.split()) == 120
    assert len(pids(tmp_path)) > 2


@dataclass(frozen=True)
class Cluster:
    """Addresses of a running cluster, from inside and outside, and what its drivers need in their environment."""

    direct: str
    client: str
    env: Mapping[str, str]


def _script(
    folder: Path, *words: str, env: Mapping[str, str] | None = None, before: str = ""
) -> subprocess.CompletedProcess[str]:
    for path in folder.iterdir():
        path.unlink()
    command = [sys.executable, "-c", before + SCRIPT, str(folder), *words]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={**os.environ, **(env or {})},  # noqa: TID251 -- Ray is told by it
    )


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster started by `ray start` with a token and a server for Ray Client."""
    env = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
        "GRPC_ENABLE_FORK_SUPPORT": "0",
    }
    port, client_port = _free_port(), _free_port()
    head = ["--head", f"--port={port}", f"--ray-client-server-port={client_port}", "--include-dashboard=false"]
    with _ray_start(*head, "--num-cpus=2", env=env):
        until(lambda: _listens(port) and _listens(client_port))
        yield Cluster(f"127.0.0.1:{port}", f"ray://127.0.0.1:{client_port}", env)


@contextlib.contextmanager
def _ray_start(*words: str, env: Mapping[str, str]) -> Iterator[None]:
    """A machine of a cluster, until the end of the block."""
    ray = str(Path(sys.executable).with_name("ray"))
    folder = tempfile.mkdtemp(prefix="lmr", dir="/tmp")  # short: sockets lie in it
    ports = ["--min-worker-port=0", "--max-worker-port=0"]
    with subprocess.Popen(
        [ray, "start", "--block", *words, *ports, "--object-store-memory=80000000", f"--temp-dir={folder}"],
        env={**os.environ, **env},  # noqa: TID251 -- Ray is told by it
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield
        finally:
            for one in psutil.Process(process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
            process.kill()
            shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
