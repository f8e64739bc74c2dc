"""What all commands share: exit codes, tables on a terminal, progress."""

from __future__ import annotations

import argparse
import sys
from typing import get_args

import polars as pl

from walkshed import tiled
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


def add_tile_options(parser: argparse.ArgumentParser) -> None:
    """Add how a study is worked on tile by tile."""
    parser.add_argument(
        "--executor", choices=get_args(tiled.ExecutorName), help="who works on tiles; see docs/cluster.md"
    )
    parser.add_argument("--workers", type=int, metavar="N", help="how many processes; as many as cores if not said")
    parser.add_argument("--tile-resolution", type=int, metavar="R", help="H3 resolution of the tiles 图块分辨率")
    parser.add_argument("--work", metavar="DIR", help="what is done so far, on storage that all workers see; it stays")


def executor_of(
    parser: argparse.ArgumentParser, options: argparse.Namespace, results: str | None
) -> tiled.ExecutorChoice:
    """Who works on tiles, as `study.run` takes it; options that do not fit together end the command."""
    try:
        if results is not None:
            tiled.working_folder(results, options.work)
    except ValueError as error:
        parser.error(str(error))
    name: tiled.ExecutorChoice = options.executor
    workers: int | None = options.workers
    if workers is None:
        return name
    if name not in (None, "processes") or workers < 1:
        parser.error("--workers is how many processes there are, 1 or more: it goes with --executor processes")
    return ("processes", workers)
