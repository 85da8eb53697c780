"""Numbers and foreign text as shown."""

from __future__ import annotations

import doctest
import math
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelmill.report import headline, wording
from labelmill.report.figures import _scale
from labelmill.report.headline import told
from labelmill.report.story import Answers, Headline
from labelmill.report.wording import UNKNOWN, bound_percent, column_percent, count, percent, safe, score, seconds


@pytest.mark.parametrize("module", [wording, headline, _scale])
def test_examples_in_docstrings_hold(module: types.ModuleType) -> None:
    """The examples in the docstrings give what they say."""
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("shown", [percent, bound_percent, column_percent, count, score, seconds])
@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_not_known_is_a_dash(shown: object, value: float | None) -> None:
    """No nan and no None reaches a reader."""
    assert callable(shown)
    assert shown(value) == UNKNOWN


@given(st.floats(0, 1))
def test_a_bound_is_never_shown_smaller_than_it_is(bound: float) -> None:
    """A promise is rounded up, by at most a tenth of a per cent point or a tenth of itself."""
    shown = float(bound_percent(bound).removesuffix("%"))

    assert shown >= 100 * bound - 1e-5
    assert shown <= 100 * bound + max(0.1, 10 * bound) + 1e-5


@given(st.floats(0, 0.9999))
def test_less_than_all_is_never_shown_as_all(share: float) -> None:
    """99.99 per cent is not 100 per cent."""
    assert not percent(share).startswith("100")
    assert not column_percent(share).startswith("100")


@given(st.text(alphabet=st.characters()))
def test_safe_text_can_be_written_and_turns_nothing(text: str) -> None:
    """Safe text encodes as UTF-8, holds no control but tab and newline, and no bidi control that reaches out."""
    shown = safe(text)

    shown.encode("utf-8")
    assert not any(character in shown for character in "\0\x1b\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert safe(shown) == shown


def test_the_headline_says_everything_that_is_known() -> None:
    """Cost, promise, truth and the alternative, in one sentence."""
    full = Headline(
        n_items=6046,
        noun="mail",
        nouns="mails",
        answers=Answers(selected=232, audit=180),
        certified_bound=0.05,
        confidence=0.95,
        real_error=0.021,
        random_error=0.079,
    )

    sentence = "".join(phrase.text for phrase in told(full)).replace(wording.SPACE, " ")

    assert sentence == (
        "6,046 mails labelled with 412 human answers; at most 5 % wrong with 95 % confidence; measured against gold: "
        "2.1 %; the same number of random answers would have given 7.9 %."
    )


def test_the_headline_leaves_out_what_is_not_known() -> None:
    """Without gold nothing is said about truth."""
    sentence = "".join(phrase.text for phrase in told(Headline(n_items=1, answers=Answers(selected=1))))

    assert sentence == "1 item labelled with 1 human answer; no certificate yet."
