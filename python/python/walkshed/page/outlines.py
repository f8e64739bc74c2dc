"""Outlines as WKB to rings of whole numbers, fine enough for a screen and the same on both sides of a border."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

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
    parts: list[tuple[int, bool, list[float]]] = []
    for row, wkb in enumerate(geometries):
        if wkb is not None:
            parts.extend((row, hole, flat) for hole, flat in _rings(wkb, row))
    grid = _FINEST
    rings = [_on_grid([round(part * DEGREE) for part in flat], grid) for _, _, flat in parts]
    while grid < _COARSEST and sum(map(len, rings)) > _MOST_POINTS:
        grid *= 2
        rings = [_on_grid([part for corner in ring for part in corner], grid) for ring in rings]
    thinned = [(row, hole, _without_straight(ring)) for (row, hole, _), ring in zip(parts, rings, strict=True)]
    kept = [part for part in thinned if len(part[2]) >= 3]
    return Outlines([row for row, _, _ in kept], [hole for _, hole, _ in kept], [ring for _, _, ring in kept], grid)


def add_rings(block: Block, drawn: Outlines) -> None:
    """Add outlines to a block, as `shapesOf` of the page reads them."""
    block.add("ring_area", drawn.row, 4, delta=True)
    block.add("ring_hole", drawn.hole, 1)
    block.add("ring_corners", [len(ring) for ring in drawn.rings], 4)
    block.add("ring_lon", [lon for ring in drawn.rings for lon, _ in ring], 4, delta=True)
    block.add("ring_lat", [lat for ring in drawn.rings for _, lat in ring], 4, delta=True)


def _on_grid(flat: list[int], grid: int) -> Ring:
    """Move corners to the grid, and leave out those that fall together."""
    half = grid // 2
    moved = [(part + half) // grid * grid for part in flat]
    ring: Ring = []
    for corner in zip(moved[::2], moved[1::2], strict=True):
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


def _rings(wkb: bytes, row: int) -> list[tuple[bool, list[float]]]:
    """The rings of a polygon or multi-polygon, outer ones before their holes."""
    order, kind = _head(wkb, 0)
    if kind == 3:
        return _polygon(wkb, 0)[0]
    if kind != 6:
        raise ValueError(f"row {row}: a geometry of WKB kind {kind} is no polygon; only polygons are drawn")
    (count,) = struct.unpack_from(f"{order}I", wkb, 5)
    rings: list[tuple[bool, list[float]]] = []
    at = 9
    for _ in range(count):
        part, at = _polygon(wkb, at)
        rings.extend(part)
    return rings


def _head(wkb: bytes, at: int) -> tuple[str, int]:
    order = "<" if wkb[at] == 1 else ">"
    (kind,) = struct.unpack_from(f"{order}I", wkb, at + 1)
    return order, int(kind)


def _polygon(wkb: bytes, at: int) -> tuple[list[tuple[bool, list[float]]], int]:
    order, _ = _head(wkb, at)
    (count,) = struct.unpack_from(f"{order}I", wkb, at + 5)
    at += 9
    rings: list[tuple[bool, list[float]]] = []
    for number in range(count):
        (corners,) = struct.unpack_from(f"{order}I", wkb, at)
        flat = list(struct.unpack_from(f"{order}{2 * corners}d", wkb, at + 4))
        rings.append((number > 0, flat))
        at += 4 + 16 * corners
    return rings, at
