"""Analysis that stays in GCJ-02, and the detector of systems, from Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from moved_cities import CENTRES, SYSTEMS, MovedCity, facilities, in_system
from towns import main_street, places

import walkshed as ws

HOMES = {"h1": (10, 12), "h2": (200, -20)}
SHOPS = {"s1": (120, 5), "s2": (250, -8)}


def in_gcj02(table: pl.DataFrame) -> pl.DataFrame:
    """The places of a table as a map platform would give them: a network in GCJ-02 moves its nodes."""
    edges = pl.DataFrame({"from": [table["id"][0]], "to": [table["id"][1]], "length_m": [1.0]})
    moved = ws.Network.from_tables(table.select("id", "lon", "lat"), edges, analysis_crs="gcj02").nodes()
    return table.with_columns(moved["lon"], moved["lat"])


def tables() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Homes and shops in WGS-84."""
    return places(HOMES), places(SHOPS, **{"class": ["shop", "shop"]})


def test_walks_take_the_time_that_they_take_in_wgs84() -> None:
    town = main_street()
    still, moved = town.network(), town.network(analysis_crs="gcj02")
    assert (still.analysis_crs, moved.analysis_crs) == ("wgs84", "gcj02")
    assert moved.edges().equals(still.edges())
    homes, shops = tables()
    expected = still.nearest(homes, shops)["time_s"]
    # 12 m, 110 m and 5 m: 127 m at 1.33 m/s; nearer to the stairs the shop would be joined to them.
    assert expected[0] == pytest.approx(95.5, abs=0.2)
    own = moved.nearest(ws.in_crs(in_gcj02(homes), "gcj02"), ws.in_crs(in_gcj02(shops), "gcj02"))
    forward = moved.nearest(homes, shops)
    assert own.equals(forward)
    # Only the legs of at most 20 + 8 m are measured anew, with 1 % at most; three roundings to a tenth.
    assert (own["time_s"] - expected).abs().max() <= 0.01 * 2 * 28 / 1.33 + 0.2


def test_shapes_in_gcj02_name_no_system_and_are_taken_back_for_what_they_are(tmp_path: Path) -> None:
    town = main_street()
    moved = town.network(analysis_crs="gcj02")
    homes, _ = tables()
    shapes = moved.isochrones(homes, minutes=[2])
    geo = shapes.to_geopandas()
    assert geo.crs is None
    nodes = moved.nodes()
    assert geo.total_bounds[0] == pytest.approx(nodes["lon"].min(), abs=5e-4)
    # Taken back: a place inside each shape is near its home.
    joined = moved.snap(shapes)
    assert joined["away_m"].max() < 30
    with pytest.raises(ws.InputError, match=r"wgs84|EPSG:4326"):
        moved.snap(ws.in_crs(shapes, "EPSG:4326"))
    route = moved.route(*in_gcj02(homes).select("lon", "lat").rows(), crs="gcj02")
    same = moved.route(*homes.select("lon", "lat").rows())
    assert route.time_s == same.time_s
    assert route.to_geopandas().crs is None
    moved.save(tmp_path / "town.network")
    assert ws.Network.load(tmp_path / "town.network").analysis_crs == "gcj02"


def test_areas_are_brought_to_the_cells_of_the_analysis() -> None:
    town = main_street()
    moved = town.network(analysis_crs="gcj02")
    homes, shops = tables()
    cells = moved.isochrone_cells(homes.head(1), minutes=[2], resolution=11).select("cell", people=pl.lit(2.0))
    times = moved.nearest(ws.in_crs(cells, "gcj02"), shops)
    west, south, east, north = 106.545, 29.555, 106.565, 29.565
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    feature = {
        "type": "Feature",
        "properties": {"area_id": "a"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    import geopandas

    areas = geopandas.GeoDataFrame.from_features([feature], crs=4326)
    inside = ws.coverage(times, cells, areas, analysis_crs="gcj02")
    assert inside["people"].max() == pytest.approx(2.0 * cells.height)
    # The town lies about 360 m east and 316 m south in GCJ-02: 70 m beyond the outline, were it not moved with it.
    narrow = [[west, 29.5585], [east, 29.5585], [east, north], [west, north], [west, 29.5585]]
    feature["geometry"] = {"type": "Polygon", "coordinates": [narrow]}
    areas = geopandas.GeoDataFrame.from_features([feature], crs=4326)
    assert ws.coverage(times, cells, areas, analysis_crs="gcj02")["people"].max() == pytest.approx(2.0 * cells.height)
    assert ws.coverage(times, cells, areas)["people"].max() == 0


def test_systems_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match=r"analysis_crs.*wgs84, gcj02, bd09"):
        main_street().network(analysis_crs="mars")
    with pytest.raises(ValueError, match="crs"):
        main_street().network().route((106.55, 29.56), (106.551, 29.56), crs="EPSG:4545")


@pytest.fixture(scope="module")
def helsinki_in_chongqing(data: Callable[[str], Path]) -> MovedCity:
    """Give the streets and facilities of Helsinki, moved as they are to the middle of Chongqing."""
    extract = data("helsinki") / "centre.osm.pbf"
    return MovedCity(ws.Network.from_osm(extract, progress=False).lines(), facilities(extract), CENTRES["Chongqing"])


@pytest.mark.parametrize("stated", SYSTEMS)
@pytest.mark.parametrize("truth", SYSTEMS)
def test_the_facilities_of_a_real_city_tell_their_system(
    helsinki_in_chongqing: MovedCity, truth: str, stated: str
) -> None:
    assert helsinki_in_chongqing.verdict(truth, stated) == truth


def test_every_source_is_told_by_itself_and_nothing_is_changed(helsinki_in_chongqing: MovedCity) -> None:
    points = helsinki_in_chongqing.points
    half = points.height // 2
    mixed = pl.concat(
        [
            in_system(points.head(half), "gcj02").with_columns(source=pl.lit("platform")),
            points.tail(half).with_columns(source=pl.lit("survey")),
            points.head(20).with_columns(source=pl.lit("few")),
        ]
    )
    found = helsinki_in_chongqing.network.detect_crs(mixed)
    assert found["source"].to_list() == ["few", "platform", "survey"]
    assert found["looks_like"].to_list() == [None, "gcj02", "wgs84"]
    assert found["points"].to_list() == [20, half, half]
    few, platform, survey = found.rows(named=True)
    assert few["confidence"] is None and few["message"] is None and survey["message"] is None
    assert 'crs = "gcj02"' in platform["message"] and "gcj02" in platform["message_zh"]
    true = points.head(half)
    step = in_system(true, "gcj02").select("lon", "lat") - true.select("lon", "lat")
    # A degree of the meridian and of the parallel at 29.56 degrees north: 110,845 m and 96,909 m on WGS-84.
    assert platform["offset_east_m"] == pytest.approx(step["lon"].mean() * 96_909, abs=1)
    assert platform["offset_north_m"] == pytest.approx(step["lat"].mean() * 110_845, abs=1)
