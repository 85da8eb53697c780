"""What all learners in torch share: rows, folds, checkpoints, files; what they read and how they are built differs."""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol, Self

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from labelmill.domain.item import ItemBatch
from labelmill.domain.ports import Progress
from labelmill.errors import FailedError, NotFittedError, StorageError, UsageError
from labelmill.learners import _torchrun
from labelmill.learners._checkpoints import learned_state, put_state
from labelmill.learners._goals import Goals
from labelmill.learners._precision import Place
from labelmill.learners._targets import checked_targets, folds, item_keys
from labelmill.learners._training_loop import Outcome, Recipe, seeded, train
from labelmill.learners._training_order import sorted_batches

__all__ = ["Examples", "TorchLearner"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

_LAYOUT: Final = 1
_WEIGHTS, _STATE = "model.safetensors", "model.json"

_FEWEST_HELD_OUT: Final = 20
"""Fewer held-out items cannot tell a better epoch from a worse one; then all items are learned from, for all epochs."""

_UNCHANGING: Final = ("checkpoints", "device", "n_processes")
"""Options that say where something is done, and change nothing of what is learned."""


class Examples(Protocol):
    """Items as a module takes them."""

    lengths: npt.NDArray[np.int64]
    """Shape (n_items,): what each costs."""
    is_readable: npt.NDArray[np.bool_]
    """Shape (n_items,): False where an item cannot be read at all."""

    def __len__(self) -> int: ...

    def inputs(self, rows: Rows, device: torch.device) -> dict[str, torch.Tensor]:
        """The module's arguments for some items."""


class TorchLearner(ABC):
    """A `Learner` that trains a torch module by `labelmill.learners._training_loop`.

    Plugins say what their options are (`options`), what they read (`_examples`), how their module is built
    (`_module`), and which of its parameters learn how fast (`_groups`).

    An item that cannot be read teaches nothing, and its predictions are NaN.
    """

    resumes: ClassVar[bool] = True
    """Whether `checkpoints` may be set to a folder, so that a training that was killed goes on where it was."""

    options: dict[str, Any]
    """As the constructor was given them."""
    recipe: Recipe
    checkpoints: Path | None = None
    """Folder for the state of trainings that are under way, each in a file named by what is learned from."""

    @abstractmethod
    def _examples(self, batch: ItemBatch) -> Examples:
        """The items, read."""

    @abstractmethod
    def _module(self, n_classes: int, *, is_new: bool) -> torch.nn.Module:
        """An untrained module; not `is_new` if all that it can learn is about to be set."""

    @abstractmethod
    def _groups(self, module: torch.nn.Module) -> list[dict[str, Any]]:
        """Parameters that learn, as AdamW takes them."""

    def _made_of(self) -> dict[str, str]:
        """What the fitted state builds on besides itself, by name; part of the fingerprint."""
        return {}

    def _save_more(self, folder: Path) -> None:  # noqa: B027 - most need nothing
        """Write what `load` needs besides weights and options."""

    @classmethod
    def _loaded(cls, options: Mapping[str, Any], folder: Path) -> Self:  # noqa: ARG003 - for those that need it
        """An unfitted learner with these options, whose `_save_more` wrote into the folder."""
        return cls(**options)

    def fit(
        self,
        batch: ItemBatch,
        probabilities: Floats,
        weights: Floats | None = None,
        progress: Progress | None = None,
        *,
        teacher: Floats | None = None,
    ) -> Self:
        """Learn from targets of shape (n_items, n_classes) and weights of shape (n_items,).

        Parameters
        ----------
        teacher : ndarray, shape (n_items, n_classes), optional
            Probabilities of a teacher to learn from too (distillation); NaN where it said nothing.

        Raises
        ------
        UsageError
            If shapes do not fit, a target or weight is negative or not a number, or an option is impossible.
        FailedError
            If the training diverges.
        """
        goals, n_classes = self._goals(batch, probabilities, weights, teacher)
        self.module_ = self._trained(batch, self._examples(batch), goals, np.arange(len(batch)), n_classes, progress)
        self.n_classes_ = n_classes
        return self

    def predict_proba(self, batch: ItemBatch) -> Floats:
        """Class probabilities, shape (n_items, n_classes); rows sum to 1, or are NaN where an item cannot be read.

        In float32 on processors, so that the other items of a batch do not enter; in the precision of the training on
        graphics cards.

        Raises
        ------
        NotFittedError
            If called before `fit`.
        """
        self._require_fit()
        return self._predicted(self.module_, self._examples(batch), np.arange(len(batch)), self.n_classes_)

    def cross_predict_proba(
        self,
        batch: ItemBatch,
        probabilities: Floats,
        weights: Floats | None = None,
        *,
        n_folds: int = 3,
        teacher: Floats | None = None,
        progress: Progress | None = None,
    ) -> Floats:
        """Class probabilities, shape (n_items, n_classes), each predicted by a fit that did not see the item.

        Folds follow from the items' ids and hold the likely classes in equal shares. Leaves a fitted state as it is.
        """
        goals, n_classes = self._goals(batch, probabilities, weights, teacher)
        n_items = len(batch)
        if n_items < 2 or n_classes < 2:
            return np.full((n_items, n_classes), 1 / n_classes)
        if n_folds < 2:
            raise UsageError(f"n_folds must be at least 2, found {n_folds}")
        examples, number = self._examples(batch), self._folds(batch, goals, n_folds)
        predicted = np.empty((n_items, n_classes))
        for k in range(n_folds):
            held_out = np.flatnonzero(number == k)
            if len(held_out):
                told = _part(progress, k, n_folds)
                module = self._trained(batch, examples, goals, np.flatnonzero(number != k), n_classes, told)
                predicted[held_out] = self._predicted(module, examples, held_out, n_classes)
        return predicted

    def save(self, folder: Path) -> None:
        """Write `model.safetensors` (what was learned) and `model.json` (options); never a pickle."""
        self._require_fit()
        options = {name: value for name, value in self.options.items() if name not in _UNCHANGING}
        state = {"layout": _LAYOUT, "options": options, "n_classes": self.n_classes_, "made_of": self._made_of()}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            save_file({name: t.cpu() for name, t in learned_state(self.module_).items()}, folder / _WEIGHTS)
            (folder / _STATE).write_text(json.dumps(state, default=str), encoding="utf-8")
            self._save_more(folder)
        except (OSError, SafetensorError) as error:
            raise StorageError(f"the learner cannot be written to {folder}: {error}") from error

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The learner that `save` wrote.

        Raises
        ------
        StorageError
            If its files are missing, damaged or of another layout, or what it builds on has changed.
        UsageError
            If the pretrained model that it builds on is not here.
        """
        try:
            state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
            tensors = load_file(folder / _WEIGHTS)
            if state["layout"] != _LAYOUT:
                raise StorageError(f"{folder} has layout {state['layout']!r}, expected {_LAYOUT}: train again")
            learner = cls._loaded(state["options"], folder)
            learner.n_classes_ = state["n_classes"]
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise StorageError(f"no learner can be loaded from {folder} ({error}): train again") from error
        for name, mark in state["made_of"].items():
            if learner._made_of().get(name) != mark:
                raise StorageError(
                    f"the learner in {folder} builds on {name} as it was, which has changed: train again"
                )
        module = learner._module(learner.n_classes_, is_new=False)
        put_state(module, tensors)
        learner.module_ = module.to(learner._place().device).eval()
        return learner

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the options and the fitted state; equal exactly when all predictions are."""
        self._require_fit()
        digest = hashlib.sha256(self._mark().encode() + f"{self.n_classes_}".encode())
        for name, tensor in sorted(learned_state(self.module_).items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(_bytes_of(tensor))
        return digest.hexdigest()

    def _mark(self) -> str:
        """Everything that predictions follow from besides data."""
        options = {name: value for name, value in self.options.items() if name not in _UNCHANGING}
        return json.dumps([type(self).__name__, options, self._made_of()], sort_keys=True, default=str)

    def _require_fit(self) -> None:
        if not hasattr(self, "module_"):
            raise NotFittedError(
                f"this {type(self).__name__} has not learned yet: call fit(batch, probabilities) first"
            )

    @property
    def _n_processes(self) -> int:
        """How many processes train together; those without the option do it alone."""
        return int(self.options.get("n_processes", 1))

    def _place(self) -> Place:
        return Place.of(self.options.get("device", ""), self.options.get("precision", "float32"))

    def _goals(
        self, batch: ItemBatch, probabilities: Floats, weights: Floats | None, teacher: Floats | None
    ) -> tuple[Goals, int]:
        targets, counts = checked_targets(batch, probabilities, weights)
        goals = Goals.of(
            targets,
            counts,
            teacher,
            imbalance=self.options["imbalance"],
            is_confident=self.options["confidence_weights"],
            share=self.options["teacher_share"],
            temperature=self.options["temperature"],
        )
        return goals, targets.shape[1]

    def _folds(self, batch: ItemBatch, goals: Goals, n_folds: int) -> npt.NDArray[np.int64]:
        strata = np.where(
            goals.teaches, np.where(goals.weights[:, None] > 0, goals.targets, goals.taught).argmax(1), -1
        )
        return folds(item_keys(batch.ids, self.recipe.seed), strata, n_folds)

    def _trained(
        self,
        batch: ItemBatch,
        examples: Examples,
        goals: Goals,
        rows: Rows,
        n_classes: int,
        progress: Progress | None,
    ) -> torch.nn.Module:
        """A module that has learned from these rows."""
        place = self._place()
        rows = rows[goals.teaches[rows] & examples.is_readable[rows]]
        if n_classes < 2 or not len(rows):
            with seeded(self.recipe.seed):
                return self._module(n_classes, is_new=False).to(place.device).eval()
        name = self._digest(batch, goals, rows)
        with tempfile.TemporaryDirectory() as spare:
            file = Path(self.checkpoints or spare) / f"{name}.safetensors"
            if self._n_processes > 1:
                # Their last checkpoint is what this process takes up, and finds done.
                _torchrun.train_in_processes(self, batch, goals, rows, file, progress)
            is_kept = self.checkpoints is not None or self._n_processes > 1
            return self.learn(batch, examples, goals, rows, place, file if is_kept else None, progress)

    def learn(
        self,
        batch: ItemBatch,
        examples: Examples | None,
        goals: Goals,
        rows: Rows,
        place: Place,
        checkpoint: Path | None,
        progress: Progress | None,
    ) -> torch.nn.Module:
        """A module that has learned from these rows at this place; what each of several processes does.

        Raises
        ------
        FailedError
            If the training diverges.
        """
        n_classes = goals.targets.shape[1]
        examples = self._examples(batch) if examples is None else examples
        with seeded(self.recipe.seed):
            module = self._module(n_classes, is_new=True)
        training, held_out = self._split(batch, goals, rows)
        task = _Task(self, module, examples, goals, training, held_out, place)
        outcome = train(task, self.recipe, place, checkpoint=checkpoint, progress=progress)
        _require_numbers(module, outcome, self.options["learning_rate"])
        return module

    def _split(self, batch: ItemBatch, goals: Goals, rows: Rows) -> tuple[Rows, Rows]:
        """Rows to learn from and rows that say when to stop; in an order that follows from the items' ids."""
        keys = item_keys(batch.ids, self.recipe.seed)
        rows = rows[np.argsort(keys[rows], kind="stable")]
        share = self.options["held_out"]
        if share * len(rows) < _FEWEST_HELD_OUT:
            return rows, rows[:0]
        number = self._folds(batch, goals, max(2, round(1 / share)))[rows]
        return rows[number > 0], rows[number == 0]

    def _predicted(self, module: torch.nn.Module, examples: Examples, rows: Rows, n_classes: int) -> Floats:
        """Shape (n_rows, n_classes)."""
        found = np.full((len(rows), n_classes), np.nan)
        readable = np.flatnonzero(examples.is_readable[rows])
        place = self._place()
        with torch.inference_mode(), place.autocast() if place.device.type == "cuda" else contextlib.nullcontext():
            for at in sorted_batches(readable, examples.lengths[rows], 2 * self.recipe.batch_size):
                logits = module(**examples.inputs(rows[at], place.device))
                found[at] = torch.softmax(logits.double(), dim=1).cpu().numpy()
        return found

    def _digest(self, batch: ItemBatch, goals: Goals, rows: Rows) -> str:
        """Stands for everything that a training follows from."""
        digest = hashlib.sha256(self._mark().encode())
        digest.update(batch.frame.write_ipc(None).getvalue())
        for numbers in (goals.targets, goals.weights, goals.taught, goals.heeded, goals.chances, rows):
            digest.update(b"-" if numbers is None else np.ascontiguousarray(numbers).tobytes())
        digest.update(f"{goals.share} {goals.temperature}".encode())
        return digest.hexdigest()[:32]


class _Task:
    """A `Trainee`: a module, the items it learns from, and what it is to say of them."""

    def __init__(
        self,
        learner: TorchLearner,
        module: torch.nn.Module,
        examples: Examples,
        goals: Goals,
        training: Rows,
        held_out: Rows,
        place: Place,
    ) -> None:
        self.module, self.training, self.held_out = module, training, held_out
        self.lengths = examples.lengths
        self.chances = None if goals.chances is None else goals.chances[training]
        self._learner, self._examples, self._goals, self._device = learner, examples, goals, place.device

    def groups(self) -> list[dict[str, Any]]:
        return self._learner._groups(self.module)

    def inputs(self, rows: Rows) -> dict[str, torch.Tensor]:
        return self._examples.inputs(rows, self._device)

    def losses(self, outputs: torch.Tensor, rows: Rows) -> torch.Tensor:
        return self._goals.losses(outputs, rows)


def _require_numbers(module: torch.nn.Module, outcome: Outcome, rate: float) -> None:
    state = learned_state(module)
    if not all(torch.isfinite(t).all() for t in state.values() if t.is_floating_point()):
        told = ", ".join(f"{loss:.3g}" for loss, _ in outcome.losses[:5])
        raise FailedError(
            f"the training diverged (losses of the first epochs: {told}): choose a learning_rate below {rate:g}"
        )


def _part(progress: Progress | None, k: int, n: int) -> Progress | None:
    """Progress of the k-th of n trainings of the same length, as part of the whole."""
    if progress is None:
        return None

    def told(done: int, total: int, detail: Mapping[str, Any] | None = None, /) -> None:
        progress(k * total + done, n * total, {"fold": k + 1, "folds": n, **(detail or {})})

    return told


def _bytes_of(tensor: torch.Tensor) -> bytes:
    return tensor.cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
