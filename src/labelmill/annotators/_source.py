"""The normal form of a function's code, and the names it refers to.

Comments, docstrings, formatting and line numbers are not in the normal form.
"""

from __future__ import annotations

import ast
import copy
import dis
import linecache
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import CodeType
from typing import NamedTuple

__all__ = ["Reference", "normal_form", "normal_module", "references"]


class Reference(NamedTuple):
    """A name that code reads from its module, and the attributes read off it at once: `shop.prices.LIMIT`.

    `is_import` marks a module imported inside the function.
    """

    name: str
    attributes: tuple[str, ...] = ()
    is_import: bool = False


def normal_form(code: CodeType) -> str:
    """The code as text: its source in normal form, or its instructions where the source is not at hand.

    The source must still be the code that was loaded: a file edited since is not trusted.
    """
    node = None
    if code.co_name != "<lambda>":
        node = _definitions(_text(code.co_filename), code.co_filename).get(code)
    if node is None:
        return repr(_instructions(code))
    bare = copy.copy(node)
    bare.decorator_list = []  # what they did to the function is told by the object itself
    return ast.unparse(bare)


def normal_module(path: Path) -> str:
    """A whole file in normal form; the file as it is, if it is no Python."""
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        return ast.unparse(_undocumented(ast.parse(text)))
    except SyntaxError:
        return text


def references(code: CodeType) -> list[Reference]:
    """What the code and the functions inside it read from outside, sorted."""
    found: set[Reference] = set()
    for inner in _nested(code):
        name, attributes = "", []
        for instruction in dis.get_instructions(inner):
            if name and instruction.opname in {"LOAD_ATTR", "LOAD_METHOD"}:
                attributes.append(str(instruction.argval))
                continue
            if name:
                found.add(Reference(name, tuple(attributes)))
                name, attributes = "", []
            if instruction.opname in {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}:
                name = str(instruction.argval)
            elif instruction.opname == "IMPORT_NAME":
                found.add(Reference(str(instruction.argval), is_import=True))
    return sorted(found)


Definition = ast.FunctionDef | ast.AsyncFunctionDef


def _undocumented(tree: ast.Module) -> ast.Module:
    """The tree without docstrings, changed in place."""
    for node in ast.walk(tree):
        if isinstance(node, Definition | ast.ClassDef | ast.Module):
            node.body = _without_docstring(node.body)
    return tree


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return body[1:] or [ast.Pass()]
    return body


def _text(filename: str) -> str:
    path = Path(filename)
    if path.is_file():
        return path.read_text(encoding="utf-8", errors="replace")
    return "".join(linecache.getlines(filename))  # cells of a notebook are known here only


@lru_cache(maxsize=64)
def _definitions(text: str, filename: str) -> dict[CodeType, Definition]:
    """Code object -> definition, for every named function of a file."""
    try:
        tree = ast.parse(text)
        module = compile(text, filename, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return {}
    nodes = {
        (min([node.lineno, *(line.lineno for line in node.decorator_list)]), node.name): node
        for node in ast.walk(tree)
        if isinstance(node, Definition)
    }
    _undocumented(tree)
    places = ((code, (code.co_firstlineno, code.co_name)) for code in _nested(module))
    return {code: nodes[place] for code, place in places if place in nodes}


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


def _instructions(code: CodeType) -> tuple[object, ...]:
    header = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_varnames, code.co_freevars)
    steps = (
        (step.opname, _argument(step.argval))
        for step in dis.get_instructions(code)
        if step.opname not in {"RESUME", "CACHE", "NOP", "EXTENDED_ARG"}
    )
    return (header, *steps)


def _argument(value: object) -> object:
    if isinstance(value, CodeType):
        return _instructions(value)
    if isinstance(value, frozenset):
        return ("frozenset", sorted(map(repr, value)))
    if isinstance(value, tuple):
        return tuple(_argument(member) for member in value)
    return repr(value)
