"""What models give, as probabilities of classes; what is none is refused with what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from labelmill.errors import RulesError, SchemaError, nearest

__all__ = ["TOLERANCE", "Gives", "checked_gives", "probabilities_of", "softmax", "table_of"]

Gives = Literal["probabilities", "logits", "log_probabilities"]

TOLERANCE: Final = 1e-3
"""How far the probabilities of one item may be from summing to 1."""


def checked_gives(told: Any) -> Gives:
    """What a model gives.

    Raises
    ------
    RulesError
        If it is none of these.
    """
    if told not in get_args(Gives):
        raise RulesError(f"gives={told!r}: {nearest(str(told), get_args(Gives))}")
    answer: Gives = told
    return answer


def table_of(
    answer: Any, n_rows: int, names: Sequence[str | int], *, one_for_two: bool = False
) -> npt.NDArray[np.float64]:
    """A model's answer as shape (n_rows, n_classes), in the order of the names.

    Parameters
    ----------
    answer : array, tensor, or sequence of mapping
        Rows that are mappings (class -> number) say their own order, which wins; classes they leave out get 0. Axes of
        length 1 behind the classes are dropped.
    one_for_two : bool
        Whether one column will do for two classes: that of the second.

    Raises
    ------
    SchemaError
        If it has another shape, or a row names another class.
    """
    if isinstance(answer, Sequence) and not isinstance(answer, str) and any(isinstance(r, Mapping) for r in answer):
        rows = [_in_order(row, names) for row in answer]
        table = np.array(rows, dtype=np.float64).reshape(len(rows), len(names))
    else:
        table = _numbers(answer)
    while table.ndim > 2 and table.shape[-1] == 1:
        table = table[..., 0]
    if one_for_two and len(names) == 2 and table.shape in {(n_rows,), (n_rows, 1)}:
        return table.reshape(n_rows, 1)
    if table.shape != (n_rows, len(names)):
        raise SchemaError(f"the model gave shape {table.shape}, expected {(n_rows, len(names))}: (items, classes)")
    return table


def probabilities_of(
    table: npt.NDArray[np.float64], gives: Gives, *, multiple: bool, n_classes: int
) -> npt.NDArray[np.float64]:
    """Probabilities, shape (n_rows, n_classes).

    Parameters
    ----------
    table : ndarray of float64, shape (n_rows, n_classes) or, for two classes, (n_rows, 1)
    gives : str
        What its numbers are.
    multiple : bool
        Whether each class is decided by itself.

    Raises
    ------
    SchemaError
        If they are none.
    """
    if not np.isfinite(table).all() and not (gives == "log_probabilities" and not np.isnan(table).any()):
        raise SchemaError("the model gave NaN or infinite values")
    if gives == "logits":
        alone = multiple or table.shape[1] == 1
        table = 1 / (1 + np.exp(-np.clip(table, -700, 700))) if alone else softmax(table)
    elif gives == "log_probabilities":
        table = np.exp(np.minimum(table, 1.0))
    if table.shape[1] == 1 and n_classes == 2:
        table = np.column_stack([1 - table[:, 0], table[:, 0]])
    hint = "if these are scores before softmax, say gives='logits'" if gives == "probabilities" else "check `gives`"
    if len(table) and (table.min() < -TOLERANCE or table.max() > 1 + TOLERANCE):
        raise SchemaError(f"the model gave values outside 0..1 ({table.min():.4g} to {table.max():.4g}): {hint}")
    sums = table.sum(axis=1)
    if not multiple and np.abs(sums - 1).max(initial=0) > TOLERANCE:
        worst = sums[np.abs(sums - 1).argmax()]
        raise SchemaError(f"the model gave probabilities that do not sum to 1 but to {worst:.4g}: {hint}")
    return np.clip(table, 0.0, 1.0)


def softmax(scores: npt.NDArray[Any], axis: int = -1) -> npt.NDArray[Any]:
    """Exponentials over their sum along an axis, without overflow."""
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


def _in_order(row: Any, names: Sequence[str | int]) -> list[float]:
    if not isinstance(row, Mapping):
        raise SchemaError(f"some rows of the answer are mappings and one is {type(row).__name__}")
    for name in row:
        if name not in names:
            raise SchemaError(f"the model answers with the class {name!r}: {nearest(str(name), map(str, names))}")
    return [float(row.get(name, 0.0)) for name in names]


def _numbers(answer: Any) -> npt.NDArray[np.float64]:
    if hasattr(answer, "detach"):  # a tensor of torch, wherever it lies
        answer = answer.detach().cpu().float().numpy()
    try:
        return np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise SchemaError(f"the model gave {type(answer).__name__} instead of numbers: {error}") from None
