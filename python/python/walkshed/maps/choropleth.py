"""Rows with a shape, coloured by one of their columns."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import polars as pl

from walkshed.maps import fonts, wkb
from walkshed.maps.base_map import EMPTY, BaseMap
from walkshed.maps.box import Box
from walkshed.maps.palette import (
    BETTER,
    NO_DATA,
    class_of,
    equal_breaks,
    kinds,
    minutes_colours,
    quantile_breaks,
    score_breaks,
    sequential,
)
from walkshed.maps.sheet import HATCH, Mark, Sheet
from walkshed.maps.wkb import Corner, Line, Polygon

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from walkshed.arrow import TableLike
    from walkshed.language import Language
    from walkshed.score import Scorecard

Scheme: TypeAlias = 'Literal["quantiles", "equal"] | Sequence[float]'

#: Kinds beyond these are drawn as one, for there are no more colours that are told apart.
_MOST_KINDS = 8
#: Larger whole numbers are told by their first figures only.
_LARGEST_WHOLE = 1e15
#: Columns of how near something is: what is near is dark, as on every map of minutes.
_NEARNESS = ("minutes", "time_s")
#: Columns of words, and what kind of word each has.
_WORDS = {"grade": "grade", "grade_low": "grade", "grade_high": "grade", "status": "status", "level": "level"}
#: What columns of a scorecard are called.
_SCORES = {
    "low": ("得分下限：未知项计零", "Score, nothing for what is unknown"),
    "high": ("得分上限：未知项计满", "Score, everything for what is unknown"),
    "observed": ("已知项得分", "Score of what is known"),
    "known_weight": ("已知项所占权重", "Weight of what is known"),
    "grade": ("完整社区等级", "Grade of communities"),
    "grade_low": ("等级下限", "Grade, nothing for what is unknown"),
    "grade_high": ("等级上限", "Grade, everything for what is unknown"),
}


def shapes_map(
    table: pl.DataFrame,
    column: str | None,
    *,
    scheme: Scheme = "quantiles",
    k: int = 5,
    order: Sequence[str] | None = None,
    title: str | None = None,
    unit: str = "",
    base: BaseMap | None = None,
    language: Language = "en",
    source: str = "",
) -> Figure:
    """Draw rows, coloured by a column.

    Args:
        table: any columns, and `geometry` as WKB: points, lines or polygons. Of shapes that lie over each other the
            smaller ones are on top.
        column: numbers, in classes; or words or truth values, each a kind of its own, and of more than eight kinds the
            rare ones as one. None draws all alike.
        scheme: "quantiles" (as many rows in each class), "equal" (as wide), or the upper limits of all classes but
            the last.
        k: how many classes.
        order: words that have an order, the lowest first; they are coloured like numbers.
        title: of the map; the name of the column when None.
        unit: of the numbers, for the legend.
        base: streets and water below; none when None.
        language: of the legend: "zh" or "en".
        source: line about the data, printed below; what the base map says when empty.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: no such column, no shape, or a scheme that cannot be.
        ImportError: matplotlib is not installed.

    """
    if column is not None and (column not in table.columns or column == "geometry"):
        known = ", ".join(name for name in table.columns if name != "geometry")
        raise ValueError(f"column {column!r}: the table has {known}")
    shapes = [_Shape.read(geometry) for geometry in table["geometry"].to_physical()]
    box = _box(shapes)
    values = pl.repeat(None, len(shapes), eager=True) if column is None else table[column]
    marks, looks = _looks(values, column, scheme, k, order, unit, language)
    below = base or EMPTY
    heading = title if title is not None else (column or "").replace("_", " ")
    kind = next(shape.kind for shape in shapes if shape.kind)
    with fonts.chinese():
        legend = [replace(mark, kind=kind, width=1.6) for mark in marks]
        sheet = Sheet(box, [""], heading, legend if column else [], source or below.source, below, small_ways=False)
        drawn = sorted(zip(shapes, looks, strict=True), key=lambda pair: -pair[0].size)
        sheet.fill(0, [shape.polygons for shape, _ in drawn], [look for _, look in drawn], edge="#ffffff")
        for mark in dict.fromkeys(looks):
            alike = [shape for shape, look in drawn if look == mark]
            sheet.lines(0, [line for shape in alike for line in shape.lines], replace(mark, kind="line", width=1.6))
            dots = replace(mark, kind="dot", edge="#ffffff")
            sheet.dots(0, [point for shape in alike for point in shape.points], dots)
        return sheet.finish()


class _Shape:
    """One row's points, lines and polygons."""

    def __init__(self, points: list[Corner], lines: list[Line], polygons: list[Polygon]) -> None:
        self.points, self.lines, self.polygons = points, lines, polygons
        around = self.corners()
        box = Box.around([corner[0] for corner in around], [corner[1] for corner in around])
        self.size = 0.0 if box is None else box.width * box.height

    @classmethod
    def read(cls, geometry: bytes | None) -> _Shape:
        return cls(wkb.points(geometry), wkb.lines(geometry), wkb.polygons(geometry))

    def corners(self) -> list[Corner]:
        outlines = [polygon[0] for polygon in self.polygons]
        return [*self.points, *(corner for line in (*self.lines, *outlines) for corner in line)]

    @property
    def kind(self) -> Literal["fill", "line", "dot"] | None:
        """How the legend shows it; None for nothing."""
        return "fill" if self.polygons else "line" if self.lines else "dot" if self.points else None


