"""One training in several processes, on one machine or on many; what `torchrun` starts.

    torchrun --nproc-per-node 4 -m labelmill.learners._torchrun JOB

JOB is a folder that `write_job` made. Gradients are averaged over gloo on processors and NCCL on graphics cards. The
first process leaves the trained state in the checkpoint that the job names.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from torch import distributed

from labelmill.domain.item import ItemBatch
from labelmill.domain.ports import Progress
from labelmill.errors import FailedError
from labelmill.learners._goals import Goals
from labelmill.learners._precision import Place

__all__ = ["main", "run_job", "train_in_processes", "write_job"]

Rows = npt.NDArray[np.intp]

_JOB, _ITEMS, _GOALS = "job.json", "items.parquet", "goals.npz"
_PATIENCE: Final = timedelta(minutes=30)
_SHOWN: Final = 2_000
"""Characters of what a failed process said, at most."""


class Trains(Protocol):
    """What a job asks of a learner; see `labelmill.learners._torch_learner`."""

    options: dict[str, Any]

    def learn(
        self,
        batch: ItemBatch,
        examples: Any,
        goals: Goals,
        rows: Rows,
        place: Place,
        checkpoint: Path | None,
        progress: Progress | None,
    ) -> torch.nn.Module:
        """A module that has learned from these rows at this place."""


def write_job(folder: Path, learner: Trains, batch: ItemBatch, goals: Goals, rows: Rows, checkpoint: Path) -> None:
    """Put what a training needs into a folder, as plain files."""
    kind = type(learner)
    job = {
        "module": kind.__module__,
        "class": kind.__qualname__,
        "options": learner.options,
        "checkpoint": str(checkpoint.resolve()),
        "share": goals.share,
        "temperature": goals.temperature,
    }
    (folder / _JOB).write_text(json.dumps(job, default=str), encoding="utf-8")
    batch.frame.write_parquet(folder / _ITEMS)
    names = ("targets", "weights", "taught", "heeded", "chances")
    arrays = {name: getattr(goals, name) for name in names if getattr(goals, name) is not None}
    np.savez(folder / _GOALS, allow_pickle=False, rows=rows, **arrays)


def run_job(folder: Path, place: Place, progress: Progress | None = None) -> None:
    """Do this process's part of the training that a folder describes."""
    job = json.loads((folder / _JOB).read_text(encoding="utf-8"))
    learner: Trains = getattr(importlib.import_module(job["module"]), job["class"])(**job["options"])
    with np.load(folder / _GOALS, allow_pickle=False) as file:
        arrays = dict(file)
    rows = arrays.pop("rows")
    goals = Goals(**{"chances": None, **arrays}, share=job["share"], temperature=job["temperature"])
    batch = ItemBatch(pl.read_parquet(folder / _ITEMS))
    learner.learn(batch, None, goals, rows, place, Path(job["checkpoint"]), progress)


def train_in_processes(
    learner: Trains,
    batch: ItemBatch,
    goals: Goals,
    rows: Rows,
    checkpoint: Path,
    progress: Progress | None,
) -> None:
    """Train in as many processes of this machine as the learner's `n_processes` says.

    Raises
    ------
    FailedError
        If one of them fails; the same training asked for again goes on from its last checkpoint.
    """
    with tempfile.TemporaryDirectory() as name:
        write_job(Path(name), learner, batch, goals, rows, checkpoint)
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
        command += [str(learner.options["n_processes"]), "-m", __name__, name]
        with (Path(name) / "said.txt").open("w+", encoding="utf-8", errors="replace") as said:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True)  # noqa: S603
            try:
                _follow(process, progress)
            finally:
                if process.poll() is None:
                    process.terminate()  # torchrun ends its processes with itself
                process.wait()
                if process.stdout:
                    process.stdout.close()
            if process.returncode:
                said.seek(0)
                raise FailedError(
                    f"a training process ended with status {process.returncode}: {said.read()[-_SHOWN:].strip()}"
                )


def _follow(process: subprocess.Popen[str], progress: Progress | None) -> None:
    for line in process.stdout or ():
        if progress is not None and line.startswith('{"done"'):
            told = json.loads(line)
            progress(told["done"], told["total"], told["detail"])


def main() -> None:
    """Read from the environment which process this is, as torchrun says, and do its part."""
    environment = os.environ
    rank, n_processes = int(environment.get("RANK", "0")), int(environment.get("WORLD_SIZE", "1"))
    folder = Path(sys.argv[1])
    options = json.loads((folder / _JOB).read_text(encoding="utf-8"))["options"]
    device = options.get("device") or ("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cuda":
        device = f"cuda:{int(environment.get('LOCAL_RANK', '0')) % torch.cuda.device_count()}"
        torch.cuda.set_device(device)
    place = Place.of(device, options.get("precision", "float32"), rank=rank, n_processes=n_processes)
    if n_processes > 1:
        distributed.init_process_group("nccl" if place.device.type == "cuda" else "gloo", timeout=_PATIENCE)
    try:
        run_job(folder, place, _say)
    finally:
        if n_processes > 1:
            distributed.destroy_process_group()


def _say(done: int, total: int, detail: Mapping[str, Any] | None = None, /) -> None:
    """A line that `_follow` reads."""
    sys.stdout.write(json.dumps({"done": done, "total": total, "detail": dict(detail or {})}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
