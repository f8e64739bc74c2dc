"""What is taken out of an extract, against libosmium: homes with their floor area, and facilities by the catalogue."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import h3
import osmium
import polars as pl
import pytest
import shapely
import tomli
from pyproj import Geod

import walkshed as ws

DATASETS = Path(__file__).parents[2] / "datasets"
PEOPLE, RESOLUTION = 71_724.0, 11


@pytest.fixture(scope="module")
def extract(data: Any) -> Path:
    return data("helsinki") / "centre.osm.pbf"


@pytest.fixture(scope="module")
def run(extract: Path, tmp_path_factory: pytest.TempPathFactory) -> ws.RunResult:
    folder = tmp_path_factory.mktemp("extract")
    study = folder / "STUDY.toml"
    study.write_text(
        f"""
        [study]
        name = "extract"
        resolution = {RESOLUTION}
        [streets]
        osm = "{extract}"
        [facilities]
        osm = true
        [population]
        buildings = "osm"
        total = {PEOPLE}
        """
    )
    return ws.run(study, folder / "out", progress=False)


def floors(tags: dict[str, str], rules: dict[str, Any]) -> float | None:
    """Floors of a home by the rules, read once more from their file."""
    building, unstated = tags.get("building"), rules["unstated"]
    other = [key for key in unstated["other_use_keys"] if key in tags]
    if building in rules["residential_floors"]:
        usual = rules["residential_floors"][building]
    elif building in unstated["values"] and all(
        key == "building:use" and tags[key] in unstated["home_uses"] for key in other
    ):
        usual = unstated["floors"]
    else:
        return None
    try:
        tagged = float(tags["building:levels"])
    except (KeyError, ValueError):
        return float(usual)
    return tagged if rules["levels"]["least"] <= tagged <= rules["levels"]["most"] else float(usual)


def test_people_follow_the_floor_area_that_libosmium_and_proj_find(run: ws.RunResult, extract: Path) -> None:
    rules = tomli.loads((DATASETS / "building_rules.toml").read_text())
    factory, geod = osmium.geom.WKBFactory(), Geod(ellps="WGS84")
    floor_area_m2: Counter[int] = Counter()

    def ring_m2(ring: Any) -> float:
        return abs(geod.polygon_area_perimeter(*ring.xy)[0])

    class Homes(osmium.SimpleHandler):
        def area(self, area: Any) -> None:
            levels = floors({tag.k: tag.v for tag in area.tags}, rules)
            if levels is None:
                return
            shape = shapely.from_wkb(factory.create_multipolygon(area))
            m2 = sum(ring_m2(part.exterior) - sum(map(ring_m2, part.interiors)) for part in shape.geoms)
            cell = h3.latlng_to_cell(shape.centroid.y, shape.centroid.x, RESOLUTION)
            floor_area_m2[h3.str_to_int(cell)] += m2 * levels

    Homes().apply_file(str(extract))
    total = sum(floor_area_m2.values())
    found = dict(run.table("cells").select("cell", "people").iter_rows())
    assert found.keys() == floor_area_m2.keys()
    for cell, m2 in floor_area_m2.items():
        assert found[cell] == pytest.approx(PEOPLE * m2 / total, abs=1e-3)
    assert sum(found.values()) == pytest.approx(PEOPLE, rel=1e-9)


def strength(entry: dict[str, Any], tags: dict[str, str], name: str) -> int:
    """Keys of the best tag table that a feature fulfils; 0 when it is not of the class."""
    if any(part in name for part in entry.get("name_zh_none", [])):
        return 0
    confirmed = any(part in name for part in entry.get("name_zh_any", []))

    def fits(key: str, wanted: str | list[str]) -> bool:
        if key == "_name":
            return confirmed
        values = [wanted] if isinstance(wanted, str) else wanted
        return key in tags and ("*" in values or tags[key] in values)

    return max((len(table) for table in entry["osm"] if all(fits(*pair) for pair in table.items())), default=0)


def test_nodes_are_classified_as_the_catalogue_says(run: ws.RunResult, extract: Path) -> None:
    catalogue = tomli.loads((DATASETS / "facility_classes.toml").read_text())["class"]
    points = [entry for entry in catalogue if "point" in entry.get("geometry", ["point"])]
    expected: dict[str, set[str]] = defaultdict(set)
    for node in osmium.FileProcessor(str(extract), osmium.osm.NODE):
        tags = {tag.k: tag.v for tag in node.tags}
        name = tags.get("name", "") + tags.get("name:zh", "")
        strengths = {entry["id"]: strength(entry, tags, name) for entry in points}
        best = max(strengths.values())
        if best > 0:
            expected[next(name for name, keys in strengths.items() if keys == best)].add(f"node/{node.id}")
    facilities = run.table("facilities").filter(pl.col("id").str.starts_with("node/"))
    found = {name: set(rows["id"]) for (name,), rows in facilities.group_by("class")}
    # A class marked `multi` takes features of other classes in addition.
    multi = {entry["id"] for entry in catalogue if entry.get("multi")}
    assert {name: ids for name, ids in found.items() if name not in multi} == {
        name: ids for name, ids in expected.items() if name not in multi
    }
    assert sum(map(len, found.values())) > 500


def test_the_length_of_stairs_is_that_of_libosmium_and_proj(extract: Path) -> None:
    """Stairs, whose rule needs no more than their own tags; lengths by geodesics of PROJ."""
    geod = Geod(ellps="WGS84")
    metres = 0.0
    processor = osmium.FileProcessor(str(extract)).with_locations().with_filter(osmium.filter.KeyFilter("highway"))
    for way in processor:
        if not way.is_way():
            continue
        tags = {tag.k: tag.v for tag in way.tags}
        closed = tags.get("foot") in {"no", "use_sidepath"} or (
            tags.get("access") == "no" and tags.get("foot") not in {"yes", "designated", "permissive"}
        )
        if tags["highway"] != "steps" or closed or tags.get("conveying", "no") != "no":
            continue
        places = [(node.lon, node.lat) if node.location.valid() else None for node in way.nodes]
        for start, end in itertools.pairwise(places):
            if start and end:
                metres += geod.line_length(*zip(start, end, strict=True))
    kinds = ws.Network.from_osm(extract).summary().kinds
    found = dict(zip(kinds["kind"], kinds["length_km"], strict=True))
    assert found["steps"] * 1000 == pytest.approx(metres, abs=0.01)
