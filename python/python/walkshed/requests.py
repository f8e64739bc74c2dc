"""What residents ask for: by community and class, per 1,000 people, beside coverage; and whether it is too far.

>>> table = pl.DataFrame({"request_id": ["a"], "class": ["社区食堂"], "lon": [106.55], "lat": [29.56]})
>>> read_requests(table).table.select("request_id", "class").rows()
[('a', 'community_canteen')]
"""

from __future__ import annotations

import datetime
import os
from collections import Counter
from dataclasses import dataclass
from typing import Any

import polars as pl

from walkshed import _engine, cards, ledger
from walkshed.arrow import TableLike, frame, to_engine
from walkshed.communities import Communities
from walkshed.ledger import Row, Rule
from walkshed.network import Direction, Network
from walkshed.profile import Profile
from walkshed.progress import Progress
from walkshed.refused import require
from walkshed.rejected import warn

#: Our columns, with the words that are taken for each, best first.
_COLUMNS: dict[str, tuple[str, ...]] = {
    "request_id": ("request_id", "id", "诉求编号"),
    "date": ("date", "日期"),
    "class": ("class", "设施类别"),
    "text": ("text", "内容"),
    "area_id": ("area_id", "community_id", "社区"),
    **{name: (name,) for name in ("cell", "lon", "lat", "x", "y", "geometry")},
}
_SPOT = ("geometry", "lon", "lat", "x", "y")

_NOT_A_CELL = Rule(
    "not_a_cell",
    "rejected",
    "this is not an H3 cell",
    "不是有效的 H3 单元",
    "Give H3 cells as numbers or hexadecimal text",
    "请以数字或十六进制文本提供 H3 单元",
)
_NO_PLACE = Rule(
    "no_place",
    "warning",
    "neither a place nor a cell nor a community tells where it is about",
    "没有位置、单元或社区说明诉求地点",
    "Add the place; the request is counted in no community",
    "请补充位置；该诉求未计入任何社区",
)
_NO_CLASS = Rule(
    "no_class",
    "warning",
    "no class tells what is asked for",
    "未填写诉求的设施类别",
    "Add the class; the request is counted under no class",
    "请补充类别；该诉求未计入任何类别",
)
_LATER = Rule(
    "date_after_as_of",
    "warning",
    "this day is after {as_of}",
    "该日期晚于 {as_of}",
    "Correct the date; the request is counted all the same",
    "请更正日期；该诉求仍计入",
)

_TABLE = pl.Schema(
    [
        ("request_id", pl.String),
        ("row", pl.UInt64),
        ("date", pl.Date),
        ("class", pl.String),
        ("text", pl.String),
        ("lon", pl.Float64),
        ("lat", pl.Float64),
        ("cell", pl.UInt64),
        ("area_id", pl.String),
    ]
)


@dataclass(frozen=True)
class Requests:
    """Requests of residents.

    Attributes:
        table: one row per accepted request, in the order of the table: `request_id`, `row` (from 1), `date`, `class`
            (null where nothing tells), `text`, `lon`, `lat` (WGS-84; of a request by cell the centre; null without a
            place), `cell`, `area_id` (the community as it was stated: id, code or name).
        rejected: rows that cannot be used: `level`, `file`, `row`, `id`, `column`, `value`, `reason`, `message`,
            `message_zh`.
        findings: what is worth knowing of rows that are used, with the same columns.
        as_of: the day; None when none was said.

    """

    table: pl.DataFrame
    rejected: pl.DataFrame
    findings: pl.DataFrame
    as_of: datetime.date | None

    def __len__(self) -> int:
        """Number of requests."""
        return self.table.height

    def __repr__(self) -> str:
        """How many requests, and of how many classes."""
        kinds = self.table["class"].drop_nulls().n_unique()
        return f"Requests({len(self):,} of {kinds} classes; {self.rejected.height} rejected)"

    def _repr_html_(self) -> str:
        kinds = self.table["class"].drop_nulls().value_counts(sort=True, name="requests")
        return cards.card(
            "居民诉求 Requests",
            facts=[
                ("诉求 Requests", len(self)),
                ("类别 Classes", kinds.height),
                ("有位置 With a place", self.table["lon"].drop_nulls().len()),
                ("截至 As of", self.as_of),
            ],
            tables=[cards.table(kinds, ["class", "requests"])],
            notes=[*cards.left_out(self.rejected.height), *cards.told_of(self.findings)],
        )


