"""The learner for texts: options, errors, files, and how well it does on real texts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from labelmill.domain.item import ItemBatch
from labelmill.errors import NotFittedError, SchemaError, StorageError, UsageError
from labelmill.learners.tfidf_linear import TfidfLinear

DATA = Path(__file__).parents[3] / "shared" / "data" / "text"
TEXTS = ["win money now", "money for free", "lunch at noon", "see you at noon"] * 5
TARGETS = np.array([[0.1, 0.9], [0.2, 0.8], [0.9, 0.1], [0.9, 0.1]] * 5)


def real(name: str, n_items: int) -> tuple[ItemBatch, npt.NDArray[np.int64]]:
    """The first texts of a data set in shuffled order, and their class indices."""
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"the data set {name} is not on this machine")
    items = pl.read_csv(folder / "items.csv", infer_schema=False)
    rows = items.join(pl.read_csv(folder / "truth.csv", infer_schema=False), on="item")
    rows = rows.sample(n_items, shuffle=True, seed=0)
    classes = rows["label"].unique().sort()
    truth = rows["label"].cast(pl.Enum(classes)).to_physical().cast(pl.Int64).to_numpy()
    return ItemBatch.from_texts(rows["text"], rows["item"]), truth


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Don't STOP", ["don't", "stop"]),
        ("win £100!!!", ["win", "£", "100", "!!!"]),
        ("so 'sad' :-(", ["so", "'", "sad", "'", ":-("]),
        ("天气很好 today", ["天", "气", "很", "好", "today"]),
        ("用iPhone拍", ["用", "iphone", "拍"]),
        ("ดี", ["ด", "ี"]),
        ("हिन्दी है।", ["हिन्दी", "है", "।"]),
        ("naïve cafe\u0301 \U0001f642", ["naïve", "cafe\u0301", "\U0001f642"]),
    ],
)
def test_terms_are_words_signs_and_characters_of_scripts_without_spaces(text: str, terms: list[str]) -> None:
    """Signs count as words, since `!!!` and `:-(` say much; accents and vowel signs stay inside their words."""
    learner = TfidfLinear(ngrams=1).fit(ItemBatch.from_texts([text] * 4), np.eye(2)[[0, 1, 0, 1]])

    assert set(terms) == set(learner.vectorizer_.get_feature_names_out())


def test_texts_without_any_term_are_predicted_by_the_share_of_each_class() -> None:
    """An empty vocabulary is no failure."""
    batch = ItemBatch.from_texts(["", " ", "\n"] * 100)

    predicted = TfidfLinear().fit(batch, np.full((300, 2), [0.8, 0.2])).predict_proba(batch)

    np.testing.assert_allclose(np.full((300, 2), [0.8, 0.2]), predicted, atol=0.01)


def test_a_sole_class_is_certain() -> None:
    """With one class there is nothing to tell apart."""
    batch = ItemBatch.from_texts(TEXTS)
    targets = np.ones((20, 1))

    np.testing.assert_array_equal(targets, TfidfLinear().fit(batch, targets).predict_proba(batch))
    np.testing.assert_array_equal(targets, TfidfLinear().cross_predict_proba(batch, targets))


def test_terms_beyond_the_most_wanted_are_left_out() -> None:
    """The commonest are kept."""
    learner = TfidfLinear(ngrams=1, max_terms=3).fit(ItemBatch.from_texts(TEXTS), TARGETS)

    assert {"at", "money", "noon"} == set(learner.vectorizer_.get_feature_names_out())


def test_other_fields_are_read_when_named() -> None:
    """The subject decides where the texts are all alike."""
    frame = pl.DataFrame({"id": [str(i) for i in range(20)], "data": ["same"] * 20, "meta.subject": TEXTS})

    learner = TfidfLinear(fields=("subject", "text")).fit(ItemBatch(frame), TARGETS)

    np.testing.assert_array_equal(TARGETS.argmax(axis=1), learner.predict_proba(ItemBatch(frame)).argmax(axis=1))


def test_an_unknown_field_is_named() -> None:
    """A field no item has is refused, with the nearest one."""
    with pytest.raises(SchemaError, match="no field 'txt': did you mean 'text'"):
        TfidfLinear(fields=("txt",)).fit(ItemBatch.from_texts(TEXTS), TARGETS)


@pytest.mark.parametrize(
    ("targets", "weights", "message"),
    [
        (TARGETS[:3], None, r"targets must have shape \(20, n_classes\), found \(3, 2\)"),
        (TARGETS[:, 0], None, r"found \(20,\)"),
        (TARGETS, np.ones(3), r"weights must have shape \(20,\), found \(3,\)"),
        (np.full((20, 2), np.nan), None, "targets must be finite and not negative"),
        (TARGETS, np.full(20, -1.0), "weights must be finite and not negative"),
    ],
)
def test_targets_and_weights_that_do_not_fit_are_refused(
    targets: npt.NDArray[np.float64], weights: npt.NDArray[np.float64] | None, message: str
) -> None:
    """The message says the shape found and the shape expected."""
    with pytest.raises(UsageError, match=message):
        TfidfLinear().fit(ItemBatch.from_texts(TEXTS), targets, weights)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"regularization": 0.0}, "regularization must be above 0, found 0.0"),
        ({"ngrams": 0}, "ngrams must be at least 1, found 0"),
        ({"max_terms": 0}, "max_terms must be at least 1, found 0"),
        ({"fields": ()}, "fields must name at least one field"),
    ],
)
def test_impossible_options_are_refused_at_fit(options: dict[str, object], message: str) -> None:
    """Options are stored when the learner is made and checked when it is used."""
    learner = TfidfLinear(**options)  # type: ignore[arg-type]  # wrong values on purpose

    with pytest.raises(UsageError, match=message):
        learner.fit(ItemBatch.from_texts(TEXTS), TARGETS)


def test_one_fold_is_refused() -> None:
    """With one fold every item would be predicted by a fit that saw it."""
    with pytest.raises(UsageError, match="n_folds must be at least 2, found 1"):
        TfidfLinear().cross_predict_proba(ItemBatch.from_texts(TEXTS), TARGETS, n_folds=1)


def test_items_without_a_target_teach_nothing() -> None:
    """A row of zeros is left out, whatever its weight."""
    batch = ItemBatch.from_texts([*TEXTS, "money money money"])
    targets = np.vstack([TARGETS, [0, 0]])
    weights = np.append(np.ones(20), 1000.0)
    zero_weight = np.append(np.ones(20), 0.0)

    left_out = TfidfLinear(regularization=1.0).fit(batch, targets, weights).predict_proba(batch)
    unheard = TfidfLinear(regularization=1.0).fit(batch, targets + 0.5, zero_weight).predict_proba(batch)

    np.testing.assert_array_equal(left_out.argmax(axis=1), unheard.argmax(axis=1))
    assert left_out[20, 1] > 0.5


def test_progress_ends_at_its_total() -> None:
    """The callback hears of the choice and of the fit."""
    heard: list[tuple[int, int]] = []

    TfidfLinear().fit(
        ItemBatch.from_texts(TEXTS), TARGETS, None, lambda done, total, _=None: heard.append((done, total))
    )

    assert heard[-1][0] == heard[-1][1]


def test_other_texts_are_counted_anew() -> None:
    """What is kept of the last batch is not used for texts that differ, even under the same ids."""
    first = TfidfLinear().fit(ItemBatch.from_texts(TEXTS), TARGETS)

    second = TfidfLinear().fit(ItemBatch.from_texts(list(reversed(TEXTS))), TARGETS)

    assert first.fingerprint != second.fingerprint


def test_rounds_on_the_same_texts_give_what_a_first_round_gives() -> None:
    """The kept matrix changes speed, not answers."""
    batch = ItemBatch.from_texts(TEXTS)
    other = ItemBatch.from_texts(["something", "else"] * 4)
    fresh = TfidfLinear().fit(batch, TARGETS).fingerprint
    TfidfLinear().fit(other, TARGETS[:8])

    again = TfidfLinear().fit(batch, TARGETS).fingerprint

    assert fresh == again


def test_a_choice_made_for_other_texts_is_not_used() -> None:
    """The same targets on other texts are judged anew."""
    targets = np.eye(2)[np.arange(200) % 2]
    plain = ItemBatch.from_texts(f"{('left', 'right')[i % 2]} {i % 7}" for i in range(200))
    blurred = ItemBatch.from_texts(f"word{i % 40} word{i % 31} word{i % 23}" for i in range(200))
    fresh = TfidfLinear().fit(blurred, targets).regularization_
    TfidfLinear().fit(plain, targets)

    assert fresh == TfidfLinear().fit(blurred, targets).regularization_


def test_an_unfitted_learner_cannot_be_saved(tmp_path: Path) -> None:
    """There is nothing to save before a fit."""
    with pytest.raises(NotFittedError, match="call fit"):
        TfidfLinear().save(tmp_path)


def test_options_come_back_with_the_learner(tmp_path: Path) -> None:
    """A loaded learner reads the same fields and longest run."""
    TfidfLinear(ngrams=3, seed=7).fit(ItemBatch.from_texts(TEXTS), TARGETS).save(tmp_path)

    loaded = TfidfLinear.load(tmp_path)

    assert (loaded.ngrams, loaded.seed) == (3, 7)


@pytest.mark.parametrize("name", ["model.json", "model.npz"])
def test_damaged_files_are_refused(tmp_path: Path, name: str) -> None:
    """A cut file is named as such instead of giving wrong answers."""
    TfidfLinear().fit(ItemBatch.from_texts(TEXTS), TARGETS).save(tmp_path)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])

    with pytest.raises(StorageError, match="train again"):
        TfidfLinear.load(tmp_path)


def test_another_layout_is_refused(tmp_path: Path) -> None:
    """A file from another version of the learner is not read half right."""
    TfidfLinear().fit(ItemBatch.from_texts(TEXTS), TARGETS).save(tmp_path)
    state = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps({**state, "layout": 99}))

    with pytest.raises(StorageError, match="layout 99, expected 1"):
        TfidfLinear.load(tmp_path)


def test_no_folder_is_refused(tmp_path: Path) -> None:
    """The message names the folder."""
    with pytest.raises(StorageError, match="nowhere"):
        TfidfLinear.load(tmp_path / "nowhere")


def test_noisy_targets_ask_for_simpler_models() -> None:
    """The regularization chosen rises with the noise of the targets."""
    batch, truth = real("sms_spam", 2000)
    rng = np.random.default_rng(0)
    noisy = np.where(rng.random(2000) < 0.4, rng.integers(0, 2, 2000), truth)

    clear = TfidfLinear().fit(batch, np.eye(2)[truth])
    blurred = TfidfLinear().fit(batch, np.eye(2)[noisy])

    assert clear.regularization_ < blurred.regularization_


@pytest.mark.parametrize(
    ("name", "n_classes", "from_few", "from_noisy"),
    [("sms_spam", 2, 0.94, 0.96), ("ag_news", 4, 0.64, 0.77)],
)
def test_real_texts_are_learned(name: str, n_classes: int, from_few: float, from_noisy: float) -> None:
    """Good enough from 300 true labels, and from 3,000 of which a quarter is drawn by lot."""
    batch, truth = real(name, 3000)
    rng = np.random.default_rng(0)
    noisy = np.where(rng.random(3000) < 0.25, rng.integers(0, n_classes, 3000), truth)
    few, rest = batch.slice(0, 300), batch.slice(300, 2700)

    learned = TfidfLinear().fit(few, np.eye(n_classes)[truth[:300]]).predict_proba(rest)
    crossed = TfidfLinear().cross_predict_proba(batch, 0.75 * np.eye(n_classes)[noisy] + 0.25 / n_classes)

    assert (learned.argmax(axis=1) == truth[300:]).mean() > from_few
    assert (crossed.argmax(axis=1) == truth).mean() > from_noisy


@pytest.mark.slow
def test_fifty_classes_are_learned() -> None:
    """Many classes need no other code: each text names its class among three words."""
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 50, 2000)
    batch = ItemBatch.from_texts(f"name{k} word{rng.integers(300)} word{rng.integers(300)}" for k in classes)

    crossed = TfidfLinear().cross_predict_proba(batch, np.eye(50)[classes])

    assert (crossed.argmax(axis=1) == classes).mean() > 0.99
