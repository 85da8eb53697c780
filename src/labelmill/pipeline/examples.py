"""The examples that ship with labelmill: in the package, or beside the source of an editable install."""

from __future__ import annotations

import shutil
from pathlib import Path

import labelmill
from labelmill.errors import StorageError, UsageError, nearest
from labelmill.pipeline.project import PROJECT_FILE

__all__ = ["GOLD", "copy_example", "example_folder", "example_names"]

GOLD = "gold.parquet"
"""True labels of an example; never copied into a project."""

MARK = ".labelmill-demo"
"""File that says a folder was made by the demo and may be made anew."""


def _root() -> Path:
    package = Path(labelmill.__file__).parent
    return next(
        (root for root in (package / "examples", package.parents[1] / "examples") if root.is_dir()),
        package / "examples",
    )


def example_names() -> list[str]:
    """Names of the examples, sorted."""
    return sorted(path.parent.name for path in _root().glob(f"*/{PROJECT_FILE}"))


def example_folder(name: str) -> Path:
    """Where an example lies.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    if name not in example_names():
        raise UsageError(f"no example is called {name!r}: {nearest(name, example_names())}")
    return _root() / name


def copy_example(name: str, folder: Path) -> Path:
    """A project folder made of an example, without its gold; an earlier demo in that folder is replaced.

    Raises
    ------
    StorageError
        If the folder holds something else.
    """
    source = example_folder(name)
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise StorageError(f"{folder} is not empty and not a demo: choose another folder with --out DIR")
        shutil.rmtree(folder)
    try:
        shutil.copytree(
            source,
            folder,
            ignore=shutil.ignore_patterns(GOLD, "prepare.py", "__pycache__", ".labelmill"),
            dirs_exist_ok=True,
        )
        (folder / MARK).write_text("Made by `labelmill demo`, which may replace this folder.\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{folder}: cannot copy the example there: {error.strerror or error}") from error
    return folder
