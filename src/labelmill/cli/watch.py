"""`labelmill watch`: label what arrives."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from labelmill.cli._door import Door, bad_row_lines, counted, json_option
from labelmill.cli._values import BULK_ENGINE_HELP, EngineSpec

if TYPE_CHECKING:
    from labelmill.pipeline.watch import Arrival, Watch


@click.command("watch", short_help="Label new files or rows as they arrive.")
@click.argument("source", metavar="SOURCE")
@click.option("--once", is_flag=True, help="Read what is there, and end.")
@click.option(
    "--settle",
    type=click.FloatRange(0, 3_600),
    default=1.0,
    show_default=True,
    help="Seconds that a file must not have changed before it is read.",
)
@click.option(
    "--batch", type=click.IntRange(1, 100_000), default=1_000, show_default=True, help="Lines of a stream at a time."
)
@click.option(
    "--every",
    type=click.FloatRange(0.01, 3_600),
    default=1.0,
    show_default=True,
    help="Seconds that lines are gathered, from the first of a batch.",
)
@click.option("--engine", type=EngineSpec(), default="serial", show_default=True, help=BULK_ENGINE_HELP)
@click.option(
    "--project",
    "-p",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Folder with labelmill.toml.  [default: the current one]",
)
@json_option
def command(
    source: str, once: bool, settle: float, batch: int, every: float, engine: str, folder: Path, as_json: bool
) -> None:
    """Import what arrives in the folder SOURCE, let rules and trained models vote on it, and refresh the consensus.

    SOURCE is a folder, whose new files are rows of items (or pictures and recordings, where the project is about
    those), or `-` for a JSON object a line on standard input. A file is read when nobody writes it any more. Each item
    is taken exactly once, by its id: stopped or killed at any moment, the same command goes on. SIGTERM and Ctrl-C end
    it after the batch under way. With --json, an object a batch.

    \b
    Examples:
      labelmill watch inbox
      labelmill watch inbox --once --json
      tail -n +1 -f mails.jsonl | labelmill watch - --every 5
    """
    from labelmill.pipeline.watch import watch_folder, watch_lines
    from labelmill.pipeline.workspace import Workspace

    door = Door(folder, as_json=as_json, progress="none")
    workspace = Workspace.open(folder)
    with _stopped_by_signals() as stop:
        if source == "-":
            watch = watch_lines(workspace, sys.stdin.buffer, most=batch, every=every, engine=engine, stop=stop)
        else:
            watch = watch_folder(workspace, Path(source), settle=settle, once=once, engine=engine, stop=stop)
        if not as_json:
            click.echo(f"Watching {'standard input' if source == '-' else source}; stop with Ctrl-C.", err=True)
        _take_turns(door, watch, is_endless=not once)
    if not as_json:
        click.echo("Stopped; the same command goes on.", err=True)


def _take_turns(door: Door, watch: Watch, *, is_endless: bool) -> None:
    is_first = True
    while True:
        with door.watching():  # what the user's code prints does not mix with the result
            arrival = watch.turn()
        if arrival is None:
            return
        says_something = arrival.sources or arrival.refused or not is_endless
        if says_something or is_first:
            _show(door, arrival)
        is_first = False


def _show(door: Door, arrival: Arrival) -> None:
    at = time.strftime("%H:%M:%S")
    told = [f"{at}  {counted(arrival.n_new, 'new item')}{_from(arrival.sources)}"]
    if arrival.n_existing:
        told.append(f"{arrival.n_existing:,} there before")
    stands = f"{counted(arrival.n_items, 'item')}, {arrival.n_voted:,} labelled"
    door.show(
        {"at": at, **arrival.to_dict()},
        f"{', '.join(told)}; now {stands}.",
        *bad_row_lines(arrival.bad_rows),
        *(f"  {path} was not taken: {reason}" for path, reason in arrival.refused.items()),
    )
    sys.stdout.flush()


def _from(sources: list[str]) -> str:
    if not sources:
        return ""
    first = Path(sources[0]).name or sources[0]
    return f" from {first}" if len(sources) == 1 else f" from {first} and {len(sources) - 1} more"


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """An event that the first SIGTERM or Ctrl-C sets; the second ends the program as usual."""
    stop = threading.Event()
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def ask(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, kept[signal.Signals(number)])

    is_ours = threading.current_thread() is threading.main_thread()
    if is_ours:
        for number in kept:
            signal.signal(number, ask)
    try:
        yield stop
    finally:
        if is_ours:
            for number, handler in kept.items():
                signal.signal(number, handler)
