from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from labelmill.errors import StorageError
from labelmill.stores._local_files import LocalFiles


@pytest.fixture
def files(tmp_path: Path) -> LocalFiles:
    """Files under a folder that is not there yet."""
    return LocalFiles(tmp_path / "lake")


@pytest.fixture
def open_umask() -> Iterator[None]:
    """A umask that forbids nothing."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_publish_puts_a_file_there(files: LocalFiles) -> None:
    """What is published is read back, and nothing lies beside it."""
    created = files.publish("a/b/c", b"one")

    assert created
    assert files.read("a/b/c") == b"one"
    assert _names(files.path("a/b")) == ["c"]


def test_the_first_of_two_wins(files: LocalFiles) -> None:
    """Publishing again changes nothing and says so."""
    files.publish("a", b"one")

    assert not files.publish("a", b"two")
    assert files.read("a") == b"one"


def test_of_racing_writers_one_wins(files: LocalFiles) -> None:
    """Of writers that finish at once exactly one creates the file, and it holds that one's content."""
    barrier = threading.Barrier(8)
    won: list[bytes] = []

    def race(content: bytes) -> None:
        barrier.wait()
        if files.publish("a", content):
            won.append(content)

    threads = [threading.Thread(target=race, args=(b"%d" % i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(won) == 1
    assert files.read("a") == won[0]
    assert _names(files.root) == ["a"]


def test_a_disk_without_links_will_do(files: LocalFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk knows no hard links a file is published by renaming, and is not replaced either."""

    def refuse(*paths: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)  # no such disk is at hand

    assert [files.publish("a", content) for content in (b"one", b"two")] == [True, False]
    assert files.read("a") == b"one"
    assert _names(files.root) == ["a"]


def test_replace_puts_the_new_in_place_of_the_old(files: LocalFiles) -> None:
    """The last content counts."""
    files.replace("a", b"one")
    files.replace("a", b"two")

    assert files.read("a") == b"two"
    assert _names(files.root) == ["a"]


def test_a_failing_writer_leaves_nothing(files: LocalFiles) -> None:
    """An exception while a folder is filled leaves nothing, and comes through as it is."""

    def fail(folder: Path) -> str:
        (folder / "half").touch()
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        files.publish_folder("a", fail)

    assert _names(files.path("a")) == []


def test_only_the_owner_can_read(files: LocalFiles, open_umask: None) -> None:
    """Folders have mode 0700 and files 0600, also when the umask allows more."""
    files.publish("a/file", b"")
    files.replace("a/other", b"")
    files.publish_folder("b", _tree)

    modes = {p.relative_to(files.root).as_posix(): stat.S_IMODE(p.stat().st_mode) for p in files.root.rglob("*")}
    assert modes == {
        "a": 0o700,
        "a/file": 0o600,
        "a/other": 0o600,
        "b": 0o700,
        "b/tree": 0o700,
        "b/tree/inner": 0o700,
        "b/tree/inner/leaf": 0o600,
    }
    assert stat.S_IMODE(files.root.stat().st_mode) == 0o700


def test_a_strict_umask_does_not_lock_the_owner_out(files: LocalFiles) -> None:
    """A umask that forbids everything leaves files the owner can read."""
    before = os.umask(0o777)
    try:
        files.publish("a/file", b"one")
    finally:
        os.umask(before)

    assert stat.S_IMODE(files.path("a/file").stat().st_mode) == 0o600
    assert stat.S_IMODE(files.path("a").stat().st_mode) == 0o700


def test_a_folder_is_published_once(files: LocalFiles) -> None:
    """A second folder of the same name changes nothing and says so."""
    _, first = files.publish_folder("b", _tree)
    _, second = files.publish_folder("b", _tree)

    assert [first, second] == [True, False]
    assert _names(files.path("b")) == ["tree"]


def test_json_that_is_damaged_is_named(files: LocalFiles) -> None:
    """A JSON file that was cut short is told by its path."""
    files.replace("manifest.json", b'{"n_items": 1')

    with pytest.raises(StorageError, match=r"(?s)manifest\.json.*damaged"):
        files.read_json("manifest.json")


def test_what_is_missing_is_none(files: LocalFiles) -> None:
    """A missing file reads as None, a missing folder lists as empty, and deleting them is no error."""
    files.delete("a")
    files.delete_folder("a")

    assert files.read("a/b") is None
    assert files.read_json("a/b") is None
    assert files.names("a") == []
    assert not files.exists("a")


@pytest.mark.parametrize("call", ["publish", "replace", "publish_folder", "open_notes", "read", "names"])
def test_a_file_in_place_of_a_folder_is_explained(files: LocalFiles, call: str) -> None:
    """Where a file stands in place of a folder the message names it."""
    files.replace("blocker", b"")
    arguments = {"publish": (b"",), "replace": (b"",), "publish_folder": (_tree,), "open_notes": (b"",)}.get(call, ())

    with pytest.raises(StorageError, match="blocker is a file where a folder should be"):
        getattr(files, call)("blocker/a/b", *arguments)

    assert _names(files.root) == ["blocker"]


def test_a_missing_project_is_explained(tmp_path: Path) -> None:
    """The folder above the root is not made: it may be mistyped, or a disk that is not mounted."""
    files = LocalFiles(tmp_path / "none" / "lake")

    with pytest.raises(StorageError, match="no such file or folder"):
        files.replace("a", b"")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into a read-only folder")
def test_a_read_only_folder_is_explained(files: LocalFiles) -> None:
    """In a folder without the right to write the message says what to do."""
    files.replace("a/b", b"")
    files.path("a").chmod(0o500)

    with pytest.raises(StorageError, match="no permission; make the folder yours and writable"):
        files.replace("a/c", b"")


@pytest.mark.parametrize("where", ["write", "fsync"])
def test_a_full_disk_is_explained(files: LocalFiles, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """When the disk is full the old file stays, nothing half-written is left, and the message says so."""
    files.replace("a", b"old")

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    # A small disk of one's own needs rights that test machines do not give.
    if where == "write":
        monkeypatch.setattr(Path, "write_bytes", full)
    else:
        monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(StorageError, match="the disk is full; free some space"):
        files.replace("a", b"new")
    with pytest.raises(StorageError, match="the disk is full"):
        files.publish("b", b"new")

    assert files.read("a") == b"old"
    assert _names(files.root) == ["a"]


def test_the_system_refusing_a_large_file_is_explained(tmp_path: Path) -> None:
    """A write that the system itself cuts short leaves nothing and is explained."""
    program = f"""
import resource, signal
from pathlib import Path
from labelmill.errors import StorageError
from labelmill.stores._local_files import LocalFiles
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
files = LocalFiles(Path({str(tmp_path / "lake")!r}))
try:
    files.publish("a", bytes(100_000))
except StorageError as error:
    print(error)
"""

    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "a: cannot write: the file is larger than this process may write; raise the limit" in shown.stdout
    assert _names(tmp_path / "lake") == []


def test_sweep_removes_old_orphans_only(files: LocalFiles) -> None:
    """Temporary files of the dead go, those of the living and all others stay."""
    files.replace("a/keep", b"")
    old, young, folder = (files.path(f"a/.tmp-{name}") for name in ("old", "young", "folder"))
    for path in (old, young):
        path.touch()
    folder.mkdir()
    (folder / "leaf").touch()
    for path in (old, folder, files.path("a/keep")):
        os.utime(path, (time.time() - 7200,) * 2)

    n_removed = files.sweep()

    assert n_removed == 2
    assert _names(files.path("a")) == [".tmp-young", "keep"]


def _tree(folder: Path) -> str:
    (folder / "inner").mkdir()
    (folder / "inner" / "leaf").touch()
    return "tree"


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
