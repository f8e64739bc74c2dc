"""What a refresh leaves behind: pages that take any name, figures that Prometheus takes, files that are whole."""

from __future__ import annotations

import base64
import copy
import datetime as dt
import errno
import hashlib
import json
import logging
import os
import re
import threading
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import walkshed as ws
from walkshed import refresh_report

BEGAN = dt.datetime(2026, 11, 27, 3, 0, tzinfo=dt.timezone.utc)
NASTY = "<script>alert(1)</script>\"'&\n\\{}<img src=x onerror=alert(2)>"


def total(name: str, minutes: float, covered: float, people: float = 1000.0) -> dict[str, Any]:
    return {"class": name, "profile": "adult", "minutes": minutes, "people": people, "people_covered": covered}


def record(release: int = 12) -> dict[str, Any]:
    counts = {"rows": 86400, "files": 90, "bytes": 1_200_000, "files_added": 2, "files_removed": 2, "entry_sha256": "e"}
    inputs = [
        {"path": "data/facilities.csv", "bytes": 4096, "sha256": "ab" * 32, "modified_ms": 1_795_737_600_000},
        {"path": "data/streets.osm.pbf", "bytes": 9_000_000, "sha256": "cd" * 32, "modified_ms": None},
    ]
    return {
        "format": 1,
        "release": release,
        "published_at": "2026-11-27T03:00:05.000Z",
        "published_at_ms": 1_795_748_405_000,
        "cause": "refresh",
        "reason": None,
        "study": "渝中 test",
        "as_of": "2026-11-27",
        "walkshed": "0.1.0",
        "code": "c0de" * 16,
        "settings": "5e77",
        "key": "fe1",
        "inputs": inputs,
        "tables": {"coverage": counts, "rejected": counts | {"rows": 19, "bytes": 900}},
        "facts": {},
        "total": [total("kindergarten", 5, 400), total("kindergarten", 15, 800), total("park", 15, 0, people=0)],
        "overridden": {},
    }


def published(release: int = 12) -> dict[str, Any]:
    made = {"parts": 90, "computed": 3, "changed": 2, "tiles": ["852"], "names": ["kindergarten"]}
    return {
        "status": "published",
        "tables": "/srv/tables",
        "release": release,
        "why": [{"what": "changed", "of": "data/facilities.csv"}, {"what": "day", "of": "2026-11-26 → 2026-11-27"}],
        "made": {"coverage": made, "rejected": made | {"computed": 0, "names": []}},
        "record": record(release) | {"overridden": {"coverage_move": "区里已核实"}},
        "total_before": [total("kindergarten", 5, 410), total("kindergarten", 15, 600), total("canteen", 15, 10)],
        "people": {"stated": 1000.0, "in_cells": 1000.0, "cells": 252, "not_snapped": 7.0, "outside_areas": 3.0},
        "rejected": {"missing_value": 12, "not_snapped": 7},
        "told": {"not_open": 26},
        "recovered": [11],
        "swept": 1,
        "let_go": [14, 9_000_000],
        "warnings": ["the clock is late 系统时钟早"],
        "seconds": {"inputs": 0.004, "prepare": 3.0, "times": 6.0, "tables": 1.5, "publish": 0.25},
        "peak_memory_bytes": 92_819_456,
    }


def unchanged(release: int = 12) -> dict[str, Any]:
    """Nothing to do: no record of its own."""
    nothing = {"why": [], "made": {}, "people": None, "rejected": {}, "told": {}, "recovered": [], "swept": 0}
    told = {"status": "unchanged", "record": None, "let_go": [0, 0], "warnings": [], "seconds": {"inputs": 0.004}}
    return published(release) | nothing | told | {"total_before": record()["total"]}


def refused(*problems: dict[str, Any]) -> dict[str, Any]:
    shut = problem("kindergarten", "coverage_move", message="moved far. Correct", message_zh="变动过大。请更正")
    return {"status": "refused", "tables": "/srv/tables", "problems": [shut, *problems]}


