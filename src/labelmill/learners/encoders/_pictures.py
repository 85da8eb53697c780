"""Pictures as arrays: decoded, turned upright, brought to the size that a model wants."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from labelmill.domain.item import ItemBatch
from labelmill.errors import LabelmillError

__all__ = ["FORMATS", "pictures_of", "resized"]

FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
"""What is decoded: what browsers show."""

Pixels = npt.NDArray[np.uint8]


def pictures_of(
    batch: ItemBatch, size: tuple[int, int], *, crop: bool
) -> tuple[list[int], list[Pixels], dict[int, str]]:
    """The pictures of a batch in one size.

    Parameters
    ----------
    size : (int, int)
        Height and width.
    crop : bool
        Keep the picture's proportions and leave out what is beyond the middle; else the whole is pressed into the size.

    Returns
    -------
    rows : list of int
        Of the items whose picture could be read.
    pictures : list of ndarray of uint8, shape (height, width, 3)
        Red, green and blue.
    reasons : mapping of int to str
        Row -> why it could not.
    """
    rows, pictures, reasons = [], [], {}
    for row, name in enumerate(batch.frame["data"].to_list()):
        try:
            pictures.append(resized(_decoded(batch.read(name), size), size, crop=crop))
            rows.append(row)
        except LabelmillError as error:
            reasons[row] = str(error)
        except (
            OSError,
            ValueError,
            SyntaxError,
            Image.DecompressionBombWarning,
            Image.DecompressionBombError,
        ) as error:
            reasons[row] = _reason(name, error)
    return rows, pictures, reasons


def resized(picture: Image.Image, size: tuple[int, int], *, crop: bool) -> Pixels:
    """A picture in a size, shape (height, width, 3)."""
    wanted = (size[1], size[0])
    if crop:
        picture = ImageOps.fit(picture, wanted, Image.Resampling.BILINEAR)
    elif picture.size != wanted:
        picture = picture.resize(wanted, Image.Resampling.BILINEAR)
    return np.asarray(picture, dtype=np.uint8)


def _decoded(content: bytes, size: Sequence[int]) -> Image.Image:
    """The picture upright in red, green and blue; what is transparent is white."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        picture = Image.open(io.BytesIO(content), formats=FORMATS)
        picture.draft("RGB", (2 * size[1], 2 * size[0]))  # of a large JPEG only what is needed is decoded
        upright = ImageOps.exif_transpose(picture)
    if upright.mode in {"RGBA", "LA", "PA"} or "transparency" in upright.info:
        seen = upright.convert("RGBA")
        ground = Image.new("RGBA", seen.size, "white")
        return Image.alpha_composite(ground, seen).convert("RGB")
    return upright.convert("RGB")


def _reason(name: str, error: BaseException) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"{name!r} is no picture that can be decoded: {', '.join(FORMATS)} are"
    if isinstance(error, Image.DecompressionBombWarning | Image.DecompressionBombError):
        return f"{name!r} has more pixels than are decoded: {Image.MAX_IMAGE_PIXELS or 0:,}"
    return f"{name!r} cannot be decoded: {next(iter(str(error).splitlines()), type(error).__name__)}"
