"""Build time and peak memory of the network of each extract, and the time of routes and isochrones.

    .venv/bin/python benches/cities.py

Each build runs in a process of its own, three times; the median of seconds and the largest memory are printed. Needs
the folder of real data beside the checkout (`../shared/data`), or where WALKSHED_DATA says.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

DATA = Path(os.environ.get("WALKSHED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
CITIES = {
    "helsinki": ("centre.osm.pbf", None),
    "munich": ("centre.osm.pbf", None),
    "porto_alegre": ("streets.osm.pbf", "elevation.tif"),
    "heidelberg": ("streets.osm.pbf", None),
    "portland": ("streets.osm.pbf", "elevation_west.tif"),
}
BUILD = """
import json, resource, sys, time
import walkshed as ws
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
net = ws.Network.from_osm(sys.argv[1], elevation=sys.argv[2] or None, progress=False)
seconds = time.perf_counter() - start
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
kinds = net.summary().kinds
km = kinds.filter(kinds["kind"] != "square")["length_km"].sum()
print(json.dumps([seconds, after / 1024, (after - before) / 1024, net.nodes().height, net.edges().height, km]))
"""


def build(city: str) -> list[list[float]]:
    """Seconds, peak MiB, MiB above an idle Python, nodes, edges and kilometres of three builds."""
    streets, heights = CITIES[city]
    raster = str(DATA / city / heights) if heights else ""
    command = [sys.executable, "-c", BUILD, str(DATA / city / streets), raster]
    return [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(3)]


def main() -> None:
    """Print two tables as Markdown."""
    print(
        "| extract | MB | build s | peak MiB | of it the build's | nodes | edges | km |",
        "|---|---|---|---|---|---|---|---|",
        sep="\n",
    )
    for city, (streets, _) in CITIES.items():
        runs = build(city)
        size = (DATA / city / streets).stat().st_size / 1e6
        seconds, (_, peak, own, nodes, edges, km) = (
            statistics.median(run[0] for run in runs),
            max(runs, key=lambda r: r[1]),
        )
        print(f"| {city} | {size:.1f} | {seconds:.2f} | {peak:.0f} | {own:.0f} | {nodes:,} | {edges:,} | {km:,.0f} |")
    walks()


def walks() -> None:
    """Time routes and isochrones on Porto Alegre."""
    import polars as pl

    import walkshed as ws

    city = DATA / "porto_alegre"
    net = ws.Network.from_osm(city / "streets.osm.pbf", elevation=city / "elevation.tif", progress=False)
    points = pl.read_csv(city / "hexgrid.csv").gather_every(60).select("id", "lon", "lat").head(20)
    net.snap(points)
    start = time.perf_counter()
    net.isochrones(points, progress=False)
    isochrones_s = time.perf_counter() - start
    places = list(points.select("lon", "lat").iter_rows())
    start = time.perf_counter()
    for origin, destination in itertools.pairwise(places):
        net.route(origin, destination)
    routes_s = time.perf_counter() - start
    print(f"\n5, 10 and 15 min isochrones: {1000 * isochrones_s / 20:.0f} ms a point")
    print(f"routes: {1000 * routes_s / 19:.0f} ms each")


if __name__ == "__main__":
    main()
