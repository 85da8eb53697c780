"""Keyword rules find whole words in any script."""

from __future__ import annotations

import re
import unicodedata

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labelmill.annotators import _reading, _words
from labelmill.annotators._characters import cased, is_neighbour, neighbour_class
from labelmill.annotators._reading import Reading
from labelmill.annotators._texts import Texts
from labelmill.annotators._words import Words
from labelmill.annotators.keyword import Keyword
from labelmill.domain.item import ItemBatch
from labelmill.domain.schema import LabelSchema
from labelmill.errors import RulesError

SCHEMA = LabelSchema("spam", ("ham", "spam"))

LETTERS = "abfrekKsSiI_0 -$+.\nßſİıKéе\u0301हिन\u0902中免한กำ😀\u200d²"
WORDS = st.text(st.sampled_from(LETTERS), min_size=1, max_size=4).filter(lambda word: bool(word.strip()))
TEXTS = st.text(st.sampled_from(LETTERS), max_size=10)


def _occurs(word: str, text: str, *, ignore_case: bool) -> bool:
    """The meaning in plain Python: an occurrence that no neighbour makes longer."""
    pattern = re.compile(f"(?={re.escape(word)})", re.IGNORECASE if ignore_case else 0)
    for match in pattern.finditer(text):
        start, end = match.start(), match.start() + len(word)
        before = start > 0 and is_neighbour(text[start - 1]) and is_neighbour(word[0])
        after = end < len(text) and is_neighbour(text[end]) and is_neighbour(word[-1])
        if not before and not after:
            return True
    return False


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=5), st.lists(TEXTS, max_size=12), st.booleans())
def test_keyword_means_its_python_meaning(words: list[str], texts: list[str], ignore_case: bool) -> None:
    """A keyword rule finds what a loop over the words and their neighbours finds."""
    found = Words(words, ignore_case=ignore_case).occur_in(Texts(pl.Series([*texts, None], dtype=pl.String)))

    expected = [any(_occurs(word, text, ignore_case=ignore_case) for word in words) for text in texts]
    assert [*expected, False] == found.tolist()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(WORDS, min_size=1, max_size=5), texts=st.lists(TEXTS, max_size=12), ignore_case=st.booleans())
def test_long_lists_mean_the_same(
    monkeypatch: pytest.MonkeyPatch, words: list[str], texts: list[str], ignore_case: bool
) -> None:
    """The way that long lists take beyond ASCII finds the same."""
    column = Texts(pl.Series(texts, dtype=pl.String))
    short = Words(words, ignore_case=ignore_case).occur_in(column)
    monkeypatch.setattr(_words, "LONG_LIST", 0)

    assert short.tolist() == Words(words, ignore_case=ignore_case).occur_in(column).tolist()
    monkeypatch.undo()


@settings(max_examples=100, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=5), st.lists(TEXTS, max_size=8))
def test_counts_mean_their_python_meaning(words: list[str], texts: list[str]) -> None:
    """Each different word counts once; words that only case tells apart are one."""
    counts = Words(words, ignore_case=True).counts_in(Reading(texts, ignore_case=True)).tolist()

    different: list[str] = []
    for word in words:
        if not any(
            len(word) == len(other) and re.fullmatch(re.escape(word), other, re.IGNORECASE) for other in different
        ):
            different.append(word)
    expected = [sum(_occurs(word, text, ignore_case=True) for word in different) for text in texts]
    assert expected == counts


@pytest.mark.parametrize(
    ("word", "text", "expected"),
    [
        ("free", "It's FREE!", True),
        ("free", "freedom", False),
        ("free", "sugar-free", True),
        ("free", "free_text", False),
        ("free money", "Free  money", False),
        ("c++", "I like C++11", True),
        ("c++", "objc++", False),
        ("$", "US$100", True),
        (":)", "fine:)yes", True),
        ("免费", "现在免费领取", True),
        ("free", "现在free领取", True),
        ("무료", "무료로 드립니다", True),
        ("ฟรี", "แจกฟรีวันนี้", True),
        ("कर", "करना", False),
        ("हिन", "हिन्दी", False),
        ("हिन्दी", "वह हिन्दी है", True),
        ("cafe", "cafe\u0301", False),
        ("café", "CAFÉ", True),
        ("خواهم", "می\u200cخواهم", False),
        ("привет", "ПРИВЕТ, мир", True),
        ("привет", "приветик", False),
        ("2", "x²", False),
        ("free", "", False),
    ],
)
def test_words_in_many_scripts(word: str, text: str, expected: bool) -> None:
    """What is whole depends on the script and the word's own edges."""
    votes = Keyword("spam", [word]).annotate(ItemBatch.from_texts([text]), SCHEMA)

    assert (1 if expected else -1) == votes.labels[0]


