"""Projects: the ledger and its rules, progress counted by hand, effects of a street that can be solved in the head."""

from __future__ import annotations

import datetime
import itertools
import math
import random
from pathlib import Path
from typing import Any

import h3
import polars as pl
import pytest
from towns import Town, degrees, places

import walkshed as ws
from walkshed.effects import City
from walkshed.project_rules import COLUMNS
from walkshed.take_out import Stuck, TakeOut

AS_OF = "2024-12-31"
STAGES = ("declared", "approved", "building", "completed", "accepted")
LON, LAT = degrees(1064, 0)

GOOD: dict[str, Any] = {
    "project_id": "P-1",
    "name": "合成社区食堂 synthetic",
    "community_ids": "c1",
    "kind": "new",
    "class": "community_canteen",
    "stage": "accepted",
    "declared_on": "2024-01-10",
    "approved_on": "2024-03-01",
    "started_on": "2024-05-01",
    "completed_on": "2024-10-01",
    "accepted_on": "2024-11-01",
    "planned_start_on": "2024-05-01",
    "planned_completion_on": "2024-10-01",
    "budget_yuan": "1000000",
    "spent_yuan": "900000",
    "funding_source": "市级",
    "lon": str(LON),
    "lat": str(LAT),
    "edits": None,
}
COMMUNITIES = pl.DataFrame(
    {
        "area_id": ["c1", "c2", "c3", "c4"],
        "code": ["500101", "500102", "500103", None],
        "name": ["红旗社区", "民主村", "同名", "同名"],
        "parent_id": ["渝中", "渝中", "南岸", None],
    }
)


def ledger(*changes: dict[str, Any]) -> pl.DataFrame:
    """Rows of a ledger as text: the good one with changes."""
    rows = [GOOD | change for change in changes or ({},)]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = {key: [None if row.get(key) is None else str(row[key]) for row in rows] for key in columns}
    return pl.DataFrame(text, schema=dict.fromkeys(columns, pl.String))


@pytest.mark.filterwarnings("ignore::walkshed.RejectedRowsWarning")
def read(*changes: dict[str, Any], **options: Any) -> ws.Projects:
    return ws.read_projects(ledger(*changes), COMMUNITIES, **{"as_of": AS_OF, **options})


BEGUN = {"stage": None, "started_on": None, "completed_on": None, "accepted_on": None, "spent_yuan": None}

# For every rule: what is changed of the good row, the column that is told, and the value.
BROKEN: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "missing_id": ({"project_id": None}, "project_id", None),
    "not_a_date": ({"approved_on": "2024-13-01"}, "approved_on", "2024-13-01"),
    "not_a_number": ({"budget_yuan": "一百万"}, "budget_yuan", "一百万"),
    "out_of_range": ({"spent_yuan": "-1"}, "spent_yuan", "-1"),
    "dates_out_of_order": ({"approved_on": "2024-01-09"}, "approved_on", "2024-01-09"),
    "stage_skipped": ({"approved_on": None}, "approved_on", None),
    "accepted_not_completed": ({"completed_on": None}, "completed_on", None),
    "stage_contradicted": ({"stage": "approved"}, "stage", "approved"),
    "stage_without_date": ({"accepted_on": None}, "stage", "accepted"),
    "unknown_stage": ({"stage": "差不多"}, "stage", "差不多"),
    "no_stage": ({**BEGUN, "declared_on": None, "approved_on": None}, "declared_on", None),
    "date_after_as_of": ({"stage": None, "accepted_on": "2025-01-01"}, "accepted_on", "2025-01-01"),
    "plan_out_of_order": ({"planned_completion_on": "2024-04-30"}, "planned_completion_on", "2024-04-30"),
    "spent_before_start": ({**BEGUN, "spent_yuan": "5"}, "spent_yuan", "5"),
    "over_budget": ({"spent_yuan": "1000001"}, "spent_yuan", "1000001"),
    "no_community": ({"community_ids": None}, "community_ids", None),
    "unknown_community": ({"community_ids": "c1;c9"}, "community_ids", "c9"),
    "several_districts": ({"community_ids": "c1;c3"}, "community_ids", None),
    "unknown_class": ({"class": "community_cantene"}, "class", "community_cantene"),
    "no_deliverable": ({"kind": None}, "edits", None),
    "bad_deliverable": ({"lat": "95"}, "edits", None),
}


