"""The walking network."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import polars as pl

from walkshed import _engine, cards, summary
from walkshed.arrow import ArrowStream, TableLike, frame, to_engine
from walkshed.geotable import GeoTable
from walkshed.memory import MemoryLimit, to_bytes
from walkshed.profile import Profile, to_json
from walkshed.progress import Progress, reporting
from walkshed.rejected import warn
from walkshed.route import PlaceLike, Route, to_lon_lat
from walkshed.scenario import Scenario
from walkshed.summary import Summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from walkshed.language import Language
    from walkshed.maps.base_map import BaseMap

Path: TypeAlias = "str | os.PathLike[str]"
Direction: TypeAlias = Literal["to_facility", "from_facility"]
Gates: TypeAlias = Literal["open", "tagged", "closed"]
Capacity: TypeAlias = Literal["places", "beds", "floor_area_m2", "land_area_m2", "staff"]
AnalysisCrs: TypeAlias = Literal["wgs84", "gcj02", "bd09"]

MAX_SNAP_M: float = _engine.MAX_SNAP_M
"""Metres beyond which a place is not joined to a street, unless said otherwise (own default)."""


class Network:
    """Streets to walk on, frozen; made by `from_osm`, `from_tables` or `load`.

    Times are whole tenths of a second inside, so the same inputs give the same answers on any number of threads.
    """

    def __init__(self, engine: _engine.Network) -> None:
        """Wrap a network of the engine; use `from_osm`, `from_tables` or `load` instead."""
        self._engine = engine
        self._scenario: Scenario | None = None

    def with_scenario(self, scenario: Scenario) -> Network:
        """The same streets under the edits of a scenario; this network stays as it is.

        The answer has the methods of every network. Facilities that its searches are given are edited too, so give it
        the baseline's; origins are taken as they are (`Scenario.cells` makes those of the scenario). Under a scenario a
        network is not saved. To ask many scenarios of one city, `Baseline` looks only at what each touches.

        Args:
            scenario: edits, in order. A network that is under a scenario already is put under both.

        Raises:
            InputError: every fault of every edit: no street near the end of a link, no way of an id.

        """
        whole = scenario if self.scenario is None else self.scenario + scenario
        network = Network(_engine.with_scenario(self._engine, whole.name, whole.to_json()))
        network._scenario = whole
        return network

    @property
    def scenario(self) -> Scenario | None:
        """The scenario that the network is under; None for a network of its own."""
        return self._scenario

    @classmethod
    def from_osm(
        cls,
        path: Path,
        *,
        elevation: Path | Sequence[Path] | None = None,
        elevation_crs: str | None = None,
        max_snap_m: float = MAX_SNAP_M,
        gates: Gates = "tagged",
        join_islands_m: float = 0,
        open_at: str | None = None,
        analysis_crs: AnalysisCrs = "wgs84",
        progress: Progress = None,
    ) -> Network:
        """Read an OpenStreetMap extract.

        Args:
            path: `.osm.pbf` file; rules of what people may walk on: `datasets/walking_rules.toml`.
            elevation: GeoTIFF or SRTM `.hgt` files; the first that knows a place answers. Flat when None. Voids are
                filled from their neighbours, noise is smoothed (docs/design/2026-11-elevation.md).
            elevation_crs: coordinate system of rasters that do not state it, such as "EPSG:3763".
            max_snap_m: metres beyond which a place is not joined to a street.
            gates: "tagged": private ways and gates are for those who live behind them, other gates stand open;
                "open": all stand open to everybody; "closed": every gate, and ways for customers too, are only for
                those who live behind them. Nobody is ever locked in; `access=no` is closed in any case.
            join_islands_m: small pieces of the network that are cut off by at most so many metres are joined to the
                rest, 0..500; 0 leaves them as they are drawn.
            open_at: local time at which opening hours are looked at, such as "2026-06-16T10:00" (a Tuesday; the
                default of `datasets/walking_rules.toml`), or "always" to take everything for open.
            analysis_crs: "gcj02" or "bd09" for an analysis that stays in that system, because its points may not be
                converted. Lengths, heights and slopes are measured in WGS-84; then the streets move. Tables that state
                the same system (`in_crs`) are used number for number, others are moved to it, and results are in it,
                H3 cells among them. Only the ways from a place to its street are measured between moved places: at
                most 1 % ("bd09" 2.5 %) longer or shorter.
            progress: None or True shows a bar after a second, False nothing, a function is called with the state.

        Raises:
            InputError: a file is missing, something else, cut off or damaged, or holds nothing to walk on.
            ValueError: a setting that cannot be.
            KeyboardInterrupt: stopped by the user, within half a second.

        """
        with reporting(progress) as report:
            return cls(
                _engine.Network.from_osm(
                    os.fspath(path),
                    _rasters(elevation),
                    elevation_crs,
                    _snap(max_snap_m),
                    gates,
                    _islands(join_islands_m),
                    open_at,
                    analysis_crs,
                    report=report,
                )
            )

    @classmethod
    def from_overture(
        cls,
        segments: TableLike,
        connectors: TableLike | None = None,
        *,
        elevation: Path | Sequence[Path] | None = None,
        elevation_crs: str | None = None,
        max_snap_m: float = MAX_SNAP_M,
        gates: Gates = "tagged",
        join_islands_m: float = 0,
        open_at: str | None = None,
        analysis_crs: AnalysisCrs = "wgs84",
        progress: Progress = None,
    ) -> Network:
        """Take the streets of Overture Maps, from local files.

        A segment is cut where a rule of it begins or ends, and hangs together with others where they share a connector.
        Classes, flags, levels and rules of access are judged by `datasets/walking_rules.toml` like the tags of
        OpenStreetMap that they are made from. Overture knows no gates, lifts, squares, walls, floors, steps counted or
        pavements of roads; where those matter, as in a mountain city, an extract of OpenStreetMap tells more.

        Args:
            segments: theme transportation, type segment (schema 1.x): `id`, `geometry`, `subtype`, `class`,
                `connectors`, and the rules where they are there.
            connectors: type connector: `id` and `geometry`; None takes their places from the segments.
            elevation: as in `from_osm`.
            elevation_crs: as in `from_osm`.
            max_snap_m: metres beyond which a place is not joined to a street.
            gates: as in `from_osm`, of segments that are only for those who live there, or for customers.
            join_islands_m: as in `from_osm`.
            open_at: local time at which rules for some hours are looked at; with "always" they do not count.
            analysis_crs: as in `from_osm`.
            progress: None or True shows a bar after a second, False nothing, a function is called with the state.

        Returns:
            A network; `source_id` of its edges is the row of the segment, from 1.

        Raises:
            InputError: a column is missing, or nothing may be walked on.
            ValueError: a setting that cannot be.
            KeyboardInterrupt: stopped by the user, within half a second.

        Warns:
            RejectedRowsWarning: segments were left out.

        """
        with reporting(progress) as report:
            network, rejected = _engine.Network.from_overture(
                to_engine(segments, "segments"),
                None if connectors is None else to_engine(connectors, "connectors"),
                _rasters(elevation),
                elevation_crs,
                _snap(max_snap_m),
                gates,
                _islands(join_islands_m),
                open_at,
                analysis_crs,
                report=report,
            )
        warn(frame(rejected))
        return cls(network)

    @classmethod
    def from_tables(
        cls,
        nodes: TableLike,
        edges: TableLike,
        *,
        max_snap_m: float = MAX_SNAP_M,
        analysis_crs: AnalysisCrs = "wgs84",
    ) -> Network:
        """Take a surveyed network.

        Args:
            nodes: `id`, `lon`, `lat` (WGS-84 degrees), optional `ele_m` (metres).
            edges: `from`, `to` (ids of nodes), `length_m`, optional `id`, `kind` (footway, street, crossing, steps,
                escalator, lift, corridor, platform, cableway, ferry, square; default footway), `residents` (true: only
                for those who live there), `forward_s`, `backward_s`.
                When a seconds column is there, these ARE the walking seconds for every profile, rounded to tenths;
                null means no walking that way.
            max_snap_m: metres beyond which a place is not joined to a street.
            analysis_crs: as in `from_osm`; nodes that state the same system stay where they are.

        Raises:
            InputError: every fault of both tables.
            ValueError: a setting that cannot be.

        Example:
            >>> import polars as pl
            >>> nodes = pl.DataFrame({"id": ["a", "b"], "lon": [106.55, 106.551], "lat": [29.56, 29.56]})
            >>> edges = pl.DataFrame({"from": ["a"], "to": ["b"], "length_m": [97.0]})
            >>> Network.from_tables(nodes, edges)
            Network(2 nodes, 1 edges, 0.1 km)

        """
        return cls(
            _engine.Network.from_tables(
                to_engine(nodes, "nodes"), to_engine(edges, "edges"), _snap(max_snap_m), analysis_crs
            )
        )

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

    @property
    def analysis_crs(self) -> str:
        """The system of its places and of all results: "wgs84", "gcj02" or "bd09"; it is saved with the network."""
        return self._engine.analysis_crs

    @property
    def synthetic(self) -> bool:
        """Whether its extract says that it is made up, as those of `synth` do; it is saved with the network."""
        return self._engine.synthetic

    def nearest(
        self,
        origins: TableLike,
        facilities: TableLike,
        *,
        profile: str | Profile = "adult",
        max_minutes: float = 15,
        direction: Direction = "to_facility",
        as_of: str | datetime.date | None = None,
        memory_limit: MemoryLimit = None,
        progress: Progress = None,
    ) -> pl.DataFrame:
        """Nearest facility of every class from every origin, by walking time.

        Args:
            origins: `id` (or `cell`, which then is the id) and a place: `lon` + `lat`, a geometry column, or `cell`
                (H3: u64, i64 or hex text), the first of these that is there. An optional `level` is a floor, as in
                OpenStreetMap: a place on a floor is joined to ways of that floor within 50 m, else to the street.
            facilities: `id`, `class` and a place likewise, or places of Overture Maps. Only those that are open are
                walked to: with the days `planned_on`, `building_since`, `opened_on`, `closed_on` those open on `as_of`,
                else by `status`, else all. The other columns of a ledger are checked when they are there. Words in
                `level` that name a service level (小区, 社区, 片区, estate, community, district) are no floors.
            profile: adult, senior, child, stroller, wheelchair, or a `Profile`.
            max_minutes: cut-off; a time equal to it counts as reached.
            direction: from home to the facility, or back; on slopes and stairs they differ.
            as_of: the day on which facilities are looked at, such as `"2026-03-01"`; without it their stated
                status counts.
            memory_limit: bytes, or `"8 GB"`, for the whole process; without it, most of what the machine has free.
            progress: None or True shows a bar after a second, False nothing, a function is called with the state.

        Returns:
            One row per origin × class, origins in their order, classes sorted: `origin_id`, `class`, `profile`,
            `time_s` (seconds, tenths; the legs between place and street count), `facility_id`, `reason`. Time and
            facility are null when nothing is reached, and `reason` says why: beyond_cutoff, not_connected or
            not_snapped. Equally near facilities: the one whose id comes first.

        Raises:
            InputError: a table lacks a column or has no usable row, or the result would be larger than the limit.
            ValueError: a profile, direction, day, limit or cut-off that cannot be.
            KeyboardInterrupt: stopped by the user, within half a second.

        Warns:
            RejectedRowsWarning: rows were left out, and facilities that no street is near enough to.

        """
        question = _question(origins, facilities, profile, direction, as_of, memory_limit)
        with reporting(progress) as report:
            times, rejected = _engine.nearest(self._engine, question, max_minutes, report=report)
        warn(frame(rejected))
        return frame(times)

    def reach(
        self,
        origins: TableLike,
        facilities: TableLike,
        *,
        profile: str | Profile = "adult",
        max_minutes: float = 15,
        direction: Direction = "to_facility",
        as_of: str | datetime.date | None = None,
        memory_limit: MemoryLimit = None,
        progress: Progress = None,
    ) -> pl.DataFrame:
        """All origins and facilities within the cut-off of each other, for floating catchments, gravity and siting.

        Args:
            origins: as for `nearest`.
            facilities: as for `nearest`; those that are not open are left out.
            profile: adult, senior, child, stroller, wheelchair, or a `Profile`.
            max_minutes: cut-off; a time equal to it counts as reached.
            direction: from home to the facility, or back.
            as_of: the day on which facilities are looked at.
            memory_limit: bytes, or `"8 GB"`, for the whole process; without it, most of what the machine has free. How
                many pairs there are is estimated from a sample before they are searched for. `reach_batches` needs a
                few megabytes, however many pairs there are.
            progress: None or True shows a bar after a second, False nothing, a function is called with the state.

        Returns:
            One row per pair: `origin_id`, `facility_id`, `class`, `time_s` (seconds, tenths; the same that `nearest`
            gives). No nulls; what is not reached has no row. Neighbouring origins come together, and the order is the
            same in every run.

        Raises:
            InputError: a table lacks a column or has no usable row, or the result would be larger than the limit.
            ValueError: a profile, direction, day, limit or cut-off that cannot be.
            KeyboardInterrupt: stopped by the user, within half a second.

        Warns:
            RejectedRowsWarning: rows were left out, and places that no street is near enough to.

        """
        question = _question(origins, facilities, profile, direction, as_of, memory_limit)
        with reporting(progress) as report:
            pairs, rejected = _engine.reach(self._engine, question, max_minutes, report=report)
        warn(frame(rejected))
        return frame(pairs)

    def reach_batches(
        self,
        origins: TableLike,
        facilities: TableLike,
        *,
        profile: str | Profile = "adult",
        max_minutes: float = 15,
        direction: Direction = "to_facility",
        as_of: str | datetime.date | None = None,
        memory_limit: MemoryLimit = None,
        progress: Progress = None,
    ) -> ArrowStream:
        """Give the pairs of `reach` as a stream of record batches, found while they are read.

        Args:
            origins: as for `nearest`.
            facilities: as for `nearest`.
            profile: as for `reach`.
            max_minutes: as for `reach`.
            direction: as for `reach`.
            as_of: as for `reach`.
            memory_limit: as for `reach`; the pairs do not count.
            progress: shows how places are joined to streets; the search runs while the stream is read.

        Returns:
            A stream with the columns and the order of `reach`, to be read once by whatever speaks `__arrow_c_stream__`
            (`pyarrow.RecordBatchReader.from_stream`, DuckDB, polars), so that pairs may be more than the memory holds.

        Raises:
            InputError: a table lacks a column or has no usable row.
            ValueError: a profile, direction, day, limit or cut-off that cannot be.
            KeyboardInterrupt: stopped by the user, within half a second.

        Warns:
            RejectedRowsWarning: rows were left out, and places that no street is near enough to.

        """
        question = _question(origins, facilities, profile, direction, as_of, memory_limit)
        with reporting(progress) as report:
            stream, rejected = _engine.reach_batches(self._engine, question, max_minutes, report=report)
        warn(frame(rejected))
        return stream

    def counts(
        self,
        origins: TableLike,
        facilities: TableLike,
        *,
        minutes: Sequence[float] = (5, 10, 15),
        capacity: Capacity | None = None,
        profile: str | Profile = "adult",
        direction: Direction = "to_facility",
        as_of: str | datetime.date | None = None,
        memory_limit: MemoryLimit = None,
        progress: Progress = None,
    ) -> pl.DataFrame:
        """Cumulative opportunities: how many facilities of each class are within some minutes, and what they hold.

        Args:
            origins: as for `nearest`.
            facilities: as for `nearest`; `capacity` names one of their columns.
            minutes: the thresholds; a time equal to one counts.
            capacity: `places`, `beds`, `floor_area_m2`, `land_area_m2` or `staff`: what is summed up.
            profile: adult, senior, child, stroller, wheelchair, or a `Profile`.
            direction: from home to the facility, or back.
            as_of: the day on which facilities are looked at.
            memory_limit: bytes, or `"8 GB"`, for the whole process; without it, most of what the machine has free.
            progress: None or True shows a bar after a second, False nothing, a function is called with the state.

        Returns:
            One row per origin × class × minutes: `origin_id`, `class`, `minutes`, `count`, and with `capacity` also
            `capacity` (the sum of what is known) and `capacity_unknown` (facilities within reach that do not say).
            Nothing is null: what is not reached counts 0. Origins in their order, classes sorted.

        Raises:
            InputError: a table lacks a column or has no usable row, or the result would be larger than the limit.
            ValueError: minutes, a capacity, profile, direction, day or limit that cannot be.
            KeyboardInterrupt: stopped by the user, within half a second.

        Warns:
            RejectedRowsWarning: rows were left out, and places that no street is near enough to.

        """
        question = _question(origins, facilities, profile, direction, as_of, memory_limit)
        with reporting(progress) as report:
            found, rejected = _engine.counts(self._engine, question, list(minutes), capacity, report=report)
        warn(frame(rejected))
        return frame(found)

    def nearest_few(
        self,
        origins: TableLike,
        facilities: TableLike,
        *,
        k: int = 3,
        profile: str | Profile = "adult",
        max_minutes: float = 15,
        direction: Direction = "to_facility",
        as_of: str | datetime.date | None = None,
        memory_limit: MemoryLimit = None,
        progress: Progress = None,
    ) -> pl.DataFrame:
        """The k nearest facilities of every class from every origin: what is left when the nearest one closes.

        Args:
            origins: as for `nearest`.
            facilities: as for `nearest`.
            k: how many of each class.
            profile: adult, senior, child, stroller, wheelchair, or a `Profile`.
            max_minutes: cut-off; a time equal to it counts as reached.
            direction: from home to the facility, or back.
            as_of: the day on which facilities are looked at.
            memory_limit: bytes, or `"8 GB"`, for the whole process; without it, most of what the machine has free.
            progress: None or True shows a bar after a second, False nothing, a function is called with the state.

        Returns:
            `origin_id`, `class`, `rank` (1 is the nearest), `time_s`, `facility_id`: a row for each that is within the
            cut-off, so fewer than k where fewer are. No nulls. Origins in their order, classes sorted, the nearest
            first; of equally near ones those whose ids come first.

        Raises:
            InputError: a table lacks a column or has no usable row, or the result would be larger than the limit.
            ValueError: k, a profile, direction, day, limit or cut-off that cannot be.
            KeyboardInterrupt: stopped by the user, within half a second.

        Warns:
            RejectedRowsWarning: rows were left out, and places that no street is near enough to.

        """
        question = _question(origins, facilities, profile, direction, as_of, memory_limit)
        with reporting(progress) as report:
            found, rejected = _engine.nearest_few(self._engine, question, k, max_minutes, report=report)
        warn(frame(rejected))
        return frame(found)

    def node_times(
        self,
        facilities: TableLike,
        *,
        profile: str | Profile = "adult",
        max_minutes: float = 15,
        direction: Direction = "to_facility",
        as_of: str | datetime.date | None = None,
        memory_limit: MemoryLimit = None,
        progress: Progress = None,
    ) -> pl.DataFrame:
        """Walking time between every node of the network and the nearest facility of every class.

        Args:
            facilities: as for `nearest`.
            profile: adult, senior, child, stroller, wheelchair, or a `Profile`.
            max_minutes: cut-off; a time equal to it counts as reached.
            direction: from the node to the facility, or back.
            as_of: the day on which facilities are looked at.
            memory_limit: bytes, or `"8 GB"`, for the whole process; without it, most of what the machine has free.
            progress: None or True shows a bar after a second, False nothing, a function is called with the state.

        Returns:
            One row per node × class, nodes in the order of `nodes()`, classes sorted: `node_id`, `class`, `time_s`
            (seconds, tenths; the leg between door and street counts; null beyond the cut-off).

        Raises:
            InputError: the table lacks a column or has no usable row, or the result would be larger than the limit.
            ValueError: a profile, direction, day, limit or cut-off that cannot be.
            KeyboardInterrupt: stopped by the user, within half a second.

        Warns:
            RejectedRowsWarning: rows were left out, and facilities that no street is near enough to.

        """
        question = _question(None, facilities, profile, direction, as_of, memory_limit)
        with reporting(progress) as report:
            times, rejected = _engine.node_times(self._engine, question, max_minutes, report=report)
        warn(frame(rejected))
        return frame(times)

    def matrix(
        self,
        origins: TableLike,
        destinations: TableLike,
        *,
        profile: str | Profile = "adult",
        direction: Direction = "to_facility",
        memory_limit: MemoryLimit = None,
        progress: Progress = None,
    ) -> pl.DataFrame:
        """Times between all origins and all destinations, without a cut-off; for many places use `reach` with one.

        Args:
            origins: `id` (or `cell`) and a place, as for `nearest`.
            destinations: the same.
            profile: adult, senior, child, stroller, wheelchair, or a `Profile`.
            direction: from the origin to the destination, or back.
            memory_limit: bytes, or `"8 GB"`, for the whole process; without it, most of what the machine has free.
            progress: None or True shows a bar after a second, False nothing, a function is called with the state.

        Returns:
            One row per origin × destination, in the order of both tables: `origin_id`, `destination_id`, `time_s`
            (seconds, tenths; null where no way leads or a place is not near any street). Where both tables are long
            the network is contracted first, which takes longer than the matrix itself; the next matrix of the same
            profile and direction does without.

        Raises:
            InputError: a table lacks a column or has no usable row, or the result would be larger than the limit.
            ValueError: a profile, direction or limit that cannot be.
            KeyboardInterrupt: stopped by the user, within half a second.

        Warns:
            RejectedRowsWarning: rows were left out, and places that no street is near enough to.

        """
        starts, ends = to_engine(origins, "origins"), to_engine(destinations, "destinations")
        who, limit = to_json(profile), to_bytes(memory_limit)
        with reporting(progress) as report:
            times, rejected = _engine.matrix(self._engine, starts, ends, who, direction, limit, report=report)
        warn(frame(rejected))
        return frame(times)

    def route(
        self,
        origin: PlaceLike,
        destination: PlaceLike,
        *,
        profile: str | Profile = "adult",
        direction: Direction = "to_facility",
        crs: str = "EPSG:4326",
    ) -> Route:
        """Show the fastest walk between two places, leg by leg: why a place is, or is not, covered.

        Args:
            origin: home: (lon, lat), {"lon": …, "lat": …} or a shapely point, degrees.
            destination: the facility, likewise.
            profile: adult, senior, child, stroller, wheelchair, or a `Profile`.
            direction: from home to the facility, or back; the legs are told in the order of the walk.
            crs: system of the two places: WGS-84, or "gcj02" or "bd09". The legs are drawn in `analysis_crs`.

        Returns:
            One row per leg, parts of one kind joined: `kind` (off_street between place and street, else the kind of
            way), `length_m`, `climb_m`, `descent_m` (metres up and down; null where heights are unknown), `time_s`
            (tenths; waits included), `source_ids`, `geometry` (a line; a point for a lift that is drawn as one).
            `.time_s` is their sum, the time that `nearest` gives for the pair, without cut-off. With no way there are
            no rows, `.time_s` is None and `.reason` says why: not_connected or not_snapped. Of equally fast ways
            the choice hangs on the network alone. A leg of less than a twentieth of a second is left out.

        Raises:
            InputError: longitude and latitude are the wrong way round, or out of range.
            TypeError: something that is no place.
            ValueError: a profile, direction or system that cannot be.
            KeyboardInterrupt: stopped by the user, within half a second.

        Example:
            >>> import polars as pl
            >>> nodes = pl.DataFrame({"id": ["a", "b"], "lon": [106.55, 106.551], "lat": [29.56, 29.56]})
            >>> edges = pl.DataFrame({"from": ["a"], "to": ["b"], "length_m": [133.0], "kind": ["steps"]})
            >>> net = Network.from_tables(nodes, edges)
            >>> net.route((106.55, 29.5601), (106.551, 29.56))
            Route: 2 leg(s)
              off_street       11 m                    8.3 s
              steps           133 m                  258.6 s
              in all          144 m                  266.9 s

        """
        start, end = to_lon_lat(origin, "origin"), to_lon_lat(destination, "destination")
        legs, time_s, why = _engine.route(self._engine, start, end, to_json(profile), direction, crs)
        return Route(legs, time_s, why, self._engine.max_snap_m)

    def isochrones(
        self,
        points: TableLike,
        *,
        minutes: Sequence[float] = (5, 10, 15),
        profile: str | Profile = "adult",
        direction: Direction = "to_facility",
        buffer_m: float = 25,
        progress: Progress = None,
    ) -> GeoTable:
        """Draw the ground from which each point is reached within some minutes, or that is reached from it.

        A street counts as far as the time lasts, cut where it runs out. The ground beside it counts as far as one walks
        straight off the street in the time that is left there, at most `buffer_m`. Streets onto which no door opens
        (bridges, tunnels, lifts, cableways) are walked on but have no ground. Sides are drawn as arcs of sixteen
        corners a circle, so a border may lie up to 2 % of `buffer_m` inside.

        Args:
            points: `id` (or `cell`) and a place, as in `nearest`.
            minutes: one shape for each; a shape of fewer minutes lies inside one of more.
            profile: adult, senior, child, stroller, wheelchair, or a `Profile`.
            direction: to_facility: the points are facilities, and people come from their homes; from_facility: people
                go from the points.
            buffer_m: ground counted beside a street, metres (own default), at most 1000.
            progress: None or True shows a bar after a second, False nothing, a function is called with the state.

        Returns:
            One row per point × minutes, points in their order: `id`, `minutes`, `area_m2` (geodesic), `reason` and
            `geometry` (multipolygons with holes where no street is near; degrees of `analysis_crs`). Area and geometry
            are null where there is no shape, and `reason` says why: not_snapped, or beyond_cutoff when the way from the
            point to the street alone takes longer.

        Raises:
            InputError: the table lacks a column or has no usable row.
            ValueError: minutes, a buffer, profile or direction that cannot be.
            KeyboardInterrupt: stopped by the user, within half a second.

        Warns:
            RejectedRowsWarning: rows were left out.

        """
        with reporting(progress) as report:
            shapes, rejected = _engine.isochrones(
                self._engine,
                to_engine(points, "points"),
                [float(limit) for limit in minutes],
                to_json(profile),
                direction,
                float(buffer_m),
                report=report,
            )
        warn(frame(rejected))
        return GeoTable(shapes)

    def isochrone_cells(
        self,
        points: TableLike,
        *,
        minutes: Sequence[float] = (5, 10, 15),
        profile: str | Profile = "adult",
        direction: Direction = "to_facility",
        resolution: int = 10,
        progress: Progress = None,
    ) -> pl.DataFrame:
        """Give the H3 cells through which a street goes from which each point is reached, or that is reached from it.

        Args:
            points: `id` (or `cell`) and a place, as in `nearest`.
            minutes: thresholds.
            profile: adult, senior, child, stroller, wheelchair, or a `Profile`.
            direction: as in `isochrones`.
            resolution: H3 resolution of the cells, 0..15.
            progress: None or True shows a bar after a second, False nothing, a function is called with the state.

        Returns:
            One row per point × cell, points in their order, cells by number: `id`, `cell` (u64), `minutes` (the least
            threshold within which a street of the cell is reached), `time_s` (the least time of its streets, tenths),
            `reason` (null). A point without cells has one row per threshold with null `cell` and `time_s`, and a
            `reason` as in `isochrones`. A corner that a street cuts by less than 0.1 m may be missed.

        Raises:
            InputError: the table lacks a column or has no usable row.
            ValueError: minutes, a resolution, profile or direction that cannot be.
            KeyboardInterrupt: stopped by the user, within half a second.

        Warns:
            RejectedRowsWarning: rows were left out.

        """
        if not 0 <= resolution <= 15:
            raise ValueError(f"resolution {resolution}: an H3 resolution is 0..15")
        with reporting(progress) as report:
            cells, rejected = _engine.isochrone_cells(
                self._engine,
                to_engine(points, "points"),
                [float(limit) for limit in minutes],
                to_json(profile),
                direction,
                resolution,
                report=report,
            )
        warn(frame(rejected))
        return frame(cells)

    def snap(self, places: TableLike, *, profile: str | Profile = "adult", public: bool = False) -> pl.DataFrame:
        """Show how places are joined to the network.

        Args:
            places: `id` (or `cell`) and a place, as in `nearest`.
            profile: whose streets; a wheelchair is not joined to stairs.
            public: only to ways that everybody may use. A facility on a private way has two doors: one there, for those
                who live on it, and one on the nearest public way for everybody else.

        Returns:
            One row per place: `id`, `edge`, `from`, `to` (as in `edges`), `share` (0..1 of the edge's length),
            `away_m`, `leg_s`, and the seconds along the edge `to_start_s`, `to_end_s`, `from_start_s`, `from_end_s`
            (null where it may not be walked), `nearest_m`, `reason` (not_snapped or null).

        Raises:
            InputError: the table lacks a column or has no usable row.
            ValueError: a profile that cannot be.

        """
        snapped, rejected = self._engine.snap(to_engine(places, "places"), to_json(profile), public)
        warn(frame(rejected))
        return frame(snapped)

    def detect_crs(self, places: TableLike, *, progress: Progress = None) -> pl.DataFrame:
        """Tell whether the places of each source are WGS-84, GCJ-02 or BD-09, from how they lie to the streets.

        Doors and houses stand beside streets; moved by some hundred metres, the same points lie anywhere. The answer is
        a proposal: nothing is changed, and `in_crs` states another system. How often it is right, and where it fails:
        docs/design/2026-11-systems.md.

        Args:
            places: facilities or buildings: a place as in `nearest` (of an outline a place inside), and optional
                `source`: each value is looked at by itself. Of more than 2,000 places a sample is looked at, the same
                every time; fewer than 30 say nothing.
            progress: None or True shows a bar after a second, False nothing, a function is called with the state.

        Returns:
            One row per source: `source` (else the table's name), `points`, `stated` (the system that the table states,
            else EPSG:4326), `looks_like` (wgs84, gcj02, bd09, or other: the same offset everywhere, which no known
            system explains; null when the evidence is weak), `confidence` (0..1), `offset_east_m`, `offset_north_m`
            (from where the streets put the places to where they were read; null without verdict), `message`,
            `message_zh` (null where the places look as stated, or nothing is known).

        Raises:
            InputError: the table has no place column or no usable row.
            KeyboardInterrupt: stopped by the user, within half a second.

        Warns:
            RejectedRowsWarning: rows were left out.

        """
        with reporting(progress) as report:
            found, rejected = _engine.detect_crs(self._engine, to_engine(places, "places"), report=report)
        warn(frame(rejected))
        return frame(found)

    def nodes(self) -> pl.DataFrame:
        """Nodes: `id` (unique), `lon`, `lat` (degrees of `analysis_crs`), `ele_m` (metres or null), `source_id`."""
        return frame(self._engine.nodes())

    def edges(self, *, profile: str | Profile = "adult") -> pl.DataFrame:
        """Edges with their times for a profile.

        Returns:
            One row per edge: `id` (unique), `from`, `to` (ids of `nodes`), `length_m`, `kind`, `forward_s`,
            `backward_s` (seconds; null where this profile may not walk), `climb_m`, `descent_m` (from `from` to `to`;
            null where heights are unknown), `level` (floor; null where none is known), `residents` (only for those
            who live there: one walks out of it and back, not through it), `source_id` (the way; the node of a lift),
            `island` (a small piece cut off from the rest, past which places are joined).
            `from_tables(net.nodes(), net.edges())` (nodes of another system than WGS-84 through `in_crs`) is a network
            with the same times between nodes, its edges drawn straight.

        Raises:
            ValueError: a profile that cannot be.

        """
        return frame(self._engine.edges(to_json(profile)))

    def lines(self) -> pl.DataFrame:
        """Drawn lines of all edges by vertices: `edge` (as in `edges`), `kind`, `lon`, `lat` (of `analysis_crs`)."""
        return frame(self._engine.lines())

    def summary(self) -> Summary:
        """Tell lengths, climbs and sources of heights by kind of way, islands, and what was left out.

        Example:
            >>> import polars as pl
            >>> ends = {"id": [1, 2], "lon": [106.55, 106.551], "lat": [29.56, 29.56], "ele_m": [200.0, 205.0]}
            >>> nodes = pl.DataFrame(ends)
            >>> net = Network.from_tables(nodes, pl.DataFrame({"from": [1], "to": [2], "length_m": [97.0]}))
            >>> net.summary().kinds["climb_m"].item()
            5.0

        """
        return summary.of(json.loads(self._engine.summary()))

    def islands(
        self,
        *,
        profile: str | Profile = "adult",
        people: TableLike | None = None,
        facilities: TableLike | None = None,
    ) -> pl.DataFrame:
        """List the pieces that a profile's ways fall into, with who lives and what stands on each.

        Args:
            profile: whose ways; a wheelchair's network falls into more pieces than an adult's.
            people: `id` (or `cell`), a place, and optional `people` (else one for each row).
            facilities: `id`, `class` and a place.

        Returns:
            One row per piece, the longest first: `island` (0 is the longest), `edges`, `length_km`, `lon`, `lat` (a
            place on it), `left_out` (taken for a drawing fault: less than 1 km that hangs together with nothing;
            places are joined past it), `people` and `facilities` (whose nearest street is on it).

        Raises:
            InputError: a table lacks a column or has no usable row.
            ValueError: a profile that cannot be.

        Warns:
            RejectedRowsWarning: rows were left out.

        """
        homes = None if people is None else to_engine(people, "people")
        doors = None if facilities is None else to_engine(facilities, "facilities")
        found, rejected = self._engine.islands(to_json(profile), homes, doors)
        warn(frame(rejected))
        return frame(found)

    def plot(
        self,
        *,
        by: Literal["kind", "slope"] = "kind",
        base: BaseMap | None = None,
        title: str | None = None,
        language: Language = "en",
        source: str = "",
    ) -> Figure:
        """Draw all ways: stairs, lifts, escalators and cableways stand out, or how steep ways are.

        Args:
            by: "kind" or "slope".
            base: water below; none when None.
            title: of the map.
            language: of title and legend: "zh" or "en".
            source: line about the data, printed below; that streets are SYNTHETIC 合成数据 is said in any case.

        Returns:
            A matplotlib figure; `walkshed.maps.save(figure, path)` writes it.

        Raises:
            ValueError: `by` is neither.
            ImportError: matplotlib is not installed.

        """
        from walkshed.maps import streets_map

        return streets_map.network_map(self, by=by, base=base, title=title, language=language, source=source)

    def __repr__(self) -> str:
        """Size in one line."""
        # The many walks across a square are no ways.
        kilometres = sum(length for kind, length in self._engine.length_km() if kind != "square")
        return f"Network({self._engine.node_count} nodes, {self._engine.edge_count} edges, {kilometres:,.1f} km)"

    def _repr_html_(self) -> str:
        from walkshed import thumbnail

        told = self.summary()
        return cards.card(
            "步行网络 Walking network",
            facts=[
                ("长度（公里） Length (km)", told.length_km),
                ("节点 Nodes", self._engine.node_count),
                ("路段 Edges", self._engine.edge_count),
                ("高程已知 Heights known", f"{1 - told.heights['unknown']:.0%}"),
                ("坐标系 System", self.analysis_crs),
                ("方案 Scenario", None if self.scenario is None else self.scenario.name),
            ],
            tables=[cards.table(told.kinds, ["kind", "ways", "length_km", "climb_m"])],
            picture=thumbnail.streets(self.lines()),
            caption=cards.legend(thumbnail.STREETS),
            notes=told.notes(),
        )


def _question(
    origins: TableLike | None,
    facilities: TableLike,
    profile: str | Profile,
    direction: Direction,
    as_of: str | datetime.date | None,
    memory_limit: MemoryLimit,
) -> dict[str, object]:
    return {
        "origins": None if origins is None else to_engine(origins, "origins"),
        "facilities": to_engine(facilities, "facilities"),
        "profile": to_json(profile),
        "direction": direction,
        "as_of": as_of.isoformat() if isinstance(as_of, datetime.date) else as_of,
        "memory_limit": to_bytes(memory_limit),
    }


def _rasters(elevation: Path | Sequence[Path] | None) -> list[str]:
    """Give none, one or several rasters as a list of paths."""
    rasters = [] if elevation is None else [elevation] if isinstance(elevation, (str, os.PathLike)) else elevation
    return [os.fspath(raster) for raster in rasters]


def _islands(join_islands_m: float) -> float:
    """Refuse a distance that is none, or that would join towns."""
    if not 0 <= join_islands_m <= 500:
        raise ValueError(f"join_islands_m {join_islands_m}: use metres 0..500")
    return join_islands_m


def _snap(max_snap_m: float) -> float:
    """Refuse a distance that would join every place, or none; the bounds are those of a study."""
    if not 0 < max_snap_m <= 5000:
        raise ValueError(f"max_snap_m {max_snap_m}: use metres above 0, at most 5000")
    return max_snap_m
