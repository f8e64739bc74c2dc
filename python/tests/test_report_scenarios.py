"""The chapter about scenarios, held against studies that have from the start what the scenarios build."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import walkshed as ws
from walkshed import _engine
from walkshed.report import report
from walkshed.report.city import city_report
from walkshed.report.content import Table, tables_of
from walkshed.report.facts import City

AREAS = {
    "communities": '[areas]\npath = "communities.parquet"\n',
    "cells of H3": "[areas]\nh3 = 8\n",
    "none": "",
    "an odd one": '[areas]\npath = "odd.parquet"\n',
}
"""Whose sums an earlier report took for the city's: where areas have no level, or one odd area has one of its own."""


def _study(folder: Path, areas: str, **files: pl.DataFrame) -> Path:
    """A study of the synthetic city with other areas, and with tables of its own."""
    text = (folder / "STUDY.toml").read_text("utf-8")
    before, rest = text.split("[areas]")
    _, after = rest.split("[coverage]")
    text = f"{before}{areas}\n[coverage]{after}"
    name = "STUDY_" + "_".join(files) if files else "STUDY_before"
    for file, table in files.items():
        table.write_parquet(folder / f"{file}_after.parquet")
        text = text.replace(f'"{file}.parquet"', f'"{file}_after.parquet"')
    path = folder / f"{name}.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.fixture(scope="module", params=list(AREAS))
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[City, pl.DataFrame]:
    """A city with a scenario, and what a study gives in which all of it is so from the start."""
    folder = tmp_path_factory.mktemp("plan")
    city = ws.synth(folder / "city", nodes=3000, seed=3, progress=False)
    people, doors = (pl.read_parquet(city.folder / f"{name}.parquet") for name in ("population_cells", "facilities"))
    areas = pl.read_parquet(city.folder / "communities.parquet")
    odd = areas.with_columns(level=pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("city")).otherwise("level"))
    odd.write_parquet(city.folder / "odd.parquet")
    study = _study(city.folder, AREAS[request.param])
    run = ws.run(study, folder / "run", progress=False)
    live = run.table("cells").sort("people", descending=True)
    old = live.row(0, named=True)
    (new_cell,) = _engine.cells_of_places([old["lon"] + 0.008], [old["lat"]], 10, "wgs84")
    assert new_cell is not None and new_cell not in live["cell"].to_list()
    closed = doors.filter(
        (pl.col("class") == "pharmacy") & pl.col("id").is_in(run.table("times")["facility_id"].to_list())
    )["id"][0]
    more = pl.col("people") + pl.when(pl.col("cell") == old["cell"]).then(60_000).otherwise(0).cast(pl.UInt32)
    moved = pl.DataFrame({"cell": [new_cell], "people": [400]}, schema={"cell": pl.UInt64, "people": pl.UInt32})
    people = pl.concat([people.with_columns(more), moved], how="diagonal").with_columns(
        pl.selectors.numeric().fill_null(0)
    )
    built = pl.DataFrame(
        {
            "id": ["new", "first"],
            "class": ["community_canteen", "kiosk"],
            "lon": [old["lon"]] * 2,
            "lat": [old["lat"]] * 2,
        }
    )
    doors = pl.concat([doors.filter(pl.col("id") != closed).drop("geometry"), built], how="diagonal")
    other = _study(city.folder, AREAS[request.param], population_cells=people, facilities=doors)
    then = ws.run(other, folder / "after", progress=False)
    # People of a table live where their cell is told to be; those of a plan are to live there too.
    ((lon, lat),) = then.table("cells").filter(pl.col("cell") == new_cell).select("lon", "lat").rows()
    plan = folder / "plan.toml"
    plan.write_text(
        f"""
        [scenario]
        name = "一处食堂"
        [[edit]]
        do = "open_facility"
        id = "new"
        class = "community_canteen"
        place = [{old["lon"]}, {old["lat"]}]
        cost_yuan = 900_000
        [[edit]]
        do = "open_facility"
        id = "first"
        class = "kiosk"
        place = [{old["lon"]}, {old["lat"]}]
        [[edit]]
        do = "close_facility"
        id = "{closed}"
        [[edit]]
        do = "new_homes"
        place = [{old["lon"]}, {old["lat"]}]
        people = 60_000
        [[edit]]
        do = "new_homes"
        place = [{lon}, {lat}]
        people = 400
        """,
        "utf-8",
    )
    answer = ws.run_scenarios(study, [plan], folder / "out", progress=False)
    return City(run, "zh", scenarios=answer), then.total()


