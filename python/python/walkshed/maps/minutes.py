"""Walking minutes to the nearest facility, cell by cell; and the share of people who are covered, area by area."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from walkshed.maps import base_map, fonts, wkb
from walkshed.maps.base_map import BaseMap
from walkshed.maps.box import Box
from walkshed.maps.palette import NO_DATA, NOT_REACHED, SHARE_BREAKS, class_of, minutes_colours, sequential
from walkshed.maps.sheet import DOOR, HATCH, Mark, Sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from walkshed.language import Language
    from walkshed.network import Network
    from walkshed.study import RunResult

_MOST_PANELS = 6
#: So many doors are drawn in full size.
_FEW_DOORS = 80


def minutes_map(
    result: RunResult,
    classes: Sequence[str] | None = None,
    *,
    network: Network | None = None,
    profile: str | None = None,
    minutes: Sequence[float] | None = None,
    base: BaseMap | None = None,
    language: Language = "en",
    source: str | None = None,
) -> Figure:
    """Draw walking minutes to the nearest facility, one panel per class.

    Args:
        result: a run.
        classes: ids of facility classes; the six that fewest people reach in the middle threshold when None.
        network: streets to draw, where `base` is None.
        profile: one of the study's profiles; the first when None.
        minutes: upper limits of the classes of minutes, none above the largest threshold of the study, up to which
            the run has times; the thresholds when None.
        base: streets and water; those of `network`, or none, when None.
        language: of titles and legend: "zh" or "en".
        source: line about the data, printed below; what the run and the base map say when None.

    Returns:
        A matplotlib figure; `maps.save(figure, path)` writes it.

    Raises:
        ValueError: the run has no such class or profile, or no times up to one of the minutes.
        ImportError: matplotlib is not installed.

    """
    from walkshed.facilities import open_facilities

    who = _profile(result, profile)
    limits = _thresholds(result) if minutes is None else _limits(result, minutes)
    every = result.table("times").filter(pl.col("profile") == who)
    total = result.total().filter(pl.col("profile") == who)
    group = _whose(total["group"])
    shares = total.filter(pl.col("group") == group)
    classes = _classes(every["class"], shares.filter(pl.col("minutes") == _threshold(result, None)), classes)
    doors = open_facilities(result.table("facilities"))
    with fonts.chinese():
        cells = result.table("cells").select("cell", "geometry")
        shapes = [wkb.polygons(geometry) for geometry in cells["geometry"].to_physical()]
        marks = _minutes_marks(limits, language)
        titles = [_title(name, shares.filter(pl.col("class") == name), group, language) for name in classes]
        below, credit = _beneath(result, base, network, source)
        sheet = Sheet(
            _around(shapes), titles, _heading(result, who, language), [*marks, _door(language)], credit, below
        )
        for panel, name in enumerate(classes):
            times = every.filter(pl.col("class") == name)
            here = cells.join(times, left_on="cell", right_on="origin_id", how="left", maintain_order="left")
            sheet.fill(panel, shapes, [marks[_minutes_class(time_s, limits)] for time_s in here["time_s"]])
            mine = doors.filter(pl.col("class") == name)
            sheet.dots(panel, mine.select("lon", "lat").rows(), replace(DOOR, size=_door_size(mine.height)))
        return sheet.finish()


def coverage_map(
    result: RunResult,
    classes: Sequence[str] | None = None,
    *,
    profile: str | None = None,
    minutes: float | None = None,
    group: str = "all",
    level: str | None = None,
    base: BaseMap | None = None,
    language: Language = "en",
    source: str | None = None,
) -> Figure:
    """Draw the share of people who reach a facility, area by area, one panel per class.

    Args:
        result: a run.
        classes: as for `minutes_map`.
        profile: one of the study's profiles that the group walks as; the first of them when None.
        minutes: one of the study's thresholds; the middle one when None.
        group: whose share, one of the study's groups or "all".
        level: level of the areas that are drawn; communities when None, or all where there are none.
        base: streets and water; none when None.
        language: of titles and legend: "zh" or "en".
        source: line about the data, printed below; what the run and the base map say when None.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: the run has no such class, profile, threshold, group or level, or no areas.
        ImportError: matplotlib is not installed.

    """
    limit = _threshold(result, minutes)
    who = _walker(result, group, profile)
    asked = (pl.col("profile") == who) & (pl.col("minutes") == limit) & (pl.col("group") == group)
    total = result.total().filter(asked)
    classes = _classes(total["class"], total, classes)
    with fonts.chinese():
        areas = _areas(result, level)
        shapes = [wkb.polygons(geometry) for geometry in areas["geometry"].to_physical()]
        covered = result.table("coverage").filter(asked)
        marks = _share_marks(language)
        titles = [_share_title(name, total.filter(pl.col("class") == name), language) for name in classes]
        heading = _share_heading(result, who, limit, group, language)
        below, credit = _beneath(result, base, None, source)
        sheet = Sheet(_around(shapes), titles, heading, marks, credit, below, small_ways=False)
        for panel, name in enumerate(classes):
            here = areas.select("area_id").join(
                covered.filter(pl.col("class") == name), on="area_id", how="left", maintain_order="left"
            )
            looks = [
                marks[-1] if share is None else marks[class_of(share, SHARE_BREAKS) or 0] for share in here["share"]
            ]
            sheet.fill(panel, shapes, looks, edge="#ffffff")
            sheet.outline(panel, shapes, colour="#6d747c", width=0.3)
        return sheet.finish()


def _profile(result: RunResult, profile: str | None) -> str:
    known = [str(name) for name in result.report["study"]["coverage"]["profiles"]]
    if profile is not None and profile not in known:
        raise ValueError(f"no times for profile {profile}; the run has {', '.join(known)}")
    return profile or known[0]


def _thresholds(result: RunResult) -> list[float]:
    return sorted(float(limit) for limit in result.report["study"]["coverage"]["minutes"])


def _threshold(result: RunResult, minutes: float | None) -> float:
    known = _thresholds(result)
    if minutes is not None and minutes not in known:
        raise ValueError(f"minutes {minutes:g}: the run has {', '.join(f'{limit:g}' for limit in known)}")
    return known[len(known) // 2] if minutes is None else float(minutes)


def _limits(result: RunResult, minutes: Sequence[float]) -> list[float]:
    """Limits of classes that the run can tell apart: beyond its largest threshold it has no times."""
    limits, most = sorted({float(limit) for limit in minutes}), max(_thresholds(result))
    if not limits:
        raise ValueError(f"minutes []: give at least one limit, up to {most:g}")
    wrong = next((limit for limit in limits if not 0 < limit <= most), None)
    if wrong is not None:
        raise ValueError(f"minutes {wrong:g}: the run has times up to {most:g} min; give limits above 0 and up to that")
    return limits


def _whose(groups: pl.Series) -> str:
    """Whose shares a profile has: of everybody, unless only some groups walk so, of which the first counts."""
    names: list[str] = groups.unique(maintain_order=True).to_list()
    return "all" if "all" in names or not names else names[0]


def _walker(result: RunResult, group: str, profile: str | None) -> str:
    """The profile that a group walks as.

    Raises:
        ValueError: no such profile or group, or the group does not walk so.

    """
    pairs = result.total().select("group", "profile").unique(maintain_order=True).rows()
    mine = [who for one, who in pairs if one == group]
    if not mine:
        known = dict.fromkeys(one for one, _ in pairs)
        raise ValueError(f"group {group!r}: the run has {', '.join(known)}")
    if profile is None or profile in mine:
        return profile or mine[0]
    _profile(result, profile)
    theirs = ", ".join(one for one, who in pairs if who == profile)
    raise ValueError(
        f"group {group!r} as profile {profile!r}: of this run {group} walks as {', '.join(mine)}, "
        f"and as {profile} walks {theirs or 'nobody'}"
    )


def _classes(known: pl.Series, shares: pl.DataFrame, classes: Sequence[str] | None) -> list[str]:
    """The classes that are asked for, or those that fewest people reach, by `class` and `share`."""
    names = known.unique().sort()
    if classes is None:
        fewest = names.to_frame("class").join(shares.select("class", "share"), on="class", how="left")
        return fewest.sort("share", "class", nulls_last=True)["class"].head(_MOST_PANELS).to_list()
    classes = [classes] if isinstance(classes, str) else list(classes)
    unknown = sorted(set(classes) - set(names))
    if unknown or not classes:
        raise ValueError(f"no times for {', '.join(unknown) or 'no class'}; classes: {', '.join(names)}")
    return classes


def _areas(result: RunResult, level: str | None) -> pl.DataFrame:
    areas = result.table("areas").filter(pl.col("geometry").is_not_null())
    if areas.is_empty():
        raise ValueError('the run has no areas whose coverage could be drawn; draw minutes with show="minutes"')
    levels = areas["level"].drop_nulls().unique().sort().to_list() if "level" in areas.columns else []
    if level is not None and level not in levels:
        raise ValueError(f"level {level!r}: the areas of the run have {', '.join(levels) or 'none'}")
    drawn = level or ("community" if "community" in levels else None)
    return areas if drawn is None else areas.filter(pl.col("level") == drawn)


def _around(shapes: Sequence[list[wkb.Polygon]]) -> Box:
    corners = [corner for row in shapes for polygon in row for corner in polygon[0]]
    box = Box.around([corner[0] for corner in corners], [corner[1] for corner in corners])
    if box is None:
        raise ValueError("nothing to draw: the table has no shape")
    return box


def _beneath(
    result: RunResult, base: BaseMap | None, network: Network | None, source: str | None
) -> tuple[BaseMap, str]:
    if base is None:
        base = base_map.EMPTY if network is None else base_map.of_network(network)
    told = source if source is not None else base.source or base_map.credit_of(result)
    return base, base_map.credited(result, told)


def _minutes_class(time_s: float | None, limits: Sequence[float]) -> int:
    """Place in the legend; beyond the last limit, or without a way, its last entry."""
    return len(limits) if time_s is None else class_of(time_s, [round(limit * 600) / 10 for limit in limits]) or 0


def _minutes_marks(limits: Sequence[float], language: Language) -> list[Mark]:
    unit = "分钟" if language == "zh" else "min"
    steps = zip([0.0, *limits], limits, strict=False)
    labels = [f"{low:g}–{high:g} {unit}" for low, high in steps]
    marks = [Mark(label, colour) for label, colour in zip(labels, minutes_colours(len(limits)), strict=True)]
    beyond = {"zh": f"超过 {limits[-1]:g} 分钟或无路可达", "en": f"over {limits[-1]:g} min or no way"}[language]
    return [*marks, Mark(beyond, NOT_REACHED, hatch=HATCH, edge="#a9a9a9")]


def _share_marks(language: Language) -> list[Mark]:
    limits = [0.0, *SHARE_BREAKS, 1.0]
    labels = [f"{low * 100:.0f}–{high * 100:.0f} %" for low, high in itertools.pairwise(limits)]
    marks = [Mark(label, colour) for label, colour in zip(labels, sequential(len(labels)), strict=True)]
    unknown = {"zh": "无人居住或不明", "en": "nobody lives there, or unknown"}[language]
    return [*marks, Mark(unknown, NO_DATA, hatch=HATCH)]


def _door_size(count: int) -> float:
    """Points across: many doors are small, so that they do not hide the minutes."""
    return DOOR.size * min(1.0, max(0.55, math.sqrt(_FEW_DOORS / max(count, 1))))


def _door(language: Language) -> Mark:
    return replace(DOOR, label="设施" if language == "zh" else "facility")


def _study_name(result: RunResult) -> str:
    name = str(result.report["study"]["study"]["name"]).replace("_", " ")
    return f"{name[:1].upper()}{name[1:]}"


def _heading(result: RunResult, who: str, language: Language) -> str:
    from walkshed.language import profile_name

    if language == "zh":
        return f"{_study_name(result)}：到最近设施的步行时间（{profile_name(who, 'zh')}）"
    return f"{_study_name(result)}: walking time to the nearest facility ({profile_name(who, 'en')})"


def _share_heading(result: RunResult, who: str, limit: float, group: str, language: Language) -> str:
    from walkshed.language import group_name, profile_name

    if language == "zh":
        people = "人口" if group == "all" else group_name(group, "zh")
        return f"{_study_name(result)}：步行 {limit:g} 分钟内可达的{people}占比（{profile_name(who, 'zh')}）"
    people = "people" if group == "all" else group_name(group, "en")
    return f"{_study_name(result)}: share of {people} within {limit:g} min on foot ({profile_name(who, 'en')})"


def _title(name: str, shares: pl.DataFrame, group: str, language: Language) -> str:
    """The class and what share reaches it in the thresholds of the study; whose share it is where not everybody's."""
    from walkshed.language import class_name, group_name

    if shares.is_empty():
        return class_name(name, language)
    told = shares.select("minutes", "share").sort("minutes").rows()
    colon = {"zh": "：", "en": ": "}[language]
    who = "" if group == "all" else f"{group_name(group, language)}{colon}"
    if language == "zh":
        covered = "，".join(f"{minutes:g} 分钟 {percent(share)}" for minutes, share in told)
        return f"{class_name(name, 'zh')}\n{who}{covered}"
    covered = ", ".join(f"{percent(share)} in {minutes:g}" for minutes, share in told)
    return f"{class_name(name, 'en')}\n{who}{covered} min"


def _share_title(name: str, total: pl.DataFrame, language: Language) -> str:
    from walkshed.language import class_name

    (share,) = total["share"].to_list()
    whole = {"zh": f"全市 {percent(share)}", "en": f"whole city {percent(share)}"}[language]
    return f"{class_name(name, language)}\n{whole}"


def percent(share: float | None) -> str:
    """A share in whole per cents; with one decimal below 10 % and above 99 %, so that few are not none, nor all.

    >>> percent(0.0048), percent(0.42), percent(0.0), percent(None)
    ('0.5%', '42%', '0%', '–')

    """
    if share is None:
        return "–"
    digits = 1 if 0 < share < 0.1 or 0.99 < share < 1 else 0
    return f"{share:.{digits}%}"
