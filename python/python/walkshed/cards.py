"""Pieces of the cards that notebooks show: HTML without scripts, made of what is known already.

A card must say the same where a page strips its styles and pictures (GitHub, a notebook that is not trusted), so words
and tables come in reading order, and colours are inherited. Everything that comes from data is escaped here.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from html import escape
from os import PathLike
from pathlib import PurePath
from typing import TypeAlias

import polars as pl

from walkshed.language import class_name, profile_name, word

ROWS = 8
"""Rows that a card shows of a table."""

_QUIET = "opacity:.7;font-size:11px"
_LINE = "border-bottom:1px solid rgba(128,128,128,.35)"

#: Headings of columns that many tables share; a column that is not here keeps its name.
_WORDS = {
    "accepted": "采用 Accepted",
    "action": "措施 Edit",
    "area_id": "分区 Area",
    "area_m2": "面积（平方米） Area (m²)",
    "as_of": "截至 As of",
    "bytes": "字节 Bytes",
    "cause": "缘由 Cause",
    "cell": "单元 Cell",
    "change": "变化（人） Change (people)",
    "class": "设施类别 Class",
    "climb_m": "爬升（米） Climb (m)",
    "computed": "重算 Computed",
    "cost_yuan": "造价（元） Cost (yuan)",
    "count": "数量 Count",
    "descent_m": "下降（米） Descent (m)",
    "distance": "距离 Too far",
    "district": "片区 District",
    "edges": "路段 Edges",
    "edits": "措施 Edits",
    "facilities": "设施 Facilities",
    "fix": "处理办法 What to do",
    "gain": "新增 Gain",
    "gap": "缺口 Gap",
    "grade": "等级 Grade",
    "id": "编号 Id",
    "input": "输入 Input",
    "kind": "类型 Kind",
    "length_km": "长度（公里） Length (km)",
    "length_m": "长度（米） Length (m)",
    "level": "级别 Level",
    "minutes": "分钟 Minutes",
    "name": "名称 Name",
    "observed": "已知部分 Of what is known",
    "on": "日期 Day",
    "order": "次序 Order",
    "parts": "分块 Parts",
    "people": "人口 People",
    "people_gaining": "受益人口 People gaining",
    "people_losing": "受损人口 People losing",
    "people_minutes_saved": "节省（人·分钟） Saved (people-minutes)",
    "people_newly_covered": "新覆盖人口 Newly covered",
    "people_no_longer_covered": "不再覆盖人口 No longer covered",
    "per_1000_people": "每千人 Per 1,000 people",
    "point": "指标 Point",
    "priority": "优先度 Priority",
    "profile": "人群 Profile",
    "project": "项目 Project",
    "project_id": "项目 Project",
    "published_at": "发布 Published",
    "quality": "质量 Quality",
    "rank": "名次 Rank",
    "reason": "原因 Reason",
    "rejected": "未采用 Left out",
    "release": "版本 Release",
    "requests": "诉求 Requests",
    "residents_km": "住户专用（公里） Residents only (km)",
    "rows": "行 Rows",
    "scenario": "方案 Scenario",
    "score": "得分 Score",
    "share": "覆盖率 Share",
    "share_after": "现覆盖率 Share after",
    "share_before": "原覆盖率 Share before",
    "site_id": "选址 Site",
    "stage": "阶段 Stage",
    "status": "状态 Status",
    "step": "步骤 Step",
    "table": "表 Table",
    "time_s": "时间 Time",
    "ways": "道路 Ways",
    "weakest": "短板 Weakest",
    "what": "内容 What",
    "year": "年 Year",
    "yuan_per_person": "元/人 Yuan per person",
}

#: Columns whose numbers are names: H3 cells are told as hexadecimal text, as everywhere.
_IDS = ("cell", "id", "site_id", "origin_id", "facility_id", "area_id", "project_id", "request_id")

Fact: TypeAlias = "tuple[str, object]"


def card(
    title: str,
    *,
    facts: Iterable[Fact] = (),
    tables: Sequence[str] = (),
    picture: str = "",
    caption: str = "",
    notes: Iterable[str] = (),
) -> str:
    """Put a card together.

    Args:
        title: what it is, Chinese and English.
        facts: labels with their values, the most telling first; one whose value is None is left out.
        tables: as of `table`.
        picture: as of `walkshed.thumbnail`.
        caption: what the picture shows, as HTML that is ready.
        notes: what somebody who decides on it must know: rows left out, what is not known.

    Returns:
        HTML.

    """
    told = "".join(
        f'<span style="display:inline-block;margin:0 18px 6px 0"><span style="{_QUIET}">{escape(label)}</span><br>'
        f"<b>{told_as(value)}</b></span> "
        for label, value in facts
        if value is not None
    )
    warned = "".join(f'<p style="margin:6px 0 0">⚠ {escape(note)}</p>' for note in notes)
    beside = f'<div style="max-width:240px">{picture}<p style="margin:2px 0 0;font-size:11px">{caption}</p></div>'
    width = "0 1 670px" if picture else "1 1 auto"
    return (
        '<div style="border:1px solid rgba(128,128,128,.35);border-radius:6px;padding:10px 14px;max-width:960px;'
        'font-size:13px;line-height:1.45">'
        f'<p style="margin:0 0 8px;font-size:15px"><b>{escape(title)}</b></p>'
        '<div style="display:flex;flex-wrap:wrap;gap:8px 20px;align-items:flex-start">'
        f'<div style="flex:{width};min-width:0;max-width:100%;overflow-x:auto">'
        f'<p style="margin:0">{told}</p>{"".join(tables)}</div>{beside if picture else ""}</div>{warned}</div>'
    )


def table(rows: pl.DataFrame, columns: Mapping[str, str] | Sequence[str], *, title: str = "", most: int = ROWS) -> str:
    """The first rows of a table, and how many there are more.

    Numbers are told by what their column's name says: shares in per cent, seconds as minutes and seconds, people and
    yuan without decimals.

    Args:
        rows: any table.
        columns: which columns, in order; a mapping gives their headings.
        title: what the table is.
        most: rows that are shown.

    Returns:
        HTML; empty without rows.

    """
    if not rows.height:
        return ""
    headings = columns if isinstance(columns, Mapping) else {name: _WORDS.get(name, name) for name in columns}
    numeric = {name for name in headings if rows.schema[name].is_numeric() and name not in _IDS}
    head = "".join(_cell("th", escape(heading), name, name in numeric) for name, heading in headings.items())
    body = "".join(
        f"<tr>{''.join(_cell('td', _told_in(name, value), name, name in numeric) for name, value in row.items())}</tr>"
        for row in rows.head(most).select(list(headings)).iter_rows(named=True)
    )
    above = f'<p style="margin:6px 0 2px"><b>{escape(title)}</b></p>' if title else ""
    left = rows.height - most
    more = f'<p style="margin:2px 0 0;{_QUIET}">… 另有 {left:,} 行 {left:,} more</p>' if left > 0 else ""
    return f'{above}<table style="border-collapse:collapse;font-size:12px;margin:0"><tr>{head}</tr>{body}</table>{more}'


def _cell(tag: str, content: str, column: str, to_the_right: bool) -> str:
    side, wrap = "right" if to_the_right else "left", ";white-space:nowrap" if column in _IDS else ""
    return f'<{tag} style="text-align:{side};padding:2px 10px 2px 0;{_LINE}{wrap}">{content}</{tag}>'


def _told_in(column: str, value: object) -> str:
    """A value as its column means it, escaped."""
    if value is None:
        return "–"
    if column in _IDS:
        return escape(f"{value:x}" if column == "cell" and isinstance(value, int) else str(value))
    if isinstance(value, str) and column in _TOLD:
        return escape(_TOLD[column](value))
    if isinstance(value, float):
        if column.endswith(" min"):
            return _plain(f"{value:.1f} %")
        if column.endswith("share") or "share_" in column:
            return _plain(f"{value:.1%}")
        if column.endswith("_s"):
            return escape(duration(value))
        if column.endswith(("_m", "_km")):
            return _plain(f"{value:,.1f}")
        if column.startswith("people") or "yuan" in column or column in ("change", "gain"):
            return _plain(f"{value:,.0f}")
    return told_as(value)


def _plain(told: str) -> str:
    """A number without the sign that nothing has, as in -0."""
    return told if any(digit in told for digit in "123456789") else told.removeprefix("-")


def told_as(value: object) -> str:
    """A value as people read it, escaped: thousands apart, no more digits than tell something."""
    if isinstance(value, bool):
        return "是 yes" if value else "否 no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return _plain(f"{value:,.0f}" if abs(value) >= 1000 or value.is_integer() else f"{value:,.4g}")
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return escape(str(value))


def of_class(name: str) -> str:
    """A class as planners read it: Chinese and English; one of a user's own by its id."""
    zh, en = class_name(name, "zh"), class_name(name, "en")
    return zh if zh == en else f"{zh} {en}"


