"""Retrain: after so many new answers, or so many hours, the learner learns from what people have said."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from labelmill.errors import FailedError
from labelmill.pipeline.promotion import judge_shadow
from labelmill.pipeline.train import TRAINED, Trained, n_answers_now, train
from labelmill.pipeline.workspace import Workspace

__all__ = ["is_due", "retrain_if_due"]

logger = logging.getLogger(__name__)


def is_due(workspace: Workspace) -> bool:
    """Whether `[train] every_answers` or `every_hours` asks for a new version now.

    Nothing is due while nothing new was said, or where neither is set.
    """
    project = workspace.project
    answers, hours = project["train.every_answers"], project["train.every_hours"]
    name = project["train.learner"]
    if not name or workspace.schema.is_structured or not (answers or hours):
        return False
    last = (workspace.lake.read_document(TRAINED) or {}).get(name)
    n_new = n_answers_now(workspace) - (last["answers"] if last else 0)
    if n_new <= 0:
        return False
    return bool(answers and n_new >= answers) or bool(hours and _hours_since(last, workspace.now()) >= hours)


def retrain_if_due(workspace: Workspace) -> Trained | None:
    """Train if it is time; else see whether the version in the shadow has come to beat the one that counts.

    What cannot be trained yet is logged and leaves everything as it is: whoever waits for work must not wait for it.
    """
    if is_due(workspace):
        try:
            return train(workspace)
        except FailedError as error:
            logger.warning("train.failed", extra={"facts": {"error": str(error)[:500]}})
    elif workspace.project["train.learner"] and workspace.project["train.promote"] == "better":
        judge_shadow(workspace, workspace.project["train.learner"])
    return None


def _hours_since(last: Mapping[str, Any] | None, now: str) -> float:
    if last is None:
        return float("inf")
    return (datetime.fromisoformat(now) - datetime.fromisoformat(last["at"])).total_seconds() / 3600
