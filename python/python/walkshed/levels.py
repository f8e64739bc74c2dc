"""The three levels of planning, each class of facility at its own."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Literal, TypeAlias

import polars as pl

from walkshed import _engine
from walkshed.arrow import ArrowStream, TableLike
from walkshed.coverage import coverage
from walkshed.facilities import facility_classes
from walkshed.network import Network
from walkshed.profile import Profile
from walkshed.progress import Progress
from walkshed.straight import straight_line

Criterion: TypeAlias = Literal["minutes", "network_m", "radius_m"]

#: One metre a second whatever the ground, and no waits: times are lengths.
_METRES = Profile(
    name="metres",
    flat_mps=1.0,
    slope="level",
    stairs_up_mps=1.0,
    stairs_down_mps=1.0,
    escalator_mps=1.0,
    lift_wait_s=0.0,
    lift_s_per_floor=0.0,
    off_street_mps=1.0,
)


def levels() -> pl.DataFrame:
    """The planning levels 小区, 社区 and 片区 of the catalogue.

    Returns:
        `id` (estate, community, district), `name_zh`, `name_en`, `minutes`, `radius_m`, `people_least`, `people_most`,
        `source`. Minutes, metres and people are settings of their own: none follows from another.

    """
    columns = ["id", "name_zh", "name_en", "minutes", "radius_m", "people_least", "people_most", "source"]
    return pl.DataFrame(_engine.levels(), schema=columns, orient="row")


def coverage_by_level(
    network: Network,
    cells: TableLike,
    facilities: TableLike,
    areas: TableLike | int | None = None,
    *,
    criterion: Criterion = "minutes",
    table: pl.DataFrame | None = None,
    groups: Sequence[str] | None = None,
    profile: str | Profile = "adult",
    as_of: str | datetime.date | None = None,
    progress: Progress = None,
) -> pl.DataFrame:
    """Coverage of each class at the level that it is planned for: estate 5, community 10, district 15 minutes.

    Args:
        network: the streets.
        cells: as for `coverage`.
        facilities: as for `Network.nearest`.
        areas: as for `coverage`.
        criterion: "minutes" of the profile; "network_m", metres along the streets (streets whose own seconds were
            surveyed count those as metres); or "radius_m", the straight line of the standards' radii.
        table: other levels than `levels()`: `id`, `minutes` and `radius_m`, which is the limit of both metres.
        groups: as for `coverage`.
        profile: who walks, for "minutes".
        as_of: the day on which facilities are looked at.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        `area_id`, `class`, `level`, `criterion`, `limit` (minutes or metres), `group`, `people`, `people_covered`,
        `share`. Classes that the catalogue does not hold have no level and no row.

    Raises:
        InputError: a table lacks a column or has no usable row.
        ValueError: an unknown criterion or profile, or a day that cannot be.
        KeyboardInterrupt: stopped by the user, within half a second.

    Warns:
        RejectedRowsWarning: rows were left out.

    """
    if criterion not in ("minutes", "network_m", "radius_m"):
        raise ValueError(f'criterion "{criterion}": use minutes, network_m or radius_m')
    known = levels() if table is None else table
    limits = dict(zip(known["id"], known["minutes" if criterion == "minutes" else "radius_m"], strict=True))
    # Metres are walked at one metre a second, so that limits in metres are minutes of 60 m.
    per_minute = 1.0 if criterion == "minutes" else 60.0
    minutes = sorted({limit / per_minute for limit in limits.values()})
    times = _times(network, cells, facilities, criterion, max(minutes), profile, as_of, progress)
    rows = coverage(times, cells, areas, minutes=minutes, groups=groups, progress=progress)
    of_class = facility_classes().select("class", level="service_level").filter(pl.col("level").is_in(list(limits)))
    limit = pl.col("level").replace_strict(limits, return_dtype=pl.Float64)
    wanted = of_class.with_columns(limit=limit, minutes=limit / per_minute)
    found = rows.join(wanted, on=["class", "minutes"], how="inner", maintain_order="left")
    columns = ["area_id", "class", "level", "criterion", "limit", "group", "people", "people_covered", "share"]
    return found.with_columns(criterion=pl.lit(criterion)).select(columns)


def _times(
    network: Network,
    cells: TableLike,
    facilities: TableLike,
    criterion: str,
    max_minutes: float,
    profile: str | Profile,
    as_of: str | datetime.date | None,
    progress: Progress,
) -> ArrowStream:
    if criterion == "radius_m":
        radius_m = max_minutes * 60
        return straight_line(cells, facilities, radius_m=radius_m, speed_mps=1.0, as_of=as_of, progress=progress)
    who = profile if criterion == "minutes" else _METRES
    return network.nearest(cells, facilities, profile=who, max_minutes=max_minutes, as_of=as_of, progress=progress)
