"""Decoding in a program of its own: whatever a hostile file does there, it does to that program alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from labelmill.errors import BadInputError, BadRow

__all__ = ["Decoded", "decode", "picture_sizes"]

CHILD = Path(__file__).with_name("child.py")

SECONDS = 60.0
"""On the wall; its processor time is limited by itself."""

AT_ONCE = 2

FILES_AT_ONCE = 100

_turnstile = threading.BoundedSemaphore(AT_ONCE)


class Decoded(NamedTuple):
    """What came of a file: facts, and the bytes to serve."""

    facts: dict[str, Any]
    data: bytes


def decode(fd: int, name: str, job: str, **options: Any) -> Decoded:
    """Do a job of `child` on an open file.

    Raises
    ------
    BadInputError
        If it is no picture or recording that can be decoded within the limits.
    """
    os.lseek(fd, 0, os.SEEK_SET)
    done = _run({"job": job, **options}, stdin=fd)
    head, found, data = (done or b"").partition(b"\n")
    if not found:
        reason = "cannot be decoded: it is damaged, too large, or of a kind that is not taken"
        raise BadInputError([BadRow(name, None, None, reason)])
    return Decoded(json.loads(head), data)


def picture_sizes(fds: Sequence[int]) -> list[tuple[int, int] | None]:
    """Width and height of each picture as it is seen, from its first bytes; None for what is no picture."""
    found: list[tuple[int, int] | None] = []
    while len(found) < len(fds):
        piece = list(fds[len(found) : len(found) + FILES_AT_ONCE])
        done = _run({"job": "sizes", "fds": piece}, pass_fds=piece, keep=True) or b""
        lines = done.decode().splitlines()
        found += [tuple(size) if size else None for size in map(json.loads, lines)]
        if len(lines) < len(piece):  # the one after the last line has killed it
            found.append(None)
    return found


def _run(job: dict[str, Any], *, keep: bool = False, **streams: Any) -> Any:
    words = [sys.executable, "-I", str(CHILD), json.dumps(job)]
    with _turnstile:
        try:
            done = subprocess.run(  # noqa: S603 -- our own program, no shell
                words,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                start_new_session=True,
                timeout=SECONDS,
                check=False,
                text=False,
                **({"stdin": subprocess.DEVNULL} | streams),
            )
        except subprocess.TimeoutExpired:
            return None
    return done.stdout if keep or done.returncode == 0 else None
