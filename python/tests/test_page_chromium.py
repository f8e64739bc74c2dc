"""The one-map page in a real browser that has no network: what it draws, tells, keeps out, and how it is used.

Needs Chromium on the PATH or in WALKSHED_CHROMIUM, and playwright; without them these tests are skipped, unless
CI_REQUIRES_CHROMIUM=1.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hostile_city import NAMES, HostileCity, hostile_city, scenarios_over, square

import walkshed as ws
from walkshed.language import class_name
from walkshed.maps import palette
from walkshed.page import page, page_of_table

REQUIRED = os.environ.get("CI_REQUIRES_CHROMIUM") == "1"
WITH_CARD = """
const told = WebGL2RenderingContext.prototype.getParameter;
WebGL2RenderingContext.prototype.getParameter = function (name) {
  return name === 0x9246 || name === this.RENDERER ? "a card, says the test" : told.call(this, name);
};
"""
WITHOUT_WEBGL = """
const get = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind.startsWith("webgl") ? null : get.call(this, kind, ...rest);
};
"""

#: deck.gl looks whether it may use WebAssembly, and goes on without it.
TELL_POLICY = """
addEventListener("securitypolicyviolation", (event) => {
  if (event.blockedURI !== "wasm-eval") console.error("policy: " + event.blockedURI);
});
"""


def chromium_path() -> str | None:
    named = os.environ.get("WALKSHED_CHROMIUM")
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return named or next((path for path in found if path), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = chromium_path()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        if REQUIRED:
            raise
        pytest.skip("no playwright: pip install playwright")
    if path is None:
        assert not REQUIRED, "CI_REQUIRES_CHROMIUM=1 and no Chromium; set WALKSHED_CHROMIUM"
        pytest.skip("no Chromium on the PATH; WALKSHED_CHROMIUM names another")
    arguments = ["--disable-quic", "--no-first-run", "--enable-unsafe-swiftshader"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=arguments)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> HostileCity:
    return hostile_city(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def path(city: HostileCity, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = page(city.run, scenarios=city.scenarios, scorecard=city.card, title=NAMES[1])
    return made.save(tmp_path_factory.mktemp("page") / "map.html")


class Opened:
    """A page in a browser without a network, and everything that it did that it must not do."""

    def __init__(self, browser: Any, path: Path, script: str = "", width: int = 1440, height: int = 900) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": height}, offline=True)
        self.page = self.context.new_page()
        self.faults: list[str] = []
        self.requests: list[str] = []
        self.stopped: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda told: told.type == "error" and self.faults.append(told.text))
        self.page.on("dialog", lambda dialog: self.faults.append(f"dialog {dialog.message}"))
        self.page.on("requestfailed", lambda request: self.stopped.append(request.url))
        self.page.add_init_script(TELL_POLICY)
        if script:
            self.page.add_init_script(script)
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("body.ready", timeout=60_000)
        self.settle()
        assert not self.page.is_visible("#problem")

    def settle(self) -> None:
        """Wait for two frames, so that what was asked for is drawn."""
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def rest(self) -> None:
        """Wait until the picture stays as it is: deck.gl draws when its turn comes."""
        before: list[str] = []
        while before != (before := self.pixels()):
            self.page.wait_for_timeout(250)

    def choose(self, field: str, text: str) -> None:
        self.page.select_option(f"#{field}", label=text)
        self.settle()

    def search(self, text: str) -> None:
        self.page.fill("#search", text)
        self.page.press("#search", "Enter")
        self.settle()

    def text(self, selector: str) -> str:
        return str(self.page.inner_text(selector))

    def colours(self) -> int:
        """How many colours the picture of the map has, cell by cell of a grid."""
        return len(set(self.pixels()))

    def pixels(self) -> list[str]:
        told: list[str] = self.page.evaluate("""() => {
          const from = document.getElementById("picture");
          const to = document.createElement("canvas");
          [to.width, to.height] = [90, 90];
          const pen = to.getContext("2d", { willReadFrequently: true });
          pen.imageSmoothingEnabled = false;
          pen.drawImage(from, 0, 0, 90, 90);
          const bytes = pen.getImageData(0, 0, 90, 90).data;
          return Array.from({ length: 8100 }, (_, at) => bytes.slice(4 * at, 4 * at + 4).join());
        }""")
        return told

    def clean(self, path: Path) -> None:
        """Nothing was asked of any network, nothing failed, nothing foreign ran."""
        assert self.requests == [path.as_uri()]
        assert self.faults == []
        assert self.page.evaluate("typeof window.hacked") == "undefined"


Open = Callable[..., Opened]


@pytest.fixture
def open_page(browser: Any, path: Path) -> Iterator[Open]:
    opened: list[Opened] = []

    def open_it(of: Path | None = None, **how: Any) -> Opened:
        opened.append(Opened(browser, of or path, **how))
        return opened[-1]

    yield open_it
    for one in opened:
        one.context.close()


@pytest.mark.parametrize("script", ["", WITH_CARD, WITHOUT_WEBGL], ids=["as it is", "graphics card", "no WebGL"])
def test_draws_and_asks_nobody(open_page: Open, path: Path, script: str) -> None:
    shown = open_page(script=script)
    library = "document.querySelectorAll('head > script').length"
    assert shown.page.evaluate(library) == (2 if script == WITH_CARD else 1), "h3-js, and deck.gl where a card is"
    assert shown.colours() > 5
    before = shown.pixels()
    shown.page.focus("#map")
    shown.page.keyboard.press("ArrowRight")
    shown.settle()
    assert shown.pixels() != before, "an arrow key moves the map"
    shown.clean(path)


def test_both_painters_draw_the_same_colours_at_the_same_places(open_page: Open) -> None:
    pictures: list[list[str]] = []
    for script in (WITH_CARD, WITHOUT_WEBGL):
        shown = open_page(script=script)
        for box in ("streets", "boundaries", "doors"):
            shown.page.uncheck(f"#{box}")
        shown.rest()
        pictures.append(shown.pixels())
    assert alike(*pictures) > 0.97, "they differ at edges of cells at most"


def alike(one: list[str], other: list[str]) -> float:
    """The share of pixels whose colours differ by less than the eye sees."""
    near = [
        all(abs(int(a) - int(b)) <= 8 for a, b in zip(first.split(","), second.split(","), strict=True))
        for first, second in zip(one, other, strict=True)
    ]
    return sum(near) / len(near)


def test_cells_tell_what_the_tables_hold(open_page: Open, city: HostileCity, path: Path) -> None:
    shown = open_page()
    cells, times = city.run.table("cells"), city.run.table("times")
    names = dict(city.run.table("facilities").select("id", "name").iter_rows())
    profile = city.run.report["study"]["coverage"]["profiles"][0]
    for cell in random.Random(1).sample(cells["cell"].to_list(), 8):
        shown.search(f"{cell:x}")
        assert f"{cell:x}" in shown.text("#evidence h2")
        row = cells.row(by_predicate=pl.col("cell") == cell, named=True)
        assert shown.text('[data-people="all"]') == f"{row['people']:,.1f}".removesuffix(".0")
        for walk in times.filter((pl.col("origin_id") == cell) & (pl.col("profile") == profile)).iter_rows(named=True):
            told = shown.text(f'tr[data-class="{walk["class"]}"]')
            if walk["time_s"] is None:
                assert {"beyond_cutoff": "超出时限（15 分钟）", "not_connected": "路网不连通"}[walk["reason"]] in told
            else:
                assert f"{walk['time_s']:,.1f} 秒" in told
                end = shown.page.text_content(f'tr[data-class="{walk["class"]}"] td.end')
                assert end == names[walk["facility_id"]]
    shown.clean(path)


def test_a_click_finds_the_cell_beneath(open_page: Open, city: HostileCity) -> None:
    shown = open_page()
    box = shown.page.locator("#map").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for cell in random.Random(2).sample(city.run.table("cells")["cell"].to_list(), 4):
        shown.search(f"{cell:x}")
        shown.page.mouse.click(box["x"] + 4, box["y"] + box["height"] / 2)
        assert f"{cell:x}" not in shown.text("#evidence")
        shown.page.mouse.click(*middle)
        assert f"{cell:x}" in shown.text("#evidence h2")


def test_areas_tell_what_the_tables_hold(open_page: Open, city: HostileCity, path: Path) -> None:
    shown = open_page()
    areas, coverage = city.run.table("areas"), city.run.table("coverage")
    settings = city.run.report["study"]["coverage"]
    profile, group = settings["profiles"][1], "senior_60_plus"
    shown.page.select_option("#profile", index=1)
    shown.page.select_option("#group", index=sorted_groups(city).index(group))
    for area in random.Random(3).sample(areas["area_id"].to_list(), 6):
        shown.search(area)
        assert area in shown.text("#evidence")
        rows = coverage.filter(
            (pl.col("area_id") == area) & (pl.col("profile") == profile) & (pl.col("group") == group)
        )
        assert rows.height == len(settings["minutes"]) * coverage["class"].n_unique()
        for row in rows.iter_rows(named=True):
            told = shown.text(f'tr[data-class="{row["class"]}"] td[data-minutes="{row["minutes"]:g}"]').split("\n")
            share = "–" if row["share"] is None else f"{row['share'] * 100:.1f} %"
            assert told == [share, f"{row['people_covered']:,.1f}"]
    shown.clean(path)


def sorted_groups(city: HostileCity) -> list[str]:
    groups = city.run.table("coverage")["group"].unique(maintain_order=True).to_list()
    return ["all", *(group for group in groups if group != "all")]


def test_the_legend_counts_everybody_as_the_run_does(open_page: Open, city: HostileCity) -> None:
    shown = open_page()
    for name in ("kindergarten", "community_canteen"):
        shown.choose("class", class_name(name, "zh"))
        rows = city.run.total().filter(
            (pl.col("class") == name) & (pl.col("group") == "all") & (pl.col("profile") == "adult")
        )
        covered = rows.sort("minutes")["people_covered"].to_list()
        bands = [covered[0], covered[1] - covered[0], covered[2] - covered[1], rows["people"][0] - covered[2]]
        assert shown.page.locator("#legend-rows .count").all_inner_texts() == [f"{count:,.0f} 人" for count in bands]


def test_scores_tell_their_evidence_in_both_languages(open_page: Open, city: HostileCity, path: Path) -> None:
    shown = open_page()
    total = city.card.totals.sort("observed", descending=True).row(0, named=True)
    shown.search(total["area_id"])
    for words, evidence in (("已知部分", "evidence_zh"), ("of what is known", "evidence")):
        assert f"{total['low']:,.1f} – {total['high']:,.1f}" in shown.text(".score")
        assert words in shown.text(".score")
        points = city.card.points.filter(pl.col("area_id") == total["area_id"])
        told = shown.page.locator("[data-point]").all()
        assert len(told) == points.height
        texts = dict(points.select("point", evidence).iter_rows())
        for one in told:
            assert texts[one.get_attribute("data-point")] in one.text_content()
        shown.page.click("#language")
    shown.clean(path)


def test_a_scenario_shows_what_it_changes(open_page: Open, city: HostileCity, path: Path) -> None:
    shown = open_page()
    shown.choose("class", class_name("community_canteen", "zh"))
    before = shown.pixels()
    shown.choose("scenario", NAMES[0])
    assert shown.pixels() != before
    gains = city.scenarios.summary().filter((pl.col("name") == NAMES[0]) & (pl.col("profile") == "adult"))
    told = shown.text("#gains")
    for value in gains.select("people_gaining", "people_minutes_saved").row(0):
        assert f"{value:,.1f}".removesuffix(".0") in told
    plan = city.scenarios.report["scenarios"][0]["id"]
    changed = city.scenarios.table("cells").filter(
        (pl.col("scenario") == plan) & (pl.col("profile") == "adult") & pl.col("before_s").is_not_null()
    )
    for row in changed.head(3).iter_rows(named=True):
        shown.search(f"{row['cell']:x}")
        told = shown.text('tr[data-class="community_canteen"]')
        assert f"{row['before_s']:,.1f} 秒" in told and f"{row['after_s']:,.1f} 秒" in told
        assert NAMES[2] in shown.page.text_content('tr[data-class="community_canteen"] .end .after')
    after = city.scenarios.table("coverage").filter(
        (pl.col("scenario") == plan) & (pl.col("group") == "all") & (pl.col("profile") == "adult")
    )
    before_rows = city.run.table("coverage").select("area_id", "class", "group", "profile", "minutes", was="share")
    row = (
        after.join(before_rows, on=["area_id", "class", "group", "profile", "minutes"])
        .filter(pl.col("share") - pl.col("was") > 0.1)
        .row(0, named=True)
    )
    shown.search(row["area_id"])
    told = shown.text(f'tr[data-class="{row["class"]}"] td[data-minutes="{row["minutes"]:g}"]')
    assert f"{row['was'] * 100:.1f} %" in told and f"{row['share'] * 100:.1f} %" in told
    shown.clean(path)


def test_a_scenario_that_moves_people_and_borders_is_shown_whole(
    open_page: Open, city: HostileCity, tmp_path: Path
) -> None:
    cells, areas = city.run.table("cells"), city.run.table("areas")
    lon, lat = cells.select(pl.col("lon", "lat").median()).row(0)
    home = cells.sort((pl.col("lon") - lon) ** 2 + (pl.col("lat") - lat) ** 2).row(0, named=True)
    homes = f'do = "new_homes"\nplace = [{home["lon"]}, {home["lat"]}]\npeople = 300'
    made = f'do = "set_area"\nid = "made"\nname = "新区"\nlevel = "community"\noutline = [{square(lon, lat, 0.004)}]'
    scenarios = scenarios_over(city.study, tmp_path / "s", [homes], [made])
    saved = page(city.run, scenarios=scenarios).save(tmp_path / "map.html")
    shown = open_page(saved)
    shown.choose("class", class_name("kindergarten", "zh"))
    before = counts_of(shown)
    times = city.run.table("times").filter((pl.col("class") == "kindergarten") & (pl.col("profile") == "adult"))
    (walk_s,) = times.filter(pl.col("origin_id") == home["cell"])["time_s"]
    band = 3 if walk_s is None else sum(walk_s > limit for limit in (300, 600, 900))
    shown.choose("scenario", "0")
    assert [after - was for after, was in zip(counts_of(shown), before, strict=True)] == [
        300 * (n == band) for n in range(4)
    ]
    assert "不受方案影响" not in shown.text("#gains") and "覆盖率" in shown.text("#gains")
    assert "方案迁入 300 人" in shown.text("#notes")
    shown.search(f"{home['cell']:x}")
    assert shown.text('[data-people="all"] .after') == f"→ {home['people'] + 300:,.1f}".removesuffix(".0")
    shown.page.click("#about-open")
    assert "含迁入的住户" in shown.text("#about")
    shown.page.click("#about .close")
    shown.choose("scenario", "1")
    shown.choose("layer", "覆盖率（分区）")
    communities = areas.filter(pl.col("level") == "community").height
    assert sum(counts_of(shown)) == communities + 1
    shown.search("made")
    assert "新区" in shown.text("#evidence h2")
    row = scenarios.table("coverage").filter(
        (pl.col("area_id") == "made")
        & (pl.col("class") == "kindergarten")
        & (pl.col("group") == "all")
        & (pl.col("profile") == "adult")
        & (pl.col("minutes") == 10)
    )
    told = shown.text('tr[data-class="kindergarten"] td[data-minutes="10"]')
    assert (
        "未计算" in told and f"→ {row['share'][0] * 100:.1f} %" in told and f"{row['people_covered'][0]:,.1f}" in told
    )
    assert f"→ {row['people'][0]:,.1f}" in shown.text('[data-people="all"]')
    shown.page.mouse.move(5, 5)
    box = shown.page.locator("#map").bounding_box()
    shown.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert "新区" in shown.text("#evidence h2"), "a click finds the area where the scenario has it"
    shown.page.locator("input[value=before]").check(force=True)
    shown.settle()
    assert "新区" not in shown.text("#evidence") and sum(counts_of(shown)) == communities
    shown.clean(saved)


def counts_of(shown: Opened) -> list[int]:
    """The counts of the legend, without their units."""
    texts = shown.page.locator("#legend-rows .count").all_inner_texts()
    return [int(text.split()[0].replace(",", "")) for text in texts]


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> tuple[ws.RunResult, ws.ScenariosResult]:
    """A city with parts of people, whose groups walk each by its own profile; a scenario closes all kindergartens."""
    folder = tmp_path_factory.mktemp("closed")
    study = ws.synth(folder / "city", nodes=1000, seed=5, progress=False).study
    path = study.parent / "population_cells.parquet"
    people = pl.read_parquet(path)
    groups = [name for name in people.columns if name not in ("cell", "source", "households")]
    people.with_columns(pl.col(groups) * 0.3777).write_parquet(path)
    text = study.read_text("utf-8").replace('"senior"]', '"senior"]\ngroup_profiles = { senior_60_plus = "senior" }')
    study.write_text(text, "utf-8")
    run = ws.run(study, folder / "run", progress=False)
    ends = run.table("facilities").filter((pl.col("class") == "kindergarten") & (pl.col("state") == "open"))
    edits = [f'do = "close_facility"\nid = "{one}"\nclass = "kindergarten"' for one in ends["id"]]
    return run, scenarios_over(study, folder / "s", edits)


def test_a_loss_is_told_as_one_and_nothing_has_no_sign(
    open_page: Open, closed: tuple[ws.RunResult, ws.ScenariosResult], tmp_path: Path
) -> None:
    run, scenarios = closed
    shown = open_page(page(run, scenarios=scenarios).save(tmp_path / "map.html"))
    shown.choose("class", class_name("kindergarten", "zh"))
    shown.choose("scenario", "0")
    people = run.table("cells")["people"].sum()
    assert shown.page.locator("#legend-rows .count").all_inner_texts() == ["0 人"] * 3 + [f"{people:,.0f} 人"]
    assert shown.page.locator("#legend-rows .part").all_inner_texts() == ["0.0 %"] * 3 + ["100.0 %"]
    (lost,) = scenarios.summary().filter(pl.col("profile") == "adult").iter_rows(named=True)
    assert lost["people_minutes_saved"] < 0
    told = shown.text("#gains")
    assert f"共增加 {-lost['people_minutes_saved']:,.1f}".removesuffix(".0") in told
    assert "节省" not in told and "-" not in told


def test_what_was_not_computed_is_not_nobody(
    open_page: Open, closed: tuple[ws.RunResult, ws.ScenariosResult], tmp_path: Path
) -> None:
    """Of a run whose groups walk each by its own profile, coverage is asked for by that profile alone."""
    run, _ = closed
    shown = open_page(page(run).save(tmp_path / "map.html"))
    shown.choose("layer", "覆盖率（分区）")
    options = shown.page.locator("#profile option")
    assert options.all_inner_texts() == ["成年人"]
    shown.choose("group", "60 岁及以上老年人")
    assert options.all_inner_texts() == ["老年人"]
    own = (pl.col("group") == "senior_60_plus") & (pl.col("class") == "kindergarten") & (pl.col("minutes") == 10)
    rows = (
        run.table("coverage")
        .filter(own)
        .join(run.table("areas").filter(pl.col("level") == "community").select("area_id"), on="area_id")
    )
    shown.choose("class", class_name("kindergarten", "zh"))
    kinds = [palette.class_of(share, palette.SHARE_BREAKS) for share in rows["share"]]
    assert counts_of(shown)[:5] == [kinds.count(kind) for kind in range(5)]
    assert "未计算" not in shown.text("#legend") and rows["profile"].unique().to_list() == ["senior"]


def test_scores_are_shown_of_the_level_that_has_them(open_page: Open, city: HostileCity) -> None:
    shown = open_page()
    shown.choose("level", "片区")
    shown.choose("layer", "得分，已知部分（社区）")
    assert shown.page.locator("#level option").all_inner_texts() == ["社区"]
    assert sum(counts_of(shown)) == city.card.totals.height
    shown.choose("layer", "覆盖率（分区）")
    assert len(shown.page.locator("#level option").all_inner_texts()) == 3


@pytest.mark.parametrize("script", [WITHOUT_WEBGL, WITH_CARD], ids=["plain canvas", "deck.gl"])
def test_the_swipe_is_dragged_and_moved_by_keys(open_page: Open, path: Path, script: str) -> None:
    shown = open_page(script=script)
    shown.page.uncheck("#streets")
    shown.choose("class", class_name("community_canteen", "zh"))
    shown.choose("scenario", NAMES[0])
    pictures = {}
    for how in ("before", "after", "swipe"):
        shown.page.locator(f"input[value={how}]").check(force=True)
        shown.settle()
        shown.page.mouse.move(5, 5)
        shown.rest()
        pictures[how] = shown.pixels()
    assert pictures["before"] != pictures["after"]

    def of(side: str, columns: range) -> list[str]:
        return [pictures[side][90 * row + column] for row in range(90) for column in columns]

    for columns, side, other in ((range(0, 43), "before", "after"), (range(47, 90), "after", "before")):
        assert alike(of("swipe", columns), of(side, columns)) > 0.998, f"{side} is on its side of the handle"
        assert alike(of(side, columns), of(other, columns)) < 0.993, "where the scenario changes something"
    handle = shown.page.locator("#handle")
    handle.focus()
    shown.page.keyboard.press("End")
    shown.settle()
    shown.rest()
    assert handle.get_attribute("aria-valuenow") == "100"
    assert alike(shown.pixels(), pictures["before"]) > 0.999
    shown.page.keyboard.press("Home")
    shown.page.keyboard.press("PageUp")
    shown.settle()
    assert handle.get_attribute("aria-valuenow") == "10"
    box, stage = handle.bounding_box(), shown.page.locator("#map").bounding_box()
    shown.page.mouse.move(box["x"] + 18, box["y"] + 300)
    shown.page.mouse.down()
    shown.page.mouse.move(stage["x"] + 0.7 * stage["width"], box["y"] + 300, steps=4)
    shown.page.mouse.up()
    shown.settle()
    assert handle.get_attribute("aria-valuenow") == "70"
    shown.clean(path)


def test_everything_is_reached_by_keys(open_page: Open, city: HostileCity, path: Path) -> None:
    shown = open_page()
    shown.choose("scenario", NAMES[0])
    shown.page.locator("input[value=swipe]").check(force=True)
    shown.page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(40):
        shown.page.keyboard.press("Tab")
        told = shown.page.evaluate("""() => {
          const at = document.activeElement;
          const ring = getComputedStyle(at.type === "radio" ? at.nextElementSibling : at);
          return [at.id || at.value, ring.outlineStyle !== "none" && parseFloat(ring.outlineWidth) >= 2];
        }""")
        reached.add(told[0])
        assert told[1] or not told[0], f"{told[0]}: where the focus is must be seen"
    controls = {"search", "layer", "class", "profile", "group", "level", "scenario", "doors", "boundaries", "names"}
    assert reached >= controls | {"streets", "swipe", "map", "handle", "zoom-in", "zoom-out", "zoom-home"}
    assert reached >= {"about-open", "print", "language"}
    by_latitude = city.run.table("cells").sort("lat")
    cell = f"{by_latitude['cell'][by_latitude.height // 2]:x}"
    shown.search(cell)
    shown.page.focus("#map")
    for _ in range(3):
        shown.page.keyboard.press("ArrowUp")
    shown.page.keyboard.press("Enter")
    assert cell not in shown.text("#evidence"), "the middle is elsewhere now"
    for _ in range(3):
        shown.page.keyboard.press("ArrowDown")
    shown.page.keyboard.press("Enter")
    assert cell in shown.text("#evidence h2")
    assert shown.page.get_attribute("#evidence", "aria-live") == "polite"
    shown.clean(path)


def test_everything_has_a_name_and_is_readable(open_page: Open) -> None:
    shown = open_page()
    shown.search("S0001")
    unnamed = shown.page.evaluate("""() => [...document.querySelectorAll("button, select, input, [role=slider], #map")]
      .filter((one) => one.offsetParent)
      .filter((one) => !(one.labels?.length || one.getAttribute("aria-label") || one.textContent.trim()))
      .map((one) => one.id || one.outerHTML)""")
    assert unnamed == []
    pale = shown.page.evaluate(CONTRAST)
    assert pale == [], "WCAG AA asks 4.5 : 1 of text"


CONTRAST = """() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => parse(colour).slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((parse(colour)[3] ?? 1) > 0.9) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const pale = [];
  for (const one of document.querySelectorAll("body *")) {
    const own = [...one.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || !one.offsetParent || ["SCRIPT", "OPTION"].includes(one.tagName)) continue;
    const [a, b] = [light(getComputedStyle(one).color), light(ground(one))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) pale.push(`${one.tagName} ${one.className} ${one.textContent.slice(0, 20)}`);
  }
  return pale;
}"""


def test_the_language_is_switched_on_the_page(open_page: Open, path: Path) -> None:
    shown = open_page()
    assert shown.page.evaluate("document.documentElement.lang") == "zh-CN"
    assert "设施类别" in shown.text("#controls")
    shown.page.click("#language")
    shown.settle()
    assert shown.page.evaluate("document.documentElement.lang") == "en"
    english = shown.text("#controls") + shown.text("#legend") + shown.text("header")
    for name in NAMES:
        english = english.replace(name, "")
    assert not [letter for letter in english if "\u4e00" <= letter <= "\u9fff" and letter not in "中文"]
    shown.clean(path)


def test_hostile_names_are_shown_as_they_are(open_page: Open, city: HostileCity, path: Path) -> None:
    shown = open_page()
    assert shown.page.text_content("#title") == NAMES[1]
    areas = city.run.table("areas")
    seen = set()
    for area_id, name in areas.select("area_id", "name").iter_rows():
        kind = next(number for number, text in enumerate(NAMES) if name.startswith(text))
        if kind in seen:
            continue
        seen.add(kind)
        shown.search(area_id)
        assert shown.page.text_content("#evidence h2") == name
    assert len(seen) == len(NAMES)
    shown.page.check("#names")
    for name in NAMES[:2]:
        shown.choose("scenario", name)
    shown.page.fill("#search", "script")
    assert shown.page.locator("#found li").count() > 1
    shown.page.click("#about-open")
    assert "MIT" in shown.text("#about") and "Apache" in shown.page.text_content("#about")
    shown.clean(path)


def test_markup_that_came_in_would_not_run(open_page: Open, path: Path) -> None:
    """The second wall: were a name ever taken for markup, the policy keeps it from running and from asking anybody."""
    shown = open_page()
    shown.page.evaluate("""() => {
      document.getElementById("evidence").innerHTML = '<img src=x onerror="window.hacked=1">';
      const script = document.createElement("script");
      script.textContent = "window.hacked=1";
      document.body.append(script);
      return fetch("https://example.org/").catch(() => null);
    }""")
    shown.page.wait_for_timeout(200)
    assert shown.page.evaluate("typeof window.hacked") == "undefined"
    assert shown.requests[0] == path.as_uri()
    assert set(shown.requests[1:]) <= set(shown.stopped), "the policy stops every request"
    assert sum("policy" in fault for fault in shown.faults) >= 3


def test_fits_a_phone_and_a_small_screen(open_page: Open, path: Path) -> None:
    for width, height in ((1024, 768), (390, 844)):
        shown = open_page(width=width, height=height)
        assert shown.colours() > 5
        wide = shown.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, "nothing is cut off or scrolls sideways"
        shown.clean(path)


def test_a_browser_that_cannot_unpack_is_told(browser: Any, path: Path) -> None:
    context = browser.new_context(offline=True)
    shown = context.new_page()
    shown.add_init_script("delete window.DecompressionStream;")
    shown.goto(path.as_uri())
    assert "浏览器过旧" in shown.inner_text("#problem") and "too old" in shown.inner_text("#problem")
    context.close()


def test_a_real_city(open_page: Open, helsinki_run: ws.RunResult, tmp_path: Path) -> None:
    made = helsinki_run.explore(language="en", title="赫尔辛基 Helsinki").save(tmp_path / "helsinki.html")
    shown = open_page(made)
    assert shown.colours() > 5
    assert "OpenStreetMap" in shown.text("#credit") and "SYNTHETIC" not in shown.text("#credit")
    shown.search("west")
    shown.choose("layer", "Share covered (areas)")
    row = (
        helsinki_run.table("coverage")
        .filter((pl.col("area_id") == "west") & (pl.col("minutes") == 10))
        .row(0, named=True)
    )
    assert f"{row['share'] * 100:.1f} %" in shown.text(f'tr[data-class="{row["class"]}"] td[data-minutes="10"]')
    shown.clean(made)


def test_a_run_without_areas(open_page: Open, helsinki: Path, tmp_path: Path) -> None:
    text = helsinki.read_text("utf-8").replace('[areas]\n        path = "areas.geojson"', "")
    study = helsinki.with_name("without_areas.toml")
    study.write_text(text, "utf-8")
    made = ws.run(study, tmp_path / "run", progress=False).explore(language="en").save(tmp_path / "map.html")
    shown = open_page(made)
    assert shown.page.locator("#layer option").all_inner_texts() == ["Walking time (cells)"]
    assert shown.colours() > 5
    shown.clean(made)


def test_works_inside_a_notebook(browser: Any, city: HostileCity, tmp_path: Path) -> None:
    made = page(city.run, language="en")
    (tmp_path / "cell.html").write_text(f"<!doctype html><body>{made._repr_html_()}</body>", "utf-8")
    context = browser.new_context(offline=True)
    outer = context.new_page()
    faults: list[str] = []
    outer.on("console", lambda told: told.type == "error" and faults.append(told.text))
    outer.goto((tmp_path / "cell.html").as_uri())
    inner = outer.frame_locator("iframe")
    inner.locator("body.ready").wait_for(timeout=60_000)
    assert "Facility class" in inner.locator("#controls").inner_text()
    assert faults == []
    context.close()


def test_a_table_of_shapes(open_page: Open, city: HostileCity, tmp_path: Path) -> None:
    net = ws.Network.from_osm(city.study.parent / "streets.osm.pbf", progress=False)
    homes = city.run.table("cells").sort("people", descending=True).head(3)
    points = homes.select("lon", "lat", id=pl.Series([NAMES[0], NAMES[1], NAMES[2]]))
    shapes = net.isochrones(points, minutes=(5, 10, 15), progress=False)
    made = page_of_table(shapes, "minutes", breaks=[5, 10], language="en").save(tmp_path / "shapes.html")
    shown = open_page(made)
    assert shown.page.locator("#legend-rows .count").all_inner_texts() == ["3 rows"] * 3
    shown.search("script")
    values = shapes.to_polars().row(0, named=True)
    told = shown.page.locator("#evidence td").all_text_contents()
    assert told == ["no value" if value is None else str(value) for value in values.values()]
    shown.clean(made)


@pytest.mark.parametrize("script", [WITHOUT_WEBGL, WITH_CARD], ids=["plain canvas", "deck.gl"])
def test_shapes_that_lie_over_each_other_make_no_hole(
    open_page: Open, city: HostileCity, tmp_path: Path, script: str
) -> None:
    net = ws.Network.from_osm(city.study.parent / "streets.osm.pbf", progress=False)
    lon, lat = city.run.table("cells").select(pl.col("lon", "lat").median()).row(0)
    points = pl.DataFrame({"id": ["a", "b"], "lon": [lon, lon + 0.0001], "lat": [lat, lat]})
    shapes = net.isochrones(points, minutes=(4,), progress=False)
    shown = open_page(shapes.explore("minutes").save(tmp_path / "shapes.html"), script=script)
    shown.rest()
    pixels = shown.pixels()
    corner, middle = pixels[0], [pixels[90 * row + column] for row in (44, 45, 46) for column in (44, 45, 46)]
    assert corner not in middle


def test_an_answer_in_memory(open_page: Open, city: HostileCity, tmp_path: Path) -> None:
    net = ws.Network.from_osm(city.study.parent / "streets.osm.pbf", progress=False)
    cells = city.run.table("cells").drop("geometry", "snap_m")
    facilities = city.run.table("facilities").filter(pl.col("state") == "open").select("id", "class", "lon", "lat")
    baseline = ws.Baseline(net, cells, facilities, city.run.folder / "areas.parquet", progress=False)
    lon, lat = cells.select(pl.col("lon", "lat").median()).row(0)
    opened = ws.OpenFacility("made", "community_canteen", (lon, lat), name=NAMES[0])
    answer = baseline.what_if(ws.Scenario([opened], name=NAMES[1]), progress=False)
    made = answer.explore(areas=city.run.folder / "areas.parquet").save(tmp_path / "answer.html")
    shown = open_page(made)
    assert shown.page.locator("#class option:checked").text_content() == class_name("community_canteen", "zh")
    assert shown.colours() > 3
    row = answer.cells.to_polars().filter(pl.col("after_s").is_not_null()).row(0, named=True)
    shown.search(f"{row['cell']:x}")
    assert f"{row['after_s']:,.1f} 秒" in shown.text(f'tr[data-class="{row["class"]}"]')
    assert "方案前后不变" in shown.text("#evidence")
    shown.clean(made)
