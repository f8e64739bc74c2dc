"""Cards in notebooks: what they say, that nothing of the data gets out of its place, and that they are cheap."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import re
import time
import zlib
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import shapely
from towns import degrees

import walkshed as ws
from walkshed import cards, thumbnail
from walkshed.effects import City, expected_effect, realised_effect
from walkshed.tables import Tables

EVIL = '<script>alert("1")</script><img src=x onerror=alert(2)>\'&'
LIMIT_S = 0.2
"""What a card may take on a city of 20,000 nodes; a busy machine gets five times as long, and the figure is printed."""
LARGEST = 50_000

_EMPTY_TAGS = {"br", "img", "path"}
_TAGS = {"div", "p", "b", "span", "table", "tr", "th", "td", "svg", *_EMPTY_TAGS}


class Outline(HTMLParser):
    """A card as a browser reads it: it nests, and holds nothing that runs or is fetched."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.pictures: list[dict[str, str | None]] = []
        self.feed(html)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _TAGS, tag
        for name, value in attrs:
            assert not name.startswith("on") and name not in ("href", "class", "id"), (tag, name)
            assert name != "src" or str(value).startswith("data:image/png;base64,")
            assert name != "style" or "url(" not in str(value)
            # A theme has its own colours of text and paper: only pictures, on white, bring theirs.
            assert tag in ("svg", "path", "img", "span") or "color:" not in str(value), (tag, value)
        if tag in ("svg", "img"):
            self.pictures.append(dict(attrs))
        if tag not in _EMPTY_TAGS:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        assert self.open, f"text outside: {data}"
        assert self.open[-1] != "svg", "text of a picture stays where the picture is taken out"
        self.text += data + " "


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A level street of eleven homes whose every name would be a script, and one of each thing that has a card."""
    folder = tmp_path_factory.mktemp("town")
    spots = [degrees(133 * home, 0) for home in range(11)]
    nodes = pl.DataFrame({"id": range(11), "lon": [lon for lon, _ in spots], "lat": [lat for _, lat in spots]})
    ends = {"from": range(10), "to": range(1, 11), "length_m": [133.0] * 10}
    net = ws.Network.from_tables(nodes, pl.DataFrame(ends | {"kind": ["footway"] * 9 + ["steps"]}))
    homes = nodes.select("lon", "lat", cell=pl.Series(_cells(spots), dtype=pl.UInt64), people=pl.lit(10.0))
    kinds = pl.Series([EVIL, "kindergarten"])
    shops = nodes.head(2).select("lon", "lat", id=pl.Series([EVIL, f"{EVIL} 2"]), name=pl.lit(EVIL), **{"class": kinds})
    areas = _areas(spots)
    base = ws.Baseline(net, homes, shops, areas, minutes=[4], progress=False)
    plan = ws.Scenario(
        [
            ws.OpenFacility("<b>new", EVIL, spots[5], name=EVIL, capacity={EVIL: 3}, cost_yuan=1e6, project=EVIL),
            ws.CloseFacility(EVIL),
        ],
        name=EVIL,
    )
    answer = base.what_if(plan, progress=False)
    ledger = pl.DataFrame({"project_id": [EVIL, None], "name": [EVIL, "x"], "class": [EVIL, EVIL]})
    ledger = ledger.with_columns(kind=pl.lit(EVIL), declared_on=pl.lit("2024-01-10"), completed_on=pl.lit("2024-06-01"))
    with pytest.warns(ws.RejectedRowsWarning, match="no id"):
        projects = ws.read_projects(ledger, deliverables={EVIL: plan}, as_of="2025-12-31")
    asked = pl.DataFrame({"request_id": [EVIL], "class": [EVIL], "lon": [spots[0][0]], "lat": [spots[0][1]]})
    requests = ws.read_requests(asked.with_columns(text=pl.lit(EVIL)))
    card = _scored(folder, net, homes, shops, areas)
    return {
        "Network": net,
        "Network under a scenario": net.with_scenario(plan),
        "Summary": net.summary(),
        "Route": net.route(spots[0], spots[9]),
        "no Route": net.route(spots[0], (0.0, 0.0)),
        "GeoTable": net.isochrones(shops, minutes=(2, 4), progress=False),
        "Baseline": base,
        "Scenario": plan,
        "Answer": answer,
        "Answer.cells": answer.cells,
        "Scorecard": card,
        "AreaCard": card.card(EVIL),
        "AreaCard in English": card.card(EVIL, language="en"),
        "Ranking": ws.rank_areas(card, pl.DataFrame({"area_id": [EVIL], "people": [110.0]}), top=1),
        "Siting": _sited(),
        "BuildOrder": ws.build_order(base, [plan], yearly_budget_yuan=[2e6], progress=False),
        "Projects": projects,
        "ExpectedEffect": expected_effect(base, projects, progress=False),
        "RealisedEffect": realised_effect(
            City(net, homes, shops),
            City(net, homes, plan.facilities(shops)),
            projects,
            areas=areas,
            stages=["completed"],
            progress=False,
        ),
        "Requests": requests,
        "RequestDensity": ws.request_density(requests, areas),
        "Validation": _validated(folder),
        "SyntheticCity": ws.SyntheticCity(Path(EVIL), _made_up()),
        "RefreshResult": ws.RefreshResult(_refreshed()),
    }


def _cells(spots: list[tuple[float, float]]) -> list[int]:
    import h3

    return [h3.str_to_int(h3.latlng_to_cell(lat, lon, 15)) for lon, lat in spots]


def _areas(spots: list[tuple[float, float]]) -> Any:
    import geopandas

    around = shapely.MultiPoint(spots).buffer(0.01)
    return geopandas.GeoDataFrame({"area_id": [EVIL], "name": [EVIL]}, geometry=[around], crs=4326)


def _scored(folder: Path, net: ws.Network, homes: pl.DataFrame, shops: pl.DataFrame, areas: Any) -> ws.Scorecard:
    wanted = ws.requirements("mohurd_2020")
    times = net.nearest(homes, shops, progress=False)
    rows = ws.coverage(times, homes, areas, minutes=wanted["minutes"].unique().to_list(), progress=False)
    return ws.score("mohurd_2020", coverage=rows, facilities=shops, areas=areas, progress=False)


def _sited() -> ws.Siting:
    ways = [(home, site, cost, EVIL) for home in "ab" for site, cost in ((EVIL, 60), ("2", 120))]
    costs = pl.DataFrame(ways, schema=["origin_id", "site_id", "cost", "class"], orient="row")
    homes = pl.DataFrame({"origin_id": ["a", "b"], "people": [100, 50], "class": [EVIL, EVIL]})
    places = pl.DataFrame({"site_id": [EVIL, "2"], "class": [EVIL, EVIL], "lon": [106.5, 106.6], "lat": [29.5, 29.6]})
    return ws.siting.p_median(costs, homes, k=1, sites=places, progress=False)


def _validated(folder: Path) -> ws.Validation:
    file = folder / "facilities <script>.csv"
    file.write_text(
        f'id,class,lon,lat\n"{EVIL.replace(chr(34), chr(34) * 2)}",{EVIL.split(",")[0][:8]},200,95\n', "utf-8"
    )
    return ws.validate(file, progress=False)


def _made_up() -> dict[str, Any]:
    return {"junctions": 1, "people": 2, "seed": 3, "notice": EVIL, "rows": {EVIL: 1}}


def _refreshed() -> dict[str, Any]:
    made = {EVIL: {"parts": 1, "computed": 1, "changed": 1, "tiles": [], "names": []}}
    return {"status": EVIL, "release": 1, "tables": EVIL, "made": made, "warnings": [EVIL]}


def test_no_name_of_the_data_gets_out_of_its_place(town: dict[str, Any]) -> None:
    for name, thing in town.items():
        html = thing._repr_html_()
        Outline(html)
        assert "<script" not in html.lower(), name


def test_the_names_are_there(town: dict[str, Any]) -> None:
    """Else the test before would hold for cards that say nothing."""
    nameless = {"Network", "Summary", "Route", "no Route", "Baseline", "Validation"}
    said = {name for name, thing in town.items() if EVIL in Outline(thing._repr_html_()).text}
    assert set(town) - said == nameless


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> ws.SyntheticCity:
    return ws.synth(tmp_path_factory.mktemp("city") / "city", nodes=20_000, progress=False)


@pytest.fixture(scope="module")
def city_run(city: ws.SyntheticCity, tmp_path_factory: pytest.TempPathFactory) -> ws.RunResult:
    return ws.run(city.study, tmp_path_factory.mktemp("run") / "out", progress=False)


@pytest.fixture(scope="module")
def city_network(city: ws.SyntheticCity) -> ws.Network:
    return ws.Network.from_osm(city.folder / "streets.osm.pbf", elevation=city.folder / "terrain.tif", progress=False)


@pytest.fixture(scope="module")
def things(city: ws.SyntheticCity, city_run: ws.RunResult, city_network: ws.Network) -> dict[str, Callable[[], Any]]:
    """What a city of 20,000 nodes has cards of, made when it is asked for."""
    cells = city_run.table("cells").drop("geometry")
    base = ws.Baseline(city_network, cells, city.folder / "facilities.parquet", progress=False)
    home = cells.sort("people").row(-1, named=True)
    plan = ws.Scenario([ws.OpenFacility("new", "community_canteen", (home["lon"], home["lat"]), cost_yuan=8e5)])
    answer = base.what_if(plan, progress=False)
    folder = city_run.folder.parent
    card = ws.score_run(city_run.folder, folder / "card", standard="mohurd_2020", level="community", progress=False)
    return {
        "Network": lambda: city_network,
        "RunResult": lambda: city_run,
        "Answer": lambda: answer,
        "Answer.cells": lambda: answer.cells,
        "Scorecard": lambda: card,
        "AreaCard": lambda: card.card(card.totals["area_id"][0]),
        "SyntheticCity": lambda: city,
        "Validation": lambda: ws.validate(city.study, progress=False),
    }


def test_a_card_is_small_and_takes_no_time(things: dict[str, Callable[[], Any]]) -> None:
    for name, make in things.items():
        thing = make()
        thing._repr_html_()  # the first reads what Python and polars load once
        began = time.perf_counter()
        html = thing._repr_html_()
        took_s = time.perf_counter() - began
        print(f"{name}: {took_s * 1000:.0f} ms, {len(html.encode()):,} bytes")
        assert took_s < 5 * LIMIT_S, name
        pictures = re.findall(r"<svg.*?</svg>|<img[^>]*>", html)
        assert all(len(picture.encode()) <= LARGEST for picture in pictures), name
        assert len(html.encode()) < 2 * LARGEST, name
        Outline(html)


def test_a_run_tells_what_its_tables_say(city_run: ws.RunResult) -> None:
    text = Outline(city_run._repr_html_()).text
    assert "SYNTHETIC 合成数据" in text
    people = city_run.table("cells")["people"].sum()
    assert f"{people:,.0f}" in text
    coverage = pl.DataFrame(city_run.report["total"]).filter(
        (pl.col("group") == "all") & (pl.col("profile") == "adult") & (pl.col("minutes") == 15)
    )
    shares = coverage.with_columns(share=pl.col("people_covered") / pl.col("people")).sort("share")
    assert f"{shares['share'][0] * 100:.1f} %" in text, "the class that fewest reach"
    assert cards.of_class(shares["class"][0]) in text
    outside = city_run.report["people"]["outside_areas"]
    assert f"{outside:,.0f} 人不在任何分区内" in text and outside > 0


def test_the_picture_of_a_run_has_a_dot_for_every_cell(city_run: ws.RunResult) -> None:
    (svg,) = re.findall(r"<svg.*?</svg>", city_run._repr_html_())
    assert svg.count("h0") == city_run.table("cells").height
    times = city_run.table("times").filter(pl.col("profile") == "adult")
    share = times.group_by("origin_id").agg(share=(pl.col("time_s") <= 900).fill_null(False).mean())["share"]
    most = re.search(rf'stroke="{thumbnail.FEW_TO_MANY[-1]}"[^>]*d="([^"]*)"', svg)
    assert most is not None and most.group(1).count("M") == (share >= 0.8).sum()


def test_nothing_has_no_sign() -> None:
    columns = {
        "cost_yuan": [-0.0],
        "people": [-0.2],
        "change": [-0.4],
        "share": [-0.0002],
        "climb_m": [-0.01],
        "x": [-0.0],
    }
    text = Outline(cards.table(pl.DataFrame(columns), list(columns))).text
    assert "-" not in text and "0.0%" in text
    lost = Outline(cards.table(pl.DataFrame({"people": [-0.6], "climb_m": [-0.1]}), ["people", "climb_m"])).text
    assert "-1" in lost and "-0.1" in lost


def test_a_scorecard_has_no_names_of_a_program_in_it(things: dict[str, Callable[[], Any]]) -> None:
    """Grades and statuses are told in words, also where what is unknown decides the grade."""
    card: ws.Scorecard = things["Scorecard"]()
    (area,) = card.totals.filter(pl.col("grade").is_null()).head(1)["area_id"]
    open_grade = {
        "grade": pl.lit(None, pl.String),
        "grade_low": pl.lit("gap"),
        "grade_high": pl.lit("basically_complete"),
    }
    card = dataclasses.replace(card, totals=card.totals.with_columns(**open_grade))
    zh, en = (Outline(card.card(area, language=language)._repr_html_()).text for language in ("zh", "en"))
    assert "存在短板 … 基本完整" in zh and "has gaps … basically complete" in en
    assert "存在短板 … 基本完整 has gaps … basically complete" in Outline(card._repr_html_()).text
    assert "存在短板 … 基本完整" in card.text(area, chinese=True) and "has gaps … basically complete" in card.text(area)
    told = zh + en + Outline(card._repr_html_()).text
    assert "basically_complete" not in told and "not_applicable" not in told


def test_scenarios_of_which_there_are_none(city: ws.SyntheticCity, tmp_path: Path) -> None:
    none = ws.run_scenarios(city.study, [], tmp_path / "none", progress=False)
    assert "没有方案 There are no scenarios" in Outline(none._repr_html_()).text
    assert none.summary().is_empty()
    with pytest.raises(ValueError, match="there are no scenarios"):
        none.plot()


def test_a_scorecard_tells_grades_and_the_worst(things: dict[str, Callable[[], Any]]) -> None:
    card: ws.Scorecard = things["Scorecard"]()
    text = re.sub(r"\s+", " ", Outline(card._repr_html_()).text)
    for status, count in card.points["status"].value_counts().iter_rows():
        assert f"{cards.of_word('status', status)} {count:,}" in text
    worst = card.totals.sort("observed", "low", nulls_last=True)["area_id"][0]
    assert worst in text and repr(card).startswith(f"Scorecard({card.totals.height} communities: ")
    area = card.totals["area_id"][0]
    assert repr(card.card(area, language="en")) == card.text(area)
    points = card.points.filter(pl.col("area_id") == area)
    told = Outline(card.card(area)._repr_html_()).text
    assert all(evidence in told for evidence in points["evidence_zh"].drop_nulls())
    with pytest.raises(KeyError, match="no community"):
        card.card("nowhere")
    with pytest.raises(ValueError, match="language"):
        card.card(area, language="fr")  # type: ignore[arg-type]


def test_releases_and_what_differs_have_cards(tmp_path: Path) -> None:
    city = ws.synth(tmp_path / "city", nodes=1000, progress=False)
    passed = {"coverage_move": EVIL, "rows_shrink": "a test"}
    for day in ("2025-12-31", "2026-12-31"):
        done = ws.refresh(city.study, as_of=day, override=passed, progress=False)  # type: ignore[arg-type]
        Outline(done._repr_html_())
        facilities = pl.read_parquet(city.folder / "facilities.parquet")
        facilities.gather_every(2).write_parquet(city.folder / "facilities.parquet")
    tables = Tables(city.study)
    told, differs = Outline(tables._repr_html_()).text, tables.diff()
    assert "2025-12-31" in told and (EVIL in told) == ("coverage_move" in str(tables.history[-1]["overridden"]))
    text = Outline(differs._repr_html_()).text
    was, now = (tables.total(number) for number in (differs.before, differs.after))
    both = was.join(now, on=["class", "profile", "minutes"], suffix="_now")
    change = both["people_covered_now"] - both["people_covered"]
    assert f"{change.abs().max() * (1 if change.max() == change.abs().max() else -1):,.0f}" in text
    assert "facilities.parquet" in text and str(tmp_path) not in told + text, "paths of a machine are nobody's business"
    year = ws.evaluate(tables, differs.before, differs.after)
    assert "年度评估" in Outline(year._repr_html_()).text and str(year.days[0]) in year._repr_html_()
    Outline(year.plan._repr_html_())


def test_a_table_tells_values_by_what_their_columns_mean() -> None:
    rows = pl.DataFrame(
        {
            "class": ["kindergarten"],
            "share": [0.1234],
            "time_s": [754.0],
            "people": [12345.678],
            "length_m": [12.34],
            "cell": pl.Series([0x8A40A6D99967FFF], dtype=pl.UInt64),
            "on": [datetime.date(2026, 6, 1)],
            "met": [True],
            "reason": pl.Series([None], dtype=pl.String),
        }
    )
    told = re.sub(r"\s+", " ", Outline(cards.table(rows, rows.columns)).text)
    for value in (
        "幼儿园 Kindergarten",
        "12.3%",
        "12 min 34 s",
        "12,346",
        "12.3 ",
        "8a40a6d99967fff",
        "2026-06-01",
        "是 yes",
        "–",
    ):
        assert value in told, value


def test_a_table_says_how_many_rows_it_leaves_out() -> None:
    rows = pl.DataFrame({"id": range(30)})
    assert "22 more" in cards.table(rows, ["id"]) and "more" not in cards.table(rows.head(8), ["id"])
    assert cards.table(rows.clear(), ["id"]) == ""


def test_shapes_are_drawn_where_they_lie() -> None:
    square = shapely.box(106.0, 29.0, 106.2, 29.2).difference(shapely.box(106.05, 29.05, 106.15, 29.15))
    svg = thumbnail.shapes(
        [square.wkb, shapely.Point(106.1, 29.1).wkb, shapely.LineString([(106, 29), (106.2, 29.2)]).wkb], "x"
    )
    assert svg.count("z") == 2 and svg.count("h0") == 1, "two rings, one dot"
    width, height = (int(number) for number in re.findall(r'viewBox="0 0 (\d+) (\d+)"', svg)[0])
    (dot,) = re.findall(r"M(\d+) (\d+)h0", svg)
    assert abs(int(dot[0]) - width / 2) <= 1 and abs(int(dot[1]) - height / 2) <= 1
    assert thumbnail.shapes([shapely.Point().wkb, shapely.Polygon().wkb], "x") == ""


def test_streets_are_drawn_where_they_lie() -> None:
    """One street from south-west to north-east, and stairs across it."""
    lines = pl.DataFrame(
        {
            "edge": [0, 0, 1, 1],
            "kind": ["street", "street", "steps", "steps"],
            "lon": [106.0, 106.1, 106.0, 106.1],
            "lat": [29.0, 29.1, 29.1, 29.0],
        }
    )
    picture = re.search(r"base64,([^\"]+)", thumbnail.streets(lines))
    assert picture is not None
    png = base64.b64decode(picture.group(1))
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    start = png.index(b"IDAT") + 4
    pixels = zlib.decompress(png[start : start + int.from_bytes(png[start - 8 : start - 4], "big")])
    rows = [pixels[row * (width + 1) + 1 : (row + 1) * (width + 1)] for row in range(height)]
    # Along the street there is paint everywhere, in another colour than along the stairs; beside them is paper.
    quarter = height // 4
    along = lambda row: (width - 1) * row // (height - 1)  # noqa: E731
    near = lambda row, column: max(rows[row][column - 2 : column + 3])  # noqa: E731
    ways = {near(row, width - 1 - along(row)) for row in (quarter, 3 * quarter)}
    stairs = {near(row, along(row)) for row in (quarter, 3 * quarter)}
    assert ways == {1} and stairs == {1 + len(thumbnail._WAYS)}
    assert rows[quarter][width // 2] == 0
