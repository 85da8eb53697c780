"""Settings of guidelines, examples, training and gold: what they may be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labelmill.errors import ProjectError, nearest

__all__ = ["check_teaching"]

MOST_TRAINING = 1_000
MOST_ATTEMPTS = 100
MOST_EXAMPLES = 100


def check_teaching(settings: Mapping[str, Any], path: Path) -> None:
    """Refuse what cannot be meant.

    Raises
    ------
    ProjectError
        Names the setting, what was found and what may stand there.
    """
    if settings["schema.guidelines"] and settings["schema.guidelines_file"]:
        raise ProjectError(f"{path}: schema.guidelines and schema.guidelines_file are both given: keep one")
    for number, example in enumerate(settings["schema.examples"], 1):
        _check_example(example, settings["schema.modality"], f"{path}: schema.examples, number {number}")
    if len(settings["schema.examples"]) > MOST_EXAMPLES:
        found = len(settings["schema.examples"])
        raise ProjectError(f"{path}: schema.examples are {found}: nobody reads more than {MOST_EXAMPLES}")
    if not 0 < settings["people.pass_mark"] <= 1:
        raise ProjectError(
            f"{path}: people.pass_mark must lie above 0 and not above 1, found {settings['people.pass_mark']}"
        )
    for key, low, high in (("people.training", 0, MOST_TRAINING), ("people.attempts", 1, MOST_ATTEMPTS)):
        if not low <= settings[key] <= high:
            raise ProjectError(f"{path}: {key} must lie between {low} and {high}, found {settings[key]}")
    floor = settings["people.gold_floor"]
    if not 0 <= floor < 1:
        raise ProjectError(f"{path}: people.gold_floor must lie between 0 and below 1, found {floor}")
    if floor and not settings["people.gold_share"]:
        raise ProjectError(f"{path}: people.gold_floor needs gold to check by: set people.gold_share, e.g. to 0.05")


def _check_example(example: Mapping[str, Any], modality: str, place: str) -> None:
    known = ["item", modality, "answer", "reason"]
    unknown = next((name for name in example if name not in known), None)
    if unknown is not None:
        raise ProjectError(f"{place}: unknown key {unknown!r}: {nearest(unknown, known)}")
    if ("item" in example) == (modality in example):
        raise ProjectError(f"{place} needs either item (an id of the project) or {modality}")
    if "answer" not in example:
        raise ProjectError(f"{place} needs its answer")
    for name in ("item", modality, "reason"):
        if not isinstance(example.get(name, ""), str):
            raise ProjectError(f"{place}: {name} must be a text, found {example[name]!r}")
