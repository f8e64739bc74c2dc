"""Siting beside published optima, all choices there are, and a street by hand."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from towns import main_street, places

import walkshed as ws
from walkshed.cli import main

Data = Callable[[str], Path]

LIMIT_S = 0.5


def read_pmed(path: Path) -> tuple[np.ndarray, int]:
    """Shortest ways between all nodes of an instance of OR-Library, and its p; of repeated edges the last counts."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import shortest_path

    numbers = [int(word) for word in path.read_text().split()]
    nodes, edges, p = numbers[:3]
    lengths: dict[tuple[int, int], int] = {}
    for start, end, length in np.array(numbers[3 : 3 + 3 * edges]).reshape(-1, 3):
        lengths[min(start, end) - 1, max(start, end) - 1] = length
    ends = np.array(list(lengths))
    graph = csr_matrix((list(lengths.values()), (ends[:, 0], ends[:, 1])), shape=(nodes, nodes), dtype=float)
    return shortest_path(graph, directed=False), p


def as_costs(matrix: np.ndarray) -> pl.DataFrame:
    """All pairs of a matrix that are finite."""
    origin, site = np.nonzero(np.isfinite(matrix))
    return pl.DataFrame({"origin_id": origin, "site_id": site, "cost": matrix[origin, site]})


def as_demand(people: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame({"origin_id": np.arange(len(people)), "people": people})


@pytest.mark.parametrize("number", range(1, 21))
def test_the_optima_of_or_library(data: Data, number: int) -> None:
    folder = data("orlib_pmed")
    optima = dict(line.split() for line in (folder / "optima.txt").read_text().splitlines()[1:] if line.strip())
    matrix, p = read_pmed(folder / f"pmed{number}.txt")
    # The proof of two takes HiGHS twenty seconds each, which the bench waits for.
    solver: ws.siting.Solver = "heuristic" if number in (16, 17) else "exact"
    best = ws.siting.p_median(as_costs(matrix), as_demand(np.ones(len(matrix))), k=p, solver=solver, progress=False)
    optimum = float(optima[f"pmed{number}"])
    assert best.objective == optimum and best.bound <= optimum and best.gap < 0.01
    assert solver == "heuristic" or (best.bound, best.status) == (optimum, "optimal")
    assert len(best.built) == p and best.assignment["cost"].sum() == best.objective


class TestSanFrancisco:
    """Sixteen stores and 205 census tracts, as published with spopt."""

    @pytest.fixture
    def tables(self, data: Data) -> tuple[pl.DataFrame, pl.DataFrame]:
        folder = data("spopt_san_francisco")
        costs = pl.read_csv(folder / "SF_network_distance_candidateStore_16_censusTract_205_new.csv")
        costs = costs.select(origin_id="DestinationName", site_id="name", cost="distance")
        demand = pl.read_csv(folder / "SF_demand_205_centroid_uniform_weight.csv", schema_overrides={"NAME": pl.String})
        return costs, demand.select(origin_id=pl.col("NAME").cast(costs["origin_id"].dtype), people="POP2000")

    def test_set_covering(self, tables: tuple[pl.DataFrame, pl.DataFrame]) -> None:
        best = ws.siting.set_covering(tables[0], limit=5000)
        assert (best.objective, best.bound, best.sites.height) == (8, 8, 8)

    def test_maximal_covering(self, tables: tuple[pl.DataFrame, pl.DataFrame]) -> None:
        best = ws.siting.maximal_covering(*tables, k=4, limit=5000)
        assert (best.objective, best.bound) == (875_247, 875_247)

    def test_p_median(self, tables: tuple[pl.DataFrame, pl.DataFrame]) -> None:
        best = ws.siting.p_median(*tables, k=4)
        assert best.objective == pytest.approx(2_848_268_129.7145, abs=1e-3) and best.status == "optimal"
        assert best.objective / tables[1]["people"].sum() == pytest.approx(2982.1268579890657)

    def test_p_center(self, tables: tuple[pl.DataFrame, pl.DataFrame]) -> None:
        best = ws.siting.p_center(tables[0], k=4)
        assert best.objective == pytest.approx(7403.06, abs=0.01) and best.bound == best.objective


def town(seed: int, *, demands: int = 7, sites: int = 6) -> dict[str, pl.DataFrame]:
    """A small town made up, some ways out of reach."""
    dice = np.random.default_rng(seed)
    matrix = dice.integers(1, 30, (demands, sites)).astype(float)
    matrix[dice.random(matrix.shape) < 0.15] = np.inf
    people = dice.integers(0, 20, demands)
    table = pl.DataFrame(
        {
            "site_id": np.arange(sites),
            "cost_yuan": dice.integers(1, 9, sites).astype(float),
            "capacity": dice.integers(10, 60, sites).astype(float),
            "area_id": [f"area {place}" for place in dice.integers(0, 2, sites)],
        }
    )
    return {"costs": as_costs(matrix), "demand": as_demand(people), "sites": table}


class TestAllChoices:
    """Exact answers against all choices, with existing sites, budgets and areas."""

    @pytest.mark.parametrize("solver", ["heuristic", "exact"])
    @pytest.mark.parametrize("seed", range(25))
    def test_none_is_better(self, seed: int, solver: str) -> None:
        tables = town(seed)
        costs, demand, sites = tables["costs"], tables["demand"], tables["sites"].drop("capacity")
        options = {"existing": [0], "sites": sites, "budget": 11.0, "at_least_one_per": "area_id", "k": 3}
        people = dict(demand.iter_rows())
        ways = {(origin, site): cost for origin, site, cost in costs.iter_rows()}
        yuan, areas = (dict(sites.select("site_id", name).iter_rows()) for name in ("cost_yuan", "area_id"))

        def allowed(built: tuple[int, ...]) -> bool:
            there = {areas[site] for site in (0, *built)}
            return sum(yuan[site] for site in built) <= 11 and there == set(areas.values())

        def cost(built: tuple[int, ...], unserved: float) -> float:
            nearest = {home: min(ways.get((home, site), np.inf) for site in (0, *built)) for home in people}
            return sum(count * min(nearest[home], unserved) for home, count in people.items())

        choices = [built for size in range(4) for built in itertools.combinations(range(1, 6), size) if allowed(built)]
        least = min(cost(built, 40.0) for built in choices)
        best = ws.siting.p_median(costs, demand, unserved_cost=40, solver=solver, **options)
        assert best.bound <= least + 1e-6 and least <= best.objective + 1e-6
        if solver == "exact":
            assert best.objective == pytest.approx(least) and best.status == "optimal"
        assert allowed(tuple(best.built))

    @pytest.mark.parametrize("seed", range(15))
    def test_sites_can_be_full(self, seed: int) -> None:
        tables = town(seed)
        options = {"k": 3, "unserved_cost": 50.0, "sites": tables["sites"]}
        exact = ws.siting.p_median(tables["costs"], tables["demand"], solver="exact", **options)
        quick = ws.siting.p_median(tables["costs"], tables["demand"], solver="heuristic", **options)
        assert exact.status == "optimal"
        assert quick.bound <= exact.objective + 1e-6 and exact.objective <= quick.objective + 1e-6
        over = exact.sites.filter(pl.col("people") > pl.col("capacity") + 1e-6)
        assert over.height == 0
        told = exact.assignment["people"].sum() + exact.unserved["people"].sum()
        assert told == pytest.approx(tables["demand"]["people"].sum())
        ways = exact.assignment["people"] * exact.assignment["cost"]
        assert ways.sum() + 50 * exact.unserved["people"].sum() == pytest.approx(exact.objective)

    @pytest.mark.parametrize("seed", range(10))
    def test_the_longest_way(self, seed: int) -> None:
        dice = np.random.default_rng(seed)
        matrix = dice.random((12, 9)) * 100
        least = min(matrix[:, list(built)].min(axis=1).max() for built in itertools.combinations(range(9), 3))
        best = ws.siting.p_center(as_costs(matrix), k=3, solver="exact")
        assert (best.objective, best.bound) == (pytest.approx(least), pytest.approx(least))


class TestStreet:
    """Homes and candidates along one street of 400 m, walked at 1.33 m/s."""

    HOMES = places({"w": (0, 0), "m": (133, 0), "e": (266, 0)}, people=[100, 300, 200])
    CANDIDATES = places({"a": (0, 0), "b": (133, 0), "c": (266, 0)})

    def test_costs_of_a_network(self) -> None:
        net = main_street().network()
        costs = ws.siting.costs(net, self.HOMES, self.CANDIDATES, max_minutes=5)
        assert costs.columns == ["origin_id", "site_id", "class", "cost"] and costs.height == 9
        best = ws.siting.p_median(costs, self.HOMES.rename({"id": "origin_id"}), k=1, sites=self.CANDIDATES)
        assert best.built == ["b"] and best.status == "optimal"
        # 300 people live a hundred seconds away.
        assert best.objective == pytest.approx(300 * 100, rel=0.02)
        assert best.sites["lon"].null_count() == 0

    def test_pairs_of_reach_serve_as_they_are(self) -> None:
        net = main_street().network()
        pairs = net.reach(self.HOMES, self.CANDIDATES.with_columns(pl.lit("school").alias("class")), max_minutes=5)
        best = ws.siting.maximal_covering(pairs, self.HOMES.rename({"id": "origin_id"}), k=1, limit=110)
        assert best.built == ["b"] and best.objective == 600

    def test_candidates_are_centres_of_cells_near_streets(self) -> None:
        net = main_street().network()
        import geopandas
        import h3
        import shapely

        west, south, east, north = 106.54, 29.55, 106.58, 29.57
        lon, lat = net.nodes()["lon"], net.nodes()["lat"]
        west, east = lon.min() - 0.004, lon.max() + 0.004
        south, north = lat.min() - 0.004, lat.max() + 0.004
        middle = (west + east) / 2
        halves = [shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)]
        areas = geopandas.GeoDataFrame({"area_id": ["west", "east"]}, geometry=halves, crs=4326)
        near = ws.siting.candidates(net, areas, resolution=11, max_street_m=40)
        assert near.height > 0 and near["street_m"].max() <= 40 and near["id"].is_sorted()
        assert set(near["area_id"]) == {"west", "east"}
        land = geopandas.GeoDataFrame(geometry=[halves[0]], crs=4326)
        assert set(ws.siting.candidates(net, areas, inside=land, resolution=11)["area_id"]) == {"west"}
        again = ws.siting.candidates(net, near.select(cell="id"), max_street_m=40)
        assert again["id"].equals(near["id"]) and again["area_id"].null_count() == again.height
        corners = [[(lon, lat) for lat, lon in h3.cell_to_boundary(h3.int_to_str(cell))] for cell in near["id"]]
        drawn = geopandas.GeoDataFrame({"cell": near["id"]}, geometry=list(map(shapely.Polygon, corners)), crs=4326)
        outlined = ws.siting.candidates(net, drawn, max_street_m=40)  # as the cells of a run are
        assert outlined["id"].equals(again["id"]) and (outlined["street_m"] - again["street_m"]).abs().max() < 0.001
        assert ws.siting.costs(net, self.HOMES, near).height > 0


