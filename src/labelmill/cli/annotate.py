"""`labelmill annotate`: run every rule that has not voted yet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from labelmill.cli._door import Door, project_options, split_names
from labelmill.errors import UsageError

if TYPE_CHECKING:
    from labelmill.pipeline.annotate import Annotated


@click.command("annotate", short_help="Run every rule that has not voted yet.")
@click.option("--engine", help="serial or processes.  [default: the project's]")
@click.option("--workers", type=click.IntRange(1), help="Workers at most.  [default: one per core]")
@click.option("--timeout", type=float, help="Seconds a rule may take on one item.  [default: 10]")
@click.option("--items", type=click.Path(path_type=Path), help="Without a project: a file of items (id, text).")
@click.option("--code", type=click.Path(path_type=Path), help="Without a project: the file with the rules.")
@click.option("--out", type=click.Path(path_type=Path), help="Without a project: the file that gets the votes.")
@click.option("--classes", help="Without a project: the classes, e.g. ham,spam.  [default: those the rules name]")
@project_options
def command(
    door: Door,
    engine: str | None,
    workers: int | None,
    timeout: float | None,
    items: Path | None,
    code: Path | None,
    out: Path | None,
    classes: str | None,
) -> None:
    """Run every rule that has not voted yet, in parallel. Stopped or killed, the same command goes on.

    \b
    Examples:
      labelmill annotate --workers 2
      labelmill annotate --items items.csv --code rules.py --out votes.csv
    """
    if items or code or out:
        _between_files(door, items, code, out, classes, timeout)
        return
    with door.mill() as mill:
        result = mill.annotate(engine=engine, workers=workers, timeout=timeout)
    door.show(
        {
            "run": result.run.id,
            "items": result.n_items,
            "partitions": result.n_partitions,
            "partitions_done_before": result.n_done_before,
            "ran": result.ran,
            "faults": dict(result.faults),
        },
        *_lines(result),
    )


def _lines(result: Annotated) -> list[str]:
    lines = [
        f"{result.n_items:,} items; ran {len(result.ran)} rules: {', '.join(result.ran) or 'nothing had changed'}."
    ]
    if result.n_done_before:
        lines.append(f"{result.n_done_before} of {result.n_partitions} partitions were finished before.")
    if result.faults:
        listed = ", ".join(f"{name} on {n:,}" for name, n in result.faults.items())
        lines.append(f"[yellow]Faults[/yellow]: {listed} items. See them: labelmill runs show {result.run.id}")
    if result.printed:
        lines.append(f"Your rules printed: {result.printed.splitlines()[0][:100]!r} ...")
    return lines


def _between_files(
    door: Door, items: Path | None, code: Path | None, out: Path | None, classes: str | None, timeout: float | None
) -> None:
    from labelmill.pipeline.annotate_files import annotate_files

    for flag, value in (("--items", items), ("--code", code), ("--out", out)):
        if value is None:
            raise UsageError(f"without a project, give all of --items, --code and --out; {flag} is missing")
    assert items is not None  # noqa: S101 -- checked above, for the type checker
    assert code is not None  # noqa: S101 -- likewise
    assert out is not None  # noqa: S101 -- likewise
    with door.watching() as watch:
        result = annotate_files(items, code, out, classes=split_names(classes), timeout=timeout or 10.0, watch=watch)
    lines = [f"{result.n_items:,} items, {result.n_votes:,} votes by {len(result.annotators)} rules: {out}"]
    if result.faults:
        first = result.faults[0]
        where = f"{first.annotator} on item {first.item}: {first.error}"
        lines.append(f"[yellow]{len(result.faults):,} faults[/yellow], the first: {where}")
    door.show(
        {
            "items": result.n_items,
            "votes": result.n_votes,
            "annotators": result.annotators,
            "faults": len(result.faults),
            "out": str(out),
        },
        *lines,
    )
