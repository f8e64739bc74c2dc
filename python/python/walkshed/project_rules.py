"""The stages of a project, the columns of a ledger of projects, and the rules that its rows are held against."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator
from typing import Any, get_args

import polars as pl

from walkshed import ledger
from walkshed.ledger import Row, Rule
from walkshed.network import Capacity

#: Stages in order, their names for Chinese readers, and the columns of their days.
STAGES = ("declared", "approved", "building", "completed", "accepted")
STAGES_ZH = ("申报", "批复", "在建", "竣工", "验收")
STAGE_DAYS = ("declared_on", "approved_on", "started_on", "completed_on", "accepted_on")
BUILDING, COMPLETED = STAGES.index("building"), STAGES.index("completed")

_WORDS = {
    "declared": ("declared", "planned", "申报", "已申报", "规划"),
    "approved": ("approved", "批复", "已批复", "立项", "已立项", "审批通过"),
    "building": ("building", "started", "under construction", "在建", "开工", "已开工", "建设中", "施工"),
    "completed": ("completed", "finished", "竣工", "已竣工", "完工", "已完工", "完成", "已完成"),
    "accepted": ("accepted", "验收", "已验收", "验收通过"),
}
_STAGE_OF = {word: stage for stage, words in _WORDS.items() for word in words}
_KIND_OF = {"新建": "new", "扩建": "extension", "改造": "renovation", "增配": "equipment"}

PLANNED = ("planned_start_on", "planned_completion_on")
MONEY = ("budget_yuan", "spent_yuan")
#: Columns of numbers that describe a deliverable, as `project_scenarios` takes them.
AMOUNTS = ("lon", "lat", *get_args(Capacity))

#: Our columns, with the words that are taken for each, best first.
COLUMNS: dict[str, tuple[str, ...]] = {
    "project_id": ("project_id", "id", "项目编号"),
    "name": ("name", "项目名称"),
    "community_ids": ("community_ids", "community_id", "area_id", "社区"),
    "district": ("district", "区县"),
    "kind": ("kind", "建设性质"),
    "class": ("class", "设施类别"),
    "stage": ("stage", "status", "阶段"),
    "declared_on": ("declared_on", "申报日期"),
    "approved_on": ("approved_on", "批复日期"),
    "started_on": ("started_on", "开工日期"),
    "completed_on": ("completed_on", "finished_on", "竣工日期"),
    "accepted_on": ("accepted_on", "验收日期"),
    "planned_start_on": ("planned_start_on", "计划开工日期"),
    "planned_completion_on": ("planned_completion_on", "计划竣工日期"),
    "budget_yuan": ("budget_yuan", "cost_yuan", "预算"),
    "spent_yuan": ("spent_yuan", "已支出"),
    "funding_source": ("funding_source", "资金来源"),
    "edits": ("edits",),
    "facility_id": ("facility_id",),
    **{name: (name,) for name in AMOUNTS},
}

#: What can be wrong with a row: first what rejects it, then what is told of rows that are used.
RULES = (
    ledger.NO_ID,
    ledger.TWICE,
    ledger.NO_DATE,
    ledger.NO_NUMBER,
    ledger.OUT_OF_RANGE,
    Rule(
        "dates_out_of_order",
        "warning",
        "this day is before {before}, {other}",
        "该日期早于 {before} {other}",
        "Correct the days: declared, approved, started, completed, accepted follow each other",
        "请更正日期：申报、批复、开工、竣工、验收应依次进行",
    ),
    Rule(
        "stage_skipped",
        "warning",
        "the project is {stage}, and this day is missing",
        "项目已{stage_zh}，但缺少该日期",
        "Add the day, or correct the later ones",
        "请补充该日期，或更正其后的日期",
    ),
    Rule(
        "accepted_not_completed",
        "warning",
        "the project was accepted, and nothing says that it was completed",
        "项目已验收，但没有竣工日期",
        "Add the day of completion, or remove that of acceptance",
        "请补充竣工日期，或删除验收日期",
    ),
    Rule(
        "stage_contradicted",
        "warning",
        "the days say {stage}; the days were taken",
        "按日期应为“{stage_zh}”；已以日期为准",
        "Correct the stage or the days",
        "请更正阶段或日期",
    ),
    Rule(
        "stage_without_date",
        "warning",
        "the stage has no day of its own; it was taken as it is stated",
        "该阶段没有相应日期；已按所填阶段采用",
        "Add the day",
        "请补充日期",
    ),
    Rule(
        "unknown_stage",
        "warning",
        "unknown stage; known: {known}",
        "未知阶段；可用：{known}",
        "Use one of these words; the row is kept without it",
        "请使用上述词语；该行已保留，但不含此项",
    ),
    Rule(
        "no_stage",
        "warning",
        "neither a day nor a stage tells how far the project is",
        "没有任何日期或阶段说明项目进展",
        "Add the day of declaration",
        "请补充申报日期",
    ),
    Rule(
        "date_after_as_of",
        "warning",
        "this day is after {as_of}; it does not count yet",
        "该日期晚于 {as_of}，尚不计入",
        "Nothing to do if as_of lies in the past; else write what is planned into the planned days",
        "若 as_of 为过去日期则无需处理；否则请将计划日期填入计划列",
    ),
    Rule(
        "plan_out_of_order",
        "warning",
        "completion is planned before the start, {other}",
        "计划竣工早于计划开工 {other}",
        "Correct the planned days",
        "请更正计划日期",
    ),
    Rule(
        "spent_before_start",
        "warning",
        "money is spent, and the project has not started",
        "项目尚未开工，但已有支出",
        "Add the day of the start, or correct the amount",
        "请补充开工日期，或更正金额",
    ),
    Rule(
        "over_budget",
        "warning",
        "more than the budget of {budget:,.0f} yuan is spent",
        "支出超过预算 {budget:,.0f} 元",
        "Correct the amounts, or have the budget amended",
        "请更正金额，或调整预算",
    ),
    Rule(
        "no_community",
        "warning",
        "no community is named",
        "未填写社区",
        "Name the communities that the project serves",
        "请填写项目所在社区",
    ),
    Rule(
        "unknown_community",
        "warning",
        "no community has this id, code or name, or several have",
        "没有该编号、代码或名称的社区，或有多个",
        "Correct the id, or add the community",
        "请更正编号，或补充该社区",
    ),
    Rule(
        "several_districts",
        "note",
        "its communities lie in {districts}; it is counted in the first",
        "所涉社区位于 {districts}；计入第一个",
        "Name the district in the column district if it is another",
        "如应计入其他区县，请填写 district 列",
    ),
    ledger.OWN_CLASS,
    Rule(
        "no_deliverable",
        "warning",
        "nothing tells what the project builds: {why}",
        "没有说明项目建设内容：{why_zh}",
        "Give its edits, or kind, class and place of what is new, or facility_id and amounts of what grows",
        "请提供措施内容；或新建设施的性质、类别与位置；或扩建设施的 facility_id 与规模",
    ),
    Rule(
        "bad_deliverable",
        "warning",
        "what it builds cannot be: {detail}",
        "建设内容有误：{detail_zh}",
        "docs/scenarios.md lists all keys of edits",
        "措施内容的全部键见 docs/scenarios.md",
    ),
    Rule(
        "unknown_project",
        "warning",
        "a deliverable is given for a project that the ledger does not hold",
        "有建设内容，但台账中没有该项目",
        "Correct the id, or add the project",
        "请更正编号，或补充该项目",
    ),
)

#: The rules by their codes.
RULE = {rule.reason: rule for rule in RULES}


def project_rules() -> pl.DataFrame:
    """Every rule that `read_projects` holds a ledger against.

    Returns:
        One row per rule: `reason` (the stable code), `level` (rejected: the row is left out; warning and note: it is
        used), `what`, `what_zh`, `fix`, `fix_zh`; details of a row stand in braces.

    """
    return pl.DataFrame([vars(rule) for rule in RULES])


def values_of(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a row, each of its type; null where nothing stands.

    Raises:
        ValueError: a value that is no day or no number.

    """
    words = ("name", "district", "kind", "class", "stage", "funding_source")
    read: dict[str, Any] = {name: ledger.text(values.get(name)) for name in words}
    read |= {name: ledger.day(values.get(name)) for name in (*STAGE_DAYS, *PLANNED)}
    read |= {name: ledger.number(values.get(name)) for name in (*MONEY, *AMOUNTS)}
    return read | {"kind": _KIND_OF.get(read["kind"], read["kind"])}


