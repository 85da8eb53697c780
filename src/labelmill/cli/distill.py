"""`labelmill distill`: a small student in place of a big teacher."""

from __future__ import annotations

from typing import Any

import click

from labelmill.cli._door import Door, counted, printable, project_options
from labelmill.cli._values import FRACTION, OptionOfPlugin, PluginName


@click.command("distill", short_help="Train a small student on what a big teacher thinks; both side by side.")
@click.option("--teacher", required=True, metavar="NAME", help="A learner (or any rule or model) that has voted.")
@click.option("--student", type=PluginName("learner"), default="distilled", show_default=True, help="A learner.")
@click.option("--share", type=FRACTION, help="Lambda: the teacher's share of the loss.  [default: 0.7]")
@click.option(
    "--temperature",
    type=click.FloatRange(0, min_open=True),
    help="T: evens out the teacher's probabilities.  [default: 2]",
)
@click.option(
    "--option",
    "options",
    type=OptionOfPlugin(),
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of the student; several are allowed.",
)
@project_options
def command(
    door: Door,
    teacher: str,
    student: str,
    share: float | None,
    temperature: float | None,
    options: tuple[tuple[str, Any], ...],
) -> None:
    """Train a student on a teacher's probabilities for all items and on the consensus; it votes from then on.

    The loss is (1 - lambda) * task + lambda * T^2 * KL(teacher || student), at temperature T.

    \b
    Example:
      labelmill train --learner fine_tuned && labelmill distill --teacher fine_tuned
    """
    with door.mill() as mill:
        done = mill.distill(
            teacher=teacher, student=student, options=dict(options), share=share, temperature=temperature
        )
    told = {
        role: {"name": model.name, "accuracy": model.accuracy, "items_per_cpu_second": model.items_per_second}
        for role, model in (("teacher", done.teacher), ("student", done.student))
    }
    door.show(
        {
            **told,
            "fingerprint": done.fingerprint,
            "taught": done.n_taught,
            "targets": done.n_targets,
            "answers": done.n_judged,
            "speed_up": done.speed_up,
        },
        f"{student} learned from what {teacher} thinks of {counted(done.n_taught, 'item')}.",
        _table(done),
        "Its votes count from now on: labelmill aggregate",
    )


def _table(done: Any) -> Any:
    from rich.table import Table

    table = Table("", "model", box=None, header_style="dim")
    judged = f"right of {counted(done.n_judged, 'answer')}" if done.n_judged else "right (no answers yet)"
    for column in (judged, "items per CPU second"):
        table.add_column(column, justify="right")
    for role, model in (("teacher", done.teacher), ("student", done.student)):
        right = "-" if model.accuracy is None else f"{model.accuracy:.1%}"
        rate = "-" if model.items_per_second is None else f"{model.items_per_second:,.0f}"
        is_faster = role == "student" and done.speed_up is not None
        table.add_row(role, printable(model.name), right, f"{rate} ({done.speed_up:,.1f}x)" if is_faster else rate)
    return table
