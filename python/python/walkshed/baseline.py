"""A city that is prepared once and asked what scenarios change; and two answers side by side."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from walkshed import _engine, cards
from walkshed.arrow import TableLike, frame, to_engine
from walkshed.coverage import KEYS
from walkshed.geotable import GeoTable
from walkshed.language import Language
from walkshed.network import Direction, Network
from walkshed.profile import Profile, to_json
from walkshed.progress import Progress, reporting
from walkshed.refused import require
from walkshed.rejected import warn
from walkshed.scenario import Scenario
from walkshed.score import Scorecard

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from walkshed.maps.base_map import BaseMap
    from walkshed.page import Page

_COVERAGE = [*KEYS, "people", "people_covered", "share"]


class Baseline:
    """A city before any edit, prepared so that a scenario is answered by what it touches.

    Every number of an answer is that of a whole run over the edited city, to the bit.

    Attributes:
        network: the streets, under no scenario.

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
        city: dict[str, object] = {
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
            streets = network._engine  # pyright: ignore[reportPrivateUsage]  # a network is the engine's to walk on
            self._engine, rejected = _engine.Baseline.prepare(streets, city, report=report)
        self.network = network
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

    def __repr__(self) -> str:
        """Who walks, within which times."""
        return f"Baseline({', '.join(self._profiles)}; {', '.join(f'{limit:g}' for limit in self._minutes)} min)"

    def _repr_html_(self) -> str:
        return cards.card(
            "现状基线 Baseline",
            facts=[
                ("人群 Profiles", "、".join(map(cards.of_profile, self._profiles))),
                ("分钟 Minutes", "、".join(f"{limit:g}" for limit in self._minutes)),
            ],
        )


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
        parts: list[pl.DataFrame] = []
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

    def plot(
        self,
        classes: str | Sequence[str] | None = None,
        *,
        profile: str | None = None,
        base: BaseMap | None = None,
        language: Language = "en",
        source: str = "",
    ) -> Figure:
        """Draw who walks shorter and who longer, and where the edits are.

        Args:
            classes: ids of facility classes, or one; the six that change for most people when None.
            profile: one of the baseline's profiles; the first when None.
            base: streets and water; the streets of the baseline when None, none with `maps.base_map.EMPTY`.
            language: of titles and legend: "zh" or "en".
            source: line about the data, printed below; that streets are SYNTHETIC 合成数据 is said in any case.

        Returns:
            A matplotlib figure; `walkshed.maps.save(figure, path)` writes it.

        Raises:
            ValueError: the scenario changes no walk that is asked for.
            ImportError: matplotlib is not installed.

        """
        from walkshed.maps import plots

        return plots.of_answer(self, classes, profile=profile, base=base, language=language, source=source)

    def explore(
        self,
        *,
        areas: TableLike | None = None,
        base: BaseMap | None = None,
        title: str | None = None,
        language: Language = "zh",
        source: str | None = None,
    ) -> Page:
        """Look at what changes on a map: one page that needs no network, shown in the notebook or saved as a file.

        Args:
            areas: `area_id` and `geometry` as WKB in degrees, to see their coverage before and after; None has none.
            base: streets and water beneath; None is none.
            title: of the page; None is the name of the scenario.
            language: that the page opens in, "zh" or "en".
            source: line about the data.

        Returns:
            The page; `.save(path)` writes it.

        Raises:
            InputError: `areas` lacks a column.
            ValueError: no such language.

        """
        from walkshed.page import page_of_answer

        return page_of_answer(self, areas=areas, base=base, title=title, language=language, source=source)

    def __repr__(self) -> str:
        """The scenario, and how much it touches."""
        cells = self._cells.to_polars()
        touched = cells["cell"].n_unique()
        return f"Answer({self.scenario.name!r}: {touched} cells change, {len(cells)} of cell × class × profile)"

    def _repr_html_(self) -> str:
        from walkshed import thumbnail

        cells = self._cells.to_polars()
        everywhere = self._gains.filter(pl.col("area_id").is_null() & (pl.col("group") == "all"))
        newly = self.newly_covered().sort("people_newly_covered", descending=True, maintain_order=True)
        people = ["people_newly_covered", "people_no_longer_covered", "yuan_per_person"]
        return cards.card(
            f"方案效果 What a scenario changes: {self.scenario.name}",
            facts=[
                ("变化单元 Cells that change", cells["cell"].n_unique()),
                ("节省（人·分钟） Saved (people-minutes)", float(everywhere["people_minutes_saved"].sum())),
                ("造价（元） Cost (yuan)", self.scenario.cost_yuan or None),
                ("措施 Edits", len(self.scenario)),
                ("人群 Profiles", "、".join(map(cards.of_profile, self.baseline.profiles))),
            ],
            tables=[cards.table(newly, ["class", "profile", "minutes", *people])],
            picture=thumbnail.dots(self._changed(), (thumbnail.WORSE, thumbnail.BETTER), "cells that change 变化单元"),
            caption=cards.legend([(thumbnail.WORSE, "变差 worse"), (thumbnail.BETTER, "改善 better")]),
        )

    def _changed(self) -> pl.DataFrame:
        """Cells that change, with 1 for those that walk shorter to any class and 0 for the others."""
        from walkshed import thumbnail

        never = pl.lit(float("inf"))
        shorter = pl.col("after_s").fill_null(never) < pl.col("before_s").fill_null(never)
        cells = frame(self._cells).group_by("cell", maintain_order=True).agg(pl.first("geometry"), rank=shorter.any())
        cells = thumbnail.every_nth(cells.with_columns(pl.col("rank").cast(pl.Int32)))
        return thumbnail.beginnings(cells["geometry"]).with_columns(cells["rank"])


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
