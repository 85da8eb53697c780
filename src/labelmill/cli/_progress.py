"""How long work is followed on standard error: a bar for people, lines of JSON for programs."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from labelmill.domain.strict_json import dumps

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from labelmill.domain.ports import Progress

__all__ = ["bars", "json_lines"]

EVERY_SECONDS = 1.0
"""How often a line of JSON is written, besides the first and the last."""

NAMED_SHARES = 3
"""Annotators whose share of the time stands under the bar."""


@contextmanager
def bars() -> Iterator[Callable[[str], Progress]]:
    """A bar for each thing that is being done, with its detail below; nothing where there is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    with _with_detail()(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as shown:
        yield functools.partial(_bar, shown)


def _with_detail() -> type[Bars]:
    """Rich is loaded only when a command runs."""
    from rich.console import RenderableType
    from rich.progress import Progress as Bars
    from rich.text import Text

    class BarsWithDetail(Bars):
        """The bars, and the last one's detail as a line under them."""

        def get_renderables(self) -> Iterator[RenderableType]:
            yield from super().get_renderables()
            told = [task.fields["detail"] for task in self.tasks if task.fields["detail"]]
            if told:
                yield Text(told[-1], style="dim", no_wrap=True, overflow="ellipsis")

    return BarsWithDetail


def _bar(shown: Bars, what: str) -> Progress:
    task = shown.add_task(what, total=None, rate="", detail="")
    clock = _Clock()

    def advance(done: int, total: int, detail: Mapping[str, Any] | None = None, /) -> None:
        rate = clock.rate(done)
        said = f"{rate:,.0f}/s" if rate is not None else ""
        shown.update(task, completed=done, total=total or None, rate=said, detail=_told(detail or {}))

    return advance


def _told(detail: Mapping[str, Any]) -> str:
    """The detail in one line."""
    partitions = detail.get("partitions", {})
    parts = [f"partitions {partitions['done']:,}/{partitions['total']:,}"] if partitions else []
    parts += [f"{partitions[key]:,} {key}" for key in ("failed", "retried") if partitions.get(key)]
    if "epoch" in detail:
        parts.append(_epoch(detail))
    if detail.get("faults"):
        parts.append(f"{detail['faults']:,} faults")
    if len(detail.get("hosts", {})) > 1:
        parts.append(f"{len(detail['hosts'])} hosts")
    shares = sorted(detail.get("shares", {}).items(), key=lambda pair: -pair[1])[:NAMED_SHARES]
    if len(detail.get("shares", {})) > 1:
        parts.append("time: " + ", ".join(f"{name} {share:.0%}" for name, share in shares))
    return "  ·  ".join(part if part.isprintable() else ascii(part) for part in parts)


def _epoch(detail: Mapping[str, Any]) -> str:
    """How a training stands."""
    fold = f"fold {detail['fold']}/{detail['folds']}, " if "fold" in detail else ""
    held_out = f", held out {detail['held_out']:.3f}" if "held_out" in detail else ""
    return f"{fold}epoch {detail['epoch']}/{detail['epochs']}, loss {detail['loss']:.3f}{held_out}"


@contextmanager
def json_lines(stream: TextIO | None = None) -> Iterator[Callable[[str], Progress]]:
    """One object a line: the first and the last of each thing that is done, and one a second in between.

    Keys: `what`, `done`, `total` (null if unknown), `rate` (a second) and `eta_s` (null until they are known), and what
    the detail holds: `partitions`, `faults`, `hosts`, `shares`; of a training `fold`, `folds`, `epoch`, `epochs`,
    `loss`, `held_out`.
    """
    lines: list[_Lines] = []

    def watch(what: str) -> Progress:
        lines.append(_Lines(what, sys.stderr if stream is None else stream))
        return lines[-1].advance

    try:
        yield watch
    finally:
        for line in lines:
            line.flush()


class _Lines:
    """The lines about one thing that is being done."""

    def __init__(self, what: str, stream: TextIO) -> None:
        self._what = what
        self._stream = stream
        self._clock = _Clock()
        self._pending: dict[str, Any] | None = None
        self._written = float("-inf")

    def advance(self, done: int, total: int, detail: Mapping[str, Any] | None = None, /) -> None:
        rate = self._clock.rate(done)
        left = (total - done) / rate if rate and total else None
        self._pending = {
            "what": self._what,
            "done": done,
            "total": total or None,
            "rate": None if rate is None else round(rate, 1),
            "eta_s": None if left is None else round(left, 1),
            **(detail or {}),
        }
        if time.monotonic() - self._written >= EVERY_SECONDS or (total and done >= total):
            self.flush()

    def flush(self) -> None:
        if self._pending is not None:
            self._stream.write(dumps(self._pending) + "\n")
            self._stream.flush()
            self._written = time.monotonic()
        self._pending = None


class _Clock:
    """Measures the rate of what this process brings about: what was done before is no merit of its own."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._before: int | None = None

    def rate(self, done: int) -> float | None:
        """How many a second; None until it can be told."""
        if self._before is None:
            self._before = done
        seconds = time.monotonic() - self._started
        new = done - self._before
        return new / seconds if new > 0 and seconds > 0.5 else None
