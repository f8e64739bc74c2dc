"""Requests: a street solved by hand, borders, cells as the H3 library has them, 76,000 requests counted one by one."""

from __future__ import annotations

import datetime
import random
from collections import Counter
from pathlib import Path
from typing import Any

import geopandas
import h3
import polars as pl
import pytest
import shapely
from towns import Town, degrees, places

import walkshed as ws

# A level street of 1,064 metres, 100 seconds for 133 metres. A canteen at its west end, a park at its east end. Two
# communities meet in the middle, at 532 metres. Three minutes are 239.4 metres.
WEST, MIDDLE, EAST = -50, 532, 1114


def street() -> ws.Network:
    town = Town()
    for stop in range(9):
        town.corner(stop, 133 * stop, 0, 250.0)
    for stop in range(8):
        town.way(stop, stop + 1, 133, id=stop + 1)
    return town.network()


def facilities() -> pl.DataFrame:
    return places({1: (0, 0), 2: (1064, 0)}, **{"class": ["community_canteen", "community_park"]})


def box(west: float, east: float, south: float = -100, north: float = 100) -> shapely.Polygon:
    return shapely.Polygon([degrees(*at) for at in ((west, south), (east, south), (east, north), (west, north))])


def communities(**columns: Any) -> geopandas.GeoDataFrame:
    data = {"area_id": ["w", "e"], "name": ["西社区", "东社区"], "people": [400, 2000], **columns}
    return geopandas.GeoDataFrame(data, geometry=[box(WEST, MIDDLE), box(MIDDLE, EAST)], crs=4326)


def asked(where: dict[str, tuple[float, float]], classes: list[str | None], **columns: Any) -> pl.DataFrame:
    table = places(where).rename({"id": "request_id"})
    return table.with_columns(pl.Series("class", classes, dtype=pl.String), **columns)


SPOTS = {"near": (133, 0), "edge": (239, 0), "far": (266, 0), "east": (931, 0), "sea": (532, 5000), "hill": (400, 60)}
KINDS = ["社区食堂", "community_canteen", "community_canteen", "community_park", "community_park", None]


def requests(**columns: Any) -> ws.Requests:
    return ws.read_requests(asked(SPOTS, KINDS, **columns), as_of="2026-06-01")


def test_requests_are_read_with_their_class_day_and_place() -> None:
    found = requests(date=pl.lit("2026年3月1日"), text=pl.lit("希望增设 synthetic"))
    assert found.table["class"].to_list() == ["community_canteen", *KINDS[1:]]
    assert found.table["date"].unique().to_list() == [datetime.date(2026, 3, 1)]
    assert found.table["lon"].to_list() == places(SPOTS)["lon"].to_list()
    assert found.findings.select("row", "id", "reason").rows() == [(6, "hill", "no_class")]
    assert found.rejected.is_empty() and len(found) == 6 and "6 of 2 classes" in repr(found)


@pytest.mark.filterwarnings("ignore::walkshed.RejectedRowsWarning")
def test_every_row_is_accepted_or_rejected_with_its_reason_in_both_languages(tmp_path: Path) -> None:
    rows: list[tuple[Any, ...]] = [
        # id, date, class, lon, lat, cell, area; what is told
        ("ok", "2026-03-01", "community_park", "106.55", "29.56", None, None),
        (None, "2026-03-01", "community_park", "106.55", "29.56", None, None),
        ("ok", "2026-03-01", "community_park", "106.55", "29.56", None, None),
        ("bad day", "yesterday", "community_park", "106.55", "29.56", None, None),
        ("swapped", None, "community_park", "29.56", "106.55", None, None),
        ("pole", None, "community_park", "106.55", "95", None, "w"),
        ("half", None, "community_park", "106.55", None, None, None),
        ("no cell", None, "community_park", None, None, "xyz", None),
        ("no cell either", None, "community_park", None, None, "7", None),
        ("by cell", None, "community_park", None, None, "8c40e18c9dac1ff", None),
        ("by area", None, "community_park", None, None, None, "w"),
        ("nowhere", None, "community_park", None, None, None, None),
        ("late", "2026-06-02", "community_park", "106.55", "29.56", None, None),
        ("own", None, "喷水池", "106.55", "29.56", None, None),
    ]
    names = ["request_id", "date", "class", "lon", "lat", "cell", "area_id"]
    table = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    file = tmp_path / "requests.csv"
    table.rename({"request_id": "诉求编号", "class": "设施类别"}).write_csv(file)
    found = ws.read_requests(file, as_of="2026-06-01")
    assert found.rejected.select("row", "id", "reason").rows() == [
        (2, None, "missing_id"),
        (3, "ok", "duplicate_id"),
        (4, "bad day", "not_a_date"),
        (5, "swapped", "swapped_lon_lat"),
        (6, "pole", "out_of_range"),
        (7, "half", "missing_value"),
        (8, "no cell", "not_a_cell"),
        (9, "no cell either", "not_a_cell"),
    ]
    assert found.rejected["column"][0] == "诉求编号"
    assert set(found.rejected["level"]) == {"rejected"} and set(found.rejected["file"]) == {"requests.csv"}
    for told in (found.rejected, found.findings):
        assert all(text.startswith("requests.csv, row") for text in told["message"])
        assert all(text.startswith("requests.csv, 行") for text in told["message_zh"])
    assert found.findings.select("row", "id", "reason").rows() == [
        (12, "nowhere", "no_place"),
        (13, "late", "date_after_as_of"),
        (14, "own", "unknown_class"),
    ]
    assert found.table["request_id"].to_list() == ["ok", "by cell", "by area", "nowhere", "late", "own"]
    assert found.table["class"][-1] == "喷水池"
    by_cell = found.table.row(1, named=True)
    centre = h3.cell_to_latlng("8c40e18c9dac1ff")
    assert (by_cell["lat"], by_cell["lon"]) == pytest.approx(centre, abs=1e-7)
    assert by_cell["cell"] == int("8c40e18c9dac1ff", 16)


