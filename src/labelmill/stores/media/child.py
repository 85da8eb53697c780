"""A program of its own that decodes one file, with little memory, little time and nothing else to read.

It is run as a file, knows nothing of labelmill, and gets the open file as its standard input. On standard output: one
line of JSON, then the bytes.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
import warnings
from collections.abc import Callable
from typing import Any

MOST_PIXELS = 100_000_000
MOST_SECONDS = 4 * 3600
MEMORY = 2 << 30
CPU_SECONDS = 30

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")


def main() -> None:
    """Do the job named by the first argument."""
    _limit()
    job: dict[str, Any] = json.loads(sys.argv[1])
    jobs: dict[str, Callable[..., None]] = {
        "sizes": sizes,
        "picture": picture,
        "recording": recording,
        "peaks": peaks,
        "spectrogram": spectrogram,
    }
    jobs[job.pop("job")](**job)


def sizes(fds: list[int]) -> None:
    """Width and height of pictures as they are seen, one line each; null for what is none."""
    for fd in fds:
        try:
            with os.fdopen(fd, "rb") as file, _opened(file) as image:
                turned = image.getexif().get(0x0112, 1) in {5, 6, 7, 8}
                found: list[int] | None = [image.height, image.width] if turned else [image.width, image.height]
        except Exception:  # noqa: BLE001 -- whatever a broken picture does, it is none
            found = None
        sys.stdout.write(json.dumps(found) + "\n")


def picture(side: int) -> None:
    """The picture upright, no larger than `side`, with nothing in it but pixels."""
    from PIL import ImageOps

    data = sys.stdin.buffer.read()
    with _opened(io.BytesIO(data)) as image:
        image.verify()
    with _opened(io.BytesIO(data)) as image:
        upright = ImageOps.exif_transpose(image)
        size = upright.size
        upright.thumbnail((side, side))
        has_alpha = upright.mode in {"RGBA", "LA", "PA"} or "transparency" in upright.info
        clean = upright.convert("RGBA" if has_alpha else "RGB")
    clean.info.clear()
    out = io.BytesIO()
    if has_alpha or max(size) <= 512:
        clean.save(out, "PNG")
        kind = "image/png"
    else:
        clean.save(out, "JPEG", quality=90)
        kind = "image/jpeg"
    _answer({"width": size[0], "height": size[1], "type": kind}, out.getvalue())


def recording() -> None:
    """How long it is, and its samples a second."""
    with _sound() as sound:
        _answer({"duration": sound.frames / sound.samplerate, "rate": sound.samplerate}, b"")


def peaks(per_second: int, start: float, seconds: float) -> None:
    """Pairs of signed bytes: the least and the greatest sample of each step."""
    import numpy as np

    samples, rate = _samples(start, seconds)
    n_steps = int(np.ceil(len(samples) * per_second / rate))
    edges = np.minimum(np.round(np.arange(n_steps) * rate / per_second).astype(np.int64), max(len(samples) - 1, 0))
    if n_steps == 0:
        _answer({}, b"")
        return
    low, high = np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)
    pairs = np.clip(np.round(np.stack([low, high], axis=1) * 127), -127, 127).astype(np.int8)
    _answer({}, pairs.tobytes())


def spectrogram(per_second: int, start: float, seconds: float, max_hz: float) -> None:
    """A grey picture: time to the right, the highest frequency at the top, 80 decibels from black to white."""
    import numpy as np
    from PIL import Image

    samples, rate = _samples(start, seconds)
    window = min(1 << max(8, int(np.log2(rate * 0.025)) + 1), 8192)
    n_columns = max(1, int(np.ceil(len(samples) * per_second / rate)))
    padded = np.concatenate([np.zeros(window // 2), samples, np.zeros(window)])
    starts = np.round(np.arange(n_columns) * rate / per_second).astype(np.int64)
    shape = np.hanning(window)
    top = max(2, int(np.ceil(max_hz / rate * window)))
    columns = [np.abs(np.fft.rfft(padded[s : s + window] * shape))[:top] for s in starts.tolist()]
    power = np.stack(columns, axis=1) / (window / 4)
    decibels = 20 * np.log10(np.maximum(power, 1e-5))
    grey = np.clip((decibels + 80) * 255 / 80, 0, 255).astype(np.uint8)[::-1]
    image = Image.fromarray(grey, "L").resize((n_columns, 256))
    out = io.BytesIO()
    image.save(out, "PNG")
    _answer({"type": "image/png"}, out.getvalue())


def _samples(start: float, seconds: float) -> tuple[Any, int]:
    with _sound() as sound:
        rate = sound.samplerate
        sound.seek(min(sound.frames, round(start * rate)))
        return sound.read(round(seconds * rate), dtype="float32", always_2d=True).mean(axis=1), rate


def _sound() -> Any:
    import soundfile

    sound = soundfile.SoundFile(sys.stdin.buffer)
    if not 0 < sound.samplerate <= 768_000 or sound.frames > MOST_SECONDS * sound.samplerate:
        raise ValueError("too long")
    return sound


def _opened(file: Any) -> Any:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS  # beyond it Pillow warns, and a warning ends it
    warnings.simplefilter("error")
    image = Image.open(file, formats=FORMATS)
    if image.width * image.height > MOST_PIXELS:
        raise ValueError("too many pixels")
    return image


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _answer(told: dict[str, Any], data: bytes) -> None:
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + data)


if __name__ == "__main__":
    main()
