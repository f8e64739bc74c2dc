"""What a scenario changes: who walks shorter and who longer, and where its edits are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from walkshed.maps import fonts, wkb
from walkshed.maps.base_map import BaseMap
from walkshed.maps.box import Box
from walkshed.maps.palette import diverging
from walkshed.maps.sheet import HATCH, Mark, Sheet
from walkshed.maps.wkb import Corner, Line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from walkshed.language import Language

#: What becomes of a walk, from the best to the worst; the one-map page parts it and colours it alike.
_WORDS: dict[str, tuple[str, ...]] = {
    "zh": (
        "新增可达",
        "缩短 5 分钟以上",
        "缩短 2–5 分钟",
        "缩短不足 2 分钟",
        "时间不变",
        "延长不足 2 分钟",
        "延长 2–5 分钟",
        "延长 5 分钟以上",
        "不再可达",
    ),
    "en": (
        "newly reached",
        "over 5 min shorter",
        "2–5 min shorter",
        "less than 2 min shorter",
        "as long as before",
        "less than 2 min longer",
        "2–5 min longer",
        "over 5 min longer",
        "no longer reached",
    ),
}
_NEW, _SAME, _LOST = 0, 4, 8
_MOST_PANELS = 6
#: Around what changes: a share of its longer side, and at least about half a kilometre.
_MARGIN, _LEAST_MARGIN = 0.12, 0.005
_LINK, _PLACE = "#b0126b", "#ffd21f"
#: Lines across what gets worse: dark ones, and crossed light ones on the dark colour of who arrives nowhere any more.
_LONGER_EDGE, _LOST_HATCH, _LOST_EDGE = "#5c3a1e", "xxxxxx", "#f6c891"


def change_map(
    cells: pl.DataFrame,
    edits: Sequence[Mapping[str, Any]],
    *,
    name: str,
    profile: str,
    classes: Sequence[str] | None,
    base: BaseMap,
    box: Box,
    language: Language,
    source: str,
) -> Figure:
    """Draw minutes that cells gain or lose, one panel per class.

    Args:
        cells: `class`, `profile`, `people`, `before_s`, `after_s`, `geometry`. A time is null where nothing is
            reached.
        edits: of the scenario, with the keys of its TOML file; those that have a place are drawn.
        name: of the scenario.
        profile: who walks.
        classes: ids; the six that change for most people when None.
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
    walks = _changes(cells, profile)
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
            became: list[int] = here["change"].to_list()
            sheet.fill(panel, shapes, [marks[place] for place in became])
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


def _changes(cells: pl.DataFrame, profile: str) -> pl.DataFrame:
    """Walks of a profile with `change`, their places in `_WORDS`."""
    # Times are whole tenths of a second; as such they compare without an error of rounding.
    before, after = ((pl.col(name) * 10).round() for name in ("before_s", "after_s"))
    shorter_min = (before - after) / 600
    change = (
        pl.when(before.is_null() & after.is_null()).then(_SAME)
        .when(before.is_null()).then(_NEW)
        .when(after.is_null()).then(_LOST)
        .when(shorter_min > 5).then(1)
        .when(shorter_min >= 2).then(2)
        .when(shorter_min > 0).then(3)
        .when(shorter_min == 0).then(_SAME)
        .when(shorter_min > -2).then(5)
        .when(shorter_min >= -5).then(6)
        .otherwise(7)
    )  # fmt: skip
    return cells.filter(pl.col("profile") == profile).with_columns(change=change)


def _classes(walks: pl.DataFrame, classes: Sequence[str] | None, name: str, profile: str) -> list[str]:
    most = walks.group_by("class").agg(pl.col("people").filter(pl.col("change") != _SAME).sum())
    known = most.sort("people", "class", descending=[True, False])["class"].to_list()
    if isinstance(classes, str):
        classes = [classes]
    unknown = sorted(set(classes or []) - set(known))
    if unknown or not known:
        changed = f"; it changes those to {', '.join(known)}" if known else ""
        raise ValueError(f"{name}: no walk of {profile} to {', '.join(unknown) or 'any class'} changes{changed}")
    return list(classes) if classes else known[:_MOST_PANELS]


