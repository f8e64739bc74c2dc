"""Small maps as SVG text: for documents, where no plotting library is needed or wanted.

Shapes of one colour are one path, and corners are whole units of a tenth of a pixel, so that a city of 2,000 cells is
some hundred kilobytes. Typst and browsers draw it as it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

import polars as pl

from walkshed.maps import palette, wkb
from walkshed.maps.box import round_length_m
from walkshed.maps.fonts import FAMILY
from walkshed.maps.wkb import Line

if TYPE_CHECKING:
    from walkshed.maps.base_map import BaseMap

_METRES_PER_DEGREE = 111_320.0
_UNITS_PER_PX = 10
#: Strokes of streets by rank, small ways first, in pixels.
_STREET_PX = (0.35, 0.5, 0.8, 1.2)
#: So many corners of streets are drawn; beyond, only larger streets are, so that a page stays small.
_MOST_CORNERS = 25_000


@dataclass(frozen=True)
class Shapes:
    """Shapes that are drawn alike.

    Attributes:
        geometry: WKB polygons or multipolygons, little-endian, in degrees.
        fill: colour, or "none".
        stroke: colour of the outline, or "none".
        stroke_px: width of the outline.
        label: what the legend calls them; empty for nothing.
        opacity: 0..1 of the fill.

    """

    geometry: Sequence[bytes]
    fill: str
    stroke: str = "none"
    stroke_px: float = 0.5
    label: str = ""
    opacity: float = 1.0


@dataclass(frozen=True)
class Places:
    """Points that are drawn as dots.

    Attributes:
        lon: longitudes.
        lat: latitudes.
        label: what the legend calls them.
        radius_px: size of a dot.

    """

    lon: Sequence[float]
    lat: Sequence[float]
    label: str = ""
    radius_px: float = 2.6


@dataclass(frozen=True)
class Extent:
    """A part of the earth, in degrees."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def of(cls, geometry: Iterable[bytes]) -> Extent | None:
        """The extent of WKB shapes; None where there are none."""
        corners = [corner for shape in geometry for ring in _rings(shape) for corner in ring]
        if not corners:
            return None
        lon, lat = [corner[0] for corner in corners], [corner[1] for corner in corners]
        return cls(min(lon), min(lat), max(lon), max(lat))

    def grown(self, share: float) -> Extent:
        """The same with a margin on each side, as a share of its longer side."""
        margin = max(self.east - self.west, self.north - self.south, 1e-4) * share
        return Extent(self.west - margin, self.south - margin, self.east + margin, self.north + margin)


@dataclass
class _Sheet:
    """Where degrees lie on the picture."""

    extent: Extent
    width_px: float
    height_px: float
    scale: float = field(init=False)  # pixels for a degree of latitude
    stretch: float = field(init=False)  # degrees of latitude as long as one of longitude

    def __post_init__(self) -> None:
        middle = (self.extent.south + self.extent.north) / 2
        self.stretch = max(0.05, math.cos(math.radians(middle)))
        wide = max((self.extent.east - self.extent.west) * self.stretch, 1e-9)
        tall = max(self.extent.north - self.extent.south, 1e-9)
        self.scale = min(self.width_px / wide, self.height_px / tall)
        self._left = (self.width_px - wide * self.scale) / 2
        self._top = (self.height_px - tall * self.scale) / 2

    def at(self, lon: float, lat: float) -> tuple[int, int]:
        """Whole tenths of a pixel from the left and the top."""
        x = (lon - self.extent.west) * self.stretch * self.scale + self._left
        y = (self.extent.north - lat) * self.scale + self._top
        return round(x * _UNITS_PER_PX), round(y * _UNITS_PER_PX)

    def px_per_m(self) -> float:
        """How long a metre is."""
        return self.scale / _METRES_PER_DEGREE


def _rings(geometry: bytes) -> list[Line]:
    """Outlines and holes of all parts of a shape."""
    return [ring for polygon in wkb.polygons(geometry) for ring in polygon]


