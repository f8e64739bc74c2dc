"""From one city to a province: the same bytes tile by tile, within how much memory, on how many workers, at what cost.

    python benches/nation.py province DATA RUN --nodes 10000000
    python benches/nation.py scaling DATA RUN --nodes 1000000
    python benches/nation.py spark DATA RUN --nodes 1000000
    python benches/nation.py cost DATA RUN
    python benches/nation.py summary DATA RUN

DATA is a folder for cities, results and working folders (tens of gigabytes); RUN gets a JSON for each part, and a
summary.md of all that are there. Every run is a process of its own, looked at from outside five times a second with all
that it began. Answers are compared before clocks are read: files by their bytes, run.json without seconds and memory.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import logging
import math
import multiprocessing
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, TypeAlias

import numpy
import polars as pl
from scipy.optimize import nnls

import walkshed as ws

TABLES = ("areas", "cells", "coverage", "facilities", "rejected", "times")
LOOK_S = 0.2
Begun: TypeAlias = "tuple[str, float, float]"
"""A stage, when it began, and the processor seconds of its process until then."""

PAGE, TICK = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Case:
    """A run. Its executor is that of `ws.run`; "whole" has none, "pool" gives each of its workers one thread, "alone"
    each tile a process of its own. It may use all cores, or those that are named.
    """

    study: str
    out: str
    executor: str = "whole"
    workers: int = 1
    memory_limit: str | None = None
    tile_resolution: int | None = None
    cores: list[int] | None = None
    kills: bool = False


def children(pid: int | str) -> list[int]:
    """Processes that a process began."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except OSError:
            continue
    return found


class Tree:
    """Memory and processor time of a process and all that it began, as they were at each look."""

    def __init__(self, pid: int) -> None:
        """Begin with a process."""
        self.pid = pid
        self.spent: dict[int, int] = {}
        self.peaks: dict[int, tuple[str, int]] = {}
        self.looks: list[tuple[float, int, int, float]] = []

    def look(self) -> None:
        """Keep the time, bytes in memory, those of them that are of no file, and processor seconds of all so far."""
        resident, anonymous, waiting = 0, 0, [self.pid]
        while waiting:
            pid = waiting.pop()
            try:
                pages = [int(word) for word in Path(f"/proc/{pid}/statm").read_text().split()]
                named, _, told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
            except OSError:
                continue
            resident, anonymous = resident + pages[1], anonymous + pages[1] - pages[2]
            self.spent[pid] = sum(map(int, told.split()[11:13]))
            name, peak = named.partition("(")[2], self.peaks.get(pid, ("", 0))[1]
            self.peaks[pid] = name, max(peak, pages[1] * PAGE)
            waiting += children(pid)
        self.looks.append((time.monotonic(), resident * PAGE, anonymous * PAGE, sum(self.spent.values()) / TICK))

    def peak_bytes(self, *, driver: bool) -> int:
        """Of the first process, or the largest of the others that are no machine of Java."""
        others = [peak for pid, (name, peak) in self.peaks.items() if pid != self.pid and name != "java"]
        return self.peaks[self.pid][1] if driver else max(others, default=0)

    def stages(self, begun: list[Begun]) -> dict[str, dict[str, float]]:
        """Seconds, processor seconds of all and of the first process, and peak memory of each stage."""
        found: dict[str, dict[str, float]] = {}
        for (name, since, driver_since), (_, until, driver_until) in itertools.pairwise(begun):
            stage = found.setdefault(
                name, dict.fromkeys(("times", "seconds", "cpu_s", "driver_cpu_s", "peak_bytes"), 0)
            )
            stage["times"] += 1
            stage["seconds"] += until - since
            stage["cpu_s"] += self._cpu_s(until) - self._cpu_s(since)
            stage["driver_cpu_s"] += driver_until - driver_since
            during = [resident for at, resident, _, _ in self.looks if since <= at <= until]
            stage["peak_bytes"] = max(stage["peak_bytes"], *during, 0)
        return found

    def _cpu_s(self, at: float) -> float:
        """Processor seconds until a moment between two looks."""
        before = max((look for look in self.looks if look[0] <= at), default=(at, 0, 0, 0.0))
        after = min((look for look in self.looks if look[0] > at), default=before)
        share = (at - before[0]) / (after[0] - before[0]) if after[0] > before[0] else 0.0
        return before[3] + share * (after[3] - before[3])


