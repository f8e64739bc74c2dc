"""Ledgers that Python reads itself: rows with their numbers, and what is wrong with them, in English and Chinese."""

from __future__ import annotations

import datetime
import difflib
import functools
import io
import math
import os
import re
import unicodedata
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from walkshed import _engine, formats, workbook
from walkshed.arrow import TableLike, frame, to_engine
from walkshed.facilities import classify, facility_classes
from walkshed.refused import Refused, require

#: Columns of what is wrong with rows: those of every table of rejected rows, behind `level`.
FAULTS = {
    "level": pl.String,
    "file": pl.String,
    "row": pl.UInt64,
    "id": pl.String,
    "column": pl.String,
    "value": pl.String,
    "reason": pl.String,
    "message": pl.String,
    "message_zh": pl.String,
}

_TEXTS = (".csv", ".tsv")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")


@dataclass(frozen=True)
class Rule:
    """What can be wrong with a row.

    Attributes:
        reason: a stable code.
        level: rejected (the row is left out), warning (it is used; somebody should look) or note.
        what: what is wrong, with `{names}` for details.
        what_zh: the same in Chinese.
        fix: what to do.
        fix_zh: the same in Chinese.

    """

    reason: str
    level: str
    what: str
    what_zh: str
    fix: str
    fix_zh: str


@dataclass(frozen=True)
class Row:
    """Where a row stands: its file, its number from 1, its id, and how the file heads our columns."""

    file: str
    number: int | None
    id: str | None
    headings: Mapping[str, str] = field(default_factory=dict[str, str])

    def fault(self, rule: Rule, column: str | None = None, value: object = None, **details: object) -> dict[str, Any]:
        """What a rule finds in this row, as a row of `FAULTS`."""
        told = None if value is None else str(value)
        column = None if column is None else self.headings.get(column, column)
        what, what_zh = rule.what.format(**details), rule.what_zh.format(**details)
        place, place_zh = (self._place(words, column, told) for words in (_WORDS, _WORDS_ZH))
        return {
            "level": rule.level,
            "file": self.file,
            "row": self.number,
            "id": self.id,
            "column": column,
            "value": told,
            "reason": rule.reason,
            "message": f"{place}: {what}. {rule.fix}",
            "message_zh": f"{place_zh}：{what_zh}。{rule.fix_zh}",
        }

    def _place(self, words: tuple[str, str, str], column: str | None, value: str | None) -> str:
        row, named, valued = words
        parts = [
            self.file,
            None if self.number is None else f"{row} {self.number}",
            None if self.id is None else f"id {self.id}",
            None if column is None else f'{named} "{column}"',
            None if value is None else f'{valued} "{value}"',
        ]
        return ", ".join(part for part in parts if part is not None)


_WORDS, _WORDS_ZH = ("row", "column", "value"), ("行", "列", "值")

#: What can be wrong with the row of any ledger; such rows are left out.
NO_ID = Rule("missing_id", "rejected", "the row has no id", "该行没有编号", "Give every row its own id", "请补充编号")
TWICE = Rule(
    "duplicate_id",
    "rejected",
    "row {first} has the same id",
    "与第 {first} 行的编号重复",
    "Give every row its own id; the first row is kept",
    "请保证编号唯一；已保留第一行",
)
NO_DATE = Rule(
    "not_a_date",
    "rejected",
    "this is not a date of the form 2026-11-25",
    "不是 2026-11-25 形式的日期",
    "Correct the value or remove the row",
    "请更正该值或删除该行",
)
NO_NUMBER = Rule(
    "not_a_number",
    "rejected",
    "this is not a number",
    "不是数字",
    "Correct the value or remove the row",
    "请更正该值或删除该行",
)
OUT_OF_RANGE = Rule(
    "out_of_range",
    "rejected",
    "outside the range {range}",
    "超出范围 {range}",
    "Correct the value or remove the row",
    "请更正该值或删除该行",
)


def read(table: TableLike, name: str) -> tuple[str, pl.DataFrame]:
    """Read a table without places, or whose places the engine reads later.

    Args:
        table: a path (CSV in UTF-8, UTF-16 or GB 18030, Parquet, a workbook), or a table in memory.
        name: what users call the table, where it has no file name.

    Returns:
        The file's name, and the columns; of CSV and workbooks all are text.

    Raises:
        InputError: the file is missing, damaged, empty, or of another kind.
        TypeError: a table of `read_table` or `in_crs`, whose columns only the engine sees; or no table at all.

    """
    if isinstance(table, (str, os.PathLike)):
        try:
            return os.path.basename(formats.local(os.fspath(table))), _file(formats.local(os.fspath(table)))
        except Refused as refused:
            raise refused.error() from refused
    if isinstance(table, (_engine.FileTable, _engine.TableInCrs)):
        raise TypeError(f"{name}: give the path or the columns themselves; a system of places is said by `crs`")
    return name, frame(to_engine(table, name))


def _file(path: str) -> pl.DataFrame:
    name, ending = os.path.basename(path), os.path.splitext(path)[1].lower()
    if not os.path.isfile(path):
        raise Refused.because(path, "not_found")
    try:
        if ending == ".parquet":
            return pl.read_parquet(path)
        if ending in _TEXTS:
            return _delimited(path, name)
        if ending in formats.WORKBOOK:
            return workbook.columns(path, name, None)
    except (pl.exceptions.PolarsError, UnicodeError, OSError) as error:
        raise Refused.because(name, "unreadable", detail=str(error)) from error
    known = [*_TEXTS, ".parquet", *formats.WORKBOOK]
    raise Refused.because(name, "unknown_name", known=known, column="ending", value=ending)


