"""The command `report`: what an institute hands in, from a study."""

from __future__ import annotations

import argparse
import json
import tempfile
import warnings
from functools import partial
from pathlib import Path
from typing import Any

from walkshed import study
from walkshed.console import DONE, progress_of
from walkshed.language import language_of
from walkshed.rejected import RejectedRowsWarning
from walkshed.score import Scorecard, score_run

#: What can be written: the option, and what it names.
_OUTPUTS = {
    "html": ("FILE", "the one-map page: one file that needs no internet 单文件地图网页"),
    "xlsx": ("FILE", "all tables as a workbook 数据表"),
    "docx": ("FILE", "the city's report for Word 报告（Word）"),
    "pdf": ("FILE", "the same as PDF 报告（PDF）"),
    "sheets": ("DIR", "one sheet for each community, PDF 社区体检表"),
}


def add(commands: Any) -> list[argparse.ArgumentParser]:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "report", help="page, documents and sheets to hand in 成果报告"
    )
    parser.add_argument("study", metavar="STUDY.toml")
    for name, (kind, told) in _OUTPUTS.items():
        parser.add_argument(f"--{name}", metavar=kind, type=Path, help=told)
    parser.add_argument("--run", metavar="DIR", help="folder of an earlier `walkshed run` of the study; else it is run")
    parser.add_argument("--scenario", metavar="PLAN.toml", action="append", default=[], help="a scenario; repeatable")
    parser.add_argument("--standard", metavar="NAME|TOML", help="score the communities by this standard")
    parser.add_argument("--survey", metavar="FILE", help="answers of a survey, as for `walkshed score`")
    parser.add_argument("--level", metavar="LEVEL", help="areas of this level only, such as community or 社区")
    parser.add_argument("--language", choices=("zh", "en"), default="zh", help="language of the documents; zh")
    parser.add_argument("--title", help="title of the page; else the study's name")
    parser.set_defaults(command=partial(_report, parser))
    return [parser]


def _report(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    wanted = {name: getattr(options, name) for name in _OUTPUTS if getattr(options, name) is not None}
    if not wanted:
        parser.error(f"say what to write: {', '.join(f'--{name}' for name in _OUTPUTS)}")
    if (options.survey or options.level) and not options.standard:
        parser.error("--survey and --level are for a scorecard: name its --standard")
    with tempfile.TemporaryDirectory(prefix="walkshed-report-") as folder:
        _write(options, Path(folder), wanted)
    if options.json:
        print(json.dumps({name: str(path) for name, path in wanted.items()}, ensure_ascii=False))
    else:
        for name, path in wanted.items():
            print(f"{name}: {path}")
    return DONE


def _write(options: argparse.Namespace, folder: Path, wanted: dict[str, Path]) -> None:
    """Compute what is not there yet, and write everything."""
    from walkshed.maps import base_map
    from walkshed.page import page
    from walkshed.report import report

    progress, language = progress_of(options), language_of(options.language)
    if options.run:
        result = study.RunResult.load(options.run)
    else:
        result = study.run(options.study, folder / "run", progress=progress)
    scenarios = None
    if options.scenario:
        scenarios = study.run_scenarios(options.study, options.scenario, folder / "scenarios", progress=progress)
    told: dict[str, Any] = {"scenarios": scenarios, "scorecard": _scorecard(options, result, folder)}
    told["base"] = base_map.of_run(result)
    documents: dict[str, Any] = {name: path for name, path in wanted.items() if name != "html"}
    if documents:
        report(result, **told, language=language, progress=progress, **documents)
    if "html" in wanted:
        page(result, **told, title=options.title, language=language).save(wanted["html"])


def _scorecard(options: argparse.Namespace, result: study.RunResult, folder: Path) -> Scorecard | None:
    if not options.standard:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RejectedRowsWarning)  # they are rows of the report
        return score_run(
            result.folder,
            folder / "card",
            standard=options.standard,
            survey=options.survey,
            level=options.level,
            progress=progress_of(options),
        )
