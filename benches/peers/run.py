"""All jobs by all peers and by us on one city, and our growth with its size: one command, raw figures and a summary.

    python run.py OUT --jobs PATH/TO/jobs [--graphways PATH/TO/graphways-peer] [--growth] [--skip pandana,networkx]

OUT gets raw.csv, summary.md and growth.png. Answers are compared before any clock is looked at: a peer whose answer
differs from ours is listed with the difference, and has no time. Needs the packages of requirements.txt. Cities are
made in OUT/city-* and deleted again.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
CHECKED, CLASSES, MATRIX = 200, 30, 1000
# Sums in another order differ by rounding; those in single precision by so much at most.
EQUAL, SINGLE = 1e-12, 1e-6
# Peer, job, and how many of what it goes through one by one are done (0 for all): the whole of some would take hours.
ASKED = [
    ("scipy", "J1", 0), ("scipy", "J2", 300), ("scipy", "J3", 300),
    ("networkx", "J1", 3), ("networkx", "J2", 4000), ("networkx", "J3", 4000),
    ("networkit", "J1", 3),
    ("pandana", "J1", 0), ("pandana", "J2", 0), ("pandana", "J3", 0),
    ("networkx", "2SFCA", 0), ("pandana", "2SFCA", 0),
    ("scipy", "J5", 10), ("networkit", "J5", 10),
    ("h3", "J7-points", 0), ("h3-numbers", "J7-points", 0), ("h3ronpy", "J7-points", 0), ("polars-h3", "J7-points", 0),
    ("h3", "J7-polygons", 0), ("h3-numbers", "J7-polygons", 0), ("h3ronpy", "J7-polygons", 0),
]  # fmt: skip
# What is asked of us beside the jobs whose growth is looked at.
ALONE = "2SFCA,J4,J5,J7-points,J7-polygons"
GROWTH_SIDES, FACILITIES_PER_NODE = (173, 316, 548, 1000, 1732), 0.086


def lines(command: list[str], environment: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """Run a command; the JSON that it prints. Some peers print other things before it, on the same line too."""
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(environment or {})})
    if done.returncode:
        print(f"{' '.join(command)}: {done.stderr[-500:]}", file=sys.stderr)
        return []
    starts = (line.find('{"peer"') for line in done.stdout.splitlines())
    found = [line[at:] for at, line in zip(starts, done.stdout.splitlines(), strict=True) if at >= 0]
    return [json.loads(line) for line in found]


def city(folder: Path, side: int) -> Path:
    """Make a city."""
    facilities = str(round(side * side * FACILITIES_PER_NODE))
    command = [sys.executable, str(HERE / "city.py"), str(folder), "--side", str(side), "--facilities", facilities]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


class Ours:
    """Our answers on a city, for the nodes that peers are checked at."""

    def __init__(self, jobs: Path, where: Path, nodes: int) -> None:
        """Do all jobs once and keep the answers."""
        answers = where / "answers"
        answers.mkdir()
        ask = ["--jobs", f"J1,J1-nodes,J2,J3,{ALONE}", "--threads", "1", "--repeat", "1"]
        self.rows = lines([str(jobs), str(where), *ask, "--answers", str(answers)])
        self.nodes = np.sort(np.random.default_rng(5).choice(nodes, CHECKED, replace=False))
        self.times = np.fromfile(answers / "J1-nodes.u32", "<u4").reshape(nodes, CLASSES)[self.nodes]
        self.full = np.fromfile(answers / "J1.u32", "<u4").reshape(nodes, CLASSES)[self.nodes]
        self.counts = np.fromfile(answers / "J2.u32", "<u4").reshape(nodes, CLASSES, 3)[self.nodes]
        high, low = np.fromfile(answers / "J3.u32", "<u4")
        self.pairs = (int(high) << 32) + int(low)
        self.sums = {row["job"]: row["sum"] for row in self.rows}
        self.columns = np.fromfile(answers / "J5.u32", "<u4").reshape(MATRIX, MATRIX).sum(axis=0, dtype=np.int64)
        self.access = np.fromfile(answers / "2SFCA.f64", "<f8")[self.nodes]
        shutil.rmtree(answers)

    def verdict(self, found: dict[str, Any]) -> str:
        """How a peer's answer differs from ours; "not checked" where its sample holds none of the checked nodes."""
        answer = found["answer"]
        if answer.get("times"):
            own = [None if time == 2**32 - 1 else int(time) for time in self.times.ravel()]
            pairs = [(a, b) for a, b in zip(own, answer["times"], strict=True) if b != "not done"]
            wrong = sum(a != b for a, b in pairs)
            return "equal" if not wrong else f"{wrong} of {len(pairs)} times differ"
        if answer.get("counts"):
            wrong = int((self.counts.ravel() != np.array(answer["counts"])).sum())
            return "equal" if not wrong else f"{wrong} of {self.counts.size} counts differ"
        if answer.get("access"):
            apart = np.abs(np.array(answer["access"]) - self.access) / np.maximum(self.access, 1e-300)
            worst = float(apart.max())
            return "equal" if worst < EQUAL else f"within {worst:.0e}" if worst < SINGLE else f"differs by {worst:.0e}"
        if answer.get("columns"):
            wrong = sum(self.columns[int(column)] != total for column, total in answer["columns"].items())
            return "equal" if not wrong else f"{wrong} of {len(answer['columns'])} columns differ"
        if "cells" in answer:
            return "equal" if answer["cells"] == self.sums[found["job"]] else "other cells"
        if "pairs" in answer:
            same = (answer["pairs"], answer["time_ds"]) == (self.pairs, self.sums["J3"])
            return (
                "equal"
                if same
                else f"{answer['pairs'] - self.pairs:+} pairs, {answer['time_ds'] - self.sums['J3']:+} ds"
            )
        return "not checked"


