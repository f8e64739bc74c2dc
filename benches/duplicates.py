"""How many planted duplicates are found, by spelling, on the facilities of a real city; and the time on 86,000
facilities.

    .venv/bin/python benches/duplicates.py [folder of the data]

The second source is made up from the first by `python/tests/perturbed.py`: copies moved by at most 40 m and misspelt,
and decoys that are no copies (the name read backwards at the same place; the same name 400 m off).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python" / "tests"))
from perturbed import second_source

import walkshed as ws

ROWS = 86_000


def from_map(extract: Path) -> pl.DataFrame:
    """Facilities of an extract, by a run that needs nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder) / "STUDY.toml"
        study.write_text(
            f'[study]\nname = "duplicates"\n[streets]\nosm = "{extract}"\n[facilities]\nosm = true\n'
            '[population]\nbuildings = "osm"\ntotal = 1000\n',
            encoding="utf-8",
        )
        table = ws.run(study, Path(folder) / "out", progress=False).table("facilities")
    return table.select("id", "class", "name", "lon", "lat", "outline")


def quality(facilities: pl.DataFrame, seeds: range) -> None:
    """Print recall by spelling, and how many pairs are no planted ones."""
    planted_by: dict[str, int] = {}
    found_by: dict[str, int] = {}
    decoys: dict[str, int] = {}
    all_pairs = right = merged_right = merged_all = copies = 0
    for seed in seeds:
        planted = second_source(facilities, seed)
        second = planted.table.drop("of", "spelling")
        spelling = dict(planted.table.select("id", "spelling").iter_rows())
        pairs = set(ws.duplicates(facilities, second).select("class", "id", "other_id").iter_rows())
        for pair in planted.pairs:
            planted_by[spelling[pair[2]]] = planted_by.get(spelling[pair[2]], 0) + 1
            found_by[spelling[pair[2]]] = found_by.get(spelling[pair[2]], 0) + (pair in pairs)
        for pair in pairs - planted.pairs:
            kind = spelling[pair[2]] if spelling[pair[2]] in ("backwards", "far") else "a neighbour of a copy"
            decoys[kind] = decoys.get(kind, 0) + 1
        merged = ws.merge_duplicates(facilities, second).to_polars().filter(pl.col("merged_from").is_not_null())
        became = {(row["class"], row["id"], row["merged_from"].split(" ")[-1]) for row in merged.iter_rows(named=True)}
        all_pairs, right = all_pairs + len(pairs), right + len(pairs & planted.pairs)
        merged_all, merged_right = merged_all + len(became), merged_right + len(became & planted.pairs)
        copies += len(planted.pairs)
    for name, count in planted_by.items():
        print(f"  {name:12} planted {count:5}, found {found_by[name]:5}: recall {found_by[name] / count:.3f}")
    print(f"  reported: recall {right / copies:.3f}, precision {right / all_pairs:.3f}")
    print(f"  pairs that were not planted: {decoys}")
    print(f"  merged:   recall {merged_right / copies:.3f}, precision {merged_right / merged_all:.3f}")


def speed(facilities: pl.DataFrame) -> None:
    """Print the time on copies of the city side by side, half of the rows perturbed ones."""
    planted = second_source(facilities, 1).table.drop("of", "spelling")
    halves = []
    for source in (facilities.drop("outline"), planted):
        cities = [
            source.with_columns(pl.col("lon") + 0.2 * number, id=pl.format("{}/{}", "id", pl.lit(number)))
            for number in range(-(-ROWS // 2 // source.height))
        ]
        halves.append(pl.concat(cities).head(ROWS // 2))
    start = time.perf_counter()
    found = ws.duplicates(*halves)
    print(
        f"{sum(half.height for half in halves):,} rows: {found.height:,} pairs in {time.perf_counter() - start:.2f} s"
    )


if __name__ == "__main__":
    data = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("WALKSHED_DATA", "../shared/data"))
    for city in ("helsinki/centre.osm.pbf", "heidelberg/streets.osm.pbf"):
        if (data / city).is_file():
            table = from_map(data / city)
            print(f"{city}: {table.height} facilities")
            quality(table, range(5))
    speed(from_map(data / "helsinki/centre.osm.pbf"))
