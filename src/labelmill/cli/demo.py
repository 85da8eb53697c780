"""`labelmill demo`: the main job on real data."""

from __future__ import annotations

from pathlib import Path

import click

from labelmill.cli._door import Door, json_option
from labelmill.cli._values import SEED, SHARE


@click.command("demo", short_help="The whole line on real data; opens a report.")
@click.argument("example", default="spam")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Project folder to make.  [default: demo-EXAMPLE]"
)
@click.option("--answers", type=click.IntRange(0), default=300, show_default=True, help="Answers to chosen questions.")
@click.option(
    "--per-round", type=click.IntRange(1), default=50, show_default=True, help="Answers before learning from them."
)
@click.option(
    "--person-error",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Share of answers the simulated person gets wrong.",
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

    \b
    Examples:
      labelmill demo
      labelmill demo sentiment
      labelmill demo --person-error 0.03 --error 0.02
      labelmill demo --serve
    """
    if is_served:
        _serve(example, out or Path(f"demo-{example}"), workers, port, open_report)
        return
    from labelmill.pipeline.demo import demo
    from labelmill.report.terminal import summary

    door = Door(as_json=as_json)
    folder = out or Path(f"demo-{example}")
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
