"""Streets, water and the sea beneath maps, held against shapely and towns that are made up."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import osmium
import polars as pl
import pytest
import shapely
from towns import Town

import walkshed as ws
from walkshed.maps import base_map, sea, wkb
from walkshed.maps.base_map import BaseMap
from walkshed.maps.box import Box, line_inside, ring_inside, simplified

BOX = Box(0.0, 0.0, 10.0, 8.0)
STREETS = {"line": pl.UInt32, "rank": pl.Int32, "lon": pl.Float64, "lat": pl.Float64}
WATER = {"polygon": pl.UInt32, "ring": pl.UInt32, "lon": pl.Float64, "lat": pl.Float64}


class Extract:
    """An extract of OpenStreetMap of ways by their corners."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[float, float], int] = {}
        self._ways: list[tuple[list[int], dict[str, str]]] = []

    def way(self, corners: list[tuple[float, float]], **tags: str) -> Extract:
        ids = [self._nodes.setdefault(corner, len(self._nodes) + 1) for corner in corners]
        self._ways.append((ids, tags))
        return self

    def write(self, path: Path) -> Path:
        writer = osmium.SimpleWriter(str(path))
        for place, number in self._nodes.items():
            writer.add_node(osmium.osm.mutable.Node(id=number, location=place))
        for number, (ids, tags) in enumerate(self._ways, 1):
            writer.add_way(osmium.osm.mutable.Way(id=number, nodes=ids, tags=tags))
        writer.close()
        return path


def run_of(folder: Path, streets: dict[str, Any], *, system: str = "wgs84") -> ws.RunResult:
    """A run with two cells at the ends of a town, 1 km from each other."""
    cells = pl.DataFrame({"cell": [1, 2], "lon": [106.50, 106.51], "lat": [29.50, 29.506]})
    cells.write_parquet(folder / "cells.parquet")
    study = {
        "study": {"name": "town", "analysis_crs": system},
        "streets": {"osm": None, "overture": None} | streets,
        "facilities": {"osm": False},
    }
    (folder / "run.json").write_text(json.dumps({"study": study}), "utf-8")
    return ws.RunResult.load(folder)


def shares_water(base: BaseMap, lon: float, lat: float) -> bool:
    """Whether a place is in the water, by shapely."""
    polygons = []
    for _, rings in base.water.group_by("polygon", maintain_order=True):
        parts = rings.group_by("ring", maintain_order=True).agg("lon", "lat").select("lon", "lat").rows()
        outline, *holes = [list(zip(*ring, strict=True)) for ring in parts]
        polygons.append(shapely.Polygon(outline, holes))
    return any(polygon.contains(shapely.Point(lon, lat)) for polygon in polygons)


@pytest.fixture
def town(tmp_path: Path) -> Path:
    return (
        Extract()
        .way([(106.500, 29.500), (106.505, 29.503), (106.510, 29.506)], highway="primary")
        .way([(106.502, 29.500), (106.502, 29.505)], highway="residential")
        .way([(106.504, 29.500), (106.504, 29.505)], highway="steps")
        .way([(106.90, 29.50), (106.91, 29.50)], highway="primary")
        .way([(106.505, 29.504), (106.507, 29.504), (106.507, 29.505), (106.505, 29.505), (106.505, 29.504)],
             natural="water")
        .way([(106.40, 29.5012), (106.60, 29.5012)], natural="coastline")
        .write(tmp_path / "town.osm.pbf")
    )  # fmt: skip


def test_streets_are_ranked_and_those_far_away_left_out(town: Path, tmp_path: Path) -> None:
    base = base_map.of_run(run_of(tmp_path, {"osm": str(town)}))
    assert dict(base.streets.schema) == STREETS
    assert base.streets.group_by("line").agg(pl.first("rank")).get_column("rank").sort().to_list() == [0, 1, 3]
    assert base.streets["lon"].max() < 106.52
    assert base.source == "Streets 道路 © OpenStreetMap contributors"


