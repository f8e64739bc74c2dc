"""Who works on tiles: every receipt comes, whoever dies; what is refused is told; Ctrl-C ends all of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from tile_worker import FakeJob, Work, alive, keys_of

import walkshed as ws
from walkshed import _engine, cli, formats, tiled
from walkshed.executors import MOST_LOSSES, Given, Processes, Threads, Workers, cores

KEYS = [f"tile{number}" for number in range(8)]
LIMIT_S = 0.5
"""What is promised of Ctrl-C. A busy machine gets twice as long."""


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


@pytest.fixture(params=["threads", "processes", "a pool of threads", "a pool of processes"])
def workers(request: pytest.FixtureRequest) -> Generator[Workers, None, None]:
    if request.param in ("threads", "processes"):
        yield Threads() if request.param == "threads" else Processes(2)
        return
    pool = ThreadPoolExecutor(2) if "threads" in request.param else ProcessPoolExecutor(2, get_context("spawn"))
    with pool:
        yield Given(pool)


def test_every_tile_has_a_receipt_whoever_works(workers: Workers, work: Work) -> None:
    told: list[int] = []
    receipts = list(workers.receipts(work.job, KEYS, told.append))
    assert sorted(keys_of(receipts)) == KEYS
    assert all(work.begun(key) == 1 for key in KEYS)
    assert told == sorted(told) and told[0] == 0 and told[-1] < len(KEYS)
    assert list(workers.receipts(work.job, [], told.append)) == []
    assert len(keys_of(list(workers.receipts(work.job, KEYS[:1], told.append)))) == 1, "works a second time"


def test_workers_share_the_cores(work: Work) -> None:
    def threads(workers: Workers) -> set[int]:
        return {json.loads(receipt)["threads"] for receipt in workers.receipts(work.job, KEYS[:2], print)}

    assert threads(Threads()) == {cores()}
    assert threads(Processes(2)) == {max(1, cores() // 2)}
    assert threads(Processes(cores() + 1)) == {1}
    with ThreadPoolExecutor(1) as pool:
        assert threads(Given(pool)) == {1}
    assert (Threads().parallel, Processes(3).parallel) == (1, 3)


def test_the_first_refusal_by_the_order_of_tiles_is_told(workers: Workers, work: Work) -> None:
    """The second of two that are refused may well be so before the first; what comes later is not begun."""
    work.fate(tile0="slowrefuse 30", tile1="refuse", tile7="refuse")
    with pytest.raises(ws.InputError, match="tile0: refused") as refused:
        list(workers.receipts(work.job, KEYS, lambda done: None))
    assert refused.value.problems == [{"file": "tile0", "reason": "memory"}]
    if not isinstance(workers, Given):
        assert work.begun("tile2") <= 1 and not any(map(work.begun, KEYS[3:]))


def test_what_is_done_before_a_refusal_is_not_lost(work: Work) -> None:
    work.fate(tile5="refuse")
    done: list[bytes] = []
    with pytest.raises(ws.InputError, match="tile5"):
        for receipt in Processes(2).receipts(work.job, KEYS, lambda done: None):
            done.append(receipt)
    assert set(keys_of(done)) >= set(KEYS[:5])


def test_an_error_of_the_system_stops_the_work(workers: Workers, work: Work) -> None:
    work.fate(tile1="fail")
    with pytest.raises(OSError, match="no space left"):
        list(workers.receipts(work.job, KEYS, lambda done: None))


def test_an_exception_in_the_progress_stops_the_work(workers: Workers, work: Work) -> None:
    class EnoughError(Exception):
        pass

    def enough(done: int) -> None:
        if done >= 2:
            raise EnoughError

    work.fate(**dict.fromkeys(KEYS, "slow 20"))
    with pytest.raises(EnoughError):
        list(workers.receipts(work.job, KEYS, enough))
    assert sum(map(work.begun, KEYS)) < len(KEYS) or isinstance(workers, Given)


@pytest.mark.parametrize("times", [1, 2])
def test_a_killed_worker_loses_nothing(work: Work, times: int, caplog: pytest.LogCaptureFixture) -> None:
    work.fate(tile3=f"kill {times}", **{key: "slow 10" for key in KEYS if key != "tile3"})
    receipts = keys_of(list(Processes(2).receipts(work.job, KEYS, lambda done: None)))
    assert sorted(receipts) == KEYS, "each once"
    assert work.begun("tile3") == times + 1
    assert "tile3" in caplog.text and "begun again" in caplog.text
    assert not any(map(alive, work.workers() - {os.getpid()}))


def test_a_killer_comes_last_and_is_named(work: Work) -> None:
    work.fate(tile0="kill 99")
    done: list[bytes] = []
    with pytest.raises(ws.WorkerError, match=r"tile0.*ended 3 times.*--tile-resolution.*图块") as given_up:
        for receipt in Processes(2).receipts(work.job, KEYS, lambda done: None):
            done.append(receipt)
    assert given_up.value.tiles == ["tile0"] and work.begun("tile0") == MOST_LOSSES
    assert sorted(keys_of(done)) == KEYS[1:], "all others are done"


def test_a_broken_executor_of_the_users_is_told(work: Work) -> None:
    work.fate(tile0="kill 99")
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        with pytest.raises(ws.WorkerError, match="the executor broke") as broken:
            list(Given(pool).receipts(work.job, KEYS, lambda done: None))
        assert "tile0" in broken.value.tiles
        with pytest.raises(ws.WorkerError, match="the executor broke"):
            list(Given(pool).receipts(work.job, KEYS, lambda done: None))


class ByThread(Executor):
    """An executor that knows nothing but `submit`, as those of clusters."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        future = Future[Any]()
        future.set_result(function(*arguments, **named))
        return future


