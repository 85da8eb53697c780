"""Files of models: found on this machine or not at all, and known by their content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from labelmill.errors import UsageError

__all__ = ["content_hash", "folder_of", "model_file", "model_files", "told_hash"]

_COUNTING: Final = (".json", ".safetensors", ".txt", ".model", ".onnx", ".onnx_data")
"""Endings of the files of a model that its vectors follow from."""


def model_file(place: str, what: str) -> Path:
    """A file of a model.

    Raises
    ------
    UsageError
        If it is not there.
    """
    path = Path(place)
    if not path.is_file():
        raise UsageError(
            f"the {what} {place!r} is not there: name an existing file, by its path from the project's folder; "
            "nothing is downloaded by itself"
        )
    return path


def folder_of(model: str) -> Path:
    """A model's folder: the one that is named, or that of a Hugging Face name in this machine's cache.

    Raises
    ------
    UsageError
        If it is on this machine in neither way; gives the command that fetches it.
    """
    path = Path(model)
    if path.is_dir():
        return path
    if "/" in model and not path.is_absolute():
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

        try:
            return Path(snapshot_download(model, local_files_only=True))
        except (LocalEntryNotFoundError, HFValidationError):
            pass
    name = path.name or model
    raise UsageError(
        f"the model {model!r} is not on this machine: it is no folder and not in the cache of Hugging Face, and "
        f"nothing is downloaded by itself. Fetch it with `hf download {model} --local-dir models/{name}` and name the "
        f"folder models/{name}, or name a folder that is there"
    )


def content_hash(paths: Iterable[Path]) -> str:
    """Hash of files by content, whatever folder they lie in."""
    told = [[path.name, _file_hash(str(path), path.stat().st_size, path.stat().st_mtime_ns)] for path in paths]
    return told_hash(sorted(told))


def model_files(folder: Path) -> list[Path]:
    """The files of a model's folder that its vectors follow from."""
    found = [path for path in folder.rglob("*") if path.suffix in _COUNTING and not path.name.startswith(".")]
    return sorted(path for path in found if path.is_file() and ".cache" not in path.relative_to(folder).parts)


def told_hash(told: Any) -> str:
    """Hash of JSON data, 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


@lru_cache(maxsize=64)
def _file_hash(path: str, size: int, changed: int) -> str:  # noqa: ARG001 -- the key is the file as it is now
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
