"""The examples that ship with labelmill: in the package, or beside the source of an editable install."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import labelmill
from labelmill.errors import MissingDependencyError, StorageError, UsageError, nearest
from labelmill.pipeline.project import PROJECT_FILE, Project

__all__ = ["GOLD", "copy_example", "example_folder", "example_names", "gold_of", "is_of_answers", "opened_example"]

GOLD = "gold.parquet"
"""True labels of an example; never copied into a project."""

PREPARE = "prepare.py"
"""Program that makes an example's files; run in the folder that gets them."""

ANSWERS = Path(".labelmill", "people.db")
"""File in a project where people's answers are, if they were ever asked."""

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


def is_of_answers(name: str) -> bool:
    """Whether its answers are more than classes: boxes, segments and the like.

    Raises
    ------
    UsageError
        If there is no example of that name.
    """
    return Project.open(example_folder(name)).schema.is_structured


@contextmanager
def opened_example(name: str) -> Iterator[Path]:
    """The folder with all files of an example: as it ships, or made by its `prepare.py` for the length of the block.

    What may not be passed on does not ship; `prepare.py` takes it from a package that is installed.

    Raises
    ------
    UsageError
        If there is none of that name.
    MissingDependencyError
        If it cannot be made here; says what to install.
    """
    source = example_folder(name)
    project = Project.open(source)
    if all((source / file).is_file() for file in project["source.items"]):
        yield source
        return
    with tempfile.TemporaryDirectory(prefix="labelmill-") as scratch:
        made = Path(scratch) / name
        shutil.copytree(source, made, ignore=shutil.ignore_patterns("__pycache__"))
        _prepare(made)
        yield made


def gold_of(source: Path) -> Path:
    """The file with the true labels of an opened example."""
    return source / GOLD


def _prepare(folder: Path) -> None:
    """In a process of its own: what it loads is large, and not made to be let go of."""
    done = subprocess.run(  # noqa: S603 -- our own program, no shell
        [sys.executable, PREPARE], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise MissingDependencyError(said[-1] if said else f"{folder.name}/{PREPARE} ended with {done.returncode}")


def copy_example(source: Path, folder: Path) -> Path:
    """A project folder made of an example's, without its gold; an earlier demo in that folder is replaced.

    Raises
    ------
    StorageError
        If the folder holds something else, or what people answered.
    """
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise StorageError(f"{folder} is not empty and not a demo: choose another folder with --out DIR")
        if (folder / ANSWERS).exists():
            raise StorageError(
                f"{folder} holds what people answered: count it with `labelmill run -p {folder}`, or choose another "
                "folder with --out DIR"
            )
        shutil.rmtree(folder)
    try:
        shutil.copytree(
            source,
            folder,
            ignore=shutil.ignore_patterns(GOLD, PREPARE, "__pycache__", ".labelmill"),
            dirs_exist_ok=True,
        )
        (folder / MARK).write_text("Made by `labelmill demo`, which may replace this folder.\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{folder}: cannot copy the example there: {error.strerror or error}") from error
    return folder