def test_an_executor_needs_no_more_than_submit(work: Work) -> None:
    assert keys_of(list(Given(ByThread()).receipts(work.job, KEYS, print))) == KEYS


STOPPED = """
import os, signal, sys, threading, time
from pathlib import Path
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from tile_worker import FakeJob, Work
from walkshed.executors import Given, Processes, Threads

def press(work, how):
    while not list(work.folder.glob("begun-*")):
        time.sleep(0.01)
    time.sleep(0.3)
    print(time.time(), flush=True)
    os.killpg(0, signal.SIGINT) if how == "group" else os.kill(os.getpid(), getattr(signal, how))

if __name__ == "__main__":
    work, name, how = Work(Path(sys.argv[1])), sys.argv[2], sys.argv[3]
    threading.Thread(target=press, args=(work, how), daemon=True).start()
    keys = [f"tile{number}" for number in range(8)]
    workers = Threads() if name == "threads" else Processes(2)
    try:
        list(workers.receipts(work.job, keys, lambda done: None))
    except KeyboardInterrupt:
        print("stopped", time.time(), flush=True)
"""


def stopped(work: Work, name: str, how: str) -> tuple[float, float, set[int], str]:
    """When a script that works on long tiles was stopped, when it ended, its workers, and what it complained of."""
    work.fate(**dict.fromkeys(KEYS, "slow 1000"))
    script = work.folder / "stopped.py"
    script.write_text(STOPPED)
    command = [sys.executable, script, work.folder, name, how]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    told, complained = process.communicate(timeout=60)
    lines = told.split()
    ended = float(lines[2]) if "stopped" in lines else time.time()
    return float(lines[0]), ended, work.workers() - {process.pid}, complained


@pytest.mark.parametrize("how", ["SIGINT", "group"])
@pytest.mark.parametrize("name", ["threads", "processes"])
def test_ctrl_c_ends_the_work_within_half_a_second(work: Work, name: str, how: str) -> None:
    """Pressed at a terminal it reaches the whole group; from elsewhere only this process."""
    pressed, ended, others, complained = stopped(work, name, how)
    print(f"{name} stopped {ended - pressed:.3f} s after Ctrl-C")
    assert ended - pressed < 2 * LIMIT_S and complained == ""
    assert len(others) == (0 if name == "threads" else 2) and not any(map(alive, others))


