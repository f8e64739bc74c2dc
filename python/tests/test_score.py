"""Scorecards of a street by hand, of a synthetic city, and standards with faults."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from towns import main_street, places

import walkshed as ws
from walkshed.cli import main

STANDARD = """
schema = "scoring-standard/1"
[standard]
id = "street"
name_zh = "街道标准"
name_en = "Standard of a street"
status = "made up for a test"
total_points = 100
[scoring]
item_rule = "sum_of_points"
[[grade]]
id = "whole"
name_zh = "完整"
min_score = 80
[[grade]]
id = "gaps"
name_zh = "有短板"
min_score = 0
[[category]]
id = "c"
name_zh = "服务"
name_en = "Services"
[[item]]
id = "i"
category = "c"
name_zh = "药店"
name_en = "Pharmacy"
points = [
  { id = "there", kind = "presence", class = "pharmacy", min = 1, weight = 20 },
  { id = "near", kind = "coverage_share", class = "pharmacy", minutes = 2, full_at = 1.0, weight = 40 },
  { id = "any", kind = "coverage_share", classes = ["pharmacy", "supermarket"], minutes = 2, full_at = 1, weight = 20 },
  { id = "homes", kind = "count_per", class = "pharmacy", base = "households", per = 100, target = 1, weight = 10 },
  { id = "seen", kind = "manual", ask = "有无障碍入口", scale = "bool", weight = 10 },
]
"""


@pytest.fixture
def standard(tmp_path: Path) -> str:
    path = tmp_path / "street.toml"
    path.write_text(STANDARD, "utf-8")
    return str(path)


def square(lon: float, lat: float, metres: float) -> str:
    half = metres / 2 / 111_320
    corners = [(-half, -half), (half, -half), (half, half), (-half, half), (-half, -half)]
    ring = [[lon + east / 0.87, lat + north] for east, north in corners]
    return json.dumps({"type": "Polygon", "coordinates": [ring]})


@pytest.fixture
def street(tmp_path: Path) -> dict[str, object]:
    """Homes at both ends and in the middle of a street; a pharmacy in the middle, a supermarket in the east."""
    net = main_street().network()
    homes = places({"w": (0, 0), "m": (133, 0), "e": (266, 0)}, people=[100, 100, 200])
    facilities = places({"p": (133, 0), "s": (266, 0)}, **{"class": ["pharmacy", "supermarket"]})
    middle = homes.row(1, named=True)
    area = {
        "type": "Feature",
        "properties": {"area_id": "street", "households": 250},
        "geometry": json.loads(square(middle["lon"], middle["lat"], 2000)),
    }
    path = tmp_path / "areas.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [area]}), "utf-8")
    return {"net": net, "homes": homes, "facilities": facilities, "areas": str(path)}


def covered(rows: list[tuple[str, float, float]]) -> pl.DataFrame:
    """Coverage of the street within two minutes: class, people, covered."""
    table = pl.DataFrame(rows, schema=["class", "people", "people_covered"], orient="row")
    return table.with_columns(
        area_id=pl.lit("street"), group=pl.lit("all"), profile=pl.lit("adult"), minutes=pl.lit(2.0)
    )


def test_a_street_by_hand(standard: str, street: dict[str, object]) -> None:
    """Within two minutes (160 m) all three homes reach the pharmacy: 100 s from either end."""
    times = street["net"].nearest(street["homes"], street["facilities"], max_minutes=5)
    reached = times.filter(pl.col("time_s") <= 120).join(street["homes"], left_on="origin_id", right_on="id")
    people = {name: float(part["people"].sum()) for (name,), part in reached.group_by("class")}
    assert people == {"pharmacy": 400.0, "supermarket": 300.0}
    rows = [("pharmacy", 400.0, 400.0), ("supermarket", 400.0, 300.0)]
    card = ws.score(standard, coverage=covered(rows), facilities=street["facilities"], areas=street["areas"])
    found = {row["point"]: row for row in card.points.iter_rows(named=True)}
    # 1 pharmacy for 250 households where one for 100 is asked for: 0.4, two are missing.
    assert found["homes"]["low"] == pytest.approx(0.4)
    assert (found["homes"]["gap"], found["homes"]["gap_unit"]) == (2.0, "facilities")
    assert [row["status"] for row in found.values()] == ["pass", "pass", "pass", "partial", "unknown"]
    total = card.totals.row(0, named=True)
    assert (total["low"], total["high"], total["known_weight"]) == pytest.approx((84.0, 94.0, 90.0))
    assert total["observed"] == pytest.approx(100 * 84 / 90)
    assert (total["grade"], total["weakest"]) == ("whole", "c")
    assert found["there"]["facilities"] == "p"
    assert card.gaps().select("point", "gap").rows() == [("homes", 2.0)]
    text, chinese = card.text("street"), card.text("street", chinese=True)
    assert "1 pharmacy inside, 1 asked for [p]" in text and "to be looked at in place" in text
    assert "边界内药店 1 处，要求 1 处［p］" in chinese and "情况不明" in chinese
    with pytest.raises(KeyError, match="street"):
        card.text("nowhere")


def test_several_classes_are_exact_only_together(standard: str, street: dict[str, object]) -> None:
    apart = [("pharmacy", 400.0, 100.0), ("supermarket", 400.0, 200.0)]
    together = [*apart, ("pharmacy|supermarket", 400.0, 250.0)]
    scores = []
    for rows in (apart, together):
        card = ws.score(standard, coverage=covered(rows), facilities=street["facilities"], areas=street["areas"])
        scores.append(card.points.filter(pl.col("point") == "any").select("status", "low", "high").row(0))
    # The greater of the two reach one of them at least, both sums together at most.
    assert scores == [("unknown", 0.5, 0.75), ("partial", 0.625, 0.625)]


def test_coverage_counts_classes_together() -> None:
    net = main_street().network()
    homes = places({"w": (0, 0), "e": (266, 0)}, people=[100, 200])
    shops = places({"a": (0, 0), "b": (266, 0)}, **{"class": ["pharmacy", "supermarket"]})
    cells = homes.with_columns(cell=pl.Series([0x8A2A1072B59FFFF, 0x8A2A1072B597FFF], dtype=pl.UInt64))
    times = net.nearest(homes, shops, max_minutes=5)
    rows = ws.coverage(times, cells, minutes=[1], together=[["pharmacy", "supermarket"]], groups=[])
    found = dict(rows.select("class", "people_covered").rows())
    assert found == {"pharmacy": 100.0, "supermarket": 200.0, "pharmacy|supermarket": 300.0}


def test_answers_are_taken_or_told(standard: str, street: dict[str, object]) -> None:
    rows = [("pharmacy", 400.0, 400.0), ("supermarket", 400.0, 300.0)]
    survey = pl.DataFrame(
        {
            "community_id": ["street", "street", "elsewhere", "street", "street"],
            "key": ["seen", "seen", "seen", "sene", "households"],
            "value": ["否", "是", "是", "是", "many"],
            "source": ["街道办"] * 5,
            "date": ["2026-01-01", "2026-06-01", None, None, None],
        }
    )
    tables = {"coverage": covered(rows), "facilities": street["facilities"], "areas": street["areas"]}
    with pytest.warns(ws.RejectedRowsWarning) as told:
        card = ws.score(standard, survey=survey, **tables)
    seen = card.points.filter(pl.col("point") == "seen").row(0, named=True)
    assert (seen["status"], seen["value"]) == ("pass", 1.0)
    assert "[街道办, 2026-06-01]" in seen["evidence"]
    # The earlier answer, no such community, no such key, no number.
    assert sorted(card.rejected["row"]) == [1, 3, 4, 5]
    assert "4 row(s) left out" in str(told[0].message)


def test_a_class_that_the_table_does_not_hold_is_unknown_unless_it_is_complete(
    standard: str, street: dict[str, object]
) -> None:
    facilities = street["facilities"].filter(pl.col("class") == "supermarket")
    tables = {"coverage": covered([("supermarket", 400.0, 300.0)]), "areas": street["areas"]}
    status = []
    for complete in ([], ["pharmacy"]):
        card = ws.score(standard, facilities=facilities, complete=complete, **tables)
        status.append(card.points.filter(pl.col("point") == "there")["status"].item())
    assert status == ["unknown", "fail"]


def test_standards_with_faults_are_refused_with_line_and_reason(tmp_path: Path) -> None:
    for change, line, told in (
        (('kind = "presence"', 'kind = "presense"'), 29, "presense"),
        (("weight = 40", "weight = -40"), 30, "above 0"),
        (("full_at = 1.0, weight = 40", "zero_at = 2.0, full_at = 1.0, weight = 40"), 30, "less than 1"),
        (("total_points = 100", "total_points = 90"), 3, "100, the sum"),
        (("min = 1", "mni = 1"), 29, "mni"),
    ):
        path = tmp_path / "wrong.toml"
        path.write_text(STANDARD.replace(*change), "utf-8")
        with pytest.raises(ws.InputError, match=told) as refused:
            ws.requirements(str(path))
        assert f"row {line}" in str(refused.value)
    with pytest.raises(ws.InputError, match="mohurd_2020"):
        ws.requirements("mohurd_2021")
    with pytest.raises(ws.InputError, match="does not exist"):
        ws.requirements("mine.toml")


def test_requirements_name_what_coverage_should_hold() -> None:
    asked = ws.requirements("chongqing_illustrative")
    assert {"adult", "senior", "wheelchair"} == set(asked["profile"])
    assert "bus_stop|rail_station" in asked["class"].to_list()
    assert ws.standards()["id"].to_list() == ["mohurd_2020", "chongqing_illustrative"]


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a small synthetic city."""
    folder = tmp_path_factory.mktemp("synthetic")
    city = ws.synth(folder / "city", nodes=2000, seed=4, progress=False)
    ws.run(city.study, folder / "run", progress=False)
    return folder / "run"