def map_svg(
    shapes: Sequence[Shapes],
    *,
    places: Sequence[Places] = (),
    base: BaseMap | None = None,
    extent: Extent | None = None,
    width_px: int = 480,
    height_px: int = 360,
    legend: bool = True,
    source: str = "",
) -> str:
    """Draw a map, north up, with a scale bar.

    Args:
        shapes: what is drawn, the lowest first; those with a label stand in the legend.
        places: dots above the shapes.
        base: streets and water: water lies below the shapes, streets above.
        extent: what is shown; all shapes when None.
        width_px: width of the picture.
        height_px: height of the map; a legend comes below it.
        legend: whether there is one.
        source: a line about the data, below everything; empty for none.

    Returns:
        SVG; text in it is "Walkshed Sans SC", everything from data escaped.

    """
    shown = extent or Extent.of(shape for layer in shapes for shape in layer.geometry) or Extent(0, 0, 1, 1)
    sheet = _Sheet(shown, width_px, height_px)
    drawn = [f'<rect width="{width_px}" height="{height_px}" fill="{palette.PAPER}"/>']
    drawn.append(f'<g clip-path="url(#m)"><g transform="scale({1 / _UNITS_PER_PX:g})">')
    if base is not None:
        drawn.append(_water(sheet, base))
    drawn += [_layer(sheet, layer) for layer in shapes if layer.fill != "none"]
    if base is not None:
        drawn.append(_streets(sheet, base))
    drawn += [_layer(sheet, layer) for layer in shapes if layer.fill == "none"]
    drawn += [_dots(sheet, dots) for dots in places]
    drawn.append("</g></g>")
    drawn += [_scale_bar(sheet), _north(width_px)]
    bottom = float(height_px)
    if legend:
        told, bottom = _legend(shapes, places, width_px, bottom)
        drawn.append(told)
    if source:
        drawn.append(_text(2, bottom + 11, source, size=8, colour=palette.QUIET))
        bottom += 16
    clip = f'<clipPath id="m"><rect width="{width_px}" height="{height_px}"/></clipPath>'
    frame = f'<rect x=".5" y=".5" width="{width_px - 1}" height="{height_px - 1}" fill="none" stroke="#c8ccd0"/>'
    return svg("".join(drawn) + frame, width_px, math.ceil(bottom), defs=clip)


