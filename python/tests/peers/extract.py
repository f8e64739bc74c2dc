"""The extract as osmium reads it: what the engine makes of it is what is compared, so nothing of it is used here."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import osmium

Place = tuple[float, float]
"""Longitude and latitude in degrees."""

# Tags that the peers' rules and ours look at, in the order in which they say why a way is (not) walked.
TELLING = (
    "highway",
    "railway",
    "man_made",
    "amenity",
    "route",
    "public_transport",
    "foot",
    "access",
    "area",
    "conveying",
    "sidewalk",
    "surface",
    "service",
    "indoor",
    "tunnel",
)
# Nodes with two sides: a place on one may be joined to either.
DOORS = ("barrier", "entrance", "access", "foot")
CLIMBING = ("steps", "elevator")


@dataclass
class Way:
    id: int
    tags: dict[str, str]
    nodes: list[int]

    @property
    def climbs(self) -> bool:
        """Whether stairs, an escalator or a lift: left out of the comparison of level walks."""
        return self.tags.get("highway") in CLIMBING or self.tags.get("conveying", "no") != "no"

    @property
    def off_ground(self) -> bool:
        """On a bridge or in a tunnel, above or below which another way may pass within a metre."""
        return any(self.tags.get(key, "no") != "no" for key in ("bridge", "tunnel"))

    def __str__(self) -> str:
        told = " ".join(f"{key}={self.tags[key]}" for key in TELLING if key in self.tags)
        return f"{self.id} ({told})"


@dataclass
class Extract:
    path: Path
    ways: dict[int, Way] = field(default_factory=dict)
    places: dict[int, Place] = field(default_factory=dict)
    doors: set[int] = field(default_factory=set)
    ways_of_node: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    ways_of_pair: dict[frozenset[int], set[int]] = field(default_factory=lambda: defaultdict(set))

    def segments(self, way: Way) -> Iterator[tuple[int, int]]:
        """Neighbouring nodes whose places the extract holds; a cut extract lacks some."""
        return ((a, b) for a, b in pairwise(way.nodes) if a in self.places and b in self.places and a != b)

    def middle(self, way: Way) -> tuple[Place, frozenset[int]]:
        """The middle of the longest segment, and its nodes: far from the nodes that a way shares with others."""
        a, b = max(self.segments(way), key=lambda pair: metres(self.places[pair[0]], self.places[pair[1]]))
        (west, south), (east, north) = self.places[a], self.places[b]
        return ((west + east) / 2, (south + north) / 2), frozenset((a, b))


def read(path: Path) -> Extract:
    """Read every way that has a tag which could make people walk on it, and all places."""
    extract = Extract(path)
    for thing in osmium.FileProcessor(str(path)):
        if thing.is_node():
            extract.places[thing.id] = (thing.location.lon, thing.location.lat)
            if any(key in thing.tags for key in DOORS) or thing.tags.get("highway") == "elevator":
                extract.doors.add(thing.id)
        elif thing.is_way() and any(key in thing.tags for key in TELLING[:6]):
            extract.ways[thing.id] = Way(thing.id, dict(thing.tags), [node.ref for node in thing.nodes])
    for way in extract.ways.values():
        for node in way.nodes:
            extract.ways_of_node[node].add(way.id)
        for pair in extract.segments(way):
            extract.ways_of_pair[frozenset(pair)].add(way.id)
    return extract


def metres(a: Place, b: Place) -> float:
    """Straight distance, good to a percent over a city: it picks pairs, no ratio is made of it."""
    north = (b[1] - a[1]) * 111_200
    east = (b[0] - a[0]) * 111_200 * math.cos(math.radians(a[1]))
    return math.hypot(north, east)
