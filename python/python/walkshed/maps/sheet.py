"""The sheet that maps are drawn on: panels, base map, legend, scale bar, north arrow and credit, each in its place."""

from __future__ import annotations

import importlib
import io
import itertools
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import polars as pl

from walkshed.maps import fonts
from walkshed.maps.base_map import BaseMap
from walkshed.maps.box import Box, round_length_m
from walkshed.maps.palette import DOORS, INK, PAPER, QUIET, STREETS, WATER
from walkshed.maps.wkb import Corner, Line, Polygon

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.path import Path as Outline

MarkKind: TypeAlias = Literal["fill", "line", "dot"]

_METRES_PER_DEGREE = 111_320.0
#: Inches. One map fits a column of 11 cm; several stand three in a row on a page of A4.
_ONE_MAP, _SEVERAL_MAPS, _GAP, _EDGE = 4.3, 2.35, 0.12, 0.08
_SCALE_WIDTH = 1.25
_TITLE, _SUBTITLE, _SMALL, _CREDIT = 10.0, 8.0, 7.5, 6.0
_LINE = 1.35  # of a line of text by its size
#: Widths of streets by rank, in points.
_STREET_POINTS = (0.2, 0.35, 0.6, 0.9)
#: Corners of streets that are told apart on a map, and on one of several.
_MOST_CORNERS, _MOST_SMALL_CORNERS = 40_000, 10_000
HATCH = "//////"
#: Stands in a legend until its words are set: matplotlib leaves out what begins with "_", and users' names may.
_LABEL = "·"


@dataclass(frozen=True)
class Mark:
    """One entry of the legend, and how what it stands for is drawn.

    Attributes:
        label: its words, with units.
        colour: of the fill, line or dot.
        kind: what is drawn.
        hatch: of a fill: lines across it, for print without colours.
        edge: colour of the outline, and of the hatch.
        width: of a line, in points.
        dashes: of a line: "-", "--", ":" or "-.".
        marker: of a dot, as matplotlib names it.
        size: of a dot, in points.

    """

    label: str
    colour: str
    kind: MarkKind = "fill"
    hatch: str = ""
    edge: str = "#9a9a9a"
    width: float = 1.2
    dashes: Literal["-", "--", ":", "-."] = "-"
    marker: str = "o"
    size: float = 4.0


