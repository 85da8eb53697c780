"""`[[schema.attributes]]` of the project file: tables checked field by field."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labelmill.domain.attributes import Attribute
from labelmill.errors import ProjectError, SchemaError, nearest
from labelmill.pipeline.settings import ATTRIBUTE_SETTINGS

__all__ = ["declared_attributes"]

TYPES = {setting.name: setting.type for setting in ATTRIBUTE_SETTINGS}

SPOKEN = {str: "a text", list: "a list of texts", bool: "true or false", float: "a number"}


def declared_attributes(tables: Any, path: Path) -> tuple[Attribute, ...]:
    """The attributes that the file declares, in its order.

    Parameters
    ----------
    tables : object
        What stands under `schema.attributes`, as TOML reads it.
    path : Path
        The project file, for messages.

    Raises
    ------
    ProjectError
        If it is no list of tables, a table has an unknown or no needed field, or a field a wrong type or value. Names
        the file, the table by its place from 1 and by its name, and the field.
    """
    if not isinstance(tables, list) or not all(isinstance(table, Mapping) for table in tables):
        raise ProjectError(
            f"{path}: schema.attributes must be tables, found {tables!r:.60}: write each attribute under a line "
            "[[schema.attributes]] of its own"
        )
    return tuple(_attribute(table, f"{path}: schema.attributes {n}", path) for n, table in enumerate(tables, 1))


def _attribute(table: Mapping[str, Any], place: str, path: Path) -> Attribute:
    if "name" not in table:
        raise ProjectError(f'{place}: has no name: add e.g. name = "occluded"')
    place = f"{place} ({table['name']!r:.40})"
    told = {field: _typed(field, value, place) for field, value in table.items()}
    try:
        return Attribute.of(told)
    except SchemaError as error:
        raise ProjectError(f"{path}: schema.attributes: {error}") from error


def _typed(field: str, value: Any, place: str) -> Any:
    if field not in TYPES:
        raise ProjectError(f"{place}: unknown key {field!r}: {nearest(field, TYPES)}")
    expected = TYPES[field]
    if expected is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    is_wrong = not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool)
    if is_wrong or (expected is list and not all(isinstance(entry, str) for entry in value)):
        raise ProjectError(f"{place}: {field} must be {SPOKEN[expected]}, found {value!r:.60}")
    return value
