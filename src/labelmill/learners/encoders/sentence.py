"""Sentence encoders: transformers from a folder, in batches of texts of like length."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
import torch
import transformers

from labelmill.domain.item import ItemBatch, Modality
from labelmill.domain.partition import Resources
from labelmill.domain.ports import Encoded
from labelmill.errors import UsageError
from labelmill.learners.encoders._batches import by_length
from labelmill.learners.encoders._files import content_hash, folder_of, model_files, told_hash
from labelmill.learners.encoders._items import EMPTY, checked_fields, placed, texts_of
from labelmill.learners.encoders._pooling import Recipe
from labelmill.learners.encoders._torch import device_of, dtype_of, loaded, resources_of

__all__ = ["Sentence"]

TOKENS: Final = {"cpu": 2_048, "cuda": 65_536}
"""Of the texts that are encoded at once, with what fills the shorter ones up."""

MOST_TOKENS: Final = 512
"""Of a text, where neither the model nor its tokenizer has a limit."""


class Sentence:
    """Vectors of texts by a transformer, each made as long as 1.

    Texts are sorted by their number of tokens and encoded in batches of like length, so that little is spent on
    filling up; the weights are bfloat16 where the processor or the accelerator computes with it, which changes a vector
    by less than one part in a thousand. Tokens are pooled as the folder's `1_Pooling/config.json` says, or by their
    mean. Any folder that transformers reads will do, with weights as safetensors; code that comes with a model is never
    run.

    Parameters
    ----------
    model : str
        A folder, or a name of Hugging Face that is in this machine's cache: `sentence-transformers/all-MiniLM-L6-v2`.
    fields : sequence of str
        The fields read as one text: `text` and any of the user's columns.
    prefix : str
        Put before each text; some models ask for one, such as `query: `.
    most_tokens : int, optional
        Of a text; the model's own limit without it.
    dtype : {"auto", "float32", "bfloat16"}
        Of the weights.
    device : {"auto", "cpu", "cuda"}
        Where the model runs; an accelerator, if there is one.
    """

    modality: ClassVar[Modality] = "text"

    def __init__(
        self,
        model: str,
        *,
        fields: Sequence[str] = ("text",),
        prefix: str = "",
        most_tokens: int | None = None,
        dtype: str = "auto",
        device: str = "auto",
    ) -> None:
        self.fields = checked_fields(fields)
        self.prefix = prefix
        self.dtype = dtype
        self.device = device_of(device)
        self.resources: Resources = resources_of(self.device)
        self._weights = dtype_of(dtype, self.device)
        self._folder = folder_of(model)
        self._recipe = Recipe.of(self._folder)
        self._asked = most_tokens
        if most_tokens is not None and most_tokens < 3:
            raise UsageError(f"most_tokens must be at least 3, found {most_tokens}")
        self._hash = content_hash(model_files(self._folder))

    @property
    def n_dimensions(self) -> int:
        """Length of a vector."""
        return int(self._config.hidden_size)

    @property
    def fingerprint(self) -> str:
        """Hash of the model's files and the settings; what computes it may round differently."""
        return told_hash(["sentence", 1, self._hash, list(self.fields), self.prefix, self._asked, self.dtype])

    def encode(self, batch: ItemBatch) -> Encoded:
        """One vector for each text, in order."""
        texts = texts_of(batch, self.fields)
        rows = [row for row, text in enumerate(texts) if text.strip()]
        empty = {row: EMPTY for row, text in enumerate(texts) if not text.strip()}
        tokens = self._tokens([texts[row] for row in rows])
        vectors = np.empty((len(rows), self.n_dimensions), dtype=np.float32)
        for places in by_length([len(ids) for ids in tokens], TOKENS[self.device.type]):
            vectors[places] = self._vectors([tokens[place] for place in places])
        return placed(batch, self.n_dimensions, rows, vectors, empty, "sentence")

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        if not texts:
            return []
        given = [self.prefix + (text.lower() if self._recipe.lowers else text) for text in texts]
        found = self._tokenizer(
            given,
            add_special_tokens=True,
            truncation=True,
            max_length=self._most_tokens,
            return_attention_mask=False,
            return_token_type_ids=False,
        )
        ids: list[list[int]] = found["input_ids"]
        return ids

    @torch.inference_mode()
    def _vectors(self, tokens: Sequence[Sequence[int]]) -> npt.NDArray[np.float32]:
        """Vectors of texts of like length, shape (n_texts, n_dimensions)."""
        width = max(map(len, tokens))
        filler = self._tokenizer.pad_token_id or 0
        ids = torch.tensor([[*row, *[filler] * (width - len(row))] for row in tokens], device=self.device)
        lengths = torch.tensor([len(row) for row in tokens], device=self.device)
        mask = torch.arange(width, device=self.device)[None, :] < lengths[:, None]
        hidden = self._model(input_ids=ids, attention_mask=mask.long()).last_hidden_state.float()
        pooled = torch.nn.functional.normalize(_pooled(hidden, mask, self._recipe.pooling), dim=1)
        vectors: npt.NDArray[np.float32] = pooled.cpu().numpy()
        return vectors

    @cached_property
    def _config(self) -> Any:
        return loaded(transformers.AutoConfig, self._folder)

    @cached_property
    def _tokenizer(self) -> Any:
        return loaded(transformers.AutoTokenizer, self._folder)

    @cached_property
    def _model(self) -> Any:
        model = loaded(transformers.AutoModel, self._folder, dtype=self._weights, use_safetensors=True)
        return model.to(self.device).eval()

    @cached_property
    def _most_tokens(self) -> int:
        """The least of what was asked for, what the folder says and what model and tokenizer can."""
        positions = getattr(self._config, "max_position_embeddings", None)
        limits = [self._asked, self._recipe.most_tokens, positions, self._tokenizer.model_max_length]
        known = [limit for limit in limits if limit is not None and 0 < limit < 1_000_000]
        return min(known, default=MOST_TOKENS)


def _pooled(hidden: torch.Tensor, mask: torch.Tensor, mode: str) -> torch.Tensor:
    """One vector of each text out of those of its tokens, shape (n_texts, n_dimensions)."""
    if mode == "cls":
        return hidden[:, 0]
    if mode == "lasttoken":
        return hidden[torch.arange(len(hidden), device=hidden.device), mask.sum(dim=1) - 1]
    if mode == "max":
        return hidden.masked_fill(~mask[:, :, None], -torch.inf).amax(dim=1)
    sums = (hidden * mask[:, :, None]).sum(dim=1)
    counts = mask.sum(dim=1, keepdim=True).float()
    return sums / (counts.sqrt() if mode == "mean_sqrt_len_tokens" else counts)