def read_requests(requests: TableLike, *, crs: str | None = None, as_of: datetime.date | str | None = None) -> Requests:
    """Read what residents ask for.

    Args:
        requests: a table in memory or a path (CSV, Parquet, a workbook): `request_id` (or `id`), where it is about
            (`lon` and `lat`, or `x` and `y`, or `geometry`; else `cell`, H3; else `area_id` or `community_id`), and
            where known `date`, `class` (an id of the catalogue, its Chinese or English name, words that hold one, as
            社区幼儿园, or a class of your own) and `text`.
        crs: the system of the places, as of `in_crs`: "gcj02" for points of a map platform. None: degrees of WGS-84, or
            what the geometry states.
        as_of: requests of later days are told.

    Returns:
        The `Requests`: every row is in `table` or in `rejected`.

    Raises:
        InputError: a file cannot be read, a table has no column of ids, or none of its places can be.
        TypeError: a table of `read_table` or `in_crs`.
        ValueError: no such day, or no such system.

    Warns:
        RejectedRowsWarning: rows were left out.

    """
    today = ledger.as_day(as_of)
    file, table = ledger.read(requests, "requests")
    table, headings = ledger.named(table, _COLUMNS, "request_id", file)
    read = _Reading(file, headings, table, today)
    days = read.days()
    lon, lat, cells = read.places(crs)
    read.ids()
    kinds = read.classes()
    areas = [ledger.text(area) for area in read.column("area_id")]
    read.unplaced(lon, areas)
    columns = {
        "request_id": read.id,
        "row": range(1, table.height + 1),
        "date": days,
        "class": kinds,
        "text": [ledger.text(each) for each in read.column("text")],
        "lon": lon,
        "lat": lat,
        "cell": cells,
        "area_id": areas,
    }
    rejected = ledger.faults(read.rejected)
    warn(rejected)
    left_out = pl.col("row").is_in(rejected["row"].to_list())
    findings = ledger.faults(read.findings).filter(~left_out)
    return Requests(pl.DataFrame(columns, schema=_TABLE).filter(~left_out), rejected, findings, today)


