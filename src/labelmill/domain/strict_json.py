"""The one JSON decoder: what is not exactly JSON, or would not survive a database, is refused.

The decoder of the standard library takes NaN, turns 1e400 into infinity, keeps the last of two equal keys, and passes
NUL and lone surrogates, on which databases, browsers and other languages disagree. Here all of these are refused, so
that a value means the same wherever it goes.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final, NoReturn

from labelmill.errors import BadInputError, BadRow

__all__ = ["MAX_DEPTH", "dumps", "loads"]

MAX_DEPTH: Final = 200
"""Lists and objects may lie this deep in one another; deeper ones are an attack or a mistake."""

_MAX_INTEGER_DIGITS = 20
_SHOWN = 40


def loads(text: str | bytes, *, source: str = "", line: int | None = None) -> Any:
    """The value that one JSON text stands for.

    Refused: NaN and infinities, numbers beyond a 64-bit float, integers beyond 64 bits, a key that appears twice,
    lone surrogates, NUL, nesting deeper than `MAX_DEPTH`, and anything after the value.

    Parameters
    ----------
    text : str or bytes
        One JSON value; bytes are UTF-8.
    source : str
        File or place it came from, for the message.
    line : int, optional
        Line of the file on which the text begins.

    Raises
    ------
    BadInputError
        With one bad row: source, line, path of the key, and what was found.

    Examples
    --------
    >>> loads('{"id": "7", "tags": ["a", "b"]}')
    {'id': '7', 'tags': ['a', 'b']}
    """
    place = _Place(source or "JSON", line)
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            place.refuse(None, f"byte {error.object[error.start]:#04x} at offset {error.start} is not valid UTF-8")
    try:
        value = _STRICT.decode(text)
    except _RefusedError:
        _explained(text, place)
    except json.JSONDecodeError as error:
        place.refuse_syntax(error)
    except RecursionError:
        place.refuse(None, _TOO_DEEP)
    if "\\u" in text or _may_be_deep(text) or not _is_encodable(text):
        path, reason = _first_fault(value)
        if reason:
            place.refuse(path, reason)
    return value


def dumps(value: Any, *, indent: int | None = None) -> str:
    """The JSON text of a value, on one line or indented; `loads` gives an equal value back.

    Characters are written as themselves, keys in the order they have.

    Raises
    ------
    BadInputError
        If `loads` would refuse the text, or the value is none of JSON's (a key that is no text, a date, an array).

    Examples
    --------
    >>> dumps({"label": ["é", "b"], "n": 1.5})
    '{"label":["é","b"],"n":1.5}'
    """
    path, reason = _first_fault(value)
    if reason:
        _Place("JSON", None).refuse(path, reason)
    if indent is not None:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    return _ENCODER.encode(value)


class _Place:
    def __init__(self, source: str, line: int | None) -> None:
        self.source = source
        self.line = line

    def refuse(self, path: str | None, reason: str) -> NoReturn:
        raise BadInputError([BadRow(self.source, self.line, path or None, reason)]) from None

    def refuse_syntax(self, error: json.JSONDecodeError) -> NoReturn:
        self.line = error.lineno if self.line is None else self.line + error.lineno - 1
        found = error.doc[error.pos : error.pos + 10]
        if error.msg == "Extra data":
            self.refuse(None, f"expected the end of the JSON value at column {error.colno}, found {found!r}")
        found = f"found {found!r}" if found else "found the end of the text"
        self.refuse(None, f"not valid JSON at column {error.colno}: {error.msg}, {found}")


def _explained(text: str, place: _Place) -> NoReturn:
    """Decode once more, past what is refused, to say where it stands and why."""
    try:
        path, reason = _first_fault(_EXPLAINING.decode(text))
    except json.JSONDecodeError as error:
        place.refuse_syntax(error)
    except RecursionError:
        path, reason = "", _TOO_DEEP
    place.refuse(path, reason)


class _RefusedError(Exception):
    """Stops the strict decoder; the explaining one then says where and why."""


class _Refused:
    """Stands in a decoded value for a part that is refused."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"
_LARGEST = 2**63 - 1


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise _RefusedError
    return value


def _integer(digits: str) -> int:
    if len(digits) > _MAX_INTEGER_DIGITS:
        raise _RefusedError
    value = int(digits)
    if not -_LARGEST - 1 <= value <= _LARGEST:
        raise _RefusedError
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _RefusedError
    return result


def _constant(_: str) -> NoReturn:
    raise _RefusedError


def _explained_float(digits: str) -> float | _Refused:
    value = float(digits)
    return value if math.isfinite(value) else _Refused(f"{_short(digits)} is beyond a 64-bit float")


def _explained_integer(digits: str) -> int | _Refused:
    try:
        return _integer(digits)
    except _RefusedError:
        return _Refused(f"the integer {_short(digits)} is beyond 64 bits: write it as a text")


def _explained_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        result[key] = _Refused("the key appears twice") if key in result else value
    return result


def _explained_constant(name: str) -> _Refused:
    return _Refused(f"{name} is not JSON: expected a finite number or null")


_STRICT = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_int=_integer, parse_constant=_constant)
_EXPLAINING = json.JSONDecoder(
    object_pairs_hook=_explained_object,
    parse_float=_explained_float,
    parse_int=_explained_integer,
    parse_constant=_explained_constant,
)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _first_fault(value: Any, path: str = "", depth: int = 0) -> tuple[str, str]:
    """Path of the first part that is refused and why; two empty texts when all is well."""
    if isinstance(value, str):
        return path, _text_fault(value)
    if value is None or isinstance(value, bool):
        return path, ""
    if isinstance(value, dict | list | tuple):
        return _fault_inside(value, path, depth + 1)
    return path, _scalar_fault(value)


def _fault_inside(value: Any, path: str, depth: int) -> tuple[str, str]:
    if depth > MAX_DEPTH:
        return "", _TOO_DEEP
    if not isinstance(value, dict):
        for position, part in enumerate(value):
            found, reason = _first_fault(part, f"{path}[{position}]", depth)
            if reason:
                return found, reason
        return path, ""
    for key, part in value.items():
        if not isinstance(key, str):
            return path, f"the key {_short(repr(key))} is no text"
        inside = f"{path}.{key}" if path else key
        if reason := _text_fault(key):
            return inside, f"in the key itself: {reason}"
        found, reason = _first_fault(part, inside, depth)
        if reason:
            return found, reason
    return path, ""


def _scalar_fault(value: Any) -> str:
    if isinstance(value, _Refused):
        return value.reason
    if isinstance(value, float):
        return "" if math.isfinite(value) else f"{value} is not JSON: expected a finite number or null"
    if isinstance(value, int):
        fits = -_LARGEST - 1 <= value <= _LARGEST
        return "" if fits else "an integer beyond 64 bits: write it as a text"
    return f"{type(value).__name__} is no JSON value: expected a text, number, list or object"


def _text_fault(text: str) -> str:
    if "\0" in text:
        return "a NUL character (U+0000) is not allowed in a text"
    if _is_encodable(text):
        return ""
    lone = next(c for c in text if "\ud800" <= c <= "\udfff")
    return f"the lone surrogate U+{ord(lone):04X} is no character"


def _is_encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _may_be_deep(text: str) -> bool:
    return text.count("[") + text.count("{") > MAX_DEPTH


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"
