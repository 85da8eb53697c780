"""`labelmill errors`: labels that are probably wrong, from files of labels and probabilities."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from labelmill.cli._door import Door, bad_row_lines, counted, json_option, line, printable, split_names
from labelmill.cli._outputs import OutFile
from labelmill.cli._values import FRACTION

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from labelmill.pipeline.errors_files import FoundErrors
    from labelmill.pipeline.ingest import OnBadRows
    from labelmill.quality.label_errors import FilterBy, RankBy

SHOWN = 20
"""Labels that are printed."""

CONFUSIONS = 5
"""Pairs of classes that are printed."""


@click.command("errors", short_help="Labels that are probably wrong.")
@click.option("--labels", type=click.Path(path_type=Path), required=True, help="A file with item, label.")
@click.option(
    "--probs",
    type=click.Path(path_type=Path),
    required=True,
    help="Out-of-sample probabilities: a file with item and a column for each class, or .npz, .npy.",
)
@click.option("--out", type=OutFile(), help="File that gets the flagged labels, the worst first.")
@click.option("--report", type=OutFile(is_table=False), help="HTML page with the matrix of given and true classes.")
@click.option(
    "--filter-by",
    type=click.Choice(
        [
            "prune_by_noise_rate",
            "prune_by_class",
            "both",
            "confident_learning",
            "predicted_neq_given",
            "low_self_confidence",
            "low_normalized_margin",
            "low_self_confidence_batched",
        ]
    ),
    default="prune_by_noise_rate",
    show_default=True,
    help="Which labels are flagged.",
)
@click.option(
    "--rank-by",
    type=click.Choice(["self_confidence", "normalized_margin", "confidence_weighted_entropy"]),
    default="self_confidence",
    show_default=True,
    help="Score that orders them.",
)
@click.option(
    "--min-examples-per-class",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="So many labels of each class are kept.",
)
@click.option(
    "--frac-noise",
    type=FRACTION,
    default=1.0,
    show_default=True,
    help="Share of the estimated errors to flag.",
)
@click.option("--classes", help="Classes in order; what the columns of --probs are, if it does not say.")
@click.option(
    "--tolerance",
    type=FRACTION,
    default=0.01,
    show_default=True,
    help="How far probabilities may sum from 1; they are then divided by their sum.",
)
@click.option("--encoding", help="Encoding of text files.  [default: UTF-8, or their byte-order mark]")
@click.option(
    "--on-bad-rows",
    type=click.Choice(["error", "skip"]),
    default="error",
    show_default=True,
    help="Refuse the files at a bad row, or leave bad rows out and list them.",
)
@json_option
def command(
    labels: Path,
    probs: Path,
    out: Path | None,
    report: Path | None,
    filter_by: FilterBy,
    rank_by: RankBy,
    min_examples_per_class: int,
    frac_noise: float,
    classes: str | None,
    tolerance: float,
    encoding: str | None,
    on_bad_rows: OnBadRows,
    as_json: bool,
) -> None:
    """Find labels that are probably wrong, by a model's probabilities for the same items (confident learning).

    \b
    Examples:
      labelmill errors --labels labels.csv --probs probs.csv --out issues.csv
      labelmill errors --labels labels.csv --probs probs.npz --classes ham,spam --report errors.html
      labelmill errors --labels labels.csv --probs probs.parquet --filter-by both --rank-by normalized_margin
    """
    from labelmill.pipeline.errors_files import errors_files

    result = errors_files(
        labels,
        probs,
        out,
        filter_by=filter_by,
        rank_by=rank_by,
        min_examples_per_class=min_examples_per_class,
        frac_noise=frac_noise,
        classes=split_names(classes),
        tolerance=tolerance,
        encoding=encoding,
        on_bad_rows=on_bad_rows,
        report=report,
    )
    Door(as_json=as_json).show(result.to_dict(), *_lines(result, out, report))


def _lines(result: FoundErrors, out: Path | None, report: Path | None) -> list[RenderableType]:
    found, n = result.errors, len(result.errors.index)
    share = f" ({n / found.n_items:.1%})" if found.n_items else ""
    lines: list[RenderableType] = [
        line((f"{n:,} of {counted(found.n_items, 'label')} are probably wrong", "bold"), f"{share}."),
        f"Estimated share of wrong labels: {found.noise:.1%}.",
    ]
    most = result.confusions()[:CONFUSIONS]
    if most:
        pairs = ", ".join(f"{given} for {true}: {count:,}" for given, true, count in most)
        lines.append(f"Most of them, given for true: {pairs}.")
    if result.n_rescaled:
        lines.append(f"{counted(result.n_rescaled, 'row')} of probabilities did not sum to 1: divided by their sum.")
    lines += bad_row_lines(result.bad_rows)
    if n:
        lines += ["", _table(result)]
        if n > SHOWN:
            lines.append(f"... and {n - SHOWN:,} more" + ("" if out else ": --out FILE gets all"))
    lines += [f"Written: {path}" for path in (out, report) if path]
    return lines


def _table(result: FoundErrors) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="dim")
    for name in ("item", "given", "suggested"):
        table.add_column(name)
    table.add_column(result.rank_by.replace("_", " "), justify="right")
    for item, given, suggested, score, _ in result.to_frame().head(SHOWN).iter_rows():
        table.add_row(printable(item), printable(given), printable(suggested), f"{score:.4f}")
    return table
