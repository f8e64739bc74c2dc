"""Scenarios of a synthetic metropolis beside the whole line; answers are compared before clocks are read.

    python benches/scenarios.py RUN [--edits 20]

RUN is a folder of `walkshed run` on a city of `walkshed synth`, synthetic 合成数据; its study tells the streets.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

import walkshed as ws

KEYS = ["area_id", "class", "group", "profile", "minutes"]


def edits(cells: pl.DataFrame, facilities: pl.DataFrame, count: int) -> dict[str, list[list[ws.scenario.Edit]]]:
    """Edits spread over the city, the same every time."""
    homes = cells.sample(count, seed=1).select("lon", "lat").rows()
    doors = facilities.sample(count, seed=2).select("id", "class").rows()
    classes = facilities["class"].unique().sort().to_list()
    east, north = 0.0012, 0.0006
    bridges = [((lon, lat), (lon + east, lat + north)) for lon, lat in homes]
    return {
        "open a facility": [[ws.OpenFacility(f"new-{n}", classes[n % len(classes)], at)] for n, at in enumerate(homes)],
        "close a facility": [[ws.CloseFacility(name, kind)] for name, kind in doors],
        "footbridge": [[ws.AddLink("b", *ends, kind="footbridge")] for ends in bridges],
        "lift": [[ws.AddLink("l", *ends, kind="lift", rise_m=30)] for ends in bridges],
        "close a street": [[ws.CloseLink(at=at)] for at in homes],
    }


def main() -> None:
    """Prepare, compare, time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--edits", type=int, default=20)
    options = parser.parse_args()
    study = json.loads((options.run / "run.json").read_text("utf-8"))["study"]
    began = time.perf_counter()
    net = ws.Network.from_osm(study["streets"]["osm"], elevation=study["streets"]["elevation"], progress=False)
    print(f"network: {net._engine.node_count:,} nodes, {time.perf_counter() - began:.1f} s")
    cells = pl.read_parquet(options.run / "cells.parquet").drop("geometry", "snap_m")
    facilities = pl.read_parquet(options.run / "facilities.parquet").filter(pl.col("state") == "open")
    facilities = facilities.select("id", "class", "lon", "lat")
    areas = options.run / "areas.parquet"
    profiles = study["coverage"]["profiles"]
    began = time.perf_counter()
    baseline = ws.Baseline(net, cells, facilities, areas, profiles=profiles, progress=False)
    prepared_s = time.perf_counter() - began
    rows = baseline.coverage.height
    print(
        f"baseline: {cells.height:,} cells, {facilities.height:,} facilities, {', '.join(profiles)}: {prepared_s:.1f} s"
    )
    print(f"coverage: {rows:,} rows")
    plans = edits(cells, facilities, options.edits)
    for kind in plans.values():
        plan = ws.Scenario(kind[0])
        compare(net, plan, baseline.what_if(plan, progress=False), cells, facilities, areas, profiles)
    print(f"answers of {len(plans)} scenarios are those of the whole line, every row and bit of coverage")
    print("| edit | median ms | 9 of 10 ms | slowest ms | changed entries, median | of the whole line, median |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, kind in plans.items():
        taken, changed = [], []
        for number, edit in enumerate([kind[0], *kind]):
            try:
                plan = ws.Scenario(edit)
                began = time.perf_counter()
                answer = baseline.what_if(plan, progress=False)
            except ws.InputError:
                continue  # no street near one end
            if number > 0:  # the first is done once more, and not counted: it finds the memory cold
                taken.append((time.perf_counter() - began) * 1000)
                changed.append(len(answer.cells))
        taken.sort()
        median, most = statistics.median(taken), taken[int(len(taken) * 0.9)]
        part = median / 1000 / prepared_s
        numbers = f"{median:.1f} | {most:.1f} | {taken[-1]:.1f} | {statistics.median(changed):.0f} | {part:.1e}"
        print(f"| {name} ({len(taken)}) | {numbers} |")
    print("| pairs that are touched | median ms | slowest ms | pairs, median |")
    print("|---|---:|---:|---:|")
    for catchments in (False, True):
        for name, kind in plans.items():
            taken, pairs = [], []
            for edit in kind[:10]:
                began = time.perf_counter()
                touched = baseline.reach(ws.Scenario(edit), catchments=catchments, progress=False)
                taken.append((time.perf_counter() - began) * 1000)
                pairs.append(touched.pairs.height)
            label = f"{name}, for floating catchments" if catchments else name
            print(f"| {label} | {statistics.median(taken):.0f} | {max(taken):.0f} | {statistics.median(pairs):.0f} |")


def compare(net: ws.Network, plan: ws.Scenario, answer: ws.Answer, cells: pl.DataFrame, *rest: object) -> None:
    """The answer is that of the whole line over the edited city."""
    facilities, areas, profiles = rest
    under = net.with_scenario(plan)
    for profile in profiles:  # type: ignore[attr-defined]
        times = under.nearest(cells, facilities, profile=profile, max_minutes=15, progress=False)  # type: ignore[arg-type]
        whole = ws.coverage(times, cells, areas, profile=profile, progress=False)  # type: ignore[arg-type]
        mine = answer.coverage.filter(pl.col("profile") == profile)
        assert_frame_equal(mine.sort(KEYS), whole.sort(KEYS), check_exact=True)


if __name__ == "__main__":
    main()
