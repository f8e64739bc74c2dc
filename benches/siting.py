"""Siting: OR-Library, spopt beside us, and a large plane: `siting.py OUT [--peer PYTHON]`.

PYTHON is an interpreter with `spopt==0.8.0`, `highspy` and `pulp` of PyPI. Answers are compared before a clock
counts. Data is read from WALKSHED_DATA, else ../shared/data; everything else is made up from fixed seeds. OUT gets
summary.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

import walkshed as ws

DATA = Path(os.environ.get("WALKSHED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")

#: Seconds after which the peer is stopped.
PEER_MOST_S = 600

#: What the peer runs: the same matrix, its own model, HiGHS on one thread to the end.
PEER = """
import json, sys, time, warnings
warnings.filterwarnings("ignore")
import numpy as np, pulp
from spopt.locate import MCLP, PMedian
kind, path, k, limit = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
given = np.load(path)
solver = pulp.HiGHS(msg=False, gapRel=0.0, threads=1)
start = time.perf_counter()
if kind == "p_median":
    model = PMedian.from_cost_matrix(given["cost"], given["people"], p_facilities=k)
else:
    model = MCLP.from_cost_matrix(given["cost"], given["people"], service_radius=limit, p_facilities=k)
built = time.perf_counter() - start
model.solve(solver)
seconds = time.perf_counter() - start
sites = [site for site, used in enumerate(model.fac_vars) if (used.varValue or 0) > 0.5]
print(json.dumps({"built_s": built, "seconds": seconds, "sites": sites}))
"""


def main() -> None:
    """Run the parts that are asked for and write the summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--peer", help="a Python with spopt")
    parser.add_argument("--parts", default="pmed,peer,large", help="which parts to run")
    options = parser.parse_args()
    lines = [
        "# Siting",
        "",
        f"`python benches/siting.py OUT --peer PYTHON` at commit {commit()}, {os.cpu_count()} cores "
        f"({platform.machine()}), Python {platform.python_version()}. Wall seconds, tables read and answer told.",
        "",
    ]
    parts = options.parts.split(",")
    if "pmed" in parts:
        lines += or_library()
    if "peer" in parts and options.peer:
        lines += beside_spopt(options.peer)
    if "large" in parts:
        lines += large()
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "summary.md").write_text("\n".join(lines), "utf-8")


def commit() -> str:
    """The commit that is measured."""
    return subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()


def timed(work: Callable[[], ws.Siting]) -> tuple[ws.Siting, float]:
    """An answer and its seconds."""
    start = time.perf_counter()
    best = work()
    return best, time.perf_counter() - start


def or_library() -> list[str]:
    """Every instance with its published optimum."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python" / "tests"))
    from test_siting import as_costs, as_demand, read_pmed

    folder = DATA / "orlib_pmed"
    optima = dict(line.split() for line in (folder / "optima.txt").read_text().splitlines()[1:] if line.strip())
    lines = [
        "## OR-Library p-median",
        "",
        "| instance | nodes | p | optimum | search s | its gap | with HiGHS s | objective | bound |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, optimum in optima.items():
        matrix, p = read_pmed(folder / f"{name}.txt")
        tables = as_costs(matrix), as_demand(np.ones(len(matrix)))
        quick, quick_s = timed(lambda t=tables, p=p: ws.siting.p_median(*t, k=p, solver="heuristic", progress=False))
        best, best_s = timed(lambda t=tables, p=p: ws.siting.p_median(*t, k=p, progress=False))
        assert best.objective == float(optimum) == best.bound, name
        lines.append(
            f"| {name} | {len(matrix)} | {p} | {optimum} | {quick_s:.2f} | {quick.gap:.3%} | {best_s:.2f} | "
            f"{best.objective:.0f} | {best.bound:.0f} |"
        )
        print(lines[-1], flush=True)
    return [*lines, ""]


def plane(demands: int, sites: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Metres between random points of a square of ten kilometres, and people."""
    dice = np.random.default_rng(seed)
    homes, ends = dice.random((demands, 2)) * 10_000, dice.random((sites, 2)) * 10_000
    cost = np.round(np.linalg.norm(homes[:, None] - ends[None], axis=2))
    return cost, dice.integers(1, 200, demands).astype(float)