def problem(file: str, reason: str, **more: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("row", "id", "column", "value"))
    return {"file": file, **empty, "reason": reason, "message": "what. fix", "message_zh": "情况。办法"} | more


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of tables with no release yet."""
    (tmp_path / "tables" / "releases").mkdir(parents=True)
    return tmp_path / "tables"


@pytest.fixture
def standing(folder: Path) -> Path:
    """A folder of tables with releases."""
    for number in (11, 12):
        text = json.dumps(record(number), ensure_ascii=False)
        (folder / "releases" / f"{number:020}.json").write_text(text, "utf-8")
    return folder


def page(folder: Path, report: dict[str, Any], began: dt.datetime = BEGAN) -> str:
    refresh_report.write(folder, report, began)
    return (folder / "reports" / "last.html").read_text("utf-8")


def figures(folder: Path) -> dict[str, float]:
    return parsed((folder / "reports" / "metrics.prom").read_text("utf-8"))


class Outline(HTMLParser):
    """Every element is closed in its turn; what attributes there are, and the visible text."""

    VOID = ("meta", "br")

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.elements: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._seen(tag, attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert "svg" in self.open, f"<{tag}/> outside a picture is not closed"
        self._seen(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    def _seen(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    @property
    def text(self) -> str:
        return "".join(self.words)


# The text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
_SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\} (\S+)\Z')
_LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|\Z)')
_ESCAPED = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def parsed(text: str) -> dict[str, float]:
    """Samples by family and labels but the study's, as strictly as the format is: each family told once, before it."""
    assert text.endswith("\n")
    found: dict[str, float] = {}
    helped: list[str] = []
    typed: list[str] = []
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            assert _NAME.match(name) and name not in helped and len(line.split(" ", 3)[3]) > 10
            helped.append(name)
        elif line.startswith("# TYPE "):
            assert line == f"# TYPE {helped[-1]} gauge"
            typed.append(helped[-1])
        else:
            name, labels, value = sample(line)
            assert name == typed[-1] == helped[-1], f"{line} stands with another family"
            assert labels.pop("study"), line
            key = name.removeprefix("walkshed_") + "".join(f" {label}={labels[label]}" for label in labels)
            assert key not in found, f"{line} is there twice"
            found[key] = value
    assert helped == typed
    return found


def sample(line: str) -> tuple[str, dict[str, str], float]:
    whole = _SAMPLE.match(line)
    assert whole, f"{line!r} is no sample"
    labels = {
        label: re.sub(r"\\.", lambda escaped: _ESCAPED[escaped[0]], value) for label, value in _LABEL.findall(whole[2])
    }
    return whole[1], labels, float(whole[3])


def test_a_published_release_has_its_own_report_which_stays(folder: Path) -> None:
    refresh_report.write(folder, published(12), BEGAN)
    refresh_report.write(folder, published(13), BEGAN)
    reports = folder / "reports"
    names = ["000012.html", "000012.json", "000013.html", "000013.json", "last.html", "last.json", "metrics.prom"]
    assert sorted(file.name for file in reports.iterdir()) == names
    assert json.loads((reports / "000012.json").read_text("utf-8")) == published(12)
    assert json.loads((reports / "last.json").read_text("utf-8")) == published(13)
    assert "Release 12 was published" in (reports / "000012.html").read_text("utf-8")


def test_the_page_of_a_release_tells_everything_in_both_languages(folder: Path) -> None:
    text = Outline(page(folder, published())).text
    sections = (
        ("已发布第 12 版。", "Release 12 was published."),
        ("原因", "Why"),
        ("覆盖率", "Coverage"),
        ("数据表", "Tables"),
        ("发布门槛", "Gates"),
        ("人口", "People"),
        ("未采用的行", "Rows left out"),
        ("用时", "Steps"),
        ("输入", "Inputs"),
        ("维护与警告", "Upkeep and warnings"),
        ("已放行，理由：", "passed over, because: 区里已核实"),
        ("补全了中断的第 11 版", "finished release(s) 11"),
        ("删除了不再保留的文件 14 个", "let go of 14 file(s)"),
        ("未接入路网的人口", "near no street"),
        ("统计日期", "2026-11-26 → 2026-11-27"),
        ("幼儿园", "Kindergarten kindergarten"),
    )
    for words in sections:
        for word in words:
            assert word in text, word
    for figure in (
        "88.5 MiB",
        "86,400",
        "1.1 MiB",
        "cd" * 32,
        "2026-11-27 00:00:00 UTC",
        "0.25",
        "252",
        "26",
        "系统时钟早",
    ):
        assert figure in text, figure


def test_coverage_that_came_or_went_stands_first_then_the_largest_moves(folder: Path) -> None:
    rows = re.findall(r'<tr><th scope="row">.*?(canteen|kindergarten|park)</span>.*?</tr>', page(folder, published()))
    assert rows == ["park", "canteen", "kindergarten", "kindergarten"]
    told = Outline(page(folder, published())).text
    assert "15—1.0 %" not in told and "151.0 %——" in told, "the canteen is gone"
    assert "1560.0 %80.0 %+20.00" in told and "541.0 %40.0 %-1.00" in told
    assert told.index("+20.00") < told.index("-1.00")


