"""Faults planted into a synthetic city on purpose, to see whether checking finds each."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import polars as pl

from walkshed.synthetic import SyntheticCity

_FACILITIES, _CELLS, _AREAS = "facilities.parquet", "population_cells.parquet", "communities.parquet"

# What is written into one row of a table, and the reason that a check must give for the row: table, reason, values.
_IN_PLACE: list[tuple[str, str, dict[str, Any]]] = [
    (_FACILITIES, "swapped_lon_lat", {"lon": 29.001, "lat": 107.001}),
    (_FACILITIES, "not_snapped", {"lon": 122.9, "lat": 29.0}),  # in the East China Sea
    (_FACILITIES, "out_of_range", {"lat": 95.0}),
    (_FACILITIES, "missing_value", {"lon": None}),
    (_FACILITIES, "out_of_range", {"places": -5.0}),
    (_FACILITIES, "out_of_range", {"floor_area_m2": 1e15}),
    (_FACILITIES, "not_a_date", {"opened_on": "2026-13-45"}),
    (_FACILITIES, "dates_out_of_order", {"planned_on": "2020-05-01", "opened_on": "2019-05-01"}),
    (_FACILITIES, "status_contradicted", {"status": "planned"}),
    (_FACILITIES, "unknown_service_level", {"service_level": "省 synthetic"}),
    (_FACILITIES, "unclassified", {"class": None, "name": None}),
    (_FACILITIES, "unknown_class", {"class": "synthetic_class"}),
    (_CELLS, "out_of_range", {"people": -12.0}),
    (_CELLS, "missing_value", {"people": None}),
    (_CELLS, "not_a_cell", {"cell": 7}),
    (_CELLS, "more_than_people", {"senior_60_plus": 1e6}),
    (_AREAS, "unknown_parent", {"parent_id": "S9999"}),
    (_AREAS, "unknown_level", {"level": "省 synthetic"}),
    (_AREAS, "missing_name", {"name": None}),
    (_AREAS, "bad_code", {"code": "99-synthetic"}),
]


_DAY = "2026-01-01"


def plant_faults(city: SyntheticCity, folder: str | os.PathLike[str]) -> pl.DataFrame:
    """Copy a synthetic city into a new folder, with known faults in its tables.

    Args:
        city: what `synth` gave.
        folder: where to put the copy; nothing may be there. It appears whole or not at all.

    Returns:
        What was planted, as it stands in `planted.parquet`: `file`, `row` (from 1), `column`, and `fault`, the reason
        that a check must give for this row.

    Raises:
        FileExistsError: something is at the folder.

    """
    target = Path(folder)
    if target.exists():
        raise FileExistsError(f"{target} is there already; nothing was written")
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.partial-", dir=target.parent))
    try:
        shutil.copytree(city.folder, staging, dirs_exist_ok=True)
        # The list of sizes and hashes describes the city without faults.
        (staging / "synthetic.json").rename(staging / "synthetic_before_faults.json")
        # Whether a status and its dates agree can only be said for a day.
        study = staging / "STUDY.toml"
        study.write_text(
            study.read_text(encoding="utf-8").replace("[study]\n", f'[study]\nas_of = "{_DAY}"\n'), "utf-8"
        )
        planted = [row for file in (_FACILITIES, _CELLS, _AREAS) for row in _plant(staging / file)]
        table = pl.DataFrame(planted, schema=["file", "row", "column", "fault"], orient="row")
        table.with_columns(source=pl.lit("synthetic 合成")).write_parquet(staging / "planted.parquet")
        staging.chmod(0o755)
        staging.rename(target)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return table


def _plant(path: Path) -> list[tuple[str, int, str, str]]:
    table = pl.read_parquet(path)
    if path.name == _FACILITIES:
        table = table.drop("geometry")
    rows = table.cast(pl.Schema(_floats(table))).to_dicts()
    planted: list[tuple[str, int, str, str]] = []
    faults = [(reason, values) for file, reason, values in _IN_PLACE if file == path.name]
    # Only rows of open facilities, and of the lowest level of areas, carry a fault: others would tell of it twice.
    plain = [
        row
        for row, values in enumerate(rows)
        if values.get("status", "open") == "open"
        and str(values.get("opened_on") or "") <= _DAY
        and values.get("level") != "district"
    ]
    for number, (reason, values) in enumerate(faults):
        row = plain[(number + 1) * len(plain) // (len(faults) + 3)]
        rows[row] |= values
        planted.append((path.name, row + 1, next(iter(values)), reason))
    for column, reason, values in _repeated(path.name, rows[plain[0]]):
        rows.append(rows[plain[0]] | values)
        # An overlap is told at the first of the two areas.
        told_at = plain[0] + 1 if reason == "areas_overlap" else len(rows)
        planted.append((path.name, told_at, column, reason))
    pl.DataFrame(rows, schema=_floats(table)).write_parquet(path)
    return planted


def _floats(table: pl.DataFrame) -> dict[str, Any]:
    return {name: pl.Float64 if kind == pl.UInt32 else kind for name, kind in table.schema.items()}


def _repeated(file: str, first: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Rows like the first of a table: its id again, and the same thing under another id."""
    if file == _FACILITIES:
        twin = {"id": "syn-twin", "source": "another source, synthetic 合成", "lat": first["lat"] + 2e-5}
        return [("id", "duplicate_id", {}), ("name", "possible_duplicate", twin)]
    if file == _AREAS:
        twin = {"area_id": "syn-twin", "code": "999999999999", "name": "合成重叠区"}
        return [("area_id", "duplicate_id", {}), ("geometry", "areas_overlap", twin)]
    return []
