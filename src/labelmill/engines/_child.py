"""A worker process, seen from its driver."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from multiprocessing.connection import Pipe
from typing import Final

from labelmill.domain.partition import Partition, Receipt
from labelmill.domain.ports import Stage
from labelmill.engines._attempt import spoken
from labelmill.engines._worker import GRACE, READY
from labelmill.errors import AnnotationError, UsageError

__all__ = ["MOST_DEATHS", "Child", "costly", "pickled", "stillborn"]

MOST_DEATHS: Final = 3
"""Workers a partition may cost, on any engine."""

# The program of a worker. It takes over where the driver finds modules and then knows only them: the driver's main
# module is not run again, so a script needs no `if __name__ == "__main__"`, and a notebook or stdin does as well.
_PROGRAM: Final = """
import sys
from multiprocessing.connection import Connection
connection = Connection(int(sys.argv[1]))
n_threads = int(sys.argv[2])
sys.path, sys.argv = connection.recv()
from labelmill.engines._worker import work
work(connection, n_threads)
"""


class Child:
    """A fresh Python process that serves one partition at a time.

    It is the leader of a process group of its own, so that Ctrl-C in a terminal reaches the driver alone; it has no
    standard input.

    Parameters
    ----------
    pickled_stage : bytes
        What it does with a partition.
    n_threads : int
        Threads that a library may use in it.
    """

    def __init__(self, pickled_stage: bytes, n_threads: int) -> None:
        if not sys.executable:
            raise UsageError(
                "worker processes need a Python interpreter and this program has none: use engine 'serial'"
            )
        self.connection, theirs = Pipe()
        self.partition: Partition | None = None
        self.is_ready = False
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 -- our own interpreter with our own program
                [sys.executable, "-P", "-c", _PROGRAM, str(theirs.fileno()), str(n_threads)],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                process_group=0,
            )
        with contextlib.suppress(OSError):  # if it is dead by now, `answer` tells
            self.connection.send((sys.path, sys.argv))
            self.connection.send_bytes(pickled_stage)

    def give(self, partition: Partition) -> None:
        """Let it work on a partition."""
        self.partition = partition
        with contextlib.suppress(OSError):  # likewise
            self.connection.send_bytes(pickle.dumps(partition))

    def answer(self) -> Receipt | None:
        """What it says next: its receipt, or None when it says that it is ready.

        Raises
        ------
        EOFError
            If it is dead.
        """
        try:
            message = self.connection.recv_bytes()
        except OSError as error:
            raise EOFError from error
        if message == READY:
            self.is_ready = True
            return None
        partition, self.partition = self.partition, None
        try:
            receipt: Receipt = pickle.loads(message)  # noqa: S301 -- from our own worker
        except Exception as error:  # noqa: BLE001 -- any object may be inside
            return Receipt(partition.id if partition else "", error=f"the receipt cannot be opened: {spoken(error)}")
        return receipt

    def dismiss(self) -> None:
        """Tell it to end. It interrupts what it does and is gone after `GRACE` seconds at the latest."""
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self.connection.fileno())) as ours:
            ours.shutdown(socket.SHUT_RDWR)  # closing alone tells it nothing while another thread waits for its answer
        self.connection.close()

    def bury(self, deadline: float | None = None) -> str:
        """Wait for its end, from `deadline` (of the monotonic clock) on by force; how it ended, in words."""
        self.connection.close()
        try:
            self._process.wait(GRACE if deadline is None else max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
        finally:
            if self._process.poll() is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        return _ending(self._process.returncode)


def pickled(stage: Stage) -> bytes:
    """A stage, packed for its way to workers.

    Raises
    ------
    UsageError
        If it cannot travel.
    """
    try:
        return pickle.dumps(stage)
    except Exception as error:  # pickle raises what the object's own code raises
        raise UsageError(
            f"{type(stage).__name__} cannot travel to worker processes ({type(error).__name__}: {error}): define it at "
            "the top of a module and give it only plain data, or use the engine 'serial'"
        ) from error


def stillborn(ending: str) -> AnnotationError:
    """The error for workers that die before they can work, which ends the whole `map`."""
    return AnnotationError(
        f"{MOST_DEATHS} worker processes died before they could work ({ending}): what they import may be "
        "at fault; the engine 'serial' shows where"
    )


def costly(partition: Partition, ending: str) -> Receipt:
    """What comes back for a partition that is given up."""
    error = f"it cost {MOST_DEATHS} worker processes, the last one {ending}"
    return Receipt(partition.id, error=error, died=True, retries=MOST_DEATHS)


def _ending(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    hint = ", perhaps for want of memory" if -status == signal.SIGKILL else ""
    try:
        return f"killed by {signal.Signals(-status).name}{hint}"
    except ValueError:
        return f"killed by signal {-status}"
