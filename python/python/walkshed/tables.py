"""The tables that a refresh keeps: their releases, what differs between two, whether all is as it was written."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import polars as pl

from walkshed import _engine, cards
from walkshed.coverage import KEYS
from walkshed.progress import Progress, reporting

At: TypeAlias = "int | str | dt.date | dt.datetime | None"
Gate: TypeAlias = Literal[
    "rows_shrink", "unjoined_rise", "people_conserved", "people_move", "coverage_move", "older_input"
]
GATES: tuple[str, ...] = get_args(Gate)

_TYPES: dict[str, pl.DataType] = {
    "string": pl.String(),
    "long": pl.Int64(),
    "integer": pl.Int32(),
    "double": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
}
_FACILITY = ["class", "id"]


class Tables:
    """A folder of tables, as `refresh` publishes them.

    Every table is a Delta Lake table, so polars, DuckDB, PyArrow and Spark read them without walkshed; the number of a
    release is the version of every table in it.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Open a folder.

        Args:
            folder: the folder that `refresh` names, or a study: then the folder that it refreshes.

        Raises:
            FileNotFoundError: no release was ever published there.
            InputError: a record is damaged, or a newer walkshed wrote it; or faults of the study.

        """
        path = Path(folder)
        if path.is_file():
            path = Path(_engine.refresh_sources(os.fspath(path))[1])
        self.folder = path
        if not self.history:
            raise FileNotFoundError(
                f"{self.folder}: no release here; `walkshed refresh STUDY.toml` publishes the first"
            )

    @cached_property
    def _told(self) -> tuple[list[dict[str, Any]], int]:
        text, kept_from = _engine.releases(os.fspath(self.folder))
        return json.loads(text), kept_from

    @property
    def history(self) -> list[dict[str, Any]]:
        """The records of all releases, from the first: inputs with hashes, tables with rows, coverage of everybody."""
        return self._told[0]

    @property
    def names(self) -> list[str]:
        """The tables of the last release."""
        return sorted(self.history[-1]["tables"])

    def releases(self) -> pl.DataFrame:
        """All releases, from the first.

        Returns:
            `release`, `published_at` (UTC), `cause` ("refresh" or "rollback"), `reason` (null where nobody gave one),
            `as_of`, `rows` and `bytes` of all tables, `files_added`, `files_removed`, `overridden` (gates that were
            passed over, with reasons; null without), `kept` (whether its files are still there).

        """
        rows = [self._row(record) for record in self.history]
        return pl.DataFrame(rows, infer_schema_length=None).with_columns(
            pl.col("published_at").str.to_datetime("%Y-%m-%dT%H:%M:%S%.3fZ", time_unit="ms", time_zone="UTC"),
            pl.col("reason", "as_of", "overridden").cast(pl.String),
        )

    def _row(self, record: dict[str, Any]) -> dict[str, Any]:
        tables = record["tables"].values()
        sums = {
            name: sum(table[name] for table in tables) for name in ("rows", "bytes", "files_added", "files_removed")
        }
        passed = record["overridden"]
        return {
            **{name: record[name] for name in ("release", "published_at", "cause", "reason", "as_of")},
            **sums,
            "overridden": "; ".join(f"{gate}: {reason}" for gate, reason in passed.items()) or None,
            "kept": record["release"] >= self._told[1],
        }

    def release(self, at: At = None) -> int:
        """The number of a release.

        Args:
            at: its number; a date or time (UTC), for the release that stood then; None for the last. A date means its
                end, a negative number counts from the last (-1).

        Raises:
            LookupError: no such release, none stood then, or its files are no longer kept.

        """
        number = self._number(at)
        if number < self._told[1]:
            raise LookupError(f"release {number}: its files are no longer kept; those from {self._told[1]} on are")
        return number

    def _number(self, at: At) -> int:
        numbers = [record["release"] for record in self.history]
        if at is None:
            return int(numbers[-1])
        if isinstance(at, int):
            number = numbers[at] if -len(numbers) <= at < 0 else at
        else:
            number = self._stood(at)
        if number not in numbers:
            raise LookupError(f"release {at}: there are {numbers[0]} to {numbers[-1]}")
        return int(number)

    def _stood(self, at: str | dt.date | dt.datetime) -> int:
        moment = dt.datetime.fromisoformat(at) if isinstance(at, str) else at
        whole_day = (isinstance(at, str) and len(at.strip()) == 10) or not isinstance(moment, dt.datetime)
        if not isinstance(moment, dt.datetime):
            moment = dt.datetime(moment.year, moment.month, moment.day)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=dt.timezone.utc)
        if whole_day:
            moment += dt.timedelta(days=1) - dt.timedelta(milliseconds=1)
        until_ms = int(moment.timestamp() * 1000)
        stood = [record["release"] for record in self.history if record["published_at_ms"] <= until_ms]
        if not stood:
            raise LookupError(f"{at}: the first release is of {self.history[0]['published_at']}")
        return int(stood[-1])

    def files(self, table: str, at: At = None) -> list[str]:
        """The Parquet files of a table at a release.

        Args:
            table: its name, one of `names`.
            at: as of `release`.

        Returns:
            Their paths, in order.

        Raises:
            LookupError: as of `release`, or no such table.

        """
        return [os.fspath(self.folder / table / path) for path, *_ in _files(self, table, at)[0]]

    def scan(self, table: str, at: At = None) -> pl.LazyFrame:
        """A table at a release, read when it is asked.

        Args:
            table: its name, one of `names`.
            at: as of `release`.

        Returns:
            Its columns, and `tile` (the H3 parent by which it is cut, as a signed number).

        Raises:
            LookupError: as of `files`.

        """
        files, schema = _files(self, table, at)
        return _scan(self.folder / table, [file[0] for file in files], schema)

    def read(self, table: str, at: At = None) -> pl.DataFrame:
        """A table at a release.

        Args:
            table: its name, one of `names`.
            at: as of `release`.

        Returns:
            As of `scan`.

        Raises:
            LookupError: as of `files`.

        """
        return self.scan(table, at).collect()

    def record(self, at: At = None) -> dict[str, Any]:
        """The record of a release, also of one whose files are no longer kept.

        Args:
            at: as of `release`.

        Raises:
            LookupError: no such release.

        """
        number = self._number(at)
        return next(record for record in self.history if record["release"] == number)

    def file(self, name: str, at: At = None) -> Path:
        """A file beside the tables of a release.

        Args:
            name: "areas", "facilities" or "cells" (GeoParquet with outlines, doors, hexagons), or "network" (for
                `Network.load`).
            at: as of `release`.

        Returns:
            Its path.

        Raises:
            LookupError: as of `release`, or no such file.

        """
        files = self.record(self.release(at))["files"]
        if name not in files:
            raise LookupError(f'file "{name}": there are {", ".join(sorted(files))}')
        return self.folder / str(files[name]["path"])

    def total(self, at: At = None) -> pl.DataFrame:
        """Coverage of everybody at a release, also of one whose files are no longer kept.

        Args:
            at: as of `release`.

        Returns:
            `class`, `profile`, `minutes`, `people`, `people_covered`, `share` (0..1; null where nobody lives).

        Raises:
            LookupError: no such release.

        """
        share = pl.when(pl.col("people") > 0).then(pl.col("people_covered") / pl.col("people"))
        return pl.DataFrame(self.record(at)["total"]).with_columns(share=share)

    def diff(self, before: At = -2, after: At = -1) -> Diff:
        """What differs between two releases. Only files that differ are read.

        Args:
            before: as of `release`; the last but one.
            after: as of `release`; the last.

        Returns:
            Inputs, coverage, facilities, cells and scorecards that are not the same.

        Raises:
            LookupError: as of `release`.

        """
        return Diff(self, self.release(before), self.release(after))

    def roll_back(self, to: At, reason: str, *, progress: Progress = None) -> int:
        """Publish an earlier release again, as a new one: nothing that was published is undone.

        Args:
            to: as of `release`.
            reason: why; it is recorded.
            progress: None or True shows a bar after a second, False nothing, a function is called with the state.

        Returns:
            The number of the new release.

        Raises:
            LookupError: as of `release`.
            InputError: no reason.
            BusyError: another process publishes.

        """
        number = self.release(to)
        with reporting(progress) as report:
            text = _engine.roll_back(os.fspath(self.folder), number, reason, report=report)
        del self.__dict__["_told"]
        return int(json.loads(text)["release"])

    def verify(self, *, progress: Progress = None) -> pl.DataFrame:
        """Read every byte that any kept release needs, and hold it against its hash.

        Args:
            progress: as of `roll_back`.

        Returns:
            What is not as it was written: `path` inside the folder, `what`; no rows when all is well.

        Raises:
            KeyboardInterrupt: stopped by the user, within half a second.

        """
        with reporting(progress) as report:
            rows = _engine.verify_tables(os.fspath(self.folder), report=report)
        return pl.DataFrame(rows, schema={"path": pl.String, "what": pl.String}, orient="row")

    def __repr__(self) -> str:
        """Folder and last release."""
        last = self.history[-1]
        return f"Tables({self.folder}, release {last['release']} of {last['published_at']})"

    def _repr_html_(self) -> str:
        last, releases = self.history[-1], self.releases().reverse()
        passed = releases.filter(pl.col("overridden").is_not_null()).select("release", "overridden")
        gone = releases["kept"].not_().sum()
        return cards.card(
            f"逐日更新的表 Tables: {cards.where(self.folder)}",
            facts=[
                ("版本 Release", last["release"]),
                ("发布 Published", last["published_at"][:16].replace("T", " ")),
                ("表 Tables", "、".join(self.names)),
            ],
            tables=[cards.table(releases, ["release", "published_at", "as_of", "cause", "reason", "rows", "bytes"])],
            notes=[
                *(f"第 {number} 版越过检查 Release {number} passed over: {gates}" for number, gates in passed.rows()),
                *([f"{gone} 个版本的文件已不保留 The files of {gone} releases are no longer kept"] if gone else []),
            ],
        )


def _files(tables: Tables, table: str, at: At) -> tuple[list[tuple[Any, ...]], dict[str, pl.DataType]]:
    """What the log tells of the files of a table at a release, and its columns."""
    files, schema = _engine.table_files(os.fspath(tables.folder), table, tables.release(at))
    if schema is None:
        raise LookupError(f'table "{table}": there are {", ".join(tables.names)}')
    fields = json.loads(schema)["fields"]
    return list(files), {field["name"]: _TYPES[field["type"]] for field in fields}


def _scan(folder: Path, paths: Sequence[str], schema: dict[str, pl.DataType]) -> pl.LazyFrame:
    """Files of the folder of a table."""
    if not paths:
        return pl.LazyFrame(schema=schema)
    whole = [folder / path for path in paths]
    if "tile" not in schema:
        return pl.scan_parquet(whole, hive_partitioning=False)
    return pl.scan_parquet(whole, hive_partitioning=True, hive_schema={"tile": pl.Int64})


@dataclass(frozen=True)
class Diff:
    """What differs between two releases.

    Attributes:
        tables: the folder of tables.
        before: number of the earlier release.
        after: number of the later one.

    """

    tables: Tables
    before: int
    after: int

    def inputs(self) -> pl.DataFrame:
        """Inputs that are not the same: `path`, `change` ("new", "changed", "gone"), `bytes_before`, `bytes_after`."""
        records = {record["release"]: record for record in self.tables.history}
        was, now = ({file["path"]: file for file in records[number]["inputs"]} for number in (self.before, self.after))
        rows: list[tuple[str, str, int | None, int | None]] = []
        for path in sorted({*was, *now}):
            old, new = was.get(path), now.get(path)
            if old is None or new is None or old["sha256"] != new["sha256"]:
                change = "new" if old is None else "gone" if new is None else "changed"
                rows.append((path, change, old and old["bytes"], new and new["bytes"]))
        schema = {"path": pl.String, "change": pl.String, "bytes_before": pl.Int64, "bytes_after": pl.Int64}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def coverage(self) -> pl.DataFrame:
        """Rows of coverage that differ.

        Returns:
            `area_id`, `class`, `group`, `profile`, `minutes`, `people_before`, `people_after`,
                `people_covered_before`, `people_covered_after`, `change` (people covered); null where an area or class
                is only in one of the two.

        """
        rows = self._changed("coverage", KEYS, ["people", "people_covered"])
        change = pl.col("people_covered_after").fill_null(0) - pl.col("people_covered_before").fill_null(0)
        return rows.drop("state").with_columns(change=change)

    def facilities(self) -> pl.DataFrame:
        """Facilities that differ.

        Returns:
            `class`, `id`, `state` ("new", "changed", "gone"), and with `_before` and `_after`: `name`, `lon`, `lat`,
                `state` (the status on the day).

        """
        return self._changed("facilities", _FACILITY, ["name", "lon", "lat", "state"])

    def cells(self) -> pl.DataFrame:
        """Cells whose people differ.

        Returns:
            `cell`, `state`, `people_before`, `people_after`.

        """
        return self._changed("cells", ["cell"], ["people"])

    def scorecards(self) -> pl.DataFrame:
        """Scorecards that differ; no rows where a release has none.

        Returns:
            `area_id`, `state`, and with `_before` and `_after`: `low`, `high`, `grade`.

        """
        if not all("scorecards" in self.tables.record(number)["tables"] for number in (self.before, self.after)):
            return pl.DataFrame(schema={"area_id": pl.String, "state": pl.String})
        return self._changed("scorecards", ["area_id"], ["low", "high", "grade"])

    def _changed(self, table: str, keys: list[str], values: list[str]) -> pl.DataFrame:
        """Rows of the files that only one of the two has, side by side."""
        (was, schema_was), (now, schema_now) = (
            _files(self.tables, table, number) for number in (self.before, self.after)
        )
        same = {file[0] for file in was} & {file[0] for file in now}
        only = [[file[0] for file in files if file[0] not in same] for files in (was, now)]
        before, after = (
            _scan(self.tables.folder / table, paths, schema).select(*keys, *values).collect()
            for paths, schema in zip(only, (schema_was, schema_now), strict=True)
        )
        both = before.with_columns(_there=True).join(
            after.with_columns(_here=True), on=keys, how="full", coalesce=True, suffix="_after", nulls_equal=True
        )
        state: pl.Expr = (
            pl.when(pl.col("_there").is_null())
            .then(pl.lit("new"))
            .when(pl.col("_here").is_null())
            .then(pl.lit("gone"))
            .otherwise(pl.lit("changed"))
        )
        differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_after")) for name in values)
        columns = [
            column for name in values for column in (pl.col(name).alias(f"{name}_before"), pl.col(f"{name}_after"))
        ]
        changed = both.filter(differs | pl.col("_there").is_null() | pl.col("_here").is_null())
        return changed.select(*keys, state.alias("state"), *columns).sort(keys)

    def summary(self, *, chinese: bool = False) -> str:
        """The difference in a few lines.

        Args:
            chinese: in Chinese.

        Raises:
            LookupError: the files of one of the two are no longer kept.

        """
        inputs, coverage, facilities = self.inputs(), self.coverage(), self.facilities()
        states = dict(facilities.group_by("state").len().sort("state").iter_rows())
        everybody = coverage.filter(pl.col("group") == "all")
        gained = everybody.filter(pl.col("change") > 0)["area_id"].n_unique()
        lost = everybody.filter(pl.col("change") < 0)["area_id"].n_unique()
        counts = [states.get(state, 0) for state in ("new", "changed", "gone")]
        if chinese:
            return (
                f"第 {self.before} 版 → 第 {self.after} 版：输入变化 {inputs.height} 个；设施新增 {counts[0]}、"
                f"变更 {counts[1]}、减少 {counts[2]}；"
                f"覆盖人口变化 {coverage.height} 行，{gained} 个分区有增、{lost} 个分区有减"
            )
        return (
            f"release {self.before} → {self.after}: {inputs.height} input(s) differ; facilities {counts[0]} new, "
            f"{counts[1]} changed, {counts[2]} gone; {coverage.height} rows of coverage differ, up in {gained} and "
            f"down in {lost} areas"
        )

    def _repr_html_(self) -> str:
        # Of the records alone: the rows that differ may be millions.
        was, now = (self.tables.total(number) for number in (self.before, self.after))
        keys = ["class", "profile", "minutes"]
        both = was.join(now, on=keys, how="full", coalesce=True, suffix="_after", maintain_order="right_left")
        change = pl.col("people_covered_after").fill_null(0) - pl.col("people_covered").fill_null(0)
        moved = both.select(*keys, change=change, share_before="share", share_after="share_after")
        columns = [*keys, "change", "share_before", "share_after"]
        moved = moved.filter(pl.col("change") != 0).sort(pl.col("change").abs(), descending=True, maintain_order=True)
        inputs = self.inputs().with_columns(file=pl.col("path").map_elements(cards.where, pl.String))
        return cards.card(
            f"版本对比 Release {self.before} → {self.after}",
            facts=[
                ("输入变化 Inputs that differ", inputs.height),
                ("覆盖有变（类别×人群×分钟） Coverage that differs (class × profile × minutes)", moved.height),
            ],
            tables=[
                cards.table(moved, columns, title="全市覆盖人口变化 People covered, whole city"),
                cards.table(inputs, {"file": "文件 File", "change": "变化 Change"}, title="输入 Inputs"),
            ],
        )