@dataclass
class Sheet:
    """A figure of one map, or of several of the same part of the earth.

    Attributes:
        box: what every map shows.
        titles: one for each map, of one line or more; a single map may have none.
        title: of the whole.
        marks: the legend.
        credit: whom the data are by.
        base: streets and water below.
        small_ways: whether one map shows them; where areas are coloured they only hide the colours.

    """

    box: Box
    titles: Sequence[str]
    title: str
    marks: Sequence[Mark]
    credit: str
    base: BaseMap
    small_ways: bool = True
    figure: Any = field(init=False)  # keyword arguments of matplotlib have no types
    panels: list[Any] = field(init=False)

    def __post_init__(self) -> None:
        """Lay out the sheet from the top down, in inches."""
        self.box = self.box.framed()
        count = len(self.titles)
        columns = min(3, count)
        map_width = _ONE_MAP if count == 1 else _SEVERAL_MAPS
        map_height = map_width * self.box.height / (self.box.width / self.box.stretch)
        width = columns * map_width + (columns - 1) * _GAP + 2 * _EDGE
        title = wrapped(self.title, _TITLE, width - 2 * _EDGE)
        subtitles = [wrapped(each, _SUBTITLE, map_width - _EDGE) for each in self.titles]
        credit = wrapped(self.credit, _CREDIT, width - 2 * _EDGE)
        above = max(map(_lines, subtitles)) * _inches(_SUBTITLE) + 0.06 if any(subtitles) else 0.0
        rows = math.ceil(count / columns)
        legend_columns, legend_height = _legend_size(self.marks, width - 2 * _EDGE - _SCALE_WIDTH)
        head = _lines(title) * _inches(_TITLE) + 0.1
        foot = max(legend_height, 0.42) + 0.12 + _lines(credit) * _inches(_CREDIT) + 0.06
        height = head + rows * (above + map_height + _GAP) + foot
        self.figure = _figure(width, height)
        self._text(title, _EDGE, height - 0.05, _TITLE)
        below = _base_paths(self.base, self._smallest_street())
        self.panels = []
        for place, subtitle in enumerate(subtitles):
            left = _EDGE + place % columns * (map_width + _GAP)
            top = height - head - place // columns * (above + map_height + _GAP) - above
            self.panels.append(self._panel((left, top - map_height, map_width, map_height), subtitle, below))
        self._text(credit, _EDGE, 0.05 + _lines(credit) * _inches(_CREDIT), _CREDIT, colour=QUIET)
        self._legend(legend_columns, foot - 0.02)
        self._scale(map_width, foot)

    def _panel(
        self, inches: tuple[float, float, float, float], title: str, below: list[tuple[Outline, dict[str, Any]]]
    ) -> Any:
        from matplotlib.patches import PathPatch

        width, height = self.figure.get_size_inches()
        left, bottom, wide, high = inches
        axes = self.figure.add_axes((left / width, bottom / height, wide / width, high / height))
        axes.set_xlim(self.box.west, self.box.east)
        axes.set_ylim(self.box.south, self.box.north)
        axes.set_aspect(self.box.stretch)
        axes.set_xticks([])
        axes.set_yticks([])
        for side in axes.spines.values():
            side.set_color("#b9bfc6")
            side.set_linewidth(0.6)
        if title:
            axes.set_title(title, fontsize=_SUBTITLE, loc="left", pad=3, linespacing=_LINE - 0.1, color=INK)
        for path, looks in below:
            axes.add_artist(PathPatch(path, **looks))
        return axes

    def _smallest_street(self) -> int:
        """The rank from which on streets are drawn; no map is made of lines alone."""
        beside = pl.col("lon").is_between(self.box.west, self.box.east)
        beside &= pl.col("lat").is_between(self.box.south, self.box.north)
        ranks = self.base.streets.filter(beside)["rank"]
        if not (ranks > 1).any():
            return 0
        most = _MOST_CORNERS if self.small_ways and len(self.titles) == 1 else _MOST_SMALL_CORNERS
        return next((rank for rank in range(3) if (ranks >= rank).sum() <= most), 3)

    def _text(self, told: str, left: float, top: float, size: float, *, colour: str = INK) -> None:
        width, height = self.figure.get_size_inches()
        self.figure.text(
            left / width, top / height, told, fontsize=size, color=colour, va="top", ha="left", linespacing=_LINE - 0.1
        )

    def _legend(self, columns: int, top: float) -> None:
        if not self.marks:
            return
        width, height = self.figure.get_size_inches()
        marks = _by_rows(self.marks, columns)
        legend = self.figure.legend(
            handles=[_handle(mark) for mark in marks],
            loc="upper left",
            bbox_to_anchor=(_EDGE / width, top / height),
            ncols=columns,
            fontsize=_SMALL,
            frameon=False,
            borderpad=0,
            borderaxespad=0,
            labelspacing=0.45,
            handlelength=1.7,
            handletextpad=0.6,
            columnspacing=1.2,
        )
        for text, mark in zip(legend.get_texts(), marks, strict=True):
            text.set_text(mark.label)

    def _scale(self, map_width: float, foot: float) -> None:
        """A bar of a round number of metres and an arrow to the north, beside the legend and over no data."""
        from matplotlib.lines import Line2D
        from matplotlib.patches import Polygon as Shape

        width, height = self.figure.get_size_inches()
        metres_per_inch = self.box.height * _METRES_PER_DEGREE / self.panels[0].get_position().height / height
        length_m = round_length_m(metres_per_inch * (_SCALE_WIDTH - 0.4))
        long = length_m / metres_per_inch
        right, bottom = width - _EDGE - 0.28, foot - 0.34
        label = f"{length_m:g} m" if length_m < 1000 else f"{length_m / 1000:g} km"
        inches = self.figure.dpi_scale_trans
        ends = [right - long, right - long, right, right], [bottom + 0.05, bottom, bottom, bottom + 0.05]
        self.figure.add_artist(Line2D(*ends, linewidth=1.1, color=INK, transform=inches))
        self._text(label, right - long, bottom + 0.2, _SMALL)
        at = width - _EDGE - 0.09
        arrow = [(at, bottom + 0.3), (at + 0.07, bottom + 0.08), (at, bottom + 0.13), (at - 0.07, bottom + 0.08)]
        self.figure.add_artist(Shape(arrow, linewidth=0, facecolor=INK, transform=inches))
        self._text("N", at - 0.04, bottom + 0.06, _SMALL)

    def fill(self, panel: int, shapes: Sequence[list[Polygon]], marks: Sequence[Mark], *, edge: str = "") -> None:
        """Draw polygons.

        Args:
            panel: which map.
            shapes: polygons of each row.
            marks: the look of each row.
            edge: colour of thin outlines between rows; none when empty.

        """
        from matplotlib.patches import PathPatch

        for mark in dict.fromkeys(marks):
            rows = [row for row, look in zip(shapes, marks, strict=True) if look == mark]
            path = _filled([polygon for row in rows for polygon in row])
            lines = {"linewidth": 0.3, "edgecolor": edge} if edge else {"linewidth": 0.15, "edgecolor": mark.colour}
            self.panels[panel].add_artist(PathPatch(path, facecolor=mark.colour, zorder=2, **lines))
            if mark.hatch:
                looks = {"facecolor": "none", "edgecolor": mark.edge, "linewidth": 0.0, "hatch": mark.hatch}
                self.panels[panel].add_artist(PathPatch(path, zorder=2.1, **looks))

    def outline(self, panel: int, shapes: Iterable[list[Polygon]], *, colour: str = INK, width: float = 0.5) -> None:
        """Draw borders only."""
        from matplotlib.patches import PathPatch

        path = _filled([polygon for row in shapes for polygon in row])
        self.panels[panel].add_artist(PathPatch(path, facecolor="none", edgecolor=colour, linewidth=width, zorder=3.5))

    def lines(self, panel: int, lines: Sequence[Line], mark: Mark, *, above: float = 4.0) -> None:
        """Draw lines that look alike."""
        from matplotlib.patches import PathPatch

        looks: dict[str, Any] = {"edgecolor": mark.colour, "linewidth": mark.width, "linestyle": mark.dashes}
        self.panels[panel].add_artist(
            PathPatch(_drawn(lines), facecolor="none", capstyle="butt", zorder=above, **looks)
        )

    def ways(self, panel: int, ways: pl.DataFrame, mark: Mark, *, above: float = 3.6) -> None:
        """Draw lines that look alike, of a table of corners: `edge`, `lon`, `lat`."""
        from matplotlib.patches import PathPatch

        looks: dict[str, Any] = {"edgecolor": mark.colour, "linewidth": mark.width, "linestyle": mark.dashes}
        path = _ways(ways, "edge")
        self.panels[panel].add_artist(PathPatch(path, facecolor="none", capstyle="butt", zorder=above, **looks))

    def words(self, panel: int, places: Sequence[Corner], told: Sequence[str]) -> None:
        """Write short words beside places, with a halo."""
        from matplotlib.patheffects import withStroke

        for place, each in zip(places, told, strict=True):
            halo = [withStroke(linewidth=1.8, foreground=PAPER)]
            looks: dict[str, Any] = {"fontsize": _SMALL - 0.5, "color": INK, "path_effects": halo, "zorder": 6}
            self.panels[panel].annotate(each, place, xytext=(3.5, 2.5), textcoords="offset points", **looks)

    def dots(self, panel: int, places: Sequence[Corner], mark: Mark, *, sizes: Sequence[float] | None = None) -> None:
        """Draw places as dots that look alike.

        Args:
            panel: which map.
            places: longitude and latitude.
            mark: the look.
            sizes: of each dot, in points; all as the mark says when None.

        """
        if places:
            areas = [each**2 for each in sizes] if sizes is not None else mark.size**2
            lon, lat = zip(*places, strict=True)
            looks: dict[str, Any] = {
                "edgecolors": mark.edge,
                "linewidths": min(0.5, mark.size / 6),
                "marker": mark.marker,
            }
            self.panels[panel].scatter(lon, lat, s=areas, c=mark.colour, zorder=5, **looks)

    def finish(self) -> Figure:
        """The figure, once all is drawn; every name in it is shown letter for letter, whatever signs it has.

        Warns:
            GlyphWarning: a name has characters that no font of this machine has.

        """
        from matplotlib.text import Text

        texts: list[Text] = self.figure.findobj(Text)
        for text in texts:
            text.set_parse_math(False)  # a $ is money, not a formula
        fonts.set_in(texts)
        drawn: Figure = self.figure
        return drawn


