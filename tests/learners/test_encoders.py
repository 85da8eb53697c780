"""Encoders one by one: what is true of some and not of all."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile
from PIL import Image
from tests.learners import tiny_encoders

from labelmill.domain.item import ItemBatch
from labelmill.errors import UsageError
from labelmill.learners.encoders._batches import by_length
from labelmill.learners.encoders._files import folder_of, model_file
from labelmill.learners.encoders._pooling import Recipe
from labelmill.learners.encoders.hashing import Hashing
from labelmill.learners.encoders.image_onnx import ImageOnnx
from labelmill.learners.encoders.mel import Mel
from labelmill.learners.encoders.sentence_onnx import SentenceOnnx

TEXTS = ItemBatch.from_texts(["Win free money", "win FREE money", "free money to win", "see you at noon"])


def media(files: dict[str, bytes]) -> ItemBatch:
    """A batch of files."""
    return ItemBatch(ItemBatch.from_texts(files).frame, media=files.__getitem__)


def wav(sound: np.ndarray[tuple[int, ...], np.dtype[np.float64]], rate: int) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, sound, rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def png(picture: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def test_hashing_does_not_mind_case_and_finds_like_texts() -> None:
    """Texts that differ in case have the same vector; those with shared words are nearer than others."""
    vectors = Hashing().encode(TEXTS).features

    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert vectors[0] @ vectors[2] > 0.5 > vectors[0] @ vectors[3]


def test_hashing_knows_words_in_scripts_without_spaces() -> None:
    """Two Chinese sentences with a word in common are nearer than two without."""
    batch = ItemBatch.from_texts(["我喜欢北京的春天", "北京很大", "今晚有足球赛"])

    vectors = Hashing().encode(batch).features

    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.05


def test_hashing_in_bites_is_hashing_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many texts are hashed at once, the bits are the same; texts do not run into each other."""
    whole = Hashing(dimensions=64).encode(TEXTS).features
    monkeypatch.setattr("labelmill.learners.encoders.hashing.MOST_CHARACTERS", 20)

    bitten = Hashing(dimensions=64).encode(TEXTS).features

    np.testing.assert_array_equal(whole, bitten)


def test_hashing_reads_other_fields() -> None:
    """Fields are one text; missing values are empty."""
    frame = pl.DataFrame({"id": ["a", "b"], "data": ["text", "text"], "meta.title": ["money", None]})

    vectors = Hashing(fields=["title", "text"]).encode(ItemBatch(frame)).features
    plain = Hashing(fields="text").encode(ItemBatch(frame)).features

    assert vectors[0] @ plain[0] < 0.99
    np.testing.assert_allclose(plain[1], vectors[1])


def test_batches_hold_things_of_like_length() -> None:
    """Each thing is in one batch; filled up to its longest, no batch is larger than allowed, unless alone."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 200, 500).tolist()

    batches = [places.tolist() for places in by_length(lengths, 150)]

    assert list(range(500)) == sorted(place for places in batches for place in places)
    assert all(len(b) * max(lengths[i] for i in b) <= 150 or len(b) == 1 for b in batches)


def test_a_missing_model_is_one_error_with_the_command() -> None:
    """Neither a folder nor in the cache: nothing is downloaded, the error says how to fetch it."""
    with pytest.raises(UsageError, match="hf download nobody/no-such-model --local-dir models/no-such-model"):
        folder_of("nobody/no-such-model")
    with pytest.raises(UsageError, match="is not on this machine"):
        folder_of("../no/such/folder")
    with pytest.raises(UsageError, match="is not there"):
        model_file("no.onnx", "model")


@pytest.mark.parametrize(
    ("told", "mode"),
    [
        ({"pooling_mode_cls_token": True}, "cls"),
        ({"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False}, "mean"),
        ({"pooling_mode": "max"}, "max"),
        ({"pooling_mode": ["lasttoken"]}, "lasttoken"),
        ({}, "mean"),
    ],
)
def test_a_folder_says_how_its_tokens_are_pooled(told: dict[str, object], mode: str, tmp_path: Path) -> None:
    """Older and newer folders of sentence-transformers, and those that say nothing."""
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(told))

    assert mode == Recipe.of(tmp_path).pooling


@pytest.mark.parametrize(
    ("modules", "told", "message"),
    [
        (["Transformer", "Pooling", "Dense"], {}, "'Dense' after its tokens"),
        (["Transformer", "Pooling"], {"pooling_mode": ["mean", "max"]}, "pools by mean and max"),
    ],
)
def test_what_a_folder_asks_for_in_vain(
    modules: list[str], told: dict[str, object], message: str, tmp_path: Path
) -> None:
    """Layers and ways to pool that are not supported are refused, not passed over."""
    (tmp_path / "modules.json").write_text(json.dumps([{"type": f"x.{m}", "path": f"1_{m}"} for m in modules]))
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(told))

    with pytest.raises(UsageError, match=message):
        Recipe.of(tmp_path)


def test_onnx_sentences_are_means_of_their_tokens(tmp_path: Path) -> None:
    """The vector is the mean of the table's rows, marks included, made as long as 1; fillers do not enter."""
    encoder = SentenceOnnx(str(tiny_encoders.sentence_onnx(tmp_path)))
    table = np.random.default_rng(0).normal(size=(tiny_encoders.tokenizer().get_vocab_size(), 32)).astype(np.float32)
    texts = ["ab", "a longer text of many letters"]

    vectors = encoder.encode(ItemBatch.from_texts(texts)).features

    for text, vector in zip(texts, vectors, strict=True):
        mean = table[tiny_encoders.tokenizer().encode(text).ids].mean(axis=0)
        np.testing.assert_allclose(mean / np.linalg.norm(mean), vector, atol=1e-6)


