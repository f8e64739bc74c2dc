"""The tables that a page of a city stands on: from a run, or from an answer that is in memory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from walkshed.arrow import TableLike, frame, to_engine
from walkshed.coverage import KEYS
from walkshed.facilities import facility_classes
from walkshed.refused import require

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

    """

    name: str
    cost_yuan: float
    edits: list[dict[str, Any]]
    cells: pl.DataFrame
    coverage: pl.DataFrame
    gains: pl.DataFrame


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
        areas: `area_id`, `name`, `level`, `geometry`.
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
    cells, times = result.table("cells"), result.table("times")
    return City(
        name=str(report["study"]["study"]["name"]),
        minutes=sorted(float(limit) for limit in settings["minutes"]),
        profiles=[str(who) for who in settings["profiles"]],
        groups=_groups(total["group"]),
        classes=_in_catalogue_order(total["class"]),
        cells=cells.sort("cell"),
        times=times,
        facilities=_open(result.table("facilities")),
        areas=_areas(result),
        coverage=result.table("coverage"),
        total=total,
        plans=[] if scenarios is None else _plans(result, scenarios),
        inputs=_inputs(report),
        version=str(report["walkshed"]),
    )


def of_answer(answer: Answer, areas: TableLike | None) -> City:
    """Tables of an answer: the cells that it changes, and coverage of the whole city before and after."""
    from walkshed import __version__

    baseline, changed = answer.baseline, answer.cells.to_polars().sort("cell", maintain_order=True)
    coverage = baseline.coverage
    groups = _groups(coverage["group"])
    rows = answer.touched_coverage
    plan = Plan(answer.scenario.name, answer.scenario.cost_yuan, _edits(answer.scenario), changed, rows, answer.gains)
    both = [
        changed.select("class", id=f"facility_{when}").drop_nulls().with_columns(pl.col("id").cast(pl.String))
        for when in ("before", "after")
    ]
    return City(
        name=answer.scenario.name,
        minutes=sorted(baseline.minutes),
        profiles=list(baseline.profiles),
        groups=groups,
        classes=_in_catalogue_order(coverage["class"]),
        cells=changed.unique("cell", keep="first", maintain_order=True),
        times=changed.select(
            "class",
            "profile",
            origin_id="cell",
            time_s="before_s",
            facility_id="facility_before",
            reason="reason_before",
        ),
        facilities=pl.concat(both)
        .unique(maintain_order=True)
        .with_columns(name=pl.lit(None, pl.String), lon=pl.lit(None, pl.Float64), lat=pl.lit(None, pl.Float64)),
        areas=_of_table(areas),
        coverage=coverage,
        total=coverage.head(0),
        plans=[plan],
        inputs={},
        version=__version__,
        whole=False,
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
        plans = [replace(plan, cells=plan.cells.head(0)) for plan in city.plans]
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
    told = [*city.left_out, "left_out_finest"]
    return replace(city, areas=areas, coverage=city.coverage.filter(kept), left_out=told)


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


def _open(facilities: pl.DataFrame) -> pl.DataFrame:
    ends = facilities.filter(pl.col("state") == "open") if "state" in facilities.columns else facilities
    name = pl.col("name") if "name" in facilities.columns else pl.lit(None, pl.String).alias("name")
    return ends.select(pl.col("id").cast(pl.String), "class", name, "lon", "lat")


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
    return areas.with_columns(pl.col("area_id").cast(pl.String), *missing).select(
        "area_id", "name", "level", "geometry"
    )


def _plans(result: RunResult, scenarios: ScenariosResult) -> list[Plan]:
    if not _same_city(result.report, scenarios.report):
        raise ValueError(
            f"scenarios {scenarios.folder}: they are not of the study and the files that {result.folder} was computed "
            "from; run both on the same files"
        )
    tables = (
        {name: scenarios.table(name) for name in ("cells", "coverage", "gains")}
        if scenarios.report["scenarios"]
        else {}
    )
    return [_plan(row, tables) for row in scenarios.report["scenarios"]]


def _plan(row: Mapping[str, Any], tables: Mapping[str, pl.DataFrame]) -> Plan:
    own = {name: table.filter(pl.col("scenario") == row["id"]) for name, table in tables.items()}
    return Plan(str(row["name"]), float(row["cost_yuan"]), list(row["edits"]), **own)


def _same_city(run: Mapping[str, Any], scenarios: Mapping[str, Any]) -> bool:
    read = {(file["bytes"], file["sha256"]) for file in scenarios["inputs"]}
    same = all((file["bytes"], file["sha256"]) in read for file in run["inputs"] if "sha256" in file)
    return same and run["study"]["coverage"] == scenarios["study"]["coverage"]


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
