"""A fitted state in a folder: one file of arrays, one of JSON, never a pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from labelmill.errors import StorageError

__all__ = ["loading", "read_state", "state_fingerprint", "write_state"]

Arrays = Mapping[str, npt.NDArray[Any]]

ARRAYS: Final = "model.npz"
STATE: Final = "model.json"


def write_state(folder: Path, state: Mapping[str, Any], arrays: Arrays) -> None:
    """Write `model.npz` and `model.json`; the folder is made.

    Raises
    ------
    StorageError
        If the files cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / ARRAYS, allow_pickle=False, **arrays)
        (folder / STATE).write_text(json.dumps(state), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"the learner cannot be written to {folder}: {error.strerror or error}") from error


def read_state(folder: Path, *, layout: int) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """What `write_state` wrote, if its `layout` is the one given; to be called in `loading`.

    Raises
    ------
    StorageError
        If it has another layout.
    """
    state = json.loads((folder / STATE).read_text(encoding="utf-8"))
    with (folder / ARRAYS).open("rb") as handle, np.load(handle, allow_pickle=False) as file:
        arrays = dict(file)
    if state["layout"] != layout:
        raise StorageError(f"{folder} has layout {state['layout']!r}, expected {layout}: train again")
    return state, arrays


@contextmanager
def loading(folder: Path) -> Iterator[None]:
    """Turns whatever a missing or damaged file may cause into one error that says so.

    Raises
    ------
    StorageError
        If the block fails for such a reason.
    """
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise StorageError(f"no learner can be loaded from {folder} ({error}): train again") from error


def state_fingerprint(*parts: Any, arrays: Arrays) -> str:
    """SHA-256 of JSON-able parts and of arrays by name, type and shape."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(json.dumps(part, sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