class _Reading:
    """A table of requests as it is read, column by column."""

    def __init__(self, file: str, headings: dict[str, str], table: pl.DataFrame, as_of: datetime.date | None) -> None:
        self.file, self.headings, self.table, self.as_of = file, headings, table, as_of
        self.id = [ledger.text(each) for each in table["request_id"]]
        self.rejected: list[dict[str, Any]] = []
        self.findings: list[dict[str, Any]] = []

    def column(self, name: str) -> list[Any]:
        """The values of a column; nulls where it is not there."""
        return self.table[name].to_list() if name in self.table.columns else [None] * self.table.height

    def at(self, place: int) -> Row:
        """The row at a place, from 0."""
        return Row(self.file, place + 1, self.id[place], self.headings)

    def ids(self) -> None:
        """Reject rows without an id, and those whose id an earlier row has that is not rejected itself."""
        wrong = {fault["row"] for fault in self.rejected}
        first: dict[str, int] = {}
        for place, name in enumerate(self.id):
            if name is None:
                self.rejected.append(self.at(place).fault(ledger.NO_ID, "request_id"))
            elif place + 1 not in wrong and first.setdefault(name, place) != place:
                self.rejected.append(self.at(place).fault(ledger.TWICE, "request_id", name, first=first[name] + 1))

    def days(self) -> list[datetime.date | None]:
        """The days; rows with something else are rejected."""
        found: list[datetime.date | None] = []
        for place, value in enumerate(self.column("date")):
            try:
                day = ledger.day(value)
            except ValueError:
                self.rejected.append(self.at(place).fault(ledger.NO_DATE, "date", value))
                day = None
            if day is not None and self.as_of is not None and day > self.as_of:
                self.findings.append(self.at(place).fault(_LATER, "date", day, as_of=self.as_of))
            found.append(day)
        return found

    def classes(self) -> list[str | None]:
        """The class of each row; one that the catalogue does not hold stays as it is."""
        found: list[str | None] = []
        for place, word in enumerate(map(ledger.text, self.column("class"))):
            known = None if word is None else ledger.class_of(word)
            if word is None:
                self.findings.append(self.at(place).fault(_NO_CLASS, "class"))
            elif known is None:
                self.findings.append(ledger.own_class(self.at(place), word))
            found.append(known or word)
        return found

    def places(self, crs: str | None) -> tuple[list[float | None], list[float | None], list[int | None]]:
        """Longitude and latitude, and cells; rows with a place that cannot be are rejected."""
        spots = self._spots(crs)
        cells, written = self._cells(), self.column("cell")
        centres, wrong = _centres(sorted({cell for cell in cells if cell is not None}))
        lon: list[float | None] = []
        lat: list[float | None] = []
        for place, cell in enumerate(cells):
            if cell in wrong:
                self.rejected.append(self.at(place).fault(_NOT_A_CELL, "cell", written[place]))
                cells[place] = cell = None
            x, y = spots.get(place) or ((None, None) if cell is None else centres[cell])
            lon.append(x)
            lat.append(y)
        return lon, lat, cells

    def unplaced(self, lon: list[float | None], areas: list[str | None]) -> None:
        """Tell rows of which nobody knows where they are about."""
        for place, (x, area) in enumerate(zip(lon, areas, strict=True)):
            if x is None and area is None:
                self.findings.append(self.at(place).fault(_NO_PLACE, "lon"))

    def _spots(self, crs: str | None) -> dict[int, tuple[float, float]]:
        """Places by row, as the engine reads those of facilities: its rules and its words for what is wrong."""
        given = [name for name in _SPOT if name in self.table.columns]
        has_place = self.table.select(pl.any_horizontal(pl.col(given).is_not_null())).to_series() if given else None
        if has_place is None or not has_place.any():
            return {}
        # The engine keeps one row of each id; here none is lost yet, so those that repeat get a mark that none has.
        times = Counter(self.id)
        ids = [name if name and times[name] == 1 else f"{name}\u2063{place}" for place, name in enumerate(self.id)]
        places = self.table.select(*given, id=pl.Series(ids), **{"class": pl.lit("request")})
        table: Any = _engine.file_table(places, self.file)
        read, faults = _engine.edit_facilities("[]", table if crs is None else _engine.in_crs(table, crs))
        wrong = [fault for fault in frame(faults).iter_rows(named=True) if has_place[fault["row"] - 1]]
        self.rejected += [{"level": "rejected", **fault, "id": self.id[fault["row"] - 1]} for fault in wrong]
        place_of = dict(zip(ids, range(len(ids)), strict=True))
        return {place_of[name]: (lon, lat) for name, lon, lat in frame(read).select("id", "lon", "lat").iter_rows()}

    def _cells(self) -> list[int | None]:
        """H3 cells as numbers; rows with something else are rejected."""
        found: list[int | None] = []
        for place, value in enumerate(self.column("cell")):
            cell = None
            told = ledger.text(value)
            try:
                cell = None if told is None else value if isinstance(value, int) else int(told, 16)
            except ValueError:
                self.rejected.append(self.at(place).fault(_NOT_A_CELL, "cell", value))
            found.append(cell)
        return found


def _centres(cells: list[int]) -> tuple[dict[int, tuple[float, float]], set[int]]:
    """The centres of cells, and numbers that are none."""
    wrong = {cell for cell in cells if not 0 < cell < 2**63}
    while left := [cell for cell in cells if cell not in wrong]:
        table = pl.DataFrame({"cell": left, "people": 0.0}, schema={"cell": pl.UInt64, "people": pl.Float64})
        try:
            rows = frame(_engine.edit_cells("[]", table, [])[0])
        except _engine.InputError as error:
            wrong |= {left[problem["row"] - 1] for problem in error.problems}
        else:
            return {cell: (lon, lat) for cell, lon, lat in rows.select("cell", "lon", "lat").iter_rows()}, wrong
    return {}, wrong


