"""The whole line on Porto Alegre: coverage, seconds of each stage and peak memory.

    .venv/bin/python benches/porto_alegre.py

Needs the folder of real data beside the checkout (`../shared/data`), or where WALKSHED_DATA says. The people and the
cells with schools and healthcare are those of r5r's sample data (MIT), the streets OpenStreetMap's (ODbL).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import polars as pl

import walkshed as ws

DATA = Path(os.environ.get("WALKSHED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data") / "porto_alegre"


def main() -> None:
    """Run the study in a temporary folder and print what it found."""
    cells = pl.read_csv(DATA / "hexgrid.csv")
    doors = pl.concat(
        cells.filter(pl.col(name) > 0).select("id", pl.lit(name).alias("class"), "lon", "lat")
        for name in ("schools", "healthcare")
    )
    with tempfile.TemporaryDirectory() as folder:
        doors.write_csv(Path(folder) / "facilities.csv")
        study = Path(folder) / "STUDY.toml"
        study.write_text(
            f"""
            [study]
            name = "porto_alegre"
            [streets]
            osm = "{DATA / "streets.osm.pbf"}"
            elevation = "{DATA / "elevation.tif"}"
            [facilities]
            path = "facilities.csv"
            [population]
            path = "{DATA / "hexgrid.csv"}"
            cell = "id"
            people = "population"
            [coverage]
            profiles = ["adult", "senior", "wheelchair"]
            """
        )
        result = ws.run(study, Path(folder) / "out", progress=False)
    report = result.report
    with pl.Config(tbl_rows=-1, tbl_cols=-1, float_precision=1, tbl_formatting="ASCII_MARKDOWN", tbl_width_chars=120):
        print(result.summary().drop("name_zh", "name_en"))
    print("network", {key: report["network"][key] for key in ("nodes", "edges", "pieces", "island_km")})
    print("people", report["people"])
    print("seconds", {stage: round(seconds, 3) for stage, seconds in sorted(report["seconds"].items())})
    print(f"peak memory {report['peak_memory_bytes'] / 2**20:.0f} MiB, Python and polars included")


if __name__ == "__main__":
    main()
