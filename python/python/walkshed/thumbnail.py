"""Small pictures for cards: streets, places and shapes, of at most 50 kB, drawn from columns alone."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from walkshed.maps import wkb
from walkshed.maps.palette import BETTER, PAPER, WORSE, sequential
from walkshed.maps.wkb import Line, Polygon

#: On screen; inside, a picture is twice as fine.
_WIDTH_PX, _HEIGHT_PX = 240, 180
_FINENESS = 2
_MARGIN = 8

#: Characters of an image; so many dots or corners stay below 50 kB too.
_LARGEST = 48_000
_MOST_DOTS, _MOST_CORNERS = 3500, 5000
_MOST_SHAPES = 400
#: So many vertices of streets are drawn in a tenth of a second.
_MOST_VERTICES = 150_000

#: The colour of one street, two, …; the more lie in a pixel, the darker.
_WAYS = ("#c3cad1", "#98a3ae", "#6c7986", "#47535f")
#: The same of what a mountain city is climbed by.
_STEEP = ("#f6bd8e", "#ef9a5b", "#e0752d", "#b9530f")
_SHADES = len(_WAYS)
#: Paper is white whatever the theme: the colours of a map are chosen for it.
_PAINTS = (PAPER, *_WAYS, *_STEEP)
_CLIMBS = ("steps", "escalator", "lift", "cableway")

__all__ = [
    "BETTER",
    "FEW_TO_MANY",
    "STREETS",
    "WORSE",
    "beginnings",
    "dots",
    "every_nth",
    "outlines",
    "shapes",
    "streets",
]

STREETS = ((_WAYS[2], "道路 ways"), (_STEEP[2], "梯道、电梯等 stairs, lifts and the like"))
"""What the colours of `streets` mean."""

FEW_TO_MANY = tuple(sequential(6)[1:])
"""From few to many; the lightest is left out, which is hardly seen on paper."""


@dataclass(frozen=True)
class _Sheet:
    """Where degrees lie on a picture."""

    west: float
    north: float
    scale: float  # units of the picture for a degree of latitude
    stretch: float  # degrees of latitude as long as one of longitude
    width: int
    height: int

    @classmethod
    def around(cls, lon: pl.Series, lat: pl.Series) -> _Sheet | None:
        """A picture that holds all places; None where there are none."""
        west, east, south, north = (_number(end) for end in (lon.min(), lon.max(), lat.min(), lat.max()))
        if west is None or east is None or south is None or north is None:
            return None
        stretch = max(0.01, math.cos(math.radians((south + north) / 2)))
        wide, tall = (max(span, 1e-6) for span in ((east - west) * stretch, north - south))
        room = (_WIDTH_PX * _FINENESS - 2 * _MARGIN, _HEIGHT_PX * _FINENESS - 2 * _MARGIN)
        scale = min(room[0] / wide, room[1] / tall)
        width, height = (max(40, round(span * scale)) + 2 * _MARGIN for span in (wide, tall))
        return cls(west, north, scale, stretch, width, height)

    def across(self, lon: pl.Expr) -> pl.Expr:
        """Units from the left."""
        return (lon - self.west) * (self.scale * self.stretch) + _MARGIN

    def down(self, lat: pl.Expr) -> pl.Expr:
        """Units from the top."""
        return (self.north - lat) * self.scale + _MARGIN

    def place(self, lon: float, lat: float, step: int) -> tuple[int, int]:
        """Where a place lies, in steps of whole units."""
        across = (lon - self.west) * (self.scale * self.stretch) + _MARGIN
        down = (self.north - lat) * self.scale + _MARGIN
        return round(across / step) * step, round(down / step) * step

    def corner(self) -> tuple[pl.Expr, pl.Expr]:
        """Where `lon` and `lat` lie, in whole units: `x`, `y`."""
        across, down = self.across(pl.col("lon")), self.down(pl.col("lat"))
        return across.round().cast(pl.Int32).alias("x"), down.round().cast(pl.Int32).alias("y")

    def svg(self, drawn: str, about: str) -> str:
        """The picture; no text stands in it, so that nothing is left where a page takes pictures out."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{about}" '
            f'viewBox="0 0 {self.width} {self.height}" width="{self.width // _FINENESS}" '
            f'height="{self.height // _FINENESS}" style="background:{PAPER};border-radius:4px">{drawn}</svg>'
        )


