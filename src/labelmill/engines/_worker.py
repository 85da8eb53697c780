"""The inside of a worker process: open the stage once, then answer each partition with a receipt.

The worker talks with its driver through one socket. A thread reads it and the main thread works, because only there
can a stage use signals and timers. When the socket closes, the driver has cancelled or died, and the worker ends: first
by an interrupt, so that the stage can tidy up, and soon after by force. The interrupt comes by two ways: from the
thread, and as SIGIO from the system, because a regular expression that runs away lets no other thread have its turn.

This module is imported before anything else of ours: it sets the number of threads before a library reads it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pickle
import queue
import signal
import socket
import sys
import threading
import time
from multiprocessing.connection import Connection
from types import FrameType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from labelmill.domain.partition import Receipt

__all__ = ["GRACE", "READY", "work"]

GRACE: Final = 1.0
"""Seconds a stage has to tidy up when the work is cancelled."""

READY: Final = b""
"""First message of a worker: it has opened the stage, or knows why it cannot."""

_THREAD_SETTINGS: Final = (
    "POLARS_MAX_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "RAYON_NUM_THREADS",
)


def work(connection: Connection, n_threads: int) -> None:
    """Serve until the driver closes the socket.

    Parameters
    ----------
    connection : Connection
        Brings the pickled stage, then one pickled partition at a time; takes READY, then pickled receipts.
    n_threads : int
        Threads that a library may use.
    """
    os.set_inheritable(connection.fileno(), False)  # noqa: FBT003 -- the call takes no keyword
    for name in _THREAD_SETTINGS:
        os.environ[name] = str(n_threads)  # noqa: TID251 -- set for the libraries of this process, not read
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver hears it and cancels
    _interrupt_when_closed(connection)
    messages: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, messages), daemon=True).start()
    try:
        _serve(connection, messages)
    except (KeyboardInterrupt, OSError):
        pass
    except BaseException:  # noqa: BLE001 -- shown, and the process ends
        sys.excepthook(*sys.exc_info())
    with contextlib.suppress(Exception):  # what the user's code printed
        sys.stdout.flush()
    os._exit(1)  # nothing the user's code left behind, a thread or an exit hook, keeps the worker alive


def _interrupt_when_closed(connection: Connection) -> None:
    """Raise KeyboardInterrupt in the main thread, once, on SIGTERM or when the socket closes."""
    peer = socket.socket(fileno=os.dup(connection.fileno()))
    interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 -- what signal handlers are given
        nonlocal interrupted
        if interrupted or (number == signal.SIGIO and not _is_closed(peer)):
            return
        interrupted = True  # a second one would stop the tidying up after the first
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGIO, interrupt)
    fcntl.fcntl(peer, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(peer, fcntl.F_SETFL, fcntl.fcntl(peer, fcntl.F_GETFL) | os.O_ASYNC)


def _is_closed(peer: socket.socket) -> bool:
    try:
        return peer.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _listen(connection: Connection, messages: queue.SimpleQueue[bytes]) -> None:
    try:
        while True:
            connection.poll(None)  # while a thread waits in a read, the system sends no SIGIO
            messages.put(connection.recv_bytes())
    except (EOFError, OSError):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        time.sleep(GRACE)
        os._exit(1)


def _serve(connection: Connection, messages: queue.SimpleQueue[bytes]) -> None:
    from labelmill.engines._attempt import attempt, spoken  # after the number of threads is set

    stage, problem = None, None
    try:
        stage = pickle.loads(messages.get())  # noqa: S301 -- from our own driver, by a socket nobody else has
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- the modules of a stage are the user's code
        problem = f"the work cannot be opened in a worker process: {spoken(error)}"
        if "__main__" in problem:
            problem += "; put it into a file that can be imported, or use the engine 'serial'"
    connection.send_bytes(READY)
    while True:
        partition = pickle.loads(messages.get())  # noqa: S301 -- likewise
        receipt = attempt(stage, partition) if stage is not None else _refusal(partition.id, problem or "")
        connection.send_bytes(_packed(receipt))


def _packed(receipt: Receipt) -> bytes:
    from labelmill.engines._attempt import spoken

    try:
        return pickle.dumps(receipt)
    except Exception as error:  # noqa: BLE001 -- any object may be inside
        return pickle.dumps(_refusal(receipt.partition, f"the receipt cannot travel to the driver: {spoken(error)}"))


def _refusal(partition_id: str, error: str) -> Receipt:
    from labelmill.domain.partition import Receipt

    return Receipt(partition_id, error=error)