def _box(shapes: Sequence[_Shape]) -> Box:
    corners = [corner for shape in shapes for corner in shape.corners()]
    box = Box.around([corner[0] for corner in corners], [corner[1] for corner in corners])
    if box is None:
        raise ValueError("nothing to draw: no row has a shape")
    return box


def _looks(
    values: pl.Series,
    column: str | None,
    scheme: Scheme,
    k: int,
    order: Sequence[str] | None,
    unit: str,
    language: Language,
) -> tuple[list[Mark], list[Mark]]:
    """The legend, and the look of each row."""
    if column is None:
        alike = Mark("", BETTER)
        return [], [alike for _ in values]
    if values.dtype.is_numeric():
        numbers: list[float | None] = values.cast(pl.Float64).to_list()
        limits = _limits(numbers, scheme, k)
        scale = minutes_colours if column in _NEARNESS else sequential
        classes, marks = _numeric(numbers, limits, scale(len(limits) + 1), unit)
    else:
        classes, marks = _worded(values.to_list(), column, order, language)
    absent = sum(place is None for place in classes)
    if absent:
        undecided = {"zh": "未定：有情况不明", "en": "undecided"}
        word = (undecided if _WORDS.get(column) == "grade" else {"zh": "无数据", "en": "no value"})[language]
        marks.append(Mark(f"{word} ({absent:,})", NO_DATA, hatch=HATCH))
    return [mark for mark in marks if mark.label], [marks[-1 if place is None else place] for place in classes]


def _limits(numbers: Sequence[float | None], scheme: Scheme, k: int) -> list[float]:
    if k < 1:
        raise ValueError(f"k {k}: use 1 class or more")
    if scheme == "quantiles":
        return quantile_breaks(numbers, k)
    if scheme == "equal":
        return equal_breaks(numbers, k)
    if isinstance(scheme, str):
        raise ValueError(f'scheme {scheme!r}: use "quantiles", "equal", or a list of limits')
    limits = [float(limit) for limit in scheme]
    if limits != sorted(set(limits)):
        raise ValueError(f"scheme {limits}: give limits in ascending order")
    return limits


def _numeric(
    numbers: Sequence[float | None], limits: Sequence[float], colours: Sequence[str], unit: str
) -> tuple[list[int | None], list[Mark]]:
    """Classes of numbers; the legend says from what to what each one really reaches, and how many rows it has."""
    classes = [class_of(number, limits) for number in numbers]
    inside: list[list[float]] = [[] for _ in colours]
    for number, place in zip(numbers, classes, strict=True):
        if number is not None and place is not None:
            inside[place].append(number)
    ranges = iter(_ranges([(min(each), max(each)) for each in inside if each]))
    after = f" {unit}" if unit else ""
    labels = [f"{next(ranges)}{after} ({len(each):,})" if each else "" for each in inside]
    return classes, [Mark(label, colour) for label, colour in zip(labels, colours, strict=True)]


def _ranges(ends: Sequence[tuple[float, float]]) -> list[str]:
    """Words for classes from the lowest to the highest, with as many figures as tell them apart, and at least three.

    >>> _ranges([(0.5, 12.25), (13, 1234.5)]), _ranges([(123.01, 123.02), (123.04, 123.04)])
    (['0.5–12.2', '13–1,234'], ['123.01–123.02', '123.04'])

    """
    told: list[str] = []
    for figures in range(3, sys.float_info.dig + 3):
        told = [_range(low, high, figures) for low, high in ends]
        if len(set(told)) == len(told):
            break
    return told


