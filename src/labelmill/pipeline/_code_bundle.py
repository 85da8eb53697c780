"""The user's code as an archive in the lake: the rules file, what it imports from its project, and what it reads.

Workers elsewhere run from a copy of it (`_code_here.py`). What is not seen here are files that a rule opens when it is
called, or through a library that reads them without Python: they are named in `[annotators] files`.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labelmill.annotators._fingerprint import is_users_file, version_of
from labelmill.annotators._rules_file import load_rules
from labelmill.domain.ports import Annotator
from labelmill.errors import ProjectError, RulesError
from labelmill.pipeline._declared_annotators import KEY as DECLARED
from labelmill.pipeline._declared_annotators import declared_annotators, packed
from labelmill.pipeline._imports import imported
from labelmill.pipeline._openings import openings
from labelmill.pipeline.project import PROJECT_FILE, Project
from labelmill.stores.lake import Lake

__all__ = ["LARGEST", "Code", "load_code", "publish_code"]

LARGEST: Final = 50_000_000
"""Bytes that the files may have together: every worker fetches them."""

_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time an archive can hold. Equal files make equal archives, whenever they are packed."""


@dataclass(frozen=True, slots=True)
class Code:
    """Which code a run uses, and where a worker finds it.

    Parameters
    ----------
    root : str
        The folder on the driver that the names start from.
    entry : str
        The rules file, as a name below `root`.
    files : tuple of (str, str)
        Every file that is part of it: name below `root`, and hash of the content.
    folder : str
        The driver's working directory: below `root` where it is below it there.
    paths : tuple of str
        Where the driver found modules below `root`.
    libraries : tuple of (str, str)
        What it imports from elsewhere: package, and version on the driver.
    bundle : str
        Digest of the archive in the lake; empty if the code does not travel.
    declared : tuple of str
        Annotators that the project file declares, as texts.
    home, media : str, tuple of str
        Folder of the project file on the driver, and the media folders as it names them.
    """

    root: str
    entry: str
    files: tuple[tuple[str, str], ...]
    folder: str
    paths: tuple[str, ...] = ()
    libraries: tuple[tuple[str, str], ...] = ()
    bundle: str = ""
    declared: tuple[str, ...] = ()
    home: str = ""
    media: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoadedCode:
    """The annotators of the project with their fingerprints, and the files they were made from."""

    annotators: list[Annotator]
    fingerprints: dict[str, str]
    root: Path
    entry: Path | None
    files: list[Path]
    libraries: list[str]
    declared: tuple[str, ...] = ()
    home: Path = Path()
    media: tuple[str, ...] = ()


def load_code(project: Project, path: Path | None) -> LoadedCode:
    """Load the rules and what the project file declares, and take note of every file they are made of.

    Parameters
    ----------
    project : Project
    path : Path or None
        The rules file, if there is one.

    Raises
    ------
    RulesError
        If the rules cannot be loaded.
    ProjectError
        If `[annotators] files` names none, or one outside the folder of the rules, or a declared annotator cannot be
        made.
    """
    entry, folder = None if path is None else _absolute(path), _absolute(project.folder)
    root = folder if entry is None or entry.is_relative_to(folder) else entry.parent
    declared, media = packed(project[DECLARED]), tuple(project["storage.media"])
    before = set(sys.modules)
    with openings() as opened:
        annotators = [] if entry is None else load_rules(entry)
        annotators += declared_annotators(declared, folder, media)
    _refuse_namesakes(annotators, project)
    loaded = [getattr(sys.modules.get(name), "__file__", None) for name in set(sys.modules) - before]
    own, foreign = (set(), set()) if entry is None else imported(entry, [entry.parent, *_module_folders(root)])
    found = {*own, *(Path(name) for name in opened), *(Path(name) for name in loaded if name)}
    found |= set() if entry is None else {entry}
    lake = project.lake
    files = {_absolute(file) for file in found}
    files = {file for file in files if _belongs(file, root) and not _lies_in(file, lake)}
    files |= set(_named(project["annotators.files"], folder, root))
    fingerprints = {annotator.name: annotator.fingerprint for annotator in annotators}
    libraries = sorted(foreign)
    return LoadedCode(annotators, fingerprints, root, entry, sorted(files), libraries, declared, folder, media)


