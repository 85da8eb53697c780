"""Detectors, mask models and listeners: answers that are more than classes."""

from __future__ import annotations

import csv
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tests.annotators import tiny_models

from labelmill import registry
from labelmill.annotators._detections import Detections, kept, rows
from labelmill.annotators.alignment import PHONES, Alignment, spoken_words
from labelmill.annotators.mask_predictor import MaskPredictor
from labelmill.annotators.onnx_detector import OnnxDetector
from labelmill.annotators.voice_activity import VoiceActivity
from labelmill.domain.item import Item, ItemBatch
from labelmill.domain.rle import decode
from labelmill.domain.schema import LabelSchema
from labelmill.errors import RulesError

SHARED = Path(__file__).parents[3] / "shared" / "data"
THINGS = LabelSchema("things", ("cat", "dog"), kind="box", modality="image")
GROUND = LabelSchema("ground", ("sky", "sea"), kind="mask", modality="image")
SPEECH = LabelSchema("speech", ("speech",), kind="segment", modality="audio")


def detector(folder: Path, layout: str, outputs: dict[str, Any], **options: Any) -> OnnxDetector:
    """A detector that always sees the same, on pictures of 40 x 20 made 32 x 32."""
    file = tiny_models.constant_outputs(folder / "d.onnx", outputs)
    tiny_models.picture(folder / "a.png", (255, 0, 0), (0, 0, 255))
    told: dict[str, Any] = {"classes": ["dog", "cat"], "picture": {"size": [32, 32]}, "folder": folder} | options
    return OnnxDetector(file, layout=layout, name="d", **told)


def drawn(model: Any, schema: LabelSchema, *names: str) -> Any:
    """What a model draws on pictures."""
    return model.annotate(ItemBatch.from_texts(names, names), schema)


def test_rows_become_boxes_on_the_picture(tmp_path: Path) -> None:
    """Middle and size in pixels of the input become corners on the picture; names, not numbers, are the classes."""
    table = tiny_models.floats([[16, 16, 8, 16, 0.9, 0.1], [4, 16, 8, 8, 0.1, 0.1]])
    model = detector(tmp_path, "rows", {"y": table.T[None].copy()})

    model.check(THINGS)
    votes = drawn(model, THINGS, "a.png", "gone.png")

    (box,) = votes.labels[0]
    assert {"label": "dog", "x": 15, "y": 5, "width": 10, "height": 10} == {k: box[k] for k in box if k != "score"}
    assert pytest.approx(0.9) == box["score"]
    assert ["gone.png"] == [fault.item for fault in votes.faults]
    registry.find("label_kind", "box")().validate(votes.labels[0], THINGS)


def test_rows_with_an_objectness_and_either_way_round_are_the_same() -> None:
    """YOLOv5's rows (an objectness of 1) and YOLOv8's columns say the same."""
    older = np.array([[16, 16, 8, 16, 1.0, 0.9, 0.1], [4, 4, 2, 2, 0.5, 0.2, 0.4]])
    newer = np.array([[16, 16, 8, 16, 0.9, 0.1], [4, 4, 2, 2, 0.1, 0.2]]).T

    one, other = rows([older], (32, 32), 2), rows([newer], (32, 32), 2)

    np.testing.assert_allclose(one.corners, other.corners)
    np.testing.assert_allclose(one.scores, other.scores)
    assert [0, 1] == one.classes.tolist() == other.classes.tolist()


def test_corners_apart_from_labels_and_scores(tmp_path: Path) -> None:
    """Boxes, labels and scores as torchvision gives them, with no axis for the item; an empty picture is `[]`."""
    found = {
        "boxes": tiny_models.floats([[0, 0, 16, 32], [8, 8, 24, 24]]),
        "labels": tiny_models.wholes([1, 0]),
        "scores": tiny_models.floats([0.8, 0.1]),
    }
    nothing = {
        "boxes": np.zeros((0, 4), np.float32),
        "labels": tiny_models.wholes([]),
        "scores": tiny_models.floats([]),
    }

    some = drawn(detector(tmp_path, "corners", found), THINGS, "a.png")
    none = drawn(detector(tmp_path, "corners", nothing), THINGS, "a.png")

    assert [("cat", 0.0, 0.0, 20.0, 20.0)] == [
        (b["label"], b["x"], b["y"], b["width"], b["height"]) for b in some.labels[0]
    ]
    assert [[]] == none.labels


def test_of_boxes_that_overlap_the_surest_is_kept() -> None:
    """By class; at equal scores the first."""
    corners = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [0, 0, 10, 10], [20, 20, 30, 30], [np.nan, 0, 1, 1]])
    found = Detections(corners, np.array([0.8, 0.8, 0.7, 0.2, 0.9]), np.array([0, 0, 1, 0, 0]))

    best = kept(found, least=0.25, overlap=0.5, most=10)

    assert [[0, 0, 10, 10], [0, 0, 10, 10]] == best.corners.tolist()
    assert [0, 1] == best.classes.tolist()


