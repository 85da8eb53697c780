from __future__ import annotations

import ast
from pathlib import Path

import labelmill


def test_public_names_are_sorted_and_complete() -> None:
    """`__all__` is sorted and equal to the lazy table."""
    assert sorted(labelmill.__all__) == labelmill.__all__
    assert set(labelmill.__all__) == set(labelmill._HOME)


def test_every_public_name_loads() -> None:
    """Each public name leads to an object."""
    for name in labelmill.__all__:
        assert getattr(labelmill, name) is not None


def test_type_checkers_see_what_is_loaded() -> None:
    """The imports for type checkers name the same modules as the lazy table."""
    tree = ast.parse(Path(labelmill.__file__).read_text())
    imports = {
        (alias.asname or alias.name): (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("labelmill.")
        for alias in node.names
    }

    assert labelmill._HOME == imports