def svg(drawn: str, width_px: int, height_px: int, *, defs: str = "") -> str:
    """A picture of the drawn parts."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width_px}" height="{height_px}" '
        f'viewBox="0 0 {width_px} {height_px}"><defs>{defs}</defs>{drawn}</svg>'
    )


def _layer(sheet: _Sheet, layer: Shapes) -> str:
    path = "".join(_ring(sheet, ring) for shape in layer.geometry for ring in _rings(shape) if _is_seen(sheet, ring))
    if not path:
        return ""
    outline = f' stroke="{layer.stroke}" stroke-width="{layer.stroke_px * _UNITS_PER_PX:g}" stroke-linejoin="round"'
    opacity = "" if layer.opacity == 1 else f' fill-opacity="{layer.opacity:g}"'
    return f'<path d="{path}" fill="{layer.fill}" fill-rule="evenodd"{outline}{opacity}/>'


def _is_seen(sheet: _Sheet, ring: Line) -> bool:
    shown = sheet.extent
    lon, lat = [corner[0] for corner in ring], [corner[1] for corner in ring]
    across = max(lon) >= shown.west and min(lon) <= shown.east
    return across and max(lat) >= shown.south and min(lat) <= shown.north


def _ring(sheet: _Sheet, ring: Line) -> str:
    return f"{_line([sheet.at(lon, lat) for lon, lat in ring])}z"


def _line(corners: Sequence[tuple[int, int]]) -> str:
    """A path by steps, which are shorter to write than places."""
    if not corners:
        return ""
    (x, y), *others = corners
    path = [f"M{x} {y}l"]
    for to_x, to_y in others:
        if (to_x, to_y) != (x, y):
            path.append(f"{to_x - x} {to_y - y} ")
            x, y = to_x, to_y
    return "".join(path) if len(path) > 1 else f"{path[0]}0 0 "


def _water(sheet: _Sheet, base: BaseMap) -> str:
    inside = _near(sheet, base.water, "polygon").group_by("polygon", "ring", maintain_order=True).agg("lon", "lat")
    path = "".join(
        _ring(sheet, list(zip(lon, lat, strict=True))) for lon, lat in inside.select("lon", "lat").iter_rows()
    )
    return f'<path d="{path}" fill="{palette.WATER}" fill-rule="evenodd"/>' if path else ""


def _streets(sheet: _Sheet, base: BaseMap) -> str:
    lines = _near(sheet, base.streets, "line")
    smallest = 0
    while lines.height > _MOST_CORNERS and smallest < len(_STREET_PX) - 1:
        smallest += 1
        lines = lines.filter(pl.col("rank") >= smallest)
    drawn: list[str] = []
    for (rank,), ways in lines.group_by("rank", maintain_order=True):
        runs = ways.group_by("line", maintain_order=True).agg("lon", "lat").select("lon", "lat").iter_rows()
        path = "".join(_line([sheet.at(*corner) for corner in zip(lon, lat, strict=True)]) for lon, lat in runs)
        width = _STREET_PX[int(str(rank))] * _UNITS_PER_PX
        drawn.append(
            f'<path d="{path}" fill="none" stroke="{palette.STREETS}" stroke-opacity=".6" stroke-width="{width:g}"/>'
        )
    return "".join(drawn)


def _near(sheet: _Sheet, table: pl.DataFrame, key: str) -> pl.DataFrame:
    """Lines and shapes with any corner on the sheet."""
    shown = sheet.extent
    inside = pl.col("lon").is_between(shown.west, shown.east) & pl.col("lat").is_between(shown.south, shown.north)
    return table.join(table.filter(inside).select(key).unique(), on=key, how="semi", maintain_order="left")


def _dots(sheet: _Sheet, dots: Places) -> str:
    radius = dots.radius_px * _UNITS_PER_PX
    circles: list[str] = []
    for lon, lat in zip(dots.lon, dots.lat, strict=True):
        x, y = sheet.at(lon, lat)
        circles.append(f'<circle cx="{x}" cy="{y}" r="{radius:g}"/>')
    if not circles:
        return ""
    return f'<g fill="{palette.DOORS}" stroke="#ffffff" stroke-width="{0.7 * _UNITS_PER_PX:g}">{"".join(circles)}</g>'


def _text(
    x: float,
    y: float,
    told: str,
    *,
    size: float = 10,
    colour: str = palette.INK,
    anchor: str = "start",
    halo: bool = False,
) -> str:
    around = f' stroke="{palette.PAPER}" stroke-width="3" paint-order="stroke" stroke-linejoin="round"' if halo else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-family="{FAMILY}" font-size="{size:g}" fill="{colour}" '
        f'text-anchor="{anchor}"{around}>{escape(told)}</text>'
    )


def _scale_bar(sheet: _Sheet) -> str:
    length_m = round_length_m(sheet.width_px / 4 / sheet.px_per_m())
    length_px = length_m * sheet.px_per_m()
    x, y = sheet.width_px - 10, sheet.height_px - 9
    label = f"{length_m:g} m" if length_m < 1000 else f"{length_m / 1000:g} km"
    bar = f"M{x - length_px:.1f} {y - 4}v4h{length_px:.1f}v-4"
    return (
        f'<path d="{bar}" fill="none" stroke="{palette.PAPER}" stroke-width="4"/>'
        f'<path d="{bar}" fill="none" stroke="{palette.INK}" stroke-width="1.4"/>'
        + _text(x - length_px / 2, y - 6, label, size=9, anchor="middle", halo=True)
    )


def _north(width_px: int) -> str:
    x = width_px - 16
    return (
        f'<path d="M{x} 8l6 18l-6 -4l-6 4z" fill="{palette.INK}" stroke="{palette.PAPER}" stroke-width="1"/>'
        + _text(x, 37, "N", size=10, anchor="middle", halo=True)
    )


def text_width_px(told: str, size: float) -> float:
    """About how wide a text is: Chinese characters are squares, others half as wide and a little more."""
    return sum(size if ord(letter) > 0x2E7F else size * 0.56 for letter in told)


def _legend(shapes: Sequence[Shapes], places: Sequence[Places], width_px: int, top: float) -> tuple[str, float]:
    """Marks with their words in as many lines as they need; returns where they end."""
    size, line = 9.5, 17.0
    marks: list[tuple[str, str]] = [
        (
            '<rect x="{x}" y="{y}" width="13" height="10" '
            f'fill="{layer.fill if layer.fill != "none" else palette.PAPER}" '
            f'stroke="{layer.stroke if layer.stroke != "none" else "#9aa3ac"}" stroke-width=".8"/>',
            layer.label,
        )
        for layer in shapes
        if layer.label
    ]
    marks += [
        ('<circle cx="{cx}" cy="{cy}" r="3.2" fill="' + palette.DOORS + '"/>', dots.label)
        for dots in places
        if dots.label
    ]
    x, y, drawn = 2.0, top + 6, list[str]()
    for mark, label in marks:
        needed = 19 + text_width_px(label, size) + 14
        if x > 2 and x + needed > width_px:
            x, y = 2.0, y + line
        drawn.append(mark.format(x=x, y=y, cx=x + 6.5, cy=y + 5))
        drawn.append(_text(x + 18, y + 9, label, size=size))
        x += needed
    return "".join(drawn), y + line if marks else top
