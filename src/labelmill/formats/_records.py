"""Delimited records cut out of lines; a broken one is reported and reading goes on behind it.

Python's `csv` does the cutting. What it does in silence is refused here: a quote that is never closed swallows the
rest of the file, text behind a closing quote is glued on, a field of any length is taken.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain

from labelmill.errors import BadRow

__all__ = ["Records"]

_TO_CLOSING_QUOTE = re.compile(r'[^"]*(?:""[^"]*)*')


class Records:
    """Iterates over (line, fields) and (line, BadRow); lines without any character are passed over.

    Parameters
    ----------
    lines : iterable of list of str
        Lines with their ends, many at a time.
    source : str
        Name of the file, for messages.
    delimiter : str
        One character.
    limit : int
        Characters in one record; a longer one is a BadRow.
    """

    def __init__(self, lines: Iterable[list[str]], *, source: str, delimiter: str, limit: int) -> None:
        csv.field_size_limit(max(csv.field_size_limit(), limit + 1))  # one limit for the process: it is only raised
        self.source = source
        self.delimiter = delimiter
        self.limit = limit
        self._feed = _Feed(lines, limit)

    @property
    def size(self) -> int:
        """Characters in the record at hand."""
        return self._feed.size

    @property
    def has_nul(self) -> bool:
        """Whether a NUL character stands in the record at hand."""
        return self._feed.has_nul

    def __iter__(self) -> Iterator[tuple[int, list[str] | BadRow]]:
        feed = self._feed
        reader = csv.reader(feed, delimiter=self.delimiter, strict=True)
        while True:
            line = feed.begin_record()
            try:
                fields = next(reader)
            except StopIteration:
                return
            except _TooLongError:
                fault = self._broken(line, f"within {self.limit} characters")
                yield fault.line or line, fault
                continue
            except csv.Error as error:
                end = "by the end of the file" if "end of data" in str(error) else f"before line {feed.line}"
                fault = self._broken(line, end)
                yield fault.line or line, fault
                continue
            if fields:
                yield line, fields

    def _broken(self, line: int, end: str) -> BadRow:
        """What is wrong with the lines just taken; those behind the fault are put back.

        A line put back has no quote that could open a field and stay open (such a quote would have closed the one
        before), so that no line is read more than twice.
        """
        taken = list(self._feed.taken)
        position = _open_quote("".join(taken), self.delimiter) if len(taken) > 1 else 0
        n_before = _index_of_line(taken, position)
        behind = taken[n_before + 1 :]
        if len(taken) == 1 and len(taken[0]) > self.limit:
            reason = f"the record is longer than {self.limit} characters"
        elif behind or end == "by the end of the file":
            reason = f"the quote opened here is not closed {end}"
        elif len(taken[-1]) > self.limit:
            reason = f"the record is longer than {self.limit} characters"
        else:
            reason = 'text follows a closing quote: quote the whole field, and write a quote inside it twice ("")'
        if n_before:
            reason += f" (the record begins on line {line})"
        fault = BadRow(self.source, line + n_before, None, reason)
        self._feed.put_back(behind)
        return fault


class _TooLongError(Exception):
    """The record at hand has more characters than allowed."""


class _Feed:
    """The lines as `csv.reader` takes them; remembers those of the record at hand."""

    def __init__(self, lines: Iterable[list[str]], limit: int) -> None:
        self.line = 0
        self.size = 0
        self.has_nul = False
        self.taken: list[str] = []
        self._limit = limit
        self._fresh = chain.from_iterable(lines)
        self._again: deque[str] = deque()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._fresh)
        self.line += 1
        self.taken.append(line)
        self.size += len(line)
        if "\0" in line:
            self.has_nul = True
        if self.size > self._limit:
            raise _TooLongError
        return line

    def begin_record(self) -> int:
        """Forget the lines of the last record; the line on which the next one begins."""
        self.taken.clear()
        self.size = 0
        self.has_nul = False
        return self.line + 1

    def put_back(self, lines: list[str]) -> None:
        """These lines, the last ones taken, come again."""
        self.line -= len(lines)
        self._again.extendleft(reversed(lines))


def _open_quote(text: str, delimiter: str) -> int:
    """Where the last quoted field begins, up to the point where the record breaks."""
    field_end = re.compile(f"[{re.escape(delimiter)}\r\n]")
    opened = 0
    at = 0
    while at < len(text):
        if text[at] == '"':
            opened = at
            closing = _TO_CLOSING_QUOTE.match(text, at + 1)
            at = closing.end() + 1 if closing else len(text)
            if field_end.match(text, at) is None:
                break
            at += 1
        else:
            end = field_end.search(text, at)
            at = end.end() if end else len(text)
    return opened


def _index_of_line(lines: list[str], position: int) -> int:
    for index, line in enumerate(lines):
        position -= len(line)
        if position < 0:
            return index
    return len(lines) - 1
