"""A real city from end to end, against programs that share nothing with the engine: scipy, polars, h3."""

from __future__ import annotations

from itertools import pairwise

import h3
import numpy as np
import polars as pl
import pytest
from conftest import Data
from polars.testing import assert_frame_equal
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

import walkshed as ws

CUTOFF_S = 15 * 60.0

# An edge of no seconds may be none at all in a sparse matrix, so it gets a millionth; no walk has 1e4 edges.
NO_TIME_S = 1e-6


def inner_nodes(net: ws.Network) -> pl.Series:
    """Nodes that only private ways touch."""
    edges = net.edges()
    street = edges.filter(~pl.col("residents")).select(pl.concat_list("from", "to").explode()).to_series()
    return net.nodes().filter(~pl.col("id").is_in(street.implode()))["id"]


def graph(net: ws.Network, profile: str, outward: bool) -> pl.DataFrame:
    """Every direction that may be walked, the quicker of parallel ways: `a`, `b`, `s`.

    A private way leads out to the street when people walk to a facility, and home from it when they come back.
    """
    edges = net.edges(profile=profile)
    forward = edges.select("residents", a="from", b="to", s="forward_s")
    backward = edges.select("residents", a="to", b="from", s="backward_s")
    home_side = pl.col("a" if outward else "b")
    passed = ~pl.col("residents") | home_side.is_in(inner_nodes(net).implode())
    arcs = pl.concat([forward, backward]).filter(passed).drop_nulls()
    return arcs.group_by("a", "b").agg(pl.col("s").min())


def legs(snapped: pl.DataFrame, outward: bool) -> pl.DataFrame:
    """The two ends of each joined place's edge, and the seconds between place and end: `row`, `node`, `s`."""
    way = "to" if outward else "from"
    ends = [
        snapped.select("row", node=end, s=pl.col(f"{way}_{name}_s") + pl.col("leg_s"))
        for end, name in (("from", "start"), ("to", "end"))
    ]
    return pl.concat(ends).drop_nulls()


def along_one_edge(homes: pl.DataFrame, doors: pl.DataFrame, outward: bool) -> pl.DataFrame:
    """Walks that never leave the edge: `row`, `class`, `s`."""
    pairs = homes.join(doors, on="edge", suffix="_door")
    here, there = ("", "_door") if outward else ("_door", "")
    ahead = pl.col(f"share{there}") > pl.col(f"share{here}")
    passed = [pl.col(f"from_{end}_s{there}") - pl.col(f"from_{end}_s{here}") for end in ("start", "end")]
    walked = pl.when(pl.col("share") == pl.col("share_door")).then(0.0)
    walked = walked.when(ahead).then(passed[0]).otherwise(passed[1])
    return pairs.select("row", "class", s=walked + pl.col("leg_s") + pl.col("leg_s_door")).drop_nulls()


def truth(
    net: ws.Network, homes: pl.DataFrame, doors: pl.DataFrame, profile: str, outward: bool
) -> dict[str, np.ndarray]:
    """Seconds from every home to the nearest door of each class by scipy; infinite where there is no way."""
    at_home = net.snap(homes, profile=profile).with_row_index("row")
    ways, nodes = graph(net, profile, outward), net.nodes().height
    edges, inside = net.edges(profile=profile), inner_nodes(net)
    at_door = net.snap(doors.select("lon", "lat", id="key"), profile=profile).with_columns(doors["class"])
    private = edges.filter("residents")["id"]
    behind = at_door.filter(pl.col("edge").is_in(private.implode()))
    outside = doors.filter(pl.col("key").is_in(behind["id"].implode()))
    assert outside.height > 0, "some door stands on a private way"
    at_street = net.snap(outside.select("lon", "lat", id="key"), profile=profile, public=True)
    at_door = pl.concat([at_door, at_street.with_columns(outside["class"])]).with_row_index("row")
    home_legs = legs(at_home, outward)
    result = {}
    for name in doors["class"].unique():
        of_class = at_door.filter(pl.col("class") == name)
        # Nobody comes to a door on a private way from the street end of that way.
        in_legs = legs(of_class, not outward).join(of_class.select("row", "edge"), on="row")
        in_legs = in_legs.filter(~pl.col("edge").is_in(private.implode()) | pl.col("node").is_in(inside.implode()))
        door_legs = in_legs.group_by("node").agg(pl.col("s").min())
        # A node of its own beside all doors; the search runs from it against the walk.
        rows = [ways["b" if outward else "a"].to_numpy(), np.full(door_legs.height, nodes)]
        columns = [ways["a" if outward else "b"].to_numpy(), door_legs["node"].to_numpy()]
        seconds = np.maximum(np.concatenate([ways["s"].to_numpy(), door_legs["s"].to_numpy()]), NO_TIME_S)
        shape = (nodes + 1, nodes + 1)
        matrix = coo_matrix((seconds, (np.concatenate(rows), np.concatenate(columns))), shape=shape).tocsr()
        at_node = dijkstra(matrix, directed=True, indices=nodes)
        best = np.full(homes.height, np.inf)
        rows, ends = home_legs["row"].to_numpy(), home_legs["node"].to_numpy()
        np.minimum.at(best, rows, home_legs["s"].to_numpy() + at_node[ends])
        near = along_one_edge(at_home, of_class, outward).filter(pl.col("class") == name)
        np.minimum.at(best, near["row"].to_numpy(), near["s"].to_numpy())
        result[name] = best
    return result