def test_a_ledger_in_order_has_nothing_to_tell() -> None:
    projects = read()
    assert projects.rejected.is_empty() and projects.findings.is_empty()
    row = projects.table.row(0, named=True)
    assert (row["stage"], row["district"], row["community_ids"]) == ("accepted", "渝中", ["c1"])
    assert (row["budget_yuan"], row["spent_yuan"], row["edits"]) == (1e6, 9e5, 1)
    assert row["declared_on"] == datetime.date(2024, 1, 10)
    (plan,) = projects.scenarios()
    (edit,) = plan.edits
    assert isinstance(edit, ws.OpenFacility) and plan.name == "P-1" and plan.cost_yuan == 1e6
    assert (edit.id, edit.class_, edit.place, edit.on) == ("P-1", "community_canteen", (LON, LAT), "2024-10-01")
    assert projects.scenarios(["accepted"]) == [plan] and projects.scenarios(["approved"]) == []


@pytest.mark.parametrize("reason", BROKEN)
@pytest.mark.filterwarnings("ignore::walkshed.RejectedRowsWarning")
def test_every_rule_tells_row_column_value_and_what_to_do_in_both_languages(reason: str) -> None:
    change, column, value = BROKEN[reason]
    projects = read(change)
    rule = ws.project_rules().filter(pl.col("reason") == reason).row(0, named=True)
    is_rejected = rule["level"] == "rejected"
    assert len(projects) == (not is_rejected)
    found = projects.rejected if is_rejected else projects.findings
    assert found["reason"].to_list() == [reason]
    row = found.row(0, named=True)
    assert (row["level"], row["file"], row["row"], row["column"]) == (rule["level"], "projects", 1, column)
    assert row["value"] == value and row["id"] == (None if reason == "missing_id" else "P-1")
    assert row["message"].startswith("projects, row 1") and row["message"].endswith(rule["fix"])
    assert row["message_zh"].startswith("projects, 行 1") and row["message_zh"].endswith(rule["fix_zh"])
    assert "{" not in row["message"] + row["message_zh"]


@pytest.mark.filterwarnings("ignore::walkshed.RejectedRowsWarning")
def test_every_rule_is_tested() -> None:
    others = {"duplicate_id", "unknown_project"}  # these need more than one row
    assert {*BROKEN, *others} == set(ws.project_rules()["reason"])
    twice = read({}, {"project_id": "P-2", "budget_yuan": "x"}, {}, {"project_id": "P-2"})
    assert twice.table["row"].to_list() == [1, 4]
    told = twice.rejected.select("row", "id", "reason").rows()
    assert told == [(2, "P-2", "not_a_number"), (3, "P-1", "duplicate_id")]
    assert "row 1 has the same id" in twice.rejected["message"][1] and "第 1 行" in twice.rejected["message_zh"][1]
    stranger = read(deliverables={"P-9": ws.Scenario([ws.CloseFacility("x")])})
    assert stranger.findings.select("row", "id", "reason").rows() == [(None, "P-9", "unknown_project")]


def test_the_documentation_names_every_rule_and_column() -> None:
    page = (Path(__file__).parents[2] / "docs" / "projects.md").read_text("utf-8")
    assert [reason for reason in ws.project_rules()["reason"] if f"`{reason}`" not in page] == []
    words = [word for words in COLUMNS.values() for word in words]
    unsaid = {"beds", "floor_area_m2", "land_area_m2", "staff"}  # of project_scenarios
    assert [word for word in words if word not in page and word not in unsaid] == []


def test_rows_left_out_are_warned_of_and_every_row_is_somewhere() -> None:
    with pytest.warns(ws.RejectedRowsWarning, match="not_a|no date|not a date") as caught:
        projects = ws.read_projects(ledger({}, {"project_id": "P-2", "declared_on": "gestern"}), as_of=AS_OF)
    assert len(projects) + projects.rejected["row"].n_unique() == 2
    assert caught[0].message.rejected.equals(projects.rejected)  # type: ignore[union-attr]
    with pytest.raises(ws.InputError, match="project_id"):
        ws.read_projects(pl.DataFrame({"name": ["a"]}))
    with pytest.raises(ws.InputError, match="no rows"):
        ws.read_projects(ledger().clear())
    with pytest.raises(ws.InputError, match="does not exist"):
        ws.read_projects("nowhere.csv")
    with pytest.raises(ValueError, match="as_of 'soon'"):
        ws.read_projects(ledger(), as_of="soon")
    with pytest.raises(TypeError, match="crs"):
        ws.read_projects(ws.in_crs(ledger(), "gcj02"))


@pytest.mark.parametrize(
    ("as_of", "stated", "stage"),
    [
        ("2024-01-09", None, None),
        ("2024-01-10", None, "declared"),
        ("2024-04-30", None, "approved"),
        ("2024-05-01", None, "building"),
        ("2024-10-31", None, "completed"),
        ("2024-11-01", None, "accepted"),
        (None, None, "accepted"),
        # A stated stage that has its own day does not go before it; the days count.
        ("2024-05-01", "accepted", "building"),
        ("2024-12-31", "approved", "accepted"),
    ],
)
def test_the_stage_is_that_of_the_day(as_of: str | None, stated: str | None, stage: str | None) -> None:
    projects = read({"stage": stated}, as_of=as_of)
    assert projects.table["stage"].to_list() == [stage]
    assert projects.table["stage_reason"].to_list() == [None if stage else "not_yet"]


