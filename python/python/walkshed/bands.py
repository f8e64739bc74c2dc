"""How far coverage hangs on what nobody knows exactly: walking speeds and cut-offs."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence

import polars as pl

from walkshed.arrow import TableLike
from walkshed.coverage import coverage
from walkshed.network import Network
from walkshed.profile import Profile
from walkshed.profile import profile as by_name
from walkshed.progress import Progress


def coverage_bands(
    network: Network,
    cells: TableLike,
    facilities: TableLike,
    areas: TableLike | int | None = None,
    *,
    minutes: Sequence[float] = (5, 10, 15),
    speed_factors: Sequence[float] = (0.85, 1.15),
    cutoff_factors: Sequence[float] = (1.0,),
    groups: Sequence[str] | None = None,
    profile: str | Profile = "adult",
    as_of: str | datetime.date | None = None,
    progress: Progress = None,
) -> pl.DataFrame:
    """Coverage with bands: computed again for slower and faster walkers and for other cut-offs.

    Args:
        network: the streets.
        cells: as for `coverage`.
        facilities: as for `Network.nearest`.
        areas: as for `coverage`.
        minutes: thresholds.
        speed_factors: all speeds of the profile, times each of these. The default is a guess of ±15 per cent: measured
            means of adults differ by about that much from place to place. State yours.
        cutoff_factors: the thresholds, times each of these.
        groups: as for `coverage`.
        profile: who walks.
        as_of: the day on which facilities are looked at.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        The columns of `coverage`, and `share_low`, `share_high`: the least and the greatest share of all runs, that
        with the factors 1 among them.

    Raises:
        InputError: a table lacks a column or has no usable row.
        ValueError: a factor that is not above 0, or minutes, a profile or a day that cannot be.
        KeyboardInterrupt: stopped by the user, within half a second.

    Warns:
        RejectedRowsWarning: rows were left out.

    """
    factors = [*speed_factors, *cutoff_factors]
    wrong = [factor for factor in factors if not 0 < factor < 100]
    if wrong:
        raise ValueError(f"factor {wrong[0]}: use a number above 0")
    who = by_name(profile) if isinstance(profile, str) else profile
    cutoffs = sorted({1.0, *cutoff_factors})
    runs: list[pl.DataFrame] = []
    for speed in sorted({1.0, *speed_factors}):
        walker = scaled(who, speed)
        limit = max(minutes) * cutoffs[-1]
        times = network.nearest(cells, facilities, profile=walker, max_minutes=limit, as_of=as_of, progress=progress)
        for cutoff in cutoffs:
            limits = [each * cutoff for each in minutes]
            run = coverage(times, cells, areas, minutes=limits, groups=groups, progress=progress)
            base = speed == cutoff == 1.0
            runs.insert(0, run) if base else runs.append(run)
    # Every run has the same rows in the same order.
    shares = [run["share"].alias(str(place)) for place, run in enumerate(runs)]
    bands = pl.DataFrame(shares).select(share_low=pl.min_horizontal(pl.all()), share_high=pl.max_horizontal(pl.all()))
    return pl.concat([runs[0], bands], how="horizontal")


def scaled(who: Profile, factor: float) -> Profile:
    """The same walker, all speeds times a factor; waits stay.

    Raises:
        ValueError: a factor that is not above 0.

    """
    if not factor > 0:
        raise ValueError(f"factor {factor}: use a number above 0")
    speeds = {
        field.name: getattr(who, field.name) * factor
        for field in dataclasses.fields(who)
        if field.name.endswith("_mps") and getattr(who, field.name) is not None
    }
    return dataclasses.replace(who, **speeds)
