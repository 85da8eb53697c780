from __future__ import annotations

import numpy as np

from labelmill.aggregation.ebcc import EBCC
from labelmill.aggregation.shrinkage_dawid_skene import ShrinkageDawidSkene
from labelmill.domain.vote_table import VoteTable


def _with_traps(*, seed: int) -> tuple[VoteTable, np.ndarray[tuple[int], np.dtype[np.intp]]]:
    """Rare positives, a third of which most people miss together."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(1500) < 0.3).astype(np.intp)
    trap = (truth == 1) & (rng.random(1500) < 0.35)
    says_yes = np.where(truth == 1, np.where(trap, 0.35, 0.92), 0.04)
    matrix = (rng.random((1500, 7)) < says_yes[:, None]).astype(np.int16)
    return VoteTable.from_matrix(matrix, classes=("no", "yes"), kinds=["person"] * 7), truth


def test_shared_errors_are_not_many_witnesses() -> None:
    """Where many fall into the same trap, EBCC is less sure of the errors than Dawid-Skene is (not rarer wrong)."""
    for seed in range(3):
        table, truth = _with_traps(seed=seed)
        ebcc, dawid_skene = (model.fit(table).predict_proba(table) for model in (EBCC(), ShrinkageDawidSkene()))

        loss, base_loss = (-np.log(p[np.arange(1500), truth].clip(1e-12)).mean() for p in (ebcc, dawid_skene))

        assert loss < base_loss


def test_one_subtype_is_a_class() -> None:
    """With a single subtype the answers are nearly Dawid-Skene's."""
    table, _ = _with_traps(seed=5)

    single, dawid_skene = (
        model.fit(table).predict_proba(table).argmax(axis=1) for model in (EBCC(n_subtypes=1), ShrinkageDawidSkene())
    )

    assert (single == dawid_skene).mean() > 0.98
