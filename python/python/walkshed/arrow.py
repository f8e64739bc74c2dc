"""Tables in and out: paths, and every library that speaks the Arrow PyCapsule interface."""

from __future__ import annotations

import os
from typing import Any, Protocol, TypeAlias, runtime_checkable

import polars as pl

from walkshed import _engine, formats


@runtime_checkable
class ArrowStream(Protocol):
    """An object with Arrow columns: polars, pyarrow, pandas, DuckDB, GeoPandas and others."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Give the columns as a capsule."""


TableLike: TypeAlias = "str | os.PathLike[str] | ArrowStream | _engine.TableInCrs | _engine.FileTable"


def in_crs(table: TableLike, crs: str) -> _engine.TableInCrs:
    """State the coordinate reference system of a table that does not say it, or says it wrongly; use it as any table.

    Map platforms give points in GCJ-02 or BD-09, and files of these call themselves WGS-84. Nobody has published the
    two systems: what walkshed undoes, to less than a millimetre, is the model that everybody uses, and a platform's
    points may lie metres off it. Tables whose `geometry` column states its system need no `in_crs`.

    Args:
        table: a path or a table. In degrees its places are `lon` and `lat`, in a plane `x` (east) and `y` (north), in
            metres or feet as the system counts; or a geometry column.
        crs: an EPSG code (`"EPSG:4545"`), `"gcj02"` or `"bd09"`.

    Returns:
        A table for every function that takes one; nothing is read or converted yet.

    Raises:
        TypeError: `table` is neither a path nor a table.
        ValueError: the system is unknown, or walkshed cannot tell how its datum lies to WGS-84 (Xian 1980, NAD27).

    """
    return _engine.in_crs(to_engine(table, "table"), crs)


def to_engine(table: TableLike, name: str) -> Any:
    """Give the engine a path as text, files that it does not read as columns, and everything else as it is.

    Raises:
        InputError: a file that Python reads is not what it should be.
        TypeError: the object is neither a path nor a table.

    """
    if isinstance(table, (_engine.TableInCrs, _engine.FileTable)):
        return table
    if isinstance(table, (str, os.PathLike)):
        path = os.fspath(table)
        return formats.read_table(path) if formats.is_foreign(path) else path
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
