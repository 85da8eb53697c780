"""The question that is asked of every item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from labelmill.domain.item import MODALITIES, Modality
from labelmill.errors import SchemaError, nearest

__all__ = ["ABSTAIN", "OF_CLASSES", "WITHOUT_CLASSES", "LabelSchema"]

ABSTAIN: Final = -1
"""Asked and declined. Class indices run from 0; -1 is the one encoding of an abstention everywhere."""

OF_CLASSES: Final = frozenset({"choice", "multi_choice"})
"""Kinds of label whose answers are class indices, or sets of them."""

WITHOUT_CLASSES: Final = frozenset({"number", "text"})
"""Kinds of label whose values name no class."""


@dataclass(frozen=True, slots=True)
class LabelSchema:
    """What may be answered: the kind of label and its classes.

    Parameters
    ----------
    name : str
        Name of the question, e.g. `"spam"`.
    classes : tuple of str
        Class names in the order that index, ties and output follow.
    kind : str
        Name of a label kind (`choice`, `multi_choice`, ...), a plugin of the room `labels`.
    modality : {"text", "image", "audio"}
        What an item's data is.
    guidelines : str
        What people are told; Markdown.
    version : int
        Raised when the meaning of an answer changes.

    Raises
    ------
    SchemaError
        If a class is empty or named twice, or there is none and the kind needs some.
    """

    name: str
    classes: tuple[str, ...]
    kind: str = "choice"
    modality: Modality = "text"
    guidelines: str = ""
    version: int = 1

    def __post_init__(self) -> None:
        if self.modality not in MODALITIES:
            raise SchemaError(f"unknown modality {self.modality!r}: {nearest(str(self.modality), MODALITIES)}")
        if not self.classes and self.kind not in WITHOUT_CLASSES:
            raise SchemaError(f'schema {self.name!r} has no classes: name at least two, e.g. classes = ["yes", "no"]')
        for name in self.classes:
            if not name.strip():
                raise SchemaError(f"schema {self.name!r}: a class name must be a non-empty text, found {name!r}")
            if name == "ABSTAIN":
                raise SchemaError(f"schema {self.name!r}: 'ABSTAIN' means declining to answer and cannot be a class")
            if self.classes.count(name) > 1:
                raise SchemaError(f"schema {self.name!r} names the class {name!r} twice: each class once")

    @property
    def n_classes(self) -> int:
        """How many classes there are."""
        return len(self.classes)

    @property
    def is_structured(self) -> bool:
        """Whether an answer is more than classes: spans, boxes, numbers, texts."""
        return self.kind not in OF_CLASSES

    def index(self, answer: Any) -> int:
        """Class index of an answer: a class name, an index, `None` or `"ABSTAIN"`.

        Raises
        ------
        SchemaError
            If the answer is none of these; names the nearest class.
        """
        if answer is None or answer == "ABSTAIN":
            return ABSTAIN
        if isinstance(answer, str):
            if answer in self.classes:
                return self.classes.index(answer)
            raise SchemaError(f"unknown class {answer!r}: {nearest(answer, self.classes)}")
        try:
            position = answer.__index__()
        except (AttributeError, TypeError):
            position = None
        if position is None or isinstance(answer, bool) or not ABSTAIN <= position < self.n_classes:
            raise SchemaError(
                f"{answer!r} is no answer to {self.name!r}: expected a class name, an index 0..{self.n_classes - 1}, "
                "ABSTAIN or None"
            )
        return int(position)
