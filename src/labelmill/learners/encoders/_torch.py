"""What encoders that run in torch do alike: where they run, with which numbers, and how a folder is loaded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import torch
import transformers

from labelmill.domain.partition import Resources
from labelmill.errors import UsageError

__all__ = ["device_of", "dtype_of", "loaded", "resources_of"]

_DTYPES: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def device_of(name: str) -> torch.device:
    """The device of a name; `auto` is an accelerator where there is one.

    Raises
    ------
    UsageError
        If there is no such device here.
    """
    if name not in {"auto", "cpu", "cuda"}:
        raise UsageError(f"device must be auto, cpu or cuda, found {name!r}")
    has_cuda = torch.cuda.is_available()
    if name == "cuda" and not has_cuda:
        raise UsageError("device = 'cuda', and torch sees no such accelerator here: leave device out, or say cpu")
    return torch.device("cuda" if has_cuda and name != "cpu" else "cpu")


def dtype_of(name: str, device: torch.device) -> torch.dtype:
    """The numbers that weights are kept in; `auto` is bfloat16 where it is computed with in hardware.

    Raises
    ------
    UsageError
        If it is none of those that are supported.
    """
    if name == "auto":
        return torch.bfloat16 if _computes_bfloat16(device) else torch.float32
    if name not in _DTYPES:
        raise UsageError(f"dtype must be auto, {' or '.join(_DTYPES)}, found {name!r}")
    return _DTYPES[name]


def resources_of(device: torch.device) -> Resources:
    """What a worker needs."""
    return Resources(gpus=1) if device.type == "cuda" else Resources()


def loaded(kind: Any, folder: Path, **options: Any) -> Any:
    """What a class of transformers makes of a folder; nothing is fetched, and no code of the folder is run.

    Raises
    ------
    UsageError
        If the folder does not hold such a thing.
    """
    speech: Any = transformers.utils.logging
    progress_was_on, verbosity = speech.is_progress_bar_enabled(), speech.get_verbosity()
    speech.disable_progress_bar()
    speech.set_verbosity_error()
    try:
        return kind.from_pretrained(os.fspath(folder), local_files_only=True, trust_remote_code=False, **options)
    except (OSError, ValueError, KeyError, ImportError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise UsageError(f"the folder {folder} holds no model that can be used: {reason}") from error
    finally:
        speech.set_verbosity(verbosity)
        if progress_was_on:
            speech.enable_progress_bar()


def _computes_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    asks = (getattr(torch.cpu, name, None) for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"))
    return any(ask() for ask in asks if ask is not None)
