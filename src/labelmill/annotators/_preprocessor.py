"""Work that several labeling functions share: done once for each item of a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, overload

from labelmill.annotators._fingerprint import fingerprint_of
from labelmill.annotators._row_loop import call_each
from labelmill.annotators._texts import remembered
from labelmill.domain.item import MODALITIES, Item, ItemBatch
from labelmill.errors import RulesError

__all__ = ["Preprocessor", "checked", "prepared", "preprocessor"]

Prepared = tuple[Sequence[Item | None], dict[int, BaseException]]
"""Items (None where a preprocessor failed), and position -> failure."""


class Preprocessor:
    """A function that adds fields to an item before labeling functions see it.

    Made by `preprocessor`; still callable on an item.

    Parameters
    ----------
    function : callable
        Takes an `Item`; returns a changed copy, or a mapping of fields to add. Assigning to the item it got
        (`x.words = x.text.split()`) changes that copy only.
    memoize : bool
        Run once for each item of a batch however many labeling functions ask for it.
    pre : sequence of Preprocessor
        What runs before it.
    """

    def __init__(
        self, function: Callable[[Any], Any], *, memoize: bool = False, pre: Sequence[Preprocessor] = ()
    ) -> None:
        self.function = function
        self.memoize = memoize
        self.pre = checked(pre)
        self.name = getattr(function, "__name__", "")
        self.__doc__ = function.__doc__

    def __call__(self, item: Item) -> Item:
        """The item with what the function adds."""
        for before in self.pre:
            item = before(item)
        return self.only_this(item)

    def only_this(self, item: Item) -> Item:
        """The item with what this function adds; what comes before it has run."""
        draft = _Draft(item.id, item.data, item.facts, dict(item.meta))
        answer = self.function(draft)
        if isinstance(answer, Item):
            return Item(answer.id, answer.data, answer.facts, answer.meta)
        if isinstance(answer, Mapping):
            data = next((answer[name] for name in ("data", *MODALITIES) if name in answer), item.data)
            fields = {name: value for name, value in answer.items() if name not in {"data", *MODALITIES}}
            return replace(item, data=data, meta={**item.meta, **fields})
        raise RulesError(
            f"the preprocessor {self.name!r} returned {type(answer).__name__}: return the item, a changed copy, or a "
            "mapping of the fields it adds"
        )

    @property
    def fingerprint(self) -> str:
        """Hash of its code and what it refers to."""
        return fingerprint_of(*self.fingerprint_parts())

    def fingerprint_parts(self) -> tuple[Any, ...]:
        """What it adds depends on."""
        return (self.function, self.pre)


@overload
def preprocessor(function: Callable[[Any], Any], /) -> Preprocessor: ...


@overload
def preprocessor(
    *, memoize: bool = False, pre: Sequence[Preprocessor] | None = None
) -> Callable[[Callable[[Any], Any]], Preprocessor]: ...


def preprocessor(
    function: Callable[[Any], Any] | None = None,
    /,
    *,
    memoize: bool = False,
    pre: Sequence[Preprocessor] | None = None,
) -> Preprocessor | Callable[[Callable[[Any], Any]], Preprocessor]:
    """Make a function a preprocessor: `@preprocessor(memoize=True)`, or bare.

    >>> @preprocessor(memoize=True)
    ... def words(x):
    ...     return {"words": x.text.lower().split()}
    >>> words(Item("1", "Free money")).words
    ['free', 'money']
    """
    if function is not None:
        return Preprocessor(function)
    return lambda inner: Preprocessor(inner, memoize=memoize, pre=pre or ())


def prepared(batch: ItemBatch, pre: Sequence[Preprocessor]) -> Prepared:
    """The items as the labeling function sees them (None where a preprocessor failed), and position -> failure."""
    return _through(batch, _flattened(pre))


def checked(pre: Sequence[Any]) -> tuple[Preprocessor, ...]:
    """The preprocessors, or an error that names what is none.

    Raises
    ------
    RulesError
        If one is a plain function.
    """
    for link in pre:
        if not isinstance(link, Preprocessor):
            raise RulesError(f"pre= takes preprocessors, found {link!r}: decorate it with @preprocessor")
    return tuple(pre)


class _Draft(Item):
    """The item as a preprocessor sees it: its own copy, which may be assigned to."""

    __slots__ = ()

    def __setattr__(self, name: str, value: Any) -> None:
        if name in {"id", "facts", "meta", "data"}:
            object.__setattr__(self, name, value)
        elif name in MODALITIES:
            object.__setattr__(self, "data", value)
        else:
            object.__setattr__(self, "meta", {**self.meta, name: value})


def _flattened(pre: Sequence[Preprocessor]) -> tuple[Preprocessor, ...]:
    return tuple(link for outer in pre for link in (*_flattened(outer.pre), outer))


def _through(batch: ItemBatch, chain: tuple[Preprocessor, ...]) -> Prepared:
    """The items behind a chain of preprocessors; remembered with the batch if every link may be."""
    if not chain:
        return batch.items, {}
    if not all(link.memoize for link in chain):
        return _applied(batch, chain)
    shared = remembered(batch)
    if chain not in shared:
        shared[chain] = _applied(batch, chain)
    result: Prepared = shared[chain]
    return result


def _applied(batch: ItemBatch, chain: tuple[Preprocessor, ...]) -> Prepared:
    items, failures = _through(batch, chain[:-1])
    rows = [i for i, item in enumerate(items) if item is not None]
    made, failed = call_each(chain[-1].only_this, [items[i] for i in rows])
    result: list[Item | None] = [None] * len(items)
    for i, item in zip(rows, made, strict=True):
        result[i] = item
    return result, failures | {rows[i]: failure for i, failure in failed.items()}
