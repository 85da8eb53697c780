"""Texts as a transformer takes them: pieces of words by number."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from labelmill.errors import RulesError

__all__ = ["Tokens", "opened"]


def opened(path: Path, longest: int) -> Tokens:
    """The tokenizer in a `tokenizer.json`.

    Raises
    ------
    RulesError
        If the file holds none.
    """
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises plain exceptions
        raise RulesError(f"{path} is no tokenizer.json: {error}") from error
    tokenizer.enable_truncation(longest)
    padding: dict[str, Any] = tokenizer.padding or {}
    padding.pop("length", None)  # to the longest of the batch, whatever the file says
    tokenizer.enable_padding(**padding)
    return Tokens(tokenizer)


class Tokens:
    """A tokenizer that fills the usual inputs of transformers."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def feeds(self, texts: Sequence[str]) -> dict[str, npt.NDArray[np.int64]]:
        """`input_ids`, `attention_mask` and `token_type_ids`, shape (n_texts, n_tokens) each."""
        coded = self._tokenizer.encode_batch(list(texts))
        return {
            "input_ids": np.array([one.ids for one in coded], dtype=np.int64),
            "attention_mask": np.array([one.attention_mask for one in coded], dtype=np.int64),
            "token_type_ids": np.array([one.type_ids for one in coded], dtype=np.int64),
        }
