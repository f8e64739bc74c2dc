"""The nightly job: the tables of a study brought up to its inputs, published whole or not at all."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from walkshed import _engine, cards, formats, refresh_report, tiled
from walkshed.memory import MemoryLimit, to_bytes
from walkshed.progress import Progress, reporting
from walkshed.projects import read_projects
from walkshed.requests import read_requests
from walkshed.tables import Gate, Tables
from walkshed.tiled import ExecutorChoice

_log = logging.getLogger("walkshed.refresh")


@dataclass(frozen=True)
class RefreshResult:
    """What a refresh did.

    Attributes:
        report: what stands in `reports/last.json` of the tables' folder: status, why, what became of every table,
            people, rows left out, seconds of each step, memory.

    """

    report: dict[str, Any]

    @property
    def status(self) -> str:
        """ "published", "unchanged" or "dry_run"."""
        return str(self.report["status"])

    @property
    def release(self) -> int | None:
        """The release that stands now; None before the first."""
        number = self.report["release"]
        return None if number is None else int(number)

    @property
    def tables(self) -> Tables:
        """The tables.

        Raises:
            FileNotFoundError: nothing was published yet.

        """
        return Tables(self.report["tables"])

    def made(self) -> pl.DataFrame:
        """What became of each table.

        Returns:
            `table`, `parts`, `computed` (parts of which something changed that they are computed from), `changed`
                (parts that came out other than before), `tiles` (how many tiles these are in), `classes` (theirs).

        """
        rows = [
            {
                "table": name,
                **{key: made[key] for key in ("parts", "computed", "changed")},
                "tiles": len(made["tiles"]),
                "classes": ", ".join(made["names"]),
            }
            for name, made in self.report["made"].items()
        ]
        schema = {"table": pl.String, "parts": pl.Int64, "computed": pl.Int64, "changed": pl.Int64}
        return pl.DataFrame(rows, schema=schema | {"tiles": pl.Int64, "classes": pl.String})

    def __repr__(self) -> str:
        """Status and release."""
        return f"RefreshResult({self.status}, release {self.release} in {self.report['tables']})"

    def _repr_html_(self) -> str:
        return cards.card(
            f"更新 Refresh: {self.status}",
            facts=[("版本 Release", self.release), ("表 Tables", cards.where(self.report["tables"]))],
            tables=[cards.table(self.made(), ["table", "parts", "computed", "changed"], most=20)],
            notes=[str(told) for told in self.report["warnings"]],
        )


def refresh(
    study: str | os.PathLike[str],
    tables: str | os.PathLike[str] | None = None,
    *,
    full: bool = False,
    dry_run: bool = False,
    as_of: str | dt.date | None = None,
    override: Mapping[Gate, str] | None = None,
    any_file_system: bool = False,
    memory_limit: MemoryLimit = None,
    executor: ExecutorChoice = None,
    tile_resolution: int | None = None,
    work: str | os.PathLike[str] | None = None,
    progress: Progress = None,
) -> RefreshResult:
    """Bring the tables of a study up to its inputs (docs/refresh.md).

    The same inputs, settings, day and code as in the last release: nothing is done, and no release is made. Else what
    is computed from something that changed is computed again, and published as one release; the tables are the same to
    the bit as those of a whole recompute.

    Args:
        study: path of a `STUDY.toml`; its section `[refresh]` says where the tables lie, how long releases are kept,
            and what may change in a night.
        tables: the folder of the tables, in place of the study's.
        full: compute everything again, whatever did not change.
        dry_run: only tell what would be computed and why; nothing is written.
        as_of: the day on which facilities are open, such as "2026-03-01", in place of the study's.
        override: gates to pass over, each with a reason that is recorded.
        any_file_system: publish also on file systems that may lose names when a machine fails (network shares).
        memory_limit: as of `run`.
        executor: as of `run`: who walks a study tile by tile (docs/cluster.md). The tables are the same; no network is
            kept beside them, so that `city_of` and `evaluate` cannot ask what streets did.
        tile_resolution: as of `run`; not that by which tables are cut.
        work: as of `run`; when None a folder beside the tables, its name with `.work`.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        What was done. `reports/` in the tables' folder has the same as JSON, as a page and for Prometheus.

    Raises:
        InputError: faults of the study or its inputs, or gates that stay shut: the tables stay as they were.
        BusyError: another refresh holds the tables.
        OSError: the disk refuses; the tables stay as they were, or are finished by the next refresh.
        KeyboardInterrupt: stopped by the user; nothing was published.
        ValueError: a day together with an executor: let the study say it.

    """
    began, path = dt.datetime.now(dt.timezone.utc), os.fspath(study)
    day = as_of.isoformat() if isinstance(as_of, dt.date) else as_of
    told: dict[str, Any] = {"study": path, "tables": None if tables is None else os.fspath(tables)}
    _log.info("refresh of %s", path)
    try:
        sources = _engine.refresh_sources(path, day)
        told |= {"study": sources[0], "tables": told["tables"] or sources[1]}
        options = {
            "study": path,
            "tables": told["tables"],
            "full": full,
            "dry_run": dry_run,
            "as_of": day,
            "overrides": dict(override or {}),
            "any_file_system": any_file_system,
            "memory_limit": to_bytes(memory_limit),
            "now_ms": None,
        }
        tiles = None if executor is None and tile_resolution is None and work is None else tiled.chosen(executor)
        if tiles is not None and day is not None:
            raise ValueError("as_of and executor: write as_of into the study, whose tiles are walked by it")
        with reporting(progress) as report:
            extra, given = _extra(*sources[2:]), formats.for_study(path)
            if tiles is None or not _engine.refresh_is_due(options, given):
                text = _engine.refresh(options, given, extra, report=report)
            else:
                folder = tiled.working_folder(told["tables"], work)
                with tiled.kept(folder, taken_away=work is None):
                    walked = tiled.walked(
                        path,
                        folder,
                        given,
                        tiles,
                        memory_limit=to_bytes(memory_limit),
                        tile_resolution=tile_resolution,
                        report=report,
                    )
                    text = _engine.refresh(options, given, extra, walked, report=report)
            done = json.loads(text)
        done |= {"study": told["study"]}
    except _engine.InputError as error:
        _refuse(told, list(getattr(error, "problems", [])), began, dry_run)
        raise
    except OSError as error:
        message = {"file": str(error.filename), "reason": "os_error", "message": str(error), "message_zh": str(error)}
        _refuse(told, [message], began, dry_run)
        raise
    _tell(done)
    if not dry_run:
        refresh_report.write(Path(done["tables"]), done, began)
    return RefreshResult(done)


def _refuse(told: dict[str, Any], problems: list[dict[str, Any]], began: dt.datetime, dry_run: bool) -> None:
    """Log and write down why nothing was published; whoever called is told by the exception."""
    reasons = Counter(problem["reason"] for problem in problems)
    counted = "; ".join(reason if times == 1 else f"{reason} ({times} times)" for reason, times in reasons.items())
    _log.error("refused, the tables stay as they were: %s", counted)
    if not dry_run and told["tables"] is not None:
        refresh_report.write(Path(told["tables"]), told | {"status": "refused", "problems": problems}, began)


def _extra(projects: str | None, requests: str | None, as_of: str | None) -> list[tuple[str, object]]:
    """The tables that are published beside: projects and requests, with what is odd of them or left out."""
    extra: list[tuple[str, object]] = []
    if projects is not None:
        ledger = read_projects(projects, as_of=as_of)
        extra += [("projects", _plain(ledger.table)), ("project_findings", _told(ledger.rejected, ledger.findings))]
    if requests is not None:
        asked = read_requests(requests, as_of=as_of)
        extra += [("requests", _plain(asked.table)), ("request_findings", _told(asked.rejected, asked.findings))]
    return extra


def _plain(table: pl.DataFrame) -> pl.DataFrame:
    """Lists as text: a table holds one value in a place."""
    lists = [name for name, kind in table.schema.items() if isinstance(kind, pl.List)]
    return table.with_columns(pl.col(lists).list.join("; ")) if lists else table


def _told(rejected: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """Rows that are left out, and what is told of those that are used, with `level`."""
    level = [] if "level" in rejected.columns else [pl.lit("rejected").alias("level")]
    return pl.concat([rejected.with_columns(*level).select(findings.columns), findings])


def _tell(report: dict[str, Any]) -> None:
    """Log what was done."""
    for why in report["why"]:
        _log.info("%s %s", why["what"], why["of"])
    if report["recovered"]:
        _log.warning("finished release(s) %s that another process had begun", report["recovered"])
    for told in report["warnings"]:
        _log.warning("%s", told)
    for name, made in report["made"].items():
        _log.info("%s: %d of %d parts computed, %d changed", name, made["computed"], made["parts"], made["changed"])
    for step, seconds in report["seconds"].items():
        _log.debug("%s: %.2f s", step, seconds)
    _log.info("%s: release %s", report["status"], report["release"])
