"""Chapters about what results stand on: data, method and limits."""

from __future__ import annotations

from functools import partial
from typing import Any

import polars as pl

from walkshed.language import profile_name, word
from walkshed.profile import profile
from walkshed.report.content import Block, Bullets, Column, Formula, Heading, Paragraph, Table, Value
from walkshed.report.facts import City
from walkshed.report.words import known, say


def data(city: City) -> list[Block]:
    """Inputs with hashes, people, facilities, network, and rows that were left out."""
    text = partial(say, city.language)
    blocks: list[Block] = [Heading(text("data")), _inputs(city), _people(city), _network(city)]
    if any(city.result.report["facilities_not_open"].values()):
        blocks.append(_not_open(city))
    rejected = _reasons(city, city.result.report["rejected"], "rejected_table")
    told = _reasons(city, city.result.report["told"], "told_table")
    blocks.append(Paragraph(text("nothing_rejected")) if rejected is None else rejected)
    return blocks if told is None else [*blocks, told]


def _inputs(city: City) -> Table:
    text = partial(say, city.language)
    rows: list[list[Value]] = [
        [city.input_name(one["path"]), one["bytes"], one["sha256"]] for one in city.result.report["inputs"]
    ]
    columns = [Column(text("file"), width=1.7), Column(text("bytes"), "number"), Column(text("sha256"), width=4.4)]
    return Table(text("inputs_table"), columns, rows, sheet=text("inputs_table"))


def _people(city: City) -> Table:
    text, people = partial(say, city.language), city.result.report["people"]
    rows: list[list[Value]] = [
        [text("stated"), people.get("stated")],
        [text("in_cells"), people.get("in_cells")],
        [text("outside"), people.get("outside_areas")],
        [text("unsnapped"), people.get("not_snapped")],
    ]
    columns = [Column(text("indicator"), width=3), Column(text("value"), "people")]
    return Table(text("people_table"), columns, rows, sheet=text("people_table"))


def _network(city: City) -> Table:
    text = partial(say, city.language)
    lengths = sorted(city.result.report["network"]["length_km"].items(), key=lambda way: (-way[1], way[0]))
    rows: list[list[Value]] = [[word("way", kind, city.language), length] for kind, length in lengths]
    columns = [Column(text("way"), width=3), Column(text("length_km"), "km")]
    return Table(text("streets_table"), columns, rows, sheet=text("streets_table"))


def _not_open(city: City) -> Table:
    text = partial(say, city.language)
    states = city.result.report["facilities_not_open"].items()
    rows: list[list[Value]] = [[word("state", state, city.language), count] for state, count in states]
    columns = [Column(text("state"), width=3), Column(text("facilities_count"), "number")]
    return Table(text("not_open_table"), columns, rows, sheet=text("state"))


def _reasons(city: City, counts: dict[str, int], caption: str) -> Table | None:
    """Reasons with how many rows each has and the first of them in words."""
    text, message = partial(say, city.language), "message_zh" if city.language == "zh" else "message"
    if not counts:
        return None
    first = dict(
        city.rejected.unique("reason", keep="first", maintain_order=True).select("reason", message).iter_rows()
    )
    rows: list[list[Value]] = [
        [reason, count, first.get(reason, known(city.language, f"told_{reason}"))] for reason, count in counts.items()
    ]
    columns = [Column(text("reason"), width=1.6), Column(text("rows"), "number", 0.7), Column(text("example"), width=5)]
    return Table(text(caption), columns, rows, sheet=text(caption))


def method(city: City) -> list[Block]:
    """How results are computed, with formulas and their sources."""
    text = partial(say, city.language)
    settings = {str(each["name"]): each for each in city.result.report["study"].get("profile", [])}
    profiles = [_profile(name, settings) for name in city.profiles]
    blocks: list[Block] = [Heading(text("method")), Paragraph(text("method_network"))]
    tobler = any(each.get("slope") == "tobler" for each in profiles)
    if not city.result.report["study"]["streets"].get("elevation"):
        blocks.append(Paragraph(text("method_flat")))
    elif tobler:
        blocks += [Paragraph(text("method_slope")), Formula(text("formula_slope"))]
        blocks.append(Paragraph(text("method_reference"), quiet=True))
    blocks += [_profiles(city, profiles), Paragraph(text("method_time"))]
    blocks += [Paragraph(text("method_share")), Formula(text("formula_share"))]
    if city.scorecard is not None:
        blocks.append(Paragraph(text("method_score")))
    return blocks


def _profile(name: str, own: dict[str, Any]) -> dict[str, Any]:
    """Settings of a profile: the study's own, else those that come with walkshed."""
    if name in own:
        return dict(own[name])
    try:
        return vars(profile(name)) | {"name": name}
    except ValueError:
        return {"name": name}


def _profiles(city: City, profiles: list[dict[str, Any]]) -> Table:
    text, keys = partial(say, city.language), ("flat_mps", "stairs_up_mps", "stairs_down_mps", "lift_wait_s")
    rows: list[list[Value]] = [
        [profile_name(str(each["name"]), city.language), each.get("slope"), *(_plain(each.get(key)) for key in keys)]
        for each in profiles
    ]
    columns = [
        Column(text("profile"), width=1.6),
        Column(text("slope_function"), width=1.4),
        Column(text("flat_mps"), "rate"),
        Column(text("stairs_up"), "rate"),
        Column(text("stairs_down"), "rate"),
        Column(text("lift_wait"), "number"),
    ]
    return Table(text("profiles_settings_table"), columns, rows, sheet=text("profiles_settings_table"))


def _plain(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def limits(city: City) -> list[Block]:
    """What is not known, and what results do not say."""
    text, report = partial(say, city.language), city.result.report
    told = [text(key) for key in ("limit_profiles", "limit_nearest", "limit_cells", "limit_safety", "limit_data")]
    if not report["study"]["streets"].get("elevation"):
        told.insert(0, text("method_flat"))
    empty = [*report["classes_without_facilities"], *report["classes_not_open"]]
    if empty:
        joint = "、" if city.language == "zh" else ", "
        told.append(text("limit_empty", names=joint.join(city.class_name(name) for name in empty)))
    if city.scorecard is not None:
        told.append(text("limit_score"))
    told.append(text("limit_crs", coordinates=report["coordinates"]))
    return [Heading(text("limits")), Bullets(told)]


def rejected_rows(city: City) -> pl.DataFrame:
    """Rows of the inputs that were left out or told of, those of the scorecard after those of the run."""
    if city.scorecard is None or not city.scorecard.rejected.height:
        return city.rejected
    return pl.concat([city.rejected, city.scorecard.rejected], how="diagonal_relaxed")
