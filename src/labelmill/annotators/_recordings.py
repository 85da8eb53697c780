"""Recordings as models take them: one channel, at one rate."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile  # noqa: TID253 - this file is about recordings, and imported where there are some
from scipy.signal import resample_poly

from labelmill.errors import BadInputError, BadRow

__all__ = ["LONGEST", "heard"]

LONGEST: Final = 4 * 3600
"""Seconds of a recording that is taken."""


def heard(path: Path, rate: int) -> npt.NDArray[np.float32]:
    """The samples, -1 to 1, all channels as one, at so many a second.

    Raises
    ------
    BadInputError
        If it cannot be decoded, or is too long.
    """
    try:
        with soundfile.SoundFile(path) as sound:
            if sound.frames > LONGEST * sound.samplerate:
                raise ValueError(f"longer than {LONGEST / 3600:g} hours")  # noqa: TRY301 - told like other refusals
            samples = sound.read(dtype="float32", always_2d=True).mean(axis=1)
            own = int(sound.samplerate)
    except MemoryError:
        raise
    except Exception as error:  # decoders raise whatever they come upon
        reason = f"no recording that can be decoded: {type(error).__name__}: {error}"
        raise BadInputError([BadRow(str(path), None, None, reason)]) from error
    if own != rate:
        common = math.gcd(own, rate)
        samples = resample_poly(samples, rate // common, own // common).astype(np.float32)
    return np.ascontiguousarray(np.clip(np.nan_to_num(samples), -1.0, 1.0), dtype=np.float32)