@pytest.mark.filterwarnings("ignore::walkshed.RejectedRowsWarning")
@pytest.mark.parametrize("direction", ["to_facility", "from_facility"])
@pytest.mark.parametrize("profile", ["adult", "senior", "wheelchair"])
def test_every_time_is_the_one_of_scipy(
    porto_alegre: ws.Network,
    hexgrid: pl.DataFrame,
    doors: pl.DataFrame,
    profile: str,
    direction: ws.network.Direction,
) -> None:
    homes = hexgrid.select("id", "lon", "lat")
    times = porto_alegre.nearest(homes, doors, profile=profile, direction=direction)
    assert times.height == 1227 * 2
    keyed = doors.with_columns(key=pl.int_range(pl.len()))
    by_scipy = truth(porto_alegre, homes, keyed, profile, outward=direction == "to_facility")
    assert set(by_scipy) == {"schools", "healthcare"}
    snapped = porto_alegre.snap(homes, profile=profile)["edge"].is_not_null().to_numpy()
    for name, expected in by_scipy.items():
        rows = times.filter(pl.col("class") == name)
        assert rows["origin_id"].to_list() == homes["id"].to_list()
        found = rows["time_s"].to_numpy()
        reached = expected < CUTOFF_S + 0.05
        assert 0.2 < reached.mean() < 0.95, "a test of two full and two empty columns would say nothing"
        assert np.array_equal(~np.isnan(found), reached)
        difference = np.abs(found[reached] - expected[reached]).max()
        print(f"{profile} {direction} {name}: {reached.sum()} reached, at most {difference:.2e} s from scipy")
        assert difference < 0.1
        reasons = np.where(~snapped, "not_snapped", np.where(np.isinf(expected), "not_connected", "beyond_cutoff"))
        assert rows["reason"].to_list() == np.where(reached, None, reasons).tolist()


def test_uphill_is_not_downhill_but_on_the_flat_both_are_one(
    data: Data, porto_alegre: ws.Network, hexgrid: pl.DataFrame, doors: pl.DataFrame
) -> None:
    flat = ws.Network.from_osm(data("porto_alegre") / "streets.osm.pbf")

    def both_ways(net: ws.Network) -> tuple[pl.DataFrame, pl.DataFrame]:
        # To somebody who takes stairs as level ground, and no moving stairs, only slopes have directions.
        tireless = ws.Profile(name="tireless", flat_mps=1.33, stairs_up_mps=1.33, stairs_down_mps=1.33)
        there = net.nearest(hexgrid, doors, profile=tireless)
        return there, net.nearest(hexgrid, doors, profile=tireless, direction="from_facility")

    there, back = both_ways(porto_alegre)
    differ = (there["time_s"] - back["time_s"]).abs().drop_nulls()
    assert (differ > 5).sum() > 100
    assert_frame_equal(*both_ways(flat))


def test_a_slower_profile_is_never_faster(porto_alegre: ws.Network, hexgrid: pl.DataFrame, doors: pl.DataFrame) -> None:
    by_speed = [
        ws.Profile(name=f"at {share}", flat_mps=1.33 * share, stairs_up_mps=0.45 * share, stairs_down_mps=0.6 * share)
        for share in (1.0, 0.8, 0.5)
    ]
    times = [porto_alegre.nearest(hexgrid, doors, profile=who)["time_s"] for who in by_speed]
    for quick, slow in pairwise(times):
        assert not (slow.is_not_null() & quick.is_null()).any()
        assert slow.count() < quick.count() and ((slow - quick).drop_nulls() >= 0).all()


