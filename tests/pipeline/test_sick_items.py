"""Items that kill or hang their workers, and workers that are killed from outside, on real processes."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path

import polars as pl
import pytest

from labelmill import Mill
from labelmill.pipeline._last_words import last_words
from labelmill.stores import item_set

PROJECT = """\
[schema]
name = "spam"
classes = ["ham", "spam"]
[annotate]
engine = "processes"
workers = 2
"""

RULES = """\
import ctypes, itertools, os, resource, signal, time
from collections import deque
from pathlib import Path
import numpy as np
from labelmill import labeling_function
from labelmill.domain.partition import Resources
from labelmill.domain.vote import VoteBatch

HERE = Path(__file__).parent
IS_SICK = (HERE / "sick").exists()

def segfault():
    ctypes.string_at(0)

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

def leave():
    ctypes.CDLL(None)._exit(3)

def hog():
    import polars as pl
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    pl.repeat(1, 1 << 34, eager=True)

def deadlock(libc):
    mutex = ctypes.create_string_buffer(128)
    libc.pthread_mutex_lock(mutex)
    libc.pthread_mutex_lock(mutex)

def wait_in_c():
    deadlock(ctypes.CDLL(None))

def wait_in_c_with_the_lock():
    deadlock(ctypes.PyDLL(None))

def compute_in_c():
    deque(itertools.repeat(0), maxlen=0)

def deaf():
    while True:
        try:
            time.sleep(0.01)
        except BaseException:
            pass

def loop():
    while True:
        pass

class Compiled:
    kind, resources, fingerprint, evaluation = "rule", Resources(), "1", "compiled"

    def __init__(self, name, item, act):
        self.name, self.item, self.act = name, item, act

    def annotate(self, batch, schema):
        if self.item in batch.ids and IS_SICK:
            self.act()
        votes = np.ones(len(batch), dtype=np.int16)
        votes[[name == self.item for name in batch.ids]] = -1
        return VoteBatch(votes)

@labeling_function()
def well(x):
    return "spam"
"""

FUNCTION = """
@labeling_function()
def {name}(x):
    if x.id in {items}:
        if IS_SICK:
            {act}()
        return None
    return "ham"
"""

COMPILED = """
{name} = Compiled("{name}", "{item}", {act})
"""

OUTSIDER = """\
import os, time
from pathlib import Path
from labelmill import labeling_function

@labeling_function()
def slow(x):
    (Path(__file__).parent / f"worker-{os.getpid()}").touch()
    time.sleep(0.01)
    return "ham"
"""

N_ITEMS = 120


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of 120 items in three partitions."""
    monkeypatch.setattr(item_set, "FILE_ROWS", 40)
    (tmp_path / "labelmill.toml").write_text(PROJECT)
    (tmp_path / "rules.py").write_text("")
    lines = ["id,text", *(f"i{n},mail number {n}" for n in range(N_ITEMS))]
    (tmp_path / "items.csv").write_text("\n".join(lines) + "\n")
    Mill.open(tmp_path).ingest(tmp_path / "items.csv")
    return tmp_path


def files(project: Path) -> dict[str, bytes]:
    """Every file of votes."""
    votes = project / ".labelmill" / "votes"
    return {
        path.name: path.read_bytes() for path in votes.rglob("*.parquet") if not path.name.endswith(".faults.parquet")
    }


def faults(project: Path) -> pl.DataFrame:
    """All faults."""
    lake = Mill.open(project).lake
    return pl.concat([lake.read_faults(votes.digest) for votes in lake.vote_sets()])


def annotated(project: Path, rules: str, timeout: float) -> pl.DataFrame:
    """The faults of a run in which the items are sick; all its votes are those of a run in which they are not."""
    (project / "rules.py").write_text(RULES + rules)
    (project / "sick").touch()
    Mill.open(project).annotate(timeout=timeout)
    found, made = faults(project), files(project)
    for path in (project / ".labelmill" / "votes").rglob("*.json"):
        path.unlink()
    for path in (project / ".labelmill" / "votes").rglob("*.parquet"):
        path.unlink()
    (project / "sick").unlink()
    Mill.open(project).annotate(timeout=timeout)
    assert files(project) == made != {}
    assert faults(project).height == 0
    return found


