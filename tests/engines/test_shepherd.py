from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from labelmill.domain.partition import Partition, Receipt
from labelmill.engines import _versions
from labelmill.engines._child import pickled
from labelmill.engines._shepherd import Shepherd
from labelmill.errors import AnnotationError
from labelmill.testing.engine import Calls, Deadly, Raising, calls, partitions_of

KEEPER = """
import sys
from pathlib import Path
from labelmill.engines._child import pickled
from labelmill.engines._shepherd import Shepherd
from labelmill.testing.engine import Calls, partitions_of

Shepherd(pickled(Calls(Path(sys.argv[1]), 60)), 1)(partitions_of(1)[0])
"""


def test_one_child_serves_all_partitions(tmp_path: Path) -> None:
    """The child is started once and keeps the stage open."""
    with closing(Shepherd(pickled(Calls(tmp_path)), 1)) as shepherd:
        receipts = [shepherd(partition) for partition in partitions_of(4)]

    assert [p.id for p in partitions_of(4)] == [receipt.partition for receipt in receipts]
    assert len(_processes(tmp_path)) == 1


def test_the_child_is_started_when_there_is_work(tmp_path: Path) -> None:
    """A shepherd without a partition has no child."""
    before = _children()

    with closing(Shepherd(pickled(Calls(tmp_path)), 1)):
        assert before == _children()


def test_a_receipt_names_the_host() -> None:
    """Whoever reads the receipt learns which machine did it, unless the stage has said so."""
    with closing(Shepherd(pickled(Raising()), 1)) as shepherd:
        assert socket.gethostname() == shepherd(partitions_of(2)[1]).host

    with closing(Shepherd(pickled(Hosted()), 1)) as shepherd:
        assert shepherd(partitions_of(1)[0]).host == "elsewhere"


def test_a_raising_stage_costs_no_child() -> None:
    """An error is a receipt; the child goes on."""
    with closing(Shepherd(pickled(Raising()), 1)) as shepherd:
        receipt = shepherd(partitions_of(1)[0])

    assert "ValueError: plain" in str(receipt.error)
    assert (False, 0) == (receipt.died, receipt.retries)


def test_a_dead_child_is_replaced(tmp_path: Path) -> None:
    """Two deaths are made good by a third child, and the receipt counts them."""
    with closing(Shepherd(pickled(Deadly(tmp_path, "p000", n_deaths=2)), 1)) as shepherd:
        receipts = [shepherd(partition) for partition in partitions_of(2)]

    assert [(None, 2), (None, 0)] == [(receipt.error, receipt.retries) for receipt in receipts]
    assert len(_processes(tmp_path)) == 3


def test_after_three_deaths_a_partition_is_given_up(tmp_path: Path) -> None:
    """The receipt says how the children died, and the next partition is done."""
    with closing(Shepherd(pickled(Deadly(tmp_path, "p000", n_deaths=99)), 1)) as shepherd:
        given_up, done = (shepherd(partition) for partition in partitions_of(2))

    assert calls(tmp_path) == {"p000": 3, "p001": 1}
    assert (True, 3) == (given_up.died, given_up.retries)
    assert "it cost 3 worker processes, the last one killed by SIGKILL" in str(given_up.error)
    assert done.error is None


def test_children_that_cannot_start_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If children die before they can work the shepherd raises: no other partition would fare better."""
    module = tmp_path / "stillborn_module.py"
    module.write_text("import os\nif os.getpid() != int(os.environ['DRIVER']): os._exit(7)\nclass Stage: pass")
    monkeypatch.setenv("DRIVER", str(os.getpid()))
    monkeypatch.syspath_prepend(str(tmp_path))
    stage = __import__("stillborn_module").Stage()

    with (
        closing(Shepherd(pickled(stage), 1)) as shepherd,
        pytest.raises(AnnotationError, match="3 worker processes died before they could work \\(exit status 7\\)"),
    ):
        shepherd(partitions_of(1)[0])


def test_closing_ends_the_child(tmp_path: Path) -> None:
    """No child outlives its shepherd."""
    with closing(Shepherd(pickled(Calls(tmp_path)), 1)) as shepherd:
        shepherd(partitions_of(1)[0])

    assert not any(map(_is_running, _processes(tmp_path)))


def test_an_interrupted_shepherd_ends_its_child(tmp_path: Path) -> None:
    """Work that its worker is told to drop does not go on behind its back."""
    shepherd = Shepherd(pickled(Calls(tmp_path, seconds=60)), 1)

    with _interrupt_when(tmp_path), pytest.raises(KeyboardInterrupt):
        shepherd(partitions_of(1)[0])

    assert not any(map(_is_running, _processes(tmp_path)))


def test_a_killed_shepherd_leaves_no_child(tmp_path: Path) -> None:
    """When the shepherd's process is killed outright, the child ends by itself within three seconds."""
    keeper = subprocess.Popen([sys.executable, "-c", KEEPER, str(tmp_path)])
    _until_called(tmp_path)

    keeper.kill()
    keeper.wait()

    deadline = time.monotonic() + 3
    while any(map(_is_running, _processes(tmp_path))):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_equal_versions_are_no_mismatch() -> None:
    """A worker with the driver's versions has nothing to say."""
    assert _versions.mismatch(_versions.versions("pytest")) is None


def test_a_mismatch_names_host_library_and_both_versions() -> None:
    """The message is enough to know what to install where."""
    expected = _versions.versions() | {"polars": "0.1", "no-such-library": "2.0"}

    message = _versions.mismatch(expected)

    polars = _versions.versions()["polars"]
    assert message is not None
    assert f"the worker on {socket.gethostname()} has polars {polars}, no-such-library (not installed)" in message
    assert "the driver has polars 0.1, no-such-library 2.0" in message


@dataclass(frozen=True)
class Hosted:
    """A stage that names the host itself."""

    def __call__(self, partition: Partition) -> Receipt:
        """Name it."""
        return Receipt(partition.id, host="elsewhere")


@contextmanager
def _interrupt_when(folder: Path) -> Iterator[None]:
    """Ctrl-C for this process once the stage is at work."""

    def interrupt() -> None:
        _until_called(folder)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)  # as a terminal's reaches it

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _until_called(folder: Path) -> None:
    deadline = time.monotonic() + 30
    while not any(folder.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _processes(folder: Path) -> set[int]:
    return {int(path.name.split("~")[1]) for path in folder.iterdir()}


def _children() -> set[str]:
    shown = subprocess.run(["pgrep", "-P", str(os.getpid())], capture_output=True, text=True, check=False)
    return set(shown.stdout.split())


def _is_running(pid: int) -> bool:
    """False for a process that has ended, whether or not somebody has asked for its exit status."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")
