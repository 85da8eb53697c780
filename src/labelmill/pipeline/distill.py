"""Distill: a small student learns what a big teacher thinks, and votes in its stead, side by side with it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from labelmill import registry
from labelmill.domain.item import ItemBatch
from labelmill.domain.schema import LabelSchema
from labelmill.domain.strict_json import loads
from labelmill.errors import FailedError, UsageError
from labelmill.pipeline._balancing import Balancing
from labelmill.pipeline._features import Features
from labelmill.pipeline._heads import Heads, model_votes, takes
from labelmill.pipeline._learner_options import forget_checkpoints, learner_factory
from labelmill.pipeline.aggregate import aggregate
from labelmill.pipeline.ready_models import ready_model, served_models
from labelmill.pipeline.train import features_for, learnable, obedient, publish, target_weights
from labelmill.pipeline.votes import model_probabilities, people_votes
from labelmill.pipeline.workspace import Workspace

__all__ = ["Distilled", "Judged", "distill"]

Floats = npt.NDArray[np.float64]

UNSEEN: Final = ("gold", "audit")
"""Purposes of answers that models are best judged by: they were asked for to check, not to teach."""

TIMED: Final = 500
"""Items that a model is timed on."""

WARM: Final = 8
"""Items that it sees before."""


@dataclass(frozen=True, slots=True)
class Judged:
    """How a model does.

    Parameters
    ----------
    name : str
    accuracy : float or None
        Share of people's answers that it gives too, on items it had not learned from; None without any.
    items_per_second : float or None
        Items in a second of one processor; None if the lake does not have the model, only its votes.
    """

    name: str
    accuracy: float | None
    items_per_second: float | None


@dataclass(frozen=True, slots=True)
class Distilled:
    """A student that votes from now on, beside its teacher.

    Parameters
    ----------
    n_taught : int
        Items whose answer the teacher told it.
    n_targets : int
        Items with a consensus of others.
    n_judged : int
        Answers of people that both were judged by.
    """

    teacher: Judged
    student: Judged
    fingerprint: str
    n_taught: int
    n_targets: int
    n_judged: int

    @property
    def speed_up(self) -> float | None:
        """How many times as many items the student gets done; None if one of the two was not timed."""
        slow, fast = self.teacher.items_per_second, self.student.items_per_second
        return None if slow is None or fast is None else fast / slow


def distill(
    workspace: Workspace,
    *,
    teacher: str,
    student: str,
    options: Mapping[str, Any] | None = None,
    share: float | None = None,
    temperature: float | None = None,
) -> Distilled:
    """Train a student on what a teacher thinks of every item, and on the consensus of everybody but models.

    The teacher's probabilities are those of its votes in the lake: where it learned from an item, of a fit that did not
    see it. The student votes on each item by a fit that did not see that item; both are judged by these votes.

    Parameters
    ----------
    teacher : str
        Name of a learner, or of any rule or model, that has voted.
    student : str
        Name of a learner.
    options : mapping of str to value, optional
        What the student is made with.
    share : float, optional
        Lambda: the teacher's share of the loss, 0 to 1; 0.7 without it.
    temperature : float, optional
        T: how far the teacher's probabilities are evened out; 2 without it. Learners that take no teacher learn from
        the mixture of both targets, at temperature 1.

    Raises
    ------
    FailedError
        If nobody has voted, or the teacher has not.
    UsageError
        If the student is the teacher, or an option is wrong.
    """
    workspace.require_classes("distill", "import the answers of people and models as files of votes")
    if teacher == student:
        raise UsageError(f"{student!r} cannot be its own teacher: name another --student, e.g. distilled")
    told = {"teacher_share": share, "temperature": temperature}
    given = {**(options or {}), **_known(student, {name: value for name, value in told.items() if value is not None})}
    make = learner_factory(workspace, student, given)
    parameters = {"teacher": teacher, "student": student, "options": dict(options or {})} | {
        name: value for name, value in (("share", share), ("temperature", temperature)) if value is not None
    }
    with workspace.lake.writing():
        features = features_for(workspace, student)
        with workspace.running("distill", parameters=parameters) as run:
            heads = Heads(make, workspace.schema, Balancing.of_project(workspace))
            done = _distill(workspace, teacher, student, heads, features, 0.7 if share is None else share)
            workspace.end(
                run, annotators={student: done.fingerprint}, counts={"items": done.n_taught, "answers": done.n_judged}
            )
    return done


def _distill(
    workspace: Workspace, teacher: str, student: str, heads: Heads, features: Features | None, share: float
) -> Distilled:
    thought = model_probabilities(workspace, teacher)
    is_taught = np.isfinite(thought).all(axis=1)
    if not is_taught.any():
        raise FailedError(f"{teacher!r} has voted on no item: run `labelmill train --learner {teacher}` first")
    target = aggregate(workspace, without_models=True).consensus
    answered = set(people_votes(workspace)["item"].to_list())
    is_answered = np.array([item in answered for item in target.items], dtype=np.bool_)
    weights = np.where(target.has_votes, target_weights(is_answered, target.has_votes), 0.0)
    batch = learnable(workspace, features)
    targets, teaches = target.probabilities, None
    if takes(heads.learners[0].fit, "teacher"):
        teaches = thought
    else:
        targets, weights = mixed(targets, weights, thought, share)
    progress = obedient(workspace, workspace.watch("distill"))
    probabilities = heads.cross_predict_proba(batch, targets, weights, progress=progress, teacher=teaches)
    heads.fit(batch, targets, weights, progress=progress, teacher=teaches)
    fingerprint = publish(workspace, student, heads, features, probabilities)
    forget_checkpoints(workspace, student)
    answers = _answers(workspace)
    timed = ItemBatch(batch.frame.head(TIMED))
    return Distilled(
        Judged(
            teacher,
            _accuracy(thought, answers, target.items, workspace.schema),
            _rate(workspace, teacher, timed),
        ),
        Judged(
            student, _accuracy(probabilities, answers, target.items, workspace.schema), _rate(workspace, student, timed)
        ),
        fingerprint,
        int(is_taught.sum()),
        int(target.has_votes.sum()),
        len(answers),
    )


def mixed(targets: Floats, weights: Floats, thought: Floats, share: float) -> tuple[Floats, Floats]:
    r"""Targets and weights whose cross-entropy is :math:`(1-\lambda) w H(t, p) + \lambda v H(q, p)`.

    That is distillation at temperature 1, but for a constant. Weights are 1 on average, like those of the teacher.
    """
    said = np.asarray(np.isfinite(thought).all(axis=1))
    mean = float(weights[weights > 0].mean()) if (weights > 0).any() else 1.0
    own, taught = np.asarray((1 - share) * weights / mean), np.asarray(share * said)
    total = np.asarray(own + taught)
    both = own[:, None] * targets + taught[:, None] * np.where(said[:, None], thought, 0.0)
    return np.divide(both, total[:, None], out=targets.copy(), where=total[:, None] > 0), total


def _known(student: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """What of this the student's constructor takes."""
    plugin = registry.find("learner", student)
    return {name: value for name, value in told.items() if takes(plugin, name)}


