"""How many people reach what."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from walkshed import _engine
from walkshed.arrow import TableLike, frame, to_engine
from walkshed.progress import Progress, reporting
from walkshed.rejected import warn


def coverage(
    times: TableLike,
    cells: TableLike,
    areas: TableLike | int | None = None,
    *,
    minutes: Sequence[float] = (5, 10, 15),
    groups: Sequence[str] | None = None,
    together: Sequence[Sequence[str]] = (),
    profile: str = "adult",
    analysis_crs: str = "wgs84",
    progress: Progress = None,
) -> pl.DataFrame:
    """People of each area who reach each class of facility within some minutes.

    Args:
        times: as from `Network.nearest`, one row for every cell and class: `origin_id`, `class`, `time_s`, `reason`,
            and `profile` where there are several.
        cells: `cell` (H3: u64, i64 or hex text), `people`, one number column per population group; `id` where the
            origins of `times` had other ids than their cells.
        areas: `area_id` and a polygon (`name`, `level`, `parent_id`, `code` may be there, as in `areas.parquet` and
            `check_areas`); or an H3 resolution, whose parents are then the areas; or None for one area
            called "all". A cell across a border is shared by area.
        minutes: thresholds; a time equal to one counts as covered. They must not exceed the cut-off of `times`.
        groups: the group columns; None takes every number column but cell, id, people, lon, lat, snap_m, resolution.
        together: lists of classes of which any will do, as `[["bus_stop", "rail_station"]]`; each is a class more,
            named `bus_stop|rail_station`. What `requirements` of a standard names can be split at `|`.
        profile: name for the times when they have no column `profile`.
        analysis_crs: the system whose H3 cells `cells` are, "wgs84", "gcj02" or "bd09": `analysis_crs` of the network
            that the times come from. Areas are brought to it.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        One row per area × class × group × profile × minutes: `area_id`, `class`, `group` ("all" is everybody),
        `profile`, `minutes`, `people`, `people_covered`, `share` (0..1; null where nobody lives), and the uncovered
        by reason: `people_beyond`, `people_not_connected`, `people_not_snapped`. Covered and uncovered add up to
        `people`.

    Raises:
        InputError: a column is missing, a value cannot be, a cell has no time for a class, or cells are coarser than
            the H3 resolution of the areas.
        ValueError: no such H3 resolution or system, or minutes that cannot be.
        KeyboardInterrupt: stopped by the user, within half a second.

    Warns:
        RejectedRowsWarning: areas were left out.

    """
    if isinstance(areas, int) and not 0 <= areas <= 15:
        raise ValueError(f"areas {areas}: an H3 resolution is 0..15")
    if isinstance(groups, str):
        raise TypeError(f'groups "{groups}": give a list of column names, as in ["{groups}"]')
    where = areas if areas is None or isinstance(areas, int) else to_engine(areas, "areas")
    with reporting(progress) as report:
        rows, rejected = _engine.coverage(
            to_engine(times, "times"),
            to_engine(cells, "cells"),
            where,
            [float(limit) for limit in minutes],
            None if groups is None else list(groups),
            [list(classes) for classes in together],
            profile,
            analysis_crs,
            report=report,
        )
    warn(frame(rejected))
    return frame(rows)
