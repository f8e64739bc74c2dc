"""Taking out of a city what a project built there: the edits that undo its edits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from walkshed import _engine
from walkshed.arrow import TableLike
from walkshed.scenario import (
    AddLink,
    CloseFacility,
    CloseLink,
    Edit,
    MoveFacility,
    NewHomes,
    OpenFacility,
    OpenLink,
    ResizeFacility,
    RetimeLink,
    Scenario,
    SetArea,
)


@dataclass(frozen=True)
class Stuck:
    """Why a project was not measured."""

    reason: str
    message: str
    message_zh: str

    @classmethod
    def of_error(cls, error: _engine.InputError) -> Stuck:
        """What the engine says of the first fault."""
        first = error.problems[0]
        return cls(first["reason"], first["message"], first["message_zh"])

    def row(self, project: str) -> dict[str, str]:
        """The row of a table."""
        return {"project_id": project, **vars(self)}


class TakeOut:
    """How what was built is undone, by what the facilities were before."""

    def __init__(self, before: TableLike, after: TableLike) -> None:
        """Read both tables of facilities."""
        self._before, self._after = (_by_id(table) for table in (before, after))

    def of(self, built: Scenario) -> Scenario | Stuck:
        """The edits that undo a scenario, last one first; or why there are none."""
        undone: list[Edit] = []
        for edit in reversed(built.edits):
            made = _UNDO[type(edit)](self, edit)
            if isinstance(made, str):
                en, zh = _WHY[made]
                kind = type(edit).__name__
                return Stuck("cannot_undo", f"{kind} cannot be taken out: {en}", f"{kind} 无法撤除：{zh}")
            undone.append(made)
        return Scenario(undone, name=f"without {built.name}")

    def _was(self, edit: Any) -> dict[str, Any] | None:
        """The facility that an edit names, as it was before; None where it was not, or where several are meant."""
        rows = [row for row in self._before.get(str(edit.id), []) if edit.class_ in (None, row["class"])]
        return rows[0] if len(rows) == 1 else None

    def opened(self, edit: OpenFacility) -> Edit:
        """It closes."""
        return CloseFacility(edit.id, edit.class_)

    def closed(self, edit: CloseFacility) -> Edit | str:
        """It opens again: by its entry in the ledger of after, else where it was."""
        if str(edit.id) in self._after:
            return OpenFacility(edit.id)
        was = self._was(edit)
        return "not_known" if was is None else OpenFacility(edit.id, was["class"], (was["lon"], was["lat"]))

    def moved(self, edit: MoveFacility) -> Edit | str:
        """It goes back."""
        was = self._was(edit)
        return "not_known" if was is None else MoveFacility(edit.id, (was["lon"], was["lat"]), edit.class_)

    def resized(self, edit: ResizeFacility) -> Edit | str:
        """It holds what it held."""
        was = self._was(edit)
        old = {} if was is None else {column: was.get(column) for column in edit.capacity}
        known = {column: amount for column, amount in old.items() if amount is not None}
        return ResizeFacility(edit.id, known, edit.class_) if len(known) == len(edit.capacity) else "no_amount"

    def linked(self, edit: AddLink) -> Edit:
        """The way that was added closes."""
        return CloseLink(edit.id)

    def reopened(self, edit: OpenLink) -> Edit:
        """The way that was opened closes."""
        return CloseLink(edit.id, edit.at)


def _by_id(table: TableLike) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in Scenario([]).facilities(table).iter_rows(named=True):
        found.setdefault(str(row["id"]), []).append(row)
    return found


_WHY = {
    "not_known": ("where it was before is not known", "原位置未知"),
    "no_amount": ("what it held before is not known", "原规模未知"),
    "way_gone": ("the city no longer has the way", "现状路网中已无该道路"),
    "old_time": ("the time that it took before is not known", "原通行时间未知"),
    "people": ("people who moved in are among all people of the city", "迁入人口已计入全市人口"),
    "border": ("borders are the same in all worlds", "各情景采用同一分区边界"),
}

_UNDO: dict[type, Callable[[TakeOut, Any], Edit | str]] = {
    OpenFacility: TakeOut.opened,
    CloseFacility: TakeOut.closed,
    MoveFacility: TakeOut.moved,
    ResizeFacility: TakeOut.resized,
    AddLink: TakeOut.linked,
    OpenLink: TakeOut.reopened,
    CloseLink: lambda _, edit: "way_gone",
    RetimeLink: lambda _, edit: "old_time",
    NewHomes: lambda _, edit: "people",
    SetArea: lambda _, edit: "border",
}
