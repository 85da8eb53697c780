from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time

import pytest
from tests.object_storage import Proxy, wait_until

from labelmill.errors import StorageError
from labelmill.stores import _opendal_store
from labelmill.stores._lease import Lease
from labelmill.stores.lake import Lake

HOLD = """
import sys, time
from labelmill.stores._lease import Lease
from labelmill.stores.lake import Lake
Lease.TTL = 1.5
with Lake(sys.argv[1]).writing():
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def uri(bucket: str) -> str:
    """Where lakes on S3 lie."""
    return f"{bucket}/project"


def test_a_second_writer_is_refused(uri: str) -> None:
    """It is told who writes, since when, until when, and what to do."""
    expected = (
        rf"another labelmill is writing to {uri} \(pid {os.getpid()} on \S+, since \d\d:\d\d:\d\d UTC, at least until "
        r"(\S+ UTC)\): wait for it to finish, or stop it; if it is dead already, run the same command again after \1"
    )

    with Lake(uri).writing(), pytest.raises(StorageError, match=expected), Lake(uri).writing():
        pass

    with Lake(uri).writing():
        pass


def test_the_thread_that_writes_may_enter_again(uri: str) -> None:
    """A verb that writes may call another; the lease is let go of at the end of the outer one, also after an error."""
    lake = Lake(uri)

    with pytest.raises(ValueError, match="failed"), lake.writing():  # noqa: PT012 -- the error comes last
        with lake.writing():
            pass
        with pytest.raises(StorageError, match="another labelmill"), Lake(uri).writing():
            pass
        raise ValueError("failed")

    assert not lake._files.exists("lock")


def test_a_lease_is_renewed(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that takes longer than a lease lasts keeps others out all the time."""
    monkeypatch.setattr(Lease, "TTL", 0.6)

    with Lake(uri).writing():
        time.sleep(1.5)
        with pytest.raises(StorageError, match="another labelmill"), Lake(uri).writing():
            pass


def test_a_killed_writer_is_followed(uri: str) -> None:
    """What a killed process held runs out; until then others are refused, and then one may write."""
    with subprocess.Popen([sys.executable, "-c", HOLD, uri], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(StorageError, match=rf"pid {other.pid} on "), Lake(uri).writing():
            pass
        other.kill()

    def is_free() -> bool:
        try:
            with Lake(uri).writing():
                return True
        except StorageError:
            return False

    assert not is_free()
    wait_until(is_free)


def test_a_store_that_refuses_every_replacement(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some that speak S3 refuse also the conditions that hold: there a lease is renewed and taken over all the same."""
    monkeypatch.setattr(Lease, "TTL", 1.5)
    monkeypatch.setattr(_opendal_store.OpendalStore, "_swapped", lambda *_: False)
    lake = Lake(uri)

    with lake.writing():
        time.sleep(2 * Lease.TTL)
        lake.check_lease()
        with pytest.raises(StorageError, match="another labelmill"), Lake(uri).writing():
            pass

    with Lake(uri).writing():
        pass


@pytest.mark.parametrize("is_stale", [False, True])
def test_of_racing_writers_one_wins(uri: str, is_stale: bool) -> None:
    """Of writers that start at once one writes, where there was no lease and where one has run out."""
    if is_stale:
        stale = {"id": "x", "host": "h", "pid": 1, "acquired": 0.0, "expires": 1.0}
        Lake(uri)._files.replace("lock", json.dumps(stale).encode())
    barrier = threading.Barrier(6)
    outcomes: list[str] = []

    def write() -> None:
        barrier.wait()
        try:
            with Lake(uri).writing():
                outcomes.append("held")
                wait_until(lambda: len(outcomes) == 6)
        except StorageError:
            outcomes.append("refused")

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["held", *["refused"] * 5]


def test_a_robbed_writer_must_stop(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who finds that another has taken over learns it by asking, cannot seal anything, and leaves the other alone."""
    monkeypatch.setattr(Lease, "TTL", 0.6)
    lake = Lake(uri)
    robber = {"id": "x", "host": "elsewhere", "pid": 7, "acquired": time.time(), "expires": time.time() + 60}
    lost: list[bool] = []

    def is_lost() -> bool:
        try:
            lake.check_lease()
        except StorageError:
            return True
        return False

    def write() -> None:
        with lake.writing():
            lost.append(is_lost())
            lake._files.replace("lock", json.dumps(robber).encode())
            wait_until(is_lost)
            with pytest.raises(StorageError, match="was lost"):
                lake.seal_votes("d1", {}, [])

    with pytest.raises(StorageError, match=r"lost \(pid 7 on elsewhere took over\).*run the same command again"):
        write()

    assert lost == [False]
    assert json.loads(lake._files.read("lock") or b"") == robber
    assert lake.vote_sets() == []


def test_a_theft_is_noticed_at_the_end(uri: str) -> None:
    """Also what no renewal has seen."""
    lake = Lake(uri)

    def write() -> None:
        with lake.writing():
            lake._files.delete("lock")

    with pytest.raises(StorageError, match="its record was removed"):
        write()


def test_a_lease_that_cannot_be_renewed_is_lost(uri: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer cut off from the store stops when its lease has run out, without asking."""
    monkeypatch.setattr(Lease, "TTL", 0.6)
    monkeypatch.setattr(_opendal_store, "FIRST_DELAY", 0.01)
    lake = Lake(uri)

    def write() -> None:
        with lake.writing():
            proxy.harm = lambda request: 500
            time.sleep(0.8)
            lake.check_lease()

    with pytest.raises(StorageError, match=r"could not be renewed for 0\.6 seconds"):
        write()


def test_a_store_without_conditions_is_refused(uri: str, proxy: Proxy) -> None:
    """A store that ignores the condition of a write would let two write: it is found out before anything is written."""
    proxy.dropped = {"if-none-match"}

    with pytest.raises(StorageError, match="this store ignores conditional writes"), Lake(uri).writing():
        pass

    assert not Lake(uri)._files.exists("lock")


def test_a_lost_answer_does_not_lock_the_writer_out(uri: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease whose making was carried out but not answered is one's own."""
    monkeypatch.setattr(_opendal_store, "FIRST_DELAY", 0.01)
    proxy.harm = lambda request: "lose_answer" if request.method == "PUT" and request.n == 0 else None

    with Lake(uri).writing(), pytest.raises(StorageError, match="another labelmill"), Lake(uri).writing():
        pass
