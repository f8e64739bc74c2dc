"""Tables with a geometry column."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from walkshed.arrow import ArrowStream, frame

if TYPE_CHECKING:
    import geopandas
    from matplotlib.figure import Figure

    from walkshed.language import Language
    from walkshed.maps.base_map import BaseMap
    from walkshed.maps.choropleth import Scheme
    from walkshed.page import Page


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
            library: Any = importlib.import_module("geopandas")
            importlib.import_module("pyarrow")  # GeoPandas takes Arrow tables through it
        except ImportError as error:
            raise ImportError("to_geopandas needs GeoPandas 1.0 or newer: pip install geopandas pyarrow") from error
        whole: geopandas.GeoDataFrame = library.GeoDataFrame.from_arrow(self)
        return whole

    def plot(
        self,
        column: str | None = None,
        *,
        scheme: Scheme = "quantiles",
        k: int = 5,
        title: str | None = None,
        unit: str = "",
        base: BaseMap | None = None,
        language: Language = "en",
        source: str = "",
    ) -> Figure:
        """Draw the rows, coloured by a column.

        Args:
            column: numbers, in classes; or words or truth values, each a kind of its own, and of more than eight kinds
                the rare ones as one. None draws all alike.
            scheme: "quantiles" (as many rows in each class), "equal" (as wide), or the upper limits of all classes
                but the last.
            k: how many classes.
            title: of the map; the name of the column when None.
            unit: of the numbers, for the legend.
            base: streets and water below; none when None.
            language: of the legend: "zh" or "en".
            source: line about the data, printed below.

        Returns:
            A matplotlib figure; `walkshed.maps.save(figure, path)` writes it.

        Raises:
            ValueError: no such column, no shape, or a scheme that cannot be.
            ImportError: matplotlib is not installed.

        """
        from walkshed.maps import choropleth

        return choropleth.shapes_map(
            frame(self._table),
            column,
            scheme=scheme,
            k=k,
            title=title,
            unit=unit,
            base=base,
            language=language,
            source=source,
        )

    def explore(
        self,
        column: str | None = None,
        *,
        breaks: Sequence[float] | None = None,
        k: int = 5,
        base: BaseMap | None = None,
        title: str | None = None,
        language: Language = "zh",
        source: str | None = None,
    ) -> Page:
        """Look at polygons on a map: one page that needs no network, shown in the notebook or saved as a file.

        Args:
            column: that colours them, numbers or a few kinds; None colours all alike.
            breaks: upper limits of all classes of numbers but the last, ascending; None takes quantiles.
            k: how many classes quantiles make.
            base: streets and water beneath; None is none.
            title: of the page; None is the column.
            language: that the page opens in, "zh" or "en".
            source: line about the data.

        Returns:
            The page; a click shows the values of a row, `.save(path)` writes it.

        Raises:
            ValueError: no such column or language, breaks that do not ascend, or shapes that are no polygons.

        """
        from walkshed.page import page_of_table

        return page_of_table(
            self, column, breaks=breaks, classes=k, base=base, title=title, language=language, source=source
        )

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

    def _repr_html_(self) -> str:
        from walkshed import cards, thumbnail  # facilities, which cards name, need this module

        whole = frame(self._table)
        columns = whole.drop("geometry")
        return cards.card(
            "空间表 GeoTable",
            facts=[("行 Rows", whole.height), ("列 Columns", columns.width), ("几何 Geometry", "GeoArrow WKB")],
            tables=[cards.table(columns, columns.columns[:6])],
            picture=thumbnail.outlines(whole["geometry"]),
        )
