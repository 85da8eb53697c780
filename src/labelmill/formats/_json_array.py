"""The elements of a JSON array, one at a time, out of a file of any size."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import NoReturn

from labelmill.domain.strict_json import MAX_DEPTH
from labelmill.errors import BadInputError, BadRow
from labelmill.formats._text import count_line_ends, shown

__all__ = ["array_elements"]

_SPACE = re.compile(r"[ \t\r\n]*")
_NEAR_THE_END = 16
"""Characters a JSON word or escape may have: an error this close to the end of what is read may be only a cut."""


def array_elements(blocks: Iterable[str], source: str, limit: int) -> Iterator[tuple[int, str]]:
    """Line and text of each element of the array that the text is.

    Only where an element ends is found here; whether it is strict JSON is for the strict decoder to say.

    Raises
    ------
    BadInputError
        Where the array itself is broken (no array, an element that is no JSON, a missing comma, a cut end, text behind
        it, an element longer than `limit`): from there on nobody can tell what an element is.
    """
    text = _Text(blocks, source, limit)
    first = text.next_character()
    if first == "":
        text.refuse("the file is empty: expected an array of objects, such as []")
    if first != "[":
        hint = "One object a line is JSON lines: give the file the ending .jsonl." if first == "{" else ""
        text.refuse(f"expected '[' and an array of objects, found {first!r}", hint)
    text.at += 1
    if text.next_character() == "]":
        text.at += 1
    else:
        yield from _elements(text)
    if behind := text.next_character():
        text.refuse(f"expected the end of the file behind the array, found {behind!r}")


def _elements(text: _Text) -> Iterator[tuple[int, str]]:
    while True:
        if text.next_character() in {"", "]"}:
            text.refuse("expected another element behind ',', found ']'" if text.next_character() else _CUT)
        yield text.line, text.element()
        behind = text.next_character()
        if behind not in {",", "]"}:
            text.refuse(f"expected ',' or ']' behind the element, found {behind!r}" if behind else _CUT)
        text.at += 1
        if behind == "]":
            return


_CUT = "the file ends inside the array: it is cut off"
_SCANNER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str, strict=False)


class _Text:
    """A window on the text; `at` is where reading goes on, `line` the line of it."""

    def __init__(self, blocks: Iterable[str], source: str, limit: int) -> None:
        self.source = source
        self.limit = limit
        self.at = 0
        self.line = 1
        self._window = ""
        self._counted = 0
        self._blocks = iter(blocks)
        self._has_ended = False

    def next_character(self) -> str:
        """The character behind white space, not taken; "" at the end of the file."""
        while True:
            match = _SPACE.match(self._window, self.at)
            self.at = match.end() if match else self.at
            if self.at < len(self._window):
                self.line += count_line_ends(self._window[self._counted : self.at])
                self._counted = self.at
                return self._window[self.at]
            if not self._read_more():
                return ""

    def element(self) -> str:
        """The text of the value at `at`, taken."""
        while True:
            size = len(self._window) - self.at
            try:
                _, end = _SCANNER.raw_decode(self._window, self.at)
            except json.JSONDecodeError as error:
                is_cut = error.msg.startswith("Unterminated") or error.pos >= len(self._window) - _NEAR_THE_END
                if not (is_cut and size <= self.limit and self._read_more(size)):
                    self._refuse_syntax(error)
            except RecursionError:
                self.refuse(f"nested deeper than {MAX_DEPTH} levels")
            else:
                if end < len(self._window) or not self._read_more():
                    text = self._window[self.at : end]
                    self.at = end
                    return text

    def refuse(self, reason: str, hint: str = "") -> NoReturn:
        """The file is broken here."""
        raise BadInputError([BadRow(self.source, self.line, None, reason)], hint) from None

    def _refuse_syntax(self, error: json.JSONDecodeError) -> NoReturn:
        if len(self._window) - self.at > self.limit:
            self.refuse(f"the element is longer than {self.limit} characters")
        is_at_end = self._has_ended and error.pos >= len(self._window.rstrip(" \t\r\n"))
        if is_at_end or error.msg.startswith("Unterminated"):
            self.refuse(f"{_CUT} (the element that begins here does not end)")
        self.line += count_line_ends(self._window[self._counted : error.pos])
        found = shown(self._window[error.pos : error.pos + 10])
        self.refuse(f"not valid JSON: {error.msg}, found {found}")

    def _read_more(self, at_least: int = 1) -> bool:
        """Drop what is done with and read on; False at the end of the file."""
        parts = [self._window[self._counted :]]
        self.at -= self._counted
        self._counted = 0
        n_new = 0
        for block in self._blocks:
            parts.append(block)
            n_new += len(block)
            if n_new >= at_least:
                break
        else:
            self._has_ended = True
        self._window = "".join(parts)
        return n_new > 0
