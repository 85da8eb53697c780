"""The project folder: `labelmill.toml`, the user's rules, and `.labelmill/`."""

from __future__ import annotations

import codecs
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from labelmill import registry
from labelmill.domain.attributes import Attribute
from labelmill.domain.schema import WITHOUT_CLASSES, LabelSchema
from labelmill.errors import ProjectError, SchemaError, UsageError, nearest
from labelmill.pipeline._attribute_settings import declared_attributes
from labelmill.pipeline._declared_annotators import KEY as DECLARED
from labelmill.pipeline._declared_annotators import checked_tables
from labelmill.pipeline._engines import check_engine
from labelmill.pipeline._learning_settings import check_learning
from labelmill.pipeline._teaching_settings import check_teaching
from labelmill.pipeline.settings import SETTINGS

__all__ = ["LONGEST_TIMEOUT", "PROJECT_FILE", "SHORTEST_TIMEOUT", "Project"]

PROJECT_FILE = "labelmill.toml"

SHORTEST_TIMEOUT = 0.001
LONGEST_TIMEOUT = 86_400.0
"""Seconds that a labeling function may be given for one item."""

MOST_LEASE_MINUTES = 7 * 24 * 60
"""A week."""

PLUGIN_KEYS = {
    "schema.kind": "label_kind",
    "aggregate.model": "label_model",
    "train.learner": "learner",
    "select.strategy": "query_strategy",
    "features.encoder": "encoder",
}
"""Settings whose value names a plugin -> its kind; what follows a colon is the plugin's own."""

MAY_BE_EMPTY = {"train.learner", "features.encoder"}
"""Those of them that need not name any."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project as its file says.

    Parameters
    ----------
    folder : Path
        Where `labelmill.toml` lies; relative paths in it start here.
    schema : LabelSchema
        The question.
    settings : mapping of str to value
        `section.name` -> value, every setting of `SETTINGS` present.
    """

    folder: Path
    schema: LabelSchema
    settings: Mapping[str, Any]

    @classmethod
    def open(cls, folder: Path) -> Project:
        """The project in `folder`.

        Raises
        ------
        ProjectError
            If there is no project file, or it holds an unknown key, a wrong type or an impossible value. Names the
            key and the nearest known one.
        """
        path = folder / PROJECT_FILE
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise ProjectError(
                f"no {PROJECT_FILE} in {folder.resolve()}: make a project with `labelmill init DIR`, "
                "or name its folder with --project DIR"
            ) from error
        except OSError as error:
            raise ProjectError(f"{path} cannot be read: {error.strerror}") from error
        return cls.of(folder, content)

    @classmethod
    def of(cls, folder: Path, content: bytes) -> Project:
        """The project that a project file with this content makes of the folder; see `open`."""
        path = folder / PROJECT_FILE
        settings = _checked(_parsed(content, path), path)
        try:
            return cls(folder, _schema(settings), settings)
        except SchemaError as error:
            raise ProjectError(f"{path}: {error}") from error

    def __getitem__(self, key: str) -> Any:
        return self.settings[key]

    @property
    def name(self) -> str:
        """Its name, or its folder's."""
        return self["project.name"] or self.folder.resolve().name

    @property
    def code(self) -> Path | None:
        """The file with the labeling functions, if there is one."""
        path = self.folder / self["annotators.code"]
        return path if self["annotators.code"] and path.is_file() else None

    @property
    def has_annotators(self) -> bool:
        """Whether there is anything that can vote: a file with labeling functions, or declared annotators."""
        return self.code is not None or bool(self[DECLARED])

    @property
    def lake(self) -> Path | str:
        """Where the lake lies: a folder, or a URI."""
        place: str = self["storage.lake"]
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", place):
            return place
        return self.folder / (place or ".labelmill")

    @property
    def database(self) -> Path | str:
        """Where people's side lies: a file, or the URL of a PostgreSQL."""
        place: str = self["storage.database"]
        return place if "://" in place else self.folder / (place or ".labelmill/people.db")