def test_a_stated_stage_counts_where_it_has_no_day() -> None:
    undated = {**BEGUN, "declared_on": None, "approved_on": None}
    stages = {"已竣工": "completed", "under construction": "building", "planned": "declared", "立项": "approved"}
    rows = [{**undated, "project_id": word, "stage": word} for word in stages]
    assert read(*rows).table["stage"].to_list() == list(stages.values())
    later = read({**BEGUN, "stage": "在建"})
    assert later.table["stage"].to_list() == ["building"]
    assert later.findings["reason"].to_list() == ["stage_without_date"]


def test_words_days_and_amounts_are_read_as_offices_write_them() -> None:
    row = {
        "declared_on": "2024年1月10日",
        "approved_on": "2024/3/1",
        "started_on": "2024.5.1",
        "completed_on": "２０２４－１０－０１",
        "accepted_on": "2024-11-01T08:00:00",
        "budget_yuan": "1,000,000.00",
        "kind": "新建",
        "class": "社区食堂",
        "community_ids": "红旗社区、500102，c1",
    }
    projects = read(row)
    assert projects.findings.is_empty(), projects.findings["message"].to_list()
    assert projects.table.drop("community_ids").equals(read().table.drop("community_ids"))
    assert projects.table["community_ids"].to_list() == [["c1", "c2"]]
    # Two communities have the name: nobody knows which is meant.
    assert read({"community_ids": "同名"}).findings["reason"].to_list() == ["unknown_community"]


def test_districts_are_null_with_a_reason() -> None:
    where = {"c3": ("南岸", None), "c4": (None, "no_parent"), "c9": (None, "unknown_community")}
    rows = [{"project_id": area, "community_ids": area} for area in where]
    projects = read(*rows, {"project_id": "none", "community_ids": None}, {"project_id": "own", "district": "北碚"})
    found = projects.table.select("district", "district_reason").rows()
    assert found == [*where.values(), (None, "no_community"), ("北碚", None)]
    alone = ws.read_projects(ledger(), as_of=AS_OF).table.row(0, named=True)
    assert (alone["district"], alone["district_reason"], alone["community_ids"]) == (None, "not_given", ["c1"])
    districts = COMMUNITIES.with_columns(district=pl.lit("巴南"))
    assert ws.read_projects(ledger(), districts, as_of=AS_OF).table["district"].to_list() == ["巴南"]


def test_files_of_offices_are_read(tmp_path: Path) -> None:
    zh = {"project_id": "项目编号", "approved_on": "批复日期", "budget_yuan": "预算", "community_ids": "社区"}
    table = ledger({}, {"project_id": "P-2", "approved_on": "三月"})
    want = ws.read_projects(table.head(1), COMMUNITIES, as_of=AS_OF).table
    files = {name: tmp_path / f"ledger.{name}" for name in ("csv", "parquet", "xlsx")}
    table.rename(zh).write_parquet(files["parquet"])
    files["csv"].write_bytes(table.rename(zh).write_csv().encode("gb18030"))
    import openpyxl

    book = openpyxl.Workbook()
    for row in (table.rename(zh).columns, *table.rows()):
        book.active.append(row)
    book.save(files["xlsx"])
    COMMUNITIES.write_csv(tmp_path / "communities.csv")
    for name, file in files.items():
        with pytest.warns(UserWarning) as caught:
            projects = ws.read_projects(file, tmp_path / "communities.csv", as_of=AS_OF)
        kinds = {warning.category for warning in caught}
        assert kinds == {ws.RejectedRowsWarning, ws.EncodingWarning} if name == "csv" else {ws.RejectedRowsWarning}
        assert projects.table.equals(want), name
        # The heading of the file, not ours.
        assert projects.rejected.select("file", "row", "column").rows() == [(file.name, 2, "批复日期")]
    (tmp_path / "ledger.doc").write_text("x")
    with pytest.raises(ws.InputError, match=r"\.doc"):
        ws.read_projects(tmp_path / "ledger.doc")
    (tmp_path / "broken.parquet").write_text("x")
    with pytest.raises(ws.InputError, match="cannot be read"):
        ws.read_projects(tmp_path / "broken.parquet")


LIFT = ws.AddLink("lift", degrees(0, 0), degrees(0, 30), kind="lift", rise_m=30, cost_yuan=4e6)
CLOSE = ws.CloseFacility("old canteen")


