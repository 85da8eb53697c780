"""Init: a new project folder with a project file and a first rule."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from labelmill import registry
from labelmill.domain.item import Modality
from labelmill.domain.schema import LabelSchema
from labelmill.errors import ProjectError, StorageError, UnknownPluginError, nearest
from labelmill.pipeline.project import PROJECT_FILE, Project

__all__ = ["init"]

PROJECT = """\
# What is asked, where the items are, who votes. Every setting: labelmill.toml in the documentation.

[project]
name = {name}

[schema]
name = {question}
kind = {kind}
classes = {classes}
modality = {modality}
guidelines = ""

[source]
items = []            # files that `labelmill run` imports, e.g. ["items.csv"]; or use `labelmill import FILE`
"""

MACHINES = """\

[annotators]
code = "rules.py"

[certify]
error = 0.05          # at most this share of wrong labels ...
confidence = 0.95     # ... with this probability
"""

RULES = '''\
"""Labeling functions: each names a class, or nothing where it has no opinion."""

from labelmill import keyword, labeling_function

contains_word = keyword({first}, ["replace", "these", "words"])


@labeling_function()
def looks_like(x):
    """Any Python: x.text is the text, x.<column> any other column of the file."""
    return {second} if len(x.text) < 20 else None
'''

WITHOUT_TEXT = """\

[train]
learner = ""          # the one that ships reads texts
"""

RULES_ON_FILES = '''\
"""Labeling functions: each names a class, or nothing where it has no opinion."""

from pathlib import Path

from labelmill import labeling_function

HERE = Path(__file__).parent


@labeling_function()
def looks_like(x):
    """Any Python: HERE / x.{modality} is the file, x.<column> any other column."""
    return {second} if (HERE / x.{modality}).stat().st_size < 20 else None
'''


def init(
    folder: Path,
    *,
    classes: Sequence[str],
    kind: str = "choice",
    modality: Modality = "text",
    name: str = "",
) -> Project:
    """A new project in `folder`, ready for `labelmill import`.

    Raises
    ------
    ProjectError
        If there is a project already.
    SchemaError
        If the classes do not make a schema.
    """
    schema = LabelSchema(name or "label", tuple(classes), kind=kind, modality=modality)
    if kind not in registry.names("label_kind"):
        raise UnknownPluginError(f"no label kind is called {kind!r}: {nearest(kind, registry.names('label_kind'))}")
    if (folder / PROJECT_FILE).exists():
        raise ProjectError(f"{folder / PROJECT_FILE} is there already: choose another folder, or edit that file")
    text = PROJECT.format(
        name=_quoted(name or folder.resolve().name),
        question=_quoted(schema.name),
        kind=_quoted(kind),
        classes=f"[{', '.join(map(_quoted, classes))}]",
        modality=_quoted(modality),
    )
    files = {}
    if not schema.is_structured:  # rules and certificates are about classes
        text += MACHINES if modality == "text" else WITHOUT_TEXT + MACHINES
        rules = RULES if modality == "text" else RULES_ON_FILES
        told = rules.format(first=_quoted(classes[0]), second=_quoted(classes[-1]), modality=modality)
        files["rules.py"] = _encoded(told)
    project = Project.of(folder, _encoded(text))
    _write(folder, files | {PROJECT_FILE: _encoded(text)})
    return project


def _quoted(text: str) -> str:
    """A literal that TOML and Python read alike."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        found = text[error.start]
        raise ProjectError(f"{found!r} in a name is no character of UTF-8: choose another name") from error


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """All files that are not there yet, or nothing."""
    made: list[Path] = []
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            path = folder / name
            if not path.exists():
                made.append(path)
                path.write_bytes(content)
    except OSError as error:
        with contextlib.suppress(OSError):  # the error that brought us here is the one to tell
            for path in made:
                path.unlink(missing_ok=True)
            for place in missing:
                place.rmdir()
        raise StorageError(f"{folder}: cannot make a project there: {error.strerror}") from error