def test_workers_end_with_a_parent_that_is_killed(work: Work) -> None:
    _, _, others, _ = stopped(work, "processes", "SIGKILL")
    assert len(others) == 2
    until = time.monotonic() + 5
    while any(map(alive, others)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(map(alive, others))


def test_a_script_without_its_guard_is_told_of_it(work: Work) -> None:
    """A spawned worker runs the script again, up to the guard."""
    script = work.folder / "bare.py"
    script.write_text(
        f"from tile_worker import FakeJob\nfrom walkshed.executors import Processes\n"
        f"list(Processes(1).receipts(FakeJob({str(work.folder)!r}), ['tile0'], print))\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert done.returncode == 1 and "WorkerError: no worker process starts" in done.stderr
    assert '__name__ == "__main__"' in done.stderr.splitlines()[-1]


def test_what_an_argument_means() -> None:
    assert tiled.chosen(None) == tiled.chosen("threads") == Threads()
    assert tiled.chosen("processes") == Processes(cores()) and tiled.chosen(("processes", 3)) == Processes(3)
    with ThreadPoolExecutor(1) as pool:
        assert tiled.chosen(pool) == Given(pool)
    for wrong in ("dask", ("threads", 2), ("processes", "2"), 4):
        with pytest.raises(ValueError, match='use "threads", "processes", "spark"'):
            tiled.chosen(wrong)
    with pytest.raises(ValueError, match="0 workers"):
        tiled.chosen(("processes", 0))


class FakeRun:
    """The driver's side without an engine: one stage after the other, some tiles of them twice."""

    stages: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("network", ("a", "b", "c")),
        ("network", ("b",)),
        ("times", ("a", "b", "c")),
    )
    doubtful: tuple[str, ...] = ()

    def __init__(self, study: str, work: str, tables: list[Any], **options: Any) -> None:
        self.folder, self.options, self.summary = Path(work), options, "{}"
        self.folder.mkdir(exist_ok=True)
        self.left = [(stage, list(keys)) for stage, keys in self.stages]
        self.doubts = list(self.doubtful)
        self.accepted: list[tuple[str, str]] = []

    def stage(self) -> tuple[str, list[str]] | None:
        while self.left and not self.left[0][1]:
            self.left.pop(0)
        return (self.left[0][0], list(self.left[0][1])) if self.left else None

    def accept(self, stage: str, receipt: bytes) -> None:
        key = json.loads(receipt)["key"]
        if key in self.doubts:
            self.doubts.remove(key)
            raise ValueError(f"{key}: the file is not there")
        self.left[0][1].remove(key)
        self.accepted.append((stage, key))

    def finish(self, out: str) -> str:
        Path(out).mkdir()
        return json.dumps({"accepted": self.accepted, **self.options, "report": None})


@pytest.fixture
def fake_engine(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int]]:
    """Put a run of tiles in place of the engine's; the jobs that were done."""
    done: list[tuple[str, str, int]] = []

    def tile_job(work: str, stage: str, key: str, threads: int, report: object) -> bytes:
        done.append((stage, key, threads))
        return json.dumps({"key": key}).encode()

    monkeypatch.setattr(_engine, "TiledRun", FakeRun, raising=False)
    monkeypatch.setattr(_engine, "tile_job", tile_job, raising=False)
    monkeypatch.setattr(formats, "for_study", lambda path: [])
    return done


