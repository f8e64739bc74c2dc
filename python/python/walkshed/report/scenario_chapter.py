"""The chapter about scenarios: who gains, who loses, and who is newly covered."""

from __future__ import annotations

import json
from functools import partial

import polars as pl

from walkshed import _engine
from walkshed.arrow import frame
from walkshed.language import profile_name
from walkshed.report.content import Block, Column, Heading, Table, Value, told
from walkshed.report.facts import City
from walkshed.report.words import say
from walkshed.study import ScenariosResult


def scenarios(city: City) -> list[Block]:
    """What scenarios change; nothing without them."""
    if city.scenarios is None or not city.scenarios.report["scenarios"]:
        return []
    heading = Heading(say(city.language, "scenarios"))
    return [heading, _gains(city, city.scenarios), _newly(city, city.scenarios)]


def _gains(city: City, answer: ScenariosResult) -> Table:
    text = partial(say, city.language)
    rows: list[list[Value]] = [
        [
            row["name"] or row["scenario"],
            row["cost_yuan"],
            city.class_name(row["class"]),
            profile_name(row["profile"], city.language),
            row["people_gaining"],
            row["people_losing"],
            row["people_minutes_saved"],
        ]
        for row in answer.summary().sort("scenario", "class", "profile").iter_rows(named=True)
    ]
    columns = [
        Column(text("scenario"), width=2.4),
        Column(text("cost_yuan"), "yuan", 1.2),
        Column(text("class"), width=1.6),
        Column(text("profile")),
        Column(text("gaining"), "people"),
        Column(text("losing"), "people"),
        Column(text("saved"), "number", 1.2),
    ]
    return Table(text("scenarios_table"), columns, rows, text("scenarios_note"), text("scenarios"))


def _newly(city: City, answer: ScenariosResult) -> Table:
    """People covered before and after in the whole city, each cell once, with those who move in told apart."""
    text, movers = partial(say, city.language), _movers(city, answer)
    rows: list[list[Value]] = []
    for plan in answer.report["scenarios"]:
        name = plan["name"] or plan["id"]
        for row in _covered(city, answer, plan["id"], movers[plan["id"]]).iter_rows(named=True):
            then = row["before"] + row["newly"] - row["no_longer"] + row["of_movers"]
            shares = [_share(row["before"], city.people), _share(then, city.people + row["movers"])]
            who = profile_name(row["profile"], city.language)
            counts = [row["before"], row["newly"], row["no_longer"], row["of_movers"], then]
            rows.append([name, city.class_name(row["class"]), who, *counts, *shares])
    columns = [
        Column(text("scenario"), width=1.7),
        Column(text("class"), width=2.4),
        Column(text("profile")),
        *(
            Column(text(key), "people")
            for key in ("covered_before", "newly", "no_longer", "of_movers", "covered_after")
        ),
        Column(text("share_before"), "share", 0.9),
        Column(text("share_after"), "share", 0.9),
    ]
    moved_in = [
        text("movers_note", name=plan["name"] or plan["id"], people=told(people, "people"))
        for plan in answer.report["scenarios"]
        if (people := float(movers[plan["id"]]["people"].sum()))
    ]
    caption = text("newly_table", minutes=f"{city.middle:g}")
    return Table(caption, columns, rows, " ".join([text("newly_note"), *moved_in]), text("newly_sheet"))


def _movers(city: City, answer: ScenariosResult) -> dict[str, pl.DataFrame]:
    """Who moves in under each scenario: `cell`, `people`."""
    live = city.cells.select("cell", "lon", "lat", "people")
    found: dict[str, pl.DataFrame] = {}
    for plan in answer.report["scenarios"]:
        homes = [edit | {"groups": {}} for edit in plan["edits"] if edit["do"] == "new_homes"]
        after = frame(_engine.edit_cells(json.dumps(homes), live, [])[0]).select("cell", "people")
        both = after.join(live.select("cell", before="people"), on="cell", how="left")
        moved = both.select("cell", people=pl.col("people") - pl.col("before").fill_null(0))
        found[plan["id"]] = moved.filter(pl.col("people") != 0)
    return found


def _covered(city: City, answer: ScenariosResult, scenario: str, movers: pl.DataFrame) -> pl.DataFrame:
    """People covered, for each class and profile that a scenario touches: `class`, `profile`, `before`, `newly`,
    `no_longer`, `movers`, `of_movers`."""
    key, limit_s = ["class", "profile"], city.middle * 60
    reaches = {when: (pl.col(f"{when}_s") <= limit_s).fill_null(False) for when in ("before", "after")}
    cells = answer.table("cells").filter(pl.col("scenario") == scenario).select("cell", *key, "before_s", "after_s")
    lived = city.cells.select("cell", "people")
    changed = (
        cells.join(lived, on="cell", how="inner")
        .group_by(key)
        .agg(
            newly=pl.col("people").filter(reaches["after"] & ~reaches["before"]).sum(),
            no_longer=pl.col("people").filter(reaches["before"] & ~reaches["after"]).sum(),
        )
    )
    stay = _times_of(city, movers).join(cells, on=["cell", *key], how="anti")
    walks = pl.concat([stay, cells.select("cell", *key, "after_s")]).join(movers, on="cell", how="inner")
    new = walks.group_by(key).agg(of_movers=pl.col("people").filter(reaches["after"]).sum())
    totals = city.total.filter((pl.col("group") == "all") & (pl.col("minutes") == city.middle))
    now = totals.select(*key, before="people_covered")
    gains = answer.table("gains").filter((pl.col("scenario") == scenario) & (pl.col("group") == "all"))
    touched = pl.concat([each.select(key) for each in (gains, cells, walks)]).unique()
    return (
        touched.filter(pl.col("profile").is_in(city.everybodys_profiles))
        .join(now, on=key, how="left")
        .join(changed, on=key, how="left")
        .join(new, on=key, how="left")
        .fill_null(0.0)
        .with_columns(movers=pl.lit(float(movers["people"].sum())))
        .sort(key)
    )


def _times_of(city: City, movers: pl.DataFrame) -> pl.DataFrame:
    """How long the cells that people move into walk already: `cell`, `class`, `profile`, `after_s`."""
    rows = pl.scan_parquet(city.result.folder / "times.parquet")
    times = rows.select("class", "profile", cell="origin_id", after_s="time_s").select(
        "cell", "class", "profile", "after_s"
    )
    return times.filter(pl.col("cell").is_in(movers["cell"].to_list())).collect()


def _share(people: float, of_people: float) -> float | None:
    return people / of_people if of_people else None
