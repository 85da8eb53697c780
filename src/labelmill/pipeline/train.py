"""Train: a learner takes the consensus as its target and comes back as one more annotator."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, cast

import numpy as np
import numpy.typing as npt

from labelmill import registry
from labelmill.domain.item import ItemBatch
from labelmill.domain.ports import Learner, Progress, ValueLearner
from labelmill.domain.vote import VoteBatch
from labelmill.errors import FailedError, UsageError
from labelmill.pipeline._annotate_stage import votes_frame
from labelmill.pipeline._balancing import Balancing
from labelmill.pipeline._features import Features
from labelmill.pipeline._heads import Heads, model_votes
from labelmill.pipeline._learner_options import forget_checkpoints, learner_factory
from labelmill.pipeline._media_here import media_folders
from labelmill.pipeline._value_training import cross_values, require_learnable, value_targets
from labelmill.pipeline.aggregate import aggregate
from labelmill.pipeline.embed import ready_features
from labelmill.pipeline.promotion import (
    Comparison,
    compare_versions,
    counts_of,
    held_back,
    keep_in_shadow,
    promote,
    shadow_model,
)
from labelmill.pipeline.votes import Machine, people_votes, schema_fingerprint
from labelmill.pipeline.workspace import Workspace

__all__ = [
    "TRAINED",
    "Promote",
    "Trained",
    "learnable",
    "n_answers_now",
    "obedient",
    "publish",
    "target_weights",
    "train",
]

Promote = Literal["better", "always"]
"""When a new version counts: once it is no worse than the one before on people's answers, or at once."""

TRAINED: Final = "trained"
"""Document that remembers when each learner was trained last, and on how many answers."""

PEOPLE_SHARE = 0.5
"""Share of the total weight that people's answers get together, at most."""

MOST_WEIGHT = 50.0
"""How much more one answer of a person may weigh than the consensus of rules on another item."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A learner that votes from now on.

    Parameters
    ----------
    name : str
        Its name as an annotator.
    fingerprint : str
        Of the fitted state.
    n_targets : int
        Items it learned from.
    n_answers : int
        How many of them people had answered.
    details : list of dict
        What each fitted learner says about itself, one a class where an item may have several: what was chosen, by
        which scores. JSON-able.
    is_promoted : bool
        Whether its votes count; else it waits in the shadow, and those of the version before count on.
    comparison : Comparison or None
        It and the version before on people's answers; None where there is no version before, or too few answers.
    """

    name: str
    fingerprint: str
    n_targets: int
    n_answers: int
    details: list[dict[str, Any]] = field(default_factory=list)
    is_promoted: bool = True
    comparison: Comparison | None = None


def train(
    workspace: Workspace,
    *,
    learner: str | None = None,
    options: Mapping[str, Any] | None = None,
    keep: bool = True,
    promote: Promote | None = None,
) -> Trained:
    """Fit a learner on the consensus of everybody else, and let it vote on every item.

    Its own votes are left out of its target, and on each item it learned from it votes by a fit that did not see
    that item, so its vote is evidence and not an echo.

    Parameters
    ----------
    learner : str, optional
        Name of a learner; the project's without it.
    options : mapping of str to value, optional
        What the learner is made with, by the names of its constructor; besides and before those of `[train.options]`,
        which are the project's learner's.
    keep : bool
        Keep the fitted learner for `predict`. Without, only its votes, which is quicker from round to round.
    promote : {"better", "always"}, optional
        When its votes count; the project's without it. Answers that are more than classes count at once.

    Raises
    ------
    FailedError
        If nobody has voted yet.
    UsageError
        If no learner is named, it has no such option, or `promote` is something else.
    """
    name = learner or workspace.project["train.learner"]
    if not name:
        raise UsageError('no learner is named: set [train] learner = "tfidf_linear" or pass --learner tfidf_linear')
    require_learnable(workspace, name)
    make = learner_factory(workspace, name, options)
    how = promote or workspace.project["train.promote"]
    if how not in {"better", "always"}:
        raise UsageError(f"promote must be 'better' or 'always', found {how!r}")
    parameters = {"learner": name, "promote": how} | ({"options": dict(options)} if options else {})
    with workspace.lake.writing():
        features = features_for(workspace, name)
        with workspace.running("train", parameters=parameters) as run:
            if workspace.schema.is_structured:
                trained = _train_values(workspace, name, cast("ValueLearner", make()), keep=keep)
            else:
                trained = _train(workspace, name, make, features, keep=keep, how=how)
            counts = {"items": trained.n_targets, "answers": trained.n_answers}
            counts |= counts_of(trained.comparison, is_promoted=trained.is_promoted)
            workspace.end(run, annotators={name: trained.fingerprint}, counts=counts)
    return trained


