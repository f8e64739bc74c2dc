"""The walking network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal, TypeAlias

import polars as pl

from walkshed import _engine
from walkshed.arrow import TableLike, frame, to_engine
from walkshed.profile import Profile, to_json
from walkshed.progress import Progress, reporting
from walkshed.rejected import warn

Path: TypeAlias = "str | os.PathLike[str]"
Direction: TypeAlias = Literal["to_facility", "from_facility"]

MAX_SNAP_M: float = _engine.MAX_SNAP_M
"""Metres beyond which a place is not joined to a street, unless said otherwise (own default)."""


class Network:
    """Streets to walk on, frozen; made by `from_osm`, `from_tables` or `load`.

    Times are whole tenths of a second inside, so the same inputs give the same answers on any number of threads.
    """

    def __init__(self, engine: _engine.Network) -> None:
        """Wrap a network of the engine; use `from_osm`, `from_tables` or `load` instead."""
        self._engine = engine

    @classmethod
    def from_osm(
        cls,
        path: Path,
        *,
        elevation: Path | Sequence[Path] | None = None,
        max_snap_m: float = MAX_SNAP_M,
        progress: Progress = None,
    ) -> Network:
        """Read an OpenStreetMap extract.

        Args:
            path: `.osm.pbf` file; rules of what people may walk on: `datasets/walking_rules.toml`.
            elevation: GeoTIFF or SRTM `.hgt` files in degrees; the first that knows a place answers. Flat when None.
            max_snap_m: metres beyond which a place is not joined to a street.
            progress: None or True shows a bar after a second, False nothing, a function is called with the state.

        Raises:
            InputError: a file is missing, something else, cut off or damaged, or holds nothing to walk on.
            ValueError: a `max_snap_m` that cannot be.
            KeyboardInterrupt: stopped by the user, within half a second.

        """
        rasters = [] if elevation is None else [elevation] if isinstance(elevation, (str, os.PathLike)) else elevation
        with reporting(progress) as report:
            return cls(
                _engine.Network.from_osm(
                    os.fspath(path),
                    [os.fspath(raster) for raster in rasters],
                    _snap(max_snap_m),
                    report=report,
                )
            )

    @classmethod
    def from_tables(cls, nodes: TableLike, edges: TableLike, *, max_snap_m: float = MAX_SNAP_M) -> Network:
        """Take a surveyed network.

        Args:
            nodes: `id`, `lon`, `lat` (WGS-84 degrees), optional `ele_m` (metres).
            edges: `from`, `to` (ids of nodes), `length_m`, optional `id`, `kind` (footway, street, crossing, steps,
                escalator, lift, corridor, platform, cableway, ferry; default footway), `forward_s`, `backward_s`.
                When a seconds column is there, these ARE the walking seconds for every profile, rounded to tenths;
                null means no walking that way.
            max_snap_m: metres beyond which a place is not joined to a street.

        Raises:
            InputError: every fault of both tables.
            ValueError: a `max_snap_m` that cannot be.

        Example:
            >>> import polars as pl
            >>> nodes = pl.DataFrame({"id": ["a", "b"], "lon": [106.55, 106.551], "lat": [29.56, 29.56]})
            >>> edges = pl.DataFrame({"from": ["a"], "to": ["b"], "length_m": [97.0]})
            >>> Network.from_tables(nodes, edges)
            Network(2 nodes, 1 edges, 0.1 km)

        """
        return cls(_engine.Network.from_tables(to_engine(nodes, "nodes"), to_engine(edges, "edges"), _snap(max_snap_m)))

    @classmethod
    def load(cls, path: Path) -> Network:
        """Read a network that `save` wrote.

        Raises:
            InputError: the file is missing, something else, of another version, or damaged (its checksum tells).

        """
        return cls(_engine.Network.load(os.fspath(path)))

    def save(self, path: Path) -> None:
        """Write the network to one file, which appears whole or not at all.

        The file is Arrow IPC with a checksum; any Arrow library reads its columns.

        Raises:
            OSError: the file system refused.

        """
        self._engine.save(os.fspath(path))

    def nearest(
        self,
        origins: TableLike,
        facilities: TableLike,
        *,
        profile: str | Profile = "adult",
        max_minutes: float = 15,
        direction: Direction = "to_facility",
        progress: Progress = None,
    ) -> pl.DataFrame:
        """Nearest facility of every class from every origin, by walking time.

        Args:
            origins: `id` (or `cell`, which then is the id) and a place: `lon` + `lat`, a geometry column, or `cell`
                (H3: u64, i64 or hex text), the first of these that is there.
            facilities: `id`, `class` and a place likewise.
            profile: adult, senior, child, stroller, wheelchair, or a `Profile`.
            max_minutes: cut-off; a time equal to it counts as reached.
            direction: from home to the facility, or back; on slopes and stairs they differ.
            progress: None or True shows a bar after a second, False nothing, a function is called with the state.

        Returns:
            One row per origin × class, origins in their order, classes sorted: `origin_id`, `class`, `profile`,
            `time_s` (seconds, tenths; the legs between place and street count), `facility_id`, `reason`. Time and
            facility are null when nothing is reached, and `reason` says why: beyond_cutoff, not_connected or
            not_snapped. Equally near facilities: the one whose id comes first.

        Raises:
            InputError: a table lacks a column or has no usable row.
            ValueError: a profile, direction or cut-off that cannot be.
            KeyboardInterrupt: stopped by the user, within half a second.

        Warns:
            RejectedRowsWarning: rows were left out, and facilities that no street is near enough to.

        """
        who, starts, ends = (
            to_json(profile),
            to_engine(origins, "origins"),
            to_engine(facilities, "facilities"),
        )
        with reporting(progress) as report:
            times, rejected = self._engine.nearest(starts, ends, who, max_minutes, direction, report=report)
        warn(frame(rejected))
        return frame(times)

    def snap(self, places: TableLike, *, profile: str | Profile = "adult") -> pl.DataFrame:
        """Show how places are joined to the network.

        Args:
            places: `id` (or `cell`) and a place, as in `nearest`.
            profile: whose streets; a wheelchair is not joined to stairs.

        Returns:
            One row per place: `id`, `edge`, `from`, `to` (as in `edges`), `share` (0..1 of the edge's length),
            `away_m`, `leg_s`, and the seconds along the edge `to_start_s`, `to_end_s`, `from_start_s`, `from_end_s`
            (null where it may not be walked), `nearest_m`, `reason` (not_snapped or null).

        Raises:
            InputError: the table lacks a column or has no usable row.
            ValueError: a profile that cannot be.

        """
        snapped, rejected = self._engine.snap(to_engine(places, "places"), to_json(profile))
        warn(frame(rejected))
        return frame(snapped)

    def nodes(self) -> pl.DataFrame:
        """Nodes: `id` (unique), `lon`, `lat`, `ele_m` (metres, null where unknown), `source_id`."""
        return frame(self._engine.nodes())

    def edges(self, *, profile: str | Profile = "adult") -> pl.DataFrame:
        """Edges with their times for a profile.

        Returns:
            One row per edge: `id` (unique), `from`, `to` (ids of `nodes`), `length_m`, `kind`, `forward_s`,
            `backward_s` (seconds; null where this profile may not walk), `source_id` (the way), `island` (a small
            piece cut off from the rest, past which places are joined). `from_tables(net.nodes(), net.edges())` is a
            network with the same times between nodes, its edges drawn straight.

        Raises:
            ValueError: a profile that cannot be.

        """
        return frame(self._engine.edges(to_json(profile)))

    def lines(self) -> pl.DataFrame:
        """Drawn lines of all edges, vertex by vertex: `edge` (as in `edges`), `kind`, `lon`, `lat`."""
        return frame(self._engine.lines())

    def summary(self) -> pl.DataFrame:
        """Kilometres by kind of way: `kind`, `length_km`."""
        return pl.DataFrame(self._engine.length_km(), schema=["kind", "length_km"], orient="row")

    def __repr__(self) -> str:
        """Size in one line."""
        kilometres = sum(length for _, length in self._engine.length_km())
        return f"Network({self._engine.node_count} nodes, {self._engine.edge_count} edges, {kilometres:,.1f} km)"


def _snap(max_snap_m: float) -> float:
    """Refuse a distance that would join every place, or none; the bounds are those of a study."""
    if not 0 < max_snap_m <= 5000:
        raise ValueError(f"max_snap_m {max_snap_m}: use metres above 0, at most 5000")
    return max_snap_m
