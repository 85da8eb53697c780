"""A small network that learns which pixels of a picture belong to what, from masks."""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from labelmill.domain.item import ItemBatch
from labelmill.domain.ports import Progress
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote import VoteBatch
from labelmill.errors import FailedError, NotFittedError, StorageError, UsageError
from labelmill.learners._checkpoints import learned_state, put_state
from labelmill.learners._precision import Place, Precision
from labelmill.learners._scenes import Scenes, masks_of
from labelmill.learners._segmenter_net import SegmenterNet
from labelmill.learners._targets import folds, item_keys
from labelmill.learners._training_loop import Recipe, seeded, train
from labelmill.learners._tuning import checked_numbers

__all__ = ["Segmenter"]

Rows = npt.NDArray[np.intp]

_LAYOUT: Final = 1
_WEIGHTS, _STATE = "model.safetensors", "model.json"
_FEWEST_HELD_OUT: Final = 5
_COLD: Final = ("checkpoints", "device")


class Segmenter:
    """Learns masks with a class each (semantic segmentation) from the masks of the consensus.

    A fully convolutional encoder and decoder with skips, in the manner of FCN and U-Net, small enough for a processor;
    it starts from random weights. Pictures are pressed into a square, and what it finds is brought back to the pixels
    of the original. Each class makes one mask at most; where objects of one class must be told apart, it is no help.

    Parameters
    ----------
    side : int
        Of the square, in pixels; a multiple of 16.
    width : int
        Channels at full size; twice as many at each of three smaller ones.
    n_epochs, batch_size : int
        Most times each picture is seen; pictures that go through at once.
    learning_rate, weight_decay : float
    flips : bool
        Whether to show pictures mirrored, too.
    held_out, patience : float, int
        Share of the pictures that says when to stop (if that is five or more); epochs without a better loss there.
    smallest : float
        Masks of a smaller share of the picture are left out.
    precision : {"auto", "float32", "bfloat16", "float16"}
        Of products of matrices while it learns.
    device : str
        The graphics card, if there is one, without it.
    checkpoints : str or Path
        Folder for trainings that are under way. `labelmill train` sets it.
    seed : int

    References
    ----------
    J. Long, E. Shelhamer, T. Darrell (2015). Fully Convolutional Networks for Semantic Segmentation.
    https://arxiv.org/abs/1411.4038
    O. Ronneberger, P. Fischer, T. Brox (2015). U-Net. https://arxiv.org/abs/1505.04597
    """

    label_kinds: ClassVar[tuple[str, ...]] = ("mask",)
    resumes: ClassVar[bool] = True

    def __init__(
        self,
        *,
        side: int = 128,
        width: int = 16,
        n_epochs: int = 60,
        batch_size: int = 8,
        learning_rate: float = 3e-3,
        weight_decay: float = 1e-4,
        flips: bool = True,
        held_out: float = 0.1,
        patience: int = 15,
        smallest: float = 0.001,
        precision: Precision = "auto",
        device: str = "",
        checkpoints: Path | str = "",
        seed: int = 0,
    ) -> None:
        self.options: dict[str, Any] = {
            name: value for name, value in locals().items() if name not in {"self", "__class__"}
        }
        self.options["checkpoints"] = str(checkpoints)
        checked_numbers(self.options)
        if side < 16 or side % 16:
            raise UsageError(f"side must be a multiple of 16, found {side}: 128 and 256 are usual")
        if width < 1:
            raise UsageError(f"width must be at least 1, found {width}")
        self.checkpoints = Path(checkpoints) if checkpoints else None
        self.recipe = Recipe(n_epochs=n_epochs, batch_size=batch_size, patience=patience, seed=seed)

    def fit_values(
        self,
        batch: ItemBatch,
        values: Sequence[Any],
        schema: LabelSchema,
        weights: npt.NDArray[np.float64] | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Learn from the masks of each picture; None where there is no answer, `[]` where nothing is there.

        Raises
        ------
        FailedError
            If no picture with an answer can be read, or the training diverges.
        """
        scenes = Scenes(batch, self.options["side"], values, schema.classes)
        self.module_ = self._trained(batch, scenes, _weights(batch, weights), np.arange(len(batch)), schema, progress)
        self.classes_ = tuple(schema.classes)
        return self

    def predict_values(self, batch: ItemBatch, schema: LabelSchema) -> VoteBatch:
        """Masks of each picture, in pixels of the original; a fault where it cannot be read.

        Raises
        ------
        NotFittedError
            If called before `fit_values`.
        UsageError
            If the classes are not those learned.
        """
        self._require_fit()
        if tuple(schema.classes) != self.classes_:
            raise UsageError(f"the segmenter learned {', '.join(self.classes_)}; the classes have changed: train again")
        scenes = Scenes(batch, self.options["side"], None, schema.classes)
        labels: list[Any] = [None] * len(batch)
        self._put(self.module_, scenes, np.arange(len(batch)), schema, labels)
        return VoteBatch(labels, scenes.faults)

    def cross_predict_values(
        self,
        batch: ItemBatch,
        values: Sequence[Any],
        schema: LabelSchema,
        weights: npt.NDArray[np.float64] | None = None,
        *,
        n_folds: int = 3,
        progress: Progress | None = None,
    ) -> VoteBatch:
        """Masks of each picture by a fit that did not see its answer."""
        scenes = Scenes(batch, self.options["side"], values, schema.classes)
        number = folds(item_keys(batch.ids, self.recipe.seed), np.where(scenes.is_known, 1, 0), n_folds)
        labels: list[Any] = [None] * len(batch)
        counts = _weights(batch, weights)
        for k in range(n_folds):
            rows, held_out = np.flatnonzero(number != k), np.flatnonzero(number == k)
            if len(held_out) and (scenes.is_known & scenes.is_readable)[rows].any():
                module = self._trained(batch, scenes, counts, rows, schema, progress)
                self._put(module, scenes, held_out, schema, labels)
        return VoteBatch(labels, scenes.faults)

    def save(self, folder: Path) -> None:
        """Write `model.safetensors` and `model.json`; never a pickle."""
        self._require_fit()
        options = {name: value for name, value in self.options.items() if name not in _COLD}
        state = {"layout": _LAYOUT, "options": options, "classes": list(self.classes_)}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            save_file({name: t.cpu() for name, t in learned_state(self.module_).items()}, folder / _WEIGHTS)
            (folder / _STATE).write_text(json.dumps(state), encoding="utf-8")
        except (OSError, SafetensorError) as error:
            raise StorageError(f"the learner cannot be written to {folder}: {error}") from error

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The learner that `save` wrote.

        Raises
        ------
        StorageError
            If its files are missing, damaged or of another layout.
        """
        try:
            state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
            tensors = load_file(folder / _WEIGHTS)
            if state["layout"] != _LAYOUT:
                raise StorageError(f"{folder} has layout {state['layout']!r}, expected {_LAYOUT}: train again")
            learner = cls(**state["options"])
            learner.classes_ = tuple(state["classes"])
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise StorageError(f"no learner can be loaded from {folder} ({error}): train again") from error
        module = learner._module(len(learner.classes_))
        put_state(module, tensors)
        learner.module_ = module.to(learner._place().device).eval()
        return learner

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the options and the fitted state."""
        self._require_fit()
        digest = hashlib.sha256(f"{self._mark()} {self.classes_}".encode())
        for name, tensor in sorted(learned_state(self.module_).items()):
            digest.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def _mark(self) -> str:
        return json.dumps({name: value for name, value in self.options.items() if name not in _COLD}, sort_keys=True)

    def _require_fit(self) -> None:
        if not hasattr(self, "module_"):
            raise NotFittedError("this Segmenter has not learned yet: call fit_values(batch, values, schema) first")

    def _place(self) -> Place:
        return Place.of(self.options["device"], self.options["precision"])

    def _module(self, n_classes: int) -> SegmenterNet:
        return SegmenterNet(n_classes + 1, self.options["width"])

    def _trained(
        self,
        batch: ItemBatch,
        scenes: Scenes,
        weights: npt.NDArray[np.float64],
        rows: Rows,
        schema: LabelSchema,
        progress: Progress | None,
    ) -> SegmenterNet:
        keys = item_keys(batch.ids, self.recipe.seed)
        rows = rows[(scenes.is_known & scenes.is_readable & (weights > 0))[rows]]
        rows = rows[np.argsort(keys[rows], kind="stable")]
        if not len(rows):
            raise FailedError("no picture with masks can be read: import the answers, and see [storage] media")
        n_held_out = int(self.options["held_out"] * len(rows))
        held_out, training = np.split(rows, [n_held_out if n_held_out >= _FEWEST_HELD_OUT else 0])
        place = self._place()
        with seeded(self.recipe.seed):
            module = self._module(len(schema.classes))
        task = _Task(module, scenes, weights, training, held_out, place.device, self.options)
        with tempfile.TemporaryDirectory() as spare:
            file = Path(self.checkpoints or spare) / f"{_digest(self._mark(), scenes, weights, rows)}.safetensors"
            train(task, self.recipe, place, checkpoint=file if self.checkpoints else None, progress=progress)
        if not all(torch.isfinite(t).all() for t in learned_state(module).values()):
            raise FailedError(f"the training diverged: choose a learning_rate below {self.options['learning_rate']:g}")
        return module

    def _put(self, module: SegmenterNet, scenes: Scenes, rows: Rows, schema: LabelSchema, labels: list[Any]) -> None:
        """Write the masks of some pictures into their places."""
        place, size = self._place(), self.recipe.batch_size
        readable = rows[scenes.is_readable[rows]]
        with torch.inference_mode(), place.autocast() if place.device.type == "cuda" else contextlib.nullcontext():
            for start in range(0, len(readable), size):
                part = readable[start : start + size]
                logits = module(scenes.pixels(part, place.device)).float()
                for row, each in zip(part.tolist(), logits, strict=True):
                    labels[row] = masks_of(each, scenes.sizes[row], schema.classes, self.options["smallest"])


class _Task:
    """A `Trainee`: a network, pictures, and the class of each pixel."""

    def __init__(
        self,
        module: SegmenterNet,
        scenes: Scenes,
        weights: npt.NDArray[np.float64],
        training: Rows,
        held_out: Rows,
        device: torch.device,
        options: Mapping[str, Any],
    ) -> None:
        self.module: torch.nn.Module = module
        self.training, self.held_out = training, held_out
        self.lengths = np.ones(len(weights), dtype=np.int64)
        self.chances: npt.NDArray[np.float64] | None = None
        self._scenes, self._device, self._options = scenes, device, options
        self._weights = weights / weights[training].mean()
        self._mirrored: torch.Tensor | None = None

    def groups(self) -> list[dict[str, Any]]:
        rate, decay = self._options["learning_rate"], self._options["weight_decay"]
        return [{"params": list(self.module.parameters()), "lr": rate, "weight_decay": decay}]

    def inputs(self, rows: Rows) -> dict[str, torch.Tensor]:
        pixels = self._scenes.pixels(rows, self._device)
        self._mirrored = None
        if self.module.training and self._options["flips"]:
            self._mirrored = torch.rand(len(rows), device="cpu").to(self._device) < 0.5  # of the loop's seeded numbers
            pixels = _mirror(pixels, self._mirrored)
        return {"pixels": pixels}

    def losses(self, outputs: torch.Tensor, rows: Rows) -> torch.Tensor:
        canvases = np.stack([self._scenes.canvases[int(row)] for row in rows])
        wanted = torch.from_numpy(canvases.astype(np.int64)).to(outputs.device)
        if self._mirrored is not None:
            wanted = _mirror(wanted, self._mirrored)
        each = nn.functional.cross_entropy(outputs, wanted, reduction="none").mean(dim=(1, 2))
        return each * torch.from_numpy(self._weights[rows].astype(np.float32)).to(outputs.device)


def _mirror(pictures: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
    shape = [-1] + [1] * (pictures.dim() - 1)
    return torch.where(which.view(shape), pictures.flip(-1), pictures)


def _weights(batch: ItemBatch, weights: npt.NDArray[np.float64] | None) -> npt.NDArray[np.float64]:
    return np.ones(len(batch)) if weights is None else np.asarray(weights, dtype=np.float64)


def _digest(mark: str, scenes: Scenes, weights: npt.NDArray[np.float64], rows: Rows) -> str:
    digest = hashlib.sha256(mark.encode())
    for row in rows.tolist():
        digest.update(scenes.pictures[row].tobytes() + scenes.canvases[row].tobytes())
    digest.update(weights[rows].tobytes())
    return digest.hexdigest()[:32]
