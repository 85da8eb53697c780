from __future__ import annotations

import numpy as np
import pytest

from labelmill.domain.ports import Pool
from labelmill.domain.vote_table import VoteTable
from labelmill.selection.disagreement import Disagreement
from labelmill.selection.entropy import Entropy
from labelmill.selection.least_confidence import LeastConfidence
from labelmill.selection.margin import Margin
from labelmill.selection.random import Random

NOBODY = VoteTable(["x", "y"], [], ("a", "b", "c"), [], [], [])
CLOSE_RACE, SPREAD = [0.5, 0.5, 0.0], [0.6, 0.2, 0.2]


def test_margin_prefers_the_close_race() -> None:
    """A tie of two classes comes before a clear lead over two others."""
    scores = Margin().score(Pool(np.array([CLOSE_RACE, SPREAD]), NOBODY))

    np.testing.assert_allclose([1.0, 0.6], scores)


def test_entropy_prefers_the_spread() -> None:
    """Entropy puts the clear lead with a long tail first: why it is no safe default."""
    close_race, spread = Entropy().score(Pool(np.array([CLOSE_RACE, SPREAD]), NOBODY))

    assert close_race == pytest.approx(np.log(2) / np.log(3))
    assert spread > close_race


def test_least_confidence_is_scaled() -> None:
    """Half sure among three classes is three quarters of the way to uniform."""
    scores = LeastConfidence().score(Pool(np.array([CLOSE_RACE, [1.0, 0.0, 0.0]]), NOBODY))

    np.testing.assert_allclose([0.75, 0.0], scores)


def test_disagreement_counts_votes_not_probabilities() -> None:
    """A split vote scores high even where the label model is certain; a silent item scores highest."""
    votes = VoteTable.from_matrix([[0, 1], [0, 0], [-1, -1]], classes=("a", "b"))
    certain = np.tile([1.0, 0.0], (3, 1))

    assert Disagreement().score(Pool(certain, votes)).tolist() == [1.0, 0.0, 1.0]


def test_weighted_disagreement_hushes_poor_annotators() -> None:
    """One that the consensus contradicts everywhere makes no disagreement."""
    votes = VoteTable.from_matrix([[0, 1], [0, 1]], classes=("a", "b"))
    pool = Pool(np.tile([1.0, 0.0], (2, 1)), votes)

    assert Disagreement().score(pool).tolist() == [1.0, 1.0]
    assert Disagreement(weighted=True).score(pool).tolist() == [0.0, 0.0]


def test_random_follows_seed_and_item() -> None:
    """An item keeps its number wherever it stands; another seed gives another."""
    one, other = VoteTable(["x", "y"], [], "ab", [], [], []), VoteTable(["y", "z"], [], "ab", [], [], [])
    even = np.full((2, 2), 0.5)

    first = Random().score(Pool(even, one, seed=1))

    assert first[1] == Random().score(Pool(even, other, seed=1))[0]
    assert (first != Random().score(Pool(even, one, seed=2))).all()


def test_random_is_uniform() -> None:
    """Ten thousand items fill ten bins evenly."""
    votes = VoteTable([str(i) for i in range(10_000)], [], "ab", [], [], [])

    counts, _ = np.histogram(Random().score(Pool(np.full((10_000, 2), 0.5), votes)), bins=10, range=(0, 1))

    assert (abs(counts - 1000) < 150).all()
