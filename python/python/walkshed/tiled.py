"""A study tile by tile: the engine says what is to be done, workers do it, and the union is published."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Generator
from concurrent.futures import Executor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from walkshed import _engine, spark
from walkshed.executors import Given, Look, Outcome, Processes, Threads, TileRefusal, Workers, cores
from walkshed.progress import Report

_log = logging.getLogger("walkshed.tiled")


ExecutorName: TypeAlias = Literal["threads", "processes", "spark"]

# The last is a `pyspark.sql.SparkSession`, of which nobody needs the package who does not use it.
ExecutorChoice: TypeAlias = "ExecutorName | tuple[Literal['processes'], int] | Executor | Any | None"


def chosen(executor: ExecutorChoice) -> Workers:
    """Give the workers that an argument `executor` means.

    Raises:
        ValueError: it means none.
        ImportError: Spark is asked for and not installed.

    """
    match executor:
        case None | "threads":
            return Threads()
        case "processes":
            return Processes(cores())
        case ("processes", int(workers)):
            return Processes(workers)
        case "spark":
            return spark.Spark.of_this_process()
        case Executor():
            return Given(executor)
        case _ if spark.is_session(executor):
            return spark.Spark(executor)
        case _:
            raise ValueError(_no_executor(executor))


def _no_executor(executor: object) -> str:
    names = ", ".join(f'"{name}"' for name in get_args(ExecutorName))
    return f'executor {executor!r}: use {names}, ("processes", 4), a SparkSession, or one of concurrent.futures'


@dataclass(frozen=True)
class TileJob:
    """What is done with each tile in a stage.

    Attributes:
        work: absolute path of the working folder, the same on all workers.
        stage: name of the stage.

    """

    work: str
    stage: str

    def __call__(self, key: str, threads: int, report: Report | None = None) -> Outcome:
        """Work on one tile."""
        try:
            return _engine.tile_job(self.work, self.stage, key, threads, report)
        except _engine.InputError as error:
            return TileRefusal.of(error)


def run(
    study: str,
    out: str,
    tables: list[dict[str, Any]],
    workers: Workers,
    *,
    memory_limit: int | None,
    tile_resolution: int | None,
    work: str | os.PathLike[str] | None,
    report: Report | None,
) -> str:
    """Run a study tile by tile; the results are those of the run as a whole, to the byte.

    Args:
        study: path of the `STUDY.toml`.
        out: folder for the results.
        tables: what Python read for the engine.
        workers: who works on the tiles.
        memory_limit: bytes for all tiles that share the memory of one machine.
        tile_resolution: H3 resolution of the tiles; the engine chooses when None.
        work: working folder, which stays; beside `out` and taken away after success when None.
        report: whom progress is told.

    Returns:
        What stands in `run.json`.

    Raises:
        ValueError: `work` lies in `out`, which is replaced as a whole, or `out` in `work`.
        InputError: every fault that stops the study, or the first tile that is refused.
        WorkerError: workers ended again and again.

    """
    folder = working_folder(out, work)
    with kept(folder, taken_away=work is None):
        return walked(
            study,
            folder,
            tables,
            workers,
            memory_limit=memory_limit,
            tile_resolution=tile_resolution,
            report=report,
        ).finish(out)


def walked(
    study: str,
    folder: Path,
    tables: list[dict[str, Any]],
    workers: Workers,
    *,
    memory_limit: int | None,
    tile_resolution: int | None,
    report: Report | None,
) -> _engine.TiledRun:
    """Work on all tiles of a study, as `run`; what is left is to put them together."""
    tiled = _engine.TiledRun(
        study,
        str(folder),
        tables,
        memory_limit=memory_limit,
        tile_resolution=tile_resolution,
        parallel=workers.parallel,
        report=report,
    )
    _log.info("tiles: %s", tiled.summary)
    while (stage := tiled.stage()) is not None:
        work_off(tiled, str(folder), *stage, workers, report)
    return tiled


@contextmanager
def kept(folder: Path, *, taken_away: bool) -> Generator[None, None, None]:
    """Keep a working folder when something fails, and say so; take it away after success where that is wanted."""
    try:
        yield
    except BaseException:
        if folder.is_dir():
            _log.warning("what is done is kept in %s; the same call goes on 已完成的部分保留，重新运行即可继续", folder)
        raise
    if taken_away:
        shutil.rmtree(folder, ignore_errors=True)  # the results stand, whatever cannot be taken away


def working_folder(out: str, work: str | os.PathLike[str] | None) -> Path:
    """Give the working folder as an absolute path, for workers have other current folders.

    Raises:
        ValueError: it would be replaced with the results, or they with it.

    """
    results = Path(os.path.abspath(out))
    if work is None:
        return results.with_name(f"{results.name}.work")
    folder = Path(os.path.abspath(work))
    if folder == results or results in folder.parents or folder in results.parents:
        raise ValueError(f"work {folder}: use a folder that neither holds nor lies in the results, {results}")
    return folder


def work_off(
    tiled: _engine.TiledRun, folder: str, stage: str, keys: list[str], workers: Workers, report: Report | None
) -> None:
    """Do the tiles of a stage. Those whose receipts do not hold, as of a file that is not seen yet, come once more.

    Raises:
        ValueError: not one receipt holds.

    """
    accepted, doubtful = 0, None
    with closing(workers.receipts(TileJob(folder, stage), keys, _look(stage, len(keys), report))) as receipts:
        for receipt in receipts:
            try:
                tiled.accept(stage, receipt)
                accepted += 1
            except ValueError as error:
                _log.warning("%s: a receipt does not hold, the tile is done again: %s", stage, error)
                doubtful = error
    if doubtful is not None and not accepted:
        raise doubtful


def _look(stage: str, total: int, report: Report | None) -> Look:
    """Tell progress as tiles of a stage."""
    return (lambda done: None) if report is None else lambda done: report(stage, done, total)
