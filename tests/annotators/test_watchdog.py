"""The watchdog ends a process that hangs, and lets one live that is slow."""

from __future__ import annotations

import subprocess
import sys

import pytest

from labelmill.annotators._watchdog import batch_limit, row_limit

PROGRAM = """
import ctypes, sys, time
from labelmill.annotators import _watchdog
from labelmill.annotators._guard import guard
from labelmill.annotators._row_loop import call_each

def spin(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass

def deaf():
    while True:
        try:
            spin(1)
        except BaseException:
            pass

def hang():
    mutex = ctypes.create_string_buffer(128)
    libc = ctypes.PyDLL(None)
    libc.pthread_mutex_lock(mutex), libc.pthread_mutex_lock(mutex)

with guard(0.2), _watchdog.step(0.2, int(sys.argv[1]), words=sys.__stderr__.fileno(), has_heartbeats=eval(sys.argv[2])):
    eval(sys.argv[3])
spin(2)
sys.__stdout__.write("lives")
"""

CASES = {
    "slow rows": (20, False, "call_each(lambda x: spin(0.15), range(20))", True),
    "slow batch": (100, False, "spin(2.5)", True),
    "endless batch": (100, False, "spin(60)", False),
    "slow model": (100, True, "spin(5)", True),
    "model over the time of all its items": (10, True, "spin(60)", False),
    "hanging model": (100, True, "hang()", False),
    "hanging row": (100, False, "call_each(lambda x: x == 9 and hang(), range(100))", False),
    "deaf row": (100, False, "call_each(lambda x: x == 9 and deaf(), range(100))", False),
}


@pytest.fixture(scope="module")
def endings() -> dict[str, tuple[int, str, str]]:
    """Exit status, output and errors of each case; all run side by side, as they mostly wait."""
    runs = {
        name: subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(n_items), str(beats), code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, (n_items, beats, code, _) in CASES.items()
    }
    told = {name: run.communicate(timeout=100) for name, run in runs.items()}
    return {name: (run.returncode, *told[name]) for name, run in runs.items()}


@pytest.mark.parametrize("name", CASES)
def test_who_lives(name: str, endings: dict[str, tuple[int, str, str]]) -> None:
    """What moves lives however long it takes; what does not is ended, and its traceback told."""
    status, out, err = endings[name]

    if CASES[name][3]:
        assert (status, out, err) == (0, "lives", "")
    else:
        assert (status, out) == (1, "")
        assert err.startswith("Timeout (0:00:0")
        assert 'File "<string>", line' in err


def test_limits() -> None:
    """Python code is stopped by the guard at one and a quarter of the time at the latest, long before its process."""
    assert row_limit(10) == 21
    assert batch_limit(10) == 121