class Alone(Executor):
    """Each tile in a new process with one thread, so that what it takes is known; a line for each goes to a file."""

    def __init__(self, log: str) -> None:
        """Begin with an empty file."""
        self.log = log
        Path(log).write_text("")
        self.pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """See `concurrent.futures`."""
        return self.pool.submit(alone, self.log, fn, *args)


def alone(log: str, job: Any, key: str, threads: int) -> object:
    """Work on a tile, and keep what that took."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, began, cpu_s = memory("VmRSS"), time.perf_counter(), time.process_time()
    outcome = job(key, threads)
    took = {
        "stage": job.stage,
        "key": key,
        "seconds": time.perf_counter() - began,
        "cpu_s": time.process_time() - cpu_s,
        "bytes": memory("VmHWM") - before,
    }
    receipt = json.loads(outcome) if isinstance(outcome, bytes) else {}
    took |= {"network": receipt.get("network"), "wants": len(receipt.get("wants", []))}
    took["written"] = sum(file["bytes"] for file in receipt.get("files", []))
    with open(log, "a", encoding="utf-8") as lines:
        lines.write(json.dumps(took) + "\n")
    return outcome


def memory(what: str) -> int:
    """A line of this process's status, as bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(what))


class Killer:
    """Ends a worker once in each stage, in the midst of it."""

    def __init__(self) -> None:
        """Nobody is ended yet."""
        self.killed: list[dict[str, object]] = []

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Look whether it is time."""
        if stage in ("ground", "walk") and done >= 2 and stage not in {at["stage"] for at in self.killed}:
            for pid in children("self"):
                if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)
                    self.killed.append({"stage": stage, "done": done, "tiles": total, "pid": pid})
                    return


class Told(logging.Handler):
    """Keeps warnings."""

    def __init__(self) -> None:
        """None so far."""
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.lines.append(record.getMessage())


def now(stage: str) -> Begun:
    """That a stage begins."""
    return stage, time.monotonic(), time.process_time()


def inside(case: Case, answer: Path) -> None:
    """Run a case in this process, and write what only it knows."""
    begun: list[Begun] = []
    killer, told = Killer(), Told()
    logging.getLogger("walkshed").addHandler(told)

    def progress(stage: str, done: int, total: int) -> None:
        if not begun or begun[-1][0] != stage:
            begun.append(now(stage))
        if case.kills:
            killer(stage, done, total)

    if case.cores:
        os.sched_setaffinity(0, case.cores)
    begun.append(now("session"))
    executor = executor_of(case)
    begun.append(now("start"))
    tiles: dict[str, Any] = {}
    if case.executor != "whole":
        tiles = {"executor": executor, "tile_resolution": case.tile_resolution, "work": f"{case.out}.work"}
    ws.run(case.study, case.out, memory_limit=case.memory_limit, progress=progress, **tiles)
    begun.append(now("end"))
    if case.executor == "spark":
        executor.stop()
    answer.write_text(json.dumps({"begun": begun, "killed": killer.killed, "warnings": told.lines}), "utf-8")


def executor_of(case: Case) -> Any:
    """What `ws.run` is given."""
    match case.executor:
        case "processes":
            return "processes", case.workers
        case "pool":
            return ProcessPoolExecutor(case.workers, multiprocessing.get_context("spawn"))
        case "alone":
            return Alone(f"{case.out}.jobs")
        case "spark":
            from pyspark.sql import SparkSession

            builder = SparkSession.builder.master(f"local-cluster[{case.workers},1,2048]")
            return builder.config("spark.ui.enabled", "false").getOrCreate()
        case "threads":
            return "threads"
        case _:
            return None


def measure(case: Case) -> dict[str, Any]:
    """Run a case anew in a process of its own: seconds, memory, bytes of the working folder, hashes of the answers."""
    work, answer = Path(f"{case.out}.work"), Path(f"{case.out}.answer")
    for old in (Path(case.out), work):
        shutil.rmtree(old, ignore_errors=True)
    load = os.getloadavg()[0]
    tree = watch([sys.executable, __file__, "inside", json.dumps(asdict(case)), str(answer)])
    told = json.loads(answer.read_text("utf-8"))
    begun = told["begun"]
    seconds = begun[-1][1] - begun[1][1]
    print(f"{case}: {seconds:.1f} s", file=sys.stderr)
    return {
        "case": asdict(case) | {"study": Path(case.study).parent.name, "out": Path(case.out).name},
        "seconds": seconds,
        "cpu_s": tree.looks[-1][3],
        "peak_bytes": max(look[1] for look in tree.looks),
        "peak_anonymous_bytes": max(look[2] for look in tree.looks),
        "peak_driver_bytes": tree.peak_bytes(driver=True),
        "peak_worker_bytes": tree.peak_bytes(driver=False),
        "load": [load, os.getloadavg()[0]],
        "stages": tree.stages(begun),
        "killed": told["killed"],
        "warnings": told["warnings"],
        "work_bytes": sizes(work),
        "tiles": tiles(work),
        "answers": answers(Path(case.out)),
        "counts": counts(case),
    }


def watch(words: list[str]) -> Tree:
    """Run a command and look at it until it ends."""
    child = subprocess.Popen(words, env=os.environ | {"PYSPARK_PYTHON": sys.executable})
    tree = Tree(child.pid)
    while child.poll() is None:
        tree.look()
        time.sleep(LOOK_S)
    if child.returncode:
        raise RuntimeError(f"{words}: ended with {child.returncode}")
    return tree


def counts(case: Case) -> dict[str, int]:
    """How much there is of everything on which the cost may hang."""
    said = json.loads((Path(case.out) / "run.json").read_text("utf-8"))
    rows = {name.removesuffix(".parquet"): count for name, count in said["rows"].items()}
    network, profiles = said["network"], said["study"]["coverage"]["profiles"]
    areas = pl.read_parquet(said["study"]["areas"]["path"], columns=["level"])
    rows |= {"communities": areas.filter(level="community").height, "people": round(said["people"]["in_cells"])}
    return rows | {"nodes": network["nodes"], "edges": network["edges"], "profiles": len(profiles)}


def answers(out: Path) -> dict[str, str]:
    """Hashes of what a run says, without seconds and memory."""
    said = json.loads((out / "run.json").read_text())
    said = {name: value for name, value in said.items() if name not in ("seconds", "peak_memory_bytes")}
    hashes = {f"{name}.parquet": hash_of((out / f"{name}.parquet").read_bytes()) for name in TABLES}
    return hashes | {"run.json": hash_of(json.dumps(said, sort_keys=True).encode())}


def hash_of(data: bytes) -> str:
    """SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def sizes(folder: Path) -> dict[str, int]:
    """Bytes of a folder by the name of what lies in it."""
    found: dict[str, int] = defaultdict(int)
    for path in folder.rglob("*"):
        if path.is_file():
            found[path.relative_to(folder).parts[0]] += path.stat().st_size
    return dict(found)


