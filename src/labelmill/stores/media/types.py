"""What a file is, by its first bytes; what it is called says nothing."""

from __future__ import annotations

from typing import Final

__all__ = ["HEAD", "PICTURES", "RECORDINGS", "type_of"]

HEAD: Final = 64
"""Bytes that tell."""

PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/tiff"})
RECORDINGS: Final = frozenset({"audio/wav", "audio/flac", "audio/ogg", "audio/mpeg", "audio/mp4"})

_STARTS: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
)

_RIFF: Final = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}


def type_of(head: bytes) -> str | None:
    """The media type of a picture or recording that browsers may show; None for anything else, such as SVG."""
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp" and head[8:12] in {b"M4A ", b"mp42", b"isom"}:
        return "audio/mp4"
    return next((name for start, name in _STARTS if head.startswith(start)), None)
