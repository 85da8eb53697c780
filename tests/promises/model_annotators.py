"""Annotators that are models, made of tiny ones, and what the promises are tried on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
from tests.annotators import tiny_models

from labelmill import registry
from labelmill.domain.item import Item
from labelmill.domain.schema import LabelSchema
from labelmill.testing.annotator import Example

__all__ = ["MODELS", "Shelf", "answered", "filled"]

NUMBERS = [
    Item(name, "", meta={"p": p, "q": 1 - p})
    for name, p in (("a", 0.9), ("b", 0.2), ("c", 0.6), ("d", 0.1), ("e", 0.4))
]
NO_NUMBER = Item("poison", "", meta={"p": None, "q": 0.5})
PICTURES = [Item(name, f"{name}.png") for name in ("red", "blue", "both")]
BROKEN = Item("poison", "broken.png")
RECORDINGS = [Item(name, f"{name}.wav", meta={"said": ""}) for name in ("one", "two", "three")]
MUTE = Item("poison", "broken.png", meta={"said": "yes please"})

THINGS = LabelSchema("things", ("dog", "cat"), kind="box", modality="image")
GROUND = LabelSchema("ground", ("sea", "sky"), kind="mask", modality="image")
SPEECH = LabelSchema("speech", ("speech",), kind="segment", modality="audio")


class Shelf(NamedTuple):
    """A folder with models, pictures and recordings, and a server."""

    folder: Path
    url: str


def filled(folder: Path) -> Path:
    """The folder with everything in it."""
    tiny_models.classifier_of_numbers(folder / "numbers.onnx", softmax=False)
    tiny_models.tflite_softmax(folder / "numbers.tflite", 2)
    tiny_models.scores_of_pixels(folder / "pixels.onnx")
    rows = tiny_models.floats([[16, 16, 8, 16, 0.9, 0.1], [4, 16, 8, 8, 0.1, 0.3]])
    tiny_models.constant_outputs(folder / "rows.onnx", {"y": rows.T[None].copy()})
    tiny_models.picture(folder / "red.png", (255, 0, 0), (200, 0, 0))
    tiny_models.picture(folder / "blue.png", (0, 0, 255), (0, 0, 100))
    tiny_models.picture(folder / "both.png", (255, 0, 0), (0, 0, 255), size=(31, 17))
    (folder / "broken.png").write_bytes(b"nothing")
    noise = np.random.default_rng(0).normal(0, 0.05, 16_000).astype(np.float32)
    for n, name in enumerate(("one", "two", "three")):
        soundfile.write(folder / f"{name}.wav", np.roll(noise, 500 * n) * np.hanning(16_000), 16_000)
    return folder


def answered(path: str, question: Any) -> tuple[int, Any]:
    """What the server says: spam as far as p goes; a backend of Label Studio finds words."""
    if path == "/predict":
        tasks = [task["data"]["text"] for task in question["tasks"]]
        if "poison" in tasks:
            return 400, {"error": "poison"}
        return 200, {"results": [{"result": [_choice("spam" if "ree" in text else "ham")]} for text in tasks]}
    return 200, {"predictions": question["instances"]}


def _choice(name: str) -> dict[str, Any]:
    return {"type": "choices", "value": {"choices": [name]}}


def _classes(shelf: Shelf, name: str, schema: LabelSchema, file: str) -> Example:
    model = registry.find("annotator", name)(
        shelf.folder / file, classes=["spam", "ham"], takes="numbers", fields=["p", "q"], name=name
    )
    return Example(model, NUMBERS, schema, NO_NUMBER)


def _served(shelf: Shelf, schema: LabelSchema) -> Example:
    model = registry.find("annotator", "http_predictor")(
        shelf.url,
        model="m",
        classes=["spam", "ham"],
        dialect="tensorflow",
        takes="numbers",
        fields=["p", "q"],
        private=True,
        name="http_predictor",
    )
    return Example(model, NUMBERS, schema, NO_NUMBER)


def _backend(shelf: Shelf, schema: LabelSchema) -> Example:
    model = registry.find("annotator", "label_studio_backend")(shelf.url, private=True, name="label_studio_backend")
    texts = ("Free prize", "see you", "", "freedom")
    return Example(model, [Item(str(n), text) for n, text in enumerate(texts)], schema, Item("poison", "poison"))


def _module(shelf: Shelf, schema: LabelSchema) -> Example:
    import torch

    model = registry.find("annotator", "torch_predictor")(
        torch.nn.Identity(),
        classes=["spam", "ham"],
        takes="numbers",
        fields=["p", "q"],
        gives="probabilities",
        name="torch_predictor",
    )
    return Example(model, NUMBERS, schema, NO_NUMBER)


def _detector(shelf: Shelf, _: LabelSchema) -> Example:
    model = registry.find("annotator", "onnx_detector")(
        shelf.folder / "rows.onnx",
        classes=["cat", "dog"],
        layout="rows",
        picture={"size": [32, 32]},
        folder=shelf.folder,
        name="onnx_detector",
    )
    return Example(model, PICTURES, THINGS, BROKEN)


def _masks(shelf: Shelf, _: LabelSchema) -> Example:
    model = registry.find("annotator", "mask_predictor")(
        shelf.folder / "pixels.onnx",
        classes=["sea", "land", "sky"],
        nothing=["land"],
        picture={"size": [8, 8]},
        folder=shelf.folder,
        name="mask_predictor",
    )
    return Example(model, PICTURES, GROUND, BROKEN)


def _voices(shelf: Shelf, _: LabelSchema) -> Example:
    model = registry.find("annotator", "voice_activity")("speech", folder=shelf.folder, name="voice_activity")
    return Example(model, RECORDINGS, SPEECH, MUTE)


def _words(shelf: Shelf, _: LabelSchema) -> Example:
    model = registry.find("annotator", "alignment")(
        "words", label="speech", transcript="said", folder=shelf.folder, name="alignment"
    )
    return Example(model, RECORDINGS, SPEECH, MUTE)


MODELS: dict[str, Callable[[Shelf, LabelSchema], Example]] = {
    "onnx_predictor": lambda shelf, schema: _classes(shelf, "onnx_predictor", schema, "numbers.onnx"),
    "tflite_predictor": lambda shelf, schema: _classes(shelf, "tflite_predictor", schema, "numbers.tflite"),
    "http_predictor": _served,
    "label_studio_backend": _backend,
    "torch_predictor": _module,
    "onnx_detector": _detector,
    "mask_predictor": _masks,
    "voice_activity": _voices,
    "alignment": _words,
}
"""By the name of the plugin."""
