"""Every encoder keeps the promises of its role."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from tests.learners import tiny_encoders

from labelmill import registry
from labelmill.testing import encoder

MODELS: Final[Mapping[str, Callable[[Path], Path]]] = {
    "audio_onnx": tiny_encoders.audio_onnx,
    "image_onnx": tiny_encoders.image_onnx,
    "image_tflite": tiny_encoders.image_tflite,
    "image_transformers": tiny_encoders.vision_folder,
    "model2vec": tiny_encoders.model2vec_folder,
    "sentence": tiny_encoders.sentence_folder,
    "sentence_onnx": tiny_encoders.sentence_onnx,
}
"""How the model of each encoder that needs one is made."""

OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {"hashing": {"dimensions": 64}, "mel": {"bands": 16}}


@pytest.fixture(scope="module")
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Where the model of an encoder lies; nothing for one that needs none."""
    name: str = request.param
    return [str(MODELS[name](tmp_path_factory.mktemp(name)))] if name in MODELS else []


@pytest.mark.parametrize("promise", encoder.PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize(("model", "name"), [(n, n) for n in registry.names("encoder")], indirect=["model"])
def test_encoder_keeps_promise(model: list[str], name: str, promise: Any) -> None:
    """The encoder called `name` keeps the promise."""
    plugin = registry.find("encoder", name)

    promise(lambda: plugin(*model, **OPTIONS.get(name, {})))
