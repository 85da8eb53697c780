"""Items: the things to label, one by one and as columns."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING, Any, Literal

from labelmill.errors import SchemaError, StorageError, nearest

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

__all__ = ["MODALITIES", "Item", "ItemBatch", "Modality"]

Modality = Literal["text", "image", "audio"]
MODALITIES: tuple[Modality, ...] = ("text", "image", "audio")

FACTS, META = "facts.", "meta."
"""Prefixes of the columns that hold facts and the user's own columns in an item frame."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to label.

    The user's own columns read as attributes, so a labeling function says `x.subject`.

    Parameters
    ----------
    id : str
        Unique in its project.
    data : str
        The text itself, or a URI to an image or a recording. `x.text`, `x.image` and `x.audio` are the same.
    facts : mapping
        What is true of the item whoever labels it: width, height, duration, language.
    meta : mapping
        What the user brought beside it.
    """

    id: str
    data: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The item's text."""
        return self.data

    @property
    def image(self) -> str:
        """URI of the item's image."""
        return self.data

    @property
    def audio(self) -> str:
        """URI of the item's recording."""
        return self.data

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # copy and pickle probe special names before the slots are filled
            raise AttributeError(name)
        for known in (self.meta, self.facts):
            if name in known:
                return known[name]
        raise AttributeError(
            f"item {self.id!r} has no field {name!r}: {nearest(name, ['text', *self.meta, *self.facts])}"
        )


class ItemBatch:
    """A run of items held as columns; rows are made only when somebody asks for them.

    Parameters
    ----------
    frame : polars.DataFrame
        Columns `id` (str), `data` (str), any `facts.<name>` and `meta.<name>`; one row an item.
    features : ndarray of float32, shape (n_items, n_dimensions), optional
        What an encoder made of each item, for learners that read features; a row of NaN where it could not.
    media : callable, optional
        Reads the file that an item's data names, for those whose data is no text; see `read`.
    """

    __slots__ = ("_items", "features", "frame", "media")

    def __init__(
        self,
        frame: pl.DataFrame,
        features: npt.NDArray[np.float32] | None = None,
        media: Callable[[str], bytes] | None = None,
    ) -> None:
        self.frame = frame
        self.features = features
        self.media = media
        self._items: list[Item] | None = None

    @classmethod
    def from_texts(cls, texts: Iterable[str], ids: Iterable[str] | None = None) -> ItemBatch:
        """A batch of plain texts; without `ids` they are numbered from 0."""
        import polars as pl

        data = list(texts)
        names = [str(i) for i in range(len(data))] if ids is None else list(ids)
        return cls(pl.DataFrame({"id": names, "data": data}, schema={"id": pl.String, "data": pl.String}))

    @classmethod
    def from_items(cls, items: Sequence[Item]) -> ItemBatch:
        """A batch of the given items, in their order."""
        import polars as pl

        columns: dict[str, list[Any]] = {"id": [x.id for x in items], "data": [x.data for x in items]}
        for prefix, part in ((FACTS, "facts"), (META, "meta")):
            names = dict.fromkeys(name for x in items for name in getattr(x, part))
            for name in names:
                columns[prefix + name] = [getattr(x, part).get(name) for x in items]
        return cls(pl.DataFrame(columns, schema_overrides={"id": pl.String, "data": pl.String}, strict=False))

    def __len__(self) -> int:
        return self.frame.height

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    @property
    def ids(self) -> list[str]:
        """Ids in order."""
        return self.frame["id"].to_list()

    @property
    def items(self) -> list[Item]:
        """The items as objects, made once."""
        if self._items is None:
            self._items = _rows(self.frame)
        return self._items

    def column(self, name: str) -> pl.Series:
        """The values of one field: `text` (or `image`, `audio`, `data`), `id`, a meta or a facts name.

        Raises
        ------
        SchemaError
            If no item has such a field; names the nearest one.
        """
        if name in {"data", *MODALITIES}:
            return self.frame["data"]
        for known in (name, META + name, FACTS + name):
            if known in self.frame.columns:
                return self.frame[known]
        fields = ["id", "text", *(c.partition(".")[2] for c in self.frame.columns if "." in c)]
        raise SchemaError(f"the items have no field {name!r}: {nearest(name, fields)}")

    def slice(self, start: int, length: int) -> ItemBatch:
        """`length` items from position `start`."""
        features = None if self.features is None else self.features[start : start + length]
        return ItemBatch(self.frame.slice(start, length), features, self.media)

    def take(self, places: npt.NDArray[np.intp]) -> ItemBatch:
        """The items at some places, in the order of these."""
        features = None if self.features is None else self.features[places]
        return ItemBatch(self.frame[places], features, self.media)

    def read(self, name: str) -> bytes:
        """Content of the file that an item's data names: the one way from an item to its picture or recording.

        Raises
        ------
        AccessError
            If the name leads out of the folders that the project lists, or to something too large.
        StorageError
            If there is no such file, or the batch does not say where its files lie.
        """
        if self.media is None:
            raise StorageError(f"{name!r} cannot be read: give ItemBatch(frame, media=...) a way to the items' files")
        return self.media(name)


def _rows(frame: pl.DataFrame) -> list[Item]:
    """The items of a frame, filled column by column: calling `Item` for each row costs four times as much."""
    items = list(map(object.__new__, repeat(Item, frame.height)))
    columns: dict[str, Iterable[Any]] = {
        "id": frame["id"].to_list(),
        "data": frame["data"].to_list(),
        "facts": _mappings(frame, FACTS),
        "meta": _mappings(frame, META),
    }
    for slot, values in columns.items():
        deque(map(getattr(Item, slot).__set__, items, values), maxlen=0)
    return items


def _mappings(frame: pl.DataFrame, prefix: str) -> Iterator[dict[str, Any]]:
    """For each row, the columns with the prefix by their own names."""
    columns = [column for column in frame.columns if column.startswith(prefix)]
    if not columns:
        return repeat(_NO_FIELDS, frame.height)
    names = [column.removeprefix(prefix) for column in columns]
    rows = zip(*(frame[column].to_list() for column in columns), strict=True)
    return (dict(zip(names, row, strict=True)) for row in rows)


class _NoFields(dict[str, Any]):
    """What all items without fields share, so that it must stay empty."""

    def __setitem__(self, name: str, value: Any) -> None:
        raise TypeError("the fields of an item are read-only: make a changed copy with dataclasses.replace")

    def update(self, *_: Any, **__: Any) -> None:
        self[""] = None

    def setdefault(self, *_: Any) -> None:
        self[""] = None


_NO_FIELDS = _NoFields()
