"""Files of a report: whole or not at all, safe to open whatever stands in the data; sheets in their own folder."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import struct
import time
import zipfile
from pathlib import Path
from typing import Any

import docx
import openpyxl
import polars as pl
import pypdf
import pytest
from openpyxl.utils.escape import unescape

import walkshed as ws
from walkshed.report import excel as excel_module
from walkshed.report import raw_tables as raw_module
from walkshed.report import report
from walkshed.report.content import Column, Document
from walkshed.report.excel import excel
from walkshed.report.facts import City
from walkshed.report.raw_tables import RawTable, raw_tables
from walkshed.report.sheets import Names

#: Names that a spreadsheet would run, that Typst would read as markup, or that XML cannot hold.
HOSTILE = [
    '=HYPERLINK("http://evil.example","click")',
    "+cmd|' /C calc'!A0",
    "@SUM(1,2)",
    "-1+1",
    "\t=1+1",
    "line\nbreak",
    "http://evil.example/a",
    "nul\x00bell\x07escape\x1b",
    '#eval("1") #import "x" *bold* _it_ $x^2$ [b] @ref <label> \\ // c /* d */ `raw`',
    "<script>alert(1)</script> & ]]> _x0041_",
    "0123",
    "1e5",
    "㙟😀 rare",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ws.RunResult:
    folder = tmp_path_factory.mktemp("city")
    city = ws.synth(folder / "city", nodes=5000, seed=3, progress=False)
    return ws.run(city.study, folder / "run", progress=False)


@pytest.fixture(scope="module")
def card(run: ws.RunResult, tmp_path_factory: pytest.TempPathFactory) -> ws.Scorecard:
    out = tmp_path_factory.mktemp("card") / "card"
    return ws.score_run(run.folder, out, standard="mohurd_2020", level="community", progress=False)


@pytest.fixture(scope="module")
def hostile(run: ws.RunResult, tmp_path_factory: pytest.TempPathFactory) -> ws.RunResult:
    """The run, with communities of hostile names."""
    folder = tmp_path_factory.mktemp("hostile") / "run"
    shutil.copytree(run.folder, folder)
    areas = pl.read_parquet(folder / "areas.parquet")
    here = areas.with_row_index("at").filter(pl.col("level") == "community")["at"].to_list()
    names = areas["name"].to_list()
    for at, name in zip(here, HOSTILE, strict=False):
        names[at] = name
    assert len(here) >= len(HOSTILE)
    areas.with_columns(pl.Series("name", names)).write_parquet(folder / "areas.parquet")
    return ws.RunResult.load(folder)


def _cleaned(name: str) -> str:
    return "".join(letter if letter >= " " or letter in "\n\t" else " " for letter in name)


def test_no_name_is_a_formula_or_a_link(hostile: ws.RunResult, tmp_path: Path) -> None:
    report(hostile, xlsx=tmp_path / "a.xlsx", progress=False)
    with zipfile.ZipFile(tmp_path / "a.xlsx") as parts:
        sheets = [parts.read(name).decode() for name in parts.namelist() if name.startswith("xl/worksheets/sheet")]
        links = [link for sheet in sheets for link in re.findall("<hyperlink [^>]*>", sheet)]
        assert not any("<f>" in sheet or "<f " in sheet for sheet in sheets)
        assert not any(
            "external" in parts.read(name).decode().casefold() for name in parts.namelist() if "_rels" in name
        )
    assert len(links) > 20 and all(" location=" in link and "r:id" not in link for link in links)
    book = openpyxl.load_workbook(tmp_path / "a.xlsx", read_only=True)
    names = [row[1] for row in book["分区"].iter_rows(min_row=3, max_col=2, values_only=True)]
    assert {_cleaned(name) for name in HOSTILE} <= {unescape(name) for name in names}
    annex = next(sheet for sheet in book.worksheets if sheet.title.endswith("社区一览"))
    shown = [row[0] for row in annex.iter_rows(min_row=4, max_col=1, values_only=True)]
    assert {_cleaned(name) for name in HOSTILE} <= {unescape(name) for name in shown}


def test_names_stand_in_word_as_they_are(hostile: ws.RunResult, tmp_path: Path) -> None:
    report(hostile, docx=tmp_path / "a.docx", progress=False)
    document = docx.Document(str(tmp_path / "a.docx"))
    cells = {cell.text for row in document.tables[-1].rows for cell in row.cells}
    for name in HOSTILE:
        assert _cleaned(name) in cells, name


def test_markup_in_names_is_text_in_a_pdf(hostile: ws.RunResult, tmp_path: Path) -> None:
    report(hostile, pdf=tmp_path / "a.pdf", progress=False)
    text = "".join("".join(page.extract_text().split()) for page in pypdf.PdfReader(tmp_path / "a.pdf").pages)
    for name in ('#eval("1")', "*bold*_it_$x^2$[b]@ref<label>", "`raw`", "<script>alert(1)</script>&]]>_x0041_"):
        assert name in text, name
    # The bundled font has no such characters: a mark stands for them, and the report tells their codes.
    assert "〓〓rare" in text and "U+365F" in text and "U+1F600" in text


def test_sheets_of_hostile_names_are_files(hostile: ws.RunResult, tmp_path: Path) -> None:
    report(hostile, sheets=tmp_path / "sheets", progress=False)
    made = sorted((tmp_path / "sheets").glob("*.pdf"))
    assert len(made) == City(hostile, "zh").communities.height
    assert not any(set(path.name) & set('<>:"/\\|?*\x00\x07\n\t') for path in made)


def test_names_of_files_are_taken_by_every_system() -> None:
    names = Names()
    made = [
        names.of(area_id, name)
        for area_id, name in [
            ("a/b\\c", "x"),
            ("A/B\\C", "x"),
            ("CON", "CON"),
            ("lpt1.txt", "lpt1.txt"),
            ("1", "很" * 300),
            ("..", ".."),
            ("", ""),
            ("end.", "end."),
        ]
    ]
    assert made[0] == "a_b_c x" and made[1] == "A_B_C x 2" and made[2] == "CON_" and made[3] == "lpt1.txt_"
    assert all(len(name.encode()) <= 130 and name.strip(" .") == name and name for name in made)
    assert len({name.casefold() for name in made}) == len(made)


def _raw(rows: pl.DataFrame) -> RawTable:
    columns = [Column(name, "number" if kind.is_numeric() else "text") for name, kind in rows.schema.items()]
    return RawTable("raw", columns, rows.columns, rows.height, lambda: rows)


def _opened(contents: bytes, path: Path) -> Any:
    path.write_bytes(contents)
    return openpyxl.load_workbook(path)


def test_a_text_too_long_for_a_cell_is_cut_and_told(tmp_path: Path) -> None:
    long = "长" * 40_000
    rows = pl.DataFrame({"id": ["a", "b"], "text": ["short", long]})
    book = _opened(excel(Document("t", "s", "en"), [_raw(rows)]), tmp_path / "a.xlsx")
    cell = book["raw"]["B4"].value
    assert len(cell) == 32_767 and cell.endswith("…")
    told = [row for row in book.worksheets[-1].iter_rows(min_row=3, values_only=True)]
    assert told == [("raw", 4, "text", 40_000)]


def test_values_of_long_tables_are_what_they_were(tmp_path: Path) -> None:
    texts = ["a&b<c>d", "_x0041_", " spaces ", "", None, "\x01\x0b", "很\r\nlong", "=1+1", "'quoted", "😀"]
    numbers = [1.5, -0.25, 0.1 + 0.2, 1e300, None, float("nan"), float("inf"), 0.0, 123456789.0, 5e-324]
    rows = pl.DataFrame({"row": texts, "number": numbers, "count": [*range(9), None]})
    sheet = _opened(excel(Document("t", "s", "en"), [_raw(rows)]), tmp_path / "a.xlsx")["raw"]
    found = list(sheet.iter_rows(min_row=3, values_only=True))
    assert [row[2] for row in found] == [*range(9), None]
    assert [row[1] for row in found] == [*numbers[:5], None, None, *numbers[7:]]
    assert [unescape(row[0]) if row[0] else row[0] for row in found] == [
        "a&b<c>d", "_x0041_", " spaces ", "", None, "  ", "很 \nlong", "=1+1", "'quoted", "😀"
    ]  # fmt: skip
    assert sheet.dimensions == "A1:C12" and sheet.freeze_panes == "B3"


def test_a_long_table_goes_on_in_a_second_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel_module, "MOST_ROWS", 12)
    rows = pl.DataFrame({"id": [str(number) for number in range(25)]})
    book = _opened(excel(Document("t", "s", "en"), [_raw(rows)]), tmp_path / "a.xlsx")
    assert book.sheetnames == ["Contents", "raw", "raw 2", "raw 3"]
    parts = [[row[0] for row in book[name].iter_rows(min_row=3, values_only=True)] for name in book.sheetnames[1:]]
    assert [len(part) for part in parts] == [10, 10, 5]
    assert [each for part in parts for each in part] == rows["id"].to_list()
    told = [cell for row in book["Contents"].iter_rows(values_only=True) for cell in row if cell]
    assert "25 rows: goes on in raw 2, raw 3." in told


def test_a_table_too_long_for_a_workbook_is_named(
    run: ws.RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_module, "MOST_ROWS", 5000)
    tables = {table.title: table for table in raw_tables(City(run, "en"))}
    coverage = tables["Coverage of areas"]
    assert "Everybody alone" in coverage.note and coverage.table()["group"].unique().to_list() == ["all"]
    assert "times.parquet" in tables["Nearest facilities"].left_out
    book = _opened(excel(Document("t", "s", "en"), list(tables.values())), tmp_path / "a.xlsx")
    assert "Nearest facilities" not in book.sheetnames
    told = [cell for row in book["Contents"].iter_rows(values_only=True) for cell in row if cell]
    assert any("times.parquet" in str(cell) for cell in told)


def test_cells_of_h3_are_text_in_a_workbook(run: ws.RunResult, tmp_path: Path) -> None:
    report(run, xlsx=tmp_path / "a.xlsx", language="en", progress=False)
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx", read_only=True)["Cells"]
    found = [row[0] for row in sheet.iter_rows(min_row=3, max_col=1, values_only=True)]
    assert found == [f"{cell:x}" for cell in run.table("cells")["cell"]]


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        ({}, "nothing to write"),
        ({"pdf": "missing/a.pdf"}, "is not there"),
        ({"pdf": "a", "docx": "a"}, "two documents at one path"),
        ({"pdf": "."}, "is a folder"),
        ({"pdf": "a.pdf", "language": "fr"}, 'language "fr"'),
        ({"sheets": "s", "sheets_format": ("rtf",)}, "sheets_format"),
    ],
)
def test_faults_are_told_before_anything_is_written(
    run: ws.RunResult, asked: dict[str, Any], what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=what):
        report(run, progress=False, **asked)
    assert list(tmp_path.iterdir()) == []


def test_a_scorecard_of_another_city_is_refused(run: ws.RunResult, card: ws.Scorecard, tmp_path: Path) -> None:
    other = dataclasses.replace(card, totals=card.totals.with_columns(area_id=pl.lit("elsewhere")))
    with pytest.raises(ValueError, match="'elsewhere' is not one of the run's"):
        report(run, scorecard=other, pdf=tmp_path / "a.pdf", progress=False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_made_leaves_none(
    run: ws.RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.pdf").write_text("earlier")

    def fail(*_: object, **__: object) -> bytes:
        raise OSError("disk full")

    monkeypatch.setattr("walkshed.report.documents.word", fail)
    with pytest.raises(OSError, match="disk full"):
        report(run, pdf=tmp_path / "a.pdf", docx=tmp_path / "a.docx", progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["a.pdf"]
    assert (tmp_path / "a.pdf").read_text() == "earlier"


@pytest.mark.parametrize("failing", ["a.pdf", "b.docx", "c.xlsx", "sheets"])
def test_what_cannot_be_put_in_place_leaves_all_as_it_was(
    run: ws.RunResult, failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of them fails, what stood before stands again, and what did not is not there."""
    report(run, sheets=tmp_path / "sheets", progress=False)
    (tmp_path / "sheets" / "mine.pdf").write_text("mine")
    (tmp_path / "a.pdf").write_text("earlier pdf")
    (tmp_path / "c.xlsx").write_text("earlier xlsx")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    really, rename = os.replace, Path.rename

    def replace(source: Any, target: Any) -> None:
        if Path(target).name == failing and str(source).endswith(".partial"):
            raise OSError("disk full")
        really(source, target)

    def renamed(path: Path, target: Any) -> Path:
        if Path(target).name == failing:
            raise OSError("disk full")
        return rename(path, target)

    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(Path, "rename", renamed)
    asked = {name: tmp_path / file for name, file in (("pdf", "a.pdf"), ("docx", "b.docx"), ("xlsx", "c.xlsx"))}
    with pytest.raises(OSError, match="disk full"):
        report(run, **asked, sheets=tmp_path / "sheets", progress=False)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    monkeypatch.undo()
    report(run, **asked, sheets=tmp_path / "sheets", progress=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdf", "b.docx", "c.xlsx", "sheets"]
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF") and not (tmp_path / "sheets" / "mine.pdf").exists()


def test_no_part_of_a_workbook_asks_for_64_bits(run: ws.RunResult, tmp_path: Path) -> None:
    """A part that needs no 64-bit sizes has none in its own header, whose version is that of the directory."""
    report(run, xlsx=tmp_path / "a.xlsx", progress=False)
    contents = (tmp_path / "a.xlsx").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.xlsx") as parts:
        assert len(parts.infolist()) > 20
        for part in parts.infolist():
            signature, version = struct.unpack_from("<4sH", contents, part.header_offset)
            name_bytes, extra_bytes = struct.unpack_from("<HH", contents, part.header_offset + 26)
            assert signature == b"PK\x03\x04" and version == part.extract_version < 45, part.filename
            assert extra_bytes == 0 and name_bytes == len(part.filename), part.filename


def test_pictures_say_what_they_show(run: ws.RunResult, tmp_path: Path) -> None:
    report(run, docx=tmp_path / "a.docx", pdf=tmp_path / "a.pdf", progress=False)
    document = docx.Document(str(tmp_path / "a.docx"))
    told = [shape._inline.docPr.get("descr") for shape in document.inline_shapes]
    captions = [each.text.split("  ", 1)[1] for each in document.paragraphs if each.text.startswith("图 ")]
    assert told == captions and all(told)
    assert _alternatives(pypdf.PdfReader(tmp_path / "a.pdf")) == captions


def _alternatives(read: pypdf.PdfReader) -> list[str]:
    """The alternative texts of the figures of a PDF, in their order."""
    found: list[str] = []

    def walk(node: Any) -> None:
        node = node.get_object() if hasattr(node, "get_object") else node
        if isinstance(node, list):
            for each in node:
                walk(each)
        elif isinstance(node, dict):
            if node.get("/S") == "/Figure" and "/Alt" in node:
                found.append(str(node["/Alt"]))
            walk(node.get("/K", []))

    walk(read.trailer["/Root"]["/StructTreeRoot"])  # type: ignore[index]
    return found


def test_sheets_are_one_for_each_community(run: ws.RunResult, card: ws.Scorecard, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    report(
        run,
        scorecard=card,
        sheets=tmp_path / "sheets",
        sheets_format=("pdf", "docx"),
        progress=lambda *state: seen.append(state),
    )
    rows = list(openpyxl.load_workbook(tmp_path / "sheets" / "index.xlsx").worksheets[1].iter_rows(min_row=4))
    assert len(rows) == card.totals.height == seen[-1][1] == seen[-1][2]
    totals = {row["area_id"]: row for row in card.totals.iter_rows(named=True)}
    for row in rows:
        stem = str(row[-1].value).split(".pdf")[0]
        read = pypdf.PdfReader(tmp_path / "sheets" / f"{stem}.pdf")
        text = "".join("".join(page.extract_text().split()) for page in read.pages)
        total = totals[str(row[0].value)]
        assert len(read.pages) <= 2
        assert str(total["name"]) in text and "社区体检表" in text and "SYNTHETIC" in text and "审图号" in text
        assert f"{total['low']:.1f}–{total['high']:.1f}/100.0" in text
        document = docx.Document(str(tmp_path / "sheets" / f"{stem}.docx"))
        assert document.tables[-1].rows[1].cells[0].text == card.items["name_zh"][0]
    assert not list(tmp_path.glob(".*"))


def test_shares_of_a_sheet_are_those_of_the_run(run: ws.RunResult, tmp_path: Path) -> None:
    report(run, sheets=tmp_path / "sheets", sheets_format=("docx",), language="en", progress=False)
    area = City(run, "en").communities.row(0, named=True)
    (path,) = (tmp_path / "sheets").glob(f"{area['area_id']} *.docx")
    table = docx.Document(str(path)).tables[1]
    shares = run.table("coverage").filter(
        (pl.col("area_id") == area["area_id"]) & (pl.col("group") == "all") & (pl.col("profile") == "adult")
    )
    names = dict(ws.facility_classes().select("name_en", "class").iter_rows())
    for row in table.rows[1:]:
        mine = shares.filter(pl.col("class") == names[row.cells[0].text]).sort("minutes")["share"]
        told = [float(cell.text.rstrip("%")) / 100 for cell in row.cells[1:4]]
        assert told == pytest.approx(mine.to_list(), abs=0.000501)


def test_sheets_replace_only_sheets(run: ws.RunResult, tmp_path: Path) -> None:
    mine, strange, empty = tmp_path / "mine", tmp_path / "strange", tmp_path / "empty"
    strange.mkdir()
    empty.mkdir()
    (strange / "thesis.docx").write_text("years of work")
    with pytest.raises(FileExistsError, match="is no folder of sheets"):
        report(run, sheets=strange, progress=False)
    assert (strange / "thesis.docx").read_text() == "years of work"
    report(run, sheets=mine, progress=False)
    (mine / "left over.pdf").write_text("of an earlier study")
    report(run, sheets=mine, progress=False)
    assert not (mine / "left over.pdf").exists() and (mine / "sheets.json").is_file()
    report(run, sheets=empty, progress=False)
    assert (empty / "index.xlsx").is_file()
    assert not list(tmp_path.glob(".*"))


def test_sheets_are_the_same_bytes(run: ws.RunResult, tmp_path: Path) -> None:
    for name in ("a", "b"):
        report(run, sheets=tmp_path / name, progress=False)
    first, second = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("a", "b"))
    assert first == second


def test_ctrl_c_leaves_the_earlier_sheets(run: ws.RunResult, tmp_path: Path) -> None:
    report(run, sheets=tmp_path / "sheets", progress=False)
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "sheets").iterdir()}
    pressed: list[float] = []

    def press(stage: str, done: int, total: int) -> None:
        if stage == "sheets" and done >= 2:
            pressed.append(time.monotonic())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        report(run, sheets=tmp_path / "sheets", progress=press)
    assert time.monotonic() - pressed[0] < 5  # half a second on a quiet machine: the sheets at work are finished
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "sheets").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["sheets"]


def test_without_the_libraries_the_extra_is_named(
    run: ws.RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    for name, asked in (("typst", "pdf"), ("xlsxwriter", "xlsx"), ("docx", "docx")):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, name, None)
            with pytest.raises(ImportError, match=r"pip install walkshed\[report\]"):
                report(run, progress=False, **{asked: tmp_path / f"a.{asked}"})  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
