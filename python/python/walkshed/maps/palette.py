"""Colours and classes of maps: told apart by every kind of colour vision, and in grey print.

Scales run evenly in lightness, so that neighbours differ there too; `tests/test_maps.py` holds them against simulated
protanopia, deuteranopia and tritanopia. Colours are `#rrggbb`.

>>> minutes_colours(2)
['#1c4e89', '#fbe08c']
>>> class_of(10, [5, 10, 15])
1
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence

Lab = tuple[float, float, float]

#: Ends and turns of the scales; everything between them is mixed in CIELAB.
_NEAR_TO_FAR = ("#1c4e89", "#3684a4", "#8db796", "#fbe08c")
_LOW_TO_HIGH = ("#f7f0c4", "#8abc9f", "#26809f", "#1d3f7c")
_WORSE_TO_BETTER = ("#7f2f04", "#d9721e", "#f6c891", "#f5f3f0", "#a9cce5", "#3f86bd", "#123f74")
#: Kinds without an order: after M. Okabe and K. Ito, "Color Universal Design" (2008), sorted so that neighbours differ
#: in lightness.
_KINDS = ("#0072b2", "#e69f00", "#56b4e9", "#d55e00", "#f0e442", "#009e73", "#cc79a7", "#4d4d4d")

NOT_REACHED = "#d9d9d9"
"""Where no facility is reached within the longest time; pictures hatch it too."""
NO_DATA = "#ececec"
"""Where a value is null."""
STREETS, WATER, DOORS = "#5f6b7a", "#c3dcec", "#111111"
PAPER, INK, QUIET = "#ffffff", "#222222", "#555555"
WORSE, BETTER = "#d9721e", "#3f86bd"

SHARE_BREAKS = (0.2, 0.4, 0.6, 0.8)
"""Upper limits of classes of a share, the same on every map and page, so that two of them compare.

A share is put in its class by `class_of`, as exactly as it stands in its table and before it is rounded to be shown:
20 % are in the class of 0–20 %, 20.04 % are not.
"""


def minutes_colours(count: int) -> list[str]:
    """Colours of classes of minutes, from near (dark) to far (light).

    Args:
        count: how many, from 1.

    """
    return _spread(_NEAR_TO_FAR, count)


def sequential(count: int) -> list[str]:
    """Colours from low (light) to high (dark).

    Args:
        count: how many, from 1.

    """
    return _spread(_LOW_TO_HIGH, count)


def diverging(count: int) -> list[str]:
    """Colours from worse (brown) over nothing (nearly white) to better (blue).

    Args:
        count: how many, from 1; an odd number has the middle.

    """
    return _spread(_WORSE_TO_BETTER, count)


def kinds(count: int) -> list[str]:
    """Colours of kinds that have no order; after eight they begin again.

    Args:
        count: how many.

    """
    return [_KINDS[place % len(_KINDS)] for place in range(count)]


def quantile_breaks(values: Iterable[float | None], k: int) -> list[float]:
    """Upper limits of all but the last of k classes that hold equally many values.

    Args:
        values: numbers; None and NaN are passed over.
        k: classes that are wanted, from 1.

    Returns:
        At most k - 1 limits, ascending, each one of the values; a value equal to a limit is in the class below it.
        Equal values stay in one class, so there may be fewer.

    >>> quantile_breaks([1, 2, 3, 4], 2), quantile_breaks([7, 7, 7, 9], 4)
    ([2.0], [7.0])

    """
    known = sorted(float(value) for value in values if value is not None and not math.isnan(value))
    limits = {known[math.ceil(len(known) * place / k) - 1] for place in range(1, k)} if known else set[float]()
    return sorted(limit for limit in limits if limit < known[-1])


def equal_breaks(values: Iterable[float | None], k: int) -> list[float]:
    """Upper limits of all but the last of k classes that are equally wide.

    Args:
        values: numbers; None, NaN and infinities are passed over.
        k: classes that are wanted, from 1.

    Returns:
        k - 1 limits, ascending; none where all values are equal.

    """
    known = [float(value) for value in values if value is not None and math.isfinite(value)]
    if not known or min(known) == max(known):
        return []
    step = (max(known) - min(known)) / k
    return [min(known) + step * place for place in range(1, k)]


def score_breaks(total_points: Iterable[float | None]) -> list[float]:
    """Upper limits of the classes of scores on every map of one standard, but the last.

    Args:
        total_points: what communities can have at most; None is passed over.

    Returns:
        Four limits in points; fifths of 100 where no community can have any.

    """
    most = max((points for points in total_points if points is not None), default=100.0)
    return [most * share for share in SHARE_BREAKS]


def class_of(value: float | None, breaks: Sequence[float]) -> int | None:
    """The class that a value is in: the one rule of figures, pages and documents.

    A value on a limit is in the class that ends there, as 5 min are within 5 min. Values are compared as they are,
    never as they are rounded to be shown.

    Args:
        value: a number; None and NaN are in no class.
        breaks: upper limits of all classes but the last, ascending; a value equal to one is in the class below it.

    Returns:
        0 for the lowest; None for no class.

    """
    return None if value is None or math.isnan(value) else bisect_left(breaks, value)


def _spread(anchors: Sequence[str], count: int) -> list[str]:
    """Colours at equal steps along a line of anchors in CIELAB; the ends are among them from two on."""
    if count == 1:
        return [anchors[0] if len(anchors) % 2 == 0 else anchors[len(anchors) // 2]]
    mixed: list[str] = []
    for place in range(count):
        along = place / (count - 1) * (len(anchors) - 1)
        before = min(int(along), len(anchors) - 2)
        mixed.append(_mix(anchors[before], anchors[before + 1], along - before))
    return mixed


def _mix(first: str, second: str, share: float) -> str:
    one, other = to_lab(first), to_lab(second)
    lightness, a, b = (start + (end - start) * share for start, end in zip(one, other, strict=True))
    return _from_lab((lightness, a, b))


#: White of D65, and the matrices of sRGB (IEC 61966-2-1).
_WHITE = (0.95047, 1.0, 1.08883)
_TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
_FROM_XYZ = ((3.2406, -1.5372, -0.4986), (-0.9689, 1.8758, 0.0415), (0.0557, -0.2040, 1.0570))


def to_lab(colour: str) -> Lab:
    """CIELAB of a colour, under D65: lightness 0..100, a and b.

    Args:
        colour: `#rrggbb`.

    """
    linear = [_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5)]
    x, y, z = (
        _root(sum(part * channel for part, channel in zip(row, linear, strict=True)) / white)
        for row, white in zip(_TO_XYZ, _WHITE, strict=True)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _from_lab(lab: Lab) -> str:
    lightness, a, b = lab
    middle = (lightness + 16) / 116
    roots = (middle + a / 500, middle, middle - b / 200)
    xyz = [_cube(root) * white for root, white in zip(roots, _WHITE, strict=True)]
    channels = (sum(part * value for part, value in zip(row, xyz, strict=True)) for row in _FROM_XYZ)
    return "#" + "".join(f"{round(255 * min(1.0, max(0.0, _stored(channel)))):02x}" for channel in channels)


def _linear(stored: float) -> float:
    return stored / 12.92 if stored <= 0.04045 else ((stored + 0.055) / 1.055) ** 2.4


def _stored(linear: float) -> float:
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055


def _root(share: float) -> float:
    return share ** (1 / 3) if share > 216 / 24389 else (24389 / 27 * share + 16) / 116


def _cube(root: float) -> float:
    return root**3 if root > 6 / 29 else (116 * root - 16) * 27 / 24389
