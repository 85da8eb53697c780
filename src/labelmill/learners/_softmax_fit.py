"""Softmax regression on dense features and probabilistic targets, by L-BFGS."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from labelmill.learners._network import Network, log_softmax

__all__ = ["fit_softmax"]

Floats = npt.NDArray[np.float64]

_MOST_STEPS: Final = 300
"""Steps of a fit at most; twenty to eighty are taken."""

_SINGLE: Final = 1_000_000
"""Numbers in a matrix from which products in single precision pay; the sums over items stay exact to five digits."""


def fit_softmax(
    features: npt.NDArray[np.float32],
    targets: Floats,
    weights: Floats,
    *,
    regularization: float,
    start: Network | None = None,
    tolerance: float = 1e-5,
) -> Network:
    r"""Minimise :math:`-\sum_i w_i \sum_k t_{ik} \log p_k(x_i) + \frac{\lambda}{2} \lVert W \rVert^2`.

    The minimum is unique but for a constant added to all intercepts, which are not penalised. One imaginary item at the
    origin with an even target joins in: with it every class occurs and the intercepts are finite, whatever the items
    say. Items that weigh nothing cost nothing.

    Parameters
    ----------
    features : ndarray of float32, shape (n_items, n_dimensions)
        Centred and scaled, see `labelmill.learners._sample`.
    targets : ndarray, shape (n_items, n_classes)
        Rows sum to 1.
    weights : ndarray, shape (n_items,)
    regularization : float
        :math:`\lambda`, above 0.
    start : Network, optional
        Where to begin; zeros without it. It changes how long the fit takes and the answer by its tolerance only.
    tolerance : float
        The fit ends when no slope of the mean loss is steeper.
    """
    (n_dimensions, n_classes), counts = (features.shape[1], targets.shape[1]), weights > 0
    precision = np.float32 if counts.sum() * n_dimensions > _SINGLE else np.float64
    matrix = features[counts].astype(precision)
    wanted, heavy = targets[counts], weights[counts][:, None]
    total = 1.0 + float(heavy.sum())

    def slope(flat: Floats) -> tuple[float, Floats]:
        inner, intercepts = flat[n_classes:].reshape(n_dimensions, n_classes), flat[:n_classes]
        logits = (matrix @ inner.astype(precision)).astype(np.float64) + intercepts
        logs, origin = log_softmax(logits), log_softmax(intercepts)
        loss = -float((heavy * wanted * logs).sum()) - origin.mean() + regularization / 2 * float((inner**2).sum())
        errors = heavy * (np.exp(logs) - wanted)
        down = (matrix.T @ errors.astype(precision)).astype(np.float64) + regularization * inner
        bias = errors.sum(axis=0) + np.exp(origin) - 1 / n_classes
        return loss / total, np.concatenate([bias, down.ravel()]) / total

    options = {"maxiter": _MOST_STEPS, "gtol": tolerance, "ftol": 1e-12, "maxcor": 20}
    found = minimize(slope, _flat(start, n_dimensions, n_classes), jac=True, method="L-BFGS-B", options=options)
    return Network(((found.x[n_classes:].reshape(n_dimensions, n_classes), found.x[:n_classes]),))


def _flat(start: Network | None, n_dimensions: int, n_classes: int) -> Floats:
    """Intercepts and weights in one vector."""
    if start is None:
        return np.zeros((n_dimensions + 1) * n_classes)
    weights, intercepts = start.layers[0]
    return np.concatenate([intercepts, weights.ravel()])