def _answers(workspace: Workspace) -> list[tuple[str, Any]]:
    """Item and answer of everybody who was asked to check; without any, of everybody."""
    for purposes in (UNSEEN, ("label", "review")):
        votes = people_votes(workspace, purposes).drop_nulls("value")
        if votes.height:
            return list(votes.select("item", "value").iter_rows())
    return []


def _accuracy(
    probabilities: Floats, answers: Sequence[tuple[str, str]], items: Sequence[str], schema: LabelSchema
) -> float | None:
    """Share of the answers that a model with these probabilities gives too; silence is no right answer."""
    place = {item: i for i, item in enumerate(items)}
    votes = model_votes(np.where(np.isfinite(probabilities), probabilities, 0.0), schema).labels
    is_silent = np.asarray(~np.isfinite(probabilities).all(axis=1))
    right = []
    for item, value in answers:
        i = place[item]
        named = loads(value) if schema.kind == "multi_choice" else [value]
        vote = votes[i]
        said = [] if vote is None else np.atleast_1d(np.asarray(vote, dtype=int)).tolist()
        right.append(not is_silent[i] and {schema.classes[k] for k in said} == set(named))
    return float(np.mean(right)) if right else None


def _rate(workspace: Workspace, name: str, batch: ItemBatch) -> float | None:
    """Items in a second of one processor, vectors and all, once it is warm; None for what is not a trained learner."""
    if not len(batch) or name not in served_models(workspace):
        return None
    model = ready_model(workspace, name)
    with threadpool_limits(1):
        model.predict(batch.slice(0, WARM))
        began = time.process_time()
        model.predict(batch)
        return len(batch) / max(time.process_time() - began, 1e-6)