def test_deliverables_come_in_many_forms_and_are_the_same(tmp_path: Path) -> None:
    plan = ws.Scenario([LIFT, CLOSE], name="P-1")
    (tmp_path / "P-1.toml").write_text(
        f"""
        [[edit]]
        do = "add_link"
        id = "lift"
        kind = "lift"
        from = {list(LIFT.from_)}
        to = {list(LIFT.to)}
        rise_m = 30
        cost_yuan = 4_000_000
        [[edit]]
        do = "close_facility"
        id = "old canteen"
        """
    )
    rows = [ws.Scenario([edit]).to_json() for edit in plan.edits]
    table = pl.DataFrame({"project_id": ["P-1", "P-1"], "edits": rows})
    for given in ({"P-1": plan}, [plan], tmp_path, table):
        projects = read({}, deliverables=given)
        assert projects.scenarios() == [plan] and projects.scenarios()[0].name == "P-1"
        assert projects.table["edits"].to_list() == [2]
    assert read({"edits": plan.to_json()}).scenarios() == [plan]
    simple = pl.DataFrame(
        {
            "project_id": ["P-1", "P-1"],
            "kind": ["新建", "扩建"],
            "class": ["community_canteen", "幼儿园"],
            "lon": [LON, None],
            "lat": [LAT, None],
            "facility_id": ["canteen 9", "k 7"],
            "places": [80.0, 120.0],
        }
    )
    (both,) = read(deliverables=simple).scenarios()
    assert both.edits == (
        ws.OpenFacility("canteen 9", "community_canteen", (LON, LAT), None, {"places": 80.0}, project="P-1"),
        ws.ResizeFacility("k 7", {"places": 120.0}, "kindergarten", project="P-1"),
    )


@pytest.mark.filterwarnings("ignore::walkshed.RejectedRowsWarning")
def test_deliverables_that_cannot_be_are_told(tmp_path: Path) -> None:
    wrong = {
        "nonsense": "JSON",
        '{"do": "x"}': "JSON",
        '[{"do": "fly"}]': "no such change",
        '[{"do": "open_facility", "id": 1, "class": "a", "place": [300, 1]}]': "outside the range",
    }
    for text, why in wrong.items():
        found = read({"edits": text}).findings
        assert found["reason"].to_list() == ["bad_deliverable"] and why in found["message"][0]
    why = {
        "no class": {"class": None},
        "no place": {"lon": None},
        "no facility_id": {"kind": "extension"},
        "no amount": {"kind": "extension", "facility_id": "k 7"},
        "empty": {"edits": "[]"},
    }
    for words, change in why.items():
        found = read(change).findings
        assert found["reason"].to_list() == ["no_deliverable"] and words in found["message"][0], words
        assert read(change).scenarios() == [] and read(change).table["edits"].to_list() == [0]
    (tmp_path / "P-1.toml").write_text('[[edit]]\ndo = "fly"\n')
    assert read(deliverables=tmp_path).findings["reason"].to_list() == ["bad_deliverable"]
    # One bad row of a table, and the project builds nothing that is half of it; a row of no project is left out.
    part = {"edits": [ws.Scenario([CLOSE]).to_json(), "x", "[]"], "project_id": ["P-1", "P-1", None]}
    projects = read(deliverables=pl.DataFrame(part))
    assert projects.findings["reason"].to_list() == ["bad_deliverable"]
    assert projects.rejected.select("file", "row", "reason").rows() == [("deliverables", 3, "missing_id")]


