"""Engines by what they are called: a plugin's name, or the address of a cluster."""

from __future__ import annotations

import re
from typing import Final

from labelmill import registry
from labelmill.domain.ports import Engine
from labelmill.errors import UsageError, nearest

__all__ = ["check_engine", "open_engine", "stays_here"]

_ADDRESSES: Final = {
    "ray": (r"ray://.+",),
    "spark": (r"spark://.+", r"local(\[.+\])?", r"local-cluster\[.+\]", r"yarn", r"k8s://.+"),
}
"""Plugin -> the addresses that it takes, as patterns."""

_FORMS: Final = ("ray://HOST:PORT", "spark://HOST:PORT", "local[2]", "yarn", "k8s://HOST:PORT")


def check_engine(spec: str) -> str:
    """The spec, if an engine can be meant by it. Loads nothing, so it does not know whether the cluster answers.

    Raises
    ------
    UsageError
        Names the nearest engine and the forms of addresses.
    """
    _plugin_of(spec)
    return spec


def open_engine(spec: str, *, workers: int | None = None) -> Engine:
    """The engine of a name, or of a cluster's address.

    Parameters
    ----------
    spec : str
        `serial`, `processes`, `ray`, `spark` or another plugin's name; `ray://host:port`; a master of Spark:
        `spark://host:port`, `local[2]`, `yarn`, `k8s://...`.
    workers : int, optional
        How many workers at most; passed on only if it is given.

    Raises
    ------
    UsageError
        If there is no such engine; names the nearest.
    MissingDependencyError
        If the engine's library is not installed.
    """
    name = _plugin_of(spec)
    options = {} if workers is None else {"workers": workers}
    plugin = registry.find("engine", name)
    engine: Engine = plugin(**options) if name == spec else plugin(spec, **options)
    return engine


def stays_here(spec: str) -> bool:
    """Whether all its workers are on this machine, as far as the name tells."""
    return spec in {"serial", "processes"} or spec.startswith("local")


def _plugin_of(spec: str) -> str:
    names = registry.names("engine")
    if spec in names:
        return spec
    for name, patterns in _ADDRESSES.items():
        if any(re.fullmatch(pattern, spec) for pattern in patterns):
            return name
    raise UsageError(f"no engine is called {spec!r}: {nearest(spec, names)} Or an address: {', '.join(_FORMS)}.")
