"""The command `walkshed report`: every output from one study, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

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