@pytest.mark.filterwarnings("ignore::walkshed.RejectedRowsWarning")
def test_a_run_is_scored_and_published(synthetic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "card"
    card = ws.score_run(synthetic, out, standard="mohurd_2020", level="社区", progress=False)
    areas = pl.read_parquet(synthetic / "areas.parquet").filter(pl.col("level") == "community")
    assert card.totals["area_id"].to_list() == areas["area_id"].to_list()
    assert card.points.height == 68 * areas.height
    worth = card.points.group_by("area_id").agg(pl.col("weight").sum())
    assert worth["weight"].to_list() == pytest.approx([100.0] * areas.height)
    again = ws.Scorecard.load(out)
    assert again.standard == card.standard and card.standard.status_zh == "按官方要求编制，权重非官方"
    assert card.category_names("zh")["c1"] == "基本公共服务设施完善" and again.items.equals(card.items)
    with pytest.raises(FileNotFoundError, match=r"score\.json: not there"):
        ws.Scorecard.load(synthetic)
    # Coverage that is handed over gives the same points.
    asked = ws.requirements("mohurd_2020")
    tables = {name: pl.read_parquet(synthetic / f"{name}.parquet") for name in ("times", "cells", "facilities")}
    rows = ws.coverage(
        tables["times"],
        tables["cells"],
        areas,
        minutes=[10],
        groups=sorted({*asked["group"], "households"} - {"all"}),
        together=[name.split("|") for name in asked["class"].unique() if "|" in name],
    )
    same = ws.score("mohurd_2020", coverage=rows, facilities=tables["facilities"], areas=areas)
    assert same.points.equals(card.points)
    report = json.loads((out / "score.json").read_text("utf-8"))
    assert report["communities"] == areas.height and len(report["standard_sha256"]) == 64
    assert report["run"]["inputs"]
    # The command says the same; an earlier card is replaced, anything else is not.
    words = ["score", str(synthetic), "--standard", "mohurd_2020", "--level", "community", "--out", str(out)]
    assert main([*words, "--card", card.totals["area_id"][0], "--chinese"]) == 0
    assert "一个社区综合服务站" in capsys.readouterr().out
    assert main(words) == 0
    assert "communities 社区" in capsys.readouterr().out
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "child.jpg").write_text("x")
    assert main([*words[:-1], str(tmp_path / "photos")]) == 1
    assert main([*words[:4], "--level", "moon", "--out", str(out)]) == 1
    assert "known: community, district, estate" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::walkshed.RejectedRowsWarning")