def test_progress_of_395_synthetic_projects_is_what_counting_them_one_by_one_gives() -> None:
    dice = random.Random(395)
    rows = []
    for number in range(395):
        days = [datetime.date(dice.choice([2023, 2024]), 1, 1) + datetime.timedelta(dice.randrange(200))]
        for _ in range(dice.randrange(5)):
            days.append(days[-1] + datetime.timedelta(dice.randrange(1, 90)))
        row = {f"{name}_on": None for name in ("declared", "approved", "started", "completed", "accepted")}
        row |= dict(zip(row, days, strict=False))
        row |= {
            "project_id": f"syn-{number:03}",
            "name": "合成 synthetic",
            "community_ids": dice.choice(["c1", "c2", "c3", "c4"]),
        }
        row |= {"stage": None, "budget_yuan": dice.choice([None, 1000.0 * dice.randrange(1, 900)])}
        row |= {"spent_yuan": 0.5 * dice.randrange(9000) if len(days) > 2 else None}
        rows.append(row)
    projects = read(*rows)
    assert len(projects) == 395
    table = projects.progress()
    groups = table.filter(pl.col("total_over").is_null())
    for key in groups.iter_rows(named=True):
        mine = [
            row
            for row in projects.table.iter_rows(named=True)
            if (row["district"], row["declared_on"].year) == (key["district"], key["year"])
        ]
        assert key["projects"] == len(mine)
        for stage in STAGES:
            assert key[stage] == sum(row["stage"] == stage for row in mine)
        done = sum(row["stage"] in ("completed", "accepted") for row in mine)
        assert key["completed_share"] == pytest.approx(done / len(mine))
        for column in ("budget", "spent"):
            known = [row[f"{column}_yuan"] for row in mine if row[f"{column}_yuan"] is not None]
            assert key[f"{column}_yuan"] == (pytest.approx(math.fsum(known)) if known else None)
            assert key[f"{column}_unknown"] == len(mine) - len(known)
        both = [row for row in mine if row["budget_yuan"] is not None and row["spent_yuan"] is not None]
        share = math.fsum(row["spent_yuan"] for row in both) / math.fsum(row["budget_yuan"] for row in both)
        assert key["spent_share"] == pytest.approx(share)
    # Groups in order, unknown districts last; then the totals, the whole last.
    assert groups["district"].to_list() == ["南岸"] * 2 + ["渝中"] * 2 + [None] * 2
    assert table["total_over"].to_list()[6:] == ["district"] * 2 + ["year"] * 3 + ["district, year"]
    for over in ("district", "year", "district, year"):
        total = table.filter(pl.col("total_over") == over)
        assert total["projects"].sum() == 395
        assert total["budget_yuan"].sum() == pytest.approx(groups["budget_yuan"].sum())
    assert projects.progress(()).row(0)[1:] == table.row(-1)[3:]
    assert projects.progress(["funding_source"])["projects"].to_list() == [395, 395]
    with pytest.raises(ValueError, match="nonsense"):
        projects.progress(["nonsense"])
    assert f"395 projects ({AS_OF})" in projects.summary() and f"项目 395 个 ({AS_OF})" in projects.summary(
        chinese=True
    )


def test_what_is_overdue_is_told_with_its_days() -> None:
    projects = read(
        {"project_id": "late twice", **BEGUN, "planned_start_on": "2024-12-01", "planned_completion_on": "2024-12-30"},
        {"project_id": "late", "stage": None, "completed_on": None, "accepted_on": None},
        {"project_id": "done"},
        {"project_id": "due today", **BEGUN, "planned_start_on": AS_OF, "planned_completion_on": None},
    )
    assert projects.overdue().select("project_id", "overdue", "days").rows() == [
        ("late", "completion", 91),
        ("late twice", "start", 30),
        ("late twice", "completion", 1),
    ]
    with pytest.raises(ValueError, match="as_of"):
        ws.read_projects(ledger()).overdue()
    assert "overdue" not in ws.read_projects(ledger()).summary()
    assert "3 overdue" in projects.summary() and "逾期 3 项" in projects.summary(chinese=True)


def test_what_is_over_budget_is_told_beyond_a_tolerance() -> None:
    spent = {"a": "1050000", "b": "1000000", "c": "2000000", "d": None}
    projects = read(*({"project_id": name, "spent_yuan": yuan} for name, yuan in spent.items()), {"budget_yuan": "0"})
    assert projects.over_budget().select("project_id", "over_yuan", "over_share").rows() == [
        ("c", 1e6, 1.0),
        ("P-1", 9e5, None),
        ("a", 5e4, 0.05),
    ]
    assert projects.over_budget(0.1)["project_id"].to_list() == ["c", "P-1"]
    with pytest.raises(ValueError, match="tolerance_share"):
        projects.over_budget(-0.1)
    with pytest.raises(ValueError, match="stages"):
        projects.scenarios(["begun"])


# A level street with eleven homes, 133 metres, that is 100 seconds, from each to the next; ten people in each. Within
# four minutes a shop serves its own home and two on either side.
HOMES = range(11)


def street(*extra: tuple[str, str, float, int]) -> ws.Network:
    town = Town()
    for home in HOMES:
        town.corner(f"h{home}", 133 * home, 0, 250.0)
    for home in HOMES[1:]:
        town.way(f"h{home - 1}", f"h{home}", 133, id=home)
    for start, end, length_m, number in extra:
        town.way(start, end, length_m, id=number)
    return town.network()


def homes(people: dict[int, float] | None = None) -> pl.DataFrame:
    counts = [float((people or {}).get(home, 10)) for home in HOMES]
    spots = places({home: (133 * home, 0) for home in HOMES}).select("lon", "lat")
    cells = [h3.str_to_int(h3.latlng_to_cell(lat, lon, 12)) for lon, lat in spots.rows()]
    return spots.with_columns(
        cell=pl.Series(cells, dtype=pl.UInt64), people=pl.Series(counts), old=pl.Series([count / 2 for count in counts])
    )


def shops(**at: int) -> pl.DataFrame:
    spots = places({name.replace("_", "-"): (133 * home, 0) for name, home in at.items()})
    return spots.with_columns(pl.lit("shop").alias("class"))


