"""Synthetic towns in whole metres and compass words, so that every walk can be added up in the head.

An adult walks 1.33 metres per second on level ground: 133 metres are 100 seconds, 13.3 metres are 10.
"""

from __future__ import annotations

import math
from typing import Any

import polars as pl

import walkshed as ws

LON, LAT = 106.55, 29.56
"""The south-west corner: latitude and longitude of Chongqing, nothing else of it."""

# WGS-84 (NIMA TR8350.2): metres per radian along the meridian and across it.
_A, _E2 = 6_378_137.0, 6.694379990141e-3
_W = math.sqrt(1 - _E2 * math.sin(math.radians(LAT)) ** 2)
_NORTH_M = _A * (1 - _E2) / _W**3
_EAST_M = _A / _W * math.cos(math.radians(LAT))


def degrees(east_m: float, north_m: float) -> tuple[float, float]:
    """Longitude and latitude of a point some metres from the corner; a centimetre off at 500 metres."""
    return LON + math.degrees(east_m / _EAST_M), LAT + math.degrees(north_m / _NORTH_M)


def places(where: dict[Any, tuple[float, float]], **columns: Any) -> pl.DataFrame:
    """A table of places by id, with further columns."""
    lon, lat = zip(*(degrees(*at) for at in where.values()), strict=True)
    return pl.DataFrame({"id": list(where), **columns, "lon": lon, "lat": lat})


class Town:
    """Streets as they are added."""

    def __init__(self) -> None:
        self._nodes: list[dict[str, Any]] = []
        self._edges: list[dict[str, Any]] = []

    def corner(self, name: Any, east_m: float, north_m: float, ele_m: float | None = None) -> Town:
        lon, lat = degrees(east_m, north_m)
        self._nodes.append({"id": name, "lon": lon, "lat": lat, "ele_m": ele_m})
        return self

    def way(self, start: Any, end: Any, length_m: float, kind: str = "footway", **columns: Any) -> Town:
        self._edges.append({"from": start, "to": end, "length_m": float(length_m), "kind": kind, **columns})
        return self

    def nodes(self) -> pl.DataFrame:
        return pl.DataFrame(self._nodes, schema_overrides={"ele_m": pl.Float64})

    def edges(self) -> pl.DataFrame:
        seconds = {name: pl.Float64 for name in ("forward_s", "backward_s") if name in self._edges[0]}
        return pl.DataFrame(self._edges, schema_overrides=seconds)

    def network(self, **options: Any) -> ws.Network:
        return ws.Network.from_tables(self.nodes(), self.edges(), **options)


def main_street() -> Town:
    """A level street west - middle - east of 133 metres each, and stairs of 27 metres up to a terrace."""
    town = Town()
    town.corner("west", 0, 0, 250.0).corner("middle", 133, 0, 250.0).corner("east", 266, 0, 250.0)
    town.corner("terrace", 133, 27, 265.0)
    town.way("west", "middle", 133).way("middle", "east", 133)
    return town.way("middle", "terrace", 27, "steps")
