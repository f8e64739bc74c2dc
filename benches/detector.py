"""How often `Network.detect_crs` is right: real streets and points, moved as they are to Chinese cities, then shifted.

    .venv/bin/python benches/detector.py > benches/runs/FOLDER/detector.txt     # an hour or more
    .venv/bin/python benches/detector.py 5                                      # at every eighth of the forty places
    .venv/bin/python benches/detector.py 40 as-stated       # false alarms alone, of 500 points and more, everywhere

No open extract lies where GCJ-02 shifts anything. So streets and points of European and South American extracts are
moved together, metre for metre, to forty Chinese cities. The points are then written in WGS-84, GCJ-02 or BD-09 and
stated as WGS-84; at some places also as GCJ-02 and BD-09. Every trial draws its own points. The shifts are computed
here, not by the engine. In harder trials every point is first moved by about 10 m (a normal deviate each way).

Right: the verdict is the truth. Unknown: no verdict. Wrong: another verdict. False alarm: the points are in the stated
system and the verdict says otherwise. Needs the folder of real data beside the checkout (`../shared/data`), or where
WALKSHED_DATA says.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import osmium
import polars as pl

import walkshed as ws

DATA = Path(os.environ.get("WALKSHED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
EXTRACTS = {
    "helsinki": "centre.osm.pbf",
    "munich": "centre.osm.pbf",
    "heidelberg": "streets.osm.pbf",
    "porto_alegre": "streets.osm.pbf",
}
FACILITY_KEYS = ("amenity", "shop", "tourism", "office", "leisure", "healthcare")
SYSTEMS = ("wgs84", "gcj02", "bd09")
SIZES = (2000, 1000, 500, 200, 100, 50)
SEED = 20261125

# Middles of cities in degrees, to a hundredth: only where the streets are put hangs on them.
PLACES = {
    "Beijing": (116.40, 39.90),
    "Shanghai": (121.47, 31.23),
    "Chongqing": (106.55, 29.56),
    "Tianjin": (117.20, 39.13),
    "Guangzhou": (113.26, 23.13),
    "Shenzhen": (114.06, 22.54),
    "Chengdu": (104.07, 30.67),
    "Wuhan": (114.31, 30.59),
    "Xi'an": (108.94, 34.34),
    "Nanjing": (118.80, 32.06),
    "Hangzhou": (120.16, 30.27),
    "Shenyang": (123.43, 41.81),
    "Harbin": (126.64, 45.76),
    "Changchun": (125.32, 43.82),
    "Dalian": (121.61, 38.91),
    "Qingdao": (120.38, 36.07),
    "Jinan": (117.00, 36.65),
    "Zhengzhou": (113.63, 34.75),
    "Changsha": (112.94, 28.23),
    "Nanchang": (115.86, 28.68),
    "Fuzhou": (119.30, 26.07),
    "Xiamen": (118.09, 24.48),
    "Kunming": (102.83, 24.88),
    "Guiyang": (106.63, 26.65),
    "Nanning": (108.37, 22.82),
    "Haikou": (110.35, 20.02),
    "Lanzhou": (103.84, 36.06),
    "Xining": (101.78, 36.62),
    "Yinchuan": (106.23, 38.49),
    "Urumqi": (87.62, 43.83),
    "Lhasa": (91.12, 29.65),
    "Hohhot": (111.75, 40.84),
    "Taiyuan": (112.55, 37.87),
    "Shijiazhuang": (114.51, 38.04),
    "Hefei": (117.28, 31.86),
    "Wuxi": (120.30, 31.57),
    "Ningbo": (121.55, 29.87),
    "Kashgar": (75.99, 39.47),
    "Yibin": (104.64, 28.75),
    "Wanzhou": (108.41, 30.81),
}


def to_gcj02(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shift WGS-84 degrees by the model of GCJ-02 that everybody uses."""
    x, y = lon - 105, lat - 35

    def waves(at: np.ndarray, *sizes: tuple[float, float]) -> np.ndarray:
        return sum(size * np.sin(turns * np.pi * at) for size, turns in sizes) * 2 / 3

    both = waves(x, (20, 6), (20, 2))
    root = 0.1 * np.sqrt(np.abs(x))
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + root + both
    east += waves(x, (20, 1), (40, 1 / 3), (150, 1 / 12), (300, 1 / 30))
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 2 * root + both
    north += waves(y, (20, 1), (40, 1 / 3), (160, 1 / 12), (320, 1 / 30))
    axis, flat = 6_378_245.0, 0.006_693_421_622_965_943
    squeeze = 1 - flat * np.sin(np.radians(lat)) ** 2
    parallel = axis / np.sqrt(squeeze) * np.cos(np.radians(lat))
    meridian = axis * (1 - flat) / squeeze**1.5
    return lon + np.degrees(east / parallel), lat + np.degrees(north / meridian)


