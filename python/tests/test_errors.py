"""Mistakes: each is told with file or argument, row, value and the way out."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas
import polars as pl
import pyarrow as pa
import pytest
import shapely
from conftest import Data
from towns import LAT, LON, main_street, places

import walkshed as ws

HOMES = places({"home": (0, 0), "hut": (133, 0)})
DOORS = places({"door": (266, 0)}, **{"class": ["shop"]})
CELLS = pl.DataFrame({"id": ["home", "hut"], "cell": ["8840a24a01fffff"] * 2, "people": [1, 2]})

Call = Callable[[ws.Network], Any]


def nearest(homes: Any = HOMES, doors: Any = DOORS, **options: Any) -> Call:
    return lambda net: net.nearest(homes, doors, **options)


def coverage(cells: Any = CELLS, areas: Any = None, **options: Any) -> Call:
    return lambda net: ws.coverage(net.nearest(HOMES, DOORS), cells, areas, **options)


def built(nodes: dict[str, Any] | None = None, edges: dict[str, Any] | None = None, **options: Any) -> Call:
    town = main_street()
    changed = [table.with_columns(**(change or {})) for table, change in ((town.nodes(), nodes), (town.edges(), edges))]
    return lambda _: ws.Network.from_tables(*changed, **options)


def lit(value: Any) -> pl.Expr:
    return pl.lit(value)


# What is done, what is raised, and the parts that its text must have.
MISTAKES: dict[str, tuple[Call, type[Exception], list[str]]] = {
    "origins without id": (
        nearest(HOMES.drop("id")),
        ws.InputError,
        ["origins", '"id"', "found: lon, lat", "Rename"],
    ),
    "facilities without class": (
        nearest(doors=DOORS.drop("class")),
        ws.InputError,
        ["facilities", '"class"', "found"],
    ),
    "origins without place": (
        nearest(HOMES.drop("lat")),
        ws.InputError,
        ["origins", "lon + lat, geometry or cell", "found: id, lon"],
    ),
    "origins without rows": (
        nearest(HOMES.head(0)),
        ws.InputError,
        ["origins", "no rows", "at least one row"],
    ),
    "facilities without rows": (nearest(doors=DOORS.head(0)), ws.InputError, ["facilities", "no rows"]),
    "origins the wrong way round": (
        nearest(HOMES.rename({"lon": "lat", "lat": "lon"})),
        ws.InputError,
        ["origins, row 1", '"lat"', f'"{LON}"', "swapped", "Exchange the two columns"],
    ),
    "facilities the wrong way round": (
        nearest(doors=DOORS.rename({"lon": "lat", "lat": "lon"})),
        ws.InputError,
        ["facilities, row 1", "swapped"],
    ),
    "an origin without id in its row": (
        nearest(HOMES.with_columns(id=pl.Series(["a", None]))),
        ws.InputError,
        ["origins, row 2", '"id"', "missing"],
    ),
    "no row with a place": (
        nearest(HOMES.with_columns(lon=lit("east"))),
        ws.InputError,
        ["origins", "every row", "row 1", '"east"', "number"],
    ),
    "no facility with a class": (
        nearest(doors=DOORS.with_columns(lit(None).cast(pl.String).alias("class"))),
        ws.InputError,
        ["facilities, row 1", '"class"', "missing"],
    ),
    "no cell": (
        nearest(pl.DataFrame({"cell": ["8940a24a01fffff", "zebra"]}).tail(1)),
        ws.InputError,
        ["origins, row 1", "zebra", "H3 cell", "hexadecimal"],
    ),
    "a list as origins": (nearest([1, 2]), TypeError, ["origins", "list", "polars, pyarrow, pandas"]),
    "nothing as facilities": (nearest(doors=None), TypeError, ["facilities", "NoneType", "give a path"]),
    "a file that is not there": (
        nearest("homes.csv"),
        ws.InputError,
        ["homes.csv", "does not exist", "Check the path"],
    ),
    "a profile nobody knows": (
        nearest(profile="robot"),
        ValueError,
        ['profile "robot"', "adult, senior", "Profile("],
    ),
    "a number as profile": (nearest(profile=3), TypeError, ["profile", "int", "walkshed.Profile"]),
    "a speed below nothing": (
        nearest(profile=ws.Profile(name="crab", flat_mps=-1)),
        ValueError,
        ["crab", "flat_mps -1", "0.05..10"],
    ),
    "a speed that is no number": (
        nearest(profile=ws.Profile(name="crab", flat_mps=float("nan"))),
        ValueError,
        ["crab", "flat_mps nan"],
    ),
    "a direction nobody knows": (
        nearest(direction="up"),
        ValueError,
        ['"up"', "to_facility", "from_facility"],
    ),
    **{
        f"{wrong} minutes": (nearest(max_minutes=wrong), ValueError, ["max_minutes", "above 0, at most 1440"])
        for wrong in (0, -5, 1441, float("nan"), float("inf"))
    },
    "minutes in words": (nearest(max_minutes="ten"), TypeError, ["str"]),
    "a distance to streets below nothing": (built(max_snap_m=-1), ValueError, ["max_snap_m -1", "above 0"]),
    "a distance to streets that is no number": (
        built(max_snap_m=float("nan")),
        ValueError,
        ["max_snap_m nan"],
    ),
    "edges to nowhere": (
        built(edges={"to": lit("nowhere")}),
        ws.InputError,
        ["edges, row 1", '"to"', '"nowhere"', "row 3", "Add the node"],
    ),
    "edges without length": (
        built(edges={"length_m": lit(None).cast(pl.Float64)}),
        ws.InputError,
        ["edges, row 1", "length_m", "missing"],
    ),
    "edges shorter than nothing": (
        built(edges={"length_m": lit(-3.0)}),
        ws.InputError,
        ["row 1", '"-3"', "0..1000000"],
    ),
    "edges of a kind nobody knows": (
        built(edges={"kind": lit("moat")}),
        ws.InputError,
        ['"moat"', "footway, street"],
    ),
    "nodes of one name": (
        built({"id": lit("a")}),
        ws.InputError,
        ["nodes, row 2", '"a"', "row 1 has the same id"],
    ),
    "a cable car without a timetable": (
        built(edges={"kind": lit("cableway")}),
        ws.InputError,
        ["edges, row 1", '"kind"', "forward_s"],
    ),
    "cells without people": (
        coverage(CELLS.drop("people")),
        ws.InputError,
        ["cells", '"people"', "found: id, cell"],
    ),
    "fewer people than none": (
        coverage(CELLS.with_columns(people=lit(-2))),
        ws.InputError,
        ["cells, row 1", '"-2"', "0..1e12"],
    ),
    "a group that is not there": (coverage(groups=["old"]), ws.InputError, ["cells", '"old"', "found"]),
    "a group as text": (coverage(groups="people"), TypeError, ['groups "people"', '["people"]']),
    "no minutes at all": (coverage(minutes=[]), ValueError, ["minutes", "at least one"]),
    "minutes below nothing": (coverage(minutes=[5, -5]), ValueError, ["minutes -5", "above 0"]),
    **{
        f"areas of resolution {wrong}": (coverage(areas=wrong), ValueError, [f"areas {wrong}", "0..15"])
        for wrong in (-1, 16, 999)
    },
    "areas without outline": (coverage(areas=HOMES), ws.InputError, ["areas"]),
    "areas that are points": (
        coverage(areas=geopandas.GeoDataFrame({"area_id": ["a"]}, geometry=[shapely.Point(LON, LAT)], crs=4326)),
        ws.InputError,
        ["areas, row 1", "polygon"],
    ),
    "a list of areas": (coverage(areas=["a"]), TypeError, ["areas", "list"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_place_and_the_way_out(mistake: str) -> None:
    make, kind, parts = MISTAKES[mistake]
    net = main_street().network()
    with pytest.raises(kind) as caught:
        make(net)
    assert type(caught.value) is kind
    text = str(caught.value)
    assert all(part in text for part in parts), text
    if isinstance(caught.value, ws.InputError):
        assert caught.value.problems and "\n".join(problem["message"] for problem in caught.value.problems) == text
        for problem in caught.value.problems:
            assert set(problem) == {"file", "row", "id", "column", "value", "reason", "message", "message_zh"}
            assert re.search(r"[\u4e00-\u9fff]", problem["message_zh"]), "every message is in Chinese too"
            assert re.fullmatch(r"[a-z_0-9]+", problem["reason"])


def test_all_faults_of_a_table_are_told_at_once() -> None:
    edges = main_street().edges().with_columns(to=pl.Series(["x", "east", "y"]), length_m=pl.Series([1.0, -1.0, 2.0]))
    with pytest.raises(ws.InputError) as caught:
        ws.Network.from_tables(main_street().nodes(), edges)
    found = [(problem["row"], problem["column"]) for problem in caught.value.problems]
    assert sorted(found) == [(1, "to"), (2, "length_m"), (3, "to")]


def test_input_errors_are_value_errors_and_internal_ones_are_not() -> None:
    assert issubclass(ws.InputError, ValueError)
    assert issubclass(ws.InternalError, RuntimeError) and not issubclass(ws.InternalError, ValueError)


FILES: dict[str, tuple[str, bytes, list[str]]] = {
    "text named .pbf": (
        "a.osm.pbf",
        b"id,lon,lat\n" * 99,
        ["a.osm.pbf", "this is no", "OpenStreetMap PBF", "Check"],
    ),
    "nothing named .pbf": ("b.osm.pbf", b"", ["b.osm.pbf", "OpenStreetMap PBF"]),
    "text named .parquet": ("c.parquet", b"id,lon,lat\n" * 99, ["c.parquet", "this is no Parquet file"]),
    "text named .geojson": ("d.geojson", b"id,lon,lat\n", ["d.geojson"]),
    "bytes named .csv": ("e.csv", b"\xff\xfe\x00\x01" * 9, ["e.csv"]),
    "a csv of a header only": ("f.csv", b"id,lon,lat\n", ["f.csv", "no rows", "at least one row"]),
    "a csv of nothing": ("g.csv", b"", ["g.csv", "no rows"]),
    "a workbook that is none": ("h.xlsx", b"PK", ["h.xlsx", "cannot be read", "no workbook"]),
    "an ending that nobody reads": ("k.ods", b"PK", ["k.ods", "ods", "parquet, geoparquet, csv"]),
    "text named .tif": ("i.tif", b"not a raster", ["i.tif"]),
    "text named .network": ("j.network", b"not a network", ["j.network"]),
}


@pytest.mark.parametrize("fault", FILES)
def test_a_file_of_another_kind_is_refused_by_its_name(data: Data, tmp_path: Path, fault: str) -> None:
    name, contents, parts = FILES[fault]
    path = tmp_path / name
    path.write_bytes(contents)
    with pytest.raises(ws.InputError) as caught:
        match path.suffix:
            case ".pbf":
                ws.Network.from_osm(path)
            case ".tif":
                ws.Network.from_osm(data("helsinki") / "centre.osm.pbf", elevation=path)
            case ".network":
                ws.Network.load(path)
            case _:
                main_street().network().nearest(path, DOORS)
    text = str(caught.value)
    assert all(part in text for part in parts), text


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.999])
def test_an_extract_cut_off_anywhere_is_refused_with_the_byte(data: Data, tmp_path: Path, share: float) -> None:
    whole = (data("helsinki") / "centre.osm.pbf").read_bytes()
    path = tmp_path / "cut.osm.pbf"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ws.InputError, match=r"cut\.osm\.pbf: the file is cut off.*Download or copy") as caught:
        ws.Network.from_osm(path)
    at = int(re.search(r"byte (\d+)", str(caught.value))[1])  # type: ignore[index]
    assert 0 <= at <= len(whole) * share


def test_malformed_parquet_files_of_others_are_refused(data: Data) -> None:
    files = sorted((data("hostile") / "parquet").glob("*.parquet"))
    assert len(files) >= 5
    net = main_street().network()
    for path in files:
        with pytest.raises(ws.InputError, match=re.escape(path.name)):
            net.nearest(path, DOORS)


def test_rows_left_out_are_in_the_warning_with_row_id_value_and_reason() -> None:
    net = main_street().network()
    homes = places({"home": (0, 0), "hut": (9, 9), "odd": (1, 1)})
    homes = pl.concat([homes, homes.head(1)]).with_columns(lat=pl.Series(["29.56", "north", None, "29.56"]))
    with pytest.warns(ws.RejectedRowsWarning) as caught:
        times = net.nearest(homes, DOORS)
    assert times["origin_id"].to_list() == ["home"] and times["time_s"].to_list() == [200.0]
    (warning,) = caught
    assert warning.filename == __file__, "the warning points at the caller"
    rejected = warning.message.rejected  # type: ignore[union-attr]
    rows = rejected.select("file", "row", "id", "column", "value", "reason").sort("row").rows()
    assert rows == [
        ("origins", 2, "hut", "lat", "north", "not_a_number"),
        ("origins", 3, "odd", "lat", None, "missing_value"),
        ("origins", 4, "home", "id", "home", "duplicate_id"),
    ]
    assert str(warning.message).startswith("3 row(s) left out:\n  origins, row ")


def test_a_long_list_of_rows_left_out_is_told_in_short() -> None:
    homes = pl.concat([HOMES.head(1)] * 9)
    with pytest.warns(ws.RejectedRowsWarning, match="8 row") as caught:
        main_street().network().nearest(homes, DOORS)
    assert "and 5 more, in .rejected" in str(caught[0].message)
    assert caught[0].message.rejected.height == 8  # type: ignore[union-attr]


def test_a_facility_in_the_sea_is_left_out_with_its_distance_to_the_street() -> None:
    doors = places({"sea": (266, -500), "door": (266, 0)}, **{"class": ["shop", "shop"]})
    with pytest.warns(ws.RejectedRowsWarning, match="the nearest walkable street is 500 m away, the limit is 200 m"):
        times = main_street().network().nearest(HOMES, doors)
    assert times["facility_id"].to_list() == ["door", "door"]


def test_a_facility_may_have_two_classes_but_not_one_twice() -> None:
    both = places({"door": (266, 0)}, **{"class": ["bank"]})
    with pytest.warns(ws.RejectedRowsWarning, match="1 row") as caught:
        times = main_street().network().nearest(HOMES, pl.concat([DOORS, both, DOORS]))
    assert times["class"].unique().sort().to_list() == ["bank", "shop"]
    assert caught[0].message.rejected["row"].to_list() == [3]  # type: ignore[union-attr]


def text(offsets: list[int], data: bytes) -> pa.Array:
    buffers = [None, pa.py_buffer(struct.pack(f"<{len(offsets)}i", *offsets)), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.string(), len(offsets) - 1, buffers)


@pytest.mark.parametrize("damaged", [text([0, 5, 3], b"five letters"), text([0, 1, 2], b"\xe9\xff")])
def test_columns_whose_buffers_are_damaged_are_refused(damaged: pa.Array) -> None:
    table = pa.table({"id": damaged, "class": ["a", "b"], "lon": [106.5, 106.5], "lat": [29.5, 29.5]})
    with pytest.raises(ws.InputError, match=r"table.*id.*cannot be read"):
        ws.classify(table)


def geometries(shapes: list[Any], metadata: str) -> pa.Table:
    """Areas in a GeoArrow column that says this of itself."""
    field = pa.field(
        "geometry", pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb", "ARROW:extension:metadata": metadata}
    )
    schema = pa.schema([pa.field("area_id", pa.string()), field])
    return pa.table(
        [[f"a{at}" for at in range(len(shapes))], [shapely.to_wkb(shape) for shape in shapes]], schema=schema
    )


def test_numbers_that_are_no_degrees_need_a_system() -> None:
    metres = [shapely.box(360_000 + at, 3_270_000, 360_100 + at, 3_270_100) for at in range(3)]
    with pytest.raises(ws.InputError, match=r"geometry.*does not name its coordinate reference system"):
        ws.check_areas(geometries(metres, "{}"))
    # Where one row of three is odd, the row is the fault.
    mixed = [shapely.box(LON + at, LAT, LON + at + 0.1, LAT + 0.1) for at in range(2)] + metres[:1]
    found = ws.check_areas(geometries(mixed, "{}"))
    assert found.select("row", "finding").rows() == [(3, "bad_geometry")]


def test_great_circles_are_told() -> None:
    square = [shapely.box(LON, LAT, LON + 0.1, LAT + 0.1)]
    found = ws.check_areas(geometries(square, '{"edges": "spherical"}'))
    assert found.select("severity", "column", "finding").rows() == [("note", "geometry", "spherical_edges")]
