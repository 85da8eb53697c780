"""`labelmill check`: what of the annotators' work needs a person."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from labelmill.cli._door import (
    Door,
    bad_row_lines,
    counted,
    line,
    printable,
    project_options,
    refuse_given,
    split_names,
)
from labelmill.cli._outputs import OutFile
from labelmill.cli._repairs import repair_lines, repairs_told
from labelmill.cli._values import ENGINE_HELP, SEED, SHARE, EngineSpec, PluginName

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from labelmill.errors import BadRow
    from labelmill.pipeline.check import Checked
    from labelmill.pipeline.ingest import OnBadRows
    from labelmill.quality.annotator_quality import AnnotatorQuality
    from labelmill.quality.findings import Finding

SHOWN = 20
"""Findings, and rows of the table, that are printed."""

WORTH_A_WORD = 0.05
"""From this share of votes on, a class named too often is shown."""


@click.command("check", short_help="Find annotators who guess, copy, drift or hurry.")
@click.option("--votes", type=click.Path(path_type=Path), help="Without a project: a file with item, annotator, label.")
@click.option("--truth", type=click.Path(path_type=Path), help="File with item, label: what is known to be right.")
@click.option("--annotators", type=click.Path(path_type=Path), help="File with annotator, kind for --votes.")
@click.option("--against", type=click.Path(path_type=Path), help="Older votes, to tell what changed since.")
@click.option("--kind", type=click.Choice(["person", "rule", "model"]), help="What all annotators of --votes are.")
@click.option("--model", type=PluginName("label_model"), help="Label model of the consensus.  [default: auto]")
@click.option("--classes", help="Class order.  [default: sorted]")
@click.option("--out", type=OutFile(is_table=False), help="HTML file that gets a report with pictures.")
@click.option(
    "--false-alarm", type=SHARE, default=0.05, show_default=True, help="Chance of any finding if all is in order."
)
@click.option("--seed", type=SEED, help="For label models that draw, with --votes.  [default: 0]")
@click.option("--encoding", help="Encoding of --votes.  [default: UTF-8, or its byte-order mark]")
@click.option(
    "--on-bad-rows",
    type=click.Choice(["error", "skip"]),
    help="Refuse --votes at a bad row, or leave bad rows out and list them.  [default: error]",
)
@click.option(
    "--queue",
    type=OutFile(),
    help="File that gets the items whose votes are likely wrong, to be labelled anew; old labels are not shown.",
)
@click.option("--count", type=click.IntRange(1), help="How many items go to --queue at most.  [default: 50]")
@click.option(
    "--bar", type=SHARE, help="Supersede likely wrong votes by the consensus where its probability is at least this."
)
@click.option("--engine", type=EngineSpec(), help=ENGINE_HELP)
@click.option("--workers", type=click.IntRange(1), help="Workers at most.  [default: one per core]")
@project_options
def command(
    door: Door,
    votes: Path | None,
    truth: Path | None,
    annotators: Path | None,
    against: Path | None,
    kind: str | None,
    model: str | None,
    classes: str | None,
    out: Path | None,
    false_alarm: float,
    seed: int | None,
    encoding: str | None,
    on_bad_rows: OnBadRows | None,
    queue: Path | None,
    count: int | None,
    bar: float | None,
    engine: str | None,
    workers: int | None,
) -> None:
    """Tell who answers without looking, copies another, drifts or hurries, how sure that is and what to do.

    In a project, votes that the consensus contradicts can be repaired: people are asked again (--queue), or the
    consensus takes their place where it is sure (--bar). The old votes stay in the lake, beside the reason.

    Columns `at` (when) and `seconds` (how long) of --votes are used where they are there. A report with pictures goes
    to --out.

    \b
    Examples:
      labelmill check
      labelmill check --queue ask.csv --bar 0.98
      labelmill check --votes votes.csv --out check.html
      labelmill check --votes votes.csv --truth truth.csv --json
      labelmill check --votes june.csv --against may.csv
    """
    bad_rows: list[BadRow] = []
    repaired = None
    if votes is None:
        refuse_given(
            "goes with --votes, which works without a project",
            truth=truth,
            annotators=annotators,
            against=against,
            kind=kind,
            model=model,
            classes=classes,
            seed=seed,
            encoding=encoding,
            on_bad_rows=on_bad_rows,
        )
        with door.mill() as mill:
            result = mill.check(false_alarm=false_alarm, engine=engine, workers=workers)
            if queue is not None or bar is not None:
                repaired = mill.repair(out=queue, count=count or 50, bar=bar)
            title, now = mill.project.name, mill.now()[:19].replace("T", " ") + " UTC"
    else:
        from labelmill.pipeline.aggregate_files import check_different
        from labelmill.pipeline.check_files import check_files

        refuse_given(
            "works in a project only; --votes needs none",
            engine=engine,
            workers=workers,
            queue=queue,
            count=count,
            bar=bar,
        )
        check_different(
            {"--votes": votes, "--truth": truth, "--annotators": annotators, "--against": against, "--out": out}
        )
        result = checked = check_files(
            votes,
            truth=truth,
            annotators=annotators,
            against=against,
            kind=kind,  # type: ignore[arg-type]  # click checked it
            model=model or "auto",
            classes=split_names(classes),
            false_alarm=false_alarm,
            seed=seed or 0,
            encoding=encoding,
            on_bad_rows=on_bad_rows or "error",
        )
        bad_rows, title, now = checked.bad_rows, votes.name, ""
    if out is not None:
        from labelmill.pipeline.check_report import write_check_report

        write_check_report(result, out, title=title, made_at=now)
    told = result.to_dict() | {"out": str(out) if out else None}
    lines = _lines(result, bad_rows, out)
    if repaired is not None:
        told["repairs"] = repairs_told(repaired)
        lines += repair_lines(repaired, bar)
    door.show(told, *lines)


def _lines(result: Checked, bad_rows: list[BadRow], out: Path | None) -> list[RenderableType]:
    check = result.check
    lines: list[RenderableType] = [
        f"{counted(check.n_votes, 'vote')} on {counted(check.n_items, 'item')} by "
        f"{counted(len(check.annotators), 'annotator')}; compared with the consensus by {result.result.summary.model}"
        + (f" and {counted(result.n_truth, 'known answer')}" if result.n_truth else "")
        + "."
    ]
    if result.n_superseded:
        lines.append(
            f"{counted(result.n_superseded, 'vote')} of an annotator who voted on the item again further down: "
            "the last counts."
        )
    lines += bad_row_lines(bad_rows)
    lines += ["", *_told(check.findings, check.false_alarm, check.tests)]
    lines += ["", _table(check.annotators, {name for found in check.findings for name in found.annotators})]
    if len(check.annotators) > SHOWN:
        lines.append(f"... and {len(check.annotators) - SHOWN:,} more: --json lists all")
    if out:
        lines.append(f"Report: {out}")
    return lines


def _told(findings: tuple[Finding, ...], false_alarm: float, tests: tuple[str, ...]) -> list[RenderableType]:
    tested = ", ".join(tests) or "nothing, as too few votes have a witness"
    if not findings:
        return [line(("No findings.", "bold"), f" Tested: {tested}.")]
    lines: list[RenderableType] = [
        line(
            (counted(len(findings), "finding"), "bold"),
            f", the weightiest first. Were all in order, there would be any with a chance of {false_alarm:.0%}. "
            f"Tested: {tested}.",
        )
    ]
    advised: set[str] = set()
    for i, found in enumerate(findings[:SHOWN], start=1):
        advice = "" if found.advice in advised else f" {found.advice}"
        advised.add(found.advice)
        lines.append(line(f"{i:>3}. ", (found.kind, "yellow"), f"  {found.text}"))
        lines.append(line((f"     {_sure(found.level)}.{advice}", "dim")))
    if len(findings) > SHOWN:
        lines.append(f"     ... and {len(findings) - SHOWN:,} more: --json lists all")
    return lines


def _sure(level: float) -> str:
    if level < 1e-6:
        return "Chance of it by luck: under one in a million"
    return f"Chance of it by luck: one in {round(1 / level):,}"


def _table(rows: tuple[AnnotatorQuality, ...], found: set[str]) -> Table:
    """Those with findings first, then the busiest."""
    from rich.table import Table

    order = sorted(rows, key=lambda row: (row.annotator not in found, -row.n_votes))[:SHOWN]
    is_checked, is_timed = any(row.n_checked for row in rows), any(row.seconds is not None for row in rows)
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("  annotator", overflow="ellipsis", no_wrap=True)
    headings = ["votes", "learned", *(["true"] if is_checked else []), "skill", *(["seconds"] if is_timed else [])]
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("says too often", overflow="ellipsis", no_wrap=True)
    for row in order:
        cells = [f"{row.n_votes:,}", _share(row.learned, row.learned_low, row.learned_high)]
        cells += [_share(row.accuracy, row.accuracy_low, row.accuracy_high)] if is_checked else []
        cells += ["-" if row.skill is None else f"{row.skill:.2f}"]
        cells += ["-" if row.seconds is None else f"{row.seconds:.1f}"] if is_timed else []
        mark = "!" if row.annotator in found else " "
        table.add_row(f"{mark} {printable(row.annotator)}", *cells, _bias(row))
    return table


def _bias(row: AnnotatorQuality) -> str:
    if row.bias_class is None or row.bias is None or row.bias < WORTH_A_WORD:
        return ""
    return f"{printable(row.bias_class)} +{row.bias:.0%}"


def _share(value: float | None, low: float | None, high: float | None) -> str:
    if value is None or low is None or high is None:
        return "-"
    return f"{value:.0%} ({100 * low:.0f}-{100 * high:.0f})"