def request_walks(
    requests: Requests,
    times: TableLike | None = None,
    *,
    network: Network | None = None,
    facilities: TableLike | None = None,
    minutes: float = 15,
    profile: str | Profile = "adult",
    direction: Direction = "to_facility",
    as_of: str | None = None,
    analysis_crs: str = "wgs84",
    progress: Progress = None,
) -> pl.DataFrame:
    """Whether what is asked for is too far, or near: then the request is about its quality.

    Args:
        requests: as of `read_requests`.
        times: walking times as from `Network.nearest`, searched at least as far as `minutes`: `origin_id`, `class`,
            `time_s`, `reason` (and `profile`), where origins are requests, or cells; a request then has the times of
            the cell that holds its place. Instead of `network`.
        network: the streets: each request is walked from its own place. Instead of `times`.
        facilities: with `network`: `id`, `class`, a place.
        minutes: within how many a class counts as covered; a time equal to it is covered.
        profile: who walks.
        direction: with `network`: to the facility, or from it.
        as_of: with `network`: the day on which facilities are open.
        analysis_crs: of times by cells: the system of the cells, as of `coverage`.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        One row per request, in their order: `request_id`, `class`, `time_s`, `covered` (null where it is not known),
        `kind` ("distance": not covered; "quality": covered; null where it is not known) and `reason`: of requests that
        are not covered, why there is no time (beyond_cutoff, not_connected: distance); else why it is not known:
        no_class, no_place (a request by community has none), no_cell (the place is in no cell of `times`), no_times
        (they do not hold the class), not_snapped (no street is near).

    Raises:
        InputError: a column is missing, or a value cannot be.
        ValueError: neither or both of `times` and `network`, a network without facilities, or minutes that cannot be.
        KeyboardInterrupt: stopped by the user, within half a second.

    Warns:
        RejectedRowsWarning: rows of `facilities` were left out.

    """
    if (times is None) == (network is None) or (network is None) != (facilities is None):
        raise ValueError("times, or network with facilities: give one of them")
    if not 0 < minutes <= 1440:
        raise ValueError(f"minutes {minutes}: use minutes above 0, at most 1440")
    asked = requests.table.select("request_id", "class", "lon", "lat", "cell")
    if network is not None:
        day = as_of if as_of is not None or requests.as_of is None else str(requests.as_of)
        how: dict[str, Any] = {"profile": profile, "direction": direction, "as_of": day, "progress": progress}
        walked = _walked(asked, network, facilities, minutes, how)
        keyed = asked.with_columns(key=_WITH_PLACE)
    else:
        name = profile if isinstance(profile, str) else profile.name
        walked = _of_profile(ledger.read(times, "times")[1], name)  # type: ignore[arg-type]  # it is there
        walked, keyed = _keyed(walked, asked, analysis_crs)
    return _judged(keyed, walked, minutes)


#: The request itself, where it has a place.
_WITH_PLACE = pl.when(pl.col("lon").is_not_null()).then("request_id")


def _walked(
    asked: pl.DataFrame, network: Network, facilities: Any, minutes: float, how: dict[str, Any]
) -> pl.DataFrame:
    """The times of each request from its own place."""
    homes = asked.drop_nulls("lon").select("lon", "lat", id="request_id")
    if not homes.height:
        return _NO_TIMES
    walked = network.nearest(homes, facilities, max_minutes=minutes, **how)
    return walked.select(key="origin_id", **{"class": "class"}, time_s="time_s", why="reason")


_NO_TIMES = pl.DataFrame(schema={"key": pl.String, "class": pl.String, "time_s": pl.Float64, "why": pl.String})


