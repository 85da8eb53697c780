"""`labelmill annotate`: run every rule that has not voted yet."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from labelmill.cli._door import Door, bad_row_lines, counted, line, project_options, refuse_given, split_names
from labelmill.cli._outputs import OutFile
from labelmill.cli._runs import show_planned
from labelmill.cli._values import BULK_ENGINE_HELP, SECONDS, EngineSpec
from labelmill.errors import UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from labelmill.pipeline.annotate import Annotated
    from labelmill.pipeline.annotate_files import AnnotatedFile
    from labelmill.pipeline.ingest import OnBadRows


@click.command("annotate", short_help="Run every rule that has not voted yet.")
@click.option("--engine", type=EngineSpec(), help=BULK_ENGINE_HELP)
@click.option("--workers", type=click.IntRange(1), help="Workers at most.  [default: one per core]")
@click.option("--timeout", type=SECONDS, help="Seconds a rule may take on one item.  [default: the project's, or 10]")
@click.option("--plan", "plans", is_flag=True, help="Only put on record what there is to do, for `labelmill work`.")
@click.option("--items", type=click.Path(path_type=Path), help="Without a project: a file of items (id, text).")
@click.option("--code", type=click.Path(path_type=Path), help="Without a project: the file with the rules.")
@click.option("--out", type=OutFile(), help="Without a project: the file that gets the votes.")
@click.option("--classes", help="Without a project: the classes, e.g. ham,spam.  [default: those the rules name]")
@click.option("--encoding", help="Encoding of --items.  [default: UTF-8, or its byte-order mark]")
@click.option(
    "--on-bad-rows",
    type=click.Choice(["error", "skip"]),
    help="Refuse --items at a bad row, or leave bad rows out and list them.  [default: error]",
)
@project_options
def command(
    door: Door,
    engine: str | None,
    workers: int | None,
    timeout: float | None,
    plans: bool,
    items: Path | None,
    code: Path | None,
    out: Path | None,
    classes: str | None,
    encoding: str | None,
    on_bad_rows: OnBadRows | None,
) -> None:
    """Run every rule that has not voted yet, in parallel. Stopped or killed, the same command goes on.

    \b
    Examples:
      labelmill annotate --workers 2
      labelmill annotate --engine ray://head.example.org:10001
      labelmill annotate --plan
      labelmill annotate --items items.csv --code rules.py --out votes.csv
    """
    if items or code or out:
        refuse_given(
            "works in a project only; --items, --code and --out need none", engine=engine, workers=workers, plan=plans
        )
        result = _between_files(door, items, code, out, split_names(classes), timeout, encoding, on_bad_rows)
        _show_files(door, result, out)
        return
    refuse_given(
        "goes with --items, --code and --out, which work without a project",
        classes=classes,
        encoding=encoding,
        on_bad_rows=on_bad_rows,
    )
    if plans:
        refuse_given("is for `labelmill work` to choose; leave it out with --plan", engine=engine, workers=workers)
        with door.mill() as mill:
            planned = mill.plan_annotate(timeout=timeout)
        show_planned(door, planned)
        return
    with door.mill() as mill:
        annotated = mill.annotate(engine=engine, workers=workers, timeout=timeout)
    door.show(
        {
            "run": annotated.run.id,
            "items": annotated.n_items,
            "partitions": annotated.n_partitions,
            "partitions_done_before": annotated.n_done_before,
            "ran": annotated.ran,
            "faults": dict(annotated.faults),
            "printed": annotated.printed,
        },
        *_lines(annotated),
    )


def _lines(result: Annotated) -> list[RenderableType]:
    did = f"ran {counted(len(result.ran), 'rule')}: {', '.join(result.ran)}" if result.ran else "no rule had changed"
    lines: list[RenderableType] = [f"{counted(result.n_items, 'item')}; {did}."]
    if result.n_done_before:
        lines.append(f"{result.n_done_before} of {result.n_partitions} partitions were finished before.")
    if result.faults:
        listed = ", ".join(f"{name} on {counted(n, 'item')}" for name, n in result.faults.items())
        lines.append(line(("Faults", "yellow"), f": {listed}. See them: labelmill runs show {result.run.id}"))
    return [*lines, *_printed(result.printed)]


def _printed(text: str) -> list[RenderableType]:
    """The start of what the rules printed, once."""
    if not text.strip():
        return []
    first = text.strip().splitlines()[0][:PRINTED]
    return [f"Your rules printed: {first}{'' if text.strip() == first else ' ...'}"]


PRINTED = 100
"""Characters of what the rules printed that are shown."""


def _between_files(
    door: Door,
    items: Path | None,
    code: Path | None,
    out: Path | None,
    classes: list[str] | None,
    timeout: float | None,
    encoding: str | None,
    on_bad_rows: OnBadRows | None,
) -> AnnotatedFile:
    from labelmill.pipeline.annotate_files import annotate_files

    if items is None or code is None or out is None:
        missing = "--items" if items is None else "--code" if code is None else "--out"
        raise UsageError(f"without a project, give all of --items, --code and --out; {missing} is missing")
    with door.watching() as watch:
        return annotate_files(
            items,
            code,
            out,
            classes=classes,
            timeout=10.0 if timeout is None else timeout,
            encoding=encoding,
            on_bad_rows=on_bad_rows or "error",
            watch=watch,
        )


def _show_files(door: Door, result: AnnotatedFile, out: Path | None) -> None:
    voted = f"{counted(result.n_votes, 'vote')} by {counted(len(result.annotators), 'rule')}"
    lines: list[RenderableType] = [f"{counted(result.n_items, 'item')}, {voted}: {out}"]
    if result.faults:
        lines.append(line((counted(len(result.faults), "fault"), "yellow"), ":"))
        lines += [f"  {fault.annotator} on item {fault.item}: {fault.error}" for fault in result.faults[:LISTED]]
    if len(result.faults) > LISTED:
        lines.append(f"  ... and {len(result.faults) - LISTED:,} more")
    door.show(
        {
            "items": result.n_items,
            "votes": result.n_votes,
            "annotators": result.annotators,
            "faults": dict(Counter(fault.annotator for fault in result.faults)),
            "fault_list": [
                {"item": fault.item, "annotator": fault.annotator, "error": fault.error, "traceback": fault.traceback}
                for fault in result.faults[:MOST_FAULTS]
            ],
            "printed": result.printed,
            "bad_rows": [str(row) for row in result.bad_rows],
            "out": str(out),
        },
        *lines,
        *_printed(result.printed),
        *bad_row_lines(result.bad_rows),
    )


LISTED = 5
"""Faults that are listed in the terminal."""

MOST_FAULTS = 100
"""Faults that are told in JSON."""
