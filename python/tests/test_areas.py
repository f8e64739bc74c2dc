"""Areas on three levels: overlaps and gaps as shapely finds them, on made-up towns and on real districts."""

from __future__ import annotations

import itertools
import math

import geopandas
import h3
import numpy as np
import polars as pl
import pytest
import shapely
import shapely.affinity
from conftest import Data
from shapely.geometry.base import BaseGeometry
from towns import LAT, LON, degrees

import walkshed as ws

_, _UP = degrees(0, 1000)
NORTH_M = 1000 / (_UP - LAT)
EAST_M = 1000 / (degrees(1000, 0)[0] - LON)


def in_degrees(shape: BaseGeometry) -> BaseGeometry:
    return shapely.transform(shape, lambda at: at / (EAST_M, NORTH_M) + (LON, LAT))


def table(shapes: dict[str, BaseGeometry], **columns: object) -> geopandas.GeoDataFrame:
    data = {"area_id": list(shapes), **columns}
    return geopandas.GeoDataFrame(data, geometry=[in_degrees(shape) for shape in shapes.values()], crs=4326)


def tessellation(seed: int, side: int = 5) -> dict[str, shapely.Polygon]:
    """A made-up town of crooked blocks of about 400 m that share their corners."""
    random = np.random.default_rng(seed)
    corner = {
        (x, y): (400 * x + random.uniform(-120, 120), 400 * y + random.uniform(-120, 120))
        for x, y in itertools.product(range(side + 1), repeat=2)
    }
    around = [(0, 0), (1, 0), (1, 1), (0, 1)]
    return {
        f"{x}-{y}": shapely.Polygon([corner[x + dx, y + dy] for dx, dy in around])
        for x, y in itertools.product(range(side), repeat=2)
    }


def of(found: pl.DataFrame, finding: str) -> pl.DataFrame:
    return found.filter(pl.col("finding") == finding)


@pytest.mark.parametrize("seed", range(8))
def test_a_town_without_faults_has_none(seed: int) -> None:
    found = ws.check_areas(table(tessellation(seed)), progress=False)
    assert found.height == 0, found["message"].to_list()


@pytest.mark.parametrize("seed", range(8))
def test_planted_overlaps_are_found_as_shapely_measures_them(seed: int) -> None:
    shapes = tessellation(seed)
    random = np.random.default_rng(100 + seed)
    for name in random.choice(list(shapes), 3, replace=False):
        shapes[name] = shapes[name].buffer(random.uniform(5, 60), join_style="mitre")
    found = of(ws.check_areas(table(shapes), progress=False), "areas_overlap")
    pairs = dict(zip(zip(found["area_id"], found["neighbours"], strict=True), found["area_m2"], strict=True))
    expected = {
        (a, b): shapes[a].intersection(shapes[b]).area
        for a, b in itertools.combinations(shapes, 2)
        if shapes[a].intersection(shapes[b]).area > 1e-3
    }
    wide = {pair for pair in expected if width(shapes[pair[0]].intersection(shapes[pair[1]])) > 1.001}
    assert wide <= set(pairs) <= set(expected)
    for pair, area in pairs.items():
        assert area == pytest.approx(expected[pair], rel=1e-3, abs=1)


def width(shape: BaseGeometry) -> float:
    """The mean width of the widest piece, as a strip."""
    return max(2 * part.area / part.length for part in getattr(shape, "geoms", [shape]) if part.area > 0)


@pytest.mark.parametrize("seed", range(8))
def test_planted_gaps_are_found_as_shapely_measures_them(seed: int) -> None:
    shapes = tessellation(seed)
    random = np.random.default_rng(200 + seed)
    inner = [f"{x}-{y}" for x, y in itertools.product((1, 3), repeat=2)]
    lost, shrunk = random.choice(inner, 2, replace=False)
    del shapes[lost]
    whole = shapes[shrunk]
    shapes[shrunk] = whole.buffer(-random.uniform(3, 20))
    found = of(ws.check_areas(table(shapes), progress=False), "gap_between_areas")
    union = shapely.union_all(list(shapes.values()), grid_size=1e-3)
    holes = [shapely.Polygon(ring) for part in getattr(union, "geoms", [union]) for ring in part.interiors]
    expected = sorted(area for hole in holes if (area := shapely.difference(hole, union).area) > 1)
    assert len(expected) == 2
    assert found["area_m2"].sort().to_list() == pytest.approx(expected, rel=2e-3)


