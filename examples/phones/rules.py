"""What kind of sound is it, and from when to when? Two listeners with rules of thumb."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile
from scipy import ndimage

from labelmill import labeling_function

HERE = Path(__file__).parent
STEP = 0.01
"""Seconds from one look at the sound to the next."""

QUIET = -32.0
"""Decibels below the loudest moment at which nothing is to be heard."""

LONGEST_HOLD = 0.15
"""Seconds that a stop holds the air back; what is quiet for longer is a pause."""


def windows(item):
    """Looks at the sound, shape (n_looks, n_samples) of 25 ms each; samples a second; seconds in all."""
    sound, rate = soundfile.read(HERE / item.audio)
    step, width = round(STEP * rate), round(0.025 * rate)
    padded = np.pad(sound, (width // 2, width))
    n_looks = max(int(np.ceil(len(sound) / step)), 1)
    return np.stack([padded[i * step : i * step + width] for i in range(n_looks)]), rate, len(sound) / rate


def loudness(looks):
    """Decibels, 0 at the loudest moment."""
    power = (looks**2).mean(axis=1) + 1e-10
    return 10 * np.log10(power / power.max())


def stretches(kinds, duration):
    """Segments of looks of the same kind; short silences are stops, what is over within 20 ms is no phone."""
    names = ["", "vowel", "sonorant", "fricative"]
    smooth = ndimage.median_filter(np.array([names.index(kind) for kind in kinds]), size=5, mode="nearest")
    borders = [0, *(np.flatnonzero(np.diff(smooth)) + 1).tolist(), len(smooth)]
    found = []
    for first, last in pairwise(borders):
        start, end = first * STEP, min(last * STEP, duration)
        is_inside = first > 0 and last < len(smooth)
        name = names[smooth[first]] or ("stop" if is_inside and end - start <= LONGEST_HOLD else "")
        if name and end > start:
            found.append({"label": name, "start": start, "end": end})
    return found


@labeling_function()
def by_bands(x):
    """A hiss lies high, a hum lies low, a vowel is loud in between."""
    looks, rate, duration = windows(x)
    power = np.abs(np.fft.rfft(looks * np.hanning(looks.shape[1]), axis=1)) ** 2
    pitch = np.fft.rfftfreq(looks.shape[1], 1 / rate)
    whole = power.sum(axis=1) + 1e-10
    high = power[:, pitch > 3000].sum(axis=1) / whole
    middle = power[:, (pitch > 600) & (pitch < 3000)].sum(axis=1) / whole
    kinds = []
    for level, hiss, open_mouth in zip(loudness(looks), high, middle, strict=True):
        if level < QUIET:
            kinds.append("")
        elif hiss > 0.4:
            kinds.append("fricative")
        else:
            kinds.append("vowel" if level > -14 or open_mouth > 0.4 else "sonorant")
    return stretches(kinds, duration)


@labeling_function()
def by_crossings(x):
    """A hiss crosses zero all the time; of the rest, what is loud is a vowel."""
    looks, rate, duration = windows(x)
    crossings = np.abs(np.diff(np.signbit(looks).astype(int), axis=1)).sum(axis=1) / looks.shape[1] * rate
    kinds = []
    for level, each_second in zip(loudness(looks), crossings, strict=True):
        if level < QUIET:
            kinds.append("")
        elif each_second > 5000:
            kinds.append("fricative")
        else:
            kinds.append("vowel" if level > -12 else "sonorant")
    return stretches(kinds, duration)
