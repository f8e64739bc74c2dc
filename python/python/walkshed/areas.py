"""Planning areas: what cannot be meant in how they are drawn and named."""

from __future__ import annotations

import polars as pl

from walkshed import _engine
from walkshed.arrow import TableLike, frame, to_engine
from walkshed.progress import Progress, reporting


def check_areas(areas: TableLike, cells: TableLike | None = None, *, progress: Progress = None) -> pl.DataFrame:
    """Look for overlaps and gaps between neighbours, and for names, codes, levels and parents that cannot be meant.

    Args:
        areas: `area_id` and a polygon; `name`, `level` (小区 or estate, 社区 or community, 片区 or district),
            `parent_id` and `code` where given.
        cells: `cell` (H3) and `people`, to tell how many people each overlap and gap concerns.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        One row per finding, none when all is in order: `area_id`, `finding` (a stable code: `areas_overlap`,
        `gap_between_areas`, `outside_parent`, `slivers`, `unknown_parent`, `parent_level`, `parent_cycle`,
        `missing_name`, `duplicate_name`, `duplicate_code`, `bad_code`, `unknown_level`, or why a row was left out),
        `severity` (rejected, warning or note), `neighbours`, `share` (of the area that is outside its parent),
        `area_m2`, `people` (null without `cells`), `row`, `column`, `value`, `message`, `message_zh`. Overlaps and gaps
        are looked for within one level; those narrower than 1 m are counted in one note. A gap is a hole that areas
        enclose, or a strip up to 50 m wide and at least 100 m long between two of them; estates are not asked for gaps.

    Raises:
        InputError: a column is missing, or no row can be used.
        KeyboardInterrupt: stopped by the user, within half a second.

    """
    with reporting(progress) as report:
        found = _engine.check_areas(
            to_engine(areas, "areas"), None if cells is None else to_engine(cells, "cells"), report=report
        )
    return frame(found)
