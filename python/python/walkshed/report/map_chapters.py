"""The chapter of maps: minutes to classes, and what communities are worth."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import polars as pl

from walkshed.facilities import open_facilities
from walkshed.maps import palette
from walkshed.maps.svg import Extent, Places, Shapes, map_svg
from walkshed.report.content import Block, Figure, Heading, PageBreak, told
from walkshed.report.facts import City
from walkshed.report.words import say

#: Maps of minutes: of the classes that fewest people reach.
_MOST_MAPS = 4
_BORDER = "#3a4650"
_CLASSES = 5
_HEIGHT_PX = 375
"""Two maps with what stands below them fill a page."""


def maps(city: City) -> list[Block]:
    """Minutes to the classes that fewest reach; coverage and scores of communities."""
    classes = city.fewest_first[:_MOST_MAPS]
    times = city.times(classes)
    blocks: list[Block] = [PageBreak(), Heading(say(city.language, "maps"))]
    blocks += [_minutes(city, name, times.filter(pl.col("class") == name)) for name in classes]
    if city.communities.height > 1:
        blocks.append(_coverage(city))
        if city.scorecard is not None:
            blocks.append(_scores(city))
    return blocks


def minutes_shapes(city: City, cells: pl.DataFrame) -> list[Shapes]:
    """Cells by how long they walk.

    Args:
        city: for its thresholds and words.
        cells: `geometry`, `time_s` (null where nothing is reached).

    Returns:
        Shapes from near to far, each with its words for the legend.

    """
    text, limits = partial(say, city.language), city.minutes
    colours = palette.minutes_colours(len(limits))
    lows = [0.0, *limits]
    shapes: list[Shapes] = []
    for low, high, colour in zip(lows, limits, colours, strict=False):
        inside = (pl.col("time_s") <= high * 60) & ((pl.col("time_s") > low * 60) | (pl.lit(low) == 0))
        label = text("near", minutes=f"{high:g}") if low == 0 else text("between", low=f"{low:g}", high=f"{high:g}")
        shapes.append(Shapes(cells.filter(inside)["geometry"].to_list(), colour, label=label))
    beyond = cells.filter(pl.col("time_s").is_null() | (pl.col("time_s") > limits[-1] * 60))
    label = text("not_reached", minutes=f"{limits[-1]:g}")
    return [*shapes, Shapes(beyond["geometry"].to_list(), palette.NOT_REACHED, label=label)]


def doors(city: City, name: str) -> Places:
    """Open facilities of a class."""
    mine = open_facilities(city.facilities).filter(pl.col("class") == name)
    return Places(mine["lon"].to_list(), mine["lat"].to_list(), say(city.language, "door"))


def _minutes(city: City, name: str, times: pl.DataFrame) -> Figure:
    cells = city.cells.select("cell", "geometry").join(times, on="cell", how="left", maintain_order="left")
    caption = say(
        city.language,
        "minutes_map",
        name=city.class_name(name),
        profile=city.who,
        minutes=f"{city.middle:g}",
        share=told(city.share_in_city(name), "share"),
    )
    return _figure(city, caption, minutes_shapes(city, cells), [doors(city, name)])


def _coverage(city: City) -> Figure:
    shares = city.communities.select("area_id", "geometry").join(
        city.mean_share.select("area_id", value="mean"), on="area_id", how="left", maintain_order="left"
    )
    caption = say(city.language, "coverage_map", minutes=f"{city.middle:g}", profile=city.who)
    return _figure(city, caption, _classes(city, shares, percent=True), [])


def _scores(city: City) -> Figure:
    assert city.scorecard is not None
    scores = city.communities.select("area_id", "geometry").join(
        city.scorecard.totals.select("area_id", value="observed"), on="area_id", how="left", maintain_order="left"
    )
    return _figure(city, say(city.language, "score_map"), _classes(city, scores, percent=False), [])


def _classes(city: City, areas: pl.DataFrame, *, percent: bool) -> list[Shapes]:
    """Areas in classes of as many areas each, and those without a value."""
    values = areas["value"].drop_nulls()
    shapes: list[Shapes] = []
    if values.len():
        breaks = palette.quantile_breaks(values.to_list(), _CLASSES)
        placed = areas.with_columns(place=pl.Series([palette.class_of(value, breaks) for value in areas["value"]]))
        for order, colour in enumerate(palette.sequential(len(breaks) + 1)):
            mine = placed.filter(pl.col("place") == order)
            if mine.height:
                label = _range(mine["value"], percent)
                shapes.append(Shapes(mine["geometry"].to_list(), colour, "#ffffff", 0.6, label))
    unknown = areas.filter(pl.col("value").is_null())
    if unknown.height:
        label = say(city.language, "no_data")
        shapes.append(Shapes(unknown["geometry"].to_list(), palette.NOT_REACHED, "#ffffff", 0.6, label))
    return shapes


def _range(values: pl.Series, percent: bool) -> str:
    kind = "share" if percent else "score"
    least, most = (float(str(end)) for end in (values.min(), values.max()))
    return f"{told(least, kind)} – {told(most, kind)}"  # type: ignore[arg-type]


def _figure(city: City, caption: str, shapes: list[Shapes], places: Sequence[Places]) -> Figure:
    borders = Shapes(city.communities["geometry"].to_list(), "none", _BORDER, 0.5, say(city.language, "border"))
    every = [*shapes, borders]
    extent = Extent.of(shape for layer in every for shape in layer.geometry)
    svg = map_svg(
        every,
        places=places,
        base=city.base,
        extent=None if extent is None else extent.grown(0.02),
        width_px=640,
        height_px=_HEIGHT_PX,
    )
    return Figure(caption, svg, note=map_note(city))


def map_note(city: City) -> str:
    """Small print below a map: whose the streets are, and the line for the number of its approval."""
    source = "" if city.base is None else city.base.source
    return "　".join(part for part in (source, say(city.language, "map_note")) if part)
