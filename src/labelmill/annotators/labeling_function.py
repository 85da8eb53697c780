"""Labeling functions: a Python function that looks at one item and names a class, or abstains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial, update_wrapper
from typing import Any, overload

from labelmill.annotators._answers import coded
from labelmill.annotators._faults import FaultLog
from labelmill.annotators._fingerprint import fingerprint_of
from labelmill.annotators._matcher import Evaluation
from labelmill.annotators._preprocessor import Preprocessor, checked, prepared, preprocessor
from labelmill.annotators._row_loop import call_each
from labelmill.domain.item import ItemBatch
from labelmill.domain.partition import Resources
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote import AnnotatorKind, VoteBatch
from labelmill.errors import RulesError

__all__ = ["labeling_function", "LabelingFunction", "Preprocessor", "preprocessor", "votes_of"]  # noqa: RUF022 - the plugin first


class LabelingFunction:
    """An annotator made of a Python function; still callable on an item, for unit tests.

    Made by `labeling_function`. Faster annotators with a fixed meaning: `keyword`, `regex`, `dictionary`, `threshold`.

    Parameters
    ----------
    function : callable
        Takes an `Item` and the resources by name. Returns a class name, a class index, `ABSTAIN` or None; for
        `multi_choice` a list or set of them (`[]`: looked, none applies; None: abstains); for other kinds of label
        their value, such as a list of boxes (`[]`: looked, nothing there).
    name : str, optional
        Name of the annotator; the function's without it.
    resources : mapping of str to value, optional
        Passed to every call as keyword arguments.
    pre : sequence of Preprocessor, optional
        What runs on the item before.
    """

    kind: AnnotatorKind = "rule"
    evaluation: Evaluation = "python"
    reason = "a Python function is called on each item"

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        resources: Mapping[str, Any] | None = None,
        pre: Sequence[Preprocessor] | None = None,
    ) -> None:
        if not callable(function):
            raise RulesError(f"labeling_function decorates a function, found {function!r}")
        update_wrapper(self, function)
        own = getattr(function, "__name__", "")
        self.name = name or ("" if own == "<lambda>" else own)
        self.resources = Resources()
        self.function = function
        self.bound = dict(resources or {})
        self.pre = checked(pre or ())
        self._call = partial(function, **self.bound) if self.bound else function

    def __call__(self, item: Any) -> Any:
        """The function's own answer for one item."""
        for before in self.pre:
            item = before(item)
        return self._call(item)

    def __repr__(self) -> str:
        return f"labeling function {self.name!r}"

    @property
    def fingerprint(self) -> str:
        """Hash of its code, all it refers to in the user's own modules, its resources and preprocessors."""
        return fingerprint_of(*self.fingerprint_parts())

    def fingerprint_parts(self) -> tuple[Any, ...]:
        """What its votes depend on."""
        return (self.function, self.bound, self.pre)

    def annotate(self, batch: ItemBatch, schema: LabelSchema) -> VoteBatch:
        """One vote, abstention or fault for each item, in order."""
        return votes_of(*self.answers(batch), batch, schema)

    def answers(self, batch: ItemBatch) -> tuple[list[Any], FaultLog]:
        """What the function returns for each item, None where it failed, and the failures."""
        log = FaultLog(self.name)
        items, failures = prepared(batch, self.pre)
        rows: Sequence[int] = range(len(items))
        if failures:
            rows = [i for i in rows if i not in failures]
            for i, failure in failures.items():
                log.add(i, failure)
            items = [items[i] for i in rows]
        answers, failures = call_each(self._call, items)
        for i, failure in failures.items():
            log.add(rows[i], failure)
        if len(rows) == len(batch):
            return answers, log
        every: list[Any] = [None] * len(batch)
        for i, answer in zip(rows, answers, strict=True):
            every[i] = answer
        return every, log


def votes_of(answers: list[Any], log: FaultLog, batch: ItemBatch, schema: LabelSchema) -> VoteBatch:
    """The answers as votes; what is no answer joins the faults."""
    labels, errors = coded(answers, schema)
    for position, error in errors.items():
        log.add(position, error)
    return VoteBatch(labels, log.faults(batch.ids) if log else [])


@overload
def labeling_function(function: Callable[..., Any], /) -> LabelingFunction: ...


@overload
def labeling_function(
    name: str | None = None,
    *,
    resources: Mapping[str, Any] | None = None,
    pre: Sequence[Preprocessor] | None = None,
) -> Callable[[Callable[..., Any]], LabelingFunction]: ...


def labeling_function(
    name: Callable[..., Any] | str | None = None,
    *,
    resources: Mapping[str, Any] | None = None,
    pre: Sequence[Preprocessor] | None = None,
) -> LabelingFunction | Callable[[Callable[..., Any]], LabelingFunction]:
    """Make a function an annotator: `@labeling_function`, or with options.

    Parameters
    ----------
    name, resources, pre
        See `LabelingFunction`.

    >>> from labelmill import ABSTAIN, Item
    >>> @labeling_function
    ... def asks_for_money(x):
    ...     return "spam" if "cash" in x.text.lower() else ABSTAIN
    >>> asks_for_money(Item("1", "Win CASH now"))
    'spam'
    """
    if callable(name):
        return LabelingFunction(name, resources=resources, pre=pre)
    return lambda function: LabelingFunction(function, name=name, resources=resources, pre=pre)
