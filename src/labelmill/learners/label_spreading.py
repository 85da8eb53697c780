"""Label spreading: what is known of some items goes over to those that lie near them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

from labelmill.errors import UsageError
from labelmill.learners._feature_head import FeatureHead, Learning
from labelmill.learners._neighbour_graph import neighbour_graph, spread_labels
from labelmill.learners._network import Network
from labelmill.learners._sample import Sample
from labelmill.learners._softmax_fit import fit_softmax

__all__ = ["LabelSpreading", "Spreading"]

Floats = npt.NDArray[np.float64]

_REGULARIZATION: Final = 1.0
"""Of the regression on what was spread: there are many targets, and neighbours make them soft."""

_TOLERANCE: Final = 1e-4
"""Of that regression: its targets are guesses, the last digits of which tell nothing."""

_FAINT: Final = 1e-9
"""Mass of labels below which none has arrived."""

_LEAST: Final = 1e-3
"""Share of each class that is always thinkable, so that a product with another head is never vetoed."""


class LabelSpreading(FeatureHead):
    """Spreads labels over the graph of nearest neighbours, then learns a regression from what arrived.

    Where the clusters of the features are the classes, a few labels are enough; where they are not, it does harm: so
    whether it helps is for `auto_head` to find out. Items of weight 0 are what it spreads to: give it all there are.

    Parameters
    ----------
    n_neighbours : int
        Of each item in the graph.
    reach : float
        How far labels go, see `spread_labels`; at least 0 and below 1.
    most_items : int
        Items in the graph at most: those with targets, and others by lot. Time is proportional to its square.
    class_weight : {"none", "balanced"}
    seed : int
        Of the lot, and of folds.

    References
    ----------
    Zhou, Bousquet, Lal, Weston, Schölkopf (2004). Learning with local and global consistency. NIPS 16. The regression
    on the spread targets is ours: it predicts items that came later, and smooths what the graph got wrong.
    """

    def __init__(
        self,
        *,
        n_neighbours: int = 10,
        reach: float = 0.9,
        most_items: int = 10_000,
        class_weight: str = "none",
        seed: int = 0,
    ) -> None:
        super().__init__(class_weight=class_weight, seed=seed)
        self.n_neighbours = n_neighbours
        self.reach = reach
        self.most_items = most_items

    def _check_options(self) -> None:
        for name, value in (("n_neighbours", self.n_neighbours), ("most_items", self.most_items)):
            if value < 1:
                raise UsageError(f"{name} must be at least 1, found {value}")
        if not 0 <= self.reach < 1:
            raise UsageError(f"reach must lie in [0, 1), found {self.reach}")

    def settled(self, sample: Sample) -> Learning:
        """Spreading over the graph of the sample's items, which the folds share."""
        spreading = Spreading.over(sample, self.most_items, self.n_neighbours, self.reach)
        details = {"neighbours": self.n_neighbours, "reach": self.reach, "items": len(spreading.places)}
        return Learning(spreading.learn, details)


@dataclass(frozen=True)
class Spreading:
    """Label spreading among some items of a sample, whichever of them teach.

    Parameters
    ----------
    places : ndarray of int, shape (n_nodes,)
        The items in the graph.
    graph : csr_array, shape (n_nodes, n_nodes)
    reach : float
    """

    places: npt.NDArray[np.intp]
    graph: sparse.csr_array
    reach: float

    @classmethod
    def over(cls, sample: Sample, most_items: int, n_neighbours: int = 10, reach: float = 0.9) -> Spreading:
        """Over the graph of the sample's items, or of as many as `most_items`."""
        places = sample.chosen(most_items)
        return cls(places, neighbour_graph(sample.features[places], n_neighbours), reach)

    def learn(self, sample: Sample) -> Network:
        """The regression on what the targets of a sample spread to."""
        nodes = sample.only(self.places)
        probabilities, has_arrived = self._spread(nodes)
        weights = np.where(has_arrived & nodes.is_encoded, np.maximum(nodes.weights, 1.0), 0.0)
        return fit_softmax(nodes.features, probabilities, weights, regularization=_REGULARIZATION, tolerance=_TOLERANCE)

    def logits(self, sample: Sample) -> Floats:
        """Logarithms of what arrives at each item of a sample, shape (n_items, n_classes); even outside the graph."""
        probabilities = np.full((len(sample), sample.n_classes), 1 / sample.n_classes)
        probabilities[self.places] = self._spread(sample.only(self.places))[0]
        return np.asarray(np.log(probabilities + _LEAST))

    def _spread(self, nodes: Sample) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Shares of the classes at each node, and whether any label arrived there."""
        mean = nodes.weights[nodes.is_known].mean() if nodes.is_known.any() else 1.0
        arrived = spread_labels(self.graph, nodes.targets * (nodes.weights / mean)[:, None], reach=self.reach)
        mass = arrived.sum(axis=1, keepdims=True)
        shares = np.tile(nodes.shares, (len(nodes), 1))
        return np.divide(arrived, mass, out=shares, where=mass > _FAINT), mass[:, 0] > _FAINT
