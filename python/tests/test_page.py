"""The one-map page as a file: what stands in it, that it is whole, what is refused. In use: test_page_chromium."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import hashlib
import itertools
import json
import random
import re
import struct
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hostile_city import NAMES, HostileCity, hostile_city, scenarios_over, square

import walkshed as ws
from walkshed import language
from walkshed.maps import palette, wkb
from walkshed.maps.base_map import EMPTY
from walkshed.page import Page, document, page, page_of_answer, page_of_table, tables
from walkshed.page.block import Block, Width
from walkshed.page.city_block import REASONS, SHARES, city_block
from walkshed.page.outlines import outlines

VENDOR = Path(document.__file__).parent / "vendor"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> HostileCity:
    return hostile_city(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def made(city: HostileCity) -> Page:
    return page(city.run, scenarios=city.scenarios, scorecard=city.card, title=NAMES[1])


class Blocks(HTMLParser):
    """Reads a page as a browser would: its scripts by id, and its policy."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.scripts: dict[str, str] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._open = dict(attrs).get("id") or tag
            self.scripts[self._open] = ""

    def handle_endtag(self, tag: str) -> None:
        self._open = None

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self.scripts[self._open] += data

    def block(self, name: str) -> tuple[dict[str, Any], dict[str, list[int]]]:
        """A block, read by another reader than the page's: its words, and its columns."""
        raw = gzip.decompress(base64.b64decode(self.scripts[name]))
        (length,) = struct.unpack_from("<I", raw)
        header = json.loads(raw[4 : 4 + length])
        columns, at = {}, 4 + length
        for column, told in header["columns"].items():
            width, count = told["bytes"], told["count"]
            planes = [raw[at + k * count : at + (k + 1) * count] for k in range(width)]
            values = [int.from_bytes(bytes(plane[row] for plane in planes), "little") for row in range(count)]
            columns[column] = _summed(values, 1 << 8 * width) if told["delta"] else values
            at += width * count
        assert at == len(raw)
        return header["about"], columns


