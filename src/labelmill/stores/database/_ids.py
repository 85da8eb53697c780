"""Numbers for rows that shall be inserted in bulk and referred to at once."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

__all__ = ["reserve"]


def reserve(connection: sa.Connection, table: sa.Table, n: int) -> Sequence[int]:
    """The next ids of a table, ascending; nobody else gets them."""
    if connection.dialect.name == "sqlite":  # the one writer
        query = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        last = connection.execute(query, {"name": table.name}).scalar() or 0
        return range(last + 1, last + 1 + n)
    drawn = sa.text("SELECT nextval(:sequence) FROM generate_series(1, :n)")
    return sorted(connection.execute(drawn, {"sequence": f"{table.name}_id_seq", "n": n}).scalars())