def opening(home: int, name: str = "P-1") -> ws.Scenario:
    return ws.Scenario([ws.OpenFacility(name, "shop", degrees(133 * home, 0))])


def town_ledger(plan: ws.Scenario, **change: Any) -> ws.Projects:
    return read({"class": "shop", **change}, deliverables={"P-1": plan})


FOUR = {"minutes": (4,), "progress": False}


def of_all(table: pl.DataFrame) -> dict[str, Any]:
    (row,) = table.filter(pl.col("group") == "all").iter_rows(named=True)
    return row


def test_the_expected_effect_is_people_minutes_and_yuan_per_person() -> None:
    city = ws.Baseline(street(), homes(), shops(s1=0), **FOUR)
    projects = read(
        {"project_id": "P-1"},
        {"project_id": "useless", "budget_yuan": None},
        {"project_id": "wrong"},
        {"project_id": "nothing", "kind": None},
        {"project_id": "declared", **BEGUN, "approved_on": None},
        deliverables={
            "P-1": opening(8),
            "useless": opening(0, "twin"),
            "wrong": ws.Scenario([ws.CloseFacility("nowhere")]),
            "declared": opening(5),
        },
    )
    effect = ws.expected_effect(city, projects, progress=False)
    first = of_all(effect.covered.filter(pl.col("project_id") == "P-1"))
    # Homes 6 to 10 are served, nobody was.
    assert (first["people_newly_covered"], first["people_no_longer_covered"], first["minutes"]) == (50, 0, 4)
    assert first["yuan_per_person"] == 1e6 / 50
    # 40 + 140 + 240 + 140 + 40 seconds less of 240, for ten people each.
    saved = of_all(effect.minutes_saved.filter(pl.col("project_id") == "P-1"))
    assert (saved["people_minutes_saved"], saved["people_gaining"]) == (pytest.approx(100), 50)
    old = effect.covered.filter((pl.col("project_id") == "P-1") & (pl.col("group") == "old"))
    assert old["people_newly_covered"].to_list() == [25]
    # A project that serves nobody more is there with zeros, without a cost per person.
    second = of_all(effect.covered.filter(pl.col("project_id") == "useless"))
    assert (second["people_newly_covered"], second["yuan_per_person"]) == (0, None)
    assert effect.projects.select("project_id", "cost_yuan", "reason").rows() == [
        ("P-1", 1e6, None),
        ("useless", None, None),
        ("wrong", 1e6, "no_such_facility"),
        ("nothing", 1e6, "no_deliverable"),
    ]
    assert effect.left["project_id"].to_list() == ["wrong", "nothing"] and effect.left["message_zh"].null_count() == 0


def test_the_realised_effect_is_explained_step_by_step() -> None:
    before = City(street(), homes(), shops(s1=0))
    # Twenty more people have moved to home 6, another shop was opened at home 5, and ours was built at home 7, not 8.
    after = City(street(), homes({6: 30}), shops(s1=0, s2=5, P_1=7))
    effect = ws.realised_effect(before, after, town_ledger(opening(8)), **FOUR)
    found = of_all(effect.covered)
    # Homes 6 to 10; 6 to 10 with the new people; 8 to 10, for s2 serves up to 7; 8 and 9.
    assert [found[name] for name in ("expected", "with_new_people", "in_new_city", "realised")] == [50, 70, 30, 20]
    assert [found[name] for name in ("difference", "by_people", "by_city", "by_building")] == [30, -20, 40, 10]
    assert effect.left.is_empty() and effect.projects["reason"].to_list() == [None]
    saved = of_all(effect.minutes_saved)
    assert saved["expected"] == pytest.approx(100)
    # Home 6 saves 40 seconds for thirty people instead of ten.
    assert saved["with_new_people"] == pytest.approx(100 + 40 * 20 / 60)
    # Beside s2 (home 6: 100 s, 7: 200 s) the planned shop saves home 7 100, 8 240, 9 140, 10 40 seconds.
    assert saved["in_new_city"] == pytest.approx((100 + 240 + 140 + 40) * 10 / 60)
    # As built: home 7 200, 8 140, 9 40.
    assert saved["realised"] == pytest.approx((200 + 140 + 40) * 10 / 60)