COSTS = pl.DataFrame(
    {
        "origin_id": ["a", "a", "b", "b", "c"],
        "site_id": ["x", "y", "x", "y", "z"],
        "cost": [10.0, 20.0, 30.0, 10.0, 5.0],
    }
)
HOMES = pl.DataFrame({"origin_id": ["a", "b", "c"], "people": [100, 50, 10]})


def test_who_exists_is_not_counted() -> None:
    best = ws.siting.p_median(COSTS, HOMES, k=1, existing=["z"])
    assert best.built == ["x"] and best.objective == 100 * 10 + 50 * 30 + 10 * 5
    assert best.sites.select("site_id", "existing", "order", "people").rows() == [
        ("x", False, 1, 150.0),
        ("z", True, None, 10.0),
    ]
    assert best.gain["people"].to_list() == [10, 160] and best.gain["objective"].to_list() == [None, best.objective]
    assert "optimal" in best.summary() and "1 to build" in repr(best)


def test_those_who_are_not_served_are_told_with_the_reason() -> None:
    homes = pl.concat([HOMES, pl.DataFrame({"origin_id": ["d"], "people": [7]})])
    best = ws.siting.maximal_covering(COSTS, homes, k=1, limit=25)
    assert best.built == ["y"] and best.objective == 150
    assert best.unserved.select("origin_id", "people", "reason").rows() == [
        ("c", 10.0, "not_chosen"),
        ("d", 7.0, "no_site_in_reach"),
    ]
    charged = ws.siting.p_median(COSTS, homes, k=1, unserved_cost=100)
    assert charged.objective == 100 * 20 + 50 * 10 + 17 * 100 and charged.unserved["people"].sum() == 17


