"""Score the communities of a run by both standards, rank them, and keep the figures: `scorecards.py RUN OUT`.

RUN is the folder of `walkshed run` on a synthetic city (`walkshed synth metropolis --nodes 1000000`). Requests of
residents are made up here: nobody has published those of a real city. OUT gets summary.md, with the card of the
community of which most is known to be there.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import polars as pl

import walkshed as ws

STANDARDS = ("mohurd_2020", "chongqing_illustrative")
TOP = 108
REPEAT = 3


def main(run: Path, out: Path) -> None:
    """Time, score, rank and write."""
    warnings.simplefilter("ignore", ws.RejectedRowsWarning)
    tables = {name: pl.read_parquet(run / f"{name}.parquet") for name in ("times", "cells", "facilities", "areas")}
    areas = tables["areas"].filter(pl.col("level") == "community")
    with tempfile.TemporaryDirectory() as folder:
        timed = times(run, areas, tables, Path(folder))
        card = ws.score_run(run, Path(folder) / "card", standard=STANDARDS[0], level="community", progress=False)
    ranking = ws.rank_areas(card, with_requests(areas), top=TOP)
    out.mkdir(parents=True, exist_ok=True)
    (out / "summary.md").write_text(summary(run, card, ranking, timed), "utf-8")


def times(run: Path, areas: pl.DataFrame, tables: dict[str, pl.DataFrame], folder: Path) -> list[tuple[str, float]]:
    """Medians of seconds: scoring alone, and from the tables of the run to a published card."""
    asked = pl.concat([ws.requirements(standard) for standard in STANDARDS])
    groups = sorted({*asked["group"], "households"} - {"all"})
    together = [name.split("|") for name in asked["class"].unique() if "|" in name]
    minutes = asked["minutes"].unique().sort().to_list()
    rows = ws.coverage(
        tables["times"], tables["cells"], areas, minutes=minutes, groups=groups, together=together, progress=False
    )
    timed = []
    for standard in STANDARDS:
        words = {"coverage": rows, "facilities": tables["facilities"], "areas": areas, "progress": False}
        timed.append((f"`score`, {standard}", median(lambda words=words, s=standard: ws.score(s, **words))))
    for standard in STANDARDS:
        published = {"standard": standard, "level": "community", "progress": False}
        timed.append(
            (
                f"`score_run`, {standard}: read, covered, scored, written",
                median(lambda words=published: ws.score_run(run, folder / "card", **words)),
            )
        )
    return timed


def median(work: Callable[[], object]) -> float:
    """Seconds of the middle one of several times."""
    seconds = []
    for _ in range(REPEAT):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return sorted(seconds)[REPEAT // 2]


def with_requests(areas: pl.DataFrame) -> pl.DataFrame:
    """Requests that are made up: 0 to 79 for each community, the same in every run."""
    return areas.select("area_id", "people", requests=(pl.int_range(pl.len()) * 37) % 80)


def summary(run: Path, card: ws.Scorecard, ranking: ws.Ranking, timed: list[tuple[str, float]]) -> str:
    """The figures as a page."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    best = card.totals.sort("observed", descending=True, maintain_order=True).row(0, named=True)
    kept = ranking.trials["kept"]
    sure = ranking.table.filter(pl.col("in_top") & (pl.col("top_share") == 1.0)).height
    lines = [
        "# Scorecards of a synthetic metropolis 合成数据",
        "",
        f"`python benches/scorecards.py RUN OUT` at commit {commit.strip()}, {os.cpu_count()} cores "
        f"({platform.machine()}), Python {platform.python_version()}. {card.totals.height:,} communities, all "
        "made up.",
        "",
        f"## Seconds, median of {REPEAT}",
        "",
        "| what | s |",
        "|---|---|",
        *(f"| {what} | {seconds:.2f} |" for what, seconds in timed),
        "",
        f"## The first {TOP} by gap × people × requests, each weight halved, kept and doubled",
        "",
        f"{sure} of {TOP} are among the first in all {ranking.trials.height} trials; {kept.min()} to {kept.max()} "
        f"stay in each, {kept.median():.0f} in the middle one.",
        "",
        "| gap | people | requests | stay |",
        "|---|---|---|---|",
        *(
            f"| {gap:g} | {people:g} | {requests:g} | {stay} |"
            for gap, people, requests, stay, _ in ranking.trials.rows()
        ),
        "",
        f"## The card of {best['area_id']}",
        "",
        "```",
        card.text(best["area_id"]),
        "",
        card.text(best["area_id"], chinese=True),
        "```",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
