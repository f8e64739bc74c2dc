"""A city as the blocks of its page: columns in the order that `app/city.js` reads them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from walkshed.language import Language, class_name, group_name, profile_name, word
from walkshed.maps.palette import SHARE_BREAKS
from walkshed.page.block import Block, narrowest
from walkshed.page.outlines import DEGREE, add_rings, outlines
from walkshed.page.tables import City, Plan, changed_coverage

REASONS = ("beyond_cutoff", "not_connected", "not_snapped", "not_known")
"""What a walk below `len(REASONS)` says; every other walk is tenths of a second, `len(REASONS)` more than they are."""
SHARES = ("not_computed", "nobody_lives_here")
"""The same of a share, which is whole tenths of a per cent."""
_LANGUAGES: tuple[Language, ...] = ("zh", "en")


def city_block(city: City, words: Mapping[str, object]) -> str:
    """Encode a city.

    Args:
        city: what the page shows.
        words: titles, colours and notes that go beside it.

    Returns:
        The text of the block.

    """
    return _Encoder(city).encode(words)


class _Encoder:
    """Everything has a number: classes, profiles, groups, areas, cells and facilities by their places in the tables."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._block = Block()
        self._cube = _Cube(city, city.areas["area_id"].to_list())
        self._cells = _with_new_cells(city)
        self._ends = _facilities(city)
        self._end_of = self._ends.select("plan", "class", "id", end=pl.col("at") - pl.col("first") + 1)

    def encode(self, words: Mapping[str, object]) -> str:
        city = self._city
        about: dict[str, object] = {
            **words,
            "name": city.name,
            "minutes": city.minutes,
            "profiles": [_called(who, profile_name) for who in city.profiles],
            "groups": [_called(group, group_name) for group in city.groups],
            "classes": [_called(name, class_name) for name in city.classes],
            "reasons": list(REASONS),
            "reason_words": named("reason", pl.Series(REASONS)),
            "shares": list(SHARES),
            "share_breaks": [round(100 * limit) for limit in SHARE_BREAKS],
            "walkers": self._walkers(),
            "whole": city.whole,
            "nearest": city.nearest,
            "left_out": city.left_out,
            "inputs": city.inputs,
            "version": city.version,
            "areas": self._areas(),
            "levels": named("level", city.areas["level"]),
            "facilities": self._facilities(),
            "total": self._total(city.total),
        }
        self._add_cells()
        self._add_walks()
        self._add_coverage()
        about["plans"] = [self._plan(number, plan) for number, plan in enumerate(city.plans)]
        return self._block.encode(about)

    def _add_cells(self) -> None:
        cells = self._cells
        step = cells["cell"].diff(null_behavior="ignore").fill_null(cells["cell"].first() or 0)
        self._block.add("cell_low", step % (1 << 32), 4)
        self._block.add("cell_high", step // (1 << 32), 4)
        for number, group in enumerate(self._city.groups):
            self._block.add(f"people_{number}", _tenths(cells["people" if group == "all" else group]), 4)

    def _add_walks(self) -> None:
        """Walks, and of those that arrive the facilities they lead to: one column each per class × profile."""
        city, count = self._city, self._cells.height
        if not count:
            return
        ends = self._end_of.filter(pl.col("plan") == -1)
        walks = (
            city.times.with_columns(pl.col("facility_id").cast(pl.String))
            .join(ends, left_on=["class", "facility_id"], right_on=["class", "id"], how="left")
            .join(self._cells.select("cell", row=pl.int_range(pl.len())), left_on="origin_id", right_on="cell")
            .select("row", "class", "profile", walk=_walk("time_s", "reason"), end=pl.col("end").fill_null(0))
        )
        everyone = pl.DataFrame({"row": pl.int_range(count, eager=True)})
        parts = walks.partition_by("class", "profile", as_dict=True, include_key=False)
        nothing = walks.head(0).select("row", "walk", "end")
        width = narrowest(_most(walks["walk"], *(self._plan_walks(plan) for plan in city.plans)))
        for c, name in enumerate(city.classes):
            most = int((self._ends["class"] == name).sum())
            for p, who in enumerate(city.profiles):
                own = everyone.join(parts.get((name, who), nothing), on="row", how="left", maintain_order="left")
                own = own.with_columns(pl.col("walk").fill_null(len(REASONS) - 1))
                self._block.add(f"walk_{c}_{p}", own["walk"], width)
                if city.nearest:
                    arrived = own.filter(pl.col("walk") >= len(REASONS))["end"]
                    self._block.add(f"end_{c}_{p}", arrived, narrowest(most), delta=True)

    def _plan_walks(self, plan: Plan) -> pl.Series:
        return plan.cells.select(_walk("after_s", "reason_after"))["walk"]

    def _add_coverage(self) -> None:
        """Coverage by area, in the order of the cube.

        A share, and the class of colour that it is in, is what the page computes from tenths of people, but for some
        that rounding moves: these are told.
        """
        rows = self._city.coverage.select(
            self._cube.key(),
            people=_tenths_of("people"),
            covered=_tenths_of("people_covered"),
            share=_share(),
            kind=_share_class(),
            not_connected=_tenths_of("people_not_connected"),
            not_snapped=_tenths_of("people_not_snapped"),
        ).drop_nulls("key")
        whole = self._cube.filled(rows).with_columns(pl.col("covered").fill_null(0), pl.col("share").fill_null(0))
        self._block.add("covered", whole["covered"], 4)
        people = self._add_people_of_areas()
        whole = whole.with_columns(people=self._cube.of_area_and_group(people))
        for name, computed in (("share", _computed_share()), ("kind", _computed_class())):
            told = whole.filter(computed != pl.col(name))
            self._block.add(f"told_{name}_row", told["key"], 4, delta=True)
            self._block.add(f"told_{name}", told[name], 2)
        for reason in ("not_connected", "not_snapped"):
            apart = whole.filter(pl.col(reason) > 0)
            self._block.add(f"{reason}_row", apart["key"], 4, delta=True)
            self._block.add(f"{reason}_people", apart[reason], 4)

    def _add_people_of_areas(self) -> pl.Series:
        """Tenths of people by group, then area."""
        areas, parts = self._city.areas.select("area_id"), list[pl.Series]()
        for number, group in enumerate(self._city.groups):
            own = self._city.coverage.filter(pl.col("group") == group).group_by("area_id").agg(pl.col("people").first())
            people = areas.join(own, on="area_id", how="left", maintain_order="left")["people"]
            parts.append(_tenths(people.fill_null(0.0)))
            self._block.add(f"area_people_{number}", parts[-1], 4)
        return pl.concat(parts)

    def _areas(self) -> dict[str, object]:
        """Outlines of areas, and of those that scenarios make or redraw, all on one grid."""
        areas, plans = self._city.areas, self._city.plans
        place = {area_id: number for number, area_id in enumerate(areas["area_id"])}
        drawn = outlines([*areas["geometry"], *(each for plan in plans for each in plan.areas["geometry"])])
        add_rings(self._block, drawn.of_rows(0, range(areas.height)))
        first = areas.height
        for number, plan in enumerate(plans):
            own = [place[area_id] for area_id in plan.areas["area_id"]]
            add_rings(self._block, drawn.of_rows(first, own), f"plan_{number}_ring")
            first += len(own)
        return {
            "id": areas["area_id"].to_list(),
            "name": areas["name"].to_list(),
            "level": areas["level"].to_list(),
            "made": areas["made"].to_list(),
            "grid": drawn.grid,
        }

    def _facilities(self) -> dict[str, object]:
        ends = self._ends
        placed = ends.with_columns(pl.col("lon", "lat") * DEGREE).with_columns(
            pl.col("lon", "lat").round().fill_null(0)
        )
        self._block.add("end_lon", placed["lon"], 4)
        self._block.add("end_lat", placed["lat"], 4)
        firsts = [int((ends["class"].is_in(self._city.classes[:c])).sum()) for c in range(len(self._city.classes) + 1)]
        return {
            "first": firsts,
            "id": ends["id"].to_list(),
            "name": ends["name"].to_list(),
            "plan": ends["plan"].to_list(),
            "placed": bool(ends["lon"].is_not_null().all()),
        }

    def _walkers(self) -> list[list[int]]:
        """The profiles that each group has coverage by."""
        city = self._city
        pairs = set(city.coverage.select("group", "profile").unique().iter_rows())
        return [[p for p, who in enumerate(city.profiles) if (group, who) in pairs] for group in city.groups]

    def _total(self, total: pl.DataFrame) -> dict[str, list[int | None]]:
        """Coverage of the whole city in tenths of people, in the order of the cube; empty where it is not known."""
        if total.is_empty():
            return {}
        cube = _Cube(self._city, ["all"])
        rows = total.select(cube.key(), covered=_tenths_of("people_covered"), people=_tenths_of("people"))
        whole = cube.filled(rows)
        return {name: whole[name].to_list() for name in ("covered", "people")}

    def _plan(self, number: int, plan: Plan) -> dict[str, object]:
        self._add_changed_cells(number, plan)
        self._add_changed_coverage(number, plan)
        self._add_movers(number, plan)
        place = {area_id: at for at, area_id in enumerate(self._city.areas["area_id"])}
        places = [edit for edit in plan.edits if _places(edit)]
        return {
            "name": plan.name,
            "cost_yuan": plan.cost_yuan,
            "edits": len(plan.edits),
            "drawn": [
                {"do": edit["do"], "id": str(edit.get("id", "")), "name": edit.get("name"), "places": _places(edit)}
                for edit in places
            ],
            "closed": self._closed(plan),
            "areas": [place[area_id] for area_id in plan.areas["area_id"]],
            "total": self._total(_total_under(self._city, plan)),
            "gains": self._gains(plan),
        }

    def _closed(self, plan: Plan) -> list[int]:
        """Places among all facilities of those of the run that the scenario closes, and does not open again."""
        ends = self._ends.filter(pl.col("plan") == -1)
        closed = ends.head(0)
        for edit in plan.edits:
            own = ends.filter(pl.col("id") == str(edit.get("id")))
            if edit.get("class"):
                own = own.filter(pl.col("class") == edit["class"])
            if edit["do"] == "close_facility":
                closed = pl.concat([closed, own])
            elif edit["do"] == "open_facility":
                closed = closed.join(own, on="at", how="anti")
        return closed["at"].unique().sort().to_list()

    def _add_changed_cells(self, number: int, plan: Plan) -> None:
        """Cells that change, those of one class × profile together."""
        city = self._city
        own = pl.col("plan").is_in([-1, number])
        ends = self._end_of.filter(own).sort("plan", descending=True).unique(["class", "id"], keep="first")
        rows = (
            plan.cells.with_columns(pl.col("facility_after").cast(pl.String))
            .join(ends, left_on=["class", "facility_after"], right_on=["class", "id"], how="left")
            .join(self._cells.select("cell", row=pl.int_range(pl.len())), on="cell")
            .select(
                "row",
                key=_number("class", city.classes) * len(city.profiles) + _number("profile", city.profiles),
                walk=_walk("after_s", "reason_after"),
                end=pl.col("end").fill_null(0),
            )
            .drop_nulls("key")
            .sort("key", "row")
        )
        self._block.add(f"plan_{number}_key", rows["key"], 4, delta=True)
        self._block.add(f"plan_{number}_cell", rows["row"], 4, delta=True)
        self._block.add(f"plan_{number}_walk", rows["walk"], 4)
        self._block.add(f"plan_{number}_end", rows["end"], 4)

    def _add_changed_coverage(self, number: int, plan: Plan) -> None:
        rows = changed_coverage(self._city.coverage, plan.coverage).select(
            self._cube.key(),
            people=_tenths_of("people"),
            covered=_tenths_of("people_covered"),
            share=_share(),
            kind=_share_class(),
        )
        rows = rows.drop_nulls("key").sort("key")
        self._block.add(f"plan_{number}_row", rows["key"], 4, delta=True)
        for name, width in (("people", 4), ("covered", 4), ("share", 2), ("kind", 1)):
            self._block.add(f"plan_{number}_{name}", rows[name], narrowest((1 << 8 * width) - 1))

    def _add_movers(self, number: int, plan: Plan) -> None:
        """People of the cells in which others live under the scenario."""
        rows = plan.people.join(self._cells.select("cell", row=pl.int_range(pl.len())), on="cell").sort("row")
        self._block.add(f"plan_{number}_mover", rows["row"], 4, delta=True)
        for g, group in enumerate(self._city.groups):
            self._block.add(f"plan_{number}_people_{g}", _tenths(rows["people" if group == "all" else group]), 4)

    def _gains(self, plan: Plan) -> list[list[float]]:
        """Class, group, profile, people gaining, people losing, minutes saved: everywhere, each cell once."""
        city = self._city
        rows = plan.gains.filter(pl.col("area_id").is_null()).select(
            _number("class", city.classes).alias("class"),
            _number("group", city.groups).alias("group"),
            _number("profile", city.profiles).alias("profile"),
            "people_gaining",
            "people_losing",
            "people_minutes_saved",
        )
        return [list(row) for row in rows.drop_nulls().iter_rows()]


class _Cube:
    """Rows of coverage in one order: all areas of a threshold, all thresholds of a profile, and so on outwards."""

    def __init__(self, city: City, areas: list[str]) -> None:
        self._sides = [len(city.classes), len(city.groups), len(city.profiles), len(city.minutes), len(areas)]
        self._places = [
            _number("class", city.classes),
            _number("group", city.groups),
            _number("profile", city.profiles),
            _number_of("minutes", city.minutes),
            _number("area_id", areas),
        ]

    def key(self) -> pl.Expr:
        """The place of a row; null where the page has no such row."""
        key = pl.lit(0, pl.Int64)
        for place, count in zip(self._places, self._sides, strict=True):
            key = key * count + place
        return key.alias("key")

    def of_area_and_group(self, values: pl.Series) -> pl.Series:
        """Values by group, then area, for every place."""
        _, groups, profiles, minutes, areas = self._sides
        key = pl.int_range(math.prod(self._sides), eager=True)
        return values.gather(key // (profiles * minutes * areas) % groups * areas + key % areas)

    def filled(self, rows: pl.DataFrame) -> pl.DataFrame:
        """One row for every place, null where `rows` has none."""
        places = pl.DataFrame({"key": pl.int_range(math.prod(self._sides), eager=True)})
        return places.join(rows, on="key", how="left", maintain_order="left")


def _with_new_cells(city: City) -> pl.DataFrame:
    """The cells of the run, and those that only a scenario has people in: nobody lives there before it."""
    columns = _columns(city)
    known = city.cells.select(columns)
    others = [cells.select(columns) for plan in city.plans for cells in (plan.cells, plan.people)]
    if not others:
        return known
    nobody = pl.col("cell"), *(pl.lit(0.0).alias(name) for name in columns[1:])
    new = pl.concat(others).unique("cell", maintain_order=True).join(known, on="cell", how="anti").select(nobody)
    return pl.concat([known, new], how="vertical_relaxed").sort("cell")


def _columns(city: City) -> list[str]:
    return ["cell", *("people" if group == "all" else group for group in city.groups)]


def _total_under(city: City, plan: Plan) -> pl.DataFrame:
    """Coverage of the whole city under a scenario, from what changes: exact, as it is not from tenths of people."""
    if city.total.is_empty():
        return city.total
    people = _columns(city)[1:]
    both = _people_before_and_after(city, plan)
    walks = _walks_before_and_after(city, plan).join(both, on="cell")
    more: list[pl.DataFrame] = []
    for limit in city.minutes:
        was, now = ((pl.col(name) <= limit * 60).fill_null(False) for name in ("before_s", "after_s"))
        counted = [
            (pl.col(f"{name}_after").filter(now).sum() - pl.col(name).filter(was).sum()).alias(name) for name in people
        ]
        part = walks.group_by("class", "profile", maintain_order=True).agg(counted)
        more.append(part.with_columns(minutes=pl.lit(limit)).unpivot(people, index=["class", "profile", "minutes"]))
    added = both.select([(pl.col(f"{name}_after") - pl.col(name)).sum().alias(name) for name in people]).unpivot()
    group = pl.when(pl.col("variable") == "people").then(pl.lit("all")).otherwise("variable")
    covered = pl.concat(more).select("class", "profile", "minutes", group=group, more="value")
    rows = city.total.join(covered, on=["class", "profile", "minutes", "group"], how="left", maintain_order="left")
    rows = rows.join(added.select(group=group, added="value"), on="group", how="left", maintain_order="left")
    return rows.with_columns(
        people_covered=pl.col("people_covered") + pl.col("more").fill_null(0.0),
        people=pl.col("people") + pl.col("added").fill_null(0.0),
    )


def _people_before_and_after(city: City, plan: Plan) -> pl.DataFrame:
    """Of every cell: the groups as they are, and with `_after` as they are under a scenario."""
    people = _columns(city)[1:]
    after = plan.people.select("cell", *(pl.col(name).alias(f"{name}_after") for name in people))
    both = city.cells.select(_columns(city)).join(after, on="cell", how="full", coalesce=True)
    as_it_is = [pl.col(f"{name}_after").fill_null(pl.col(name)) for name in people]
    return both.with_columns(as_it_is).with_columns(pl.col(people).fill_null(0.0))


def _walks_before_and_after(city: City, plan: Plan) -> pl.DataFrame:
    """`cell`, `class`, `profile`, `before_s`, `after_s` where a walk changes, or who lives there."""
    keys = ["cell", "class", "profile"]
    changed = plan.cells.select(*keys, "before_s", "after_s")
    same = city.times.select("class", "profile", cell="origin_id", before_s="time_s", after_s="time_s")
    same = same.join(plan.people, on="cell", how="semi").join(changed, on=keys, how="anti")
    return pl.concat([changed, same.select(changed.columns)])


def _facilities(city: City) -> pl.DataFrame:
    """Facilities by class; `plan` is -1, or the scenario that opens or moves them; `first` where their class begins.

    Of a class they are in the order in which the cells come upon them: neighbours then have near numbers.
    """
    columns = ["id", "class", "name", "lon", "lat"]
    parts = [city.facilities.select(*columns, plan=pl.lit(-1, pl.Int64))]
    for number, plan in enumerate(city.plans):
        parts.append(_placed_by(plan, city).with_columns(plan=pl.lit(number, pl.Int64)))
    order = pl.DataFrame({"class": city.classes}, schema={"class": pl.String}).with_row_index("c")
    used = city.times.group_by("class", id=pl.col("facility_id").cast(pl.String)).agg(met=pl.col("origin_id").min())
    ends = pl.concat(parts, how="vertical_relaxed").unique(["plan", "class", "id"], keep="first", maintain_order=True)
    ends = ends.join(order, on="class").join(used, on=["class", "id"], how="left")
    ends = ends.sort("c", "plan", "met", "id", nulls_last=True).with_columns(at=pl.int_range(pl.len()))
    return ends.with_columns(first=pl.col("at").min().over("class"))


def _placed_by(plan: Plan, city: City) -> pl.DataFrame:
    """Facilities that a scenario opens or moves, where it puts them, or where the ledger has those that it opens."""
    schema = {"id": pl.String, "class": pl.String, "name": pl.String, "lon": pl.Float64, "lat": pl.Float64}
    rows: list[dict[str, Any]] = []
    for edit in plan.edits:
        if edit["do"] not in ("open_facility", "move_facility"):
            continue
        own = city.ledger.filter(pl.col("id") == str(edit["id"]))
        if edit.get("class"):
            own = own.filter(pl.col("class") == edit["class"])
        if edit.get("place") is None:
            # One that is open stays the one of the run, though a scenario closes it in between.
            rows.extend(own.join(city.facilities, on=["id", "class"], how="anti").iter_rows(named=True))
            continue
        classes = [edit["class"]] if edit.get("class") else own["class"].to_list()
        lon, lat = edit["place"]
        name = edit.get("name") or own["name"].first()
        rows.extend({"id": str(edit["id"]), "class": one, "name": name, "lon": lon, "lat": lat} for one in classes)
    return pl.DataFrame(rows, schema=schema)


def _places(edit: Mapping[str, Any]) -> list[list[float]]:
    """Where an edit is: one place, or the ends of a link."""
    via: list[Sequence[float]] = edit.get("via") or []
    given = [edit.get("place"), edit.get("at"), edit.get("from"), *via, edit.get("to")]
    return [[float(lon), float(lat)] for lon, lat in (place for place in given if place is not None)]


def named(kind: str, names: pl.Series) -> dict[str, dict[str, str]]:
    """The words for the names in a column, in both languages."""
    known: list[str] = names.drop_nulls().unique().sort().to_list()
    return {name: {language: word(kind, name, language) for language in _LANGUAGES} for name in known}


def _called(name: str, of: Any) -> dict[str, str]:
    return {"id": name, **{language: of(name, language) for language in _LANGUAGES}}


def _number(column: str, values: Sequence[str]) -> pl.Expr:
    """The place of a text among `values`; null for others."""
    return pl.col(column).cast(pl.Enum(values), strict=False).to_physical().cast(pl.Int64)


def _number_of(column: str, values: Sequence[float]) -> pl.Expr:
    """The place of a number among `values`; null for others."""
    places = dict(zip(values, range(len(values)), strict=True))
    return pl.col(column).replace_strict(places, default=None, return_dtype=pl.Int64)


def _walk(time_s: str, reason: str) -> pl.Expr:
    known = {name: number for number, name in enumerate(REASONS)}
    why = pl.col(reason).replace_strict(known, default=len(REASONS) - 1, return_dtype=pl.Int64)
    tenths = (pl.col(time_s) * 10).round().cast(pl.Int64) + len(REASONS)
    return pl.coalesce(tenths, why).alias("walk")


def _share() -> pl.Expr:
    tenths_of_a_per_cent = (pl.col("share") * 1000).round().cast(pl.Int64) + len(SHARES)
    return tenths_of_a_per_cent.fill_null(SHARES.index("nobody_lives_here")).alias("share")


def _computed_share() -> pl.Expr:
    """What the page makes of tenths of people, as `shareOf` in `app/city.js`."""
    tenths_of_a_per_cent = (pl.col("covered") * 1000 / pl.col("people") + 0.5).floor().cast(pl.Int64) + len(SHARES)
    return pl.when(pl.col("people") > 0).then(tenths_of_a_per_cent).otherwise(SHARES.index("nobody_lives_here"))


def _share_class() -> pl.Expr:
    """The class of an exact share, as `palette.class_of`; 0 where there is no share."""
    return pl.sum_horizontal((pl.col("share") > limit).fill_null(False).cast(pl.Int64) for limit in SHARE_BREAKS)


def _computed_class() -> pl.Expr:
    """What the page makes of tenths of people, as `kindOf` in `app/city.js`."""
    covered, people = pl.col("covered") * 100, pl.col("people")
    return pl.sum_horizontal((covered > people * round(100 * limit)).cast(pl.Int64) for limit in SHARE_BREAKS)


def _tenths_of(column: str) -> pl.Expr:
    return (pl.col(column) * 10).round().cast(pl.Int64)


def _tenths(people: pl.Series) -> pl.Series:
    return (people * 10).round().cast(pl.Int64)


def _most(*columns: pl.Series) -> int:
    return max((number for column in columns for number in column.top_k(1).to_list()), default=0)
