"""Tables in and out: whatever library a table comes from, the answer is the same; others can read ours."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import geopandas
import h3
import openpyxl
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from polars.testing import assert_frame_equal
from towns import degrees, main_street, places

import walkshed as ws

HOMES = places({"north": (0, 20), "south": (150, -30), "stairs": (140, 15), "far": (0, 900)}, people=[1, 2, 3, 4])
DOORS = places({"a": (20, 5), "b": (250, 0), "c": (133, 27)}, **{"class": ["bank", "bank", "shop"]})


def points(table: pl.DataFrame) -> geopandas.GeoDataFrame:
    plain = table.drop("lon", "lat").to_pandas()
    return geopandas.GeoDataFrame(plain, geometry=geopandas.points_from_xy(table["lon"], table["lat"]), crs=4326)


def written(write: Callable[[pl.DataFrame, Path], object], ending: str) -> Callable[[pl.DataFrame, Path], Path]:
    def to_file(table: pl.DataFrame, folder: Path) -> Path:
        path = folder / f"{len(list(folder.iterdir()))}.{ending}"
        write(table, path)
        return path

    return to_file


def in_angles(degrees: float, half: str) -> str:
    """Degrees, minutes and seconds as a survey sheet has them."""
    minutes, seconds = divmod(round(degrees * 3600, 9), 60)
    return f"{int(minutes // 60)}°{int(minutes % 60)}′{seconds:.9f}″{half}"


def angles(table: pl.DataFrame) -> pl.DataFrame:
    lon = [in_angles(value, "E") for value in table["lon"]]
    return table.with_columns(lon=pl.Series(lon), lat=pl.Series([in_angles(value, "N") for value in table["lat"]]))


def workbook(table: pl.DataFrame, path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(table.columns)
    for row in table.iter_rows():
        book.active.append(row)
    book.save(path)


def zipped_shapefile(table: pl.DataFrame, path: Path) -> None:
    shape = path.parent / "packed.shp"
    points(table).to_file(shape, encoding="UTF-8")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(path.parent.glob("packed.*")):
            archive.write(part, f"设施/{part.name}")
            part.unlink()


FORMS: dict[str, Callable[[pl.DataFrame, Path], Any]] = {
    "polars": lambda table, _: table,
    "polars in chunks": lambda table, _: pl.concat([table.head(1), table.slice(1)], rechunk=False),
    "pyarrow table": lambda table, _: table.to_arrow(),
    "pyarrow batch": lambda table, _: table.to_arrow().combine_chunks().to_batches()[0],
    "pyarrow reader": lambda table, _: table.to_arrow().to_reader(max_chunksize=2),
    "pandas": lambda table, _: table.to_pandas(),
    "duckdb": lambda table, _: duckdb.connect().from_arrow(table.to_arrow()),
    "geopandas": lambda table, _: points(table),
    "geoarrow points": lambda table, _: pa.table(points(table).to_arrow(index=False, geometry_encoding="geoarrow")),
    "geoarrow points through polars": lambda table, _: pl.DataFrame(
        pa.table(points(table).to_arrow(index=False, geometry_encoding="geoarrow"))
    ),
    "geoarrow points through duckdb": lambda table, _: duckdb.connect().from_arrow(
        pa.table(points(table).to_arrow(index=False, geometry_encoding="geoarrow"))
    ),
    "shapefile": written(lambda table, path: points(table).to_file(path), "shp"),
    "shapefile in GBK": written(lambda table, path: points(table).to_file(path, encoding="GBK"), "shp"),
    "shapefile in a zip": written(zipped_shapefile, "zip"),
    "geopackage": written(lambda table, path: points(table).to_file(path), "gpkg"),
    "flatgeobuf": written(
        lambda table, path: points(table).to_file(path, layer_options={"SPATIAL_INDEX": "NO"}), "fgb"
    ),
    "workbook": written(workbook, "xlsx"),
    "csv in GB 18030": written(lambda table, path: path.write_bytes(table.write_csv().encode("gb18030")), "csv"),
    "csv in UTF-16": written(lambda table, path: path.write_bytes(table.write_csv().encode("utf-16")), "csv"),
    "csv with semicolons": written(lambda table, path: table.write_csv(path, separator=";"), "csv"),
    "csv with decimal commas": written(
        lambda table, path: table.write_csv(path, separator=";", decimal_comma=True), "csv"
    ),
    "csv in degrees and minutes": written(lambda table, path: angles(table).write_csv(path), "csv"),
    "address of a file": lambda table, folder: FORMS["parquet"](table, folder).as_uri(),
    "address of a workbook": lambda table, folder: FORMS["workbook"](table, folder).as_uri(),
    "read at once": lambda table, folder: ws.read_table(FORMS["csv"](table, folder)),
    "parquet": written(lambda table, path: table.write_parquet(path), "parquet"),
    "parquet as text path": lambda table, folder: str(FORMS["parquet"](table, folder)),
    "csv": written(lambda table, path: table.write_csv(path), "csv"),
    "tsv": written(lambda table, path: table.write_csv(path, separator="\t"), "tsv"),
    "csv of Excel": written(lambda table, path: table.write_csv(path, include_bom=True), "csv"),
    "geojson": written(lambda table, path: points(table).to_file(path, driver="GeoJSON"), "geojson"),
    "geoparquet": written(lambda table, path: points(table).to_parquet(path), "parquet"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_table_gives_the_same_answer(form: str, tmp_path: Path) -> None:
    net = main_street().network()
    expected = net.nearest(HOMES, DOORS)
    assert expected["time_s"].count() == 6 and expected["reason"].count() == 2
    assert_frame_equal(net.nearest(FORMS[form](HOMES, tmp_path), FORMS[form](DOORS, tmp_path)), expected)


@pytest.mark.parametrize("form", ["pyarrow table", "pandas", "duckdb", "parquet", "csv"])
def test_networks_and_coverage_take_every_form_too(form: str, tmp_path: Path) -> None:
    make = FORMS[form]
    town = main_street()
    net = ws.Network.from_tables(make(town.nodes(), tmp_path), make(town.edges(), tmp_path))
    times = net.nearest(HOMES, DOORS)
    assert_frame_equal(times, town.network().nearest(HOMES, DOORS))
    cells = HOMES.select("id", "people", cell=pl.lit(h3.latlng_to_cell(29.56, 106.55, 9)))
    found = ws.coverage(make(times, tmp_path), make(cells, tmp_path))
    assert_frame_equal(found, ws.coverage(times, cells))
    assert found["people"].unique().to_list() == [10.0]


def cells_near(resolution: int) -> list[str]:
    lon, lat = degrees(133, 5)
    return h3.grid_disk(h3.latlng_to_cell(lat, lon, resolution), 1)


CELL_FORMS: dict[str, Callable[[list[str]], pl.Series]] = {
    "u64": lambda cells: pl.Series([h3.str_to_int(cell) for cell in cells], dtype=pl.UInt64),
    "i64": lambda cells: pl.Series([h3.str_to_int(cell) for cell in cells], dtype=pl.Int64),
    "hexadecimal": pl.Series,
    "capitals": lambda cells: pl.Series([cell.upper() for cell in cells]),
    "decimal text, as in CSV": lambda cells: pl.Series([str(h3.str_to_int(cell)) for cell in cells]),
}


@pytest.mark.parametrize("form", CELL_FORMS)
def test_a_cell_is_its_centre_and_its_own_id_in_the_type_that_it_had(form: str) -> None:
    cells = cells_near(11)
    column = CELL_FORMS[form](cells)
    net = main_street().network(max_snap_m=400)
    lat, lon = zip(*(h3.cell_to_latlng(cell) for cell in cells), strict=True)
    expected = net.nearest(pl.DataFrame({"id": column, "lon": lon, "lat": lat}), DOORS)
    found = net.nearest(pl.DataFrame({"cell": column}), DOORS)
    assert found["origin_id"].dtype == column.dtype
    assert found["time_s"].count() == len(cells) * 2
    assert_frame_equal(found, expected)


@pytest.mark.parametrize("form", CELL_FORMS)
def test_coverage_counts_a_cell_however_it_is_written(form: str) -> None:
    cells = cells_near(9)
    ids = CELL_FORMS[form](cells)
    times = pl.DataFrame({"origin_id": ids, "class": "shop", "time_s": [60.0 * (at + 1) for at in range(len(cells))]})
    (parent,) = {h3.cell_to_parent(cell, 3) for cell in cells}
    found = ws.coverage(times, pl.DataFrame({"cell": ids, "people": [1] * len(cells)}), 3, minutes=[3])
    assert found.select("area_id", "people", "people_covered").rows() == [(parent, 7.0, 3.0)]


@pytest.mark.parametrize(
    ("ids", "dtype"),
    [([9, 10, -1, 7], pl.Int64), ([9, 10, 2**64 - 1, 7], pl.UInt64), (["9", "10", "é", "七"], pl.String)],
)
def test_ids_keep_their_type(ids: list[Any], dtype: type[pl.DataType]) -> None:
    homes = HOMES.with_columns(id=pl.Series(ids, dtype=dtype))
    doors = DOORS.with_columns(id=pl.Series(ids[:3], dtype=dtype))
    times = main_street().network().nearest(homes, doors)
    assert times["origin_id"].dtype == times["facility_id"].dtype == dtype
    assert times["origin_id"].unique(maintain_order=True).to_list() == ids
    assert set(times["facility_id"].drop_nulls()) <= set(ids[:3])
    assert main_street().network().snap(homes)["id"].dtype == dtype


def test_the_tables_of_the_caller_are_not_changed() -> None:
    net = main_street().network()
    frame, pandas_table, geo = HOMES.clone(), HOMES.to_pandas(), points(HOMES)
    for table in (frame, pandas_table, geo):
        net.nearest(table, DOORS)
    assert_frame_equal(frame, HOMES)
    pd.testing.assert_frame_equal(pandas_table, HOMES.to_pandas())
    assert_geodataframe_equal(geo, points(HOMES))


def test_an_outline_is_walked_to_at_a_point_inside() -> None:
    (west, south), (east, north) = degrees(100, -20), degrees(166, -10)
    yard = geopandas.GeoDataFrame({"id": ["yard"]}, geometry=[shapely.box(west, south, east, north)], crs=4326)
    (row,) = main_street().network().snap(yard).iter_rows(named=True)
    assert 10 < row["away_m"] < 20


@pytest.mark.parametrize("crs", [3857, 4545, 4524, 4490])
def test_a_geometry_in_another_system_is_brought_to_wgs84(crs: int) -> None:
    town = main_street().network()
    at_home = town.nearest(points(HOMES), DOORS)
    assert_frame_equal(town.nearest(points(HOMES).to_crs(crs), DOORS), at_home)
    assert at_home["time_s"].is_not_null().any()


def test_a_system_whose_datum_is_not_known_is_refused_with_the_way_out() -> None:
    xian_1980 = points(HOMES).set_crs(2343, allow_override=True)
    with pytest.raises(ws.InputError, match=r'"EPSG:2343".*datum.*State an EPSG code') as error:
        main_street().network().nearest(xian_1980, DOORS)
    assert error.value.problems[0]["reason"] == "unsupported_crs"


def test_columns_of_a_plane_are_x_and_y() -> None:
    town = main_street().network()
    plane = points(HOMES).to_crs(4545).geometry
    columns = HOMES.drop("lon", "lat").with_columns(x=pl.Series(plane.x), y=pl.Series(plane.y))
    assert_frame_equal(town.nearest(ws.in_crs(columns, "EPSG:4545"), DOORS), town.nearest(HOMES, DOORS))
    with pytest.raises(ws.InputError, match=r"x \+ y, geometry"):
        town.nearest(ws.in_crs(HOMES, "EPSG:4545"), DOORS)


def test_a_system_that_contradicts_the_geometry_is_refused() -> None:
    with pytest.raises(ws.InputError, match=r'"EPSG:3857": the file states .* not EPSG:4545'):
        main_street().network().nearest(ws.in_crs(points(HOMES).to_crs(3857), "EPSG:4545"), DOORS)


def test_an_unknown_system_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match=r'"mars": unknown.*EPSG:4545'):
        ws.in_crs(HOMES, "mars")


@pytest.mark.parametrize(("name", "kinds"), [("cells", {"Polygon"}), ("facilities", {"Point", "MultiPoint"})])
def test_results_with_geometry_open_in_geopandas_in_wgs84(
    helsinki_run: ws.RunResult, name: str, kinds: set[str]
) -> None:
    table = geopandas.read_parquet(helsinki_run.folder / f"{name}.parquet")
    assert len(table) > 20 and set(table.geom_type) == kinds
    assert table.crs.equals("OGC:CRS84") or table.crs.to_epsg() == 4326
    assert table.geometry.is_valid.all() and table.geometry.intersects(shapely.box(24.8, 60.1, 25.1, 60.2)).all()
    if name == "cells":
        for cell, shape in zip(table["cell"], table.geometry, strict=True):
            corners = [(lon, lat) for lat, lon in h3.cell_to_boundary(h3.int_to_str(cell))]
            assert shape.symmetric_difference(shapely.Polygon(corners)).area < 1e-9 * shape.area
    else:
        assert (table.geometry.count_geometries() == table["doors"]).all()


@pytest.mark.parametrize("name", ["cells", "times", "coverage", "facilities", "rejected"])
def test_results_open_in_duckdb_pyarrow_pandas_and_polars(helsinki_run: ws.RunResult, name: str) -> None:
    path = helsinki_run.folder / f"{name}.parquet"
    rows = helsinki_run.report["rows"][f"{name}.parquet"]
    assert pq.read_table(path).num_rows == rows
    assert len(pd.read_parquet(path)) == rows
    assert pl.read_parquet(path).height == helsinki_run.table(name).height == rows
    assert duckdb.sql(f"select count(*) from read_parquet('{path}')").fetchall() == [(rows,)]


def test_the_cells_of_times_and_cells_join_in_duckdb(helsinki_run: ws.RunResult) -> None:
    query = "select sum(people), count(*) from '{0}/cells.parquet' join '{0}/times.parquet' on cell = origin_id"
    ((people, rows),) = duckdb.sql(query.format(helsinki_run.folder)).fetchall()
    classes = len(helsinki_run.report["facilities"])
    assert rows == helsinki_run.report["rows"]["times.parquet"]
    assert people == pytest.approx(71_724 * classes * 2, rel=1e-9)
