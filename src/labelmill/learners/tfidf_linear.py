"""TF-IDF and logistic regression by scikit-learn: the learner to begin with for texts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from labelmill.domain.item import ItemBatch
from labelmill.domain.ports import Progress
from labelmill.errors import NotFittedError, UsageError
from labelmill.learners._saved import loading, read_state, state_fingerprint, write_state
from labelmill.learners._soft_logistic import fit_soft, soft_logistic
from labelmill.learners._targets import agreement, checked_targets, folds, item_keys

__all__ = ["TfidfLinear"]

Floats = npt.NDArray[np.float64]

_ALONE: Final = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
"""Characters of scripts that set no spaces between words (Thai, Lao, Burmese, Khmer, kana, Han): each is a word."""

_MARKS: Final = r"\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u200c\u200d"
"""Accents and vowel signs that Python does not count among the characters of words, though they are inside them."""

_WORD: Final = rf"[{_ALONE}]|[^\W{_ALONE}]+(?:(?:[{_MARKS}]+|'(?=\w))[^\W{_ALONE}]*)*|[^\w\s]+"
"""A character alone, a word, or a run of signs (`!!!`, `:-)`, `£`)."""

_NO_TERM: Final = ""
"""Stands in a vocabulary that would be empty; no text holds it."""

_STRENGTHS: Final = (1.0, 0.3, 0.1)
"""Regularizations tried, from simple models to bold ones."""

_N_HELD_OUT: Final = 1_000
"""Held-out items that decide between regularizations: enough to tell them apart, cheap to have."""

_N_CHOICE: Final = 3_000
"""Items the choice is made on, at most."""

_CHOICE_FOLDS: Final = 3

_LAYOUT: Final = 1

_latest: dict[bytes, tuple[TfidfVectorizer, sparse.csr_array]] = {}
"""The vectorizer and matrix of the last batch learned from: the targets change from round to round, the texts do not.