def streets(lines: pl.DataFrame) -> str:
    """Streets, darker where many lie together, with what climbs in another colour.

    Args:
        lines: `edge`, `kind`, `lon`, `lat` by vertices, as of `Network.lines`.

    Returns:
        An image of HTML, as large for a metropolis as for a town; empty without streets.

    """
    sheet = _Sheet.around(lines["lon"], lines["lat"])
    if sheet is None:
        return ""
    # Of a metropolis every n-th way is enough to show where its streets are.
    nth = math.ceil(lines.height / _MOST_VERTICES)
    while len(picture := _raster(lines.filter(pl.col("edge") % nth == 0), sheet)) > _LARGEST:
        nth *= 2
    return (
        f'<img alt="streets 道路" width="{sheet.width // _FINENESS}" height="{sheet.height // _FINENESS}" '
        f'style="border-radius:4px" src="data:image/png;base64,{picture}">'
    )


def _raster(lines: pl.DataFrame, sheet: _Sheet) -> str:
    """Streets as a PNG, in base64."""
    spots = _spots(lines, sheet)
    shade = pl.min_horizontal(pl.col("ways"), pl.lit(_SHADES, pl.UInt32))
    colour = pl.when(pl.col("climbs") >= 0.5).then(shade + _SHADES).otherwise(shade).cast(pl.UInt8)
    # Every row of a PNG begins with a byte that says how it is packed: 0, as it is.
    places = spots.select(at=pl.col("y") * (sheet.width + 1) + pl.col("x") + 1, colour=colour)
    pixels = pl.zeros((sheet.width + 1) * sheet.height, dtype=pl.UInt8, eager=True)
    pixels = pixels.scatter(places["at"], places["colour"])
    return base64.b64encode(_png(sheet.width, sheet.height, bytes(pixels.to_list()))).decode()


def _spots(lines: pl.DataFrame, sheet: _Sheet) -> pl.DataFrame:
    """Pixels that streets run through: `x`, `y`, how many `ways`, and the share that `climbs`."""
    across, down = sheet.across(pl.col("lon")), sheet.down(pl.col("lat"))
    ends = lines.select("edge", climbs=pl.col("kind").is_in(_CLIMBS), x=across, y=down)
    same = pl.col("edge") == pl.col("edge").shift(-1)
    ends = ends.with_columns(dx=pl.col("x").shift(-1) - pl.col("x"), dy=pl.col("y").shift(-1) - pl.col("y"))
    ends = ends.filter(same)
    count = pl.max_horizontal(pl.col("dx").abs(), pl.col("dy").abs()).ceil().clip(1).cast(pl.Int64)
    steps = ends.with_columns(count=count, step=pl.int_ranges(count)).explode("step")
    part = (pl.col("step") + 0.5) / pl.col("count")
    x, y = ((pl.col(name) + pl.col(f"d{name}") * part).floor().cast(pl.Int32) for name in ("x", "y"))
    return steps.group_by(x=x, y=y).agg(ways=pl.len(), climbs=pl.col("climbs").mean())


def _png(width: int, height: int, rows: bytes) -> bytes:
    """An image whose pixels are numbers of `_PAINTS`, without a library that draws."""

    def part(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    paints = b"".join(bytes.fromhex(colour[1:]) for colour in _PAINTS)
    packed = zlib.compress(rows, 9)
    return (
        b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"PLTE", paints) + part(b"IDAT", packed) + part(b"IEND", b"")
    )


def dots(places: pl.DataFrame, colours: Sequence[str], about: str) -> str:
    """Places as dots, coloured by class.

    Args:
        places: `lon`, `lat` (degrees) and `rank` (a place in `colours`); rows that lack any are left out. The last rank
            is drawn last.
        colours: hexadecimal.
        about: what the picture shows, for those who do not see it; not from data.

    Returns:
        SVG; empty without places. Of very many places every n-th is drawn.

    """
    known = places.select("lon", "lat", "rank").drop_nulls()
    sheet = _Sheet.around(known["lon"], known["lat"])
    if sheet is None:
        return ""
    drawn = every_nth(known)
    spot = drawn.select("rank", d=pl.format("M{} {}h0", *sheet.corner()))
    # Dots as large as their share of the picture, so that cells of a city lie side by side.
    size = min(14.0, max(4.0, math.sqrt(sheet.width * sheet.height / drawn.height) * 0.8))
    paths = (
        f'<path stroke="{colours[rank]}" stroke-width="{size:.1f}" stroke-linecap="round" d="{"".join(steps)}"/>'
        for rank, steps in spot.group_by("rank").agg("d").sort("rank").iter_rows()
    )
    return sheet.svg("".join(paths), about)


