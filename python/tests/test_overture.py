"""Streets of Overture Maps: a made-up town in the published schema (segment and connector, v1.18.0), solved by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import shapely
from polars.testing import assert_frame_equal
from towns import degrees, places

import walkshed as ws

CONNECTORS = {
    "west": (0, 0), "middle": (133, 0), "east": (266, 0), "terrace": (133, 27),
    "north": (266, 133), "yard": (399, 133), "under": (66, -50), "over": (66, 50),
}  # fmt: skip


TEXT, TEXTS, BETWEEN = pa.string(), pa.list_(pa.string()), ("between", pa.list_(pa.float64()))
WHEN = pa.struct(
    [
        ("during", TEXT), ("heading", TEXT), ("using", TEXTS), ("recognized", TEXTS), ("mode", TEXTS),
        ("vehicle", pa.list_(pa.struct([("dimension", TEXT), ("comparison", TEXT), ("value", pa.float64())]))),
    ]
)  # fmt: skip
TYPES = {
    "connectors": pa.list_(pa.struct([("connector_id", TEXT), ("at", pa.float64())])),
    "access_restrictions": pa.list_(pa.struct([("access_type", TEXT), ("when", WHEN), BETWEEN])),
    "road_flags": pa.list_(pa.struct([("values", TEXTS), BETWEEN])),
    "level_rules": pa.list_(pa.struct([("value", pa.int32()), BETWEEN])),
    "subclass_rules": pa.list_(pa.struct([("value", TEXT), BETWEEN])),
}


def segment(ends: list[str], kind: str, **rules: Any) -> dict[str, Any]:
    """A straight segment of the class through these connectors, evenly spaced."""
    where = [degrees(*CONNECTORS[name]) for name in ends]
    connectors = [{"connector_id": name, "at": at / (len(ends) - 1)} for at, name in enumerate(ends)]
    # The corner of the first and the last alone: where a connector has no corner, one is added.
    return {"subtype": "road", "class": kind, "connectors": connectors, "geometry": shapely.LineString(where), **rules}


def denied(mode: list[str] | None = None, between: list[float] | None = None, **when: Any) -> dict[str, Any]:
    blank = dict.fromkeys(("during", "heading", "using", "recognized", "vehicle"))
    return {"access_type": "denied", "when": {**blank, "mode": mode, **when}, "between": between}


def allowed(**when: Any) -> dict[str, Any]:
    return denied(**when) | {"access_type": "allowed"}


MAIN = segment(["west", "middle", "east"], "footway")
STAIRS = segment(["middle", "terrace"], "steps")
ROAD = segment(["east", "north"], "residential")


def written(path: Path, *segments: dict[str, Any], types: dict[str, pa.DataType] = TYPES) -> Path:
    blank = dict.fromkeys(("access_restrictions", "road_flags", "level_rules", "subclass_rules"))
    rows = [blank | row | {"id": f"s{at}"} for at, row in enumerate(segments, 1)]
    frame = geopandas.GeoDataFrame(rows, crs=4326)
    for name, kind in types.items():
        frame[name] = pd.Series(pd.arrays.ArrowExtensionArray(pa.array(list(frame[name]), type=kind)))
    frame.to_parquet(path)
    return path


def network(folder: Path, *segments: dict[str, Any], **options: Any) -> ws.Network:
    return ws.Network.from_overture(written(folder / "segment.parquet", *segments), **options)


def seconds(net: ws.Network, start: str, end: str, back: bool = False) -> float | None:
    """Walking time from one connector to another."""
    home = places({"home": CONNECTORS[start]})
    door = places({"door": CONNECTORS[end]}, **{"class": ["shop"]})
    direction = "from_facility" if back else "to_facility"
    found = net.nearest(home, door, direction=direction)["time_s"].item()
    return None if found is None else float(found)


def test_segments_meet_at_their_connectors(tmp_path: Path) -> None:
    net = network(tmp_path, MAIN, STAIRS, ROAD)
    lengths = net.edges().group_by("kind").agg(pl.col("length_m").sum()).sort("kind")
    assert lengths["kind"].to_list() == ["footway", "steps", "street"]
    assert lengths["length_m"].to_list() == pytest.approx([266, 27, 133], abs=0.05)
    assert seconds(net, "west", "east") == pytest.approx(200, abs=0.2)
    assert seconds(net, "west", "north") == pytest.approx(300, abs=0.3)
    assert set(net.edges()["source_id"]) == {1, 2, 3}


def test_lines_that_cross_without_a_connector_do_not_meet(tmp_path: Path) -> None:
    over = segment(["under", "over"], "footway", level_rules=[{"value": 1, "between": None}])
    net = network(tmp_path, MAIN, over)
    # The middle of the main street is a crossing of nothing here.
    assert net.edges().height == 2
    assert (net.nodes().height, net.summary().pieces) == (4, 2)


def test_a_one_way_street_is_one_for_vehicles_only(tmp_path: Path) -> None:
    cars = ROAD | {"access_restrictions": [denied(heading="backward")]}
    people = ROAD | {"access_restrictions": [denied(["foot"], heading="backward")]}
    assert seconds(network(tmp_path, cars), "north", "east") == pytest.approx(100, abs=0.2)
    net = network(tmp_path, people)
    assert seconds(net, "east", "north") == pytest.approx(100, abs=0.2)
    assert seconds(net, "north", "east") is None


@pytest.mark.parametrize(
    ("kind", "rules", "walked"),
    [
        ("residential", [], True),
        ("motorway", [], False),
        ("trunk", [], False),
        ("trunk", [allowed(mode=["foot"])], True),
        ("cycleway", [], False),
        ("cycleway", [{"access_type": "designated", "when": {"mode": ["foot", "bicycle"]}}], True),
        ("residential", [denied()], False),
        ("residential", [denied(["foot"])], False),
        ("residential", [denied(["motor_vehicle", "bicycle"])], True),
        ("residential", [denied(), allowed(mode=["foot"])], True),
        ("residential", [denied(["hgv"], vehicle=[{"dimension": "weight", "comparison": "greater_than"}])], True),
        ("motorway", [{"access_type": "allowed", "when": None}], False),
        ("unknown", [], True),
    ],
)
def test_who_may_walk_follows_from_class_and_rules(
    kind: str, rules: list[dict[str, Any]], walked: bool, tmp_path: Path
) -> None:
    net = network(tmp_path, MAIN, segment(["east", "north"], kind, access_restrictions=rules or None))
    found = 2 in net.edges()["source_id"].to_list()
    assert found == walked
    assert net.summary().left_out["ways"].sum() == (0 if walked else 1)


def test_who_lives_there_or_buys_there_may_pass(tmp_path: Path) -> None:
    private = ROAD | {"access_restrictions": [denied(), allowed(recognized=["as_private"])]}
    (residents,) = network(tmp_path, MAIN, private).edges().filter(source_id=2)["residents"]
    assert residents is True
    shop = ROAD | {"access_restrictions": [denied(), allowed(using=["as_customer"])]}
    assert network(tmp_path, MAIN, shop).edges().filter(source_id=2)["residents"].to_list() == [False]
    closed = network(tmp_path, MAIN, shop, gates="closed")
    assert closed.edges().filter(source_id=2)["residents"].to_list() == [True]


def test_a_rule_holds_for_its_part_of_the_segment(tmp_path: Path) -> None:
    half = ROAD | {"access_restrictions": [denied(["foot"], between=[0.5, 1.0])]}
    net = network(tmp_path, MAIN, half)
    assert net.edges().filter(source_id=2)["length_m"].sum() == pytest.approx(66.5, abs=0.05)
    parts = MAIN | {"subclass_rules": [{"value": "crosswalk", "between": [0.25, 0.75]}]}
    lengths = network(tmp_path, parts).edges().group_by("kind").agg(pl.col("length_m").sum()).sort("kind")
    assert lengths["kind"].to_list() == ["crossing", "footway"]
    assert lengths["length_m"].to_list() == pytest.approx([133, 133], abs=0.05)


def test_hours_are_looked_at_when_they_are_asked_for(tmp_path: Path) -> None:
    night = ROAD | {"access_restrictions": [denied(["foot"], during="Mo-Su 22:00-24:00")]}
    for at, walked in (("2026-06-16T10:00", True), ("2026-06-16T23:00", False), ("always", True)):
        assert (2 in network(tmp_path, MAIN, night, open_at=at).edges()["source_id"]) == walked, at


def test_no_door_opens_onto_a_bridge_and_what_is_closed_is_counted(tmp_path: Path) -> None:
    bridge = ROAD | {"road_flags": [{"values": ["is_bridge"], "between": None}]}
    works = segment(["north", "yard"], "residential", road_flags=[{"values": ["is_under_construction"]}])
    rail = segment(["west", "north"], "unknown", subtype="rail") | {"class": "subway"}
    net = network(tmp_path, MAIN, bridge, works, rail, max_snap_m=500)
    onto = net.snap(places({"pier": (270, 80)}))
    by_number = net.edges().select("id", "source_id")
    assert onto.join(by_number, left_on="edge", right_on="id")["source_id"].to_list() == [1]
    left_out = {(row[0], row[1]) for row in net.summary().left_out.iter_rows()}
    assert left_out == {("street", "highway=construction"), ("rail", "subtype=rail, class=subway")}


def test_a_table_of_connectors_says_where_they_are(tmp_path: Path) -> None:
    points = [shapely.Point(degrees(*at)) for at in CONNECTORS.values()]
    table = geopandas.GeoDataFrame({"id": list(CONNECTORS)}, geometry=points, crs=4326)
    table.to_parquet(tmp_path / "connector.parquet")
    path = written(tmp_path / "segment.parquet", MAIN, STAIRS, ROAD)
    with_table = ws.Network.from_overture(path, tmp_path / "connector.parquet")
    lengths = [net.edges()["length_m"] for net in (with_table, ws.Network.from_overture(path))]
    assert lengths[0].to_list() == pytest.approx(lengths[1].to_list(), abs=1e-3)


def test_a_segment_that_is_none_is_rejected_by_row_and_id(tmp_path: Path) -> None:
    area = MAIN | {"geometry": shapely.box(106, 29, 107, 30)}
    far = ROAD | {"connectors": [{"connector_id": "east", "at": 1.5}]}
    with pytest.warns(ws.RejectedRowsWarning) as caught:
        net = network(tmp_path, area, MAIN, far)
    rejected = caught[0].message.rejected  # type: ignore[union-attr]
    assert rejected.select("row", "id", "column", "reason").rows() == [
        (1, "s1", "geometry", "bad_geometry"),
        (3, "s3", "connectors", "out_of_range"),
    ]
    assert set(net.edges()["source_id"]) == {2}


def test_a_column_of_nothing_but_nulls_says_nothing(tmp_path: Path) -> None:
    """Writers that guess types give it none."""
    path = written(tmp_path / "segment.parquet", MAIN, ROAD, types={"connectors": TYPES["connectors"]})
    assert set(ws.Network.from_overture(path).edges()["source_id"]) == {1, 2}


def test_segments_that_are_all_rejected_say_why(tmp_path: Path) -> None:
    far = MAIN | {"connectors": [{"connector_id": "east", "at": 1.5}]}
    with pytest.raises(ws.InputError, match=r"every row was rejected; the first: .*outside the range 0..1"):
        network(tmp_path, far)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    places({"a": (0, 0)}).write_parquet(tmp_path / "shops.parquet")
    with pytest.raises(ws.InputError, match=r"shops.parquet.*column not found"):
        ws.Network.from_overture(tmp_path / "shops.parquet")
    with pytest.raises(ws.InputError, match="no way that people may walk on"):
        network(tmp_path, segment(["west", "east"], "motorway"))


def study_of(facilities: str) -> str:
    """A study of streets from Overture and homes from a table."""
    return f"""