def test_corners_of_a_straight_street_are_dropped(town: Path, tmp_path: Path) -> None:
    base = base_map.of_run(run_of(tmp_path, {"osm": str(town)}))
    assert base.streets.filter(pl.col("rank") == 3).select("lon", "lat").rows() == [(106.50, 29.50), (106.51, 29.506)]


def test_lakes_and_the_sea_to_the_right_of_the_coast_are_water(town: Path, tmp_path: Path) -> None:
    base = base_map.of_run(run_of(tmp_path, {"osm": str(town)}))
    assert dict(base.water.schema) == WATER
    assert shares_water(base, 106.506, 29.5045)  # the lake
    assert shares_water(base, 106.509, 29.5005)  # south of a coast that is drawn from west to east
    assert not shares_water(base, 106.509, 29.5030)


def test_a_synthetic_city_says_so(town: Path, tmp_path: Path) -> None:
    (tmp_path / "synthetic.json").write_text("{}")
    assert "SYNTHETIC 合成数据" in base_map.of_run(run_of(tmp_path, {"osm": str(town)})).source


@pytest.mark.parametrize("streets", ["osm", "overture"])
def test_a_run_that_is_synthetic_says_so_wherever_its_files_are(streets: str, town: Path, tmp_path: Path) -> None:
    run = run_of(tmp_path, {streets: str(tmp_path / "gone" / "streets.pbf"), "connectors": None})
    run.report["synthetic"] = True
    assert base_map.credit_of(run).startswith("SYNTHETIC 合成数据")
    assert base_map.of_run(run).source.startswith("SYNTHETIC 合成数据")
    run.report["synthetic"] = False
    assert "SYNTHETIC" not in base_map.credit_of(run)


@pytest.mark.parametrize("streets", ["osm", "overture"])
@pytest.mark.parametrize("system", ["wgs84", "gcj02"])
@pytest.mark.parametrize("fault", ["gone", "broken"])
def test_the_credit_names_no_folder_of_the_machine(streets: str, system: str, fault: str, tmp_path: Path) -> None:
    file = tmp_path / f"my {fault}.osm.pbf"
    if fault == "broken":
        file.write_bytes(b"neither a map nor a table")
    run = run_of(tmp_path, {streets: str(file), "connectors": str(file)}, system=system)
    source = base_map.of_run(run).source
    assert file.name in source and "without streets" in source
    assert str(tmp_path) not in source and "/" not in source


