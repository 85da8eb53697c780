"""What shapes and regions may tell besides their class: direction, occluded, speed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, Self, get_args

from labelmill.errors import SchemaError, nearest

__all__ = ["ATTRIBUTE_KINDS", "Attribute", "AttributeKind", "seen_attributes"]

AttributeKind = Literal["choice", "number", "text", "yes_no"]

ATTRIBUTE_KINDS: Final[tuple[AttributeKind, ...]] = get_args(AttributeKind)


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something that a shape or region may tell besides its class.

    Parameters
    ----------
    name : str
        E.g. `"occluded"`.
    kind : {"choice", "number", "text", "yes_no"}
        What its value is: one of `options`, a finite float, a text that is not blank, a bool.
    options : tuple of str
        Of a choice, in the order in which they are shown and ties go.
    classes : tuple of str
        Which classes have it; without any, all.
    required : bool
        Whether people must give it.
    least, most : float, optional
        Limits of a number, both allowed themselves.
    unit : str
        Of a number, as it is shown.
    sticky : bool
        Whether a new region is proposed the value that the last one of its class was given.
    counts : bool
        Whether two shapes that differ in it are less alike (`LabelKind.distance`); without it attributes do not move
        shapes apart.

    Raises
    ------
    SchemaError
        If it has no name or an unknown kind, a choice has fewer than two options or one twice, or the limits of a
        number leave nothing; says which attribute and field.
    """

    name: str
    kind: AttributeKind = "choice"
    options: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    required: bool = False
    least: float | None = None
    most: float | None = None
    unit: str = ""
    sticky: bool = False
    counts: bool = False

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise SchemaError(f"an attribute must have a name, found {self.name!r}")
        if self.kind not in ATTRIBUTE_KINDS:
            raise self._wrong("kind", f"unknown {self.kind!r}: {nearest(str(self.kind), ATTRIBUTE_KINDS)}")
        if self.kind == "choice":
            self._check_options()
        elif self.options:
            raise self._wrong("options", f"only a choice has some, this is a {self.kind}: leave them out")
        self._check_limits()

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """The attribute that `to_dict`, or `dataclasses.asdict`, told; all fields but the name may be missing."""
        listed = {name: tuple(told[name]) for name in ("options", "classes") if name in told}
        return cls(**{**told, **listed})

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, which `of` reads."""
        return {**asdict(self), "options": list(self.options), "classes": list(self.classes)}

    def is_for(self, label: str) -> bool:
        """Whether shapes of this class have it."""
        return not self.classes or label in self.classes

    def _check_options(self) -> None:
        if len(self.options) < 2:
            found = f"found {len(self.options)}"
            raise self._wrong("options", f'a choice needs two at least, {found}: e.g. options = ["left", "right"]')
        for option in self.options:
            if not option.strip():
                raise self._wrong("options", f"an option must be a text that is not blank, found {option!r}")
            if self.options.count(option) > 1:
                raise self._wrong("options", f"names {option!r} twice: each option once")

    def _check_limits(self) -> None:
        for field in ("least", "most"):
            limit = getattr(self, field)
            if limit is None:
                continue
            if self.kind != "number":
                raise self._wrong(field, f"only a number has limits, this is a {self.kind}: leave it out")
            if not math.isfinite(limit):
                raise self._wrong(field, f"must be a finite number, found {limit}")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise self._wrong("most", f"{self.most:g} lies below least, {self.least:g}")
        if self.unit and self.kind != "number":
            raise self._wrong("unit", f"only a number has one, this is a {self.kind}: leave it out")

    def _wrong(self, field: str, what: str) -> SchemaError:
        return SchemaError(f"attribute {self.name!r}, {field}: {what}")


def seen_attributes(told: Iterable[Any]) -> tuple[Attribute, ...]:
    """What attributes seem to be, by what shapes say of theirs; sorted by name, for where nobody declared them.

    All values bool: a yes_no; all numbers: a number; otherwise a choice of the texts seen.

    Parameters
    ----------
    told : iterable
        `shape["attributes"]` of some shapes; what is no mapping is passed over.

    Examples
    --------
    >>> [(a.name, a.kind) for a in seen_attributes([{"speed": 30, "occluded": True}, {"occluded": False}])]
    [('occluded', 'yes_no'), ('speed', 'number')]
    """
    values: dict[str, list[Any]] = {}
    for mapping in told:
        if isinstance(mapping, Mapping):
            for name, value in mapping.items():
                if isinstance(name, str) and name.strip() and value is not None:
                    values.setdefault(name, []).append(value)
    return tuple(_seen(name, values[name]) for name in sorted(values))


def _seen(name: str, values: list[Any]) -> Attribute:
    if all(isinstance(value, bool) for value in values):
        return Attribute(name, "yes_no")
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return Attribute(name, "number")
    options = sorted({value for value in values if isinstance(value, str) and value.strip()})
    return Attribute(name, "choice", tuple(options)) if len(options) > 1 else Attribute(name, "text")
