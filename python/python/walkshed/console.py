"""What all commands share: exit codes, tables on a terminal, progress."""

from __future__ import annotations

import argparse
import sys

import polars as pl

from walkshed.memory import to_bytes

DONE, REFUSED, FAILED, BUSY, STOPPED, TERMINATED = 0, 1, 3, 75, 130, 143


def size(text: str) -> int | None:
    """An argument such as "8 GB" in bytes."""
    try:
        return to_bytes(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def progress_of(options: argparse.Namespace) -> bool | None:
    """A bar on a terminal, unless nobody wants one."""
    return False if options.quiet or not sys.stderr.isatty() else None


def print_frame(table: pl.DataFrame, *, precision: int = 1) -> None:
    """A table in Markdown, all of it."""
    with pl.Config(
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=160,
        fmt_str_lengths=40,
        float_precision=precision,
        tbl_hide_column_data_types=True,
        tbl_hide_dataframe_shape=True,
        tbl_formatting="ASCII_MARKDOWN",
    ):
        print(table)
