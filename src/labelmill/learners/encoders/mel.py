"""Mel statistics: how loud a recording is at each pitch, how much that varies, and how fast it changes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from labelmill.domain.item import ItemBatch, Modality
from labelmill.domain.partition import Resources
from labelmill.domain.ports import Encoded
from labelmill.errors import UsageError
from labelmill.learners.encoders._files import told_hash
from labelmill.learners.encoders._items import placed
from labelmill.learners.encoders._sounds import sounds_of

__all__ = ["Mel"]

Floats = npt.NDArray[np.float64]

WINDOW: Final = 0.025
STEP: Final = 0.010
"""Seconds of a frame, and from one to the next."""

LOWEST, HIGHEST = 40.0, 8_000.0
"""Hertz."""

QUIETEST: Final = 1e-10
"""Power below which everything is silence."""

FRAMES_AT_ONCE: Final = 3_000


class Mel:
    """Mean, spread and speed of change of the logarithm of a recording's mel spectrum: no model, any sound.

    The power spectrum of frames of 25 ms, 10 ms apart, is summed in overlapping bands that are as wide as the ear
    hears (Davis and Mermelstein 1980, https://doi.org/10.1109/TASSP.1980.1163420); of each band's logarithm over all
    frames the mean, the standard deviation and the mean size of the step from frame to frame are taken. Recordings of
    every rate are compared alike, as the bands are in hertz; bands above what a rate can hold are silent. Ten minutes
    are listened to at most.

    Parameters
    ----------
    bands : int
        Of the spectrum, from 40 to 8,000 Hz; a vector is three times as long.
    """

    modality: ClassVar[Modality] = "audio"
    resources = Resources()

    def __init__(self, *, bands: int = 64) -> None:
        if bands != int(bands) or not 8 <= bands <= 256:
            raise UsageError(f"bands must be a whole number from 8 to 256, found {bands!r}")
        self.bands = bands

    @property
    def n_dimensions(self) -> int:
        """Length of a vector."""
        return 3 * self.bands

    @property
    def fingerprint(self) -> str:
        """Hash of the settings."""
        return told_hash(["mel", 1, self.bands, WINDOW, STEP, LOWEST, HIGHEST, QUIETEST])

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
                vectors.append(self._vector(sound, rate)[None])
        return placed(batch, self.n_dimensions, rows, np.concatenate(vectors), reasons, "mel")

    def _vector(self, sound: npt.NDArray[np.float32], rate: int) -> npt.NDArray[np.float32]:
        """Means, deviations and mean steps of the bands, in bels, about -1 to 1; shape (3 bands,)."""
        logs = np.concatenate(list(_log_bands(sound, rate, self.bands)))
        steps = np.abs(np.diff(logs, axis=0)).mean(axis=0) if len(logs) > 1 else np.zeros(self.bands)
        # The middle of what a microphone hears is at about -4.
        return np.concatenate([(logs.mean(axis=0) + 4) / 4, logs.std(axis=0), steps]).astype(np.float32)


def _log_bands(sound: npt.NDArray[np.float32], rate: int, bands: int) -> Iterator[Floats]:
    """Decimal logarithms of the power in each band, shape (n_frames, bands), some frames at a time."""
    width, step = max(2, round(WINDOW * rate)), max(1, round(STEP * rate))
    if len(sound) < width:
        sound = np.pad(sound, (0, width - len(sound)))
    frames = np.lib.stride_tricks.sliding_window_view(sound, width)[::step]
    window = np.hanning(width)
    filters = _filters(rate, width, bands)
    for start in range(0, len(frames), FRAMES_AT_ONCE):
        spectrum = np.fft.rfft(frames[start : start + FRAMES_AT_ONCE] * window, axis=1)
        power = (spectrum.real**2 + spectrum.imag**2) / (window**2).sum()
        yield np.log10(np.maximum(power @ filters, QUIETEST))


@lru_cache(maxsize=8)
def _filters(rate: int, width: int, bands: int) -> Floats:
    """Triangles in mel over the frequencies of a spectrum, each of sum 1, shape (width // 2 + 1, bands)."""
    edges = _hertz(np.linspace(_mel(LOWEST), _mel(HIGHEST), bands + 2))
    hertz = np.fft.rfftfreq(width, 1 / rate)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (hertz - low) / (middle - low), (high - hertz) / (high - middle)
    filters = np.maximum(0.0, np.minimum(rising, falling))
    # A band narrower than the spectrum is fine hears its nearest frequency, if there is one.
    nearest = np.abs(hertz - middle).argmin(axis=0)
    empty = (filters.sum(axis=0) == 0) & (middle <= rate / 2)
    filters[nearest[empty], np.flatnonzero(empty)] = 1.0
    return np.asarray(filters / np.maximum(filters.sum(axis=0), 1e-12))


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


def _hertz(mel: Floats) -> Floats:
    return np.asarray(700 * (10 ** (mel / 2595) - 1))