def _parsed(content: bytes, path: Path) -> dict[str, Any]:
    content = content.removeprefix(codecs.BOM_UTF8)  # editors of Windows put it there
    try:
        return tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ProjectError(
            f"{path}, line {line}: byte {content[error.start]:#04x} is not UTF-8: save the file as UTF-8"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ProjectError(f"{path} is not valid TOML: {error}: mend this place") from error


def _checked(data: Mapping[str, Any], path: Path) -> dict[str, Any]:
    sections = dict.fromkeys(setting.section for setting in SETTINGS)
    known = {setting.key: setting for setting in SETTINGS}
    settings = {setting.key: setting.default for setting in SETTINGS}
    for section, values in data.items():
        if section not in sections:
            raise ProjectError(f"{path}: unknown section [{section}]: {nearest(section, sections)}")
        if not isinstance(values, Mapping):
            raise ProjectError(f"{path}: {section!r} must be a section: write [{section}] on a line of its own")
        for name, value in values.items():
            key = f"{section}.{name}"
            if key not in known:
                names = [setting.name for setting in SETTINGS if setting.section == section]
                raise ProjectError(f"{path}: unknown key {name!r} in [{section}]: {nearest(name, names)}")
            settings[key] = _READERS.get(known[key].type, _typed)(key, value, known[key].type, path)
    if settings["schema.classes"] is None and settings["schema.kind"] in WITHOUT_CLASSES:
        settings["schema.classes"] = []
    if settings["schema.classes"] is None:
        raise ProjectError(f'{path}: [schema] needs classes, e.g. classes = ["ham", "spam"]')
    _check_values(settings, path)
    return settings


def _tables(key: str, value: Any, _: type, path: Path) -> list[dict[str, Any]]:
    """`[[schema.attributes]]` and others as plain data: settings are written into releases."""
    if key == "schema.attributes":
        return [attribute.to_dict() for attribute in declared_attributes(value, path)]
    if key == DECLARED:
        return checked_tables(value, path)
    if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
        raise ProjectError(f"{path}: {key} must be tables: write [[{key}]] on a line of its own before each")
    return [dict(entry) for entry in value]


def _table(key: str, value: Any, _: type, path: Path) -> dict[str, Any]:
    """`[train.options]`: the names are checked by whoever takes them."""
    if not isinstance(value, Mapping):
        raise ProjectError(f"{path}: {key} must be a table: write [{key}] on a line of its own")
    for name, option in value.items():
        if not all(isinstance(one, str | int | float) for one in (option if isinstance(option, list) else [option])):
            raise ProjectError(
                f"{path}: {key}.{name} must be a text, a number, true or false, or a list of them, found {option!r}"
            )
    return dict(value)


def _typed(key: str, value: Any, expected: type, path: Path) -> Any:
    if expected is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    is_text_list = isinstance(value, list) and all(isinstance(entry, str) for entry in value)
    if not isinstance(value, expected) or isinstance(value, bool) or (expected is list and not is_text_list):
        spoken = {str: "a text", int: "a whole number", float: "a number", list: "a list of texts"}[expected]
        raise ProjectError(f"{path}: {key} must be {spoken}, found {value!r}")
    return value


def _truth(key: str, value: Any, _: type, path: Path) -> bool:
    if not isinstance(value, bool):
        raise ProjectError(f"{path}: {key} must be true or false, found {value!r}")
    return value


_READERS: Final[Mapping[type, Callable[[str, Any, type, Path], Any]]] = {dict: _tables, Mapping: _table, bool: _truth}


def _check_values(settings: Mapping[str, Any], path: Path) -> None:
    for key, kind in PLUGIN_KEYS.items():
        name = settings[key].partition(":")[0] if kind == "encoder" else settings[key]
        if name not in registry.names(kind) and not (key in MAY_BE_EMPTY and settings[key] == ""):
            raise ProjectError(f"{path}: {key} = {name!r} is not known: {nearest(name, registry.names(kind))}")
    formats = [name for name in registry.names("format") if name != "folders"]
    try:
        check_engine(settings["annotate.engine"])
    except UsageError as error:
        raise ProjectError(f"{path}: annotate.engine: {error}") from None
    for name in settings["export.formats"]:
        if name not in formats:
            raise ProjectError(f"{path}: export.formats: {name!r} is not known: {nearest(name, formats)}")
    if not settings["export.formats"]:
        raise ProjectError(f"{path}: export.formats is empty: name at least one of {', '.join(formats)}")
    for key in ("certify.error", "certify.confidence"):
        if not 0 < settings[key] < 1:
            raise ProjectError(f"{path}: {key} must lie between 0 and 1, found {settings[key]}")
    check_teaching(settings, path)
    check_learning(settings, path)
    for key in ("people.gold_share", "people.blind_share", "people.threshold", "select.random_share"):
        if settings[key] != "" and not 0 <= settings[key] <= 1:
            raise ProjectError(f"{path}: {key} must lie between 0 and 1, found {settings[key]}")
    if not 1 <= settings["people.lease_minutes"] <= MOST_LEASE_MINUTES:
        found = settings["people.lease_minutes"]
        raise ProjectError(f"{path}: people.lease_minutes must lie between 1 and {MOST_LEASE_MINUTES}, found {found}")
    if settings["people.late"] not in {"extra", "refuse"}:
        raise ProjectError(f"{path}: people.late must be 'extra' or 'refuse', found {settings['people.late']!r}")
    for key, low in (("people.overlap", 1), ("select.count", 1), ("annotate.workers", 0), ("project.seed", 0)):
        if settings[key] < low:
            raise ProjectError(f"{path}: {key} must be at least {low}, found {settings[key]}")
    timeout = settings["annotate.timeout"]
    if not (math.isfinite(timeout) and SHORTEST_TIMEOUT <= timeout <= LONGEST_TIMEOUT):
        span = f"between {SHORTEST_TIMEOUT:g} and {LONGEST_TIMEOUT:g}"
        raise ProjectError(f"{path}: annotate.timeout must lie {span} seconds, found {timeout}")
    _check_encoding(settings["source.encoding"], path)


def _check_encoding(encoding: str, path: Path) -> None:
    try:
        codecs.lookup(encoding or "utf-8")
    except (LookupError, ValueError):
        raise ProjectError(
            f"{path}: source.encoding = {encoding!r} is not known: name a codec such as utf-8, cp1252 or gb18030"
        ) from None


def _schema(settings: Mapping[str, Any]) -> LabelSchema:
    return LabelSchema(
        name=settings["schema.name"],
        classes=tuple(settings["schema.classes"]),
        kind=settings["schema.kind"],
        modality=settings["schema.modality"],
        guidelines=settings["schema.guidelines"],
        version=settings["schema.version"],
        attributes=tuple(Attribute.of(told) for told in settings["schema.attributes"]),
    )
