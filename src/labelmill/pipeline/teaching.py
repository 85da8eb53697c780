"""What people are told before they begin: the guideline, and examples with their answers and reasons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelmill.domain.item import Item
from labelmill.errors import ProjectError, SchemaError, nearest
from labelmill.pipeline._kinds import kind_of
from labelmill.pipeline._measured import measured
from labelmill.pipeline.project import PROJECT_FILE
from labelmill.pipeline.workspace import Workspace

__all__ = ["example_items", "guideline_text", "shown_examples"]

LONGEST_GUIDELINE = 200_000
"""Characters; a book is no guideline."""

INLINE = "example:"
"""Before the number of an example that is written into the project file, where items have their ids."""


def guideline_text(workspace: Workspace) -> str:
    """What people are told, Markdown: from the project file, or the file it names.

    Raises
    ------
    ProjectError
        If that file cannot be read.
    """
    name: str = workspace.project["schema.guidelines_file"]
    if not name:
        return workspace.schema.guidelines
    path = workspace.project.folder / name
    try:
        text: str = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ProjectError(
            f"schema.guidelines_file: {path} cannot be read: {error.strerror}. Name a Markdown file by its path from "
            f"the folder of {PROJECT_FILE}"
        ) from error
    except UnicodeDecodeError as error:
        raise ProjectError(f"schema.guidelines_file: {path} is not UTF-8: save it as UTF-8") from error
    if len(text) > LONGEST_GUIDELINE:
        raise ProjectError(
            f"schema.guidelines_file: {path} has {len(text):,} characters, {LONGEST_GUIDELINE:,} at most are shown: "
            "shorten it"
        )
    return text


def example_items(workspace: Workspace) -> set[str]:
    """Items of the project that the guideline shows with their answers: nobody is to be asked about them."""
    return {example["item"] for example in workspace.project["schema.examples"] if "item" in example}


def shown_examples(workspace: Workspace) -> list[dict[str, Any]]:
    """The examples as people see them: `item`, `content`, `answer`, `reason`.

    Raises
    ------
    ProjectError
        If one names an item that the project does not have, or an answer that is none.
    """
    asked = workspace.schema.without_demands()
    kind = kind_of(asked)
    told: list[Mapping[str, Any]] = workspace.project["schema.examples"]
    shown = []
    for (number, example), item in zip(enumerate(told, 1), measured(workspace, _items(workspace, told)), strict=True):
        try:
            answer = kind.validate(example["answer"], asked, item)
        except SchemaError as error:
            raise ProjectError(f"schema.examples, number {number}: {error}") from error
        content = {"data": item.data, "facts": dict(item.facts), "meta": {}}
        shown.append({"item": item.id, "content": content, "answer": answer, "reason": example.get("reason", "")})
    return shown


def _items(workspace: Workspace, told: list[Mapping[str, Any]]) -> list[Item]:
    named = [example["item"] for example in told if "item" in example]
    known = set(workspace.lake.item_ids().to_list()) if named else set()
    missing = next((name for name in named if name not in known), None)
    if missing is not None:
        raise ProjectError(
            f"schema.examples: the project has no item {missing!r}: {nearest(missing, sorted(known))}; or write the "
            f"{workspace.schema.modality} itself in place of the item"
        )
    of_lake = {item.id: item for item in workspace.lake.items(named)} if named else {}
    return [
        of_lake[example["item"]] if "item" in example else Item(f"{INLINE}{number}", example[workspace.schema.modality])
        for number, example in enumerate(told, 1)
    ]
