"""From the classes a model knows to those of the question: by name, never by position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.errors import RulesError, SchemaError

__all__ = ["LEFT_OUT", "ColumnMap", "checked_rename"]

LEFT_OUT = -1
"""Target of a class that the question does not ask about."""


def checked_rename(told: Any) -> dict[str, str] | None:
    """Class of a model -> class of the question.

    Raises
    ------
    RulesError
        If it is no mapping of names to names.
    """
    if told is None:
        return None
    if not isinstance(told, Mapping) or not all(isinstance(n, str) for pair in told.items() for n in pair):
        raise RulesError(f"rename goes from the model's class names to yours, found {told!r:.80}")
    return dict(told)


class ColumnMap:
    """Where the columns of a model go.

    Parameters
    ----------
    columns : sequence of str or int
        The model's classes, in its order.
    rename : mapping of str to str, optional
        The model's class -> the question's; several may become one. With it, classes that are neither renamed nor in
        the question are left out; without it, all must be in the question.
    """

    def __init__(self, columns: Sequence[str | int], rename: Mapping[str, str] | None = None) -> None:
        self.columns = tuple(columns)
        self.rename = rename

    @property
    def classes(self) -> tuple[str, ...]:
        """Names that the question must have."""
        if self.rename is not None:
            named = [name for name in self.columns if isinstance(name, str) and name in self.rename]
            return tuple(dict.fromkeys(self.rename[name] for name in named))
        return tuple(name for name in self.columns if isinstance(name, str))

    def targets(self, schema: LabelSchema) -> npt.NDArray[np.intp]:
        """For each column the class of the schema, or LEFT_OUT; shape (n_columns,).

        Raises
        ------
        SchemaError
            If a class is not in the schema, is there twice, or none is left.
        """
        if self.rename is None:
            found = [schema.index(name) for name in self.columns]
            if ABSTAIN in found or len(set(found)) < len(found):
                raise SchemaError(
                    f"a model's classes must be different ones, found {', '.join(map(str, self.columns))}"
                )
            return np.array(found, dtype=np.intp)
        found = [self._target(name, schema) for name in self.columns]
        if set(found) <= {LEFT_OUT}:
            raise SchemaError(f"none of the model's {len(found)} classes is one of {', '.join(schema.classes)}: rename")
        return np.array(found, dtype=np.intp)

    def gathered(
        self, table: npt.NDArray[np.float64], schema: LabelSchema, *, multiple: bool
    ) -> npt.NDArray[np.float64]:
        """Probabilities of the question's classes, shape (n_rows, n_classes).

        Columns of one class are added, or the greatest taken where classes are independent. What lies on classes that
        are left out is taken away from the others in proportion; a row where it is more than any class has is NaN:
        the model says that it is something else.
        """
        targets = self.targets(schema)
        gathered = np.zeros((len(table), schema.n_classes))
        for column, target in enumerate(targets.tolist()):
            if target == LEFT_OUT:
                continue
            if multiple:
                gathered[:, target] = np.maximum(gathered[:, target], table[:, column])
            else:
                gathered[:, target] += table[:, column]
        if multiple or not (targets == LEFT_OUT).any():
            return gathered
        total = gathered.sum(axis=1)
        other = gathered.max(axis=1) < np.maximum(1 - total, 0.0)
        gathered[~other] /= total[~other, None]
        gathered[other] = np.nan
        return gathered

    def _target(self, name: str | int, schema: LabelSchema) -> int:
        rename = self.rename or {}
        known = rename.get(str(name), name)
        return schema.index(known) if name in rename or known in schema.classes else LEFT_OUT
