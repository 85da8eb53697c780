"""Formulas of docstrings as plain code in the reference: the site loads no script that could draw them."""  # noqa: INP001 -- loaded by path, from mkdocs.yml

from __future__ import annotations

import re
import textwrap
from typing import Any

import griffe

BLOCK = re.compile(r"^( *)\.\. math::(.*(?:\n(?:\1 +\S.*| *$))*)", re.MULTILINE)
INLINE = re.compile(r":math:`([^`]*)`")


class PlainMath(griffe.Extension):
    """Turns `.. math::` into a block of code, and :math: into code."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of what was just read."""
        if obj.docstring is not None:
            obj.docstring.value = INLINE.sub(r"`\1`", BLOCK.sub(_code_block, obj.docstring.value))


def _code_block(match: re.Match[str]) -> str:
    first, _, rest = match[2].partition("\n")
    lines = [first.strip(), *textwrap.dedent(rest).rstrip().splitlines()]
    formula = "\n".join(line for line in lines if line)
    return textwrap.indent(f"```text\n{formula}\n```\n", match[1])
