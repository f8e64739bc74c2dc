"""Chapters about what results stand on: data, method and limits."""

from __future__ import annotations

from functools import partial
from typing import Any

import polars as pl

from walkshed.language import profile_name, word
from walkshed.profile import profile
from walkshed.report.content import As, Block, Bullets, Column, Formula, Heading, Kind, Paragraph, Table, Value
from walkshed.report.facts import City
from walkshed.report.words import known, say


def data(city: City) -> list[Block]:
    """Inputs with hashes, people, facilities, network, and rows that were left out."""
    text = partial(say, city.language)
    blocks: list[Block] = [Heading(text("data")), _inputs(city), _people(city), _network(city)]
    if any(city.result.report["facilities_not_open"].values()):
        blocks.append(_not_open(city))
    rejected = [
        _reasons(city, city.result.report["rejected"], "rejected_table"),
        _reasons(city, _counts(city), "rejected_scores_table"),
    ]
    left_out = [table for table in rejected if table is not None]
    told = _reasons(city, city.result.report["told"], "told_table")
    blocks += left_out or [Paragraph(text("nothing_rejected"))]
    return blocks if told is None else [*blocks, told]


def _counts(city: City) -> dict[str, int]:
    """Rows that were left out for the scorecard, by reason."""
    if city.scorecard is None:
        return {}
    return dict(city.scorecard.rejected.group_by("reason", maintain_order=True).len().iter_rows())


def _inputs(city: City) -> Table:
    text = partial(say, city.language)
    of_run: list[dict[str, Any]] = city.result.report["inputs"]
    plans: list[dict[str, Any]] = [] if city.scenarios is None else city.scenarios.report["inputs"]
    read = {(one["path"], one["sha256"]): one for one in (*of_run, *city.read)}
    known = {one["sha256"] for one in read.values()}
    read |= {(one["path"], one["sha256"]): one for one in plans if one["sha256"] not in known}
    rows: list[list[Value]] = [[city.input_name(one["path"]), one["bytes"], one["sha256"]] for one in read.values()]
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
        rejected_rows(city).unique("reason", keep="first", maintain_order=True).select("reason", message).iter_rows()
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
    if not city.has_heights:
        blocks.append(Paragraph(text("method_flat")))
    elif tobler:
        blocks += [Paragraph(text("method_slope")), Formula(text("formula_slope"))]
        blocks.append(Paragraph(text("method_reference"), quiet=True))
    else:
        blocks.append(Paragraph(text("method_other_slope")))
    time = text("method_time" if city.is_to_facility else "method_time_from")
    blocks += [_profiles(city, profiles), Paragraph(time)]
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
    """Settings one below the other, profiles side by side: what is closed to a profile is told so."""
    text = partial(say, city.language)
    rows: list[list[Value]] = [
        [text(key), *(_setting(city, each, name, kind, without) for each in profiles)]
        for key, name, kind, without in _SETTINGS
    ]
    who = [Column(profile_name(str(each["name"]), city.language), "rate") for each in profiles]
    columns = [Column(text("setting"), width=1.8), *who]
    caption = text("profiles_settings_table")
    return Table(caption, columns, rows, text("profiles_note"), caption)


#: What a profile is made of: its words, its name, what it is, and the words for a profile that has none.
_SETTINGS: tuple[tuple[str, str, Kind, str], ...] = (
    ("flat_mps", "flat_mps", "rate", ""),
    ("slope_function", "slope", "text", ""),
    ("max_slope", "max_slope", "share", "no_limit"),
    ("stairs_up", "stairs_up_mps", "rate", "cannot_use"),
    ("stairs_down", "stairs_down_mps", "rate", "cannot_use"),
    ("short_stairs_up", "short_stairs_up_mps", "rate", "cannot_use"),
    ("short_stairs_down", "short_stairs_down_mps", "rate", "cannot_use"),
    ("rest", "rest_s_per_m", "score", ""),
    ("handrail", "no_handrail_factor", "score", ""),
    ("ramp", "ramp_mps", "rate", "not_used"),
    ("escalator", "escalator_mps", "rate", "cannot_use"),
    ("lift_wait", "lift_wait_s", "score", "cannot_use"),
    ("lift_floor", "lift_s_per_floor", "score", ""),
)


def _setting(city: City, settings: dict[str, Any], name: str, kind: Kind, without: str) -> Value:
    """A setting, or what it means that there is none; a short flight is climbed as long stairs where it is not said."""
    value = settings.get(name)
    if value is None and name.startswith("short_"):
        value = settings.get(name.removeprefix("short_"))
    if value is None:
        return say(city.language, without) if without and len(settings) > 1 else None
    return As(value, kind) if isinstance(value, (int, float)) else str(value)


def limits(city: City) -> list[Block]:
    """What is not known, and what results do not say."""
    text, report = partial(say, city.language), city.result.report
    told = [text(key) for key in ("limit_profiles", "limit_nearest", "limit_cells", "limit_safety", "limit_data")]
    if not city.has_heights:
        told.insert(0, text("method_flat"))
    joint = "、" if city.language == "zh" else ", "
    for key, why in (("classes_without_facilities", "limit_empty"), ("classes_not_open", "limit_not_open")):
        if report[key]:
            told.append(text(why, names=joint.join(city.class_name(name) for name in report[key])))
    if city.scorecard is not None:
        told.append(text("limit_score"))
    crs = report["study"]["study"]["analysis_crs"]
    coordinates = known(city.language, f"coordinates_{crs}") or report["coordinates"]
    told.append(text("limit_crs", coordinates=coordinates))
    return [Heading(text("limits")), Bullets(told)]


def rejected_rows(city: City) -> pl.DataFrame:
    """Rows of the inputs that were left out or told of, those of the scorecard after those of the run."""
    if city.scorecard is None or not city.scorecard.rejected.height:
        return city.rejected
    return pl.concat([city.rejected, city.scorecard.rejected], how="diagonal_relaxed")
