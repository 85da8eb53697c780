"""Names that become file names."""

from __future__ import annotations

import re

from labelmill.errors import UsageError

__all__ = ["checked_name"]


def checked_name(what: str, name: str) -> str:
    """The name, if a file can have it on every disk and it leads out of no folder.

    Raises
    ------
    UsageError
        Otherwise; says which characters are allowed.
    """
    if re.fullmatch(r"\w(?:[\w .+-]{0,98}[\w+-])?", name) is None:
        raise UsageError(
            f"{name!r} is no name for a {what}: use 1 to 100 letters, digits, '_', '-', '+', '.' or spaces, "
            "with a letter or digit first and no '.' or space last"
        )
    return name
