"""The same tables in polars, DuckDB, PyArrow and Spark, with nothing of walkshed's: the same rows, and time travel."""

from __future__ import annotations

import datetime as dt
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import deltalake
import duckdb
import geopandas
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from nights import PATIENT, City, open_one
from polars.testing import assert_frame_equal

import walkshed as ws

TABLES = ("coverage", "times", "cells", "areas", "facilities", "rejected")
DELTA = {"string", "long", "integer", "double", "boolean", "date"}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> ws.Tables:
    """Two releases, a second apart, so that a day and a time name them."""
    folder = tmp_path_factory.mktemp("readers")
    template = ws.synth(folder / "template", nodes=1000, seed=5, progress=False).folder
    city = City(folder / "city", template, PATIENT)
    city.refresh()
    open_one(city, random.Random(1))
    return city.refresh().tables


def ours(tables: ws.Tables, name: str, at: int | None = None) -> pl.DataFrame:
    return ordered(tables.read(name, at))


def ordered(table: pl.DataFrame) -> pl.DataFrame:
    return table.select(sorted(table.columns)).sort(pl.all(), nulls_last=True)


@pytest.mark.parametrize("name", TABLES)
def test_polars(tables: ws.Tables, name: str) -> None:
    assert_frame_equal(ordered(pl.read_delta(str(tables.folder / name))), ours(tables, name))
    assert_frame_equal(ordered(pl.scan_delta(str(tables.folder / name), version=0).collect()), ours(tables, name, 0))


@pytest.mark.parametrize("name", TABLES)
def test_pyarrow(tables: ws.Tables, name: str) -> None:
    table = deltalake.DeltaTable(str(tables.folder / name))
    assert_frame_equal(ordered(pl.DataFrame(table.to_pyarrow_table())), ours(tables, name))
    # The files alone, as any reader of Parquet has them: no unsigned numbers, texts as dictionaries.
    file = pq.ParquetFile(tables.files(name)[0])
    assert not any(pa.types.is_unsigned_integer(field.type) for field in file.schema_arrow)
    if name == "coverage":
        column = file.metadata.row_group(0).column(file.schema_arrow.get_field_index("area_id"))
        assert "RLE_DICTIONARY" in column.encodings and column.compression == "ZSTD"


@pytest.mark.parametrize("name", TABLES)
def test_duckdb(tables: ws.Tables, name: str) -> None:
    files = deltalake.DeltaTable(str(tables.folder / name)).file_uris()
    with duckdb.connect() as connection:
        found = connection.read_parquet(files, hive_partitioning=True).pl()
    expected = ours(tables, name)
    if "tile" in found.columns:
        found = found.with_columns(
            pl.col("tile").cast(pl.String).replace("__HIVE_DEFAULT_PARTITION__", None).cast(pl.Int64)
        )
    assert_frame_equal(ordered(found), expected, check_dtypes=False)


def test_a_time_names_a_version(tables: ws.Tables) -> None:
    first, last = tables.releases()["published_at"]
    table = deltalake.DeltaTable(str(tables.folder / "facilities"))
    table.load_as_version(first)
    assert table.version() == 0
    table.load_as_version(last + dt.timedelta(days=1))
    assert table.version() == 1
    history = table.history()
    assert [entry["version"] for entry in history] == [1, 0]
    assert all(entry["engineInfo"].startswith("walkshed/") for entry in history)


def test_the_log_says_what_the_protocol_wants(tables: ws.Tables) -> None:
    for name in tables.names:
        table = deltalake.DeltaTable(str(tables.folder / name))
        assert table.version() == tables.release()
        assert {field["type"] for field in json.loads(table.schema().to_json())["fields"]} <= DELTA
        added = pl.DataFrame(table.get_add_actions(flatten=True))
        assert added["num_records"].sum() == tables.history[-1]["tables"][name]["rows"]
        sizes = {path: (tables.folder / name / path).stat().st_size for path in added["path"]}
        assert added["size_bytes"].to_list() == list(sizes.values())
    coverage = deltalake.DeltaTable(str(tables.folder / "coverage"))
    assert coverage.metadata().partition_columns == ["tile"]
    cells = pl.DataFrame(deltalake.DeltaTable(str(tables.folder / "cells")).get_add_actions(flatten=True))
    told = (
        tables.read("cells").group_by("tile").agg(pl.col("cell").min().alias("min"), pl.col("cell").max().alias("max"))
    )
    assert sorted(cells["min.cell"]) == sorted(told["min"]) and sorted(cells["max.cell"]) == sorted(told["max"])


def test_a_reader_passes_over_files_of_other_tiles(tables: ws.Tables) -> None:
    tile = tables.read("cells")["tile"].min()
    table = deltalake.DeltaTable(str(tables.folder / "cells"))
    files = table.file_uris(partition_filters=[("tile", "=", str(tile))])
    assert len(files) == 1 and f"tile={tile}" in files[0]


def test_another_program_that_writes_is_told(tables: ws.Tables, tmp_path: Path) -> None:
    copy = tmp_path / "city"
    shutil.copytree(tables.folder.parent, copy)
    other = copy / "tables"
    cells = deltalake.DeltaTable(str(other / "cells")).to_pyarrow_table()
    deltalake.write_deltalake(str(other / "cells"), cells, mode="append")
    study = copy / "STUDY.toml"
    people = pl.read_parquet(copy / "population_cells.parquet").with_columns(pl.col("people") + 1.0)
    people.write_parquet(copy / "population_cells.parquet")
    with pytest.raises(ws.InputError, match="another program wrote to this table"):
        ws.refresh(study, other, progress=False)


def test_geoparquet_lies_beside(tables: ws.Tables) -> None:
    for name in ("areas", "facilities", "cells"):
        beside = geopandas.read_parquet(tables.folder / "exports" / f"{name}.parquet")
        assert beside.crs.to_string() == "OGC:CRS84" and len(beside) == tables.read(name).height
        assert (tables.folder / "exports" / f"{name}.parquet").read_bytes() == tables.file(name).read_bytes()
    assert len(geopandas.read_parquet(tables.file("facilities", 0))) == tables.read("facilities", 0).height
    assert ws.Network.load(tables.file("network")).summary() is not None


SPARK = """
import json, sys
from pyspark.sql import SparkSession, functions as f
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
base, files = sys.argv[1], json.loads(sys.argv[2])
table = spark.read.option("basePath", base).parquet(*files)
sums = table.agg(f.count("*"), f.sum("people_covered"), f.countDistinct("tile"), f.min("area_id")).collect()[0]
print("FOUND", json.dumps([table.schema["tile"].dataType.simpleString(), *sums]))
"""


def test_spark(tables: ws.Tables) -> None:
    """No jar for Delta is on PyPI: Spark reads the files that the log names."""
    pytest.importorskip("pyspark")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    base = tables.folder / "coverage"
    files = deltalake.DeltaTable(str(base)).file_uris()
    command = [sys.executable, "-c", SPARK, str(base), json.dumps(files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("FOUND"))[6:])
    expected = tables.read("coverage")
    assert found[0] == "bigint" and found[1] == expected.height
    assert found[2] == pytest.approx(expected["people_covered"].sum(), rel=1e-9)
    assert found[3:] == [expected["tile"].n_unique(), expected["area_id"].min()]