def _of_profile(times: pl.DataFrame, profile: str) -> pl.DataFrame:
    require(["origin_id", "class", "time_s", "reason"], times, "times")
    if "profile" in times.columns:
        known = times["profile"].unique(maintain_order=True).to_list()
        if profile not in known:
            raise ValueError(f'profile "{profile}": the times have {", ".join(map(str, known))}')
        times = times.filter(pl.col("profile") == profile)
    return times.select("origin_id", "class", "time_s", why="reason")


def _keyed(times: pl.DataFrame, asked: pl.DataFrame, analysis_crs: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Times and requests by what they share: the request, else the cell."""
    by_request = times.with_columns(key=pl.col("origin_id").cast(pl.String))
    if by_request.join(asked, left_on="key", right_on="request_id", how="semi").height:
        return by_request, asked.with_columns(key=_WITH_PLACE)
    cell = pl.col("origin_id")
    if times.schema["origin_id"] == pl.String:
        cell = cell.str.to_integer(base=16, dtype=pl.UInt64, strict=False)
    by_cell = times.with_columns(key=cell.cast(pl.UInt64, strict=False).cast(pl.String))
    cells = by_cell["key"].drop_nulls().unique(maintain_order=True).cast(pl.UInt64)
    known = asked.with_columns(cell=pl.when(pl.col("cell").is_in(cells.to_list())).then("cell"))
    spots = known.filter(pl.col("cell").is_null() & pl.col("lon").is_not_null())
    found = _cells_of(spots, cells, analysis_crs)
    joined = known.join(found, on="request_id", how="left", maintain_order="left")
    return by_cell, joined.with_columns(key=pl.coalesce("cell", "cell_of_place").cast(pl.String))


def _cells_of(spots: pl.DataFrame, cells: pl.Series, analysis_crs: str) -> pl.DataFrame:
    """Which of the cells holds each place: `request_id`, `cell_of_place`."""
    nothing = pl.DataFrame(schema={"request_id": pl.String, "cell_of_place": pl.UInt64})
    if not spots.height or not cells.len():
        return nothing
    resolution = int(cells[0]) >> 52 & 15  # bits 52 to 55 of an H3 index
    found = _engine.cells_of_places(spots["lon"].to_list(), spots["lat"].to_list(), resolution, analysis_crs)
    table = spots.select("request_id", cell_of_place=pl.Series(found, dtype=pl.UInt64))
    return table.filter(pl.col("cell_of_place").is_in(cells.to_list()))


def _judged(keyed: pl.DataFrame, walked: pl.DataFrame, minutes: float) -> pl.DataFrame:
    """Covered or not, and the kind; or why that is not known."""
    found = keyed.join(
        walked.select("key", "class", "time_s", "why").with_columns(is_there=pl.lit(True)),
        on=["key", "class"],
        how="left",
        maintain_order="left",
    )
    unknown = (
        pl.when(pl.col("class").is_null())
        .then(pl.lit("no_class"))
        .when(pl.col("key").is_null() & pl.col("lon").is_null())
        .then(pl.lit("no_place"))
        .when(pl.col("key").is_null())
        .then(pl.lit("no_cell"))
        .when(pl.col("is_there").is_null())
        .then(pl.lit("no_times"))
        .when(pl.col("time_s").is_null() & (pl.col("why") == "not_snapped"))
        .then(pl.lit("not_snapped"))
    )
    covered = pl.when(pl.col("unknown").is_null()).then((pl.col("time_s") <= minutes * 60).fill_null(False))
    kind = pl.when(pl.col("covered")).then(pl.lit("quality")).when(~pl.col("covered")).then(pl.lit("distance"))
    judged = found.with_columns(unknown=unknown).with_columns(covered=covered)
    return judged.select("request_id", "class", "time_s", "covered", kind=kind, reason=pl.coalesce("unknown", "why"))


@dataclass(frozen=True)
class RequestDensity:
    """Requests by community and class.

    Attributes:
        table: one row per area × class, also where nobody asks: `area_id`, `name`, `class`, `requests`, of these
            `distance` (the class is too far), `quality` (it is near) and `not_judged`; `people`, `per_1000_people`
            (null with `density_reason`: people_unknown or nobody_lives_here), `share` (of people covered; null with
            `share_reason`: no_coverage or nobody_lives_here). Areas in their order, classes sorted.
        requests: one row per request: `request_id`, `row`, `date`, `class`, `area_id` (where it was counted), `time_s`,
            `covered`, `kind`, `reason` (as of `request_walks`; not_asked where `walks` has no row).
        elsewhere: requests that `table` does not count: `request_id`, `row`, `class`, `area_id`, `reason`
            (outside_areas, unknown_area: the stated community is not there, no_place, or no_class), `what`, `what_zh`.

    """

    table: pl.DataFrame
    requests: pl.DataFrame
    elsewhere: pl.DataFrame

    def summary(self, chinese: bool = False) -> str:
        """Tell the requests in a few lines.

        Args:
            chinese: in Chinese, else in English.

        Returns:
            Lines of text: how many, how many too far and how many about quality, how many are counted nowhere.

        Raises:
            Nothing: what was counted can be told.

        """
        counted = {name: int(self.table[name].sum()) for name in ("requests", "distance", "quality", "not_judged")}
        why = Counter(self.elsewhere["reason"])
        told = [f"{words[chinese]} {why[reason]:,}" for reason, words in _ELSEWHERE.items() if reason in why]
        asked, left = self.requests.height, self.elsewhere.height
        if chinese:
            return (
                f"诉求 {asked:,} 条，计入社区 {counted['requests']:,} 条\n"
                f"距离过远 {counted['distance']:,} 条，已覆盖（质量类）{counted['quality']:,} 条，"
                f"未判断 {counted['not_judged']:,} 条\n未计入 {left:,} 条" + "：" * bool(told) + "、".join(told)
            )
        return (
            f"{asked:,} requests, {counted['requests']:,} counted in communities\n"
            f"too far {counted['distance']:,}, covered, so about quality {counted['quality']:,}, "
            f"not judged {counted['not_judged']:,}\n{left:,} not counted" + ": " * bool(told) + ", ".join(told)
        )

    def __repr__(self) -> str:
        """How many requests are counted."""
        return f"RequestDensity({int(self.table['requests'].sum()):,} of {self.requests.height:,} requests counted)"

    def _repr_html_(self) -> str:
        most = self.table.sort("per_1000_people", descending=True, nulls_last=True, maintain_order=True)
        columns = ["area_id", "name", "class", "requests", "distance", "quality", "per_1000_people", "share"]
        left = self.elsewhere.height
        return cards.card(
            "诉求密度 Requests by community and class",
            facts=[
                ("诉求 Requests", self.requests.height),
                ("计入 Counted", int(self.table["requests"].sum())),
                ("距离过远 Too far", int(self.table["distance"].sum())),
                ("质量 About quality", int(self.table["quality"].sum())),
            ],
            tables=[
                cards.table(most.filter(pl.col("requests") > 0), columns, title="每千人最多 Most per 1,000 people")
            ],
            notes=[f"{left:,} 条未计入任何社区 {left:,} are counted in no community: see elsewhere"] * bool(left),
        )


_ELSEWHERE = {
    "outside_areas": ("in none of the areas", "不在任何分区内"),
    "unknown_area": ("in a community that is not there", "所填社区不存在"),
    "no_place": ("without a place", "没有位置"),
    "no_class": ("without a class", "没有类别"),
}


def request_density(
    requests: Requests,
    areas: TableLike,
    coverage: TableLike | None = None,
    people: TableLike | None = None,
    *,
    walks: pl.DataFrame | None = None,
    minutes: float = 15,
    group: str = "all",
    profile: str = "adult",
    level: str | None = None,
) -> RequestDensity:
    """Requests of each community and class per 1,000 people, beside the share that is covered.

    A request belongs to the area that holds its place; without a place, to the community that it states. A place on a
    border belongs to exactly one of two neighbours that have the same corners, as people do (the engine's rule: a side
    counts from its southern end on, without its northern end, and for the area to the east of it). Of areas that
    overlap it belongs to the first.

    Args:
        requests: as of `read_requests`.
        areas: `area_id` and a polygon, as of `coverage`.
        coverage: as from `coverage`, of these areas.
        people: `area_id`, `people`. None takes those of `coverage`, else the column `people` of `areas` (of a table in
            memory or a Parquet file).
        walks: as from `request_walks`; None leaves requests without a kind.
        minutes: the rows of `coverage` that count.
        group: the group whose coverage and people count.
        profile: who walks, in `coverage`.
        level: areas of one level alone, in the word that `areas` has for it; to be said where there are several.

    Returns:
        The `RequestDensity`. Every request is counted in `table` or listed in `elsewhere`.

    Raises:
        InputError: a column is missing, or no area can be used.
        ValueError: several levels and none is said, no such level, or `coverage` has no such minutes, group or profile.

    Warns:
        RejectedRowsWarning: areas were left out.

    """
    drawn, rejected = _engine.edit_areas("[]", to_engine(areas, "areas"))
    warn(frame(rejected))
    places = _of_level(frame(drawn), level)
    covered = None if coverage is None else _of_coverage(ledger.read(coverage, "coverage")[1], minutes, group, profile)
    each = _placed(requests.table, places)
    judged = _NOT_ASKED if walks is None else walks.select(*_NOT_ASKED.columns[:-1], walked=pl.lit(True))
    each = each.join(judged, on="request_id", how="left", maintain_order="left")
    asked = pl.when(pl.col("walked").is_null()).then(pl.lit("not_asked")).otherwise("reason")
    each = each.with_columns(reason=asked).drop("walked")
    is_counted = pl.col("where").is_null() & pl.col("class").is_not_null()
    rest = each.filter(~is_counted).with_columns(reason=pl.coalesce("where", pl.lit("no_class")))
    words = [
        pl.col("reason").replace_strict({reason: told[place] for reason, told in _ELSEWHERE.items()}).alias(name)
        for place, name in enumerate(("what", "what_zh"))
    ]
    grid = _grid(each.filter(is_counted), places, covered)
    table = _beside(grid, _people_of(areas, covered, people), covered)
    return RequestDensity(
        table, each.drop("where"), rest.select("request_id", "row", "class", "area_id", "reason", *words)
    )


_NOT_ASKED = pl.DataFrame(
    schema={
        "request_id": pl.String,
        "time_s": pl.Float64,
        "covered": pl.Boolean,
        "kind": pl.String,
        "reason": pl.String,
        "walked": pl.Boolean,
    }
)


def _of_level(areas: pl.DataFrame, level: str | None) -> pl.DataFrame:
    known = areas["level"].drop_nulls().unique(maintain_order=True).to_list()
    if level is None and len(known) > 1:
        raise ValueError(f"level: areas are of several levels, {', '.join(known)}; say which")
    if level is not None and level not in known:
        raise ValueError(f'level "{level}": the areas have {", ".join(known) or "none"}')
    return areas if level is None else areas.filter(pl.col("level") == level)


def _of_coverage(table: pl.DataFrame, minutes: float, group: str, profile: str) -> pl.DataFrame:
    """Rows of coverage that count: `area_id`, `class`, `people`, `share`."""
    require(["area_id", "class", "group", "minutes", "people", "share"], table, "coverage")
    if "profile" not in table.columns:
        table = table.with_columns(profile=pl.lit(profile))
    found = table.filter(
        (pl.col("minutes").cast(pl.Float64) == minutes) & (pl.col("group") == group) & (pl.col("profile") == profile)
    )
    if not found.height:
        known = table.select("minutes", "group", "profile").unique(maintain_order=True).head(6).rows()
        raise ValueError(f"coverage: no rows of {minutes} minutes, group {group}, profile {profile}; there are {known}")
    return found.select(pl.col("area_id").cast(pl.String), "class", "people", "share")


def _placed(requests: pl.DataFrame, areas: pl.DataFrame) -> pl.DataFrame:
    """Requests with the area that they belong to, or with why there is none (`where`)."""
    known = Communities(areas)
    by_place = _areas_of(requests.drop_nulls("lon"), areas)
    found, why = list[str | None](), list[str | None]()
    for name, lon, stated in requests.select("request_id", "lon", "area_id").iter_rows():
        area = by_place.get(name) if lon is not None else None if stated is None else known.find(stated)
        found.append(area)
        missing = "outside_areas" if lon is not None else "no_place" if stated is None else "unknown_area"
        why.append(None if area is not None else missing)
    columns = [pl.Series(found, dtype=pl.String).alias("area_id"), pl.Series(why, dtype=pl.String).alias("where")]
    return requests.select("request_id", "row", "date", "class").with_columns(columns)


def _areas_of(spots: pl.DataFrame, areas: pl.DataFrame) -> dict[str, str]:
    """The first area that holds each place."""
    found = _engine.areas_of_places(areas, spots["lon"].to_list(), spots["lat"].to_list())
    return {name: area for name, area in zip(spots["request_id"], found, strict=True) if area is not None}


def _grid(counted: pl.DataFrame, areas: pl.DataFrame, covered: pl.DataFrame | None) -> pl.DataFrame:
    """Requests of every area and class, also where there are none."""
    kinds: set[str] = set(counted["class"])
    if covered is not None:
        kinds |= set(covered["class"])
    classes = pl.DataFrame({"class": sorted(kinds)}, schema={"class": pl.String})
    counts = counted.group_by("area_id", "class").agg(
        pl.len().alias("requests"),
        (pl.col("kind") == "distance").sum().alias("distance"),
        (pl.col("kind") == "quality").sum().alias("quality"),
        pl.col("kind").null_count().alias("not_judged"),
    )
    grid = areas.select("area_id", "name").join(classes, how="cross", maintain_order="left_right")
    grid = grid.join(counts, on=["area_id", "class"], how="left", maintain_order="left")
    return grid.with_columns(pl.col("requests", "distance", "quality", "not_judged").fill_null(0))


def _people_of(areas: TableLike, covered: pl.DataFrame | None, people: TableLike | None) -> pl.DataFrame:
    """People of areas: given, else of coverage, else of the areas themselves; no rows where nothing tells."""
    table = covered
    if people is not None:
        table = ledger.read(people, "people")[1]
        require(["area_id", "people"], table, "people")
    elif covered is None and _is_plain(areas):
        table = ledger.read(areas, "areas")[1]
    if table is None or "people" not in table.columns:
        return pl.DataFrame(schema={"area_id": pl.String, "people": pl.Float64})
    table = table.select(pl.col("area_id").cast(pl.String), pl.col("people").cast(pl.Float64, strict=False))
    return table.unique("area_id", keep="first", maintain_order=True)


def _is_plain(areas: TableLike) -> bool:
    """Whether the columns of areas are there without their outlines being read."""
    if isinstance(areas, (str, os.PathLike)):
        return os.fspath(areas).lower().endswith(".parquet")
    return not isinstance(areas, (_engine.FileTable, _engine.TableInCrs))


def _beside(grid: pl.DataFrame, people: pl.DataFrame, covered: pl.DataFrame | None) -> pl.DataFrame:
    """The density, and coverage beside it."""
    table = grid.join(people, on="area_id", how="left", maintain_order="left")
    shares = _NO_SHARE if covered is None else covered.select("area_id", "class", "share", is_there=pl.lit(True))
    table = table.join(shares, on=["area_id", "class"], how="left", maintain_order="left")
    nobody = pl.lit("nobody_lives_here")
    density_reason = pl.when(pl.col("people").is_null()).then(pl.lit("people_unknown")).when(pl.col("people") <= 0)
    share_reason = pl.when(pl.col("is_there").is_null()).then(pl.lit("no_coverage")).when(pl.col("share").is_null())
    return table.select(
        *grid.columns,
        "people",
        pl.when(pl.col("people") > 0).then(pl.col("requests") * 1000 / pl.col("people")).alias("per_1000_people"),
        density_reason.then(nobody).alias("density_reason"),
        "share",
        share_reason.then(nobody).alias("share_reason"),
    )


_NO_SHARE = pl.DataFrame(schema={"area_id": pl.String, "class": pl.String, "share": pl.Float64, "is_there": pl.Boolean})
