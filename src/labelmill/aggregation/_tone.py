"""How a model's probabilities are read: by one temperature, and by one for each class where data allow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._posterior import posterior
from labelmill.aggregation._tally import Floats
from labelmill.domain.sums import Sums

__all__ = ["LOUDEST", "Lean", "SharedErrors", "Tone", "lean"]

SPREAD_OF_TILTS = 0.1
"""Standard deviation of a class's temperature about the model's, as a share of it. A wider one gains more where models
are skewed and loses more where people share errors: on 11 real crowds with made-up classifiers."""
SPREAD_OF_LEADS = 0.3
"""The same of leads, in nats, from where it is learned."""
CREDITED = 1.0
"""Classes' worth of belief in that, beside the classes there are."""
LOUDEST = 5.0
"""A model that learned from soft labels is too modest; people's answers may raise its temperature up to this."""
RIGHT, WRONG = 3.0, 2.0
"""Items of each class that people are credited with having named right, and wrong, all together."""
TILTS = (-0.9, 4.0)
LEADS = (-6.0, 6.0)
"""No class is turned around or ruled out by its model's habits."""


@dataclass(frozen=True, slots=True)
class Tone:
    r"""What a model's log probabilities count for: T (1 + u_k) log p_ik + b_k for class k.

    Temperature scaling (Guo et al. 2017, https://doi.org/10.48550/arXiv.1706.04599) with, for each class, a tilt u of
    its own and a lead b: Dirichlet calibration with a diagonal matrix (Kull et al. 2019,
    https://doi.org/10.48550/arXiv.1910.12656). Tilts and leads are shrunk to none, leads by as much as is learned.

    Parameters
    ----------
    temperature : float
        T, which all classes share.
    tilts, leads : tuple of float
        u and b by class, both 0 in the mean; empty where one temperature is all there is.
    spread : float
        Standard deviation of the normal prior of leads.
    """

    temperature: float = 1.0
    tilts: tuple[float, ...] = ()
    leads: tuple[float, ...] = ()
    spread: float = SPREAD_OF_LEADS

    def tilted(self, logs: Floats) -> Floats:
        """What the temperature multiplies, (n_rows, n_classes)."""
        return logs * (1.0 + np.array(self.tilts)) if self.tilts else logs

    def say(self, logs: Floats, given: npt.NDArray[np.bool_]) -> Floats:
        """What these log probabilities count for, (n_rows, n_classes); nothing on rows where none were given."""
        said = self.temperature * self.tilted(logs)
        return said + np.where(given[:, None], np.array(self.leads), 0.0) if self.leads else said

    def moved(self, found: Lean) -> Self:
        """One step up the posterior of tilts and leads, and the spread under which these leads are likeliest.

        The curvature of a softmax is at most twice its diagonal, so that no step goes too far (compare Böhning 1992,
        https://doi.org/10.1007/BF00048682). The spread follows MacKay's evidence (1992,
        https://doi.org/10.1162/neco.1992.4.3.415): mean squares of what was found, and variances of it.
        """
        n_classes = found.slope.shape[1]
        now = np.stack([self.tilts or np.zeros(n_classes), self.leads or np.zeros(n_classes)])
        precision = np.array([SPREAD_OF_TILTS, self.spread]) ** -2.0
        step, _ = _solved(found.slope - precision[:, None] * now, 2.0 * found.bend, precision)
        tilts, leads = np.clip(now[0] + step[0], *TILTS), np.clip(now[1] + step[1], *LEADS)
        temperature = min(self.temperature * (1.0 + float(tilts.mean())), LOUDEST)
        tilts = (1.0 + tilts) * (self.temperature / temperature) - 1.0 if temperature > 0 else np.zeros(n_classes)
        leads -= leads.mean()
        _, doubt = _solved(found.slope, found.bend, precision)
        squares = CREDITED * SPREAD_OF_LEADS**2 + float((leads**2 + doubt).sum())
        return replace(
            self,
            temperature=temperature,
            tilts=tuple(tilts.tolist()),
            leads=tuple(leads.tolist()),
            spread=float(np.sqrt(squares / (CREDITED + n_classes))),
        )


