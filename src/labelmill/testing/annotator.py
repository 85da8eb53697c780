"""What every annotator promises, as checks to run on your own.

::

    from labelmill.testing import annotator

    def example():
        return annotator.Example(MyAnnotator(), [Item("1", "free prize"), Item("2", "see you")], schema)

    for promise in annotator.PROMISES:
        promise(example)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from labelmill.domain.item import Item, ItemBatch
from labelmill.domain.ports import Annotator
from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.domain.vote import ANNOTATOR_KINDS, VoteBatch

__all__ = ["PROMISES", "Example", "Factory"]


@dataclass(frozen=True)
class Example:
    """An annotator and what it is tried on.

    Parameters
    ----------
    annotator : Annotator
        Made anew at every call of the factory.
    items : sequence of Item
        At least three; on some it votes, on none it fails.
    schema : LabelSchema
        The question.
    poison : Item, optional
        An item on which it fails; None for annotators that cannot.
    """

    annotator: Annotator
    items: Sequence[Item]
    schema: LabelSchema
    poison: Item | None = None


Factory = Callable[[], Example]


def promise_one_answer_for_each_item(factory: Factory) -> None:
    """Every item gets a label of the schema or an abstention, in order, and somebody gets a label."""
    example = factory()

    votes = _votes(example, example.items)

    assert len(votes) == len(example.items)
    assert [] == votes.faults
    answers = _plain(votes)
    assert any(answer not in (None, ABSTAIN) for answer in answers), "it votes on none of its own examples"
    if example.schema.kind == "multi_choice":
        assert all(answer is None or isinstance(answer, tuple) for answer in answers)
    elif example.schema.is_structured:
        assert isinstance(votes.labels, list), "answers that are more than classes come as a list of values"
    else:
        assert np.dtype(np.int16) == np.asarray(votes.labels).dtype
        assert all(ABSTAIN <= answer < example.schema.n_classes for answer in answers)


def promise_probabilities_fit_labels(factory: Factory) -> None:
    """Probabilities, where given, are of the schema's classes and agree with the labels."""
    example = factory()

    votes = _votes(example, example.items)

    if votes.probabilities is None:
        return
    assert (len(example.items), example.schema.n_classes) == votes.probabilities.shape
    assert np.dtype(np.float32) == votes.probabilities.dtype
    for answer, row in zip(_plain(votes), votes.probabilities, strict=True):
        assert (answer in (None, ABSTAIN)) == bool(np.isnan(row).all())
        if isinstance(answer, int) and answer != ABSTAIN:
            assert answer == int(row.argmax())


def promise_same_items_same_votes(factory: Factory) -> None:
    """Asked twice, and made anew, it says the same."""
    example = factory()

    first = _votes(example, example.items)

    assert _plain(first) == _plain(_votes(example, example.items))
    assert _plain(first) == _plain(_votes(factory(), example.items))


def promise_order_changes_nothing(factory: Factory) -> None:
    """An item's vote does not depend on its neighbours."""
    example = factory()
    backwards = list(reversed(example.items))

    votes = _votes(example, backwards)

    assert _plain(_votes(example, example.items)) == list(reversed(_plain(votes)))


def promise_splitting_changes_nothing(factory: Factory) -> None:
    """Items one by one get the votes that they get together."""
    example = factory()
    batch = ItemBatch.from_items(example.items)

    together = example.annotator.annotate(batch, example.schema)
    apart = [example.annotator.annotate(batch.slice(i, 1), example.schema) for i in range(len(batch))]

    assert _plain(together) == [answer for votes in apart for answer in _plain(votes)]


def promise_poison_is_one_fault(factory: Factory) -> None:
    """An item on which it fails is one fault with a reason, abstains, and leaves the others alone."""
    example = factory()
    if example.poison is None:
        return
    middle = len(example.items) // 2
    items = [*example.items[:middle], example.poison, *example.items[middle:]]

    votes = _votes(example, items)

    assert [example.poison.id] == [fault.item for fault in votes.faults]
    assert all(fault.annotator == example.annotator.name and fault.error for fault in votes.faults)
    answers = _plain(votes)
    assert answers.pop(middle) in (None, ABSTAIN)
    assert _plain(_votes(example, example.items)) == answers


