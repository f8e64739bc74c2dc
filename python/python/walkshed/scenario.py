"""Scenarios: edits of a city, in order, over a baseline that stays as it is."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeAlias, cast

import polars as pl

from walkshed import _engine, cards
from walkshed.arrow import ArrowStream, TableLike, frame, to_engine
from walkshed.geotable import GeoTable
from walkshed.rejected import warn

LonLat: TypeAlias = "tuple[float, float]"
LinkKind: TypeAlias = Literal["path", "footbridge", "crossing", "steps", "escalator", "lift", "cableway"]
Ways: TypeAlias = Literal["both", "forward", "backward"]


@dataclass(frozen=True, kw_only=True)
class _Edit:
    """What every edit may say beside."""

    cost_yuan: float | None = None
    project: str | None = None
    on: str | datetime.date | None = None

    def to_dict(self) -> dict[str, Any]:
        """The keys of an `[[edit]]` of a TOML file; what is not said is left out."""
        told = {one.name: getattr(self, one.name) for one in fields(self)}
        told = {key.rstrip("_"): value for key, value in told.items() if _is_said(value)}
        if self.on is not None:
            told["on"] = str(self.on)
        return {"do": _NAMES[type(self)]} | told


@dataclass(frozen=True)
class OpenFacility(_Edit):
    """A facility opens: a new one, which needs class and place, or one of the ledger that is not open.

    Args:
        id: its id; of the type of the other ids.
        class_: its class.
        place: longitude and latitude.
        name: what it is called.
        capacity: amounts by column, as `{"places": 120}`.
        cost_yuan: what the edit costs.
        project: the project that it belongs to.
        on: the day from which it is so, as "2027-06-01".

    """

    id: str | int
    class_: str | None = None
    place: LonLat | None = None
    name: str | None = None
    capacity: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True)
class CloseFacility(_Edit):
    """A facility closes; of several classes all, or the one named.

    Args:
        id: its id.
        class_: the class, where only one is meant.
        cost_yuan: what the edit costs.
        project: the project that it belongs to.
        on: the day from which it is so, as "2027-06-01".

    """

    id: str | int
    class_: str | None = None


@dataclass(frozen=True)
class MoveFacility(_Edit):
    """A facility moves.

    Args:
        id: its id.
        place: longitude and latitude of the new place.
        class_: the class, where only one is meant.
        cost_yuan: what the edit costs.
        project: the project that it belongs to.
        on: the day from which it is so, as "2027-06-01".

    """

    id: str | int
    place: LonLat
    class_: str | None = None


@dataclass(frozen=True)
class ResizeFacility(_Edit):
    """A facility holds more or less.

    Args:
        id: its id.
        capacity: amounts by column, as `{"places": 120}`; amounts that are not named stay.
        class_: the class, where only one is meant.
        cost_yuan: what the edit costs.
        project: the project that it belongs to.
        on: the day from which it is so, as "2027-06-01".

    """

    id: str | int
    capacity: Mapping[str, float]
    class_: str | None = None


@dataclass(frozen=True)
class AddLink(_Edit):
    """A link between two streets.

    Each end is joined to the nearest point of a street, at most 50 m away, or by a joint
    to the ends of other links. Homes and doors keep the streets that they open onto, so a new
    link never lengthens a walk.

    Args:
        id: its id, by which later edits know it.
        from_: longitude and latitude of its first end.
        to: of its second end.
        kind: what it is: path (also a gate that is opened), footbridge, crossing, steps, escalator, lift, cableway.
        from_joint: a name for its first end, which is then joined to ends of other links of that name and to no street,
            as the top of a lift from which a footbridge leads.
        to_joint: the same for its second end.
        via: corners between, in order.
        length_m: its length; as drawn where None, stairs as long as their rise needs.
        rise_m: how much higher its second end is; by the terrain at its ends where None.
        floors: floors that a lift moves; by its rise, at 1 m/s, where None.
        directions: "both", "forward" (from the first end), "backward"; None is both, forward for escalators.
        forward_s: seconds, for everybody who can use it; by kind, rise and profile where None.
        backward_s: seconds back; as `forward_s` where only one is given.
        wheelchair: whether a wheelchair may pass, where that is known.
        stroller_ramp: stairs with a ramp for pushchairs.
        wheelchair_ramp: stairs with a ramp for wheelchairs.
        handrail: whether stairs have one, where that is known.
        cost_yuan: what the edit costs.
        project: the project that it belongs to.
        on: the day from which it is so, as "2027-06-01".

    """

    id: str | int
    from_: LonLat
    to: LonLat
    kind: LinkKind = "path"
    from_joint: str | None = None
    to_joint: str | None = None
    via: Sequence[LonLat] = ()
    length_m: float | None = None
    rise_m: float | None = None
    floors: float | None = None
    directions: Ways | None = None
    forward_s: float | None = None
    backward_s: float | None = None
    wheelchair: bool | None = None
    stroller_ramp: bool = False
    wheelchair_ramp: bool = False
    handrail: bool | None = None

    def to_dict(self) -> dict[str, Any]:
        """The keys of an `[[edit]]` of a TOML file; what is not said is left out."""
        told = super().to_dict()
        # False says something of these: not known is None.
        return told | {key: False for key in ("wheelchair", "handrail") if getattr(self, key) is False}


@dataclass(frozen=True)
class _WhichLink(_Edit):
    """The ways that an edit means."""

    id: str | int | None = None
    at: LonLat | None = None


@dataclass(frozen=True)
class CloseLink(_WhichLink):
    """Ways that nobody may walk any more.

    Args:
        id: id of a way of the source, with all its edges, or of an added link.
        at: longitude and latitude: the edge nearest to it, of that id where one is given.
        cost_yuan: what the edit costs.
        project: the project that it belongs to.
        on: the day from which it is so, as "2027-06-01".

    """


@dataclass(frozen=True)
class OpenLink(_WhichLink):
    """Ways that an earlier edit closed.

    Args:
        id: as of `CloseLink`.
        at: as of `CloseLink`.
        cost_yuan: what the edit costs.
        project: the project that it belongs to.
        on: the day from which it is so, as "2027-06-01".

    """


@dataclass(frozen=True)
class RetimeLink(_WhichLink):
    """Ways that take another time, for everybody who can use them.

    Args:
        id: as of `CloseLink`.
        at: as of `CloseLink`.
        forward_s: seconds over all edges that are meant, together; shared by their lengths.
        backward_s: seconds back.
        cost_yuan: what the edit costs.
        project: the project that it belongs to.
        on: the day from which it is so, as "2027-06-01".

    """

    forward_s: float | None = None
    backward_s: float | None = None


@dataclass(frozen=True)
class NewHomes(_Edit):
    """People move in. In a cell where some live already they step out where those do.

    Args:
        place: longitude and latitude.
        people: how many.
        groups: how many of each group, as `{"senior_60_plus": 40}`.
        cost_yuan: what the edit costs.
        project: the project that it belongs to.
        on: the day from which it is so, as "2027-06-01".

    """

    place: LonLat
    people: float
    groups: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True)
class SetArea(_Edit):
    """A new area, or another border of one.

    Args:
        id: its `area_id`.
        outline: rings of longitude and latitude, the outer one first, holes after it.
        name: what it is called.
        level: its level.
        parent_id: the area above.
        cost_yuan: what the edit costs.
        project: the project that it belongs to.
        on: the day from which it is so, as "2027-06-01".

    """

    id: str | int
    outline: Sequence[Sequence[LonLat]]
    name: str | None = None
    level: str | None = None
    parent_id: str | None = None


Edit: TypeAlias = (
    OpenFacility
    | CloseFacility
    | MoveFacility
    | ResizeFacility
    | AddLink
    | CloseLink
    | OpenLink
    | RetimeLink
    | NewHomes
    | SetArea
)

_NAMES: dict[type, str] = {
    OpenFacility: "open_facility",
    CloseFacility: "close_facility",
    MoveFacility: "move_facility",
    ResizeFacility: "resize_facility",
    AddLink: "add_link",
    CloseLink: "close_link",
    OpenLink: "open_link",
    RetimeLink: "retime_link",
    NewHomes: "new_homes",
    SetArea: "set_area",
}
_CLASSES = {name: kind for kind, name in _NAMES.items()}


class Scenario:
    """Edits of a city, in order. Two scenarios of the same edits have the same `id`.

    Example:
        >>> lift = AddLink("lift 1", (106.55, 29.56), (106.551, 29.56), kind="lift", rise_m=32, cost_yuan=4e6)
        >>> plan = Scenario([lift, CloseFacility("canteen 7")])
        >>> len(plan), plan.cost_yuan
        (2, 4000000.0)

    """

    def __init__(self, edits: Iterable[Edit], *, name: str = "scenario") -> None:
        """Take edits in the order in which they happen.

        Args:
            edits: the edits.
            name: what the scenario is called.

        Raises:
            InputError: every fault of every edit.
            ValueError: a number that is not finite.

        """
        edits = list(edits)
        told = "[" + ", ".join(_to_json(edit) for edit in edits) + "]"
        self._id, self._json = _engine.check_edits(told)
        self._edits = tuple(edits)
        self._name = name

    @classmethod
    def from_toml(cls, path: str | os.PathLike[str]) -> Scenario:
        """Read a scenario file: `[scenario] name`, and one `[[edit]]` after the other (docs/scenarios.md).

        Args:
            path: the file.

        Raises:
            InputError: every fault of every edit.

        """
        name, _, told = _engine.read_scenario(os.fspath(path))
        return cls([of_dict(edit) for edit in json.loads(told)], name=name)

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The edits, in order."""
        return self._edits

    @property
    def name(self) -> str:
        """What it is called."""
        return self._name

    @property
    def id(self) -> str:
        """Hash of the edits, 16 hexadecimal digits."""
        return self._id

    @property
    def cost_yuan(self) -> float:
        """What the edits cost that say it, added up."""
        return sum(edit.cost_yuan or 0.0 for edit in self._edits)

    def until(self, day: str | datetime.date) -> Scenario:
        """What is so on a day: the edits whose day has come, and those that have none.

        Args:
            day: such as "2027-06-01".

        Returns:
            A scenario of fewer edits.

        Raises:
            ValueError: no such day.

        """
        last = datetime.date.fromisoformat(str(day))
        come = [edit for edit in self._edits if edit.on is None or datetime.date.fromisoformat(str(edit.on)) <= last]
        return Scenario(come, name=f"{self._name} {last}")

    def to_json(self) -> str:
        """The edits as JSON, with the keys of the TOML file."""
        return self._json

    def __add__(self, other: Scenario) -> Scenario:
        """Both, one after the other."""
        return Scenario([*self._edits, *other._edits], name=f"{self._name} + {other._name}")

    def __len__(self) -> int:
        """Number of edits."""
        return len(self._edits)

    def __eq__(self, other: object) -> bool:
        """Whether the edits are the same."""
        return isinstance(other, Scenario) and self._id == other._id

    def __hash__(self) -> int:
        """By the edits."""
        return hash(self._id)

    def __repr__(self) -> str:
        """What happens, and the id."""
        kinds = [_NAMES[type(edit)] for edit in self._edits]
        counted = ", ".join(f"{kinds.count(kind)} × {kind}" for kind in dict.fromkeys(kinds))
        counted = kinds[0] if len(kinds) == 1 else counted
        return f"Scenario({len(kinds)} edit{'s' * (len(kinds) != 1)}: {counted or 'none'}, id {self._id})"

    def _repr_html_(self) -> str:
        rows = [
            (place, _NAMES[type(edit)], _about(edit), edit.on and str(edit.on), edit.project, edit.cost_yuan)
            for place, edit in enumerate(self._edits, 1)
        ]
        schema = {"step": pl.Int64, "action": pl.String, "what": pl.String, "on": pl.String, "project": pl.String}
        table = pl.DataFrame(rows, schema=schema | {"cost_yuan": pl.Float64}, orient="row")
        return cards.card(
            f"方案 Scenario: {self._name}",
            facts=[
                ("措施 Edits", len(self)),
                ("造价（元） Cost (yuan)", self.cost_yuan or None),
                ("未说明造价 Without a cost", table["cost_yuan"].null_count() or None),
                ("编号 Id", self._id),
            ],
            tables=[cards.table(table, table.columns, most=20)],
        )

    def facilities(self, facilities: TableLike) -> pl.DataFrame:
        """A table of facilities after the edits, for measures that take one, as `two_step_fca`.

        Args:
            facilities: as of `Network.nearest`: `id`, `class`, a place, and any column of amounts.

        Returns:
            The columns of `facilities.parquet` of a run, and those of the given table beside (of tables in memory, not
            of files); what is not known of a new facility is null. Rows keep their order, new ones come after them;
            `status` and `state` are "closed" for those that close.

        Raises:
            InputError: a facility that an edit names is not there, or is there already.

        Warns:
            RejectedRowsWarning: rows were left out.

        """
        table = frame(facilities) if isinstance(facilities, ArrowStream) else pl.DataFrame()
        read, rejected = _engine.edit_facilities(self._json, to_engine(facilities, "facilities"))
        warn(frame(rejected))
        edited = frame(read).drop("geometry")
        own = [name for name in table.columns if name not in edited.columns and name not in ("geometry", "people")]
        if own and table.height:
            keys = [key for key in ("id", "class") if key in table.columns]
            beside = table.select(*keys, *own).with_columns(pl.col("id").cast(edited.schema["id"]))
            edited = edited.join(beside, on=keys, how="left", maintain_order="left")
        return _with_amounts(edited, self._edits, own)

    def cells(self, cells: TableLike, *, groups: Sequence[str] | None = None) -> pl.DataFrame:
        """A table of cells after the edits, for `Network.nearest` and `coverage`.

        Args:
            cells: `cell`, `people`, groups, and `lon`, `lat` where given.
            groups: as of `coverage`.

        Returns:
            `cell`, `lon`, `lat`, `people`, the groups. Rows keep their order, new cells come after them.

        Raises:
            InputError: a column is missing, or an edit names a group that is not there.

        Warns:
            RejectedRowsWarning: rows were left out.

        """
        wanted = None if groups is None else list(groups)
        edited, rejected = _engine.edit_cells(self._json, to_engine(cells, "cells"), wanted)
        warn(frame(rejected))
        return frame(edited).drop("snap_m", "geometry")

    def areas(self, areas: TableLike) -> GeoTable:
        """A table of areas after the edits, for `coverage`.

        Args:
            areas: `area_id` and a polygon.

        Returns:
            `area_id`, `name`, `level`, `parent_id`, `code`, `geometry`. Rows keep their order, new areas come after.

        Raises:
            InputError: a column is missing, or an outline is none.

        Warns:
            RejectedRowsWarning: rows were left out.

        """
        edited, rejected = _engine.edit_areas(self._json, to_engine(areas, "areas"))
        warn(frame(rejected))
        return GeoTable(edited)


