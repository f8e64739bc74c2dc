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
from walkshed.maps.palette import NO_DATA, NOT_REACHED, class_of, minutes_colours, sequential
from walkshed.maps.sheet import DOOR, HATCH, Mark, Sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from walkshed.language import Language
    from walkshed.network import Network
    from walkshed.study import RunResult

#: Shares that planners speak of; the same on every map, so that two maps compare.
_SHARES = (0.2, 0.4, 0.6, 0.8)
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
        minutes: upper limits of the classes of minutes; the thresholds of the study when None.
        base: streets and water; those of `network`, or none, when None.
        language: of titles and legend: "zh" or "en".
        source: line about the data, printed below; what the run and the base map say when None.

    Returns:
        A matplotlib figure; `maps.save(figure, path)` writes it.

    Raises:
        ValueError: the run has no such class or profile.
        ImportError: matplotlib is not installed.

    """
    who = _profile(result, profile)
    limits = sorted(minutes) if minutes is not None else _thresholds(result)
    classes = _classes(result, who, classes, limits[len(limits) // 2] if minutes is None else None)
    with fonts.chinese():
        cells = result.table("cells").select("cell", "geometry")
        shapes = [wkb.polygons(geometry) for geometry in cells["geometry"].to_physical()]
        marks = _minutes_marks(limits, language)
        titles = [_title(result, name, who, _thresholds(result), language) for name in classes]
        below, credit = _beneath(result, base, network, source)
        sheet = Sheet(
            _around(shapes), titles, _heading(result, who, language), [*marks, _door(language)], credit, below
        )
        times = result.table("times").filter((pl.col("profile") == who) & pl.col("class").is_in(classes))
        for panel, name in enumerate(classes):
            here = cells.join(times.filter(pl.col("class") == name), left_on="cell", right_on="origin_id", how="left")
            sheet.fill(panel, shapes, [marks[_minutes_class(time_s, limits)] for time_s in here["time_s"]])
            doors = result.table("facilities").filter(pl.col("class") == name)
            sheet.dots(panel, doors.select("lon", "lat").rows(), replace(DOOR, size=_door_size(doors.height)))
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
        profile: one of the study's profiles; the first when None.
        minutes: one of the study's thresholds; the middle one when None.
        group: whose share, one of the study's groups or "all".
        level: level of the areas that are drawn; communities when None, or all where there are none.
        base: streets and water; none when None.
        language: of titles and legend: "zh" or "en".
        source: line about the data, printed below; what the run and the base map say when None.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: the run has no such class, profile, threshold, group or level.
        ImportError: matplotlib is not installed.

    """
    who = _profile(result, profile)
    limit = _threshold(result, minutes)
    classes = _classes(result, who, classes, limit)
    with fonts.chinese():
        areas = _areas(result, level)
        shapes = [wkb.polygons(geometry) for geometry in areas["geometry"].to_physical()]
        covered = result.table("coverage").filter(
            (pl.col("profile") == who) & (pl.col("minutes") == limit) & (pl.col("group") == group)
        )
        if covered.is_empty():
            known = result.table("coverage")["group"].unique().sort()
            raise ValueError(f"group {group!r}: the run has {', '.join(known)}")
        marks = _share_marks(language)
        titles = [_share_title(result, name, who, limit, group, language) for name in classes]
        heading = _share_heading(result, who, limit, group, language)
        below, credit = _beneath(result, base, None, source)
        sheet = Sheet(_around(shapes), titles, heading, marks, credit, below, small_ways=False)
        for panel, name in enumerate(classes):
            here = areas.select("area_id").join(
                covered.filter(pl.col("class") == name), on="area_id", how="left", maintain_order="left"
            )
            looks = [marks[-1] if share is None else marks[class_of(share, _SHARES) or 0] for share in here["share"]]
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


def _classes(result: RunResult, who: str, classes: Sequence[str] | None, limit: float | None) -> list[str]:
    """The classes that are asked for, or those that fewest people reach."""
    if isinstance(classes, str):
        classes = [classes]
    total = result.total().filter((pl.col("group") == "all") & (pl.col("profile") == who))
    if classes is None:
        middle = _threshold(result, None) if limit is None else limit
        fewest = total.filter(pl.col("minutes") == middle).sort("share", "class", nulls_last=True)
        return fewest["class"].head(_MOST_PANELS).to_list()
    unknown = sorted(set(classes) - set(total["class"]))
    if unknown or not classes:
        raise ValueError(f"no times for {', '.join(unknown)}; classes: {', '.join(total['class'].unique().sort())}")
    return list(classes)


def _areas(result: RunResult, level: str | None) -> pl.DataFrame:
    areas = result.table("areas")
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
    return base, source if source is not None else base.source or base_map.credit_of(result)


def _minutes_class(time_s: float | None, limits: Sequence[float]) -> int:
    """Place in the legend; beyond the last limit, or without a way, its last entry."""
    return len(limits) if time_s is None else class_of(time_s, [limit * 60 for limit in limits]) or 0


def _minutes_marks(limits: Sequence[float], language: Language) -> list[Mark]:
    unit = "分钟" if language == "zh" else "min"
    steps = zip([0.0, *limits], limits, strict=False)
    labels = [f"{low:g}–{high:g} {unit}" for low, high in steps]
    marks = [Mark(label, colour) for label, colour in zip(labels, minutes_colours(len(limits)), strict=True)]
    beyond = {"zh": f"超过 {limits[-1]:g} 分钟或无路可达", "en": f"over {limits[-1]:g} min or no way"}[language]
    return [*marks, Mark(beyond, NOT_REACHED, hatch=HATCH, edge="#a9a9a9")]


def _share_marks(language: Language) -> list[Mark]:
    limits = [0.0, *_SHARES, 1.0]
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


def _title(result: RunResult, name: str, who: str, minutes: Sequence[float], language: Language) -> str:
    from walkshed.language import class_name

    total = result.total().filter((pl.col("class") == name) & (pl.col("group") == "all") & (pl.col("profile") == who))
    shares = dict(total.select("minutes", "share").iter_rows())
    if language == "zh":
        covered = "，".join(f"{limit:g} 分钟 {shares[limit] or 0:.0%}" for limit in minutes)
        return f"{class_name(name, 'zh')}\n{covered}"
    covered = ", ".join(f"{shares[limit] or 0:.0%} in {limit:g}" for limit in minutes)
    return f"{class_name(name, 'en')}\n{covered} min"


def _share_title(result: RunResult, name: str, who: str, limit: float, group: str, language: Language) -> str:
    from walkshed.language import class_name

    total = result.total().filter(
        (pl.col("class") == name)
        & (pl.col("group") == group)
        & (pl.col("profile") == who)
        & (pl.col("minutes") == limit)
    )
    share: float | None = total["share"].to_list()[0]
    told = "–" if share is None else f"{share:.0%}"
    whole = {"zh": f"全市 {told}", "en": f"whole city {told}"}[language]
    return f"{class_name(name, language)}\n{whole}"
