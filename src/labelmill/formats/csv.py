"""Comma-separated values (RFC 4180)."""

from __future__ import annotations

from labelmill.formats._delimited import Delimited

__all__ = ["Csv"]


class Csv(Delimited):
    """Comma-separated values: every column text, the first row names them."""

    suffixes = (".csv",)
    delimiter = ","
