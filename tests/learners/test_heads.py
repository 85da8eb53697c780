"""Heads on features: what each adds to the promises of learners, on points with an answer known by construction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.datasets import load_digits, make_moons
from sklearn.linear_model import LogisticRegression

from labelmill.domain.item import ItemBatch
from labelmill.errors import StorageError, UsageError
from labelmill.learners._network import Network
from labelmill.learners._sample import Sample
from labelmill.learners._softmax_fit import fit_softmax
from labelmill.learners.auto_head import AutoHead
from labelmill.learners.label_spreading import LabelSpreading, Spreading
from labelmill.learners.linear_head import LinearHead
from labelmill.learners.self_training import SelfTraining, Teaching, pseudo_labels
from labelmill.learners.torch_head import TorchHead

Floats = npt.NDArray[np.float64]

HEADS = [LinearHead, LabelSpreading, SelfTraining, AutoHead, TorchHead]


def batch_of(features: npt.NDArray[Any]) -> ItemBatch:
    """Items that are nothing but features."""
    batch = ItemBatch.from_texts(map(str, range(len(features))))
    return ItemBatch(batch.frame, np.asarray(features, dtype=np.float32))


def clouds(n_items: int, *, apart: float, seed: int = 0, dimensions: int = 8) -> tuple[ItemBatch, npt.NDArray[np.intp]]:
    """Three round clouds and the cloud of each point."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n_items)
    return batch_of(apart * np.eye(dimensions)[truth] + rng.standard_normal((n_items, dimensions))), truth


def few(truth: npt.NDArray[Any], each: int) -> Floats:
    """Weights of 1 on the first items of every class, 0 elsewhere."""
    weights = np.zeros(len(truth))
    for k in np.unique(truth):
        weights[np.flatnonzero(truth == k)[:each]] = 1.0
    return weights


def share_right(learner: Any, batch: ItemBatch, truth: npt.NDArray[Any]) -> float:
    """Accuracy."""
    return float((learner.predict_proba(batch).argmax(axis=1) == truth).mean())


def test_the_fit_is_that_of_scikit_learn_where_targets_are_certain() -> None:
    """Same objective, same minimum: coefficients agree to three digits when the imaginary item is given to both."""
    batch, truth = clouds(90, apart=1.0)
    assert batch.features is not None
    rows = np.vstack([batch.features, np.zeros((3, 8))]).astype(np.float32)
    shares = np.append(np.ones(90), np.full(3, 1 / 3))

    ours = fit_softmax(batch.features, np.eye(3)[truth], np.ones(90), regularization=0.5, tolerance=1e-8)
    theirs = LogisticRegression(C=2.0, tol=1e-8, max_iter=1000).fit(rows, np.append(truth, [0, 1, 2]), shares)

    np.testing.assert_allclose(theirs.coef_.T, ours.layers[0][0], atol=2e-3)


@pytest.mark.parametrize("head", [LinearHead, TorchHead])
def test_a_soft_target_is_shares_of_certain_ones(head: Any) -> None:
    """An item of (0.7, 0.3) teaches what 0.7 items of one class and 0.3 of the other teach."""
    rng = np.random.default_rng(0)
    features = rng.standard_normal((40, 4))
    sure = rng.dirichlet([1, 1], 40)
    doubled = batch_of(np.vstack([features, features]))
    plain: dict[str, Any] = {"regularization": 0.1}
    options = plain if head is LinearHead else {"hidden": 0, "weight_decay": 0.0, "epochs": 300}

    soft = head(**options).fit(batch_of(features), sure).predict_proba(batch_of(features))
    split = (
        head(**options).fit(doubled, np.repeat(np.eye(2), 40, axis=0), sure.T.ravel()).predict_proba(batch_of(features))
    )

    np.testing.assert_allclose(soft, split, atol=0.02)


@pytest.mark.parametrize("head", HEADS)
def test_balanced_classes_let_the_rare_be_heard(head: Any) -> None:
    """With one item in twenty, a rare class that overlaps the common one is named more often when weighed."""
    rng = np.random.default_rng(1)
    truth = (np.arange(200) % 20 == 0).astype(int)
    batch = batch_of(rng.standard_normal((200, 3)) + truth[:, None])

    plain = head().fit(batch, np.eye(2)[truth]).predict_proba(batch)[:, 1].mean()
    weighed = head(class_weight="balanced").fit(batch, np.eye(2)[truth]).predict_proba(batch)[:, 1].mean()

    assert weighed > 2 * plain


