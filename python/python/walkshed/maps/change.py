"""What a scenario changes: who walks shorter and who longer, and where its edits are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from walkshed.maps import fonts, wkb
from walkshed.maps.base_map import BaseMap
from walkshed.maps.box import Box
from walkshed.maps.palette import class_of, diverging
from walkshed.maps.sheet import HATCH, Mark, Sheet
from walkshed.maps.wkb import Corner, Line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from walkshed.language import Language

#: Upper limits of classes of change, in minutes; what does not change is between the two small ones.
_LIMITS = (-5.0, -2.0, -0.05, 0.05, 2.0, 5.0)
_WORDS: dict[str, tuple[str, ...]] = {
    "zh": (
        "缩短 5 分钟以上",
        "缩短 2–5 分钟",
        "缩短不足 2 分钟",
        "时间不变",
        "延长不足 2 分钟",
        "延长 2–5 分钟",
        "延长 5 分钟以上",
    ),
    "en": (
        "over 5 min shorter",
        "2–5 min shorter",
        "less than 2 min shorter",
        "as long as before",
        "less than 2 min longer",
        "2–5 min longer",
        "over 5 min longer",
    ),
}
_MOST_PANELS = 6
#: Around what changes: a share of its longer side, and at least about half a kilometre.
_MARGIN, _LEAST_MARGIN = 0.12, 0.005
_LINK, _PLACE = "#b0126b", "#ffd21f"


def change_map(
    cells: pl.DataFrame,
    edits: Sequence[Mapping[str, Any]],
    *,
    name: str,
    profile: str,
    cutoff_minutes: float,
    classes: Sequence[str] | None,
    base: BaseMap,
    box: Box,
    language: Language,
    source: str,
) -> Figure:
    """Draw minutes that cells gain or lose, one panel per class.

    Args:
        cells: `class`, `profile`, `people`, `before_s`, `after_s`, `geometry`. Who reaches nothing within the cut-off
            counts as walking so long.
        edits: of the scenario, with the keys of its TOML file; those that have a place are drawn.
        name: of the scenario.
        profile: who walks.
        cutoff_minutes: of the searches.
        classes: ids; the six that change most when None.
        base: streets and water below.
        box: what is shown.
        language: of titles and legend.
        source: line about the data, printed below.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: nothing changes for this profile, or not for one of the classes.
        ImportError: matplotlib is not installed.

    """
    walks = _changes(cells, profile, cutoff_minutes)
    classes = _classes(walks, classes, name, profile)
    marks = _marks(walks.filter(pl.col("class").is_in(classes)), language)
    places, links = _places(edits, language), _links(edits, language)
    titles = [_title(walks.filter(pl.col("class") == each), each, language) for each in classes]
    legend = [mark for mark in marks if mark.label] + [mark for mark, _ in (*places, *links)]
    with fonts.chinese():
        sheet = Sheet(box, titles, _heading(name, profile, language), legend, source or base.source, base)
        for panel, each in enumerate(classes):
            here = walks.filter(pl.col("class") == each)
            shapes = [wkb.polygons(geometry) for geometry in here["geometry"].to_physical()]
            sheet.fill(panel, shapes, [marks[class_of(change, _LIMITS) or 0] for change in here["change_min"]])
            for mark, lines in links:
                sheet.lines(panel, lines, mark, above=5)
            for mark, corners in places:
                sheet.dots(panel, corners, mark)
        return sheet.finish()


def box_of(cells: pl.DataFrame, edits: Sequence[Mapping[str, Any]], profile: str) -> Box:
    """The part of a city that a scenario changes.

    Args:
        cells: as for `change_map`.
        edits: as for `change_map`.
        profile: who walks.

    Returns:
        A box with a margin.

    Raises:
        ValueError: nothing changes, and no edit has a place.

    """
    geometry = cells.filter(pl.col("profile") == profile)["geometry"].to_physical()
    corners = [corner for each in geometry for polygon in wkb.polygons(each) for corner in polygon[0]]
    corners += [corner for _, found in _places(edits, "en") for corner in found]
    corners += [corner for _, lines in _links(edits, "en") for line in lines for corner in line]
    box = Box.around([corner[0] for corner in corners], [corner[1] for corner in corners])
    if box is None:
        raise ValueError(f"nothing to draw: the scenario changes no walk of {profile}")
    return box.grown(max(box.side * _MARGIN, _LEAST_MARGIN))


def _changes(cells: pl.DataFrame, profile: str, cutoff_minutes: float) -> pl.DataFrame:
    before, after = (pl.col(name).fill_null(cutoff_minutes * 60) for name in ("before_s", "after_s"))
    return cells.filter(pl.col("profile") == profile).with_columns(change_min=(after - before) / 60)


def _classes(walks: pl.DataFrame, classes: Sequence[str] | None, name: str, profile: str) -> list[str]:
    most = walks.group_by("class").agg((pl.col("people") * pl.col("change_min").abs()).sum())
    known = most.sort("people", "class", descending=[True, False])["class"].to_list()
    if isinstance(classes, str):
        classes = [classes]
    unknown = sorted(set(classes or []) - set(known))
    if unknown or not known:
        changed = f"; it changes those to {', '.join(known)}" if known else ""
        raise ValueError(f"{name}: no walk of {profile} to {', '.join(unknown) or 'any class'} changes{changed}")
    return list(classes) if classes else known[:_MOST_PANELS]


def _marks(walks: pl.DataFrame, language: Language) -> list[Mark]:
    """The seven classes from the greatest gain to the greatest loss; those that nobody has are without words."""
    told = _WORDS[language]
    found = [class_of(change, _LIMITS) for change in walks["change_min"]]
    marks: list[Mark] = []
    for place, (words, colour) in enumerate(zip(told, reversed(diverging(7)), strict=True)):
        longer = place > len(_LIMITS) // 2
        marks.append(Mark(words if place in found else "", colour, hatch=HATCH if longer else "", edge="#5c3a1e"))
    return marks


def _places(edits: Sequence[Mapping[str, Any]], language: Language) -> list[tuple[Mark, list[Corner]]]:
    """Edits of one place, by what they do."""
    kinds = {
        "open_facility": (("新增设施", "new facility"), Mark("", _PLACE, "dot", edge="#111111", marker="*", size=9)),
        "move_facility": (("迁移设施", "moved facility"), Mark("", _PLACE, "dot", edge="#111111", marker="D", size=5)),
        "new_homes": (("新增住户", "new homes"), Mark("", "#ffffff", "dot", edge="#111111", marker="s", size=5)),
    }
    found = _by_kind(edits, kinds, "place", language)
    at = {
        "close_link": (("关闭道路", "closed way"), Mark("", _LINK, "dot", edge="#ffffff", marker="X", size=7)),
        "open_link": (("重新开放道路", "reopened way"), Mark("", _LINK, "dot", edge="#ffffff", marker="P", size=7)),
        "retime_link": (("调整通行时间", "retimed way"), Mark("", _LINK, "dot", edge="#ffffff", marker="d", size=6)),
    }
    return [*found, *_by_kind(edits, at, "at", language)]


def _by_kind(
    edits: Sequence[Mapping[str, Any]], kinds: Mapping[str, tuple[tuple[str, str], Mark]], key: str, language: Language
) -> list[tuple[Mark, list[Corner]]]:
    found: list[tuple[Mark, list[Corner]]] = []
    for kind, (words, look) in kinds.items():
        corners = [_corner(edit[key]) for edit in edits if edit["do"] == kind and edit.get(key) is not None]
        if corners:
            found.append((replace(look, label=words[language == "en"]), corners))
    return found


def _links(edits: Sequence[Mapping[str, Any]], language: Language) -> list[tuple[Mark, list[Line]]]:
    found: list[tuple[Mark, list[Line]]] = []
    added = [edit for edit in edits if edit["do"] == "add_link"]
    if added:
        lines = [[_corner(end) for end in (edit["from"], *edit.get("via", ()), edit["to"])] for edit in added]
        word = {"zh": "新增连接", "en": "new link"}[language]
        found.append((Mark(word, _LINK, "line", width=2.4), lines))
    areas = [
        [_corner(corner) for corner in ring] for edit in edits if edit["do"] == "set_area" for ring in edit["outline"]
    ]
    if areas:
        word = {"zh": "调整后的分区", "en": "area as redrawn"}[language]
        found.append((Mark(word, "#111111", "line", width=1.0, dashes="--"), areas))
    return found


def _corner(place: Sequence[float]) -> Corner:
    return float(place[0]), float(place[1])


def _heading(name: str, profile: str, language: Language) -> str:
    from walkshed.language import profile_name

    if language == "zh":
        return f"{name}：到最近设施的步行时间变化（{profile_name(profile, 'zh')}）"
    return f"{name}: change of the walk to the nearest facility ({profile_name(profile, 'en')})"


def _title(here: pl.DataFrame, class_: str, language: Language) -> str:
    from walkshed.language import class_name

    people = pl.col("people")
    small = _LIMITS[3]
    gain, lose = here.select(
        gain=people.filter(pl.col("change_min") < -small).sum(), lose=people.filter(pl.col("change_min") > small).sum()
    ).row(0)
    if language == "zh":
        return f"{class_name(class_, 'zh')}\n{gain:,.0f} 人缩短，{lose:,.0f} 人延长"
    return f"{class_name(class_, 'en')}\nshorter for {gain:,.0f} people, longer for {lose:,.0f}"
