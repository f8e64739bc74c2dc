"""From question to plan on a synthetic city 合成数据: ten kindergartens, three lifts, and what they bring.

walkshed synth CITY --nodes 100000 --seed 1 && walkshed run CITY/STUDY.toml --out RUN
python benches/worked_study.py RUN OUT
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import polars as pl
from scipy.spatial import cKDTree

import walkshed as ws

KINDERGARTENS, LIFTS = 10, 3
KINDERGARTEN_YUAN, LIFT_YUAN = 6_000_000.0, 4_000_000.0
"""Round sums for the example; no price list."""
GROUP = "preschool_3_5"
CLASS = "kindergarten"


def lift_candidates(net: ws.Network, count: int) -> list[ws.AddLink]:
    """Corners that lie near each other on the map, far apart in height, and farther apart on foot."""
    nodes = net.nodes().filter(pl.col("ele_m").is_not_null())
    metres = np.column_stack(
        [
            nodes["lon"].to_numpy() * 111_320 * np.cos(np.radians(nodes["lat"].mean())),
            nodes["lat"].to_numpy() * 111_320,
        ]
    )
    near = cKDTree(metres).query_pairs(90.0, output_type="ndarray")
    ele = nodes["ele_m"].to_numpy()
    rise = ele[near[:, 1]] - ele[near[:, 0]]
    steep = np.argsort(-np.abs(rise), kind="stable")
    place = nodes.select("lon", "lat").rows()
    chosen: list[ws.AddLink] = []
    taken: list[np.ndarray] = []
    for at in steep:
        first, second = near[at]
        if any(np.hypot(*(metres[first] - other)) < 600 for other in taken):
            continue
        walk = net.route(place[first], place[second]).time_s
        if walk is None or walk > 300:
            number = len(chosen) + 1
            ends, up = (place[first], place[second]), float(rise[at])
            chosen.append(ws.AddLink(f"lift {number}", *ends, kind="lift", rise_m=up, cost_yuan=LIFT_YUAN))
            taken.append(metres[first])
        if len(chosen) == count:
            break
    return chosen


def main() -> None:
    """Site, choose, combine, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    study = json.loads((options.run / "run.json").read_text("utf-8"))["study"]
    net = ws.Network.from_osm(study["streets"]["osm"], elevation=study["streets"]["elevation"], progress=False)
    cells = pl.read_parquet(options.run / "cells.parquet").drop("geometry", "snap_m")
    ledger = pl.read_parquet(options.run / "facilities.parquet").drop("geometry")
    facilities = ledger.filter(pl.col("state") == "open").select("id", "class", "lon", "lat", "places")
    areas = options.run / "areas.parquet"
    print("SYNTHETIC 合成数据: every number below is of a made-up city")

    began = time.perf_counter()
    land = ws.siting.candidates(net, cells, areas=areas, progress=False).rename({"id": "site_id"})
    land = land.with_columns(cost_yuan=pl.lit(KINDERGARTEN_YUAN), **{"class": pl.lit(CLASS)})
    open_now = facilities.filter(pl.col("class") == CLASS)
    # The cells of candidates are numbers and the facilities' ids text: all ids as text.
    land = land.with_columns(pl.col("site_id").cast(pl.String))
    sites = pl.concat([land, open_now.select(site_id="id", lon="lon", lat="lat", **{"class": "class"})], how="diagonal")
    children = cells.filter(pl.col(GROUP) > 0)
    ends = sites.select(id="site_id", lon="lon", lat="lat", **{"class": "class"})
    costs = ws.siting.costs(net, children, ends, profile="adult", max_minutes=10, progress=False)
    demand = children.select(origin_id="cell", people=GROUP)
    best = ws.siting.maximal_covering(
        costs, demand, k=KINDERGARTENS, limit=600, existing=open_now["id"], sites=sites, progress=False
    )
    print(f"\n{costs.height:,} pairs, {land.height:,} candidates, {time.perf_counter() - began:.1f} s")
    print(best.summary())
    gain = best.gain.select("order", "people", "people_gained", "cost_yuan")
    print(gain)

    baseline = ws.Baseline(net, cells, facilities, areas, profiles=["adult", "senior"], progress=False)
    began = time.perf_counter()
    candidates = lift_candidates(net, 40)
    lifts = ws.best_links(baseline, candidates, LIFTS, profile="senior", group="senior_60_plus", progress=False)
    print(f"\n{len(candidates)} candidate lifts, {time.perf_counter() - began:.1f} s")
    print("minutes that seniors save, one walk each to every class:")
    print(lifts.steps)

    plan = ws.Scenario([*best.scenario().edits, *lifts.scenario.edits], name="十所幼儿园三部电梯")
    began = time.perf_counter()
    answer = baseline.what_if(plan, progress=False)
    print(f"\n{plan}: {plan.cost_yuan:,.0f} yuan; answered in {time.perf_counter() - began:.3f} s")
    newly = answer.newly_covered(GROUP).filter((pl.col("class") == CLASS) & (pl.col("profile") == "adult"))
    print(newly)
    of_children = (pl.col("class") == CLASS) & (pl.col("profile") == "adult") & (pl.col("group") == GROUP)
    side = ws.compare(baseline, answer).filter(of_children & (pl.col("change") != 0))
    print(side.filter(pl.col("minutes") == 10).sort("change", descending=True).head(10))
    gains = answer.gains.filter(pl.col("area_id").is_null() & pl.col("group").is_in(["all", "senior_60_plus", GROUP]))
    print(gains.group_by("group", "profile").agg(pl.col("people_minutes_saved").sum()).sort("group", "profile"))

    def card(coverage: pl.DataFrame, table: pl.DataFrame) -> ws.Scorecard:
        tables = {"coverage": coverage, "facilities": table, "areas": areas}
        return ws.score("mohurd_2020", **tables, level="community", progress=False)

    before, after = card(baseline.coverage, facilities), card(answer.coverage, plan.facilities(facilities))
    points = ws.compare_scorecards(before, after)
    print(f"scorecard points that change 变化的评分点: {points.height}")
    print(points.group_by("point").agg(pl.len(), pl.col("low").sum() - pl.col("low_before").sum()).sort("point"))
    answer.cells.to_geopandas().to_parquet(options.out / "changed_cells.parquet")
    side.write_parquet(options.out / "kindergartens_by_area.parquet")
    lifts.steps.write_csv(options.out / "lifts.csv")
    gain.write_csv(options.out / "kindergartens.csv")


if __name__ == "__main__":
    main()
