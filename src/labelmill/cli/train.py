"""`labelmill train`: a learner from the consensus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from labelmill.cli._door import Door, counted, project_options
from labelmill.cli._values import OptionOfPlugin, PluginName

if TYPE_CHECKING:
    from labelmill.pipeline.train import Promote, Trained


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
@click.option(
    "--promote",
    type=click.Choice(["better", "always"]),
    help="When a new version counts: once it is no worse on people's answers, or at once.  [default: the project's]",
)
@project_options
def command(door: Door, learner: str | None, options: tuple[tuple[str, Any], ...], promote: Promote | None) -> None:
    """Train a learner on the consensus of everybody else; it comes back as one more annotator.

    Trained again, the new version is held against the one that counts, on people's answers that neither has learned
    from. If it is worse, it stays in the shadow: its votes do not count.

    \b
    Examples:
      labelmill train && labelmill aggregate
      labelmill train --learner tfidf_linear --option ngrams=3
      labelmill train --promote always
    """
    with door.mill() as mill:
        trained = mill.train(learner=learner, options=dict(options), promote=promote)
    door.show(
        {
            "learner": trained.name,
            "fingerprint": trained.fingerprint,
            "targets": trained.n_targets,
            "answers": trained.n_answers,
            "promoted": trained.is_promoted,
            "comparison": None if trained.comparison is None else asdict(trained.comparison),
            "details": trained.details,
        },
        f"{trained.name} learned from {counted(trained.n_targets, 'item')}, "
        f"{trained.n_answers:,} of them answered by people.",
        *_choices(trained.details),
        *_promotion(trained),
    )


def _promotion(trained: Trained) -> list[str]:
    """Whether its votes count, and why."""
    found = trained.comparison
    told = [] if found is None else [f"It is {found.words()}."]
    if trained.is_promoted:
        return [*told, "Its votes count from now on: labelmill aggregate"]
    return [
        *told,
        "It stays in the shadow, and the version before counts on: ask people more and train again, or "
        "labelmill train --promote always",
    ]


def _choices(details: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a learner that chooses among others took, and how well these foretold held-out items."""
    lines = []
    for told in details:
        scores = {head: score for head, score in told.get("scores", {}).items() if score is not None}
        if len(scores) > 1:
            ranked = ", ".join(f"{head} {score:.3f}" for head, score in sorted(scores.items(), key=lambda x: x[1]))
            lines.append(f"It took {told['head']}; surprise of held-out answers, in nats: {ranked}.")
    return lines