def promise_all_poison_is_all_faults(factory: Factory) -> None:
    """A batch of nothing but poison comes back whole, with a fault for each item."""
    example = factory()
    if example.poison is None:
        return
    items = [Item(f"poison {i}", example.poison.data, example.poison.facts, example.poison.meta) for i in range(3)]

    votes = _votes(example, items)

    assert ["poison 0", "poison 1", "poison 2"] == [fault.item for fault in votes.faults]
    assert all(answer in (None, ABSTAIN) for answer in _plain(votes))


def promise_empty_batch_works(factory: Factory) -> None:
    """No items, no votes, no faults."""
    example = factory()

    votes = example.annotator.annotate(ItemBatch.from_items(example.items).slice(0, 0), example.schema)

    assert 0 == len(votes)
    assert [] == votes.faults


def promise_missing_text_disturbs_nobody(factory: Factory) -> None:
    """An item without a text is an abstention or a fault, and the others keep their votes."""
    example = factory()
    missing = Item("no text", None)  # type: ignore[arg-type]  # files have such rows

    votes = _votes(example, [*example.items, missing])

    assert _plain(_votes(example, example.items)) == _plain(votes)[:-1]
    assert {fault.item for fault in votes.faults} <= {"no text"}


def promise_strange_classes_are_faults(factory: Factory) -> None:
    """Under a schema without its classes it raises nothing: items become faults or abstentions."""
    example = factory()
    strange = LabelSchema("strange", ("never", "heard of"), kind=example.schema.kind, modality=example.schema.modality)

    votes = example.annotator.annotate(ItemBatch.from_items(example.items), strange)

    assert len(votes) == len(example.items)
    faulty = {fault.item for fault in votes.faults}
    voted = [x.id for x, answer in zip(example.items, _plain(votes), strict=True) if answer not in (None, ABSTAIN)]
    assert not faulty & set(voted)


def promise_batch_is_left_alone(factory: Factory) -> None:
    """It does not change what it was given."""
    example = factory()
    batch = ItemBatch.from_items(example.items)
    before = batch.frame.clone()

    example.annotator.annotate(batch, example.schema)

    assert before.equals(batch.frame)


def promise_fingerprint_is_stable(factory: Factory) -> None:
    """Its fingerprint is a text, the same when made anew and after work."""
    example = factory()
    before = example.annotator.fingerprint

    _votes(example, example.items)

    assert isinstance(before, str)
    assert before
    assert before == example.annotator.fingerprint
    assert before == factory().annotator.fingerprint


def promise_it_introduces_itself(factory: Factory) -> None:
    """It has a name, a kind, and says what a worker needs."""
    annotator = factory().annotator

    assert isinstance(annotator, Annotator)
    assert annotator.name
    assert annotator.kind in ANNOTATOR_KINDS
    assert annotator.resources.cpus >= 0


def _votes(example: Example, items: Sequence[Item]) -> VoteBatch:
    return example.annotator.annotate(ItemBatch.from_items(items), example.schema)


def _plain(votes: VoteBatch) -> list[Any]:
    return votes.labels if isinstance(votes.labels, list) else votes.labels.tolist()


PROMISES: list[Callable[[Factory], None]] = [
    promise_one_answer_for_each_item,
    promise_probabilities_fit_labels,
    promise_same_items_same_votes,
    promise_order_changes_nothing,
    promise_splitting_changes_nothing,
    promise_poison_is_one_fault,
    promise_all_poison_is_all_faults,
    promise_empty_batch_works,
    promise_missing_text_disturbs_nobody,
    promise_strange_classes_are_faults,
    promise_batch_is_left_alone,
    promise_fingerprint_is_stable,
    promise_it_introduces_itself,
]