def test_a_warm_start_changes_the_answer_within_the_tolerance() -> None:
    """Quicker, not other."""
    batch, truth = clouds(120, apart=2.0)
    used = LinearHead(warm_start=True, regularization=0.1).fit(batch, np.eye(3)[np.roll(truth, 1)])

    warm = used.fit(batch, np.eye(3)[truth]).predict_proba(batch)
    cold = LinearHead(regularization=0.1).fit(batch, np.eye(3)[truth]).predict_proba(batch)

    np.testing.assert_allclose(cold, warm, atol=5e-3)


def test_labels_spread_along_the_moons() -> None:
    """Three labels on each of two interleaved moons reach their points, where a straight line cannot part them."""
    points, truth = make_moons(300, noise=0.05, random_state=0)
    weights = few(truth, 3)
    sample = Sample.of(batch_of(points), np.eye(2)[truth], weights, class_weight="none", seed=0)

    arrived = Spreading.over(sample, 300, reach=0.99).logits(sample)
    straight = LinearHead(regularization=0.1).fit(batch_of(points), np.eye(2)[truth], weights)

    assert (arrived.argmax(axis=1) == truth[sample.place]).mean() > 0.97
    assert share_right(straight, batch_of(points), truth) < 0.93


def test_no_label_arrives_where_no_neighbour_has_one() -> None:
    """An island without a label is predicted, without certainty and without NaN."""
    points = np.vstack([np.random.default_rng(0).standard_normal((30, 2)), 1000 + np.zeros((12, 2))])
    weights = np.append(np.ones(30), np.zeros(12))

    predicted = LabelSpreading(n_neighbours=5).fit(batch_of(points), np.eye(2)[np.arange(42) % 2], weights)

    assert np.isfinite(predicted.predict_proba(batch_of(points))).all()


def test_a_graph_too_large_is_thinned_and_the_same_each_time() -> None:
    """At most so many items stand in the graph, all that teach among them."""
    batch, truth = clouds(400, apart=6.0)

    learner = LabelSpreading(most_items=60).fit(batch, np.eye(3)[truth], few(truth, 3))

    assert learner.details_["items"] == 60
    assert share_right(learner, batch, truth) > 0.95


def test_pseudo_labels_keep_the_shares_of_the_classes() -> None:
    """A regression that believes nearly everything is of one class does not fill the others' places with it."""
    batch, truth = clouds(300, apart=3.0)
    sample = Sample.of(batch, np.eye(3)[truth], few(truth, 4), class_weight="none", seed=0)
    biased = Network(((np.eye(8)[:, :3], np.array([50.0, 0.0, 0.0])),))

    balanced = pseudo_labels(sample, biased, Teaching(), share=0.5)
    taken_over = pseudo_labels(sample, biased, Teaching(is_balanced=False), share=0.5)

    n_open = 300 - 12
    assert (balanced.is_known & ~sample.is_known).sum() <= n_open * 0.5 / 3
    assert (taken_over.is_known & ~sample.is_known).sum() == n_open // 2


def test_pseudo_labels_below_the_confidence_are_not_given() -> None:
    """And together they weigh as much as they are trusted."""
    batch, truth = clouds(300, apart=2.0)
    sample = Sample.of(batch, np.eye(3)[truth], few(truth, 4), class_weight="none", seed=0)
    network = fit_softmax(sample.features, sample.targets, sample.weights, regularization=0.1)

    taught = pseudo_labels(sample, network, Teaching(confidence=0.9, trust=2.0), share=0.8)

    new = taught.is_known & ~sample.is_known
    assert new.any()
    assert network.predict_proba(sample.features[new]).max(axis=1).min() >= 0.9
    np.testing.assert_allclose(2.0 * sample.weights.sum(), taught.weights[new].sum())


def test_auto_takes_spreading_where_clusters_are_classes_and_not_where_they_are_not() -> None:
    """Chosen by held-out items: on moons something that reads the unlabelled, on targets by chance plain regression."""
    points, truth = make_moons(300, noise=0.05, random_state=0)
    halves = (clouds(300, apart=8.0)[0].features, np.random.default_rng(0).standard_normal(8))
    assert halves[0] is not None
    across = (halves[0] @ halves[1] > np.median(halves[0] @ halves[1])).astype(int)

    along = AutoHead().fit(batch_of(points), np.eye(2)[truth], few(truth, 10))
    plain = AutoHead().fit(batch_of(halves[0]), np.eye(2)[across], few(across, 20))

    assert along.details_["head"] in {"spread", "product", "self_training"}
    assert plain.details_["scores"]["linear"] < plain.details_["scores"]["spread"]


