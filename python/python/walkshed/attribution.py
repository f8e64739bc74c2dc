"""What changed coverage between two cities: Shapley values of causes, in worlds that the engine computes.

Two canteens close, and either alone would have kept the same 90 people covered:

>>> worlds = {(): 90.0, ("a",): 90.0, ("b",): 90.0, ("a", "b"): 0.0}
>>> values = {frozenset(switched): pl.Series([people]) for switched, people in worlds.items()}
>>> {cause: part.to_list() for cause, part in shapley(values, ("a", "b")).items()}
{'a': [-45.0], 'b': [-45.0]}
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from walkshed.arrow import TableLike, in_crs
from walkshed.coverage import KEYS, coverage
from walkshed.network import Direction, Network
from walkshed.profile import Profile
from walkshed.progress import Progress
from walkshed.rejected import RejectedRowsWarning

#: What can change a city, in the order of the columns.
CAUSES = ("streets", "people", "projects", "closures", "openings")
#: Of these, what facilities can do.
OF_FACILITIES = CAUSES[2:]
#: All parts of a change: lines on the map, what changed the city, and another way to compute it.
PARTS = ("borders", *CAUSES, "method")
#: What makes two facilities of one id and class the same to those who walk there.
_DOOR = ["lon", "lat", "level", "geometry"]
_FACILITY = ["class", "id"]
#: Classes whose worlds are held side by side: a column of a metropolis has millions of rows, and there are up to 32.
_CLASSES_AT_ONCE = 8

World = frozenset[str]


@dataclass(frozen=True)
class Side:
    """A city as worlds are made of it.

    Attributes:
        network: the streets.
        streets: a hash by which the same streets are known.
        cells: `cell`, `lon`, `lat`, `people` and the groups, in the order in which sums run.
        doors: open facilities: `class`, `id` (text), `name`, `lon`, `lat`, `level`, `geometry` (WKB of the doors).
        areas: outlines, the H3 resolution of the areas, or None for one area called "all".

    """

    network: Network
    streets: str
    cells: pl.DataFrame
    doors: pl.DataFrame
    areas: str | int | None


@dataclass(frozen=True)
class How:
    """How worlds are computed."""

    minutes: Sequence[float]
    profiles: Sequence[str | Profile]
    groups: Sequence[str]
    direction: Direction
    progress: Progress


def facility_changes(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Facilities that people do not walk to as before.

    Args:
        before: open facilities, as of `Side`.
        after: the same, later.

    Returns:
        `class`, `id`, `name`, `state` ("new", "moved": another door or floor, "gone"), `class_before` (of what is
        new, the class that its id has given up; of what is gone, the one that its id has taken on instead, in
        `class_after`; else null), `lon_before`, `lat_before`, `lon_after`, `lat_after`. By class and id.

    """
    columns = [*_FACILITY, "name", *_DOOR]
    both = before.select(columns, _was=True).join(
        after.select(columns, _is=True), on=_FACILITY, how="full", coalesce=True, suffix="_after"
    )
    moved = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_after")) for name in _DOOR)
    state = pl.when(pl.col("_was").is_null()).then(pl.lit("new")).when(pl.col("_is").is_null()).then(pl.lit("gone"))
    changed = both.with_columns(state=state.otherwise(pl.when(moved).then(pl.lit("moved")))).drop_nulls("state")
    named = changed.sort(_FACILITY).select(
        *_FACILITY,
        pl.coalesce("name_after", "name").alias("name"),
        "state",
        *(
            pl.col(f"{name}{old}").alias(f"{name}{new}")
            for old, new in (("", "_before"), ("_after", "_after"))
            for name in ("lon", "lat")
        ),
    )
    gone, new = (named.filter(pl.col("state") == state).group_by("id").agg(pl.col("class").first()) for state in _ENDS)
    for column, other, own in (("class_before", gone, "new"), ("class_after", new, "gone")):
        named = named.join(other.rename({"class": column}), on="id", how="left", maintain_order="left")
        named = named.with_columns(pl.when(pl.col("state") == own).then(column).alias(column))
    return named.select(*_FACILITY, "name", "state", "class_before", "class_after", *named.columns[4:8])


_ENDS = ("gone", "new")


