"""A walking network: what climbs, lifts and carries stands out from plain streets; or how steep its ways are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import polars as pl

from walkshed.language import Language, word
from walkshed.maps import base_map, fonts
from walkshed.maps.base_map import EMPTY, BaseMap
from walkshed.maps.box import Box
from walkshed.maps.palette import sequential
from walkshed.maps.sheet import Mark, Sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from walkshed.network import Network

By: TypeAlias = Literal["kind", "slope"]

#: Kinds that stand out, in the order in which they are drawn, with their looks. All else is plain.
_KINDS = {
    "steps": Mark("", "#d55e00", "line", width=1.1),
    "escalator": Mark("", "#7b2d8b", "line", width=2.0),
    "ferry": Mark("", "#0072b2", "line", width=1.3, dashes=":"),
    "cableway": Mark("", "#111111", "line", width=1.6, dashes="--"),
    "lift": Mark("", "#f0e442", "dot", edge="#111111", marker="s", size=4.2),
}
_PLAIN = Mark("", "#a3abb4", "line", width=0.35)
#: Per cent. 5 (1 : 20) and 8 (1 : 12) are what ramps for wheelchairs keep to in GB 55019-2021 and GB 50763-2012.
_SLOPES = (2.0, 5.0, 8.0, 12.0)
_UNKNOWN = "#c9ced4"


def network_map(
    network: Network,
    *,
    by: By = "kind",
    base: BaseMap | None = None,
    title: str | None = None,
    language: Language = "en",
    source: str = "",
) -> Figure:
    """Draw all ways of a network.

    Args:
        network: any network.
        by: "kind" lets stairs, lifts, escalators, cableways and ferries stand out; "slope" colours ways by how steep
            they are between their ends.
        base: water below; its streets are not drawn. None when None.
        title: of the map.
        language: of the legend: "zh" or "en".
        source: line about the data, printed below; what the base map says when empty. That streets are SYNTHETIC
            合成数据 is said in any case.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: `by` is neither.
        ImportError: matplotlib is not installed.

    """
    if by not in ("kind", "slope"):
        raise ValueError(f'by {by!r}: use "kind" or "slope"')
    lines = network.lines().filter(pl.col("kind") != "square")
    box = Box.around(lines["lon"], lines["lat"])
    if box is None:
        raise ValueError("nothing to draw: the network has no way")
    edges = network.edges().select(
        edge="id", length_m="length_m", climb_m="climb_m", descent_m="descent_m", kind="kind"
    )
    drawn = _by_kind(edges, language) if by == "kind" else _by_slope(edges, language)
    water = BaseMap(EMPTY.streets, base.water, base.source) if base is not None else EMPTY
    heading = title if title is not None else _heading(by, language)
    with fonts.chinese():
        credit = base_map.credited(network, source or water.source)
        sheet = Sheet(box, [""], heading, [mark for mark, _ in drawn], credit, water)
        for above, (mark, ways) in enumerate(drawn):
            here = lines.filter(pl.col("edge").is_in(ways.implode()))
            if mark.kind == "dot":
                places = here.group_by("edge", maintain_order=True).agg(pl.first("lon", "lat"))
                sheet.dots(0, places.select("lon", "lat").rows(), mark)
            else:
                sheet.ways(0, here, mark, above=3.6 + above / 100)
        return sheet.finish()


def _by_kind(edges: pl.DataFrame, language: Language) -> list[tuple[Mark, pl.Series]]:
    plain = edges.filter(~pl.col("kind").is_in(list(_KINDS)))
    other = {"zh": "其他步行道路", "en": "other ways"}[language]
    drawn = [(_told(_PLAIN, other, plain), plain["edge"])]
    for kind, mark in _KINDS.items():
        ways = edges.filter(pl.col("kind") == kind)
        if ways.height:
            drawn.append((_told(mark, word("way", kind, language), ways), ways["edge"]))
    return drawn


def _by_slope(edges: pl.DataFrame, language: Language) -> list[tuple[Mark, pl.Series]]:
    """Ways by the greater of climb and descent over their length; lifts and what is carried have no slope."""
    rise = pl.max_horizontal("climb_m", "descent_m")
    slope = pl.when(pl.col("length_m") > 0).then(rise / pl.col("length_m") * 100)
    edges = edges.filter(~pl.col("kind").is_in(["lift", "escalator", "cableway", "ferry", "square"]))
    steps = edges.filter(pl.col("kind") == "steps")
    edges = edges.filter(pl.col("kind") != "steps").with_columns(slope=slope)
    limits = [0.0, *_SLOPES, float("inf")]
    drawn: list[tuple[Mark, pl.Series]] = []
    unknown = edges.filter(pl.col("slope").is_null())
    if unknown.height:
        told = {"zh": "高程不明", "en": "heights unknown"}[language]
        drawn.append((_told(Mark("", _UNKNOWN, "line", width=0.35), told, unknown), unknown["edge"]))
    for place, colour in enumerate(sequential(len(limits))[1:]):
        low, high = limits[place], limits[place + 1]
        inside = (pl.col("slope") > low) | pl.lit(low == 0)
        ways = edges.filter(inside & (pl.col("slope") <= high))
        over = {"zh": f"坡度 {low:g} % 以上", "en": f"slope over {low:g} %"}[language]
        told = over if place == len(_SLOPES) else f"{ {'zh': '坡度', 'en': 'slope'}[language] } {low:g}–{high:g} %"
        drawn.append((_told(Mark("", colour, "line", width=0.45 + 0.22 * place), told, ways), ways["edge"]))
    if steps.height:
        drawn.append((_told(_KINDS["steps"], word("way", "steps", language), steps), steps["edge"]))
    return drawn


def _told(mark: Mark, name: str, ways: pl.DataFrame) -> Mark:
    """The mark with its words: lifts are counted, all else has a length."""
    if mark.kind == "dot":
        return replace(mark, label=f"{name} ({ways.height:,})")
    return replace(mark, label=f"{name} ({float(ways['length_m'].sum()) / 1000:,.1f} km)")


def _heading(by: By, language: Language) -> str:
    if by == "kind":
        return {
            "zh": "步行网络：梯道、扶梯、电梯与索道",
            "en": "Walking network: stairs, lifts and what carries people",
        }[language]
    return {"zh": "步行网络：坡度", "en": "Walking network: how steep its ways are"}[language]
