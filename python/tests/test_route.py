"""Routes: walks that are added up by hand, and those of a real city against scipy."""

from __future__ import annotations

import polars as pl
import pytest
import shapely
from scipy.sparse.csgraph import dijkstra
from test_porto_alegre import NO_TIME_S, graph
from towns import Town, degrees, main_street, places

import walkshed as ws


def legs(route: ws.Route) -> list[tuple[str, float, float | None, float | None, float]]:
    return [
        (kind, round(length_m, 1), climb_m, descent_m, time_s)
        for kind, length_m, climb_m, descent_m, time_s in route.to_polars().drop("source_ids").iter_rows()
    ]


def test_a_route_is_its_legs_and_tells_why_it_takes_long() -> None:
    net = main_street().network()
    route = net.route(degrees(0, -13.3), degrees(133, 27))
    assert legs(route) == [
        ("off_street", 13.3, None, None, 10.0),
        ("footway", 133.0, 0.0, 0.0, 100.0),
        ("steps", 27.0, 15.0, 0.0, 60.0),
    ]
    assert (route.time_s, route.reason, len(route)) == (170.0, None, 3)
    assert "steps" in repr(route) and "+15 −0 m" in repr(route) and "170.0 s" in repr(route)
    assert route.to_polars()["source_ids"].to_list() == [[], ["0"], ["2"]]


def test_the_way_back_is_told_as_it_is_walked() -> None:
    net = main_street().network()
    route = net.route(degrees(0, -13.3), degrees(133, 27), direction="from_facility")
    assert legs(route) == [
        ("steps", 27.0, 0.0, 15.0, 45.0),
        ("footway", 133.0, 0.0, 0.0, 100.0),
        ("off_street", 13.3, None, None, 10.0),
    ]
    line = route.to_geopandas().geometry
    assert line[0].coords[0] == pytest.approx(degrees(133, 27), abs=1e-9)
    assert line[2].coords[-1] == pytest.approx(degrees(0, -13.3), abs=1e-9)


def test_ways_of_one_kind_are_one_leg_and_heights_that_nobody_knows_are_null() -> None:
    town = Town().corner("a", 0, 0).corner("b", 133, 0).corner("c", 266, 0, 5.0)
    net = town.way("a", "b", 133, id="one").way("b", "c", 133, id="two").network()
    route = net.route(degrees(0, 0), degrees(266, 0))
    assert legs(route) == [("footway", 266.0, None, None, 200.0)]
    assert route.to_polars()["source_ids"].to_list() == [["one", "two"]]
    drawn = shapely.LineString([degrees(east_m, 0) for east_m in (0, 133, 266)])
    assert route.to_geopandas().geometry[0].equals_exact(drawn, 1e-9)


@pytest.mark.parametrize("form", ["tuple", "mapping", "point", "list"])
def test_a_place_may_have_any_of_its_forms(form: str) -> None:
    lon, lat = degrees(133, 0)
    place = {"tuple": (lon, lat), "mapping": {"lon": lon, "lat": lat}, "point": shapely.Point(lon, lat)}
    net = main_street().network()
    assert net.route(degrees(0, 0), place.get(form, [lon, lat])).time_s == 100.0


def test_what_is_no_place_is_refused_with_the_name_of_the_argument() -> None:
    net = main_street().network()
    here = degrees(0, 0)
    for wrong in ("106.5 29.5", (1, 2, 3), None, {"x": 1, "y": 2}, shapely.LineString([(0, 0), (1, 1)])):
        with pytest.raises(TypeError, match="destination: give"):
            net.route(here, wrong)
    with pytest.raises(ws.InputError, match=r"origin.*swapped"):
        net.route((here[1], here[0]), here)
    with pytest.raises(ws.InputError, match=r"destination.*range"):
        net.route(here, (500.0, 100.0))
    with pytest.raises(ws.InputError, match=r"destination.*range"):
        net.route(here, (float("nan"), 29.0))
    with pytest.raises(ValueError, match="direction"):
        net.route(here, here, direction="there")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="profile"):
        net.route(here, here, profile="ghost")


