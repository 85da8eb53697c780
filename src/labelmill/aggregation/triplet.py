"""Triplet: precisions in closed form, from how any three annotators go together."""

from __future__ import annotations

import numpy as np

from labelmill.aggregation._by_overlaps import Found, OverlapLearner, Solver, anchor_of, bounded
from labelmill.aggregation._loadings import AgainstRest, loadings
from labelmill.aggregation._overlaps import Overlaps
from labelmill.aggregation._tally import Floats

__all__ = ["Triplet"]


class Triplet(OverlapLearner):
    r"""Each annotator's precisions from triplets: two covariances divided by a third, nothing to converge.

    For class k let :math:`y` be 1 on its items and 0 elsewhere, :math:`x_a` be 1 where annotator a names k, -1 where a
    names another class, 0 without a vote. If votes are independent given y, then

    .. math:: \mathrm{Cov}(x_a, x_b) = c_a c_b, \quad c_a = \frac{\mathrm{Cov}(x_a, y)}{\mathrm{sd}(y)}
              \quad\Rightarrow\quad |c_a| = \sqrt{\left|\frac{\mathrm{Cov}(x_a, x_b)\,\mathrm{Cov}(x_a, x_c)}
              {\mathrm{Cov}(x_b, x_c)}\right|}

    for any b, c: the median over them is taken. Signs are such that most annotators are better than chance. With c
    known, a label l of annotator j is regressed on the others, and its precision is

    .. math:: P(k \mid \lambda_j = l) = \pi_k + \frac{\mathrm{sd}(y)}{P(\lambda_j = l)} \cdot
              \frac{\sum_{b \neq j} \mathrm{Cov}([\lambda_j = l], x_b)\, c_b / \mathrm{Var}(x_b)}
              {\sum_{b \neq j} c_b^2 / \mathrm{Var}(x_b)}

    FlyingSquid (Fu, Chen, Sala, Hooper, Fatahalian and Ré 2020, "Fast and Three-rious: Speeding Up Weak Supervision
    with Triplet Methods", ICML, PMLR 119:3280-3291), equation 1; several classes one against the rest, as there. We
    differ in taking covariances, where the paper takes products, so that rules that only ever name one class can be
    learned from; in precisions label by label; in learning the class balance, by EM in which keeping silent counts too;
    and in an anchor: precisions are drawn to `anchor_precision` by `anchor_votes` votes, weighed against the label's
    votes times how well the others tell the class, so that where too few annotators overlap the anchor is what is left.

    For comparison. Copied rules break the assumption, and with many classes so do rules that name one class each:
    given "another class" they still depend on which. Where items are given to few people each, who was not asked is
    taken as an answer; for people see `ShrinkageDawidSkene`.

    Parameters
    ----------
    class_balance : sequence of float, optional
        Share of each class, in the order of the classes; without it it is learned.
    anchor_precision : float
        Precision of a label about which nothing is known.
    anchor_votes : float
        Votes that the anchor counts for.
    max_iterations : int
        At most so many steps of learning the class balance, one pass over the votes each.
    tolerance : float
        Stop when no class share changes by this much.
    seed : int
        Not used; nothing is drawn.

    Attributes
    ----------
    class_balance_ : ndarray of float64, shape (n_classes,)
        Share of each class among items with votes, given or learned.
    precision_ : ndarray of float64, shape (n_annotators, n_classes, n_classes)
        `[j, l, k]`: probability of class k where annotator j votes l.
    reliability_ : ndarray of float64, shape (n_annotators,)
        Probability that a vote names the true class; NaN without votes.
    details_ : dict
        `model`, `iterations`, `max_iterations` and `converged` (of the class balance), `triplets` (used, over all
        classes), `without_triplet` (pairs of annotator and class for which there was none), `anchored` (labels of
        annotators that are all anchor: nobody tells their class).

    Examples
    --------
    >>> from labelmill.domain.vote_table import VoteTable
    >>> table = VoteTable.from_matrix([[0, -1], [0, -1], [-1, 1], [-1, 1]], classes=("ham", "spam"))
    >>> Triplet().fit(table).predict_proba(table).argmax(axis=1).tolist()
    [0, 0, 1, 1]
    """

    model_name = "triplet"

    def _solver(self, overlaps: Overlaps) -> Solver:
        n_annotators, n_classes = overlaps.votes.shape
        slopes = np.empty((n_annotators, n_classes, n_classes))
        weight = np.full((n_annotators, n_classes), np.inf)
        triplets, without = 0, 0
        covariance = overlaps.covariance
        for k in range(n_classes):
            against_rest = AgainstRest.of(covariance, k)
            loading, used = loadings(against_rest.between, overlaps.n_items)
            slopes[:, :, k], heard = _regressed(against_rest, loading)
            weight = np.minimum(weight, overlaps.votes * heard[:, None])
            triplets, without = triplets + int(used.sum()), without + int((used == 0).sum())
        anchored = int(((weight == 0) & (overlaps.votes > 0)).sum())
        details = {"triplets": triplets, "without_triplet": without, "anchored": anchored}
        rate = np.maximum(overlaps.votes, 1.0) / max(overlaps.n_items, 1.0)

        def solve(balance: Floats, _before: Floats | None) -> Found:
            found = balance + np.sqrt(balance * (1.0 - balance)) * slopes / rate[:, :, None]
            return Found(bounded(self._drawn(found, weight[:, :, None])), details)

        return solve

    def _drawn(self, found: Floats, weight: Floats) -> Floats:
        anchor = anchor_of(found.shape[2], self.anchor_precision)
        possible = np.clip(found, 0.0, 1.0)
        total = possible.sum(axis=2, keepdims=True)
        possible = np.where(total > 0, possible / np.where(total > 0, total, 1.0), anchor)
        return np.asarray((weight * possible + self.anchor_votes * anchor) / (weight + self.anchor_votes))


def _regressed(against_rest: AgainstRest, loading: Floats) -> tuple[Floats, Floats]:
    """Covariance of each label `[j, l]` with the standardised truth, by the other annotators, and their information.

    The latter, (n_annotators,), is the sum of their squared correlations with the truth: 0 where none is known.
    """
    variance = np.diagonal(against_rest.between)
    usable = variance > 0
    scaled = np.where(usable, loading / np.where(usable, variance, 1.0), 0.0)
    n_annotators = len(loading)
    by_others = np.where(np.eye(n_annotators, dtype=np.bool_), 0.0, scaled)
    heard = by_others @ loading
    total = np.einsum("alb,ab->al", against_rest.of_labels, by_others)
    known = heard[:, None] > 0
    return np.where(known, total / np.where(known, heard[:, None], 1.0), 0.0), heard