def test_classes_share_a_number_or_have_their_own() -> None:
    sites = pl.DataFrame({"site_id": ["x", "y", "z"], "class": ["school", "park", "park"]})
    costs = COSTS.vstack(pl.DataFrame({"origin_id": ["c"], "site_id": ["x"], "cost": [40.0]}))
    demand = HOMES.with_columns(pl.lit("school").alias("class"))
    only = ws.siting.p_median(costs, demand, k=1, sites=sites)
    assert only.built == ["x"] and only.sites["class"].to_list() == ["school"]
    both = ws.siting.maximal_covering(costs, HOMES, k={"school": 1, "park": 1}, limit=50, sites=sites)
    assert both.built == ["x", "y"] and both.objective == 160 + 150
    none = ws.siting.maximal_covering(costs, HOMES, k={"park": 1}, limit=50, sites=sites)
    assert none.built == ["y"]
    with pytest.raises(ws.InputError, match=r"shool.*known: park, school"):
        ws.siting.maximal_covering(costs, HOMES, k={"shool": 1}, limit=50, sites=sites)
    wrong = HOMES.with_columns(pl.lit("clinic").alias("class"))
    with pytest.raises(ws.InputError, match=r"no site is of this class"):
        ws.siting.p_median(costs, wrong, k=1, sites=sites)


