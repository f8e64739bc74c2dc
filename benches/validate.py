"""What `validate` finds: on every folder of real data, and on a synthetic city with planted faults.

Prints the totals and findings of each folder, then for each kind of planted fault how many were planted and how many
of them were found at their file and row. Run it from the root: .venv/bin/python benches/validate.py
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import polars as pl

import walkshed as ws

DATA = Path(os.environ.get("WALKSHED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
NODES, SEED = 20_000, 20261125


def show(table: pl.DataFrame) -> None:
    """Print a table whole."""
    with pl.Config(
        tbl_rows=-1, tbl_cols=-1, tbl_width_chars=140, fmt_str_lengths=48, tbl_hide_column_data_types=True,
        tbl_hide_dataframe_shape=True, tbl_formatting="ASCII_MARKDOWN",
    ):  # fmt: skip
        print(table)


def folders() -> None:
    """Look at every folder of real data."""
    for folder in sorted(path for path in DATA.iterdir() if path.is_dir()):
        start = time.perf_counter()
        found = ws.validate(folder, progress=False)
        print(f"\n## {folder.name} ({time.perf_counter() - start:.1f} s)\n")
        show(found.totals)
        if found.findings.height:
            show(found.findings.group_by("level", "reason", maintain_order=True).len())


def planted() -> None:
    """Plant faults in a synthetic city and look which are found."""
    with tempfile.TemporaryDirectory() as parent:
        city = ws.synth(Path(parent) / "city", nodes=NODES, seed=SEED, progress=False)
        truth = ws.plant_faults(city, Path(parent) / "faulty").rename({"fault": "reason"}).cast({"row": pl.Int64})
        found = ws.validate(Path(parent) / "faulty" / "STUDY.toml", progress=False)
        at = ["file", "row", "reason"]
        told = found.findings.cast({"row": pl.Int64}).select(at).unique().with_columns(found=True)
        checked = truth.join(told, on=at, how="left", nulls_equal=True)
        print(f"\n## Synthetic city 合成数据, {NODES} nodes, seed {SEED}: planted faults\n")
        show(
            checked.group_by("reason", maintain_order=True)
            .agg(planted=pl.len(), found=pl.col("found").sum())
            .sort("reason")
        )
        extra = told.join(truth, on=at, how="anti", nulls_equal=True)
        print("\nFindings that were not planted, by reason:\n")
        show(extra.group_by("reason").len().sort("reason"))
        show(found.totals)


if __name__ == "__main__":
    print(f"walkshed {ws.__version__}")
    folders()
    planted()
