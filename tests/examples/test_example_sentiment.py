"""The example of feelings: texts, raters, word lists, and how they are made."""

from __future__ import annotations

import importlib.util
import io
import tarfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "sentiment"
CLASSES = {"negative", "neutral", "positive"}


@pytest.fixture(scope="module")
def preparation() -> Any:
    """The example's `prepare.py`."""
    spec = importlib.util.spec_from_file_location("prepare_sentiment", EXAMPLE / "prepare.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with three texts, about one of which its files disagree, and four words."""
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:gz") as archive:
        add(archive, "h/tweets_GroundTruth.txt", "1\t0.5\tGood &amp; nice\r\n2\t-1.0\tBad\r\n3\t2.0\tWho knows\r\n")
        ratings = "1\t0.5\t0\t[1, 1, 0, 0, -1, 1, 2, 0]\r\n2\t-1.0\t0\t[0, -1, -2, 1, -2, -2, -1, -1]\r\n"
        add(archive, "h/tweets_anonDataRatings.txt", f"{ratings}3\t1.0\t0\t[1, 1, 1, 1, 1]\r\n")
    path = tmp_path / "package.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        add(archive, "v/additional_resources/hutto_ICWSM_2014.tar.gz", inner.getvalue())
        words = "good\t1.9\t0.9\t[]\nmeh\t-0.3\t1\t[]\nawful\t-2.0\t0.5\t[]\n:)\t2.0\t0.5\t[]\n"
        add(archive, "v/vaderSentiment/vader_lexicon.txt", words)
    return path


def add(archive: tarfile.TarFile, name: str, data: str | bytes) -> None:
    """One file into an archive."""
    raw = data.encode() if isinstance(data, str) else data
    member = tarfile.TarInfo(name)
    member.size = len(raw)
    archive.addfile(member, io.BytesIO(raw))


def test_texts_and_gold_are_of_the_same_items() -> None:
    """4,002 texts, each with a class in a file of its own."""
    texts, gold = pl.read_parquet(EXAMPLE / "texts.parquet"), pl.read_parquet(EXAMPLE / "gold.parquet")

    assert texts.columns == ["id", "text"]
    assert texts.height == 4002
    assert texts["id"].n_unique() == 4002
    assert texts["id"].to_list() == gold["id"].to_list()
    assert set(gold["label"]) == CLASSES
    assert (texts["text"].str.len_chars() > 0).all()


def test_raters_answered_some_of_the_texts() -> None:
    """Four raters, each on about a quarter; about a third of the texts has no answer."""
    texts = pl.read_parquet(EXAMPLE / "texts.parquet")
    votes = pl.read_csv(EXAMPLE / "raters.csv")

    assert votes.columns == ["item", "annotator", "label", "kind"]
    assert sorted(votes["annotator"].unique()) == ["rater-1", "rater-2", "rater-3", "rater-4"]
    assert set(votes["kind"]) == {"person"}
    assert set(votes["label"]) == CLASSES
    assert votes.select("item", "annotator").is_unique().all()
    assert set(votes["item"]) <= set(texts["id"])
    assert votes["annotator"].value_counts()["count"].is_between(900, 1100).all()
    assert 0.30 < 1 - votes["item"].n_unique() / texts.height < 0.35


def test_a_rater_agrees_with_the_others_more_often_than_not() -> None:
    """Texts and ratings belong together: each rater names the class of the rest in three of four cases."""
    votes, gold = pl.read_csv(EXAMPLE / "raters.csv"), pl.read_parquet(EXAMPLE / "gold.parquet")

    joined = votes.join(gold, left_on="item", right_on="id", suffix="_gold")
    agreement = joined.group_by("annotator").agg((pl.col("label") == pl.col("label_gold")).mean())

    assert agreement["label"].is_between(0.72, 0.85).all()


def test_word_lists_are_sorted_and_share_no_word() -> None:
    """A word is positive or negative, not both."""
    lists = {
        name: (EXAMPLE / "words" / f"{name}.txt").read_text(encoding="utf-8").split()
        for name in ("positive", "negative")
    }

    assert all(words == sorted(set(words)) for words in lists.values())
    assert not set(lists["positive"]) & set(lists["negative"])
    assert min(len(words) for words in lists.values()) > 2000


def test_gold_is_made_without_the_raters(preparation: Any, package: Path) -> None:
    """The class is that of the rounded mean of the ratings after the fourth."""
    texts, _, gold = preparation.prepare(package)

    labels = dict(texts.join(gold, on="id").select("text", "label").iter_rows())
    assert labels == {"Good & nice": "neutral", "Bad": "negative"}


def test_raters_are_the_first_ratings(preparation: Any, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing left out, rater k gives the class of the k-th rating."""
    monkeypatch.setattr(preparation, "SHARE_ANSWERED", 1.0)
    texts, votes, _ = preparation.prepare(package)

    names = dict(texts.select("text", "id").iter_rows())
    answers = votes.filter(pl.col("item") == names["Bad"]).sort("annotator")["label"].to_list()
    assert answers == ["neutral", "negative", "negative", "positive"]


def test_word_lists_hold_plain_words_with_a_clear_feeling(preparation: Any, package: Path) -> None:
    """Faces and lukewarm words are left out."""
    assert preparation.word_lists(package) == {"positive": ["good"], "negative": ["awful"]}


def test_preparation_is_deterministic(preparation: Any, package: Path) -> None:
    """The same package gives the same tables."""
    first, second = preparation.prepare(package), preparation.prepare(package)

    assert all(a.equals(b) for a, b in zip(first, second, strict=True))


def test_the_files_are_small() -> None:
    """All of it below half a megabyte."""
    assert sum(path.stat().st_size for path in EXAMPLE.rglob("*") if path.is_file()) < 500_000
