"""Sites for a run, from a plan in a small file: its streets, people and facilities, and one of the four problems."""

from __future__ import annotations

import difflib
import json
import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from walkshed import _engine, siting
from walkshed.facilities import facility_classes
from walkshed.network import Network
from walkshed.progress import Progress
from walkshed.refused import Refused
from walkshed.rejected import RejectedRowsWarning

#: Keys of a plan, with what they are when they are not there; `docs/siting.md` tells what they mean.
KEYS: dict[str, Any] = {
    "run": None,
    "problem": None,
    "class": None,
    "k": None,
    "budget": None,
    "minutes": None,
    "max_minutes": 30.0,
    "unserved_minutes": None,
    "group": "people",
    "candidates": None,
    "areas": True,
    "inside": None,
    "max_street_m": 50.0,
    "existing": True,
    "at_least_one_per": None,
    "capacitated": False,
    "profile": "adult",
    "direction": "to_facility",
    "solver": "auto",
    "time_limit_s": None,
}

PROBLEMS = ("p_median", "maximal_covering", "set_covering", "p_center")


@dataclass(frozen=True)
class SiteResult:
    """A published choice of sites.

    Attributes:
        folder: where it is: `sites`, `assignment`, `unserved` and `gain` as Parquet, and `site.json`.
        report: what stands in `site.json`: the plan, the report of the run, and what was found and proved.
        siting: the answer.

    """

    folder: Path
    report: dict[str, Any]
    siting: siting.Siting

    def _repr_html_(self) -> str:
        return siting.card_of(self.siting)


def site_run(plan: str | os.PathLike[str], out: str | os.PathLike[str], *, progress: Progress = None) -> SiteResult:
    """Choose sites for a published run as a plan asks, on the same streets, and publish the choice.

    Args:
        plan: path of a TOML file with a table `[site]` (docs/siting.md); paths in it are relative to it.
        out: folder for the results, which appears whole or not at all; an earlier choice there is replaced.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        The published folder and the answer.

    Raises:
        InputError: a fault of the plan, no run stands there, or the question has no answer; nothing was written.
        KeyboardInterrupt: stopped by the user before there was an answer; nothing was written.

    Warns:
        StoppedWarning: the search was stopped; the best answer so far was written, with its bound.

    """
    _engine.check_siting(os.fspath(out))
    asked = _read(Path(plan))
    run = Path(asked["run"])
    if not (run / "run.json").is_file():
        raise Refused.because(str(run), "not_found").error()
    report = json.loads((run / "run.json").read_text("utf-8"))
    net = _network(report["study"], progress)
    people, ends = _people(run, asked), _ends(net, run, asked, progress)
    there = _there(net, run, asked, progress)
    walks = [_walks(net, people, each, asked, progress) for each in (ends, there) if each.height]
    # Facilities that are closed, or that nobody reaches within the limit, have no walks and serve nobody.
    open_now = there.filter(pl.col("site_id").is_in(walks[-1]["site_id"].unique().to_list())) if there.height else there
    best = _solve(asked, pl.concat(walks), people, (ends, open_now), progress)
    told = _report(asked, report, best)
    named = [(name, getattr(best, name)) for name in ("sites", "assignment", "unserved", "gain")]
    _engine.publish_siting(os.fspath(out), named, json.dumps(told, ensure_ascii=False, indent=2))
    return SiteResult(Path(out), told, best)


