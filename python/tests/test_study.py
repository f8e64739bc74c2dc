"""Whole studies, from Python and from the command line."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import polars as pl
import pytest
from conftest import Data

import walkshed as ws

TABLES = ["areas", "cells", "coverage", "facilities", "rejected", "times"]

LEFT_OUT = [(2, "k2", "not_snapped"), (3, "k1", "duplicate_id"), (4, "k3", "swapped_lon_lat")]


def left_out(rejected: pl.DataFrame) -> list[tuple[object, ...]]:
    """Row, id and reason of what was left out of the facilities' own file."""
    rows = rejected.filter(pl.col("file") == "facilities.csv").select("row", "id", "reason").sort("row")
    return rows.rows()


def walkshed(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command that the package installs."""
    command = [Path(sys.executable).with_name("walkshed"), *arguments]
    everything = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **environment}
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        env=everything,
        timeout=60,
        check=False,
    )


def broken(study: Path, old: str, new: str) -> Path:
    """The same study with one thing wrong; beside it, so that its paths hold."""
    text = study.read_text()
    assert text.count(old) == 1
    path = study.with_name(f"broken_{hashlib.sha256(new.encode()).hexdigest()[:8]}.toml")
    path.write_text(text.replace(old, new))
    return path


def test_a_study_is_validated_without_computing(helsinki: Path) -> None:
    before = sorted(helsinki.parent.iterdir())
    found = ws.validate(helsinki, progress=False)
    assert sorted(helsinki.parent.iterdir()) == before
    assert found.report["people"] == 71_724 and found.report["areas"] == 2
    assert found.report["facilities"]["kiosk"] == 2
    assert left_out(found.rejected) == LEFT_OUT


def test_a_run_writes_six_tables_and_a_report(helsinki_run: ws.RunResult) -> None:
    names = sorted(path.name for path in helsinki_run.folder.iterdir())
    assert names == sorted([*(f"{name}.parquet" for name in TABLES), "run.json"])
    report = json.loads((helsinki_run.folder / "run.json").read_text())
    assert report == helsinki_run.report
    for name in TABLES:
        assert report["rows"][f"{name}.parquet"] == helsinki_run.table(name).height
    for entry in report["inputs"]:
        whole = Path(entry["path"]).read_bytes()
        assert (entry["bytes"], entry["sha256"]) == (len(whole), hashlib.sha256(whole).hexdigest())
    assert len(report["inputs"]) == 4
    assert report["synthetic"] is False
    assert report["walkshed"] == ws.__version__ and report["peak_memory_bytes"] > 1e6
    assert set(report["islands"]) == set(report["study"]["coverage"]["profiles"])
    for islands in report["islands"].values():
        assert islands["pieces"] > 1 and islands["longest_km"] > 10
        assert 0 <= islands["people_on_left_out"] <= islands["people_elsewhere"] < report["people"]["stated"] / 2
    assert repr(helsinki_run).startswith("RunResult('helsinki', ")


def test_every_row_left_out_of_a_run_is_listed(helsinki_run: ws.RunResult) -> None:
    assert left_out(helsinki_run.table("rejected")) == LEFT_OUT
    kiosks = helsinki_run.table("facilities").filter(pl.col("class") == "kiosk")
    assert kiosks["snap_m"].null_count() == 1
    assert helsinki_run.report["rejected"] == dict(helsinki_run.table("rejected")["reason"].value_counts().iter_rows())


def test_nobody_in_the_squares_of_the_census_is_lost(helsinki_run: ws.RunResult) -> None:
    cells, coverage = helsinki_run.table("cells"), helsinki_run.table("coverage")
    assert cells["people"].sum() == pytest.approx(71_724, rel=1e-9)
    totals = coverage.group_by("class", "profile", "minutes").agg(pl.col("people").sum())
    # The two areas hold every square; cells across their border are measured on a grid of about 1e-9 degrees.
    assert totals["people"].to_numpy() == pytest.approx(71_724, rel=1e-5)
    assert helsinki_run.report["people"]["outside_areas"] == pytest.approx(0, abs=1)


def test_a_longer_walk_never_covers_fewer_people(helsinki_run: ws.RunResult) -> None:
    covered = helsinki_run.table("coverage").pivot(
        "minutes", index=["area_id", "class", "profile"], values="people_covered"
    )
    assert (covered["5.0"] <= covered["10.0"]).all() and (covered["10.0"] <= covered["15.0"]).all()
    assert (covered["5.0"] < covered["15.0"]).any()


def test_one_thread_and_two_write_the_same_bytes(helsinki: Path, tmp_path: Path) -> None:
    for threads in ("1", "2"):
        done = walkshed(
            "run",
            helsinki,
            "--out",
            tmp_path / threads,
            RAYON_NUM_THREADS=threads,
            POLARS_MAX_THREADS=threads,
        )
        assert done.returncode == 0, done.stderr
    for name in TABLES:
        one, two = ((tmp_path / threads / f"{name}.parquet").read_bytes() for threads in ("1", "2"))
        assert one == two, name


def test_a_run_replaces_an_earlier_one_but_nothing_else(helsinki: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ws.run(helsinki, out, progress=False)
    (out / "old.txt").write_text("of the earlier result")
    ws.run(helsinki, out, progress=False)
    assert not (out / "old.txt").exists() and list(tmp_path.iterdir()) == [out]
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "child.jpg").write_text("x")
    with pytest.raises(ws.InputError, match=r"photos.*holds no walkshed result"):
        ws.run(helsinki, photos, progress=False)
    assert [path.name for path in photos.iterdir()] == ["child.jpg"]


FAULTS = {
    "a profile nobody knows": ('"wheelchair"', '"robot"', ["coverage.profiles", "robot", "stroller"]),
    "a file that is not there": ('"areas.geojson"', '"area.geojson"', ["area.geojson", "does not exist"]),
    "a key nobody knows": ("osm = true", "osm = true\nosmium = true", ["osmium"]),
    "a column that is not there": (
        'path = "population.parquet"',
        'path = "population.parquet"\npeople = "residents"',
        ["population.parquet", "residents", "people"],
    ),
    "minutes that cannot be": ('profiles = ["adult", "wheelchair"]', "minutes = [0]", ["coverage.minutes"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_run_says_why_and_leaves_nothing(helsinki: Path, tmp_path: Path, fault: str) -> None:
    old, new, said = FAULTS[fault]
    study = broken(helsinki, old, new)
    with pytest.raises(ws.InputError) as error:
        ws.run(study, tmp_path / "out", progress=False)
    assert all(part in str(error.value) for part in said), str(error.value)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ws.InputError):
        ws.validate(study, progress=False)


def test_the_command_runs_a_study(helsinki: Path, tmp_path: Path) -> None:
    done = walkshed("run", helsinki, "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert "helsinki: 71,724 people 人口" in done.stdout and "supermarket" in done.stdout
    assert "3 row(s)" not in done.stdout and "duplicate_id" in done.stdout


def test_json_is_all_that_stands_on_stdout(helsinki: Path, tmp_path: Path) -> None:
    done = walkshed("run", helsinki, "--out", tmp_path / "out", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == json.loads((tmp_path / "out" / "run.json").read_text())
    done = walkshed("validate", helsinki, "--json")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert found["people"] == 71_724
    assert left_out(pl.DataFrame(found["rejected"])) == LEFT_OUT


def test_a_refused_study_exits_with_1_and_says_why_in_english_and_chinese(helsinki: Path, tmp_path: Path) -> None:
    study = broken(helsinki, '"wheelchair"', '"robot"')
    done = walkshed("run", study, "--out", tmp_path / "out")
    assert (done.returncode, done.stdout) == (1, "")
    assert "expected one of adult, senior" in done.stderr and "请更正该设置" in done.stderr
    done = walkshed("run", study, "--out", tmp_path / "out", "--json")
    (problem,) = json.loads(done.stdout)["problems"]
    assert (problem["file"], problem["column"], problem["value"]) == (
        study.name,
        "coverage.profiles",
        "robot",
    )
    assert problem["message"] in done.stderr and problem["message_zh"] in done.stderr
    assert list(tmp_path.iterdir()) == []
    assert walkshed("validate", study).returncode == 1
    assert walkshed("validate", tmp_path / "none.toml").returncode == 1


@pytest.mark.parametrize("arguments", [[], ["run", "STUDY.toml"], ["fly"], ["validate", "a", "b"], ["run", "--fast"]])
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    done = walkshed(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: walkshed")


def test_our_own_failure_exits_with_3(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from walkshed import cli, validation

    def fail(*_: object, **__: object) -> None:
        raise ws.InternalError("a bolt came loose")

    monkeypatch.setattr(validation, "validate", fail)
    assert cli.main(["validate", "STUDY.toml"]) == 3
    said = capsys.readouterr()
    assert said.out == "" and "please report it" in said.err and "a bolt came loose" in said.err


def test_a_stopped_run_exits_with_130_and_leaves_nothing(data: Data, tmp_path: Path) -> None:
    study = tmp_path / "in" / "STUDY.toml"
    study.parent.mkdir()
    # Fine cells of a large city: many seconds of work.
    source = data("porto_alegre")
    study.write_text(
        f"""
        [study]
        name = "long"
        resolution = 13
        [streets]
        osm = "{source}/streets.osm.pbf"
        [facilities]
        osm = true
        [population]
        path = "{source}/hexgrid.csv"
        people = "population"
        cell = "id"
        """
    )
    out = tmp_path / "out"
    out.mkdir()
    command = [sys.executable, "-m", "walkshed", "run", str(study), "--out", str(out / "result")]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while not list(out.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert running.poll() is None, "the study was too small to be stopped"
    running.send_signal(signal.SIGINT)
    stdout, stderr = running.communicate(timeout=20)
    assert (running.returncode, stdout) == (130, "")
    assert stderr == "walkshed: stopped; nothing was written\n"
    assert list(out.iterdir()) == []


def test_the_command_tells_its_version() -> None:
    done = walkshed("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"walkshed {version('walkshed')}\n", "")


def test_a_class_of_ones_own_catalogue_that_nobody_has_is_named(helsinki: Path, tmp_path: Path) -> None:
    entry = 'major = "m"\nname_zh = ""\nname_en = ""\nlevel = ""\nwalk_minutes = 5\n'
    classes = {"pharmacy": "{ amenity = 'pharmacy' }", "spaceport": "{ aeroway = 'spaceport' }"}
    own = "".join(f'[[class]]\nid = "{name}"\n{entry}osm = [{tags}]\n' for name, tags in classes.items())
    helsinki.with_name("own_classes.toml").write_text(own)
    study = broken(helsinki, "osm = true", 'osm = true\ncatalogue = "own_classes.toml"')
    report = ws.run(study, tmp_path / "out", progress=False).report
    assert report["classes_without_facilities"] == ["spaceport"]
    assert set(report["facilities"]) == {"kiosk", "pharmacy"}
