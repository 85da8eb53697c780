"""Any dataframe at the edge: whatever speaks the Arrow PyCapsule interface becomes named columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from labelmill.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["frame_of"]


def frame_of(table: Any) -> pl.DataFrame:
    """A polars frame of any table: pandas, polars, pyarrow, DuckDB, or a mapping of columns.

    Nothing but the interface is asked of the table, so none of these libraries is required.

    Raises
    ------
    UsageError
        If the object is no table.
    """
    import polars as pl

    if isinstance(table, pl.DataFrame):
        return table
    if isinstance(table, pl.LazyFrame):
        return table.collect()
    if hasattr(table, "__arrow_c_stream__"):
        try:
            return pl.DataFrame(table)
        except ImportError:  # a pandas frame needs pyarrow for its own Arrow export; its columns do not
            return pl.DataFrame({name: table[name].tolist() for name in table.columns}, strict=False)
    if isinstance(table, Mapping):
        return pl.DataFrame(dict(table), strict=False)
    if hasattr(table, "columns") and hasattr(table, "__getitem__"):
        return pl.DataFrame({name: table[name].tolist() for name in table.columns}, strict=False)
    raise UsageError(
        f"{type(table).__name__} is no table: give a pandas, polars or pyarrow table, or a mapping of columns"
    )
