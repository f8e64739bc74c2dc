"""Nights of a small synthetic city: its study, what may happen to its inputs, and its tables as anybody reads them."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import osmium
import polars as pl

import walkshed as ws

STUDY = """
[study]
name = "nights"
resolution = 10
as_of = "2026-06-01"
[streets]
osm = "streets.osm.pbf"
elevation = "terrain.tif"
[facilities]
path = "facilities.parquet"
[population]
path = "population_cells.parquet"
groups = ["senior_60_plus", "child_0_14"]
[areas]
path = "communities.parquet"
[coverage]
minutes = [5, 15]
profiles = ["adult", "senior"]
[refresh]
tile_resolution = 8
{more}
"""
#: Gates that let every night pass.
PATIENT = """
[refresh.gates]
rows_shrink_share = 1
unjoined_rise_share = 1
people_move_share = 1
coverage_move_share = 1
"""
CLASSES = ("bus_stop", "convenience_store", "dining", "kindergarten")
KEYS = {
    "coverage": ["area_id", "class", "group", "profile", "minutes"],
    "times": ["cell", "class", "profile"],
    "cells": ["cell"],
    "areas": ["area_id"],
    "facilities": ["class", "id"],
}


class City:
    """A folder with a study whose inputs change."""

    def __init__(self, folder: Path, template: Path, more: str = "") -> None:
        shutil.copytree(template, folder)
        self.folder = folder
        self.study = folder / "STUDY.toml"
        self.study.write_text(STUDY.format(more=more))
        # A few classes whose place is their door, all open.
        ledger = self.table("facilities").filter(pl.col("class").is_in(CLASSES)).drop("geometry")
        dates = ("planned_on", "building_since", "opened_on", "closed_on")
        self.write(
            "facilities", ledger.with_columns(pl.lit(None, pl.String).alias(name) for name in ("status", *dates))
        )

    def table(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.folder / f"{name}.parquet")

    def write(self, name: str, table: pl.DataFrame) -> None:
        table.write_parquet(self.folder / f"{name}.parquet")

    @property
    def tables(self) -> Path:
        return self.folder / "tables"

    def refresh(self, **options: object) -> ws.RefreshResult:
        return ws.refresh(self.study, progress=False, **options)  # type: ignore[arg-type]

    def afresh(self, tables: Path) -> ws.Tables:
        """The same inputs published by somebody who has never published anything."""
        return ws.refresh(self.study, tables, progress=False).tables


def content(tables: ws.Tables, at: int | None = None) -> dict[str, list[str]]:
    """The files of every table; their names are their contents."""
    return {
        name: [file.split("/tables/")[-1].split("/", 1)[-1] for file in _relative(tables, name, at)]
        for name in tables.names
    }


def _relative(tables: ws.Tables, name: str, at: int | None) -> list[str]:
    return [str(Path(file).relative_to(tables.folder)) for file in tables.files(name, at)]


def close_some(city: City, chance: random.Random) -> None:
    ledger = city.table("facilities")
    gone = set(chance.sample(range(ledger.height), max(1, ledger.height // 50)))
    city.write("facilities", ledger.filter(~pl.int_range(pl.len()).is_in(list(gone))))


def move_some(city: City, chance: random.Random) -> None:
    ledger = city.table("facilities")
    moved = chance.sample(range(ledger.height), min(3, ledger.height))
    row = pl.int_range(pl.len())
    shift = pl.when(row.is_in(moved)).then(0.0007).otherwise(0.0)
    city.write("facilities", ledger.with_columns(lon=pl.col("lon") + shift))


def open_one(city: City, chance: random.Random) -> None:
    ledger = city.table("facilities")
    new = ledger[chance.randrange(ledger.height)]
    name = f"new-{chance.randrange(10**9)}"
    new = new.with_columns(id=pl.lit(name).cast(ledger.schema["id"], strict=False).fill_null(chance.randrange(10**9)))
    new = new.with_columns(pl.col("lat") + 0.0004)
    city.write("facilities", pl.concat([ledger, new.select(ledger.columns)]))


def people_move(city: City, chance: random.Random) -> None:
    people = city.table("population_cells")
    moved = chance.sample(range(people.height), min(4, people.height))
    row = pl.int_range(pl.len())
    city.write(
        "population_cells",
        people.with_columns(people=pl.col("people") + pl.when(row.is_in(moved)).then(7.0).otherwise(0.0)),
    )


def nobody_lives_there(city: City, chance: random.Random) -> None:
    people = city.table("population_cells")
    gone = chance.randrange(people.height)
    city.write("population_cells", people.filter(pl.int_range(pl.len()) != gone))


def streets_close(city: City, chance: random.Random) -> None:
    """Some ways are gone from the extract."""
    source, target = city.folder / "streets.osm.pbf", city.folder / "streets.new.osm.pbf"
    ways = [thing.id for thing in osmium.FileProcessor(str(source)) if thing.is_way()]
    gone = set(chance.sample(ways, max(1, len(ways) // 200)))
    with osmium.SimpleWriter(str(target)) as writer:
        for thing in osmium.FileProcessor(str(source)):
            if not (thing.is_way() and thing.id in gone):
                writer.add(thing)
    target.replace(source)


def settings_change(city: City, chance: random.Random) -> None:
    limits = chance.choice(["[5, 15]", "[5, 10, 15]", "[6, 12]"])
    lines = [
        f"minutes = {limits}" if line.startswith("minutes") else line for line in city.study.read_text().splitlines()
    ]
    city.study.write_text("\n".join(lines))


def nothing(_city: City, _chance: random.Random) -> None:
    """A night like many."""


EVENTS: tuple[Callable[[City, random.Random], None], ...] = (
    close_some,
    move_some,
    open_one,
    people_move,
    nobody_lives_there,
    streets_close,
    settings_change,
    nothing,
)
