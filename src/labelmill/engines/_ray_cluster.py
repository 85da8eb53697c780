"""The way to a Ray cluster: which one, how to reach it, what it has room for."""

from __future__ import annotations

import logging
import math
import os
import re
import socket
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import ray  # noqa: TID253 -- this file is about it

from labelmill.domain.partition import Resources
from labelmill.errors import AnnotationError, LabelmillError, MissingDependencyError, UsageError

__all__ = ["connect", "disconnect", "room"]

REACH_SECONDS: Final = 5.0
"""How long a machine may take to answer before it counts as out of reach; Ray itself tries for minutes."""

OBJECT_STORE_BYTES: Final = 100_000_000
"""Shared memory of a cluster started here: descriptors and receipts need next to none."""

CLUSTER_PORT: Final = 6379
"""Where a head node listens to the machines of its own cluster, unless told otherwise."""

_SETTINGS: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_CLIENT_MAX_CONNECTION_TIMEOUT_S": "5",
}
"""For this process and a cluster it starts, unless the person has set them: no reports home, no long wait."""

_CLIENT: Final = "ray://"

_joined: list[str] = []
"""The address by which this process has joined, as it was given."""


def connect(address: str | None) -> bool:
    """Join the cluster, or start one on this machine; whether the connection is ours to end.

    Raises
    ------
    UsageError
        If it is no address, or this process is connected to another cluster.
    AnnotationError
        If the cluster cannot be joined.
    """
    if ray.is_initialized():
        _require_same(address)
        return False
    chosen = address or _named()
    direct = _direct(chosen)
    if direct not in {"", "auto", "local"}:
        _require_reachable(direct)
    with _quiet():
        try:
            _join(direct)
        except Exception as error:
            raise _told(chosen, error) from error
    _joined[:] = [chosen]
    _print_reports(wanted=False)
    return True


def disconnect() -> None:
    """Leave the cluster; one that `connect` started ends."""
    _joined.clear()
    ray.shutdown()
    _print_reports(wanted=True)


def room(need: Resources) -> tuple[int, int | None]:
    """How many workers the cluster has room for as it stands, if nothing else runs, and how many it may come to have.

    Work without accelerators leaves a core for each accelerator, whose workers may run beside it, and does not grow
    beyond that. Elsewhere the second number is None: new machines are used as they come.

    Raises
    ------
    AnnotationError
        If no machine has room for one worker: Ray would wait for ever.
    """
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    machines: list[dict[str, float]] = [machine["Resources"] for machine in nodes if machine["Alive"]]
    wanted = {"CPU": need.cpus, "GPU": need.gpus, "memory": need.memory or 0}
    wanted = {name: amount for name, amount in wanted.items() if amount} or {"CPU": 1.0}
    fits = [int(min(machine.get(name, 0.0) / amount for name, amount in wanted.items())) for machine in machines]
    if not any(fits):
        raise AnnotationError(_no_room(wanted, machines))
    n_accelerators = sum(machine.get("GPU", 0.0) for machine in machines)
    if need.gpus or not need.cpus or not n_accelerators:
        return sum(fits), None
    beside = max(1, sum(fits) - math.ceil(n_accelerators / need.cpus))
    return beside, beside


