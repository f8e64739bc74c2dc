"""A scorecard as a block: totals by community, and the items and points that they stand on, in both languages."""

from __future__ import annotations

import polars as pl

from walkshed.language import word
from walkshed.page.block import Block
from walkshed.page.city_block import named
from walkshed.score import STATUSES, Scorecard


def score_block(card: Scorecard, areas: list[str], breaks: list[float]) -> str:
    """Encode a scorecard.

    Args:
        card: the scores.
        areas: ids of the areas of the page, in their order.
        breaks: where classes of scores end.

    Returns:
        The text of the block.

    Raises:
        ValueError: the page has none of its communities.

    """
    place = {area_id: number for number, area_id in enumerate(areas)}
    totals = card.totals.with_columns(area=_number("area_id", place)).drop_nulls("area").sort("area")
    if totals.is_empty():
        raise ValueError(
            f"scorecard: it is of {card.totals['area_id'].first()!r} and others; the page has {areas[:1]} and others"
        )
    points = _in_order(card.points, place, "item").with_row_index("at")
    units = {unit: word("unit", unit, "zh") for unit in points["gap_unit_zh"].drop_nulls().unique()}
    points = points.with_columns(pl.col("gap_unit_zh").replace(units))
    spans = points.group_by("area", "item", maintain_order=True).agg(first=pl.col("at").first(), count=pl.len())
    items = _in_order(card.items, place).join(spans, on=["area", "item"], how="left", maintain_order="left")
    items = items.with_columns(pl.col("first", "count").fill_null(0))
    ends = totals.join(items.group_by("area").agg(n=pl.len()), on="area", how="left", maintain_order="left")["n"]
    columns = ["area", "low", "high", "total_points", "observed", "grade_low", "grade_high"]
    about = {
        **totals.select(columns).to_dict(as_series=False),
        "grades": named("grade", pl.concat([totals["grade_low"], totals["grade_high"]])),
        "statuses": named("status", pl.Series(STATUSES)),
        "breaks": breaks,
        "item_first": [0, *ends.fill_null(0).cum_sum().to_list()],
        "items": _columns(items, ["item", "name_zh", "name_en", "status", "low", "high", "weight", "first", "count"]),
        "points": _columns(
            points, ["point", "status", "evidence", "evidence_zh", "gap", "gap_unit", "gap_unit_zh", "source"]
        ),
    }
    return Block().encode(about)


def _in_order(rows: pl.DataFrame, place: dict[str, int], then: str | None = None) -> pl.DataFrame:
    """Rows of the areas of the page, area by area; of one area in their order, or those of an item together."""
    numbered = rows.with_columns(area=_number("area_id", place)).drop_nulls("area")
    return numbered.sort("area", *([] if then is None else [then]), maintain_order=True)


def _number(column: str, place: dict[str, int]) -> pl.Expr:
    return pl.col(column).cast(pl.String).replace_strict(place, default=None, return_dtype=pl.Int64)


def _columns(rows: pl.DataFrame, names: list[str]) -> dict[str, list[object]]:
    return rows.select(names).to_dict(as_series=False)
