r"""A Python regular expression in the words of Rust's engine, with the same meaning or a wider one.

The expression is read by Python's own parser. Every part that consumes one character becomes the class of characters
that Python's `re` accepts for it (see `_characters`), so classes, digits, spaces and ignored case mean what they mean
in Python. What is left is plain regular structure, where "does it occur" does not depend on greed or groups.

What Rust has no words for (a look around in the middle, a reference to a group) is left out, which can only widen the
expression: `is_exact` is then False, and the texts found must be shown to `re` once more.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from labelmill.annotators._characters import (
    Ranges,
    accepted,
    accepted_ignoring_case,
    class_source,
    contains,
    escaped,
)

__all__ = ["Alphabet", "Translation", "translate"]

_parser: Any = importlib.import_module("re._parser")

Alphabet = Literal["lowered", "ascii", "unicode"]
"""Texts the translation is for: ASCII with capitals made small, ASCII, or any."""

NEVER = None
"""Source of an expression that accepts nothing, e.g. `é` among ASCII texts."""


class Translation(NamedTuple):
    """What Rust is asked.

    Parameters
    ----------
    source : str or None
        Expression for Rust; None where no text of the alphabet can have the pattern.
    is_exact : bool
        Whether it means the same, rather than something wider.
    reason : str
        What makes it wider, for people; empty when exact.
    """

    source: str | None
    is_exact: bool
    reason: str


class UntranslatableError(Exception):
    """The pattern has something this file does not know, or that the alphabet does not allow."""


def translate(pattern: str, flags: int, alphabet: Alphabet) -> Translation | None:
    r"""The pattern for Rust, or None where the alphabet does not do.

    Parameters
    ----------
    pattern : str
        Python regular expression.
    flags : int
        Flags of `re`.
    alphabet : {"lowered", "ascii", "unicode"}
        What the texts are made of. `lowered` does only for patterns that treat small and capital letters alike.

    Raises
    ------
    re.error
        If the pattern is none.

    >>> translate(r"free\b", re.IGNORECASE, "lowered")
    Translation(source='free(?-u:\\b)', is_exact=True, reason='')
    """
    tree = _parser.parse(pattern, flags)
    translator = _Translator(alphabet)
    try:
        source = translator.sequence(list(tree), tree.state.flags, is_head=True, is_tail=True)
    except UntranslatableError:
        return None
    return Translation(source, not translator.reasons, ", ".join(dict.fromkeys(translator.reasons)))


class _Translator:
    """One walk over a parsed pattern.

    `is_head` and `is_tail` say that nothing of the pattern lies before or after: there a look at the neighbour may
    consume it, for nothing else will want it.
    """

    def __init__(self, alphabet: Alphabet) -> None:
        self.alphabet = alphabet
        self.reasons: list[str] = []

    def sequence(self, nodes: Sequence[Any], flags: int, *, is_head: bool, is_tail: bool) -> str | None:
        parts = []
        for i, (operation, argument) in enumerate(nodes):
            part = self.node(
                str(operation),
                argument,
                flags,
                is_head=is_head and i == 0,
                is_tail=is_tail and i == len(nodes) - 1,
                before=nodes[:i],
                after=nodes[i + 1 :],
            )
            if part is NEVER:
                return NEVER
            parts.append(part)
        return "".join(parts)

    def node(
        self,
        operation: str,
        argument: Any,
        flags: int,
        *,
        is_head: bool,
        is_tail: bool,
        before: Sequence[Any],
        after: Sequence[Any],
    ) -> str | None:
        if operation in ONE_CHARACTER:
            return self.one_character(operation, argument, flags)
        if operation == "AT":
            return self.position(str(argument), flags, is_head=is_head, is_tail=is_tail, before=before, after=after)
        if operation in {"ASSERT", "ASSERT_NOT"}:
            direction, nodes = argument
            is_open = is_tail if direction > 0 else is_head
            return self.look_around(operation, direction, list(nodes), flags, is_open=is_open)
        if operation in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            return self.repeat(operation, argument, flags, is_head=is_head, is_tail=is_tail)
        if operation == "SUBPATTERN":
            _, added, removed, nodes = argument
            if added & _parser.TYPE_FLAGS and self.alphabet == "unicode":
                raise UntranslatableError("(?a:...)")  # `re` itself skips matches here, see _compile_info's charset
            return self.group(list(nodes), _combined(flags, added, removed), is_head=is_head, is_tail=is_tail)
        if operation == "ATOMIC_GROUP":
            self.reasons.append("an atomic group")
            return self.group(list(argument), flags, is_head=is_head, is_tail=is_tail)
        if operation == "BRANCH":
            branches = [self.sequence(list(nodes), flags, is_head=is_head, is_tail=is_tail) for nodes in argument[1]]
            return _either(branches)
        if operation == "FAILURE":
            return NEVER
        if operation == "GROUPREF":
            self.reasons.append("a reference to a group")
            return "(?s:.)*" if self.alphabet == "unicode" else r"[\x00-\x7f]*"
        if operation == "GROUPREF_EXISTS":
            self.reasons.append("a conditional group")
            _, yes, no = argument
            options = (list(yes), list(no) if no is not None else [])
            return _either([self.sequence(nodes, flags, is_head=False, is_tail=False) for nodes in options])
        raise UntranslatableError(operation)

    def group(self, nodes: Sequence[Any], flags: int, *, is_head: bool, is_tail: bool) -> str | None:
        source = self.sequence(nodes, flags, is_head=is_head, is_tail=is_tail)
        return source if source is NEVER else f"(?:{source})"

    def repeat(self, operation: str, argument: Any, flags: int, *, is_head: bool, is_tail: bool) -> str | None:
        low, high, nodes = argument
        if operation == "POSSESSIVE_REPEAT":
            self.reasons.append("a possessive repeat")
        is_once = high == 1
        body = self.group(list(nodes), flags, is_head=is_head and is_once, is_tail=is_tail and is_once)
        if body is NEVER:
            return "" if low == 0 else NEVER
        if not is_once and nodes.getwidth()[0] == 0:
            self.reasons.append("a repeated group that may be empty")
        unbounded = high == _parser.MAXREPEAT
        return f"{body}{{{low},{'' if unbounded else int(high)}}}"

    def one_character(self, operation: str, argument: Any, flags: int) -> str | None:
        ranges = _ranges(operation, argument, flags, self.alphabet)
        if not ranges:
            return NEVER
        return escaped(ranges[0][0]) if _is_one(ranges) else class_source(ranges)

    def position(
        self,
        where: str,
        flags: int,
        *,
        is_head: bool,
        is_tail: bool,
        before: Sequence[Any],
        after: Sequence[Any],
    ) -> str:
        if where in {"AT_BEGINNING", "AT_BEGINNING_STRING"}:
            by_line = where == "AT_BEGINNING" and flags & re.MULTILINE
            return "(?m:^)" if by_line else r"\A"
        if where == "AT_END_STRING":
            return r"\z"
        if where == "AT_END" and flags & re.MULTILINE:
            return "(?m:$)"
        if where == "AT_END":
            if is_tail:
                return r"\n?\z"
            self.reasons.append("$ before the end of the pattern")
            return ""
        if where == "AT_NON_BOUNDARY":  # before Python 3.14 it never holds in an empty text
            self.reasons.append(r"\B")
            return ""
        if where == "AT_BOUNDARY" and (self.alphabet != "unicode" or flags & re.ASCII):
            return r"(?-u:\b)"
        if where == "AT_BOUNDARY":
            return self.unicode_boundary(flags, is_head=is_head, is_tail=is_tail, before=before, after=after)
        raise UntranslatableError(where)

    def unicode_boundary(
        self, flags: int, *, is_head: bool, is_tail: bool, before: Sequence[Any], after: Sequence[Any]
    ) -> str:
        r"""`\b` at an edge beside a known character: the neighbour is of the other sort, or missing."""
        word = accepted(r"\w", 0, ascii_only=False)
        beside_word = _edge_is_word(after if is_head else before, flags, word, is_first=is_head)
        if is_head == is_tail or beside_word is None:
            self.reasons.append(r"\b beyond ASCII")
            return ""
        neighbour = class_source(word, negated=beside_word)
        if not beside_word:
            return neighbour
        return rf"(?:\A|{neighbour})" if is_head else rf"(?:{neighbour}|\z)"

    def look_around(
        self, operation: str, direction: int, nodes: Sequence[Any], flags: int, *, is_open: bool
    ) -> str | None:
        is_one = len(nodes) == 1 and str(nodes[0][0]) in ONE_CHARACTER
        if operation == "ASSERT" and is_open and all(str(op) in ONE_CHARACTER for op, _ in nodes):
            return self.sequence(nodes, flags, is_head=False, is_tail=False)
        if operation == "ASSERT_NOT" and is_open and is_one:
            ranges = _ranges(str(nodes[0][0]), nodes[0][1], flags, self.alphabet)
            if not ranges:
                return ""
            other = class_source(_complement(ranges, self.alphabet))
            return rf"(?:{other}|\z)" if direction > 0 else rf"(?:\A|{other})"
        self.reasons.append("a look ahead" if direction > 0 else "a look behind")
        return ""


ONE_CHARACTER = {"LITERAL", "NOT_LITERAL", "IN", "ANY"}

CATEGORIES = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}

ALPHABETS: dict[Alphabet, Ranges] = {
    "lowered": ((0, 0x40), (0x5B, 0x7F)),
    "ascii": ((0, 0x7F),),
    "unicode": ((0, sys.maxunicode),),
}


def _ranges(operation: str, argument: Any, flags: int, alphabet: Alphabet) -> Ranges:
    """What the one-character expression accepts among the characters of the alphabet."""
    if alphabet == "unicode":
        if operation == "LITERAL" and 0xD800 <= argument < 0xE000:
            return ()
        if operation == "LITERAL" and not flags & re.IGNORECASE:
            return ((argument, argument),)
        if operation == "LITERAL":
            return accepted_ignoring_case(chr(argument), flags & ATOM_FLAGS)
        return accepted(_python_source(operation, argument), flags & ATOM_FLAGS, ascii_only=False)
    ranges = accepted(_python_source(operation, argument), flags & ATOM_FLAGS, ascii_only=True)
    if alphabet == "ascii":
        return ranges
    letters = {code for low, high in ranges for code in range(low, high + 1)}
    if any((code in letters) != (code + 32 in letters) for code in range(ord("A"), ord("Z") + 1)):
        raise UntranslatableError("small and capital letters differ")
    return _intersection(ranges, ALPHABETS["lowered"])


ATOM_FLAGS = int(re.IGNORECASE | re.ASCII | re.DOTALL)
"""Flags that change which single characters are accepted."""


def _python_source(operation: str, argument: Any) -> str:
    """The one-character expression as Python would read it."""
    if operation == "ANY":
        return "."
    if operation == "LITERAL":
        return f"[{_escaped(argument)}]"
    if operation == "NOT_LITERAL":
        return f"[^{_escaped(argument)}]"
    body = ""
    for member, value in argument:
        if str(member) == "NEGATE":
            body += "^"
        elif str(member) == "LITERAL":
            body += _escaped(value)
        elif str(member) == "RANGE":
            body += f"{_escaped(value[0])}-{_escaped(value[1])}"
        elif str(member) == "CATEGORY" and str(value) in CATEGORIES:
            body += CATEGORIES[str(value)]
        else:
            raise UntranslatableError(str(member))
    return f"[{body}]"


def _escaped(code: int) -> str:
    return f"\\U{code:08x}"


def _edge_is_word(nodes: Sequence[Any], flags: int, word: Ranges, *, is_first: bool) -> bool | None:
    """Whether the outermost character of the nodes is a word character; None where it may or may not, or is missing."""
    if not nodes:
        return None
    operation, argument = nodes[0 if is_first else -1]
    operation = str(operation)

    def within(inner: Sequence[Any], inner_flags: int = flags) -> bool | None:
        return _edge_is_word(inner, inner_flags, word, is_first=is_first)

    if operation in ONE_CHARACTER:
        return _is_inside(_ranges(operation, argument, flags, "unicode"), word)
    if operation == "SUBPATTERN":
        _, added, removed, inner = argument
        return within(list(inner), _combined(flags, added, removed)) if inner.getwidth()[0] else None
    if operation in {"MAX_REPEAT", "MIN_REPEAT"}:
        low, _, inner = argument
        return within(list(inner)) if low and inner.getwidth()[0] else None
    if operation == "BRANCH":
        verdicts = {within(list(inner)) if inner.getwidth()[0] else None for inner in argument[1]}
        return verdicts.pop() if len(verdicts) == 1 else None
    return None


def _is_inside(ranges: Ranges, word: Ranges) -> bool | None:
    if not ranges:
        return None
    if contains(word, ranges):
        return True
    return False if not _intersection(ranges, word) else None


def _intersection(a: Ranges, b: Ranges) -> Ranges:
    both = ((max(a_low, b_low), min(a_high, b_high)) for a_low, a_high in a for b_low, b_high in b)
    return tuple((low, high) for low, high in both if low <= high)


def _complement(ranges: Ranges, alphabet: Alphabet) -> Ranges:
    gaps, start = [], 0
    for low, high in ranges:
        if start < low:
            gaps.append((start, low - 1))
        start = high + 1
    gaps.append((start, sys.maxunicode))
    return _intersection(tuple(gaps), ALPHABETS[alphabet])


def _either(branches: Sequence[str | None]) -> str | None:
    possible = [branch for branch in branches if branch is not NEVER]
    return f"(?:{'|'.join(possible)})" if possible else NEVER


def _combined(flags: int, added: int, removed: int) -> int:
    """Flags inside a group such as `(?a-i:...)`."""
    if added & _parser.TYPE_FLAGS:
        flags &= ~_parser.TYPE_FLAGS
    return (flags | added) & ~removed


def _is_one(ranges: Ranges) -> bool:
    return len(ranges) == 1 and ranges[0][0] == ranges[0][1]
