from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from labelmill.domain.ports import Pool, Respondent
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError
from labelmill.selection import _coverage, _k_center, _squared_draws
from labelmill.selection._coverage import Cover, gaussian
from labelmill.selection._distances import nearest, squared_distances
from labelmill.selection._doubts import doubts, highest
from labelmill.selection._k_center import covering_radius, farthest_first
from labelmill.selection._k_means import k_means
from labelmill.selection._squared_draws import squared_draws
from labelmill.selection.badge import Badge
from labelmill.selection.bald import Bald
from labelmill.selection.cluster_margin import ClusterMargin
from labelmill.selection.density import Density
from labelmill.selection.expected_change import ExpectedChange
from labelmill.selection.expected_error_reduction import ExpectedErrorReduction, expected_gain
from labelmill.selection.herding import Herding
from labelmill.selection.least_confidence import LeastConfidence
from labelmill.selection.probcover import ProbCover
from labelmill.selection.typiclust import TypiClust
from labelmill.selection.uherding import UHerding

Floats = npt.NDArray[np.float32]


def silent(n: int, classes: str = "ab") -> VoteTable:
    return VoteTable([f"i{i}" for i in range(n)], [], list(classes), [], [], [])


def some(n: int, d: int = 5, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def groups(*sizes: int) -> Floats:
    """Well separated groups of rows on a circle, in order."""
    rng = np.random.default_rng(3)
    angle = 2 * np.pi * np.arange(len(sizes)) / len(sizes)
    middle = 10 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.repeat(middle, sizes, axis=0).astype(np.float32) + 0.3 * rng.normal(size=(sum(sizes), 2)).astype(
        np.float32
    )


def even(features: Floats, n_classes: int = 2, known: int = 0) -> Pool:
    n = len(features)
    return Pool(
        np.full((n, n_classes), 1 / n_classes), silent(n, "abcdefgh"[:n_classes]), 1, features, np.arange(n) < known
    )


def plain_greedy(rows: Floats, known: Floats, count: int) -> list[int]:
    """k-center as it is written in the books."""
    least = ((rows[:, None] - known[None]) ** 2).sum(axis=2).min(axis=1)
    chosen: list[int] = []
    for _ in range(count):
        chosen.append(int(least.argmax()))
        least = np.minimum(least, ((rows - rows[chosen[-1]]) ** 2).sum(axis=1))
        least[chosen] = -1
    return chosen


@pytest.mark.parametrize(("ahead", "together"), [(4_096, 256), (10, 3), (40, 2), (2, 256)])
def test_farthest_first_is_the_plain_greedy_algorithm(
    ahead: int, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However far it looks ahead, the rows and their order are those of the books."""
    monkeypatch.setattr(_k_center, "AHEAD", ahead)
    monkeypatch.setattr(_k_center, "TOGETHER", together)
    rows, known = some(300), some(4, seed=1)

    found = farthest_first(rows, np.ones(300, dtype=bool), known, 60)

    assert plain_greedy(rows, known, 60) == found.tolist()


def test_farthest_first_takes_equals_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a grid, where most distances are equal, the first of the farthest is next."""
    monkeypatch.setattr(_k_center, "AHEAD", 7)
    rows = np.stack(np.meshgrid(np.arange(6), np.arange(6)), axis=-1).reshape(-1, 2).astype(np.float32)

    found = farthest_first(rows, np.ones(36, dtype=bool), rows[:1], 1)

    assert [35] == found.tolist()
    assert 36 == len(set(farthest_first(rows, np.ones(36, dtype=bool), rows[:1], 36).tolist()))


def test_farthest_first_begins_in_the_middle() -> None:
    """Where nothing is known, the first row is the one nearest to the mean."""
    rows = np.array([[-5, 0], [0.1, 0], [5, 0], [0, 4]], dtype=np.float32)

    assert 1 == farthest_first(rows, np.ones(4, dtype=bool), rows[:0], 1)[0]


def test_covering_radius_is_the_farthest_distance() -> None:
    """Of three points on a line, covered by the first, the farthest is three away."""
    assert 3.0 == covering_radius(np.array([[0.0], [1.0], [3.0]], np.float32), np.array([[0.0]], np.float32))


@pytest.mark.parametrize("at_once", [1, 64])
def test_lazy_cover_is_the_plain_greedy_one(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gains that are looked at only where they may be the best lead to the same items as looking at all."""
    monkeypatch.setattr(_coverage, "AT_ONCE", at_once)
    rows, weights = some(120), np.random.default_rng(2).random(120).astype(np.float32)
    near = np.exp(-squared_distances(rows, rows) / 5.0)
    covered: npt.NDArray[np.float32] = np.zeros(120, dtype=np.float32)
    expected: list[int] = []
    for _ in range(15):
        gains = (np.maximum(near - covered, 0) * weights).sum(axis=1)
        gains[expected] = -1
        expected.append(int(gains.argmax()))
        covered = np.maximum(covered, near[expected[-1]])

    found = Cover(rows, rows, weights, gaussian(5.0)).greedy(15)

    assert expected == found.tolist()


def test_herding_takes_one_of_each_group_largest_first() -> None:
    """Three groups, three items, the largest group before the smallest; what is known is covered already."""
    rows = groups(10, 40, 20)
    group = np.repeat([0, 1, 2], [10, 40, 20])

    assert [1, 2, 0] == group[Herding().pick(even(rows), 3)].tolist()
    assert 0 not in group[Herding().pick(even(rows, known=10), 2)]


def test_herding_does_not_depend_on_the_scale() -> None:
    """Features in other units give the same batch."""
    rows = some(200)

    assert Herding().pick(even(rows), 12).tolist() == Herding().pick(even(rows * np.float32(256)), 12).tolist()


def test_herding_counts_for_how_many_an_item_stands() -> None:
    """One item that stands for a hundred comes before a group of ten."""
    rows = groups(10, 1)
    pool = even(rows)
    weighted = Pool(pool.probabilities, pool.votes, 1, rows, pool.known, weights=np.append(np.ones(10), 100.0))

    assert Herding().pick(pool, 1)[0] < 10
    assert 10 == Herding().pick(weighted, 1)[0]


def test_uncertainty_herding_covers_what_is_doubtful() -> None:
    """The doubtful group comes first although the sure one is larger."""
    rows = groups(40, 10)
    share = np.repeat([0.99, 0.55], [40, 10])
    pool = Pool(np.stack([share, 1 - share], axis=1), silent(50), 1, rows)

    assert UHerding().pick(pool, 1)[0] >= 40
    assert Herding().pick(pool, 1)[0] < 40


def test_herding_of_a_large_pool_is_drawn_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where candidates and targets are drawn, the groups are covered, and more than were drawn can be had."""
    monkeypatch.setattr(_coverage, "MOST_CANDIDATES", 20)
    monkeypatch.setattr(_coverage, "MOST_TARGETS", 30)
    rows = groups(60, 60, 60)

    picked = Herding().pick(even(rows), 100)

    assert 3 == len(set(picked[:3] // 60))
    assert 100 == len(set(picked.tolist()))


def test_typiclust_takes_the_middle_of_unanswered_groups() -> None:
    """The largest group without an answer comes first, and of it an item in its midst; small groups wait."""
    rows = groups(30, 40, 3, 20)
    group = np.repeat([0, 1, 2, 3], [30, 40, 3, 20])
    pool = Pool(np.full((93, 2), 0.5), silent(93), 1, rows, np.arange(93) == 35)

    picked = TypiClust().pick(pool, 3)

    assert [0, 3] == group[picked[:2]].tolist()
    middle = rows[group == 0].mean(axis=0)
    distances = np.linalg.norm(rows[group == 0] - middle, axis=1)
    assert distances[picked[0]] < np.median(distances)


def test_probcover_covers_most_within_its_radius() -> None:
    """It takes one of each group, largest first; a learned radius does not reach from one group to another."""
    rows = groups(10, 40, 20)
    group = np.repeat([0, 1, 2], [10, 40, 20])

    assert [1, 2, 0] == group[ProbCover(radius=3.0).pick(even(rows, 3), 3)].tolist()
    assert 3 == len(set(group[ProbCover().pick(even(rows, 3), 3)].tolist()))


def test_cluster_margin_asks_for_close_races_of_different_kinds() -> None:
    """Of ten ties in each of two groups, one of each is asked; without clusters both would be of the first."""
    rows = groups(20, 20)
    share = np.tile(np.repeat([0.5, 0.9], 10), 2)
    pool = Pool(np.stack([share, 1 - share], axis=1), silent(40), 1, rows)

    picked = ClusterMargin().pick(pool, 2)

    assert {0, 1} == set((picked // 20).tolist())
    assert (share[picked] == 0.5).all()


def test_badge_draws_as_often_as_the_gradients_written_down() -> None:
    """The second item is drawn as k-means++ on the full gradients would draw it."""
    rng = np.random.default_rng(5)
    rows, p = some(8, 3), rng.dirichlet(np.ones(3), size=8)
    errors = p - np.eye(3)[p.argmax(axis=1)]
    gradients = (errors[:, :, None] * rows[:, None, :]).reshape(8, -1)
    first = int((gradients**2).sum(axis=1).argmax())
    expected = ((gradients - gradients[first]) ** 2).sum(axis=1)
    expected /= expected.sum()

    picks = [Badge().pick(Pool(p, silent(8, "abc"), seed, rows), 2) for seed in range(1_500)]

    assert {first} == {int(pick[0]) for pick in picks}
    drawn = np.bincount([pick[1] for pick in picks], minlength=8) / 1_500
    np.testing.assert_allclose(drawn, expected, atol=0.045)


def test_draws_in_blocks_are_those_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The third row is drawn as often whether all rows were looked at after the second or not."""
    rows = np.array([[0.0], [1.0], [2.5], [4.0], [10.0]])

    def distances(some_rows: npt.NDArray[np.intp] | slice, others: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        return np.asarray((rows[some_rows] - rows[others].T) ** 2)

    def shares(together: int) -> npt.NDArray[np.float64]:
        monkeypatch.setattr(_squared_draws, "TOGETHER", together)
        first = np.array([5.0, 1, 1, 1, 1])
        third = [squared_draws(distances, first, 3, np.random.default_rng(s))[2] for s in range(1_500)]
        return np.bincount(third, minlength=5) / 1_500

    np.testing.assert_allclose(shares(128), shares(1), atol=0.05)


def test_k_means_finds_the_groups() -> None:
    """Four groups are four clusters, whatever the order of the rows; equal rows make fewer clusters than asked for."""
    rows = groups(10, 10, 10, 10)

    cluster, distance = k_means(rows, 4, np.random.default_rng(0))

    assert 4 == len({tuple(cluster[start : start + 10].tolist()) for start in range(0, 40, 10)})
    assert distance.max() < 3
    assert {0} == set(k_means(np.ones((5, 2), np.float32), 3, np.random.default_rng(0))[0].tolist())


def test_nearest_is_the_first_among_equals() -> None:
    """Of two equal centres the first is the nearest."""
    place, distance = nearest(np.zeros((1, 2), np.float32), np.ones((2, 2), np.float32))

    assert ([0], [2.0]) == (place.tolist(), distance.tolist())


def test_highest_in_one_pass_is_that_of_sorting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunk by chunk, with many ties: the same places in the same order as a stable sort of all."""
    monkeypatch.setattr("labelmill.selection._doubts.CHUNK_ROWS", 16)
    scores = np.random.default_rng(0).integers(0, 12, size=500).astype(np.float64)

    for count in (0, 1, 37, 400, 600):
        found = highest(lambda part: scores[part], 500, count)

        assert np.argsort(-scores, kind="stable")[:count].tolist() == found.tolist()


def test_doubts_are_the_same_by_columns_and_by_rows() -> None:
    """With few and with very many classes, doubt is one minus the lead of the first over the second."""
    rng = np.random.default_rng(0)
    for n_classes in (2, 3, 64, 200):
        p = rng.dirichlet(np.ones(n_classes), size=50)
        top = np.sort(p, axis=1)

        np.testing.assert_array_equal(1 - (top[:, -1] - top[:, -2]), doubts(p))
    assert 0 == doubts(np.ones((3, 1))).max()


def test_density_is_the_mean_cosine() -> None:
    """Made of the mean of the unit vectors, it is what all pairs give."""
    rows = some(30)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)

    scores = Density().score(even(rows))

    np.testing.assert_allclose((1 + (unit @ unit.T).mean(axis=1)) / 2, scores, atol=1e-6)


def test_expected_change_is_the_mean_gradient() -> None:
    """The length of the gradient that each answer would cause, weighed by how likely that is."""
    rows, p = some(4, 2), np.random.default_rng(1).dirichlet(np.ones(3), size=4)
    with_one = np.concatenate([rows, np.ones((4, 1))], axis=1)
    expected = [
        sum(p[i, k] * np.linalg.norm(np.outer(p[i] - np.eye(3)[k], with_one[i])) for k in range(3)) for i in range(4)
    ]

    np.testing.assert_allclose(expected, ExpectedChange().score(Pool(p, silent(4, "abc"), features=rows)), rtol=1e-6)


def test_bald_asks_where_the_sure_contradict_each_other() -> None:
    """Two models that are sure of different classes come before two that are both in doubt."""
    sure, doubtful = [[0.99, 0.01], [0.01, 0.99]], [[0.5, 0.5], [0.5, 0.5]]
    soft = {m: np.array([sure[m], doubtful[m]]) for m in range(2)}
    votes = VoteTable(["x", "y"], ["m", "n"], ["a", "b"], [0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 0, 0], soft=soft)

    contradicted, both_in_doubt = Bald().score(Pool(np.full((2, 2), 0.5), votes))

    assert contradicted > 0.9
    assert abs(both_in_doubt) < 1e-9


def test_bald_hears_little_from_poor_annotators() -> None:
    """A contradiction by one whom the consensus never follows tells less than one among the good."""
    votes = VoteTable.from_matrix([[0, 1, -1], [0, -1, 1], [0, 0, 1], [0, 0, 1]], classes=("a", "b"))
    p = np.array([[0.5, 0.5], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1]])

    among_the_good, by_the_poor, *_ = Bald().score(Pool(p, votes))

    assert among_the_good > by_the_poor


def test_expected_gain_is_what_simulated_answers_bring() -> None:
    """Answers drawn from the posterior, each taken into account by Bayes' rule, raise it by as much in the mean."""
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), size=6)
    who = Respondent("ann", 0.8)
    says = np.full((3, 3), 0.1) + 0.7 * np.eye(3)  # true class, answer
    expected = [sum(max(p[i] * says[:, y]) for y in range(3)) - p[i].max() for i in range(6)]

    np.testing.assert_allclose(expected, expected_gain(p, [who])[:, 0], atol=1e-12)


def test_whoever_saves_most_for_the_money_is_asked() -> None:
    """A cheap crowd is worth more on even odds, the dear expert on what the crowd could not change."""
    p = np.array([[0.5, 0.5], [0.85, 0.15]])
    crowd, expert = Respondent("crowd", 0.8, 1.0), Respondent("expert", 1.0, 2.0)

    scores = ExpectedErrorReduction().score(Pool(p, silent(2), respondents=(crowd, expert)))

    np.testing.assert_allclose([0.3, 0.075], scores)
    perfect = ExpectedErrorReduction().score(Pool(p, silent(2)))
    assert np.argsort(perfect).tolist() == np.argsort(LeastConfidence().score(Pool(p, silent(2)))).tolist()


@pytest.mark.parametrize("who", [Respondent("ann", 1.2), Respondent("ann", 0.9, 0.0)])
def test_impossible_respondents_are_refused(who: Respondent) -> None:
    """An accuracy above one or a cost of nothing is named."""
    with pytest.raises(UsageError, match="ann has accuracy"):
        expected_gain(np.array([[0.5, 0.5]]), [who])


def test_features_are_asked_for_by_name() -> None:
    """A strategy without the features it needs says what to set."""
    bare = Pool(np.full((3, 2), 0.5), silent(3))

    with pytest.raises(UsageError, match=r"\[features\] encoder"):
        Herding().pick(bare, 1)