def test_neighbours_are_one_set() -> None:
    """The class used in patterns and the test of one character agree on every character."""
    pattern = re.compile(f"[{neighbour_class()}]")
    universe = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]

    assert [] == [c for c in universe if (pattern.match(c) is not None) != is_neighbour.__wrapped__(c)]
    assert all(
        is_neighbour(c) for c in universe[:0x3000] if unicodedata.category(c) in {"Lu", "Ll", "Nd"} and c < "\u0e00"
    )


def test_folding_keeps_neighbours() -> None:
    """Letters that are the same when case is ignored are neighbours alike."""
    folds = _reading._folds()

    assert [] == [c for c in cased() if ord(c) in folds and is_neighbour(c) != is_neighbour(chr(folds[ord(c)]))]


def test_folding_is_ignoring_case() -> None:
    """Two letters fold to one exactly when `re.IGNORECASE` takes one for the other."""
    folds = _reading._folds()
    letters = cased()

    for letter in letters[::29] + "ißſkKåÅİıẞµςΐᾳ\u0345":
        same = set(re.findall(re.escape(letter), letters, re.IGNORECASE))
        assert same == {c for c in letters if folds.get(ord(c), ord(c)) == folds.get(ord(letter), ord(letter))}


def test_case_counts_when_asked() -> None:
    """`ignore_case=False` takes words as they are written."""
    votes = Keyword("spam", ["FREE"], ignore_case=False).annotate(ItemBatch.from_texts(["FREE", "free"]), SCHEMA)

    assert [1, -1] == list(votes.labels)


def test_long_lists_are_cut() -> None:
    """More words than one pattern may hold are found all the same, beyond ASCII too."""
    words = [f"word{i}" for i in range(6000)]
    texts = ["word5999", "word1 é", "word", "word6000", "WORD3000!"]

    votes = Keyword("spam", words).annotate(ItemBatch.from_texts(texts), SCHEMA)

    assert [1, 1, -1, -1, 1] == list(votes.labels)


@pytest.mark.parametrize("words", ["free", [], ["free", ""], [1], None])
def test_words_must_be_a_list_of_texts(words: object) -> None:
    """A text alone is not a list of its letters, and an empty word is none."""
    with pytest.raises(RulesError, match="words must"):
        Keyword("spam", words)  # type: ignore[arg-type]  # what users write by mistake


def test_several_classes_for_multi_choice() -> None:
    """A rule may name several classes where the schema allows it, and is at fault where it does not."""
    many = LabelSchema("topic", ("art", "money", "sport"), kind="multi_choice")
    batch = ItemBatch.from_texts(["auction", "x"])

    rule = Keyword(["money", "art"], ["auction"], name="rule")

    assert [(0, 1), None] == rule.annotate(batch, many).labels
    assert 2 == len(rule.annotate(batch, LabelSchema("topic", ("art", "money"))).faults)
    assert ("money", "art") == rule.classes


def test_fingerprint_follows_the_parameters() -> None:
    """Another word is another rule; another order is not."""
    rule = Keyword("spam", ["free", "prize"])

    assert rule.fingerprint == Keyword("spam", ["prize", "free"]).fingerprint
    assert rule.fingerprint != Keyword("spam", ["prize"]).fingerprint
    assert rule.fingerprint != Keyword("ham", ["free", "prize"]).fingerprint
    assert rule.fingerprint != Keyword("spam", ["free", "prize"], ignore_case=False).fingerprint
