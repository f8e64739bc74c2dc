"""J4 and J6 on real extracts: how long until an OpenStreetMap extract is a network, and until a map shows isochrones.

    python extracts.py PYTHON [--graphways PATH/TO/graphways-peer] EXTRACT:LON:LAT ...

PYTHON is the interpreter of an environment with walkshed; this one has pyrosm (requirements.txt). Prints two
tables. Everybody has rules of their own for what may be walked on, draws other shapes, and keeps other
nodes: so what each found stands beside its clock, and no answer is called equal.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", RAYON_NUM_THREADS="1", POLARS_MAX_THREADS="1")
REPEATS = 5

OURS = """
import json, re, statistics, sys, time
import polars as pl
import walkshed as ws
path, lon, lat, repeats = sys.argv[1], *map(float, sys.argv[2:4]), int(sys.argv[4])
point = pl.DataFrame({"id": [1], "lon": [lon], "lat": [lat]})
def clock(work):
    start, cpu = time.perf_counter(), time.process_time()
    return work(), time.perf_counter() - start, time.process_time() - cpu
builds = [clock(lambda: ws.Network.from_osm(path, progress=False)) for _ in range(repeats)]
network = builds[0][0]
network.isochrones(point, minutes=[1], progress=False)
shapes = [clock(lambda: network.isochrones(point, minutes=[10, 20, 30], progress=False)) for _ in range(repeats)]
cells = [clock(lambda: network.isochrone_cells(point, minutes=[10, 20, 30], progress=False)) for _ in range(repeats)]
nodes, edges, km = (float(number.replace(",", "")) for number in re.findall(r"[\d,.]*\d", repr(network)))
print(json.dumps({
    "nodes": int(nodes), "edges": int(edges), "km": km,
    "build_s": statistics.median(b[1] for b in builds), "build_cpu_s": statistics.median(b[2] for b in builds),
    "shapes_s": statistics.median(s[1] for s in shapes), "cells_s": statistics.median(s[1] for s in cells),
    "km2": shapes[0][0].to_polars()["area_m2"][-1] / 1e6,
}))
"""


def pyrosm(path: Path) -> dict[str, float]:
    """Walkable network of an extract as a graph, as pyrosm's guide has it."""
    from pyrosm import OSM

    clocks, cpus = [], []
    for _ in range(REPEATS):
        start, cpu = time.perf_counter(), time.process_time()
        osm = OSM(str(path))
        nodes, edges = osm.get_network(network_type="walking", nodes=True)
        graph = osm.to_graph(nodes, edges, graph_type="networkx")
        clocks.append(time.perf_counter() - start)
        cpus.append(time.process_time() - cpu)
    kilometres = float(edges["length"].sum()) / 1000
    return {
        "nodes": graph.number_of_nodes(),
        "edges": graph.number_of_edges(),
        "km": kilometres,
        "build_s": statistics.median(clocks),
        "build_cpu_s": statistics.median(cpus),
    }


def main() -> None:
    """Ask all about all extracts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("python", type=Path)
    parser.add_argument("extract", nargs="+")
    parser.add_argument("--graphways", type=Path)
    options = parser.parse_args()
    builds = ["| J6, extract | who | nodes | edges | km | s | CPU s | of ours |", "|---|---|---|---|---|---|---|---|"]
    shapes = ["| J4, extract | who | ms of 3 shapes |", "|---|---|---|"]
    for asked in options.extract:
        path, lon, lat = asked.rsplit(":", 2)
        name = "/".join(Path(path).parts[-2:])
        command = [str(options.python), "-c", OURS, path, lon, lat, str(REPEATS)]
        ours = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        found = {"walkshed": ours, "pyrosm, networkx": pyrosm(Path(path))}
        for who, row in found.items():
            ratio = row["build_cpu_s"] / ours["build_cpu_s"]
            numbers = f"{row['nodes']:,} | {row['edges']:,} | {row['km']:,.0f}"
            builds.append(
                f"| {name} | {who} | {numbers} | {row['build_s']:.3f} | {row['build_cpu_s']:.3f} | {ratio:.1f} × |"
            )
        shapes.append(
            f"| {name} | walkshed, ground beside streets ({ours['km2']:.2f} km²) | {ours['shapes_s'] * 1e3:.1f} |"
        )
        shapes.append(f"| {name} | walkshed, cells | {ours['cells_s'] * 1e3:.1f} |")
        if options.graphways:
            done = subprocess.run(
                [str(options.graphways), "isochrones", path, lon, lat], capture_output=True, text=True
            )
            if done.returncode:
                shapes.append(f"| {name} | graphways | stops: {done.stderr.splitlines()[2]} |")
                continue
            row = json.loads(done.stdout)
            ratio = row["ready_s"] / ours["build_s"]
            builds.append(f"| {name} | graphways | {row['nodes']:,} | | | {row['ready_s']:.3f} | | {ratio:.1f} × |")
            shapes.append(f"| {name} | graphways | {row['query_s'] * 1e3:.1f} |")
    print("\n".join([*builds, "", *shapes]), file=sys.stdout)


if __name__ == "__main__":
    main()