@pytest.mark.filterwarnings("ignore::walkshed.RejectedRowsWarning")
def test_tables_that_hold_nothing_that_can_be_used() -> None:
    with pytest.raises(ws.InputError, match="request_id"):
        ws.read_requests(pl.DataFrame({"class": ["community_park"]}))
    with pytest.raises(ws.InputError, match=r"every row was rejected.*swapped"):
        ws.read_requests(pl.DataFrame({"id": ["a"], "lon": [29.56], "lat": [106.55]}))
    bare = ws.read_requests(pl.DataFrame({"id": [1.0, 2.0]}))
    assert bare.table["request_id"].to_list() == ["1", "2"]
    assert Counter(bare.findings["reason"]) == {"no_class": 2, "no_place": 2}
    with pytest.raises(ValueError, match="mars"):
        ws.read_requests(asked(SPOTS, KINDS), crs="mars")
    with pytest.warns(ws.RejectedRowsWarning, match="row 2"):
        ws.read_requests(pl.DataFrame({"id": ["a", None]}))


def test_points_of_a_map_platform_are_brought_to_wgs84() -> None:
    here = requests().table
    there = ws.read_requests(asked(SPOTS, KINDS), crs="gcj02").table
    # Some hundred metres, in Chongqing.
    assert 100 < abs(here["lon"][0] - there["lon"][0]) * 96_000 < 1000
    points = geopandas.GeoDataFrame(
        {"id": list(SPOTS), "class": KINDS}, geometry=[shapely.Point(*degrees(*at)) for at in SPOTS.values()], crs=4326
    )
    assert ws.read_requests(points).table["lon"].to_list() == pytest.approx(here["lon"].to_list(), abs=1e-12)
    metres = points.to_crs(4545)
    assert ws.read_requests(metres).table["lat"].to_list() == pytest.approx(here["lat"].to_list(), abs=1e-7)


def expected_walks() -> list[tuple[Any, ...]]:
    """Covered within three minutes of the street: by request, kind and reason."""
    return [
        ("near", 100.0, True, "quality", None),
        ("edge", 179.7, True, "quality", None),
        ("far", None, False, "distance", "beyond_cutoff"),
        ("east", 100.0, True, "quality", None),
        ("sea", None, None, None, "not_snapped"),
        ("hill", None, None, None, "no_class"),
    ]


