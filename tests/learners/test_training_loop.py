"""The training loop: orders, steps that add up, stopping, and going on after a death."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import distributed

from labelmill.learners._checkpoints import Standing
from labelmill.learners._precision import Place
from labelmill.learners._training_loop import Recipe, train
from labelmill.learners._training_order import epoch_batches, sorted_batches

CPU = Place(torch.device("cpu"))
RECIPE = Recipe(n_epochs=4, batch_size=4, checkpoint_steps=2, seed=3)


class Line:
    """A straight line through 22 points, with dropout so that chance matters."""

    def __init__(self, n_held_out: int = 0, dropout: float = 0.2) -> None:
        rng = np.random.default_rng(0)
        self.x = torch.from_numpy(rng.normal(size=(22, 5)).astype(np.float32))
        self.y = self.x @ torch.tensor([1.0, -2.0, 0.5, 0.0, 3.0])
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.module: torch.nn.Module = torch.nn.Sequential(
                torch.nn.Linear(5, 8), torch.nn.Tanh(), torch.nn.Dropout(dropout), torch.nn.Linear(8, 1)
            )
        self.lengths = np.arange(22) % 7
        rows = np.arange(22)
        self.held_out, self.training = rows[:n_held_out], rows[n_held_out:]
        self.chances: npt.NDArray[np.float64] | None = None

    def groups(self) -> list[dict[str, Any]]:
        """All of it learns."""
        return [{"params": list(self.module.parameters()), "lr": 0.05, "weight_decay": 0.01}]

    def inputs(self, rows: npt.NDArray[np.intp]) -> dict[str, torch.Tensor]:
        """The points."""
        return {"input": self.x[rows]}

    def losses(self, outputs: torch.Tensor, rows: npt.NDArray[np.intp]) -> torch.Tensor:
        """Squares."""
        return (outputs[:, 0] - self.y[rows]) ** 2


def weights(line: Line) -> list[npt.NDArray[np.float32]]:
    """What it has learned."""
    return [p.detach().numpy().copy() for p in line.module.parameters()]


def assert_same(one: Line, other: Line) -> None:
    """Bit for bit."""
    for a, b in zip(weights(one), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)


class BrokenOffError(Exception):
    """Stands for a death."""


def test_an_epoch_has_every_row_once_in_batches_of_like_length() -> None:
    """Nothing is lost or twice; within a window the lengths of a batch lie together."""
    lengths = np.random.default_rng(1).integers(1, 100, 64)

    batches = epoch_batches(np.arange(64), lengths, 4, seed=0, epoch=2)

    assert list(range(64)) == sorted(np.concatenate(batches).tolist())
    spread = np.mean([np.ptp(lengths[batch]) for batch in batches])
    assert spread < 10


def test_resampling_draws_rows_as_often_as_their_chances_say() -> None:
    """A row of three times the chance comes three times as often, give or take one."""
    chances = np.array([3.0, *[1.0] * 9])

    drawn = np.concatenate(epoch_batches(np.arange(10), np.ones(10, dtype=int), 3, seed=0, epoch=0, chances=chances))

    counts = np.bincount(drawn, minlength=10)
    assert 10 == counts.sum()
    assert counts[0] in (2, 3)
    assert counts[1:].max() == 1


def test_accumulated_batches_step_like_one_large_batch() -> None:
    """Two batches of four are one of eight, where nothing is drawn."""
    small, large = Line(dropout=0.0), Line(dropout=0.0)
    small.lengths = large.lengths = np.arange(22)
    rows = np.arange(16)
    small.training = large.training = rows

    train(small, replace(RECIPE, n_epochs=1, batch_size=4, n_accumulated=4), CPU)
    train(large, replace(RECIPE, n_epochs=1, batch_size=16), CPU)

    for a, b in zip(weights(small), weights(large), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("last_step", [1, 3, 7, 12])
def test_a_training_that_broke_off_ends_with_the_same_bits(tmp_path: Path, last_step: int) -> None:
    """Wherever it broke off, in an epoch or at its end, what follows is what would have followed."""
    whole, broken, resumed = Line(n_held_out=4), Line(n_held_out=4), Line(n_held_out=4)
    file = tmp_path / "state.safetensors"

    def die(done: int, total: int, detail: Mapping[str, Any] | None = None, /) -> None:
        if done == last_step:
            raise BrokenOffError

    train(whole, RECIPE, CPU)
    with pytest.raises(BrokenOffError):
        train(broken, RECIPE, CPU, checkpoint=file, progress=die)
    outcome = train(resumed, RECIPE, CPU, checkpoint=file)

    assert 4 == len(outcome.losses)
    assert_same(whole, resumed)


KILLED = """
import os, signal, sys
sys.path[:0] = {path!r}
from pathlib import Path
from tests.learners.test_training_loop import CPU, RECIPE, Line
from labelmill.learners._training_loop import train

