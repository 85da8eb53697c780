"""Pictures and recordings made on the spot, and tasks that carry them."""

from __future__ import annotations

import io
import json
import math
import struct
import wave
import zlib
from typing import Any

from tests.web.fake_server import task

RATE = 8000
PER_SECOND = 100
TILE_SECONDS = 30

Media = dict[str, tuple[str, bytes]]


def png(width: int, height: int, shade: int = 200) -> bytes:
    """A picture in greys: a light ground with darker squares of 40 pixels."""
    dark, light = bytes([shade - 40]) * 40, bytes([shade]) * 40
    rows = [(light + dark) * (width // 80 + 1), (dark + light) * (width // 80 + 1)]
    raw = b"".join(b"\0" + rows[y // 40 % 2][:width] for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(raw, 1)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def wav(seconds: float) -> bytes:
    """A tone that swells every second."""
    samples = (
        int(9000 * math.sin(t * 440 / RATE * 2 * math.pi) * abs(math.sin(t / RATE * math.pi)))
        for t in range(int(seconds * RATE))
    )
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(struct.pack(f"<{int(seconds * RATE)}h", *samples))
    return written.getvalue()


def image_task(number: int, *, width: int = 640, height: int = 480, **changes: Any) -> dict[str, Any]:
    """A task about the picture `/media/picture.png`."""
    return task(number, data={"image": "/media/picture.png", "width": width, "height": height}, **changes)


def picture(width: int = 640, height: int = 480) -> Media:
    """The picture of `image_task`."""
    return {"/media/picture.png": ("image/png", png(width, height))}


def audio_task(number: int, *, seconds: float = 8.0, **changes: Any) -> dict[str, Any]:
    """A task about the recording `/media/sound.wav` with its peaks and spectrogram."""
    addresses = {"audio": "/media/sound.wav", "peaks": "/media/peaks.json", "spectrogram": "/media/spectrogram.json"}
    return task(number, data=addresses | {"duration": seconds}, **changes)


def recording(seconds: float = 8.0, *, heard: float | None = None) -> Media:
    """The recording of `audio_task` and its tiles; `heard` where the sound itself shall be shorter."""
    media: Media = {"/media/sound.wav": ("audio/wav", wav(seconds if heard is None else heard))}
    for name, levels in (("peaks", [1, PER_SECOND]), ("spectrogram", [PER_SECOND])):
        manifest: dict[str, Any] = {"duration": seconds, "max_hz": RATE / 2, "levels": []}
        for per_second in levels:
            tile_seconds = TILE_SECONDS * PER_SECOND // per_second
            address = f"/media/{name}/{per_second}"
            manifest["levels"].append(
                {"per_second": per_second, "tile_seconds": tile_seconds, "tiles": f"{address}/{{tile}}"}
            )
            for tile in range(math.ceil(seconds / tile_seconds)):
                media[f"{address}/{tile}"] = _tile(name, per_second, min(tile_seconds, seconds - tile * tile_seconds))
        media[f"/media/{name}.json"] = ("application/json", json.dumps(manifest).encode())
    return media


def _tile(name: str, per_second: int, seconds: float) -> tuple[str, bytes]:
    steps = round(per_second * seconds)
    if name == "spectrogram":
        return "image/png", png(steps, 64, 120)
    swell = (int(100 * abs(math.sin(step / per_second * math.pi))) for step in range(steps))
    return "application/octet-stream", b"".join(struct.pack("bb", -high, high) for high in swell)
