"""A pretrained model of pictures, tuned on the consensus."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoModelForImageClassification

from labelmill.domain.item import ItemBatch
from labelmill.learners._goals import Imbalance
from labelmill.learners._precision import Precision
from labelmill.learners._text_modules import headed
from labelmill.learners._tuning import Method, TunedModel
from labelmill.learners.encoders._pictures import pictures_of

__all__ = ["FineTunedImages"]

_PREPROCESSING: Final = "preprocessor_config.json"
_SIDE: Final = 224
_PLAIN: Final = (0.5, 0.5, 0.5)
"""Mean and deviation of channels where the model does not say: -1 to 1."""


class FineTunedImages(TunedModel):
    """Tunes any image classifier of Hugging Face, by low-rank adapters (LoRA) or as a whole.

    Pictures are brought to the size and the range that the model's folder asks for. One that cannot be decoded teaches
    nothing, and the model abstains on it. Loss, rates, stopping and files are those of `fine_tuned`.

    Parameters
    ----------
    model : str or Path
        A folder (from the project's), or a name on Hugging Face that is in its cache. Nothing is downloaded.
    method : {"lora", "full"}
        Adapters suit models with attention; convolutional ones are tuned as a whole.
    n_epochs, batch_size, n_accumulated : int
        Most times each picture is seen; pictures that go through at once; batches summed before each step.
    learning_rate, head_rate : float
        Of pretrained weights (0: what suits the method) and of new ones.
    weight_decay, warmup, dropout : float
        Decay of weights; share of the steps in which rates rise; of adapters.
    rank : int
        Of adapters.
    held_out, patience : float, int
        Share of the items that says when to stop; epochs without a better loss there.
    imbalance : {"none", "weights", "resampling"}
        That rare classes count as much as common ones.
    confidence_weights : bool
        Whether items weigh less the less sure the consensus is.
    teacher_share, temperature : float
        Of distillation: lambda and T; they count only where there is a teacher.
    precision : {"auto", "float32", "bfloat16", "float16"}
        Of products of matrices while it learns.
    device : str
        E.g. "cuda:1"; the graphics card, if there is one, without it.
    checkpoints : str or Path
        Folder for trainings that are under way. `labelmill train` sets it.
    seed : int
    """

    RATES: ClassVar[Mapping[str, float]] = {"lora": 2e-3, "full": 1e-4}

    def __init__(
        self,
        *,
        model: Path | str,
        method: Method = "lora",
        n_epochs: int = 10,
        batch_size: int = 16,
        n_accumulated: int = 1,
        learning_rate: float = 0.0,
        head_rate: float = 2e-3,
        weight_decay: float = 0.01,
        warmup: float = 0.1,
        dropout: float = 0.1,
        rank: int = 16,
        held_out: float = 0.1,
        patience: int = 3,
        imbalance: Imbalance = "none",
        confidence_weights: bool = False,
        teacher_share: float = 0.7,
        temperature: float = 2.0,
        precision: Precision = "auto",
        device: str = "",
        checkpoints: Path | str = "",
        seed: int = 0,
    ) -> None:
        self.options = {name: value for name, value in locals().items() if name not in {"self", "__class__"}}
        self.options |= {"model": str(model), "checkpoints": str(checkpoints)}
        self._prepare(seed)

    def _examples(self, batch: ItemBatch) -> _Pictures:
        return _Pictures(batch, self.folder)

    def _classifier(self, folder: Path, n_classes: int, *, is_new: bool) -> tuple[torch.nn.Module, set[str]]:
        return headed(AutoModelForImageClassification, folder, n_classes, is_new=is_new)


class _Pictures:
    """Pictures in the size of a model, as bytes; numbers are made of them batch by batch."""

    def __init__(self, batch: ItemBatch, folder: Path) -> None:
        told = _told(folder)
        side, mean, std = _size(folder, told), told.get("image_mean", _PLAIN), told.get("image_std", _PLAIN)
        rows, pictures, _ = pictures_of(batch, side, crop=bool(told.get("do_center_crop")))
        self.is_readable = np.zeros(len(batch), dtype=np.bool_)
        self.is_readable[rows] = True
        self.lengths = np.ones(len(batch), dtype=np.int64)
        self._at = dict(zip(rows, pictures, strict=True))
        self._mean, self._std = (np.array(each, dtype=np.float32) * 255 for each in (mean, std))

    def __len__(self) -> int:
        return len(self.is_readable)

    def inputs(self, rows: npt.NDArray[np.intp], device: torch.device) -> dict[str, torch.Tensor]:
        """Shape (n_items, 3, height, width)."""
        pixels = np.stack([self._at[int(row)] for row in rows]).astype(np.float32)
        scaled = ((pixels - self._mean) / self._std).transpose(0, 3, 1, 2)
        return {"pixel_values": torch.from_numpy(np.ascontiguousarray(scaled)).to(device)}


def _told(folder: Path) -> dict[str, object]:
    path = folder / _PREPROCESSING
    told: dict[str, object] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return told


def _size(folder: Path, told: Mapping[str, object]) -> tuple[int, int]:
    """Height and width that the model wants."""
    size = told.get("crop_size") if told.get("do_center_crop") else told.get("size")
    if isinstance(size, Mapping) and {"height", "width"} <= set(size):
        return int(size["height"]), int(size["width"])
    if isinstance(size, Mapping) and "shortest_edge" in size:
        return int(size["shortest_edge"]), int(size["shortest_edge"])
    if isinstance(size, int):
        return size, size
    side = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("image_size", _SIDE)
    return (side, side) if isinstance(side, int) else tuple(side)
