"""The project that trials run: slow enough to be killed in the middle, small enough to be compared byte by byte."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.trials.clusters import Cluster
from tests.trials.shelves import Folder, Shelf, digests

__all__ = ["N_PARTITIONS", "Story", "follow", "run"]

N_PARTITIONS = 30
ROWS = 100
"""Rows of a partition."""

RULES = """\
import time
from labelmill import keyword, labeling_function, regex

free = keyword("spam", ["free", "prize", "winner"])
digits = regex("spam", r"\\\\d{{5,}}")
polite = keyword("ham", ["thanks", "meeting", "lunch"])


@labeling_function()
def slow(x):
    time.sleep({pause})
    return "ham" if len(x.text) < 40 else None
"""

PROJECT = """\
[schema]
name = "spam"
classes = ["ham", "spam"]
[train]
learner = ""
[storage]
lake = "{lake}"
"""

# The files of a lake are cut at 100,000 rows; here at a hundred, so that a few thousand items are many partitions.
CUT = f"""\
from labelmill.stores import item_set
item_set.FILE_ROWS = {ROWS}
from labelmill.cli.main import main
main()
"""

_number = itertools.count()


@dataclass
class Story:
    """A project, and what comes out of it when nothing goes wrong.

    Parameters
    ----------
    root : Path
        Everything is made below it.
    pause : float
        Seconds that a rule sleeps at each item.
    """

    root: Path
    pause: float = 0.004
    votes: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)

    def tell(self) -> None:
        """The undisturbed run, on worker processes of this machine."""
        self._write(self._imported, lake="")
        run("import", self._imported / "items.csv", "--project", self._imported, program=CUT)
        with self.copied() as (folder, shelf):
            run("annotate", "--engine", "processes", "--project", folder)
            self.votes = digests(shelf.files("votes"))
            self.after = follow(folder, shelf)
        if len(self.votes) != N_PARTITIONS:
            raise AssertionError(f"{N_PARTITIONS} files of votes were expected, found {len(self.votes)}")

    @contextlib.contextmanager
    def copied(self, shelf: Shelf | None = None, env: Mapping[str, str] | None = None) -> Iterator[tuple[Path, Shelf]]:
        """A fresh project with items and no votes."""
        folder = self.root / f"project-{next(_number)}"
        if shelf is None:
            shutil.copytree(self._imported, folder)
        else:
            self._write(folder, lake=shelf.uri)
            run("import", folder / "items.csv", "--project", folder, program=CUT, env=env)
        try:
            yield folder, shelf or Folder(str(folder / ".labelmill"))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def _imported(self) -> Path:
        return self.root / "imported"

    def _write(self, folder: Path, *, lake: str) -> None:
        folder.mkdir(parents=True)
        (folder / "labelmill.toml").write_text(PROJECT.format(lake=lake))
        (folder / "rules.py").write_text(RULES.format(pause=self.pause))
        (folder / "items.csv").write_text("\n".join(["id,text", *_rows()]) + "\n")


def run(*words: str | Path, program: str = "", env: Mapping[str, str] | None = None) -> None:
    """A command of labelmill on this machine; fails with what it says."""
    python = [sys.executable, "-c", program] if program else [sys.executable, "-m", "labelmill.cli.main"]
    done = subprocess.run(
        [*python, *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {})},  # noqa: TID251 -- a test hands its own on
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(f"labelmill {' '.join(map(str, words))}: {done.stderr[-3000:]}")


def follow(
    folder: Path, shelf: Shelf, env: Mapping[str, str] | None = None, *, on: Cluster | None = None
) -> dict[str, str]:
    """Digests of what aggregate and select make of the votes, in one process or on a cluster."""
    out = folder / "ask.csv"
    for verb in (["aggregate"], ["select", "--count", "40", "--out", out]):
        if on is None:
            run(*verb, "--project", folder, env=env)
        else:
            on.finish(*verb, "--engine", on.engine, "--project", folder, log=folder / "driver.log")
    consensus = {name.rpartition("/")[2]: hash_ for name, hash_ in digests(shelf.files("consensus")).items()}
    return {**consensus, "ask.csv": hashlib.sha256(out.read_bytes()).hexdigest()}


def _rows() -> Iterator[str]:
    """Small mails: every third looks like spam."""
    for i in range(N_PARTITIONS * ROWS):
        is_spam = i % 3 == 0
        words = f"winner {i * 7919 % 100_000}: a free prize for you" if is_spam else f"thanks for the meeting {i}"
        yield f"m{i},{words}{' and so on' * (i % 4)}"
