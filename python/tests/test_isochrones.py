"""Isochrones: shapes drawn by hand, and those of a real city against shapely, GeoPandas and the table of times."""

from __future__ import annotations

import math
from itertools import pairwise

import geopandas
import h3
import polars as pl
import pytest
import shapely
from towns import degrees, main_street, places

import walkshed as ws

WORLD_EQUAL_AREA, UTM_22S = "EPSG:6933", "EPSG:32722"


@pytest.fixture(scope="module")
def points(hexgrid: pl.DataFrame) -> pl.DataFrame:
    return hexgrid.gather_every(60).select("id", "lon", "lat")


@pytest.fixture(scope="module")
def shapes(porto_alegre: ws.Network, points: pl.DataFrame) -> geopandas.GeoDataFrame:
    return porto_alegre.isochrones(points).to_geopandas()


def test_a_shape_is_the_ground_beside_the_street_as_far_as_the_time_lasts() -> None:
    net = main_street().network()
    (row,) = net.isochrones(places({"shop": (133, 0)}), minutes=[1]).to_geopandas().itertuples()
    assert (row.id, row.minutes) == ("shop", 1.0)
    # Sixty seconds are 79.8 m: a circle of 25 m that goes 54.8 m to each side, a tip, and the stairs.
    reach_m = 60 * 1.33
    for inside in [(133 - reach_m + 1, 0), (133 + reach_m - 1, 0), (100, 24), (133, 26), (133 + reach_m - 25, 24)]:
        assert row.geometry.contains(shapely.Point(degrees(*inside))), inside
    for outside in [(133 - reach_m - 1, 0), (100, 26), (133 + reach_m - 1, 12), (133, 80)]:
        assert not row.geometry.contains(shapely.Point(degrees(*outside))), outside
    level_m2 = 2 * (reach_m - 25) * 50 + math.pi * 25**2
    assert level_m2 < row.area_m2 < level_m2 + 60 * 30


def test_one_row_for_each_of_the_minutes_in_their_order_and_reasons_where_there_is_no_shape() -> None:
    net = main_street().network()
    table = net.isochrones(places({7: (0, 0), 9: (0, 133), 8: (0, 3000)}), minutes=[15, 1])
    rows = table.to_polars()
    assert rows["id"].to_list() == [7, 7, 9, 9, 8, 8]
    assert rows["minutes"].to_list() == [15.0, 1.0] * 3
    # 133 m to the street are a hundred seconds.
    assert rows["reason"].to_list() == [None, None, None, "beyond_cutoff", "not_snapped", "not_snapped"]
    assert (rows["area_m2"].is_null() == rows["reason"].is_not_null()).all()
    frame = table.to_geopandas()
    assert (frame.geometry.isna().to_numpy() == rows["reason"].is_not_null().to_numpy()).all()
    assert len(table) == 6 and "GeoTable" in repr(table)


def test_stairs_down_reach_farther_than_stairs_up() -> None:
    net = main_street().network()
    top = places({"top": (133, 27)})
    there = net.isochrones(top, minutes=[2], direction="to_facility").to_polars()["area_m2"][0]
    back = net.isochrones(top, minutes=[2], direction="from_facility").to_polars()["area_m2"][0]
    # Up to the terrace 60 seconds are left on the level, down from it 75.
    assert back - there == pytest.approx(2 * 15 * 1.33 * 50, rel=0.02)


def test_what_cannot_be_is_refused() -> None:
    net, shop = main_street().network(), places({"shop": (0, 0)})
    for wrong in ([], [0], [-5], [float("nan")], [2000]):
        with pytest.raises(ValueError, match="minutes"):
            net.isochrones(shop, minutes=wrong)
        with pytest.raises(ValueError, match="minutes"):
            net.isochrone_cells(shop, minutes=wrong)
    for buffer_m in (0, -1, float("nan"), 1001):
        with pytest.raises(ValueError, match="buffer_m"):
            net.isochrones(shop, buffer_m=buffer_m)
    for resolution in (-1, 16):
        with pytest.raises(ValueError, match="resolution"):
            net.isochrone_cells(shop, resolution=resolution)
    with pytest.raises(ValueError, match="direction"):
        net.isochrones(shop, direction="up")  # type: ignore[arg-type]
    with pytest.raises(ws.InputError, match="swapped"):
        net.isochrones(shop.rename({"lon": "lat", "lat": "lon"}))
    with pytest.raises(ws.InputError, match="id"):
        net.isochrones(shop.drop("id"))


def test_shapes_of_a_city_are_valid_and_the_shorter_lie_inside_the_longer(shapes: geopandas.GeoDataFrame) -> None:
    drawn = shapes.dropna(subset="geometry")
    assert len(drawn) > 45
    assert shapely.is_valid(drawn.geometry.to_numpy()).all()
    for _, group in drawn.groupby("id"):
        for inner, outer in pairwise(group.geometry):
            # A millimetre.
            assert outer.buffer(1e-8).covers(inner)
    assert max(len(part.interiors) for shape in drawn.geometry for part in shape.geoms) > 5


def test_areas_are_those_of_an_equal_area_map(shapes: geopandas.GeoDataFrame) -> None:
    drawn = shapes.dropna(subset="geometry")
    equal_area = drawn.to_crs(WORLD_EQUAL_AREA).area
    assert drawn["area_m2"].to_numpy() == pytest.approx(equal_area.to_numpy(), rel=1e-4)