def _join(direct: str) -> None:
    if direct == "local" or (not direct and not _reachable(_noted())):
        ray.init(
            "local",
            include_dashboard=False,
            object_store_memory=OBJECT_STORE_BYTES,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    else:  # without an address Ray finds the cluster of this machine by itself, and its token
        ray.init(direct or None, log_to_driver=False, logging_level=logging.ERROR)


def _direct(address: str) -> str:
    """The address without Ray Client in between, where this machine is known to be part of the cluster."""
    place = address.removeprefix(_CLIENT)
    is_part = place in {_noted(), _named()} or place.endswith(f":{CLUSTER_PORT}")
    return place if is_part else address


def _named() -> str:
    return os.environ.get("RAY_ADDRESS", "")  # noqa: TID251 -- where Ray's own users say which cluster


def _noted() -> str:
    """The cluster that `ray start` has made this machine part of, as Ray notes it; empty if there is none."""
    folder = os.environ.get("RAY_TMPDIR")  # noqa: TID251 -- where Ray itself looks
    try:
        return (Path(folder or tempfile.gettempdir()) / "ray" / "ray_current_cluster").read_text().strip()
    except OSError:
        return ""


def _require_same(address: str | None) -> None:
    here = ray.get_runtime_context().gcs_address
    if address and address not in {here, f"{_CLIENT}{here}", *_joined}:
        raise UsageError(
            f"this process is connected to the Ray cluster at {here} and cannot join {address} as well: call "
            "ray.shutdown() first, or leave the address out"
        )


def _require_reachable(address: str) -> None:
    if not _HOST_AND_PORT.fullmatch(address.removeprefix(_CLIENT)):
        raise UsageError(f"{address!r} is no address of a Ray cluster: expected ray://host:port or host:port")
    if not _reachable(address):
        raise AnnotationError(f"nothing answers at {address}: {_checks(address)}")


_HOST_AND_PORT: Final = re.compile(r"\[?[^\s/\]]+\]?:\d{1,5}")


def _reachable(address: str) -> bool:
    host, _, port = address.removeprefix(_CLIENT).rpartition(":")
    if not host:
        return False
    try:
        socket.create_connection((host.strip("[]"), int(port)), REACH_SECONDS).close()
    except (OSError, OverflowError):
        return False
    return True


def _checks(address: str) -> str:
    if address.startswith(_CLIENT):
        return (
            "check that the cluster runs, that the port is the one of Ray Client on its head node (10001 unless "
            "`ray start --ray-client-server-port` says otherwise), and that no firewall lies between; on a machine of "
            "the cluster itself use the engine 'ray'"
        )
    return (
        "check that the cluster runs (`ray status` on its head node) and that this machine is part of it (`ray start "
        "--address=HOST:PORT`); from outside use ray://HOST:10001"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)  # noqa: TID251 -- Ray reads these and nothing else
    logger, level = logging.getLogger("ray"), logging.getLogger("ray").level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Ray's own, about its future defaults
            yield
    finally:
        logger.setLevel(max(level, logging.ERROR))


def _print_reports(*, wanted: bool) -> None:
    """Whether Ray prints what it hears of lost workers; `log_to_driver` does not govern these lines on our output."""
    ray._private.worker._worker_logs_enabled = wanted


def _told(address: str, error: Exception) -> LabelmillError:
    """Ray's error as ours."""
    message = str(error)
    line = next((text.strip() for text in message.splitlines() if text.strip()), type(error).__name__)[:600]
    if "ray[client]" in message:
        return MissingDependencyError("ray:// needs Ray Client, which is not installed: pip install 'labelmill[ray]'")
    if "ersion mismatch" in message:
        return AnnotationError(
            f"the Ray cluster at {address} has other versions than this process; install the same ones. Ray said: "
            + " ".join(message.split())[:600]
        )
    if not address:
        return AnnotationError(f"Ray could not be started on this machine: {line}")
    return AnnotationError(
        f"the Ray cluster at {address} cannot be joined ({line}): {_checks(address)}. If it asks for a token, set "
        "RAY_AUTH_MODE=token and RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH here as on its nodes"
    )


def _no_room(wanted: dict[str, float], machines: list[dict[str, float]]) -> str:
    units = {"CPU": "cores", "GPU": "GPUs", "memory": "bytes of memory"}
    asked = ", ".join(f"{amount:g} {units[name]}" for name, amount in wanted.items())
    largest = "; ".join(
        f"at most {max((machine.get(name, 0.0) for machine in machines), default=0.0):g} {units[name]}"
        for name in wanted
    )
    return (
        f"a worker needs {asked} on one machine; the cluster has {len(machines)} machines with {largest}: add a "
        "machine that has them, or ask for less (`resources` of the annotator)"
    )
