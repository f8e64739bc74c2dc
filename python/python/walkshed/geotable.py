"""Tables with a geometry column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from walkshed.arrow import ArrowStream, frame

if TYPE_CHECKING:
    import geopandas


class GeoTable:
    """Rows with a column `geometry` in degrees of WGS-84, as GeoArrow (WKB).

    Results of an analysis that stays in GCJ-02 or BD-09 are in that system. No register has these two, so the column
    then states none: other programs must not take it for WGS-84. walkshed's own functions know it.

    Every library that reads the Arrow PyCapsule interface takes it as it is: pyarrow, DuckDB, lonboard, GeoPandas, and
    walkshed's own functions.
    """

    def __init__(self, table: ArrowStream) -> None:
        """Wrap columns of the engine; functions that draw shapes return such tables."""
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Give the columns as a capsule, the geometry marked as `geoarrow.wkb` with its coordinate system."""
        return self._table.__arrow_c_stream__(requested_schema)

    def to_geopandas(self) -> geopandas.GeoDataFrame:
        """Give a GeoDataFrame with its coordinate system set (none where no register has it), to plot and write.

        Returns:
            The same rows and columns; geometry is None where it is null.

        Raises:
            ImportError: GeoPandas 1.0 or newer, or pyarrow, is not installed.

        """
        try:
            import geopandas
            import pyarrow  # noqa: F401  (GeoPandas takes Arrow tables through it)
        except ImportError as error:
            raise ImportError("to_geopandas needs GeoPandas 1.0 or newer: pip install geopandas pyarrow") from error
        return geopandas.GeoDataFrame.from_arrow(self)

    def to_polars(self) -> pl.DataFrame:
        """Give the columns without the geometry; polars has no type for it."""
        return self._columns

    @property
    def _columns(self) -> pl.DataFrame:
        return frame(self._table).drop("geometry")

    def __len__(self) -> int:
        """Rows."""
        return self._columns.height

    def __repr__(self) -> str:
        """Show the columns; the geometry is left out."""
        return f"{type(self).__name__} with geometry, and\n{self._columns}"
