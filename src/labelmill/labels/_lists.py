"""Answers that are lists: as they are, or as their JSON text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from labelmill.domain.strict_json import loads
from labelmill.errors import BadInputError, SchemaError

__all__ = ["listed"]


def listed(value: Any, refusal: Callable[[Any], SchemaError]) -> Sequence[Any]:
    """The list (or tuple), or the one that a JSON text stands for.

    Parameters
    ----------
    refusal : callable
        Makes the error from what was found in place of a list.

    Raises
    ------
    SchemaError
        The refusal, if it is neither.

    Examples
    --------
    >>> listed('["b", "a"]', lambda found: SchemaError(f"{found!r} is no list"))
    ['b', 'a']
    """
    if isinstance(value, str):
        try:
            value = loads(value)
        except BadInputError:
            raise refusal(value) from None
    if not isinstance(value, list | tuple):
        raise refusal(value)
    return value
