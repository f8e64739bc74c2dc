"""Our level walking times against OSRM's and Valhalla's on the centre of Helsinki; prints Markdown.

python compare.py EXTRACT.osm.pbf [--pairs 2000] [--worst 15]
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from extract import Extract, Place, metres, read
from osrm_foot import Osrm
from ours import Ours, Pair
from valhalla_foot import Valhalla
from walk import Peer, Walk

NEAR_M, FAR_M = 100.0, 2000.0
SEED = 20261124
ALIKE = 0.03


@dataclass(frozen=True)
class Compared:
    """One pair of places: our seconds, and the walk of a peer."""

    pair: Pair
    ours_s: float
    theirs: Walk
    climbs: bool
    crosses: bool

    @property
    def ratio(self) -> float:
        return self.ours_s / self.theirs.time_s


def street_places(extract: Extract, ours: Ours, peers: Sequence[Peer]) -> list[Place]:
    """Vertices that everybody finds on a way through them, so that no difference is one of joining."""
    on_ways = {node for id in ours.walked_ids & extract.ways.keys() for node in extract.ways[id].nodes}
    nodes = sorted((on_ways & extract.places.keys()) - extract.doors)
    places = [extract.places[node] for node in nodes]
    known = []
    for node, place, own in zip(nodes, places, ours.way_at(places), strict=True):
        through = extract.ways_of_node[node]
        if any(extract.ways[id].off_ground for id in through):
            continue
        if own in through and all((found := peer.ways_at(place)) and found <= through for peer in peers):
            known.append(place)
    return known


def random_pairs(places: Sequence[Place], count: int) -> list[Pair]:
    chance, pairs = random.Random(SEED), []
    while len(pairs) < count:
        origin, destination = chance.sample(places, 2)
        if NEAR_M <= metres(origin, destination) <= FAR_M:
            pairs.append((origin, destination))
    return pairs


def compare(pairs: Sequence[Pair], extract: Extract, ours: Ours, peer: Peer) -> tuple[list[Compared], list[str]]:
    """Pairs that both connect from the same points, and a line for each that only one of them does."""
    both, alone = [], []
    for pair, ours_s in zip(pairs, ours.times_s(pairs), strict=True):
        theirs = peer.walk(*pair)
        if ours_s and theirs and theirs.time_s:
            mine = ours.walk(*pair)
            used = set(theirs.metres_of_way) | set(mine.metres_of_way if mine else ())
            climbs = any(id in extract.ways and extract.ways[id].climbs for id in used)
            crosses = mine is not None and any(id < 0 for id in mine.metres_of_way)
            both.append(Compared(pair, ours_s, theirs, climbs, crosses))
        elif ours_s or theirs:
            who = peer.name if ours_s else "us"
            alone.append(f"- no walk between these very points by {who}: {pair}")
    return both, alone


def ratios(rows: Iterable[Compared]) -> np.ndarray:
    return np.array([row.ratio for row in rows])


def distribution(name: str, which: str, rows: Iterable[Compared]) -> str:
    found = ratios(rows)
    low = np.percentile(found, [50, 5, 25, 75, 95])
    off = np.abs(found - 1)
    shares = [f"{100 * np.mean(off <= limit):.1f} %" for limit in (ALIKE, 0.10)]
    return f"| {name} | {which} | {len(found)} | " + " | ".join([f"{value:.3f}" for value in low] + shares) + " |"


def blame(row: Compared, extract: Extract, ours: Ours, peer: Peer) -> list[int]:
    """Ways of the quicker walk that the slower router does not have; none when it is delays or a closed gate."""
    if row.ratio > 1:
        return [id for id in row.theirs.metres_of_way if id not in ours.walked_ids]
    mine = ours.walk(*row.pair)
    if not mine:
        return []
    unknown = [id for id in mine.metres_of_way if id in extract.ways and not peer.knows(extract.ways[id])]
    # The outline of a square may be a way without tags, which the extract does not list.
    return unknown or [id for id in mine.metres_of_way if id < 0 or id not in extract.ways]


def named(id: int, extract: Extract) -> str:
    """What a way is called in the tables."""
    if id in extract.ways:
        return str(extract.ways[id])
    return "no way of its own" if id == -1 else "across a square"


def causes(rows: Sequence[Compared], extract: Extract, ours: Ours, peer: Peer) -> list[str]:
    """Ways that are behind the pairs outside 3 %, by how many pairs they are behind."""
    pairs: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows:
        if abs(row.ratio - 1) > ALIKE:
            side = "ours longer; only theirs" if row.ratio > 1 else "ours shorter; only ours"
            for id in blame(row, extract, ours, peer) or [-1]:
                pairs[side, named(id, extract)].append(row.ratio)
    ranked = sorted(pairs.items(), key=lambda item: -len(item[1]))
    return [f"| {side} | {way} | {len(off)} | {np.median(off):.3f} |" for (side, way), off in ranked]


def worst(rows: Sequence[Compared], extract: Extract, ours: Ours, peer: Peer, count: int) -> list[str]:
    """The pairs farthest off, each place at most once."""
    seen: set[Place] = set()
    lines = []
    for row in sorted(rows, key=lambda row: -abs(np.log(row.ratio))):
        if len(lines) == count or seen & set(row.pair):
            continue
        seen |= set(row.pair)
        ways = "; ".join(named(id, extract) for id in blame(row, extract, ours, peer))
        ends = " → ".join(f"{lon:.6f} {lat:.6f}" for lon, lat in row.pair)
        lines.append(f"| {row.ratio:.3f} | {row.ours_s:.0f} | {row.theirs.time_s:.0f} | {ends} | {ways} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("extract", type=Path)
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--worst", type=int, default=15)
    asked = parser.parse_args()
    extract, ours = read(asked.extract), Ours(asked.extract)
    with tempfile.TemporaryDirectory() as folder:
        peers: list[Peer] = [
            make(extract, Path(folder) / f"{make.__name__}-{level}", level=level)
            for make in (Osrm, Valhalla)
            for level in (False, True)
        ]
        report(extract, ours, peers, asked.pairs, asked.worst)


def report(extract: Extract, ours: Ours, peers: Sequence[Peer], count: int, tail: int) -> None:
    places = street_places(extract, ours, peers)
    pairs = random_pairs(places, count)
    print(", ".join(f"{name} {version(name)}" for name in ("osrm-bindings", "pyvalhalla")), end="; ")
    print(f"{len(pairs)} pairs of {len(places)} places, {NEAR_M:.0f}-{FAR_M:.0f} m apart, seed {SEED}\n")
    print("| ours / theirs | pairs | n | median | p5 | p25 | p75 | p95 | within 3 % | within 10 % |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    results = []
    for peer in peers:
        rows, alone = compare(pairs, extract, ours, peer)
        results.append((peer, rows, alone))
        print(distribution(peer.name, "all", rows))
        print(distribution(peer.name, "no stairs or lifts", [row for row in rows if not row.climbs]))
        level = [row for row in rows if not (row.climbs or row.crosses)]
        print(distribution(peer.name, "no stairs, lifts or squares", level))
    for peer, rows, alone in results:
        print(f"\n## {peer.name}: ways behind the pairs outside 3 %\n")
        print("| side | way | pairs | median ratio |\n|---|---|---|---|")
        print("\n".join(causes(rows, extract, ours, peer)[: 2 * tail]))
        print(f"\n## {peer.name}: the {tail} worst pairs, each place once\n")
        print("| ratio | ours s | theirs s | from → to | ways only the quicker has |\n|---|---|---|---|---|")
        print("\n".join(worst(rows, extract, ours, peer, tail)))
        print("\n".join(alone[:tail]))


if __name__ == "__main__":
    main()
