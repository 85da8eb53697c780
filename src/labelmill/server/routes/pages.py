"""The browser app: static shells and their files, as the build left them."""

from __future__ import annotations

import json
import mimetypes
import threading
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from labelmill.server.auth import GuardedRoute, access
from labelmill.server.desk import desk_of
from labelmill.server.problems import ProblemError

__all__ = ["router"]

router = APIRouter(include_in_schema=False, route_class=GuardedRoute)

NOT_BUILT = (
    "The browser app is not built: run `npm ci --ignore-scripts && npm run build` in web/, then reload. "
    "The API under /api works without it.\n"
)

FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Built:
    """What the build left: pattern of a page -> its shell, address of a file -> the file."""

    at: int
    pages: dict[str, bytes]
    files: dict[str, Path]


_lock = threading.Lock()
_built: dict[Path, Built] = {}


@router.get("/static/{folder}/{name}")
@access("public")
def static_file(request: Request, folder: str, name: str) -> Response:
    """A file of the app; only those that the build left, by their whole names."""
    built = _find(desk_of(request).settings.static)
    path = built.files.get(f"{folder}/{name}") if built else None
    if path is None:
        raise ProblemError(404, "there is no such file")
    kind = "text/javascript" if path.suffix in {".js", ".mjs"} else mimetypes.guess_type(path.name)[0]
    return Response(
        path.read_bytes(), media_type=kind or "application/octet-stream", headers={"Cache-Control": FOREVER}
    )


@router.get("/")
@access("public")
def start(request: Request) -> Response:
    """The list of projects."""
    return _shell(request, "/")


@router.get("/sign-in")
@access("public")
def sign_in(request: Request) -> Response:
    """Name and password."""
    return _shell(request, "/sign-in")


@router.get("/set-up/{token}")
@access("public")
def set_up(request: Request, token: str) -> Response:  # noqa: ARG001 -- the page reads it from its address
    """The first account."""
    return _shell(request, "/set-up/{token}")


@router.get("/invitation/{token}")
@access("public")
def invitation(request: Request, token: str) -> Response:  # noqa: ARG001 -- the page reads it from its address
    """A new account."""
    return _shell(request, "/invitation/{token}")


@router.get("/p/{place}/{page}")
@access("public")
def page(request: Request, place: str, page: str) -> Response:  # noqa: ARG001 -- the page reads it from its address
    """A page of a project; what it shows comes from the API, which asks who is there."""
    return _shell(request, f"/p/{{project}}/{page}")


def _shell(request: Request, pattern: str) -> Response:
    built = _find(desk_of(request).settings.static)
    if built is None:
        return PlainTextResponse(NOT_BUILT, 200 if pattern == "/" else 404)
    shell = built.pages.get(pattern)
    if shell is None:
        raise ProblemError(404, "there is no such page")
    return Response(shell, media_type="text/html; charset=utf-8")


def _find(static: Path) -> Built | None:
    """What the last build left; read again after another."""
    index = static / "pages.json"
    try:
        at = index.stat().st_mtime_ns
    except OSError:
        return None
    with _lock:
        known = _built.get(static)
        if known is None or known.at != at:
            known = _read(static, index, at)
            _built[static] = known
        return known


def _read(static: Path, index: Path, at: int) -> Built:
    told = json.loads(index.read_text(encoding="utf-8"))
    folder = static / told["folder"]
    shells = {name: (static / "pages" / f"{name}.html").read_bytes() for name in set(told["pages"].values())}
    pages = {pattern: shells[name] for pattern, name in told["pages"].items()}
    return Built(at, pages, {f"{folder.name}/{path.name}": path for path in folder.iterdir() if path.is_file()})
