"""`labelmill aggregate`: votes become a consensus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labelmill.cli._door import Door, bad_row_lines, counted, project_options, refuse_given, split_names
from labelmill.cli._learned import reliabilities
from labelmill.cli._outputs import OutFile
from labelmill.cli._values import ENGINE_HELP, SEED, EngineSpec, PluginName
from labelmill.errors import UsageError

if TYPE_CHECKING:
    from labelmill.domain.vote_columns import Repeats
    from labelmill.errors import BadRow
    from labelmill.pipeline.aggregate import Aggregated
    from labelmill.pipeline.ingest import OnBadRows
    from labelmill.pipeline.merge_files import MergedFile


@click.command("aggregate", short_help="Turn votes into a consensus with probabilities.")
@click.option(
    "--model",
    type=PluginName("label_model", "structured_model"),
    help="Label model: auto, majority_vote, dawid_skene, ...  [default: the project's, or auto]",
)
@click.option(
    "--label-kind",
    type=PluginName("label_kind"),
    help="What the labels of --votes are: choice, span, box, segment, rating, number, text, ...  [default: choice]",
)
@click.option("--votes", type=click.Path(path_type=Path), help="Without a project: a file with item, annotator, label.")
@click.option("--out", type=OutFile(), help="Without a project: the file that gets the labels.")
@click.option("--classes", help="Class order of --out.  [default: sorted]")
@click.option("--seed", type=SEED, help="For label models that draw, with --votes.  [default: 0]")
@click.option("--kind", type=click.Choice(["person", "rule", "model"]), help="What all annotators of --votes are.")
@click.option("--annotators", type=click.Path(path_type=Path), help="File with annotator, kind for --votes.")
@click.option(
    "--items",
    type=click.Path(path_type=Path),
    help="File with item and text, width, height or duration, for --label-kind: answers are checked against it.",
)
@click.option(
    "--views",
    type=click.Path(path_type=Path),
    help="File with item, annotator, for --label-kind: who looked; no row in --votes then means nothing was found.",
)
@click.option("--reliabilities", type=OutFile(), help="File that gets what was learned of each annotator.")
@click.option("--gold", type=click.Path(path_type=Path), help="File with item, label: right answers for --votes.")
@click.option("--history", type=click.Path(path_type=Path), help="What is known of the annotators from before.")
@click.option("--save-history", type=OutFile(is_table=False), help="File that gets what is known of them now (JSON).")
@click.option(
    "--repeats",
    type=click.Choice(["last", "first", "all", "refuse"]),
    help="An annotator who voted on an item twice: which votes count; refuse: a contradiction is a bad row.  "
    "[default: last]",
)
@click.option("--encoding", help="Encoding of --votes.  [default: UTF-8, or its byte-order mark]")
@click.option(
    "--on-bad-rows",
    type=click.Choice(["error", "skip"]),
    help="Refuse --votes at a bad row, or leave bad rows out and list them.  [default: error]",
)
@click.option("--engine", type=EngineSpec(), help=ENGINE_HELP)
@click.option("--workers", type=click.IntRange(1), help="Workers at most.  [default: one per core]")
@project_options
def command(
    door: Door,
    model: str | None,
    label_kind: str | None,
    votes: Path | None,
    out: Path | None,
    classes: str | None,
    seed: int | None,
    kind: str | None,
    annotators: Path | None,
    items: Path | None,
    views: Path | None,
    reliabilities: Path | None,
    gold: Path | None,
    history: Path | None,
    save_history: Path | None,
    repeats: Repeats | None,
    encoding: str | None,
    on_bad_rows: OnBadRows | None,
    engine: str | None,
    workers: int | None,
) -> None:
    """Learn how far each annotator can be trusted, and make one label of all votes on an item.

    \b
    Examples:
      labelmill aggregate
      labelmill aggregate --engine processes --workers 8
      labelmill aggregate --votes votes.csv --out labels.csv --reliabilities annotators.csv
      labelmill aggregate --votes spans.csv --label-kind span --items texts.jsonl --out merged.csv
      labelmill aggregate --votes votes.csv --out labels.csv --gold gold.csv
      labelmill aggregate --votes june.csv --out june-labels.csv --history may.json --save-history june.json
    """
    if votes is None and out is None:
        refuse_given(
            "goes with --votes and --out, which work without a project; the project's own setting is in labelmill.toml",
            classes=classes,
            seed=seed,
            kind=kind,
            annotators=annotators,
            label_kind=label_kind,
            items=items,
            views=views,
            reliabilities=reliabilities,
            gold=gold,
            history=history,
            save_history=save_history,
            repeats=repeats,
            encoding=encoding,
            on_bad_rows=on_bad_rows,
        )
        with door.mill() as mill:
            result, bad_rows, n_repeated = mill.aggregate(model=model, engine=engine, workers=workers), [], 0
    elif votes is None or out is None:
        raise UsageError(
            f"without a project, give both --votes and --out; {'--votes' if votes is None else '--out'} is missing"
        )
    elif label_kind not in {None, "choice"}:
        from labelmill.pipeline.merge_files import merge_files

        refuse_given("works in a project only; --votes and --out need none", engine=engine, workers=workers)
        refuse_given(
            "goes with --label-kind choice", gold=gold, history=history, save_history=save_history, repeats=repeats
        )
        merged = merge_files(
            votes,
            out,
            str(label_kind),
            model=model,
            seed=seed or 0,
            classes=split_names(classes),
            kind=kind,  # type: ignore[arg-type]  # click checked it
            annotators=annotators,
            items=items,
            views=views,
            reliabilities=reliabilities,
            encoding=encoding,
            on_bad_rows=on_bad_rows or "error",
        )
        _show_merged(door, merged, out)
        return
    else:
        from labelmill.pipeline.aggregate_files import aggregate_files

        refuse_given("works in a project only; --votes and --out need none", engine=engine, workers=workers)
        refuse_given("goes with --label-kind span, box and others", items=items, views=views)

        result = written = aggregate_files(
            votes,
            out,
            model=model or "auto",
            seed=seed or 0,
            classes=split_names(classes),
            kind=kind,  # type: ignore[arg-type]  # click checked it
            annotators=annotators,
            reliabilities=reliabilities,
            gold=gold,
            history=history,
            save_history=save_history,
            repeats=repeats or "last",
            encoding=encoding,
            on_bad_rows=on_bad_rows or "error",
        )
        bad_rows, n_repeated = written.bad_rows, written.n_repeated
    _show(door, result, out, bad_rows, _repeated(n_repeated, repeats or "last"))


def _repeated(n: int, repeats: Repeats) -> list[str]:
    if not n:
        return []
    what = {"first": "the first counts", "all": "all count", "refuse": "each says the same"}
    return [
        f"{counted(n, 'vote')} of an annotator who voted on the item before: {what.get(repeats, 'the last counts')}."
    ]


def _show(
    door: Door, result: Aggregated, out: Path | None, bad_rows: Sequence[BadRow], repeated: Sequence[str]
) -> None:
    summary = result.summary
    details = dict(summary.details)
    lines = [
        f"{counted(summary.n_items, 'item')}, {summary.n_voted:,} with votes, {summary.n_tied:,} tied; "
        f"label model {summary.model}"
        + (f": {details['chosen']}" if "chosen" in details else "")
        + (f", fitted on {details['fitted_on']}" if "fitted_on" in details else "")
        + (f". Labels: {out}" if out else ".")
    ]
    door.show(
        {
            "items": summary.n_items,
            "with_votes": summary.n_voted,
            "tied": summary.n_tied,
            "labels": dict(summary.labels),
            "mean_confidence": summary.mean_confidence,
            "model": summary.model,
            "details": details,
            "out": str(out) if out else None,
            "bad_rows": [str(row) for row in bad_rows],
        },
        *lines,
        *repeated,
        *_calibration(details),
        *bad_row_lines(bad_rows),
        reliabilities(result.annotators),
    )


def _calibration(details: Mapping[str, Any]) -> list[str]:
    found = details.get("calibration")
    if not found:
        return []
    gap = found["expected_error"]
    return [
        f"Probabilities calibrated on {found['n_gold']:,} gold answers: temperature {found['temperature']:.2f}; mean "
        f"gap between probability and truth {gap['before']:.1%} before, {gap['after']:.1%} after (cross-validated)."
    ]


def _show_merged(door: Door, result: MergedFile, out: Path | None) -> None:
    summary = result.summary
    elements = "" if summary.n_elements is None else f", {counted(summary.n_elements, 'element')} in all"
    again = f", {summary.n_superseded:,} superseded" if summary.n_superseded else ""
    line = (
        f"{counted(summary.n_items, 'item')}, {summary.n_answered:,} with answers{elements}; "
        f"{counted(summary.n_answers, 'answer')}{again}; model {summary.model}. Merged: {out}"
    )
    told = {**summary.to_dict(), "out": str(out), "bad_rows": [str(row) for row in result.bad_rows]}
    door.show(told, line, *bad_row_lines(result.bad_rows), reliabilities(result.annotators))