def of_profile(name: str) -> str:
    """Who walks, in Chinese and English."""
    zh, en = profile_name(name, "zh"), profile_name(name, "en")
    return zh if zh == en else f"{zh} {en}"


def of_word(kind: str, name: str) -> str:
    """A grade, status or kind of way in Chinese and English, as of `language.word`."""
    zh, en = word(kind, name, "zh"), word(kind, name, "en")
    return zh if zh == en else f"{zh} {en}"


#: How the words of columns are told.
_TOLD: dict[str, Callable[[str], str]] = {
    "class": of_class,
    "profile": of_profile,
    "kind": partial(of_word, "way"),
    "grade": partial(of_word, "grade"),
    "status": partial(of_word, "status"),
    "action": partial(of_word, "edit"),
    "stage": partial(of_word, "stage"),
    "reason": partial(of_word, "reason"),
}


def duration(seconds: float) -> str:
    """Seconds as minutes and seconds."""
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{seconds:.1f} s"


def where(folder: str | PathLike[str]) -> str:
    """The name of a folder; the path to it is nobody's business who is shown the notebook."""
    return PurePath(folder).name or str(folder)


def legend(colours: Iterable[tuple[str, str]]) -> str:
    """What colours mean, as HTML; the words are not from data."""
    return " ".join(f'<span style="color:{colour}">■</span> {word}' for colour, word in colours)


def ramp(colours: Sequence[str], about: str, ends: tuple[str, str]) -> str:
    """What a scale of colours means, as HTML; the words are not from data."""
    squares = "".join(f'<span style="color:{colour}">■</span>' for colour in colours)
    return f"{about}: {ends[0]} {squares} {ends[1]}"


def told_of(findings: pl.DataFrame) -> list[str]:
    """The note that something is odd of rows that are used; none without any."""
    count = findings.height
    return [f"{count:,} 处疑问，见 findings {count:,} finding(s): see findings"] if count else []


def left_out(count: int) -> list[str]:
    """The note that rows were left out; none without any."""
    return [f"{count:,} 行未采用，见 rejected {count:,} row(s) left out: see rejected"] if count else []