One entry, keyed by the texts themselves, so every learner of a project shares it and a stale one is never used.
"""

_latest_strength: list[Any] = [b"", 1.0]
"""What was chosen for the last items and targets: `fit` and `cross_predict_proba` on the same targets choose once."""


class TfidfLinear:
    """Learns classes of texts from probabilistic labels, by words and short runs of words.

    scikit-learn's `TfidfVectorizer` (logarithmic counts) makes the terms; they are words, signs such as `!!!`, and
    single characters of scripts without spaces. Its `LogisticRegression` learns from the targets as they are: an item
    of (0.7, 0.3) enters as 0.7 items of one class and 0.3 of the other. Nothing is drawn at random but the folds, which
    follow from the items' ids and the seed; so neither the order of the items nor earlier fits change an answer.

    Parameters
    ----------
    fields : sequence of str
        The fields read as one text: `text` and any of the user's columns. Missing values are empty.
    ngrams : int
        Longest run of words that counts as a term.
    max_terms : int
        Most terms kept, the commonest first. A term occurs in at least two items.
    regularization : float, optional
        Strength of the ridge, 1 / C of `LogisticRegression`. Without it, that of 1, 0.3 and 0.1 is taken whose
        predictions agree best with held-out targets (of about 1,000 items, or all): few or clear labels ask for less,
        noisy ones for more.
    seed : int
        Of the folds.

    Examples
    --------
    >>> batch = ItemBatch.from_texts(["win money now", "money for free", "lunch at noon", "see you at noon"] * 5)
    >>> targets = np.array([[0.1, 0.9], [0.2, 0.8], [0.9, 0.1], [0.9, 0.1]] * 5)
    >>> TfidfLinear().fit(batch, targets).predict_proba(ItemBatch.from_texts(["free money", "noon"])).argmax(axis=1)
    array([1, 0])
    """

    def __init__(
        self,
        *,
        fields: Sequence[str] = ("text",),
        ngrams: int = 2,
        max_terms: int = 20_000,
        regularization: float | None = None,
        seed: int = 0,
    ) -> None:
        self.fields = fields
        self.ngrams = ngrams
        self.max_terms = max_terms
        self.regularization = regularization
        self.seed = seed

    def fit(
        self,
        batch: ItemBatch,
        probabilities: Floats,
        weights: Floats | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Learn from targets of shape (n_items, n_classes) and weights of shape (n_items,).

        An item whose targets are all zero teaches nothing. A weight of 2 is the same as the item twice.

        Raises
        ------
        UsageError
            If shapes do not fit, a target or weight is negative or not a number, or an option is impossible.
        """
        self._check_options()
        targets, weights = checked_targets(batch, probabilities, weights)
        vectorizer, matrix = self._learned_terms(batch)
        report = progress or _silent
        strength = self._strength(batch, matrix, targets, weights)
        report(1, 2)
        self.vectorizer_ = vectorizer
        self.classifier_ = fit_soft(matrix, targets, weights, regularization=strength)
        self.n_classes_ = targets.shape[1]
        self.regularization_ = strength
        report(2, 2)
        return self

    def predict_proba(self, batch: ItemBatch) -> Floats:
        """Class probabilities, shape (n_items, n_classes); rows sum to 1.

        Raises
        ------
        NotFittedError
            If called before `fit`.
        """
        self._require_fit()
        if not len(batch) or self.n_classes_ == 1:
            return np.ones((len(batch), self.n_classes_))
        predicted: Floats = self.classifier_.predict_proba(self.vectorizer_.transform(self._texts(batch)))
        return predicted

    def cross_predict_proba(
        self,
        batch: ItemBatch,
        probabilities: Floats,
        weights: Floats | None = None,
        *,
        n_folds: int = 3,
    ) -> Floats:
        """Class probabilities, shape (n_items, n_classes), each predicted by a fit that did not see its target.

        The vocabulary is learned once from all texts, which no target enters; only the strength of the regularization,
        one of three, is chosen for all folds together. Folds hold the likely classes in equal shares. With one item
        there is nothing to learn from, and its classes are equally likely. Leaves a fitted state as it is.
        """
        self._check_options()
        targets, weights = checked_targets(batch, probabilities, weights)
        n_items, n_classes = targets.shape
        if n_items < 2 or n_classes < 2:
            return np.full((n_items, n_classes), 1 / n_classes)
        if n_folds < 2:
            raise UsageError(f"n_folds must be at least 2, found {n_folds}")
        _, matrix = self._learned_terms(batch)
        strength = self._strength(batch, matrix, targets, weights)
        folds = _folds(batch, targets, min(n_folds, n_items), self.seed)
        predicted = np.empty_like(targets)
        for k in range(folds.max() + 1):
            rest, held_out = np.flatnonzero(folds != k), np.flatnonzero(folds == k)
            classifier = fit_soft(matrix[rest], targets[rest], weights[rest], regularization=strength)
            predicted[held_out] = classifier.predict_proba(matrix[held_out])
        return predicted

    def save(self, folder: Path) -> None:
        """Write `model.npz` (arrays) and `model.json` (options and terms); never a pickle."""
        self._require_fit()
        state = {
            "layout": _LAYOUT,
            "options": self._options(),
            "n_classes": self.n_classes_,
            "regularization": self.regularization_,
            "terms": self._terms(),
        }
        write_state(folder, state, self._arrays())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The learner that `save` wrote.

        Raises
        ------
        StorageError
            If its files are missing, damaged or of another layout.
        """
        with loading(folder):
            state, arrays = read_state(folder, layout=_LAYOUT)
            learner = cls(**state["options"])
            learner.vectorizer_ = learner._vectorizer(vocabulary=state["terms"])
            learner.vectorizer_.idf_ = arrays["idf"]
            learner.n_classes_, learner.regularization_ = state["n_classes"], state["regularization"]
            learner.classifier_ = soft_logistic(learner.n_classes_, learner.regularization_)
            learner.classifier_.classes_ = np.arange(max(2, learner.n_classes_))
            learner.classifier_.coef_, learner.classifier_.intercept_ = arrays["coefficients"], arrays["intercepts"]
        return learner

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the options and the fitted state; equal exactly when all predictions are."""
        self._require_fit()
        return state_fingerprint(self._options(), [self.n_classes_, *self._terms()], arrays=self._arrays())

    def _check_options(self) -> None:
        if not self.fields:
            raise UsageError("fields must name at least one field, e.g. ('text',)")
        for name, value, least in (("ngrams", self.ngrams, 1), ("max_terms", self.max_terms, 1)):
            if value < least:
                raise UsageError(f"{name} must be at least {least}, found {value}")
        if self.regularization is not None and not self.regularization > 0:
            raise UsageError(
                f"regularization must be above 0, found {self.regularization}; leave it out to have it chosen"
            )

    def _options(self) -> dict[str, Any]:
        return {
            "fields": list(self.fields),
            "ngrams": self.ngrams,
            "max_terms": self.max_terms,
            "regularization": self.regularization,
            "seed": self.seed,
        }

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        classifier = self.classifier_
        return {
            "idf": self.vectorizer_.idf_,
            "coefficients": classifier.coef_,
            "intercepts": classifier.intercept_,
        }

    def _terms(self) -> list[str]:
        """The terms in the order of their columns."""
        terms: list[str] = self.vectorizer_.get_feature_names_out().tolist()
        return terms

    def _require_fit(self) -> None:
        if not hasattr(self, "classifier_"):
            raise NotFittedError("this TfidfLinear has not learned yet: call fit(batch, probabilities) first")

    def _texts(self, batch: ItemBatch) -> list[str]:
        """The fields as one text; missing values are empty."""
        fields = [pl.lit(batch.column(name)).cast(pl.String).fill_null("") for name in self.fields]
        return pl.select(pl.concat_str(fields, separator="\n")).to_series().to_list()

    def _vectorizer(self, **options: Any) -> TfidfVectorizer:
        return TfidfVectorizer(token_pattern=_WORD, ngram_range=(1, self.ngrams), sublinear_tf=True, **options)

    def _learned_terms(self, batch: ItemBatch) -> tuple[TfidfVectorizer, sparse.csr_array]:
        key = self._key(batch, self.fields)
        found = _latest.get(key)
        if found is None:
            found = self._vectorized(self._texts(batch))
            _latest.clear()
            _latest[key] = found
        return found

    def _key(self, batch: ItemBatch, fields: Sequence[str]) -> bytes:
        """Stands for the options of the terms and what the items hold in some fields."""
        key = hashlib.sha256(f"{self.ngrams} {self.max_terms} {list(self.fields)} {len(batch)}".encode())
        for name in fields:
            key.update(batch.column(name).cast(pl.String).hash().to_numpy().tobytes())
        return key.digest()

    def _vectorized(self, texts: list[str]) -> tuple[TfidfVectorizer, sparse.csr_array]:
        """The vectorizer of texts, and their matrix."""
        vectorizer = self._vectorizer(min_df=min(2, max(1, len(texts))), max_features=self.max_terms)
        try:
            return vectorizer, sparse.csr_array(vectorizer.fit_transform(texts))
        except ValueError:  # the options were checked: what remains is texts that leave no term
            vectorizer = self._vectorizer(vocabulary=[_NO_TERM])
            vectorizer.idf_ = np.ones(1)
            return vectorizer, sparse.csr_array((len(texts), 1))

    def _strength(self, batch: ItemBatch, matrix: sparse.csr_array, targets: Floats, weights: Floats) -> float:
        """The regularization asked for, or the one whose predictions of held-out items agree best with their targets.

        Agreement, not likelihood: among noisy targets likelihood prefers models too bold to name the right class.
        """
        if self.regularization is not None:
            return self.regularization
        if len(targets) < 2:
            return 1.0
        key = self._key(batch, ["id", *self.fields]) + _digest(targets, weights, np.array([self.seed]))
        if _latest_strength[0] != key:
            _latest_strength[:] = [key, _best_strength(batch, matrix, targets, weights, self.seed)]
        return float(_latest_strength[1])


