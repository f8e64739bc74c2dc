"""Our walks between pairs of places: times by `Network.nearest`, the ways of a path by scipy over its edges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from extract import Place
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from walk import LEVEL_MPS, SAME_POINT_M, Walk

import walkshed as ws

Pair = tuple[Place, Place]

# Each pair asks for one of all origin × class rows of its block, so blocks stay small.
BLOCK = 100

# An edge of no seconds may be none at all in a sparse matrix.
NO_TIME_S = 1e-6


def level_walker() -> ws.Profile:
    """A walker to whom stairs, lifts and escalators are level ground, as they are to both peers."""
    return ws.Profile(
        name="level",
        flat_mps=LEVEL_MPS,
        stairs_up_mps=LEVEL_MPS,
        stairs_down_mps=LEVEL_MPS,
        escalator_mps=LEVEL_MPS,
        slope="level",
        lift_wait_s=0,
        lift_s_per_floor=0,
    )


class Ours:
    def __init__(self, path: Path) -> None:
        self.net = ws.Network.from_osm(path, progress=False)
        # A walk across a square is told from one along its outline by the sign.
        across = pl.when(pl.col("kind") == "square").then(-1).otherwise(1)
        edges = self.net.edges(profile=level_walker())
        edges = edges.with_columns(pl.col("source_id").cast(pl.Int64) * across)
        self.edges = edges
        # Islands are in the network, but nobody gets there; a ride of no length is a lift node, not a way; and what is
        # for residents only is closed to the peers.
        walked = edges.filter(
            ~pl.col("island") & (pl.col("length_m") > 0) & (pl.col("kind") != "square") & ~pl.col("residents")
        )
        self.walked_ids: set[int] = set(walked["source_id"])
        self._graph()

    def way_at(self, places: Sequence[Place]) -> list[int | None]:
        """The way that each place is joined to, where it lies on one."""
        rows = self._snap(places).join(self.edges.select(edge="id", way="source_id"), on="edge", how="left")
        on_way = pl.when(pl.col("away_m") < SAME_POINT_M).then("way")
        return rows.sort("id").select(on_way.alias("way"))["way"].to_list()

    def times_s(self, pairs: Sequence[Pair]) -> list[float | None]:
        """Walking seconds of each pair: every destination is a class of its own."""
        found: list[float | None] = []
        for start in range(0, len(pairs), BLOCK):
            block = pairs[start : start + BLOCK]
            ends = [_table([pair[side] for pair in block]) for side in (0, 1)]
            doors = ends[1].with_columns(pl.col("id").alias("class"))
            times = self.net.nearest(ends[0], doors, profile=level_walker(), max_minutes=240, progress=False)
            found += times.filter(pl.col("origin_id") == pl.col("class")).sort("origin_id")["time_s"].to_list()
        return found

    def walk(self, origin: Place, destination: Place) -> Walk | None:
        """The quickest walk with its ways, by another program than ours."""
        start, end = self._snap([origin, destination]).sort("id").iter_rows(named=True)
        if start["edge"] == end["edge"]:
            row = self._row[start["edge"]]
            metres = abs(start["share"] - end["share"]) * self.edges["length_m"][row]
            return Walk(metres / LEVEL_MPS, {self.edges["source_id"][row]: metres})
        leave = [(start["from"], start["to_start_s"]), (start["to"], start["to_end_s"])]
        arrive = [(end["from"], end["from_start_s"]), (end["to"], end["from_end_s"])]
        best = min(
            (
                (s + self._times(a)[0][b] + t, a, b)
                for a, s in leave
                for b, t in arrive
                if s is not None and t is not None
            ),
            default=(np.inf, 0, 0),
        )
        return None if not np.isfinite(best[0]) else Walk(best[0], self._ways(best[1], best[2], start, end))

    def _ways(self, a: int, b: int, start: dict, end: dict) -> dict[int, float]:
        before = self._times(a)[1]
        metres_of_way: dict[int, float] = defaultdict(float)
        for place, node in ((start, a), (end, b)):
            row = self._row[place["edge"]]
            share = place["share"] if node == place["from"] else 1 - place["share"]
            metres_of_way[self.edges["source_id"][row]] += share * self.edges["length_m"][row]
        while b != a:
            row = self._edge_between[int(before[b]), b]
            if self.edges["length_m"][row] > 0:
                metres_of_way[self.edges["source_id"][row]] += self.edges["length_m"][row]
            b = int(before[b])
        return metres_of_way

    def _times(self, node: int) -> tuple[np.ndarray, np.ndarray]:
        return dijkstra(self._matrix, directed=True, indices=node, return_predecessors=True)

    def _graph(self) -> None:
        self._row = {edge: row for row, edge in enumerate(self.edges["id"])}
        self._edge_between: dict[tuple[int, int], int] = {}
        seconds: dict[tuple[int, int], float] = {}
        for row, edge in enumerate(self.edges.iter_rows(named=True)):
            for way, time_s in (
                ((edge["from"], edge["to"]), edge["forward_s"]),
                ((edge["to"], edge["from"]), edge["backward_s"]),
            ):
                if time_s is not None and time_s < seconds.get(way, np.inf):
                    seconds[way], self._edge_between[way] = max(time_s, NO_TIME_S), row
        nodes = self.net.nodes().height
        ends = np.array(list(seconds)).T
        self._matrix = coo_matrix((list(seconds.values()), (ends[0], ends[1])), shape=(nodes, nodes)).tocsr()

    def _snap(self, places: Sequence[Place]) -> pl.DataFrame:
        return self.net.snap(_table(places), profile=level_walker())


def _table(places: Sequence[Place]) -> pl.DataFrame:
    """Ids that sort as numbers do."""
    rows = [(f"{number:06}", *place) for number, place in enumerate(places)]
    return pl.DataFrame(rows, schema=["id", "lon", "lat"], orient="row")