def shapley(values: Mapping[World, pl.Series], causes: Sequence[str]) -> dict[str, pl.Series]:
    """What each cause adds to a value, averaged over all orders in which the causes can come about.

    φ(c) = Σ over sets S of the other causes: |S|! (k − |S| − 1)! / k! · (v(S ∪ {c}) − v(S)), of k causes.

    Args:
        values: the value of every world, by the causes that have come about in it.
        causes: all causes.

    Returns:
        The part of each cause; they add up to the value with all less that with none, to rounding.

    """
    parts: dict[str, pl.Series] = {}
    for cause in causes:
        others = [other for other in causes if other != cause]
        part = pl.Series([0.0]).new_from_index(0, len(values[frozenset()]))
        for size in range(len(others) + 1):
            weight = math.factorial(size) * math.factorial(len(others) - size) / math.factorial(len(causes))
            for chosen in map(frozenset, itertools.combinations(others, size)):
                part = part + weight * (values[chosen | {cause}] - values[chosen])
        parts[cause] = part
    return parts


def add_up(table: pl.DataFrame, total: str, parts: Sequence[str]) -> pl.DataFrame:
    """Round a total and its parts so that they add up exactly, in any order.

    All are rounded to the multiples of one power of two, 2⁻⁵² of the sum of what is added (as sizes): sums of such
    numbers are exact in double precision. What the rounding leaves over, a few such steps, goes to the largest part.

    Args:
        table: the columns; rows with a null total stay as they are.
        total: the column that is to be the sum.
        parts: the columns that are added.

    Returns:
        The table with these columns rounded; what was 0 is 0.

    """
    size = pl.max_horizontal(pl.col(total).abs(), pl.sum_horizontal(pl.col(name).abs() for name in parts))
    # A little more than the logarithm: rounding must not carry the sum past the power of two above it.
    exponent = (size.log(2) + 1e-9).floor() - 52
    step = pl.when(size > 0).then(pl.lit(2.0).pow(exponent)).otherwise(1.0)
    found = table.with_columns(step.alias("_step"))
    found = found.with_columns((pl.col(name) / pl.col("_step")).round() * pl.col("_step") for name in (total, *parts))
    over = pl.col(total) - pl.sum_horizontal(pl.col(name) for name in parts)
    largest = pl.concat_list(pl.col(name).abs() for name in parts).list.arg_max()
    found = found.with_columns(over.alias("_over"), largest.alias("_largest"))
    return found.with_columns(
        pl.col(name) + pl.when(pl.col("_largest") == place).then("_over").otherwise(0.0)
        for place, name in enumerate(parts)
    ).drop("_step", "_over", "_largest")


