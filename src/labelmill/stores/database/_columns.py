"""Columns that many tables share."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

__all__ = [
    "Int",
    "count_column",
    "id_column",
    "metadata",
    "partial_index",
    "project_column",
    "public_column",
    "time_column",
    "user_column",
]

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Int = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""64 bits on both; SQLite's own row number only where the type is spelled INTEGER."""


def id_column() -> sa.Column[int]:
    """The number of a row, never used twice."""
    return sa.Column("id", Int, primary_key=True, autoincrement=True)


def public_column() -> sa.Column[str]:
    """The random id that the world sees."""
    return sa.Column("public_id", sa.Text, nullable=False, unique=True)


def project_column(*, nullable: bool = False, index: bool = False) -> sa.Column[int]:
    """The project that the row belongs to."""
    return sa.Column("project_id", Int, sa.ForeignKey("projects.id"), nullable=nullable, index=index)


def user_column(name: str = "user_id", *, nullable: bool = False, index: bool = False) -> sa.Column[int]:
    """Who it is about."""
    return sa.Column(name, Int, sa.ForeignKey("users.id"), nullable=nullable, index=index)


def count_column(name: str) -> sa.Column[int]:
    """A number that starts at nought."""
    return sa.Column(name, Int, nullable=False, server_default="0")


def time_column(name: str, *, nullable: bool = False) -> sa.Column[int]:
    """Milliseconds since 1970."""
    return sa.Column(name, Int, nullable=nullable)


def partial_index(name: str, *columns: sa.Column[Any], where: sa.TextClause, unique: bool = False) -> sa.Index:
    """An index of the rows that meet a condition only."""
    return sa.Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)
