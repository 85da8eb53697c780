"""The loop that trains a torch module on weighted rows: for one process, and for several with DDP alike.

Nothing random is carried from step to step: the order of rows follows from the seed and the epoch, dropout from the
seed and the step. So a training that is taken up from its checkpoint ends with the bits it would have ended with.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from labelmill.domain.ports import Progress
from labelmill.learners._checkpoints import Standing, learned_state, put_state
from labelmill.learners._precision import Place
from labelmill.learners._training_order import epoch_batches, sorted_batches

__all__ = ["Outcome", "Recipe", "Trainee", "seeded", "train"]

Rows = npt.NDArray[np.intp]

_BETAS: Final = (0.9, 0.999)
_EVALUATED: Final = 2
"""Batches are this many times as large where no gradient is kept."""


class Trainee(Protocol):
    """What is trained, and on what."""

    module: torch.nn.Module
    lengths: npt.NDArray[np.int64]
    """Shape (n_items,): what each item costs; items of like cost share a batch."""
    training: Rows
    """Positions of the items to train on."""
    held_out: Rows
    """Positions of the items that decide when to stop; none to train for all epochs."""
    chances: npt.NDArray[np.float64] | None
    """Shape (n_training,): how often to draw each item of `training`; None for each once an epoch."""

    def groups(self) -> list[dict[str, Any]]:
        """Parameters that learn, as AdamW takes them: `params`, `lr`, `weight_decay`."""

    def inputs(self, rows: Rows) -> dict[str, torch.Tensor]:
        """What the module is called with, on its device."""

    def losses(self, outputs: torch.Tensor, rows: Rows) -> torch.Tensor:
        """Weighted loss of each row, shape (n_rows,), float32; weights are 1 on average."""


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Parameters
    ----------
    n_epochs : int
        At most.
    batch_size : int
        Items that go through the module at once, over all processes together.
    n_accumulated : int
        Batches whose gradients are summed before each step.
    warmup : float
        Share of the steps in which the learning rate rises; it falls to zero over the others.
    clip : float
        Longest gradient.
    patience : int
        Epochs without a better held-out loss after which to stop; the best weights are kept.
    checkpoint_steps : int
        Steps from one checkpoint to the next, besides one at the end of each epoch.
    """

    n_epochs: int
    batch_size: int
    n_accumulated: int = 1
    warmup: float = 0.1
    clip: float = 1.0
    patience: int = 3
    checkpoint_steps: int = 200
    seed: int = 0


@dataclass(frozen=True)
class Outcome:
    """What became of a training: mean training loss and held-out loss for each epoch, and how many steps there were."""

    losses: list[tuple[float, float | None]]
    n_steps: int


def train(
    trainee: Trainee,
    recipe: Recipe,
    place: Place,
    *,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Train the module where it is; it is left with its best weights, ready to predict.

    Parameters
    ----------
    checkpoint : Path, optional
        File to go on from, if it is there, and to write as the training goes on. It is left as it is at the end: the
        same training asked for again is done at once.
    progress : Progress, optional
        Called after each step with steps done and in all, and a detail: `epoch` and `epochs`, `loss` (mean of the epoch
        so far) and `held_out`.
    """
    return _Training(trainee, recipe, place, checkpoint, progress).run()


@contextlib.contextmanager
def seeded(*numbers: int) -> Any:
    """Inside, torch draws what follows from the numbers; outside, it goes on as if nothing had been drawn."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        # What numpy makes of the numbers, so that neighbouring seeds are not alike.
        torch.manual_seed(int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0]))
        yield