def _solved(slope: Floats, bend: Floats, precision: Floats) -> tuple[Floats, Floats]:
    """Newton steps of each class's tilt and lead, (2, n_classes), and the variances of leads, (n_classes,)."""
    of_tilt, of_both, of_lead = bend[0] + precision[0], bend[1], bend[2] + precision[1]
    size = of_tilt * of_lead - of_both**2
    step = np.stack([of_lead * slope[0] - of_both * slope[1], of_tilt * slope[1] - of_both * slope[0]])
    return step / size, of_tilt / size


class Lean(NamedTuple):
    """How the log likelihood of people's answers bends in a model's tilts and leads, and what people take for what.

    Parameters
    ----------
    slope : ndarray of float64, shape (2, n_classes)
        First derivatives, by tilts and by leads.
    bend : ndarray of float64, shape (3, n_classes)
        Minus the second ones where the model alone speaks, of each class: tilt twice, tilt and lead, lead twice.
    taken : ndarray of float64, shape (n_classes, n_classes)
        `[k, l]`: expected items of class k that people, all together, took for class l.
    """

    slope: Floats
    bend: Floats
    taken: Floats

    @classmethod
    def of(cls, sums: Sums) -> Self:
        """The lean over all shards."""
        return cls(*sums.arrays)

    @classmethod
    def none(cls, n_classes: int) -> Self:
        """That of no items."""
        return cls(np.zeros((2, n_classes)), np.zeros((3, n_classes)), np.zeros((n_classes, n_classes)))


@dataclass(frozen=True, slots=True)
class SharedErrors:
    """How often people, all together, take one class for another; without a table: never.

    Where all fall for the same answer, their agreement says that the model leans away from it. Both are told apart by
    how sure the model was: a lean moves what it is unsure of, an error of people comes whatever it says. So each row,
    what items of class k are taken for, has a Dirichlet prior that says "mostly for what they are", and is learned
    beside the model's tone. It is used for nothing else: people are judged by people.
    """

    table: tuple[tuple[float, ...], ...] = ()

    def shares(self, n_classes: int) -> Floats:
        """`[k, l]`: how often people take class k for l; rows sum to 1."""
        return np.array(self.table) if self.table else self.learned(np.zeros((n_classes, n_classes))).shares(n_classes)

    def learned(self, taken: Floats) -> Self:
        """The mean of the posterior after these expected items `[k, l]`."""
        n_classes = len(taken)
        prior = np.full(taken.shape, WRONG / max(n_classes - 1, 1))
        np.fill_diagonal(prior, RIGHT)
        counts = taken + prior
        return type(self)(tuple(map(tuple, (counts / counts.sum(axis=1, keepdims=True)).tolist())))


def lean(tone: Tone, logs: Floats, beside: Floats, people: Floats, weights: Floats, shares: Floats) -> Sums:
    """The lean at a tone, over rows where people answered and the model gave probabilities.

    Parameters
    ----------
    tone : Tone
    logs : ndarray of float64, shape (n_rows, n_classes)
        Log probabilities of the model.
    beside : ndarray of float64, same shape
        What other machines and the class balance say, as scores.
    people : ndarray of float64, same shape
        What people say, as scores.
    weights : ndarray of float64, shape (n_rows,)
        How many items each row stands for.
    shares : ndarray of float64, shape (n_classes, n_classes)
        What people take for what, see `SharedErrors`.

    Returns
    -------
    Sums
        `Lean`.
    """
    expected, _ = posterior(beside + tone.say(logs, np.ones(len(logs), dtype=np.bool_)))
    taken_for = np.exp(people - people.max(axis=1, keepdims=True, initial=-np.inf))
    likely = taken_for @ shares.T
    targets = expected * likely
    targets /= np.einsum("ij->i", targets)[:, None]
    taken = shares * ((weights[:, None] * targets / likely).T @ taken_for)
    louder = tone.temperature * logs
    missed, doubt = weights[:, None] * (targets - expected), weights[:, None] * expected * (1.0 - expected)
    slope = [np.einsum("ij,ij->j", missed, louder), np.einsum("ij->j", missed)]
    bend = [
        np.einsum("ij,ij,ij->j", doubt, louder, louder),
        np.einsum("ij,ij->j", doubt, louder),
        np.einsum("ij->j", doubt),
    ]
    return Sums((np.stack(slope), np.stack(bend), taken))