def test_need_counts_where_it_is_asked_for() -> None:
    demand = HOMES.with_columns(need=pl.Series([1.0, 1.0, 1000.0]))
    assert ws.siting.maximal_covering(COSTS, demand, k=1, limit=50).built == ["x"]
    best = ws.siting.maximal_covering(COSTS, demand, k=1, limit=50, weight="need")
    assert best.built == ["z"] and best.objective == 1000
    assert best.sites.select("people", "weighted").row(0) == (10.0, 1000.0)


def test_the_cheapest_cover() -> None:
    sites = pl.DataFrame({"site_id": ["x", "y", "z"], "cost_yuan": [5.0, 3.0, 1.0]})
    assert ws.siting.set_covering(COSTS, limit=50).objective == 2
    best = ws.siting.set_covering(COSTS, limit=50, sites=sites, minimise="cost_yuan")
    assert best.objective == 4 and sorted(best.built) == ["y", "z"]
    with pytest.raises(ws.InputError, match=r"budget is 3 yuan and at least 4"):
        ws.siting.set_covering(COSTS, limit=50, sites=sites, budget=3)


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda: ws.siting.p_median(COSTS, HOMES, k=1), r"1 site\(s\) may be built and at least 2 are needed"),
        (lambda: ws.siting.p_center(COSTS, k=1), r"at least 2 are needed"),
        (
            lambda: ws.siting.p_median(COSTS, HOMES.vstack(pl.DataFrame({"origin_id": ["d"], "people": [100]})), k=3),
            r"no site reaches 1 origin\(s\) with 100 people: d",
        ),
        (lambda: ws.siting.set_covering(COSTS, limit=5), r"no site reaches 2 origin"),
        (lambda: ws.siting.p_median(COSTS, HOMES, k=2, existing=["q"]), r"existing, row 1.*q.*neither in the costs"),
        (
            lambda: ws.siting.p_median(COSTS, HOMES, budget=5, sites=pl.DataFrame({"site_id": ["x", "y", "z"]})),
            r"id x.*cost_yuan",
        ),
        (
            lambda: ws.siting.maximal_covering(
                COSTS, HOMES, k=1, limit=50, at_least_one_per="area_id",
                sites=pl.DataFrame({"site_id": ["x", "y", "z"], "area_id": ["n", "n", "s"]}),
            ),
            r"2 areas lack a site and 1 may be built: n, s",
        ),
        (
            lambda: ws.siting.p_median(
                COSTS, HOMES, k=2, sites=pl.DataFrame({"site_id": ["x", "y", "z"], "capacity": [50, 60, 10]})
            ),
            r"160 people have to be served and what may be built holds at most 110",
        ),
        (lambda: ws.siting.p_median(COSTS.vstack(COSTS.head(1)), HOMES, k=2), r"costs, row 6.*a – x.*row 1"),
        (lambda: ws.siting.p_median(COSTS.drop("cost"), HOMES, k=2), r"cost / time_s"),
        (lambda: ws.siting.p_median(COSTS, HOMES.drop("people"), k=2), r"demand.*people"),
        (lambda: ws.siting.p_median(COSTS, HOMES.with_columns(origin_id=pl.lit("e")), k=2), r"row 1 has the same id"),
        (
            lambda: ws.siting.p_median(COSTS.with_columns(cost=-pl.col("cost")), HOMES, k=2),
            r"row 1.*cost.*outside the range",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_says_why(ask: Callable[[], object], told: str) -> None:
    with pytest.raises(ws.InputError, match=told):
        ask()


def test_settings_that_cannot_be_are_told() -> None:
    for wrong in (
        lambda: ws.siting.p_median(COSTS, HOMES),
        lambda: ws.siting.p_median(COSTS, HOMES, k=-1),
        lambda: ws.siting.p_median(COSTS, HOMES, k=1.5),  # type: ignore[arg-type]
        lambda: ws.siting.maximal_covering(COSTS, HOMES, k=1, limit=float("nan")),
        lambda: ws.siting.p_median(COSTS, HOMES, k=1, solver="gurobi"),  # type: ignore[arg-type]
        lambda: ws.siting.set_covering(COSTS, limit=5, minimise="people"),  # type: ignore[arg-type]
        lambda: ws.siting.p_median(COSTS, HOMES, k=1, unserved_cost=-1),
    ):
        with pytest.raises(ValueError, match=r"use|give"):
            wrong()


def test_the_order_of_rows_does_not_matter() -> None:
    dice = np.random.default_rng(3)
    costs, demand = as_costs(dice.integers(1, 50, (60, 20)).astype(float)), as_demand(dice.integers(1, 9, 60))
    one = ws.siting.p_median(costs, demand, k=5)
    shuffled = costs.sample(fraction=1, shuffle=True, seed=1), demand.sample(fraction=1, shuffle=True, seed=2)
    other = ws.siting.p_median(*shuffled, k=5)
    for name in ("sites", "assignment", "gain", "unserved"):
        assert getattr(one, name).equals(getattr(other, name))
    text = ws.siting.p_median(
        costs.with_columns(pl.col("origin_id").cast(pl.String)),
        demand.with_columns(pl.col("origin_id").cast(pl.Int32)),
        k=5,
    )
    assert text.objective == one.objective


def test_tables_of_other_libraries_and_paths(tmp_path: Path) -> None:
    COSTS.write_parquet(tmp_path / "costs.parquet")
    HOMES.write_csv(tmp_path / "homes.csv")
    expected = ws.siting.p_median(COSTS, HOMES, k=2).assignment
    assert ws.siting.p_median(tmp_path / "costs.parquet", tmp_path / "homes.csv", k=2).assignment.equals(expected)
    assert ws.siting.p_median(COSTS.to_arrow(), HOMES.to_pandas(), k=2).assignment.equals(expected)
    renamed = COSTS.rename({"site_id": "facility_id", "cost": "time_s"})
    assert ws.siting.p_median(renamed, HOMES, k=2).assignment.equals(expected)


class TestPlan:
    """The command on a real city: sites for a run, published whole."""

    PLAN = """
        [site]
        run = "{run}"
        problem = "maximal_covering"
        class = "pharmacy"
        k = 3
        minutes = 5
        at_least_one_per = "area_id"
    """

    def write(self, folder: Path, run: ws.RunResult, *more: str) -> Path:
        plan = folder / "PLAN.toml"
        plan.write_text(self.PLAN.format(run=run.folder) + "\n".join(more))
        return plan

    def test_a_class_that_nobody_knows_is_refused(self, helsinki_run: ws.RunResult, tmp_path: Path) -> None:
        plan = self.write(tmp_path, helsinki_run)
        plan.write_text(plan.read_text().replace("pharmacy", "pharmacie"))
        with pytest.raises(ws.InputError, match="pharmacy"):
            ws.site_run(plan, tmp_path / "sites", progress=False)

    def test_sites_of_a_run(self, helsinki_run: ws.RunResult, tmp_path: Path) -> None:
        plan, out = self.write(tmp_path, helsinki_run), tmp_path / "sites"
        result = ws.site_run(plan, out, progress=False)
        names = ["assignment.parquet", "gain.parquet", "site.json", "sites.parquet", "unserved.parquet"]
        assert sorted(file.name for file in out.iterdir()) == names
        assert pl.read_parquet(out / "sites.parquet").equals(result.siting.sites)
        best = result.siting
        assert 0 < len(best.built) <= 3 and best.sites["existing"].sum() > 0 and best.gap < 0.01
        assert best.gain["people"].is_sorted() and result.report["objective"] == best.objective
        people = helsinki_run.table("cells")["people"].sum()
        assert best.assignment["people"].sum() + best.unserved["people"].sum() == pytest.approx(people)
        # What is there is what the run has, and with nothing to build it is the coverage that the run tells.
        total = helsinki_run.total().filter(
            (pl.col("class") == "pharmacy") & (pl.col("minutes") == 5) & (pl.col("profile") == "adult")
        )
        told = total.filter(pl.col("group") == "all")["people_covered"].item()
        assert best.gain["people"][0] == pytest.approx(told, rel=1e-6)
        again = ws.site_run(plan, out, progress=False)
        assert again.siting.sites.equals(best.sites)

    def test_the_command(self, helsinki_run: ws.RunResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        plan, out = self.write(tmp_path, helsinki_run, 'solver = "heuristic"'), tmp_path / "sites"
        assert main(["site", str(plan), "--out", str(out), "--quiet"]) == 0
        told = capsys.readouterr().out
        assert "to build 新建" in told and "people served 服务人口" in told and str(out) in told
        assert main(["site", str(plan), "--out", str(out), "--quiet", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["problem"] == "maximal_covering"

    def test_a_plan_with_faults_tells_all_of_them(
        self, helsinki_run: ws.RunResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        plan = tmp_path / "PLAN.toml"
        plan.write_text('[site]\nrun = "nowhere"\nproblem = "p_medium"\nclas = "school"\n')
        assert main(["site", str(plan), "--out", str(tmp_path / "sites")]) == 1
        told = capsys.readouterr().err
        assert all(word in told for word in ("p_medium", "clas", "未知名称")) and not (tmp_path / "sites").exists()
        plan.write_text('[site]\nrun = "nowhere"\nproblem = "p_median"\nclass = "school"\nk = 2\n')
        assert main(["site", str(plan), "--out", str(tmp_path / "sites")]) == 1
        assert "does not exist" in capsys.readouterr().err
        photos = tmp_path / "photos"
        photos.mkdir()
        (photos / "child.jpg").write_text("x")
        plan = self.write(tmp_path, helsinki_run)
        assert main(["site", str(plan), "--out", str(photos)]) == 1
        assert (photos / "child.jpg").is_file()


def plane(demands: int, sites: int, within: float, seed: int = 1) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Points in a square, made up, with the pairs that are near enough."""
    from scipy.spatial import cKDTree

    dice = np.random.default_rng(seed)
    homes, ends = dice.random((demands, 2)), dice.random((sites, 2))
    near = cKDTree(ends).query_ball_point(homes, within)
    origin = np.repeat(np.arange(demands), [len(each) for each in near])
    site = np.concatenate([np.asarray(each, dtype=np.int64) for each in near])
    cost = np.round(np.linalg.norm(homes[origin] - ends[site], axis=1) * 10_000, 1)
    costs = pl.DataFrame({"origin_id": origin, "site_id": site, "cost": cost})
    return costs, as_demand(dice.integers(1, 200, demands))


def test_a_time_limit_gives_the_best_so_far() -> None:
    costs, demand = plane(20_000, 1_500, 0.12)
    began = time.monotonic()
    with pytest.warns(ws.StoppedWarning, match="stopped early"):
        best = ws.siting.p_median(costs, demand, k=60, unserved_cost=3000, time_limit_s=1, progress=False)
    assert time.monotonic() - began < 8
    assert best.stopped and best.status == "feasible" and best.bound < best.objective and len(best.built) <= 60


def test_ctrl_c_gives_the_best_so_far_within_half_a_second() -> None:
    done = subprocess.run([sys.executable, __file__], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    for line in done.stdout.splitlines():
        late, stopped, gap = line.split()
        print(f"stopped {late} s after Ctrl-C, gap {gap}")
        assert float(late) < 2 * LIMIT_S and stopped == "True" and 0 < float(gap)


def press_ctrl_c() -> None:
    """The whole of the process that the last test starts: while our search works, and while the exact solver does."""
    import warnings

    warnings.simplefilter("ignore", ws.StoppedWarning)
    large = plane(30_000, 2_000, 0.12), {"k": 80, "unserved_cost": 3000, "solver": "heuristic"}
    hard = plane(400, 150, 0.5, seed=5), {"k": 12, "unserved_cost": 3000, "solver": "exact"}
    for (tables, options), delay_s in ((large, 0.4), (hard, 1.5)):
        if options["solver"] == "exact":
            sites = pl.DataFrame({"site_id": np.arange(150), "capacity": np.full(150, 4000.0)})
            options["sites"] = sites
        sent: list[float] = []

        def press(sent: list[float] = sent) -> None:
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)

        timer = threading.Timer(delay_s, press)

        def once_searching(stage: str, _done: int, _total: int, timer: threading.Timer = timer) -> None:
            if stage == "siting" and timer.ident is None:  # how long reading takes is the machine's business
                timer.start()

        best = ws.siting.p_median(*tables, progress=once_searching, **options)  # type: ignore[arg-type]
        print(f"{time.perf_counter() - sent[0]:.3f}", best.stopped, best.gap, flush=True)


if __name__ == "__main__":
    press_ctrl_c()
