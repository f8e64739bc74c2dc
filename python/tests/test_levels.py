"""Coverage by level, straight lines, bands, roll-ups and gaps: a street by hand, and real and synthetic cities."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from towns import main_street, places

import walkshed as ws

pytestmark = pytest.mark.filterwarnings("ignore::walkshed.RejectedRowsWarning")

HOMES = places({"w": (0, 0), "m": (133, 0), "e": (266, 0)}, people=[100, 200, 400], old=[10, 20, 40])
SHOP = places({"shop": (266, 0)}, **{"class": ["pharmacy"]})
#: Three cells far apart, which stand for the three homes.
CELLS = HOMES.with_columns(cell=pl.Series([0x8A2A1072B59FFFF, 0x8A2A1072B597FFF, 0x8A2A1072B587FFF], dtype=pl.UInt64))


def test_straight_lines_of_a_street() -> None:
    found = ws.straight_line(HOMES, SHOP, radius_m=200)
    assert found["profile"].unique().to_list() == ["straight_line"]
    metres = dict(found.select("origin_id", "distance_m").rows())
    assert (metres["w"], metres["m"], metres["e"]) == (None, pytest.approx(133, abs=0.1), pytest.approx(0, abs=0.1))
    assert found.filter(pl.col("origin_id") == "w")["reason"].item() == "beyond_cutoff"
    assert found.filter(pl.col("origin_id") == "m")["time_s"].item() == 100.0


def test_a_straight_street_has_no_detour_and_a_corner_has() -> None:
    net = main_street().network()
    homes = places({"w": (0, 0), "hill": (133, 27)})
    walked = net.nearest(homes, SHOP, max_minutes=10)
    ratio = dict(ws.detour(walked, homes, SHOP).select("origin_id", "detour_ratio").rows())
    assert ratio["w"] == pytest.approx(1.0, abs=0.01)
    assert ratio["hill"] > 1.05


@pytest.mark.parametrize(("criterion", "people"), [("minutes", 600.0), ("network_m", 400.0), ("radius_m", 400.0)])
def test_each_criterion_has_its_own_limit(criterion: str, people: float) -> None:
    """A pharmacy is planned for the community: here 2 minutes (160 m of street) or 100 m."""
    table = pl.DataFrame({"id": ["community"], "minutes": [2.0], "radius_m": [100.0]})
    net = main_street().network()
    rows = ws.coverage_by_level(net, CELLS, SHOP, criterion=criterion, table=table, groups=["old"])
    everybody = rows.filter(pl.col("group") == "all").row(0, named=True)
    assert everybody["people_covered"] == people and everybody["people"] == 700.0
    assert everybody["criterion"] == criterion and everybody["level"] == "community"
    assert everybody["limit"] == (2.0 if criterion == "minutes" else 100.0)
    assert rows.filter(pl.col("group") == "old")["people_covered"].item() == people / 10


def test_levels_are_those_of_the_catalogue() -> None:
    found = ws.levels()
    assert found.select("id", "minutes", "radius_m").rows() == [
        ("estate", 5.0, 300.0),
        ("community", 10.0, 500.0),
        ("district", 15.0, 1000.0),
    ]
    with pytest.raises(ValueError, match="use minutes"):
        ws.coverage_by_level(main_street().network(), CELLS, SHOP, criterion="metres")


def test_groups_walk_as_they_walk() -> None:
    """From the middle an adult needs 100 s, a senior more than two minutes."""
    net = main_street().network()
    times = pl.concat([net.nearest(HOMES, SHOP, profile=who, max_minutes=10) for who in ("adult", "senior")])
    own = ws.coverage(times, CELLS, minutes=[2], groups=["old"], group_profiles={"old": "senior"})
    assert own.select("group", "profile", "people_covered").rows() == [("all", "adult", 600.0), ("old", "senior", 40.0)]
    every = ws.coverage(times, CELLS, minutes=[2], groups=["old"])
    assert every.height == 4


def test_buildings_are_counted_as_groups_are() -> None:
    net = main_street().network()
    times = net.nearest(HOMES, SHOP, max_minutes=10)
    rows = ws.coverage(times, CELLS.with_columns(buildings=pl.Series([3, 2, 5])), minutes=[2], groups=["buildings"])
    buildings = rows.filter(pl.col("group") == "buildings").row(0, named=True)
    assert (buildings["people"], buildings["people_covered"], buildings["share"]) == (10.0, 7.0, 0.7)


def test_bands_hold_the_share_and_are_those_of_other_walkers() -> None:
    net = main_street().network()
    bands = ws.coverage_bands(net, CELLS, SHOP, minutes=[1.6], speed_factors=(0.5, 1.1), groups=[])
    row = bands.row(0, named=True)
    # 133 m in 96 s: not at 1.33 m/s (100 s), but at 1.1 times that.
    assert (row["share"], row["share_low"], row["share_high"]) == pytest.approx((400 / 700, 400 / 700, 600 / 700))
    wider = ws.coverage_bands(net, CELLS, SHOP, minutes=[1.6], cutoff_factors=(0.5, 4.0), groups=[]).row(0, named=True)
    assert wider["share_high"] == 1.0 and wider["share"] == row["share"]
    with pytest.raises(ValueError, match="factor"):
        ws.coverage_bands(net, CELLS, SHOP, speed_factors=(0.0,))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    """A synthetic city of three levels: its tables."""
    folder: Path = tmp_path_factory.mktemp("levels")
    city = ws.synth(folder / "city", nodes=2000, seed=5, progress=False)
    result = ws.run(city.study, folder / "run", progress=False)
    return {name: result.table(name) for name in ("areas", "coverage", "times", "cells", "facilities")}


def test_roll_ups_conserve_people(run: dict[str, pl.DataFrame]) -> None:
    level = run["areas"].select("area_id", "level")
    rows = run["coverage"].join(level, on="area_id", maintain_order="left")
    communities = rows.filter(pl.col("level") == "community").drop("level")
    rolled = ws.roll_up(communities, run["areas"])
    assert set(rolled["area_id"]) == set(level.filter(pl.col("level") == "district")["area_id"])
    key = ["class", "group", "profile", "minutes"]
    columns = ["people", "people_covered", "people_beyond", "people_not_connected", "people_not_snapped"]
    for column in columns:
        below = communities.group_by(key).agg(pl.col(column).sum()).sort(key)[column]
        above = rolled.group_by(key).agg(pl.col(column).sum()).sort(key)[column]
        assert above.to_list() == pytest.approx(below.to_list(), rel=1e-9)
    with pytest.raises(ws.InputError, match="count twice"):
        ws.roll_up(run["coverage"], run["areas"])
    circle = pl.DataFrame({"area_id": ["a", "b"], "parent_id": ["b", "a"]})
    with pytest.raises(ws.InputError, match="end at one without a parent"):
        ws.roll_up(communities, circle)
    with pytest.raises(ws.InputError, match="unknown name"):
        ws.roll_up(communities, pl.DataFrame({"area_id": ["a"], "parent_id": pl.Series([None], dtype=pl.String)}))


def test_the_uncovered_are_those_who_are_missing(run: dict[str, pl.DataFrame]) -> None:
    communities = run["areas"].filter(pl.col("level") == "community")
    name = run["times"]["class"].unique().sort()[0]
    cells = ws.uncovered(run["times"], run["cells"], communities, facility_class=name, minutes=10)
    missing = cells.group_by("area_id").agg(pl.col("people").sum())
    rows = run["coverage"].filter(class_filter(name), pl.col("minutes") == 10)
    expected = rows.select("area_id", missing=pl.col("people") - pl.col("people_covered"))
    both = communities.select("area_id").join(expected, on="area_id").join(missing, on="area_id", how="left")
    assert both["people"].fill_null(0.0).to_list() == pytest.approx(both["missing"].to_list(), abs=1e-6)
    assert both["missing"].sum() > 0
    with pytest.raises(ws.InputError, match="class"):
        ws.uncovered(run["times"], run["cells"], communities, facility_class="moonbase")


def class_filter(name: str) -> pl.Expr:
    """Rows of everybody, as adults."""
    return (pl.col("class") == name) & (pl.col("group") == "all") & (pl.col("profile") == "adult")


def test_circles_promise_more_than_streets_keep(porto_alegre: ws.Network, hexgrid: pl.DataFrame) -> None:
    """Schools of Porto Alegre within 800 m: never more on the network than in the circle of the same metres."""
    cells = hexgrid.select("id", "lon", "lat", cell="id", people="population").filter(pl.col("people") > 0)
    schools = (
        hexgrid.filter(pl.col("schools") > 0)
        .select("id", "lon", "lat")
        .with_columns(pl.lit("primary_school").alias("class"))
    )
    levels = ["estate", "community", "district"]
    table = pl.DataFrame({"id": levels, "minutes": [10.0] * 3, "radius_m": [800.0] * 3})
    both = [
        ws.coverage_by_level(porto_alegre, cells, schools, criterion=criterion, table=table, groups=[])
        for criterion in ("network_m", "radius_m")
    ]
    straight, walked = (ws.straight_line(cells, schools, radius_m=800), porto_alegre.nearest(cells, schools))
    rows = [ws.coverage(times, cells, minutes=[10], groups=[]) for times in (walked, straight)]
    gap = ws.coverage_gap(*rows)
    assert gap["share_gap"].item() > 0.05
    assert both[0]["people_covered"].item() < both[1]["people_covered"].item()


def test_capacity_for_the_people_of_an_area(run: dict[str, pl.DataFrame]) -> None:
    districts = run["areas"].filter(pl.col("level") == "district")
    cells, facilities = run["cells"], run["facilities"]
    found = ws.capacity_per_group(facilities, cells, districts, capacity="places", group="preschool_3_5", per=100)
    row = found.filter(pl.col("class") == "kindergarten", pl.col("facilities") > 0).row(0, named=True)
    assert row["capacity_per"] == pytest.approx(row["capacity"] / row["people"] * 100)
    # The districts' outlines hold their people as coverage counts them, and no more facilities than there are.
    group = pl.col("group") == "preschool_3_5"
    counted = run["coverage"].filter(group, pl.col("area_id") == row["area_id"])["people"][0]
    assert row["people"] == pytest.approx(counted, rel=1e-9)
    kindergartens = facilities.filter(pl.col("class") == "kindergarten", pl.col("state") == "open")
    assert found.filter(pl.col("class") == "kindergarten")["facilities"].sum() <= kindergartens.height
    known = kindergartens["places"].drop_nulls().sum()
    assert found.filter(pl.col("class") == "kindergarten")["capacity"].sum() <= known
    with pytest.raises(ValueError, match="capacity"):
        ws.capacity_per_group(facilities, cells, districts, capacity="chairs")


def test_a_study_lets_groups_walk_as_they_walk(tmp_path: Path) -> None:
    city = ws.synth(tmp_path / "city", nodes=1500, seed=6, progress=False)
    text = city.study.read_text("utf-8")
    own = text.replace("[coverage]", '[coverage]\ngroup_profiles = {{ {} = "senior" }}'.format("senior_60_plus"))
    city.study.write_text(own, "utf-8")
    result = ws.run(city.study, tmp_path / "out", progress=False)
    walkers = result.table("coverage").select("group", "profile").unique().sort("group")
    assert walkers.filter(pl.col("group") == "senior_60_plus")["profile"].to_list() == ["senior"]
    assert walkers.filter(pl.col("group") != "senior_60_plus")["profile"].unique().to_list() == ["adult"]
    for wrong, told in (("martians", "martians"), ('"robot"', "one of coverage.profiles")):
        old = "senior_60_plus" if wrong == "martians" else '"senior" }'
        city.study.write_text(own.replace(old, wrong if wrong == "martians" else f"{wrong} }}", 1), "utf-8")
        with pytest.raises(ws.InputError, match=told):
            ws.run(city.study, tmp_path / "out", progress=False)
