"""The command `report`: what an institute hands in, from a study."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import warnings
from functools import partial
from pathlib import Path
from typing import Any

from walkshed import InputError, formats, study
from walkshed.console import DONE, REFUSED, progress_of
from walkshed.language import language_of
from walkshed.progress import reporting
from walkshed.refused import Refused
from walkshed.rejected import RejectedRowsWarning
from walkshed.same_city import input_of, refuse_other_study
from walkshed.scenario import Scenario
from walkshed.score import Scorecard, requirements, score_run

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
    try:
        with tempfile.TemporaryDirectory(prefix="walkshed-report-") as folder:
            left_out = _write(options, Path(folder), wanted)
    except InputError:
        raise
    except ValueError as error:
        print(f"walkshed: {error}", file=sys.stderr)
        return REFUSED
    if options.json:
        print(json.dumps({name: str(path) for name, path in wanted.items()}, ensure_ascii=False))
    else:
        for name, path in wanted.items():
            print(f"{name}: {path}")
    if left_out:
        print(
            f"left out 未采用: {left_out} row(s); the chapter on data has the reasons 原因见数据一章", file=sys.stderr
        )
    return DONE


def _write(options: argparse.Namespace, folder: Path, wanted: dict[str, Path]) -> int:
    """Compute what is not there yet, and write everything; how many rows of the inputs were left out."""
    from walkshed.maps import base_map
    from walkshed.page import page
    from walkshed.report.documents import refuse_strange, write
    from walkshed.report.facts import City
    from walkshed.report.outputs import Outputs

    outputs = Outputs({name: path for name, path in wanted.items() if name != "sheets"}, wanted.get("sheets"))
    outputs.refuse()
    _refuse_inputs(options)
    progress, language = progress_of(options), language_of(options.language)
    result = _result(options, folder)
    scenarios = None
    if options.scenario:
        scenarios = study.run_scenarios(options.study, options.scenario, folder / "scenarios", progress=progress)
    card = _scorecard(options, result, folder / "card")
    base = base_map.of_run(result)
    read = _read(options, folder / "card")
    city = City(result, language, card, scenarios, base, read, is_kept=options.run is not None)
    refuse_strange(city)
    html = None
    if "html" in wanted:
        made = page(result, scenarios=scenarios, scorecard=card, base=base, title=options.title, language=language)
        html = made.html.encode()
    with reporting(progress) as tell:
        write(city, outputs, tell, html)
    return int(sum(result.report["rejected"].values())) + (0 if card is None else card.rejected.height)


def _refuse_inputs(options: argparse.Namespace) -> None:
    """Tell what is wrong with the files that are looked at last, before the study is run.

    Raises:
        InputError: a standard or a plan that cannot be read, or a survey that is not there.

    """
    if options.standard:
        requirements(options.standard)
    for plan in options.scenario:
        Scenario.from_toml(plan)
    if options.survey and not formats.is_remote(options.survey) and not Path(formats.local(options.survey)).is_file():
        raise Refused.because(options.survey, "not_found").error()


def _result(options: argparse.Namespace, folder: Path) -> study.RunResult:
    """The run that is named, if it is one of the study; else the study is run."""
    if options.run is None:
        return study.run(options.study, folder / "run", progress=progress_of(options))
    result = study.RunResult.load(options.run)
    refuse_other_study(options.study, result)
    return result


def _scorecard(options: argparse.Namespace, result: study.RunResult, folder: Path) -> Scorecard | None:
    if not options.standard:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RejectedRowsWarning)  # they are rows of the report
        return score_run(
            result.folder,
            folder,
            standard=options.standard,
            survey=options.survey,
            level=options.level,
            progress=progress_of(options),
        )


def _read(options: argparse.Namespace, card: Path) -> list[dict[str, Any]]:
    """The study, and what the scorecard was read from; a standard that comes with walkshed is no file of a size."""
    read = [input_of(Path(options.study))]
    if options.standard and Path(options.standard).is_file():
        read.append(input_of(Path(options.standard)))
    elif options.standard:
        sha256 = json.loads((card / "score.json").read_text("utf-8"))["standard_sha256"]
        read.append({"path": options.standard, "bytes": None, "sha256": sha256})
    if options.survey and not formats.is_remote(options.survey):
        read.append(input_of(Path(formats.local(options.survey))))
    elif options.survey:
        read.append({"path": options.survey, "bytes": None, "sha256": None})
    return read
