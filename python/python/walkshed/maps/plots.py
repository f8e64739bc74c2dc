"""What `.plot()` of runs, scenarios and answers draws: their tables, brought to a map with what lies beneath."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import polars as pl

from walkshed.maps import base_map, change
from walkshed.maps.base_map import BaseMap
from walkshed.maps.minutes import coverage_map, minutes_map

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from walkshed.baseline import Answer
    from walkshed.language import Language
    from walkshed.study import RunResult, ScenariosResult


def of_run(
    result: RunResult,
    classes: str | Sequence[str] | None,
    *,
    profile: str | None,
    show: Literal["minutes", "coverage"],
    minutes: float | Sequence[float] | None,
    group: str,
    base: BaseMap | None,
    language: Language,
    source: str | None,
) -> Figure:
    """Draw a run; arguments as of `RunResult.plot`."""
    if show not in ("minutes", "coverage"):
        raise ValueError(f'show {show!r}: use "minutes" or "coverage"')
    below, named = base or base_map.of_run(result), _listed(classes)
    if show == "minutes":
        limits = [float(minutes)] if isinstance(minutes, (int, float)) else minutes
        return minutes_map(result, named, profile=profile, minutes=limits, base=below, language=language, source=source)
    if minutes is not None and not isinstance(minutes, (int, float)):
        raise ValueError(f"minutes {minutes!r}: coverage is of one threshold")
    return coverage_map(
        result, named, profile=profile, minutes=minutes, group=group, base=below, language=language, source=source
    )


def of_scenarios(
    result: ScenariosResult,
    classes: str | Sequence[str] | None,
    *,
    scenario: str | None,
    profile: str | None,
    base: BaseMap | None,
    language: Language,
    source: str | None,
) -> Figure:
    """Draw one of several scenarios; arguments as of `ScenariosResult.plot`."""
    if not result.report["scenarios"]:
        raise ValueError("nothing to draw: there are no scenarios")
    plans = [plan for plan in result.report["scenarios"] if scenario in (None, plan["id"], plan["name"])]
    if not plans:
        known = ", ".join(plan["name"] for plan in result.report["scenarios"])
        raise ValueError(f"scenario {scenario!r}: the result has {known}")
    plan, study = plans[0], result.report["study"]
    who = _one_of(profile, study["coverage"]["profiles"])
    cells = result.table("cells").filter(pl.col("scenario") == plan["id"])
    box = change.box_of(cells, plan["edits"], who)
    below = base or base_map.of_report(result.report, box.framed())
    told = source if source is not None else below.source or base_map.credit_of(result)
    return change.change_map(
        cells,
        plan["edits"],
        name=plan["name"],
        profile=who,
        classes=_listed(classes),
        base=below,
        box=box,
        language=language,
        source=base_map.credited(result, told),
    )


def of_answer(
    answer: Answer,
    classes: str | Sequence[str] | None,
    *,
    profile: str | None,
    base: BaseMap | None,
    language: Language,
    source: str,
) -> Figure:
    """Draw the answer to a scenario; arguments as of `Answer.plot`."""
    from walkshed.arrow import frame

    cells, edits = frame(answer.cells), json.loads(answer.scenario.to_json())
    network = answer.baseline.network
    below = base or base_map.of_network(network)
    who = _one_of(profile, answer.baseline.profiles)
    return change.change_map(
        cells,
        edits,
        name=answer.scenario.name,
        profile=who,
        classes=_listed(classes),
        base=below,
        box=change.box_of(cells, edits, who),
        language=language,
        source=base_map.credited(network, source or below.source),
    )


def _listed(classes: str | Sequence[str] | None) -> list[str] | None:
    return [classes] if isinstance(classes, str) else None if classes is None else list(classes)


def _one_of(profile: str | None, known: Sequence[str]) -> str:
    if profile is not None and profile not in known:
        raise ValueError(f"profile {profile!r}: there are {', '.join(known)}")
    return profile or known[0]
