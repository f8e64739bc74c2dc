"""Scenarios: towns solved by hand, edits that restore, faults told together, answers that are those of a whole run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from towns import Town, degrees, places

import walkshed as ws


def two_streets() -> Town:
    """Two level streets of 266 metres, 133 metres apart, that meet only by a lane at their west ends."""
    town = Town()
    for name, east, north in (("sw", 0, 0), ("se", 266, 0), ("nw", 0, 133), ("ne", 266, 133)):
        town.corner(name, east, north, 250.0)
    town.way("sw", "se", 266, id=1).way("nw", "ne", 266, id=2)
    return town.way("sw", "nw", 133, id=3)


def bridge(east_m: float = 199.5, **options: object) -> ws.AddLink:
    ends = degrees(east_m, 133), degrees(east_m, 0)
    return ws.AddLink("bridge", *ends, kind="footbridge", length_m=133, rise_m=0, **options)  # type: ignore[arg-type]


def seconds(net: ws.Network, home: tuple[float, float], door: tuple[float, float], **options: object) -> float | str:
    homes, doors = places({"home": home}), places({"door": door}, **{"class": ["any"]})
    (row,) = net.nearest(homes, doors, max_minutes=30, **options).iter_rows(named=True)  # type: ignore[arg-type]
    return row["reason"] or row["time_s"]


def test_a_footbridge_is_a_way_from_the_middle_of_a_street_to_the_middle_of_another() -> None:
    net = two_streets().network()
    what_if = net.with_scenario(ws.Scenario([bridge()]))
    north_east, south_east = (266, 133), (266, 0)
    assert seconds(net, north_east, south_east) == 200 + 100 + 200
    assert seconds(what_if, north_east, south_east) == 50 + 100 + 50
    # From a door on the piece of the street east of the bridge to one on the piece west of it: along the street.
    assert seconds(what_if, (266, 133), (133, 133)) == seconds(net, (266, 133), (133, 133)) == 100
    assert seconds(what_if, (232.75, 133), (166.25, 0)) == 25 + 100 + 25
    # Off the street of the bridge nothing changes, and the baseline is as it was.
    assert seconds(what_if, (0, 133), (0, 0)) == 100
    assert net.scenario is None and seconds(net, north_east, south_east) == 500


def test_a_bridge_that_ends_beside_a_street_is_joined_by_a_step() -> None:
    net = two_streets().network()
    short = ws.AddLink("b", degrees(199.5, 119.7), degrees(199.5, 13.3), kind="footbridge", length_m=106.4, rise_m=0)
    # Two steps of 13.3 metres, and 106.4 metres between.
    assert seconds(net.with_scenario(ws.Scenario([short])), (266, 133), (266, 0)) == 50 + 10 + 80 + 10 + 50


def test_stairs_and_lifts_take_what_they_take_by_direction_and_person() -> None:
    net = two_streets().network()
    ends = degrees(266, 133), degrees(266, 0)
    stairs = net.with_scenario(ws.Scenario([ws.AddLink("s", *ends, kind="steps", length_m=27, rise_m=-15)]))
    # 27 metres at 0.60 metres per second down and 0.45 up, as of any stairs of five storeys.
    assert seconds(stairs, (266, 133), (266, 0)) == 45
    assert seconds(stairs, (266, 133), (266, 0), direction="from_facility") == 60
    assert seconds(stairs, (266, 133), (266, 0), profile="wheelchair") == seconds(
        net, (266, 133), (266, 0), profile="wheelchair"
    )
    lift = ws.Scenario([ws.AddLink("l", *ends, kind="lift", floors=10)])
    adult = ws.profile("adult")
    waited = adult.lift_wait_s + 10 * adult.lift_s_per_floor  # type: ignore[operator]
    assert seconds(net.with_scenario(lift), (266, 133), (266, 0)) == pytest.approx(waited)
    down = ws.Scenario([ws.AddLink("e", *ends, kind="escalator", length_m=25)])
    moved = net.with_scenario(down)
    assert seconds(moved, (266, 133), (266, 0)) == pytest.approx(25 / adult.escalator_mps, abs=0.05)  # type: ignore[operator]
    assert seconds(moved, (266, 0), (266, 133)) == 500


def test_links_hang_together_at_their_joints() -> None:
    net = two_streets().network()
    top = degrees(266, 66.5)
    up = ws.AddLink("up", degrees(266, 133), top, kind="lift", floors=2, to_joint="deck")
    over = ws.AddLink("over", top, degrees(266, 0), kind="footbridge", length_m=133, rise_m=0, from_joint="deck")
    adult = ws.profile("adult")
    waited = adult.lift_wait_s + 2 * adult.lift_s_per_floor  # type: ignore[operator]
    for edits in ([up, over], [over, up]):
        assert seconds(net.with_scenario(ws.Scenario(edits)), (266, 133), (266, 0)) == pytest.approx(waited + 100)
    with pytest.raises(ws.InputError, match="no other link ends at this joint"):
        net.with_scenario(ws.Scenario([up]))
    with pytest.raises(ws.InputError, match="67 m away, the limit is 50 m"):
        net.with_scenario(ws.Scenario([ws.AddLink("far", degrees(266, 133), top)]))


def test_what_is_closed_is_closed_and_what_is_retimed_takes_its_time() -> None:
    net = two_streets().network()
    closed = ws.Scenario([ws.CloseLink(3)])
    assert seconds(net.with_scenario(closed), (266, 133), (266, 0)) == "not_connected"
    near = ws.Scenario([ws.CloseLink(at=degrees(-5, 60))])
    assert seconds(net.with_scenario(near), (266, 133), (266, 0)) == "not_connected"
    slow = ws.Scenario([ws.RetimeLink(3, forward_s=160, backward_s=300)])
    # The lane was drawn from south to north; the walk goes south.
    assert seconds(net.with_scenario(slow), (266, 133), (266, 0)) == 200 + 300 + 200
    assert seconds(net.with_scenario(slow), (266, 0), (266, 133)) == 200 + 160 + 200
    again = ws.Scenario([ws.CloseLink(3), ws.OpenLink(3)])
    assert seconds(net.with_scenario(again), (266, 133), (266, 0)) == 500


def test_facilities_of_a_search_are_edited_too() -> None:
    net = two_streets().network()
    homes = places({"home": (266, 133)})
    doors = places({1: (266, 0), 2: (0, 0)}, **{"class": ["shop", "shop"]})
    at = degrees(133, 133)

    def found(*edits: ws.scenario.Edit) -> list[tuple[object, object]]:
        times = net.with_scenario(ws.Scenario(edits)).nearest(homes, doors, max_minutes=30)
        return list(times.select("time_s", "facility_id").iter_rows())

    assert found() == [(300.0, 2)]
    assert found(ws.OpenFacility(3, "shop", at)) == [(100.0, 3)]
    assert found(ws.CloseFacility(2)) == [(500.0, 1)]
    assert found(ws.CloseFacility(2), ws.OpenFacility(2)) == [(300.0, 2)]
    assert found(ws.MoveFacility(1, at)) == [(100.0, 1)]
    assert found(ws.CloseFacility(1), ws.CloseFacility(2), ws.OpenFacility(9, "park", at)) == [(100.0, 9), (None, None)]
    # Equally near: the lower id.
    assert found(ws.OpenFacility(7, "shop", at), ws.OpenFacility(6, "shop", at)) == [(100.0, 6)]


def test_every_fault_of_every_edit_is_told_at_once() -> None:
    net = two_streets().network()
    doors = places({1: (266, 0)}, **{"class": ["shop"]})
    with pytest.raises(ws.InputError) as refused:
        ws.Scenario([ws.NewHomes((300.0, 10.0), -5), ws.OpenFacility("x", "shop", (0.0, 95.0))])
    assert [problem["column"] for problem in refused.value.problems] == ["place", "people", "place"]  # type: ignore[attr-defined]
    plan = ws.Scenario([ws.CloseLink("nowhere"), ws.OpenLink(3), bridge(), bridge(), ws.CloseLink(), ws.RetimeLink(77)])
    with pytest.raises(ws.InputError) as refused:
        net.with_scenario(plan)
    problems = refused.value.problems  # type: ignore[attr-defined]
    told = [(problem["row"], problem["reason"]) for problem in problems]
    assert told == [
        (1, "no_such_link"),
        (2, "link_open"),
        (4, "link_exists"),
        (5, "which_link"),
        (6, "no_such_link"),
    ]
    assert all(problem["message_zh"] for problem in problems)
    wrong = ws.Scenario([ws.CloseFacility(8), ws.OpenFacility("b", "shop", degrees(0, 0)), ws.OpenFacility(1)])
    with pytest.raises(ws.InputError) as refused:
        net.with_scenario(wrong).nearest(places({"h": (0, 0)}), doors)
    told = [(problem["row"], problem["reason"]) for problem in refused.value.problems]  # type: ignore[attr-defined]
    assert told == [(1, "no_such_facility"), (2, "id_not_a_number"), (3, "facility_open")]


def test_a_scenario_is_known_by_its_edits(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(
        """
        [scenario]
        name = "两处"
        [[edit]]
        do = "open_facility"
        id = 7
        class = "canteen"
        place = [106.55, 29.56]
        capacity = { places = 60 }
        cost_yuan = 150000
        on = 2027-06-01
        [[edit]]
        do = "add_link"
        id = "stairs"
        kind = "stair"
        from = [106.55, 29.56]
        to = [106.551, 29.56]
        """,
        encoding="utf-8",
    )
    read = ws.Scenario.from_toml(file)
    made = ws.Scenario(
        [
            ws.OpenFacility(
                "7", "canteen", (106.55, 29.56), capacity={"places": 60}, cost_yuan=150_000, on="2027-06-01"
            ),
            ws.AddLink("stairs", (106.55, 29.56), (106.551, 29.56), kind="steps"),
        ]
    )
    assert read == made and read.id == made.id and (read.name, made.name) == ("两处", "scenario")
    assert read.cost_yuan == 150_000
    assert ws.Scenario(reversed(made.edits)).id != made.id
    dated = ws.Scenario([ws.CloseFacility("a", on="2027-06-01"), ws.CloseFacility("b")])
    assert [len(dated.until(day)) for day in ("2027-05-31", "2027-06-01")] == [1, 2]
    with pytest.raises(ws.InputError, match="on"):
        ws.Scenario([ws.CloseFacility("a", on="soon")])
    file.write_text('[[edit]]\ndo = "fly"\n[[edit]]\ndo = "add_link"\nid = "a"\nspeed = 3\n[plan]\n', encoding="utf-8")
    with pytest.raises(ws.InputError) as refused:
        ws.Scenario.from_toml(file)
    told = [(problem["row"], problem["reason"]) for problem in refused.value.problems]  # type: ignore[attr-defined]
    assert told == [(None, "unknown_name"), (1, "unknown_change"), (2, "unreadable_edit")]


def a_city() -> tuple[ws.Network, pl.DataFrame, pl.DataFrame]:
    net = two_streets().network()
    at = {number: (26.6 * number, 133) for number in range(11)} | {
        20 + number: (26.6 * number, 0) for number in range(11)
    }
    homes = places(at)
    import h3

    cells = homes.select("lon", "lat").with_columns(
        cell=pl.struct("lon", "lat").map_elements(
            lambda p: h3.str_to_int(h3.latlng_to_cell(p["lat"], p["lon"], 12)), pl.UInt64
        ),
        people=pl.Series([float(10 + number) for number in range(22)]),
        old=pl.Series([float(number % 5) for number in range(22)]),
    )
    doors = places({1: (266, 0), 2: (0, 0), 3: (40, 133)}, **{"class": ["shop", "shop", "park"]})
    return net, cells.unique("cell", maintain_order=True), doors


def whole_run(net: ws.Network, plan: ws.Scenario, cells: pl.DataFrame, doors: pl.DataFrame) -> pl.DataFrame:
    under, people = net.with_scenario(plan), plan.cells(cells)
    times = [under.nearest(people, doors, profile=who, max_minutes=8).with_columns(profile=pl.lit(who)) for who in WHO]
    return ws.coverage(pl.concat(times), people, minutes=(2, 4, 8))


WHO = ("adult", "wheelchair")


@pytest.mark.parametrize(
    "edits",
    [
        [],
        [bridge()],
        [bridge(), ws.CloseLink(3)],
        [ws.CloseLink(2)],
        [ws.OpenFacility(4, "park", degrees(200, 0)), ws.CloseFacility(1)],
        [ws.CloseFacility(3)],
        [ws.OpenFacility(4, "school", degrees(200, 0))],
        [ws.NewHomes(degrees(100, 66), 50, {"old": 20}), ws.NewHomes(degrees(0, 133), 5)],
        [bridge(50), ws.RetimeLink(1, forward_s=100, backward_s=400), ws.MoveFacility(2, degrees(10, 133))],
    ],
)
def test_an_answer_is_that_of_a_whole_run(edits: list[ws.scenario.Edit]) -> None:
    net, cells, doors = a_city()
    baseline = ws.Baseline(net, cells, doors, minutes=(2, 4, 8), profiles=WHO)
    plan = ws.Scenario(edits)
    answer = baseline.what_if(plan)
    keys = ["area_id", "class", "group", "profile", "minutes"]
    assert_frame_equal(answer.coverage.sort(keys), whole_run(net, plan, cells, doors).sort(keys), check_exact=True)
    before = whole_run(net, ws.Scenario([]), cells, doors)
    assert_frame_equal(baseline.coverage.sort(keys), before.sort(keys), check_exact=True)
    if not edits:
        assert answer.touched_coverage.is_empty() and len(answer.cells) == 0
    sides = ws.compare(baseline, answer)
    assert sides["change"].to_list() == pytest.approx(
        (sides["people_covered"] - sides["people_covered_before"]).to_list()
    )


def test_who_gains_and_what_it_costs() -> None:
    net, cells, doors = a_city()
    baseline = ws.Baseline(net, cells, doors.filter(pl.col("id") == 1), minutes=(2, 4, 8))
    answer = baseline.what_if(ws.Scenario([bridge(cost_yuan=1000)], name="bridge"))
    changed = answer.cells.to_polars()
    # Of the north street all gain from its east end to where the lane is as near; the south street keeps its walks.
    everywhere = answer.gains.filter(pl.col("area_id").is_null() & (pl.col("group") == "all")).row(0, named=True)
    assert everywhere["people_losing"] == 0
    saved = (pl.col("before_s").fill_null(480) - pl.col("after_s")) / 60 * pl.col("people")
    assert everywhere["people_minutes_saved"] == pytest.approx(changed.select(saved.sum()).item())
    assert everywhere["people_gaining"] == changed["people"].sum()
    newly = answer.newly_covered().filter(pl.col("minutes") == 4).row(0, named=True)
    assert newly["people_newly_covered"] > 0 and newly["people_no_longer_covered"] == 0
    assert newly["yuan_per_person"] == pytest.approx(1000 / newly["people_newly_covered"])
    of_old = answer.newly_covered("old").filter(pl.col("minutes") == 4).row(0, named=True)
    assert 0 < of_old["people_newly_covered"] < newly["people_newly_covered"]
    assert answer.cells.to_geopandas().geometry.notna().all()
    # Two scenarios side by side.
    other = baseline.what_if(ws.Scenario([bridge(50)]))
    assert ws.compare(answer, other)["change"].abs().sum() > 0
    with pytest.raises(ws.InputError):
        ws.compare(doors, answer)
    with pytest.raises(ValueError, match="under a scenario"):
        ws.Baseline(net.with_scenario(answer.scenario), cells, doors)


def test_tables_after_the_edits_keep_their_rows_and_columns() -> None:
    _, cells, doors = a_city()
    plan = ws.Scenario(
        [
            ws.OpenFacility(9, "shop", degrees(5, 5), capacity={"seats": 30, "places": 12}),
            ws.ResizeFacility(1, {"seats": 80}),
            ws.CloseFacility(2),
            ws.NewHomes(degrees(133, 60), 7, {"old": 7}),
        ]
    )
    edited = plan.facilities(doors.with_columns(seats=pl.Series([10.0, 20.0, None])))
    assert edited["id"].to_list() == [1, 2, 3, 9]
    assert edited["seats"].to_list() == [80.0, 20.0, None, 30.0]
    assert edited["places"].to_list() == [None, None, None, 12.0]
    assert edited["state"].to_list() == ["open", "closed", "open", "open"]
    people = plan.cells(cells)
    assert people["people"].sum() == pytest.approx(cells["people"].sum() + 7)
    assert people["old"].sum() == pytest.approx(cells["old"].sum() + 7)
    square = [degrees(0, 0), degrees(100, 0), degrees(100, 100), degrees(0, 100)]
    drawn = ws.Scenario([ws.SetArea("new", [square], name="新片区")])
    old = pl.DataFrame({"area_id": ["a"], "geometry": ["POLYGON ((106.5 29.5, 106.6 29.5, 106.6 29.6, 106.5 29.5))"]})
    import geopandas

    old_areas = geopandas.GeoDataFrame(
        old.drop("geometry").to_pandas(), geometry=geopandas.GeoSeries.from_wkt(old["geometry"].to_list()), crs=4326
    )
    areas = drawn.areas(old_areas).to_polars()
    assert areas["area_id"].to_list() == ["a", "new"] and areas["name"].to_list() == [None, "新片区"]


@pytest.mark.filterwarnings("ignore::walkshed.RejectedRowsWarning")
@pytest.mark.parametrize("profile", ["adult", "wheelchair"])
def test_a_real_city_under_edits(
    porto_alegre: ws.Network, hexgrid: pl.DataFrame, doors: pl.DataFrame, profile: str
) -> None:
    """Porto Alegre: a lift, stairs, closed streets and facilities; the answer against the whole line."""
    cells = hexgrid.select(cell="id", people="population").filter(pl.col("people") > 0)
    lon, lat = doors["lon"][3], doors["lat"][3]
    way = porto_alegre.edges()["source_id"][1000]
    plan = ws.Scenario(
        [
            ws.AddLink("lift", (lon, lat), (lon + 0.002, lat + 0.001), kind="lift", rise_m=30),
            ws.AddLink("stairs", (lon + 0.004, lat), (lon + 0.004, lat + 0.003), kind="steps"),
            ws.CloseLink(way),
            ws.CloseFacility(doors["id"][0]),
            ws.OpenFacility("new", "schools", (lon + 0.001, lat + 0.002)),
        ]
    )
    baseline = ws.Baseline(porto_alegre, cells, doors, profiles=[profile])
    answer = baseline.what_if(plan)
    times = porto_alegre.with_scenario(plan).nearest(plan.cells(cells), doors, profile=profile, max_minutes=15)
    whole = ws.coverage(times, plan.cells(cells), profile=profile)
    keys = ["area_id", "class", "group", "profile", "minutes"]
    assert_frame_equal(answer.coverage.sort(keys), whole.sort(keys), check_exact=True)
    assert 0 < len(answer.cells) < cells.height


@pytest.mark.parametrize(
    "edits",
    [
        [bridge()],
        [ws.CloseLink(3), ws.OpenFacility(4, "park", degrees(200, 0))],
        [ws.ResizeFacility(1, {"seats": 90}), ws.NewHomes(degrees(133, 100), 40)],
        [ws.MoveFacility(2, degrees(150, 133)), ws.CloseFacility(3)],
    ],
)
def test_measures_from_touched_pairs_are_those_of_a_whole_run(edits: list[ws.scenario.Edit]) -> None:
    net, cells, doors = a_city()
    doors = doors.with_columns(seats=pl.Series([10.0, 20.0, 30.0]))
    plan = ws.Scenario(edits)
    baseline = ws.Baseline(net, cells, doors, minutes=(4, 8))
    people, supply = plan.cells(cells), plan.facilities(doors).filter(pl.col("state") == "open")
    supply = supply.with_columns(pl.col("seats").fill_null(1.0))
    before = net.reach(cells, doors, max_minutes=8)
    after = net.with_scenario(plan).reach(people, doors, max_minutes=8)
    touched = baseline.reach(plan)
    mine = touched.pairs.sort("origin_id", "facility_id")
    is_touched = pl.col("origin_id").is_in(touched.cells.to_list())
    assert_frame_equal(mine, after.filter(is_touched).sort("origin_id", "facility_id"))
    assert_frame_equal(
        before.filter(~is_touched).sort("origin_id", "facility_id"),
        after.filter(~is_touched).sort("origin_id", "facility_id"),
    )
    origins = pl.DataFrame({"id": touched.cells})
    for measure in (ws.cumulative, ws.gravity):
        options = {"minutes": (4, 8)} if measure is ws.cumulative else {"half_min": 3.0}
        quick = measure(touched.pairs, supply, origins=origins, capacity="seats", **options)  # type: ignore[operator]
        whole = measure(after, supply, origins=people.select(id="cell"), capacity="seats", **options)  # type: ignore[operator]
        kept = quick.columns
        assert_frame_equal(quick.sort(kept[:3]), whole.filter(is_touched).select(kept).sort(kept[:3]), check_exact=True)
    shared = baseline.reach(plan, catchments=True)
    for variant in ("2sfca", "3sfca", "bfca", "spatial_availability"):

        def access(pairs: pl.DataFrame, who: pl.DataFrame, seats: pl.DataFrame, variant: str = variant) -> pl.DataFrame:
            demand = who.select(origin_id="cell", people="people")
            return ws.two_step_fca(
                pairs.drop("class"),
                demand,
                seats.select(facility_id="id", capacity="seats"),
                variant=variant,  # type: ignore[arg-type]
                catchment_min=8,
            )

        whole, quick = access(after, people, supply), access(shared.pairs, people, supply)
        changed = pl.col("origin_id").is_in(shared.cells.to_list())
        assert_frame_equal(whole.filter(changed), quick.filter(changed), check_exact=True)
        was = access(before, cells, doors)
        assert_frame_equal(whole.filter(~changed), was.filter(~changed), check_exact=True)


def test_links_are_chosen_beside_each_other() -> None:
    net, cells, doors = a_city()
    baseline = ws.Baseline(net, cells, doors.filter(pl.col("id") == 1), minutes=(4, 8))
    links = [
        ws.AddLink(
            f"b{east}", degrees(east, 133), degrees(east, 0), kind="footbridge", length_m=133, rise_m=0, cost_yuan=1e6
        )
        for east in (60, 190, 200, 266)
    ]
    found = ws.best_links(baseline, links, 3, progress=False)
    alone = {link.id: _minutes_saved(baseline, ws.Scenario([link])) for link in links}
    first = found.steps.row(0, named=True)
    assert first["project"] == max(alone, key=lambda name: alone[name]) and first["gain"] == pytest.approx(
        max(alone.values())
    )
    # Twins: the second is worth little beside the first; every total is that of one answer of all.
    together = found.steps["total"].to_list()
    assert together == sorted(together) and together[-1] == pytest.approx(_minutes_saved(baseline, found.scenario))
    assert (found.steps["gain"] <= found.steps["gain_alone"] + 1e-9).all()
    assert found.steps.height + found.left.height == len(links)
    with pytest.raises(ValueError, match="k 0"):
        ws.best_links(baseline, links, 0)
    with pytest.raises(ws.InputError, match="group"):
        ws.best_links(baseline, links, 1, group="young")


def _minutes_saved(baseline: ws.Baseline, plan: ws.Scenario) -> float:
    gains = baseline.what_if(plan).gains.filter(pl.col("area_id").is_null() & (pl.col("group") == "all"))
    return float(gains["people_minutes_saved"].sum())


def test_projects_are_built_in_order_within_yearly_budgets() -> None:
    net, cells, doors = a_city()
    baseline = ws.Baseline(net, cells, doors, minutes=(2, 4, 8))
    at = [degrees(133, 133), degrees(140, 133), degrees(20, 0), degrees(250, 133)]
    projects = pl.DataFrame(
        {
            "id": ["101", "102", "103", "104", "105", "106"],
            "kind": ["new", "new", "new", "new", "extension", "extension"],
            "class": ["park", "park", "park", "shop", "shop", "shop"],
            "lon": [*(place[0] for place in at), None, None],
            "lat": [*(place[1] for place in at), None, None],
            "cost_yuan": [3e5, 1e5, 5e5, 4e5, 1e5, 1e5],
            "status": ["planned", "building", None, "finished", "planned", "planned"],
            "facility_id": [None, None, None, None, 1, None],
            "places": [None, None, None, None, 40.0, 10.0],
        }
    )
    made, left = ws.project_scenarios(projects)
    assert [plan.name for plan in made] == ["101", "102", "103", "105"]
    assert left.rows() == [("104", "status"), ("106", "no_facility")]
    budgets = [1.5e5, 6e5]
    built = ws.build_order(baseline, made, yearly_budget_yuan=budgets)
    for year, spent in built.steps.group_by("year").agg(pl.col("cost_yuan").sum()).iter_rows():
        assert spent <= budgets[year - 1]
    assert built.steps["project"][0] == "102" and (built.steps["gain"] > 0).all()
    # What is beside 102 already adds nothing more, and more places bring nobody nearer.
    assert "105" in built.left["project"].to_list()
    with pytest.raises(ValueError, match="yearly_budget_yuan"):
        ws.build_order(baseline, made, yearly_budget_yuan=[])


def test_a_choice_that_is_stopped_keeps_what_was_chosen() -> None:
    net, cells, doors = a_city()
    baseline = ws.Baseline(net, cells, doors, minutes=(8,))
    candidates = [
        ws.Scenario(
            [ws.OpenFacility(1000 + number, "park", degrees(0.6 * number, 133.0 * (number % 2)))], name=str(number)
        )
        for number in range(440)
    ]

    def stop(after: int) -> Callable[[str, int, int], None]:
        def look(stage: str, done: int, total: int) -> None:
            if done >= after:
                raise KeyboardInterrupt

        return look

    with pytest.warns(ws.StoppedWarning, match="chosen so far"):
        found = ws.best_links(baseline, candidates, 400, progress=stop(2 * 440 + 1))
    whole = ws.best_links(baseline, candidates, found.steps.height)
    assert found.stopped and not whole.stopped and found.steps.height > 0
    assert_frame_equal(found.steps, whole.steps)
    assert_frame_equal(found.left, whole.left)
    with pytest.raises(KeyboardInterrupt):
        ws.best_links(baseline, candidates[:1] * 30_000, 1, progress=stop(0))


def test_what_is_not_there_is_refused_before_anything_is_chosen() -> None:
    net, cells, doors = a_city()
    baseline = ws.Baseline(net, cells, doors, minutes=(8,))
    kiosk = ws.Scenario([ws.OpenFacility(9, "kiosk", degrees(133, 133))])
    with pytest.raises(ws.InputError, match="kiosk"):
        ws.best_links(baseline, [bridge()], 1, classes=["kiosk"])
    # A class that a candidate opens is known; nobody walked to it before.
    assert ws.best_links(baseline, [kiosk], 1, minutes=8, classes=["kiosk"]).steps["gain"][0] > 0
    with pytest.raises(ws.InputError) as refused:
        ws.project_scenarios(pl.DataFrame({"id": ["1"]}))
    problems = refused.value.problems  # type: ignore[attr-defined]
    assert [problem["column"] for problem in problems] == ["kind", "class"]


def test_rows_that_cannot_be_are_told_when_a_table_is_edited() -> None:
    _, cells, doors = a_city()
    plan = ws.Scenario([ws.CloseFacility(1)])
    wrong = cells.with_columns(lat=pl.when(pl.int_range(pl.len()) == 2).then(100.0).otherwise("lat"))
    with pytest.warns(ws.RejectedRowsWarning, match="1 row") as told:
        assert plan.cells(wrong).height == cells.height - 1
    assert told[0].filename == __file__
    lost = doors.with_columns(lat=pl.when(pl.col("id") == 2).then(100.0).otherwise("lat"))
    with pytest.warns(ws.RejectedRowsWarning, match="1 row"):
        assert plan.facilities(lost)["id"].to_list() == [1, 3]


def test_faults_of_the_head_and_numbers_that_are_not_finite_are_told(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(
        '[scenario]\nname = 7\ntitle = "x"\n[[edit]]\ndo = "close_facility"\nid = "a"\ncost_yuan = inf\n'
        '[[edit]]\ndo = "close_facility"\nid = "b"\ncost_yuan = -1\n',
        encoding="utf-8",
    )
    with pytest.raises(ws.InputError) as refused:
        ws.Scenario.from_toml(file)
    told = [(problem["row"], problem["column"], problem["reason"]) for problem in refused.value.problems]  # type: ignore[attr-defined]
    assert told == [
        (None, "title", "unknown_name"),
        (None, "scenario.name", "setting"),
        (1, "edit", "unreadable_edit"),
        (2, "cost_yuan", "out_of_range"),
    ]
    file.write_text('scenario = "plan"\n', encoding="utf-8")
    with pytest.raises(ws.InputError, match="scenario"):
        ws.Scenario.from_toml(file)
    with pytest.raises(ValueError, match="finite"):
        ws.Scenario([ws.CloseFacility("a", cost_yuan=float("nan"))])


def test_answers_are_compared_from_files_too(tmp_path: Path) -> None:
    net, cells, doors = a_city()
    baseline = ws.Baseline(net, cells, doors, minutes=(2, 8))
    answer = baseline.what_if(ws.Scenario([bridge()]))
    file = tmp_path / "coverage.parquet"
    baseline.coverage.write_parquet(file)
    for before in (file, str(file), baseline.coverage):
        assert_frame_equal(ws.compare(before, answer), ws.compare(baseline, answer))
    with pytest.raises(ws.InputError, match="share"):
        ws.compare(baseline.coverage.drop("share"), answer)


def test_the_command_answers_scenarios_of_a_study(
    helsinki: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from walkshed.cli import main

    plan = tmp_path / "plan.toml"
    plan.write_text(
        """
        [scenario]
        name = "两座天桥"
        [[edit]]
        do = "add_link"
        id = "b1"
        kind = "footbridge"
        from = [24.9400, 60.1690]
        to = [24.9440, 60.1700]
        cost_yuan = 2000000
        [[edit]]
        do = "open_facility"
        id = "kiosk 9"
        class = "kiosk"
        place = [24.9420, 60.1720]
        """,
        encoding="utf-8",
    )
    out = tmp_path / "answers"
    assert main(["scenario", str(helsinki), str(plan), "--out", str(out), "--quiet"]) == 0
    told = capsys.readouterr().out
    assert "两座天桥" in told and "2,000,000 yuan" in told and "results 结果" in told
    report = (out / "scenarios.json").read_text("utf-8")
    assert '"name": "两座天桥"' in report and "sha256" in report
    names = {"coverage", "cells", "gains"}
    for name in names:
        table = pl.read_parquet(out / f"{name}.parquet")
        assert table.height > 0 and table.columns[0] == "scenario" and table["scenario"].n_unique() == 1
    again = tmp_path / "again.toml"
    again.write_text(plan.read_text("utf-8").replace("两座天桥", "the same"), encoding="utf-8")
    assert main(["scenario", str(helsinki), str(plan), str(again), "--out", str(out), "--quiet"]) == 1
    assert "plan.toml has the same edits" in capsys.readouterr().err, "rows know their scenario by its edits"
    plan.write_text('[[edit]]\ndo = "close_link"\nid = "nowhere"\n', encoding="utf-8")
    before = sorted(path.name for path in out.iterdir())
    assert main(["scenario", str(helsinki), str(plan), "--out", str(out), "--quiet"]) == 1
    assert "没有该编号的道路" in capsys.readouterr().err
    assert sorted(path.name for path in out.iterdir()) == before


def test_sites_that_are_chosen_become_a_scenario() -> None:
    net, cells, doors = a_city()
    land = places(
        {"a": (133, 133), "b": (133, 0), "c": (266, 133)}, cost_yuan=[3e5, 2e5, 1e5], capacity=[60.0, None, 40.0]
    )
    land = land.rename({"id": "site_id"}).with_columns(**{"class": pl.lit("park")})
    costs = ws.siting.costs(net, cells, land.rename({"site_id": "id"}), max_minutes=8)
    demand = cells.select(origin_id="cell", people="people")
    best = ws.siting.p_median(costs, demand, k=1, sites=land, unserved_cost=480, capacitated=False, progress=False)
    plan = best.scenario()
    (edit,) = plan.edits
    assert isinstance(edit, ws.OpenFacility) and edit.id == best.built[0] and plan.cost_yuan == edit.cost_yuan
    # Built, it serves whom it was chosen for: the walks of the siting are those of the city.
    only = doors.filter(pl.col("class") == "shop")
    times = net.with_scenario(plan).nearest(cells, only.with_columns(pl.col("id").cast(pl.String)), max_minutes=8)
    walked = times.filter(pl.col("class") == "park").join(demand, left_on="origin_id", right_on="origin_id")
    charged = walked.select((pl.col("time_s").fill_null(480) * pl.col("people")).sum()).item()
    assert charged == pytest.approx(best.objective)
    without = ws.siting.p_median(costs.drop("class"), demand, k=1, unserved_cost=480, progress=False)
    with pytest.raises(ValueError, match="no place"):
        without.scenario(class_="park")


def test_borders_and_new_homes_change_the_areas_that_they_touch() -> None:
    import geopandas
    import shapely

    net, cells, doors = a_city()
    halves = {"west": ((-30, -30), (130, 170)), "east": ((130, -30), (300, 170)), "far": ((900, 900), (950, 950))}
    boxes = [shapely.box(*degrees(*low), *degrees(*high)) for low, high in halves.values()]
    areas = geopandas.GeoDataFrame({"area_id": list(halves)}, geometry=boxes, crs=4326)
    ring = [degrees(60, -30), degrees(200, -30), degrees(200, 170), degrees(60, 170)]
    plan = ws.Scenario(
        [
            ws.SetArea("east", [ring]),
            ws.SetArea("south", [[degrees(-30, -30), degrees(300, -30), degrees(300, 60), degrees(-30, 60)]]),
            ws.NewHomes(degrees(100, 90), 30, {"old": 10}),
            bridge(),
        ]
    )
    baseline = ws.Baseline(net, cells, doors, areas, minutes=(2, 4, 8))
    people, drawn = plan.cells(cells), plan.areas(areas)
    times = net.with_scenario(plan).nearest(people, doors, max_minutes=8)
    whole = ws.coverage(times, people, drawn, minutes=(2, 4, 8))
    answer = baseline.what_if(plan)
    keys = ["area_id", "class", "group", "profile", "minutes"]
    assert_frame_equal(answer.coverage.sort(keys), whole.sort(keys), check_exact=True)
    assert set(answer.touched_coverage["area_id"]) == {"west", "east", "south"}
    sides = ws.compare(baseline, answer)
    new = sides.filter((pl.col("area_id") == "south") & (pl.col("group") == "all"))
    assert new.height and (new["people_covered_before"] == 0).all()
