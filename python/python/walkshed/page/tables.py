"""The tables that a page of a city stands on: from a run, or from an answer that is in memory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from walkshed.arrow import TableLike, frame, to_engine
from walkshed.coverage import KEYS
from walkshed.facilities import facility_classes, open_facilities
from walkshed.maps import wkb
from walkshed.refused import require
from walkshed.same_city import refuse_other_scenarios

if TYPE_CHECKING:
    from walkshed.baseline import Answer
    from walkshed.scenario import Scenario
    from walkshed.study import RunResult, ScenariosResult

MOST_VALUES = 12_000_000
"""Walks (cell × class × profile) that a page carries with the facility that each leads to; twice as many without.

200,000 cells × 30 classes × 2 profiles; a browser holds 6 bytes of each.
"""
_MOST_COVERAGE = 4_000_000
"""Rows of coverage by area; beyond it a page leaves out the level with most areas, then all groups but everybody."""


@dataclass(frozen=True)
class Plan:
    """A scenario and what it changes.

    Attributes:
        name: what it is called.
        cost_yuan: what its edits cost.
        edits: the edits, as in `scenarios.json`.
        cells: as `cells` of a scenario.
        coverage: as `coverage` of a scenario: areas and classes that it touches.
        gains: as `gains` of a scenario.
        people: the cells in which other people live then: `cell`, `people` and a column per group, as they are then.
        areas: the areas that it makes or redraws: `area_id`, `name`, `level`, `geometry`, as they are then.

    """

    name: str
    cost_yuan: float
    edits: list[dict[str, Any]]
    cells: pl.DataFrame
    coverage: pl.DataFrame
    gains: pl.DataFrame
    people: pl.DataFrame
    areas: pl.DataFrame


@dataclass(frozen=True)
class City:
    """What a page shows.

    Attributes:
        name: of the study.
        minutes: thresholds, ascending.
        profiles: who walks.
        groups: whose coverage; "all" first.
        classes: facility classes.
        cells: `cell`, `people` and a column per group, in the order of `cell`.
        times: `origin_id`, `class`, `profile`, `time_s`, `facility_id`, `reason`.
        facilities: `id`, `class`, `name`, `lon`, `lat`, those that are open.
        ledger: the same of all, open or not: those that a scenario may open.
        areas: `area_id`, `name`, `level`, `geometry`, `made`: whether only scenarios have it. These come last, and are
            without a geometry.
        coverage: as of `coverage`.
        total: as of `RunResult.total`; empty where it is not known.
        plans: the scenarios.
        inputs: name of file → first figures of its hash.
        version: of walkshed, when it was computed.
        whole: whether `times` has all cells; an answer has only those that it changes.
        nearest: whether the page tells to which facility a walk leads.
        left_out: what a page of this size does not carry; keys of `words.json`.

    """

    name: str
    minutes: list[float]
    profiles: list[str]
    groups: list[str]
    classes: list[str]
    cells: pl.DataFrame
    times: pl.DataFrame
    facilities: pl.DataFrame
    ledger: pl.DataFrame
    areas: pl.DataFrame
    coverage: pl.DataFrame
    total: pl.DataFrame
    plans: list[Plan]
    inputs: dict[str, str]
    version: str
    whole: bool = True
    nearest: bool = True
    left_out: list[str] = field(default_factory=list)


def of_run(result: RunResult, scenarios: ScenariosResult | None) -> City:
    """Tables of a run and of scenarios over it.

    Raises:
        ValueError: the scenarios are of another study, or its inputs were others.

    """
    report = result.report
    settings = report["study"]["coverage"]
    total = result.total()
    cells, times, ledger = result.table("cells"), result.table("times"), result.table("facilities")
    groups, areas = _groups(total["group"]), _areas(result)
    plans = (
        []
        if scenarios is None
        else _plans(result, scenarios, cells.select("cell", "lon", "lat", *_columns(groups)), areas)
    )
    return City(
        name=str(report["study"]["study"]["name"]),
        minutes=sorted(float(limit) for limit in settings["minutes"]),
        profiles=[str(who) for who in settings["profiles"]],
        groups=groups,
        classes=_in_catalogue_order(total["class"]),
        cells=cells.sort("cell"),
        times=times,
        facilities=_ends(open_facilities(ledger)),
        ledger=_ends(ledger),
        areas=_with_made(areas, plans),
        coverage=result.table("coverage"),
        total=total,
        plans=plans,
        inputs=_inputs(report),
        version=str(report["walkshed"]),
    )


def of_answer(answer: Answer, areas: TableLike | None) -> City:
    """Tables of an answer: the cells that it changes, and coverage of the whole city before and after.

    Raises:
        InputError: `areas` lacks a column.
        ValueError: none of the areas has coverage.

    """
    from walkshed import __version__

    baseline, changed = answer.baseline, answer.cells.to_polars().sort("cell", maintain_order=True)
    coverage = baseline.coverage
    groups = _groups(coverage["group"])
    shapes, edits = _of_table(areas), _edits(answer.scenario)
    _require_coverage(shapes, coverage)
    nobody_yet = pl.col("before_s").is_null() & pl.col("reason_before").is_null()
    plan = Plan(
        name=answer.scenario.name,
        cost_yuan=answer.scenario.cost_yuan,
        edits=edits,
        cells=changed,
        coverage=answer.touched_coverage,
        gains=answer.gains,
        people=changed.filter(nobody_yet).select("cell", *_columns(groups)).unique("cell", maintain_order=True),
        areas=_made_areas(edits, shapes) if areas is not None else shapes,
    )
    ends = _ends_of(changed)
    return City(
        name=answer.scenario.name,
        minutes=sorted(baseline.minutes),
        profiles=list(baseline.profiles),
        groups=groups,
        classes=_in_catalogue_order(coverage["class"]),
        cells=changed.with_columns(pl.when(~nobody_yet).then(pl.col(_columns(groups))).otherwise(0.0)).unique(
            "cell", keep="first", maintain_order=True
        ),
        times=changed.select(
            "class",
            "profile",
            origin_id="cell",
            time_s="before_s",
            facility_id="facility_before",
            reason="reason_before",
        ),
        facilities=ends,
        ledger=ends,
        areas=_with_made(shapes, [plan]),
        coverage=coverage,
        total=coverage.head(0),
        plans=[plan],
        inputs={},
        version=__version__,
        whole=False,
        left_out=["left_out_movers"] if any(edit["do"] == "new_homes" for edit in edits) else [],
    )


def _ends_of(changed: pl.DataFrame) -> pl.DataFrame:
    """The facilities that cells of an answer walk to; it does not say where they are."""
    both = [
        changed.select("class", id=f"facility_{when}").drop_nulls().with_columns(pl.col("id").cast(pl.String))
        for when in ("before", "after")
    ]
    unknown = {"name": pl.lit(None, pl.String), "lon": pl.lit(None, pl.Float64), "lat": pl.lit(None, pl.Float64)}
    return pl.concat(both).unique(maintain_order=True).with_columns(**unknown)


def _require_coverage(areas: pl.DataFrame, coverage: pl.DataFrame) -> None:
    if areas.height and areas.join(coverage, on="area_id", how="semi").is_empty():
        given, known = (table["area_id"].first() for table in (areas, coverage))
        raise ValueError(
            f"areas: the baseline has coverage of none of them; they are {given!r} and others, it has {known!r} and "
            "others. Give the areas that the baseline was made with"
        )


def within_limits(city: City) -> City:
    """Leave out what a browser could not hold, and note it.

    First the facility that each walk leads to, then all profiles but the first, then all cells; of coverage first the
    level that has most areas, then the groups.
    """
    walks = city.cells.height * len(city.classes) * len(city.profiles)
    if walks > MOST_VALUES:
        city = replace(city, nearest=False, left_out=[*city.left_out, "left_out_nearest"])
    if walks > 2 * MOST_VALUES and len(city.profiles) > 1:
        walks //= len(city.profiles)
        city = _first_profile(city)
    if walks > 2 * MOST_VALUES:
        plans = [replace(plan, cells=plan.cells.head(0), people=plan.people.head(0)) for plan in city.plans]
        told = [*city.left_out, "left_out_cells"]
        city = replace(city, cells=city.cells.head(0), times=city.times.head(0), plans=plans, left_out=told)
    if city.coverage.height > _MOST_COVERAGE and city.areas["level"].n_unique() > 1:
        city = _without_finest(city)
    if city.coverage.height > _MOST_COVERAGE and len(city.groups) > 1:
        everybody = pl.col("group") == "all"
        city = replace(
            city,
            groups=["all"],
            coverage=city.coverage.filter(everybody),
            total=city.total.filter(everybody),
            left_out=[*city.left_out, "left_out_groups"],
        )
    return city


def _without_finest(city: City) -> City:
    """Leave out the level that has most areas."""
    finest = city.areas["level"].mode().sort().first()
    areas = city.areas.filter(pl.col("level").ne_missing(finest))
    kept = pl.col("area_id").is_in(areas["area_id"].to_list())
    plans = [replace(plan, areas=plan.areas.filter(kept)) for plan in city.plans]
    told = [*city.left_out, "left_out_finest"]
    return replace(city, areas=areas, coverage=city.coverage.filter(kept), plans=plans, left_out=told)


def _first_profile(city: City) -> City:
    first = pl.col("profile") == city.profiles[0]
    plans = [replace(plan, cells=plan.cells.filter(first), coverage=plan.coverage.filter(first)) for plan in city.plans]
    return replace(
        city,
        profiles=city.profiles[:1],
        times=city.times.filter(first),
        coverage=city.coverage.filter(first),
        total=city.total.filter(first),
        plans=plans,
        left_out=[*city.left_out, "left_out_profiles"],
    )


def _groups(column: pl.Series) -> list[str]:
    groups: list[str] = column.unique(maintain_order=True).to_list()
    return ["all", *(group for group in groups if group != "all")]


def _in_catalogue_order(column: pl.Series) -> list[str]:
    """Classes as planners list them; those of a user's own last."""
    place = {name: number for number, name in enumerate(facility_classes()["class"])}
    return sorted(column.unique().to_list(), key=lambda name: (place.get(name, len(place)), name))


