"""What a report says: the same numbers in all its files, words in two languages, nothing that is not known as 0."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from itertools import pairwise
from pathlib import Path

import docx
import openpyxl
import polars as pl
import pypdf
import pytest
import shapely

import walkshed as ws
from walkshed.language import Language
from walkshed.maps import fonts
from walkshed.maps.box import round_length_m
from walkshed.maps.svg import Extent, Places, Shapes, map_svg
from walkshed.report import report, words
from walkshed.report.city import city_report
from walkshed.report.content import As, Table, tables_of, told
from walkshed.report.facts import City


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ws.synth(tmp_path_factory.mktemp("city") / "city", nodes=5000, seed=3, progress=False).study


@pytest.fixture(scope="module")
def run(study: Path, tmp_path_factory: pytest.TempPathFactory) -> ws.RunResult:
    return ws.run(study, tmp_path_factory.mktemp("run") / "run", progress=False)


@pytest.fixture(scope="module")
def card(run: ws.RunResult, tmp_path_factory: pytest.TempPathFactory) -> ws.Scorecard:
    out = tmp_path_factory.mktemp("card") / "card"
    return ws.score_run(run.folder, out, standard="mohurd_2020", level="community", progress=False)


@pytest.fixture(scope="module")
def scenarios(study: Path, run: ws.RunResult, tmp_path_factory: pytest.TempPathFactory) -> ws.ScenariosResult:
    folder = tmp_path_factory.mktemp("plans")
    homes = run.table("cells").sort("people", descending=True)
    lon, lat = homes["lon"][0], homes["lat"][0]
    (folder / "plan.toml").write_text(
        '[scenario]\nname = "一处食堂"\n[[edit]]\ndo = "open_facility"\nid = "new"\nclass = "community_canteen"\n'
        f"place = [{lon}, {lat}]\ncost_yuan = 900_000\n"
    )
    return ws.run_scenarios(study, [folder / "plan.toml"], folder / "out", progress=False)


@pytest.fixture(scope="module", params=["zh", "en"])
def files(
    request: pytest.FixtureRequest,
    run: ws.RunResult,
    card: ws.Scorecard,
    scenarios: ws.ScenariosResult,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Language, dict[str, Path]]:
    language: Language = request.param
    folder = tmp_path_factory.mktemp(f"files_{language}")
    made = report(
        run,
        scorecard=card,
        scenarios=scenarios,
        language=language,
        xlsx=folder / "report.xlsx",
        docx=folder / "report.docx",
        pdf=folder / "report.pdf",
        progress=False,
    )
    assert made.xlsx and made.docx and made.pdf and made.sheets is None
    return language, {"xlsx": made.xlsx, "docx": made.docx, "pdf": made.pdf}


def _book(paths: dict[str, Path]) -> openpyxl.Workbook:
    """The workbook, whose sheets are read when they are looked at: those of the run are long."""
    return openpyxl.load_workbook(paths["xlsx"], read_only=True)


def _squeezed(text: str) -> str:
    """Without white space: where a line of a PDF ends is no part of what it says."""
    return re.sub(r"\s+", "", text)


def _as_shown(value: object, code: str) -> str:
    """A cell as Excel shows it, by its number format alone; rounded by hand, halves up."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    assert isinstance(value, (int, float))
    places = len(code.split(".")[1].rstrip("%")) if "." in code else 0
    shown = float(value) * (100 if code.endswith("%") else 1)
    whole = int(abs(shown) * 10**places + 0.5 + 1e-9)
    text = f"{whole // 10**places:,}" + (f".{whole % 10**places:0{places}d}" if places else "")
    return f"{'-' if shown < 0 and whole else ''}{text}{'%' if code.endswith('%') else ''}"


def test_numbers_are_the_same_in_all_three_files(files: tuple[Language, dict[str, Path]]) -> None:
    _, paths = files
    written = docx.Document(str(paths["docx"])).tables[1:]  # the first has the facts of the title page
    sheets = [sheet for sheet in _book(paths).worksheets if re.match(r"\d+ ", sheet.title)]
    pages = _squeezed("".join(page.extract_text() for page in pypdf.PdfReader(paths["pdf"]).pages))
    assert len(sheets) == len(written) > 15
    cells = 0
    for sheet, table in zip(sheets, written, strict=True):
        rows = [[cell.text for cell in row.cells] for row in table.rows]
        shown = [[_as_shown(cell.value, cell.number_format) for cell in row] for row in sheet.iter_rows(min_row=3)]
        assert rows == shown, sheet.title
        for row in rows[1:]:
            assert _squeezed("".join(row)) in pages or all(_squeezed(cell) in pages for cell in row), row
            cells += len(row)
    assert cells > 1000