def value_faults(at: Row, values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Values that are none: for these a row is rejected."""
    for column in (*STAGE_DAYS, *PLANNED):
        try:
            ledger.day(values.get(column))
        except ValueError:
            yield at.fault(ledger.NO_DATE, column, values[column])
    for column in (*MONEY, *AMOUNTS):
        try:
            amount = ledger.number(values.get(column))
        except ValueError:
            yield at.fault(ledger.NO_NUMBER, column, values[column])
            continue
        if column in MONEY and not ledger.is_amount(amount):
            yield at.fault(ledger.OUT_OF_RANGE, column, values[column], range="0..")


def stage_on(
    at: Row, read: dict[str, Any], as_of: datetime.date | None, found: list[dict[str, Any]]
) -> tuple[str | None, str | None]:
    """The stage on a day, and why it is not known; what contradicts it is added to `found`.

    The last stage whose day has come, or the stated one where that is later and has no day of its own.
    """
    days = [read[column] for column in STAGE_DAYS]
    dated = max((place for place, day in enumerate(days) if _has_come(day, as_of)), default=None)
    word, stage = read["stage"], dated
    stated = None if word is None else _STAGE_OF.get(word.lower())
    if word is not None and stated is None:
        found.append(at.fault(RULE["unknown_stage"], "stage", word, known=", ".join(_STAGE_OF)))
    if stated is not None:
        place = STAGES.index(stated)
        if days[place] is None and (dated is None or place > dated):
            found.append(at.fault(RULE["stage_without_date"], "stage", word))
            stage = place
        elif place != dated:
            en, zh = ("not yet declared", "尚未申报") if dated is None else (STAGES[dated], STAGES_ZH[dated])
            found.append(at.fault(RULE["stage_contradicted"], "stage", word, stage=en, stage_zh=zh))
    if stage is not None:
        return STAGES[stage], None
    if any(days):
        return None, "not_yet"
    found.append(at.fault(RULE["no_stage"], STAGE_DAYS[0]))
    return None, "no_stage"


def _has_come(day: datetime.date | None, as_of: datetime.date | None) -> bool:
    return day is not None and (as_of is None or day <= as_of)


def day_faults(at: Row, read: dict[str, Any], as_of: datetime.date | None) -> Iterator[dict[str, Any]]:
    """Days that are out of order or still to come, and stages that were left out."""
    known = [(place, read[column]) for place, column in enumerate(STAGE_DAYS) if read[column] is not None]
    for (before, earlier), (place, day) in itertools.pairwise(known):
        if day < earlier:
            column, other = STAGE_DAYS[place], STAGE_DAYS[before]
            yield at.fault(RULE["dates_out_of_order"], column, day, before=other, other=earlier)
    last = max((place for place, day in known if _has_come(day, as_of)), default=0)
    for place in (place for place in range(last) if read[STAGE_DAYS[place]] is None):
        never_done = place == COMPLETED
        rule = RULE["accepted_not_completed" if never_done else "stage_skipped"]
        yield at.fault(rule, STAGE_DAYS[place], stage=STAGES[last], stage_zh=STAGES_ZH[last])
    for place, day in known:
        if not _has_come(day, as_of):
            yield at.fault(RULE["date_after_as_of"], STAGE_DAYS[place], day, as_of=as_of)
    start, end = (read[column] for column in PLANNED)
    if start is not None and end is not None and end < start:
        yield at.fault(RULE["plan_out_of_order"], PLANNED[1], end, other=start)


def money_faults(at: Row, read: dict[str, Any], stage: str | None) -> Iterator[dict[str, Any]]:
    """Money that is spent too early, or beyond the budget."""
    budget, spent = (read[column] for column in MONEY)
    if spent and stage not in STAGES[BUILDING:]:
        yield at.fault(RULE["spent_before_start"], "spent_yuan", f"{spent:.15g}")
    if spent is not None and budget is not None and spent > budget:
        yield at.fault(RULE["over_budget"], "spent_yuan", f"{spent:.15g}", budget=budget)
