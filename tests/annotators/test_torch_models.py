"""Modules of torch as annotators; their weights are safetensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tests.annotators import tiny_models

from labelmill.annotators.mask_predictor import MaskPredictor
from labelmill.annotators.torch_predictor import TorchPredictor
from labelmill.domain.item import Item, ItemBatch
from labelmill.domain.schema import LabelSchema
from labelmill.errors import RulesError

SPAM = LabelSchema("spam", ("ham", "spam"))
NUMBERS = ItemBatch.from_items([Item("a", "", meta={"p": 2.0, "q": 0.0}), Item("b", "", meta={"p": 0.0, "q": 2.0})])
OPTIONS: dict[str, Any] = {"classes": ["ham", "spam"], "takes": "numbers", "fields": ["p", "q"]}


def crossed() -> torch.nn.Linear:
    """The first number speaks for the second class, the other way round."""
    layer = torch.nn.Linear(2, 2, bias=False)
    layer.weight.data = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    return layer


def test_logits_of_a_module_are_votes() -> None:
    """By softmax, without learning anything."""
    votes = TorchPredictor(crossed(), **OPTIONS).annotate(NUMBERS, SPAM)

    assert [1, 0] == list(votes.labels)
    assert votes.probabilities is not None
    np.testing.assert_allclose(1 / (1 + np.exp(-2)), votes.probabilities[0, 1], rtol=1e-5)


def test_weights_are_read_from_safetensors(tmp_path: Path) -> None:
    """They fill what a function makes; a file that does not fit, or is none, is one clear error."""
    save_file(crossed().state_dict(), tmp_path / "w.safetensors")
    save_file({"other": torch.zeros(1)}, tmp_path / "x.safetensors")
    (tmp_path / "y.safetensors").write_bytes(b"pickle")

    def made() -> torch.nn.Module:
        return torch.nn.Linear(2, 2, bias=False)

    votes = TorchPredictor(made, weights=tmp_path / "w.safetensors", **OPTIONS).annotate(NUMBERS, SPAM)

    assert [1, 0] == list(votes.labels)
    for name in ("x.safetensors", "y.safetensors"):
        with pytest.raises(RulesError, match="does not fill the module"):
            TorchPredictor(made, weights=tmp_path / name, **OPTIONS).check(SPAM)


def test_the_fingerprint_is_of_the_weights() -> None:
    """The same weights are the same votes, whoever holds them; others are not."""
    other = crossed()
    other.weight.data *= 2

    assert TorchPredictor(crossed(), **OPTIONS).fingerprint == TorchPredictor(crossed(), **OPTIONS).fingerprint
    assert TorchPredictor(crossed(), **OPTIONS).fingerprint != TorchPredictor(other, **OPTIONS).fingerprint


def test_nan_and_wrong_shapes_are_faults() -> None:
    """Of a module that has learned nothing good."""
    broken = crossed()
    broken.weight.data *= float("nan")

    nan = TorchPredictor(broken, **OPTIONS).annotate(NUMBERS, SPAM)
    wide = TorchPredictor(torch.nn.Linear(2, 3), **OPTIONS).annotate(NUMBERS, SPAM)

    assert "NaN" in nan.faults[0].error
    assert "gave shape (1, 3)" in wide.faults[0].error


def test_a_module_draws_masks(tmp_path: Path) -> None:
    """What a segmenter of torchvision's kind gives under `out` counts."""

    class Segmenter(torch.nn.Module):
        def forward(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"out": pictures[:, [0, 2]]}

    tiny_models.picture(tmp_path / "a.png", (255, 0, 0), (0, 0, 255))
    schema = LabelSchema("ground", ("sky", "sea"), kind="mask", modality="image")
    model = MaskPredictor(Segmenter(), classes=["sea", "sky"], picture={"size": [8, 8]}, folder=tmp_path, name="m")

    votes = model.annotate(ItemBatch.from_texts(["a.png"]), schema)

    masks: Any = votes.labels[0]
    assert {"sea", "sky"} == {mask["label"] for mask in masks}