def test_boxes_of_other_classes_are_left_out_only_if_told(tmp_path: Path) -> None:
    """Without `rename` a class that the question lacks is one clear error before the run."""
    table = {"y": tiny_models.floats([[[16, 16, 8, 8, 0.2, 0.9], [8, 8, 8, 8, 0.9, 0.2]]]).transpose(0, 2, 1).copy()}
    cats = LabelSchema("cats", ("cat",), kind="box", modality="image")

    votes = drawn(detector(tmp_path, "rows", table, rename={}), cats, "a.png")

    assert ["cat"] == [box["label"] for box in votes.labels[0]]
    with pytest.raises(Exception, match="dog"):
        detector(tmp_path, "rows", table).check(cats)


def test_wrong_shapes_are_faults_and_told_before(tmp_path: Path) -> None:
    """A picture of another size than the model's, and outputs of another layout."""
    table = {"y": np.zeros((1, 6, 3), np.float32)}

    with pytest.raises(RulesError, match="mend size"):
        detector(tmp_path, "rows", table, picture={"size": [16, 32]}).check(THINGS)
    votes = drawn(detector(tmp_path, "grid", table), THINGS, "a.png")

    assert "a grid for 2 classes has shape" in votes.faults[0].error


def test_a_letterboxed_picture_s_boxes_lie_where_they_were(tmp_path: Path) -> None:
    """40 x 20 in 32 x 32 is 32 x 16 between grey bars of 8."""
    table = {"y": tiny_models.floats([[[16, 16, 32, 16, 0.9, 0.1]]]).transpose(0, 2, 1).copy()}
    model = detector(tmp_path, "rows", table, picture={"size": [32, 32], "fit": "letterbox"})

    votes = drawn(model, THINGS, "a.png")

    assert {"x": 0, "y": 0, "width": 40, "height": 20} == {
        k: votes.labels[0][0][k] for k in ("x", "y", "width", "height")
    }


def test_masks_are_of_the_picture_s_size_and_share_no_pixel(tmp_path: Path) -> None:
    """Red is sea, blue is sky, green is nothing; at 8 x 8 and back to 40 x 20."""
    file = tiny_models.scores_of_pixels(tmp_path / "m.onnx")
    tiny_models.picture(tmp_path / "a.png", (255, 0, 0), (0, 0, 255))
    tiny_models.picture(tmp_path / "b.png", (0, 255, 0), (0, 0, 255))
    model = MaskPredictor(
        file, classes=["sea", "land", "sky"], nothing=["land"], picture={"size": [8, 8]}, folder=tmp_path, name="m"
    )

    model.check(GROUND)
    votes = drawn(model, GROUND, "a.png", "b.png")

    both = {mask["label"]: decode(mask) for mask in votes.labels[0]}
    assert {"sea", "sky"} == set(both)
    assert (20, 40) == both["sea"].shape
    assert both["sea"][:, :19].all()
    assert both["sky"][:, 21:].all()
    assert ["sky"] == [mask["label"] for mask in votes.labels[1]]
    registry.find("label_kind", "mask")().validate(votes.labels[0], GROUND)


def test_a_function_draws_masks_by_a_threshold(tmp_path: Path) -> None:
    """One score a pixel, one class; what is not sure enough is nothing."""
    tiny_models.picture(tmp_path / "a.png", (255, 0, 0), (10, 0, 0))
    model = MaskPredictor(
        lambda pictures: pictures[:, 0],
        classes=["sky"],
        picture={"size": [8, 8]},
        decides="threshold",
        folder=tmp_path,
        name="m",
    )

    votes = drawn(model, GROUND, "a.png")

    (mask,) = votes.labels[0]
    pixels = decode(mask)
    assert pixels[:, :17].all()
    assert not pixels[:, 23:].any()


@pytest.mark.parametrize("gives", ["scores", "classes"])
def test_masks_of_a_cropped_picture_say_nothing_of_what_was_cut(tmp_path: Path, gives: str) -> None:
    """A wide picture cropped to its middle square has no mask at its sides."""
    tiny_models.picture(tmp_path / "a.png", (255, 0, 0), (255, 0, 0))
    answers = {
        "scores": lambda pictures: np.stack([pictures[:, 0], pictures[:, 1]], axis=1),
        "classes": lambda pictures: np.zeros((len(pictures), 8, 8)),
    }
    model = MaskPredictor(
        answers[gives],
        classes=["sky", "sea"],
        picture={"size": [8, 8], "fit": "crop"},
        gives=gives,  # type: ignore[arg-type]  # one of the two
        folder=tmp_path,
        name="m",
    )

    votes = drawn(model, GROUND, "a.png")

    pixels = decode(votes.labels[0][0])
    assert not pixels[:, :9].any()
    assert pixels[:, 11:29].all()
    assert not pixels[:, 31:].any()


def recording(path: Path, samples: Any, rate: int = 16_000) -> None:
    soundfile.write(path, np.asarray(samples, dtype=np.float32), rate)


