"""One peer, one job, on a city of `city.py`: what it answers, and how long it takes.

    python peers.py CITY --peer scipy --job J1 [--sample K]

Jobs: J1 seconds between every node and the nearest facility of each of 30 classes, up to 15 minutes on foot; J2
facilities of each class within 5, 10 and 15 minutes of every node; J3 all pairs of facility and node within 15
minutes: how many, and the sum of their times; J5 a matrix of 1,000 × 1,000 without a cut-off; 2SFCA the two-step
floating catchment area of the most frequent class, 15 minutes; J7 H3 cells of the nodes, and of outlines. Nobody is
asked for legs between place and street: facilities stand, and people live, at nodes.

With --sample only so many facilities, classes or nodes are done (whatever the peer goes through one by one), and the
time of the whole is estimated. Prints one line of JSON: seconds and CPU seconds of making ready and of the answer,
peak memory, and answers for a few nodes, which `run.py` holds against ours before it looks at any clock.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", RAYON_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", POLARS_MAX_THREADS="1")

import numpy as np
import pandas as pd

CUTOFF_S, LIMITS_S, CLASSES, CHECKED = 900.0, (300.0, 600.0, 900.0), 30, 200
MATRIX, CELLS, CORNERS = 1000, 10, 13


class City:
    """A city as arrays. Times are whole tenths of a second, so that sums are exact everywhere."""

    def __init__(self, folder: Path) -> None:
        """Read a city."""
        nodes, edges = (pd.read_parquet(folder / f"{name}.parquet") for name in ("nodes", "edges"))
        facilities = pd.read_parquet(folder / "facilities.parquet")
        self.n, self.lon, self.lat = len(nodes), nodes["lon"].to_numpy(), nodes["lat"].to_numpy()
        start, end = edges["from"].to_numpy(), edges["to"].to_numpy()
        self.start, self.end = np.concatenate([start, end]), np.concatenate([end, start])
        self.time_ds = np.rint(np.concatenate([edges["forward_s"], edges["backward_s"]]) * 10)
        self.node = facilities["node"].to_numpy()
        self.of_class = facilities["class"].str[-2:].astype(int).to_numpy()
        self.outlines = np.fromfile(folder / "outlines.f64", "<f8").reshape(-1, CORNERS, 2)
        self.checked = np.sort(np.random.default_rng(5).choice(self.n, CHECKED, replace=False))

    def doors(self, number: int) -> np.ndarray:
        """Nodes with a facility of a class."""
        return np.unique(self.node[self.of_class == number])


class Peer:
    """What a peer must say; `sample` limits what is gone through one by one."""

    def __init__(self, city: City, sample: int) -> None:
        """Take the city to be asked about."""
        self.city, self.sample, self.share = city, sample, 1.0

    def some(self, all_of_them: np.ndarray) -> np.ndarray:
        """A sample, and how much of the whole it is."""
        if not self.sample or self.sample >= len(all_of_them):
            return all_of_them
        self.share = self.sample / len(all_of_them)
        return np.random.default_rng(3).choice(all_of_them, self.sample, replace=False)

    def ready(self) -> None:
        """Make ready."""

    def reach(self, node: int) -> tuple[np.ndarray, np.ndarray]:
        """Nodes from which a facility at this node is reached, and their times."""
        raise NotImplementedError

    def j1(self) -> dict[str, Any]:
        """Nearest times by class."""
        raise NotImplementedError

    def j2(self) -> dict[str, Any]:
        """Count facilities by searching from each."""
        city = self.city
        counts = np.zeros((city.n, CLASSES, 3), np.int32)
        for facility in self.some(np.arange(len(city.node))):
            nodes, times = self.reach(city.node[facility])
            for place, limit_s in enumerate(LIMITS_S):
                counts[nodes[times <= limit_s * 10], city.of_class[facility], place] += 1
        return {"counts": counts[city.checked].ravel().tolist() if self.share == 1 else None}

    def j3(self) -> dict[str, Any]:
        """Pairs and the sum of their times."""
        pairs, time_ds = 0, 0
        for facility in self.some(np.arange(len(self.city.node))):
            _, times = self.reach(self.city.node[facility])
            pairs, time_ds = pairs + len(times), time_ds + int(times.sum())
        return {"pairs": pairs, "time_ds": time_ds} if self.share == 1 else {}

    def from_facility(self, node: int) -> np.ndarray:
        """Times of all nodes to a facility at this one, without a cut-off."""
        raise NotImplementedError

    def j5(self) -> dict[str, Any]:
        """Sums of the columns of the matrix."""
        homes = np.arange(MATRIX) * (self.city.n // MATRIX)
        node = self.city.node[np.arange(MATRIX) * (len(self.city.node) // MATRIX)]
        some = np.sort(self.some(np.arange(MATRIX)))
        return {"columns": {int(column): int(self.from_facility(node[column])[homes].sum()) for column in some}}

    def two_step(self) -> dict[str, Any]:
        """Places for each person: one place at each facility, one person at each node."""
        access = np.zeros(self.city.n)
        for node in self.some(self.city.node[self.city.of_class == 0]):
            nodes, _ = self.reach(node)
            access[nodes] += 1 / len(nodes)
        return {"access": access[self.city.checked].tolist() if self.share == 1 else None}


class Scipy(Peer):
    """scipy.sparse.csgraph.dijkstra."""

    def ready(self) -> None:
        from scipy.sparse import csr_matrix

        shape = (self.city.n,) * 2
        self.graph = csr_matrix((self.city.time_ds, (self.city.end, self.city.start)), shape=shape)

    def j1(self) -> dict[str, Any]:
        from scipy.sparse.csgraph import dijkstra

        times = np.full((self.city.n, CLASSES), np.inf)
        for number in range(CLASSES):
            doors = self.city.doors(number)
            times[:, number] = dijkstra(self.graph, indices=doors, min_only=True, limit=CUTOFF_S * 10)
        return {"times": times[self.city.checked]}

    def from_facility(self, node: int) -> np.ndarray:
        from scipy.sparse.csgraph import dijkstra

        return dijkstra(self.graph, indices=node)

    def reach(self, node: int) -> tuple[np.ndarray, np.ndarray]:
        from scipy.sparse.csgraph import dijkstra

        times = dijkstra(self.graph, indices=node, limit=CUTOFF_S * 10)
        nodes = np.flatnonzero(np.isfinite(times))
        return nodes, times[nodes]


class Networkx(Peer):
    """networkx's bounded searches in pure Python."""

    def ready(self) -> None:
        import networkx

        self.graph = networkx.DiGraph()
        ends = zip(self.city.end.tolist(), self.city.start.tolist(), self.city.time_ds.tolist(), strict=True)
        self.graph.add_weighted_edges_from(ends)

    def j1(self) -> dict[str, Any]:
        import networkx

        classes = self.some(np.arange(CLASSES))
        times = np.full((self.city.n, CLASSES), np.nan)
        for number in classes:
            doors = set(self.city.doors(number).tolist())
            found = networkx.multi_source_dijkstra_path_length(self.graph, doors, cutoff=CUTOFF_S * 10)
            times[:, number] = np.inf
            times[np.fromiter(found.keys(), int, len(found)), number] = np.fromiter(found.values(), float, len(found))
        return {"times": times[self.city.checked]}

    def reach(self, node: int) -> tuple[np.ndarray, np.ndarray]:
        import networkx

        found = networkx.single_source_dijkstra_path_length(self.graph, int(node), cutoff=CUTOFF_S * 10)
        return np.fromiter(found.keys(), int, len(found)), np.fromiter(found.values(), float, len(found))


