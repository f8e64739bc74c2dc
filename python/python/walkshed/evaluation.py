"""A year in review: what changed between two releases, and what changed it (docs/evaluation.md)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from walkshed import cards
from walkshed.arrow import TableLike
from walkshed.attribution import CAUSES, PARTS, How, Side, Worlds, add_up, facility_changes
from walkshed.coverage import KEYS, coverage
from walkshed.effects import City
from walkshed.evaluation_text import told
from walkshed.grades import compare_scores, moved_points
from walkshed.network import Network
from walkshed.plan_share import PlanShare, plan_share
from walkshed.profile import Profile
from walkshed.progress import Progress
from walkshed.project_changes import causes_of
from walkshed.projects import Projects
from walkshed.scenario import Scenario
from walkshed.tables import At, Tables

_WHO = ["group", "profile", "minutes"]
_LEVELS = {"小区": "estate", "社区": "community", "片区": "district"}
_AREA = ["area_id", "name", "level", "border"]
_PART_WORDS = {
    "borders": "边界 Borders",
    "streets": "道路 Streets",
    "people": "人口 People",
    "projects": "项目 Projects",
    "closures": "关闭 Closures",
    "openings": "新开 Openings",
    "method": "方法 Method",
}


@dataclass(frozen=True)
class Evaluation:
    """Two releases of a city side by side, and why they differ. Rows of areas come in the order of the later release,
    those that are gone after them.

    Attributes:
        before: number of the earlier release.
        after: number of the later one.
        days: the day of each: its `as_of`, else the day (UTC) on which it was published.
        communities: coverage: one row per area × class × group × profile × minutes of either release: `area_id` (null:
            the whole city, each cell once; these rows come first), `name`, `level`, `border` ("same", "changed", "new",
            "gone"), `class`, `group`, `profile`, `minutes`, `people_before`, `people_after`, `people_covered_before`,
            `people_covered_after`, `change` (people covered; who is not there counts as 0), `share_before`,
            `share_after` (null where nobody lives or the area is not there), `share_change`, `reason` (null;
            "class_new", "class_gone": one release has no open facility of the class, so nobody was covered;
            "only_before", "only_after": only that release counts this group, profile or minutes; `change` is null).
        scores: one row per area: `area_id`, `name`, `level`, `border`, `low`, `high` and `grade` before and after,
            `moved` ("up", "down", or null), `moved_reason` (why it is null: "same", "unknown_decides" the grade,
            "not_scored", "not_scored_before", "not_scored_after", "other_grades": scores and grades of the two
            contradict each other, so they are of other standards).
        moved: the points that are not as they were, of communities that moved: `area_id`, `name`, `moved`,
            `grade_before`, `grade_after`, `category`, `item`, `point`, and before and after: `status`, `value`, `low`,
            `high`, `evidence`, `evidence_zh`.
        attribution: why people are covered who were not, and the other way round: the rows of `communities` with
            `change` and its parts, in people, which add up to it exactly: `borders`, `streets`, `people`, `projects`,
            `closures`, `openings`, `method`; null with the `reason` where `change` is.
        facilities: every facility that people do not walk to as before: `class`, `id`, `name`, `state` ("new", "moved",
            "gone"), `class_before`, `class_after` (of an id that changed its class), `cause`, `project_id` (null where
            no project explains it), `lon_before`, `lat_before`, `lon_after`, `lat_after`.
        built: one row per edit of every project that was completed or accepted by the last day: `project_id`,
            `edit`, `id`, `class`, `state` (of the facility, null where it does not differ), `reason` (why it explains
            nothing: docs/evaluation.md).
        plan: how much of the plan is done.
        causes: the causes that really differ.
        recomputed: whether the engine of today, walking as the later release says, gives what was published: `release`,
            `settings` ("same"; "other": that release had another direction or other profiles), `rows`, `rows_differ`,
            `people_differ` (the greatest difference; null without rows).

    """

    before: int
    after: int
    days: tuple[dt.date, dt.date]
    communities: pl.DataFrame
    scores: pl.DataFrame
    moved: pl.DataFrame
    attribution: pl.DataFrame
    facilities: pl.DataFrame
    built: pl.DataFrame
    plan: PlanShare
    causes: tuple[str, ...]
    recomputed: pl.DataFrame
    _minutes: float
    _profile: str

    def summary(self, chinese: bool = False) -> str:
        """Tell the year in a few lines: what differs, which classes cover more or fewer and why, the plan, the grades.

        Args:
            chinese: in Chinese, else in English.

        Returns:
            Lines of text. Coverage is that of everybody in the whole city, by the `minutes` and `profile` asked for.

        Raises:
            Nothing: what was found can be told.

        """
        return "\n".join(told(self, self._minutes, self._profile, chinese))

    def __repr__(self) -> str:
        """Releases, what differs, and how many communities moved."""
        up, down = ((self.scores["moved"] == way).sum() for way in ("up", "down"))
        causes = ", ".join(self.causes) or "nothing"
        return f"Evaluation(release {self.before} → {self.after}: {causes} differ; {up} up, {down} down)"

    def _repr_html_(self) -> str:
        ours = (pl.col("group") == "all") & (pl.col("profile") == self._profile) & (pl.col("minutes") == self._minutes)
        city = self.attribution.filter(pl.col("area_id").is_null() & ours)
        city = city.filter(pl.col("change").ne_missing(0)).sort(
            pl.col("change").abs(), descending=True, nulls_last=True
        )
        columns = {"class": "设施类别 Class", "change": "变化（人） Change (people)"}
        columns |= {part: words for part, words in _PART_WORDS.items() if city[part].fill_null(0).ne(0).any()}
        differ = self.recomputed.filter(pl.col("rows_differ") > 0)
        return cards.card(
            f"年度评估 Evaluation: {self.days[0]} → {self.days[1]}",
            facts=[
                ("版本 Releases", f"{self.before} → {self.after}"),
                ("变化的原因 What differs", "、".join(self.causes) or "无 nothing"),
                ("升级社区 Communities up", (self.scores["moved"] == "up").sum()),
                ("降级社区 Communities down", (self.scores["moved"] == "down").sum()),
            ],
            tables=[
                cards.table(
                    city.with_columns(pl.col(PARTS).cast(pl.Float64)),
                    columns,
                    title=f"全市 {self._minutes:g} 分钟覆盖人口变化及原因 "
                    f"People covered within {self._minutes:g} min, whole city, and why",
                )
            ],
            notes=[
                f"第 {row['release']} 版重算有 {row['rows_differ']:,} 行不同 "
                f"Release {row['release']}: {row['rows_differ']:,} rows differ when computed again"
                for row in differ.iter_rows(named=True)
            ],
        )


def city_of(tables: Tables, at: At = None) -> tuple[City, str | int | None]:
    """The city of a release, as it was: its streets, people, facilities and areas.

    Coverage that is computed of it, with the settings of its study, is the published table to the bit.

    Args:
        tables: the releases.
        at: as of `Tables.release`.

    Returns:
        The `City`, its cells and facilities as GeoParquet files that must not be changed; and its areas as `coverage`
        takes them: such a file, an H3 resolution where parents of cells are the areas, or None for one area "all".

    Raises:
        LookupError: no such release, or its files are no longer kept or not there.
        InputError: the network was written by another version of walkshed, or is damaged.

    """
    release = _Release(tables, at)
    files = {name: str(release.file(name)) for name in ("cells", "facilities")}
    return City(release.network, **files, as_of=release.record["as_of"]), release.areas


class _Release:
    """A release with what lies beside its tables."""

    def __init__(self, tables: Tables, at: At) -> None:
        self.tables, self.number = tables, tables.release(at)
        self.record = tables.record(self.number)

    def file(self, name: str) -> Path:
        """A file beside the tables."""
        path = self.tables.file(name, self.number)
        if not path.is_file():
            raise LookupError(f"release {self.number}: {path} is not there; Tables.verify tells what is missing")
        return path

    @property
    def day(self) -> dt.date:
        return dt.date.fromisoformat((self.record["as_of"] or self.record["published_at"])[:10])

    @property
    def walks(self) -> tuple[Any, ...]:
        """Which way people walk, and how."""
        return self.record["coverage"]["direction"], sorted(self.record["profiles"], key=lambda who: str(who["name"]))

    @property
    def streets(self) -> str:
        return str(self.record["files"]["network"]["sha256"])

    @cached_property
    def network(self) -> Network:
        return Network.load(self.file("network"))

    @cached_property
    def outlines(self) -> pl.DataFrame:
        """Every area with `outline` (WKB; null for one that is everywhere)."""
        table = pl.read_parquet(self.file("areas"))
        outline = table["geometry"].to_physical().alias("outline")
        return table.select("area_id", "name", "level").with_columns(outline)

    @property
    def areas(self) -> str | int | None:
        if self.outlines["outline"].null_count():
            return None
        parents = _parents(self.outlines)
        return str(self.file("areas")) if parents is None else parents

    @cached_property
    def coverage(self) -> pl.DataFrame:
        """Coverage as published, and that of the whole city by the times as published, each cell once."""
        rows = self.tables.read("coverage", self.number).select(*KEYS, "people", "people_covered", "share")
        times = self.tables.read("times", self.number).rename({"cell": "origin_id"}).drop("tile")
        cells = self.cells(self.groups_of(rows)).drop("lon", "lat")
        groups, minutes = self.groups_of(rows), rows["minutes"].unique().sort().to_list()
        city = coverage(times, cells, minutes=minutes, groups=groups, progress=False).select(rows.columns)
        city = city.join(rows.select(_WHO).unique(), on=_WHO, how="semi", maintain_order="left")
        return pl.concat([city.with_columns(area_id=pl.lit(None, pl.String)), rows])

    @staticmethod
    def groups_of(rows: pl.DataFrame) -> list[str]:
        return [name for name in rows["group"].unique().sort() if name != "all"]

    def cells(self, groups: Sequence[str]) -> pl.DataFrame:
        return pl.read_parquet(self.file("cells"), columns=["cell", "lon", "lat", "people", *groups])

    def side(self, groups: Sequence[str], network: Network) -> Side:
        doors = pl.read_parquet(self.file("facilities")).filter(pl.col("state") == "open")
        points = doors["geometry"].to_physical().alias("geometry")
        doors = doors.select("class", pl.col("id").cast(pl.String), "name", "lon", "lat", "level").with_columns(points)
        return Side(network, self.streets, self.cells(groups), doors, self.areas)

    def table(self, name: str) -> pl.DataFrame | None:
        """A table that not every release has."""
        counts = self.record["tables"].get(name)
        return self.tables.read(name, self.number) if counts is not None and counts["files"] else None


def _parents(outlines: pl.DataFrame) -> int | None:
    """The H3 resolution of areas that are parents of cells: these are not cut by their outlines."""
    ids = outlines["area_id"].to_list()
    if not outlines["name"].is_null().all() or not all(re.fullmatch("8[0-9a-f]{14}", name) for name in ids):
        return None
    resolutions = {int(name, 16) >> 52 & 0xF for name in ids}
    return resolutions.pop() if len(resolutions) == 1 else None


def evaluate(
    tables: Tables,
    before: At,
    after: At = None,
    *,
    projects: Projects | None = None,
    as_built: Mapping[str, Scenario] | None = None,
    plan: TableLike | None = None,
    level: str | None = None,
    minutes: float = 15,
    profile: str | None = None,
    progress: Progress = None,
) -> Evaluation:
    """Compare two releases: coverage and scores, what changed them, how much of the plan is done.

    What changed coverage is told by worlds between the two releases, each with some of the causes as they were and the
    others as they are, all computed again: streets, people, and the facilities that projects, closures and openings
    changed. The part of a cause is its Shapley value: what it adds, averaged over all orders in which the causes can
    come about (docs/evaluation.md).

    Args:
        tables: the releases.
        before: the earlier release, as of `Tables.release`.
        after: the later one.
        projects: the ledger with its deliverables: tells the facilities that completed projects changed, and what was
            planned. Without it no facility is explained by a project, and the plan is that of the table `projects` of
            the later release, where it has one.
        as_built: what was really built, by project id, with the ids that facilities have in the tables; projects that
            are not named were built as the ledger says.
        plan: targets: one row per `class`, with `target_share` (0..1, or per cent) or `target_people`, and where given
            `area_id` (else the whole city), `group`, `profile`, `minutes`; a path or a table.
        level: only areas of this level, as "community" or "社区"; None for all.
        minutes: within how many minutes the summary counts, and targets that do not say.
        profile: who walks there; None is who walks for everybody.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        The `Evaluation`.

    Raises:
        LookupError: no such release, or its files are no longer kept or not there.
        ValueError: `before` is not earlier than `after`; a level, minutes or profile that the later release does not
            have; analyses in two systems of coordinates; a project of `as_built` that the ledger does not have.
        InputError: a network of another version, or a table of targets that cannot be read.
        KeyboardInterrupt: stopped by the user, within half a second.

    Warns:
        RejectedRowsWarning: targets were left out.

    """
    was, now = _Release(tables, before), _Release(tables, after)
    if was.number >= now.number:
        raise ValueError(f"before {was.number}: it must be earlier than after, {now.number}")
    rows = _compared(was, now)
    areas = _areas(was, now)
    usual = _usual(now, minutes, profile)
    shown = _of_level(rows, areas, level)
    sides, how = _sides(was, now, progress)
    differ = facility_changes(*(side.doors for side in sides))
    changes, built = causes_of(differ, sides[1].doors, projects, as_built, now.day)
    worlds = Worlds(*sides, changes, how)
    attribution, recomputed = _attributed(shown, worlds, was, now)
    scores = compare_scores(
        areas.join(shown.select("area_id").unique(), on="area_id", how="semi", maintain_order="left"),
        was.table("scorecards"),
        now.table("scorecards"),
    )
    table = now.table("projects") if projects is None else projects.table
    return Evaluation(
        was.number,
        now.number,
        (was.day, now.day),
        shown,
        scores,
        moved_points(scores, was.table("scorecard_points"), now.table("scorecard_points")),
        attribution,
        changes,
        built,
        plan_share(table, plan, rows, (was.day, now.day), usual),
        tuple(worlds.causes),
        recomputed,
        usual["minutes"],
        usual["profile"],
    )


def _compared(was: _Release, now: _Release) -> pl.DataFrame:
    """Coverage of both side by side, of every area."""
    both = was.coverage.join(
        now.coverage, on=KEYS, how="full", coalesce=True, suffix="_after", nulls_equal=True, maintain_order="right_left"
    )
    both = both.rename({name: f"{name}_before" for name in ("people", "people_covered", "share")})
    both = _filled(_filled(both, was.coverage, "before"), now.coverage, "after")
    reason = (
        pl.when(~pl.col("_counted_before"))
        .then(pl.lit("only_after"))
        .when(~pl.col("_counted_after"))
        .then(pl.lit("only_before"))
        .when(~pl.col("class").is_in(was.coverage["class"].unique().to_list()))
        .then(pl.lit("class_new"))
        .when(~pl.col("class").is_in(now.coverage["class"].unique().to_list()))
        .then(pl.lit("class_gone"))
    )
    covered, was_covered = (pl.col(f"people_covered_{when}").fill_null(0.0) for when in ("after", "before"))
    return both.with_columns(reason=reason).select(
        *KEYS,
        *(f"{name}_{when}" for name in ("people", "people_covered") for when in ("before", "after")),
        change=pl.when("_counted_before", "_counted_after").then(covered - was_covered),
        share_before="share_before",
        share_after="share_after",
        share_change=pl.col("share_after") - pl.col("share_before"),
        reason="reason",
    )


def _filled(both: pl.DataFrame, rows: pl.DataFrame, when: str) -> pl.DataFrame:
    """Nobody is covered by a class of which a release has no open facility; the people live there all the same."""
    lived = rows.unique([*_WHO, "area_id"], maintain_order=True).select("area_id", *_WHO, _lived="people")
    counted = rows.select(_WHO).unique().with_columns(pl.lit(True).alias(f"_counted_{when}"))
    found = both.join(lived, on=["area_id", *_WHO], how="left", nulls_equal=True, maintain_order="left")
    found = found.join(counted, on=_WHO, how="left", maintain_order="left")
    people, covered, share = (f"{name}_{when}" for name in ("people", "people_covered", "share"))
    empty = pl.col(people).is_null() & pl.col("_lived").is_not_null()
    return found.with_columns(
        pl.coalesce(people, "_lived").alias(people),
        pl.when(empty).then(0.0).otherwise(pl.col(covered)).alias(covered),
        pl.when(empty & (pl.col("_lived") > 0)).then(0.0).otherwise(pl.col(share)).alias(share),
        pl.col(f"_counted_{when}").fill_null(False),
    ).drop("_lived")


def _areas(was: _Release, now: _Release) -> pl.DataFrame:
    """All areas, those of the later release first, and what became of their outlines."""
    both = now.outlines.with_columns(_is=True).join(
        was.outlines.with_columns(_was=True),
        on="area_id",
        how="full",
        coalesce=True,
        suffix="_before",
        maintain_order="left_right",
    )
    if isinstance(now.areas, int) and was.areas == now.areas:
        # Parents of cells are there when somebody lives in them: that is no border.
        border = pl.lit("same")
    else:
        changed = pl.when(pl.col("outline").eq_missing(pl.col("outline_before"))).then(pl.lit("same"))
        border = (
            pl.when(pl.col("_was").is_null())
            .then(pl.lit("new"))
            .when(pl.col("_is").is_null())
            .then(pl.lit("gone"))
            .otherwise(changed.otherwise(pl.lit("changed")))
        )
    return both.select(
        "area_id",
        pl.coalesce("name", "name_before").alias("name"),
        pl.coalesce("level", "level_before").alias("level"),
        border.alias("border"),
    )


def _of_level(rows: pl.DataFrame, areas: pl.DataFrame, level: str | None) -> pl.DataFrame:
    """Rows of the areas of a level, and of the whole city, in order."""
    if level is not None:
        words = [level, *(word for pair in _LEVELS.items() if level in pair for word in pair)]
        known = areas["level"].drop_nulls().unique().sort().to_list()
        areas = areas.filter(pl.col("level").is_in(words))
        if areas.is_empty():
            raise ValueError(f'level "{level}": the areas have {", ".join(known) or "none"}')
    city = pl.DataFrame({"area_id": [None], "border": ["same"]}, schema={"area_id": pl.String, "border": pl.String})
    places = pl.concat([city, areas], how="diagonal").with_row_index("_place")
    found = rows.join(places, on="area_id", how="inner", nulls_equal=True)
    everybody = pl.col("group") != "all"
    return found.sort("_place", "class", everybody, "group", "profile", "minutes").select(
        *_AREA, *(name for name in rows.columns if name != "area_id")
    )


def _usual(now: _Release, minutes: float, profile: str | None) -> dict[str, Any]:
    """Group, profile and minutes of those who do not say."""
    rows = now.coverage
    limits = rows["minutes"].unique().sort().to_list()
    if float(minutes) not in limits:
        raise ValueError(f"minutes {minutes}: the release has {', '.join(f'{limit:g}' for limit in limits)}")
    walkers = rows.filter(pl.col("group") == "all")["profile"].unique(maintain_order=True).to_list()
    if profile is not None and profile not in walkers:
        raise ValueError(f'profile "{profile}": for everybody the release has {", ".join(walkers)}')
    return {"group": "all", "profile": profile or walkers[0], "minutes": float(minutes)}


def _sides(was: _Release, now: _Release, progress: Progress) -> tuple[tuple[Side, Side], How]:
    """Both cities as far as the two releases count the same, to be walked as the later one says."""
    counted = was.coverage.select(_WHO).unique().join(now.coverage.select(_WHO).unique(), on=_WHO)
    if counted.is_empty():
        raise ValueError("the two releases count no group by the same profile within the same minutes")
    systems = sorted({release.record["analysis_crs"] for release in (was, now)})
    if len(systems) > 1:
        raise ValueError(f"analysis_crs: one release is in {systems[0]}, the other in {systems[1]}")
    networks = was.network, was.network if was.streets == now.streets else now.network
    groups = [name for name in counted["group"].unique().sort() if name != "all"]
    sides = was.side(groups, networks[0]), now.side(groups, networks[1])
    known = {told["name"]: Profile(**told) for told in now.record["profiles"]}
    walkers = [known[name] for name in counted["profile"].unique().sort()]
    direction = now.record["coverage"]["direction"]
    return sides, How(counted["minutes"].unique().sort().to_list(), walkers, groups, direction, progress)


def _attributed(rows: pl.DataFrame, worlds: Worlds, was: _Release, now: _Release) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The change of every row in its parts, and whether what was published comes out again."""
    rows = rows.with_row_index("_row")
    both = rows.drop_nulls("change")
    split = worlds.split(both.select(KEYS))
    # Within the same borders the first world is the release before as it was.
    moved = both.filter(pl.col("border") != "same")
    first = moved.select("_row", _first=worlds.at_first(moved.select(KEYS), was.areas))
    found = pl.concat([both, split.select("at_first", "at_last", *CAUSES)], how="horizontal")
    found = found.join(first, on="_row", how="left", maintain_order="left")
    found = found.with_columns(pl.coalesce("_first", "at_first").alias("_first"))
    before, after = (pl.col(f"people_covered_{when}").fill_null(0.0) for when in ("before", "after"))
    found = found.with_columns(
        borders=pl.col("at_first") - pl.col("_first"),
        method=(after - pl.col("at_last")) - (before - pl.col("_first")),
    )
    ends = (("before", "_first", "new", was), ("after", "at_last", "gone", now))
    recomputed = pl.concat([_recomputed(found, *end, now) for end in ends])
    parts = add_up(found, "change", PARTS).select("_row", "change", *PARTS)
    told = rows.select("_row", *_AREA, *KEYS[1:], "reason").join(parts, on="_row", how="left", maintain_order="left")
    return told.select(*_AREA, *KEYS[1:], "change", *PARTS, "reason"), recomputed


def _recomputed(
    found: pl.DataFrame, when: str, world: str, elsewhere: str, release: _Release, now: _Release
) -> pl.DataFrame:
    """How many rows of a release come out other than they were published."""
    away = (pl.col(f"people_covered_{when}") - pl.col(world)).abs()
    counted = found.filter(pl.col("border") != elsewhere).select(
        rows=pl.len(), rows_differ=(away != 0).sum(), people_differ=away.max()
    )
    settings = "same" if release.walks == now.walks else "other"
    whose = pl.lit(release.number, pl.Int64).alias("release"), pl.lit(settings).alias("settings")
    return counted.select(*whose, pl.all())
