"""Where a torch module is trained and in which numbers."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, get_args

import torch

from labelmill.errors import UsageError, nearest

__all__ = ["PRECISIONS", "Place", "Precision", "chosen_device"]

Precision = Literal["auto", "float32", "bfloat16", "float16"]
PRECISIONS: Final[tuple[str, ...]] = get_args(Precision)

_TYPES: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class Place:
    """A device, the numbers it computes in, and its part in a group of processes.

    Parameters
    ----------
    device : torch.device
    precision : {"float32", "bfloat16", "float16"}
        Of products of matrices; weights and sums stay float32. float16 needs its losses scaled, bfloat16 does not.
    rank, n_processes : int
        Which of how many processes that train together this one is.
    """

    device: torch.device
    precision: str = "float32"
    rank: int = 0
    n_processes: int = 1

    @classmethod
    def of(cls, device: str, precision: str, *, rank: int = 0, n_processes: int = 1) -> Place:
        """The place meant by a device's name ("" for the best there is) and a precision.

        `auto` is bfloat16 where the processor or the graphics card has units for it, float16 on older cards, float32
        elsewhere.

        Raises
        ------
        UsageError
            If there is no such device or precision.
        """
        if precision not in PRECISIONS:
            raise UsageError(f"unknown precision {precision!r}: {nearest(precision, PRECISIONS)}")
        found = chosen_device(device)
        return cls(found, _fast(found.type) if precision == "auto" else precision, rank, n_processes)

    @property
    def is_first(self) -> bool:
        """Whether it is the process that writes and tells."""
        return self.rank == 0

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        """Inside, products of matrices are computed in the precision."""
        if self.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, _TYPES[self.precision])

    def scaler(self) -> torch.amp.GradScaler:
        """Scales losses so that small gradients survive float16; does nothing in other precisions."""
        return torch.amp.GradScaler(self.device.type, enabled=self.precision == "float16")


def chosen_device(name: str) -> torch.device:
    """The device called so; without a name the graphics card if there is one.

    Raises
    ------
    UsageError
        If torch does not know it or has none.
    """
    if not name:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        told = str(error).partition("\n")[0]
        raise UsageError(f"there is no device {name!r} here ({told}): leave it out, or say 'cpu' or 'cuda'") from error
    return device


@cache
def _fast(device_type: str) -> str:
    if device_type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"
    return "bfloat16" if device_type == "cpu" and _multiplies_bfloat16() else "float32"


def _multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for it; without them bfloat16 is slower than float32."""
    can = torch.cpu.get_capabilities()
    return bool(can.get("amx_bf16") or can.get("avx512_bf16"))
