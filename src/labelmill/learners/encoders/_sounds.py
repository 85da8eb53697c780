"""Recordings as arrays."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile

from labelmill.domain.item import ItemBatch
from labelmill.errors import LabelmillError

__all__ = ["sounds_of"]

MOST_SECONDS: Final = 600.0
"""Of a recording; what is beyond is not listened to."""

Samples = npt.NDArray[np.float32]


def sounds_of(batch: ItemBatch) -> Iterator[tuple[int, Samples, int, str]]:
    """For each item its row, its samples (the mean of its channels, -1 to 1), their rate, and why there are none."""
    for row, name in enumerate(batch.frame["data"].to_list()):
        try:
            with soundfile.SoundFile(io.BytesIO(batch.read(name))) as file:
                rate = int(file.samplerate)
                sound = file.read(int(MOST_SECONDS * rate), dtype="float32", always_2d=True).mean(axis=1)
        except LabelmillError as error:
            yield row, _NONE, 0, str(error)
            continue
        except (soundfile.SoundFileError, RuntimeError, ValueError, OSError, MemoryError) as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            yield row, _NONE, 0, f"{name!r} cannot be decoded: {reason}"
            continue
        if not len(sound):
            yield row, _NONE, 0, f"{name!r} holds no sound"
        elif not np.isfinite(sound).all():
            yield row, _NONE, 0, f"{name!r} holds samples that are not finite"
        else:
            yield row, np.asarray(sound, dtype=np.float32), rate, ""


_NONE: Final = np.zeros(0, dtype=np.float32)
