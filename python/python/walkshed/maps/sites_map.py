"""Where to build: chosen, existing and possible sites over the people whom they serve."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from walkshed.maps import fonts
from walkshed.maps.base_map import EMPTY, BaseMap
from walkshed.maps.box import Box
from walkshed.maps.palette import BETTER, WORSE
from walkshed.maps.sheet import Mark, Sheet
from walkshed.maps.wkb import Corner

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from walkshed.language import Language
    from walkshed.siting import Siting

_CHOSEN = Mark("", "#ffd21f", "dot", edge="#111111", marker="*", size=10)
_EXISTING = Mark("", "#111111", "dot", edge="#ffffff", marker="s", size=4.6)
_CANDIDATE = Mark("", "#ffffff", "dot", edge="#7a828b", marker="o", size=2.6)
_SERVED = Mark("", BETTER, "dot", edge="none", size=3.4)
_UNSERVED = Mark("", WORSE, "dot", edge="none", marker="X", size=4.4)
_SPOKE = Mark("", "#8db4d6", "line", width=0.5)
#: Points across of the largest and the smallest home, whose areas go by people.
_LARGEST, _SMALLEST = 7.0, 1.2
#: A larger plan is drawn without the order of its sites, which would hide them.
_MOST_NUMBERS = 60

_WORDS = {
    "chosen": ("新建（数字为次序）", "to build, by order"),
    "existing": ("现有", "existing"),
    "candidate": ("备选", "candidate"),
    "served": ("已服务居民", "people served"),
    "unserved": ("未服务居民", "people not served"),
    "spoke": ("由何处服务", "served from"),
}


def sites_map(
    siting: Siting,
    demand: pl.DataFrame | None = None,
    *,
    candidates: pl.DataFrame | None = None,
    base: BaseMap | None = None,
    title: str | None = None,
    language: Language = "en",
    source: str = "",
) -> Figure:
    """Draw an answer of siting.

    Args:
        siting: sites with `lon` and `lat`.
        demand: homes: `origin_id`, `id` or `cell`, `lon`, `lat` and optional `people`; None draws no homes.
        candidates: `lon`, `lat` of all places that could be chosen; None draws none.
        base: streets and water below; none when None.
        title: of the map.
        language: of the legend: "zh" or "en".
        source: line about the data, printed below; what the base map says when empty.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: sites have no places, or a table lacks a column.
        ImportError: matplotlib is not installed.

    """
    sites = siting.sites.drop_nulls(["lon", "lat"])
    if sites.is_empty():
        raise ValueError("nothing to draw: no site has a place; give `sites` with lon and lat to the search")
    homes = None if demand is None else _homes(siting, demand)
    drawn = [table for table in (sites, homes, candidates) if table is not None]
    places = pl.concat([table.select("lon", "lat").cast(pl.Float64) for table in drawn])
    box = Box.around(places["lon"], places["lat"])
    if box is None:
        raise ValueError("nothing to draw")
    box = box.grown(max(box.side * 0.04, 0.002))
    marks = _marks(sites, homes, candidates, language)
    below = base or EMPTY
    with fonts.chinese():
        heading = title if title is not None else _heading(siting, language)
        sheet = Sheet(box, [""], heading, list(marks.values()), source or below.source, below)
        if homes is not None:
            _draw_homes(sheet, siting, homes, marks)
        if candidates is not None:
            sheet.dots(0, _corners(candidates), marks["candidate"])
        sheet.dots(0, _corners(sites.filter("existing")), _EXISTING)
        chosen = sites.filter(~pl.col("existing")).sort("order")
        sheet.dots(0, _corners(chosen), _CHOSEN)
        if chosen.height <= _MOST_NUMBERS:
            sheet.words(0, _corners(chosen), [str(order) for order in chosen["order"]])
        return sheet.finish()


def _homes(siting: Siting, demand: pl.DataFrame) -> pl.DataFrame:
    """Homes with their people, and the site that serves most of each; null where none does."""
    key = next((name for name in ("origin_id", "id", "cell") if name in demand.columns), None)
    lacking = [name for name in ("lon", "lat") if name not in demand.columns]
    if key is None or lacking:
        raise ValueError(f"demand: it has no column {', '.join(lacking) or 'origin_id, id or cell'}")
    people = pl.col("people") if "people" in demand.columns else pl.lit(1.0)
    homes = demand.select("lon", "lat", origin_id=pl.col(key).cast(pl.String), people=people.cast(pl.Float64))
    served = siting.assignment.select(pl.col("origin_id").cast(pl.String), "site_id", "people").sort(
        "people", descending=True, maintain_order=True
    )
    first = served.group_by("origin_id", maintain_order=True).agg(pl.first("site_id"))
    return homes.filter(pl.col("people") > 0).join(first, on="origin_id", how="left", maintain_order="left")


def _draw_homes(sheet: Sheet, siting: Siting, homes: pl.DataFrame, marks: dict[str, Mark]) -> None:
    ends = siting.sites.select("site_id", to_lon="lon", to_lat="lat")
    joined = homes.join(ends, on="site_id", how="inner", maintain_order="left").drop_nulls(["to_lon", "to_lat"])
    spokes = joined.select("lon", "lat", "to_lon", "to_lat").rows()
    sheet.lines(0, [[(x, y), (u, v)] for x, y, u, v in spokes], _SPOKE, above=4)
    largest = math.sqrt(max(homes["people"].to_list(), default=1.0))
    for name, inside in (("served", pl.col("site_id").is_not_null()), ("unserved", pl.col("site_id").is_null())):
        here = homes.filter(inside)
        sizes = [max(_SMALLEST, _LARGEST * math.sqrt(people) / largest) for people in here["people"]]
        if name in marks:
            sheet.dots(0, _corners(here), marks[name], sizes=sizes)


def _marks(
    sites: pl.DataFrame, homes: pl.DataFrame | None, candidates: pl.DataFrame | None, language: Language
) -> dict[str, Mark]:
    """What is there, with how many of it."""
    counts = {
        "chosen": (_CHOSEN, f"{sites.filter(~pl.col('existing')).height:,}"),
        "existing": (_EXISTING, f"{sites.filter('existing').height:,}"),
        "candidate": (_CANDIDATE, f"{0 if candidates is None else candidates.height:,}"),
    }
    if homes is not None:
        served = float(homes.filter(pl.col("site_id").is_not_null())["people"].sum())
        counts["served"] = (_SERVED, f"{served:,.0f}")
        counts["unserved"] = (_UNSERVED, f"{float(homes['people'].sum()) - served:,.0f}")
        counts["spoke"] = (_SPOKE, "")
    marks: dict[str, Mark] = {}
    for name, (mark, count) in counts.items():
        word = _WORDS[name][language == "en"]
        if count != "0":
            marks[name] = replace(mark, label=f"{word} ({count})" if count else word)
    return marks


def _corners(table: pl.DataFrame) -> list[Corner]:
    return [(float(lon), float(lat)) for lon, lat in table.select("lon", "lat").iter_rows()]


def _heading(siting: Siting, language: Language) -> str:
    problems = {
        "p_median": ("总步行量最小", "least walking in all"),
        "maximal_covering": ("覆盖人口最多", "most people covered"),
        "set_covering": ("全部覆盖、设施最少", "everybody covered with least"),
        "p_center": ("最远者步行最短", "shortest longest walk"),
    }
    told = problems.get(siting.problem, (siting.problem, siting.problem))[language == "en"]
    return {"zh": f"设施选址：{told}", "en": f"Where to build: {told}"}[language]
