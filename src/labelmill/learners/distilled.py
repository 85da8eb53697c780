"""A bag of word embeddings and a small network: the student that a big model is distilled into."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
import torch

from labelmill.domain.item import ItemBatch
from labelmill.errors import UsageError
from labelmill.learners._goals import Imbalance
from labelmill.learners._torch_learner import TorchLearner
from labelmill.learners._training_loop import Recipe
from labelmill.learners._tuning import checked_numbers

__all__ = ["Distilled"]

_WORD: Final = re.compile(r"\w+|[^\w\s]")
_NOTHING: Final = 0
"""The number of what is no term: fills texts up."""

_MOST_TERMS: Final = 2_000
"""Terms of a text, at most; what comes later is not read."""


class Distilled(TorchLearner):
    """Learns classes of texts from a teacher's probabilities and the consensus, and predicts thousands a second.

    Words, signs and pairs of neighbours are hashed to vectors that are learned; their mean goes through one hidden
    layer. Without a teacher it learns from the consensus alone. See `labelmill distill`.

    Parameters
    ----------
    fields : sequence of str
        The fields read as one text.
    n_terms : int
        Size of the table that terms are hashed into.
    dimensions, hidden : int
        Length of the vectors; width of the hidden layer.
    n_epochs, batch_size : int
        Most times each item is seen; items that go through at once.
    learning_rate, weight_decay, dropout : float
        Step; decay of weights; share of the mean vector that is left out while it learns.
    held_out, patience : float, int
        Share of the items that says when to stop; epochs without a better loss there.
    imbalance : {"none", "weights", "resampling"}
        That rare classes count as much as common ones.
    confidence_weights : bool
        Whether items weigh less the less sure the consensus is.
    teacher_share, temperature : float
        Lambda and T of the loss: (1 - lambda) task + lambda T^2 KL(teacher || student).
    checkpoints : str or Path
        Folder for trainings that are under way. `labelmill distill` sets it.
    seed : int

    References
    ----------
    G. Hinton, O. Vinyals, J. Dean (2015). Distilling the Knowledge in a Neural Network.
    https://arxiv.org/abs/1503.02531
    A. Joulin et al. (2017). Bag of Tricks for Efficient Text Classification. https://aclanthology.org/E17-2068
    """

    def __init__(
        self,
        *,
        fields: Sequence[str] = ("text",),
        n_terms: int = 2**14,
        dimensions: int = 64,
        hidden: int = 128,
        n_epochs: int = 30,
        batch_size: int = 32,
        learning_rate: float = 5e-3,
        weight_decay: float = 0.01,
        dropout: float = 0.2,
        held_out: float = 0.1,
        patience: int = 5,
        imbalance: Imbalance = "none",
        confidence_weights: bool = False,
        teacher_share: float = 0.7,
        temperature: float = 2.0,
        checkpoints: Path | str = "",
        seed: int = 0,
    ) -> None:
        self.options = {name: value for name, value in locals().items() if name not in {"self", "__class__"}}
        self.options |= {"fields": list(fields), "checkpoints": str(checkpoints)}
        checked_numbers(self.options)
        if not fields:
            raise UsageError("fields must name at least one field, e.g. ['text']")
        for name, least in (("n_terms", 2), ("dimensions", 1), ("hidden", 1)):
            if self.options[name] < least:
                raise UsageError(f"{name} must be at least {least}, found {self.options[name]}")
        self.checkpoints = Path(checkpoints) if checkpoints else None
        self.recipe = Recipe(n_epochs=n_epochs, batch_size=batch_size, patience=patience, seed=seed)

    def _examples(self, batch: ItemBatch) -> _Terms:
        columns = [pl.lit(batch.column(name)).cast(pl.String).fill_null("") for name in self.options["fields"]]
        texts = pl.select(pl.concat_str(columns, separator="\n")).to_series().to_list() if len(batch) else []
        return _Terms(texts, self.options["n_terms"])

    def _module(self, n_classes: int, *, is_new: bool) -> torch.nn.Module:  # noqa: ARG002 - nothing is pretrained
        return _Bag(
            self.options["n_terms"],
            self.options["dimensions"],
            self.options["hidden"],
            n_classes,
            dropout=self.options["dropout"],
        )

    def _groups(self, module: torch.nn.Module) -> list[dict[str, Any]]:
        rate, decay = self.options["learning_rate"], self.options["weight_decay"]
        return [{"params": list(module.parameters()), "lr": rate, "weight_decay": decay}]


class _Terms:
    """Texts as numbers of terms."""

    def __init__(self, texts: Iterable[str], n_terms: int) -> None:
        known: dict[str, int] = {}
        self.numbers = [_numbers(text, n_terms, known) for text in texts]
        self.lengths = np.array([len(each) for each in self.numbers], dtype=np.int64)
        self.is_readable = np.ones(len(self.numbers), dtype=np.bool_)

    def __len__(self) -> int:
        return len(self.numbers)

    def inputs(self, rows: npt.NDArray[np.intp], device: torch.device) -> dict[str, torch.Tensor]:
        """Terms of each text, filled up to the longest."""
        lengths = self.lengths[rows]
        numbers = np.full((len(rows), max(1, int(lengths.max(initial=1)))), _NOTHING, dtype=np.int64)
        filled = np.arange(numbers.shape[1]) < lengths[:, None]
        if filled.any():
            numbers[filled] = np.concatenate([self.numbers[row] for row in rows])
        return {"terms": torch.from_numpy(numbers).to(device)}


def _numbers(text: str, n_terms: int, known: dict[str, int]) -> npt.NDArray[np.int64]:
    """Numbers from 1 on; `known` spares hashing a term twice."""
    words = _WORD.findall(text.lower())[:_MOST_TERMS]
    terms = [*words, *map(" ".join, pairwise(words))]
    for term in terms:
        if term not in known:
            known[term] = 1 + zlib.crc32(term.encode("utf-8", "replace")) % (n_terms - 1)
    return np.array([known[term] for term in terms], dtype=np.int64)


class _Bag(torch.nn.Module):
    """The mean of the terms' vectors, a hidden layer, and a last one that starts at zero."""

    def __init__(self, n_terms: int, dimensions: int, hidden: int, n_classes: int, *, dropout: float) -> None:
        super().__init__()
        self.terms = torch.nn.EmbeddingBag(n_terms, dimensions, mode="mean", padding_idx=_NOTHING)
        self.dropout = torch.nn.Dropout(dropout)
        self.hidden = torch.nn.Linear(dimensions, hidden)
        self.last = torch.nn.Linear(hidden, n_classes)
        torch.nn.init.zeros_(self.last.weight)
        torch.nn.init.zeros_(self.last.bias)

    def forward(self, terms: torch.Tensor) -> torch.Tensor:
        """Logits, shape (n_texts, n_classes)."""
        logits: torch.Tensor = self.last(torch.relu(self.hidden(self.dropout(self.terms(terms)))))
        return logits