def features_for(workspace: Workspace, learner: str) -> Features | None:
    """The vectors that a learner reads, ready in the lake; None for one that reads the items themselves."""
    reads_features = getattr(registry.find("learner", learner), "reads_features", False)
    return ready_features(workspace, f"the learner {learner!r}") if reads_features else None


def n_answers_now(workspace: Workspace) -> int:
    """How many answers of people a learner could learn from."""
    return int(people_votes(workspace, ("label", "review", "gold")).height)


def _train(
    workspace: Workspace, name: str, make: Callable[[], Learner], features: Features | None, *, keep: bool, how: str
) -> Trained:
    target = aggregate(workspace, without_models=True).consensus
    if not target.has_votes.any():
        raise FailedError("nobody has voted yet: run `labelmill annotate` or import people's answers first")
    answered = set(people_votes(workspace)["item"].to_list())
    is_answered = np.array([item in answered for item in target.items], dtype=np.bool_)
    batch = learnable(workspace, features)
    heads = Heads(make, workspace.schema, Balancing.of_project(workspace))
    # All items, those without a target at weight 0: the same texts at each round need be read only once.
    weights = np.where(target.has_votes, target_weights(is_answered, target.has_votes), 0.0)
    share = workspace.project["train.held_back"]
    if share:
        weights[is_answered & held_back(target.items, share)] = 0.0
    progress = obedient(workspace, workspace.watch("train"))
    probabilities = heads.cross_predict_proba(batch, target.probabilities, weights, progress=progress)
    if keep:
        heads.fit(batch, target.probabilities, weights, progress=progress)
    made = _put_predictions(workspace, name, heads if keep else None, probabilities)
    forget_checkpoints(workspace, name)
    comparison = compare_versions(workspace, made) if how == "better" else None
    is_promoted = comparison is None or comparison.is_better
    if keep:
        write = partial(_write_model, heads, features)
        workspace.lake.publish_model(name if is_promoted else shadow_model(name), write)
    if comparison is None or comparison.is_better:
        promote(workspace, made)
    else:
        keep_in_shadow(workspace, made, comparison)
    _remember(workspace, name)
    n_targets, n_answers = int(target.has_votes.sum()), int(is_answered.sum())
    details = heads.details if keep else []
    return Trained(name, made.fingerprint, n_targets, n_answers, details, is_promoted, comparison)


def _remember(workspace: Workspace, name: str) -> None:
    told = {"at": workspace.now(), "answers": n_answers_now(workspace)}
    workspace.lake.write_document(TRAINED, {**(workspace.lake.read_document(TRAINED) or {}), name: told})


def _train_values(workspace: Workspace, name: str, learner: ValueLearner, *, keep: bool) -> Trained:
    batch = learnable(workspace, None)
    values = value_targets(workspace, batch.ids)
    progress = obedient(workspace, workspace.watch("train"))
    votes = cross_values(workspace, name, learner, batch, values, progress)
    if keep:
        learner.fit_values(batch, values, workspace.schema, progress=progress)
    stamp = "\0".join(str(text) for text in votes.labels).encode()
    made = _put_votes(workspace, name, votes, stamp, learner.fingerprint if keep else "")
    if keep:
        workspace.lake.publish_model(name, learner.save)
    promote(workspace, made)
    forget_checkpoints(workspace, name)
    answered = set(people_votes(workspace)["item"].to_list())
    known = [item for item, value in zip(batch.ids, values, strict=True) if value is not None]
    return Trained(name, made.fingerprint, len(known), len(answered.intersection(known)))


