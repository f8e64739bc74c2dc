"""Straight lines, as the radii of standards are drawn, beside walks."""

from __future__ import annotations

import datetime

import polars as pl

from walkshed import _engine
from walkshed.arrow import ArrowStream, TableLike, frame, to_engine
from walkshed.progress import Progress, reporting
from walkshed.rejected import warn

#: Level walking speed of an adult: `datasets/profiles.toml`.
_ADULT_MPS = 1.33


def straight_line(
    origins: TableLike,
    facilities: TableLike,
    *,
    radius_m: float = 1200,
    speed_mps: float = _ADULT_MPS,
    as_of: str | datetime.date | None = None,
    progress: Progress = None,
) -> pl.DataFrame:
    """The nearest facility of every class in a straight line: the baseline that walks are held against.

    Args:
        origins: `id` (or `cell`) and a place, as for `Network.nearest`.
        facilities: `id`, `class` and a place; those that are not open are left out.
        radius_m: the radius.
        speed_mps: the speed along the line, so that `coverage` at some minutes is that of a circle: with 1.0, a radius
            of 300 m is 5 minutes.
        as_of: the day on which facilities are looked at.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        The columns of `Network.nearest` (`profile` is "straight_line"; `reason` beyond_cutoff outside the radius) and
        `distance_m`, to the nearest door.

    Raises:
        InputError: a table lacks a column or has no usable row.
        ValueError: a radius, speed or day that cannot be.
        KeyboardInterrupt: stopped by the user, within half a second.

    Warns:
        RejectedRowsWarning: rows were left out.

    """
    homes, ends = to_engine(origins, "origins"), to_engine(facilities, "facilities")
    day = None if as_of is None else str(as_of)
    with reporting(progress) as report:
        times, rejected = _engine.straight_line(homes, ends, radius_m, speed_mps, day, report=report)
    warn(frame(rejected))
    return frame(times)


def detour(
    times: ArrowStream, origins: TableLike, facilities: TableLike, *, speed_mps: float = _ADULT_MPS
) -> pl.DataFrame:
    """How much longer walks are than straight lines: slopes, stairs and waits count as the metres that they take.

    Args:
        times: as from `Network.nearest` or `Network.reach`; rows without a facility are not looked at.
        origins: `id` (or `cell`) and a place.
        facilities: `id`, `class` and a place.
        speed_mps: the walker's speed on level ground.

    Returns:
        `origin_id`, `class`, `facility_id`, `time_s`, `distance_m` (the straight line to the nearest door),
        `detour_ratio` (`time_s` × `speed_mps` over `distance_m`; null where that is 0).

    Raises:
        InputError: a table lacks a column or has no usable row, or no id is the same on both sides.
        ValueError: a speed that is not above 0.

    """
    walked = frame(times).drop_nulls(["time_s", "facility_id"])
    ends = to_engine(origins, "origins"), to_engine(facilities, "facilities")
    return frame(_engine.detour(walked, *ends, speed_mps))
