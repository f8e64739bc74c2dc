"""Pairs, counts, the nearest few and times at nodes: a town by hand, and a real city where all must agree."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal
from towns import main_street, places

import walkshed as ws

pytestmark = pytest.mark.filterwarnings("ignore::walkshed.RejectedRowsWarning")

HOMES = places({"w": (0, 0), "m": (133, 0)})
SHOPS = places(
    {"near": (133, 0), "far": (266, 0), "post": (266, 0)},
    **{"class": ["shop", "shop", "post"], "beds": [10.0, None, 4.0]},
)


def test_all_pairs_of_a_street() -> None:
    pairs = main_street().network().reach(HOMES, SHOPS, max_minutes=3)
    assert pairs.columns == ["origin_id", "facility_id", "class", "time_s"]
    assert sorted(pairs.rows()) == [
        ("m", "far", "shop", 100.0),
        ("m", "near", "shop", 0.0),
        ("m", "post", "post", 100.0),
        ("w", "near", "shop", 100.0),
    ]


def test_counts_and_capacities_within_several_limits() -> None:
    net = main_street().network()
    counted = net.counts(HOMES, SHOPS, minutes=(1, 5), capacity="beds").filter(pl.col("origin_id") == "w")
    assert counted.drop("origin_id").rows() == [
        ("post", 1.0, 0, 0.0, 0),
        ("post", 5.0, 1, 4.0, 0),
        ("shop", 1.0, 0, 0.0, 0),
        ("shop", 5.0, 2, 10.0, 1),
    ]
    assert net.counts(HOMES, SHOPS).columns == ["origin_id", "class", "minutes", "count"]


def test_the_nearest_few_are_in_order_and_no_more_than_there_are() -> None:
    few = main_street().network().nearest_few(HOMES, SHOPS, k=2).filter(pl.col("origin_id") == "w")
    assert few.drop("origin_id").rows() == [
        ("post", 1, 200.0, "post"),
        ("shop", 1, 100.0, "near"),
        ("shop", 2, 200.0, "far"),
    ]


def test_times_at_nodes() -> None:
    times = main_street().network().node_times(SHOPS, max_minutes=3)
    shop = {node: time_s for node, name, time_s in times.rows() if name == "shop"}
    assert (shop["west"], shop["middle"], shop["east"]) == (100.0, 0.0, 0.0)
    post = {node: time_s for node, name, time_s in times.rows() if name == "post"}
    assert post["west"] is None


def test_a_matrix_has_every_pair_and_null_where_no_way_leads() -> None:
    there = places({"hill": (133, 27), "away": (9000, 0), "east": (266, 0)})
    matrix = main_street().network().matrix(HOMES, there)
    assert matrix.columns == ["origin_id", "destination_id", "time_s"]
    times = {(origin, destination): time_s for origin, destination, time_s in matrix.rows()}
    assert list(times) == [(home, end) for home in ("w", "m") for end in ("hill", "away", "east")]
    assert (times["w", "east"], times["m", "east"], times["w", "away"]) == (200.0, 100.0, None)
    assert times["w", "hill"] == pytest.approx(100.0 + times["m", "hill"])


def test_the_next_large_matrix_is_that_of_a_fresh_network() -> None:
    ends = places({str(at): (at, 0) for at in range(301)})
    net = main_street().network()
    for asked in ({}, {}, {"profile": "senior"}, {"direction": "from_facility"}):
        assert_frame_equal(net.matrix(ends, ends, **asked), main_street().network().matrix(ends, ends, **asked))


def test_places_far_from_every_street_are_told_of() -> None:
    net, lost = main_street().network(), places({"w": (0, 0), "lost": (0, 5000)})
    shops = lost.with_columns(pl.lit("shop").alias("class"))
    told = "row 2, id lost.*lon .* lat .*nearest walkable street is 4975 m away"
    for ask in (net.reach, net.reach_batches, net.counts, net.nearest_few):
        with pytest.warns(ws.RejectedRowsWarning, match=told):
            ask(lost, SHOPS)
    with pytest.warns(ws.RejectedRowsWarning, match="id lost"):
        net.reach(HOMES, shops)
    for origins, destinations in ((lost, HOMES), (HOMES, lost)):
        with pytest.warns(ws.RejectedRowsWarning, match=told):
            net.matrix(origins, destinations)


def test_a_matrix_agrees_with_all_pairs(porto_alegre: ws.Network, hexgrid: pl.DataFrame) -> None:
    homes, ends = hexgrid.select(HOME).gather_every(7), hexgrid.select(HOME).gather_every(11)
    matrix = porto_alegre.matrix(homes, ends).drop_nulls("time_s")
    facilities = ends.with_columns(pl.lit("any").alias("class"))
    pairs = porto_alegre.reach(homes, facilities, max_minutes=1440).rename({"facility_id": "destination_id"})
    key = ["origin_id", "destination_id"]
    assert_frame_equal(matrix.sort(key), pairs.drop("class").sort(key))
    assert matrix.height > 15_000


def test_nothing_within_reach_is_an_empty_table() -> None:
    net = main_street().network()
    pairs = net.reach(HOMES, places({"hill": (133, 27)}, **{"class": ["shop"]}), max_minutes=0.01)
    assert pairs.height == 0
    assert pairs.schema == net.reach(HOMES, SHOPS).schema


HOME = ("id", "lon", "lat")


def made_up_facilities(hexgrid: pl.DataFrame) -> pl.DataFrame:
    """Facilities of three classes at every second cell of the city, all made up."""
    number = pl.int_range(pl.len(), dtype=pl.UInt64)
    facilities = hexgrid.gather_every(2).select(number.alias("id"), "lon", "lat")
    return facilities.with_columns(pl.format("class {}", pl.col("id") % 3).alias("class"))


@pytest.mark.parametrize("cutoff", [5, 15, 70])
def test_the_city_agrees_with_itself(porto_alegre: ws.Network, hexgrid: pl.DataFrame, cutoff: int) -> None:
    """`nearest` is held against SciPy elsewhere; what is read off all pairs must be the same, from either side."""
    cells, facilities = hexgrid.select(HOME).head(300), made_up_facilities(hexgrid)
    pairs = porto_alegre.reach(cells, facilities, max_minutes=cutoff)
    nearest = porto_alegre.nearest(cells, facilities, max_minutes=cutoff).drop_nulls("time_s")
    least = pairs.sort("time_s", "facility_id").group_by("origin_id", "class").first()
    assert_frame_equal(
        least.select("origin_id", "class", "time_s", "facility_id").sort("origin_id", "class"),
        nearest.select("origin_id", "class", "time_s", "facility_id").sort("origin_id", "class"),
    )
    # The other way round there are fewer facilities than homes, so the search begins at the other side.
    few = porto_alegre.reach(cells, facilities.head(20), max_minutes=cutoff)
    some = pairs.join(facilities.head(20).select(facility_id="id"), on="facility_id", how="semi")
    key = ["origin_id", "facility_id", "class"]
    assert_frame_equal(few.sort(key), some.sort(key))
    counted = porto_alegre.counts(cells, facilities, minutes=(cutoff,)).filter(pl.col("count") > 0)
    expected = pairs.group_by("origin_id", "class").agg(pl.len().cast(pl.UInt32).alias("count"))
    assert_frame_equal(counted.drop("minutes").sort("origin_id", "class"), expected.sort("origin_id", "class"))
    first = porto_alegre.nearest_few(cells, facilities, k=4, max_minutes=cutoff)
    ranked = pairs.sort("time_s", "facility_id").group_by("origin_id", "class", maintain_order=True).head(4)
    assert_frame_equal(
        first.drop("rank").sort("origin_id", "class", "time_s", "facility_id"),
        ranked.select("origin_id", "class", "time_s", "facility_id").sort(
            "origin_id", "class", "time_s", "facility_id"
        ),
    )


def test_a_stream_gives_the_pairs_of_the_table(porto_alegre: ws.Network, hexgrid: pl.DataFrame) -> None:
    cells, facilities = hexgrid.select(HOME), made_up_facilities(hexgrid)
    stream = porto_alegre.reach_batches(cells, facilities)
    batches = list(pa.RecordBatchReader.from_stream(stream))
    assert len(batches) > 3
    whole = pl.concat([pl.DataFrame(pl.from_arrow(batch)) for batch in batches])
    assert_frame_equal(whole, porto_alegre.reach(cells, facilities))


def test_a_stream_that_nobody_reads_ends(porto_alegre: ws.Network, hexgrid: pl.DataFrame) -> None:
    stream = porto_alegre.reach_batches(hexgrid.select(HOME), made_up_facilities(hexgrid))
    reader = pa.RecordBatchReader.from_stream(stream)
    reader.read_next_batch()
    del reader, stream
    gc.collect()


def test_pairs_beyond_the_memory_limit_are_refused_before_they_are_searched(
    porto_alegre: ws.Network, hexgrid: pl.DataFrame
) -> None:
    cells, facilities = hexgrid.select(HOME), made_up_facilities(hexgrid)
    with pytest.raises(ws.InputError, match=r"reach.*GiB of memory, the limit is 0\.001 GiB") as refused:
        porto_alegre.reach(cells, facilities, memory_limit="1 MB")
    assert refused.value.problems[0]["reason"] == "memory"
    assert "内存" in refused.value.problems[0]["message_zh"]
    assert "reach_batches" in str(refused.value)
    assert porto_alegre.reach(cells.head(5), facilities, memory_limit="64 GB").height


def test_every_search_and_a_run_keep_to_the_limit(tmp_path: Path) -> None:
    net, limit = main_street().network(), "1 MB"
    asked = {
        "nearest": lambda: net.nearest(HOMES, SHOPS, memory_limit=limit),
        "reach_batches": lambda: net.reach_batches(HOMES, SHOPS, memory_limit=limit),
        "counts": lambda: net.counts(HOMES, SHOPS, memory_limit=limit),
        "nearest_few": lambda: net.nearest_few(HOMES, SHOPS, memory_limit=limit),
        "node_times": lambda: net.node_times(SHOPS, memory_limit=limit),
        "matrix": lambda: net.matrix(HOMES, SHOPS.drop("class"), memory_limit=limit),
    }
    for name, ask in asked.items():
        with pytest.raises(ws.InputError, match=rf"{name}.*GiB of memory"):
            ask()
    ws.synth(tmp_path / "city", nodes=1000, seed=1)
    with pytest.raises(ws.InputError, match=r"run.*GiB of memory"):
        ws.run(tmp_path / "city" / "STUDY.toml", tmp_path / "out", memory_limit=limit, progress=False)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("limit", ["much", "0", "-3 GB", "8 GBit", -1])
def test_a_limit_that_is_no_size_is_refused(limit: str | int) -> None:
    with pytest.raises(ValueError, match="memory_limit"):
        main_street().network().reach(HOMES, SHOPS, memory_limit=limit)


def test_wrong_arguments_say_what_to_use() -> None:
    net = main_street().network()
    with pytest.raises(ValueError, match="above 0"):
        net.counts(HOMES, SHOPS, minutes=(0,))
    with pytest.raises(ValueError, match="at least one"):
        net.counts(HOMES, SHOPS, minutes=())
    with pytest.raises(ValueError, match="places, beds"):
        net.counts(HOMES, SHOPS, capacity="chairs")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="k 0"):
        net.nearest_few(HOMES, SHOPS, k=0)


ALL = """
import sys
import polars as pl
import walkshed as ws
net = ws.Network.load(sys.argv[1])
homes, shops = pl.read_parquet(sys.argv[2]), pl.read_parquet(sys.argv[3])
for table in (
    net.reach(homes, shops), net.counts(homes, shops), net.nearest_few(homes, shops), net.node_times(shops),
    net.nearest(homes, shops),
):
    table.write_ipc(sys.stdout.buffer)
"""


def test_the_same_bytes_on_any_number_of_threads(
    porto_alegre: ws.Network, hexgrid: pl.DataFrame, tmp_path: Path
) -> None:
    paths = [str(tmp_path / name) for name in ("city.network", "homes.parquet", "shops.parquet")]
    porto_alegre.save(paths[0])
    hexgrid.select(HOME).write_parquet(paths[1])
    made_up_facilities(hexgrid).write_parquet(paths[2])

    def answers(threads: int) -> bytes:
        environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
        command = [sys.executable, "-c", ALL, *paths]
        return subprocess.run(command, check=True, capture_output=True, env=environment).stdout

    one = answers(1)
    assert len(one) > 100_000
    assert answers(3) == one
