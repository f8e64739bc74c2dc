"""A large city that every peer can be asked about: the same size and seed make the same bytes on every machine.

    python city.py FOLDER --side 1000 --facilities 86000

The city is SYNTHETIC: a lattice of streets, thinned out and jittered, denser around its centres, on ridges, cut by
rivers that have few bridges. Times differ by direction (Tobler's function, stairs where it is steep) and are whole
tenths of a second, so that every program that adds them up exactly finds the same numbers. Facilities of 30 classes,
the first the most frequent, stand at nodes: peers that know only nodes are asked the same question.

Writes nodes.parquet (id, lon, lat), edges.parquet (from, to, length_m, forward_s, backward_s), facilities.parquet
(id, class, lon, lat, node), arcs.u32, doors.u32, outlines.f64 (lon, lat of 13 corners each), and city.json with what
was asked for.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

LON, LAT, METRES_PER_DEGREE = 106.55, 29.56, 111_320.0
BLOCK_M, FLAT_MPS, STAIRS_MPS, STAIRS_SLOPE = 60.0, 1.33, 0.8, 0.22
KEPT, KEPT_ON_MAIN_STREETS, CLASSES = 0.62, 0.95, 30


def waves(rng: np.random.Generator, x: np.ndarray, y: np.ndarray, shortest_m: float, longest_m: float) -> np.ndarray:
    """Sum of plane waves without pattern, about 1 high."""
    height = np.zeros_like(x)
    for _ in range(14):
        length_m = np.exp(rng.uniform(np.log(shortest_m), np.log(longest_m)))
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        height += length_m / longest_m * np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / length_m + phase)
    return height / np.sqrt(14)


def places(rng: np.random.Generator, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Metres east and north of each node, and how dense the city is there."""
    row, column = np.divmod(np.arange(side * side), side)
    x = (column + rng.uniform(-0.28, 0.28, side * side)) * BLOCK_M
    y = (row + rng.uniform(-0.28, 0.28, side * side)) * BLOCK_M
    dense = np.full(side * side, 0.04)
    for _ in range(max(3, side // 125)):
        east, north, reach = rng.uniform(0.15, 0.85), rng.uniform(0.15, 0.85), rng.uniform(0.05, 0.11) * side * BLOCK_M
        away = np.hypot(x - east * side * BLOCK_M, y - north * side * BLOCK_M)
        pull = 0.4 * np.exp(-((away / reach) ** 2) / 2)
        x, y = x - (x - east * side * BLOCK_M) * pull, y - (y - north * side * BLOCK_M) * pull
        dense += pull
    return x, y, dense


def streets(rng: np.random.Generator, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The two nodes of each street: a lattice without those that rivers cut, thinned out, in one piece."""
    node = np.arange(side * side).reshape(side, side)
    start = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    end = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    row, column = np.divmod(start, side)
    eastward = end == start + 1
    main = np.where(eastward, row % 10 == 4, column % 10 == 4)
    keep = rng.random(len(start)) < np.where(main, KEPT_ON_MAIN_STREETS, KEPT)
    for share, along in ((0.38, column), (0.72, column), (0.55, row)):
        crossed = row if along is column else column
        bed = share * side + 0.04 * side * np.sin(2 * np.pi * along / side * 2.3)
        across = (crossed < bed) & (crossed + 1 >= bed) & (eastward == (along is row))
        keep &= ~across | (along % 31 == 11)
    lost = np.flatnonzero(~keep)
    # Pieces that fell off are joined again, street by street, until all hang together.
    while True:
        graph = sp.coo_matrix((np.ones(keep.sum()), (start[keep], end[keep])), shape=(side * side,) * 2)
        count, piece = connected_components(graph, directed=False)
        if count == 1:
            return start[keep], end[keep]
        between = lost[piece[start[lost]] != piece[end[lost]]]
        later = np.maximum(piece[start[between]], piece[end[between]])
        keep[between[np.unique(later, return_index=True)[1]]] = True


def outlines(lon: np.ndarray, lat: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Neighbourhoods of 12 corners, one for every 500 nodes; longitude and latitude, the first corner twice."""
    middle = np.arange(0, len(lon), 500)
    away_m = rng.uniform(250, 600, (len(middle), 12))
    away_m = np.column_stack([away_m, away_m[:, 0]])
    angle = np.linspace(0, 2 * np.pi, 13)
    east = away_m * np.cos(angle) / (METRES_PER_DEGREE * np.cos(np.radians(LAT)))
    north = away_m * np.sin(angle) / METRES_PER_DEGREE
    corners = np.stack([lon[middle, None] + east, lat[middle, None] + north], axis=-1)
    corners[:, -1] = corners[:, 0]
    return corners


def make(folder: Path, side: int, facilities: int, seed: int) -> None:
    """Make the city up and write it."""
    rng = np.random.default_rng(seed)
    x, y, dense = places(rng, side)
    height_m = (
        220 + 60 * np.sin(2 * np.pi * x / 9000) + 35 * waves(rng, x, y, 1500, 12000) + 40 * waves(rng, x, y, 250, 1200)
    )
    start, end = streets(rng, side)
    length_m = np.round(
        np.maximum(np.hypot(x[start] - x[end], y[start] - y[end]), 1) * (1 + 0.25 * rng.beta(1.2, 5, len(start))), 2
    )
    slope = np.clip((height_m[end] - height_m[start]) / length_m, -0.45, 0.45)

    def seconds(slope: np.ndarray) -> np.ndarray:
        mps = np.where(np.abs(slope) > STAIRS_SLOPE, STAIRS_MPS, FLAT_MPS)
        tobler = np.exp(-3.5 * (np.abs(slope + 0.05) - 0.05))
        return np.maximum(np.ceil(length_m / (mps * tobler) * 10), 1) / 10

    # Nodes are numbered as an extract numbers them: near ones mostly near, tiles of the city in no order.
    row, column = np.divmod(np.arange(side * side), side)
    tiles = -(-side // 32)
    tile = rng.permutation(tiles * tiles)[(row // 32) * tiles + column // 32]
    order = np.lexsort((rng.random(side * side), tile))
    number = np.empty(side * side, np.int64)
    number[order] = np.arange(side * side)
    lat = LAT + y / METRES_PER_DEGREE
    lon = LON + x / (METRES_PER_DEGREE * np.cos(np.radians(LAT)))
    weight = 1 / (np.arange(CLASSES) + 2)
    sizes = np.maximum(1, np.floor(weight / weight.sum() * facilities).astype(int))
    sizes[0] += facilities - sizes.sum()
    where = []
    for size in sizes:
        likely = dense ** rng.uniform(0.8, 1.8)
        where.append(rng.choice(side * side, size, p=likely / likely.sum()))
    at, of_class = np.concatenate(where), np.repeat(np.arange(CLASSES), sizes)
    mixed = rng.permutation(facilities)
    at, of_class = at[mixed], of_class[mixed]

    folder.mkdir(parents=True, exist_ok=True)
    nodes = pd.DataFrame({"id": np.arange(side * side), "lon": lon[order], "lat": lat[order]})
    edges = {"from": number[start], "to": number[end], "length_m": length_m, "forward_s": seconds(slope)}
    ledger = {
        "id": np.arange(facilities),
        "class": [f"class {name:02}" for name in of_class],
        "lon": lon[at],
        "lat": lat[at],
    }
    nodes.to_parquet(folder / "nodes.parquet", index=False)
    pd.DataFrame({**edges, "backward_s": seconds(-slope)}).to_parquet(folder / "edges.parquet", index=False)
    pd.DataFrame({**ledger, "node": number[at]}).to_parquet(folder / "facilities.parquet", index=False)
    # For programs that read no Parquet: from, to, tenths of a second of every direction; nodes of the facilities.
    both = [np.concatenate(ends) for ends in ((number[start], number[end]), (number[end], number[start]))]
    tenths = np.rint(np.concatenate([edges["forward_s"], seconds(-slope)]) * 10)
    np.column_stack([*both, tenths]).astype("<u4").tofile(folder / "arcs.u32")
    number[at].astype("<u4").tofile(folder / "doors.u32")
    outlines(nodes["lon"].to_numpy(), nodes["lat"].to_numpy(), rng).astype("<f8").tofile(folder / "outlines.f64")
    asked = {
        "synthetic": True,
        "side": side,
        "nodes": side * side,
        "edges": len(start),
        "facilities": facilities,
        "seed": seed,
    }
    (folder / "city.json").write_text(json.dumps(asked) + "\n")
    print(json.dumps(asked))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--side", type=int, default=1000)
    parser.add_argument("--facilities", type=int, default=86_000)
    parser.add_argument("--seed", type=int, default=20_261_126)
    options = parser.parse_args()
    make(options.folder, options.side, options.facilities, options.seed)
