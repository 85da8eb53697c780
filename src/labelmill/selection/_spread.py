"""How far shares are spread over the classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.selection._doubts import in_chunks

__all__ = ["normalised_entropy"]

Floats = npt.NDArray[np.float64]


def normalised_entropy(shares: npt.NDArray[np.floating[Any]]) -> Floats:
    """Entropy of each row over that of the uniform row, in [0, 1], shape (n_rows,); 0 with fewer than two classes.

    Parameters
    ----------
    shares : ndarray, shape (n_rows, n_classes)
        Rows sum to 1; 0 log 0 is 0.
    """
    if shares.shape[1] < 2:
        return np.zeros(len(shares))
    return in_chunks(_normalised_entropy, shares)


def _normalised_entropy(shares: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.floating[Any]]:
    logs = np.log(shares, where=shares > 0, out=np.zeros_like(shares))
    entropy = -np.einsum("ij,ij->i", shares, logs) / np.log(shares.shape[1])
    return np.asarray(np.clip(entropy, 0.0, 1.0) + 0.0)  # no -0.0