def test_items_that_kill(project: Path) -> None:
    """At the first, a middle and the last row, two in a batch, of several rules: faults, and no other vote changes."""
    acts = {"kill": ["i0"], "segfault": ["i39", "i45"], "leave": ["i119"], "hog": ["i60"]}
    rules = "".join(FUNCTION.format(name=f"r_{act}", items=items, act=act) for act, items in acts.items())

    found = annotated(project, rules, timeout=30)

    assert sorted(found.select("annotator", "item", "error").rows()) == [
        ("r_hog", "i60", "killed its worker 2 times (Aborted); left out"),
        ("r_kill", "i0", "killed its worker 3 times; left out"),
        ("r_leave", "i119", "killed its worker 3 times; left out"),
        ("r_segfault", "i39", "killed its worker 2 times (Segmentation fault); left out"),
        ("r_segfault", "i45", "killed its worker 2 times (Segmentation fault); left out"),
    ]
    tracebacks = dict(found.select("annotator", "traceback").rows())
    assert "in segfault" in tracebacks["r_segfault"]
    assert tracebacks["r_kill"] == ""


@pytest.mark.parametrize(
    ("act", "where"),
    [
        ("wait_in_c", FUNCTION),
        ("wait_in_c_with_the_lock", COMPILED),
        ("compute_in_c", FUNCTION),
        pytest.param("deaf", FUNCTION, marks=pytest.mark.slow),
        pytest.param("wait_in_c_with_the_lock", FUNCTION, marks=pytest.mark.slow),
        pytest.param("compute_in_c", COMPILED, marks=pytest.mark.slow),
    ],
    ids=["function", "compiled", "busy", "deaf", "function, with the lock", "compiled, busy"],
)
def test_items_that_hang(project: Path, act: str, where: str) -> None:
    """An item that hangs where nothing of Python can reach it is a fault with the traceback of where it hung."""
    found = annotated(project, where.format(name="hanging", items=["i47"], item="i47", act=act), timeout=0.1)

    assert found.select("annotator", "item", "error").rows() == [
        ("hanging", "i47", "took longer than 1.2 s in compiled code on this item; left out")
    ]
    place = "deadlock" if act.startswith("wait") else act
    assert f"in {place}" in found["traceback"][0]


def test_an_item_that_hangs_in_python(project: Path) -> None:
    """It is stopped without a death."""
    found = annotated(project, FUNCTION.format(name="hanging", items=["i47"], act="loop"), timeout=0.2)

    assert found.select("item", "error").rows() == [("i47", "took longer than 0.2 s on this item and was stopped")]


def test_no_last_words_are_left_behind(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files in which dying workers leave their tracebacks are gone when the partition is done."""
    folder = project / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)

    annotated(project, FUNCTION.format(name="r", items=["i5"], act="segfault"), timeout=30)

    assert list(folder.glob("labelmill-*")) == []
    assert last_words("00" * 8) == ""


def test_workers_killed_from_outside(project: Path) -> None:
    """Twenty workers are killed at random moments: the run finishes, no item is at fault, every vote is there."""
    (project / "rules.py").write_text(OUTSIDER)
    killed: list[int] = []
    killer = threading.Thread(target=kill_some, args=(project, 20, killed), daemon=True)
    killer.start()

    Mill.open(project).annotate()

    killer.join(timeout=10)
    assert faults(project).height == 0
    lake = Mill.open(project).lake
    votes = [lake.read_votes(v.digest, p.id)["slow"] for v in lake.vote_sets() for p in v.partitions]
    assert sum(column.len() for column in votes) == N_ITEMS
    assert {vote for column in votes for vote in column} == {0}
    assert len(killed) == 20


def kill_some(project: Path, n: int, killed: list[int]) -> None:
    """Kill workers one after another, as soon as each has been at work for a random while."""
    rng = random.Random(3)
    dead: set[str] = set()
    deadline = time.monotonic() + 100
    while len(killed) < n and time.monotonic() < deadline:
        working = sorted(path.name for path in project.glob("worker-*") if path.name not in dead)
        if not working:
            time.sleep(0.01)
            continue
        time.sleep(rng.uniform(0.05, 0.4))  # the first item is not hit more often than others
        name = rng.choice(working)
        dead.add(name)
        pid = int(name.partition("-")[2])
        try:
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
        except ProcessLookupError:
            pass
