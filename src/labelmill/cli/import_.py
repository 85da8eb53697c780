"""`labelmill import`: items and votes into the project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from labelmill.cli._door import Door, bad_row_lines, counted, project_options
from labelmill.cli._values import PluginName

if TYPE_CHECKING:
    from labelmill.pipeline.ingest import OnBadRows


@click.command("import", short_help="Bring items, or people's answers, into the project.")
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "format_name",
    type=PluginName("format"),
    help="csv, tsv, json, jsonl, parquet, folders.  [default: by the file's ending]",
)
@click.option("--encoding", help="Encoding of a text file.  [default: UTF-8, or its byte-order mark]")
@click.option(
    "--on-bad-rows",
    type=click.Choice(["error", "skip"]),
    default="error",
    show_default=True,
    help="Refuse the file at a bad row, or leave bad rows out and list them.",
)
@click.option(
    "--existing",
    type=click.Choice(["error", "skip"]),
    default="error",
    show_default=True,
    help="What to do with items that are in the project already.",
)
@click.option("--id", "id_column", help='Column with the item\'s id; "auto" numbers the rows.')
@click.option("--data", "data_column", help="Column with the text, or the path of the image or recording.")
@click.option("--votes-by", help="The file holds answers of this person: columns item, label.")
@click.option("--labels-by", help="Count the column `label` of an items file as votes by this annotator.")
@click.option(
    "--purpose",
    type=click.Choice(["label", "review", "gold", "audit"]),
    default="label",
    show_default=True,
    help="What imported votes are for.",
)
@click.option(
    "--kind",
    type=click.Choice(["person", "rule", "model"]),
    default="person",
    show_default=True,
    help="What the annotator of imported votes is, where the file does not say.",
)
@project_options
def command(
    door: Door,
    source: Path,
    format_name: str | None,
    encoding: str | None,
    on_bad_rows: OnBadRows,
    existing: OnBadRows,
    id_column: str | None,
    data_column: str | None,
    votes_by: str | None,
    labels_by: str | None,
    purpose: str,
    kind: str,
) -> None:
    """Bring a file into the project: items (columns id, text), or votes (columns item, annotator, label).

    In a project about pictures or recordings a folder of them is a source too: an item for each file, which stays where
    it is. Everything in the file is taken, or nothing.

    \b
    Examples:
      labelmill import mails.parquet
      labelmill import pictures/
      labelmill import answers.csv --votes-by reviewer-1
      labelmill import audit.csv --votes-by reviewer-1 --purpose audit
    """
    with door.mill() as mill:
        result = mill.ingest(
            source,
            format=format_name,
            encoding=encoding,
            on_bad_rows=on_bad_rows,
            existing=existing,
            id_column=id_column,
            data_column=data_column,
            votes_by=votes_by,
            labels_by=labels_by,
            purpose=purpose,  # type: ignore[arg-type]  # click checked it
            kind=kind,  # type: ignore[arg-type]  # click checked it
        )
    lines = [f"{result.source}: {counted(result.n_items, 'new item')}, {counted(result.n_votes, 'new vote')}."]
    if result.n_existing:
        lines.append(f"In the project already, left out: {counted(result.n_existing, 'item')}.")
    if result.n_unanswered:
        lines.append(f"{counted(result.n_unanswered, 'row')} without a label: fill it in and import the file again.")
    elif not (result.n_items or result.n_votes or result.n_existing or result.bad_rows):
        lines.append("The file holds no rows.")
    door.show(
        {
            "source": result.source,
            "items": result.n_items,
            "votes": result.n_votes,
            "existing": result.n_existing,
            "unanswered": result.n_unanswered,
            "bad_rows": [str(row) for row in result.bad_rows],
        },
        *lines,
        *bad_row_lines(result.bad_rows),
    )