def learnable(workspace: Workspace, features: Features | None) -> ItemBatch:
    """All items, with their vectors and a way to their files."""
    batch = workspace.lake.items()
    vectors = None if features is None else features.of_all(workspace.lake)
    return ItemBatch(batch.frame, vectors, media_folders(workspace.project))


def obedient(workspace: Workspace, progress: Progress) -> Progress:
    """Tells how far it is, and ends the work where somebody asked for its end."""

    def told(done: int, total: int, detail: Mapping[str, Any] | None = None, /) -> None:
        workspace.obey()
        progress(done, total, detail)

    return told


def target_weights(is_answered: npt.NDArray[np.bool_], has_votes: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """People's answers weigh more than the guesses of rules, together at most `PEOPLE_SHARE` of everything."""
    n_answers = int(is_answered.sum())
    n_guesses = int((has_votes & ~is_answered).sum())
    weights = np.ones(len(is_answered))
    if n_answers and n_guesses:
        fair = PEOPLE_SHARE / (1 - PEOPLE_SHARE) * n_guesses / n_answers
        weights[is_answered] = np.clip(fair, 1.0, MOST_WEIGHT)
    return weights


def publish(
    workspace: Workspace,
    name: str,
    heads: Heads | None,
    features: Features | None,
    probabilities: npt.NDArray[np.float64],
) -> str:
    """Put the votes, and the model if there is one, into the lake; from now on they count."""
    made = _put_predictions(workspace, name, heads, probabilities)
    if heads is not None:
        workspace.lake.publish_model(name, partial(_write_model, heads, features))
    promote(workspace, made)
    return made.fingerprint


def _put_predictions(
    workspace: Workspace, name: str, heads: Heads | None, probabilities: npt.NDArray[np.float64]
) -> Machine:
    """The version, whose votes are in the lake and do not count yet."""
    votes = model_votes(probabilities, workspace.schema)
    stamp = np.ascontiguousarray(probabilities).tobytes()
    return _put_votes(workspace, name, votes, stamp, heads.fingerprint if heads else "")


def _put_votes(workspace: Workspace, name: str, votes: VoteBatch, stamp: bytes, model: str) -> Machine:
    """The version with these votes, which are in the lake now; `stamp` stands for them, `model` for what made them."""
    lake, schema = workspace.lake, workspace.schema
    state = f"{model}-{schema_fingerprint(schema)}"
    fingerprint = hashlib.sha256(f"{state}-{hashlib.sha256(stamp).hexdigest()}".encode()).hexdigest()[:16]
    digest = hashlib.sha256(f"{name}-{fingerprint}".encode()).hexdigest()[:16]
    partitions = lake.item_partitions()
    at = 0
    for partition in partitions:
        part = slice(at, at + partition.n_rows)
        at += partition.n_rows
        frame = votes_frame({name: _part(votes, part)}, is_structured=schema.is_structured)
        lake.publish_votes(digest, partition.id, frame, votes.faults if part.start == 0 else [])
    lake.seal_votes(digest, {name: {"fingerprint": fingerprint, "kind": "model"}}, partitions)
    return Machine(name, "model", fingerprint, evaluation="learned", schema=schema_fingerprint(schema))


def _write_model(heads: Heads, features: Features | None, folder: Path) -> None:
    heads.save(folder)
    if features is not None:
        features.save(folder)


def _part(votes: VoteBatch, part: slice) -> VoteBatch:
    soft = votes.probabilities
    return VoteBatch(votes.labels[part], [], None if soft is None else soft[part])
