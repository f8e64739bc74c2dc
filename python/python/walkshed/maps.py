"""Maps as pictures, drawn without any map service."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from walkshed.facilities import facility_classes
from walkshed.network import Network
from walkshed.study import RunResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Blue to amber, told apart by every kind of colour vision (ColorBrewer PuOr and RdBu ends); grey where no way is known.
_NEAR_TO_FAR = ("#2b6cb0", "#93c4e6", "#f6c36b")
_NOT_REACHED = "#d9d9d9"
_STREETS, _DOORS = "#5f6b7a", "#111111"
_CJK_FONTS = (
    "Noto Sans SC",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "PingFang SC",
)


def minutes_map(
    result: RunResult,
    classes: Sequence[str] | None = None,
    *,
    network: Network | None = None,
    profile: str | None = None,
    source: str = "",
) -> Figure:
    """Draw walking minutes to the nearest facility, one panel per class.

    Args:
        result: a run.
        classes: ids of facility classes; the six that fewest people reach in the middle threshold when None.
        network: streets to draw beneath; none when None.
        profile: one of the study's profiles; the first when None.
        source: line about the data, printed below.

    Returns:
        A matplotlib figure; `figure.savefig(path)` writes it.

    Raises:
        ValueError: the run has no such class or profile.

    """
    from matplotlib import pyplot

    settings = result.report["study"]["coverage"]
    who = profile or settings["profiles"][0]
    minutes = sorted(settings["minutes"])[:3]
    cells, facilities = result.table("cells"), result.table("facilities")
    times = result.table("times").filter(pl.col("profile") == who)
    classes = _fewest_reached(result, who, minutes) if classes is None else classes
    unknown = set(classes) - set(times["class"].unique())
    if unknown or times.is_empty():
        known = times["class"].unique().sort()
        raise ValueError(f"no times for {', '.join(sorted(unknown)) or who}; classes: {', '.join(known)}")
    columns = min(3, len(classes))
    rows = math.ceil(len(classes) / columns)
    stretch = 1 / math.cos(math.radians(_middle(cells["lat"])))
    height = (3.6 * _aspect(cells, stretch) + 0.5) * rows + 0.9
    figure, grid = pyplot.subplots(rows, columns, figsize=(3.6 * columns + 0.4, height), squeeze=False)
    with pyplot.rc_context(_fonts()):
        for axes, name in zip(grid.flat, classes, strict=False):
            here = cells.join(times.filter(pl.col("class") == name), left_on="cell", right_on="origin_id", how="left")
            doors = facilities.filter(pl.col("class") == name)
            _panel(axes, here, doors, network, minutes, stretch)
            axes.set_title(_title(result, name, who, minutes), fontsize=9, loc="left")
        for axes in list(grid.flat)[len(classes) :]:
            axes.set_axis_off()
        _furniture(figure, list(grid.flat)[len(classes) - 1], minutes, result, who, source)
    return figure


def _fewest_reached(result: RunResult, who: str, minutes: list[float]) -> list[str]:
    middle = minutes[len(minutes) // 2]
    total = result.total().filter(
        (pl.col("group") == "all") & (pl.col("profile") == who) & (pl.col("minutes") == middle)
    )
    return total.sort("share", "class")["class"].head(6).to_list()


def save(figure: Figure, path: str | os.PathLike[str], *, dpi: int = 160) -> None:
    """Write a figure as a picture, whole or not at all."""
    partial = f"{os.fspath(path)}.partial.png"
    figure.savefig(partial, dpi=dpi, facecolor="white")
    os.replace(partial, path)


def _panel(
    axes: Axes,
    cells: pl.DataFrame,
    doors: pl.DataFrame,
    network: Network | None,
    minutes: list[float],
    stretch: float,
) -> None:
    from matplotlib.collections import PolyCollection

    colours = [_colour(time_s, minutes) for time_s in cells["time_s"]]
    outlines = [_outline(wkb) for wkb in cells["geometry"]]
    axes.add_collection(PolyCollection(outlines, facecolors=colours, edgecolors="none", zorder=1))
    if network is not None:
        _draw_streets(axes, network)
    axes.scatter(doors["lon"], doors["lat"], s=12, c=_DOORS, edgecolors="white", linewidths=0.6, zorder=3)
    axes.set_aspect(stretch)
    corners = [corner for outline in outlines for corner in outline]
    longitudes, latitudes = [lon for lon, _ in corners], [lat for _, lat in corners]
    axes.set_xlim(min(longitudes), max(longitudes))
    axes.set_ylim(min(latitudes), max(latitudes))
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_visible(False)


def _draw_streets(axes: Axes, network: Network) -> None:
    from matplotlib.collections import LineCollection

    ways = network.lines().filter(pl.col("kind") != "square")
    lines = ways.group_by("edge", maintain_order=True).agg("lon", "lat")
    runs = [list(zip(lon, lat, strict=True)) for lon, lat in lines.select("lon", "lat").iter_rows()]
    axes.add_collection(LineCollection(runs, colors=_STREETS, linewidths=0.35, alpha=0.55, zorder=2))


def _colour(time_s: float | None, minutes: list[float]) -> str:
    if time_s is None:
        return _NOT_REACHED
    return _NEAR_TO_FAR[sum(time_s > limit * 60 for limit in minutes)]


def _outline(wkb: bytes) -> list[tuple[float, float]]:
    """Read the outer ring of a little-endian WKB polygon, as the engine writes cells."""
    import struct

    (count,) = struct.unpack_from("<I", wkb, 9)
    values = struct.unpack_from(f"<{2 * count}d", wkb, 13)
    return list(zip(values[::2], values[1::2], strict=True))


def _title(result: RunResult, name: str, who: str, minutes: list[float]) -> str:
    names = facility_classes().filter(pl.col("class") == name)
    title = str(names["name_en"].first() or name)
    if _cjk_font() and names.height:
        title = f"{names['name_zh'].first()!s} {title}"
    total = result.total().filter((pl.col("class") == name) & (pl.col("group") == "all") & (pl.col("profile") == who))
    shares = dict(total.select("minutes", "share").iter_rows())
    covered = ", ".join(f"{shares[limit] or 0:.0%} in {limit:g}" for limit in minutes)
    return f"{title}\n{covered} min"


def _furniture(figure: Figure, last: Axes, minutes: list[float], result: RunResult, who: str, source: str) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    limits = [0.0, *minutes]
    steps = [f"{low:g}-{high:g} min" for low, high in zip(limits, minutes, strict=False)]
    marks: list[Any] = [Patch(facecolor=colour, label=step) for colour, step in zip(_NEAR_TO_FAR, steps, strict=False)]
    marks.append(Patch(facecolor=_NOT_REACHED, label=f"over {minutes[-1]:g} min or no way"))
    marks.append(
        Line2D(
            [],
            [],
            marker="o",
            color="none",
            markerfacecolor=_DOORS,
            markeredgecolor="white",
            label="facility",
        )
    )
    name = result.report["study"]["study"]["name"].replace("_", " ")
    inch = 1 / figure.get_figheight()
    title = f"{name[:1].upper()}{name[1:]}: walking time to the nearest facility ({who})"
    figure.suptitle(title, x=0.02, y=1 - 0.1 * inch, va="top", ha="left", fontsize=12)
    figure.legend(
        handles=marks,
        loc="lower left",
        bbox_to_anchor=(0.01, 0.2 * inch),
        ncols=len(marks),
        fontsize=7,
        frameon=False,
    )
    figure.text(0.02, 0.08 * inch, source, fontsize=6, color="#555555", va="bottom")
    figure.tight_layout(rect=(0, 0.45 * inch, 1, 1 - 0.35 * inch))
    _scale_bar(last)


def _scale_bar(axes: Axes) -> None:
    """Draw a bar of a round number of metres, and north."""
    west, east = axes.get_xlim()
    south, north = axes.get_ylim()
    metres_per_degree = 111_320 * math.cos(math.radians((south + north) / 2))
    wanted = (east - west) * metres_per_degree / 4
    power = 10 ** math.floor(math.log10(wanted))
    length_m = max(step * power for step in (1, 2, 5) if step * power <= wanted)
    x, y = east - length_m / metres_per_degree, south + (north - south) * 0.02
    axes.plot([x, east], [y, y], color="black", linewidth=2, solid_capstyle="butt", zorder=4)
    label = f"{length_m:g} m" if length_m < 1000 else f"{length_m / 1000:g} km"
    axes.annotate(label, ((x + east) / 2, y), xytext=(0, 3), textcoords="offset points", ha="center", fontsize=7)
    axes.annotate(
        "N",
        xy=(0.97, 0.98),
        xytext=(0.97, 0.88),
        xycoords="axes fraction",
        ha="center",
        va="center",
        fontsize=8,
        arrowprops={"arrowstyle": "-|>", "color": "black", "linewidth": 0.8},
    )


def _middle(values: pl.Series) -> float:
    return float(values.min() + values.max()) / 2  # type: ignore[operator, arg-type]


def _aspect(cells: pl.DataFrame, stretch: float) -> float:
    width = float(cells["lon"].max() - cells["lon"].min())  # type: ignore[operator, arg-type]
    height = float(cells["lat"].max() - cells["lat"].min())  # type: ignore[operator, arg-type]
    return min(2.0, max(0.4, (height + 1e-3) * stretch / (width + 1e-3)))


def _cjk_font() -> str | None:
    from matplotlib import font_manager

    known = {font.name for font in font_manager.fontManager.ttflist}
    return next((font for font in _CJK_FONTS if font in known), None)


def _fonts() -> Any:
    font = _cjk_font()
    return {"font.family": [font, "DejaVu Sans"]} if font else {}