def test_shares_are_those_of_the_run(files: tuple[Language, dict[str, Path]], run: ws.RunResult) -> None:
    language, paths = files
    sheet = next(each for each in _book(paths).worksheets if each.title.startswith("4 "))
    found = {row[0]: row[1:5] for row in sheet.iter_rows(min_row=4, values_only=True)}
    summary = run.summary().filter(pl.col("profile") == "adult")
    for row in summary.iter_rows(named=True):
        name = row["name_zh" if language == "zh" else "name_en"]
        shares = tuple(row[f"{minutes} min"] / 100 for minutes in (5, 10, 15))
        assert found[name] == pytest.approx((row["facilities"], *shares))
    assert len(found) == summary.height == 30


def test_every_file_says_that_the_city_is_made_up(files: tuple[Language, dict[str, Path]]) -> None:
    _, paths = files
    first = _book(paths).worksheets[0]
    assert any("SYNTHETIC 合成数据" in str(cell) for row in first.iter_rows(values_only=True) for cell in row)
    assert "SYNTHETIC 合成数据" in docx.Document(str(paths["docx"])).sections[0].header.paragraphs[0].text
    for page in pypdf.PdfReader(paths["pdf"]).pages:
        assert "SYNTHETIC" in page.extract_text()


def test_a_real_city_is_not_called_made_up(helsinki_run: ws.RunResult) -> None:
    document = city_report(City(helsinki_run, "zh"))
    assert document.banner == ""
    assert any("没有高程数据" in item for block in document.blocks for item in getattr(block, "items", []))


def test_word_has_headings_captions_and_heads_that_repeat(files: tuple[Language, dict[str, Path]]) -> None:
    language, paths = files
    document = docx.Document(str(paths["docx"]))
    styles = Counter(paragraph.style.name for paragraph in document.paragraphs if paragraph.style)
    assert styles["Heading 1"] == 12
    captions = [each.text for each in document.paragraphs if each.style and each.style.name == "Caption"]
    for word in ("表", "图") if language == "zh" else ("Table", "Figure"):
        numbers = [int(found[1]) for text in captions if (found := re.match(rf"{word} (\d+) ", text))]
        assert numbers == list(range(1, len(numbers) + 1)) and numbers
    assert len(document.inline_shapes) >= 8
    for table in document.tables[1:]:
        assert "w:tblHeader" in table.rows[0]._tr.xml
    faces = document.styles["Normal"].element.xml
    assert 'w:eastAsia="宋体"' in faces


def test_the_outline_of_the_pdf_has_all_chapters(files: tuple[Language, dict[str, Path]]) -> None:
    _, paths = files
    read = pypdf.PdfReader(paths["pdf"])
    chapters = [each.title for each in read.outline if not isinstance(each, list)]
    assert [title.split()[0] for title in chapters] == [str(number) for number in range(1, 13)]
    assert "/CreationDate" not in (read.metadata or {})


def test_pdf_is_set_in_the_bundled_font_alone(files: tuple[Language, dict[str, Path]]) -> None:
    _, paths = files
    used = {
        str(font.get_object()["/BaseFont"])
        for page in pypdf.PdfReader(paths["pdf"]).pages
        for font in page["/Resources"]["/Font"].values()  # type: ignore[index, union-attr]
    }
    assert used and all("Walkshed" in name for name in used)


def test_same_inputs_same_bytes(
    files: tuple[Language, dict[str, Path]],
    run: ws.RunResult,
    card: ws.Scorecard,
    scenarios: ws.ScenariosResult,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    language, paths = files
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    monkeypatch.chdir(tmp_path)
    report(
        run,
        scorecard=card,
        scenarios=scenarios,
        language=language,
        xlsx="a.xlsx",
        docx="b.docx",
        pdf="c.pdf",
        progress=False,
    )
    for name, path in (("a.xlsx", paths["xlsx"]), ("b.docx", paths["docx"]), ("c.pdf", paths["pdf"])):
        assert Path(name).read_bytes() == path.read_bytes(), name


def test_what_is_not_known_is_never_0() -> None:
    assert told(None, "share") == told(None, "people") == told(As(None, "yuan"), "number") == "–"
    assert told(0.0, "share") == "0.0%"


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (0.0005, "share", "0.1%"),
        (0.12345, "share", "12.3%"),
        (0.00049, "share", "0.0%"),
        (0.5, "people", "1"),
        (1234567.5, "people", "1,234,568"),
        (-0.0004, "points", "0.0"),
        (-0.0125, "points", "-1.3"),
        (2.675, "score", "2.7"),
        (1e15, "yuan", "1,000,000,000,000,000"),
    ],
)
def test_halves_are_rounded_up_as_excel_does(value: float, kind: str, text: str) -> None:
    assert told(value, kind) == text  # type: ignore[arg-type]


def test_every_sentence_is_said_in_both_languages() -> None:
    gap = re.compile(r"{(\w+)}")
    for key in words.keys():
        zh, en = words.both(key)
        assert zh and en, key
        assert sorted(gap.findall(zh)) == sorted(gap.findall(en)), key
        assert not fonts.missing(zh + en), key
        assert not re.search(r"[\u4e00-\u9fff“”‘’]", en.replace("SYNTHETIC 合成数据", "")), key


