"""What declared models name: files beside the project's, class names, what a worker needs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from labelmill.annotators._declared import RULES_FOLDER
from labelmill.domain.partition import Resources
from labelmill.errors import BadInputError, BadRow, RulesError, nearest

__all__ = ["ItemFiles", "class_names", "file_named", "home", "listed_fields", "positive", "resources_of", "within"]

UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def home() -> Path:
    """Where relative paths start: the folder of the rules or of the project file, else the working directory."""
    return RULES_FOLDER.get() or Path.cwd()


def file_named(name: Any, what: str) -> Path:
    """The file, if it is there.

    Raises
    ------
    RulesError
        If there is no such file, or it cannot be read.
    """
    if not isinstance(name, str | Path) or not str(name):
        raise RulesError(f"{what} is the path of a file, found {name!r}")
    path = home() / Path(name).expanduser()
    try:
        with path.open("rb"):  # also what tells the pipeline that it must travel to the workers
            return path
    except FileNotFoundError:
        raise RulesError(f"{what}: no file {path}: put it there, or write the path it has") from None
    except OSError as error:
        raise RulesError(f"{what}: {path} cannot be read: {error.strerror}") from None


def class_names(told: Any) -> tuple[str, ...]:
    """Class names in the order of a model's outputs: a list, or a file that holds one.

    The file is JSON (a list, or a mapping of index to name), or text with one name a line.

    Raises
    ------
    RulesError
        If it is neither, or holds no names.
    """
    names = _names_in(file_named(told, "classes")) if isinstance(told, str | Path) else told
    if isinstance(names, Mapping):
        try:
            order = sorted(names, key=int)
        except (TypeError, ValueError):
            raise RulesError('classes: a mapping goes from index to name, e.g. {"0": "cat"}') from None
        if [int(key) for key in order] != list(range(len(order))):
            raise RulesError(f"classes: the indices must be 0 to {len(order) - 1}, each once")
        names = [names[key] for key in order]
    if not isinstance(names, Sequence) or isinstance(names, str) or not names:
        raise RulesError(f"classes must be a list of names in the order of the model's outputs, found {names!r:.80}")
    for name in names:
        if not isinstance(name, str):
            raise RulesError(f"classes must be names, found {name!r:.80}")
    return tuple(names)


def _names_in(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(text) if path.suffix == ".json" else [line for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise RulesError(f"classes: {path} holds no list of names: {error}") from None


def resources_of(told: Any) -> Resources:
    """What a worker needs; a table of the project file may say memory as `"2 GB"`.

    Raises
    ------
    RulesError
        If a name is unknown, or a number is none.

    Examples
    --------
    >>> resources_of({"gpus": 1, "memory": "2 GB"})
    Resources(cpus=1, gpus=1, memory=2000000000, workers=None)
    """
    if told is None:
        return Resources()
    if not isinstance(told, Mapping):
        return Resources(*told)
    for name in told:
        if name not in Resources._fields:
            raise RulesError(f"resources: unknown {name!r}: {nearest(str(name), Resources._fields)}")
    given = dict(told)
    if isinstance(given.get("memory"), str):
        given["memory"] = _bytes(given["memory"])
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise RulesError(f"resources: {name} must be a number from 0 on, found {value!r}")
    return Resources(**given)


def _bytes(text: str) -> int:
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*", text)
    if not found or found[2].upper() not in UNITS:
        raise RulesError(f'resources: memory = {text!r} is no size: write e.g. "2 GB"')
    return int(float(found[1]) * UNITS[found[2].upper()])


def positive(value: Any, what: str) -> int:
    """A whole number from 1 on.

    Raises
    ------
    RulesError
        If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise RulesError(f"{what} must be a whole number from 1 on, found {value!r}")
    return value


def listed_fields(told: Any) -> tuple[str, ...]:
    """Names of fields.

    Raises
    ------
    RulesError
        If it is no list of names.
    """
    if isinstance(told, str) or not isinstance(told, Sequence) or not all(isinstance(one, str) for one in told):
        raise RulesError(f"fields must be a list of names, found {told!r:.80}")
    return tuple(told)


def within(value: Any, what: str, low: float = 0.0, high: float = 1.0) -> float:
    """A number between two bounds.

    Raises
    ------
    RulesError
        If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise RulesError(f"{what} must lie between {low:g} and {high:g}, found {value!r}")
    return float(value)


class ItemFiles:
    """The pictures and recordings that items name, below some folders.

    Parameters
    ----------
    folders : str, Path or sequence of these, optional
        Where relative paths start, the first that has the file; the folder of the rules without it.
    """

    def __init__(self, folders: str | Path | Sequence[str | Path] | None = None) -> None:
        named = [folders or "."] if folders is None or isinstance(folders, str | Path) else folders
        self.folders = [home() / Path(name).expanduser() for name in named]

    def path(self, place: str) -> Path:
        """The file that an item names by its path or `file:` address.

        Raises
        ------
        BadInputError
            If it is another kind of address, or leads out of the folders: items come from elsewhere, and what they
            name is read, and may be sent to a model server.
        """
        parts = urlsplit(place)
        spoken = " or ".join(map(str, self.folders))
        if parts.scheme == "file":
            place = unquote(parts.path)
        elif "://" in place:
            raise _refused(place, f"{parts.scheme} addresses are not read here: give a path below {spoken}")
        leads_out = True
        for root in (folder.resolve() for folder in self.folders):
            path = (root / place).resolve()
            if path.is_relative_to(root):
                leads_out = False
                if path.is_file():
                    return path
        if leads_out:
            raise _refused(place, f"lies outside {spoken}: name the folder that holds it, folder=...")
        raise _refused(place, f"no such file in {spoken}")


def _refused(place: str, reason: str) -> BadInputError:
    return BadInputError([BadRow(place, None, None, reason)])
