"""What a report stands on: the tables of a run, a scorecard and scenarios, brought to what its chapters ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import polars as pl

from walkshed.facilities import facility_classes
from walkshed.language import Language, class_names, profile_name
from walkshed.score import Scorecard
from walkshed.study import RunResult, ScenariosResult

if TYPE_CHECKING:
    from walkshed.maps.base_map import BaseMap

#: Levels whose areas are the communities of a report, the first that a study has.
_COMMUNITIES = ("community", "社区")


@dataclass(frozen=True)
class City:
    """A run with what goes with it.

    Attributes:
        result: the run.
        language: of the report.
        scorecard: of its communities; None without.
        scenarios: of its study; None without.
        base: streets and water; None without.
        read: files beside those of the run and of its scenarios, as in `run.json`: `path`, `bytes`, `sha256`.
        is_kept: whether the folders of the run and of its scenarios stay where they are.

    """

    result: RunResult
    language: Language
    scorecard: Scorecard | None = None
    scenarios: ScenariosResult | None = None
    base: BaseMap | None = None
    read: Sequence[Mapping[str, Any]] = ()
    is_kept: bool = True

    @cached_property
    def _report(self) -> dict[str, Any]:
        return self.result.report

    @property
    def name(self) -> str:
        """What the study is called."""
        return str(self._report["study"]["study"]["name"])

    @property
    def as_of(self) -> str | None:
        """The day on which facilities are looked at; None where the study does not say."""
        day = self._report["study"]["study"].get("as_of")
        return None if day is None else str(day)

    @property
    def minutes(self) -> list[float]:
        """Thresholds, ascending."""
        return sorted(float(limit) for limit in self._report["study"]["coverage"]["minutes"])

    @property
    def middle(self) -> float:
        """The threshold that a report speaks of: the middle one."""
        return self.minutes[len(self.minutes) // 2]

    @property
    def profiles(self) -> list[str]:
        """Who walks; the report's maps are of the first."""
        return [str(name) for name in self._report["study"]["coverage"]["profiles"]]

    @cached_property
    def everybodys_profiles(self) -> list[str]:
        """Profiles that everybody walks with: all, but where the study gives groups their own."""
        walked = set(self.total.filter(pl.col("group") == "all")["profile"])
        return [name for name in self.profiles if name in walked]

    def profile_of(self, group: str) -> str:
        """The profile that a group is told by: the first of the study, else the group's own."""
        walked = set(self.total.filter(pl.col("group") == group)["profile"])
        return next(name for name in self.profiles if name in walked)

    @property
    def is_to_facility(self) -> bool:
        """Whether people walk to facilities, not from them."""
        return str(self._report["study"]["coverage"]["direction"]) == "to_facility"

    @property
    def has_heights(self) -> bool:
        """Whether the study has terrain."""
        return bool(self._report["study"]["streets"].get("elevation"))

    @property
    def who(self) -> str:
        """The first profile, as planners call it."""
        return profile_name(self.profiles[0], self.language)

    @cached_property
    def is_synthetic(self) -> bool:
        """Whether any facility, the study or the map says that it is made up."""
        facilities = self.facilities
        sources = facilities["source"].drop_nulls().unique().to_list() if "source" in facilities.columns else []
        told = [*map(str, sources), self.name, "" if self.base is None else self.base.source]
        return any("synthetic" in each.lower() or "合成数据" in each for each in told)

    @cached_property
    def total(self) -> pl.DataFrame:
        """Coverage of the whole city, with `share`."""
        return self.result.total()

    @cached_property
    def everybody(self) -> pl.DataFrame:
        """Coverage of everybody in the whole city by the first profile."""
        return self.total.filter((pl.col("group") == "all") & (pl.col("profile") == self.profiles[0]))

    @property
    def people(self) -> float:
        """Who lives in the city."""
        return float(self._report["people"]["in_cells"])

    @cached_property
    def classes(self) -> list[str]:
        """Classes with any open facility, in the catalogue's order, a user's own after them."""
        catalogue = facility_classes()["class"].to_list()
        own = sorted(set(self._report["facilities"]) - set(catalogue))
        return [name for name in (*catalogue, *own) if name in self._report["facilities"]]

    @cached_property
    def _names(self) -> dict[str, str]:
        return class_names(self.language)

    def class_name(self, name: str) -> str:
        """What planners call a class; of several joined by `|` all of them."""
        joint = "、" if self.language == "zh" else " / "
        return joint.join(self._names.get(part, part) for part in name.split("|"))

    @cached_property
    def fewest_first(self) -> list[str]:
        """Classes by how few people reach them within the middle threshold."""
        return self.everybody.filter(pl.col("minutes") == self.middle).sort("share", "class")["class"].to_list()

    def share_in_city(self, name: str) -> float | None:
        """Share of everybody who reaches a class within the middle threshold."""
        mine = self.everybody.filter((pl.col("class") == name) & (pl.col("minutes") == self.middle))
        return mine["share"].first() if mine.height else None  # type: ignore[return-value]

    def mean_in_city(self, who: str) -> float | None:
        """Mean over all classes of the share of everybody within the middle threshold."""
        mine = (pl.col("group") == "all") & (pl.col("profile") == who) & (pl.col("minutes") == self.middle)
        mean = self.total.filter(mine)["share"].mean()
        return mean if isinstance(mean, float) else None

    @cached_property
    def areas(self) -> pl.DataFrame:
        """Areas with `name` (the id where there is none), `level`, `parent_id`, `people`, `geometry`."""
        areas = self.result.table("areas")
        for column in ("name", "level", "parent_id"):
            if column not in areas.columns:
                areas = areas.with_columns(pl.lit(None, pl.String).alias(column))
        return areas.with_columns(name=pl.coalesce("name", "area_id"))

    @cached_property
    def levels(self) -> list[str | None]:
        """Levels of areas, from few areas to many; None for areas that do not say."""
        counts = self.areas.group_by("level", maintain_order=True).len().sort("len", maintain_order=True)
        return counts["level"].to_list()

    @cached_property
    def communities(self) -> pl.DataFrame:
        """The areas that are told one by one: of the scorecard, else of the level community, else the smallest."""
        if self.scorecard is not None:
            return self.areas.join(self.scorecard.totals.select("area_id"), on="area_id", how="semi")
        level = next(
            (level for level in _COMMUNITIES if level in self.levels), self.levels[-1] if self.levels else None
        )
        return self.of_level(level)

    def of_level(self, level: str | None) -> pl.DataFrame:
        """Areas of a level."""
        return self.areas.filter(pl.col("level").eq_missing(pl.lit(level, pl.String)))

    @cached_property
    def coverage(self) -> pl.DataFrame:
        """Coverage of everybody, of all areas and profiles."""
        rows = pl.scan_parquet(self.result.folder / "coverage.parquet")
        return rows.filter(pl.col("group") == "all").collect()

    @cached_property
    def by_area(self) -> pl.DataFrame:
        """Share of each area, first profile, middle threshold: `area_id`, and a column for each class."""
        rows = self.coverage.filter((pl.col("profile") == self.profiles[0]) & (pl.col("minutes") == self.middle))
        return rows.pivot("class", index="area_id", values="share", maintain_order=True)

    @cached_property
    def mean_share(self) -> pl.DataFrame:
        """Mean of an area's shares over all classes, and its weakest class: `area_id`, `mean`, `weakest`, `least`."""
        rows = self.coverage.filter((pl.col("profile") == self.profiles[0]) & (pl.col("minutes") == self.middle))
        ranked = rows.drop_nulls("share").sort("area_id", "share", "class")
        found = ranked.group_by("area_id", maintain_order=True).agg(
            mean=pl.col("share").mean(), weakest=pl.col("class").first(), least=pl.col("share").first()
        )
        return found

    @cached_property
    def facilities(self) -> pl.DataFrame:
        """Facilities of the run."""
        return self.result.table("facilities")

    @cached_property
    def cells(self) -> pl.DataFrame:
        """Cells with their people and outlines."""
        return self.result.table("cells")

    def times(self, classes: Sequence[str]) -> pl.DataFrame:
        """Seconds from each cell to the nearest of some classes, by the first profile: `cell`, `class`, `time_s`."""
        rows = pl.scan_parquet(self.result.folder / "times.parquet")
        mine = rows.filter((pl.col("profile") == self.profiles[0]) & pl.col("class").is_in(list(classes)))
        return mine.select(pl.col("origin_id").alias("cell"), "class", "time_s").collect()

    @cached_property
    def rejected(self) -> pl.DataFrame:
        """Rows that were left out or told."""
        return self.result.table("rejected")

    @cached_property
    def groups(self) -> list[str]:
        """Population groups without everybody, as the study names them."""
        return [name for name in self.total["group"].unique(maintain_order=True) if name != "all"]

    def input_name(self, path: str) -> str:
        """The name of an input; the path to it is nobody's business who reads the report."""
        return PurePath(path).name
