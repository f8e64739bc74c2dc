"""Tables of a run as they go into a workbook: all columns that can be read there, with headings in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from walkshed.report.content import Column, Kind
from walkshed.report.data_chapters import rejected_rows
from walkshed.report.facts import City
from walkshed.report.words import say

#: So many rows of one table go into a workbook; more is for programs, and stays where the run has written it.
MOST_ROWS = 2_000_000


@dataclass(frozen=True)
class RawTable:
    """A table of a run.

    Attributes:
        title: what its sheet is called.
        columns: with headings in words.
        machine_names: the names of the columns in files.
        rows: how many.
        table: gives the rows, as numbers and texts.
        note: what must be known beside.
        left_out: why it is not in the workbook, and where it is; empty where it is.

    """

    title: str
    columns: Sequence[Column]
    machine_names: Sequence[str]
    rows: int
    table: Callable[[], pl.DataFrame]
    note: str = ""
    left_out: str = ""


def raw_tables(city: City) -> list[RawTable]:
    """Tables of the run, its scorecard and its scenarios, in the order in which they are read."""
    text = partial(say, city.language)
    made = [
        _coverage_table(city),
        _table(city, text("raw_areas"), city.areas.lazy(), _of_run(city, "areas")),
        _table(city, text("raw_facilities"), city.facilities.lazy(), _of_run(city, "facilities")),
        _table(city, text("raw_cells"), city.cells.lazy(), _of_run(city, "cells")),
        _table(city, text("raw_times"), pl.scan_parquet(city.result.folder / "times.parquet"), _of_run(city, "times")),
    ]
    if city.scorecard is not None:
        for name in ("totals", "items", "points"):
            frame: pl.DataFrame = getattr(city.scorecard, name)
            made.append(_table(city, text(f"raw_{name}"), frame.lazy(), _place(city, None, name, "score")))
    if city.scenarios is not None and city.scenarios.report["scenarios"]:
        gains, coverage = (city.scenarios.table(name).lazy() for name in ("gains", "coverage"))
        folder = city.scenarios.folder
        made.append(_table(city, text("raw_gains"), gains, _place(city, folder, "gains", "scenario")))
        of_plans = _place(city, folder, "coverage", "scenario")
        made.append(_table(city, text("raw_scenario_coverage"), coverage, of_plans))
    made.append(_table(city, text("raw_rejected"), rejected_rows(city).lazy(), _of_run(city, "rejected")))
    return made


def _of_run(city: City, name: str) -> str:
    return _place(city, city.result.folder, name, "run")


def _place(city: City, folder: Path | None, name: str, command: str) -> str:
    """Where the whole of a table is, or which command keeps it; the path to the folder is nobody's business."""
    file = f"{name}.parquet"
    if folder is None or not city.is_kept:
        return say(city.language, "not_kept", command=command, file=file)
    return say(city.language, "in_folder", folder=folder.resolve().name, file=file)


def _coverage_table(city: City) -> RawTable:
    """Coverage of all groups, of everybody alone where those are too many rows."""
    title, rows = say(city.language, "raw_coverage"), pl.scan_parquet(city.result.folder / "coverage.parquet")
    count, place = int(rows.select(pl.len()).collect().item()) // len(city.minutes), _of_run(city, "coverage")
    if count <= MOST_ROWS:
        return _table(city, title, _wide(city, rows), place)
    note = say(city.language, "everybody_only", rows=f"{count:,}", place=place)
    return _table(city, title, _wide(city, rows.filter(pl.col("group") == "all")), place, note)


def _wide(city: City, rows: pl.LazyFrame) -> pl.LazyFrame:
    """Coverage of areas with a row for each class, group and profile, and thresholds beside each other."""
    key = ["area_id", "class", "group", "profile"]
    first = rows.filter(pl.col("minutes") == city.minutes[0])
    wide = first.select(*key, "people", "people_not_connected", "people_not_snapped")
    for limit in city.minutes:
        now = rows.filter(pl.col("minutes") == limit)
        told = now.select(
            *key,
            pl.col("people_covered").alias(f"people_covered_{limit:g}"),
            pl.col("share").alias(f"share_{limit:g}"),
        )
        wide = wide.join(told, on=key, how="left", maintain_order="left")
    names = city.areas.select("area_id", "name", "level").lazy()
    named = wide.join(names, on="area_id", how="left", maintain_order="left")
    return named.select("area_id", "name", "level", pl.exclude("area_id", "name", "level"))


def _table(city: City, title: str, rows: pl.LazyFrame, place: str, note: str = "") -> RawTable:
    """A table with its columns in words, H3 cells as text, and without shapes."""
    count = int(rows.select(pl.len()).collect().item())
    schema = rows.collect_schema()
    shown = [name for name in schema if not _is_shape(name, schema[name])]
    columns = [_column(city, name, schema[name]) for name in shown]
    left_out = ""
    if count > MOST_ROWS:
        left_out = say(city.language, "not_put_in", rows=f"{count:,}", place=place)

    def table() -> pl.DataFrame:
        return rows.select(_told(name, schema[name]) for name in shown).collect()

    return RawTable(title, columns, shown, count, table, note, left_out)


