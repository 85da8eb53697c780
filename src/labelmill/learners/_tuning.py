"""What tuning a pretrained model of any kind has in common: options, rates, files."""

from __future__ import annotations

import math
import shutil
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, Self

import torch

from labelmill.errors import MissingDependencyError, UsageError, nearest
from labelmill.learners._pretrained import folder_fingerprint, model_folder
from labelmill.learners._torch_learner import TorchLearner
from labelmill.learners._training_loop import Recipe

__all__ = ["METHODS", "Method", "TunedModel", "checked_numbers"]

Method = Literal["lora", "full"]
METHODS: Final[tuple[str, ...]] = ("lora", "full")

_BASE: Final = "base"
_NOT_COPIED: Final = {".safetensors", ".bin", ".onnx", ".pt", ".pth", ".h5", ".msgpack", ".gguf", ".ot"}
_LEAST: Final = {
    "n_epochs": 1,
    "batch_size": 1,
    "n_accumulated": 1,
    "patience": 1,
    "n_processes": 1,
    "rank": 1,
    "max_tokens": 4,
}


class TunedModel(TorchLearner):
    """A pretrained model whose weights (or adapters beside them) learn from the consensus.

    Plugins set `options` to what their constructor was given, and call `_prepare`.
    """

    RATES: ClassVar[Mapping[str, float]]
    """Method -> learning rate of what was pretrained, unless another is asked for."""

    def _prepare(self, seed: int) -> None:
        options = self.options
        checked_numbers(options)
        if options["method"] not in METHODS:
            raise UsageError(f"unknown method {options['method']!r}: {nearest(options['method'], METHODS)}")
        self._rate = options["learning_rate"] or self.RATES[options["method"]]
        self.checkpoints = Path(options["checkpoints"]) if options["checkpoints"] else None
        self.recipe = Recipe(
            n_epochs=options["n_epochs"],
            batch_size=options["batch_size"],
            n_accumulated=options["n_accumulated"],
            warmup=options["warmup"],
            patience=options["patience"],
            seed=seed,
        )
        self._kept: Path | None = None
        self._new: set[str] = set()

    @property
    def folder(self) -> Path:
        """Where the model lies that is tuned.

        Raises
        ------
        UsageError
            If it is not on this machine; gives the command that fetches it.
        """
        return self._kept or model_folder(self.options["model"])

    @abstractmethod
    def _classifier(self, folder: Path, n_classes: int, *, is_new: bool) -> tuple[torch.nn.Module, set[str]]:
        """The model as a classifier, and the names of parameters that are not pretrained."""

    def _module(self, n_classes: int, *, is_new: bool) -> torch.nn.Module:
        # The weights under adapters are the folder's, also where the adapters are about to be set.
        is_adapted = self.options["method"] == "lora"
        module, new = self._classifier(self.folder, n_classes, is_new=is_new or is_adapted)
        if is_adapted:
            _adapt(module.get_submodule("backbone"), self.options["rank"], self.options["dropout"])
            for name, parameter in module.named_parameters():
                if name in new:
                    parameter.requires_grad = True
        self._new = new
        return module

    def _groups(self, module: torch.nn.Module) -> list[dict[str, Any]]:
        new, decay = self._new, self.options["weight_decay"]
        learning = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
        parts = {
            "tuned": [p for name, p in learning if name not in new],
            "new": [p for name, p in learning if name in new],
        }
        rates = {"tuned": self._rate, "new": self.options["head_rate"]}
        return [{"params": p, "lr": rates[name], "weight_decay": decay} for name, p in parts.items() if p]

    def _made_of(self) -> dict[str, str]:
        if self.options["method"] == "full" and self._kept is not None:
            return {}
        if self.options["method"] == "full":
            return {}
        return {f"the model {Path(self.options['model']).name}": folder_fingerprint(self.folder)}

    def _save_more(self, folder: Path) -> None:
        """A fully tuned model stands alone: settings and vocabulary come along. Adapters need the model beside them."""
        if self.options["method"] == "full":
            shutil.copytree(self.folder, folder / _BASE, ignore=_weights_of, dirs_exist_ok=True)

    @classmethod
    def _loaded(cls, options: Mapping[str, Any], folder: Path) -> Self:
        learner = cls(**options)
        learner._kept = folder / _BASE if (folder / _BASE).is_dir() else None
        return learner


def checked_numbers(options: Mapping[str, Any]) -> None:
    """Refuse options that no training can do with.

    Raises
    ------
    UsageError
        Names the option and what it may be.
    """
    for name, least in _LEAST.items():
        if name in options and options[name] < least:
            raise UsageError(f"{name} must be at least {least}, found {options[name]}")
    for name in ("learning_rate", "head_rate", "weight_decay"):
        if name in options and not 0 <= options[name] < math.inf:
            raise UsageError(f"{name} must be 0 or more, found {options[name]}")
    for name in ("held_out", "warmup", "dropout"):
        if name in options and not 0 <= options[name] < 1:
            raise UsageError(f"{name} must be at least 0 and below 1, found {options[name]}")


def _weights_of(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if Path(name).suffix in _NOT_COPIED]


def _adapt(backbone: torch.nn.Module, rank: int, dropout: float) -> None:
    try:
        from labelmill.learners._lora import adapt
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "method = 'lora' needs 'peft', which is not installed: pip install 'labelmill[lora]', "
            "or choose method = 'full'"
        ) from error
    adapt(backbone, rank=rank, dropout=dropout)  # type: ignore[arg-type]  # transformers' own, as it was made
