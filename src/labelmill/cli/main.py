"""The command line: finds its commands in this folder, one file each, and turns errors into exit statuses."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from pathlib import Path

import click

from labelmill import __version__
from labelmill.errors import LabelmillError

__all__ = ["cli", "main"]

LINE = (
    "demo",
    "init",
    "import",
    "annotate",
    "analyze",
    "aggregate",
    "train",
    "predict",
    "select",
    "certify",
    "export",
    "report",
    "run",
    "runs",
)
"""The order in which `--help` lists commands: the order in which they are used."""

MAIN_HELP = """From raw items to a labelled dataset with the fewest human decisions, and a proof of how good it is.

\b
Examples:
  labelmill demo                             the whole line on real mails; opens a report
  labelmill init mails --classes ham,spam    a project of your own
  labelmill aggregate --votes votes.csv --out labels.csv
"""


class Commands(click.Group):
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
        file = "import_" if cmd_name == "import" else cmd_name
        command = importlib.import_module(f"labelmill.cli.{file}").command
        return command if isinstance(command, click.Command) else None


def _command_name(module: str) -> str:
    return "" if module.startswith("_") else module.rstrip("_")


@click.group(cls=Commands, help=MAIN_HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="labelmill")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """The group itself does nothing."""


def main() -> None:
    """Run the command line: exit status 0 done, 1 failed or refused, 2 wrong use, 130 stopped."""
    # Our matrices are sparse: threads of a dense library would only take the cores from our own processes.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; finished work is kept, the same command goes on", err=True)
        sys.exit(130)
    except LabelmillError as error:
        if "--debug" in sys.argv:
            raise
        click.echo(f"error: {_printable(str(error))}", err=True)
        sys.exit(error.exit_status)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        click.echo(
            f"error: {type(error).__name__}: {_printable(str(error))}\n"
            "This should not happen: please report it, with what `labelmill --debug ...` prints.",
            err=True,
        )
        sys.exit(1)


def _printable(message: str) -> str:
    """The message without control characters, which could steer a terminal."""
    return "".join(c if c == "\n" or c.isprintable() else f"\\x{ord(c):02x}" for c in message)


if __name__ == "__main__":
    main()