def _is_shape(name: str, kind: pl.DataType) -> bool:
    return name == "geometry" or kind == pl.Binary


def _told(name: str, kind: pl.DataType) -> pl.Expr:
    """A column as a workbook holds it: cells of H3 are longer than numbers there are exact."""
    column = pl.col(name)
    if name in ("cell", "origin_id") and kind.is_integer():
        return pl.format("{}", column.cast(pl.UInt64)).map_batches(_hex, pl.String).alias(name)
    if kind.is_temporal() or kind == pl.Boolean:
        return column.cast(pl.String)
    return column if kind.is_numeric() else column.cast(pl.String)


def _hex(cells: pl.Series) -> pl.Series:
    """H3 cells as they are written everywhere: hexadecimal."""
    return pl.Series(cells.name, [None if cell is None else f"{int(cell):x}" for cell in cells], pl.String)


def _column(city: City, name: str, kind: pl.DataType) -> Column:
    return Column(_HEADINGS.get(name, (name, name))[0 if city.language == "zh" else 1], _kind(name, kind))


def _kind(name: str, kind: pl.DataType) -> Kind:
    if not kind.is_numeric() or name in ("cell", "origin_id"):
        return "text"
    if name.startswith("share"):
        return "share"
    if name.startswith("people"):
        return "people"
    if name.endswith("_yuan"):
        return "yuan"
    return "rate" if kind.is_float() else "number"


_HEADINGS: dict[str, tuple[str, str]] = {
    "area_id": ("分区编号", "Area"),
    "name": ("名称", "Name"),
    "level": ("级别", "Level"),
    "parent_id": ("上级编号", "Part of"),
    "code": ("代码", "Code"),
    "class": ("设施类别", "Class"),
    "group": ("群体", "Group"),
    "profile": ("步行人群", "Who walks"),
    "minutes": ("分钟", "Minutes"),
    "people": ("人口", "People"),
    "people_covered": ("可到达人口", "People who reach"),
    "share": ("覆盖率", "Share"),
    "people_beyond": ("超出时间人口", "Too far (people)"),
    "people_not_connected": ("路网不连通人口", "No way (people)"),
    "people_not_snapped": ("附近无道路人口", "No street near (people)"),
    "cell": ("H3 网格", "H3 cell"),
    "origin_id": ("H3 网格", "H3 cell"),
    "lon": ("经度", "Longitude"),
    "lat": ("纬度", "Latitude"),
    "households": ("户数", "Households"),
    "snap_m": ("至道路距离（米）", "To the street (m)"),
    "time_s": ("步行时间（秒）", "Walk (s)"),
    "facility_id": ("最近设施", "Nearest facility"),
    "reason": ("原因", "Reason"),
    "id": ("编号", "Id"),
    "state": ("状态", "State"),
    "status": ("状态", "Status"),
    "service_level": ("服务层级", "Level of service"),
    "planned_on": ("规划日期", "Planned on"),
    "building_since": ("开工日期", "Building since"),
    "opened_on": ("开放日期", "Opened on"),
    "closed_on": ("关停日期", "Closed on"),
    "places": ("座位/学位", "Places"),
    "beds": ("床位", "Beds"),
    "floor_area_m2": ("建筑面积（平方米）", "Floor area (m²)"),
    "land_area_m2": ("用地面积（平方米）", "Land (m²)"),
    "staff": ("工作人员", "Staff"),
    "operator": ("运营单位", "Operator"),
    "source": ("出处", "Source"),
    "doors": ("出入口", "Doors"),
    "category": ("类别", "Category"),
    "item": ("条目", "Item"),
    "point": ("评分点", "Point"),
    "kind": ("规则", "Rule"),
    "need": ("要求", "Need"),
    "value": ("实测", "Measured"),
    "low": ("低值", "Low"),
    "high": ("高值", "High"),
    "weight": ("分值", "Worth"),
    "evidence": ("依据（英文）", "Evidence"),
    "evidence_zh": ("依据", "Evidence (Chinese)"),
    "facilities": ("相关设施", "Facilities"),
    "gap": ("缺口", "Gap"),
    "gap_unit": ("单位（英文）", "Unit"),
    "gap_unit_zh": ("单位", "Unit (Chinese)"),
    "name_zh": ("名称", "Name (Chinese)"),
    "name_en": ("英文名称", "Name"),
    "total_points": ("满分", "Full score"),
    "observed": ("已知部分得分", "Score of what is known"),
    "known_weight": ("已知分值", "Known worth"),
    "grade": ("等级", "Grade"),
    "grade_low": ("等级（低）", "Grade (low)"),
    "grade_high": ("等级（高）", "Grade (high)"),
    "weakest": ("最弱类别", "Weakest category"),
    "scenario": ("方案", "Scenario"),
    "people_gaining": ("受益人口", "People gaining"),
    "people_losing": ("受损人口", "People losing"),
    "people_minutes_saved": ("节省人·分钟", "People × minutes saved"),
    "file": ("文件", "File"),
    "row": ("行", "Row"),
    "column": ("列", "Column"),
    "message": ("说明（英文）", "Message"),
    "message_zh": ("说明", "Message (Chinese)"),
}