def _columns(groups: list[str]) -> list[str]:
    """The columns that have the people of groups."""
    return ["people" if group == "all" else group for group in groups]


def _ends(facilities: pl.DataFrame) -> pl.DataFrame:
    name = pl.col("name") if "name" in facilities.columns else pl.lit(None, pl.String).alias("name")
    return facilities.select(pl.col("id").cast(pl.String), "class", name, "lon", "lat")


def _areas(result: RunResult) -> pl.DataFrame:
    path = result.folder / "areas.parquet"
    return _named(pl.read_parquet(path)) if path.exists() else _named(pl.DataFrame({"area_id": []}))


def _of_table(areas: TableLike | None) -> pl.DataFrame:
    if areas is None:
        return _named(pl.DataFrame({"area_id": []}))
    table = (
        pl.read_parquet(os.fspath(areas)) if isinstance(areas, (str, os.PathLike)) else frame(to_engine(areas, "areas"))
    )
    require(["area_id", "geometry"], table, "areas")
    return _named(table)


def _named(areas: pl.DataFrame) -> pl.DataFrame:
    missing = [
        pl.lit(None, dtype).alias(name)
        for name, dtype in (("name", pl.String()), ("level", pl.String()), ("geometry", pl.Binary()))
        if name not in areas.columns
    ]
    # As plain bytes: the outlines of a file and those that the engine makes are of types of their own.
    return areas.with_columns(pl.col("area_id").cast(pl.String), *missing).select(
        "area_id", "name", "level", pl.col("geometry").to_physical()
    )