def compare(options: argparse.Namespace, rows: list[dict[str, Any]]) -> list[str]:
    """Ask everybody; the table of the summary."""
    where = city(options.out / "city-peers", options.side)
    nodes = options.side * options.side
    ours = Ours(options.jobs, where, nodes)
    assert np.array_equal(ours.times, ours.full), "our two ways to the nearest must agree"
    clocks = [
        row
        for threads in (1, 2)
        for row in lines(
            [
                str(options.jobs),
                str(where),
                "--threads",
                str(threads),
                "--repeat",
                "5",
                "--jobs",
                f"{options.ask},{ALONE}",
            ]
        )
    ]
    rows.extend(row | {"verdict": "ours"} for row in clocks)
    found = []
    for peer, job, sample in ASKED:
        if not {peer, f"{peer}:{job}"} & set(options.skip.split(",")):
            ask = ["--peer", peer, "--job", job, "--sample", str(sample)]
            found.extend(lines([sys.executable, str(HERE / "peers.py"), str(where), *ask]))
            print(f"{peer} {job} done", file=sys.stderr)
    if options.graphways:
        found.extend(lines([str(options.graphways), "pairs", str(where)]))
    for row in found:
        row["verdict"] = ours.verdict(row)
        rows.append(row)
    shutil.rmtree(where)
    return table(clocks, found)


def median(clocks: list[dict[str, Any]], job: str, threads: int, what: str) -> float:
    """Median of our runs of a job."""
    return statistics.median(row[what] for row in clocks if row["job"] == job and row["threads"] == threads)


