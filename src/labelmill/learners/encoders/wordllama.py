"""WordLlama: vectors of words taken out of large language models, whose weights come inside the package."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import wordllama as package

from labelmill.domain.item import ItemBatch, Modality
from labelmill.domain.partition import Resources
from labelmill.domain.ports import Encoded
from labelmill.errors import UsageError
from labelmill.learners.encoders._files import told_hash
from labelmill.learners.encoders._items import EMPTY, checked_fields, placed, texts_of
from labelmill.learners.encoders._static import means_of_tokens

__all__ = ["WordLlama"]

FULL: Final = 256
SIZES: Final = (64, 128, 256)


class WordLlama:
    """Means of the vectors of a text's tokens, each made as long as 1: small, and a hundred times as fast as sentences.

    The table was trained so that its first 64 or 128 numbers are vectors too (Kusupati et al. 2022, "Matryoshka
    representation learning", https://doi.org/10.48550/arXiv.2205.13147).

    Parameters
    ----------
    fields : sequence of str
        The fields read as one text: `text` and any of the user's columns.
    dimensions : {64, 128, 256}
        Length of a vector.
    """

    modality: ClassVar[Modality] = "text"
    resources = Resources()

    def __init__(self, *, fields: Sequence[str] = ("text",), dimensions: int = FULL) -> None:
        self.fields = checked_fields(fields)
        if dimensions not in SIZES:
            raise UsageError(f"dimensions must be one of {', '.join(map(str, SIZES))}, found {dimensions!r}")
        self.dimensions = dimensions

    @property
    def n_dimensions(self) -> int:
        """Length of a vector."""
        return self.dimensions

    @property
    def fingerprint(self) -> str:
        """Hash of the table, the tokenizer and the settings."""
        return told_hash(["wordllama", 1, _model()[2], list(self.fields), self.dimensions])

    def encode(self, batch: ItemBatch) -> Encoded:
        """One vector for each text, in order."""
        table, tokenizer, _ = _model()
        texts = texts_of(batch, self.fields)
        rows = [row for row, text in enumerate(texts) if text.strip()]
        found = tokenizer.encode_batch_fast([texts[row] for row in rows], add_special_tokens=False)
        vectors = means_of_tokens(table[:, : self.dimensions], [one.ids for one in found])
        empty = {row: EMPTY for row, text in enumerate(texts) if not text.strip()}
        return placed(batch, self.dimensions, rows, vectors, empty, "wordllama")


@lru_cache(maxsize=1)
def _model() -> tuple[Any, Any, str]:
    """The table, the tokenizer, and the hash of both."""
    # Without the folder it looks in the user's cache, and then on the network.
    folder = Path(package.__file__).parent
    try:
        model = package.WordLlama.load(cache_dir=folder, dim=FULL, disable_download=True)
    except (FileNotFoundError, ValueError) as error:
        raise UsageError(
            f"the package wordllama has come without its weights ({error}): pip install --force-reinstall wordllama"
        ) from error
    model.tokenizer.no_padding()
    table = np.ascontiguousarray(model.embedding, dtype=np.float32)
    digest = hashlib.sha256(table.tobytes())
    digest.update(model.tokenizer.to_str().encode())
    return table, model.tokenizer, digest.hexdigest()