def _range(low: float, high: float, figures: int) -> str:
    least, most = _number(low, figures), _number(high, figures)
    return least if least == most else f"{least}–{most}"


def _number(value: float, figures: int) -> str:
    """A number; whole numbers, and those before the point of any, are never rounded to figures."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == round(value) and abs(value) < _LARGEST_WHOLE:
        return f"{value:,.0f}"
    return f"{value:,.{max(figures, len(f'{abs(value):.0f}')) if abs(value) < _LARGEST_WHOLE else figures}g}"


def _worded(
    values: Sequence[object], column: str, order: Sequence[str] | None, language: Language
) -> tuple[list[int | None], list[Mark]]:
    """Kinds: in their order, or the most frequent first; those without a colour of their own are one."""
    told = [None if value is None else _truth(value, language) for value in values]
    counts = {value: told.count(value) for value in dict.fromkeys(told) if value is not None}
    if order is not None:
        names = [*(name for name in order if name in counts), *sorted(counts.keys() - set(order))]
        colours = sequential(len(names))
    else:
        names = sorted(counts, key=lambda name: (-counts[name], name))
        colours = kinds(min(len(names), _MOST_KINDS))
    shown = names if len(names) <= len(colours) else names[: _MOST_KINDS - 1]
    marks = [
        Mark(f"{_word(column, name, language)} ({counts[name]:,})", colour)
        for name, colour in zip(shown, colours, strict=False)
    ]
    if len(shown) < len(names):
        others = sum(counts[name] for name in names[len(shown) :])
        marks.append(Mark(f"{ ({'zh': '其他', 'en': 'others'}[language]) } ({others:,})", colours[-1]))
    place = {name: min(at, len(marks) - 1) for at, name in enumerate(names)}
    return [None if each is None else place.get(each) for each in told], marks


def _truth(value: object, language: Language) -> str:
    """A value as text; yes and no are words of their language."""
    if isinstance(value, bool):
        return {"zh": "是" if value else "否", "en": "yes" if value else "no"}[language]
    return str(value)


def _word(column: str, value: str, language: Language) -> str:
    from walkshed.language import class_name, profile_name, word

    if column == "class":
        return class_name(value, language)
    if column == "profile":
        return profile_name(value, language)
    return word(_WORDS[column], value, language) if column in _WORDS else value.replace("_", " ")


def scores_map(
    scorecard: Scorecard,
    areas: TableLike,
    column: str,
    *,
    title: str | None = None,
    base: BaseMap | None = None,
    language: Language = "en",
    source: str = "",
) -> Figure:
    """Draw communities by their score or grade.

    Args:
        scorecard: scores of communities.
        areas: `area_id` and a polygon; those without a score are left out.
        column: "low", "high", "observed" (points, in five classes of the same width on every map), "known_weight", or
            "grade", "grade_low", "grade_high".
        title: of the map.
        base: streets and water below; none when None.
        language: of title and legend: "zh" or "en".
        source: line about the data, printed below; what the base map says when empty.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: `areas` lacks a column.
        ValueError: no such column, or no area has a score.
        ImportError: matplotlib is not installed.

    """
    from walkshed import _engine
    from walkshed.arrow import frame, to_engine
    from walkshed.grades import grade_order

    shapes = frame(_engine.edit_areas("[]", to_engine(areas, "areas"))[0]).select("area_id", "geometry")
    totals = scorecard.totals
    scored = totals.drop("geometry", strict=False).join(shapes, on="area_id", how="inner", maintain_order="left")
    if scored.is_empty():
        raise ValueError(f"areas: none has a score; the scorecard has {', '.join(totals['area_id'].head(3))}, …")
    words = column in _WORDS
    return shapes_map(
        scored,
        column,
        scheme=score_breaks(totals["total_points"]),
        order=grade_order([totals]) if words else None,
        title=title if title is not None else _SCORES.get(column, (column, column))[language == "en"],
        unit="" if words or column == "known_weight" else {"zh": "分", "en": "points"}[language],
        base=base,
        language=language,
        source=source,
    )
