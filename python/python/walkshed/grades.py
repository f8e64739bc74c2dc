"""Scores of communities in two releases, and which of them moved grade."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

_SCORES = ("low", "high", "grade", "grade_low", "grade_high")
_POINT = ["area_id", "category", "item", "point"]
_FOUND = ("status", "value", "low", "high", "evidence", "evidence_zh")
_TEXT = ("status", "evidence", "evidence_zh")
_SHOWN = ("low", "high", "grade")


def grade_order(cards: Sequence[pl.DataFrame]) -> list[str] | None:
    """Grades from the lowest, by the scores that got them; None where scores and grades contradict each other.

    A scorecard does not tell the thresholds of its standard. A grade goes by the score alone, so its scores lie above
    those of every lower grade; where they do not, the two cards are of other standards.

    >>> card = {"low": [40.0], "high": [90.0], "grade_low": ["gap"], "grade_high": ["complete"]}
    >>> grade_order([pl.DataFrame(card)])
    ['gap', 'complete']
    >>> grade_order([pl.DataFrame(card), pl.DataFrame(card).with_columns(grade_low=pl.lit("complete"))]) is None
    True
    """
    scored = pl.concat(
        card.select(score=end, grade=f"grade_{end}").drop_nulls() for card in cards for end in ("low", "high")
    )
    ends = scored.group_by("grade").agg(least=pl.col("score").min(), most=pl.col("score").max()).sort("least", "grade")
    apart = (ends["most"] < ends["least"].shift(-1)).head(max(ends.height - 1, 0))
    return ends["grade"].to_list() if apart.all() else None


def compare_scores(areas: pl.DataFrame, before: pl.DataFrame | None, after: pl.DataFrame | None) -> pl.DataFrame:
    """Scores and grades of areas before and after.

    Args:
        areas: the columns that tell an area, `area_id` among them.
        before: the table `scorecards` of a release; None where it has none.
        after: the same of the later release.

    Returns:
        The columns of `areas`, `low_before`, `low_after`, `high_before`, `high_after`, `grade_before`, `grade_after`,
        `moved` ("up", "down", or null) and `moved_reason`: why it is null (docs/evaluation.md).

    """
    empty = pl.DataFrame(schema={"area_id": pl.String, **dict.fromkeys(_SCORES, pl.String)})
    empty = empty.cast({"low": pl.Float64, "high": pl.Float64})
    cards = [empty if card is None else card.select("area_id", *_SCORES) for card in (before, after)]
    both = areas
    for card, when in zip(cards, ("before", "after"), strict=True):
        own = card.rename({name: f"{name}_{when}" for name in _SCORES}).with_columns(pl.lit(True).alias(f"_{when}"))
        both = both.join(own, on="area_id", how="left", maintain_order="left")
    order = grade_order(cards)
    places = {grade: place for place, grade in enumerate(order or [])}
    rank = {
        name: pl.col(name).replace_strict(places, default=None, return_dtype=pl.Int64)
        for name in (f"grade_{end}_{when}" for end in ("low", "high") for when in ("before", "after"))
    }
    # Where a grade is not known, the lowest that it can be now may still lie above the highest that it can have been.
    up = rank["grade_low_after"] > rank["grade_high_before"]
    down = rank["grade_high_after"] < rank["grade_low_before"]
    moved = pl.when(up).then(pl.lit("up")).when(down).then(pl.lit("down"))
    reason = (
        pl.when(pl.col("_before").is_null() & pl.col("_after").is_null())
        .then(pl.lit("not_scored"))
        .when(pl.col("_before").is_null())
        .then(pl.lit("not_scored_before"))
        .when(pl.col("_after").is_null())
        .then(pl.lit("not_scored_after"))
        .when(pl.lit(order is None))
        .then(pl.lit("other_grades"))
        .when(pl.col("grade_before").is_null() | pl.col("grade_after").is_null())
        .then(pl.lit("unknown_decides"))
        .otherwise(pl.lit("same"))
    )
    shown = [f"{name}_{when}" for name in _SHOWN for when in ("before", "after")]
    told = both.with_columns(moved=moved).with_columns(moved_reason=pl.when(pl.col("moved").is_null()).then(reason))
    return told.select(*areas.columns, *shown, "moved", "moved_reason")


def moved_points(scores: pl.DataFrame, before: pl.DataFrame | None, after: pl.DataFrame | None) -> pl.DataFrame:
    """Points that are not as they were, of areas that moved grade.

    Args:
        scores: as of `compare_scores`.
        before: the table `scorecard_points` of a release; None where it has none.
        after: the same of the later release.

    Returns:
        `area_id`, `name`, `moved`, `grade_before`, `grade_after`, `category`, `item`, `point`, and before and after:
        `status`, `value`, `low`, `high`, `evidence`, `evidence_zh`. Areas in their order, points in that of the card;
        one row with null points for an area none of whose points is another.

    """
    moved = scores.drop_nulls("moved").select("area_id", "name", "moved", "grade_before", "grade_after")
    blank = {**dict.fromkeys(_POINT, pl.String), **dict.fromkeys(_FOUND, pl.Float64), **dict.fromkeys(_TEXT, pl.String)}
    cards = [
        (pl.DataFrame(schema=blank) if card is None else card).select(*_POINT, *_FOUND) for card in (before, after)
    ]
    both = cards[0].join(cards[1], on=_POINT, how="full", coalesce=True, suffix="_after", maintain_order="left_right")
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_after")) for name in _FOUND[:4])
    columns = [column for name in _FOUND for column in (pl.col(name).alias(f"{name}_before"), f"{name}_after")]
    points = both.filter(differs).select(*_POINT, *columns)
    return moved.join(points, on="area_id", how="left", maintain_order="left_right")
