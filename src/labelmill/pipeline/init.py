"""Init: a new project folder with a project file and a first rule."""

from __future__ import annotations

import json
from collections.abc import Sequence
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
        name=json.dumps(name or folder.resolve().name),
        question=json.dumps(schema.name),
        kind=json.dumps(kind),
        classes=json.dumps(list(classes), ensure_ascii=False),
        modality=json.dumps(modality),
    )
    rules = RULES.format(
        first=json.dumps(classes[0], ensure_ascii=False), second=json.dumps(classes[-1], ensure_ascii=False)
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "rules.py").exists():
            (folder / "rules.py").write_text(rules, encoding="utf-8")
        (folder / PROJECT_FILE).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{folder}: cannot make a project there: {error.strerror}") from error
    return Project.open(folder)
