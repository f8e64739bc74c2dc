"""Formats that institutes bring: each read as another library reads it, refused by name where it is something else."""

from __future__ import annotations

import http.server
import struct
import threading
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas
import openpyxl
import polars as pl
import pytest
import shapely
from polars.testing import assert_frame_equal
from test_arrow import DOORS, FORMS, HOMES, points
from towns import degrees, main_street, places

import walkshed as ws

CHINESE = places(
    {"a": (20, 5), "b": (250, 0), "c": (133, 27)},
    **{"class": ["药店", "药店", "超市"], "name": ["重庆大药房", "和平药房", "新世纪百货"]},
)


def times(facilities: Any) -> pl.DataFrame:
    return main_street().network().nearest(HOMES, facilities)


def refused(table: Any) -> dict[str, Any]:
    """The one fault of a table that is refused."""
    with pytest.raises(ws.InputError) as error:
        times(table)
    (problem,) = error.value.problems
    return dict(problem)


def shapefile(folder: Path, encoding: str = "UTF-8", table: pl.DataFrame = CHINESE, crs: int = 4326) -> Path:
    path = folder / "药店.shp"
    points(table).to_crs(crs).to_file(path, encoding=encoding)
    return path


# ---------------------------------------------------------------- shapefiles


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK", "GB18030"])
def test_chinese_attributes_are_read_as_the_cpg_states(encoding: str, tmp_path: Path) -> None:
    path = shapefile(tmp_path, encoding)
    assert path.with_suffix(".cpg").read_text() == encoding
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_frame_equal(times(path), times(CHINESE))


@pytest.mark.parametrize(("encoding", "found"), [("GBK", "GB18030"), ("UTF-8", "UTF-8")])
def test_without_a_cpg_the_bytes_tell_and_it_is_said(encoding: str, found: str, tmp_path: Path) -> None:
    path = shapefile(tmp_path, encoding)
    path.with_suffix(".cpg").unlink()
    with pytest.warns(ws.EncodingWarning, match=f"药店.shp: nothing states the encoding.*read as {found}"):
        assert_frame_equal(times(path), times(CHINESE))


def test_the_code_page_of_esri_s_programs_says_nothing(tmp_path: Path) -> None:
    path = shapefile(tmp_path, "GBK")
    path.with_suffix(".cpg").unlink()
    table = bytearray(path.with_suffix(".dbf").read_bytes())
    table[29] = 0x57
    path.with_suffix(".dbf").write_bytes(table)
    with pytest.warns(ws.EncodingWarning, match="GB18030"):
        assert_frame_equal(times(path), times(CHINESE))


def test_a_cpg_that_the_bytes_contradict_is_refused(tmp_path: Path) -> None:
    path = shapefile(tmp_path, "GBK")
    path.with_suffix(".cpg").write_text("UTF-8")
    problem = refused(path)
    assert (problem["reason"], problem["column"], problem["value"]) == ("unknown_encoding", ".cpg", "UTF-8")
    assert_frame_equal(times(ws.read_table(path, encoding="GBK")), times(CHINESE))


def test_latin_attributes_without_a_cpg_are_not_taken_for_chinese(tmp_path: Path) -> None:
    finnish = CHINESE.with_columns(name=pl.Series(["Käpylä", "Töölö", "Håkansböle"]))
    path = shapefile(tmp_path, "ISO-8859-1", finnish)
    path.with_suffix(".cpg").unlink()
    table = bytearray(path.with_suffix(".dbf").read_bytes())
    table[29] = 0x57
    path.with_suffix(".dbf").write_bytes(table)
    assert refused(path)["reason"] == "unknown_encoding"


def test_a_shapefile_without_prj_needs_its_system_stated(tmp_path: Path) -> None:
    path = shapefile(tmp_path, crs=4545)
    path.with_suffix(".prj").unlink()
    problem = refused(path)
    assert problem["reason"] == "missing_crs" and ".prj" in problem["message"]
    assert_frame_equal(times(ws.in_crs(path, "EPSG:4545")), times(CHINESE))


@pytest.mark.parametrize("crs", [4545, 4524, 3857, 4490])
def test_the_prj_is_honoured(crs: int, tmp_path: Path) -> None:
    assert_frame_equal(times(shapefile(tmp_path, crs=crs)), times(CHINESE))


@pytest.mark.parametrize("part", [".shx", ".dbf"])
def test_a_part_that_is_missing_is_named(part: str, tmp_path: Path) -> None:
    path = shapefile(tmp_path)
    path.with_suffix(part).unlink()
    problem = refused(path)
    assert problem["reason"] == "missing_part" and f"药店{part}" in problem["message_zh"]
    assert not path.with_suffix(part).exists()


