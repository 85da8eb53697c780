from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from labelmill.domain.lattice import lattice
from labelmill.domain.words import apart, word_offsets, words_with_gaps

TEXTS = st.text("ab ,.-\n\u3000你ก𠀀é")
WORDS = st.lists(st.sampled_from("abc"), max_size=6)


@given(TEXTS)
def test_words_and_gaps_make_the_text(text: str) -> None:
    """Nothing but white space at the end is lost."""
    assert text.rstrip() == "".join(gap + word for word, gap in words_with_gaps(text)).rstrip()


@given(TEXTS)
def test_offsets_cover_all_but_white_space(text: str) -> None:
    """Every character that is not white space lies in exactly one token."""
    covered = [place for start, end in word_offsets(text) for place in range(start, end)]
    assert covered == [place for place, character in enumerate(text) if not character.isspace()]


@given(st.lists(WORDS, min_size=1, max_size=4))
def test_a_lattice_keeps_every_version(versions: list[list[str]]) -> None:
    """Reading one column gives the version back."""
    slots = lattice(versions)
    assert versions == [[slot[v] for slot in slots if slot[v] is not None] for v in range(len(versions))]


@given(WORDS, WORDS)
def test_edits_are_counted_both_ways(a: list[str], b: list[str]) -> None:
    """Symmetric, 0 on equals only, never more than the longer; equal parts at the ends cost nothing."""
    assert apart(a, b) == apart(b, a) <= max(len(a), len(b))
    assert (apart(a, b) == 0) == (a == b)
    assert apart(a, b) == apart(["x", *a, "y"], ["x", *b, "y"])
