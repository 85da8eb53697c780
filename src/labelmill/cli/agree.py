"""`labelmill agree`: how far annotators agree beyond chance, from a file of votes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labelmill.cli._door import Door, bad_row_lines, counted, json_option, line, printable, refuse_given, split_names
from labelmill.cli._outputs import OutFile
from labelmill.cli._values import SEED, SHARE, PluginName
from labelmill.errors import UsageError

if TYPE_CHECKING:
    import polars as pl
    from rich.console import RenderableType
    from rich.table import Table

    from labelmill.pipeline.agree_files import AgreedFile
    from labelmill.pipeline.ingest import OnBadRows
    from labelmill.quality.agreement import Agreement, By
    from labelmill.quality.coefficients import Metric
    from labelmill.quality.distances import Level

SHOWN = 20
"""Rows of a table that are printed."""


@click.command("agree", short_help="How far annotators agree beyond chance.")
@click.option("--votes", type=click.Path(path_type=Path), required=True, help="A file with item, annotator, label.")
@click.option(
    "--metric",
    type=click.Choice(["krippendorff", "fleiss", "gwet", "cohen", "scott", "percent"]),
    default="krippendorff",
    show_default=True,
    help="Coefficient.",
)
@click.option(
    "--level",
    type=click.Choice(["nominal", "ordinal", "interval", "ratio", "linear", "quadratic"]),
    default="nominal",
    show_default=True,
    help="How far two labels are apart: names, ranks, numbers, shares of numbers; linear and quadratic as for kappa.",
)
@click.option(
    "--label-kind",
    type=PluginName("label_kind"),
    help="What the labels are: span, box, segment, number, text, ...: agreement by that kind's distance.",
)
@click.option(
    "--views",
    type=click.Path(path_type=Path),
    help="File with item, annotator, for --label-kind: who looked; no row in --votes then means nothing was found.",
)
@click.option(
    "--by", type=click.Choice(["class", "pair", "item", "attribute"]), help="A row for each of these as well."
)
@click.option("--out", type=OutFile(), help="File that gets these rows, or one row without --by.")
@click.option("--classes", help="Class order, from low to high.  [default: as numbers, or sorted]")
@click.option("--confidence", type=SHARE, default=0.95, show_default=True, help="Of the intervals.")
@click.option(
    "--resamples", type=click.IntRange(0), default=200, show_default=True, help="Draws of items for the intervals."
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the draws.")
@click.option("--encoding", help="Encoding of --votes.  [default: UTF-8, or its byte-order mark]")
@click.option(
    "--on-bad-rows",
    type=click.Choice(["error", "skip"]),
    default="error",
    show_default=True,
    help="Refuse --votes at a bad row, or leave bad rows out and list them.",
)
@json_option
def command(
    votes: Path,
    metric: Metric,
    level: Level,
    label_kind: str | None,
    views: Path | None,
    by: By | None,
    out: Path | None,
    classes: str | None,
    confidence: float,
    resamples: int,
    seed: int,
    encoding: str | None,
    on_bad_rows: OnBadRows,
    as_json: bool,
) -> None:
    """Measure how far annotators agree beyond what chance would make them, with an interval.

    \b
    Examples:
      labelmill agree --votes votes.csv
      labelmill agree --votes votes.csv --metric fleiss --by class
      labelmill agree --votes ratings.csv --level ordinal --classes low,mid,high
      labelmill agree --votes votes.csv --metric cohen --by pair --out pairs.csv
      labelmill agree --votes boxes.csv --label-kind box --views views.csv --by class
    """
    from labelmill.pipeline.agree_files import agree_answers_file, agree_files

    if label_kind not in {None, "choice"}:
        if (metric, level) != ("krippendorff", "nominal"):
            raise UsageError(
                "--label-kind takes the kind's own distance with krippendorff: leave out --metric and --level"
            )
        structured = agree_answers_file(
            votes,
            out,
            label_kind=str(label_kind),
            views=views,
            by=by,
            classes=split_names(classes),
            n_resamples=resamples,
            confidence=confidence,
            seed=seed,
            encoding=encoding,
            on_bad_rows=on_bad_rows,
        )
        Door(as_json=as_json).show(structured.to_dict(), *_lines(structured, by, out))
        return
    refuse_given("goes with --label-kind span, box and others", views=views)
    result = agree_files(
        votes,
        out,
        metric=metric,
        level=level,
        by=by,
        classes=split_names(classes),
        n_resamples=resamples,
        confidence=confidence,
        seed=seed,
        encoding=encoding,
        on_bad_rows=on_bad_rows,
    )
    Door(as_json=as_json).show(result.to_dict(), *_lines(result, by, out))


def _lines(result: AgreedFile, by: str | None, out: Path | None) -> list[RenderableType]:
    found = result.agreement
    lines: list[RenderableType] = [
        line((_name(found), "bold"), f": {_estimate(found)}"),
        f"{'Nearness of two answers' if found.level == 'custom' else 'Equal pairs of votes'}: {_shares(found)}",
        f"{counted(found.n_items, 'item')} with two votes or more, by {counted(found.n_annotators, 'annotator')}: "
        f"{counted(found.n_votes, 'vote')}.",
    ]
    if result.n_superseded:
        lines.append(
            f"{counted(result.n_superseded, 'vote')} of an annotator who voted on the item again further down: "
            "the last counts."
        )
    if found.metric == "krippendorff" and found.level != "custom" and not found.reason:
        lines.append("Krippendorff (2004) relies on data from 0.800 up, and with caution from 0.667 up.")
    lines += bad_row_lines(result.bad_rows)
    if found.parts is not None and by is not None:
        lines += ["", _table(found.parts, by)]
        if found.parts.height > SHOWN:
            more = found.parts.height - SHOWN
            which = {"pair": " that share fewer items", "item": " that agree no less"}.get(by, "")
            lines.append(f"... and {more:,} more{which}" + ("" if out else ": --out FILE gets all"))
    if out:
        lines.append(f"Written: {out}")
    return lines


def _name(found: Agreement) -> str:
    from labelmill.quality.coefficients import COEFFICIENTS

    name = COEFFICIENTS[found.metric].name  # type: ignore[index]  # one of its keys
    if found.metric == "gwet":
        name += "1" if found.level == "nominal" else "2"
    mean = ", mean over pairs" if COEFFICIENTS[found.metric].is_of_pairs and found.n_annotators > 2 else ""  # type: ignore[index]  # as above
    return f"{name[0].upper()}{name[1:]} ({found.level}{mean})"


def _estimate(found: Agreement) -> str:
    if found.reason:
        return f"not defined: {found.reason}"
    return f"{found.value:.3f}" + _between(found, "{:.3f}", found.low, found.high)


def _shares(found: Agreement) -> str:
    if not found.n_items:
        return "-"
    return f"{found.percent:.1%}" + _between(found, "{:.1%}", found.percent_low, found.percent_high)


def _between(found: Agreement, form: str, low: float, high: float) -> str:
    if math.isnan(low):  # nothing was drawn
        return ""
    return f", {found.confidence:.0%} interval {form.format(low)} to {form.format(high)}"


def _table(parts: pl.DataFrame, by: str) -> Table:
    """Classes and attributes in order; the pairs that share the most items, and the items, that agree least first."""
    from rich.table import Table

    if by == "pair":
        parts = parts.sort("n_items", descending=True, maintain_order=True).head(SHOWN)
    if by not in {"class", "attribute"}:
        parts = parts.sort("value", nulls_last=True, maintain_order=True)
    table = Table(box=None, header_style="dim")
    for name in parts.columns:
        is_text = name in ("class", "annotator", "other", "item", "attribute")
        table.add_column(name.removeprefix("n_"), justify="left" if is_text else "right")
    for row in parts.head(SHOWN).iter_rows(named=True):
        table.add_row(*(_cell(name, value) for name, value in row.items()))
    return table


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if name == "percent":
        return f"{value:.1%}"
    if isinstance(value, float):
        return f"{round(value, 3) + 0.0:.3f}"  # never -0.000
    return f"{value:,}" if isinstance(value, int) else printable(value)
