"""Model2Vec: sentence encoders distilled into a table of words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from model2vec import StaticModel

from labelmill.domain.item import ItemBatch, Modality
from labelmill.domain.partition import Resources
from labelmill.domain.ports import Encoded
from labelmill.errors import UsageError
from labelmill.learners.encoders._files import content_hash, folder_of, model_files, told_hash
from labelmill.learners.encoders._items import EMPTY, checked_fields, placed, texts_of
from labelmill.learners.encoders._static import means_of_tokens

__all__ = ["Model2Vec"]


class Model2Vec:
    """Means of the vectors of a text's tokens, weighted as the model says, each made as long as 1.

    Parameters
    ----------
    model : str
        A folder, or a name of Hugging Face that is in this machine's cache, e.g. `minishlab/potion-base-8M`.
    fields : sequence of str
        The fields read as one text: `text` and any of the user's columns.
    """

    modality: ClassVar[Modality] = "text"
    resources = Resources()

    def __init__(self, model: str, *, fields: Sequence[str] = ("text",)) -> None:
        self.fields = checked_fields(fields)
        self._model = model
        self._folder = folder_of(model)
        self._hash = content_hash(model_files(self._folder))

    @property
    def n_dimensions(self) -> int:
        """Length of a vector."""
        return int(self._loaded[1].shape[1])

    @property
    def fingerprint(self) -> str:
        """Hash of the model's files and the settings."""
        return told_hash(["model2vec", 1, self._hash, list(self.fields)])

    def encode(self, batch: ItemBatch) -> Encoded:
        """One vector for each text, in order."""
        model, table = self._loaded
        texts = texts_of(batch, self.fields)
        rows = [row for row, text in enumerate(texts) if text.strip()]
        tokens = model.tokenize([texts[row] for row in rows]) if rows else []
        reasons = {row: EMPTY for row, text in enumerate(texts) if not text.strip()}
        reasons |= {
            row: "no word of the text is known to the model" for row, ids in zip(rows, tokens, strict=True) if not ids
        }
        vectors = means_of_tokens(table, tokens)
        return placed(batch, table.shape[1], rows, vectors, reasons, "model2vec")

    @cached_property
    def _loaded(self) -> tuple[Any, npt.NDArray[np.float32]]:
        """The model, and the vector of each token with its weight in it."""
        try:
            model = StaticModel.from_pretrained(str(self._folder), force_download=False)
        except (OSError, ValueError, KeyError) as error:
            raise UsageError(f"the folder {self._folder} holds no model of Model2Vec: {error}") from error
        table = np.asarray(model.embedding, dtype=np.float32)
        if model.token_mapping is not None:
            table = table[model.token_mapping]
        if model.weights is not None:
            table = table * np.asarray(model.weights, dtype=np.float32)[:, None]
        return model, table