def _delimited(path: str, name: str) -> pl.DataFrame:
    with open(path, "rb") as file:
        text = _decoded(file.read(), name)
    header = text.split("\n", 1)[0]
    separator = max("\t;,", key=header.count)
    if not header.strip():
        raise Refused.because(name, "empty_table")
    return pl.read_csv(io.BytesIO(text.encode()), separator=separator, infer_schema=False)


def _decoded(content: bytes, name: str) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        if not _engine.is_gb(content):
            raise Refused.because(name, "unknown_encoding") from None
        told = f"{name}: nothing states the encoding of the text; it was read as GB18030 未注明编码，已按 GB18030 读取"
        warnings.warn(told, formats.EncodingWarning, stacklevel=5)
        return content.decode("gb18030")


def named(
    table: pl.DataFrame, names: Mapping[str, Sequence[str]], key: str, file: str
) -> tuple[pl.DataFrame, dict[str, str]]:
    """Columns under our names: the first of the words that the table has for each; others are left away.

    Args:
        table: the table.
        names: our name, with all words for it, best first.
        key: the column that must be there.
        file: what users call the table.

    Returns:
        The columns, and how the table heads them.

    Raises:
        InputError: the key is missing, or there are no rows.

    """
    found = [(name, word) for name, words in names.items() for word in words if word in table.columns]
    headings = dict(reversed(found))  # the best word last, so that it stays
    if key not in headings:
        require([key], table, file)
    if not table.height:
        raise Refused.because(file, "empty_table").error()
    return table.select(**{name: headings[name] for name in names if name in headings}), headings


def text(value: object) -> str | None:
    """A value as trimmed text; None where nothing stands."""
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # ids that a table in memory holds as floats because some are missing
    return str(value).strip() or None


def number(value: object) -> float | None:
    """A number as ledgers write it, also of full width and with commas between thousands; None where nothing stands.

    Raises:
        ValueError: it is no number.

    """
    if value is None or isinstance(value, (int, float)):
        return None if value is None else float(value)
    told = unicodedata.normalize("NFKC", str(value)).strip()
    if _THOUSANDS.fullmatch(told):
        told = told.replace(",", "")
    if "_" in told:
        raise ValueError(f"{value!r} is no number")
    return float(told) if told else None


def day(value: object) -> datetime.date | None:
    """A day as ledgers write it: 2026-03-01, 2026/3/1, 2026.3.1, 2026年3月1日; a time after it is passed over.

    Raises:
        ValueError: it is no day.

    """
    if value is None or isinstance(value, datetime.datetime):
        return None if value is None else value.date()
    if isinstance(value, datetime.date):
        return value
    told = unicodedata.normalize("NFKC", str(value)).strip()
    if not told:
        return None
    parts = re.fullmatch(r"(\d{4})([-/.年])(\d{1,2})([-/.月])(\d{1,2})日?([T ].*)?", told)
    if parts is None:
        raise ValueError(f"{value!r} is no day")
    return datetime.date(int(parts[1]), int(parts[3]), int(parts[5]))


def as_day(as_of: datetime.date | str | None) -> datetime.date | None:
    """The day that a user names.

    Raises:
        ValueError: no such day.

    """
    if as_of is None:
        return None
    try:
        found = day(as_of)
    except ValueError:
        found = None
    if found is None:
        raise ValueError(f"as_of {as_of!r}: give a day, such as 2026-06-16")
    return found


@functools.cache
def classes() -> dict[str, str]:
    """Classes of the catalogue by the words that name them whole: ids, and names in Chinese and English."""
    catalogue = facility_classes()
    words = {word: row["class"] for row in catalogue.iter_rows(named=True) for word in (row["name_zh"], row["name_en"])}
    return words | {name: name for name in catalogue["class"]}


@functools.lru_cache(4096)
def class_of(word: str) -> str | None:
    """The class of the catalogue that a word names, whole or by a part of it, as 红旗幼儿园; None for none."""
    if word in classes():
        return classes()[word]
    found: str | None = classify(pl.DataFrame({"name": [word]}))["class"][0]
    return found


#: A class that only its user knows, or a slip.
OWN_CLASS = Rule(
    "unknown_class",
    "note",
    "the catalogue does not hold this class{near}",
    "设施目录中没有该类别{near_zh}",
    "Nothing to do if the class is your own; else correct it",
    "若为自定义类别则无需处理；否则请更正",
)


def own_class(at: Row, word: str) -> dict[str, Any]:
    """What is told of a class that the catalogue does not hold."""
    near = _near(word)
    meant, meant_zh = (f"; did you mean {near}?", f"；是否指 {near}？") if near else ("", "")
    return at.fault(OWN_CLASS, "class", word, near=meant, near_zh=meant_zh)


@functools.lru_cache(4096)
def _near(word: str) -> str:
    return ", ".join(difflib.get_close_matches(word, list(classes()), 3))


def is_amount(value: float | None) -> bool:
    """Whether an amount can be: unknown, or finite and 0 or more."""
    return value is None or (math.isfinite(value) and value >= 0)


def faults(rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """What was found as a table, in the order of the rows; what is of no row comes last."""
    table = pl.DataFrame(list(rows), schema=FAULTS)
    return table.sort("row", nulls_last=True, maintain_order=True)