@pytest.mark.parametrize("lacking", ["file", "pyogrio", "streets"])
def test_what_cannot_be_drawn_is_told_and_stops_nothing(
    lacking: str, town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = {"file": "gone.osm.pbf", "pyogrio": "pip install walkshed", "streets": "no street"}[lacking]
    path = tmp_path / "gone.osm.pbf" if lacking == "file" else town
    if lacking == "pyogrio":
        monkeypatch.setitem(sys.modules, "pyogrio", None)
    if lacking == "streets":
        path = Extract().way([(10.0, 50.0), (10.1, 50.0)], highway="primary").write(tmp_path / "far.osm.pbf")
    base = base_map.of_run(run_of(tmp_path, {"osm": str(path)}))
    assert base.streets.is_empty() and base.water.is_empty()
    assert reason in base.source
    assert dict(base.streets.schema) == STREETS


def test_too_many_streets_lose_the_small_ones_first(
    town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_map, "MOST_CORNERS", 4)
    base = base_map.of_run(run_of(tmp_path, {"osm": str(town)}))
    assert set(base.streets["rank"]) == {1, 3}
    assert "小路未画" in base.source


def test_streets_of_overture_are_ranked_by_class(tmp_path: Path) -> None:
    line = shapely.LineString([(106.50, 29.50), (106.51, 29.503)])
    rows = {"subtype": ["road", "road", "rail"], "class": ["primary", "footway", "subway"]}
    pl.DataFrame(rows | {"geometry": [shapely.to_wkb(line)] * 3}).write_parquet(tmp_path / "segments.parquet")
    base = base_map.of_run(run_of(tmp_path, {"overture": str(tmp_path / "segments.parquet"), "connectors": None}))
    assert base.streets.group_by("line", maintain_order=True).agg(pl.first("rank"))["rank"].to_list() == [0, 3]
    assert "Overture Maps Foundation" in base.source


def test_streets_move_with_an_analysis_in_gcj_02(tmp_path: Path) -> None:
    corners = [(106.5001, 29.5045), (106.5031, 29.5055), (106.5059, 29.5045)]
    path = Extract().way(corners, highway="primary").write(tmp_path / "town.osm.pbf")
    plain = base_map.of_run(run_of(tmp_path, {"osm": str(path), "connectors": None}))
    moved = base_map.of_run(run_of(tmp_path, {"osm": str(path), "connectors": None}, system="gcj02"))
    west, there = plain.streets["lon"].min(), moved.streets["lon"].min()
    assert there - west == pytest.approx(0.0036, abs=0.0012)  # some 300 m east in Chongqing
    assert "without water" in moved.source


def test_the_map_of_a_network_is_its_streets() -> None:
    town = Town().corner("a", 0, 0).corner("b", 300, 0).corner("c", 300, 200)
    net = town.way("a", "b", 300, "street").way("b", "c", 200, "steps").network()
    base = base_map.of_network(net)
    assert base.streets.group_by("line", maintain_order=True).agg(pl.first("rank"), pl.len()).rows() == [
        (0, 0, 2),
        (1, 1, 2),
    ]
    assert base.water.is_empty() and base.source == ""


def test_helsinki_has_streets_around_its_cells_and_water(helsinki_run: ws.RunResult) -> None:
    base = base_map.of_run(helsinki_run)
    cells = helsinki_run.table("cells")
    assert base.streets["line"].n_unique() > 1000
    assert base.streets["lon"].is_between(cells["lon"].min() - 0.05, cells["lon"].max() + 0.05).all()  # type: ignore[operator]
    assert not base.water.is_empty()
    assert base.source == "Streets and facilities 道路与设施 © OpenStreetMap contributors"


LINES = [
    [(-2.0, 4.0), (12.0, 4.0)],
    [(1.0, 1.0), (5.0, 9.0), (9.0, 1.0), (9.5, -3.0), (3.0, 3.0)],
    [(2.0, 2.0), (3.0, 3.0)],
    [(-1.0, -1.0), (-2.0, 5.0)],
    [(0.0, -5.0), (0.0, 20.0)],
]


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_cut_where_shapely_cuts_it(line: list[tuple[float, float]]) -> None:
    ours = shapely.MultiLineString(line_inside(line, BOX))
    theirs = shapely.intersection(shapely.LineString(line), shapely.box(0, 0, 10, 8))
    assert ours.length == pytest.approx(theirs.length)
    assert shapely.hausdorff_distance(ours, theirs) < 1e-9 or (ours.is_empty and theirs.is_empty)


@pytest.mark.parametrize(
    "ring",
    [
        [(1.0, 1.0), (4.0, 1.0), (4.0, 4.0), (1.0, 1.0)],
        [(-3.0, 2.0), (13.0, 2.0), (13.0, 5.0), (-3.0, 5.0), (-3.0, 2.0)],
        [(5.0, -4.0), (15.0, 4.0), (5.0, 12.0), (-5.0, 4.0), (5.0, -4.0)],
        [(20.0, 20.0), (21.0, 20.0), (21.0, 21.0), (20.0, 20.0)],
    ],
)
def test_a_ring_is_cut_where_shapely_cuts_it(ring: list[tuple[float, float]]) -> None:
    theirs = shapely.intersection(shapely.Polygon(ring), shapely.box(0, 0, 10, 8))
    ours = ring_inside(ring, BOX)
    if theirs.is_empty:
        assert ours == []
    else:
        assert ours[0] == ours[-1]
        assert shapely.symmetric_difference(shapely.Polygon(ours), theirs).area == pytest.approx(0, abs=1e-9)


def test_a_simplified_line_stays_within_the_tolerance_and_keeps_its_ends() -> None:
    line = [(step / 50, math.sin(step / 9) + 0.01 * math.cos(step * 3.7)) for step in range(400)]
    kept = simplified(line, 0.05, 1.0)
    assert kept[0] == line[0] and kept[-1] == line[-1]
    assert len(kept) < len(line) / 5
    assert set(kept) <= set(line)
    assert shapely.hausdorff_distance(shapely.LineString(line), shapely.LineString(kept)) <= 0.05 + 1e-12


SHAPES = [
    shapely.Point(1, 2),
    shapely.MultiPoint([(1, 2), (3, 4)]),
    shapely.LineString([(0, 0, 7), (1, 1, 8)]),
    shapely.MultiLineString([[(0, 0), (1, 1)], [(2, 2), (3, 5)]]),
    shapely.Polygon([(0, 0), (4, 0), (4, 4)], [[(1, 0.5), (2, 0.5), (2, 1)]]),
    shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(2, 2, 3, 3)]),
    shapely.GeometryCollection([shapely.Point(5, 5), shapely.box(0, 0, 1, 1)]),
    shapely.Point(),
]


