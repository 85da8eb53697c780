"""What every learner promises, on small texts; those that read features are given some of the words."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.item import ItemBatch
from labelmill.domain.ports import Learner
from labelmill.errors import NotFittedError

__all__ = ["PROMISES"]

Floats = npt.NDArray[np.float64]
Make = Callable[[], Learner]

_CLASS_WORDS = (("goal", "match", "team"), ("bank", "profit", "market"), ("poem", "novel", "author"))
_OTHER_WORDS = ("the", "a", "yesterday", "again", "here", "one", "more", "often")
_N_DIMENSIONS = 64
_TOLERANCE = 1e-3
"""Probabilities this close are the same: fits may sum in another order."""


def promise_probabilities_are_probabilities(make: Make) -> None:
    """One row an item, one column a class, between 0 and 1, rows sum to 1."""
    batch, targets = _three_topics(60, seed=0)

    learner = make().fit(batch, targets)

    for probabilities in (learner.predict_proba(batch), make().cross_predict_proba(batch, targets)):
        assert probabilities.shape == (60, 3)
        assert probabilities.dtype == np.float64
        assert (probabilities >= 0).all()
        np.testing.assert_allclose(1.0, probabilities.sum(axis=1), atol=1e-9)


def promise_same_input_same_answer(make: Make) -> None:
    """Two learners that saw the same are the same, whatever they learned before."""
    batch, targets = _three_topics(60, seed=1)
    other, other_targets = _three_topics(40, seed=2)
    used = make().fit(other, other_targets[:, ::-1])

    first, second = make().fit(batch, targets), used.fit(batch, targets)

    assert first.fingerprint == second.fingerprint
    np.testing.assert_array_equal(first.predict_proba(other), second.predict_proba(other))
    np.testing.assert_array_equal(make().cross_predict_proba(batch, targets), used.cross_predict_proba(batch, targets))


def promise_save_and_load_change_nothing(make: Make) -> None:
    """A learner comes back from its folder with the same predictions and fingerprint, and holds no pickle."""
    batch, targets = _three_topics(60, seed=3)
    fresh, _ = _three_topics(30, seed=4)
    learner = make().fit(batch, targets)

    with tempfile.TemporaryDirectory() as name:
        learner.save(Path(name))
        files = [path.suffix for path in Path(name).rglob("*") if path.is_file()]
        loaded = type(learner).load(Path(name))

    assert ".pkl" not in files
    assert ".pickle" not in files
    assert learner.fingerprint == loaded.fingerprint
    np.testing.assert_array_equal(learner.predict_proba(fresh), loaded.predict_proba(fresh))


def promise_fingerprint_follows_the_fitted_state(make: Make) -> None:
    """Other targets, another fingerprint."""
    batch, targets = _three_topics(60, seed=5)

    one, other = make().fit(batch, targets), make().fit(batch, targets[:, ::-1])

    assert one.fingerprint != other.fingerprint


def promise_order_of_items_does_not_matter(make: Make) -> None:
    """Shuffled items give the same model and the same cross predictions."""
    batch, targets = _three_topics(60, seed=6)
    order = np.random.default_rng(0).permutation(60)
    shuffled = _with_features(ItemBatch(batch.frame[order]))

    straight = make().fit(batch, targets).predict_proba(batch)
    crossed = make().cross_predict_proba(batch, targets)

    np.testing.assert_allclose(
        straight, make().fit(shuffled, targets[order]).predict_proba(batch), atol=_TOLERANCE, rtol=0
    )
    np.testing.assert_allclose(
        crossed[order], make().cross_predict_proba(shuffled, targets[order]), atol=_TOLERANCE, rtol=0
    )


def promise_order_of_classes_does_not_matter(make: Make) -> None:
    """Classes in another order are predicted in that order."""
    batch, targets = _three_topics(60, seed=7)
    order = [2, 0, 1]

    straight = make().fit(batch, targets).predict_proba(batch)
    turned = make().fit(batch, targets[:, order]).predict_proba(batch)

    np.testing.assert_allclose(straight[:, order], turned, atol=_TOLERANCE, rtol=0)


def promise_an_item_is_predicted_alone(make: Make) -> None:
    """The other items of a batch do not enter a prediction."""
    batch, targets = _three_topics(60, seed=8)
    learner = make().fit(batch, targets)

    together = learner.predict_proba(batch)
    alone = np.vstack([learner.predict_proba(batch.slice(i, 1)) for i in range(10)])

    np.testing.assert_allclose(together[:10], alone, atol=1e-6, rtol=0)


def promise_plain_topics_are_learned(make: Make) -> None:
    """Texts with words of their own for each class are told apart, also when their own target was held out."""
    batch, targets = _three_topics(120, seed=9)
    fresh, fresh_targets = _three_topics(60, seed=10)

    predicted = make().fit(batch, targets).predict_proba(fresh)
    crossed = make().cross_predict_proba(batch, targets)

    assert _share_right(predicted, fresh_targets) >= 0.95
    assert _share_right(crossed, targets) >= 0.95


def promise_soft_targets_are_used(make: Make) -> None:
    """A text that is one class in eight of ten cases is predicted near 0.8, not near 1."""
    batch = _texts(["left side", "right side"] * 100)
    targets = np.array([[0.8, 0.2], [0.2, 0.8]] * 100)

    predicted = make().fit(batch, targets).predict_proba(batch)

    np.testing.assert_allclose(targets, predicted, atol=0.12)


def promise_weights_count(make: Make) -> None:
    """Of equal texts with opposite targets the heavier win."""
    batch = _texts(["same words here"] * 40)
    targets = np.array([[1.0, 0.0], [0.0, 1.0]] * 20)

    for heavy in (0, 1):
        weights = np.where(np.arange(40) % 2 == heavy, 5.0, 1.0)
        predicted = make().fit(batch, targets, weights).predict_proba(batch)

        assert (predicted[:, heavy] > 0.5).all()


def promise_cross_predictions_are_no_echo(make: Make) -> None:
    """Targets drawn by lot cannot be foretold, though each text has a word that names it."""
    rng = np.random.default_rng(11)
    batch = _texts(f"word{i} word{i} name{i}" for i in range(300))
    targets = np.eye(2)[rng.integers(0, 2, 300)]

    crossed = make().cross_predict_proba(batch, targets)

    assert _share_right(crossed, targets) <= 0.6


def promise_inputs_are_left_alone(make: Make) -> None:
    """Neither the items nor the targets nor the weights change."""
    batch, targets = _three_topics(30, seed=12)
    weights = np.full(30, 2.0)
    frame, targets_before, weights_before = batch.frame.clone(), targets.copy(), weights.copy()

    make().fit(batch, targets, weights).predict_proba(batch)
    make().cross_predict_proba(batch, targets, weights)

    assert frame.equals(batch.frame)
    np.testing.assert_array_equal(targets_before, targets)
    np.testing.assert_array_equal(weights_before, weights)


def promise_odd_texts_are_taken(make: Make) -> None:
    """Empty texts, other scripts, signs beyond the basic plane, controls and very long words are texts too."""
    odd = ["", " ", "\n\t", "你好，世界", "мир", "🙂🙃", "a\u0301\u200d", "\x01\ufffd", "x" * 10_000, "'", "!!!"]
    batch = _texts(odd * 3)
    targets = np.tile([[0.9, 0.1], [0.3, 0.7], [0.5, 0.5]], (11, 1))

    for probabilities in (
        make().fit(batch, targets).predict_proba(batch),
        make().cross_predict_proba(batch, targets),
    ):
        assert np.isfinite(probabilities).all()


def promise_few_items_are_enough(make: Make) -> None:
    """No item, one, or fewer than folds; classes that never occur; a sole class everywhere."""
    for n_items in (0, 1, 2, 5):
        batch = _texts(f"text number {i}" for i in range(n_items))
        targets = np.eye(4)[np.arange(n_items) % 2]
        for used in (targets, np.eye(4)[np.zeros(n_items, dtype=int)]):
            for probabilities in (
                make().fit(batch, used).predict_proba(batch),
                make().cross_predict_proba(batch, used, n_folds=3),
            ):
                assert probabilities.shape == (n_items, 4)
                assert np.isfinite(probabilities).all()
                np.testing.assert_allclose(1.0, probabilities.sum(axis=1), atol=1e-9)


def promise_an_unfitted_learner_says_so(make: Make) -> None:
    """Asked before it has learned, a learner raises NotFittedError."""
    batch, _ = _three_topics(3, seed=13)

    def fingerprint(learner: Learner) -> Any:
        return learner.fingerprint

    for asked in (lambda learner: learner.predict_proba(batch), fingerprint):
        try:
            asked(make())
        except NotFittedError:
            continue
        raise AssertionError("an unfitted learner answered")


def promise_unlabelled_items_and_those_without_features_are_taken(make: Make) -> None:
    """Items of weight 0, and rows of NaN where an encoder failed, are predicted like all others and spoil nothing."""
    batch, targets = _three_topics(120, seed=14)
    weights = (np.arange(120) < 80).astype(np.float64)
    assert batch.features is not None
    batch.features[::7] = np.nan
    has_features = np.isfinite(batch.features).all(axis=1)

    for probabilities in (
        make().fit(batch, targets, weights).predict_proba(batch),
        make().cross_predict_proba(batch, targets, weights),
    ):
        assert np.isfinite(probabilities).all()
        np.testing.assert_allclose(1.0, probabilities.sum(axis=1), atol=1e-9)
        assert _share_right(probabilities[has_features], targets[has_features]) >= 0.8


PROMISES: list[Callable[[Make], None]] = [
    promise_probabilities_are_probabilities,
    promise_same_input_same_answer,
    promise_save_and_load_change_nothing,
    promise_fingerprint_follows_the_fitted_state,
    promise_order_of_items_does_not_matter,
    promise_order_of_classes_does_not_matter,
    promise_an_item_is_predicted_alone,
    promise_plain_topics_are_learned,
    promise_soft_targets_are_used,
    promise_weights_count,
    promise_cross_predictions_are_no_echo,
    promise_inputs_are_left_alone,
    promise_odd_texts_are_taken,
    promise_few_items_are_enough,
    promise_unlabelled_items_and_those_without_features_are_taken,
    promise_an_unfitted_learner_says_so,
]


def _three_topics(n_items: int, *, seed: int) -> tuple[ItemBatch, Floats]:
    """Texts of three topics, each with words of its own among common ones; targets are 0.9 sure."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 3, n_items)
    texts = []
    for topic in classes:
        words = [*rng.choice(_CLASS_WORDS[topic], 2), *rng.choice(_OTHER_WORDS, 4)]
        texts.append(" ".join(rng.permutation(words)))
    targets = np.full((n_items, 3), 0.05)
    targets[np.arange(n_items), classes] = 0.9
    return _texts(texts, [f"{seed}-{i}" for i in range(n_items)]), targets


def _texts(texts: Iterable[str], ids: Iterable[str] | None = None) -> ItemBatch:
    """A batch of texts with features."""
    return _with_features(ItemBatch.from_texts(texts, ids))


def _with_features(batch: ItemBatch) -> ItemBatch:
    """The batch with the mean vector of each text's words, which are drawn by the hash of the word.

    Common words count little, as with any encoder of use.
    """
    rows = [np.mean([_word_vector(word) for word in text.split() or [""]], axis=0) for text in batch.column("text")]
    features = np.array(rows, dtype=np.float32).reshape(len(batch), _N_DIMENSIONS)
    return ItemBatch(batch.frame, features)


def _word_vector(word: str) -> Floats:
    length = 0.3 if word in _OTHER_WORDS else 1.0
    return length * np.random.default_rng(zlib.crc32(word.encode())).standard_normal(_N_DIMENSIONS)


def _share_right(probabilities: Floats, targets: Floats) -> float:
    return float((probabilities.argmax(axis=1) == targets.argmax(axis=1)).mean())
