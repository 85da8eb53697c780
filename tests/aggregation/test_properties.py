from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from labelmill import registry
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable

SMALL = hnp.arrays(
    np.int16,
    st.tuples(st.integers(0, 8), st.integers(0, 5)),
    elements=st.integers(ABSTAIN, 2),
)


@pytest.mark.parametrize("name", registry.names("label_model", installed=False))
@settings(deadline=None, max_examples=40)
@given(matrix=SMALL)
def test_any_small_table_gets_an_answer(name: str, matrix: Any) -> None:
    """Whatever few votes there are, rows are probabilities and unanimous votes stand."""
    table = VoteTable.from_matrix(matrix, classes=("a", "b", "c"))

    probabilities = registry.find("label_model", name)().fit(table).predict_proba(table)

    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(np.ones(len(matrix)), probabilities.sum(axis=1))
    unanimous = (table.counts > 0).sum(axis=1) == 1
    answers = probabilities[unanimous].argmax(axis=1)
    assert answers.tolist() == table.counts[unanimous].argmax(axis=1).tolist()


@pytest.mark.parametrize("name", registry.names("label_model", installed=False))
@settings(deadline=None, max_examples=25)
@given(matrix=SMALL, classes=st.permutations(range(3)))
def test_class_order_never_matters(name: str, matrix: Any, classes: list[int]) -> None:
    """Renaming the classes of any small table permutes the columns."""
    place = np.append(np.argsort(classes), ABSTAIN)
    make = registry.find("label_model", name)
    table, renamed = (VoteTable.from_matrix(m, classes=("a", "b", "c")) for m in (matrix, place[matrix]))

    expected = make().fit(table).predict_proba(table)[:, classes]

    np.testing.assert_allclose(make().fit(renamed).predict_proba(renamed), expected, atol=1e-6)


@pytest.mark.parametrize("name", registry.names("label_model", installed=False))
@settings(deadline=None, max_examples=25)
@given(matrix=SMALL, data=st.data())
def test_patterns_teach_what_the_whole_does(name: str, matrix: Any, data: st.DataObject) -> None:
    """A fit on counted patterns answers every item as the fit on the whole table does."""
    times = data.draw(hnp.arrays(np.int64, len(matrix), elements=st.integers(1, 5)))
    make = registry.find("label_model", name)
    whole = VoteTable.from_matrix(np.repeat(matrix, times, axis=0), classes=("a", "b", "c"))

    expected = make().fit(whole)
    found = make().fit(whole.by_pattern())

    np.testing.assert_allclose(found.predict_proba(whole), expected.predict_proba(whole), atol=1e-9, rtol=0)
    np.testing.assert_allclose(found.reliability_, expected.reliability_, atol=1e-9, rtol=0)
    assert expected.details_.get("chosen") == found.details_.get("chosen")
