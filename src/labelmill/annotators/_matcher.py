"""Where a pattern occurs in a column: compiled, and equal to `re.search` row by row."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Literal

import numpy as np
import polars as pl

from labelmill.annotators._pattern import Alphabet, Translation, translate
from labelmill.annotators._texts import Mask, Rows, Texts

__all__ = ["Evaluation", "Matcher"]

Evaluation = Literal["compiled", "python"]
"""Whether Rust's engine reads the texts, or Python's `re` reads each of them."""


class Matcher:
    r"""Says for every text whether `re.search` finds the pattern.

    ASCII texts are asked with the pattern translated for ASCII, the rest with the pattern translated for Unicode. A
    translation that is wider than the pattern only picks the texts that `re` is asked about.

    Parameters
    ----------
    pattern : str
        Python regular expression.
    flags : int
        Flags of `re`.
    beyond_ascii : callable, optional
        Makes the pattern that texts beyond ASCII are asked with, when the first one comes; `pattern` without it.

    Raises
    ------
    re.error
        If the pattern is none.
    """

    def __init__(self, pattern: str, flags: int = 0, *, beyond_ascii: Callable[[], str] | None = None) -> None:
        self.pattern = pattern
        self.flags = flags
        self._beyond_ascii = beyond_ascii
        self._compiled = re.compile(pattern, flags)
        self._plans: dict[Alphabet, Translation | None] = {}
        self._plan("ascii")

    @property
    def evaluation(self) -> Evaluation:
        """How ASCII texts are read; others may need `re` more often."""
        return "compiled" if self._plan("ascii") is not None else "python"

    @property
    def reason(self) -> str:
        """Why `re` has a part in it; empty if it has none."""
        try:
            translation = translate(self.pattern, self.flags, "ascii")
        except RecursionError:
            translation = None
        if translation is None:
            return "the pattern has a construct that is not compiled"
        if self._plan("ascii") is None:
            return f"the pattern rests on {translation.reason or 'more states than the compiled engine allows'}"
        return f"texts found are confirmed by `re`: {translation.reason}" if translation.reason else ""

    def matches(self, texts: Texts, *, ascii_only: bool = False) -> Mask:
        """Shape (n_texts,): whether the pattern occurs; False where there is no text.

        With `ascii_only` it is also False where the text has characters beyond ASCII.
        """
        found = np.zeros(len(texts), dtype=np.bool_)
        if len(texts.ascii_rows):
            found[texts.ascii_rows] = self._ascii_matches(texts)
        if len(texts.other_rows) and not ascii_only:
            plan = self._plan("unicode")
            found[texts.other_rows] = _matches(texts.other, texts.other, plan, lambda: self._compiled_beyond_ascii)
        return found

    def _ascii_matches(self, texts: Texts) -> Mask:
        lowered = self._plan("lowered")
        if lowered is not None:
            return _matches(texts.lowered, texts.ascii, lowered, lambda: self._compiled)
        return _matches(texts.ascii, texts.ascii, self._plan("ascii"), lambda: self._compiled)

    @cached_property
    def _pattern_beyond_ascii(self) -> str:
        return self.pattern if self._beyond_ascii is None else self._beyond_ascii()

    @cached_property
    def _compiled_beyond_ascii(self) -> re.Pattern[str]:
        return re.compile(self._pattern_beyond_ascii, self.flags)

    def _plan(self, alphabet: Alphabet) -> Translation | None:
        """The translation if it is worth asking, made once: it must compile, and sort out some text."""
        if alphabet not in self._plans:
            self._plans[alphabet] = self._planned(alphabet)
        return self._plans[alphabet]

    def _planned(self, alphabet: Alphabet) -> Translation | None:
        if alphabet == "lowered" and not (self._compiled.flags & re.IGNORECASE or "(?i:" in self.pattern):
            return None  # the copy is only worth making where a letter stands for two
        pattern = self._pattern_beyond_ascii if alphabet == "unicode" else self.pattern
        try:
            plan = translate(pattern, self.flags, alphabet)
        except RecursionError:
            return None
        if plan is None or plan.source is None:
            return plan
        try:
            finds_nothing = pl.Series([""]).str.contains(plan.source).item()
        except pl.exceptions.ComputeError:  # larger than Rust's engine allows
            return None
        return None if finds_nothing and not plan.is_exact else plan


def _matches(
    searched: pl.Series, original: pl.Series, plan: Translation | None, pattern: Callable[[], re.Pattern[str]]
) -> Mask:
    """Shape (n_texts,): the plan's answer on `searched`, confirmed on `original` where the plan is wider."""
    if plan is None:
        return _confirmed(original, np.arange(len(original)), pattern())
    if plan.source is None:
        return np.zeros(len(searched), dtype=np.bool_)
    found: Mask = searched.str.contains(plan.source).to_numpy()
    return found if plan.is_exact else _confirmed(original, np.flatnonzero(found), pattern())


def _confirmed(texts: pl.Series, rows: Rows, pattern: re.Pattern[str]) -> Mask:
    found = np.zeros(len(texts), dtype=np.bool_)
    found[rows] = [pattern.search(text) is not None for text in texts.gather(rows).to_list()]
    return found
