"""Streets and points of real cities, moved as they are to the middle of Chinese ones: what `detect_crs` says of them.

How often it is right, over many cities and places: `benches/detector.py`.
"""

from __future__ import annotations

import math
from pathlib import Path

import osmium
import polars as pl

import walkshed as ws

SYSTEMS = ("wgs84", "gcj02", "bd09")
CENTRES = {"Chongqing": (106.55, 29.56)}


def facilities(extract: Path) -> pl.DataFrame:
    """Nodes of an extract that are an amenity or a shop."""
    found = [
        (node.location.lon, node.location.lat)
        for node in osmium.FileProcessor(str(extract), osmium.osm.NODE)
        if "amenity" in node.tags or "shop" in node.tags
    ]
    return pl.DataFrame(found, schema=["lon", "lat"], orient="row")


def moved(table: pl.DataFrame, start: tuple[float, float], end: tuple[float, float]) -> pl.DataFrame:
    """Places, carried from one middle to another with their metres."""
    shrink = math.cos(math.radians(start[1])) / math.cos(math.radians(end[1]))
    lon = end[0] + (pl.col("lon") - start[0]) * shrink
    return table.with_columns(lon.alias("lon"), pl.col("lat") - start[1] + end[1])


def streets(lines: pl.DataFrame) -> ws.Network:
    """A network of drawn lines, every vertex a node of it."""
    nodes = lines.select("lon", "lat").with_row_index("id")
    ends = lines.with_row_index("to").with_columns(pl.col("to").shift(1).alias("from"), before=pl.col("edge").shift(1))
    edges = ends.filter(pl.col("edge") == pl.col("before")).select("from", "to", length_m=pl.lit(10.0))
    return ws.Network.from_tables(nodes, edges)


def in_system(table: pl.DataFrame, system: str) -> pl.DataFrame:
    """Places of WGS-84 in the numbers of a system: a network in it moves its nodes."""
    if table.height < 2:
        return table
    nodes = table.select("lon", "lat").with_row_index("id")
    edges = pl.DataFrame(
        {"from": [0], "to": [1], "length_m": [1.0]}, schema_overrides={"from": pl.UInt32, "to": pl.UInt32}
    )
    numbers = ws.Network.from_tables(nodes, edges, analysis_crs=system).nodes()
    return table.with_columns(numbers["lon"], numbers["lat"])


class MovedCity:
    """The streets of an extract, and points of it, around another middle."""

    def __init__(self, lines: pl.DataFrame, points: pl.DataFrame, end: tuple[float, float]) -> None:
        """Move both by the same metres."""
        start = (points["lon"].median(), points["lat"].median())
        self.network, self.points = streets(moved(lines, start, end)), moved(points, start, end)

    def verdict(self, truth: str, stated: str = "wgs84") -> str | None:
        """What the points look like when their numbers are in one system and another is stated."""
        numbers = in_system(self.points, truth)
        found = self.network.detect_crs(ws.in_crs(numbers, "EPSG:4326" if stated == "wgs84" else stated))
        return found["looks_like"][0]
