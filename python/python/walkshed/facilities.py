"""Facilities: their classes, how a table finds them, and rows that are one facility."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from walkshed import _engine
from walkshed.arrow import TableLike, frame, to_engine
from walkshed.geotable import GeoTable
from walkshed.rejected import warn


def facility_classes() -> pl.DataFrame:
    """Give the catalogue, one row per minor class, in the catalogue's order.

    Returns:
        `class`, `major`, `name_zh`, `name_en`, `service_level` (the circle that it is planned for: estate, community or
        district) and `walk_minutes` (the walk that a planner expects).

    Source:
        `datasets/facility_classes.toml`: 6 major and 30 minor classes, a proposal with its provenance.

    Example:
        >>> facility_classes().height
        30

    """
    columns = ["class", "major", "name_zh", "name_en", "service_level", "walk_minutes"]
    return pl.DataFrame(_engine.catalogue(), schema=columns, orient="row")


def classify(
    table: TableLike,
    *,
    mapping: TableLike | Mapping[str, str] | None = None,
    column: str = "class",
) -> pl.DataFrame:
    """Give each row of a table its facility class, and the rule that gave it.

    A mapping goes first: a rule with value and name before one with a value, that before one with a name alone; of
    names the longest part, then the first row. Then a row's own class counts. Rows without one are classified by the
    parts of Chinese names that the catalogue lists for each class (`name_zh_any`, `name_zh_none`): the longest part
    wins. Places of Overture Maps have categories instead of a class: they count by the mapping, then by the project's
    list (`datasets/overture_places.toml`), then by the name.

    Args:
        table: `class` or `name` or both; or places of Overture Maps.
        mapping: a table with `class`, and `from` (a value of the column of classes), `name_contains` (a part of the
            name) or both; or a dictionary from value to class. Width and case of letters make no difference.
        column: the column of classes, such as `"类别"`.

    Returns:
        One row per row of the table, in its order: `row` (from 1), `class` (null where nothing fits), `class_rule`
        (`given`, `mapping:<row>`, `overture:<category>` or `name:<part>`), `others` (classes that fit equally; the
        first in the catalogue, or in the mapping, was taken), `in_catalogue`, and `near` (where it is not: classes that
        it may have meant).

    Raises:
        InputError: the table has neither the column nor `name`, or the mapping lacks its columns.

    Warns:
        RejectedRowsWarning: rows of the mapping were left out.

    Example:
        >>> table = pl.DataFrame({"name": ["红旗幼儿园", "民主村社区卫生服务中心", "某处"]})
        >>> classify(table).select("class", "class_rule").rows()
        [('kindergarten', 'name:幼儿园'), ('community_health_center', 'name:社区卫生服务中心'), (None, None)]

    """
    if isinstance(mapping, Mapping):
        mapping = pl.DataFrame({"from": list(mapping), "class": list(mapping.values())})
    rules = None if mapping is None else to_engine(mapping, "mapping")
    found, rejected = _engine.classify(to_engine(table, "table"), rules, column)
    warn(frame(rejected))
    return frame(found)


def duplicates(*tables: TableLike, same_source: bool = False) -> pl.DataFrame:
    """Find rows of several sources that are probably one facility: the same class, near, with names alike.

    Near is 50 m, 100 m when a source draws an outline, and what the catalogue says for large classes (`duplicate_m`).
    Names are compared without case, width of letters, blanks, signs, and endings such as 店 and 有限公司; they are
    alike when at most one letter in five differs, or one of at least four letters is wholly a part of the other, but
    never when both hold numbers that differ. Rows without a name have no pair.

    Args:
        tables: facilities: `id`, `class` or `name`, a place. A source is a table, and within it a value of its column
            `source`. Tables that come first are the better ones.
        same_source: compare the rows of one source too.

    Returns:
        One row per pair: `class`, `file`, `row`, `id`, `name` (the better row), `other_file`, `other_row`, `other_id`,
        `other_name`, `distance_m`, `similarity` (0..1).

    Raises:
        InputError: a table lacks a column or has no usable row.

    Warns:
        RejectedRowsWarning: rows were left out.

    """
    found, rejected = _engine.duplicates([to_engine(table, "tables") for table in tables], same_source)
    warn(frame(rejected))
    return frame(found)


def merge_duplicates(*tables: TableLike, same_source: bool = False) -> GeoTable:
    """Put the facilities of several sources together, each once.

    Args:
        tables: as in `duplicates`; of the rows of one facility that of the first table is kept, and what it does not
            say is taken from the others. The most alike pairs are merged first, and no two rows of one source through a
            third.
        same_source: merge rows of one source too.

    Returns:
        The facilities with all columns of a ledger, as `facilities.parquet` of a run has them; `merged_from` names the
        rows that went into one.

    Raises:
        InputError: a table lacks a column or has no usable row.

    Warns:
        RejectedRowsWarning: rows were left out.

    """
    merged, rejected = _engine.merge_duplicates([to_engine(table, "tables") for table in tables], same_source)
    warn(frame(rejected))
    return GeoTable(merged)


def open_facilities(facilities: pl.DataFrame) -> pl.DataFrame:
    """Keep the facilities that people can walk to: no planned, closed or unfinished ones.

    Args:
        facilities: any columns; `state`, as `facilities.parquet` of a run has it, is what counts on the day of the run.

    Returns:
        The rows whose `state` is "open" or null, in their order; all rows where there is no such column.

    """
    if "state" not in facilities.columns:
        return facilities
    return facilities.filter(pl.col("state").is_null() | (pl.col("state") == "open"))
