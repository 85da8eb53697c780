from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labelmill.stores._local_files import LocalFiles
from labelmill.stores.lake import Lake

WRITER = """
import itertools, sys
from pathlib import Path
import polars as pl
from labelmill.domain.partition import Partition
from labelmill.domain.vote import Fault
from labelmill.stores import item_set
from labelmill.stores.lake import Lake

item_set.FILE_ROWS = 40
lake = Lake(Path(sys.argv[1]))
print("begun", flush=True)
for i in itertools.count(lake.n_items // 100):
    ids = [f"{i}-{j}" for j in range(100)]
    with lake.append_items(source=str(i)) as appender:
        appender.write(pl.DataFrame({"id": ids, "data": ids}))
    partitions = lake.item_partitions()[-3:]
    for p in partitions:
        lake.publish_votes("d", p.id, pl.DataFrame({"a": [i] * p.n_rows}), [Fault(p.id, "a", "error")])
    lake.seal_votes("d", {"a": {"fingerprint": "f", "kind": "rule"}}, partitions)
    lake.publish_consensus(f"c{i}", "all", pl.DataFrame({"i": [i] * 100}))
    lake.seal_consensus(f"c{i}", [Partition("all", "items", 0, 100)], {"i": i})
    lake.write_document("plan", {"i": i, "filler": "x" * 20000})
"""


def test_a_killed_writer_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    """Whenever the writer is killed, what the lake names is there, whole, and the next writer goes on."""
    _kill_again_and_again(tmp_path / "lake", n_kills=6, seed=1)


@pytest.mark.slow
def test_a_writer_killed_many_times(tmp_path: Path) -> None:
    """The same, a hundred times."""
    _kill_again_and_again(tmp_path / "lake", n_kills=100, seed=2)


def _kill_again_and_again(root: Path, *, n_kills: int, seed: int) -> None:
    rng = random.Random(seed)
    n_items = 0
    for _ in range(n_kills):
        with subprocess.Popen([sys.executable, "-c", WRITER, root], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"begun\n"
            time.sleep(rng.uniform(0.02, 0.4))
            assert writer.poll() is None
            writer.kill()
        lake = Lake(root)
        assert lake.n_items >= n_items
        n_items = lake.n_items
        _check(lake)
    assert n_items > 0
    LocalFiles(root).sweep(older_than=-1)
    assert [path for path in root.rglob("*") if path.name.startswith(".tmp-")] == []


def _check(lake: Lake) -> None:
    """Everything that a manifest names is readable and complete."""
    partitions = lake.item_partitions()
    assert lake.n_items % 100 == 0
    assert lake.item_ids().to_list() == [f"{i}-{j}" for i in range(lake.n_items // 100) for j in range(100)]
    assert lake.n_items == sum(len(lake.read_items(partition)) for partition in partitions)
    for votes in lake.vote_sets():
        assert {p.id for p in votes.partitions} <= {p.id for p in partitions}
        assert all(lake.read_votes("d", p.id).height == p.n_rows for p in votes.partitions)
        assert lake.read_faults("d")["item"].to_list() == [p.id for p in votes.partitions]
    for partition_id in lake.done_partitions("d"):
        assert lake.read_votes("d", partition_id).height > 0
    stored = lake.consensus()
    if stored is not None:
        assert lake.read_consensus(stored.digest, "all")["i"].to_list() == [stored.meta["i"]] * 100
    plan = lake.read_document("plan")
    assert plan is None or len(plan["filler"]) == 20_000
