"""Machines of a cluster, on this machine: each has its own network where root allows it, and can be killed whole.

With root and the `ip` tool every node lives in a network namespace of its own, on a bridge: own address, own loopback,
own ports, as on real machines. Without, all nodes share 127.0.0.1 and differ by their ports. Files, cores and memory
are those of this machine in both cases.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

__all__ = ["Network", "Node", "free_port", "has_namespaces", "network", "wait_until"]


@functools.cache
def has_namespaces() -> bool:
    """Whether this user may make network namespaces and bridges."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"lmprobe{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode != 0:
        return False
    made = subprocess.run(["ip", "link", "add", name[:15], "type", "bridge"], capture_output=True, check=False)
    subprocess.run(["ip", "link", "del", name[:15]], capture_output=True, check=False)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=True)
    return made.returncode == 0


@dataclass
class Node:
    """One machine: what is started on it runs in its network, and `kill` ends all of it."""

    name: str
    address: str
    namespace: str = ""
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)
    seen: dict[int, psutil.Process] = field(default_factory=dict)

    def start(self, command: Sequence[str], *, log: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Run a command on it, in a session of its own; what it says goes to the end of `log`."""
        prefix = ["ip", "netns", "exec", self.namespace] if self.namespace else []
        with log.open("ab") as out:
            process = subprocess.Popen(
                [*prefix, *command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **env},  # noqa: TID251 -- a test hands its own on
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def processes(self) -> list[psutil.Process]:
        """Everything that runs on it."""
        if self.namespace:
            network = Path(f"/run/netns/{self.namespace}").stat().st_ino
            return [process for process in psutil.process_iter() if _network_of(process.pid) == network]
        for root in self.started:
            with contextlib.suppress(psutil.NoSuchProcess):
                there = psutil.Process(root.pid)
                self.seen |= {process.pid: process for process in [there, *there.children(recursive=True)]}
        return [process for process in self.seen.values() if _is_alive(process)]

    def find(self, *marks: str) -> list[psutil.Process]:
        """Its processes whose command line holds one of the marks."""
        return [process for process in self.processes() if any(mark in _command(process) for mark in marks)]

    def kill(self) -> int:
        """End everything on it by force, at once; the number of processes that ended."""
        self._send(signal.SIGSTOP)  # nobody has time to see the others go
        n_killed = self._send(signal.SIGKILL)
        wait_until(self._is_empty, f"all processes of {self.name} have ended")
        for process in self.started:
            process.wait()
        return n_killed

    def cut(self) -> None:
        """Take its cable out: nobody is told, packets are lost. Needs a namespace."""
        _ip("-n", self.namespace, "link", "set", "eth0", "down")

    def _is_empty(self) -> bool:
        """Whether nothing runs; what was born while the others died is killed too."""
        return self._send(signal.SIGKILL) == 0

    def _send(self, number: signal.Signals) -> int:
        there = self.processes()
        for process in there:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        return len(there)


@dataclass(frozen=True)
class Network:
    """What the nodes of a cluster share."""

    bridge: str
    subnet: str
    nodes: list[Node] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """What separates the nodes, in words."""
        return "a network namespace each" if self.bridge else "ports of one loopback"

    @property
    def host(self) -> str:
        """Address of this machine as its nodes see it."""
        return f"{self.subnet}.254" if self.bridge else "127.0.0.1"

    def add(self, name: str) -> Node:
        """A new machine."""
        number = len(self.nodes) + 1
        if not self.bridge:
            node = Node(name, "127.0.0.1")
        else:
            node = Node(name, f"{self.subnet}.{number}", f"{self.bridge}n{number}")
            self._plug(node, f"{self.bridge}v{number}")
        self.nodes.append(node)
        return node

    def _plug(self, node: Node, cable: str) -> None:
        _ip("netns", "add", node.namespace)
        _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", node.namespace)
        _ip("link", "set", cable, "master", self.bridge, "up")
        _ip("-n", node.namespace, "addr", "add", f"{node.address}/24", "dev", "eth0")
        _ip("-n", node.namespace, "link", "set", "eth0", "up")
        _ip("-n", node.namespace, "link", "set", "lo", "up")
        _ip("-n", node.namespace, "route", "add", "default", "via", self.host)  # Ray finds its own address by it


@contextlib.contextmanager
def network() -> Iterator[Network]:
    """A network without nodes yet; at the end all nodes end, and nothing of it is left."""
    made = _bridged() if has_namespaces() else Network("", "127.0.0")
    try:
        yield made
    finally:
        for node in made.nodes:
            node.kill()
            if node.namespace:
                _ip("netns", "del", node.namespace)
        if made.bridge:
            _ip("link", "del", made.bridge)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], object], what: str, *, within: float = 60.0) -> None:
    """Return as soon as something holds; fail when it does not within so many seconds."""
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {within:.0f} s until {what}")
        time.sleep(0.05)


def _bridged() -> Network:
    taken = subprocess.run(["ip", "-o", "addr"], capture_output=True, text=True, check=True).stdout
    rng = random.Random()
    subnet = next(
        subnet
        for subnet in (f"10.{rng.randrange(64, 192)}.{rng.randrange(256)}" for _ in itertools.count())
        if f" {subnet}." not in taken
    )
    made = Network(f"lm{os.getpid() % 100_000:05d}{rng.randrange(100):02d}", subnet)
    _ip("link", "add", made.bridge, "type", "bridge")
    _ip("addr", "add", f"{made.host}/24", "dev", made.bridge)
    _ip("link", "set", made.bridge, "up")
    return made


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def _network_of(pid: int) -> int:
    try:
        return Path(f"/proc/{pid}/ns/net").stat().st_ino
    except OSError:
        return 0


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
