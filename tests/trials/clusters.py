"""Real clusters for trials: Ray and Spark with a head and two nodes that work, every process in reach of a kill."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from tests.trials.nodes import Network, Node, free_port, network, wait_until
from tests.trials.object_store import ObjectStore, object_store

__all__ = ["Cluster", "ray_cluster", "spark_cluster"]

LEASE_SECONDS = 12.0

DRIVER = f"""
from labelmill.stores._lease import Lease
Lease.TTL = {LEASE_SECONDS}
from labelmill.cli.main import main
main()
"""
"""The command line, with a lease on object storage that runs out sooner than after a minute."""

CHILD = "labelmill.engines._worker"
"""In the command line of the processes that run stages, on every engine."""


@dataclass
class Cluster:
    """A running cluster.

    Parameters
    ----------
    kind : {"ray", "spark"}
    engine : str
        What `--engine` takes on the head.
    head : Node
        Where drivers run; it does no work.
    env : mapping
        What every process of it has in its environment, drivers too.
    store : ObjectStore
        One that all nodes reach.
    workers : list of Node
        Where work runs. A killed node leaves the list.
    """

    kind: str
    engine: str
    network: Network
    head: Node
    env: Mapping[str, str]
    folder: Path
    store: ObjectStore
    workers: list[Node] = field(default_factory=list)
    n_started: int = 0

    def driver(self, *words: str | Path, log: Path) -> subprocess.Popen[bytes]:
        """A `labelmill` command on the head."""
        return self.head.start([sys.executable, "-c", DRIVER, *map(str, words)], log=log, env=self.env)

    def finish(self, *words: str | Path, log: Path) -> None:
        """A command on the head, to its end; fails with what it and the nodes say."""
        status = self.driver(*words, log=log).wait(180)
        if status != 0:
            raise AssertionError(f"exit status {status}\n{log.read_text()[-3000:]}\n{self.log()}")

    def children(self) -> list[psutil.Process]:
        """The processes that run stages."""
        return [process for node in self.workers for process in node.find(CHILD)]

    def hosts(self) -> list[psutil.Process]:
        """The engine's own Python workers: each holds one of the children."""
        found = {process.pid: process for child in self.children() for process in _parent(child)}
        return list(found.values())

    def log(self) -> str:
        """The end of what its nodes said."""
        parts = [
            f"--- {path.name}\n{path.read_text(errors='replace')[-600:]}" for path in self.folder.glob("[hw]*.log")
        ]
        return "\n".join(parts)

    def kill_node(self, which: int) -> Node:
        """End a working node, all processes at once."""
        node = self.workers.pop(which)
        node.kill()
        return node

    def add_node(self) -> Node:
        """One more machine that works, as a cluster's manager brings after a loss."""
        self.n_started += 1
        node = self.network.add(f"worker-{self.n_started}")
        self.workers.append(node)
        {"ray": _start_ray_worker, "spark": _start_spark_worker}[self.kind](self, node)
        return node


@contextlib.contextmanager
def ray_cluster(n_workers: int = 2) -> Iterator[Cluster]:
    """A Ray cluster: a head without cores, and nodes with one each; only who has the token may come in."""
    with _folder() as folder, network() as net, object_store(folder, net.host) as store:
        head = net.add("head")
        port = 6379 if net.bridge else free_port()
        address = f"{head.address}:{port}"
        env = {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_ADDRESS": address,
            **store.env,
        }
        cluster = Cluster("ray", "ray", net, head, env, folder, store)
        command = ["--head", "--port", str(port), "--include-dashboard", "false"]
        _start_ray(cluster, head, [*command, "--num-cpus", "0"])
        wait_until(lambda: _answers(cluster, 1), "Ray's head answers", within=120)
        for _ in range(n_workers):
            cluster.add_node()
        wait_until(lambda: _answers(cluster, 1 + n_workers), "Ray's nodes are there", within=120)
        yield cluster


@contextlib.contextmanager
def spark_cluster(n_workers: int = 2) -> Iterator[Cluster]:
    """A standalone Spark cluster: a master, and workers with one core and 1 GB each."""
    with _folder() as folder, network() as net, object_store(folder, net.host) as store:
        head = net.add("head")
        port = 7077 if net.bridge else free_port()
        env = {
            "SPARK_LOCAL_IP": head.address,
            "PYSPARK_PYTHON": sys.executable,
            **store.env,
        }
        master = f"spark://{head.address}:{port}"
        cluster = Cluster("spark", master, net, head, env, folder, store)
        words = ["--host", head.address, "--port", str(port), "--webui-port", "0"]
        _start_spark(cluster, head, "master.Master", words)
        log = folder / "head.log"
        wait_until(lambda: "I have been elected leader" in log.read_text(), "Spark's master is up", within=120)
        for _ in range(n_workers):
            cluster.add_node()
        yield cluster


def _parent(process: psutil.Process) -> list[psutil.Process]:
    """None, when one of the two is gone by now."""
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = process.parent()
        return [parent] if parent is not None and parent.pid > 1 else []
    return []


def _start_ray_worker(cluster: Cluster, node: Node) -> None:
    _start_ray(cluster, node, ["--address", cluster.env["RAY_ADDRESS"], "--num-cpus", "1"])


def _start_ray(cluster: Cluster, node: Node, words: Sequence[str]) -> None:
    temp = cluster.folder / node.name[0:1] / node.name[-1]
    command = [
        str(Path(sys.executable).with_name("ray")),
        *("start", "--block", *words),
        *("--node-ip-address", node.address),
        *("--object-store-memory", str(80_000_000)),
        *("--temp-dir", str(temp)),
        *("--log-style", "record"),
    ]
    node.start(command, log=cluster.folder / f"{node.name}.log", env=cluster.env)


def _answers(cluster: Cluster, n_nodes: int) -> bool:
    """Whether so many nodes are alive, as the cluster itself says."""
    program = (
        "import ray; ray.init(address='auto', log_to_driver=False, logging_level='ERROR');"
        "print('alive', sum(n['Alive'] for n in ray.nodes()))"
    )
    log = cluster.folder / "probe.log"
    process = cluster.head.start([sys.executable, "-c", program], log=log, env=cluster.env)
    return process.wait(60) == 0 and log.read_text().splitlines()[-1] == f"alive {n_nodes}"


def _start_spark_worker(cluster: Cluster, node: Node) -> None:
    words = ["--cores", "1", "--memory", "1g", "--host", node.address, "--webui-port", "0"]
    work = cluster.folder / f"work-{node.name}"
    _start_spark(cluster, node, "worker.Worker", [*words, "--work-dir", str(work), cluster.engine])
    log = cluster.folder / f"{node.name}.log"
    wait_until(lambda: "Successfully registered with master" in log.read_text(), "Spark's worker is in", within=120)


def _start_spark(cluster: Cluster, node: Node, role: str, words: Sequence[str]) -> None:
    import pyspark

    home = Path(pyspark.__file__).parent
    java = shutil.which("java") or "java"
    scala = next(home.glob("jars/spark-core_*.jar")).name.removeprefix("spark-core_").partition("-")[0]
    env = {**cluster.env, "SPARK_LOCAL_IP": node.address, "SPARK_HOME": str(home), "SPARK_SCALA_VERSION": scala}
    command = [java, "-Xmx256m", "-cp", f"{home}/jars/*", f"org.apache.spark.deploy.{role}", *words]
    node.start(command, log=cluster.folder / f"{node.name}.log", env=env)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """Short, because sockets lie in it and their paths may have 107 characters at most."""
    folder = Path(tempfile.mkdtemp(prefix="lmc", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