def test_a_row_without_a_place_is_rejected_by_its_number(tmp_path: Path) -> None:
    table = points(CHINESE)
    table.loc[1, "geometry"] = None
    table.to_file(tmp_path / "gap.shp", encoding="UTF-8")
    with pytest.warns(ws.RejectedRowsWarning) as caught:
        times(tmp_path / "gap.shp")
    (row,) = caught[0].message.rejected.iter_rows(named=True)  # type: ignore[union-attr]
    assert (row["file"], row["row"], row["id"], row["reason"]) == ("gap.shp", 2, "b", "missing_value")


# ---------------------------------------------------------------- archives


def packed(folder: Path, members: dict[str, bytes], **options: Any) -> Path:
    path = folder / "packed.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, contents in members.items():
            archive.writestr(zipfile.ZipInfo(name), contents, zipfile.ZIP_DEFLATED)
    return path


def parts(folder: Path, stem: str = "shops") -> dict[str, bytes]:
    points(CHINESE).to_file(folder / f"{stem}.shp", encoding="UTF-8")
    return {part.name: part.read_bytes() for part in folder.glob(f"{stem}.*")}


UNSAFE: dict[str, Callable[[dict[str, bytes]], dict[str, bytes]]] = {
    "leads outside": lambda good: good | {"../../evil.shp": b"x"},
    "leads outside by backslashes": lambda good: good | {"..\\evil.shp": b"x"},
    "starts at the root": lambda good: good | {"/etc/passwd": b"x"},
    "starts at a drive": lambda good: good | {"C:/evil.shp": b"x"},
    "holds an archive": lambda good: good | {"inner.zip": b"PK"},
    "is a bomb": lambda good: good | {"blank.txt": bytes(3 << 20)},
    "holds too many": lambda good: good | {f"{at}.txt": b"" for at in range(1001)},
    "holds no shapefile": lambda good: {"readme.txt": b"hello"},
}