def test_nobody_speaks_in_a_hum(tmp_path: Path) -> None:
    """Silence and a tone are `[]`: looked, nothing there; what is no recording is a fault."""
    recording(tmp_path / "hum.wav", 0.3 * np.sin(np.arange(8_000) / 20), rate=8_000)
    (tmp_path / "no.wav").write_bytes(b"RIFF")

    votes = drawn(VoiceActivity("speech", folder=tmp_path, name="v"), SPEECH, "hum.wav", "no.wav")

    assert [] == votes.labels[0]
    assert "no recording that can be decoded" in votes.faults[0].error


def test_speech_is_found_where_it_is() -> None:
    """Of a sentence between silences (praatIO's Mary): one stretch, from 0.31 s to 1.54 s by hand."""
    folder = SHARED / "audio" / "phones_words" / "audio"
    if not folder.is_dir():
        pytest.skip("the recordings of ../shared/data/audio are not here")

    votes = drawn(VoiceActivity("speech", folder=folder, name="v"), SPEECH, "praatIO_mary.flac")

    assert votes.labels[0]
    assert abs(votes.labels[0][0]["start"] - 0.31) < 0.12
    assert all(a["end"] <= b["start"] for a, b in pairwise(votes.labels[0]))


def test_phones_lie_near_where_people_heard_them() -> None:
    """Middles of the phones of 'Bobby ripped the ledger' within 50 ms of those marked by hand."""
    folder = SHARED / "audio" / "phones_words"
    if not folder.is_dir():
        pytest.skip("the recordings of ../shared/data/audio are not here")
    with (folder / "events.csv").open() as file:
        events = [e for e in csv.DictReader(file) if e["item"] == "praatIO_bobby.flac" and e["tier"] == "phone"]
    schema = LabelSchema("phones", tuple(name.lower() for name in PHONES), kind="segment", modality="audio")
    item = Item("b", "praatIO_bobby.flac", meta={"transcript": "Bobby ripped the ledger."})
    model = Alignment(folder=folder / "audio", name="p")

    model.check(schema)
    votes = [model.annotate(ItemBatch.from_items([item]), schema) for _ in range(2)]
    twice: list[Any] = [one.labels[0] for one in votes]
    assert [[], []] == [one.faults for one in votes]

    middles = [(s["start"] + s["end"]) / 2 for s in twice[0]]
    gold = [(float(e["start"]) + float(e["end"])) / 2 for e in events if e["label"] not in {"sil", ""}]
    assert twice[0] == twice[1]
    assert np.median([min(abs(g - m) for m in middles) for g in gold]) < 0.05
    assert "b" == twice[0][0]["label"]


def test_words_need_a_pronunciation(tmp_path: Path) -> None:
    """A word that the dictionary lacks is a fault that says what to write; without a transcript nobody is asked."""
    recording(tmp_path / "a.wav", np.zeros(16_000))
    items = [Item("a", "a.wav", meta={"transcript": "labelmill"}), Item("b", "a.wav", meta={"transcript": None})]
    model = Alignment("words", label="speech", folder=tmp_path, name="w")

    votes = model.annotate(ItemBatch.from_items(items), SPEECH)

    assert [None, None] == votes.labels
    assert ["a"] == [fault.item for fault in votes.faults]
    assert 'pronunciations = { "labelmill" = "..." }' in votes.faults[0].error


def test_phones_must_be_classes_of_the_question() -> None:
    """All of them, unless it is said which is which."""
    schema = LabelSchema("kinds", ("vowel", "stop"), kind="segment", modality="audio")

    with pytest.raises(RulesError, match="no class for the phones"):
        Alignment().check(schema)
    with pytest.raises(RulesError, match="no phone of ARPAbet"):
        Alignment(rename={"QQ": "stop"}).check(schema)
    Alignment(rename={"AA": "vowel", "T": "stop"}).check(schema)


def test_transcripts_lose_their_marks() -> None:
    """Apostrophes inside words stay."""
    assert ["don't", "panic"] == spoken_words("\u201cDon\u2019t' panic!\u201d")


def test_the_detector_of_the_shelf_draws_what_was_measured() -> None:
    """FastestDet's grid on a picture of coco128: a bowl and a broccoli, as the measured boxes have them."""
    model, pictures = SHARED / "models" / "FastestDet.onnx", SHARED / "images" / "coco128"
    if not model.is_file():
        pytest.skip("the models of ../shared/data/models are not here")
    names = tuple(json.loads((SHARED / "models" / "coco80.json").read_text()))
    schema = LabelSchema("things", names, kind="box", modality="image")
    seen = OnnxDetector(
        model,
        classes=names,
        layout="grid",
        picture={"size": [352, 352], "channels": "bgr", "resample": "bilinear"},
        folder=pictures / "images",
        threshold=0.5,
        name="d",
    )

    seen.check(schema)
    votes = drawn(seen, schema, "000000000009.jpg")

    best = votes.labels[0][0]
    assert "broccoli" == best["label"]
    assert pytest.approx(261.4, abs=6) == best["x"]
    assert pytest.approx(0.8151, abs=0.03) == best["score"]
