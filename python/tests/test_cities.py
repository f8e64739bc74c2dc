"""Real extracts: what is in the network is what libosmium counts in the file, less what is listed as left out."""

from __future__ import annotations

import hashlib
import itertools
import warnings
from pathlib import Path

import osmium
import polars as pl
import pytest
from conftest import Data

import walkshed as ws

CITIES = {
    "helsinki": ("centre.osm.pbf", None),
    "munich": ("centre.osm.pbf", None),
    "porto_alegre": ("streets.osm.pbf", "elevation.tif"),
    "heidelberg": ("streets.osm.pbf", None),
    "portland": ("streets.osm.pbf", "elevation_west.tif"),
}


def built(data: Data, city: str) -> tuple[Path, ws.Network]:
    """The extract and its network, built without a warning."""
    streets, heights = CITIES[city]
    folder = data(city)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return folder / streets, ws.Network.from_osm(folder / streets, elevation=heights and folder / heights)


def counts(extract: Path) -> dict[str, set[int]]:
    """Ids of stairs and escalators whose nodes are there, and of lifts that any way comes to, by libosmium alone."""
    found: dict[str, set[int]] = {"steps": set(), "escalator": set(), "lift": set()}
    lift_nodes = {
        node.id
        for node in osmium.FileProcessor(str(extract), osmium.osm.NODE)
        if node.tags.get("highway") == "elevator"
    }
    for way in osmium.FileProcessor(str(extract)).with_locations():
        if not way.is_way():
            continue
        tags = {tag.k: tag.v for tag in way.tags}
        known = [node.location.valid() for node in way.nodes]
        walkable = any(a and b for a, b in itertools.pairwise(known))
        if not walkable:
            continue
        moving = tags.get("conveying", "no") != "no"
        if tags.get("highway") == "steps":
            found["escalator" if moving else "steps"].add(way.id)
        elif tags.get("highway") in {"footway", "path", "pedestrian", "corridor"} and moving:
            found["escalator"].add(way.id)
        elif tags.get("highway") == "elevator":
            found["lift"].add(way.id)
        if tags.get("highway") or tags.get("railway") == "platform" or tags.get("public_transport") == "platform":
            found["lift"] |= {node.ref for node in way.nodes if node.ref in lift_nodes}
    return found


@pytest.mark.parametrize("city", CITIES)
def test_stairs_escalators_and_lifts_are_those_of_the_extract_less_the_listed_exclusions(data: Data, city: str) -> None:
    extract, net = built(data, city)
    summary = net.summary()
    left_out = dict(summary.left_out.group_by("kind").agg(pl.col("ways").sum()).iter_rows())
    in_network = dict(summary.kinds.select("kind", "ways").iter_rows())
    expected = counts(extract)
    assert len(expected["steps"]) > 100
    for kind in ("steps", "escalator"):
        assert in_network.get(kind, 0) + left_out.get(kind, 0) == len(expected[kind]), kind
    excluded = left_out.get("lift", 0) + summary.lifts_to_nowhere + summary.lift_nodes_left_out
    assert in_network.get("lift", 0) + excluded == len(expected["lift"])


@pytest.mark.parametrize("city", CITIES)
def test_a_city_is_built_to_the_same_bytes_and_comes_back_from_its_file(data: Data, city: str, tmp_path: Path) -> None:
    nets = [built(data, city)[1] for _ in range(2)]
    hashes = set()
    for number, net in enumerate(nets):
        net.save(tmp_path / f"{number}.network")
        hashes.add(hashlib.sha256((tmp_path / f"{number}.network").read_bytes()).hexdigest())
    assert len(hashes) == 1
    again = ws.Network.load(tmp_path / "0.network")
    assert str(again.summary()) == str(nets[0].summary())
    assert again.edges(profile="senior").equals(nets[0].edges(profile="senior"))


def test_every_height_of_porto_alegre_has_a_source(porto_alegre: ws.Network) -> None:
    heights = porto_alegre.summary().heights
    assert sum(heights.values()) == pytest.approx(1)
    assert heights["sampled"] > 0.95 and 0.005 < heights["interpolated"] < 0.05
