from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from labelmill.errors import StorageError
from labelmill.stores.lake import Lake

HOLD = """
import sys, time
from pathlib import Path
from labelmill.stores.lake import Lake
with Lake(Path(sys.argv[1])).writing():
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    """While a process writes another is refused and told its id; when it dies, however it dies, the way is free."""
    lake = Lake(tmp_path / "lake")
    with subprocess.Popen([sys.executable, "-c", HOLD, lake.root], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"

        with (
            pytest.raises(StorageError, match=rf"another labelmill is writing to .*lake \(pid {other.pid}\)"),
            lake.writing(),
        ):
            pass
        other.kill()
        other.wait()
        with lake.writing():
            holder = (lake.root / "lock").read_text()

    assert holder == str(os.getpid())


def test_the_thread_that_writes_may_enter_again(tmp_path: Path) -> None:
    """A verb that writes may call another; the lock is let go of at the end of the outer one."""
    lake = Lake(tmp_path / "lake")

    with lake.writing():
        with lake.writing():
            pass
        with pytest.raises(StorageError, match="another labelmill"), Lake(lake.root).writing():
            pass

    with Lake(lake.root).writing():
        pass


def test_another_thread_is_refused(tmp_path: Path) -> None:
    """Two threads of a process do not write at once either."""
    lake = Lake(tmp_path / "lake")
    errors: list[BaseException] = []

    def enter() -> None:
        try:
            with lake.writing():
                pass
        except StorageError as error:
            errors.append(error)

    with lake.writing():
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()

    assert len(errors) == 1


def test_the_lock_is_released_after_an_error(tmp_path: Path) -> None:
    """A verb that fails does not keep others out."""
    lake = Lake(tmp_path / "lake")

    with pytest.raises(ValueError, match="failed"), lake.writing():
        raise ValueError("failed")

    with Lake(lake.root).writing():
        pass
