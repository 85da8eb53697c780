"""Pictures as models take them: read upright, fitted to a size, in numbers; and the way back to their own pixels."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps  # noqa: TID253 - this file is about pictures, and imported where there are some

from labelmill.annotators._places import positive
from labelmill.errors import BadInputError, BadRow, RulesError, nearest

__all__ = ["Picture", "Placement", "opened"]

Fit = Literal["stretch", "letterbox", "crop"]
Resample = Literal["antialias", "bilinear", "nearest"]
Channels = Literal["rgb", "bgr", "grey"]
Layout = Literal["nchw", "nhwc"]

MOST_PIXELS: Final = 100_000_000
FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
DEEP: Final = {"I;16", "I;16B", "I;16L", "I;16N"}


class Placement(NamedTuple):
    """Where a picture lies on what the model saw: model = picture * scale + offset, in pixels.

    `width` and `height` are those of the picture, `seen_width` and `seen_height` those of what the model saw.
    """

    width: int
    height: int
    scale_x: float
    scale_y: float
    offset_x: float
    offset_y: float
    seen_width: int
    seen_height: int

    def boxes(self, corners: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Left, top, right, bottom on the picture, cut at its borders; shape (n_boxes, 4) both ways."""
        scale = np.array([self.scale_x, self.scale_y] * 2)
        offset = np.array([self.offset_x, self.offset_y] * 2)
        most = np.array([self.width, self.height] * 2, dtype=np.float64)
        return np.asarray(np.clip((corners - offset) / scale, 0.0, most))


@dataclass(frozen=True)
class Picture:
    """How a picture becomes a model's input.

    Parameters
    ----------
    size : pair of int
        Width and height in pixels.
    fit : {"stretch", "letterbox", "crop"}
        `letterbox` keeps the proportions and fills up with `fill`; `crop` keeps them and cuts the middle out.
    resample : {"antialias", "bilinear", "nearest"}
        `antialias` averages what is made smaller (torchvision, Pillow), `bilinear` looks at four pixels (OpenCV's
        default). A model does best with what it was trained on.
    scale : float
        Values 0 to 255 are multiplied by it first; 1/255 without it.
    mean, std : sequence of float
        For each channel, after scaling: (value - mean) / std.
    channels : {"rgb", "bgr", "grey"}
    layout : {"nchw", "nhwc"}
        Whether channels come before rows and columns or after them.
    fill : int
        Grey, 0 to 255, around a letterboxed picture.

    Raises
    ------
    RulesError
        If a value is none of these.
    """

    size: tuple[int, int] = (224, 224)
    fit: Fit = "stretch"
    resample: Resample = "antialias"
    scale: float = 1 / 255
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    channels: Channels = "rgb"
    layout: Layout = "nchw"
    fill: int = 114

    def __post_init__(self) -> None:
        allowed = {"fit": Fit, "resample": Resample, "channels": Channels, "layout": Layout}
        for name, values in allowed.items():
            value = getattr(self, name)
            if value not in get_args(values):
                raise RulesError(f"picture: {name}={value!r}: {nearest(str(value), get_args(values))}")
        object.__setattr__(self, "size", _checked_size(self.size))
        for name in ("mean", "std"):
            object.__setattr__(self, name, _per_channel(getattr(self, name), name, self.n_channels))
        if min(self.std) <= 0:
            raise RulesError(f"picture: std must be positive, found {self.std!r}")

    @classmethod
    def of(cls, told: Any) -> Picture:
        """From a mapping of these names, as a project file says it."""
        if told is None or isinstance(told, Picture):
            return told or cls()
        if not isinstance(told, Mapping):
            raise RulesError(f"picture is a table such as {{ size = [224, 224] }}, found {told!r:.80}")
        known = [one.name for one in fields(cls)]
        for name in told:
            if name not in known:
                raise RulesError(f"picture: unknown {name!r}: {nearest(str(name), known)}")
        return cls(**told)

    @property
    def n_channels(self) -> int:
        """Numbers of a pixel."""
        return 1 if self.channels == "grey" else 3

    def array(self, picture: Image.Image) -> tuple[npt.NDArray[np.float32], Placement]:
        """The numbers of one picture, shape (channels, height, width) or (height, width, channels); and where it lies.

        Parameters
        ----------
        picture : Image
            Upright, as `opened` gives it.
        """
        fitted, placement = self._fitted(picture.convert("L" if self.channels == "grey" else "RGB"))
        values = np.asarray(fitted, dtype=np.float32).reshape(self.size[1], self.size[0], self.n_channels)
        if self.channels == "bgr":
            values = values[:, :, ::-1]
        mean, std = np.array(self.mean, dtype=np.float32), np.array(self.std, dtype=np.float32)
        values = (values * np.float32(self.scale) - mean) / std
        values = values.transpose(2, 0, 1) if self.layout == "nchw" else values
        return np.ascontiguousarray(values, dtype=np.float32), placement

    def _fitted(self, picture: Image.Image) -> tuple[Image.Image, Placement]:
        width, height = picture.size
        wide, high = self.size
        if self.fit == "stretch":
            return self._resized(picture, wide, high), Placement(
                width, height, wide / width, high / height, 0.0, 0.0, wide, high
            )
        choose = min if self.fit == "letterbox" else max
        factor = choose(wide / width, high / height)
        inner = max(round(width * factor), 1), max(round(height * factor), 1)
        left, top = (wide - inner[0]) // 2, (high - inner[1]) // 2
        whole = Image.new(picture.mode, self.size, self.fill if self.channels == "grey" else (self.fill,) * 3)
        whole.paste(self._resized(picture, *inner), (left, top))
        return whole, Placement(width, height, inner[0] / width, inner[1] / height, float(left), float(top), wide, high)

    def _resized(self, picture: Image.Image, width: int, height: int) -> Image.Image:
        if self.resample == "antialias":
            return picture.resize((width, height), Image.Resampling.BILINEAR)
        if self.resample == "nearest":
            return picture.resize((width, height), Image.Resampling.NEAREST)
        steps = (picture.width / width, 0.0, 0.0, 0.0, picture.height / height, 0.0)
        # Pillow's transform takes no pixel beyond the border: a border of one pixel, repeated, as OpenCV has it.
        padded = Image.fromarray(
            np.pad(np.asarray(picture), [(1, 1), (1, 1), (0, 0)][: np.asarray(picture).ndim], "edge")
        )
        moved = (steps[0], 0.0, 1.0, 0.0, steps[4], 1.0)
        return padded.transform((width, height), Image.Transform.AFFINE, moved, Image.Resampling.BILINEAR)


