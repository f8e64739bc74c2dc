"""Outlines as WKB to rings of whole numbers, fine enough for a screen and the same on both sides of a border."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from walkshed.maps import wkb
from walkshed.maps.wkb import Line
from walkshed.page.block import Block

Ring: TypeAlias = "list[tuple[int, int]]"

DEGREE = 1_000_000
"""Parts of a degree that a page counts in: 0.11 metres."""
_MOST_POINTS = 150_000
_FINEST, _COARSEST = 10, 640
"""Grids that points are moved to: about 1 metre, and about 70 where there are very many."""


@dataclass(frozen=True)
class Outlines:
    """Polygons of rows.

    Attributes:
        row: of each ring, the row that it belongs to.
        hole: of each ring, whether it is a hole of the ring before that is none.
        rings: corners in millionths of a degree, longitude first; the first is not repeated.
        grid: the grid that corners were moved to, in millionths of a degree.

    """

    row: list[int]
    hole: list[bool]
    rings: list[Ring]
    grid: int

    def of_rows(self, first: int, numbers: Sequence[int]) -> Outlines:
        """Those of the rows from `first` on, as many as there are numbers, under these numbers."""
        kept = [at for at, row in enumerate(self.row) if first <= row < first + len(numbers)]
        rows = [numbers[self.row[at] - first] for at in kept]
        return Outlines(rows, [self.hole[at] for at in kept], [self.rings[at] for at in kept], self.grid)


def outlines(geometries: Sequence[bytes | None]) -> Outlines:
    """Read polygons, and thin their corners until a page can carry them.

    Corners are moved to a grid, all in the same way, so that neighbours keep one border. The grid is doubled while
    there are too many corners.

    Args:
        geometries: WKB in degrees, polygons or multi-polygons; null has no ring.

    Returns:
        The rings, row by row.

    Raises:
        ValueError: a geometry of another kind, with its row.

    """
    parts: list[tuple[int, bool, Line]] = []
    for row, geometry in enumerate(geometries):
        if geometry is not None:
            parts.extend((row, hole, ring) for hole, ring in _rings(geometry, row))
    grid = _FINEST
    rings = [_on_grid(((round(lon * DEGREE), round(lat * DEGREE)) for lon, lat in ring), grid) for _, _, ring in parts]
    while grid < _COARSEST and sum(map(len, rings)) > _MOST_POINTS:
        grid *= 2
        rings = [_on_grid(ring, grid) for ring in rings]
    thinned = [(row, hole, _without_straight(ring)) for (row, hole, _), ring in zip(parts, rings, strict=True)]
    kept = [part for part in thinned if len(part[2]) >= 3]
    return Outlines([row for row, _, _ in kept], [hole for _, hole, _ in kept], [ring for _, _, ring in kept], grid)


def add_rings(block: Block, drawn: Outlines, prefix: str = "ring") -> None:
    """Add outlines to a block, as `shapesOf` of the page reads them."""
    block.add(f"{prefix}_area", drawn.row, 4, delta=True)
    block.add(f"{prefix}_hole", drawn.hole, 1)
    block.add(f"{prefix}_corners", [len(ring) for ring in drawn.rings], 4)
    block.add(f"{prefix}_lon", [lon for ring in drawn.rings for lon, _ in ring], 4, delta=True)
    block.add(f"{prefix}_lat", [lat for ring in drawn.rings for _, lat in ring], 4, delta=True)


def _on_grid(corners: Iterable[tuple[int, int]], grid: int) -> Ring:
    """Move corners to the grid, and leave out those that fall together."""
    half = grid // 2
    ring: Ring = []
    for lon, lat in corners:
        corner = ((lon + half) // grid * grid, (lat + half) // grid * grid)
        if not ring or ring[-1] != corner:
            ring.append(corner)
    while len(ring) > 1 and ring[0] == ring[-1]:
        ring.pop()
    return ring


def _without_straight(corners: Ring) -> Ring:
    """Leave out corners that lie on a straight line."""
    ring: Ring = []
    for corner in corners:
        if len(ring) >= 2 and _straight(ring[-2], ring[-1], corner):
            ring.pop()
        ring.append(corner)
    return ring


def _straight(first: tuple[int, int], middle: tuple[int, int], last: tuple[int, int]) -> bool:
    (x0, y0), (x1, y1), (x2, y2) = first, middle, last
    along = (x1 - x0) * (x2 - x1) + (y1 - y0) * (y2 - y1)
    return along > 0 and (x1 - x0) * (y2 - y1) == (x2 - x1) * (y1 - y0)


def _rings(geometry: bytes, row: int) -> list[tuple[bool, Line]]:
    """The rings of a polygon or multi-polygon, outer ones before their holes.

    Raises:
        ValueError: it holds something else.

    """
    if wkb.points(geometry) or wkb.lines(geometry):
        raise ValueError(f"row {row}: its geometry is no polygon; only polygons are drawn")
    return [(number > 0, ring) for polygon in wkb.polygons(geometry) for number, ring in enumerate(polygon)]
