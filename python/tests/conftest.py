"""Fixtures of all tests: the real data, and the street network that several tests walk on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import geopandas
import polars as pl
import pytest
import shapely
from docs_site import Site, build

import walkshed as ws

DATA = Path(os.environ.get("WALKSHED_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")

Data = Callable[[str], Path]


@pytest.fixture(scope="session")
def data() -> Data:
    """Give a folder of real data by name; a test that needs one that is not there is skipped."""

    def folder(name: str) -> Path:
        if not (DATA / name).is_dir():
            pytest.skip(f"no real data at {DATA / name}; WALKSHED_DATA names another folder")
        return DATA / name

    return folder


@pytest.fixture(scope="session")
def porto_alegre(data: Data) -> ws.Network:
    folder = data("porto_alegre")
    return ws.Network.from_osm(folder / "streets.osm.pbf", elevation=folder / "elevation.tif")


@pytest.fixture(scope="session")
def hexgrid(data: Data) -> pl.DataFrame:
    return pl.read_csv(data("porto_alegre") / "hexgrid.csv")


@pytest.fixture(scope="session")
def doors(hexgrid: pl.DataFrame) -> pl.DataFrame:
    """One facility per cell and class where the cell holds any."""
    classes = ("schools", "healthcare")
    return pl.concat(
        hexgrid.filter(pl.col(name) > 0).select("id", pl.lit(name).alias("class"), "lon", "lat") for name in classes
    )


@pytest.fixture(scope="session")
def helsinki(data: Data, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of the Helsinki extract: facilities of the map, people of census squares, two areas."""
    folder = tmp_path_factory.mktemp("helsinki")
    squares = geopandas.read_file(data("helsinki") / "helsinki_population_grid_2020.gpkg")
    squares.rename(columns={"population": "people"}).to_parquet(folder / "population.parquet")
    west, south, middle, east, north = 24.90, 60.15, 24.944, 24.97, 60.19
    halves = [shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)]
    areas = geopandas.GeoDataFrame({"area_id": ["west", "east"]}, geometry=halves, crs=4326)
    areas.to_file(folder / "areas.geojson", driver="GeoJSON")
    # Synthetic: a kiosk in town, one out at sea, the first once more, and one the wrong way round.
    kiosks = [("k1", 24.943, 60.17), ("k2", 24.99, 60.10), ("k1", 24.944, 60.171), ("k3", 60.17, 24.943)]
    table = pl.DataFrame(kiosks, schema=["id", "lon", "lat"], orient="row")
    table.with_columns(pl.lit("kiosk").alias("class")).write_csv(folder / "facilities.csv")
    study = folder / "STUDY.toml"
    study.write_text(
        f"""
        [study]
        name = "helsinki"
        [streets]
        osm = "{data("helsinki") / "centre.osm.pbf"}"
        [facilities]
        osm = true
        path = "facilities.csv"
        [population]
        path = "population.parquet"
        [areas]
        path = "areas.geojson"
        [coverage]
        profiles = ["adult", "wheelchair"]
        """
    )
    return study


@pytest.fixture(scope="session")
def helsinki_run(helsinki: Path, tmp_path_factory: pytest.TempPathFactory) -> ws.RunResult:
    return ws.run(helsinki, tmp_path_factory.mktemp("run") / "out", progress=False)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site of documentation, built once; that runs every notebook."""
    return build(tmp_path_factory.mktemp("site"))