class _Training:
    """One run of the loop."""

    def __init__(
        self, trainee: Trainee, recipe: Recipe, place: Place, checkpoint: Path | None, progress: Progress | None
    ) -> None:
        self.trainee, self.recipe, self.place = trainee, recipe, place
        self.checkpoint, self.progress = checkpoint, progress
        self.module = trainee.module.to(place.device)
        groups = trainee.groups()
        self.optimizer = torch.optim.AdamW(groups, betas=_BETAS, foreach=True)
        self.rates = [group["lr"] for group in groups]
        self.scaler = place.scaler()
        n_batches = math.ceil(len(trainee.training) / recipe.batch_size)
        self.steps_an_epoch = math.ceil(n_batches / recipe.n_accumulated)
        self.at = Standing()
        self.best: dict[str, torch.Tensor] = {}

    def run(self) -> Outcome:
        self._take_up()
        if self.steps_an_epoch and not self.at.is_done:
            wrapped = self._wrapped()
            while not self.at.is_done:
                self._epoch(wrapped)
        if self.best:
            put_state(self.module, self.best)
        self.module.eval()
        return Outcome(self.at.losses, len(self.at.losses) * self.steps_an_epoch)

    def _wrapped(self) -> torch.nn.Module:
        if self.place.n_processes == 1:
            return self.module
        on = [self.place.device] if self.place.device.type == "cuda" else None
        return DistributedDataParallel(self.module, device_ids=on)

    def _epoch(self, wrapped: torch.nn.Module) -> None:
        at, trainee, recipe = self.at, self.trainee, self.recipe
        batches = epoch_batches(
            trainee.training,
            trainee.lengths,
            recipe.batch_size,
            seed=recipe.seed,
            epoch=at.epoch,
            chances=trainee.chances,
        )
        while at.step < self.steps_an_epoch:
            start = at.step * recipe.n_accumulated
            at.sum_of_losses += self._step(wrapped, batches[start : start + recipe.n_accumulated])
            at.step += 1
            self._tell()
            if at.step % recipe.checkpoint_steps == 0 and at.step < self.steps_an_epoch:
                self._keep()
        self._end_epoch()
        self._keep()

    def _step(self, wrapped: torch.nn.Module, batches: Sequence[Rows]) -> float:
        """One step of the optimizer; the sum of the losses of its rows."""
        n_rows, number = sum(map(len, batches)), self.at.epoch * self.steps_an_epoch + self.at.step
        self.module.train()
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * self._share_of_rate(number)
        total = 0.0
        for i, batch in enumerate(batches):
            is_last = i == len(batches) - 1
            with contextlib.nullcontext() if is_last or wrapped is self.module else wrapped.no_sync():  # type: ignore[operator]
                with seeded(self.recipe.seed, number, i, self.place.rank):
                    loss = self._sum_of_losses(wrapped, batch)
                # DDP takes the mean over processes where we want the sum.
                self.scaler.scale(loss * (self.place.n_processes / n_rows)).backward()  # type: ignore[no-untyped-call]  # torch's own
            total += float(loss.detach())
        self.scaler.unscale_(self.optimizer)
        learning = [p for group in self.optimizer.param_groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(learning, self.recipe.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        return total

    def _sum_of_losses(self, wrapped: torch.nn.Module, batch: Rows) -> torch.Tensor:
        mine = batch[self.place.rank :: self.place.n_processes]
        # Every process must call the module as often as the others, so one without rows takes any for nothing.
        rows = mine if len(mine) else batch[:1]
        with self.place.autocast():
            outputs = wrapped(**self.trainee.inputs(rows))
        loss = self.trainee.losses(outputs.float(), rows).sum()
        return loss if len(mine) else loss * 0.0

    def _share_of_rate(self, number: int) -> float:
        """Rises over the first steps, falls to zero at the last."""
        total = self.steps_an_epoch * self.recipe.n_epochs
        rising = max(1, round(total * self.recipe.warmup))
        return min((number + 1) / rising, (total - number) / max(1, total - rising))

    def _end_epoch(self) -> None:
        at = self.at
        held_out = self._held_out_loss() if len(self.trainee.held_out) else None
        at.losses.append((self._over_processes(at.sum_of_losses) / len(self.trainee.training), held_out))
        at.epoch, at.step, at.sum_of_losses = at.epoch + 1, 0, 0.0
        if held_out is not None:
            # A loss that is no number is worse than any.
            if at.best_loss is None or held_out < at.best_loss:
                at.best_loss, at.n_worse, self.best = held_out, 0, learned_state(self.module)
            else:
                at.n_worse += 1
        at.is_done = at.epoch >= self.recipe.n_epochs or at.n_worse >= self.recipe.patience

    def _held_out_loss(self) -> float:
        rows = self.trainee.held_out
        total = 0.0
        self.module.eval()
        with torch.no_grad(), self.place.autocast():
            mine = rows[self.place.rank :: self.place.n_processes]
            for batch in sorted_batches(mine, self.trainee.lengths, self.recipe.batch_size * _EVALUATED):
                outputs = self.module(**self.trainee.inputs(batch))
                total += float(self.trainee.losses(outputs.float(), batch).sum())
        return self._over_processes(total) / len(rows)

    def _over_processes(self, number: float) -> float:
        if self.place.n_processes == 1:
            return number
        total = torch.tensor(number, dtype=torch.float64, device=self.place.device)
        distributed.all_reduce(total)
        return float(total)

    def _take_up(self) -> None:
        found = Standing.load(self.checkpoint) if self.checkpoint else None
        if found is None:
            return
        self.at, tensors = found
        put_state(self.module, tensors["now"])
        self.best = {name: tensor.to(self.place.device) for name, tensor in tensors.get("best", {}).items()}
        if self.at.scaler:
            self.scaler.load_state_dict(self.at.scaler)
        named = {name: p for name, p in self.module.named_parameters() if p.requires_grad}
        n_steps = float(tensors["steps"]["n"]) if "steps" in tensors else 0.0
        for name, parameter in named.items():
            if name in tensors.get("first", {}):
                self.optimizer.state[parameter] = {
                    "step": torch.tensor(n_steps),
                    "exp_avg": tensors["first"][name].to(self.place.device),
                    "exp_avg_sq": tensors["second"][name].to(self.place.device),
                }

    def _keep(self) -> None:
        if self.checkpoint is None or not self.place.is_first:
            return
        tensors = {"now": learned_state(self.module), "best": self.best}
        if not self.at.is_done:
            named = {name: p for name, p in self.module.named_parameters() if p in self.optimizer.state}
            states = {name: self.optimizer.state[p] for name, p in named.items()}
            tensors["first"] = {name: state["exp_avg"] for name, state in states.items()}
            tensors["second"] = {name: state["exp_avg_sq"] for name, state in states.items()}
            tensors["steps"] = {"n": next((s["step"] for s in states.values()), torch.tensor(0.0))}
        self.at.scaler = self.scaler.state_dict() if self.scaler.is_enabled() else {}
        self.at.save(self.checkpoint, tensors)

    def _tell(self) -> None:
        if self.progress is None or not self.place.is_first:
            return
        at, n_epochs = self.at, self.recipe.n_epochs
        rows = min(at.step * self.recipe.n_accumulated * self.recipe.batch_size, len(self.trainee.training))
        mean = at.sum_of_losses * self.place.n_processes / rows
        detail = {"epoch": at.epoch + 1, "epochs": n_epochs, "loss": round(mean, 4)}
        if at.losses and at.losses[-1][1] is not None:
            detail["held_out"] = round(at.losses[-1][1], 4)
        self.progress(at.epoch * self.steps_an_epoch + at.step, n_epochs * self.steps_an_epoch, detail)
