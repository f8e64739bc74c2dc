"""Which projects explain which facilities that differ between two releases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl

from walkshed.plan_share import done_by
from walkshed.projects import Projects
from walkshed.scenario import (
    CloseFacility,
    Edit,
    MoveFacility,
    NewHomes,
    OpenFacility,
    ResizeFacility,
    Scenario,
    SetArea,
)

#: What each edit of a facility makes of it.
_MADE = {OpenFacility: ("new", "moved"), MoveFacility: ("moved", "new"), CloseFacility: ("gone",)}
#: Where the effect of other edits is counted; those of links in the streets.
_ELSEWHERE: dict[type, str] = {ResizeFacility: "amounts", NewHomes: "people", SetArea: "borders"}
_BUILT = {name: pl.String() for name in ("project_id", "edit", "id", "class", "state", "reason")}


def causes_of(
    changes: pl.DataFrame,
    open_after: pl.DataFrame,
    projects: Projects | None,
    as_built: Mapping[str, Scenario] | None,
    day: dt.date,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Tell the cause of every facility that differs.

    Args:
        changes: as of `facility_changes`.
        open_after: `class` and `id` of the facilities that are open later.
        projects: the ledger; None for none.
        as_built: what was built, by project id, where it is not what the ledger says.
        day: the last day on which a project counts as done.

    Returns:
        The changes with `cause` and `project_id`, and the edits of done projects with what each explains.

    Raises:
        ValueError: a project of `as_built` that the ledger does not have.

    """
    told = _Changes(changes, open_after)
    rows = [] if projects is None else [told.explain(*edit) for edit in _edits(projects, dict(as_built or {}), day)]
    return told.with_causes(), pl.DataFrame(rows, schema=_BUILT)


def _edits(projects: Projects, as_built: dict[str, Scenario], day: dt.date) -> Iterator[tuple[str, Edit | None]]:
    """The edits of projects that are done; None for a project of which nothing is known."""
    if unknown := sorted(set(as_built) - set(projects.table["project_id"])):
        raise ValueError(f"as_built: the ledger has no project {', '.join(unknown)}")
    plans = {plan.name: plan for plan in projects.scenarios()} | as_built
    for name in projects.table.filter(done_by(day))["project_id"]:
        edits: Iterable[Edit | None] = plans[name].edits if name in plans else [None]
        for edit in edits:
            yield name, edit


class _Changes:
    """Facilities that differ, as projects explain them one after the other."""

    def __init__(self, changes: pl.DataFrame, open_after: pl.DataFrame) -> None:
        self._table = changes
        self._rows = {(row["class"], row["id"]): row for row in changes.iter_rows(named=True)}
        self._open = set(open_after.select("class", "id").iter_rows())
        self._project: dict[tuple[str, str], str] = {}

    def explain(self, project: str, edit: Edit | None) -> dict[str, str | None]:
        """The row of an edit: the state of the facility that it explains, or why there is none."""
        row = dict.fromkeys(_BUILT, None) | {"project_id": project}
        if edit is None:
            return row | {"reason": "no_deliverable"}
        row |= {"edit": edit.to_dict()["do"]}
        if not isinstance(edit, (OpenFacility, MoveFacility, CloseFacility)):
            return row | {"id": _text(getattr(edit, "id", None)), "reason": _ELSEWHERE.get(type(edit), "streets")}
        name, kind = str(edit.id), edit.class_
        row |= {"id": name, "class": kind}
        meant = [key for key in self._rows if key[1] == name and kind in (None, key[0])]
        found = [key for key in meant if self._rows[key]["state"] in _MADE[type(edit)]]
        if not found:
            is_open = any(key[1] == name and kind in (None, key[0]) for key in self._open)
            return row | {"reason": "already_so" if is_open != isinstance(edit, CloseFacility) else "not_so"}
        free = [key for key in found if key not in self._project]
        self._project |= dict.fromkeys(free, project)
        return row | {"state": self._rows[found[0]]["state"], "reason": None if free else "another_project"}

    def with_causes(self) -> pl.DataFrame:
        """The table with the cause of every row, and the project that explains it."""
        told = [self._cause(key, row) for key, row in self._rows.items()]
        schema = {"cause": pl.String, "project_id": pl.String}
        columns = pl.DataFrame(told, schema=schema, orient="row")
        at = self._table.columns.index("lon_before")
        table = pl.concat([self._table, columns], how="horizontal")
        return table.select(*self._table.columns[:at], *schema, *self._table.columns[at:])

    def _cause(self, key: tuple[str, str], row: dict[str, Any]) -> tuple[str, str | None]:
        # An id that gave up a class for another did one thing, not two.
        project = self._project.get(key, self._project.get((row["class_after"], row["id"])))
        if project is not None:
            return "projects", project
        return "closures" if row["state"] == "gone" and row["class_after"] is None else "openings", None


def _text(value: object) -> str | None:
    return None if value is None else str(value)
