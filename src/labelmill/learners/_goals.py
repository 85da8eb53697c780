"""What a torch learner is to say of each item: the consensus, and what a teacher thinks of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch

from labelmill.errors import UsageError, nearest
from labelmill.learners._targets import class_weighted

__all__ = ["IMBALANCE", "Goals", "Imbalance"]

Floats = npt.NDArray[np.float64]
Imbalance = Literal["none", "weights", "resampling"]
IMBALANCE: Final[tuple[str, ...]] = get_args(Imbalance)

_TINY: Final = 1e-8
"""Least probability of a teacher: what it finds impossible has a logit, too."""


@dataclass(frozen=True)
class Goals:
    r"""Targets and a loss for each item.

    With a teacher the loss of an item is

    .. math:: (1 - \lambda) w \, H(t, \sigma(z)) + \lambda T^2 v \, KL(\sigma(u / T) \,\|\, \sigma(z / T))

    (Hinton, Vinyals & Dean 2015, arXiv:1503.02531), where z are the student's logits, t the consensus with weight w,
    and u the teacher's logits: the logarithms of its probabilities, which differ from them by a constant that softmax
    does not see. Without a teacher it is the first term, with :math:`\lambda = 0`. Targets are probabilities, so the
    loss knows how sure the consensus is: cross-entropy to (0.7, 0.3) is least at (0.7, 0.3).

    Parameters
    ----------
    targets : ndarray, shape (n_items, n_classes)
        Rows sum to 1.
    weights : ndarray, shape (n_items,)
        Of the consensus; 0 where there is none.
    taught : ndarray, shape (n_items, n_classes)
        The teacher's probabilities at the temperature; zeros without one.
    heeded : ndarray, shape (n_items,)
        v: 1 where the teacher said something, 0 elsewhere.
    chances : ndarray or None, shape (n_items,)
        How often to draw each item; None for all alike.
    share, temperature : float
        Lambda and T.
    """

    targets: Floats
    weights: Floats
    taught: Floats
    heeded: Floats
    chances: Floats | None
    share: float
    temperature: float

    @classmethod
    def of(
        cls,
        targets: Floats,
        weights: Floats,
        teacher: Floats | None,
        *,
        imbalance: str = "none",
        is_confident: bool = False,
        share: float = 0.7,
        temperature: float = 2.0,
    ) -> Goals:
        """The goals that targets, weights and a teacher's probabilities (NaN where it said nothing) make.

        Parameters
        ----------
        imbalance : {"none", "weights", "resampling"}
            What to do that rare classes count as much as common ones: weigh them in the loss, or draw them more often.
        is_confident : bool
            Weigh each item by one minus the entropy of its target, relative to that of an even one.

        Raises
        ------
        UsageError
            If a number is out of its range.
        """
        _check(imbalance, share, temperature)
        n_classes = targets.shape[1]
        if is_confident and n_classes > 1:
            weights = weights * np.clip(1 + (targets * np.log(targets + _TINY)).sum(axis=1) / np.log(n_classes), 0, 1)
        chances = _chances(targets, weights) if imbalance == "resampling" else None
        if imbalance == "weights":
            targets, weights = class_weighted(targets, weights, "balanced")
        taught, heeded = _softened(teacher, temperature, targets.shape)
        mean = weights[weights > 0].mean() if (weights > 0).any() else 1.0
        used = share if heeded.any() else 0.0
        return cls(targets, weights / mean, taught, heeded, chances, used, temperature)

    @property
    def teaches(self) -> npt.NDArray[np.bool_]:
        """Shape (n_items,): whether there is anything to learn from the item."""
        return np.asarray((self.weights * (1 - self.share) > 0) | (self.heeded * self.share > 0))

    def losses(self, logits: torch.Tensor, rows: npt.NDArray[np.intp]) -> torch.Tensor:
        """Loss of each of some items, shape (n_rows,)."""
        log_p = torch.log_softmax(logits, dim=1)
        loss = -(_on(self.targets[rows], logits) * log_p).sum(dim=1) * _on(self.weights[rows], logits)
        if self.share == 0:
            return loss
        taught = _on(self.taught[rows], logits)
        soft = torch.log_softmax(logits / self.temperature, dim=1)
        divergence = (torch.xlogy(taught, taught) - taught * soft).sum(dim=1) * _on(self.heeded[rows], logits)
        return (1 - self.share) * loss + self.share * self.temperature**2 * divergence


def _check(imbalance: str, share: float, temperature: float) -> None:
    if imbalance not in IMBALANCE:
        raise UsageError(f"unknown imbalance {imbalance!r}: {nearest(imbalance, IMBALANCE)}")
    if not 0 <= share <= 1:
        raise UsageError(f"teacher_share must lie between 0 (the consensus alone) and 1 (the teacher), found {share}")
    if not 0 < temperature < np.inf:
        raise UsageError(f"temperature must be above 0, found {temperature}: 1 is as it is, 2 to 4 are usual")


def _chances(targets: Floats, weights: Floats) -> Floats:
    """In proportion to the share of each class that the item makes up."""
    mass = weights @ targets
    chances: Floats = targets @ np.divide(1.0, mass, out=np.zeros_like(mass), where=mass > 0)
    return chances


def _softened(teacher: Floats | None, temperature: float, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """The teacher's probabilities at the temperature, and where there are any."""
    if teacher is None:
        return np.zeros(shape), np.zeros(shape[0])
    if teacher.shape != shape:
        raise UsageError(f"the teacher's probabilities must have shape {shape}, found {teacher.shape}")
    said = np.asarray(np.isfinite(teacher).all(axis=1))
    powers = np.where(said[:, None], np.clip(teacher, _TINY, None), 1.0) ** (1 / temperature)
    return np.where(said[:, None], powers / powers.sum(axis=1, keepdims=True), 0.0), said.astype(np.float64)


def _on(numbers: Floats, like: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(numbers.astype(np.float32)).to(like.device)
