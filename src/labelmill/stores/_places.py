"""Where a lake lies: a folder, or a URI of an object store."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from labelmill.errors import MissingDependencyError, UsageError, nearest
from labelmill.stores._files import Files
from labelmill.stores._local_files import LocalFiles
from labelmill.stores._object_store import ObjectStore

__all__ = ["open_files"]

_FORMS: Final = {
    "s3": "s3://bucket/prefix",
    "gs": "gs://bucket/prefix",
    "az": "az://container/prefix",
    "hdfs": "hdfs://namenode:port/path",
    "file": "file:///path",
}
"""Scheme -> how its URIs look."""


def open_files(place: Path | str) -> Files:
    """The files at a path or URI.

    Raises
    ------
    UsageError
        If the scheme is unknown or the URI lacks a part.
    MissingDependencyError
        If the library for the scheme is not installed.
    """
    if isinstance(place, Path):
        _refuse_broken_uri(place)
        return LocalFiles(place)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", place) is None:
        return LocalFiles(Path(place))
    scheme = place.partition("://")[0].lower()
    if scheme not in _FORMS:
        known = "; ".join([*_FORMS.values(), "or a plain path"])
        raise UsageError(f"{place}: no lake can lie there: {nearest(scheme, _FORMS)} Write it as {known}.")
    parts = urlsplit(place)
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise UsageError(
            f"{scheme}://{parts.hostname or ''}{parts.path}: a lake's URI has no '?', '#' or '@': credentials and "
            "endpoints come from the environment"
        )
    path = unquote(parts.path)
    if scheme == "file":
        if parts.netloc not in {"", "localhost"} or not path:
            raise UsageError(f"{place}: write a local folder as {_FORMS['file']} or as a plain path")
        return LocalFiles(Path(path))
    if not parts.netloc:
        raise UsageError(f"{place}: names no {'namenode' if scheme == 'hdfs' else 'bucket'}: write {_FORMS[scheme]}")
    return _remote(scheme, parts.netloc, path.strip("/"))


def _refuse_broken_uri(path: Path) -> None:
    """`Path` makes one slash of two, and the lake would be a folder called `s3:`."""
    scheme = str(path).partition(":/")[0]
    if scheme in _FORMS and str(path).startswith(f"{scheme}:/"):
        raise UsageError(f"{path}: give a URI as text, not as a Path: {_FORMS[scheme]}")


def _remote(scheme: str, authority: str, prefix: str) -> Files:
    try:
        from labelmill.stores._object_files import ObjectFiles

        return ObjectFiles(_connect(scheme, authority, prefix))
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in {"", "labelmill"}:
            raise
        extra = "hdfs" if scheme == "hdfs" else "storage"
        raise MissingDependencyError(
            f"a lake at {scheme}:// needs {missing!r}, which is not installed: pip install 'labelmill[{extra}]'"
        ) from error


def _connect(scheme: str, authority: str, prefix: str) -> ObjectStore:
    if scheme == "hdfs":
        from labelmill.stores._hdfs_store import connect_hdfs

        return connect_hdfs(scheme, authority, prefix)
    from labelmill.stores._opendal_store import connect_objects

    return connect_objects(scheme, authority, prefix)
