"""Facilities of Overture Maps: a made-up table in the published schema of places, classified by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest
import shapely
from test_overture import MAIN, study_of, written
from towns import Town, degrees, places

import walkshed as ws

TEXT = pa.string()
CATEGORIES = pa.struct([("primary", TEXT), ("alternate", pa.list_(TEXT))])
TAXONOMY = pa.struct([("primary", TEXT), ("hierarchy", pa.list_(TEXT)), ("alternates", pa.list_(TEXT))])
RULE = pa.struct([("variant", TEXT), ("value", TEXT)])
NAMES = pa.struct([("primary", TEXT), ("common", pa.map_(TEXT, TEXT)), ("rules", pa.list_(RULE))])
BRAND = pa.struct([("names", NAMES), ("wikidata", TEXT)])


def place(name: str | None, *hierarchy: str, older: str | None = None, **more: Any) -> dict[str, Any]:
    taxonomy = {"primary": hierarchy[-1], "hierarchy": list(hierarchy), "alternates": None} if hierarchy else None
    return {
        "names": {"primary": name, "common": None, "rules": None},
        "taxonomy": taxonomy,
        "categories": {"primary": older, "alternate": None} if older else None,
        "operating_status": "open",
        "brand": None,
        "confidence": 0.9,
        **more,
    }


BRANDED = {"names": {"primary": "药房集团", "common": None, "rules": None}, "wikidata": None}
ROWS = [
    place("和平药房", "health_care", "pharmacy", brand=BRANDED),  # 1: by its category
    place("Noodles", older="thai_restaurant"),  # 2: by the ending of an older category
    place("Lawyers", "services_and_business", "legal_service"),  # 3: no facility of any class
    place("红旗幼儿园", older="education"),  # 4: the category says nothing, the name does
    place("Old pharmacy", "health_care", "pharmacy", operating_status="permanently_closed"),  # 5: closed
    place(None),  # 6: nothing is known
]
STREET = [(13.3 * at, 0.0) for at in range(1, len(ROWS) + 1)]


def table(rows: list[dict[str, Any]] = ROWS) -> pa.Table:
    points = [shapely.to_wkb(shapely.Point(degrees(*at))) for at in STREET[: len(rows)]]
    types = {"names": NAMES, "taxonomy": TAXONOMY, "categories": CATEGORIES, "brand": BRAND}
    columns = {name: pa.array([row[name] for row in rows], type=kind) for name, kind in types.items()}
    plain = {name: pa.array([row[name] for row in rows]) for name in ("operating_status", "confidence")}
    return pa.table({"id": [f"p{at}" for at in range(1, len(rows) + 1)], **columns, **plain, "geometry": points})


def town() -> ws.Network:
    return Town().corner("west", 0, 0).corner("east", 133, 0).way("west", "east", 133).network()


def test_categories_are_matched_with_classes_and_the_rest_is_listed() -> None:
    classes = ws.classify(table())
    assert classes.select("class", "class_rule").rows() == [
        ("pharmacy", "overture:pharmacy"),
        ("dining", "overture:thai_restaurant"),
        (None, None),
        ("kindergarten", "name:幼儿园"),
        ("pharmacy", "overture:pharmacy"),
        (None, None),
    ]


def test_a_mapping_of_the_user_goes_before_the_list() -> None:
    classes = ws.classify(table(), mapping={"legal_service": "property_office", "pharmacy": "household_service"})
    assert classes["class"].to_list()[:3] == ["household_service", "dining", "property_office"]


def test_people_walk_to_places_that_are_open() -> None:
    home = places({"home": (0, 0)})
    with pytest.warns(ws.RejectedRowsWarning, match=r"3 row\(s\)"):
        found = town().nearest(home, table()).drop_nulls("time_s")
    # The kindergarten has no class here: without a catalogue no name is looked at.
    assert sorted(found.select("class", "facility_id", "time_s").rows()) == [
        ("dining", "p2", 20.0),
        ("pharmacy", "p1", 10.0),
    ]


def test_every_row_is_accepted_or_listed(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(table(), tmp_path / "place.parquet")
    report = ws.validate(tmp_path / "place.parquet")
    total = report.totals.row(0, named=True)
    assert (total["input"], total["rows"], total["accepted"], total["rejected"]) == ("facilities", 6, 4, 2)
    left_out = report.findings.filter(pl.col("reason") == "unclassified").sort("row")
    assert left_out.select("row", "value").rows() == [(3, "legal_service"), (6, None)]


def test_a_study_takes_places_and_looks_at_names(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(table(), tmp_path / "place.parquet")
    written(tmp_path / "segment.parquet", MAIN)
    places({"a": (0, 1)}, people=[30]).write_csv(tmp_path / "homes.csv")
    (tmp_path / "STUDY.toml").write_text(study_of("place.parquet"))
    result = ws.run(tmp_path / "STUDY.toml", tmp_path / "out", progress=False)
    ledger = pl.read_parquet(tmp_path / "out" / "facilities.parquet")
    found = ledger.select("id", "class", "class_rule", "state", "operator").sort("id")
    assert found.rows() == [
        ("p1", "pharmacy", "overture:pharmacy", "open", "药房集团"),
        ("p2", "dining", "overture:thai_restaurant", "open", None),
        ("p4", "kindergarten", "name:幼儿园", "open", None),
        ("p5", "pharmacy", "overture:pharmacy", "closed", None),
    ]
    assert result.total()["people"].min() == 30.0


def test_any_library_hands_places_over(tmp_path: Path) -> None:
    want = ws.classify(table())
    pyarrow.parquet.write_table(table(), tmp_path / "place.parquet")
    assert ws.classify(tmp_path / "place.parquet").equals(want)
    assert ws.classify(pl.read_parquet(tmp_path / "place.parquet")).equals(want)
    frame = geopandas.GeoDataFrame(
        {"id": ["p1"], "names": [ROWS[0]["names"]], "categories": [{"primary": "pharmacy", "alternate": ["x"]}]},
        geometry=[shapely.Point(degrees(0, 0))], crs=4326,
    )  # fmt: skip
    assert ws.classify(frame)["class_rule"].to_list() == ["overture:pharmacy"]


def test_a_table_that_only_looks_like_places_is_told_why_it_is_none() -> None:
    odd = table().set_column(1, "names", pa.array([{"primary": 7}] * len(ROWS)))
    with pytest.raises(ws.InputError, match="names"):
        ws.classify(odd)
