"""A model's file: there, small enough for this machine, and counted by its bytes."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from labelmill.annotators._places import file_named
from labelmill.errors import RulesError

__all__ = ["FACTOR", "ModelFile", "available_bytes"]

FACTOR: Final = 2.0
"""Bytes of memory for each byte of a model's file: its weights, what the runtime makes of them, and a batch.

Measured with ONNX Runtime and a model of 160 MB: 1.4, the library included.
"""

BESIDE: Final = ("{name}_data", "{name}.data", "{stem}.data", "{stem}.weights")
"""Where large ONNX models keep their weights."""

MEMORY_LIMITS: Final = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes")),
)


class ModelFile:
    """A file with a trained model.

    Parameters
    ----------
    name : str or Path
        Relative to the rules or the project file.

    Raises
    ------
    RulesError
        If it is not there.
    """

    def __init__(self, name: Any) -> None:
        self.path = file_named(name, "file")

    def __str__(self) -> str:
        return self.path.name

    @property
    def parts(self) -> list[Path]:
        """The file, and those with its weights beside it."""
        beside = [shape.format(name=self.path.name, stem=self.path.stem) for shape in BESIDE]
        return [self.path, *(file_named(self.path.with_name(n), "file") for n in beside if self._has(n))]

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the bytes, wherever they lie."""
        digests = []
        for path in self.parts:
            with path.open("rb") as file:
                digests.append(hashlib.file_digest(file, "sha256").hexdigest())
        return "-".join(digests)

    def fingerprint_parts(self) -> tuple[Any, ...]:
        """What votes depend on."""
        return (self.fingerprint,)

    def check_memory(self, available: int | None = None) -> None:
        """Refuse a model that this machine cannot hold.

        Parameters
        ----------
        available : int, optional
            Bytes that are free; looked up without it.

        Raises
        ------
        RulesError
            Says how much it needs and how much there is.
        """
        free = available_bytes() if available is None else available
        need = round(FACTOR * sum(path.stat().st_size for path in self.parts))
        if free is not None and need > free:
            raise RulesError(
                f"{self.path} needs about {_spoken(need)} of memory ({FACTOR:g} times its size), and {_spoken(free)} "
                "are free: take a smaller or a quantised model, fewer workers, or a larger machine"
            )

    def _has(self, name: str) -> bool:
        return self.path.with_name(name).is_file()


def available_bytes() -> int | None:
    """Memory that is free here, as the kernel and the container see it; None where nobody tells."""
    found = []
    for limit, used in MEMORY_LIMITS:
        try:
            found.append(int(limit.read_text()) - int(used.read_text()))
        except (OSError, ValueError):  # no such container, or no limit
            continue
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        found += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    except (OSError, ValueError):
        pass
    return max(min(found), 0) if found else None


def _spoken(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"