class Networkit(Peer):
    """networkit's Dijkstra, which has no bound: a node beside all doors of a class stands for many sources."""

    def ready(self) -> None:
        import networkit

        pairs = np.unique(np.column_stack([self.city.of_class, self.city.node]), axis=0)
        start = np.concatenate([self.city.end, self.city.n + pairs[:, 0]]).astype(np.uint64)
        end = np.concatenate([self.city.start, pairs[:, 1]]).astype(np.uint64)
        times = np.concatenate([self.city.time_ds, np.zeros(len(pairs))])
        networkit.setNumberOfThreads(1)
        count = self.city.n + CLASSES
        self.graph = networkit.GraphFromCoo((times, (start, end)), n=count, weighted=True, directed=True)

    def from_facility(self, node: int) -> np.ndarray:
        import networkit

        search = networkit.distance.Dijkstra(self.graph, int(node), False, False)
        search.run()
        return np.asarray(search.getDistances(asarray=True))[: self.city.n]

    def j1(self) -> dict[str, Any]:
        times = np.full((self.city.n, CLASSES), np.nan)
        for number in self.some(np.arange(CLASSES)):
            found = self.from_facility(self.city.n + number)
            times[:, number] = np.where(found <= CUTOFF_S * 10, found, np.inf)
        return {"times": times[self.city.checked]}

    def reach(self, node: int) -> tuple[np.ndarray, np.ndarray]:
        times = self.from_facility(node)
        nodes = np.flatnonzero(times <= CUTOFF_S * 10)
        return nodes, times[nodes]