def test_all_rows_of_a_long_table_are_there_behind_the_first(folder: Path) -> None:
    report = published()
    report["record"]["total"] = [total(f"class_{number}", 5, number) for number in range(50)]
    report["total_before"] = [total(f"class_{number}", 5, 0) for number in range(50)]
    text = page(folder, report)
    first, _, rest = text.partition("<details>")
    assert (first.count(">class_"), rest.count(">class_")) == (20, 50)
    assert "class_49<" in first and "class_1<" not in first and "all 50 rows" in text
    report["record"]["total"] = report["record"]["total"][:20]
    report["total_before"] = []
    text = page(folder, report)
    assert "<details>" not in text and "Before" not in text, "a first release has nothing to move from"


def test_changes_too_small_to_be_told_have_no_sign(folder: Path) -> None:
    report = published()
    report["total_before"][0]["people_covered"] = 400.001
    text = page(folder, report)
    assert ">0.00<" in text and "-0.00" not in text and "+0.00" not in text


def test_a_night_without_news_shows_the_release_that_stands(standing: Path) -> None:
    text = Outline(page(standing, unchanged())).text
    assert "没有变化，未发布新版。第 12 版（2026-11-27 03:00:05 UTC）仍然有效" in text
    assert "Nothing changed and nothing was published. Release 12" in text
    assert "输入、设置、日期与程序均与上一版相同" in text and "Inputs, settings, day and program are those" in text
    assert "40.0 %" in text and "data/facilities.csv" in text and "86,400" in text
    assert "Gates" not in text and "Rows left out" not in text and "People" not in text
    assert not (standing / "reports" / "000012.html").exists()


def test_what_was_computed_and_came_out_the_same_is_told_as_it_was(standing: Path) -> None:
    report = unchanged() | {
        "record": record(0),
        "why": [{"what": "code", "of": "a → b"}],
        "people": published()["people"],
    }
    report["record"]["inputs"][0]["modified_ms"] = 1_795_741_200_000
    text = Outline(page(standing, report)).text
    assert "程序版本 the version of the program a → b" in text and "Release 12" in text and "near no street" in text
    assert figures(standing)["refresh_status status=unchanged"] == 1
    assert figures(standing)["release"] == 12, "the record of what was not published has no number"
    assert figures(standing)["input_age_seconds path=data/facilities.csv"] == 2 * 3600


def test_a_refused_night_tells_every_problem_and_what_to_do(standing: Path) -> None:
    bad = problem("facilities.csv", "not_a_number", row=3, id="F-9", column="lon", value="abc")
    text = Outline(page(standing, refused(bad, problem("cells", "people_conserved")))).text
    assert "未发布，数据表保持原状。第 12 版" in text and "Refused; the tables stay as they were. Release 12" in text
    assert "为何未发布 Why it was refused" in text and "共 3 个问题" in text and "3 problem(s)" in text
    assert "facilities.csv3F-9lonabcnot_a_number情况。办法what. fix" in text
    assert "变动过大。请更正moved far. Correct" in text
    assert "未通过（1 处，见上） shut (1, see above)" in text and text.count("通过 passed") == 4
    assert "80.0 %" in text, "what stands is still shown"


def test_faults_of_inputs_alone_hold_nothing_against_the_gates(standing: Path) -> None:
    report = refused()
    report["problems"] = [problem("facilities.csv", "not_found")]
    assert "Gates" not in page(standing, report)


