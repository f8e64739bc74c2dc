"""Whether a run is one of a study: the same settings, stated or not, over the same files."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import geopandas
import pytest

import walkshed as ws
from walkshed import same_city
from walkshed.same_city import refuse_other_study

PROFILE = '[[profile]]\nname = "adult"\nflat_mps = 1.2\n'


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> ws.SyntheticCity:
    return ws.synth(tmp_path_factory.mktemp("same") / "city", nodes=1000, progress=False)


@pytest.fixture(scope="module")
def run(city: ws.SyntheticCity) -> ws.RunResult:
    return ws.run(city.study, city.folder.parent / "run", progress=False)


def _moved(city: ws.SyntheticCity, folder: Path, before: str = "", after: str = "") -> Path:
    """A copy of the city elsewhere, with one change to its study."""
    shutil.copytree(city.folder, folder)
    study = folder / "STUDY.toml"
    text = study.read_text("utf-8")
    assert before in text
    study.write_text(text.replace(before, after, 1), "utf-8")
    return study


def test_a_study_that_says_little_is_known_with_its_defaults(city: ws.SyntheticCity, tmp_path: Path) -> None:
    """Settings that are not stated are those that the run was computed with."""
    study = tmp_path / "STUDY.toml"
    study.write_text(
        f"""
        [study]
        name = "little"
        [streets]
        osm = "{(city.folder / "streets.osm.pbf").as_posix()}"
        [facilities]
        path = "{(city.folder / "facilities.parquet").as_posix()}"
        [population]
        path = "{(city.folder / "population_cells.parquet").as_posix()}"
        [coverage]
        [[profile]]
        name = "slow"
        flat_mps = 0.5
        """,
        "utf-8",
    )
    run = ws.run(study, tmp_path / "run", progress=False)
    told = same_city._settings(run.report["study"])
    assert told["[streets] max_snap_m"] == 200 and told["[coverage] minutes"] == [5, 10, 15]
    assert told["[profile] slow.flat_mps"] == 0.5 and told["[profile] slow.slope"] == "tobler"
    refuse_other_study(study, run)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ('name = "', 'name = "another '),
        ("minutes = [5, 10, 15]", ""),
        ("resolution = 10\n", 'analysis_crs = "wgs84"\n'),
        ("[streets]", "[streets]\nmax_snap_m = 200"),
    ],
)
def test_a_study_that_says_the_same_is_the_same(
    city: ws.SyntheticCity, run: ws.RunResult, before: str, after: str, tmp_path: Path
) -> None:
    refuse_other_study(_moved(city, tmp_path / "moved", before, after), run)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("minutes = [5, 10, 15]", "minutes = [5, 10]", r"\[coverage\] minutes"),
        ("resolution = 10", "resolution = 9", r"\[study\] resolution"),
        ("[streets]", "[streets]\nmax_snap_m = 50", r"\[streets\] max_snap_m"),
        ('elevation = "terrain.tif"', "", "has read terrain.tif"),
        ('path = "communities.parquet"', "h3 = 8", r"\[areas\] h3"),
        ("[coverage]", f"{PROFILE}[coverage]", r"\[profile\] adult"),
        ('profiles = ["adult", "senior"]', "", r"\[coverage\] profiles"),
        ('path = "facilities.parquet"', 'path = "projects.parquet"', "names projects.parquet"),
    ],
)
def test_a_study_that_says_something_else_is_told_what(
    city: ws.SyntheticCity, run: ws.RunResult, before: str, after: str, told: str, tmp_path: Path
) -> None:
    study = _moved(city, tmp_path / "moved", before, after)
    with pytest.raises(ValueError, match=told) as refused:
        refuse_other_study(study, run)
    assert str(study) in str(refused.value) and str(run.folder) in str(refused.value)


@pytest.mark.parametrize("name", ["streets.osm.pbf", "facilities.parquet", "terrain.tif"])
def test_a_file_that_has_changed_is_told(city: ws.SyntheticCity, run: ws.RunResult, name: str, tmp_path: Path) -> None:
    study = _moved(city, tmp_path / "moved")
    contents = bytearray((study.parent / name).read_bytes())
    contents[-1] ^= 1
    (study.parent / name).write_bytes(contents)
    with pytest.raises(ValueError, match=name):
        refuse_other_study(study, run)


def test_what_is_no_study_is_refused(run: ws.RunResult, tmp_path: Path) -> None:
    with pytest.raises(ws.InputError, match=r"none\.toml"):
        refuse_other_study(tmp_path / "none.toml", run)
    (tmp_path / "bad.toml").write_text("[study")
    with pytest.raises(ws.InputError, match=r"bad\.toml"):
        refuse_other_study(tmp_path / "bad.toml", run)


def test_hashes_are_those_that_runs_tell(city: ws.SyntheticCity, run: ws.RunResult) -> None:
    for told in run.report["inputs"]:
        assert same_city.input_of(Path(told["path"])) == told
    other = dataclasses.replace(run, report=run.report | {"inputs": run.report["inputs"][:-1]})
    with pytest.raises(ValueError, match=r"names communities\.parquet"):
        refuse_other_study(city.study, other)


def test_a_study_with_a_profile_of_its_own_is_known_again(city: ws.SyntheticCity, tmp_path: Path) -> None:
    study = _moved(city, tmp_path / "own", "[coverage]", f"{PROFILE}stairs_up_mps = 0.3\n[coverage]")
    run = ws.run(study, tmp_path / "run", progress=False)
    refuse_other_study(study, run)
    study.write_text(study.read_text("utf-8").replace("stairs_up_mps = 0.3", "stairs_up_mps = 0.4"), "utf-8")
    with pytest.raises(ValueError, match=r"\[profile\] adult\.stairs_up_mps is 0\.4 in the study and was 0\.3"):
        refuse_other_study(study, run)


def test_parts_of_a_shapefile_are_looked_at(city: ws.SyntheticCity, tmp_path: Path) -> None:
    """The study names the .shp alone; the run has read what lies beside it, too."""
    study = _moved(city, tmp_path / "shapes", '"communities.parquet"', '"areas.shp"')
    geopandas.read_parquet(study.parent / "communities.parquet")[["area_id", "geometry"]].to_crs(4326).to_file(
        study.parent / "areas.shp"
    )
    run = ws.run(study, tmp_path / "run", progress=False)
    names = {Path(one["path"]).name for one in run.report["inputs"]}
    assert {"areas.shp", "areas.dbf"} <= names
    refuse_other_study(study, run)
    (study.parent / "areas.dbf").unlink()
    with pytest.raises(ValueError, match=r"areas\.dbf is not what it was"):
        refuse_other_study(study, run)
