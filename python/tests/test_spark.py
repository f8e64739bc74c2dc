"""Tiles on Spark, with two executors as processes of their own: the only cluster that a test can have.

One session does it all, for to begin one takes half a minute.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tile_worker import Work, alive, keys_of

import walkshed as ws
from walkshed import spark, tiled

KEYS = [f"tile{number}" for number in range(8)]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the script below tells of everything that it tried."""
    pytest.importorskip("pyspark")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, __file__, tmp_path_factory.mktemp("spark")],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path, "PYSPARK_PYTHON": sys.executable},
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    found: dict[str, Any] = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    return found


def test_an_executor_that_is_killed_loses_nothing(told: dict[str, Any]) -> None:
    assert told["killed executor"]["keys"] == KEYS
    assert told["killed executor"]["begun tile3"] >= 2, "nobody was killed"
    progress = told["killed executor"]["progress"]
    assert min(progress) == 0 and 0 < max(progress) <= len(KEYS)


def test_a_worker_that_is_killed_loses_nothing(told: dict[str, Any]) -> None:
    assert told["killed worker"] == {"keys": KEYS, "begun tile3": 2}


def test_a_refusal_is_told_as_everywhere(told: dict[str, Any]) -> None:
    """With its problems, and not tried again; the others are done."""
    assert told["refused"] == {
        "error": "InputError",
        "text": "tile2: refused",
        "problems": [{"file": "tile2", "reason": "memory"}],
        "done": 6,
        "begun tile2": 1,
    }


def test_a_task_that_fails_again_and_again_is_told_with_its_tile(told: dict[str, Any]) -> None:
    failed = told["failed"]
    assert failed["error"] == "WorkerError" and failed["tiles"] == ["tile5"] and failed["begun tile5"] == 4
    assert failed["text"].startswith(
        "Spark gave up at tile tile5 图块: OSError(28, 'no space left'); what is done is kept"
    )
    assert "\n" not in failed["text"], "no trace of a JVM"


LOST = """An error occurred while calling o44.collectToPython.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 5 in stage 0.0 failed 4 times, most recent \
failure: Lost task 5.3 in stage 0.0 (TID 9) (192.0.2.2 executor 2): ExecutorLostFailure (executor 2 exited caused by \
one of the running tasks) Reason: Command exited with code 137
Driver stacktrace:
\tat org.apache.spark.scheduler.DAGScheduler.$anonfun$abortStage$3(DAGScheduler.scala:4568)"""


def test_executors_that_are_lost_again_and_again_are_told_with_their_tile() -> None:
    """As Spark 3.5.9 and 4.3.0 say it; to lose four executors takes longer than a test should."""
    error = spark._failed(LOST, KEYS)
    assert error.tiles == ["tile5"]
    text = str(error)
    assert "at tile tile5" in text and "code 137; what is done is kept" in text and "--tile-resolution" in text
    assert "\n" not in text and len(text) < 700
    assert str(spark._failed("\nno reason that is known\nat", KEYS)).startswith(
        "Spark gave up: no reason that is known;"
    )
    assert spark._failed("", KEYS).tiles == []


def test_ctrl_c_and_an_exception_stop_the_work(told: dict[str, Any]) -> None:
    print(f"Spark stopped {told['stopped']['late_s']:.3f} s after Ctrl-C")
    assert told["stopped"]["late_s"] < 1.0, "half a second is promised, a busy machine gets twice as long"
    stopped = {key: told["stopped"][key] for key in ("begun", "begun later", "alive later")}
    assert stopped == {"begun": 2, "begun later": 0, "alive later": 0}, "tasks and their workers end"
    assert told["enough"] == "EnoughError"
    assert told["afterwards"] == KEYS, "the session goes on"


def test_spark_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(ImportError, match=r"walkshed\[spark\]"):
        tiled.chosen("spark")
    assert not spark.is_session("spark")


class EnoughError(Exception):
    """The progress has seen enough."""


def enough(done: int) -> None:
    raise EnoughError


def attempt(workers: Any, work: Work, look: Callable[[int], object]) -> dict[str, Any]:
    """The receipts, or what is told instead."""
    receipts: list[bytes] = []
    try:
        for receipt in workers.receipts(work.job, KEYS, look):
            receipts.append(receipt)
    except (ws.InputError, ws.WorkerError) as error:
        return {"error": type(error).__name__, "text": str(error), "done": len(receipts), **vars(error)}
    return {"keys": keys_of(receipts)}


def stop(workers: Any, work: Work) -> dict[str, Any]:
    """Press Ctrl-C when tasks are under way."""
    import signal

    work.fate(**dict.fromkeys(KEYS, "slow 2000"))
    pressed: list[float] = []

    def press() -> None:
        while not any(map(work.begun, KEYS)):
            time.sleep(0.02)
        time.sleep(0.5)
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    try:
        attempt(workers, work, lambda done: None)
        late_s = 1e9
    except KeyboardInterrupt:
        late_s = time.monotonic() - pressed[0]
    time.sleep(0.5)
    begun = sum(map(work.begun, KEYS))
    time.sleep(4)  # Spark leaves a task two seconds to end by itself
    later = {"begun later": sum(map(work.begun, KEYS)) - begun, "alive later": sum(map(alive, work.workers()))}
    return {"late_s": late_s, "begun": begun, **later}


def try_all(folder: Path) -> dict[str, Any]:
    """The whole of the process that the tests start."""
    from pyspark.sql import SparkSession

    session: Any = (
        SparkSession.builder.master("local-cluster[2,1,1024]").config("spark.ui.enabled", "false").getOrCreate()
    )
    workers: Any = tiled.chosen(session)
    assert tiled.chosen("spark") == workers, "the session that there is"

    def fresh(name: str, **fates: str) -> Work:
        (folder / name).mkdir()
        return Work(folder / name).fate(**fates)

    told: dict[str, Any] = {}
    progress: list[int] = []
    work = fresh("executor", tile3="executor 1", **dict.fromkeys(("tile4", "tile5"), "slow 100"))
    told["killed executor"] = attempt(workers, work, progress.append)
    told["killed executor"] |= {"begun tile3": work.begun("tile3"), "progress": progress}
    work = fresh("worker", tile3="kill 1")
    told["killed worker"] = attempt(workers, work, print) | {"begun tile3": work.begun("tile3")}
    work = fresh("refused", tile2="refuse", tile6="refuse")
    told["refused"] = attempt(workers, work, print) | {"begun tile2": work.begun("tile2")}
    work = fresh("failed", tile5="fail")
    told["failed"] = attempt(workers, work, print) | {"begun tile5": work.begun("tile5")}
    told["stopped"] = stop(workers, fresh("stopped"))
    try:
        attempt(workers, fresh("enough", **dict.fromkeys(KEYS, "slow 100")), enough)
    except EnoughError as error:
        told["enough"] = type(error).__name__
    told["afterwards"] = attempt(workers, fresh("afterwards"), print)["keys"]
    session.stop()
    return told


if __name__ == "__main__":
    print(json.dumps(try_all(Path(sys.argv[1]))))