class Worlds:
    """All cities between two: each with some of what changed."""

    def __init__(self, before: Side, after: Side, changes: pl.DataFrame, how: How) -> None:
        """Take two cities, the facilities that differ with the `cause` of each, and how to compute."""
        self._sides, self._changes, self._how = (before, after), changes, how
        self._crs = before.network.analysis_crs
        spots = [side.cells.select("cell", "lon", "lat") for side in self._sides]
        # A home that steps out elsewhere is another origin, whatever its cell.
        homes = pl.concat(spots).unique(maintain_order=True).with_row_index("id").cast({"id": pl.UInt64})
        self._homes = self._in_crs(homes.select("id", "lon", "lat"))
        self._people = [
            side.cells.join(homes, on=["cell", "lon", "lat"], how="left", maintain_order="left").select(
                "id", "cell", "people", *how.groups
            )
            for side in self._sides
        ]

    @property
    def causes(self) -> list[str]:
        """What differs, in the order of `CAUSES`."""
        before, after = self._sides
        differs = {"streets": before.streets != after.streets, "people": not before.cells.equals(after.cells)}
        of_facilities = set(self._changes["cause"])
        return [cause for cause in CAUSES if differs.get(cause, cause in of_facilities)]

    def split(self, keys: pl.DataFrame) -> pl.DataFrame:
        """People covered at first and at last within the borders of after, and what each cause adds.

        Args:
            keys: rows, as of `KEYS`; `area_id` null for the whole city, each cell once.

        Returns:
            The keys in their order, `at_first`, `at_last`, and a column for each of `CAUSES`, 0 for those that do not
            touch the class of a row.

        """
        rows = keys.with_row_index("_row")
        parts = [self._split(rows.clear(), [])]
        for classes, causes in self._by_causes(keys["class"].unique().sort().to_list()):
            parts.append(self._split(rows.filter(pl.col("class").is_in(classes)), causes))
        return pl.concat(parts).sort("_row").drop("_row")

    def at_first(self, keys: pl.DataFrame, areas: str | int | None) -> pl.Series:
        """People covered before anything changed, within other borders."""
        return self._covered(keys, areas, frozenset(), {})

    def _by_causes(self, classes: Sequence[str]) -> Iterator[tuple[list[str], list[str]]]:
        """Classes that the same causes touch. One that does not touch a class leaves its times as they are: its Shapley
        value is 0 then, those of the others are what they are without it, and half the worlds need not be."""
        everywhere = [cause for cause in self.causes if cause not in OF_FACILITIES]
        touched = dict(self._changes.group_by("class").agg(pl.col("cause").unique()).iter_rows())
        groups: dict[tuple[str, ...], list[str]] = {}
        for name in classes:
            own = everywhere + [cause for cause in OF_FACILITIES if cause in touched.get(name, [])]
            groups.setdefault(tuple(own), []).append(name)
        for causes, names in groups.items():
            for first in range(0, len(names), _CLASSES_AT_ONCE):
                yield names[first : first + _CLASSES_AT_ONCE], list(causes)

    def _split(self, rows: pl.DataFrame, causes: Sequence[str]) -> pl.DataFrame:
        areas, times = self._sides[1].areas, dict[World, pl.DataFrame | None]()
        sets = [set(chosen) for size in range(len(causes) + 1) for chosen in itertools.combinations(causes, size)]
        values = {frozenset(world): self._covered(rows, areas, frozenset(world), times) for world in sets}
        parts = shapley(values, causes)
        nothing = pl.lit(0.0)
        return rows.with_columns(
            at_first=values[frozenset()],
            at_last=values[frozenset(causes)],
            **{cause: parts.get(cause, nothing) for cause in CAUSES},
        )

    def _covered(
        self, rows: pl.DataFrame, areas: str | int | None, world: World, known: dict[World, pl.DataFrame | None]
    ) -> pl.Series:
        """People covered in a world, row by row; nobody where it has no facility of the class. Times that are known are
        taken: people only weigh them."""
        if rows.is_empty():
            return pl.Series([], dtype=pl.Float64)
        walked = world - {"people"}
        if walked not in known:
            known[walked] = self._times(rows["class"].unique(), walked)
        times = known[walked]
        if times is None:
            return pl.Series([0.0]).new_from_index(0, rows.height)
        found = self._rows(times, self._people["people" in world], areas)
        return rows.join(found, on=KEYS, how="left", nulls_equal=True, maintain_order="left")[
            "people_covered"
        ].fill_null(0.0)

    def _times(self, classes: pl.Series, world: World) -> pl.DataFrame | None:
        doors = self._doors(classes, world)
        if doors.is_empty():
            return None
        network, how = self._sides["streets" in world].network, self._how
        with warnings.catch_warnings():
            # Doors that no street is near enough to: the release has them among its rejected rows.
            warnings.simplefilter("ignore", RejectedRowsWarning)
            walks = [
                network.nearest(
                    self._homes,
                    self._in_crs(doors),
                    profile=who,
                    max_minutes=max(how.minutes),
                    direction=how.direction,
                    progress=how.progress,
                )
                for who in how.profiles
            ]
        return pl.concat(walks)

    def _doors(self, classes: pl.Series, world: World) -> pl.DataFrame:
        """Open facilities of some classes where some causes have come about."""
        come = self._changes.filter(pl.col("cause").is_in(list(world))).select(_FACILITY)
        before, after = (side.doors.filter(pl.col("class").is_in(classes.implode())) for side in self._sides)
        stay = before.join(come, on=_FACILITY, how="anti", maintain_order="left")
        return pl.concat([stay, after.join(come, on=_FACILITY, how="semi", maintain_order="left")]).drop("name")

    def _rows(self, times: pl.DataFrame, people: pl.DataFrame, areas: str | int | None) -> pl.DataFrame:
        """People covered by area, and of the whole city, each cell once."""
        how = self._how

        def covered(where: str | int | None) -> pl.DataFrame:
            limits, crs = how.minutes, self._crs
            return coverage(
                times, people, where, minutes=limits, groups=how.groups, analysis_crs=crs, progress=how.progress
            )

        city = covered(None).with_columns(area_id=pl.lit(None, pl.String))
        return pl.concat([covered(areas), city]).select(*KEYS, "people_covered")

    def _in_crs(self, table: pl.DataFrame) -> TableLike:
        return table if self._crs == "wgs84" else in_crs(table, self._crs)