def test_ranks_show_what_hangs_on_the_weights(synthetic: Path, tmp_path: Path) -> None:
    card = ws.score_run(synthetic, tmp_path / "card", standard="chongqing_illustrative", level="community")
    areas = pl.read_parquet(synthetic / "areas.parquet").filter(pl.col("level") == "community")
    asked = areas.select("area_id", "people").with_columns(requests=pl.int_range(pl.len()) * 3 % 7)
    ranking = ws.rank_areas(card, asked, top=3)
    assert ranking.table["rank"].to_list() == list(range(1, areas.height + 1))
    assert ranking.table["in_top"].sum() == 3 and ranking.trials.height == 27
    same = ranking.trials.filter(pl.all_horizontal(pl.col("^weight_.*$") == 1.0))
    assert same["kept"].item() == 3
    bounds = ranking.table.filter(pl.col("rank_best") > pl.col("rank"))
    assert bounds.height == 0 and ranking.table.filter(pl.col("rank_worst") < pl.col("rank")).height == 0
    # With gaps alone the rank is that of the gap.
    alone = ws.rank_areas(card, asked, weights=(1, 0, 0), top=3).table
    assert alone["gap"].to_list() == sorted(alone["gap"], reverse=True)
    with pytest.raises(ValueError, match="people of"):
        ws.rank_areas(card, asked.with_columns(people=-1.0))
    with pytest.raises(KeyError, match="people"):
        ws.rank_areas(card, asked.drop("people"))