@pytest.mark.filterwarnings("ignore::walkshed.RejectedRowsWarning")
def test_a_request_within_a_covered_place_is_about_quality() -> None:
    walks = ws.request_walks(requests(), network=street(), facilities=facilities(), minutes=3, progress=False)
    for mine, (name, time_s, covered, kind, reason) in zip(walks.iter_rows(named=True), expected_walks(), strict=True):
        assert (mine["request_id"], mine["covered"], mine["kind"], mine["reason"]) == (name, covered, kind, reason)
        assert mine["time_s"] == (None if time_s is None else pytest.approx(time_s, abs=0.1))
    # Times by request say the same.
    homes = asked(SPOTS, KINDS).select("lon", "lat", id="request_id")
    times = street().nearest(homes, facilities(), max_minutes=20)
    by_request = ws.request_walks(requests(), times, minutes=3)
    assert by_request.drop("time_s", "reason").equals(walks.drop("time_s", "reason"))
    # Walked on, and still too far; a time equal to the limit is covered.
    assert by_request["time_s"][2] == pytest.approx(200, abs=0.1) and by_request["reason"][2] is None
    limit = by_request["time_s"][1]
    assert ws.request_walks(requests(), times, minutes=limit / 60)["covered"][1]


def test_what_is_not_known_of_a_walk_has_a_reason() -> None:
    table = pl.DataFrame(
        {"id": ["area only", "other class"], "class": ["community_park", "bank"], "area_id": ["w", None]}
    )
    table = table.with_columns(lon=pl.Series([None, 106.55]), lat=pl.Series([None, 29.56]))
    times = pl.DataFrame({"origin_id": ["other class"], "class": ["community_park"], "time_s": [1.0], "reason": [None]})
    times = times.with_columns(pl.col("reason").cast(pl.String))
    walks = ws.request_walks(ws.read_requests(table), times)
    assert walks["reason"].to_list() == ["no_place", "no_times"]
    net = ws.request_walks(ws.read_requests(table), network=street(), facilities=facilities(), progress=False)
    assert net["reason"].to_list() == ["no_place", "no_times"]
    assert net["covered"].null_count() == net["kind"].null_count() == 2
    for wrong in ({}, {"times": times, "network": street(), "facilities": facilities()}, {"network": street()}):
        with pytest.raises(ValueError, match="give one of them"):
            ws.request_walks(ws.read_requests(table), **wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="minutes 0"):
        ws.request_walks(ws.read_requests(table), times, minutes=0)
    with pytest.raises(ws.InputError, match="time_s"):
        ws.request_walks(ws.read_requests(table), times.drop("time_s"))
    with pytest.raises(ValueError, match="senior"):
        ws.request_walks(ws.read_requests(table), times.with_columns(profile=pl.lit("adult")), profile="senior")


@pytest.mark.parametrize("as_text", [False, True])
def test_a_place_takes_the_times_of_the_cell_that_holds_it_as_the_h3_library_has_it(as_text: bool) -> None:
    dice = random.Random(15)
    spots = [(106.5 + dice.uniform(0, 0.05), 29.5 + dice.uniform(0, 0.05)) for _ in range(4000)]
    true = [h3.latlng_to_cell(lat, lon, 10) for lon, lat in spots]
    known = sorted(set(dice.sample(true, 2500)))
    seconds = {cell: float(place % 1800) for place, cell in enumerate(known)}
    origins = pl.Series(known) if as_text else pl.Series([h3.str_to_int(cell) for cell in known], dtype=pl.UInt64)
    times = pl.DataFrame(
        {"origin_id": origins, "class": "community_park", "time_s": list(seconds.values()), "reason": None}
    )
    times = times.with_columns(pl.col("reason").cast(pl.String))
    lon, lat = zip(*spots, strict=True)
    table = pl.DataFrame(
        {"id": [f"r{place}" for place in range(4000)], "class": "community_park", "lon": lon, "lat": lat}
    )
    walks = ws.request_walks(ws.read_requests(table), times, minutes=15)
    assert walks["time_s"].to_list() == [seconds.get(cell) for cell in true]
    assert walks["reason"].to_list() == [None if cell in seconds else "no_cell" for cell in true]
    assert walks["covered"].to_list() == [None if cell not in seconds else seconds[cell] <= 900 for cell in true]
    # A request that states its cell takes that, wherever its point was put.
    stated = table.with_columns(cell=pl.Series(true), lon=pl.lit(106.4), lat=pl.lit(29.4))
    assert ws.request_walks(ws.read_requests(stated), times).equals(walks)


