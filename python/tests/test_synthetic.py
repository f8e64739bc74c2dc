"""The synthetic city: what it holds, read with other libraries; who may be replaced; what is refused."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import geopandas
import numpy as np
import osmium
import polars as pl
import pytest
from PIL import Image

import walkshed as ws
from walkshed import cli


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> ws.SyntheticCity:
    return ws.synth(tmp_path_factory.mktemp("synthetic") / "city", nodes=5000, seed=3, progress=False)


def test_libosmium_reads_the_extract(city: ws.SyntheticCity) -> None:
    kinds: Counter[str] = Counter()
    for thing in osmium.FileProcessor(city.folder / "streets.osm.pbf").with_locations():
        if isinstance(thing, osmium.osm.Way):
            assert thing.tags["source"] == "synthetic 合成"
            assert all(node.location.valid() for node in thing.nodes)
            kinds.update(key for key in ("building", "bridge", "tunnel", "conveying") if key in thing.tags)
            kinds[thing.tags.get("highway", thing.tags.get("barrier", "other"))] += 1
    assert kinds["building"] == city.report["buildings"]
    assert min(kinds[kind] for kind in ("steps", "elevator", "bridge", "tunnel", "conveying", "footway")) > 0


def test_gdal_reads_the_extract_and_no_house_stands_in_the_rivers(city: ws.SyntheticCity) -> None:
    path = city.folder / "streets.osm.pbf"
    streets = geopandas.read_file(path, layer="lines")
    assert streets["highway"].notna().sum() > city.report["junctions"]
    water = geopandas.read_file(path, layer="multipolygons", where="natural = 'water'")
    assert sorted(water["name"]) == ["synthetic main river 合成干流", "synthetic side river 合成支流"]
    assert water.is_valid.all() and water["geometry"].map(lambda river: len(river.geoms[0].interiors)).sum() == 1
    houses = geopandas.read_parquet(city.folder / "buildings.parquet")
    assert len(houses) == city.report["buildings"] and not houses.intersects(water.union_all()).any()
    bridges = streets[streets["other_tags"].str.contains('"bridge"=>"yes"') & (streets["highway"] == "secondary")]
    assert len(bridges) and bridges.intersects(water.union_all()).all()


def test_people_are_the_same_in_every_table(city: ws.SyntheticCity) -> None:
    columns = ["people", "households", "infant_0_2", "child_0_14", "senior_60_plus", "mobility_limited"]
    names = ("buildings", "population_cells", "population_communities")
    sums = [pl.read_parquet(city.folder / f"{name}.parquet").select(columns).sum().row(0) for name in names]
    assert sums[0] == sums[1] == sums[2]
    assert sums[0][0] == city.report["people"]
    areas = pl.read_parquet(city.folder / "communities.parquet")
    assert areas.group_by("level").agg(pl.col("people").sum())["people"].to_list() == [city.report["people"]] * 3


def test_every_parent_holds_its_communities(city: ws.SyntheticCity) -> None:
    areas = geopandas.read_parquet(city.folder / "communities.parquet").to_crs(32648).set_index("area_id")
    children = areas[areas["parent_id"].notna()]
    assert set(children["parent_id"]) <= set(areas.index)
    for _, child in children.iterrows():
        outside = child.geometry.difference(areas.geometry[child["parent_id"]]).area
        assert outside < 1e-3
    assert areas["code"].str.fullmatch(r"99\d{10}").all() and areas["code"].is_unique


def test_a_network_and_a_run_know_that_it_is_made_up(city: ws.SyntheticCity, tmp_path: Path) -> None:
    streets = (city.folder / "streets.osm.pbf").rename(tmp_path / "elsewhere.osm.pbf")
    try:
        net = ws.Network.from_osm(streets, progress=False)
    finally:
        streets.rename(city.folder / "streets.osm.pbf")
    net.save(tmp_path / "net")
    assert net.synthetic and ws.Network.load(tmp_path / "net").synthetic
    nodes = pl.DataFrame({"id": ["a", "b"], "lon": [106.55, 106.551], "lat": [29.56, 29.56]})
    edges = pl.DataFrame({"from": ["a"], "to": ["b"], "length_m": [100.0]})
    assert not ws.Network.from_tables(nodes, edges).synthetic


def test_the_study_runs_as_it_is(city: ws.SyntheticCity, tmp_path: Path) -> None:
    result = ws.run(city.study, tmp_path / "out", progress=False)
    report = result.report
    assert report["people"]["in_cells"] == pytest.approx(city.report["people"], rel=1e-9)
    assert len(report["facilities"]) == 30
    assert report["network"]["nodes"] == pytest.approx(5000, rel=0.1)
    assert report["rejected"] == {} and report["synthetic"] is True


@pytest.mark.parametrize(("nodes", "seed"), [(999, 1), (5_000_001, 1), (1000, -1), (1000, 2**80)])
def test_numbers_outside_their_ranges_are_refused(nodes: int, seed: int, tmp_path: Path) -> None:
    with pytest.raises(ws.InputError, match="expected"):
        ws.synth(tmp_path / "city", nodes=nodes, seed=seed)
    assert list(tmp_path.iterdir()) == []


def test_only_a_synthetic_city_is_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "city"
    for seed in ("1", "2"):
        assert cli.main(["synth", str(target), "--nodes", "1000", "--seed", seed, "--quiet"]) == 0
    assert "SYNTHETIC 合成数据" in capsys.readouterr().out
    (target / "synthetic.json").rename(target / "run.json")
    assert cli.main(["synth", str(target), "--nodes", "1000", "--quiet"]) == 1


class Terrain:
    """Heights of the raster, read by Pillow, between four pixels."""

    def __init__(self, path: Path) -> None:
        image = Image.open(path)
        self.heights = np.asarray(image)
        (self.step_x, self.step_y, _), tie = image.tag_v2[33550], image.tag_v2[33922]
        self.west, self.north = tie[3], tie[4]

    def at(self, lon: float, lat: float) -> float:
        y, row = math.modf((self.north - lat) / self.step_y)
        x, column = math.modf((lon - self.west) / self.step_x)
        square = self.heights[int(row) : int(row) + 2, int(column) : int(column) + 2]
        return float(np.array([1 - y, y]) @ square @ np.array([1 - x, x]))


def test_stairs_climb_as_the_terrain_does_and_bridges_cross_water(city: ws.SyntheticCity) -> None:
    terrain = Terrain(city.folder / "terrain.tif")
    water = float(terrain.heights.min())
    told, rises, dry = [], [], 0
    for way in osmium.FileProcessor(city.folder / "streets.osm.pbf").with_locations():
        if not isinstance(way, osmium.osm.Way):
            continue
        first, last = way.nodes[0], way.nodes[-1]
        if "step_count" in way.tags:
            steps = int(way.tags["step_count"])
            told.append(0.16 * (steps if way.tags["incline"] == "up" else -steps))
            rises.append(terrain.at(last.lon, last.lat) - terrain.at(first.lon, first.lat))
        elif way.tags.get("highway") == "secondary" and "bridge" in way.tags:
            between = [(k * last.lon + (40 - k) * first.lon, k * last.lat + (40 - k) * first.lat) for k in range(41)]
            dry += min(terrain.at(lon / 40, lat / 40) for lon, lat in between) > water + 1
    assert dry == 0
    # Half a step, and what pixels of 30 m smooth away; more where the bank of a river falls between two of them.
    wrong = np.abs(np.subtract(told, rises))
    assert np.median(wrong) < 0.5
    assert np.corrcoef(told, rises)[0, 1] > 0.98


# Faults for which a row is left out; the others are told of rows that are kept.
LEFT_OUT = {
    "swapped_lon_lat",
    "not_snapped",
    "out_of_range",
    "missing_value",
    "not_a_date",
    "unclassified",
    "duplicate_id",
    "not_a_cell",
}


def test_every_planted_fault_is_found_and_nothing_else_left_out(city: ws.SyntheticCity, tmp_path: Path) -> None:
    planted = ws.plant_faults(city, tmp_path / "faulty").select("file", "row", "fault")
    validation = ws.validate(tmp_path / "faulty" / "STUDY.toml", progress=False)
    found = validation.findings.select("file", pl.col("row").cast(pl.Int64), fault="reason")
    assert planted.join(found, on=planted.columns, how="anti").rows() == []
    rejected = validation.rejected.select("file", pl.col("row").cast(pl.Int64), fault="reason")
    assert sorted(rejected.rows()) == sorted(planted.filter(pl.col("fault").is_in(LEFT_OUT)).rows())
    with pytest.raises(FileExistsError):
        ws.plant_faults(city, tmp_path / "faulty")


DEMO = Path(__file__).parents[2] / "datasets" / "demo.py"


def test_the_demonstration_falls_back_to_a_synthetic_city_without_network(tmp_path: Path) -> None:
    no_index = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    done = subprocess.run(
        [sys.executable, DEMO, tmp_path / "demo"],
        env=os.environ | no_index,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "SYNTHETIC" in done.stderr and "合成" in done.stderr
    assert (tmp_path / "demo" / "synthetic_run" / "run.json").is_file()
    assert (tmp_path / "demo" / "synthetic.png").is_file()
