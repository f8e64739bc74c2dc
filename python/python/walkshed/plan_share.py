"""How much of a plan is done: projects that were to be completed, and people who were to be covered."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from walkshed import cards, ledger
from walkshed.arrow import TableLike
from walkshed.coverage import KEYS
from walkshed.facilities import facility_classes
from walkshed.ledger import Row, Rule
from walkshed.project_rules import COMPLETED, STAGES
from walkshed.rejected import warn

#: Columns of a table of targets, with the words that are taken for each.
COLUMNS = {
    "area_id": ("area_id", "community_id", "社区"),
    "class": ("class", "设施类别"),
    "group": ("group", "人群"),
    "profile": ("profile",),
    "minutes": ("minutes", "分钟"),
    "target_share": ("target_share", "目标覆盖率"),
    "target_people": ("target_people", "目标人数"),
}
_TARGETS = {
    "row": pl.UInt64,
    **dict.fromkeys(KEYS[:4], pl.String),
    **dict.fromkeys(("minutes", "target_share", "target_people"), pl.Float64),
}
_MOST = {"target_share": 1.0, "target_people": float("inf"), "minutes": 1440.0}
_NO_CLASS = Rule(
    "missing_class",
    "rejected",
    "the row has no class",
    "该行没有设施类别",
    "Say the class of the target",
    "请填写设施类别",
)
_ONE_TARGET = Rule(
    "one_target",
    "rejected",
    "a target is a share or a number of people, one of the two",
    "目标应为覆盖率或人数，二者填一",
    "Fill in target_share or target_people",
    "请填写 target_share 或 target_people 之一",
)


@dataclass(frozen=True)
class PlanShare:
    """How much of a plan is done.

    Attributes:
        projects: projects of the ledger, in its order: `project_id`, `name`, `district`, `stage`, `due` ("earlier": its
            planned completion lies before the period, "period", "later", "unplanned": no day is planned),
            `planned_completion_on`, `done_on` (completed, else accepted; null where no day is said), `done` (by the
            last day of the period), `late` (due and not done), `budget_yuan`, `spent_yuan`. No rows without a ledger.
        share: one row for each `due` ("earlier", "period", "due": both, "later", "unplanned", "all"): `projects`,
            `done`, `done_share` (null without projects), `budget_yuan`, `budget_done_yuan` (sums of what is known; null
            where nothing is), `budget_share` (null without a budget), `budget_unknown` (projects that do not say),
            `spent_yuan`.
        targets: one row for each target that is used, in its order: `row`, `area_id` (null: the whole city, each cell
            once), `class`, `group`, `profile`, `minutes`, `target_share`, `target_people`, `people`, `people_covered`,
            `share`, `people_covered_before`, `wanted_people` (the target in people), `achieved_share` (covered of the
            wanted; may be above 1; null where nobody is wanted), `way_share` (how much of the way from before to the
            target is gone; null where there was none to go), `missing_people`, `met`, `reason` (why the rest is null:
            unknown_area, unknown_class, or not_computed: the release has no such group, profile or minutes).
        rejected: rows of the targets that cannot be used, as of `read_projects`.

    """

    projects: pl.DataFrame
    share: pl.DataFrame
    targets: pl.DataFrame
    rejected: pl.DataFrame

    def _repr_html_(self) -> str:
        columns = {
            "due": "应完成 Due",
            "projects": "项目 Projects",
            "done": "完成 Done",
            "done_share": "完成率 Share done",
            "budget_share": "预算完成率 Share of the budget",
            "spent_yuan": "支出（元） Spent (yuan)",
        }
        targets = {"class": "设施类别 Class", "target_share": "目标 Target", "share": "覆盖率 Share", "met": "达到 Met"}
        return cards.card(
            "规划完成情况 How much of the plan is done",
            tables=[
                cards.table(self.share, columns),
                cards.table(self.targets, targets, title="覆盖目标 Targets of coverage"),
            ],
            notes=cards.left_out(self.rejected.height),
        )


def done_by(day: datetime.date) -> pl.Expr:
    """Whether a project of a ledger is completed or accepted by a day: by its days, else by its stage."""
    days = [pl.col("completed_on"), pl.col("accepted_on")]
    undated = pl.all_horizontal(each.is_null() for each in days)
    by_day = pl.any_horizontal((each <= day).fill_null(False) for each in days)
    return pl.when(undated).then(pl.col("stage").is_in(STAGES[COMPLETED:]).fill_null(False)).otherwise(by_day)


def plan_share(
    projects: pl.DataFrame | None,
    targets: TableLike | None,
    rows: pl.DataFrame,
    days: tuple[datetime.date, datetime.date],
    usual: dict[str, Any],
) -> PlanShare:
    """Hold a ledger and targets against what is.

    Args:
        projects: the table of a ledger; None for none.
        targets: what is to be covered; None for none.
        rows: coverage before and after, of every area, as of `Evaluation.communities`.
        days: the period: the last day before it, and its last day.
        usual: `group`, `profile` and `minutes` of targets that do not say.

    Returns:
        The `PlanShare`.

    Raises:
        InputError: a table of targets cannot be read, or has no class.

    Warns:
        RejectedRowsWarning: targets were left out.

    """
    found = _projects(projects, *days)
    wanted, rejected = _read(targets, usual)
    warn(rejected)
    return PlanShare(found, _share(found), _held(wanted, rows), rejected)


_LEDGER = {
    **dict.fromkeys(("project_id", "name", "district", "stage"), pl.String),
    **dict.fromkeys(("planned_completion_on", "completed_on", "accepted_on"), pl.Date),
    **dict.fromkeys(("budget_yuan", "spent_yuan"), pl.Float64),
}


def _projects(table: pl.DataFrame | None, before: datetime.date, after: datetime.date) -> pl.DataFrame:
    table = pl.DataFrame(schema=_LEDGER) if table is None else table.select(list(_LEDGER))
    planned = pl.col("planned_completion_on")
    due = (
        pl.when(planned.is_null())
        .then(pl.lit("unplanned"))
        .when(planned <= before)
        .then(pl.lit("earlier"))
        .when(planned <= after)
        .then(pl.lit("period"))
        .otherwise(pl.lit("later"))
    )
    told = table.with_columns(due=due, done=done_by(after), done_on=pl.coalesce("completed_on", "accepted_on"))
    late = pl.col("due").is_in(["earlier", "period"]) & ~pl.col("done")
    return told.with_columns(late=late).select(
        *list(_LEDGER)[:4],
        "due",
        "planned_completion_on",
        pl.when("done").then("done_on").alias("done_on"),
        "done",
        "late",
        "budget_yuan",
        "spent_yuan",
    )


_DUE = {
    "earlier": ("earlier",),
    "period": ("period",),
    "due": ("earlier", "period"),
    "later": ("later",),
    "unplanned": ("unplanned",),
    "all": ("earlier", "period", "later", "unplanned"),
}


def _share(projects: pl.DataFrame) -> pl.DataFrame:
    parts = [_summed(projects.filter(pl.col("due").is_in(list(which))), name) for name, which in _DUE.items()]
    return pl.concat(parts)


def _summed(projects: pl.DataFrame, name: str) -> pl.DataFrame:
    budget, spent = pl.col("budget_yuan"), pl.col("spent_yuan")
    known = pl.when(budget.count() > 0)
    counted = projects.select(
        projects=pl.len(),
        done=pl.col("done").sum(),
        done_share=pl.when(pl.len() > 0).then(pl.col("done").mean()),
        budget_yuan=known.then(budget.sum()),
        budget_done_yuan=known.then(budget.filter("done").sum()),
        budget_share=pl.when(budget.sum() > 0).then(budget.filter("done").sum() / budget.sum()),
        budget_unknown=budget.null_count(),
        spent_yuan=pl.when(spent.count() > 0).then(spent.sum()),
    )
    return counted.insert_column(0, pl.lit(name).alias("due"))


def _read(targets: TableLike | None, usual: dict[str, Any]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Targets that can be used, and the rows that cannot."""
    if targets is None:
        return pl.DataFrame(schema=_TARGETS), ledger.faults([])
    file, table = ledger.read(targets, "plan")
    table, headings = ledger.named(table, COLUMNS, "class", file)
    rows, rejected = list[dict[str, Any]](), list[dict[str, Any]]()
    for number, values in enumerate(table.iter_rows(named=True), start=1):
        at = Row(file, number, ledger.text(values.get("area_id")), headings)
        wrong = list(_faults(at, values))
        rejected += wrong
        if not wrong:
            rows.append({"row": number} | _target(values, usual))
    return pl.DataFrame(rows, schema=_TARGETS), ledger.faults(rejected)