@pytest.mark.parametrize("risk", UNSAFE)
def test_an_unsafe_archive_is_refused_and_nothing_is_unpacked(risk: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = packed(tmp_path, UNSAFE[risk](parts(tmp_path / "in")))
    before = sorted(tmp_path.rglob("*"))
    problem = refused(path)
    assert problem["reason"] == "unsafe_archive" and problem["file"] == "packed.zip", problem
    assert sorted(tmp_path.rglob("*")) == before


def test_links_and_encrypted_members_are_refused(tmp_path: Path) -> None:
    path = packed(tmp_path, parts(tmp_path))
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("link.shp")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert "link" in refused(path)["message"]
    path = packed(tmp_path, parts(tmp_path))
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1  # the flag of encryption in the list of members
    path.write_bytes(data)
    assert "encrypted" in refused(path)["message"]


def test_a_size_that_lies_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path, parts(tmp_path))
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    (true_size,) = struct.unpack_from("<I", data, at + 24)
    struct.pack_into("<I", data, at + 24, true_size // 2)
    path.write_bytes(data)
    assert refused(path)["reason"] == "unreadable"


def test_one_of_several_shapefiles_is_named(tmp_path: Path) -> None:
    path = packed(tmp_path, parts(tmp_path, "shops") | parts(tmp_path, "banks"))
    problem = refused(path)
    assert problem["column"] == "layer" and "known: banks, shops" in problem["message"]
    assert_frame_equal(times(ws.read_table(path, layer="banks")), times(CHINESE))


def test_the_member_without_prj_needs_a_system_too(tmp_path: Path) -> None:
    members = parts(tmp_path)
    del members["shops.prj"]
    path = packed(tmp_path, members)
    assert refused(path)["reason"] == "missing_crs"
    assert_frame_equal(times(ws.in_crs(path, "EPSG:4326")), times(CHINESE))


# ---------------------------------------------------------------- layers


def test_one_of_several_layers_is_named(tmp_path: Path) -> None:
    path = tmp_path / "city.gpkg"
    points(CHINESE).to_file(path, layer="药店")
    points(HOMES).to_file(path, layer="homes")
    assert "known: 药店, homes" in refused(path)["message"]
    assert_frame_equal(times(ws.read_table(path, layer="药店")), times(CHINESE))
    with pytest.raises(ws.InputError, match='column "layer", value "shops"'):
        ws.read_table(path, layer="shops")


@pytest.mark.parametrize("ending", ["gpkg", "fgb", "shp", "zip", "xlsx", "parquet", "csv", "geojson"])
def test_a_file_that_is_something_else_is_refused_by_name(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"picture.{ending}"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    for part in ("shx", "dbf") if ending == "shp" else ():
        path.with_suffix(f".{part}").write_bytes(bytes(100))
    problem = refused(path)
    assert problem["file"] == path.name
    assert problem["reason"] in ("unreadable", "wrong_format", "unknown_encoding"), problem


@pytest.mark.parametrize("form", ["geopackage", "flatgeobuf", "shapefile", "shapefile in a zip", "workbook"])
def test_a_file_that_is_cut_off_is_refused_or_read_whole(form: str, tmp_path: Path) -> None:
    """Wherever it is cut: never another answer, never another exception."""
    path = FORMS[form](DOORS, tmp_path)
    whole, expected = path.read_bytes(), times(DOORS)
    for share in (0.02, 0.2, 0.5, 0.9, 0.99):
        path.write_bytes(whole[: int(len(whole) * share)])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", ws.RejectedRowsWarning)
                assert_frame_equal(times(path), expected)
        except (ws.InputError, ws.RejectedRowsWarning) as error:
            assert path.name in str(error)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for name in ("no.gpkg", "no.xlsx", "no.zip", "no.shp"):
        assert refused(tmp_path / name)["reason"] == "not_found"


# ---------------------------------------------------------------- workbooks


def book(folder: Path, *rows: tuple[Any, ...], merge: str | None = None, name: str = "list.xlsx") -> Path:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    if merge:
        made.active.merge_cells(merge)
    made.save(folder / name)
    return folder / name


def rows_of(table: pl.DataFrame) -> list[tuple[Any, ...]]:
    return table.select("id", "class", "lon", "lat").rows()


HEADER = ("id", "class", "lon", "lat")


def test_a_title_above_the_header_and_blank_rows_do_not_count(tmp_path: Path) -> None:
    blank = (None,) * 4
    first, *rest = rows_of(CHINESE)
    path = book(tmp_path, ("社区设施一览表",), blank, HEADER, first, blank, *rest, blank, merge="A1:D1")
    assert_frame_equal(times(path), times(CHINESE))


def test_a_header_of_two_merged_rows_is_one(tmp_path: Path) -> None:
    path = book(tmp_path, ("id", "class", "位置", None), (None, None, "lon", "lat"), *rows_of(CHINESE), merge="C1:D1")
    assert_frame_equal(times(path), times(CHINESE))


def test_numbers_stored_as_text_are_numbers_and_others_are_named(tmp_path: Path) -> None:
    rows = [
        (id_, kind, str(lon), f"{lat}") for id_, kind, lat, lon in CHINESE.select("id", "class", "lat", "lon").rows()
    ]
    rows.append(("d", "超市", "about 106", "29.5"))
    with pytest.warns(
        ws.RejectedRowsWarning, match=r'list.xlsx, row 4.*"lon", value "about 106": this is not a number'
    ):
        assert_frame_equal(times(book(tmp_path, HEADER, *rows)), times(CHINESE))


def test_a_formula_counts_by_the_result_that_the_file_keeps(tmp_path: Path) -> None:
    """openpyxl writes no results, as no program has worked them out: the formula is told, not taken for a blank."""
    path = book(tmp_path, HEADER, *rows_of(CHINESE), ("d", "超市", "=C2+0.001", 29.5))
    with pytest.warns(ws.RejectedRowsWarning, match=r'row 4.*value "=C2\+0.001": this is not a number'):
        assert_frame_equal(times(path), times(CHINESE))
    members = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            members[member.filename] = archive.read(member)
    sheet = members["xl/worksheets/sheet1.xml"]
    assert b"<v></v>" in sheet or b"<v />" in sheet or b"<v/>" in sheet
    for blank in (b"<v></v>", b"<v />", b"<v/>"):
        sheet = sheet.replace(blank, b"<v>106.5512</v>")
    packed(tmp_path, members | {"xl/worksheets/sheet1.xml": sheet}).rename(path)
    assert times(path).height == times(CHINESE).height
    assert ws.read_table(path).rows == 4


def test_names_that_look_like_formulas_stay_names(tmp_path: Path) -> None:
    """Such text is harmless here and comes out as it went in."""
    evil = '=HYPERLINK("http://example.org","click")'
    cell = openpyxl.Workbook()
    for row in [(*HEADER, "name"), ("a", "超市", *degrees(20, 5), "x")]:
        cell.active.append(row)
    cell.active["E2"].value, cell.active["E2"].data_type = evil, "s"
    cell.save(tmp_path / "names.xlsx")
    assert times(tmp_path / "names.xlsx")["facility_id"].unique().drop_nulls().to_list() == ["a"]


def test_one_of_several_sheets_is_named(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    made.active.title = "说明"
    made.active.append(("本表由社区填报",))
    sheet = made.create_sheet("设施")
    for row in (HEADER, *rows_of(CHINESE)):
        sheet.append(row)
    made.save(tmp_path / "two.xlsx")
    assert "known: 说明, 设施" in refused(tmp_path / "two.xlsx")["message"]
    assert_frame_equal(times(ws.read_table(tmp_path / "two.xlsx", layer="设施")), times(CHINESE))


def test_a_workbook_that_is_a_bomb_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path, HEADER, *rows_of(CHINESE))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/blank.bin", bytes(20 << 20))
    assert refused(path)["reason"] == "unsafe_archive"


def test_an_empty_workbook_is_refused(tmp_path: Path) -> None:
    assert refused(book(tmp_path))["reason"] == "empty_table"
    assert refused(book(tmp_path, HEADER))["reason"] == "empty_table"


# ---------------------------------------------------------------- text


def test_text_in_no_known_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "finnish.csv"
    path.write_bytes(CHINESE.with_columns(name=pl.lit("Käpylä Töölö")).write_csv().encode("latin-1", "replace"))
    assert refused(path)["reason"] == "unknown_encoding"


def test_thousands_are_not_taken_for_decimals(tmp_path: Path) -> None:
    path = tmp_path / "homes.tsv"
    path.write_text("id\tlon\tlat\na\t106,551\t29.56\nb\t106,55\t29,56\n")
    with pytest.warns(ws.RejectedRowsWarning, match=r'row 1.*value "106,551": this is not a number'):
        found = main_street().network().nearest(path, DOORS)
    assert found["origin_id"].unique().to_list() == ["b"]


def test_a_broken_geometry_costs_its_row_and_not_the_file(tmp_path: Path) -> None:
    path = tmp_path / "doors.geojson"
    points(CHINESE).to_file(path, driver="GeoJSON")
    text = path.read_text()
    assert text.count('"type": "Point"') == 3
    at = text.index('"type": "Point"', text.index('"b"'))
    path.write_text(text[:at] + '"type": "Pint"' + text[at + len('"type": "Point"') :])
    with pytest.warns(ws.RejectedRowsWarning, match=r"doors.geojson, row 2, id b.*the geometry cannot be used"):
        found = times(path)
    assert set(found["facility_id"].drop_nulls()) == {"a", "c"}


# ---------------------------------------------------------------- the network


class _Bucket(http.server.BaseHTTPRequestHandler):
    """As much of an object store as reading one object needs."""

    contents = b""

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.contents)))
        self.send_header("Last-Modified", "Wed, 25 Nov 2026 20:00:00 GMT")
        self.send_header("ETag", '"0"')
        self.end_headers()

    def do_GET(self) -> None:
        first, last = 0, len(self.contents) - 1
        if "Range" in self.headers:
            begin, end = self.headers["Range"].removeprefix("bytes=").split("-")
            first, last = int(begin), min(int(end or last), last)
        part = self.contents[first : last + 1]
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(self.contents)}")
        self.send_header("ETag", '"0"')
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def bucket() -> Iterator[str]:
    """The address of an object of a store on this machine, without its ending."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Bucket)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def test_an_object_store_is_read_through_pyarrow(bucket: str, tmp_path: Path) -> None:
    from walkshed import formats

    _Bucket.contents = FORMS["parquet"](DOORS, tmp_path).read_bytes()
    query = f"?scheme=http&endpoint_override={bucket}&region=us-east-1"
    with formats.fetched(f"s3://key:secret@city/doors.parquet{query}") as copy:
        assert Path(copy).read_bytes() == _Bucket.contents
        assert_frame_equal(times(Path(copy).rename(tmp_path / "copy.parquet")), times(DOORS))


def test_an_address_that_nothing_reads_says_what_to_install() -> None:
    problem = refused("gopher://city/doors.parquet")
    assert problem["reason"] in ("missing_library", "unreadable") and problem["file"].startswith("gopher://")


# ---------------------------------------------------------------- studies and the whole line


def outlines() -> geopandas.GeoDataFrame:
    (west, south), (middle, north), (east, _) = degrees(-200, -300), degrees(133, 300), degrees(500, 0)
    halves = [shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)]
    return geopandas.GeoDataFrame({"area_id": ["西", "东"]}, geometry=halves, crs=4326)


STUDY_FORMS = (
    "geoparquet",
    "geojson",
    "shapefile",
    "shapefile in GBK",
    "shapefile in a zip",
    "geopackage",
    "flatgeobuf",
)


def study_in(form: str, folder: Path) -> Path:
    """One town's facilities, people and areas, all three in one format; only the streets are the same file."""
    from test_overture import MAIN, ROAD, STAIRS
    from test_overture import written as segments

    folder.mkdir()
    segments(folder / "segment.parquet", MAIN, STAIRS, ROAD)
    facilities = FORMS[form](CHINESE, folder)
    people = FORMS[form](places({"1": (0, 1), "2": (100, -5), "3": (250, 20)}, people=[30, 20, 10]), folder)
    areas = folder / f"areas.{'shp' if form.startswith('shape') else people.suffix[1:]}"
    if areas.suffix == ".parquet":
        outlines().to_parquet(areas)
    else:
        # A spatial index would put the rows in another order.
        options = {".shp": {"encoding": "GBK"}, ".fgb": {"layer_options": {"SPATIAL_INDEX": "NO"}}}
        outlines().to_file(areas, **options.get(areas.suffix, {}))
    (folder / "STUDY.toml").write_text(
        f"""
        [study]
        name = "made up"
        resolution = 12
        [streets]
        overture = "segment.parquet"
        [facilities]
        path = "{facilities.name}"
        [population]
        path = "{people.name}"
        [areas]
        path = "{areas.name}"
        """
    )
    return folder / "STUDY.toml"