@pytest.mark.filterwarnings("ignore::walkshed.RejectedRowsWarning")
@pytest.mark.parametrize("system", ["wgs84", "gcj02"])
def test_a_card_counts_what_its_run_has_counted(system: str, tmp_path: Path) -> None:
    """Pharmacies within ten minutes, in whichever system the cells are."""
    city = ws.synth(tmp_path / "city", nodes=1500, seed=7, progress=False)
    text = city.study.read_text("utf-8")
    city.study.write_text(text.replace("[study]", f'[study]\nanalysis_crs = "{system}"', 1), "utf-8")
    run = ws.run(city.study, tmp_path / "run", progress=False)
    card = ws.score_run(run.folder, tmp_path / "card", standard="mohurd_2020", level="community", progress=False)
    found = card.points.filter(pl.col("point") == "i08p2").select("area_id", "value").drop_nulls()
    wanted = (pl.col("class") == "pharmacy") & (pl.col("minutes") == 10) & (pl.col("group") == "all")
    rows = run.table("coverage").filter(wanted, pl.col("profile") == "adult").select("area_id", "share")
    both = found.join(rows, on="area_id")
    assert both.height == found.height > 5
    assert both["value"].to_list() == pytest.approx(both["share"].to_list(), abs=1e-12)


def test_what_a_scenario_is_worth_in_an_evaluation(street: dict[str, object], standard: str) -> None:
    """A pharmacy at the east end: everybody is near one, and two stand where one stood."""
    import h3

    homes = street["homes"]
    assert isinstance(homes, pl.DataFrame)
    cell = [h3.str_to_int(h3.latlng_to_cell(lat, lon, 13)) for lat, lon in homes.select("lat", "lon").rows()]
    cells = homes.drop("id").insert_column(0, pl.Series("cell", cell, pl.UInt64))
    net, facilities, areas = street["net"], street["facilities"], street["areas"]
    east = facilities.row(1, named=True)  # type: ignore[attr-defined]
    plan = ws.Scenario([ws.OpenFacility("new", "pharmacy", (east["lon"], east["lat"]))])
    baseline = ws.Baseline(net, cells, facilities, areas, minutes=(1, 2))  # type: ignore[arg-type]

    def card(coverage: pl.DataFrame, table: object) -> ws.Scorecard:
        return ws.score(standard, coverage=coverage, facilities=table, areas=areas)  # type: ignore[arg-type]

    before = card(baseline.coverage, facilities)
    after = card(baseline.what_if(plan).coverage, plan.facilities(facilities))  # type: ignore[arg-type]
    changed = ws.compare_scorecards(before, after)
    assert set(changed["point"].to_list()) == {"there", "homes"}
    homes_per = changed.filter(pl.col("point") == "homes").row(0, named=True)
    # One pharmacy for 250 households, then two: 0.4 and 0.8 for each hundred.
    assert (homes_per["value_before"], homes_per["value"]) == pytest.approx((0.4, 0.8))
    assert ws.compare_scorecards(before, before).is_empty()