def save(figure: Any, path: str | os.PathLike[str], *, dpi: int = 200) -> None:
    """Write a figure as a picture, whole or not at all; the same figure gives the same bytes.

    Args:
        figure: any figure of matplotlib.
        path: `.png`, `.svg` or `.pdf`; a PNG where it has another ending.
        dpi: dots per inch of a PNG.

    Raises:
        OSError: it cannot be written there.

    """
    ending = PurePath(path).suffix.lower()
    kind = ending[1:] if ending in (".svg", ".pdf") else "png"
    undated: dict[str, Any] = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    partial = Path(f"{os.fspath(path)}.partial")
    try:
        with fonts.chinese():
            figure.savefig(partial, format=kind, dpi=dpi, facecolor="white", metadata=undated[kind])
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def wrapped(text: str, size: float, width: float) -> str:
    """A text in lines that are no wider than some inches; Chinese is broken anywhere, other words between them.

    >>> wrapped("walking time to a pharmacy", 10, 1)
    'walking time\\nto a pharmacy'

    """
    most = width * 72 / size
    return "\n".join(line for part in text.split("\n") for line in _broken(part, most))


def _broken(text: str, most: float) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in _words(text):
        if line and ems(line + word.rstrip()) > most:
            lines.append(line.rstrip())
            line = ""
        line += word
    return [*lines, line.rstrip()]