def _with_made(areas: pl.DataFrame, plans: list[Plan]) -> pl.DataFrame:
    """The areas, and behind them those that only scenarios have; these have no outline as it is."""
    made = pl.concat([areas.head(0), *(plan.areas for plan in plans)]).unique("area_id", maintain_order=True)
    new = made.join(areas, on="area_id", how="anti", maintain_order="left")
    unseen = new.with_columns(geometry=pl.lit(None, pl.Binary), made=pl.lit(True))
    return pl.concat([areas.with_columns(made=pl.lit(False)), unseen])


def _made_areas(edits: list[dict[str, Any]], areas: pl.DataFrame) -> pl.DataFrame:
    """The areas that a scenario makes or redraws, as they are then."""
    known = {area_id: (name, level) for area_id, name, level in areas.select("area_id", "name", "level").iter_rows()}
    made: dict[str, tuple[str, str | None, str | None, bytes]] = {}
    for edit in edits:
        if edit["do"] == "set_area":
            area_id = str(edit["id"])
            name, level = made[area_id][1:3] if area_id in made else known.get(area_id, (None, None))
            outline = wkb.of_polygon(edit["outline"])
            made[area_id] = (area_id, edit.get("name") or name, edit.get("level") or level, outline)
    return pl.DataFrame(list(made.values()), schema=areas.schema, orient="row")


