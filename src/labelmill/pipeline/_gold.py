"""What gold answers do to a consensus: they teach, calibrate, and have the last word on their own items."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError, nearest
from labelmill.quality.calibration import best_temperature, calibration, tempered

__all__ = ["ENOUGH_GOLD", "Calibrated", "calibrated", "clamped", "gold_index"]

ENOUGH_GOLD: Final = 50
"""Gold items with votes from which probabilities are calibrated."""

N_FOLDS: Final = 5

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Calibrated:
    """A temperature, and how well it does on gold that had no part in it.

    Parameters
    ----------
    temperature : float
        Power that probabilities are raised to.
    details : mapping
        `temperature`, `source`, `n_gold`, and `log_loss` and `expected_error` before and after, on gold answers that
        neither the label model nor the temperature had seen; `bins` of the reliability diagram after.
    """

    temperature: float
    details: Mapping[str, Any]


def gold_index(votes: VoteTable, gold: Mapping[str, str]) -> Ints:
    """Class index of each item's gold answer, (n_items,); ABSTAIN where there is none.

    Raises
    ------
    UsageError
        If a gold answer is no class.
    """
    place = {name: k for k, name in enumerate(votes.classes)}
    for name in sorted(set(gold.values()) - set(place)):
        raise UsageError(f"unknown class {name!r} among the gold answers: {nearest(name, votes.classes)}")
    return np.array([place[gold[item]] if item in gold else ABSTAIN for item in votes.items], dtype=np.int64)


def calibrated(fit: Callable[[Mapping[str, str]], Any], votes: VoteTable, gold: Mapping[str, str]) -> Calibrated | None:
    """The temperature that suits gold answers the label model has not seen; None with fewer than 50 on voted items.

    The model is fitted five times without a fifth of the gold and predicts that fifth by votes alone; the temperature
    is that of all five together. What is told of it is cross-validated again: each fifth under the temperature of the
    other four. Which fifth an item is in follows from its id.

    Parameters
    ----------
    fit : callable
        Fits a fresh label model with these gold answers.
    """
    truth = np.where(votes.has_votes, gold_index(votes, gold), ABSTAIN)
    judged = np.flatnonzero(truth != ABSTAIN)
    if len(judged) < ENOUGH_GOLD:
        return None
    fold = np.array([zlib.crc32(votes.items[i].encode()) % N_FOLDS for i in judged.tolist()])
    unseen = np.zeros((len(judged), votes.n_classes))
    for f in range(N_FOLDS):
        held_out = {votes.items[i] for i in judged[fold == f].tolist()}
        if held_out:
            model = fit({item: name for item, name in gold.items() if item not in held_out})
            unseen[fold == f] = model.predict_proba(votes)[judged[fold == f]]
    after = unseen.copy()
    for f in range(N_FOLDS):
        others = best_temperature(unseen[fold != f], truth[judged[fold != f]])
        after[fold == f] = tempered(unseen[fold == f], others)
    temperature = best_temperature(unseen, truth[judged])
    return Calibrated(temperature, _told(temperature, unseen, after, truth[judged]))


def clamped(probabilities: Floats, truth: Ints) -> Floats:
    """The probabilities with all of it on the gold answer where there is one."""
    known = truth != ABSTAIN
    answered = probabilities.copy()
    answered[known] = np.eye(probabilities.shape[1])[truth[known]]
    return answered


def _told(temperature: float, before: Floats, after: Floats, truth: Ints) -> dict[str, Any]:
    old, new = calibration(before, truth), calibration(after, truth)
    return {
        "temperature": temperature,
        "source": "gold",
        "n_gold": len(truth),
        "log_loss": {"before": _log_loss(before, truth), "after": _log_loss(after, truth)},
        "expected_error": {"before": old.expected_error, "after": new.expected_error},
        "bins": new.to_dict()["bins"],
    }


def _log_loss(probabilities: Floats, truth: Ints) -> float:
    named = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(named, 1e-9)).mean())