def beside_spopt(python: str) -> list[str]:
    """The same questions to spopt, which has to be equally good."""
    lines = [
        "## Beside spopt 0.8.0 with HiGHS, one thread, made-up planes",
        "",
        "| problem | demand × sites | k | spopt model s | spopt s | ours s | ratio | objective |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for kind, demands, sites, k, limit in [
        ("maximal_covering", 500, 100, 10, 1000.0),
        ("maximal_covering", 2000, 200, 20, 1000.0),
        ("p_median", 500, 100, 10, 0.0),
        ("p_median", 2000, 200, 20, 0.0),
    ]:
        cost, people = plane(demands, sites, seed=demands + sites)
        origin, site = np.nonzero(cost <= (limit or np.inf))
        costs = pl.DataFrame({"origin_id": origin, "site_id": site, "cost": cost[origin, site]})
        demand = pl.DataFrame({"origin_id": np.arange(demands), "people": people})
        if kind == "p_median":
            best, ours_s = timed(lambda c=costs, d=demand, k=k: ws.siting.p_median(c, d, k=k, progress=False))
        else:
            best, ours_s = timed(
                lambda c=costs, d=demand, k=k, r=limit: ws.siting.maximal_covering(c, d, k=k, limit=r, progress=False)
            )
        with tempfile.TemporaryDirectory() as folder:
            np.savez(Path(folder) / "given.npz", cost=cost, people=people)
            command = [python, "-c", PEER, kind, str(Path(folder) / "given.npz"), str(k), str(limit)]
            try:
                done = subprocess.run(
                    command, capture_output=True, text=True, check=True, env=clean(), timeout=PEER_MOST_S
                )
            except subprocess.TimeoutExpired:
                lines.append(
                    f"| {kind} | {demands:,} × {sites:,} | {k} | – | > {PEER_MOST_S} | {ours_s:.2f} | "
                    f"> {PEER_MOST_S / ours_s:.0f} | {best.objective:,.0f} (gap {best.gap:.2%}) |"
                )
                print(lines[-1], flush=True)
                continue
        theirs = json.loads(done.stdout.splitlines()[-1])
        chosen = cost[:, theirs["sites"]].min(axis=1)
        objective = float((people * chosen).sum() if kind == "p_median" else people[chosen <= limit].sum())
        assert abs(objective - best.objective) <= 1e-6 * objective, (kind, objective, best.objective)
        lines.append(
            f"| {kind} | {demands:,} × {sites:,} | {k} | {theirs['built_s']:.2f} | {theirs['seconds']:.2f} | "
            f"{ours_s:.2f} | {theirs['seconds'] / ours_s:.0f} | {best.objective:,.0f} |"
        )
        print(lines[-1], flush=True)
    return [*lines, ""]


def clean() -> dict[str, str]:
    """The environment without our own packages."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}


def large() -> list[str]:
    """A hundred thousand cells and five thousand candidates within a cut-off."""
    from scipy.spatial import cKDTree

    dice = np.random.default_rng(7)
    homes, ends = dice.random((100_000, 2)) * 10_000, dice.random((5_000, 2)) * 10_000
    near = cKDTree(ends).query_ball_point(homes, 600)
    origin = np.repeat(np.arange(len(homes)), [len(each) for each in near])
    site = np.concatenate([np.asarray(each, dtype=np.int64) for each in near])
    cost = np.round(np.linalg.norm(homes[origin] - ends[site], axis=1), 1)
    costs = pl.DataFrame({"origin_id": origin, "site_id": site, "cost": cost})
    demand = pl.DataFrame({"origin_id": np.arange(len(homes)), "people": dice.integers(1, 200, len(homes))})
    words = {"solver": "heuristic", "progress": False}

    def p_median(k: int) -> ws.Siting:
        return ws.siting.p_median(costs, demand, k=k, unserved_cost=1000, **words)

    def covering(k: int, limit: float) -> ws.Siting:
        return ws.siting.maximal_covering(costs, demand, k=k, limit=limit, **words)

    questions: list[tuple[str, float, Callable[[], ws.Siting]]] = [
        ("maximal covering, k 50, 600 m", 0.02, lambda: covering(50, 600)),
        ("maximal covering, k 50, 400 m", 0.02, lambda: covering(50, 400)),
        ("p-median, k 300, unserved 1,000 m", 0.02, lambda: p_median(300)),
        ("p-median, k 500, unserved 1,000 m", 0.02, lambda: p_median(500)),
        # As many catchments as would just tile the plane: the linear relaxation itself is weak.
        ("maximal covering, k 200, 400 m", 1.0, lambda: covering(200, 400)),
        ("p-median, k 100, unserved 1,000 m", 1.0, lambda: p_median(100)),
    ]
    lines = [
        f"## 100,000 cells × 5,000 candidates, {costs.height:,} pairs within 600 m, made up",
        "",
        "| question | s | objective | bound | gap |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, most, ask in questions:
        best, seconds = timed(ask)
        assert best.gap <= most, (name, best.gap)
        lines.append(f"| {name} | {seconds:.1f} | {best.objective:,.0f} | {best.bound:,.0f} | {best.gap:.2%} |")
        print(lines[-1], flush=True)
    return [*lines, ""]


if __name__ == "__main__":
    main()
