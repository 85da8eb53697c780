"""What is asked of people although it is known: gold that checks them, and training with the answer shown after."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from labelmill.domain.item import Item
from labelmill.errors import UsageError
from labelmill.pipeline._gold_looks import Looks
from labelmill.pipeline._gold_unseen import opinions
from labelmill.pipeline._kinds import kind_of
from labelmill.pipeline._measured import measured
from labelmill.pipeline._reasons import gold_reasons
from labelmill.pipeline.aggregate import gold_answers
from labelmill.pipeline.teaching import example_items
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.database.tasks import NewTask

__all__ = ["gold_tasks", "shown_content", "training_tasks"]

EVERYBODY = 1_000
"""Overlap of items with known answers: whoever comes may be asked."""


def gold_tasks(workspace: Workspace, looks: Looks) -> Iterator[NewTask]:
    """Gold items among the others, looking like them.

    Parameters
    ----------
    looks : Looks
        Of the others.
    """
    known = list(_known(workspace))
    said, reasons = opinions(workspace, [item.id for item, _ in known]), gold_reasons(workspace)
    for item, value in known:
        look = looks.of(item.id, said.get(item.id))
        yield NewTask(
            item.id,
            shown_content(item),
            "gold",
            priority=-_order(workspace, item.id, has_reason=False),
            overlap=EVERYBODY,
            suggestions=look.suggestions,
            why=look.why,
            answer=value,
            reason=reasons.get(item.id),
        )


def training_tasks(workspace: Workspace) -> Iterator[NewTask]:
    """Gold items to learn by; those that say why come first, and last among the gold that checks.

    Raises
    ------
    UsageError
        If there are fewer than an attempt needs.
    """
    known, wanted = list(_known(workspace)), workspace.project["people.training"]
    if len(known) < wanted:
        raise UsageError(
            f"people.training asks for {wanted} items with known answers, the project has {len(known)}: bring more "
            "with `labelmill import FILE --votes-by NAME --purpose gold`, or ask for fewer"
        )
    reasons = gold_reasons(workspace)
    for item, value in known:
        reason = reasons.get(item.id)
        priority = _order(workspace, item.id, has_reason=reason is not None)
        yield NewTask(
            item.id, shown_content(item), "training", priority, overlap=EVERYBODY, answer=value, reason=reason
        )


def shown_content(item: Item) -> dict[str, Any]:
    """What people see of an item."""
    return {"data": item.data, "facts": dict(item.facts), "meta": dict(item.meta)}


def _known(workspace: Workspace) -> Iterator[tuple[Item, Any]]:
    """Gold items with their answers, without those that the guideline shows with theirs."""
    shown = example_items(workspace)
    answers = dict(gold_answers(workspace).select("item", "value").iter_rows())
    asked = workspace.schema.without_demands()
    kind = kind_of(asked)
    ids = [item for item in answers if item not in shown]
    for item in measured(workspace, workspace.lake.items(ids)):
        yield item, kind.validate(answers[item.id], asked, item)


def _order(workspace: Workspace, item: str, *, has_reason: bool) -> float:
    """A place that only the seed and the item decide."""
    digest = hashlib.sha256(f"{workspace.project['project.seed']} {item}".encode()).digest()
    return has_reason + int.from_bytes(digest[:6]) / 2**48
