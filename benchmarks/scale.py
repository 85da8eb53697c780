"""Two million texts by ten rules, from Parquet to Parquet: memory, speed, and what kill -9 does to it.

    python benchmarks/scale.py [--items 2000000] [--kills 20]

Peak memory is the proportional set size (PSS) of the whole process tree, sampled every 50 ms. Each kill hits a fresh
copy of the project at a random instant while votes are being published; the trial is void unless some partitions were
finished and some were not. After the resumed run every file of votes must be byte-identical to an undisturbed run's,
and no partition that was published before the kill may have been written again.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl

PROJECT = """\
[schema]
name = "topic"
classes = ["other", "offer"]
[train]
learner = ""
"""

RULES = """\
from labelmill import keyword, regex, threshold

free = keyword("offer", ["free", "gratis", "winner"])
prize = keyword("offer", ["prize", "bonus", "jackpot"])
money = regex("offer", r"\\$\\s?\\d+")
percent = regex("offer", r"\\b\\d{1,3}\\s?% off\\b")
click = regex("offer", r"(?i)click (here|now)")
greeting = regex("other", r"(?i)^(dear|hello|hi)\\b")
meeting = keyword("other", ["meeting", "agenda", "minutes"])
reply = regex("other", r"(?i)\\bwrote:")
question = regex("other", r"\\?$")
short = threshold("other", field="length", below=60)
"""

PLANTED = ("free", "winner", "prize", "bonus", "$ 500", "40 % off", "click here", "Dear all", "meeting", "she wrote:")


def make_items(path: Path, n_items: int) -> None:
    """Texts of about 120 characters from a made-up vocabulary, every fourth with something a rule looks for."""
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    vocabulary = np.array(["".join(rng.choice(letters, rng.integers(2, 10))) for _ in range(5_000)])
    parts = []
    for start in range(0, n_items, 100_000):
        n = min(100_000, n_items - start)
        words = vocabulary[rng.integers(0, len(vocabulary), (n, 18))]
        planted = np.where(rng.random(n) < 0.25, np.array(PLANTED)[rng.integers(0, len(PLANTED), n)], "")
        texts = [f"{extra} {' '.join(row)}".strip() for extra, row in zip(planted, words, strict=True)]
        part = path.parent / f"part-{start:09d}.parquet"
        pl.DataFrame({"id": [f"t{i}" for i in range(start, start + n)], "text": texts}).write_parquet(part)
        parts.append(part)
    pl.scan_parquet(parts).sink_parquet(path, compression="zstd")
    for part in parts:
        part.unlink()


def labelmill(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """A command of labelmill in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "labelmill.cli.main", *words, "--project", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def peak_memory(process: subprocess.Popen[bytes]) -> tuple[float, float]:
    """Seconds until the process ends, and the peak PSS of its whole tree in MB."""
    started, peak = time.monotonic(), 0
    while process.poll() is None:
        peak = max(peak, sum(_pss(pid) for pid in _tree(process.pid)))
        time.sleep(0.05)
    if process.returncode != 0:
        sys.exit(f"failed: {process.stderr.read().decode() if process.stderr else ''}")
    return time.monotonic() - started, peak / 1024


def _tree(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from _tree(int(child))


def _pss(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def votes(folder: Path) -> dict[str, tuple[int, str]]:
    """Published partition -> (inode, hash of its bytes)."""
    root = folder / ".labelmill" / "votes"
    return {
        str(path.relative_to(root)): (path.stat().st_ino, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(root.glob("*/*.parquet"))
        if not path.name.startswith(".")
    }


@contextmanager
def copied(folder: Path) -> Iterator[Path]:
    """A fresh project with the same items (hard links: they never change) and no votes."""
    copy = folder.parent / "trial"
    shutil.copytree(folder, copy, copy_function=os.link)
    shutil.rmtree(copy / ".labelmill" / "votes", ignore_errors=True)
    for name in ("documents", "runs"):
        shutil.rmtree(copy / ".labelmill" / name, ignore_errors=True)
    try:
        yield copy
    finally:
        shutil.rmtree(copy)


def kill_once(folder: Path, undisturbed: dict[str, tuple[int, str]], seconds: float, rng: random.Random) -> str:
    """One trial: kill in the middle, resume, compare. Empty if the kill missed the middle."""
    with copied(folder) as copy:
        process = labelmill(copy, "annotate")
        time.sleep(rng.uniform(0.1, 1.0) * seconds)
        driver_only = rng.random() < 0.5
        (os.kill if driver_only else os.killpg)(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(0.5)  # workers of a dead driver end by themselves
        published = votes(copy)
        if not 0 < len(published) < len(undisturbed):
            return ""
        peak_memory(labelmill(copy, "annotate"))
        resumed = votes(copy)
        if {name: digest for name, (_, digest) in resumed.items()} != {n: d for n, (_, d) in undisturbed.items()}:
            sys.exit("FAILED: the resumed run's votes differ from the undisturbed run's")
        if any(resumed[name] != entry for name, entry in published.items()):
            sys.exit("FAILED: a published partition was written again")
        return (
            f"{'driver' if driver_only else 'everything'} killed at {len(published)} of {len(undisturbed)} partitions"
        )


def report(n_items: int = 2_000_000, n_kills: int = 20) -> str:
    """Run it all; a Markdown table and what the kills did."""
    rows = ["| step | seconds | rows/s | peak memory, MB |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory(prefix="labelmill-scale-") as scratch:
        folder = Path(scratch) / "project"
        folder.mkdir()
        (folder / "labelmill.toml").write_text(PROJECT)
        (folder / "rules.py").write_text(RULES)
        source = Path(scratch) / "items.parquet"
        make_items(source, n_items)
        for words in (["import", str(source)], ["annotate"], ["aggregate"]):
            seconds, peak = peak_memory(labelmill(folder, *words))
            rows.append(f"| {words[0]} | {seconds:.1f} | {n_items / seconds:,.0f} | {peak:.0f} |")
            print(rows[-1], flush=True)
            if words[0] == "annotate":
                undisturbed, annotate_seconds = votes(folder), seconds
        rng = random.Random(0)
        done = 0
        while done < n_kills:
            told = kill_once(folder, undisturbed, annotate_seconds, rng)
            if told:
                done += 1
                print(f"kill {done}: {told}; resumed, byte-identical", flush=True)
        rows += ["", f"{done} kills in the middle of the work: resumed, byte-identical, no published partition redone."]
    return "\n".join(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=2_000_000)
    parser.add_argument("--kills", type=int, default=20)
    asked = parser.parse_args()
    print(report(asked.items, asked.kills))
