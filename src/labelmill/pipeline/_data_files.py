"""Files of rows: in which format one is, and what becomes of its bad rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from labelmill import registry
from labelmill.domain.ports import Format
from labelmill.errors import BadInputError, BadRow
from labelmill.formats._endings import format_name

__all__ = ["MEND_OR_SKIP", "NOTHING", "format_of", "refuse_bad_rows"]

NOTHING: Final = "Nothing was written."
"""What holds after every refusal."""

MEND_OR_SKIP: Final = "Mend these rows, or leave them out with --on-bad-rows skip."


def format_of(path: Path) -> Format:
    """The format that claims the path's ending, ready to read or write.

    Raises
    ------
    UsageError
        If none does.
    """
    plugin: Format = registry.find("format", format_name(path))()
    return plugin


def refuse_bad_rows(bad: Sequence[BadRow], on_bad_rows: str, *, so_far: str = NOTHING) -> None:
    """Raise the bad rows, and what holds after that, unless they are to be skipped.

    Raises
    ------
    BadInputError
        If there are some and `on_bad_rows` is `"error"`.
    """
    if bad and on_bad_rows == "error":
        raise BadInputError(bad, f"{so_far} {MEND_OR_SKIP}")
