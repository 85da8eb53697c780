"""`[[annotators.declared]]` of the project file: annotators without a line of Python."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from labelmill import registry
from labelmill.annotators._declared import RULES_FOLDER
from labelmill.domain.ports import Annotator
from labelmill.errors import ProjectError, RulesError, UnknownPluginError, nearest

__all__ = ["KEY", "checked_tables", "declared_annotators", "packed"]

KEY: Final = "annotators.declared"

ARE_CODE: Final = {"labeling_function", "predictor", "torch_predictor"}
"""Annotators that are given an object of Python: they stand in the rules file."""


def checked_tables(tables: Any, path: Path) -> list[dict[str, Any]]:
    """The tables as plain data, each with a name of its own and a known annotator; options are looked at later.

    Raises
    ------
    ProjectError
        Names the table by its place from 1, and the nearest known name.
    """
    if not isinstance(tables, list) or not all(isinstance(table, Mapping) for table in tables):
        raise ProjectError(f"{path}: {KEY} must be tables: write [[{KEY}]] on a line of its own before each")
    known = [name for name in registry.names("annotator") if name not in ARE_CODE]
    seen: dict[str, int] = {}
    for n, table in enumerate(tables, 1):
        place = f"{path}: {KEY} {n}"
        for key in ("name", "use"):
            if not isinstance(table.get(key), str) or not table[key].strip():
                raise ProjectError(f"{place}: needs a text {key!r}, found {table.get(key)!r:.60}")
        if table["use"] in ARE_CODE:
            raise ProjectError(f"{place}: {table['use']!r} takes an object of Python: write it in the rules file")
        if table["use"] not in known:
            raise ProjectError(f"{place}: use = {table['use']!r} is not known: {nearest(table['use'], known)}")
        if table["name"] in seen:
            raise ProjectError(f"{place}: is named {table['name']!r} like {KEY} {seen[table['name']]}: give it another")
        seen[table["name"]] = n
    return [dict(table) for table in tables]


def packed(tables: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The tables as texts, to travel with the code."""
    return tuple(json.dumps(table, ensure_ascii=False, sort_keys=True, default=str) for table in tables)


def declared_annotators(tables: Sequence[str], folder: Path, media: Sequence[str]) -> list[Annotator]:
    """The annotators that packed tables declare.

    Parameters
    ----------
    tables : sequence of str
        As `packed` made them.
    folder : Path
        Of the project file; relative paths start there.
    media : sequence of str
        The project's media folders, where pictures and recordings lie if a table does not say otherwise.

    Raises
    ------
    ProjectError
        If an option is unknown, missing or wrong, or a file is not there. Names the table.
    """
    token = RULES_FOLDER.set(folder)
    try:
        return [_annotator(json.loads(table), media) for table in tables]
    finally:
        RULES_FOLDER.reset(token)


def _annotator(table: Mapping[str, Any], media: Sequence[str]) -> Annotator:
    options = {name: value for name, value in table.items() if name != "use"}
    place = f"[[{KEY}]] {table['name']!r}"
    try:
        plugin = registry.find("annotator", table["use"])
    except UnknownPluginError as error:
        raise ProjectError(f"{place}: {error}") from None
    parameters = inspect.signature(plugin).parameters
    for name in options:
        if name not in parameters:
            raise ProjectError(f"{place}: {table['use']} has no option {name!r}: {nearest(name, parameters)}")
    missing = [name for name, one in parameters.items() if one.default is one.empty and name not in options]
    if missing:
        raise ProjectError(f"{place}: {table['use']} needs {' and '.join(missing)}")
    if "folder" in parameters:
        options.setdefault("folder", list(media))
    try:
        made: Annotator = plugin(**options)
    except RulesError as error:
        raise ProjectError(f"{place}: {error}") from None
    except TypeError as error:
        raise ProjectError(f"{place}: an option has the wrong type: {error}") from None
    return made