def test_streets_within_the_time_are_inside_and_those_far_from_all_of_them_are_outside(
    porto_alegre: ws.Network,
) -> None:
    """By the table of times, which knows nothing of cuts: every vertex of a street is a home."""
    lon, lat = -51.2, -30.04
    door = pl.DataFrame({"id": ["shop"], "class": ["any"], "lon": [lon], "lat": [lat]})
    (shape,) = porto_alegre.isochrones(door, minutes=[15]).to_geopandas().to_crs(UTM_22S).geometry
    near = (pl.col("lon") - lon).abs().lt(0.02) & (pl.col("lat") - lat).abs().lt(0.02)
    lines = porto_alegre.lines().filter(near).with_row_index("id")
    joined = porto_alegre.snap(lines)["away_m"].fill_null(1.0) < 1e-6
    times = porto_alegre.nearest(lines, door, max_minutes=1440)["time_s"].fill_null(math.inf)
    at = geopandas.GeoSeries.from_xy(lines["lon"], lines["lat"], crs=4326).to_crs(UTM_22S).to_numpy()
    within = (joined & (times <= 15 * 60 - 4)).to_numpy()
    assert within.sum() > 1000 and shapely.contains(shape, at[within]).all()
    # A piece counts as reached when it may be: one of its ends is, or is not joined where it lies.
    reached = ((times <= 15 * 60) | ~joined).to_numpy()
    edge = lines["edge"].to_numpy()
    pieces = [
        shapely.LineString([at[start], at[start + 1]])
        for start in range(len(at) - 1)
        if edge[start] == edge[start + 1] and (reached[start] or reached[start + 1])
    ]
    shapely.prepare(shape)
    far = shapely.STRtree(pieces).query_nearest(at, return_distance=True, all_matches=False)[1] > 60
    late = (joined & (times > 15 * 60 + 60)).to_numpy()
    assert (far & late).sum() > 1000 and not shapely.intersects(shape, at[far & late]).any()


def test_cells_are_those_of_the_streets_within_the_time(porto_alegre: ws.Network) -> None:
    shop = pl.DataFrame({"id": ["shop"], "lon": [-51.2], "lat": [-30.04]})
    cells = porto_alegre.isochrone_cells(shop, minutes=[10, 5], resolution=10)
    assert cells.schema["cell"] == pl.UInt64 and set(cells["minutes"]) == {5.0, 10.0}
    assert (cells["time_s"] <= cells["minutes"] * 60).all()
    assert (cells.filter(pl.col("minutes") == 10)["time_s"] > 300).all()
    assert cells["cell"].is_sorted() and cells["cell"].is_unique().all()
    assert all(h3.get_resolution(h3.int_to_str(cell)) == 10 for cell in cells["cell"])
    # Each vertex of a street is a home; its cell is not later than it.
    vertices = (
        porto_alegre.lines()
        .unique(["lon", "lat"], maintain_order=True)
        .filter((pl.col("lon") + 51.2).abs() < 0.01, (pl.col("lat") + 30.04).abs() < 0.01)
    )
    homes = vertices.select(pl.int_range(pl.len()).alias("id"), "lon", "lat")
    times = porto_alegre.nearest(homes, shop.with_columns(pl.lit("any").alias("class")), max_minutes=10)
    near = porto_alegre.snap(homes)["away_m"] < 1e-6
    ids = [h3.str_to_int(h3.latlng_to_cell(lat, lon, 10)) for _, lon, lat in homes.iter_rows()]
    seen = times.with_columns(cell=pl.Series(ids, dtype=pl.UInt64)).filter(
        near.fill_null(False), pl.col("time_s") < 599
    )
    joined = seen.join(cells, on="cell", how="left", suffix="_cell")
    assert joined.height > 150 and joined["time_s_cell"].null_count() == 0
    assert (joined["time_s_cell"] <= joined["time_s"] + 0.2).all()


def test_cells_have_reasons_where_there_are_none() -> None:
    net = main_street().network()
    cells = net.isochrone_cells(places({"far": (0, 3000), "near": (0, 0)}), minutes=[5, 10])
    far = cells.filter(pl.col("id") == "far")
    assert far.rows() == [("far", None, 5.0, None, "not_snapped"), ("far", None, 10.0, None, "not_snapped")]
    assert cells.filter(pl.col("id") == "near")["time_s"].min() == 0


def test_shapes_go_into_other_libraries_and_back(porto_alegre: ws.Network, points: pl.DataFrame) -> None:
    shapes = porto_alegre.isochrones(points.head(2), minutes=[10])
    frame = shapes.to_geopandas()
    assert frame.crs.to_string() in ("OGC:CRS84", "EPSG:4326")
    duckdb = pytest.importorskip("duckdb")
    assert duckdb.sql("select count(*), sum(area_m2) from shapes").fetchall() == [(2, frame["area_m2"].sum())]
    # A shape is an area for walkshed: its inside gives the place of an origin.
    assert porto_alegre.snap(shapes).height == 2


def test_the_same_shapes_again(porto_alegre: ws.Network, points: pl.DataFrame) -> None:
    first, again = (porto_alegre.isochrones(points.head(6)).to_geopandas() for _ in range(2))
    assert first.geometry.to_wkb().equals(again.geometry.to_wkb())
