"""A year in review: towns solved by hand and by a slow twin, a synthetic city, grades, plans, and what is refused."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import math
import random
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas
import h3
import polars as pl
import pytest
import shapely
from towns import degrees

import walkshed as ws
from walkshed import cli
from walkshed.attribution import CAUSES, PARTS, add_up, facility_changes, shapley
from walkshed.grades import compare_scores, grade_order
from walkshed.plan_share import COLUMNS

# A level street with eleven homes, 133 metres, that is 100 seconds, from each to the next; ten people in each, half of
# them old. Within four minutes a shop serves its own home and two on either side. The street may be cut between homes 5
# and 6: then the way round takes half an hour.
HOMES = range(11)
WEST, EAST = range(6), range(6, 11)
DAYS = ("2024-12-31", "2025-12-31")
KEYS = ["area_id", "class", "group", "profile", "minutes"]


@dataclass(frozen=True)
class Town:
    """A town as it is: shops (and others, by their class) at homes, people, whether the street is whole, the border."""

    shops: dict[str, int] = field(default_factory=lambda: {"s1": 0})
    others: dict[str, tuple[str, int]] = field(default_factory=dict)
    people: dict[int, float] = field(default_factory=dict)
    whole: bool = True
    border_m: float = 732

    def lives(self, home: int) -> float:
        return self.people.get(home, 10.0)


def line(*corners: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([degrees(*corner) for corner in corners])


def footway(name: str, start: str, end: str, geometry: shapely.LineString) -> dict[str, Any]:
    ends = [{"connector_id": start, "at": 0.0}, {"connector_id": end, "at": 1.0}]
    return {"id": name, "subtype": "road", "class": "footway", "connectors": ends, "geometry": geometry}


STUDY = """
[study]
name = "town"
resolution = 15
[streets]
overture = "segments.parquet"
[facilities]
path = "facilities.parquet"
[population]
path = "people.parquet"
groups = ["old"]
[areas]
path = "areas.geojson"
[coverage]
minutes = [4]
[refresh]
[refresh.gates]
coverage_move_share = 1.0
people_move_share = 1.0
rows_shrink_share = 1.0
"""


def write(folder: Path, town: Town) -> None:
    """The files of a town, as a user would bring them."""
    folder.mkdir(exist_ok=True)
    cut = [] if town.whole else [6]
    ways = [
        footway(f"s{home}", f"h{home - 1}", f"h{home}", line((133 * home - 133, 0), (133 * home, 0)))
        for home in HOMES[1:]
        if home not in cut
    ]
    ways.append(footway("round", "h5", "far", line((665, 0), (731, 1500))))
    ways.append(footway("back", "far", "h6", line((731, 1500), (798, 0))))
    geopandas.GeoDataFrame(ways, crs=4326).to_parquet(folder / "segments.parquet")
    cells = [h3.str_to_int(h3.latlng_to_cell(lat, lon, 15)) for lon, lat in (degrees(133 * home, 0) for home in HOMES)]
    people = [town.lives(home) for home in HOMES]
    table = pl.DataFrame({"cell": cells, "people": people}, schema={"cell": pl.UInt64, "people": pl.Float64})
    table.with_columns(old=pl.col("people") / 2).write_parquet(folder / "people.parquet")
    stand = {name: ("shop", home) for name, home in town.shops.items()} | town.others
    rows = [(name, kind, *degrees(133 * home, 0)) for name, (kind, home) in stand.items()]
    pl.DataFrame(rows, schema=["id", "class", "lon", "lat"], orient="row").write_parquet(folder / "facilities.parquet")
    ends = (-60, town.border_m, 1400)
    outlines = [
        shapely.Polygon([degrees(*at) for at in ((start, -60), (end, -60), (end, 60), (start, 60))])
        for start, end in itertools.pairwise(ends)
    ]
    areas = geopandas.GeoDataFrame({"area_id": ["west", "east"]}, geometry=outlines, crs=4326)
    areas.to_file(folder / "areas.geojson")


def years(folder: Path, *towns: Town, study: str = STUDY) -> ws.Tables:
    """Releases of a town, one a year."""
    for town, day in zip(towns, DAYS, strict=True):
        write(folder, town)
        (folder / "STUDY.toml").write_text(study, "utf-8")
        done = ws.refresh(folder / "STUDY.toml", as_of=day, progress=False)
        assert done.status == "published"
    return done.tables


def opens(name: str, home: int, kind: str = "shop") -> ws.OpenFacility:
    return ws.OpenFacility(name, kind, degrees(133 * home, 0))


def built(*edits: Any, **columns: Any) -> ws.Projects:
    """A ledger of one project."""
    table = pl.DataFrame({"project_id": ["P-1"], "declared_on": ["2024-01-10"], "completed_on": ["2025-06-01"]})
    rows = {"accepted_on": "2025-07-01", "community_ids": "west"} | columns
    table = table.with_columns(**{name: pl.lit(value) for name, value in rows.items()})
    return ws.read_projects(table, deliverables={"P-1": ws.Scenario(edits)}, as_of=DAYS[1])


def parts_of(found: ws.Evaluation, area: str | None = None, group: str = "all", kind: str = "shop") -> dict[str, float]:
    """The parts of one row that are not 0, and its change."""
    mine = pl.col("area_id").eq_missing(pl.lit(area, pl.String)) & (pl.col("group") == group)
    (row,) = found.attribution.filter(mine & (pl.col("class") == kind)).iter_rows(named=True)
    parts = [row[part] for part in PARTS]
    for order in (parts, parts[::-1], sorted(parts)):
        assert sum(order) == row["change"]
    return {name: row[name] for name in ("change", *PARTS) if row[name]}


@pytest.mark.parametrize(
    ("before", "after", "plan", "want"),
    [
        # A shop at home 4 serves home 6 only where the street goes on to it.
        (Town({"s1": 4}, whole=False), Town({"s1": 4}), None, {"streets": 10}),
        (Town(), Town(people={0: 30, 9: 25}), None, {"people": 20}),
        # Homes 6 to 10.
        (Town(), Town({"s1": 0, "P-1": 8}), built(opens("P-1", 8)), {"projects": 50}),
        (Town(), Town({"s1": 0, "new": 8}), None, {"openings": 50}),
        (Town({"s1": 0, "s2": 8}), Town({"s1": 0}), None, {"closures": -50}),
        (Town({"s1": 0, "s2": 8}), Town({"s1": 0}), built(ws.CloseFacility("s2")), {"projects": -50}),
        # From homes 0 to 2 to homes 6 to 10.
        (Town(), Town({"s1": 8}), None, {"openings": 20}),
        (Town(), Town({"s1": 8}), built(ws.MoveFacility("s1", degrees(1064, 0))), {"projects": 20}),
        # An id under another class is no closure.
        (
            Town({"s1": 0, "x": 8}, {"y": ("canteen", 0)}),
            Town({"s1": 0}, {"y": ("canteen", 0), "x": ("canteen", 8)}),
            None,
            {"openings": -50},
        ),
        # What the ledger says of another facility, or what is not done, explains nothing.
        (Town(), Town({"s1": 0, "new": 8}), built(opens("P-1", 8)), {"openings": 50}),
        (
            Town(),
            Town({"s1": 0, "P-1": 8}),
            built(opens("P-1", 8), completed_on="2026-01-01", accepted_on="2026-01-01"),
            {"openings": 50},
        ),
    ],
)
def test_one_cause_alone_has_the_whole_change(
    tmp_path: Path, before: Town, after: Town, plan: ws.Projects | None, want: dict[str, float]
) -> None:
    found = ws.evaluate(years(tmp_path / "town", before, after), 0, projects=plan, minutes=4, progress=False)
    (change,) = want.values()
    assert parts_of(found) == {"change": change, **want}
    half = {name: people / 2 for name, people in want.items()}
    assert parts_of(found, group="old") == {"change": change / 2, **half}
    assert found.causes == tuple(want) and found.days == tuple(map(dt.date.fromisoformat, DAYS))
    areas = [parts_of(found, area) for area in ("west", "east")]
    for name in want:
        assert sum(area.get(name, 0) for area in areas) == change


@pytest.mark.parametrize(
    ("before", "after", "plan", "want"),
    [
        # A shop at home 6 serves homes 6 to 8, and 4 and 5 only together with the street that is built: 20 are halved.
        (Town(whole=False), Town({"s1": 0, "P-1": 6}), built(opens("P-1", 6)), {"streets": 10, "projects": 40}),
        # Twenty people move to home 8, where a shop opens: neither alone covers them.
        (Town(), Town({"s1": 0, "new": 8}, people={8: 30}), None, {"people": 10, "openings": 60}),
        # One closes, another opens in its place: neither has changed anything together, each has alone.
        (Town({"s1": 10, "s2": 0}), Town({"s1": 10, "s3": 0}), None, {"closures": -15, "openings": 15}),
        # Two shops at one place close, one of them by a project: either would have kept the 30.
        (
            Town({"s1": 10, "s2": 0, "s3": 0}),
            Town({"s1": 10}),
            built(ws.CloseFacility("s3")),
            {"projects": -15, "closures": -15},
        ),
        # Only all three cover home 5, where nobody lived: the street, the people, the shop beyond it have a third each.
        # Homes 6 to 9 need the shop alone.
        (
            Town(people={4: 0, 5: 0}, whole=False),
            Town({"s1": 0, "new": 7}, people={4: 0, 5: 60}),
            None,
            {"streets": 20, "people": 20, "openings": 20 + 40},
        ),
    ],
)
def test_what_only_two_bring_together_is_halved(
    tmp_path: Path, before: Town, after: Town, plan: ws.Projects | None, want: dict[str, float]
) -> None:
    found = ws.evaluate(years(tmp_path / "town", before, after), 0, projects=plan, minutes=4, progress=False)
    row = parts_of(found)
    change = row.pop("change", 0.0)
    assert row == pytest.approx(want, rel=1e-12) and change == pytest.approx(sum(want.values()))
    assert found.recomputed["rows_differ"].to_list() == [0, 0]


def test_borders_come_first_and_the_rest_is_counted_within_the_new_ones(tmp_path: Path) -> None:
    # The border moves from between homes 5 and 6 to between 7 and 8, and a shop opens at home 9.
    tables = years(tmp_path / "town", Town({"s1": 6}), Town({"s1": 6, "new": 9}, border_m=998))
    found = ws.evaluate(tables, 0, minutes=4, progress=False)
    assert parts_of(found) == {"change": 20, "openings": 20}
    # Homes 4 to 8 were covered; 6 and 7 went over to the west with it; 9 and 10 are covered now.
    assert parts_of(found, "west") == {"change": 20, "borders": 20}
    assert parts_of(found, "east") == {"borders": -20, "openings": 20}
    assert set(found.scores["border"]) == {"changed"}


def test_new_and_gone_areas_are_borders(tmp_path: Path) -> None:
    folder = tmp_path / "town"
    for number, (name, town) in enumerate((("east", Town()), ("far east", Town({"s1": 0, "new": 8})))):
        write(folder, town)
        areas = geopandas.read_file(folder / "areas.geojson")
        areas["area_id"] = ["west", name]
        areas.to_file(folder / "areas.geojson")
        (folder / "STUDY.toml").write_text(STUDY)
        tables = ws.refresh(folder / "STUDY.toml", as_of=DAYS[number], progress=False).tables
    found = ws.evaluate(tables, 0, minutes=4, progress=False)
    assert dict(found.scores.select("area_id", "border").iter_rows()) == {
        "west": "same",
        "far east": "new",
        "east": "gone",
    }
    assert parts_of(found, "far east") == {"change": 50, "openings": 50}
    assert parts_of(found, "east") == {}
    first = found.communities.filter((pl.col("area_id") == "east") & (pl.col("group") == "all")).row(0, named=True)
    assert (first["people_before"], first["people_after"], first["people_covered_after"]) == (50, None, None)
    assert found.recomputed["rows_differ"].to_list() == [0, 0]


def hops(town: Town, start: int, end: int) -> float:
    return abs(start - end) if town.whole or (start in WEST) == (end in WEST) else math.inf


def twin_covered(town: Town, area: str | None, group: str) -> float:
    """People of an area who reach a shop, counted home by home."""
    near = [home for home in HOMES if any(hops(town, home, at) <= 2 for at in town.shops.values())]
    inside = [home for home in near if area is None or (133 * home < town.border_m) == (area == "west")]
    return math.fsum(town.lives(home) for home in inside) / (2 if group == "old" else 1)


def twin_parts(before: Town, after: Town, causes: dict[str, str], area: str | None, group: str) -> dict[str, float]:
    """The parts by their definition: every order of the causes, one after the other."""
    names = sorted({*before.shops, *after.shops})

    def world(come: tuple[str, ...]) -> Town:
        sides = {name: after if causes.get(name) in come else before for name in names}
        shops = {name: side.shops[name] for name, side in sides.items() if name in side.shops}
        whole = after.whole if "streets" in come else before.whole
        return Town(shops, {}, (after if "people" in come else before).people, whole, after.border_m)

    parts = dict.fromkeys(CAUSES, 0.0)
    orders = list(itertools.permutations(CAUSES))
    for order in orders:
        for place, cause in enumerate(order):
            with_it, without = (twin_covered(world(order[:end]), area, group) for end in (place + 1, place))
            parts[cause] += (with_it - without) / len(orders)
    return {"borders": twin_covered(world(()), area, group) - twin_covered(before, area, group), **parts}


def random_town(dice: random.Random, names: list[str]) -> Town:
    shops = {name: dice.choice(HOMES) for name in names if dice.random() < 0.6}
    people = {home: dice.choice([0.0, 7.5, 12.0, 31.25]) for home in HOMES}
    return Town({"keep": 0, **shops}, {}, people, dice.random() < 0.5, dice.choice([598, 732, 865]))


def random_years(dice: random.Random) -> tuple[Town, Town]:
    names = [f"s{number}" for number in range(4)]
    before, after = random_town(dice, names), random_town(dice, names)
    # Not everything changes every year.
    for name in ("people", "whole", "border_m", "shops"):
        if dice.random() < 0.35:
            after = replace(after, **{name: getattr(before, name)})
    return before, after


def random_causes(dice: random.Random, before: Town, after: Town) -> tuple[dict[str, str], ws.Projects | None]:
    """The cause of every shop that differs, and a ledger that explains some of them."""
    causes, plans = {}, {}
    for name in sorted({*before.shops, *after.shops}):
        was, now = before.shops.get(name), after.shops.get(name)
        if was == now:
            continue
        causes[name] = "closures" if now is None else "openings"
        if dice.random() < 0.4:
            causes[name] = "projects"
            edit = (
                ws.CloseFacility(name)
                if now is None
                else opens(name, now)
                if was is None
                else ws.MoveFacility(name, degrees(133 * now, 0))
            )
            plans[f"P-{name}"] = ws.Scenario([edit])
    if not plans:
        return causes, None
    table = pl.DataFrame({"project_id": list(plans)}).with_columns(
        declared_on=pl.lit("2024-01-10"), accepted_on=pl.lit("2025-07-01"), community_ids=pl.lit("west")
    )
    return causes, ws.read_projects(table, deliverables=plans, as_of=DAYS[1])


@pytest.mark.parametrize("seed", range(24))
def test_the_parts_are_those_of_every_order_one_after_the_other(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    before, after = random_years(dice)
    if before == after:
        after = replace(after, whole=not after.whole)
    causes, plan = random_causes(dice, before, after)
    tables = years(tmp_path / "town", before, after)
    found = ws.evaluate(tables, 0, projects=plan, minutes=4, progress=False)
    assert found.recomputed["rows_differ"].to_list() == [0, 0]
    assert dict(found.facilities.select("id", "cause").iter_rows()) == causes
    for area, group in itertools.product((None, "west", "east"), ("all", "old")):
        mine = pl.col("area_id").eq_missing(pl.lit(area, pl.String)) & (pl.col("group") == group)
        (row,) = found.attribution.filter(mine).iter_rows(named=True)
        (told,) = found.communities.filter(mine).iter_rows(named=True)
        want = twin_parts(before, after, causes, area, group)
        for name, people in want.items():
            # The border runs along edges of cells: these are shared to 1e-9 of themselves.
            assert row[name] == pytest.approx(people, abs=1e-6), (name, area, group)
        change = twin_covered(after, area, group) - twin_covered(before, area, group)
        assert told["change"] == told["people_covered_after"] - told["people_covered_before"]
        assert told["change"] == pytest.approx(change, abs=1e-6)
        assert row["change"] == pytest.approx(change, abs=1e-6) and row["method"] == 0
        parts = [row[part] for part in PARTS]
        assert row["change"] == sum(parts) == sum(reversed(parts)) == math.fsum(parts)
        differ = [cause for cause in CAUSES if cause in found.causes]
        if len(differ) == 1 and before.border_m == after.border_m:
            assert row[differ[0]] == row["change"]
        assert all(row[cause] == 0 for cause in CAUSES if cause not in found.causes)


@pytest.mark.parametrize("seed", range(8))
def test_what_is_rounded_adds_up_exactly_in_any_order(seed: int) -> None:
    dice = random.Random(seed)
    rows = []
    for _ in range(500):
        scale = 10.0 ** dice.randrange(-9, 9)
        parts = [dice.choice([0.0, dice.uniform(-1, 1) * scale, dice.uniform(-1, 1)]) for _ in range(7)]
        rows.append([math.fsum(parts), *parts])
    names = [f"p{place}" for place in range(7)]
    table = pl.DataFrame(rows, schema=["total", *names], orient="row")
    rounded = add_up(table, "total", names)
    for was, now in zip(rows, rounded.iter_rows(), strict=True):
        size = math.fsum(abs(part) for part in was[1:])
        for _ in range(5):
            order = dice.sample(now[1:], 7)
            assert sum(order) == now[0]
        assert all(abs(a - b) <= 1e-14 * size for a, b in zip(was, now, strict=True))
        assert all(b == 0 for a, b in zip(was[1:], now[1:], strict=True) if a == 0)
    blank = table.head(1).with_columns(pl.lit(None, pl.Float64).alias(name) for name in table.columns)
    assert add_up(blank, "total", names).null_count().row(0) == (1,) * 8


def test_shapley_values_of_a_glove_market() -> None:
    """One left glove and two right ones; a pair is worth 1."""
    causes = ("left", "right", "other right")
    pair = {
        frozenset(come): pl.Series([float("left" in come and len(come) > 1)])
        for size in range(4)
        for come in itertools.combinations(causes, size)
    }
    parts = {cause: part.item() for cause, part in shapley(pair, causes).items()}
    assert parts == pytest.approx({"left": 2 / 3, "right": 1 / 6, "other right": 1 / 6})


def test_facilities_that_differ_are_listed_with_what_they_were() -> None:
    columns = {"name": "a", "lat": 1.0, "level": None, "geometry": b"x"}

    def table(*rows: tuple[str, str, float]) -> pl.DataFrame:
        told = pl.DataFrame(rows, schema=["class", "id", "lon"], orient="row")
        values = {name: pl.lit(value) for name, value in columns.items()}
        return told.with_columns(**values).cast({"level": pl.Float64})

    stays = ("a", "same", 1.0), ("b", "both", 1.0)
    before = table(*stays, ("a", "moved", 1), ("a", "gone", 1), ("a", "other", 1))
    after = table(*stays, ("a", "moved", 2), ("a", "new", 1), ("b", "other", 1), ("a", "both", 1))
    found = facility_changes(before, after)
    assert found.select("class", "id", "state", "class_before", "class_after", "lon_before", "lon_after").rows() == [
        ("a", "both", "new", None, None, None, 1.0),
        ("a", "gone", "gone", None, None, 1.0, None),
        ("a", "moved", "moved", None, None, 1.0, 2.0),
        ("a", "new", "new", None, None, None, 1.0),
        ("a", "other", "gone", None, "b", 1.0, None),
        ("b", "other", "new", "a", None, None, 1.0),
    ]
    floor = before.with_columns(level=pl.lit(2.0))
    assert facility_changes(before.head(1), floor.head(1))["state"].to_list() == ["moved"]
    assert facility_changes(before, before.reverse()).is_empty()


def test_every_edit_of_a_project_is_told_what_it_explains(tmp_path: Path) -> None:
    before = Town({"s1": 0, "old": 2, "there": 3, "stays": 4})
    after = Town({"s1": 0, "there": 3, "stays": 4, "new": 8, "gis": 9})
    tables = years(tmp_path / "town", before, after)
    edits = {
        "P-new": [opens("new", 8)],
        "P-twice": [opens("new", 8)],
        "P-old": [ws.CloseFacility("old"), ws.CloseFacility("never")],
        "P-there": [opens("there", 3), ws.ResizeFacility("there", {"places": 9})],
        "P-not": [opens("nowhere", 1), ws.CloseFacility("stays"), ws.MoveFacility("lost", degrees(0, 0))],
        "P-way": [ws.AddLink("stairs", degrees(0, 0), degrees(0, 40)), ws.NewHomes(degrees(0, 0), 5)],
        "P-gis": [opens("P-gis", 9)],
        "P-late": [opens("gis", 9)],
        "P-mute": [],
    }
    done = {"P-late": "2026-03-01"}
    table = pl.DataFrame({"project_id": list(edits), "accepted_on": [done.get(name, "2025-07-01") for name in edits]})
    plans = {name: ws.Scenario(each) for name, each in edits.items()}
    projects = ws.read_projects(table.with_columns(community_ids=pl.lit("west")), deliverables=plans, as_of=DAYS[1])
    as_built = {"P-gis": ws.Scenario([opens("gis", 9)])}
    found = ws.evaluate(tables, 0, projects=projects, as_built=as_built, minutes=4, progress=False)
    assert found.built.select("project_id", "edit", "state", "reason").rows() == [
        ("P-new", "open_facility", "new", None),
        ("P-twice", "open_facility", "new", "another_project"),
        ("P-old", "close_facility", "gone", None),
        ("P-old", "close_facility", None, "already_so"),
        ("P-there", "open_facility", None, "already_so"),
        ("P-there", "resize_facility", None, "amounts"),
        ("P-not", "open_facility", None, "not_so"),
        ("P-not", "close_facility", None, "not_so"),
        ("P-not", "move_facility", None, "not_so"),
        ("P-way", "add_link", None, "streets"),
        ("P-way", "new_homes", None, "people"),
        ("P-gis", "open_facility", "new", None),
        ("P-mute", None, None, "no_deliverable"),
    ]
    assert found.facilities.select("id", "cause", "project_id").rows() == [
        ("gis", "projects", "P-gis"),
        ("new", "projects", "P-new"),
        ("old", "projects", "P-old"),
    ]
    assert "1 completed project(s) do not show" in found.summary()
    assert "1 个已完成项目未见于数据；1 个已完成项目未说明建设内容" in found.summary(chinese=True)
    with pytest.raises(ValueError, match="P-9"):
        ws.evaluate(tables, 0, projects=projects, as_built={"P-9": ws.Scenario([])}, minutes=4, progress=False)


def test_the_plan_is_held_against_the_ledger(tmp_path: Path) -> None:
    tables = years(tmp_path / "town", Town(), Town({"s1": 0, "P-1": 8}))
    columns = {
        "project_id": ["P-1", "P-2", "P-3", "P-4", "P-5"],
        "completed_on": ["2025-06-01", None, "2024-05-01", None, None],
        "accepted_on": [None, None, None, "2026-02-01", None],
        "stage": [None, None, None, None, "completed"],
        "planned_completion_on": ["2025-05-01", "2025-12-31", "2024-12-31", "2026-03-01", None],
        "budget_yuan": [300.0, 100.0, 100.0, None, 50.0],
        "spent_yuan": [310.0, None, 90.0, None, None],
    }
    table = pl.DataFrame(columns).with_columns(declared_on=pl.lit("2024-01-01"), community_ids=pl.lit("west"))
    projects = ws.read_projects(table, as_of=DAYS[1])
    plan = ws.evaluate(tables, 0, projects=projects, minutes=4, progress=False).plan
    assert plan.projects.select("project_id", "due", "done", "late").rows() == [
        ("P-1", "period", True, False),
        ("P-2", "period", False, True),
        ("P-3", "earlier", True, False),
        ("P-4", "later", False, False),
        ("P-5", "unplanned", True, False),
    ]
    shares = {row["due"]: row for row in plan.share.iter_rows(named=True)}
    assert list(shares) == ["earlier", "period", "due", "later", "unplanned", "all"]
    assert [shares["due"][name] for name in ("projects", "done", "budget_yuan", "budget_done_yuan")] == [3, 2, 500, 400]
    assert shares["period"]["done_share"] == 0.5 and shares["period"]["budget_share"] == 0.75
    assert (shares["later"]["budget_yuan"], shares["later"]["budget_unknown"]) == (None, 1)
    assert (shares["all"]["projects"], shares["all"]["done"], shares["all"]["spent_yuan"]) == (5, 3, 400)
    nothing = ws.evaluate(tables, 0, minutes=4, progress=False).plan
    assert nothing.projects.is_empty() and nothing.share["projects"].to_list() == [0] * 6
    assert nothing.share["done_share"].null_count() == 6 and nothing.targets.is_empty()


def test_targets_are_met_or_people_are_missing(tmp_path: Path) -> None:
    # Before, homes 0 to 2 are covered; after, 6 to 10 too: all five of the east, three of six of the west.
    tables = years(tmp_path / "town", Town(), Town({"s1": 0, "new": 8}))
    file = tmp_path / "plan.csv"
    file.write_text(
        "社区,设施类别,目标覆盖率,目标人数,group\n"
        ",shop,90%,,\n"
        "east,shop,1,,\n"
        "west,shop,,50,\n"
        "west,shop,50 %,,old\n"
        "east,社区食堂,0.5,,\n"
        "north,shop,0.5,,\n"
        "west,shopp,0.5,,\n"
        "west,shop,0.5,,infants\n"
        "west,shop,0.5,10,\n"
        "west,,0.5,,\n"
        "west,shop,1.5,,\n"
        "west,shop,half,,\n",
        "utf-8",
    )
    with pytest.warns(ws.RejectedRowsWarning, match="one of the two"):
        found = ws.evaluate(tables, 0, plan=file, minutes=4, progress=False)
    plan = found.plan
    columns = ["row", "people", "people_covered", "wanted_people", "missing_people", "met", "reason"]
    assert plan.targets.select(columns).with_columns(pl.selectors.float().round(6)).rows() == [
        (1, 110, 80, 99, 19, False, None),
        (2, 50, 50, 50, 0, True, None),
        (3, 60, 30, 50, 20, False, None),
        (4, 30, 15, 15, 0, True, None),
        (5, 50, 0, 25, 25, False, None),
        (6, None, None, None, None, None, "unknown_area"),
        (7, None, None, None, None, None, "unknown_class"),
        (8, None, None, None, None, None, "not_computed"),
    ]
    first = plan.targets.row(0, named=True)
    assert first["achieved_share"] == pytest.approx(80 / 99) and first["way_share"] == pytest.approx(50 / 69)
    assert (first["area_id"], first["group"], first["profile"], first["minutes"]) == (None, "all", "adult", 4)
    assert first["share"] == pytest.approx(8 / 11) and plan.targets["way_share"][3] is None
    assert plan.rejected.select("row", "column", "reason").rows() == [
        (9, "目标覆盖率", "one_target"),
        (10, "设施类别", "missing_class"),
        (11, "目标覆盖率", "out_of_range"),
        (12, "目标覆盖率", "not_a_number"),
    ]
    assert "targets: 2 of 8 met, 3 not known, 64.0 people missing" in found.summary()
    assert "目标 8 项：达成 2，无法判断 3" in found.summary(chinese=True)
    with pytest.raises(ws.InputError, match="class"):
        ws.evaluate(tables, 0, plan=pl.DataFrame({"target_share": [0.5]}), minutes=4, progress=False)


STANDARD = """
schema = "scoring-standard/1"
[standard]
id = "street"
name_zh = "街道标准"
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
[[item]]
id = "i"
category = "c"
name_zh = "商店"
points = [
  { id = "near", kind = "coverage_share", class = "shop", minutes = 4, full_at = 1.0, weight = 90 },
  { id = "seen", kind = "manual", ask = "有无障碍入口", scale = "bool", weight = 10 },
]
"""


def test_communities_that_moved_grade_are_told_with_their_points(tmp_path: Path) -> None:
    folder = tmp_path / "town"
    folder.mkdir()
    (folder / "street.toml").write_text(STANDARD, "utf-8")
    study = STUDY.replace("[refresh]\n", '[refresh]\nstandard = "street.toml"\n')
    # West: 30 of 60 are covered, before and after; east: nobody, then everybody.
    tables = years(folder, Town(), Town({"s1": 0, "new": 8}), study=study)
    found = ws.evaluate(tables, 0, minutes=4, progress=False)
    scores = {row["area_id"]: row for row in found.scores.iter_rows(named=True)}
    east = scores["east"]
    assert (east["low_before"], east["high_before"], east["low_after"], east["high_after"]) == (0, 10, 90, 100)
    assert (east["grade_before"], east["grade_after"]) == ("gaps", "whole")
    assert (east["moved"], east["moved_reason"]) == ("up", None)
    assert (scores["west"]["moved"], scores["west"]["moved_reason"]) == (None, "same")
    (point,) = found.moved.iter_rows(named=True)
    assert (point["area_id"], point["point"]) == ("east", "near")
    assert (point["status_before"], point["status_after"]) == ("fail", "pass")
    assert point["value_after"] == 1 and point["evidence_after"] and point["evidence_zh_before"]
    assert "grades: 1 up, 0 down, 1 the same" in found.summary()
    assert "等级：上升 1、下降 0、不变 1" in found.summary(chinese=True)
    back = ws.evaluate(reversed_years(tables, folder, study), 0, minutes=4, progress=False)
    assert back.scores.filter(pl.col("moved") == "down")["area_id"].to_list() == ["east"]


def reversed_years(tables: ws.Tables, folder: Path, study: str) -> ws.Tables:
    shutil.rmtree(tables.folder)
    return years(folder, Town({"s1": 0, "new": 8}), Town(), study=study)


def card(**rows: tuple[float, float, str, str]) -> pl.DataFrame:
    """Scores of areas: low, high and the grades of both."""
    table = pl.DataFrame(list(rows.values()), schema=["low", "high", "grade_low", "grade_high"], orient="row")
    table = table.insert_column(0, pl.Series("area_id", list(rows)))
    sure = pl.when(pl.col("grade_low") == pl.col("grade_high")).then("grade_low")
    return table.with_columns(grade=sure)


def test_a_grade_that_is_not_known_moves_only_where_it_is_sure() -> None:
    areas = pl.DataFrame({"area_id": ["a", "b", "c", "d", "e"], "name": None}, schema_overrides={"name": pl.String})
    low, mid, top = (10, 30, "low", "low"), (60, 60, "mid", "mid"), (90, 95, "top", "top")
    before = card(a=low, b=(10, 60, "low", "mid"), c=top, d=mid)
    after = card(a=(60, 95, "mid", "top"), b=mid, c=(30, 60, "low", "mid"), e=low)
    found = compare_scores(areas, before, after).select("area_id", "moved", "moved_reason").rows()
    assert found == [
        ("a", "up", None),
        ("b", None, "unknown_decides"),
        ("c", "down", None),
        ("d", None, "not_scored_after"),
        ("e", None, "not_scored_before"),
    ]
    assert grade_order([before, after]) == ["low", "mid", "top"]
    # 60 was a middle score, and is a low one now: of another standard.
    other = compare_scores(areas.head(2), before, after.with_columns(grade_low=pl.lit("low")))
    assert other["moved"].null_count() == 2 and set(other["moved_reason"]) == {"other_grades"}
    assert set(compare_scores(areas, None, None)["moved_reason"]) == {"not_scored"}


def test_a_year_in_which_nothing_counts_differs_in_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "town"
    found = ws.evaluate(years(folder, Town(), Town(border_m=733)), 0, minutes=4, progress=False)
    assert found.causes == () and found.facilities.is_empty()
    assert found.attribution.select(pl.col(PARTS).abs().sum()).row(0) == (0,) * len(PARTS)
    assert "nothing" in repr(found) and "what differs: nothing" in found.summary()
    assert "变化因素：无" in found.summary(chinese=True)


def test_what_only_one_release_counts_is_not_compared(tmp_path: Path) -> None:
    folder = tmp_path / "town"
    first = STUDY.replace("minutes = [4]", "minutes = [2, 4]")
    write(folder, Town())
    (folder / "STUDY.toml").write_text(first)
    ws.refresh(folder / "STUDY.toml", as_of=DAYS[0], progress=False)
    write(folder, Town({"s1": 0}, {"c1": ("canteen", 3)}))
    second = STUDY.replace("minutes = [4]", 'minutes = [4, 6]\nprofiles = ["adult", "senior"]')
    (folder / "STUDY.toml").write_text(second)
    tables = ws.refresh(folder / "STUDY.toml", as_of=DAYS[1], progress=False).tables
    found = ws.evaluate(tables, 0, minutes=4, progress=False)
    rows = found.attribution.filter(pl.col("area_id").is_null() & (pl.col("group") == "all"))
    told = rows.select("class", "profile", "minutes", "change", "reason").rows()
    assert {row[:3]: row[3:] for row in told} == {
        ("shop", "adult", 2.0): (None, "only_before"),
        ("shop", "adult", 4.0): (0, None),
        ("shop", "adult", 6.0): (None, "only_after"),
        ("shop", "senior", 4.0): (None, "only_after"),
        ("shop", "senior", 6.0): (None, "only_after"),
        # The first canteen of the town: homes 1 to 5.
        ("canteen", "adult", 4.0): (50, "class_new"),
        ("canteen", "adult", 6.0): (None, "only_after"),
        ("canteen", "senior", 4.0): (None, "only_after"),
        ("canteen", "senior", 6.0): (None, "only_after"),
    }
    first = pl.col("area_id").is_null() & (pl.col("group") == "all") & (pl.col("minutes") == 4)
    assert parts_of(replace(found, attribution=rows.filter(pl.col("change").is_not_null())), kind="canteen") == {
        "change": 50,
        "openings": 50,
    }
    new = found.communities.filter(first & (pl.col("class") == "canteen") & (pl.col("profile") == "adult"))
    told = new.select("people_before", "people_covered_before", "share_before", "share_after").row(0)
    assert told == (110, 0, 0, 50 / 110)


def test_another_way_to_walk_is_no_change_of_the_city(tmp_path: Path) -> None:
    folder = tmp_path / "town"
    own = STUDY.replace("minutes = [4]", 'minutes = [4]\nprofiles = ["own"]')
    for day, town, speed in zip(DAYS, (Town({"s1": 4}), Town({"s1": 4}, people={4: 15})), (1.33, 0.7), strict=True):
        write(folder, town)
        profile = f'[[profile]]\nname = "own"\nflat_mps = {speed}\nslope = "level"\n'
        profile += "stairs_up_mps = 0.3\nstairs_down_mps = 0.3\n"
        (folder / "STUDY.toml").write_text(own + profile)
        tables = ws.refresh(folder / "STUDY.toml", as_of=day, progress=False).tables
    found = ws.evaluate(tables, 0, minutes=4, progress=False)
    # Homes 2 to 6 at first; at half the speed 3 to 5.
    assert parts_of(found) == {"change": -15, "people": 5, "method": -20}
    assert found.recomputed.select("settings", "rows_differ", "people_differ").rows()[0] == ("other", 6, 20)
    assert found.recomputed.select("settings", "rows_differ").rows()[1] == ("same", 0)
    assert "see method" in found.summary() and "计算方法" in found.summary(chinese=True)


def test_without_a_ledger_the_plan_is_that_of_the_release(tmp_path: Path) -> None:
    folder = tmp_path / "town"
    folder.mkdir()
    days = "declared_on,accepted_on,planned_completion_on"
    (folder / "projects.csv").write_text(
        f"project_id,community_ids,{days},budget_yuan\n"
        "P-1,west,2024-01-10,2025-07-01,2025-06-30,100\n"
        "P-2,east,2024-01-10,2026-07-01,2025-06-30,300\n"
    )
    study = STUDY.replace("[refresh]\n", '[refresh]\nprojects = "projects.csv"\n')
    tables = years(folder, Town(), Town({"s1": 0, "P-1": 8}), study=study)
    found = ws.evaluate(tables, 0, minutes=4, progress=False)
    (period,) = found.plan.share.filter(pl.col("due") == "period").iter_rows(named=True)
    assert (period["projects"], period["done"], period["budget_share"]) == (2, 1, 0.25)
    assert found.facilities["cause"].to_list() == ["openings"] and found.built.is_empty()


# ---- a synthetic city ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> ws.SyntheticCity:
    return ws.synth(tmp_path_factory.mktemp("synthetic") / "city", nodes=1500, progress=False)


def study_of(city: ws.SyntheticCity, folder: Path, standard: str | None = "mohurd_2020", **sections: str) -> Path:
    """A copy of the city's study with other sections, which keeps tables."""
    shutil.copytree(city.folder, folder)
    path = folder / "STUDY.toml"
    text = path.read_text("utf-8")
    for name, section in sections.items():
        start = text.index(f"[{name}]")
        end = text.find("\n[", start)
        text = text[:start] + section + text[end if end > 0 else len(text) :]
    gates = "[refresh.gates]\ncoverage_move_share = 1.0\npeople_move_share = 1.0\nrows_shrink_share = 1.0\n"
    scored = "" if standard is None else f'standard = "{standard}"\n'
    path.write_text(f"{text}\n[refresh]\ntile_resolution = 8\n{scored}{gates}", "utf-8")
    return path


