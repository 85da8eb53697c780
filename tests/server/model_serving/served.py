"""Models for the tests of serving: real ones, small, and slow or broken where a test wants them so."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from tests.server.office import running_app

from labelmill.domain.item import ItemBatch
from labelmill.domain.schema import LabelSchema
from labelmill.pipeline._heads import Heads
from labelmill.pipeline.ingest import ingest
from labelmill.pipeline.init import init
from labelmill.pipeline.ready_models import ReadyModel
from labelmill.pipeline.train import train
from labelmill.pipeline.workspace import Workspace

SPAM = LabelSchema("spam", ("ham", "spam"))


class Counting:
    """Says spam by how many `!` a text has; remembers the batches it was given, and fails on what a test names.

    Parameters
    ----------
    bad : str
        A text with it makes the whole batch fail.
    seconds : float
        That a call takes.
    """

    def __init__(self, bad: str = "\0", seconds: float = 0.0) -> None:
        self.bad, self.seconds = bad, seconds
        self.batches: list[list[str]] = []
        self.hold = threading.Event()
        self.hold.set()

    def predict_proba(self, batch: ItemBatch) -> Any:
        """Shape (n_items, 2)."""
        self.hold.wait(20)
        time.sleep(self.seconds)
        texts = batch.frame["data"].to_list()
        self.batches.append(texts)
        if any(self.bad in text for text in texts):
            raise ValueError("cannot read this")
        spam = np.array([min(text.count("!"), 9) / 10 for text in texts]).reshape(-1)
        spam[[text == "nothing" for text in texts]] = np.nan
        return np.stack([1 - spam, spam], axis=1)


def model_of(learner: Any, *, version: str = "v1", schema: LabelSchema = SPAM) -> ReadyModel:
    """A ready model made of one learner."""
    heads = Heads.__new__(Heads)
    heads.is_multi, heads.learners = False, [learner]
    return ReadyModel("counting", version, schema, heads)


def trained_project(folder: Path, learner: str = "tfidf_linear") -> Path:
    """A project with a trained learner, trained once a process; features are those of `hashing`."""
    shutil.copytree(_trained_once(learner), folder)
    return folder


@cache
def _trained_once(learner: str, n: int = 24) -> Path:
    home = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    folder = Path(home) / "mails"
    init(folder, classes=["ham", "spam"])
    with (folder / "labelmill.toml").open("a") as file:
        file.write('\n[features]\nencoder = "hashing"\n')
    texts = [
        f"winner number {i} of a free prize" if i % 3 == 0 else f"the meeting number {i} at noon" for i in range(n)
    ]
    (folder / "items.csv").write_text("id,text\n" + "".join(f"m{i},{text}\n" for i, text in enumerate(texts)))
    said = "".join(f"m{i},{'spam' if i % 3 == 0 else 'ham'}\n" for i in range(n))
    (folder / "votes.csv").write_text("item,label\n" + said)
    workspace = Workspace.open(folder)
    ingest(workspace, folder / "items.csv")
    ingest(workspace, folder / "votes.csv", votes_by="ana")
    train(workspace, learner=learner)
    return folder


@contextmanager
def served(app: Any) -> Iterator[httpx.Client]:
    """A client of an app that runs in a thread, on a free port."""
    with running_app(app) as url, httpx.Client(base_url=url, timeout=20) as client:
        yield client


def texts_input(*texts: str, **more: Any) -> dict[str, Any]:
    """A request of the Open Inference Protocol."""
    return {"inputs": [{"name": "text", "shape": [len(texts)], "datatype": "BYTES", "data": list(texts)}], **more}


def outputs_of(answer: httpx.Response) -> dict[str, Any]:
    """Name -> data of each output."""
    assert answer.status_code == 200, answer.text
    return {one["name"]: one["data"] for one in answer.json()["outputs"]}


def lines_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """The JSON lines of an answer."""
    return [json.loads(line) for line in answer.text.splitlines()]


__all__ = ["SPAM", "Counting", "lines_of", "model_of", "outputs_of", "served", "texts_input", "trained_project"]