@pytest.mark.filterwarnings("ignore::walkshed.RejectedRowsWarning")
def test_density_stands_beside_coverage() -> None:
    coverage = pl.DataFrame(
        {
            "area_id": ["w", "e"] * 2,
            "class": ["community_canteen"] * 2 + ["community_park"] * 2,
            "group": "all",
            "profile": "adult",
            "minutes": 3.0,
            "people": [500.0, 0.0] * 2,
            "people_covered": [200.0, 0.0] * 2,
            "share": [0.4, None] * 2,
        }
    )
    walks = ws.request_walks(requests(), network=street(), facilities=facilities(), minutes=3, progress=False)
    found = ws.request_density(requests(), communities(), coverage, walks=walks, minutes=3)
    keys = ("area_id", "class", "requests", "distance", "quality", "not_judged", "per_1000_people", "share")
    assert found.table.select(*keys).rows() == [
        ("w", "community_canteen", 3, 1, 2, 0, 6.0, 0.4),
        ("w", "community_park", 0, 0, 0, 0, 0.0, 0.4),
        ("e", "community_canteen", 0, 0, 0, 0, None, None),
        ("e", "community_park", 1, 0, 1, 0, None, None),
    ]
    nobody = [None, None, "nobody_lives_here", "nobody_lives_here"]
    assert found.table["density_reason"].to_list() == found.table["share_reason"].to_list() == nobody
    assert found.elsewhere.select("request_id", "area_id", "reason").rows() == [
        ("sea", None, "outside_areas"),
        ("hill", "w", "no_class"),
    ]
    assert found.elsewhere["what_zh"].to_list() == ["不在任何分区内", "没有类别"]
    assert found.requests.select("request_id", "area_id", "kind").rows()[2] == ("far", "w", "distance")
    assert "6 requests, 4 counted" in found.summary() and "too far 1, covered, so about quality 3" in found.summary()
    assert "诉求 6 条，计入社区 4 条" in found.summary(chinese=True)
    assert found.table["requests"].sum() + found.elsewhere.height == found.requests.height == 6
    # People: given, else of coverage, else of the areas.
    given = pl.DataFrame({"area_id": ["w"], "people": [1500]})
    by_given = ws.request_density(requests(), communities(), coverage, given, minutes=3).table
    assert by_given["per_1000_people"].to_list() == [2.0, 0.0, None, None]
    assert by_given["density_reason"].to_list() == [None, None, "people_unknown", "people_unknown"]
    bare = ws.request_density(requests(), communities())
    assert bare.table["per_1000_people"].to_list() == [3 * 1000 / 400, 0.0, 0.0, 0.5]
    assert set(bare.table["share_reason"]) == {"no_coverage"} and bare.table["share"].null_count() == 4
    assert bare.table["not_judged"].to_list() == [3, 0, 0, 1] and set(bare.requests["reason"]) == {"not_asked"}
    with pytest.raises(ValueError, match=r"no rows of 15 minutes"):
        ws.request_density(requests(), communities(), coverage)
    with pytest.raises(ws.InputError, match="share"):
        ws.request_density(requests(), communities(), coverage.drop("share"))


def test_requests_by_community_are_found_by_id_code_or_name() -> None:
    stated = {"a": "w", "b": "500199", "c": "东社区", "d": "北社区", "e": None}
    table = pl.DataFrame({"id": list(stated), "class": "community_park", "community_id": list(stated.values())})
    found = ws.request_density(ws.read_requests(table), communities(code=["500199", None]))
    assert found.requests["area_id"].to_list() == ["w", "w", "e", None, None]
    assert found.elsewhere.select("request_id", "reason").rows() == [("d", "unknown_area"), ("e", "no_place")]
    # A place goes before what is stated.
    both = asked({"x": (931, 0)}, ["community_park"], area_id=pl.lit("w"))
    assert ws.request_density(ws.read_requests(both), communities()).requests["area_id"].to_list() == ["e"]


def test_a_place_on_a_border_belongs_to_one_neighbour() -> None:
    squares = {f"{x}{y}": shapely.box(x, y, x + 1, y + 1) for x in range(3) for y in range(3)}
    areas = geopandas.GeoDataFrame({"area_id": list(squares)}, geometry=list(squares.values()), crs=4326)
    steps = [step / 2 for step in range(7)]
    spots = {f"{x} {y}": (x, y) for x in steps for y in steps}
    lon, lat = zip(*spots.values(), strict=True)
    table = pl.DataFrame({"id": list(spots), "class": "community_park", "lon": lon, "lat": lat})
    found = ws.request_density(ws.read_requests(table), areas).requests["area_id"].to_list()
    # The western and the southern side belong to a square, the eastern and the northern one to the next.
    expected = [f"{int(x)}{int(y)}" if x < 3 and y < 3 else None for x, y in spots.values()]
    assert found == expected


