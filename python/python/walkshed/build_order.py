"""What to build first: links out of many, projects under yearly budgets; gains are counted beside what is chosen."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from walkshed import _engine, cards
from walkshed.arrow import ArrowStream, frame
from walkshed.baseline import Baseline
from walkshed.progress import Progress, reporting
from walkshed.refused import require
from walkshed.scenario import AddLink, Edit, OpenFacility, ResizeFacility, Scenario
from walkshed.siting import StoppedWarning

_CAPACITIES = ("places", "beds", "floor_area_m2", "land_area_m2", "staff")


@dataclass(frozen=True)
class BuildOrder:
    """What to build, in order.

    Attributes:
        steps: `step` (from 1), `year` (from 1), `project`, `cost_yuan`, `gain` (what it adds beside all before it),
            `gain_alone` (what it would add alone), `total`, `gain_per_million_yuan` (null without cost).
        left: what was not chosen: `project`, `cost_yuan`, `gain_alone`.
        scenario: the edits of all that were chosen, in order.
        stopped: whether Ctrl-C ended the choice: what stands here was chosen before.

    """

    steps: pl.DataFrame
    left: pl.DataFrame
    scenario: Scenario
    stopped: bool = False

    def _repr_html_(self) -> str:
        columns = {
            "step": "次序 Step",
            "year": "年 Year",
            "project": "项目 Project",
            "cost_yuan": "造价（元） Cost (yuan)",
            "gain": "新增 Gain",
            "gain_alone": "单独新增 Gain alone",
            "total": "累计 Total",
        }
        cost = float(self.steps["cost_yuan"].sum())
        return cards.card(
            "建设次序 Build order",
            facts=[
                ("入选 Chosen", self.steps.height),
                ("未入选 Left", self.left.height),
                ("造价（元） Cost (yuan)", cost or None),
            ],
            tables=[cards.table(self.steps, columns, most=20)],
            notes=["选择提前停止 The choice was stopped early"] * self.stopped,
        )


def best_links(
    baseline: Baseline,
    candidates: Sequence[AddLink | Scenario],
    k: int,
    *,
    minutes: float | None = None,
    classes: Sequence[str] = (),
    group: str = "all",
    profile: str | None = None,
    progress: Progress = None,
) -> BuildOrder:
    """Choose the best links out of a list of stairs, lifts and bridges: greedy, every choice answered exactly.

    In every round each candidate is answered together with those that are chosen, so overlaps count once. Links can
    make each other worth more (a lift and the bridge at its top); such belong into one candidate, a `Scenario`. Of the
    best k nothing is proved.

    Args:
        baseline: the city.
        candidates: links, or scenarios of several edits.
        k: how many; fewer where none of the others adds anything.
        minutes: people covered within so many minutes count; None counts the minutes that people save.
        classes: the classes that count; all when empty.
        group: the group whose people count; "all" is everybody.
        profile: who walks, by name, one of the baseline's; None is its first.
        progress: as of `Baseline`.

    Returns:
        The links in the order of their choice; `gain` is people, or minutes that people save.

    Raises:
        InputError: faults of any candidate, or no such class or group.
        ValueError: `k` below 1, or no such profile.
        KeyboardInterrupt: stopped by the user before the first choice.

    Warns:
        StoppedWarning: Ctrl-C ended the choice; what was chosen before stands.

    """
    if k < 1:
        raise ValueError(f"k {k}: use 1 or more")
    plans = [one if isinstance(one, Scenario) else Scenario([one], name=str(one.id)) for one in candidates]
    return _order(baseline, plans, {"best": k}, _objective(baseline, minutes, classes, group, profile), progress)


def build_order(
    baseline: Baseline,
    projects: Sequence[Scenario],
    *,
    yearly_budget_yuan: Sequence[float],
    carry_over: bool = False,
    minutes: float | None = None,
    classes: Sequence[str] = (),
    group: str = "all",
    profile: str | None = None,
    progress: Progress = None,
) -> BuildOrder:
    """Rank projects by what they bring per yuan, as a build order under yearly budgets.

    Gains overlap, so every project is answered together with those before it. Each year takes the project that brings
    most per yuan among those that the rest of the year's budget pays for, until none adds anything.

    Args:
        baseline: the city.
        projects: scenarios with their costs (`cost_yuan` of their edits), as `project_scenarios` makes them.
        yearly_budget_yuan: what may be spent in each year.
        carry_over: whether what is left of a year may be spent in the next.
        minutes: as of `best_links`.
        classes: as of `best_links`.
        group: as of `best_links`.
        profile: as of `best_links`.
        progress: as of `Baseline`.

    Returns:
        The projects in the order of building; `gain` is people, or minutes that people save.

    Raises:
        InputError: faults of any project, or no such class or group.
        ValueError: a budget below 0, or no such profile.
        KeyboardInterrupt: stopped by the user before the first choice.

    Warns:
        StoppedWarning: Ctrl-C ended the choice; what was chosen before stands.

    """
    wrong = [yuan for yuan in yearly_budget_yuan if not yuan >= 0]
    if wrong or not yearly_budget_yuan:
        raise ValueError(f"yearly_budget_yuan {list(yearly_budget_yuan)}: use one amount of 0 or more for each year")
    rule = {"yearly_yuan": [float(yuan) for yuan in yearly_budget_yuan], "carry": carry_over}
    return _order(baseline, list(projects), rule, _objective(baseline, minutes, classes, group, profile), progress)


def project_scenarios(
    projects: ArrowStream, *, statuses: Sequence[str] = ("planned", "building")
) -> tuple[list[Scenario], pl.DataFrame]:
    """Projects of a ledger as scenarios: what each builds, with its cost.

    A project of kind "new" opens a facility of its class at its place. Another kind resizes the facility that
    `facility_id` names to the amounts that the row says. What is more than that is written as a scenario by hand.

    Args:
        projects: `id`, `kind`, `class`, and where given `lon`, `lat`, `name`, `cost_yuan`, `status`, `opened_on` (the
            day on which it is to be done), `facility_id`, `places`, `beds`, `floor_area_m2`, `land_area_m2`, `staff`.
        statuses: the statuses of projects that are still to be built; rows without status count.

    Returns:
        One scenario per project that edits anything, and the others: `id`, `reason` ("status", "no_place",
            "no_facility": nothing tells what is resized, "no_amount").

    Raises:
        InputError: a column is missing, or an amount that cannot be.

    """
    table = frame(projects)
    require(("id", "kind", "class"), table, "projects")
    made: list[Scenario] = []
    left: list[tuple[str, str]] = []
    for row in table.sort("id").iter_rows(named=True):
        name = str(row["id"])
        edit = _edit_of(row, statuses)
        if isinstance(edit, str):
            left.append((name, edit))
        else:
            made.append(Scenario([edit], name=name))
    return made, pl.DataFrame(left, schema={"id": pl.String, "reason": pl.String}, orient="row")


def _edit_of(row: dict[str, Any], statuses: Sequence[str]) -> Edit | str:
    """What a project builds, or why nothing is known of it."""
    if row.get("status") is not None and row["status"] not in statuses:
        return "status"
    cost = row.get("cost_yuan")
    about: dict[str, Any] = {"cost_yuan": None if cost is None else float(cost), "project": str(row["id"])}
    about["on"] = row.get("opened_on")
    amounts = {key: float(row[key]) for key in _CAPACITIES if row.get(key) is not None}
    if row["kind"] == "new":
        if row.get("lon") is None or row.get("lat") is None:
            return "no_place"
        at = (row["lon"], row["lat"])
        return OpenFacility(row["id"], row["class"], at, row.get("name"), amounts, **about)
    if row.get("facility_id") is None:
        return "no_facility"
    return ResizeFacility(row["facility_id"], amounts, row["class"], **about) if amounts else "no_amount"


def _objective(
    baseline: Baseline, minutes: float | None, classes: Sequence[str], group: str, profile: str | None
) -> dict[str, Any]:
    if isinstance(classes, str):
        raise TypeError(f'classes "{classes}": give a list, as in ["{classes}"]')
    who = baseline.profiles[0] if profile is None else profile
    if who not in baseline.profiles:
        raise ValueError(f'profile "{who}": the baseline has {", ".join(baseline.profiles)}')
    limit = None if minutes is None else float(minutes)
    if limit is not None and not 0 < limit <= max(baseline.minutes):
        raise ValueError(
            f"minutes {minutes}: use more than 0, at most {max(baseline.minutes):g}, the baseline's longest"
        )
    return {"minutes": limit, "classes": list(classes), "group": group, "profile": who}


def _order(
    baseline: Baseline,
    plans: Sequence[Scenario],
    rule: dict[str, Any],
    objective: dict[str, Any],
    progress: Progress,
) -> BuildOrder:
    plans_json = json.dumps([{"id": plan.name, "edits": plan.to_json(), "cost_yuan": plan.cost_yuan} for plan in plans])
    city = baseline._engine  # pyright: ignore[reportPrivateUsage]  # a baseline is the engine's to ask
    with reporting(progress) as report:
        rows, alone, stopped = _engine.build_order(
            city, plans_json, json.dumps(rule), json.dumps(objective), report=report
        )
    if stopped:
        told = f"the choice was stopped early 提前停止: {len(rows)} chosen so far, each the best when it was chosen"
        warnings.warn(told, StoppedWarning, stacklevel=3)
    cost = pl.DataFrame(
        {
            "project": [plan.name for plan in plans],
            "cost_yuan": [plan.cost_yuan for plan in plans],
            "gain_alone": alone,
        },
        schema={"project": pl.String, "cost_yuan": pl.Float64, "gain_alone": pl.Float64},
    ).with_row_index("candidate")
    found = pl.DataFrame(
        rows,
        schema={"candidate": pl.UInt32, "year": pl.UInt32, "gain": pl.Float64, "total": pl.Float64},
        orient="row",
    )
    steps = found.join(cost, on="candidate", how="left", maintain_order="left").with_row_index("step", offset=1)
    per = pl.when(pl.col("cost_yuan") > 0).then(pl.col("gain") / pl.col("cost_yuan") * 1e6)
    steps = steps.with_columns(year=pl.col("year") + 1, gain_per_million_yuan=per)
    columns = ("step", "year", "project", "cost_yuan", "gain", "gain_alone", "total", "gain_per_million_yuan")
    left = cost.join(found, on="candidate", how="anti", maintain_order="left").drop("candidate")
    chosen: list[int] = found["candidate"].to_list()
    edits = [edit for place in chosen for edit in plans[place].edits]
    return BuildOrder(steps.select(columns), left, Scenario(edits, name="build order"), stopped)
