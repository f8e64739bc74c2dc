"""The command `walkshed`: arguments in, results on stdout, messages and progress on stderr.

Exit codes: 0 done, 1 refused (the message says what and where), 2 wrong usage, 3 our own failure, 75 another refresh
holds the tables, 130 stopped (143 by SIGTERM).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from walkshed import (
    BusyError,
    InputError,
    RejectedRowsWarning,
    WorkerError,
    __version__,
    report_command,
    site_plan,
    siting,
    study,
    synthetic,
    table_commands,
    validation,
)
from walkshed.console import (
    BUSY,
    DONE,
    FAILED,
    REFUSED,
    STOPPED,
    TERMINATED,
    add_tile_options,
    executor_of,
    print_frame,
    progress_of,
    size,
)
from walkshed.score import score_run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.command(options)
        return code
    except InputError as error:
        _refuse(options, error)
        return REFUSED
    except BusyError as error:
        print(f"walkshed: {error} 正被另一进程占用", file=sys.stderr)
        return BUSY
    except LookupError as error:
        print(f"walkshed: {error.args[0] if error.args else error}", file=sys.stderr)
        return REFUSED
    except ImportError as error:  # an optional package; the message names it
        print(f"walkshed: {error}", file=sys.stderr)
        return REFUSED
    except WorkerError as error:
        print(f"walkshed: {error}", file=sys.stderr)
        return REFUSED
    except BrokenPipeError:  # whoever read our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        print(f"walkshed: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("walkshed: stopped; nothing was written", file=sys.stderr)
        return STOPPED
    except table_commands.Terminated as signal:
        print(f"walkshed: ended by {signal}; nothing was published", file=sys.stderr)
        return TERMINATED
    except Exception as error:  # the last door: a traceback helps nobody at a command line
        print(f"walkshed: internal failure, please report it: {error!r}", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="walkshed", description="How much of a city's people can walk to its community facilities."
    )
    parser.add_argument("--version", action="version", version=f"walkshed {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="one study, the whole line")
    run.add_argument("study", metavar="STUDY.toml")
    run.add_argument("--out", metavar="DIR", required=True, help="folder for the results; replaced as a whole")
    run.add_argument(
        "--memory-limit", metavar="SIZE", type=size, help='such as "8 GB"; a larger study goes tile by tile'
    )
    add_tile_options(run)
    run.add_argument("--map", metavar="PNG", help="draw the six classes that fewest people reach (needs matplotlib)")
    run.set_defaults(command=partial(_run, run))
    validate = commands.add_parser("validate", help="check a study, a file or a folder of files, compute nothing")
    validate.add_argument("source", metavar="STUDY.toml|FILE|FOLDER")
    validate.add_argument("--out", metavar="DIR", help="folder for findings.parquet, totals.parquet and report.html")
    validate.set_defaults(command=_validate)
    synth = commands.add_parser("synth", help="a synthetic mountain city 合成山地城市")
    synth.add_argument("out", metavar="DIR", help="folder for the city; replaces an earlier synthetic city only")
    synth.add_argument("--nodes", type=int, default=10_000, metavar="N", help="junctions, 1000..5000000")
    synth.add_argument("--seed", type=int, default=1, metavar="S", help="which city, 0..4294967295")
    synth.set_defaults(command=_synth)
    score = commands.add_parser("score", help="the communities of a run by a planning standard 按标准评分")
    score.add_argument("run", metavar="RUN", help="folder of `walkshed run`")
    score.add_argument(
        "--standard", required=True, metavar="NAME|TOML", help="mohurd_2020, chongqing_illustrative, or a file"
    )
    score.add_argument("--out", metavar="DIR", required=True, help="folder for the scorecard; replaced as a whole")
    score.add_argument("--survey", metavar="FILE", help="answers: community_id, key, value, source, date")
    score.add_argument("--facilities", metavar="FILE", help="facilities with columns that the run does not keep")
    score.add_argument("--level", metavar="LEVEL", help="areas of this level only, such as community or 社区")
    score.add_argument(
        "--built", choices=("existing", "new"), default="existing", help="what communities are that do not say"
    )
    score.add_argument(
        "--complete", metavar="CLASS", nargs="*", default=(), help="classes of which the facilities are all known"
    )
    score.add_argument("--card", metavar="AREA", help="print the card of one community, with its evidence")
    score.add_argument("--chinese", action="store_true", help="print the card in Chinese 中文")
    score.set_defaults(command=_score)
    scenario = commands.add_parser("scenario", help="what scenarios change of a study 情景方案对比")
    scenario.add_argument("study", metavar="STUDY.toml", help="the baseline")
    scenario.add_argument("plans", metavar="PLAN.toml", nargs="+", help="scenarios: [[edit]] after [[edit]]")
    scenario.add_argument("--out", metavar="DIR", required=True, help="folder for the results; replaced as a whole")
    scenario.set_defaults(command=_scenario)
    site = commands.add_parser("site", help="where the next facilities go 选址")
    site.add_argument("plan", metavar="PLAN.toml", help="a table [site]: the folder of a run, a problem, a class, k")
    site.add_argument("--out", metavar="DIR", required=True, help="folder for the sites; replaced as a whole")
    site.set_defaults(command=_site)
    for command in (
        run,
        validate,
        synth,
        score,
        scenario,
        site,
        *report_command.add(commands),
        *table_commands.add(commands),
    ):
        command.add_argument("--json", action="store_true", help="machine-readable results on stdout")
        command.add_argument("--quiet", action="store_true", help="no progress")
    return parser


def _run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    executor = executor_of(parser, options, options.out)
    result = study.run(
        options.study,
        options.out,
        memory_limit=options.memory_limit,
        executor=executor,
        tile_resolution=options.tile_resolution,
        work=options.work,
        progress=progress_of(options),
    )
    if options.map:
        from walkshed import maps

        maps.save(result.plot(), options.map)
    if options.json:
        print(json.dumps(result.report, ensure_ascii=False))
        return DONE
    report = result.report
    people, network = report["people"], report["network"]
    print(f"{report['study']['study']['name']}: {people['stated']:,.0f} people 人口 in {people['cells']:,} cells 单元")
    kilometres = sum(length for kind, length in network["length_km"].items() if kind != "square")
    print(f"{kilometres:,.0f} km of ways 步行道路, {network['edges']:,} edges")
    print("share of people who reach the nearest facility on foot, per cent 步行可达人口占比 (%):")
    print_frame(result.summary())
    _print_left_out(report)
    print(f"results: {result.folder}")
    if options.map:
        print(f"map: {options.map}")
    return DONE


def _validate(options: argparse.Namespace) -> int:
    refused: InputError | None = None
    try:
        found = validation.validate(options.source, out=options.out, progress=progress_of(options))
    except InputError as error:
        told_of = getattr(error, "validation", None)
        if not isinstance(told_of, validation.Validation):
            raise
        refused, found = error, told_of
    if options.json:
        tables = {"findings": found.findings, "totals": found.totals, "rejected": found.rejected}
        told: dict[str, Any] = {"problems": refused.problems} if refused else {}
        told |= {name: table.to_dicts() for name, table in tables.items()}
        print(json.dumps(found.report | told, ensure_ascii=False))
    else:
        _print_findings(found)
        if options.out:
            print(f"report 报告: {options.out}/report.html")
    if refused is not None:
        _tell(refused)
    return DONE if found.ready else REFUSED


def _print_findings(found: validation.Validation) -> None:
    report = found.report
    if report:
        classes = ", ".join(f"{name} {count}" for name, count in report["facilities"].items())
        print(
            f"ready to run 可以运行: {report['people']:,.0f} people, {report['cells']:,} cells, {report['areas']} areas"
        )
        print(f"facilities 设施: {classes}")
        if report["people_not_snapped"] > 0:
            print(f"not near any street 未接入路网: {report['people_not_snapped']:,.0f} people")
    if found.totals.height:
        print("rows in = accepted + rejected 读入 = 采用 + 未采用:")
        print_frame(found.totals)
    print(f"rows left out 未采用的行: {found.rejected.height}; findings 全部问题: {found.findings.height}")
    for row in found.findings.head(20).iter_rows(named=True):
        place = ", ".join(str(row[part]) for part in ("file", "row", "id", "column", "value") if row[part] is not None)
        level = validation.LEVELS[row["level"]]
        print(f"  {row['level']} {level}: {place}: {row['what']}. {row['fix']}\n    {row['what_zh']}。{row['fix_zh']}")
    if found.findings.height > 20:
        print(f"  … and {found.findings.height - 20} more; --out DIR writes, --json prints all")


def _score(options: argparse.Namespace) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RejectedRowsWarning)  # told below, in the words of the command
        card = score_run(
            options.run,
            options.out,
            standard=options.standard,
            survey=options.survey,
            facilities=options.facilities,
            level=options.level,
            built=options.built,
            complete=options.complete,
            progress=progress_of(options),
        )
    if options.json:
        print((Path(options.out) / "score.json").read_text("utf-8"))
        return DONE
    report = json.loads((Path(options.out) / "score.json").read_text("utf-8"))
    print(f"{report['name_zh']} {report['name_en']}: {report['status']}")
    print(f"{report['communities']:,} communities 社区; points by status 各评分点: {_counts(report['points'])}")
    print(f"grades 等级: {_counts(report['grades'])}")
    for reason, count in report["rejected"].items():
        print(f"left out or told 未采用或提示: {count} row(s), {reason}; see rejected.parquet")
    print(f"scorecard 评分表: {options.out}")
    if options.card:
        try:
            print(card.text(options.card, chinese=options.chinese))
        except KeyError as error:
            print(f"walkshed: {error.args[0]}", file=sys.stderr)
            return REFUSED
    return DONE


def _scenario(options: argparse.Namespace) -> int:
    result = study.run_scenarios(options.study, options.plans, options.out, progress=progress_of(options))
    if options.json:
        print(json.dumps(result.report, ensure_ascii=False))
        return DONE
    for one in result.report["scenarios"]:
        cost = f", {one['cost_yuan']:,.0f} yuan 元" if one["cost_yuan"] else ""
        print(f"{one['name']} ({one['id']}): {len(one['edits'])} edits 措施{cost}, {one['changed']:,} changes 变化")
    summary = result.summary().drop("scenario")
    if summary.height:
        print("who gains 受益人口, who loses 受损人口, minutes saved together 节省的人·分钟:")
        print_frame(summary)
    print(f"results 结果: {options.out}")
    return DONE


def _site(options: argparse.Namespace) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RejectedRowsWarning)  # the run has told of its rows
        warnings.simplefilter("ignore", siting.StoppedWarning)  # told below
        result = site_plan.site_run(options.plan, options.out, progress=progress_of(options))
    if options.json:
        print(json.dumps(result.report, ensure_ascii=False))
        return DONE
    print(result.siting.summary())
    built = result.siting.sites.filter(~pl.col("existing")).sort("order")
    columns = ["order", "site_id", "class", "people", "area_id", "lon", "lat"]
    print_frame(built.select(columns).head(30).with_columns(pl.col("lon", "lat").round(5).cast(pl.String)))
    if built.height > 30:
        print(f"  … and {built.height - 30} more; see sites.parquet")
    print(f"sites 选址结果: {result.folder}")
    return DONE


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _synth(options: argparse.Namespace) -> int:
    city = synthetic.synth(options.out, nodes=options.nodes, seed=options.seed, progress=progress_of(options))
    if options.json:
        print(json.dumps(city.report, ensure_ascii=False))
        return DONE
    report = city.report
    print(f"SYNTHETIC 合成数据: {report['junctions']:,} junctions 路口, {report['people']:,} people 人口")
    print(f"city 城市: {city.folder}")
    print(f"next 下一步: walkshed run {city.study} --out RESULTS")
    return DONE


def _print_left_out(report: dict[str, Any]) -> None:
    for reason, count in report["rejected"].items():
        print(f"left out 未采用: {count} row(s), {reason}; see rejected.parquet")
    if report["people"]["not_snapped"] > 0:
        print(f"not near any street 未接入路网: {report['people']['not_snapped']:,.0f} people")
    if report["people"]["outside_areas"] > 0.5:
        print(f"outside every area 不在任何分区内: {report['people']['outside_areas']:,.0f} people")
    absent = report["classes_without_facilities"]
    if absent:
        print(f"no facility known, so nothing is said 无设施数据: {', '.join(absent)}")


def _refuse(options: argparse.Namespace, error: InputError) -> None:
    if options.json:
        print(json.dumps({"problems": getattr(error, "problems", [])}, ensure_ascii=False))
    _tell(error)


def _tell(error: InputError) -> None:
    for problem in getattr(error, "problems", []):
        print(f"walkshed: {problem['message']}\n          {problem['message_zh']}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
