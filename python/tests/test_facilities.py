"""Classes, status and duplicates of facilities, against polars, scipy, difflib and PROJ."""

from __future__ import annotations

import datetime
import difflib
import random
import unicodedata
from pathlib import Path

import numpy as np
import polars as pl
import pyproj
import pytest
import scipy.spatial
import tomli
from perturbed import second_source
from towns import Town, places

import walkshed as ws

CATALOGUE = tomli.loads((Path(__file__).parents[2] / "datasets" / "facility_classes.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def facilities(helsinki_run: ws.RunResult) -> pl.DataFrame:
    """Give what the map of Helsinki knows, one row per facility and class."""
    columns = ("id", "class", "name", "lon", "lat", "outline")
    return helsinki_run.table("facilities").filter(pl.col("source") == "OpenStreetMap").select(columns)


# ------------------------------------------------------------------ classes


def by_polars(names: pl.Series) -> pl.DataFrame:
    """Class and part of each name by the catalogue's lists, with one column per class and none of the engine."""
    frame, lengths, parts = pl.DataFrame({"name": names}), [], []
    for entry in CATALOGUE["class"]:
        longest, part = pl.lit(0), pl.lit(None, dtype=pl.String)
        for text in entry.get("name_zh_any", []):
            better = pl.col("name").str.contains(text, literal=True) & (longest < len(text))
            longest, part = (
                pl.when(better).then(len(text)).otherwise(longest),
                pl.when(better).then(pl.lit(text)).otherwise(part),
            )
        veto = pl.any_horizontal(
            pl.lit(False), *(pl.col("name").str.contains(text, literal=True) for text in entry.get("name_zh_none", []))
        )
        lengths.append(pl.when(veto).then(0).otherwise(longest).alias(entry["id"]))
        parts.append(part.alias(f"part:{entry['id']}"))
    table = frame.with_columns(*lengths, *parts)
    ids, rows = [entry["id"] for entry in CATALOGUE["class"]], []
    for row in table.iter_rows(named=True):
        most = max(row[name] for name in ids)
        best = [name for name in ids if row[name] == most] if most else []
        rows.append((best[0], f"name:{row[f'part:{best[0]}']}", best[1:]) if best else (None, None, []))
    return pl.DataFrame(rows, schema=["class", "class_rule", "others"], orient="row")


def test_names_find_the_classes_that_polars_finds() -> None:
    parts = [
        part for entry in CATALOGUE["class"] for key in ("name_zh_any", "name_zh_none") for part in entry.get(key, [])
    ]
    numbers = random.Random(7)
    fillers = ["和平", "民主村", "（南坪）", "第一", "Kamppi ", "有限公司", "街道"]
    names = pl.Series(
        [
            "".join(
                numbers.choices(fillers, k=2)
                + numbers.choices(parts, k=numbers.choice([0, 1, 1, 2]))
                + numbers.choices(fillers)
            )
            for _ in range(3000)
        ]
    )
    expected = by_polars(names)
    found = ws.classify(pl.DataFrame({"name": names}))
    assert found["class"].to_list() == expected["class"].to_list()
    assert found["class_rule"].to_list() == expected["class_rule"].to_list()
    others = [", ".join(names) or None for names in expected["others"]]
    assert found["others"].to_list() == others
    # The sample holds what it is to tell apart.
    assert found["class"].null_count() > 300 and found["others"].drop_nulls().len() > 100
    assert found["class"].n_unique() == 31


def test_a_mapping_goes_first_and_unknown_classes_are_offered_near_ones() -> None:
    table = pl.DataFrame({"类别": ["药店", "farmacy", "my own thing", None], "name": ["甲", "乙", "丙", "红旗幼儿园"]})
    found = ws.classify(table, mapping={"药店": "pharmacy"}, column="类别")
    assert found["class"].to_list() == ["pharmacy", "farmacy", "my own thing", "kindergarten"]
    assert found["class_rule"].to_list() == ["mapping:1", "given", "given", "name:幼儿园"]
    assert found["in_catalogue"].to_list() == [True, False, False, True]
    assert found["near"].to_list() == [None, "pharmacy", None, None]


def test_a_mapping_that_repeats_itself_is_told() -> None:
    mapping = pl.DataFrame({"name_contains": ["超市", "超市"], "class": ["supermarket", "kiosk"]})
    with pytest.warns(ws.RejectedRowsWarning, match="duplicate_id|same id"):
        found = ws.classify(pl.DataFrame({"name": ["和平超市"]}), mapping=mapping)
    assert found["class"].to_list() == ["supermarket"]


def test_a_table_without_class_and_name_is_refused() -> None:
    with pytest.raises(ws.InputError, match="class"):
        ws.classify(pl.DataFrame({"id": [1]}))


# ------------------------------------------------------------------ who is open


def test_only_what_is_open_on_the_day_is_walked_to() -> None:
    street = Town().corner("west", 0, 0).corner("east", 1064, 0).way("west", "east", 1064)
    home = places({"home": (0, 0)})
    day = datetime.date
    doors = places(
        {"old": (266, 0), "new": (532, 0), "always": (798, 0)},
        **{
            "class": ["shop"] * 3,
            "opened_on": [day(1990, 1, 1), day(2025, 6, 1), None],
            "closed_on": [day(2020, 1, 1), None, None],
        },
    )
    # 1.33 m/s: 266 m are 200 s.
    for as_of, door, time_s in [
        ("2010-01-01", "old", 200),
        (day(2022, 1, 1), "always", 600),
        ("2025-06-01", "new", 400),
    ]:
        times = street.network().nearest(home, doors, as_of=as_of)
        assert times.select("facility_id", "time_s").rows() == [(door, pytest.approx(time_s, abs=0.2))], as_of
    with pytest.raises(ValueError, match="as_of"):
        street.network().nearest(home, doors, as_of="next year")
    with pytest.raises(ws.InputError, match="open"):
        street.network().nearest(home, doors.filter(pl.col("id") == "old"), as_of="2022-01-01")


# ------------------------------------------------------------------ duplicates


def folded(name: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKC", name).casefold() if letter.isalnum())


def near_by_scipy(first: pl.DataFrame, second: pl.DataFrame) -> dict[tuple[str, str, str], float]:
    """Rows of one class within 200 m, in the plane of the zone (UTM 35N), by class and ids, with their distance."""
    to_plane = pyproj.Transformer.from_crs(4326, 32635, always_xy=True)
    found = {}
    for (name,), here in first.group_by("class"):
        there = second.filter(pl.col("class") == name)
        if there.is_empty():
            continue
        a, b = (np.column_stack(to_plane.transform(rows["lon"], rows["lat"])) for rows in (here, there))
        tree = scipy.spatial.cKDTree(b)
        for row, near in enumerate(tree.query_ball_point(a, 200.5)):
            for other in near:
                key = (name, here["id"][row], there["id"][other])
                found[key] = float(np.hypot(*(a[row] - b[other])))
    return found


def test_planted_duplicates_are_found_and_nothing_else_is(facilities: pl.DataFrame) -> None:
    planted = second_source(facilities, seed=11)
    found = ws.duplicates(facilities, planted.table.drop("of", "spelling"))
    pairs = set(found.select("class", "id", "other_id").iter_rows())
    assert len(planted.pairs) > 250
    recall = len(pairs & planted.pairs) / len(planted.pairs)
    assert recall >= 0.99, sorted(planted.pairs - pairs)[:10]
    # What else is found are neighbours whose names are alike too: each is judged by other means.
    near = near_by_scipy(facilities, planted.table)
    names = {
        (row["class"], row["id"]): row["name"]
        for table in (facilities, planted.table)
        for row in table.iter_rows(named=True)
    }
    for row in found.iter_rows(named=True):
        key = (row["class"], row["id"], row["other_id"])
        assert row["distance_m"] == pytest.approx(near[key], abs=0.2)  # the plane is 0.04 % short
        a, b = folded(row["name"]), folded(row["other_name"])
        alike = difflib.SequenceMatcher(None, a, b).ratio()
        assert (
            alike >= 0.7
            or a in b
            or b in a
            or set(row["name"].lower().split()) & set(row["other_name"].lower().split())
        ), row
    # Equal names within reach are never missed.
    same = {
        (name, one, other)
        for (name, one, other), away_m in near.items()
        if away_m < 49.9 and folded(names[name, one] or "") == folded(names[name, other] or "?")
    }
    assert len(same) > 150
    assert same <= pairs


def test_merging_keeps_the_first_source_and_accounts_for_every_row(facilities: pl.DataFrame) -> None:
    named = facilities.filter(pl.col("name").is_not_null())
    planted = second_source(named, seed=5)
    second = planted.table.drop("of", "spelling").with_columns(operator=pl.lit("somebody"))
    merged = ws.merge_duplicates(named, second).to_polars()
    gone = merged["merged_from"].drop_nulls().str.split("; ").explode()
    assert merged.height + gone.len() == named.height + second.height
    kept = merged.filter(pl.col("merged_from").is_not_null())
    assert set(kept["id"]) <= set(named["id"]) and (kept["operator"] == "somebody").all()
    right = {(name, original, copy) for name, original, copy in planted.pairs}
    became = {(row["class"], row["id"], row["merged_from"].split(" ")[-1]) for row in kept.iter_rows(named=True)}
    assert len(became & right) / len(right) >= 0.95


def test_rows_of_one_table_are_compared_only_on_request() -> None:
    twice = places({"a": (0, 0), "b": (10, 0)}, **{"class": ["pharmacy"] * 2, "name": ["和平药房", "和平药房"]})
    assert ws.duplicates(twice).is_empty()
    assert ws.duplicates(twice, same_source=True)["other_id"].to_list() == ["b"]
    told = twice.with_columns(source=pl.Series(["台账", "高德"]))
    assert ws.duplicates(told).height == 1


def test_a_validation_tells_who_is_not_open(tmp_path: Path, helsinki: Path) -> None:
    row = {"id": "x", "class": "kiosk", "name": "x", "lon": 24.943, "lat": 60.17, "status": "关停"}
    pl.DataFrame([row, row | {"id": "y", "status": "open"}]).write_csv(tmp_path / "kiosks.csv")
    text = helsinki.read_text(encoding="utf-8").replace('"facilities.csv"', f'"{tmp_path / "kiosks.csv"}"')
    study = helsinki.with_name("CLOSED.toml")
    study.write_text(text.replace("osm = true", "osm = false"), encoding="utf-8")
    found = ws.validate(study, progress=False)
    assert found.report["facilities"] == {"kiosk": 1} and found.report["facilities_not_open"] == {"closed": 1}
    told = found.report["told"]
    assert (told["not_open"], told["unknown_class"]) == (1, 1)
    assert found.rejected.is_empty()
