"""Words and runs of words as columns."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from labelmill.learners._term_counts import TermCounts, Tokens, tokens_of

WORDS = st.lists(st.sampled_from(["ant", "bee", "cow", "dog", "eel"]), max_size=8).map(" ".join)


def tokens(texts: list[str]) -> Tokens:
    """The pieces of texts."""
    return tokens_of([pl.Series("text", texts, dtype=pl.String)])


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Don't STOP", ["don't", "stop"]),
        ("win £100!!!", ["win", "£", "100", "!!!"]),
        ("so sad :-(", ["so", "sad", ":-("]),
        ("天气很好 today", ["天", "气", "很", "好", "today"]),
        ("naïve café", ["naïve", "café"]),
        ("", []),
        ("a" * 100, ["a" * 40]),
    ],
)
def test_pieces_are_words_signs_and_characters_of_scripts_without_spaces(text: str, pieces: list[str]) -> None:
    """Signs count as words, since `!!!` and `:-(` say much."""
    assert pieces == tokens([text]).pieces.to_list()


def test_fields_are_read_as_one_text() -> None:
    """Missing values are empty."""
    fields = [pl.Series("subject", ["Hello", None]), pl.Series("n", [1, 2])]

    found = tokens_of(fields)

    assert found.pieces.to_list() == ["hello", "1", "2"]
    assert found.text_index.tolist() == [0, 0, 1]


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=12), st.integers(1, 3), st.integers(1, 3))
def test_matrix_is_that_of_scikit_learn(texts: list[str], longest_run: int, min_items: int) -> None:
    """Same terms, same cells as TfidfVectorizer with logarithmic counts."""
    peer = TfidfVectorizer(ngram_range=(1, longest_run), min_df=1, sublinear_tf=True)
    counts = [set(peer.build_analyzer()(text)) for text in texts]
    kept = sorted(t for t in set().union(*counts) if sum(t in c for c in counts) >= min_items)
    learned, matrix = TermCounts.learn(tokens(texts), longest_run=longest_run, min_items=min_items, max_terms=1000)

    assert (len(texts), len(kept)) == matrix.shape
    if kept:
        peer.set_params(vocabulary=sorted(kept, key=lambda t: (t.count(" "), t.split())))
        np.testing.assert_allclose(peer.fit_transform(texts).toarray(), matrix.toarray(), atol=1e-6)
    np.testing.assert_array_equal(matrix.toarray(), learned.matrix(tokens(texts)).toarray())


@settings(max_examples=40, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=12), st.integers(1, 3), st.integers(0, 12))
def test_the_commonest_terms_are_kept(texts: list[str], longest_run: int, max_terms: int) -> None:
    """A vocabulary cut to n terms is the n commonest of the whole one, and gives their cells."""
    whole, _ = TermCounts.learn(tokens(texts), longest_run=longest_run, min_items=1, max_terms=1000)
    cut, matrix = TermCounts.learn(tokens(texts), longest_run=longest_run, min_items=1, max_terms=max_terms)

    assert min(max_terms, whole.n_terms) == cut.n_terms
    np.testing.assert_allclose(np.sort(whole.idf)[: cut.n_terms], np.sort(cut.idf))
    np.testing.assert_array_equal(matrix.toarray(), cut.matrix(tokens(texts)).toarray())


@given(st.lists(WORDS, min_size=1, max_size=12))
@settings(max_examples=30, deadline=None)
def test_order_of_texts_changes_nothing(texts: list[str]) -> None:
    """The vocabulary of shuffled texts is the same, column for column."""
    shuffled = list(reversed(texts))

    one, matrix = TermCounts.learn(tokens(texts), longest_run=2, min_items=1, max_terms=5)
    other, turned = TermCounts.learn(tokens(shuffled), longest_run=2, min_items=1, max_terms=5)

    assert one.words.to_list() == other.words.to_list()
    np.testing.assert_array_equal(one.idf, other.idf)
    np.testing.assert_array_equal(matrix.toarray()[::-1], turned.toarray())


def test_runs_do_not_cross_texts() -> None:
    """The last word of one text and the first of the next are no run."""
    learned, _ = TermCounts.learn(tokens(["ant bee", "cow dog", "ant bee"]), longest_run=2, min_items=2, max_terms=10)

    assert learned.words.to_list() == ["ant", "bee"]
    assert [len(run) for run in learned.runs] == [1]


def test_unknown_words_are_left_out() -> None:
    """A text of unknown words is an empty row."""
    learned, _ = TermCounts.learn(tokens(["ant bee", "ant bee"]), longest_run=2, min_items=2, max_terms=10)

    matrix = learned.matrix(tokens(["yak zebu", "ant zebu bee"]))

    assert np.diff(matrix.indptr).tolist() == [0, 2]
