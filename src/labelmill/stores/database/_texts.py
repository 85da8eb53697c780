"""Texts that both databases search alike."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from labelmill.stores.database.connect import Database

__all__ = ["holds"]


def holds(database: Database, column: sa.ColumnElement[Any], text: str) -> sa.ColumnElement[bool]:
    """Whether a column holds exactly this text somewhere; LIKE would take case for nothing on one of them."""
    place = sa.func.instr if database.is_sqlite else sa.func.strpos
    return place(column, text) > 0
