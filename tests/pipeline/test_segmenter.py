"""The segmenter: learns masks, votes them in pixels of the original, through the lake and an engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from PIL import Image

from labelmill.domain.item import Item, ItemBatch
from labelmill.domain.rle import encode, iou
from labelmill.domain.schema import LabelSchema
from labelmill.errors import FailedError, NotFittedError, UsageError
from labelmill.learners.segmenter import Segmenter
from labelmill.pipeline.mill import Mill
from labelmill.pipeline.predict import predict
from labelmill.pipeline.train import train
from labelmill.pipeline.votes import machine_answers

SCHEMA = LabelSchema("ground", ("coin",), kind="mask", modality="image")
SMALL: dict[str, Any] = {"side": 16, "width": 8, "n_epochs": 12, "batch_size": 4, "learning_rate": 3e-2}
PROJECT = """\
[schema]
kind = "mask"
modality = "image"
classes = ["coin"]
[annotate]
engine = "serial"
[train]
learner = "segmenter"
[train.options]
side = 16
width = 8
n_epochs = 12
batch_size = 4
learning_rate = 3e-2
precision = "float32"
"""


def disc(seed: int) -> tuple[Image.Image, npt.NDArray[np.bool_]]:
    """A bright disc on a dark, noisy ground, 48 x 40 pixels, and where it is."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:40, 0:48]
    y, x, radius = rng.uniform(12, 28), rng.uniform(12, 36), rng.uniform(7, 11)
    inside = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
    grey = np.where(inside, 190, 60) + rng.normal(0, 20, inside.shape)
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).convert("RGB"), inside


def masks(seed: int) -> list[dict[str, Any]]:
    """The answer about a disc."""
    return [{"label": "coin", **encode(disc(seed)[1])}]


def pictures(folder: Path, seeds: range) -> ItemBatch:
    """Discs in files, and a batch that knows where they lie."""
    folder.mkdir(exist_ok=True)
    for seed in seeds:
        disc(seed)[0].save(folder / f"{seed}.png")
    items = [Item(str(seed), f"{seed}.png") for seed in seeds]
    return ItemBatch(ItemBatch.from_items(items).frame, media=lambda name: (folder / name).read_bytes())


def test_it_finds_what_it_was_shown_in_pixels_of_the_original(tmp_path: Path) -> None:
    """Discs of new pictures, after sixteen with masks; files keep all of it; the same seed makes the same."""
    shown = pictures(tmp_path / "a", range(16))
    new = pictures(tmp_path / "b", range(100, 106))

    learner = Segmenter(precision="float32", **SMALL).fit_values(shown, [masks(i) for i in range(16)], SCHEMA)
    learner.save(tmp_path / "model")
    loaded = Segmenter.load(tmp_path / "model")

    found = loaded.predict_values(new, SCHEMA)
    assert [] == found.faults
    assert np.mean([iou(value[0], masks(100 + i)[0]) if value else 0 for i, value in enumerate(found.labels)]) > 0.7
    assert learner.fingerprint == loaded.fingerprint
    assert {"model.json", "model.safetensors"} == {path.name for path in (tmp_path / "model").iterdir()}


def test_a_picture_that_cannot_be_read_is_a_fault_and_not_the_end(tmp_path: Path) -> None:
    """The others are learned from and voted on."""
    batch = pictures(tmp_path / "a", range(6))
    (tmp_path / "a" / "2.png").write_bytes(b"no picture")
    quick = Segmenter(**{**SMALL, "n_epochs": 1})

    votes = quick.cross_predict_values(batch, [*(masks(i) for i in range(5)), None], SCHEMA)

    assert ["2"] == [fault.item for fault in votes.faults]
    assert votes.labels[2] is None
    assert all(votes.labels[i] is not None for i in (0, 1, 3, 4, 5))


def test_a_project_of_masks_trains_it_and_it_votes(tmp_path: Path) -> None:
    """On what was there by fits that did not see it, on what comes later by an engine; its votes are answers."""
    pictures(tmp_path / "pictures", range(20))
    (tmp_path / "labelmill.toml").write_text(PROJECT)
    ids = [f"c{i}" for i in range(20)]
    frame = pl.DataFrame({"id": ids, "image": [f"pictures/{i}.png" for i in range(20)]})
    frame.head(18).write_csv(tmp_path / "items.csv")
    frame.tail(2).write_csv(tmp_path / "more.csv")
    told = [json.dumps(masks(i)) for i in range(15)]
    pl.DataFrame({"item": ids[:15], "label": told}).write_csv(tmp_path / "votes.csv")
    mill = Mill.open(tmp_path)
    mill.ingest(tmp_path / "items.csv")
    mill.ingest(tmp_path / "votes.csv", votes_by="ann")

    trained = train(mill)
    mill.ingest(tmp_path / "more.csv")
    predicted = predict(mill)

    said = {row["item"]: json.loads(row["value"]) for row in machine_answers(mill).iter_rows(named=True)}
    assert (15, 15) == (trained.n_targets, trained.n_answers)
    assert 2 == predicted.n_items
    assert set(ids) == set(said)
    assert np.mean([iou(said[ids[i]][0], masks(i)[0]) if said[ids[i]] else 0.0 for i in range(20)]) > 0.7
    assert {"ann", "segmenter"} == set(mill.aggregate().annotators["annotator"])


def test_what_it_cannot_do_is_refused(tmp_path: Path) -> None:
    """Other classes than it learned, no answers, no fit, sides that do not halve."""
    batch = pictures(tmp_path / "a", range(3))
    fitted = Segmenter(**{**SMALL, "n_epochs": 1}).fit_values(batch, [masks(i) for i in range(3)], SCHEMA)

    with pytest.raises(UsageError, match="the classes have changed: train again"):
        fitted.predict_values(batch, LabelSchema("ground", ("sky",), kind="mask", modality="image"))
    with pytest.raises(FailedError, match="no picture with masks can be read"):
        Segmenter(**SMALL).fit_values(batch, [None] * 3, SCHEMA)
    with pytest.raises(NotFittedError):
        Segmenter().predict_values(batch, SCHEMA)
    with pytest.raises(UsageError, match="multiple of 16"):
        Segmenter(side=100)


def test_a_learner_of_classes_is_told_from_one_of_masks(tmp_path: Path) -> None:
    """The error names what learns the kind of label, or what the learner learns."""
    (tmp_path / "labelmill.toml").write_text('[schema]\nclasses = ["a", "b"]\n')

    with pytest.raises(FailedError, match="'segmenter' learns mask, not choice"):
        train(Mill.open(tmp_path), learner="segmenter")