def _words(text: str) -> list[str]:
    """What a line may be broken between: Chinese characters one by one, without a closing sign at its beginning."""
    words: list[str] = []
    for letter in text:
        closing = letter in "，。、；：）》」！？%,.;:)"
        if words and not words[-1].endswith(" ") and (closing or not (_is_wide(letter) or _is_wide(words[-1][-1]))):
            words[-1] += letter
        elif words and letter == " ":
            words[-1] += letter
        else:
            words.append(letter)
    return words


def _is_wide(letter: str) -> bool:
    return ord(letter) > 0x2E7F


def ems(text: str) -> float:
    """About how wide a text is, by its size, and never less than it is: a Chinese character is a square."""
    return sum(map(_em, text))


def _em(letter: str) -> float:
    if _is_wide(letter):
        return 1.0
    if letter in " .,:;'|!()[]ijlftrI":
        return 0.36
    return 0.7 if letter.isupper() or letter in "mw%+–" else 0.565


def _lines(text: str) -> int:
    return text.count("\n") + 1 if text else 0


def _inches(size: float) -> float:
    """How high a line of text is."""
    return size * _LINE / 72


def _legend_size(marks: Sequence[Mark], width: float) -> tuple[int, float]:
    """Columns that fit, and the height of the legend in inches."""
    if not marks:
        return 1, 0.0
    widest = max(ems(mark.label) for mark in marks) * _SMALL / 72 + 0.34
    columns = max(1, min(len(marks), int(width / widest)))
    rows = math.ceil(len(marks) / columns)
    columns = math.ceil(len(marks) / rows)
    return columns, rows * _SMALL * 1.6 / 72


def _by_rows(marks: Sequence[Mark], columns: int) -> list[Mark]:
    """Marks in an order that reads along rows, for a legend that is filled column by column."""
    return [mark for column in range(columns) for mark in marks[column::columns]]


def _handle(mark: Mark) -> Any:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    if mark.kind == "fill":
        edge = mark.edge if mark.hatch else "#8a9099"
        return Patch(facecolor=mark.colour, edgecolor=edge, linewidth=0.4, hatch=mark.hatch or None, label=_LABEL)
    if mark.kind == "line":
        return Line2D([], [], color=mark.colour, linewidth=mark.width, linestyle=mark.dashes, label=_LABEL)
    looks: dict[str, Any] = {"markerfacecolor": mark.colour, "markeredgecolor": mark.edge, "markeredgewidth": 0.5}
    return Line2D([], [], color="none", marker=mark.marker, markersize=mark.size, label=_LABEL, **looks)


