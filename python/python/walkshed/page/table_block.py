"""A table of polygons as the block of its page."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import polars as pl

from walkshed.arrow import frame
from walkshed.geotable import GeoTable
from walkshed.maps import palette
from walkshed.page.block import Block, narrowest
from walkshed.page.outlines import add_rings, outlines

_MOST_KINDS = 12


def table_block(
    table: GeoTable, column: str | None, breaks: Sequence[float] | None, classes: int, words: Mapping[str, object]
) -> str:
    """Encode a table.

    Args:
        table: polygons in degrees.
        column: that colours them; None draws all alike.
        breaks: upper limits of all classes but the last; None takes quantiles.
        classes: how many classes quantiles make.
        words: titles, colours and notes that go beside it.

    Returns:
        The text of the block.

    Raises:
        ValueError: no such column, breaks that do not ascend, a column of too many kinds, or no polygons.

    """
    rows = frame(table)
    columns = rows.drop("geometry")
    kinds, colours, place = _classed(columns, column, breaks, classes)
    block = Block()
    drawn = outlines(rows["geometry"].to_list())
    add_rings(block, drawn)
    block.add("kind", place, narrowest(len(kinds)))
    shown = {name: [None if one is None else str(one) for one in columns[name].to_list()] for name in columns.columns}
    about = {**words, "column": column, "kinds": kinds, "kind_colours": colours, "columns": shown, "rows": rows.height}
    return block.encode(about)


def _classed(
    columns: pl.DataFrame, column: str | None, breaks: Sequence[float] | None, classes: int
) -> tuple[list[str], list[str], list[int]]:
    """Labels of classes, their colours, and the class of each row; the number of classes for null."""
    if column is None:
        return [""], [palette.sequential(3)[1]], [0] * columns.height
    if column not in columns.columns:
        raise ValueError(f'column "{column}": the table has {", ".join(columns.columns)}')
    values = columns[column]
    if not values.dtype.is_numeric():
        return _kinds(values)
    numbers = values.cast(pl.Float64).to_list()
    limits = palette.quantile_breaks(numbers, classes) if breaks is None else [float(limit) for limit in breaks]
    if any(low >= high for low, high in itertools.pairwise(limits)):
        raise ValueError(f"breaks {limits}: each must be greater than the one before")
    place = [palette.class_of(value, limits) for value in numbers]
    return _ranges(limits), palette.sequential(len(limits) + 1), [len(limits) + 1 if at is None else at for at in place]


def _kinds(values: pl.Series) -> tuple[list[str], list[str], list[int]]:
    texts = [None if value is None else str(value) for value in values.to_list()]
    kinds = sorted({text for text in texts if text is not None})
    if len(kinds) > _MOST_KINDS:
        raise ValueError(
            f'column "{values.name}": {len(kinds)} kinds are too many to tell apart; at most {_MOST_KINDS}'
        )
    place = {kind: number for number, kind in enumerate(kinds)}
    return kinds, palette.kinds(len(kinds)), [len(kinds) if text is None else place[text] for text in texts]


def _ranges(limits: Sequence[float]) -> list[str]:
    if not limits:
        return [""]
    told = [f"{limit:,.6g}" for limit in limits]
    between = [f"{low} – {high}" for low, high in itertools.pairwise(told)]
    return [f"≤ {told[0]}", *between, f"> {told[-1]}"]
