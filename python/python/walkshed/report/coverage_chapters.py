"""Chapters about coverage: what is asked for, who reaches what, where, and who does not."""

from __future__ import annotations

from functools import partial

import polars as pl

from walkshed.facilities import facility_classes
from walkshed.language import group_name, profile_name, word
from walkshed.levels import levels
from walkshed.maps import palette
from walkshed.report import charts
from walkshed.report.content import Block, Column, Figure, Heading, Paragraph, Table, Value
from walkshed.report.facts import City
from walkshed.report.words import say

#: Classes that stand beside each other where a page has no room for all.
_FEW = 5
#: Areas of a level that a table of the report shows; the workbook has all.
_MOST_AREAS = 40


def standards(city: City) -> list[Block]:
    """Level and walk of each class, and the items of the scorecard with their sources."""
    text = partial(say, city.language)
    known = {row["class"]: row for row in facility_classes().iter_rows(named=True)}
    planned = {row["id"]: row for row in levels().iter_rows(named=True)}
    rows: list[list[Value]] = []
    for name in city.classes:
        own = known.get(name, {})
        level = planned.get(str(own.get("service_level")), {})
        title = level.get("name_zh" if city.language == "zh" else "name_en")
        circle = [level.get("minutes"), level.get("radius_m"), level.get("source")]
        rows.append([city.class_name(name), title, own.get("walk_minutes"), *circle])
    columns = [
        Column(text("class"), width=2.6),
        Column(text("level"), width=1.4),
        Column(text("walk_min"), "number", 1.2),
        Column(text("level_min"), "number", 1.2),
        Column(text("radius_m"), "metres", 1.2),
        Column(text("source"), width=2.2),
    ]
    note = text("sources_note")
    blocks: list[Block] = [Heading(text("standards")), Paragraph(text("standards_text"))]
    blocks.append(Table(text("standards_table"), columns, rows, note, text("standards")))
    if city.scorecard is not None:
        blocks.append(_rules(city))
    return blocks


def _rules(city: City) -> Table:
    """Items with how many points each has, as the first community is held against them, and where they are from."""
    assert city.scorecard is not None
    text, points, items = partial(say, city.language), city.scorecard.points, city.scorecard.items
    one = points.unique("point", keep="first", maintain_order=True)
    name = "name_zh" if city.language == "zh" else "name_en"
    rows: list[list[Value]] = []
    for item in items.unique("item", keep="first", maintain_order=True).iter_rows(named=True):
        mine = one.filter(pl.col("item") == item["item"])
        needs = mine["need"].to_list()
        sources = "; ".join(mine["source"].drop_nulls().unique(maintain_order=True))
        rows.append(
            [item[name] or item["name_zh"], needs.count("must"), needs.count("should"), item["weight"], sources]
        )
    columns = [
        Column(text("item"), width=2.4),
        Column(text("must_points"), "number", 0.9),
        Column(text("should_points"), "number", 0.9),
        Column(text("worth"), "score", 0.7),
        Column(text("source"), width=3.6),
    ]
    by = city.scorecard.standard
    caption = text("rules_table", name=by.name_zh if city.language == "zh" else by.name_en)
    return Table(caption, columns, rows, text("rules_note"), text("rules_sheet"))


def coverage(city: City) -> list[Block]:
    """Coverage of the city, of its levels and between its communities."""
    text = partial(say, city.language)
    blocks: list[Block] = [Heading(text("coverage")), Heading(text("coverage_city"), 2)]
    blocks += [_city_figure(city), *(_city_table(city, who) for who in city.everybodys_profiles)]
    if len(city.everybodys_profiles) > 1:
        blocks.append(_profiles_table(city))
    communities = set(city.communities["area_id"])
    for level in city.levels:
        areas = city.of_level(level)
        if 1 < areas.height <= _MOST_AREAS and not communities >= set(areas["area_id"]):
            blocks += _level(city, level, areas)
    if city.communities.height > 1:
        blocks += _between(city)
    return blocks


