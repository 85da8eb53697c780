"""The final score: how wrong labels are, against gold. Nothing that is scored may have seen it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from labelmill.domain.schema import ABSTAIN
from labelmill.pipeline.simulated_person import read_gold
from labelmill.quality.bounds import clopper_pearson_upper

__all__ = ["Score"]


class Score:
    """Gold, opened to measure.

    Parameters
    ----------
    gold : Path
        Parquet file with the columns `id` and `label`.
    """

    def __init__(self, gold: Path) -> None:
        self._gold = read_gold(gold)

    def error(self, labels: Mapping[str, str | None]) -> float:
        """Share of items whose label is wrong or missing."""
        wrong = sum(self._gold[item] != label for item, label in labels.items())
        return wrong / len(labels) if labels else 0.0

    def bound(self, labels: Mapping[str, str | None], *, n_audit: int, risk: float, seed: int) -> float:
        """What an audit of so many random items would prove of these labels: at most this share is wrong.

        A Clopper-Pearson bound that fails with probability `risk`; for the curve of what answers buy, where nothing
        is deferred to people and every point has a sample of its own.
        """
        drawn = np.random.default_rng([seed, len(labels)]).choice(
            sorted(labels), min(n_audit, len(labels)), replace=False
        )
        wrong = sum(self._gold[item] != labels[item] for item in drawn.tolist())
        return clopper_pearson_upper(wrong, len(drawn), risk=risk)

    def truth(self, items: Sequence[str], classes: Sequence[str]) -> npt.NDArray[np.int16]:
        """Shape (n_items,): true class index of each item, ABSTAIN where gold does not say."""
        index = {name: k for k, name in enumerate(classes)}
        return np.array([index.get(self._gold.get(item, ""), ABSTAIN) for item in items], dtype=np.int16)
