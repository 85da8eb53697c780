"""Settings of training, selecting and routing: what they may be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labelmill.errors import ProjectError, nearest

__all__ = ["check_learning"]

CHOICES = {"train.promote": ("better", "always"), "select.stop": ("", "budget", "certificate", "flat")}

SPANS = {
    "train.held_back": (0.0, 0.5),
    "train.every_answers": (0, 10**9),
    "train.every_hours": (0.0, 10_000.0),
    "select.budget": (0, 10**9),
    "select.wrong_price": (0.0, 1e12),
    "annotators.cost": (0.0, 1e12),
    "people.cost": (0.0, 1e12),
    "people.expert_cost": (0.0, 1e12),
    "people.expert_accuracy": (0.0, 1.0),
}
"""Setting -> the least and the most it may be."""


def check_learning(settings: Mapping[str, Any], path: Path) -> None:
    """Refuse what cannot be meant.

    Raises
    ------
    ProjectError
        Names the setting, what was found and what may stand there.
    """
    for key, known in CHOICES.items():
        if settings[key] not in known:
            raise ProjectError(f"{path}: {key} = {settings[key]!r} is not known: {nearest(settings[key], known)}")
    for key, (low, high) in SPANS.items():
        if not (math.isfinite(settings[key]) and low <= settings[key] <= high):
            raise ProjectError(f"{path}: {key} must lie between {low:g} and {high:g}, found {settings[key]}")
    if settings["select.stop"] == "budget" and not settings["select.budget"]:
        raise ProjectError(f'{path}: select.stop = "budget" needs one: set select.budget, e.g. to 500 answers')