def test_every_sentence_is_used() -> None:
    folder = Path(words.__file__).parent
    source = "".join(path.read_text("utf-8") for path in folder.glob("*.py") if path.name != "words.py")
    built = ("told_", "raw_", "coordinates_")  # put together from a table's name, a reason or a system
    used = set(re.findall(r"""["'](\w+)["']""", source))
    unused = [key for key in words.keys() if key not in used and not key.startswith(built)]
    assert unused == []


def test_a_report_without_scores_and_scenarios_has_no_chapter_of_them(run: ws.RunResult) -> None:
    titles = [block.text for block in city_report(City(run, "en")).blocks if hasattr(block, "level")]
    assert "6 Data" in titles and not any("Scorecard" in title or "Scenarios" in title for title in titles)


def _table_of(city: City, caption: str) -> Table:
    return next(table for table in tables_of(city_report(city)) if table.caption.startswith(caption))


def test_gaps_are_those_of_the_scorecard(run: ws.RunResult, card: ws.Scorecard) -> None:
    table = _table_of(City(run, "zh", card), "各条目的缺口")
    counted: Counter[object] = Counter()
    for row in table.rows:
        counted[row[1]] += int(str(row[3]))
    assert counted == Counter(card.gaps()["point"])
    assert sum(float(str(row[4])) for row in table.rows) == pytest.approx(card.gaps()["gap"].sum())


def test_groups_and_communities_add_up(run: ws.RunResult, card: ws.Scorecard) -> None:
    city = City(run, "zh", card)
    grades = _table_of(city, "社区等级")
    assert sum(int(str(row[1])) for row in grades.rows) == card.totals.height == city.communities.height
    items = _table_of(city, "各条目达标情况")
    for row in items.rows:
        assert sum(int(str(count)) for count in row[1:6]) == card.totals.height


def _square(west: float, south: float, size: float) -> bytes:
    wkb: bytes = shapely.to_wkb(shapely.box(west, south, west + size, south + size), byte_order=1)
    return wkb


def test_a_map_draws_every_shape_where_it_is() -> None:
    """Two squares of a hundredth of a degree at the equator, beside each other: 1,113 m each."""
    left, right = _square(10.0, 0.0, 0.01), _square(10.01, 0.0, 0.01)
    drawn = map_svg(
        [Shapes([left], "#ff0000", label="<left>"), Shapes([right], "#0000ff", label="right & more")],
        places=[Places([10.015], [0.005], "door")],
        extent=Extent(10.0, 0.0, 10.02, 0.01),
        width_px=400,
        height_px=200,
    )
    root = ElementTree.parse(io.StringIO(drawn)).getroot()
    names = {"svg": "http://www.w3.org/2000/svg"}
    paths = {each.get("fill"): each.get("d") for each in root.iterfind(".//svg:path", names)}
    assert _box(paths["#ff0000"]) == (0, 0, 2000, 2000)
    assert _box(paths["#0000ff"]) == (2000, 0, 4000, 2000)
    dot = root.find(".//svg:circle", names)
    assert dot is not None and (dot.get("cx"), dot.get("cy")) == ("3000", "1000")
    texts = [each.text for each in root.iterfind(".//svg:text", names)]
    assert {"<left>", "right & more", "door", "N"} <= set(texts)
    # 400 px are 0.02 degrees or 2,226 m: a bar of at most a quarter is 500 m, 500 / 2226.4 · 400 px long.
    assert "500 m" in texts
    bar = re.search(r"v4h([\d.]+)v-4", drawn)
    assert bar is not None and float(bar[1]) == pytest.approx(500 / 2226.4 * 400, abs=0.1)


def _box(path: str | None) -> tuple[int, int, int, int]:
    """West, north, east, south of a path of one ring with relative steps."""
    assert path is not None
    start, steps = path.rstrip("z").split("l")
    x, y = map(int, start[1:].split())
    numbers = [int(number) for number in steps.split()]
    corners = [(x, y)]
    for across, down in zip(numbers[::2], numbers[1::2], strict=True):
        corners.append((corners[-1][0] + across, corners[-1][1] + down))
    lon, lat = [corner[0] for corner in corners], [corner[1] for corner in corners]
    return min(lon), min(lat), max(lon), max(lat)


def test_lengths_of_scale_bars_are_round() -> None:
    assert [round_length_m(length) for length in (1, 4.9, 5, 99, 740, 12_000)] == [1, 2, 5, 50, 500, 10_000]
    assert all(small <= large for small, large in pairwise(map(round_length_m, range(1, 3000, 7))))


def test_a_community_is_on_the_map_of_its_class(run: ws.RunResult) -> None:
    """Each map of minutes has as many hexagons as the run has cells."""
    figures = [block for block in city_report(City(run, "zh")).blocks if hasattr(block, "svg")]
    shown = next(figure.svg for figure in figures if "步行时间" in figure.caption)
    fills = re.findall(r'<path d="([^"]+)" fill="#[0-9a-f]{6}" fill-rule="evenodd" stroke="none"', shown)
    assert sum(path.count("z") for path in fills) == run.table("cells").height
