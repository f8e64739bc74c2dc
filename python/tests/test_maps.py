"""Maps as pictures: what they show is what the tables say, in colours that everybody tells apart."""

from __future__ import annotations

import decimal
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib
import nbformat
import polars as pl
import pytest
import shapely
from matplotlib import pyplot
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.text import Text
from nbclient import NotebookClient
from towns import Town, degrees, places

import walkshed as ws
from walkshed import maps
from walkshed.facilities import open_facilities
from walkshed.maps import base_map, change, palette
from walkshed.maps.box import round_length_m
from walkshed.maps.minutes import percent
from walkshed.maps.sheet import wrapped
from walkshed.page import tables
from walkshed.report import map_chapters

matplotlib.use("Agg")

# G. Machado, M. Oliveira, L. Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency"
# (2009): complete protanopia, deuteranopia and tritanopia, in linear sRGB.
DEFICIENCIES = {
    "normal": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def seen(colour: str, deficiency: str) -> str:
    """A colour as an eye with a deficiency sees it."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    mixed = [sum(a * b for a, b in zip(row, linear, strict=True)) for row in DEFICIENCIES[deficiency]]
    clipped = [min(1.0, max(0.0, part)) for part in mixed]
    return to_hex([12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055 for part in clipped])


def difference(one: str, other: str, deficiency: str = "normal") -> float:
    """CIE76 distance of two colours for an eye."""
    pair = zip(palette.to_lab(seen(one, deficiency)), palette.to_lab(seen(other, deficiency)), strict=True)
    return float(sum((a - b) ** 2 for a, b in pair) ** 0.5)


def shapes_of(figure: Figure, colour: str, panel: int = 0) -> int:
    """How many rings are filled with a colour in a panel."""
    patches = [patch for patch in figure.axes[panel].patches if isinstance(patch, PathPatch)]
    filled = [patch for patch in patches if patch.get_fill() and to_hex(patch.get_facecolor()) == colour]
    starts = [int((patch.get_path().codes == 1).sum()) for patch in filled if patch.get_hatch() is None]
    return sum(starts)


def words(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(Text) if isinstance(text, Text))


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for each in figure.legends for text in each.get_texts()]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> ws.SyntheticCity:
    return ws.synth(tmp_path_factory.mktemp("synthetic") / "city", nodes=2000, seed=4, progress=False)


@pytest.fixture(scope="module")
def run(city: ws.SyntheticCity, tmp_path_factory: pytest.TempPathFactory) -> ws.RunResult:
    return ws.run(city.study, tmp_path_factory.mktemp("run") / "out", progress=False)


@pytest.fixture
def street() -> ws.Network:
    """Three homes along a street of 1,064 metres: 800 seconds for an adult."""
    town = Town().corner("a", 0, 0).corner("b", 532, 0).corner("c", 1064, 0).corner("d", 1064, 66.5)
    return town.way("a", "b", 532, "street").way("b", "c", 532, "street").way("c", "d", 66.5, "steps").network()


@pytest.fixture(autouse=True)
def no_figure_stays_open() -> Iterator[None]:
    yield
    pyplot.close("all")


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize("scale", [palette.minutes_colours, palette.sequential, palette.diverging])
@pytest.mark.parametrize("count", [2, 3, 4, 5, 6, 7])
def test_neighbours_of_a_scale_are_told_apart(scale: Any, count: int, deficiency: str) -> None:
    for one, other in pairwise(scale(count)):
        assert difference(one, other, deficiency) > 9


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_nine_kinds_of_change_are_told_apart(deficiency: str) -> None:
    for one, other in pairwise(palette.diverging(9)):
        assert difference(one, other, deficiency) > 9


@pytest.mark.parametrize("scale", [palette.minutes_colours, palette.sequential])
@pytest.mark.parametrize("count", [2, 3, 5, 7])
def test_scales_run_evenly_in_lightness_so_that_grey_print_tells_them_apart(scale: Any, count: int) -> None:
    lightness = [palette.to_lab(colour)[0] for colour in scale(count)]
    steps = [after - before for before, after in pairwise(lightness)]
    assert min(map(abs, steps)) > 7
    assert all(step > 0 for step in steps) or all(step < 0 for step in steps)


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_where_nothing_is_reached_is_no_class_of_minutes(deficiency: str) -> None:
    for count in range(2, 8):
        for colour in palette.minutes_colours(count):
            assert difference(colour, palette.NOT_REACHED, deficiency) > 8  # and it is hatched


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_better_and_worse_are_told_apart_and_each_is_darker_away_from_the_middle(deficiency: str) -> None:
    scale = palette.diverging(7)
    for worse, better in zip(scale[:3], reversed(scale[4:]), strict=True):
        assert difference(worse, better, deficiency) > 30
    lightness = [palette.to_lab(seen(colour, deficiency))[0] for colour in scale]
    assert lightness[:4] == sorted(lightness[:4]) and lightness[3:] == sorted(lightness[3:], reverse=True)


@pytest.mark.parametrize("deficiency", ["normal", "protanopia", "deuteranopia"])
def test_kinds_are_told_apart(deficiency: str) -> None:
    colours = palette.kinds(6)
    assert min(difference(a, b, deficiency) for a in colours for b in colours if a != b) > 12


def test_colours_are_those_that_cielab_says() -> None:
    # Published values of sRGB primaries under D65 (B. Lindbloom).
    assert palette.to_lab("#ffffff") == pytest.approx((100, 0, 0), abs=0.05)
    assert palette.to_lab("#ff0000") == pytest.approx((53.24, 80.09, 67.20), abs=0.1)
    assert palette.to_lab("#0000ff") == pytest.approx((32.30, 79.19, -107.86), abs=0.1)


def test_quantiles_hold_as_many_values_each_and_keep_equal_ones_together() -> None:
    values = [float(value * value) for value in range(100)]
    breaks = palette.quantile_breaks([*values, None, float("nan")], 4)
    places = [palette.class_of(value, breaks) for value in values]
    assert [places.count(place) for place in range(4)] == [25, 25, 25, 25]
    assert set(breaks) <= set(values)
    assert palette.quantile_breaks([3.0] * 9, 5) == []
    assert palette.quantile_breaks([], 5) == []


def test_shares_are_classed_as_they_are_and_not_as_they_are_rounded() -> None:
    assert [palette.class_of(share, palette.SHARE_BREAKS) for share in (0.2, 0.2004, 0.8, 0.8001)] == [0, 1, 3, 4]


def test_classes_take_their_upper_limit() -> None:
    assert [palette.class_of(value, [5, 10]) for value in (0, 5, 5.01, 10, 99)] == [0, 0, 1, 1, 2]
    assert palette.class_of(None, [5]) is None


def test_each_panel_says_what_share_is_covered(helsinki_run: ws.RunResult) -> None:
    figure = maps.minutes_map(helsinki_run, ["pharmacy", "supermarket"])
    total = helsinki_run.total().filter(
        (pl.col("class") == "pharmacy") & (pl.col("group") == "all") & (pl.col("profile") == "adult")
    )
    shares = [f"{percent(share)} in {minutes:g}" for share, minutes in total.select("share", "minutes").iter_rows()]
    title = figure.axes[0].get_title(loc="left").replace("\n", " ")
    assert title.startswith("Pharmacy")
    assert all(share in title for share in shares)


def test_cells_are_coloured_by_their_minutes(run: ws.RunResult) -> None:
    figure = run.plot("pharmacy", base=base_map.EMPTY)
    times = run.table("times").filter((pl.col("class") == "pharmacy") & (pl.col("profile") == "adult"))
    near, middle, far = palette.minutes_colours(3)
    assert shapes_of(figure, near) == times.filter(pl.col("time_s") <= 300).height > 0
    assert shapes_of(figure, middle) == times.filter(pl.col("time_s").is_between(300, 600, closed="right")).height
    assert shapes_of(figure, far) == times.filter(pl.col("time_s") > 600).height
    assert shapes_of(figure, palette.NOT_REACHED) == times["time_s"].null_count() > 0


def test_more_than_three_classes_of_minutes(run: ws.RunResult) -> None:
    figure = run.plot(["pharmacy"], minutes=[2, 4, 6, 8, 15], base=base_map.EMPTY, language="zh")
    steps = ["0–2 分钟", "2–4 分钟", "4–6 分钟", "6–8 分钟", "8–15 分钟", "超过 15 分钟或无路可达", "设施"]
    assert sorted(legend(figure)) == sorted(steps)
    times = run.table("times").filter((pl.col("class") == "pharmacy") & (pl.col("profile") == "adult"))
    inside = times.filter(pl.col("time_s").is_between(240, 360, closed="right"))
    assert shapes_of(figure, palette.minutes_colours(5)[2]) == inside.height > 0


@pytest.mark.parametrize("minutes", [4.1, 8.2])
def test_a_walk_of_a_broken_limit_is_within_it(run: ws.RunResult, minutes: float, tmp_path: Path) -> None:
    """4.1 min are 246 s, though 4.1 * 60 is less in binary."""
    changed = edited(run, tmp_path, "times", time_s=pl.lit(minutes * 60).round(1))
    figure = changed.plot("pharmacy", minutes=[minutes, 15], base=base_map.EMPTY)
    cells = run.table("times").filter((pl.col("class") == "pharmacy") & (pl.col("profile") == "adult")).height
    assert shapes_of(figure, palette.minutes_colours(2)[0]) == cells


def edited(run: ws.RunResult, folder: Path, table: str, **columns: pl.Expr) -> ws.RunResult:
    """A copy of a run with other values in a table."""
    copy = Path(shutil.copytree(run.folder, folder / "edited"))
    run.table(table).with_columns(**columns).write_parquet(copy / f"{table}.parquet")
    return ws.RunResult.load(copy)


def test_only_open_facilities_have_a_door(run: ws.RunResult, tmp_path: Path) -> None:
    states = ["open", "planned", "closed", "building", None]
    named = pl.Series("state", states)
    state = (pl.int_range(pl.len()) % len(states)).map_elements(lambda at: named[at], pl.String, skip_nulls=False)
    mixed = edited(run, tmp_path, "facilities", state=state)
    ledger = mixed.table("facilities").filter(pl.col("class") == "pharmacy")
    counts = [ledger["state"].to_list().count(each) for each in ("open", None)]
    assert 0 < sum(counts) < ledger.height
    (doors,) = mixed.plot("pharmacy", base=base_map.EMPTY).axes[0].collections
    assert len(doors.get_offsets()) == sum(counts)  # type: ignore[arg-type]
    on_page = tables.of_run(mixed, None).facilities
    assert on_page.filter(pl.col("class") == "pharmacy").height == sum(counts)
    city: Any = SimpleNamespace(facilities=mixed.table("facilities"), language="zh")
    assert len(map_chapters.doors(city, "pharmacy").lon) == sum(counts)


def test_facilities_are_open_by_their_state_on_the_day() -> None:
    ledger = pl.DataFrame({"id": [1, 2, 3, 4, 5], "state": ["open", "planned", None, "closed", "building"]})
    assert open_facilities(ledger)["id"].to_list() == [1, 3]
    assert open_facilities(ledger.drop("state"))["id"].to_list() == [1, 2, 3, 4, 5]


def test_areas_are_coloured_by_the_share_that_is_covered(run: ws.RunResult) -> None:
    figure = run.plot("pharmacy", show="coverage", minutes=10, base=base_map.EMPTY)
    communities = run.table("areas").filter(pl.col("level") == "community").select("area_id")
    covered = run.table("coverage").filter(
        (pl.col("class") == "pharmacy")
        & (pl.col("profile") == "adult")
        & (pl.col("group") == "all")
        & (pl.col("minutes") == 10)
    )
    share = communities.join(covered, on="area_id", how="left")["share"]
    colours = palette.sequential(5)
    assert shapes_of(figure, colours[0]) == (share <= 0.2).sum() > 0
    assert shapes_of(figure, colours[4]) == (share > 0.8).sum()
    assert shapes_of(figure, palette.NO_DATA) == share.null_count()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_map_is_in_one_language_with_units_scale_north_and_credit(run: ws.RunResult, language: str) -> None:
    figure = run.plot("pharmacy", language=language)  # type: ignore[arg-type]
    told = words(figure)
    assert ("药店" in told, "Pharmacy" in told) == ((True, False) if language == "zh" else (False, True))
    assert ("5–10 分钟" in told) == (language == "zh") and ("5–10 min" in told) == (language == "en")
    assert "SYNTHETIC 合成数据" in told
    assert "N" in told.split("\n")
    assert any(line.endswith((" m", " km")) for line in told.split("\n"))


def test_the_scale_bar_is_as_long_as_it_says(run: ws.RunResult) -> None:
    figure = run.plot("pharmacy", base=base_map.EMPTY)
    (bar,) = [artist for artist in figure.artists if isinstance(artist, Line2D)]
    inches = max(bar.get_xdata()) - min(bar.get_xdata())  # type: ignore[type-var]
    label = next(line for line in words(figure).split("\n") if line.endswith((" m", " km")))
    length_m = float(label.split()[0]) * (1000 if label.endswith("km") else 1)
    axes = figure.axes[0]
    south, north = axes.get_ylim()
    metres_per_inch = (north - south) * 111_320 / (axes.get_position().height * figure.get_figheight())
    assert inches * metres_per_inch == pytest.approx(length_m, rel=0.01)


def test_nothing_lies_over_anything_else(run: ws.RunResult) -> None:
    """Titles, panels, legend, scale and credit each have their own place on the sheet."""
    for figure in (run.plot(), run.plot(["pharmacy"], language="zh"), run.plot(show="coverage", language="zh")):
        figure.canvas.draw()
        size = figure.bbox
        boxes = [text.get_window_extent() for text in figure.texts if text.get_text()]
        boxes += [axes.get_window_extent() for axes in figure.axes]
        boxes += [axes.title.get_window_extent() for axes in figure.axes]
        boxes += [axes._left_title.get_window_extent() for axes in figure.axes]  # type: ignore[attr-defined]
        boxes += [each.get_window_extent() for each in figure.legends]
        boxes = [box for box in boxes if box.width > 0]
        for place, box in enumerate(boxes):
            assert box.x0 >= -1 and box.x1 <= size.width + 1 and box.y0 >= -1 and box.y1 <= size.height + 1
            for other in boxes[place + 1 :]:
                across = min(box.x1, other.x1) - max(box.x0, other.x0)
                down = min(box.y1, other.y1) - max(box.y0, other.y0)
                assert across < 2 or down < 2, (box, other)


def test_maps_are_as_wide_as_the_land_is(run: ws.RunResult) -> None:
    axes = run.plot("pharmacy", base=base_map.EMPTY).axes[0]
    west, east = axes.get_xlim()
    south, north = axes.get_ylim()
    shown = axes.get_position()
    width, height = axes.figure.get_size_inches()  # type: ignore[union-attr]
    by_paper = shown.width * width / (shown.height * height)
    by_land = (east - west) * float(pl.Series([(south + north) / 2]).radians().cos()[0]) / (north - south)
    assert by_paper == pytest.approx(by_land, rel=0.01)


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_the_picture_is_the_same_bytes_twice_and_replaces_an_earlier_one(
    kind: str, run: ws.RunResult, tmp_path: Path
) -> None:
    path = tmp_path / f"map.{kind}"
    path.write_text("an earlier picture")
    maps.save(run.plot("pharmacy"), path)
    first = path.read_bytes()
    maps.save(run.plot("pharmacy"), path)
    assert path.read_bytes() == first
    assert first.startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[kind])
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ({"classes": ["spaceport"]}, "no times for spaceport; classes: activity_ground"),
        ({"profile": "cyclist"}, "the run has adult, senior"),
        ({"show": "beauty"}, 'use "minutes" or "coverage"'),
        ({"show": "coverage", "minutes": 7}, "minutes 7: the run has 5, 10, 15"),
        ({"minutes": [5, 30]}, "minutes 30: the run has times up to 15 min"),
        ({"minutes": [0, 5]}, "minutes 0: the run has times up to 15 min"),
        ({"minutes": []}, "minutes .*: give at least one limit, up to 15"),
        ({"classes": []}, "no times for no class; classes: activity_ground"),
        ({"show": "coverage", "profile": "cyclist"}, "the run has adult, senior"),
        ({"show": "coverage", "group": "giants"}, "group 'giants': the run has"),
    ],
)
def test_what_a_run_does_not_have_is_refused(run: ws.RunResult, asked: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        run.plot(**asked, base=base_map.EMPTY)


@pytest.fixture(scope="module")
def by_group(city: ws.SyntheticCity, tmp_path_factory: pytest.TempPathFactory) -> ws.RunResult:
    """A run in which seniors walk as seniors and everybody else as adults."""
    folder = Path(shutil.copytree(city.folder, tmp_path_factory.mktemp("by_group") / "city"))
    study = folder / "STUDY.toml"
    pairs = 'profiles = ["adult", "senior"]'
    told = study.read_text("utf-8")
    assert pairs in told
    study.write_text(told.replace(pairs, f'{pairs}\ngroup_profiles = {{ senior_60_plus = "senior" }}'), "utf-8")
    return ws.run(study, folder / "run", progress=False)


def test_a_profile_of_one_group_has_maps_of_its_own(by_group: ws.RunResult) -> None:
    seniors = by_group.total().filter((pl.col("profile") == "senior") & (pl.col("class") == "pharmacy"))
    assert set(seniors["group"]) == {"senior_60_plus"}
    share = percent(seniors.filter(pl.col("minutes") == 10)["share"][0])
    told = words(by_group.plot("pharmacy", profile="senior", base=base_map.EMPTY)).replace("\n", " ")
    assert f"{share} in 10" in told and "seniors 60+: " in told
    for profile in ("senior", None):
        asked: dict[str, Any] = {"group": "senior_60_plus", "profile": profile, "minutes": 10}
        figure = by_group.plot("pharmacy", show="coverage", base=base_map.EMPTY, **asked)
        assert f"whole city {share}" in words(figure) and "(senior)" in words(figure)
    assert "seniors 60+" not in words(by_group.plot("pharmacy", base=base_map.EMPTY))
    assert len(by_group.plot(profile="senior", base=base_map.EMPTY).axes) == 6


def test_a_group_that_does_not_walk_so_is_refused_with_what_it_does(by_group: ws.RunResult) -> None:
    with pytest.raises(ValueError, match="all walks as adult, and as senior walks senior_60_plus"):
        by_group.plot(show="coverage", profile="senior", base=base_map.EMPTY)
    with pytest.raises(ValueError, match="senior_60_plus walks as senior, and as adult walks all, infant_0_2"):
        by_group.plot(show="coverage", profile="adult", group="senior_60_plus", base=base_map.EMPTY)


def test_a_run_without_areas_says_so(city: ws.SyntheticCity, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(city.folder, tmp_path / "city"))
    told = (folder / "STUDY.toml").read_text("utf-8")
    (folder / "STUDY.toml").write_text(re.sub(r"\[areas\]\n(.+\n)+", "", told), "utf-8")
    plain = ws.run(folder / "STUDY.toml", folder / "run", progress=False)
    with pytest.raises(ValueError, match="the run has no areas"):
        plain.plot(show="coverage", base=base_map.EMPTY)
    assert "Pharmacy" in words(plain.plot("pharmacy", base=base_map.EMPTY))


def test_few_are_not_none_and_nearly_all_are_not_all() -> None:
    shares = (0.0, 0.0048, 0.0996, 0.1, 0.42, 0.9949, 1.0, None)
    assert [percent(share) for share in shares] == ["0%", "0.5%", "10.0%", "10%", "42%", "99.5%", "100%", "–"]


HOSTILE = ["cost $5_{ and $6", "my$own$class", "^_\\", "_under", "a\\$b$", "$\\frac{1}{$"]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", ["png", "svg"])
def test_names_are_shown_letter_for_letter(name: str, kind: str, tmp_path: Path) -> None:
    figure = squares([name, name, "other"], "class").plot("class", title=name, source=f"by {name}")
    maps.save(figure, tmp_path / f"map.{kind}")
    assert set(legend(figure)) == {f"{name} (2)", "other (1)"}
    assert name in words(figure) and f"by {name}" in words(figure)
    assert not any(text.get_parse_math() for text in figure.findobj(Text) if isinstance(text, Text))


def test_a_run_of_hostile_names_is_drawn(run: ws.RunResult, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(run.folder, tmp_path / "hostile"))
    for table in ("times", "facilities"):
        mine = pl.col("class").replace({"pharmacy": HOSTILE[0]})
        run.table(table).with_columns(mine).write_parquet(copy / f"{table}.parquet")
    told = (copy / "run.json").read_text("utf-8").replace('"pharmacy"', json.dumps(HOSTILE[0]))
    report = json.loads(told)
    report["study"]["study"]["name"] = HOSTILE[1]
    (copy / "run.json").write_text(json.dumps(report), "utf-8")
    figure = ws.RunResult.load(copy).plot([HOSTILE[0], "kindergarten"], base=base_map.EMPTY)
    maps.save(figure, tmp_path / "map.png")
    assert HOSTILE[0] in words(figure).replace("\n", " ") and "My$own$class: walking time" in words(figure)


def test_no_figure_stays_open(run: ws.RunResult, recwarn: pytest.WarningsRecorder) -> None:
    figures = [squares([1.0, 2.0]).plot("value") for _ in range(22)]
    assert pyplot.get_fignums() == []
    assert not [each for each in recwarn if "figures have been opened" in str(each.message)]
    assert len({id(figure) for figure in figures}) == 22


def test_a_notebook_shows_every_figure_once() -> None:
    """Also those of later cells, of a loop of many, and one that is looked at again."""
    begin = [
        "import polars as pl, shapely, walkshed as ws",
        "shape = shapely.to_wkb(shapely.box(106.5, 29.5, 106.51, 29.51))",
        "table = ws.GeoTable(pl.DataFrame({'value': [1.0], 'geometry': [shape]}))",
        "table.plot('value');",
    ]
    cells = ["\n".join(begin), "figure = table.plot('value')", "for _ in range(22):\n    table.plot('value')", "figure"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=120).execute()
    shown = [[output for output in cell.outputs if "data" in output] for cell in notebook.cells]
    assert [len(each) for each in shown] == [1, 1, 22, 1]
    assert all("image/png" in output.data for each in shown for output in each)
    assert not [output for cell in notebook.cells for output in cell.outputs if output.output_type == "stream"]


def test_a_picture_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figure = squares([1.0]).plot("value")

    def full(partial: Path, **_: Any) -> None:
        Path(partial).write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(figure, "savefig", full)
    with pytest.raises(OSError, match="no space"):
        maps.save(figure, tmp_path / "map.png")
    assert list(tmp_path.iterdir()) == []


def squares(values: list[Any], column: str = "value") -> ws.GeoTable:
    """Squares side by side."""
    geometry = [
        shapely.to_wkb(shapely.box(106.5 + 0.01 * place, 29.5, 106.508 + 0.01 * place, 29.508))
        for place in range(len(values))
    ]
    return ws.GeoTable(pl.DataFrame({column: values, "geometry": geometry}))


def test_numbers_are_classed_and_the_legend_counts_rows() -> None:
    figure = squares([1.0, 2.0, 3.0, 4.0, None]).plot("value", k=2, unit="km")
    low, high = palette.sequential(2)
    assert shapes_of(figure, low) == shapes_of(figure, high) == 2
    assert shapes_of(figure, palette.NO_DATA) == 1
    assert set(legend(figure)) == {"1–2 km (2)", "3–4 km (2)", "no value (1)"}


def test_classes_by_equal_width_and_by_limits() -> None:
    values = [0.0, 1.0, 2.0, 10.0]
    assert set(legend(squares(values).plot("value", scheme="equal", k=2))) == {"0–2 (3)", "10 (1)"}
    assert set(legend(squares(values).plot("value", scheme=[1.0]))) == {"0–1 (2)", "2–10 (2)"}
    with pytest.raises(ValueError, match="ascending"):
        squares(values).plot("value", scheme=[2.0, 1.0])
    with pytest.raises(ValueError, match="quantiles"):
        squares(values).plot("value", scheme="jenks")  # type: ignore[arg-type]


def test_a_legend_has_as_many_figures_as_tell_its_classes_apart() -> None:
    values = [123.001, 123.002, 123.003, 123.004, 123.005]
    told = legend(squares(values).plot("value", k=5))
    assert sorted(told) == [f"{value} (1)" for value in values]
    near = legend(squares([2000.25, 2000.5, 2000.75]).plot("value", k=3))
    assert len(set(near)) == 3
    assert set(legend(squares([0.12345, 55.5, 1234.5, 6e6]).plot("value", k=2))) == {
        "0.123–55.5 (2)",
        "1,234–6,000,000 (2)",
    }


@pytest.mark.parametrize("scheme", ["quantiles", "equal", [2.0]])
def test_infinite_numbers_are_the_last_class(scheme: Any) -> None:
    told = legend(squares([1.0, 2.0, 3.0, float("inf"), float("nan")]).plot("value", scheme=scheme, k=2))
    assert any(text.endswith("–∞ (2)") or text.endswith("–∞ (3)") for text in told)
    assert "no value (1)" in told


def test_decimals_are_numbers_and_truth_is_said_in_the_language() -> None:
    amounts = [decimal.Decimal("1.50"), decimal.Decimal("2.25"), None]
    assert set(legend(squares(amounts).plot("value", k=2))) == {"1.5 (1)", "2.25 (1)", "no value (1)"}
    assert set(legend(squares([True, False, False]).plot("value", language="zh"))) == {"否 (2)", "是 (1)"}
    assert set(legend(squares([True, False, False]).plot("value"))) == {"no (2)", "yes (1)"}


def test_words_are_kinds_and_rare_ones_are_one() -> None:
    figure = squares(["pass", "fail", "fail", None], "status").plot("status", language="zh")
    assert set(legend(figure)) == {"未达标 (2)", "达标 (1)", "无数据 (1)"}
    many = squares([f"kind {place}" for place in range(12)]).plot("value")
    assert len(legend(many)) == 8 and "others (5)" in legend(many)
    more = squares([f"kind {place}" for place in range(30)]).plot("value", language="zh")
    assert len(legend(more)) == 8 and "其他 (23)" in legend(more)


def test_columns_and_shapes_that_are_not_there_are_refused() -> None:
    with pytest.raises(ValueError, match="column 'height': the table has value"):
        squares([1.0]).plot("height")
    empty = pl.DataFrame({"value": [1.0], "geometry": [None]}, schema_overrides={"geometry": pl.Binary})
    with pytest.raises(ValueError, match="no row has a shape"):
        ws.GeoTable(empty).plot("value")


def test_lines_and_points_are_drawn_too() -> None:
    shapes = [shapely.LineString([(106.5, 29.5), (106.51, 29.51)]), shapely.Point(106.505, 29.5)]
    table = pl.DataFrame({"value": [1, 2], "geometry": [shapely.to_wkb(shape) for shape in shapes]})
    figure = ws.GeoTable(table).plot("value")
    assert len(figure.axes[0].collections) == 1
    assert [len(text) > 0 for text in legend(figure)] == [True, True]


def test_smaller_shapes_lie_on_larger_ones() -> None:
    boxes = [shapely.box(106.5, 29.5, 106.5 + side, 29.5 + side) for side in (0.01, 0.03, 0.02)]
    table = pl.DataFrame({"minutes": [5, 15, 10], "geometry": [shapely.to_wkb(box) for box in boxes]})
    drawn = [patch for patch in ws.GeoTable(table).plot("minutes").axes[0].patches if patch.get_fill()]
    near, middle, far = palette.minutes_colours(3)
    order = [colour for patch in drawn if (colour := to_hex(patch.get_facecolor())) in (near, middle, far)]
    assert order == [far, middle, near]


@pytest.fixture
def answer(street: ws.Network) -> ws.Baseline:
    cells = places({1: (0, 0), 2: (532, 0), 3: (1064, 0)}, people=[100.0, 200.0, 300.0]).select(
        cell=pl.Series(_cells()), people="people", lon="lon", lat="lat"
    )
    doors = places({"k1": (0, 0)}, **{"class": ["kindergarten"]})
    return ws.Baseline(street, cells, doors, minutes=(5, 10), progress=False)


def _cells() -> list[int]:
    import h3

    return [h3.str_to_int(h3.latlng_to_cell(*degrees(east, 0)[::-1], 10)) for east in (0, 532, 1064)]


def test_who_gains_and_who_loses(answer: ws.Baseline) -> None:
    # Within 10 min: who lived next door walks 800 s now and arrives nowhere, who lived 800 s away is at the door.
    # In the middle it is 400 s either way.
    plan = ws.Scenario(
        [ws.OpenFacility("k2", "kindergarten", degrees(1064, 0)), ws.CloseFacility("k1"),
         ws.AddLink("b1", degrees(0, 0), degrees(0, 40))], name="搬迁",
    )  # fmt: skip
    found = answer.what_if(plan, progress=False)
    figure = found.plot(language="zh")
    assert "0 人缩短，0 人延长，300 人新增可达，100 人不再可达" in words(figure).replace("\n", "")
    assert {"新增可达", "不再可达", "新增设施", "新增连接"} <= set(legend(figure))
    assert not [text for text in legend(figure) if "分钟" in text]
    best, worst = palette.diverging(9)[8], palette.diverging(9)[0]
    assert shapes_of(figure, best) == shapes_of(figure, worst) == 1
    hatched = [patch for patch in figure.axes[0].patches if patch.get_hatch()]
    assert len(hatched) == 1
    everywhere = found.gains.filter(pl.col("area_id").is_null() & (pl.col("group") == "all"))
    assert everywhere.select("people_gaining", "people_losing").row(0) == (300.0, 100.0)


CHANGES = [
    # before, after (s; cut-off 900), what becomes of the walk
    (894.0, None, "no longer reached"),
    (None, 894.0, "newly reached"),
    (None, None, "as long as before"),
    (600.0, 600.0, "as long as before"),
    (600.1, 600.0, "less than 2 min shorter"),
    (719.9, 600.0, "less than 2 min shorter"),
    (720.0, 600.0, "2–5 min shorter"),
    (600.0, 300.0, "2–5 min shorter"),
    (600.1, 300.0, "over 5 min shorter"),
    (600.0, 600.1, "less than 2 min longer"),
    (600.0, 719.9, "less than 2 min longer"),
    (600.0, 720.0, "2–5 min longer"),
    (300.0, 600.0, "2–5 min longer"),
    (300.0, 600.1, "over 5 min longer"),
]


@pytest.mark.parametrize(("before", "after", "told"), CHANGES)
def test_each_walk_is_in_the_class_that_its_words_say(before: float | None, after: float | None, told: str) -> None:
    figure = changed([(before, after, 10.0)])
    assert legend(figure) == [told]


def test_the_title_counts_the_people_of_each_change() -> None:
    walks = [(894.0, None, 1.0), (None, 880.0, 20.0), (500.0, 600.0, 300.0), (600.0, 100.0, 4000.0), (9.0, 9.0, 5e4)]
    told = words(changed(walks)).replace("\n", " ")
    assert "shorter for 4,000 people, longer for 300, newly reached by 20, no longer reached by 1" in told


def changed(walks: list[tuple[float | None, float | None, float]]) -> Figure:
    """The map of walks before and after, each of a cell of its own with some people."""
    boxes = [shapely.box(106.5 + 0.01 * at, 29.5, 106.508 + 0.01 * at, 29.508) for at in range(len(walks))]
    times = pl.DataFrame(
        walks, schema={"before_s": pl.Float64, "after_s": pl.Float64, "people": pl.Float64}, orient="row"
    )
    cells = times.with_columns(
        pl.Series("geometry", [shapely.to_wkb(box) for box in boxes]),
        **{"class": pl.lit("pharmacy")},
        profile=pl.lit("adult"),
    )
    box = change.box_of(cells, [], "adult")
    about: dict[str, Any] = {"name": "plan", "profile": "adult", "classes": None, "language": "en", "source": ""}
    return change.change_map(cells, [], base=base_map.EMPTY, box=box, **about)


def test_maps_of_a_synthetic_network_say_so(answer: ws.Baseline, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = ws.Scenario([ws.OpenFacility("p", "pharmacy", degrees(0, 0))], name="p")
    shown, net = answer.what_if(plan, progress=False), answer.network
    assert "SYNTHETIC" not in words(shown.plot()) + words(net.plot())
    monkeypatch.setattr(ws.Network, "synthetic", property(lambda _: True))
    for figure in (
        shown.plot(),
        shown.plot(base=base_map.EMPTY),
        shown.plot(source="desk"),
        net.plot(),
        net.plot(source="desk"),
    ):
        assert "SYNTHETIC 合成数据" in words(figure)
    assert "desk" in words(net.plot(source="desk"))
    assert words(net.plot(source="SYNTHETIC 合成数据: desk")).count("SYNTHETIC") == 1


def test_a_synthetic_city_says_so_whatever_else_is_said(city: ws.SyntheticCity, run: ws.RunResult) -> None:
    net = ws.Network.from_osm(city.folder / "streets.osm.pbf", progress=False)
    real = replace(base_map.EMPTY, source="© OpenStreetMap contributors")
    for figure in (net.plot(), run.plot("pharmacy", source="desk"), run.plot("pharmacy", base=real)):
        assert words(figure).count("SYNTHETIC 合成数据") == 1
    assert "desk" in words(run.plot("pharmacy", source="desk", show="coverage"))


def test_a_scenario_that_changes_nothing_says_so(answer: ws.Baseline) -> None:
    plan = ws.Scenario([ws.OpenFacility("p", "pharmacy", degrees(0, 0))], name="p")
    shown = answer.what_if(plan, progress=False)
    with pytest.raises(ValueError, match="no walk of adult to kindergarten changes; it changes those to pharmacy"):
        shown.plot("kindergarten")
    with pytest.raises(ValueError, match="there are adult"):
        shown.plot(profile="senior")


def test_scenarios_are_drawn_by_name(city: ws.SyntheticCity, run: ws.RunResult, tmp_path: Path) -> None:
    lon, lat = run.table("cells").select("lon", "lat").row(0)
    plans = []
    for name in ("one", "two"):
        plans.append(tmp_path / f"{name}.toml")
        plans[-1].write_text(
            f'[scenario]\nname = "{name}"\n[[edit]]\ndo = "open_facility"\nid = "{name}"\nclass = "kindergarten"\n'
            f"place = [{lon}, {lat}]\n",
            "utf-8",
        )
    result = ws.run_scenarios(city.study, plans, tmp_path / "out", progress=False)
    assert "two: change of the walk" in words(result.plot(scenario="two"))
    assert "one：到最近设施" in words(result.plot(language="zh", profile="senior"))
    assert "SYNTHETIC 合成数据" in words(result.plot())
    with pytest.raises(ValueError, match="scenario 'three': the result has one, two"):
        result.plot(scenario="three")


def test_stairs_stand_out_with_their_length(street: ws.Network) -> None:
    figure = street.plot(language="zh")
    assert set(legend(figure)) == {"其他步行道路 (1.1 km)", "梯道 (0.1 km)"}
    with pytest.raises(ValueError, match='use "kind" or "slope"'):
        street.plot(by="beauty")  # type: ignore[arg-type]


def test_ways_are_classed_by_their_slope() -> None:
    town = Town().corner("a", 0, 0, 100).corner("b", 100, 0, 101).corner("c", 200, 0, 107).corner("d", 300, 0, 127)
    town.corner("e", 300, 100, 140)
    net = town.way("a", "b", 100).way("c", "b", 100).way("c", "d", 100).way("d", "e", 100, "steps").network()
    assert set(legend(net.plot(by="slope"))) == {
        "slope 0–2 % (0.1 km)",
        "slope 2–5 % (0.0 km)",
        "slope 5–8 % (0.1 km)",
        "slope 8–12 % (0.0 km)",
        "slope over 12 % (0.1 km)",
        "stairs (0.1 km)",
    }


def test_lifts_are_counted(city: ws.SyntheticCity) -> None:
    net = ws.Network.from_osm(city.folder / "streets.osm.pbf", progress=False)
    lifts = net.edges().filter(pl.col("kind") == "lift").height
    assert f"lifts ({lifts:,})" in legend(net.plot())


def test_sites_and_whom_they_serve_are_drawn() -> None:
    homes = places({"a": (0, 0), "b": (100, 0), "c": (5000, 0)}, people=[60.0, 40.0, 25.0])
    sites = places({1: (0, 10), 2: (110, 0), 3: (400, 0)})
    costs = pl.DataFrame({"origin_id": ["a", "a", "b", "b"], "site_id": [1, 2, 1, 2], "cost": [60, 300, 600, 120]})
    best = ws.siting.p_median(
        costs,
        homes.rename({"id": "origin_id"}),
        sites=sites.rename({"id": "site_id"}),
        existing=[2],
        k=1,
        unserved_cost=1000,
        progress=False,
    )
    figure = best.plot(homes, candidates=sites, language="en")
    assert set(legend(figure)) == {
        "to build, by order (1)",
        "existing (1)",
        "candidate (3)",
        "people served (100)",
        "people not served (25)",
        "served from",
    }
    assert "1" in words(figure).split("\n")
    with pytest.raises(ValueError, match="demand: it has no column lon, lat"):
        best.plot(homes.drop("lon", "lat"))
    nowhere = ws.siting.p_median(costs, homes.rename({"id": "origin_id"}), k=1, unserved_cost=1000, progress=False)
    with pytest.raises(ValueError, match="no site has a place"):
        nowhere.plot()


def test_communities_by_score_and_grade(run: ws.RunResult, tmp_path: Path) -> None:
    card = ws.score_run(run.folder, tmp_path / "card", standard="mohurd_2020", level="community", progress=False)
    areas = run.table("areas")
    figure = card.plot(areas, "observed", language="zh")
    assert sum(int(text.rsplit("(")[-1].rstrip(")").replace(",", "")) for text in legend(figure)) == card.totals.height
    graded = legend(card.plot(areas, "grade", language="zh"))
    undecided = card.totals["grade"].null_count()
    assert f"未定：有情况不明 ({undecided})" in graded or not undecided
    with pytest.raises(ValueError, match="none has a score"):
        card.plot(areas.with_columns(area_id=pl.lit("x") + pl.col("area_id")))


def test_a_scale_bar_is_a_round_number() -> None:
    assert [round_length_m(longest) for longest in (0.5, 7, 99, 100, 4999)] == [1, 5, 50, 100, 2000]


def test_text_is_broken_between_words_and_chinese_anywhere() -> None:
    assert all(len(line) <= 8 for line in wrapped("步行可达覆盖率由低到高，按社区", 10, 1.1).split("\n"))
    assert not any(line.startswith("，") for line in wrapped("步行可达覆盖，按社区", 10, 6.2 * 10 / 72).split("\n"))
    assert wrapped("walking time", 10, 5) == "walking time"
    assert wrapped("one\ntwo", 10, 5) == "one\ntwo"
