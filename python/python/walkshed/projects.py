"""A ledger of projects: what each builds, how far it is, what it has cost, and what its entry contradicts.

>>> ledger = pl.DataFrame(
...     {
...         "project_id": ["P-1", "P-2"],
...         "community_ids": ["c1", "c1; c2"],
...         "declared_on": ["2024-02-01", "2024-03-01"],
...         "approved_on": ["2024-04-01", None],
...         "budget_yuan": [900_000, 250_000],
...     }
... )
>>> projects = read_projects(ledger, as_of="2024-12-31")
>>> projects.table["stage"].to_list(), sorted(set(projects.findings["reason"]))
(['approved', 'declared'], ['no_deliverable'])
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import polars as pl

from walkshed import cards, ledger
from walkshed.arrow import TableLike
from walkshed.communities import Communities
from walkshed.deliverables import Deliverable, Deliverables, Unbuildable, given, of_row
from walkshed.ledger import Row
from walkshed.project_rules import (
    BUILDING,
    COLUMNS,
    COMPLETED,
    MONEY,
    PLANNED,
    RULE,
    STAGE_DAYS,
    STAGES,
    STAGES_ZH,
    day_faults,
    money_faults,
    stage_on,
    value_faults,
    values_of,
)
from walkshed.rejected import warn
from walkshed.scenario import Scenario

_SCHEMA = pl.Schema(
    [
        ("project_id", pl.String),
        ("row", pl.UInt64),
        ("name", pl.String),
        ("community_ids", pl.List(pl.String)),
        *((name, pl.String) for name in ("district", "district_reason", "kind", "class", "stage", "stage_reason")),
        *((name, pl.Date) for name in (*STAGE_DAYS, *PLANNED)),
        *((name, pl.Float64) for name in MONEY),
        ("funding_source", pl.String),
        ("edits", pl.UInt32),
    ]
)
_WHICH = ("project_id", "name", "district", "stage")


@dataclass(frozen=True)
class Projects:
    """Projects of a ledger on a day.

    Attributes:
        table: one row per accepted project, in the order of the ledger: `project_id`, `row` (from 1), `name`,
            `community_ids` (list; those that are known where communities were given), `district` and
            `district_reason` (why it is null: no_community, unknown_community, no_parent, or not_given when neither
            a column nor communities tell), `kind`, `class`, `stage` (declared, approved, building, completed,
            accepted) and `stage_reason` (why it is null: no_stage, or not_yet when every day is after `as_of`), the
            days `declared_on`, `approved_on`, `started_on`, `completed_on`, `accepted_on`, `planned_start_on`,
            `planned_completion_on`, `budget_yuan`, `spent_yuan` (null where not said), `funding_source`, `edits`
            (number of edits that it delivers, 0 where none are known).
        rejected: rows that cannot be used: `level`, `file`, `row`, `id`, `column`, `value`, `reason`, `message`,
            `message_zh`.
        findings: what is wrong or worth knowing of rows that are used, with the same columns.
        as_of: the day; None when every date has passed.

    """

    table: pl.DataFrame
    rejected: pl.DataFrame
    findings: pl.DataFrame
    as_of: datetime.date | None
    _plans: Mapping[str, Scenario] = field(default_factory=dict[str, Scenario], repr=False)

    def __len__(self) -> int:
        """Number of projects."""
        return self.table.height

    def __repr__(self) -> str:
        """How many projects, at which stages."""
        counts = dict(self.table["stage"].value_counts().iter_rows())
        told = ", ".join(f"{counts[stage]} {stage}" for stage in STAGES if stage in counts)
        return f"Projects({len(self)}: {told or 'no stage known'}; {self.rejected.height} rejected)"

    def _repr_html_(self) -> str:
        counts = dict(self.table["stage"].value_counts().iter_rows())
        budget = self.table["budget_yuan"]
        return cards.card(
            "项目台账 Projects",
            facts=[
                ("项目 Projects", len(self)),
                *((f"{zh} {en}", counts[en]) for en, zh in zip(STAGES, STAGES_ZH, strict=True) if en in counts),
                ("预算（元） Budget (yuan)", float(budget.sum()) if budget.drop_nulls().len() else None),
                ("截至 As of", self.as_of),
            ],
            tables=[cards.table(self.table, ["project_id", "name", "district", "kind", "class", "stage", "edits"])],
            notes=[*cards.left_out(self.rejected.height), *cards.told_of(self.findings)],
        )

    def scenarios(self, stages: Sequence[str] | None = None) -> list[Scenario]:
        """What projects build, one scenario per project, named by its id.

        Args:
            stages: only projects at these stages, as `("declared", "approved")` for those still to be built; None for
                all.

        Returns:
            Scenarios in the order of the ledger, for `Baseline.what_if`, `build_order` and `expected_effect`. Projects
            without a deliverable have none: `findings` tells them (no_deliverable, bad_deliverable). The cost of a
            deliverable that the ledger's own columns describe is the budget.

        Raises:
            ValueError: no such stage.

        """
        wanted = STAGES if stages is None else _known_stages(stages)
        rows = self.table if stages is None else self.table.filter(pl.col("stage").is_in(wanted))
        return [self._plans[name] for name in rows["project_id"] if name in self._plans]

    def progress(self, by: Sequence[str] = ("district", "year")) -> pl.DataFrame:
        """How many projects stand where, and what they cost, by district and year of declaration.

        Args:
            by: columns to count by: of `table`, or "year", the year of `declared_on`. Empty for the total alone.

        Returns:
            The columns of `by` (null where the ledger does not say), `total_over` (null for a group; else the columns
            that are added up, "district", "year", "district, year" for the whole), `projects`, one column per stage
            with the projects at that stage on `as_of`, `no_stage`, `completed_share` (completed or accepted, of all),
            `budget_yuan` and `spent_yuan` (sums of what is known; null where nothing is), `budget_unknown`,
            `spent_unknown` (projects that do not say), `spent_share` (spent of the budget, of projects that say both;
            null without). Groups first, sorted, nulls last; then the totals over each set of columns, the whole last.

        Raises:
            ValueError: a column that cannot be counted by.

        """
        keys = [by] if isinstance(by, str) else list(by)
        known = [name for name in self.table.columns if self.table.schema[name] == pl.String]
        wrong = [key for key in keys if key not in (*known, "year")]
        if wrong:
            raise ValueError(f"by {wrong}: use {', '.join(known)} or year")
        table = self.table.with_columns(year=pl.col("declared_on").dt.year())
        return pl.concat([_counted(table, keys, over) for over in _subsets(keys)])

    def overdue(self) -> pl.DataFrame:
        """Projects whose planned completion, or start, has passed without being done.

        Returns:
            `project_id`, `name`, `district`, `stage`, `overdue` ("completion" or "start"), `planned_on`, `days` (from
            the planned day to `as_of`), longest first. A project that is late to start and to complete has both rows;
            one without planned days has none.

        Raises:
            ValueError: the ledger was read without `as_of`.

        """
        if self.as_of is None:
            raise ValueError("as_of: give read_projects the day on which the ledger is looked at")
        parts: list[pl.DataFrame] = []
        for what, column, done in (("completion", PLANNED[1], COMPLETED), ("start", PLANNED[0], BUILDING)):
            is_done = pl.col("stage").is_in(STAGES[done:]).fill_null(False)
            late = self.table.filter((pl.col(column) < self.as_of) & ~is_done)
            days = (pl.lit(self.as_of) - pl.col(column)).dt.total_days()
            parts.append(late.select(*_WHICH, overdue=pl.lit(what), planned_on=column, days=days))
        return pl.concat(parts).sort("days", "project_id", descending=[True, False], maintain_order=True)

    def over_budget(self, tolerance_share: float = 0) -> pl.DataFrame:
        """Projects that have spent more than their budget.

        Args:
            tolerance_share: how much more may be spent, as a share of the budget.

        Returns:
            `project_id`, `name`, `district`, `stage`, `budget_yuan`, `spent_yuan`, `over_yuan`, `over_share` (of the
            budget; null where that is 0), most yuan first. Projects that do not say both amounts are not looked at;
            `progress` counts them.

        Raises:
            ValueError: a tolerance below 0 or not finite.

        """
        if not 0 <= tolerance_share < float("inf"):
            raise ValueError(f"tolerance_share {tolerance_share}: use 0 or more")
        over = pl.col("spent_yuan") - pl.col("budget_yuan")
        found = self.table.filter(pl.col("spent_yuan") > pl.col("budget_yuan") * (1 + tolerance_share))
        share = pl.when(pl.col("budget_yuan") > 0).then(over / pl.col("budget_yuan"))
        return found.select(*_WHICH, *MONEY, over_yuan=over, over_share=share).sort(
            "over_yuan", "project_id", descending=[True, False]
        )

    def summary(self, chinese: bool = False) -> str:
        """Tell the ledger in a few lines.

        Args:
            chinese: in Chinese, else in English.

        Returns:
            Lines of text: projects by stage, money, what is overdue (where `as_of` is known), rows left out, findings.

        Raises:
            Nothing: what was read can be told.

        """
        whole = self.progress(()).row(0, named=True) | {"all": len(self), "rejected": self.rejected.height}
        whole |= {"over": self.over_budget().height, "findings": self.findings.height}
        whole["day"] = "" if self.as_of is None else f" ({self.as_of})"
        whole["late"] = None if self.as_of is None else self.overdue().height
        return "\n".join(_told_zh(whole) if chinese else _told(whole))


def read_projects(
    projects: TableLike,
    communities: TableLike | None = None,
    *,
    deliverables: Deliverables | None = None,
    as_of: datetime.date | str | None = None,
) -> Projects:
    """Read a ledger of projects and hold it against the rules of stages (`project_rules`, docs/projects.md).

    The stage on `as_of` is the last one whose day has come. A stated stage counts where it is later than that and has
    no day of its own; where the days contradict it, the days count.

    Args:
        projects: a table in memory or a path (CSV, Parquet, a workbook), one row per project: `project_id` (or `id`),
            and where known `name`, `community_ids` (a list, or text with `;`, `,` or `、` between), `district`, `kind`,
            `class`, `stage` (or `status`), the days `declared_on`, `approved_on`, `started_on`, `completed_on` (or
            `finished_on`), `accepted_on`, `planned_start_on`, `planned_completion_on`, `budget_yuan` (or `cost_yuan`),
            `spent_yuan`, `funding_source`; and what it delivers: `edits` (JSON, as `Scenario.to_json`), or the columns
            of `project_scenarios` (`lon`, `lat`, `facility_id`, `places` …). Chinese headings: docs/projects.md.
        communities: `area_id` with `district` or `parent_id`, and `code`, `name` where known: which communities there
            are, and in which district they lie. Without it, nothing is looked up.
        deliverables: what projects build, before what the ledger says: scenarios by project id, scenarios whose names
            are project ids, a folder of scenario files `<project_id>.toml`, or a table of `project_id` with `edits` or
            the columns of `project_scenarios`, one row per edit.
        as_of: the day on which stages are looked at; None when every date has passed.

    Returns:
        The `Projects`: every row is in `table` or in `rejected`.

    Raises:
        InputError: a file cannot be read, or a table has no column of ids.
        TypeError: a table of `read_table` or `in_crs`.
        ValueError: no such day.

    Warns:
        RejectedRowsWarning: rows were left out.

    """
    today = ledger.as_day(as_of)
    file, table = ledger.read(projects, "projects")
    table, headings = ledger.named(table, COLUMNS, "project_id", file)
    plans, rejected = given(deliverables)
    read = _Reading(today, None if communities is None else Communities.read(communities), plans)
    for number, values in enumerate(table.iter_rows(named=True), start=1):
        read.row(Row(file, number, ledger.text(values["project_id"]), headings), values)
    read.strangers(file)
    left_out = pl.concat([ledger.faults(read.rejected), ledger.faults(rejected)])
    warn(left_out)
    return Projects(pl.DataFrame(read.rows, schema=_SCHEMA), left_out, ledger.faults(read.findings), today, read.plans)


class _Reading:
    """A ledger as it is read, row by row."""

    def __init__(
        self, as_of: datetime.date | None, communities: Communities | None, plans: dict[str, Deliverable]
    ) -> None:
        self.as_of, self.communities, self.given = as_of, communities, plans
        self.rows: list[dict[str, Any]] = []
        self.rejected: list[dict[str, Any]] = []
        self.findings: list[dict[str, Any]] = []
        self.plans: dict[str, Scenario] = {}
        self.first: dict[str, int | None] = {}

    def row(self, at: Row, values: dict[str, Any]) -> None:
        """Accept a row with its findings, or reject it with every reason."""
        wrong = list(value_faults(at, values))
        if at.id in self.first:
            wrong.insert(0, at.fault(ledger.TWICE, "project_id", at.id, first=self.first[at.id]))
        if at.id is None:
            wrong.insert(0, at.fault(ledger.NO_ID, "project_id"))
        if at.id is None or wrong:
            self.rejected += wrong
            return
        self.first[at.id] = at.number
        read, found = values_of(values), list[dict[str, Any]]()
        read["stage"], read["stage_reason"] = stage_on(at, read, self.as_of, found)
        found += [*day_faults(at, read, self.as_of), *money_faults(at, read, read["stage"])]
        read["community_ids"] = self._communities(at, _split(values.get("community_ids")), found)
        read["district"], read["district_reason"] = self._district(at, values, read, found)
        read["class"] = self._class(at, read["class"], found)
        read["edits"] = self._deliver(at, at.id, values, found)
        self.findings += found
        read |= {"project_id": at.id, "row": at.number}
        self.rows.append({name: read[name] for name in _SCHEMA})

    def strangers(self, file: str) -> None:
        """Tell deliverables of projects that the ledger does not hold."""
        unknown = [name for name in self.given if name not in self.first]
        self.findings += [Row(file, None, name).fault(RULE["unknown_project"], "project_id") for name in unknown]

    def _communities(self, at: Row, words: list[str], found: list[dict[str, Any]]) -> list[str]:
        """Ids of the communities that are known; all where none were given to look them up."""
        if not words:
            found.append(at.fault(RULE["no_community"], "community_ids"))
        if self.communities is None:
            return words
        areas = {word: self.communities.find(word) for word in words}
        unknown = [word for word, area in areas.items() if area is None]
        found += [at.fault(RULE["unknown_community"], "community_ids", word) for word in unknown]
        return list(dict.fromkeys(area for area in areas.values() if area is not None))

    def _district(
        self, at: Row, values: dict[str, Any], read: dict[str, Any], found: list[dict[str, Any]]
    ) -> tuple[str | None, str | None]:
        """The district, or why it is not known."""
        if read["district"] is not None:
            return read["district"], None
        if self.communities is None:
            return None, "not_given"
        if not read["community_ids"]:
            return None, "unknown_community" if _split(values.get("community_ids")) else "no_community"
        districts = list(dict.fromkeys(filter(None, map(self.communities.district, read["community_ids"]))))
        if len(districts) > 1:
            found.append(at.fault(RULE["several_districts"], "community_ids", districts=", ".join(districts)))
        return (districts[0], None) if districts else (None, "no_parent")

    def _class(self, at: Row, word: str | None, found: list[dict[str, Any]]) -> str | None:
        found_class = None if word is None else ledger.class_of(word)
        if word is not None and found_class is None:
            found.append(ledger.own_class(at, word))
        return found_class or word

    def _deliver(self, at: Row, name: str, values: dict[str, Any], found: list[dict[str, Any]]) -> int:
        """The number of edits: of those given, else of those that the row describes."""
        plan = self.given[name] if name in self.given else of_row(name, values)
        if isinstance(plan, Scenario) and not len(plan):
            plan = Unbuildable("no_edits")
        if isinstance(plan, Unbuildable):
            found.append(plan.fault(at))
            return 0
        self.plans[name] = Scenario(plan.edits, name=name)
        return len(plan)


def _split(value: object) -> list[str]:
    """Ids of a list, or of text with signs between."""
    if isinstance(value, (str, int, float)):
        parts: Iterable[object] = re.split("[;,、；，]", ledger.text(value) or "")
    else:
        parts = cast("Iterable[object]", value) if isinstance(value, (list, tuple)) else ()
    words = map(ledger.text, parts)
    return list(dict.fromkeys(word for word in words if word))


def _known_stages(stages: Sequence[str]) -> list[str]:
    wrong = [stage for stage in stages if stage not in STAGES]
    if wrong or isinstance(stages, str):
        raise ValueError(f"stages {wrong or stages!r}: use a list of {', '.join(STAGES)}")
    return list(stages)


def _told(whole: dict[str, Any]) -> list[str]:
    budget, spent = ("unknown" if whole[each] is None else f"{whole[each]:,.0f}" for each in MONEY)
    late = "" if whole["late"] is None else f", {whole['late']} overdue"
    stages = ", ".join(f"{stage} {whole[stage]}" for stage in STAGES)
    return [
        f"{whole['all']} projects{whole['day']}: {stages}, stage unknown {whole['no_stage']}",
        f"budget {budget} yuan ({whole['budget_unknown']} do not say), "
        f"spent {spent} yuan ({whole['spent_unknown']} do not say)",
        f"{whole['over']} over budget{late}",
        f"{whole['rejected']} rows left out, {whole['findings']} findings",
    ]


def _told_zh(whole: dict[str, Any]) -> list[str]:
    budget, spent = ("未知" if whole[each] is None else f"{whole[each]:,.0f}" for each in MONEY)
    late = "" if whole["late"] is None else f"，逾期 {whole['late']} 项"
    stages = "、".join(f"{zh} {whole[stage]}" for stage, zh in zip(STAGES, STAGES_ZH, strict=True))
    return [
        f"项目 {whole['all']} 个{whole['day']}：{stages}，阶段不明 {whole['no_stage']}",
        f"预算 {budget} 元（{whole['budget_unknown']} 个未填），支出 {spent} 元（{whole['spent_unknown']} 个未填）",
        f"超预算 {whole['over']} 个{late}",
        f"未采用 {whole['rejected']} 行，提示与警告 {whole['findings']} 条",
    ]


def _subsets(keys: Sequence[str]) -> list[tuple[str, ...]]:
    """Every set of columns, smaller ones first."""
    return [over for size in range(len(keys) + 1) for over in itertools.combinations(keys, size)]


def _counted(table: pl.DataFrame, keys: Sequence[str], over: Sequence[str]) -> pl.DataFrame:
    """Projects and money by the keys that are not added up."""
    kept = [key for key in keys if key not in over]
    both = pl.col("budget_yuan").is_not_null() & pl.col("spent_yuan").is_not_null()
    budget, spent = (pl.col(column).filter(both).sum() for column in MONEY)
    wanted = [
        pl.len().alias("projects"),
        *((pl.col("stage") == stage).sum().alias(stage) for stage in STAGES),
        pl.col("stage").null_count().alias("no_stage"),
        pl.col("stage").is_in(STAGES[COMPLETED:]).fill_null(False).mean().alias("completed_share"),
        *(pl.when(pl.col(column).count() > 0).then(pl.col(column).sum()).alias(column) for column in MONEY),
        *(pl.col(column).null_count().alias(column.replace("yuan", "unknown")) for column in MONEY),
        pl.when(budget > 0).then(spent / budget).alias("spent_share"),
    ]
    counted = table.group_by(kept).agg(wanted).sort(kept, nulls_last=True) if kept else table.select(wanted)
    blank = {key: pl.lit(None, table.schema[key]) for key in keys if key not in kept}
    total = pl.lit(", ".join(over) or None, pl.String)
    return counted.with_columns(**blank, total_over=total).select(*keys, "total_over", *_PROGRESS)


_PROGRESS = (
    *("projects", *STAGES, "no_stage", "completed_share"),
    *("budget_yuan", "budget_unknown", "spent_yuan", "spent_unknown", "spent_share"),
)
