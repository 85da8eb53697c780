from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from labelmill import ABSTAIN, LabelSchema
from labelmill.errors import SchemaError

SCHEMA = LabelSchema("spam", ("ham", "spam"))


@pytest.mark.parametrize(
    ("answer", "index"), [("spam", 1), (0, 0), (np.int64(1), 1), (None, ABSTAIN), ("ABSTAIN", ABSTAIN), (-1, ABSTAIN)]
)
def test_answers_become_indices(answer: Any, index: int) -> None:
    """A class name, an index and the forms of an abstention are answers."""
    assert SCHEMA.index(answer) == index


@pytest.mark.parametrize("answer", ["spma", 2, -2, True, 0.5, [0]])
def test_rubbish_is_no_answer(answer: Any) -> None:
    """Anything else is refused."""
    with pytest.raises(SchemaError):
        SCHEMA.index(answer)


@pytest.mark.parametrize("classes", [(), ("a", "a"), ("a", " "), ("a", "ABSTAIN")])
def test_classes_must_be_distinct_names(classes: tuple[str, ...]) -> None:
    """No class, a class named twice, an empty name and ABSTAIN make no schema."""
    with pytest.raises(SchemaError):
        LabelSchema("question", classes)