def test_a_project_that_was_built_under_another_id_is_found_by_as_built() -> None:
    before = City(street(), homes(), shops(s1=0))
    after = City(street(), homes(), shops(s1=0, gis17=8))
    projects = town_ledger(opening(8))
    blind = ws.realised_effect(before, after, projects, **FOUR)
    row = of_all(blind.covered)
    # Nothing in the after city is called P-1: what was realised is not known, and why is told.
    assert (row["expected"], row["realised"], row["by_people"], row["by_building"]) == (50, None, 0, None)
    assert row["reason"] == "no_such_facility" and blind.left["reason"].to_list() == ["no_such_facility"]
    known = ws.realised_effect(before, after, projects, as_built={"P-1": opening(8, "gis17")}, **FOUR)
    assert of_all(known.covered)["realised"] == 50 and of_all(known.covered)["difference"] == 0
    with pytest.raises(ValueError, match="P-7"):
        ws.realised_effect(before, after, projects, as_built={"P-7": opening(8)}, **FOUR)
    nothing = ws.realised_effect(before, after, town_ledger(opening(8), accepted_on=None, stage=None), **FOUR)
    assert nothing.projects.is_empty() and nothing.covered.is_empty()


def test_a_street_that_a_project_built_is_closed_again() -> None:
    # Instead of four homes of street, a path of 133 metres from home 2 to home 7.
    before = City(street(), homes(), shops(s1=0))
    after = City(street(("h2", "h7", 133, 99)), homes(), shops(s1=0))
    ends = degrees(266, 0), degrees(931, 0)
    path = ws.Scenario([ws.AddLink(99, *ends, kind="path", length_m=26.6)])
    effect = ws.realised_effect(before, after, town_ledger(path), minutes=(5,), progress=False)
    row = of_all(effect.covered)
    # As planned 20 seconds long: home 7 at 220 s; built at 100 s: home 7 at 300 s. Both within five minutes, where home
    # 3 was before.
    assert [row[name] for name in ("expected", "in_new_city", "realised", "by_building")] == [10, 10, 10, 0]
    saved = of_all(effect.minutes_saved)
    assert saved["expected"] == pytest.approx(10 * 80 / 60) and saved["realised"] == 0
    assert saved["by_building"] == pytest.approx(saved["difference"])


def test_borders_are_the_same_in_all_worlds() -> None:
    import geopandas
    import shapely

    west, east = (
        shapely.Polygon([degrees(*at) for at in ((x, -50), (x + 600, -50), (x + 600, 50), (x, 50))]) for x in (200, 800)
    )
    areas = geopandas.GeoDataFrame({"area_id": ["west", "east"]}, geometry=[west, east], crs=4326)
    before, after = City(street(), homes(), shops(s1=0)), City(street(), homes(), shops(s1=0, P_1=7))
    effect = ws.realised_effect(before, after, town_ledger(opening(8)), areas=areas, **FOUR)
    found = effect.covered.filter(pl.col("group") == "all").select("area_id", "expected", "realised").rows()
    # The middle of home 6 lies at 798 m: its cell is shared by the border, the rest lies in the east.
    assert [name for name, *_ in found] == ["east", "west"]
    assert sum(row[1] for row in found) == pytest.approx(50) and found[0][1] > 40
    assert sum(row[2] for row in found) == pytest.approx(50)


@pytest.mark.parametrize(
    ("edit", "undone"),
    [
        (ws.OpenFacility("new", "shop", (LON, LAT)), ws.CloseFacility("new", "shop")),
        (ws.CloseFacility("s1"), ws.OpenFacility("s1")),
        (ws.CloseFacility("gone"), ws.OpenFacility("gone", "shop", degrees(665, 0))),
        (ws.MoveFacility("s1", (LON, LAT)), ws.MoveFacility("s1", degrees(0, 0))),
        (ws.ResizeFacility("s1", {"places": 90}), ws.ResizeFacility("s1", {"places": 40.0})),
        (ws.AddLink("a", (LON, LAT), (LON, LAT)), ws.CloseLink("a")),
        (ws.OpenLink(7), ws.CloseLink(7)),
        (ws.ResizeFacility("gone", {"places": 90}), "held before"),
        (ws.MoveFacility("never", (LON, LAT)), "where it was"),
        (ws.CloseLink(7), "no longer has the way"),
        (ws.RetimeLink(7, forward_s=5), "time that it took"),
        (ws.NewHomes((LON, LAT), 5), "all people"),
        (ws.SetArea("a", [[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]]), "borders"),
    ],
)
def test_edits_are_undone_or_it_is_told_why_not(edit: ws.scenario.Edit, undone: ws.scenario.Edit | str) -> None:
    before = shops(s1=0, gone=5).with_columns(places=pl.Series([40.0, None]))
    found = TakeOut(before, shops(s1=0)).of(ws.Scenario([edit]))
    if isinstance(undone, str):
        assert isinstance(found, Stuck) and found.reason == "cannot_undo"
        assert undone in found.message and "无法撤除" in found.message_zh
    else:
        assert isinstance(found, ws.Scenario) and found == ws.Scenario([undone])


