"""Documents as PDF, set by Typst with the bundled font: the same bytes on every machine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from walkshed.maps import fonts
from walkshed.report.content import (
    SYNTHETIC,
    Beside,
    Block,
    Bullets,
    Document,
    Figure,
    Formula,
    Heading,
    Kind,
    PageBreak,
    Paragraph,
    Table,
    is_number,
    told,
)
from walkshed.report.words import say

FAMILY = "Walkshed Sans SC"
_TEMPLATE = Path(__file__).with_name("document.typ")
#: Stands for a character that the bundled font lacks, as printers do it.
_NO_GLYPH = "〓"
_FULL_PT, _SMALL_PT = 9.5, 8.2
_WIDE_COLUMNS = 7


class Typesetter(Protocol):
    """What is used of `typst.Compiler`."""

    def compile(self, input: bytes, *, format: str, sys_inputs: dict[str, str], ppi: float | None = None) -> Any:
        """Set a document."""


def typesetter() -> Typesetter:
    """A Typst compiler that knows the bundled font alone; one for each thread.

    Raises:
        ImportError: typst is not installed.

    """
    try:
        typst = import_module("typst")
    except ImportError as error:
        raise ImportError("a PDF is set by typst, which is not installed: pip install walkshed[report]") from error
    setter: Typesetter = typst.Compiler(_template(), font_paths=_known_fonts(), ignore_system_fonts=True)
    return setter


@cache
def _known_fonts() -> Any:
    """The bundled font, read once for all threads."""
    typst = import_module("typst")
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(fonts.FOLDER)])


def pdf(document: Document, setter: Typesetter) -> bytes:
    """Set a document.

    Args:
        document: what it says.
        setter: as of `typesetter`.

    Returns:
        PDF without any date in it; the same for the same document.

    """
    data = json.dumps(_printable(_data(document)), ensure_ascii=False)
    made: bytes = setter.compile(_template(), format="pdf", sys_inputs={"document": data})
    return made


def png(svg: str, setter: Typesetter, *, ppi: float = 200) -> bytes:
    """A picture in points, for documents that take no SVG.

    Args:
        svg: the picture; a pixel of it is three quarters of a point.
        setter: as of `typesetter`.
        ppi: pixels per inch.

    Returns:
        PNG.

    """
    source = '#set page(width: auto, height: auto, margin: 0pt)\n#image(bytes(sys.inputs.svg), format: "svg")\n'
    made: bytes = setter.compile(source.encode(), format="png", sys_inputs={"svg": _shown(svg)}, ppi=ppi)
    return made


@cache
def _template() -> bytes:
    return _TEMPLATE.read_bytes()


def _data(document: Document) -> dict[str, Any]:
    return {
        "title": document.title,
        "subtitle": document.subtitle,
        "language": document.language,
        "font": FAMILY,
        "size": _FULL_PT if document.cover else _SMALL_PT,
        "margin": 2.2 if document.cover else 1.5,
        "facts": [list(fact) for fact in document.facts],
        "banner": document.banner,
        "synthetic": SYNTHETIC,
        "footer": document.footer,
        "cover": document.cover,
        "contents": say(document.language, "contents"),
        "page": say(document.language, "page", page="{page}", pages="{pages}"),
        "blocks": [_block(block, document) for block in document.blocks],
    }


def _block(block: Block, document: Document) -> dict[str, Any]:
    match block:
        case Heading(text, level):
            return {"type": "heading", "text": text, "level": level}
        case Paragraph(text, quiet):
            return {"type": "paragraph", "text": text, "quiet": quiet}
        case Bullets(items):
            return {"type": "bullets", "items": list(items)}
        case Formula(text):
            return {"type": "formula", "text": text}
        case Table():
            return _table(block, document)
        case Figure():
            return _figure(block, document)
        case Beside(figure, table, share):
            told = {"figure": _figure(figure, document), "table": _table(table, document)}
            return {"type": "beside", "share": share, **told}
        case PageBreak():
            return {"type": "break"}


def _table(table: Table, document: Document) -> dict[str, Any]:
    columns = [{"heading": each.heading, "width": each.width, "right": is_number(each.kind)} for each in table.columns]
    scale = 0.95 if not document.cover else 0.78 if len(columns) > _WIDE_COLUMNS else 0.86
    return {
        "type": "table",
        "caption": caption(table, document),
        "columns": columns,
        "rows": told_rows(table),
        "note": note(table, document),
        "scale": scale,
        "tight": not document.cover,
    }


def _figure(figure: Figure, document: Document) -> dict[str, Any]:
    told = {"caption": caption(figure, document), "alt": figure.caption, "note": figure.note}
    return {"type": "figure", "svg": figure.svg, "width": figure.width, **told}


def caption(block: Table | Figure, document: Document) -> str:
    """The caption with its number, as it stands in every document."""
    if not block.caption or not block.number:
        return block.caption
    number = say(document.language, "table" if isinstance(block, Table) else "figure", number=block.number)
    return f"{number}  {block.caption}"


def told_rows(table: Table) -> list[list[str]]:
    """The rows that documents show, as text."""
    kinds: list[Kind] = [column.kind for column in table.columns]
    shown = table.rows[: table.most] if table.most else table.rows
    return [[told(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in shown]


def note(table: Table, document: Document) -> str:
    """Small print of a table: its own, and that there are more rows."""
    if not table.most or len(table.rows) <= table.most:
        return table.note
    more = say(document.language, "more_rows", shown=f"{table.most:,}", rows=f"{len(table.rows):,}")
    return f"{table.note} {more}".strip()


def missing_letters(texts: Sequence[str]) -> str:
    """Characters that the bundled font lacks, each once, in their order by code."""
    return "".join(sorted(set(fonts.missing("".join(texts))) - set("\n\t\r")))


def _printable(value: Any) -> Any:
    """Replace what the font lacks in all texts of a document."""
    if isinstance(value, str):
        return _shown(value)
    if isinstance(value, list):
        return [_printable(each) for each in cast("list[object]", value)]
    if isinstance(value, dict):
        return {key: _printable(each) for key, each in cast("dict[str, object]", value).items()}
    return value


def _shown(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    lacking = set(fonts.missing(text)) - set("\n\t\r")
    for letter in lacking:
        text = text.replace(letter, _NO_GLYPH if ord(letter) > 0x1F else " ")
    return text
