"""Check inputs before anything is computed: a study, a file, or a folder of files."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from walkshed import _engine, cards, formats
from walkshed.arrow import frame
from walkshed.progress import Progress, reporting

LEVELS = {"error": "错误", "rejected": "未采用", "warning": "警告", "note": "提示"}
"""Levels of findings, gravest first, with their Chinese names."""

_in_chinese = pl.col("level").replace_strict(LEVELS, default=pl.col("level"), return_dtype=pl.String)


@dataclass(frozen=True)
class Validation:
    """What `validate` found.

    Attributes:
        report: of a study that can run: network, people, cells, facilities by class, areas; else empty.
        findings: `level` (error, rejected, warning, note), `file`, `row` (from 1; null where a whole file or a map
            feature is meant), `id`, `column`, `value`, `reason` (a stable code), what it means (`what`, `what_zh`),
            what to do (`fix`, `fix_zh`).
        totals: `input`, `file`, `unit`, `rows` = `accepted` + `rejected`, always.
        rejected: every row that a run would leave out, with file, row, value, reason and what to do.
        page: all of it as one HTML page without scripts.

    """

    report: dict[str, Any]
    findings: pl.DataFrame
    totals: pl.DataFrame
    rejected: pl.DataFrame
    page: str

    @property
    def ready(self) -> bool:
        """Whether no error was found."""
        return not (self.findings["level"] == "error").any()

    def summary(self) -> pl.DataFrame:
        """Count the findings: `level`, `reason`, `findings`, `fix`, `fix_zh`; gravest first."""
        counts = self.findings.group_by("level", "reason", maintain_order=True)
        return counts.agg(pl.len().alias("findings"), pl.col("fix", "fix_zh").first())

    def __repr__(self) -> str:
        """Whether it can run, and the number of findings by level."""
        counts = dict(self.findings["level"].value_counts().iter_rows())
        told = ", ".join(f"{counts[level]} {level}" for level in LEVELS if level in counts)
        return f"Validation({'ready' if self.ready else 'refused'}: {told or 'nothing found'})"

    def _repr_html_(self) -> str:
        verdict = "可以运行 Ready to run" if self.ready else "不能运行 Refused"
        both = pl.format("{} {}", "fix_zh", "fix")
        found = self.summary().with_columns(level=pl.format("{} {}", _in_chinese, "level"), fix=both)
        headings = {"level": "级别 Level", "reason": "问题 Reason", "findings": "数量 Count"}
        counted = ["input", "rows", "accepted", "rejected"]
        return cards.card(
            f"检查 Validation: {verdict}",
            facts=[("问题 Findings", self.findings.height), ("未采用行 Rows left out", self.rejected.height)],
            tables=[
                cards.table(found, headings | {"fix": "处理办法 What to do"}, most=20),
                cards.table(self.totals, counted, title="输入 Inputs"),
            ],
        )


def validate(
    source: str | os.PathLike[str], *, out: str | os.PathLike[str] | None = None, progress: Progress = None
) -> Validation:
    """Check everything that `run` would read, and compute nothing; or look at one file, or at all files of a folder.

    Args:
        source: path of a `STUDY.toml`; or of a data file, or of a folder of them, which are looked at one by one: a
            table as what its columns say that it is.
        out: folder for `findings.parquet`, `totals.parquet` and `report.html` (Chinese and English), which appears
            whole or not at all, also where the study is refused; an earlier report there is replaced.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        Every finding, and for each input how many rows came in, are used and are left out. What is wrong with files
        that are looked at one by one is in it, errors too.

    Raises:
        InputError: every fault that would stop the run of a study, after the report was written; its `validation` is
            what was found. Or something else than an earlier report stands at `out`.
        KeyboardInterrupt: stopped by the user, within half a second; nothing was written.

    """
    path = os.fspath(source)
    target = None if out is None else os.fspath(out)
    is_study = path.lower().endswith(".toml")
    files = [] if is_study else _files(Path(path))
    tables: list[dict[str, Any]] = []
    if is_study:
        with contextlib.suppress(_engine.InputError):  # what is wrong with the study itself is a finding below
            tables = formats.for_study(path)
    else:
        tables = [formats.given(file, None) for file in files if formats.is_foreign(file)]
    with reporting(progress) as report:
        study = path if is_study else None
        found = _engine.validate_inputs(study, files, tables, target, Path(path).name, report=report)
    ready, findings, totals, errors, rejected, page = found
    validation = Validation(json.loads(ready or "{}"), frame(findings), frame(totals), frame(rejected), page)
    if is_study and not validation.ready:
        problems = frame(errors).to_dicts()
        error = _engine.InputError("\n".join(problem["message"] for problem in problems))
        error.problems = problems
        error.validation = validation  # type: ignore[attr-defined]
        raise error
    return validation


# Endings of data files; others in a folder (texts, licences, archives' parts) are not inputs.
_DATA = (".pbf", ".tif", ".tiff", ".hgt", ".parquet", ".geoparquet", ".csv", ".tsv", ".geojson", *formats.ENDINGS)


def _files(path: Path) -> list[str]:
    """List the data files of a folder and of the folders in it, in the order of their names; or the one file."""
    if not path.is_dir():
        return [os.fspath(path)]
    return sorted(os.fspath(file) for file in path.rglob("*") if file.is_file() and file.suffix.lower() in _DATA)
