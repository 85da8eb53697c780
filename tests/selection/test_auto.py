from __future__ import annotations

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import Pool
from labelmill.domain.vote_table import VoteTable
from labelmill.selection.auto import AT_RANDOM, Auto
from labelmill.selection.cluster_margin import ClusterMargin
from labelmill.selection.herding import Herding


def pool(n: int = 60, *, seed: int = 0, known: int = 0, flat: bool = False, features: bool = True) -> Pool:
    rng = np.random.default_rng(7)
    share = np.full(n, 0.5) if flat else rng.random(n)
    votes = VoteTable([f"i{i}" for i in range(n)], [], ("no", "yes"), [], [], [])
    return Pool(
        np.stack([share, 1 - share], axis=1),
        votes,
        seed,
        rng.normal(size=(n, 4)).astype(np.float32) if features else None,
        np.arange(n) < known,
    )


def test_it_starts_by_herding() -> None:
    """While the probabilities say nothing, the batch is that of herding."""
    start = pool(flat=True)

    assert Auto(random_share=0).pick(start, 8).tolist() == Herding().pick(start, 8).tolist()


def test_it_goes_on_by_cluster_margin() -> None:
    """Once ten answers are known, the batch is that of cluster margin."""
    later = pool(known=10)

    assert Auto(random_share=0).pick(later, 8).tolist() == ClusterMargin().pick(later, 8).tolist()


def test_it_needs_no_features() -> None:
    """Without features it takes the smallest margins."""
    bare = pool(features=False)
    share = bare.probabilities[:, 0]

    picked = Auto(random_share=0).pick(bare, 5)

    assert np.argsort(np.abs(share - 0.5))[:5].tolist() == picked.tolist()


def test_the_random_share_is_kept_in_the_long_run() -> None:
    """Three items at a time and a tenth at random: over many batches it is a tenth, of all items alike."""
    drawn: npt.NDArray[np.int64] = np.zeros(60, dtype=np.int64)
    for seed in range(400):
        batch = pool(seed=seed, known=10, features=False)
        picked = Auto().pick(batch, 3)
        why = Auto().reasons(batch, picked)
        at_random = [place for place, reason in zip(picked, why, strict=True) if reason == AT_RANDOM]
        drawn[at_random] += 1

    assert 90 <= drawn.sum() <= 150
    assert (drawn > 0).sum() > 35
    assert drawn[:10].sum() == 0


def test_reasons_say_which_rule_chose() -> None:
    """A batch that begins by herding and goes on by margin says so of each item."""
    early = pool(known=6)

    why = Auto(random_share=0).reasons(early, Auto(random_share=0).pick(early, 8))

    assert [Herding.reason] * 4 + [ClusterMargin.reason] * 4 == why