def _newly(city: City) -> Table:
    (table,) = (table for table in tables_of(city_report(city)) if table.caption.startswith("新覆盖"))
    return table


def test_what_is_covered_then_is_what_a_study_of_then_covers(
    both: tuple[City, pl.DataFrame],
) -> None:
    city, after = both
    mine = (pl.col("group") == "all") & (pl.col("minutes") == 10)
    then = {(row["class"], row["profile"]): row for row in after.filter(mine).iter_rows(named=True)}
    now = {(row["class"], row["profile"]): row for row in city.result.total().filter(mine).iter_rows(named=True)}
    names = {city.class_name(name): name for name, _ in then}
    who = {"成年人": "adult", "老年人": "senior"}
    rows = {(names[str(row[1])], who[str(row[2])]): row for row in _newly(city).rows}
    assert rows.keys() == then.keys() and any(name == "kiosk" for name, _ in rows)
    for key, row in rows.items():
        before = now.get(key, {"people_covered": 0.0, "people": city.people})
        assert row[3] == pytest.approx(before["people_covered"])
        assert row[7] == pytest.approx(then[key]["people_covered"], abs=1e-6), key
        assert row[8] == pytest.approx(before["people_covered"] / before["people"])
        assert row[9] == pytest.approx(then[key]["share"]), key
        covered, newly, no_longer, movers, afterwards = (float(str(value)) for value in row[3:8])
        assert covered + newly - no_longer + movers == pytest.approx(afterwards)
        assert 0 <= newly <= city.people and 0 <= movers <= 60_400 and 0 <= float(str(row[9])) <= 1
    assert any(float(str(row[5])) > 0 for key, row in rows.items() if key[0] == "pharmacy")
    assert "新增居民 60,400 人" in _newly(city).note


def test_scenarios_of_other_files_are_refused(both: tuple[City, pl.DataFrame], tmp_path: Path) -> None:
    city, _ = both
    other = ws.synth(tmp_path / "other", nodes=1000, seed=5, progress=False)
    run = ws.run(other.study, tmp_path / "run", progress=False)
    with pytest.raises(ValueError, match="not of the study and the files"):
        report(run, scenarios=city.scenarios, pdf=tmp_path / "a.pdf", progress=False)
    assert not (tmp_path / "a.pdf").exists()


def test_scenarios_with_other_settings_are_refused(tmp_path: Path) -> None:
    """The same files and the same coverage; but what is near a street is another."""
    city = ws.synth(tmp_path / "city", nodes=1000, progress=False)
    run = ws.run(city.study, tmp_path / "run", progress=False)
    text = city.study.read_text("utf-8").replace("[streets]", "[streets]\nmax_snap_m = 50")
    other = city.study.with_name("OTHER.toml")
    other.write_text(text, "utf-8")
    answer = ws.run_scenarios(other, [], tmp_path / "out", progress=False)
    with pytest.raises(ValueError, match="not of the study and the files"):
        report(run, scenarios=answer, xlsx=tmp_path / "a.xlsx", progress=False)
    same = ws.run_scenarios(city.study, [], tmp_path / "same", progress=False)
    report(run, scenarios=same, xlsx=tmp_path / "a.xlsx", progress=False)
    assert (tmp_path / "a.xlsx").is_file()
