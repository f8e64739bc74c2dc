"""A city that is prepared once and asked what scenarios change; and two answers side by side."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from walkshed import _engine
from walkshed.arrow import TableLike, frame, to_engine
from walkshed.coverage import KEYS
from walkshed.geotable import GeoTable
from walkshed.network import Direction, Network
from walkshed.profile import Profile, to_json
from walkshed.progress import Progress, reporting
from walkshed.refused import require
from walkshed.rejected import warn
from walkshed.scenario import Scenario
from walkshed.score import Scorecard

_COVERAGE = [*KEYS, "people", "people_covered", "share"]


class Baseline:
    """A city before any edit, prepared so that a scenario is answered by what it touches.

    Every number of an answer is that of a whole run over the edited city, to the bit.
    """

    def __init__(
        self,
        network: Network,
        cells: TableLike,
        facilities: TableLike,
        areas: TableLike | None = None,
        *,
        minutes: Sequence[float] = (5, 10, 15),
        profiles: Sequence[str | Profile] = ("adult",),
        direction: Direction = "to_facility",
        groups: Sequence[str] | None = None,
        as_of: str | None = None,
        progress: Progress = None,
    ) -> None:
        """Run the whole line once.

        Args:
            network: the streets, under no scenario.
            cells: `cell`, `people`, groups, and `lon`, `lat` where their people step out (else the centre).
            facilities: `id`, `class`, a place, and the columns of a ledger.
            areas: `area_id` and a polygon; None for one area called "all".
            minutes: thresholds; the greatest is the cut-off of the searches.
            profiles: who walks, by name or as profiles.
            direction: "to_facility" or "from_facility".
            groups: the group columns of `cells`; None takes every number column that is none of the others.
            as_of: the day on which facilities are open, such as "2026-06-16"; None when every date has passed.
            progress: None or True shows a bar after a second, False nothing, a function is called with the state.

        Raises:
            InputError: a column is missing, a value cannot be, or no facility is open.
            ValueError: the network is under a scenario, or minutes that cannot be.
            KeyboardInterrupt: stopped by the user, within half a second.

        Warns:
            RejectedRowsWarning: rows were left out.

        """
        if network.scenario is not None:
            raise ValueError("network: it is under a scenario; a baseline is the network before any edit")
        wrong = [limit for limit in minutes if not 0 < limit <= 1440]
        if wrong or not minutes:
            raise ValueError(f"minutes {wrong or list(minutes)}: use minutes above 0, at most 1440")
        if isinstance(profiles, (str, Profile)):
            raise TypeError(f"profiles {profiles!r}: give a list, as in [{profiles!r}]")
        city = {
            "cells": to_engine(cells, "cells"),
            "facilities": to_engine(facilities, "facilities"),
            "areas": None if areas is None else to_engine(areas, "areas"),
            "minutes": [float(limit) for limit in minutes],
            "profiles": [to_json(profile) for profile in profiles],
            "direction": direction,
            "groups": None if groups is None else list(groups),
            "as_of": as_of,
        }
        with reporting(progress) as report:
            self._engine, rejected = _engine.Baseline.prepare(network._engine, city, report=report)
        self._profiles = tuple(who if isinstance(who, str) else who.name for who in profiles)
        self._minutes = tuple(float(limit) for limit in minutes)
        warn(frame(rejected))

    @property
    def profiles(self) -> tuple[str, ...]:
        """Names of the profiles that walk."""
        return self._profiles

    @property
    def minutes(self) -> tuple[float, ...]:
        """The thresholds."""
        return self._minutes

    @cached_property
    def coverage(self) -> pl.DataFrame:
        """Coverage before any edit, as of `coverage`."""
        return frame(self._engine.coverage())

    def what_if(self, scenario: Scenario, *, progress: Progress = None) -> Answer:
        """What a scenario changes.

        Args:
            scenario: edits, in order.
            progress: as of `Baseline`.

        Returns:
            Changed cells, who gains, and coverage under the scenario.

        Raises:
            InputError: every fault of every edit.
            KeyboardInterrupt: stopped by the user, within half a second.

        """
        with reporting(progress) as report:
            rows, cells, gains = self._engine.answer(scenario.name, scenario.to_json(), report=report)
        return Answer(self, scenario, frame(rows), GeoTable(cells), frame(gains))

    def reach(
        self,
        scenario: Scenario,
        *,
        profile: str | None = None,
        catchments: bool = False,
        progress: Progress = None,
    ) -> TouchedPairs:
        """The pairs that a scenario can touch, for the measures of access that are made from pairs.

        Every other cell has the pairs, and the measures, that it had: `cumulative`, `gravity` and `closest` of the
        touched cells over these pairs are those of a whole run, to the bit, and so are floating catchments with
        `catchments`. Facilities are those of `Scenario.facilities`, people those of `Scenario.cells`.

        Args:
            scenario: edits, in order.
            profile: who walks, by name, one of the baseline's; None is its first.
            catchments: whether the pairs are for floating catchments: then the touched cells are all whose access can
                change because others come to their facilities, and the pairs hold everybody who does.
            progress: as of `Baseline`.

        Returns:
            The touched cells and the pairs within the greatest number of minutes.

        Raises:
            InputError: every fault of every edit.
            ValueError: a profile that the baseline does not have.
            KeyboardInterrupt: stopped by the user, within half a second.

        """
        if profile is not None and profile not in self._profiles:
            raise ValueError(f'profile "{profile}": the baseline has {", ".join(self._profiles)}')
        place = 0 if profile is None else self._profiles.index(profile)
        with reporting(progress) as report:
            cells, pairs = self._engine.reach(scenario.name, scenario.to_json(), place, catchments, report=report)
        return TouchedPairs(pl.Series("cell", cells, pl.UInt64), frame(pairs))


@dataclass(frozen=True)
class TouchedPairs:
    """Pairs that a scenario can touch.

    Attributes:
        cells: the cells whose pairs, or whose access, may not be what they were.
        pairs: `origin_id` (the cell), `facility_id`, `class`, `time_s`: every pair of the touched cells, and with
            catchments of everybody who shares a facility with them.

    """

    cells: pl.Series
    pairs: pl.DataFrame


class Answer:
    """What a scenario changes of a baseline."""

    def __init__(
        self, baseline: Baseline, scenario: Scenario, rows: pl.DataFrame, cells: GeoTable, gains: pl.DataFrame
    ) -> None:
        """Hold what the engine found; use `Baseline.what_if`."""
        self.baseline = baseline
        self.scenario = scenario
        self._rows, self._cells, self._gains = rows, cells, gains

    @property
    def touched_coverage(self) -> pl.DataFrame:
        """Coverage of the areas and classes that the scenario touches, as of `coverage`."""
        return self._rows

    @cached_property
    def coverage(self) -> pl.DataFrame:
        """Coverage under the scenario, whole: rows in the order of the baseline, new ones after them."""
        rows = self._rows
        kept = self.baseline.coverage.with_row_index("_row").join(rows, on=KEYS, how="anti", maintain_order="left")
        places = self.baseline.coverage.select(KEYS).with_row_index("_row")
        placed = rows.join(places, on=KEYS, how="left", maintain_order="left").select("_row", *rows.columns)
        return pl.concat([kept, placed]).sort("_row", nulls_last=True, maintain_order=True).drop("_row")

    @property
    def cells(self) -> GeoTable:
        """Cells whose nearest facility is another or at another time, ready for a map.

        Columns: `cell`, `class`, `profile`, `people`, the groups, `before_s`, `after_s`, `change_s`, `reason_before`,
        `reason_after`, `facility_before`, `facility_after`, `geometry`.
        """
        return self._cells

    @property
    def gains(self) -> pl.DataFrame:
        """Who gains and who loses of those who live here already.

        Columns: `area_id` (null: everywhere, each cell once), `class`, `group`, `profile`, `people_gaining`,
        `people_losing`, `people_minutes_saved`. Who reaches nothing within the cut-off counts as walking so long.
        """
        return self._gains

    def newly_covered(self, group: str = "all") -> pl.DataFrame:
        """People who are covered now and were not, and the other way round, everywhere, each cell once.

        People who move into cells that nobody lived in count where they are covered.

        Args:
            group: a group of `cells`, or "all" for everybody.

        Returns:
            One row per class × profile × minutes that changes: `class`, `profile`, `minutes`, `people_newly_covered`,
                `people_no_longer_covered`, and `yuan_per_person` newly covered less lost (null where the scenario says
                no cost, or nobody more is covered).

        Raises:
            ColumnNotFoundError: no such group.

        """
        cells, cost = self._cells.to_polars(), self.scenario.cost_yuan
        people = pl.col("people" if group == "all" else group)
        parts = []
        for limit in self.baseline.minutes:
            was = (pl.col("before_s") <= limit * 60).fill_null(False)
            now = (pl.col("after_s") <= limit * 60).fill_null(False)
            counted = cells.group_by("class", "profile", maintain_order=True).agg(
                people_newly_covered=people.filter(now & ~was).sum(),
                people_no_longer_covered=people.filter(was & ~now).sum(),
            )
            parts.append(counted.insert_column(2, pl.lit(limit).alias("minutes")))
        more = pl.col("people_newly_covered") - pl.col("people_no_longer_covered")
        each = pl.when((more > 0) & pl.lit(cost > 0)).then(cost / more)
        return pl.concat(parts).with_columns(yuan_per_person=each).sort("class", "profile", "minutes")

    def __repr__(self) -> str:
        """The scenario, and how much it touches."""
        cells = self._cells.to_polars()
        touched = cells["cell"].n_unique()
        return f"Answer({self.scenario.name!r}: {touched} cells change, {len(cells)} of cell × class × profile)"


def compare(baseline: Baseline | Answer | TableLike, what_if: Baseline | Answer | TableLike) -> pl.DataFrame:
    """Coverage before and after, or of two scenarios, side by side.

    Args:
        baseline: a baseline, an answer, or a table of coverage, in memory or as a Parquet file.
        what_if: the same, of the other.

    Returns:
        One row per area × class × group × profile × minutes of either: `area_id`, `class`, `group`, `profile`,
            `minutes`, `people`, `people_covered`, `people_covered_before`, `change` (people), `share`,
            `share_before`. What one of them does not have, an area or a class, counts as nobody covered there, and its
            share is null, as it is where nobody lives. Rows in the order of `baseline`.

    Raises:
        InputError: a table has no coverage.
        TypeError: neither a baseline, an answer nor a table.

    """
    before, after = _coverage_of(baseline, "baseline"), _coverage_of(what_if, "what_if")
    both = before.select(_COVERAGE).join(
        after.select(_COVERAGE), on=KEYS, how="full", coalesce=True, maintain_order="left_right"
    )
    covered, was = pl.col("people_covered_right").fill_null(0.0), pl.col("people_covered").fill_null(0.0)
    return both.select(
        *KEYS,
        people=pl.col("people_right").fill_null(pl.col("people")),
        people_covered=covered,
        people_covered_before=was,
        change=covered - was,
        share=pl.col("share_right"),
        share_before=pl.col("share"),
    )


def compare_scorecards(baseline: Scorecard, what_if: Scorecard) -> pl.DataFrame:
    """Points of two scorecards of one standard side by side: what a scenario is worth in an evaluation.

    Args:
        baseline: the card before.
        what_if: the card after.

    Returns:
        The points that differ: `area_id`, `category`, `item`, `point`, `status_before`, `status`, `value_before`,
            `value`, `low_before`, `low`, `high_before`, `high`, in the order of the cards.

    Raises:
        AttributeError: something that is no scorecard.

    """
    keys = ["area_id", "category", "item", "point"]
    values = ["status", "value", "low", "high"]
    before, after = (card.points.select(*keys, *values) for card in (baseline, what_if))
    both = before.join(after, on=keys, how="full", coalesce=True, suffix="_after", maintain_order="left_right")
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_after")) for name in values)
    pairs = [pl.col(name).alias(f"{name}_before") for name in values]
    columns = [
        column
        for name, pair in zip(values, pairs, strict=True)
        for column in (pair, pl.col(f"{name}_after").alias(name))
    ]
    return both.filter(differs).select(*keys, *columns)


def _coverage_of(of: Baseline | Answer | TableLike, name: str) -> pl.DataFrame:
    if isinstance(of, (Baseline, Answer)):
        return of.coverage
    table = pl.read_parquet(os.fspath(of)) if isinstance(of, (str, os.PathLike)) else frame(to_engine(of, name))
    require(_COVERAGE, table, name)
    return table.with_columns(pl.col("area_id").cast(pl.String), pl.col("minutes").cast(pl.Float64))