WALKS = '[coverage]\nminutes = [5, 15]\nprofiles = ["adult", "slow"]\ndirection = "from_facility"\n'
SLOW = '[[profile]]\nname = "slow"\nflat_mps = 0.7\nslope = "tobler"\nstairs_up_mps = 0.3\nstairs_down_mps = 0.3\n'


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"areas": "[areas]\nh3 = 9\n"},
        {"areas": ""},
        {"coverage": WALKS + '[coverage.group_profiles]\nsenior_60_plus = "slow"\n' + SLOW},
        {"study": '[study]\nname = "city"\nresolution = 10\nanalysis_crs = "gcj02"\n'},
    ],
    ids=["communities", "h3", "one area", "own profile", "gcj02"],
)
def test_the_city_of_a_release_gives_its_coverage_to_the_bit(
    city: ws.SyntheticCity, tmp_path: Path, sections: dict[str, str]
) -> None:
    standard = None if sections.get("areas") == "" else "mohurd_2020"
    study = study_of(city, tmp_path / "city", standard, **sections)
    assert_the_same(ws.refresh(study, as_of=DAYS[0], progress=False).tables)


@pytest.mark.filterwarnings("ignore::walkshed.RejectedRowsWarning")
def test_the_map_of_a_real_city_has_floors_and_many_doors_and_gives_the_same(helsinki: Path, tmp_path: Path) -> None:
    tables = ws.refresh(helsinki, tmp_path / "tables", as_of=DAYS[0], progress=False).tables
    doors = tables.read("facilities")
    assert doors["level"].count() > 10 and (doors["doors"] > 1).sum() > 10
    assert_the_same(tables)


