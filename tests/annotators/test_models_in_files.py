"""Classifiers in ONNX and TensorFlow Lite files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.annotators import tiny_models

from labelmill.annotators._declared import RULES_FOLDER
from labelmill.annotators._model_file import ModelFile
from labelmill.annotators.onnx_predictor import OnnxPredictor
from labelmill.annotators.tflite_predictor import TflitePredictor
from labelmill.domain.item import Item, ItemBatch
from labelmill.domain.partition import Resources
from labelmill.domain.schema import LabelSchema
from labelmill.errors import LabelmillError, RulesError

SPAM = LabelSchema("spam", ("ham", "spam"))
COLOURS = LabelSchema("colour", ("blue", "green", "red"), modality="image")


def numbers(*rows: tuple[float | None, ...]) -> ItemBatch:
    """Items with the numbers a, b, c."""
    return ItemBatch.from_items(
        [Item(f"i{n}", "", meta=dict(zip("abc", row, strict=False))) for n, row in enumerate(rows)]
    )


def test_names_win_over_positions(tmp_path: Path) -> None:
    """The model's classes are told by name, and go to the schema's of that name."""
    file = tiny_models.classifier_of_numbers(tmp_path / "m.onnx")
    model = OnnxPredictor(file, classes=["spam", "ham"], takes="numbers", fields=["a", "b"])

    votes = model.annotate(numbers((2.0, 0.0), (0.0, 2.0)), SPAM)

    assert [] == votes.faults
    assert [1, 0] == list(votes.labels)
    assert votes.probabilities is not None
    np.testing.assert_allclose(1 / (1 + np.exp(-2)), votes.probabilities[0, 1], rtol=1e-5)


def test_a_fixed_batch_is_filled_up(tmp_path: Path) -> None:
    """A model made for two items at once votes on five as on each alone."""
    fixed = tiny_models.classifier_of_numbers(tmp_path / "two.onnx", batch=2)
    batch = numbers((1.0, 0.0), (0.0, 1.0), (3.0, 0.0), (0.0, 0.5), (0.2, 0.0))

    votes = OnnxPredictor(fixed, classes=["ham", "spam"], takes="numbers", fields=["a", "b"]).annotate(batch, SPAM)

    assert [] == votes.faults
    assert [0, 1, 0, 1, 0] == list(votes.labels)


def test_logits_are_told_not_guessed(tmp_path: Path) -> None:
    """Scores that are no probabilities are faults that name the option; with it they are votes."""
    file = tiny_models.classifier_of_numbers(tmp_path / "m.onnx", softmax=False)
    options: dict[str, Any] = {"classes": ["ham", "spam"], "takes": "numbers", "fields": ["a", "b"]}

    votes = OnnxPredictor(file, **options).annotate(numbers((3.0, 1.0)), SPAM)
    told = OnnxPredictor(file, gives="logits", **options).annotate(numbers((3.0, 1.0)), SPAM)

    assert "gives='logits'" in votes.faults[0].error
    assert [0] == list(told.labels)


def test_a_missing_number_and_nan_are_faults_of_their_item(tmp_path: Path) -> None:
    """The others keep their votes."""
    file = tiny_models.classifier_of_numbers(tmp_path / "m.onnx")
    model = OnnxPredictor(file, classes=["ham", "spam"], takes="numbers", fields=["a", "b"], field="id")

    votes = model.annotate(numbers((1.0, 0.0), (None, 1.0), (float("nan"), 1.0), (0.0, 1.0)), SPAM)

    assert [0, -1, -1, 1] == list(votes.labels)
    assert ["i1", "i2"] == [fault.item for fault in votes.faults]
    assert "missing" in votes.faults[0].error


def test_pictures_are_read_upright_and_in_the_model_s_size(tmp_path: Path) -> None:
    """A picture of red, one of blue, one that is none, one that is not there."""
    file = tiny_models.classifier_of_pictures(tmp_path / "m.onnx")
    tiny_models.picture(tmp_path / "red.png", (250, 0, 0), (240, 10, 0))
    tiny_models.picture(tmp_path / "blue.png", (0, 0, 200), (0, 20, 220))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    names = ["red.png", "broken.png", "blue.png", "absent.png", "../secret.png", "https://a.example/b.png"]
    model = OnnxPredictor(
        file,
        classes=["red", "green", "blue"],
        takes="image",
        picture={"size": [8, 8]},
        gives="logits",
        folder=tmp_path,
        name="colours",
    )

    votes = model.annotate(ItemBatch.from_texts(names, names), COLOURS)

    assert [2, -1, 0, -1, -1, -1] == list(votes.labels)
    reasons = {fault.item: fault.error for fault in votes.faults}
    assert "no picture that can be decoded" in reasons["broken.png"]
    assert "no such file" in reasons["absent.png"]
    assert "lies outside" in reasons["../secret.png"]
    assert "https addresses" in reasons["https://a.example/b.png"]


def test_several_classes_become_one_and_others_are_left_out(tmp_path: Path) -> None:
    """Probabilities of one class are added; where something else is more probable there is no vote."""
    file = tiny_models.classifier_of_numbers(tmp_path / "m.onnx", n_classes=3, softmax=False)
    model = OnnxPredictor(
        file,
        classes=["tabby", "persian", "dog"],
        rename={"tabby": "cat", "persian": "cat"},
        takes="numbers",
        fields=["a", "b", "c"],
    )

    votes = model.annotate(numbers((0.3, 0.3, 0.4), (0.1, 0.1, 0.8)), LabelSchema("cat", ("cat", "bird")))

    assert ("cat",) == model.classes
    assert [0, -1] == list(votes.labels)
    assert votes.probabilities is not None
    np.testing.assert_allclose([1, 0], votes.probabilities[0])


def test_a_model_that_takes_texts_votes(tmp_path: Path) -> None:
    """Texts go in as they are, and of label and probabilities the probabilities count."""
    file = tiny_models.classifier_of_texts(tmp_path / "m.onnx")

    votes = OnnxPredictor(file, classes=["ham", "spam"]).annotate(ItemBatch.from_texts(["free", "", "lunch"]), SPAM)

    assert [1, 0, 0] == list(votes.labels)


def test_a_tokenizer_fills_a_transformer_s_inputs(tmp_path: Path) -> None:
    """Texts become pieces by the tokenizer beside the model, padded to the longest."""
    words = {"[UNK]": 0, "[PAD]": 1, "a": 2, "b": 3}
    pre = {"type": "Whitespace"}
    (tmp_path / "tokenizer.json").write_text(
        json.dumps({"version": "1.0", "model": {"type": "WordLevel", "vocab": words, "unk_token": "[UNK]"},
                    "pre_tokenizer": pre, "added_tokens": []})
    )  # fmt: skip
    file = tiny_models.classifier_of_tokens(tmp_path / "m.onnx")
    model = OnnxPredictor(file, classes=["long", "short"], tokenizer=tmp_path / "tokenizer.json", gives="logits")

    votes = model.annotate(ItemBatch.from_texts(["a b a b", "a", ""]), LabelSchema("length", ("long", "short")))

    assert [] == votes.faults
    assert [0, 1, 1] == list(votes.labels)


def test_tflite_models_vote(tmp_path: Path) -> None:
    """A model of TensorFlow Lite does the same through LiteRT."""
    file = tiny_models.tflite_softmax(tmp_path / "m.tflite", 2)
    model = TflitePredictor(file, classes=["ham", "spam"], takes="numbers", fields=["a", "b"])

    model.check(SPAM)
    votes = model.annotate(numbers((1.0, 0.0), (0.0, 1.0), (2.0, 1.0)), SPAM)

    assert [] == votes.faults
    assert [0, 1, 0] == list(votes.labels)


def test_what_can_be_seen_before_a_run_is_seen(tmp_path: Path) -> None:
    """A file that is not there, no model, another number of classes, an unknown class: one clear error each."""
    good = tiny_models.classifier_of_numbers(tmp_path / "m.onnx", n_classes=3)
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    options: dict[str, Any] = {"takes": "numbers", "fields": ["a", "b", "c"]}

    with pytest.raises(RulesError, match=r"no file .*gone\.onnx"):
        OnnxPredictor(tmp_path / "gone.onnx", classes=["ham", "spam"], **options)
    with pytest.raises(RulesError, match=r"no model that can be opened"):
        OnnxPredictor(tmp_path / "bad.onnx", classes=["ham", "spam"], **options).check(SPAM)
    with pytest.raises(RulesError, match=r"gives 3 classes .* 2 are named"):
        OnnxPredictor(good, classes=["ham", "spam"], **options).check(SPAM)
    with pytest.raises(LabelmillError, match="eggs"):
        OnnxPredictor(good, classes=["ham", "spam", "eggs"], **options).check(SPAM)
    with pytest.raises(RulesError, match="no model that can be run"):
        OnnxPredictor(_renamed(good, "m.pkl"), classes=["a", "b", "c"], **options)


def test_a_model_that_cannot_be_opened_is_the_same_fault_everywhere(tmp_path: Path) -> None:
    """Without a check before, each item says why; the file is tried once."""
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    model = OnnxPredictor(tmp_path / "bad.onnx", classes=["ham", "spam"])

    votes = model.annotate(ItemBatch.from_texts(["a", "b"]), SPAM)

    assert [-1, -1] == list(votes.labels)
    assert all("no model that can be opened" in fault.error for fault in votes.faults)


def test_a_model_too_big_for_memory_says_how_much_it_needs(tmp_path: Path) -> None:
    """Its size by a factor, and what is free."""
    (tmp_path / "m.onnx").write_bytes(bytes(2_000_000))

    with pytest.raises(RulesError, match=r"needs about 4 MB of memory .* and 3 MB are free"):
        ModelFile(tmp_path / "m.onnx").check_memory(available=3_000_000)


def test_the_fingerprint_is_of_the_bytes_and_the_options(tmp_path: Path) -> None:
    """Not of the place; weights beside the file count."""
    first = tiny_models.classifier_of_numbers(tmp_path / "m.onnx")
    (tmp_path / "elsewhere").mkdir()
    copy = tmp_path / "elsewhere" / "other.onnx"
    copy.write_bytes(first.read_bytes())
    options: dict[str, Any] = {"classes": ["ham", "spam"], "takes": "numbers", "fields": ["a", "b"]}
    own = OnnxPredictor(first, **options).fingerprint

    assert own == OnnxPredictor(copy, **options).fingerprint
    assert own != OnnxPredictor(first, gives="logits", **options).fingerprint
    assert own != OnnxPredictor(first, rename={}, **options).fingerprint
    (tmp_path / "m.onnx_data").write_bytes(b"weights")
    assert own != OnnxPredictor(first, **options).fingerprint


def test_class_names_come_from_files(tmp_path: Path) -> None:
    """JSON lists, JSON mappings of index to name, and plain lines."""
    tiny_models.classifier_of_numbers(tmp_path / "m.onnx")
    (tmp_path / "list.json").write_text('["ham", "spam"]')
    (tmp_path / "map.json").write_text('{"1": "spam", "0": "ham"}')
    (tmp_path / "lines.txt").write_text("ham\nspam\n")
    (tmp_path / "gap.json").write_text('{"0": "ham", "2": "spam"}')
    token = RULES_FOLDER.set(tmp_path)
    try:
        for name in ("list.json", "map.json", "lines.txt"):
            assert ("ham", "spam") == OnnxPredictor("m.onnx", classes=name).classes
        with pytest.raises(RulesError, match="0 to 1"):
            OnnxPredictor("m.onnx", classes="gap.json")
    finally:
        RULES_FOLDER.reset(token)


def test_resources_are_told_in_words() -> None:
    """Memory has a unit; what is none is refused by name."""
    from labelmill.annotators._places import resources_of

    assert Resources(2, 1, 1_500_000_000) == resources_of({"cpus": 2, "gpus": 1, "memory": "1.5 GB"})
    with pytest.raises(RulesError, match="memory = 'much'"):
        resources_of({"memory": "much"})
    with pytest.raises(RulesError, match="unknown 'cores'"):
        resources_of({"cores": 2})


def _renamed(path: Path, name: str) -> Path:
    copy = path.with_name(name)
    copy.write_bytes(path.read_bytes())
    return copy
