"""Rows that were left out, told to the user."""

from __future__ import annotations

import warnings

import polars as pl


class RejectedRowsWarning(UserWarning):
    """Input rows were left out; `rejected` lists each with file, row, value, reason and what to do."""

    def __init__(self, rejected: pl.DataFrame) -> None:
        """Keep the list and put its beginning into the text."""
        self.rejected = rejected
        count = rejected.height
        first = "\n  ".join(rejected["message"].head(3))
        more = f"\n  … and {count - 3} more, in .rejected of this warning" if count > 3 else ""
        super().__init__(f"{count} row(s) left out:\n  {first}{more}")


def warn(rejected: pl.DataFrame, stacklevel: int = 3) -> None:
    """Warn when any row was left out; the warning points at the user's line."""
    if rejected.height:
        warnings.warn(RejectedRowsWarning(rejected), stacklevel=stacklevel)
