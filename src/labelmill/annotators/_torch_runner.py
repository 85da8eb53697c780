"""Modules of torch, run without learning."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch  # noqa: TID253 - this file is about it, and imported for modules only
from safetensors.torch import load_file  # noqa: TID253 - likewise

from labelmill.annotators._item_inputs import ItemInputs
from labelmill.annotators._sessions import Tensor
from labelmill.errors import RulesError

__all__ = ["TorchRunner", "state_of"]


def state_of(module: Any) -> tuple[Any, ...]:
    """What a module's answers depend on: its class or the function that makes it, its shape and its weights."""
    if not isinstance(module, torch.nn.Module):
        return (module,)
    weights = {name: _bytes_of(value) for name, value in module.state_dict().items()}
    return (type(module).forward, type(module), repr(module), weights)


class TorchRunner:
    """A module that is ready to run.

    Parameters
    ----------
    module : torch.nn.Module, or function that makes one
    weights : Path, optional
        A file of safetensors.
    gpus : float
        Whether it goes to the accelerator, if there is one.

    Raises
    ------
    RulesError
        If it is no module, or the weights do not fit it.
    """

    def __init__(self, module: Any, weights: Path | None, *, gpus: float = 0) -> None:
        made = module if isinstance(module, torch.nn.Module) else module()
        if not isinstance(made, torch.nn.Module):
            raise RulesError(
                f"torch_predictor takes a torch.nn.Module or a function that makes one, found {made!r:.80}"
            )
        if weights is not None:
            _fill(made, weights)
        self.device = torch.device("cuda" if gpus and torch.cuda.is_available() else "cpu")
        self.module = made.to(self.device).eval()

    def inputs(self, inputs: ItemInputs) -> list[Tensor]:
        """What the module asks for: with a tokenizer those of its parameters that a tokenizer fills, else one."""
        if inputs.tokenizer is None:
            return []
        known = ("input_ids", "attention_mask", "token_type_ids")
        asked = [name for name in inspect.signature(self.module.forward).parameters if name in known]
        return [Tensor(name, (-1, -1), np.dtype(np.int64)) for name in asked or known[:1]]

    def run(self, feeds: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
        """The scores, the first axis being the item."""
        tensors = {name: torch.from_numpy(values).to(self.device) for name, values in feeds.items()}
        with torch.inference_mode():
            answer = self.module(*tensors.values()) if list(tensors) == [""] else self.module(**tensors)
        if isinstance(answer, Mapping) and "out" in answer:  # torchvision's segmenters
            answer = answer["out"]
        scores = getattr(answer, "logits", answer)
        return np.asarray(scores.float().cpu().numpy())


def _fill(module: torch.nn.Module, weights: Path) -> None:
    try:
        module.load_state_dict(load_file(str(weights)))
    except Exception as error:  # a damaged file and weights of another module are told in many ways
        reason = str(error).strip().partition("\n")
        raise RulesError(f"{weights} does not fill the module: {reason[0]} {reason[2].strip():.300}".strip()) from error


def _bytes_of(value: Any) -> Any:
    if not isinstance(value, torch.Tensor):
        return value
    return value.detach().cpu().contiguous().view(torch.uint8).numpy() if value.ndim else value.item()