def _drawn(lines: Iterable[Line]) -> Outline:
    """Lines as one path, which is drawn at once."""
    from matplotlib.path import Path as Outline

    corners: list[Corner] = []
    codes: list[int] = []
    for line in lines:
        corners += line
        codes += [int(Outline.MOVETO), *[int(Outline.LINETO)] * (len(line) - 1)]
    return Outline(corners or [(0.0, 0.0)], codes or None)


def _ways(lines: pl.DataFrame, key: str) -> Outline:
    """Lines of a table of corners as one path."""
    from matplotlib.path import Path as Outline

    begins = (pl.col(key) != pl.col(key).shift(1)).fill_null(True)
    codes = lines.select(pl.when(begins).then(int(Outline.MOVETO)).otherwise(int(Outline.LINETO)).cast(pl.UInt8))
    if lines.is_empty():
        return _drawn([])
    return Outline(lines.select("lon", "lat").to_numpy(), codes.to_series().to_numpy())


def _filled(polygons: Iterable[Polygon]) -> Outline:
    """Polygons with their holes as one path."""
    return _drawn(ring for polygon in polygons for ring in _wound(polygon))


def _wound(polygon: Polygon) -> Polygon:
    """The outline counterclockwise and holes clockwise: paths are filled by winding."""
    return [ring if (_area(ring) > 0) == (place == 0) else ring[::-1] for place, ring in enumerate(polygon)]


def _area(ring: Line) -> float:
    return sum(x * v - u * y for (x, y), (u, v) in itertools.pairwise(ring))


def _base_paths(base: BaseMap, smallest: int) -> list[tuple[Outline, dict[str, Any]]]:
    """Water, which lies below what a map is about, and streets by rank, thinly above it; each with its look."""
    rings = base.water.group_by("polygon", "ring", maintain_order=True).agg("lon", "lat")
    water: dict[int, Polygon] = {}
    for polygon, lon, lat in rings.select("polygon", "lon", "lat").iter_rows():
        water.setdefault(polygon, []).append(list(zip(lon, lat, strict=True)))
    paths = [(_filled(water.values()), {"facecolor": WATER, "edgecolor": "none", "zorder": 1.0})]
    for rank, width in list(enumerate(_STREET_POINTS))[smallest:]:
        ways = base.streets.filter(pl.col("rank") == rank)
        looks = {"facecolor": "none", "edgecolor": STREETS, "linewidth": width, "alpha": 0.5, "zorder": 3 + rank / 10}
        paths.append((_ways(ways, "line"), looks))
    return paths


def _png(figure: Any) -> bytes:
    picture = io.BytesIO()
    with fonts.chinese():
        figure.savefig(picture, format="png", dpi=150)
    return picture.getvalue()


def _figure(width: float, height: float) -> Figure:
    """An empty figure in inches, which nobody has to close.

    Only where a notebook shows all open figures at the end of a cell, and closes them, pyplot knows it.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    looks: dict[str, Any] = {"figsize": (width, height), "facecolor": PAPER}
    # Not by its own `[...]`, which chooses and loads a backend where there is none yet.
    known: Any = matplotlib.rcParams
    if "inline" in str(dict[str, Any].get(known, "backend")):
        pyplot: Any = importlib.import_module("matplotlib.pyplot")
        shown: Figure = pyplot.figure(FigureClass=_figure_class(), **looks)
        return shown
    figure = _figure_class()(**looks)
    FigureCanvasAgg(figure)
    return figure


def _figure_class() -> type[Figure]:
    """A figure that a notebook shows once: at the end of its cell, or later where it is the last line of another."""
    from matplotlib.figure import Figure as Plain

    class MapFigure(Plain):
        def _ipython_display_(self) -> None:
            from matplotlib import pyplot

            # The inline backend shows what is open through this very method when the cell has ended.
            pyplot.close(self)
            notebook: Any = importlib.import_module("IPython.display")
            notebook.display({"image/png": _png(self)}, raw=True)

    return MapFigure


DOOR = Mark("", DOORS, "dot", edge=PAPER, size=3.2)
"""How facilities look."""
