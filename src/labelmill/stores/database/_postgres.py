"""PostgreSQL through psycopg 3, refused where an acknowledged vote could be lost."""

from __future__ import annotations

import importlib.util

import sqlalchemy as sa

from labelmill.errors import MissingDependencyError, StorageError, UsageError

__all__ = ["POOL_SIZE", "can_try_again", "engine"]

POOL_SIZE = 16
"""Connections that are kept; as many again are opened when they do not suffice."""

_UNSAFE = (("fsync", ("off",)), ("synchronous_commit", ("off",)), ("full_page_writes", ("off",)))

_TRY_AGAIN = ("40001", "40P01")
"""Serialization failure, deadlock: the same work succeeds the next time."""


def engine(url: str, *, allow_unsafe: bool = False, pool_size: int = POOL_SIZE) -> sa.Engine:
    """Connections to a server.

    Parameters
    ----------
    url : str
        `postgresql://user@host/name`.
    allow_unsafe : bool
        Start even where a power cut may lose acknowledged votes; for tests.

    Raises
    ------
    MissingDependencyError
        If psycopg is not installed.
    UsageError
        If the URL is none.
    StorageError
        If the server does not answer, or is set to acknowledge what is not on its disk.
    """
    if importlib.util.find_spec("psycopg") is None:
        raise MissingDependencyError(
            "a PostgreSQL database needs 'psycopg', which is not installed: pip install 'labelmill[postgres]'"
        )
    try:
        parsed = sa.make_url(url).set(drivername="postgresql+psycopg")
    except (sa.exc.ArgumentError, ValueError) as error:
        raise UsageError("the database URL is not of the form postgresql://user@host/name") from error
    made = sa.create_engine(
        parsed, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=False, query_cache_size=1000
    )
    _check(made, allow_unsafe=allow_unsafe)
    return made


def can_try_again(error: sa.exc.DBAPIError) -> bool:
    """Whether the server undid the work only because of what others did meanwhile."""
    return getattr(error.orig, "sqlstate", None) in _TRY_AGAIN


def _check(made: sa.Engine, *, allow_unsafe: bool) -> None:
    try:
        with made.connect() as connection:
            found = {name: str(connection.exec_driver_sql(f"SHOW {name}").scalar()) for name, _ in _UNSAFE}
    except sa.exc.DBAPIError as error:
        shown = made.url.render_as_string(hide_password=True)
        raise StorageError(f"cannot reach the database {shown}: {str(error.orig).splitlines()[0]}") from error
    wrong = [f"{name}={found[name]}" for name, values in _UNSAFE if found[name] in values]
    if wrong and not allow_unsafe:
        made.dispose()
        raise StorageError(
            f"this PostgreSQL runs with {', '.join(wrong)}: a power cut would lose votes that were acknowledged. "
            "Turn it on in postgresql.conf (or for this role) and start again"
        )
