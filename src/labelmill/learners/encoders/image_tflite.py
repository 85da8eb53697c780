"""Models of pictures as TFLite files: small ones, made for phones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from labelmill.domain.item import ItemBatch, Modality
from labelmill.domain.partition import Resources
from labelmill.domain.ports import Encoded
from labelmill.errors import UsageError
from labelmill.learners.encoders._files import content_hash, model_file, told_hash
from labelmill.learners.encoders._grid import scaled, vectors_of
from labelmill.learners.encoders._items import placed
from labelmill.learners.encoders._pictures import pictures_of

__all__ = ["ImageTflite"]

AT_ONCE: Final = 64

HALF: Final = (0.5, 0.5, 0.5)
"""Mean and deviation that bring 0 to 1 to -1 to 1, as most of these models want it."""


class ImageTflite:
    """Vectors of pictures by a TFLite file that takes one picture, in numbers of 32 or of 8 bits.

    Parameters
    ----------
    model : str
        The file.
    mean, std : three floats
        Of red, green and blue on the scale from 0 to 1, which are taken off and divided by; not for models of 8 bits.
    crop : bool
        Keep the proportions and leave out what is beyond the middle; else the whole picture is pressed into the size.
    """

    modality: ClassVar[Modality] = "image"
    resources = Resources()

    def __init__(
        self, model: str, *, mean: Sequence[float] = HALF, std: Sequence[float] = HALF, crop: bool = False
    ) -> None:
        self._path = model_file(model, "model")
        self.mean, self.std = tuple(mean), tuple(std)
        self.crop = crop
        if len(self.mean) != 3 or len(self.std) != 3 or not min(self.std) > 0:
            raise UsageError(f"mean and std must be three numbers each, std above 0; found {self.mean} and {self.std}")
        self._hash = content_hash([self._path])

    @property
    def n_dimensions(self) -> int:
        """Length of a vector."""
        return self._n_dimensions

    @property
    def fingerprint(self) -> str:
        """Hash of the model and the settings."""
        return told_hash(["image_tflite", 1, self._hash, self.mean, self.std, self.crop])

    def encode(self, batch: ItemBatch) -> Encoded:
        """One vector for each picture, in order; one that cannot be decoded is a fault."""
        rows: list[int] = []
        reasons: dict[int, str] = {}
        vectors = [np.zeros((0, self.n_dimensions), dtype=np.float32)]
        for start in range(0, len(batch), AT_ONCE):
            there, pictures, why = pictures_of(batch.slice(start, AT_ONCE), self._shape, crop=self.crop)
            rows += [start + row for row in there]
            reasons |= {start + row: reason for row, reason in why.items()}
            vectors += [self._vector(picture) for picture in pictures]
        return placed(batch, self.n_dimensions, rows, np.concatenate(vectors), reasons, "image_tflite")

    def _vector(self, picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """The vector of one picture, shape (1, n_dimensions)."""
        taken, given = self._input, self._output
        self._model.set_tensor(taken["index"], self._pixels(picture[None]))
        self._model.invoke()
        found = self._model.get_tensor(given["index"])
        scale, zero = given["quantization"]
        exact = (found.astype(np.float32) - zero) * scale if found.dtype != np.float32 and scale else found
        return vectors_of(np.asarray(exact, dtype=np.float32), channels_first=False)

    def _pixels(self, picture: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
        dtype = self._input["dtype"]
        if dtype == np.uint8:
            return picture
        if dtype == np.int8:
            return (picture.astype(np.int16) - 128).astype(np.int8)
        return scaled(picture, self.mean, self.std, channels_first=False)

    @cached_property
    def _model(self) -> Any:
        try:
            model = Interpreter(model_path=str(self._path), num_threads=1)
            model.allocate_tensors()
        except (ValueError, RuntimeError, OSError) as error:
            raise UsageError(f"{self._path} is no TFLite model that can be run: {error}") from error
        return model

    @cached_property
    def _input(self) -> Mapping[str, Any]:
        taken = self._model.get_input_details()
        if len(taken) != 1 or len(taken[0]["shape"]) != 4 or taken[0]["shape"][3] != 3:
            shapes = [list(map(int, one["shape"])) for one in taken]
            raise UsageError(f"{self._path} takes {shapes}: expected one picture, [1, height, width, 3]")
        found: Mapping[str, Any] = taken[0]
        return found

    @cached_property
    def _output(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._model.get_output_details()[0]
        return found

    @cached_property
    def _shape(self) -> tuple[int, int]:
        return int(self._input["shape"][1]), int(self._input["shape"][2])

    @cached_property
    def _n_dimensions(self) -> int:
        return int(self._vector(np.zeros((*self._shape, 3), dtype=np.uint8)).shape[1])
