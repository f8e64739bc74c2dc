"""What projects bring: what was expected when they were approved, what came of it, and why the two differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from walkshed import _engine, cards
from walkshed.arrow import TableLike
from walkshed.baseline import Answer, Baseline
from walkshed.coverage import KEYS
from walkshed.network import Direction, Network
from walkshed.profile import Profile
from walkshed.progress import Progress
from walkshed.projects import Projects
from walkshed.scenario import Scenario
from walkshed.take_out import Stuck, TakeOut

_WHO = ["class", "group", "profile"]
_WORLDS = ("expected", "with_new_people", "in_new_city", "realised")
_PARTS = ("by_people", "by_city", "by_building")
_WHICH = ("project_id", "name", "district", "stage")
_LEFT = {name: pl.String for name in ("project_id", "reason", "message", "message_zh")}


@dataclass(frozen=True)
class City:
    """A city on a day, from its data.

    Attributes:
        network: the streets, under no scenario.
        cells: `cell`, `people`, groups, as of `Baseline`.
        facilities: `id`, `class`, a place, and the columns of a ledger, as of `Baseline`.
        as_of: the day on which facilities are open, such as "2026-06-16"; None when every date has passed.

    """

    network: Network
    cells: TableLike
    facilities: TableLike
    as_of: str | None = None


@dataclass(frozen=True)
class ExpectedEffect:
    """What each project alone would change of a city, as it was when the projects were approved.

    Attributes:
        covered: `project_id`, `class`, `profile`, `group`, `minutes`, `people_newly_covered`,
            `people_no_longer_covered`, `yuan_per_person` (newly covered less lost; null where no cost is known or
            nobody more is covered). Everywhere, each cell once; 0 where a project's class gains nobody.
        minutes_saved: `project_id`, `class`, `profile`, `group`, `people_gaining`, `people_losing`,
            `people_minutes_saved`; who reaches nothing within the cut-off counts as walking so long.
        projects: every project that was asked, in the order of the ledger: `project_id`, `name`, `district`, `stage`,
            `edits`, `cost_yuan` (the budget, else what its edits cost; null where neither is known), `reason` (null;
            else why nothing was measured).
        left: what was not measured: `project_id`, `reason`, `message`, `message_zh`.

    """

    covered: pl.DataFrame
    minutes_saved: pl.DataFrame
    projects: pl.DataFrame
    left: pl.DataFrame

    def _repr_html_(self) -> str:
        newly = self.covered.filter(pl.col("group") == "all").sort("people_newly_covered", descending=True)
        people = ["people_newly_covered", "people_no_longer_covered", "yuan_per_person"]
        left = cards.table(self.left, ["project_id", "reason", "message_zh", "message"], title="未测算 Not measured")
        return cards.card(
            "项目预期成效 Expected effect",
            facts=[("项目 Projects", self.projects.height), ("未测算 Not measured", self.left.height)],
            tables=[cards.table(newly, ["project_id", "class", "profile", "minutes", *people]), left],
        )


@dataclass(frozen=True)
class RealisedEffect:
    """What each project alone brought, beside what was expected; the difference in three parts that add up.

    Attributes:
        covered: people covered: `project_id`, `area_id`, `class`, `group`, `profile`, `minutes`, the effect in four
            worlds (`expected`, `with_new_people`, `in_new_city`, `realised`), `difference` (expected less realised)
            and its parts `by_people`, `by_city`, `by_building`; `reason` (null; else why what is null is not known).
            Rows where any of the four is not 0.
        minutes_saved: minutes that people walk less, everywhere, each cell once: `project_id`, `class`, `group`,
            `profile`, and the same columns.
        projects: every project that was asked, in the order of the ledger: `project_id`, `name`, `district`, `stage`,
            `spent_yuan`, `reason` (null where it was measured whole).
        left: what was not measured, or not whole: `project_id`, `reason`, `message`, `message_zh`.

    """

    covered: pl.DataFrame
    minutes_saved: pl.DataFrame
    projects: pl.DataFrame
    left: pl.DataFrame

    def _repr_html_(self) -> str:
        everybody = self.covered.filter(pl.col("group") == "all")
        shown = everybody.sort(pl.col("realised").abs(), descending=True, nulls_last=True)
        columns = {"expected": "预期 Expected", "realised": "实现 Realised", "by_people": "因人口 By people"}
        columns |= {"by_city": "因城市变化 By the city", "by_building": "因建设 By what was built"}
        keys = {
            "project_id": "项目 Project",
            "area_id": "分区 Area",
            "class": "设施类别 Class",
            "minutes": "分钟 Minutes",
        }
        left = cards.table(self.left, ["project_id", "reason", "message_zh", "message"], title="未测算 Not measured")
        return cards.card(
            "项目实际成效 Realised effect (people covered 覆盖人口)",
            facts=[("项目 Projects", self.projects.height), ("未全部测算 Not measured whole", self.left.height)],
            tables=[cards.table(shown, keys | columns), left],
        )


def expected_effect(
    baseline: Baseline,
    projects: Projects,
    *,
    stages: Sequence[str] = ("approved", "building", "completed", "accepted"),
    progress: Progress = None,
) -> ExpectedEffect:
    """What was to be expected of each project at its approval: each alone, in the city as it was then.

    Effects of projects that serve the same people overlap, so they do not add up; `build_order` counts each beside
    those before it.

    Args:
        baseline: the city when the projects were approved.
        projects: the ledger.
        stages: which projects; by default all that are approved.
        progress: as of `Baseline`.

    Returns:
        The `ExpectedEffect`, projects in the order of the ledger.

    Raises:
        ValueError: no such stage.
        KeyboardInterrupt: stopped by the user, within half a second.

    """
    plans = {plan.name: plan for plan in projects.scenarios(stages)}
    asked = projects.table.filter(pl.col("stage").is_in(list(stages)))
    covered, saved = list[pl.DataFrame](), list[pl.DataFrame]()
    left, costs = list[dict[str, str]](), list[float | None]()
    for name, budget in asked.select("project_id", "budget_yuan").iter_rows():
        plan = plans.get(name)
        costs.append(budget if plan is None or budget is not None else plan.cost_yuan or None)
        if plan is None:
            left.append(_NO_PLAN.row(name))
            continue
        try:
            answer = baseline.what_if(plan, progress=progress)
        except _engine.InputError as error:
            left.append(Stuck.of_error(error).row(name))
            continue
        covered.append(_newly(answer, name, costs[-1]))
        saved.append(_saved(answer, name))
    told = pl.DataFrame(left, schema=_LEFT)
    about = asked.select(*_WHICH, "edits", cost_yuan=pl.Series(costs, dtype=pl.Float64))
    return ExpectedEffect(pl.concat([_NEWLY, *covered]), pl.concat([_SAVED, *saved]), _with_reasons(about, told), told)


def _with_reasons(projects: pl.DataFrame, left: pl.DataFrame) -> pl.DataFrame:
    """Projects with the first reason why they were not measured."""
    first = left.select("project_id", "reason").unique("project_id", keep="first", maintain_order=True)
    return projects.join(first, on="project_id", how="left", maintain_order="left")


_NO_PLAN = Stuck(
    "no_deliverable",
    "nothing tells what the project builds; findings of the ledger say why",
    "没有说明项目建设内容；原因见台账的提示",
)
_NEWLY = pl.DataFrame(
    schema={
        **dict.fromkeys(("project_id", "class", "profile", "group"), pl.String),
        **dict.fromkeys(("minutes", "people_newly_covered", "people_no_longer_covered", "yuan_per_person"), pl.Float64),
    }
)
_SAVED = pl.DataFrame(
    schema={
        **dict.fromkeys(("project_id", "class", "profile", "group"), pl.String),
        **dict.fromkeys(("people_gaining", "people_losing", "people_minutes_saved"), pl.Float64),
    }
)


def _newly(answer: Answer, name: str, cost_yuan: float | None) -> pl.DataFrame:
    """People newly covered by one project, with zeros for its own classes."""
    base = answer.baseline
    groups = base.coverage["group"].unique(maintain_order=True)
    parts = [answer.newly_covered(group).with_columns(group=pl.lit(group)) for group in groups]
    found = pl.concat(parts).drop("yuan_per_person")
    counts = [pl.col("people_newly_covered", "people_no_longer_covered").fill_null(0.0)]
    whole = _every(answer, groups).join(
        found, on=["class", "profile", "group", "minutes"], how="left", maintain_order="left"
    )
    more = pl.col("people_newly_covered") - pl.col("people_no_longer_covered")
    per = pl.when(more > 0).then(pl.lit(cost_yuan, pl.Float64) / more)
    whole = whole.with_columns(counts).with_columns(project_id=pl.lit(name), yuan_per_person=per)
    return whole.select(_NEWLY.columns)


def _every(answer: Answer, groups: pl.Series) -> pl.DataFrame:
    """Every class that a project touches, with every profile, group and limit."""
    own = [getattr(edit, "class_", None) for edit in answer.scenario.edits]
    touched = {kind for kind in own if kind is not None} | set(answer.gains["class"])
    table = pl.DataFrame({"class": sorted(touched)}, schema={"class": pl.String})
    for column, values in (("profile", answer.baseline.profiles), ("group", groups)):
        table = table.join(pl.DataFrame({column: values}), how="cross", maintain_order="left_right")
    limits = pl.DataFrame({"minutes": answer.baseline.minutes})
    return table.join(limits, how="cross", maintain_order="left_right")


def _saved(answer: Answer, name: str) -> pl.DataFrame:
    everywhere = answer.gains.filter(pl.col("area_id").is_null())
    return everywhere.with_columns(project_id=pl.lit(name)).select(_SAVED.columns).sort("class", "profile", "group")


def realised_effect(
    before: City,
    after: City,
    projects: Projects,
    *,
    as_built: Mapping[str, Scenario] | None = None,
    areas: TableLike | None = None,
    stages: Sequence[str] = ("accepted",),
    minutes: Sequence[float] = (5, 10, 15),
    profiles: Sequence[str | Profile] = ("adult",),
    direction: Direction = "to_facility",
    groups: Sequence[str] | None = None,
    progress: Progress = None,
) -> RealisedEffect:
    """What accepted projects brought, measured in the city as it is, and why that is not what was expected.

    Let q be people covered (or, with the sign turned, minutes that they walk), D what the ledger says that a project
    builds, B what was built (`as_built`, else D), and "after − B" the after city with B taken out again: facilities
    that B opened closed, those that it moved moved back, links that it added closed. The effect is looked at in four
    worlds, one step between each and the next:

        expected        = q(before, D) − q(before)
        with_new_people = the same with the people of `after` in the streets and among the facilities of `before`
        in_new_city     = q(after − B, D) − q(after − B)
        realised        = q(after) − q(after − B)

        by_people   = expected − with_new_people       people have moved, come and gone
        by_city     = with_new_people − in_new_city    other facilities and streets have changed
        by_building = in_new_city − realised           the project was built otherwise than planned

    expected − realised is the sum of the three, always: it telescopes. What each part is hangs on the order of the
    steps, as in every such account; this is the order. Each project is looked at alone: of two that serve the same
    people each is worth little beside the other, and their effects do not add up.

    Args:
        before: the city when the projects were approved.
        after: the city now, with the projects built.
        projects: the ledger.
        as_built: what was really built, by project id, with the ids that facilities and ways have in `after`; projects
            that are not named were built as the ledger says.
        areas: `area_id` and a polygon; the same borders in all worlds. None for one area called "all".
        stages: which projects; by default those that are accepted.
        minutes: as of `Baseline`.
        profiles: as of `Baseline`.
        direction: as of `Baseline`.
        groups: group columns of cells; None for those that both cities have.
        progress: as of `Baseline`.

    Returns:
        The `RealisedEffect`, projects in the order of the ledger. Where B cannot be taken out, `in_new_city` and
        `realised` are null with a `reason`: `cannot_undo` (a way that was closed or retimed, people who moved in, a
        new border, an old amount or place that is not known), or what the engine says, as `no_such_facility` where
        `after` does not have what B opened.

    Raises:
        InputError: a column is missing, a value cannot be, or no facility is open.
        ValueError: a network under a scenario, minutes or a stage that cannot be, or a project that is not there.
        KeyboardInterrupt: stopped by the user, within half a second.

    Warns:
        RejectedRowsWarning: rows were left out.

    """
    plans = {plan.name: plan for plan in projects.scenarios(stages)}
    really = dict(as_built or {})
    if unknown := sorted(set(really) - set(projects.table["project_id"])):
        raise ValueError(f"as_built: the ledger has no project {', '.join(unknown)}")
    how: dict[str, Any] = {"minutes": minutes, "profiles": profiles, "direction": direction, "progress": progress}
    how["groups"] = _groups(before.cells, after.cells) if groups is None else list(groups)
    worlds = _Worlds(
        Baseline(before.network, before.cells, before.facilities, areas, as_of=before.as_of, **how),
        Baseline(before.network, after.cells, before.facilities, areas, as_of=before.as_of, **how),
        Baseline(after.network, after.cells, after.facilities, areas, as_of=after.as_of, **how),
        TakeOut(before.facilities, after.facilities),
        progress,
    )
    covered, saved, left = list[pl.DataFrame](), list[pl.DataFrame](), list[dict[str, str]]()
    asked = projects.table.filter(pl.col("stage").is_in(list(stages)))
    for name in asked["project_id"]:
        if name not in plans:
            left.append(_NO_PLAN.row(name))
            continue
        found = worlds.effect(plans[name], really.get(name, plans[name]))
        left += [stuck.row(name) for stuck in found.stuck]
        covered.append(_explained(found.covered, name, KEYS, found.reason))
        saved.append(_explained(found.saved, name, _WHO, found.reason))
    told = pl.DataFrame(left, schema=_LEFT)
    return RealisedEffect(
        pl.concat([_explained(_EMPTY.select(*KEYS, *_WORLDS), "", KEYS, None), *covered]),
        pl.concat([_explained(_EMPTY.select(*_WHO, *_WORLDS), "", _WHO, None), *saved]),
        _with_reasons(asked.select(*_WHICH, "spent_yuan"), told),
        told,
    )


_EMPTY = pl.DataFrame(
    schema={
        **dict.fromkeys(("area_id", *_WHO), pl.String),
        **dict.fromkeys(("minutes", *_WORLDS), pl.Float64),
    }
)


def _groups(before: TableLike, after: TableLike) -> list[str]:
    """Groups that both cities have."""
    first, second = (Scenario([]).cells(cells).columns for cells in (before, after))
    return [name for name in first if name in second and name not in ("cell", "id", "people", "lon", "lat")]


@dataclass(frozen=True)
class _Effect:
    """The effect of one project in the four worlds; null in those that could not be made."""

    covered: pl.DataFrame
    saved: pl.DataFrame
    stuck: list[Stuck]

    @property
    def reason(self) -> str | None:
        return self.stuck[0].reason if self.stuck else None


class _Worlds:
    """The worlds between which the effect of a project is followed."""

    def __init__(
        self, before: Baseline, peopled: Baseline, after: Baseline, take_out: TakeOut, progress: Progress
    ) -> None:
        self.before, self.peopled, self.after = before, peopled, after
        self.take_out, self.progress = take_out, progress

    def effect(self, plan: Scenario, built: Scenario) -> _Effect:
        stuck: list[Stuck] = []
        expected = self._ask(self.before, plan, stuck)
        peopled = self._ask(self.peopled, plan, stuck)
        without = planned = None
        out = self.take_out.of(built)
        if isinstance(out, Stuck):
            stuck.append(out)
        else:
            without = self._ask(self.after, out, stuck)
            planned = None if without is None else self._ask(self.after, out + plan, stuck)
        covered = _covered(expected, peopled, without, planned, self.after)
        saved = _minutes(expected, peopled, without, planned)
        return _Effect(covered, saved, list(dict.fromkeys(stuck)))

    def _ask(self, world: Baseline, scenario: Scenario, stuck: list[Stuck]) -> Answer | None:
        try:
            return world.what_if(scenario, progress=self.progress)
        except _engine.InputError as error:
            stuck.append(Stuck.of_error(error))
            return None


def _covered(
    expected: Answer | None, peopled: Answer | None, without: Answer | None, planned: Answer | None, after: Baseline
) -> pl.DataFrame:
    """People covered more in each world, of every row that one of them touches."""
    answers = [answer for answer in (expected, peopled, without, planned) if answer is not None]
    keys = pl.concat([_EMPTY.select(KEYS), *(answer.touched_coverage.select(KEYS) for answer in answers)])
    keys = keys.unique(maintain_order=True).sort(KEYS)
    unknown = pl.Series([None], dtype=pl.Float64)

    def under(answer: Answer | None) -> pl.Series:
        return unknown if answer is None else _people(keys, answer.baseline, answer)

    def at_first(answer: Answer | None) -> pl.Series:
        return unknown if answer is None else _people(keys, answer.baseline, None)

    now = _people(keys, after, None)
    worlds = (
        under(expected) - at_first(expected),
        under(peopled) - at_first(peopled),
        under(planned) - under(without),
        now - under(without),
    )
    return _side_by_side(keys, worlds)


def _people(keys: pl.DataFrame, base: Baseline, answer: Answer | None) -> pl.Series:
    """People covered, row by row of the keys; nobody where an area or class is not there."""
    rows = keys.join(base.coverage.select(*KEYS, was="people_covered"), on=KEYS, how="left", maintain_order="left")
    if answer is None:
        return rows["was"].fill_null(0.0)
    new = answer.touched_coverage.select(*KEYS, now="people_covered")
    rows = rows.join(new, on=KEYS, how="left", maintain_order="left")
    return rows.select(pl.coalesce("now", "was").fill_null(0.0)).to_series()


def _minutes(
    expected: Answer | None, peopled: Answer | None, without: Answer | None, planned: Answer | None
) -> pl.DataFrame:
    """Minutes that people walk less in each world; the after city is the one that gains are counted from."""
    answers = [answer for answer in (expected, peopled, without, planned) if answer is not None]
    keys = pl.concat([_EMPTY.select(_WHO), *(answer.gains.select(_WHO) for answer in answers)])
    keys = keys.unique(maintain_order=True).sort(_WHO)

    def gained(answer: Answer | None) -> pl.Series:
        if answer is None:
            return pl.Series([None], dtype=pl.Float64)
        everywhere = answer.gains.filter(pl.col("area_id").is_null()).select(*_WHO, "people_minutes_saved")
        return keys.join(everywhere, on=_WHO, how="left", maintain_order="left")["people_minutes_saved"].fill_null(0.0)

    lost = gained(without)
    return _side_by_side(keys, (gained(expected), gained(peopled), gained(planned) - lost, 0.0 - lost))


def _side_by_side(keys: pl.DataFrame, worlds: tuple[pl.Series, ...]) -> pl.DataFrame:
    """The worlds as columns; one that is not known is null in every row."""
    columns = [
        pl.lit(None, pl.Float64).alias(name) if world.null_count() else world.alias(name)
        for name, world in zip(_WORLDS, worlds, strict=True)
    ]
    return keys.with_columns(columns)


def _explained(table: pl.DataFrame, name: str, keys: Sequence[str], reason: str | None) -> pl.DataFrame:
    """The difference and its parts, of rows that any world touches."""
    touched = table.filter(pl.any_horizontal(pl.col(*_WORLDS).fill_null(0.0) != 0))
    steps = list(_steps())
    return touched.with_columns(steps).select(
        pl.lit(name).alias("project_id"),
        *keys,
        *_WORLDS,
        "difference",
        *_PARTS,
        pl.lit(reason, pl.String).alias("reason"),
    )


def _steps() -> Iterator[pl.Expr]:
    yield (pl.col("expected") - pl.col("realised")).alias("difference")
    for part, start, end in zip(_PARTS, _WORLDS, _WORLDS[1:], strict=False):
        yield (pl.col(start) - pl.col(end)).alias(part)
