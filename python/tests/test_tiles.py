"""Studies and nights tile by tile are those in one piece, to the byte."""

from __future__ import annotations

import filecmp
from pathlib import Path

import polars as pl
import pytest
import shapely
from test_overture import written

import walkshed as ws

TABLES = ("cells", "times", "coverage", "areas", "facilities", "rejected")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiles") / "city"
    return ws.synth(folder, nodes=3000, seed=2, progress=False).study


@pytest.fixture(scope="module")
def whole(study: Path, tmp_path_factory: pytest.TempPathFactory) -> ws.RunResult:
    return ws.run(study, tmp_path_factory.mktemp("whole") / "run", progress=False)


def assert_same(one: ws.RunResult, other: ws.RunResult) -> None:
    for name in TABLES:
        files = [run.folder / f"{name}.parquet" for run in (one, other)]
        assert filecmp.cmp(*files, shallow=False), name
    reports = [{**run.report, "seconds": None, "peak_memory_bytes": None} for run in (one, other)]
    assert reports[0] == reports[1]


def test_two_processes_make_the_same_bytes(study: Path, whole: ws.RunResult, tmp_path: Path) -> None:
    tiled = ws.run(study, tmp_path / "run", executor=("processes", 2), tile_resolution=7, progress=False)
    assert_same(whole, tiled)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]  # the working folder is gone


def test_a_run_that_is_stopped_goes_on(study: Path, whole: ws.RunResult, tmp_path: Path) -> None:
    done: list[int] = []

    def stop(stage: str, number: int, _total: int) -> None:
        if stage == "walk" and number >= 1:
            done.append(number)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ws.run(study, tmp_path / "run", executor="threads", tile_resolution=7, progress=stop)
    assert done and not (tmp_path / "run").exists()
    kept = tmp_path / "run.work"
    receipts = {path: path.stat().st_mtime_ns for path in kept.glob("receipts/*/*.json")}
    assert receipts
    tiled = ws.run(study, tmp_path / "run", executor="threads", tile_resolution=7, work=kept, progress=False)
    assert_same(whole, tiled)
    assert {path: path.stat().st_mtime_ns for path in receipts} == receipts  # nothing was done twice


def test_a_night_in_tiles_publishes_the_same_files(study: Path, tmp_path: Path) -> None:
    nights = [
        ws.refresh(study, tmp_path / "whole", progress=False),
        ws.refresh(study, tmp_path / "tiles", executor="threads", tile_resolution=7, progress=False),
    ]
    for name in ("cells", "times", "coverage", "areas", "facilities"):
        files = [sorted(Path(file).name for file in night.tables.files(name)) for night in nights]
        assert files[0] and files[0] == files[1], name  # files are named by their contents
    again = ws.refresh(study, tmp_path / "tiles", executor="threads", tile_resolution=7, progress=False)
    assert again.status == "unchanged"


def a_street(start: tuple[int, int], end: tuple[int, int]) -> dict[str, object]:
    """A segment of Overture between two corners of a grid."""
    places = [(106.5 + x * 0.0012, 29.5 + y * 0.0011) for x, y in (start, end)]
    connectors = [{"connector_id": f"{x}-{y}", "at": float(at)} for at, (x, y) in enumerate((start, end))]
    return {
        "subtype": "road",
        "class": "residential",
        "connectors": connectors,
        "geometry": shapely.LineString(places),
    }


def test_streets_of_overture_in_tiles(tmp_path: Path) -> None:
    size = 24
    corners = [(x, y) for x in range(size) for y in range(size)]
    streets = [a_street((x, y), (x + 1, y)) for x, y in corners if x + 1 < size and (x * 7 + y * 3) % 5]
    streets += [a_street((x, y), (x, y + 1)) for x, y in corners if y + 1 < size and (x + y) % 4]
    written(tmp_path / "segment.parquet", *streets)
    places = pl.DataFrame(
        {
            "id": [f"{x}-{y}" for x, y in corners],
            "lon": [106.5003 + x * 0.0012 for x, _ in corners],
            "lat": [29.5002 + y * 0.0011 for _, y in corners],
            "people": [1.0 + (x * y) % 7 for x, y in corners],
            "class": [("supermarket", "pharmacy", "park")[(x + y) % 3] for x, y in corners],
        }
    )
    places.select("lon", "lat", "people").write_csv(tmp_path / "homes.csv")
    places.filter((pl.int_range(pl.len()) * 37) % 41 == 0).drop("people").write_csv(tmp_path / "shops.csv")
    (tmp_path / "STUDY.toml").write_text(
        """
        study = { name = "grid", resolution = 10 }
        streets = { overture = "segment.parquet" }
        facilities = { path = "shops.csv" }
        population = { path = "homes.csv" }
        areas = { h3 = 8 }
        coverage = { minutes = [5, 10], profiles = ["adult", "wheelchair"] }
        """
    )
    whole = ws.run(tmp_path / "STUDY.toml", tmp_path / "whole", progress=False)
    tiled = ws.run(tmp_path / "STUDY.toml", tmp_path / "tiled", executor="threads", tile_resolution=8, progress=False)
    assert_same(whole, tiled)
