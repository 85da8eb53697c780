"""What every encoder promises, on a few small items of its modality."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.item import ItemBatch
from labelmill.domain.ports import Encoder
from labelmill.errors import StorageError

__all__ = ["PROMISES", "items_for"]

Make = Callable[[], Encoder]

LEAST_COSINE = 0.99
"""Vectors of the same item are this much alike, whatever else is in the batch: rounding to 8 bits is rounding."""

_TEXTS = (
    "the match was won by the home team",
    "profits of the bank rose again this year, and the market with them, as nobody had expected before noon",
    "a poem",
    "see you at noon?",
    "win money now, for free!!!",
    "the novel is by an author whom nobody knows",
)
_ODD_TEXTS = ("你好，世界", "мир", "🙂🙃", "a\u0301\u200d", "x" * 5_000, "'", "!!!", "a\x00b")


def promise_one_finite_vector_for_each_item(make: Make) -> None:
    """Vectors are float32, as long as the encoder says, and finite."""
    encoder = make()

    encoded = encoder.encode(items_for(encoder))

    assert encoded.features.shape == (6, encoder.n_dimensions)
    assert encoded.features.dtype == np.float32
    assert np.isfinite(encoded.features).all()
    assert encoded.faults == []


def promise_same_items_same_bits(make: Make) -> None:
    """Two encoders made alike have the same fingerprint and make the same vectors."""
    one, other = make(), make()
    batch = items_for(one)

    assert one.fingerprint == other.fingerprint
    np.testing.assert_array_equal(one.encode(batch).features, other.encode(batch).features)


def promise_the_fingerprint_names_a_folder(make: Make) -> None:
    """It is 8 to 64 hexadecimal digits, and encoding does not change it."""
    encoder = make()
    before = encoder.fingerprint

    encoder.encode(items_for(encoder))

    assert before == encoder.fingerprint
    assert 8 <= len(before) <= 64
    assert set(before) <= set("0123456789abcdef")


def promise_an_item_is_encoded_alone(make: Make) -> None:
    """The other items of a batch change a vector by no more than rounding."""
    encoder = make()
    batch = items_for(encoder)

    together = encoder.encode(batch).features
    alone = np.vstack([encoder.encode(batch.slice(i, 1)).features for i in range(len(batch))])

    assert _cosines(together, alone).min() >= LEAST_COSINE


def promise_order_of_items_does_not_matter(make: Make) -> None:
    """Shuffled items have the same vectors, in their new order."""
    encoder = make()
    batch = items_for(encoder)
    order = np.array([3, 1, 5, 0, 4, 2])

    straight = encoder.encode(batch).features
    shuffled = encoder.encode(batch.take(order)).features

    assert _cosines(straight[order], shuffled).min() >= LEAST_COSINE


def promise_different_items_have_different_vectors(make: Make) -> None:
    """No two of the items look the same."""
    encoder = make()

    features = encoder.encode(items_for(encoder)).features

    assert len(np.unique(features, axis=0)) == len(features)


def promise_no_items_are_a_batch(make: Make) -> None:
    """An empty batch has no vectors, of the right length."""
    encoder = make()

    encoded = encoder.encode(items_for(encoder).slice(0, 0))

    assert encoded.features.shape == (0, encoder.n_dimensions)
    assert encoded.features.dtype == np.float32


def promise_a_bad_item_is_a_fault(make: Make) -> None:
    """An empty text, or a file that is missing or damaged, is a fault with a row of NaN; the others are as before."""
    encoder = make()
    batch = items_for(encoder)
    bad = ["", " \n"] if encoder.modality == "text" else ["missing.bin", "damaged.bin"]
    frame = batch.frame.vstack(batch.frame[:2].with_columns(id=_series(["bad 0", "bad 1"]), data=_series(bad)))
    order = np.array([6, 0, 1, 2, 7, 3, 4, 5])
    mixed = ItemBatch(frame, media=batch.media).take(order)

    encoded = encoder.encode(mixed)

    assert ["bad 0", "bad 1"] == [fault.item for fault in encoded.faults]
    assert all(fault.error and fault.annotator for fault in encoded.faults)
    assert np.isnan(encoded.features[[0, 4]]).all()
    good = encoded.features[[1, 2, 3, 5, 6, 7]]
    assert _cosines(encoder.encode(batch).features, good).min() >= LEAST_COSINE


def promise_only_bad_items_are_a_batch(make: Make) -> None:
    """Where nothing can be encoded, every item is a fault."""
    encoder = make()
    batch = items_for(encoder)
    bad = "" if encoder.modality == "text" else "missing.bin"

    encoded = encoder.encode(ItemBatch(batch.frame.with_columns(data=_series([bad] * 6)), media=batch.media))

    assert len(encoded.faults) == 6
    assert encoded.features.shape == (6, encoder.n_dimensions)
    assert np.isnan(encoded.features).all()


def promise_odd_texts_are_taken(make: Make) -> None:
    """Other scripts, signs beyond the basic plane, controls and very long words are texts too."""
    encoder = make()
    if encoder.modality != "text":
        return

    encoded = encoder.encode(ItemBatch.from_texts(_ODD_TEXTS))

    failed = {fault.item for fault in encoded.faults}
    for name, vector in zip(map(str, range(len(_ODD_TEXTS))), encoded.features, strict=True):
        assert np.isfinite(vector).all() or name in failed


def promise_items_are_left_alone(make: Make) -> None:
    """Encoding changes neither the items nor what they have for features."""
    encoder = make()
    batch = items_for(encoder)
    frame = batch.frame.clone()

    encoder.encode(batch)

    assert frame.equals(batch.frame)
    assert batch.features is None


PROMISES: list[Callable[[Make], None]] = [
    promise_one_finite_vector_for_each_item,
    promise_same_items_same_bits,
    promise_the_fingerprint_names_a_folder,
    promise_an_item_is_encoded_alone,
    promise_order_of_items_does_not_matter,
    promise_different_items_have_different_vectors,
    promise_no_items_are_a_batch,
    promise_a_bad_item_is_a_fault,
    promise_only_bad_items_are_a_batch,
    promise_odd_texts_are_taken,
    promise_items_are_left_alone,
]


def items_for(encoder: Encoder) -> ItemBatch:
    """Six small items that an encoder can read."""
    if encoder.modality == "text":
        return ItemBatch.from_texts(_TEXTS)
    make, ending = (_picture, "png") if encoder.modality == "image" else (_recording, "wav")
    files = {f"{i}.{ending}": make(i) for i in range(6)}
    plain = ItemBatch.from_texts(files)
    return ItemBatch(plain.frame, media=_reader({**files, "damaged.bin": files[f"0.{ending}"][:40]}))


def _reader(files: Mapping[str, bytes]) -> Callable[[str], bytes]:
    def read(name: str) -> bytes:
        if name not in files:
            raise StorageError(f"there is no file {name!r}")
        return files[name]

    return read


def _picture(i: int) -> bytes:
    """A picture with squares of its own, some of them grey or with transparent parts."""
    from PIL import Image

    rng = np.random.default_rng(i)
    squares = rng.integers(0, 256, (6, 8, 4), dtype=np.uint8).repeat(10, axis=0).repeat(9, axis=1)
    buffer = io.BytesIO()
    Image.fromarray(squares, "RGBA").convert(("RGB", "L", "RGBA")[i % 3]).save(buffer, "PNG")
    return buffer.getvalue()


def _recording(i: int) -> bytes:
    """Half a second or more of a tone of its own with some noise, 16 bits, 16 or 8 kHz."""
    rate = (16_000, 8_000)[i % 2]
    t = np.arange(int(rate * (0.5 + 0.1 * i))) / rate
    sound = 0.4 * np.sin(2 * np.pi * 200 * (i + 1) * t) + 0.02 * np.random.default_rng(i).normal(size=len(t))
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((sound * 32_767).astype("<i2").tobytes())
    return buffer.getvalue()


def _series(values: list[str]) -> Any:
    import polars as pl

    return pl.Series(values, dtype=pl.String)


def _cosines(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    x, y = a.astype(np.float64), b.astype(np.float64)
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    return np.asarray((x * y).sum(axis=1) / np.maximum(lengths, 1e-12))
