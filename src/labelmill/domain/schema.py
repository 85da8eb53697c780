"""The question that is asked of every item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self

from labelmill.domain.attributes import Attribute
from labelmill.domain.item import MODALITIES, Modality
from labelmill.errors import SchemaError, nearest

__all__ = ["ABSTAIN", "OF_CLASSES", "WITHOUT_CLASSES", "WITHOUT_REGIONS", "LabelSchema"]

ABSTAIN: Final = -1
"""Asked and declined. Class indices run from 0; -1 is the one encoding of an abstention everywhere."""

OF_CLASSES: Final = frozenset({"choice", "multi_choice"})
"""Kinds of label whose answers are class indices, or sets of them."""

WITHOUT_CLASSES: Final = frozenset({"number", "text"})
"""Kinds of label whose values name no class."""

WITHOUT_REGIONS: Final = frozenset({"choice", "multi_choice", "rating", "ranking", "number", "text"})
"""Kinds of label whose values are no lists of shapes or regions, which alone have attributes."""


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
    attributes : tuple of Attribute
        What shapes and regions tell besides their class, in the order in which they are asked and written.

    Raises
    ------
    SchemaError
        If a class is empty or named twice, or there is none and the kind needs some; if an attribute is named twice or
        is for an unknown class, or the kind has no shapes or regions that could have any.
    """

    name: str
    classes: tuple[str, ...]
    kind: str = "choice"
    modality: Modality = "text"
    guidelines: str = ""
    version: int = 1
    attributes: tuple[Attribute, ...] = ()

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """The schema that `to_dict`, or `dataclasses.asdict`, told; attributes may be missing."""
        attributes = tuple(Attribute.of(one) for one in told.get("attributes", ()))
        return cls(**{**told, "classes": tuple(told["classes"]), "attributes": attributes})

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, which `of` reads."""
        return {**asdict(self), "classes": list(self.classes), "attributes": [one.to_dict() for one in self.attributes]}

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
        self._check_attributes()

    @property
    def n_classes(self) -> int:
        """How many classes there are."""
        return len(self.classes)

    @property
    def is_structured(self) -> bool:
        """Whether an answer is more than classes: spans, boxes, numbers, texts."""
        return self.kind not in OF_CLASSES

    @property
    def kind_options(self) -> dict[str, Any]:
        """What the label kind is made with: its classes, and attributes where there are any."""
        attributes = {"attributes": self.attributes} if self.attributes else {}
        return {"classes": self.classes, **attributes}

    def without_demands(self) -> Self:
        """The same question with no attribute required: of machines, and of who answered before it was."""
        if not any(attribute.required for attribute in self.attributes):
            return self
        return replace(self, attributes=tuple(replace(one, required=False) for one in self.attributes))

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

    def _check_attributes(self) -> None:
        if self.attributes and self.kind in WITHOUT_REGIONS:
            raise SchemaError(
                f"schema {self.name!r} declares attributes, but a {self.kind} has no shapes or regions to carry them: "
                "leave them out, or choose a kind such as box, span or segment"
            )
        names = [attribute.name for attribute in self.attributes]
        for attribute in self.attributes:
            if names.count(attribute.name) > 1:
                raise SchemaError(f"schema {self.name!r} declares the attribute {attribute.name!r} twice: each once")
            for name in attribute.classes:
                if name not in self.classes:
                    wrong = f"unknown class {name!r}: {nearest(name, self.classes)}"
                    raise SchemaError(f"attribute {attribute.name!r}, classes: {wrong}")
