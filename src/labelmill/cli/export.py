"""`labelmill export`: a release."""

from __future__ import annotations

from pathlib import Path

import click

from labelmill.cli._door import Door, counted, line, project_options, split_names
from labelmill.cli._outputs import OutFolder


@click.command("export", short_help="Freeze the labels as a release.")
@click.argument("out", type=OutFolder(), required=False)
@click.option("--format", "formats", help="csv, jsonl, parquet, ...; several with commas.  [default: the project's]")
@click.option("--name", help="Name of the release.  [default: release-1, release-2, ...]")
@project_options
def command(door: Door, out: Path | None, formats: str | None, name: str | None) -> None:
    """Freeze the labels as a release: with probabilities, where each came from, and the certificate.

    \b
    Example:
      labelmill export release/ --format csv,parquet
    """
    with door.mill() as mill:
        result = mill.export(out, formats=split_names(formats), name=name)
        advice = "" if mill.schema.is_structured else ADVICE
    certified = [("certified", "green")] if result.certified else [("not certified", "yellow"), (advice, "")]
    files = f"in {result.place} ({', '.join(result.files)}), "
    door.show(
        {
            "name": result.name,
            "folder": result.place,
            "files": result.files,
            "items": result.n_items,
            "certified": result.certified,
        },
        line(f"{result.name}: {counted(result.n_items, 'label')} {files}", *certified),
    )


ADVICE = ": labelmill certify --plan --out audit.csv"