def assert_the_same(tables: ws.Tables) -> None:
    """Coverage that is computed again of the city of a release is what was published, every row of it."""
    found, areas = ws.city_of(tables, 0)
    record = tables.history[0]
    assert found.as_of == DAYS[0] and found.network.analysis_crs == record["analysis_crs"]
    published = tables.read("coverage", 0).drop("tile")
    groups = [name for name in published["group"].unique(maintain_order=True) if name != "all"]
    walks = record["coverage"]
    who = [ws.Profile(**told) for told in record["profiles"]]
    how = {"direction": walks["direction"], "progress": False}
    times = [
        found.network.nearest(found.cells, found.facilities, profile=each, max_minutes=15, as_of=found.as_of, **how)
        for each in who
    ]
    again = ws.coverage(
        pl.concat(times),
        found.cells,
        areas,
        minutes=walks["minutes"],
        groups=groups,
        group_profiles=walks["group_profiles"] or None,
        profile=walks["profiles"][0],
        analysis_crs=record["analysis_crs"],
        progress=False,
    )
    assert again.sort(KEYS).equals(published.sort(KEYS))
    if not isinstance(areas, int):
        base = ws.Baseline(
            found.network, found.cells, found.facilities, areas, minutes=walks["minutes"], profiles=who,
            groups=groups, as_of=found.as_of, **how,
        ).coverage  # fmt: skip
        own = published.select(KEYS)
        assert base.join(own, on=KEYS, how="semi").sort(KEYS).select(published.columns).equals(published.sort(KEYS))


