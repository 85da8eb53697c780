"""What every command does the same way: find the project, show progress, print a table or JSON."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

    from labelmill.domain.ports import Progress
    from labelmill.pipeline.mill import Mill

__all__ = ["Door", "json_option", "project_options", "split_names"]

P = ParamSpec("P")
R = TypeVar("R")


class Door:
    """One call of one command.

    Parameters
    ----------
    folder : Path
        The project's folder.
    as_json : bool
        Print one JSON object instead of tables, and no progress.
    """

    def __init__(self, folder: Path = Path(), *, as_json: bool = False) -> None:
        self.folder = folder
        self.as_json = as_json

    @contextmanager
    def mill(self) -> Iterator[Mill]:
        """The project, with progress shown on standard error while it is open."""
        from labelmill.pipeline.mill import Mill

        with self.watching() as watch:
            yield Mill.open(self.folder, watch=watch)

    @contextmanager
    def watching(self) -> Iterator[Callable[[str], Progress]]:
        """Progress bars on standard error, one for each thing that is being done."""
        from labelmill.pipeline.workspace import unwatched

        if self.as_json:
            yield unwatched
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        with Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        ) as bars:
            yield functools.partial(_bar, bars)

    def show(self, data: Mapping[str, Any], *renderables: RenderableType) -> None:
        """The result: JSON on standard output, or the given texts and tables."""
        if self.as_json:
            from labelmill.domain.strict_json import dumps

            click.echo(dumps(dict(data)))
            return
        from rich.console import Console

        console = Console(highlight=False, soft_wrap=True)
        for renderable in renderables:
            console.print(renderable)


def _bar(bars: Any, what: str) -> Progress:
    task = bars.add_task(what, total=None, rate="")
    started = time.monotonic()

    def advance(done: int, total: int) -> None:
        elapsed = time.monotonic() - started
        rate = f"{done / elapsed:,.0f}/s" if done and elapsed > 0.5 else ""
        bars.update(task, completed=done, total=total or None, rate=rate)

    return advance


def json_option(function: Callable[P, R]) -> Callable[P, R]:
    """The flag --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and no progress.")(function)


def project_options(function: Callable[..., R]) -> Callable[..., R]:
    """The options --project and --json; the command gets a `Door` as its first argument."""

    @json_option
    @click.option(
        "--project",
        "-p",
        "folder",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(),
        help="Folder with labelmill.toml.  [default: the current one]",
    )
    @functools.wraps(function)
    def with_door(*args: Any, folder: Path, as_json: bool, **options: Any) -> R:
        return function(Door(folder, as_json=as_json), *args, **options)

    return with_door


def split_names(text: str | None) -> list[str] | None:
    """`a,b,c` as a list of names; None stays None."""
    return None if text is None else [name.strip() for name in text.split(",")]