@pytest.mark.parametrize("make", [published, unchanged, refused])
def test_names_from_data_are_text_whatever_they_hold(standing: Path, make: Any) -> None:
    report = json.loads(json.dumps(make()))
    if make is refused:
        report["problems"] = [problem(NASTY, NASTY, row=1, id=NASTY, column=NASTY, value=NASTY, message=NASTY)]
    elif make is published:
        report |= {"rejected": {NASTY: 1}, "told": {NASTY: 2}, "warnings": [NASTY], "seconds": {NASTY: 1.0}}
        report["why"] = [{"what": "changed", "of": NASTY}, {"what": NASTY, "of": ""}]
    told = report["record"] if make is published else json.loads((standing / "releases" / f"{12:020}.json").read_text())
    told |= {"study": NASTY, "as_of": NASTY, "walkshed": NASTY, "code": NASTY, "overridden": {"coverage_move": NASTY}}
    told["inputs"][0] |= {"path": NASTY, "sha256": NASTY}
    told["tables"] = {NASTY: told["tables"]["coverage"]}
    told["total"] = [total(NASTY, 5, 1) | {"profile": NASTY}]
    (standing / "releases" / f"{12:020}.json").write_text(json.dumps(told))
    text = page(standing, report)
    outline = Outline(text)
    allowed = {"html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "section", "p", "span", "div"}
    allowed |= {"ul", "li", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "svg", "rect", "br"}
    assert set(outline.elements) <= allowed
    assert {name for _, name, _ in outline.attributes} <= {
        *("lang", "charset", "http-equiv", "content", "name", "class", "scope"),
        *("viewbox", "preserveaspectratio", "aria-hidden", "x", "width", "height"),
    }
    assert outline.text.count(NASTY) >= 5 and "<script" not in text and "<img" not in text
    assert figures(standing)[f"coverage_share class={NASTY} profile={NASTY} minutes=5"] == 0.001
    assert f"table_rows table={NASTY}" in figures(standing) and f"input_age_seconds path={NASTY}" in figures(standing)
    prom = (standing / "reports" / "metrics.prom").read_text("utf-8").split("\n")
    assert {sample(line)[1]["study"] for line in prom if line and not line.startswith("#")} == {NASTY}


def test_letters_that_are_none_do_not_stop_the_report(standing: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = page(standing, refused(problem("a\udce9\x00\x1b[31m.csv", "not_found", value="\x0b")))
    assert "\x00" not in text and "\x1b" not in text and ".csv" in text
    json.loads((standing / "reports" / "last.json").read_text("utf-8"))
    assert figures(standing)["refresh_success"] == 0 and caplog.records == []


@pytest.mark.parametrize("make", [published, unchanged, refused])
def test_the_page_asks_nobody_for_anything_and_can_be_read_by_everybody(standing: Path, make: Any) -> None:
    text = page(standing, make())
    assert "http" not in text.replace("http-equiv", "")
    for reference in ("src=", "href=", "url(", "@import", "<script", "<link", "<iframe", "style="):
        assert reference not in text, reference
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert style and policy
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy[1] == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert "prefers-color-scheme:dark" in style[1] and "@media print" in style[1]
    outline = Outline(text)
    assert ("html", "lang", "zh") in outline.attributes and ("span", "lang", "en") in outline.attributes
    scopes = [value for tag, name, value in outline.attributes if (tag, name) == ("th", "scope")]
    assert len(scopes) == outline.elements.count("th") and set(scopes) == {"row", "col"}
    assert outline.elements.count("svg") == sum(name == "aria-hidden" for _, name, _ in outline.attributes)


def test_every_figure_of_a_release_is_told(folder: Path) -> None:
    refresh_report.write(folder, published(), BEGAN)
    assert figures(folder) == {
        "refresh_last_run_timestamp_seconds": BEGAN.timestamp(),
        "refresh_last_success_timestamp_seconds": BEGAN.timestamp(),
        "refresh_success": 1,
        "refresh_status status=published": 1,
        "refresh_status status=unchanged": 0,
        "refresh_status status=refused": 0,
        "refresh_step_seconds step=inputs": 0.004,
        "refresh_step_seconds step=prepare": 3,
        "refresh_step_seconds step=times": 6,
        "refresh_step_seconds step=tables": 1.5,
        "refresh_step_seconds step=publish": 0.25,
        "refresh_peak_memory_bytes": 92_819_456,
        "release": 12,
        "table_rows table=coverage": 86400,
        "table_rows table=rejected": 19,
        "table_bytes table=coverage": 1_200_000,
        "table_bytes table=rejected": 900,
        **{f"gate_shut gate={gate}": 0 for gate in ("rows_shrink", "unjoined_rise", "people_conserved")},
        **{f"gate_shut gate={gate}": 0 for gate in ("people_move", "coverage_move", "older_input")},
        "coverage_share class=kindergarten profile=adult minutes=5": 0.4,
        "coverage_share class=kindergarten profile=adult minutes=15": 0.8,
        "input_age_seconds path=data/facilities.csv": 3 * 3600,
    }


def test_a_refused_night_keeps_the_last_success_and_what_stands(standing: Path) -> None:
    refresh_report.write(standing, unchanged(), BEGAN)
    for night in (1, 2):
        began = BEGAN + dt.timedelta(days=night)
        refresh_report.write(standing, refused(), began)
        found = figures(standing)
        assert found["refresh_last_run_timestamp_seconds"] == began.timestamp()
        assert found["refresh_last_success_timestamp_seconds"] == BEGAN.timestamp()
        assert (found["refresh_success"], found["refresh_status status=refused"]) == (0, 1)
        assert (found["gate_shut gate=coverage_move"], found["gate_shut gate=rows_shrink"]) == (1, 0)
        assert found["coverage_share class=kindergarten profile=adult minutes=15"] == 0.8
        assert found["input_age_seconds path=data/facilities.csv"] == (24 * night + 3) * 3600
        assert not any("step" in key or "memory" in key for key in found)


def test_without_former_figures_the_last_success_is_the_last_release(standing: Path) -> None:
    refresh_report.write(standing, refused(), BEGAN)
    assert figures(standing)["refresh_last_success_timestamp_seconds"] == 1_795_748_405
    (standing / "reports" / "metrics.prom").write_text("walkshed_refresh_last_success_timestamp_seconds{} soon\n")
    refresh_report.write(standing, refused(), BEGAN)
    assert figures(standing)["refresh_last_success_timestamp_seconds"] == 1_795_748_405


def test_a_first_night_that_is_refused_knows_of_no_release(folder: Path) -> None:
    text = page(folder, refused())
    assert "尚未发布任何版本。" in text and "Nothing was published yet." in text
    found = figures(folder)
    assert "release" not in found and "refresh_last_success_timestamp_seconds" not in found
    assert found["refresh_success"] == 0


def test_a_series_that_would_be_there_twice_is_there_once(folder: Path) -> None:
    report = published()
    report["record"]["inputs"] *= 2
    report["record"]["total"] *= 2
    refresh_report.write(folder, report, BEGAN)
    assert figures(folder)["coverage_share class=kindergarten profile=adult minutes=5"] == 0.4


def test_nothing_is_written_where_the_tables_could_not_begin(tmp_path: Path) -> None:
    refresh_report.write(tmp_path / "absent", refused(), BEGAN)
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.docx").touch()
    refresh_report.write(tmp_path / "foreign", refused(), BEGAN)
    (tmp_path / "empty").mkdir()
    refresh_report.write(tmp_path / "empty", refused(), BEGAN)
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert found == ["empty", "foreign", "foreign/thesis.docx"], "a folder of strange files would be refused for ever"


def test_a_reader_never_sees_a_part_of_a_file(standing: Path) -> None:
    small, large = refused(), published()
    large["record"]["total"] = [total(f"class_{number}", 5, number) for number in range(2000)]
    refresh_report.write(standing, small, BEGAN)
    seen: set[str] = set()
    wrong: list[str] = []
    is_done = threading.Event()

    def read() -> None:
        while not is_done.is_set():
            told = json.loads((standing / "reports" / "last.json").read_text("utf-8"))["status"]
            text = (standing / "reports" / "last.html").read_text("utf-8")
            prom = (standing / "reports" / "metrics.prom").read_text("utf-8")
            seen.add(told)
            if not (text.startswith("<!doctype html>") and text.endswith("</html>\n")):
                wrong.append(text[-100:])
            if "walkshed_input_age_seconds" not in prom or not prom.endswith("\n"):
                wrong.append(prom[-100:])

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(30):
        refresh_report.write(standing, (small, large)[number % 2], BEGAN)
    is_done.set()
    reader.join()
    assert wrong == [] and seen == {"refused", "published"}


def test_contents_are_on_the_disk_before_the_name_and_the_name_before_the_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def told_fsync(handle: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{handle}")) if Path("/proc/self/fd").is_dir() else Path()
        steps.append("folder" if path.is_dir() else "file")
        fsync(handle)

    def told_replace(source: Path, target: Path) -> None:
        steps.append("name")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", told_fsync)
    monkeypatch.setattr(os, "replace", told_replace)
    refresh_report.write(folder, published(), BEGAN)
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("this system does not tell which file a handle is of")
    assert steps == ["folder"] + ["file", "name", "folder"] * 5


def test_everybody_may_read_the_figures(folder: Path) -> None:
    former = os.umask(0o022)
    try:
        refresh_report.write(folder, published(), BEGAN)
    finally:
        os.umask(former)
    assert (folder / "reports" / "metrics.prom").stat().st_mode & 0o777 == 0o644


def test_a_disk_that_is_full_is_told_and_the_earlier_report_stays(
    standing: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = page(standing, unchanged())

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with caplog.at_level(logging.WARNING, "walkshed.refresh"):
        refresh_report.write(standing, refused(), BEGAN)
    told = [entry.getMessage() for entry in caplog.records]
    assert len(told) == 3 and all("No space left" in line and "报告未能写入" in line for line in told)
    names = sorted(file.name for file in (standing / "reports").iterdir())
    assert names == ["last.html", "last.json", "metrics.prom"], "nothing is left aside"
    assert (standing / "reports" / "last.html").read_text("utf-8") == before


def test_a_folder_that_cannot_be_made_is_told(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "reports").write_text("in the way")
    refresh_report.write(folder, published(), BEGAN)
    assert caplog.records and "is not written" in caplog.text


def test_a_failure_of_our_own_keeps_neither_the_outcome_nor_the_other_files(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    report = published()
    report["people"] = {"stated": "many"}
    refresh_report.write(folder, report, BEGAN)
    assert sorted(file.name for file in (folder / "reports").iterdir()) == ["000012.json", "last.json", "metrics.prom"]
    assert figures(folder)["release"] == 12 and "last.html is not written" in caplog.text


def test_a_record_that_is_damaged_is_done_without(standing: Path, caplog: pytest.LogCaptureFixture) -> None:
    (standing / "releases" / f"{12:020}.json").write_text("{")
    assert "Nothing was published yet" not in page(standing, published())
    page(standing, refused())
    assert "is not readable" in caplog.text and figures(standing)["refresh_success"] == 0


def test_who_was_killed_leaves_nothing_for_long(folder: Path) -> None:
    reports = folder / "reports"
    reports.mkdir()
    for name, age_s in ((".last.html.77-1.aside", 7200), (".last.html.78-1.aside", 60)):
        (reports / name).touch()
        os.utime(reports / name, (BEGAN.timestamp() - age_s,) * 2)
    refresh_report.write(folder, published(), BEGAN)
    aside = [file.name for file in reports.iterdir() if file.name.startswith(".")]
    assert aside == [".last.html.78-1.aside"], "what another process may be writing stays"


def test_the_report_is_not_changed_by_being_told(folder: Path) -> None:
    report = published()
    former = copy.deepcopy(report)
    refresh_report.write(folder, report, BEGAN)
    assert report == former


def test_what_the_engine_reports_is_told(tmp_path: Path) -> None:
    city = ws.synth(tmp_path / "city", nodes=1000, seed=3, progress=False)
    tables = tmp_path / "tables"
    for status in ("published", "unchanged", "refused"):
        if status == "refused":
            facilities = pl.read_parquet(tmp_path / "city" / "facilities.parquet")
            facilities.head(facilities.height // 2).write_parquet(tmp_path / "city" / "facilities.parquet")
            with pytest.raises(ws.InputError):
                ws.refresh(city.study, tables, progress=False)
        else:
            report = ws.refresh(city.study, tables, progress=False).report
            assert json.loads((tables / "reports" / "last.json").read_text("utf-8")) == report
        text = Outline((tables / "reports" / "last.html").read_text("utf-8")).text
        found = figures(tables)
        assert found[f"refresh_status status={status}"] == 1 and found["release"] == 0
        assert found["table_rows table=coverage"] > 1000 and found["gate_shut gate=rows_shrink"] == (
            status == "refused"
        )
        assert any(key.startswith("input_age") for key in found) and "facilities.parquet" in text
    assert (tables / "reports" / "000000.html").is_file() and "rows_shrink" in text


@pytest.mark.parametrize(
    "wrong",
    [
        'walkshed_release{study="a"} 1\n',  # of no family
        '# HELP walkshed_release The release.\n# TYPE walkshed_release gauge\nwalkshed_release{study="a"} 1',
        '# HELP walkshed_release The release.\n# TYPE walkshed_release gauge\nwalkshed_release{study="a"b"} 1\n',
        '# HELP walkshed_release The release.\n# TYPE walkshed_release gauge\nwalkshed_release{study="a\\t"} 1\n',
        '# HELP walkshed_release The release.\n# TYPE walkshed_release gauge\nwalkshed_release{study="a"} 1 x\n',
        "# HELP walkshed_release The release.\n# TYPE walkshed_release gauge\n" + 'walkshed_release{study="a"} 1\n' * 2,
    ],
)
def test_the_parser_of_these_tests_is_strict(wrong: str) -> None:
    with pytest.raises((AssertionError, IndexError)):
        parsed(wrong)
