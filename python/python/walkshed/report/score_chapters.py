"""Chapters about the scorecard: grades, items, and what it would take."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import polars as pl

from walkshed.language import word
from walkshed.maps import palette
from walkshed.report import charts
from walkshed.report.content import Block, Column, Figure, Heading, Paragraph, Table, Value, told
from walkshed.report.facts import City
from walkshed.report.words import say
from walkshed.score import STATUSES, Scorecard

_LOWEST = 15
#: Communities that the annex of a document lists; the workbook has all.
_ANNEX = 200


def scores(city: City) -> list[Block]:
    """Grades, categories, items and the lowest communities; nothing without a scorecard."""
    if city.scorecard is None:
        return []
    text, card, by = partial(say, city.language), city.scorecard, city.scorecard.standard
    name, status = (by.name_zh, by.status_zh) if city.language == "zh" else (by.name_en, by.status_en)
    return [
        Heading(text("scores")),
        Paragraph(text("scores_by", name=name, status=status)),
        Paragraph(text("scores_text")),
        _grades(city, card),
        _spread(city, card),
        _categories(city, card),
        _items(city, card),
        _lowest(city, card),
    ]


def _grades(city: City, card: Scorecard) -> Table:
    text = partial(say, city.language)
    ranked = card.totals.group_by("grade").agg(pl.len(), low=pl.col("low").mean())
    rows: list[list[Value]] = [
        [
            text("undecided") if row["grade"] is None else word("grade", row["grade"], city.language),
            row["len"],
            row["len"] / card.totals.height,
        ]
        for row in ranked.sort(pl.col("grade").is_null(), "low", descending=[False, True]).iter_rows(named=True)
    ]
    columns = [
        Column(text("grade"), width=2),
        Column(text("communities_count"), "number"),
        Column(text("share_of_communities"), "share"),
    ]
    return Table(text("grades_table"), columns, rows, sheet=text("grades_table"))


def _spread(city: City, card: Scorecard) -> Figure:
    text, colours = partial(say, city.language), palette.sequential(5)
    worth = card.totals.select(pl.col("observed") / pl.col("total_points"))["observed"].drop_nulls()
    tenths = [min(9, int(score * 10)) for score in worth]
    bars = [charts.Bar(f"{tenth * 10}–{tenth * 10 + 10}", [tenths.count(tenth)]) for tenth in range(10)]
    shown = charts.columns(
        bars,
        colours=[colours[tenth // 2] for tenth in range(10)],
        x_title=text("score"),
        y_title=text("communities_count"),
    )
    return Figure(text("scores_figure"), shown)


def _categories(city: City, card: Scorecard) -> Table:
    text = partial(say, city.language)
    name = "name_zh" if city.language == "zh" else "name_en"
    items = card.items.with_columns(title=pl.coalesce(name, "name_zh"))
    joint = "、" if city.language == "zh" else ", "
    found = items.group_by("category", maintain_order=True).agg(
        pl.col("title").unique(maintain_order=True),
        low=pl.col("low").sum() / pl.col("weight").sum(),
        high=pl.col("high").sum() / pl.col("weight").sum(),
    )
    names = card.category_names(city.language)
    rows: list[list[Value]] = [
        [names[row["category"]], joint.join(row["title"]), row["low"], row["high"]]
        for row in found.iter_rows(named=True)
    ]
    columns = [
        Column(text("category"), width=1.8),
        Column(text("items_in"), width=3.5),
        Column(text("low_mean"), "share", 1.1),
        Column(text("high_mean"), "share", 1.1),
    ]
    return Table(text("categories_table"), columns, rows, sheet=text("category"))


def _items(city: City, card: Scorecard) -> Table:
    text, statuses = partial(say, city.language), list(STATUSES)
    name = "name_zh" if city.language == "zh" else "name_en"
    counts = card.items.group_by("item", maintain_order=True).agg(
        title=pl.coalesce(name, "name_zh").first(),
        **{status: (pl.col("status") == status).sum() for status in statuses},
        low=pl.col("low").sum() / pl.col("weight").sum(),
        high=pl.col("high").sum() / pl.col("weight").sum(),
    )
    columns = [
        Column(text("item"), width=2.6),
        *(Column(word("status", status, city.language), "number", 0.9) for status in statuses),
        Column(text("low_mean"), "share", 1.1),
        Column(text("high_mean"), "share", 1.1),
    ]
    rows = counts.select("title", *statuses, "low", "high").rows()
    return Table(text("items_table"), columns, rows, sheet=text("item"))


def _lowest(city: City, card: Scorecard) -> Table:
    text = partial(say, city.language)
    ranked = card.totals.sort("observed", "area_id", nulls_last=True).head(_LOWEST)
    names = card.category_names(city.language)
    rows: list[list[Value]] = [
        [
            row["name"] or row["area_id"],
            row["area_id"],
            row["low"],
            row["high"],
            row["observed"],
            grade_of(city, row),
            None if row["weakest"] is None else names[row["weakest"]],
        ]
        for row in ranked.iter_rows(named=True)
    ]
    columns = [
        Column(text("community"), width=2.2),
        Column(text("community_id"), width=1.3),
        *(Column(text(key), "score", 0.9) for key in ("low", "high", "observed")),
        Column(text("grade"), width=1.6),
        Column(text("weakest"), width=2.4),
    ]
    return Table(text("communities_table"), columns, rows, sheet=text("communities_table"))


def grade_of(city: City, total: dict[str, object]) -> str:
    """The grade of a community; from … to … where what is unknown decides it."""
    if total["grade"] is not None:
        return word("grade", str(total["grade"]), city.language)
    ends = (total["grade_low"], total["grade_high"])
    return " … ".join(word("grade", None if end is None else str(end), city.language) for end in ends)


def gaps(city: City) -> list[Block]:
    """What it would take, summed by item; nothing where nothing is known to lack."""
    if city.scorecard is None:
        return []
    text, card = partial(say, city.language), city.scorecard
    missing = card.points.filter(pl.col("status").is_in(["partial", "fail"]) & pl.col("gap").is_not_null())
    if not missing.height:
        return []
    name = "name_zh" if city.language == "zh" else "name_en"
    titles = card.items.unique("item", keep="first").select("item", title=pl.coalesce(name, "name_zh"))
    order = card.points.unique("point", keep="first", maintain_order=True).select("point").with_row_index("place")
    found = (
        missing.group_by("item", "point", "kind", "gap_unit", "gap_unit_zh")
        .agg(pl.len(), gap=pl.col("gap").sum())
        .join(titles, on="item", how="left")
        .join(order, on="point", how="left")
        .sort("place", "gap_unit")
    )
    columns = [
        Column(text("item"), width=2.6),
        Column(text("rule"), width=0.9),
        Column(text("kind"), width=1.4),
        Column(text("communities_count"), "number", 1.1),
        Column(text("gap"), "number", 1.1),
        Column(text("unit"), width=1.1),
    ]
    rows = [
        [
            row["title"],
            row["point"],
            word("rule", row["kind"], city.language),
            row["len"],
            row["gap"],
            unit_of(city, row),
        ]
        for row in found.iter_rows(named=True)
    ]
    table = Table(text("gaps_table"), columns, rows, sheet=text("gap"))
    return [Heading(text("gaps")), Paragraph(text("gaps_text")), table]


def unit_of(city: City, gap: Mapping[str, Any]) -> str:
    """The unit of a gap, in words that stand by a number."""
    if city.language == "en":
        return str(gap["gap_unit"])
    unit = str(gap["gap_unit_zh"])
    return word("unit", unit, "zh")


def annex(city: City) -> list[Block]:
    """All communities, one row each."""
    text, communities = partial(say, city.language), city.communities
    if communities.height < 2:
        return []
    told_of = communities.select("area_id", "name", "people").join(
        city.mean_share, on="area_id", how="left", maintain_order="left"
    )
    scored = _scored(city)
    rows: list[list[Value]] = [
        [
            row["name"],
            row["area_id"],
            row["people"],
            row["mean"],
            None if row["weakest"] is None else city.class_name(row["weakest"]),
            row["least"],
            *scored.get(row["area_id"], [None, None] if scored else []),
        ]
        for row in told_of.iter_rows(named=True)
    ]
    columns = [
        Column(text("community"), width=2),
        Column(text("community_id"), width=1.2),
        Column(text("area_people"), "people", 0.9),
        Column(text("mean"), "share", 0.9),
        Column(text("weakest_class"), width=2),
        Column(text("least"), "share", 0.9),
    ]
    if scored:
        columns += [Column(text("score_range"), width=1.3), Column(text("grade"), width=1.6)]
    table = Table(text("annex_table"), columns, rows, sheet=text("annex_table"), most=_ANNEX)
    return [Heading(text("annex")), table]


def _scored(city: City) -> dict[str, list[Value]]:
    if city.scorecard is None:
        return {}
    return {
        row["area_id"]: [f"{told(row['low'], 'score')}–{told(row['high'], 'score')}", grade_of(city, row)]
        for row in city.scorecard.totals.iter_rows(named=True)
    }
