"""How coverage on Heidelberg's streets changes with what is known of stairs, lifts, gates and people.

    .venv/bin/python benches/heidelberg.py

Needs the folder of real data beside the checkout (`../shared/data`), or where WALKSHED_DATA says. The extract (ODbL)
holds no people and no terrain: coverage is the share of street metres from whose middle the nearest stop of bus or tram
is reached, slopes are flat, and stairs rise by their tags or by the usual steepness.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import osmium
import polars as pl

import walkshed as ws

DATA = Path(os.environ.get("WALKSHED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
EXTRACT = DATA / "heidelberg" / "streets.osm.pbf"
BOX = (8.65, 49.38, 8.74, 49.43)
"""West, south, east, north: the old town, Neuenheim and the slopes beside them."""
MINUTES = (5, 10, 15)
ADULT = ws.profile("adult")
CASES = {
    "adult": ADULT,
    "stairs as level streets": replace(
        ADULT,
        stairs_up_mps=ADULT.flat_mps,
        stairs_down_mps=ADULT.flat_mps,
        short_stairs_up_mps=None,
        short_stairs_down_mps=None,
    ),
    "lifts ignored": replace(ADULT, lift_wait_s=None),
    "stairs ignored": replace(ADULT, stairs_up_mps=None, stairs_down_mps=None),
} | {name: ws.profile(name) for name in ("senior", "child", "stroller", "wheelchair")}


def stops() -> pl.DataFrame:
    """Stops of buses and trams, by libosmium."""
    rows = [
        (node.id, "stop", node.lon, node.lat)
        for node in osmium.FileProcessor(str(EXTRACT), osmium.osm.NODE)
        if node.tags.get("highway") == "bus_stop" or node.tags.get("railway") == "tram_stop"
    ]
    return pl.DataFrame(rows, schema=["id", "class", "lon", "lat"], orient="row")


def streets(net: ws.Network) -> pl.DataFrame:
    """Middle and length of every public street and footway in the box."""
    west, south, east, north = BOX
    middle = net.lines().group_by("edge").agg(pl.col("lon", "lat").mean())
    edges = net.edges().filter(pl.col("kind").is_in(["street", "footway"]) & ~pl.col("island") & ~pl.col("residents"))
    inside = pl.col("lon").is_between(west, east) & pl.col("lat").is_between(south, north)
    return edges.join(middle, left_on="id", right_on="edge").filter(inside).select("id", "lon", "lat", "length_m")


def row(
    name: str, net: ws.Network, who: ws.Profile, homes: pl.DataFrame, doors: pl.DataFrame, base: list[float]
) -> str:
    """One row of the table, and the shares of the first as the base of all."""
    times = net.nearest(homes, doors, profile=who, max_minutes=max(MINUTES), progress=False)
    metres = homes["length_m"].sum()
    reached = times.join(homes, left_on="origin_id", right_on="id")
    shares = [100 * reached.filter(pl.col("time_s") <= 60 * minutes)["length_m"].sum() / metres for minutes in MINUTES]
    base.extend(shares if not base else [])
    cells = [f"{share:.1f} ({share - first:+.1f})" for share, first in zip(shares, base, strict=True)]
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Print the table as Markdown."""
    doors = stops()
    nets = {gates: ws.Network.from_osm(EXTRACT, gates=gates, progress=False) for gates in ("tagged", "open", "closed")}
    homes = streets(nets["tagged"])
    steps = nets["tagged"].summary().kinds.filter(pl.col("kind") == "steps")
    print(f"{doors.height} stops, {homes['length_m'].sum() / 1000:.0f} km of street, {steps['ways'].item()} stairs\n")
    print("| case | " + " | ".join(f"{minutes} min" for minutes in MINUTES) + " |\n|---|---|---|---|")
    base: list[float] = []
    for name, who in CASES.items():
        print(row(name, nets["tagged"], who, homes, doors, base))
    for gates in ("open", "closed"):
        print(row(f"adult, gates {gates}", nets[gates], ADULT, homes, doors, base))
    back = nets["tagged"].nearest(homes, doors, direction="from_facility", progress=False)
    there = nets["tagged"].nearest(homes, doors, progress=False)
    gap = (back["time_s"] - there["time_s"]).abs().drop_nulls()
    share = 100 * (gap > 5).mean()
    print(f"\nthere and back differ by more than 5 s from {share:.1f} % of places, at most {gap.max():.0f} s")


if __name__ == "__main__":
    main()