def _marks(walks: pl.DataFrame, language: Language) -> list[Mark]:
    """All classes from the greatest gain to the greatest loss; those that nobody has are without words."""
    told, found = _WORDS[language], set(walks["change"])
    marks: list[Mark] = []
    for place, (words, colour) in enumerate(zip(told, reversed(diverging(len(told))), strict=True)):
        hatch = _LOST_HATCH if place == _LOST else HATCH if place > _SAME else ""
        edge = _LOST_EDGE if place == _LOST else _LONGER_EDGE
        marks.append(Mark(words if place in found else "", colour, hatch=hatch, edge=edge))
    return marks


def _places(edits: Sequence[Mapping[str, Any]], language: Language) -> list[tuple[Mark, list[Corner]]]:
    """Edits of one place, by what they do."""
    kinds = {
        "open_facility": Mark("", _PLACE, "dot", edge="#111111", marker="*", size=9),
        "move_facility": Mark("", _PLACE, "dot", edge="#111111", marker="D", size=5),
        "new_homes": Mark("", "#ffffff", "dot", edge="#111111", marker="s", size=5),
    }
    found = _by_kind(edits, kinds, "place", language)
    at = {
        "close_link": Mark("", _LINK, "dot", edge="#ffffff", marker="X", size=7),
        "open_link": Mark("", _LINK, "dot", edge="#ffffff", marker="P", size=7),
        "retime_link": Mark("", _LINK, "dot", edge="#ffffff", marker="d", size=6),
    }
    return [*found, *_by_kind(edits, at, "at", language)]


def _by_kind(
    edits: Sequence[Mapping[str, Any]], kinds: Mapping[str, Mark], key: str, language: Language
) -> list[tuple[Mark, list[Corner]]]:
    from walkshed.language import word

    found: list[tuple[Mark, list[Corner]]] = []
    for kind, look in kinds.items():
        corners = [_corner(edit[key]) for edit in edits if edit["do"] == kind and edit.get(key) is not None]
        if corners:
            found.append((replace(look, label=word("edit", kind, language)), corners))
    return found


def _links(edits: Sequence[Mapping[str, Any]], language: Language) -> list[tuple[Mark, list[Line]]]:
    from walkshed.language import word

    found: list[tuple[Mark, list[Line]]] = []
    added = [edit for edit in edits if edit["do"] == "add_link"]
    if added:
        lines = [[_corner(end) for end in (edit["from"], *edit.get("via", ()), edit["to"])] for edit in added]
        found.append((Mark(word("edit", "add_link", language), _LINK, "line", width=2.4), lines))
    areas = [
        [_corner(corner) for corner in ring] for edit in edits if edit["do"] == "set_area" for ring in edit["outline"]
    ]
    if areas:
        found.append((Mark(word("edit", "set_area", language), "#111111", "line", width=1.0, dashes="--"), areas))
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

    change = pl.col("change")
    new, shorter, longer, lost = here.select(
        pl.col("people").filter(inside).sum().alias(name)
        for name, inside in (
            ("new", change == _NEW),
            ("shorter", change.is_between(_NEW, _SAME, closed="none")),
            ("longer", change.is_between(_SAME, _LOST, closed="none")),
            ("lost", change == _LOST),
        )
    ).row(0)
    if language == "zh":
        gained = f"，{new:,.0f} 人新增可达" if new else ""
        missed = f"，{lost:,.0f} 人不再可达" if lost else ""
        return f"{class_name(class_, 'zh')}\n{shorter:,.0f} 人缩短，{longer:,.0f} 人延长{gained}{missed}"
    gained = f", newly reached by {new:,.0f}" if new else ""
    missed = f", no longer reached by {lost:,.0f}" if lost else ""
    return f"{class_name(class_, 'en')}\nshorter for {shorter:,.0f} people, longer for {longer:,.0f}{gained}{missed}"