@pytest.mark.parametrize("seed", range(25))
def test_the_parts_add_up_and_the_realised_effect_is_that_of_two_whole_runs(seed: int) -> None:
    dice = random.Random(seed)
    at = {f"s{number}": dice.choice(HOMES) for number in range(3)}
    built = {**at, f"s{3 + seed % 2}": dice.choice(HOMES), "P_1": dice.choice(HOMES)}
    crowd = {home: dice.choice([0.0, 7.3, 12.9, 31.1]) for home in HOMES}
    before = City(street(), homes(), shops(**at).head(dice.randrange(1, 4)))
    cut = [("h1", "h6", 133.0, 98)] if seed % 3 == 0 else []
    after = City(street(*cut), homes(crowd), shops(**built))
    how = {"minutes": (1.5, 2.5, 4), "profiles": ("adult", "senior"), "progress": False}
    effect = ws.realised_effect(before, after, town_ledger(opening(dice.choice(HOMES))), **how)
    for table in (effect.covered, effect.minutes_saved):
        for row in table.iter_rows(named=True):
            parts = math.fsum(row[part] for part in ("by_people", "by_city", "by_building"))
            assert parts == pytest.approx(row["difference"], rel=1e-9, abs=1e-9)
            assert row["difference"] == pytest.approx(row["expected"] - row["realised"], rel=1e-9, abs=1e-9)
    without = {name: home for name, home in built.items() if name != "P_1"}
    worlds = [ws.Baseline(after.network, homes(crowd), shops(**each), **how) for each in (without, built)]
    change = ws.compare(*worlds).filter(pl.col("change") != 0)
    keys = ["class", "group", "profile", "minutes"]
    mine = effect.covered.filter(pl.col("realised") != 0).sort(keys)
    assert mine.select(keys).equals(change.sort(keys).select(keys))
    assert mine["realised"].to_list() == pytest.approx(change.sort(keys)["change"].to_list())


@pytest.mark.filterwarnings("ignore::walkshed.RejectedRowsWarning")
def test_in_a_real_city_where_nothing_else_changed_what_came_is_what_was_expected(
    porto_alegre: ws.Network, hexgrid: pl.DataFrame, doors: pl.DataFrame
) -> None:
    """Porto Alegre before and after a school that stands there."""
    cells = hexgrid.select(cell="id", people="population").filter(pl.col("people") > 0)
    row = doors.filter(pl.col("class") == "schools").row(40, named=True)
    is_it = (pl.col("id") == row["id"]) & (pl.col("class") == "schools")
    plan = ws.Scenario([ws.OpenFacility(row["id"], "schools", (row["lon"], row["lat"]))])
    before, after = City(porto_alegre, cells, doors.filter(~is_it)), City(porto_alegre, cells, doors)
    effect = ws.realised_effect(before, after, town_ledger(plan), minutes=(5, 10, 15), progress=False)
    assert effect.left.is_empty() and effect.covered.height >= 2
    for name in ("with_new_people", "in_new_city", "realised"):
        assert effect.covered[name].to_list() == pytest.approx(effect.covered["expected"].to_list(), rel=1e-9)
    assert effect.minutes_saved["realised"].to_list() == pytest.approx(effect.minutes_saved["expected"].to_list())
    expected = ws.expected_effect(
        ws.Baseline(porto_alegre, cells, before.facilities), town_ledger(plan), progress=False
    )
    newly = expected.covered.filter(pl.col("people_newly_covered") > 0).sort("minutes")
    assert newly["people_newly_covered"].to_list() == pytest.approx(
        effect.covered.sort("minutes")["expected"].to_list()
    )


def test_a_synthetic_city_brings_its_own_ledger(tmp_path: Path) -> None:
    city = ws.synth(tmp_path / "city", nodes=60_000, seed=3, progress=False)
    projects = ws.read_projects(
        city.folder / "projects.parquet", city.folder / "communities.parquet", as_of="2026-06-01"
    )
    assert len(projects) == pl.read_parquet(city.folder / "projects.parquet").height
    assert projects.rejected.is_empty() and projects.table["district"].null_count() == 0
    new = projects.table.filter(pl.col("kind") == "new")["project_id"].to_list()
    assert [plan.name for plan in projects.scenarios()] == new
    assert {edit.class_ for plan in projects.scenarios() for edit in plan.edits} <= set(ws.facility_classes()["class"])  # type: ignore[union-attr]
    total = projects.progress().row(-1, named=True)
    assert total["projects"] == sum(total[stage] for stage in STAGES) + total["no_stage"] == len(projects)


def test_summaries_and_tables_do_not_hang_on_the_order_of_columns() -> None:
    table = ledger({}, {"project_id": "P-2"})
    for order in itertools.islice(itertools.permutations(table.columns), 0, 50_000, 10_000):
        assert ws.read_projects(table.select(order), as_of=AS_OF).table.equals(
            ws.read_projects(table, as_of=AS_OF).table
        )
