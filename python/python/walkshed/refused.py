"""Files that are not read, and why: what the engine then tells as problems."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from walkshed import _engine


class Refused(Exception):
    """A file is not read; `refusals` say why."""

    def __init__(self, refusals: list[_engine.Refusal]) -> None:
        """Keep the reasons."""
        super().__init__(f"{len(refusals)} fault(s)")
        self.refusals = refusals

    @classmethod
    def because(
        cls,
        file: str,
        reason: str,
        *,
        detail: str | None = None,
        known: list[str] | None = None,
        column: str | None = None,
        value: str | None = None,
    ) -> Refused:
        """Name file, fault and what was found."""
        refusal = _engine.refusal(file, reason, detail=detail, known=known or [], column=column, value=value)
        return cls([refusal])

    @classmethod
    def from_error(cls, error: _engine.InputError) -> Refused:
        """Take what the engine refused."""
        return cls(list(getattr(error, "refusals", [])))

    def error(self) -> Exception:
        """Give the exception that users see."""
        try:
            _engine.refuse(self.refusals)
        except _engine.InputError as error:
            return error
        return self


def require(columns: Sequence[str], table: pl.DataFrame, name: str) -> None:
    """Refuse a table that lacks a column.

    Args:
        columns: what it must have.
        table: the table.
        name: what users call it.

    Raises:
        InputError: every column that is missing.

    """
    missing = [column for column in columns if column not in table.columns]
    if missing:
        known = table.columns
        _engine.refuse([_engine.refusal(name, "missing_column", known=known, column=column) for column in missing])