def next_year(folder: Path) -> tuple[float, float]:
    """Some cells grow, every seventh facility closes, and a canteen opens where somebody lives: its place."""
    people = pl.read_parquet(folder / "population_cells.parquet")
    counts = [
        name for name in people.columns if people.schema[name].is_numeric() and name not in ("cell", "households")
    ]
    grown = 1 + (pl.int_range(pl.len()) % 3) / 2
    more = people.with_columns((pl.col(name) * grown).alias(name) for name in counts)
    more.write_parquet(folder / "population_cells.parquet")
    doors = pl.read_parquet(folder / "facilities.parquet")
    doors = doors.with_columns(doors["geometry"].to_physical().alias("geometry"))
    cell = people["cell"][0]
    lat, lon = h3.cell_to_latlng(cell if isinstance(cell, str) else h3.int_to_str(cell))
    geometry = shapely.to_wkb(shapely.Point(lon, lat))
    new = {"id": "P-1", "class": "community_canteen", "lon": lon, "lat": lat, "status": "open", "geometry": geometry}
    canteen = pl.DataFrame([dict.fromkeys(doors.columns) | new], schema=doors.schema)
    pl.concat([doors.filter(pl.int_range(pl.len()) % 7 != 3), canteen]).write_parquet(folder / "facilities.parquet")
    return lon, lat


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"areas": "[areas]\nh3 = 9\n"},
        {"coverage": WALKS + '[coverage.group_profiles]\nsenior_60_plus = "slow"\n' + SLOW},
        {"study": '[study]\nname = "city"\nresolution = 10\nanalysis_crs = "gcj02"\n'},
    ],
    ids=["communities", "h3", "own profile", "gcj02"],
)
def test_a_synthetic_city_is_evaluated_from_end_to_end(
    city: ws.SyntheticCity, tmp_path: Path, sections: dict[str, str]
) -> None:
    study = study_of(city, tmp_path / "city", **sections)
    folder = study.parent
    ws.refresh(study, as_of=DAYS[0], progress=False)
    place = next_year(folder)
    plan = ws.Scenario([ws.OpenFacility("P-1", "community_canteen", place)])
    table = pl.DataFrame({"project_id": ["P-1"], "accepted_on": ["2025-07-01"], "community_ids": ["x"]})
    projects = ws.read_projects(table, deliverables={"P-1": plan}, as_of=DAYS[1])
    tables = ws.refresh(study, as_of=DAYS[1], progress=False).tables
    found = ws.evaluate(tables, 0, projects=projects, progress=False, minutes=15)
    assert found.recomputed.select("settings", "rows_differ").rows() == [("same", 0)] * 2
    assert {"people", "projects", "closures"} <= set(found.causes) and "streets" not in found.causes
    rows = found.attribution
    assert (rows.select(pl.sum_horizontal(PARTS)).to_series() == rows["change"]).all()
    assert rows["method"].abs().max() == rows["borders"].abs().max() == 0
    both = found.communities
    assert both.select(KEYS).equals(rows.select(KEYS))
    assert (both["change"] - rows["change"]).abs().max() < 1e-9
    for when, number in (("before", 0), ("after", 1)):
        published = tables.read("coverage", number).select(*KEYS, "people", "people_covered").sort(KEYS)
        mine = both.join(published, on=KEYS, how="semi").sort(KEYS)
        assert mine.height == published.height
        assert mine[f"people_covered_{when}"].equals(published["people_covered"].alias(f"people_covered_{when}"))
        total = tables.total(number).sort("class", "profile", "minutes")
        whole = both.filter(pl.col("area_id").is_null() & (pl.col("group") == "all")).drop_nulls(f"people_{when}")
        whole = whole.join(total, on=["class", "profile", "minutes"], how="semi").sort("class", "profile", "minutes")
        # The record of a release is text: its last digit may be another.
        assert whole[f"people_covered_{when}"].to_list() == pytest.approx(total["people_covered"].to_list(), rel=1e-14)
    # A canteen where somebody lives is worth something; nobody but its class is touched by it.
    assert rows.filter(pl.col("area_id").is_null() & (pl.col("class") == "community_canteen"))["projects"].sum() > 0
    assert rows.filter(pl.col("class") != "community_canteen")["projects"].abs().max() == 0
    gone = found.facilities.filter(pl.col("cause") == "closures")
    assert gone.height > 5 and set(gone["state"]) == {"gone"}
    assert len(found.summary().splitlines()) > 8 and found.summary() != found.summary(chinese=True)
    if "areas" not in sections:
        level = ws.evaluate(tables, 0, projects=projects, progress=False, level="社区")
        assert set(level.communities["level"]) == {None, "community"} and set(level.scores["level"]) == {"community"}
        some = rows.filter(pl.col("area_id").is_null() | (pl.col("level") == "community"))
        assert level.attribution.equals(some)