def test_holes_parts_overlaps_and_the_other_side_of_the_earth() -> None:
    ring = box(0, 400).difference(box(100, 300, -50, 50))
    parts = shapely.MultiPolygon([box(500, 600), shapely.box(-70.7, -33.5, -70.6, -33.4)])
    areas = geopandas.GeoDataFrame(
        {"area_id": ["ring", "parts", "over"]}, geometry=[ring, parts, box(350, 550)], crs=4326
    )
    spots = {"in": (50, 0), "hole": (200, 0), "both": (375, 0), "second": (520, 0), "over": (450, 0)}
    table = pl.concat(
        [
            asked(spots, ["community_park"] * 5),
            pl.DataFrame({"request_id": ["santiago"], "lon": [-70.65], "lat": [-33.45], "class": ["community_park"]}),
        ]
    )
    for rows in (table, table.reverse()):
        found = ws.request_density(ws.read_requests(rows), areas).requests
        assert dict(found.select("request_id", "area_id").rows()) == {
            "in": "ring",
            "hole": None,
            "both": "ring",
            "second": "parts",
            "over": "over",
            "santiago": "parts",
        }


def test_areas_of_one_level_are_counted() -> None:
    data = {"area_id": ["d", "w", "e"], "level": ["片区", "社区", "社区"], "parent_id": [None, "d", "d"]}
    areas = geopandas.GeoDataFrame(data, geometry=[box(WEST, EAST), box(WEST, MIDDLE), box(MIDDLE, EAST)], crs=4326)
    with pytest.raises(ValueError, match="several levels, 片区, 社区"):
        ws.request_density(requests(), areas)
    with pytest.raises(ValueError, match='level "estate"'):
        ws.request_density(requests(), areas, level="estate")
    found = ws.request_density(requests(), areas, level="社区")
    assert found.table["area_id"].unique(maintain_order=True).to_list() == ["w", "e"]
    assert ws.request_density(requests(), areas, level="片区").table["requests"].sum() == 4


def test_76_000_synthetic_requests_in_2_000_communities_are_counted_as_one_by_one() -> None:
    dice = random.Random(76_000)
    columns, rows, step = 50, 40, 0.01
    west, south = 106.4, 29.4
    boxes = [
        shapely.box(west + x * step, south + y * step, west + (x + 1) * step, south + (y + 1) * step)
        for x in range(columns)
        for y in range(rows)
    ]
    ids = [f"c{x}-{y}" for x in range(columns) for y in range(rows)]
    areas = geopandas.GeoDataFrame({"area_id": ids, "people": [1000.0] * len(ids)}, geometry=boxes, crs=4326)
    kinds = [*ws.facility_classes()["class"], None]
    spots = [(dice.uniform(-1, columns + 1), dice.uniform(-1, rows + 1)) for _ in range(76_000)]
    table = pl.DataFrame(
        {
            "id": [f"syn-{number}" for number in range(76_000)],
            "class": [dice.choice(kinds) for _ in spots],
            "lon": [west + x * step for x, _ in spots],
            "lat": [south + y * step for _, y in spots],
            "text": "合成 synthetic",
        }
    )
    found = ws.request_density(ws.read_requests(table), areas)
    inside = [0 <= x < columns and 0 <= y < rows for x, y in spots]
    expected = Counter(
        (f"c{int(x)}-{int(y)}", kind)
        for (x, y), kind, is_in in zip(spots, table["class"], inside, strict=True)
        if is_in and kind is not None
    )
    counted = found.table.filter(pl.col("requests") > 0).select("area_id", "class", "requests")
    assert {(area, kind): count for area, kind, count in counted.iter_rows()} == expected
    assert (
        found.table.height == 2000 * 30
        and found.table["per_1000_people"].to_list() == found.table["requests"].to_list()
    )
    assert found.elsewhere.height == 76_000 - sum(expected.values())
    assert Counter(found.elsewhere["reason"])["outside_areas"] == inside.count(False)


def test_the_requests_of_a_synthetic_city_lie_in_its_communities(tmp_path: Path) -> None:
    city = ws.synth(tmp_path / "city", nodes=20_000, seed=3, progress=False)
    table = pl.read_parquet(city.folder / "requests.parquet")
    found = ws.request_density(
        ws.read_requests(city.folder / "requests.parquet"), city.folder / "communities.parquet", level="community"
    )
    assert found.elsewhere.is_empty() and found.requests["area_id"].to_list() == table["community_id"].to_list()
    per = found.table.filter(pl.col("requests") > 0).row(0, named=True)
    assert per["per_1000_people"] == pytest.approx(per["requests"] * 1000 / per["people"])
