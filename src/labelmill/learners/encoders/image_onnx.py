"""Models of pictures as ONNX files: their output, or a layer of theirs, as vectors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from labelmill.domain.item import ItemBatch, Modality
from labelmill.domain.partition import Resources
from labelmill.domain.ports import Encoded
from labelmill.errors import UsageError
from labelmill.learners.encoders._files import content_hash, model_file, told_hash
from labelmill.learners.encoders._grid import scaled, vectors_of
from labelmill.learners.encoders._items import placed
from labelmill.learners.encoders._onnx import OnnxModel
from labelmill.learners.encoders._pictures import pictures_of

__all__ = ["ImageOnnx"]

AT_ONCE: Final = 16
SIDE: Final = 224

IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
IMAGENET_STD: Final = (0.229, 0.224, 0.225)


class ImageOnnx:
    """Vectors of pictures by an ONNX file that takes one batch of pictures.

    The output may be anything: a classifier's scores serve too. Of maps the mean over places is taken. Whether colours
    come first or last, and the size, the file says itself where it says anything.

    Parameters
    ----------
    model : str
        The file.
    output : str, optional
        Name of the output; the first without it.
    size : int, optional
        Height and width; the model's own without it, or 224.
    mean, std : three floats
        Of red, green and blue on the scale from 0 to 1, which are taken off and divided by; ImageNet's without them.
    crop : bool
        Keep the proportions and leave out what is beyond the middle; else the whole picture is pressed into a square.
    """

    modality: ClassVar[Modality] = "image"
    resources = Resources()

    def __init__(
        self,
        model: str,
        *,
        output: str | None = None,
        size: int | None = None,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        crop: bool = False,
    ) -> None:
        self._path = model_file(model, "model")
        self._asked = output
        self._size = size
        self.mean, self.std = tuple(mean), tuple(std)
        self.crop = crop
        if len(self.mean) != 3 or len(self.std) != 3 or not min(self.std) > 0:
            raise UsageError(f"mean and std must be three numbers each, std above 0; found {self.mean} and {self.std}")
        self._hash = content_hash([self._path])

    @property
    def n_dimensions(self) -> int:
        """Length of a vector, as the model shows on an empty picture."""
        return self._n_dimensions

    @property
    def fingerprint(self) -> str:
        """Hash of the model and the settings."""
        return told_hash(["image_onnx", 1, self._hash, self._asked, self._size, self.mean, self.std, self.crop])

    def encode(self, batch: ItemBatch) -> Encoded:
        """One vector for each picture, in order; one that cannot be decoded is a fault."""
        rows: list[int] = []
        reasons: dict[int, str] = {}
        vectors = [np.zeros((0, self.n_dimensions), dtype=np.float32)]
        for start in range(0, len(batch), AT_ONCE):
            there, pictures, why = pictures_of(batch.slice(start, AT_ONCE), self._shape, crop=self.crop)
            rows += [start + row for row in there]
            reasons |= {start + row: reason for row, reason in why.items()}
            if pictures:
                vectors.append(self._vectors(np.stack(pictures)))
        return placed(batch, self.n_dimensions, rows, np.concatenate(vectors), reasons, "image_onnx")

    def _vectors(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        name, shape = self._model.sole_input()
        given = scaled(pictures, self.mean, self.std, channels_first=self._channels_first)
        is_half = self._model.types[name] == "tensor(float16)"
        given = given.astype(np.float16) if is_half else given
        output = self._model.output(self._asked)
        # A model whose batch is fixed at one takes them one by one.
        bites = [given[i : i + 1] for i in range(len(given))] if shape[0] == 1 else [given]
        found = np.concatenate([_rows(self._model.run(output, {name: bite}), len(bite)) for bite in bites])
        return vectors_of(found, channels_first=self._channels_first)

    @cached_property
    def _model(self) -> OnnxModel:
        return OnnxModel(self._path)

    @cached_property
    def _channels_first(self) -> bool:
        name, shape = self._model.sole_input()
        if len(shape) != 4 or 3 not in (shape[1], shape[3]):
            raise UsageError(
                f"{self._path} takes {name} of shape {shape}: expected pictures, (n, 3, height, width) or "
                "(n, height, width, 3)"
            )
        return bool(shape[1] == 3)

    @cached_property
    def _shape(self) -> tuple[int, int]:
        """Height and width."""
        _, shape = self._model.sole_input()
        height, width = shape[2:] if self._channels_first else shape[1:3]
        side = self._size or SIDE
        return (height if isinstance(height, int) else side, width if isinstance(width, int) else side)

    @cached_property
    def _n_dimensions(self) -> int:
        return int(self._vectors(np.zeros((1, *self._shape, 3), dtype=np.uint8)).shape[1])


def _rows(output: npt.NDArray[np.float32], n_pictures: int) -> npt.NDArray[np.float32]:
    """The output with a row for each picture; some models leave the batch out where it is one."""
    return output if output.ndim > 1 and len(output) == n_pictures else output.reshape(n_pictures, -1)
