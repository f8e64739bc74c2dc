"""The sheet of a community: one page about who reaches what, and what its scorecard finds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import polars as pl

from walkshed.language import profile_name, word
from walkshed.maps.base_map import BaseMap
from walkshed.maps.svg import Extent, Places, Shapes, map_svg
from walkshed.report.content import Beside, Block, Column, Document, Figure, Heading, Paragraph, Table, Value, told
from walkshed.report.facts import City
from walkshed.report.map_chapters import doors, map_note, minutes_shapes
from walkshed.report.score_chapters import grade_of, unit_of
from walkshed.report.words import say

_OUTLINE = "#a63603"
_MARGIN_SHARE = 0.12
_MOST_MISSING = 4
"""Points of an item whose evidence stands on a sheet; the workbook has all."""
_WIDE, _HEADLINE = 0x2E7F, 76
"""From which character on letters are as wide as they are high; how many narrow ones two lines of a headline hold."""
_LONGEST = {"zh": 90, "en": 170}
"""Letters of one evidence; the workbook has all of it."""


@dataclass(frozen=True)
class Sheets:
    """All that sheets are made of, looked up once for the whole city."""

    city: City

    @cached_property
    def _coverage(self) -> dict[str, list[dict[str, Any]]]:
        mine = self.city.coverage.filter(pl.col("profile") == self.city.profiles[0])
        kept = mine.join(self.city.communities.select("area_id"), on="area_id", how="semi")
        return _by_area(kept.select("area_id", "class", "minutes", "share"))

    @cached_property
    def _items(self) -> dict[str, list[dict[str, Any]]]:
        return {} if self.city.scorecard is None else _by_area(self.city.scorecard.items)

    @cached_property
    def _points(self) -> dict[str, list[dict[str, Any]]]:
        if self.city.scorecard is None:
            return {}
        open_ = self.city.scorecard.points.filter(pl.col("status").is_in(["fail", "partial", "unknown"]))
        columns = ("area_id", "item", "status", "weight", "low", "evidence", "evidence_zh", "gap", "gap_unit")
        return _by_area(open_.select(*columns, "gap_unit_zh"))

    @cached_property
    def _totals(self) -> dict[str, dict[str, Any]]:
        if self.city.scorecard is None:
            return {}
        return {row["area_id"]: row for row in self.city.scorecard.totals.iter_rows(named=True)}

    @cached_property
    def _city_shares(self) -> dict[str, float | None]:
        return {name: self.city.share_in_city(name) for name in self.city.classes}

    @cached_property
    def _names(self) -> dict[str, str]:
        return dict(self.city.areas.select("area_id", "name").iter_rows())

    @cached_property
    def _minutes(self) -> dict[str, pl.DataFrame]:
        """Cells with their seconds, by class."""
        cells = self.city.cells.select("cell", "lon", "lat", "geometry")
        times = self.city.times(self.city.classes).partition_by("class", as_dict=True)
        return {
            str(name): cells.join(rows, on="cell", how="left", maintain_order="left") for (name,), rows in times.items()
        }

    @cached_property
    def _doors(self) -> dict[str, Places]:
        return {name: doors(self.city, name) for name in self.city.classes}

    @cached_property
    def _ground(self) -> _Ground | None:
        return None if self.city.base is None else _Ground(self.city.base)

    def documents(self) -> Iterator[tuple[dict[str, Any], Document]]:
        """Give each community with its sheet, in the order of the areas."""
        for area in self.city.communities.iter_rows(named=True):
            yield area, self.document(area)

    def document(self, area: dict[str, Any]) -> Document:
        """The sheet of one community.

        Args:
            area: its row of the areas.

        Returns:
            The document, without a title page.

        """
        text = partial(say, self.city.language)
        blocks: list[Block] = [Beside(self._map(area), self._shares(area), 0.47)]
        note = text("sheet_note" if self.city.is_to_facility else "sheet_note_from", profile=self.city.who)
        if area["area_id"] in self._items:
            blocks += [Heading(text("sheet_items"), 2), self._scored(area)]
            note = f"{note} {text('sheet_note_scores')}"
        blocks.append(Paragraph(note, quiet=True))
        return Document(
            title=text("sheet_title"),
            subtitle=headline(area["name"]),
            language=self.city.language,
            facts=self._facts(area),
            blocks=blocks,
            footer=text("footer", name=self.city.name, version=self.city.result.report["walkshed"]),
            banner=text("banner") if self.city.is_synthetic else "",
            cover=False,
        )

    def _facts(self, area: dict[str, Any]) -> list[tuple[str, str]]:
        text, total = partial(say, self.city.language), self._totals.get(area["area_id"])
        facts = [
            *([(text("sheet_name"), area["name"])] if headline(area["name"]) != area["name"] else []),
            (text("community_id"), area["area_id"]),
            (text("sheet_people"), told(area["people"], "people")),
            (text("sheet_parent"), self._names.get(area["parent_id"], "") or "–"),
        ]
        if area.get("households") is not None:
            facts.append((text("sheet_households"), told(area["households"], "people")))
        if total is not None:
            low, high, most = (told(total[key], "score") for key in ("low", "high", "total_points"))
            facts += [
                (text("score"), f"{low}–{high} / {most}"),
                (text("observed"), told(total["observed"], "score")),
                (text("grade"), grade_of(self.city, total)),
            ]
        return facts

    def shown_class(self, area_id: str) -> str | None:
        """The class of a community's map: the smallest share of those that anybody reaches, so that it shows a way."""
        rows = [row for row in self._coverage.get(area_id, []) if row["share"] is not None]
        reached = {row["class"] for row in rows if row["minutes"] == self.city.minutes[-1] and row["share"] > 0}
        now = [
            (row["class"] not in reached, row["share"], row["class"])
            for row in rows
            if row["minutes"] == self.city.middle
        ]
        return min(now)[2] if now else next(iter(self.city.fewest_first), None)

    def _map(self, area: dict[str, Any]) -> Figure:
        name = self.shown_class(area["area_id"])
        outline = Extent.of([area["geometry"]])
        shown = (outline or Extent(0, 0, 1, 1)).grown(_MARGIN_SHARE)
        near = pl.DataFrame() if name is None else _within(self._minutes.get(name, pl.DataFrame()), shown)
        shapes = minutes_shapes(self.city, near) if near.width else []
        border = Shapes([area["geometry"]], "none", _OUTLINE, 1.6, say(self.city.language, "border"))
        svg = map_svg(
            [*shapes, border],
            places=[] if name is None else [_seen(self._doors[name], shown)],
            base=None if self._ground is None else self._ground.within(shown),
            extent=shown,
            width_px=330,
            height_px=390,
        )
        caption = "" if name is None else self.city.class_name(name)
        told_of = say(self.city.language, "sheet_map", name=caption, profile=self.city.who)
        return Figure(told_of, svg, note=map_note(self.city))

    def _shares(self, area: dict[str, Any]) -> Table:
        text, limits = partial(say, self.city.language), self.city.minutes
        shares = {(row["class"], row["minutes"]): row["share"] for row in self._coverage.get(area["area_id"], [])}
        rows: list[list[Value]] = [
            [self.city.class_name(name), *(shares.get((name, limit)) for limit in limits), self._city_shares[name]]
            for name in self.city.classes
        ]
        columns = [
            Column(text("class"), width=2.9),
            *(Column(text("minutes_label", minutes=f"{limit:g}"), "share", 1.1) for limit in limits),
            Column(text("sheet_city", minutes=f"{self.city.middle:g}"), "share", 1.6),
        ]
        return Table(text("sheet_shares"), columns, rows)

    def _scored(self, area: dict[str, Any]) -> Table:
        text = partial(say, self.city.language)
        missing: dict[str, list[dict[str, Any]]] = {}
        for point in self._points.get(area["area_id"], []):
            missing.setdefault(point["item"], []).append(point)
        name = "name_zh" if self.city.language == "zh" else "name_en"
        rows: list[list[Value]] = [
            [
                item[name] or item["name_zh"],
                word("status", item["status"], self.city.language),
                _interval(item),
                self._lacking(missing.get(item["item"], [])),
            ]
            for item in self._items[area["area_id"]]
        ]
        columns = [
            Column(text("item"), width=2),
            Column(text("status"), width=0.8),
            Column(text("score"), width=1.15),
            Column(text("sheet_missing"), width=6),
        ]
        return Table("", columns, rows)

    def _evidence(self, point: dict[str, Any]) -> str:
        """What a point stands on; who walks as planners call them, where it stands in brackets by its id."""
        if self.city.language == "en":
            return str(point["evidence"] or "")
        told_of = str(point["evidence_zh"] or "")
        for name in self.city.profiles:
            told_of = told_of.replace(f"（{name}）", f"（{profile_name(name, 'zh')}）")
        return told_of

    def _lacking(self, points: Sequence[dict[str, Any]]) -> str:
        """What fails, worth most first, with what would mend it, and how many points nobody has looked at."""
        chinese, text = self.city.language == "zh", partial(say, self.city.language)
        failed = sorted(
            (point for point in points if point["status"] != "unknown"),
            key=lambda point: -point["weight"] * (1 - point["low"]),
        )
        said: list[str] = []
        for point in failed[:_MOST_MISSING]:
            evidence = self._evidence(point)
            most = _LONGEST[self.city.language]
            short = evidence if len(evidence) <= most else f"{evidence[:most]}…"
            # Evidence about people tells how many are not covered already.
            if point["gap"] is not None and point["gap_unit"] != "people":
                unit = unit_of(self.city, point)
                gap = text("lacking", gap=told(point["gap"], "number"), unit=unit)
                short = f"{short}（{gap}）" if chinese else f"{short} ({gap})"
            said.append(short)
        if len(failed) > _MOST_MISSING:
            said.append(text("and_more", count=len(failed)))
        unknown = len(points) - len(failed)
        if unknown:
            said.append(text("to_survey", count=unknown))
        return ("；" if chinese else "; ").join(said)


