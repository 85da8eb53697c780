"""A pattern rule means what Python's `re` means, whatever the text is written in."""

from __future__ import annotations

import re
import sys
import warnings
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from labelmill.annotators._characters import accepted, accepted_ignoring_case, cased, class_source
from labelmill.annotators._matcher import Matcher
from labelmill.annotators._pattern import translate
from labelmill.annotators._texts import Texts
from labelmill.annotators.regex import Regex
from labelmill.domain.item import ItemBatch
from labelmill.domain.schema import LabelSchema
from labelmill.errors import RulesError

SCHEMA = LabelSchema("spam", ("ham", "spam"))

CHARACTERS = [
    *"abkKsSiIzZ_09 \n\r\t-.$^*\\[]",
    *"\x1c\x1d\x1e\x1f\x0b\x0c\x7f\x85\xa0\u2028\u2029\u3000\ufeff\u180e\u200b",  # spaces, and what looks like them
    *"ßẞſİıK\u212bÅåµμΣσςΐᾳ\u0345ﬅﬆǅǆǄⓐⒶ𐐀𐐨ꭰᎠ",  # letters with more than one other case
    *"ée\u0301\u0308\u20dd",  # combining marks
    *"हि्दीกำ中文あカ한",
    *"²½٣Ⅷ一𝟘",  # numbers that are no digits, and digits that are not ASCII
    *"‿⁀\u200d\u200c😀👩🏽\ufe0f\U000e0100\U0010ffff",
]

TEXTS = st.one_of(
    st.text(st.sampled_from(CHARACTERS[:25]), max_size=7),
    st.text(st.sampled_from(CHARACTERS), max_size=7),
    st.text(max_size=7).filter(lambda text: all(not 0xD800 <= ord(c) < 0xE000 for c in text)),
)


def _class(parts: list[str], negated: bool) -> str:
    return f"[{'^' if negated else ''}{''.join(parts)}]"


ESCAPED = st.sampled_from(CHARACTERS).map(re.escape)
CATEGORY = st.sampled_from([r"\w", r"\d", r"\s", r"\W", r"\D", r"\S"])
RANGE = st.tuples(st.sampled_from(CHARACTERS), st.sampled_from(CHARACTERS)).map(
    lambda pair: "-".join(re.escape(c) for c in sorted(pair))
)
CLASS = st.builds(_class, st.lists(st.one_of(ESCAPED, CATEGORY, RANGE), min_size=1, max_size=3), st.booleans())
ATOM = st.one_of(ESCAPED, ESCAPED, st.just("."), CATEGORY, CLASS)
POSITION = st.sampled_from([r"\b", r"\b", r"\B", "^", "$", r"\A", r"\Z"])
REPEAT = st.sampled_from(["*", "+", "?", "{2}", "{,2}", "{1,2}", "{2,}", "*?", "+?", "??", "*+", "?+"])


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.lists(inner, min_size=2, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.tuples(inner, REPEAT).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
        st.tuples(
            st.sampled_from(["(?=%s)", "(?!%s)", "(?>%s)", "(?i:%s)", "(?a:%s)", "(?s:%s)", "(?m:%s)"]), inner
        ).map(lambda pair: pair[0] % pair[1]),
        st.tuples(st.sampled_from(["(?<=%s)", "(?<!%s)"]), ATOM).map(lambda pair: pair[0] % pair[1]),
        inner.map(lambda part: f"({part})\\1"),
    )


PATTERNS = st.tuples(
    st.sampled_from(["%s", "%s", r"\b(?:%s)\b", r"\b%s", r"(?<!\w)(?:%s)(?!\w)", "(?:%s)$", "^(?:%s)"]),
    st.recursive(st.one_of(ATOM, ATOM, POSITION), _larger, max_leaves=5),
).map(lambda pair: pair[0] % pair[1])

FLAGS = st.sampled_from(
    [0, re.IGNORECASE, re.MULTILINE, re.DOTALL, re.IGNORECASE | re.MULTILINE, re.ASCII | re.IGNORECASE]
).map(int)


