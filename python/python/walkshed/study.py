"""Whole studies: from `STUDY.toml` to a folder of results."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from walkshed import _engine, formats
from walkshed.facilities import facility_classes
from walkshed.memory import MemoryLimit, to_bytes
from walkshed.progress import Progress, reporting


@dataclass(frozen=True)
class RunResult:
    """A published result folder.

    Attributes:
        folder: where it is.
        report: what stands in `run.json`: inputs with sizes and hashes, versions, counts, seconds, peak memory.

    """

    folder: Path
    report: dict[str, Any]

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

    def __repr__(self) -> str:
        """Name, folder and rows."""
        name, rows = self.report["study"]["study"]["name"], self.report["rows"]["coverage.parquet"]
        return f"RunResult({name!r}, {rows} rows of coverage in {self.folder})"


def run(
    study: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    memory_limit: MemoryLimit = None,
    progress: Progress = None,
) -> RunResult:
    """Run a study, the whole line.

    Args:
        study: path of a `STUDY.toml`; paths in it are relative to it.
        out: folder for the results, which appears whole or not at all; an earlier result there is replaced.
        memory_limit: bytes, or `"8 GB"`, for the whole process; without it, most of what the machine has free. A study
            that would take more is refused once its inputs are read, before anything is computed.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        The published folder with `cells`, `times`, `coverage`, `areas`, `facilities`, `rejected` as Parquet, and
        `run.json`.

    Raises:
        InputError: every fault that stops the study; nothing was written.
        KeyboardInterrupt: stopped by the user, within half a second; nothing was written.

    """
    with reporting(progress) as report:
        path = os.fspath(study)
        tables, limit = formats.for_study(path), to_bytes(memory_limit)
        text = _engine.run_study(path, os.fspath(out), tables, limit, report=report)
    return RunResult(Path(out), json.loads(text))


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
        everywhere = self.table("gains").filter(pl.col("area_id").is_null() & (pl.col("group") == "all"))
        gains = everywhere.join(about, left_on="scenario", right_on="id", how="left", maintain_order="left")
        people = ("people_gaining", "people_losing", "people_minutes_saved")
        return gains.select("scenario", "name", "class", "profile", *people, "cost_yuan")

    def __repr__(self) -> str:
        """How many scenarios, and the folder."""
        return f"ScenariosResult({len(self.report['scenarios'])} scenarios in {self.folder})"


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