def _best_strength(batch: ItemBatch, matrix: sparse.csr_array, targets: Floats, weights: Floats, seed: int) -> float:
    """Judged on at most `_N_CHOICE` items drawn by the hash of their ids, a third (or three) held out."""
    thin = np.flatnonzero(_folds(batch, targets, max(1, -(-len(targets) // _N_CHOICE)), seed + 1) == 0)
    few = ItemBatch(batch.frame[thin])
    matrix, targets, weights = matrix[thin], targets[thin], weights[thin]
    folds = _folds(few, targets, min(_CHOICE_FOLDS, len(targets)), seed)
    n_tried = -(-_N_HELD_OUT // int(np.bincount(folds).min()))
    splits = [(folds != k, folds == k) for k in range(min(folds.max() + 1, n_tried))]
    parts = [tuple((matrix[part], targets[part], weights[part]) for part in split) for split in splits]
    agreements: list[float] = []
    for strength in _STRENGTHS:
        agreed = 0.0
        for seen, held_out in parts:
            fitted = fit_soft(*seen, regularization=strength)
            agreed += agreement(fitted.predict_proba(held_out[0]), *held_out[1:])
        agreements.append(agreed)
    return _STRENGTHS[int(np.argmax(np.round(agreements, 6)))]


def _digest(*arrays: npt.NDArray[Any]) -> bytes:
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).digest()


def _folds(batch: ItemBatch, targets: Floats, n_folds: int, seed: int) -> npt.NDArray[np.int64]:
    """A fold for each item, by its likeliest class and the hash of its id; independent of the order of items."""
    return folds(item_keys(batch.ids, seed), targets.argmax(axis=1), n_folds)


def _silent(_done: int, _total: int) -> None:
    pass
