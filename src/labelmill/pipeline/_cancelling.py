"""Cancel on request: somebody asks through the lake, and the driver that runs the work obeys within a second or two."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final, NoReturn

from labelmill.errors import CancelledError, StorageError
from labelmill.stores.lake import Lake

__all__ = ["Orders", "obeying", "request_end", "withdraw"]

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
"""How often the driver looks for a request."""

SIGNAL: Final = signal.SIGUSR1


class Orders:
    """What the driver of a run has been asked to do."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.is_cancelled = False

    def check(self) -> None:
        """Raise CancelledError if the run is to end."""
        if self.is_cancelled:
            raise CancelledError(
                f"{self.run_id} was cancelled on request; what it finished is kept, and "
                f"`labelmill runs resume {self.run_id}` goes on"
            )


def request_end(lake: Lake, run_id: str, *, at: str) -> None:
    """Ask for a run's end."""
    lake.write_document(_name(run_id), {"run": run_id, "at": at})


def withdraw(lake: Lake, run_id: str) -> None:
    """Take the request back, or off the record once it is obeyed."""
    lake.delete_document(_name(run_id))


@contextlib.contextmanager
def obeying(lake: Lake, run_id: str) -> Iterator[Orders]:
    """While inside, a request to end the run interrupts the main thread, as Ctrl-C does; other threads must `check`.

    Raises
    ------
    CancelledError
        If the run was asked to end.
    """
    orders = Orders(run_id)
    eyes = Lake(lake.uri)  # no other thread's: its caches are not made for two
    with _interruptible() as interrupt, _looking(eyes, orders, interrupt):
        try:
            yield orders
        except KeyboardInterrupt:
            orders.check()
            raise


@contextlib.contextmanager
def _looking(eyes: Lake, orders: Orders, interrupt: Callable[[], None]) -> Iterator[None]:
    ended = threading.Event()
    at_work = threading.Lock()

    def look() -> None:
        while not orders.is_cancelled and not ended.wait(LOOK_SECONDS):
            try:
                orders.is_cancelled = eyes.read_document(_name(orders.run_id)) is not None
            except StorageError as error:  # the store is away for a moment: the work itself finds out if it stays so
                logger.warning("cancel_request_not_read run=%s error=%s", orders.run_id, error)
        with at_work:
            if orders.is_cancelled and not ended.is_set():
                interrupt()

    looker = threading.Thread(target=look, name="labelmill-orders", daemon=True)
    looker.start()
    try:
        yield
    finally:
        with at_work:
            ended.set()
        looker.join(LOOK_SECONDS)  # it may be waiting for a store that does not answer


@contextlib.contextmanager
def _interruptible() -> Iterator[Callable[[], None]]:
    """What raises KeyboardInterrupt in this thread, wherever it waits; does nothing where signals do not come.

    Not by SIGINT: programs that a script starts in the background ignore that one.
    """
    me = threading.current_thread()
    before = signal.getsignal(SIGNAL)
    if me is not threading.main_thread() or before not in {signal.SIG_DFL, signal.SIG_IGN} or me.ident is None:
        yield lambda: None
        return
    ident = me.ident
    sent = False

    def send() -> None:
        nonlocal sent
        sent = True
        signal.pthread_kill(ident, SIGNAL)

    def raise_it(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(SIGNAL, raise_it)
    try:
        yield send
    finally:
        # One that is still under way must not end the program.
        signal.signal(SIGNAL, signal.SIG_IGN if sent else before)


def _name(run_id: str) -> str:
    return f"cancel-{run_id}"