def test_no_route_says_why() -> None:
    net = main_street().network()
    far = net.route(degrees(0, 0), degrees(0, 300))
    assert (far.time_s, far.reason, len(far)) == (None, "not_snapped", 0)
    assert (
        repr(far) == "Route: none, not_snapped (the destination is 300 m from the nearest street, the limit is 200 m)"
    )
    up = main_street().corner("above", 133, 200, 265.0).way("terrace", "above", 173).network()
    none = up.route(degrees(0, 0), degrees(133, 200), profile="wheelchair")
    assert (none.time_s, none.reason, none.to_geopandas().shape[0]) == (None, "not_connected", 0)
    assert "no way that this profile can walk" in repr(none)


def test_from_a_place_to_itself_there_is_nothing_to_walk() -> None:
    route = main_street().network().route(degrees(40, 0), degrees(40, 0))
    assert (route.time_s, route.reason, len(route)) == (0.0, None, 0)


def test_a_route_goes_into_other_libraries() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    route = main_street().network().route(degrees(0, 0), degrees(133, 27))
    table = pyarrow.table(route)
    assert table.schema.field("geometry").metadata[b"ARROW:extension:name"] == b"geoarrow.wkb"
    frame = route.to_geopandas()
    assert frame.crs.to_epsg() == 4326 or frame.crs.to_string() == "OGC:CRS84"
    assert (frame.geom_type == "LineString").all()
    assert "geometry" not in route.to_polars().columns


@pytest.mark.parametrize("direction", ["to_facility", "from_facility"])
def test_routes_between_corners_of_a_city_are_those_of_scipy(
    porto_alegre: ws.Network, direction: ws.network.Direction
) -> None:
    nodes = porto_alegre.nodes()
    snapped = porto_alegre.snap(nodes.gather_every(701).select("id", "lon", "lat"))
    private = porto_alegre.edges().filter("residents")["id"]
    on_street = ~pl.col("edge").is_in(private.implode())
    at_corner = snapped.filter(on_street & (pl.col("away_m") < 1e-6) & pl.col("share").is_in([0.0, 1.0]))
    at_corner = at_corner["id"].to_list()
    corners = at_corner[:12]
    ways = graph(porto_alegre, "adult", direction == "to_facility")
    seconds = ways["s"].to_numpy().clip(NO_TIME_S)
    from scipy.sparse import coo_matrix

    shape = (nodes.height, nodes.height)
    matrix = coo_matrix((seconds, (ways["a"].to_numpy(), ways["b"].to_numpy())), shape=shape).tocsr()
    truth = dijkstra(matrix, directed=True, indices=corners)
    place = {row[0]: (row[1], row[2]) for row in nodes.select("id", "lon", "lat").iter_rows()}
    walked = 0
    for row, start in enumerate(corners):
        for end in corners:
            ends = (start, end) if direction == "to_facility" else (end, start)
            route = porto_alegre.route(place[ends[0]], place[ends[1]], direction=direction)
            expected = truth[row][end]
            if route.time_s is None:
                assert expected == float("inf")
                continue
            assert route.time_s == pytest.approx(expected, abs=0.1)
            assert route.to_polars()["time_s"].sum() == pytest.approx(route.time_s)
            walked += start != end
    assert walked > 80


def test_a_route_takes_the_time_of_the_table(porto_alegre: ws.Network, hexgrid: pl.DataFrame) -> None:
    homes = hexgrid.gather_every(150).select("id", "lon", "lat")
    door = places({"door": (0, 0)}, **{"class": ["any"]}).with_columns(lon=pl.lit(-51.2), lat=pl.lit(-30.04))
    times = porto_alegre.nearest(homes, door, max_minutes=1440)
    for (_, lon, lat), time_s in zip(homes.iter_rows(), times["time_s"], strict=True):
        assert porto_alegre.route((lon, lat), (-51.2, -30.04)).time_s == time_s