@pytest.fixture(scope="module")
def study(data: Data, doors: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> ws.RunResult:
    folder = tmp_path_factory.mktemp("porto_alegre")
    source = data("porto_alegre")
    doors.write_parquet(folder / "facilities.parquet")
    (folder / "STUDY.toml").write_text(
        f"""
        [study]
        name = "porto_alegre"
        resolution = 9
        [streets]
        osm = "{source}/streets.osm.pbf"
        elevation = "{source}/elevation.tif"
        [facilities]
        path = "facilities.parquet"
        [population]
        path = "{source}/hexgrid.csv"
        people = "population"
        cell = "id"
        groups = ["jobs"]
        [areas]
        h3 = 7
        [coverage]
        minutes = [5, 10, 15]
        profiles = ["adult", "senior"]
        """
    )
    return ws.run(folder / "STUDY.toml", folder / "out", progress=False)


def test_the_coverage_of_a_run_is_the_one_of_polars(study: ws.RunResult) -> None:
    cells, times = study.table("cells"), study.table("times")
    parent = pl.Series("area_id", [h3.cell_to_parent(h3.int_to_str(cell), 7) for cell in cells["cell"]])
    homes = cells.select("cell", parent, all="people", jobs="jobs").unpivot(
        ["all", "jobs"], index=["cell", "area_id"], variable_name="group", value_name="people"
    )
    thresholds = pl.DataFrame({"minutes": [5.0, 10.0, 15.0]})
    keys = ["area_id", "class", "group", "profile", "minutes"]
    covered = pl.col("time_s").is_not_null() & (pl.col("time_s") <= pl.col("minutes") * 60)
    of = {reason: pl.col("reason").eq_missing(pl.lit(reason)) for reason in ("not_connected", "not_snapped")}
    beyond = ~covered & ~of["not_connected"] & ~of["not_snapped"]

    def people(where: pl.Expr) -> pl.Expr:
        return pl.col("people").filter(where).sum()

    twin = (
        times.join(homes, left_on="origin_id", right_on="cell")
        .join(thresholds, how="cross")
        .group_by(keys)
        .agg(
            people(pl.lit(True)).alias("people"),
            people(covered).alias("people_covered"),
            people(beyond).alias("people_beyond"),
            *(people(where).alias(f"people_{reason}") for reason, where in of.items()),
        )
        .with_columns(share=pl.when(pl.col("people") > 0).then(pl.col("people_covered") / pl.col("people")))
    )
    found = study.table("coverage")
    assert found.height == twin.height == parent.n_unique() * 2 * 2 * 2 * 3
    assert_frame_equal(
        found.sort(keys),
        twin.sort(keys),
        check_column_order=False,
        rel_tol=1e-9,
        abs_tol=1e-9,
        check_exact=False,
    )
    schools = found.filter(pl.col("class") == "schools")["share"].drop_nulls()
    assert schools.min() < 0.5 < schools.max()


def test_nobody_is_lost_or_invented(study: ws.RunResult, hexgrid: pl.DataFrame) -> None:
    assert hexgrid["population"].sum() == 812_935
    assert study.table("cells")["people"].sum() == pytest.approx(812_935, rel=1e-9)
    coverage = study.table("coverage").filter(pl.col("group") == "all")
    totals = coverage.group_by("class", "profile", "minutes").agg(pl.col("people").sum())
    assert totals.height == 12
    assert totals["people"].to_numpy() == pytest.approx(812_935, rel=1e-9)
    assert study.report["people"]["stated"] == 812_935
    parts = coverage.select(pl.col("^people_.*$")).sum_horizontal()
    assert parts.to_numpy() == pytest.approx(coverage["people"].to_numpy(), rel=1e-9)


def test_the_summary_is_the_share_of_the_whole_city(study: ws.RunResult, hexgrid: pl.DataFrame) -> None:
    coverage = study.table("coverage").filter((pl.col("group") == "all") & (pl.col("minutes") == 10))
    shares = coverage.group_by("class", "profile").agg(
        percent=100 * pl.col("people_covered").sum() / pl.col("people").sum()
    )
    found = study.summary().join(shares, on=["class", "profile"], validate="1:1")
    assert found.height == 4
    assert found["10 min"].to_numpy() == pytest.approx(found["percent"].to_numpy(), rel=1e-9)
    in_grid = {name: (hexgrid[name] > 0).sum() for name in ("schools", "healthcare")}
    assert dict(found.select("class", "facilities").iter_rows()) == in_grid