def headline(name: str) -> str:
    """A name in at most two lines of a sheet's head."""
    width, kept = 0, ""
    for letter in name:
        width += 2 if ord(letter) > _WIDE else 1
        if width > _HEADLINE:
            return f"{kept.rstrip()}…"
        kept += letter
    return name


class _Ground:
    """Streets and water with the extent of each line, so that a sheet finds its own at once."""

    def __init__(self, base: BaseMap) -> None:
        self._base = base
        self._lines = _extents(base.streets, "line")
        self._shapes = _extents(base.water, "polygon")

    def within(self, shown: Extent) -> BaseMap:
        """What lies on a sheet, whole lines."""
        streets = self._base.streets.join(_touching(self._lines, shown), on="line", how="semi", maintain_order="left")
        water = self._base.water.join(_touching(self._shapes, shown), on="polygon", how="semi", maintain_order="left")
        return replace(self._base, streets=streets, water=water)


def _extents(table: pl.DataFrame, key: str) -> pl.DataFrame:
    return table.group_by(key, maintain_order=True).agg(
        west=pl.col("lon").min(), east=pl.col("lon").max(), south=pl.col("lat").min(), north=pl.col("lat").max()
    )


def _touching(extents: pl.DataFrame, shown: Extent) -> pl.DataFrame:
    across = (pl.col("east") >= shown.west) & (pl.col("west") <= shown.east)
    return extents.filter(across & (pl.col("north") >= shown.south) & (pl.col("south") <= shown.north))


def _within(cells: pl.DataFrame, shown: Extent) -> pl.DataFrame:
    """Cells that lie on a sheet, and those that reach into it."""
    if not cells.width:
        return cells
    wider = shown.grown(0.1)
    across = pl.col("lon").is_between(wider.west, wider.east)
    return cells.filter(across & pl.col("lat").is_between(wider.south, wider.north))


def _seen(places: Places, shown: Extent) -> Places:
    kept = [
        (lon, lat)
        for lon, lat in zip(places.lon, places.lat, strict=True)
        if shown.west <= lon <= shown.east and shown.south <= lat <= shown.north
    ]
    return replace(places, lon=[lon for lon, _ in kept], lat=[lat for _, lat in kept])


def _interval(item: dict[str, Any]) -> str:
    """A score from … to … of what it is worth."""
    low, high = told(item["low"], "score"), told(item["high"], "score")
    score = low if low == high else f"{low}–{high}"
    return f"{score} / {told(item['weight'], 'score')}"


def _by_area(rows: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows.iter_rows(named=True):
        found.setdefault(row["area_id"], []).append(row)
    return found
