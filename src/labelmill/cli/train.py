"""`labelmill train`: a learner from the consensus."""

from __future__ import annotations

import click

from labelmill.cli._door import Door, counted, project_options
from labelmill.cli._values import PluginName


@click.command("train", short_help="Train a learner on the consensus; it votes from then on.")
@click.option("--learner", type=PluginName("learner"), help="Name of a learner.  [default: the project's]")
@project_options
def command(door: Door, learner: str | None) -> None:
    """Train a learner on the consensus of everybody else; it comes back as one more annotator.

    \b
    Example:
      labelmill train && labelmill aggregate
    """
    with door.mill() as mill:
        trained = mill.train(learner=learner)
    door.show(
        {
            "learner": trained.name,
            "fingerprint": trained.fingerprint,
            "targets": trained.n_targets,
            "answers": trained.n_answers,
        },
        f"{trained.name} learned from {counted(trained.n_targets, 'item')}, "
        f"{trained.n_answers:,} of them answered by people.",
        "Its votes count from now on: labelmill aggregate",
    )
