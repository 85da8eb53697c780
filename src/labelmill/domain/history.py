"""What is known of annotators from earlier work: how often each gave which label on items of which class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from labelmill.errors import UsageError

__all__ = ["History"]


@dataclass(frozen=True, eq=False)
class History:
    """Sufficient statistics of annotators, which add up from one piece of work to the next.

    Parameters
    ----------
    classes : tuple of str
        Class names.
    votes : mapping of str to ndarray of float64, shape (n_classes, n_classes)
        Annotator -> `[l, k]`: expected number of votes for class l on items whose class is k, 0 or more.

    Raises
    ------
    UsageError
        If a table has another shape, or a number in it is negative or not finite.
    """

    classes: tuple[str, ...] = ()
    votes: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the shapes and numbers."""
        shape = (len(self.classes), len(self.classes))
        for name, table in self.votes.items():
            if table.shape != shape:
                raise UsageError(f"the history of {name!r} has shape {table.shape}, its classes ask for {shape}")
            if not (np.isfinite(table) & (table >= 0)).all():
                raise UsageError(f"the history of {name!r} holds a number that is negative or not finite")

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """The history that `to_dict` made plain data of.

        Raises
        ------
        UsageError
            If it is no such data.
        """
        try:
            classes = tuple(str(name) for name in data["classes"])
            votes = {str(name): np.array(table, dtype=np.float64) for name, table in data["annotators"].items()}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UsageError(
                'a history is {"classes": [...], "annotators": {name: [[votes for each class, by true class], ...]}}: '
                "take a file that `labelmill aggregate --save-history` wrote"
            ) from error
        return cls(classes, votes)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        annotators = {name: np.round(self.votes[name], 6).tolist() for name in sorted(self.votes)}
        return {"classes": list(self.classes), "annotators": annotators}

    def counts(self, annotators: Sequence[str], classes: Sequence[str]) -> npt.NDArray[np.float64]:
        """Votes `[j, l, k]` of these annotators in these classes, by name; zeros for who is not known."""
        found = np.zeros((len(annotators), len(classes), len(classes)))
        shared = [name for name in classes if name in self.classes]
        there, here = [self.classes.index(name) for name in shared], [list(classes).index(name) for name in shared]
        for j, name in enumerate(annotators):
            if name in self.votes and shared:
                found[j][np.ix_(here, here)] = self.votes[name][np.ix_(there, there)]
        return found

    def merged(self, other: History) -> History:
        """Both together; classes of both, annotators of both."""
        classes = tuple(dict.fromkeys([*self.classes, *other.classes]))
        names = tuple(dict.fromkeys([*self.votes, *other.votes]))
        total = self.counts(names, classes) + other.counts(names, classes)
        return History(classes, dict(zip(names, total, strict=True)))
