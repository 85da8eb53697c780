from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labelmill.errors import StorageError, UsageError
from labelmill.pipeline._arrivals import Lines, WatchedFolder
from labelmill.pipeline.aggregate import read_consensus
from labelmill.pipeline.votes import current_machines
from labelmill.pipeline.watch import Arrival, Watch, watch_folder, watch_lines
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.lake import Lake

PROJECT = '[schema]\nclasses = ["ham", "spam"]\n[train]\nlearner = ""\n'
RULES = 'from labelmill import keyword\nprize = keyword("spam", ["prize"])\nnoon = keyword("ham", ["noon"])\n'

WATCHER = """
import os, signal, sys, threading
from pathlib import Path
from labelmill.pipeline.watch import watch_folder
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.item_set import ItemsAppender
from labelmill.stores.lake import Lake

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

folder, point = Path(sys.argv[1]), sys.argv[2]
owner = ItemsAppender if hasattr(ItemsAppender, point) else Lake
kept = getattr(owner, point)
if point == "write_document":
    setattr(owner, point, lambda self, name, data: die() if name.startswith("watch-") else kept(self, name, data))
else:
    setattr(owner, point, die)
watch = watch_folder(Workspace.open(folder), folder / "inbox", settle=0.05, once=True)
while watch.turn() is not None:
    pass
raise SystemExit("it should have died")
"""
"""Watches until it comes to a point, and is killed there."""

POINTS = ("write_document", "publish_votes", "seal_votes", "publish_consensus", "seal_consensus", "_publish_manifest")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with two rules, and an empty inbox."""
    home = tmp_path / "mails"
    (home / "inbox").mkdir(parents=True)
    (home / "labelmill.toml").write_text(PROJECT)
    (home / "rules.py").write_text(RULES)
    return home


def rows(start: int, stop: int) -> str:
    """JSON lines with these numbers."""
    told = [{"id": f"m{i}", "text": "a prize" if i % 3 == 0 else "noon"} for i in range(start, stop)]
    return "".join(json.dumps(one) + "\n" for one in told)


def watched(folder: Path, **options: Any) -> list[Arrival]:
    """All turns of one watch that ends when everything is read."""
    return list(_turns(watch_folder(Workspace.open(folder), folder / "inbox", settle=0.02, once=True, **options)))


def piped(folder: Path, text: str, **options: Any) -> list[Arrival]:
    """All turns of one watch of a stream."""
    return list(_turns(watch_lines(Workspace.open(folder), io.BytesIO(text.encode()), **options)))


def _turns(watch: Watch) -> Iterator[Arrival]:
    while (arrival := watch.turn()) is not None:
        yield arrival


def labels_of(folder: Path) -> dict[str, str]:
    """Item -> label, as the consensus in the lake says."""
    workspace = Workspace.open(folder)
    consensus = read_consensus(workspace).consensus
    assert workspace.lake.item_ids().to_list() == list(consensus.items)
    return {item: str(label) for item, label in zip(consensus.items, consensus.labels, strict=True)}


def expected(n: int) -> dict[str, str]:
    """What the rules say of the first rows."""
    return {f"m{i}": "spam" if i % 3 == 0 else "ham" for i in range(n)}


def test_new_files_are_labelled_once(folder: Path) -> None:
    """Files of several formats are imported, voted on and in the consensus; a second watch finds nothing to do."""
    (folder / "inbox" / "a.jsonl").write_text(rows(0, 4))
    (folder / "inbox" / "deep").mkdir()
    (folder / "inbox" / "deep" / "b.csv").write_text("id,text\nm4,noon\nm5,noon\n")

    first, second = watched(folder), watched(folder)

    assert [arrival.n_new for arrival in first] == [0, 6]
    assert [arrival.n_new for arrival in second] == [0]
    assert labels_of(folder) == expected(6)


def test_a_file_that_grows_brings_its_new_rows(folder: Path) -> None:
    """Rows that were there are passed over, the new ones taken."""
    place = folder / "inbox" / "a.jsonl"
    place.write_text(rows(0, 3))
    watched(folder)
    with place.open("a") as file:
        file.write(rows(3, 5))

    (_, second) = watched(folder)

    assert (second.n_new, second.n_existing) == (2, 3)
    assert labels_of(folder) == expected(5)


def test_bad_rows_are_left_out_and_told(folder: Path) -> None:
    """A line that is no JSON and an id that stands twice are reported; the rest of the file counts."""
    (folder / "inbox" / "a.jsonl").write_text(rows(0, 2) + "no json\n" + rows(0, 1))

    (_, arrival) = watched(folder)

    assert (arrival.n_new, len(arrival.bad_rows)) == (2, 2)
    assert labels_of(folder) == expected(2)


def test_what_holds_no_items_is_refused_once(folder: Path) -> None:
    """Votes, unknown endings and files without the columns are named with the reason, and the watch goes on."""
    (folder / "inbox" / "votes.csv").write_text("item,label\nm0,spam\n")
    (folder / "inbox" / "notes.docx").write_text("x")
    (folder / "inbox" / "no-id.csv").write_text("text\nnoon\n")
    (folder / "inbox" / "z.jsonl").write_text(rows(0, 2))

    (_, arrival) = watched(folder)

    assert {Path(path).name for path in arrival.refused} == {"votes.csv", "notes.docx", "no-id.csv"}
    assert arrival.n_new == 2
    assert len(watched(folder)) == 1


def test_a_file_is_not_read_while_it_is_written(tmp_path: Path) -> None:
    """Neither one that changes, nor one that a program holds open for writing, nor one with a name for a while."""
    now = [0.0]
    watched = WatchedFolder(tmp_path, Lake(tmp_path / "lake"), settle=1.0, clock=lambda: now[0])
    (tmp_path / "a.csv.part").write_text("id,text\n")
    (tmp_path / ".hidden.csv").write_text("id,text\n")
    with (tmp_path / "a.csv").open("w") as file:
        file.write("id,text\nm0,half a ro")
        file.flush()
        seen = [list(watched.arrived())]
        now[0] = 5.0
        held = list(watched.arrived())
        file.write("w\n")
    seen.append(list(watched.arrived()))
    now[0] = 5.5
    seen.append(list(watched.arrived()))
    now[0] = 6.5

    assert seen == [[], [], []]
    assert held == ([] if sys.platform == "linux" else ["a.csv"])
    assert list(watched.arrived()) == ["a.csv"]


def test_lines_are_taken_in_batches(folder: Path) -> None:
    """A stream is committed batch by batch, each saying how many lines are done with; bad lines are named."""
    arrivals = piped(folder, rows(0, 4) + "\n{bad}\n" + rows(4, 5), most=3)

    assert [arrival.n_lines for arrival in arrivals] == [0, 3, 6, 7]
    assert [arrival.n_new for arrival in arrivals] == [0, 3, 1, 1]
    assert str(arrivals[2].bad_rows[0]).startswith("standard input, line 6")
    assert labels_of(folder) == expected(5)


def test_lines_that_come_again_count_once(folder: Path) -> None:
    """Who sends everything again after a crash doubles nothing."""
    piped(folder, rows(0, 3))

    (_, again) = piped(folder, rows(0, 5))

    assert (again.n_new, again.n_existing) == (2, 3)
    assert labels_of(folder) == expected(5)


def test_lines_without_ids_are_refused(folder: Path) -> None:
    """Numbers would stand for other lines after a restart."""
    (folder / "labelmill.toml").write_text(PROJECT + '[source]\nid = "auto"\n')

    with pytest.raises(UsageError, match="ids of their own"):
        piped(folder, rows(0, 1))


def test_lines_are_read_ahead_in_bounds() -> None:
    """A line without end is not held in memory, and its neighbours are whole."""
    lines = Lines(io.BytesIO(b"a\n" + b"x" * 8_000_002 + b"\nb\n"))

    assert lines.gather(10, 5, threading.Event()).lines == [(1, b"a\n"), (2, None), (3, b"b\n")]


def test_a_trained_model_votes_on_what_arrives(tmp_path: Path) -> None:
    """The current model's votes on the new items are in the lake like those of `predict`."""
    from tests.server.model_serving.served import trained_project

    folder = trained_project(tmp_path / "mails")
    (folder / "inbox").mkdir()
    (folder / "inbox" / "a.csv").write_text("id,text\nnew1,a free prize\nnew2,the meeting at noon\n")

    watched(folder)

    labels = labels_of(folder)
    assert (labels["new1"], labels["new2"]) == ("spam", "ham")


