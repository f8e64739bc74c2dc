"""The text of an evaluation, in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import polars as pl

from walkshed.attribution import PARTS
from walkshed.facilities import facility_classes

if TYPE_CHECKING:
    from walkshed.evaluation import Evaluation

#: Classes that are told one by one.
_TOLD = 8
_PARTS_ZH = {
    "borders": "边界调整",
    "streets": "路网",
    "people": "人口",
    "projects": "项目",
    "closures": "关闭",
    "openings": "新开与迁移",
    "method": "计算方法",
}


def told(year: Evaluation, minutes: float, profile: str, chinese: bool) -> Iterator[str]:
    """Lines: what differs, classes with their parts, the plan, grades, and whether the past comes out again."""
    yield _head(year, chinese)
    yield _facilities(year, chinese)
    yield from _classes(year, minutes, profile, chinese)
    yield from _plan(year, chinese)
    yield from _grades(year, chinese)
    yield _recomputed(year, chinese)


def _head(year: Evaluation, chinese: bool) -> str:
    days = f"{year.before} ({year.days[0]}) → {year.after} ({year.days[1]})"
    if chinese:
        causes = "、".join(_PARTS_ZH[cause] for cause in year.causes) or "无"
        return f"第 {days} 版；变化因素：{causes}"
    return f"release {days}; what differs: {', '.join(year.causes) or 'nothing'}"


def _facilities(year: Evaluation, chinese: bool) -> str:
    states = dict(year.facilities.group_by("state").len().iter_rows())
    causes = dict(year.facilities.group_by("cause").len().iter_rows())
    new, moved, gone = (states.get(state, 0) for state in ("new", "moved", "gone"))
    by = causes.get("projects", 0)
    unseen, untold = (
        year.built.filter(pl.col("reason") == reason)["project_id"].n_unique()
        for reason in ("not_so", "no_deliverable")
    )
    if chinese:
        more = f"；{unseen} 个已完成项目未见于数据" if unseen else ""
        more += f"；{untold} 个已完成项目未说明建设内容" if untold else ""
        return f"设施：新开 {new}、迁移 {moved}、停用 {gone}，其中项目所致 {by}{more}"
    more = f"; {unseen} completed project(s) do not show in the tables" if unseen else ""
    more += f"; {untold} completed project(s) do not say what they build" if untold else ""
    return f"facilities: {new} new, {moved} moved, {gone} gone, {by} of them by projects{more}"


def _classes(year: Evaluation, minutes: float, profile: str, chinese: bool) -> Iterator[str]:
    """The classes of which more or fewer people are covered, the largest change first."""
    asked = (pl.col("group") == "all") & (pl.col("profile") == profile) & (pl.col("minutes") == minutes)
    city = pl.col("area_id").is_null() & asked
    counts = year.communities.filter(city).select("class", "people_covered_before", "people_covered_after")
    rows = year.attribution.filter(city).join(counts, on="class", how="left", maintain_order="left")
    changed = rows.filter(pl.col("change") != 0).sort(pl.col("change").abs(), descending=True, maintain_order=True)
    who = f"{minutes:g} 分钟内，{profile}，全体居民" if chinese else f"within {minutes:g} min, {profile}, all people"
    same = rows.height - changed.height
    yield f"{who}：{same} 类无变化" if chinese else f"{who}: {same} of {rows.height} classes as before"
    column = "name_zh" if chinese else "name_en"
    names = dict(facility_classes().select("class", column).iter_rows())
    for row in changed.head(_TOLD).iter_rows(named=True):
        yield f"  {_class(row, names.get(row['class'], row['class']), chinese)}"
    if changed.height > _TOLD:
        yield f"  另有 {changed.height - _TOLD} 类" if chinese else f"  and {changed.height - _TOLD} more"


def _class(row: dict[str, Any], name: str, chinese: bool) -> str:
    was, now = row["people_covered_before"] or 0.0, row["people_covered_after"] or 0.0
    # What is less than a tenth of a person is told by the table.
    parts = [(part, row[part]) for part in PARTS if abs(row[part]) >= 0.05]
    if chinese:
        why = "，".join(f"{_PARTS_ZH[part]} {people:+,.1f}" for part, people in parts)
        return f"{name}：{was:,.1f} → {now:,.1f} 人（{row['change']:+,.1f}）：{why or '不足 0.1 人'}"
    why = ", ".join(f"{part} {people:+,.1f}" for part, people in parts)
    return f"{name}: {was:,.1f} → {now:,.1f} people ({row['change']:+,.1f}): {why or 'less than 0.1'}"


def _plan(year: Evaluation, chinese: bool) -> Iterator[str]:
    shares = {row["due"]: row for row in year.plan.share.iter_rows(named=True)}
    if year.plan.projects.height:
        done = {due: f"{row['done']}/{row['projects']}" for due, row in shares.items()}
        budget = _percent(shares["due"]["budget_share"], chinese)
        if chinese:
            yield f"项目已完成 {done['all']}；应竣工的已完成 {done['due']}（本期 {done['period']}），占其预算 {budget}"
        else:
            told = f"of those due {done['due']} ({done['period']} of this period), {budget}"
            yield f"projects: {done['all']} done; {told}"
    targets = year.plan.targets
    if targets.height:
        met, missing = targets["met"].sum(), targets["missing_people"].sum()
        unknown = targets["met"].null_count()
        if chinese:
            yield f"目标 {targets.height} 项：达成 {met}，无法判断 {unknown}，尚缺合计 {missing:,.1f} 人次"
        else:
            yield f"targets: {met} of {targets.height} met, {unknown} not known, {missing:,.1f} people missing in all"


def _percent(share: float | None, chinese: bool) -> str:
    if share is None:
        return "未知" if chinese else "budget unknown"
    return f"{share:.0%}" if chinese else f"{share:.0%} of their budget"


def _grades(year: Evaluation, chinese: bool) -> Iterator[str]:
    counts = dict(year.scores.select(pl.coalesce("moved", "moved_reason")).to_series().value_counts().iter_rows())
    unknown = sum(counts.values()) - sum(counts.get(name, 0) for name in ("up", "down", "same"))
    if counts.get("not_scored", 0) == year.scores.height:
        return
    up, down, same = (counts.get(name, 0) for name in ("up", "down", "same"))
    if chinese:
        yield f"等级：上升 {up}、下降 {down}、不变 {same}、无法判断 {unknown}"
    else:
        yield f"grades: {up} up, {down} down, {same} the same, {unknown} not known"


def _recomputed(year: Evaluation, chinese: bool) -> str:
    sums = year.recomputed.select(pl.col("rows", "rows_differ").sum(), pl.col("people_differ").max())
    rows, differ, most = sums.row(0)
    if not differ:
        return f"核验：{rows:,} 行重算与发布值一致" if chinese else f"checked: all {rows:,} rows come out as published"
    if chinese:
        return f"核验：{rows:,} 行中 {differ:,} 行重算与发布值不同（最多 {most:,.3f} 人），计入“计算方法”"
    return f"checked: {differ:,} of {rows:,} rows come out otherwise, by up to {most:,.3f} people: see method"
