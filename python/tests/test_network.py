"""Networks: walks that are added up by hand, and networks that come back from disk and tables unchanged."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from conftest import Data
from polars.testing import assert_frame_equal
from towns import Town, main_street, places

import walkshed as ws


def seconds(net: ws.Network, home: tuple[float, float], door: tuple[float, float], **options: object) -> float | str:
    """The time of one walk, or the reason why there is none."""
    homes, doors = places({"home": home}), places({"door": door}, **{"class": ["any"]})
    (row,) = net.nearest(homes, doors, **options).iter_rows(named=True)  # type: ignore[arg-type]
    assert (row["time_s"] is None) == (row["facility_id"] is None) == (row["reason"] is not None)
    return row["reason"] or row["time_s"]


def test_a_walk_is_the_leg_to_the_street_the_streets_and_the_leg_to_the_door() -> None:
    home, door = (0, -13.3), (266, 13.3)
    assert seconds(main_street().network(), home, door) == 10 + 100 + 100 + 10


def test_a_door_opens_onto_the_middle_of_a_street() -> None:
    assert seconds(main_street().network(), (0, 0), (133 + 66.5, 13.3)) == 100 + 50 + 10


def test_a_neighbour_on_the_same_street_is_not_reached_by_way_of_a_corner() -> None:
    net = main_street().network()
    assert seconds(net, (133 * 0.25, 13.3), (133 * 0.75, -13.3)) == 10 + 50 + 10
    assert seconds(net, (133 * 0.75, 0), (133 * 0.25, 0)) == 50
    assert seconds(net, (40, 13.3), (40, -13.3)) == 20


def test_every_profile_walks_at_its_own_speed() -> None:
    net = main_street().network()
    for name in ("adult", "senior", "child", "stroller", "wheelchair"):
        flat_mps = ws.profile(name).flat_mps
        # Each of the two edges is rounded to tenths of a second.
        assert seconds(net, (0, 0), (266, 0), profile=name) == pytest.approx(2 * round(133 / flat_mps, 1))


def test_stairs_take_their_speed_up_or_down_by_the_direction_of_the_walk() -> None:
    net = main_street().network()
    # 27 metres at 0.45 metres per second up and 0.60 down.
    assert seconds(net, (0, 0), (133, 27)) == 100 + 60
    assert seconds(net, (0, 0), (133, 27), direction="from_facility") == 100 + 45
    assert seconds(net, (133, 27), (0, 0)) == 100 + 45
    own = ws.Profile(name="hiker", flat_mps=2.66, stairs_up_mps=0.9, stairs_down_mps=1.35)
    assert seconds(net, (0, 0), (133, 27), profile=own) == 50 + 30


def test_a_wheelchair_is_neither_led_up_stairs_nor_joined_to_them() -> None:
    net = main_street().network()
    assert seconds(net, (0, 0), (133, 20), profile="wheelchair") == pytest.approx(
        round(133 / 1.1, 1) + round(20 / 1.1, 1)
    )
    (joined,) = net.snap(places({"home": (133, 20)}), profile="wheelchair").iter_rows(named=True)
    assert joined["edge"] in (0, 1) and joined["away_m"] == pytest.approx(20, abs=0.01)


def test_seconds_of_a_survey_are_the_seconds_for_every_profile_and_null_is_closed() -> None:
    town = Town().corner("west", 0, 0).corner("east", 133, 0).corner("north", 133, 133)
    town.way("west", "east", 500, forward_s=70.0, backward_s=20.0)
    town.way("east", "north", 133, forward_s=30.0, backward_s=None)
    net = town.network()
    for profile in ("adult", "senior", "wheelchair"):
        assert seconds(net, (0, 0), (133, 133), profile=profile) == 70 + 30
        assert seconds(net, (133, 66.5), (133, 133), profile=profile) == 15
        assert seconds(net, (133, 133), (0, 0), profile=profile) == "not_connected"
        assert seconds(net, (133, 133), (0, 0), profile=profile, direction="from_facility") == 70 + 30
    edges = net.edges(profile="senior")
    assert edges["forward_s"].to_list() == [70.0, 30.0]
    assert edges["backward_s"].to_list() == [20.0, None]


def test_nobody_gets_into_a_cable_car_between_its_stations() -> None:
    town = Town().corner("valley", 0, 0).corner("hill", 266, 0).corner("summit", 399, 0)
    town.way("valley", "hill", 266, "cableway", forward_s=180.0, backward_s=180.0)
    town.way("hill", "summit", 133, forward_s=100.0, backward_s=100.0)
    net = town.network()
    # From below the line people walk 133 metres to the hill, at their own speed.
    assert seconds(net, (133, 0), (399, 0)) == 100 + 100
    assert seconds(net, (133, 0), (399, 0), profile="wheelchair") == round(133 / 1.1, 1) + 100


def test_of_two_streets_between_the_same_corners_the_quicker_counts() -> None:
    town = Town().corner("west", 0, 0).corner("east", 133, 0)
    town.way("west", "east", 133, forward_s=100.0, backward_s=100.0)
    town.way("west", "east", 150, forward_s=60.0, backward_s=None)
    net = town.network()
    assert seconds(net, (0, 0), (133, 0)) == 60
    assert seconds(net, (133, 0), (0, 0)) == 100


def test_nothing_reached_has_its_reason() -> None:
    town = main_street().corner("isle west", 2000, 0).corner("isle east", 2133, 0).way("isle west", "isle east", 133)
    net = town.network()
    assert seconds(net, (0, 0), (266, 0), max_minutes=3) == "beyond_cutoff"
    assert seconds(net, (2000, 0), (266, 0)) == "not_connected"
    assert seconds(net, (0, 201), (266, 0)) == "not_snapped"
    assert seconds(net, (0, 199), (0, 0)) == round(199 / 1.33, 1)


def test_a_time_equal_to_the_cut_off_is_reached() -> None:
    net = main_street().network()
    assert seconds(net, (0, 0), (266, 0), max_minutes=200 / 60) == 200
    assert seconds(net, (0, 0), (266, 0), max_minutes=199.9 / 60) == "beyond_cutoff"


def test_of_equally_near_facilities_the_first_id_answers_whatever_the_order_of_rows() -> None:
    net = main_street().network()
    doors = places({"b": (0, 0), "a": (266, 0)}, **{"class": ["any", "any"]})
    for table in (doors, doors.reverse()):
        assert net.nearest(places({"home": (133, 0)}), table)["facility_id"].to_list() == ["a"]


def test_rows_are_origins_in_their_order_and_classes_sorted() -> None:
    net = main_street().network()
    homes = places({"z": (0, 0), "a": (133, 0)})
    doors = places({1: (0, 0), 2: (266, 0)}, **{"class": ["shop", "bank"]})
    rows = net.nearest(homes, doors).select("origin_id", "class", "time_s", "facility_id", "profile").rows()
    expected = [
        ("z", "bank", 200.0, 2),
        ("z", "shop", 0.0, 1),
        ("a", "bank", 100.0, 2),
        ("a", "shop", 100.0, 1),
    ]
    assert rows == [(*row, "adult") for row in expected]


def test_snap_shows_the_share_of_the_edge_and_the_leg() -> None:
    (joined,) = main_street().network().snap(places({"home": (133 * 0.25, 13.3)})).iter_rows(named=True)
    assert (joined["edge"], joined["from"], joined["to"]) == (0, 0, 1)
    assert joined["share"] == pytest.approx(0.25, abs=1e-4)
    assert joined["away_m"] == joined["nearest_m"] == pytest.approx(13.3, abs=1e-2)
    assert (joined["leg_s"], joined["reason"]) == (10, None)
    assert [joined[name] for name in ("to_start_s", "from_start_s", "to_end_s", "from_end_s")] == [
        25,
        25,
        75,
        75,
    ]


def test_a_saved_network_gives_the_same_times(tmp_path: Path) -> None:
    homes = places({"a": (0, 5), "b": (133, 20), "c": (266, -7), "far": (900, 900)})
    doors = places({"d": (20, 0), "e": (133, 27)}, **{"class": ["x", "y"]})
    given = Town().corner(7, 0, 0).corner(9, 133, 0).way(7, 9, 133, forward_s=12.3, backward_s=None)
    for number, town in enumerate((main_street(), given)):
        net, path = town.network(max_snap_m=150), tmp_path / f"{number}.network"
        net.save(path)
        again = ws.Network.load(path)
        assert_frame_equal(again.nearest(homes, doors), net.nearest(homes, doors))
        assert_frame_equal(again.snap(homes), net.snap(homes))
        for table in ("nodes", "edges", "lines"):
            assert_frame_equal(getattr(again, table)(), getattr(net, table)())
        assert repr(again) == repr(net)
        again.save(path)
        assert path.read_bytes() and list(tmp_path.glob(f"*{number}*")) == [path]


def test_a_network_with_a_flipped_byte_is_refused_or_the_byte_said_nothing(tmp_path: Path) -> None:
    net, path, broken = main_street().network(), tmp_path / "good.network", tmp_path / "broken.network"
    net.save(path)
    whole = path.read_bytes()
    refused = 0
    for at in range(0, len(whole), 13):
        broken.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            again = ws.Network.load(broken)
        except ws.InputError as error:
            assert "broken.network" in str(error)
            refused += 1
        else:  # padding between columns
            assert_frame_equal(again.edges(), net.edges())
            assert_frame_equal(again.nodes(), net.nodes())
    assert refused > 20
    length = net.edges()["length_m"].to_numpy().tobytes()
    at = whole.index(length)
    broken.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    with pytest.raises(ws.InputError, match="checksum"):
        ws.Network.load(broken)


@pytest.mark.parametrize("keep", [0, 8, 0.5, 0.99])
def test_a_network_cut_off_is_refused(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "cut.network"
    main_street().network().save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep if keep >= 1 else keep * len(whole))])
    with pytest.raises(ws.InputError, match=r"cut\.network"):
        ws.Network.load(path)


def test_a_network_from_its_own_tables_has_the_same_times_between_nodes(data: Data) -> None:
    net = ws.Network.from_osm(data("helsinki") / "centre.osm.pbf")
    edges = net.edges(profile="senior")
    again = ws.Network.from_tables(net.nodes(), edges)
    columns = ["id", "from", "to", "length_m", "kind", "forward_s", "backward_s"]
    # A survey's seconds are for everybody, so the profile asked for here says nothing.
    assert_frame_equal(again.edges(profile="adult").select(columns), edges.select(columns))
    assert_frame_equal(again.nodes().drop("source_id"), net.nodes().drop("source_id"))
    at_nodes = net.nodes().select("id", "lon", "lat")
    joins = [walked.snap(at_nodes, profile="senior") for walked in (net, again)]
    same = pl.select(
        (joins[0]["edge"] == joins[1]["edge"]) & (joins[0]["away_m"] == 0) & (joins[0]["share"] == joins[1]["share"])
    ).to_series()
    assert same.sum() > 1000
    homes = at_nodes.filter(same.fill_null(False))
    doors = homes.gather_every(97).with_columns(pl.lit("any").alias("class"))
    assert_frame_equal(*(walked.nearest(homes, doors, profile="senior") for walked in (net, again)))


def test_a_network_tells_its_size() -> None:
    net = main_street().network()
    assert repr(net) == "Network(4 nodes, 3 edges, 0.3 km)"
    kinds = net.summary().kinds
    lengths = dict(zip(kinds["kind"], kinds["length_km"], strict=True))
    assert lengths == {"footway": pytest.approx(0.266), "steps": pytest.approx(0.027)}
    assert net.nodes()["source_id"].to_list() == ["west", "middle", "east", "terrace"]
    lines = net.lines().group_by("edge", maintain_order=True).agg("lon")
    assert lines["lon"].list.len().to_list() == [2, 2, 2]