def to_bd09(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shift WGS-84 degrees by the models of GCJ-02 and BD-09."""
    lon, lat = to_gcj02(lon, lat)
    wave = np.pi * 3000 / 180
    distance = np.hypot(lon, lat) + 2e-5 * np.sin(lat * wave)
    angle = np.arctan2(lat, lon) + 3e-6 * np.cos(lon * wave)
    return distance * np.cos(angle) + 0.0065, distance * np.sin(angle) + 0.006


WRITE: dict[str, Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]] = {
    "wgs84": lambda lon, lat: (lon, lat),
    "gcj02": to_gcj02,
    "bd09": to_bd09,
}


def points_of(extract: Path) -> dict[str, np.ndarray]:
    """Degrees of facilities drawn as nodes, middles of facilities drawn as areas, and middles of buildings."""
    found: dict[str, list[tuple[float, float]]] = {"facility nodes": [], "facility areas": [], "buildings": []}
    for thing in osmium.FileProcessor(str(extract)).with_locations().with_areas():
        facility = any(key in thing.tags for key in FACILITY_KEYS)
        if thing.is_node() and facility:
            found["facility nodes"].append((thing.location.lon, thing.location.lat))
        elif thing.is_area():
            kinds = [
                kind
                for kind, wanted in (("facility areas", facility), ("buildings", "building" in thing.tags))
                if wanted
            ]
            ring = next(iter(thing.outer_rings()), None) if kinds else None
            if ring is not None:
                middle = centroid(np.array([(node.lon, node.lat) for node in ring]))
                for kind in kinds:
                    found[kind].append(middle)
    return {kind: np.unique(np.array(places), axis=0) for kind, places in found.items() if places}


def centroid(ring: np.ndarray) -> tuple[float, float]:
    """Middle of the area of a closed ring; of its corners where it has none."""
    x, y = (ring - ring[0]).T
    cross = x[:-1] * y[1:] - x[1:] * y[:-1]
    area = cross.sum()
    if abs(area) < 1e-15:
        return tuple(ring[:-1].mean(axis=0))
    east, north = ((x[:-1] + x[1:]) * cross).sum() / (3 * area), ((y[:-1] + y[1:]) * cross).sum() / (3 * area)
    return float(ring[0][0] + east), float(ring[0][1] + north)


class City:
    """The streets and points of one extract."""

    def __init__(self, name: str) -> None:
        """Read both."""
        path = DATA / name / EXTRACTS[name]
        self.name, self.points = name, points_of(path)
        self.lines = ws.Network.from_osm(path, progress=False).lines()
        self.middle = float(self.lines["lon"].median()), float(self.lines["lat"].median())

    def moved(self, degrees: np.ndarray, to: tuple[float, float]) -> np.ndarray:
        """Degrees whose metres from the middle are the same at another place, to some parts of a thousand."""
        shrink = np.cos(np.radians(self.middle[1])) / np.cos(np.radians(to[1]))
        return (degrees - self.middle) * (shrink, 1) + to

    def network(self, to: tuple[float, float]) -> ws.Network:
        """Its streets at another place, vertex by vertex."""
        places = self.moved(self.lines.select("lon", "lat").to_numpy(), to)
        nodes = pl.DataFrame({"id": np.arange(len(places)), "lon": places[:, 0], "lat": places[:, 1]})
        edge = self.lines["edge"].to_numpy()
        start = np.flatnonzero(edge[:-1] == edge[1:])
        kind = self.lines["kind"].gather(start)
        edges = pl.DataFrame({"from": start, "to": start + 1, "length_m": np.ones(len(start)), "kind": kind})
        walked = ~pl.col("kind").is_in(["square", "lift", "cableway", "ferry"])
        return ws.Network.from_tables(nodes, edges.filter(walked))


Trial = tuple[str, str, int, float, str, str, str, str, float]
SCHEMA = ["city", "kind", "points", "noise_m", "place", "stated", "truth", "verdict", "confidence"]


def false_alarms(city: City) -> Iterable[Trial]:
    """Enough points that are what they say, at every place."""
    for place, to in PLACES.items():
        network = city.network(to)
        for kind, points in city.points.items():
            for size in (size for size in SIZES if 500 <= size <= len(points)):
                yield from look(city, network, (place, to), kind, size, 0.0, ("wgs84",), ("wgs84",))


def trials(city: City) -> Iterable[Trial]:
    """Every trial of a city, place by place: few points and harder trials at some places only."""
    for number, (place, to) in enumerate(PLACES.items()):
        network = city.network(to)
        for kind, points in city.points.items():
            for size in SIZES:
                if len(points) < size or (size < 500 and number % 4 > 0):
                    continue
                yield from look(city, network, (place, to), kind, size, 0.0, ("wgs84",))
                if size == 500 and number % 2 == 0:
                    yield from look(city, network, (place, to), kind, size, 10.0, ("wgs84",))
                if size == 500 and number % 8 == 0:
                    yield from look(city, network, (place, to), kind, size, 0.0, ("gcj02", "bd09"))


def look(
    city: City,
    network: ws.Network,
    where: tuple[str, tuple[float, float]],
    kind: str,
    size: int,
    noise_m: float,
    stated: tuple[str, ...],
    truths: tuple[str, ...] = SYSTEMS,
) -> Iterable[Trial]:
    """Draw points once and ask about them in every system."""
    place, to = where
    dice = np.random.default_rng([SEED, *f"{city.name} {place} {kind} {size} {noise_m} {stated}".encode()])
    points = city.points[kind]
    drawn = city.moved(points[dice.choice(len(points), size, replace=False)], to)
    per_degree = np.array([111_320 * np.cos(np.radians(to[1])), 111_000])
    drawn = drawn + dice.normal(0, 1, drawn.shape) * noise_m / per_degree
    for truth in truths:
        lon, lat = WRITE[truth](*drawn.T)
        table = pl.DataFrame({"lon": lon, "lat": lat})
        for name in stated:
            found = network.detect_crs(ws.in_crs(table, "EPSG:4326" if name == "wgs84" else name), progress=False)
            row = found.row(0, named=True)
            yield (
                city.name,
                kind,
                size,
                noise_m,
                place,
                name,
                truth,
                row["looks_like"] or "unknown",
                row["confidence"] or 0.0,
            )


def rates(table: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Trials, right, unknown, wrong and false alarms, per cent of the trials they can happen in."""
    right, unknown = pl.col("verdict") == pl.col("truth"), pl.col("verdict") == "unknown"
    same = pl.col("truth") == pl.col("stated")
    groups = table.group_by(*by, maintain_order=True) if by else table.group_by(pl.lit("all").alias("of"))
    return groups.agg(
        pl.len().alias("trials"),
        (right.mean() * 100).round(1).alias("right %"),
        (unknown.mean() * 100).round(1).alias("unknown %"),
        ((~right & ~unknown).mean() * 100).round(2).alias("wrong %"),
        same.sum().alias("as stated"),
        ((same & ~right & ~unknown).sum() / same.sum() * 100).round(2).alias("false alarm %"),
    )


def show(title: str, table: pl.DataFrame) -> None:
    """Print a table as Markdown."""
    print(f"\n## {title}\n")
    columns = table.columns
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
    for row in table.iter_rows():
        print("| " + " | ".join(f"{cell:g}" if isinstance(cell, float) else str(cell) for cell in row) + " |")


def main() -> None:
    """Run all trials, or those at some of the places, and print what came of them."""
    start = time.perf_counter()
    if len(sys.argv) > 1:
        apart = len(PLACES) // int(sys.argv[1])
        for place in [place for number, place in enumerate(PLACES) if number % apart > 0]:
            del PLACES[place]
    of = false_alarms if sys.argv[2:] == ["as-stated"] else trials
    rows: list[Trial] = []
    for name in EXTRACTS:
        city = City(name)
        print(f"{name}: " + ", ".join(f"{len(points):,} {kind}" for kind, points in city.points.items()), flush=True)
        rows.extend(of(city))
    table = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    plain = table.filter((pl.col("noise_m") == 0) & (pl.col("stated") == "wgs84"))
    enough = plain.filter(pl.col("points") >= 500)
    real = enough.filter(~((pl.col("city") == "porto_alegre") & (pl.col("kind") == "facility nodes")))
    print(f"\n{len(rows):,} trials at {len(PLACES)} places in {time.perf_counter() - start:.0f} s")
    show("At least 500 points, stated WGS-84", rates(real))
    if of is false_alarms:
        show("By place", rates(real, "place"))
        show("Every wrong verdict", real.filter(pl.col("verdict") != pl.col("truth")))
        return
    counts = real.group_by("truth", "verdict").len().pivot("verdict", index="truth", values="len").fill_null(0)
    show("Confusion, at least 500 points: truth by verdict", counts.sort("truth"))
    show("By number of points", rates(plain.sort("points"), "points"))
    show("By city, kind and number of points", rates(plain.sort("city", "kind", "points"), "city", "kind", "points"))
    show("500 points, each moved by about 10 m", rates(table.filter(pl.col("noise_m") > 0), "city", "kind"))
    show(
        "500 points, by what is stated and what is true",
        rates(
            table.filter((pl.col("points") == 500) & (pl.col("noise_m") == 0)).sort("stated", "truth"),
            "stated",
            "truth",
        ),
    )
    told = plain.filter(pl.col("verdict") != "unknown").with_columns(
        at_least=pl.col("confidence").cut([0.9, 0.99, 0.999], left_closed=True).cast(pl.String)
    )
    show(
        "How sure, and how often right",
        rates(told.sort("confidence"), "at_least").select("at_least", "trials", "right %"),
    )
    wrong = table.filter((pl.col("verdict") != pl.col("truth")) & (pl.col("verdict") != "unknown"))
    show("Every wrong verdict", wrong)


if __name__ == "__main__":
    main()
