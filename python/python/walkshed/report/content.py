"""What a document says, as plain data: written once, then rendered as a workbook, for Word and as PDF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, NamedTuple, TypeAlias

from walkshed.language import Language

#: What a number is, and so how it is told: `share` and `points` are 0..1 and told in per cent and percentage points.
Kind: TypeAlias = Literal[
    "text", "number", "people", "share", "points", "minutes", "score", "metres", "km", "yuan", "rate"
]


class As(NamedTuple):
    """A value of another kind than its column's, as in a list of indicators."""

    value: int | float | None
    kind: Kind


Value: TypeAlias = "str | int | float | As | None"

#: Decimals of each kind.
DECIMALS: dict[Kind, int] = {
    "number": 0,
    "people": 0,
    "share": 1,
    "points": 1,
    "minutes": 1,
    "score": 1,
    "metres": 0,
    "km": 1,
    "yuan": 0,
    "rate": 3,
}

NOTHING = "–"
"""Stands for what is not known; it is never 0."""

SYNTHETIC = "SYNTHETIC 合成数据"


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 begins a chapter."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; `quiet` is small print."""

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: Sequence[str]


@dataclass(frozen=True)
class Formula:
    """A formula as a line of text."""

    text: str


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        heading: with the unit in it.
        kind: what its values are.
        width: how wide beside the others.

    """

    heading: str
    kind: Kind = "text"
    width: float = 1.0


@dataclass(frozen=True)
class Table:
    """A table with its caption.

    Attributes:
        caption: what it shows.
        columns: its columns.
        rows: values in the order of the columns; None is not known.
        note: small print below.
        sheet: its name in the workbook; empty for a table that only documents show.
        most: rows that documents show, 0 for all; the workbook has all.
        number: where it stands among the tables; 0 for a table without caption.

    """

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    note: str = ""
    sheet: str = ""
    most: int = 0
    number: int = 0


@dataclass(frozen=True)
class Figure:
    """A map or a chart with its caption.

    Attributes:
        caption: what it shows.
        svg: the picture.
        width: share of the page's width.
        note: small print below.
        number: where it stands among the figures; 0 for one without caption.

    """

    caption: str
    svg: str
    width: float = 1.0
    note: str = ""
    number: int = 0


@dataclass(frozen=True)
class Beside:
    """A figure with a table to its right; one after the other where a page has no room for both."""

    figure: Figure
    table: Table
    share: float = 0.5  # of the width, for the figure


@dataclass(frozen=True)
class PageBreak:
    """What follows begins a page."""


Block: TypeAlias = "Heading | Paragraph | Bullets | Formula | Table | Figure | Beside | PageBreak"


@dataclass(frozen=True)
class Document:
    """A document.

    Attributes:
        title: its title.
        subtitle: the study or the community.
        language: of all its words.
        facts: lines of the title page: what, and its value.
        blocks: its content in order.
        footer: what stands below every page, beside the page's number.
        banner: what must be seen first, as that the data are synthetic; empty for nothing.
        cover: whether there is a title page with a table of contents.

    """

    title: str
    subtitle: str
    language: Language
    facts: Sequence[tuple[str, str]] = ()
    blocks: Sequence[Block] = ()
    footer: str = ""
    banner: str = ""
    cover: bool = True


@dataclass
class Numbering:
    """Counts tables and figures of a document as they are put into it."""

    blocks: list[Block] = field(default_factory=list)
    tables: int = 0
    figures: int = 0

    def add(self, *blocks: Block) -> None:
        """Put blocks at the end; tables and figures with a caption get their numbers."""
        for block in blocks:
            self.blocks.append(self._numbered(block))

    def _numbered(self, block: Block) -> Block:
        if isinstance(block, Table) and block.caption:
            self.tables += 1
            return replace(block, number=self.tables)
        if isinstance(block, Figure) and block.caption:
            self.figures += 1
            return replace(block, number=self.figures)
        return block


def is_number(kind: Kind) -> bool:
    """Whether a column of this kind stands to the right."""
    return kind != "text"


def told(value: Value, kind: Kind) -> str:
    """A value as planners read it: halves are rounded up as Excel does, thousands apart, null is a dash.

    >>> told(0.1225, "share"), told(1234.5, "people"), told(None, "share"), told(-0.011, "points")
    ('12.3%', '1,235', '–', '-1.1')
    """
    if isinstance(value, As):
        return told(value.value, value.kind)
    if value is None:
        return NOTHING
    if isinstance(value, str) or kind == "text":
        return str(value)
    number = Decimal(repr(value)) * (100 if kind in ("share", "points") else 1)
    rounded = number.quantize(Decimal(1).scaleb(-DECIMALS[kind]), ROUND_HALF_UP)
    text = f"{abs(rounded) if not rounded else rounded:,}"
    return f"{text}%" if kind == "share" else text


def tables_of(document: Document) -> list[Table]:
    """All tables of a document, those beside figures too."""
    found = (block.table if isinstance(block, Beside) else block for block in document.blocks)
    return [block for block in found if isinstance(block, Table)]
