"""The part of the earth that a map shows, and what lines and rings are of them there."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl

from walkshed.maps.wkb import Corner, Line

#: The least width and height, about 100 m, so that a map of one place is one of its surroundings.
_LEAST = 1e-3
#: Around what a map is about, by its longer side; and its height by its width, at least and at most.
_FRAME = 0.02
_FLATTEST, _HIGHEST = 0.55, 1.35


@dataclass(frozen=True)
class Box:
    """West, south, east and north in degrees."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def around(cls, lon: Iterable[float | None] | pl.Series, lat: Iterable[float | None] | pl.Series) -> Box | None:
        """The least box that holds all places; nulls are passed over, None without any place."""
        places = pl.DataFrame({"lon": lon, "lat": lat}, schema={"lon": pl.Float64, "lat": pl.Float64}).drop_nulls()
        if places.is_empty():
            return None
        west, south, east, north = places.select(pl.min("lon", "lat"), east=pl.max("lon"), north=pl.max("lat")).row(0)
        box = cls(west, south, east, north)
        return box.grown(max(0.0, _LEAST - max(box.width, box.height)) / 2)

    @property
    def width(self) -> float:
        """Degrees of longitude."""
        return self.east - self.west

    @property
    def height(self) -> float:
        """Degrees of latitude."""
        return self.north - self.south

    @property
    def stretch(self) -> float:
        """How many degrees of longitude are as long as one of latitude, in the middle."""
        return 1 / max(0.05, math.cos(math.radians((self.south + self.north) / 2)))

    @property
    def side(self) -> float:
        """The longer side, as degrees of latitude."""
        return max(self.height, self.width / self.stretch)

    def grown(self, margin: float) -> Box:
        """The box with a margin on every side, in degrees of latitude."""
        across = margin * self.stretch
        return Box(self.west - across, self.south - margin, self.east + across, self.north + margin)

    def framed(self) -> Box:
        """What a map shows of it: a margin around it, and no strip that is much longer than wide."""
        box = self.grown(self.side * _FRAME)
        width, height, stretch = box.width / box.stretch, box.height, box.stretch
        taller, wider = max(0.0, width * _FLATTEST - height) / 2, max(0.0, height / _HIGHEST - width) / 2 * stretch
        return Box(box.west - wider, box.south - taller, box.east + wider, box.north + taller)

    def holds(self, corner: Corner) -> bool:
        """Whether a place is inside or on the border."""
        return self.west <= corner[0] <= self.east and self.south <= corner[1] <= self.north

    def corners(self) -> Line:
        """North-west, north-east, south-east, south-west: clockwise."""
        west, east = self.west, self.east
        return [(west, self.north), (east, self.north), (east, self.south), (west, self.south)]


def line_inside(line: Line, box: Box) -> list[Line]:
    """The parts of a line that are inside a box, cut at its border.

    Args:
        line: two corners or more.
        box: the box.

    """
    if all(box.holds(corner) for corner in line):
        return [line]
    parts: list[Line] = []
    for start, end in itertools.pairwise(line):
        piece = _piece(start, end, box)
        if piece is None:
            continue
        if parts and parts[-1][-1] == piece[0]:
            parts[-1].append(piece[1])
        else:
            parts.append([piece[0], piece[1]])
    return parts


def _piece(start: Corner, end: Corner, box: Box) -> tuple[Corner, Corner] | None:
    """The part of a straight piece in a box (Y.-D. Liang, B. Barsky 1984); None outside."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    first, last = 0.0, 1.0
    for towards, room in (
        (-dx, start[0] - box.west),
        (dx, box.east - start[0]),
        (-dy, start[1] - box.south),
        (dy, box.north - start[1]),
    ):
        if towards == 0:
            if room < 0:
                return None
        elif towards < 0:
            first = max(first, room / towards)
        else:
            last = min(last, room / towards)
    if first >= last:
        return None
    begin = start if first == 0 else (start[0] + first * dx, start[1] + first * dy)
    return begin, end if last == 1 else (start[0] + last * dx, start[1] + last * dy)


def ring_inside(ring: Line, box: Box) -> Line:
    """What of a ring is inside a box (I. Sutherland, G. Hodgman 1974); parts may be joined along the border.

    Args:
        ring: closed.
        box: the box.

    Returns:
        A closed ring; empty where none of it is inside.

    """
    if all(box.holds(corner) for corner in ring):
        return ring
    sides: list[tuple[int, float, Callable[[float, float], bool]]] = [
        (0, box.west, float.__ge__),
        (0, box.east, float.__le__),
        (1, box.south, float.__ge__),
        (1, box.north, float.__le__),
    ]
    kept = ring[:-1]
    for axis, border, inside in sides:
        corners: Line = kept
        kept = list[Corner]()
        for before, here in zip([*corners[-1:], *corners], corners, strict=False):
            if inside(before[axis], border) != inside(here[axis], border):
                share = (border - before[axis]) / (here[axis] - before[axis])
                other = before[1 - axis] + share * (here[1 - axis] - before[1 - axis])
                kept.append((border, other) if axis == 0 else (other, border))
            if inside(here[axis], border):
                kept.append(here)
    return [*kept, kept[0]] if kept else []


def simplified(line: Line, tolerance: float, stretch: float) -> Line:
    """A line without corners that nobody sees (D. Douglas, T. Peucker 1973).

    Args:
        line: corners; a closed ring stays one.
        tolerance: how far the line may move, in degrees of latitude.
        stretch: degrees of longitude as long as one of latitude.

    Returns:
        Some of the corners, the first and the last among them.

    """
    if len(line) <= 2:
        return line
    kept = {0, len(line) - 1}
    open_parts = [(0, len(line) - 1)]
    while open_parts:
        first, last = open_parts.pop()
        if last - first < 2:
            continue
        away = [_distance(line[at], line[first], line[last], stretch) for at in range(first + 1, last)]
        furthest = max(range(len(away)), key=away.__getitem__)
        if away[furthest] > tolerance:
            middle = first + 1 + furthest
            kept.add(middle)
            open_parts += [(first, middle), (middle, last)]
    return [line[at] for at in sorted(kept)]


def _distance(corner: Corner, start: Corner, end: Corner, stretch: float) -> float:
    """From a place to a straight piece, in degrees of latitude."""
    x, y = (corner[0] - start[0]) / stretch, corner[1] - start[1]
    dx, dy = (end[0] - start[0]) / stretch, end[1] - start[1]
    length = dx * dx + dy * dy
    along = min(1.0, max(0.0, (x * dx + y * dy) / length)) if length else 0.0
    return math.hypot(x - along * dx, y - along * dy)


def round_length_m(longest_m: float) -> float:
    """The longest of 1, 2, 5, 10, … metres that is not longer than a length: that of a scale bar."""
    power = 10.0 ** math.floor(math.log10(max(longest_m, 1.0)))
    return max(step * power for step in (1, 2, 5) if step * power <= max(longest_m, 1.0))
