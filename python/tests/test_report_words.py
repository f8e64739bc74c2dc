"""What reports say of other studies than the usual: groups of their own pace, walks from facilities, no heights."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import walkshed as ws
from walkshed.language import Language
from walkshed.report import report
from walkshed.report.city import city_report
from walkshed.report.community import Sheets, headline
from walkshed.report.content import As, Table, tables_of
from walkshed.report.facts import City


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ws.synth(tmp_path_factory.mktemp("city") / "city", nodes=3000, seed=3, progress=False).study


@pytest.fixture(scope="module")
def run(study: Path, tmp_path_factory: pytest.TempPathFactory) -> ws.RunResult:
    """Adults and wheelchairs, and some who are cut off for each."""
    other = study.with_name("WHEELS.toml")
    walks = study.read_text("utf-8").replace('["adult", "senior"]', '["adult", "wheelchair"]')
    other.write_text(walks, "utf-8")
    return ws.run(other, tmp_path_factory.mktemp("run") / "run", progress=False)


def _told(run: ws.RunResult, change: Callable[[dict[str, Any]], object]) -> ws.RunResult:
    """The run as if its report said something else."""
    report = copy.deepcopy(run.report)
    change(report)
    return replace(run, report=report)


def _texts(city: City) -> str:
    """All paragraphs and lists of a report."""
    found: list[str] = []
    for block in city_report(city).blocks:
        found += [*getattr(block, "items", []), getattr(block, "text", ""), getattr(block, "note", "")]
    return "\n".join(found)


def _table(city: City, caption: str) -> Table:
    (table,) = (table for table in tables_of(city_report(city)) if caption in table.caption)
    return table


@pytest.mark.parametrize("language", ["zh", "en"])
def test_groups_of_their_own_profile_are_told_by_it(study: Path, tmp_path: Path, language: Language) -> None:
    own = '[coverage]\ngroup_profiles = { senior_60_plus = "senior", child_0_14 = "senior" }'
    other = study.with_name("GROUPS.toml")
    other.write_text(study.read_text("utf-8").replace("[coverage]", own), "utf-8")
    run = ws.run(other, tmp_path / "run", progress=False)
    report(run, language=language, xlsx=tmp_path / "a.xlsx", docx=tmp_path / "a.docx", progress=False)
    city = City(run, language)
    captions = [table.caption for table in tables_of(city_report(city))]
    names = {"adult": ("成年人", "adult"), "senior": ("老年人", "senior")}
    adult, senior = (pair[0 if language == "zh" else 1] for pair in names.values())
    coverage = "各类设施的步行覆盖率" if language == "zh" else "People who reach each class"
    # Nobody of "all" walks as seniors do, so that there is no table of the city for them.
    assert [adult in caption for caption in captions if caption.startswith(coverage)] == [True]
    table = _table(city, "不同群体" if language == "zh" else "Shares of groups")
    few = city.fewest_first[: len(table.columns) - 3]
    total = {
        (row["group"], row["class"]): (row["profile"], row["people"], row["share"])
        for row in run.total().filter(pl.col("minutes") == 10).iter_rows(named=True)
    }
    assert len(table.rows) == len(city.groups) + 1
    for group, row in zip(("all", *city.groups), table.rows, strict=True):
        for name, share in zip(few, row[3:], strict=True):
            profile, people, expected = total[group, name]
            assert (row[1], row[2]) == (senior if profile == "senior" else adult, people)
            assert share == pytest.approx(expected), (group, name)
    assert {row[1] for row in table.rows} == {adult, senior}


def test_who_is_cut_off_is_told_of_each_profile_by_the_class_of_most(run: ws.RunResult) -> None:
    def cut(report: dict[str, Any]) -> None:
        for row in report["total"]:
            if row["group"] == "all":
                wheels, bus = row["profile"] == "wheelchair", row["class"] == "bus_stop"
                row["people_not_connected"] = 0.0 if not wheels else 321.0 if bus else 12.0

    text = _texts(City(_told(run, cut), "en"))
    assert "For wheelchair, 321 people have no way that can be used to any facility of the class Bus stop" in text
    assert "For adult, " not in text and "main network" not in text and "At the pace" not in text
    total = run.total().filter((pl.col("group") == "all") & (pl.col("minutes") == 10))
    means = dict(total.group_by("profile").agg(pl.col("share").mean() * 100).iter_rows())
    told = (
        f"For wheelchair, the mean share within 10 minutes is {means['wheelchair']:.1f}% (adult: {means['adult']:.1f}%)"
    )
    assert told in text


def test_a_study_that_walks_from_facilities_says_so(run: ws.RunResult) -> None:
    other = _told(run, lambda report: report["study"]["coverage"].update(direction="from_facility"))
    text = _texts(City(other, "en"))
    assert "from the nearest facility of each class to the place where" in text
    assert "whom a walk from the nearest facility" in text
    assert "people who reach the nearest facility" not in text and "to the nearest facility of each" not in text
    zh = _texts(City(other, "zh"))
    assert "自设施出发" in zh and "从每个网格的居住点到" not in zh
    sheet = next(Sheets(City(other, "zh")).documents())[1]
    assert any("自设施出发" in getattr(block, "text", "") for block in sheet.blocks)


def test_slope_is_told_of_only_where_there_are_heights(run: ws.RunResult) -> None:
    flat = _told(run, lambda report: report["study"]["streets"].update(elevation=[]))
    for language, changes in (("en", "slope changes the pace"), ("zh", "坡度影响步行速度")):
        told, without = _texts(City(run, language)).lower(), _texts(City(flat, language)).lower()  # type: ignore[arg-type]
        assert changes in told and changes not in without
    assert "flat ground" in _texts(City(flat, "en"))


def test_classes_that_are_not_open_are_not_called_unknown(run: ws.RunResult) -> None:
    other = _told(run, lambda report: report.update(classes_not_open=["nursery"], classes_without_facilities=["kiosk"]))
    lines = _texts(City(other, "en")).splitlines()
    assert any("none of them is open" in line and "Nursery" in line and "kiosk" not in line for line in lines)
    assert any("No facility of these" in line and "kiosk" in line and "Nursery" not in line for line in lines)


def test_settings_of_profiles_are_whole_and_say_what_cannot_be_used(run: ws.RunResult) -> None:
    table = _table(City(run, "en"), "Profiles")
    assert [column.heading for column in table.columns[1:]] == ["adult", "wheelchair"]
    told = {str(row[0]): [cell.value if isinstance(cell, As) else cell for cell in row[1:]] for row in table.rows}
    adult, wheels = ws.profile("adult"), ws.profile("wheelchair")
    assert told["Up stairs (m/s)"] == [adult.stairs_up_mps, "cannot use"]
    assert told["Up a short flight (m/s)"] == [adult.short_stairs_up_mps, "cannot use"]
    assert told["Escalator (m/s)"] == [adult.escalator_mps, "cannot use"]
    assert told["Steepest slope (%)"] == ["no limit", wheels.max_slope]
    assert told["Rest on stairs (s per m climbed)"] == [adult.rest_s_per_m, wheels.rest_s_per_m]
    assert told["Pace without handrail (factor)"] == [adult.no_handrail_factor, wheels.no_handrail_factor]
    assert not any(cell is None for cells in told.values() for cell in cells)
    zh = _table(City(run, "zh"), "步行人群的设置")
    assert sum(row.count("不可通行") for row in zh.rows) == 5


@pytest.mark.parametrize(
    ("crs", "told"),
    [("wgs84", "坐标：WGS-84 经纬度"), ("gcj02", "坐标：GCJ-02 经纬度"), ("bd09", "坐标：BD-09 经纬度")],
)
def test_coordinates_are_told_in_chinese(run: ws.RunResult, crs: str, told: str) -> None:
    other = _told(run, lambda report: report["study"]["study"].update(analysis_crs=crs))
    text = _texts(City(other, "zh"))
    assert told in text and "longitude" not in text
    assert run.report["coordinates"] in _texts(City(run, "en"))


def test_a_chinese_sheet_names_units_and_profiles_in_chinese(
    run: ws.RunResult, tmp_path_factory: pytest.TempPathFactory
) -> None:
    out = tmp_path_factory.mktemp("card") / "card"
    card = ws.score_run(run.folder, out, standard="mohurd_2020", level="community", progress=False)
    assert "classes" in card.points["gap_unit_zh"].to_list()
    city = City(run, "zh", card)
    sheets = [document for _, document in Sheets(city).documents()]
    cells = [str(cell) for sheet in sheets for table in tables_of(sheet) for row in table.rows for cell in row]
    assert any("（成年人）" in cell for cell in cells)
    assert not any("（adult）" in cell or re.search(r"缺 [\d,]+ [a-z]", cell) for cell in cells)
    gaps = _table(city, "各条目的缺口")
    assert "班" in {row[5] for row in gaps.rows} and "classes" not in {row[5] for row in gaps.rows}
    rules = _table(city, "评分所依据")
    assert all(mark in rules.note for mark in ("K ", "S:", "D ", "ramp", "principle"))


def test_a_long_name_is_cut_in_the_head_and_whole_below(run: ws.RunResult) -> None:
    city = City(run, "zh")
    area = city.communities.row(0, named=True)
    document = Sheets(city).document(area | {"name": "很长的社区名" * 100})
    assert document.subtitle.endswith("…") and len(document.subtitle) < 60
    assert ("名称", "很长的社区名" * 100) in document.facts
    assert Sheets(city).document(area).subtitle == area["name"]
    assert headline("a" * 70) == "a" * 70 and len(headline("a" * 90)) < 80
    assert not any(label == "名称" for label, _ in Sheets(city).document(area).facts)
