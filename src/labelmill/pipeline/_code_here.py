"""The user's code on a worker: the driver's files where they are, or a copy from the lake."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import shutil
import socket
import stat
import sys
import tempfile
import time
import zipfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from labelmill.annotators._fingerprint import relocate, version_of
from labelmill.annotators._rules_file import load_rules
from labelmill.domain.ports import Annotator
from labelmill.domain.vote import Fault
from labelmill.errors import AnnotationError, LabelmillError, ProjectError, RulesError
from labelmill.pipeline._code_bundle import Code
from labelmill.pipeline._declared_annotators import declared_annotators
from labelmill.stores.lake import Lake

__all__ = ["annotators_here", "check_files"]

KEPT_SECONDS: Final = 7 * 86_400.0
"""How long a copy that nobody opens stays on a machine."""


class _Here(NamedTuple):
    """Where the code lies on this machine, and whether that is a copy."""

    root: Path
    is_copy: bool


@lru_cache(maxsize=4)
def annotators_here(
    lake: str, code: Code, fingerprints: tuple[tuple[str, str], ...], *, isolated: bool
) -> list[Annotator]:
    """The annotators with these fingerprints, loaded once per worker.

    Parameters
    ----------
    lake : str
        URI of the lake.
    code : Code
    fingerprints : tuple of (str, str)
        Annotator -> fingerprint that the driver saw.
    isolated : bool
        Whether this process does nothing else: then it goes where the driver was, so that relative paths hold.

    Raises
    ------
    AnnotationError
        If the rules cannot be loaded here or would vote otherwise; says what differs.
    """
    here = _here(lake, code)
    if isolated:
        _go_where_the_driver_was(here, code)
    try:
        annotators = load_rules(here.root / code.entry) if code.entry else []
        annotators += declared_annotators(code.declared, _moved(Path(code.home), here, code), code.media)
        known = {annotator.name: annotator for annotator in annotators}
    except (RulesError, ProjectError) as error:
        if not here.is_copy:
            raise
        raise AnnotationError(_not_loaded(error, here, code)) from None
    for name, fingerprint in fingerprints:
        if name not in known or known[name].fingerprint != fingerprint:
            raise AnnotationError(_differs(name, here, code))
    return [known[name] for name, _ in fingerprints]


def check_files(lake: str, code: Code, faults: Sequence[Fault]) -> None:
    """Stop if a rule failed for want of a file that did not travel: it would fail on every item.

    Raises
    ------
    AnnotationError
        Names the rule, the file, and the setting that lets it travel.
    """
    if not faults:
        return
    here = _here(lake, code)
    if not here.is_copy:
        return
    for fault in faults:
        found = re.match(r"FileNotFoundError: .*?: (['\"])(.*)\1$", fault.error)
        name = found and _name_in_project(found[2], here, code)
        if name:
            raise AnnotationError(
                f"the rule {fault.annotator!r} opens {name} when it is called, and that file did not travel to the "
                f"worker on {socket.gethostname()}: let it travel, in labelmill.toml:\n"
                f'[annotators]\nfiles = ["{name}"]'
            )


@lru_cache(maxsize=4)
def _here(lake: str, code: Code) -> _Here:
    root = Path(code.root)
    if not code.bundle or _holds(root, code.files):
        return _Here(root, is_copy=False)
    content = Lake(lake).read_code(code.bundle)
    try:
        copy = _unpacked(content, code)
    except OSError as error:
        raise AnnotationError(_no_place(error)) from error
    relocate(copy, code.root)
    return _Here(copy, is_copy=True)


def _holds(root: Path, files: Sequence[tuple[str, str]]) -> bool:
    """Whether all these files lie there with this content."""
    try:
        return all(hashlib.sha256((root / name).read_bytes()).hexdigest() == content for name, content in files)
    except OSError:
        return False


def _unpacked(content: bytes, code: Code) -> Path:
    """A folder with the code, shared by the workers of this user on this machine.

    Workers are ended without notice, so none can be relied on to remove a copy of its own.
    """
    shelf = _private_shelf()
    target = shelf / code.bundle
    if not _holds(target, code.files):
        new = Path(tempfile.mkdtemp(prefix="new-", dir=shelf))
        _extract(content, new)
        if not _holds(new, code.files):
            raise AnnotationError(f"the archive {code.bundle} is damaged: run the same command again")
        try:
            new.rename(target)
        except OSError:  # another worker was faster, or the user's code has written over its own copy
            if _holds(target, code.files):
                shutil.rmtree(new, ignore_errors=True)
            else:
                target = new
    os.utime(target)
    _sweep(shelf)
    return target


def _private_shelf() -> Path:
    """A folder that nobody else can write to: code is run from there."""
    shelf = Path(tempfile.gettempdir(), f"labelmill-code-{os.geteuid()}")
    with contextlib.suppress(FileExistsError):
        shelf.mkdir(mode=0o700)
    status = shelf.lstat()
    is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077
    return shelf if is_ours else Path(tempfile.mkdtemp(prefix="labelmill-code-"))


def _extract(content: bytes, folder: Path) -> None:
    """All files of the archive; one whose name leads out of the folder is refused."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            path = Path(entry.filename)
            if path.is_absolute() or ".." in path.parts or entry.is_dir():
                raise AnnotationError(f"the archive of the code holds {entry.filename!r}, which leads out of it")
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(archive.read(entry))


