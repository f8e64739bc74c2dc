"""Communities by the words that ledgers have for them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence

import polars as pl

from walkshed import _engine, formats, ledger
from walkshed.arrow import TableLike, frame, to_engine
from walkshed.rejected import warn

#: Files that are read without outlines.
_PLAIN = (".csv", ".tsv", ".parquet", *formats.WORKBOOK)
_COLUMNS = {name: (name,) for name in ("area_id", "district", "parent_id", "code", "name")}


class Communities:
    """Communities, found by id, code or name."""

    def __init__(self, table: pl.DataFrame) -> None:
        """Take `area_id`, and `district`, `parent_id`, `code`, `name` where they are there; ids are not null."""
        ids = table["area_id"].cast(pl.String).to_list()
        self._ids: set[str] = set(ids)
        self._words = _only(table, "name", ids) | _only(table, "code", ids)  # a code before a name
        column = "district" if "district" in table.columns else "parent_id"
        above = table[column].to_list() if column in table.columns else [None] * len(ids)
        self._district: dict[str, str | None] = dict(zip(ids, map(ledger.text, above), strict=True))

    @classmethod
    def read(cls, communities: TableLike) -> Communities:
        """Read a table with or without outlines.

        Raises:
            InputError: it cannot be read, or has no `area_id`.

        Warns:
            RejectedRowsWarning: rows of a file with outlines were left out.

        """
        is_plain = isinstance(communities, (str, os.PathLike)) and os.fspath(communities).lower().endswith(_PLAIN)
        if is_plain or hasattr(communities, "__arrow_c_stream__"):
            file, table = ledger.read(communities, "communities")
        else:
            areas, rejected = _engine.edit_areas("[]", to_engine(communities, "communities"))
            warn(frame(rejected))
            file, table = "communities", frame(areas)
        return cls(ledger.named(table, _COLUMNS, "area_id", file)[0].drop_nulls("area_id"))

    def find(self, word: str) -> str | None:
        """The id of the community with this id, else the only one with this code, else with this name."""
        return word if word in self._ids else self._words.get(word)

    def district(self, area: str) -> str | None:
        """The district of a community, else the area above it; None where nothing tells."""
        return self._district[area]


def _only(table: pl.DataFrame, column: str, ids: Sequence[str]) -> dict[str, str]:
    """Ids by a column, of values that one community alone has."""
    words = [ledger.text(word) for word in table[column]] if column in table.columns else []
    times = Counter(words)
    return {word: area for word, area in zip(words, ids, strict=False) if word and times[word] == 1}
