"""`labelmill demo`: the main job on real data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from labelmill.cli._door import Door, counted, json_option
from labelmill.cli._values import SEED, SHARE

if TYPE_CHECKING:
    from rich.table import Table

    from labelmill.pipeline.demo_answers import Measurement


@click.command("demo", short_help="The whole line on real data; opens a report.")
@click.argument("example", default="spam")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Project folder to make.  [default: demo-EXAMPLE]"
)
@click.option(
    "--answers",
    type=click.IntRange(0),
    default=300,
    show_default=True,
    help="Answers to chosen questions, at most half the items.",
)
@click.option(
    "--per-round", type=click.IntRange(1), default=50, show_default=True, help="Answers before learning from them."
)
@click.option(
    "--person-error",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Share of answers the simulated person gets wrong; of boxes and segments, overlooks.",
)
@click.option("--error", type=SHARE, help="Certified share of wrong labels.")
@click.option("--confidence", type=SHARE, help="With this probability.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Everything random follows from it.")
@click.option("--workers", type=click.IntRange(1), help="Workers at most.  [default: one per core]")
@click.option("--open/--no-open", "open_report", default=True, show_default=True, help="Open the report in a browser.")
@click.option("--serve", "is_served", is_flag=True, help="Be the person yourself: start the server on the questions.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8321, show_default=True, help="Of --serve.")
@json_option
def command(
    example: str,
    out: Path | None,
    answers: int,
    per_round: int,
    person_error: float,
    error: float | None,
    confidence: float | None,
    seed: int,
    workers: int | None,
    open_report: bool,
    is_served: bool,
    port: int,
    as_json: bool,
) -> None:
    """Run the main job on real data that ships with labelmill: 6,046 mails, eleven rules, a simulated person.

    The other examples: sentiment (texts rated by people), coins (boxes in pictures), faces (pictures of two classes),
    phones (stretches of speech). The last two are made of packages: pip install 'labelmill[examples]'.

    \b
    Examples:
      labelmill demo
      labelmill demo sentiment
      labelmill demo coins --serve
      labelmill demo --person-error 0.03 --error 0.02
    """
    if is_served:
        _serve(example, out or Path(f"demo-{example}"), workers, port, open_report)
        return
    from labelmill.pipeline.demo import demo
    from labelmill.pipeline.examples import is_of_answers
    from labelmill.report.terminal import summary

    door = Door(as_json=as_json)
    folder = out or Path(f"demo-{example}")
    if is_of_answers(example):
        _demo_answers(door, folder, example, answers, per_round, person_error, seed, workers)
        return
    with door.watching() as watch:
        made = demo(
            folder,
            example=example,
            n_answers=answers,
            per_round=per_round,
            person_error=person_error,
            error=error,
            confidence=confidence,
            seed=seed,
            workers=workers,
            watch=watch,
        )
    door.show(
        {"report": str(made.report), "release": made.release.place, "story": made.story.to_dict()},
        summary(made.story),
        f"Report   {made.report}",
    )
    if open_report and not as_json:
        _open(made.report)


def _demo_answers(
    door: Door,
    folder: Path,
    example: str,
    answers: int,
    per_round: int,
    overlooks: float,
    seed: int,
    workers: int | None,
) -> None:
    """Boxes, segments: no certificate and no report, but figures against gold."""
    from labelmill.pipeline.demo_answers import demo_answers

    with door.watching() as watch:
        made = demo_answers(
            folder,
            example=example,
            n_answers=answers,
            per_round=per_round,
            overlooks=overlooks,
            seed=seed,
            workers=workers,
            watch=watch,
        )
    door.show(
        {
            "folder": str(made.folder),
            "items": made.n_items,
            "release": made.release.place,
            "faults": dict(made.faults),
            "measured": [one.to_dict() for one in made.measured],
        },
        f"{counted(made.n_items, 'item')} in {made.folder}; measured against true answers, which no rule has seen:",
        _figures(made.measured),
        *(f"Faults   {name} on {counted(n, 'item')}" for name, n in made.faults.items()),
        f"Release  {made.release.place}",
        f"Next     answer in the browser: labelmill demo {example} --serve",
    )


def _figures(measured: Sequence[Measurement]) -> Table:
    """Who was how good."""
    from rich.table import Table

    table = Table("answers", "kind", box=None, header_style="dim")
    for column in ("by person", "items", *measured[0].figures):
        table.add_column(column.replace("_", " "), justify="right")
    for one in measured:
        counts = (str(one.n_answers), str(one.n_items))
        table.add_row(one.name, one.kind, *counts, *(f"{figure:.3f}" for figure in one.figures.values()))
    return table


def _serve(example: str, folder: Path, workers: int | None, port: int, opens: bool) -> None:
    """Keep a project that is there: people's answers are in it."""
    from labelmill.cli._serving import Serving, serve_project
    from labelmill.pipeline.demo import demo_project
    from labelmill.pipeline.workspace import Workspace

    with Door().watching() as watch:
        if (folder / ".labelmill" / "people.db").exists():
            workspace = Workspace.open(folder, watch=watch)
        else:
            workspace = demo_project(folder, example=example, workers=workers, watch=watch)
    serve_project(workspace, Serving(port=port, opens_browser=opens))


def _open(report: Path) -> None:
    """In a browser, where there is a screen and a browser."""
    import os
    import sys
    import webbrowser

    has_screen = sys.platform in {"darwin", "win32"} or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    if has_screen and sys.stdout.isatty():
        webbrowser.open(report.resolve().as_uri())