def _agrees(pattern: str, flags: int, texts: list[str | None]) -> None:
    compiled = re.compile(pattern, flags)

    found = Matcher(pattern, flags).matches(Texts(pl.Series(texts, dtype=pl.String))).tolist()

    assert [text is not None and compiled.search(text) is not None for text in texts] == found


def _check_pattern(pattern: str, flags: int, texts: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # "possible nested set": the pattern's own affair
        try:
            re.compile(pattern, flags)
        except re.error:  # several groups of a repeated part, a look behind of no fixed width
            assume(False)
        _agrees(pattern, flags, [*texts, "", "\n", None])


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(PATTERNS, FLAGS, st.lists(TEXTS, max_size=12))
def test_any_pattern_means_the_same(pattern: str, flags: int, texts: list[str]) -> None:
    """On any text, a compiled pattern finds exactly what `re.search` finds."""
    _check_pattern(pattern, flags, texts)


@pytest.mark.slow
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(PATTERNS, FLAGS, st.lists(TEXTS, max_size=12))
def test_many_patterns_mean_the_same(pattern: str, flags: int, texts: list[str]) -> None:
    """The same, for long."""
    _check_pattern(pattern, flags, texts)


@pytest.mark.parametrize("flags", [0, int(re.IGNORECASE), int(re.ASCII)])
@pytest.mark.parametrize("source", [r"\w", r"\s", r"\D", "[^k]", "[a-zÀ-ſ]"])
def test_classes_agree_on_every_character(source: str, flags: int) -> None:
    """Every one of the 1.1 million characters is in a class exactly when Python says so."""
    texts = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    compiled = re.compile(source, flags)

    found = Matcher(source, flags).matches(Texts(pl.Series(texts))).tolist()

    assert [] == [hex(ord(c)) for c, hit in zip(texts, found, strict=True) if hit != (compiled.search(c) is not None)]


def test_ignored_case_agrees_on_every_letter() -> None:
    """Every letter with another case stands for exactly those letters that Python takes for it."""
    letters = cased()
    column = Texts(pl.Series(list(letters)))

    for letter in letters[::37] + "ißſkKåÅİıẞµςΐᾳ\u0345":
        compiled = re.compile(letter, re.IGNORECASE)
        found = Matcher(letter, int(re.IGNORECASE)).matches(column).tolist()
        assert [compiled.search(c) is not None for c in letters] == found, letter


def test_cased_letters_are_all_there() -> None:
    """A character left out of the cased ones is never another's other case."""
    some = "kßſİıµΐ\u0345Ⓐ𐐀"

    for letter in some:
        every = accepted(f"[{letter}]", int(re.IGNORECASE), ascii_only=False)
        assert every == accepted_ignoring_case(letter, int(re.IGNORECASE))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("free$", "free\n"),
        ("free$", "free\n\n"),
        (r"free\Z", "free\n"),
        (r"a$\nb", "a\nb"),
        (r"(?m)a$\nb", "a\nb"),
        ("^$", "\n"),
        (r"\B", ""),
        (r"\B", "-"),
        (r"\s", "\x1c"),
        (r"\s", "\x85"),
        (r"\bका\b", "का"),
        (r"\bcafe\b", "cafe\u0301"),
        ("straße", "STRASSE"),
        ("straße", "STRAẞE"),
        ("kelvin", "\u212aelvin"),
        ("miss", "miſſ"),
        ("i", "İ"),
        ("a{,2}b", "aaab"),
        ("\\101", "A"),
        (r"\x41\u0042\N{LATIN SMALL LETTER C}", "ABc"),
        (r"(?P<q>['\"]).*?(?P=q)", "say 'no'"),
        (r"(a)?b(?(1)c|d)", "bd"),
        (r"(?<!not )good", "not good"),
        (r"(?<=\$)\d+(?= only)", "$5 only"),
        (r"a++b", "aab"),
        (r"(?>a+)ab", "aaab"),
        (r"(?x) a  b # comment", "ab"),
        (r"(?i:A)b", "aB"),
        (r"[]a]", "]"),
        (r"[a\]b]", "]"),
        ("(?:(?:a|b)*)*c", "ababc"),
        ("(?!)", "a"),
    ],
)
def test_differences_between_engines(pattern: str, text: str) -> None:
    """Where Rust's engine reads a pattern otherwise than Python, Python's reading counts."""
    for flags in (0, int(re.IGNORECASE)):
        _agrees(pattern, flags, [text, f"{text}é", f"x {text}", ""])


