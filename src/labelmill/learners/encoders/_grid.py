"""Outputs of models of pictures and sounds as vectors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["scaled", "vectors_of"]

Floats = npt.NDArray[np.float32]


def scaled(
    pictures: npt.NDArray[np.uint8], mean: tuple[float, ...], std: tuple[float, ...], *, channels_first: bool
) -> Floats:
    """Pixels from 0 to 1, less the mean of each colour, by its deviation.

    Parameters
    ----------
    pictures : ndarray of uint8, shape (n_pictures, height, width, 3)
    mean, std : three floats
        Of red, green and blue, on the scale from 0 to 1.

    Returns
    -------
    ndarray of float32, shape (n_pictures, 3, height, width) or (n_pictures, height, width, 3)
    """
    found = (pictures.astype(np.float32) / 255 - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
    return np.ascontiguousarray(found.transpose(0, 3, 1, 2) if channels_first else found, dtype=np.float32)


def vectors_of(output: Floats, *, channels_first: bool = True) -> Floats:
    """An output of a model with one row for each thing as vectors, shape (n_things, n_dimensions).

    Of maps (n, channels, height, width) the mean over places is taken, of sequences (n, steps, dimensions) the mean
    over steps.
    """
    if output.ndim == 4:
        return np.asarray(output.mean(axis=(2, 3) if channels_first else (1, 2)), dtype=np.float32)
    if output.ndim == 3:
        return np.asarray(output.mean(axis=1), dtype=np.float32)
    return output.reshape(len(output), -1)