def _faults(at: Row, values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if ledger.text(values.get("class")) is None:
        yield at.fault(_NO_CLASS, "class")
    said = [name for name in ("target_share", "target_people") if ledger.text(values.get(name)) is not None]
    if len(said) != 1:
        yield at.fault(_ONE_TARGET, "target_share")
    for column, most in _MOST.items():
        try:
            amount = _number(values.get(column))
        except ValueError:
            yield at.fault(ledger.NO_NUMBER, column, values[column])
            continue
        if not ledger.is_amount(amount) or (amount or 0) > most:
            shown = "" if most == float("inf") else f"{most:g}"
            yield at.fault(ledger.OUT_OF_RANGE, column, values[column], range=f"0..{shown}")


def _number(value: object) -> float | None:
    """A number as ledgers write it, or per cent."""
    told = ledger.text(value)
    if told is not None and told.endswith(("%", "％")):
        share = ledger.number(told[:-1])
        return None if share is None else share / 100
    return ledger.number(value)


def _target(values: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    word = ledger.text(values["class"]) or ""
    told: dict[str, Any] = {"area_id": ledger.text(values.get("area_id")), "class": ledger.class_of(word) or word}
    told |= {name: ledger.text(values.get(name)) or usual[name] for name in ("group", "profile")}
    minutes = _number(values.get("minutes"))
    told["minutes"] = usual["minutes"] if minutes is None else minutes
    return told | {name: _number(values.get(name)) for name in ("target_share", "target_people")}


def _held(targets: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Targets beside what is."""
    now = rows.drop_nulls("people_after")
    found = targets.join(
        now.select(*KEYS, "people_after", "people_covered_after", "people_covered_before", _there=True),
        on=KEYS,
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    # Of a class that is known and has no facility, nobody is covered; who lives there the other classes tell.
    lived = now.unique(["area_id", "group"], keep="first", maintain_order=True)
    lived = lived.select("area_id", "group", _lived="people_after")
    found = found.join(lived, on=["area_id", "group"], how="left", nulls_equal=True, maintain_order="left")
    known = [*facility_classes()["class"], *rows["class"].unique()]
    computed = now.select("group", "profile", "minutes", _computed=True).unique()
    found = found.join(computed, on=["group", "profile", "minutes"], how="left", maintain_order="left")
    elsewhere = ~pl.col("area_id").is_in(now["area_id"].drop_nulls().unique().to_list())
    reason = (
        pl.when(pl.col("_there"))
        .then(None)
        .when(pl.col("area_id").is_not_null() & elsewhere)
        .then(pl.lit("unknown_area"))
        .when(pl.col("_computed").is_null())
        .then(pl.lit("not_computed"))
        .when(~pl.col("class").is_in(known))
        .then(pl.lit("unknown_class"))
    )
    found = found.with_columns(reason=reason)
    is_known = pl.col("reason").is_null()
    people = pl.when(is_known).then(pl.coalesce("people_after", "_lived"))
    covered = pl.when(is_known).then(pl.col("people_covered_after").fill_null(0.0))
    was = pl.when(is_known).then(pl.col("people_covered_before").fill_null(0.0))
    return _judged(found.with_columns(people=people, people_covered=covered, people_covered_before=was))


def _judged(found: pl.DataFrame) -> pl.DataFrame:
    covered, was, people = (pl.col(name) for name in ("people_covered", "people_covered_before", "people"))
    wanted = pl.col("wanted_people")
    share = pl.col("target_share") * people
    told = found.with_columns(
        share=pl.when(people > 0).then(covered / people),
        wanted_people=pl.when(people.is_not_null()).then(pl.coalesce(share, "target_people")),
    )
    # As scorecards give grades: a share of people that is short of the target by rounding is the target.
    met = covered >= wanted * (1 - 1e-9)
    return told.with_columns(
        achieved_share=pl.when(wanted > 0).then(covered / wanted),
        way_share=pl.when(wanted > was).then((covered - was) / (wanted - was)),
        missing_people=pl.when(met).then(0.0).otherwise(wanted - covered),
        met=met,
    ).select(
        *_TARGETS,
        "people",
        "people_covered",
        "share",
        "people_covered_before",
        "wanted_people",
        "achieved_share",
        "way_share",
        "missing_people",
        "met",
        "reason",
    )