def opened(path: Path) -> Image.Image:
    """A picture, decoded and upright.

    Raises
    ------
    BadInputError
        If it cannot be decoded, or has too many pixels.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about damage that Pillow gets over, and sizes that are checked here
        try:
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise ValueError(f"more than {MOST_PIXELS:,} pixels")  # noqa: TRY301 - told like other refusals
                image.load()
                upright = ImageOps.exif_transpose(image)
                return _of_eight_bits(upright)
        except MemoryError:
            raise
        except Exception as error:  # decoders raise whatever they come upon
            reason = f"no picture that can be decoded: {type(error).__name__}: {error}"
            raise BadInputError([BadRow(str(path), None, None, reason)]) from error


def _of_eight_bits(picture: Image.Image) -> Image.Image:
    if picture.mode in DEEP:
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    return picture.convert("RGB")


def _checked_size(told: Any) -> tuple[int, ...]:
    if not isinstance(told, Sequence) or isinstance(told, str) or len(told) != 2:
        raise RulesError(f"picture: size must be [width, height], found {told!r}")
    return tuple(positive(side, "picture: size") for side in told)


def _per_channel(told: Any, name: str, n_channels: int) -> tuple[float, ...]:
    values = (told,) if isinstance(told, int | float) else tuple(told)
    if len(values) not in {1, n_channels} or not all(isinstance(value, int | float) for value in values):
        raise RulesError(
            f"picture: {name} must be one number, or one for each of {n_channels} channels, found {told!r}"
        )
    return tuple(float(value) for value in values) * (n_channels if len(values) == 1 else 1)