def test_an_onnx_file_that_is_none_is_one_error(tmp_path: Path) -> None:
    """A damaged model, or one of pictures where texts are read, is said in words before any item is looked at."""
    (tmp_path / "bad.onnx").write_bytes(b"not a model")
    tiny_encoders.sentence_onnx(tmp_path)
    picture = tiny_encoders.image_onnx(tmp_path)

    with pytest.raises(UsageError, match="no model that onnxruntime can run"):
        _ = ImageOnnx(str(tmp_path / "bad.onnx")).n_dimensions
    with pytest.raises(UsageError, match="expected an encoder of texts"):
        _ = SentenceOnnx(str(picture)).n_dimensions
    with pytest.raises(UsageError, match="did you mean 'maps'"):
        _ = ImageOnnx(str(picture), output="map").n_dimensions


def test_pictures_are_seen_upright_and_on_white(tmp_path: Path) -> None:
    """A turned picture has the vector of the upright one; what is transparent is white; formats do not matter."""
    encoder = ImageOnnx(str(tiny_encoders.image_onnx(tmp_path)))
    squares = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    upright = Image.fromarray(squares)
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    turned.getexif()[0x0112] = 6  # shown turned by 90 degrees to the right
    buffer = io.BytesIO()
    turned.save(buffer, "PNG", exif=turned.getexif())
    clear, white = Image.new("RGBA", (32, 32), (255, 0, 0, 0)), Image.new("RGB", (32, 32), "white")
    batch = media(
        {"a": png(upright), "b": buffer.getvalue(), "c": png(upright, "BMP"), "d": png(clear), "e": png(white)}
    )

    vectors = encoder.encode(batch).features

    np.testing.assert_array_equal(vectors[0], vectors[1])
    np.testing.assert_array_equal(vectors[0], vectors[2])
    np.testing.assert_array_equal(vectors[3], vectors[4])


def test_a_picture_with_too_many_pixels_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused by its head, before it is decoded."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)

    encoded = ImageOnnx(str(tiny_encoders.image_onnx(tmp_path))).encode(media({"a": png(Image.new("L", (20, 20)))}))

    assert "more pixels than are decoded" in encoded.faults[0].error


def test_mel_hears_pitch_at_any_rate() -> None:
    """A tone is loudest in its own band; sampled twice as fast it has nearly the same vector, unlike another tone."""

    def tone(hertz: float, rate: int) -> bytes:
        return wav(0.3 * np.sin(2 * np.pi * hertz * np.arange(rate) / rate), rate)

    low, low_fast, high = (
        Mel(bands=32).encode(media({"a": tone(400, 16_000), "b": tone(400, 32_000), "c": tone(3_000, 16_000)})).features
    )

    assert int(np.argmax(low[:32])) < int(np.argmax(high[:32]))
    assert np.abs(low - low_fast)[:32].max() < 0.3 * np.abs(low - high)[:32].max()


def test_recordings_without_sound_are_faults() -> None:
    """No samples, or no recording at all, is said; a shorter one than a frame, and silence, have vectors."""
    silence = np.zeros(8_000)

    encoded = Mel().encode(
        media({"none": wav(silence[:0], 8_000), "text": b"hello", "short": wav(silence[:10], 8_000)})
    )

    assert ["0", "1"] == [fault.item for fault in encoded.faults]
    assert "holds no sound" in encoded.faults[0].error
    assert np.isfinite(encoded.features[2]).all()