class Pandana(Peer):
    """pandana's contraction hierarchy; the network turned round for catchments."""

    def net(self, start: np.ndarray, end: np.ndarray) -> Any:
        """Give the city to pandana, one row per direction, times in seconds."""
        import pandana

        x, y = pd.Series(self.city.lon), pd.Series(self.city.lat)
        seconds = pd.DataFrame({"s": self.city.time_ds / 10})
        return pandana.Network(x, y, pd.Series(start), pd.Series(end), seconds, twoway=False)

    def ready(self) -> None:
        inwards = self.job in ("J3", "2SFCA")
        self.homewards = self.net(self.city.end, self.city.start) if inwards else None
        self.outwards = None if self.job == "J3" else self.net(self.city.start, self.city.end)

    def j1(self) -> dict[str, Any]:
        city = self.city
        times = np.full((city.n, CLASSES), np.nan)
        for number in self.some(np.arange(CLASSES)):
            doors = city.doors(number)
            x, y = pd.Series(city.lon[doors]), pd.Series(city.lat[doors])
            self.outwards.set_pois(str(number), CUTOFF_S, 1, x, y)
            found = self.outwards.nearest_pois(CUTOFF_S, str(number), 1, max_distance=1e9)[1].to_numpy()
            times[:, number] = np.where(found <= CUTOFF_S, np.rint(found * 10), np.inf)
        return {"times": times[city.checked]}

    def j2(self) -> dict[str, Any]:
        city = self.city
        self.outwards.precompute(CUTOFF_S)
        counts = np.zeros((city.n, CLASSES, 3), np.int32)
        for number in range(CLASSES):
            doors = city.node[city.of_class == number]
            self.outwards.set(pd.Series(doors), pd.Series(np.ones(len(doors))), name="v")
            for place, limit_s in enumerate(LIMITS_S):
                counts[:, number, place] = self.outwards.aggregate(limit_s, type="sum", decay="flat", name="v")
        return {"counts": counts[city.checked].ravel().tolist()}

    def j3(self) -> dict[str, Any]:
        pairs, time_ds = 0, 0
        node, repeats = np.unique(self.city.node, return_counts=True)
        repeats = pd.Series(repeats, index=node)
        some = self.some(node)
        for first in range(0, len(some), 2000):
            found = self.homewards.nodes_in_range(some[first : first + 2000], CUTOFF_S)
            times, count = np.rint(found["s"].to_numpy() * 10), repeats.loc[found["source"]].to_numpy()
            pairs, time_ds = pairs + int(count.sum()), time_ds + int((count * times).sum())
        return {"pairs": pairs, "time_ds": time_ds} if self.share == 1 else {}

    def two_step(self) -> dict[str, Any]:
        doors = pd.Series(self.city.node[self.city.of_class == 0])
        self.homewards.set(pd.Series(np.arange(self.city.n)), pd.Series(np.ones(self.city.n)), name="people")
        people = self.homewards.aggregate(CUTOFF_S, type="sum", decay="flat", name="people")
        self.outwards.set(doors, 1 / people.loc[doors].reset_index(drop=True), name="ratio")
        access = self.outwards.aggregate(CUTOFF_S, type="sum", decay="flat", name="ratio")
        return {"access": access.to_numpy()[self.city.checked].tolist()}


