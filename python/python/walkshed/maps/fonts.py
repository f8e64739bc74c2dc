"""The font that maps and documents are set in: it comes with walkshed, so Chinese has glyphs on every machine."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.text import Text

FAMILY = "Walkshed Sans SC"
FOLDER = Path(__file__).parent / "fonts"
FONT = FOLDER / "WalkshedSansSC-Regular.otf"

#: Fonts of common systems for characters that are in no table of China.
_OTHERS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "SimSun",
    "WenQuanYi Zen Hei",
)


class GlyphWarning(UserWarning):
    """Some characters are drawn as boxes: no font of this machine has them."""


@cache
def characters() -> frozenset[str]:
    """All characters that the font has."""
    return frozenset(FONT.with_suffix(".txt").read_text("utf-8"))


def missing(text: str) -> str:
    """Characters of a text that the font has no glyph for.

    Args:
        text: any text; line ends and other signs that are not printed do not count.

    Returns:
        Each once, in their order; empty where all can be set.

    >>> missing("步行可达 15 min")
    ''

    """
    return "".join(dict.fromkeys(each for each in text if each.isprintable() and each not in characters()))


@contextmanager
def chinese() -> Generator[None, None, None]:
    """Set matplotlib so that Chinese has glyphs, and the same figure is the same bytes; as it was afterwards.

    Raises:
        ImportError: matplotlib is not installed.

    """
    try:
        import matplotlib
    except ImportError as error:
        raise ImportError("maps need matplotlib: pip install walkshed[maps]") from error
    known: Any = matplotlib.rcParams
    settings: dict[str, Any] = {
        "font.family": _families(),
        "axes.unicode_minus": True,
        "svg.hashsalt": "walkshed",
        "svg.fonttype": "path",
        "hatch.linewidth": 0.5,
        "figure.max_open_warning": 0,  # a notebook closes figures at the end of a cell, however many one draws
    }
    # Not `rc_context`: it would also undo what a notebook sets when its backend is loaded at the first figure, and then
    # no later figure would be shown.
    were = {name: known[name] for name in settings}
    known.update(settings)
    try:
        yield
    finally:
        known.update(were)


@cache
def _families() -> list[str]:
    """Ours first, then DejaVu Sans, which comes with matplotlib."""
    font_manager: Any = importlib.import_module("matplotlib.font_manager")  # its types leave much open
    font_manager.fontManager.addfont(str(FONT))
    return [FAMILY, "DejaVu Sans"]


def set_in(texts: Iterable[Text]) -> None:
    """Bring in other fonts of the machine for texts that ours has no glyphs for.

    Args:
        texts: all texts of a figure.

    Warns:
        GlyphWarning: no font has some characters, and these are they.

    """
    absent: set[str] = set()
    for text in texts:
        unknown = set(missing(text.get_text())) - _glyphs("DejaVu Sans")
        if unknown:
            text.set_fontfamily([FAMILY, *_others(), "DejaVu Sans"])
            absent |= unknown.difference(*map(_glyphs, _others()))
    if absent:
        told = "".join(sorted(absent))
        warnings.warn(
            f"no font here has {told!r}: drawn as boxes; install fonts-noto-cjk or another font 缺少字形",
            GlyphWarning,
            stacklevel=2,
        )


@cache
def _others() -> list[str]:
    from matplotlib import font_manager

    known = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in _OTHERS if name in known]


@cache
def _glyphs(name: str) -> frozenset[str]:
    font_manager: Any = importlib.import_module("matplotlib.font_manager")  # its types leave much open
    path = font_manager.findfont(name, fallback_to_default=False)
    return frozenset(map(chr, font_manager.get_font(path).get_charmap()))
