"""Dictionaries: the class with most different terms."""

from __future__ import annotations

from pathlib import Path

import pytest

from labelmill.annotators.dictionary import Dictionary
from labelmill.domain.item import ItemBatch
from labelmill.domain.schema import LabelSchema
from labelmill.errors import RulesError

SCHEMA = LabelSchema("mood", ("bad", "good"))
MANY = LabelSchema("mood", ("bad", "good"), kind="multi_choice")


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.txt"
    path.write_text("# praise\nfine\n\n  superb \nvery good\nGood\nstraße\n", encoding="utf-8-sig")
    return path


def test_most_different_terms_win(good: Path) -> None:
    """Each term counts once, case aside; equally many is an abstention."""
    mood = Dictionary({"good": good, "bad": ["dull", "poor", "STRAẞEN"]})
    texts = [
        "a superb film",
        "dull, dull, dull but fine and superb",
        "fine but dull",
        "nothing",
        "Very GOOD, but poor",
        "STRASSE, Straße and straßen",
        "finery",
        "",
    ]

    votes = mood.annotate(ItemBatch.from_texts(texts), SCHEMA)

    assert [1, 1, -1, -1, 1, -1, -1, -1] == votes.labels.tolist()  # type: ignore[union-attr]  # choice gives an array


def test_every_class_for_multi_choice(good: Path) -> None:
    """Where several answers are allowed, every class with a term is named."""
    mood = Dictionary({"good": good, "bad": ["dull"]})

    votes = mood.annotate(ItemBatch.from_texts(["fine but dull", "dull", "x"]), MANY)

    assert [(0, 1), (0,), None] == votes.labels


def test_equal_words_of_other_case_count_once() -> None:
    """`Good` and `good` in a list are one term."""
    mood = Dictionary({"good": ["Good", "good"], "bad": ["dull"]})

    assert [-1] == list(mood.annotate(ItemBatch.from_texts(["good and dull"]), SCHEMA).labels)


def test_file_content_is_in_the_fingerprint(good: Path) -> None:
    """An edit of a word list is another rule; a comment or a copy elsewhere is not."""
    before = Dictionary({"good": good}).fingerprint
    copy = good.parent / "copy.txt"
    copy.write_text(good.read_text("utf-8-sig") + "# the end\n", "utf-8")

    assert before == Dictionary({"good": copy}).fingerprint
    good.write_text("fine\n")
    assert before != Dictionary({"good": good}).fingerprint


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no file"), (b"\xff\xfe", "not UTF-8"), (b"# nothing\n", "names no term"), (b"", "names no term")],
)
def test_bad_files_are_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    """A missing, foreign or empty list is named."""
    path = tmp_path / "terms.txt"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(RulesError, match=message):
        Dictionary({"good": path})


def test_large_dictionary(tmp_path: Path) -> None:
    """Ten thousand terms are looked up in every script."""
    path = tmp_path / "terms.txt"
    path.write_text("\n".join(f"term{i}" for i in range(10_000)))
    mood = Dictionary({"good": path, "bad": ["terms"]})

    votes = mood.annotate(ItemBatch.from_texts(["term9999", "term1, terms, Term2 é", "term", "terms é"]), SCHEMA)

    assert [1, 1, -1, 0] == list(votes.labels)
    assert "compiled" == mood.evaluation


def test_strange_class_is_a_fault() -> None:
    """A class that the schema does not have is said for every item."""
    votes = Dictionary({"goood": ["fine"]}, name="mood").annotate(ItemBatch.from_texts(["fine", "x"]), SCHEMA)

    assert 2 == len(votes.faults)
    assert "did you mean 'good'" in votes.faults[0].error
