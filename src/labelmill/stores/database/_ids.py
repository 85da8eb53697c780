"""Numbers for rows that shall be referred to before they are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from labelmill.stores.database._statements import Statement

__all__ = ["next_id", "reserve"]

_LAST = Statement(
    sa.select(sa.column("seq"))
    .select_from(sa.table("sqlite_sequence"))
    .where(sa.column("name") == sa.bindparam("table"))
)


def reserve(connection: sa.Connection, table: sa.Table, n: int) -> Sequence[int]:
    """The next ids of a table, ascending; nobody else gets them."""
    if n <= 0:
        return ()
    if connection.dialect.name == "sqlite":  # the one writer
        last = _LAST.value(connection, {"table": table.name}) or 0
        return range(last + 1, last + 1 + n)
    drawn = sa.text("SELECT nextval(:sequence) FROM generate_series(1, :n)")
    return sorted(connection.execute(drawn, {"sequence": f"{table.name}_id_seq", "n": n}).scalars())


class next_id(FunctionElement[int]):  # noqa: N801 -- reads as what it stands for
    """An id drawn with each row of a query on PostgreSQL, which saves a way there and back; NULL on SQLite."""

    inherit_cache = True
    type = sa.BigInteger()

    def __init__(self, table: sa.Table) -> None:
        super().__init__(sa.literal_column(f"'{table.name}_id_seq'"))


@compiles(next_id, "sqlite")
def _nothing(element: Any, compiler: Any, **rest: Any) -> str:  # noqa: ARG001 -- what SQLAlchemy calls
    return "NULL"


@compiles(next_id, "postgresql")
def _drawn(element: Any, compiler: Any, **rest: Any) -> str:
    return f"nextval({compiler.process(element.clauses, **rest)})"