def test_another_command_is_waited_for(folder: Path) -> None:
    """While the lake is written by somebody else the turn waits, and ends without a word when it is stopped."""
    (folder / "inbox" / "a.jsonl").write_text(rows(0, 1))
    workspace = Workspace.open(folder)
    watch = watch_folder(workspace, folder / "inbox", settle=0.02)
    found: list[Arrival | None] = []

    with Lake(workspace.lake.uri).writing():
        thread = threading.Thread(target=lambda: found.append(watch.turn()))
        thread.start()
        time.sleep(0.2)
        assert found == []
        watch.stop.set()
        thread.join(10)

    assert found == [None]


def test_no_folder_is_told(folder: Path) -> None:
    """A name that is no folder ends it at once."""
    with pytest.raises(StorageError, match="no such folder"):
        watch_folder(Workspace.open(folder), folder / "none")


def test_killed_at_any_point_nothing_is_lost_or_doubled(folder: Path) -> None:
    """Killed between any two writes, and started again: each item once, each rule's vote on each, one consensus."""
    _kill_at(folder, ("write_document", "publish_votes", "seal_consensus"))


@pytest.mark.slow
def test_killed_at_every_point(folder: Path) -> None:
    """The same at all of them, several times."""
    _kill_at(folder, POINTS * 3)


def _kill_at(folder: Path, points: tuple[str, ...]) -> None:
    for i, point in enumerate(points):
        (folder / "inbox" / f"{i}.jsonl").write_text(rows(4 * i, 4 * i + 4))
        done = subprocess.run([sys.executable, "-c", WATCHER, str(folder), point], check=False)
        assert done.returncode == -signal.SIGKILL

    watched(folder)

    n = 4 * len(points)
    assert labels_of(folder) == expected(n)
    assert sorted(Workspace.open(folder).lake.item_ids()) == sorted(expected(n))
    _check_votes(Workspace.open(folder))


def _check_votes(workspace: Workspace) -> None:
    """Each current rule voted on each partition exactly once."""
    for machine in current_machines(workspace):
        sets = [
            votes
            for votes in workspace.lake.vote_sets()
            if votes.annotators.get(machine.name, {}).get("fingerprint") == machine.fingerprint
        ]
        voted = [partition.id for votes in sets for partition in votes.partitions]
        assert sorted(voted) == sorted(partition.id for partition in workspace.lake.item_partitions())


def test_sigterm_ends_it_after_the_batch(folder: Path) -> None:
    """The command prints an object a batch, and ends well when asked to."""
    command = [sys.executable, "-m", "labelmill.cli.main", "watch", str(folder / "inbox"), "-p", str(folder)]
    (folder / "inbox" / "a.jsonl").write_text(rows(0, 3))
    with subprocess.Popen([*command, "--json", "--settle", "0.1"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        status = process.wait(20)

    assert [one["new"] for one in told] == [0, 3]
    assert (told[1]["items"], told[1]["voted"]) == (3, 3)
    assert status == 0