class H3(Peer):
    """h3-py as its guide shows it: cell by cell, cells as texts."""

    api = "basic_str"

    def ready(self) -> None:
        import importlib

        self.h3 = importlib.import_module(f"h3.api.{self.api}")
        self.places = list(zip(self.city.lat.tolist(), self.city.lon.tolist(), strict=True))
        self.rings = [[(lat, lon) for lon, lat in outline] for outline in self.city.outlines.tolist()]

    def number(self, cell: str | int) -> int:
        """A cell as a number."""
        return int(cell, 16) if isinstance(cell, str) else cell

    def sum_of(self, cells: list[str | int]) -> Callable[[], int]:
        """The sum of cell numbers, as 64 bits hold it; it is no part of the question, so it is added up later."""
        return lambda: sum(self.number(cell) for cell in cells) % 2**64

    def points(self) -> dict[str, Any]:
        """Cells of all nodes."""
        return {"cells": self.sum_of([self.h3.latlng_to_cell(lat, lon, CELLS) for lat, lon in self.places])}

    def polygons(self) -> dict[str, Any]:
        """Cells that share a point with an outline, outline by outline."""
        cells: list[str | int] = []
        for ring in self.rings:
            shape = self.h3.LatLngPoly(ring)
            cells.extend(self.h3.h3shape_to_cells_experimental(shape, CELLS, contain="overlap"))
        return {"cells": self.sum_of(cells)}


class H3Numbers(H3):
    """h3-py with cells as numbers."""

    api = "basic_int"


class H3ronpy(Peer):
    """h3ronpy, all at once."""

    def points(self) -> dict[str, Any]:
        from h3ronpy.vector import coordinates_to_cells

        cells = np.asarray(coordinates_to_cells(self.city.lat, self.city.lon, CELLS))
        return {"cells": int(cells.astype(np.uint64).sum(dtype=np.uint64))}

    def polygons(self) -> dict[str, Any]:
        import shapely
        from h3ronpy import ContainmentMode
        from h3ronpy.vector import wkb_to_cells

        wkb = shapely.to_wkb(shapely.polygons(self.city.outlines)).tolist()
        cells = wkb_to_cells(wkb, CELLS, containment_mode=ContainmentMode.Covers, flatten=True)
        return {"cells": int(np.asarray(cells).astype(np.uint64).sum(dtype=np.uint64))}


class PolarsH3(Peer):
    """polars-h3, all at once."""

    def points(self) -> dict[str, Any]:
        import polars
        import polars_h3

        places = polars.DataFrame({"lon": self.city.lon, "lat": self.city.lat})
        cells = places.select(polars_h3.latlng_to_cell("lat", "lon", CELLS, return_dtype=polars.UInt64)).to_series()
        return {"cells": int(cells.to_numpy().sum(dtype=np.uint64))}


PEERS = {
    "scipy": Scipy,
    "networkx": Networkx,
    "networkit": Networkit,
    "pandana": Pandana,
    "h3": H3,
    "h3-numbers": H3Numbers,
    "h3ronpy": H3ronpy,
    "polars-h3": PolarsH3,
}
ASKS = {
    "J1": "j1", "J2": "j2", "J3": "j3", "J5": "j5", "2SFCA": "two_step",
    "J7-points": "points", "J7-polygons": "polygons",
}  # fmt: skip


def cpu_s() -> float:
    """CPU seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Ask a peer, and print what it says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("city", type=Path)
    parser.add_argument("--peer", choices=PEERS, required=True)
    parser.add_argument("--job", choices=ASKS, required=True)
    parser.add_argument("--sample", type=int, default=0)
    options = parser.parse_args()
    peer = PEERS[options.peer](City(options.city), options.sample)
    peer.job = options.job
    clocks = [(time.perf_counter(), cpu_s())]
    peer.ready()
    clocks.append((time.perf_counter(), cpu_s()))
    answer = getattr(peer, ASKS[options.job])()
    clocks.append((time.perf_counter(), cpu_s()))
    answer = {name: value() if callable(value) else value for name, value in answer.items()}
    if "times" in answer:
        answer["times"] = [
            None if np.isinf(x) else "not done" if np.isnan(x) else int(x) for x in answer["times"].ravel()
        ]
    found = {
        "peer": options.peer,
        "job": options.job,
        "nodes": peer.city.n,
        "share": peer.share,
        "ready_s": clocks[1][0] - clocks[0][0],
        "ready_cpu_s": clocks[1][1] - clocks[0][1],
        "query_s": (clocks[2][0] - clocks[1][0]) / peer.share,
        "query_cpu_s": (clocks[2][1] - clocks[1][1]) / peer.share,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "answer": answer,
    }
    print(json.dumps({name: round(value, 3) if isinstance(value, float) else value for name, value in found.items()}))


if __name__ == "__main__":
    main()
