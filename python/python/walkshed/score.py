"""Communities held against a planning standard, with what every score stands on."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import polars as pl

from walkshed import _engine
from walkshed.arrow import TableLike, frame, to_engine
from walkshed.progress import Progress, reporting
from walkshed.rejected import warn

Built: TypeAlias = Literal["existing", "new"]

#: What becomes of a point, as planners read it.
STATUS_ZH = {
    "pass": "达标",
    "partial": "部分达标",
    "fail": "未达标",
    "unknown": "情况不明",
    "not_applicable": "不适用",
}


@dataclass(frozen=True)
class Scorecard:
    """Scores of communities.

    Attributes:
        points: one row per community and point: `area_id`, `category`, `item`, `point`, `kind` of the rule, `level`,
            `need` (must or should), `status` (pass, partial, fail, unknown, not_applicable), `value` (what was
            measured; null where it is not known), `low` and `high` (the score, 0..1), `weight` (what the point is worth
            of the total), `evidence`, `evidence_zh`, `facilities` (ids joined by `;`), `gap`, `gap_unit` and
            `gap_unit_zh` (the least that would make it pass, as far as is known), `source` of the rule.
        items: one row per community and item: `area_id`, `category`, `item`, `name_zh`, `name_en`, `status` (pass when
            all that it must have is there), `weight`, and `low`, `high` of it.
        totals: one row per community: `area_id`, `name`, `total_points`, `low` (with nothing for what is unknown),
            `high` (with
            everything for it), `observed` (of what is known alone), `known_weight`, `grade` (null where what is unknown
            decides it), `grade_low`, `grade_high`, `weakest` (the category that is known to lose most).
        rejected: rows of the inputs that were left out, as in `rejected.parquet`.

    """

    points: pl.DataFrame
    items: pl.DataFrame
    totals: pl.DataFrame
    rejected: pl.DataFrame

    def gaps(self) -> pl.DataFrame:
        """What would it take: the points that do not pass, with the smallest change that is known to make them pass.

        Returns:
            `area_id`, `item`, `point`, `kind`, `status`, `gap`, `gap_unit`, `gap_unit_zh`, `evidence`,
            `evidence_zh`: communities in their order, what is worth most first.

        """
        order = {area_id: place for place, area_id in enumerate(self.totals["area_id"])}
        place = pl.col("area_id").replace_strict(order, return_dtype=pl.Int64)
        missing = self.points.filter(pl.col("status").is_in(["partial", "fail"]) & pl.col("gap").is_not_null())
        lost = pl.col("weight") * (1 - pl.col("low"))
        columns = [
            "area_id",
            "item",
            "point",
            "kind",
            "status",
            "gap",
            "gap_unit",
            "gap_unit_zh",
            "evidence",
            "evidence_zh",
        ]
        return missing.sort(place, lost, descending=[False, True], maintain_order=True).select(columns)

    def text(self, area_id: str, *, chinese: bool = False) -> str:
        """Print the card of one community: every point with its status, its score and what it stands on.

        Args:
            area_id: the community.
            chinese: in Chinese instead of English.

        Returns:
            Lines of text.

        Raises:
            KeyError: no such community.

        """
        total = self.totals.filter(pl.col("area_id") == area_id)
        if not total.height:
            raise KeyError(f"no community {area_id!r}; the first is {self.totals['area_id'].first()!r}")
        row = total.row(0, named=True)
        observed = "–" if row["observed"] is None else f"{row['observed']:.1f}"
        grade = row["grade"] or f"{row['grade_low']} … {row['grade_high']}"
        words = ("得分", "已知部分", "等级") if chinese else ("score", "of what is known", "grade")
        name = area_id if row["name"] is None else f"{area_id} {row['name']}"
        lines = [f"{name}: {words[0]} {row['low']:.1f} … {row['high']:.1f}, {words[1]} {observed}, {words[2]} {grade}"]
        points = self.points.filter(pl.col("area_id") == area_id)
        for item in self.items.filter(pl.col("area_id") == area_id).iter_rows(named=True):
            title = item["name_zh"] if chinese else item["name_en"]
            score = f"{item['low']:.2f} … {item['high']:.2f} / {item['weight']:.2f}"
            lines.append(f"{item['item']} {title}: {_status(item['status'], chinese)}, {score}")
            for point in points.filter(pl.col("item") == item["item"]).iter_rows(named=True):
                evidence = point["evidence_zh"] if chinese else point["evidence"]
                gap = _gap(point, chinese)
                lines.append(
                    f"    {point['point']} {_status(point['status'], chinese)}: {evidence}{gap} ({point['source']})"
                )
        return "\n".join(lines)


def _status(status: str, chinese: bool) -> str:
    return STATUS_ZH[status] if chinese else status


def _gap(point: dict[str, object], chinese: bool) -> str:
    if point["gap"] is None or point["status"] == "pass":
        return ""
    word, unit = ("尚缺", point["gap_unit_zh"]) if chinese else ("missing", point["gap_unit"])
    return f"; {word} {point['gap']:,.5g} {unit}"


def standards() -> pl.DataFrame:
    """Standards that come with walkshed.

    Returns:
        `id`, `name_zh`, `name_en`. `mohurd_2020` has the ministry's requirements, whose weights are ours;
        `chongqing_illustrative` only the shape of the city's, its text is not known.

    """
    return pl.DataFrame(_engine.standards(), schema=["id", "name_zh", "name_en"], orient="row")


def requirements(standard: str, *, profile: str = "adult") -> pl.DataFrame:
    """What a standard asks coverage for: the rows that `coverage` should hold.

    Args:
        standard: the id of one that comes with walkshed, or the path of a TOML file.
        profile: who walks where a rule does not say.

    Returns:
        `class` (several joined by `|` are covered together: see `together` of `coverage`), `group`, `profile`,
        `minutes`.

    Raises:
        InputError: no such standard, or one with faults; each with its line.

    Example:
        >>> requirements("mohurd_2020")["minutes"].unique().to_list()
        [10.0]

    """
    return frame(_engine.requirements(str(standard), profile))


def score(
    standard: str,
    *,
    coverage: TableLike,
    facilities: TableLike,
    areas: TableLike,
    survey: TableLike | None = None,
    level: str | None = None,
    profile: str = "adult",
    built: Built = "existing",
    complete: Sequence[str] = (),
    as_of: str | datetime.date | None = None,
    progress: Progress = None,
) -> Scorecard:
    """Score communities by a standard; what is not known is never nothing, and every score tells what it stands on.

    Args:
        standard: `mohurd_2020`, `chongqing_illustrative`, or the path of a TOML file (`docs/standards.md`).
        coverage: as from `coverage`, of these areas, with the rows that `requirements` names. Several classes of which
            any counts are exact only where they were covered together; else they are told from … to ….
        facilities: as for `nearest`, with the columns that rules look at (`floor_area_m2`, `places`, `classes`, …) and
            `subtype`. Only those that are open count, in the outline of a community.
        areas: `area_id` and a polygon; number columns named as amounts (`households`, `dwellings`, …) are such amounts,
            and `built` tells new from existing communities.
        survey: what people in place say: `community_id`, `key` (a point's id, or an amount), `value`, and `source`,
            `date`. Yes or no as 1, 0, yes, no, 是, 否; shares as 0.85 or 85%; lists as entries joined by `;`.
            Of several answers to one question the latest counts.
        level: score the areas of this level only, as "community" or "社区"; None for all.
        profile: who walks where a rule does not say.
        built: what communities are that do not say.
        complete: classes (or kinds) of which `facilities` is known to hold all. Of a class that the table holds
            nowhere, nothing is known unless it is named here.
        as_of: the day on which facilities are looked at.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        The `Scorecard`.

    Raises:
        InputError: the standard has faults, each with its line; or a table lacks a column or has no usable row.
        ValueError: `built` or `as_of` that cannot be.
        KeyboardInterrupt: stopped by the user, within half a second.

    Warns:
        RejectedRowsWarning: rows were left out.

    """
    tables = {
        "coverage": to_engine(coverage, "coverage"),
        "facilities": to_engine(facilities, "facilities"),
        "areas": to_engine(areas, "areas"),
        "survey": None if survey is None else to_engine(survey, "survey"),
    }
    how = _how(level, profile, built, complete, as_of)
    with reporting(progress) as report:
        points, items, totals, rejected = _engine.score(str(standard), tables, how, report=report)
    left_out = frame(rejected)
    warn(left_out)
    return Scorecard(frame(points), frame(items), frame(totals), left_out)


def score_run(
    run: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    standard: str,
    survey: TableLike | None = None,
    facilities: TableLike | None = None,
    level: str | None = None,
    profile: str = "adult",
    built: Built = "existing",
    complete: Sequence[str] = (),
    as_of: str | datetime.date | None = None,
    progress: Progress = None,
) -> Scorecard:
    """Score the communities of a published run, and publish the scorecard.

    Args:
        run: the folder that `run` has written. Coverage is computed from its cells and times as the standard asks for
            it, for the profiles that it has; several classes of which any counts are covered together, exactly.
        out: folder for `points`, `items`, `totals` and `rejected` as Parquet and `score.json` (with the hash of the
            standard and everything that the run has read), which appears whole or not at all; an earlier scorecard
            there is replaced.
        standard: as for `score`.
        survey: as for `score`.
        facilities: the facilities with columns that the run does not keep; None takes those of the run.
        level: as for `score`.
        profile: as for `score`.
        built: as for `score`.
        complete: as for `score`.
        as_of: as for `score`.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        The `Scorecard` as published.

    Raises:
        InputError: no run stands there, the standard has faults, a table lacks something, or something else than a
            scorecard stands at `out`; nothing was written.
        ValueError: `built` or `as_of` that cannot be.
        KeyboardInterrupt: stopped by the user, within half a second; nothing was written.

    Warns:
        RejectedRowsWarning: rows were left out.

    """
    how = _how(level, profile, built, complete, as_of)
    answers = None if survey is None else to_engine(survey, "survey")
    ends = None if facilities is None else to_engine(facilities, "facilities")
    with reporting(progress) as report:
        _engine.score_run(os.fspath(run), str(standard), os.fspath(out), answers, ends, how, report=report)
    made = {name: pl.read_parquet(Path(out) / f"{name}.parquet") for name in ("points", "items", "totals", "rejected")}
    warn(made["rejected"])
    return Scorecard(**made)


def _how(
    level: str | None, profile: str, built: str, complete: Sequence[str], as_of: str | datetime.date | None
) -> dict[str, object]:
    if isinstance(complete, str):
        raise TypeError(f'complete "{complete}": give a list of classes, as in ["{complete}"]')
    day = None if as_of is None else str(as_of)
    return {"level": level, "profile": profile, "built": built, "complete": list(complete), "as_of": day}
