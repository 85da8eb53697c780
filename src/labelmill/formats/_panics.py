"""Rust stack traces stay out of the user's terminal."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator

__all__ = ["without_panic_traces"]

_STDERR = 2
_LOCK = threading.Lock()


@contextlib.contextmanager
def without_panic_traces() -> Iterator[None]:
    """Hold back what is written to the standard error stream; drop it if the block raises, else write it then.

    Damaged bytes can trip an assertion inside polars, which prints a stack trace past Python before it raises. The
    stream is the process's, so one block at a time has it, and a block should be short.
    """
    with _LOCK, contextlib.ExitStack() as stack:
        try:
            held = stack.enter_context(tempfile.TemporaryFile())
            kept = os.dup(_STDERR)
        except OSError:  # no room, or no error stream: then nothing is held back
            yield
            return
        os.dup2(held.fileno(), _STDERR)
        try:
            yield
        except BaseException:
            held.truncate(0)
            raise
        finally:
            os.dup2(kept, _STDERR)
            os.close(kept)
            held.seek(0)
            while data := held.read(1 << 16):
                os.write(_STDERR, data)