def _movers(scenario: Scenario, edits: list[dict[str, Any]], cells: pl.DataFrame) -> pl.DataFrame:
    """The cells in which other people live under a scenario."""
    columns = [name for name in cells.columns if name not in ("lon", "lat")]
    if not any(edit["do"] == "new_homes" for edit in edits):
        return cells.select(columns).head(0)
    groups = [name for name in columns if name not in ("cell", "people")]
    after = scenario.cells(cells, groups=groups).select(columns)
    return after.join(cells, on=columns, how="anti", maintain_order="left")


def _plans(result: RunResult, scenarios: ScenariosResult, cells: pl.DataFrame, areas: pl.DataFrame) -> list[Plan]:
    refuse_other_scenarios(result, scenarios)
    tables = (
        {name: scenarios.table(name) for name in ("cells", "coverage", "gains")}
        if scenarios.report["scenarios"]
        else {}
    )
    return [_plan(row, tables, cells, areas) for row in scenarios.report["scenarios"]]


def _plan(row: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], cells: pl.DataFrame, areas: pl.DataFrame) -> Plan:
    from walkshed.scenario import Scenario, of_dict

    edits = list(row["edits"])
    scenario = Scenario([of_dict(dict(edit)) for edit in edits], name=str(row["name"]))
    own = {name: table.filter(pl.col("scenario") == row["id"]) for name, table in tables.items()}
    return Plan(
        name=str(row["name"]),
        cost_yuan=float(row["cost_yuan"]),
        edits=edits,
        people=_movers(scenario, edits, cells),
        areas=_made_areas(edits, areas),
        **own,
    )


def _inputs(report: Mapping[str, Any]) -> dict[str, str]:
    """Names of the files that were read, without the folders of the machine that read them."""
    return {
        str(file["path"]).replace("\\", "/").rsplit("/", 1)[-1]: str(file["sha256"])[:12] for file in report["inputs"]
    }


def _edits(scenario: Scenario) -> list[dict[str, Any]]:
    return [edit.to_dict() for edit in scenario.edits]


def changed_coverage(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Rows of coverage after edits that differ from those before, in people, covered or share."""
    both = after.join(before.select(*KEYS, "people", "people_covered"), on=KEYS, how="left", suffix="_before")
    same = (pl.col("people") == pl.col("people_before")) & (pl.col("people_covered") == pl.col("people_covered_before"))
    return both.filter(~same.fill_null(False))
