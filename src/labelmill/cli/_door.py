"""What every command does the same way: find the project, show progress, print a table or JSON."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from labelmill.errors import UsageError, nearest

if TYPE_CHECKING:
    from rich.console import RenderableType

    from labelmill.domain.ports import Progress
    from labelmill.errors import BadRow
    from labelmill.pipeline.mill import Mill

__all__ = [
    "Door",
    "Group",
    "bad_row_lines",
    "counted",
    "json_option",
    "line",
    "printable",
    "project_options",
    "refuse_given",
    "split_names",
]

P = ParamSpec("P")
R = TypeVar("R")


class Door:
    """One call of one command.

    Parameters
    ----------
    folder : Path
        The project's folder.
    as_json : bool
        Print one JSON object instead of tables.
    progress : {"bar", "json", "none"}, optional
        How progress is shown; a bar without it, and none with `as_json`.
    metrics : str, optional
        Where it is served as well, for Prometheus.
    """

    def __init__(
        self,
        folder: Path = Path(),
        *,
        as_json: bool = False,
        progress: str | None = None,
        metrics: str | None = None,
    ) -> None:
        self.folder = folder
        self.metrics = metrics
        self.as_json = as_json
        self.progress = progress or ("none" if as_json else "bar")

    @contextmanager
    def mill(self) -> Iterator[Mill]:
        """The project, with progress shown on standard error while it is open."""
        from labelmill.pipeline.mill import Mill

        with self.watching() as watch:
            yield Mill.open(self.folder, watch=watch)

    @contextmanager
    def watching(self) -> Iterator[Callable[[str], Progress]]:
        """How the work goes, on standard error and for whoever was asked to look."""
        with _only_results_on_standard_output(), ExitStack() as stack:
            watches = [stack.enter_context(watch) for watch in self._watches()]
            yield lambda what: _each([watch(what) for watch in watches])

    def _watches(self) -> Iterator[AbstractContextManager[Callable[[str], Progress]]]:
        from labelmill.cli._progress import bars, json_lines

        if self.metrics is not None:
            from labelmill.cli._metrics import served

            yield served(self.metrics)
        if self.progress != "none":
            yield bars() if self.progress == "bar" else json_lines()

    def show(self, data: Mapping[str, Any], *renderables: RenderableType) -> None:
        """The result: JSON on standard output, or the given texts and tables.

        Names are foreign: texts are printed as they are, never as rich's markup or as control sequences.
        """
        if self.as_json:
            click.echo(_json(data))
            return
        from rich.console import Console

        console = Console(highlight=False, soft_wrap=True, markup=False)
        for renderable in renderables:
            console.print(printable(renderable) if isinstance(renderable, str) else renderable)


def _each(progresses: Sequence[Progress]) -> Progress:
    def advance(done: int, total: int, detail: Mapping[str, Any] | None = None, /) -> None:
        for progress in progresses:
            progress(done, total, detail)

    return advance


def line(*parts: str | tuple[str, str]) -> RenderableType:
    """A line of texts, of which some have a style: `line(("Faults", "yellow"), ": 3")`."""
    from rich.text import Text

    styled = [(part, "") if isinstance(part, str) else part for part in parts]
    return Text.assemble(*((printable(text), style) for text, style in styled))


def printable(text: str) -> str:
    """The text without control characters, which could steer a terminal."""
    return "".join(c if c in "\n\t" or c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def _json(data: Mapping[str, Any]) -> str:
    from labelmill.domain.strict_json import dumps

    text = dumps(dict(data))
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        import json

        return json.dumps(json.loads(text))
    return text


class Group(click.Group):
    """Commands by name; a wrong name is told with the nearest right one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first argument names."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(f"no command is called {name!r}: {nearest(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


@contextmanager
def _only_results_on_standard_output() -> Iterator[None]:
    """While work is under way, what is written to standard output goes to standard error.

    The user's code may write there past Python, in worker processes too; it must not mix with the result.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
        kept = os.dup(1)
    except (OSError, ValueError):  # there is no standard output
        yield
        return
    try:
        os.dup2(2, 1)
    except OSError:  # there is no standard error
        os.close(kept)
        yield
        return
    try:
        yield
    finally:
        if sys.stdout is not None:
            sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def json_option(function: Callable[P, R]) -> Callable[P, R]:
    """The flag --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(function)


def project_options(function: Callable[..., R]) -> Callable[..., R]:
    """The options --project, --progress, --metrics and --json; the command gets a `Door` as its first argument."""

    @json_option
    @click.option(
        "--progress",
        type=click.Choice(["bar", "json", "none"]),
        help="How progress is shown on standard error; json: an object a line.  [default: bar; none with --json]",
    )
    @click.option(
        "--metrics",
        metavar="[HOST:]PORT",
        help="Serve progress for Prometheus at http://HOST:PORT/metrics while the command works.",
    )
    @click.option(
        "--project",
        "-p",
        "folder",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(),
        help="Folder with labelmill.toml.  [default: the current one]",
    )
    @functools.wraps(function)
    def with_door(
        *args: Any, folder: Path, as_json: bool, progress: str | None, metrics: str | None, **options: Any
    ) -> R:
        door = Door(folder, as_json=as_json, progress=progress, metrics=metrics)
        return function(door, *args, **options)

    return with_door


def split_names(text: str | None) -> list[str] | None:
    """`a,b,c` as a list of names; None stays None."""
    return None if text is None else [name.strip() for name in text.split(",")]


def refuse_given(advice: str, **options: Any) -> None:
    """Refuse options that would be passed over in silence.

    Parameters
    ----------
    advice : str
        When they count, e.g. "goes with --plan".
    **options
        Their values, by name; None and False were not given.

    Raises
    ------
    UsageError
        If one was given.
    """
    for name, value in options.items():
        if value is not None and value is not False:
            raise UsageError(f"--{name.replace('_', '-')} {advice}")


def counted(n: int, noun: str) -> str:
    """`1 item`, `2 items`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def bad_row_lines(rows: Sequence[BadRow]) -> list[RenderableType]:
    """How many rows were left out, and the first of them."""
    if not rows:
        return []
    lines: list[RenderableType] = [line((f"{counted(len(rows), 'bad row')} left out", "yellow"), ":")]
    lines += [f"  {row}" for row in rows[:SHOWN]]
    if len(rows) > SHOWN:
        lines.append(f"  ... and {len(rows) - SHOWN:,} more: --json lists all")
    return lines


SHOWN = 5
"""Bad rows that are listed."""
