"""Rules and labeling functions against Snorkel's PandasLFApplier: CPU time from texts to votes, one thread.

    python benchmarks/labeling_functions.py [--repeats 5] [--items 100000] [--cache FOLDER]

Three sets of ten, each with the same votes in both systems, which is checked on every item:

- rules: five keyword lists and five patterns that ignore case; declared here, functions that call `re.search` there;
- functions: five that look for a substring in `x.text.lower()`, five that call `re.search` with a pattern that
  starts with plain characters; the same source runs in both systems;
- heavy functions: the functions that Snorkel runs for the first set, in both systems. Nearly all of their time is
  spent inside `re`, which no caller can shorten.

Each system runs in a process of its own, Snorkel in a virtual environment that this script makes once under the cache
folder. Times are medians. Texts are those in ../shared/data/text where present, else made up.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

PEER = ["snorkel==0.10.0", "pandas<2.3", "numpy<2"]
DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "text"
SETS = ("rules", "functions", "heavy functions")
SYSTEMS = ("labelmill", "snorkel")

KEYWORDS = [
    ["free"],
    ["win", "winner", "prize"],
    ["cash", "money"],
    ["urgent"],
    ["good", "great", "fine", "best"],
]
PATTERNS = [r"\b\d{5,}\b", r"https?://|www\.", r"call (?:me|now|you)", r"[!?]{2,}", r"^(?:what|who|where)\b"]
SUBSTRINGS = ["free", "prize", "cash", "urgent", "best"]
PREFIXED = [r"https?://", r"call (?:me|now|you)", r"text \w+ to \d+", r"\$\d+", r"www\.\w"]


class Row(NamedTuple):
    """One set of ten on both systems: medians in seconds, and how many times quicker labelmill is."""

    set: str
    items: int
    labelmill_cpu: float
    snorkel_cpu: float
    labelmill_wall: float
    snorkel_wall: float

    @property
    def ratio(self) -> float:
        """Snorkel's CPU time over labelmill's."""
        return self.snorkel_cpu / self.labelmill_cpu


def report() -> str:
    """The table, as Markdown."""
    return table(main([]))


def main(arguments: list[str] | None = None) -> list[Row]:
    """Measure, print a Markdown table, and return its rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "labelmill-peers")
    parser.add_argument("--worker", nargs=3, metavar=("SYSTEM", "IN", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        work(*options.worker, repeats=options.repeats)
        return []
    pythons = {"labelmill": Path(sys.executable), "snorkel": peer(options.cache)}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "texts.json"
        source.write_text(json.dumps(texts(options.items)))
        results = {name: started(name, pythons[name], source, options.repeats) for name in SYSTEMS}
    rows = [compared(name, options.items, *(results[system][name] for system in SYSTEMS)) for name in SETS]
    print(table(rows))
    return rows


def table(rows: list[Row]) -> str:
    """The rows in Markdown."""
    lines = [
        f"Ten at a time on {rows[0].items:,} texts, one thread; medians. rows/s count all ten.",
        "",
        "| set | labelmill rows/s | Snorkel rows/s | times quicker | labelmill CPU s (wall) | Snorkel CPU s (wall) |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.set} | {row.items / row.labelmill_cpu:,.0f} | {row.items / row.snorkel_cpu:,.0f} | {row.ratio:.1f} "
        f"| {row.labelmill_cpu:.3f} ({row.labelmill_wall:.3f}) | {row.snorkel_cpu:.3f} ({row.snorkel_wall:.3f}) |"
        for row in rows
    ]
    return "\n".join(lines)


def compared(name: str, items: int, ours: dict[str, Any], theirs: dict[str, Any]) -> Row:
    """One row, if both gave the same votes."""
    if ours["votes"] != theirs["votes"]:
        raise SystemExit(f"{name}: the votes differ: {ours['counts']} and {theirs['counts']}")
    return Row(name, items, ours["cpu"], theirs["cpu"], ours["wall"], theirs["wall"])


def texts(n: int) -> list[str]:
    """The first `n` of the real texts, over and over if need be."""
    found = list(real_texts()) or made_up(20_000)
    return [found[i % len(found)] for i in range(n)]


def real_texts() -> Iterator[str]:
    """Short messages, news, reviews, questions."""
    for name in ("sms_spam", "ag_news", "sentence_polarity", "trec_questions"):
        path = DATA / name / "items.csv"
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                yield from (row["text"] for row in csv.DictReader(file))


def made_up(n: int) -> list[str]:
    """Texts of some 120 characters from a small vocabulary."""
    rng = random.Random(0)
    common = [f"word{i}" for i in range(500)]
    words = common + [word for group in KEYWORDS for word in group] + ["call me", "12345", "http://x", "!!", "ünique"]
    return [" ".join(rng.choices(words, k=18)) for _ in range(n)]


def peer(cache: Path) -> Path:
    """The Python of Snorkel's own environment, made at the first call."""
    folder = cache / "snorkel-0.10.0-pandas-2"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEER], check=True)
        (folder / "ready").touch()
    return python


