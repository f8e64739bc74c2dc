"""The commands of refreshed tables: `refresh`, `history`, `diff`, `evaluate`, `rollback`, `verify`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from walkshed.console import DONE, REFUSED, add_tile_options, executor_of, print_frame, progress_of, size
from walkshed.evaluation import Evaluation, evaluate
from walkshed.projects import Projects, read_projects
from walkshed.refresh import RefreshResult, refresh
from walkshed.tables import GATES, At, Diff, Tables

#: Tables of an evaluation that the command writes.
EVALUATED = ("communities", "scores", "moved", "attribution", "facilities", "built", "recomputed")


class Terminated(BaseException):
    """The process was asked to end by SIGTERM or SIGHUP."""


def add(commands: Any) -> list[argparse.ArgumentParser]:
    """Add the commands to the parser; each of them."""
    adders = (_add_refresh, _add_history, _add_diff, _add_evaluate)
    return [*(add_one(commands) for add_one in adders), *_add_keeping(commands)]


def _add_refresh(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "refresh", help="bring a study's tables up to its inputs 夜间更新"
    )
    parser.add_argument("study", metavar="STUDY.toml")
    parser.add_argument("--tables", metavar="DIR", help="folder of the tables; else [refresh] tables of the study")
    parser.add_argument("--full", action="store_true", help="compute everything again, whatever did not change")
    parser.add_argument("--dry-run", action="store_true", help="only tell what would be computed, and why")
    parser.add_argument("--as-of", metavar="DAY", help="the day on which facilities are open, in place of the study's")
    parser.add_argument(
        "--override",
        metavar="GATE=REASON",
        type=_override,
        action="append",
        default=[],
        help=f"pass over a gate, with a reason that is recorded; gates: {', '.join(GATES)}",
    )
    parser.add_argument("--any-file-system", action="store_true", help="publish on network shares too")
    parser.add_argument("--memory-limit", metavar="SIZE", type=size, help='such as "8 GB"; a larger study is refused')
    add_tile_options(parser)
    parser.add_argument(
        "--log-level", choices=("debug", "info", "warning", "error"), default="info", help="lines on stderr"
    )
    parser.set_defaults(command=partial(_refresh, parser))
    return parser


def _add_history(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser("history", help="the releases of tables 版本历史")
    _tables(parser)
    parser.set_defaults(command=_history)
    return parser


def _add_diff(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser("diff", help="what differs between two releases 版本差异")
    parser.add_argument("before", metavar="A", nargs="?", default="-2", help="release or day; the last but one")
    parser.add_argument("after", metavar="B", nargs="?", default="-1", help="release or day; the last")
    _tables(parser, positional=False)
    parser.add_argument("--out", metavar="DIR", help="folder for the rows that differ, as Parquet")
    parser.set_defaults(command=_diff)
    return parser


def _add_evaluate(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "evaluate", help="what changed between two releases, and what changed it 年度评估"
    )
    parser.add_argument("before", metavar="A", help="release or day")
    parser.add_argument("after", metavar="B", nargs="?", default="-1", help="release or day; the last")
    _tables(parser, positional=False)
    parser.add_argument("--projects", metavar="FILE", help="the ledger of projects 项目台账")
    parser.add_argument("--communities", metavar="FILE", help="areas that the ledger names, to check it")
    parser.add_argument("--deliverables", metavar="DIR|FILE", help="what projects build, as for ws.read_projects")
    parser.add_argument("--plan", metavar="FILE", help="targets: class, and target_share or target_people 规划目标")
    parser.add_argument("--level", metavar="LEVEL", help="areas of this level only, such as community or 社区")
    parser.add_argument("--minutes", type=float, default=15, metavar="M", help="within how many minutes; 15")
    parser.add_argument("--profile", metavar="NAME", help="who walks; else who walks for everybody")
    parser.add_argument("--out", metavar="DIR", help="folder for the tables of the evaluation, as Parquet")
    parser.set_defaults(command=partial(_evaluate, parser))
    return parser


def _add_keeping(commands: Any) -> list[argparse.ArgumentParser]:
    rollback: argparse.ArgumentParser = commands.add_parser("rollback", help="publish an earlier release again 回退")
    rollback.add_argument("to", metavar="RELEASE", help="release or day")
    _tables(rollback, positional=False)
    rollback.add_argument("--reason", required=True, help="why; it is recorded")
    rollback.set_defaults(command=_rollback)
    verify: argparse.ArgumentParser = commands.add_parser("verify", help="hold every byte against its hash 完整性校验")
    _tables(verify)
    verify.set_defaults(command=_verify)
    return [rollback, verify]


def _tables(parser: argparse.ArgumentParser, *, positional: bool = True) -> None:
    told = "folder of the tables, or the study that refreshes them"
    if positional:
        parser.add_argument("tables", metavar="TABLES|STUDY.toml", help=told)
    else:
        parser.add_argument("--tables", metavar="TABLES|STUDY.toml", default="STUDY.toml", help=f"{told}; STUDY.toml")


def _override(text: str) -> tuple[str, str]:
    gate, _, reason = text.partition("=")
    if gate not in GATES or not reason.strip():
        raise argparse.ArgumentTypeError(f'"{text}": use GATE=REASON with a gate of {", ".join(GATES)}')
    return gate, reason.strip()


def _at(text: str) -> At:
    """A release by number, also from the end, or a day."""
    return int(text) if text.lstrip("-").isdigit() else text


def _refresh(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    executor = executor_of(parser, options, options.tables)
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("walkshed").setLevel(options.log_level.upper())
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _terminate)
    result = refresh(
        options.study,
        options.tables,
        full=options.full,
        dry_run=options.dry_run,
        as_of=options.as_of,
        override=dict(options.override),
        any_file_system=options.any_file_system,
        memory_limit=options.memory_limit,
        executor=executor,
        tile_resolution=options.tile_resolution,
        work=options.work,
        progress=progress_of(options),
    )
    if options.json:
        print(json.dumps(result.report, ensure_ascii=False))
        return DONE
    _print_refresh(result)
    return DONE


def _terminate(number: int, _frame: object) -> None:
    raise Terminated(signal.Signals(number).name)


_WORDS = {
    "published": "published 已发布",
    "unchanged": "nothing to publish 无变化",
    "dry_run": "dry run, nothing was written 试运行，未写入",
    "first": "the first release 首次发布",
    "full": "all is computed again 全量重算",
    "new": "new input 新增输入",
    "changed": "input changed 输入变化",
    "gone": "input gone 输入缺失",
    "settings": "settings changed 设置变化",
    "day": "the day on which facilities are open 设施状态日期",
    "code": "another version of walkshed 程序版本变化",
}


def _print_refresh(result: RefreshResult) -> None:
    report = result.report
    print(f"{_WORDS[result.status]}: release 版本 {result.release}, {report['tables']}")
    for why in report["why"]:
        print(f"  {_WORDS[why['what']]}{': ' if why['of'] else ''}{why['of']}")
    made = result.made()
    if made.height:
        print("parts 分块: computed 重算, changed 变化:")
        print_frame(made.with_columns(pl.col("classes").str.slice(0, 60)))
    record = report["record"]
    passed_over: dict[str, str] = {} if record is None else record.get("overridden") or {}
    for gate, reason in passed_over.items():
        print(f"passed over 已放行: {gate}: {reason}")


def _history(options: argparse.Namespace) -> int:
    releases = Tables(options.tables).releases()
    if options.json:
        print(releases.write_json())
    else:
        print_frame(releases.with_columns(pl.col("published_at").dt.strftime("%Y-%m-%d %H:%M:%S")), precision=0)
    return DONE


def _diff(options: argparse.Namespace) -> int:
    found = Tables(options.tables).diff(_at(options.before), _at(options.after))
    tables = {name: getattr(found, name)() for name in ("inputs", "coverage", "facilities", "cells", "scorecards")}
    if options.out:
        _write(found, tables, Path(options.out))
    if options.json:
        rows = {name: table.to_dicts() for name, table in tables.items()}
        print(json.dumps({"before": found.before, "after": found.after} | rows, ensure_ascii=False))
        return DONE
    print(found.summary())
    print(found.summary(chinese=True))
    if tables["inputs"].height:
        print_frame(tables["inputs"], precision=0)
    everybody = tables["coverage"].filter(pl.col("group") == "all")
    if everybody.height:
        print("areas that moved most 变化最大的分区:")
        most = everybody.sort(pl.col("change").abs(), descending=True, maintain_order=True)
        print_frame(most.unique("area_id", keep="first", maintain_order=True).head(20))
    return DONE


def _write(found: Diff | Evaluation, tables: dict[str, pl.DataFrame], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        path = folder / f"{name}_{found.before}_{found.after}.parquet"
        table.write_parquet(f"{path}.partial")
        os.replace(f"{path}.partial", path)


def _evaluate(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    if (options.communities or options.deliverables) and not options.projects:
        parser.error("--communities and --deliverables belong to a ledger: name it with --projects")
    try:
        year = evaluate(
            Tables(options.tables),
            _at(options.before),
            _at(options.after),
            projects=_projects(options),
            plan=options.plan,
            level=options.level,
            minutes=options.minutes,
            profile=options.profile,
            progress=progress_of(options),
        )
    except ValueError as error:
        print(f"walkshed: {error}", file=sys.stderr)
        return REFUSED
    tables = {name: getattr(year, name) for name in EVALUATED}
    if options.out:
        _write(year, tables, Path(options.out))
    if options.json:
        rows = {name: table.to_dicts() for name, table in tables.items()}
        told = {"before": year.before, "after": year.after, "causes": year.causes} | rows
        print(json.dumps(told, ensure_ascii=False, default=str))
        return DONE
    print(year.summary())
    print(year.summary(chinese=True))
    return DONE


def _projects(options: argparse.Namespace) -> Projects | None:
    if options.projects is None:
        return None
    return read_projects(options.projects, options.communities, deliverables=options.deliverables)


def _rollback(options: argparse.Namespace) -> int:
    tables = Tables(options.tables)
    number = tables.roll_back(_at(options.to), options.reason, progress=progress_of(options))
    print(json.dumps({"release": number}) if options.json else f"published 已发布: release 版本 {number}")
    return DONE


def _verify(options: argparse.Namespace) -> int:
    damaged = Tables(options.tables).verify(progress=progress_of(options))
    if options.json:
        print(json.dumps({"damaged": damaged.to_dicts()}, ensure_ascii=False))
    elif damaged.height:
        print("damaged 已损坏:")
        print_frame(damaged)
    else:
        print("every file is as it was written 所有文件完好")
    return REFUSED if damaged.height else DONE
