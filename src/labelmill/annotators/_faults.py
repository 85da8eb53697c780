"""Failures of user code become data: which item, what happened, and where in the user's own files."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from labelmill.domain.vote import Fault
from labelmill.errors import LabelmillError

__all__ = ["FaultLog", "sentence"]

OUR_FOLDER = str(Path(__file__).parent)
SHOWN_FRAMES = 8
SHOWN_CHARACTERS = 400


class FaultLog:
    """Collects the faults of one annotator on one batch.

    A traceback is formatted once for each place it comes from, so that a function that fails on every item costs no
    more than one that works.

    Parameters
    ----------
    annotator : str
        Name of the annotator at fault.
    """

    def __init__(self, annotator: str) -> None:
        self.annotator = annotator
        self._faults: dict[int, tuple[str, str]] = {}
        self._tracebacks: dict[tuple[object, ...], str] = {}

    def __contains__(self, position: int) -> bool:
        return position in self._faults

    def add(self, position: int, error: BaseException) -> None:
        """The item at `position` failed; the first failure counts."""
        self._faults.setdefault(position, (sentence(error), self._traceback(error)))

    def faults(self, ids: Sequence[str]) -> list[Fault]:
        """The faults in the order of the items, whose ids are given."""
        return [Fault(ids[i], self.annotator, *self._faults[i]) for i in sorted(self._faults)]

    def __bool__(self) -> bool:
        return bool(self._faults)

    def _traceback(self, error: BaseException) -> str:
        if isinstance(error, LabelmillError):
            return ""
        frames = _user_frames(error.__traceback__)
        place = (type(error), *((frame.tb_frame.f_code, frame.tb_lineno) for frame in frames))
        if place not in self._tracebacks:
            lines = []
            if frames:
                lines = traceback.format_tb(frames[0], limit=-SHOWN_FRAMES)
            self._tracebacks[place] = "".join(lines)
        return self._tracebacks[place] + sentence(error)


def sentence(error: BaseException) -> str:
    """What happened, in one line that a person can act on."""
    if isinstance(error, LabelmillError):
        return str(error)
    if isinstance(error, SystemExit):
        return f"called sys.exit({error.code if error.code is not None else ''}): return an answer instead"
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - a broken __str__ must not hide the failure
        message = ""
    if getattr(error, "is_complete_sentence", False):
        return message
    name = type(error).__name__
    shown = message if len(message) <= SHOWN_CHARACTERS else f"{message[:SHOWN_CHARACTERS]}..."
    return f"{name}: {shown}" if shown else name


def _user_frames(trace: TracebackType | None) -> list[TracebackType]:
    """The frames below ours."""
    frames: list[TracebackType] = []
    while trace is not None:
        if frames or not trace.tb_frame.f_code.co_filename.startswith(OUR_FOLDER):
            frames.append(trace)
        trace = trace.tb_next
    return frames
