"""One try of a stage at a partition: whatever happens, a receipt."""

from __future__ import annotations

import logging
import time
import traceback
from typing import Final

from labelmill.domain.partition import Partition, Receipt
from labelmill.domain.ports import Stage
from labelmill.errors import LabelmillError

__all__ = ["attempt", "spoken"]

logger = logging.getLogger(__name__)

MOST_CHARACTERS: Final = 4_000
"""Length at which the text of an error is cut: receipts stay small."""


def attempt(stage: Stage, partition: Partition) -> Receipt:
    """The stage's receipt, or one with `error` if the stage raised or returned something else.

    A stage that wants to end the process (`SystemExit`) has failed on its partition, no more; only the person's
    interrupt goes through.
    """
    started = time.monotonic()
    try:
        receipt = stage(partition)
        # A stage may hold any code, and a receipt of another type would surface far from its cause.
        if not isinstance(receipt, Receipt):
            raise TypeError(f"the stage returned {type(receipt).__name__}, expected a Receipt")  # noqa: TRY301 -- it is told like the stage's own errors
    except (Exception, SystemExit) as error:
        logger.debug("stage_failed partition=%s", partition.id, exc_info=True)
        return Receipt(partition.id, seconds=time.monotonic() - started, error=spoken(error))
    return receipt


def spoken(error: BaseException) -> str:
    """An error in words: type, message and, unless we raised it on purpose, where it happened."""
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 -- the user's own __str__ may fail
        message = "(its message cannot be shown)"
    if isinstance(error, LabelmillError):
        return message[:MOST_CHARACTERS]
    frames = traceback.extract_tb(error.__traceback__)
    place = f" (at {frames[-1].filename}:{frames[-1].lineno}, in {frames[-1].name})" if frames else ""
    name = type(error).__name__
    return (f"{name}: {message}" if message else name)[:MOST_CHARACTERS] + place
