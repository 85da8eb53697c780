"""Which modules a file imports, as its text says: also those that are imported only when a function is called."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["imported"]


def imported(entry: Path, folders: Sequence[Path]) -> tuple[set[Path], set[str]]:
    """The user's own modules that a file imports, however many imports away, and the packages of others.

    Parameters
    ----------
    entry : Path
        A Python file.
    folders : sequence of Path
        Where the user's modules may lie.

    Returns
    -------
    own : set of Path
        Files, `entry` not among them.
    foreign : set of str
        Top-level names of packages that are neither the user's nor the standard library's.
    """
    own: set[Path] = set()
    foreign: set[str] = set()
    todo = [entry]
    while todo:
        file = todo.pop()
        for name in _names(file):
            files = _files_of(name, file, folders)
            top = name.partition(".")[0]
            if not files and top and top not in sys.stdlib_module_names and top != "labelmill":
                foreign.add(top)
            new = files - own - {entry}
            own |= new
            todo += [path for path in new if path.suffix == ".py"]
    return own, foreign


def _names(file: Path) -> Iterator[str]:
    """Dotted names, a relative one with its dots in front; a name that is imported from a module may be a module."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError):  # it is loaded elsewhere, and told there
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (node.module or "")
            yield start
            yield from (f"{start}{'' if start.endswith('.') else '.'}{alias.name}" for alias in node.names)


def _files_of(name: str, importer: Path, folders: Sequence[Path]) -> set[Path]:
    """The files that are run when the name is imported: packages on the way, and the module if it is one."""
    level = len(name) - len(name.lstrip("."))
    if level:
        folders = [importer.parents[level - 1]] if level <= len(importer.parents) else []
    parts = [part for part in name.lstrip(".").split(".") if part]
    for folder in folders:
        found = _chain(folder, parts)
        if found:
            return found
    return set()


def _chain(folder: Path, parts: Sequence[str]) -> set[Path]:
    found: set[Path] = set()
    for part in parts:
        module, package = folder / f"{part}.py", folder / part / "__init__.py"
        if package.is_file():
            found.add(package)
        elif module.is_file():
            found.add(module)
        folder = folder / part
    return found