def die(done, total, detail=None, /):
    if done == 9:
        os.kill(os.getpid(), signal.SIGKILL)

train(Line(), RECIPE, CPU, checkpoint=Path({file!r}), progress=die)
"""


def test_a_process_that_was_ended_leaves_a_checkpoint_to_go_on_from(tmp_path: Path) -> None:
    """After `kill -9` another process ends with the bits of a training that nobody killed."""
    file = tmp_path / "state.safetensors"
    script = KILLED.format(path=sys.path, file=str(file))

    ended = subprocess.run([sys.executable, "-c", script], check=False)
    found = Standing.load(file)
    whole, resumed = Line(), Line()
    train(whole, RECIPE, CPU)
    train(resumed, RECIPE, CPU, checkpoint=file)

    assert -signal.SIGKILL == ended.returncode
    assert found is not None
    assert (1, 2) == (found[0].epoch, found[0].step)
    assert [file] == list(tmp_path.iterdir())
    assert_same(whole, resumed)


def test_a_training_that_is_done_is_not_done_again(tmp_path: Path) -> None:
    """Its checkpoint is enough, and no step is taken."""
    file = tmp_path / "state.safetensors"
    steps: list[int] = []
    first, second = Line(n_held_out=4), Line(n_held_out=4)
    train(first, RECIPE, CPU, checkpoint=file)

    train(second, RECIPE, CPU, checkpoint=file, progress=lambda done, *_: steps.append(done))

    assert [] == steps
    assert_same(first, second)


def test_a_file_that_is_no_checkpoint_is_begun_anew(tmp_path: Path) -> None:
    """A damaged file costs the time that was spent, and nothing else."""
    file = tmp_path / "state.safetensors"
    file.write_bytes(b"\x10\x00\x00")
    line, other = Line(), Line()

    train(line, RECIPE, CPU, checkpoint=file)
    train(other, RECIPE, CPU)

    assert_same(line, other)


def test_it_stops_when_the_held_out_loss_rises_and_keeps_the_best() -> None:
    """The weights are those of the epoch with the least held-out loss."""
    line = Line(n_held_out=8, dropout=0.0)
    line.y[:8] = -line.y[:8]  # held-out points want the opposite of what is learned

    outcome = train(line, replace(RECIPE, n_epochs=30, patience=2), CPU)

    held_out = [loss for _, loss in outcome.losses if loss is not None]
    assert len(held_out) == int(np.argmin(held_out)) + 3 < 30
    with torch.no_grad():
        kept = float(line.losses(line.module(line.x[:8]), np.arange(8)).mean())
    assert kept == pytest.approx(min(held_out), rel=1e-5)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_it_learns_in_half_precision(precision: str, tmp_path: Path) -> None:
    """In bfloat16 as it is, in float16 with scaled losses, whose scale is part of the checkpoint."""
    line, file = Line(dropout=0.0), tmp_path / "state.safetensors"

    outcome = train(line, replace(RECIPE, n_epochs=12), Place(torch.device("cpu"), precision), checkpoint=file)

    found = Standing.load(file)
    assert outcome.losses[-1][0] < outcome.losses[0][0] / 3
    assert found is not None
    assert (precision == "float16") == bool(found[0].scaler)


def test_a_group_of_one_process_trains_as_one_alone(tmp_path: Path) -> None:
    """Through DDP the steps are the same."""
    alone, grouped = Line(dropout=0.0), Line(dropout=0.0)
    train(alone, RECIPE, CPU)

    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/group", rank=0, world_size=1)
    try:
        wrapped = torch.nn.parallel.DistributedDataParallel(grouped.module)
        module, grouped.module = grouped.module, wrapped
        train(grouped, RECIPE, CPU)
        grouped.module = module
    finally:
        distributed.destroy_process_group()

    assert_same(alone, grouped)


def test_rows_are_sorted_for_predicting() -> None:
    """Shortest first, nothing lost."""
    batches = sorted_batches(np.array([4, 1, 3]), np.array([9, 5, 9, 1, 2]), 2)

    assert [[3, 4], [1]] == [batch.tolist() for batch in batches]