[study]
name = "made up"
resolution = 13
[streets]
overture = "segment.parquet"
[facilities]
path = "{facilities}"
[population]
path = "homes.csv"
"""


def test_a_study_takes_its_streets_from_overture(tmp_path: Path) -> None:
    written(tmp_path / "segment.parquet", MAIN, STAIRS, ROAD)
    places({"shop": (266, 0)}, **{"class": ["supermarket"]}).write_csv(tmp_path / "shops.csv")
    places({"a": (0, 1), "b": (266, 100)}, people=[30, 10]).write_csv(tmp_path / "homes.csv")
    study = study_of("shops.csv") + "[coverage]\nminutes = [2, 5]\n"
    (tmp_path / "STUDY.toml").write_text(study)
    result = ws.run(tmp_path / "STUDY.toml", tmp_path / "out", progress=False)
    assert result.total().sort("minutes")["people_covered"].to_list() == [10.0, 40.0]
    assert next(Path(file["path"]).name for file in result.report["inputs"]) == "segment.parquet"
    (tmp_path / "STUDY.toml").write_text(study.replace("[facilities]", "[facilities]\nosm = true"))
    with pytest.raises(ws.InputError, match=r"facilities.osm.*streets.osm"):
        ws.run(tmp_path / "STUDY.toml", tmp_path / "other", progress=False)


def test_the_same_file_is_the_same_network(tmp_path: Path) -> None:
    first, second = (network(tmp_path, MAIN, STAIRS, ROAD).edges() for _ in range(2))
    assert_frame_equal(first, second)
