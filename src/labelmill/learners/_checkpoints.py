"""Where a training loop stands, in one file that appears whole or not at all; safetensors and JSON, never a pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from labelmill.errors import StorageError

__all__ = ["Standing", "learned_state", "put_state"]

State = dict[str, torch.Tensor]


@dataclass
class Standing:
    """Where a training stands.

    Parameters
    ----------
    epoch, step : int
        The next step: its epoch, and its place there.
    best_loss : float or None
        Least held-out loss so far.
    n_worse : int
        Epochs since.
    is_done : bool
    losses : list of (float, float or None)
        For each epoch done, mean training loss and held-out loss.
    scaler : mapping
        State of the loss scaler; empty without one.
    """

    epoch: int = 0
    step: int = 0
    best_loss: float | None = None
    n_worse: int = 0
    is_done: bool = False
    sum_of_losses: float = 0.0
    losses: list[tuple[float, float | None]] = field(default_factory=list)
    scaler: dict[str, Any] = field(default_factory=dict)

    def save(self, path: Path, tensors: Mapping[str, State]) -> None:
        """Write where it stands with named groups of tensors, in place of what was there.

        Raises
        ------
        StorageError
            If the file cannot be written.
        """
        flat = {f"{group}/{name}": t.detach().cpu() for group, state in tensors.items() for name, t in state.items()}
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            save_file(flat, beside, metadata={"standing": json.dumps(asdict(self))})
            beside.replace(path)
        except (OSError, SafetensorError) as error:
            raise StorageError(f"the checkpoint {path} cannot be written: {error}") from error
        finally:
            beside.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> tuple[Self, dict[str, State]] | None:
        """What `save` wrote; None if there is no file, or it is none of ours."""
        try:
            with safe_open(path, framework="pt") as file:
                told = json.loads((file.metadata() or {})["standing"])
                tensors: dict[str, State] = {}
                for key in file.keys():  # noqa: SIM118 - it is no mapping
                    group, _, name = key.partition("/")
                    tensors.setdefault(group, {})[name] = file.get_tensor(key)
        except (OSError, SafetensorError, KeyError, ValueError):
            return None
        told["losses"] = [(one, other) for one, other in told["losses"]]
        return cls(**told), tensors


def learned_state(module: torch.nn.Module) -> State:
    """Copies of what training changes: parameters that learn, and buffers such as running means."""
    frozen = {name for name, parameter in module.named_parameters() if not parameter.requires_grad}
    return {name: t.detach().clone().contiguous() for name, t in module.state_dict().items() if name not in frozen}


def put_state(module: torch.nn.Module, state: State) -> None:
    """Set what `learned_state` told.

    Raises
    ------
    StorageError
        If it is that of another module.
    """
    found = module.state_dict()
    strange = [name for name, t in state.items() if name not in found or found[name].shape != t.shape]
    if strange:
        raise StorageError(f"the weights are those of another model ({strange[0]} does not fit): train again")
    with torch.no_grad():
        for name, tensor in state.items():
            found[name].copy_(tensor)