def _summed(steps: list[int], modulus: int) -> list[int]:
    last, values = 0, []
    for step in steps:
        last = (last + (step // 2 if step % 2 == 0 else -(step + 1) // 2)) % modulus
        values.append(last)
    return values


def test_libraries_are_as_published() -> None:
    sums = dict(reversed(line.split()) for line in (VENDOR / "SHA256SUMS").read_text("utf-8").splitlines())
    files = {path.name for path in VENDOR.iterdir() if path.suffix in (".js", ".txt")}
    assert set(sums) == files
    for name, digest in sums.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name


def test_the_libraries_travel_byte_for_byte(made: Page) -> None:
    blocks = Blocks(made.html)
    for name, file in (("library-deck", document.DECK), ("library-h3", document.H3)):
        assert gzip.decompress(base64.b64decode(blocks.scripts[name])) == (VENDOR / file).read_bytes()


def test_the_policy_lets_run_what_the_page_brought_and_nothing_else(made: Page) -> None:
    blocks = Blocks(made.html)
    policy = next(tag[1]["content"] for tag in blocks.tags if tag[1].get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'" and "connect-src" not in rules
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy
    scripts = [blocks.scripts["script"]] + [(VENDOR / file).read_text("utf-8") for file in (document.DECK, document.H3)]
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts}
    assert set(rules["script-src"].split()) == hashes
    run = [attrs for tag, attrs in blocks.tags if tag == "script" and "type" not in attrs]
    assert run == [{}], "one script, no source"


def test_nothing_in_the_markup_points_anywhere(made: Page) -> None:
    for tag, attributes in Blocks(made.html).tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), f"{tag} {name}"
            assert name != "style"
            if name in ("src", "href", "action", "data"):
                assert value == "data:,"


def test_names_stand_in_the_data_and_nowhere_in_the_markup(made: Page, city: HostileCity) -> None:
    blocks = Blocks(made.html)
    about, _ = blocks.block("data")
    assert about["areas"]["name"] == city.run.table("areas")["name"].to_list()
    assert [plan["name"] for plan in about["plans"]] == NAMES[:2]
    bare = re.sub(r"<script.*?</script>", "", made.html, flags=re.DOTALL)
    assert "hacked" not in bare.replace("&lt;/script&gt;&lt;script&gt;window.hacked=1&lt;/script&gt;", "")


def test_walks_are_exact_to_the_tenth_of_a_second(made: Page, city: HostileCity) -> None:
    about, columns = Blocks(made.html).block("data")
    cells, last = [], 0
    for low, high in zip(columns["cell_low"], columns["cell_high"], strict=True):
        last += low + (high << 32)
        cells.append(last)
    times = city.run.table("times")
    assert cells == sorted(times["origin_id"].unique())
    names = about["facilities"]["id"]
    for c, of in enumerate(about["classes"]):
        for p, who in enumerate(about["profiles"]):
            own = times.filter((pl.col("class") == of["id"]) & (pl.col("profile") == who["id"])).sort("origin_id")
            walks = columns[f"walk_{c}_{p}"]
            ends = iter(columns[f"end_{c}_{p}"])
            for walk, row in zip(walks, own.iter_rows(named=True), strict=True):
                if walk < len(REASONS):
                    assert (row["time_s"], row["reason"]) == (None, REASONS[walk])
                else:
                    assert row["time_s"] == (walk - len(REASONS)) / 10
                    assert row["facility_id"] == names[about["facilities"]["first"][c] + next(ends) - 1]


def test_same_inputs_same_bytes(made: Page, city: HostileCity) -> None:
    again = page(city.run, scenarios=city.scenarios, scorecard=city.card, title=NAMES[1])
    assert again.html == made.html


def test_no_folder_of_this_machine_stands_in_the_page(made: Page, city: HostileCity) -> None:
    about, _ = Blocks(made.html).block("data")
    assert str(city.study.parent.parent) not in json.dumps(about, ensure_ascii=False) + made.html
    assert set(about["inputs"]) >= {"streets.osm.pbf", "facilities.parquet"}


def test_says_that_it_is_synthetic_whatever_lies_beneath(made: Page, city: HostileCity) -> None:
    for shown in (made, page(city.run, base=EMPTY), city.scenarios.explore(city.run)):
        assert "SYNTHETIC 合成数据" in shown.html
    assert "SYNTHETIC" not in page(city.run, base=EMPTY, source="审图号 1").html.replace(NAMES[0], "")


def test_every_word_is_there_in_both_languages_and_used() -> None:
    words, code = document.words(), document._script() + (document.HERE / "page.html").read_text("utf-8")
    for key, (zh, en) in words.items():
        assert sorted(re.findall(r"\{\w+\}", zh)) == sorted(re.findall(r"\{\w+\}", en)), key
        assert not re.search("[\u4e00-\u9fff]", en) or key.startswith("language_")
    asked = set(re.findall(r'word\("(\w+)"', code)) | set(re.findall(r'data-(?:word|label|hint)="(\w+)"', code))
    assert asked <= set(words)
    spelled = set(re.findall(r'"(\w+)"', code)) | asked
    made_up = re.compile(r"layer_\w+|left_out_\w+")
    assert [key for key in words if key not in spelled and not made_up.fullmatch(key)] == []


def test_one_thing_has_one_name() -> None:
    """Words of tables come from `language.word` alone; what they were called elsewhere is not called so any more."""
    kinds = ("status", "grade", "reason", "edit")
    known = {pair["zh"] for kind in kinds for pair in language._WORDS[kind].values()}
    assert [key for key, (zh, _) in document.words().items() if zh in known] == []
    package = Path(language.__file__).parent
    files = [path for path in package.rglob("*") if path.suffix in (".py", ".js", ".json", ".html")]
    old = ("开设设施", "新增通道", "封闭通道", "恢复通道", "台阶", "无步行道路连通", "附近没有步行道路", "编辑")
    used = [(path.name, word) for path in files for word in old if word in path.read_text("utf-8")]
    assert len(files) > 50 and used == []
    assert document.words()["cost"][0].startswith("造价"), "as reports and cards call it"


def test_save_is_whole_or_not_at_all(made: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "map.html"
    path.write_text("what stood")

    def full(self: Path, data: bytes) -> int:
        Path.open(self, "wb").write(data[:10])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken, pytest.raises(OSError, match="No space"):
        broken.setattr(Path, "write_bytes", full)
        made.save(path)
    assert path.read_text() == "what stood"
    assert made.save(path) == path
    assert path.read_text("utf-8") == made.html
    assert list(tmp_path.iterdir()) == [path]


def test_in_a_notebook_and_too_large_for_one(made: Page) -> None:
    shown = Blocks(made._repr_html_()).tags[0]
    assert shown[0] == "iframe" and shown[1]["srcdoc"] == made.html
    large = Page("<p>" + "字" * 4_000_000)
    assert "iframe" not in large._repr_html_() and ".save(" in large._repr_html_()
    assert "12.0 MB" in repr(large)


def test_scenarios_of_another_city_are_refused(city: HostileCity, tmp_path: Path) -> None:
    other = ws.synth(tmp_path / "other", nodes=1000, seed=5, progress=False)
    run = ws.run(other.study, tmp_path / "run", progress=False)
    with pytest.raises(ValueError, match="not of the study and the files"):
        page(run, scenarios=city.scenarios)
    with pytest.raises(ValueError, match="scorecard: it is of"):
        card = dataclasses.replace(city.card, totals=city.card.totals.with_columns(area_id=pl.lit("elsewhere")))
        page(city.run, scorecard=card)
    with pytest.raises(ValueError, match='language "fr"'):
        page(city.run, language="fr")  # type: ignore[arg-type]


def test_what_a_scenario_closes_moves_and_opens_is_where_it_is_then(city: HostileCity, tmp_path: Path) -> None:
    ends = city.run.table("facilities").filter((pl.col("state") == "open") & (pl.col("class") == "kindergarten"))
    closed, again, moved = ends["id"].head(3)
    lon, lat = city.run.table("cells").select(pl.col("lon", "lat").median()).row(0)
    place = f"place = [{lon}, {lat}]"
    edits = [
        f'do = "close_facility"\nid = "{closed}"',
        f'do = "close_facility"\nid = "{again}"',
        f'do = "open_facility"\nid = "{again}"',
        f'do = "move_facility"\nid = "{moved}"\n{place}',
        f'do = "new_homes"\n{place}\npeople = 300',
    ]
    plan = tmp_path / "plan.toml"
    plan.write_text('[scenario]\nname = "all"\n' + "".join(f"[[edit]]\n{edit}\n" for edit in edits), "utf-8")
    scenarios = ws.run_scenarios(city.study, [plan], tmp_path / "scenarios", progress=False)
    about, columns = Blocks(page(city.run, scenarios=scenarios).html).block("data")
    told, made = about["facilities"], about["plans"][0]
    assert [told["id"][at] for at in made["closed"]] == [closed]
    (at,) = [at for at, of in enumerate(told["plan"]) if of == 0]
    assert (told["id"][at], columns["end_lon"][at], columns["end_lat"][at]) == (
        moved,
        round(lon * 1e6),
        round(lat * 1e6),
    )
    assert [edit["do"] for edit in made["drawn"]] == ["move_facility", "new_homes"]
    changed = scenarios.table("cells")
    assert len(columns["plan_0_cell"]) == changed.height
    assert len(columns["cell_low"]) == len(set(city.run.table("cells")["cell"]) | set(changed["cell"]))


def test_a_planned_facility_that_opens_where_it_stands_is_on_the_page(city: HostileCity, tmp_path: Path) -> None:
    ledger = city.run.table("facilities")
    (own,) = ledger.filter(pl.col("state") == "planned").head(1).iter_rows(named=True)
    scenarios = scenarios_over(city.study, tmp_path / "s", [f'do = "open_facility"\nid = "{own["id"]}"'])
    about, columns = Blocks(page(city.run, scenarios=scenarios).html).block("data")
    told = about["facilities"]
    (at,) = [at for at, of in enumerate(told["plan"]) if of == 0]
    assert (told["id"][at], told["name"][at]) == (own["id"], own["name"])
    place = (columns["end_lon"][at], columns["end_lat"][at])
    assert place == (round(own["lon"] * 1e6), round(own["lat"] * 1e6))
    walks = scenarios.table("cells").filter(pl.col("facility_after") == own["id"])
    if walks.height:
        end = at - told["first"][next(c for c, of in enumerate(about["classes"]) if of["id"] == own["class"])] + 1
        assert columns["plan_0_end"].count(end) == walks.height


@pytest.fixture(scope="module")
def moved(city: HostileCity, tmp_path_factory: pytest.TempPathFactory) -> tuple[ws.ScenariosResult, Page]:
    """People move into a cell, an area is made and another is redrawn; and a facility opens."""
    cells = city.run.table("cells")
    lon, lat = cells.select(pl.col("lon", "lat").median()).row(0)
    home = cells.sort((pl.col("lon") - lon) ** 2 + (pl.col("lat") - lat) ** 2).row(0, named=True)
    area = city.run.table("areas").filter(pl.col("level") == "community")["area_id"][0]
    edits = [
        f'do = "new_homes"\nplace = [{home["lon"]}, {home["lat"]}]\npeople = 300\ngroups = {{ senior_60_plus = 100 }}',
        f'do = "set_area"\nid = "made"\nname = "新区"\nlevel = "community"\noutline = [{square(lon, lat, 0.004)}]',
        f'do = "set_area"\nid = "{area}"\noutline = [{square(lon, lat, 0.002)}]',
    ]
    opened = f'do = "open_facility"\nid = "o"\nclass = "kindergarten"\nplace = [{lon}, {lat}]'
    folder = tmp_path_factory.mktemp("moved") / "s"
    scenarios = scenarios_over(city.study, folder, edits, [opened])
    return scenarios, page(city.run, scenarios=scenarios)


def test_every_row_of_coverage_that_a_scenario_changes_is_on_the_page(
    moved: tuple[ws.ScenariosResult, Page], city: HostileCity
) -> None:
    scenarios, made = moved
    about, columns = Blocks(made.html).block("data")
    sides = [about["classes"], about["groups"], about["profiles"], about["minutes"], about["areas"]["id"]]
    places = [{one["id"] if isinstance(one, dict) else one: at for at, one in enumerate(side)} for side in sides]
    keys = ["class", "group", "profile", "minutes", "area_id"]
    before = {
        tuple(row[:5]): row[5:] for row in city.run.table("coverage").select(*keys, "people", "people_covered").rows()
    }
    for number, plan in enumerate(scenarios.report["scenarios"]):
        after = scenarios.table("coverage").filter(pl.col("scenario") == plan["id"])
        expected = {}
        for *key, people, covered in after.select(*keys, "people", "people_covered").iter_rows():
            if before.get(tuple(key)) != (people, covered):
                at = 0
                for value, place in zip(key, places, strict=True):
                    at = at * len(place) + place[value]
                expected[at] = (round(people * 10), round(covered * 10))
        told = zip(*(columns[f"plan_{number}_{name}"] for name in ("row", "people", "covered")), strict=True)
        assert {row: pair for row, *pair in ((row, people, covered) for row, people, covered in told)} == {
            row: list(pair) for row, pair in expected.items()
        }
        assert expected


def test_areas_that_a_scenario_makes_or_redraws_are_drawn_as_it_has_them(
    moved: tuple[ws.ScenariosResult, Page], city: HostileCity
) -> None:
    about, columns = Blocks(moved[1].html).block("data")
    areas, plans = about["areas"], about["plans"]
    made = areas["id"].index("made")
    redrawn = areas["id"].index(moved[0].report["scenarios"][0]["edits"][2]["id"])
    assert (areas["name"][made], areas["level"][made]) == ("新区", "community")
    assert [at for at, only in enumerate(areas["made"]) if only] == [made]
    assert made not in columns["ring_area"] and redrawn in columns["ring_area"]
    assert sorted(plans[0]["areas"]) == sorted([redrawn, made]) and plans[1]["areas"] == []
    assert columns["plan_1_ring_area"] == []
    lon, lat = city.run.table("cells").select(pl.col("lon", "lat").median()).row(0)
    first = 0
    for area, corners in zip(columns["plan_0_ring_area"], columns["plan_0_ring_corners"], strict=True):
        half = {made: 0.004, redrawn: 0.002}[area]
        for name, middle in (("lon", lon), ("lat", lat)):
            drawn = columns[f"plan_0_ring_{name}"][first : first + corners]
            assert (min(drawn), max(drawn)) == pytest.approx(((middle - half) * 1e6, (middle + half) * 1e6), abs=10)
        first += corners


def test_people_who_move_in_are_in_their_cell_and_in_the_counts_of_the_city(
    moved: tuple[ws.ScenariosResult, Page], city: HostileCity
) -> None:
    scenarios, made = moved
    about, columns = Blocks(made.html).block("data")
    (cell,) = columns["plan_0_mover"]
    more = {"all": 3000, "senior_60_plus": 1000}
    for g, group in enumerate(about["groups"]):
        assert columns[f"plan_0_people_{g}"] == [columns[f"people_{g}"][cell] + more.get(group["id"], 0)]
    assert columns["plan_1_mover"] == []
    # What changes in the district changes in the city: its border is far from there.
    (district,) = city.run.table("areas").filter(pl.col("level") == "district")["area_id"]
    keys, people = ["class", "group", "profile", "minutes"], ["people", "people_covered"]
    before = city.run.table("coverage").filter(pl.col("area_id") == district).select(*keys, *people)
    for number, plan in enumerate(scenarios.report["scenarios"]):
        own = (pl.col("scenario") == plan["id"]) & (pl.col("area_id") == district)
        after = scenarios.table("coverage").filter(own).select(*keys, *people)
        both = after.join(before, on=keys, suffix="_before")
        added = both.select(
            *keys, *((pl.col(name) - pl.col(f"{name}_before")).alias(f"{name}_more") for name in people)
        )
        rows = city.run.total().join(added, on=keys, how="left", maintain_order="left").fill_null(0.0)
        expected = {
            tuple(key): (round(10 * (all_of + more)), round(10 * (covered + covered_more)))
            for *key, all_of, covered, more, covered_more in rows.select(
                *keys, *people, *(f"{name}_more" for name in people)
            ).iter_rows()
        }
        sides = [[one["id"] for one in about[side]] for side in ("classes", "groups", "profiles")] + [about["minutes"]]
        told = about["plans"][number]["total"]
        for at, key in enumerate(itertools.product(*sides)):
            assert (told["people"][at], told["covered"][at]) == expected[key], key
        assert told != about["total"]


def test_shares_are_classed_by_their_exact_value(city: HostileCity) -> None:
    """A share just above a limit, whose tenths of people are on it: the page is told what a figure draws."""
    whole = tables.of_run(city.run, None)
    area = whole.areas["area_id"][0]
    near = pl.when(pl.col("area_id") == area).then
    coverage = whole.coverage.with_columns(
        people=near(100.0).otherwise("people"), people_covered=near(20.04).otherwise("people_covered")
    )
    coverage = coverage.with_columns(share=near(0.2004).otherwise("share"))
    block = city_block(dataclasses.replace(whole, coverage=coverage), {})
    about, columns = Blocks(f'<script id="data">{block}</script>').block("data")
    told = dict(zip(columns["told_kind_row"], columns["told_kind"], strict=True))
    count, kinds = len(about["areas"]["id"]), []
    for at, covered in enumerate(columns["covered"]):
        people = columns[
            f"area_people_{at // (count * len(about['minutes']) * len(about['profiles'])) % len(about['groups'])}"
        ]
        computed = sum(covered * 100 > limit * people[at % count] for limit in about["share_breaks"])
        kinds.append(told.get(at, computed))
    places = [
        (about[side], name) for side, name in (("classes", "class"), ("groups", "group"), ("profiles", "profile"))
    ]
    order = {name: {one["id"]: at for at, one in enumerate(side)} for side, name in places}
    mine = pl.col("area_id") == area
    rows = pl.concat([coverage.filter(mine), coverage.filter(~mine).drop_nulls("share").sample(3000, seed=1)])
    for row in rows.iter_rows(named=True):
        at = 0
        for name in ("class", "group", "profile"):
            at = at * len(order[name]) + order[name][row[name]]
        at = (at * len(about["minutes"]) + about["minutes"].index(row["minutes"])) * count
        at += about["areas"]["id"].index(row["area_id"])
        assert kinds[at] == palette.class_of(row["share"], palette.SHARE_BREAKS), row
    assert {kind for at, kind in told.items() if at % count == 0} == {1}
    assert SHARES[0] == "not_computed"


def test_scores_are_classed_as_the_figure_classes_them(made: Page, city: HostileCity) -> None:
    about, _ = Blocks(made.html).block("data-score")
    most = city.card.totals["total_points"].max()
    assert about["breaks"] == pytest.approx([most * share for share in (0.2, 0.4, 0.6, 0.8)])
    legend = city.card.plot(city.run.folder / "areas.parquet").legends[0].get_texts()
    counts = [sum(palette.class_of(one, about["breaks"]) == n for one in about["observed"]) for n in range(5)]
    drawn = [int(re.search(r"\((\d+)\)", text.get_text())[1]) for text in legend]  # type: ignore[index]
    assert sorted(drawn) == sorted(count for count in [*counts, about["observed"].count(None)] if count)


def test_an_answer_about_other_areas_or_a_synthetic_city(city: HostileCity, monkeypatch: pytest.MonkeyPatch) -> None:
    net = ws.Network.from_osm(city.study.parent / "streets.osm.pbf", progress=False)
    cells = city.run.table("cells").drop("geometry", "snap_m")
    facilities = city.run.table("facilities").filter(pl.col("state") == "open").select("id", "class", "lon", "lat")
    areas = city.run.table("areas")
    base = ws.Baseline(net, cells, facilities, areas.filter(pl.col("level") == "community"), progress=False)
    homes = ws.NewHomes(cells.select("lon", "lat").row(0), 50)
    answer = base.what_if(ws.Scenario([homes]), progress=False)
    with pytest.raises(ValueError, match="the baseline has coverage of none of them"):
        page_of_answer(answer, areas=areas.filter(pl.col("level") == "estate"))
    for synthetic in (True, False):
        monkeypatch.setattr(ws.Network, "synthetic", synthetic, raising=False)
        shown = page_of_answer(answer, areas=areas, title="t", source="来源 source")
        assert "来源 source" in shown.html and ("SYNTHETIC 合成数据" in shown.html) == synthetic
    about, _ = Blocks(shown.html).block("data")
    assert about["left_out"] == ["left_out_movers"]


def test_what_is_too_large_is_left_out_in_order_and_told(city: HostileCity, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tables.of_run(city.run, city.scenarios)
    walks = whole.cells.height * len(whole.classes) * len(whole.profiles)
    told = {
        walks: [],
        walks - 1: ["left_out_nearest"],
        walks // 2 - 1: ["left_out_nearest", "left_out_profiles"],
        walks // 4 - 1: ["left_out_nearest", "left_out_profiles", "left_out_cells"],
    }
    for most, keys in told.items():
        monkeypatch.setattr(tables, "MOST_VALUES", most)
        kept = tables.within_limits(whole)
        assert kept.left_out == keys
        assert kept.nearest == (not keys)
        assert len(kept.profiles) == (1 if "left_out_profiles" in keys else 2)
        assert kept.cells.is_empty() == ("left_out_cells" in keys)
        about, _ = Blocks(page(city.run, scenarios=city.scenarios).html).block("data")
        assert about["left_out"] == keys and set(keys) <= set(about["words"])
    monkeypatch.setattr(tables, "MOST_VALUES", walks)
    monkeypatch.setattr(tables, "_MOST_COVERAGE", whole.coverage.height - 1)
    kept = tables.within_limits(whole)
    assert kept.left_out == ["left_out_finest"] and "estate" not in kept.areas["level"]
    assert kept.coverage.height < whole.coverage.height and kept.groups == whole.groups


def test_a_table_is_refused_by_name(city: HostileCity) -> None:
    net = ws.Network.from_osm(city.study.parent / "streets.osm.pbf", progress=False)
    point = city.run.table("cells").head(1).select("lon", "lat", id=pl.lit("home"))
    shapes = net.isochrones(point, minutes=(5, 10), progress=False)
    for wrong, told in (({"column": "people"}, 'column "people": the table has'), ({"breaks": [5, 5]}, "breaks")):
        with pytest.raises(ValueError, match=told):
            page_of_table(shapes, **{"column": "minutes", **wrong})
    about, columns = Blocks(shapes.explore("minutes", k=2, language="en").html).block("data")
    assert about["kinds"] == ["≤ 5", "> 5"] and columns["kind"] == [0, 1]


@pytest.mark.parametrize("seed", range(20))
def test_a_block_gives_back_what_it_got(seed: int) -> None:
    chance = random.Random(seed)
    columns: list[tuple[Width, bool, list[int]]] = []
    for _ in range(chance.randrange(4)):
        width: Width = chance.choice([1, 2, 4])
        largest = (1 << 8 * width) - 1
        values = [chance.choice([0, largest, chance.randint(0, largest)]) for _ in range(chance.randrange(50))]
        columns.append((width, chance.random() < 0.5, values))
    text = "".join(chance.choices("a<>&\"'\\ \u2028\u0000字😀", k=30))
    block = Block()
    for number, (width, delta, values) in enumerate(columns):
        block.add(str(number), values, width, delta=delta)
    about, read = Blocks(f'<script id="data">{block.encode({"text": text})}</script>').block("data")
    assert about == {"text": text}
    assert list(read.values()) == [values for _, _, values in columns]


def polygon(*rings: list[tuple[float, float]]) -> bytes:
    parts = [struct.pack("<BII", 1, 3, len(rings))]
    for ring in rings:
        parts.append(struct.pack(f"<I{2 * len(ring)}d", len(ring), *(part for corner in ring for part in corner)))
    return b"".join(parts)


SQUARE = [(0.0, 0.0), (0.02, 0.0), (0.02, 0.02), (0.0, 0.02), (0.0, 0.0)]


def test_outlines_keep_holes_and_parts_and_lose_only_what_is_not_seen() -> None:
    hole = [(0.005, 0.005), (0.005, 0.01), (0.01, 0.01), (0.01, 0.005), (0.005, 0.005)]
    straight = [(0.0, 0.0), (0.01, 0.0), (0.0100000001, 0.0), *SQUARE[1:]]
    drawn = outlines([polygon(straight, hole), None, struct.pack("<BII", 1, 6, 2) + polygon(SQUARE) + polygon(hole)])
    assert (drawn.row, drawn.hole) == ([0, 0, 2, 2], [False, True, False, False])
    assert drawn.rings[0] == [(0, 0), (20000, 0), (20000, 20000), (0, 20000)]
    assert drawn.rings[1] == [(5000, 5000), (5000, 10000), (10000, 10000), (10000, 5000)]


def test_neighbours_keep_one_border_however_much_is_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    from walkshed.page import outlines as module

    monkeypatch.setattr(module, "_MOST_POINTS", 60)
    wavy = [(0.01 + 0.0004 * ((7 * step) % 5), 0.0004 * step) for step in range(51)]
    west = [(0.0, 0.0), *wavy, (0.0, 0.02), (0.0, 0.0)]
    east = [(0.03, 0.02), *reversed(wavy), (0.03, 0.0), (0.03, 0.02)]
    drawn = outlines([polygon(west), polygon(east)])
    assert drawn.grid > module._FINEST
    border = [[(x, y) for x, y in ring if 5000 < x < 25000 and 500 < y < 19500] for ring in drawn.rings]
    assert border[0] == border[1][::-1] and len(border[0]) > 5


def test_an_outline_of_an_edit_is_a_polygon_whether_its_rings_are_closed_or_not() -> None:
    hole = [(0.005, 0.005), (0.005, 0.01), (0.01, 0.01)]
    for rings in ([SQUARE, [*hole, hole[0]]], [SQUARE[:-1], hole]):
        assert wkb.of_polygon(rings) == polygon(SQUARE, [*hole, hole[0]])


def test_a_run_without_areas_takes_scenarios_that_make_some(city: HostileCity, tmp_path: Path) -> None:
    study = city.study.with_name("bare.toml")
    study.write_text(city.study.read_text("utf-8").replace('[areas]\npath = "communities.parquet"', ""), "utf-8")
    run = ws.run(study, tmp_path / "run", progress=False)
    lon, lat = run.table("cells").select(pl.col("lon", "lat").median()).row(0)
    edit = f'do = "set_area"\nid = "made"\noutline = [{square(lon, lat, 0.004)}]'
    made = page(run, scenarios=scenarios_over(study, tmp_path / "s", [edit]))
    about, columns = Blocks(made.html).block("data")
    assert about["areas"]["id"][-1] == "made" and columns["plan_0_ring_corners"] == [4]


def test_lines_are_no_polygons() -> None:
    line = struct.pack("<BII4d", 1, 2, 2, 0.0, 0.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="row 1: its geometry is no polygon"):
        outlines([polygon(SQUARE), line])
