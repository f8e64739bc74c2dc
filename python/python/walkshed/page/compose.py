"""Pages from their parts: titles, colours, credits, blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from walkshed.language import Language
from walkshed.maps import palette
from walkshed.page.base_block import base_block
from walkshed.page.city_block import city_block
from walkshed.page.document import document, licences, words
from walkshed.page.score_block import score_block
from walkshed.page.table_block import table_block
from walkshed.page.tables import City

if TYPE_CHECKING:
    from walkshed.geotable import GeoTable
    from walkshed.maps.base_map import BaseMap
    from walkshed.score import Scorecard

_CLASSES = len(palette.SHARE_BREAKS) + 1
_CHANGES = {
    "change_new": 8,
    "change_shorter_much": 7,
    "change_shorter_some": 6,
    "change_shorter_little": 5,
    "change_none": 4,
    "change_longer": 2,
    "change_lost": 0,
}
"""What a walk can become, with its place among nine colours from worse to better."""

_UNCHANGED, _MADE = "#e3e3e3", "#c2185b"
"""What stays as it is recedes, but is seen; what a scenario builds stands out from every scale."""


def city_document(
    city: City,
    scorecard: Scorecard | None,
    base: BaseMap | None,
    title: str | None,
    language: Language,
    source: str | None,
) -> str:
    """The page of a city; arguments as of `page`."""
    heading = title or city.name
    credit = _credit(source, base, city.version)
    about = {
        "kind": "city",
        "language": language,
        "words": words(),
        "licences": licences(),
        "title": heading,
        "credit": {"zh": credit, "en": credit},
        "colours": _colours(len(city.minutes)),
        "first": _first_view(city),
    }
    blocks = {"data": city_block(city, about), "data-base": base_block(base)}
    if scorecard is not None:
        breaks = palette.score_breaks(scorecard.totals["total_points"])
        blocks["data-score"] = score_block(scorecard, city.areas["area_id"].to_list(), breaks)
    return document(blocks, title=heading, credit=credit, language=language, version=city.version)


def table_document(
    table: GeoTable,
    column: str | None,
    breaks: Sequence[float] | None,
    classes: int,
    base: BaseMap | None,
    title: str | None,
    language: Language,
    source: str | None,
) -> str:
    """The page of a table; arguments as of `page_of_table`."""
    from walkshed import __version__

    heading = title or column or "walkshed"
    credit = _credit(source, base, __version__)
    about = {
        "kind": "table",
        "language": language,
        "words": words(),
        "licences": licences(),
        "title": heading,
        "credit": {"zh": credit, "en": credit},
        "colours": _colours(1),
    }
    blocks = {"data": table_block(table, column, breaks, classes, about), "data-base": base_block(base)}
    return document(blocks, title=heading, credit=credit, language=language, version=__version__)


def _first_view(city: City) -> dict[str, int]:
    """What a planner looks for: the class that fewest people reach, or that the page's scenario changes most."""
    middle = len(city.minutes) // 2
    if not city.whole:
        return {"c": _most_changed(city), "m": middle}
    rows = city.total if city.total.height else city.coverage
    if not rows.height:
        return {"c": 0, "m": middle}
    asked = rows.filter(
        (pl.col("group") == "all")
        & (pl.col("profile") == city.profiles[0])
        & (pl.col("minutes") == city.minutes[middle])
    )
    fewest = asked.group_by("class").agg(pl.col("people_covered").sum()).sort("people_covered", "class")["class"]
    return {"c": city.classes.index(fewest[0]) if len(fewest) else 0, "m": middle}


def _most_changed(city: City) -> int:
    """The class of which the scenario changes the walks of most people."""
    (plan,) = city.plans
    walks = plan.cells.filter(pl.col("profile") == city.profiles[0]) if plan.cells.height else plan.cells
    changed = walks.group_by("class").agg(pl.col("people").sum()).sort("people", "class", descending=[True, False])
    return city.classes.index(changed["class"][0]) if changed.height else 0


def _colours(minutes: int) -> dict[str, object]:
    nine = palette.diverging(9)
    changes = {name: nine[place] for name, place in _CHANGES.items()}
    return {
        "minutes": palette.minutes_colours(minutes),
        "not_reached": palette.NOT_REACHED,
        "no_data": palette.NO_DATA,
        "share": palette.sequential(_CLASSES),
        "score": palette.sequential(_CLASSES),
        "change": changes | {"change_none": _UNCHANGED},
        "streets": palette.STREETS,
        "water": palette.WATER,
        "doors": palette.DOORS,
        "made": _MADE,
    }


def _credit(source: str | None, base: BaseMap | None, version: str) -> str:
    told = source if source is not None else base.source if base is not None else ""
    return " · ".join(part for part in (told, f"walkshed {version}") if part)
