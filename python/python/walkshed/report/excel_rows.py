"""Rows of long tables as the XML of a sheet, made column by column.

XlsxWriter takes some ten microseconds for a cell, and the tables of a metropolis have ten million. It writes their
sheets with the headings and one blank cell of each column's format; what stands here puts the rows in afterwards.
"""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO

import polars as pl

#: Rows that become text at once: a tenth of a second of work, and some megabytes.
_BATCH = 20_000
#: Of compression: twice as fast as the best, and a tenth larger.
_LEVEL = 3
#: Bytes that are compressed at once.
_PIECE = 1 << 20
_FORBIDDEN = r"[\x00-\x08\x0b-\x0d\x0e-\x1f\x{FFFE}\x{FFFF}]"
#: What a workbook takes for a character by its code.
_ESCAPE = r"_(x[0-9a-fA-F]{4}_)"
_ROW = "\x00row"
"""A name that no column of a table has."""
_STYLE = re.compile(rb'<c r="[A-Z]+\d+" s="(\d+)"/>')


@dataclass(frozen=True)
class Rows:
    """Rows that belong into a sheet.

    Attributes:
        table: numbers and texts in the order of the sheet's columns.
        first: the row of the sheet where they begin, from 1; a blank cell of each column stands there.

    """

    table: pl.DataFrame
    first: int


def put_in(workbook: bytes, rows: Mapping[str, Rows], step: Callable[[], object]) -> bytes:
    """Put rows into the sheets of a workbook.

    Args:
        workbook: as XlsxWriter writes it.
        rows: by the sheet's file, such as `xl/worksheets/sheet3.xml`.
        step: called between batches; what it raises stops the work.

    Returns:
        The workbook; the same for the same rows.

    """
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as read, zipfile.ZipFile(kept, "w", compresslevel=_LEVEL) as written:
        for part in read.infolist():
            contents, mine = read.read(part), rows.get(part.filename)
            same = zipfile.ZipInfo(part.filename, part.date_time)
            same.compress_type = zipfile.ZIP_DEFLATED
            if mine is None:
                written.writestr(same, contents)
                continue
            with tempfile.TemporaryFile() as whole:
                for piece in _sheet(contents, mine):
                    step()
                    whole.write(piece)
                _put(written, same, whole, step)
    return kept.getvalue()


def _put(written: zipfile.ZipFile, part: zipfile.ZipInfo, whole: IO[bytes], step: Callable[[], object]) -> None:
    """Put a part into a workbook whose size is known: Excel takes no 64-bit header of a part that needs none."""
    part.file_size = whole.tell()
    whole.seek(0)
    with written.open(part, "w") as sheet:
        while piece := whole.read(_PIECE):
            step()
            sheet.write(piece)


def _sheet(blank: bytes, rows: Rows) -> Iterator[bytes]:
    """The sheet with its rows in the place of the blank cells."""
    begin = blank.index(f'<row r="{rows.first}"'.encode())
    end = blank.index(b"</sheetData>")
    styles = [style.decode() for style in _STYLE.findall(blank[begin : blank.index(b"</row>", begin)])]
    yield blank[:begin]
    for offset in range(0, rows.table.height, _BATCH):
        yield _xml(rows.table.slice(offset, _BATCH), styles, rows.first + offset)
    yield blank[end:]


def _xml(rows: pl.DataFrame, styles: list[str], first: int) -> bytes:
    numbered = rows.with_columns(pl.int_range(first, first + rows.height, dtype=pl.UInt32).cast(pl.String).alias(_ROW))
    cells = [
        _cell(name, kind, _letters(place), styles[place]) for place, (name, kind) in enumerate(rows.schema.items())
    ]
    told = numbered.select(pl.concat_str(pl.lit('<row r="'), pl.col(_ROW), pl.lit('">'), *cells, pl.lit("</row>")))
    return "".join(told.to_series().to_list()).encode()


def _cell(name: str, kind: pl.DataType, letters: str, style: str) -> pl.Expr:
    """A cell of each row; none where the value is null or no number."""
    column = pl.col(name)
    if kind.is_numeric():
        value = pl.when(column.is_finite()).then(column) if kind.is_float() else column
        return pl.format(f'<c r="{letters}{{}}" s="{style}"><v>{{}}</v></c>', pl.col(_ROW), value).fill_null("")
    text = (
        column.str.replace_all(_FORBIDDEN, " ")
        .str.replace_all(_ESCAPE, "_x005F_$1")
        .str.replace_all("&", "&amp;", literal=True)
        .str.replace_all("<", "&lt;", literal=True)
        .str.replace_all(">", "&gt;", literal=True)
    )
    inside = f'<c r="{letters}{{}}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{{}}</t></is></c>'
    return pl.format(inside, pl.col(_ROW), text).fill_null("")


def _letters(place: int) -> str:
    """The name of a column: A, …, Z, AA, …

    >>> _letters(0), _letters(25), _letters(26), _letters(701), _letters(702)
    ('A', 'Z', 'AA', 'ZZ', 'AAA')
    """
    name = ""
    place += 1
    while place:
        place, letter = divmod(place - 1, 26)
        name = chr(ord("A") + letter) + name
    return name
