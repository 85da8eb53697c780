"""Vision models of Hugging Face, from a folder."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
import torch
import transformers

from labelmill.domain.item import ItemBatch, Modality
from labelmill.domain.partition import Resources
from labelmill.domain.ports import Encoded
from labelmill.learners.encoders._files import content_hash, folder_of, model_files, told_hash
from labelmill.learners.encoders._grid import scaled, vectors_of
from labelmill.learners.encoders._items import placed
from labelmill.learners.encoders._pictures import pictures_of
from labelmill.learners.encoders._torch import device_of, dtype_of, loaded, resources_of

__all__ = ["ImageTransformers"]

AT_ONCE: Final = {"cpu": 16, "cuda": 256}
SIDE: Final = 224
HALF: Final = (0.5, 0.5, 0.5)


class ImageTransformers:
    """Vectors of pictures by a vision transformer or a convolutional network in a folder.

    Size, mean and deviation of the pictures are those of `preprocessor_config.json`. Of the output its pooled vector is
    taken where the model has one, else the mean over places. Weights are safetensors; code that comes with a model is
    never run.

    Parameters
    ----------
    model : str
        A folder, or a name of Hugging Face that is in this machine's cache: `facebook/dinov2-small`.
    crop : bool
        Keep the proportions and leave out what is beyond the middle; else the whole picture is pressed into the size.
    dtype : {"auto", "float32", "bfloat16"}
        Of the weights; bfloat16 where it is computed with in hardware.
    device : {"auto", "cpu", "cuda"}
        Where the model runs; an accelerator, if there is one.
    """

    modality: ClassVar[Modality] = "image"

    def __init__(self, model: str, *, crop: bool = False, dtype: str = "auto", device: str = "auto") -> None:
        self.crop = crop
        self.dtype = dtype
        self.device = device_of(device)
        self.resources: Resources = resources_of(self.device)
        self._weights = dtype_of(dtype, self.device)
        self._folder = folder_of(model)
        self._hash = content_hash(model_files(self._folder))

    @property
    def n_dimensions(self) -> int:
        """Length of a vector, as the model shows on an empty picture."""
        return self._n_dimensions

    @property
    def fingerprint(self) -> str:
        """Hash of the model's files and the settings; what computes it may round differently."""
        return told_hash(["image_transformers", 1, self._hash, self.crop, self.dtype])

    def encode(self, batch: ItemBatch) -> Encoded:
        """One vector for each picture, in order; one that cannot be decoded is a fault."""
        rows: list[int] = []
        reasons: dict[int, str] = {}
        vectors = [np.zeros((0, self.n_dimensions), dtype=np.float32)]
        count = AT_ONCE[self.device.type]
        for start in range(0, len(batch), count):
            there, pictures, why = pictures_of(batch.slice(start, count), self._shape, crop=self.crop)
            rows += [start + row for row in there]
            reasons |= {start + row: reason for row, reason in why.items()}
            if pictures:
                vectors.append(self._vectors(np.stack(pictures)))
        return placed(batch, self.n_dimensions, rows, np.concatenate(vectors), reasons, "image_transformers")

    @torch.inference_mode()
    def _vectors(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Vectors of pictures, shape (n_pictures, n_dimensions)."""
        told = self._preparation
        mean, std = tuple(told.get("image_mean") or HALF), tuple(told.get("image_std") or HALF)
        given = torch.from_numpy(scaled(pictures, mean, std, channels_first=True))
        output = self._model(pixel_values=given.to(self.device, self._weights))
        pooled = getattr(output, "pooler_output", None)
        found = output.last_hidden_state if pooled is None else pooled.flatten(start_dim=1)
        return vectors_of(found.float().cpu().numpy())

    @cached_property
    def _model(self) -> Any:
        model = loaded(transformers.AutoModel, self._folder, dtype=self._weights, use_safetensors=True)
        return model.to(self.device).eval()

    @cached_property
    def _preparation(self) -> dict[str, Any]:
        """What the folder says of how pictures are prepared; nothing where it is silent."""
        path = self._folder / "preprocessor_config.json"
        if not path.is_file():
            return {}
        told, _ = transformers.ImageProcessingMixin.get_image_processor_dict(str(self._folder), local_files_only=True)
        found: dict[str, Any] = told
        return found

    @cached_property
    def _shape(self) -> tuple[int, int]:
        """Height and width."""
        size = self._preparation.get("crop_size") or self._preparation.get("size") or {}
        side = getattr(self._model.config, "image_size", SIDE)
        side = side if isinstance(side, int) else SIDE
        if isinstance(size, int):
            return size, size
        edge = size.get("shortest_edge", side)
        return int(size.get("height", edge)), int(size.get("width", edge))

    @cached_property
    def _n_dimensions(self) -> int:
        return int(self._vectors(np.zeros((1, *self._shape, 3), dtype=np.uint8)).shape[1])
