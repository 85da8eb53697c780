"""The command line: finds its commands in this folder, one file each, and turns errors into exit statuses."""

from __future__ import annotations

import contextlib
import errno
import importlib
import io
import os
import pkgutil
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from labelmill import __version__
from labelmill.cli._door import Group, printable
from labelmill.errors import LabelmillError

__all__ = ["cli", "main"]

LINE = (
    "demo",
    "init",
    "import",
    "embed",
    "annotate",
    "analyze",
    "aggregate",
    "agree",
    "errors",
    "check",
    "train",
    "distill",
    "predict",
    "mine",
    "select",
    "serve",
    "serve-model",
    "watch",
    "certify",
    "export",
    "report",
    "run",
    "runs",
    "work",
    "backup",
    "restore",
    "audit-log",
)
"""The order in which `--help` lists commands: the order in which they are used."""

MAIN_HELP = """From raw items to a labelled dataset with the fewest human decisions, and a proof of how good it is.

\b
Examples:
  labelmill demo                             the whole line on real mails; opens a report
  labelmill init mails --classes ham,spam    a project of your own
  labelmill aggregate --votes votes.csv --out labels.csv
"""


class Commands(Group):
    """Commands by file name; a command's file is imported when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """Every command, in the order of the line."""
        found = {_command_name(module.name) for module in pkgutil.iter_modules([str(Path(__file__).parent)])}
        known = {name for name in found if name and name != "main"}
        return [name for name in LINE if name in known] + sorted(known - set(LINE))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command called `cmd_name`, or None."""
        if cmd_name not in self.list_commands(ctx):
            return None
        file = "import_" if cmd_name == "import" else cmd_name.replace("-", "_")
        command = importlib.import_module(f"labelmill.cli.{file}").command
        return command if isinstance(command, click.Command) else None


def _command_name(module: str) -> str:
    return "" if module.startswith("_") else module.rstrip("_").replace("_", "-")


@click.group(cls=Commands, help=MAIN_HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="labelmill")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """The group itself does nothing."""


def main() -> None:
    """Run the command line: exit status 0 done, 1 failed or refused, 2 wrong use, 130 stopped, 143 terminated."""
    # Our matrices are sparse: threads of a dense library would only take the cores from our own processes.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    words = [word for word in sys.argv[1:] if word != "--debug"]
    is_debug = len(words) < len(sys.argv) - 1
    try:
        with _tidy_when_terminated():
            _show_what_the_terminal_cannot_encode()
            cli.main(words, prog_name="labelmill", standalone_mode=False)
            if sys.stdout is not None:
                sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt) as error:
        click.echo("stopped; finished work is kept, the same command goes on", err=True)
        sys.exit(TERMINATED if _is_termination(error) else 130)
    except BrokenPipeError:
        _drop_standard_output()
        sys.exit(1)
    except Exception as error:
        if is_debug:
            raise
        if isinstance(error, OSError):
            _drop_standard_output()  # what is left of it would fail again at the end, with a traceback
        click.echo(f"error: {printable(_told(error))}", err=True)
        sys.exit(error.exit_status if isinstance(error, LabelmillError) else 1)


TERMINATED = 128 + signal.SIGTERM
"""Exit status of a program that was asked to end."""


class _TerminationError(KeyboardInterrupt):
    """The system asks the program to end."""


def _is_termination(error: BaseException | None) -> bool:
    """Click turns every interrupt into its own `Abort`, with the interrupt as its context."""
    return error is not None and (isinstance(error, _TerminationError) or _is_termination(error.__context__))


@contextlib.contextmanager
def _tidy_when_terminated() -> Iterator[None]:
    """`kill` works like Ctrl-C: nothing half-written is left behind."""

    def terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one would stop the tidying up after the first
        raise _TerminationError

    is_ours = threading.current_thread() is threading.main_thread() and (
        signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    )
    if is_ours:
        signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        if is_ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _told(error: Exception) -> str:
    if isinstance(error, LabelmillError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        advice = "free some space" if error.errno in FULL else "see to that"
        return f"{place}{error.strerror}; {advice} and run the same command again"
    if isinstance(error, MemoryError):
        return "out of memory: use fewer workers, or a machine with more memory"
    return (
        f"{type(error).__name__}: {error}\n"
        "This should not happen: please report it, with what `labelmill --debug ...` prints."
    )


FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""Faults of a disk that has no room."""


def _show_what_the_terminal_cannot_encode() -> None:
    """A letter outside the terminal's encoding is shown by its number, and nothing fails."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _drop_standard_output() -> None:
    """Nobody takes what is still to be written there."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
