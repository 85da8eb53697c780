"""Calls a Python function on every item of a batch, as fast as Python can, and never stops at a failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from labelmill.annotators._guard import watched

__all__ = ["call_each"]


def call_each(function: Callable[[Any], Any], items: Sequence[Any]) -> tuple[list[Any], dict[int, BaseException]]:
    """What the function returns for each item (None where it failed), and position -> failure.

    The loop itself runs in C: `list.extend` keeps what was returned before a failure, so its length says which item
    was at work, and the same iterator goes on behind it.
    """
    answers: list[Any] = []
    failures: dict[int, BaseException] = {}
    returned = map(function, items)
    n_items = len(items)
    while len(answers) < n_items:
        try:
            with watched(answers, n_items):
                answers.extend(returned)
            if len(answers) == n_items:
                break
            raise RuntimeError("raised StopIteration")  # noqa: TRY301 - `map` took it for the end of the items
        except KeyboardInterrupt:
            raise
        except BaseException as failure:  # noqa: BLE001 - sys.exit and time limits are faults as well
            failures[len(answers)] = failure
            answers.append(None)
    return answers, failures
