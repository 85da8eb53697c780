"""What of an item a model is given: its text, pieces of it, its picture, or numbers beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.annotators._batches import Rows, prepared_rows
from labelmill.annotators._places import ItemFiles, file_named, listed_fields, positive
from labelmill.annotators._sessions import Tensor, require
from labelmill.domain.item import ItemBatch
from labelmill.errors import RulesError, SchemaError, nearest

__all__ = ["Filled", "ItemInputs", "Takes"]

Takes = Literal["text", "image", "numbers"]

Arrays = dict[str, npt.NDArray[Any]]


class Filled(NamedTuple):
    """The rows that could be read, and what a model is given for them."""

    rows: Rows
    feeds: Arrays


class ItemInputs:
    """Reads items as a model takes them.

    Parameters
    ----------
    takes : {"text", "image", "numbers"}
    field : str
        Where texts and paths of pictures are.
    fields : sequence of str
        Where numbers are, in the model's order.
    tokenizer : str or Path, optional
        A `tokenizer.json`, for a model that takes pieces of words.
    max_tokens : int
        Pieces of a text that count.
    picture : Picture or mapping, optional
    folder : str, Path or sequence of these, optional
        Where pictures lie.

    Raises
    ------
    RulesError
        If something is missing, or is none of these.
    """

    def __init__(
        self,
        takes: Any,
        *,
        field: str = "text",
        fields: Sequence[str] = (),
        tokenizer: str | Path | None = None,
        max_tokens: int = 256,
        picture: Any = None,
        folder: Any = None,
    ) -> None:
        if takes not in get_args(Takes):
            raise RulesError(f"takes={takes!r}: {nearest(str(takes), get_args(Takes))}")
        if takes == "numbers" and not fields:
            raise RulesError('takes="numbers" needs fields=[...], the names of the columns in the model\'s order')
        self.takes: Takes = takes
        self.field = field
        self.fields = listed_fields(fields)
        self.tokenizer = None if tokenizer is None else file_named(tokenizer, "tokenizer")
        self.max_tokens = positive(max_tokens, "max_tokens")
        self.picture: Any = None
        if takes == "image":
            self.picture = require("labelmill.annotators._pictures", "a model of pictures").Picture.of(picture)
        self._files = ItemFiles(folder)
        self._tokens: Any = None

    def fingerprint_parts(self) -> tuple[Any, ...]:
        """What votes depend on; where pictures lie is not."""
        told = None if self.picture is None else tuple(vars(self.picture).items())
        return (self.takes, self.field, self.fields, self.tokenizer, self.max_tokens, told)

    def check(self) -> None:
        """Open what can be opened before there are items."""
        if self.tokenizer is not None:
            self._opened_tokens()

    def read(
        self, batch: ItemBatch, rows: Rows, inputs: Sequence[Tensor], fail: Callable[[int, BaseException], object]
    ) -> Filled:
        """The model's inputs for some items; `fail` is told of those that cannot be read.

        Raises
        ------
        SchemaError
            If the model asks for something else than an item gives.
        """
        if self.takes == "numbers":
            return Filled(rows, {_first(inputs): self._numbers(batch, rows)})
        column = batch.column(self.field)
        if self.takes == "image":
            opened = require("labelmill.annotators._pictures", "a model of pictures").opened
            kept, arrays = prepared_rows(
                rows, fail, lambda row: self.picture.array(opened(self._files.path(column[row])))[0]
            )
            return Filled(kept, {_first(inputs): np.stack(arrays)} if arrays else {})
        texts = column.gather(rows).to_list()
        if self.tokenizer is not None:
            feeds: Mapping[str, Any] = self._opened_tokens().feeds(texts)
            names = [tensor.name for tensor in inputs] or list(feeds)
            for name in names:
                if name not in feeds:
                    raise SchemaError(f"the model asks for an input {name!r}, a tokenizer gives {', '.join(feeds)}")
            return Filled(rows, {name: feeds[name] for name in names})
        if len(inputs) > 1:  # of several, the only one that takes texts
            inputs = [tensor for tensor in inputs if tensor.dtype is None] or inputs
        return Filled(rows, {_first(inputs): _as_texts(texts, inputs)})

    def _numbers(self, batch: ItemBatch, rows: Rows) -> npt.NDArray[np.float32]:
        columns = []
        for name in self.fields:
            column = batch.column(name).gather(rows)
            try:
                columns.append(column.cast(pl.Float32).to_numpy())
            except pl.exceptions.InvalidOperationError as error:
                raise SchemaError(f"the field {name!r} holds something that is no number: {error}") from None
        table = np.column_stack(columns)
        if not np.isfinite(table).all():
            raise SchemaError(f"one of the fields {', '.join(self.fields)} is missing")
        return table

    def _opened_tokens(self) -> Any:
        if self._tokens is None:
            module = require("labelmill.annotators._tokens", str(self.tokenizer))
            self._tokens = module.opened(self.tokenizer, self.max_tokens)
        return self._tokens


def _first(inputs: Sequence[Tensor]) -> str:
    """The one input there is; a model that does not tell of its inputs has no name for it."""
    if len(inputs) > 1:
        found = ", ".join(tensor.name for tensor in inputs)
        raise SchemaError(f"the model has the inputs {found}, and an item fills only one: name a tokenizer?")
    return inputs[0].name if inputs else ""


def _as_texts(texts: Sequence[str], inputs: Sequence[Tensor]) -> npt.NDArray[Any]:
    if inputs and inputs[0].dtype is not None:
        raise SchemaError(
            f"the model's input {inputs[0].name!r} takes {inputs[0].dtype}, not texts: name its tokenizer=, "
            'or say takes="image" or takes="numbers"'
        )
    column = np.array(list(texts), dtype=object)
    return column.reshape(-1, 1) if inputs and len(inputs[0].shape) == 2 else column
