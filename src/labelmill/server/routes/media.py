"""Pictures and recordings of items, for whoever may see the item."""

from __future__ import annotations

import os
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from labelmill.server.auth import GuardedRoute, access, project_of
from labelmill.server.desk import desk_of
from labelmill.server.media import (
    MAX_HZ,
    PEAK_LEVELS,
    SIDES,
    SPECTROGRAM_LEVELS,
    MediaFile,
    Span,
    manifest,
    n_tiles,
    opened,
    pieces,
    span_of,
)
from labelmill.server.problems import ProblemError
from labelmill.server.showing import example_content, item_of_address
from labelmill.stores.database.item_pages import content_of
from labelmill.stores.media.types import RECORDINGS, type_of

__all__ = ["router"]

router = APIRouter(prefix="/media/{project}/{name}", tags=["media"], route_class=GuardedRoute)

KEEP = {"Cache-Control": "private, max-age=3600"}

SANDBOX = {"Content-Security-Policy": "default-src 'none'; sandbox", "Content-Disposition": "attachment"}
"""For what a browser must not open as a page."""


@router.get("/original")
@access("annotator")
def original(request: Request, name: str) -> Response:
    """A recording, whole or in parts (Range); anything else as a file to save."""
    file = _file(request, name)
    try:
        kind = type_of(file.head)
        span = span_of(request.headers.get("range", ""), file.size)
    except BaseException:
        os.close(file.fd)
        raise
    is_shown = kind in RECORDINGS
    headers = {"Accept-Ranges": "bytes", **KEEP, **({} if is_shown else SANDBOX)}
    part = span or Span(0, file.size)
    headers["Content-Length"] = str(part.end - part.start)
    if span:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{file.size}"
    return StreamingResponse(
        pieces(file.fd, part),
        206 if span else 200,
        headers=headers,
        media_type=kind if is_shown else "application/octet-stream",
    )


@router.get("/peaks")
@access("annotator")
def peaks(request: Request, name: str) -> JSONResponse:
    """Where the tiles of the waveform are."""
    return _manifest(request, name, "peaks")


@router.get("/spectrogram")
@access("annotator")
def spectrogram(request: Request, name: str) -> JSONResponse:
    """Where the tiles of the spectrogram are."""
    return _manifest(request, name, "spectrogram")


@router.get("/peaks/{rate}/{tile}")
@access("annotator")
def peaks_tile(request: Request, name: str, rate: int, tile: int) -> Response:
    """Some seconds of the waveform: pairs of signed bytes."""
    return _tile(request, name, "peaks", dict(PEAK_LEVELS), rate, tile)


@router.get("/spectrogram/{rate}/{tile}")
@access("annotator")
def spectrogram_tile(request: Request, name: str, rate: int, tile: int) -> Response:
    """Some seconds of the spectrogram: a picture."""
    return _tile(request, name, "spectrogram", dict(SPECTROGRAM_LEVELS), rate, tile, max_hz=MAX_HZ)


@router.get("/{what}")
@access("annotator")
def picture(request: Request, name: str, what: Literal["preview", "thumbnail"]) -> Response:
    """A picture upright, without what the camera wrote about place and owner."""
    with _file(request, name) as file:
        made = file.made("picture", side=SIDES[what])
    return Response(made.data, media_type=made.facts["type"], headers=KEEP)


def _file(request: Request, name: str) -> MediaFile:
    desk, project = desk_of(request), project_of(request)
    item = item_of_address(name)
    content = None if item is None else content_of(desk.database, project, item) or example_content(project, item)
    if content is None or desk.question(project).schema.modality == "text":
        raise ProblemError(404, "there is no such picture or recording")
    return opened(desk, project, content)


def _manifest(request: Request, name: str, what: str) -> JSONResponse:
    with _file(request, name) as file:
        duration = float(file.made("recording").facts["duration"])
    return JSONResponse(manifest(request.url.path, what, duration), headers=KEEP)


def _tile(
    request: Request, name: str, job: str, levels: dict[int, int], rate: int, tile: int, **options: Any
) -> Response:
    seconds = levels.get(rate)
    if seconds is None:
        raise ProblemError(404, "there is no such zoom")
    with _file(request, name) as file:
        duration = float(file.made("recording").facts["duration"])
        if not 0 <= tile < n_tiles(duration, seconds):
            raise ProblemError(404, "the recording ends before")
        made = file.made(job, per_second=rate, start=tile * seconds, seconds=seconds, **options)
    return Response(made.data, media_type=made.facts.get("type", "application/octet-stream"), headers=KEEP)
