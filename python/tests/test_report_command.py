"""The command `walkshed report`: every output from one study, and what it refuses."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import openpyxl
import pytest

import walkshed as ws
from walkshed import cli

PLAN = """
[[edit]]
do = "open_facility"
id = "new"
class = "community_canteen"
place = [{lon}, {lat}]
"""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> ws.SyntheticCity:
    return ws.synth(tmp_path_factory.mktemp("report") / "city", nodes=2000, progress=False)


@pytest.fixture(scope="module")
def result(city: ws.SyntheticCity) -> ws.RunResult:
    return ws.run(city.study, city.folder.parent / "run", progress=False)


def test_one_command_writes_everything(
    city: ws.SyntheticCity, result: ws.RunResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = result.table("cells").row(0, named=True)
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN.format(**home))
    wanted = {name: tmp_path / f"city.{name}" for name in ("html", "xlsx", "docx", "pdf", "sheets")}
    asked = [word for name, path in wanted.items() for word in (f"--{name}", str(path))]
    scored = ["--standard", "mohurd_2020", "--level", "community", "--scenario", str(plan)]
    assert cli.main(["report", str(city.study), *scored, *asked, "--language", "en", "--quiet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {name: str(path) for name, path in wanted.items()}
    starts = {"html": b"<!doctype html>", "xlsx": b"pk", "docx": b"pk", "pdf": b"%pdf"}
    for name, start in starts.items():
        assert wanted[name].read_bytes().lower().startswith(start), name
    communities = result.table("areas").filter(level="community").height
    assert len(list(wanted["sheets"].glob("*.pdf"))) == communities > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [*(path.name for path in wanted.values()), plan.name]
    )


def test_an_earlier_run_gives_the_same_page(city: ws.SyntheticCity, result: ws.RunResult, tmp_path: Path) -> None:
    pages = tmp_path / "of_run.html", tmp_path / "of_study.html"
    assert cli.main(["report", str(city.study), "--run", str(result.folder), "--html", str(pages[0])]) == 0
    assert cli.main(["report", str(city.study), "--html", str(pages[1]), "--quiet"]) == 0
    assert pages[0].read_bytes() == pages[1].read_bytes()


@pytest.mark.parametrize("asked", [[], ["--pdf", "x.pdf", "--survey", "a.csv"], ["--pdf", "x.pdf", "--language", "fr"]])
def test_wrong_usage_is_told(city: ws.SyntheticCity, asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as usage:
        cli.main(["report", str(city.study), *asked])
    assert usage.value.code == 2 and "usage: walkshed report" in capsys.readouterr().err


def test_what_is_missing_is_refused_and_nothing_is_written(
    city: ws.SyntheticCity, result: ws.RunResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study, page = str(city.study), str(tmp_path / "page.html")
    assert cli.main(["report", study, "--run", str(tmp_path), "--html", page]) == 1
    assert "run.json" in capsys.readouterr().err
    assert cli.main(["report", study, "--run", str(result.folder), "--standard", "no_such", "--html", page]) == 1
    assert "no_such" in capsys.readouterr().err
    assert cli.main(["report", str(tmp_path / "none.toml"), "--html", page]) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_run_of_another_study_is_refused(
    city: ws.SyntheticCity, result: ws.RunResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--run", str(result.folder), "--pdf", str(tmp_path / "y.pdf")]
    assert cli.main(["report", str(tmp_path / "nosuch.toml"), *asked]) == 1
    assert "nosuch.toml" in capsys.readouterr().err
    other = city.study.with_name("OTHER.toml")
    other.write_text(city.study.read_text("utf-8").replace("[5, 10, 15]", "[5, 10]"), "utf-8")
    assert cli.main(["report", str(other), *asked]) == 1
    told = capsys.readouterr().err
    assert str(other) in told and str(result.folder) in told and "minutes" in told and "internal" not in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["--pdf", "nowhere/x.pdf"], "nowhere is not there"),
        (["--html", "nowhere/x.html", "--pdf", "ok.pdf"], "nowhere is not there"),
        (["--html", "x.pdf", "--pdf", "x.pdf"], "two documents at one path"),
        (["--html", "x.pdf", "--pdf", "X.pdf"], "two documents at one path"),
        (["--html", "x", "--sheets", "./x"], "two documents at one path"),
        (["--html", "."], "is a folder"),
        (["--pdf", "x.pdf", "--standard", "no_such"], "no_such"),
        (["--pdf", "x.pdf", "--scenario", "no_plan.toml"], "no_plan.toml"),
        (["--pdf", "x.pdf", "--standard", "mohurd_2020", "--survey", "no_survey.csv"], "no_survey.csv"),
    ],
)
def test_faults_are_found_before_the_study_is_run(
    city: ws.SyntheticCity,
    asked: list[str],
    told: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(*_: object, **__: object) -> None:
        raise AssertionError("the study was run")

    monkeypatch.setattr("walkshed.study.run", run)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["report", str(city.study), *asked]) == 1
    said = capsys.readouterr().err
    assert told in said and "internal failure" not in said and "Errno" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_library_that_is_missing_is_named_before_the_study_is_run(
    city: ws.SyntheticCity, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("walkshed.study.run", lambda *_, **__: pytest.fail("the study was run"))
    monkeypatch.setitem(sys.modules, "typst", None)
    assert cli.main(["report", str(city.study), "--sheets", str(tmp_path / "s")]) == 1
    assert "pip install walkshed[report]" in capsys.readouterr().err


def test_rows_of_a_survey_that_are_left_out_are_told(
    city: ws.SyntheticCity, result: ws.RunResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = result.table("cells").row(0, named=True)
    plan, survey, book = tmp_path / "plan.toml", tmp_path / "survey.csv", tmp_path / "a.xlsx"
    plan.write_text(PLAN.format(**home))
    survey.write_text("community_id,key,value\nnobody,k1,yes\nnowhere,k1,maybe\n")
    scored = ["--standard", "mohurd_2020", "--level", "community", "--survey", str(survey), "--scenario", str(plan)]
    given = [str(city.study), "--run", str(result.folder), *scored, "--language", "en", "--quiet"]
    assert cli.main(["report", *given, "--xlsx", str(book)]) == 0
    assert "2 row(s)" in capsys.readouterr().err
    told = [row for sheet in openpyxl.load_workbook(book, read_only=True) for row in sheet.iter_rows(values_only=True)]
    assert any("Rows left out for the scorecard" in str(row[0]) for row in told)
    read = {row[0]: row[1:3] for row in told if len(row) == 3 and row[0]}
    for path in (city.study, plan, survey):
        contents = path.read_bytes()
        assert read[path.name] == (len(contents), hashlib.sha256(contents).hexdigest())
    assert read["mohurd_2020"][0] is None and len(str(read["mohurd_2020"][1])) == 64
    assert {Path(one["path"]).name for one in result.report["inputs"]} < read.keys()


def test_what_a_command_does_not_keep_is_told_to_be_kept(
    city: ws.SyntheticCity, result: ws.RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("walkshed.report.raw_tables.MOST_ROWS", 1000)
    book = tmp_path / "a.xlsx"
    asked = ["report", str(city.study), "--xlsx", str(book), "--language", "en", "--quiet"]
    for run, place in (
        ([], "run with `walkshed run --out` to keep times.parquet"),
        (["--run", str(result.folder)], f"see times.parquet in the folder {result.folder.name}"),
    ):
        assert cli.main([*asked, *run]) == 0
        contents = openpyxl.load_workbook(book, read_only=True).worksheets[0]
        told = [str(cell) for row in contents.iter_rows(values_only=True) for cell in row if cell]
        assert any(place in each for each in told), told
        assert not any("/tmp" in each or str(tmp_path) in each for each in told)
