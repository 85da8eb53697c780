"""Options of a learner, as a project file or a command names them, checked before anything is trained."""

from __future__ import annotations

import inspect
import shutil
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

from labelmill import registry
from labelmill.domain.ports import Learner
from labelmill.errors import ProjectError, UsageError, nearest
from labelmill.pipeline.project import PROJECT_FILE
from labelmill.pipeline.workspace import Workspace

__all__ = ["checked_options", "checkpoints_of", "forget_checkpoints", "learner_factory", "learner_options"]

RESERVED = "seed"
"""What the project says once for everything random."""


def learner_factory(workspace: Workspace, name: str, options: Mapping[str, Any] | None = None) -> Callable[[], Learner]:
    """Makes unfitted learners of that name with the project's seed.

    Parameters
    ----------
    options : mapping of str to value, optional
        By the names of the constructor; they come before those of `[train.options]`, which are the project's learner's.

    Raises
    ------
    ProjectError, UsageError
        If the learner has no option of that name, or it is of another type. Names the file and the key.
    """
    plugin = registry.find("learner", name)
    given = learner_options(workspace, name, options, plugin=plugin)
    seed = workspace.project["project.seed"]

    folder = checkpoints_of(workspace, name) if getattr(plugin, "resumes", False) else None

    def make() -> Learner:
        made: Any = plugin(**given, seed=seed)
        if folder is not None and not made.checkpoints:
            made.checkpoints = folder
        return cast("Learner", made)

    return make


def checkpoints_of(workspace: Workspace, name: str) -> Path:
    """The folder with what long trainings of a learner go on from, if they were killed."""
    return workspace.project.folder.resolve() / ".labelmill" / "checkpoints" / name


def forget_checkpoints(workspace: Workspace, name: str) -> None:
    """What was trained is kept elsewhere now."""
    shutil.rmtree(checkpoints_of(workspace, name), ignore_errors=True)


def learner_options(
    workspace: Workspace, name: str, options: Mapping[str, Any] | None = None, *, plugin: Any = None
) -> dict[str, Any]:
    """What a learner of that name is made with besides the seed; see `learner_factory`."""
    plugin = plugin or registry.find("learner", name)
    written = workspace.project["train.options"] if name == workspace.project["train.learner"] else {}
    try:
        given = checked_options(plugin, name, written)
    except UsageError as error:
        raise ProjectError(f"{workspace.project.folder / PROJECT_FILE}: train.options: {error}") from None
    given |= checked_options(plugin, name, options or {})
    return {key: _from_folder(workspace.project.folder, plugin, key, value) for key, value in given.items()}


def checked_options(plugin: Any, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, numbers as the constructor wants them.

    Raises
    ------
    UsageError
        If the constructor has no such parameter, or not with such a value.
    """
    known = {key for key in inspect.signature(plugin).parameters if key != RESERVED}
    hints = typing.get_type_hints(plugin.__init__) if options else {}
    taken = {}
    for key, value in options.items():
        if key == RESERVED:
            raise UsageError(f"the seed of the learner {name!r} is the project's: set it in [project] seed")
        if key not in known:
            raise UsageError(f"the learner {name!r} has no option {key!r}: {nearest(key, known)}")
        hint = hints.get(key, Any)
        if not _fits(hint, value):
            raise UsageError(f"{key} of the learner {name!r} must be {_spoken(hint)}, found {value!r}")
        taken[key] = value
    return taken


def _from_folder(folder: Path, plugin: Any, key: str, value: Any) -> Any:
    """A path as it is meant in a project file: from the folder of the file, where it leads to something."""
    hint = typing.get_type_hints(plugin.__init__).get(key)
    is_path = Path in {hint, *typing.get_args(hint)} and isinstance(value, str)
    return str((folder / value).resolve()) if is_path and (folder / value).exists() else value


def _fits(hint: Any, value: Any) -> bool:
    """Whether a plain value is what an annotation asks for; what is not plain is left to the constructor."""
    origin = typing.get_origin(hint)
    if origin in {typing.Union, types.UnionType}:
        return any(_fits(one, value) for one in typing.get_args(hint))
    if origin is Literal:
        return value in typing.get_args(hint)
    if isinstance(value, bool) or hint in {bool, str, int}:
        return type(value) is hint or hint is Any
    if hint is Path:
        return isinstance(value, str)
    if hint is float:
        return isinstance(value, int | float)
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return isinstance(value, list) and all(_fits(typing.get_args(hint)[0], one) for one in value)
    return hint is not type(None)


def _spoken(hint: Any) -> str:
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(_spoken(one) for one in parts if one is not type(None))
    if origin is Literal:
        return "one of " + ", ".join(map(repr, parts))
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return f"a list ({_spoken(parts[0])} each)"
    plain = {str: "a text", Path: "a path", int: "a whole number", float: "a number", bool: "true or false"}
    return plain.get(hint, str(hint))
