"""Coverage: people added up by hand, and by polars and shapely on seeded synthetic tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import h3
import numpy as np
import polars as pl
import pytest
import shapely
from polars.testing import assert_frame_equal
from towns import LAT, LON, degrees, main_street, places

import walkshed as ws

CELL = h3.latlng_to_cell(LAT, LON, 9)
RING = h3.grid_disk(CELL, 1)


def hexagon(cell: str) -> shapely.Polygon:
    return shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(cell)])


def table_of(*rows: tuple[str, float | None, str | None]) -> pl.DataFrame:
    schema = {"origin_id": pl.String, "time_s": pl.Float64, "reason": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.lit("shop").alias("class"))


def areas_of(**shapes: shapely.Geometry) -> geopandas.GeoDataFrame:
    return geopandas.GeoDataFrame({"area_id": list(shapes)}, geometry=list(shapes.values()), crs=4326)


def test_a_town_is_counted_by_hand() -> None:
    homes = {"a": (0, 0), "b": (266, 0), "isle": (2000, 0), "field": (0, 900)}
    town = main_street().corner("i", 2000, 0).corner("j", 2133, 0).way("i", "j", 133)
    times = town.network().nearest(places(homes), places({"d": (0, 0)}, **{"class": ["shop"]}), max_minutes=5)
    cells = pl.DataFrame({"id": list(homes), "cell": RING[:4], "people": [1, 2, 4, 8], "old": [1, 0, 1, 0]})
    found = ws.coverage(times, cells, minutes=(3, 4))
    columns = ["group", "minutes", "people", "people_covered", "people_beyond"]
    reasons = ["people_not_connected", "people_not_snapped", "share"]
    # b walks 200 seconds: over 3 minutes, under 4. Powers of two name who is counted.
    assert found.select(*columns, *reasons).rows() == [
        ("all", 3.0, 15.0, 1.0, 2.0, 4.0, 8.0, 1 / 15),
        ("all", 4.0, 15.0, 3.0, 0.0, 4.0, 8.0, 3 / 15),
        ("old", 3.0, 2.0, 1.0, 0.0, 1.0, 0.0, 1 / 2),
        ("old", 4.0, 2.0, 1.0, 0.0, 1.0, 0.0, 1 / 2),
    ]
    assert found.select("area_id", "class", "profile").unique().rows() == [("all", "shop", "adult")]


def test_a_time_equal_to_the_minutes_is_covered() -> None:
    times = table_of((RING[0], 300.0, None), (RING[1], 300.1, None))
    found = ws.coverage(times, pl.DataFrame({"cell": RING[:2], "people": [1, 2]}), minutes=[5])
    assert found["people_covered"].to_list() == [1.0]


def test_groups_are_every_number_column_or_those_named() -> None:
    times = table_of((CELL, 60.0, None))
    cells = pl.DataFrame({"cell": [CELL], "people": [10], "old": [4], "young": [1.5], "name": ["x"], "snap_m": [3.0]})
    assert ws.coverage(times, cells, minutes=[5])["group"].to_list() == ["all", "old", "young"]
    assert ws.coverage(times, cells, minutes=[5], groups=["young"])["people"].to_list() == [10, 1.5]
    assert ws.coverage(times, cells, minutes=[5], groups=[])["group"].to_list() == ["all"]


def test_where_nobody_lives_there_is_no_share() -> None:
    found = ws.coverage(table_of((CELL, 60.0, None)), pl.DataFrame({"cell": [CELL], "people": [0]}), minutes=[5])
    assert found.select("people", "people_covered", "share").rows() == [(0.0, 0.0, None)]


def test_h3_areas_are_the_parents() -> None:
    far = h3.latlng_to_cell(LAT + 1, LON, 9)
    times = table_of((CELL, 60.0, None), (far, 9999.0, None))
    cells = pl.DataFrame({"cell": [CELL, far], "people": [3, 5]})
    found = ws.coverage(times, cells, 7, minutes=[5]).select("area_id", "people", "people_covered").rows()
    assert found == sorted([(h3.cell_to_parent(CELL, 7), 3.0, 3.0), (h3.cell_to_parent(far, 7), 5.0, 0.0)])


def test_cells_coarser_than_the_areas_are_refused_rather_than_lost() -> None:
    times, cells = table_of((CELL, 60.0, None)), pl.DataFrame({"cell": [CELL], "people": [3]})
    assert ws.coverage(times, cells, 9, minutes=[5])["people"].to_list() == [3]
    with pytest.raises(ws.InputError, match=f'cells, row 1, column "cell", value "{CELL}"'):
        ws.coverage(times, cells, 10)


@pytest.mark.parametrize("form", ["geopandas", "geojson", "geoparquet"])
def test_a_cell_across_a_border_is_shared_by_area(form: str, tmp_path: Path) -> None:
    lat, lon = h3.cell_to_latlng(CELL)
    west = shapely.box(lon - 1e-2, lat - 1e-2, lon + 2e-4, lat + 1e-2)
    east = shapely.Polygon([(lon + 2e-4, lat - 1e-2), (lon + 1e-2, lat - 1e-2), (lon + 2e-4, lat + 1e-2)])
    table: Any = areas_of(west=west, east=east)
    if form == "geojson":
        table.to_file(tmp_path / "areas.geojson", driver="GeoJSON")
        table = tmp_path / "areas.geojson"
    elif form == "geoparquet":
        table.to_parquet(tmp_path / "areas.parquet")
        table = tmp_path / "areas.parquet"
    people = [2.0**number for number in range(len(RING))]
    times = table_of(*((cell, 60.0 * (number + 1), None) for number, cell in enumerate(RING)))
    found = ws.coverage(times, pl.DataFrame({"cell": RING, "people": people}), table, minutes=[3])
    for name, shape in (("west", west), ("east", east)):
        shares = [hexagon(cell).intersection(shape).area / hexagon(cell).area for cell in RING]
        (row,) = found.filter(pl.col("area_id") == name).iter_rows(named=True)
        assert 0 < min(shares) + 1 and 0.01 < shares[0] < 0.99
        assert row["people"] == pytest.approx(np.dot(shares, people), rel=1e-6)
        assert row["people_covered"] == pytest.approx(np.dot(shares[:3], people[:3]), rel=1e-6)


def test_areas_that_share_a_cell_share_its_people() -> None:
    lat, lon = h3.cell_to_latlng(CELL)
    halves = areas_of(
        west=shapely.box(lon - 1, lat - 1, lon + 1e-4, lat + 1),
        east=shapely.box(lon + 1e-4, lat - 1, lon + 1, lat + 1),
    )
    times = table_of(*((cell, 60.0, None) for cell in RING))
    found = ws.coverage(times, pl.DataFrame({"cell": RING, "people": [10] * 7}), halves, minutes=[5])
    assert (found["people"] > 1).all()
    assert found["people"].sum() == found["people_covered"].sum() == pytest.approx(70, rel=1e-6)


def test_two_homes_in_one_cell_are_both_counted() -> None:
    times = table_of(("first", 60.0, None), ("second", 999.0, None))
    cells = pl.DataFrame({"id": ["first", "second"], "cell": [CELL, CELL], "people": [10, 20]})
    around = areas_of(around=hexagon(CELL).buffer(0.001))
    for areas in (None, 8, around):
        found = ws.coverage(times, cells, areas, minutes=[5])
        assert found["people"].to_list() == [pytest.approx(30, rel=1e-6)]
        assert found["people_covered"].to_list() == [pytest.approx(10, rel=1e-6)]


@pytest.mark.parametrize("seed", range(5))
def test_random_tables_are_summed_as_polars_sums_them(seed: int) -> None:
    """Synthetic: random people, times and reasons in a disk of cells."""
    random = np.random.default_rng(seed)
    cells = h3.grid_disk(CELL, 6)
    count, classes, profiles = len(cells), ["a", "b", "c"], ["adult", "senior"]
    people = pl.DataFrame({"cell": cells, "people": random.gamma(0.5, 100, count), "old": random.random(count)})
    times = pl.DataFrame({"origin_id": cells}).join(pl.DataFrame({"class": classes}), how="cross")
    times = times.join(pl.DataFrame({"profile": profiles}), how="cross")
    reason = random.choice([None, None, None, "beyond_cutoff", "not_connected", "not_snapped"], times.height)
    times = times.with_columns(
        time_s=pl.Series(random.integers(0, 9000, times.height) / 10),
        reason=pl.Series(reason.tolist(), dtype=pl.String),
    ).with_columns(time_s=pl.when(pl.col("reason").is_null()).then("time_s"))
    minutes = [2.5, 5, 10]
    found = ws.coverage(times.sample(fraction=1, shuffle=True, seed=seed), people, 8, minutes=minutes)
    parents = people.with_columns(area_id=pl.Series([h3.cell_to_parent(cell, 8) for cell in cells]))
    long = parents.rename({"people": "all"}).unpivot(
        ["all", "old"], index=["cell", "area_id"], variable_name="group", value_name="people"
    )
    joined = times.join(long, left_on="origin_id", right_on="cell").join(
        pl.DataFrame({"minutes": [float(limit) for limit in minutes]}), how="cross"
    )
    covered = (pl.col("time_s") <= pl.col("minutes") * 60).fill_null(False)
    outcome = pl.when(covered).then(pl.lit("people_covered")).when(pl.col("time_s").is_not_null())
    outcome = outcome.then(pl.lit("people_beyond")).when(pl.col("reason") == "beyond_cutoff")
    outcome = outcome.then(pl.lit("people_beyond")).otherwise("people_" + pl.col("reason"))
    keys = ["area_id", "class", "group", "profile", "minutes"]
    parts = joined.with_columns(outcome=outcome).pivot("outcome", index=keys, values="people", aggregate_function="sum")
    parts = parts.with_columns(pl.col("^people_.*$").fill_null(0.0))
    twin = parts.join(joined.group_by(keys).agg(pl.col("people").sum()), on=keys)
    twin = twin.with_columns(share=pl.col("people_covered") / pl.col("people"))
    assert_frame_equal(
        found.sort(keys),
        twin.sort(keys),
        check_column_order=False,
        check_exact=False,
        rel_tol=1e-9,
        abs_tol=1e-9,
    )
    shares = found.select("people_covered", "people_beyond", "people_not_connected", "people_not_snapped")
    assert shares.sum_horizontal().to_numpy() == pytest.approx(found["people"].to_numpy(), rel=1e-12)


def test_a_cell_without_a_time_is_refused() -> None:
    cells = pl.DataFrame({"cell": RING[:2], "people": [1, 2]})
    with pytest.raises(ws.InputError, match=rf"times, id {RING[1]}: expected a row for every cell and class"):
        ws.coverage(table_of((RING[0], 60.0, None)), cells)
    both = pl.concat([table_of((cell, 60.0, None)) for cell in RING[:2]])
    other = both.head(1).with_columns(pl.lit("bank").alias("class"))
    with pytest.raises(ws.InputError, match="none for bank"):
        ws.coverage(pl.concat([both, other]), cells)
    with pytest.raises(ws.InputError, match="no origin_id is the id of a cell"):
        ws.coverage(both, pl.DataFrame({"cell": RING[2:3], "people": [1]}))


def test_times_of_places_that_are_no_cells_of_ours_do_not_count() -> None:
    times = table_of(*((cell, 60.0, None) for cell in RING))
    assert ws.coverage(times, pl.DataFrame({"cell": RING[:1], "people": [4]}), minutes=[5])["people"].to_list() == [4]


def test_a_broken_area_is_left_out_with_a_warning_and_the_rest_counts() -> None:
    bow = shapely.Polygon([(LON, LAT), (LON + 1, LAT + 1), (LON + 1, LAT), (LON, LAT + 1)])
    areas = areas_of(bow=bow, whole=shapely.box(*degrees(-3000, -3000), *degrees(3000, 3000)))
    cells = pl.DataFrame({"cell": [CELL], "people": [5]})
    with pytest.warns(ws.RejectedRowsWarning) as caught:
        found = ws.coverage(table_of((CELL, 60.0, None)), cells, areas, minutes=[5])
    assert found["area_id"].to_list() == ["whole"]
    rejected = caught[0].message.rejected  # type: ignore[union-attr]
    assert rejected.select("row", "id", "reason").rows() == [(1, "bow", "bad_geometry")]
    assert caught[0].filename == __file__
