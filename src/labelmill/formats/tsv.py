"""Tab-separated values, quoted as CSV is."""

from __future__ import annotations

from labelmill.formats._delimited import Delimited

__all__ = ["Tsv"]


class Tsv(Delimited):
    """Tab-separated values: as CSV, with tabs for commas."""

    suffixes = (".tsv",)
    delimiter = "\t"
