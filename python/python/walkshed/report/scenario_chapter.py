"""The chapter about scenarios: who gains, who loses, and who is newly covered."""

from __future__ import annotations

from functools import partial

import polars as pl

from walkshed.language import profile_name, word
from walkshed.report.content import Block, Column, Heading, Table, Value
from walkshed.report.facts import City
from walkshed.report.words import say
from walkshed.study import ScenariosResult


def scenarios(city: City) -> list[Block]:
    """What scenarios change; nothing without them."""
    if city.scenarios is None:
        return []
    blocks: list[Block] = [Heading(say(city.language, "scenarios")), _gains(city, city.scenarios)]
    newly = _newly(city, city.scenarios)
    return [*blocks, newly] if newly is not None else blocks


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


def _newly(city: City, answer: ScenariosResult) -> Table | None:
    """People covered before and after, over the areas of one level: each lives in one of them."""
    level = _level(city)
    if level is None:
        return None
    text, ids = partial(say, city.language), set(city.of_level(level)["area_id"])
    key = ["area_id", "class", "profile"]
    now = (pl.col("group") == "all") & (pl.col("minutes") == city.middle) & pl.col("area_id").is_in(ids)
    after = answer.table("coverage").filter(now).select("scenario", *key, after="people_covered")
    before = city.coverage.filter(now).select(*key, before="people_covered")
    names = {row["id"]: row["name"] for row in answer.report["scenarios"]}
    totals = city.total.filter((pl.col("group") == "all") & (pl.col("minutes") == city.middle))
    covered = {(row["class"], row["profile"]): row for row in totals.iter_rows(named=True)}
    sums = (
        after.join(before, on=key, how="left")
        .group_by("scenario", "class", "profile")
        .agg(change=(pl.col("after") - pl.col("before")).sum())
        .sort("scenario", "class", "profile")
    )
    rows: list[list[Value]] = []
    for row in sums.iter_rows(named=True):
        city_now = covered.get((row["class"], row["profile"]))
        if city_now is None:
            continue
        then = city_now["people_covered"] + row["change"]
        share = then / city_now["people"] if city_now["people"] else None
        told = [names.get(row["scenario"]) or row["scenario"], city.class_name(row["class"])]
        counts = [city_now["people_covered"], then, row["change"], city_now["share"], share]
        rows.append([*told, profile_name(row["profile"], city.language), *counts])
    columns = [
        Column(text("scenario"), width=2.4),
        Column(text("class"), width=1.6),
        Column(text("profile")),
        Column(text("covered_before"), "people"),
        Column(text("covered_after"), "people"),
        Column(text("newly"), "people"),
        Column(text("share_before"), "share", 0.9),
        Column(text("share_after"), "share", 0.9),
    ]
    title = text("areas") if level == "" else word("level", level, city.language)
    caption = text("newly_table", minutes=f"{city.middle:g}")
    return Table(caption, columns, rows, text("changed_areas_note", level=title), text("newly_sheet"))


def _level(city: City) -> str | None:
    """The level of the fewest areas that hold nearly everybody, so that sums over it are the city's."""
    for level in city.levels:
        if level is not None and float(city.of_level(level)["people"].sum()) > 0:
            return level
    return None
