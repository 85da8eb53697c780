"""Sentence encoders as ONNX files: fast on processors, 8-bit weights included, and without torch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from labelmill.domain.item import ItemBatch, Modality
from labelmill.domain.partition import Resources
from labelmill.domain.ports import Encoded
from labelmill.errors import UsageError
from labelmill.learners.encoders._batches import by_length
from labelmill.learners.encoders._files import content_hash, model_file, told_hash
from labelmill.learners.encoders._items import EMPTY, checked_fields, placed, texts_of
from labelmill.learners.encoders._onnx import OnnxModel
from labelmill.learners.encoders._pooling import Recipe

__all__ = ["SentenceOnnx"]

NAMES: Final = ("model.onnx", "onnx/model.onnx", "model_quantized.onnx", "onnx/model_quantized.onnx")
"""Where folders of models have their file."""

TOKENS: Final = 2_048
"""Of the texts that are encoded at once, with what fills the shorter ones up."""

MOST_TOKENS: Final = 256


class SentenceOnnx:
    """Vectors of texts by a transformer in an ONNX file, each made as long as 1.

    Texts are sorted by their number of tokens, as in `sentence`. With 8-bit weights whose inputs are rounded by the
    batch, what else is in a batch changes a vector by about one part in a hundred; to be exact, take `sentence`.

    Parameters
    ----------
    model : str
        A file, or a folder with `model.onnx`.
    fields : sequence of str
        The fields read as one text: `text` and any of the user's columns.
    prefix : str
        Put before each text; some models ask for one, such as `query: `.
    tokenizer : str, optional
        File `tokenizer.json`; without it, the one beside the model or in the folder above.
    output : str, optional
        Name of the output; the vectors of tokens without it, which are pooled, or those of whole texts.
    most_tokens : int, optional
        Of a text; 256, or what the folder says, without it.
    """

    modality: ClassVar[Modality] = "text"
    files: ClassVar[tuple[str, ...]] = ("tokenizer",)
    resources = Resources()

    def __init__(
        self,
        model: str,
        *,
        fields: Sequence[str] = ("text",),
        prefix: str = "",
        tokenizer: str | None = None,
        output: str | None = None,
        most_tokens: int | None = None,
    ) -> None:
        self.fields = checked_fields(fields)
        self.prefix = prefix
        self._asked = output
        self._path = _model_of(model)
        self._tokenizer_path = _tokenizer_of(self._path, tokenizer)
        self._recipe = Recipe.of(self._tokenizer_path.parent)
        self.most_tokens = most_tokens or self._recipe.most_tokens or MOST_TOKENS
        if self.most_tokens < 3:
            raise UsageError(f"most_tokens must be at least 3, found {self.most_tokens}")
        self._hash = content_hash([self._path, self._tokenizer_path])

    @property
    def n_dimensions(self) -> int:
        """Length of a vector, as the model shows on a first word."""
        return self._n_dimensions

    @property
    def fingerprint(self) -> str:
        """Hash of the model, the tokenizer and the settings."""
        told = [self._hash, list(self.fields), self.prefix, self._asked, self.most_tokens, self._recipe.pooling]
        return told_hash(["sentence_onnx", 1, *told])

    def encode(self, batch: ItemBatch) -> Encoded:
        """One vector for each text, in order."""
        texts = texts_of(batch, self.fields)
        rows = [row for row, text in enumerate(texts) if text.strip()]
        empty = {row: EMPTY for row, text in enumerate(texts) if not text.strip()}
        given = [texts[row].lower() if self._recipe.lowers else texts[row] for row in rows]
        tokens = [one.ids for one in self._tokenizer.encode_batch_fast([self.prefix + text for text in given])]
        vectors = np.empty((len(rows), self.n_dimensions), dtype=np.float32)
        for places in by_length([len(ids) for ids in tokens], TOKENS):
            vectors[places] = self._vectors([tokens[place] for place in places])
        return placed(batch, self.n_dimensions, rows, vectors, empty, "sentence_onnx")

    def _vectors(self, tokens: Sequence[Sequence[int]]) -> npt.NDArray[np.float32]:
        """Vectors of texts of like length, shape (n_texts, n_dimensions)."""
        lengths = np.array([len(row) for row in tokens])
        mask = np.arange(lengths.max())[None, :] < lengths[:, None]
        ids = np.zeros(mask.shape, dtype=np.int64)
        ids[mask] = np.concatenate([np.asarray(row, dtype=np.int64) for row in tokens])
        known = {"input_ids": ids, "attention_mask": mask.astype(np.int64), "token_type_ids": np.zeros_like(ids)}
        hidden = self._model.run(self._output, {name: known[name] for name in self._model.inputs})
        pooled = hidden if hidden.ndim == 2 else _pooled(hidden, mask, self._recipe.pooling)
        norms = np.linalg.norm(pooled, axis=1, keepdims=True)
        return np.asarray(np.divide(pooled, norms, out=np.full_like(pooled, np.nan), where=norms > 0))

    @cached_property
    def _model(self) -> OnnxModel:
        model = OnnxModel(self._path)
        unknown = set(model.inputs) - {"input_ids", "attention_mask", "token_type_ids"}
        if unknown:
            raise UsageError(f"{self._path} takes {', '.join(sorted(unknown))}: expected an encoder of texts")
        return model

    @cached_property
    def _output(self) -> str:
        return self._model.output(self._asked, ("last_hidden_state", "token_embeddings"))

    @cached_property
    def _n_dimensions(self) -> int:
        return int(self._vectors([self._tokenizer.encode("a").ids or [0]]).shape[1])

    @cached_property
    def _tokenizer(self) -> Any:
        try:
            tokenizer = Tokenizer.from_file(str(self._tokenizer_path))
        except Exception as error:  # the library raises plain Exception
            raise UsageError(f"{self._tokenizer_path} is no tokenizer: {error}") from error
        tokenizer.no_padding()
        tokenizer.enable_truncation(self.most_tokens)
        return tokenizer


def _model_of(model: str) -> Path:
    folder = Path(model)
    if not folder.is_dir():
        return model_file(model, "model")
    found = next((folder / name for name in NAMES if (folder / name).is_file()), None)
    if found is None:
        raise UsageError(f"the folder {folder} has none of {', '.join(NAMES)}: name the file itself")
    return found


def _tokenizer_of(path: Path, asked: str | None) -> Path:
    if asked is not None:
        return model_file(asked, "tokenizer")
    found = next(
        (p / "tokenizer.json" for p in (path.parent, path.parent.parent) if (p / "tokenizer.json").is_file()), None
    )
    if found is None:
        raise UsageError(
            f"there is no tokenizer.json beside {path} or in the folder above: put it there, or name it: "
            '[features] options = {tokenizer = "FILE"}'
        )
    return found


def _pooled(hidden: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_], mode: str) -> npt.NDArray[np.float32]:
    """One vector of each text out of those of its tokens, shape (n_texts, n_dimensions)."""
    if mode == "cls":
        return hidden[:, 0]
    if mode == "lasttoken":
        return np.asarray(hidden[np.arange(len(hidden)), mask.sum(axis=1) - 1])
    if mode == "max":
        return np.asarray(np.where(mask[:, :, None], hidden, -np.inf).max(axis=1), dtype=np.float32)
    # The length is made 1 afterwards: a sum, a mean and a mean by the root of the length are then the same.
    return np.asarray(np.einsum("ijk,ij->ik", hidden, mask.astype(np.float32)))