def test_the_documentation_names_every_part_and_reason() -> None:
    page = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text("utf-8")
    reasons = (
        "already_so not_so another_project amounts no_deliverable only_before only_after class_new class_gone same"
    )
    reasons += " unknown_decides not_scored not_scored_before not_scored_after other_grades"
    reasons += " earlier period due later unplanned all unknown_area unknown_class not_computed"
    words = [*PARTS, *reasons.split(), *(word for words in COLUMNS.values() for word in words)]
    assert [word for word in words if word not in page] == []


# ---- what is refused -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> ws.Tables:
    return years(tmp_path_factory.mktemp("town") / "town", Town(), Town({"s1": 0, "new": 8}))


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ({"before": 7}, LookupError, "release 7"),
        ({"before": "2001-01-01"}, LookupError, "2001-01-01"),
        ({"before": 1}, ValueError, "earlier"),
        ({"before": 0, "after": 0}, ValueError, "earlier"),
        ({"before": 0, "minutes": 15}, ValueError, "the release has 4"),
        ({"before": 0, "profile": "senior"}, ValueError, "adult"),
        ({"before": 0, "level": "社区"}, ValueError, "the areas have none"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    tables: ws.Tables, arguments: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        ws.evaluate(tables, **{"minutes": 4, "progress": False, **arguments})


def copied(tables: ws.Tables, folder: Path) -> ws.Tables:
    shutil.copytree(tables.folder, folder)
    return ws.Tables(folder)


def test_files_that_are_not_there_are_named(tables: ws.Tables, tmp_path: Path) -> None:
    copy = copied(tables, tmp_path / "tables")
    (copy.folder / copy.history[0]["files"]["network"]["path"]).unlink()
    with pytest.raises(LookupError, match=r"release 0: .*network"):
        ws.evaluate(copy, 0, minutes=4, progress=False)
    with pytest.raises(LookupError, match="verify"):
        ws.city_of(copy, 0)


def test_releases_that_are_let_go_of_are_told(tables: ws.Tables, tmp_path: Path) -> None:
    copy = copied(tables, tmp_path / "tables")
    (copy.folder / "releases" / "kept_from").write_text("1")
    gone = ws.Tables(copy.folder)
    for ask in (lambda: ws.city_of(gone, 0), lambda: ws.evaluate(gone, 0, minutes=4, progress=False)):
        with pytest.raises(LookupError, match="no longer kept"):
            ask()


# ---- the command -----------------------------------------------------------------------------------------------------


def test_the_command_tells_the_year(tables: ws.Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["evaluate", "0", "--tables", str(tables.folder), "--minutes", "4", "--quiet"]
    year = ws.evaluate(tables, 0, minutes=4, progress=False)
    assert cli.main([*command, "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert year.summary() in told and year.summary(chinese=True) in told
    assert pl.read_parquet(tmp_path / "out" / "attribution_0_1.parquet").equals(year.attribution)
    assert sorted(path.stem for path in (tmp_path / "out").iterdir()) == sorted(
        f"{name}_0_1" for name in ("communities", "scores", "moved", "attribution", "facilities", "built", "recomputed")
    )
    assert cli.main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["causes"] == list(year.causes)


def test_what_the_command_cannot_compare_is_refused(tables: ws.Tables, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["evaluate", "0", "--tables", str(tables.folder), "--quiet"]
    assert cli.main([*command, "--minutes", "15"]) == 1 and "the release has 4" in capsys.readouterr().err
    assert cli.main(["evaluate", "9", "--tables", str(tables.folder)]) == 1 and "release 9" in capsys.readouterr().err
    with pytest.raises(SystemExit) as usage:
        cli.main([*command, "--deliverables", "plans"])
    assert usage.value.code == 2
