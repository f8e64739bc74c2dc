"""Charts as SVG: bars that planners read numbers from."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from walkshed.maps.fonts import FAMILY
from walkshed.maps.svg import svg, text_width_px
from walkshed.report.content import told

_INK, _QUIET, _GRID = "#222222", "#666666", "#dfe3e6"
_SIZE = 10.0


class Bar(NamedTuple):
    """One bar: its label, and values in the order of the series; None is not known."""

    label: str
    values: Sequence[float | None]


def shares(bars: Sequence[Bar], series: Sequence[tuple[str, str]], *, width_px: int = 640) -> str:
    """Bars of shares that include each other, as coverage within 5, 10 and 15 minutes.

    Args:
        bars: shares 0..1 that do not fall from one series to the next.
        series: label and colour of each.
        width_px: width of the picture.

    Returns:
        SVG with a legend above, a grid of fifths, and the last share of each bar as text.

    """
    left = min(width_px * 0.4, 12 + max((text_width_px(bar.label, _SIZE) for bar in bars), default=0))
    room, top, step = width_px - left - 46, 44.0, 19.0
    bottom = top + step * len(bars)
    drawn = [
        _legend(series, left),
        *(_grid(left + room * tenth / 5, top, bottom, f"{tenth * 20}%") for tenth in range(6)),
    ]
    for row, bar in enumerate(bars):
        y = top + step * row
        drawn.append(_text(left - 6, y + 13, bar.label, "end"))
        before = 0.0
        for value, (_, colour) in zip(bar.values, series, strict=True):
            if value is not None and value > before:
                drawn.append(_box(left + room * before, y + 4, room * (value - before), step - 7, colour))
                before = value
        last = bar.values[-1]
        drawn.append(_text(left + room * before + 5, y + 13, told(last, "share"), colour=_QUIET))
    return svg("".join(drawn), width_px, round(bottom + 8))


def columns(
    bars: Sequence[Bar],
    *,
    colours: Sequence[str],
    x_title: str,
    y_title: str,
    width_px: int = 640,
    height_px: int = 230,
) -> str:
    """Columns of counts side by side, as communities by score.

    Args:
        bars: one value each.
        colours: one for each bar.
        x_title: what the labels are.
        y_title: what is counted.
        width_px: width of the picture.
        height_px: height of the picture.

    Returns:
        SVG with the count above each column.

    """
    left, top, bottom = 12.0, 30.0, height_px - 40.0
    most = max((bar.values[0] or 0 for bar in bars), default=0) or 1
    step = (width_px - left - 12) / max(len(bars), 1)
    drawn = [_text(left, 14, y_title, colour=_QUIET), _text(width_px - 12, height_px - 6, x_title, "end", _QUIET)]
    for place, (bar, colour) in enumerate(zip(bars, colours, strict=True)):
        value = bar.values[0] or 0
        tall = (bottom - top) * value / most
        middle = left + step * (place + 0.5)
        drawn.append(_box(middle - step * 0.4, bottom - tall, step * 0.8, tall, colour))
        drawn.append(_text(middle, bottom - tall - 4, told(value, "number"), "middle"))
        drawn.append(_text(middle, bottom + 15, bar.label, "middle"))
    drawn.append(f'<path d="M{left} {bottom}H{width_px - 12}" stroke="{_QUIET}" stroke-width=".8"/>')
    return svg("".join(drawn), width_px, height_px)


def _legend(series: Sequence[tuple[str, str]], left: float) -> str:
    drawn, x = list[str](), left
    for label, colour in series:
        drawn.append(_box(x, 6, 13, 10, colour) + _text(x + 18, 15, label))
        x += 34 + text_width_px(label, _SIZE)
    return "".join(drawn)


def _grid(x: float, top: float, bottom: float, label: str) -> str:
    line = f'<path d="M{x:.1f} {top}V{bottom}" stroke="{_GRID}" stroke-width=".8"/>'
    return line + _text(x, top - 5, label, "middle", _QUIET)


def _box(x: float, y: float, wide: float, tall: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" fill="{colour}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = _INK) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-family="{FAMILY}" font-size="{_SIZE:g}" fill="{colour}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )
