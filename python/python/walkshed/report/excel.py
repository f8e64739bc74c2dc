"""Reports as workbooks: the tables of the report and those of the run, as numbers that can be reckoned with."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from itertools import islice
from typing import Any

import polars as pl

from walkshed.language import Language
from walkshed.report.content import DECIMALS, As, Document, Kind, Table, Value, is_number, tables_of
from walkshed.report.excel_rows import Rows, put_in
from walkshed.report.raw_tables import RawTable
from walkshed.report.words import say

#: What Excel takes.
MOST_ROWS, MOST_LETTERS = 1_048_576, 32_767
_MOST_NAME = 31
_WIDEST, _NARROWEST, _HEAD_PT = 48, 12, 30
#: Rows above the first: headings, and below them the names that programs know.
_RAW_HEAD, _REPORT_HEAD = 2, 3
#: Without a date of their own, files of a report have this one: the first that a .zip can hold.
NO_DAY = datetime.datetime(1980, 1, 1)

_FORMATS: dict[Kind, str] = {
    "share": "0.0%",
    **{kind: f"#,##0{'.' + '0' * places if places else ''}" for kind, places in DECIMALS.items() if kind != "share"},
}


@dataclass
class _Cut:
    """A text that was too long for a cell."""

    sheet: str
    row: int
    column: str
    letters: int


@dataclass
class _Book:
    """A workbook that is being written."""

    book: Any
    language: Language
    formats: dict[str, Any] = field(default_factory=dict)
    cuts: list[_Cut] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    rows: dict[str, Rows] = field(default_factory=dict)  # by the file of their sheet

    def named(self, wanted: str) -> str:
        """A name that no other sheet has: at most 31 letters, none that Excel forbids, case counts for nothing."""
        base = "".join("_" if letter in "[]:*?/\\'" or not letter.isprintable() else letter for letter in wanted)
        base = base.strip() or "-"
        name, number = base[:_MOST_NAME], 2
        while name.casefold() in self.names:
            name = f"{base[: _MOST_NAME - len(str(number)) - 1]} {number}"
            number += 1
        self.names.add(name.casefold())
        return name


def excel(document: Document, raw: Sequence[RawTable], *, step: Callable[[], object] = lambda: None) -> bytes:
    """Write a workbook.

    Args:
        document: the report; each of its tables that names a sheet gets one.
        raw: tables of the run that follow.
        step: called every some thousand rows; what it raises stops the work.

    Returns:
        The file. Numbers are numbers, null is an empty cell, and every text is text: nothing is ever a formula or a
        link, whatever it begins with.

    Raises:
        ImportError: XlsxWriter is not installed.

    """
    try:
        xlsxwriter = import_module("xlsxwriter")
    except ImportError as error:
        raise ImportError("a workbook needs XlsxWriter: pip install walkshed[report]") from error
    kept = io.BytesIO()
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(kept, {"constant_memory": True, "nan_inf_to_errors": True, **plain})
    book.set_properties({"title": clean(document.title), "subject": clean(document.subtitle), "created": NO_DAY})
    writing = _Book(book, document.language, _formats(book))
    sheets = _plan(writing, document, raw)
    _contents(writing, document, [line for told in sheets for line in told.lines])
    for sheet in sheets:
        sheet.write(step)
    _write_cuts(writing)
    book.close()
    return put_in(kept.getvalue(), writing.rows, step)


def clean(text: str) -> str:
    """A text without the characters that no XML can hold; they become spaces."""
    if text.isprintable():
        return text
    return "".join(letter if letter in "\n\t" or _is_xml(ord(letter)) else " " for letter in text)


def _is_xml(code: int) -> bool:
    return 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000


def _formats(book: Any) -> dict[str, Any]:
    base = {"font_name": "宋体", "font_size": 10, "valign": "top"}
    formats: dict[str, Any] = {kind: book.add_format({**base, "num_format": code}) for kind, code in _FORMATS.items()}
    formats["text"] = book.add_format({**base, "num_format": "@"})
    head = {**base, "font_name": "黑体", "bold": True, "text_wrap": True, "bottom": 1, "bg_color": "#EEF3F6"}
    formats["head"] = book.add_format(head)
    formats["head_right"] = book.add_format({**head, "align": "right"})
    formats["machine"] = book.add_format({**base, "font_color": "#7A858F", "font_size": 8, "bottom": 1})
    formats["title"] = book.add_format({**base, "font_name": "黑体", "bold": True, "font_size": 14})
    formats["quiet"] = book.add_format({**base, "font_color": "#5A6570"})
    formats["warn"] = book.add_format({**base, "font_color": "#A63603", "bold": True})
    formats["day"] = book.add_format({**base, "num_format": "yyyy-mm-dd"})
    return formats


@dataclass
class _Planned:
    """A table with the sheets that it fills."""

    lines: list[tuple[str, str, str]]  # sheet, what it holds, note
    write: Callable[[Callable[[], object]], None]


def _plan(writing: _Book, document: Document, raw: Sequence[RawTable]) -> list[_Planned]:
    """Name all sheets first: the page of contents comes before them."""
    writing.names.add(say(writing.language, "contents").casefold())
    planned: list[_Planned] = []
    for table in tables_of(document):
        if table.sheet:
            name = writing.named(f"{table.number} {table.sheet}")
            number = say(writing.language, "table", number=table.number)
            line = (name, f"{number} {table.caption}", table.note)
            planned.append(_Planned([line], partial(_write_report_table, writing, name, table, document)))
    for each in raw:
        planned.append(_plan_raw(writing, each))
    return planned


def _plan_raw(writing: _Book, table: RawTable) -> _Planned:
    if table.left_out:
        return _Planned([("–", table.title, table.left_out)], lambda step: None)
    room = MOST_ROWS - _RAW_HEAD
    names = [writing.named(table.title) for _ in range(max(1, -(-table.rows // room)))]
    rows = f"{table.rows:,}"
    note = table.note
    if len(names) > 1:
        joint = "、" if writing.language == "zh" else ", "
        note = f"{note} {say(writing.language, 'goes_on', rows=rows, sheets=joint.join(names[1:]))}".strip()
    lines = [(names[0], f"{table.title} ({rows})", note), *((name, table.title, "") for name in names[1:])]
    return _Planned(lines, partial(_write_raw_table, writing, names, table, room))


def _contents(writing: _Book, document: Document, lines: list[tuple[str, str, str]]) -> None:
    text, formats = partial(say, writing.language), writing.formats
    page = writing.book.add_worksheet(text("contents"))
    page.set_paper(9)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.set_column(0, 0, 26)
    page.set_column(1, 2, 60)
    page.write_string(0, 0, clean(document.title), formats["title"])
    page.write_string(1, 0, clean(document.subtitle), formats["text"])
    row = 2
    if document.banner:
        page.write_string(row, 0, document.banner, formats["warn"])
        row += 1
    for label, value in document.facts:
        page.write_string(row, 0, clean(label), formats["quiet"])
        page.write_string(row, 1, clean(value), formats["text"])
        row += 1
    for column, key in enumerate(("sheet", "what", "contents_note")):
        page.write_string(row + 1, column, text(key), formats["head"])
    for place, (name, what, about) in enumerate(lines, start=row + 2):
        if name == "–":
            page.write_string(place, 0, name, formats["text"])
        else:
            page.write_url(place, 0, f"internal:'{name}'!A1", formats["text"], name)
        page.write_string(place, 1, clean(what), formats["text"])
        page.write_string(place, 2, clean(about), formats["text"])


def _write_report_table(
    writing: _Book, name: str, table: Table, document: Document, step: Callable[[], object]
) -> None:
    page = writing.book.add_worksheet(name)
    page.freeze_panes(_REPORT_HEAD, 1)
    _paper(page, _REPORT_HEAD)
    page.set_row(_REPORT_HEAD - 1, _HEAD_PT)
    for place in range(len(table.columns)):
        longest = max((_letters(row[place]) for row in islice(table.rows, 200)), default=0)
        longest = max(longest, _letters(table.columns[place].heading) // 2)  # headings have two lines
        page.set_column(place, place, min(_WIDEST, max(_NARROWEST, longest + 2)))
    title = f"{say(document.language, 'table', number=table.number)}  {table.caption}"
    page.write_string(0, 0, clean(title), writing.formats["title"])
    if document.banner:
        page.write_string(1, 0, document.banner, writing.formats["warn"])
    elif table.note:
        page.write_string(1, 0, clean(table.note), writing.formats["quiet"])
    for place, column in enumerate(table.columns):
        head = writing.formats["head_right" if is_number(column.kind) else "head"]
        page.write_string(_REPORT_HEAD - 1, place, clean(column.heading), head)
    headings = [column.heading for column in table.columns]
    kinds: list[Kind] = [column.kind for column in table.columns]
    for row, values in enumerate(table.rows, start=_REPORT_HEAD):
        _row(writing, page, row, values, headings, kinds)
        _now_and_then(row, step)
    if table.rows:
        page.autofilter(_REPORT_HEAD - 1, 0, _REPORT_HEAD - 1 + len(table.rows), len(table.columns) - 1)


def _write_raw_table(writing: _Book, names: list[str], table: RawTable, room: int, step: Callable[[], object]) -> None:
    """Headings and one blank cell of each format; the rows come when the book is closed."""
    step()
    rows = table.table()
    for place, name in enumerate(names):
        page = writing.book.add_worksheet(name)
        page.freeze_panes(_RAW_HEAD, 1)
        _paper(page, _RAW_HEAD)
        _raw_head(writing, page, table)
        mine = _fitting_rows(writing, name, table, rows.slice(place * room, room))
        page.autofilter(1, 0, _RAW_HEAD + max(mine.height - 1, 0), len(table.columns) - 1)
        if not mine.height:
            continue
        for column, told in enumerate(table.columns):
            page.write_blank(_RAW_HEAD, column, None, writing.formats[told.kind])
        # The last cell tells how far the sheet goes.
        page.write_blank(
            _RAW_HEAD + mine.height - 1, len(table.columns) - 1, None, writing.formats[table.columns[-1].kind]
        )
        writing.rows[f"xl/worksheets/sheet{page.index + 1}.xml"] = Rows(mine, _RAW_HEAD + 1)


def _paper(page: Any, head: int) -> None:
    """As it is printed: A4 across, as wide as the page, headings on every page."""
    page.set_paper(9)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.repeat_rows(0, head - 1)
    page.set_footer("&C&P / &N")


def _raw_head(writing: _Book, page: Any, table: RawTable) -> None:
    for place, column in enumerate(table.columns):
        page.set_column(place, place, 14 if is_number(column.kind) else 18)
        head = writing.formats["head_right" if is_number(column.kind) else "head"]
        page.write_string(0, place, clean(column.heading), head)
    for place, machine in enumerate(table.machine_names):
        page.write_string(1, place, clean(machine), writing.formats["machine"])


def _fitting_rows(writing: _Book, sheet: str, table: RawTable, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows whose texts are as long as a cell holds."""
    for name, heading in zip(rows.columns, (column.heading for column in table.columns), strict=True):
        if rows.schema[name] == pl.String and (rows[name].str.len_chars() > MOST_LETTERS // 2).any():
            told = [
                None if text is None else _fitting(writing, sheet, row, heading, text)
                for row, text in enumerate(rows[name], start=_RAW_HEAD + 1)
            ]
            rows = rows.with_columns(pl.Series(name, told, pl.String))
    return rows


def _row(
    writing: _Book,
    page: Any,
    row: int,
    values: Sequence[Value],
    headings: Sequence[str],
    kinds: Sequence[Kind],
) -> None:
    for place, (value, kind) in enumerate(zip(values, kinds, strict=True)):
        if isinstance(value, As):
            value, kind = value
        if value is None:
            continue
        if isinstance(value, str):
            page.write_string(
                row, place, _fitting(writing, page.get_name(), row + 1, headings[place], value), writing.formats["text"]
            )
        else:
            shown = value * 100 if kind == "points" else value
            page.write_number(row, place, shown, writing.formats["number" if kind == "text" else kind])


def _fitting(writing: _Book, sheet: str, row: int, column: str, text: str) -> str:
    """A text that a cell holds; what is cut is listed. Excel counts letters as UTF-16 does."""
    text = clean(text)
    if len(text) <= MOST_LETTERS // 2:
        return text
    units = text.encode("utf-16-le")
    if len(units) <= 2 * MOST_LETTERS:
        return text
    writing.cuts.append(_Cut(sheet, row, column, len(text)))
    return units[: 2 * (MOST_LETTERS - 1)].decode("utf-16-le", "ignore") + "…"


def _write_cuts(writing: _Book) -> None:
    """List the texts that were cut, on a sheet of their own."""
    if not writing.cuts:
        return
    text = partial(say, writing.language)
    page = writing.book.add_worksheet(writing.named(text("cut_texts")))
    page.freeze_panes(2, 0)
    page.set_column(0, 3, 24)
    page.write_string(0, 0, text("cut_note", count=f"{len(writing.cuts):,}"), writing.formats["warn"])
    for place, key in enumerate(("sheet", "row", "column", "length")):
        page.write_string(1, place, text(key), writing.formats["head"])
    for row, cut in enumerate(writing.cuts, start=2):
        page.write_string(row, 0, cut.sheet, writing.formats["text"])
        page.write_number(row, 1, cut.row, writing.formats["number"])
        page.write_string(row, 2, clean(cut.column), writing.formats["text"])
        page.write_number(row, 3, cut.letters, writing.formats["number"])


def _letters(value: Value) -> int:
    """About how wide a value is, in letters of a Latin alphabet."""
    if value is None or not isinstance(value, str):
        return 10
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in value[:_WIDEST])


def _now_and_then(row: int, step: Callable[[], object]) -> None:
    if row % 2000 == 0:
        step()
