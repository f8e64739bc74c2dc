"""How many people reach what."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

import polars as pl

from walkshed import _engine
from walkshed.arrow import ArrowStream, TableLike, frame, to_engine
from walkshed.network import Capacity
from walkshed.progress import Progress, reporting
from walkshed.rejected import warn

#: What a row of coverage is known by.
KEYS = ["area_id", "class", "group", "profile", "minutes"]


def coverage(
    times: TableLike,
    cells: TableLike,
    areas: TableLike | int | None = None,
    *,
    minutes: Sequence[float] = (5, 10, 15),
    groups: Sequence[str] | None = None,
    together: Sequence[Sequence[str]] = (),
    profile: str = "adult",
    group_profiles: Mapping[str, str] | None = None,
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
            Whatever is counted by cells may be one: with a column `buildings`, its rows are buildings and their share.
        together: lists of classes of which any will do, as `[["bus_stop", "rail_station"]]`; each is a class more,
            named `bus_stop|rail_station`. What `requirements` of a standard names can be split at `|`.
        profile: name for the times when they have no column `profile`.
        group_profiles: who walks for each group, as `{"senior_60_plus": "senior"}`; groups that are not named, and
            everybody, walk as `profile`. Each group then has rows of its own profile alone. None gives every group by
            every profile of `times`.
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
            None if group_profiles is None else dict(group_profiles),
            profile,
            analysis_crs,
            report=report,
        )
    warn(frame(rejected))
    return frame(rows)


def roll_up(coverage: TableLike, areas: TableLike) -> pl.DataFrame:
    """Add coverage up to the areas above: from communities to subdistricts, districts and the city.

    Args:
        coverage: as from `coverage`, of areas of one level.
        areas: `area_id` and `parent_id` (null at the top) of these and of all areas above them; no outline is needed.

    Returns:
        The columns of `coverage`, for every area above; areas in the order of `areas`. Everybody is counted once in
        each area above: people are conserved to 1e-9.

    Raises:
        InputError: a column is missing, an area or parent is unknown, parents lead round in a circle, or areas of
            several levels are given, whose people would count twice.

    Example:
        >>> people = {"people": [100.0, 300.0], "people_covered": [50.0, 300.0]}
        >>> rows = {"area_id": ["a", "b"], "class": ["shop"] * 2, "group": ["all"] * 2, "minutes": [15.0] * 2, **people}
        >>> family = pl.DataFrame({"area_id": ["a", "b", "city"], "parent_id": ["city", "city", None]})
        >>> roll_up(pl.DataFrame(rows), family)["share"].to_list()
        [0.875]

    """
    return frame(_engine.roll_up(to_engine(coverage, "coverage"), to_engine(areas, "areas")))


def coverage_gap(network: ArrowStream, straight: ArrowStream) -> pl.DataFrame:
    """Coverage on the network beside that of straight lines, so that the gap is visible.

    Args:
        network: coverage by times of the network, of one profile.
        straight: coverage of the same areas, classes, groups and minutes by times of `straight_line`.

    Returns:
        `area_id`, `class`, `group`, `minutes`, `people`, `share` (network), `share_straight`, `share_gap` (straight
        less network, 0..1 where the circle promises more than the streets keep).

    Raises:
        ValueError: `network` has several profiles.

    """
    walked, drawn = frame(network), frame(straight)
    if "profile" in walked.columns and walked["profile"].n_unique() > 1:
        raise ValueError("network: several profiles; keep the rows of one")
    key = ["area_id", "class", "group", "minutes"]
    both = walked.select(*key, "people", "share").join(
        drawn.select(*key, share_straight="share"), on=key, how="left", maintain_order="left"
    )
    return both.with_columns(share_gap=pl.col("share_straight") - pl.col("share"))


def uncovered(
    times: TableLike,
    cells: TableLike,
    areas: TableLike,
    *,
    facility_class: str,
    minutes: float = 15,
    group: str | None = None,
    profile: str = "adult",
    analysis_crs: str = "wgs84",
    progress: Progress = None,
) -> pl.DataFrame:
    """Where those live who do not reach a class: what a gap of a scorecard looks like on the ground.

    Args:
        times: as for `coverage`.
        cells: as for `coverage`.
        areas: `area_id` and a polygon.
        facility_class: the class.
        minutes: the threshold; a time equal to it counts as covered.
        group: the group column; None for everybody.
        profile: who walks, and the name of the times when they have no column `profile`.
        analysis_crs: as for `coverage`.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        One row for each cell of an area with people who are not covered: `area_id`, `cell`, `people` (those of the cell
        in the area), `time_s` (null where nothing is reached), `reason` (null where it only takes longer). Areas in
        their order, most people first.

    Raises:
        InputError: a column is missing, a value cannot be, or the class or profile has no times.
        ValueError: minutes or a system that cannot be.
        KeyboardInterrupt: stopped by the user, within half a second.

    Warns:
        RejectedRowsWarning: areas were left out.

    """
    tables = to_engine(times, "times"), to_engine(cells, "cells"), to_engine(areas, "areas")
    with reporting(progress) as report:
        rows, rejected = _engine.uncovered(
            *tables, facility_class, minutes, group, profile, analysis_crs, report=report
        )
    warn(frame(rejected))
    return frame(rows)


def capacity_per_group(
    facilities: TableLike,
    cells: TableLike,
    areas: TableLike,
    *,
    capacity: Capacity = "places",
    group: str | None = None,
    per: float = 1000,
    as_of: str | datetime.date | None = None,
    analysis_crs: str = "wgs84",
    progress: Progress = None,
) -> pl.DataFrame:
    """What facilities in an area hold for the people of a group who live there, as registers count it: nobody walks.

    Args:
        facilities: `id`, `class`, a place, and the column that `capacity` names; those that are not open are left out.
        cells: as for `coverage`.
        areas: `area_id` and a polygon.
        capacity: `places`, `beds`, `floor_area_m2`, `land_area_m2` or `staff`.
        group: the group column of `cells`; None for everybody.
        per: for so many of the group.
        as_of: the day on which facilities are looked at.
        analysis_crs: as for `coverage`.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        One row per area × class: `area_id`, `class`, `facilities`, `capacity` (the sum of what is known),
        `capacity_unknown` (facilities that do not say), `people` (of the group), `capacity_per` (null where nobody of
        the group lives).

    Raises:
        InputError: a table lacks a column or has no usable row.
        ValueError: a capacity, `per`, day or system that cannot be.
        KeyboardInterrupt: stopped by the user, within half a second.

    Warns:
        RejectedRowsWarning: rows were left out.

    """
    tables = to_engine(facilities, "facilities"), to_engine(cells, "cells"), to_engine(areas, "areas")
    day = None if as_of is None else str(as_of)
    with reporting(progress) as report:
        rows, rejected = _engine.capacity_per_group(*tables, capacity, group, per, day, analysis_crs, report=report)
    warn(frame(rejected))
    return frame(rows)
