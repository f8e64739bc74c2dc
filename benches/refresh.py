"""A metropolis refreshed night after night: seconds, files and bytes; every night against a whole recompute.

    python benches/refresh.py CITY OUT

CITY is `walkshed synth --nodes 1000000 --seed 1`, synthetic 合成数据; OUT is a folder for its tables. Answers are
compared before times count: after each night the files of every table are those of somebody who begins with that night.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

import walkshed as ws

MORE = """
[refresh]
tables = "{tables}"
keep_releases = 40
[refresh.gates]
rows_shrink_share = 1
unjoined_rise_share = 1
coverage_move_share = 1
people_move_share = 1
"""


def ledger(city: Path, which: Callable[[pl.DataFrame], pl.Series]) -> None:
    """Some facilities move by some fifty metres."""
    path = city / "facilities.parquet"
    table = pl.read_parquet(path).drop("geometry", strict=False)
    moved = pl.when(which(table)).then(pl.col("lat") + 0.0005).otherwise(pl.col("lat"))
    table.with_columns(moved.alias("lat")).write_parquet(path)


def scattered(rows: int) -> Callable[[pl.DataFrame], pl.Series]:
    """So many rows, anywhere."""

    def which(table: pl.DataFrame) -> pl.Series:
        chosen = set(random.Random(rows).sample(range(table.height), rows))
        return pl.Series([row in chosen for row in range(table.height)])

    return which


def of_one_district(rows: int) -> Callable[[pl.DataFrame], pl.Series]:
    """The rows nearest to one of them."""

    def which(table: pl.DataFrame) -> pl.Series:
        lon, lat = table.select("lon", "lat").row(0)
        away = (table["lon"] - lon) ** 2 + (table["lat"] - lat) ** 2
        return away.rank("ordinal") <= rows

    return which


def of_one_class(table: pl.DataFrame) -> pl.Series:
    """Kindergartens among a tenth of the rows."""
    return (table["class"] == "kindergarten") & scattered(table.height // 10)(table)


def people(city: Path) -> None:
    """A new year: one cell of a hundred has a tenth more people."""
    path = city / "population_cells.parquet"
    table = pl.read_parquet(path)
    more = pl.when(pl.int_range(pl.len()) % 100 == 0).then(pl.col("people") * 1.1).otherwise(pl.col("people"))
    table.with_columns(more.alias("people")).write_parquet(path)


def streets(city: Path) -> None:
    """A new extract, in which one way of a thousand is gone."""
    import osmium

    source, target = city / "streets.osm.pbf", city / "streets.new.osm.pbf"
    with osmium.SimpleWriter(str(target)) as writer:
        for thing in osmium.FileProcessor(str(source)):
            if not (thing.is_way() and thing.id % 1000 == 7):
                writer.add(thing)
    target.replace(source)


def nothing(_city: Path) -> None:
    """A night on which nobody delivers anything."""


NIGHTS: list[tuple[str, Callable[[Path], None]]] = [
    ("nothing changed", nothing),
    ("100 facilities move, scattered", lambda city: ledger(city, scattered(100))),
    ("1 % of the facilities, scattered", lambda city: ledger(city, scattered(860))),
    ("1 % of the facilities, of one district", lambda city: ledger(city, of_one_district(860))),
    ("a tenth of the kindergartens", lambda city: ledger(city, of_one_class)),
    ("people of 1 % of the cells", people),
    ("streets: 1 way of 1,000 is gone", streets),
    ("nothing changed", nothing),
]


def refresh(study: Path, tables: Path, *, full: bool = False) -> tuple[dict[str, object], float, int]:
    """A refresh in a process of its own, as at night: its report, seconds, peak bytes."""
    command = [sys.executable, "-m", "walkshed", "refresh", str(study), "--tables", str(tables), "--json", "--quiet"]
    command += ["--log-level", "error", "--override", "older_input=a bench that turns back"]
    began = time.perf_counter()
    done = subprocess.run([*command, *(["--full"] if full else [])], capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    return report, time.perf_counter() - began, int(report["peak_memory_bytes"] or 0)


def files(tables: ws.Tables) -> dict[str, list[str]]:
    """The files of every table, whose names are their contents."""
    return {name: [os.path.relpath(file, tables.folder) for file in tables.files(name)] for name in tables.names}


def row(name: str, report: dict[str, object], seconds: float, peak: int) -> str:
    """A line of the table."""
    made: dict[str, dict[str, int]] = report["made"]  # type: ignore[assignment]
    computed, parts = (sum(table[key] for table in made.values()) for key in ("computed", "parts"))
    changed = sum(table["changed"] for table in made.values())
    record = report["record"] if report["status"] == "published" else None
    added = sum(table["files_added"] for table in record["tables"].values()) if record else 0  # type: ignore[index]
    steps: dict[str, float] = report["seconds"]  # type: ignore[assignment]
    told = ", ".join(f"{step} {spent:.1f}" for step, spent in steps.items() if spent >= 0.05)
    counts = f"{computed}/{parts} | {changed} | {added} | {peak / 1e9:.2f}"
    return f"| {name} | {report['status']} | {seconds:.2f} | {told} | {counts} |"


def main() -> None:
    """Night after night."""
    parser = argparse.ArgumentParser()
    parser.add_argument("city", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    shutil.rmtree(options.out, ignore_errors=True)
    city = options.out / "city"
    shutil.copytree(options.city, city)
    study, tables = city / "STUDY.toml", options.out / "tables"
    study.write_text(study.read_text() + MORE.format(tables=tables))
    ledger(city, lambda table: pl.Series([False] * table.height))
    print("| night | status | seconds | of which | parts computed | changed | files new | peak GB |")
    print("|---|---|---:|---|---:|---:|---:|---:|")
    print(row("the first, everything", *refresh(study, tables)))
    for name, happen in NIGHTS:
        happen(city)
        night = refresh(study, tables)
        afresh = options.out / "afresh"
        whole = refresh(study, afresh)
        assert files(ws.Tables(tables)) == files(ws.Tables(afresh)), f"{name}: not the files of a whole recompute"
        shutil.rmtree(afresh)
        print(row(name, *night), flush=True)
        print(row("… by somebody who begins with it", *whole), flush=True)
    print(row("everything again (--full)", *refresh(study, tables, full=True)))
    found = ws.Tables(tables)
    sizes = {name: record["bytes"] / 1e6 for name, record in found.history[-1]["tables"].items()}
    print("\nMB on disk:", ", ".join(f"{name} {size:.1f}" for name, size in sizes.items()))
    beside = {name: file["bytes"] / 1e6 for name, file in found.history[-1]["files"].items()}
    print("beside:", ", ".join(f"{name} {size:.1f}" for name, size in beside.items()))
    whole_mb = sum(path.stat().st_size for path in tables.rglob("*") if path.is_file()) / 1e6
    print(f"all {len(found.history)} releases: {whole_mb:.0f} MB")
    began = time.perf_counter()
    assert found.verify(progress=False).height == 0
    print(f"verify: {time.perf_counter() - began:.2f} s")
    began = time.perf_counter()
    changed = found.diff(0, -1).coverage().height
    print(f"diff of the first and the last: {changed} rows of coverage, {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()