def shapes(geometry: Sequence[bytes], about: str) -> str:
    """Shapes as they are stored: points, lines or polygons.

    Args:
        geometry: WKB of WGS-84 degrees.
        about: what the picture shows; not from data.

    Returns:
        SVG; empty without shapes.

    """
    told = [(wkb.points(each), wkb.lines(each), wkb.polygons(each)) for each in geometry]
    corners = [
        corner
        for points, lines, polygons in told
        for line in (points, *lines, *(ring for polygon in polygons for ring in polygon))
        for corner in line
    ]
    spots = pl.DataFrame(corners, schema={"lon": pl.Float64, "lat": pl.Float64}, orient="row")
    sheet = _Sheet.around(spots["lon"], spots["lat"])
    if sheet is None:
        return ""
    # Corners are drawn as finely as there is room for them, of very many every n-th; no shape is left out.
    nth = max(1, len(corners) // (4 * _MOST_CORNERS))
    for step in (1, 2, 4, 8, 16):
        drawn = "".join(_painted(sheet, (step, nth), *parts) for parts in told)
        if drawn.count("l") + drawn.count("M") <= _MOST_CORNERS:
            break
    return sheet.svg(drawn, about)


def _painted(
    sheet: _Sheet, detail: tuple[int, int], points: Line, lines: Sequence[Line], polygons: Sequence[Polygon]
) -> str:
    """One shape; rings in a ring are holes of it."""
    rings = "".join(f"{_path(sheet, detail, ring)}z" for polygon in polygons for ring in polygon if ring)
    strokes = "".join(_path(sheet, detail, line) for line in lines)
    dots = "".join(_path(sheet, detail, [point]) for point in points)
    fill = f'<path fill="{BETTER}" fill-opacity=".25" fill-rule="evenodd" stroke="{BETTER}" d="{rings}"/>'
    line = f'<path fill="none" stroke="{BETTER}" stroke-width="4" stroke-linejoin="round" d="{strokes}"/>'
    dot = f'<path stroke="{BETTER}" stroke-width="8" stroke-linecap="round" d="{dots}"/>'
    return fill * bool(rings) + line * bool(strokes) + dot * bool(dots)


def _path(sheet: _Sheet, detail: tuple[int, int], line: Line) -> str:
    """A path from every n-th corner to the next, in steps; those that fall together are one."""
    step, nth = detail
    corners = [sheet.place(*corner, step) for corner in (*line[:-1:nth], line[-1])]
    x, y = corners[0]
    steps = [(after[0] - before[0], after[1] - before[1]) for before, after in pairwise(corners)]
    return f"M{x} {y}" + ("".join(f"l{dx} {dy}" for dx, dy in steps if (dx, dy) != (0, 0)) or "h0")


def outlines(geometry: pl.Series) -> str:
    """A column of shapes: outlines of few, dots of many.

    Args:
        geometry: WKB, as of `shapes`; nulls are left out.

    Returns:
        SVG; empty without shapes.

    """
    known = geometry.drop_nulls().to_physical()
    if known.len() <= _MOST_SHAPES:
        return shapes(known.to_list(), "shapes 图形")
    spots = beginnings(every_nth(known.to_frame()).to_series())
    return dots(spots.with_columns(rank=0), (BETTER,), "shapes 图形")


def beginnings(geometry: pl.Series) -> pl.DataFrame:
    """Where shapes begin: enough for a dot.

    Args:
        geometry: WKB, as of `shapes`.

    Returns:
        `lon`, `lat`; null where a shape is null or empty.

    """
    first = [next(_corners(each), (None, None)) for each in geometry.to_physical()]
    return pl.DataFrame(first, schema={"lon": pl.Float64, "lat": pl.Float64}, orient="row")


def _corners(shape: bytes | None) -> Iterator[tuple[float, float]]:
    yield from wkb.points(shape)
    for line in wkb.lines(shape):
        yield from line
    for polygon in wkb.polygons(shape):
        yield from polygon[0]


def every_nth(rows: pl.DataFrame) -> pl.DataFrame:
    """As many rows as `dots` draws, from the whole table."""
    return rows.gather_every(max(1, math.ceil(rows.height / _MOST_DOTS)))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None
