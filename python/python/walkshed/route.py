"""One walk, leg by leg."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

import polars as pl

from walkshed import cards
from walkshed.arrow import ArrowStream, frame
from walkshed.geotable import GeoTable

PlaceLike: TypeAlias = "Sequence[float] | Mapping[str, float] | Any"
"""`(lon, lat)`, a mapping with `lon` and `lat`, or a shapely point."""


class Route(GeoTable):
    """The legs of a walk in their order.

    Columns: `kind`, `length_m`, `climb_m`, `descent_m`, `time_s`, `source_ids`, `geometry`. `kind` is off_street
    between a place and the street, else the kind of way; waits belong to their leg. `climb_m` and `descent_m` are
    metres up and down, null where heights are unknown. `source_ids` are the ways as text.

    Attributes:
        time_s: seconds of the whole walk; None when there is none.
        reason: None, "not_snapped" or "not_connected".

    """

    def __init__(
        self,
        table: ArrowStream,
        time_s: float | None,
        why: tuple[str, str | None, float | None] | None,
        max_snap_m: float,
    ) -> None:
        """Wrap a route of the engine; `Network.route` returns it."""
        super().__init__(table)
        self.time_s = time_s
        self.reason = why[0] if why else None
        self._why = why
        self._max_snap_m = max_snap_m

    def __repr__(self) -> str:
        """Show the legs, or say why there are none."""
        if self._why is not None:
            return f"Route: none, {self.reason} ({self._told(*self._why)})"
        legs = self.to_polars()
        lines = [
            f"  {kind:<11}{length_m:>8,.0f} m {_rise(climb_m, descent_m):>13} {time_s:>8,.1f} s"
            for kind, length_m, climb_m, descent_m, time_s in legs.drop("source_ids").iter_rows()
        ]
        on_street = legs.filter(pl.col("kind") != "off_street")
        heights = [_whole(on_street[name]) for name in ("climb_m", "descent_m")]
        total = f"  {'in all':<11}{legs['length_m'].sum():>8,.0f} m {_rise(*heights):>13} {self.time_s:>8,.1f} s"
        return "\n".join([f"Route: {len(lines)} leg(s)", *lines, total])

    def _repr_html_(self) -> str:
        from walkshed import thumbnail

        legs = self.to_polars()
        none = [] if self._why is None else [f"无步行路线 No walk: {self._told(*self._why)}"]
        return cards.card(
            "步行路线 Route",
            facts=[
                ("时间 Time", None if self.time_s is None else cards.duration(self.time_s)),
                ("长度（米） Length (m)", float(legs["length_m"].sum()) if legs.height else None),
                ("路段 Legs", legs.height),
            ],
            tables=[cards.table(legs, ["kind", "length_m", "climb_m", "descent_m", "time_s"], most=20)],
            picture=thumbnail.outlines(frame(self._table)["geometry"]),
            notes=none,
        )

    def _told(self, reason: str, place: str | None, nearest_m: float | None) -> str:
        if reason == "not_connected":
            return "no way that this profile can walk joins the two places"
        if nearest_m is None:
            return f"there is no street to join the {place} to"
        return f"the {place} is {nearest_m:,.0f} m from the nearest street, the limit is {self._max_snap_m:,.0f} m"


def _whole(metres: pl.Series) -> float | None:
    """Sum up metres; None when those of any leg are unknown."""
    return None if metres.has_nulls() else float(metres.sum())


def _rise(climb_m: float | None, descent_m: float | None) -> str:
    if climb_m is None or descent_m is None:
        return ""
    return f"+{climb_m:.0f} −{descent_m:.0f} m"


def to_lon_lat(place: PlaceLike, name: str) -> tuple[float, float]:
    """Longitude and latitude of a place in any of its forms.

    Raises:
        TypeError: the object is no place.

    """
    if isinstance(place, Mapping):
        spot = cast("Mapping[str, float]", place)
        if {"lon", "lat"} <= spot.keys():
            return float(spot["lon"]), float(spot["lat"])
    elif isinstance(place, Sequence):
        pair = cast("Sequence[Any]", place)
        if len(pair) == 2 and all(isinstance(number, (int, float)) for number in pair):
            return float(pair[0]), float(pair[1])
    elif getattr(place, "geom_type", None) == "Point" and not place.is_empty:
        return float(place.x), float(place.y)
    raise TypeError(f'{name}: give (lon, lat), {{"lon": …, "lat": …}} or a shapely point, not {place!r}')
