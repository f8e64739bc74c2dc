"""A small synthetic city 合成数据 whose places have names that attack a page, run, with scenarios and a scorecard."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

import walkshed as ws

#: Each would run, break out of a block, or break a string, if it were ever taken for anything but text.
NAMES = [
    "<script>window.hacked=1</script>",
    "</script><script>window.hacked=1</script>",
    '<img src=x onerror="window.hacked=1">',
    "]]>--><!--<svg onload=window.hacked=1>",
    "line\u2028separator\u2029end",
    "\"double\" 'single' `back` ${window.hacked=1} \\u003c",
    "&lt;b&gt; &amp; {{script}} \x07",
]


@dataclass(frozen=True)
class HostileCity:
    """What the page is made of, and the study behind it."""

    study: Path
    run: ws.RunResult
    scenarios: ws.ScenariosResult
    card: ws.Scorecard


def hostile_city(folder: Path) -> HostileCity:
    """Make it in a folder."""
    city = ws.synth(folder / "city", nodes=4000, seed=3, progress=False)
    _rename(city.study.parent / "facilities.parquet", "name")
    _rename(city.study.parent / "communities.parquet", "name")
    run = ws.run(city.study, folder / "run", progress=False)
    middle = run.table("cells").select(pl.col("lon", "lat").median()).row(0)
    plans = [_plan(folder, number, name, middle) for number, name in enumerate(NAMES[:2])]
    scenarios = ws.run_scenarios(city.study, plans, folder / "scenarios", progress=False)
    card = ws.score_run(folder / "run", folder / "card", standard="mohurd_2020", level="community", progress=False)
    return HostileCity(city.study, run, scenarios, card)


def scenarios_over(study: Path, folder: Path, *edits: list[str]) -> ws.ScenariosResult:
    """Scenarios 0, 1, … whose edits are TOML, written and answered in a folder."""
    folder.mkdir()
    plans = [folder / f"{number}.toml" for number in range(len(edits))]
    for number, (plan, own) in enumerate(zip(plans, edits, strict=True)):
        text = f'[scenario]\nname = "{number}"\n' + "".join(f"[[edit]]\n{edit}\n" for edit in own)
        plan.write_text(text, "utf-8")
    return ws.run_scenarios(study, plans, folder / "answers", progress=False)


def square(lon: float, lat: float, half: float) -> list[list[float]]:
    """The corners of a square around a place, in degrees."""
    return [[lon + x * half, lat + y * half] for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))]


def _rename(path: Path, column: str) -> None:
    """Give rows hostile names in turn, each with a number so that they differ."""
    table = pl.read_parquet(path)
    names = [f"{NAMES[row % len(NAMES)]} {row}" for row in range(table.height)]
    table.with_columns(pl.Series(column, names)).write_parquet(path)


def _plan(folder: Path, number: int, name: str, middle: tuple[float, float]) -> Path:
    lon, lat = middle[0] + 0.002 * number, middle[1]
    path = folder / f"plan_{number}.toml"
    path.write_text(
        f"""
        [scenario]
        name = {_toml(name)}
        [[edit]]
        do = "open_facility"
        id = "made-{number}"
        class = "community_canteen"
        name = {_toml(NAMES[2])}
        place = [{lon}, {lat}]
        cost_yuan = 900000
        """,
        "utf-8",
    )
    return path


def _toml(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