def table(clocks: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[str]:
    """Our seconds, and every peer's beside them."""
    text = [
        "| job | wall s, 1 thread | wall s, 2 threads | 2 threads are faster by | CPU s, 1 thread |",
        "|---|---|---|---|---|",
    ]
    for job in dict.fromkeys(row["job"] for row in clocks):
        one, two = (median(clocks, job, threads, "query_s") for threads in (1, 2))
        text.append(
            f"| {job} | {one:.3f} | {two:.3f} | {one / two:.2f} × | {median(clocks, job, 1, 'query_cpu_s'):.2f} |"
        )
    text += [
        "",
        "| job | peer | answer | CPU s | of making ready | share done | our CPU s | ratio |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in sorted(found, key=lambda row: (row["job"], row["query_cpu_s"])):
        own = median(clocks, "J1-nodes" if row["job"] == "J1" else row["job"], 1, "query_cpu_s")
        ratio = (
            f"{row['query_cpu_s'] / own:.0f} ×"
            if row["verdict"].startswith(("equal", "not checked", "within"))
            else "–"
        )
        cells = [row["job"], row["peer"], row["verdict"], f"{row['query_cpu_s']:.1f}", f"{row['ready_cpu_s']:.1f}"]
        text.append(f"| {' | '.join(cells)} | {row['share']:.3f} | {own:.2f} | {ratio} |")
    return text


def growth(options: argparse.Namespace, rows: list[dict[str, Any]]) -> list[str]:
    """Our seconds by the size of the city; the table, and a plot."""
    seconds: dict[tuple[str, int], dict[int, float]] = {}
    for side in GROWTH_SIDES:
        where = city(options.out / f"city-{side}", side)
        for threads in (1, 2):
            ask = ["--threads", str(threads), "--repeat", "3", "--jobs", options.ask]
            clocks = lines([str(options.jobs), str(where), *ask])
            rows.extend(row | {"verdict": "growth"} for row in clocks)
            for job in dict.fromkeys(row["job"] for row in clocks):
                seconds.setdefault((job, threads), {})[side * side] = median(clocks, job, threads, "query_s")
        shutil.rmtree(where)
        print(f"{side * side} nodes done", file=sys.stderr)
    sizes = [side * side for side in GROWTH_SIDES]
    text = [
        f"| job | threads | {' | '.join(f'{size:,}' for size in sizes)} | exponent |",
        "|---|---|" + "---|" * (len(sizes) + 1),
    ]
    for (job, threads), of in sorted(seconds.items()):
        exponent = np.polyfit([math.log(size) for size in of], [math.log(second) for second in of.values()], 1)[0]
        cells = " | ".join(f"{of[size]:.3f}" if size in of else "" for size in sizes)
        text.append(f"| {job} | {threads} | {cells} | {exponent:.2f} |")
    plot(options.out / "growth.png", seconds)
    return text


def plot(path: Path, seconds: dict[tuple[str, int], dict[int, float]]) -> None:
    """Seconds against nodes, both logarithmic, with the slope of n log n beside them."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 5), layout="constrained")
    jobs = list(dict.fromkeys(job for job, _ in seconds))
    for (job, threads), of in sorted(seconds.items()):
        style = {"marker": "o", "markersize": 4, "linestyle": "-" if threads == 1 else "--"}
        axes.plot(
            list(of), list(of.values()), color=f"C{jobs.index(job)}", label=f"{job}, {threads} thread(s)", **style
        )
    size = np.array(sorted({size for of in seconds.values() for size in of}), float)
    slope = size * np.log(size)
    axes.plot(
        size, slope / slope[-1] * max(max(of.values()) for of in seconds.values()) * 1.6, color="0.6", label="n log n"
    )
    axes.set(xscale="log", yscale="log", xlabel="nodes", ylabel="seconds")
    axes.legend(fontsize=8, ncols=2)
    axes.grid(which="both", alpha=0.25)
    figure.savefig(path, dpi=120)


def write_raw(path: Path, rows: list[dict[str, Any]]) -> None:
    """Every run, one row each."""
    names = list(dict.fromkeys(name for row in rows for name in row if name != "answer"))
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, names, extrasaction="ignore")
        out.writeheader()
        out.writerows(rows)


def main() -> None:
    """Ask everybody, and write it down."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--jobs", type=Path, required=True, help="the engine's program of that name")
    parser.add_argument("--graphways", type=Path)
    parser.add_argument("--side", type=int, default=1000)
    parser.add_argument("--ask", default="J1,J1-nodes,J2,J3", help="our jobs")
    parser.add_argument("--skip", default="", help="peers that are not asked, or their jobs: pandana,scipy:J2")
    parser.add_argument("--growth", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE
    ).stdout.strip()
    command = " ".join(["run.py", *(word.rsplit("/", 1)[-1] for word in sys.argv[1:])])
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    text = [
        "# Other programs on the same questions",
        "",
        f"Commit {commit}; {machine}; `{command}`.",
        "",
        *compare(options, rows),
    ]
    if options.growth:
        text += ["", *growth(options, rows), "", "![growth](growth.png)"]
    write_raw(options.out / "raw.csv", rows)
    (options.out / "summary.md").write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
