"""What projects build, as edits of a city: out of scenarios, files of them, JSON, or the columns of a ledger."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from walkshed import _engine, ledger
from walkshed.arrow import TableLike
from walkshed.build_order import project_scenarios
from walkshed.ledger import Row
from walkshed.project_rules import AMOUNTS, COLUMNS, PLANNED, RULE, values_of
from walkshed.scenario import OpenFacility, Scenario, of_dict

Deliverables: TypeAlias = "TableLike | Mapping[str, Scenario] | Sequence[Scenario]"

#: Why nothing is known of what a project builds, in English and Chinese; the codes of `project_scenarios` among them.
_WHY = {
    "no_kind": ("it says no kind", "未填写建设性质"),
    "no_class": ("it says no class", "未填写设施类别"),
    "no_place": ("what is new has no place", "新建设施没有位置"),
    "no_facility": ("no facility_id says what is changed", "没有 facility_id 说明改变哪处设施"),
    "no_amount": ("it says no amount", "没有填写规模"),
    "no_edits": ("the list of edits is empty", "措施内容为空"),
}

_SIMPLE = pl.Schema(
    [
        *((name, pl.String) for name in ("id", "kind", "class", "name", "facility_id", "opened_on")),
        *((name, pl.Float64) for name in ("cost_yuan", *AMOUNTS)),
    ]
)


@dataclass(frozen=True)
class Unbuildable:
    """Why there is no scenario of a project: a code, or what is wrong with its edits."""

    why: str
    detail: tuple[str, str] | None = None

    @classmethod
    def of_error(cls, error: Exception) -> Unbuildable:
        """What is said of the first fault."""
        problems = getattr(error, "problems", None) or [{"message": str(error), "message_zh": str(error)}]
        return cls("bad", (problems[0]["message"], problems[0]["message_zh"]))

    def fault(self, at: Row) -> dict[str, Any]:
        """The finding."""
        if self.detail is not None:
            return at.fault(RULE["bad_deliverable"], "edits", detail=self.detail[0], detail_zh=self.detail[1])
        why, why_zh = _WHY[self.why]
        return at.fault(RULE["no_deliverable"], "edits", why=why, why_zh=why_zh)


Deliverable: TypeAlias = "Scenario | Unbuildable"


def given(deliverables: Deliverables | None) -> tuple[dict[str, Deliverable], list[dict[str, Any]]]:
    """Deliverables by project id, and rows of a table of them that cannot be used.

    Raises:
        InputError: a table cannot be read, or has no `project_id`.

    """
    if deliverables is None:
        return {}, []
    if isinstance(deliverables, Mapping):
        return {str(name): plan for name, plan in deliverables.items()}, []
    if isinstance(deliverables, (str, os.PathLike)) and Path(deliverables).is_dir():
        return {path.stem: _of_file(path) for path in sorted(Path(deliverables).glob("*.toml"))}, []
    if isinstance(deliverables, Sequence) and not isinstance(deliverables, str):
        return {plan.name: plan for plan in deliverables}, []
    return _of_table(*ledger.read(deliverables, "deliverables"))


def of_row(name: str, values: dict[str, Any]) -> Deliverable:
    """What a row says that a project builds: its JSON, else its columns.

    Raises:
        ValueError: a value that is no number or no day.

    """
    edits = ledger.text(values.get("edits"))
    try:
        return _of_columns(name, values) if edits is None else _of_json(name, edits)
    except _engine.InputError as error:
        return Unbuildable.of_error(error)


def _of_columns(name: str, values: dict[str, Any]) -> Deliverable:
    read = values_of(values)
    for key in ("kind", "class"):
        if read[key] is None:
            return Unbuildable(f"no_{key}")
    facility, done_on = ledger.text(values.get("facility_id")), read[PLANNED[1]]
    row = {key: read[key] for key in ("kind", "name", *AMOUNTS)}
    row["class"] = ledger.class_of(read["class"]) or read["class"]
    row |= {"id": name, "facility_id": facility, "cost_yuan": read["budget_yuan"]}
    row["opened_on"] = None if done_on is None else str(done_on)
    made, left = project_scenarios(pl.DataFrame([row], schema=_SIMPLE))
    if not made:
        return Unbuildable(left["reason"][0])
    (edit,) = made[0].edits
    # A new facility has the id of its project, where the ledger does not say by which one it is known.
    if isinstance(edit, OpenFacility) and facility is not None:
        edit = replace(edit, id=facility)
    return Scenario([edit], name=name)


def _of_json(name: str, text: str) -> Deliverable:
    """Edits as `Scenario.to_json` writes them."""
    try:
        is_list = isinstance(json.loads(text), list)
    except ValueError:
        is_list = False
    if not is_list:
        return Unbuildable("bad", ("no JSON list, as of Scenario.to_json", "不是 Scenario.to_json 形式的 JSON 列表"))
    _, told = _engine.check_edits(text)
    return Scenario([of_dict(edit) for edit in json.loads(told)], name=name)


def _of_file(path: Path) -> Deliverable:
    try:
        return Scenario.from_toml(path)
    except _engine.InputError as error:
        return Unbuildable.of_error(error)


def _of_table(file: str, table: pl.DataFrame) -> tuple[dict[str, Deliverable], list[dict[str, Any]]]:
    """The edits of every project of a table, rows in their order; a project with one bad row has none."""
    words = {**COLUMNS, "project_id": ("project_id", "项目编号")}  # `id` may be that of a facility here
    table, headings = ledger.named(table, words, "project_id", file)
    found: dict[str, Deliverable] = {}
    rejected: list[dict[str, Any]] = []
    for number, values in enumerate(table.iter_rows(named=True), start=1):
        name = ledger.text(values["project_id"])
        if name is None:
            rejected.append(Row(file, number, None, headings).fault(ledger.NO_ID, "project_id"))
            continue
        found[name] = _together(found.get(name), _of_checked(name, values))
    return found, rejected


def _of_checked(name: str, values: dict[str, Any]) -> Deliverable:
    try:
        return of_row(name, values)
    except ValueError as error:
        return Unbuildable.of_error(error)


def _together(before: Deliverable | None, part: Deliverable) -> Deliverable:
    if isinstance(before, Scenario) and isinstance(part, Scenario):
        return before + part
    return before if isinstance(before, Unbuildable) else part
