"""Numbers and foreign text as people read them, the same on the page and in the terminal."""

from __future__ import annotations

import math
import re

__all__ = [
    "UNKNOWN",
    "amount",
    "bound_percent",
    "column_percent",
    "count",
    "known",
    "percent",
    "safe",
    "score",
    "seconds",
    "shortened",
]

UNKNOWN = "–"
"""Shown where a number is not known."""

SPACE = "\N{NO-BREAK SPACE}"
"""Between a number and its unit."""

FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
"""Controls, lone surrogates, and the bidi controls that can turn the text around them."""


def known(value: float | None) -> float | None:
    """The value if it is a finite number, else None: NaN and infinity are not known."""
    return None if value is None or not math.isfinite(value) else float(value)


def count(value: float | None) -> str:
    """A count with thousands separated.

    >>> count(6046)
    '6,046'
    """
    found = known(value)
    return UNKNOWN if found is None else f"{found:,.0f}"


def amount(n: int, noun: str, nouns: str) -> str:
    """A count and its noun.

    >>> amount(1, "mail", "mails"), amount(2, "mail", "mails")
    ('1 mail', '2 mails')
    """
    return f"{count(n)} {noun if n == 1 else nouns}"


def percent(share: float | None) -> str:
    """A share in per cent: one decimal, two digits below one per cent, and never 100 for less than all.

    >>> percent(0.021).replace(SPACE, " "), percent(0.05).replace(SPACE, " "), percent(0.00042).replace(SPACE, " ")
    ('2.1 %', '5 %', '0.042 %')
    """
    found = known(share)
    if found is None:
        return UNKNOWN
    value = 100 * found
    if 99.95 <= value < 100 - 1e-9:
        return f">99.9{SPACE}%"
    if 1e-9 < value < 0.001:
        return f"<0.001{SPACE}%"
    return f"{_digits(value)}{SPACE}%"


def column_percent(share: float | None) -> str:
    """A share in per cent for a column of them: always one decimal, so that the points stand below each other.

    >>> column_percent(0.53).replace(SPACE, " "), column_percent(0.0001).replace(SPACE, " ")
    ('53.0 %', '<0.1 %')
    """
    found = known(share)
    if found is None:
        return UNKNOWN
    value = 100 * found
    if 99.95 <= value < 100 - 1e-9:
        return f">99.9{SPACE}%"
    return f"<0.1{SPACE}%" if 1e-9 < value < 0.05 else f"{value:.1f}{SPACE}%"


def bound_percent(share: float | None) -> str:
    """An upper bound in per cent, rounded up: a promise is never shown smaller than it is.

    >>> bound_percent(0.04981).replace(SPACE, " "), bound_percent(0.05001).replace(SPACE, " ")
    ('5 %', '5.1 %')
    """
    found = known(share)
    if found is None:
        return UNKNOWN
    value = max(100 * found, 0.001) if found > 0 else 100 * found
    places = 1 if value >= 1 or value <= 0 else 1 - math.floor(math.log10(value))
    rounded = math.ceil(round(value * 10**places, 6)) / 10**places
    return f"{_digits(rounded)}{SPACE}%"


def score(value: float | None) -> str:
    """A score to four digits."""
    found = known(value)
    return UNKNOWN if found is None else f"{found:.4g}".replace("-", "\N{MINUS SIGN}")


def seconds(value: float | None) -> str:
    """A time span.

    >>> seconds(0.418).replace(SPACE, " "), seconds(192).replace(SPACE, " "), seconds(7380).replace(SPACE, " ")
    ('0.42 s', '3 min 12 s', '2 h 3 min')
    """
    found = known(value)
    if found is None:
        return UNKNOWN
    if found < 0.01:
        return f"<0.01{SPACE}s"
    if found < 59.95:
        return f"{found:.2f}{SPACE}s" if found < 1 else f"{found:.1f}{SPACE}s"
    whole = round(found)
    if whole < 3600:
        return f"{whole // 60}{SPACE}min {whole % 60}{SPACE}s"
    return f"{whole // 3600}{SPACE}h {whole % 3600 // 60}{SPACE}min"


def safe(text: str) -> str:
    """Foreign text with what cannot or should not be drawn made visible.

    Controls become their pictures, lone surrogates the replacement character, and bidi embeddings, overrides and
    isolates their code point: a mail cannot turn around the words beside it.

    >>> safe("a" + chr(0) + "b" + chr(0x202E))
    'a␀b[U+202E]'
    """
    return FORBIDDEN.sub(_visible, text.replace("\r\n", "\n").replace("\r", "\n"))


def shortened(text: str, n: int) -> str:
    """At most n characters, an ellipsis if something is left out."""
    return text if len(text) <= n else text[: max(n - 1, 0)].rstrip() + "…"


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    return f"[U+{code:04X}]" if 0x2000 <= code < 0x2100 else "\N{REPLACEMENT CHARACTER}"


def _digits(value: float) -> str:
    if value != 0 and abs(value) < 1:
        return f"{value:.2g}"
    text = f"{value:.1f}"
    return text.removesuffix(".0") if abs(value - round(value)) < 1e-9 else text