@pytest.mark.parametrize(
    "pattern", ["free", r"\bfree\b", r"win(?:ner)?s?$", r"\d{5,}", "(?<!\\w)k", "a(?=b)", "[^a-c]x"]
)
def test_plain_patterns_are_compiled(pattern: str) -> None:
    """Everyday patterns need no help from `re`."""
    rule = Regex("spam", pattern)

    assert ("compiled", "") == (rule.evaluation, rule.reason)


def test_reason_names_the_construct() -> None:
    """What `re` has to confirm or do is said."""
    confirmed = Regex("spam", r"(?<!not )good")
    alone = Regex("spam", r"(?!.*spam)")

    assert ("compiled", "texts found are confirmed by `re`: a look behind") == (confirmed.evaluation, confirmed.reason)
    assert ("python", "the pattern rests on a look ahead") == (alone.evaluation, alone.reason)


def test_too_large_a_pattern_is_left_to_python() -> None:
    """A pattern over the compiled engine's bounds still works."""
    rule = Regex("spam", r"(?:[ab]{1000}){1000}|free")

    votes = rule.annotate(ItemBatch.from_texts(["free", "no"]), SCHEMA)

    assert "python" == rule.evaluation
    assert [1, -1] == list(votes.labels)


def test_bad_pattern_is_named() -> None:
    """A pattern that is none is refused where it is written."""
    with pytest.raises(RulesError, match=r"'\(free' is no regular expression.*position 0"):
        Regex("spam", "(free")


def test_flags_reach_re() -> None:
    """The options are the flags of `re`."""
    texts = ItemBatch.from_texts(["a\nB", "A b", "a.b", "É"])

    def found(pattern: str, **flags: Any) -> list[Any]:
        return list(Regex("spam", pattern, **flags).annotate(texts, SCHEMA).labels)

    assert [1, -1, -1, -1] == found("^B$", multiline=True)
    assert [1, 1, 1, -1] == found("a.b", dotall=True, ignore_case=True)
    assert [-1, -1, 1, -1] == found("a.b")
    assert [-1, 1, -1, -1] == found("A [ ] b  # spaced", verbose=True)
    assert [-1, -1, -1, 1] == found(r"^\W$", ascii=True)


def test_another_field_is_searched() -> None:
    """`field` names a column the user brought; a number is searched as `str` writes it."""
    frame = pl.DataFrame({"id": ["a", "b"], "data": ["", ""], "meta.subject": ["FREE", None], "meta.n": [50, 7]})

    by_subject = Regex("spam", "FREE", field="subject").annotate(ItemBatch(frame), SCHEMA)
    by_number = Regex("spam", "^7$", field="n").annotate(ItemBatch(frame), SCHEMA)

    assert [1, -1] == list(by_subject.labels)
    assert [-1, 1] == list(by_number.labels)


def test_unknown_field_is_a_fault_of_each_item() -> None:
    """A rule that cannot be asked says so for every item."""
    votes = Regex("spam", "free", field="subjekt", name="r").annotate(ItemBatch.from_texts(["a", "b"]), SCHEMA)

    assert ["0", "1"] == [fault.item for fault in votes.faults]
    assert "no field 'subjekt'" in votes.faults[0].error


def test_translation_is_narrow_for_ascii() -> None:
    """Among ASCII texts a pattern that needs another letter is not searched for at all."""
    never = translate("é", 0, "ascii")

    assert never is not None
    assert never.source is None
    assert "[a-c]" == class_source(accepted("[abc]", 0, ascii_only=True))