def publish_code(lake: Lake, loaded: LoadedCode, *, must_travel: bool) -> Code:
    """Put the code into the lake, for workers that do not have it.

    Parameters
    ----------
    must_travel : bool
        Whether there may be workers on other machines. Where there are none, code that is too large stays behind.

    Raises
    ------
    RulesError
        If it is too large to travel, and must.
    """
    sizes = {file: file.stat().st_size for file in loaded.files}
    is_large = sum(sizes.values()) > LARGEST
    if is_large and must_travel:
        largest = max(sizes, key=lambda file: sizes[file])
        raise RulesError(
            f"{loaded.entry or loaded.home}: the files that the rules use have {_mb(sum(sizes.values()))} together, "
            f"and at most {_mb(LARGEST)} travel to workers; the largest is {largest} with {_mb(sizes[largest])}: "
            "put it where every node can read it, outside the project folder, and open it there by its full path"
        )
    root = loaded.root
    contents = {} if is_large else {file.relative_to(root).as_posix(): file.read_bytes() for file in loaded.files}
    return Code(
        str(root),
        "" if loaded.entry is None else loaded.entry.relative_to(root).as_posix(),
        tuple((name, hashlib.sha256(content).hexdigest()) for name, content in contents.items()),
        str(Path.cwd()),
        tuple(str(folder) for folder in _module_folders(root)),
        tuple((name, version_of(name)) for name in loaded.libraries),
        "" if is_large or not contents else lake.publish_code(_packed(contents)),
        loaded.declared,
        str(loaded.home),
        loaded.media,
    )


def _refuse_namesakes(annotators: Sequence[Annotator], project: Project) -> None:
    """A name stands for one annotator, wherever it is written down."""
    names = [annotator.name for annotator in annotators]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ProjectError(
            f"{project.folder / PROJECT_FILE}: [[{DECLARED}]] {twice!r} is named like one in {project.code}: give "
            "one of them another name"
        )


def _packed(contents: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.create_system, entry.external_attr = 3, 0o600 << 16
            archive.writestr(entry, contents[name], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _module_folders(root: Path) -> list[Path]:
    """Where Python looks for modules, as far as it lies in the project."""
    folders = (_absolute(Path(place)) for place in sys.path)
    return [folder for folder in dict.fromkeys(folders) if folder.is_relative_to(root) and is_users_file(folder, root)]


def _named(patterns: Sequence[str], folder: Path, root: Path) -> Iterator[Path]:
    """Files that the project file names."""
    for pattern in patterns:
        place = f'[annotators] files: "{pattern}"'
        if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
            raise ProjectError(f"{place} leads out of {folder}: name files below it, e.g. data/*.csv")
        matches = [path for path in folder.glob(pattern) if pattern]
        files = [file for path in matches for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file()]
        if not files:
            raise ProjectError(f"{place} names no file in {folder}: mend it or leave it out")
        if not folder.is_relative_to(root):
            raise ProjectError(f"{place}: the rules lie outside {folder}, and files travel with them only from {root}")
        yield from files


def _belongs(file: Path, root: Path) -> bool:
    if not is_users_file(file, root) or not file.is_file():
        return False
    folders = file.relative_to(root).parts[:-1]
    return "__pycache__" not in folders and not any(name.startswith(".") for name in folders)


def _lies_in(file: Path, lake: Path | str) -> bool:
    return isinstance(lake, Path) and file.is_relative_to(_absolute(lake))


def _absolute(path: Path) -> Path:
    """Without dots and without following links: a file that is linked into the project belongs to it."""
    return Path(os.path.abspath(path))  # noqa: PTH100 -- Path.resolve follows links, Path.absolute keeps dots


def _mb(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.0f} MB"
