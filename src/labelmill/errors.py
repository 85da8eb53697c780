"""Every error labelmill raises on purpose, as a tree.

::

    LabelmillError
    ├── UsageError                 the call itself is wrong                     exit status 2
    │   ├── SchemaError            the question is not well formed
    │   ├── ProjectError           labelmill.toml or the project folder is wrong
    │   ├── UnknownPluginError     no plugin has that name
    │   ├── MissingDependencyError an optional library is not installed
    │   └── RulesError             the user's rules.py cannot be used
    └── FailedError                the call is right, the work failed           exit status 1
        ├── BadInputError          a file holds something we must refuse
        ├── StorageError           a file, folder or database cannot be read or written
        │   └── StorageFullError   the disk is full
        ├── ConflictError          somebody else was there first, or the same key came with other content
        ├── AccessError            the person or token may not do this
        ├── AnnotationError        a run of annotators could not finish
        ├── NotFittedError         a label model or learner was asked before it was fitted
        ├── CertificateError       the certificate asked for cannot be issued
        └── CancelledError         the person stopped the work

A message names the thing, the value seen, the values allowed and the next step.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

__all__ = [
    "AccessError",
    "AnnotationError",
    "BadInputError",
    "BadRow",
    "CancelledError",
    "CertificateError",
    "ConflictError",
    "FailedError",
    "LabelmillError",
    "MissingDependencyError",
    "NotFittedError",
    "ProjectError",
    "RulesError",
    "SchemaError",
    "StorageError",
    "StorageFullError",
    "UnknownPluginError",
    "UsageError",
    "nearest",
]


class LabelmillError(Exception):
    """The root of the tree: catch it to catch everything we raise on purpose."""

    exit_status: ClassVar[int] = 1


class UsageError(LabelmillError):
    """The call is wrong: an argument, a flag, a name. Change the call; nothing was done."""

    exit_status = 2


class SchemaError(UsageError):
    """The label schema is not well formed, or a value does not fit it. Mend the schema or the value."""


class ProjectError(UsageError):
    """`labelmill.toml` or the project folder is wrong. The message names the key and the nearest known one."""


class UnknownPluginError(UsageError):
    """No plugin of that kind has that name. The message lists the known names and the nearest one."""


class MissingDependencyError(UsageError):
    """The plugin needs a library that is not installed. The message gives the `pip install` line."""


class RulesError(UsageError):
    """The file with labeling functions cannot be loaded or used. The message names its file and line."""


class FailedError(LabelmillError):
    """The call was right but the work failed. What was finished is kept; run the same command again."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row of a file that cannot be taken, and why.

    Parameters
    ----------
    source : str
        File (or URI) as the user named it.
    line : int or None
        Line of a text file, record of a binary one, both from 1; None when the whole file is meant.
    field : str or None
        Column or key, if one is to blame.
    reason : str
        What was found and what was expected.
    """

    source: str
    line: int | None
    field: str | None
    reason: str

    def __str__(self) -> str:
        place = self.source if self.line is None else f"{self.source}, line {self.line}"
        return f"{place}, field {self.field!r}: {self.reason}" if self.field else f"{place}: {self.reason}"


class BadInputError(FailedError):
    """A file holds rows that cannot be taken; nothing was written.

    Mend the rows named, or pass `--on-bad-rows skip` to leave them out and have them counted.
    """

    shown: ClassVar[int] = 5

    def __init__(self, bad_rows: Sequence[BadRow], hint: str = "") -> None:
        self.bad_rows = list(bad_rows)
        lines = [str(row) for row in self.bad_rows[: self.shown]]
        hidden = len(self.bad_rows) - len(lines)
        if hidden > 0:
            lines.append(f"... and {hidden} more bad rows")
        if hint:
            lines.append(hint)
        super().__init__("\n".join(lines))


class StorageError(FailedError):
    """A file or folder cannot be read or written: missing, read-only, full or damaged. Nothing is half-written."""


class StorageFullError(StorageError):
    """The disk is full. Nothing that was acknowledged is lost; make room and do the same again."""


class ConflictError(FailedError):
    """The same key came with other content, or what is changed has changed meanwhile. Read it again, then decide."""


class AccessError(FailedError):
    """Whoever asks may not do this: not a member, the wrong role, an expired link, session or token."""


class AnnotationError(FailedError):
    """A run could not finish. Finished partitions are kept: the same command resumes."""


class NotFittedError(FailedError, AttributeError):
    """Learned values were read before `fit`. Call `fit(votes)` first."""


class CertificateError(FailedError):
    """The certificate asked for cannot be issued: the audit is missing, incomplete or not the frozen one."""


class CancelledError(FailedError):
    """The work was stopped on request. Finished partitions are kept: the same command resumes."""

    exit_status = 130


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of an error message: the nearest known name if there is one, then all of them.

    >>> nearest("entrpy", ["entropy", "margin"])
    "did you mean 'entropy'? Known: entropy, margin."
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    guess = f"did you mean {close[0]!r}? " if close else ""
    return f"{guess}Known: {', '.join(names) or 'none'}."
