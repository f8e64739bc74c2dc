"""Communities held against a planning standard, with what every score stands on."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import polars as pl

from walkshed import _engine, cards
from walkshed.arrow import TableLike, frame, to_engine
from walkshed.language import Language, language_of, word
from walkshed.progress import Progress, reporting
from walkshed.rejected import warn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from walkshed.maps.base_map import BaseMap

Built: TypeAlias = Literal["existing", "new"]

#: What becomes of a point, from the best to what does not count.
STATUSES = ("pass", "partial", "fail", "unknown", "not_applicable")


#: Tables of a published scorecard.
_TABLES = ("points", "items", "totals", "rejected")


@dataclass(frozen=True)
class StandardNames:
    """What a standard is called.

    Attributes:
        id: as in `standards`, or as a file of one's own says.
        name_zh: in Chinese.
        name_en: in English; the Chinese name where it has none.
        status_zh: what may be said of it, official or not, whose weights, in Chinese.
        status_en: the same in English.

    """

    id: str
    name_zh: str
    name_en: str
    status_zh: str
    status_en: str


@dataclass(frozen=True)
class Scorecard:
    """Scores of communities.

    Attributes:
        standard: what the standard is called.
        points: one row per community and point: `area_id`, `category`, `item`, `point`, `kind` of the rule, `level`,
            `need` (must or should), `status` (pass, partial, fail, unknown, not_applicable), `value` (what was
            measured; null where it is not known), `low` and `high` (the score, 0..1), `weight` (what the point is worth
            of the total), `evidence`, `evidence_zh`, `facilities` (ids joined by `;`), `gap`, `gap_unit` and
            `gap_unit_zh` (the least that would make it pass, as far as is known), `source` of the rule.
        items: one row per community and item: `area_id`, `category`, `category_zh`, `category_en`, `item`, `name_zh`,
            `name_en`, `status` (pass when all that it must have is there), `weight`, and `low`, `high` of it.
        totals: one row per community: `area_id`, `name`, `total_points`, `low` (with nothing for what is unknown),
            `high` (with
            everything for it), `observed` (of what is known alone), `known_weight`, `grade` (null where what is unknown
            decides it), `grade_low`, `grade_high`, `weakest` (the category that is known to lose most).
        rejected: rows of the inputs that were left out, as in `rejected.parquet`.

    """

    standard: StandardNames
    points: pl.DataFrame
    items: pl.DataFrame
    totals: pl.DataFrame
    rejected: pl.DataFrame

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Scorecard:
        """Open the folder of an earlier scorecard.

        Args:
            folder: what `score_run` or the command `walkshed score` has written.

        Returns:
            The scorecard.

        Raises:
            FileNotFoundError: no scorecard stands there.

        """
        path = Path(folder) / "score.json"
        if not path.is_file():
            raise FileNotFoundError(
                f"{path}: not there; give the folder that `walkshed score --out` has written 未找到评分结果"
            )
        told = json.loads(path.read_text("utf-8"))
        status_zh = told.get("status_zh", told["status"])  # which earlier versions did not write
        names = StandardNames(told["standard"], told["name_zh"], told["name_en"], status_zh, told["status"])
        return cls(names, **{name: pl.read_parquet(path.with_name(f"{name}.parquet")) for name in _TABLES})

    def category_names(self, language: Language) -> dict[str, str]:
        """What the categories of the standard are called, by id.

        Args:
            language: "zh" or "en".

        Returns:
            Names of the categories that have items, in their order.

        Raises:
            ColumnNotFoundError: the card was made by an earlier version, which told no names.

        """
        name = "category_zh" if language_of(language) == "zh" else "category_en"
        return dict(self.items.select("category", name).unique(maintain_order=True).iter_rows())

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
        language: Language = "zh" if chinese else "en"
        grade = _grade(row, language)
        words = ("得分", "已知部分", "等级") if chinese else ("score", "of what is known", "grade")
        name = area_id if row["name"] is None else f"{area_id} {row['name']}"
        lines = [f"{name}: {words[0]} {row['low']:.1f} … {row['high']:.1f}, {words[1]} {observed}, {words[2]} {grade}"]
        points = self.points.filter(pl.col("area_id") == area_id)
        for item in self.items.filter(pl.col("area_id") == area_id).iter_rows(named=True):
            title = item["name_zh"] if chinese else item["name_en"]
            score = f"{item['low']:.2f} … {item['high']:.2f} / {item['weight']:.2f}"
            lines.append(f"{item['item']} {title}: {word('status', item['status'], language)}, {score}")
            for point in points.filter(pl.col("item") == item["item"]).iter_rows(named=True):
                evidence = point["evidence_zh"] if chinese else point["evidence"]
                gap, status = _gap(point, chinese), word("status", point["status"], language)
                lines.append(f"    {point['point']} {status}: {evidence}{gap} ({point['source']})")
        return "\n".join(lines)

    def card(self, area_id: str, *, language: Language = "zh") -> AreaCard:
        """The card of one community: what `text` prints, as a table in a notebook.

        Args:
            area_id: the community.
            language: "zh" or "en".

        Returns:
            A card to show.

        Raises:
            KeyError: no such community.
            ValueError: no such language.

        """
        self.text(area_id)
        return AreaCard(self, area_id, language_of(language))

    def plot(
        self,
        areas: TableLike,
        column: str = "observed",
        *,
        title: str | None = None,
        base: BaseMap | None = None,
        language: Language = "en",
        source: str = "",
    ) -> Figure:
        """Draw the communities by their score or grade.

        Args:
            areas: `area_id` and a polygon; those without a score are left out.
            column: "low", "high", "observed" (points, in five classes of the same width on every map),
                "known_weight", or "grade", "grade_low", "grade_high".
            title: of the map.
            base: streets and water below; none when None.
            language: of title and legend: "zh" or "en".
            source: line about the data, printed below.

        Returns:
            A matplotlib figure; `walkshed.maps.save(figure, path)` writes it.

        Raises:
            InputError: `areas` lacks a column.
            ValueError: no such column, or no area has a score.
            ImportError: matplotlib is not installed.

        """
        from walkshed.maps import choropleth

        return choropleth.scores_map(self, areas, column, title=title, base=base, language=language, source=source)

    def __repr__(self) -> str:
        """How many communities, and their grades."""
        told = ", ".join(f"{count} {grade}" for grade, count in self._grades())
        return f"Scorecard({self.totals.height} communities: {told or 'none'})"

    def _grades(self) -> list[tuple[str, int]]:
        grades = self.totals["grade"].fill_null("undecided").value_counts(sort=True)
        return [(str(grade), int(count)) for grade, count in grades.iter_rows()]

    def _repr_html_(self) -> str:
        counts = dict(self.points["status"].value_counts().iter_rows())
        points, unknown = self.points.height, counts.get("unknown", 0)
        worst = self.totals.sort("observed", "low", nulls_last=True, maintain_order=True)
        names = self.category_names("zh")
        weakest = pl.col("weakest").replace_strict(names, default=None, return_dtype=pl.String)
        grades = [_both_grades(row) for row in worst.iter_rows(named=True)]
        worst = worst.with_columns(score=_from_to, grade=pl.Series(grades, dtype=pl.String), weakest=weakest)
        return cards.card(
            f"社区评分 Scorecard: {self.standard.name_zh} {self.standard.name_en}",
            facts=[
                ("社区 Communities", self.totals.height),
                *((cards.of_word("grade", grade), count) for grade, count in self._grades()),
                *((cards.of_word("status", status), counts[status]) for status in STATUSES if status in counts),
            ],
            tables=[
                cards.table(
                    worst,
                    ["area_id", "name", "score", "observed", "grade", "weakest"],
                    title="得分最低的社区 Communities that score lowest",
                )
            ],
            notes=[
                *([f"{unknown / points:.0%} 的指标情况不明 of the points are unknown"] if unknown else []),
                *cards.left_out(self.rejected.height),
            ],
        )


#: A score from … to ….
_from_to = pl.format("{} … {}", pl.col("low").round(1), pl.col("high").round(1))


def _grade(total: Mapping[str, Any], language: Language) -> str:
    """The grade of a community, or from which to which it may be where what is unknown decides."""
    if total["grade"] is not None:
        return word("grade", total["grade"], language)
    return f"{word('grade', total['grade_low'], language)} … {word('grade', total['grade_high'], language)}"


def _both_grades(total: Mapping[str, Any]) -> str:
    """The same in Chinese and English."""
    zh, en = _grade(total, "zh"), _grade(total, "en")
    return zh if zh == en else f"{zh} {en}"


@dataclass(frozen=True)
class AreaCard:
    """The card of one community.

    Attributes:
        scorecard: of which it is.
        area_id: the community.
        language: in which it is told.

    """

    scorecard: Scorecard
    area_id: str
    language: Language

    def __repr__(self) -> str:
        """As `Scorecard.text` tells it."""
        return self.scorecard.text(self.area_id, chinese=self.language == "zh")

    def _repr_html_(self) -> str:
        chinese, mine = self.language == "zh", pl.col("area_id") == self.area_id
        (row,) = self.scorecard.totals.filter(mine).with_columns(score=_from_to).iter_rows(named=True)
        grade = _grade(row, self.language)
        titles = (
            ("社区评分", "得分", "已知部分", "等级") if chinese else ("Community", "Score", "Of what is known", "Grade")
        )
        headings = (
            ("项目", "指标", "状态", "依据", "来源") if chinese else ("Item", "Point", "Status", "Evidence", "Source")
        )
        points = self._points()
        return cards.card(
            " ".join(filter(None, (titles[0], self.area_id, row["name"]))),
            facts=zip(titles[1:], (row["score"], row["observed"], grade), strict=True),
            tables=[cards.table(points, dict(zip(points.columns, headings, strict=True)), most=points.height)],
        )

    def _points(self) -> pl.DataFrame:
        """Every point with what it stands on; an item is named once."""
        chinese, mine = self.language == "zh", pl.col("area_id") == self.area_id
        statuses = {status: word("status", status, self.language) for status in STATUSES}
        names = self.scorecard.items.filter(mine).select("item", named="name_zh" if chinese else "name_en")
        points = self.scorecard.points.filter(mine).join(names, on="item", how="left", maintain_order="left")
        return points.select(
            title=pl.when(pl.col("item").ne_missing(pl.col("item").shift())).then("named").otherwise(pl.lit("")),
            point="point",
            told=pl.col("status").replace_strict(statuses),
            evidence="evidence_zh" if chinese else "evidence",
            source="source",
        )


def _gap(point: Mapping[str, Any], chinese: bool) -> str:
    if point["gap"] is None or point["status"] == "pass":
        return ""
    if chinese:
        return f"；尚缺 {point['gap']:,.5g} {word('unit', point['gap_unit_zh'], 'zh')}"
    return f"; missing {point['gap']:,.5g} {point['gap_unit']}"


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
    tables: dict[str, object] = {
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
    return Scorecard(_names(standard), frame(points), frame(items), frame(totals), left_out)


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
    made = Scorecard.load(out)
    warn(made.rejected)
    return made


def _names(standard: str) -> StandardNames:
    called, names, status = _engine.standard_names(str(standard))
    return StandardNames(called, *names, *status)


def _how(
    level: str | None, profile: str, built: str, complete: Sequence[str], as_of: str | datetime.date | None
) -> dict[str, object]:
    if isinstance(complete, str):
        raise TypeError(f'complete "{complete}": give a list of classes, as in ["{complete}"]')
    day = None if as_of is None else str(as_of)
    return {"level": level, "profile": profile, "built": built, "complete": list(complete), "as_of": day}