def _read(path: Path) -> dict[str, Any]:
    """A plan, every fault of it together."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    if not path.is_file():
        raise Refused.because(str(path), "not_found").error()
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused.because(path.name, "unreadable", detail=str(error)).error() from error
    given = found.get("site", {})
    faults: list[_engine.Refusal] = []

    def fault(key: str, value: object, known: list[str]) -> None:
        refusal = _engine.refusal(path.name, "unknown_name", known=known, column=key, value=str(value))
        faults.append(refusal)

    for key in [*(key for key in found if key != "site"), *(key for key in given if key not in KEYS)]:
        fault(key, key, ["[site]", *KEYS])
    asked = KEYS | {key: value for key, value in given.items() if key in KEYS}
    for key, allowed in _CHECKS.items():
        if not allowed[0](asked[key]):
            fault(key, asked[key], [allowed[1]])
    if asked["problem"] in ("maximal_covering", "set_covering") and asked["minutes"] is None:
        fault("minutes", None, ["minutes within which people are covered, such as 15"])
    if asked["problem"] != "set_covering" and asked["k"] is None and asked["budget"] is None:
        fault("k", None, ["k or budget: how many, or for how many yuan"])
    if faults:
        raise Refused(faults).error()
    for key in ("run", "candidates", "inside"):
        if asked[key] is not None:
            asked[key] = str(path.parent / asked[key])
    asked["class"] = [asked["class"]] if isinstance(asked["class"], str) else list(asked["class"])
    return asked


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0


#: What values must be, and how that is said.
_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "run": (lambda value: isinstance(value, str), "the folder of `walkshed run`"),
    "problem": (lambda value: value in PROBLEMS, ", ".join(PROBLEMS)),
    "class": (
        lambda value: isinstance(value, str) or (isinstance(value, list) and value != []),
        "a class of facilities, or a list",
    ),
    "minutes": (lambda value: value is None or _is_number(value), "minutes above 0"),
    "max_minutes": (_is_number, "minutes above 0"),
    "unserved_minutes": (lambda value: value is None or _is_number(value), "minutes above 0"),
}


def _network(study: dict[str, Any], progress: Progress) -> Network:
    """The streets of a run, as its study says."""
    streets, system = study["streets"], study["study"]["analysis_crs"]
    how = {name: streets[name] for name in ("elevation_crs", "max_snap_m", "gates", "join_islands_m", "open_at")}
    how |= {"elevation": streets["elevation"] or None, "analysis_crs": system, "progress": progress}
    if streets["osm"] is None:
        return Network.from_overture(streets["overture"], streets["connectors"], **how)
    return Network.from_osm(streets["osm"], **how)


def _people(run: Path, asked: dict[str, Any]) -> pl.DataFrame:
    """Cells with the people of the group that is asked for."""
    cells = pl.read_parquet(run / "cells.parquet")
    if asked["group"] not in cells.columns:
        known = [name for name in cells.columns if name not in ("cell", "lon", "lat", "snap_m", "geometry")]
        raise Refused.because("cells.parquet", "unknown_name", known=known, value=asked["group"]).error()
    # Homes stand where their people live, which need not be the centre of the cell.
    return cells.select("lon", "lat", origin_id="cell", people=asked["group"])


def _ends(net: Network, run: Path, asked: dict[str, Any], progress: Progress) -> pl.DataFrame:
    """Candidates of every class."""
    outlines = run / "areas.parquet"
    words: dict[str, Any] = {
        "areas": outlines if asked["areas"] and outlines.is_file() else None,
        "max_street_m": asked["max_street_m"],
        "profile": asked["profile"],
        "progress": progress,
    }
    if asked["candidates"] is None:
        cells = pl.read_parquet(run / "cells.parquet", columns=["cell"])
        found = siting.candidates(net, cells, inside=asked["inside"], **words)
        found = found.with_columns(site_id=pl.format("cell/{}", pl.col("id")))
    else:
        found = _table(Path(asked["candidates"]))
        name = next((name for name in ("site_id", "id") if name in found.columns), None)
        if name is None:
            file = Path(asked["candidates"]).name
            raise Refused.because(file, "unknown_name", known=["site_id", "id"], value=found.columns[0]).error()
        found = found.with_columns(pl.col(name).cast(pl.String).alias("site_id"))
    found = found.drop("id", strict=False)
    if "class" not in found.columns:
        found = found.join(pl.DataFrame({"class": asked["class"]}), how="cross")
    return found


def _there(net: Network, run: Path, asked: dict[str, Any], progress: Progress) -> pl.DataFrame:
    """Facilities of the run that stay, with their areas."""
    ledger = pl.read_parquet(run / "facilities.parquet")
    known = {*ledger["class"].unique(), *facility_classes()["class"]}
    if unknown := [name for name in asked["class"] if name not in known]:
        near = difflib.get_close_matches(unknown[0], sorted(known), 3) or sorted(known)
        raise Refused.because("plan", "unknown_name", known=near, column="class", value=unknown[0]).error()
    facilities = ledger.filter(pl.col("class").is_in(asked["class"]) & (pl.col("state") == "open"))
    facilities = facilities.with_columns(pl.col("id").cast(pl.String).alias("site_id"))
    if not asked["existing"] or not facilities.height:
        return facilities.clear()
    outlines = run / "areas.parquet"
    if asked["at_least_one_per"] != "area_id" or not outlines.is_file():
        return facilities
    spots = facilities.select(pl.col("site_id").alias("id"), "lon", "lat").unique("id", maintain_order=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RejectedRowsWarning)  # those in no area are kept, without one
        areas = siting.candidates(net, spots, areas=outlines, max_street_m=1e6, progress=progress)
    named = areas.select(site_id="id", area_id="area_id")
    return facilities.join(named, on="site_id", how="left", maintain_order="left")


def _walks(
    net: Network, people: pl.DataFrame, ends: pl.DataFrame, asked: dict[str, Any], progress: Progress
) -> pl.DataFrame:
    return siting.costs(
        net,
        people.rename({"origin_id": "id"}),
        ends.with_columns(pl.col("site_id").alias("id")),
        profile=asked["profile"],
        max_minutes=asked["minutes"] or asked["max_minutes"],
        direction=asked["direction"],
        progress=progress,
    )


def _table(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise Refused.because(str(path), "not_found").error()
    return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)


def _solve(
    asked: dict[str, Any],
    walks: pl.DataFrame,
    people: pl.DataFrame,
    sides: tuple[pl.DataFrame, pl.DataFrame],
    progress: Progress,
) -> siting.Siting:
    ends, there = sides
    known = [name for name in ("site_id", "class", "lon", "lat", "area_id", "capacity") if name in there.columns]
    sites = pl.concat([ends, there.select(known)], how="diagonal_relaxed") if there.height else ends
    limit_s = None if asked["minutes"] is None else asked["minutes"] * 60
    unserved_s = None if asked["unserved_minutes"] is None else asked["unserved_minutes"] * 60
    words: dict[str, Any] = {
        "existing": there["site_id"].unique(maintain_order=True),
        "sites": sites,
        "budget": asked["budget"],
        "at_least_one_per": asked["at_least_one_per"],
        "capacitated": asked["capacitated"],
        "solver": asked["solver"],
        "time_limit_s": asked["time_limit_s"],
        "progress": progress,
    }
    homes = people.drop("lon", "lat")
    if asked["problem"] == "p_median":
        return siting.p_median(walks, homes, k=asked["k"], unserved_cost=unserved_s, **words)
    if asked["problem"] == "maximal_covering":
        return siting.maximal_covering(walks, homes, k=asked["k"], limit=limit_s or 0.0, **words)
    if asked["problem"] == "set_covering":
        return siting.set_covering(walks, demand=homes, limit=limit_s or 0.0, **words)
    return siting.p_center(walks, demand=homes, k=asked["k"], **words)


def _report(asked: dict[str, Any], run: dict[str, Any], best: siting.Siting) -> dict[str, Any]:
    return {
        "walkshed": _engine.__version__,
        "plan": asked,
        "run": run,
        "problem": best.problem,
        "built": best.built,
        "objective": best.objective,
        "bound": best.bound,
        "gap": best.gap,
        "status": best.status,
        "stopped": best.stopped,
        "people_served": best.assignment["people"].sum(),
        "people_not_served": best.unserved["people"].sum(),
    }