def _sweep(shelf: Path) -> None:
    oldest = time.time() - KEPT_SECONDS
    for path in shelf.iterdir():
        with contextlib.suppress(OSError):  # another worker sweeps too
            if path.stat().st_mtime < oldest:
                shutil.rmtree(path, ignore_errors=True)


def _go_where_the_driver_was(here: _Here, code: Code) -> None:
    folder = _moved(Path(code.folder), here, code)
    with contextlib.suppress(OSError):
        if here.is_copy:
            folder.mkdir(parents=True, exist_ok=True)
        os.chdir(folder)
    if here.is_copy:
        sys.path += [str(_moved(Path(place), here, code)) for place in code.paths]


def _moved(path: Path, here: _Here, code: Code) -> Path:
    """Where a path of the driver lies here."""
    return here.root / path.relative_to(code.root) if path.is_relative_to(code.root) else path


def _name_in_project(path: str, here: _Here, code: Code) -> str:
    """A path as a name below the project's folder; empty if it lies elsewhere."""
    for root in (str(here.root), code.root):
        if Path(path).is_relative_to(root):
            return Path(path).relative_to(root).as_posix()
    if Path(path).is_absolute():
        return ""
    absolute = Path(os.path.normpath(Path.cwd() / path))
    return absolute.relative_to(here.root).as_posix() if absolute.is_relative_to(here.root) else ""


def _no_place(error: OSError) -> str:
    return (
        f"the rules cannot be unpacked on {socket.gethostname()}: {error.strerror or error} in "
        f"{tempfile.gettempdir()}; free some space there, or set TMPDIR for the workers, and run the same command again"
    )


def _not_loaded(error: LabelmillError, here: _Here, code: Code) -> str:
    told = str(error).replace(str(here.root), code.root).partition("\nmend this line")[0]
    advice = "run the same command again"
    if "FileNotFoundError" in told:
        advice = 'let the file travel with the rules: [annotators] files = ["..."] in labelmill.toml'
    elif "ModuleNotFoundError" in told or "ImportError" in told:
        advice = "install the package on every node"
    return f"the rules load on the driver and not on {socket.gethostname()}: {told}\n{advice}"


def _differs(name: str, here: _Here, code: Code) -> str:
    place = str(Path(code.root, code.entry))
    if not here.is_copy:
        return f"{place}: {name!r} changed while it was running; run the same command again"
    return (
        f"{place}: the rule {name!r} would vote otherwise on {socket.gethostname()} than on the driver, although its "
        f"code is the same: {_other_versions(dict(code.libraries))}"
    )


def _other_versions(libraries: Mapping[str, str]) -> str:
    found = {name: version_of(name) for name in libraries}
    unequal = [name for name in libraries if found[name] != libraries[name]]
    if not unequal:
        return (
            "it depends on something outside the project's folder, such as a file elsewhere, the environment or the "
            "time: make that the same everywhere"
        )
    listed = ", ".join(f"{name} {found[name] or '?'} there and {libraries[name] or '?'} here" for name in unequal)
    return f"{listed}: install the same versions"
