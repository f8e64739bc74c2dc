"""Tables in and out: paths, and every library that speaks the Arrow PyCapsule interface."""

from __future__ import annotations

import os
from typing import Any, Protocol, TypeAlias, runtime_checkable

import polars as pl


@runtime_checkable
class ArrowStream(Protocol):
    """An object with Arrow columns: polars, pyarrow, pandas, DuckDB, GeoPandas and others."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Give the columns as a capsule."""


TableLike: TypeAlias = "str | os.PathLike[str] | ArrowStream"


def to_engine(table: TableLike, name: str) -> Any:
    """Give the engine a path as text and everything else as it is.

    Raises:
        TypeError: the object is neither a path nor a table.

    """
    if isinstance(table, (str, os.PathLike)):
        return os.fspath(table)
    if type(table).__module__.startswith("geopandas"):
        # GeoDataFrame inherits the interface from pandas, where it fails on geometry; its own export works.
        return table.to_arrow(index=False)  # type: ignore[attr-defined]
    if hasattr(table, "__arrow_c_stream__") or hasattr(table, "__arrow_c_array__"):
        return table
    kind = type(table).__name__
    raise TypeError(
        f"{name}: a {kind} is no table; give a path, or a polars, pyarrow, pandas, DuckDB or GeoPandas table"
    )


def frame(table: ArrowStream) -> pl.DataFrame:
    """Columns of the engine as a polars frame, without a copy where the types allow it."""
    return pl.DataFrame(table)