def started(system: str, python: Path, source: Path, repeats: int) -> dict[str, Any]:
    """Results of a system, from a process with one thread."""
    out = source.with_name(f"{system}.json")
    threads = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    command = [python, __file__, "--repeats", str(repeats), "--worker", system, source, out]
    subprocess.run(command, check=True, env={**os.environ, **dict.fromkeys(threads, "1")})
    results: dict[str, Any] = json.loads(out.read_text())
    return results


def work(system: str, source: str, out: str, *, repeats: int) -> None:
    """Run all sets in this process and write what they gave and took."""
    given = json.loads(Path(source).read_text())
    prepare = {"labelmill": labelmill_sets, "snorkel": snorkel_sets}[system]
    results = {}
    for name, apply in prepare(given).items():
        times = []
        votes: list[list[int]] = []
        for _ in range(repeats):
            cpu, wall = time.process_time(), time.perf_counter()
            matrix = apply()
            times.append((time.process_time() - cpu, time.perf_counter() - wall))
            votes = matrix.tolist()
        results[name] = {
            "cpu": statistics.median(cpu for cpu, _ in times),
            "wall": statistics.median(wall for _, wall in times),
            "counts": [sum(vote >= 0 for vote in column) for column in zip(*votes, strict=True)],
            "votes": "".join("01"[vote >= 0] for row in votes for vote in row),
        }
    Path(out).write_text(json.dumps(results))


def labelmill_sets(given: list[str]) -> dict[str, Callable[[], Any]]:
    """Each set as a call from a table of texts, made beforehand, to a matrix of votes."""
    import polars as pl

    from labelmill import LFs, keyword, labeling_function, regex

    frame = pl.DataFrame({"text": given})
    rules = [
        *(keyword("yes", words, name=f"rule_{i}") for i, words in enumerate(KEYWORDS)),
        *(regex("yes", pattern, name=f"rule_{i + 5}", ignore_case=True) for i, pattern in enumerate(PATTERNS)),
    ]
    sets = {
        "rules": rules,
        "functions": [labeling_function(f"f_{i}")(function) for i, function in enumerate(light())],
        "heavy functions": [labeling_function(f"f_{i}")(function) for i, function in enumerate(heavy())],
    }
    classes = ["no", "yes"]

    def applied(ten: Sequence[Any]) -> Callable[[], Any]:
        lfs = LFs(ten)
        return lambda: lfs.apply(frame, classes=classes).matrix

    return {name: applied(ten) for name, ten in sets.items()}


def snorkel_sets(given: list[str]) -> dict[str, Callable[[], Any]]:
    """The same sets as Snorkel runs them."""
    import pandas as pd
    from snorkel.labeling import LabelingFunction, PandasLFApplier

    frame = pd.DataFrame({"text": given})

    def applied(functions: list[Callable[[Any], int]]) -> Callable[[], Any]:
        ten = [LabelingFunction(name=f"f_{i}", f=function) for i, function in enumerate(functions)]
        applier = PandasLFApplier(ten)
        return lambda: applier.apply(frame, progress_bar=False)

    return {"rules": applied(heavy()), "functions": applied(light()), "heavy functions": applied(heavy())}


def light() -> list[Callable[[Any], int]]:
    """Five substrings, five patterns with a plain start."""
    return [*(contains(word) for word in SUBSTRINGS), *(finds(pattern, 0) for pattern in PREFIXED)]


def heavy() -> list[Callable[[Any], int]]:
    """The rules as functions."""
    lists = [finds(rf"\b(?:{'|'.join(words)})\b", re.IGNORECASE) for words in KEYWORDS]
    return [*lists, *(finds(pattern, re.IGNORECASE) for pattern in PATTERNS)]


def contains(word: str) -> Callable[[Any], int]:
    """A function that looks for a substring."""

    def function(x: Any) -> int:
        return 1 if word in x.text.lower() else -1

    return function


def finds(pattern: str, flags: int) -> Callable[[Any], int]:
    """A function that looks for a pattern."""
    search = re.compile(pattern, flags).search

    def function(x: Any) -> int:
        return 1 if search(x.text) else -1

    return function


if __name__ == "__main__":
    main()