def _about(edit: Edit) -> str:
    """What an edit does, in a line."""
    told = {key: value for key, value in edit.to_dict().items() if key not in ("do", "cost_yuan", "project", "on")}
    return "; ".join(f"{key} {_shown(key, value)}" for key, value in told.items())


def _shown(key: str, value: Any) -> str:
    if key == "class":
        return cards.of_class(str(value))
    if key in ("place", "from", "to", "at"):
        return f"{value[0]:.5f} {value[1]:.5f}"
    if key in ("outline", "via"):
        return f"({len(value)})"
    if isinstance(value, Mapping):
        amounts = cast("Mapping[str, float]", value)
        return ", ".join(f"{name} {amount:g}" for name, amount in amounts.items())
    return str(value)


def _is_said(value: Any) -> bool:
    is_empty = isinstance(value, (tuple, Mapping)) and not value
    return not (value is None or value is False or is_empty)


def _to_json(edit: Edit) -> str:
    try:
        return json.dumps(edit.to_dict(), default=_plain, allow_nan=False)
    except ValueError as error:
        raise ValueError(f"{edit!r}: a number must be finite") from error


def _plain(value: Any) -> Any:
    """Numbers of numpy and polars as JSON has them."""
    if hasattr(value, "item"):
        return value.item()
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, float]", value))
    raise TypeError(f"{value!r} is no value of an edit")


def of_dict(told: dict[str, Any]) -> Edit:
    """The edit that an `[[edit]]` of a TOML file says, checked by the engine before."""
    kind = _CLASSES[told.pop("do")]
    names = {one.name.rstrip("_"): one.name for one in fields(kind)}
    lists = {key: tuple(cast("list[object]", value)) for key, value in told.items() if isinstance(value, list)}
    values = {names[key]: value for key, value in (told | lists).items()}
    edit: Edit = kind(**values)
    return edit


def _with_amounts(table: pl.DataFrame, edits: Sequence[Edit], own: Sequence[str]) -> pl.DataFrame:
    """Amounts of the user's own columns, which the ledger does not know."""
    for edit in edits:
        if isinstance(edit, (OpenFacility, ResizeFacility)):
            meant = pl.col("id").cast(pl.String) == str(edit.id)
            if edit.class_ is not None:
                meant &= pl.col("class") == edit.class_
            for column, amount in edit.capacity.items():
                if column in own:
                    changed = pl.when(meant).then(pl.lit(amount)).otherwise(pl.col(column))
                    table = table.with_columns(changed.alias(column))
    return table
