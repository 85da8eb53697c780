from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from labelmill.stores.id_index import IdIndex

IDS = st.lists(st.text(max_size=3), max_size=30)


@given(st.lists(IDS, max_size=6), IDS)
@settings(max_examples=60, deadline=None)
def test_seen_is_what_a_set_says(batches: list[list[str]], asked: list[str]) -> None:
    """The index finds what a set of the same ids finds, and repeats within the question."""
    index, known = IdIndex(), set[str]()
    for batch in batches:
        new = [name for name in dict.fromkeys(batch) if name not in known]
        index.add(_series(new))
        known.update(new)

    seen = index.seen(_series(asked))

    assert seen == [i for i, name in enumerate(asked) if name in known or name in asked[:i]]
    assert len(index) == len(known)


def _series(ids: list[str]) -> pl.Series:
    return pl.Series("id", ids, dtype=pl.String)
