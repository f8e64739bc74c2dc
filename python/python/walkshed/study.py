"""Whole studies: from `STUDY.toml` to a folder of results."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from walkshed import _engine, cards, formats, tiled
from walkshed.facilities import facility_classes
from walkshed.language import Language
from walkshed.memory import MemoryLimit, to_bytes
from walkshed.progress import Progress, Report, reporting
from walkshed.tiled import ExecutorChoice

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from walkshed.maps.base_map import BaseMap
    from walkshed.page import Page
    from walkshed.score import Scorecard

_log = logging.getLogger("walkshed.study")

#: Rows of times that are looked through for the picture of a card, in a fifth of a second.
_MOST_TIMES = 3_000_000


@dataclass(frozen=True)
class RunResult:
    """A published result folder.

    Attributes:
        folder: where it is.
        report: what stands in `run.json`: inputs with sizes and hashes, versions, counts, seconds, peak memory.

    """

    folder: Path
    report: dict[str, Any]

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> RunResult:
        """Open the folder of an earlier run.

        Args:
            folder: what `run` or the command `walkshed run` has written.

        Returns:
            The run; its tables are read when they are asked for.

        Raises:
            FileNotFoundError: no run stands there.

        """
        path = Path(folder) / "run.json"
        if not path.is_file():
            raise FileNotFoundError(
                f"{path}: not there; give the folder that `walkshed run --out` has written 未找到运行结果"
            )
        return cls(Path(folder), json.loads(path.read_text("utf-8")))

    def table(self, name: str) -> pl.DataFrame:
        """Read one of its tables: cells, times, coverage, areas, facilities or rejected.

        Raises:
            FileNotFoundError: no such table.

        """
        return pl.read_parquet(self.folder / f"{name}.parquet")

    def total(self) -> pl.DataFrame:
        """Coverage of the whole city, cells counted once whatever the areas.

        Returns:
            The columns of `coverage` with `area_id` "all".

        """
        share = pl.when(pl.col("people") > 0).then(pl.col("people_covered") / pl.col("people"))
        return pl.DataFrame(self.report["total"]).with_columns(share=share)

    def summary(self) -> pl.DataFrame:
        """Coverage of everybody in the whole city.

        Returns:
            One row per class × profile: `class`, `name_zh`, `name_en`, `facilities`, `profile`, and the covered share
            in per cent for each threshold (`5 min`, …).

        """
        total = self.total().filter(pl.col("group") == "all")
        label = pl.format("{} min", pl.col("minutes").map_elements(lambda value: f"{value:g}", pl.String))
        shares = total.with_columns(percent=pl.col("share") * 100, label=label)
        wide = shares.pivot("label", index=["class", "profile"], values="percent", maintain_order=True)
        counts = pl.DataFrame(list(self.report["facilities"].items()), schema=["class", "facilities"], orient="row")
        names = facility_classes().select("class", "name_zh", "name_en").with_row_index("order")
        return (
            wide.join(counts, on="class", how="left")
            .join(names, on="class", how="left")
            .sort("order", "class", "profile", nulls_last=True)
            .with_columns(pl.col("name_zh", "name_en").fill_null(pl.col("class")))
            .select("class", "name_zh", "name_en", "facilities", "profile", pl.selectors.ends_with(" min"))
        )

    def plot(
        self,
        classes: str | Sequence[str] | None = None,
        *,
        profile: str | None = None,
        show: Literal["minutes", "coverage"] = "minutes",
        minutes: float | Sequence[float] | None = None,
        group: str = "all",
        base: BaseMap | None = None,
        language: Language = "en",
        source: str | None = None,
    ) -> Figure:
        """Draw walking minutes cell by cell, or the share of people covered area by area, one map per class.

        Args:
            classes: ids of facility classes, or one; the six that fewest people reach when None.
            profile: one of the study's profiles; the first, of coverage the first that the group walks as, when None.
            show: "minutes" or "coverage".
            minutes: upper limits of the classes of minutes, none above the study's largest threshold; or the threshold
                of the coverage. Those of the study, or its middle one, when None.
            group: whose coverage, one of the study's groups or "all".
            base: streets and water; those of the run's sources when None, none with `maps.base_map.EMPTY`.
            language: of titles and legend: "zh" or "en".
            source: line about the data, printed below; what the run says when None. A synthetic city says that it is
                one in any case.

        Returns:
            A matplotlib figure; `walkshed.maps.save(figure, path)` writes it.

        Raises:
            ValueError: the run has no such class, profile, threshold or group, or no areas whose coverage could be
                drawn.
            ImportError: matplotlib is not installed.

        """
        from walkshed.maps import plots

        return plots.of_run(
            self,
            classes,
            profile=profile,
            show=show,
            minutes=minutes,
            group=group,
            base=base,
            language=language,
            source=source,
        )

    def explore(
        self,
        *,
        scenarios: ScenariosResult | None = None,
        scorecard: Scorecard | None = None,
        base: BaseMap | None = None,
        title: str | None = None,
        language: Language = "zh",
        source: str | None = None,
    ) -> Page:
        """Look at the run on a map: one page that needs no network, shown in the notebook or saved as a file.

        Args:
            scenarios: as for `walkshed.page.page`, which has the rules of all of them.
            scorecard: scores of the communities.
            base: streets and water beneath; None takes those that the run names.
            title: of the page.
            language: that it opens in, "zh" or "en".
            source: line about the data.

        Returns:
            The page; `.save(path)` writes it.

        Raises:
            ValueError: scenarios of another study, a scorecard of other areas, or no such language.

        """
        from walkshed.page import page

        return page(
            self, scenarios=scenarios, scorecard=scorecard, base=base, title=title, language=language, source=source
        )

    def __repr__(self) -> str:
        """Name, folder and rows."""
        name, rows = self.report["study"]["study"]["name"], self.report["rows"]["coverage.parquet"]
        return f"RunResult({name!r}, {rows} rows of coverage in {self.folder})"

    def _repr_html_(self) -> str:
        from walkshed import thumbnail
        from walkshed.maps.base_map import credit_of

        asked, people, facilities = self.report["study"], self.report["people"], self.report["facilities"]
        profiles, minutes = asked["coverage"]["profiles"], asked["coverage"]["minutes"]
        shares = self.summary().filter(pl.col("profile") == profiles[0])
        reached = f"{max(minutes):g} 分钟内可达类别 classes within {max(minutes):g} min"
        limits = {name: name.replace(" min", " 分钟 min") for name in shares.columns if name.endswith(" min")}
        return cards.card(
            f"步行可达覆盖 Walking coverage: {asked['study']['name']}",
            facts=[
                ("人口 People", people["in_cells"]),
                ("单元 Cells", people["cells"]),
                ("分区 Areas", self.report["rows"]["areas.parquet"]),
                ("设施 Facilities", sum(facilities.values())),
                ("类别 Classes", len(facilities)),
                ("人群 Profiles", "、".join(cards.of_profile(who) for who in profiles)),
                ("walkshed", self.report["walkshed"]),
            ],
            tables=[
                cards.table(
                    shares.sort(f"{max(minutes):g} min", maintain_order=True),
                    {"class": "设施类别 Class", "facilities": "设施 Facilities", **limits},
                    title=f"覆盖人口占比，由低到高 People covered, lowest first: {cards.of_profile(profiles[0])}",
                )
            ],
            picture=thumbnail.dots(self._reached(profiles[0], max(minutes)), thumbnail.FEW_TO_MANY, "cells 单元"),
            caption=f"{cards.ramp(thumbnail.FEW_TO_MANY, reached, ('少 few', '多 many'))}<br>{credit_of(self)}",
            notes=self._notes(),
        )

    def _reached(self, profile: str, minutes: float) -> pl.DataFrame:
        """Cells with how many classes they reach, from 0 to 4; none of a run too large to look through."""
        if self.report["rows"]["times.parquet"] > _MOST_TIMES:
            return pl.DataFrame(schema={"lon": pl.Float64, "lat": pl.Float64, "rank": pl.Int32})
        times = pl.scan_parquet(self.folder / "times.parquet").filter(pl.col("profile") == profile)
        share = (pl.col("time_s") <= minutes * 60).fill_null(False).mean()
        reached = times.group_by(cell="origin_id").agg(rank=(share * 5).floor().clip(0, 4).cast(pl.Int32))
        cells = pl.scan_parquet(self.folder / "cells.parquet").select("cell", "lon", "lat")
        return cells.join(reached, on="cell", how="left", maintain_order="left").collect()

    def _notes(self) -> list[str]:
        report, people = self.report, self.report["people"]
        unknown = [*report["classes_without_facilities"], *report["classes_not_open"]]
        named = "、".join(map(cards.of_class, unknown))
        told = [
            (people["not_snapped"], "人附近无道路，未接入路网 people with no street near"),
            (people["outside_areas"], "人不在任何分区内 people outside every area"),
            (sum(report["facilities_not_open"].values()), "处设施未开放，不计 facilities are not open: not walked to"),
        ]
        notes = [f"{round(count):,} {words}" for count, words in told if round(count)]
        missing = f"没有开放设施、情况不明的类别 Classes without an open facility, so unknown: {named}"
        return [*([missing] if unknown else []), *notes, *cards.left_out(sum(report["rejected"].values()))]


def run(
    study: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    memory_limit: MemoryLimit = None,
    executor: ExecutorChoice = None,
    tile_resolution: int | None = None,
    work: str | os.PathLike[str] | None = None,
    progress: Progress = None,
) -> RunResult:
    """Run a study, the whole line, at once or tile by tile (docs/cluster.md).

    The results are the same to the byte, whatever the executor, the tiles and the memory.

    Args:
        study: path of a `STUDY.toml`; paths in it are relative to it.
        out: folder for the results, which appears whole or not at all; an earlier result there is replaced.
        memory_limit: bytes, or `"8 GB"`, for the whole process; without it, most of what the machine has free. A study
            that would take more goes tile by tile. Threads and processes share it, each worker of another executor has
            that much.
        executor: None runs the study as a whole where it fits into memory. `"threads"` works on one tile after the
            other in this process; `"processes"` on as many at once as there are cores, `("processes", 4)` on four;
            `"spark"` or a `SparkSession` on the executors of Spark; an executor of `concurrent.futures`, such as
            Dask's `client.get_executor()`, on its workers. The last two stay open.
        tile_resolution: H3 resolution of the tiles; what fits into the memory when None.
        work: folder for what is done so far, which all workers see under this path and which stays. When None a folder
            beside `out`, its name with `.work`, which is taken away after success. When a run fails or is stopped, the
            same call goes on with what lies there.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        The published folder with `cells`, `times`, `coverage`, `areas`, `facilities`, `rejected` as Parquet, and
        `run.json`.

    Raises:
        InputError: every fault that stops the study; nothing was published.
        ValueError: no such executor, or `work` lies in `out`.
        WorkerError: workers were ended again and again; nothing was published.
        ImportError: Spark is asked for and not installed.
        KeyboardInterrupt: stopped by the user, within half a second; nothing was published.

    """
    path, results, limit = os.fspath(study), os.fspath(out), to_bytes(memory_limit)
    whole, workers = executor is None and tile_resolution is None and work is None, tiled.chosen(executor)
    with reporting(progress) as report:
        tables = formats.for_study(path)
        text = _run_whole(path, results, tables, limit, report) if whole else None
        if text is None:
            text = tiled.run(
                path,
                results,
                tables,
                workers,
                memory_limit=limit,
                tile_resolution=tile_resolution,
                work=work,
                report=report,
            )
    return RunResult(Path(out), json.loads(text))


def _run_whole(
    path: str, out: str, tables: list[dict[str, Any]], limit: int | None, report: Report | None
) -> str | None:
    """Run a study at once; None when it does not fit into the memory."""
    try:
        return _engine.run_study(path, out, tables, limit, report=report)
    except _engine.InputError as error:
        if {problem["reason"] for problem in error.problems} != {"memory"}:
            raise
        needs, _, _ = str(error).partition(". ")  # what to do about it follows, and is done
        _log.warning("%s: so it goes tile by tile 内存不足，改为分块计算", needs)
        return None


@dataclass(frozen=True)
class ScenariosResult:
    """A published folder of scenarios.

    Attributes:
        folder: where it is.
        report: what stands in `scenarios.json`: the study, its inputs with hashes, and every scenario with its id,
            edits, cost, how much it touches and how long it took.

    """

    folder: Path
    report: dict[str, Any]

    def table(self, name: str) -> pl.DataFrame:
        """Read one of its tables, each with the column `scenario`: coverage (of touched areas and classes), cells (that
        change) or gains.

        Raises:
            FileNotFoundError: no such table.

        """
        return pl.read_parquet(self.folder / f"{name}.parquet")

    def summary(self) -> pl.DataFrame:
        """Who gains and who loses in the whole city, for everybody.

        Returns:
            One row per scenario × class × profile that it changes: `scenario`, `name`, `class`, `profile`,
                `people_gaining`, `people_losing`, `people_minutes_saved`, `cost_yuan`.

        """
        named = [{key: row[key] for key in ("id", "name", "cost_yuan")} for row in self.report["scenarios"]]
        about = pl.DataFrame(named, schema={"id": pl.String, "name": pl.String, "cost_yuan": pl.Float64})
        everywhere = self._gains().filter(pl.col("area_id").is_null() & (pl.col("group") == "all"))
        gains = everywhere.join(about, left_on="scenario", right_on="id", how="left", maintain_order="left")
        people = ("people_gaining", "people_losing", "people_minutes_saved")
        return gains.select("scenario", "name", "class", "profile", *people, "cost_yuan")

    def _gains(self) -> pl.DataFrame:
        """The table of gains; an empty one without scenarios, of which nothing is written."""
        if self.report["scenarios"]:
            return self.table("gains")
        names = ("scenario", "area_id", "class", "group", "profile")
        people = ("people_gaining", "people_losing", "people_minutes_saved")
        return pl.DataFrame(schema=[(name, pl.String) for name in names] + [(name, pl.Float64) for name in people])

    def plot(
        self,
        classes: str | Sequence[str] | None = None,
        *,
        scenario: str | None = None,
        profile: str | None = None,
        base: BaseMap | None = None,
        language: Language = "en",
        source: str | None = None,
    ) -> Figure:
        """Draw who walks shorter and who longer under a scenario, and where its edits are.

        Args:
            classes: ids of facility classes, or one; the six that change for most people when None.
            scenario: its name or id; the first when None.
            profile: one of the study's profiles; the first when None.
            base: streets and water; those of the study's sources when None, none with `maps.base_map.EMPTY`.
            language: of titles and legend: "zh" or "en".
            source: line about the data, printed below; what the study says when None. A synthetic city says that it is
                one in any case.

        Returns:
            A matplotlib figure; `walkshed.maps.save(figure, path)` writes it.

        Raises:
            ValueError: no such scenario, or it changes no walk that is asked for.
            ImportError: matplotlib is not installed.

        """
        from walkshed.maps import plots

        return plots.of_scenarios(
            self, classes, scenario=scenario, profile=profile, base=base, language=language, source=source
        )

    def explore(self, run: RunResult, *, language: Language = "zh", title: str | None = None) -> Page:
        """Look at the scenarios on the map of a run, before and after side by side.

        Args:
            run: a run of the same study over the same files.
            language: that the page opens in, "zh" or "en".
            title: of the page.

        Returns:
            The page; `.save(path)` writes it.

        Raises:
            ValueError: a run of another study or of other files, or no such language.

        """
        return run.explore(scenarios=self, language=language, title=title)

    def __repr__(self) -> str:
        """How many scenarios, and the folder."""
        return f"ScenariosResult({len(self.report['scenarios'])} scenarios in {self.folder})"

    def _repr_html_(self) -> str:
        plans = pl.DataFrame(
            [
                (plan["name"], len(plan["edits"]), plan["cost_yuan"], plan["changed"])
                for plan in self.report["scenarios"]
            ],
            schema={"scenario": pl.String, "edits": pl.Int64, "cost_yuan": pl.Float64, "changed": pl.Int64},
            orient="row",
        )
        changed = {"scenario": "方案 Scenario", "edits": "措施 Edits", "cost_yuan": "造价（元） Cost (yuan)"}
        gains = self.summary().sort("people_minutes_saved", descending=True, maintain_order=True)
        people = ["people_gaining", "people_losing", "people_minutes_saved"]
        return cards.card(
            f"方案对比 Scenarios: {self.report['study']['study']['name']}",
            facts=[("方案 Scenarios", plans.height), ("walkshed", self.report["walkshed"])],
            notes=[] if plans.height else ["没有方案 There are no scenarios"],
            tables=[
                cards.table(plans, changed | {"changed": "变化单元×类别×人群 Cells × classes × profiles that change"}),
                cards.table(
                    gains.with_columns(scenario="name"),
                    ["scenario", "class", "profile", *people],
                    title="受益最多 Who gains most",
                ),
            ],
        )


def run_scenarios(
    study: str | os.PathLike[str],
    plans: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    progress: Progress = None,
) -> ScenariosResult:
    """Prepare a study once, and say what each scenario changes.

    Args:
        study: path of a `STUDY.toml`, the baseline.
        plans: paths of scenario files (docs/scenarios.md).
        out: folder for the results, which appears whole or not at all; an earlier result of scenarios is replaced.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        The published folder with `coverage`, `cells`, `gains` as Parquet, and `scenarios.json`.

    Raises:
        InputError: every fault of the study or of any edit of any scenario; nothing was written.
        KeyboardInterrupt: stopped by the user, within half a second; nothing was written.

    """
    with reporting(progress) as report:
        path = os.fspath(study)
        tables = formats.for_study(path)
        text = _engine.run_scenarios(path, [os.fspath(plan) for plan in plans], os.fspath(out), tables, report=report)
    return ScenariosResult(Path(out), json.loads(text))
