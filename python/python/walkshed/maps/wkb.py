"""Shapes as corners, from well-known binary and back."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import TypeAlias

Corner: TypeAlias = "tuple[float, float]"
Line: TypeAlias = "list[Corner]"
Polygon: TypeAlias = "list[Line]"

_POINT, _LINE, _POLYGON, _COLLECTIONS = 1, 2, 3, (4, 5, 6, 7)


def points(geometry: bytes | None) -> list[Corner]:
    """Points of a shape of points; heights are passed over."""
    return [corner for kind, parts in _shapes(geometry) if kind == _POINT for line in parts for corner in line]


def lines(geometry: bytes | None) -> list[Line]:
    """Lines of a shape of lines, each from its first corner to its last."""
    return [line for kind, parts in _shapes(geometry) if kind == _LINE for line in parts if line]


def polygons(geometry: bytes | None) -> list[Polygon]:
    """Polygons of a shape of polygons: rings that are closed, the outline first."""
    return [parts for kind, parts in _shapes(geometry) if kind == _POLYGON and parts and parts[0]]


def of_polygon(rings: Sequence[Sequence[Sequence[float]]]) -> bytes:
    """A polygon as well-known binary.

    Args:
        rings: the outline, then holes; corners as longitude and latitude. A ring may be open.

    Returns:
        The polygon with closed rings.

    """
    parts = [struct.pack("<BII", 1, _POLYGON, len(rings))]
    for ring in rings:
        closed = [*ring, *([] if list(ring[0]) == list(ring[-1]) else [ring[0]])]
        parts.append(struct.pack(f"<I{2 * len(closed)}d", len(closed), *(part for corner in closed for part in corner)))
    return b"".join(parts)


def _shapes(geometry: bytes | None) -> list[tuple[int, list[Line]]]:
    return [] if geometry is None else _read(geometry, 0)[0]


def _read(wkb: bytes, at: int) -> tuple[list[tuple[int, list[Line]]], int]:
    """The simple shapes that begin at a byte, and the byte after them."""
    order = "<" if wkb[at] else ">"
    (code,) = struct.unpack_from(f"{order}I", wkb, at + 1)
    kind, numbers = _kind(code)
    at += 9 if code & 0x20000000 else 5  # EWKB tells a coordinate system here
    if kind == _POINT:
        line, at = _corners(wkb, at, order, numbers, 1)
        return [(kind, [[corner for corner in line if not math.isnan(corner[0])]])], at
    (count,) = struct.unpack_from(f"{order}I", wkb, at)
    at += 4
    if kind == _LINE:
        line, at = _corners(wkb, at, order, numbers, count)
        return [(kind, [line])], at
    if kind in _COLLECTIONS:
        inside: list[tuple[int, list[Line]]] = []
        for _ in range(count):
            shapes, at = _read(wkb, at)
            inside += shapes
        return inside, at
    rings: list[Line] = []
    for _ in range(count):
        (corners,) = struct.unpack_from(f"{order}I", wkb, at)
        ring, at = _corners(wkb, at + 4, order, numbers, corners)
        rings.append(ring)
    return [(kind, rings)], at


def _kind(code: int) -> tuple[int, int]:
    """What a shape is, and how many numbers a corner has, as ISO or PostGIS write it."""
    plain = code & 0x0FFFFFFF
    numbers = 2 + (0, 1, 1, 2)[plain // 1000 % 4] + bool(code & 0x80000000) + bool(code & 0x40000000)
    return plain % 1000, numbers


def _corners(wkb: bytes, at: int, order: str, numbers: int, count: int) -> tuple[Line, int]:
    values = struct.unpack_from(f"{order}{numbers * count}d", wkb, at)
    return list(zip(values[::numbers], values[1::numbers], strict=True)), at + 8 * numbers * count