@pytest.mark.parametrize("flavor", ["iso", "extended"])
@pytest.mark.parametrize("byte_order", [0, 1])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.geom_type)
def test_shapes_are_read_as_shapely_writes_them(shape: Any, byte_order: int, flavor: str) -> None:
    told = shapely.to_wkb(shape, byte_order=byte_order, flavor=flavor)
    parts = [part for part in shapely.get_parts(shape) if not part.is_empty]
    assert wkb.points(told) == [(part.x, part.y) for part in parts if part.geom_type == "Point"]
    plain = [shapely.force_2d(part) for part in parts]
    assert wkb.lines(told) == [list(part.coords) for part in plain if part.geom_type == "LineString"]
    polygons = [part for part in plain if part.geom_type == "Polygon"]
    assert wkb.polygons(told) == [[list(ring.coords) for ring in (p.exterior, *p.interiors)] for p in polygons]


def area_of_sea(coasts: list[list[tuple[float, float]]]) -> float:
    polygons = [shapely.Polygon(outline, holes) for outline, *holes in sea.of_coast(coasts, BOX)]
    assert all(polygon.is_valid for polygon in polygons)
    return sum(polygon.area for polygon in polygons)


SOUTHWARD = [(4.0, 9.0), (4.0, 5.0), (4.0, -1.0)]
ISLAND = [(1.0, 1.0), (2.0, 1.0), (2.0, 2.0), (1.0, 2.0), (1.0, 1.0)]


def test_the_sea_is_on_the_right_of_the_coast() -> None:
    assert area_of_sea([SOUTHWARD]) == pytest.approx(4 * 8)
    assert area_of_sea([SOUTHWARD[::-1]]) == pytest.approx(6 * 8)


def test_pieces_of_a_coast_are_joined_whatever_their_order() -> None:
    assert area_of_sea([SOUTHWARD[1:], SOUTHWARD[:2]]) == pytest.approx(4 * 8)


def test_islands_are_no_sea() -> None:
    assert area_of_sea([SOUTHWARD, ISLAND]) == pytest.approx(4 * 8 - 1)
    assert area_of_sea([ISLAND]) == pytest.approx(80 - 1)


def test_a_strait_lies_between_two_coasts() -> None:
    assert area_of_sea([[(2.0, -1.0), (2.0, 9.0)], [(8.0, 9.0), (8.0, -1.0)]]) == pytest.approx(6 * 8)


def test_a_headland_that_leaves_the_map_makes_two_seas() -> None:
    # Sea in the west and in the east of land that is as high as the map.
    assert area_of_sea([[(4.0, 9.0), (4.0, -1.0)], [(6.0, -1.0), (6.0, 9.0)]]) == pytest.approx(4 * 8 + 4 * 8)


def test_a_coast_that_ends_shortly_before_the_border_is_led_to_it() -> None:
    assert area_of_sea([[(4.0, 7.5), (4.0, 0.5)]]) == pytest.approx(4 * 8)


def test_a_coast_that_ends_in_the_middle_draws_no_sea() -> None:
    assert sea.of_coast([[(4.0, 9.0), (4.0, 4.0)]], BOX) == []
