"""Logs as JSON, one line an event: names and numbers, never what an item says or anybody's secret."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from labelmill.domain.strict_json import dumps

__all__ = ["JsonLines"]


class JsonLines(logging.Formatter):
    """An event, its time, and its facts."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        told: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": _one_line(record.getMessage()),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            told["traceback"] = _one_line(self.formatException(record.exc_info))
        return dumps(told)


def _one_line(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "")
