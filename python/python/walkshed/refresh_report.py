"""What a refresh leaves for people and for monitoring: one page, the same as JSON, and figures for Prometheus."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import html
import json
import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_log = logging.getLogger("walkshed.refresh")

_ASIDE = ".aside"
_ASIDE_FORGOTTEN_S = 3600.0


def write(folder: Path, report: dict[str, Any], began: dt.datetime) -> None:
    """Tell a refresh in `reports/` of the folder of tables: `last.json`, `last.html`, `metrics.prom`.

    A published release also has `<release>.json` and `<release>.html` (six digits), which stay. Each file is the
    earlier or the new one at any time, whatever happens meanwhile. Nothing is written where the engine has not made the
    folder its own yet.

    Args:
        folder: the folder of tables.
        report: as of `RefreshResult.report`; of a refused refresh only `status`, `tables` and `problems`, each with
            `file`, `row`, `id`, `column`, `value`, `reason`, `message`, `message_zh` (null but for `file`, `reason` and
            the messages where it is not known).
        began: when the refresh began, with its time zone.

    Raises:
        Nothing: what became of the tables is not hidden by a report that cannot be written; that is told in the log.

    """
    reports = folder / "reports"
    try:
        # With `reports` in it, a folder that is not the engine's yet would be one of strange files to it, and refused.
        if not (folder / "releases").is_dir():
            return
        if not reports.is_dir():
            reports.mkdir(exist_ok=True)
            _sync(folder)
        _sweep(reports, began)
        night = _Night(report, began, _standing(folder, report))
    except Exception as error:  # also a failure of our own: the tables are published or refused already
        _tell(reports, error)
        return
    for name, make in _files(night, reports).items():
        try:
            _store(reports, name, make())
        except Exception as error:  # as above; one file that fails does not keep the others from being written
            _tell(reports / name, error)


def _tell(path: Path, error: Exception) -> None:
    """Say that a report is not there, and that the tables do not hang on it."""
    _log.warning("%s is not written (%r); the refresh itself is not touched 报告未能写入，不影响数据表", path, error)


@dataclass(frozen=True)
class _Night:
    """A refresh, and the record of the release that stands after it; empty before the first."""

    report: dict[str, Any]
    began: dt.datetime
    standing: dict[str, Any]

    @property
    def status(self) -> str:
        return str(self.report["status"])

    @property
    def study(self) -> str:
        """The study's name; the folder's before a release tells it."""
        return str(self.looked_at.get("study") or Path(self.report["tables"]).name)

    @property
    def looked_at(self) -> dict[str, Any]:
        """The record of what was computed or, where nothing was, of the release that stands."""
        record: dict[str, Any] = self.report.get("record") or self.standing
        return record

    @property
    def release(self) -> int | None:
        number = self.standing.get("release")
        return None if number is None else int(number)


def _standing(folder: Path, report: Mapping[str, Any]) -> dict[str, Any]:
    """The record of the release that stands: a refresh that publishes nothing has none of its own."""
    if report["status"] == "published":
        return dict(report["record"])
    records = sorted((folder / "releases").glob("*.json"))  # their numbers have leading zeros
    if not records:
        return {}
    try:
        return dict(json.loads(records[-1].read_text("utf-8")))
    except (OSError, ValueError) as error:
        _log.warning("%s is not readable (%s); the report does without it", records[-1], error)
        return {}


def _files(night: _Night, reports: Path) -> dict[str, Callable[[], str]]:
    """The files to write, by name. Figures come last: who sees them finds the page of the same night."""
    files: dict[str, Callable[[], str]] = {}
    names = ["last"] if night.status != "published" else [f"{night.release:06d}", "last"]
    for name in names:
        files[f"{name}.json"] = lambda: json.dumps(night.report, ensure_ascii=False, indent=1, default=str) + "\n"
        files[f"{name}.html"] = lambda: _page(night)
    files["metrics.prom"] = lambda: _figures(night, _last_success(night, reports / "metrics.prom"))
    return files


def _store(folder: Path, name: str, text: str) -> None:
    """Put a file in place: readers and power cuts find the earlier one or this one, never a part of it."""
    aside = folder / f".{name}.{os.getpid()}-{threading.get_ident()}{_ASIDE}"
    try:
        # Not by `tempfile`: its files are readable by their owner alone, and node_exporter is somebody else.
        with aside.open("wb") as file:
            file.write(text.encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, folder / name)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        raise
    _sync(folder)


def _sync(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep(reports: Path, began: dt.datetime) -> None:
    """Take away what somebody left who was killed; not what another process is writing now."""
    for left in reports.glob(f".*{_ASIDE}"):
        with contextlib.suppress(OSError):
            if left.stat().st_mtime < began.timestamp() - _ASIDE_FORGOTTEN_S:
                left.unlink(missing_ok=True)


# ---- Figures for Prometheus: its text format 0.0.4, read by the textfile collector of node_exporter.

_Samples = dict[str, list[tuple[dict[str, str], float | None]]]

_HELP = {
    "walkshed_refresh_last_run_timestamp_seconds": "When the last refresh that came to an end began.",
    "walkshed_refresh_last_success_timestamp_seconds": "When the last refresh that was not refused began.",
    "walkshed_refresh_success": "1 when the last refresh published or had nothing to publish, 0 when it was refused.",
    "walkshed_refresh_status": "1 for what the last refresh came to, 0 for the others.",
    "walkshed_refresh_step_seconds": "How long a step of the last refresh took.",
    "walkshed_refresh_peak_memory_bytes": "Largest memory of the process of the last refresh.",
    "walkshed_release": "The release that stands.",
    "walkshed_table_rows": "Rows of a table in the release that stands.",
    "walkshed_table_bytes": "Bytes of a table in the release that stands.",
    "walkshed_gate_shut": "1 where a gate kept the last refresh from publishing, 0 where it did not.",
    "walkshed_coverage_share": "Share of all people who reach a facility of a class within so many minutes, 0..1.",
    "walkshed_input_age_seconds": "How long before the last refresh began an input had been written.",
}
_SUCCESS = "walkshed_refresh_last_success_timestamp_seconds"
_STATUSES = ("published", "unchanged", "refused")


def _figures(night: _Night, last_success: float | None) -> str:
    """All figures as text; those that nobody knows are left away."""
    samples = {**_run_samples(night, last_success), **_release_samples(night)}
    lines: list[str] = []
    for name, told in _HELP.items():
        # A series that is there twice makes the collector refuse the whole file.
        series = {_labels({"study": night.study, **labels}): value for labels, value in samples[name]}
        known = [f"{name}{labels} {float(value)!r}" for labels, value in series.items() if value is not None]
        if known:
            lines += [f"# HELP {name} {told}", f"# TYPE {name} gauge", *known]
    return "\n".join(lines) + "\n"


def _run_samples(night: _Night, last_success: float | None) -> _Samples:
    """Figures of the refresh."""
    report, began = night.report, night.began.timestamp()
    shut = {problem["reason"] for problem in report.get("problems", [])}
    return {
        "walkshed_refresh_last_run_timestamp_seconds": [({}, began)],
        _SUCCESS: [({}, last_success)],
        "walkshed_refresh_success": [({}, float(night.status != "refused"))],
        "walkshed_refresh_status": [({"status": name}, float(name == night.status)) for name in _STATUSES],
        "walkshed_refresh_step_seconds": [({"step": step}, took) for step, took in report.get("seconds", {}).items()],
        "walkshed_refresh_peak_memory_bytes": [({}, report.get("peak_memory_bytes"))],
        "walkshed_gate_shut": [({"gate": gate}, float(gate in shut)) for gate in _GATES],
    }


def _release_samples(night: _Night) -> _Samples:
    """Figures of the release that stands, also where this refresh published none."""
    tables, began = night.standing.get("tables", {}), night.began.timestamp()
    coverage = [
        ({"class": row["class"], "profile": row["profile"], "minutes": f"{row['minutes']:g}"}, _share(row))
        for row in night.standing.get("total", [])
    ]
    ages = [
        ({"path": file["path"]}, began - file["modified_ms"] / 1000)
        for file in night.looked_at.get("inputs", [])
        if file["modified_ms"] is not None
    ]
    return {
        "walkshed_release": [({}, night.release)],
        "walkshed_table_rows": [({"table": name}, counts["rows"]) for name, counts in tables.items()],
        "walkshed_table_bytes": [({"table": name}, counts["bytes"]) for name, counts in tables.items()],
        "walkshed_coverage_share": list(coverage),
        "walkshed_input_age_seconds": list(ages),
    }


def _labels(labels: Mapping[str, str]) -> str:
    r"""Labels as text, whatever they hold.

    >>> print(_labels({"class": 'a "b"\n\\'}))
    {class="a \"b\"\n\\"}
    """
    escaped = (
        (name, value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")) for name, value in labels.items()
    )
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped) + "}"


def _last_success(night: _Night, former: Path) -> float | None:
    """When the last refresh that was not refused began: this one, what the former figures say, or the last release."""
    if night.status != "refused":
        return night.began.timestamp()
    with contextlib.suppress(OSError, ValueError):
        lines = former.read_text("utf-8").split("\n")
        return float(next((line for line in lines if line.startswith(_SUCCESS + "{")), "").rpartition(" ")[2])
    published_ms = night.standing.get("published_at_ms")
    return None if published_ms is None else published_ms / 1000


def _share(row: Mapping[str, Any] | None) -> float | None:
    """Share of the people who are covered, 0..1; None where nobody lives, or there is no row."""
    return row["people_covered"] / row["people"] if row is not None and row["people"] > 0 else None


# ---- The page: the look of that of `walkshed validate` (engine/src/io/findings_page.rs), readable in the dark too.

_STYLE = """
:root{color-scheme:light dark;--ink:#1b1b1b;--soft:#555;--paper:#fff;--head:#f4f4f4;--line:#ddd;--good:#1a7837;
--good-paper:#eef7ef;--bad:#a50026;--bad-paper:#fbeeee;--calm:#4d4d4d;--calm-paper:#f4f4f4;--up:#2166ac;--down:#b35806}
@media(prefers-color-scheme:dark){:root{--ink:#e8e8e8;--soft:#aaa;--paper:#17191c;--head:#24272b;--line:#3a3e44;
--good:#7fc98f;--good-paper:#1a2b1e;--bad:#ff9a9a;--bad-paper:#331a1c;--calm:#bbb;--calm-paper:#24272b;--up:#8ab8e6;
--down:#f0a860}}
body{font:15px/1.5 system-ui,'Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif;max-width:76rem;
margin:2rem auto;padding:0 1rem;color:var(--ink);background:var(--paper)}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{border-bottom:1px solid var(--line);padding:.25rem .6rem;text-align:left;vertical-align:top}
thead th,thead td{background:var(--head)}tbody th{font-weight:normal;min-width:11rem}
.number{text-align:right;font-variant-numeric:tabular-nums}td.number{white-space:nowrap}
.code,.value{font-family:monospace}.code{white-space:nowrap}.value{overflow-wrap:anywhere;white-space:pre-wrap}
td.value{min-width:5rem}
summary{cursor:pointer;padding:.35rem 0}.more{color:var(--soft)}
.verdict{font-size:1.1rem;padding:.6rem 1rem;border-left:.4rem solid}
.published{border-color:var(--good);background:var(--good-paper)}
.refused{border-color:var(--bad);background:var(--bad-paper)}
.unchanged{border-color:var(--calm);background:var(--calm-paper)}
svg{display:block;width:9rem;height:.7rem;margin-top:.4rem;fill:var(--calm)}.up{fill:var(--up)}.down{fill:var(--down)}
.axis{fill:var(--line)}
@media print{:root{color-scheme:light;--ink:#000;--soft:#333;--paper:#fff;--head:#eee;--line:#999;--good:#1a7837;
--good-paper:#fff;--bad:#a50026;--bad-paper:#fff;--calm:#4d4d4d;--calm-paper:#fff;--up:#2166ac;--down:#b35806}
body{font-size:9pt;max-width:none;margin:0}h2{break-after:avoid}tr{break-inside:avoid}thead{display:table-header-group}
.wide{overflow:visible}th,td{padding:.15rem .3rem}td.value{min-width:0}svg{width:5rem;print-color-adjust:exact}}
"""
# The one style that the page may have is known by its hash: not even a name that escapes could add another.
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'"

_Words = tuple[str, str]

_WHY: dict[str, _Words] = {
    "first": ("首次发布", "the first release"),
    "full": ("要求全部重新计算", "everything was to be computed again"),
    "new": ("新增的输入", "an input that is new"),
    "changed": ("输入有变化", "an input that changed"),
    "gone": ("不再使用的输入", "an input that is used no more"),
    "settings": ("设置有变化", "the settings changed"),
    "day": ("统计日期", "the day"),
    "code": ("程序版本", "the version of the program"),
}
_TABLES: dict[str, _Words] = {
    "coverage": ("覆盖率", "coverage"),
    "times": ("步行时间", "walking times"),
    "cells": ("单元", "cells"),
    "areas": ("分区", "areas"),
    "facilities": ("设施", "facilities"),
    "rejected": ("未采用的行", "rows left out"),
    "scorecards": ("评分", "scorecards"),
    "scorecard_points": ("评分点", "points of scorecards"),
    "projects": ("项目", "projects"),
    "requests": ("居民诉求", "requests of residents"),
    "project_findings": ("项目台账的问题", "findings of projects"),
    "request_findings": ("诉求的问题", "findings of requests"),
}
_GATES: dict[str, _Words] = {
    "rows_shrink": ("数据表的行数减少过多", "a table lost too many rows"),
    "unjoined_rise": ("未接入路网的人口或设施增加过多", "too many more people or facilities near no street"),
    "people_move": ("人口变动过大", "the number of people moved too far"),
    "people_conserved": ("单元人口与数据源不一致", "cells hold other people than the source states"),
    "coverage_move": ("覆盖率变动过大", "coverage moved too far"),
    "older_input": ("输入比上一版所用的更旧", "an input is older than the one before"),
}
_STEPS: dict[str, _Words] = {
    "inputs": ("核对输入", "checking inputs"),
    "prepare": ("读取与接入", "reading and joining"),
    "times": ("步行计算", "walking"),
    "scorecard": ("评分", "scorecard"),
    "tables": ("生成数据表", "making tables"),
    "files": ("生成地图与路网文件", "making files of maps and of the network"),
    "publish": ("发布", "publishing"),
}
_PEOPLE: dict[str, _Words] = {
    "stated": ("数据源所载人口", "stated by the source"),
    "in_cells": ("计入单元的人口", "in cells"),
    "not_snapped": ("未接入路网的人口", "near no street"),
    "outside_areas": ("不在任何分区内的人口", "outside every area"),
}
_ROWS_SHOWN = 20
#: Share whose move fills a bar, at least: a quiet night shows hardly any.
_WHOLE_BAR_SHARE = 0.01


def _page(night: _Night) -> str:
    """The whole page; nothing is fetched, and every text of the data is escaped."""
    name = _text(night.study)
    sections = (
        _verdict,
        _facts,
        _problems,
        _whys,
        _coverage,
        _tables,
        _gates,
        _people,
        _left_out,
        _steps,
        _inputs,
        _upkeep,
    )
    return (
        '<!doctype html>\n<html lang="zh"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{name} · 更新报告 Refresh</title><style>{_STYLE}</style></head>\n"
        f"<body><main><h1>{name} · {_both(('数据表更新报告', 'Refresh of the tables'))}</h1>\n"
        + "\n".join(filter(None, (section(night) for section in sections)))
        + "\n</main></body></html>\n"
    )


def _verdict(night: _Night) -> str:
    """What came of it, in one line."""
    number, at = night.release, _written(night.standing.get("published_at_ms"))
    stands = ("尚未发布任何版本。", "Nothing was published yet.")
    if number is not None:
        stands = (f"第 {number} 版（{at}）仍然有效。", f"Release {number} of {at} stands.")
    words = {
        "published": (f"已发布第 {number} 版。", f"Release {number} was published."),
        "unchanged": (f"没有变化，未发布新版。{stands[0]}", f"Nothing changed and nothing was published. {stands[1]}"),
        "refused": (f"未发布，数据表保持原状。{stands[0]}", f"Refused; the tables stay as they were. {stands[1]}"),
    }
    return f'<p class="verdict {night.status}">{_both(words[night.status])}</p>'


def _facts(night: _Night) -> str:
    """When, of which day, by which program."""
    record = night.looked_at
    rows = [(("开始时间", "began"), _text(_moment(night.began)))]
    if record:
        day = record.get("as_of") or "—"
        rows += [
            (("统计日期（设施状态）", "day on which facilities are open"), _text(day)),
            (("程序版本", "walkshed"), _text(f"{record['walkshed']} ({record['code'][:12]})")),
        ]
    if (peak := night.report.get("peak_memory_bytes")) is not None:
        rows.append((("内存峰值", "largest memory"), _size(peak)))
    return _table("", [[_head(_both(words)), _cell(value)] for words, value in rows])


def _problems(night: _Night) -> str:
    """Everything that kept it from being published, with what to do."""
    problems = night.report.get("problems", [])
    if night.status != "refused":
        return ""
    heads = _heads(("文件、数据表或类别", "File, table or class")) + _number_heads(("行", "Row"))
    heads += _heads(("编号", "Id"), ("列", "Column"), ("值", "Value"), ("原因", "Reason"))
    heads += _heads(("说明与处理办法", "What it means and what to do"))
    rows = [
        [
            _head(_text(problem["file"]), "value"),
            _number(_text(problem.get("row"))),
            *(_cell(_text(problem.get(key)), "value") for key in ("id", "column", "value")),
            _cell(_text(problem["reason"]), "code"),
            _cell(f"{_text(problem.get('message_zh'))}<br>{_english(_text(problem.get('message')))}"),
        ]
        for problem in problems
    ]
    told = _both(
        (f"共 {len(rows)} 个问题，更正后重新运行即可。", f"{len(rows)} problem(s); correct them and run again.")
    )
    return _section(("为何未发布", "Why it was refused"), f"<p>{told}</p>{_table(heads, rows)}")


def _whys(night: _Night) -> str:
    """What is new since the release before."""
    whys = night.report.get("why")
    if whys is None:
        return ""
    words = [(_WHY.get(why["what"], (_text(why["what"]), _text(why["what"]))), why["of"]) for why in whys]
    items = "".join(f'<li>{_both(what)} <span class="value">{_text(of)}</span></li>' for what, of in words)
    none = _both(
        ("输入、设置、日期与程序均与上一版相同。", "Inputs, settings, day and program are those of the last release.")
    )
    return _section(("原因", "Why"), f"<ul>{items}</ul>" if items else f"<p>{none}</p>")


@dataclass(frozen=True)
class _Move:
    """Coverage of a class by a profile within minutes: shares before and after, None where there are none."""

    key: tuple[str, str, float]
    before: float | None
    after: float | None

    @property
    def change(self) -> float | None:
        """How far it moved; None where it has only one of the two."""
        return None if self.before is None or self.after is None else self.after - self.before


def _moves(night: _Night) -> list[_Move]:
    """Coverage before and after, in the order of the release, what it has no more last."""
    after = {(row["class"], row["profile"], row["minutes"]): row for row in night.standing.get("total", [])}
    total_before = night.report.get("total_before", []) if night.status == "published" else after.values()
    before = {(row["class"], row["profile"], row["minutes"]): row for row in total_before}
    keys = dict.fromkeys([*after, *before])
    return [_Move(key, _share(before.get(key)), _share(after.get(key))) for key in keys]


def _coverage(night: _Night) -> str:
    """Coverage of everybody: how it moved where a release before tells, the largest moves first; else how it stands."""
    moves = _moves(night)
    if not moves:
        return ""
    told, make = _STANDS, _shares_table
    if night.status == "published" and night.report["total_before"]:
        told, make = _MOVED, _moves_table
        moves.sort(key=lambda move: (move.change is not None, -abs(move.change or 0)))
    page = f"<p>{_both(told)}</p>{make(moves[:_ROWS_SHOWN])}"
    if len(moves) > _ROWS_SHOWN:
        every = _both((f"全部 {len(moves)} 行", f"all {len(moves)} rows"))
        page += f"<details><summary>{every}</summary>{make(moves)}</details>"
    return _section(("覆盖率", "Coverage"), page)


_STANDS = (
    "全部人口中步行可达的占比；“—”表示无人居住。",
    "Share of everybody who can walk there; — where nobody lives.",
)
_MOVED = (
    "全部人口中步行可达的占比，以及与上一版相比的变化（百分点），变化最大的在前；“—”表示该版没有此项。",
    "Share of everybody who can walk there, and how it moved since the release before (percentage points), the largest "
    "moves first; — where a release has none.",
)
_MOVE_HEADS: tuple[_Words, ...] = (("设施类别", "Class"), ("人群", "Who walks"))


def _shares_table(moves: Sequence[_Move]) -> str:
    names = _class_names()
    heads = _heads(*_MOVE_HEADS) + _number_heads(("分钟", "Minutes"), ("覆盖率", "Covered")) + _heads(("", ""))
    rows = [[*_move_cells(move, names), _number(_percent(move.after)), _cell(_bar(move.after or 0))] for move in moves]
    return _table(heads, rows)


def _moves_table(moves: Sequence[_Move]) -> str:
    names, most = _class_names(), max(_WHOLE_BAR_SHARE, *(abs(move.change or 0) for move in moves))
    numbers = _number_heads(("分钟", "Minutes"), ("之前", "Before"), ("之后", "After"), ("变化", "Change"))
    rows = [
        [
            *_move_cells(move, names),
            _number(_percent(move.before)),
            _number(_percent(move.after)),
            _number(_points(move.change)),
            _cell(_swing(move.change or 0, most)),
        ]
        for move in moves
    ]
    return _table(_heads(*_MOVE_HEADS) + numbers + _heads(("", "")), rows)


def _move_cells(move: _Move, names: Mapping[str, str]) -> list[str]:
    """Of what a row of coverage is."""
    name, profile, minutes = move.key
    own = f'<span class="value">{_text(name)}</span>'
    return [_head(f"{names.get(name, '')} {own}"), _cell(_text(profile), "value"), _number(f"{minutes:g}")]


def _tables(night: _Night) -> str:
    """Rows, files and bytes of each table, and what was made of it."""
    tables, made = night.standing.get("tables", {}), night.report.get("made", {})
    if not tables:
        return ""
    heads = _heads(("数据表", "Table"))
    heads += _number_heads(("行数", "Rows"), ("文件数", "Files"), ("大小", "Size"))
    heads += _number_heads(("分块", "Parts"), ("重新计算", "Computed"), ("有变化", "Changed"))
    rows = [
        [
            _head(_named(_TABLES, name)),
            *(_number(f"{counts[key]:,}") for key in ("rows", "files")),
            _number(_size(counts["bytes"])),
            *(_number(f"{made[name][key]:,}" if name in made else "—") for key in ("parts", "computed", "changed")),
        ]
        for name, counts in tables.items()
    ]
    return _section(("数据表", "Tables"), _table(heads, rows))


def _gates(night: _Night) -> str:
    """Every gate: shut, passed over with its reason, or passed."""
    shut = [problem["reason"] for problem in night.report.get("problems", [])]
    record = night.report.get("record")
    if record is None and not set(shut) & set(_GATES):
        return ""  # nothing was held against them
    passed_over: dict[str, str] = {} if record is None else record.get("overridden", {})
    rows: list[list[str]] = []
    for gate in _GATES:
        became = _both(("通过", "passed"))
        if gate in passed_over:
            became = f"{_both(('已放行，理由：', 'passed over, because:'))} {_text(passed_over[gate])}"
        elif gate in shut:
            became = _both((f"未通过（{shut.count(gate)} 处，见上）", f"shut ({shut.count(gate)}, see above)"))
        rows.append([_head(_named(_GATES, gate)), _cell(became)])
    return _section(("发布门槛", "Gates"), _table(_heads(("门槛", "Gate"), ("结果", "What became of it")), rows))


def _people(night: _Night) -> str:
    """People of source, cells and areas."""
    people = night.report.get("people")
    if not people:
        return ""
    rows = [[_head(_both(words)), _number(f"{people[key]:,.0f}")] for key, words in _PEOPLE.items()]
    rows.append([_head(_both(("单元数", "cells"))), _number(f"{people['cells']:,}")])
    return _section(("人口", "People"), _table("", rows))


def _left_out(night: _Night) -> str:
    """Rows that are not used, and what is told of others, by reason."""
    report = night.report
    if "rejected" not in report or report.get("record") is None:
        return ""
    kinds = (("rejected", ("未采用", "left out")), ("told", ("采用但有提示", "used, with a remark")))
    rows = [
        [_head(_text(reason), "value"), _cell(_both(words)), _number(f"{count:,}")]
        for kind, words in kinds
        for reason, count in sorted(report[kind].items(), key=lambda item: -item[1])
    ]
    where = _both(
        (
            "未采用的每一行及处理办法见数据表 rejected；全部提示见 walkshed validate。",
            "The table rejected has every row that is left out, with what to do; walkshed validate tells all remarks.",
        )
    )
    none = _both(("没有未采用的行。", "No row was left out."))
    heads = _heads(("原因", "Reason"), ("如何处理", "What became of them")) + _number_heads(("行数", "Rows"))
    return _section(
        ("未采用的行", "Rows left out"), f"<p>{where}</p>{_table(heads, rows)}" if rows else f"<p>{none}</p>"
    )


def _steps(night: _Night) -> str:
    """How long each step took, in the order in which they come."""
    seconds = night.report.get("seconds", {})
    if not seconds:
        return ""
    steps, most = [*_STEPS, *(step for step in seconds if step not in _STEPS)], max(seconds.values())
    rows = [
        [
            _head(_named(_STEPS, step)),
            _number(f"{seconds[step]:.2f}"),
            _cell(_bar(seconds[step] / most if most > 0 else 0)),
        ]
        for step in steps
        if step in seconds
    ]
    heads = _heads(("步骤", "Step")) + _number_heads(("秒", "Seconds")) + _heads(("", ""))
    return _section(("用时", "Steps"), _table(heads, rows))


def _inputs(night: _Night) -> str:
    """The files that were read: those of the release that stands, where nothing was computed."""
    inputs = night.looked_at.get("inputs", [])
    if not inputs:
        return ""
    heads = _heads(("文件", "File")) + _number_heads(("大小", "Size"))
    heads += _heads(("修改时间", "Last written"), ("SHA-256", ""))
    rows = [
        [
            _head(_text(file["path"]), "value"),
            _number(_size(file["bytes"])),
            _cell(_written(file["modified_ms"])),
            _cell(_text(file["sha256"]), "value"),
        ]
        for file in inputs
    ]
    return _section(("输入", "Inputs"), _table(heads, rows))


def _upkeep(night: _Night) -> str:
    """What an earlier refresh had left, what is kept no more, and warnings."""
    report, items = night.report, list[_Words]()
    if recovered := report.get("recovered"):
        numbers = ", ".join(str(number) for number in recovered)
        items.append(
            (f"补全了中断的第 {numbers} 版", f"finished release(s) {numbers}, which another process had begun")
        )
    if swept := report.get("swept"):
        items.append((f"清理了 {swept} 处未完成的工作", f"took away {swept} piece(s) of unfinished work"))
    files, size = report.get("let_go", (0, 0))
    if files:
        items.append(
            (
                f"删除了不再保留的文件 {files:,} 个（{_size(size)}）",
                f"let go of {files:,} file(s) that are kept no more",
            )
        )
    told = [f"<li>{_both(words)}</li>" for words in items]
    told += [f"<li>{_both(('警告', 'Warning'))}: {_text(warning)}</li>" for warning in report.get("warnings", [])]
    return _section(("维护与警告", "Upkeep and warnings"), f"<ul>{''.join(told)}</ul>") if told else ""


# ---- Pieces of the page. What they take is ready for it, unless it says otherwise.


def _text(value: object) -> str:
    """Text of the data as text of a page, whatever it says; nothing for None."""
    text = "" if value is None else str(value)
    return html.escape(
        "".join(letter if letter >= " " or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}" for letter in text)
    )


def _english(text: str) -> str:
    return f'<span lang="en">{text}</span>'


def _both(words: _Words) -> str:
    """Chinese and English side by side."""
    zh, en = words
    return f"{zh} {_english(en)}" if en else zh


def _named(names: Mapping[str, _Words], name: str) -> str:
    """A name of ours in words, with the name itself; one that has no words as it is."""
    own = f'<span class="value">{_text(name)}</span>'
    return f"{_both(names[name])} {own}" if name in names else own


def _class_names() -> dict[str, str]:
    """The words of the catalogue for its classes."""
    from walkshed.facilities import facility_classes

    rows = facility_classes().select("class", "name_zh", "name_en").iter_rows()
    return {name: _both((_text(zh), _text(en))) for name, zh, en in rows}


def _section(heading: _Words, page: str) -> str:
    return f"<section><h2>{_both(heading)}</h2>{page}</section>"


def _table(heads: str, rows: Iterable[Sequence[str]]) -> str:
    """A table of ready cells; without heads where those of its rows say all."""
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    head = f"<thead><tr>{heads}</tr></thead>" if heads else ""
    return f'<div class="wide"><table>{head}<tbody>{body}</tbody></table></div>'


def _heads(*columns: _Words, kind: str = "") -> str:
    """Heads of columns; where a bar stands, the number beside it has the head."""
    cells = (f'<th scope="col"{_kind(kind)}>{_both(words)}</th>' if any(words) else "<td></td>" for words in columns)
    return "".join(cells)


def _number_heads(*columns: _Words) -> str:
    return _heads(*columns, kind="number")


def _head(page: str, kind: str = "") -> str:
    """The cell that names its row."""
    return f'<th scope="row"{_kind(kind)}>{page}</th>'


def _cell(page: str, kind: str = "") -> str:
    return f"<td{_kind(kind)}>{page}</td>"


def _number(page: str) -> str:
    return _cell(page, "number")


def _kind(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


_SVG = '<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'


def _bar(share: float) -> str:
    """A bar of a share of its width; the number stands beside it."""
    return f'{_SVG}<rect width="{share * 100:.1f}" height="8"/></svg>'


def _swing(change: float, most: float) -> str:
    """A bar from the middle: to the right for more, to the left for less; `most` reaches the end."""
    width = abs(change) / most * 50 if most > 0 else 0
    start, kind = (50, "up") if change >= 0 else (50 - width, "down")
    return (
        f'{_SVG}<rect class="axis" x="49.75" width="0.5" height="8"/>'
        f'<rect class="{kind}" x="{start:.1f}" width="{width:.1f}" height="8"/></svg>'
    )


def _points(change: float | None) -> str:
    """A change of a share as percentage points with its sign; what rounds to nothing has none."""
    points = 0.0 if change is None else round(change * 100, 2)
    return "—" if change is None else f"{points:+.2f}" if points else "0.00"


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{share * 100:.1f} %"


def _size(size: int) -> str:
    """Bytes in words.

    >>> _size(512), _size(5 * 2**20)
    ('512 B', '5.0 MiB')
    """
    for power, unit in ((3, "GiB"), (2, "MiB"), (1, "KiB")):
        if size >= 1024**power:
            return f"{size / 1024**power:,.1f} {unit}"
    return f"{size} B"


def _moment(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.timezone.utc):%Y-%m-%d %H:%M:%S} UTC"


def _written(modified_ms: int | None) -> str:
    if modified_ms is None:
        return "—"
    return _moment(dt.datetime.fromtimestamp(modified_ms / 1000, dt.timezone.utc))
