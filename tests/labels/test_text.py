from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelmill.domain.schema import LabelSchema
from labelmill.errors import SchemaError, UsageError
from labelmill.labels.text import Text

SCHEMA = LabelSchema("said", (), kind="text")
KIND = Text()


@pytest.mark.parametrize("value", ["", "good morning", " two  spaces\n", "你好"])
def test_texts_stay_as_they_are(value: str) -> None:
    """Nothing is trimmed or folded: a transcription is what was typed."""
    assert value == KIND.validate(value, SCHEMA)


@pytest.mark.parametrize("value", [None, "ABSTAIN", 1, b"x", ["x"], "a\0b", "a\ud800b"])
def test_what_is_no_text_is_refused(value: Any) -> None:
    """Neither abstentions nor characters that no file keeps."""
    with pytest.raises(SchemaError, match="said"):
        KIND.validate(value, SCHEMA)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("the cat sat", "the bat sat", 1 / 3),
        ("the cat sat", "the cat", 1 / 3),
        ("the cat", "", 1.0),
        ("你好吗", "你好", 1 / 3),
        ("a b", "a  b", 0.25),
        ("", " ", 0.5),
    ],
)
def test_distance_is_the_share_of_words_to_edit(a: str, b: str, expected: float) -> None:
    """Of the longer text; characters where there are no spaces; different white space is half a word."""
    assert expected == pytest.approx(KIND.distance(a, b))
    assert KIND.distance(a, b) == KIND.distance(b, a)


def test_words_are_voted_on_one_by_one() -> None:
    """The merge may be a text that nobody typed."""
    assert KIND.merge(["the cat sat", "the bat sat down", "a cat sat down"], [1, 1, 1]) == "the cat sat down"


def test_weights_decide() -> None:
    """One who is trusted more than two others is followed."""
    assert KIND.merge(["he left", "she left", "she left"], [5, 1, 1]) == "he left"


def test_chinese_is_merged_by_character_without_spaces() -> None:
    """Characters are voted on, and none are put apart."""
    assert KIND.merge(["今天天气好", "今天天气很好", "今日天气很好"], [1, 1, 1]) == "今天天气很好"


def test_sentences_of_their_own_are_not_mixed() -> None:
    """Captions that share few words: the one nearest to the others stands for all."""
    captions = ["a dog runs on grass", "two men play chess indoors", "the brown puppy runs outside"]
    assert KIND.merge(captions, [1, 1, 1]) in captions


def test_nothing_said_is_a_value() -> None:
    """Most say that nothing is said: nothing is."""
    assert KIND.merge(["", "", "hm"], [1, 1, 1]) == ""


def test_merging_needs_values() -> None:
    """There is no merge of nothing."""
    with pytest.raises(UsageError):
        KIND.merge([], [])


TEXTS = st.lists(st.sampled_from(["a", "b", "c", "你"]), max_size=5).map(" ".join)


@given(st.lists(st.tuples(TEXTS, st.floats(0, 5)), min_size=1, max_size=5), st.randoms())
def test_the_order_of_texts_changes_nothing(answers: list[Any], random: Any) -> None:
    """Alignment starts from the nearest text, wherever it stands."""
    shuffled = random.sample(answers, len(answers))

    assert KIND.merge(*zip(*answers, strict=True)) == KIND.merge(*zip(*shuffled, strict=True))