def _city_figure(city: City) -> Figure:
    text, colours = partial(say, city.language), palette.minutes_colours(len(city.minutes))
    series = [
        (text("minutes_label", minutes=f"{limit:g}"), colour)
        for limit, colour in zip(city.minutes, colours, strict=True)
    ]
    rows = city.everybody.pivot("minutes", index="class", values="share", maintain_order=True)
    shares = {row[0]: row[1:] for row in rows.select("class", *(str(limit) for limit in city.minutes)).iter_rows()}
    bars = [charts.Bar(city.class_name(name), shares[name]) for name in reversed(city.fewest_first)]
    return Figure(text("coverage_figure", profile=city.who), charts.shares(bars, series))


def _city_table(city: City, who: str) -> Table:
    text = partial(say, city.language)
    mine = city.total.filter((pl.col("group") == "all") & (pl.col("profile") == who))
    rows: list[list[Value]] = []
    for name in city.classes:
        of_class = {row["minutes"]: row for row in mine.filter(pl.col("class") == name).iter_rows(named=True)}
        told = [of_class.get(limit, {}) for limit in city.minutes]
        shares = [row.get("share") for row in told]
        people = [row.get("people_covered") for row in told]
        rows.append([city.class_name(name), city.result.report["facilities"].get(name), *shares, *people])
    limits = [f"{limit:g}" for limit in city.minutes]
    columns = [
        Column(text("class"), width=2.6),
        Column(text("facilities_count"), "number"),
        *(Column(text("share_in", minutes=limit), "share", 1.1) for limit in limits),
        *(Column(text("people_in", minutes=limit), "people", 1.3) for limit in limits),
    ]
    profile = profile_name(who, city.language)
    return Table(text("coverage_table", profile=profile), columns, rows, sheet=f"{text('coverage')} {profile}")


def _profiles_table(city: City) -> Table:
    text, minutes = partial(say, city.language), f"{city.middle:g}"
    now = city.total.filter((pl.col("group") == "all") & (pl.col("minutes") == city.middle))
    wide = now.pivot("profile", index="class", values="share", maintain_order=True)
    shares = {row[0]: row[1:] for row in wide.select("class", *city.everybodys_profiles).iter_rows()}
    rows: list[list[Value]] = [[city.class_name(name), *shares[name]] for name in city.classes if name in shares]
    who = [Column(f"{profile_name(name, city.language)} (%)", "share") for name in city.everybodys_profiles]
    columns = [Column(text("class"), width=3), *who]
    return Table(text("profiles_table", minutes=minutes), columns, rows, sheet=text("profile"))


def _level(city: City, level: str | None, areas: pl.DataFrame) -> list[Block]:
    text = partial(say, city.language)
    name = text("areas") if level is None else word("level", level, city.language)
    caption = text("by_level_table", level=name, minutes=f"{city.middle:g}")
    few = city.fewest_first[:_FEW]
    shares = areas.select("area_id", "name", "people").join(city.mean_share, on="area_id", how="left")
    shares = shares.join(city.by_area, on="area_id", how="left").select("name", "people", "mean", *few)
    columns = [
        Column(text("area"), width=2),
        Column(text("area_people"), "people", 1.1),
        Column(text("mean"), "share"),
        *(Column(text("class_share", name=city.class_name(each)), "share", 1.2) for each in few),
    ]
    table = Table(caption, columns, shares.rows(), sheet=text("by_level", level=name))
    return [Heading(text("by_level", level=name), 2), table]


def _between(city: City) -> list[Block]:
    text, minutes = partial(say, city.language), f"{city.middle:g}"
    return [
        Heading(text("by_community"), 2),
        _spread(city),
        Table(
            text("extremes_table", minutes=minutes),
            [
                Column(text("class"), width=2.2),
                Column(text("lowest"), width=2),
                Column(text("lowest_share"), "share"),
                Column(text("median_share"), "share"),
                Column(text("highest"), width=2),
                Column(text("highest_share"), "share"),
            ],
            [row for name in city.classes if (row := _extremes(city, name)) is not None],
            text("extremes_note"),
            text("by_community"),
        ),
    ]


