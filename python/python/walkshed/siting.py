"""Where the next facilities go: the best sites for a number or a budget, with a proof of how good they are.

>>> costs = pl.DataFrame({"origin_id": ["a", "a", "b", "b"], "site_id": [1, 2, 1, 2], "cost": [60, 300, 600, 120]})
>>> homes = pl.DataFrame({"origin_id": ["a", "b"], "people": [100, 50]})
>>> best = p_median(costs, homes, k=1)
>>> best.sites["site_id"].to_list(), best.objective, best.bound
([1], 36000.0, 36000.0)
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import polars as pl

from walkshed import _engine, cards, exact
from walkshed.arrow import ArrowStream, TableLike, frame, to_engine
from walkshed.network import Direction, Network
from walkshed.profile import Profile, to_json
from walkshed.progress import Progress, reporting
from walkshed.refused import Refused
from walkshed.rejected import warn
from walkshed.scenario import Edit, OpenFacility, Scenario

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from walkshed.language import Language
    from walkshed.maps.base_map import BaseMap

Solver: TypeAlias = Literal["auto", "heuristic", "exact"]
Count: TypeAlias = "int | Mapping[str, int]"
Ids: TypeAlias = "Sequence[int] | Sequence[str] | pl.Series | TableLike"

#: Relative gap up to which an answer counts as the best. Of the bound of an exact solver, which computes in floats, a
#: millionth is taken off.
OPTIMAL_GAP = 2e-6

#: The largest program that "auto" gives to the exact solver, in factors, and the most nodes of its search tree.
AUTO_FACTORS, AUTO_NODES = 200_000, 1_000


class StoppedWarning(UserWarning):
    """A search was stopped; its answer is the best so far, its bound holds."""


@dataclass(frozen=True, kw_only=True)
class Siting:
    """Sites, what they serve, and what is proved about them.

    Attributes:
        problem: p_median, maximal_covering, set_covering or p_center.
        sites: existing sites and those to build, by id: `site_id`, `class`, `existing`, `order` (1 is built first;
            null for existing ones), `people` and `weighted` (whom each serves), `cost_yuan`, `capacity`, `area_id`,
            `lon`, `lat` (null where not given).
        assignment: who is served where: `origin_id`, `class`, `site_id`, `cost`, `people`, `weighted`. With
            capacities an origin may be split over several rows.
        objective: people × cost (p_median, with what is charged for the unserved), people within the limit
            (maximal_covering), sites or yuan (set_covering), the greatest cost (p_center); `weight` instead of people.
        bound: no choice of sites can do better than this: proved.
        gap: how far objective and bound are apart, as a share of the larger one.
        status: "optimal" when the gap is at most `OPTIMAL_GAP`, else "feasible".
        stopped: whether Ctrl-C or the time limit ended the search early.
        unserved: who is not served: `origin_id`, `class`, `people`, `weighted`, `reason` (no_site_in_reach, not_chosen,
            full).
        gain: what each further site adds, in the order in which they are best built: `order` (0 is the state before),
            `site_id`, `class`, `objective` (null while somebody who has to be served is not), `people` and `weighted`
            (served so far), `people_gained`, `cost_yuan` (spent so far).

    """

    problem: str
    sites: pl.DataFrame
    assignment: pl.DataFrame
    objective: float
    bound: float
    gap: float
    status: str
    stopped: bool
    unserved: pl.DataFrame
    gain: pl.DataFrame

    @property
    def built(self) -> list[Any]:
        """Ids of the sites to build, those first that add most."""
        order = self.sites.filter(~pl.col("existing")).sort("order")
        return order["site_id"].to_list()

    def scenario(self, *, class_: str | None = None, capacity: str = "places", name: str = "siting") -> Scenario:
        """The edits that build the chosen sites, in their order: for `Network.with_scenario` and `Baseline.what_if`.

        Args:
            class_: the class of the facilities; None takes the class of each site.
            capacity: the column that a site's capacity is of.
            name: what the scenario is called.

        Returns:
            One `OpenFacility` for each site to build, with its cost.

        Raises:
            ValueError: a site has no place (give `sites` with `lon` and `lat`), or no class is known.

        """
        edits: list[Edit] = []
        for row in self.sites.filter(~pl.col("existing")).sort("order").iter_rows(named=True):
            kind = class_ or row["class"]
            if row["lon"] is None or row["lat"] is None:
                raise ValueError(f"site {row['site_id']}: it has no place; give sites with lon and lat")
            if kind is None or kind == "all":
                raise ValueError(f'site {row["site_id"]}: it has no class; say which, as in class_="kindergarten"')
            holds = {} if row["capacity"] is None else {capacity: row["capacity"]}
            at = (row["lon"], row["lat"])
            edits.append(OpenFacility(row["site_id"], kind, at, None, holds, cost_yuan=row["cost_yuan"]))
        return Scenario(edits, name=name)

    def summary(self) -> str:
        """Tell the answer in a few lines, in English and Chinese.

        Returns:
            Lines of text.

        """
        served, left = self.assignment["people"].sum(), self.unserved["people"].sum()
        existing = self.sites["existing"].sum()
        proof = (
            "optimal 已证明最优"
            if self.status == "optimal"
            else f"at most {self.gap:.2%} from the best 与最优差距不超过"
        )
        lines = [
            f"{self.problem}: {len(self.built)} to build 新建, {existing} existing 现有",
            f"objective 目标值 {self.objective:,.6g}, bound 界 {self.bound:,.6g}: {proof}",
            f"people served 服务人口 {served:,.0f}, not served 未服务 {left:,.0f}",
        ]
        if self.stopped:
            lines.append("the search was stopped early 提前停止")
        return "\n".join(lines)

    def plot(
        self,
        demand: pl.DataFrame | None = None,
        *,
        candidates: pl.DataFrame | None = None,
        base: BaseMap | None = None,
        title: str | None = None,
        language: Language = "en",
        source: str = "",
    ) -> Figure:
        """Draw chosen and existing sites over the people whom they serve.

        Args:
            demand: homes: `origin_id`, `id` or `cell`, `lon`, `lat` and optional `people`; None draws no homes.
            candidates: `lon`, `lat` of all places that could be chosen; None draws none.
            base: streets and water below; none when None.
            title: of the map.
            language: of title and legend: "zh" or "en".
            source: line about the data, printed below.

        Returns:
            A matplotlib figure; `walkshed.maps.save(figure, path)` writes it.

        Raises:
            ValueError: sites have no places, or a table lacks a column.
            ImportError: matplotlib is not installed.

        """
        from walkshed.maps import sites_map

        return sites_map.sites_map(
            self, demand, candidates=candidates, base=base, title=title, language=language, source=source
        )

    def __repr__(self) -> str:
        """Problem, number of sites, objective and what is proved."""
        return (
            f"Siting({self.problem}, {len(self.built)} to build, objective {self.objective:,.6g}, "
            f"bound {self.bound:,.6g}, {self.status})"
        )

    def _repr_html_(self) -> str:
        return card_of(self)


def card_of(best: Siting) -> str:
    """The card of an answer, as HTML."""
    from walkshed import thumbnail

    chosen = best.sites.filter(~pl.col("existing")).sort("order")
    left = best.unserved.group_by("reason", maintain_order=True).agg(pl.col("people").sum())
    places = best.sites.select("lon", "lat", rank=(~pl.col("existing")).cast(pl.Int32)).sort("rank")
    colours = ("#98a3ae", thumbnail.WORSE)
    return cards.card(
        f"设施选址 Siting: {best.problem}",
        facts=[
            ("新建 To build", chosen.height),
            ("现有 Existing", best.sites.height - chosen.height),
            ("目标值 Objective", best.objective),
            ("界 Bound", best.bound),
            (
                "结论 Proof",
                "已证明最优 optimal" if best.status == "optimal" else f"差距至多 gap at most {best.gap:.2%}",
            ),
            ("服务人口 People served", float(best.assignment["people"].sum())),
        ],
        tables=[
            cards.table(chosen, ["order", "site_id", "class", "people", "cost_yuan", "area_id"]),
            cards.table(left, ["reason", "people"], title="未服务 Not served"),
        ],
        picture=thumbnail.dots(places, colours, "sites 选址"),
        caption=cards.legend(zip(colours, ("现有 existing", "新建 to build"), strict=True)),
        notes=["搜索提前停止 The search was stopped early"] * best.stopped,
    )


def p_median(
    costs: TableLike,
    demand: TableLike,
    *,
    k: Count | None = None,
    budget: float | None = None,
    existing: Ids = (),
    sites: TableLike | None = None,
    unserved_cost: float | None = None,
    at_least_one_per: str | None = None,
    weight: str | None = None,
    capacitated: bool | None = None,
    solver: Solver = "auto",
    time_limit_s: float | None = None,
    progress: Progress = None,
) -> Siting:
    """Choose sites such that all people together have the least way: people × cost to the nearest one.

    At most k are built; one that would save nobody anything is not. Everybody with people must have a site within
    reach, unless `unserved_cost` is given.

    Args:
        costs: `origin_id`, `site_id` (or `facility_id`), `cost` (or `time_s`), one row per pair; what is not there is
            out of reach. Pairs of `Network.reach` serve as they are. With a `class` column a pair is of that class
            only.
        demand: `origin_id`, `people`; with a `class` column only that class is asked for, else every class.
        k: how many to build, in all, or a dict for each class.
        budget: yuan that may be spent; every candidate then needs its `cost_yuan`.
        existing: ids of sites that stay open and are not counted in k, or a table with `site_id`.
        sites: candidates: `site_id` (or `id`), and where known `class`, `cost_yuan`, `capacity`, an area, `lon`,
            `lat`. None takes all that `costs` has.
        unserved_cost: what a person costs whom no site serves, in the unit of `costs`. Nobody is sent further than
            that.
        at_least_one_per: a column of `sites`, such as "area_id": every value of it gets at least one site of every
            class that has a candidate there, existing ones count.
        weight: a column of `demand` that is counted instead of people, such as people × need.
        capacitated: whether sites serve no more people than their `capacity` (null is unlimited); an origin may be
            split over sites. None: when `sites` has that column.
        solver: "heuristic" searches and proves a bound. "exact" then gives what is left open to HiGHS (`highspy`),
            however long that takes. "auto" does so when that is installed, at most `AUTO_FACTORS` factors are left, and
            for at most `AUTO_NODES` nodes.
        time_limit_s: seconds after which the best answer so far is given back. Without it nothing depends on the clock.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        The `Siting`. Ties go to smaller ids; the order of rows does not matter.

    Raises:
        InputError: a fault of a table, or no choice serves all who must be served; it says who or what is in the way.
        ValueError: neither `k` nor `budget`, or numbers that cannot be.
        KeyboardInterrupt: stopped by the user before there was any answer.

    Warns:
        StoppedWarning: Ctrl-C or the time limit ended the search early; the answer is the best so far.

    Source:
        S. L. Hakimi 1964; C. S. ReVelle, R. W. Swain 1970.

    """
    _need_limit(k, budget)
    asked = _asked("p_median", k=k, budget=budget, at_least_one_per=at_least_one_per, weight=weight)
    asked |= {"unserved_cost": unserved_cost, "capacitated": capacitated, "time_limit_s": time_limit_s}
    return _solve(asked, _given(costs, demand, sites, existing), solver, progress)


def maximal_covering(
    costs: TableLike,
    demand: TableLike,
    *,
    limit: float,
    k: Count | None = None,
    budget: float | None = None,
    existing: Ids = (),
    sites: TableLike | None = None,
    at_least_one_per: str | None = None,
    weight: str | None = None,
    capacitated: bool | None = None,
    solver: Solver = "auto",
    time_limit_s: float | None = None,
    progress: Progress = None,
) -> Siting:
    """Choose sites such that most people have one within a limit.

    Args:
        costs: as for `p_median`.
        demand: as for `p_median`.
        limit: the greatest cost that counts, in the unit of `costs`; one equal to it counts.
        k: as for `p_median`.
        budget: as for `p_median`.
        existing: as for `p_median`; whom they cover is part of the objective.
        sites: as for `p_median`.
        at_least_one_per: as for `p_median`.
        weight: as for `p_median`.
        capacitated: as for `p_median`.
        solver: as for `p_median`.
        time_limit_s: as for `p_median`.
        progress: as for `p_median`.

    Returns:
        The `Siting`; `bound` is the most that any choice can cover.

    Raises:
        InputError: a fault of a table, or the rules cannot all be kept.
        ValueError: neither `k` nor `budget`, or numbers that cannot be.
        KeyboardInterrupt: stopped by the user before there was any answer.

    Warns:
        StoppedWarning: as for `p_median`.

    Source:
        R. Church, C. ReVelle 1974.

    Example:
        >>> costs = pl.DataFrame({"origin_id": ["a", "b"], "site_id": [1, 2], "cost": [60, 300]})
        >>> homes = pl.DataFrame({"origin_id": ["a", "b"], "people": [100, 50]})
        >>> maximal_covering(costs, homes, k=1, limit=600).built
        [1]

    """
    _need_limit(k, budget)
    asked = _asked("maximal_covering", k=k, budget=budget, at_least_one_per=at_least_one_per, weight=weight)
    asked |= {"limit": limit, "capacitated": capacitated, "time_limit_s": time_limit_s}
    return _solve(asked, _given(costs, demand, sites, existing), solver, progress)


def set_covering(
    costs: TableLike,
    *,
    limit: float,
    demand: TableLike | None = None,
    minimise: Literal["sites", "cost_yuan"] = "sites",
    budget: float | None = None,
    existing: Ids = (),
    sites: TableLike | None = None,
    at_least_one_per: str | None = None,
    capacitated: bool | None = None,
    solver: Solver = "auto",
    time_limit_s: float | None = None,
    progress: Progress = None,
) -> Siting:
    """Choose the fewest sites, or the cheapest, that have everybody within a limit.

    Args:
        costs: as for `p_median`.
        limit: the greatest cost that counts; one equal to it counts.
        demand: as for `p_median`; only origins with people have to be covered. None: all that `costs` has, each as
            one person.
        minimise: count sites, or their `cost_yuan`.
        budget: yuan that may be spent; then `cost_yuan` is minimised.
        existing: as for `p_median`; they cost nothing.
        sites: as for `p_median`.
        at_least_one_per: as for `p_median`.
        capacitated: as for `p_median`.
        solver: as for `p_median`.
        time_limit_s: as for `p_median`.
        progress: as for `p_median`.

    Returns:
        The `Siting`; the bound on a number of sites is a whole number.

    Raises:
        InputError: a fault of a table, or somebody cannot be covered; it says who.
        ValueError: numbers that cannot be.
        KeyboardInterrupt: stopped by the user before there was any answer.

    Warns:
        StoppedWarning: as for `p_median`.

    Source:
        C. Toregas, R. Swain, C. ReVelle, L. Bergman 1971.

    """
    if minimise not in ("sites", "cost_yuan"):
        raise ValueError(f'minimise {minimise!r}: use "sites" or "cost_yuan"')
    asked = _asked("set_covering", k=None, budget=budget, at_least_one_per=at_least_one_per, weight=None)
    by_yuan = minimise == "cost_yuan" or budget is not None
    asked |= {"limit": limit, "by_yuan": by_yuan, "capacitated": capacitated, "time_limit_s": time_limit_s}
    return _solve(asked, _given(costs, demand, sites, existing), solver, progress)


def p_center(
    costs: TableLike,
    *,
    k: Count | None = None,
    demand: TableLike | None = None,
    budget: float | None = None,
    existing: Ids = (),
    sites: TableLike | None = None,
    at_least_one_per: str | None = None,
    capacitated: bool | None = None,
    solver: Solver = "auto",
    time_limit_s: float | None = None,
    progress: Progress = None,
) -> Siting:
    """Choose sites such that whoever has the longest way has the shortest possible.

    Args:
        costs: as for `p_median`.
        k: as for `p_median`.
        demand: as for `p_median`; only origins with people count. None: all that `costs` has, each as one person.
        budget: as for `p_median`.
        existing: as for `p_median`.
        sites: as for `p_median`.
        at_least_one_per: as for `p_median`.
        capacitated: as for `p_median`.
        solver: as for `p_median`.
        time_limit_s: as for `p_median`.
        progress: as for `p_median`.

    Returns:
        The `Siting`; `objective` is the greatest cost.

    Raises:
        InputError: a fault of a table, or no choice serves everybody; it says who or what is in the way.
        ValueError: neither `k` nor `budget`, or numbers that cannot be.
        KeyboardInterrupt: stopped by the user before there was any answer.

    Warns:
        StoppedWarning: as for `p_median`.

    Source:
        S. L. Hakimi 1964; E. Minieka 1970.

    """
    _need_limit(k, budget)
    asked = _asked("p_center", k=k, budget=budget, at_least_one_per=at_least_one_per, weight=None)
    asked |= {"capacitated": capacitated, "time_limit_s": time_limit_s}
    return _solve(asked, _given(costs, demand, sites, existing), solver, progress)


def candidates(
    net: Network,
    places: TableLike,
    *,
    areas: TableLike | None = None,
    inside: TableLike | None = None,
    resolution: int = 10,
    max_street_m: float = 50,
    profile: str | Profile = "adult",
    progress: Progress = None,
) -> pl.DataFrame:
    """Candidates near a street: centres of H3 cells where nobody has drawn any, or places that are known.

    Args:
        net: the streets.
        places: areas (`area_id` and a polygon), whose cells are taken; or `cell`, as in `cells.parquet` of a run; or
            places of your own: `id`, `lon`, `lat`.
        areas: `area_id` and a polygon; only candidates in one of them are kept, and they are told which.
        inside: outlines of land that may be built on; only candidates in one of them are kept.
        resolution: of the cells of areas.
        max_street_m: metres to the nearest street, at most; also at most what the network joins.
        profile: whose streets.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        `id` (the cell, or your own), `lon`, `lat`, `area_id` (of the first area that holds it; null without areas),
        `street_m`. By id.

    Raises:
        InputError: a table lacks a column or has no usable row, or an area has too many cells.
        ValueError: a resolution or profile that cannot be.
        KeyboardInterrupt: stopped by the user, within half a second.

    Warns:
        RejectedRowsWarning: rows were left out.

    """
    around: dict[str, object] = {
        "places": to_engine(places, "places"),
        "areas": None if areas is None else to_engine(areas, "areas"),
        "land": None if inside is None else to_engine(inside, "inside"),
        "resolution": resolution,
        "max_street_m": float(max_street_m),
        "profile": to_json(profile),
    }
    with reporting(progress) as report:
        streets = net._engine  # pyright: ignore[reportPrivateUsage]  # a network is the engine's to walk on
        found, rejected = _engine.siting_candidates(streets, around, report=report)
    warn(frame(rejected))
    return frame(found)


def costs(
    net: Network,
    demand: TableLike,
    candidates: TableLike,
    *,
    profile: str | Profile = "adult",
    max_minutes: float = 15,
    direction: Direction = "to_facility",
    progress: Progress = None,
) -> pl.DataFrame:
    """Walking seconds between homes and candidates, as the problems of this module take them.

    Args:
        net: the streets.
        demand: `id` (or `cell`) and a place, as origins of `Network.reach`.
        candidates: `id` and a place; with a `class` column each is of its class, else all are of one.
        profile: who walks.
        max_minutes: cut-off; pairs beyond it are out of reach.
        direction: from home to the site, or back.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        `origin_id`, `site_id`, `class`, `cost` (seconds). No nulls.

    Raises:
        InputError: a table lacks a column or has no usable row, or the result would be larger than memory.
        ValueError: a profile, direction or cut-off that cannot be.
        KeyboardInterrupt: stopped by the user, within half a second.

    Warns:
        RejectedRowsWarning: rows were left out.

    """
    ends: Any = candidates
    if isinstance(candidates, pl.DataFrame) and "class" not in candidates.columns:
        ends = candidates.with_columns(pl.lit("all").alias("class"))
    pairs = net.reach(demand, ends, profile=profile, max_minutes=max_minutes, direction=direction, progress=progress)
    return pairs.select("origin_id", site_id="facility_id", **{"class": "class"}, cost="time_s")


def _need_limit(k: Count | None, budget: float | None) -> None:
    if k is None and budget is None:
        raise ValueError("give k, budget, or both: how many sites may be built, or for how much")


def _asked(
    problem: str, *, k: Count | None, budget: float | None, at_least_one_per: str | None, weight: str | None
) -> dict[str, object]:
    numbers = list(k.values()) if isinstance(k, Mapping) else [] if k is None else [k]
    for number in numbers:
        if isinstance(number, bool) or int(number) != number or number < 0:
            raise ValueError(f"k {number}: use a whole number from 0")
    count = dict(k) if isinstance(k, Mapping) else k
    return {
        "problem": problem,
        "k": count,
        "limit": None,
        "unserved_cost": None,
        "by_yuan": False,
        "budget": budget,
        "at_least_one_per": at_least_one_per,
        "weight": weight,
        "capacitated": None,
        "time_limit_s": None,
    }


def _given(costs: TableLike, demand: TableLike | None, sites: TableLike | None, existing: Ids) -> dict[str, object]:
    return {
        "costs": to_engine(costs, "costs"),
        "demand": None if demand is None else to_engine(demand, "demand"),
        "sites": None if sites is None else to_engine(sites, "sites"),
        "existing": _existing(existing),
    }


def _existing(existing: Ids) -> object:
    """A table of ids; None where there are none."""
    if isinstance(existing, pl.Series):
        ids = pl.DataFrame({"site_id": existing})
    elif isinstance(existing, pl.DataFrame):
        name = next(name for name in ("site_id", "id", "facility_id", existing.columns[0]) if name in existing.columns)
        ids = existing.select(site_id=name)
    elif isinstance(existing, (str, os.PathLike, ArrowStream)):
        return to_engine(existing, "existing")
    else:
        ids = pl.DataFrame({"site_id": list(existing)})  # type: ignore[arg-type]
    return ids if ids.height else None


def _solve(asked: dict[str, object], given: dict[str, object], solver: str, progress: Progress) -> Siting:
    if solver not in ("auto", "heuristic", "exact"):
        raise ValueError(f'solver {solver!r}: use "auto", "heuristic" or "exact"')
    if solver == "exact" and not exact.installed():
        detail = "pip install walkshed[exact]"
        raise Refused.because("solver", "missing_library", detail=detail).error()
    began = time.monotonic()
    with reporting(progress) as report:
        search = _engine.siting(given, asked, report=report)
    limit_s = asked["time_limit_s"]
    left_s = None if limit_s is None else max(0.0, float(str(limit_s)) - (time.monotonic() - began))
    if solver != "heuristic" and exact.installed() and not search.stopped and left_s != 0.0:
        most, nodes = (AUTO_FACTORS, AUTO_NODES) if solver == "auto" else (2**31 - 1, None)
        try:
            exact.solve(search, most, nodes=nodes, time_limit_s=left_s)
        except KeyboardInterrupt:
            search.stop()
    try:
        return _told(str(asked["problem"]), search)
    except _engine.InputError as error:
        # Ctrl-C before anything was found that serves all who must be served: there is nothing to give back.
        if search.stopped and (limit_s is None or time.monotonic() - began < float(str(limit_s))):
            raise KeyboardInterrupt from error
        raise


def _told(problem: str, search: _engine.SitingSearch) -> Siting:
    sites, assignment, unserved, gain, objective, bound, gap, stopped = search.answer()
    status = "optimal" if gap <= OPTIMAL_GAP else "feasible"
    stopped = stopped and status != "optimal"
    if stopped:
        told = f"siting was stopped early 提前停止: the answer is the best so far, at most {gap:.2%} from the best"
        warnings.warn(told, StoppedWarning, stacklevel=4)
    return Siting(
        problem=problem,
        sites=frame(sites),
        assignment=frame(assignment),
        objective=objective,
        bound=bound,
        gap=gap,
        status=status,
        stopped=stopped,
        unserved=frame(unserved),
        gain=frame(gain).with_columns(pl.col("cost_yuan") + 0.0),  # nothing spent is 0, not -0
    )
