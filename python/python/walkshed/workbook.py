"""Facility lists in workbooks (.xlsx), as offices keep them: a title above, merged headers, numbers as text."""

from __future__ import annotations

import datetime
import warnings
import zipfile
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import polars as pl

from walkshed import _engine, archive
from walkshed.refused import Refused

_LOOK = 20
"""Rows in which the header is looked for."""


def read(path: str, name: str, sheet: str | None) -> _engine.FileTable:
    """Read a sheet, every column as text: numbers are parsed by the engine, where a fault names its row.

    Rows count from 1 below the header; blank rows do not count. A formula whose result the file does not keep stays a
    formula, so that it is told as no number.

    Raises:
        Refused: the file is no workbook, could do harm, or holds several sheets and none of them is named.

    """
    table = columns(path, name, sheet)
    try:
        return _engine.file_table(table, name, untyped=True)
    except _engine.InputError as error:
        raise Refused.from_error(error) from error


def columns(path: str, name: str, sheet: str | None) -> pl.DataFrame:
    """Read a sheet as columns of text, as of `read`.

    Raises:
        Refused: as of `read`.

    """
    try:
        import openpyxl
    except ImportError as error:
        raise Refused.because(name, "missing_library", detail="pip install walkshed[formats]") from error
    try:
        with zipfile.ZipFile(path) as packed:
            archive.check(packed, name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and the like, which say nothing of values
            return _columns(openpyxl, path, name, sheet)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError, OSError, SyntaxError) as error:
        raise Refused.because(name, "unreadable", detail=f"no workbook: {error}") from error


def _columns(openpyxl: Any, path: str, name: str, sheet: str | None) -> pl.DataFrame:
    values = openpyxl.load_workbook(path, read_only=True, data_only=True)
    formulas = openpyxl.load_workbook(path, read_only=True, data_only=False)
    try:
        chosen = _sheet(values, name, sheet)
        rows = list(_rows(values[chosen], formulas[chosen]))
    finally:
        values.close()
        formulas.close()
    header, first = _header(rows)
    table = {column: [row[at] if at < len(row) else None for row in rows[first:]] for at, column in header.items()}
    if not table:
        raise Refused.because(name, "empty_table")
    return pl.DataFrame(table, schema=dict.fromkeys(table, pl.String))


def _sheet(book: Any, name: str, wanted: str | None) -> str:
    """Choose the sheet: the one named, or the only visible one that holds anything."""
    known = [str(sheet.title) for sheet in book.worksheets]
    if wanted in known:
        return str(wanted)
    filled = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible" and any(_plain(sheet))]
    if wanted is None and len(filled) == 1:
        return str(filled[0])
    if wanted is None and not filled:
        raise Refused.because(name, "empty_table")
    raise Refused.because(name, "unknown_name", known=known, column="layer", value=wanted or "")


def _plain(sheet: Any) -> Iterator[bool]:
    return (any(cell is not None for cell in row) for row in sheet.iter_rows(values_only=True))


def _rows(values: Any, formulas: Any) -> Iterator[list[str | None]]:
    """Give the rows that hold anything, as text."""
    pairs = zip_longest(values.iter_rows(values_only=True), formulas.iter_rows(values_only=True), fillvalue=())
    for found, written in pairs:
        cells = [_text(formula if value is None else value) for value, formula in zip_longest(found, written)]
        if any(cell is not None for cell in cells):
            yield cells


def _text(value: Any) -> str | None:
    """Give a cell as text: whole numbers without decimals, dates as ISO; None where it is blank."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    return str(value).strip() or None


def _header(rows: list[list[str | None]]) -> tuple[dict[int, str], int]:
    """Find the header: the names by column, and the first row below it.

    It is the first row of two or more cells; a title above has one. Where headers are merged there are two rows: one
    names groups, the next names columns and is blank where a name spans both.
    """
    at = next((at for at, row in enumerate(rows[:_LOOK]) if _filled(row) > 1), 0)
    if not rows:
        return {}, 0
    upper, lower = rows[at], rows[at + 1] if at + 1 < len(rows) else []
    names, first = upper, at + 1
    if _is_second_header(upper, lower):
        names, first = [under or over for over, under in zip_longest(upper, lower)], at + 2
    header: dict[int, str] = {}
    for column, text in enumerate(names):
        if text is not None and text not in header.values():
            header[column] = text
        elif any(column < len(row) and row[column] is not None for row in rows[first:]):
            header[column] = f"{text or 'column'} {column + 1}"
    return header, first


def _filled(row: list[str | None]) -> int:
    return sum(cell is not None for cell in row)


def _is_second_header(upper: list[str | None], lower: list[str | None]) -> bool:
    """Whether the lower row names what the upper one leaves blank, and is blank where a name spans both rows."""
    pairs = list(zip_longest(upper, lower))
    names = any(over is None and under is not None for over, under in pairs)
    spans = any(over is not None and under is None for over, under in pairs)
    return names and spans and not any(_is_number(under) for _, under in pairs)


def _is_number(text: str | None) -> bool:
    try:
        float(text or "no")
    except ValueError:
        return False
    return True