def test_auto_tells_what_it_tried_and_why_not_more(tmp_path: Path) -> None:
    """The scores and reasons are kept with the model."""
    batch, truth = clouds(60, apart=3.0)
    AutoHead().fit(batch, np.eye(3)[truth]).save(tmp_path)

    details = AutoHead.load(tmp_path).details_

    assert {"linear"} == set(details["scores"])
    assert details["left_out"]["spread"] == "no item is without a target"
    assert details["left_out"]["torch"] == "fewer than 20,000 items have targets"


def test_auto_tries_torch_where_items_are_many() -> None:
    """And predicts by its network without torch afterwards."""
    features = np.random.default_rng(0).standard_normal((400, 2))
    truth = (np.hypot(*features.T) > 1.2).astype(int)

    learner = AutoHead(large=300).fit(batch_of(features), np.eye(2)[truth])

    assert learner.details_["head"] == "torch"
    assert share_right(learner, batch_of(features), truth) > 0.75  # a line names half of them


def test_auto_is_as_sure_as_it_is_right() -> None:
    """Among targets of which a quarter is wrong, mean confidence is within 8 points of the accuracy on fresh ones."""
    batch, truth = clouds(600, apart=3.0)
    rng = np.random.default_rng(0)
    told = np.where(rng.random(600) < 0.25, rng.integers(0, 3, 600), truth)
    fresh, fresh_truth = clouds(600, apart=3.0, seed=5)
    fresh_told = np.where(rng.random(600) < 0.25, rng.integers(0, 3, 600), fresh_truth)

    predicted = AutoHead().fit(batch, np.eye(3)[told]).predict_proba(fresh)

    right = (predicted.argmax(axis=1) == fresh_told).mean()
    assert abs(predicted.max(axis=1).mean() - right) < 0.08


def test_few_digits_are_learned_from_with_the_rest_unlabelled() -> None:
    """Forty labels of 600 digits: auto reaches 88 %, at least three points more than regression alone."""
    data = load_digits()
    batch, truth = batch_of(data.data[:600] / 16), data.target[:600]
    weights = few(truth, 4)

    alone = share_right(LinearHead().fit(batch, np.eye(10)[truth], weights), batch, truth)
    auto = share_right(AutoHead().fit(batch, np.eye(10)[truth], weights), batch, truth)

    assert auto > 0.88
    assert auto > alone + 0.03


def test_features_of_another_encoder_are_refused() -> None:
    """The message says both lengths."""
    batch, truth = clouds(30, apart=3.0)
    learner = LinearHead().fit(batch, np.eye(3)[truth])

    with pytest.raises(UsageError, match="the features have 5 dimensions, learned were 8"):
        learner.predict_proba(batch_of(np.zeros((3, 5))))


def test_items_without_features_are_refused() -> None:
    """The message names the setting that makes them."""
    with pytest.raises(UsageError, match=r'\[features\] encoder = "hashing"'):
        LinearHead().fit(ItemBatch.from_texts("ab"), np.eye(2))


@pytest.mark.parametrize(
    ("head", "options", "message"),
    [
        (LinearHead, {"regularization": 0.0}, "regularization must be above 0"),
        (LinearHead, {"class_weight": "ballanced"}, "unknown class_weight 'ballanced': did you mean 'balanced'"),
        (LabelSpreading, {"reach": 1.0}, r"reach must lie in \[0, 1\), found 1.0"),
        (LabelSpreading, {"n_neighbours": 0}, "n_neighbours must be at least 1"),
        (SelfTraining, {"rounds": 0}, "rounds must be at least 1"),
        (SelfTraining, {"confidence": 1.0}, "confidence must lie in"),
        (SelfTraining, {"trust": 0.0}, "trust must be above 0"),
        (AutoHead, {"large": 0}, "large must be at least 1"),
        (TorchHead, {"hidden": -1}, "hidden must be at least 0"),
    ],
)
def test_impossible_options_are_refused_at_fit(head: Any, options: dict[str, Any], message: str) -> None:
    """As for every learner: stored when made, checked when used."""
    batch, truth = clouds(12, apart=3.0)

    with pytest.raises(UsageError, match=message):
        head(**options).fit(batch, np.eye(3)[truth])


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    """A cut file is named as such instead of giving wrong answers."""
    batch, truth = clouds(12, apart=3.0)
    LinearHead().fit(batch, np.eye(3)[truth]).save(tmp_path)
    whole = (tmp_path / "model.npz").read_bytes()
    (tmp_path / "model.npz").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(StorageError, match="train again"):
        LinearHead.load(tmp_path)