def tiles(work: Path) -> list[dict[str, Any]]:
    """The tiles of a working folder with their last receipts."""
    if not work.is_dir():
        return []
    plan = json.loads((work / "plan.json").read_text())["plan"]
    found = []
    for tile in plan["tiles"]:
        row = {"key": tile["key"], "nodes": tile["nodes"], "round": tile["round"]}
        for stage in ("ground", "walk"):
            receipt = json.loads((work / "receipts" / stage / f"{tile['key']}.json").read_text())
            row[stage] = {name: receipt[name] for name in ("seconds", "peak_memory_bytes", "network")}
            row[stage]["written"] = sum(file["bytes"] for file in receipt["files"])
        found.append(row)
    return found


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Stop when two runs do not say the same."""
    differ = [name for name, value in one["answers"].items() if other["answers"][name] != value]
    if differ:
        raise AssertionError(f"{other['case']}: not the answers of {one['case']}: {', '.join(differ)}")


def of_run(part: str) -> dict[str, Any]:
    """What is kept beside figures: command, machine, commit, engine."""
    root = Path(__file__).resolve().parents[1]
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True).stdout
    (engine,) = Path(ws.__file__).parent.glob("_engine*.so")
    return {
        "command": " ".join(["python benches/nation.py", part, "DATA RUN", *sys.argv[4:]]),
        "machine": f"{os.cpu_count()} virtual cores ({platform.machine()})",
        "memory_gib": PAGE * os.sysconf("SC_PHYS_PAGES") >> 30,
        "python": platform.python_version(),
        "walkshed": ws.__version__,
        "commit": commit.strip(),
        "engine_sha256": hash_of(engine.read_bytes()),
        "began": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def city(data: Path, nodes: int) -> Path:
    """The study of a synthetic city, which is made where it is not there."""
    study = data / f"city-{nodes}" / "STUDY.toml"
    if not study.is_file():
        ws.synth(study.parent, nodes=nodes, seed=1, progress=False)
    return study


Runs: TypeAlias = "dict[str, dict[str, Any]]"


def compared(cases: dict[str, Case], keep: Callable[[Runs], None]) -> Runs:
    """Run cases, each of which has to say what the first says."""
    runs: Runs = {}
    for name, case in cases.items():
        runs[name] = measure(case)
        keep(runs)
        same(next(iter(runs.values())), runs[name])
        if len(runs) > 1:
            shutil.rmtree(case.out)
            shutil.rmtree(f"{case.out}.work")
    return runs


def province(data: Path, nodes: int, keep: Callable[[Runs], None]) -> Runs:
    """Whole, in 4 GB, and with workers that are killed."""
    study, limit = str(city(data, nodes)), "4 GB"
    out = f"{data}/province-{{}}".format
    runs = compared(
        {
            "whole": Case(study, out("whole")),
            "threads": Case(study, out("threads"), "threads", memory_limit=limit),
            "killed": Case(study, out("killed"), "processes", 2, memory_limit=limit, kills=True),
        },
        keep,
    )
    assert [at["stage"] for at in runs["killed"]["killed"]] == ["ground", "walk"], "nobody was killed"
    return runs


def scaling(data: Path, nodes: int, keep: Callable[[Runs], None]) -> Runs:
    """One worker and two, each with one thread; and what two runs that share nothing gain on this machine."""
    study = str(city(data, nodes))
    cases = {"whole": Case(study, f"{data}/scaling-whole")}
    for number in range(3):
        for workers in (1, 2):
            name = f"{workers} of {number}"
            cases[name] = Case(study, f"{data}/scaling-{workers}", "pool", workers, tile_resolution=5)
    runs = compared(cases, keep)
    runs["ceiling"] = ceiling(study, data)
    return runs


def ceiling(study: str, data: Path) -> dict[str, Any]:
    """Seconds of a whole run on one core, alone and beside another on the other core."""

    def run(core: int) -> subprocess.Popen[bytes]:
        case = Case(study, f"{data}/ceiling-{core}", cores=[core])
        words = [sys.executable, __file__, "inside", json.dumps(asdict(case)), f"{case.out}.answer"]
        return subprocess.Popen(words)

    def seconds(cores: tuple[int, ...]) -> list[float]:
        for child in [run(core) for core in cores]:
            assert child.wait() == 0
        told = [json.loads(Path(f"{data}/ceiling-{core}.answer").read_text("utf-8")) for core in cores]
        return [answer["begun"][-1][1] - answer["begun"][1][1] for answer in told]

    return {"alone": [seconds((0,)) for _ in range(3)], "beside": [seconds((0, 1)) for _ in range(3)]}


def on_spark(data: Path, nodes: int, keep: Callable[[Runs], None]) -> Runs:
    """Spark with two executors that are processes of their own, beside the others."""
    study = str(city(data, nodes))
    return compared(
        {
            "whole": Case(study, f"{data}/spark-whole"),
            "threads": Case(study, f"{data}/spark-threads", "threads", tile_resolution=5),
            "processes": Case(study, f"{data}/spark-processes", "processes", 2, tile_resolution=5),
            "spark": Case(study, f"{data}/spark-spark", "spark", 2, tile_resolution=5),
        },
        keep,
    )


FITTED = [(nodes, resolution) for nodes in (100_000, 300_000, 1_000_000) for resolution in (5, 6)]
CHECKED = [(nodes, resolution) for nodes in (200_000, 600_000) for resolution in (5, 6)]

# What is timed, by the names of progress; jobs of tiles are timed by themselves.
STAGES = {
    "survey": (
        "start",
        "checking",
        "splitting streets: ways",
        "splitting streets: nodes",
        "splitting streets: outlines",
    ),
    "cut": ("cutting the terrain", "splitting streets: tiles", "splitting streets: files"),
    "ground": ("ground",),
    "walk": ("walk",),
    "union": ("putting tiles together", "coverage", "writing"),
}

# On what each part of the cost hangs; `seen` are nodes with those around their tiles.
MODEL = {
    "survey": ("nodes",),
    "cut": ("seen", "tiles"),
    "ground": ("seen", "tiles"),
    "gather": ("cells", "facilities", "areas"),
    "walk": ("walked", "times", "tiles"),
    "union": ("times", "coverage"),
    "work_bytes": ("nodes", "seen", "times"),
    "result_bytes": ("times", "coverage"),
    "driver_bytes": ("one", "cells", "coverage"),
}
CPU = ("survey", "cut", "ground", "gather", "walk", "union")


def part_of(stage: str) -> str:
    """The part of the cost that a stage of progress belongs to; what is named nowhere is the gathering of people."""
    return next((part for part, names in STAGES.items() if stage.startswith(names)), "gather")


def cost(data: Path, nodes: int, keep: Callable[[Runs], None]) -> Runs:
    """Every tile in a process of its own, the driver on one core: cities, tiles of two sizes, other studies."""
    del nodes
    studies = {f"{nodes} res {resolution}": (city(data, nodes), resolution) for nodes, resolution in FITTED + CHECKED}
    studies |= {name: (study, 6) for name, study in variants(data).items()}
    runs: Runs = {}
    for name, (study, resolution) in studies.items():
        out = f"{data}/cost"
        whole = measure(Case(str(study), f"{out}-whole", cores=[0]))
        runs[name] = measure(Case(str(study), out, "alone", tile_resolution=resolution, cores=[0]))
        same(whole, runs[name])
        runs[name]["jobs"] = [json.loads(line) for line in Path(f"{out}.jobs").read_text().splitlines()]
        runs[name]["result_bytes"] = sum(sizes(Path(out)).values())
        runs[name]["whole"] = {what: whole[what] for what in ("seconds", "cpu_s", "peak_bytes")}
        keep(runs)
    return runs


def variants(data: Path) -> dict[str, Path]:
    """Studies of one city that differ in what grows with the city otherwise: facilities, cells, walkers."""
    base = city(data, 300_000)
    text = base.read_text("utf-8")
    ledger = base.parent / "facilities.half.parquet"
    pl.read_parquet(base.parent / "facilities.parquet").drop("geometry", strict=False)[::2].write_parquet(ledger)
    edits = {
        "half of the facilities": text.replace('"facilities.parquet"', f'"{ledger.name}"'),
        "cells of resolution 9": text.replace("resolution = 10", "resolution = 9"),
        "adults alone": text.replace('["adult", "senior"]', '["adult"]'),
    }
    for number, (name, edited) in enumerate(edits.items()):
        assert edited != text, name
        (base.parent / f"STUDY-{number}.toml").write_text(edited, "utf-8")
    return {name: base.parent / f"STUDY-{number}.toml" for number, name in enumerate(edits)}


def amounts(run: dict[str, Any]) -> dict[str, float]:
    """On what the cost of a run may hang."""
    seen = sum(tile["walk"]["network"][0] for tile in run["tiles"])
    counted = run["counts"]
    return counted | {"one": 1, "tiles": len(run["tiles"]), "seen": seen, "walked": seen * counted["profiles"]}


def took(run: dict[str, Any]) -> dict[str, float]:
    """What a run cost: core-seconds of each part, bytes."""
    found = dict.fromkeys(CPU, 0.0)
    for stage, spent in run["stages"].items():
        if part_of(stage) not in ("ground", "walk"):
            found[part_of(stage)] += spent["driver_cpu_s"]
    for job in run["jobs"]:
        found[job["stage"]] += job["cpu_s"]
    driver = max(spent["peak_bytes"] for stage, spent in run["stages"].items() if part_of(stage) != "ground")
    work = sum(run["work_bytes"].values())
    return found | {"work_bytes": work, "result_bytes": run["result_bytes"], "driver_bytes": driver}


Model: TypeAlias = "dict[str, dict[str, float]]"


def fitted(runs: list[dict[str, Any]]) -> Model:
    """Constants of the model, none below 0, which make the sum of squares of relative errors the least."""
    model = {}
    for part, terms in MODEL.items():
        told = [took(run)[part] for run in runs]
        rows = [[amounts(run)[term] / value for term in terms] for run, value in zip(runs, told, strict=True)]
        scale = numpy.max(rows, axis=0)
        found, _ = nnls(numpy.array(rows) / scale, numpy.ones(len(rows)))
        model[part] = dict(zip(terms, (found / scale).tolist(), strict=True))
    return model


def ground_around(runs: list[dict[str, Any]]) -> tuple[float, float]:
    """How many nodes tiles see beyond their own: so many times the root of nodes × tiles, and so many for each tile."""
    found = [amounts(run) for run in runs]
    rows = [[math.sqrt(it["nodes"] * it["tiles"]) / it["seen"], it["tiles"] / it["seen"]] for it in found]
    side, corner = nnls(numpy.array(rows), numpy.array([(it["seen"] - it["nodes"]) / it["seen"] for it in found]))[0]
    return float(side), float(corner)


def predicted(model: Model, it: dict[str, float]) -> dict[str, float]:
    """What the model says of a study."""
    return {part: sum(each * it[term] for term, each in terms.items()) for part, terms in model.items()}


def parts_s(run: dict[str, Any], what: str = "seconds") -> dict[str, float]:
    """Seconds of each part of a tiled run."""
    found = dict.fromkeys(CPU, 0.0)
    for stage, spent in run["stages"].items():
        if stage != "session":
            found[part_of(stage)] += spent[what]
    return found


def table(head: list[str], rows: list[list[object]]) -> str:
    """Markdown."""
    told = [
        [
            f"{cell:,.2f}" if isinstance(cell, float) else f"{cell:,}" if isinstance(cell, int) else str(cell)
            for cell in row
        ]
        for row in rows
    ]
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *told]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def columns(runs: Runs) -> str:
    """Runs side by side."""
    rows: list[list[object]] = [["seconds", *(run["seconds"] for run in runs.values())]]
    for part in CPU:
        told = [parts_s(run)[part] if run["tiles"] else "" for run in runs.values()]
        rows.append([f"… {SAID[part]}", *told])
    rows.append(["core-seconds", *(run["cpu_s"] for run in runs.values())])
    rows.append(["peak memory of all processes, GB", *(run["peak_bytes"] / 1e9 for run in runs.values())])
    rows.append(["… without pages of files, GB", *(run["peak_anonymous_bytes"] / 1e9 for run in runs.values())])
    rows.append(["… of the driver, GB", *(run["peak_driver_bytes"] / 1e9 for run in runs.values())])
    rows.append(["… of a worker, GB", *(run["peak_worker_bytes"] / 1e9 for run in runs.values())])
    rows.append(["working folder, GB", *(sum(run["work_bytes"].values()) / 1e9 for run in runs.values())])
    rows.append(["tiles", *(len(run["tiles"]) for run in runs.values())])
    rows.append(
        [
            "load of the machine, before and after",
            *(" ".join(f"{load:.1f}" for load in run["load"]) for run in runs.values()),
        ]
    )
    return table(["", *runs], rows)


SAID = {
    "survey": "streets read once",
    "cut": "streets and terrain cut",
    "ground": "networks of tiles",
    "gather": "people, facilities, areas",
    "walk": "walks of tiles",
    "union": "put together and written",
}


def of_province(runs: Runs) -> str:
    """The table of the province."""
    counted = runs["whole"]["counts"]
    killed = "; ".join(
        f"{at['stage']} when {at['done']} of {at['tiles']} tiles were done" for at in runs["killed"]["killed"]
    )
    return (
        f"{counted['nodes']:,} nodes, {counted['edges']:,} edges, {counted['facilities']:,} facilities, "
        f"{counted['cells']:,} cells, {counted['areas']:,} areas, {counted['times']:,} rows of times, "
        f"{counted['coverage']:,} rows of coverage. The six Parquet files of all "
        f"three runs are the same bytes, run.json the same but for seconds and memory.\n\n{columns(runs)}\n\n"
        f"Workers ended with SIGKILL: {killed}. What the log said: {' / '.join(runs['killed']['warnings'])}"
    )


def of_scaling(runs: Runs) -> str:
    """The table of one worker and two: medians of three."""
    told = {workers: [run for name, run in runs.items() if name.startswith(f"{workers} of")] for workers in (1, 2)}
    rows: list[list[object]] = []
    for part in ("all", *CPU):
        of = [[run["seconds"] if part == "all" else parts_s(run)[part] for run in told[workers]] for workers in (1, 2)]
        one, two = (statistics.median(seconds) for seconds in of)
        least = " / ".join(f"{min(seconds):.1f}..{max(seconds):.1f}" for seconds in of)
        rows.append([SAID.get(part, "all"), one, two, one / two, least])
    whole, alone, beside = runs["whole"], runs["ceiling"]["alone"], runs["ceiling"]["beside"]
    single = statistics.median(seconds for (seconds,) in alone)
    both = statistics.median(max(pair) for pair in beside)
    return (
        f"{whole['counts']['nodes']:,} nodes, {len(told[1][0]['tiles'])} tiles; each worker has one thread, the driver "
        "what is free. "
        f"As a whole, two threads: {whole['seconds']:.1f} s, {whole['cpu_s']:.1f} core-s.\n\n"
        + table(["medians of 3, seconds", "1 worker", "2 workers", "ratio", "least..most"], rows)
        + f"\n\nWhat this machine can give: the whole run on one core takes {single:.1f} s alone and {both:.1f} s "
        f"beside another on the other core, so two cores do {2 * single / both:.2f} times the work of one."
    )


def of_spark(runs: Runs) -> str:
    """The table of Spark beside a pool."""
    session = runs["spark"]["stages"]["session"]["seconds"]
    return (
        f"`local-cluster[2,1,2048]`, pyspark {metadata.version('pyspark')}: the same bytes. "
        f"Its session takes {session:.1f} s to begin, "
        f"which are not among the seconds; its memory has three Java machines in it.\n\n{columns(runs)}"
    )


TERMS = {
    "nodes": "node of the network",
    "seen": "node of a tile, those around it counted too",
    "walked": "node of a tile and profile",
    "tiles": "tile",
    "cells": "cell",
    "facilities": "facility",
    "areas": "area",
    "times": "row of times",
    "coverage": "row of coverage",
    "one": "run",
}


def of_cost(runs: Runs) -> str:
    """Constants of the model, how it fits, how it foretells what it was not fitted to, and what it says of a nation."""
    checked = {name: runs.pop(name) for name in [f"{nodes} res {resolution}" for nodes, resolution in CHECKED]}
    model, around, jobs = fitted(list(runs.values())), ground_around(list(runs.values())), of_jobs(runs)
    constants = [
        [
            SAID.get(part, part),
            *(f"{each * 1e6:,.2f} µs" if part in CPU else f"{each:,.1f} B",),
            f"for each {TERMS[term]}",
        ]
        for part, terms in model.items()
        for term, each in terms.items()
        if each
    ]
    constants += [
        [f"job of {stage}, memory", f"{each:,.0f} B", f"for each {TERMS[term]}"]
        for stage, told in jobs.items()
        for term, each in told.items()
    ]
    return "\n\n".join(
        [
            "Core-seconds of one thread; bytes. Least squares of relative errors, no constant below 0; "
            "a part is the sum of its lines.",
            table(["part", "constant", ""], constants),
            f"Tiles see `nodes + {around[0]:.2f} × sqrt(nodes × tiles) + {around[1]:.0f} × tiles` nodes.",
            "How it fits what it was fitted to:",
            table(["run", *HEAD], [compare(name, run, model, around) for name, run in runs.items()]),
            "How it foretells cities that it was not fitted to (foretold / measured):",
            table(["run", *HEAD], [compare(name, run, model, around) for name, run in checked.items()]),
            nation(runs["1000000 res 5"], model, around),
        ]
    )


HEAD = [*CPU, "all core-s", "error", "work GB", "driver GB"]


def compare(name: str, run: dict[str, Any], model: Model, around: tuple[float, float]) -> list[object]:
    """A line: foretold / measured."""
    it, told = amounts(run), took(run)
    said = predicted(model, with_ground(it, around))
    both = [f"{said[part]:.1f} / {told[part]:.1f}" for part in CPU]
    all_said, all_told = (sum(each[part] for part in CPU) for each in (said, told))
    sizes = [f"{said[what] / 1e9:.2f} / {told[what] / 1e9:.2f}" for what in ("work_bytes", "driver_bytes")]
    return [name, *both, f"{all_said:.1f} / {all_told:.1f}", f"{100 * (all_said / all_told - 1):+.0f} %", *sizes]


def with_ground(it: dict[str, float], around: tuple[float, float]) -> dict[str, float]:
    """What tiles see, as it is foretold from nodes and tiles alone."""
    seen = it["nodes"] + around[0] * math.sqrt(it["nodes"] * it["tiles"]) + around[1] * it["tiles"]
    return it | {"seen": seen, "walked": seen * it["profiles"]}


def of_jobs(runs: Runs) -> dict[str, dict[str, float]]:
    """Memory of a job: so much at least, and so much for each node that its tile sees."""
    found = {}
    for stage in ("ground", "walk"):
        done = [job for run in runs.values() for job in run["jobs"] if job["stage"] == stage and job["network"][0]]
        rows = numpy.array([[1 / job["bytes"], job["network"][0] / job["bytes"]] for job in done])
        found[stage] = dict(zip(("one", "seen"), nnls(rows, numpy.ones(len(done)))[0].tolist(), strict=True))
    return found


# Extrapolated: a nation is taken for synthetic cities side by side, of which only the size is scaled.
COMMUNITIES, TOWNSPEOPLE = 116_000, 943_500_000


def nation(like: dict[str, Any], model: Model, around: tuple[float, float]) -> str:
    """What a nation would take, by two ways to tell how large it is."""
    it, rows = amounts(like), []
    for name, times in {
        f"{COMMUNITIES:,} urban communities": COMMUNITIES / like["counts"]["communities"],
        f"{TOWNSPEOPLE:,} people in towns": TOWNSPEOPLE / like["counts"]["people"],
    }.items():
        whole = with_ground(
            {what: count * (1 if what in ("one", "profiles") else times) for what, count in it.items()}, around
        )
        said = predicted(model, whole)
        serial = sum(said[part] for part in ("survey", "cut", "gather", "union"))
        spread = said["ground"] + said["walk"]
        gigabytes = [said[what] / 1e9 for what in ("work_bytes", "result_bytes", "driver_bytes")]
        hours = [(serial + spread / workers) / 3600 for workers in (1, 16, 100)]
        rows.append(
            [
                name,
                f"{whole['nodes'] / 1e6:.0f} M",
                f"{whole['tiles']:,.0f}",
                serial / 3600,
                spread / 3600,
                *hours,
                *gigabytes,
            ]
        )
    head = ["a nation as large as", "nodes", "tiles", "driver, core-h", "tiles, core-h", "1 worker, h", "16 workers, h"]
    return f"**Extrapolation**, not run: {ASSUMED}\n\n" + table(
        [*head, "100 workers, h", "working folder GB", "results GB", "driver GB"], rows
    )


ASSUMED = (
    "a nation is as many synthetic cities of 1,000,000 nodes as have so many communities, or so many people, and as "
    "dense; tiles of resolution 5, two profiles, 30 classes, 8 groups, 3 limits, everything in proportion. 116,000 "
    "urban communities is the number that this project works with; 943.5 million people in towns at the end of 2024 "
    "are those that the National Bureau of Statistics told on 17 January 2025, as newspapers repeat it. The driver is "
    "taken for one core, and storage for as quick as the local disk here."
)


def summary(run: Path) -> str:
    """All parts that are there, as Markdown."""
    told = ["# From one city to a province", ""]
    for part, (title, say) in SUMMARIES.items():
        path = run / f"{part}.json"
        if path.is_file():
            kept = json.loads(path.read_text("utf-8"))
            about = f"`{kept['command']}`, {kept['began']}, commit {kept['commit'][:7]}, "
            about += f"engine {kept['engine_sha256'][:12]}; "
            about += f"{kept['machine']}, {kept['memory_gib']} GiB, Python {kept['python']}."
            told += [f"## {title}", "", about, "", say(kept["runs"]), ""]
    return "\n".join(told)


SUMMARIES = {
    "province": ("A province, SYNTHETIC", of_province),
    "scaling": ("One worker and two", of_scaling),
    "spark": ("Executors, Spark too", of_spark),
    "cost": ("What it costs", of_cost),
}
PARTS = {"province": province, "scaling": scaling, "spark": on_spark, "cost": cost}


def main() -> None:
    """Run a part, or sum up."""
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=[*PARTS, "summary"])
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--nodes", type=int)
    options = parser.parse_args()
    options.run.mkdir(parents=True, exist_ok=True)
    if options.part == "summary":
        (options.run / "summary.md").write_text(summary(options.run), "utf-8")
        return
    options.data.mkdir(parents=True, exist_ok=True)
    about = of_run(options.part)

    def keep(runs: Runs) -> None:
        text = json.dumps(about | {"runs": runs}, indent=1)
        (options.run / f"{options.part}.json").write_text(text + "\n", "utf-8")

    keep(PARTS[options.part](options.data.resolve(), options.nodes, keep))


if __name__ == "__main__":
    if sys.argv[1] == "inside":
        inside(Case(**json.loads(sys.argv[2])), Path(sys.argv[3]))
    else:
        main()