def test_stage_after_stage_is_worked_off(fake_engine: list[tuple[str, str, int]], tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    out = tmp_path / "out"
    result = ws.run(
        "STUDY.toml",
        out,
        executor="threads",
        memory_limit="2 GB",
        tile_resolution=6,
        progress=lambda *state: told.append(state),
    )
    expected = [(stage, key) for stage, keys in FakeRun.stages for key in keys]
    assert [tuple(each) for each in result.report["accepted"]] == expected
    assert [job[:2] for job in fake_engine] == expected and {job[2] for job in fake_engine} == {cores()}
    options = {key: result.report[key] for key in ("memory_limit", "tile_resolution", "parallel")}
    assert options == {"memory_limit": 2 * 10**9, "tile_resolution": 6, "parallel": 1}
    assert ("network", 2, 3) in told and ("times", 0, 3) in told
    assert [path.name for path in tmp_path.iterdir()] == ["out"], "the working folder is taken away"


def test_a_receipt_that_does_not_hold_comes_again(
    fake_engine: list[tuple[str, str, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeRun, "doubtful", ("c", "a"))
    ws.run("STUDY.toml", tmp_path / "out", executor="threads", progress=False)
    network = [key for stage, key, _ in fake_engine if stage == "network"]
    assert network == ["a", "b", "c", "a", "c", "b"]


def test_receipts_of_which_none_holds_stop_the_work(
    fake_engine: list[tuple[str, str, int]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(FakeRun, "doubtful", ("a", "a"))
    with pytest.raises(ValueError, match="a: the file is not there"):
        ws.run("STUDY.toml", tmp_path / "out", executor="threads", progress=False)
    assert (tmp_path / "out.work").is_dir() and not (tmp_path / "out").exists()
    assert "the same call goes on" in caplog.text and "out.work" in caplog.text


def test_a_working_folder_that_is_named_stays(fake_engine: list[tuple[str, str, int]], tmp_path: Path) -> None:
    ws.run("STUDY.toml", tmp_path / "out", work=tmp_path / "work", progress=False)
    assert (tmp_path / "work").is_dir() and fake_engine
    for work in ("out", "out/work", "."):
        with pytest.raises(ValueError, match="neither holds nor lies in the results"):
            ws.run("STUDY.toml", tmp_path / "out", work=tmp_path / work, progress=False)


@pytest.mark.parametrize(("reason", "tiles"), [("memory", True), ("not_found", False)])
def test_what_does_not_fit_as_a_whole_goes_tile_by_tile(
    fake_engine: list[tuple[str, str, int]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    reason: str,
    tiles: bool,
) -> None:
    def refuse(*arguments: object, **options: object) -> str:
        error = ws.InputError("run: needs 9.5 GiB of memory. Raise the limit")
        error.problems = [{"reason": reason}]
        raise error

    monkeypatch.setattr(_engine, "run_study", refuse)
    if tiles:
        ws.run("STUDY.toml", tmp_path / "out", memory_limit="1 GB", progress=False)
        assert fake_engine and "run: needs 9.5 GiB of memory: so it goes tile by tile" in caplog.text
        return
    with pytest.raises(ws.InputError, match="Raise the limit"):
        ws.run("STUDY.toml", tmp_path / "out", memory_limit="1 GB", progress=False)
    assert not fake_engine


def test_the_command_says_who_works(
    fake_engine: list[tuple[str, str, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def run(study: str, out: str, **options: Any) -> ws.RunResult:
        asked.append(options)
        raise ws.WorkerError("enough")

    monkeypatch.setattr("walkshed.study.run", run)
    line = ["run", "STUDY.toml", "--out", str(tmp_path / "out")]
    assert cli.main([*line, "--executor", "processes", "--workers", "3", "--tile-resolution", "6"]) == 1
    assert cli.main([*line, "--executor", "spark", "--work", str(tmp_path / "work")]) == 1
    assert cli.main([*line, "--workers", "2"]) == 1
    assert [each["executor"] for each in asked] == [("processes", 3), "spark", ("processes", 2)]
    assert [each["tile_resolution"] for each in asked] == [6, None, None]
    wrong = (["--executor", "threads", "--workers", "2"], ["--workers", "0"], ["--work", str(tmp_path / "out")])
    for options in (*wrong, ["--executor", "dask"]):
        with pytest.raises(SystemExit) as usage:
            cli.main([*line, *options])
        assert usage.value.code == 2


def test_a_job_pickles_for_every_executor(work: Work) -> None:
    import pickle

    for job in (FakeJob(str(work.folder)), tiled.TileJob("work", "times")):
        assert pickle.loads(pickle.dumps(job)) == job


def test_a_killed_worker_is_killed(work: Work) -> None:
    """That the tests above would notice: the fake tile ends its process for good."""
    work.fate(tile0="kill 1")
    process = subprocess.run(
        [sys.executable, "-c", f"import tile_worker as t; t.FakeJob({str(work.folder)!r})('tile0', 1)"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])},
        check=False,
        timeout=60,
    )
    assert process.returncode == -signal.SIGKILL