def _extremes(city: City, name: str) -> list[Value] | None:
    """A class with the communities where fewest and most of the people reach it."""
    if name not in city.by_area.columns:
        return None
    shares = city.communities.select("area_id", title="name").join(
        city.by_area.select("area_id", share=name), on="area_id", how="inner"
    )
    ranked = shares.drop_nulls("share").sort("share", "area_id")
    if not ranked.height:
        return None
    least, most = (
        ranked.row(0, named=True),
        ranked.sort("share", "area_id", descending=[True, False]).row(0, named=True),
    )
    middle = ranked["share"].median()
    half = float(middle) if isinstance(middle, float) else None
    return [city.class_name(name), least["title"], least["share"], half, most["title"], most["share"]]


def _spread(city: City) -> Figure:
    """How many communities have which mean share, in tenths."""
    text, colours = partial(say, city.language), palette.sequential(5)
    means = city.mean_share.join(city.communities.select("area_id"), on="area_id", how="semi")["mean"].drop_nulls()
    tenths = [min(9, int(mean * 10)) for mean in means]
    bars = [charts.Bar(f"{tenth * 10}–{tenth * 10 + 10}%", [tenths.count(tenth)]) for tenth in range(10)]
    shown = charts.columns(
        bars,
        colours=[colours[tenth // 2] for tenth in range(10)],
        x_title=text("mean"),
        y_title=text("communities_count"),
    )
    return Figure(text("spread_figure", minutes=f"{city.middle:g}"), shown)


def left_out(city: City) -> list[Block]:
    """Who does not reach, for which reason, and which groups are worse off."""
    text = partial(say, city.language)
    blocks: list[Block] = [Heading(text("left_out")), _reasons(city)]
    if city.groups:
        blocks.append(_groups(city))
    return blocks


def _reasons(city: City) -> Table:
    text, minutes = partial(say, city.language), f"{city.minutes[-1]:g}"
    last = city.everybody.filter(pl.col("minutes") == city.minutes[-1])
    left = last.with_columns(left=pl.col("people") - pl.col("people_covered"))
    rows: list[list[Value]] = [
        [
            city.class_name(row["class"]),
            row["people_beyond"],
            row["people_not_connected"],
            row["people_not_snapped"],
            row["left"],
            row["left"] / row["people"] if row["people"] else None,
        ]
        for row in left.sort("left", "class", descending=[True, False]).iter_rows(named=True)
    ]
    columns = [
        Column(text("class"), width=2.6),
        *(Column(text(key), "people", 1.2) for key in ("beyond", "not_connected", "not_snapped", "left_people")),
        Column(text("left_share"), "share"),
    ]
    caption = text("reasons_table", minutes=minutes, profile=city.who)
    return Table(caption, columns, rows, sheet=text("left_out"))


def _groups(city: City) -> Table:
    text, few = partial(say, city.language), city.fewest_first[: _FEW + 1]
    walked = {group: city.profile_of(group) for group in ("all", *city.groups)}
    own = pl.col("profile") == pl.col("group").replace_strict(walked)
    now = city.total.filter(own & (pl.col("minutes") == city.middle))
    shares = {(group, name): share for group, name, share in now.select("group", "class", "share").iter_rows()}
    people = dict(now.unique("group", keep="first").select("group", "people").iter_rows())
    rows: list[list[Value]] = [
        [
            group_name(group, city.language),
            profile_name(who, city.language),
            people.get(group),
            *(shares.get((group, name)) for name in few),
        ]
        for group, who in walked.items()
    ]
    columns = [
        Column(text("group"), width=2),
        Column(text("profile"), width=1.1),
        Column(text("group_people"), "people", 1.1),
        *(Column(text("class_share", name=city.class_name(name)), "share", 1.2) for name in few),
    ]
    caption = text("groups_table", minutes=f"{city.middle:g}")
    return Table(caption, columns, rows, sheet=text("group"))
