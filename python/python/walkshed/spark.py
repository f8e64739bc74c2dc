"""Tiles on Apache Spark: keys out, receipts back, through `mapInArrow`; Spark's own retries replace lost workers."""

from __future__ import annotations

import importlib
import re
import sys
import threading
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import partial
from typing import Any

from walkshed.executors import Job, Look, TileRefusal, WorkerError

#: Spark is asked this often how far it is; each time is a few calls to its JVM.
_LOOK_S = 0.25

_SCHEMA = "receipt binary, refusal string"


def is_session(thing: object) -> bool:
    """Whether this is a `SparkSession`, without importing its package: who has one has imported it."""
    package = sys.modules.get("pyspark.sql")
    return package is not None and isinstance(thing, package.SparkSession)


@dataclass(frozen=True)
class Spark:
    """The executors of a Spark session, which stays open.

    They are on other machines, or share this one as Spark was told: each worker has memory of its own.
    """

    session: Any
    parallel: int = 1

    @classmethod
    def of_this_process(cls) -> Spark:
        """Take the session that there is, or begin one.

        Raises:
            ImportError: pyspark is not installed.

        """
        try:
            sql: Any = importlib.import_module("pyspark.sql")
        except ImportError as error:
            raise ImportError("Spark needs pyspark: pip install 'walkshed[spark]' 请安装 pyspark") from error
        return cls(sql.SparkSession.builder.getOrCreate())

    def receipts(self, job: Job, keys: Sequence[str], look: Look) -> Generator[bytes, None, None]:
        """See `executors.Workers`; here the receipts come together, when the last tile is done."""
        if not keys:
            return
        threads = int(self.session.conf.get("spark.task.cpus", "1"))
        # One number in each part: parts by a hash of the key would leave workers idle, with two keys in other parts.
        numbers = self.session.range(0, len(keys), 1, len(keys))
        tiles = numbers.mapInArrow(partial(_work, job=job, keys=list(keys), threads=threads), _SCHEMA)
        job_of_spark = _collect(self.session.sparkContext, tiles.collect, look)
        # What Spark and its JVM raise differs from release to release.
        if error := job_of_spark.exception():
            raise _failed(str(error), keys) from error
        rows = job_of_spark.result()
        yield from (bytes(row["receipt"]) for row in rows if row["receipt"] is not None)
        for row in rows:
            if row["refusal"] is not None:
                raise TileRefusal(row["refusal"]).error()


def _work(batches: Iterator[Any], job: Job, keys: Sequence[str], threads: int) -> Iterator[Any]:
    """The task of an executor: numbers of tiles in, outcomes out, as batches of Arrow."""
    arrow: Any = importlib.import_module("pyarrow")
    schema = arrow.schema([("receipt", arrow.binary()), ("refusal", arrow.string())])
    for batch in batches:
        numbers: list[int] = batch.column(0).to_pylist()
        rows = [_row(job, keys[number], threads) for number in numbers]
        yield arrow.RecordBatch.from_pylist(rows, schema)


def _row(job: Job, key: str, threads: int) -> dict[str, bytes | str | None]:
    try:
        outcome = job(key, threads)
    except Exception as error:  # Spark tells what was raised, but not at which tile
        raise RuntimeError(f"tile {key}: {error!r}") from error
    if isinstance(outcome, TileRefusal):
        return {"receipt": None, "refusal": outcome.told}
    return {"receipt": outcome, "refusal": None}


def _collect(context: Any, collect: Callable[[], list[Any]], look: Look) -> Future[list[Any]]:
    """Await a job of Spark that another thread waits for, as this one must hear Ctrl-C; the job is cancelled then."""
    group, answer = f"walkshed-{uuid.uuid4()}", Future[list[Any]]()

    def work() -> None:
        try:
            context.setJobGroup(group, "walkshed: tiles 图块", interruptOnCancel=True)
            answer.set_result(collect())
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        while not wait([answer], _LOOK_S).done:
            look(_tasks_done(context.statusTracker(), group))
    except BaseException:
        context.cancelJobGroup(group)
        raise
    return answer


def _tasks_done(tracker: Any, group: str) -> int:
    """Count tasks that ended: each is a tile."""
    jobs = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(group)]
    stages = [tracker.getStageInfo(stage) for job in jobs if job is not None for stage in job.stageIds]
    return sum(stage.numCompletedTasks for stage in stages if stage is not None)


def _failed(text: str, keys: Sequence[str]) -> WorkerError:
    """Say in a few lines what Spark says in a hundred."""
    kept = "what is done is kept, and the same call goes on. 已完成的部分保留，重新运行即可继续"
    if raised := re.search(r"^RuntimeError: tile (\w+): (.*)", text, re.MULTILINE):
        return WorkerError(f"Spark gave up at tile {raised[1]} 图块: {raised[2]}; {kept}", [raised[1]])
    if lost := re.search(r"Task (\d+) in stage .*most recent failure: (.*)", text):  # tasks have the numbers of tiles
        key = keys[int(lost[1])]
        return WorkerError(
            f"Spark gave up at tile {key} 图块: {lost[2].rstrip('.')}; {kept}. If it was ended for want of memory, "
            "take smaller tiles (--tile-resolution, one finer) or give executors more (spark.executor.memoryOverhead). "
            "如因内存不足，请用更小的图块（--tile-resolution 加 1），或增大 spark.executor.memoryOverhead",
            [key],
        )
    return WorkerError(f"Spark gave up: {text.strip().splitlines()[0] if text.strip() else 'no reason'}; {kept}")
