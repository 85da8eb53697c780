"""Models of sounds as ONNX files that take samples."""

from __future__ import annotations

import math
from functools import cached_property
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly

from labelmill.domain.item import ItemBatch, Modality
from labelmill.domain.partition import Resources
from labelmill.domain.ports import Encoded
from labelmill.errors import UsageError
from labelmill.learners.encoders._files import content_hash, model_file, told_hash
from labelmill.learners.encoders._grid import vectors_of
from labelmill.learners.encoders._items import placed
from labelmill.learners.encoders._onnx import OnnxModel
from labelmill.learners.encoders._sounds import sounds_of

__all__ = ["AudioOnnx"]

Floats = npt.NDArray[np.float32]

PIECE_SECONDS: Final = 10.0
"""Of a long recording that a model hears at once, if it takes any length."""


class AudioOnnx:
    """Vectors of recordings by an ONNX file whose one input are samples, shape (n,) or (1, n).

    A recording is cut into pieces of the model's length, or of ten seconds, the last filled up with silence where the
    length is fixed; its vector is the mean of theirs, over time.

    Parameters
    ----------
    model : str
        The file.
    rate : int
        Samples a second that the model was made for.
    output : str, optional
        Name of the output; the first without it.
    """

    modality: ClassVar[Modality] = "audio"
    resources = Resources()

    def __init__(self, model: str, *, rate: int = 16_000, output: str | None = None) -> None:
        if not 1_000 <= rate <= 192_000:
            raise UsageError(f"rate must lie between 1,000 and 192,000 samples a second, found {rate}")
        self._path = model_file(model, "model")
        self.rate = rate
        self._asked = output
        self._hash = content_hash([self._path])

    @property
    def n_dimensions(self) -> int:
        """Length of a vector, as the model shows on silence."""
        return self._n_dimensions

    @property
    def fingerprint(self) -> str:
        """Hash of the model and the settings."""
        return told_hash(["audio_onnx", 1, self._hash, self.rate, self._asked, PIECE_SECONDS])

    def encode(self, batch: ItemBatch) -> Encoded:
        """One vector for each recording, in order; one that cannot be decoded is a fault."""
        rows: list[int] = []
        reasons: dict[int, str] = {}
        vectors = [np.zeros((0, self.n_dimensions), dtype=np.float32)]
        for row, sound, rate, reason in sounds_of(batch):
            if reason:
                reasons[row] = reason
            else:
                rows.append(row)
                vectors.append(self._vector(_resampled(sound, rate, self.rate))[None])
        return placed(batch, self.n_dimensions, rows, np.concatenate(vectors), reasons, "audio_onnx")

    def _vector(self, sound: Floats) -> Floats:
        """Mean over the pieces, by their length, shape (n_dimensions,)."""
        name, _ = self._model.sole_input()
        length = self._length or round(PIECE_SECONDS * self.rate)
        pieces = [sound[start : start + length] for start in range(0, len(sound), length)]
        found = []
        for piece in pieces:
            whole = np.pad(piece, (0, length - len(piece))) if self._length else piece
            given = whole[None] if self._is_batched else whole
            found.append(_over_time(self._model.run(self._output, {name: given})))
        return np.average(np.stack(found), axis=0, weights=[len(piece) for piece in pieces]).astype(np.float32)

    @cached_property
    def _model(self) -> OnnxModel:
        model = OnnxModel(self._path)
        name, shape = model.sole_input()
        if len(shape) not in {1, 2}:
            raise UsageError(f"{self._path} takes {name} of shape {shape}: expected samples, (n,) or (1, n)")
        return model

    @cached_property
    def _output(self) -> str:
        return self._model.output(self._asked)

    @cached_property
    def _is_batched(self) -> bool:
        return len(self._model.sole_input()[1]) == 2

    @cached_property
    def _length(self) -> int | None:
        """Samples that the model takes at once; None if any number will do."""
        last = self._model.sole_input()[1][-1]
        return last if isinstance(last, int) and last > 1 else None

    @cached_property
    def _n_dimensions(self) -> int:
        return len(self._vector(np.zeros(self._length or self.rate, dtype=np.float32)))


def _over_time(output: Floats) -> Floats:
    """One vector of an output (dimensions,), (steps, dimensions) or (1, steps, dimensions)."""
    rows = vectors_of(output[None] if output.ndim == 1 else output)
    return np.asarray(rows.mean(axis=0), dtype=np.float32)


def _resampled(sound: Floats, rate: int, wanted: int) -> Floats:
    if rate == wanted:
        return sound
    common = math.gcd(rate, wanted)
    return np.asarray(resample_poly(sound, wanted // common, rate // common), dtype=np.float32)