def test_one_town_in_every_format_is_covered_the_same_to_the_byte(tmp_path: Path) -> None:
    found = {}
    for form in STUDY_FORMS:
        result = ws.run(study_in(form, tmp_path / form), tmp_path / form / "out", progress=False)
        assert result.table("coverage")["area_id"].unique().sort().to_list() == ["东", "西"]
        found[form] = [(result.folder / f"{name}.parquet").read_bytes() for name in ("coverage", "cells", "times")]
        assert result.report["people"]["stated"] == 60.0
        assert all(len(file["sha256"]) == 64 for file in result.report["inputs"])
    for form, tables in found.items():
        assert tables == found["geoparquet"], form


def test_every_file_of_a_shapefile_is_hashed(tmp_path: Path) -> None:
    result = ws.run(study_in("shapefile", tmp_path / "town"), tmp_path / "out", progress=False)
    endings = [Path(file["path"]).suffix for file in result.report["inputs"]]
    assert endings == [".parquet", *[".shp", ".dbf", ".shx", ".prj", ".cpg"] * 3]


def test_a_layer_of_a_study_is_chosen_by_its_key(tmp_path: Path) -> None:
    study = study_in("geopackage", tmp_path / "town")
    points(CHINESE).to_file(study.parent / "city.gpkg", layer="设施")
    outlines().to_file(study.parent / "city.gpkg", layer="区")
    text = study.read_text()
    facilities, areas = (text.split(f"[{name}]")[1].split('"')[1] for name in ("facilities", "areas"))
    both = text.replace(f'"{facilities}"', '"city.gpkg"\n        layer = "设施"')
    study.write_text(both.replace(f'"{areas}"', '"city.gpkg"\n        layer = "区"'))
    named = ws.run(study, tmp_path / "named", progress=False)
    plain = ws.run(study_in("geopackage", tmp_path / "other"), tmp_path / "plain", progress=False)
    assert_frame_equal(named.table("coverage"), plain.table("coverage"))
    study.write_text(both.replace(f'"{areas}"', '"city.gpkg"'))
    with pytest.raises(ws.InputError, match=r'city.gpkg, column "layer".*known: 设施, 区'):
        ws.run(study, tmp_path / "refused", progress=False)
    assert not (tmp_path / "refused").exists()


def test_faults_of_several_files_are_told_together(tmp_path: Path) -> None:
    study = study_in("geopackage", tmp_path / "town")
    for path in study.parent.glob("*.gpkg"):
        path.write_bytes(b"no database at all" * 99)
    with pytest.raises(ws.InputError) as error:
        ws.run(study, tmp_path / "out", progress=False)
    assert len(error.value.problems) == 3 and {problem["reason"] for problem in error.value.problems} == {"unreadable"}
