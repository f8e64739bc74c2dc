"""Streets and points of real cities, moved as they are to the middle of Chinese ones: what `detect_crs` says of them.

As a program, `python tests/moved_cities.py` prints how often the detector is right, for docs/design/2026-11-systems.md.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import osmium
import polars as pl

import walkshed as ws

SYSTEMS = ("wgs84", "gcj02", "bd09")
CENTRES = {"Chongqing": (106.55, 29.56), "Beijing": (116.40, 39.91), "Guangzhou": (113.26, 23.13)}


def facilities(extract: Path) -> pl.DataFrame:
    """Nodes of an extract that are an amenity or a shop."""
    found = [
        (node.location.lon, node.location.lat)
        for node in osmium.FileProcessor(str(extract), osmium.osm.NODE)
        if "amenity" in node.tags or "shop" in node.tags
    ]
    return pl.DataFrame(found, schema=["lon", "lat"], orient="row")


def buildings(extract: Path) -> pl.DataFrame:
    """Middles of the buildings of an extract: the means of their corners."""
    found = []
    for way in osmium.FileProcessor(str(extract), osmium.osm.NODE | osmium.osm.WAY).with_locations():
        if not way.is_way() or "building" not in way.tags:
            continue
        corners = [(node.lon, node.lat) for node in way.nodes if node.location.valid()][1:]
        if corners:
            found.append(tuple(sum(axis) / len(corners) for axis in zip(*corners, strict=True)))
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


def main(data: Path) -> None:
    """Print the wrong verdicts of each city, kind and number of points, then all counted; all are stated WGS-84."""
    cities = {
        "Helsinki": (data / "helsinki" / "centre.osm.pbf", (facilities, buildings)),
        "Munich": (data / "munich" / "centre.osm.pbf", (facilities, buildings)),
        "Heidelberg": (data / "heidelberg" / "streets.osm.pbf", (facilities, buildings)),
        "Porto Alegre": (data / "porto_alegre" / "streets.osm.pbf", (facilities,)),
    }
    rows = []
    for city, (extract, kinds) in cities.items():
        lines = ws.Network.from_osm(extract, progress=False).lines()
        for kind in kinds:
            points = kind(extract)
            if city == "Porto Alegre":
                points = pl.read_csv(data / "porto_alegre" / "points_of_interest.csv").select("lon", "lat")
            for size in (100, 500, 2000):
                if points.height < size:
                    continue
                sample = points.sample(size, seed=1)
                for centre, end in CENTRES.items():
                    there = MovedCity(lines, sample, end)
                    for truth in SYSTEMS:
                        verdict = there.verdict(truth) or "none"
                        rows.append((city, kind.__name__, size, centre, truth, verdict))
                print(city, kind.__name__, size, [row[4:] for row in rows[-9:] if row[4] != row[5]], flush=True)
    schema = ["city", "kind", "points", "centre", "truth", "verdict"]
    table = pl.DataFrame(rows, schema=schema, orient="row")
    for by in (["points", "kind"], ["points"]):
        counts = table.group_by(*by, "truth", "verdict").len().sort(*by, "truth", "verdict")
        print(counts.pivot("verdict", index=[*by, "truth"], values="len").fill_null(0))


if __name__ == "__main__":
    pl.Config.set_tbl_rows(100)
    main(Path(sys.argv[1]))
