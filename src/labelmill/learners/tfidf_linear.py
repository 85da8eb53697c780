"""TF-IDF and softmax regression: the learner to begin with for texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from labelmill.domain.item import ItemBatch
from labelmill.domain.ports import Progress
from labelmill.errors import NotFittedError, StorageError, UsageError
from labelmill.learners._soft_softmax import Softmax, fit_softmax
from labelmill.learners._term_counts import TermCounts, Tokens, tokens_of

__all__ = ["TfidfLinear"]

Floats = npt.NDArray[np.float64]

_STRENGTHS: Final = (3.0, 1.0, 0.3, 0.1, 0.03)
"""Regularizations tried, from simple models to bold ones; each starts where the one before ended."""

_N_HELD_OUT: Final = 1_000
"""Held-out items that decide between regularizations: enough to tell them apart, cheap to have."""

_N_CHOICE: Final = 3_000
"""Items the choice is made on, at most."""

_CHOICE_FOLDS: Final = 3
_ARRAYS, _STATE, _LAYOUT = "model.npz", "model.json", 1

_latest: dict[bytes, tuple[TermCounts, sparse.csr_array]] = {}
"""The vocabulary and matrix of the last batch learned from: the targets change from round to round, the texts do not.

One entry, keyed by the texts themselves, so every learner of a project shares it and a stale one is never used.
"""


_latest_strength: list[Any] = [b"", 1.0]
"""What was chosen for the last targets: `fit` and `cross_predict_proba` on the same targets choose once."""


class TfidfLinear:
    """Learns classes of texts from probabilistic labels, by words and short runs of words.

    Terms are counted as TF-IDF (see `TermCounts`) and classified by softmax regression on the targets as they are (see
    `fit_softmax`). Nothing is drawn at random but the folds, which follow from the items' ids and the seed; so neither
    the order of the items nor earlier fits change an answer.

    Parameters
    ----------
    fields : sequence of str
        The fields read as one text: `text` and any of the user's columns. Missing values are empty.
    ngrams : int
        Longest run of words that counts as a term.
    max_terms : int
        Most terms kept, the commonest first. A term occurs in at least two items.
    regularization : float, optional
        Strength of the ridge. Without it, that of 3, 1, 0.3, 0.1 and 0.03 is taken whose predictions agree best with
        held-out targets (of about 1,000 items, or all): few or clear labels ask for less, noisy ones for more.
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
        max_terms: int = 50_000,
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
        targets, weights = _checked(batch, probabilities, weights)
        terms, matrix = self._learned_terms(batch)
        report = progress or _silent
        strength = self._strength(batch, matrix, targets, weights)
        report(1, 2)
        self.terms_ = terms
        self.softmax_ = fit_softmax(matrix, targets, weights, regularization=strength)
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
        return self.softmax_.probabilities(self.terms_.matrix(self._tokens(batch)))

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
        one of five, is chosen for all folds together. Folds hold the likely classes in equal shares. With one item
        there is nothing to learn from, and its classes are equally likely. Leaves a fitted state as it is.
        """
        self._check_options()
        targets, weights = _checked(batch, probabilities, weights)
        n_items, n_classes = targets.shape
        if n_items < 2:
            return np.full((n_items, n_classes), 1 / n_classes)
        if n_folds < 2:
            raise UsageError(f"n_folds must be at least 2, found {n_folds}")
        _, matrix = self._learned_terms(batch)
        strength = self._strength(batch, matrix, targets, weights)
        folds = _folds(batch, targets, min(n_folds, n_items), self.seed)
        predicted = np.empty_like(targets)
        for k in range(folds.max() + 1):
            rest, held_out = np.flatnonzero(folds != k), np.flatnonzero(folds == k)
            softmax = fit_softmax(matrix[rest], targets[rest], weights[rest], regularization=strength)
            predicted[held_out] = softmax.probabilities(matrix[held_out])
        return predicted

    def save(self, folder: Path) -> None:
        """Write `model.npz` (arrays) and `model.json` (options and words); never a pickle."""
        self._require_fit()
        state = {"layout": _LAYOUT, "options": self._options(), "regularization": self.regularization_}
        state["words"] = self.terms_.words.to_list()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            np.savez(folder / _ARRAYS, allow_pickle=False, **self._arrays())
            (folder / _STATE).write_text(json.dumps(state), encoding="utf-8")
        except OSError as error:
            raise StorageError(f"the learner cannot be written to {folder}: {error.strerror or error}") from error

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The learner that `save` wrote.

        Raises
        ------
        StorageError
            If its files are missing, damaged or of another layout.
        """
        try:
            state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
            with (folder / _ARRAYS).open("rb") as handle, np.load(handle, allow_pickle=False) as file:
                arrays = dict(file)
            if state["layout"] != _LAYOUT:
                raise StorageError(f"{folder} has layout {state['layout']!r}, expected {_LAYOUT}: train again")
            learner = cls(**state["options"])
            runs = [arrays[f"runs_{m}"] for m in range(2, learner.ngrams + 1)]
            learner.terms_ = TermCounts(pl.Series("word", state["words"], dtype=pl.String), runs, arrays["idf"])
            learner.softmax_ = Softmax(arrays["coefficients"], arrays["intercepts"])
            learner.regularization_ = state["regularization"]
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
            raise StorageError(f"no learner can be loaded from {folder} ({error}): train again") from error
        return learner

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the options and the fitted state; equal exactly when all predictions are."""
        self._require_fit()
        digest = hashlib.sha256(json.dumps(self._options(), sort_keys=True).encode())
        digest.update("\n".join(self.terms_.words.to_list()).encode())
        for name, array in sorted(self._arrays().items()):
            digest.update(f"{name} {array.dtype} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def _check_options(self) -> None:
        if not self.fields:
            raise UsageError("fields must name at least one field, e.g. ('text',)")
        for name, value, least in (("ngrams", self.ngrams, 1), ("max_terms", self.max_terms, 0)):
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
        runs = {f"runs_{m}": keys for m, keys in enumerate(self.terms_.runs, start=2)}
        softmax = self.softmax_
        return {**runs, "idf": self.terms_.idf, "coefficients": softmax.coefficients, "intercepts": softmax.intercepts}

    def _require_fit(self) -> None:
        if not hasattr(self, "softmax_"):
            raise NotFittedError("this TfidfLinear has not learned yet: call fit(batch, probabilities) first")

    def _tokens(self, batch: ItemBatch) -> Tokens:
        return tokens_of([batch.column(name) for name in self.fields])

    def _learned_terms(self, batch: ItemBatch) -> tuple[TermCounts, sparse.csr_array]:
        key = hashlib.sha256(f"{self.ngrams} {self.max_terms} {len(batch)}".encode())
        for name in self.fields:
            key.update(batch.column(name).cast(pl.String).hash().to_numpy().tobytes())
        found = _latest.get(key.digest())
        if found is None:
            options = {"longest_run": self.ngrams, "min_items": 2, "max_terms": self.max_terms}
            found = TermCounts.learn(self._tokens(batch), **options)
            _latest.clear()
            _latest[key.digest()] = found
        return found

    def _strength(self, batch: ItemBatch, matrix: sparse.csr_array, targets: Floats, weights: Floats) -> float:
        """The regularization asked for, or the one whose predictions of held-out items agree best with their targets.

        Agreement, not likelihood: among noisy targets likelihood prefers models too bold to name the right class.
        """
        if self.regularization is not None:
            return self.regularization
        if len(targets) < 2:
            return 1.0
        key = _digest(targets, weights) + bytes(str((self.fields, self.ngrams, self.max_terms, self.seed)), "utf-8")
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
    starts: list[Softmax | None] = [None] * len(parts)
    agreements: list[float] = []
    for strength in _STRENGTHS:
        agreed = 0.0
        for k, (seen, held_out) in enumerate(parts):
            starts[k] = fitted = fit_softmax(*seen, regularization=strength, start=starts[k])
            agreed += _agreement(fitted.probabilities(held_out[0]), *held_out[1:])
        agreements.append(agreed)
    return _STRENGTHS[int(np.argmax(np.round(agreements, 6)))]


def _digest(*arrays: Floats) -> bytes:
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).digest()


def _checked(batch: ItemBatch, probabilities: Floats, weights: Floats | None) -> tuple[Floats, Floats]:
    """Targets whose rows sum to 1, and weights; copies."""
    targets = np.array(probabilities, dtype=np.float64)
    if targets.ndim != 2 or len(targets) != len(batch) or targets.shape[1] < 1:
        raise UsageError(f"targets must have shape ({len(batch)}, n_classes), found {targets.shape}")
    counts = np.ones(len(batch)) if weights is None else np.array(weights, dtype=np.float64)
    if counts.shape != (len(batch),):
        raise UsageError(f"weights must have shape ({len(batch)},), found {counts.shape}")
    for name, values in (("targets", targets), ("weights", counts)):
        if not (np.isfinite(values).all() and (values >= 0).all()):
            raise UsageError(f"{name} must be finite and not negative")
    sums = targets.sum(axis=1, keepdims=True)
    counts[sums[:, 0] == 0] = 0
    even = np.full_like(targets, 1 / targets.shape[1])
    return np.divide(targets, sums, out=even, where=sums > 0), counts


def _folds(batch: ItemBatch, targets: Floats, n_folds: int, seed: int) -> npt.NDArray[np.int64]:
    """A fold for each item, by its likeliest class and the hash of its id; independent of the order of items."""
    draws = [hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8).digest() for name in batch.ids]
    keys = np.frombuffer(b"".join(draws), dtype=">u8")
    folds = np.empty(len(keys), dtype=np.int64)
    folds[np.lexsort((keys, targets.argmax(axis=1)))] = np.arange(len(keys)) % n_folds
    return folds


def _agreement(predicted: Floats, targets: Floats, weights: Floats) -> float:
    """Weight of the targets on the classes predicted."""
    named = np.take_along_axis(targets, predicted.argmax(axis=1)[:, None], axis=1)[:, 0]
    return float(weights @ named)


def _silent(_done: int, _total: int) -> None:
    pass
