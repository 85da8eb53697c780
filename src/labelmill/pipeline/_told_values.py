"""What annotators say where an answer is more than classes: checked by the kind of label, and written as JSON."""

from __future__ import annotations

from typing import Any

from labelmill.domain.item import Item, ItemBatch
from labelmill.domain.ports import LabelKind
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote import Fault, VoteBatch
from labelmill.errors import LabelmillError
from labelmill.pipeline._kinds import kind_of
from labelmill.pipeline._merging import known_facts, label_text

__all__ = ["told"]


def told(votes: VoteBatch, annotator: str, batch: ItemBatch, schema: LabelSchema) -> VoteBatch:
    """The votes with their values in the kind's canonical form, as texts; what is no value abstains and is a fault.

    Parameters
    ----------
    votes : VoteBatch
        As an annotator gave them, one for each item of the batch.
    """
    asked = schema.without_demands()
    kind = kind_of(asked)
    texts: list[str | None] = []
    faults = list(votes.faults)
    for item, value in zip(batch.items, votes.labels, strict=True):
        text, wrong = (None, None) if value is None else _written(kind, value, asked, item)
        texts.append(text)
        if wrong is not None:
            faults.append(Fault(item.id, annotator, wrong))
    return VoteBatch(texts, faults)


def _written(kind: LabelKind, value: Any, schema: LabelSchema, item: Item) -> tuple[str | None, str | None]:
    """The value as a text, or what is wrong with it."""
    try:
        return label_text(kind.validate(value, schema, known_facts(item))), None
    except LabelmillError as error:
        return None, str(error)
    except Exception as error:  # noqa: BLE001 - the value is the user's, and may fail at whatever it is asked
        return None, f"returned a {type(value).__name__} that is no answer: {type(error).__name__}: {error}"
