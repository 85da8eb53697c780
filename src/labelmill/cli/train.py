"""`labelmill train`: a learner from the consensus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from labelmill.cli._door import Door, counted, project_options
from labelmill.cli._values import OptionOfPlugin, PluginName


@click.command("train", short_help="Train a learner on the consensus; it votes from then on.")
@click.option("--learner", type=PluginName("learner"), help="Name of a learner.  [default: the project's]")
@click.option(
    "--option",
    "options",
    type=OptionOfPlugin(),
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of the learner; several are allowed.  [default: those of [train.options]]",
)
@project_options
def command(door: Door, learner: str | None, options: tuple[tuple[str, Any], ...]) -> None:
    """Train a learner on the consensus of everybody else; it comes back as one more annotator.

    \b
    Examples:
      labelmill train && labelmill aggregate
      labelmill train --learner tfidf_linear --option ngrams=3
    """
    with door.mill() as mill:
        trained = mill.train(learner=learner, options=dict(options))
    door.show(
        {
            "learner": trained.name,
            "fingerprint": trained.fingerprint,
            "targets": trained.n_targets,
            "answers": trained.n_answers,
            "details": trained.details,
        },
        f"{trained.name} learned from {counted(trained.n_targets, 'item')}, "
        f"{trained.n_answers:,} of them answered by people.",
        *_choices(trained.details),
        "Its votes count from now on: labelmill aggregate",
    )


def _choices(details: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a learner that chooses among others took, and how well these foretold held-out items."""
    lines = []
    for told in details:
        scores = {head: score for head, score in told.get("scores", {}).items() if score is not None}
        if len(scores) > 1:
            ranked = ", ".join(f"{head} {score:.3f}" for head, score in sorted(scores.items(), key=lambda x: x[1]))
            lines.append(f"It took {told['head']}; surprise of held-out answers, in nats: {ranked}.")
    return lines