def test_the_people_of_an_overlap_are_those_of_its_part_of_the_cells() -> None:
    shapes = {"west": shapely.box(0, 0, 600, 800), "east": shapely.box(400, 0, 1200, 800)}
    overlap = shapely.box(400, 0, 600, 800)
    cells = h3.polygon_to_cells_experimental(h3.geo_to_h3shape(in_degrees(overlap.buffer(300))), 10, contain="overlap")
    people = {cell: float(number % 7) for number, cell in enumerate(sorted(cells))}
    frame = pl.DataFrame({"cell": list(people), "people": list(people.values())})
    found = ws.check_areas(table(shapes), frame, progress=False)
    hexagons = {cell: shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(cell)]) for cell in people}
    spot = in_degrees(overlap)
    shares = {cell: shape.intersection(spot).area / shape.area for cell, shape in hexagons.items()}
    assert found["finding"].to_list() == ["areas_overlap"]
    assert found["people"].item() == pytest.approx(sum(people[cell] * shares[cell] for cell in people), rel=1e-4)
    assert "重叠" in found["message_zh"].item()


def test_communities_leave_their_district_and_streets_between_estates_are_no_gaps() -> None:
    shapes: dict[str, BaseGeometry] = {
        "district": shapely.box(0, 0, 2000, 1000),
        "inside": shapely.box(0, 0, 1000, 1000),
        "outside": shapely.box(1000, 0, 2000, 1000 + 250),
        "estate 1": shapely.box(100, 100, 300, 300),
        "estate 2": shapely.box(320, 100, 500, 300),
    }
    levels = ["片区", "社区", "community", "小区", "小区"]
    parents = [None, "district", "district", "inside", "inside"]
    found = ws.check_areas(table(shapes, level=levels, parent_id=parents), progress=False)
    rows = found.select("area_id", "finding", "neighbours").rows()
    assert rows == [("outside", "outside_parent", "district")]
    assert found["share"].item() == pytest.approx(0.2, rel=1e-3)
    assert found["area_m2"].item() == pytest.approx(250_000, rel=1e-3)


def test_real_districts_meet_and_one_that_is_moved_overlaps(data: Data) -> None:
    """38 districts and counties of Chongqing, simplified together: no overlap, until one is moved."""
    districts = geopandas.read_file(data("chongqing") / "districts.geojson")
    districts = districts.assign(area_id=[str(row) for row in range(len(districts))])[["area_id", "geometry"]]
    found = ws.check_areas(districts, progress=False)
    assert set(found["finding"]) <= {"slivers"}
    moved = districts.geometry.copy()
    moved[0] = shapely.affinity.translate(moved[0], 0.01, 0)
    found = of(ws.check_areas(districts.set_geometry(moved), progress=False), "areas_overlap")
    albers = moved.to_crs("+proj=aea +lat_1=28 +lat_2=32 +lon_0=107 +datum=WGS84")
    others = [albers[0].intersection(albers[row]).area for row in range(1, len(districts))]
    assert found["area_id"].unique().to_list() == ["0"]
    assert found["area_m2"].sum() == pytest.approx(sum(others), rel=1e-3)


def test_codes_of_real_communities_stay_text(data: Data) -> None:
    """12-digit codes of Chongqing's communities on made-up squares, from a file where they are numbers."""
    villages = pl.read_csv(data("chongqing") / "villages.csv").head(400)
    side = math.ceil(math.sqrt(villages.height))
    squares = {
        str(row): shapely.box(100 * (row % side), 100 * (row // side), 100 * (row % side + 1), 100 * (row // side + 1))
        for row in range(villages.height)
    }
    columns = {"code": villages["code"].to_list(), "name": villages["name"].to_list(), "level": "社区"}
    found = ws.check_areas(table(squares, parent_id=villages["streetCode"].cast(pl.String).to_list(), **columns))
    assert villages.schema["code"] == pl.Int64
    assert set(found["finding"]) <= {"unknown_parent", "duplicate_name"}
    assert of(found, "unknown_parent").height == villages.height
    cut = [code // 1000 if row == 7 else code for row, code in enumerate(villages["code"])]
    found = ws.check_areas(table(squares, **(columns | {"code": cut})))
    assert of(found, "bad_code")["area_id"].to_list() == ["7"]


def test_the_age_groups_of_the_catalogue() -> None:
    groups = ws.age_groups()
    assert groups["group"].to_list() == [
        "all", "infant_0_2", "preschool_3_5", "primary_6_11", "junior_12_14", "child_0_14",
        "senior_60_plus", "senior_65_plus", "mobility_limited",
    ]  # fmt: skip
    ages = groups.select("first_age", "last_age").rows()
    assert ages[1] == (0, 2) and ages[6] == (60, None) and ages[8] == (None, None)
